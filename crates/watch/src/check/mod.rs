//! External checks: what is looked at from outside, what must be there, and what came of it.
//!
//! Pure: a [`Check`] is what people wrote, already right; an answer is judged, a heartbeat is timed and runs are scheduled
//! with values and times that are handed in. Sockets are the caller's. Nothing that a target sends is trusted: texts are
//! cut, masked and never become an address.

pub mod address;
pub mod answer;
pub mod cookies;
pub mod coverage;
pub mod heartbeat;
pub mod json_path;
pub mod minutes;
pub mod outcome;
pub mod schedule;
pub mod spec;
pub mod step;
pub mod variables;
mod wire;

pub use answer::{Answer, judge};
pub use heartbeat::{Heartbeat, HeartbeatPhase, Moment};
pub use minutes::{MinuteCounts, Minutes, Uptime};
pub use outcome::{Evidence, Outcome, Phases, RunResult, Status, StepResult, Why, WhyCode};
pub use schedule::Schedule;
pub use spec::{Check, CheckName, DnsQuestion, HostPort, LOCAL, Probe, RecordKind};
pub use step::{Below, Body, Expect, HttpStep, Method, Save};
pub use variables::{Bag, Context, Template};
