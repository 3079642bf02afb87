//! `koshu query`: SQL over the lake, through the server or, when none uses the folder, directly.
//!
//! Read-only: reading a folder directly never deletes what its own server would still keep.

use crate::cli::{OutputFormat, QueryArgs};
use crate::client::{ANSWER_TIMEOUT, Client};
use crate::failure::Failure;
use crate::output::{self, Column, Screen, thousands};
use crate::texts::Message;
use anyhow::{Context, Result};
use base::{ByteSize, Span, TimeRange};
use lake::arrow::array::RecordBatch;
use lake::arrow::datatypes::DataType;
use lake::arrow::util::display::{ArrayFormatter, FormatOptions};
use lake::{Lake, LakeError, LakeOptions, Retention};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

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
    let columns = answer
        .schema
        .fields()
        .iter()
        .map(|field| NamedType { name: field.name().clone(), kind: type_name(field.data_type()) });
    let columns = columns.collect();
    let mut rows = Vec::new();
    for batch in &answer.batches {
        rows.extend(rows_of(batch)?);
    }
    Ok(Some(Answer { columns, rows, stats: serde_json::to_value(&answer.stats)? }))
}

/// The names that the server uses.
fn type_name(kind: &DataType) -> String {
    match kind {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => "text".into(),
        DataType::Timestamp(..) => "timestamp".into(),
        DataType::Date32 => "date".into(),
        DataType::Boolean => "boolean".into(),
        kind if kind.is_integer() => "integer".into(),
        kind if kind.is_floating() => "number".into(),
        DataType::Binary | DataType::BinaryView | DataType::LargeBinary => "bytes".into(),
        DataType::Map(..) => "map".into(),
        other => other.to_string().to_lowercase(),
    }
}

/// Numbers and truth values as such, everything else as text.
fn rows_of(batch: &RecordBatch) -> Result<Vec<Vec<Value>>> {
    let options = FormatOptions::default().with_timestamp_format(Some("%Y-%m-%dT%H:%M:%S%.fZ"));
    let mut formatters = Vec::new();
    for column in batch.columns() {
        let plain = matches!(column.data_type(), DataType::Boolean) || column.data_type().is_numeric();
        formatters.push((column, plain, ArrayFormatter::try_new(column, &options)?));
    }
    let value = |(column, plain, formatter): &(&lake::arrow::array::ArrayRef, bool, ArrayFormatter), row| {
        if column.is_null(row) {
            return Value::Null;
        }
        let text = formatter.value(row).to_string();
        if *plain { serde_json::from_str(&text).unwrap_or(Value::String(text)) } else { Value::String(text) }
    };
    Ok((0..batch.num_rows()).map(|row| formatters.iter().map(|column| value(column, row)).collect()).collect())
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
        rows.push(&row, []);
        let batch = rows.finish();
        let at = |name: &str| batch.schema().index_of(name).unwrap();
        let values = &rows_of(&batch).unwrap()[0];
        assert_eq!(values[at("ts")], "1970-01-01T00:00:01Z");
        assert_eq!((&values[at("status")], &values[at("duration_us")]), (&json!(200), &Value::Null));
        assert_eq!(type_name(batch.schema().field(at("ts")).data_type()), "timestamp");
    }
}
