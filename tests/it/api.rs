//! Who may do what, and the answers that scripts rely on.

use e2e::{Client, Place, json_batch, json_line, until};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

async fn made_token(client: &Client, scope: &str) -> (String, String) {
    let made = client.post("/api/v1/tokens", &json!({"name": format!("for {scope}"), "scope": scope})).await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    (made["id"].as_str().unwrap().to_owned(), made["token"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn reading_takes_a_token_and_sending_is_open_only_until_there_is_one() {
    let place = Place::new();
    let koshu = place.start().await;
    let stranger = koshu.stranger();
    let read =
        ["services", "sources", "status", "overview", "logs", "logs/tail", "schema", "tokens", "changes", "listeners"];
    for path in read {
        let refused = stranger.get(&format!("/api/v1/{path}")).await;
        refused.problem(401);
        assert_eq!(refused.header("www-authenticate"), "Bearer", "{path}");
    }
    stranger.post("/api/v1/sql", &json!({"sql": "SELECT 1"})).await.problem(401);
    stranger.get("/metrics").await.problem(401);
    assert_eq!(stranger.get("/healthz").await.status, 200);

    assert_eq!(stranger.ingest("shop", json_batch("open", 3)).await.unwrap().ok()["accepted"], 3);
    let from_a_page = stranger.request(Method::POST, "/api/v1/ingest/shop").header("origin", "http://evil.example");
    Client::send(from_a_page.body(json_batch("page", 1))).await.problem(401);

    let (id, ingest) = made_token(koshu.client(), "ingest").await;
    stranger.ingest("shop", json_batch("late", 1)).await.unwrap().problem(401);
    let sender = stranger.with_token(&ingest);
    assert_eq!(sender.ingest("shop", json_batch("token", 2)).await.unwrap().ok()["accepted"], 2);
    let basic = stranger.request(Method::POST, "/api/v1/ingest/shop").basic_auth("anybody", Some(&ingest));
    assert_eq!(Client::send(basic.body(json_batch("basic", 1))).await.ok()["accepted"], 1);
    stranger.with_token("koshu_nonsense").ingest("shop", json_batch("wrong", 1)).await.unwrap().problem(401);
    assert_eq!(koshu.client().number("SELECT count(*) FROM requests").await, 6);

    assert_eq!(koshu.client().delete(&format!("/api/v1/tokens/{id}")).await.status, 204);
    sender.ingest("shop", json_batch("deleted", 1)).await.unwrap().problem(401);
}

#[tokio::test]
async fn a_token_can_do_what_its_scope_says_and_no_more() {
    let place = Place::new();
    let koshu = place.start().await;
    let stranger = koshu.stranger();
    let ingest = stranger.with_token(&made_token(koshu.client(), "ingest").await.1);
    let read = stranger.with_token(&made_token(koshu.client(), "read").await.1);
    ingest.get("/api/v1/services").await.problem(403);
    ingest.post("/api/v1/sql", &json!({"sql": "SELECT 1"})).await.problem(403);
    read.get("/api/v1/services").await.ok();
    read.ingest("shop", json_batch("x", 1)).await.unwrap().problem(403);
    read.get("/api/v1/tokens").await.problem(403);
    read.delete("/api/v1/services/shop").await.problem(403);
    read.post("/api/v1/tokens", &json!({"name": "more", "scope": "admin"})).await.problem(403);
    // A password takes a person.
    koshu.client().post("/api/v1/session/password", &json!({"password": "long enough for this"})).await.problem(403);
    let list = koshu.client().get("/api/v1/tokens").await.ok();
    let text = list.to_string();
    assert!(text.contains("\"prefix\":\"koshu_"), "{text}");

    let command = place.run(["token", "create", "--name", "cli", "--scope", "read", "-o", "json"]).json();
    let token = command["token"].as_str().unwrap_or_else(|| panic!("no token: {command}"));
    stranger.with_token(token).get("/api/v1/services").await.ok();
}

const PASSWORD: &str = "correct horse battery staple";

/// Signs in with the one-time link; returns the cookie.
async fn enter(koshu: &e2e::Koshu) -> String {
    let link = koshu.welcome_link();
    let secret = link.rsplit('/').next().unwrap().to_owned();
    let stranger = koshu.stranger();
    let entered = stranger.post("/api/v1/session/link", &json!({"secret": secret})).await;
    entered.ok();
    stranger.post("/api/v1/session/link", &json!({"secret": secret})).await.problem(401);
    let cookie = entered.header("set-cookie").to_owned();
    for word in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_session_starts_with_the_link_and_then_takes_the_password() {
    let place = Place::new();
    let koshu = place.start().await;
    let stranger = koshu.stranger();
    let cookie = enter(&koshu).await;
    let with = |method, path: &str, origin: Option<&str>| {
        let request = stranger.request(method, path).header("cookie", &cookie);
        match origin {
            Some(origin) => request.header("origin", origin),
            None => request,
        }
    };
    let session = Client::send(with(Method::GET, "/api/v1/session", None)).await.ok();
    assert_eq!(
        (&session["signed_in"], &session["user"], &session["password_set"]),
        (&json!(true), &json!("admin"), &json!(false))
    );
    Client::send(with(Method::GET, "/api/v1/services", None)).await.ok();

    // What changes something must come from our own pages.
    let change = json!({"kind": "deploy", "title": "x"});
    for origin in [None, Some("http://evil.example"), Some("null")] {
        Client::send(with(Method::POST, "/api/v1/changes", origin).json(&change)).await.problem(403);
        Client::send(with(Method::DELETE, "/api/v1/session", origin)).await.problem(403);
    }
    let own = Some(koshu.url());
    assert_eq!(Client::send(with(Method::POST, "/api/v1/changes", own).json(&change)).await.status, 201);

    let set = |password: &str| with(Method::POST, "/api/v1/session/password", own).json(&json!({"password": password}));
    Client::send(set("short")).await.problem(400);
    assert_eq!(Client::send(set(PASSWORD)).await.status, 204);
    let sign_in = |password: &str| json!({"user": "admin", "password": password});
    stranger.post("/api/v1/session", &sign_in("not this one at all")).await.problem(401);
    let entered = stranger.post("/api/v1/session", &sign_in(PASSWORD)).await;
    entered.ok();
    assert_eq!(Client::send(with(Method::DELETE, "/api/v1/session", own)).await.status, 204);
    Client::send(with(Method::GET, "/api/v1/services", None)).await.problem(401);

    let mut last = None;
    for _ in 0..8 {
        last = Some(stranger.post("/api/v1/session", &sign_in("wrong again and again")).await);
        if last.as_ref().is_some_and(|answer| answer.status == 429) {
            break;
        }
    }
    let last = last.unwrap();
    last.problem(429);
    assert!(last.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0), "{last:?}");
    let stored = std::fs::read(place.data().join("admin.token")).unwrap();
    assert!(!stored.is_empty());
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(place.data().join("admin.token")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the administrator's token is for its owner alone");
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_protect_a_browser() {
    let place = Place::new();
    let koshu = place.start().await;
    for path in ["/", "/explorer", "/api/v1/session", "/api/v1/services", "/healthz"] {
        let answer = koshu.stranger().get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'self'") && policy.contains("script-src 'self'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
    }
    let page = koshu.stranger().get("/").await;
    assert_eq!(page.status, 200, "the pages are built in: {page:?}");
    assert!(!page.text.contains("onclick=") && !page.text.contains("<script>"), "no inline script: {}", page.text);
    koshu.stranger().get("/api/v1/no/such/thing").await.problem(404);

    let document = koshu.stranger().get("/api/openapi.json").await.ok();
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.")), "{document}");
    assert!(document["components"]["schemas"].as_object().is_some_and(|schemas| schemas.len() > 10));
    let listeners = koshu.client().get("/api/v1/listeners").await.ok();
    assert_eq!(format!("http://{}", listeners["http"].as_str().unwrap()), koshu.url());
    let file: Value = serde_json::from_slice(&std::fs::read(place.data().join("listeners.json")).unwrap()).unwrap();
    assert_eq!(file, listeners);
}

#[tokio::test]
async fn a_deploy_marker_is_listed_and_a_service_can_be_deleted() {
    let place = Place::new();
    let koshu = place.start().await;
    let client = koshu.client();
    for service in ["shop", "blog"] {
        assert_eq!(client.ingest(service, json_batch(service, 30)).await.unwrap().ok()["accepted"], 30);
    }
    let marker = json!({"kind": "deploy", "service": "shop", "title": "Version 7", "version": "7", "url": "https://ci.example/7"});
    assert_eq!(client.post("/api/v1/changes", &marker).await.status, 201);
    let changes = client.get("/api/v1/changes?service=shop").await.ok();
    assert!(changes["changes"].as_array().unwrap().iter().any(|change| change["title"] == "Version 7"), "{changes}");
    client.post("/api/v1/changes", &json!({"kind": "party", "title": "x"})).await.problem(400);

    assert_eq!(client.delete("/api/v1/services/shop").await.status, 202);
    until(Duration::from_secs(30), "the service is gone", async || {
        let rows = client.sql("SELECT service, count(*) FROM requests GROUP BY 1").await;
        (rows == [[json!("blog"), json!(30)]]).then_some(())
    })
    .await;
    let listed = client.get("/api/v1/services").await.ok();
    let names: Vec<_> = listed["services"].as_array().unwrap().iter().map(|service| service["name"].clone()).collect();
    assert_eq!(names, [json!("blog")]);
    let page = client.get("/api/v1/services/shop/requests").await;
    assert!(page.status == 404 || page.json()["total"]["count"] == 0, "{page:?}");
    koshu.stop();
    let koshu = place.start().await;
    assert_eq!(koshu.client().number("SELECT count(*) FROM requests").await, 30, "after a restart, too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_live_tail_sends_the_rows_that_match() {
    let place = Place::new();
    let koshu = place.start().await;
    let request = koshu.client().request(Method::GET, "/api/v1/logs/tail?service=shop&q=status%3E%3D500");
    let mut events = request.send().await.unwrap();
    assert_eq!(events.status(), 200);
    assert!(events.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
    let lines = [json_line("other-status", "/a", 200, 0.1), json_line("wanted-row", "/b?token=s3cret", 503, 0.25)];
    koshu.client().ingest("blog", json_line("other-service", "/c", 500, 0.1)).await.unwrap().ok();
    koshu.client().ingest("shop", lines.join("\n")).await.unwrap().ok();
    let mut text = String::new();
    while !text.contains("\n\n") || !text.contains("event: row") {
        let piece =
            tokio::time::timeout(Duration::from_secs(15), events.chunk()).await.expect("an event comes").unwrap();
        text.push_str(std::str::from_utf8(&piece.expect("the stream stays open")).unwrap());
    }
    let data = text.lines().find_map(|line| line.strip_prefix("data: ").or(line.strip_prefix("data:"))).unwrap();
    let row: Value = serde_json::from_str(data).unwrap();
    assert_eq!((&row["trace_id"], &row["status"], &row["path"]), (&json!("wanted-row"), &json!(503), &json!("/b")));
    assert_eq!(row["duration_ms"], json!(250.0));
    assert!(!text.contains("other-") && !text.contains("s3cret"), "{text}");
}

#[tokio::test]
async fn a_row_is_found_by_filter_and_shown_with_its_neighbours() {
    let place = Place::new();
    let koshu = place.start().await;
    let client = koshu.client();
    let lines: Vec<_> = (0..250)
        .map(|at| json_line(&format!("id-{at:03}"), &format!("/cart/{at}"), if at % 100 == 7 { 500 } else { 200 }, 1.5))
        .collect();
    client.ingest("shop", lines.join("\n")).await.unwrap().ok();
    for (filter, want) in [
        ("status%3E%3D500", 3),
        ("status%3E%3D500%20route%3A%22GET%20%2Fcart%2F%3Aid%22%20duration%3E1s", 3),
        ("trace%3Aid-042", 1),
        ("-status%3A200", 3),
        ("duration%3E2s", 0),
    ] {
        let page = client.get(&format!("/api/v1/logs?service=shop&q={filter}")).await.ok();
        assert_eq!(page["rows"].as_array().unwrap().len(), want, "{filter}: {page}");
    }
    let wrong = client.get("/api/v1/logs?q=status%3E%3E5").await;
    wrong.problem(400);
    assert!(wrong.json()["position"].is_u64(), "{wrong:?}");

    let mut seen = std::collections::BTreeSet::new();
    let mut cursor = None;
    for _ in 0..10 {
        let page = client.request(Method::GET, "/api/v1/logs").query(&[("service", "shop"), ("limit", "60")]);
        let page = Client::send(page.query(&[("cursor", cursor)])).await.ok();
        for row in page["rows"].as_array().unwrap() {
            assert!(seen.insert(row["trace_id"].to_string()), "twice: {row}");
        }
        cursor = page["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 250, "page by page every row once");
}

#[tokio::test]
async fn a_proxy_in_front_neither_opens_the_door_nor_breaks_the_pages() {
    let place = Place::new();
    let koshu = place.start().await;
    let stranger = koshu.stranger();
    for (name, value) in [("x-forwarded-for", "192.0.2.7"), ("x-real-ip", "192.0.2.7"), ("host", "koshu.example")] {
        let request = stranger.request(Method::POST, "/api/v1/ingest/shop").header(name, value);
        Client::send(request.body(json_batch("proxied", 1))).await.problem(401);
    }
    let cookie = enter(&koshu).await;
    let page = stranger.request(Method::GET, "/api/v1/services").header("cookie", cookie);
    Client::send(page.basic_auth("proxy", Some("a password of the proxy"))).await.ok();
    let nobody = stranger.request(Method::GET, "/api/v1/services").basic_auth("a", Some("koshu_nonsense"));
    Client::send(nobody).await.problem(401);
}

#[tokio::test]
async fn a_service_of_long_ago_is_still_there_after_a_restart_and_its_files_can_be_imported_again() {
    let place = Place::new();
    let koshu = place.start().await;
    let line = r#"192.0.2.9 - - [17/May/2015:10:05:03 +0000] "GET /items/42 HTTP/1.1" 200 12 "-" "curl""#;
    let log = place.path().join("old.log");
    std::fs::write(&log, format!("{line}\n").repeat(30)).unwrap();
    let import = |service: &str| {
        let ran = place.run(["import", "--service", service, "-o", "json", log.to_str().unwrap()]);
        ran.json()["files"][0]["parsed"].clone()
    };
    assert_eq!((import("old"), import("old"), import("other")), (json!(30), json!(0), json!(30)));
    let metrics = koshu.client().get("/metrics").await.text;
    let mut series: Vec<&str> = metrics
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .map(|l| l.0)
        .collect();
    let all = series.len();
    series.sort_unstable();
    series.dedup();
    assert_eq!(series.len(), all, "no series twice: {metrics}");
    assert!(metrics.contains("kind=\"import\""), "{metrics}");
    let listeners = koshu.data().join("listeners.json");
    assert!(listeners.exists());
    koshu.stop();
    assert!(!listeners.exists(), "nobody listens there any more");

    let koshu = place.start().await;
    let client = koshu.client();
    let services = client.get("/api/v1/services").await.ok();
    let names: Vec<&str> =
        services["services"].as_array().unwrap().iter().map(|service| service["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["old", "other"]);
    assert_eq!(client.delete("/api/v1/services/old").await.status, 202);
    until(Duration::from_secs(20), "the service is gone", async || {
        (client.number("SELECT count(*) FROM requests WHERE service = 'old'").await == 0).then_some(())
    })
    .await;
    let again = async || (import("old") == json!(30)).then_some(());
    until(Duration::from_secs(20), "its file is imported again", again).await;
}
