//! How to connect a sender: configuration to copy, with this server's addresses in it.
//!
//! Titles and remarks are the pages': a snippet has a key, for which there are texts in both languages. No secret is
//! ever in it: where a token goes stands [`TOKEN`] or [`READ_TOKEN`], which the page replaces.

use crate::problem::ApiError;
use axum::http::Uri;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// What stands where a token of a sender goes.
pub const TOKEN: &str = "YOUR_INGEST_TOKEN";
/// What stands where the key of fluentd's forward goes, which no page can fill in.
const SHARED_KEY: &str = "YOUR_SHARED_KEY";
/// What stands where a token of a reader goes.
pub const READ_TOKEN: &str = "YOUR_READ_TOKEN";

/// Who can use the address in a snippet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Everybody who reached this server as the browser did.
    Open,
    /// Programs on this machine.
    Here,
    /// Nobody: this is not listened to; the address is the usual one.
    Off,
    /// There is no address in it.
    NoAddress,
}

/// What keeps strangers from sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// A token.
    Token,
    /// A token, which is not needed while nobody made one.
    NoTokenYet,
    /// A token of one host, which the snippet itself makes.
    OwnToken,
    /// A secret of its own, with which what is sent is signed.
    Signature,
    /// Nothing but who reaches the port: the protocol has no place for a token.
    Port,
    /// The key of the configuration, which the sender is given too. What it sends is encrypted.
    Key,
    /// A certificate of its own, signed by whom the configuration names. What it sends is encrypted.
    Certificate,
    /// Nothing is sent over the network.
    Local,
}

/// How to connect a sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Snippet {
    key: &'static str,
    group: &'static str,
    language: &'static str,
    text: String,
    /// The listener that it sends to.
    listener: Option<&'static str>,
    reach: Reach,
    guard: Guard,
}

/// Where a browser reached this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    scheme: &'static str,
    host: String,
    port: u16,
}

impl FromStr for Reached {
    type Err = ApiError;

    fn from_str(raw: &str) -> Result<Self, ApiError> {
        let wrong = || ApiError::bad_request("at is the address of this server's pages, such as https://koshu.example");
        let uri: Uri = raw.parse().map_err(|_| wrong())?;
        let (scheme, usual) = match uri.scheme_str() {
            Some("http") => ("http", 80),
            Some("https") => ("https", 443),
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?;
        // It goes into commands for a shell: a host's name and nothing else.
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':');
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || !authority.as_str().chars().all(is_host) {
            return Err(wrong());
        }
        Ok(Self { scheme, host: authority.host().to_owned(), port: authority.port_u16().unwrap_or(usual) })
    }
}

impl Reached {
    /// Whether only this machine itself can have reached the server there.
    fn is_loopback(&self) -> bool {
        let ip = self.host.trim_matches(['[', ']']).parse::<IpAddr>();
        self.host.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback())
    }

    fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    /// With its port, also the usual one: some senders have another usual port.
    fn host_and_port(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.scheme, self.port) {
            ("http", 80) | ("https", 443) => write!(f, "{}://{}", self.scheme, self.host),
            _ => write!(f, "{}://{}:{}", self.scheme, self.host, self.port),
        }
    }
}

/// The address of a listener beside the HTTP one.
struct Listener {
    name: &'static str,
    host: String,
    port: String,
    reach: Reach,
    /// Other machines reach it, and it is encrypted.
    is_open: bool,
}

/// This server as senders see it.
struct Here {
    http: Reached,
    http_reach: Reach,
    forward: Listener,
    syslog: Listener,
    statsd: Listener,
    token: bool,
}

