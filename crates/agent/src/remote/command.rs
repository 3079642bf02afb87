//! The command line of the agent, the same for `koshu-agent` and `koshu agent`.

use super::config::read_text;
use super::{AgentConfig, Options, StartError, run};
use anyhow::{Context, Result};
use base::Secret;
use clap::Args;
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Largest file with a token.
const MAX_TOKEN: u64 = 4096;
/// Folder of this host's files; another one only in tests.
const HOST_ROOT: &str = "KOSHU_HOST_ROOT";

/// Where the server is, and what this host may say to it.
#[derive(Debug, Clone, Args)]
pub struct AgentArgs {
    /// Address of the server, for example https://koshu.example
    #[arg(long, env = "KOSHU_SERVER", value_name = "URL")]
    pub server: String,
    /// File with the token of this host, made by `koshu token create --scope agent`
    #[arg(long, value_name = "FILE")]
    pub token_file: PathBuf,
    /// The agent's own file: its name, its logs, whom to tell when the server is silent
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Runs the agent until it is told to stop. The runtime is its own.
pub fn run_command(args: &AgentArgs) -> Result<()> {
    let token = read_text(&args.token_file, MAX_TOKEN).map_err(|error| anyhow::anyhow!("--token-file: {error}"))?;
    let config = args.config.as_deref().map(AgentConfig::read).transpose()?.unwrap_or_default();
    let options = Options {
        server: args.server.clone(),
        token: Secret::new(token.trim()),
        config,
        root: std::env::var_os(HOST_ROOT).map_or_else(|| PathBuf::from("/"), PathBuf::from),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("failed to start the runtime")?;
    runtime.block_on(async {
        let stop = CancellationToken::new();
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let asked = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            asked.cancel();
        });
        tracing::info!(server = options.server, "the agent reports");
        run(options, stop).await.map_err(|error: StartError| anyhow::Error::new(error))
    })
}
