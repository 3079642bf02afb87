//! Every capture of a real client under `fixtures/forward`, `fixtures/syslog` and `fixtures/statsd` decodes to its
//! `<case>.expected.json`. Adding a case needs no Rust: put the bytes there and run once with `KOSHU_WRITE_EXPECTED=1`,
//! then read what was written.

use crate::recorded::Recorded;
use base::Timestamp;
use jiff::tz::TimeZone;
use protocols::access::{Decoder, Format};
use protocols::forward::{Chunk, Cutter, Hello, Message, Ping, Step, decode};
use protocols::statsd::{self, Aggregator};
use protocols::syslog::{self, Frames, Here};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// The cases of a folder, by these endings.
fn cases(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(folder);
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| endings.iter().any(|ending| path.extension().is_some_and(|has| has == *ending)));
    paths.sort();
    assert!(paths.len() >= 3, "only {} captures in {}", paths.len(), folder.display());
    paths
}

fn compare(path: &Path, got: &Value) {
    let expected = path.with_extension("expected.json");
    if std::env::var_os("KOSHU_WRITE_EXPECTED").is_some() {
        fs::write(&expected, format!("{}\n", serde_json::to_string_pretty(got).unwrap())).unwrap();
    }
    let want: Value = serde_json::from_slice(&fs::read(&expected).unwrap()).unwrap();
    assert_eq!(*got, want, "{}", path.display());
}

/// Datagrams, each a JSON string on its line.
fn datagrams(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_forward_capture_decodes_as_expected() {
    for path in cases("forward", &["bin"]) {
        let stream = fs::read(&path).unwrap();
        let got =
            if path.file_stem().is_some_and(|case| case == "node_ping") { ping(&stream) } else { messages(&stream) };
        compare(&path, &got);
    }
}

/// The messages of a connection, whose bytes come in pieces.
fn messages(stream: &[u8]) -> Value {
    let (mut cutter, mut unread, mut messages) = (Cutter::default(), Vec::new(), Vec::new());
    for piece in stream.chunks(13) {
        unread.extend_from_slice(piece);
        while let Step::Message { used } = cutter.step(&unread).unwrap() {
            let mut seen = Recorded::default();
            let Message::Events(events) = decode(&unread[..used], &mut seen).unwrap() else { panic!("a heartbeat") };
            let chunk = events.chunk.map(Chunk::bytes).map(String::from_utf8_lossy);
            messages.push(json!({
                "tag": events.tag, "chunk": chunk, "size": events.size, "taken": events.taken,
                "refused": events.refused, "records": seen.records,
            }));
            unread.drain(..used);
        }
    }
    assert!(unread.is_empty());
    json!(messages)
}

/// What the handshake says to a client that knows all, and to others.
fn ping(message: &[u8]) -> Value {
    let hello = Hello { nonce: *b"0123456789abcdef", user_salt: Some(*b"fedcba9876543210") };
    let ping = Ping::decode(message).unwrap();
    let check = |key: &str, password: Option<&str>| match ping.check(&hello, key, |user| {
        assert_eq!(user, "app");
        password
    }) {
        Ok(()) => "welcome".to_owned(),
        Err(why) => why.to_string(),
    };
    json!({
        "hostname": String::from_utf8_lossy(ping.hostname),
        "all right": check("shared", Some("pass")),
        "another key": check("other", Some("pass")),
        "another password": check("shared", Some("other")),
        "no such user": check("shared", None),
    })
}

#[test]
fn every_syslog_capture_decodes_as_expected() {
    for path in cases("syslog", &["stream", "datagrams"]) {
        let messages = if path.extension().is_some_and(|ending| ending == "stream") {
            frames(&fs::read(&path).unwrap())
        } else {
            datagrams(&path).into_iter().map(String::into_bytes).collect()
        };
        compare(&path, &json!(read_syslog(&messages)));
    }
}

/// The messages of a connection, whose bytes come in pieces.
fn frames(stream: &[u8]) -> Vec<Vec<u8>> {
    let (mut frames, mut unread, mut found) = (Frames::default(), Vec::new(), Vec::new());
    for piece in stream.chunks(13) {
        unread.extend_from_slice(piece);
        loop {
            let cut = frames.step(&unread);
            let Some(message) = cut.found else {
                let used = cut.used;
                unread.drain(..used);
                break;
            };
            found.push(message.unwrap().to_vec());
            let used = cut.used;
            unread.drain(..used);
        }
    }
    if !unread.is_empty() {
        found.push(unread);
    }
    found
}

fn read_syslog(messages: &[Vec<u8>]) -> Vec<Value> {
    let here = Here { now: "2026-11-26T00:00:00Z".parse().unwrap(), zone: &TimeZone::UTC };
    let texts: Vec<_> =
        messages.iter().map(|message| syslog::Message::read(message, &here).unwrap().text.into_owned()).collect();
    let mut access = Format::Combined.learn(texts.join("\n").as_bytes()).map(|detected| Decoder::new(&detected));
    let mut seen = Recorded::default();
    for message in messages {
        syslog::decode(message, &here, access.as_mut(), &mut seen);
    }
    seen.records
}

#[test]
fn every_statsd_capture_decodes_as_expected() {
    for path in cases("statsd", &["datagrams"]) {
        let (mut aggregator, mut seen) = (Aggregator::default(), Recorded::default());
        for datagram in datagrams(&path) {
            statsd::decode(datagram.as_bytes(), &mut aggregator, &mut seen);
        }
        aggregator.flush(Timestamp::from_seconds(60), &mut seen);
        seen.records.sort_by_key(ToString::to_string);
        compare(&path, &json!(seen.records));
    }
}
