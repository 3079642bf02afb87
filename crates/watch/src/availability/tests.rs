//! Against values worked out by hand.

use super::*;
use crate::texts::{Language, Texts};
use proptest::prelude::*;

fn at(minute: i64, second: i64) -> Timestamp {
    Timestamp::from_seconds(minute * 60 + second)
}

fn minutes(from: i64, to: i64) -> TimeRange {
    TimeRange { from: at(from, 0), to: at(to, 0) }
}

fn request(user: &str, at: Timestamp, good: bool) -> UserRequest<'_> {
    UserRequest { user, at, good }
}

fn month() -> Month {
    Month::parse("1970-01", "UTC").unwrap()
}

#[test]
fn what_may_be_down_is_what_everybody_computes() {
    let days = |days: i64| TimeRange { from: at(0, 0), to: at(days * 1440, 0) };
    for (target, range, want) in [
        (0.9998, days(30), 8.64),
        (0.9998, days(31), 8.928),
        (0.999, days(30), 43.2),
        (0.9995, days(30), 21.6),
        (1.0, days(30), 0.0),
    ] {
        let got = allowed(target, range).micros() as f64 / 60e6;
        assert!((got - want).abs() < 1e-6, "{target}: {got} minutes");
    }
}

#[test]
fn a_month_is_that_of_its_time_zone() {
    for (month, zone, from, hours) in [
        ("2026-03", "Europe/London", "2026-03-01T00:00:00Z", 743),
        ("2026-10", "Europe/London", "2026-09-30T23:00:00Z", 745),
        ("2026-02", "Asia/Tokyo", "2026-01-31T15:00:00Z", 672),
        ("2028-02", "Asia/Tokyo", "2028-01-31T15:00:00Z", 696),
        ("2026-12", "UTC", "2026-12-01T00:00:00Z", 744),
    ] {
        let parsed = Month::parse(month, zone).unwrap();
        let range = parsed.range();
        assert_eq!((range.from, range.micros() / 3_600_000_000), (from.parse().unwrap(), hours), "{month} {zone}");
        let zone = jiff::tz::TimeZone::get(zone).unwrap();
        for inside in [range.from, range.to.plus_micros(-1)] {
            assert_eq!(Month::of(inside, &zone), parsed, "{month}");
        }
    }
    for (month, zone) in
        [("2026-13", "UTC"), ("2026-3", "UTC"), ("march", "UTC"), ("2026-03", "Mars"), ("9999-12", "UTC")]
    {
        assert!(Month::parse(month, zone).unwrap_err().to_string().contains("; write"), "{month} {zone}");
    }
}

/// Ten minutes, of which 4 and 5 are maintenance, with a cut-off of three minutes.
///
/// Minute: requests (good). 0: 100 (100), 1: 100 (95), 2: 100 (94), 3: none, 4: 10 (0), 5: none, 6..9: 1 (1) each.
///
/// Ann: good at 0:00, good at 1:00, error at 2:00, good at 2:30, then nothing: up 0:00 to 2:00 (120 s), down for 30 s, up
/// 2:30 to 5:30 (180 s, the cut-off). Bob: error at 9:30: down until the end (30 s). Eve: good at 3:00 and 8:00: the gap
/// is longer than the cut-off, so up 3:00 to 6:00 and 8:00 to 10:00 (180 + 120 s).
///
/// Up 120 + 180 + 300 = 600 s of 600 + 30 + 30 = 660 s. Without minutes 4 and 5: Ann spends 4:00 to 5:30 there (90 s up),
/// Eve 4:00 to 6:00 (120 s up): 390 s of 450 s.
fn worked_out() -> Tally {
    let mut tally = Tally::new(minutes(0, 10), Span::from_seconds(180), &[minutes(4, 6)]);
    for (minute, valid, good) in
        [(0, 100, 100), (1, 100, 95), (2, 100, 94), (4, 10, 0), (6, 1, 1), (7, 1, 1), (8, 1, 1), (9, 1, 1)]
    {
        tally.add_requests(at(minute, 59), valid, good);
    }
    tally.add_requests(at(-1, 0), 1000, 0);
    tally.add_requests(at(10, 0), 1000, 0);
    for one in [
        request("ann", at(0, 0), true),
        request("ann", at(1, 0), true),
        request("ann", at(2, 0), false),
        request("ann", at(2, 30), true),
        request("bob", at(9, 30), false),
        request("eve", at(-5, 0), false), // before the month
        request("eve", at(3, 0), true),
        request("eve", at(8, 0), true),
    ] {
        tally.add_user_request(one).unwrap();
    }
    tally
}

