//! Time, ids, units and names that every other crate speaks.
//!
//! Depends on nothing of ours and does no input or output, but for [`Clock::System`] which reads the machine's clock.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod clock;
pub mod id;
pub mod name;
pub mod redaction;
pub mod secret;
pub mod time;
pub mod units;

pub use clock::Clock;
pub use id::Id;
pub use name::{ServiceName, ServiceNameError};
pub use redaction::Redactor;
pub use secret::Secret;
pub use time::{TimeRange, Timestamp};
pub use units::{ByteSize, Span, UnitError};
