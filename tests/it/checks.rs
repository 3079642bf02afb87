//! External checks of the built server: a scenario against a real nginx, a job that falls silent, a network that is cut,
//! and ten thousand of them.

use e2e::{Client, Koshu, Place, heavy, missing, ran, tool, until};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(30);

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// An nginx with a form to sign in, whose page is there while a file is.
struct Shop {
    master: Child,
    url: String,
    open: PathBuf,
    log: PathBuf,
}

impl Shop {
    async fn start(place: &Place, program: &Path) -> Self {
        let prefix = place.path().join("nginx");
        std::fs::create_dir_all(prefix.join("pages")).unwrap();
        let (port, at) = (free_port(), prefix.display().to_string());
        let open = prefix.join("pages/home");
        std::fs::write(&open, "welcome back").unwrap();
        let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
        let conf = format!(
            "{user} daemon off; worker_processes 1; pid {at}/nginx.pid; error_log {at}/error.log; events {{}}\n\
             http {{\n\
             client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/fastcgi;\n\
             uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;\n\
             server {{ listen 127.0.0.1:{port}; root {at}/pages; access_log {at}/access.log combined;\n\
             location = /login {{\n\
               add_header Set-Cookie 'sid=s-1; Path=/; HttpOnly';\n\
               default_type application/json;\n\
               return 200 '{{\"csrf\": \"t-42\"}}';\n\
             }}\n\
             location = /session {{\n\
               if ($cookie_sid != 's-1') {{ return 403; }}\n\
               if ($http_x_csrf != 't-42') {{ return 403; }}\n\
               add_header Set-Cookie 'sid=s-2; Path=/';\n\
               return 302 /home;\n\
             }}\n\
             location = /home {{ if ($cookie_sid != 's-2') {{ return 403; }} default_type text/plain; }}\n\
             location /items/ {{ return 200 item; }}\n\
             }} }}\n"
        );
        let path = prefix.join("nginx.conf");
        std::fs::write(&path, conf).unwrap();
        let mut command = Command::new(program);
        command.arg("-p").arg(&prefix).arg("-c").arg(&path).stdin(Stdio::null()).stderr(Stdio::null());
        let master = command.spawn().unwrap();
        until(Duration::from_secs(10), "nginx answers", async || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok().then_some(())
        })
        .await;
        Self { master, url: format!("http://127.0.0.1:{port}"), open, log: prefix.join("access.log") }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.master);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.master.wait();
    }
}

async fn run(koshu: &Koshu, name: &str) -> Value {
    koshu.client().post(&format!("/api/v1/checks/{name}/run"), &json!({})).await.ok()
}

async fn show(koshu: &Koshu, name: &str) -> Value {
    koshu.client().get(&format!("/api/v1/checks/{name}")).await.ok()
}

