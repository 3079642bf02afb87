//! What costs users time: the requests table of an access log.
//!
//! Works on streams in bounded memory, without a server. Never averages percentiles, and never shows a ratio without
//! its interval.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod interval;
pub mod requests;
