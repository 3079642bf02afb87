//! Keeps tables small and inside their budget: compaction, retention, deletion of a service, removal of dead files.
//!
//! Compaction changes no rows. Retention and the disk budget delete whole days, rows that are rebuilt from nothing
//! last: samples and requests go before roll-ups.

use crate::delta::Changes;
use crate::error::LakeError;
use crate::file::{DataFile, Effort, FileWriter, date_text};
use crate::log_check;
use crate::options::LakeOptions;
use crate::query::Reader;
use crate::seal::Logs;
use crate::state::State;
use crate::workers::{BrokeOff, Workers};
use base::{Span, Timestamp};
use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::compute::{max, min};
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use datafusion::logical_expr::{col, lit};
use signal::Table;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Files are merged up to this size.
const TARGET_BYTES: u64 = 128 << 20;
/// So many files are merged at a time: each needs buffers while it is read, 10 to 20 MiB.
const FAN_IN: usize = 8;
/// A day that is still written to is compacted once it has this many small files.
const SMALL_FILES: usize = FAN_IN;
/// A past day to which nothing came for this long is merged wholly; already after [`QUIET`] when it is worth it.
const SETTLED: Span = Span::from_seconds(3600);
const QUIET: Span = Span::from_seconds(60);
/// What the disk budget deletes first: what is many and seldom asked for. Roll-ups and events are small and go last.
const FIRST_TO_GO: [Table; 7] =
    [Table::Spans, Table::Samples, Table::Logs, Table::Requests, Table::Errors, Table::Events, Table::Rollup1m];
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
    /// See [`Maintainer::used_bytes`].
    pub(crate) used: AtomicU64,
    /// Held while days are chosen and deleted: two that look at the same full disk would each delete a half too many.
    pub(crate) expiring: tokio::sync::Mutex<()>,
    /// The lake is being closed: no further merge is begun.
    pub(crate) stopping: AtomicBool,
    pub(crate) writers: Arc<Workers>,
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
        let now = self.options.clock.now();
        for table in Table::ALL {
            while let Some(group) = next_group(&self.whole_files(table), now, all) {
                if self.stopping.load(Ordering::SeqCst) || !self.has_room_for(group.iter().map(|file| file.bytes).sum())
                {
                    break;
                }
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
        Ok(removed)
    }

    /// Rewrites files as one, in order, without the rows of `without`. Returns how many rows went.
    ///
    /// The table's log is held for the commit alone: sealing goes on while rows are read and written.
    async fn merge(&self, table: Table, group: &[Arc<DataFile>], without: Option<&str>) -> Result<u64, LakeError> {
        if let Some(service) = without
            && !self.reader.has_service(table, group, service).await.map_err(LakeError::data("read files of"))?
        {
            return Ok(0);
        }
        let folder = self.options.dir.join("lake").join(table.name());
        let removed: Vec<DataFile> = group.iter().map(|file| file.as_ref().clone()).collect();
        let before: u64 = removed.iter().map(|file| file.rows).sum();
        let written = self.rewrite(table, folder.clone(), group, without).await?;
        let after = written.as_ref().map_or(0, |file| file.rows);
        if without.is_none() && after != before {
            return Err(LakeError::Io {
                action: "merge files of",
                path: folder,
                source: std::io::Error::other(format!("{before} rows went in, {after} came out")),
            });
        }
        let added: Vec<DataFile> = written.into_iter().collect();
        let mut log = self.logs.change(table, &self.state).await?;
        // What was chosen may have been merged or deleted by somebody else meanwhile: then this was for nothing.
        let current = self.state.files(table);
        if !group.iter().all(|file| current.iter().any(|known| known.path == file.path)) {
            for file in &added {
                let _ = std::fs::remove_file(folder.join(&file.path));
            }
            return Ok(0);
        }
        let changes =
            Changes { added: &added, removed: &removed, data_change: without.is_some(), ..Changes::default() };
        log.commit(&changes, self.options.clock.now()).await?;
        self.state.replace_files(table, &removed, &added, None);
        if without.is_some() {
            self.state.rows_were_removed();
        }
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
            let wrote = self.writers.run(move || open.write(&batch, first, last).map(|()| open));
            writer = Some(join(wrote.await)??);
        }
        match writer {
            None => Ok(None),
            Some(open) => join(self.writers.run(move || open.finish()).await)?.map(Some),
        }
    }

    /// Deletes days that are older than their retention, then, beyond the disk budget, the oldest days. The past may be
    /// imported: its days are kept for their retention from the moment they arrived.
    pub async fn expire(&self) -> Result<Maintenance, LakeError> {
        let _turn = self.expiring.lock().await;
        let mut done = Maintenance::default();
        let now = self.options.clock.now();
        let keep = &self.options.retention;
        for table in Table::ALL {
            let oldest = oldest_day(now, keep.of(table));
            done.expired += self.drop_days(table, |files| beyond_retention(files, oldest)).await?;
        }
        let enough = self.options.disk.0 / 100 * 95;
        if self.measure_used().await > enough {
            // What no table names any more goes first; queries that began before are over by then.
            self.remove_dead_files(self.options.query_time + Duration::from_secs(5));
        }
        let today = now.utc_days();
        for table in FIRST_TO_GO {
            // Files that queries may still read count as gone: they are, in a moment.
            while self.measure(self.dead_files()).await.is_some_and(|used| used > enough) {
                let Some(oldest) = oldest_day_to_spare(&self.state.files(table), today) else { break };
                tracing::warn!(table = table.name(), day = %date_text(oldest), "the disk budget deletes a day");
                done.expired += self
                    .drop_days(table, |files| files.iter().filter(|file| file.date == oldest).cloned().collect())
                    .await?;
            }
        }
        Ok(done)
    }

    /// Deletes the files that `doomed` picks. It picks while the log is held: a day may get new rows until then.
    async fn drop_days(
        &self,
        table: Table,
        doomed: impl Fn(&[Arc<DataFile>]) -> Vec<Arc<DataFile>>,
    ) -> Result<usize, LakeError> {
        let mut log = self.logs.change(table, &self.state).await?;
        let doomed = doomed(&self.state.files(table));
        let removed: Vec<DataFile> = doomed.iter().map(|file| file.as_ref().clone()).collect();
        if removed.is_empty() {
            return Ok(0);
        }
        let changes = Changes { removed: &removed, data_change: true, ..Changes::default() };
        log.commit(&changes, self.options.clock.now()).await?;
        self.state.replace_files(table, &removed, &[], None);
        self.state.rows_were_removed();
        Ok(removed.len())
    }

    /// Bytes of journal, tables and what queries put aside on disk, as measured last.
    pub fn used_bytes(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Measures [`Maintainer::used_bytes`] anew; walking the folders takes a while.
    pub async fn measure_used(&self) -> u64 {
        if let Some(used) = self.measure(HashSet::new()).await {
            self.used.store(used, Ordering::Relaxed);
        }
        self.used_bytes()
    }

    /// Bytes as [`Maintainer::used_bytes`] counts them, but for those of the files `without`. One walk, so that a file
    /// that is deleted meanwhile is never counted as used and as gone. None if the walk failed.
    async fn measure(&self, without: HashSet<PathBuf>) -> Option<u64> {
        let dir = self.options.dir.clone();
        let walk = move || ["lake", "journal", "tmp"].iter().map(|part| folder_bytes(&dir.join(part), &without)).sum();
        tokio::task::spawn_blocking(walk).await.ok()
    }

    /// Files that left their table and are not deleted yet.
    fn dead_files(&self) -> HashSet<PathBuf> {
        let lake = self.options.dir.join("lake");
        self.state.dead().into_iter().map(|(table, path)| lake.join(table.name()).join(path)).collect()
    }

    /// Whether the disk has room for rewriting so many bytes without touching what intake keeps free.
    fn has_room_for(&self, bytes: u64) -> bool {
        rustix::fs::statvfs(&self.options.dir).map_or(true, |disk| {
            let (free, total) = (disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize);
            free > 2 * reserve_bytes(total) + bytes
        })
    }

    /// Deletes files that left their table at least `age` ago. Files that are being written are never touched.
    pub fn remove_dead_files(&self, age: Duration) -> usize {
        let lake = self.options.dir.join("lake");
        let dead = self.state.take_dead(age);
        dead.iter().filter(|(table, path)| std::fs::remove_file(lake.join(table.name()).join(path)).is_ok()).count()
    }

    /// Deletes what an earlier process left behind and no table names. To be called before anything is written.
    ///
    /// Where a file is missing that the table names, or a commit was set aside, nothing is deleted: the log may be what
    /// is damaged.
    pub fn remove_strays(&self) -> usize {
        let mut removed = 0;
        for table in Table::ALL {
            let folder = self.options.dir.join("lake").join(table.name());
            let files = self.state.files(table);
            let alive: HashSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
            let found = data_files(&folder);
            let foreign = format!("lake/{}/date=", table.name());
            let missing = files.iter().any(|file| !found.iter().any(|(path, _)| path.ends_with(&file.path)))
                || log_check::has_commit_aside(&folder.join("_delta_log"))
                || self.state.damage().iter().any(|damage| damage.file.starts_with(&foreign));
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
        // Needs no space, so it comes before what may fail for want of it.
        self.remove_dead_files(DEAD_FILE_AGE);
        let expired = self.expire().await?;
        let merged = self.compact(false).await?;
        self.reader.forget_gone();
        Ok(Maintenance { merged: merged.merged, expired: expired.expired })
    }
}

fn oldest_day(now: Timestamp, age: Span) -> i64 {
    now.plus_micros(-age.micros()).utc_days()
}

/// Files of the days all of whose rows arrived before the day `oldest`. What rows say of their own time does not count:
/// the past may be imported, and a sender's clock may be years ahead.
fn beyond_retention(files: &[Arc<DataFile>], oldest: i64) -> Vec<Arc<DataFile>> {
    let young = |file: &&Arc<DataFile>| file.arrived.utc_days() >= oldest;
    let kept: HashSet<i32> = files.iter().filter(young).map(|file| file.date).collect();
    files.iter().filter(|file| !kept.contains(&file.date)).cloned().collect()
}

/// The day that the disk budget deletes next: never the newest one that has begun.
fn oldest_day_to_spare(files: &[Arc<DataFile>], today: i64) -> Option<i32> {
    let days: BTreeSet<i32> = files.iter().map(|file| file.date).collect();
    let newest = days.iter().copied().filter(|day| i64::from(*day) <= today).max();
    days.into_iter().find(|day| Some(*day) != newest)
}

/// Space that intake leaves free, so that sealing, the store and sign-in go on: a twentieth of the file system, at
/// least 4 MiB, at most 256 MiB.
pub fn reserve_bytes(total: u64) -> u64 {
    (total / 20).clamp(4 << 20, 256 << 20)
}

fn join<T>(outcome: Result<T, BrokeOff>) -> Result<T, LakeError> {
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
fn next_group(files: &[Arc<DataFile>], now: Timestamp, all: bool) -> Option<Vec<Arc<DataFile>>> {
    let mut days: BTreeMap<i32, Vec<&Arc<DataFile>>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.bytes < TARGET_BYTES) {
        days.entry(file.date).or_default().push(file);
    }
    for (day, mut small) in days {
        // Late rows make a day of long ago one that is still written to: its large file is not rewritten for each few.
        let quiet = |age: Span| small.iter().all(|file| file.arrived < now.plus_micros(-age.micros()));
        let largest = small.iter().map(|file| file.bytes).max().unwrap_or(0);
        let others = small.iter().map(|file| file.bytes).sum::<u64>() - largest;
        let settled = quiet(SETTLED) || (quiet(QUIET) && others >= largest / 4);
        let whole_day = all || (i64::from(day) < now.utc_days() - 1 && settled);
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

fn folder_bytes(folder: &Path, without: &HashSet<PathBuf>) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => folder_bytes(&entry.path(), without),
            Ok(meta) if !without.contains(&entry.path()) => meta.len(),
            Ok(_) | Err(_) => 0,
        })
        .sum()
}

