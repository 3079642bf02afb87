//! The living demonstration: a small web shop which really listens, serves, leaks, dies and is bought from.
//!
//! Eight processes make it up. `koshu` holds the port and starts a **master** and the **people**; the master keeps
//! **workers** (HTTP, an access log, a memory leak) and **queue workers** (orders, as files) alive. Each is the same
//! binary started again with `demo-child <role>`, so that tools which look at processes see what they would see on a
//! real host. Nothing is invented: each line in the access log is a request which a simulated person waited for.
//!
//! It never listens outside loopback, never writes outside its own folder, never ends a process by name, and never
//! outlives the process that started it: each child holds a pipe to its parent and leaves when that pipe ends.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod access_log;
mod child;
mod event;
mod journey;
mod keep;
mod leash;
mod master;
mod people;
mod process_list;
mod queue;
mod queue_worker;
mod scenario;
mod shop;
mod start;
mod weather;
mod worker;

pub use access_log::{LOG_FORMAT, LOG_FORMAT_NOTE, LOG_PATTERN};
pub use child::{CHILD_COMMAND, run_child};
pub use process_list::{Listed, ProcessList, RoleName};
pub use queue::{Depth, OrderQueue};
pub use scenario::{Release, Scenario};
pub use start::{Change, Demo, DemoError, DemoOptions, OnChange, SERVICE};
