//! The command line: verbs, options, and which function they lead to.

use crate::client::ServerArgs;
use crate::commands;
use crate::config::Listen;
use crate::failure::{self, Failure};
use crate::output::Screen;
use crate::texts::Texts;
use anyhow::Result;
use base::ServiceName;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use protocols::access::Format;
use signal::route::RoutePattern;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
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
    /// Print the requests table of access logs, without a server
    Access(AccessArgs),
    /// Bring past access logs into the lake; can be repeated and interrupted, and never counts twice
    Import(ImportArgs),
    /// Ask the lake in SQL
    Query(QueryArgs),
    /// Show requests as they arrive
    Tail(TailArgs),
    /// Check a folder of configuration
    Check(CheckArgs),
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

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people
    Table,
    /// One JSON document
    Json,
    /// Comma-separated values with a header
    Csv,
}

/// `-o`
#[derive(Debug, Clone, Copy, Args)]
pub struct OutputArg {
    /// How to print the result
    #[arg(short, long, value_enum, default_value = "table")]
    pub output: OutputFormat,
}

/// The data folder.
#[derive(Debug, Clone, Args)]
pub struct DirArg {
    /// Data folder
    #[arg(long, env = "KOSHU_DIR", value_name = "DIR", default_value_os_t = crate::place::default_dir())]
    pub dir: PathBuf,
}

