//! `koshu query`: SQL over the lake, through the server or, when none uses the folder, directly.
//!
//! Read-only: reading a folder directly never deletes what its own server would still keep.

use crate::client::{ANSWER_TIMEOUT, Client, ServerArgs};
use crate::failure::Failure;
use crate::output::{self, Column, OutputArg, OutputFormat, Screen, thousands};
use crate::place;
use crate::texts::Message;
use anyhow::{Context, Result};
use base::{ByteSize, Span, TimeRange};
use clap::Args;
use lake::arrow::datatypes::SchemaRef;
use lake::{Lake, LakeError, LakeOptions, Retention};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use server::json_rows::{column_types, rows_as_json};
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

/// `koshu query`
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// One SELECT statement, or `-` to read it from standard input
    pub sql: String,
    /// Start: 2026-11-22T09:00:00Z, 2026-11-22, or how long ago (2h) [default: one day before the end]
    #[arg(long, value_name = "TIME", value_parser = place::moment)]
    pub from: Option<base::Timestamp>,
    /// End, not included [default: now]
    #[arg(long, value_name = "TIME", value_parser = place::moment)]
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

const DAY: i64 = 86_400;
const MAX_SQL_BYTES: u64 = 64 << 10;
/// Longer than anything is kept.
const FOREVER: Span = Span::from_seconds(1_000 * 366 * DAY);

#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    columns: Vec<NamedType>,
    rows: Vec<Vec<Value>>,
    stats: Value,
}

#[derive(Debug, Serialize, Deserialize)]
struct NamedType {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

/// Asks and prints.
pub fn run(args: &QueryArgs, screen: &Screen) -> Result<ExitCode> {
    let sql = if args.sql == "-" { sql_from_stdin()? } else { args.sql.clone() };
    let to = args.to.unwrap_or_else(|| base::Clock::System.now());
    let from = args.from.unwrap_or_else(|| to.plus_seconds(-DAY));
    let range = TimeRange::new(from, to).ok_or_else(|| Failure::usage("cli-range-backwards"))?;
    let answer = super::wait_for(async {
        let offline = match (&args.server.server, &args.server.dir) {
            (None, Some(dir)) => read_directly(dir, &sql, range, args.limit).await?,
            _ => None,
        };
        match offline {
            Some(answer) => Ok(answer),
            None => ask_server(args, &sql, range).await,
        }
    })?;
    show(&answer, range, args.out.output, screen)?;
    Ok(ExitCode::SUCCESS)
}

fn sql_from_stdin() -> Result<String> {
    let mut text = String::new();
    std::io::stdin().take(MAX_SQL_BYTES).read_to_string(&mut text).context("failed to read standard input")?;
    Ok(text)
}

async fn ask_server(args: &QueryArgs, sql: &str, range: TimeRange) -> Result<Answer> {
    let client = Client::find(&args.server)?;
    let body = json!({ "sql": sql, "from": range.from, "to": range.to, "limit": args.limit });
    let request = client.request(Method::POST, "api/v1/sql").json(&body).timeout(ANSWER_TIMEOUT);
    client.send(request).await?.json().await.context("the answer of the server could not be read")
}

/// `None` when a server holds the folder.
async fn read_directly(dir: &Path, sql: &str, range: TimeRange, limit: u32) -> Result<Option<Answer>> {
    if !dir.join("journal").is_dir() {
        return Err(Failure::failed("cli-no-lake").with("dir", dir.display()).hint("cli-no-lake-hint").into());
    }
    let kept = Retention::all(FOREVER);
    let options = LakeOptions { disk: ByteSize(u64::MAX), retention: kept, ..LakeOptions::new(dir) };
    let lake = match Lake::open(options).await {
        Ok(lake) => lake,
        Err(LakeError::InUse(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let query = lake::Query { sql: sql.to_owned(), range, limit: limit as usize };
    let answer = lake.sql(&query).await;
    lake.close().await;
    let answer = answer?;
    Ok(Some(Answer {
        columns: columns(&answer.schema),
        rows: rows_as_json(&answer.batches)?,
        stats: serde_json::to_value(&answer.stats)?,
    }))
}

fn columns(schema: &SchemaRef) -> Vec<NamedType> {
    column_types(schema).into_iter().map(|(name, kind)| NamedType { name, kind }).collect()
}

fn show(answer: &Answer, range: TimeRange, format: OutputFormat, screen: &Screen) -> Result<()> {
    let texts = || answer.rows.iter().map(|row| row.iter().map(output::cell).collect::<Vec<_>>());
    match format {
        OutputFormat::Json => return output::print_json(answer),
        OutputFormat::Csv => {
            let headings: Vec<&String> = answer.columns.iter().map(|column| &column.name).collect();
            output::print(&output::csv(&headings, texts()))?;
        }
        OutputFormat::Table => {
            let number = |kind: &str| matches!(kind, "integer" | "number");
            let column = |column: &NamedType| {
                if number(&column.kind) { Column::number(&column.name) } else { Column::text(&column.name) }
            };
            let columns: Vec<_> = answer.columns.iter().map(column).collect();
            output::print(&output::table(&columns, texts(), screen.color))?;
        }
    }
    remark(answer, range, screen);
    Ok(())
}

/// What the rows do not say: the range they are from, and what is missing.
fn remark(answer: &Answer, range: TimeRange, screen: &Screen) {
    let span = |message: Message| message.with("from", range.from.to_string()).with("to", range.to.to_string());
    let count = thousands(answer.rows.len() as u64);
    let took = answer.stats["elapsed_ms"].as_f64().map(output::duration).unwrap_or_default();
    let text = span(Message::new("cli-query-rows")).with("rows", count).with("took", took);
    eprintln!("{}", screen.texts.say(&text));
    if answer.stats["truncated"].as_bool() == Some(true) {
        eprintln!("{}", screen.texts.get("cli-query-truncated"));
    }
    for file in answer.stats["damaged_files"].as_array().into_iter().flatten() {
        let damaged = Message::new("cli-query-damaged").with("file", output::printable(&output::cell(file)));
        eprintln!("{}", screen.texts.say(&damaged));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signal::{RequestRow, RequestRows};

    #[test]
    fn rows_read_directly_look_like_those_of_the_server() {
        let mut rows = RequestRows::default();
        let row = RequestRow {
            ts: base::Timestamp::from_seconds(1),
            service: "shop",
            method: "GET",
            route: "GET /",
            path: "/",
            status: 200,
            source: "t",
            ..RequestRow::default()
        };
        rows.push(&row, [("user_agent", "curl")]);
        let batch = rows.finish();
        let at = |name: &str| batch.schema().index_of(name).unwrap();
        let types = columns(&batch.schema());
        let values = &rows_as_json(std::slice::from_ref(&batch)).unwrap()[0];
        assert_eq!(values[at("ts")], "1970-01-01T00:00:01Z");
        assert_eq!((&values[at("status")], &values[at("duration_us")]), (&json!(200), &Value::Null));
        assert_eq!(values[at("attrs")], json!({"user_agent": "curl"}));
        assert_eq!((types[at("ts")].kind.as_str(), types[at("attrs")].kind.as_str()), ("timestamp", "map"));
    }
}
