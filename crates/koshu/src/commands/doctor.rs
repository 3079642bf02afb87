//! `koshu doctor`: can Koshu work here, and what is to be done if not?
//!
//! Looks without changing anything: it makes no folder and no store, and takes no port for longer than a moment.

use super::token::store_options;
use crate::client::{self, Client, ServerArgs};
use crate::config::variables;
use crate::config::{Config, line_of};
use crate::failure::Exit;
use crate::output::{self, Column, OutputArg, OutputFormat, Screen};
use crate::place::StoreArgs;
use crate::texts::Message;
use anyhow::Result;
use base::{ByteSize, Clock, Timestamp};
use clap::Args;
use reqwest::Method;
use rustix::fs::Access;
use serde::Serialize;
use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, UNIX_EPOCH};
use store::{SQLITE_FILE, Store, StoreOptions};

/// `koshu doctor`
#[derive(Debug, Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    pub store: StoreArgs,
    #[command(flatten)]
    pub out: OutputArg,
}

const USUAL_ADDRESS: &str = "127.0.0.1:4649";
/// Below this the server refuses records sooner or later.
const LITTLE_DISK: u64 = 1 << 30;
/// Below this a small service still works, but queries meet their limit.
const LITTLE_MEMORY: u64 = 256 << 20;
const FEW_FILES: u64 = 1024;
/// No machine that runs this has an earlier date.
const EARLIEST: Timestamp = Timestamp::from_seconds(1_767_225_600);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Ok,
    Warning,
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    detail: String,
    /// What to do.
    advice: Option<String>,
}

/// Looks at everything and prints it.
pub fn run(args: &DoctorArgs, screen: &Screen) -> Result<ExitCode> {
    let findings = super::wait_for(async {
        let look = Look { dir: &args.store.data.dir, screen };
        let budgets = look.config(args.store.config.as_deref());
        let mut findings = vec![budgets.finding, look.folder(), look.disk(budgets.disk), look.memory(budgets.memory)];
        findings.push(look.files());
        findings.push(look.store(&args.store).await);
        findings.push(look.server().await);
        findings.push(look.clock());
        Ok(findings)
    })?;
    show(&findings, args.out.output, screen)?;
    let bad = findings.iter().any(|finding| finding.verdict == Verdict::Problem);
    Ok(if bad { Exit::Problems.into() } else { ExitCode::SUCCESS })
}

struct Look<'a> {
    dir: &'a Path,
    screen: &'a Screen,
}

struct Budgets {
    finding: Finding,
    memory: Option<ByteSize>,
    disk: Option<ByteSize>,
}

