//! The agent's own file: what it is called, what it follows, and whom it tells when its server is silent.

use base::{Secret, ServiceName, Span};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use watch::channel::{Channel, OutputSpec};
use watch::texts::Language;

/// The schema that this version reads.
const SCHEMA: u32 = 1;
/// Largest file of configuration.
const MAX_FILE: u64 = 1 << 20;
/// Largest file with a secret.
const MAX_SECRET: u64 = 64 << 10;
/// The shortest silence that is told: shorter than a restart of the server it would be told at each of them.
const SHORTEST_SILENCE: Span = Span::from_seconds(30);

/// What an agent's file says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentConfig {
    /// Version of this format: 1.
    pub schema: u32,
    /// What this host is called; checks name it in `from`. Default: the system's name.
    #[serde(default)]
    pub host: Option<String>,
    /// Where others may try whether this host is there. Default: port 22 of the address that leads to the server.
    #[serde(default)]
    pub reach: Option<SocketAddr>,
    /// Whether access logs are looked for and followed. Default: true.
    #[serde(default = "yes")]
    pub discover: bool,
    /// Logs to follow from their beginning, by service.
    #[serde(default)]
    pub logs: BTreeMap<ServiceName, Vec<PathBuf>>,
    /// Certificates to trust beside the system's, PEM: for a server whose certificate is one's own.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Whom to tell when the server is silent.
    #[serde(default)]
    pub server_silent: Option<SilentSection>,
}

/// Whom to tell when the server is silent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SilentSection {
    /// How long it may be silent. Default: `2m`.
    #[serde(default = "two_minutes")]
    pub after: Span,
    /// Channels as in `outputs.alert`: the first one is told, the next when that fails.
    pub tell: Vec<OutputSpec>,
    /// Language of the message: `en` or `ja`.
    #[serde(default)]
    pub language: Language,
    /// Time zone of the message. Default: the system's.
    #[serde(default)]
    pub time_zone: Option<String>,
}

fn yes() -> bool {
    true
}

fn two_minutes() -> Span {
    Span::from_seconds(120)
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self {
            schema: SCHEMA,
            host: None,
            reach: None,
            discover: true,
            logs: BTreeMap::new(),
            ca_file: None,
            server_silent: None,
        }
    }
}

/// A file of configuration can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {message}", path.display())]
pub struct ConfigError {
    /// Which.
    pub path: PathBuf,
    /// What is wrong, where, and the way out.
    pub message: String,
}

impl AgentConfig {
    /// Reads a file, and the secrets that it names, beside itself.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let wrong = |message: String| ConfigError { path: path.to_owned(), message };
        let text = read_text(path, MAX_FILE).map_err(wrong)?;
        let mut config: Self = serde_saphyr::from_str(&text).map_err(|error| {
            // In one line, which ends with the place.
            wrong(error.without_snippet().to_string().lines().next().unwrap_or_default().to_owned())
        })?;
        config.check().map_err(wrong)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        config.ca_file = config.ca_file.map(|file| folder.join(file));
        for spec in config.server_silent.iter_mut().flat_map(|section| &mut section.tell) {
            for slot in spec.secrets() {
                let Some(file) = slot.file else { continue };
                if slot.secret.is_some() {
                    return Err(wrong(format!("`{0}` and `{0}_file` are both set; keep one of the two", slot.key)));
                }
                let secret = read_text(&folder.join(file), MAX_SECRET);
                let secret = secret.map_err(|error| wrong(format!("`{}_file`: {error}", slot.key)))?;
                *slot.secret = Some(Secret::new(secret.trim()));
            }
        }
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        if self.schema != SCHEMA {
            return Err(format!("schema {} is not known to this version; write `schema: {SCHEMA}`", self.schema));
        }
        if let Some(host) = self.host.as_deref().filter(|host| !super::wire::is_host(host)) {
            return Err(format!("`host`: {host:?} is no name of a host; use letters, digits, `-`, `_` and `.`"));
        }
        let paths = self.logs.values().flatten();
        if let Some(path) = paths.into_iter().find(|path| !path.is_absolute()) {
            return Err(format!("`logs`: {} is no absolute path; write the whole path", path.display()));
        }
        let Some(section) = &self.server_silent else { return Ok(()) };
        if section.after < SHORTEST_SILENCE {
            return Err(format!("`server_silent.after` is {}; write {SHORTEST_SILENCE} or more", section.after));
        }
        if section.tell.is_empty() {
            return Err("`server_silent.tell` names nobody; write for example [{slack: {webhook_file: ...}}]".into());
        }
        let zone = section.time_zone.as_deref();
        if let Some(name) = zone.filter(|name| jiff::tz::TimeZone::get(name).is_err()) {
            return Err(format!("`server_silent.time_zone`: {name:?} is no time zone; write for example Asia/Tokyo"));
        }
        Ok(())
    }
}

