//! Looks at every byte a lake holds on disk and names what is damaged: file, byte range, reason, rows and times.
//!
//! Offline and read-only: it needs the lake for itself, and never writes, repairs or deletes.

use crate::delta;
use crate::error::LakeError;
use crate::file::{self, DataFile};
use crate::identity;
use crate::journal::segment;
use crate::log_check;
use crate::rows;
use base::Timestamp;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::buffer::Buffer;
use datafusion::arrow::compute::{max, min};
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use datafusion::parquet::file::metadata::ParquetMetaData;
use signal::Table;
use std::collections::HashSet;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What [`fsck`] looked at and found.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct FsckReport {
    /// What was looked at.
    pub checked: Checked,
    /// What is damaged. A lake without damage has none.
    pub damage: Vec<DamagedPart>,
    /// What is worth knowing but loses nothing.
    pub notes: Vec<Note>,
}

/// Counts of what was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Checked {
    /// Journal segments.
    pub segments: u64,
    /// Whole frames in them.
    pub frames: u64,
    /// Rows in whole frames.
    pub journal_rows: u64,
    /// Files of the tables' logs.
    pub log_files: u64,
    /// Data files that the tables name.
    pub data_files: u64,
    /// Rows of the data files that are whole.
    pub table_rows: u64,
    /// Bytes of all of these.
    pub bytes: u64,
}

/// One damaged part of a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DamagedPart {
    /// File, relative to the data folder.
    pub file: String,
    /// Byte range `start..end` inside the file.
    pub range: Range<u64>,
    /// What is wrong.
    pub reason: String,
    /// Rows that are not served because of it, where that is known.
    pub rows: Option<u64>,
    /// First time in the file, where that is known.
    pub from: Option<Timestamp>,
    /// Last time in the file, where that is known.
    pub to: Option<Timestamp>,
}

/// A remark about a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Note {
    /// File, relative to the data folder.
    pub file: String,
    /// What there is to say.
    pub text: String,
}

impl FsckReport {
    fn note(&mut self, file: String, text: impl Into<String>) {
        self.notes.push(Note { file, text: text.into() });
    }

    fn damaged(&mut self, file: String, range: Range<u64>, reason: impl Into<String>) {
        self.damage.push(DamagedPart { file, range, reason: reason.into(), rows: None, from: None, to: None });
    }
}

/// Checks the lake in `dir`. It must not be in use.
pub async fn fsck(dir: &Path) -> Result<FsckReport, LakeError> {
    let _lock = lock(dir)?;
    let mut report = FsckReport::default();
    check_journal(dir, &mut report)?;
    for table in Table::ALL {
        check_table(dir, table, &mut report).await?;
    }
    Ok(report)
}

