//! Rows on their way in: refused when they don't follow their table, read back from the journal.

use crate::error::{Damage, LakeError};
use crate::ipc;
use crate::journal::segment::{self, file_name};
use crate::provider;
use crate::state::{Segment, State};
use base::Timestamp;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::buffer::Buffer;
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use datafusion::arrow::error::ArrowError;
use signal::Table;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;

/// Years 1 to 9999: what every reader of the tables can say.
pub const TIMES: RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;

/// Whether the rows may be stored in the table.
pub fn check(table: Table, batch: &RecordBatch) -> Result<(), ArrowError> {
    let refused = |reason: String| Err(ArrowError::SchemaError(format!("rows of {}: {reason}", table.name())));
    if table == Table::Rollup1m {
        return refused("roll-ups are made by the lake itself".into());
    }
    if batch.schema().fields() != table.schema().fields() {
        return refused("the columns are not those of the table".into());
    }
    let Some(ts) = batch.column_by_name("ts") else { return refused("there is no ts".into()) };
    match ts.as_primitive::<TimestampMicrosecondType>().values().iter().find(|micros| !TIMES.contains(micros)) {
        Some(micros) => refused(format!("ts {micros} lies outside the years 1 to 9999")),
        None => Ok(()),
    }
}

/// Reads a segment of the journal. What can't be believed is named in `state` and kept aside; the rest is served.
///
/// Only the `last` segment may end in the middle of an append: the others were whole before the next one began.
pub fn read_segment(
    number: u64,
    path: PathBuf,
    last: bool,
    state: &State,
    now: Timestamp,
) -> Result<Arc<Segment>, LakeError> {
    let bytes = Buffer::from_vec(std::fs::read(&path).map_err(LakeError::io("read", &path))?);
    let part = Arc::new(Segment::new(number, path.clone()));
    let mut unreadable = Vec::new();
    let bad = segment::read(bytes.as_slice(), |payload, frame_bytes| {
        let mut rows = Vec::new();
        for (table, stream) in payload.parts {
            let at = stream.as_ptr() as usize - bytes.as_ptr() as usize;
            match decode(table, &bytes.slice_with_length(at, stream.len())) {
                Ok(batches) => rows.extend(batches.into_iter().map(|batch| (table, batch))),
                Err(error) => unreadable.push((at as u64..(at + stream.len()) as u64, error.to_string())),
            }
        }
        part.push(rows, payload.marks, frame_bytes, now);
    });
    let bad = bad.map_err(|newer| LakeError::io("read", &path)(std::io::Error::other(newer)))?;
    let file = format!("journal/{}", file_name(number));
    for range in bad.iter().filter(|range| last && range.torn) {
        tracing::info!(file, from = range.from, to = range.to, "an unfinished append is dropped");
    }
    let damaged =
        bad.iter().filter(|range| !last || !range.torn).map(|range| (range.from..range.to, range.reason.to_owned()));
    let damaged: Vec<_> = damaged.chain(unreadable).collect();
    if !damaged.is_empty() {
        // Kept under a second name for a later look: the journal drops the first one once the whole frames are sealed.
        let kept = path.with_extension("damaged");
        if let Err(error) = std::fs::hard_link(&path, &kept)
            && error.kind() != std::io::ErrorKind::AlreadyExists
        {
            return Err(LakeError::io("keep the damaged", path)(error));
        }
    }
    for (range, reason) in damaged {
        state.add_damage(Damage { file: file.clone(), range, reason, since: now });
    }
    Ok(part)
}

/// The rows of a stream as the table has them now; an older version may have written fewer columns.
pub fn decode(table: Table, stream: &Buffer) -> Result<Vec<RecordBatch>, ArrowError> {
    let batches = ipc::decode(stream)?;
    let conform = |batch: RecordBatch| {
        if batch.schema().fields() == table.schema().fields() { Ok(batch) } else { provider::conform(table, &batch) }
    };
    batches.into_iter().map(conform).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::Array;
    use signal::{RequestRow, RequestRows, Rollups};

    fn rows(ts: i64) -> RecordBatch {
        let mut rows = RequestRows::default();
        let ts = Timestamp::from_micros(ts);
        rows.push(&RequestRow { ts, service: "s", route: "GET /", status: 200, ..RequestRow::default() }, []);
        rows.finish()
    }

    #[test]
    fn rows_that_no_table_can_hold_are_refused() {
        let now = 1_700_000_000_000_000;
        for (case, table, batch, want) in [
            ("good", Table::Requests, rows(now), true),
            ("year 1", Table::Requests, rows(*TIMES.start()), true),
            ("before year 1", Table::Requests, rows(*TIMES.start() - 1), false),
            ("the end of time", Table::Requests, rows(i64::MAX), false),
            ("rows of another table", Table::Samples, rows(now), false),
            ("a column is missing", Table::Requests, rows(now).project(&[0, 1]).unwrap(), false),
            ("roll-ups", Table::Rollup1m, Rollups::default().to_batch(), false),
        ] {
            assert_eq!(check(table, &batch).is_ok(), want, "{case}");
        }
    }

    #[test]
    fn rows_are_used_where_they_lie_in_the_journal() {
        use crate::journal::frame::{self, Payload};
        let stream = ipc::encode(&rows(5)).unwrap();
        let frame =
            frame::encode(&Payload { marks: vec![("a".into(), "b".into())], parts: vec![(Table::Requests, &stream)] });
        // As in a file: a header, then frames one after the other.
        let file = Buffer::from_vec([frame::header(1).to_vec(), frame.clone(), frame].concat());
        let (mut at, mut seen) = (frame::HEADER_BYTES, 0);
        while let frame::Step::Frame { payload, next } = frame::step(file.as_slice(), at) {
            let stream = frame::parse(payload).unwrap().parts[0].1;
            let start = stream.as_ptr() as usize - file.as_ptr() as usize;
            let batch = &decode(Table::Requests, &file.slice_with_length(start, stream.len())).unwrap()[0];
            let bytes = file.as_slice().as_ptr_range();
            for name in ["ts", "service", "duration_us"] {
                let data = batch.column_by_name(name).unwrap().to_data();
                assert!(bytes.contains(&data.buffers()[0].as_ptr()), "{name} of frame {seen} was copied");
            }
            (at, seen) = (next, seen + 1);
        }
        assert_eq!(seen, 2);
    }

    #[test]
    fn rows_of_an_older_version_get_the_columns_that_came_later() {
        let old = rows(5).project(&[0, 1, 3, 4, 5, 6, 11]).unwrap();
        let stream = Buffer::from_vec(ipc::encode(&old).unwrap());
        let batch = &decode(Table::Requests, &stream).unwrap()[0];
        assert_eq!(batch.schema(), Table::Requests.schema());
        assert_eq!(batch.column_by_name("trace_id").unwrap().null_count(), 1);
    }
}
