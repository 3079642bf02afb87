//! Senders of other machines: over TLS, and each with what its protocol has to prove itself. Here they are on this machine,
//! and reach it by a listener that is open to all.

use super::opentelemetry::assert_python;
use super::programs::{Rsyslog, folder};
use super::syslog::{assert_said, lines, said, say};
use super::tokens::made_token;
use super::{Packages, forward, limited, python_sends, stored};
use crate::listeners::address;
use e2e::{Authority, Koshu, Place, Start, tool};
use jiff::Timestamp;
use serde_json::json;
use std::process::Output;

/// A server that is open to all machines, its certificate signed by an authority of its own.
async fn start(place: &Place) -> Option<(Koshu, Authority)> {
    let authority = Authority::new(&folder(place, "tls"))?;
    authority.sign("server", "DNS:localhost,IP:127.0.0.1");
    authority.sign("web-1", "DNS:web-1");
    place.configure(&format!(
        "server:\n  tls: {{certificate: '{}', key: '{}', clients: '{}'}}\n  intake:\n    forward_shared_key: shared – 鍵\n    \
         forward_users: [{{name: web, password: 秘密}}]\n",
        authority.file("server.pem").display(),
        authority.file("server.key").display(),
        authority.root().display()
    ));
    let mut start = Start::new(place);
    for name in ["https", "otlp_http", "otlp_grpc", "forward", "syslog"] {
        start = start.argument("--listen").argument(format!("{name}=0.0.0.0:0"));
    }
    Some((start.ready().await, authority))
}

fn port(koshu: &Koshu, name: &str) -> String {
    let at = address(koshu, name);
    let (host, port) = at.rsplit_once(':').unwrap();
    assert_eq!(host, "0.0.0.0", "{name}");
    port.to_owned()
}

/// What curl hears, with the head of the answer.
fn curl(arguments: &[&str]) -> Option<Output> {
    Some(limited(&tool("curl")?).args(["--silent", "--show-error", "--include"]).args(arguments).output().unwrap())
}

#[tokio::test]
async fn over_https_a_token_is_sent_and_people_sign_in() {
    let place = Place::new();
    let Some((koshu, authority)) = start(&place).await else { return };
    let root = authority.root().display().to_string();
    let token = format!("Authorization: Bearer {}", made_token(&koshu, "ingest").await);
    let line = "{\"time\":1770091506,\"method\":\"GET\",\"uri\":\"/\",\"status\":200,\"request_time\":0.01}";
    for (count, name) in (1..).zip(["https", "otlp_http"]) {
        let port = port(&koshu, name);
        let url = format!("https://localhost:{port}/api/v1/ingest/shop");
        let Some(refused) = curl(&["--cacert", &root, "--data-binary", line, &url]) else { return };
        assert!(String::from_utf8_lossy(&refused.stdout).starts_with("HTTP/1.1 401"), "{refused:?}");
        let taken = curl(&["--cacert", &root, "--header", &token, "--data-binary", line, &url]).unwrap();
        assert!(String::from_utf8_lossy(&taken.stdout).starts_with("HTTP/1.1 200"), "{taken:?}");
        assert_eq!(stored(koshu.client()).await, [("requests", count)]);
        // Without TLS nobody is heard, and an authority that nobody knows is believed by nobody.
        let plain = curl(&["--data-binary", line, &format!("http://localhost:{port}/api/v1/ingest/shop")]).unwrap();
        assert!(!plain.status.success() && plain.stdout.is_empty(), "{plain:?}");
        let unknown = curl(&["--data-binary", line, &url]).unwrap();
        assert_eq!(unknown.status.code(), Some(60), "{unknown:?}");
    }
    let link = koshu.welcome_link();
    let secret = json!({"secret": link.rsplit_once('/').unwrap().1}).to_string();
    let url = format!("https://localhost:{}/api/v1/session/link", port(&koshu, "https"));
    let signed_in = curl(&["--cacert", &root, "--json", &secret, &url]).unwrap();
    let answer = String::from_utf8_lossy(&signed_in.stdout).to_lowercase();
    let cookie = answer.lines().find(|line| line.starts_with("set-cookie:")).unwrap_or_else(|| panic!("{answer}"));
    assert!(cookie.contains("koshu_session=") && cookie.ends_with("; secure"), "{cookie}");
}

#[tokio::test]
async fn opentelemetry_over_grpc_is_encrypted_and_takes_a_token() {
    let place = Place::new();
    let Some((koshu, authority)) = start(&place).await else { return };
    let token = made_token(&koshu, "ingest").await;
    let (url, root) =
        (format!("https://localhost:{}", port(&koshu, "otlp_grpc")), authority.root().display().to_string());
    let Some(_) = python_sends(Packages::Newest, "send_opentelemetry", &["grpc", &url, "", &root]) else { return };
    assert_eq!(stored(koshu.client()).await, []);
    let said = python_sends(Packages::Newest, "send_opentelemetry", &["grpc", &url, &token, &root]).unwrap();
    assert_python(koshu.client(), &said).await;
}

