//! The demonstration's bad deploy, from the first failing page to the monthly report: exactly one alert and one ticket, and
//! the past says the same when it is gone through again.

use e2e::{Client, Hook, Koshu, Place, Start, heavy, until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// How the shop is watched. The objective's numbers are such that a minute of failing item pages is far too much for the
/// hour around it, and a minute or two of good ones afterwards are enough to dilute it.
///
/// The past is kept by whole minutes, and 85 seconds of a bad release may lie over three of them, with as little as 42 in
/// any one. So the limit of the slow page lies between the 95th percentiles of the two releases (66 and 218 ms) where two
/// thirds of a minute cross it without doubt.
fn watched(hook: &str) -> String {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    format!(
        r#"
services:
  demo-shop:
    owner: web
    objectives:
      - {{name: available, good: "status < 500", target: 99.4, window: 30d}}
rules:
  - {{name: shop-burning, service: demo-shop, objective: available, class: alert, owner: web, action: Roll back}}
  - {{name: shop-burning-slowly, service: demo-shop, objective: available, class: ticket, owner: web, due: 3d}}
  - {{name: items-slow, service: demo-shop, route: "GET /items/:id", signal: latency.p95, above: 140ms,
      clear_below: 120ms, window: 1m, hold: 15s, class: ticket, owner: web, due: 3d}}
  - {{name: route-errors, service: demo-shop, route: "*", signal: errors.ratio, above: 5%, window: 1m, class: record}}
  - {{name: quiet, service: demo-shop, signal: traffic, below: 0.01/s, window: 5m, class: record}}
outputs:
  alert: [{{name: pager, always: true, webhook: {{url: "{hook}", secret: {secret}}}}}]
  ticket: [{{name: tracker, webhook: {{url: "{hook}", secret: {secret}}}}}]
"#
    )
}

/// Nothing fails but the item pages of release 1.1, which runs for 85 seconds.
const STORY: &str = r#"{"first_burst_ms": 1000000000, "deploy_after_ms": 20000, "deploy_fails": 1.0,
    "rollback_after_ms": 105000, "leak_every_requests": 1000000}"#;
/// From the deploy to the alert, and from the roll-back to the end of it.
const STORY_TIME: Duration = Duration::from_secs(400);

/// A good hour before: without it nothing can be said of an hour.
async fn good_past(place: &Place) {
    let koshu = place.start().await;
    let now = jiff::Timestamp::now().as_second();
    let mut lines = String::new();
    for at in (now - 70 * 60..now).step_by(6) {
        let line = format!(
            r#"{{"time":{at},"method":"GET","uri":"/items/7","status":200,"request_time":0.03,"remote_addr":"192.0.2.1"}}"#
        );
        lines.push_str(&line);
        lines.push('\n');
    }
    assert_eq!(koshu.client().ingest("demo-shop", lines).await.unwrap().ok()["accepted"], 700);
    koshu.stop();
}

async fn firings(client: &Client, class: &str) -> Vec<Value> {
    let answer = client.get(&format!("/api/v1/firings?class={class}")).await.ok();
    answer["firings"].as_array().unwrap().clone()
}

/// How often each rule fired, by name.
type Times = BTreeMap<String, usize>;

/// Records are events of the lake, as is every other firing.
async fn times_in_lake(client: &Client) -> Times {
    let events = "SELECT name, attrs['class'] FROM events WHERE kind = 'firing' AND state = 'firing'";
    let mut times = Times::new();
    for row in client.sql(events).await {
        *times.entry(format!("{}: {}", row[1].as_str().unwrap(), row[0].as_str().unwrap())).or_default() += 1;
    }
    times
}

