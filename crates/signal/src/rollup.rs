//! Roll-ups: one minute of one service, route and status class as counts, sums and sketches.
//!
//! Partials of the same minute simply add up, so late data and several writers need no coordination. What is asked of
//! any window is answered from merged partials; percentiles are never averaged.

use crate::schema::Table;
use crate::sketch::{LatencySketch, SketchSum};
use arrow_array::builder::{BinaryBuilder, Int32Builder, Int64Builder, StringViewBuilder, TimestampMicrosecondBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use base::Timestamp;
use datasketches::hll::{HllSketch, HllType, HllUnion};
use foldhash::HashMap;
use std::sync::Arc;

/// log2 of the registers of a distinct-user sketch: 1,024, a standard error of about 3 %.
const USER_REGISTERS_LOG2: u8 = 10;

/// What is added up for one minute, service, route and status class.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// Requests.
    pub count: u64,
    /// Requests answered with 500 to 599.
    pub errors: u64,
    /// Requests with a known duration.
    pub timed: u64,
    /// Sum of the known durations, microseconds.
    pub duration_sum_us: u64,
    /// Sum of the known body sizes.
    pub bytes: u64,
    /// Latency sketch of the known durations.
    pub sketch: LatencySketch,
    /// Distinct-user sketch; absent while nobody could be told apart.
    users: Option<Box<HllSketch>>,
}

/// Identity of a [`Cell`]; service and route are numbers of the interner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    minute: i64,
    service: u32,
    route: u32,
    class: u8,
}

/// Roll-ups under construction, filled from batches of [`Table::Requests`].
#[derive(Debug, Default)]
pub struct Rollups {
    names: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
    cells: HashMap<Key, Cell>,
}

/// One partial, borrowed from a [`Rollups`] or from a batch of [`Table::Rollup1m`].
#[derive(Debug, Clone, Copy)]
pub struct Partial<'a> {
    /// Start of the minute.
    pub minute: Timestamp,
    /// Service.
    pub service: &'a str,
    /// Route.
    pub route: &'a str,
    /// First digit of the status: 1 to 5.
    pub class: u8,
    /// Requests.
    pub count: u64,
    /// Requests answered with 500 to 599.
    pub errors: u64,
    /// Requests with a known duration.
    pub timed: u64,
    /// Sum of known durations, microseconds.
    pub duration_sum_us: u64,
    /// Sum of known body sizes.
    pub bytes: u64,
    /// Latency sketch.
    pub sketch: PartialSketch<'a>,
    /// Encoded distinct-user sketch.
    pub users: PartialUsers<'a>,
}

