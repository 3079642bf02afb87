//! `koshu tail`: requests as they arrive.
//!
//! Comes back by itself when the connection breaks, and says how many rows it did not show: silence is never "nothing
//! happened".

use crate::client::{Client, ServerArgs};
use crate::failure::Failure;
use crate::output::{self, OutputArg, OutputFormat, Screen, cell, duration};
use crate::texts::Message;
use anyhow::Result;
use base::ServiceName;
use clap::Args;
use futures::StreamExt;
use reqwest::{Method, Response};
use serde_json::Value;
use std::process::ExitCode;
use std::time::Duration;

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

/// An event of the server is far smaller; a longer one is not from Koshu.
const MAX_EVENT: usize = 4 << 20;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// The server sends a sign of life every 10 seconds.
const SILENCE: Duration = Duration::from_secs(35);

const CSV_HEADINGS: [&str; 9] =
    ["ts", "service", "host", "method", "path", "status", "duration_ms", "user_key", "trace_id"];

/// Prints rows until it is stopped, or has printed enough.
pub fn run(args: &TailArgs, screen: &Screen) -> Result<ExitCode> {
    let client = Client::find(&args.server)?;
    let mut printer = Printer { format: args.out.output, left: args.rows.unwrap_or(u64::MAX), screen };
    if args.out.output == OutputFormat::Csv {
        let mut heading = String::new();
        output::csv_line(&mut heading, CSV_HEADINGS.into_iter());
        output::print(&heading)?;
    }
    super::wait_for(async {
        let mut answer = Some(connect(&client, args).await?);
        let mut pause = FIRST_PAUSE;
        while printer.left > 0 {
            if let Some(answer) = answer.take() {
                pause = FIRST_PAUSE;
                follow(answer, &mut printer).await?;
                if printer.left == 0 {
                    break;
                }
            }
            let lost = Message::new("cli-tail-lost").with("seconds", pause.as_secs().to_string());
            eprintln!("{}", screen.texts.say(&lost));
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            answer = connect(&client, args).await.ok();
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn connect(client: &Client, args: &TailArgs) -> Result<Response> {
    let mut query = Vec::new();
    let filter = args.filter.join(" ");
    if !filter.trim().is_empty() {
        query.push(("q", filter));
    }
    query.extend(args.service.as_ref().map(|service| ("service", service.to_string())));
    client.send(client.request(Method::GET, "api/v1/logs/tail").query(&query)).await
}

/// Until the connection ends, whatever the reason.
async fn follow(answer: Response, printer: &mut Printer<'_>) -> Result<()> {
    let mut events = Events::default();
    let mut pieces = answer.bytes_stream();
    while let Ok(Some(Ok(piece))) = tokio::time::timeout(SILENCE, pieces.next()).await {
        for event in events.take(&piece)? {
            printer.event(&event)?;
            if printer.left == 0 {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// One server-sent event.
#[derive(Debug, Default, PartialEq, Eq)]
struct Event {
    name: String,
    data: String,
}

/// Cuts a stream of bytes into events.
#[derive(Debug, Default)]
struct Events {
    held: Vec<u8>,
    event: Event,
}

impl Events {
    fn take(&mut self, piece: &[u8]) -> Result<Vec<Event>, Failure> {
        self.held.extend_from_slice(piece);
        let mut events = Vec::new();
        let mut start = 0;
        while let Some(length) = self.held[start..].iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&self.held[start..start + length]).into_owned();
            start += length + 1;
            let line = line.trim_end_matches('\r');
            if line.is_empty() {
                let event = std::mem::take(&mut self.event);
                events.extend(Some(event).filter(|event| !event.data.is_empty()));
            } else if let Some(name) = line.strip_prefix("event:") {
                name.trim().clone_into(&mut self.event.name);
            } else if let Some(data) = line.strip_prefix("data:") {
                self.event.data.push_str(data.trim_start());
            }
        }
        self.held.drain(..start);
        if self.held.len() + self.event.data.len() > MAX_EVENT {
            return Err(Failure::failed("cli-tail-not-koshu"));
        }
        Ok(events)
    }
}

struct Printer<'a> {
    format: OutputFormat,
    left: u64,
    screen: &'a Screen,
}

impl Printer<'_> {
    fn event(&mut self, event: &Event) -> Result<()> {
        let Ok(data) = serde_json::from_str::<Value>(&event.data) else { return Ok(()) };
        if event.name == "dropped" {
            let dropped = Message::new("cli-tail-dropped").with("count", cell(&data["count"]));
            eprintln!("{}", self.screen.texts.say(&dropped));
            return Ok(());
        }
        self.left -= 1;
        Ok(output::print(&line(&data, self.format))?)
    }
}

fn line(row: &Value, format: OutputFormat) -> String {
    let mut text = String::new();
    match format {
        OutputFormat::Json => text = row.to_string() + "\n",
        OutputFormat::Csv => {
            let cells: Vec<String> = CSV_HEADINGS.iter().map(|name| cell(&row[*name])).collect();
            output::csv_line(&mut text, cells.iter().map(String::as_str));
        }
        OutputFormat::Table => {
            let took = row["duration_ms"].as_f64().map_or_else(|| "-".to_owned(), duration);
            let [ts, service, method, path, status] =
                ["ts", "service", "method", "path", "status"].map(|name| output::printable(&cell(&row[name])));
            text = format!("{ts}  {service}  {status}  {took:>9}  {method} {path}\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_the_same_however_the_stream_is_cut() {
        let stream = b": sign of life\n\nevent: row\ndata: {\"a\":1}\n\nevent: dropped\r\ndata: {\"count\":2}\r\n\r\n";
        for size in [1, 3, 7, stream.len()] {
            let mut events = Events::default();
            let found: Vec<Event> = stream.chunks(size).flat_map(|piece| events.take(piece).unwrap()).collect();
            let names: Vec<&str> = found.iter().map(|event| event.name.as_str()).collect();
            assert_eq!(names, ["row", "dropped"], "{size}");
            assert_eq!(found[0].data, "{\"a\":1}");
        }
        assert!(Events::default().take(&vec![b'x'; MAX_EVENT + 1]).is_err());
    }

    #[test]
    fn a_row_is_one_line_whatever_is_in_it() {
        let row = serde_json::json!({"ts": "2026-11-22T09:00:00Z", "service": "shop", "method": "GET",
            "path": "/a\u{1b}[2J\n", "status": 200, "duration_ms": null});
        let text = line(&row, OutputFormat::Table);
        assert_eq!(text.matches('\n').count(), 1);
        assert!(!text.contains('\u{1b}'));
    }
}
