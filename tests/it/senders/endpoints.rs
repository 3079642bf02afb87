//! Every way in over HTTP, with the smallest body that it stores: what wrong input and tokens are tried on.

use e2e::{Answer, Client};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

/// In which form a protocol says what was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A problem document: protocols that ask for none of their own.
    Problem,
    /// `google.rpc.Status` as JSON.
    OtlpJson,
    /// `google.rpc.Status` as protobuf.
    OtlpProtobuf,
    Elasticsearch,
}

/// One way in.
#[derive(Debug)]
pub struct Endpoint {
    pub path: &'static str,
    pub kind: &'static str,
    pub form: Form,
    /// A whole body, of which one row is stored.
    pub good: Vec<u8>,
    /// The same, and then it goes wrong.
    pub broken: Vec<u8>,
    /// The table of the row.
    pub table: &'static str,
}

impl Endpoint {
    /// The body as its clients send it.
    pub fn request(&self, client: &Client, body: Vec<u8>) -> RequestBuilder {
        let request = client.request(Method::POST, self.path).header("content-type", self.kind);
        let request = if self.path == "/api/v1/write" { request.header("content-encoding", "snappy") } else { request };
        request.body(body)
    }

    /// Sees that an answer is of this status in the form of the protocol, and says why.
    #[track_caller]
    pub fn assert_refused(&self, answer: &Answer, status: u16, case: &str) {
        let what = format!("{case}: {} {answer:?}", self.path);
        assert_eq!(answer.status.as_u16(), status, "{what}");
        let kind = answer.header("content-type");
        // What can't be read has no form to answer in.
        let form = if status == 415 && self.form != Form::Elasticsearch { Form::Problem } else { self.form };
        match form {
            Form::Problem if status == 415 && kind != "application/problem+json" => {
                assert!(!answer.text.is_empty(), "{what}");
            }
            Form::Problem => assert!(!answer.problem(status).is_empty(), "{what}"),
            Form::OtlpJson => {
                assert_eq!(kind, "application/json", "{what}");
                assert!(answer.json()["message"].as_str().is_some_and(|message| !message.is_empty()), "{what}");
            }
            Form::OtlpProtobuf => {
                assert_eq!(kind, "application/x-protobuf", "{what}");
                // Field 2, a text.
                let message = answer.text.split_once('\u{12}').map(|(_, message)| message.len());
                assert!(message.is_some_and(|length| length > 10), "{what}");
            }
            Form::Elasticsearch => {
                assert_eq!(answer.header("x-elastic-product"), "Elasticsearch", "{what}");
                let body = answer.json();
                assert_eq!(body["status"], status, "{what}");
                assert!(body["error"]["type"].as_str().is_some_and(|kind| kind.ends_with("_exception")), "{what}");
                assert!(body["error"]["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{what}");
            }
        }
    }
}

/// JSON without its last character is none.
fn of_json(path: &'static str, form: Form, table: &'static str, good: &serde_json::Value) -> Endpoint {
    let good = good.to_string().into_bytes();
    let broken = good[..good.len() - 1].to_vec();
    Endpoint { path, kind: "application/json", form, good, broken, table }
}

/// A body of lines, and what no line can be.
fn of_lines(
    path: &'static str,
    kind: &'static str,
    form: Form,
    table: &'static str,
    good: &str,
    wrong: &str,
) -> Endpoint {
    Endpoint { path, kind, form, good: good.into(), broken: format!("{good}{wrong}\n").into(), table }
}

/// All of them.
pub fn endpoints() -> Vec<Endpoint> {
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]});
    let ids = json!({"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": "x",
        "startTimeUnixNano": "1770091506000000000", "endTimeUnixNano": "1770091507000000000"});
    let line = json!({"timeUnixNano": "1770091506000000000", "body": {"stringValue": "hello"}});
    let point = json!({"name": "x", "gauge": {"dataPoints": [{"timeUnixNano": "1770091506000000000", "asDouble": 1}]}});
    let logs = json!({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [line]}]}]});
    let traces = json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [ids]}]}]});
    let metrics = json!({"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [point]}]}]});
    let document = json!({"@timestamp": "2026-02-03T04:05:06Z", "message": "hello"});
    let bulk = format!("{{\"index\":{{\"_index\":\"shop\"}}}}\n{document}\n");
    let event = json!({"event_id": "9ec79c33ec9942ab8353589fcb2e04dc", "message": "hello", "level": "error"});
    let envelope = format!("{{}}\n{{\"type\":\"event\"}}\n{event}\n");
    let alert = json!({"labels": {"alertname": "Slow", "service": "shop"}, "startsAt": "2026-02-03T04:05:06Z",
        "status": "firing"});
    let lines = "application/x-ndjson";
    vec![
        of_json("/v1/logs", Form::OtlpJson, "logs", &logs),
        of_json("/v1/traces", Form::OtlpJson, "spans", &traces),
        of_json("/v1/metrics", Form::OtlpJson, "samples", &metrics),
        protobuf_logs(),
        of_lines("/_bulk", lines, Form::Elasticsearch, "logs", &bulk, "nonsense"),
        of_lines(
            "/shop/_bulk",
            lines,
            Form::Elasticsearch,
            "logs",
            &format!("{{\"create\":{{}}}}\n{document}\n"),
            "{}",
        ),
        of_json("/shop/_doc", Form::Elasticsearch, "logs", &document),
        of_json("/shop/_create/one", Form::Elasticsearch, "logs", &document),
        of_json(
            "/loki/api/v1/push",
            Form::Problem,
            "logs",
            &json!({"streams": [{"stream": {"app": "shop"}, "values": [["1770091506000000000", "hello"]]}]}),
        ),
        remote_write(),
        of_lines("/api/42/envelope/", "application/x-sentry-envelope", Form::Problem, "errors", &envelope, "nonsense"),
        of_json("/api/42/store/", Form::Problem, "errors", &event),
        of_json("/api/v2/alerts", Form::Problem, "events", &json!([alert])),
        of_json("/api/v1/alertmanager", Form::Problem, "events", &json!({"version": "4", "alerts": [alert]})),
    ]
}

/// A field of a protobuf message that holds bytes.
pub fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2][..], &varint(bytes.len() as u64), bytes].concat()
}

