use super::*;
use proptest::prelude::*;

fn check_at(offset: u64) -> Check {
    Check::of(format!("line before {offset}\n").as_bytes())
}

fn coverage(ranges: &[(u64, u64)]) -> Coverage {
    let mut all = Coverage::default();
    for &(from, to) in ranges {
        all.extend(from, to, check_at(to));
    }
    all
}

fn shop() -> ServiceName {
    "shop".parse().unwrap()
}

#[test]
fn an_identity_needs_a_finished_first_line() {
    let long = [b'x'; HASHED_BYTES + 9];
    let first = FileIdentity::of(&shop(), b"first\nsecond\n", false);
    for (case, head, ended, known) in [
        ("nothing", &b""[..], false, false),
        ("nothing, ended", b"", true, false),
        ("unfinished", b"fir", false, false),
        ("unfinished but the last", b"fir", true, true),
        ("finished", b"first\n", false, true),
        ("longer than is hashed", &long, false, true),
        ("only a heading", b"#Fields: a b\n", false, false),
        ("heading and line", b"#Fields: a b\nfirst\n", false, true),
    ] {
        assert_eq!(FileIdentity::of(&shop(), head, ended).is_some(), known, "{case}");
    }
    assert_eq!(first, FileIdentity::of(&shop(), b"first", true), "a missing last newline changes nothing");
    assert_eq!(first, FileIdentity::of(&shop(), b"#Fields: a b\nfirst\n", false));
    assert_ne!(first, FileIdentity::of(&"other".parse().unwrap(), b"first\n", false));
    let key = first.as_ref().unwrap().key(0);
    assert!(key.starts_with("file:shop:") && key.len() == 26, "{key}");
    assert_eq!(first.unwrap().key(2), format!("{key}#2"));
    assert!(path_key(&shop(), "/var/log/a").starts_with("path:shop:"), "a service's ledger is found by its name");
}

#[test]
fn a_check_reads_the_last_line_only() {
    assert_eq!(Check::of(b"a\nlast\n"), Check::of(b"something else\nlast\n"));
    assert_ne!(Check::of(b"a\nlast\n"), Check::of(b"a\nlost\n"));
    assert_ne!(Check::of(b"a\nlast"), Check::of(b"a\nlast\n"));
    let long = [b'x'; 3 * HASHED_BYTES];
    assert_eq!(Check::of(&long), Check::of(&long[HASHED_BYTES..]));
}

#[test]
fn touching_ranges_become_one() {
    for (case, ranges, want) in [
        ("one after the other", vec![(0, 10), (10, 30)], vec![(0, 30)]),
        ("gap filled later", vec![(50, 60), (0, 10), (10, 50)], vec![(0, 60)]),
        ("gap stays", vec![(50, 60), (0, 10)], vec![(0, 10), (50, 60)]),
        ("start booked, then read", vec![(50, 50), (50, 60)], vec![(50, 60)]),
        ("start booked, past imported", vec![(50, 50), (0, 50)], vec![(0, 50)]),
        ("inside", vec![(0, 100), (20, 30)], vec![(0, 100)]),
    ] {
        let all = coverage(&ranges);
        assert_eq!(all.ranges().collect::<Vec<_>>(), want, "{case}");
        assert_eq!(all.to_string().parse::<Coverage>().unwrap(), all, "{case}");
    }
}

#[test]
fn content_is_compared_at_every_check_it_reaches() {
    let all = coverage(&[(0, 100_000), (100_000, 120_000), (120_000, 120_400)]);
    let content = |len: u64| move |offset: u64| (offset <= len).then(|| check_at(offset));
    assert_eq!(all.compare(content(130_000)), Verdict::Same);
    assert_eq!(all.compare(content(120_399)), Verdict::Shorter);
    assert_eq!(all.compare(content(100)), Verdict::Different);
    assert_eq!(all.compare(|_| Some(check_at(1))), Verdict::Different);
    assert_eq!(Coverage::default().compare(|_| None), Verdict::Same);
}

