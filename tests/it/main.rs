//! One binary for all end-to-end tests: the built `koshu`, real clients, crashes, a real browser.
//!
//! Heavy tests (those that load the machine or measure seconds) take turns by `e2e::heavy`; the others run beside them.
#![allow(clippy::unwrap_used)]

mod access_files;
mod agents;
mod api;
mod api_limits;
mod bombs;
mod browser;
mod checks;
mod damage;
mod disk_full;
mod kill;
mod kill_deliveries;
mod kill_senders;
mod listeners;
mod load;
mod memory_cap;
mod nginx;
mod observed;
mod outside_readers;
mod pulling;
mod senders;
mod side_by_side;
mod smtp;
mod story;
mod watch;
