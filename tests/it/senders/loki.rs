//! Pushes in Loki's form.

use super::{Packages, assert_rows, python_sends, rows, stored};
use e2e::Place;
use serde_json::json;

#[tokio::test]
async fn lines_pushed_to_loki_are_stored_with_their_labels() {
    let place = Place::new();
    let koshu = place.start().await;
    let Some(said) = python_sends(Packages::Newest, "send_loki", &[koshu.url()]) else { return };
    assert_eq!(said, json!([204, 204]));
    let sql = "SELECT ts, service, host, severity, body, trace_id, source, attrs FROM logs ORDER BY ts";
    let want = [
        json!({"ts": "2026-02-03T04:05:06.789012Z", "service": "shop", "host": "web-1", "severity": "warn",
            "body": "checkout – 決済 \"ok\"\n\tdone", "trace_id": null, "source": "loki", "attrs": {"team": "web"}}),
        json!({"ts": "2026-02-03T04:05:07Z", "service": "shop", "host": "web-1", "severity": "warn",
            "body": "with more", "trace_id": "0af7651916cd43dd8448eb211c80319c", "source": "loki",
            "attrs": {"team": "web", "user": "7"}}),
        json!({"ts": "2026-02-03T04:05:08Z", "service": "cron-nightly", "host": null, "severity": null,
            "body": "{\"a\": 1}", "trace_id": null, "source": "loki", "attrs": {}}),
    ];
    assert_rows(&rows(koshu.client(), sql).await, &want, "logs");
    assert_eq!(stored(koshu.client()).await, [("logs", 3)]);
}
