//! Imports of whole logs, beside a tail that books at the same time.

use super::*;
use crate::intake::Identifier;
use agent::rotated::older_files;
use base::ByteSize;
use lake::{Append, Lake, LakeOptions};
use std::collections::HashMap;
use tempfile::TempDir;

struct Place {
    dir: TempDir,
    lake: Arc<Lake>,
    intake: Arc<Intake>,
    past: Arc<Past>,
}

async fn place() -> Place {
    let dir = TempDir::new().unwrap();
    let lake = Lake::open(LakeOptions::new(dir.path().join("data"))).await.unwrap();
    let key = Identifier::new([0; 32]);
    let intake = Intake::new(
        Arc::clone(&lake),
        Arc::default(),
        key,
        Clock::System,
        HashMap::new(),
        crate::intake::Readings::default(),
    );
    let intake = Arc::new(intake);
    let past = Past::new(Arc::clone(&intake), Patterns::default(), Clock::System);
    Place { dir, lake, intake, past: Arc::new(past) }
}

fn line(number: usize) -> String {
    format!("192.0.2.9 - - [17/May/2015:10:05:03 +0000] \"GET /items/{number} HTTP/1.1\" 200 12 \"-\" \"curl\"\n")
}

impl Place {
    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    async fn ended(&self, id: Id<Import>) -> Import {
        loop {
            let import = self.past.list().into_iter().find(|import| import.id == id).unwrap();
            if !matches!(import.state, ImportState::Running) {
                return import;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn found(path: &Path) -> FoundLog {
    FoundLog {
        path: path.to_owned(),
        size: ByteSize(std::fs::metadata(path).unwrap().len()),
        unreadable: None,
        found_by: "test",
        log_format: None,
        service: shop(),
        older_files: older_files(path),
    }
}

fn shop() -> ServiceName {
    "shop".parse().unwrap()
}

#[tokio::test]
async fn a_long_history_is_one_import_and_a_file_that_can_t_be_read_fails_by_its_name() {
    let place = place().await;
    let log = place.write("access.log", line(0));
    for number in 1..=250 {
        place.write(&format!("access.log.{number}"), line(number).repeat(2));
    }
    place.write("access.log.251", b"\xfd7zXZ\0rest of an xz file");
    let log = found(&log);
    assert_eq!(log.older_files.len(), 251);
    let import = place.ended(place.past.import(&shop(), &log).unwrap()).await;
    assert_eq!(import.tally.parsed(), 501, "{:?}", import.state);
    assert_eq!((import.tally.rejected(), import.bytes_done), (0, import.bytes_total));
    let ImportState::Failed(reason) = import.state else { panic!("the packed file was not told") };
    assert!(reason.contains("access.log.251") && reason.contains("xz"), "{reason}");
    assert_eq!(place.past.list().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_goes_on_when_the_tail_books_at_the_same_time() {
    let place = place().await;
    let log = place.write("access.log", (0..100).map(line).collect::<String>());
    let booking = place.intake.hold_booking().await;
    let id = place.past.import(&shop(), &found(&log)).unwrap();
    // Time to read the ledger and to wait for its turn to book; the tail is faster.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut reader = PastReader::open(&log).unwrap();
    let (key, mut covered) = reader.settle(&shop(), |_| None).unwrap().unwrap();
    let chunk = reader.next_chunk(1000).unwrap().unwrap();
    covered.extend(chunk.from, chunk.to, chunk.check);
    place.lake.append(Append { marks: vec![(key, covered.to_string())], ..Append::default() }).await.unwrap();
    drop(booking);
    let import = place.ended(id).await;
    assert!(matches!(import.state, ImportState::Done), "{:?}", import.state);
    let booked = protocols::access::lines(&chunk.bytes).count() as u64;
    assert!(booked > 0);
    assert_eq!(import.tally.lines(), 100 - booked, "each line once, whoever brought it");
}

#[tokio::test]
async fn too_many_imports_are_told_to_come_back() {
    let place = place().await;
    let log = place.write("access.log", line(0));
    let log = found(&log);
    let turn = place.past.turn.acquire().await.unwrap();
    for _ in 0..MAX_IMPORTS {
        place.past.import(&shop(), &log).unwrap();
    }
    assert_eq!(place.past.import(&shop(), &log).unwrap_err(), TooManyImports);
    use axum::response::IntoResponse;
    let error = crate::follow::FollowError::from(TooManyImports);
    let answer = crate::problem::ApiError::from(error).into_response();
    assert_eq!((answer.status().as_u16(), answer.headers().contains_key("retry-after")), (429, true));
    drop(turn);
}

#[tokio::test]
async fn rotated_files_are_read_like_the_log_they_come_from() {
    let place = place().await;
    for (path, pattern) in [("/var/log/access.log", "a"), ("/var/log/access.log.json", "b")] {
        place.past.patterns.write().insert(path.into(), pattern.into());
    }
    for (path, want) in [
        ("/var/log/access.log", Some("a")),
        ("/var/log/access.log.1.gz", Some("a")),
        ("/var/log/access.log-20260101", Some("a")),
        ("/var/log/access.log.json.2", Some("b")),
        ("/var/log/access.logger", None),
        ("/var/log/other.log", None),
    ] {
        assert_eq!(place.past.pattern(Path::new(path)).as_deref(), want, "{path}");
    }
}
