//! `koshu up` and `koshu serve`: everything in one process.

use crate::app::{App, AppOptions};
use crate::config::{Config, LISTENERS, Listen, line_of, render, variables};
use crate::failure::Failure;
use crate::output::Screen;
use crate::place;
use crate::texts::Message;
use anyhow::{Context, Result};
use base::{ByteSize, Clock};
use clap::Args;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use tokio::signal::unix::{SignalKind, signal};

/// What `up` and `serve` start.
#[derive(Debug, Clone, Args)]
pub struct UpArgs {
    /// Data folder. The default is /var/lib/koshu for root, else koshu in $XDG_DATA_HOME or ~/.local/share
    #[arg(long, env = "KOSHU_DIR", value_name = "DIR", default_value_os_t = place::default_dir())]
    pub dir: PathBuf,
    /// Folder with koshu.yaml [default: config in the data folder; without it everything has its default]
    #[arg(long, env = "KOSHU_CONFIG", value_name = "DIR")]
    pub config: Option<PathBuf>,
    /// Address of pages, API and intake; port 0 takes a free one [default: 127.0.0.1:4649]
    #[arg(long, value_name = "ADDR")]
    pub http: Option<SocketAddr>,
    /// Add the living demonstration: a small web shop with users and faults
    #[arg(long)]
    pub demo: bool,
    /// Address of one listener, for example `http=127.0.0.1:0`, or `statsd=off`
    #[arg(long, value_name = "NAME=ADDR")]
    pub listen: Vec<ListenAt>,
}

impl UpArgs {
    /// `--listen http=...` says the same as `--http`.
    pub fn settled(mut self) -> Result<Self> {
        for listen in &self.listen {
            match (listen.name, listen.at) {
                ("http", Listen::At(address)) => self.http = Some(address),
                ("http", Listen::Off) => return Err(Failure::usage("cli-listen-http-off").into()),
                _ => {}
            }
        }
        Ok(self)
    }
}

/// Where one listener listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenAt {
    /// Which.
    pub name: &'static str,
    /// Where.
    pub at: Listen,
}

impl FromStr for ListenAt {
    type Err = String;

    fn from_str(raw: &str) -> Result<Self, String> {
        let (name, at) = raw.split_once('=').ok_or("write it as NAME=ADDR, for example http=127.0.0.1:0")?;
        let known = LISTENERS.into_iter().find(|known| *known == name);
        let name =
            known.ok_or_else(|| format!("there is no listener {name:?}; use one of {}", LISTENERS.join(", ")))?;
        if at == "off" {
            return Ok(Self { name, at: Listen::Off });
        }
        let at = at.parse().map_err(|_| format!("{at:?} is no address; write for example 127.0.0.1:0, or off"))?;
        Ok(Self { name, at: Listen::At(at) })
    }
}

/// Where pages and API are, when nothing else was said.
const DEFAULT_HTTP: &str = "127.0.0.1:4649";
/// Folder of this host's files; another one only in tests.
const HOST_ROOT: &str = "KOSHU_HOST_ROOT";
/// Another story of the demonstration, as JSON; only in tests.
const DEMO_SCENARIO: &str = "KOSHU_DEMO_SCENARIO";
/// Name of the folder of configuration in the data folder.
const OWN_CONFIG: &str = "config";

/// Starts, says where, and runs until it is told to stop.
pub fn run(args: UpArgs, with_agent: bool, screen: &Screen) -> Result<ExitCode> {
    let config_folder = args.config.clone().unwrap_or_else(|| args.dir.join(OWN_CONFIG));
    let is_asked_for = args.config.is_some() || config_folder.is_dir();
    let loaded = match Config::load(is_asked_for.then_some(config_folder.as_path()), variables()) {
        Ok(loaded) => loaded,
        Err(errors) => {
            eprint!("{}", render(&errors.0, std::io::stderr().is_terminal()));
            return Ok(ExitCode::from(3));
        }
    };
    for warning in &loaded.warnings {
        eprintln!("{}", line_of(warning));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let options = AppOptions {
            http: http_address(&args, &loaded.config)?,
            dir: args.dir,
            config: loaded.config,
            config_folder: Some(config_folder),
            demo: if args.demo { Some(scenario()?) } else { None },
            with_agent,
            listen: args.listen.iter().map(|listen| (listen.name, listen.at)).collect(),
            host_root: std::env::var_os(HOST_ROOT).map_or_else(|| PathBuf::from("/"), PathBuf::from),
        };
        let dir = options.dir.clone();
        let app = App::start(options, Clock::System).await?;
        announce(&app, &dir, screen)?;
        wait_for_stop().await?;
        eprintln!("{}", screen.texts.get("cli-up-stopping"));
        app.stop().await;
        Ok(ExitCode::SUCCESS)
    })
}

fn scenario() -> Result<demo::Scenario> {
    match std::env::var(DEMO_SCENARIO) {
        Ok(text) => serde_json::from_str(&text).with_context(|| format!("{DEMO_SCENARIO} is no scenario")),
        Err(_) => Ok(demo::Scenario::default()),
    }
}

fn http_address(args: &UpArgs, config: &Config) -> Result<SocketAddr> {
    use crate::config::Listen;
    if let Some(address) = args.http {
        return Ok(address);
    }
    match config.server.listen.http {
        Some(Listen::At(address)) => Ok(address),
        Some(Listen::Off) => anyhow::bail!("server.listen.http is off: there would be no way in; give an address"),
        None => DEFAULT_HTTP.parse().context("the default address"),
    }
}

/// People read stderr; scripts read the one line on stdout.
fn announce(app: &App, dir: &std::path::Path, screen: &Screen) -> Result<()> {
    let url = format!("http://{}", app.http);
    let say = |message: Message| eprintln!("{}", screen.texts.say(&message));
    let indented = |message: Message| eprintln!("  {}", screen.texts.say(&message));
    let version = env!("CARGO_PKG_VERSION");
    say(Message::new("cli-up-data").with("version", version).with("dir", dir.display().to_string()));
    for log in &app.found {
        let path = log.path.display().to_string();
        match &log.problem {
            Some(problem) => indented(Message::new("cli-up-found").with("path", path).with("problem", problem)),
            None => indented(
                Message::new("cli-up-following")
                    .with("path", path)
                    .with("service", log.service.to_string())
                    .with("size", ByteSize(log.past_bytes).to_string())
                    .with("url", &url),
            ),
        }
    }
    eprintln!();
    match &app.link {
        Some(secret) => {
            let link = format!("{url}/welcome/{}", secret.reveal());
            say(Message::new("cli-up-sign-in-once").with("url", link));
        }
        None => say(Message::new("cli-up-sign-in").with("url", &url)),
    }
    eprintln!();
    let mut out = std::io::stdout().lock();
    writeln!(out, "ready {url}")?;
    out.flush()?;
    Ok(())
}

async fn wait_for_stop() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_has_a_known_name_and_an_address() {
        for (raw, want) in [
            ("http=127.0.0.1:0", true),
            ("statsd=off", true),
            ("http", false),
            ("http=localhost", false),
            ("gopher=off", false),
        ] {
            assert_eq!(raw.parse::<ListenAt>().is_ok(), want, "{raw}");
        }
    }
}
