//! Parquet files of a table: how they are named, written, checked.
//!
//! A file's name tells what is in it, so that no reader has to trust statistics that went through other formats:
//! `<uuid>_<first ts>_<last ts>_<rows>_<crc32c>.parquet`, times in microseconds, inside `date=YYYY-MM-DD/`.
//! The checksum covers the whole file; a file that does not match is damaged, is named, and is served to nobody.

use crate::error::LakeError;
use base::{TimeRange, Timestamp};
use datafusion::arrow::array::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, Encoding, ZstdLevel};
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use datafusion::parquet::schema::types::ColumnPath;
use signal::Table;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Rows of a row group: large enough to compress, small enough to sort and encode in little memory.
pub const ROW_GROUP_ROWS: usize = 128 * 1024;

/// A Parquet file of a table, as its name tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Path relative to the table's folder, `date=.../....parquet`.
    pub path: String,
    /// Days since the epoch of its partition.
    pub date: i32,
    /// Size in bytes.
    pub bytes: u64,
    /// First `ts` inside.
    pub first: Timestamp,
    /// Last `ts` inside.
    pub last: Timestamp,
    /// Rows inside.
    pub rows: u64,
    /// CRC-32C of the whole file.
    pub crc: u32,
    /// When its rows arrived; the last of them in a merged file. Rows of long ago may arrive today.
    pub arrived: Timestamp,
}

impl DataFile {
    /// Reads a relative path; `None` for a file that this program did not name.
    pub fn from_path(path: &str, bytes: u64) -> Option<Self> {
        let (partition, name) = path.split_once('/')?;
        let date: jiff::civil::Date = partition.strip_prefix("date=")?.parse().ok()?;
        let mut fields = name.strip_suffix(".parquet")?.split('_');
        let arrived = arrival_of(fields.next()?)?;
        let first = Timestamp::from_micros(fields.next()?.parse().ok()?);
        let last = Timestamp::from_micros(fields.next()?.parse().ok()?);
        let rows = fields.next()?.parse().ok()?;
        let crc = u32::from_str_radix(fields.next()?, 16).ok()?;
        Some(Self { path: path.to_owned(), date: days(date)?, bytes, first, last, rows, crc, arrived })
    }

    /// Whether it can hold rows of the range.
    pub fn overlaps(&self, range: TimeRange) -> bool {
        self.first < range.to && range.from <= self.last
    }

    /// Whether all its rows lie inside the range.
    pub fn inside(&self, range: TimeRange) -> bool {
        range.contains(self.first) && range.contains(self.last)
    }
}

/// The moment in a version 7 UUID.
fn arrival_of(id: &str) -> Option<Timestamp> {
    let (seconds, nanos) = uuid::Uuid::try_parse(id).ok()?.get_timestamp()?.to_unix();
    Some(Timestamp::from_seconds(i64::try_from(seconds).ok()?).plus_micros(i64::from(nanos / 1000)))
}

/// A name for a file whose rows arrived at `arrived`.
fn id_at(arrived: Timestamp) -> uuid::Uuid {
    let seconds = u64::try_from(arrived.micros().div_euclid(1_000_000)).unwrap_or(0);
    let nanos = u32::try_from(arrived.micros().rem_euclid(1_000_000) * 1000).unwrap_or(0);
    uuid::Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos))
}

fn days(date: jiff::civil::Date) -> Option<i32> {
    let epoch = jiff::civil::date(1970, 1, 1);
    (date - epoch).get_days().into()
}

/// `YYYY-MM-DD` of days since the epoch, as Delta writes partition values.
pub fn date_text(days: i32) -> String {
    let epoch = jiff::civil::date(1970, 1, 1);
    let span = jiff::Span::new().try_days(days);
    span.and_then(|span| epoch.checked_add(span)).map_or_else(|_| "1970-01-01".to_owned(), |date| date.to_string())
}

/// How hard to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// While sealing: little CPU.
    Seal,
    /// While compacting: smaller.
    Compact,
}