impl Here {
    fn of(listeners: &BTreeMap<String, String>, reached: Option<&Reached>, open: bool) -> Self {
        let outside = reached.filter(|reached| !reached.is_loopback());
        let beside = |name: &'static str, usual: &str| {
            let found = listeners.get(name);
            let at = found.map_or(usual, String::as_str);
            let (own, port) = at.rsplit_once(':').unwrap_or((at, ""));
            let is_open = at.parse::<SocketAddr>().is_ok_and(|at| !at.ip().is_loopback());
            // A certificate is for a name: the one by which the browser came, and in its want this machine's own.
            let (host, reach) = match (found, is_open, outside) {
                (None, ..) => (own, Reach::Off),
                (Some(_), false, _) => (own, Reach::Here),
                (Some(_), true, Some(reached)) => (reached.host.as_str(), Reach::Open),
                (Some(_), true, None) => ("localhost", Reach::Here),
            };
            Listener { name, host: host.to_owned(), port: port.to_owned(), reach, is_open }
        };
        let own = || {
            let listener = listeners.get("http").map_or("127.0.0.1:4649", String::as_str);
            format!("http://{listener}").parse().ok()
        };
        let usual = || Reached { scheme: "http", host: "127.0.0.1".to_owned(), port: 4649 };
        Self {
            http: outside.cloned().or_else(own).unwrap_or_else(usual),
            http_reach: if outside.is_some() { Reach::Open } else { Reach::Here },
            forward: beside("forward", "127.0.0.1:24224"),
            syslog: beside("syslog", "127.0.0.1:5514"),
            statsd: beside("statsd", "127.0.0.1:8125"),
            // The door is open only for this machine.
            token: !open || outside.is_some(),
        }
    }

    /// A text that is only there with a token.
    fn with_token(&self, text: &str) -> String {
        if self.token { text.replace("TOKEN", TOKEN) } else { String::new() }
    }

    fn curl_token(&self) -> String {
        self.with_token("-H 'Authorization: Bearer TOKEN' ")
    }

    /// A snippet that sends over HTTP.
    fn http(&self, key: &'static str, group: &'static str, language: &'static str, text: String) -> Snippet {
        let guard = if self.token { Guard::Token } else { Guard::NoTokenYet };
        Snippet { key, group, language, text, listener: Some("http"), reach: self.http_reach, guard }
    }
}

/// A snippet that sends to a port of its own.
fn port(to: &Listener, key: &'static str, group: &'static str, language: &'static str, text: String) -> Snippet {
    Snippet { key, group, language, text, listener: Some(to.name), reach: to.reach, guard: Guard::Port }
}

/// A snippet with which nothing is sent.
fn local(key: &'static str, group: &'static str, language: &'static str, text: &str) -> Snippet {
    let text = text.to_owned();
    Snippet { key, group, language, text, listener: None, reach: Reach::NoAddress, guard: Guard::Local }
}

/// Every snippet, with the addresses of these listeners or, for HTTP, the one where a browser reached this server.
/// `open` while no token was ever made.
pub fn all(listeners: &BTreeMap<String, String>, reached: Option<&Reached>, open: bool) -> Vec<Snippet> {
    let here = Here::of(listeners, reached, open);
    [access_logs(&here), hosts(&here), shippers(&here), telemetry(&here), metrics(&here), jobs(&here)].concat()
}

fn access_logs(here: &Here) -> Vec<Snippet> {
    let (http, token, syslog) = (&here.http, here.curl_token(), &here.syslog);
    // nginx sends datagrams, which are not encrypted.
    let over_syslog = (!syslog.is_open).then(|| {
        let to = format!("access_log syslog:server={}:{},tag=nginx combined;\n", syslog.host, syslog.port);
        port(syslog, "nginx-syslog", "access", "nginx", to)
    });
    let json = local(
        "nginx-json",
        "access",
        "nginx",
        "log_format koshu escape=json '{\"time\":\"$time_iso8601\",\"method\":\"$request_method\",\
             \"uri\":\"$request_uri\",\"status\":$status,\"bytes\":$body_bytes_sent,\
             \"request_time\":$request_time,\"remote_addr\":\"$remote_addr\",\"user_agent\":\"$http_user_agent\",\
             \"host\":\"$host\",\"request_id\":\"$request_id\"}';\naccess_log /var/log/nginx/access.log koshu;\n",
    );
    let others = vec![
        local("past-logs", "access", "sh", "koshu import --service shop /var/log/nginx/access.log*\n"),
        here.http(
            "curl-lines",
            "access",
            "sh",
            format!("curl {token}--data-binary @access.log '{http}/api/v1/ingest/shop?format=combined'\n"),
        ),
        here.http(
            "curl-record",
            "access",
            "sh",
            format!(
                "curl {token}--data-binary '{{\"time\":\"'$(date -Is)'\",\"method\":\"GET\",\"uri\":\"/\",\"status\":200,\
                 \"request_time\":0.012}}' {http}/api/v1/ingest/shop\n"
            ),
        ),
    ];
    [json].into_iter().chain(over_syslog).chain(others).collect()
}

