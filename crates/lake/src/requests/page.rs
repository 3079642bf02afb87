//! Rows page by page. A cursor names the last row that was shown, so that rows of the same moment are neither shown
//! twice nor skipped, and rows that arrive meanwhile move nothing.
//!
//! The newest rows are looked for from the end: a short stretch of time first, then ever longer ones, so that the
//! last 100 of a billion cost a few files' footers.

use super::{functions, predicate};
use crate::QueryError;
use crate::query::{Answer, Reader};
use base::{TimeRange, Timestamp};
use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, SortExpr, col, lit};
use signal::Table;
use signal::filter::{Filter, RequestRecord, records};

/// Most rows of a page.
pub const MAX_ROWS: usize = 1_000;
/// Most rows of one moment that a cursor steps over.
const MAX_SKIP: usize = 50_000;
/// The first stretch of time that is looked at for the newest rows.
const FIRST_STRETCH_US: i64 = 2_000_000;
/// How much longer the next stretch is.
const STRETCH_FACTOR: i64 = 8;

/// In which order rows come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RowOrder {
    /// The newest first.
    #[default]
    Newest,
    /// The slowest first; rows without a duration are left out.
    Slowest,
}

/// Which rows.
#[derive(Debug, Clone)]
pub struct RowQuery {
    /// Rows inside this range.
    pub range: TimeRange,
    /// Rows that match.
    pub filter: Option<Filter>,
    /// Rows of this service.
    pub service: Option<String>,
    /// Rows of this route.
    pub route: Option<String>,
    /// In this order.
    pub order: RowOrder,
    /// At most this many, and at most 1,000.
    pub limit: usize,
    /// After the page that gave this.
    pub cursor: Option<String>,
}

/// Some rows.
#[derive(Debug, Clone, Default)]
pub struct RowPage {
    /// The rows.
    pub rows: Vec<RequestRecord>,
    /// Where the next page begins; `None` when there is none.
    pub next_cursor: Option<String>,
    /// Damaged files that were left out.
    pub damaged_files: Vec<String>,
}

/// The last row that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    order: RowOrder,
    /// Its time or duration.
    key: i64,
    /// Rows with this key that were shown.
    shown: usize,
    /// What the row looks like.
    hash: u64,
    /// How many rows that look like it were shown.
    alike: usize,
}

impl Cursor {
    fn parse(text: &str, order: RowOrder) -> Result<Self, QueryError> {
        let read = || {
            let mut fields = text.split('.');
            let kind = fields.next()?;
            let key = fields.next()?.parse().ok()?;
            let shown = fields.next()?.parse().ok()?;
            let hash = u64::from_str_radix(fields.next()?, 16).ok()?;
            let alike = fields.next()?.parse().ok()?;
            let cursor = Self { order, key, shown, hash, alike };
            (kind == kind_of(order) && fields.next().is_none() && alike >= 1 && shown >= alike).then_some(cursor)
        };
        let cursor = read().ok_or_else(|| {
            QueryError::Invalid("the cursor belongs to no such list; ask for the first page again".into())
        })?;
        if cursor.shown > MAX_SKIP {
            let what = if order == RowOrder::Newest { "moment" } else { "duration" };
            let text = format!("more than {MAX_SKIP} rows share one {what}; narrow the filter to page through them");
            return Err(QueryError::Invalid(text));
        }
        Ok(cursor)
    }

    /// The cursor behind the last of `rows`, which begin with all rows of its key.
    fn after(rows: &[RequestRecord], order: RowOrder) -> Option<Self> {
        let last = rows.last()?;
        let (key, hash) = (key_of(last, order), hash_of(last));
        let same_key = rows.iter().rev().take_while(|row| key_of(row, order) == key);
        let (mut shown, mut alike) = (0, 0);
        for row in same_key {
            shown += 1;
            alike += usize::from(row == last);
        }
        Some(Self { order, key, shown, hash, alike })
    }

    /// How many of the rows, which begin with all rows of the cursor's key, were shown before.
    fn resume(&self, rows: &[RequestRecord]) -> usize {
        let same_key = rows.iter().take_while(|row| key_of(row, self.order) == self.key).count();
        let first_alike = rows[..same_key].iter().position(|row| hash_of(row) == self.hash);
        // Without the row (its service was deleted) the count is the next best.
        first_alike.map_or(self.shown, |at| at + self.alike).min(same_key)
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}.{:016x}.{}", kind_of(self.order), self.key, self.shown, self.hash, self.alike)
    }
}

