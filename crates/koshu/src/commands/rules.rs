//! `koshu rules`: what rules would have said about the past, and objectives as other programs write them.

use crate::client::{Client, ServerArgs};
use crate::config::{Config, line_of, render, variables};
use crate::failure::{Exit, Failure};
use crate::output::{self, Column, OutputArg, OutputFormat, Screen};
use crate::place;
use crate::texts::Message;
use anyhow::{Context, Result};
use base::Timestamp;
use clap::{Args, Subcommand};
use indicatif::ProgressBar;
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::io::{IsTerminal, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// `koshu rules`
#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// Say what rules would have said about the stored past; nobody is told anything
    Replay(ReplayArgs),
    /// Print objectives and their burn rules as OpenSLO documents
    Export(ExportArgs),
    /// Read OpenSLO documents and print them as a part of the configuration
    Import(ImportArgs),
}

/// `koshu rules replay`
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Start: 2026-11-22T09:00:00Z, 2026-11-22, or how long ago (2h) [default: one day before the end]
    #[arg(long, value_name = "TIME", value_parser = place::moment)]
    pub from: Option<Timestamp>,
    /// End, not included [default: now]
    #[arg(long, value_name = "TIME", value_parser = place::moment)]
    pub to: Option<Timestamp>,
    /// Folder with other rules than the server's: both are gone through and compared
    #[arg(long, value_name = "DIR")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub server: ServerArgs,
    #[command(flatten)]
    pub out: OutputArg,
}

/// `koshu rules export`
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Folder with koshu.yaml
    #[arg(env = "KOSHU_CONFIG", default_value = ".", value_name = "DIR")]
    pub folder: PathBuf,
}

/// `koshu rules import`
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// A file of OpenSLO documents, or `-` for standard input
    pub file: PathBuf,
}

/// The server ends a replay before.
const REPLAY_TIMEOUT: Duration = Duration::from_mins(4);
const MAX_OPENSLO_BYTES: u64 = 2 << 20;
const HEADINGS: [&str; 7] = ["from", "to", "class", "rule", "service", "series", "value"];

/// Does what the command says.
pub fn run(command: &RulesCommand, screen: &Screen) -> Result<ExitCode> {
    match command {
        RulesCommand::Replay(args) => replay(args, screen),
        RulesCommand::Export(args) => export(args),
        RulesCommand::Import(args) => import(args),
    }
}

/// The configuration of a folder, or what is wrong with it on stderr.
fn load(folder: &Path) -> Option<Config> {
    match Config::load(Some(folder), variables()) {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                eprintln!("{}", line_of(warning));
            }
            Some(loaded.config)
        }
        Err(errors) => {
            eprint!("{}", render(&errors.0, std::io::stderr().is_terminal()));
            None
        }
    }
}

fn replay(args: &ReplayArgs, screen: &Screen) -> Result<ExitCode> {
    let mut body = json!({ "from": args.from, "to": args.to });
    if let Some(folder) = &args.config {
        let Some(config) = load(folder) else { return Ok(Exit::Problems.into()) };
        body["config"] = tried(&config);
    }
    let client = Client::find(&args.server)?;
    let answer: Value = super::wait_for(async {
        let waiting = waiting(screen);
        let request = client.request(Method::POST, "api/v1/rules/replay").json(&body).timeout(REPLAY_TIMEOUT);
        let answer = client.send(request).await?.json().await.context("the answer of the server could not be read");
        waiting.finish_and_clear();
        answer
    })?;
    show(&answer, args.out.output, screen)?;
    Ok(ExitCode::SUCCESS)
}

/// What of a configuration decides, and nothing else: no secret leaves with it.
fn tried(config: &Config) -> Value {
    let services: Map<String, Value> = config
        .services
        .iter()
        .map(|(name, section)| (name.to_string(), json!({ "owner": section.owner, "objectives": section.objectives })))
        .collect();
    let checks: Vec<&str> = config.checks.keys().map(watch::check::CheckName::as_str).collect();
    json!({
        "services": services, "rules": config.rules, "checks": checks, "time_zone": config.server.time_zone,
    })
}

/// A sign of life on a terminal, after a second.
fn waiting(screen: &Screen) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner().with_message(screen.texts.get("cli-rules-replaying"));
    bar.enable_steady_tick(Duration::from_secs(1));
    bar
}