/// The latency sketch of a [`Partial`]: live or as stored.
#[derive(Debug, Clone, Copy)]
pub enum PartialSketch<'a> {
    /// Still being filled.
    Live(&'a LatencySketch),
    /// As stored.
    Stored(&'a [u8]),
}

/// The distinct-user sketch of a [`Partial`]: live or as stored.
#[derive(Debug, Clone, Copy)]
pub enum PartialUsers<'a> {
    /// Still being filled, or none.
    Live(Option<&'a HllSketch>),
    /// As stored; empty for none.
    Stored(&'a [u8]),
}

impl Rollups {
    /// Adds the rows of a batch of [`Table::Requests`].
    pub fn add_requests(&mut self, batch: &RecordBatch) {
        let columns = RequestColumns::of(batch);
        let (mut last_texts, mut last_numbers) = (("", ""), (0, 0));
        for row in 0..batch.num_rows() {
            let texts = (columns.service.value(row), columns.route.value(row));
            if row == 0 || texts != last_texts {
                (last_texts, last_numbers) = (texts, (self.number(texts.0), self.number(texts.1)));
            }
            let status = columns.status.value(row);
            let key = Key {
                minute: Timestamp::from_micros(columns.ts.value(row)).minute().micros(),
                service: last_numbers.0,
                route: last_numbers.1,
                class: u8::try_from(status / 100).unwrap_or(0),
            };
            let cell = self.cells.entry(key).or_default();
            cell.count += 1;
            cell.errors += u64::from((500..600).contains(&status));
            if columns.duration_us.is_valid(row) {
                let duration_us = columns.duration_us.value(row).unsigned_abs();
                cell.timed += 1;
                cell.duration_sum_us = cell.duration_sum_us.saturating_add(duration_us);
                cell.sketch.add(duration_us);
            }
            if columns.bytes.is_valid(row) {
                cell.bytes = cell.bytes.saturating_add(columns.bytes.value(row).unsigned_abs());
            }
            if columns.user_key.is_valid(row) {
                let users = cell.users.get_or_insert_with(|| Box::new(empty_users()));
                users.update(columns.user_key.value(row));
            }
        }
    }

    fn number(&mut self, text: &str) -> u32 {
        if let Some(&number) = self.names.get(text) {
            return number;
        }
        let number = u32::try_from(self.texts.len()).expect("routes are bounded per service, far below 2^32");
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.names.insert(text, number);
        number
    }

    /// Number of partials.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there is no partial.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Every partial, in no order.
    pub fn partials(&self) -> impl Iterator<Item = Partial<'_>> {
        self.cells.iter().map(|(key, cell)| Partial {
            minute: Timestamp::from_micros(key.minute),
            service: &self.texts[key.service as usize],
            route: &self.texts[key.route as usize],
            class: key.class,
            count: cell.count,
            errors: cell.errors,
            timed: cell.timed,
            duration_sum_us: cell.duration_sum_us,
            bytes: cell.bytes,
            sketch: PartialSketch::Live(&cell.sketch),
            users: PartialUsers::Live(cell.users.as_deref()),
        })
    }

    /// Rough memory in bytes, for the budget.
    pub fn heap_bytes(&self) -> usize {
        self.cells.len() * (size_of::<(Key, Cell)>() + 160) + self.texts.len() * 96
    }

    /// The partials as one batch of [`Table::Rollup1m`].
    pub fn to_batch(&self) -> RecordBatch {
        let mut rows = RollupRows::default();
        self.partials().for_each(|partial| rows.push(&partial));
        rows.finish()
    }
}

fn empty_users() -> HllSketch {
    HllSketch::new(USER_REGISTERS_LOG2, HllType::Hll4).expect("the size is inside the library's range")
}

struct RequestColumns<'a> {
    ts: &'a arrow_array::PrimitiveArray<TimestampMicrosecondType>,
    service: &'a arrow_array::StringViewArray,
    route: &'a arrow_array::StringViewArray,
    status: &'a arrow_array::PrimitiveArray<Int32Type>,
    duration_us: &'a arrow_array::PrimitiveArray<Int64Type>,
    bytes: &'a arrow_array::PrimitiveArray<Int64Type>,
    user_key: &'a arrow_array::StringViewArray,
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> &'a ArrayRef {
    batch.column_by_name(name).expect("the batch follows its table's schema")
}

impl<'a> RequestColumns<'a> {
    fn of(batch: &'a RecordBatch) -> Self {
        Self {
            ts: column(batch, "ts").as_primitive(),
            service: column(batch, "service").as_string_view(),
            route: column(batch, "route").as_string_view(),
            status: column(batch, "status").as_primitive(),
            duration_us: column(batch, "duration_us").as_primitive(),
            bytes: column(batch, "bytes").as_primitive(),
            user_key: column(batch, "user_key").as_string_view(),
        }
    }
}

/// Collects partials into a batch of [`Table::Rollup1m`].
struct RollupRows {
    ts: TimestampMicrosecondBuilder,
    service: StringViewBuilder,
    route: StringViewBuilder,
    status_class: Int32Builder,
    numbers: [Int64Builder; 5],
    sketch: BinaryBuilder,
    users: BinaryBuilder,
    scratch: Vec<u8>,
}

impl Default for RollupRows {
    fn default() -> Self {
        Self {
            ts: TimestampMicrosecondBuilder::new().with_timezone("UTC"),
            service: StringViewBuilder::new().with_deduplicate_strings(),
            route: StringViewBuilder::new().with_deduplicate_strings(),
            status_class: Int32Builder::new(),
            numbers: Default::default(),
            sketch: BinaryBuilder::new(),
            users: BinaryBuilder::new(),
            scratch: Vec::new(),
        }
    }
}

