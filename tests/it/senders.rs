//! What people already run sends to the built koshu, unchanged but for the address. What was sent is compared
//! with what SQL answers, field by field; and what can't be stored is refused in the form that its client reads.

mod elasticsearch;
pub(crate) mod endpoints;
mod forward;
mod loki;
mod node_exporter;
mod opentelemetry;
mod pings;
pub(crate) mod programs;
pub(crate) mod prometheus;
mod sentry;
mod snippets;
mod syslog;
mod tls;
mod tokens;
mod wrong_input;

use e2e::{Client, checkout, missing, python, ran, tool};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A sender that takes longer than this hangs.
const SECONDS: &str = "60";

/// Which client of Elasticsearch Python finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packages {
    Newest,
    Elasticsearch8,
}

/// Runs `tests/senders/NAME.py` and reads the JSON that it prints; `None` without Python's packages (which was said).
fn python_sends(packages: Packages, name: &str, arguments: &[&str]) -> Option<Value> {
    let python = python()?;
    let mut command = limited(&python);
    if packages == Packages::Elasticsearch8 {
        command.env("PYTHONPATH", checkout().join(".venv/elasticsearch8"));
    }
    Some(said(command.arg(script(name, "py")).args(arguments)))
}

/// Runs `tests/senders/NAME.mjs` and reads the JSON that it prints; `None` without its packages (which was said).
fn node_sends(name: &str, arguments: &[&str]) -> Option<Value> {
    Some(said(limited(&node()?).arg(script(name, "mjs")).args(arguments)))
}

/// Node.js with the packages of `tests/senders/package.json`, or `None` (which was said).
fn node() -> Option<PathBuf> {
    let node = tool("node")?;
    if !checkout().join("tests/senders/node_modules").is_dir() {
        missing("the senders' packages are not installed: scripts/install/node tests/senders");
        return None;
    }
    Some(node)
}

fn script(name: &str, kind: &str) -> PathBuf {
    checkout().join("tests/senders").join(name).with_extension(kind)
}

/// A command that is ended when it hangs, and that asks no proxy of this machine.
fn limited(program: &Path) -> Command {
    let mut command = Command::new("timeout");
    command.arg(SECONDS).arg(program).env("NO_PROXY", "*").env("PYTHONDONTWRITEBYTECODE", "1");
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "PYTHONPATH"] {
        command.env_remove(name);
    }
    command
}

fn said(command: &mut Command) -> Value {
    let output = ran(command);
    let complaints = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{command:?} ({error}): {complaints}"))
}

/// Rows over all times as objects, so that a difference names its column.
async fn rows(client: &Client, sql: &str) -> Vec<Value> {
    let answer = client.sql_answer(sql).await.ok();
    assert_eq!(answer["stats"]["truncated"], false, "the answer was cut: {sql}");
    let names: Vec<&str> =
        answer["columns"].as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap()).collect();
    let object = |row: &Value| -> Map<String, Value> {
        names.iter().map(|name| (*name).to_owned()).zip(row.as_array().unwrap().iter().cloned()).collect()
    };
    answer["rows"].as_array().unwrap().iter().map(|row| Value::Object(object(row))).collect()
}

/// Compares row by row, which shows less at once than two whole tables.
#[track_caller]
fn assert_rows(found: &[Value], want: &[Value], what: &str) {
    for (at, (found, want)) in found.iter().zip(want).enumerate() {
        assert_eq!(found, want, "{what}, row {at}");
    }
    assert_eq!(found.len(), want.len(), "{what}: {found:?}");
}

/// Nanoseconds since the epoch as a row's `ts`, which has microseconds.
fn moment(nanos: &Value) -> String {
    let nanos = nanos.as_i64().unwrap_or_else(|| panic!("no time: {nanos}"));
    jiff::Timestamp::from_microsecond(nanos.div_euclid(1000)).unwrap().to_string()
}

/// How many rows each table has, without those that the server writes about itself.
async fn stored(client: &Client) -> Vec<(&'static str, i64)> {
    let mut counts = Vec::new();
    for table in ["requests", "logs", "spans", "samples", "errors", "events"] {
        let sql = format!("SELECT count(*) FROM {table} WHERE source <> 'agent'");
        counts.push((table, client.number(&sql).await));
    }
    counts.retain(|(_, count)| *count > 0);
    counts
}
