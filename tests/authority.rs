//! A certificate authority for tests of TLS, made by openssl.

use crate::machine::{ran, tool};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Signs certificates; its files are in a folder of the test.
pub struct Authority {
    openssl: PathBuf,
    folder: PathBuf,
}

impl Authority {
    /// A new one in this folder, or `None` without openssl (which was said).
    pub fn new(folder: &Path) -> Option<Self> {
        let own = Self { openssl: tool("openssl")?, folder: folder.to_owned() };
        own.openssl(&format!("req -x509 {NEW_KEY} ca.key -out ca.pem -days 2 -subj /CN=test-authority"));
        Some(own)
    }

    /// Its own certificate.
    pub fn root(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// One of its files.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Signs a certificate: `NAME.pem` with its key `NAME.key`, for `alternatives` such as `DNS:localhost`.
    pub fn sign(&self, name: &str, alternatives: &str) {
        std::fs::write(self.file("extensions"), format!("subjectAltName={alternatives}\n"))
            .expect("a folder takes files");
        self.openssl(&format!("req {NEW_KEY} {name}.key -out {name}.csr -subj /CN={name}"));
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out {name}.pem -days 2 -extfile extensions"
        ));
    }

    fn openssl(&self, arguments: &str) {
        ran(Command::new(&self.openssl).args(arguments.split(' ')).current_dir(&self.folder));
    }
}

const NEW_KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout";
