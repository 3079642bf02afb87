//! Heartbeats, as cron lines send them with curl.

use super::{assert_rows, limited, rows, stored};
use e2e::{Place, ran, tool};
use serde_json::json;

const ID: &str = "0b7a0d5c-5d0f-4b3e-9a54-0f5d2f1c9a11";

#[tokio::test]
async fn a_cron_job_says_with_curl_how_it_went() {
    let Some(curl) = tool("curl") else { return };
    let place = Place::new();
    let koshu = place.start().await;
    let run = "9c2d3c9e-02a4-4d0e-9a3f-0123456789ab";
    let mut want = Vec::new();
    for (arguments, path, state, attrs) in [
        (&[][..], format!("/start?rid={run}"), json!("start"), json!({"run_id": run})),
        (&[], String::new(), json!("ok"), json!({})),
        (&["--head"], String::new(), json!("ok"), json!({})),
        (
            &["--retry", "3", "--data-raw", "copied 7 files"],
            format!("?rid={run}"),
            json!("ok"),
            json!({"run_id": run, "body": "copied 7 files"}),
        ),
        (&["-X", "POST"], "/fail".to_owned(), json!("fail"), json!({})),
        (&[], "/0".to_owned(), json!("ok"), json!({"exit_code": "0"})),
        (
            &["--data-binary", "disk full\npassword: hunter2"],
            "/7".to_owned(),
            json!("fail"),
            json!({"exit_code": "7", "body": "disk full\npassword: ***"}),
        ),
        (&["-d", "half way"], "/log".to_owned(), json!(null), json!({"note": "true", "body": "half way"})),
    ] {
        let url = format!("{}/ping/{ID}{path}", koshu.url());
        let output = ran(limited(&curl).args(["-fsS", "-m", "20"]).args(arguments).arg(url));
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text == "OK" || text.starts_with("HTTP/1.1 200"), "{path}: {text}");
        want.push(json!({"kind": "heartbeat", "name": ID, "state": state, "source": "heartbeat", "attrs": attrs}));
    }
    let found = rows(koshu.client(), "SELECT kind, name, state, source, attrs FROM events ORDER BY ts").await;
    assert_rows(&found, &want, "events");
    for path in ["/paused", "/256", "/start/again"] {
        let output = limited(&curl).arg("-fsS").arg(format!("{}/ping/{ID}{path}", koshu.url())).output().unwrap();
        assert_eq!(output.status.code(), Some(22), "curl -f fails at 400: {output:?}");
    }
    assert_eq!(stored(koshu.client()).await, [("events", 8)]);
    let sources = koshu.client().get("/api/v1/sources").await.ok();
    let heard = sources["sources"].as_array().unwrap().iter().filter(|source| source["kind"] == "heartbeat");
    let names: Vec<_> = heard.map(|source| &source["name"]).collect();
    assert_eq!(names, [ID], "the job is who is heard, not the curl that it calls");
}

#[tokio::test]
async fn what_called_a_push_monitor_of_uptime_kuma_is_a_heartbeat() {
    let Some(curl) = tool("curl") else { return };
    let place = Place::new();
    let koshu = place.start().await;
    let mut want = Vec::new();
    for (query, state, attrs) in [
        ("?status=up&msg=OK&ping=12", "ok", json!({"response_ms": "12", "body": "OK"})),
        ("?status=down&msg=disk%20full&ping=", "fail", json!({"body": "disk full"})),
        ("", "ok", json!({})),
    ] {
        let url = format!("{}/api/push/Kp3xT9vQ2a{query}", koshu.url());
        let output = ran(limited(&curl).args(["-fsS", "-m", "20"]).arg(url));
        assert_eq!(String::from_utf8_lossy(&output.stdout), r#"{"ok":true}"#, "{query}");
        want.push(json!({"name": "Kp3xT9vQ2a", "state": state, "attrs": attrs}));
    }
    let found = rows(koshu.client(), "SELECT name, state, attrs FROM events ORDER BY ts").await;
    assert_rows(&found, &want, "events");
    let wrong = koshu.client().get("/api/push/Kp3xT9vQ2a?status=maybe").await;
    assert!(wrong.problem(400).contains("up or down"));
}