impl Look<'_> {
    fn good(check: &'static str, detail: impl Into<String>) -> Finding {
        Finding { check, verdict: Verdict::Ok, detail: detail.into(), advice: None }
    }

    fn bad(&self, check: &'static str, verdict: Verdict, detail: impl Into<String>, advice: &'static str) -> Finding {
        let advice = Message::new(advice).with("dir", self.dir.display().to_string());
        Finding { check, verdict, detail: detail.into(), advice: Some(self.screen.texts.say(&advice)) }
    }

    fn config(&self, folder: Option<&Path>) -> Budgets {
        match Config::load(folder, variables()) {
            Ok(loaded) => {
                let from = folder.map_or_else(|| "-".to_owned(), |folder| folder.display().to_string());
                let server = loaded.config.server;
                Budgets { finding: Self::good("configuration", from), memory: server.memory, disk: server.disk }
            }
            Err(errors) => {
                let first = errors.0.first().map(line_of).unwrap_or_default();
                let finding = self.bad("configuration", Verdict::Problem, first, "cli-doctor-config");
                Budgets { finding, memory: None, disk: None }
            }
        }
    }

    /// The data folder, or the nearest one above it that exists.
    fn existing(&self) -> &Path {
        self.dir.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("."))
    }

    fn folder(&self) -> Finding {
        let (existing, shown) = (self.existing(), self.dir.display().to_string());
        if self.dir.exists() && !self.dir.is_dir() {
            return self.bad("data_folder", Verdict::Problem, shown, "cli-doctor-not-a-folder");
        }
        match rustix::fs::access(existing, Access::WRITE_OK | Access::EXEC_OK) {
            Ok(()) => Self::good("data_folder", shown),
            Err(error) => {
                let detail = format!("{}: {error}", existing.display());
                self.bad("data_folder", Verdict::Problem, detail, "cli-doctor-folder")
            }
        }
    }

    fn disk(&self, budget: Option<ByteSize>) -> Finding {
        let free = match rustix::fs::statvfs(self.existing()) {
            Ok(stat) => stat.f_bavail.saturating_mul(stat.f_frsize),
            Err(error) => return self.bad("disk", Verdict::Problem, error.to_string(), "cli-doctor-folder"),
        };
        let budget_text = budget.map(|budget| format!(", budget {budget}")).unwrap_or_default();
        let detail = format!("{} free{budget_text}", ByteSize(free));
        if free < LITTLE_DISK {
            return self.bad("disk", Verdict::Problem, detail, "cli-doctor-disk");
        }
        if !self.dir.exists() && budget.is_some_and(|budget| budget.0 > free) {
            return self.bad("disk", Verdict::Warning, detail, "cli-doctor-disk-budget");
        }
        Self::good("disk", detail)
    }

    fn memory(&self, budget: Option<ByteSize>) -> Finding {
        let Some(total) = machine_memory() else {
            return self.bad("memory", Verdict::Warning, "?", "cli-doctor-memory");
        };
        let budget = budget.unwrap_or(ByteSize(total / 4));
        let detail = format!("budget {budget} of {}", ByteSize(total));
        match budget.0 {
            bytes if bytes > total => self.bad("memory", Verdict::Problem, detail, "cli-doctor-memory-budget"),
            bytes if bytes < LITTLE_MEMORY => self.bad("memory", Verdict::Warning, detail, "cli-doctor-memory"),
            _ => Self::good("memory", detail),
        }
    }

    fn files(&self) -> Finding {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let detail = limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string());
        if limit.is_some_and(|limit| limit < FEW_FILES) {
            return self.bad("open_files", Verdict::Warning, detail, "cli-doctor-files");
        }
        Self::good("open_files", detail)
    }

    async fn store(&self, args: &StoreArgs) -> Finding {
        let Ok(options) = store_options(args) else {
            return self.bad("store", Verdict::Problem, "?", "cli-doctor-config");
        };
        if matches!(options, StoreOptions::Folder(_)) && !self.dir.join(SQLITE_FILE).exists() {
            return Self::good("store", self.screen.texts.get("cli-doctor-first-start"));
        }
        let opened = Store::open(options, Clock::System).await;
        let answer = match &opened {
            Ok(store) => store.ping().await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Ok(store) = opened {
            store.close().await;
        }
        match answer {
            Ok(()) => Self::good("store", self.dir.join(SQLITE_FILE).display().to_string()),
            Err(why) => self.bad("store", Verdict::Problem, why, "cli-doctor-store"),
        }
    }

    /// Either a server answers, or its address is free.
    async fn server(&self) -> Finding {
        if let Some(address) = client::address_of(self.dir)
            && let Some(ready) = self.ready(&address).await
        {
            return if ready {
                Self::good("server", address)
            } else {
                self.bad("server", Verdict::Problem, address, "cli-doctor-not-ready")
            };
        }
        match TcpListener::bind(USUAL_ADDRESS) {
            Ok(_) => Self::good("server", format!("{USUAL_ADDRESS} {}", self.screen.texts.get("cli-doctor-free"))),
            Err(error) => self.bad("server", Verdict::Warning, format!("{USUAL_ADDRESS}: {error}"), "cli-doctor-port"),
        }
    }

    /// `None` when nobody answers at all.
    async fn ready(&self, address: &str) -> Option<bool> {
        let args = ServerArgs { server: Some(address.to_owned()), token_file: None, dir: None };
        let client = Client::find(&args).ok()?;
        let request = client.request(Method::GET, "readyz").timeout(ANSWER_TIMEOUT);
        Some(client.try_send(request).await.ok()?.status().is_success())
    }

    fn clock(&self) -> Finding {
        let now = Clock::System.now();
        let newest = newest_file(self.dir);
        if now < EARLIEST || newest.is_some_and(|newest| newest > now.plus_seconds(3_600)) {
            return self.bad("clock", Verdict::Problem, now.to_string(), "cli-doctor-clock");
        }
        Self::good("clock", now.to_string())
    }
}

/// The memory of the machine, or of the container if that is less.
fn machine_memory() -> Option<u64> {
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let machine = line.trim().trim_end_matches(" kB").parse::<u64>().ok()? << 10;
    let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let limits = limits.into_iter().filter_map(|path| std::fs::read_to_string(path).ok()?.trim().parse().ok());
    Some(limits.fold(machine, u64::min))
}

/// When the data was last written.
fn newest_file(dir: &Path) -> Option<Timestamp> {
    let entries = std::fs::read_dir(dir).ok()?.flatten().take(1_000);
    let times = entries.filter_map(|entry| entry.metadata().ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok());
    let newest = times.max()?;
    i64::try_from(newest.as_secs()).ok().map(Timestamp::from_seconds)
}

const FIELDS: [&str; 4] = ["check", "verdict", "detail", "advice"];

fn show(findings: &[Finding], format: OutputFormat, screen: &Screen) -> Result<()> {
    let verdict = |verdict: Verdict| match verdict {
        Verdict::Ok => "ok",
        Verdict::Warning => "warning",
        Verdict::Problem => "problem",
    };
    let cells = |finding: &Finding| {
        let advice = finding.advice.clone().unwrap_or_default();
        vec![finding.check.to_owned(), verdict(finding.verdict).to_owned(), finding.detail.clone(), advice]
    };
    let rows = findings.iter().map(cells);
    match format {
        OutputFormat::Json => output::print_json(&serde_json::json!({ "findings": findings })),
        OutputFormat::Csv => Ok(output::print(&output::csv(&FIELDS, rows))?),
        OutputFormat::Table => {
            let headings = ["cli-col-check", "cli-col-verdict", "cli-col-detail", "cli-col-advice"];
            let columns = headings.map(|key| Column::text(screen.texts.get(key)));
            Ok(output::print(&output::table(&columns, rows, screen.color))?)
        }
    }
}
