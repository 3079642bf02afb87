//! The `server` section: budgets, time zone, retention, addresses.

use super::listen::ListenSection;
use super::problem::Problem;
use base::{ByteSize, Secret, ServiceName, Span};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

const DAY: Span = Span::from_seconds(86_400);

/// The server as a whole.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServerSection {
    /// Memory it never exceeds, for example `1GiB`. Default: a quarter of the machine's memory.
    #[serde(deserialize_with = "size")]
    #[schemars(with = "Option<ByteSize>")]
    pub memory: Option<ByteSize>,
    /// Disk space it never exceeds, for example `20GiB`. Default: 20 GiB, or half of the free space if that is less.
    #[serde(deserialize_with = "size")]
    #[schemars(with = "Option<ByteSize>")]
    pub disk: Option<ByteSize>,
    /// Time zone in which days begin, for example `Asia/Tokyo`. Default: the machine's.
    #[serde(deserialize_with = "time_zone")]
    pub time_zone: Option<String>,
    /// PostgreSQL address (`postgres://...`) for what people decide and write. Default: SQLite in the data folder.
    #[schemars(with = "Option<String>")]
    pub store_url: Option<Secret>,
    /// File that holds the address in `store_url`, which has a password in it.
    pub store_url_file: Option<PathBuf>,
    /// How long records are kept.
    pub retention: RetentionSection,
    /// Addresses to listen on.
    pub listen: ListenSection,
    /// The certificate that other machines are shown. Without it everything listens on this machine only.
    pub tls: Option<TlsSection>,
    /// How records of other programs' protocols are taken.
    pub intake: IntakeSection,
    /// How external checks are run.
    pub checks: ChecksSection,
}

/// The certificate that other machines are shown, and its key: PEM files, read again when they change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsSection {
    /// File of the certificate, and behind it those that lead to the root.
    pub certificate: PathBuf,
    /// File of its private key.
    pub key: PathBuf,
    /// File of the certificates that sign those of syslog's senders, which have no other way to prove themselves.
    pub clients: Option<PathBuf>,
}

/// How external checks are run.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChecksSection {
    /// The address that answers when this machine's own network works. Default: the gateway of the default route.
    #[serde(deserialize_with = "gateway")]
    #[schemars(with = "Option<String>")]
    pub gateway: Option<IpAddr>,
    /// The name server to ask: `192.0.2.53:53`. Default: as this system does.
    #[serde(deserialize_with = "resolver")]
    #[schemars(with = "Option<String>")]
    pub resolver: Option<SocketAddr>,
}

/// How records of other programs' protocols are taken.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IntakeSection {
    /// Which service a record belongs to, by what its sender calls itself; the first rule that fits wins. Without one the
    /// sender's own name becomes the service's.
    pub senders: Vec<SenderRule>,
    /// Mask the name part of e-mail addresses in everything that programs say. Default: `false`.
    pub redact_emails: bool,
    /// The key that senders of fluentd's forward protocol must prove. Default: none, everybody on this machine may send.
    #[schemars(with = "Option<String>")]
    pub forward_shared_key: Option<Secret>,
    /// File that holds the key in `forward_shared_key`.
    pub forward_shared_key_file: Option<PathBuf>,
    /// Users of fluentd's forward protocol, who prove a password besides the key. Default: none, the key is enough.
    pub forward_users: Vec<ForwardUser>,
    /// The secret with which GitHub signs its webhooks to `/api/v1/webhooks/github`. Default: none, they are refused.
    #[schemars(with = "Option<String>")]
    pub github_secret: Option<Secret>,
    /// File that holds the secret in `github_secret`.
    pub github_secret_file: Option<PathBuf>,
}

impl IntakeSection {
    /// What can be said only when secrets were read from their files.
    pub(super) fn problem(&self) -> Option<Problem> {
        if let Some(user) = self.forward_users.iter().find(|user| user.password.is_none()) {
            let message = format!("`server.intake.forward_users`: {:?} has no password", user.name);
            return Some(Problem::new(message).help("add `password_file`, or `password`"));
        }
        let lacks_key = !self.forward_users.is_empty() && self.forward_shared_key.is_none();
        lacks_key.then(|| {
            Problem::new("`server.intake.forward_users` are asked for only together with a key, which is not set")
                .help("add `forward_shared_key_file`")
        })
    }
}

