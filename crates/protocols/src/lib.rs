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
mod budget;
mod histogram;
mod json_parts;
pub mod observed;
pub mod otlp;
pub mod prometheus;
mod wire;
