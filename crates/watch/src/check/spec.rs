//! A check as people write it, and as it is once it is right.

use super::step::{Below, HttpStep};
use super::variables::is_name;
use base::{Secret, ServiceName, Span};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// What the server is called in `from`.
pub const LOCAL: &str = "server";
/// Most steps of a scenario.
pub const MAX_STEPS: usize = 20;
/// Shortest interval of a check.
const SHORTEST: Span = Span::from_seconds(10);
/// Shortest interval of a heartbeat.
const SHORTEST_HEARTBEAT: Span = Span::from_seconds(1);
/// Longest interval.
const LONGEST: Span = Span::from_seconds(400 * 86_400);
/// Longest time that a step may take.
const LONGEST_TIMEOUT: Span = Span::from_seconds(60);
const DEFAULT_EVERY: Span = Span::from_seconds(60);
const DEFAULT_TIMEOUT: Span = Span::from_seconds(10);
const DEFAULT_EXPIRES_IN: Span = Span::from_seconds(21 * 86_400);
const MAX_RETRIES: u32 = 5;
const MAX_LOCATIONS: usize = 20;

/// Name of a check: 1 to 63 of `a-z`, `0-9`, `-`, as that of a service.
pub type CheckName = ServiceName;

/// Host and port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// Name or address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl FromStr for HostPort {
    type Err = String;

    fn from_str(raw: &str) -> Result<Self, String> {
        let wrong = || format!("{raw:?} is no host with a port; write for example shop.example:443");
        let (host, port) = raw.rsplit_once(':').ok_or_else(wrong)?;
        let host = host.strip_prefix('[').map_or(Some(host), |inner| inner.strip_suffix(']')).ok_or_else(wrong)?;
        let port: u16 = port.parse().map_err(|_| wrong())?;
        if port == 0 || !is_host(host) {
            return Err(wrong());
        }
        Ok(Self { host: host.to_owned(), port })
    }
}
impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

fn is_host(host: &str) -> bool {
    if host.parse::<std::net::IpAddr>().is_ok() {
        return true;
    }
    let label = |label: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        !label.is_empty() && label.len() <= 63 && label.bytes().all(plain)
    };
    host.len() <= 253 && host.strip_suffix('.').unwrap_or(host).split('.').all(label)
}

/// A kind of DNS record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordKind {
    /// IPv4 address.
    A,
    /// IPv6 address.
    Aaaa,
    /// Another name.
    Cname,
    /// Mail servers: `10 mail.shop.example.`
    Mx,
    /// Name servers.
    Ns,
    /// Texts.
    Txt,
    /// Reverse name.
    Ptr,
    /// Servers of a protocol.
    Srv,
    /// Who may issue certificates.
    Caa,
    /// Start of authority.
    Soa,
}

impl RecordKind {
    /// As name servers call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Ns => "NS",
            Self::Txt => "TXT",
            Self::Ptr => "PTR",
            Self::Srv => "SRV",
            Self::Caa => "CAA",
            Self::Soa => "SOA",
        }
    }
}

/// A question to a name server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsQuestion {
    /// The name.
    pub name: String,
    /// What is asked for.
    pub kind: RecordKind,
    /// What must be among the answers; nothing means that there must be any.
    pub answers: Vec<String>,
    /// Whom to ask; `None` as the system does.
    pub resolver: Option<SocketAddr>,
}

/// What is looked at.
#[derive(Debug, Clone, PartialEq)]
pub enum Probe {
    /// HTTP, step by step.
    Http(Vec<HttpStep>),
    /// A connection.
    Tcp(HostPort),
    /// A TLS handshake and the certificate.
    Tls {
        /// Where.
        at: HostPort,
        /// How long the certificate must be valid at least.
        expires_in: Span,
    },
    /// A name server's answer.
    Dns(DnsQuestion),
    /// An echo.
    Icmp {
        /// Whose.
        host: String,
    },
    /// A job that says that it ran.
    Heartbeat {
        /// Under which id.
        id: String,
        /// How much later than `every` it may come.
        grace: Span,
    },
}

