//! What leaves this machine by itself: the probes of checks, tries to reach a host, and messages to people.
//!
//! Used by the server and by the agents of other machines alike; knows neither of them, no store and no lake. What to look
//! at, what an answer means and what a message says is decided in `watch`, which opens no socket.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod causes;
mod mail;
pub mod probe;
mod send;

pub use causes::chain;
pub use send::Sender;
