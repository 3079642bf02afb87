//! The `listen` section: addresses, and which of them other machines may reach.

use super::ServerSection;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::net::SocketAddr;

/// Every listener that can have an address, by its key.
pub const LISTENERS: [&str; 8] =
    ["http", "https", "otlp_grpc", "otlp_http", "forward", "syslog", "elasticsearch", "statsd"];

/// Addresses to listen on: `127.0.0.1:4649`, port 0 for any free one, or `off`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListenSection {
    /// Pages, API and every protocol over HTTP. Default: `127.0.0.1:4649`.
    pub http: Option<Listen>,
    /// The same over HTTPS, also for other machines; takes `tls`. Default: off.
    pub https: Option<Listen>,
    /// OpenTelemetry over gRPC.
    pub otlp_grpc: Option<Listen>,
    /// OpenTelemetry over HTTP.
    pub otlp_http: Option<Listen>,
    /// fluentd forward.
    pub forward: Option<Listen>,
    /// syslog.
    pub syslog: Option<Listen>,
    /// Elasticsearch-compatible intake.
    pub elasticsearch: Option<Listen>,
    /// StatsD.
    pub statsd: Option<Listen>,
}

/// Where to listen, or not to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listen {
    /// Do not.
    Off,
    /// There.
    At(SocketAddr),
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let raw = String::deserialize(input)?;
        if raw == "off" {
            return Ok(Self::Off);
        }
        let wrong = |_| D::Error::custom(format!("{raw:?} is no address; write 127.0.0.1:4649, or \"off\""));
        raw.parse().map(Self::At).map_err(wrong)
    }
}
impl JsonSchema for Listen {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Listen".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "examples": ["127.0.0.1:4649", "off"] })
    }
}

impl ListenSection {
    /// What is set for a listener.
    pub fn get(&self, name: &str) -> Option<Listen> {
        match name {
            "http" => self.http,
            "https" => self.https,
            "otlp_grpc" => self.otlp_grpc,
            "otlp_http" => self.otlp_http,
            "forward" => self.forward,
            "syslog" => self.syslog,
            "elasticsearch" => self.elasticsearch,
            "statsd" => self.statsd,
            _ => None,
        }
    }
}

/// Why nothing listens at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What is wrong with it.
    pub why: String,
    /// The way out.
    pub help: &'static str,
}

impl ServerSection {
    /// Beyond this machine everything is encrypted, and every sender proves that it may send. Says what is missing for
    /// that.
    pub fn refused(&self, name: &str, at: SocketAddr) -> Option<Refused> {
        if at.ip().is_loopback() {
            let lacks = name == "https" && self.tls.is_none();
            return lacks.then(|| Refused {
                why: format!("{at} for https has no certificate to show"),
                help: "set server.tls",
            });
        }
        let refused = |why: &str, help| {
            Some(Refused { why: format!("{at} for {name} is reachable from other machines, and {why}"), help })
        };
        match (name, &self.tls) {
            ("http", _) => refused(
                "nothing is encrypted there",
                "listen on 127.0.0.1, and for other machines set server.tls and server.listen.https, or put a reverse \
                 proxy with TLS in front",
            ),
            ("statsd", _) => refused(
                "its datagrams can be neither encrypted nor refused to strangers",
                "listen on 127.0.0.1 and let an agent on this machine pass on what others send",
            ),
            (_, None) => refused("nothing is encrypted there", "listen on 127.0.0.1, or set server.tls"),
            ("forward", _) if self.intake.forward_shared_key.is_none() => {
                refused("everybody there could send", "set server.intake.forward_shared_key_file")
            }
            ("syslog", Some(tls)) if tls.clients.is_none() => refused(
                "everybody there could send",
                "set server.tls.clients, the file of the certificates that sign those of senders",
            ),
            _ => None,
        }
    }
}
