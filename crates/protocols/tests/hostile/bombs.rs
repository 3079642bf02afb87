//! Small bodies that would become large: refused or read within a stated memory, which is measured.
//!
//! What HTTP unpacks (gzip, deflate, brotli, zstd) is limited in `crates/server/src/bodies.rs` and tested there.

use crate::targets::memory::peak;
use base::Timestamp;
use flate2::Compression;
use flate2::write::GzEncoder;
use protocols::observed::{
    ErrorRecord, EventRecord, Field, LogRecord, MAX_RECORD, Observer, Refusal, RequestRecord, SampleRecord, SpanRecord,
};
use protocols::otlp::Encoding;
use protocols::prometheus::{self, Format, Version};
use protocols::syslog::{Frames, Here};
use protocols::{access, elasticsearch, forward, loki, otlp, sentry, statsd, syslog, webhook};
use std::fmt::Display;
use std::io::Write;

const AT: Timestamp = Timestamp::from_seconds(1_795_000_000);
const MIB: usize = 1 << 20;

/// What is said of a body, and how much it holds.
#[derive(Debug, Default)]
struct Weighed {
    taken: usize,
    refused: Vec<&'static str>,
    text: usize,
}

impl Weighed {
    fn weigh(&mut self, texts: &[usize], fields: &[Field<'_>]) {
        self.taken += 1;
        self.text += texts.iter().sum::<usize>();
        self.text += fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    }
}

impl Observer for Weighed {
    fn log(&mut self, record: LogRecord<'_>) {
        self.weigh(&[record.body.len()], &record.fields);
    }

    fn span(&mut self, record: SpanRecord<'_>) {
        self.weigh(&[record.name.len(), record.host.map_or(0, |host| host.len())], &record.fields);
    }

    fn sample(&mut self, record: SampleRecord<'_>) {
        self.weigh(&[record.name.len()], &record.labels);
    }

    fn error(&mut self, record: ErrorRecord<'_>) {
        self.weigh(&[record.message.len()], &record.fields);
    }

    fn event(&mut self, record: EventRecord<'_>) {
        self.weigh(&[record.name.len()], &record.fields);
    }

    fn request(&mut self, record: RequestRecord<'_>) {
        self.weigh(&[record.access.target.len()], &record.access.extra);
    }

