//! Bytes that mean harm, or that something damaged on the way: fuzz targets over their seeds, and bombs. Memory is
//! measured, so this is a program of its own, and its tests run one at a time.
#![allow(clippy::unwrap_used)]

mod bombs;
mod damage;
#[path = "../../../../fuzz/src/targets/mod.rs"]
mod targets;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held by whoever measures: memory is counted for the whole program.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
