//! The way out: names, connections and TLS, each timed and each within a deadline.
//!
//! Nothing is kept from one run to the next: no cached name, no open connection. What is measured is what a new visitor
//! would wait for.

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use watch::check::{Why, WhyCode};

/// The system's configuration of names is read anew after this time: networks change.
const READ_AGAIN: Duration = Duration::from_mins(1);
/// How long one name server may take before the next attempt.
const DNS_ATTEMPT: Duration = Duration::from_secs(3);
/// Most addresses of a name that are tried.
const MAX_ADDRESSES: usize = 8;

/// Something did not work on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is said.
    pub why: Why,
    /// Whether the cause may be this machine's own network: nothing at all came back.
    pub silence: bool,
}

impl Fault {
    /// Something answered, and not as it should.
    pub fn answered(code: WhyCode, expected: impl AsRef<str>, got: impl AsRef<str>) -> Self {
        Self { why: Why::new(code, expected, got), silence: false }
    }

    fn silent(code: WhyCode, expected: impl AsRef<str>, got: impl AsRef<str>) -> Self {
        Self { why: Why::new(code, expected, got), silence: true }
    }
}

/// Until when something may take, and how long that was.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    at: Instant,
    allowed: Duration,
}

impl Deadline {
    /// From now on.
    pub fn within(allowed: Duration) -> Self {
        Self { at: Instant::now() + allowed, allowed }
    }

    /// Runs something until then; `None` when it took longer.
    pub async fn limit<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        timeout_at(self.at, work).await.ok()
    }

    /// `connection within 10s`
    pub fn text(&self, what: &str) -> String {
        let micros = i64::try_from(self.allowed.as_micros()).unwrap_or(i64::MAX);
        format!("{what} within {}", base::Span::from_micros(micros))
    }

    fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }
}

/// Microseconds since a moment.
pub fn micros_since(begin: Instant) -> u64 {
    u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// Names, connections, TLS.
pub struct Network {
    nameserver: Option<SocketAddr>,
    resolver: tokio::sync::Mutex<Option<(Instant, Arc<TokioResolver>)>>,
    tls: Arc<ClientConfig>,
}

impl Network {
    /// With the roots that certificates must lead to, and the name server to ask; `None` as the system does.
    pub fn new(roots: RootCertStore, nameserver: Option<SocketAddr>) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        // A resumed session would be faster than what a new visitor waits for.
        tls.resumption = rustls::client::Resumption::disabled();
        Ok(Self { nameserver, resolver: tokio::sync::Mutex::default(), tls: Arc::new(tls) })
    }

    /// The addresses of a host, and how long it took to learn them; an address is its own.
    pub async fn resolve(&self, host: &str, deadline: Deadline) -> Result<(Vec<IpAddr>, Option<u64>), Fault> {
        if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse() {
            return Ok((vec![address], None));
        }
        let resolver = self.resolver().await?;
        let begin = Instant::now();
        let expected = || deadline.text(&format!("an address of {host}"));
        match deadline.limit(resolver.lookup_ip(host)).await {
            None => Err(Fault::silent(WhyCode::Dns, expected(), "no answer of the name server")),
            Some(Err(error)) => Err(dns_fault(&expected(), &error)),
            Some(Ok(found)) => {
                let addresses: Vec<IpAddr> = found.iter().take(MAX_ADDRESSES).collect();
                if addresses.is_empty() {
                    return Err(Fault::answered(WhyCode::Dns, expected(), "none"));
                }
                Ok((addresses, Some(micros_since(begin))))
            }
        }
    }

    async fn resolver(&self) -> Result<Arc<TokioResolver>, Fault> {
        let mut known = self.resolver.lock().await;
        if let Some((read, resolver)) = known.as_ref()
            && (self.nameserver.is_some() || read.elapsed() < READ_AGAIN)
        {
            return Ok(Arc::clone(resolver));
        }
        let nameserver = self.nameserver;
        let made = tokio::task::spawn_blocking(move || build(nameserver)).await;
        let failed = |error: &dyn std::fmt::Display| {
            Fault::silent(WhyCode::Dns, "a configuration of names", format!("/etc/resolv.conf: {error}"))
        };
        let resolver = Arc::new(made.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?);
        *known = Some((Instant::now(), Arc::clone(&resolver)));
        Ok(resolver)
    }

    /// A connection to the first address that takes one.
    pub async fn connect(
        &self,
        addresses: &[IpAddr],
        port: u16,
        deadline: Deadline,
    ) -> Result<(TcpStream, SocketAddr, u64), Fault> {
        let begin = Instant::now();
        let mut fault = None;
        for (tried, address) in addresses.iter().enumerate() {
            let address = SocketAddr::new(*address, port);
            let others = u32::try_from(addresses.len() - tried).unwrap_or(1);
            let expected = || deadline.text(&format!("a connection to {address}"));
            // What is left is shared: one dead address must not use up the time of the others.
            match tokio::time::timeout(deadline.left() / others, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Requests are small and must not wait for more.
                    let _ = stream.set_nodelay(true);
                    return Ok((stream, address, micros_since(begin)));
                }
                Ok(Err(error)) => {
                    let refused = matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset);
                    let why = Why::new(WhyCode::Connect, expected(), system_text(&error));
                    fault = Some(Fault { why, silence: !refused });
                }
                Err(_) => fault = Some(Fault::silent(WhyCode::Connect, expected(), "nothing")),
            }
            if fault.as_ref().is_some_and(|fault: &Fault| !fault.silence) {
                // Something is there: that is what people should read.
                return Err(fault.unwrap_or_else(no_address));
            }
        }
        Err(fault.unwrap_or_else(no_address))
    }

    /// A TLS handshake; how long it took.
    pub async fn handshake(
        &self,
        stream: TcpStream,
        host: &str,
        deadline: Deadline,
    ) -> Result<(TlsStream<TcpStream>, u64), Fault> {
        let expected = || deadline.text(&format!("a TLS handshake as {host}"));
        let wrong = |got: &str| Fault::answered(WhyCode::Tls, expected(), got);
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare).map_err(|_| wrong("this name can't be in a certificate"))?;
        let begin = Instant::now();
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        match deadline.limit(connector.connect(name, stream)).await {
            None => Err(wrong("nothing")),
            Some(Err(error)) => Err(wrong(&tls_text(&error))),
            Some(Ok(stream)) => Ok((stream, micros_since(begin))),
        }
    }

    /// Asks a name server; the answers as texts, and how long it took.
    pub async fn ask(
        &self,
        question: &watch::check::DnsQuestion,
        deadline: Deadline,
    ) -> Result<(Vec<String>, u64), Fault> {
        let expected = || deadline.text(&format!("{} of {}", question.kind.as_str(), question.name));
        let resolver = match question.resolver {
            None => self.resolver().await?,
            Some(at) => {
                let made = build(Some(at));
                Arc::new(made.map_err(|error| Fault::answered(WhyCode::Dns, expected(), error.to_string()))?)
            }
        };
        let kind = question
            .kind
            .as_str()
            .parse()
            .map_err(|_| Fault::answered(WhyCode::Dns, expected(), "this kind of record is not known here"))?;
        // With a dot at its end no search domain is tried.
        let name = format!("{}.", question.name.trim_end_matches('.'));
        let begin = Instant::now();
        match deadline.limit(resolver.lookup(name.as_str(), kind)).await {
            None => Err(Fault::silent(WhyCode::Dns, expected(), "no answer of the name server")),
            Some(Err(error)) => Err(dns_fault(&expected(), &error)),
            Some(Ok(found)) => {
                let took = micros_since(begin);
                let answers = found.answers().iter().filter(|record| record.record_type() == kind);
                Ok((answers.take(100).map(|record| record.data.to_string()).collect(), took))
            }
        }
    }
}

