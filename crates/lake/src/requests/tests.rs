use super::*;
use crate::{Append, LakeOptions};
use base::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use signal::filter::{RequestRecord, quote};
use signal::{RequestRow, RequestRows, Table};
use std::sync::Arc;

const START: i64 = 1_700_000_000_000_000;
const SECOND: i64 = 1_000_000;

struct Fixture {
    lake: Arc<Lake>,
    rows: Vec<RequestRecord>,
    folder: tempfile::TempDir,
}

fn batch(rows: &[RequestRecord]) -> crate::arrow::array::RecordBatch {
    let mut out = RequestRows::default();
    let unsigned = |value: Option<i64>| value.map(|value| u64::try_from(value).unwrap());
    for row in rows {
        let borrowed = RequestRow {
            ts: row.ts,
            service: &row.service,
            host: row.host.as_deref(),
            method: &row.method,
            route: &row.route,
            path: &row.path,
            status: u16::try_from(row.status).unwrap(),
            duration_us: unsigned(row.duration_us),
            bytes: unsigned(row.bytes),
            user_key: row.user_key.as_deref(),
            trace_id: row.trace_id.as_deref(),
            source: &row.source,
        };
        out.push(&borrowed, row.attrs.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    }
    out.finish()
}

impl Fixture {
    /// A lake with these rows: the first two thirds in two sealed files, the rest not sealed yet.
    async fn with(rows: Vec<RequestRecord>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open(LakeOptions::new(folder.path())).await.unwrap();
        let third = rows.len().div_ceil(3).max(1);
        for (at, part) in rows.chunks(third).enumerate() {
            lake.append(Append { rows: vec![(Table::Requests, batch(part))], ..Append::default() }).await.unwrap();
            if at < 2 {
                lake.seal_now().await.unwrap();
            }
        }
        Self { lake, rows, folder }
    }

    async fn page(&self, query: &RowQuery) -> RowPage {
        self.lake.request_rows(query).await.unwrap()
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(START + second * SECOND)
}

fn range(from: i64, to: i64) -> TimeRange {
    TimeRange { from: at(from), to: at(to) }
}

fn row(second: i64, path: &str, status: i32) -> RequestRecord {
    RequestRecord {
        ts: at(second),
        service: "shop".into(),
        method: "GET".into(),
        route: format!("GET {path}"),
        path: path.into(),
        status,
        source: "http".into(),
        ..RequestRecord::default()
    }
}

fn query(limit: usize) -> RowQuery {
    let range = range(-1000, 1_000_000);
    RowQuery { range, filter: None, service: None, route: None, order: RowOrder::Newest, limit, cursor: None }
}

fn filter(text: &str) -> Filter {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Text that other languages would take for something else.
const HOSTILE: [&str; 9] = [
    "/商品/りんご",
    "/100%",
    "/a_b",
    "/it's",
    "/\"quoted\"",
    "/back\\slash",
    "/'; DROP TABLE requests; --",
    "/%_\\%",
    "/star*",
];

#[tokio::test]
async fn text_of_any_kind_finds_itself_and_nothing_else() {
    let rows = HOSTILE.iter().zip(0..).map(|(path, at)| row(at, path, 200)).collect();
    let lake = Fixture::with(rows).await;
    for path in HOSTILE {
        let route = quote(&format!("GET {path}"));
        let with_star = route.strip_suffix('"').unwrap();
        for text in [format!("path:{}", quote(path)), format!("route:{with_star}*\"")] {
            let page = lake.page(&RowQuery { filter: Some(filter(&text)), ..query(100) }).await;
            let paths: Vec<&str> = page.rows.iter().map(|row| row.path.as_str()).collect();
            assert_eq!(paths, [path], "{text}");
        }
        let page = lake.page(&RowQuery { filter: Some(filter(&quote(&path[1..]))), ..query(100) }).await;
        assert!(page.rows.iter().any(|row| row.path == path), "bare {path}");
        let page = lake.page(&RowQuery { route: Some(format!("GET {path}")), ..query(100) }).await;
        assert_eq!(page.rows.len(), 1, "route {path}");
        let page = lake.page(&RowQuery { service: Some(path.into()), ..query(100) }).await;
        assert_eq!(page.rows.len(), 0, "service {path}");
    }
}

#[tokio::test]
async fn pages_show_every_row_once_though_many_share_a_moment() {
    let mut rows = Vec::new();
    for second in [5, 5, 5, 5, 5, 5, 5, 9, 9, 100, 100, 100, 40_000] {
        let mut row = row(second, "/same", 200);
        // The rows of a moment differ at most in their duration and one attribute.
        row.attrs = vec![("n".into(), (rows.len() % 3).to_string())];
        row.duration_us = (rows.len() % 4 != 0).then_some(i64::try_from(rows.len() % 2).unwrap());
        rows.push(row);
    }
    let lake = Fixture::with(rows).await;
    for order in [RowOrder::Newest, RowOrder::Slowest] {
        let whole = lake.page(&RowQuery { order, ..query(1000) }).await;
        assert_eq!(whole.next_cursor, None);
        let timed = lake.rows.iter().filter(|row| order == RowOrder::Newest || row.duration_us.is_some());
        assert_eq!(whole.rows.len(), timed.count());
        for limit in [1, 2, 3, 5, whole.rows.len()] {
            let (mut seen, mut cursor) = (Vec::new(), None);
            loop {
                let page = lake.page(&RowQuery { order, cursor, ..query(limit) }).await;
                assert!(page.rows.len() <= limit);
                seen.extend(page.rows);
                cursor = page.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seen, whole.rows, "pages of {limit}, {order:?}");
        }
    }
}

#[tokio::test]
async fn a_row_that_arrives_between_pages_repeats_none() {
    let lake = Fixture::with((0..6).map(|n| row(7, &format!("/m{n}"), 200)).collect()).await;
    let first = lake.page(&query(3)).await;
    let late = [row(7, "/a", 200), row(8, "/new", 200)];
    lake.lake.append(Append { rows: vec![(Table::Requests, batch(&late))], ..Append::default() }).await.unwrap();
    let second = lake.page(&RowQuery { cursor: first.next_cursor, ..query(10) }).await;
    let paths: Vec<&str> = first.rows.iter().chain(&second.rows).map(|row| row.path.as_str()).collect();
    assert_eq!(paths, ["/m0", "/m1", "/m2", "/m3", "/m4", "/m5"]);
}

#[tokio::test]
async fn the_newest_rows_are_inside_the_range_and_in_order() {
    let lake = Fixture::with((0..300).map(|n| row((n * 7919) % 86_400, "/", 200)).collect()).await;
    for (from, to, limit) in
        [(0, 86_400, 10), (0, 86_400, 1000), (1000, 50_000, 20), (50_000, 50_001, 5), (90_000, 95_000, 5)]
    {
        let mut want: Vec<Timestamp> =
            lake.rows.iter().map(|row| row.ts).filter(|ts| range(from, to).contains(*ts)).collect();
        want.sort_by(|a, b| b.cmp(a));
        want.truncate(limit);
        let page = lake.page(&RowQuery { range: range(from, to), ..query(limit) }).await;
        let got: Vec<Timestamp> = page.rows.iter().map(|row| row.ts).collect();
        assert_eq!(got, want, "{from}..{to}");
    }
}

#[tokio::test]
async fn a_histogram_has_a_bar_for_each_step_and_counts_what_matches() {
    let rows = vec![row(0, "/a", 200), row(1, "/a", 404), row(61, "/b", 500), row(62, "/a", 302), row(500, "/a", 503)];
    let lake = Fixture::with(rows).await;
    let start = at(0).floor(60 * SECOND);
    let to = start.plus_seconds(240);
    let range = TimeRange { from: start.plus_micros(3), to };
    let all = lake.lake.histogram(range, None, Some("shop"), 60 * SECOND).await.unwrap();
    assert_eq!((all.bars.len(), all.bars[0].start, all.total), (4, start, 4));
    let sums = all
        .bars
        .iter()
        .fold((0, 0, 0), |sum, bar| (sum.0 + bar.ok, sum.1 + bar.client_errors, sum.2 + bar.server_errors));
    assert_eq!(sums, (2, 1, 1));
    let some = lake.lake.histogram(range, Some(&filter("path:/a")), None, 60 * SECOND).await.unwrap();
    assert_eq!(some.total, 3);
    let nothing = lake.lake.histogram(range, None, Some("other"), 60 * SECOND).await.unwrap();
    assert_eq!((nothing.total, nothing.bars.len()), (0, 4));
    let error = lake.lake.histogram(self::range(0, 1_000_000), None, None, SECOND).await.unwrap_err();
    assert!(matches!(error, QueryError::Invalid(_)), "{error}");
}

#[tokio::test]
async fn facets_are_the_commonest_values() {
    let mut rows: Vec<_> =
        [200, 200, 200, 404, 500, 500].into_iter().zip(0..).map(|(status, at)| row(at, "/a", status)).collect();
    rows[0].attrs = vec![("agent".into(), "curl".into())];
    rows[1].attrs = vec![("agent".into(), "りんご".into())];
    rows[2].attrs = rows[1].attrs.clone();
    let lake = Fixture::with(rows).await;
    let facets = async |field: &str, limit| lake.lake.facets(range(0, 100), None, None, field, limit).await;
    let values =
        |given: &[(&str, u64)]| given.iter().map(|(text, rows)| ((*text).to_owned(), *rows)).collect::<Vec<_>>();
    assert_eq!(facets("status", 2).await.unwrap().values, values(&[("200", 3), ("500", 2)]));
    assert_eq!(facets("agent", 10).await.unwrap().values, values(&[("りんご", 2), ("curl", 1)]));
    assert_eq!(facets("host", 10).await.unwrap().values, values(&[]));
    assert!(matches!(facets("duration", 10).await, Err(QueryError::Invalid(_))));
    let some = lake.lake.facets(range(0, 100), Some(&filter("status>=400")), Some("shop"), "path", 5).await.unwrap();
    assert_eq!(some.values, values(&[("/a", 3)]));
}

#[tokio::test]
async fn people_who_saw_errors_are_read_from_the_lake() {
    let one = |second, user: Option<&str>, status| RequestRecord {
        user_key: user.map(str::to_owned),
        ..row(second, "/pay", status)
    };
    let rows = vec![
        one(10, Some("a"), 500),
        one(20, Some("a"), 200),
        one(30, Some("b"), 502),
        one(3_700, Some("c"), 500),
        one(3_900, Some("c"), 200),
        one(40, None, 500),
        one(50, Some("d"), 200),
        RequestRecord { service: "other".into(), ..one(60, Some("e"), 500) },
        RequestRecord { service: "other".into(), ..one(70, Some("b"), 200) },
    ];
    let lake = Fixture::with(rows).await;
    // Person c's retry comes after the range, and counts.
    let judged = lake.lake.disappointed(range(0, 3_800), "shop", &TimeZone::UTC, RECOVERY_WINDOW_US).await.unwrap();
    assert_eq!((judged.users, judged.recovered, judged.still_disappointed, judged.unknown_users), (3, 2, 1, 1));
    assert_eq!(judged.by_route["GET /pay"], 3);
    assert_eq!(judged.rows.iter().map(|row| row.users).sum::<u64>(), 3);
    assert_eq!((judged.partial, judged.damaged_files), (None, vec![]));
    let nobody = lake.lake.disappointed(range(0, 3_800), "none", &TimeZone::UTC, RECOVERY_WINDOW_US).await.unwrap();
    assert_eq!((nobody.users, nobody.unknown_users), (0, 0));
}

#[tokio::test]
async fn a_heat_map_holds_every_timed_request_once() {
    let timed = |second, duration_us| RequestRecord { duration_us, ..row(second, "/a", 200) };
    let rows = vec![
        timed(0, Some(0)),
        timed(1, Some(1_000_000)),
        timed(2, Some(i64::MAX)),
        timed(3, None),
        timed(99, Some(50_000)),
    ];
    let lake = Fixture::with(rows).await;
    let map = lake.lake.heatmap("shop", Some("GET /a"), range(0, 100), 10).await.unwrap();
    assert!(map.bounds_us.is_sorted() && map.cells.iter().all(|(_, cells)| cells.len() == map.bounds_us.len()));
    assert_eq!(map.cells.iter().flat_map(|(_, cells)| cells).sum::<u64>(), 4);
    assert!(map.cells.len() <= 12, "{}", map.cells.len());
    let empty = lake.lake.heatmap("shop", Some("GET /none"), range(0, 100), 10).await.unwrap();
    assert!(empty.bounds_us.is_empty());
}

#[tokio::test]
async fn a_damaged_file_is_named_and_the_rest_is_shown() {
    let lake = Fixture::with((0..9).map(|n| row(n, "/", 500)).collect()).await;
    let folder = lake.folder.path().join("lake/requests");
    let file = std::fs::read_dir(&folder).unwrap().flatten().find_map(|entry| {
        let inside = std::fs::read_dir(entry.path()).ok()?.flatten();
        inside.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|kind| kind == "parquet"))
    });
    let file = file.unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[8] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    lake.lake.reader().forget_verified();
    let page = lake.page(&query(100)).await;
    assert_eq!((page.rows.len(), page.damaged_files.len()), (6, 1));
    let bars = lake.lake.histogram(range(0, 100), None, None, 60 * SECOND).await.unwrap();
    assert_eq!((bars.total, bars.damaged_files), (6, page.damaged_files));
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-cA-C/%_*\\\\\"' ]{0,5}",
        prop::sample::select(HOSTILE.to_vec()).prop_map(str::to_owned),
        "[äÄİK商品]{0,3}",
    ]
}

