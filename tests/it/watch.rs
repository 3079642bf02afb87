//! The watch from end to end: a rule fires, a webhook and a mail server hear of it once, people act on it, it ends; also
//! over kills of the process, and when the configuration changes under it.

use crate::smtp::Smtp;
use e2e::{Client, Hook, Koshu, Place, until};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// One evaluation, and what a busy machine takes.
const EVALUATED: Duration = Duration::from_secs(40);

/// Says how long the queue is.
async fn queue_is(client: &Client, length: f64) {
    let point = json!({"asDouble": length});
    let body = json!({"resourceMetrics": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
        "scopeMetrics": [{"metrics": [{"name": "queue", "gauge": {"dataPoints": [point]}}]}],
    }]});
    client.post("/v1/metrics", &body).await.ok();
}

fn configuration(hook: &str, name: &str, more: &str) -> String {
    format!(
        "services: {{shop: {{owner: web}}}}\nrules:\n  - name: {name}\n    service: shop\n    sql: SELECT value FROM samples \
         WHERE name = 'queue' ORDER BY ts DESC LIMIT 1\n    above: 100\n    class: alert\n    owner: web\n    action: Start \
         more workers\n  - {{name: noted, service: shop, sql: \"SELECT value FROM samples WHERE name = 'queue' ORDER BY ts \
         DESC LIMIT 1\", above: 10, class: record}}\noutputs:\n  alert: [{{webhook: {{url: \"{hook}\", secret: \
         whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}}, always: true}}{more}]\n"
    )
}

async fn open_alerts(client: &Client) -> Vec<Value> {
    let answer = client.get("/api/v1/firings?class=alert&state=open").await.ok();
    answer["firings"].as_array().unwrap().clone()
}

async fn fires(koshu: &Koshu) -> Value {
    until(EVALUATED, "the rule fires", async || open_alerts(koshu.client()).await.into_iter().next()).await
}

