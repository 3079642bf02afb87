//! What Koshu fetches itself: targets that are scraped, log files in folders and in a local S3; and what GitHub tells.

use e2e::{Client, Place, checkout, python, ran, until};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

const SOON: Duration = Duration::from_secs(30);

/// A target that answers what it is told to.
struct Exporter {
    url: String,
    answer: Arc<Mutex<(u16, &'static str, String)>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Exporter {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/metrics", listener.local_addr().unwrap());
        let (answer, requests) = (Arc::new(Mutex::new((200, "text/plain", String::new()))), Arc::default());
        let exporter = Self { url, answer: Arc::clone(&answer), requests: Arc::clone(&requests) };
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut request = vec![0; 4096];
                let mut length = 0;
                while !request[..length].ends_with(b"\r\n\r\n") {
                    let read = socket.read(&mut request[length..]).await.unwrap_or(0);
                    if read == 0 {
                        break;
                    }
                    length += read;
                }
                requests.lock().await.push(String::from_utf8_lossy(&request[..length]).to_lowercase());
                let (status, kind, body) = answer.lock().await.clone();
                let head = format!(
                    "HTTP/1.1 {status} x\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let _ = socket.write_all(format!("{head}{body}").as_bytes()).await;
            }
        });
        exporter
    }

    async fn answers(&self, status: u16, kind: &'static str, body: &str) {
        *self.answer.lock().await = (status, kind, body.to_owned());
    }
}

/// The last value of a metric, with its labels.
async fn last(client: &Client, name: &str) -> Option<(Value, Value)> {
    let sql = format!("SELECT value, attrs FROM samples WHERE name = '{name}' ORDER BY ts DESC LIMIT 1");
    let rows = client.sql(&sql).await;
    rows.into_iter().next().map(|row| (row[0].clone(), row[1].clone()))
}

#[tokio::test]
async fn a_target_is_scraped_and_a_broken_one_is_down() {
    let exporter = Exporter::start().await;
    exporter.answers(200, "text/plain; version=0.0.4", "# TYPE jobs gauge\njobs{queue=\"mail\",job=\"own\"} 7\n").await;
    let place = Place::new();
    std::fs::write(place.path().join("config/token"), "s3cret\n").unwrap();
    place.configure(&format!(
        "scrape:\n  - job: shop\n    every: 1s\n    targets: [\"{}\"]\n    labels: {{env: test}}\n    token_file: token\n",
        exporter.url
    ));
    let koshu = place.start().await;
    let client = koshu.client();
    let instance = exporter.url.trim_start_matches("http://").trim_end_matches("/metrics");
    let labels = json!({"job": "shop", "instance": instance, "env": "test"});
    until(SOON, "the target is up", async || {
        (last(client, "up").await == Some((json!(1.0), labels.clone()))).then_some(())
    })
    .await;
    let mut exported = labels.clone();
    exported["queue"] = json!("mail");
    exported["exported_job"] = json!("own");
    assert_eq!(last(client, "jobs").await, Some((json!(7.0), exported)));
    assert_eq!(last(client, "scrape_samples_scraped").await.unwrap().0, json!(1.0));
    let request = exporter.requests.lock().await[0].clone();
    assert!(request.contains("authorization: bearer s3cret"), "{request}");
    assert!(request.contains("application/openmetrics-text"), "{request}");

    // Half an answer is none: nothing of it is stored.
    exporter.answers(200, "application/openmetrics-text; version=1.0.0", "jobs 8\n").await;
    until(SOON, "the target is down", async || (last(client, "up").await.unwrap().0 == json!(0.0)).then_some(())).await;
    assert_eq!(client.number("SELECT count(*) FROM samples WHERE name = 'jobs' AND value = 8").await, 0);
    let sources = client.get("/api/v1/sources").await.ok();
    let source = sources["sources"].as_array().unwrap().iter().find(|source| {
        source["name"].as_str().unwrap().starts_with("scrape shop at ") && source["rejects"].to_string().contains("EOF")
    });
    assert!(source.is_some(), "the reason is told: {sources}");
    exporter.answers(200, "application/openmetrics-text; version=1.0.0", "jobs 9\n# EOF\n").await;
    until(SOON, "the target is up again", async || (last(client, "jobs").await.unwrap().0 == json!(9.0)).then_some(()))
        .await;
}

/// Moto's S3 with one bucket.
struct S3 {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    url: String,
}

