//! Sockets and HTTP: intake, API, sessions, the embedded web pages.
//!
//! Handlers decode, call and encode; decisions live in the crates below. Never blocks the runtime, never holds an
//! unbounded queue, never renders what was observed as HTML.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod api;
pub mod auth;
pub mod bodies;
pub mod checks;
mod counts;
pub mod follow;
pub mod host;
pub mod hosts;
pub mod intake;
pub mod json_rows;
pub mod listen;
mod openapi;
pub mod parts;
pub mod past;
mod places;
pub mod problem;
pub mod pull;
mod receive;
mod routes;
mod serve;
pub mod signals;
mod since;
pub mod source_name;
pub mod sources;
pub mod tls;
pub mod watching;
mod web;

pub use routes::routes;
pub use serve::{Door, serve};
