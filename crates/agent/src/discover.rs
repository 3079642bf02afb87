//! Finds the access logs of this host: what nginx and Apache are configured to write, and what lies in the usual
//! folders.
//!
//! Reads only, below a given root, and a bounded amount: a configuration which includes itself ends. Never follows a
//! log; it says what could be followed, and why not.

use crate::rotated::{OlderFile, Packing, is_rotation_of, older_files, packing};
use base::{ByteSize, ServiceName};
use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

mod apache;
mod nginx;
mod pattern;
mod service;
#[cfg(test)]
mod tests;

pub use pattern::{FormatError, Syntax, log_format_to_pattern};
pub use service::suggested_service;

const MAX_CONFIG_BYTES: u64 = 8 << 20;
const MAX_CONFIG_FILES: usize = 1000;
const MAX_LOGS: usize = 500;
const MAX_ENTRIES: usize = 5000;

/// Folders in which web servers keep access logs, with the name of the server.
const WELL_KNOWN: [(&str, &str); 6] = [
    ("/var/log/nginx", "nginx"),
    ("/var/log/apache2", "apache"),
    ("/var/log/httpd", "apache"),
    ("/usr/local/openresty/nginx/logs", "openresty"),
    ("/var/log/openresty", "openresty"),
    ("/var/log/caddy", "caddy"),
];
const NGINX_MAIN: [&str; 3] =
    ["/etc/nginx/nginx.conf", "/usr/local/nginx/conf/nginx.conf", "/usr/local/openresty/nginx/conf/nginx.conf"];
const APACHE_MAIN: [&str; 3] = ["/etc/apache2/apache2.conf", "/etc/httpd/conf/httpd.conf", "/etc/apache2/httpd.conf"];

/// A log that could be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundLog {
    /// Where it is.
    pub path: PathBuf,
    /// Its size; 0 if it can't be seen.
    pub size: ByteSize,
    /// Why it can't be read, and what would help; `None` when it can.
    pub unreadable: Option<String>,
    /// `nginx configuration`, `Apache configuration` or `well-known folder`.
    pub found_by: &'static str,
    /// What its lines look like, in the words of its server, if that is known.
    pub log_format: Option<(Syntax, String)>,
    /// A name for its service.
    pub service: ServiceName,
    /// What rotation made of it, newest first.
    pub older_files: Vec<OlderFile>,
}

/// A log that is configured and can't be followed as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedLog {
    /// As written in the configuration.
    pub target: String,
    /// Why, and what to do.
    pub reason: &'static str,
    /// Which configuration.
    pub found_by: &'static str,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovery {
    /// By path.
    pub logs: Vec<FoundLog>,
    /// In the order of the configuration.
    pub skipped: Vec<SkippedLog>,
    /// A limit was reached: there may be more.
    pub partial: bool,
}

/// Looks at the machine below `root` (`/`, or a copy of its files).
pub fn discover(root: &Path) -> Discovery {
    let mut budget = Budget { bytes: MAX_CONFIG_BYTES, seen: HashSet::new(), logs: MAX_LOGS, exhausted: false };
    let mut declared: Vec<(Syntax, Declared)> = Vec::new();
    for main in NGINX_MAIN {
        let logs = nginx::declared(root, Path::new(main), &mut budget);
        declared.extend(logs.into_iter().map(|log| (Syntax::Nginx, log)));
    }
    for main in APACHE_MAIN {
        let logs = apache::declared(root, Path::new(main), &mut budget);
        declared.extend(logs.into_iter().map(|log| (Syntax::Apache, log)));
    }
    let mut skipped = Vec::new();
    let mut by_path: BTreeMap<PathBuf, Candidate> = BTreeMap::new();
    for (syntax, log) in declared {
        match log.target {
            LogTarget::Skipped { text, reason } => skipped.push(SkippedLog { target: text, reason, found_by: log.by }),
            LogTarget::File(path) if path.starts_with("/dev") => {}
            LogTarget::File(path) => {
                let candidate = by_path.entry(path).or_insert_with(|| Candidate::by(log.by, syntax));
                candidate.servers.extend(log.server_name);
                candidate.format = candidate.format.take().or(log.format);
            }
        }
    }
    skipped.dedup();
    for (folder, server) in WELL_KNOWN {
        for path in logs_in(root, folder) {
            if by_path.len() < MAX_LOGS {
                by_path.entry(path).or_insert_with(|| Candidate::in_folder(server));
            }
        }
    }
    let logs = by_path.into_iter().filter_map(|(path, candidate)| candidate.look(root, path)).collect();
    Discovery { logs, skipped, partial: budget.exhausted }
}