/// Waits until the bad deploy has been alerted of and taken back, and both firings have ended.
async fn the_story_ends(koshu: &Koshu) -> (Value, Value) {
    let client = koshu.client();
    until(STORY_TIME, "the alert and the ticket fire and end", async || {
        let (alerts, tickets) = (firings(client, "alert").await, firings(client, "ticket").await);
        assert!(alerts.len() <= 1 && tickets.len() <= 1, "{alerts:?}\n{tickets:?}");
        let (alert, ticket) = (alerts.first()?.clone(), tickets.first()?.clone());
        let ended = |firing: &Value| firing["state"] == "resolved";
        (ended(&alert) && ended(&ticket)).then_some((alert, ticket))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demonstrations_bad_deploy_makes_one_alert_and_one_ticket_and_its_replay_says_the_same() {
    // Seconds are compared: nothing else may load the machine.
    let _turn = heavy();
    let hook = Hook::start().await;
    let place = Place::new();
    place.configure(&watched(hook.url()));
    good_past(&place).await;
    let koshu = Start::new(&place).argument("--demo").environment("KOSHU_DEMO_SCENARIO", STORY).ready().await;
    let client = koshu.client();
    let (alert, ticket) = the_story_ends(&koshu).await;
    assert_eq!((&alert["rule"], &ticket["rule"]), (&json!("shop-burning"), &json!("items-slow")));
    for firing in [&alert, &ticket] {
        println!("{}: {} to {}, {}", firing["rule"], firing["started_at"], firing["resolved_at"], firing["value"]);
    }

    // Both were told once, and once again when they ended.
    let heard = until(Duration::from_secs(20), "the ends are told", async || {
        let heard = hook.heard().await;
        (heard.len() >= 4).then_some(heard)
    })
    .await;
    let mut told: Vec<String> = heard.iter().map(|(_, body)| said(body)).collect();
    told.sort();
    assert_eq!(told, ["items-slow fire", "items-slow resolve", "shop-burning fire", "shop-burning resolve"]);

    // The rest are records, and the deploys are there to compare with.
    let times = times_in_lake(client).await;
    assert_eq!((times["alert: shop-burning"], times["ticket: items-slow"]), (1, 1), "{times:?}");
    assert!(times["record: route-errors"] >= 1 && times.len() == 3, "{times:?}");
    let changes = client.get("/api/v1/changes?service=demo-shop").await.ok();
    let mut versions: Vec<&str> =
        changes["changes"].as_array().unwrap().iter().map(|change| change["version"].as_str().unwrap()).collect();
    versions.sort_unstable();
    assert_eq!(versions, ["1.0", "1.1"]);

    // The objective knows what was lost, and by which route.
    let objective = client.get("/api/v1/objectives/demo-shop/available").await.ok();
    assert_eq!(objective["routes"][0]["name"], "GET /items/:id", "{objective}");
    assert!(objective["left"].as_f64().unwrap() < 0.0, "the budget of a month is overspent: {objective}");

    // The same hour, gone through again.
    let replayed = until(Duration::from_mins(3), "the minute in which it ended is over", async || {
        let replayed = place.run(["rules", "replay", "--from", "90m", "-o", "json"]).json();
        let ended = replayed["firings"].as_array().unwrap().iter().all(|firing| firing["to"].is_string());
        ended.then_some(replayed)
    })
    .await;
    let mut again = Times::new();
    for firing in replayed["firings"].as_array().unwrap() {
        let (class, rule) = (firing["class"].as_str().unwrap(), firing["rule"].as_str().unwrap());
        *again.entry(format!("{class}: {rule}")).or_default() += 1;
    }
    assert_eq!((replayed["alerts"].as_u64(), replayed["tickets"].as_u64()), (Some(1), Some(1)), "{replayed}");
    assert_eq!(again.keys().collect::<Vec<_>>(), times.keys().collect::<Vec<_>>(), "{replayed}");
    for (rule, live) in [("shop-burning", &alert), ("items-slow", &ticket)] {
        let found = replayed["firings"].as_array().unwrap().iter().find(|firing| firing["rule"] == rule).unwrap();
        let moment = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
        // It knows whole minutes only, and of a hold the nearest number of them.
        let apart = moment(&found["from"]) - moment(&live["started_at"]);
        assert!((-45..=75).contains(&apart), "{rule}: {apart} s after it fired");
    }

    // Stricter rules over the same hour are compared with those in force.
    let other = place.path().join("other");
    std::fs::create_dir(&other).unwrap();
    let without_alert = watched(hook.url()).replace("class: alert, owner: web, action: Roll back", "class: record");
    std::fs::write(other.join("koshu.yaml"), format!("schema: 1\n{without_alert}")).unwrap();
    let id = alert["id"].as_str().unwrap();
    let outcome = json!({"outcome": "acted", "why": "rolled back"});
    assert_eq!(client.post(&format!("/api/v1/firings/{id}/outcome"), &outcome).await.status, 204);
    let compared = place.run(["rules", "replay", "--from", "90m", "-o", "json", "--config", other.to_str().unwrap()]);
    let compared = compared.json()["comparison"].clone();
    let want = json!({"alerts_before": 1, "alerts_after": 0, "alerts_fewer": 1, "incidents": 1, "missed": 1});
    assert_eq!(compared, want);

    // The month by three definitions.
    let report = place.run(["report", "month", "--service", "demo-shop", "-o", "json"]).json();
    let all = &report["with_maintenance"];
    for measure in ["time", "requests", "users"] {
        let (good, of) = (all[measure]["good"].as_u64().unwrap(), all[measure]["all"].as_u64().unwrap());
        assert!(good > 0 && good < of, "{measure}: {report}");
    }
    // Nothing is said of what has not been yet.
    let until: jiff::Timestamp = report["until"].as_str().unwrap().parse().unwrap();
    for worst in report["worst"].as_array().unwrap() {
        let from: jiff::Timestamp = worst["from"].as_str().unwrap().parse().unwrap();
        assert!(from.as_second() + worst["length_s"].as_i64().unwrap() <= until.as_second(), "{worst} {until}");
        assert!(worst["requests"].as_u64().unwrap() > 0, "{worst}");
    }
    assert!(report["disappointed"].as_u64().unwrap() > 0 && report["target_percent"] == json!(99.4), "{report}");
    // Every request that was counted is stored: no day lacks one, and somebody made them.
    assert_eq!(report["incomplete_days"], json!([]), "{report}");
    assert!(report["user_count"].as_u64() >= report["disappointed"].as_u64(), "{report}");
    let text = place.run(["report", "month", "--service", "demo-shop"]);
    assert!(text.code == 0 && text.stdout.starts_with("# ") && text.stdout.contains("demo-shop"), "{text:?}");
    koshu.stop();
}

fn said(webhook: &Value) -> String {
    let data = &webhook["data"];
    format!("{} {}", data["rule"].as_str().unwrap_or("?"), data["kind"].as_str().unwrap_or("?"))
}