fn properties(table: Table, effort: Effort) -> WriterProperties {
    let level = if effort == Effort::Seal { 1 } else { 3 };
    let mut builder = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(level).expect("levels 1 and 3 exist")))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_column_statistics_enabled(ColumnPath::from("ts"), EnabledStatistics::Page)
        .set_column_dictionary_enabled(ColumnPath::from("ts"), false)
        .set_column_encoding(ColumnPath::from("ts"), Encoding::DELTA_BINARY_PACKED);
    for column in table.random_columns() {
        builder = builder.set_column_dictionary_enabled(ColumnPath::from(*column), false);
    }
    for column in table.lookup_columns() {
        builder = builder
            .set_column_bloom_filter_enabled(ColumnPath::from(*column), true)
            .set_column_bloom_filter_fpp(ColumnPath::from(*column), 0.01)
            .set_column_bloom_filter_max_ndv(ColumnPath::from(*column), ROW_GROUP_ROWS as u64);
    }
    builder.build()
}

/// Counts and checksums what passes through.
struct Checked<W> {
    inner: W,
    crc: u32,
    bytes: u64,
}

impl<W: Write> Write for Checked<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.crc = crc32c::crc32c_append(self.crc, &bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

/// Writes one Parquet file of a table, durable when [`FileWriter::finish`] returns.
pub struct FileWriter {
    /// Taken when the file is finished.
    writer: Option<ArrowWriter<Checked<File>>>,
    folder: PathBuf,
    unfinished: PathBuf,
    date: i32,
    arrived: Timestamp,
    first: Timestamp,
    last: Timestamp,
    rows: u64,
}

impl FileWriter {
    /// Starts a file for the partition `date` of the table in `folder`, for rows that arrived at `arrived`.
    pub fn create(
        folder: &Path,
        table: Table,
        date: i32,
        effort: Effort,
        arrived: Timestamp,
    ) -> Result<Self, LakeError> {
        let partition = folder.join(format!("date={}", date_text(date)));
        std::fs::create_dir_all(&partition).map_err(LakeError::io("create folder", &partition))?;
        let unfinished = partition.join(format!(".{}.unfinished", uuid::Uuid::now_v7().simple()));
        let file = File::create(&unfinished).map_err(LakeError::io("create file", &unfinished))?;
        let checked = Checked { inner: file, crc: 0, bytes: 0 };
        let writer = ArrowWriter::try_new(checked, table.schema(), Some(properties(table, effort)))
            .map_err(LakeError::data("start a Parquet file"))?;
        Ok(Self {
            writer: Some(writer),
            folder: folder.to_owned(),
            unfinished,
            date,
            arrived,
            first: Timestamp::from_micros(i64::MAX),
            last: Timestamp::from_micros(i64::MIN),
            rows: 0,
        })
    }

    /// Adds rows whose `ts` lie between `first` and `last`.
    pub fn write(&mut self, batch: &RecordBatch, first: Timestamp, last: Timestamp) -> Result<(), LakeError> {
        self.first = self.first.min(first);
        self.last = self.last.max(last);
        self.rows += batch.num_rows() as u64;
        let writer = self.writer.as_mut().expect("only finish() takes it");
        writer.write(batch).map_err(LakeError::data("write Parquet rows"))
    }

    /// Completes the file, makes it and its name durable.
    pub fn finish(mut self) -> Result<DataFile, LakeError> {
        let unfinished = self.unfinished.clone();
        let writer = self.writer.take().expect("only finish() takes it");
        let checked = writer.into_inner().map_err(LakeError::data("finish a Parquet file"))?;
        checked.inner.sync_all().map_err(LakeError::io("sync file", &unfinished))?;
        let id = id_at(self.arrived);
        let name = format!(
            "{}_{}_{}_{}_{:08x}.parquet",
            id.simple(),
            self.first.micros(),
            self.last.micros(),
            self.rows,
            checked.crc
        );
        let path = format!("date={}/{name}", date_text(self.date));
        let target = self.folder.join(&path);
        std::fs::rename(&unfinished, &target).map_err(LakeError::io("rename file to", &target))?;
        let partition = target.parent().unwrap_or(&self.folder);
        crate::journal::segment::sync_folder(partition).map_err(LakeError::io("sync folder", partition))?;
        crate::journal::segment::sync_folder(&self.folder).map_err(LakeError::io("sync folder", &self.folder))?;
        Ok(DataFile {
            path,
            date: self.date,
            bytes: checked.bytes,
            first: self.first,
            last: self.last,
            rows: self.rows,
            crc: checked.crc,
            arrived: arrival_of(&id.simple().to_string()).unwrap_or(self.arrived),
        })
    }
}

impl Drop for FileWriter {
    /// What was not finished leaves nothing behind, least of all on a disk that is full. After `finish` the name is gone.
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.unfinished);
    }
}