/// What is known of a path before it is looked at.
struct Candidate {
    found_by: &'static str,
    syntax: Syntax,
    server: &'static str,
    servers: Vec<String>,
    format: Option<String>,
}

impl Candidate {
    fn by(found_by: &'static str, syntax: Syntax) -> Self {
        let server = if syntax == Syntax::Nginx { "nginx" } else { "apache" };
        Self { found_by, syntax, server, servers: Vec::new(), format: None }
    }

    fn in_folder(server: &'static str) -> Self {
        Self { found_by: "well-known folder", syntax: Syntax::Nginx, server, servers: Vec::new(), format: None }
    }

    /// `None` for what is no log file: a folder, a device, or nothing.
    fn look(mut self, root: &Path, path: PathBuf) -> Option<FoundLog> {
        let real = below(root, &path);
        let (size, unreadable) = match std::fs::metadata(&real) {
            Ok(meta) if !meta.is_file() => return None,
            Ok(meta) => (meta.len(), File::open(&real).err().map(|error| why_unreadable(&error))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => (0, Some(why_unreadable(&error))),
        };
        self.servers.sort();
        self.servers.dedup();
        let host = match self.servers.as_slice() {
            [one] => Some(one.as_str()),
            _ => None,
        };
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Some(FoundLog {
            size: ByteSize(size),
            unreadable,
            found_by: self.found_by,
            log_format: self.format.map(|format| (self.syntax, format)),
            service: suggested_service(host, &file, self.server),
            older_files: older_files(&real),
            path,
        })
    }
}

fn why_unreadable(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            "permission denied: add the user of this process to the group that may read it (often adm)".to_owned()
        }
        _ => error.to_string(),
    }
}

fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// Access logs in a folder by name: neither error logs nor what rotation made of them.
fn logs_in(root: &Path, folder: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(below(root, Path::new(folder))) else { return Vec::new() };
    let names: Vec<String> =
        entries.take(MAX_ENTRIES).flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let is_log = |name: &&String| {
        let ends_as_log = Path::new(name.as_str()).extension().is_some_and(|e| e == "log") || name.ends_with("_log");
        ends_as_log && !name.contains("error") && packing(name) == Packing::Plain
    };
    let mut logs: Vec<&String> = names.iter().filter(is_log).collect();
    logs.retain(|name| !names.iter().any(|log| is_rotation_of(log, name)));
    logs.into_iter().map(|name| Path::new(folder).join(name)).collect()
}

/// A log as its server's configuration declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Declared {
    target: LogTarget,
    server_name: Option<String>,
    format: Option<String>,
    by: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum LogTarget {
    File(PathBuf),
    Skipped { text: String, reason: &'static str },
}

/// How much configuration is read at most.
struct Budget {
    bytes: u64,
    seen: HashSet<PathBuf>,
    logs: usize,
    exhausted: bool,
}

impl Budget {
    /// A file below the root, once, if there is room for it.
    fn read(&mut self, root: &Path, path: &Path) -> Option<String> {
        let real = below(root, path);
        if self.seen.len() >= MAX_CONFIG_FILES {
            self.exhausted = true;
            return None;
        }
        if !std::fs::metadata(&real).ok()?.is_file() || !self.seen.insert(real.clone()) {
            return None;
        }
        let mut bytes = Vec::new();
        File::open(&real).ok()?.take(self.bytes).read_to_end(&mut bytes).ok()?;
        self.bytes -= (bytes.len() as u64).min(self.bytes);
        self.exhausted |= self.bytes == 0;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn take_log(&mut self) -> bool {
        self.exhausted |= self.logs == 0;
        self.logs = self.logs.saturating_sub(1);
        !self.exhausted
    }
}
