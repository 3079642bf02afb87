//! Groups of errors: how many, whom they hit, since when, in which releases.

use super::columns::{Attrs, Columns, merge_damaged};
use super::first::FirstErrors;
use super::steps::Steps;
use crate::QueryError;
use crate::query::{Answer, Reader};
use base::{TimeRange, Timestamp};
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::functions_aggregate::expr_fn::{count, count_distinct, last_value, max, min};
use datafusion::logical_expr::{Expr, col, lit};
use signal::Table;
use std::collections::HashMap;

/// Most groups of a list.
pub const MAX_ERROR_GROUPS: usize = 500;
/// Most releases of all groups of a list, and of one group.
const MAX_RELEASES: usize = 5_000;
const MAX_RELEASES_OF_GROUP: usize = 100;
/// Most people of one group that are listed.
const MAX_PEOPLE: usize = 100;
/// Latest records of one group.
const MAX_RECORDS: usize = 20;
/// Most errors of one trace.
const MAX_OF_TRACE: usize = 200;

/// In which order groups come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ErrorOrder {
    /// Most errors first.
    #[default]
    Count,
    /// Most people first.
    Users,
    /// Latest error first.
    LastSeen,
}

/// Which groups.
#[derive(Debug, Clone)]
pub struct ErrorQuery {
    /// Errors inside this range.
    pub range: TimeRange,
    /// Errors of this service.
    pub service: Option<String>,
    /// In this order.
    pub order: ErrorOrder,
    /// At most this many, and at most [`MAX_ERROR_GROUPS`].
    pub limit: usize,
    /// Width of a step of the trends, microseconds.
    pub step_us: i64,
}

/// One group of errors in one service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErrorGroup {
    /// Its id, which says the version of the grouping.
    pub group_id: String,
    /// Service.
    pub service: String,
    /// Class of the exception.
    pub kind: String,
    /// What the latest one said.
    pub message: String,
    /// Errors.
    pub count: u64,
    /// Different people among those that are known.
    pub users: u64,
    /// First error that is stored, also before the range.
    pub first_seen: Timestamp,
    /// Last error in the range.
    pub last_seen: Timestamp,
    /// Releases with their errors, the latest first.
    pub releases: Vec<(String, u64)>,
    /// Errors by step.
    pub trend: Vec<u64>,
}

/// Groups of errors.
#[derive(Debug, Clone, Default)]
pub struct ErrorGroups {
    /// The groups.
    pub groups: Vec<ErrorGroup>,
    /// Errors in the range, also of groups that are not listed.
    pub errors: u64,
    /// Groups in the range.
    pub group_count: u64,
    /// People in the range.
    pub users: u64,
    /// Start of each step, and all errors in it.
    pub bars: Vec<(Timestamp, u64)>,
    /// Damaged files that were left out.
    pub damaged_files: Vec<String>,
}

/// One error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErrorRecord {
    /// When it happened.
    pub ts: Timestamp,
    /// Service that it happened in.
    pub service: String,
    /// Machine it happened on.
    pub host: Option<String>,
    /// Its group.
    pub group_id: String,
    /// Class of the exception.
    pub kind: String,
    /// What it said.
    pub message: String,
    /// How grave it is.
    pub severity: Option<String>,
    /// Version of the service.
    pub release: Option<String>,
    /// `production`, `staging`, ...
    pub environment: Option<String>,
    /// Keyed hash of whom it happened to.
    pub user_key: Option<String>,
    /// Trace that it belongs to.
    pub trace_id: Option<String>,
    /// Frames, innermost first, one a line.
    pub stack: Option<String>,
    /// Way in and sender.
    pub source: String,
    /// Further named fields.
    pub attrs: Attrs,
}

/// What errors of one group share: a release, a person, a service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErrorShare {
    /// Its name; `None` when it is not known.
    pub name: Option<String>,
    /// Errors.
    pub count: u64,
    /// First error in the range.
    pub first_seen: Timestamp,
    /// Last error in the range.
    pub last_seen: Timestamp,
}

/// One group of errors.
#[derive(Debug, Clone, Default)]
pub struct ErrorDetail {
    /// Errors.
    pub count: u64,
    /// Different people among those that are known.
    pub users: u64,
    /// First error that is stored, also before the range.
    pub first_seen: Timestamp,
    /// Last error in the range.
    pub last_seen: Timestamp,
    /// By service, the most errors first; the first of each is the first that is stored.
    pub services: Vec<ErrorShare>,
    /// By release, the latest first.
    pub releases: Vec<ErrorShare>,
    /// By person, the most errors first.
    pub people: Vec<ErrorShare>,
    /// Start of each step, and the errors in it.
    pub bars: Vec<(Timestamp, u64)>,
    /// The latest records.
    pub records: Vec<ErrorRecord>,
    /// Damaged files that were left out.
    pub damaged_files: Vec<String>,
}

