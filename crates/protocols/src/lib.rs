//! Bytes to signals: one module a protocol or log format.
//!
//! Never opens a socket, reads a disk or asks a clock, so that everything here can be fuzzed and replayed.
#![cfg_attr(test, allow(clippy::unwrap_used))]

// The collector of the integration tests serves those in here too, and names this crate from outside.
#[cfg(test)]
extern crate self as protocols;
#[cfg(test)]
#[path = "../tests/it/collect.rs"]
mod collect;

pub mod access;
pub mod elasticsearch;
pub mod forward;
pub mod heartbeat;
pub mod loki;
pub mod observed;
pub mod otlp;
pub mod prometheus;
pub mod sentry;
pub mod statsd;
pub mod syslog;
pub mod webhook;

mod budget;
mod histogram;
mod json_parts;
mod lenient;
mod stack;
mod wire;

pub use stack::is_library;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod seen;