impl Probe {
    /// Its kind, as in the API and the lake.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::Tcp(_) => "tcp",
            Self::Tls { .. } => "tls",
            Self::Dns(_) => "dns",
            Self::Icmp { .. } => "icmp",
            Self::Heartbeat { .. } => "heartbeat",
        }
    }

    /// What it looks at, for people: the first address of a scenario, a host, an id.
    pub fn target(&self) -> String {
        match self {
            Self::Http(steps) => steps.first().map(HttpStep::name).unwrap_or_default(),
            Self::Tcp(at) | Self::Tls { at, .. } => at.to_string(),
            Self::Dns(question) => format!("{} {}", question.kind.as_str(), question.name),
            Self::Icmp { host } => host.clone(),
            Self::Heartbeat { id, .. } => id.clone(),
        }
    }
}

/// A check that is right.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Check {
    /// The service it stands for.
    pub service: Option<ServiceName>,
    /// How often.
    pub every: Span,
    /// How long a step may take.
    pub timeout: Span,
    /// Where it runs: `server`, or agents by name.
    pub from: Vec<String>,
    /// How often a failure is tried again before it counts.
    pub retries: u32,
    /// What is looked at.
    pub probe: Probe,
    /// How long each part may take, for all kinds but HTTP, whose steps say it themselves.
    pub below: Below,
    /// Values for `{{name}}`.
    pub variables: BTreeMap<String, String>,
    /// Files whose content is a value that is never shown.
    pub secret_files: BTreeMap<String, PathBuf>,
    /// What the files hold; read by whoever loads the configuration.
    pub secrets: BTreeMap<String, Secret>,
}

impl Check {
    /// Whether the server itself runs it.
    pub fn is_local(&self) -> bool {
        self.from.iter().any(|location| location == LOCAL)
    }

    /// Locations that are agents' names.
    pub fn agents(&self) -> impl Iterator<Item = &str> {
        self.from.iter().map(String::as_str).filter(|location| *location != LOCAL)
    }
}

/// A check: one of `steps`, `tcp`, `tls`, `dns`, `icmp` and `heartbeat`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Written {
    /// The service that it stands for: its objectives and rules count it.
    #[schemars(with = "Option<String>")]
    service: Option<ServiceName>,
    /// How often: at least `10s`. Default: `1m`. A heartbeat must say it.
    every: Option<Span>,
    /// How long a step may take, at most `1m`. Default: `10s`.
    timeout: Option<Span>,
    /// Where it runs: `server`, or agents by name. Default: `[server]`.
    from: Option<Vec<String>>,
    /// How often a failure is tried again, after a second, before it counts; at most 5. Default: `1`.
    retries: Option<u32>,
    /// HTTP requests, one after the other, with cookies kept.
    steps: Option<Vec<HttpStep>>,
    /// Values for `{{name}}` in steps.
    variables: BTreeMap<String, String>,
    /// Files that hold values for `{{name}}` which are never shown.
    secret_files: BTreeMap<String, PathBuf>,
    /// A port that takes connections: `db.example:5432`.
    tcp: Option<String>,
    /// A port that speaks TLS with a certificate to trust: `shop.example:443`.
    tls: Option<String>,
    /// How long the certificate must be valid at least. Default: `21d`.
    expires_in: Option<Span>,
    /// A name that resolves.
    dns: Option<String>,
    /// Kind of record. Default: `A`.
    #[serde(rename = "type")]
    kind: Option<RecordKind>,
    /// What must be among the answers. Default: any answer.
    answers: Option<Vec<String>>,
    /// The name server to ask: `192.0.2.53:53`. Default: the system's.
    resolver: Option<String>,
    /// A host that answers an echo request.
    icmp: Option<String>,
    /// Id under which a job says that it ran: `/ping/{id}`.
    heartbeat: Option<String>,
    /// How much later than `every` the job may come. Default: a tenth of `every`, at least a second.
    grace: Option<Span>,
    /// The longest that each part may take; HTTP steps say it in `expect`.
    below: Option<Below>,
}

impl JsonSchema for Check {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Check".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Written::json_schema(generator)
    }
}

impl TryFrom<Written> for Check {
    type Error = String;