/// Compares a file with the size and checksum in its name. `Ok(None)` when it is whole.
pub fn verify(folder: &Path, file: &DataFile) -> std::io::Result<Option<String>> {
    let mut input = File::open(folder.join(&file.path))?;
    let (mut crc, mut bytes) = (0, 0);
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = input.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        crc = crc32c::crc32c_append(crc, &buffer[..read]);
        bytes += read as u64;
    }
    Ok(if bytes != file.bytes {
        Some(format!("the file has {bytes} bytes, {} were written", file.bytes))
    } else if crc != file.crc {
        Some(format!("the checksum is {crc:08x}, {:08x} was written", file.crc))
    } else {
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use signal::{RequestRow, RequestRows};

    #[test]
    fn a_file_tells_in_its_name_what_is_inside_and_a_flipped_bit_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let mut rows = RequestRows::default();
        let row = RequestRow {
            service: "shop",
            method: "GET",
            route: "GET /",
            path: "/",
            status: 200,
            source: "t",
            ..RequestRow::default()
        };
        rows.push(&row, []);
        let at = Timestamp::from_seconds(20_000 * 86_400);
        let mut writer = FileWriter::create(folder.path(), Table::Requests, 20_000, Effort::Seal, at).unwrap();
        writer.write(&rows.finish(), at, at.plus_micros(5)).unwrap();
        let file = writer.finish().unwrap();

        assert_eq!(DataFile::from_path(&file.path, file.bytes), Some(file.clone()));
        assert_eq!((file.rows, file.date, file.first), (1, 20_000, at));
        assert_eq!(verify(folder.path(), &file).unwrap(), None);
        let path = folder.path().join(&file.path);
        let mut bytes = std::fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 4;
            std::fs::write(&path, &bytes).unwrap();
            assert!(verify(folder.path(), &file).unwrap().is_some(), "flip at {at}");
            bytes[at] ^= 4;
        }
        std::fs::write(&path, &bytes[1..]).unwrap();
        assert!(verify(folder.path(), &file).unwrap().unwrap().contains("bytes"));
    }

    #[test]
    fn a_file_that_is_not_finished_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let mut rows = RequestRows::default();
        rows.push(&RequestRow { service: "shop", status: 200, ..RequestRow::default() }, []);
        let at = Timestamp::default();
        let mut writer = FileWriter::create(folder.path(), Table::Requests, 0, Effort::Seal, at).unwrap();
        writer.write(&rows.finish(), at, at).unwrap();
        let inside = || std::fs::read_dir(folder.path().join("date=1970-01-01")).unwrap().count();
        assert_eq!(inside(), 1);
        drop(writer);
        assert_eq!(inside(), 0);
    }

    #[test]
    fn other_names_are_not_taken_for_ours() {
        for path in ["part-0.parquet", "date=2026-01-01/x.parquet", "date=nonsense/a_1_2_3_00000000.parquet"] {
            assert_eq!(DataFile::from_path(path, 1), None, "{path}");
        }
    }
}
