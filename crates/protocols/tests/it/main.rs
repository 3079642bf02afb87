//! Whole files: the fixtures of this project, and real logs from outside it.
#![allow(clippy::unwrap_used)]

mod captures;
mod collect;
mod fixtures;
mod otlp_captures;
mod real_logs;
#[path = "../../src/recorded.rs"]
mod recorded;

/// What `recorded` shares with the tests beside the code.
use protocols::observed;