/// Agents of other hosts. Each takes a token of its own, whether the door for senders is open or not.
fn hosts(here: &Here) -> Vec<Snippet> {
    let http = &here.http;
    let agent =
        |key, group, language, text| Snippet { guard: Guard::OwnToken, ..here.http(key, group, language, text) };
    vec![
        agent(
            "agent",
            "hosts",
            "sh",
            format!(
                "# Koshu:\nkoshu token create --name web-1 --scope agent > web-1.token\n# web-1:\n\
                 koshu-agent --server {http} --token-file web-1.token\n"
            ),
        ),
        agent(
            "agent-systemd",
            "hosts",
            "ini",
            format!(
                "# useradd --system --groups adm koshu-agent\n\
                 # install -D -o koshu-agent -m 400 web-1.token /etc/koshu-agent/token\n\
                 # /etc/systemd/system/koshu-agent.service:\n\
                 [Unit]\nDescription=Koshu agent\nWants=network-online.target\nAfter=network-online.target\n\n\
                 [Service]\nUser=koshu-agent\n\
                 ExecStart=/usr/local/bin/koshu-agent --server {http} --token-file /etc/koshu-agent/token\n\
                 Restart=always\nRestartSec=5\nNoNewPrivileges=yes\nCapabilityBoundingSet=\n\
                 ProtectSystem=strict\nProtectHome=read-only\nPrivateTmp=yes\nPrivateDevices=yes\n\
                 SystemCallFilter=@system-service\nMemoryMax=256M\n\n[Install]\nWantedBy=multi-user.target\n\
                 # systemctl enable --now koshu-agent\n"
            ),
        ),
    ]
}

/// A snippet for fluentd's forward: where it is encrypted, the sender proves the key too.
fn forward(of: Snippet, to: &Listener) -> Snippet {
    if to.is_open { Snippet { guard: Guard::Key, ..of } } else { of }
}

fn fluentd(to: &Listener) -> Snippet {
    let (transport, security) = if to.is_open {
        let security = format!("  <security>\n    self_hostname web-1\n    shared_key {SHARED_KEY}\n  </security>\n");
        ("  transport tls\n", security)
    } else {
        ("", String::new())
    };
    let text = format!(
        "<match **>\n  @type forward\n{transport}  require_ack_response true\n{security}  <server>\n    host {}\n    \
         port {}\n  </server>\n</match>\n",
        to.host, to.port
    );
    forward(port(to, "fluentd", "shippers", "conf", text), to)
}

fn fluent_bit(to: &Listener) -> Snippet {
    let tls = if to.is_open {
        format!("    tls On\n    Self_Hostname web-1\n    Shared_Key {SHARED_KEY}\n")
    } else {
        String::new()
    };
    let text = format!(
        "[OUTPUT]\n    Name forward\n    Match *\n    Host {}\n    Port {}\n    Require_ack_response true\n{tls}",
        to.host, to.port
    );
    forward(port(to, "fluent-bit", "shippers", "conf", text), to)
}

fn rsyslog(to: &Listener) -> Snippet {
    let (files, driver) = if to.is_open {
        let files = "# Debian and Ubuntu: apt install rsyslog-gnutls\n\
                     global(DefaultNetstreamDriverCAFile=\"/etc/ssl/certs/ca-certificates.crt\"\n       \
                     DefaultNetstreamDriverCertFile=\"/etc/koshu/web-1.pem\"\n       \
                     DefaultNetstreamDriverKeyFile=\"/etc/koshu/web-1.key\")\n";
        let driver = format!(
            "\n       StreamDriver=\"gtls\" StreamDriverMode=\"1\" StreamDriverAuthMode=\"x509/name\"\n       \
             StreamDriverPermittedPeers=\"{}\"",
            to.host
        );
        (files, driver)
    } else {
        ("", String::new())
    };
    let text = format!(
        "{files}action(type=\"omfwd\" target=\"{}\" port=\"{}\" protocol=\"tcp\"\n       \
         template=\"RSYSLOG_SyslogProtocol23Format\" TCP_Framing=\"octet-counted\"{driver})\n",
        to.host, to.port
    );
    let guard = if to.is_open { Guard::Certificate } else { Guard::Port };
    Snippet { guard, ..port(to, "rsyslog", "shippers", "conf", text) }
}