fn selected(group: Option<&str>, service: Option<&str>) -> Expr {
    let group = group.map(|group| col("group_id").eq(lit(group)));
    let service = service.map(|service| col("service").eq(lit(service)));
    group.into_iter().chain(service).reduce(Expr::and).unwrap_or_else(|| lit(true))
}

fn rows() -> Expr {
    count(lit(1i64)).alias("rows")
}

/// Groups, their totals, trends and releases.
pub async fn groups(reader: &Reader, firsts: &FirstErrors, query: &ErrorQuery) -> Result<ErrorGroups, QueryError> {
    let steps = Steps::new(query.range, query.step_us)?;
    let limit = query.limit.clamp(1, MAX_ERROR_GROUPS);
    let wanted = selected(None, query.service.as_deref());
    let order = match query.order {
        ErrorOrder::Count => "rows",
        ErrorOrder::Users => "people",
        ErrorOrder::LastSeen => "last",
    };
    let filter = wanted.clone();
    let build = move |frame: DataFrame| {
        let by_time = || vec![col("ts").sort(true, false)];
        let sums = vec![
            rows(),
            count_distinct(col("user_key")).alias("people"),
            min(col("ts")).alias("first"),
            max(col("ts")).alias("last"),
            last_value(col("kind"), by_time()).alias("kind"),
            last_value(col("message"), by_time()).alias("message"),
        ];
        let sort = vec![
            col(order).sort(false, false),
            col("rows").sort(false, false),
            col("group_id").sort(true, false),
            col("service").sort(true, false),
        ];
        let frame = frame.filter(filter)?.aggregate(vec![col("group_id"), col("service")], sums)?;
        frame.sort(sort)?.limit(0, Some(limit))
    };
    let answer = reader.frame(Table::Errors, query.range, limit, build).await?;
    let mut found = ErrorGroups::default();
    merge_damaged(&mut found.damaged_files, &answer);
    for batch in Columns::of(&answer) {
        let (groups, services) = (batch.names("group_id")?, batch.names("service")?);
        let (kinds, messages) = (batch.names("kind")?, batch.names("message")?);
        let (counts, people) = (batch.counts("rows")?, batch.counts("people")?);
        let (first, last) = (batch.times("first")?, batch.times("last")?);
        for row in 0..batch.rows() {
            found.groups.push(ErrorGroup {
                group_id: groups[row].clone(),
                service: services[row].clone(),
                kind: kinds[row].clone(),
                message: messages[row].clone(),
                count: counts[row],
                users: people[row],
                first_seen: first[row],
                last_seen: last[row],
                releases: Vec::new(),
                trend: vec![0; steps.number],
            });
        }
    }
    let place = |group: &ErrorGroup| ((group.group_id.clone(), group.service.clone()), group.first_seen);
    let mut seen: Vec<_> = found.groups.iter().map(place).collect();
    firsts.find(reader, query.range.from, &mut seen, &mut found.damaged_files).await?;
    for (group, (_, first)) in found.groups.iter_mut().zip(seen) {
        group.first_seen = first;
    }
    totals(reader, query.range, &wanted, &mut found).await?;
    found.bars = bars(reader, query.range, &wanted, steps).await?;
    trends_and_releases(reader, query.range, steps, &mut found.groups).await?;
    Ok(found)
}

async fn totals(reader: &Reader, range: TimeRange, wanted: &Expr, found: &mut ErrorGroups) -> Result<(), QueryError> {
    let wanted = wanted.clone();
    let build = move |frame: DataFrame| {
        let by_group = frame.filter(wanted)?;
        let sums = vec![
            rows(),
            count_distinct(col("user_key")).alias("people"),
            count_distinct(col("group_id")).alias("groups"),
        ];
        by_group.aggregate(vec![], sums)
    };
    let answer = reader.frame(Table::Errors, range, 1, build).await?;
    for batch in Columns::of(&answer) {
        found.errors = batch.counts("rows")?.first().copied().unwrap_or(0);
        found.users = batch.counts("people")?.first().copied().unwrap_or(0);
        found.group_count = batch.counts("groups")?.first().copied().unwrap_or(0);
    }
    Ok(())
}

