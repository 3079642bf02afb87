//! `koshu import`: past access logs into the lake of a running server.
//!
//! The server stores each part together with the ledger of its file, so an import can be stopped and repeated, and
//! nothing is ever counted twice. A busy server is waited for; what it has acknowledged is durable.

use crate::client::{self, Client, ServerArgs};
use crate::failure::Failure;
use crate::input;
use crate::output::{self, Column, OutputArg, OutputFormat, Screen, thousands};
use crate::texts::Message;
use agent::ledger::{Coverage, MAX_VARIANTS, Verdict};
use agent::past::{PastChunk, PastError, PastReader};
use anyhow::Result;
use base::ServiceName;
use clap::Args;
use indicatif::ProgressBar;
use protocols::access::Format;
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio_util::bytes::Bytes;

/// `koshu import`
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Access logs: plain, .gz, .zst, or `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The service they belong to
    #[arg(long, value_name = "NAME")]
    pub service: ServiceName,
    /// Format of the lines: auto, combined, common, ltsv, json, alb, elb or cloudfront
    #[arg(long, default_value = "auto")]
    pub format: Format,
    #[command(flatten)]
    pub server: ServerArgs,
    #[command(flatten)]
    pub out: OutputArg,
}

/// How much is sent at once.
const CHUNK: usize = 4 << 20;
/// How often a file is looked at anew because somebody else imports it at the same time.
const MAX_RESTARTS: u32 = 20;

/// What became of one file.
#[derive(Debug, Default, Serialize)]
struct FileReport {
    name: String,
    /// All lines that were seen: parsed + rejected + already imported.
    lines: u64,
    parsed: u64,
    rejected: u64,
    /// Lines that an earlier import had stored.
    already_imported: u64,
    already_imported_bytes: u64,
    /// The first rejected line, with its reason.
    first_error: Option<String>,
    /// Whether the import stopped before the end of the file.
    stopped: bool,
}

#[derive(Debug, Deserialize)]
struct Stored {
    lines: u64,
    parsed: u64,
    rejected: u64,
    already: bool,
    first_error: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Mark {
    value: Option<String>,
}

/// Imports the files one after the other.
pub fn run(args: ImportArgs, screen: &Screen) -> Result<ExitCode> {
    input::check_all(&args.files)?;
    if args.format == Format::Pattern {
        return Err(Failure::usage("cli-import-pattern").into());
    }
    let client = Client::find(&args.server)?;
    let bar = output::bytes_bar(input::total_bytes(&args.files));
    let import = Import { client, service: args.service, format: args.format, bar, screen };
    let mut reports = Vec::new();
    let outcome = super::wait_for(import.files(&args.files, &mut reports));
    import.bar.finish_and_clear();
    show(&reports, args.out.output, screen)?;
    if outcome.is_err() {
        eprintln!("{}", screen.texts.get("cli-import-again"));
    }
    outcome.map(|()| ExitCode::SUCCESS)
}

struct Import<'a> {
    client: Client,
    service: ServiceName,
    format: Format,
    bar: ProgressBar,
    screen: &'a Screen,
}

/// Whether a part was taken.
enum Sent {
    Stored(Stored),
    /// The ledger has changed meanwhile: it must be read again.
    Stale,
}

impl Import<'_> {
    /// Stops at the first file that fails: most causes would stop the others too.
    async fn files(&self, files: &[PathBuf], reports: &mut Vec<FileReport>) -> Result<()> {
        for file in files {
            let mut report = FileReport { name: file.display().to_string(), ..FileReport::default() };
            let before = self.bar.position();
            let outcome = self.file(file, &mut report).await;
            report.lines = report.parsed + report.rejected + report.already_imported;
            report.stopped = outcome.is_err();
            reports.push(report);
            outcome?;
            let size = if input::is_stdin(file) { 0 } else { std::fs::metadata(file).map_or(0, |meta| meta.len()) };
            self.bar.set_position(before + size);
        }
        Ok(())
    }

    async fn file(&self, path: &Path, report: &mut FileReport) -> Result<()> {
        self.bar.set_message(report.name.clone());
        for _ in 0..MAX_RESTARTS {
            let seen = Arc::new(Seen::default());
            let reader = if input::is_stdin(path) {
                let (content, _) = input::open(path)?;
                PastReader::from_stream("-", Counting { content, seen: Arc::clone(&seen) })?
            } else {
                PastReader::open(path)?
            };
            let done = self.read(reader, path, report).await?;
            if input::is_stdin(path) {
                let sent = report.parsed + report.rejected + report.already_imported;
                report.already_imported += seen.lines().saturating_sub(sent);
            }
            if done {
                return Ok(());
            }
            if input::is_stdin(path) {
                break;
            }
        }
        Err(Failure::failed("cli-import-race").with("file", &report.name).into())
    }

    /// Sends what is not stored yet; false when the ledger changed under it.
    async fn read(&self, mut reader: PastReader, path: &Path, report: &mut FileReport) -> Result<bool> {
        let Some((key, mut covered)) = self.settle(&mut reader).await? else { return Ok(true) };
        let sent_before = report.parsed + report.rejected + report.already_imported;
        if sent_before == 0 && !covered.is_empty() && !input::is_stdin(path) {
            report.already_imported = count_lines(path, &covered)?;
            report.already_imported_bytes = covered.ranges().map(|(from, to)| to - from).sum();
        }
        reader.skip(covered.clone());
        while let Some(chunk) = reader.next_chunk(CHUNK)? {
            let mut next = covered.clone();
            next.extend(chunk.from, chunk.to, chunk.check);
            let length = chunk.to - chunk.from;
            let lines = newlines_in(&chunk.bytes) + chunk.too_long;
            match self.send(&key, &next, chunk, &report.name).await? {
                Sent::Stale => return Ok(false),
                Sent::Stored(stored) if stored.already => {
                    report.already_imported += lines;
                    report.already_imported_bytes += length;
                }
                Sent::Stored(stored) => {
                    debug_assert_eq!(stored.lines, stored.parsed + stored.rejected);
                    report.parsed += stored.parsed;
                    report.rejected += stored.rejected;
                    report.first_error = report.first_error.take().or(stored.first_error);
                }
            }
            covered = next;
            self.bar.inc(length.min(CHUNK as u64));
        }
        Ok(true)
    }

    /// The ledger of this content: its key, and what is stored already.
    async fn settle(&self, reader: &mut PastReader) -> Result<Option<(String, Coverage)>> {
        let Some(identity) = reader.identity(&self.service) else { return Ok(None) };
        for variant in 0..MAX_VARIANTS {
            let key = identity.key(variant);
            let request = self.client.request(Method::GET, &self.path()).query(&[("key", &key)]);
            let mark: Mark = self.client.send(request.timeout(client::ANSWER_TIMEOUT)).await?.json().await?;
            let Some(raw) = mark.value else { return Ok(Some((key, Coverage::default()))) };
            let covered: Coverage = raw.parse()?;
            if reader.compare(&covered)? != Verdict::Different {
                return Ok(Some((key, covered)));
            }
        }
        Err(PastError::TooManyVariants(self.service.to_string()).into())
    }

    fn path(&self) -> String {
        format!("api/v1/import/{}", self.service)
    }

    /// Sends one part until the server has taken or refused it.
    async fn send(&self, key: &str, mark: &Coverage, chunk: PastChunk, name: &str) -> Result<Sent> {
        let mut query = vec![
            ("key", key.to_owned()),
            ("mark", mark.to_string()),
            ("from", chunk.from.to_string()),
            ("to", chunk.to.to_string()),
            ("name", name.to_owned()),
            ("too_long", chunk.too_long.to_string()),
        ];
        if self.format != Format::Auto {
            query.push(("format", self.format.to_string()));
        }
        // Shared, so that a part which must be sent again is not copied.
        let body = Bytes::from(chunk.bytes);
        loop {
            let request = self.client.request(Method::POST, &self.path()).query(&query).body(body.clone());
            let answer = self.client.try_send(request.timeout(client::ANSWER_TIMEOUT)).await?;
            match answer.status() {
                status if status.is_success() => return Ok(Sent::Stored(answer.json().await?)),
                StatusCode::CONFLICT => {
                    let refusal = self.client.problem(answer).await;
                    return if refusal.is_stale() { Ok(Sent::Stale) } else { Err(refusal.into_failure().into()) };
                }
                StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                    let wait = client::retry_after(&answer);
                    let waiting = Message::new("cli-import-waiting").with("seconds", wait.as_secs().to_string());
                    self.bar.set_message(self.screen.texts.say(&waiting));
                    tokio::time::sleep(wait).await;
                    self.bar.set_message(name.to_owned());
                }
                _ => return Err(self.client.refusal(answer).await.into()),
            }
        }
    }
}

fn newlines_in(bytes: &[u8]) -> u64 {
    bytes.split(|byte| *byte == b'\n').count() as u64 - 1
}

/// Lines inside the covered ranges of a file.
fn count_lines(path: &Path, covered: &Coverage) -> Result<u64> {
    let (mut content, _) = input::open(path)?;
    let (mut buffer, mut at, mut lines, mut last) = (vec![0; input::CHUNK], 0u64, 0, b'\n');
    loop {
        let (length, error) = input::fill(&mut *content, &mut buffer);
        if let Some(error) = error {
            return Err(Failure::failed("cli-cannot-open").with("file", path.display()).because(error).into());
        }
        let end = at + length as u64;
        for (from, to) in covered.ranges().filter(|(from, to)| *from < end && *to > at) {
            let inside = |offset: u64| usize::try_from(offset.clamp(at, end) - at).unwrap_or(length);
            let part = &buffer[inside(from)..inside(to)];
            lines += newlines_in(part);
            last = part.last().copied().unwrap_or(last);
        }
        at = end;
        if length < buffer.len() || at >= covered.end() {
            return Ok(lines + u64::from(last != b'\n'));
        }
    }
}

/// Counts the lines that pass.
#[derive(Debug, Default)]
struct Seen {
    newlines: AtomicU64,
    unfinished: AtomicU64,
}

impl Seen {
    fn lines(&self) -> u64 {
        self.newlines.load(Ordering::Relaxed) + self.unfinished.load(Ordering::Relaxed)
    }
}

struct Counting {
    content: Box<dyn Read + Send>,
    seen: Arc<Seen>,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.content.read(buffer)?;
        self.seen.newlines.fetch_add(newlines_in(&buffer[..length]), Ordering::Relaxed);
        if let Some(last) = buffer[..length].last() {
            self.seen.unfinished.store(u64::from(*last != b'\n'), Ordering::Relaxed);
        }
        Ok(length)
    }
}

fn show(reports: &[FileReport], format: OutputFormat, screen: &Screen) -> Result<()> {
    let numbers = |report: &FileReport| [report.lines, report.parsed, report.rejected, report.already_imported];
    let first_error = |report: &FileReport| report.first_error.clone().unwrap_or_default();
    match format {
        OutputFormat::Json => output::print_json(&serde_json::json!({ "files": reports })),
        OutputFormat::Csv => {
            let line = |report: &FileReport| {
                let counts = numbers(report).map(|number| number.to_string());
                [vec![report.name.clone()], counts.to_vec(), vec![first_error(report)]].concat()
            };
            let headings = ["name", "lines", "parsed", "rejected", "already_imported", "first_error"];
            Ok(output::print(&output::csv(&headings, reports.iter().map(line)))?)
        }
        OutputFormat::Table => {
            let headings = ["cli-col-lines", "cli-col-parsed", "cli-col-rejected", "cli-col-already"];
            let mut columns: Vec<_> = headings.map(|key| Column::number(screen.texts.get(key))).into();
            columns.extend(["cli-col-file", "cli-col-first-error"].map(|key| Column::text(screen.texts.get(key))));
            let line = |report: &FileReport| {
                let counts = numbers(report).map(thousands);
                [counts.to_vec(), vec![report.name.clone(), first_error(report)]].concat()
            };
            Ok(output::print(&output::table(&columns, reports.iter().map(line), screen.color))?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent::ledger::Check;

    #[test]
    fn covered_lines_are_counted_in_their_ranges_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, "aa\nbb\ncc\ndd").unwrap();
        for (ranges, want) in [(&[(0, 3)][..], 1), (&[(0, 3), (6, 9)], 2), (&[(0, 11)], 4), (&[(9, 11)], 1)] {
            let mut covered = Coverage::default();
            for (from, to) in ranges {
                covered.extend(*from, *to, Check::of(b"x"));
            }
            assert_eq!(count_lines(&path, &covered).unwrap(), want, "{ranges:?}");
        }
    }
}