#[tokio::test]
async fn an_alert_is_told_once_acted_on_and_ends_also_over_a_kill() {
    let hook = Hook::start().await;
    let place = Place::new();
    place.configure(&configuration(hook.url(), "queue-long", ""));
    let koshu = place.start().await;
    queue_is(koshu.client(), 500.0).await;
    let begin = Instant::now();
    let firing = fires(&koshu).await;
    until(EVALUATED, "the webhook hears of it", async || (hook.kinds().await == ["fire"]).then_some(())).await;
    // One evaluation and a second, and what a busy machine takes.
    assert!(begin.elapsed() < Duration::from_secs(25), "{:?}", begin.elapsed());
    assert_eq!(
        (&firing["rule"], &firing["owner"], &firing["value"]),
        (&json!("queue-long"), &json!("web"), &json!(500.0))
    );

    // After a kill it goes on: nothing is told anew. What was sent and not booked would be, once its claim has ended.
    let id = firing["id"].as_str().unwrap();
    until(EVALUATED, "the message is booked", async || {
        let detail = koshu.client().get(&format!("/api/v1/firings/{id}")).await.ok();
        detail["deliveries"][0]["delivered_at"].is_string().then_some(())
    })
    .await;
    koshu.kill();
    let koshu = place.start().await;
    let client = koshu.client();
    assert_eq!(client.post(&format!("/api/v1/firings/{id}/ack"), &json!({})).await.status, 204);
    let note = json!({"text": "two workers more"});
    assert_eq!(client.post(&format!("/api/v1/firings/{id}/notes"), &note).await.status, 204);
    queue_is(client, 1.0).await;
    until(EVALUATED, "the alert ends", async || open_alerts(client).await.is_empty().then_some(())).await;
    until(EVALUATED, "the webhook hears of the end", async || {
        (hook.kinds().await == ["fire", "resolve"]).then_some(())
    })
    .await;
    let wrong = json!({"outcome": "no_action_needed"});
    assert_eq!(
        client.post(&format!("/api/v1/firings/{id}/outcome"), &wrong).await.status,
        400,
        "a reason is asked for"
    );
    let outcome = json!({"outcome": "acted", "why": "more workers"});
    assert_eq!(client.post(&format!("/api/v1/firings/{id}/outcome"), &outcome).await.status, 204);
    let detail = client.get(&format!("/api/v1/firings/{id}")).await.ok();
    assert_eq!((&detail["state"], &detail["outcome"]), (&json!("resolved"), &json!("acted")));
    assert_eq!(detail["action"], "Start more workers");
    let happened: Vec<&str> =
        detail["history"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    for kind in ["fired", "delivered", "acknowledged", "note", "resolved", "outcome"] {
        assert!(happened.contains(&kind), "{kind}: {happened:?}");
    }
    assert_eq!(detail["deliveries"].as_array().unwrap().len(), 2);

    // Records are in the lake, and nowhere else.
    let events = "SELECT name, state, attrs['class'] FROM events WHERE kind = 'firing' ORDER BY ts, name";
    let events = client.sql(events).await;
    let of = |name: &str| -> Vec<&Value> { events.iter().filter(|row| row[0] == name).map(|row| &row[1]).collect() };
    assert_eq!(of("queue-long"), ["firing", "resolved"], "{events:?}");
    assert_eq!(of("noted"), ["firing", "resolved"], "{events:?}");
    let all = client.get("/api/v1/firings?rule=noted").await.ok();
    assert_eq!(all["firings"], json!([]), "a record is no firing of the store");
}

#[tokio::test]
async fn a_bad_configuration_keeps_the_old_rules_and_a_good_one_replaces_them() {
    let hook = Hook::start().await;
    let place = Place::new();
    place.configure(&configuration(hook.url(), "queue-long", ""));
    let koshu = place.start().await;
    let client = koshu.client();
    queue_is(client, 500.0).await;
    fires(&koshu).await;
    place.configure(&configuration(hook.url(), "queue-long", "").replace("above: 100", "above: lots"));
    let problem = until(EVALUATED, "the problem is told", async || {
        client.get("/api/v1/rules").await.ok()["config_problem"].as_str().map(str::to_owned)
    })
    .await;
    assert!(problem.contains("koshu.yaml:7") && problem.contains("`lots` does not fit"), "{problem}");
    assert_eq!(open_alerts(client).await.len(), 1, "the old rule goes on");
    place.configure(&configuration(hook.url(), "queue-too-long", ""));
    until(EVALUATED, "the new rules are in force", async || {
        let rules = client.get("/api/v1/rules").await.ok();
        (rules["rules"][0]["name"] == "queue-too-long" && rules["config_problem"].is_null()).then_some(())
    })
    .await;
    until(EVALUATED, "the firing of the rule that is no more ends, and the new one fires", async || {
        let open = open_alerts(client).await;
        (open.len() == 1 && open[0]["rule"] == "queue-too-long").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_mail_server_gets_the_alert_and_a_test_counts_when_a_person_says_so() {
    let Some(smtp) = Smtp::start() else { return };
    let hook = Hook::start().await;
    let place = Place::new();
    let mail = format!(
        ", {{name: mail, always: true, email: {{to: oncall@example.com, host: 127.0.0.1, port: {}}}}}",
        smtp.port()
    );
    place.configure(&configuration(hook.url(), "queue-long", &mail));
    let koshu = place.start().await;
    let client = koshu.client();
    let test = client.post("/api/v1/channels/mail/test", &json!({})).await;
    assert_eq!(test.status, 202, "{test:?}");
    let id = test.json()["id"].as_str().unwrap().to_owned();
    let first = smtp.mail(0).await;
    assert_eq!(first["to"], json!(["oncall@example.com"]));
    assert!(first["text"].as_str().unwrap().contains(&format!("/channels/test/{id}")), "{first}");
    let state = async || {
        let channels = client.get("/api/v1/channels").await.ok();
        let all = channels["channels"].as_array().unwrap().clone();
        all.into_iter().find(|channel| channel["name"] == "mail").unwrap()["state"].clone()
    };
    assert!(state().await["test_acknowledged_at"].is_null(), "nobody has said that it arrived");
    client.post(&format!("/api/v1/channels/tests/{id}/ack"), &json!({})).await.ok();
    assert!(state().await["test_acknowledged_at"].is_string());

    queue_is(client, 500.0).await;
    fires(&koshu).await;
    let alert = smtp.mail(1).await;
    assert!(alert["subject"].as_str().unwrap().contains("queue-long"), "{alert}");
    assert!(alert["text"].as_str().unwrap().contains("Start more workers"), "{alert}");
}

async fn say_busy(mut socket: tokio::net::TcpStream) {
    let mut part = [0; 4096];
    let _ = socket.read(&mut part).await;
    let _ = socket.write_all(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    let _ = socket.shutdown().await;
    // To its end: a socket that is closed over unread bytes takes its answer back.
    while socket.read(&mut part).await.is_ok_and(|read| read > 0) {}
}

/// Answers every request that it is busy.
async fn busy_service() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(say_busy(socket));
        }
    });
    format!("http://{address}/busy")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_that_a_channel_does_not_take_yet_is_waited_for_and_says_why() {
    let (hook, busy) = (Hook::start().await, busy_service().await);
    let place = Place::new();
    let other = format!(", {{name: busy, always: true, webhook: {{url: \"{busy}\"}}}}");
    place.configure(&configuration(hook.url(), "queue-long", &other));
    let koshu = place.start().await;
    let begin = Instant::now();
    let ran = place.run(["check", "--send-test", "--wait", "4s", "-o", "json"]);
    assert!(begin.elapsed() >= Duration::from_secs(4), "a busy channel settles nothing: {ran:?}");
    assert!(ran.code == 3 && ran.stderr.contains("busy: not taken, being tried again: "), "{ran:?}");
    let tests: Value = serde_json::from_str(&ran.stdout).unwrap();
    let of = |name: &str| tests.as_array().unwrap().iter().find(|test| test["name"] == name).unwrap().clone();
    assert_eq!(of("busy")["state"], "tried_again", "{tests}");
    assert!(of("busy")["error"].as_str().unwrap().contains("503"), "{tests}");
    let taken = tests.as_array().unwrap().iter().filter(|test| test["state"] == "delivered").count();
    assert_eq!(taken, 1, "{tests}");
    koshu.stop();
}

#[tokio::test]
async fn rules_are_proposed_from_the_past_and_can_be_used_as_they_are() {
    let place = Place::new();
    let koshu = place.start().await;
    let client = koshu.client();
    let midnight = jiff::Timestamp::now().as_second() / 86_400 * 86_400;
    let mut lines = String::new();
    for at in 0..3000 {
        let (time, status) = (midnight - 86_400 + at * 20, if at % 500 == 7 { 500 } else { 200 });
        let line = format!(
            r#"{{"time":{time},"method":"GET","uri":"/cart","status":{status},"request_time":0.12,"remote_addr":"192.0.2.1"}}"#
        );
        lines.push_str(&line);
        lines.push('\n');
    }
    assert_eq!(client.ingest("shop", lines).await.unwrap().ok()["accepted"], 3000);
    let proposed = client.get("/api/v1/services/shop/starter").await.ok();
    let yaml = proposed["yaml"].as_str().unwrap();
    assert!(yaml.contains("objectives:") && yaml.contains("class: alert") && yaml.contains("# "), "{yaml}");
    assert!(!proposed["reasons"].as_array().unwrap().is_empty());
    assert_eq!(client.get("/api/v1/services/nobody/starter").await.status, 404);
    let japanese = client.get("/api/v1/services/shop/starter?language=ja").await.ok();
    assert_ne!(japanese["reasons"], proposed["reasons"]);

    // As it is, it is a configuration, and the server takes it up.
    place.configure(yaml);
    let checked = place.koshu().arg("check").arg(place.path().join("config")).output().unwrap();
    assert!(checked.status.success(), "{}\n{yaml}", String::from_utf8_lossy(&checked.stdout));
    drop(koshu);
    let koshu = place.start().await;
    let objectives = until(EVALUATED, "the past is counted", async || {
        let found = koshu.client().get("/api/v1/objectives").await.ok();
        let counted = found["objectives"].as_array().unwrap().iter().any(|one| one.to_string().contains("3000"));
        counted.then_some(found)
    })
    .await;
    assert!(objectives["objectives"].as_array().unwrap().iter().all(|one| one["service"] == "shop"), "{objectives}");
}

#[tokio::test]
async fn somebody_takes_over_a_turn_and_gives_it_back() {
    let place = Place::new();
    let hook = r#"{webhook: {url: "http://127.0.0.1:9/", secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}}"#;
    place.configure(&format!(
        "people: {{ann: {hook}, ben: {hook}}}\nrotations: {{web: {{people: [ann], start: 2026-01-05, time_zone: UTC}}}}\n"
    ));
    let koshu = place.start().await;
    let client = koshu.client();
    let calendar = async || client.get("/api/v1/rotations/web.ics").await.text;
    assert!(calendar().await.contains("ann") && !calendar().await.contains("ben"));
    let now = jiff::Timestamp::now();
    let until = (now + jiff::SignedDuration::from_hours(48)).to_string();
    let path = "/api/v1/rotations/web/overrides";
    let nobody = client.post(path, &json!({"person": "zoe", "until": until})).await;
    assert!(nobody.problem(400).contains("there are ann, ben"));
    let taken = client.post(path, &json!({"person": "ben", "until": until, "reason": "ann is away"})).await;
    assert_eq!((taken.status, &taken.json()["person"]), (reqwest::StatusCode::CREATED, &json!("ben")));
    assert!(calendar().await.contains("ben"), "{}", calendar().await);
    assert_eq!(client.get(path).await.ok()["overrides"].as_array().unwrap().len(), 1);
    let id = taken.json()["id"].as_str().unwrap().to_owned();
    let removed = client.request(reqwest::Method::DELETE, &format!("/api/v1/rotations/overrides/{id}"));
    assert_eq!(Client::send(removed).await.status, 204);
    assert!(!calendar().await.contains("ben"));
}