    fn try_from(check: Written) -> Result<Self, String> {
        let probe = probe(&check)?;
        let every = every(&check, &probe)?;
        let timeout = check.timeout.unwrap_or(DEFAULT_TIMEOUT);
        if timeout.micros() < 1_000 || timeout > LONGEST_TIMEOUT {
            return Err(format!("a timeout of {timeout} is no use; write 1ms to {LONGEST_TIMEOUT}"));
        }
        let from = check.from.unwrap_or_else(|| vec![LOCAL.to_owned()]);
        let is_location = |name: &String| !name.is_empty() && name.len() <= 253 && !name.chars().any(char::is_control);
        if from.is_empty() || from.len() > MAX_LOCATIONS || !from.iter().all(is_location) {
            return Err(format!("`from` names nobody; write server or agents by name, {MAX_LOCATIONS} at most"));
        }
        let retries = check.retries.unwrap_or(1);
        if retries > MAX_RETRIES {
            return Err(format!("{retries} retries are too many; write 0 to {MAX_RETRIES}"));
        }
        if let Probe::Http(steps) = &probe {
            variables(steps, &check.variables, &check.secret_files)?;
        }
        Ok(Self {
            service: check.service,
            every,
            timeout,
            from,
            retries,
            probe,
            below: check.below.unwrap_or_default(),
            variables: check.variables,
            secret_files: check.secret_files,
            secrets: BTreeMap::new(),
        })
    }
}

const KINDS: &str = "steps, tcp, tls, dns, icmp, heartbeat";

fn probe(check: &Written) -> Result<Probe, String> {
    let given = [
        ("steps", check.steps.is_some()),
        ("tcp", check.tcp.is_some()),
        ("tls", check.tls.is_some()),
        ("dns", check.dns.is_some()),
        ("icmp", check.icmp.is_some()),
        ("heartbeat", check.heartbeat.is_some()),
    ];
    let mut kinds = given.into_iter().filter(|(_, given)| *given).map(|(name, _)| name);
    let (Some(kind), second) = (kinds.next(), kinds.next()) else {
        return Err(format!("a check says what it looks at; write one of {KINDS}"));
    };
    if let Some(second) = second {
        return Err(format!("`{kind}` and `{second}` are two checks; write each under a name of its own"));
    }
    misplaced(check, kind)?;
    let host = |name: &str| {
        let right = is_host(name).then(|| name.to_owned());
        right.ok_or_else(|| format!("{name:?} is no name of a host; write for example shop.example"))
    };
    if let Some(steps) = &check.steps {
        if steps.is_empty() || steps.len() > MAX_STEPS {
            return Err(format!("a scenario of {} steps; write 1 to {MAX_STEPS}", steps.len()));
        }
        return Ok(Probe::Http(steps.clone()));
    }
    if let Some(at) = &check.tcp {
        return Ok(Probe::Tcp(at.parse()?));
    }
    if let Some(at) = &check.tls {
        return Ok(Probe::Tls { at: at.parse()?, expires_in: check.expires_in.unwrap_or(DEFAULT_EXPIRES_IN) });
    }
    if let Some(name) = &check.dns {
        let wrong = |raw: &str| format!("{raw:?} is no name server; write its address, for example 192.0.2.53:53");
        let resolver = check.resolver.as_deref().map(|raw| server(raw).ok_or_else(|| wrong(raw))).transpose()?;
        return Ok(Probe::Dns(DnsQuestion {
            name: host(name)?,
            kind: check.kind.unwrap_or(RecordKind::A),
            answers: check.answers.clone().unwrap_or_default(),
            resolver,
        }));
    }
    if let Some(name) = &check.icmp {
        return Ok(Probe::Icmp { host: host(name)? });
    }
    let id = check.heartbeat.clone().unwrap_or_default();
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if id.is_empty() || id.len() > 64 || !id.bytes().all(plain) {
        return Err(format!("{id:?} is no id of a heartbeat; use 1 to 64 letters, digits, - and _"));
    }
    let tenth = Span::from_micros(check.every.unwrap_or_default().micros() / 10).max(Span::from_seconds(1));
    Ok(Probe::Heartbeat { id, grace: check.grace.unwrap_or(tenth) })
}