fn shippers(here: &Here) -> Vec<Snippet> {
    let http = &here.http;
    vec![
        fluentd(&here.forward),
        fluent_bit(&here.forward),
        here.http(
            "vector",
            "shippers",
            "toml",
            format!(
                "[sinks.koshu]\ntype = \"elasticsearch\"\ninputs = [\"*\"]\nendpoints = [\"{http}\"]\n\
                 bulk.index = \"shop\"\n{}",
                here.with_token("auth.strategy = \"basic\"\nauth.user = \"koshu\"\nauth.password = \"TOKEN\"\n")
            ),
        ),
        here.http(
            "filebeat",
            "shippers",
            "yaml",
            format!(
                "output.elasticsearch:\n  hosts: [\"{}://{}\"]\n{}setup.ilm.enabled: false\n\
                 setup.template.enabled: false\n",
                http.scheme,
                http.host_and_port(),
                here.with_token("  username: koshu\n  password: TOKEN\n")
            ),
        ),
        here.http(
            "promtail",
            "shippers",
            "yaml",
            format!("clients:\n  - url: {http}/loki/api/v1/push\n{}", here.with_token("    bearer_token: TOKEN\n")),
        ),
        here.http(
            "alloy",
            "shippers",
            "alloy",
            format!(
                "loki.write \"koshu\" {{\n  endpoint {{\n    url = \"{http}/loki/api/v1/push\"\n{}  }}\n}}\n",
                here.with_token("    bearer_token = \"TOKEN\"\n")
            ),
        ),
        rsyslog(&here.syslog),
    ]
}

fn telemetry(here: &Here) -> Vec<Snippet> {
    let http = &here.http;
    let key = if here.token { TOKEN } else { "public" };
    vec![
        here.http(
            "otel-sdk",
            "telemetry",
            "sh",
            format!(
                "export OTEL_SERVICE_NAME=shop\nexport OTEL_EXPORTER_OTLP_ENDPOINT={http}\n\
                 export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n{}",
                here.with_token("export OTEL_EXPORTER_OTLP_HEADERS='Authorization=Bearer TOKEN'\n")
            ),
        ),
        here.http(
            "otel-collector",
            "telemetry",
            "yaml",
            format!(
                "exporters:\n  otlphttp/koshu:\n    endpoint: {http}\n{}service:\n  pipelines:\n    \
                 traces: {{receivers: [otlp], exporters: [otlphttp/koshu]}}\n    \
                 metrics: {{receivers: [otlp], exporters: [otlphttp/koshu]}}\n    \
                 logs: {{receivers: [otlp], exporters: [otlphttp/koshu]}}\n",
                here.with_token("    headers: {Authorization: \"Bearer TOKEN\"}\n")
            ),
        ),
        here.http(
            "sentry",
            "telemetry",
            "sh",
            format!("export SENTRY_DSN={}://{key}@{}/1\n", http.scheme, http.host_and_port()),
        ),
    ]
}

fn metrics(here: &Here) -> Vec<Snippet> {
    let (http, statsd) = (&here.http, &here.statsd);
    let target = http.host_and_port();
    let scheme = |indent: &str| if http.is_https() { format!("{indent}scheme: https\n") } else { String::new() };
    vec![
        here.http(
            "prometheus",
            "metrics",
            "yaml",
            format!(
                "remote_write:\n  - url: {http}/api/v1/write\n{}alerting:\n  alertmanagers:\n    \
                 - api_version: v2\n{}      static_configs: [{{targets: [\"{target}\"]}}]\n{}",
                here.with_token("    authorization: {credentials: TOKEN}\n"),
                scheme("      "),
                here.with_token("      authorization: {credentials: TOKEN}\n")
            ),
        ),
        here.http(
            "alertmanager",
            "metrics",
            "yaml",
            format!(
                "receivers:\n  - name: koshu\n    webhook_configs:\n      - url: {http}/api/v1/alertmanager\n        \
                 send_resolved: true\n{}",
                here.with_token("        http_config: {authorization: {credentials: TOKEN}}\n")
            ),
        ),
        // Reading takes a token, whether the door for senders is open or not.
        Snippet {
            guard: Guard::Token,
            ..here.http(
                "prometheus-scrape",
                "metrics",
                "yaml",
                format!(
                    "scrape_configs:\n  - job_name: koshu\n{}    static_configs: [{{targets: [\"{target}\"]}}]\n    \
                     authorization: {{credentials: {READ_TOKEN}}}\n",
                    scheme("    ")
                ),
            )
        },
        local("scrape", "metrics", "yaml", "scrape:\n  - {job: node, targets: [\"http://127.0.0.1:9100/metrics\"]}\n"),
        port(
            statsd,
            "statsd",
            "metrics",
            "sh",
            format!("echo 'shop.orders:1|c' | nc -u -w0 {} {}\n", statsd.host, statsd.port),
        ),
    ]
}

