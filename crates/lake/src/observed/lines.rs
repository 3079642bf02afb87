//! Log lines page by page, and how many there are over time.
//!
//! The newest are looked for from the end: a short stretch of time first, then ever longer ones. A cursor names the
//! moment of the last line and how many lines of that moment were shown, so that none is shown twice or skipped.

use super::columns::{Attrs, Columns, merge_damaged};
use super::of_pattern::of_pattern;
use super::steps::Steps;
use crate::QueryError;
use crate::query::{Answer, Reader};
use crate::requests::functions::{attrs_hash, contains_folded_in};
use base::{TimeRange, Timestamp};
use datafusion::dataframe::DataFrame;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, col, lit};
use signal::filter::fold;
use signal::{Severity, Table};

/// Most lines of a page.
const MAX_LINES: usize = 5_000;
/// Most lines of one moment that a cursor steps over.
const MAX_SKIP: usize = 50_000;
/// Most lines of one trace.
const MAX_OF_TRACE: usize = 500;
/// The first stretch of time that is looked at.
const FIRST_STRETCH_US: i64 = 60_000_000;
/// How much longer the next stretch is.
const STRETCH_FACTOR: i64 = 16;
/// Longest text to look for, bytes, and most words of it.
const MAX_Q: usize = 1_000;
const MAX_WORDS: usize = 20;

/// What lines have to hold: words and `"phrases"` in any case; `-word` must not be there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LineWords(Vec<(bool, String)>);

impl LineWords {
    /// Reads what somebody typed.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        if text.len() > MAX_Q {
            return Err(QueryError::Invalid(format!("q is longer than {MAX_Q} bytes")));
        }
        let mut words = Vec::new();
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let wanted = first != '-' || rest.len() == 1;
            let word = if wanted { rest } else { &rest[1..] };
            let (word, after) = match word.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
                None => word.split_once(char::is_whitespace).unwrap_or((word, "")),
            };
            if !word.is_empty() {
                words.push((wanted, fold(word)));
            }
            rest = after.trim_start();
        }
        if words.len() > MAX_WORDS {
            return Err(QueryError::Invalid(format!("q has {} words, {MAX_WORDS} allowed", words.len())));
        }
        Ok(Self(words))
    }
}

/// Which lines.
#[derive(Debug, Clone, Default)]
pub struct LineFilter {
    /// Lines of this service.
    pub service: Option<String>,
    /// Lines with these words.
    pub words: LineWords,
    /// Lines that are at least so grave; those without a severity are left out.
    pub least: Option<Severity>,
    /// Lines of this pattern, as [`signal::patterns::Pattern::text`] wrote it.
    pub pattern: Option<String>,
}

/// Lines, page by page.
#[derive(Debug, Clone)]
pub struct LineQuery {
    /// Lines inside this range.
    pub range: TimeRange,
    /// Lines that match.
    pub filter: LineFilter,
    /// At most this many, and at most 5,000.
    pub limit: usize,
    /// After the page that gave this.
    pub cursor: Option<String>,
}

/// One log line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LineRecord {
    /// When it was said.
    pub ts: Timestamp,
    /// Service that said it.
    pub service: String,
    /// Machine it ran on.
    pub host: Option<String>,
    /// How grave it is, when the sender said so.
    pub severity: Option<String>,
    /// What was said.
    pub body: String,
    /// Trace that it belongs to.
    pub trace_id: Option<String>,
    /// Way in and sender.
    pub source: String,
    /// Further named fields.
    pub attrs: Attrs,
}

/// Some lines.
#[derive(Debug, Clone, Default)]
pub struct LinePage {
    /// The newest first.
    pub lines: Vec<LineRecord>,
    /// Where the next page begins; `None` when there is none.
    pub next_cursor: Option<String>,
    /// Damaged files that were left out.
    pub damaged_files: Vec<String>,
}

/// Lines over time.
#[derive(Debug, Clone, Default)]
pub struct LineHistogram {
    /// Start of each step; lines without a severity, and those of each severity from trace to fatal.
    pub bars: Vec<(Timestamp, [u64; 7])>,
    /// Lines in all bars.
    pub total: u64,
    /// Damaged files that were left out.
    pub damaged_files: Vec<String>,
}