#[test]
fn a_receiver_takes_only_what_is_new() {
    let stored = coverage(&[(100, 200)]).to_string();
    let chunk = |from, to| admit(Some(&stored), &coverage(&[(from, to)]).to_string(), from, to);
    assert_eq!(chunk(0, 100).unwrap().parse::<Coverage>().unwrap().last(), Some((0, 200)));
    assert_eq!(chunk(120, 200), Err(NotNew::Covered));
    assert_eq!(chunk(150, 250), Err(NotNew::Overlaps));
    let first = coverage(&[(0, 5)]).to_string();
    assert_eq!(admit(None, &first, 0, 5), Ok(first.clone()));
    let alien = "0-200:00000000";
    assert!(admit(Some(&first), alien, 5, 200).is_ok());
    assert!(matches!(admit(Some(alien), &stored, 200, 300), Err(NotNew::Ledger(LedgerError::Conflict(200)))));
}

#[test]
fn a_damaged_mark_is_named() {
    for raw in
        ["x", "0-5", "5-0:00000000", "0-5:zz", "0-5:000000000", "-1-5:00000000", "0-5:00000000,", "+0-5:00000000"]
    {
        assert!(matches!(raw.parse::<Coverage>(), Err(LedgerError::Syntax(_))), "{raw}");
    }
    assert!(matches!("0-5:00000000,3-5:00000001".parse::<Coverage>(), Err(LedgerError::Conflict(5))));
    assert!(matches!("1".repeat(70_000).parse::<Coverage>(), Err(LedgerError::TooLong(_))));
    assert_eq!("".parse::<Coverage>(), Ok(Coverage::default()));
}

fn ranges() -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::vec((0u64..5000, 0u64..700).prop_map(|(from, length)| (from, from + length)), 0..24)
}

proptest! {
    #[test]
    fn a_mark_reads_back(ranges in ranges()) {
        let all = coverage(&ranges);
        prop_assert_eq!(all.to_string().parse::<Coverage>().unwrap(), all);
    }

    #[test]
    fn a_byte_is_covered_if_some_range_held_it(ranges in ranges(), offset in 0u64..6000) {
        let all = coverage(&ranges);
        let want = ranges.iter().any(|&(from, to)| from <= offset && offset < to);
        prop_assert_eq!(all.covers(offset), want);
        prop_assert_eq!(all.covered_bytes(offset, offset + 1) == 1, want);
    }

    #[test]
    fn merging_is_the_same_from_both_sides(left in ranges(), right in ranges()) {
        let (mut one, mut two) = (coverage(&left), coverage(&right));
        let before = one.clone();
        one.merge(&two).unwrap();
        two.merge(&before).unwrap();
        prop_assert_eq!(one.ranges().collect::<Vec<_>>(), two.ranges().collect::<Vec<_>>());
        prop_assert_eq!(&one, &two);
        prop_assert_eq!(one.compare(|offset| Some(check_at(offset))), Verdict::Same);
        let again = one.clone();
        one.merge(&again).unwrap();
        prop_assert_eq!(one, again);
    }

    #[test]
    fn a_long_tail_keeps_a_short_mark(steps in prop::collection::vec(1u64..1_000_000, 1..400)) {
        let mut all = Coverage::default();
        for step in steps {
            let from = all.end();
            all.extend(from, from + step, check_at(from + step));
        }
        prop_assert!(all.to_string().len() < 600, "{}", all);
        prop_assert_eq!(all.ranges().count(), 1);
    }

    #[test]
    fn no_text_breaks_the_parser(raw in ".{0,80}") {
        if let Ok(coverage) = raw.parse::<Coverage>() {
            prop_assert_eq!(coverage.to_string().parse::<Coverage>().unwrap(), coverage);
        }
    }
}