impl RollupRows {
    fn push(&mut self, partial: &Partial<'_>) {
        self.ts.append_value(partial.minute.micros());
        self.service.append_value(partial.service);
        self.route.append_value(partial.route);
        self.status_class.append_value(i32::from(partial.class));
        let values = [partial.count, partial.errors, partial.timed, partial.duration_sum_us, partial.bytes];
        for (builder, value) in self.numbers.iter_mut().zip(values) {
            builder.append_value(i64::try_from(value).unwrap_or(i64::MAX));
        }
        match partial.sketch {
            PartialSketch::Live(sketch) if sketch.is_empty() => self.sketch.append_null(),
            PartialSketch::Live(sketch) => {
                self.scratch.clear();
                sketch.encode(&mut self.scratch);
                self.sketch.append_value(&self.scratch);
            }
            PartialSketch::Stored(bytes) => self.sketch.append_value(bytes),
        }
        match partial.users {
            PartialUsers::Live(None) => self.users.append_null(),
            PartialUsers::Live(Some(users)) => self.users.append_value(users.serialize()),
            PartialUsers::Stored(bytes) => self.users.append_value(bytes),
        }
    }

    fn finish(&mut self) -> RecordBatch {
        let [count, errors, timed, duration_sum_us, bytes] = &mut self.numbers;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.ts.finish()),
            Arc::new(self.service.finish()),
            Arc::new(self.route.finish()),
            Arc::new(self.status_class.finish()),
            Arc::new(count.finish()),
            Arc::new(errors.finish()),
            Arc::new(timed.finish()),
            Arc::new(duration_sum_us.finish()),
            Arc::new(bytes.finish()),
            Arc::new(self.sketch.finish()),
            Arc::new(self.users.finish()),
        ];
        RecordBatch::try_new(Table::Rollup1m.schema(), columns).expect("builders follow the schema of rollup_1m")
    }
}

/// Visits every row of a batch of [`Table::Rollup1m`].
pub fn each_partial<'a>(batch: &'a RecordBatch, mut visit: impl FnMut(Partial<'a>)) {
    let ts = column(batch, "ts").as_primitive::<TimestampMicrosecondType>();
    let service = column(batch, "service").as_string_view();
    let route = column(batch, "route").as_string_view();
    let class = column(batch, "status_class").as_primitive::<Int32Type>();
    let number = |name: &str| column(batch, name).as_primitive::<Int64Type>();
    let (count, errors, timed) = (number("count"), number("errors"), number("timed"));
    let (duration_sum_us, bytes) = (number("duration_sum_us"), number("bytes"));
    let sketch = column(batch, "sketch").as_binary::<i32>();
    let users = column(batch, "users").as_binary::<i32>();
    let stored = |array: &'a arrow_array::BinaryArray, row| if array.is_valid(row) { array.value(row) } else { &[] };
    for row in 0..batch.num_rows() {
        visit(Partial {
            minute: Timestamp::from_micros(ts.value(row)),
            service: service.value(row),
            route: route.value(row),
            class: u8::try_from(class.value(row)).unwrap_or(0),
            count: count.value(row).unsigned_abs(),
            errors: errors.value(row).unsigned_abs(),
            timed: timed.value(row).unsigned_abs(),
            duration_sum_us: duration_sum_us.value(row).unsigned_abs(),
            bytes: bytes.value(row).unsigned_abs(),
            sketch: PartialSketch::Stored(stored(sketch, row)),
            users: PartialUsers::Stored(stored(users, row)),
        });
    }
}

/// Partials added up over minutes, routes or classes.
#[derive(Debug, Clone, Default)]
pub struct Sum {
    /// Requests.
    pub count: u64,
    /// Requests answered with 500 to 599.
    pub errors: u64,
    /// Requests with a known duration.
    pub timed: u64,
    /// Sum of known durations, microseconds.
    pub duration_sum_us: u64,
    /// Sum of known body sizes.
    pub bytes: u64,
    /// Latency of all of them.
    pub latency: SketchSum,
    /// Stored sketches that could not be read; anything but 0 is damage to be named.
    pub damaged: u64,
    users: Option<HllSketch>,
}

impl Sum {
    /// Adds counts and latency of a partial, but not its users (which cost more).
    pub fn add(&mut self, partial: &Partial<'_>) {
        self.count += partial.count;
        self.errors += partial.errors;
        self.timed += partial.timed;
        self.duration_sum_us = self.duration_sum_us.saturating_add(partial.duration_sum_us);
        self.bytes = self.bytes.saturating_add(partial.bytes);
        match partial.sketch {
            PartialSketch::Live(sketch) => self.latency.add(sketch),
            PartialSketch::Stored(bytes) => self.damaged += u64::from(self.latency.add_encoded(bytes).is_err()),
        }
    }

