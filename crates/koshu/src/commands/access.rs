//! `koshu access`: the requests table of any log, without a server.
//!
//! Reads as a stream in bounded memory. Every line is accounted for: the report never hides what was rejected.

use crate::failure::{Exit, Failure};
use crate::input;
use crate::output::{self, Column, OutputArg, OutputFormat, Screen, duration, percent, thousands};
use crate::texts::Message;
use anyhow::Result;
use clap::Args;
use perf::requests::{Options, Reading, Report, RequestsRow, Table};
use protocols::access::{Decoder, Format};
use signal::route::RoutePattern;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

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
    /// Format of the lines: auto, combined, common, ltsv, json, alb, elb or cloudfront
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

/// Rows of a table when nothing else was asked for.
const TABLE_ROWS: usize = 30;
const BAR_WIDTH: u32 = 10;

/// Reads the files and prints their table.
pub fn run(args: &AccessArgs, screen: &Screen) -> Result<ExitCode> {
    let options = options(args)?;
    input::check_all(&args.files)?;
    let bar = output::bytes_bar(input::total_bytes(&args.files));
    let mut table = Table::new(options);
    let (mut buffer, mut damaged, mut before) = (vec![0; input::CHUNK], Vec::new(), 0);
    for file in &args.files {
        let (mut content, read) = input::open(file)?;
        bar.set_message(file.display().to_string());
        loop {
            let (length, error) = input::fill(&mut *content, &mut buffer);
            table.feed(&buffer[..length]);
            bar.set_position(before + read.load(Ordering::Relaxed));
            if let Some(error) = &error {
                damaged.push(damage(file, error));
            }
            if length < buffer.len() || error.is_some() {
                break;
            }
        }
        table.end_file();
        before += read.load(Ordering::Relaxed);
    }
    bar.finish_and_clear();
    let mut report = table.finish();
    report.notes.extend(damaged.iter().cloned());
    show(&report, args.out.output, screen)?;
    for text in &damaged {
        eprintln!("koshu: {}", output::printable(text));
    }
    Ok(if damaged.is_empty() { ExitCode::SUCCESS } else { Exit::Failed.into() })
}

fn options(args: &AccessArgs) -> Result<Options> {
    let reading = match (&args.pattern, args.format) {
        (Some(pattern), _) => {
            let unusable = |error| Failure::usage("cli-access-pattern").because(error);
            Reading::Pattern(Box::new(Decoder::with_pattern(pattern).map_err(unusable)?))
        }
        (None, Format::Pattern) => return Err(Failure::usage("cli-access-no-pattern").into()),
        (None, format) => Reading::As(format),
    };
    let for_people = args.out.output == OutputFormat::Table;
    Ok(Options {
        sort: args.sort,
        limit: args.limit.or(for_people.then_some(TABLE_ROWS)),
        reading,
        exact: args.exact,
        patterns: args.route_pattern.clone(),
    })
}

fn damage(file: &Path, error: &std::io::Error) -> String {
    format!("{} could not be read to its end: {error}; the table holds what came before", file.display())
}

fn show(report: &Report, format: OutputFormat, screen: &Screen) -> Result<()> {
    match format {
        OutputFormat::Json => output::print_json(report),
        OutputFormat::Csv => {
            if report.rejected > 0 {
                eprint!("{}", rejects(report, screen));
            }
            Ok(output::print(&csv(report))?)
        }
        OutputFormat::Table => {
            let text = format!("{}\n{}{}", summary(report, screen), rows(report, screen), remarks(report, screen));
            Ok(output::print(&text)?)
        }
    }
}

const HEADINGS: [&str; 13] = [
    "route",
    "count",
    "errors",
    "error_ratio",
    "error_ratio_low",
    "error_ratio_high",
    "timed",
    "total_ms",
    "share",
    "mean_ms",
    "p50_ms",
    "p95_ms",
    "p99_ms",
];

fn csv(report: &Report) -> String {
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let line = |row: &RequestsRow| {
        let counts = [row.route.clone(), row.count.to_string(), row.errors.to_string(), row.error_ratio.to_string()];
        let interval = [row.error_ratio_low.to_string(), row.error_ratio_high.to_string(), row.timed.to_string()];
        let times = [row.total_ms, row.share, row.mean_ms, row.p50_ms, row.p95_ms, row.p99_ms].map(number);
        counts.into_iter().chain(interval).chain(times).collect::<Vec<_>>()
    };
    output::csv(&HEADINGS, report.rows.iter().map(line))
}