fn kind_of(order: RowOrder) -> &'static str {
    match order {
        RowOrder::Newest => "n",
        RowOrder::Slowest => "s",
    }
}

fn key_of(row: &RequestRecord, order: RowOrder) -> i64 {
    match order {
        RowOrder::Newest => row.ts.micros(),
        RowOrder::Slowest => row.duration_us.unwrap_or(0),
    }
}

fn key_column(order: RowOrder) -> Expr {
    match order {
        RowOrder::Newest => col("ts"),
        RowOrder::Slowest => col("duration_us"),
    }
}

fn hash_of(row: &RequestRecord) -> u64 {
    let mut hasher = blake3::Hasher::new();
    let mut text = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    for part in [&row.service, &row.method, &row.route, &row.path, &row.source] {
        text(part);
    }
    for part in [&row.host, &row.user_key, &row.trace_id] {
        text(if part.is_some() { "+" } else { "-" });
        text(part.as_deref().unwrap_or(""));
    }
    for (key, value) in &row.attrs {
        text(key);
        text(value);
    }
    for number in [Some(row.ts.micros()), Some(i64::from(row.status)), row.duration_us, row.bytes] {
        hasher.update(&[u8::from(number.is_some())]);
        hasher.update(&number.unwrap_or(0).to_le_bytes());
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first)
}

/// All columns that tell rows apart, so that the order is the same each time.
fn total_order(order: RowOrder) -> Vec<SortExpr> {
    const REST: [&str; 11] =
        ["ts", "service", "host", "method", "route", "path", "status", "duration_us", "bytes", "user_key", "trace_id"];
    let mut all = vec![key_column(order).sort(false, false)];
    all.extend(REST.iter().map(|name| col(*name).sort(*name != "ts", false)));
    all.extend([col("source").sort(true, false), functions::attrs_hash().sort(true, false)]);
    all
}

/// One page.
pub async fn rows(reader: &Reader, query: &RowQuery) -> Result<RowPage, QueryError> {
    let limit = query.limit.clamp(1, MAX_ROWS);
    let cursor = query.cursor.as_deref().map(|text| Cursor::parse(text, query.order)).transpose()?;
    let wanted = predicate::selected(query.filter.as_ref(), query.service.as_deref(), query.route.as_deref());
    let most = cursor.map_or(0, |cursor| cursor.shown) + limit + 1;
    let mut found = Found::default();
    match query.order {
        RowOrder::Newest => newest(reader, query.range, wanted, cursor, most, &mut found).await?,
        RowOrder::Slowest => slowest(reader, query.range, wanted, cursor, most, &mut found).await?,
    }
    let Found { mut rows, cut, mut damaged_files } = found;
    let start = cursor.map_or(0, |cursor| cursor.resume(&rows)).min(rows.len());
    let more = cut || rows.len() > start + limit;
    rows.truncate(start + limit);
    if more && rows.len() == start {
        return Err(QueryError::Invalid(
            "the rows of one moment are too large to page through; narrow the filter".into(),
        ));
    }
    let next_cursor = if more { Cursor::after(&rows, query.order).map(|cursor| cursor.to_string()) } else { None };
    rows.drain(..start);
    damaged_files.sort();
    damaged_files.dedup();
    Ok(RowPage { rows, next_cursor, damaged_files })
}

#[derive(Default)]
struct Found {
    rows: Vec<RequestRecord>,
    /// Whether an answer was cut off before the wanted number.
    cut: bool,
    damaged_files: Vec<String>,
}

impl Found {
    fn take(&mut self, answer: &Answer) {
        self.rows.extend(answer.batches.iter().flat_map(records));
        self.damaged_files.extend(answer.stats.damaged_files.iter().cloned());
        self.cut |= answer.stats.truncated;
    }
}

async fn newest(
    reader: &Reader,
    range: TimeRange,
    wanted: Option<Expr>,
    cursor: Option<Cursor>,
    most: usize,
    found: &mut Found,
) -> Result<(), QueryError> {
    let mut end = cursor.map_or(range.to, |cursor| range.to.min(Timestamp::from_micros(cursor.key).plus_micros(1)));
    let mut stretch = FIRST_STRETCH_US;
    while end > range.from {
        let Some(last) = last_before(reader, TimeRange { from: range.from, to: end }) else { break };
        let to = last.plus_micros(1).min(end);
        let part = TimeRange { from: to.plus_micros(-stretch).max(range.from), to };
        let missing = most - found.rows.len();
        let sort = |frame| sorted(frame, wanted.clone(), RowOrder::Newest, missing);
        found.take(&reader.frame(Table::Requests, part, missing, sort).await?);
        if found.rows.len() >= most || found.cut {
            return Ok(());
        }
        end = part.from;
        stretch = stretch.saturating_mul(STRETCH_FACTOR);
    }
    Ok(())
}

