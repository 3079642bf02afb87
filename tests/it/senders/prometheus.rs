//! Debian's Prometheus: writes its samples to Koshu, sends its alerts there, and scrapes Koshu.

use super::programs::{Running, folder, free_port};
use super::tokens::made_token;
use super::{assert_rows, rows};
use e2e::{Client, Koshu, Place, tool, until};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How long Prometheus may take from its start to what is waited for.
pub const SOON: Duration = Duration::from_mins(1);
/// How long the test's alert fires: Prometheus hears of the receiver only some seconds after its start.
const FIRES: jiff::SignedDuration = jiff::SignedDuration::from_secs(20);

/// A Prometheus of our own, on a private port and below a private folder.
pub struct Prometheus {
    client: Client,
    _running: Running,
}

/// A folder for a Prometheus, and its port.
pub struct Home {
    pub folder: PathBuf,
    pub port: u16,
}

impl Home {
    pub fn new(place: &Place) -> Self {
        Self { folder: folder(place, "prometheus"), port: free_port() }
    }

    /// Runs it with this configuration, whose `rule_files` has `rules.yml`.
    pub async fn run(self, program: &Path, config: &str, rules: &str) -> Prometheus {
        let Self { folder, port } = self;
        let at = folder.display();
        for (name, text) in [("prometheus.yml", config), ("rules.yml", rules)] {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let mut command = Command::new(program);
        command
            .arg(format!("--config.file={at}/prometheus.yml"))
            .arg(format!("--storage.tsdb.path={at}/data"))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(["--log.level=warn", "--rules.alert.resend-delay=1s"]);
        let client = Client::new(format!("http://127.0.0.1:{port}"), None);
        let prometheus = Prometheus { client, _running: Running::start(&mut command) };
        let ready = prometheus.client.request(reqwest::Method::GET, "/-/ready");
        until_ready(&ready).await;
        prometheus
    }
}

impl Prometheus {
    async fn start(program: &Path, place: &Place, koshu: &Koshu, token: &str) -> Self {
        let home = Home::new(place);
        let (at, port) = (home.folder.display(), home.port);
        let target = koshu.url().strip_prefix("http://").unwrap();
        let until = (jiff::Timestamp::now() + FIRES).as_second();
        let admin = koshu.data().join("admin.token");
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s, external_labels: {{cluster: e2e}}}}\n\
             rule_files: ['{at}/rules.yml']\n\
             scrape_configs:\n\
             - {{job_name: prometheus, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}\n\
             - {{job_name: koshu, authorization: {{credentials_file: '{admin}'}}, static_configs: [{{targets: ['{target}']}}]}}\n\
             remote_write:\n\
             - url: http://{target}/api/v1/write\n\
             \x20 authorization: {{credentials_file: '{at}/token'}}\n\
             \x20 queue_config: {{batch_send_deadline: 100ms}}\n\
             alerting:\n\
             \x20 alertmanagers:\n\
             \x20 - {{api_version: v2, basic_auth: {{username: shop, password_file: '{at}/token'}}, static_configs: [{{targets: ['{target}']}}]}}\n",
            admin = admin.display(),
        );
        let rules = format!(
            "groups: [{{name: test, rules: [{{alert: CheckoutSlow, expr: 'vector(time()) < {until}', \
             labels: {{severity: page, service: checkout}}, annotations: {{summary: 'slow – 決済'}}}}]}}]\n"
        );
        std::fs::write(home.folder.join("token"), token).unwrap();
        home.run(program, &config, &rules).await
    }

    /// Asks its own API.
    pub async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let request = self.client.request(reqwest::Method::GET, path).query(query);
        Client::send(request).await.ok()["data"].clone()
    }

    /// Every series of a job as it was scraped at a moment, as the rows which that should be.
    async fn scraped(&self, job: &str, seconds: &str) -> Vec<Value> {
        let query = format!("{{job=\"{job}\"}}");
        let found = self.ask("/api/v1/query", &[("query", &query), ("time", seconds)]).await;
        let row = |series: &Value| {
            let mut labels = series["metric"].as_object().unwrap().clone();
            let name = labels.remove("__name__").unwrap();
            labels.insert("cluster".to_owned(), json!("e2e"));
            let value = exact(&series["value"][1]);
            // A label of that name is the service, before the job.
            let service = labels.get("service").cloned().unwrap_or_else(|| json!(job));
            json!({"service": service, "host": "127.0.0.1", "name": name, "value": value, "source": "prometheus",
                "attrs": labels})
        };
        sorted(found["result"].as_array().unwrap().iter().map(row).collect())
    }
}

async fn until_ready(request: &reqwest::RequestBuilder) {
    until(SOON, "Prometheus is ready", async || {
        let answer = Client::try_send(request.try_clone().unwrap()).await.ok()?;
        answer.status.is_success().then_some(())
    })
    .await;
}

