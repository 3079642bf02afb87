//! Bytes that were cut off or flipped on disk: the damage is named, everything else is served.

use crate::load::BATCH;
use e2e::{Client, Place, json_batch, ran, until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const FRAME_HEADER: usize = 16;
const FILE_HEADER: usize = 32;
const BATCHES: usize = 12;

/// A copy of the data folder of another place.
fn copy_of(original: &Place) -> Place {
    let copy = Place::new();
    std::fs::remove_dir(copy.data()).unwrap();
    ran(Command::new("cp").arg("-a").arg(original.data()).arg(copy.data()));
    copy
}

fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn name_of(batch: usize) -> String {
    format!("b{batch:06}")
}

/// A frame of a segment, as docs/decisions/0003 describes it, and which batches are in it.
struct Frame {
    range: Range<usize>,
    batches: Vec<usize>,
}

fn frames(segment: &[u8]) -> Vec<Frame> {
    let mut found = Vec::new();
    let mut at = FILE_HEADER;
    while segment.get(at..at + 4) == Some(b"KSHF") {
        let length = u32::from_le_bytes(segment[at + 4..at + 8].try_into().unwrap()) as usize;
        let range = at..at + FRAME_HEADER + length;
        let payload = &segment[range.clone()];
        let batches = (0..BATCHES).filter(|batch| contains(payload, &format!("{}-", name_of(*batch)))).collect();
        at = range.end;
        found.push(Frame { range, batches });
    }
    assert_eq!(at, segment.len(), "the frames of a whole segment reach to its end");
    found
}

/// A server that took some batches and was killed before it sealed them; with the journal segment they are in.
async fn killed_with_a_journal() -> (Place, PathBuf) {
    let place = Place::new();
    let koshu = place.start().await;
    for batch in 0..BATCHES {
        let answer = koshu.client().ingest("shop", json_batch(&name_of(batch), BATCH)).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    koshu.kill();
    let segments = files_below(&place.data().join("journal"), "journal");
    let mut with_rows = segments.into_iter().filter(|path| contains(&std::fs::read(path).unwrap(), "b000000-0000"));
    let segment = with_rows.next().expect("a segment holds the first batch");
    (place, segment.file_name().unwrap().into())
}

/// Rows by batch, and how many of them are different.
async fn stored(client: &Client) -> BTreeMap<String, (u64, u64)> {
    let sql = "SELECT split_part(trace_id, '-', 1), count(*), count(DISTINCT trace_id) FROM requests GROUP BY 1";
    let rows = client.sql(sql).await;
    rows.into_iter()
        .map(|row| (row[0].as_str().unwrap().to_owned(), (row[1].as_u64().unwrap(), row[2].as_u64().unwrap())))
        .collect()
}

fn whole<'a>(frames: impl IntoIterator<Item = &'a Frame>) -> BTreeMap<String, (u64, u64)> {
    let batches = frames.into_iter().flat_map(|frame| &frame.batches);
    batches.map(|batch| (name_of(*batch), (BATCH as u64, BATCH as u64))).collect()
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 0x10;
    std::fs::write(path, bytes).unwrap();
}

/// A damaged part as it is named: file, and bytes `start..end` of it.
type Named = (String, Range<usize>);

/// What `koshu fsck` names, and its exit code.
fn fsck(place: &Place) -> (i32, Vec<Named>) {
    let ran = place.run(["fsck", "-o", "json"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {ran:?}"));
    let end = |part: &Value, name: &str| usize::try_from(part["range"][name].as_u64().unwrap()).unwrap();
    let named = |part: &Value| (part["file"].as_str().unwrap().to_owned(), end(part, "start")..end(part, "end"));
    (ran.code, report["damage"].as_array().unwrap().iter().map(named).collect())
}

fn assert_names(named: &[Named], file: &str, byte: usize) {
    let hit = named.iter().any(|(path, range)| path.ends_with(file) && range.contains(&byte));
    assert!(hit, "byte {byte} of {file} is not named in {named:?}");
}

/// What the status page names.
async fn named_by_status(client: &Client) -> Vec<Named> {
    let status = client.get("/api/v1/status").await.ok();
    let named = |part: &Value| {
        let (start, end) = part["range"].as_str().unwrap().split_once("..").unwrap();
        (part["file"].as_str().unwrap().to_owned(), start.parse().unwrap()..end.parse().unwrap())
    };
    status["damage"].as_array().unwrap().iter().map(named).collect()
}

#[tokio::test]
async fn a_journal_cut_anywhere_in_its_last_frame_loses_only_that_frame() {
    let (original, segment) = killed_with_a_journal().await;
    let bytes = std::fs::read(original.data().join("journal").join(&segment)).unwrap();
    let frames = frames(&bytes);
    let (last, before) = frames.split_last().unwrap();
    let Range { start, end } = last.range.clone();
    let inside = (1..6).map(|part| start + (end - start) * part / 6);
    let cuts = [start, start + 1, start + 7, start + FRAME_HEADER, start + FRAME_HEADER + 1, end - 1];
    for cut in cuts.into_iter().chain(inside) {
        let place = copy_of(&original);
        let path = place.data().join("journal").join(&segment);
        std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(cut as u64).unwrap();
        let koshu = place.start().await;
        assert_eq!(stored(koshu.client()).await, whole(before), "cut at {cut} of {start}..{end}");
        let again = koshu.client().ingest("shop", json_batch("again", BATCH)).await.unwrap();
        assert_eq!(again.status, 200, "cut at {cut}: intake goes on: {again:?}");
        assert_eq!(stored(koshu.client()).await["again"], (BATCH as u64, BATCH as u64), "cut at {cut}");
    }
}

#[tokio::test]
async fn a_flipped_byte_in_the_journal_is_named_and_the_other_frames_are_served() {
    let (original, segment) = killed_with_a_journal().await;
    let segment = segment.to_str().unwrap();
    let frames = frames(&std::fs::read(original.data().join("journal").join(segment)).unwrap());
    let hit = frames.iter().position(|frame| frame.batches.contains(&(BATCHES / 2))).unwrap();
    let Range { start, end } = frames[hit].range.clone();
    let others = || frames.iter().enumerate().filter(|(at, _)| *at != hit).map(|(_, frame)| frame);
    assert_eq!(fsck(&original), (0, vec![]), "nothing is damaged yet");
    for byte in [start, start + 5, start + FRAME_HEADER + 3, start.midpoint(end), end - 1] {
        let place = copy_of(&original);
        flip(&place.data().join("journal").join(segment), byte);
        let (code, named) = fsck(&place);
        assert_eq!(code, 3, "byte {byte} of {start}..{end}: {named:?}");
        assert_names(&named, segment, byte);

        let koshu = place.start().await;
        assert_eq!(stored(koshu.client()).await, whole(others()), "byte {byte} of {start}..{end}");
        assert_names(&named_by_status(koshu.client()).await, segment, byte);
    }
}

/// A day of lines whose path tells the day.
fn day_of_lines(days_ago: i64, count: usize) -> String {
    let midnight = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).start_of_day().unwrap();
    let noon = midnight.timestamp() - jiff::SignedDuration::from_hours(24 * days_ago - 12);
    let mut out = String::new();
    for at in 0..count {
        let id = format!("day{days_ago}-{at:05}-{:032x}", at * 7919);
        writeln!(
            out,
            r#"{{"time":"{noon}","method":"GET","uri":"/days/ago{days_ago}","status":200,"request_time":0.1,"request_id":"{id}"}}"#
        )
        .unwrap();
    }
    out
}

#[tokio::test]
async fn a_flipped_byte_in_a_table_is_named_and_the_other_files_are_served() {
    const ROWS: usize = 3000;
    let original = Place::new();
    let koshu = original.start().await;
    for day in [1, 2] {
        let answer = koshu.client().ingest("shop", day_of_lines(day, ROWS)).await.unwrap();
        assert_eq!(answer.json()["accepted"], json!(ROWS), "{answer:?}");
    }
    koshu.stop();
    assert_eq!(fsck(&original), (0, vec![]), "nothing is damaged yet");
    let files = files_below(&original.data().join("lake/requests"), "parquet");
    assert_eq!(files.len(), 2, "one file a day: {files:?}");
    // Partitions sort by date: the first file is the day before yesterday.
    let file = files[0].strip_prefix(original.data()).unwrap();
    let bytes = std::fs::read(&files[0]).unwrap().len();
    for byte in [1, bytes / 3, bytes / 2, bytes - 6] {
        let place = copy_of(&original);
        flip(&place.data().join(file), byte);
        let name = file.file_name().unwrap().to_str().unwrap();
        let (code, named) = fsck(&place);
        assert_eq!(code, 3, "byte {byte} of {bytes}: {named:?}");
        assert_names(&named, name, byte);

        let koshu = place.start().await;
        let count = |day: i64| {
            format!("SELECT count(trace_id), count(DISTINCT trace_id) FROM requests WHERE path = '/days/ago{day}'")
        };
        let other = koshu.client().sql(&count(1)).await;
        assert_eq!(other, [[json!(ROWS), json!(ROWS)]], "byte {byte} of {bytes}: the other day is whole");
        // Reading every column meets the damage, wherever it is.
        let answer = koshu.client().sql_answer("SELECT * FROM requests WHERE path = '/days/ago2'").await.ok();
        let rows = answer["rows"].as_array().unwrap().len();
        assert!(rows <= ROWS, "byte {byte}: no rows are made up: {rows}");
        until(Duration::from_secs(20), "the damage is named", async || {
            let named = named_by_status(koshu.client()).await;
            named.iter().any(|(file, _)| file.ends_with(name)).then_some(())
        })
        .await;
        // Named in the answer that leaves it out, too.
        let answer = koshu.client().sql_answer("SELECT * FROM requests WHERE path = '/days/ago2'").await.ok();
        let (rows, left_out) = (answer["rows"].as_array().unwrap().len(), answer["stats"]["damaged_files"].to_string());
        assert!(
            rows == ROWS || left_out.contains(name),
            "byte {byte}: {rows} rows, and the answer names only {left_out}"
        );
    }
}