/// What was read: lines, times, format.
fn summary(report: &Report, screen: &Screen) -> String {
    let say = |message: Message| screen.texts.say(&message);
    let mut text = say(Message::new("cli-access-lines")
        .with("lines", thousands(report.lines))
        .with("parsed", thousands(report.parsed))
        .with("rejected", thousands(report.rejected))
        .with("format", report.format.clone().unwrap_or_else(|| screen.texts.get("cli-access-no-format"))));
    if let (Some(from), Some(to)) = (report.from, report.to) {
        text.push('\n');
        text += &say(Message::new("cli-access-span").with("from", from.to_string()).with("to", to.to_string()));
    }
    let total = &report.total;
    let waited = total.total_ms.map_or_else(|| screen.texts.get("cli-access-untimed"), duration);
    text.push('\n');
    text += &say(Message::new("cli-access-total")
        .with("count", thousands(total.count))
        .with("errors", thousands(total.errors))
        .with("waited", waited)
        .with("routes", thousands(report.routes as u64)));
    text.push('\n');
    text
}

fn rows(report: &Report, screen: &Screen) -> String {
    let get = |key| screen.texts.get(key);
    let timed = report.total.timed > 0;
    let mut columns = Vec::new();
    if timed {
        columns.extend([Column::number(get("cli-col-total")), Column::number("%"), Column::text(get("cli-col-share"))]);
    }
    columns.push(Column::number(get("cli-col-count")));
    if timed {
        columns.extend(
            ["cli-col-mean", "p50", "p95", "p99"]
                .map(|key| Column::number(if key.starts_with("cli") { get(key) } else { key.to_owned() })),
        );
    }
    columns.extend([
        Column::number(get("cli-col-errors")),
        Column::text(get("cli-col-error-ratio")),
        Column::text(get("cli-col-route")),
    ]);
    let time = |ms: Option<f64>| ms.map_or_else(|| "-".to_owned(), duration);
    let line = |row: &RequestsRow| {
        let mut cells = Vec::new();
        if timed {
            let share = row.share.unwrap_or(0.0);
            cells.extend([time(row.total_ms), percent(share), output::bar(share, BAR_WIDTH)]);
        }
        cells.push(thousands(row.count));
        if timed {
            cells.extend([row.mean_ms, row.p50_ms, row.p95_ms, row.p99_ms].map(time));
        }
        let (low, high) = (percent(row.error_ratio_low), percent(row.error_ratio_high));
        let ratio = format!("{} ({low}–{high})", percent(row.error_ratio));
        cells.extend([thousands(row.errors), ratio, row.route.clone()]);
        cells
    };
    output::table(&columns, report.rows.iter().map(line), screen.color)
}

/// Everything a reader must know to trust the table.
fn remarks(report: &Report, screen: &Screen) -> String {
    let say = |message: Message| screen.texts.say(&message) + "\n";
    let mut text = String::from("\n");
    let known = report.routes + usize::from(report.other_requests > 0);
    if known > report.rows.len() {
        let left = (known - report.rows.len()) as u64;
        text += &say(Message::new("cli-access-more-rows").with("rows", thousands(left)));
    }
    if report.total.timed > 0 {
        text += &if report.quantile_error > 0.0 {
            say(Message::new("cli-access-error").with("percent", percent(report.quantile_error)))
        } else {
            say(Message::new("cli-access-exact"))
        };
        if report.total.timed < report.total.count {
            let without = report.total.count - report.total.timed;
            text += &say(Message::new("cli-access-some-untimed").with("count", thousands(without)));
        }
    }
    text += &say(Message::new("cli-access-interval"));
    if report.routes_over_limit > 0 {
        text += &say(Message::new("cli-access-other")
            .with("limit", thousands(report.routes_limit as u64))
            .with("routes", thousands(report.routes_over_limit))
            .with("count", thousands(report.other_requests)));
    }
    for note in &report.notes {
        let _ = writeln!(text, "{}", output::printable(note));
    }
    text + &rejects(report, screen)
}

fn rejects(report: &Report, screen: &Screen) -> String {
    if report.rejects.is_empty() {
        return String::new();
    }
    let counted = Message::new("cli-access-rejected").with("count", thousands(report.rejected));
    let mut text = screen.texts.say(&counted) + "\n";
    for reject in &report.rejects {
        let sample = output::printable(&reject.sample);
        let _ = writeln!(text, "  {:>9}  {:<14} {sample}", thousands(reject.count), reject.reason);
    }
    text
}
