//! What is watched: objectives and their budgets, rules, what they say, and who hears of it.
//!
//! Everything here is computed from values that are handed in, at a time that is handed in; no socket, no lake. The
//! transactional side (firings, outbox, outcomes) is in `store`; sockets are in `server`.
//!
//! A detection is exactly one of [`Class::Alert`], [`Class::Ticket`], [`Class::Record`]. Missing data is never health
//! and never an alert by itself: see [`Verdict`].
//!
//! The deciding half goes this way: [`spec`] (what people write) → [`compile`] → [`engine::Engine`], which at each tick
//! asks an [`engine::Source`] for values and the [`budgets::Budgets`] for counts, and answers with [`Transition`]s.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod actionability;
pub mod availability;
pub mod budgets;
pub mod burn;
pub mod channel;
pub mod check;
pub mod class;
pub mod compile;
pub mod condition;
pub mod counts;
pub mod delivery;
pub mod detects;
pub mod engine;
pub mod escalation;
pub mod liveness;
pub mod message;
pub mod objective;
pub mod openslo;
pub mod outcome;
pub mod process;
pub mod replay;
pub mod routing;
pub mod rule;
pub mod signals;
pub mod spec;
pub mod starter;
pub mod step;
pub mod texts;
pub mod transition;
pub mod window;
mod words;

pub use class::Class;
pub use transition::{Phase, RuleInfo, Series, Transition, Verdict};
