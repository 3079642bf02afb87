//! fluentd's forward protocol by its loggers for Python and Node.js, with acknowledgements and with a shared key.

use super::{Packages, assert_rows, node_sends, python_sends, rows, stored};
use crate::listeners::{address, start};
use e2e::{Koshu, Place, until};
use serde_json::{Value, json};
use std::time::Duration;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const LOGS: &str = "SELECT ts, service, host, severity, body, trace_id, source, attrs FROM logs ORDER BY ts, body";

/// The loggers of Node.js and the modes that they have.
pub(super) const NODE: [(&str, &str, &[&str]); 2] = [
    ("fluent-logger", "app-logger", &["Message", "PackedForward", "CompressedPackedForward"]),
    ("fluent-org", "app-org", &["Message", "Forward", "PackedForward", "CompressedPackedForward"]),
];

fn log(ts: &str, service: &str, body: &str, attrs: &Value) -> Value {
    json!({"ts": ts, "service": service, "host": "web-1", "severity": "warn", "body": body, "trace_id": TRACE,
        "source": "forward", "attrs": attrs})
}

#[tokio::test]
async fn every_event_of_pythons_fluent_logger_is_stored_as_it_is() {
    let place = Place::new();
    let koshu = start(&place).await;
    let at = address(&koshu, "forward");
    let (host, port) = at.rsplit_once(':').unwrap();
    let Some(said) = python_sends(Packages::Newest, "send_fluent", &[host, port]) else { return };
    assert_eq!(said["sent"], 22);
    // This logger asks for no acknowledgement.
    let all = async || (koshu.client().number("SELECT count(*) FROM logs").await == 22).then_some(());
    until(Duration::from_secs(20), "every event is stored", all).await;
    let attrs = json!({"large": "9007199254740993", "ratio": "0.25", "ok": "true", "none": "null",
        "tags": r#"["a",{"b":1}]"#});
    let body = "checkout – 決済 \"ok\"\n\tdone";
    let want = [
        log("2026-02-03T04:05:06Z", "app-whole", body, &attrs),
        log("2026-02-03T04:05:07.25Z", "app-whole", body, &attrs),
    ];
    let found = rows(koshu.client(), LOGS).await;
    assert_rows(&found[..2], &want, "whole events");
    let sql = "SELECT service, severity, body, attrs FROM logs WHERE service = 'app-web' ORDER BY body";
    let order = |number: i32| {
        json!({"service": "app-web", "severity": "error", "body": format!("order {number}"),
            "attrs": {"items": number.to_string()}})
    };
    let mut want: Vec<Value> = (0..20).map(order).collect();
    want.sort_by_cached_key(|row| row["body"].to_string());
    assert_rows(&rows(koshu.client(), sql).await, &want, "orders");
}

/// Sends three events, with what proves that it may (null for nothing); `None` when there is no Node.js.
pub(super) fn node_logs(at: &str, logger: &str, mode: &str, proof: &Value) -> Option<Value> {
    let (host, port) = at.rsplit_once(':').unwrap();
    node_sends("send_fluent", &[logger, mode, host, port, &proof.to_string()])
}

pub(super) async fn assert_node_events(koshu: &Koshu, service: &str, mode: &str) {
    let event = |number: usize| {
        let attrs = json!({"items": number.to_string(), "ratio": "0.25", "ok": "true", "none": "null",
            "tags": r#"["a",{"b":1}]"#});
        log(&format!("2026-02-03T04:05:0{}.25Z", 6 + number), service, &body(mode, number), &attrs)
    };
    let want: Vec<Value> = (1..=3).map(event).collect();
    // Acknowledged means stored: nothing is waited for.
    assert_rows(&rows(koshu.client(), LOGS).await, &want, &format!("{service} {mode}"));
    assert_eq!(stored(koshu.client()).await, [("logs", 3)]);
}

fn body(mode: &str, number: usize) -> String {
    format!("{mode} {number} – 決済 \"ok\"\n\tdone")
}

#[tokio::test]
async fn what_the_loggers_of_node_js_hear_acknowledged_is_stored_as_it_is_in_every_mode() {
    for (logger, service, modes) in NODE {
        for mode in modes {
            let place = Place::new();
            let koshu = start(&place).await;
            let Some(said) = node_logs(&address(&koshu, "forward"), logger, mode, &Value::Null) else { return };
            assert_eq!(said, json!({"acknowledged": 3}), "{logger} {mode}");
            assert_node_events(&koshu, service, mode).await;
        }
    }
}

#[tokio::test]
async fn with_a_shared_key_only_who_knows_it_is_heard() {
    for (logger, service, modes) in NODE {
        let place = Place::new();
        std::fs::write(place.path().join("key"), "shared – 鍵\n").unwrap();
        let file = place.path().join("key");
        place.configure(&format!("server: {{intake: {{forward_shared_key_file: '{}'}}}}\n", file.display()));
        let koshu = start(&place).await;
        let at = address(&koshu, "forward");
        let send = |key: &str| node_logs(&at, logger, modes[0], &json!({"sharedKey": key}));
        let Some(wrong) = send("another") else { return };
        assert!(wrong["error"].as_str().is_some_and(|said| said.contains("shared_key mismatch")), "{logger}: {wrong}");
        let nothing: Vec<(&str, i64)> = Vec::new();
        assert_eq!(stored(koshu.client()).await, nothing, "{logger}");
        assert_eq!(send("shared – 鍵"), Some(json!({"acknowledged": 3})), "{logger}");
        assert_node_events(&koshu, service, modes[0]).await;
    }
}