fn data_files(folder: &Path) -> Vec<(PathBuf, std::fs::Metadata)> {
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
        let today = Timestamp::from_seconds(20_000 * 86_400 + 40_000);
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
        assert_eq!(next_group(&grown, today, true).unwrap().len(), FAN_IN, "the smallest first");
        grown.drain(1..8);
        assert_eq!(next_group(&grown, today, true).unwrap().len(), 2, "then the large one, too");
        let late = |seconds: i64, largest: u64| -> Vec<Arc<DataFile>> {
            let arrived = today.plus_micros(-seconds * 1_000_000);
            let sizes = [1000, 1000, largest].into_iter().enumerate();
            let file = |(name, bytes)| DataFile { arrived, ..file(name, 19_990, bytes).as_ref().clone() };
            sizes.map(file).map(Arc::new).collect()
        };
        for (seconds, largest, merged) in [(10, 1000, false), (120, 1000, true), (120, 9000, false), (4000, 9000, true)]
        {
            let found = next_group(&late(seconds, largest), today, false).is_some();
            assert_eq!(found, merged, "nothing came for {seconds} s to a day with a file of {largest} bytes");
        }
        let large: Vec<_> = (0..5).map(|n| file(n, 19_990, TARGET_BYTES)).collect();
        assert!(next_group(&large, today, true).is_none(), "what is large enough stays");
    }

    fn arrived(name: usize, date: i32, day: i64) -> Arc<DataFile> {
        let arrived = Timestamp::from_seconds(day * 86_400);
        Arc::new(DataFile { arrived, ..file(name, date, 1).as_ref().clone() })
    }

    #[test]
    fn retention_goes_by_arrival_and_the_budget_spares_the_current_day() {
        let files = [arrived(0, 10, 10), arrived(1, 10, 100), arrived(2, 20, 20), arrived(3, 400, 30)];
        let gone: Vec<i32> = beyond_retention(&files, 90).iter().map(|file| file.date).collect();
        assert_eq!(gone, [20, 400], "an imported day stays, a day of the future goes");
        assert_eq!(oldest_day_to_spare(&files, 100), Some(10));
        assert_eq!(oldest_day_to_spare(&files[2..], 100), Some(400), "the newest day that has begun stays");
        assert_eq!(oldest_day_to_spare(&files[2..3], 100), None);
    }
}
