//! What is observed, and how it is counted: access records, routes, rows of requests, logs, spans, samples, errors and
//! events, sketches and roll-ups, with the Arrow schemas of their tables.
//!
//! Pure: no sockets, no disk, no clock. Percentiles are read from merged sketches and never averaged.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod access;
mod columns;
pub mod error;
pub mod event;
pub mod filter;
pub mod fingerprint;
pub mod log;
pub mod patterns;
pub mod request;
pub mod rollup;
pub mod route;
pub mod sample;
pub mod schema;
pub mod sketch;
pub mod span;

pub use access::AccessRecord;
pub use error::{ErrorRow, ErrorRows};
pub use event::{EventRow, EventRows};
pub use fingerprint::{ErrorTraits, Fingerprint, Fingerprinter};
pub use log::{LogRow, LogRows, Severity};
pub use patterns::{PatternText, Patterns};
pub use request::{RequestRow, RequestRows};
pub use rollup::{Rollups, Sum};
pub use route::{RouteId, RouteNormaliser, RoutePattern, RouteTable};
pub use sample::{SampleRow, SampleRows};
pub use schema::Table;
pub use sketch::{LatencySketch, SketchSum};
pub use span::{SpanRow, SpanRows};