/// A moment in the range with no row after it inside; there may be none at it.
fn last_before(reader: &Reader, range: TimeRange) -> Option<Timestamp> {
    let before_end = range.to.plus_micros(-1);
    let snapshot = reader.state.snapshot(Table::Requests, range);
    let overlapping = snapshot.files.iter().filter(|file| file.overlaps(range));
    let mut last = overlapping.map(|file| file.last.min(before_end)).max();
    for batch in snapshot.segments.iter().flat_map(|part| part.batches(Table::Requests)) {
        let Some(ts) = batch.column_by_name("ts") else { continue };
        let times = ts.as_primitive::<TimestampMicrosecondType>().values();
        let inside = times.iter().map(|micros| Timestamp::from_micros(*micros)).filter(|ts| range.contains(*ts));
        last = last.max(inside.max());
    }
    last
}

/// First which duration the last row of the page has, from one column; then the few rows that are as slow.
async fn slowest(
    reader: &Reader,
    range: TimeRange,
    wanted: Option<Expr>,
    cursor: Option<Cursor>,
    most: usize,
    found: &mut Found,
) -> Result<(), QueryError> {
    let duration = || col("duration_us");
    let mut timed = duration().is_not_null();
    if let Some(cursor) = cursor {
        timed = timed.and(duration().lt_eq(lit(cursor.key)));
    }
    let timed = wanted.into_iter().fold(timed, Expr::and);
    let only_durations = |frame: DataFrame| {
        let frame = frame.filter(timed.clone())?.select(vec![duration()])?;
        frame.sort(vec![duration().sort(false, false)])?.limit(0, Some(most))
    };
    let answer = reader.frame(Table::Requests, range, most, only_durations).await?;
    let durations = answer.batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().iter());
    let Some(least) = durations.copied().min() else {
        found.take(&answer);
        return Ok(());
    };
    let as_slow = timed.and(duration().gt_eq(lit(least)));
    let sort = |frame| sorted(frame, Some(as_slow), RowOrder::Slowest, most);
    found.take(&reader.frame(Table::Requests, range, most, sort).await?);
    Ok(())
}

fn sorted(frame: DataFrame, wanted: Option<Expr>, order: RowOrder, most: usize) -> Result<DataFrame, DataFusionError> {
    let frame = match wanted {
        Some(wanted) => frame.filter(wanted)?,
        None => frame,
    };
    frame.sort(total_order(order))?.limit(0, Some(most))?.drop_columns(&["date"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ts: i64, path: &str) -> RequestRecord {
        RequestRecord { ts: Timestamp::from_micros(ts), path: path.into(), ..RequestRecord::default() }
    }

    #[test]
    fn a_cursor_finds_its_place_again_though_rows_of_its_moment_came_or_went() {
        let before = [row(9, "x"), row(5, "b"), row(5, "c"), row(5, "c")];
        let cursor = Cursor::after(&before, RowOrder::Newest).unwrap();
        assert_eq!((cursor.key, cursor.shown, cursor.alike), (5, 3, 2));
        let text = cursor.to_string();
        assert_eq!(Cursor::parse(&text, RowOrder::Newest).unwrap(), cursor);
        for (case, now, want) in [
            ("as before", vec!["b", "c", "c", "d"], 3),
            ("one more of the same", vec!["b", "c", "c", "c"], 3),
            ("one came before", vec!["a", "b", "c", "c", "d"], 4),
            ("one went", vec!["c", "c", "d"], 2),
            ("the row itself went", vec!["b", "d", "e", "f"], 3),
            ("all went", vec![], 0),
        ] {
            let mut rows: Vec<RequestRecord> = now.into_iter().map(|path| row(5, path)).collect();
            rows.push(row(4, "z"));
            assert_eq!(cursor.resume(&rows), want, "{case}");
        }
    }

    #[test]
    fn a_cursor_from_elsewhere_is_refused() {
        for text in [
            "",
            "n",
            "n.1.2.3",
            "x.1.1.0.1",
            "s.1.1.0.1",
            "n.1.1.zz.1",
            "n.1.0.0.0",
            "n.1.1.0.2",
            "n.1.99999999.0.1",
            "n.1.1.0.1.1",
        ] {
            assert!(matches!(Cursor::parse(text, RowOrder::Newest), Err(QueryError::Invalid(_))), "{text}");
        }
    }
}
