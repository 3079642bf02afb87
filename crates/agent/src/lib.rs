//! The host side: what this machine's access logs and `/proc` say.
//!
//! - [`allocator`] says how soon freed memory goes back to the system.
//! - [`host`] samples CPU, memory, disks, network and pressure.
//! - [`discover`] finds the access logs this process may read.
//! - [`tail`] follows log files and delivers every complete line exactly once.
//! - [`past`] reads finished files (plain, gzip, zstd, a stream) for an import.
//! - [`ledger`] is the bookkeeping both share: which bytes of which content are already in.
//! - [`remote`] is the program of a machine without a server: it reports all that to one elsewhere, runs checks from here,
//!   and tells people when its server is silent.
//!
//! Never parses a log line and never writes a file: lines leave through [`tail::Outlet`]. Only [`remote`] opens sockets,
//! and none that listens.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod allocator;
pub mod discover;
mod glob;
pub mod host;
pub mod ledger;
pub mod lines;
pub mod past;
pub mod remote;
pub mod rotated;
pub mod tail;
