//! Keeps tables small and inside their budget: compaction, retention, deletion of a service, removal of dead files.
//!
//! Compaction changes no rows. Retention and the disk budget delete whole days, rows that are rebuilt from nothing
//! last: samples and requests go before roll-ups.

use crate::delta::Changes;
use crate::error::LakeError;
use crate::file::{DataFile, Effort, FileWriter, date_text};
use crate::options::LakeOptions;
use crate::query::Reader;
use crate::seal::Logs;
use crate::state::State;
use base::{Span, Timestamp};
use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::compute::{max, min};
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use datafusion::logical_expr::{col, lit};
use futures::StreamExt;
use signal::Table;
use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Files are merged up to this size.
const TARGET_BYTES: u64 = 128 << 20;
/// So many files are merged at a time: each needs buffers while it is read.
const FAN_IN: usize = 16;
/// A day that is still written to is compacted once it has this many small files.
const SMALL_FILES: usize = 8;
/// Files below this size are all alike.
const ALIKE_BYTES: u64 = 1 << 20;
/// Files that no table names any more are deleted after this long; running queries may still read them.
const DEAD_FILE_AGE: Duration = Duration::from_mins(15);
/// Files that an earlier process left behind are deleted at this age; other programs may still read them.
const STRAY_AGE: Duration = Duration::from_hours(1);

/// Maintains the tables of one lake.
pub struct Maintainer {
    pub(crate) state: Arc<State>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) reader: Arc<Reader>,
    pub(crate) options: LakeOptions,
    pub(crate) _lock: Arc<File>,
}

/// What one round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Maintenance {
    /// Files that were merged away.
    pub merged: usize,
    /// Files that were deleted with their days.
    pub expired: usize,
}

