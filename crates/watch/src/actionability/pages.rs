//! What being on duty costs a person: alerts a week, and how many of them outside working hours.

use base::Timestamp;
use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An alert that reached a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Who.
    pub person: String,
    /// When.
    pub at: Timestamp,
}

/// When people work: Monday to Friday, between two hours of the local clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorkingHours {
    /// First hour of work, 0 to 23.
    pub from: i8,
    /// First hour after work, 1 to 24.
    pub to: i8,
}
impl Default for WorkingHours {
    fn default() -> Self {
        Self { from: 9, to: 18 }
    }
}

impl WorkingHours {
    /// Whether a moment lies within them.
    pub fn contain(&self, at: Timestamp, zone: &TimeZone) -> bool {
        let Ok(moment) = jiff::Timestamp::from_microsecond(at.micros()) else { return false };
        let local = moment.to_zoned(zone.clone());
        let weekend = matches!(local.weekday(), Weekday::Saturday | Weekday::Sunday);
        !weekend && (self.from..self.to).contains(&local.hour())
    }
}

/// How many pages a person may get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PageBudget {
    /// In a week. Two a shift of twelve hours would be 28; a small team sleeps better with less.
    pub per_week: u32,
    /// Of these outside working hours.
    pub off_hours: u32,
}
impl Default for PageBudget {
    fn default() -> Self {
        Self { per_week: 10, off_hours: 2 }
    }
}

/// A person's week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonWeek {
    /// Who.
    pub person: String,
    /// The Monday on which it begins.
    pub week: String,
    /// All pages.
    pub pages: u32,
    /// Of these outside working hours.
    pub off_hours: u32,
    /// Whether either is above the budget.
    pub over_budget: bool,
}

/// Pages by week (from Monday 00:00 local time) and person.
pub fn by_person_and_week(
    pages: &[Page],
    hours: &WorkingHours,
    budget: PageBudget,
    zone: &TimeZone,
) -> Vec<PersonWeek> {
    let mut weeks = BTreeMap::<(Date, &str), (u32, u32)>::new();
    for page in pages {
        let Some(monday) = monday(page.at, zone) else { continue };
        let (all, off) = weeks.entry((monday, &page.person)).or_default();
        *all += 1;
        *off += u32::from(!hours.contain(page.at, zone));
    }
    let week = |((monday, person), (pages, off_hours)): ((Date, &str), (u32, u32))| PersonWeek {
        person: person.to_owned(),
        week: monday.to_string(),
        pages,
        off_hours,
        over_budget: pages > budget.per_week || off_hours > budget.off_hours,
    };
    weeks.into_iter().map(week).collect()
}

fn monday(at: Timestamp, zone: &TimeZone) -> Option<Date> {
    let moment = jiff::Timestamp::from_microsecond(at.micros()).ok()?;
    let date = moment.to_zoned(zone.clone()).date();
    date.checked_sub(i64::from(date.weekday().to_monday_zero_offset()).days()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn hours_of_work_are_those_of_the_local_clock() {
        let london = TimeZone::get("Europe/London").unwrap();
        let hours = WorkingHours::default();
        for (case, moment, want) in [
            ("winter, nine", "2026-01-05T09:00:00Z", true),
            ("winter, before nine", "2026-01-05T08:59:59Z", false),
            ("summer, nine", "2026-07-06T08:00:00Z", true),
            ("summer, six", "2026-07-06T17:00:00Z", false),
            ("Saturday", "2026-01-10T12:00:00Z", false),
        ] {
            assert_eq!(hours.contain(at(moment), &london), want, "{case}");
        }
    }

    #[test]
    fn a_week_begins_on_monday_where_people_live() {
        let tokyo = TimeZone::get("Asia/Tokyo").unwrap();
        let page = |person: &str, moment| Page { person: person.to_owned(), at: at(moment) };
        let pages = [
            page("ann", "2026-01-04T14:59:59Z"), // Sunday 23:59:59
            page("ann", "2026-01-04T15:00:00Z"), // Monday 00:00
            page("ann", "2026-01-05T03:00:00Z"), // Monday noon
            page("ann", "2026-01-06T18:00:00Z"), // Wednesday 03:00
            page("bob", "2026-01-05T03:00:00Z"),
        ];
        let budget = PageBudget { per_week: 10, off_hours: 1 };
        let weeks = by_person_and_week(&pages, &WorkingHours::default(), budget, &tokyo);
        let got: Vec<_> =
            weeks.iter().map(|w| (w.week.as_str(), w.person.as_str(), w.pages, w.off_hours, w.over_budget)).collect();
        assert_eq!(
            got,
            [("2025-12-29", "ann", 1, 1, false), ("2026-01-05", "ann", 3, 2, true), ("2026-01-05", "bob", 1, 0, false),]
        );
    }
}