/// A length beyond the end.
const CUT: [u8; 2] = [0x0a, 0x7f];

fn protobuf_logs() -> Endpoint {
    let body = field(5, &field(1, b"hello"));
    let time = [&[0x09][..], &1_770_091_506_000_000_000_u64.to_le_bytes()].concat();
    let record = [time, body].concat();
    let good = field(1, &field(2, &field(2, &record)));
    let broken = [&good[..], &CUT].concat();
    Endpoint { path: "/v1/logs", kind: "application/x-protobuf", form: Form::OtlpProtobuf, good, broken, table: "logs" }
}

fn remote_write() -> Endpoint {
    let label = |name: &str, value: &str| field(1, &[field(1, name.as_bytes()), field(2, value.as_bytes())].concat());
    let sample = [&[0x09][..], &1.5_f64.to_le_bytes(), &[0x10], &varint(1_770_091_506_000)].concat();
    let series = [label("__name__", "up"), label("job", "shop"), field(2, &sample)].concat();
    let good = field(1, &series);
    let broken = snappy(&[&good[..], &CUT].concat());
    Endpoint {
        path: "/api/v1/write",
        kind: "application/x-protobuf",
        form: Form::Problem,
        good: snappy(&good),
        broken,
        table: "samples",
    }
}

/// A number of protobuf's: seven bits a byte, the lowest first.
pub fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let [low, ..] = (number & 0x7f).to_le_bytes();
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// A snappy block of one literal.
pub fn snappy(bytes: &[u8]) -> Vec<u8> {
    let last = u16::try_from(bytes.len().checked_sub(1).expect("not empty")).expect("64 KiB at most");
    let tag = match u8::try_from(last) {
        Ok(short @ ..60) => vec![short << 2],
        // The length stands in the two bytes behind.
        _ => [&[61 << 2][..], &last.to_le_bytes()].concat(),
    };
    [&varint(bytes.len() as u64)[..], &tag, bytes].concat()
}
