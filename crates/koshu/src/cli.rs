//! The command line: verbs, options, and which function they lead to.

use crate::commands;
use crate::commands::access::AccessArgs;
use crate::commands::check::CheckArgs;
use crate::commands::doctor::DoctorArgs;
use crate::commands::fsck::FsckArgs;
use crate::commands::import::ImportArgs;
use crate::commands::pages::ManArgs;
use crate::commands::query::QueryArgs;
use crate::commands::report::ReportCommand;
use crate::commands::rules::RulesCommand;
use crate::commands::tail::TailArgs;
use crate::commands::token::TokenCommand;
use crate::commands::up::UpArgs;
use crate::commands::user::UserCommand;
use crate::failure;
use crate::output::{OutputArg, Screen};
use crate::texts::Texts;
use agent::remote::AgentArgs;
use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};
use std::ffi::OsString;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Koshu keeps a team in the state in which it can concentrate on giving users value: golden signals, requests and
/// disappointed users out of access logs, in one process.
#[derive(Debug, Parser)]
#[command(name = "koshu", version, propagate_version = true, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// Print without colours (also: NO_COLOR).
    #[arg(long, global = true)]
    pub no_color: bool,
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 ok, 1 failed, 2 usage, 3 the check found problems, 4 server not reachable, \
                          5 not permitted";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start everything in one process: the server, and the agent of this host
    Up(UpArgs),
    /// Start the server alone, without observing this host
    Serve(UpArgs),
    /// Observe this host for a server elsewhere: samples, access logs, checks from here
    Agent(AgentArgs),
    /// Print the requests table of access logs, without a server
    Access(AccessArgs),
    /// Bring past access logs into the lake; can be repeated and interrupted, and never counts twice
    Import(ImportArgs),
    /// Ask the lake in SQL
    Query(QueryArgs),
    /// Show requests as they arrive
    Tail(TailArgs),
    /// Check a folder of configuration, or whether messages arrive
    Check(CheckArgs),
    /// Replay rules over the past, read and write OpenSLO
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Reports about availability
    #[command(subcommand)]
    Report(ReportCommand),
    /// Make, list and delete tokens for programs
    #[command(subcommand)]
    Token(TokenCommand),
    /// Sign-in links, passwords and accounts
    #[command(subcommand)]
    User(UserCommand),
    /// Check every byte of a lake that is not in use
    Fsck(FsckArgs),
    /// Check whether Koshu can work here, and say what to do if not
    Doctor(DoctorArgs),
    /// Print the completions of a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print a manual page, or write all of them into a folder
    Man(ManArgs),
    /// Print the version
    Version(OutputArg),
}

/// Parses, runs, and says with which code to end.
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is all that can go wrong here.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let screen = Screen::new(cli.no_color, Texts::from_environment());
    log_to_stderr(&cli.command);
    dispatch(cli.command, &screen).unwrap_or_else(|error| failure::report(&error, &screen))
}

/// The table library tells each step of each commit at level info.
const LOG_OF_A_SERVER: &str = "info,buoyant_kernel=warn,buoyant_kernel_engine=warn,deltalake_core=warn";

fn log_to_stderr(command: &Command) {
    let level = if matches!(command, Command::Up(_) | Command::Serve(_) | Command::Agent(_)) {
        LOG_OF_A_SERVER
    } else {
        "warn"
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let color = std::env::var_os("NO_COLOR").is_none() && std::io::IsTerminal::is_terminal(&std::io::stderr());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(color).init();
}

fn dispatch(command: Command, screen: &Screen) -> Result<ExitCode> {
    match command {
        Command::Up(args) => commands::up::run(args.settled()?, true, screen),
        Command::Serve(args) => commands::up::run(args.settled()?, false, screen),
        Command::Agent(args) => {
            agent::remote::run_command(&args)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Access(args) => commands::access::run(&args, screen),
        Command::Import(args) => commands::import::run(args, screen),
        Command::Query(args) => commands::query::run(&args, screen),
        Command::Tail(args) => commands::tail::run(&args, screen),
        Command::Check(args) => commands::check::run(&args, screen),
        Command::Rules(command) => commands::rules::run(&command, screen),
        Command::Report(command) => commands::report::run(&command, screen),
        Command::Token(command) => commands::token::run(command, screen),
        Command::User(command) => commands::user::run(command, screen),
        Command::Fsck(args) => commands::fsck::run(&args, screen),
        Command::Doctor(args) => commands::doctor::run(&args, screen),
        Command::Completions { shell } => commands::pages::completions(shell, &mut Cli::command()),
        Command::Man(args) => commands::pages::man(&args, Cli::command()),
        Command::Version(out) => commands::pages::version(out.output),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn listen_http_is_the_address_of_http() {
        let parse = |args: &[&str]| match Cli::try_parse_from(args).unwrap().command {
            Command::Up(args) => args.settled(),
            _ => unreachable!("only up is parsed here"),
        };
        let args = parse(&["koshu", "up", "--listen", "http=127.0.0.1:0", "--listen", "syslog=off"]).unwrap();
        assert_eq!(args.http, Some("127.0.0.1:0".parse().unwrap()));
        assert!(parse(&["koshu", "up", "--listen", "http=off"]).is_err());
    }
}
