//! `koshu-agent`: the agent alone, for machines without a server. What it does lives in [`agent::remote`].

use agent::remote::{AgentArgs, run_command};
use clap::Parser;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Observes this host for a Koshu server elsewhere: samples, access logs, checks from here.
#[derive(Debug, Parser)]
#[command(name = "koshu-agent", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    agent: AgentArgs,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    agent::allocator::give_back_soon(&std::env::args_os().collect::<Vec<_>>());
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let color = std::env::var_os("NO_COLOR").is_none() && std::io::IsTerminal::is_terminal(&std::io::stderr());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(color).init();
    match run_command(&cli.agent) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
