//! Clients that don't speak HTTP/1: OpenTelemetry over gRPC, fluent-logger, nginx and rsyslog over syslog.

use super::{Packages, assert_rows, python_sends, rows};
use crate::listeners::{address, start};
use e2e::{Place, tool, until};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Ended with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opentelemetry_over_grpc_brings_spans_metrics_and_logs() {
    let place = Place::new();
    let koshu = start(&place).await;
    let Some(said) = python_sends(Packages::Newest, "send_grpc", &[&address(&koshu, "otlp_grpc")]) else { return };
    let client = koshu.client();
    let spans =
        rows(client, "SELECT service, host, name, trace_id, span_id, attrs['attempt'] AS attempt FROM spans").await;
    let want = json!({
        "service": "billing", "host": "web-2", "name": "charge", "trace_id": said["trace_id"],
        "span_id": said["span_id"], "attempt": "2",
    });
    assert_rows(&spans, &[want], "spans");
    let samples = "SELECT service, name, value, attrs['card'] AS card FROM samples WHERE source = 'otlp'";
    let want = json!({"service": "billing", "name": "charges", "value": 3.0, "card": "visa"});
    assert_rows(&rows(client, samples).await, &[want], "samples");
    let want = json!({"service": "billing", "severity": "warn", "body": "card declined"});
    assert_rows(&rows(client, "SELECT service, severity, body FROM logs").await, &[want], "logs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_of_fluent_logger_is_stored() {
    let place = Place::new();
    let koshu = start(&place).await;
    let at = address(&koshu, "forward");
    let (host, port) = at.rsplit_once(':').unwrap();
    let Some(said) = python_sends(Packages::Newest, "send_fluent", &[host, port]) else { return };
    assert_eq!(said["sent"], 20);
    let all = "SELECT count(*) FROM logs";
    let stored = async || (koshu.client().number(all).await == 20).then_some(());
    until(Duration::from_secs(20), "twenty events are stored", stored).await;
    let found = rows(
        koshu.client(),
        "SELECT service, severity, body, attrs['items'] AS items FROM logs WHERE body = 'order 7'",
    );
    let want = json!({"service": "app-web", "severity": "error", "body": "order 7", "items": "7"});
    assert_rows(&found.await, &[want], "logs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_over_syslog_is_requests_without_an_agent() {
    let Some(nginx) = tool("nginx") else { return };
    let place = Place::new();
    let koshu = start(&place).await;
    let at = place.path().join("nginx");
    std::fs::create_dir(&at).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
    let (folder, syslog) = (at.display(), address(&koshu, "syslog"));
    let conf = format!(
        "{user} daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n\
         http {{ client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;\n\
         uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;\n\
         server {{ listen 127.0.0.1:{port}; access_log syslog:server={syslog},tag=nginx combined;\n\
         location /fail {{ return 500; }} location / {{ return 200 ok; }} }} }}\n"
    );
    std::fs::write(at.join("nginx.conf"), conf).unwrap();
    let mut command = Command::new(nginx);
    command.arg("-p").arg(&at).arg("-c").arg(at.join("nginx.conf")).stdin(Stdio::null());
    let _nginx = Ended(command.spawn().unwrap());
    let client = e2e::Client::new(format!("http://127.0.0.1:{port}"), None);
    let answers = async || e2e::Client::try_send(client.request(reqwest::Method::GET, "/up")).await.ok().map(drop);
    until(Duration::from_secs(20), "nginx answers", answers).await;
    for number in 0..30 {
        client.get(&format!("/items/{number}")).await;
    }
    for _ in 0..5 {
        client.get("/fail").await;
    }
    let sql = "SELECT service, route, status, count(*) AS requests FROM requests WHERE route <> 'GET /up' \
               GROUP BY 1, 2, 3 ORDER BY 3";
    let want: Vec<Value> = vec![
        json!({"service": "nginx", "route": "GET /items/:id", "status": 200, "requests": 30}),
        json!({"service": "nginx", "route": "GET /fail", "status": 500, "requests": 5}),
    ];
    let all = async || (rows(koshu.client(), sql).await == want).then_some(());
    until(Duration::from_secs(20), "every request is counted", all).await;
}
