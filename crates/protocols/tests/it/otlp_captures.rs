//! Every capture in `fixtures/otlp` and `fixtures/prometheus` is read as its `<case>.expected.json` says. Adding a case
//! needs no Rust: the end of its name tells which decoder reads it (see `decode`). Put the bytes there, run once with
//! `KOSHU_WRITE_EXPECTED=1`, then read what was written.

use crate::collect::Collected;
use base::Timestamp;
use protocols::observed::DecodeError;
use protocols::otlp::{self, Encoding};
use protocols::prometheus::{self, Format, Target, Version};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_capture_is_read_as_expected() {
    for (folder, least) in [("otlp", 6), ("prometheus", 8)] {
        let captures = captures(folder);
        assert!(captures.len() >= least, "only {} captures in {folder}", captures.len());
        for path in captures {
            let got = decode(&path);
            let expected = path.with_extension("expected.json");
            if std::env::var_os("KOSHU_WRITE_EXPECTED").is_some() {
                fs::write(&expected, format!("{}\n", serde_json::to_string_pretty(&got).unwrap())).unwrap();
            }
            let want: Value = serde_json::from_slice(&fs::read(&expected).unwrap()).unwrap();
            assert_eq!(got, want, "{}", path.display());
        }
    }
}

fn captures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let is_capture = |name: &str| !name.ends_with(".expected.json") && name != "README.md";
    files.retain(|path| is_capture(path.file_name().unwrap().to_str().unwrap()));
    files.sort();
    let stems: std::collections::BTreeSet<_> = files.iter().map(|path| path.file_stem()).collect();
    assert_eq!(stems.len(), files.len(), "two captures would share one expected result");
    files
}

/// `<sender>_<signal>.<ending>`: the signal and the ending tell what it is.
fn decode(path: &Path) -> Value {
    let body = fs::read(path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let (stem, ending) = name.rsplit_once('.').unwrap();
    let signal = stem.rsplit_once('_').unwrap().1;
    let mut seen = Collected::default();
    let outcome = match (signal, ending) {
        ("logs", _) => shown(&otlp::logs(&body, encoding(ending), &mut seen)),
        ("traces", _) => shown(&otlp::traces(&body, encoding(ending), &mut seen)),
        ("metrics", _) => shown(&otlp::metrics(&body, encoding(ending), &mut seen)),
        (_, "rw1") => shown(&prometheus::remote_write(&body, Version::V1, &mut seen)),
        (_, "rw2") => shown(&prometheus::remote_write(&body, Version::V2, &mut seen)),
        (_, "prom") => shown(&prometheus::scrape(&body, Format::Text, &target(), &mut seen)),
        (_, "om") => shown(&prometheus::scrape(&body, Format::OpenMetrics, &target(), &mut seen)),
        ("webhook", "json") => shown(&prometheus::alertmanager_webhook(&body, &mut seen)),
        ("alerts", "json") => shown(&prometheus::alerts(&body, when_alerts_were_sent(), &mut seen)),
        _ => panic!("no decoder reads {name}"),
    };
    json!({ "outcome": outcome, "records": seen.records })
}

fn shown<T: std::fmt::Debug>(outcome: &Result<T, DecodeError>) -> String {
    match outcome {
        Ok(outcome) => format!("{outcome:?}"),
        Err(error) => error.to_string(),
    }
}

fn encoding(ending: &str) -> Encoding {
    match ending {
        "pb" => Encoding::Protobuf,
        "json" => Encoding::Json,
        _ => panic!("no encoding is called {ending}"),
    }
}

fn target() -> Target<'static> {
    Target { labels: &[("instance", "web-1:9100"), ("job", "shop")], at: Some(when_alerts_were_sent()) }
}

fn when_alerts_were_sent() -> Timestamp {
    "2026-11-25T21:32:30Z".parse().unwrap()
}
