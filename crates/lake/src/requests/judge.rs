//! Judges who was disappointed: a person who saw a server error, and whose next try did not succeed in time.
//!
//! Pure. In doubt a person counts as disappointed: a success in the same microsecond as the failure is no proof of a
//! recovery, and neither is a success beside a failure.

use base::{TimeRange, Timestamp};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

const HOUR_US: i64 = 3_600_000_000;
const QUARTER_US: i64 = HOUR_US / 4;

/// One request of a person who saw a server error on this route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Try<'a> {
    /// Who.
    pub user: &'a str,
    /// What they asked for.
    pub route: &'a str,
    /// When.
    pub ts: Timestamp,
    /// The answer.
    pub status: i32,
}

/// The server errors of a person on a route within one quarter of an hour. Local days and hours of every time zone in
/// use start with a quarter, so that these can be kept and put together for any of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Who.
    pub user: Box<str>,
    /// What they asked for.
    pub route: Arc<str>,
    /// The last of the errors.
    pub last: Timestamp,
    /// Whether the next try after it succeeded in time.
    pub recovered: bool,
}

/// Who was disappointed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Disappointed {
    /// People who saw a server error.
    pub users: u64,
    /// Those of them whose next try succeeded within the window, on every day and route that failed for them.
    pub recovered: u64,
    /// The others.
    pub still_disappointed: u64,
    /// By day and route: the newest day first, then the most people.
    pub rows: Vec<DisappointedRow>,
    /// People who saw a server error, by start of the (local) hour; hours without any are left out.
    pub by_hour: Vec<(Timestamp, u64)>,
    /// People who saw a server error, by route.
    pub by_route: BTreeMap<String, u64>,
    /// Server errors of requests that no person is known for.
    pub unknown_users: u64,
    /// Why the numbers are not whole; they are then lower or upper bounds of nothing.
    pub partial: Option<String>,
    /// Damaged files that were left out.
    pub damaged_files: Vec<String>,
}

/// One day of one route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisappointedRow {
    /// The local day.
    pub day: Date,
    /// The route.
    pub route: String,
    /// People who saw a server error.
    pub users: u64,
    /// Those whose next try after their last failure of the day succeeded within the window.
    pub recovered: u64,
    /// The others.
    pub still_disappointed: u64,
}

/// The failures in `range` of people whose tries these are; tries outside of it only count as next ones.
pub fn failures(mut tries: Vec<Try<'_>>, range: TimeRange, window_us: i64) -> Vec<Failure> {
    tries.sort_unstable();
    let mut names: HashMap<&str, Arc<str>> = HashMap::new();
    let mut out = Vec::new();
    for one in tries.chunk_by(|left, right| (left.user, left.route) == (right.user, right.route)) {
        let failed: Vec<&Try<'_>> = one.iter().filter(|one| one.status >= 500 && range.contains(one.ts)).collect();
        for quarter in failed.chunk_by(|left, right| left.ts.floor(QUARTER_US) == right.ts.floor(QUARTER_US)) {
            let Some(last) = quarter.last() else { continue };
            let route = Arc::clone(names.entry(last.route).or_insert_with(|| last.route.into()));
            let recovered = recovers(one, last.ts, window_us);
            out.push(Failure { user: last.user.into(), route, last: last.ts, recovered });
        }
    }
    out
}

