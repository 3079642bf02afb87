//! Answers to senders: partial success with its counts, and the status of a request that was refused.

use super::{Encoding, Outcome};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsPartialSuccess, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message;
use serde_json::json;

/// The answer to a logs request, as a message (for gRPC).
pub fn logs_message(outcome: &Outcome) -> ExportLogsServiceResponse {
    let partial_success = outcome
        .rejection()
        .map(|(rejected_log_records, error_message)| ExportLogsPartialSuccess { rejected_log_records, error_message });
    ExportLogsServiceResponse { partial_success }
}

/// The answer to a trace request, as a message (for gRPC).
pub fn traces_message(outcome: &Outcome) -> ExportTraceServiceResponse {
    let partial_success = outcome
        .rejection()
        .map(|(rejected_spans, error_message)| ExportTracePartialSuccess { rejected_spans, error_message });
    ExportTraceServiceResponse { partial_success }
}

/// The answer to a metrics request, as a message (for gRPC).
pub fn metrics_message(outcome: &Outcome) -> ExportMetricsServiceResponse {
    let partial_success = outcome.rejection().map(|(rejected_data_points, error_message)| {
        ExportMetricsPartialSuccess { rejected_data_points, error_message }
    });
    ExportMetricsServiceResponse { partial_success }
}

/// The body of the answer to a logs request.
pub fn logs_response(outcome: &Outcome, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Protobuf => logs_message(outcome).encode_to_vec(),
        Encoding::Json => outcome.json("rejectedLogRecords"),
    }
}

/// The body of the answer to a trace request.
pub fn traces_response(outcome: &Outcome, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Protobuf => traces_message(outcome).encode_to_vec(),
        Encoding::Json => outcome.json("rejectedSpans"),
    }
}

/// The body of the answer to a metrics request.
pub fn metrics_response(outcome: &Outcome, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Protobuf => metrics_message(outcome).encode_to_vec(),
        Encoding::Json => outcome.json("rejectedDataPoints"),
    }
}

/// The body of an answer that refuses a whole request: a `google.rpc.Status` with the message for people.
pub fn status(message: &str, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Protobuf => Status { message: message.to_owned() }.encode_to_vec(),
        Encoding::Json => json!({ "message": message }).to_string().into_bytes(),
    }
}

/// `google.rpc.Status`; its code is left out, as HTTP's says what to do.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(string, tag = "2")]
    message: String,
}

impl Outcome {
    /// How many were refused and why, in words; `None` when all were taken.
    fn rejection(&self) -> Option<(i64, String)> {
        let why = self.first_reason?;
        Some((i64::try_from(self.rejected).unwrap_or(i64::MAX), why.to_string()))
    }

    fn json(&self, counted: &str) -> Vec<u8> {
        let Some((rejected, why)) = self.rejection() else { return b"{}".to_vec() };
        // Numbers of 64 bits are text in protobuf's JSON.
        json!({ "partialSuccess": { counted: rejected.to_string(), "errorMessage": why } }).to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::Refusal;

    #[test]
    fn a_whole_success_says_nothing_and_a_part_says_how_much_and_why() {
        let whole = Outcome { accepted: 3, ..Outcome::default() };
        let part = Outcome { accepted: 1, rejected: 2, first_reason: Some(Refusal::BadId), ..Outcome::default() };
        let why = "the trace or span id is missing or has the wrong length";
        for (name, respond) in [
            ("rejectedLogRecords", logs_response as fn(&Outcome, Encoding) -> Vec<u8>),
            ("rejectedSpans", traces_response),
            ("rejectedDataPoints", metrics_response),
        ] {
            assert_eq!(respond(&whole, Encoding::Json), b"{}");
            assert_eq!(respond(&whole, Encoding::Protobuf), b"");
            let json: serde_json::Value = serde_json::from_slice(&respond(&part, Encoding::Json)).unwrap();
            assert_eq!(json, json!({ "partialSuccess": { name: "2", "errorMessage": why } }));
            // All three have the same shape in protobuf.
            let message = ExportLogsServiceResponse::decode(&*respond(&part, Encoding::Protobuf)).unwrap();
            let want = ExportLogsPartialSuccess { rejected_log_records: 2, error_message: why.to_owned() };
            assert_eq!(message.partial_success, Some(want));
        }
    }

    #[test]
    fn a_refused_request_is_told_in_words() {
        assert_eq!(status("no", Encoding::Json), br#"{"message":"no"}"#);
        assert_eq!(status("no", Encoding::Protobuf), b"\x12\x02no");
    }
}