#[tokio::test]
async fn fluentds_forward_is_encrypted_and_takes_a_key_a_user_and_a_password() {
    for (logger, service, modes) in forward::NODE {
        let place = Place::new();
        let Some((koshu, authority)) = start(&place).await else { return };
        let at = format!("localhost:{}", port(&koshu, "forward"));
        let root = authority.root().display().to_string();
        let proof = |key: &str, user: &str, password: &str| json!({"sharedKey": key, "username": user, "password": password, "ca": root});
        for (proof, want) in [
            (proof("another", "web", "秘密"), "shared_key mismatch"),
            (proof("shared – 鍵", "web", "password"), "username/password mismatch"),
            (proof("shared – 鍵", "nobody", ""), "username/password mismatch"),
        ] {
            let Some(refused) = forward::node_logs(&at, logger, modes[0], &proof) else { return };
            assert!(refused["error"].as_str().is_some_and(|said| said.contains(want)), "{logger} {proof}: {refused}");
        }
        assert_eq!(stored(koshu.client()).await, []);
        let taken = forward::node_logs(&at, logger, modes[0], &proof("shared – 鍵", "web", "秘密"));
        assert_eq!(taken, Some(json!({"acknowledged": 3})), "{logger}");
        forward::assert_node_events(&koshu, service, modes[0]).await;
    }
}

#[tokio::test]
async fn syslog_is_encrypted_and_takes_a_certificate() {
    let (Some(program), Some(logger)) = (tool("rsyslogd"), tool("logger")) else { return };
    let place = Place::new();
    let Some((koshu, authority)) = start(&place).await else { return };
    // Nobody is heard who shows no certificate: it says so to curl, for one.
    let url = format!("telnet://localhost:{}", port(&koshu, "syslog"));
    let Some(plain) = curl(&["--max-time", "20", &url]) else { return };
    assert!(plain.stdout.len() < 16, "a word of TLS at most: {plain:?}");
    let Some(openssl) = tool("openssl") else { return };
    let connect = format!("localhost:{}", port(&koshu, "syslog"));
    let mut stranger = limited(&openssl);
    let root = authority.root().display().to_string();
    stranger.args(["s_client", "-connect", &connect, "-CAfile", &root, "-verify_return_error", "-quiet"]);
    let stranger = stranger.stdin(std::process::Stdio::null()).output().unwrap();
    assert!(String::from_utf8_lossy(&stranger.stderr).contains("certificate required"), "{stranger:?}");

    // As the sources page prints it, but for where the files are.
    let sources = koshu.client().get("/api/v1/sources").await.ok();
    let snippet = sources["snippets"].as_array().unwrap().iter().find(|snippet| snippet["key"] == "rsyslog").unwrap();
    assert_eq!(snippet["guard"], "certificate");
    let action = snippet["text"].as_str().unwrap();
    let action = action.replace("/etc/ssl/certs/ca-certificates.crt", &root);
    let action = action.replace("/etc/koshu/web-1", &authority.file("web-1").display().to_string());
    let begin = Timestamp::now();
    let rsyslog = Rsyslog::start(&program, folder(&place, "rsyslog"), &action).await;
    let lines = lines(200);
    say(&rsyslog, &logger, &lines);
    let [id, from_file] = [json!({"proc_id": "42", "facility": "user"}), json!({"facility": "local3"})];
    assert_said(koshu.client(), said("syslog", &lines, [&id, &from_file]), begin, "tls").await;
}

#[test]
fn what_would_let_strangers_in_is_refused_with_the_way_out() {
    let place = Place::new();
    let Some(authority) = Authority::new(&folder(&place, "tls")) else { return };
    authority.sign("server", "DNS:localhost");
    authority.sign("other", "DNS:localhost");
    let tls = |key: &str| {
        let (certificate, key) = (authority.file("server.pem"), authority.file(key));
        format!("server: {{tls: {{certificate: '{}', key: '{}'}}}}\n", certificate.display(), key.display())
    };
    for (yaml, listen, want) in [
        (String::new(), "http=0.0.0.0:0", "set server.tls and server.listen.https"),
        (String::new(), "https=127.0.0.1:0", "has no certificate to show: set server.tls"),
        (String::new(), "otlp_grpc=0.0.0.0:0", "nothing is encrypted there: listen on 127.0.0.1, or set server.tls"),
        (tls("server.key"), "forward=0.0.0.0:0", "set server.intake.forward_shared_key_file"),
        (tls("server.key"), "syslog=0.0.0.0:0", "set server.tls.clients"),
        (tls("server.key"), "statsd=0.0.0.0:0", "let an agent on this machine pass on what others send"),
        (tls("other.key"), "https=0.0.0.0:0", "other.key cannot be used"),
        (tls("nowhere.key"), "https=0.0.0.0:0", "nowhere.key cannot be read"),
        (tls("server.pem"), "https=0.0.0.0:0", "server.pem cannot be read"),
    ] {
        place.configure(&yaml);
        let config = place.path().join("config").display().to_string();
        let refused = place.run(["up", "--config", &config, "--http", "127.0.0.1:0", "--listen", listen]);
        assert!(refused.code == 1 && refused.stderr.contains(want), "{listen} {yaml}: {refused:?}");
    }
}
