//! What the sources page offers to copy is given to the programs that it is for, as it is printed, and what arrives is
//! checked; where no such program can be installed here, its configuration is at least read.
//!
//! Once there is a token, `YOUR_INGEST_TOKEN` stands wherever one goes: filling it in is all that a person has to do.

use super::programs::{Rsyslog, Running, folder, nginx};
use super::prometheus::{Home, SOON};
use super::tokens::made_token;
use super::{assert_rows, limited, node, python_sends, rows, said, script, stored};
use crate::listeners::{address, start};
use e2e::{Koshu, Place, missing, python, ran, target, tool, until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Stands for a token.
const PLACEHOLDER: &str = "YOUR_INGEST_TOKEN";

/// Every snippet by its key, and how often a token of a sender goes into it.
const ALL: [(&str, usize); 26] = [
    ("agent", 0),
    ("agent-systemd", 0),
    ("alertmanager", 1),
    ("alloy", 1),
    ("curl-lines", 1),
    ("curl-record", 1),
    ("deploy", 1),
    ("filebeat", 1),
    ("fluent-bit", 0),
    ("fluentd", 0),
    ("github-actions", 0),
    ("github-webhook", 0),
    ("heartbeat", 1),
    ("nginx-json", 0),
    ("nginx-syslog", 0),
    ("otel-collector", 1),
    ("otel-sdk", 1),
    ("past-logs", 0),
    ("prometheus", 2),
    ("prometheus-scrape", 0),
    ("promtail", 1),
    ("rsyslog", 0),
    ("scrape", 0),
    ("sentry", 1),
    ("statsd", 0),
    ("vector", 1),
];

/// A server, and its snippets as a person copies them: with a token filled in, if there is one.
struct Offered {
    koshu: Koshu,
    token: Option<String>,
    texts: BTreeMap<String, String>,
    place: Place,
}

impl Offered {
    async fn by(place: Place, with_token: bool) -> Self {
        let koshu = start(&place).await;
        let token = if with_token { Some(made_token(&koshu, "ingest").await) } else { None };
        let mut texts = BTreeMap::new();
        for (title, text) in printed(&koshu).await {
            texts.insert(title, text.replace(PLACEHOLDER, token.as_deref().unwrap_or(PLACEHOLDER)));
        }
        Self { koshu, token, texts, place }
    }

    /// Before there is a token, and after.
    async fn both() -> [Self; 2] {
        [Self::by(Place::new(), false).await, Self::by(Place::new(), true).await]
    }

    fn text(&self, title: &str) -> &str {
        self.texts.get(title).unwrap_or_else(|| panic!("no {title} among {:?}", self.texts.keys()))
    }

    fn http(&self) -> &str {
        self.koshu.url().strip_prefix("http://").unwrap()
    }

    /// Runs what a person would paste into a shell, in the place's folder and with the programs of its `bin` first.
    fn shell(&self, text: &str) -> Command {
        let mut command = limited(Path::new("sh"));
        let path = std::env::var("PATH").unwrap();
        let bin = self.place.path().join("bin");
        command.args(["-eu", "-c", text]).current_dir(self.place.path());
        command.env("PATH", format!("{}:{path}", bin.display())).env("HOME", self.place.path());
        command
    }

    /// A configuration as its program reads it.
    fn read(&self, form: &str, title: &str) -> Option<Value> {
        let file = self.place.path().join("snippet");
        std::fs::write(&file, self.text(title)).unwrap();
        python_sends(super::Packages::Newest, "read_config", &[form, &file.display().to_string()])
    }
}

async fn printed(koshu: &Koshu) -> Vec<(String, String)> {
    let sources = koshu.client().get("/api/v1/sources").await.ok();
    let text = |snippet: &Value, name: &str| snippet[name].as_str().unwrap().to_owned();
    let snippets = sources["snippets"].as_array().unwrap();
    snippets.iter().map(|snippet| (text(snippet, "key"), text(snippet, "text"))).collect()
}

#[tokio::test]
async fn every_snippet_has_a_place_for_a_token_once_there_is_one_and_only_then() {
    let place = Place::new();
    let koshu = start(&place).await;
    let counts = |printed: Vec<(String, String)>| -> BTreeMap<String, usize> {
        printed.into_iter().map(|(title, text)| (title, text.matches(PLACEHOLDER).count())).collect()
    };
    let want = |with_token: bool| -> BTreeMap<String, usize> {
        ALL.iter().map(|(title, count)| ((*title).to_owned(), if with_token { *count } else { 0 })).collect()
    };
    assert_eq!(counts(printed(&koshu).await), want(false));
    made_token(&koshu, "ingest").await;
    assert_eq!(counts(printed(&koshu).await), want(true), "a new snippet also needs a test below");
}

#[tokio::test]
async fn snippets_for_a_shell_do_what_they_say() {
    let Some(_) = tool("curl") else { return };
    for offered in Offered::both().await {
        let (place, client) = (&offered.place, offered.koshu.client());
        let line = |at: u32| {
            format!(
                "192.0.2.7 - - [03/Feb/2026:04:05:0{at} +0000] \"GET /items/{at} HTTP/1.1\" 200 512 \"-\" \"curl/8\"\n"
            )
        };
        std::fs::write(place.path().join("access.log"), [line(1), line(2), line(3)].concat()).unwrap();
        program(&folder(place, "bin").join("nightly-backup"), "exit 3");

        let begin = jiff::Timestamp::now();
        for title in ["curl-record", "curl-lines"] {
            let stored = said(&mut offered.shell(offered.text(title)));
            let accepted = if title == "curl-record" { 1 } else { 3 };
            assert_eq!((&stored["accepted"], &stored["rejected"]), (&json!(accepted), &json!(0)), "{title}: {stored}");
        }
        let sql = "SELECT ts, service, method, route, path, status, duration_us, bytes FROM requests ORDER BY ts";
        let mut want: Vec<Value> = (1..=3)
            .map(|at| {
                json!({"ts": format!("2026-02-03T04:05:0{at}Z"), "service": "shop", "method": "GET",
                    "route": "GET /items/:id", "path": format!("/items/{at}"), "status": 200, "duration_us": null,
                    "bytes": 512})
            })
            .collect();
        let found = rows(client, sql).await;
        let ts: jiff::Timestamp = found[3]["ts"].as_str().unwrap().parse().unwrap();
        assert!(begin.as_second() <= ts.as_second() && ts <= jiff::Timestamp::now(), "{begin} {ts}");
        want.push(json!({"ts": found[3]["ts"], "service": "shop", "method": "GET", "route": "GET /", "path": "/",
            "status": 200, "duration_us": 12_000, "bytes": null}));
        assert_rows(&found, &want, "requests");

        // The job failed: what follows it runs all the same, as in a line of cron.
        let line = offered.text("heartbeat").strip_prefix("0 3 * * * /usr/local/bin/backup;").unwrap();
        let mut shell = offered.shell(&format!("set +e\nnightly-backup;{line}"));
        assert_eq!(String::from_utf8_lossy(&ran(&mut shell).stdout), "OK");
        let want = json!({"kind": "heartbeat", "name": "nightly-backup", "state": "fail", "code": "3"});
        let sql = "SELECT kind, name, state, attrs['exit_code'] AS code FROM events";
        assert_rows(&rows(client, sql).await, &[want], "heartbeats");

        let made = said(&mut offered.shell(offered.text("deploy")));
        let changes = client.get("/api/v1/changes").await.ok();
        assert_eq!(changes["changes"], json!([made]));
        let want = json!({"kind": "deploy", "service": "shop", "title": "shop 1.0", "version": "1.0"});
        for (name, value) in want.as_object().unwrap() {
            assert_eq!(&made[name], value, "{made}");
        }
    }
}

#[tokio::test]
async fn statsd_and_a_workflow_send_as_their_snippets_say() {
    let (Some(_), Some(_)) = (tool("curl"), tool("nc")) else { return };
    for offered in Offered::both().await {
        let client = offered.koshu.client();
        ran(&mut offered.shell(offered.text("statsd")));
        let sum = "SELECT CAST(coalesce(sum(value), 0) AS BIGINT) FROM samples WHERE name = 'shop.orders'";
        let counted = async || (client.number(sum).await == 1).then_some(());
        until(SOON, "the order is counted", counted).await;

        // The one step of the workflow: GitHub fills in what stands between braces, and folds the lines.
        let Some(steps) = offered.read("yaml", "github-actions") else { return };
        let step = &steps[0];
        let version = step["env"]["VERSION"].as_str().unwrap();
        assert_eq!(version, "${{ github.sha }}");
        let mut shell = offered.shell(step["run"].as_str().unwrap());
        shell.env("VERSION", "0d1f2a3b");
        if let Some(token) = &offered.token {
            assert_eq!(step["env"]["KOSHU_TOKEN"], "${{ secrets.KOSHU_TOKEN }}");
            shell.env("KOSHU_TOKEN", token);
        }
        let made = said(&mut shell);
        assert_eq!((&made["kind"], &made["version"]), (&json!("deploy"), &json!("0d1f2a3b")), "{made}");
        assert_eq!(client.get("/api/v1/changes").await.ok()["changes"], json!([made]));
    }
}

#[tokio::test]
async fn what_is_written_into_the_configuration_is_accepted_there() {
    let offered = Offered::by(Place::new(), true).await;
    let (folder, secret) = (folder(&offered.place, "printed"), offered.place.path().join("secret"));
    std::fs::write(&secret, "It's a Secret to Everybody\n").unwrap();
    let webhook = offered.text("github-webhook").replace("/etc/koshu/github-secret", &secret.display().to_string());
    for (title, text) in [("scrape", offered.text("scrape")), ("github-webhook", &webhook)] {
        std::fs::write(folder.join("koshu.yaml"), format!("schema: 1\n{text}")).unwrap();
        let checked = offered.place.koshu().arg("check").arg(&folder).output().unwrap();
        let says = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success() && !says.contains("unknown"), "{title}: {says}");
    }
}

