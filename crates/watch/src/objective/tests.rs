use super::*;

fn objective(good: &str, valid: Option<&str>, route: Option<&str>) -> Objective {
    Objective {
        name: "fast".to_owned(),
        service: "shop".to_owned(),
        route: route.map(str::to_owned),
        subject: Subject::Requests {
            good: Condition::compile(good).unwrap(),
            valid: valid.map(|valid| Condition::compile(valid).unwrap()),
        },
        target: Target::from_percent(99.0).unwrap(),
        window: Window::Rolling(Span::from_seconds(30 * 86_400)),
        min_bad: 3,
    }
}

const REQUEST: Request<'static> = Request {
    status: 200,
    duration_us: Some(100_000),
    method: "GET",
    route: "GET /",
    path: "/",
    host: None,
    user_agent: None,
    service: "shop",
    bytes: None,
    attrs: &[],
};

#[test]
fn a_target_is_exact_and_a_hundred_is_refused_with_the_reason() {
    let bits = |percent: f64| Target::from_percent(percent).unwrap().budget().to_bits();
    assert_eq!((bits(99.9), bits(99.98)), (0.001f64.to_bits(), 0.0002f64.to_bits()));
    assert_eq!(Target::from_percent(99.9).unwrap().to_string(), "99.9");
    for (percent, want) in [
        (
            100.0,
            "a target of 100 leaves no budget: one bad request ever would break it; write 99.9, or 99.99 if you must",
        ),
        (0.0, "0 is no target; write a percentage above 0 and below 100, such as 99.9"),
        (-1.0, "-1 is no target; write a percentage above 0 and below 100, such as 99.9"),
        (999.0, "999 is no target; write a percentage above 0 and below 100, such as 99.9"),
        (f64::NAN, "NaN is no target; write a percentage above 0 and below 100, such as 99.9"),
        (99.999_999_99, "99.99999999 is finer than a millionth of a percent; write fewer digits"),
    ] {
        assert_eq!(Target::from_percent(percent).unwrap_err().to_string(), want);
    }
}

#[test]
fn a_request_without_a_duration_is_neither_good_nor_bad_for_latency() {
    let fast = objective("duration_ms < 300", Some("status < 500"), Some("GET /"));
    for (case, request, want) in [
        ("good", REQUEST, Judgement::Good),
        ("slow", Request { duration_us: Some(300_000), ..REQUEST }, Judgement::Bad),
        ("no duration", Request { duration_us: None, ..REQUEST }, Judgement::Unknown),
        ("not valid", Request { status: 500, ..REQUEST }, Judgement::NotValid),
        ("another route", Request { route: "GET /cart", ..REQUEST }, Judgement::NotValid),
        ("another service", Request { service: "blog", ..REQUEST }, Judgement::NotValid),
    ] {
        assert_eq!(fast.judge(&request), want, "{case}");
    }
    let unsure = objective("status < 500", Some("host == \"a\""), None);
    assert_eq!(unsure.judge(&REQUEST), Judgement::Unknown, "whether it counts is not known");
}

#[test]
fn the_past_is_counted_in_sql_as_the_present_is_judged() {
    let (aggregates, rows) =
        objective("duration_ms < 300", Some("status < 500"), Some("GET /it's")).count_sql().unwrap();
    assert_eq!(rows, "(service = 'shop' AND route = 'GET /it''s')");
    insta::assert_snapshot!(aggregates, @"count(*) FILTER (WHERE (status < 500) AND (duration_us < 300000)) AS good, count(*) FILTER (WHERE (status < 500) AND (duration_us < 300000) IS NOT NULL) AS valid, count(*) FILTER (WHERE ((status < 500)) IS NULL OR ((status < 500) AND (duration_us < 300000) IS NULL)) AS unknown");
    assert_eq!(
        objective("status < 500", None, None).bad_sql().unwrap(),
        "((service = 'shop') AND TRUE AND NOT (status < 500))"
    );
}

#[test]
fn the_time_to_exhaustion_follows_the_burn_of_the_last_hour() {
    let day = 86_400_000_000.0;
    let in_days = |days: i64| Exhaustion::In(Span::from_seconds(days * 86_400));
    for (case, left, burn, rest, want) in [
        ("whole budget at burn 10", Some(1.0), Some(10.0), f64::INFINITY, in_days(3)),
        ("half of it", Some(0.5), Some(5.0), f64::INFINITY, in_days(3)),
        ("gone", Some(-0.1), Some(0.0), f64::INFINITY, Exhaustion::Already),
        ("rolling at burn 1", Some(0.2), Some(1.0), f64::INFINITY, Exhaustion::NotInWindow),
        ("month at burn 1, ten days left", Some(0.2), Some(1.0), 10.0 * day, in_days(6)),
        ("month, five days left", Some(0.2), Some(1.0), 5.0 * day, Exhaustion::NotInWindow),
        ("no traffic", Some(1.0), None, f64::INFINITY, Exhaustion::Unknown),
        ("nothing ever", None, None, f64::INFINITY, Exhaustion::Unknown),
    ] {
        assert_eq!(exhaustion(left, burn, 30.0 * day, rest), want, "{case}");
    }
}

#[test]
fn a_young_calendar_window_says_what_is_left_of_the_whole_month() {
    let month = Window::new("month".parse().unwrap(), "UTC").unwrap();
    let objective = Objective { window: month, ..objective("status < 500", None, None) };
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let now = at("2026-04-04T00:00:00Z");
    let mut counts = Counts::new(objective.window.longest(), now);
    counts.see(TimeRange { from: at("2026-03-20T00:00:00Z"), to: now });
    counts.add(at("2026-03-31T23:59:00Z"), Tally { good: 0, valid: 900, unknown: 0 });
    counts.add(at("2026-04-01T00:00:00Z"), Tally { good: 950, valid: 1000, unknown: 7 });
    let standing = standing(&objective, &counts, now);
    // 5 % bad against a budget of 1 %, of three days out of thirty.
    assert_eq!(standing.sum.tally, Tally { good: 950, valid: 1000, unknown: 7 });
    assert!((standing.left.unwrap() + 4.0).abs() < 1e-9);
    assert!((standing.left_of_window.unwrap() - 0.5).abs() < 1e-9);
    assert_eq!(standing.burn_1h, None);
}
