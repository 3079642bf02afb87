use super::*;

fn line(path: &str, status: u16, seconds: &str) -> String {
    format!(
        "203.0.113.9 - - [17/May/2015:10:05:03 +0000] \"GET {path} HTTP/1.1\" {status} 12 \"-\" \"curl\" {seconds}\n"
    )
}

fn report(options: Options, log: &[u8]) -> Report {
    let mut table = Table::new(options);
    table.feed(log);
    table.finish()
}

fn log() -> String {
    let mut log = String::new();
    for n in 1..=100 {
        log += &line(&format!("/items/{n}?q=1"), 200, &format!("{}.{:03}", n / 10, n % 10 * 100));
    }
    for n in 0..10 {
        log += &line("/cart", if n == 0 { 503 } else { 200 }, "0.010");
    }
    log += &line("/fast", 200, "-");
    log
}

#[test]
fn count_and_time_stand_side_by_side() {
    let report = report(Options { exact: true, ..Options::default() }, log().as_bytes());
    assert_eq!((report.lines, report.parsed, report.rejected, report.quantile_error), (111, 111, 0, 0.0));
    let names: Vec<_> = report.rows.iter().map(|row| (row.route.as_str(), row.count, row.errors)).collect();
    assert_eq!(names, [("GET /items/:id", 100, 0), ("GET /cart", 10, 1), ("GET /fast", 1, 0)]);
    let items = &report.rows[0];
    assert_eq!((items.p50_ms, items.p95_ms, items.p99_ms), (Some(5_000.0), Some(9_500.0), Some(9_900.0)));
    assert_eq!((items.total_ms, items.mean_ms), (Some(505_000.0), Some(5_050.0)));
    assert_eq!(items.share, Some(505_000.0 / 505_100.0));
    let unknown = &report.rows[2];
    assert_eq!((unknown.timed, unknown.total_ms, unknown.share, unknown.p50_ms), (0, None, None, None));
    let cart = &report.rows[1];
    assert!(cart.error_ratio_low < 0.1 && cart.error_ratio_high > 0.1 && (cart.error_ratio - 0.1).abs() < 1e-12);
}

#[test]
fn sketched_quantiles_are_within_one_percent() {
    let exact = report(Options { exact: true, ..Options::default() }, log().as_bytes());
    let sketched = report(Options::default(), log().as_bytes());
    assert!((sketched.quantile_error - 0.01).abs() < f64::EPSILON);
    for (a, b) in exact.rows.iter().zip(&sketched.rows) {
        for (a, b) in [(a.p50_ms, b.p50_ms), (a.p95_ms, b.p95_ms), (a.p99_ms, b.p99_ms)] {
            assert!(a.zip(b).is_none_or(|(a, b)| (a - b).abs() <= a * 0.01 + 0.001), "{a:?} {b:?}");
        }
    }
}

#[test]
fn rows_are_sorted_as_asked_and_limited() {
    for (sort, first) in
        [("total", "GET /items/:id"), ("count", "GET /items/:id"), ("p95", "GET /items/:id"), ("errors", "GET /cart")]
    {
        let report =
            report(Options { sort: sort.parse().unwrap(), limit: Some(1), ..Options::default() }, log().as_bytes());
        assert_eq!((report.rows.len(), report.rows[0].route.as_str(), report.routes), (1, first, 3), "{sort}");
    }
    assert!("speed".parse::<RequestSort>().is_err());
}

#[test]
fn chunks_may_be_cut_anywhere() {
    let log = log().replace('\n', "\r\n") + "not a line";
    let whole = report(Options::default(), log.as_bytes());
    assert_eq!((whole.lines, whole.parsed, whole.rejects[0].reason), (112, 111, "no_time"));
    for size in [1, 7, 100, 4096] {
        let mut table = Table::new(Options::default());
        log.as_bytes().chunks(size).for_each(|chunk| table.feed(chunk));
        assert_eq!(table.finish(), whole, "chunks of {size}");
    }
}

#[test]
fn a_line_without_end_is_refused_in_bounded_memory() {
    let mut table = Table::new(Options::default());
    table.feed(log().as_bytes());
    for _ in 0..40 {
        table.feed(&vec![b'x'; 100_000]);
        assert!(table.held.len() <= MAX_LINE + 2);
    }
    table.feed(b"\n");
    table.feed(line("/after", 200, "0.1").as_bytes());
    let report = table.finish();
    assert_eq!((report.lines, report.rejected, report.rejects[0].reason), (113, 1, "too_long"));
}

#[test]
fn a_log_that_nobody_knows_is_rejected_line_by_line() {
    let report = report(Options::default(), b"hello\n\nworld\n");
    let reasons: Vec<_> = report.rejects.iter().map(|reject| (reject.reason, reject.count)).collect();
    assert_eq!((report.format, report.lines, report.rejected), (None, 3, 3));
    assert_eq!(reasons, [("unknown_format", 2), ("blank", 1)]);
}

#[test]
fn noise_in_front_of_a_log_does_not_hide_it() {
    let noise = "starting up\n".repeat(150);
    let report = report(Options::default(), format!("{noise}{}", log().repeat(3)).as_bytes());
    assert_eq!((report.format.as_deref(), report.lines), (Some("combined"), 150 + 333));
    assert!(report.parsed >= 283, "{}", report.parsed);
}

#[test]
fn files_may_differ_in_format() {
    let mut table = Table::new(Options::default());
    table.feed(log().as_bytes());
    table.end_file();
    table.feed(br#"{"time":"2015-05-17T10:05:04Z","method":"GET","uri":"/cart","status":200,"request_time":0.1}"#);
    let report = table.finish();
    assert_eq!((report.format.as_deref(), report.parsed), (Some("combined+json"), 112));
    assert_eq!(report.to.unwrap().to_string(), "2015-05-17T10:05:04Z");
}

#[test]
fn routes_beyond_the_limit_are_said() {
    let word = |n: u32| -> String { n.to_string().bytes().map(|b| char::from(b - b'0' + b'g')).collect() };
    let log: String = (0..1_500).map(|n| line(&format!("/{}", word(n)), 200, "0.1")).collect();
    let report = report(Options::default(), log.as_bytes());
    assert_eq!((report.routes, report.routes_limit, report.other_requests), (1_000, 1_000, 500));
    assert!((475..=525).contains(&report.routes_over_limit), "{}", report.routes_over_limit);
    assert_eq!(report.rows[0].route, "(other)");
}

#[test]
fn the_json_has_the_fields_of_the_contract() {
    let log = log() + "broken?token=s3cret\n";
    let mut report = report(Options { limit: Some(2), ..Options::default() }, log.as_bytes());
    for row in &mut report.rows {
        row.error_ratio_high = (row.error_ratio_high * 1e4).round() / 1e4;
        row.error_ratio_low = (row.error_ratio_low * 1e4).round() / 1e4;
        row.share = row.share.map(|share| (share * 1e4).round() / 1e4);
    }
    insta::assert_json_snapshot!(report);
}
