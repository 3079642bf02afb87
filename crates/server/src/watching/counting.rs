//! Counts good and valid requests for the objectives, as they are stored; and once those of the past.
//!
//! A request counts from the moment it is durable. After a start the past is read from the lake while new requests are
//! counted already: what happened before the start is the lake's to tell, what happened after it is counted here. Late
//! ones that arrive while the past is being read are told by the lake if it has them by then.

use super::Watch;
use crate::checks::Found;
use crate::parts::Parts;
use base::{Span, TimeRange, Timestamp};
use lake::Query;
use lake::arrow::array::cast::AsArray;
use lake::arrow::array::{Array, ArrayRef, MapArray, RecordBatch, StringArray};
use lake::arrow::compute::cast;
use lake::arrow::datatypes::{DataType, Int32Type, Int64Type, TimestampMicrosecondType};
use signal::Table;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use watch::budgets::Budgets;
use watch::check::Status;
use watch::condition::Request;
use watch::counts::Tally;
use watch::objective::{Objective, Subject};

/// Rows of the past: minutes of the longest window, 400 days.
const MAX_MINUTES: usize = 400 * 1440 + 1;
const MINUTE: Span = Span::from_seconds(60);

impl Watch {
    /// From now on hears of everything that is stored.
    pub(super) fn hook(self: &Arc<Self>, parts: &Parts) {
        let me = Arc::downgrade(self);
        parts.intake.on_stored(Arc::new(move |table, batch| {
            if let Some(me) = me.upgrade() {
                me.stored(table, batch);
            }
        }));
        let me = Arc::downgrade(self);
        parts.checks.on_found(Arc::new(move |found| {
            if let Some(me) = me.upgrade() {
                me.found(found);
            }
        }));
    }

    /// A check ran. What it could not judge counts for nothing.
    fn found(&self, found: Found<'_>) {
        let is_good = match found.status {
            Status::Ok | Status::Late => true,
            Status::Failed => false,
            Status::Unknown | Status::Pending => return,
        };
        self.budgets().count_check(found.check, found.at, is_good, found.every);
    }

    fn stored(&self, table: Table, batch: &RecordBatch) {
        match table {
            Table::Requests => self.count(batch),
            Table::Events => self.hear(batch),
            _ => {}
        }
    }

    fn count(&self, batch: &RecordBatch) {
        let budgets = self.budgets();
        let Some(rows) = Rows::of(batch) else { return };
        let from = if self.past_is_counted.load(Ordering::Acquire) { None } else { Some(self.started) };
        let mut at = 0;
        while at < rows.len() {
            let service = rows.services.value(at);
            let end = (at..rows.len()).find(|row| rows.services.value(*row) != service).unwrap_or(rows.len());
            if budgets.wants(service) {
                // Fields of a row are taken apart only for conditions that ask for them.
                let fields: Vec<Vec<(&str, &str)>> = if budgets.wants_fields(service) {
                    (at..end).map(|row| rows.fields(row)).collect()
                } else {
                    Vec::new()
                };
                let of = |row: usize| fields.get(row - at).map_or(&[][..], Vec::as_slice);
                let requests = (at..end).map(|row| rows.request(row, of(row)));
                let counted: Vec<_> = requests.filter(|(ts, _)| from.is_none_or(|from| *ts >= from)).collect();
                let left_out = budgets.count(service, &counted);
                if left_out.ahead > 0 {
                    tracing::debug!(service, left_out.ahead, "requests of the future are not counted for objectives");
                }
            }
            at = end;
        }
    }

    fn hear(&self, batch: &RecordBatch) {
        let (Some(times), Some(kinds), Some(names), Some(states)) =
            (times(batch), text(batch, "kind"), text(batch, "name"), text(batch, "state"))
        else {
            return;
        };
        for row in 0..batch.num_rows() {
            if kinds.value(row) == "heartbeat" && states.is_valid(row) && states.value(row) == "ok" {
                let at = Timestamp::from_micros(times.value(row));
                self.heard.saw_heartbeat(names.value(row), at);
                if names.value(row) == super::proof::EVENT {
                    self.proof.hears(at);
                }
            }
        }
    }

    /// Counts the past of every objective, and hears of heartbeats that came before this start.
    pub(super) async fn count_past(&self, parts: &Parts) {
        let budgets = self.budgets();
        let keys: Vec<String> = budgets.objectives().map(|objective| objective.key()).collect();
        self.count_past_of(parts, &budgets, &keys, self.started).await;
        self.past_is_counted.store(true, Ordering::Release);
        self.hear_past(parts).await;
    }

