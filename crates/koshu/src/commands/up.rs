//! `koshu up` and `koshu serve`: everything in one process.

use super::check::variables;
use crate::app::{App, AppOptions};
use crate::cli::UpArgs;
use crate::config::{Config, line_of, render};
use crate::output::Screen;
use crate::texts::Message;
use anyhow::{Context, Result};
use base::{ByteSize, Clock};
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Where pages and API are, when nothing else was said.
const DEFAULT_HTTP: &str = "127.0.0.1:4649";
/// Folder of this host's files; another one only in tests.
const HOST_ROOT: &str = "KOSHU_HOST_ROOT";

/// Starts, says where, and runs until it is told to stop.
pub fn run(args: UpArgs, with_agent: bool, screen: &Screen) -> Result<ExitCode> {
    let loaded = match Config::load(args.config.as_deref(), variables()) {
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
            demo: args.demo,
            with_agent,
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
