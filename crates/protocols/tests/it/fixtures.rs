//! Every `fixtures/access/<case>.log` decodes to its `<case>.expected.json`. Adding a case needs no Rust: put the log
//! there and run once with `KOSHU_WRITE_EXPECTED=1`, then read what was written.

use protocols::access::{AccessRecord, Decoder, Format, Tally, lines};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::Path;

#[test]
fn every_fixture_decodes_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/access");
    let mut logs: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    logs.retain(|path| path.extension().is_some_and(|ending| ending == "log"));
    logs.sort();
    assert!(logs.len() >= 10, "only {} fixtures found", logs.len());
    for path in logs {
        let got = decode(&path);
        let expected = path.with_extension("expected.json");
        if std::env::var_os("KOSHU_WRITE_EXPECTED").is_some() {
            fs::write(&expected, format!("{}\n", serde_json::to_string_pretty(&got).unwrap())).unwrap();
        }
        let want: Value = serde_json::from_slice(&fs::read(&expected).unwrap()).unwrap();
        assert_eq!(got, want, "{}", path.display());
    }
}

fn decode(path: &Path) -> Value {
    let log = fs::read(path).unwrap();
    let pattern = fs::read_to_string(path.with_extension("pattern")).ok();
    let (mut decoder, notes) = if let Some(pattern) = pattern {
        (Decoder::with_pattern(pattern.trim()).unwrap(), Vec::new())
    } else {
        let detected = Format::detect(&log).unwrap_or_else(|| panic!("no format: {}", path.display()));
        (Decoder::new(&detected), detected.notes())
    };
    let mut tally = Tally::default();
    let mut records = Vec::new();
    for line in lines(&log) {
        let result = decoder.decode(line);
        records.extend(tally.count(line, result).map(|record| shown(&record)));
    }
    let text = String::from_utf8_lossy(&log);
    assert_eq!(tally.lines(), text.lines().count() as u64);
    json!({ "format": decoder.format().name(), "notes": notes, "tally": tally, "records": records })
}

fn shown(record: &AccessRecord<'_>) -> Value {
    let mut out = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            out.insert(name.to_owned(), value);
        }
    };
    let text = |value: &Option<std::borrow::Cow<'_, str>>| value.as_deref().map(Value::from);
    put("ts", Some(record.ts.to_string().into()));
    put("request", Some(format!("{} {}", record.method, record.target).into()));
    put("status", Some(record.status.into()));
    put("duration_us", record.duration_us.map(Value::from));
    put("upstream_us", record.upstream_us.map(Value::from));
    put("bytes", record.bytes.map(Value::from));
    put("remote_addr", text(&record.remote_addr));
    put("user", text(&record.user));
    put("user_agent", text(&record.user_agent));
    put("referer", text(&record.referer));
    put("host", text(&record.host));
    put("trace_id", text(&record.trace_id));
    let extra: Map<_, _> = record.extra.iter().map(|(key, value)| (key.to_string(), value.as_ref().into())).collect();
    put("extra", (!extra.is_empty()).then_some(Value::Object(extra)));
    Value::Object(out)
}