    /// Counts what was stored before `until` for these objectives.
    pub(super) async fn count_past_of(&self, parts: &Parts, budgets: &Budgets, keys: &[String], until: Timestamp) {
        for key in keys {
            let Some(objective) = budgets.with(key, |objective, _| objective.clone()) else { continue };
            let range = TimeRange { from: until.plus_micros(-objective.window.longest().micros()), to: until };
            let minutes = match past_minutes(parts, &objective, range).await {
                Ok(Some(minutes)) => minutes,
                Ok(None) => continue,
                Err(error) => {
                    tracing::warn!(%error, objective = key, "the past of an objective was not counted: it begins now");
                    continue;
                }
            };
            let first = minutes.first().map(|(minute, _)| *minute);
            match &objective.subject {
                Subject::Requests { .. } => {
                    budgets.load(key, minutes);
                    self.see_past(budgets, key, first, until);
                }
                Subject::Check(check) => {
                    let every = parts.checks.every(check).unwrap_or(MINUTE);
                    for (at, _) in &minutes {
                        budgets.see_ahead(key, TimeRange { from: *at, to: at.plus_micros(every.micros()) });
                    }
                    budgets.load(key, minutes);
                }
            }
        }
    }

    /// Says which of the past was watched: what an earlier process noted, or, where none did, all since the first request.
    fn see_past(&self, budgets: &Budgets, key: &str, first: Option<Timestamp>, until: Timestamp) {
        let watched = self.watched.lock().clone();
        let noted = watched.first().map_or(until, |range| range.from.min(until));
        if let Some(before) = first.and_then(|first| TimeRange::new(first, noted)) {
            budgets.see(key, before);
        }
        for range in watched {
            budgets.see(key, range);
        }
    }

    async fn hear_past(&self, parts: &Parts) {
        let now = parts.clock.now();
        let range = TimeRange { from: now.plus_seconds(-32 * 86_400), to: now };
        let sql =
            "SELECT name, CAST(max(ts) AS BIGINT) FROM events WHERE kind = 'heartbeat' AND state = 'ok' GROUP BY 1";
        match parts.lake.sql(&Query { sql: sql.to_owned(), range, limit: 10_000 }).await {
            Ok(answer) => {
                for batch in &answer.batches {
                    for (name, at) in crate::signals::texts(batch, 0).into_iter().zip(crate::signals::ints(batch, 1)) {
                        if let (Some(name), Some(at)) = (name, at) {
                            self.heard.saw_heartbeat(&name, Timestamp::from_micros(at));
                        }
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "heartbeats of the past were not read"),
        }
    }
}

/// Counts of an objective by minute as they are stored, in the order of time. `None` where SQL can't say its condition.
pub async fn past_minutes(
    parts: &Parts,
    objective: &Objective,
    range: TimeRange,
) -> Result<Option<Vec<(Timestamp, Tally)>>, lake::QueryError> {
    const BY_MINUTE: &str = "SELECT CAST(ts AS BIGINT) / 60000000 AS minute";
    let sql = match (&objective.subject, objective.count_sql()) {
        (Subject::Requests { .. }, None) => return Ok(None),
        (Subject::Requests { .. }, Some((aggregates, scope))) => {
            format!("{BY_MINUTE}, {aggregates} FROM requests WHERE {scope} GROUP BY 1 ORDER BY 1")
        }
        (Subject::Check(check), _) => format!(
            "{BY_MINUTE}, count(*) FILTER (WHERE state <> 'failed'), count(*), 0 FROM events \
             WHERE kind = '{}' AND name = '{}' AND state IN ('ok', 'late', 'failed') GROUP BY 1 ORDER BY 1",
            crate::checks::KIND,
            check.replace('\'', "''")
        ),
    };
    let answer = parts.lake.sql(&Query { sql, range, limit: MAX_MINUTES }).await?;
    if answer.stats.truncated || !answer.stats.damaged_files.is_empty() {
        let (damaged, truncated) = (answer.stats.damaged_files.join(", "), answer.stats.truncated);
        tracing::warn!(
            objective = objective.key(),
            damaged,
            truncated,
            "the past of an objective is not counted whole"
        );
    }
    let mut out = Vec::new();
    for batch in &answer.batches {
        let columns: Vec<_> = (0..4).map(|column| crate::signals::ints(batch, column)).collect();
        out.extend((0..batch.num_rows()).filter_map(|row| {
            let number = |column: usize| columns[column][row].and_then(|value| u64::try_from(value).ok());
            let minute = Timestamp::from_seconds(columns[0][row]? * 60);
            Some((minute, Tally { good: number(1)?, valid: number(2)?, unknown: number(3)? }))
        }));
    }
    Ok(Some(out))
}

type Times = lake::arrow::array::PrimitiveArray<TimestampMicrosecondType>;

fn times(batch: &RecordBatch) -> Option<&Times> {
    batch.column_by_name("ts")?.as_primitive_opt()
}

/// A column of texts, however they are laid out.
fn text(batch: &RecordBatch, name: &str) -> Option<StringArray> {
    as_text(batch.column_by_name(name)?)
}

fn as_text(column: &ArrayRef) -> Option<StringArray> {
    cast(column, &DataType::Utf8).ok()?.as_string_opt::<i32>().cloned()
}

/// The columns of a batch of requests that conditions can ask about.
struct Rows<'b> {
    times: &'b Times,
    services: StringArray,
    methods: StringArray,
    routes: StringArray,
    paths: StringArray,
    hosts: StringArray,
    statuses: &'b lake::arrow::array::PrimitiveArray<Int32Type>,
    durations: &'b lake::arrow::array::PrimitiveArray<Int64Type>,
    bytes: &'b lake::arrow::array::PrimitiveArray<Int64Type>,
    attrs: &'b MapArray,
    attr_names: StringArray,
    attr_values: StringArray,
}

impl<'b> Rows<'b> {
    fn of(batch: &'b RecordBatch) -> Option<Self> {
        let attrs = batch.column_by_name("attrs")?.as_map_opt()?;
        Some(Self {
            attrs,
            attr_names: as_text(attrs.keys())?,
            attr_values: as_text(attrs.values())?,
            times: times(batch)?,
            services: text(batch, "service")?,
            methods: text(batch, "method")?,
            routes: text(batch, "route")?,
            paths: text(batch, "path")?,
            hosts: text(batch, "host")?,
            statuses: batch.column_by_name("status")?.as_primitive_opt()?,
            durations: batch.column_by_name("duration_us")?.as_primitive_opt()?,
            bytes: batch.column_by_name("bytes")?.as_primitive_opt()?,
        })
    }