async fn bars(
    reader: &Reader,
    range: TimeRange,
    wanted: &Expr,
    steps: Steps,
) -> Result<Vec<(Timestamp, u64)>, QueryError> {
    let wanted = wanted.clone();
    let build =
        move |frame: DataFrame| frame.filter(wanted)?.aggregate(vec![steps.index().alias("step")], vec![rows()]);
    let answer = reader.frame(Table::Errors, range, steps.number, build).await?;
    let mut bars: Vec<(Timestamp, u64)> = (0..steps.number).map(|at| (steps.start(at), 0)).collect();
    for batch in Columns::of(&answer) {
        for (step, rows) in batch.numbers("step")?.into_iter().zip(batch.counts("rows")?) {
            if let Some(at) = steps.of(step) {
                bars[at].1 += rows;
            }
        }
    }
    Ok(bars)
}

/// Fills in what the listed groups alone need.
async fn trends_and_releases(
    reader: &Reader,
    range: TimeRange,
    steps: Steps,
    groups: &mut [ErrorGroup],
) -> Result<(), QueryError> {
    if groups.is_empty() {
        return Ok(());
    }
    let places: HashMap<(String, String), usize> =
        groups.iter().enumerate().map(|(at, group)| ((group.group_id.clone(), group.service.clone()), at)).collect();
    let listed = || {
        let mut ids: Vec<&str> = groups.iter().map(|group| group.group_id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        col("group_id").in_list(ids.into_iter().map(lit).collect(), false)
    };
    let (of_trend, of_release) = (listed(), listed().and(col("release").is_not_null()));
    let by = |third: Expr| vec![col("group_id"), col("service"), third];
    let trend =
        move |frame: DataFrame| frame.filter(of_trend)?.aggregate(by(steps.index().alias("step")), vec![rows()]);
    let releases = move |frame: DataFrame| {
        let sums = vec![rows(), max(col("ts")).alias("last")];
        let frame = frame.filter(of_release)?.aggregate(by(col("release")), sums)?;
        frame.sort(vec![col("last").sort(false, false)])?.limit(0, Some(MAX_RELEASES))
    };
    let place = |ids: &[String], services: &[String], row: usize| {
        places.get(&(ids[row].clone(), services[row].clone())).copied()
    };
    let most = MAX_ERROR_GROUPS * steps.number;
    let answer = reader.frame(Table::Errors, range, most, trend).await?;
    for batch in Columns::of(&answer) {
        let (ids, services) = (batch.names("group_id")?, batch.names("service")?);
        let (step, counts) = (batch.numbers("step")?, batch.counts("rows")?);
        for row in 0..batch.rows() {
            if let (Some(at), Some(step)) = (place(&ids, &services, row), steps.of(step[row])) {
                groups[at].trend[step] += counts[row];
            }
        }
    }
    let answer = reader.frame(Table::Errors, range, MAX_RELEASES, releases).await?;
    for batch in Columns::of(&answer) {
        let (ids, services) = (batch.names("group_id")?, batch.names("service")?);
        let (names, counts) = (batch.names("release")?, batch.counts("rows")?);
        for row in 0..batch.rows() {
            if let Some(at) = place(&ids, &services, row) {
                groups[at].releases.push((names[row].clone(), counts[row]));
            }
        }
    }
    Ok(())
}

/// One group.
pub async fn detail(
    reader: &Reader,
    firsts: &FirstErrors,
    group: &str,
    range: TimeRange,
    service: Option<&str>,
    step_us: i64,
) -> Result<Option<ErrorDetail>, QueryError> {
    let steps = Steps::new(range, step_us)?;
    let wanted = selected(Some(group), service);
    let (records, mut damaged_files) = records(reader, range, wanted.clone(), MAX_RECORDS).await?;
    if records.is_empty() {
        return Ok(None);
    }
    let mut totals_of = ErrorGroups { damaged_files: std::mem::take(&mut damaged_files), ..ErrorGroups::default() };
    totals(reader, range, &wanted, &mut totals_of).await?;
    let mut services = shares(reader, range, &wanted, "service", "rows", MAX_ERROR_GROUPS).await?;
    let place = |share: &ErrorShare| ((group.to_owned(), share.name.clone().unwrap_or_default()), share.first_seen);
    let mut seen: Vec<_> = services.iter().map(place).collect();
    firsts.find(reader, range.from, &mut seen, &mut totals_of.damaged_files).await?;
    for (share, (_, first)) in services.iter_mut().zip(seen) {
        share.first_seen = first;
    }
    let releases = shares(reader, range, &wanted, "release", "last", MAX_RELEASES_OF_GROUP).await?;
    let people = shares(reader, range, &wanted, "user_key", "rows", MAX_PEOPLE).await?;
    Ok(Some(ErrorDetail {
        count: totals_of.errors,
        users: totals_of.users,
        first_seen: services.iter().map(|share| share.first_seen).min().unwrap_or_default(),
        last_seen: services.iter().map(|share| share.last_seen).max().unwrap_or_default(),
        services,
        releases,
        people,
        bars: bars(reader, range, &wanted, steps).await?,
        records,
        damaged_files: totals_of.damaged_files,
    }))
}

async fn shares(
    reader: &Reader,
    range: TimeRange,
    wanted: &Expr,
    column: &'static str,
    order: &'static str,
    limit: usize,
) -> Result<Vec<ErrorShare>, QueryError> {
    let wanted = wanted.clone();
    let build = move |frame: DataFrame| {
        let sums = vec![rows(), min(col("ts")).alias("first"), max(col("ts")).alias("last")];
        let frame = frame.filter(wanted)?.aggregate(vec![col(column)], sums)?;
        frame.sort(vec![col(order).sort(false, false), col(column).sort(true, false)])?.limit(0, Some(limit))
    };
    let answer = reader.frame(Table::Errors, range, limit, build).await?;
    let mut found = Vec::new();
    for batch in Columns::of(&answer) {
        let (names, counts) = (batch.texts(column)?, batch.counts("rows")?);
        let (first, last) = (batch.times("first")?, batch.times("last")?);
        for (row, name) in names.into_iter().enumerate() {
            found.push(ErrorShare { name, count: counts[row], first_seen: first[row], last_seen: last[row] });
        }
    }
    Ok(found)
}

/// The errors of a trace, the earliest first.
pub async fn of_trace(
    reader: &Reader,
    trace_id: &str,
    range: TimeRange,
) -> Result<(Vec<ErrorRecord>, Vec<String>), QueryError> {
    let (mut found, damaged) = records(reader, range, col("trace_id").eq(lit(trace_id)), MAX_OF_TRACE).await?;
    found.reverse();
    Ok((found, damaged))
}

/// The latest errors, latest first.
async fn records(
    reader: &Reader,
    range: TimeRange,
    wanted: Expr,
    limit: usize,
) -> Result<(Vec<ErrorRecord>, Vec<String>), QueryError> {
    let build = move |frame: DataFrame| -> Result<DataFrame, DataFusionError> {
        let sort = vec![col("ts").sort(false, false), col("message").sort(true, false)];
        frame.filter(wanted)?.sort(sort)?.limit(0, Some(limit))
    };
    let answer = reader.frame(Table::Errors, range, limit, build).await?;
    let damaged = answer.stats.damaged_files.clone();
    Ok((read(&answer)?, damaged))
}

fn read(answer: &Answer) -> Result<Vec<ErrorRecord>, QueryError> {
    let mut found = Vec::new();
    for batch in Columns::of(answer) {
        let ts = batch.times("ts")?;
        let mut names = Vec::new();
        for name in ["service", "group_id", "kind", "message", "source"] {
            names.push(batch.names(name)?.into_iter());
        }
        let mut texts = Vec::new();
        for name in ["host", "severity", "release", "environment", "user_key", "trace_id", "stack"] {
            texts.push(batch.texts(name)?.into_iter());
        }
        let mut attrs = batch.attrs("attrs")?.into_iter();
        for ts in ts {
            let mut name = |at: usize| names[at].next().unwrap_or_default();
            let mut text = |at: usize| texts[at].next().flatten();
            found.push(ErrorRecord {
                ts,
                service: name(0),
                group_id: name(1),
                kind: name(2),
                message: name(3),
                source: name(4),
                host: text(0),
                severity: text(1),
                release: text(2),
                environment: text(3),
                user_key: text(4),
                trace_id: text(5),
                stack: text(6),
                attrs: attrs.next().unwrap_or_default(),
            });
        }
    }
    Ok(found)
}

/// When each of the groups was last seen.
pub async fn last_seen(
    reader: &Reader,
    groups: &[String],
    range: TimeRange,
) -> Result<HashMap<String, Timestamp>, QueryError> {
    if groups.is_empty() {
        return Ok(HashMap::new());
    }
    let wanted = col("group_id").in_list(groups.iter().map(|group| lit(group.as_str())).collect(), false);
    let build = move |frame: DataFrame| {
        frame.filter(wanted)?.aggregate(vec![col("group_id")], vec![max(col("ts")).alias("last")])
    };
    let answer = reader.frame(Table::Errors, range, groups.len(), build).await?;
    let mut found = HashMap::new();
    for batch in Columns::of(&answer) {
        found.extend(batch.names("group_id")?.into_iter().zip(batch.times("last")?));
    }
    Ok(found)
}
