//! Whole files: the fixtures of this project, and real logs from outside it.
#![allow(clippy::unwrap_used)]

mod captures;
mod collect;
mod fixtures;
mod real_logs;
