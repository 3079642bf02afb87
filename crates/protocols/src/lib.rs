//! Bytes to signals: one module a protocol or log format.
//!
//! Never opens a socket, reads a disk or asks a clock, so that everything here can be fuzzed and replayed.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod access;
pub mod elasticsearch;
pub mod forward;
pub mod heartbeat;
pub mod loki;
pub mod observed;
pub mod sentry;
pub mod statsd;
pub mod syslog;
pub mod webhook;

mod lenient;
mod stack;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod seen;
