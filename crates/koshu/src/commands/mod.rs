//! One file per command. A command reads its arguments, asks the crates below, prints, and says how to exit.

pub mod access;
pub mod check;
pub mod doctor;
pub mod fsck;
pub mod import;
pub mod pages;
pub mod query;
pub mod report;
pub mod rules;
pub mod send_test;
pub mod tail;
pub mod token;
pub mod up;
pub mod user;

use anyhow::Result;
use std::future::Future;

/// Runs a command that waits for something. One thread is enough for a command line.
fn wait_for<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