#[test]
fn the_three_definitions_are_those_worked_out_by_hand() {
    let report = worked_out().report("shop", &month(), Some(0.999));
    let seconds = |seconds: u64| seconds * 1_000_000;
    let with = report.with_maintenance;
    // Minutes 2 (94 of 100) and 4 (0 of 10) are bad; 3 and 5 are unknown.
    assert_eq!((with.time, with.unknown_minutes), (Measure { good: 6, all: 8 }, 2));
    assert_eq!(with.requests, Measure { good: 293, all: 314 });
    assert_eq!(with.users, Measure { good: seconds(600), all: seconds(660) });
    let without = report.without_maintenance;
    assert_eq!((without.time, without.unknown_minutes), (Measure { good: 6, all: 7 }, 1));
    assert_eq!(without.requests, Measure { good: 293, all: 304 });
    assert_eq!(without.users, Measure { good: seconds(390), all: seconds(450) });
    assert_eq!((report.maintenance_minutes, report.users), (2, Some(UserCount { all: 3, disappointed: 2 })));
    // The worst five minutes are the last ones: 5:00 to 5:30 Ann, 5:00 to 6:00 and 8:00 to 10:00 Eve are up, 30 s of Bob
    // are down: 210 of 240 s. In the first five, 420 of 450.
    assert_eq!(report.worst.len(), 1, "longer windows don't fit");
    let worst = report.worst[0];
    assert_eq!((worst.length, worst.from, worst.requests), (Span::from_seconds(300), at(5, 0), 4));
    assert!((worst.share - 210.0 / 240.0).abs() < 1e-12, "{}", worst.share);
}

#[test]
fn where_users_are_not_told_apart_windows_are_by_requests() {
    let mut tally = Tally::new(minutes(0, 10), DEFAULT_CUT_OFF, &[]).with_good_minute(1.0);
    for minute in 0..10 {
        tally.add_requests(at(minute, 0), 10, if minute == 7 { 5 } else { 10 });
    }
    let report = tally.report("shop", &month(), None);
    assert_eq!(report.with_maintenance.time, Measure { good: 9, all: 10 });
    assert_eq!(report.with_maintenance.users.share(), None, "nothing is known");
    assert_eq!(report.users, None, "they were not nobody");
    assert_eq!((report.worst[0].from, report.worst[0].share), (at(3, 0), 0.9), "of equals the first");
}

#[test]
fn of_a_month_that_goes_on_nothing_is_said_beyond_now() {
    let mut tally = Tally::new(minutes(0, 100), DEFAULT_CUT_OFF, &[minutes(8, 20)]).until(at(10, 30));
    tally.add_requests(at(9, 0), 10, 10);
    tally.add_user_request(request("ann", at(9, 0), true)).unwrap();
    let report = tally.report("shop", &month(), None);
    let with = report.with_maintenance;
    // Eleven minutes have begun.
    assert_eq!((with.time, with.unknown_minutes), (Measure { good: 1, all: 1 }, 10));
    assert_eq!(report.maintenance_minutes, 3);
    assert_eq!(with.users, Measure { good: 120_000_000, all: 120_000_000 }, "until the end of the minute that goes on");
    assert_eq!(report.range, minutes(0, 100));
}

