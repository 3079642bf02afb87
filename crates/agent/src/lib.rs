//! The host side: what this machine's access logs and `/proc` say.
//!
//! - [`host`] samples CPU, memory, disks, network and pressure.
//! - [`discover`] finds the access logs this process may read.
//! - [`tail`] follows log files and delivers every complete line exactly once.
//! - [`past`] reads finished files (plain, gzip, zstd, a stream) for an import.
//! - [`ledger`] is the bookkeeping both share: which bytes of which content are already in.
//!
//! Never parses a log line, never opens a socket and never writes a file: lines leave through [`tail::Outlet`].

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod discover;
mod glob;
pub mod host;
pub mod ledger;
pub mod lines;
pub mod past;
pub mod rotated;
pub mod tail;