impl Maintainer {
    /// Merges what should be merged now. With `all`, every day that has more than one file.
    pub async fn compact(&self, all: bool) -> Result<Maintenance, LakeError> {
        let mut done = Maintenance::default();
        let today = self.options.clock.now().utc_days();
        for table in Table::ALL {
            while let Some(group) = next_group(&self.whole_files(table), today, all) {
                match self.merge(table, &group, None).await {
                    Ok(_) => done.merged += group.len(),
                    // The damage that was found is known now: the others go on without it.
                    Err(error) if self.has_damage(table, &group) => {
                        tracing::warn!(%error, table = table.name(), "a damaged file is left out of compaction");
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(done)
    }

    fn has_damage(&self, table: Table, group: &[Arc<DataFile>]) -> bool {
        let whole = self.whole_files(table);
        group.iter().any(|file| !whole.iter().any(|known| known.path == file.path))
    }

    /// Files that are not known to be damaged; damaged ones stay as they are for a later look.
    fn whole_files(&self, table: Table) -> Vec<Arc<DataFile>> {
        let damage = self.state.damage();
        let name = |file: &DataFile| format!("lake/{}/{}", table.name(), file.path);
        let files = self.state.files(table);
        files.iter().filter(|file| !damage.iter().any(|known| known.file == name(file))).cloned().collect()
    }

    /// Removes all rows of a service. Returns how many requests and samples those were. Damaged files stay as they are.
    pub async fn delete_service(&self, service: &str) -> Result<u64, LakeError> {
        let mut removed = 0;
        for table in Table::ALL {
            // Compaction may put rows into new files meanwhile: look again until no file has any.
            let mut clean = HashSet::new();
            while let Some(file) = self.whole_files(table).into_iter().find(|file| !clean.contains(&file.path)) {
                let lost = match self.merge(table, std::slice::from_ref(&file), Some(service)).await {
                    Ok(lost) => lost,
                    Err(error) if self.has_damage(table, std::slice::from_ref(&file)) => {
                        tracing::warn!(%error, table = table.name(), "a damaged file keeps its rows");
                        0
                    }
                    Err(error) => return Err(error),
                };
                removed += if table == Table::Rollup1m { 0 } else { lost };
                clean.insert(file.path.clone());
            }
        }
        self.state.rows_were_removed();
        Ok(removed)
    }

    /// Rewrites files as one, in order, without the rows of `without`. Returns how many rows went.
    async fn merge(&self, table: Table, group: &[Arc<DataFile>], without: Option<&str>) -> Result<u64, LakeError> {
        let mut log = self.logs.change(table, &self.state).await?;
        // What was chosen before the lock may be gone by now.
        let current = self.state.files(table);
        if !group.iter().all(|file| current.iter().any(|known| known.path == file.path)) {
            return Ok(0);
        }
        if let Some(service) = without
            && !self.reader.has_service(table, group, service).await.map_err(LakeError::data("read files of"))?
        {
            return Ok(0);
        }
        let removed: Vec<DataFile> = group.iter().map(|file| file.as_ref().clone()).collect();
        let before: u64 = removed.iter().map(|file| file.rows).sum();
        let written = self.rewrite(table, log.folder().to_owned(), group, without).await?;
        let after = written.as_ref().map_or(0, |file| file.rows);
        if without.is_none() && after != before {
            return Err(LakeError::Io {
                action: "merge files of",
                path: log.folder().to_owned(),
                source: std::io::Error::other(format!("{before} rows went in, {after} came out")),
            });
        }
        let added: Vec<DataFile> = written.into_iter().collect();
        let changes =
            Changes { added: &added, removed: &removed, data_change: without.is_some(), ..Changes::default() };
        log.commit(&changes, self.options.clock.now()).await?;
        self.state.replace_files(table, &removed, &added, None);
        Ok(before - after)
    }

    async fn rewrite(
        &self,
        table: Table,
        folder: std::path::PathBuf,
        group: &[Arc<DataFile>],
        without: Option<&str>,
    ) -> Result<Option<DataFile>, LakeError> {
        let (Some(date), Some(arrived)) =
            (group.first().map(|file| file.date), group.iter().map(|file| file.arrived).max())
        else {
            return Ok(None);
        };
        let mut stream = self
            .reader
            .sorted_rows(table, group, |frame| match without {
                Some(service) => frame.filter(col("service").not_eq(lit(service)).or(col("service").is_null())),
                None => Ok(frame),
            })
            .await
            .map_err(LakeError::data("read files to merge"))?;
        let mut writer: Option<FileWriter> = None;
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(LakeError::data("read files to merge"))?;
            let Some((first, last)) = bounds(&batch) else { continue };
            let mut open = match writer.take() {
                Some(open) => open,
                None => FileWriter::create(&folder, table, date, Effort::Compact, arrived)?,
            };
            let wrote = tokio::task::spawn_blocking(move || open.write(&batch, first, last).map(|()| open));
            writer = Some(join(wrote.await)??);
        }
        match writer {
            None => Ok(None),
            Some(open) => join(tokio::task::spawn_blocking(move || open.finish()).await)?.map(Some),
        }
    }

    /// Deletes days that are older than their retention, then, beyond the disk budget, the oldest days. The past may be
    /// imported: its days are kept for their retention from the moment they arrived.
    pub async fn expire(&self) -> Result<Maintenance, LakeError> {
        let mut done = Maintenance::default();
        let now = self.options.clock.now();
        let keep = &self.options.retention;
        for (table, age) in
            [(Table::Requests, keep.requests), (Table::Samples, keep.samples), (Table::Rollup1m, keep.rollups)]
        {
            let oldest = oldest_day(now, age);
            let kept: HashSet<i32> = self
                .state
                .files(table)
                .iter()
                .filter(|file| i64::from(file.date).max(file.arrived.utc_days()) >= oldest)
                .map(|file| file.date)
                .collect();
            done.expired += self.drop_days(table, |file| !kept.contains(&file.date)).await?;
        }
        for table in [Table::Samples, Table::Requests, Table::Rollup1m] {
            while self.used_bytes() > self.options.disk.0 / 100 * 95 {
                let files = self.state.files(table);
                let (Some(oldest), Some(newest)) =
                    (files.iter().map(|file| file.date).min(), files.iter().map(|file| file.date).max())
                else {
                    break;
                };
                if oldest == newest {
                    break;
                }
                tracing::warn!(table = table.name(), day = %date_text(oldest), "the disk budget deletes a day");
                done.expired += self.drop_days(table, |file| file.date == oldest).await?;
                self.remove_dead_files(Duration::ZERO);
            }
        }
        Ok(done)
    }

    async fn drop_days(&self, table: Table, doomed: impl Fn(&DataFile) -> bool) -> Result<usize, LakeError> {
        let mut log = self.logs.change(table, &self.state).await?;
        let removed: Vec<DataFile> =
            self.state.files(table).iter().filter(|file| doomed(file)).map(|file| file.as_ref().clone()).collect();
        if removed.is_empty() {
            return Ok(0);
        }
        let changes = Changes { removed: &removed, data_change: true, ..Changes::default() };
        log.commit(&changes, self.options.clock.now()).await?;
        self.state.replace_files(table, &removed, &[], None);
        self.state.rows_were_removed();
        Ok(removed.len())
    }

    /// Bytes of journal and tables on disk.
    pub fn used_bytes(&self) -> u64 {
        folder_bytes(&self.options.dir.join("lake")) + folder_bytes(&self.options.dir.join("journal"))
    }

    /// Deletes files that left their table at least `age` ago. Files that are being written are never touched.
    pub fn remove_dead_files(&self, age: Duration) -> usize {
        let lake = self.options.dir.join("lake");
        let dead = self.state.take_dead(age);
        dead.iter().filter(|(table, path)| std::fs::remove_file(lake.join(table.name()).join(path)).is_ok()).count()
    }

    /// Deletes what an earlier process left behind and no table names. To be called before anything is written.
    ///
    /// Where a file is missing that the table names, nothing is deleted: the log may be what is damaged.
    pub fn remove_strays(&self) -> usize {
        let mut removed = 0;
        for table in Table::ALL {
            let folder = self.options.dir.join("lake").join(table.name());
            let files = self.state.files(table);
            let alive: HashSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
            let found = data_files(&folder);
            let missing = files.iter().any(|file| !found.iter().any(|(path, _)| path.ends_with(&file.path)));
            for (path, meta) in found {
                let relative = path.strip_prefix(&folder).map(|path| path.to_string_lossy().into_owned());
                let unfinished = path.extension().is_some_and(|extension| extension == "unfinished");
                let old = meta.modified().is_ok_and(|at| at.elapsed().is_ok_and(|elapsed| elapsed >= STRAY_AGE));
                let dead = !missing && old && relative.is_ok_and(|relative| !alive.contains(relative.as_str()));
                if unfinished || dead {
                    removed += usize::from(std::fs::remove_file(&path).is_ok());
                }
            }
        }
        removed
    }

    /// One round of everything, as run every minute.
    pub async fn round(&self) -> Result<Maintenance, LakeError> {
        let expired = self.expire().await?;
        let merged = self.compact(false).await?;
        self.remove_dead_files(DEAD_FILE_AGE);
        self.reader.forget_gone();
        Ok(Maintenance { merged: merged.merged, expired: expired.expired })
    }
}

fn oldest_day(now: Timestamp, age: Span) -> i64 {
    now.plus_micros(-age.micros()).utc_days()
}

fn join<T>(outcome: Result<T, tokio::task::JoinError>) -> Result<T, LakeError> {
    outcome.map_err(|error| LakeError::Io {
        action: "write",
        path: "a Parquet file".into(),
        source: std::io::Error::other(error),
    })
}

fn bounds(batch: &RecordBatch) -> Option<(Timestamp, Timestamp)> {
    let ts = batch.column_by_name("ts")?.as_primitive::<TimestampMicrosecondType>();
    debug_assert_eq!(ts.null_count(), 0);
    Some((Timestamp::from_micros(min(ts)?), Timestamp::from_micros(max(ts)?)))
}

/// The next files of one day to merge, if any.
///
/// On a day that is still written to, only files of about one size are merged: otherwise the largest would be rewritten
/// again and again.
fn next_group(files: &[Arc<DataFile>], today: i64, all: bool) -> Option<Vec<Arc<DataFile>>> {
    let mut days: BTreeMap<i32, Vec<&Arc<DataFile>>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.bytes < TARGET_BYTES) {
        days.entry(file.date).or_default().push(file);
    }
    for (day, mut small) in days {
        let whole_day = all || i64::from(day) < today - 1;
        small.sort_by_key(|file| file.bytes);
        let mut bytes = 0;
        let group: Vec<Arc<DataFile>> = small
            .into_iter()
            .take(FAN_IN)
            .take_while(|file| {
                let fits = bytes + file.bytes <= 2 * TARGET_BYTES;
                let alike = whole_day || bytes == 0 || file.bytes <= bytes.max(ALIKE_BYTES);
                bytes += file.bytes;
                fits && alike
            })
            .cloned()
            .collect();
        if group.len() >= if whole_day { 2 } else { SMALL_FILES } {
            return Some(group);
        }
    }
    None
}

fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => folder_bytes(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}

fn data_files(folder: &Path) -> Vec<(std::path::PathBuf, std::fs::Metadata)> {
    let Ok(days) = std::fs::read_dir(folder) else { return Vec::new() };
    days.flatten()
        .filter(|day| day.file_name().to_string_lossy().starts_with("date="))
        .filter_map(|day| std::fs::read_dir(day.path()).ok())
        .flat_map(Iterator::flatten)
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: usize, date: i32, bytes: u64) -> Arc<DataFile> {
        let path = format!("date={}/{name}", date_text(date));
        Arc::new(DataFile {
            path,
            date,
            bytes,
            first: Timestamp::default(),
            last: Timestamp::default(),
            rows: 1,
            crc: 0,
            arrived: Timestamp::default(),
        })
    }

    #[test]
    fn yesterday_is_merged_wholly_and_today_only_when_it_is_worth_it() {
        let today = 20_000;
        let few: Vec<_> = (0..3).map(|n| file(n, 20_000, 1000)).collect();
        assert!(next_group(&few, today, false).is_none(), "three small files of today can wait");
        assert_eq!(next_group(&few, today, true).unwrap().len(), 3);
        let old: Vec<_> = (0..3).map(|n| file(n, 19_990, 1000)).collect();
        assert_eq!(next_group(&old, today, false).unwrap().len(), 3);
        let many: Vec<_> = (0..100).map(|n| file(n, 20_000, 1000)).collect();
        assert_eq!(next_group(&many, today, false).unwrap().len(), FAN_IN);
        let mut grown: Vec<_> = (0..8).map(|n| file(n, 20_000, 2 << 20)).collect();
        grown.push(file(9, 20_000, 100 << 20));
        assert_eq!(next_group(&grown, today, false).unwrap().len(), 8, "the large one is not rewritten each time");
        assert_eq!(next_group(&grown, today, true).unwrap().len(), 9);
        let large: Vec<_> = (0..5).map(|n| file(n, 19_990, TARGET_BYTES)).collect();
        assert!(next_group(&large, today, true).is_none(), "what is large enough stays");
    }
}