/// A number to its last bit, also one that JSON can't write.
fn exact(text: &Value) -> String {
    let number: f64 = text.as_str().unwrap().parse().unwrap();
    format!("{number:?}")
}

fn sorted(mut rows: Vec<Value>) -> Vec<Value> {
    rows.sort_by_cached_key(|row| format!("{} {}", row["name"], row["attrs"]));
    rows
}

/// The moment of a job's newest scrape that arrived whole, as a row's `ts` and in seconds.
async fn last_scrape(client: &Client, job: &str) -> (String, String) {
    // What Prometheus adds to a scrape comes behind what was scraped; `up` of the next one means that it is over.
    let sql = format!(
        "SELECT ts FROM samples WHERE name = 'up' AND service = '{job}' AND value = 1 ORDER BY ts DESC LIMIT 3"
    );
    let ts = until(SOON, &format!("three scrapes of {job} were written"), async || {
        let found = client.sql(&sql).await;
        found.get(2).map(|row| row[0].as_str().unwrap().to_owned())
    })
    .await;
    let millis = ts.parse::<jiff::Timestamp>().unwrap().as_millisecond();
    (ts, format!("{}.{:03}", millis.div_euclid(1000), millis.rem_euclid(1000)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_prometheus_scrapes_and_alerts_about_is_stored_as_it_has_it() {
    let Some(program) = tool("prometheus") else { return };
    let place = Place::new();
    let koshu = place.start().await;
    let token = made_token(&koshu, "ingest").await;
    let prometheus = Prometheus::start(&program, &place, &koshu, &token).await;
    assert_alert(&prometheus, koshu.client()).await;
    for (job, least, known) in [("prometheus", 400, "prometheus_build_info"), ("koshu", 10, "koshu_")] {
        assert_samples(&prometheus, koshu.client(), job, least, known).await;
    }
}

async fn assert_samples(prometheus: &Prometheus, client: &Client, job: &str, least: usize, known: &str) {
    let (ts, seconds) = last_scrape(client, job).await;
    let want = prometheus.scraped(job, &seconds).await;
    assert!(want.len() >= least, "{job} has {} series", want.len());
    let is_known = |row: &Value| row["name"].as_str().unwrap().starts_with(known);
    assert!(want.iter().any(is_known), "{job} has no {known}: {want:?}");
    let sql = format!(
        "SELECT service, host, name, CAST(value AS VARCHAR) AS value, source, attrs FROM samples WHERE attrs['job'] = '{job}' AND ts = '{ts}'"
    );
    let found = until(SOON, &format!("the scrape of {job} at {ts} was written whole"), async || {
        let found = rows(client, &sql).await;
        (found.len() >= want.len()).then_some(found)
    })
    .await;
    let found = found.into_iter().map(|mut row| {
        row["value"] = json!(exact(&row["value"]));
        row
    });
    assert_rows(&sorted(found.collect()), &want, job);
}

async fn assert_alert(prometheus: &Prometheus, client: &Client) {
    let sql = "SELECT ts, service, kind, name, state, source, attrs FROM events ORDER BY ts, state";
    let active = until(SOON, "the alert fires", async || {
        let alerts = prometheus.ask("/api/v1/alerts", &[]).await;
        alerts["alerts"].as_array()?.iter().find(|alert| alert["state"] == "firing").cloned()
    })
    .await;
    let found = until(SOON, "the alert fired and was resolved", async || {
        let found = rows(client, sql).await;
        found.iter().any(|row| row["state"] == "resolved").then_some(found)
    })
    .await;
    // It is sent again and again while it fires: the first time before Prometheus knows where Koshu is.
    assert!(found.len() >= 2, "{found:?}");
    let began: jiff::Timestamp = active["activeAt"].as_str().unwrap().parse().unwrap();
    for (at, row) in found.iter().enumerate() {
        let attrs = &row["attrs"];
        let generator = attrs["generator_url"].as_str().unwrap();
        assert!(generator.contains("/graph?g0.expr=vector"), "{generator}");
        let time = |name: &str| attrs[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        assert_eq!(time("starts_at").as_millisecond(), began.as_millisecond(), "{row}");
        let is_over = at == found.len() - 1;
        let (state, ts) = if is_over { ("resolved", &attrs["ends_at"]) } else { ("firing", &attrs["starts_at"]) };
        let want = json!({"ts": ts, "service": "checkout", "kind": "alert.received", "name": "CheckoutSlow",
            "state": state, "source": "prometheus", "attrs": {
                "alertname": "CheckoutSlow", "severity": "page", "service": "checkout", "cluster": "e2e",
                "annotation.summary": "slow – 決済", "generator_url": generator, "starts_at": attrs["starts_at"],
                "ends_at": attrs["ends_at"]}});
        assert_eq!(row, &want, "{state}");
        assert!(time("ends_at") > time("starts_at"), "{row}");
    }
}