/// Takes the lock that a server would hold, without creating anything.
fn lock(dir: &Path) -> Result<Option<File>, LakeError> {
    let path = dir.join("lock");
    match File::open(&path) {
        Ok(file) => {
            file.try_lock().map_err(|_| LakeError::InUse(dir.to_owned()))?;
            Ok(Some(file))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && dir.join("journal").is_dir() => Ok(None),
        Err(error) => Err(LakeError::io("open", path)(error)),
    }
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, LakeError> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(LakeError::io("read", folder))?,
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

fn relative(dir: &Path, path: &Path) -> String {
    path.strip_prefix(dir).unwrap_or(path).to_string_lossy().into_owned()
}

fn check_journal(dir: &Path, report: &mut FsckReport) -> Result<(), LakeError> {
    let paths = list(&dir.join("journal"))?;
    let last = paths.iter().rfind(|path| segment::number_of(path).is_some()).cloned();
    for path in paths {
        let name = relative(dir, &path);
        let bytes = std::fs::read(&path).map_err(LakeError::io("read", &path))?;
        report.checked.bytes += bytes.len() as u64;
        if segment::number_of(&path).is_some() {
            check_segment(&name, &path, Some(&path) == last.as_ref(), bytes, report)?;
            continue;
        }
        match name.as_str() {
            "journal/id" | "journal/id.copy" | "journal/marks" | "journal/marks.copy" => {
                if identity::checked(&bytes).is_none() {
                    report.damaged(name, 0..bytes.len() as u64, "its checksum does not match");
                }
            }
            _ if name.ends_with(".damaged") => {
                report.note(name, "a damaged segment that was kept; its whole frames are in the tables; delete it when you are done with it");
            }
            _ if name.ends_with(".unfinished") => report.note(name, "an unfinished write; it is not needed"),
            _ => report.note(name, "an unknown file"),
        }
    }
    Ok(())
}

/// Only the `last` segment may end in the middle of an append: the others were whole before the next one began.
fn check_segment(
    name: &str,
    path: &Path,
    last: bool,
    bytes: Vec<u8>,
    report: &mut FsckReport,
) -> Result<(), LakeError> {
    let bytes = Buffer::from_vec(bytes);
    let mut times = Times::default();
    let mut unreadable = Vec::new();
    let (mut frames, mut count) = (0, 0);
    let bad = segment::read(bytes.as_slice(), |payload, _| {
        frames += 1;
        for (table, stream) in payload.parts {
            let at = stream.as_ptr() as usize - bytes.as_ptr() as usize;
            match rows::decode(table, &bytes.slice_with_length(at, stream.len())) {
                Ok(batches) => batches.iter().for_each(|batch| {
                    count += batch.num_rows() as u64;
                    times.add(batch);
                }),
                Err(error) => unreadable.push((at as u64..(at + stream.len()) as u64, error.to_string())),
            }
        }
    });
    let bad = bad.map_err(|newer| LakeError::io("read", path)(std::io::Error::other(newer)))?;
    report.checked.segments += 1;
    report.checked.frames += frames;
    report.checked.journal_rows += count;
    for range in bad.iter().filter(|range| last && range.torn) {
        let text = format!("bytes {} to {} are an unfinished append that was never acknowledged", range.from, range.to);
        report.note(name.to_owned(), text);
    }
    let damaged = bad.into_iter().filter(|range| !last || !range.torn);
    let damaged = damaged.map(|range| (range.from..range.to, range.reason.into()));
    for (range, reason) in damaged.chain(unreadable) {
        let Times { from, to } = times;
        report.damage.push(DamagedPart { file: name.to_owned(), range, reason, rows: None, from, to });
    }
    Ok(())
}

/// First and last time of the rows that could be read: what is near the damage.
#[derive(Debug, Clone, Copy, Default)]
struct Times {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Times {
    fn add(&mut self, batch: &RecordBatch) {
        let Some(ts) = batch.column_by_name("ts").and_then(|ts| ts.as_primitive_opt::<TimestampMicrosecondType>())
        else {
            return;
        };
        let (Some(first), Some(last)) = (min(ts), max(ts)) else { return };
        let (first, last) = (Timestamp::from_micros(first), Timestamp::from_micros(last));
        self.from = Some(self.from.map_or(first, |from| from.min(first)));
        self.to = Some(self.to.map_or(last, |to| to.max(last)));
    }
}

async fn check_table(dir: &Path, table: Table, report: &mut FsckReport) -> Result<(), LakeError> {
    let folder = dir.join("lake").join(table.name());
    check_log(dir, &folder, report)?;
    let on_disk: Vec<(PathBuf, u64)> = list(&folder)?
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| name != "_delta_log"))
        .map(|path| if path.is_dir() { list(&path) } else { Ok(vec![path]) })
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .map(|path| (std::fs::metadata(&path).map_or(0, |meta| meta.len()), path))
        .map(|(bytes, path)| (path, bytes))
        .collect();
    // Where the log can't be read, the files' own names say what should be in them.
    let files = match delta::read_only(&folder, table).await {
        Ok(Some((known, foreign))) => {
            for path in foreign {
                report.note(format!("lake/{}/{path}", table.name()), "a file with a foreign name is not read");
            }
            known
        }
        Ok(None) => Vec::new(),
        Err(error) => {
            let log = format!("lake/{}/_delta_log", table.name());
            if !report.damage.iter().any(|part| part.file.starts_with(&log)) {
                report.damaged(log, 0..0, error.to_string());
            }
            let named = |(path, bytes): &(PathBuf, u64)| DataFile::from_path(&relative(&folder, path), *bytes);
            on_disk.iter().filter_map(named).collect()
        }
    };
    let known: HashSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    for (path, _) in on_disk.iter().filter(|(path, _)| !known.contains(relative(&folder, path).as_str())) {
        report.note(relative(dir, path), "no table names this file");
    }
    for file in files {
        let folder = folder.clone();
        let checked = tokio::task::spawn_blocking(move || (check_file(&folder, &file), file)).await;
        let (parts, file) = checked.map_err(|error| LakeError::io("check", dir)(std::io::Error::other(error)))?;
        report.checked.data_files += 1;
        report.checked.bytes += file.bytes;
        if parts.is_empty() {
            report.checked.table_rows += file.rows;
        }
        report.damage.extend(parts.into_iter().map(|(range, reason)| DamagedPart {
            file: format!("lake/{}/{}", table.name(), file.path),
            range,
            reason,
            rows: Some(file.rows),
            from: Some(file.first),
            to: Some(file.last),
        }));
    }
    Ok(())
}

fn check_log(dir: &Path, folder: &Path, report: &mut FsckReport) -> Result<(), LakeError> {
    let log = folder.join("_delta_log");
    let unfinished = log_check::unfinished_commit(&log).map_err(LakeError::io("read", &log))?;
    for path in list(&log)? {
        report.checked.log_files += 1;
        report.checked.bytes += std::fs::metadata(&path).map_or(0, |meta| meta.len());
        if path.extension().is_some_and(|extension| extension == "damaged") {
            report.note(relative(dir, &path), "a damaged file of the log that was set aside; nothing needs it");
        }
    }
    for problem in log_check::check(&log).map_err(LakeError::io("read", &log))? {
        let name = relative(dir, &problem.file);
        if unfinished.as_ref() == Some(&problem.file) {
            report.note(name, "an unfinished commit; the next start sets it aside, its rows are in the journal");
            continue;
        }
        let bytes = std::fs::metadata(&problem.file).map_or(0, |meta| meta.len());
        let reason = if problem.checkpoint {
            format!("{}; the next start reads the commits instead", problem.reason)
        } else {
            problem.reason
        };
        report.damaged(name, 0..bytes, reason);
    }
    Ok(())
}

/// The damaged parts of a data file; none when it is whole.
fn check_file(folder: &Path, file: &DataFile) -> Vec<(Range<u64>, String)> {
    let path = folder.join(&file.path);
    let reason = match file::verify(folder, file) {
        Ok(None) => return Vec::new(),
        Ok(Some(reason)) => reason,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return vec![(0..file.bytes, "the file is missing".into())];
        }
        Err(error) => return vec![(0..file.bytes, format!("the file can't be read: {error}"))],
    };
    let actual = std::fs::metadata(&path).map_or(0, |meta| meta.len());
    let parts = if actual == file.bytes { broken_chunks(&path) } else { Vec::new() };
    if parts.is_empty() { vec![(0..actual, reason)] } else { parts }
}