    fn refuse(&mut self, why: Refusal, _bytes: &[u8]) {
        // A million refusals are no million reasons.
        if self.refused.len() < 3 {
            self.refused.push(why.reason());
        }
    }
}

type Decode = fn(&[u8], &mut Weighed) -> Result<(), String>;

fn done<T, E: Display>(result: Result<T, E>) -> Result<(), String> {
    result.map(|_| ()).map_err(|error| error.to_string())
}

fn forward(body: &[u8], seen: &mut Weighed) -> Result<(), String> {
    done(forward::decode(body, seen))
}

fn otlp_protobuf(body: &[u8], seen: &mut Weighed) -> Result<(), String> {
    done(otlp::logs(body, Encoding::Protobuf, seen))
}

fn otlp_json(body: &[u8], seen: &mut Weighed) -> Result<(), String> {
    done(otlp::logs(body, Encoding::Json, seen))
}

fn remote_write_1(body: &[u8], seen: &mut Weighed) -> Result<(), String> {
    done(prometheus::remote_write(body, Version::V1, seen))
}

fn remote_write_2(body: &[u8], seen: &mut Weighed) -> Result<(), String> {
    done(prometheus::remote_write(body, Version::V2, seen))
}

fn scrape(body: &[u8], seen: &mut Weighed) -> Result<(), String> {
    done(prometheus::scrape(body, Format::Text, &prometheus::Target::default(), seen))
}

fn alerts(body: &[u8], seen: &mut Weighed) -> Result<(), String> {
    done(prometheus::alerts(body, AT, seen))
}

fn alertmanager(body: &[u8], seen: &mut Weighed) -> Result<(), String> {
    done(prometheus::alertmanager_webhook(body, seen))
}

fn elasticsearch(body: &[u8], seen: &mut Weighed) -> Result<(), String> {
    let arrival = elasticsearch::Arrival { index: None, at: AT };
    done(elasticsearch::decode_bulk(body, arrival, &mut || "id".to_owned(), seen))
}

fn loki_json(body: &[u8], seen: &mut Weighed) -> Result<(), String> {
    done(loki::decode(body, loki::Encoding::Json, seen))
}

fn loki_snappy(body: &[u8], seen: &mut Weighed) -> Result<(), String> {
    done(loki::decode(body, loki::Encoding::SnappyProtobuf, seen))
}

fn sentry(body: &[u8], seen: &mut Weighed) -> Result<(), String> {
    done(sentry::decode_envelope(body, sentry::Project { service: "shop", arrived: AT }, seen))
}

fn access_json(body: &[u8], _seen: &mut Weighed) -> Result<(), String> {
    let known = access::Format::Json.learn(b"{}").expect("a format that was named");
    done(access::Decoder::new(&known).decode(body))
}

fn github(body: &[u8], _seen: &mut Weighed) -> Result<(), String> {
    done(webhook::decode_github("push", body))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every `Decode`")]
fn statsd(body: &[u8], seen: &mut Weighed) -> Result<(), String> {
    statsd::decode(body, &mut statsd::Aggregator::default(), seen);
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every `Decode`")]
fn syslog(body: &[u8], seen: &mut Weighed) -> Result<(), String> {
    syslog::decode(body, &Here { now: AT, zone: &jiff::tz::TimeZone::UTC }, None, seen);
    Ok(())
}

fn syslog_stream(body: &[u8], _seen: &mut Weighed) -> Result<(), String> {
    done(Frames::default().step(body).found.expect("something is found"))
}

/// A packed message whose entries are compressed.
fn gzip(parts: &[(&[u8], usize)]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    for (part, times) in parts {
        let block = part.repeat((65_536 / part.len()).clamp(1, *times));
        let mut left = part.len() * times;
        while left > 0 {
            let now = block.len().min(left);
            gzip.write_all(&block[..now]).unwrap();
            left -= now;
        }
    }
    crate::targets::packed_message(&gzip.finish().unwrap(), true)
}

/// `[tag, time, record]`
fn event(record: &[u8]) -> Vec<u8> {
    [&[0x93, 0xa1, b't', 0x01], record].concat()
}

fn snappy(bytes: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(bytes).unwrap()
}

/// A protobuf field that holds bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length >= 0x80 {
        out.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    out.push(u8::try_from(length).unwrap());
    out.extend_from_slice(bytes);
    out
}

/// A log record inside everything that it needs around it.
fn otlp_record(record: &[u8]) -> Vec<u8> {
    field(1, &field(2, &field(2, record)))
}

fn otlp_json_record(record: &str) -> Vec<u8> {
    format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{record}]}}]}}]}}"#).into_bytes()
}

/// Values in lists in lists, as OTLP writes them.
fn nested_value(levels: usize) -> Vec<u8> {
    (0..levels).fold(Vec::new(), |inner, _| field(5, &field(1, &inner)))
}

fn nested(levels: usize) -> String {
    "[".repeat(levels) + &"]".repeat(levels)
}

/// `[0,0,...]` of so many bytes.
fn zeros(bytes: usize) -> String {
    format!("[{}0]", "0,".repeat(bytes / 2 - 2))
}

fn envelope(kind: &str, payload: &str) -> Vec<u8> {
    format!("{{}}\n{{\"type\":\"{kind}\"}}\n{payload}\n").into_bytes()
}

/// What reading one record of 1 MiB may cost, MiB.
const ONE_RECORD: usize = 100;
/// What one request may hand over: what it repeats, and its own text several times.
const MOST_TEXT: usize = 1_100 * MIB;

