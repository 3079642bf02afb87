//! TLS for the listeners that other machines reach: this server's certificate, and who may show one of their own.
//!
//! Certificates are renewed every few weeks by somebody else's program: the files are looked at every minute, and new ones
//! are used from the next connection on. Files that can't be used change nothing.

use outbound::chain;
use parking_lot::{Mutex, RwLock};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, VerifierBuilderError, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{ConfigBuilder, ServerConfig, WantsVerifier};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;

/// A client must have agreed on keys within this time.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Time between two looks at the files.
const LOOK: Duration = Duration::from_mins(1);

/// A connection, encrypted or not.
pub type Socket = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// A request that came over TLS of our own.
#[derive(Debug, Clone, Copy)]
pub struct Encrypted;

/// Where certificates and keys are, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// This server's certificate, and behind it those that lead to the root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Who signs the certificates of senders whose protocol has no place for a token.
    pub clients: Option<PathBuf>,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Not there, not readable, or no PEM.
    #[error("{what} {} cannot be read; it must be a PEM file that this user may read", file.display())]
    Read {
        /// What it should be.
        what: &'static str,
        /// Where.
        file: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// There is nothing of the kind in it.
    #[error("no certificate is in {}; it must be a PEM file", .0.display())]
    Empty(PathBuf),
    /// They don't belong together, or are of a kind that is not spoken.
    #[error("certificate {} and key {} cannot be used", certificate.display(), key.display())]
    Unusable {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// Nothing says who signs the certificates of senders.
    #[error("there is no file of the certificates that sign those of senders")]
    NoClients,
    /// Certificates that sign those of senders.
    #[error("{} cannot be used to know senders", file.display())]
    Clients {
        /// Where.
        file: PathBuf,
        /// Why.
        source: VerifierBuilderError,
    },
    /// One of them is no certificate.
    #[error("{} cannot be used to know senders", file.display())]
    Root {
        /// Where.
        file: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

/// What was seen of a file: it is read again when this changes.
type Seen = Option<(SystemTime, u64)>;

impl TlsFiles {
    fn seen(&self) -> [Seen; 2] {
        [&self.certificate, &self.key].map(|file| {
            let about = std::fs::metadata(file).ok()?;
            Some((about.modified().ok()?, about.len()))
        })
    }
}

/// This server's certificate and key.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
    /// The files as they were at the last look.
    seen: Mutex<[Seen; 2]>,
}

impl Tls {
    /// Reads the files.
    pub fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        // Before they are read: what changes meanwhile is read again.
        let seen = Mutex::new(files.seen());
        let current = RwLock::new(Arc::new(read_own(&files, &provider)?));
        Ok(Self { files, provider, current, seen })
    }

    /// Reads the files again whenever they change, until it is stopped.
    pub async fn follow(self: Arc<Self>, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
            let own = Arc::clone(&self);
            // It waits for a disk.
            let _ = tokio::task::spawn_blocking(move || own.look()).await;
        }
    }

    /// Reads the files again if they have changed since the last look.
    fn look(&self) {
        let now = self.files.seen();
        if std::mem::replace(&mut *self.seen.lock(), now) == now {
            return;
        }
        match read_own(&self.files, &self.provider) {
            Ok(own) => {
                *self.current.write() = Arc::new(own);
                tracing::info!(file = %self.files.certificate.display(), "a new certificate is in use");
            }
            // Perhaps only one of the two was written yet: the next change tells.
            Err(error) => tracing::warn!(error = chain(&error), "the certificate from before stays in use"),
        }
    }

    /// For senders who prove themselves within their protocol. `protocols` are those of HTTP that are spoken (ALPN).
    pub fn wire(self: &Arc<Self>, protocols: &[&[u8]]) -> Result<Wire, TlsError> {
        let mut config = self.builder()?.with_no_client_auth().with_cert_resolver(self.resolver());
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Ok(Wire::encrypted(config))
    }

    /// For senders who prove themselves with a certificate, signed by [`TlsFiles::clients`].
    pub fn wire_for_known(self: &Arc<Self>) -> Result<Wire, TlsError> {
        let file = self.files.clients.as_ref().ok_or(TlsError::NoClients)?;
        let mut roots = rustls::RootCertStore::empty();
        for certificate in read_certificates("the file of senders' certificates", file)? {
            roots.add(certificate).map_err(|source| TlsError::Root { file: file.clone(), source })?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider)).build();
        let verifier = verifier.map_err(|source| TlsError::Clients { file: file.clone(), source })?;
        let config = self.builder()?.with_client_cert_verifier(verifier).with_cert_resolver(self.resolver());
        Ok(Wire::encrypted(config))
    }

    fn builder(&self) -> Result<ConfigBuilder<ServerConfig, WantsVerifier>, TlsError> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider));
        builder.with_safe_default_protocol_versions().map_err(|source| unusable(&self.files, source))
    }

    fn resolver(self: &Arc<Self>) -> Arc<dyn ResolvesServerCert> {
        Arc::clone(self) as Arc<dyn ResolvesServerCert>
    }
}