impl SilentSection {
    /// The channels, in the order in which they are told.
    pub fn channels(&self) -> Result<Vec<Channel>, String> {
        let ready = self.tell.iter().enumerate().map(|(index, spec)| {
            let kind = spec.kind().map_or("output", watch::channel::ChannelKind::as_str);
            spec.ready(&format!("silent-{kind}-{}", index + 1))
                .map_err(|error| format!("`server_silent.tell[{index}]`: {error}"))
        });
        ready.collect()
    }
}

/// The text of a file, bounded; the error names the file's trouble and not its path.
pub(super) fn read_text(path: &Path, most: u64) -> Result<String, String> {
    let shown = path.display();
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(most + 1).read_to_string(&mut text));
    read.map_err(|error| format!("{shown} cannot be read: {error}; check that it exists and who may read it"))?;
    if text.len() as u64 > most {
        return Err(format!("{shown} is larger than {most} bytes; check that it is the right file"));
    }
    if text.trim().is_empty() {
        return Err(format!("{shown} is empty"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<AgentConfig, String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("hook"), "https://hooks.example/T/secret\n").unwrap();
        let path = dir.path().join("agent.yaml");
        std::fs::write(&path, text).unwrap();
        AgentConfig::read(&path).map_err(|error| error.message)
    }

    #[test]
    fn a_whole_file_is_read_with_its_secrets() {
        let config = read(
            "schema: 1\nhost: web-1\nreach: 10.0.0.5:443\ndiscover: false\nlogs: {shop: [/var/log/a.log]}\n\
             server_silent: {after: 3m, language: ja, tell: [{slack: {webhook_file: hook}}]}\n",
        )
        .unwrap();
        assert_eq!((config.host.as_deref(), config.discover), (Some("web-1"), false));
        let section = config.server_silent.unwrap();
        assert_eq!((section.after, section.channels().unwrap().len()), (Span::from_seconds(180), 1));
        assert!(read("schema: 1\n").unwrap().discover, "everything has a default");
    }

    #[test]
    fn what_is_wrong_is_named_with_the_way_out() {
        for (text, part) in [
            ("schema: 2\n", "write `schema: 1`"),
            ("schema: 1\nhots: a\n", "line 2, column 1"),
            ("schema: 1\nhots: a\n", "hots"),
            ("schema: 1\nhost: \"a b\"\n", "no name of a host"),
            ("schema: 1\nlogs: {shop: [access.log]}\n", "write the whole path"),
            ("schema: 1\nserver_silent: {after: 1s, tell: []}\n", "30s or more"),
            ("schema: 1\nserver_silent: {tell: []}\n", "names nobody"),
            ("schema: 1\nserver_silent: {time_zone: Mars, tell: [{slack: {webhook_file: hook}}]}\n", "no time zone"),
            ("schema: 1\nserver_silent: {tell: [{slack: {webhook_file: none}}]}\n", "slack.webhook_file"),
            ("", "is empty"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(part) && error.lines().count() == 1, "{text}: {error}");
        }
    }
}