/// Puts failures together: by person, by local day and hour, by route.
pub fn judge(mut failures: Vec<&Failure>, time_zone: &TimeZone) -> Disappointed {
    failures.sort_unstable_by_key(|failure| (&failure.user, &failure.route, failure.last));
    let mut out = Disappointed::default();
    let mut days: BTreeMap<(Date, &str), (u64, u64)> = BTreeMap::new();
    let mut hours: BTreeMap<Timestamp, u64> = BTreeMap::new();
    for person in failures.chunk_by(|left, right| left.user == right.user) {
        let mut all_recovered = true;
        let mut seen_hours = BTreeSet::new();
        for route in person.chunk_by(|left, right| left.route == right.route) {
            let name: &str = &route[0].route;
            // Of several quarters of a day the last one decides.
            let mut last_of_day: BTreeMap<Date, bool> = BTreeMap::new();
            for failure in route {
                let (day, hour) = day_and_hour(failure.last, time_zone);
                last_of_day.insert(day, failure.recovered);
                seen_hours.insert(hour);
            }
            *out.by_route.entry(name.to_owned()).or_default() += 1;
            for (day, recovered) in last_of_day {
                all_recovered &= recovered;
                let (users, recoveries) = days.entry((day, name)).or_default();
                *users += 1;
                *recoveries += u64::from(recovered);
            }
        }
        out.users += 1;
        out.recovered += u64::from(all_recovered);
        for hour in seen_hours {
            *hours.entry(hour).or_default() += 1;
        }
    }
    out.still_disappointed = out.users - out.recovered;
    out.by_hour = hours.into_iter().collect();
    out.rows = days
        .into_iter()
        .map(|((day, route), (users, recovered))| DisappointedRow {
            day,
            route: route.to_owned(),
            users,
            recovered,
            still_disappointed: users - recovered,
        })
        .collect();
    out.rows.sort_by(|a, b| b.day.cmp(&a.day).then(b.users.cmp(&a.users)).then_with(|| a.route.cmp(&b.route)));
    out
}