    fn len(&self) -> usize {
        self.times.len()
    }

    /// Named fields of a row.
    fn fields(&self, row: usize) -> Vec<(&str, &str)> {
        let place = |at: usize| usize::try_from(self.attrs.value_offsets()[at]).unwrap_or(0);
        let known = (place(row)..place(row + 1)).filter(|at| self.attr_values.is_valid(*at));
        known.map(|at| (self.attr_names.value(at), self.attr_values.value(at))).collect()
    }

    fn request<'r>(&'r self, row: usize, fields: &'r [(&'r str, &'r str)]) -> (Timestamp, Request<'r>) {
        let whole = |column: &lake::arrow::array::PrimitiveArray<Int64Type>| {
            column.is_valid(row).then(|| u64::try_from(column.value(row)).ok()).flatten()
        };
        let request = Request {
            status: u16::try_from(self.statuses.value(row)).unwrap_or(0),
            duration_us: whole(self.durations),
            method: self.methods.value(row),
            route: self.routes.value(row),
            path: self.paths.value(row),
            host: self.hosts.is_valid(row).then(|| self.hosts.value(row)),
            service: self.services.value(row),
            bytes: whole(self.bytes),
            user_agent: fields.iter().find(|(name, _)| *name == "user_agent").map(|(_, value)| *value),
            attrs: fields,
        };
        (Timestamp::from_micros(self.times.value(row)), request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signal::{RequestRow, RequestRows};

    #[test]
    fn a_batch_of_requests_is_read_as_it_is_stored() {
        let mut rows = RequestRows::default();
        let row = RequestRow {
            ts: Timestamp::from_seconds(7),
            service: "shop",
            method: "GET",
            route: "GET /a",
            path: "/a",
            status: 503,
            duration_us: Some(1200),
            source: "test",
            ..RequestRow::default()
        };
        rows.push(&row, [("user_agent", "koshu-check/1"), ("plan", "paid")]);
        rows.push(&row, []);
        rows.push(&row, [("plan", "free")]);
        let batch = rows.finish();
        let read = Rows::of(&batch).expect("every column is there");
        let fields = read.fields(0);
        let (ts, request) = read.request(0, &fields);
        assert_eq!((request.user_agent, request.attrs.len()), (Some("koshu-check/1"), 2));
        assert_eq!((read.fields(1), read.fields(2)), (vec![], vec![("plan", "free")]));
        assert_eq!((ts, request.service, request.route), (row.ts, "shop", "GET /a"));
        assert_eq!((request.status, request.duration_us, request.bytes), (503, Some(1200), None));
        assert_eq!(read.services.value(0), "shop");
    }
}