impl ResolvesServerCert for Tls {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read()))
    }
}

fn read_certificates(what: &'static str, file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |source| TlsError::Read { what, file: file.to_owned(), source };
    let all = CertificateDer::pem_file_iter(file).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    if all.is_empty() { Err(TlsError::Empty(file.to_owned())) } else { Ok(all) }
}

fn read_own(files: &TlsFiles, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let chain = read_certificates("the certificate", &files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|source| TlsError::Read {
        what: "the private key",
        file: files.key.clone(),
        source,
    })?;
    CertifiedKey::from_der(chain, key, provider).map_err(|source| unusable(files, source))
}

fn unusable(files: &TlsFiles, source: rustls::Error) -> TlsError {
    TlsError::Unusable { certificate: files.certificate.clone(), key: files.key.clone(), source }
}

/// How the bytes of a listener go over the network.
#[derive(Clone, Default)]
pub struct Wire(Option<TlsAcceptor>);

impl Wire {
    fn encrypted(config: ServerConfig) -> Self {
        Self(Some(TlsAcceptor::from(Arc::new(config))))
    }

    /// Whether they are encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.0.is_some()
    }

    /// The connection behind an accepted one: as it is, or after both sides have agreed on keys.
    pub async fn open(&self, socket: TcpStream) -> io::Result<Socket> {
        let Some(tls) = &self.0 else { return Ok(Either::Left(socket)) };
        let agreed = tokio::time::timeout(HANDSHAKE, tls.accept(socket)).await;
        agreed.map_err(io::Error::from)?.map(|socket| Either::Right(Box::new(socket)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use tempfile::TempDir;

    const NEW: &str = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost";

    fn openssl(folder: &TempDir, arguments: &str) {
        let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn in_use(tls: &Tls) -> CertificateDer<'static> {
        tls.current.read().cert[0].clone()
    }

    #[test]
    fn a_renewed_certificate_is_used_once_it_is_whole() {
        let folder = TempDir::new().unwrap();
        openssl(&folder, &format!("{NEW} -keyout key.pem -out cert.pem"));
        let [certificate, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
        let tls = Tls::open(TlsFiles { certificate: certificate.clone(), key: key.clone(), clients: None }).unwrap();
        let old = in_use(&tls);
        tls.look();
        assert_eq!(in_use(&tls), old);
        openssl(&folder, &format!("{NEW} -keyout new.key -out new.pem"));
        std::fs::rename(folder.path().join("new.pem"), &certificate).unwrap();
        tls.look();
        assert_eq!(in_use(&tls), old, "the new certificate does not fit to the old key");
        std::fs::rename(folder.path().join("new.key"), &key).unwrap();
        tls.look();
        let new = in_use(&tls);
        assert_eq!(new, CertificateDer::from_pem_file(&certificate).unwrap());
        assert_ne!(new, old);
        std::fs::remove_file(&certificate).unwrap();
        tls.look();
        assert_eq!(in_use(&tls), new, "what is gone changes nothing");
    }
}
