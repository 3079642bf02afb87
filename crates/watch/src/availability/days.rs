//! Which days of a month are not known whole, because their requests are not all stored any more.

use super::Month;
use base::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;

/// Requests of some time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// So many were counted when they came.
    pub counted: u64,
    /// So many can still be read.
    pub stored: u64,
}

/// A day of which requests are missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IncompleteDay {
    /// `2026-03-01`, in the time zone of the month.
    pub day: String,
    /// Requests that were counted when they came.
    pub counted: u64,
    /// Requests of these that can still be read.
    pub stored: u64,
}

/// The days of which fewer requests are stored than were counted, in order. `hours` are known by their start. Requests
/// that were counted nowhere are no reason to doubt a day: counts may be deleted, too.
pub fn incomplete_days(month: &Month, hours: impl IntoIterator<Item = (Timestamp, Kept)>) -> Vec<IncompleteDay> {
    let mut days: BTreeMap<String, Kept> = BTreeMap::new();
    for (at, kept) in hours {
        // Hour by hour: what one has too many must not stand in for what another one lacks.
        let day = days.entry(month.day_of(at).to_string()).or_default();
        day.counted = day.counted.saturating_add(kept.counted);
        day.stored = day.stored.saturating_add(kept.stored.min(kept.counted));
    }
    let incomplete = days.into_iter().filter(|(_, kept)| kept.stored < kept.counted);
    incomplete.map(|(day, kept)| IncompleteDay { day, counted: kept.counted, stored: kept.stored }).collect()
}

/// The first and the last of days that follow each other.
pub(super) fn spans(days: &[IncompleteDay]) -> Vec<(&str, &str)> {
    let follows = |last: &str, next: &str| {
        let date = |text: &str| text.parse::<Date>();
        date(last).and_then(Date::tomorrow).is_ok_and(|after| date(next).is_ok_and(|next| next == after))
    };
    let mut spans: Vec<(&str, &str)> = Vec::new();
    for IncompleteDay { day, .. } in days {
        match spans.last_mut() {
            Some((_, last)) if follows(last, day) => *last = day,
            _ => spans.push((day, day)),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month() -> Month {
        Month::parse("2026-03", "Asia/Tokyo").unwrap()
    }

    fn hour(at: &str, counted: u64, stored: u64) -> (Timestamp, Kept) {
        (at.parse().unwrap(), Kept { counted, stored })
    }

    fn day(day: &str, counted: u64, stored: u64) -> IncompleteDay {
        IncompleteDay { day: day.to_owned(), counted, stored }
    }

    #[test]
    fn a_day_is_whole_when_everything_that_was_counted_is_stored() {
        for (case, hours, want) in [
            ("nothing came", vec![], vec![]),
            ("all is there", vec![hour("2026-03-01T00:00:00Z", 10, 10)], vec![]),
            ("a quiet hour is no missing one", vec![hour("2026-03-01T00:00:00Z", 0, 0)], vec![]),
            ("all is gone", vec![hour("2026-03-01T00:00:00Z", 10, 0)], vec![day("2026-03-01", 10, 0)]),
            ("the counts are gone", vec![hour("2026-03-01T00:00:00Z", 0, 10)], vec![]),
            (
                "a day of UTC was deleted: of the day in Tokyo the nine hours before it are still there",
                vec![hour("2026-03-01T23:00:00Z", 7, 7), hour("2026-03-02T00:00:00Z", 5, 0)],
                vec![day("2026-03-02", 12, 7)],
            ),
            (
                "one that arrives while it is counted makes up for no other",
                vec![hour("2026-03-02T00:00:00Z", 5, 4), hour("2026-03-02T01:00:00Z", 5, 6)],
                vec![day("2026-03-02", 10, 9)],
            ),
        ] {
            assert_eq!(incomplete_days(&month(), hours), want, "{case}");
        }
    }

    #[test]
    fn days_that_follow_each_other_are_one_span() {
        let days = ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-05"].map(|one| day(one, 1, 0));
        assert_eq!(spans(&days), [("2026-02-27", "2026-03-01"), ("2026-03-05", "2026-03-05")]);
        assert!(spans(&[]).is_empty());
    }
}
