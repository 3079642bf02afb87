//! What real clients sent decodes to its `<case>.expected.json`: one test walks `fixtures/elasticsearch`, `loki` and
//! `sentry`. Adding a case needs no Rust: put `<case>.body` (decompressed, but for Loki's snappy) and
//! `<case>.request.json` there, run once with `KOSHU_WRITE_EXPECTED=1`, then read what was written.

use crate::seen::Seen;
use crate::{elasticsearch, loki, sentry};
use base::Timestamp;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const ARRIVED: Timestamp = Timestamp::from_seconds(1_770_000_000);

#[test]
fn bodies_of_real_clients_decode_as_expected() {
    for (protocol, least, decode) in
        [("elasticsearch", 7, elasticsearch as fn(&Value, &[u8]) -> Value), ("loki", 4, loki), ("sentry", 30, sentry)]
    {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(protocol);
        let mut bodies: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        bodies.retain(|path| path.extension().is_some_and(|ending| ending == "body"));
        bodies.sort();
        assert!(bodies.len() >= least, "only {} fixtures of {protocol}", bodies.len());
        for path in bodies {
            let request = serde_json::from_slice(&fs::read(path.with_extension("request.json")).unwrap()).unwrap();
            let got = decode(&request, &fs::read(&path).unwrap());
            let expected = path.with_extension("expected.json");
            if std::env::var_os("KOSHU_WRITE_EXPECTED").is_some() {
                fs::write(&expected, format!("{}\n", serde_json::to_string_pretty(&got).unwrap())).unwrap();
            }
            let want: Value = serde_json::from_slice(&fs::read(&expected).unwrap()).unwrap();
            assert_eq!(got, want, "{}", path.display());
        }
    }
}

fn elasticsearch(request: &Value, body: &[u8]) -> Value {
    let mut seen = Seen::default();
    let path = request["path"].as_str().unwrap();
    let index = path.trim_start_matches('/').split('/').next().filter(|index| !index.starts_with('_'));
    let arrival = elasticsearch::Arrival { index, at: ARRIVED };
    let items = elasticsearch::decode_bulk(body, arrival, &mut || "generated".to_owned(), &mut seen).unwrap();
    json!({
        "content_type": elasticsearch::answers::content_type(request["headers"]["accept"].as_str()),
        "answer": serde_json::from_slice::<Value>(&elasticsearch::bulk_answer(&items, 0)).unwrap(),
        "seen": seen.0,
    })
}

fn loki(request: &Value, body: &[u8]) -> Value {
    let mut seen = Seen::default();
    let encoding = loki::Encoding::of_content_type(request["headers"]["content-type"].as_str()).unwrap();
    loki::decode(body, encoding, &mut seen).unwrap();
    json!({ "seen": seen.0 })
}

fn sentry(request: &Value, body: &[u8]) -> Value {
    let mut seen = Seen::default();
    let (path, query) =
        request["path"].as_str().unwrap().split_once('?').unwrap_or((request["path"].as_str().unwrap(), ""));
    let header = request["headers"]["x-sentry-auth"].as_str();
    let auth = header.and_then(sentry::auth::Auth::from_header).or_else(|| sentry::auth::Auth::from_query(query));
    let auth = auth.unwrap();
    let project = sentry::Project { service: "shop", arrived: ARRIVED };
    let taken = if path.ends_with("/store/") {
        sentry::decode_store(body, project, &mut seen).unwrap()
    } else {
        sentry::decode_envelope(body, project, &mut seen).unwrap()
    };
    json!({
        "auth": { "key": auth.key, "version": auth.version, "client": auth.client },
        "taken": { "event_id": taken.event_id, "items": taken.items, "refused": taken.refused },
        "seen": seen.0,
    })
}