/// A user of fluentd's forward protocol: `{name: web, password_file: /etc/koshu/forward-web}`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForwardUser {
    /// What the sender calls its user.
    pub name: String,
    /// The user's password.
    #[schemars(with = "Option<String>")]
    #[serde(default)]
    pub password: Option<Secret>,
    /// File that holds the password in `password`.
    pub password_file: Option<PathBuf>,
}

/// One rule: `{says: "app.web.*", service: shop}`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SenderRule {
    /// What the sender calls itself: tag, index, `service.name`, app name. `*` stands for any text.
    pub says: String,
    /// The service that it means.
    #[schemars(with = "String")]
    pub service: ServiceName,
}

/// How long records are kept, by table: at least `1d`. The disk budget may end it earlier, and says so.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionSection {
    /// Single requests. Default: `30d`.
    #[serde(deserialize_with = "days")]
    pub requests: Span,
    /// Log records. Default: `30d`.
    #[serde(deserialize_with = "days")]
    pub logs: Span,
    /// Steps of traces. Default: `14d`.
    #[serde(deserialize_with = "days")]
    pub spans: Span,
    /// Measured values. Default: `30d`.
    #[serde(deserialize_with = "days")]
    pub samples: Span,
    /// Exceptions. Default: `90d`.
    #[serde(deserialize_with = "days")]
    pub errors: Span,
    /// What happened: heartbeats, alerts, sessions. Default: `400d`.
    #[serde(deserialize_with = "days")]
    pub events: Span,
    /// Roll-ups of one minute, which the golden signals are drawn from. Default: `400d`.
    #[serde(deserialize_with = "days")]
    pub rollup_1m: Span,
}
impl Default for RetentionSection {
    fn default() -> Self {
        let days = |count: i64| Span::from_micros(DAY.micros() * count);
        Self {
            requests: days(30),
            logs: days(30),
            spans: days(14),
            samples: days(30),
            errors: days(90),
            events: days(400),
            rollup_1m: days(400),
        }
    }
}

fn gateway<'de, D: Deserializer<'de>>(input: D) -> Result<Option<IpAddr>, D::Error> {
    let raw = String::deserialize(input)?;
    let wrong = |_| D::Error::custom(format!("{raw:?} is no address; write for example 192.0.2.1"));
    raw.parse().map(Some).map_err(wrong)
}

fn resolver<'de, D: Deserializer<'de>>(input: D) -> Result<Option<SocketAddr>, D::Error> {
    let raw = String::deserialize(input)?;
    let with_port = raw.parse().ok().or_else(|| Some(SocketAddr::new(raw.parse().ok()?, 53)));
    let wrong = || D::Error::custom(format!("{raw:?} is no address; write for example 192.0.2.53:53"));
    with_port.map(Some).ok_or_else(wrong)
}

fn size<'de, D: Deserializer<'de>>(input: D) -> Result<Option<ByteSize>, D::Error> {
    let raw = String::deserialize(input)?;
    let parsed = raw.parse().map_err(|error| D::Error::custom(format!("{error}; write for example 512MiB or 20GiB")));
    match parsed? {
        ByteSize(0) => Err(D::Error::custom("a budget of 0 leaves no room to work; write for example 512MiB")),
        size => Ok(Some(size)),
    }
}

fn days<'de, D: Deserializer<'de>>(input: D) -> Result<Span, D::Error> {
    let raw = String::deserialize(input)?;
    let span: Span = raw.parse().map_err(|error| D::Error::custom(format!("{error}; write days, for example 30d")))?;
    if span < DAY {
        return Err(D::Error::custom(format!("{raw:?} is shorter than a day; write days, for example 30d")));
    }
    Ok(span)
}

fn time_zone<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    let raw = String::deserialize(input)?;
    match jiff::tz::TimeZone::get(&raw) {
        Ok(_) => Ok(Some(raw)),
        Err(_) => Err(D::Error::custom(format!("{raw:?} is no time zone here; write for example Asia/Tokyo or UTC"))),
    }
}
