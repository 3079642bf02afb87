//! A rotation: people take turns of whole weeks, handed over at a time of the local clock.

use base::{TimeRange, Timestamp};
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span as Days, ToSpan as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::RotationOverride;

const PEOPLE_MAX: usize = 50;
const WEEKS_MAX: u8 = 8;
/// Longest time that is laid out at once: a bit more than a year.
const LAID_OUT_MAX_DAYS: i64 = 400;

/// People who take turns.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotationSpec {
    /// In the order of their turns.
    pub people: Vec<String>,
    /// The date from which on the first of them has the first turn: `2026-01-05`.
    pub start: String,
    /// Weekday and local time of the hand-over: `mon 10:00`.
    #[serde(default = "default_hand_over")]
    pub hand_over: String,
    /// How many weeks a turn lasts.
    #[serde(default = "default_weeks")]
    pub weeks: u8,
    /// IANA name of the time zone; by default the server's.
    #[serde(default)]
    pub time_zone: Option<String>,
}

fn default_hand_over() -> String {
    "mon 10:00".to_owned()
}

fn default_weeks() -> u8 {
    1
}

/// Why a rotation cannot be used. The part behind the semicolon is the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    /// Nobody, or too many.
    #[error("the rotation has {0} people; write 1 to {PEOPLE_MAX}")]
    People(usize),
    /// No date.
    #[error("{0:?} is no date; write for example 2026-01-05")]
    Start(String),
    /// No weekday and time.
    #[error("{0:?} is no hand-over; write a weekday and a time, for example mon 10:00")]
    HandOver(String),
    /// No turn.
    #[error("a turn of {0} weeks; write 1 to {WEEKS_MAX}")]
    Weeks(u8),
    /// No time zone.
    #[error("{0:?} is no time zone; write an IANA name, for example Asia/Tokyo")]
    Zone(String),
}

/// A rotation that was checked.
#[derive(Debug, Clone)]
pub struct Rotation {
    name: String,
    people: Vec<String>,
    /// Day of the first hand-over.
    first: Date,
    time: Time,
    days: i64,
    zone: TimeZone,
}

/// Somebody is on duty for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Duty {
    /// Who.
    pub person: String,
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Whether it is somebody else's turn by the rotation.
    pub is_override: bool,
}

impl Rotation {
    /// Checks it. `zone` is the server's time zone.
    pub fn new(name: &str, spec: &RotationSpec, zone: &TimeZone) -> Result<Self, RotationError> {
        if spec.people.is_empty() || spec.people.len() > PEOPLE_MAX {
            return Err(RotationError::People(spec.people.len()));
        }
        if spec.weeks == 0 || spec.weeks > WEEKS_MAX {
            return Err(RotationError::Weeks(spec.weeks));
        }
        let start: Date = spec.start.parse().map_err(|_| RotationError::Start(spec.start.clone()))?;
        let (weekday, time) =
            hand_over(&spec.hand_over).ok_or_else(|| RotationError::HandOver(spec.hand_over.clone()))?;
        let zone = match &spec.time_zone {
            Some(name) => TimeZone::get(name).map_err(|_| RotationError::Zone(name.clone()))?,
            None => zone.clone(),
        };
        let days_to_weekday = i64::from(start.weekday().until(weekday));
        let first = start.checked_add(days_to_weekday.days()).map_err(|_| RotationError::Start(spec.start.clone()))?;
        let days = i64::from(spec.weeks) * 7;
        Ok(Self { name: name.to_owned(), people: spec.people.clone(), first, time, days, zone })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its people, in the order of their turns.
    pub fn people(&self) -> &[String] {
        &self.people
    }

    /// Who is on duty at a moment. Of overrides that overlap the one written last counts; it may name anybody, also
    /// somebody who has no turns.
    pub fn on_duty<'a>(&'a self, at: Timestamp, overrides: &'a [RotationOverride]) -> &'a str {
        self.override_at(at, overrides).map_or_else(|| self.by_turn(at), |one| one.person.as_str())
    }

    fn override_at<'a>(&self, at: Timestamp, overrides: &'a [RotationOverride]) -> Option<&'a RotationOverride> {
        let holds = |one: &&RotationOverride| one.rotation == self.name && one.from <= at && at < one.until;
        overrides.iter().filter(holds).max_by_key(|one| (one.created_at, one.id.to_string()))
    }

    fn by_turn(&self, at: Timestamp) -> &str {
        let turn = self.turn_at(at);
        let people = i64::try_from(self.people.len()).unwrap_or(1);
        let index = usize::try_from(turn.rem_euclid(people)).unwrap_or(0);
        &self.people[index]
    }

    /// The number of the turn that a moment lies in; turns before the start are negative.
    fn turn_at(&self, at: Timestamp) -> i64 {
        let Ok(moment) = jiff::Timestamp::from_microsecond(at.micros()) else { return 0 };
        let date = moment.to_zoned(self.zone.clone()).date();
        let days = self.first.until(date).map_or(0, |span| i64::from(span.get_days()));
        let near = days.div_euclid(self.days);
        // The hand-over of that day may still be to come, or a jump of the clock may have moved it.
        [near + 1, near, near - 1]
            .into_iter()
            .find(|turn| self.starts_at(*turn).is_some_and(|s| s <= at))
            .unwrap_or(near)
    }

    /// When a turn begins. A time that the clock skips is read as the same time after the jump; one that comes twice, as
    /// the first.
    fn starts_at(&self, turn: i64) -> Option<Timestamp> {
        let days = Days::new().try_days(turn.checked_mul(self.days)?).ok()?;
        let date = self.first.checked_add(days).ok()?;
        let zoned = date.to_datetime(self.time).to_zoned(self.zone.clone()).ok()?;
        Some(Timestamp::from_micros(zoned.timestamp().as_microsecond()))
    }

    /// Who is on duty when, without gaps, within a range of at most 400 days.
    pub fn lay_out(&self, range: TimeRange, overrides: &[RotationOverride]) -> Vec<Duty> {
        let to = range.to.min(range.from.plus_seconds(LAID_OUT_MAX_DAYS * 86_400));
        let mut edges = vec![range.from];
        let turns = (self.turn_at(range.from)..).map_while(|turn| self.starts_at(turn)).take_while(|at| *at < to);
        edges.extend(turns.filter(|at| *at > range.from));
        for one in overrides.iter().filter(|one| one.rotation == self.name) {
            edges.extend([one.from, one.until].into_iter().filter(|at| range.from < *at && *at < to));
        }
        edges.sort_unstable();
        edges.dedup();
        let mut duties: Vec<Duty> = Vec::new();
        for (index, from) in edges.iter().enumerate() {
            let until = edges.get(index + 1).copied().unwrap_or(to);
            let by_override = self.override_at(*from, overrides);
            let turn = self.by_turn(*from);
            let person = by_override.map_or(turn, |one| one.person.as_str());
            let is_override = person != turn;
            match duties.last_mut() {
                Some(last) if last.person == person && last.is_override == is_override => last.until = until,
                _ if *from < until => duties.push(Duty { person: person.to_owned(), from: *from, until, is_override }),
                _ => {}
            }
        }
        duties
    }
}