/// Waits until a check stands somewhere, and returns it.
async fn stands(koshu: &Koshu, name: &str, status: &str) -> Value {
    until(SOON, &format!("{name} is {status}"), async || {
        let check = show(koshu, name).await;
        (check["status"] == status).then_some(check)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scenario_signs_in_fails_with_its_shop_and_recovers_and_shows_what_nobody_checks() {
    let Some(program) = tool("nginx") else { return };
    let place = Place::new();
    let shop = Shop::start(&place, &program).await;
    let url = &shop.url;
    place.configure(&format!(
        "services:\n  shop: {{logs: [{}]}}\nchecks:\n  buy:\n    service: shop\n    every: 1h\n    retries: 0\n    steps:\n      \
         - {{get: \"{url}/login\", save: {{csrf: \"$.csrf\"}}, expect: {{status: 200, header: {{content-type: application/json}}}}}}\n      \
         - {{post: \"{url}/session\", headers: {{x-csrf: \"{{{{csrf}}}}\"}}, body: \"\", follow: 1, expect: {{status: 200, contains: welcome}}}}\n",
        shop.log.display()
    ));
    let koshu = place.start().await;
    // The first scheduled run comes by itself, the others on demand.
    let good = run(&koshu, "buy").await;
    assert_eq!((&good["status"], &good["step"], &good["why"]), (&json!("ok"), &json!(null), &json!(null)), "{good}");
    let steps = good["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 2);
    for step in steps {
        for phase in ["connect_us", "first_byte_us", "total_us"] {
            assert!(step[phase].as_u64().is_some_and(|us| us > 0), "{phase}: {step}");
        }
        assert_eq!(step["tls_us"], json!(null));
    }
    assert_eq!(steps[1]["name"], format!("POST {url}/session"));

    // The page goes, the check fails at its second step and says what came; the page is back, so is the check.
    std::fs::remove_file(&shop.open).unwrap();
    let bad = run(&koshu, "buy").await;
    assert_eq!(
        (&bad["status"], &bad["step"], &bad["why"]["code"]),
        (&json!("failed"), &json!(1), &json!("status")),
        "{bad}"
    );
    assert_eq!(bad["why"]["text"], "expected status 200, got 404");
    let listed = koshu.client().get("/api/v1/checks?status=failed").await.ok();
    assert_eq!((&listed["total"], &listed["counts"]["failed"]), (&json!(1), &json!(1)), "{listed}");
    assert_eq!(listed["checks"][0]["why"]["text"], "expected status 200, got 404");
    std::fs::write(&shop.open, "welcome back").unwrap();
    assert_eq!(run(&koshu, "buy").await["status"], "ok");
    let check = show(&koshu, "buy").await;
    assert_eq!(
        (&check["status"], &check["why"], &check["last_bad"]["step"]),
        (&json!("ok"), &json!(null), &json!(1)),
        "{check}"
    );
    let mut history: Vec<&str> =
        check["history"].as_array().unwrap().iter().map(|brief| brief["status"].as_str().unwrap()).collect();
    history.dedup();
    assert_eq!(history.iter().filter(|status| **status == "failed").count(), 1, "{check}");
    assert_eq!(check["minutes"].as_str().unwrap().len(), 1440);
    assert!(check["uptime"]["failed"].as_u64().unwrap() >= 1, "{check}");

    // What was found is in the lake, with its phases.
    let rows = until(SOON, "the results are in the lake", async || {
        let sql = "SELECT state, service, attrs['why'], attrs['step'], CAST(attrs['steps.0.first_byte_us'] AS BIGINT) > 0 \
                   FROM events WHERE kind = 'check' AND name = 'buy' ORDER BY ts";
        let rows = koshu.client().sql(sql).await;
        (rows.iter().filter(|row| row[0] == "ok").count() >= 2).then_some(rows)
    })
    .await;
    let failed: Vec<_> = rows.iter().filter(|row| row[0] == "failed").collect();
    let want = vec![json!("failed"), json!("shop"), json!("expected status 200, got 404"), json!("1"), json!(true)];
    // A run by schedule may have seen it too.
    assert!(!failed.is_empty() && failed.iter().all(|row| **row == want), "{failed:?}");

    // Real people also look at items, which no check does.
    let people = Client::new(url.clone(), None);
    for item in 0..5 {
        assert_eq!(people.get(&format!("/items/{item}")).await.status, 200);
    }
    let coverage = until(SOON, "the traffic is there", async || {
        let coverage = koshu.client().get("/api/v1/coverage?service=shop").await.ok();
        let items =
            coverage["uncovered"].as_array()?.iter().any(|row| row["route"] == "GET /items/:id" && row["count"] == 5);
        items.then_some(coverage)
    })
    .await;
    let covered =
        |route: &str| coverage["covered"].as_array().unwrap().iter().find(|row| row["route"] == route).cloned();
    assert_eq!(covered("GET /login").unwrap()["covered_by"], json!([{"check": "buy", "step": 0}]), "{coverage}");
    assert_eq!(covered("POST /session").unwrap()["covered_by"], json!([{"check": "buy", "step": 1}]), "{coverage}");
    assert!(coverage["share_covered"].as_f64().is_some_and(|share| share > 0.0 && share < 1.0), "{coverage}");

    // A restart knows what was bad.
    koshu.stop();
    let koshu = place.start().await;
    until(SOON, "the past is known again", async || {
        (show(&koshu, "buy").await["uptime"]["failed"].as_u64()? >= 1).then_some(())
    })
    .await;
    let reader = koshu.client().post("/api/v1/tokens", &json!({"name": "r", "scope": "read"})).await.ok();
    let reader = koshu.client().with_token(reader["token"].as_str().unwrap());
    reader.post("/api/v1/checks/buy/run", &json!({})).await.problem(403);
    assert_eq!(reader.get("/api/v1/checks").await.status, 200);
    koshu.stranger().get("/api/v1/checks").await.problem(401);
    assert!(koshu.client().get("/api/v1/checks/sell").await.problem(404).contains("sell"));
    koshu.client().get("/api/v1/checks?status=bad").await.problem(400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_falls_silent_is_missing_and_a_restart_accuses_nobody() {
    let place = Place::new();
    place.configure(
        "checks:\n  backup: {heartbeat: nightly, every: 1s, grace: 2s}\n  weekly: {heartbeat: w-1, every: 1w}\n",
    );
    let koshu = place.start().await;
    let ping = async |koshu: &Koshu, path: &str| {
        let answer = koshu.client().get(&format!("/ping/{path}")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    assert_eq!(show(&koshu, "weekly").await["status"], "pending");
    ping(&koshu, "w-1").await;
    ping(&koshu, "nightly").await;
    let missing = stands(&koshu, "backup", "failed").await;
    assert_eq!(
        (&missing["why"]["code"], &missing["heartbeat"]["phase"]),
        (&json!("job_missing"), &json!("missing")),
        "{missing}"
    );
    ping(&koshu, "nightly/3").await;
    assert_eq!(show(&koshu, "backup").await["heartbeat"]["phase"], "failed");
    ping(&koshu, "nightly").await;
    assert_eq!(show(&koshu, "backup").await["status"], "ok");
    koshu.stop();
    // Longer than the job has: nobody listened meanwhile.
    let koshu = place.start().await;
    let weekly = stands(&koshu, "weekly", "ok").await;
    assert!(weekly["heartbeat"]["last_end"].is_string(), "the ping before the restart counts: {weekly}");
    stands(&koshu, "backup", "failed").await;
    let sql = "SELECT state, attrs['why.code'] FROM events WHERE kind = 'check' AND name = 'backup' ORDER BY ts";
    let rows = until(SOON, "its states are in the lake", async || {
        let rows = koshu.client().sql(sql).await;
        (rows.iter().filter(|row| row[1] == "job_missing").count() >= 2).then_some(rows)
    })
    .await;
    let states: Vec<&str> = rows.iter().map(|row| row[0].as_str().unwrap()).collect();
    assert!(states.starts_with(&["ok"]) && states.contains(&"late"), "{states:?}");
    // Between the last good state before the restart and the next failure stands no accusation without a wait.
    let second = rows.iter().rposition(|row| row[1] == "job_missing").unwrap();
    assert!(rows[second - 1][0] != "failed", "{rows:?}");
}

/// A network of its own behind a pair of virtual cables, with two addresses. Goes away with this value.
struct Cut {
    name: String,
    near: String,
}

impl Cut {
    /// `None` where that is not allowed (which was said).
    fn new() -> Option<Self> {
        let program = tool("ip")?;
        if !rustix::process::geteuid().is_root() {
            missing("network namespaces need root");
            return None;
        }
        let id = std::process::id();
        let cut = Self { name: format!("koshu-{id}"), near: format!("kv{id}") };
        if !Command::new(program).args(["netns", "add", &cut.name]).stderr(Stdio::null()).status().unwrap().success() {
            missing("network namespaces are not allowed here");
            std::mem::forget(cut);
            return None;
        }
        let far = format!("kw{id}");
        // With the cable out, nothing may leave this machine by another way.
        ip("route add unreachable 198.18.77.0/24 metric 4000");
        ip(&format!("link add {} type veth peer name {far} netns {}", cut.near, cut.name));
        ip(&format!("addr add 198.18.77.1/24 dev {}", cut.near));
        ip(&format!("link set {} up", cut.near));
        for address in ["198.18.77.2", "198.18.77.3"] {
            ip(&format!("-n {} addr add {address}/24 dev {far}", cut.name));
        }
        ip(&format!("-n {} link set {far} up", cut.name));
        ip(&format!("-n {} link set lo up", cut.name));
        Some(cut)
    }

    /// Whether the cable is in.
    fn plug(&self, is_in: bool) {
        ip(&format!("link set {} {}", self.near, if is_in { "up" } else { "down" }));
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        // With the network go its cable and whatever listens in it has ended before.
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
        let route = ["route", "del", "unreachable", "198.18.77.0/24", "metric", "4000"];
        let _ = Command::new("ip").args(route).status();
    }
}

fn ip(arguments: &str) {
    ran(Command::new("ip").args(arguments.split_whitespace()));
}

/// A server in the network of its own.
struct Far(Child);

impl Far {
    fn start(cut: &Cut, address: &str, folder: &Path) -> Self {
        let arguments = ["netns", "exec", &cut.name, "python3", "-m", "http.server", "8080", "--bind", address];
        let child =
            Command::new("ip").args(arguments).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self(child.unwrap())
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        // `ip netns exec` becomes the program by exec.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_that_lost_its_own_network_says_unknown_and_one_whose_target_is_gone_says_failed() {
    let Some(cut) = Cut::new() else { return };
    let place = Place::new();
    let _far = ["198.18.77.2", "198.18.77.3"].map(|address| Far::start(&cut, address, &place.root()));
    place.configure(
        "server: {checks: {gateway: 198.18.77.2}}\nchecks:\n  \
         buy: {every: 1h, timeout: 2s, retries: 0, steps: [{get: \"http://198.18.77.3:8080/\", expect: {status: 200}}]}\n  \
         port: {every: 1h, timeout: 2s, retries: 0, tcp: \"198.18.77.2:8080\"}\n",
    );
    let koshu = place.start().await;
    for name in ["buy", "port"] {
        until(SOON, &format!("{name} is good"), async || (run(&koshu, name).await["status"] == "ok").then_some(()))
            .await;
    }
    cut.plug(false);
    let unknown = until(SOON, "buy is unknown", async || {
        let run = run(&koshu, "buy").await;
        assert_ne!(run["status"], "failed", "the target is not to blame: {run}");
        (run["status"] == "unknown").then_some(run)
    })
    .await;
    assert_eq!(unknown["why"]["code"], "connect", "{unknown}");
    let tried: Vec<&str> =
        unknown["evidence"].as_array().unwrap().iter().map(|evidence| evidence["tried"].as_str().unwrap()).collect();
    assert_eq!(tried, ["gateway 198.18.77.2", "target of check port (198.18.77.2:8080)"], "{unknown}");
    let listed = koshu.client().get("/api/v1/checks").await.ok();
    assert_eq!(listed["counts"]["failed"], json!(0), "{listed}");
    assert!(listed["counts"]["unknown"].as_u64().unwrap() >= 1, "{listed}");
    let minute = show(&koshu, "buy").await["uptime"].clone();
    assert_eq!(minute["failed"], json!(0), "what can't be said is no bad minute: {minute}");

    // The cable is back, and one of the two machines is gone: now that is the target's.
    cut.plug(true);
    ip(&format!("-n {} addr del 198.18.77.3/24 dev kw{}", cut.name, std::process::id()));
    until(SOON, "port is good again", async || (run(&koshu, "port").await["status"] == "ok").then_some(())).await;
    // A look at the network is good for five seconds.
    let failed = until(SOON, "buy fails", async || {
        let run = run(&koshu, "buy").await;
        (run["status"] == "failed").then_some(run)
    })
    .await;
    assert_eq!((&failed["why"]["code"], &failed["evidence"]), (&json!("connect"), &json!([])), "{failed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_checks_run_and_are_listed_at_once() {
    const CHECKS: usize = 10_000;
    let _turn = heavy();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = listener.local_addr().unwrap();
    let accepting = tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let place = Place::new();
    place.configure("");
    for part in 0..10 {
        let mut yaml = "checks:\n".to_owned();
        for at in (0..CHECKS).skip(part).step_by(10) {
            writeln!(yaml, "  c{at:05}: {{tcp: \"{target}\", every: 15s, service: s{}}}", at % 7).unwrap();
        }
        std::fs::write(place.path().join(format!("config/part{part}.yaml")), yaml).unwrap();
    }
    let koshu = place.start().await;
    until(Duration::from_secs(90), "every check ran", async || {
        let listed = koshu.client().get("/api/v1/checks?limit=1").await.ok();
        assert_eq!(listed["total"], json!(CHECKS));
        (listed["counts"]["ok"] == json!(CHECKS)).then_some(())
    })
    .await;
    let mut fastest = Duration::MAX;
    for page in ["", "?limit=100&cursor=5000", "?service=s3&q=c00", "?status=ok"] {
        for _ in 0..5 {
            let begin = Instant::now();
            let listed = koshu.client().get(&format!("/api/v1/checks{page}")).await.ok();
            fastest = fastest.min(begin.elapsed());
            assert!(!listed["checks"].as_array().unwrap().is_empty());
        }
        eprintln!("/api/v1/checks{page}: {fastest:?}");
        assert!(fastest < Duration::from_millis(200), "{page} takes {fastest:?}");
        fastest = Duration::MAX;
    }
    let first = koshu.client().get("/api/v1/checks?limit=600").await.ok();
    let second = koshu
        .client()
        .get(&format!("/api/v1/checks?limit=600&cursor={}", first["next_cursor"].as_str().unwrap()))
        .await
        .ok();
    assert_eq!((&first["checks"][599]["name"], &second["checks"][0]["name"]), (&json!("c00599"), &json!("c00600")));
    koshu.stop();
    accepting.abort();
}