impl S3 {
    /// `None` without Python's packages (which was said).
    fn start() -> Option<Self> {
        let mut child = Command::new(python()?)
            .arg(checkout().join("tests/python/s3_server.py"))
            .env("PYTHONPATH", checkout().join(".venv/s3"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("NO_PROXY", "*")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut s3 = Self { child, input, output, url: String::new() };
        s3.url = s3.line();
        assert!(s3.url.starts_with("http://127.0.0.1:"), "{}", s3.url);
        Some(s3)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    fn put(&mut self, key: &str, path: &Path) {
        writeln!(self.input.as_mut().unwrap(), "{key} {}", path.display()).unwrap();
        assert_eq!(self.line(), format!("put {key}"));
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// `count` lines of an Application Load Balancer, each with its own request.
fn alb(first: usize, count: usize) -> String {
    let mut lines = String::new();
    for at in first..first + count {
        let (minute, second) = (at / 60 % 60, at % 60);
        writeln!(
            lines,
            "https 2026-11-20T10:{minute:02}:{second:02}.186641Z app/shop/50dc6c495c0c9188 203.0.113.10:2817 \
             10.0.0.1:80 0.000 0.048 0.000 200 200 34 366 \"GET https://shop.example:443/items/{at} HTTP/2.0\" \
             \"curl/8.5.0\" - - - \"Root=1-58337262-{at:024x}\" \"shop.example\" \"-\" 0 \
             2026-11-20T10:00:00.186641Z \"forward\" \"-\" \"-\""
        )
        .unwrap();
    }
    lines
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

async fn requests_are(client: &Client, count: i64) {
    until(SOON, &format!("{count} requests are there"), async || {
        (client.number("SELECT count(DISTINCT path) FROM requests WHERE service = 'shop'").await == count).then_some(())
    })
    .await;
    assert_eq!(client.number("SELECT count(*) FROM requests WHERE service = 'shop'").await, count, "each once");
}

#[tokio::test]
async fn each_object_of_a_bucket_is_taken_once_also_after_a_restart() {
    let Some(mut s3) = S3::start() else { return };
    let place = Place::new();
    place.configure(&format!(
        "services:\n  shop:\n    objects:\n      - {{from: \"s3://logs/AWSLogs/\", every: 1s, region: us-east-1, \
         endpoint: \"{}\", access_key_id: test, secret_access_key: secret}}\n",
        s3.url
    ));
    let file = place.path().join("object");
    let put = |s3: &mut S3, key: &str, bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        s3.put(key, &file);
    };
    put(&mut s3, "AWSLogs/1/elasticloadbalancing/a.log.gz", &gzip(&alb(0, 300)));
    put(&mut s3, "other/not-ours.log.gz", &gzip(&alb(9000, 5)));
    // What AWS itself puts there to see whether it may.
    put(&mut s3, "AWSLogs/1/ELBAccessLogTestFile", b"Enable AccessLog for ELB: shop\n");
    let koshu = place.start().await;
    requests_are(koshu.client(), 300).await;
    put(&mut s3, "AWSLogs/1/elasticloadbalancing/b.log.gz", &gzip(&alb(300, 200)));
    requests_are(koshu.client(), 500).await;
    // The same log in a second place is the same log.
    put(&mut s3, "AWSLogs/1/copy/a.log", alb(0, 300).as_bytes());
    koshu.kill();
    put(&mut s3, "AWSLogs/1/elasticloadbalancing/c.log.gz", &gzip(&alb(500, 1)));
    let koshu = place.start().await;
    requests_are(koshu.client(), 501).await;
    let sources = koshu.client().get("/api/v1/sources").await.ok().to_string();
    assert!(sources.contains("object_failed") && sources.contains("ELBAccessLogTestFile"), "{sources}");
    assert!(std::fs::read_dir(koshu.data().join("tmp/objects")).unwrap().next().is_none(), "no copy is left");
}

#[tokio::test]
async fn log_files_that_appear_in_a_folder_are_taken() {
    let place = Place::new();
    let folder = place.path().join("elb");
    std::fs::create_dir_all(folder.join("2026/11")).unwrap();
    place.configure(&format!(
        "services:\n  shop:\n    objects: [{{from: {}, every: 1s, format: cloudfront}}]\n",
        folder.display()
    ));
    let koshu = place.start().await;
    let log = checkout().join("fixtures/access/cloudfront.log");
    std::fs::copy(&log, folder.join("2026/11/E1.log")).unwrap();
    until(SOON, "the file was taken", async || {
        (koshu.client().number("SELECT count(*) FROM requests WHERE service = 'shop'").await == 2).then_some(())
    })
    .await;
    let rows = koshu.client().sql("SELECT route, status, duration_us, host FROM requests ORDER BY ts").await;
    assert_eq!(rows[0], [json!("GET /items/:id"), json!(200), json!(171_000), json!("shop.example")]);
    assert_eq!(rows[1], [json!("POST /cart"), json!(502), json!(1_500_000), json!(null)]);
}

#[tokio::test]
async fn github_tells_of_a_deploy_once_and_only_with_its_signature() {
    let Some(python) = python() else { return };
    let place = Place::new();
    std::fs::write(place.path().join("config/github"), "It's a Secret to Everybody\n").unwrap();
    place.configure("server:\n  intake:\n    github_secret_file: github\n");
    let koshu = place.start().await;
    let delivery = place.path().join("delivery.json");
    let body = json!({
        "action": "created",
        "deployment_status": {"state": "success", "environment": "production", "created_at": "2026-11-20T10:00:00Z",
            "target_url": "https://ci.example/runs/7", "creator": {"login": "taro"}},
        "deployment": {"sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "ref": "main", "task": "deploy",
            "environment": "production"},
        "repository": {"name": "shop", "full_name": "acme/shop", "default_branch": "main"},
        "sender": {"login": "taro"},
    });
    std::fs::write(&delivery, body.to_string()).unwrap();
    let send = |secret: &str, id: &str| -> u16 {
        let arguments = [koshu.url(), secret, "deployment_status", id, &delivery.display().to_string()];
        let output = ran(Command::new(&python).arg(checkout().join("tests/senders/send_github.py")).args(arguments));
        String::from_utf8_lossy(&output.stdout).trim().parse().unwrap()
    };
    assert_eq!(send("a guess", "d-1"), 401);
    assert_eq!(send("It's a Secret to Everybody", "d-1"), 201);
    assert_eq!(send("It's a Secret to Everybody", "d-1"), 202, "sent again");
    let changes = koshu.client().get("/api/v1/changes?from=2000-01-01T00:00:00Z&to=2100-01-01T00:00:00Z").await.ok();
    let deploys: Vec<&Value> =
        changes["changes"].as_array().unwrap().iter().filter(|change| change["kind"] == "deploy").collect();
    assert_eq!(deploys.len(), 1, "{changes}");
    assert!(deploys[0]["detail"].as_str().unwrap().contains("stage: done"), "{changes}");
}