/// An address, with the port of DNS when it says none.
fn server(raw: &str) -> Option<SocketAddr> {
    raw.parse().ok().or_else(|| Some(SocketAddr::new(raw.parse().ok()?, 53)))
}

/// Keys that say nothing for this kind would only look as if they did.
fn misplaced(check: &Written, kind: &str) -> Result<(), String> {
    let keys: [(&str, bool, &[&str]); 10] = [
        ("expires_in", check.expires_in.is_some(), &["tls"]),
        ("type", check.kind.is_some(), &["dns"]),
        ("answers", check.answers.is_some(), &["dns"]),
        ("resolver", check.resolver.is_some(), &["dns"]),
        ("grace", check.grace.is_some(), &["heartbeat"]),
        ("variables", !check.variables.is_empty(), &["steps"]),
        ("secret_files", !check.secret_files.is_empty(), &["steps"]),
        ("below", check.below.is_some(), &["tcp", "tls", "dns", "icmp"]),
        ("timeout", check.timeout.is_some(), &["steps", "tcp", "tls", "dns", "icmp"]),
        ("retries", check.retries.is_some(), &["steps", "tcp", "tls", "dns", "icmp"]),
    ];
    let wrong = keys.into_iter().find(|(_, given, kinds)| *given && !kinds.contains(&kind));
    let Some((key, _, kinds)) = wrong else { return Ok(()) };
    let hint = if key == "below" && kind == "steps" {
        "write it in `expect` of a step".to_owned()
    } else {
        format!("it belongs to {}; remove it", kinds.join(", "))
    };
    Err(format!("`{key}` says nothing about `{kind}`; {hint}"))
}

fn every(check: &Written, probe: &Probe) -> Result<Span, String> {
    let is_heartbeat = matches!(probe, Probe::Heartbeat { .. });
    if is_heartbeat && check.every.is_none() {
        return Err("a heartbeat says how often the job runs; add every: 1d".into());
    }
    let every = check.every.unwrap_or(DEFAULT_EVERY);
    let shortest = if is_heartbeat { SHORTEST_HEARTBEAT } else { SHORTEST };
    if every < shortest || every > LONGEST {
        return Err(format!("every {every} is too often or too seldom; write {shortest} to {LONGEST}"));
    }
    if check.grace.is_some_and(|grace| grace > LONGEST) {
        return Err(format!("this grace is too long; write {LONGEST} at most"));
    }
    Ok(every)
}