/// Tries one bomb after the other, and at the end says all that was wrong.
#[derive(Default)]
struct Tried {
    wrong: Vec<String>,
}

impl Tried {
    /// `want` is what is said: the error, or why the first records were refused; nothing when all was read. `most` is the
    /// most memory, MiB.
    fn bomb(&mut self, name: &str, decode: Decode, body: impl AsRef<[u8]>, want: &str, most: usize) {
        let mut seen = Weighed::default();
        let (result, bytes) = peak(|| decode(body.as_ref(), &mut seen));
        let said = result.err().unwrap_or_else(|| seen.refused.join(" "));
        if !said.contains(want) || (want.is_empty() && !said.is_empty()) {
            self.wrong.push(format!("{name}: {said:?}, expected {want:?}"));
        }
        if bytes > most * MIB {
            self.wrong.push(format!("{name}: {:.1} MiB of memory, {most} allowed", bytes as f64 / MIB as f64));
        }
        if seen.text > MOST_TEXT {
            self.wrong.push(format!("{name}: {} MiB were handed over", seen.text / MIB));
        }
    }

    fn end(self) {
        assert!(self.wrong.is_empty(), "\n{}", self.wrong.join("\n"));
    }
}

#[test]
fn what_is_packed_is_unpacked_within_limits() {
    let _alone = crate::alone();
    let mut tried = Tried::default();
    let text = [&[0xdb][..], &(60_u32 << 20).to_be_bytes()].concat();
    tried.bomb(
        "forward: a gzip of nothing but zeros",
        forward,
        gzip(&[(&[0], 65 * MIB)]),
        "more than 1000000 events",
        2,
    );
    tried.bomb("forward: one long text in gzip", forward, gzip(&[(&text, 1), (b"x", 60 * MIB)]), "too_long", 4);
    tried.bomb(
        "forward: more in gzip than is unpacked",
        forward,
        gzip(&[(&text, 1), (b"x", 60 * MIB), (&text, 1), (b"x", 60 * MIB)]),
        "more than 67108864 bytes after decompression",
        4,
    );
    tried.bomb(
        "loki: a snappy header that lies",
        loki_snappy,
        vec![0x80, 0x80, 0x80, 0x20, 0],
        "claims to hold 67108864",
        1,
    );
    tried.bomb("loki: a snappy bomb", loki_snappy, snappy(&vec![0; 65 * MIB]), "more than 67108864 bytes", 1);
    tried.bomb(
        "remote write: a snappy bomb",
        remote_write_1,
        snappy(&vec![0; 65 * MIB]),
        "more than 67108864 bytes",
        1,
    );
    tried.end();
}

