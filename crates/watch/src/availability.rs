//! How available a service was in a month, by three definitions side by side.
//!
//! Pure: minutes and requests are handed in, sorted; memory is bounded by the minutes of a month.
//!
//! - **By time**: minutes in which enough requests were good, of those in which there were any. A minute without requests
//!   is unknown, not good; how many there were is said.
//! - **By requests**: good ones of all.
//! - **By users** (Hauer et al., "Meaningful Availability", NSDI 2020): the time during which users could use the service,
//!   of the time during which they tried. From a request on the service is up for that user, or down, as that request
//!   was, until the next one; but for no longer than the cut-off, after which nobody knows.
//!
//! Each with the time of maintenance and without it. Maintenance is taken by whole minutes: those that begin within it.

mod days;
mod month;
mod render;
mod users;

pub use days::{IncompleteDay, Kept, incomplete_days};
pub use month::{Month, MonthError};
pub use render::{csv, markdown};
pub use users::{NotSorted, UserCount, UserRequest};

use crate::actionability::Share;
use base::{Span, TimeRange, Timestamp};
use serde::Serialize;

const MINUTE_US: i64 = 60_000_000;
/// A minute is good when at least this share of its requests was.
pub const GOOD_MINUTE: f64 = 0.95;
/// Until when a user's last request tells how the service is for them, when their habits are not known.
pub const DEFAULT_CUT_OFF: Span = Span::from_seconds(30 * 60);
/// Lengths of windows in minutes: the worst one of each is shown.
pub const WINDOW_MINUTES: [usize; 5] = [5, 60, 6 * 60, 24 * 60, 7 * 24 * 60];
/// Longest time that is reported at once: a month with an hour to spare, and then some.
const MINUTES_MAX: usize = 62 * 24 * 60;

/// What is known of one minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Minute {
    valid: u64,
    good: u64,
    /// Microseconds of all users.
    active_us: i64,
    up_us: i64,
    maintenance: bool,
}

/// What is being added up.
#[derive(Debug, Clone)]
pub struct Tally {
    range: TimeRange,
    cut_off: Span,
    good_minute: f64,
    minutes: Vec<Minute>,
    users: users::Users,
    incomplete_days: Vec<IncompleteDay>,
}

/// Availability by one definition: so much of so much.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Measure {
    /// Good minutes, good requests, or microseconds during which users could use it.
    pub good: u64,
    /// All.
    pub all: u64,
}

impl Measure {
    /// The share; `None` of nothing.
    pub fn share(&self) -> Option<f64> {
        (self.all > 0).then(|| self.good as f64 / self.all as f64)
    }
}

/// The three definitions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures {
    /// Good minutes of those with requests.
    pub time: Measure,
    /// Minutes without requests.
    pub unknown_minutes: u64,
    /// Good requests of all.
    pub requests: Measure,
    /// Wilson's 95 % interval of the share of good requests, as if they were independent.
    pub requests_interval: Option<Share>,
    /// Microseconds during which users could use it, of those during which they tried.
    pub users: Measure,
}

/// The worst window of a length.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Worst {
    /// How long.
    pub length: Span,
    /// When it began.
    pub from: Timestamp,
    /// Availability by users within it; by requests where users are not told apart.
    pub share: f64,
    /// Requests within it.
    pub requests: u64,
}

/// A month's report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The service.
    pub service: String,
    /// `2026-03`.
    pub month: String,
    /// IANA name of the time zone whose month it is.
    pub time_zone: String,
    /// From its first moment to the first one after it.
    pub range: TimeRange,
    /// What was aimed for, from 0 to 1.
    pub target: Option<f64>,
    /// How long it may be down for that.
    pub allowed: Option<Span>,
    /// Everything counts.
    pub with_maintenance: Figures,
    /// Minutes of maintenance don't count.
    pub without_maintenance: Figures,
    /// Minutes of maintenance.
    pub maintenance_minutes: u64,
    /// Users who could be told apart; `None` when there were none: then it is not known how many there were.
    pub users: Option<UserCount>,
    /// Days of which not all requests can be read any more.
    pub incomplete_days: Vec<IncompleteDay>,
    /// The worst windows, the shortest first. Everything counts.
    pub worst: Vec<Worst>,
    /// Until when a request tells how the service is.
    pub cut_off: Span,
    /// Share of good requests from which on a minute is good.
    pub good_minute: f64,
}

/// How long a service may be down in a range when `target` (0 to 1) is aimed for: 99.98 % of 30 days is 8.64 minutes.
pub fn allowed(target: f64, range: TimeRange) -> Span {
    // Months are 2.7e12 microseconds: far within what a double holds exactly.
    #[allow(clippy::cast_possible_truncation)]
    Span::from_micros(((1.0 - target.clamp(0.0, 1.0)) * range.micros() as f64).round() as i64)
}