/// Whether every variable has a value when it is used.
fn variables(
    steps: &[HttpStep],
    open: &BTreeMap<String, String>,
    secret: &BTreeMap<String, PathBuf>,
) -> Result<(), String> {
    if let Some(name) = open.keys().chain(secret.keys()).find(|name| !is_name(name)) {
        return Err(format!("{name:?} is no name of a variable; use a-z, 0-9 and _, starting with a letter"));
    }
    if let Some(name) = open.keys().find(|name| secret.contains_key(*name)) {
        return Err(format!("`{name}` is in variables and in secret_files; keep one of the two"));
    }
    let mut known: Vec<&str> = open.keys().chain(secret.keys()).map(String::as_str).collect();
    for (number, step) in steps.iter().enumerate() {
        if let Some(name) = step.uses().into_iter().find(|name| !known.contains(&name.as_str())) {
            let there = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
            return Err(format!(
                "step {} uses {{{{{name}}}}}, which no earlier step saves; known there: {there}",
                number + 1
            ));
        }
        known.extend(step.save.keys().map(String::as_str));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::step::{Body, Method};

    fn read(yaml: &str) -> Result<Check, String> {
        serde_saphyr::from_str(yaml).map_err(|error: serde_saphyr::Error| error.without_snippet().to_string())
    }

    #[test]
    fn a_scenario_reads_as_it_is_written() {
        let check = read(
            "service: shop\nevery: 30s\ntimeout: 5s\nretries: 2\nfrom: [server, web-1]\nsecret_files: {password: pw}\nsteps:\n  \
             - {get: https://shop.example/login, save: {csrf: '$.csrf'}}\n  \
             - post: 'https://shop.example/login?next={{csrf}}'\n    form: {user: probe, password: '{{password}}'}\n    \
               headers: {X-Csrf: '{{csrf}}'}\n    follow: 3\n    expect: {status: 200, below: {total: 800ms}}\n",
        )
        .unwrap();
        assert_eq!((check.every, check.timeout, check.retries), (Span::from_seconds(30), Span::from_seconds(5), 2));
        assert!(check.is_local() && check.agents().eq(["web-1"]));
        let Probe::Http(steps) = &check.probe else { panic!("{check:?}") };
        assert_eq!((steps[0].method, steps[1].method), (Method::Get, Method::Post));
        assert_eq!(steps[1].name(), "POST https://shop.example/login");
        assert_eq!(steps[1].follow, 3);
        assert_eq!(steps[1].headers[0].0, "x-csrf");
        assert!(matches!(&steps[1].body, Body::Form(fields) if fields.len() == 2));
        assert_eq!(check.probe.target(), "GET https://shop.example/login");
    }

    #[test]
    fn every_kind_has_its_defaults() {
        for (yaml, kind, target, every) in [
            ("steps: [{get: https://shop.example/}]", "http", "GET https://shop.example/", 60),
            ("tcp: db.example:5432", "tcp", "db.example:5432", 60),
            ("tcp: '[::1]:5432'", "tcp", "[::1]:5432", 60),
            ("tls: shop.example:443", "tls", "shop.example:443", 60),
            (
                "{dns: shop.example, type: MX, answers: [10 mail.example.], resolver: 192.0.2.53}",
                "dns",
                "MX shop.example",
                60,
            ),
            ("icmp: 192.0.2.1", "icmp", "192.0.2.1", 60),
            ("{heartbeat: backup, every: 1d, grace: 1h}", "heartbeat", "backup", 86_400),
        ] {
            let check = read(yaml).unwrap();
            assert_eq!((check.probe.kind(), check.probe.target().as_str()), (kind, target), "{yaml}");
            assert_eq!((check.every, check.retries), (Span::from_seconds(every), 1), "{yaml}");
        }
        let Probe::Tls { expires_in, .. } = read("tls: shop.example:443").unwrap().probe else { panic!() };
        assert_eq!(expires_in, Span::from_seconds(21 * 86_400));
        let Probe::Heartbeat { grace, .. } = read("{heartbeat: b, every: 1d}").unwrap().probe else { panic!() };
        assert_eq!(grace, Span::from_seconds(8640));
    }

    #[test]
    fn what_is_wrong_is_said_with_the_way_out() {
        for (yaml, want) in [
            ("service: shop", "write one of steps, tcp, tls, dns, icmp, heartbeat"),
            ("{tcp: 'a:1', tls: 'a:1'}", "`tcp` and `tls` are two checks"),
            ("{tcp: 'a:1', every: 5s}", "every 5s is too often or too seldom; write 10s to"),
            ("{tcp: 'a:1', timeout: 2m}", "a timeout of 2m is no use"),
            ("{tcp: 'a:1', retries: 9}", "9 retries are too many; write 0 to 5"),
            ("{tcp: 'a:1', from: []}", "`from` names nobody"),
            ("{tcp: 'a:1', expires_in: 1d}", "`expires_in` says nothing about `tcp`; it belongs to tls; remove it"),
            ("{tcp: 'a:0'}", "\"a:0\" is no host with a port; write for example shop.example:443"),
            ("{tcp: 'a'}", "is no host with a port"),
            ("{tcp: 'a b:1'}", "is no host with a port"),
            ("{dns: shop.example, resolver: ns1}", "\"ns1\" is no name server; write its address"),
            ("{dns: 'shop example'}", "is no name of a host"),
            ("{dns: shop.example, type: B}", "unknown variant `B`"),
            ("{heartbeat: b}", "a heartbeat says how often the job runs; add every: 1d"),
            ("{heartbeat: 'a/b', every: 1d}", "is no id of a heartbeat"),
            ("{heartbeat: b, every: 1d, retries: 1}", "`retries` says nothing about `heartbeat`"),
            ("{steps: []}", "a scenario of 0 steps; write 1 to 20"),
            ("{steps: [{}]}", "a step has exactly one address; write one of get, head, post"),
            ("{steps: [{get: 'https://a/', post: 'https://a/'}]}", "a step has exactly one address"),
            ("{steps: [{get: shop.example}]}", "\"shop.example\" is no address; write for example https://"),
            ("{steps: [{get: 'ftp://a/'}]}", "is no address"),
            ("{steps: [{get: 'https://u:p@a.example/'}]}", "\"a.example\" has a name or a password in its address"),
            ("{steps: [{get: 'https://{{h}}/'}]}", "the host of"),
            ("{variables: {h: x}, steps: [{get: 'https://a.{{h}}/'}]}", "the host of"),
            (
                "{steps: [{get: 'https://a/{{b}}'}]}",
                "step 1 uses {{b}}, which no earlier step saves; known there: nothing",
            ),
            ("{variables: {B: x}, steps: [{get: 'https://a/'}]}", "\"B\" is no name of a variable"),
            ("{variables: {b: x}, secret_files: {b: y}, steps: [{get: 'https://a/'}]}", "keep one of the two"),
            ("{steps: [{get: 'https://a/', save: {b: '$.b'}, expect: {contains: '{{b}}'}}]}", "step 1 uses {{b}}"),
            ("{steps: [{get: 'https://a/', body: x}]}", "a GET has no body; use post"),
            ("{steps: [{post: 'https://a/', body: x, form: {a: b}}]}", "form, json and body exclude each other"),
            ("{steps: [{head: 'https://a/', expect: {contains: x}}]}", "the answer to a HEAD has no body"),
            ("{steps: [{get: 'https://a/', follow: 11}]}", "11 redirects are too many; write 0 to 10"),
            ("{steps: [{get: 'https://a/', headers: {Host: b}}]}", "the header host is made by the server itself"),
            ("{steps: [{get: 'https://a/', headers: {'a b': c}}]}", "\"a b\" is no name of a header"),
            ("{steps: [{get: 'https://a/', headers: {a: \"b\\nc\"}}]}", "has a line break"),
            ("{steps: [{get: 'https://a/', expect: {status: 99}}]}", "99 is no status; write for example 200"),
            ("{steps: [{get: 'https://a/', expect: {status: ok}}]}", "this is no status; write for example 200"),
            ("{steps: [{get: 'https://a/', expect: {json: {a: 1}}}]}", "\"a\" is no path of JSON"),
            ("{steps: [{get: 'https://a/', expect: {contains: ''}}]}", "an empty text is in every body"),
            ("{steps: [{get: 'https://a/', expect: {below: {totl: 1s}}}]}", "unknown field `totl`"),
            ("{steps: [{get: 'https://a/', save: {a: b}}]}", "\"b\" is no place to take a value from"),
            ("{steps: [{get: 'https://a/', save: {a: 'regex:b'}}]}", "\"b\" has no group"),
            (
                "{steps: [{get: 'https://a/', save: {a: {regex: '(b'}}}]}",
                "\"(b\" is no regular expression: unclosed group",
            ),
            ("{steps: [{get: 'https://a/', save: {a: {json: $, header: x}}}]}", "a value is taken from one place"),
            ("{steps: [{get: 'https://a/', below: {total: 1s}}]}", "unknown field `below`"),
            ("{below: {total: 1s}, steps: [{get: 'https://a/'}]}", "write it in `expect` of a step"),
        ] {
            let error = read(yaml).expect_err(yaml);
            assert!(error.contains(want), "{yaml}\n  {error}");
        }
    }

    #[test]
    fn the_schema_knows_what_people_write() {
        let schema = schemars::schema_for!(Check).to_value();
        let keys = schema["properties"].as_object().unwrap();
        for key in ["service", "every", "steps", "tls", "type", "secret_files", "heartbeat"] {
            assert!(keys[key]["description"].is_string(), "{key}: {schema}");
        }
        assert_eq!(schema["additionalProperties"], false);
        let step = schema["$defs"]["HttpStep"]["properties"].as_object().unwrap();
        for key in ["get", "form", "expect", "save", "follow"] {
            assert!(step[key]["description"].is_string(), "{key}: {schema}");
        }
    }
}
