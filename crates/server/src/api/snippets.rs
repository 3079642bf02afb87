//! How to connect a sender: configuration to copy, with this server's addresses in it.

use crate::parts::Parts;
use serde::Serialize;

/// What stands where a token goes, once one was made.
pub const TOKEN: &str = "YOUR_INGEST_TOKEN";

/// How to connect a sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Snippet {
    title: &'static str,
    language: &'static str,
    text: String,
}

/// This server's addresses, and whether senders need a token.
struct Here {
    http: String,
    forward: String,
    syslog: String,
    otlp_grpc: String,
    token: bool,
}

impl Here {
    fn of(parts: &Parts, token: bool) -> Self {
        let listeners = parts.listeners.lock();
        let at = |name: &str, usual: &str| listeners.get(name).cloned().unwrap_or_else(|| usual.to_owned());
        Self {
            http: at("http", "127.0.0.1:4649"),
            forward: at("forward", "127.0.0.1:24224"),
            syslog: at("syslog", "127.0.0.1:5514"),
            otlp_grpc: at("otlp_grpc", "127.0.0.1:4317"),
            token,
        }
    }

    /// A text that is only there with a token.
    fn with_token(&self, text: &str) -> String {
        if self.token { text.replace("TOKEN", TOKEN) } else { String::new() }
    }

    fn curl_token(&self) -> String {
        self.with_token("-H 'Authorization: Bearer TOKEN' ")
    }
}

fn host_and_port(address: &str) -> (&str, &str) {
    address.rsplit_once(':').unwrap_or((address, ""))
}

/// Every snippet.
pub async fn all(parts: &Parts) -> Vec<Snippet> {
    // When it can't be told, a token that is not needed does no harm.
    let token = parts.store.tokens().any_created().await.unwrap_or(true);
    let here = Here::of(parts, token);
    [access_logs(&here), shippers(&here), telemetry(&here), single(&here)].concat()
}

fn access_logs(here: &Here) -> Vec<Snippet> {
    let nginx = "log_format koshu escape=json '{\"time\":\"$time_iso8601\",\"method\":\"$request_method\",\
                 \"uri\":\"$request_uri\",\"status\":$status,\"bytes\":$body_bytes_sent,\
                 \"request_time\":$request_time,\"remote_addr\":\"$remote_addr\",\"user_agent\":\"$http_user_agent\",\
                 \"host\":\"$host\",\"request_id\":\"$request_id\"}';\naccess_log /var/log/nginx/access.log koshu;\n";
    vec![
        Snippet { title: "nginx: JSON with response times", language: "nginx", text: nginx.to_owned() },
        Snippet {
            title: "nginx: straight over syslog",
            language: "nginx",
            text: format!("access_log syslog:server={},tag=nginx combined;\n", here.syslog),
        },
        Snippet {
            title: "Past logs",
            language: "sh",
            text: "koshu import --service shop /var/log/nginx/access.log*\n".to_owned(),
        },
    ]
}

fn shippers(here: &Here) -> Vec<Snippet> {
    let (forward_host, forward_port) = host_and_port(&here.forward);
    let (syslog_host, syslog_port) = host_and_port(&here.syslog);
    let (http_host, http_port) = host_and_port(&here.http);
    vec![
        Snippet {
            title: "fluentd",
            language: "conf",
            text: format!(
                "<match **>\n  @type forward\n  require_ack_response true\n  <server>\n    host {forward_host}\n    \
                 port {forward_port}\n  </server>\n</match>\n"
            ),
        },
        Snippet {
            title: "Fluent Bit",
            language: "conf",
            text: format!(
                "[OUTPUT]\n    Name forward\n    Match *\n    Host {forward_host}\n    Port {forward_port}\n    \
                 Require_ack_response true\n"
            ),
        },
        Snippet {
            title: "Vector",
            language: "toml",
            text: format!(
                "[sinks.koshu]\ntype = \"elasticsearch\"\ninputs = [\"*\"]\nendpoints = [\"http://{}\"]\n\
                 bulk.index = \"shop\"\n{}",
                here.http,
                here.with_token("auth.strategy = \"basic\"\nauth.user = \"koshu\"\nauth.password = \"TOKEN\"\n")
            ),
        },
        Snippet {
            title: "rsyslog",
            language: "conf",
            text: format!(
                "action(type=\"omfwd\" target=\"{syslog_host}\" port=\"{syslog_port}\" protocol=\"tcp\"\n       \
                 template=\"RSYSLOG_SyslogProtocol23Format\" TCP_Framing=\"octet-counted\")\n"
            ),
        },
        Snippet {
            title: "Filebeat",
            language: "yaml",
            text: format!(
                "output.elasticsearch:\n  hosts: [\"http://{http_host}:{http_port}\"]\n{}setup.ilm.enabled: false\n\
                 setup.template.enabled: false\n",
                here.with_token("  username: koshu\n  password: TOKEN\n")
            ),
        },
        Snippet {
            title: "Promtail, Grafana Alloy and other clients of Loki",
            language: "yaml",
            text: format!(
                "clients:\n  - url: http://{}/loki/api/v1/push\n{}",
                here.http,
                here.with_token("    bearer_token: TOKEN\n")
            ),
        },
    ]
}