#[test]
fn nesting_costs_nothing() {
    let _alone = crate::alone();
    let mut tried = Tried::default();
    tried.bomb(
        "forward: a million lists",
        forward,
        event(&[&[0x81, 0xa1, b'a'][..], &[0x91].repeat(1_000_000), &[0]].concat()),
        "too_deep",
        1,
    );
    tried.bomb(
        "forward: lists as names",
        forward,
        event(&[[0x81].repeat(500_000), [0].repeat(500_001)].concat()),
        "too_deep",
        1,
    );
    let deep = nested(500_000);
    tried.bomb("otlp: nested JSON", otlp_json, otlp_json_record(&format!(r#"{{"body":{deep}}}"#)), "too_deep", 2);
    tried.bomb("otlp: nested protobuf", otlp_protobuf, otlp_record(&field(5, &nested_value(1_000))), "too_deep", 2);
    tried.bomb(
        "elasticsearch: nested JSON",
        elasticsearch,
        format!("{{\"index\":{{\"_index\":\"a\"}}}}\n{{\"a\":{deep}}}\n"),
        "too_deep",
        1,
    );
    tried.bomb(
        "loki: nested JSON as a label",
        loki_json,
        format!(r#"{{"streams":[{{"stream":{{"a":{deep}}},"values":[]}}]}}"#),
        "",
        2,
    );
    tried.bomb(
        "loki: nested JSON as an entry",
        loki_json,
        format!(r#"{{"streams":[{{"stream":{{}},"values":[{deep}]}}]}}"#),
        "too_deep",
        2,
    );
    tried.bomb("alerts: nested JSON", alerts, format!(r#"[{{"labels":{{"alertname":{deep}}}}}]"#), "malformed", 2);
    tried.bomb("sentry: nested JSON", sentry, envelope("event", &deep), "too_deep", 1);
    tried.bomb("github: nested JSON", github, &deep, "deeper than 32", 1);
    tried.bomb("access log: nested JSON", access_json, format!(r#"{{"a":{deep}}}"#), "no time", 2);
    tried.end();
}

#[test]
fn lengths_that_lie_cost_nothing() {
    let _alone = crate::alone();
    let mut tried = Tried::default();
    tried.bomb("forward: a text of 4 GiB", forward, event(&[0xdb, 0xff, 0xff, 0xff, 0xff]), "cut short", 1);
    tried.bomb(
        "forward: a list of 4 billion events",
        forward,
        vec![0x92, 0xa1, b't', 0xdd, 0xff, 0xff, 0xff, 0xff, 0x92],
        "cut short",
        1,
    );
    tried.bomb(
        "otlp: a resource of 4 GiB",
        otlp_protobuf,
        vec![0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f],
        "beyond the end",
        1,
    );
    tried.bomb(
        "sentry: an item of 9 EB",
        sentry,
        b"{}\n{\"type\":\"event\",\"length\":9223372036854775807}\n{}\n",
        "length is not that of its payload",
        1,
    );
    tried.bomb("statsd: a title of 9 EB", statsd, b"_e{9223372036854775807,9223372036854775807}:a|b", "malformed", 1);
    tried.bomb("syslog: a message of 1 GB", syslog_stream, b"999999999 <13>a", "longer than", 1);
    tried.end();
}

#[test]
fn short_values_become_no_mountain() {
    let _alone = crate::alone();
    let mut tried = Tried::default();
    let fields = [&[0xdf][..], &500_000_u32.to_be_bytes(), &[0].repeat(1_000_000)].concat();
    tried.bomb("forward: half a million fields", forward, event(&fields), "", 8);
    tried.bomb(
        "otlp: half a million attributes",
        otlp_protobuf,
        otlp_record(&field(6, &[]).repeat(MAX_RECORD / 2)),
        "",
        ONE_RECORD,
    );
    let values = format!(r#"{{"body":{{"arrayValue":{{"values":[{}{{}}]}}}}}}"#, "{},".repeat(MAX_RECORD / 3 - 30));
    tried.bomb("otlp: a list of nothings", otlp_json, otlp_json_record(&values), "", ONE_RECORD);
    tried.bomb(
        "elasticsearch: a list of zeros",
        elasticsearch,
        format!("{{\"index\":{{\"_index\":\"a\"}}}}\n{{\"a\":{}}}\n", zeros(MAX_RECORD - 100)),
        "",
        ONE_RECORD,
    );
    tried.bomb(
        "elasticsearch: nothing but deletions",
        elasticsearch,
        b"{\"delete\":{}}\n".repeat(4_000_000),
        "more than 1000000 items",
        200,
    );
    tried.bomb(
        "sentry: a list of zeros",
        sentry,
        envelope("event", &format!(r#"{{"extra":{}}}"#, zeros(MAX_RECORD - 100))),
        "",
        ONE_RECORD,
    );
    tried.bomb(
        "loki: a list of zeros as a label",
        loki_json,
        format!(r#"{{"streams":[{{"stream":{{"a":{}}},"values":[]}}]}}"#, zeros(40 * MIB)),
        "",
        2,
    );
    tried.bomb(
        "loki: a list of zeros as metadata",
        loki_json,
        format!(r#"{{"streams":[{{"stream":{{}},"values":[["1","a",{{"a":{}}}]]}}]}}"#, zeros(MAX_RECORD - 100)),
        "",
        8,
    );
    let line = field(1, &field(2, &field(2, &vec![0xff; 60 * MIB])));
    tried.bomb("loki: a line of 60 MiB that is no text", loki_snappy, snappy(&line), "too_long", 70);
    let labels = field(1, &field(1, &vec![0xff; 60 * MIB]));
    tried.bomb("loki: labels of 60 MiB that are no text", loki_snappy, snappy(&labels), "", 70);
    tried.bomb(
        "remote write: 30 million labels",
        remote_write_1,
        snappy(&field(1, &[0x0a, 0].repeat(30 * MIB))),
        "too_long",
        70,
    );
    tried.bomb(
        "remote write: 30 million references",
        remote_write_2,
        snappy(&[field(4, b""), field(5, &field(1, &vec![0; 60 * MIB]))].concat()),
        "too_long",
        70,
    );
    tried.bomb(
        "scrape: a line of labels",
        scrape,
        [b"a{".to_vec(), b"a=\"\",".repeat(200_000), b"} 1".to_vec()].concat(),
        "bad_name",
        24,
    );
    tried.bomb(
        "syslog: a message of parameters",
        syslog,
        [b"<13>1 - - - - - [a ".to_vec(), b"b=\"\" ".repeat(13_000), b"]".to_vec()].concat(),
        "",
        4,
    );
    tried.end();
}

#[test]
fn what_all_records_repeat_is_limited() {
    let _alone = crate::alone();
    let mut tried = Tried::default();
    let label = "x".repeat(60_000);
    let entries = r#"["1","a"],"#.repeat(20_000);
    tried.bomb(
        "loki: a long label above many entries",
        loki_json,
        format!(r#"{{"streams":[{{"stream":{{"a":"{label}"}},"values":[{entries}["1","a"]]}}]}}"#),
        "bytes which the records of one request repeat",
        2,
    );
    let entries = field(2, &field(2, b"a")).repeat(20_000);
    tried.bomb(
        "loki: the same in protobuf",
        loki_snappy,
        snappy(&field(1, &[field(1, format!(r#"{{a="{label}"}}"#).as_bytes()), entries].concat())),
        "bytes which the records of one request repeat",
        8,
    );
    let long = "x".repeat(MIB);
    tried.bomb(
        "loki: a longer label",
        loki_json,
        format!(r#"{{"streams":[{{"stream":{{"a":"{long}"}},"values":[["1","a"]]}}]}}"#),
        "too_long",
        2,
    );
    tried.bomb("loki: 60 MiB that are no text", loki_json, vec![0xff; 60 * MIB], "more than 67108864 bytes", 2);
    let alerts = r#"{"labels":{"alertname":"a"}},"#.repeat(2_000);
    tried.bomb(
        "alertmanager: a long key of the group",
        alertmanager,
        format!(r#"{{"groupKey":"{long}","alerts":[{alerts}{{"labels":{{"alertname":"a"}}}}]}}"#),
        "bytes which the records of one request repeat",
        2,
    );
    let half = "x".repeat(MIB / 2);
    tried.bomb(
        "sentry: a long release of many sessions",
        sentry,
        envelope(
            "sessions",
            &format!(r#"{{"attrs":{{"release":"{half}"}},"aggregates":[{}{{}}]}}"#, "{},".repeat(150_000)),
        ),
        "",
        ONE_RECORD,
    );
    let span = r#"{"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7"}"#;
    tried.bomb(
        "sentry: a long server of many spans",
        sentry,
        envelope(
            "transaction",
            &format!(
                r#"{{"server_name":"{half}","contexts":{{"trace":{span}}},"spans":[{}{span}]}}"#,
                format!("{span},").repeat(5_000)
            ),
        ),
        "",
        ONE_RECORD,
    );
    tried.end();
}
