use super::*;
use crate::arrow::array::RecordBatch;
use crate::{Append, LakeOptions};
use signal::{ErrorRow, ErrorRows, LogRow, LogRows, SampleRow, SampleRows, Severity, SpanRow, SpanRows, Table};
use std::sync::Arc;

/// A whole hour, so that steps begin with it.
const START: i64 = 1_699_999_200;
const SECOND: i64 = 1_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(START + second)
}

fn range(from: i64, to: i64) -> TimeRange {
    TimeRange { from: at(from), to: at(to) }
}

struct Fixture {
    lake: Arc<Lake>,
    _folder: tempfile::TempDir,
}

/// A lake whose first batches are sealed and whose last is not.
async fn lake_with(table: Table, batches: Vec<RecordBatch>) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open(LakeOptions::new(folder.path())).await.unwrap();
    let sealed = batches.len() - 1;
    for (number, batch) in batches.into_iter().enumerate() {
        lake.append(Append { rows: vec![(table, batch)], ..Append::default() }).await.unwrap();
        if number + 1 == sealed {
            lake.seal_now().await.unwrap();
        }
    }
    Fixture { lake, _folder: folder }
}

/// Second, group, service, person, release.
type ErrorCells<'a> = (i64, &'a str, &'a str, Option<&'a str>, Option<&'a str>);

