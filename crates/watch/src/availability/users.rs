//! For how long users could use the service, of the time during which they tried.

use super::{MINUTE_US, Tally};
use base::Timestamp;
use serde::Serialize;

/// A request of a user who can be told from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserRequest<'a> {
    /// The user's key.
    pub user: &'a str,
    /// When.
    pub at: Timestamp,
    /// Whether it was good.
    pub good: bool,
}

/// Requests have to come user by user, and of each user in the order of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("requests have to be sorted by user and time")]
pub struct NotSorted;

/// Users who could be told apart, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct UserCount {
    /// How many.
    pub all: u64,
    /// Of these, met at least one error.
    pub disappointed: u64,
}

/// Who was counted so far, and the user that is being counted.
#[derive(Debug, Clone, Default)]
pub(super) struct Users {
    pub(super) count: u64,
    pub(super) disappointed: u64,
    current: Option<Current>,
}

#[derive(Debug, Clone)]
struct Current {
    user: String,
    at: Timestamp,
    good: bool,
    met_an_error: bool,
}

impl Users {
    /// Those who were counted. Nobody is never a result: requests come from somebody, whether or not they can be told
    /// apart.
    pub(super) fn counted(&self) -> Option<UserCount> {
        (self.count > 0).then_some(UserCount { all: self.count, disappointed: self.disappointed })
    }
}

impl Tally {
    /// Adds a request of a user. Requests outside the range don't count, nor does what lies outside of the time after
    /// them.
    pub fn add_user_request(&mut self, request: UserRequest<'_>) -> Result<(), NotSorted> {
        if !self.range.contains(request.at) {
            return Ok(());
        }
        match self.users.current.take() {
            Some(current) if current.user == request.user => {
                if request.at < current.at {
                    return Err(NotSorted);
                }
                self.spend(current.at, request.at, current.good);
                let met_an_error = current.met_an_error || !request.good;
                self.users.current = Some(Current { at: request.at, good: request.good, met_an_error, ..current });
            }
            Some(current) if current.user.as_str() > request.user => return Err(NotSorted),
            current => {
                self.users.current = current;
                self.end_user();
                let (user, met_an_error) = (request.user.to_owned(), !request.good);
                self.users.current = Some(Current { user, at: request.at, good: request.good, met_an_error });
            }
        }
        Ok(())
    }

    /// Drops all that is known of users: a part of them would pass for all.
    pub fn forget_users(&mut self) {
        self.users = Users::default();
        for minute in &mut self.minutes {
            (minute.active_us, minute.up_us) = (0, 0);
        }
    }

    /// After a user's last request.
    pub(super) fn end_user(&mut self) {
        let Some(current) = self.users.current.take() else { return };
        self.spend(current.at, self.range.to, current.good);
        self.users.count += 1;
        self.users.disappointed += u64::from(current.met_an_error);
    }

    /// From a request to the next one, at most for the cut-off, spread over the minutes.
    fn spend(&mut self, from: Timestamp, to: Timestamp, up: bool) {
        let end = to.min(from.plus_micros(self.cut_off.micros()));
        let mut at = from;
        while at < end {
            let into = at.micros() - self.range.from.micros();
            let next = end.min(at.plus_micros(MINUTE_US - into.rem_euclid(MINUTE_US)));
            let spent = next.micros() - at.micros();
            let Some(minute) = self.minute_at(at) else { return };
            minute.active_us += spent;
            minute.up_us += if up { spent } else { 0 };
            at = next;
        }
    }
}