/// Whether the next try after `failure` came within the window and succeeded. `tries` are sorted by time.
fn recovers(tries: &[Try<'_>], failure: Timestamp, window_us: i64) -> bool {
    let later = &tries[tries.partition_point(|one| one.ts <= failure)..];
    let Some(next) = later.first() else { return false };
    next.ts <= failure.plus_micros(window_us)
        && later.iter().take_while(|one| one.ts == next.ts).all(|one| one.status < 500)
}

/// The local day of a moment, and the start of its local hour.
fn day_and_hour(ts: Timestamp, time_zone: &TimeZone) -> (Date, Timestamp) {
    let at = jiff::Timestamp::from_microsecond(ts.micros()).unwrap_or_default();
    let offset_us = i64::from(time_zone.to_offset(at).seconds()) * 1_000_000;
    let hour = ts.plus_micros(offset_us).floor(HOUR_US).plus_micros(-offset_us);
    (time_zone.to_datetime(at).date(), hour)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const WINDOW: i64 = super::super::RECOVERY_WINDOW_US;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn tries<'a>(given: &[(&'a str, &'a str, i64, i32)]) -> Vec<Try<'a>> {
        let start = at("2026-11-22T10:00:00Z");
        given
            .iter()
            .map(|&(user, route, second, status)| Try { user, route, ts: start.plus_seconds(second), status })
            .collect()
    }

    fn judged(tries: Vec<Try<'_>>, until: Timestamp, time_zone: &TimeZone) -> Disappointed {
        let range = TimeRange { from: Timestamp::from_micros(i64::MIN), to: until };
        judge(failures(tries, range, WINDOW).iter().collect(), time_zone)
    }

    #[test]
    fn a_person_recovers_when_the_next_try_succeeds_within_ten_minutes() {
        for (case, given, want) in [
            ("never tried again", vec![("a", "/", 0, 500)], (1, 0)),
            ("tried again and it worked", vec![("a", "/", 0, 500), ("a", "/", 5, 200)], (1, 1)),
            ("a redirect or a refusal is an answer", vec![("a", "/", 0, 502), ("a", "/", 5, 404)], (1, 1)),
            ("worked before, not after", vec![("a", "/", 0, 200), ("a", "/", 5, 500)], (1, 0)),
            ("at the last moment", vec![("a", "/", 0, 500), ("a", "/", 600, 200)], (1, 1)),
            ("too late", vec![("a", "/", 0, 500), ("a", "/", 601, 200)], (1, 0)),
            ("failed twice, then worked", vec![("a", "/", 0, 500), ("a", "/", 9, 503), ("a", "/", 20, 200)], (1, 1)),
            ("worked, then failed", vec![("a", "/", 0, 500), ("a", "/", 9, 200), ("a", "/", 20, 500)], (1, 0)),
            ("another route worked", vec![("a", "/", 0, 500), ("a", "/b", 5, 200)], (1, 0)),
            ("another person's try worked", vec![("a", "/", 0, 500), ("b", "/", 5, 200)], (1, 0)),
            ("a success in the same moment proves nothing", vec![("a", "/", 0, 500), ("a", "/", 0, 200)], (1, 0)),
            ("nor one beside a failure", vec![("a", "/", 0, 500), ("a", "/", 5, 200), ("a", "/", 5, 500)], (1, 0)),
            ("one of two routes", vec![("a", "/", 0, 500), ("a", "/", 5, 200), ("a", "/b", 7, 500)], (1, 0)),
            (
                "both routes",
                vec![("a", "/", 0, 500), ("a", "/", 5, 200), ("a", "/b", 7, 500), ("a", "/b", 8, 200)],
                (1, 1),
            ),
            ("two people", vec![("a", "/", 0, 500), ("b", "/", 0, 500), ("b", "/", 5, 200)], (2, 1)),
            ("nobody failed", vec![("a", "/", 0, 200)], (0, 0)),
            ("failed after the range", vec![("a", "/", 3600, 500)], (0, 0)),
            ("the retry came after the range", vec![("a", "/", 3599, 500), ("a", "/", 3610, 200)], (1, 1)),
            ("and failed there", vec![("a", "/", 3599, 500), ("a", "/", 3610, 500), ("a", "/", 3620, 200)], (1, 0)),
        ] {
            let mut shuffled = tries(&given);
            shuffled.reverse();
            let until = at("2026-11-22T11:00:00Z");
            let judged = judged(shuffled, until, &TimeZone::UTC);
            assert_eq!((judged.users, judged.recovered), want, "{case}");
            assert_eq!(judged.users, judged.recovered + judged.still_disappointed, "{case}");
        }
    }

    #[test]
    fn a_person_counts_once_for_each_local_day_and_route() {
        let tokyo = TimeZone::get("Asia/Tokyo").unwrap_or_else(|_| TimeZone::fixed(jiff::tz::offset(9)));
        // 23:50 and 00:10 in Tokyo.
        let (evening, night) = (at("2026-11-22T14:50:00Z"), at("2026-11-22T15:10:00Z"));
        let one = |user, ts: Timestamp, status| Try { user, route: "GET /", ts, status };
        let given = vec![
            one("a", evening, 500),
            one("a", evening.plus_seconds(1), 500),
            one("a", evening.plus_seconds(5), 200),
            one("a", night, 500),
            one("b", night, 500),
        ];
        let judged = judged(given, at("2026-11-23T00:00:00Z"), &tokyo);
        let rows: Vec<_> =
            judged.rows.iter().map(|row| (row.day, row.users, row.recovered, row.still_disappointed)).collect();
        assert_eq!(rows, [(date(2026, 11, 23), 2, 0, 2), (date(2026, 11, 22), 1, 1, 0)]);
        assert_eq!((judged.users, judged.recovered, judged.still_disappointed), (2, 0, 2));
        assert_eq!(judged.by_hour, [(at("2026-11-22T14:00:00Z"), 1), (at("2026-11-22T15:00:00Z"), 2)]);
        assert_eq!(judged.by_route, BTreeMap::from([("GET /".to_owned(), 2)]));
    }

    #[test]
    fn an_hour_starts_where_its_clock_says_so() {
        let kathmandu = TimeZone::fixed(jiff::tz::Offset::from_seconds(5 * 3600 + 45 * 60).unwrap());
        let (_, hour) = day_and_hour(at("2026-11-22T10:20:00Z"), &kathmandu);
        assert_eq!(hour, at("2026-11-22T10:15:00Z"));
    }
}