const SEVERITIES: [Severity; 6] =
    [Severity::Trace, Severity::Debug, Severity::Info, Severity::Warn, Severity::Error, Severity::Fatal];

fn selected(filter: &LineFilter) -> Expr {
    let service = filter.service.as_deref().map(|service| col("service").eq(lit(service)));
    let severity = filter.least.map(|least| {
        let words = SEVERITIES.into_iter().filter(|severity| *severity >= least);
        col("severity").in_list(words.map(|severity| lit(severity.as_str())).collect(), false)
    });
    let words = filter.words.0.iter().map(|(wanted, word)| {
        let found = contains_folded_in(col("body"), word);
        if *wanted { found } else { found.is_not_true() }
    });
    let pattern = filter.pattern.as_deref().map(|pattern| of_pattern(col("body"), pattern));
    let parts = service.into_iter().chain(severity).chain(words).chain(pattern);
    parts.reduce(Expr::and).unwrap_or_else(|| lit(true))
}

/// The last line that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    ts: i64,
    /// Lines of this moment that were shown.
    shown: usize,
}

impl Cursor {
    fn parse(text: &str) -> Result<Self, QueryError> {
        let read = || {
            let (ts, shown) = text.split_once('.')?;
            let cursor = Self { ts: ts.parse().ok()?, shown: shown.parse().ok()? };
            (1..=MAX_SKIP).contains(&cursor.shown).then_some(cursor)
        };
        read().ok_or_else(|| QueryError::Invalid("the cursor belongs to no such list; ask for the first page".into()))
    }

    fn after(self_before: Option<Self>, lines: &[LineRecord]) -> Option<String> {
        let ts = lines.last()?.ts.micros();
        let shown = lines.iter().rev().take_while(|line| line.ts.micros() == ts).count();
        let before = self_before.filter(|cursor| cursor.ts == ts).map_or(0, |cursor| cursor.shown);
        Some(format!("{ts}.{}", before + shown))
    }
}

/// One page.
pub async fn page(reader: &Reader, query: &LineQuery) -> Result<LinePage, QueryError> {
    let limit = query.limit.clamp(1, MAX_LINES);
    let cursor = query.cursor.as_deref().map(Cursor::parse).transpose()?;
    let skip = cursor.map_or(0, |cursor| cursor.shown);
    let most = skip + limit + 1;
    let wanted = selected(&query.filter);
    let mut end =
        cursor.map_or(query.range.to, |cursor| query.range.to.min(Timestamp::from_micros(cursor.ts).plus_micros(1)));
    let (mut found, mut cut, mut stretch) = (LinePage::default(), false, FIRST_STRETCH_US);
    while end > query.range.from && found.lines.len() < most && !cut {
        let part = TimeRange { from: end.plus_micros(-stretch).max(query.range.from), to: end };
        let (wanted, missing) = (wanted.clone(), most - found.lines.len());
        let build = move |frame: DataFrame| frame.filter(wanted)?.sort(newest_first())?.limit(0, Some(missing));
        let answer = reader.frame(Table::Logs, part, missing, build).await?;
        merge_damaged(&mut found.damaged_files, &answer);
        found.lines.extend(read(&answer)?);
        cut = answer.stats.truncated;
        end = part.from;
        stretch = stretch.saturating_mul(STRETCH_FACTOR);
    }
    // Of the cursor's moment those are left out that were shown before.
    let again = cursor.map_or(0, |cursor| found.lines.iter().take_while(|line| line.ts.micros() == cursor.ts).count());
    found.lines.drain(..again.min(skip));
    let more = cut || found.lines.len() > limit;
    found.lines.truncate(limit);
    found.next_cursor = if more { Cursor::after(cursor, &found.lines) } else { None };
    Ok(found)
}

/// All that tells lines apart, so that the order is the same each time.
fn newest_first() -> Vec<datafusion::logical_expr::SortExpr> {
    let mut order = vec![col("ts").sort(false, false)];
    order.extend(["service", "host", "severity", "body", "trace_id", "source"].map(|name| col(name).sort(true, false)));
    order.push(attrs_hash().sort(true, false));
    order
}