fn no_address() -> Fault {
    Fault::answered(WhyCode::Connect, "an address to connect to", "none")
}

fn build(nameserver: Option<SocketAddr>) -> Result<TokioResolver, NetError> {
    let mut builder = match nameserver {
        None => TokioResolver::builder_tokio()?,
        Some(at) => {
            let mut udp = ConnectionConfig::udp();
            let mut tcp = ConnectionConfig::tcp();
            (udp.port, tcp.port) = (at.port(), at.port());
            let server = NameServerConfig::new(at.ip(), true, vec![udp, tcp]);
            let config = ResolverConfig::from_name_servers(vec![server]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let options = builder.options_mut();
    options.cache_size = 0;
    options.positive_max_ttl = Some(Duration::ZERO);
    options.negative_max_ttl = Some(Duration::ZERO);
    options.timeout = options.timeout.min(DNS_ATTEMPT);
    options.attempts = options.attempts.clamp(1, 3);
    if nameserver.is_some() {
        options.use_hosts_file = hickory_resolver::config::ResolveHosts::Never;
    }
    builder.build()
}

/// What the name server said, or that it said nothing.
fn dns_fault(expected: &str, error: &NetError) -> Fault {
    match error {
        _ if error.is_nx_domain() => Fault::answered(WhyCode::Dns, expected, "no such name (NXDOMAIN)"),
        NetError::Dns(DnsError::NoRecordsFound(none)) => {
            Fault::answered(WhyCode::Dns, expected, format!("no such record ({})", none.response_code))
        }
        // A name server that can't reach others says so: that may be our network as well.
        NetError::Dns(DnsError::ResponseCode(code)) => Fault {
            why: Why::new(WhyCode::Dns, expected, format!("the name server says: {code}")),
            silence: *code == ResponseCode::ServFail,
        },
        other => Fault::silent(WhyCode::Dns, expected, other.to_string()),
    }
}

/// `connection refused` rather than `Connection refused (os error 111)`.
fn system_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// What is wrong with the other side's TLS, as people can act on it.
fn tls_text(error: &std::io::Error) -> String {
    use rustls::{CertificateError, Error};
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "a certificate of an unknown issuer: self-signed, or an intermediate certificate is missing".to_owned()
        }
        Some(Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. })) => {
            "a certificate that has expired".to_owned()
        }
        Some(Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => "a certificate for another name".to_owned(),
        Some(other) => other.to_string(),
        None => system_text(error),
    }
}

/// The roots that this system trusts. Reads files.
pub fn system_roots() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a root certificate of this system can't be read");
    }
    let mut roots = RootCertStore::empty();
    let (_, refused) = roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        tracing::warn!(refused, "this system has no root certificates: every check over TLS will fail");
    }
    roots
}