#[test]
fn what_is_known_of_a_part_of_the_users_is_known_of_none() {
    let mut tally = worked_out();
    tally.forget_users();
    let report = tally.report("shop", &month(), None);
    assert_eq!((report.users, report.with_maintenance.users), (None, Measure { good: 0, all: 0 }));
    assert_eq!(report.with_maintenance.requests, Measure { good: 293, all: 314 }, "the others stand without");
}

#[test]
fn what_is_not_known_is_never_told_as_nobody_or_nothing() {
    let mut tally = worked_out();
    tally.forget_users();
    let gone = |day: &str| IncompleteDay { day: day.to_owned(), counted: 40, stored: 10 };
    tally.lacks(["1970-01-02", "1970-01-03", "1970-01-07"].map(gone).to_vec());
    let report = tally.report("shop", &month(), None);
    let lines = csv(&report);
    assert!(lines.contains(",users_without_error,with,,,\r\n"), "{lines}");
    assert!(lines.contains(",requests_stored_1970-01-07,with,10,40,0.250000\r\n"), "{lines}");
    for (language, users, days) in [
        (Language::English, "Users who met an error: not known.", "1970-01-02 to 1970-01-03, 1970-01-07"),
        (Language::Japanese, "エラーに遭った利用者: 不明。", "1970-01-02 から 1970-01-03, 1970-01-07"),
    ] {
        let text = markdown(&report, &Texts::new(language));
        assert!(text.contains(users) && text.contains(days), "{text}");
    }
}

#[test]
fn what_is_not_sorted_is_refused() {
    let mut tally = Tally::new(minutes(0, 10), DEFAULT_CUT_OFF, &[]);
    tally.add_user_request(request("bob", at(5, 0), true)).unwrap();
    assert_eq!(tally.clone().add_user_request(request("bob", at(4, 0), true)), Err(NotSorted));
    assert_eq!(tally.add_user_request(request("ann", at(6, 0), true)), Err(NotSorted));
}

#[test]
fn a_report_reads_in_both_languages_and_as_csv() {
    let report = worked_out().report("shop", &month(), Some(0.9998));
    insta::assert_snapshot!("english", markdown(&report, &Texts::new(Language::English)));
    insta::assert_snapshot!("japanese", markdown(&report, &Texts::new(Language::Japanese)));
    insta::assert_snapshot!("csv", csv(&report).replace("\r\n", "\n"));
    let empty = Tally::new(minutes(0, 10), DEFAULT_CUT_OFF, &[]).report("shop", &month(), None);
    let text = markdown(&empty, &Texts::new(Language::English));
    assert!(text.contains("no data") && !text.contains("100.000"), "no traffic is not health: {text}");
}

/// The same by brute force: second by second, user by user.
fn by_seconds(requests: &[(u8, i64, bool)], cut_off: i64, end: i64) -> (u64, u64) {
    let (mut up, mut active) = (0, 0);
    for user in 0..3 {
        for second in 0..end {
            let last = requests.iter().rfind(|(who, at, _)| *who == user && *at <= second);
            if let Some((_, _, good)) = last.filter(|(_, at, _)| second - at < cut_off) {
                active += 1;
                up += u64::from(*good);
            }
        }
    }
    (up, active)
}

proptest! {
    #[test]
    fn the_sum_is_that_of_every_second(
        mut requests in prop::collection::vec((0_u8..3, 0_i64..600, any::<bool>()), 0..30),
        cut_off in 1_i64..300,
    ) {
        requests.sort_by_key(|(user, at, _)| (*user, *at));
        let mut tally = Tally::new(minutes(0, 10), Span::from_seconds(cut_off), &[]);
        let names = ["a", "b", "c"];
        for (user, at, good) in &requests {
            tally.add_user_request(request(names[usize::from(*user)], Timestamp::from_seconds(*at), *good)).unwrap();
        }
        let users = tally.report("shop", &month(), None).with_maintenance.users;
        let (up, active) = by_seconds(&requests, cut_off, 600);
        prop_assert_eq!((users.good, users.all), (up * 1_000_000, active * 1_000_000));
    }
}