fn errors(rows: &[ErrorCells<'_>]) -> RecordBatch {
    let mut out = ErrorRows::default();
    for (second, group, service, user, release) in rows {
        let message = format!("said at {second}");
        let row = ErrorRow {
            ts: at(*second),
            service,
            group_id: group,
            kind: "PaymentError",
            message: &message,
            user_key: *user,
            release: *release,
            trace_id: Some("t1"),
            stack: Some("pay (app/pay.rb:1) *\n"),
            source: "sentry",
            ..ErrorRow::default()
        };
        out.push(&row, [("runtime", "ruby")]);
    }
    out.finish()
}

fn error_query(order: ErrorOrder) -> ErrorQuery {
    ErrorQuery { range: range(0, 100), service: None, order, limit: 10, step_us: 50 * SECOND }
}

#[tokio::test]
async fn errors_are_grouped_counted_and_ordered() {
    let fixture = lake_with(
        Table::Errors,
        vec![
            errors(&[(1, "g1", "shop", Some("u1"), Some("r1")), (2, "g1", "shop", Some("u1"), Some("r1"))]),
            errors(&[(60, "g1", "shop", Some("u1"), Some("r2")), (3, "g2", "shop", Some("u1"), None)]),
            errors(&[
                (4, "g2", "shop", Some("u2"), None),
                (99, "g1", "blog", None, None),
                (100, "g3", "shop", None, None),
            ]),
        ],
    )
    .await;
    for (order, want) in [
        (ErrorOrder::Count, ["g1 shop", "g2 shop", "g1 blog"]),
        (ErrorOrder::Users, ["g2 shop", "g1 shop", "g1 blog"]),
        (ErrorOrder::LastSeen, ["g1 blog", "g1 shop", "g2 shop"]),
    ] {
        let found = fixture.lake.error_groups(&error_query(order)).await.unwrap();
        let got: Vec<String> =
            found.groups.iter().map(|group| format!("{} {}", group.group_id, group.service)).collect();
        assert_eq!(got, want, "{order:?}");
        assert_eq!((found.errors, found.group_count, found.users), (6, 2, 2));
        assert_eq!(found.bars, [(at(0), 4), (at(50), 2)]);
    }
    let found = fixture.lake.error_groups(&error_query(ErrorOrder::Count)).await.unwrap();
    let first = &found.groups[0];
    assert_eq!((first.count, first.users, first.trend.clone()), (3, 1, vec![2, 1]));
    assert_eq!((first.first_seen, first.last_seen), (at(1), at(60)));
    assert_eq!(first.message, "said at 60");
    assert_eq!(first.releases, [("r2".to_owned(), 1), ("r1".to_owned(), 2)]);
    let blog = ErrorQuery { service: Some("blog".into()), ..error_query(ErrorOrder::Count) };
    assert_eq!(fixture.lake.error_groups(&blog).await.unwrap().errors, 1);
}

#[tokio::test]
async fn a_group_was_first_seen_when_it_was_whatever_range_is_looked_at() {
    let fixture = lake_with(
        Table::Errors,
        vec![
            errors(&[(1, "old", "shop", None, None), (2, "old", "blog", None, None), (60, "old", "shop", None, None)]),
            errors(&[(70, "new", "shop", None, None)]),
        ],
    )
    .await;
    let firsts = async |from: i64, to: i64| {
        let query = ErrorQuery { range: range(from, to), ..error_query(ErrorOrder::Count) };
        let found = fixture.lake.error_groups(&query).await.unwrap();
        let first = |group: ErrorGroup| (format!("{} {}", group.group_id, group.service), group.first_seen);
        found.groups.into_iter().map(first).collect::<HashMap<_, _>>()
    };
    let want = HashMap::from([("old shop".to_owned(), at(1)), ("new shop".to_owned(), at(70))]);
    for _ in 0..2 {
        assert_eq!(firsts(50, 100).await, want, "found, and remembered");
    }
    // What is remembered of one range is true of all.
    assert_eq!(firsts(65, 100).await, HashMap::from([("new shop".to_owned(), at(70))]));
    assert_eq!(firsts(2, 65).await, HashMap::from([("old shop".to_owned(), at(1)), ("old blog".to_owned(), at(2))]));
    // Older errors may come later: an import, a clock.
    let late = vec![(Table::Errors, errors(&[(30, "new", "shop", None, None)]))];
    fixture.lake.append(Append { rows: late, ..Append::default() }).await.unwrap();
    assert_eq!(firsts(20, 100).await["new shop"], at(30));
    let found = fixture.lake.error_group("old", range(50, 100), None, 50 * SECOND).await.unwrap().unwrap();
    assert_eq!((found.first_seen, found.count), (at(1), 1));
}

#[tokio::test]
async fn one_group_tells_whom_it_hit_and_since_when() {
    let fixture = lake_with(
        Table::Errors,
        vec![
            errors(&[(1, "g1", "shop", Some("u1"), Some("r1"))]),
            errors(&[
                (2, "g1", "shop", Some("u1"), Some("r2")),
                (3, "g1", "blog", None, None),
                (4, "g2", "shop", None, None),
            ]),
        ],
    )
    .await;
    let found = fixture.lake.error_group("g1", range(0, 100), None, 50 * SECOND).await.unwrap().unwrap();
    assert_eq!((found.count, found.users, found.first_seen, found.last_seen), (3, 1, at(1), at(3)));
    let names = |shares: &[ErrorShare]| -> Vec<(Option<String>, u64)> {
        shares.iter().map(|share| (share.name.clone(), share.count)).collect()
    };
    assert_eq!(names(&found.services), [(Some("shop".into()), 2), (Some("blog".into()), 1)]);
    assert_eq!(names(&found.releases), [(None, 1), (Some("r2".into()), 1), (Some("r1".into()), 1)]);
    assert_eq!(names(&found.people), [(Some("u1".into()), 2), (None, 1)]);
    assert_eq!(found.records.iter().map(|record| record.ts).collect::<Vec<_>>(), [at(3), at(2), at(1)]);
    assert_eq!(found.records[0].attrs, [("runtime".to_owned(), "ruby".to_owned())]);
    assert!(fixture.lake.error_group("'; --", range(0, 100), None, 50 * SECOND).await.unwrap().is_none());
    let seen = fixture.lake.errors_last_seen(&["g1".into(), "gone".into()], range(3, 100)).await.unwrap();
    assert_eq!(seen, HashMap::from([("g1".to_owned(), at(3))]));
}

/// Second, trace, span, parent, name, duration.
type SpanCells<'a> = (i64, &'a str, &'a str, Option<&'a str>, &'a str, Option<u64>);

fn spans(rows: &[SpanCells<'_>]) -> RecordBatch {
    let mut out = SpanRows::default();
    for (second, trace, span, parent, name, duration) in rows {
        let row = SpanRow {
            ts: at(*second),
            service: if parent.is_some() { "db" } else { "shop" },
            trace_id: trace,
            span_id: span,
            parent_id: *parent,
            name,
            kind: "server",
            status: name.contains("fail").then_some("error"),
            duration_us: *duration,
            source: "otlp",
            ..SpanRow::default()
        };
        out.push(&row, [("http.route", "/x")]);
    }
    out.finish()
}

#[tokio::test]
async fn traces_are_found_by_their_roots_with_all_their_spans_counted() {
    let fixture = lake_with(
        Table::Spans,
        vec![
            spans(&[
                (1, "t1", "a", None, "GET /Cart", Some(500_000)),
                (2, "t1", "b", Some("a"), "SELECT fail", Some(1)),
            ]),
            spans(&[(5, "t2", "c", None, "POST /checkout", Some(90_000)), (200, "t2", "d", Some("c"), "later", None)]),
            spans(&[(6, "t3", "e", Some("gone"), "orphan", Some(1)), (7, "t4", "f", None, "100%_", None)]),
        ],
    )
    .await;
    let query = |words: &[&str], least_us, limit| TraceQuery {
        range: range(0, 100),
        service: None,
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        least_us,
        limit,
    };
    for (case, query, want, more) in [
        ("all", query(&[], None, 10), vec!["t4", "t2", "t1"], false),
        ("by word, in any case", query(&["cart", "get"], None, 10), vec!["t1"], false),
        ("signs are signs", query(&["100%_"], None, 10), vec!["t4"], false),
        ("not SQL", query(&["' OR 1=1 --"], None, 10), vec![], false),
        ("slow ones", query(&[], Some(100_000), 10), vec!["t1"], false),
        ("few", query(&[], None, 2), vec!["t4", "t2"], true),
        ("of a service", TraceQuery { service: Some("db".into()), ..query(&[], None, 10) }, vec![], false),
    ] {
        let found = fixture.lake.traces(&query).await.unwrap();
        let ids: Vec<&str> = found.traces.iter().map(|trace| trace.trace_id.as_str()).collect();
        assert_eq!((ids, found.more), (want, more), "{case}");
    }
    let found = fixture.lake.traces(&query(&[], None, 10)).await.unwrap();
    let counts: Vec<_> = found.traces.iter().map(|trace| (trace.spans, trace.errors, trace.services)).collect();
    assert_eq!(counts, [(1, 0, 1), (2, 0, 2), (2, 1, 2)]);
    let detail = fixture.lake.trace("t1", range(0, 100)).await.unwrap();
    assert_eq!(detail.spans.iter().map(|span| span.span_id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!((detail.spans[1].parent_id.as_deref(), detail.more_spans), (Some("a"), false));
    assert!(fixture.lake.trace("none", range(0, 100)).await.unwrap().spans.is_empty());
}

#[tokio::test]
async fn a_trace_brings_its_lines_and_errors() {
    let fixture = lake_with(Table::Spans, vec![spans(&[(1, "t1", "a", None, "x", None)])]).await;
    let rows = vec![
        (Table::Errors, errors(&[(2, "g", "shop", None, None)])),
        (Table::Logs, lines(&[(3, "a", None, Some("t1")), (4, "b", None, Some("t2"))])),
    ];
    fixture.lake.append(Append { rows, ..Append::default() }).await.unwrap();
    let found = fixture.lake.trace("t1", range(0, 100)).await.unwrap();
    assert_eq!((found.spans.len(), found.errors.len(), found.lines.len()), (1, 1, 1));
    assert_eq!(found.lines[0].body, "a");
}

/// Samples of `name`: second, host, label `code`, value.
fn samples(name: &str, rows: &[(i64, &str, Option<&str>, f64)]) -> RecordBatch {
    let mut out = SampleRows::default();
    for (second, host, code, value) in rows {
        let row = SampleRow {
            ts: at(*second),
            service: Some("shop"),
            host: Some(host),
            name,
            value: *value,
            source: "remote_write",
        };
        let labels: Vec<(&str, &str)> = code.iter().map(|code| ("code", *code)).collect();
        out.push(&row, &labels);
    }
    out.finish()
}

fn metric(name: &str, by: Option<&str>, rate: bool, fold: Fold) -> MetricQuery {
    MetricQuery {
        name: name.into(),
        range: range(0, 120),
        service: None,
        step_us: 60 * SECOND,
        by: by.map(str::to_owned),
        rate,
        fold,
    }
}

fn values(series: &MetricSeries) -> Vec<(Option<&str>, Vec<Option<f64>>)> {
    series.lines.iter().map(|line| (line.label.as_deref(), line.values.clone())).collect()
}

#[tokio::test]
async fn counters_become_rates_and_begin_anew() {
    let fixture = lake_with(
        Table::Samples,
        vec![
            // Before the range: only its last value counts.
            samples("http_total", &[(-10, "a", Some("200"), 100.0)]),
            samples("http_total", &[(20, "a", Some("200"), 160.0), (50, "a", Some("200"), 190.0)]),
            // The process began anew at 60 and had counted 30 by 80; b is there once only.
            samples(
                "http_total",
                &[
                    (80, "a", Some("200"), 30.0),
                    (90, "b", Some("500"), 7.0),
                    (20, "c", None, 1.0),
                    (40, "c", None, 41.0),
                ],
            ),
        ],
    )
    .await;
    let all = fixture.lake.metric_series(&metric("http_total", None, true, Fold::Mean)).await.unwrap();
    assert_eq!(values(&all), [(Some(""), vec![Some(1.5 + 2.0), Some(1.0)])]);
    let by_code = fixture.lake.metric_series(&metric("http_total", Some("code"), true, Fold::Mean)).await.unwrap();
    assert_eq!(values(&by_code), [(Some("200"), vec![Some(1.5), Some(1.0)]), (None, vec![Some(2.0), None])]);
    assert_eq!(by_code.labels, [("code".to_owned(), 2), ("host".to_owned(), 3), ("service".to_owned(), 1)]);
}

#[tokio::test]
async fn values_are_folded_as_asked() {
    let fixture = lake_with(
        Table::Samples,
        vec![
            samples("mem", &[(0, "a", None, 10.0), (30, "a", None, 20.0), (0, "b", None, 100.0)]),
            samples("mem", &[(70, "b", None, 7.0), (0, "it's \"b\"", None, f64::NAN)]),
        ],
    )
    .await;
    for (fold, want) in [
        (Fold::Sum, [Some(115.0), Some(7.0)]),
        (Fold::Mean, [Some(57.5), Some(7.0)]),
        (Fold::Min, [Some(15.0), Some(7.0)]),
        (Fold::Max, [Some(100.0), Some(7.0)]),
    ] {
        let by_host = MetricQuery { service: Some("shop".into()), ..metric("mem", Some("host"), false, fold) };
        let hosts = fixture.lake.metric_series(&by_host).await.unwrap();
        assert_eq!(hosts.series, 2, "what is no number is no series");
        let of = |name: &str| hosts.lines.iter().find(|line| line.label.as_deref() == Some(name)).unwrap();
        assert_eq!(of("a").values, [Some(15.0), None], "{fold:?}");
        assert_eq!(of("b").values, [Some(100.0), Some(7.0)], "{fold:?}");
        let one = fixture.lake.metric_series(&metric("mem", None, false, fold)).await.unwrap();
        assert_eq!(one.lines[0].values, want, "{fold:?}");
    }
    let names = fixture.lake.metric_names(range(0, 120)).await.unwrap();
    assert_eq!(names.names.len(), 1);
    assert_eq!((names.names[0].series, names.names[0].last_seen), (3, at(70)));
    assert_eq!(names.names[0].services, ["shop"]);
}

#[tokio::test]
async fn lines_beyond_the_limit_are_counted() {
    let hosts: Vec<String> = (0..60).map(|at| format!("host-{at:02}")).collect();
    let rows: Vec<(i64, &str, Option<&str>, f64)> =
        hosts.iter().enumerate().map(|(at, host)| (1, host.as_str(), None, at as f64)).collect();
    let fixture = lake_with(Table::Samples, vec![samples("m", &rows)]).await;
    let found = fixture.lake.metric_series(&metric("m", Some("host"), false, Fold::Mean)).await.unwrap();
    assert_eq!((found.lines.len(), found.lines_left_out, found.series), (50, 10, 60));
    assert_eq!(found.lines[0].label.as_deref(), Some("host-59"));
}

fn lines(rows: &[(i64, &str, Option<Severity>, Option<&str>)]) -> RecordBatch {
    let mut out = LogRows::default();
    for (second, body, severity, trace_id) in rows {
        let row = LogRow {
            ts: at(*second),
            service: "shop",
            severity: severity.map(Severity::as_str),
            body,
            trace_id: *trace_id,
            source: "forward",
            ..LogRow::default()
        };
        out.push(&row, [("stream", "stdout")]);
    }
    out.finish()
}

fn line_query(filter: LineFilter) -> LineQuery {
    LineQuery { range: range(-100_000, 100_000), filter, limit: 100, cursor: None }
}

#[tokio::test]
async fn lines_are_found_by_words_severity_and_pattern() {
    let fixture = lake_with(
        Table::Logs,
        vec![
            lines(&[(1, "order 7 paid", Some(Severity::Info), None), (2, "order 8 paid", Some(Severity::Warn), None)]),
            lines(&[(3, "ORDER lost", Some(Severity::Fatal), None), (-90_000, "100%_ it's \"old\"", None, None)]),
        ],
    )
    .await;
    let words = |text: &str| LineFilter { words: LineWords::parse(text).unwrap(), ..LineFilter::default() };
    for (case, filter, want) in [
        ("all", LineFilter::default(), vec![3, 2, 1, -90_000]),
        ("a word in any case", words("order"), vec![3, 2, 1]),
        ("without a word", words("order -paid"), vec![3]),
        ("signs are signs", words("100%_ it's"), vec![-90_000]),
        ("not SQL", words("' OR '1'='1"), vec![]),
        ("at least", LineFilter { least: Some(Severity::Warn), ..LineFilter::default() }, vec![3, 2]),
        ("a pattern", LineFilter { pattern: Some("order <n> paid".into()), ..LineFilter::default() }, vec![2, 1]),
        ("another service", LineFilter { service: Some("blog".into()), ..LineFilter::default() }, vec![]),
    ] {
        let found = fixture.lake.log_lines(&line_query(filter.clone())).await.unwrap();
        let seconds: Vec<i64> = found.lines.iter().map(|line| line.ts.micros() / SECOND - START).collect();
        assert_eq!(seconds, want, "{case}");
        let bars = fixture.lake.log_line_histogram(range(-100_000, 100_000), &filter, 1_000 * SECOND).await.unwrap();
        assert_eq!(bars.total, want.len() as u64, "{case}");
    }
    let bars = fixture.lake.log_line_histogram(range(0, 10), &LineFilter::default(), 10 * SECOND).await.unwrap();
    assert_eq!(bars.bars, [(at(0), [0, 0, 0, 1, 1, 0, 1])]);
}

#[tokio::test]
async fn pages_show_every_line_once_though_many_share_a_moment() {
    let bodies: Vec<String> = (0..25).map(|at| format!("line {}", at % 20)).collect();
    let second = |at: usize| i64::try_from(if at < 20 { 5 } else { at }).unwrap();
    let rows: Vec<_> = bodies.iter().enumerate().map(|(at, body)| (second(at), body.as_str(), None, None)).collect();
    let fixture = lake_with(Table::Logs, vec![lines(&rows[..10]), lines(&rows[10..])]).await;
    let whole = fixture.lake.log_lines(&line_query(LineFilter::default())).await.unwrap();
    assert_eq!((whole.lines.len(), whole.next_cursor), (25, None));
    for limit in [1, 3, 7, 24] {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let query = LineQuery { limit, cursor, ..line_query(LineFilter::default()) };
            let page = fixture.lake.log_lines(&query).await.unwrap();
            assert!(page.lines.len() <= limit);
            found.extend(page.lines);
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(found, whole.lines, "{limit}");
    }
}
