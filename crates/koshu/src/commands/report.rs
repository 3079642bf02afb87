//! `koshu report`: how available a service was in a month.

use crate::client::{Client, ServerArgs};
use crate::output::{self, OutputArg, OutputFormat, Screen};
use anyhow::{Context, Result};
use base::ServiceName;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::Value;
use std::process::ExitCode;
use std::time::Duration;

/// `koshu report`
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// Availability of a calendar month by time, by requests and by users, as Markdown
    Month(MonthArgs),
}

/// `koshu report month`
#[derive(Debug, Args)]
pub struct MonthArgs {
    /// 2026-11 [default: the current month]
    pub month: Option<String>,
    /// Which service; needed when there are several
    #[arg(long, value_name = "NAME")]
    pub service: Option<ServiceName>,
    /// Objective that says which requests are good [default: the first one over all requests, or status < 500]
    #[arg(long, value_name = "NAME")]
    pub objective: Option<String>,
    /// Time zone whose month it is, for example Asia/Tokyo [default: the server's]
    #[arg(long, value_name = "ZONE")]
    pub time_zone: Option<String>,
    #[command(flatten)]
    pub server: ServerArgs,
    #[command(flatten)]
    pub out: OutputArg,
}

/// A month of requests is sorted by user.
const TIMEOUT: Duration = Duration::from_mins(4);

/// Asks the server and prints.
pub fn run(command: &ReportCommand, screen: &Screen) -> Result<ExitCode> {
    let ReportCommand::Month(args) = command;
    let client = Client::find(&args.server)?;
    let format = match args.out.output {
        OutputFormat::Table => "markdown",
        OutputFormat::Json => "json",
        OutputFormat::Csv => "csv",
    };
    let service = args.service.as_ref().map(ToString::to_string);
    let asked = [
        ("service", service.as_deref()),
        ("month", args.month.as_deref()),
        ("objective", args.objective.as_deref()),
        ("time_zone", args.time_zone.as_deref()),
        ("format", Some(format)),
        ("language", Some(screen.texts.language())),
    ];
    let asked: Vec<(&str, &str)> = asked.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    super::wait_for(async {
        let request = client.request(Method::GET, "api/v1/report/month").query(&asked).timeout(TIMEOUT);
        let answer = client.send(request).await?;
        if args.out.output == OutputFormat::Json {
            let report: Value = answer.json().await.context("the answer of the server could not be read")?;
            return output::print_json(&report);
        }
        output::print(&answer.text().await.context("the answer of the server could not be read")?)?;
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}
