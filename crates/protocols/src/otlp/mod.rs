//! The OpenTelemetry protocol (OTLP 1.x): logs, traces and metrics, as protobuf and as JSON.
//!
//! A request is walked, never decoded as a whole: one log record, span or data point at a time becomes a message, so
//! that a small body can't grow to a hundred times its size, and a broken record does not spoil its neighbours.
//! gRPC messages have the same bytes: give them to the same functions before anything else decodes them. For a server
//! that holds a decoded request already, there are [`observe_logs`], [`observe_traces`] and [`observe_metrics`].
//!
//! When a request as a whole is refused ([`DecodeError`]), the caller must throw away what the observer took of it: the
//! sender may send it again. Never panics on any bytes, and never needs more memory than one record does.

mod attributes;
mod exception;
mod ids;
mod json;
mod logs;
mod metrics;
mod origin;
mod request;
mod response;
mod spans;
mod stack;
mod walk;

#[cfg(test)]
mod tests;

pub use metrics::{metrics, observe_metrics};
pub use response::{
    logs_message, logs_response, metrics_message, metrics_response, status, traces_message, traces_response,
};

use crate::observed::{DecodeError, Observer, Refusal};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use origin::Origin;
use prost::Message;
use walk::Items;

/// How a request or an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-protobuf`, and gRPC messages.
    Protobuf,
    /// `application/json`.
    Json,
}

impl Encoding {
    /// The encoding that a `Content-Type` names; parameters do not matter. `None` is not taken (415).
    pub fn of_content_type(value: &str) -> Option<Self> {
        let kind = value.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("application/x-protobuf") || kind.eq_ignore_ascii_case("application/protobuf") {
            Some(Self::Protobuf)
        } else if kind.eq_ignore_ascii_case("application/json") {
            Some(Self::Json)
        } else {
            None
        }
    }

    /// The `Content-Type` of an answer.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

/// What became of the log records, spans or data points of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcome {
    /// How many were handed over.
    pub accepted: u64,
    /// How many were refused.
    pub rejected: u64,
    /// Why the first was refused.
    pub first_reason: Option<Refusal>,
    /// Data points among the accepted which only say that their series has no value now.
    pub stale: u64,
}

impl Outcome {
    fn accept(&mut self) {
        self.accepted += 1;
    }

    fn reject(&mut self, why: Refusal) {
        self.rejected += 1;
        self.first_reason.get_or_insert(why);
    }
}

/// Reads an `ExportLogsServiceRequest`.
pub fn logs(body: &[u8], encoding: Encoding, observer: &mut dyn Observer) -> Result<Outcome, DecodeError> {
    let mut intake = Intake::new(observer);
    walk::walk(body, encoding, Items::Logs, &mut |origin, raw| {
        intake.take(raw.bytes(), |observer| logs::observe(&raw.log_record()?, origin?, observer));
        Ok(())
    })?;
    Ok(intake.outcome)
}

/// Hands over what a decoded logs request holds.
pub fn observe_logs(request: &ExportLogsServiceRequest, observer: &mut dyn Observer) -> Outcome {
    let mut intake = Intake::new(observer);
    for group in &request.resource_logs {
        for scope_group in &group.scope_logs {
            let origin = Origin::new(group.resource.as_ref(), scope_group.scope.as_ref());
            for record in &scope_group.log_records {
                intake.take_message(record, |observer| {
                    logs::observe(record, origin.as_ref().map_err(|why| *why)?, observer)
                });
            }
        }
    }
    intake.outcome
}

/// Reads an `ExportTraceServiceRequest`.
pub fn traces(body: &[u8], encoding: Encoding, observer: &mut dyn Observer) -> Result<Outcome, DecodeError> {
    let mut intake = Intake::new(observer);
    walk::walk(body, encoding, Items::Spans, &mut |origin, raw| {
        intake.take(raw.bytes(), |observer| spans::observe(&raw.span()?, origin?, observer));
        Ok(())
    })?;
    Ok(intake.outcome)
}

/// Hands over what a decoded trace request holds.
pub fn observe_traces(request: &ExportTraceServiceRequest, observer: &mut dyn Observer) -> Outcome {
    let mut intake = Intake::new(observer);
    for group in &request.resource_spans {
        for scope_group in &group.scope_spans {
            let origin = Origin::new(group.resource.as_ref(), scope_group.scope.as_ref());
            for span in &scope_group.spans {
                intake.take_message(span, |observer| {
                    spans::observe(span, origin.as_ref().map_err(|why| *why)?, observer)
                });
            }
        }
    }
    intake.outcome
}

/// Hands records to the observer and counts what became of them.
struct Intake<'o> {
    observer: &'o mut dyn Observer,
    outcome: Outcome,
}

impl<'o> Intake<'o> {
    fn new(observer: &'o mut dyn Observer) -> Self {
        Self { observer, outcome: Outcome::default() }
    }

    /// Takes one record, which looked like `bytes`.
    fn take(&mut self, bytes: &[u8], observe: impl FnOnce(&mut dyn Observer) -> Result<(), Refusal>) {
        let before = self.observer.declined();
        match observe(self.observer) {
            Ok(()) => self.count(before),
            Err(why) => self.refuse(why, bytes),
        }
    }

    /// Takes one record of a decoded request.
    fn take_message(&mut self, message: &impl Message, observe: impl FnOnce(&mut dyn Observer) -> Result<(), Refusal>) {
        let before = self.observer.declined();
        match observe(self.observer) {
            Ok(()) => self.count(before),
            Err(why) => self.refuse(why, &message.encode_to_vec()),
        }
    }

    /// Counts a record that was handed over when the observer had declined `before` others.
    fn count(&mut self, before: u64) {
        if self.observer.declined() == before {
            self.outcome.accept();
        } else {
            self.outcome.reject(Refusal::OverLimit);
        }
    }

    fn refuse(&mut self, why: Refusal, bytes: &[u8]) {
        self.outcome.reject(why);
        self.observer.refuse(why, bytes);
    }
}