fn telemetry(here: &Here) -> Vec<Snippet> {
    let headers = here.with_token("export OTEL_EXPORTER_OTLP_HEADERS='Authorization=Bearer TOKEN'\n");
    let key = if here.token { TOKEN } else { "public" };
    vec![
        Snippet {
            title: "OpenTelemetry SDKs",
            language: "sh",
            text: format!(
                "export OTEL_SERVICE_NAME=shop\nexport OTEL_EXPORTER_OTLP_ENDPOINT=http://{}\n\
                 export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n{headers}",
                here.http
            ),
        },
        Snippet {
            title: "OpenTelemetry Collector",
            language: "yaml",
            text: format!(
                "exporters:\n  otlp:\n    endpoint: {}\n    tls: {{insecure: true}}\n{}",
                here.otlp_grpc,
                here.with_token("    headers: {Authorization: \"Bearer TOKEN\"}\n")
            ),
        },
        Snippet {
            title: "Sentry SDKs",
            language: "sh",
            text: format!("export SENTRY_DSN=http://{key}@{}/1\n", here.http),
        },
        Snippet {
            title: "Prometheus: remote write and alerts",
            language: "yaml",
            text: format!(
                "remote_write:\n  - url: http://{0}/api/v1/write\n{1}alerting:\n  alertmanagers:\n    - api_version: v2\n      \
                 static_configs: [{{targets: [\"{0}\"]}}]\n{2}",
                here.http,
                here.with_token("    authorization: {credentials: TOKEN}\n"),
                here.with_token("      authorization: {credentials: TOKEN}\n")
            ),
        },
    ]
}

fn single(here: &Here) -> Vec<Snippet> {
    let (http, token) = (&here.http, here.curl_token());
    vec![
        Snippet {
            title: "curl: one record",
            language: "sh",
            text: format!(
                "curl {token}--data-binary '{{\"time\":\"'$(date -Is)'\",\"method\":\"GET\",\"uri\":\"/\",\"status\":200,\
                 \"request_time\":0.012}}' http://{http}/api/v1/ingest/shop\n"
            ),
        },
        Snippet {
            title: "curl: a log file",
            language: "sh",
            text: format!("curl {token}--data-binary @access.log 'http://{http}/api/v1/ingest/shop?format=combined'\n"),
        },
        Snippet {
            title: "Heartbeat of a job",
            language: "sh",
            text: format!("nightly-backup; curl {token}http://{http}/ping/nightly-backup/$?\n"),
        },
        Snippet {
            title: "Deploy marker",
            language: "sh",
            text: format!(
                "curl {token}-H 'Content-Type: application/json' --data '{{\"kind\":\"deploy\",\"service\":\"shop\",\
                 \"title\":\"deploy\",\"version\":\"1.0\"}}' http://{http}/api/v1/changes\n"
            ),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_asked_for_only_once_one_was_made() {
        let here = |token| Here {
            http: "127.0.0.1:1".into(),
            forward: "127.0.0.1:2".into(),
            syslog: "127.0.0.1:3".into(),
            otlp_grpc: "127.0.0.1:4".into(),
            token,
        };
        let texts = |here: &Here| -> String {
            let all = [access_logs(here), shippers(here), telemetry(here), single(here)].concat();
            all.into_iter().map(|snippet| snippet.text).collect()
        };
        assert!(!texts(&here(false)).contains("TOKEN"));
        let with = texts(&here(true));
        assert!(with.matches(TOKEN).count() >= 8 && !with.replace(TOKEN, "").contains("TOKEN"), "{with}");
        for port in 1..=4 {
            assert!(with.contains(&format!("127.0.0.1:{port}")) || with.contains(&format!("{port}\n")));
        }
    }
}