/// A shell script that can be started by its name.
fn program(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The one path in a snippet that a test may not write to.
const NGINX_LOG: &str = "/var/log/nginx/access.log";

#[tokio::test]
async fn nginx_writes_as_its_snippets_say_and_its_past_is_imported() {
    let Some(nginx_program) = tool("nginx") else { return };
    for offered in Offered::both().await {
        let (place, client) = (&offered.place, offered.koshu.client());
        let log = place.path().join("access.log").display().to_string();
        let elsewhere = |title: &str| {
            let text = offered.text(title);
            assert_eq!(text.matches(NGINX_LOG).count(), 1, "{title}: {text}");
            text.replace(NGINX_LOG, &log)
        };
        let both = elsewhere("nginx-json") + offered.text("nginx-syslog");
        let (nginx, shop) = nginx(&nginx_program, place, &both).await;
        for path in ["/items/1?color=red", "/items/2", "/fail"] {
            shop.get(path).await;
        }
        let sql = "SELECT service, method, route, path, status, duration_us IS NOT NULL AS timed, bytes, host, \
                   length(trace_id) AS trace, source, attrs['user_agent'] IS NOT NULL AS has_agent FROM requests \
                   WHERE service = 'SERVICE' ORDER BY ts, status, path";
        let of = |service: &str| sql.replace("SERVICE", service);
        let row = |path: &str, route: &str, status: u16, bytes: u64, more: &Value| {
            let mut row = json!({"method": "GET", "route": route, "path": path, "status": status, "bytes": bytes});
            row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            row
        };
        let error_page = shop.get("/fail").await.text.len() as u64;
        let want = |more: Value| {
            [
                row("/items/1", "GET /items/:id", 200, 2, &more),
                row("/items/2", "GET /items/:id", 200, 2, &more),
                row("/fail", "GET /fail", 500, error_page, &more),
                row("/fail", "GET /fail", 500, error_page, &more),
            ]
        };
        let over_syslog = of("nginx");
        let all = async || (rows(client, &over_syslog).await.len() == 4).then_some(());
        until(SOON, "every request came over syslog", all).await;
        let mut found = rows(client, &over_syslog).await;
        let host = found[0]["host"].clone();
        found.sort_by_key(|row| (row["status"].as_u64(), row["path"].to_string()));
        let more = json!({"service": "nginx", "timed": false, "host": host, "trace": null, "source": "syslog",
            "has_agent": false});
        assert_rows(&found, &want(more), "over syslog");

        // nginx wrote everything before it ends.
        drop(nginx);
        let bin = folder(place, "bin");
        let koshu = place.koshu();
        std::os::unix::fs::symlink(koshu.get_program(), bin.join("koshu")).unwrap();
        let text = elsewhere("past-logs");
        let mut shell = offered.shell(&text);
        for (name, value) in koshu.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        ran(shell.env("KOSHU_DIR", place.data()));
        let mut found = rows(client, &of("shop")).await;
        found.sort_by_key(|row| (row["status"].as_u64(), row["path"].to_string()));
        let more = json!({"service": "shop", "timed": true, "host": "127.0.0.1", "trace": 32, "source": log,
            "has_agent": false});
        assert_rows(&found, &want(more), "imported");
    }
}

#[tokio::test]
async fn rsyslog_sends_as_its_snippet_says() {
    let (Some(rsyslogd), Some(logger)) = (tool("rsyslogd"), tool("logger")) else { return };
    for offered in Offered::both().await {
        let rsyslog = Rsyslog::start(&rsyslogd, folder(&offered.place, "rsyslog"), offered.text("rsyslog")).await;
        rsyslog.say(&logger, "payment failed");
        rsyslog.write("two\nlines\n");
        let client = offered.koshu.client();
        let all = async || (client.number("SELECT count(*) FROM logs").await == 3).then_some(());
        until(SOON, "every message is stored", all).await;
        let found = client.sql("SELECT service, severity, body FROM logs ORDER BY body").await;
        let want = [["shop", "warn", "lines"], ["billing", "error", "payment failed"], ["shop", "warn", "two"]];
        assert_eq!(found, want.map(|row| row.map(Value::from)));
    }
}

/// The SDKs of Python and of Node.js, of which everything but the environment is the same.
fn sdks(name: &str) -> Option<[(&'static str, PathBuf, PathBuf); 2]> {
    let (python, node) = (python()?, node()?);
    Some([("Python", python, script(name, "py")), ("Node.js", node, script(name, "mjs"))])
}

#[tokio::test]
async fn sdks_send_with_the_environment_of_their_snippets() {
    let Some(sdks) = sdks("send_by_environment") else { return };
    for (language, program, script) in sdks {
        for offered in Offered::both().await {
            let what = format!("{language}, {}", offered.token.as_deref().map_or("no token", |_| "a token"));
            for (title, name) in [("otel-sdk", "opentelemetry"), ("sentry", "sentry")] {
                let text = format!("{}exec \"$@\"", offered.text(title));
                let mut shell = offered.shell(&text);
                assert_eq!(said(shell.arg("sh").arg(&program).arg(&script).arg(name)), true, "{what}");
            }
            let want = [("logs", 1), ("spans", 1), ("samples", 1), ("errors", 1)];
            assert_eq!(stored(offered.koshu.client()).await, want, "{what}");
            let sql = "SELECT service FROM logs UNION SELECT service FROM spans UNION \
                       SELECT service FROM samples WHERE source = 'otlp' UNION SELECT service FROM errors ORDER BY 1";
            let want = [["project-1"], ["shop"]].map(|row| row.map(Value::from));
            assert_eq!(offered.koshu.client().sql(sql).await, want, "{what}");
        }
    }
}

#[tokio::test]
async fn prometheus_writes_and_alerts_as_its_snippet_says() {
    let (Some(prometheus), Some(promtool)) = (tool("prometheus"), tool("promtool")) else { return };
    for offered in Offered::both().await {
        let home = Home::new(&offered.place);
        let text = offered.text("prometheus");
        let alone = home.folder.join("snippet.yml");
        std::fs::write(&alone, text).unwrap();
        ran(limited(&promtool).args(["check", "config"]).arg(&alone));
        let (at, port) = (home.folder.display(), home.port);
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{at}/rules.yml']\nscrape_configs:\n\
             - {{job_name: prometheus, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}\n{text}"
        );
        let rules = "groups: [{name: test, rules: [{alert: Always, expr: vector(1), labels: {service: checkout}}]}]\n";
        let _running = home.run(&prometheus, &config, rules).await;
        let client = offered.koshu.client();
        let sample = "SELECT count(*) FROM samples WHERE name = 'up' AND service = 'prometheus' AND value = 1";
        until(SOON, "a sample is written", async || (client.number(sample).await > 0).then_some(())).await;
        let alert = "SELECT count(*) FROM events WHERE name = 'Always' AND state = 'firing' AND service = 'checkout'";
        until(SOON, "an alert is sent", async || (client.number(alert).await > 0).then_some(())).await;
    }
}

/// Programs that can't be installed here: what they would read is what was meant.
#[tokio::test]
async fn configurations_of_other_programs_say_where_to_send() {
    for offered in Offered::both().await {
        let (http, token) = (offered.http(), offered.token.as_deref());
        let Some(vector) = offered.read("toml", "vector") else { return };
        let mut want = json!({"type": "elasticsearch", "inputs": ["*"], "endpoints": [format!("http://{http}")],
            "bulk": {"index": "shop"}});
        if let Some(token) = token {
            want["auth"] = json!({"strategy": "basic", "user": "koshu", "password": token});
        }
        assert_eq!(vector, json!({"sinks": {"koshu": want}}));

        let mut want = json!({"hosts": [format!("http://{http}")]});
        if let Some(token) = token {
            want["username"] = json!("koshu");
            want["password"] = json!(token);
        }
        let want = json!({"output.elasticsearch": want, "setup.ilm.enabled": false, "setup.template.enabled": false});
        assert_eq!(offered.read("yaml", "filebeat"), Some(want));

        let mut want = json!({"url": format!("http://{http}/loki/api/v1/push")});
        if let Some(token) = token {
            want["bearer_token"] = json!(token);
        }
        assert_eq!(offered.read("yaml", "promtail"), Some(json!({"clients": [want]})));
        let alloy = offered.text("alloy");
        assert!(alloy.contains(&format!("url = \"http://{http}/loki/api/v1/push\"")), "{alloy}");
        assert!(token.is_none_or(|token| alloy.contains(&format!("bearer_token = \"{token}\""))), "{alloy}");

        let mut want = json!({"endpoint": format!("http://{http}")});
        if let Some(token) = token {
            want["headers"] = json!({"Authorization": format!("Bearer {token}")});
        }
        let found = offered.read("yaml", "otel-collector").unwrap();
        assert_eq!(found["exporters"], json!({"otlphttp/koshu": want}));
        for signal in ["traces", "metrics", "logs"] {
            assert_eq!(found["service"]["pipelines"][signal]["exporters"], json!(["otlphttp/koshu"]), "{found}");
        }

        let found = offered.read("yaml", "alertmanager").unwrap();
        let webhook = &found["receivers"][0]["webhook_configs"][0];
        assert_eq!(webhook["url"], format!("http://{http}/api/v1/alertmanager"));
        assert_eq!(webhook["http_config"]["authorization"]["credentials"], json!(token));
        let found = offered.read("yaml", "prometheus-scrape").unwrap();
        let scrape = &found["scrape_configs"][0];
        assert_eq!(scrape["static_configs"][0]["targets"], json!([http]));
        assert_eq!(scrape["authorization"]["credentials"], "YOUR_READ_TOKEN", "a token of another kind");

        let forward = address(&offered.koshu, "forward");
        let (host, port) = forward.rsplit_once(':').unwrap();
        for (title, [host, port, ack]) in [
            ("fluentd", [format!("host {host}"), format!("port {port}"), "require_ack_response true".to_owned()]),
            ("fluent-bit", [format!("Host {host}"), format!("Port {port}"), "Require_ack_response true".to_owned()]),
        ] {
            let lines: Vec<&str> = offered.text(title).lines().map(str::trim).collect();
            for line in [host, port, ack] {
                assert!(lines.contains(&line.as_str()), "{title} has no {line}: {lines:?}");
            }
        }
    }
}

/// A host of its own name runs what is printed for it: both commands as they are, and what the unit starts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_snippets_of_another_host_start_its_agent() {
    let Some(unshare) = tool("unshare") else { return };
    if !rustix::process::geteuid().is_root() {
        missing("a host name of its own needs root");
        return;
    }
    let offered = Offered::by(Place::new(), false).await;
    let (koshu, place) = (&offered.koshu, &offered.place);
    let programs = target().join("debug").display().to_string();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap_or_default());
    let unit = offered.text("agent-systemd");
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("a unit starts something");
    let start = start.replace("/usr/local/bin/", "").replace("/etc/koshu-agent/token", "web-1.token");
    let at = folder(place, "web-1");
    for text in [offered.text("agent"), &start] {
        let mut command = Command::new(&unshare);
        // Whoever ends the first process of its own ends all that it started.
        command.args(["--uts", "--pid", "--fork", "--kill-child", "sh", "-c"]).arg(format!("hostname web-1\n{text}"));
        command.current_dir(&at).env("PATH", &path).env("KOSHU_DIR", place.data()).env("KOSHU_HOST_ROOT", place.root());
        let _agent = Running::start(command.stderr(Stdio::null()));
        until(SOON, "its host is there", async || {
            let hosts = koshu.client().get("/api/v1/hosts").await.ok();
            (hosts["hosts"][0]["name"] == "web-1" && hosts["hosts"][0]["liveness"] == "alive").then_some(())
        })
        .await;
        assert_eq!(koshu.client().delete("/api/v1/hosts/web-1").await.status, 204);
    }
}