fn random_row() -> impl Strategy<Value = RequestRecord> {
    let maybe = || prop::option::of(texts());
    let numbers =
        (prop::sample::select(vec![200, 301, 404, 500, 503]), prop::option::of(0i64..3), prop::option::of(0i64..3));
    let names =
        (maybe(), maybe(), prop::collection::vec((prop::sample::select(vec!["k", "K", "キー"]), texts()), 0..3));
    (0i64..2 * SECOND, texts(), texts(), numbers, names).prop_map(
        |(micros, route, path, (status, duration, bytes), (host, user, attrs))| RequestRecord {
            route,
            host,
            user_key: user,
            duration_us: duration.map(|n| n * 1000),
            bytes: bytes.map(|n| n * 1024),
            attrs: attrs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            ts: at(0).plus_micros(micros),
            ..row(0, &path, status)
        },
    )
}

fn random_filter() -> impl Strategy<Value = String> {
    let operator = || prop::sample::select(vec!["<", "<=", "=", "!=", ">=", ">"]);
    let stars = (texts(), texts(), 0..4).prop_map(|(left, right, kind)| {
        let (left, right) = (quote(&left), quote(&right));
        let (left, right) = (&left[1..left.len() - 1], &right[1..right.len() - 1]);
        match kind {
            0 => format!("\"{left}\""),
            1 => format!("\"{left}*\""),
            2 => format!("\"*{left}*\""),
            _ => format!("\"{left}*{right}\""),
        }
    });
    let field = prop::sample::select(vec!["path", "route", "host", "user", "method", "service", "k", "キー", "trace"]);
    let term = prop_oneof![
        texts().prop_map(|text| quote(&text)),
        (field, prop::sample::select(vec![":", "=", "!="]), stars)
            .prop_map(|(field, is, value)| format!("{field}{is}{value}")),
        (operator(), prop::sample::select(vec!["200", "404", "5xx", "-1", "99999999999"]))
            .prop_map(|(is, n)| format!("status{is}{n}")),
        (operator(), 0..3).prop_map(|(is, n)| format!("duration{is}{n}ms")),
        (operator(), 0..3).prop_map(|(is, n)| format!("bytes{is}{n}KiB")),
    ];
    term.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b})")),
            inner.prop_map(|a| format!("NOT {a}")),
        ]
    })
}

#[test]
fn the_lake_and_the_live_tail_agree_on_every_filter() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new_with_rng(
        Config::with_cases(100),
        prop::test_runner::TestRng::deterministic_rng(prop::test_runner::RngAlgorithm::ChaCha),
    );
    let rows = prop::collection::vec(random_row(), 240).new_tree(&mut runner).unwrap().current();
    let fixture = runtime.block_on(Fixture::with(rows));
    let order = |rows: &mut Vec<RequestRecord>| rows.sort_by_key(|row| format!("{row:?}"));
    let outcome = runner.run(&random_filter(), |text| {
        let filter = filter(&text);
        let mut want: Vec<RequestRecord> = fixture.rows.iter().filter(|row| filter.matches(row)).cloned().collect();
        let mut got = runtime.block_on(fixture.page(&RowQuery { filter: Some(filter), ..query(1000) })).rows;
        order(&mut want);
        order(&mut got);
        prop_assert_eq!(got, want, "{}", text);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