/// Columns of row groups that don't decode. Damage can also decode to other values: then the whole file is named.
fn broken_chunks(path: &Path) -> Vec<(Range<u64>, String)> {
    let Ok(metadata) = quietly(|| open(path).map(|reader| Arc::clone(reader.metadata()))) else { return Vec::new() };
    let mut broken = Vec::new();
    let schema = metadata.file_metadata().schema_descr();
    for (number, group) in metadata.row_groups().iter().enumerate() {
        for (root, field) in schema.root_schema().get_fields().iter().enumerate() {
            // The parts of a nested column only decode together.
            let chunks = (0..group.num_columns()).filter(|leaf| schema.get_column_root_idx(*leaf) == root);
            let ranges: Vec<(u64, u64)> = chunks.map(|leaf| group.column(leaf).byte_range()).collect();
            let start = ranges.iter().map(|range| range.0).min().unwrap_or(0);
            let end = ranges.iter().map(|range| range.0 + range.1).max().unwrap_or(0);
            if let Err(reason) = quietly(|| decode_column(path, &metadata, number, root)) {
                broken.push((start..end, format!("row group {number}, column {}: {reason}", field.name())));
            }
        }
    }
    broken
}

fn open(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())
}

fn decode_column(path: &Path, metadata: &ParquetMetaData, group: usize, root: usize) -> Result<(), String> {
    let mask = ProjectionMask::roots(metadata.file_metadata().schema_descr(), [root]);
    let reader = open(path)?.with_projection(mask).with_row_groups(vec![group]).build();
    let mut rows = 0;
    for batch in reader.map_err(|error| error.to_string())? {
        rows += batch.map_err(|error| error.to_string())?.num_rows();
    }
    let expected = usize::try_from(metadata.row_group(group).num_rows()).unwrap_or(0);
    if rows == expected { Ok(()) } else { Err(format!("{rows} of {expected} rows decode")) }
}

/// Decoders meet bytes here that are known to be damaged: a panic of theirs is one more way of saying so.
fn quietly<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|_| Err("it does not decode".into()))
}
