//! The checks that the server gave this host to run.

use super::wire::{CheckResult, SentCheck, Work};
use base::Secret;
use outbound::probe::Runner;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use watch::check::schedule::{Schedule, next_turn, offset_us};
use watch::check::{Check, Probe};

/// Checks that an agent runs at most.
const MAX_CHECKS: usize = 1_000;
/// Results that wait for the server; of more the oldest are dropped, and counted.
const MAX_WAITING: usize = 20_000;

/// What was found and not sent yet.
#[derive(Debug, Default)]
pub struct Found {
    waiting: Mutex<(VecDeque<CheckResult>, u64)>,
}

impl Found {
    fn push(&self, result: CheckResult) {
        let mut waiting = self.waiting.lock();
        waiting.0.push_back(result);
        if waiting.0.len() > MAX_WAITING {
            waiting.0.pop_front();
            waiting.1 += 1;
        }
    }

    /// The oldest results, `most` at most, and how many were dropped since the last time.
    pub fn take(&self, most: usize) -> (Vec<CheckResult>, u64) {
        let mut waiting = self.waiting.lock();
        let most = most.min(waiting.0.len());
        let dropped = std::mem::take(&mut waiting.1);
        (waiting.0.drain(..most).collect(), dropped)
    }

    /// Whether anything waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.lock().0.is_empty()
    }
}

struct One {
    name: String,
    check: Check,
    running: AtomicBool,
}

/// Runs checks until it is told to stop: other ones are run by another value.
pub async fn run(work: &Work, host: &str, runner: Arc<Runner>, found: Arc<Found>, stop: CancellationToken) {
    let all: Vec<Arc<One>> = work.checks.iter().take(MAX_CHECKS).filter_map(read).collect();
    runner.keep_only(|name| all.iter().any(|one| one.name == name));
    let started = Instant::now();
    let now_us = || i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX);
    let mut schedule = Schedule::default();
    for (index, one) in (0..).zip(&all) {
        schedule.add(index, offset_us(&one.name, one.check.every));
    }
    let mut runs = JoinSet::new();
    while let Some(next_us) = schedule.next_us() {
        let wait = Duration::from_micros(next_us.saturating_sub(now_us()).max(0).unsigned_abs());
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(wait) => {}
            Some(_) = runs.join_next() => continue,
        }
        let now = now_us();
        while let Some((index, due_us)) = schedule.take(now) {
            let one = &all[usize::try_from(index).unwrap_or(usize::MAX)];
            schedule.add(index, next_turn(due_us, one.check.every, now));
            // One that still runs leaves this turn out.
            if one.running.swap(true, Ordering::AcqRel) {
                continue;
            }
            let (one, runner, found, host) =
                (Arc::clone(one), Arc::clone(&runner), Arc::clone(&found), host.to_owned());
            runs.spawn(async move {
                let result = runner.run(&one.name, &one.check, &host).await;
                found.push(CheckResult { check: one.name.clone(), result });
                one.running.store(false, Ordering::Release);
            });
        }
    }
    // Runs that are not over say nothing: dropping them ends them.
}

/// A check as the server sent it.
fn read(sent: &SentCheck) -> Option<Arc<One>> {
    let check: Result<Check, _> = serde_json::from_value(sent.check.clone());
    match check {
        Ok(check) if matches!(check.probe, Probe::Heartbeat { .. }) => None,
        Ok(mut check) => {
            check.secrets =
                sent.secrets.iter().map(|(name, value)| (name.clone(), Secret::new(value.as_str()))).collect();
            Some(Arc::new(One { name: sent.name.clone(), check, running: AtomicBool::new(false) }))
        }
        Err(error) => {
            // The server may be newer; it will say that nothing came from here.
            tracing::warn!(%error, check = sent.name, "a check that the server sent can't be run by this version");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::{Clock, Redactor};
    use outbound::probe::Settings;
    use serde_json::json;
    use watch::check::Status;

    #[tokio::test]
    async fn checks_run_with_their_secrets_and_one_that_is_not_understood_stops_no_other() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let sent = |name: &str, check| SentCheck { name: name.to_owned(), check, secrets: [].into() };
        let work = Work {
            checks: vec![
                sent("port", json!({"tcp": at.to_string(), "every": "10s"})),
                sent("new", json!({"gopher": "x"})),
                sent("job", json!({"heartbeat": "job", "every": "10s"})),
            ],
            commands: Vec::new(),
        };
        let roots = rustls::RootCertStore::empty();
        let runner = Runner::new(&Settings::default(), roots, Clock::System, Redactor::new(false)).unwrap();
        let (found, stop) = (Arc::new(Found::default()), CancellationToken::new());
        let (theirs, ends) = (Arc::clone(&found), stop.clone());
        let running = tokio::spawn(async move { run(&work, "tokyo", Arc::new(runner), theirs, ends).await });
        let result = tokio::time::timeout(Duration::from_secs(30), async {
            loop {
                if let Some(result) = found.take(1).0.pop() {
                    return result;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let result = result.await.expect("the check runs within its turn");
        assert_eq!((result.check.as_str(), result.result.from.as_str()), ("port", "tokyo"));
        assert_eq!(result.result.status(), Status::Ok);
        stop.cancel();
        running.await.unwrap();
    }

    #[test]
    fn of_too_many_results_the_oldest_are_dropped_and_counted() {
        let found = Found::default();
        let result = |number: usize| CheckResult {
            check: number.to_string(),
            result: watch::check::RunResult {
                at: base::Timestamp::from_seconds(1),
                from: "tokyo".to_owned(),
                attempts: 1,
                outcome: watch::check::Outcome::Ok,
                steps: Vec::new(),
            },
        };
        (0..MAX_WAITING + 3).for_each(|number| found.push(result(number)));
        let (first, dropped) = found.take(1);
        assert_eq!((first[0].check.as_str(), dropped), ("3", 3));
        assert_eq!(found.take(usize::MAX), (found_rest(&result), 0));
        assert!(found.is_empty());
    }

    fn found_rest(result: &dyn Fn(usize) -> CheckResult) -> Vec<CheckResult> {
        (4..MAX_WAITING + 3).map(result).collect()
    }
}
