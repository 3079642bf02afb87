//! What is remembered of one check: where it stands, its last results, its minutes. Bounded, whatever it does.

use super::Moment;
use base::{Span, Timestamp};
use serde::Serialize;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use watch::check::{Check, Heartbeat, HeartbeatPhase, Minutes, Probe, RunResult, Status};

/// Results that are remembered in short.
pub const BRIEFS: usize = 100;

/// One result in short.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Brief {
    /// When it began.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// Where the check stood after it: `ok`, `failed`, `unknown`, `late`.
    #[schema(value_type = String)]
    pub status: Status,
    /// All steps together.
    pub total_ms: Option<f64>,
}

/// One check's memory.
#[derive(Debug)]
pub struct History {
    /// Where it stands.
    pub status: Status,
    /// Since when.
    pub since: Option<Timestamp>,
    /// The last results, oldest first.
    pub briefs: VecDeque<Brief>,
    /// The last results with every step, oldest first.
    pub details: VecDeque<Arc<RunResult>>,
    /// The last result that was not good, however long ago.
    pub last_bad: Option<Arc<RunResult>>,
    /// When it was last good.
    pub last_ok: Option<Timestamp>,
    /// The last day.
    pub minutes: Minutes,
    /// Where it was answered last.
    pub reached: Option<SocketAddr>,
    /// For a heartbeat.
    pub heartbeat: Option<Heartbeat>,
    /// The phase that was last told.
    pub phase: Option<HeartbeatPhase>,
}

impl History {
    /// Of a check that nothing is known of.
    pub fn new(check: &Check, now: Moment) -> Self {
        let heartbeat = match &check.probe {
            Probe::Heartbeat { grace, .. } => Some(Heartbeat::new(check.every, *grace, now)),
            _ => None,
        };
        Self {
            status: Status::Pending,
            since: None,
            briefs: VecDeque::new(),
            details: VecDeque::new(),
            last_bad: None,
            last_ok: None,
            minutes: Minutes::default(),
            reached: None,
            heartbeat,
            phase: None,
        }
    }

    /// Takes a result, after which the check stands at `status` until the next one is due.
    pub fn take(&mut self, result: &Arc<RunResult>, status: Status, every: Span, keep_details: usize) {
        if self.status != status {
            self.status = status;
            self.since = Some(result.at);
        }
        match status {
            Status::Ok => self.last_ok = Some(result.at),
            Status::Failed | Status::Unknown => self.last_bad = Some(Arc::clone(result)),
            Status::Late | Status::Pending => {}
        }
        let (good, valid) = result.counts();
        self.minutes.note(result.at, status, good, valid, every);
        let total_ms = result.total_us().map(|us| us as f64 / 1000.0);
        push(&mut self.briefs, Brief { at: result.at, status, total_ms }, BRIEFS);
        push(&mut self.details, Arc::clone(result), keep_details);
        if status == Status::Ok {
            self.reached = result.steps.iter().rev().find_map(|step| step.address.as_ref()?.parse().ok());
        }
    }
}

fn push<T>(into: &mut VecDeque<T>, value: T, keep: usize) {
    while into.len() >= keep.max(1) {
        into.pop_front();
    }
    into.push_back(value);
}