/// What `up` and `serve` start.
#[derive(Debug, Clone, Args)]
pub struct UpArgs {
    /// Data folder. The default is /var/lib/koshu for root, else koshu in $XDG_DATA_HOME or ~/.local/share
    #[arg(long, env = "KOSHU_DIR", value_name = "DIR", default_value_os_t = crate::place::default_dir())]
    pub dir: PathBuf,
    /// Folder with koshu.yaml; without it everything has its default
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
    fn settled(mut self) -> Result<Self> {
        for listen in &self.listen {
            match (listen.name, listen.at) {
                ("http", Listen::At(address)) => self.http = Some(address),
                ("http", Listen::Off) => return Err(Failure::usage("cli-listen-http-off").into()),
                (_, Listen::Off) => {}
                (name, Listen::At(_)) => return Err(Failure::usage("cli-listen-later").with("name", name).into()),
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

const LISTENERS: [&str; 7] = ["http", "otlp_grpc", "otlp_http", "forward", "syslog", "elasticsearch", "statsd"];

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

/// `koshu access`
#[derive(Debug, Args)]
pub struct AccessArgs {
    /// Access logs: plain, .gz, .zst, or `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Order of the rows
    #[arg(long, default_value = "total", value_name = "total|count|p50|p95|p99|errors")]
    pub sort: perf::requests::RequestSort,
    /// Rows to print [default: 30 in a table, else all]
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Format of the lines: auto, combined, common, ltsv, json or alb
    #[arg(long, default_value = "auto")]
    pub format: Format,
    /// Regular expression with the groups time, status and request (or path) for a format of your own
    #[arg(long, value_name = "REGEX", conflicts_with = "format")]
    pub pattern: Option<String>,
    /// Route of your own, for example `/items/:slug`; can be given several times
    #[arg(long, value_name = "ROUTE")]
    pub route_pattern: Vec<RoutePattern>,
    /// Exact percentiles (keeps every duration in memory)
    #[arg(long)]
    pub exact: bool,
    #[command(flatten)]
    pub out: OutputArg,
}

/// `koshu import`
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Access logs: plain, .gz, .zst, or `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The service they belong to
    #[arg(long, value_name = "NAME")]
    pub service: ServiceName,
    /// Format of the lines: auto, combined, common, ltsv, json or alb
    #[arg(long, default_value = "auto")]
    pub format: Format,
    #[command(flatten)]
    pub server: ServerArgs,
    #[command(flatten)]
    pub out: OutputArg,
}

/// `koshu query`
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// One SELECT statement, or `-` to read it from standard input
    pub sql: String,
    /// Start: 2026-11-22T09:00:00Z, 2026-11-22, or how long ago (2h) [default: one day before the end]
    #[arg(long, value_name = "TIME", value_parser = crate::place::moment)]
    pub from: Option<base::Timestamp>,
    /// End, not included [default: now]
    #[arg(long, value_name = "TIME", value_parser = crate::place::moment)]
    pub to: Option<base::Timestamp>,
    /// Most rows, up to 10,000
    #[arg(long, default_value_t = 1000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    /// With --dir the lake is read directly when no server uses it
    #[command(flatten)]
    pub server: ServerArgs,
    #[command(flatten)]
    pub out: OutputArg,
}

/// `koshu tail`
#[derive(Debug, Args)]
pub struct TailArgs {
    /// Filter as in the explorer: status>=500 route:"POST /cart" duration>1s
    pub filter: Vec<String>,
    /// Only this service
    #[arg(long, value_name = "NAME")]
    pub service: Option<ServiceName>,
    /// End after this many rows
    #[arg(short = 'n', long, value_name = "N")]
    pub rows: Option<u64>,
    #[command(flatten)]
    pub server: ServerArgs,
    /// How to print rows: lines for people, one JSON object a line, or CSV
    #[command(flatten)]
    pub out: OutputArg,
}

/// `koshu check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Folder with koshu.yaml
    #[arg(env = "KOSHU_CONFIG", default_value = ".", value_name = "DIR")]
    pub folder: PathBuf,
    /// Print the JSON Schema of the configuration instead
    #[arg(long)]
    pub schema: bool,
    #[command(flatten)]
    pub out: OutputArg,
}

/// Where the store of accounts and tokens is.
#[derive(Debug, Clone, Args)]
pub struct StoreArgs {
    #[command(flatten)]
    pub data: DirArg,
    /// Folder with koshu.yaml, when it says that the store is in PostgreSQL
    #[arg(long, env = "KOSHU_CONFIG", value_name = "DIR")]
    pub config: Option<PathBuf>,
}

/// `koshu token`
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it; it is shown this once
    Create {
        /// What it is for
        #[arg(long)]
        name: String,
        /// What it may do: ingest, read or admin
        #[arg(long)]
        scope: store::Scope,
        #[command(flatten)]
        store: StoreArgs,
        #[command(flatten)]
        out: OutputArg,
    },
    /// List tokens
    List {
        #[command(flatten)]
        store: StoreArgs,
        #[command(flatten)]
        out: OutputArg,
    },
    /// Delete a token: from now on it is refused
    Delete {
        /// Id, or its first characters as the list shows them
        token: String,
        #[command(flatten)]
        store: StoreArgs,
    },
}

/// `koshu user`
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make an account, and print a one-time sign-in link for it
    Add {
        /// What is typed at sign-in
        name: String,
        #[command(flatten)]
        store: StoreArgs,
        #[command(flatten)]
        out: OutputArg,
    },
    /// Print a one-time sign-in link, for an hour
    Link {
        /// Whose
        #[arg(default_value = "admin")]
        name: String,
        #[command(flatten)]
        store: StoreArgs,
        #[command(flatten)]
        out: OutputArg,
    },
    /// Set a password, read from the first line of standard input; ends all sessions of the user
    Password {
        /// Whose
        #[arg(default_value = "admin")]
        name: String,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// List accounts
    List {
        #[command(flatten)]
        store: StoreArgs,
        #[command(flatten)]
        out: OutputArg,
    },
}

/// `koshu fsck`
#[derive(Debug, Args)]
pub struct FsckArgs {
    #[command(flatten)]
    pub data: DirArg,
    #[command(flatten)]
    pub out: OutputArg,
}

/// `koshu doctor`
#[derive(Debug, Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    pub store: StoreArgs,
    #[command(flatten)]
    pub out: OutputArg,
}

/// `koshu man`
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Which command; the overview when missing
    pub command: Option<String>,
    /// Write all pages into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub write: Option<PathBuf>,
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
    let level = if matches!(command, Command::Up(_) | Command::Serve(_)) { LOG_OF_A_SERVER } else { "warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let color = std::env::var_os("NO_COLOR").is_none() && std::io::IsTerminal::is_terminal(&std::io::stderr());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(color).init();
}

fn dispatch(command: Command, screen: &Screen) -> Result<ExitCode> {
    match command {
        Command::Up(args) => commands::up::run(args.settled()?, true, screen),
        Command::Serve(args) => commands::up::run(args.settled()?, false, screen),
        Command::Access(args) => commands::access::run(&args, screen),
        Command::Import(args) => commands::import::run(args, screen),
        Command::Query(args) => commands::query::run(&args, screen),
        Command::Tail(args) => commands::tail::run(&args, screen),
        Command::Check(args) => commands::check::run(&args, screen),
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
