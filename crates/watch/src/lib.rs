//! What is watched: objectives and their budgets, rules, what they say, and who hears of it.
//!
//! Everything here is computed from values that are handed in, at a time that is handed in; no socket, no lake. The
//! transactional side (firings, outbox, outcomes) is in `store`; sockets are in `server`.
//!
//! A detection is exactly one of [`Class::Alert`], [`Class::Ticket`], [`Class::Record`]. Missing data is never health
//! and never an alert by itself: see [`Verdict`].

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod check;
pub mod class;
pub mod transition;

pub use class::Class;
pub use transition::{Phase, RuleInfo, Series, Transition, Verdict};