/// `mon 10:00`.
fn hand_over(raw: &str) -> Option<(Weekday, Time)> {
    let (day, time) = raw.trim().split_once(' ')?;
    let weekday = match day.to_ascii_lowercase().as_str() {
        "mon" => Weekday::Monday,
        "tue" => Weekday::Tuesday,
        "wed" => Weekday::Wednesday,
        "thu" => Weekday::Thursday,
        "fri" => Weekday::Friday,
        "sat" => Weekday::Saturday,
        "sun" => Weekday::Sunday,
        _ => return None,
    };
    let (hour, minute) = time.trim().split_once(':')?;
    let two = |text: &str| (text.len() == 2).then(|| text.parse::<i8>().ok()).flatten();
    Some((weekday, Time::new(two(hour)?, two(minute)?, 0, 0).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Id;
    use proptest::prelude::*;

    pub(in crate::escalation) fn rotation(zone: &str, hand_over: &str) -> Rotation {
        let yaml = format!("{{people: [ann, bob, eve], start: 2026-01-05, hand_over: {hand_over}, time_zone: {zone}}}");
        Rotation::new("web", &serde_saphyr::from_str(&yaml).unwrap(), &TimeZone::UTC).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn swap(person: &str, from: &str, until: &str, written: i64) -> RotationOverride {
        RotationOverride {
            id: Id::generate(),
            rotation: "web".to_owned(),
            person: person.to_owned(),
            reason: None,
            who: "ann".to_owned(),
            created_at: Timestamp::from_seconds(written),
            from: at(from),
            until: at(until),
        }
    }

    #[test]
    fn turns_change_at_the_local_time_of_the_hand_over() {
        let tokyo = rotation("Asia/Tokyo", "mon 10:00");
        for (case, moment, want) in [
            ("the first", "2026-01-05T10:00:00+09:00", "ann"),
            ("a second before", "2026-01-05T09:59:59+09:00", "eve"),
            ("the second", "2026-01-12T10:00:00+09:00", "bob"),
            ("a second before it", "2026-01-12T09:59:59+09:00", "ann"),
            ("the fourth is the first again", "2026-01-26T10:00:00+09:00", "ann"),
            ("a year on", "2027-01-04T10:00:00+09:00", "bob"),
        ] {
            assert_eq!(tokyo.on_duty(at(moment), &[]), want, "{case}");
        }
    }

    #[test]
    fn a_jump_of_the_clock_moves_no_hand_over() {
        let london = rotation("Europe/London", "mon 10:00");
        // 2026-03-29: 01:00 becomes 02:00. 2026-10-25: 02:00 becomes 01:00.
        for (case, moment, before) in [
            ("winter", "2026-03-23T10:00:00Z", "bob"),
            ("summer: an hour earlier in UTC", "2026-03-30T09:00:00Z", "eve"),
            ("winter again", "2026-10-26T10:00:00Z", "eve"),
        ] {
            let moment = at(moment);
            assert_eq!(london.on_duty(moment.plus_seconds(-1), &[]), before, "{case}");
            assert_ne!(london.on_duty(moment, &[]), before, "{case}");
        }
        // 01:30 does not exist on 2026-03-29, so the turn begins at 02:30 (01:30 UTC); and it comes twice on
        // 2026-10-25, so it begins at the first (00:30 UTC).
        let night = rotation("Europe/London", "sun 01:30");
        for (case, moment) in [("skipped", "2026-03-29T01:30:00Z"), ("twice", "2026-10-25T00:30:00Z")] {
            let moment = at(moment);
            assert_ne!(night.on_duty(moment.plus_seconds(-1), &[]), night.on_duty(moment, &[]), "{case}");
            assert_eq!(night.on_duty(moment, &[]), night.on_duty(moment.plus_seconds(3600), &[]), "{case}: once");
        }
    }

    #[test]
    fn the_override_that_was_written_last_counts() {
        let tokyo = rotation("Asia/Tokyo", "mon 10:00");
        let overrides = [
            swap("zoe", "2026-01-06T00:00:00Z", "2026-01-08T00:00:00Z", 1),
            swap("bob", "2026-01-07T00:00:00Z", "2026-01-07T12:00:00Z", 2),
            RotationOverride {
                rotation: "db".to_owned(),
                ..swap("eve", "2026-01-06T00:00:00Z", "2026-01-09T00:00:00Z", 3)
            },
        ];
        let range = TimeRange { from: at("2026-01-05T01:00:00Z"), to: at("2026-01-19T01:00:00Z") };
        let laid_out = tokyo.lay_out(range, &overrides);
        let got: Vec<_> = laid_out.iter().map(|d| (d.person.as_str(), d.from.to_string(), d.is_override)).collect();
        let day = |day: &str| format!("2026-01-{day}:00:00Z");
        assert_eq!(
            got,
            [
                ("ann", day("05T01"), false),
                ("zoe", day("06T00"), true),
                ("bob", day("07T00"), true),
                ("zoe", day("07T12"), true),
                ("ann", day("08T00"), false),
                ("bob", day("12T01"), false),
            ]
        );
        assert_eq!(laid_out.last().unwrap().until, range.to);
        assert_eq!(tokyo.on_duty(at("2026-01-07T13:00:00Z"), &overrides), "zoe");
    }

    #[test]
    fn a_rotation_that_cannot_be_is_refused_with_the_way_out() {
        for (yaml, want) in [
            ("{people: [], start: 2026-01-05}", "the rotation has 0 people"),
            ("{people: [a], start: soon}", "\"soon\" is no date"),
            ("{people: [a], start: 2026-02-30}", "\"2026-02-30\" is no date"),
            ("{people: [a], start: 2026-01-05, hand_over: 10:00}", "\"10:00\" is no hand-over"),
            ("{people: [a], start: 2026-01-05, hand_over: mon 25:00}", "\"mon 25:00\" is no hand-over"),
            ("{people: [a], start: 2026-01-05, weeks: 0}", "a turn of 0 weeks"),
            ("{people: [a], start: 2026-01-05, time_zone: Tokyo/Asia}", "\"Tokyo/Asia\" is no time zone"),
        ] {
            let error = Rotation::new("web", &serde_saphyr::from_str(yaml).unwrap(), &TimeZone::UTC).unwrap_err();
            assert!(error.to_string().starts_with(want) && error.to_string().contains("; write "), "{error}");
        }
    }

    proptest! {
        #[test]
        fn at_every_moment_exactly_one_is_on_duty_and_the_layout_says_the_same(
            start in 1_700_000_000_i64..1_900_000_000,
            zone in prop::sample::select(vec!["UTC", "Asia/Tokyo", "Europe/London", "America/New_York", "Australia/Lord_Howe"]),
            hand_over in prop::sample::select(vec!["mon 10:00", "sun 02:30", "sun 00:00", "sat 23:59"]),
        ) {
            let rotation = rotation(zone, hand_over);
            let from = Timestamp::from_seconds(start);
            let range = TimeRange { from, to: from.plus_seconds(100 * 86_400) };
            let duties = rotation.lay_out(range, &[]);
            prop_assert_eq!(duties[0].from, range.from);
            prop_assert_eq!(duties.last().unwrap().until, range.to);
            for pair in duties.windows(2) {
                prop_assert_eq!(pair[0].until, pair[1].from);
                prop_assert_ne!(&pair[0].person, &pair[1].person);
            }
            for duty in &duties[1..duties.len() - 1] {
                let hours = (duty.until.micros() - duty.from.micros()) / 3_600_000_000;
                prop_assert!((167..=169).contains(&hours), "{} hours", hours);
            }
            for duty in &duties {
                prop_assert_eq!(rotation.on_duty(duty.from, &[]), &duty.person);
                prop_assert_eq!(rotation.on_duty(duty.until.plus_micros(-1), &[]), &duty.person);
            }
        }
    }
}
