//! The tailer as its users run it: real tasks, real time, and a real `logrotate` where there is one.
#![allow(clippy::unwrap_used)]

use agent::ledger::{NotNew, admit};
use agent::past::PastReader;
use agent::tail::{Chunk, DeliverError, Outlet, SourceId, SourceSpec, StartAt, Tailer, Timing};
use base::Clock;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(30);

/// A receiver: lines and marks change together or not at all.
#[derive(Default)]
struct Book {
    stored: Mutex<(HashMap<String, String>, Vec<String>)>,
    /// So many deliveries are answered "busy" first.
    busy: AtomicU32,
}

impl Outlet for Book {
    async fn deliver(&self, chunk: Chunk) -> Result<(), DeliverError> {
        let take_one = |left: u32| left.checked_sub(1);
        if self.busy.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take_one).is_ok() {
            return Err(DeliverError::Busy { retry_after: Duration::from_millis(20) });
        }
        let mut stored = self.stored.lock();
        let known = stored.0.get(&chunk.mark_key).map(String::as_str);
        match admit(known, &chunk.mark_value, chunk.from, chunk.to) {
            Ok(next) => {
                stored.0.insert(chunk.mark_key.clone(), next);
                stored.1.extend(std::str::from_utf8(&chunk.bytes).unwrap().lines().map(str::to_owned));
                Ok(())
            }
            Err(NotNew::Covered | NotNew::Overlaps) => Err(DeliverError::Stale),
            Err(NotNew::Ledger(error)) => Err(DeliverError::Failed(error.to_string())),
        }
    }

    fn mark(&self, key: &str) -> Option<String> {
        self.stored.lock().0.get(key).cloned()
    }
}

impl Book {
    fn lines(&self) -> Vec<String> {
        self.stored.lock().1.clone()
    }

    /// Waits until so many lines are there; the deadline only ends a failing test.
    async fn wait_for(&self, count: usize) -> Vec<String> {
        let end = Instant::now() + DEADLINE;
        while self.lines().len() < count && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.lines()
    }
}

fn append(path: &Path, text: &str) {
    File::options().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn numbered(count: usize, rest: &str) -> String {
    let lines: Vec<String> = (0..count).map(|n| format!("line {n} {rest}\n")).collect();
    lines.concat()
}

fn spec(path: PathBuf, start: StartAt) -> SourceSpec {
    SourceSpec { id: SourceId("shop log".to_owned()), service: "shop".parse().unwrap(), path, start }
}

fn tailer(book: &Arc<Book>, path: &Path) -> Tailer<Book> {
    let specs = [spec(path.to_owned(), StartAt::Beginning)];
    Tailer::start(Arc::clone(book), Clock::System, Timing::default(), specs).unwrap()
}

#[tokio::test]
async fn lines_arrive_soon_and_a_restart_repeats_none() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    let book = Arc::new(Book::default());
    append(&log, "one\n");
    let first = tailer(&book, &log);
    assert_eq!(book.wait_for(1).await, ["one"]);
    assert!(first.add(spec(log.clone(), StartAt::End)).is_err(), "a name is taken once");
    first.stop().await;
    append(&log, "two\nthr");
    let second = tailer(&book, &log);
    assert_eq!(book.wait_for(2).await, ["one", "two"]);
    append(&log, "ee\n");
    assert_eq!(book.wait_for(3).await, ["one", "two", "three"]);
    let end = Instant::now() + DEADLINE;
    while second.status().first().is_none_or(|row| row.last_seen.is_none()) && Instant::now() < end {
        tokio::task::yield_now().await;
    }
    let status = second.status();
    assert!(status[0].last_seen.is_some() && status[0].bytes > 0, "{status:?}");
    assert!(second.remove(&SourceId("shop log".to_owned())).await);
    assert!(second.status().is_empty());
}

#[tokio::test]
async fn a_busy_receiver_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    let book = Arc::new(Book::default());
    book.busy.store(5, Ordering::SeqCst);
    let text: String = numbered(100_000, "of a log that is longer than one chunk");
    append(&log, &text);
    let tailer = tailer(&book, &log);
    assert_eq!(book.wait_for(100_000).await.len(), 100_000);
    tailer.stop().await;
    assert!(text.lines().eq(book.lines().iter().map(String::as_str)));
}

#[tokio::test]
async fn an_import_of_the_same_file_at_the_same_time_counts_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    let text: String = numbered(20_000, "of a short log");
    append(&log, &text);
    let book = Arc::new(Book::default());
    let tailer = tailer(&book, &log);
    let service = "shop".parse().unwrap();
    let mut past = PastReader::open(&log).unwrap().may_grow();
    let (key, mut covered) = past.settle(&service, |key| book.mark(key)).unwrap().unwrap();
    while let Some(cut) = past.next_chunk(10_000).unwrap() {
        covered.extend(cut.from, cut.to, cut.check);
        let chunk = Chunk {
            source: SourceId("import".to_owned()),
            service: service.clone(),
            path: log.clone(),
            bytes: cut.bytes.into(),
            too_long: 0,
            mark_key: key.clone(),
            mark_value: covered.to_string(),
            from: cut.from,
            to: cut.to,
        };
        match book.deliver(chunk).await {
            Ok(()) | Err(DeliverError::Stale) => {}
            Err(error) => panic!("{error}"),
        }
        tokio::task::yield_now().await;
    }
    append(&log, "last\n");
    book.wait_for(20_001).await;
    tailer.stop().await;
    let mut lines = book.lines();
    lines.sort();
    let mut want: Vec<&str> = text.lines().chain(["last"]).collect();
    want.sort_unstable();
    assert_eq!(lines, want);
}

fn logrotate() -> Option<&'static str> {
    ["/usr/sbin/logrotate", "/usr/bin/logrotate"].into_iter().find(|path| Path::new(path).exists())
}

fn rotate(program: &str, folder: &Path, mode: &str) {
    let config = folder.join("rotate.conf");
    let log = folder.join("access.log");
    fs::write(&config, format!("{} {{\n  rotate 9\n  {mode}\n}}\n", log.display())).unwrap();
    let status =
        Command::new(program).args(["--force", "--state"]).arg(folder.join("state")).arg(&config).status().unwrap();
    assert!(status.success(), "logrotate {mode}");
}

#[tokio::test]
async fn a_real_logrotate_loses_and_repeats_nothing() {
    let Some(program) = logrotate() else {
        eprintln!("logrotate is not installed: left out");
        return;
    };
    for mode in ["create", "copytruncate", "create\n  compress", "copytruncate\n  compress", "create\n  extension .log"]
    {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("access.log");
        let book = Arc::new(Book::default());
        append(&log, "");
        let mut running = tailer(&book, &log);
        let mut written = Vec::new();
        for round in 0..6 {
            for n in 0..50 {
                let line = format!("{mode:?} {round} {n}");
                append(&log, &format!("{line}\n"));
                written.push(line);
            }
            if round % 2 == 0 {
                book.wait_for(written.len()).await;
            }
            if round == 3 {
                // Rotated while nobody follows.
                running.stop().await;
                rotate(program, folder.path(), mode);
                running = tailer(&book, &log);
            } else if round % 2 == 0 {
                rotate(program, folder.path(), mode);
            }
        }
        let mut lines = book.wait_for(written.len()).await;
        running.stop().await;
        lines.sort();
        written.sort();
        assert_eq!(lines, written, "{mode}");
    }
}