/// Lines by step and severity.
pub async fn histogram(
    reader: &Reader,
    range: TimeRange,
    filter: &LineFilter,
    step_us: i64,
) -> Result<LineHistogram, QueryError> {
    let steps = Steps::new(range, step_us)?;
    let wanted = selected(filter);
    let build = move |frame: DataFrame| {
        let groups = vec![steps.index().alias("step"), col("severity")];
        frame.filter(wanted)?.aggregate(groups, vec![count(lit(1i64)).alias("rows")])
    };
    let answer = reader.frame(Table::Logs, range, steps.number * 16, build).await?;
    let mut found = LineHistogram {
        bars: (0..steps.number).map(|at| (steps.start(at), [0; 7])).collect(),
        ..LineHistogram::default()
    };
    merge_damaged(&mut found.damaged_files, &answer);
    for batch in Columns::of(&answer) {
        let (at, severities, rows) = (batch.numbers("step")?, batch.texts("severity")?, batch.counts("rows")?);
        for (row, severity) in severities.into_iter().enumerate() {
            let Some(step) = steps.of(at[row]) else { continue };
            let place = SEVERITIES.iter().position(|known| Some(known.as_str()) == severity.as_deref());
            found.bars[step].1[place.map_or(0, |place| place + 1)] += rows[row];
            found.total += rows[row];
        }
    }
    Ok(found)
}

/// The lines of a trace, the earliest first.
pub async fn of_trace(
    reader: &Reader,
    trace_id: &str,
    range: TimeRange,
) -> Result<(Vec<LineRecord>, Vec<String>), QueryError> {
    let wanted = col("trace_id").eq(lit(trace_id));
    let build = move |frame: DataFrame| {
        frame.filter(wanted)?.sort(vec![col("ts").sort(true, false)])?.limit(0, Some(MAX_OF_TRACE))
    };
    let answer = reader.frame(Table::Logs, range, MAX_OF_TRACE, build).await?;
    let lines = read(&answer)?;
    Ok((lines, answer.stats.damaged_files))
}

fn read(answer: &Answer) -> Result<Vec<LineRecord>, QueryError> {
    let mut found = Vec::new();
    for batch in Columns::of(answer) {
        let mut names = Vec::new();
        for name in ["service", "body", "source"] {
            names.push(batch.names(name)?.into_iter());
        }
        let mut texts = Vec::new();
        for name in ["host", "severity", "trace_id"] {
            texts.push(batch.texts(name)?.into_iter());
        }
        let mut attrs = batch.attrs("attrs")?.into_iter();
        for ts in batch.times("ts")? {
            let mut name = |at: usize| names[at].next().unwrap_or_default();
            let mut text = |at: usize| texts[at].next().flatten();
            found.push(LineRecord {
                ts,
                service: name(0),
                body: name(1),
                source: name(2),
                host: text(0),
                severity: text(1),
                trace_id: text(2),
                attrs: attrs.next().unwrap_or_default(),
            });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_people_type_them() {
        for (text, want) in [
            ("", vec![]),
            ("  Timeout  ", vec![(true, "timeout")]),
            ("pay -debug", vec![(true, "pay"), (false, "debug")]),
            ("\"no Route\" x", vec![(true, "no route"), (true, "x")]),
            ("-\"no route\"", vec![(false, "no route")]),
            ("\"not closed", vec![(true, "not closed")]),
            ("-", vec![(true, "-")]),
            ("100%_ '; --", vec![(true, "100%_"), (true, "';"), (false, "-")]),
            ("注文　失敗", vec![(true, "注文"), (true, "失敗")]),
        ] {
            let want: Vec<_> = want.into_iter().map(|(wanted, word)| (wanted, word.to_owned())).collect();
            assert_eq!(LineWords::parse(text).unwrap().0, want, "{text}");
        }
        assert!(LineWords::parse(&"a ".repeat(21)).is_err());
        assert!(LineWords::parse(&"a".repeat(1_001)).is_err());
    }

    #[test]
    fn a_cursor_from_elsewhere_is_refused() {
        for text in ["", "1", "x.1", "1.x", "1.0", "1.50001", "1.1.1"] {
            assert!(matches!(Cursor::parse(text), Err(QueryError::Invalid(_))), "{text}");
        }
    }
}