fn show(answer: &Value, format: OutputFormat, screen: &Screen) -> Result<()> {
    let firings = answer["firings"].as_array().cloned().unwrap_or_default();
    let rows = firings.iter().map(|firing| {
        let series = firing["series"].as_object().into_iter().flatten();
        let series: Vec<String> = series.map(|(label, value)| format!("{label}={}", output::cell(value))).collect();
        let text = |name: &str| output::cell(&firing[name]);
        vec![text("from"), text("to"), text("class"), text("rule"), text("service"), series.join(","), text("value")]
    });
    match format {
        OutputFormat::Json => return output::print_json(answer),
        OutputFormat::Csv => output::print(&output::csv(&HEADINGS, rows))?,
        OutputFormat::Table if firings.is_empty() => {}
        OutputFormat::Table => {
            let column = |name: &&str| if *name == "value" { Column::number(*name) } else { Column::text(*name) };
            let columns: Vec<Column> = HEADINGS.iter().map(column).collect();
            output::print(&output::table(&columns, rows, screen.color))?;
        }
    }
    for remark in remarks(answer) {
        eprintln!("{}", screen.texts.say(&remark));
    }
    Ok(())
}

/// What the rows do not say.
fn remarks(answer: &Value) -> Vec<Message> {
    let text = |value: &Value| output::printable(&output::cell(value));
    let mut out = vec![
        Message::new("cli-rules-replayed")
            .with("alerts", text(&answer["alerts"]))
            .with("tickets", text(&answer["tickets"]))
            .with("records", text(&answer["records"]))
            .with("from", text(&answer["from"]))
            .with("to", text(&answer["to"])),
    ];
    if answer["to"] != answer["asked_to"] {
        out.push(Message::new("cli-rules-cut").with("to", text(&answer["asked_to"])));
    }
    if answer["more"].as_u64().unwrap_or(0) > 0 {
        out.push(Message::new("cli-rules-more").with("more", text(&answer["more"])));
    }
    for left_out in answer["not_replayed"].as_array().into_iter().flatten() {
        let message = Message::new("cli-rules-not-replayed").with("rule", text(&left_out["rule"]));
        out.push(message.with("why", text(&left_out["why"])));
    }
    for sampled in answer["sampled"].as_array().into_iter().flatten() {
        let message = Message::new("cli-rules-sampled").with("rule", text(&sampled["rule"]));
        out.push(message.with("seconds", text(&sampled["every_s"])));
    }
    if let Some(compared) = answer["comparison"].as_object() {
        let number = |name: &str| compared.get(name).map(text).unwrap_or_default();
        let message = Message::new("cli-rules-compared").with("before", number("alerts_before"));
        let message = message.with("after", number("alerts_after")).with("missed", number("missed"));
        out.push(message.with("incidents", number("incidents")));
    }
    out
}

fn export(args: &ExportArgs) -> Result<ExitCode> {
    let Some(config) = load(&args.folder) else { return Ok(Exit::Problems.into()) };
    let with_objectives = config.services.iter().filter(|(_, section)| !section.objectives.is_empty());
    let documents = with_objectives
        .map(|(name, section)| watch::openslo::export(name.as_str(), &section.objectives, &config.rules))
        .collect::<Vec<_>>();
    output::print(&documents.join("---\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn import(args: &ImportArgs) -> Result<ExitCode> {
    let mut text = String::new();
    let failed = |error| Failure::failed("cli-cannot-open").with("file", args.file.display()).because(error);
    if args.file == Path::new("-") {
        std::io::stdin().take(MAX_OPENSLO_BYTES).read_to_string(&mut text).map_err(failed)?;
    } else {
        let file = std::fs::File::open(&args.file).map_err(failed)?;
        file.take(MAX_OPENSLO_BYTES).read_to_string(&mut text).map_err(failed)?;
    }
    let imported = watch::openslo::import(&text)?;
    let services: Map<String, Value> =
        imported.services.iter().map(|(name, found)| (name.clone(), json!({ "objectives": found }))).collect();
    let yaml = serde_saphyr::to_string(&json!({ "schema": 1, "services": services, "rules": imported.rules }))?;
    output::print(&yaml)?;
    for note in &imported.notes {
        eprintln!("{}", output::printable(note));
    }
    Ok(ExitCode::SUCCESS)
}