fn jobs(here: &Here) -> Vec<Snippet> {
    let (http, token) = (&here.http, here.curl_token());
    // This file is committed: the token itself stays out of it, in the repository's secrets.
    let (secret, secret_header) = if here.token {
        ("          KOSHU_TOKEN: ${{ secrets.KOSHU_TOKEN }}\n", "          -H \"Authorization: Bearer $KOSHU_TOKEN\"\n")
    } else {
        ("", "")
    };
    vec![
        here.http(
            "heartbeat",
            "jobs",
            "cron",
            format!("0 3 * * * /usr/local/bin/backup; curl -fsS -m 10 {token}{http}/ping/nightly-backup/$?\n"),
        ),
        here.http(
            "deploy",
            "jobs",
            "sh",
            format!(
                "curl {token}-H 'Content-Type: application/json' --data '{{\"kind\":\"deploy\",\"service\":\"shop\",\
                 \"title\":\"shop 1.0\",\"version\":\"1.0\"}}' {http}/api/v1/changes\n"
            ),
        ),
        // GitHub signs what it sends; the comment names what the two sides share.
        Snippet {
            guard: Guard::Signature,
            ..here.http(
                "github-webhook",
                "jobs",
                "yaml",
                format!(
                    "# Payload URL: {http}/api/v1/webhooks/github\n# Content type: application/json\n# koshu.yaml:\n\
                     server: {{intake: {{github_secret_file: /etc/koshu/github-secret}}}}\n"
                ),
            )
        },
        here.http(
            "github-actions",
            "jobs",
            "yaml",
            format!(
                "      - name: Tell Koshu of the deploy\n        env:\n{secret}          \
                 VERSION: ${{{{ github.sha }}}}\n        run: >-\n          curl -fsS {http}/api/v1/changes\n\
                 {secret_header}          -H 'Content-Type: application/json'\n          \
                 --data '{{\"kind\":\"deploy\",\"service\":\"shop\",\"title\":\"'\"$VERSION\"'\",\
                 \"version\":\"'\"$VERSION\"'\"}}'\n"
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listeners() -> BTreeMap<String, String> {
        let all = [("http", "127.0.0.1:1001"), ("forward", "127.0.0.1:1002"), ("syslog", "127.0.0.1:1003")];
        all.into_iter().map(|(name, at)| (name.to_owned(), at.to_owned())).collect()
    }

    fn snippets(at: Option<&str>, open: bool) -> Vec<Snippet> {
        all(&listeners(), at.map(|at| at.parse().unwrap()).as_ref(), open)
    }

    fn one(all: &[Snippet], key: &str) -> Snippet {
        all.iter().find(|snippet| snippet.key == key).unwrap().clone()
    }

    #[test]
    fn a_token_is_asked_for_only_once_one_was_made() {
        let here = snippets(None, true);
        assert!(here.iter().all(|snippet| !snippet.text.contains(TOKEN)), "{here:?}");
        let with: Vec<Snippet> = snippets(None, false);
        for snippet in &with {
            let asks = [TOKEN, READ_TOKEN, "secrets.KOSHU_TOKEN"].iter().any(|token| snippet.text.contains(token));
            assert_eq!(asks, snippet.guard == Guard::Token, "{}", snippet.key);
            let rest = snippet.text.replace(TOKEN, "").replace(READ_TOKEN, "").replace("KOSHU_TOKEN", "");
            assert!(!rest.contains("TOKEN"), "{}", snippet.text);
        }
        assert!(with.iter().filter(|snippet| snippet.guard == Guard::Token).count() >= 12);
        assert!(one(&here, "prometheus-scrape").text.contains(READ_TOKEN), "reading always takes one");
    }

    #[test]
    fn senders_elsewhere_need_a_token_and_the_address_by_which_the_browser_came() {
        let away = snippets(Some("https://koshu.example"), true);
        for (key, want) in [
            ("curl-lines", "'https://koshu.example/api/v1/ingest/shop?format=combined'"),
            ("filebeat", "[\"https://koshu.example:443\"]"),
            ("sentry", "https://YOUR_INGEST_TOKEN@koshu.example:443/1"),
            ("prometheus", "      scheme: https\n      static_configs: [{targets: [\"koshu.example:443\"]}]"),
            ("agent", "\nkoshu-agent --server https://koshu.example --token-file web-1.token\n"),
            ("agent-systemd", "koshu-agent --server https://koshu.example --token-file /etc/koshu-agent/token\n"),
            ("fluentd", "host 127.0.0.1\n    port 1002"),
            ("nginx-syslog", "server=127.0.0.1:1003,"),
            ("statsd", "127.0.0.1 8125"),
        ] {
            let snippet = one(&away, key);
            assert!(snippet.text.contains(want), "{key}: {}", snippet.text);
        }
        let reach = |key| one(&away, key).reach;
        assert_eq!((reach("curl-lines"), reach("fluentd"), reach("statsd")), (Reach::Open, Reach::Here, Reach::Off));
        for at in ["http://localhost:9999", "http://127.0.0.2", "http://[::1]:9999"] {
            let near = one(&snippets(Some(at), true), "curl-lines");
            assert!(near.text.contains("'http://127.0.0.1:1001/api"), "{at}: {}", near.text);
            assert_eq!((near.reach, near.guard), (Reach::Here, Guard::NoTokenYet), "{at}");
            let agent = one(&snippets(Some(at), true), "agent");
            assert_eq!((agent.reach, agent.guard), (Reach::Here, Guard::OwnToken), "{at}");
        }
    }

    #[test]
    fn what_other_machines_reach_is_encrypted_and_proves_itself() {
        let mut listeners = listeners();
        listeners.insert("forward".to_owned(), "0.0.0.0:1002".to_owned());
        listeners.insert("syslog".to_owned(), "[2001:db8::1]:1003".to_owned());
        let at = |at: &str| all(&listeners, Some(&at.parse().unwrap()), false);
        let away = at("https://koshu.example:8443");
        for (key, want, guard) in [
            (
                "fluentd",
                &["transport tls", "shared_key YOUR_SHARED_KEY", "host koshu.example\n    port 1002"][..],
                Guard::Key,
            ),
            ("fluent-bit", &["tls On", "Shared_Key YOUR_SHARED_KEY", "Host koshu.example\n    Port 1002"], Guard::Key),
            (
                "rsyslog",
                &["StreamDriver=\"gtls\"", "target=\"koshu.example\" port=\"1003\"", "Peers=\"koshu.example\""],
                Guard::Certificate,
            ),
        ] {
            let snippet = one(&away, key);
            assert!(want.iter().all(|want| snippet.text.contains(want)), "{key}: {}", snippet.text);
            assert_eq!((snippet.reach, snippet.guard), (Reach::Open, guard), "{key}");
        }
        assert!(away.iter().all(|snippet| snippet.key != "nginx-syslog"), "its datagrams are not encrypted");
        let near = one(&at("http://127.0.0.1:1001"), "fluentd");
        assert!(
            near.reach == Reach::Here && near.text.contains("transport tls") && near.text.contains("host localhost")
        );
    }

    #[test]
    fn an_address_that_is_none_goes_into_no_command() {
        for at in [
            "",
            "koshu.example",
            "ftp://koshu.example",
            "https://koshu.example/pages",
            "https://koshu.example/?a=b",
            "https://user@koshu.example",
            "https://koshu.example'$(reboot)'",
            "https://",
        ] {
            assert!(at.parse::<Reached>().is_err(), "{at}");
        }
        assert_eq!("http://192.0.2.1:8080/".parse::<Reached>().unwrap().to_string(), "http://192.0.2.1:8080");
    }

    #[test]
    fn every_snippet_has_a_key_of_its_own() {
        let all = snippets(None, true);
        let keys: std::collections::BTreeSet<&str> = all.iter().map(|snippet| snippet.key).collect();
        assert_eq!(keys.len(), all.len());
    }
}