impl Tally {
    /// Of a range of at most two months.
    pub fn new(range: TimeRange, cut_off: Span, maintenances: &[TimeRange]) -> Self {
        let count = usize::try_from(range.micros().max(0) / MINUTE_US).unwrap_or(0).min(MINUTES_MAX);
        let mut minutes = vec![Minute::default(); count];
        for (minute, at) in minutes.iter_mut().zip(0..) {
            let start = range.from.plus_micros(at * MINUTE_US);
            minute.maintenance = maintenances.iter().any(|work| work.contains(start));
        }
        let (users, incomplete_days) = (users::Users::default(), Vec::new());
        Self { range, cut_off, good_minute: GOOD_MINUTE, minutes, users, incomplete_days }
    }

    /// Leaves out the minutes that begin after a moment: they are no time without requests yet.
    #[must_use]
    pub fn until(mut self, now: Timestamp) -> Self {
        let passed = now.micros().saturating_sub(self.range.from.micros()).max(0);
        let begun = passed.saturating_add(MINUTE_US - 1).div_euclid(MINUTE_US);
        self.minutes.truncate(usize::try_from(begun).unwrap_or(usize::MAX));
        self
    }

    /// Takes another share from which on a minute is good.
    pub fn with_good_minute(mut self, share: f64) -> Self {
        self.good_minute = share.clamp(0.0, 1.0);
        self
    }

    /// Names the days of which not all is known.
    pub fn lacks(&mut self, days: Vec<IncompleteDay>) {
        self.incomplete_days = days;
    }

    /// Adds requests of the minute that holds `at`. What lies outside the range doesn't count.
    pub fn add_requests(&mut self, at: Timestamp, valid: u64, good: u64) {
        if let Some(minute) = self.minute_at(at) {
            minute.valid = minute.valid.saturating_add(valid);
            minute.good = minute.good.saturating_add(good.min(valid));
        }
    }

    fn minute_at(&mut self, at: Timestamp) -> Option<&mut Minute> {
        let index = usize::try_from(at.micros().checked_sub(self.range.from.micros())?.div_euclid(MINUTE_US)).ok()?;
        self.minutes.get_mut(index)
    }

    /// What it comes to.
    pub fn report(mut self, service: &str, month: &Month, target: Option<f64>) -> Report {
        self.end_user();
        let sum =
            |with: bool| figures(self.minutes.iter().filter(|minute| with || !minute.maintenance), self.good_minute);
        Report {
            service: service.to_owned(),
            month: month.to_string(),
            time_zone: month.zone_name(),
            range: self.range,
            target,
            allowed: target.map(|target| allowed(target, self.range)),
            with_maintenance: sum(true),
            without_maintenance: sum(false),
            maintenance_minutes: self.minutes.iter().filter(|minute| minute.maintenance).count() as u64,
            users: self.users.counted(),
            incomplete_days: self.incomplete_days,
            worst: worst(&self.minutes, self.range.from),
            cut_off: self.cut_off,
            good_minute: self.good_minute,
        }
    }
}

fn figures<'a>(minutes: impl Iterator<Item = &'a Minute>, good_minute: f64) -> Figures {
    let mut time = Measure { good: 0, all: 0 };
    let (mut requests, mut users, mut unknown_minutes) = (time, time, 0);
    for minute in minutes {
        requests.good += minute.good;
        requests.all += minute.valid;
        users.good += minute.up_us.unsigned_abs();
        users.all += minute.active_us.unsigned_abs();
        if minute.valid == 0 {
            unknown_minutes += 1;
            continue;
        }
        time.all += 1;
        time.good += u64::from(minute.good as f64 >= good_minute * minute.valid as f64);
    }
    let requests_interval = Share::of(requests.good, requests.all);
    Figures { time, unknown_minutes, requests, requests_interval, users }
}

/// The worst window of every length, sliding by a minute. Of equals the first.
fn worst(minutes: &[Minute], from: Timestamp) -> Vec<Worst> {
    let by_users = minutes.iter().any(|minute| minute.active_us > 0);
    let part = |minute: &Minute| {
        if by_users {
            (minute.up_us.unsigned_abs(), minute.active_us.unsigned_abs())
        } else {
            (minute.good, minute.valid)
        }
    };
    WINDOW_MINUTES
        .into_iter()
        .filter(|length| *length <= minutes.len())
        .filter_map(|length| {
            let (mut good, mut all, mut requests) = (0_u64, 0_u64, 0_u64);
            let mut found: Option<Worst> = None;
            for (index, minute) in minutes.iter().enumerate() {
                let (more_good, more) = part(minute);
                (good, all, requests) = (good + more_good, all + more, requests + minute.valid);
                if let Some(gone) = index.checked_sub(length).map(|gone| &minutes[gone]) {
                    let (less_good, less) = part(gone);
                    (good, all, requests) = (good - less_good, all - less, requests - gone.valid);
                }
                if index + 1 < length || all == 0 {
                    continue;
                }
                let share = good as f64 / all as f64;
                if found.as_ref().is_none_or(|worst| share < worst.share) {
                    let start = i64::try_from(index + 1 - length).unwrap_or(0);
                    found = Some(Worst {
                        length: Span::from_seconds(i64::try_from(length).unwrap_or(0) * 60),
                        from: from.plus_micros(start * MINUTE_US),
                        share,
                        requests,
                    });
                }
            }
            found
        })
        .collect()
}

#[cfg(test)]
mod tests;