    /// Adds the users of a partial.
    pub fn add_users(&mut self, partial: &Partial<'_>) {
        match partial.users {
            PartialUsers::Live(None) | PartialUsers::Stored([]) => {}
            PartialUsers::Live(Some(users)) => self.merge_users(users),
            PartialUsers::Stored(bytes) => match HllSketch::deserialize(bytes) {
                Ok(users) => self.merge_users(&users),
                Err(_) => self.damaged += 1,
            },
        }
    }

    fn merge_users(&mut self, users: &HllSketch) {
        let mut union = HllUnion::new(USER_REGISTERS_LOG2).expect("the size is inside the library's range");
        if let Some(mine) = &self.users {
            union.update(mine);
        }
        union.update(users);
        self.users = Some(union.to_sketch(HllType::Hll8));
    }

    /// Adds another sum, users included.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.errors += other.errors;
        self.timed += other.timed;
        self.duration_sum_us = self.duration_sum_us.saturating_add(other.duration_sum_us);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.damaged += other.damaged;
        self.latency.merge(&other.latency);
        if let Some(users) = &other.users {
            self.merge_users(users);
        }
    }

    /// Estimated distinct users (standard error about 3 %); `None` when nobody could be told apart.
    pub fn users(&self) -> Option<f64> {
        self.users.as_ref().map(HllSketch::estimate)
    }

    /// Rough memory on the heap, in bytes.
    pub fn heap_bytes(&self) -> usize {
        self.latency.heap_bytes() + self.users.as_ref().map_or(0, HllSketch::estimated_size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{RequestRow, RequestRows};

    fn batch(rows: &[(i64, &str, u16, Option<u64>, &str)]) -> RecordBatch {
        let mut out = RequestRows::default();
        for &(second, route, status, duration_us, user) in rows {
            let row = RequestRow {
                ts: Timestamp::from_seconds(second),
                service: "shop",
                method: "GET",
                route,
                path: "/",
                status,
                duration_us,
                user_key: Some(user),
                source: "test",
                ..RequestRow::default()
            };
            out.push(&row, []);
        }
        out.finish()
    }

    fn total<'a>(partials: impl Iterator<Item = Partial<'a>>) -> Sum {
        let mut sum = Sum::default();
        for partial in partials {
            sum.add(&partial);
            sum.add_users(&partial);
        }
        sum
    }

    #[test]
    fn partials_survive_being_stored_and_add_up_with_late_ones() {
        let mut rollups = Rollups::default();
        rollups.add_requests(&batch(&[
            (0, "GET /", 200, Some(1_000), "ann"),
            (59, "GET /", 200, Some(2_000), "bob"),
            (60, "GET /", 502, None, "ann"),
        ]));
        assert_eq!(rollups.len(), 2, "one cell a minute and status class");
        let mut late = Rollups::default();
        late.add_requests(&batch(&[(1, "GET /", 200, Some(4_000), "cat")]));

        let (stored, stored_late) = (rollups.to_batch(), late.to_batch());
        let mut sum = Sum::default();
        for batch in [&stored, &stored_late] {
            each_partial(batch, |partial| {
                sum.add(&partial);
                sum.add_users(&partial);
            });
        }
        let live = total(rollups.partials().chain(late.partials()));
        for (case, sum) in [("stored", &sum), ("live", &live)] {
            assert_eq!((sum.count, sum.errors, sum.timed, sum.duration_sum_us), (4, 1, 3, 7_000), "{case}");
            assert_eq!(sum.users().map(f64::round), Some(3.0), "{case}");
            let p95 = sum.latency.quantile_us(0.95).unwrap();
            assert!((p95 - 4_000.0).abs() <= 40.0, "{case}: {p95}");
            assert_eq!(sum.damaged, 0, "{case}");
        }
    }

    #[test]
    fn a_damaged_sketch_is_counted() {
        let partial = Partial {
            minute: Timestamp::default(),
            service: "shop",
            route: "GET /",
            class: 2,
            count: 1,
            errors: 0,
            timed: 1,
            duration_sum_us: 1,
            bytes: 0,
            sketch: PartialSketch::Stored(&[0xff]),
            users: PartialUsers::Stored(&[1, 2, 3]),
        };
        assert_eq!(total([partial].into_iter()).damaged, 2);
    }
}
