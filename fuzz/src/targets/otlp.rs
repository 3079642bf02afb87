//! OTLP: whatever is accepted was handed over, and whatever was not is counted.

use super::{Counted, twice};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use protocols::otlp::{self, Encoding, Outcome};

pub fn logs_protobuf(body: &[u8]) {
    let walked = logs(body, Encoding::Protobuf);
    // What gRPC decoded as a whole must hold as many records as walking found.
    if let (Some(walked), Ok(request)) = (walked, ExportLogsServiceRequest::decode(body)) {
        assert_eq!(all(&otlp::observe_logs(&request, &mut Counted::default())), all(&walked));
    }
}

pub fn logs_json(body: &[u8]) {
    logs(body, Encoding::Json);
}

fn logs(body: &[u8], encoding: Encoding) -> Option<Outcome> {
    let (outcome, seen) = twice(|seen| otlp::logs(body, encoding, seen));
    let outcome = outcome.ok()?;
    assert_eq!((seen.logs, seen.refused), (outcome.accepted, outcome.rejected));
    Some(outcome)
}

pub fn traces_protobuf(body: &[u8]) {
    let walked = traces(body, Encoding::Protobuf);
    if let (Some(walked), Ok(request)) = (walked, ExportTraceServiceRequest::decode(body)) {
        assert_eq!(all(&otlp::observe_traces(&request, &mut Counted::default())), all(&walked));
    }
}

pub fn traces_json(body: &[u8]) {
    traces(body, Encoding::Json);
}

fn traces(body: &[u8], encoding: Encoding) -> Option<Outcome> {
    let (outcome, seen) = twice(|seen| otlp::traces(body, encoding, seen));
    let outcome = outcome.ok()?;
    assert_eq!((seen.spans, seen.refused), (outcome.accepted, outcome.rejected));
    assert!(seen.requests <= seen.spans, "a span is at most one request");
    Some(outcome)
}

pub fn metrics_protobuf(body: &[u8]) {
    metrics(body, Encoding::Protobuf);
}

pub fn metrics_json(body: &[u8]) {
    metrics(body, Encoding::Json);
}

fn metrics(body: &[u8], encoding: Encoding) {
    let (outcome, seen) = twice(|seen| otlp::metrics(body, encoding, seen));
    let Ok(outcome) = outcome else { return };
    assert_eq!(seen.refused, outcome.rejected);
    assert!(outcome.stale <= outcome.accepted);
    // A point becomes at least one sample, unless it only says that there is no value.
    assert!(seen.samples >= outcome.accepted - outcome.stale, "{seen:?} of {outcome:?}");
}

fn all(outcome: &Outcome) -> u64 {
    outcome.accepted + outcome.rejected
}
