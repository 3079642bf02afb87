//! Looks at the files of a Delta log without the library: which of them can't be read, and why.
//!
//! The library reads over a commit that is empty and over actions whose name it does not know, and JSON has no checksum;
//! so each commit carries one over what matters: which files come and go, and which segment was sealed.
//!
//! Repairs only what loses nothing: a last commit that a power cut left unfinished (the journal still has its rows),
//! and checkpoints, which repeat what commits say. Files are renamed, never deleted.

use datafusion::parquet::file::reader::{FileReader, SerializedFileReader};
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};

/// A file of a log that can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProblem {
    /// The file.
    pub file: PathBuf,
    /// What is wrong.
    pub reason: String,
    /// Whether it only repeats what commits say.
    pub checkpoint: bool,
}

/// Commits of a log in order: version and file.
pub fn commits(log: &Path) -> std::io::Result<Vec<(u64, PathBuf)>> {
    let mut found: Vec<(u64, PathBuf)> = Vec::new();
    for path in files(log)? {
        let version = path.file_name().and_then(OsStr::to_str).and_then(|name| name.strip_suffix(".json"));
        if let Some(version) = version.filter(|name| name.len() == 20).and_then(|name| name.parse().ok()) {
            found.push((version, path));
        }
    }
    found.sort();
    Ok(found)
}

fn files(log: &Path) -> std::io::Result<Vec<PathBuf>> {
    match std::fs::read_dir(log) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn checkpoints(log: &Path) -> std::io::Result<Vec<PathBuf>> {
    let is_checkpoint = |path: &PathBuf| {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        name.ends_with(".parquet") && name.contains(".checkpoint")
    };
    let mut found: Vec<PathBuf> = files(log)?.into_iter().filter(is_checkpoint).collect();
    found.sort();
    Ok(found)
}

/// Whether the log says anything.
pub fn has_commits(log: &Path) -> bool {
    commits(log).is_ok_and(|found| !found.is_empty()) || checkpoints(log).is_ok_and(|found| !found.is_empty())
}

/// Whether there are Parquet files in a table's folder.
pub fn has_data_files(table: &Path) -> bool {
    let inside = |day: &Path| files(day).is_ok_and(|found| found.iter().any(|path| is_parquet(path)));
    files(table).is_ok_and(|found| {
        found.iter().any(|path| path.file_name() != Some(OsStr::new("_delta_log")) && path.is_dir() && inside(path))
    })
}

fn is_parquet(path: &Path) -> bool {
    path.extension() == Some(OsStr::new("parquet"))
}

/// Every file of the log that can't be read, and versions that are missing.
pub fn check(log: &Path) -> std::io::Result<Vec<LogProblem>> {
    let commits = commits(log)?;
    let checkpoints = checkpoints(log)?;
    let mut problems = check_commits(&commits)?;
    if let Some((first, file)) = commits.first()
        && *first > 0
        && checkpoints.is_empty()
    {
        problems.push(missing(file, 0, *first));
    }
    problems.extend(check_checksums(log)?);
    for file in checkpoints {
        let known = problems.iter().any(|problem| problem.file == file);
        if let Err(reason) = read_checkpoint(&file)
            && !known
        {
            problems.push(LogProblem { file, reason, checkpoint: true });
        }
    }
    let last = log.join("_last_checkpoint");
    if let Ok(bytes) = std::fs::read(&last)
        && serde_json::from_slice::<serde_json::Value>(&bytes).is_err()
    {
        problems.push(LogProblem { file: last, reason: "it is no JSON".into(), checkpoint: true });
    }
    Ok(problems)
}

/// Problems of the commits that are read at a start: those after the last checkpoint, or all when there is none.
pub fn check_recent(log: &Path) -> std::io::Result<Vec<LogProblem>> {
    let checkpoint = std::fs::read(log.join("_last_checkpoint")).ok();
    let last = checkpoint.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    let after = last.and_then(|last| last.get("version")?.as_u64());
    let mut commits = commits(log)?;
    commits.retain(|(version, _)| after.is_none_or(|after| *version > after));
    check_commits(&commits)
}

fn check_commits(commits: &[(u64, PathBuf)]) -> std::io::Result<Vec<LogProblem>> {
    let mut problems = Vec::new();
    for (version, file) in commits {
        if let Err(reason) = check_commit(*version, &std::fs::read(file)?) {
            problems.push(LogProblem { file: file.clone(), reason, checkpoint: false });
        }
    }
    for pair in commits.windows(2) {
        if let [(before, _), (after, file)] = pair
            && before + 1 != *after
        {
            problems.push(missing(file, before + 1, *after));
        }
    }
    Ok(problems)
}

fn missing(file: &Path, from: u64, to: u64) -> LogProblem {
    let reason = format!("the versions {from} to {} before it are missing", to - 1);
    LogProblem { file: file.to_owned(), reason, checkpoint: false }
}

/// Name of the checksum in a commit's `commitInfo`.
pub const CHECKSUM: &str = "koshuChecksum";

/// What a commit says about rows, in any order.
#[derive(Debug, Default)]
pub struct Says {
    lines: Vec<String>,
}

impl Says {
    /// A file comes.
    pub fn add(&mut self, path: &str, bytes: u64) {
        self.lines.push(format!("add {path} {bytes}"));
    }

    /// A file goes.
    pub fn remove(&mut self, path: &str) {
        self.lines.push(format!("remove {path}"));
    }

    /// A segment was sealed.
    pub fn sealed(&mut self, application: &str, segment: u64) {
        self.lines.push(format!("sealed {application} {segment}"));
    }

    /// The checksum of all that.
    pub fn checksum(mut self) -> String {
        self.lines.sort_unstable();
        format!("{:08x}", crc32c::crc32c(self.lines.join("\n").as_bytes()))
    }
}

type Object = serde_json::Map<String, serde_json::Value>;

fn read_lines(bytes: &[u8]) -> Result<Vec<Object>, String> {
    let (mut at, mut objects) = (0, Vec::new());
    for line in bytes.split(|&byte| byte == b'\n') {
        if !line.is_empty() {
            let parsed = serde_json::from_slice::<Object>(line);
            let place = |error| format!("bytes {at} to {} are no JSON object: {error}", at + line.len());
            objects.push(parsed.map_err(place)?);
        }
        at += line.len() + 1;
    }
    Ok(objects)
}

fn check_commit(version: u64, bytes: &[u8]) -> Result<(), String> {
    if bytes.is_empty() {
        return Err("it is empty".into());
    }
    let (mut says, mut wanted) = (Says::default(), None);
    for object in read_lines(bytes)? {
        for (kind, action) in &object {
            let text = |key: &str| action.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
            let number = |key: &str| action.get(key).and_then(serde_json::Value::as_u64).unwrap_or_default();
            match kind.as_str() {
                "add" => says.add(text("path"), number("size")),
                "remove" => says.remove(text("path")),
                "txn" => says.sealed(text("appId"), number("version")),
                "commitInfo" => wanted = Some(text(CHECKSUM).to_owned()),
                "protocol" | "metaData" => {}
                other => return Err(format!("it has an unknown action {other:?}")),
            }
        }
    }
    match wanted {
        _ if version == 0 => Ok(()),
        Some(wanted) if wanted == says.checksum() => Ok(()),
        Some(wanted) if wanted.is_empty() => Err("it was not written by koshu".into()),
        Some(_) => Err("its checksum does not match".into()),
        None => Err("its description is missing".into()),
    }
}

fn read_checkpoint(path: &Path) -> Result<(), String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let reader = SerializedFileReader::new(file).map_err(|error| error.to_string())?;
    for row in reader.get_row_iter(None).map_err(|error| error.to_string())? {
        row.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The last commit when a power cut left its file empty, full of zeros or cut: it was never made durable, so the
/// journal still has what it says.
pub fn unfinished_commit(log: &Path) -> std::io::Result<Option<PathBuf>> {
    let Some((_, file)) = commits(log)?.pop() else { return Ok(None) };
    Ok(is_unfinished(&std::fs::read(&file)?).then_some(file))
}

/// Renames an unfinished commit.
pub fn set_unfinished_commit_aside(log: &Path) -> std::io::Result<()> {
    if let Some(file) = unfinished_commit(log)? {
        tracing::warn!(file = %file.display(), "an unfinished commit is set aside; its rows are in the journal");
        set_aside(&file)?;
    }
    Ok(())
}

fn is_unfinished(bytes: &[u8]) -> bool {
    // Blocks that never arrived are zeros, and JSON has none.
    let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |at| at + 1);
    if end < bytes.len() || bytes.is_empty() {
        return end == 0 || read_lines(&bytes[..end]).is_ok() || is_unfinished(&bytes[..end]);
    }
    // Cut: whole lines, then the beginning of one.
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let rest = &bytes[whole..];
    let cut = serde_json::from_slice::<serde::de::IgnoredAny>(rest).is_err_and(|error| error.is_eof());
    cut && !rest.is_empty() && (whole == 0 || read_lines(&bytes[..whole]).is_ok())
}

/// Ending of the file that holds a checkpoint's checksum.
const CHECKSUM_ENDING: &str = ".crc32c";

fn checksum_file(checkpoint: &Path) -> PathBuf {
    let mut name = checkpoint.as_os_str().to_owned();
    name.push(CHECKSUM_ENDING);
    PathBuf::from(name)
}

/// Writes the checksum of a checkpoint beside it, durable but for its name. Nothing when there is no checkpoint. Those
/// of checkpoints that are gone go too.
pub fn write_checksum(checkpoint: &Path) -> std::io::Result<()> {
    let bytes = match std::fs::read(checkpoint) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        bytes => bytes?,
    };
    let path = checksum_file(checkpoint);
    std::fs::write(&path, format!("{:08x}", crc32c::crc32c(&bytes)))?;
    File::open(&path)?.sync_all()?;
    for file in files(checkpoint.parent().unwrap_or(checkpoint))? {
        let described = file.to_str().and_then(|name| name.strip_suffix(CHECKSUM_ENDING)).map(Path::new);
        if described.is_some_and(|described| !described.exists()) {
            std::fs::remove_file(&file)?;
        }
    }
    Ok(())
}

/// Checkpoints whose checksum does not match: Parquet has none of its own, and a flipped bit may still decode.
pub fn check_checksums(log: &Path) -> std::io::Result<Vec<LogProblem>> {
    let mut problems = Vec::new();
    for file in checkpoints(log)? {
        let Ok(wanted) = std::fs::read_to_string(checksum_file(&file)) else { continue };
        if wanted != format!("{:08x}", crc32c::crc32c(&std::fs::read(&file)?)) {
            problems.push(LogProblem { file, reason: "its checksum does not match".into(), checkpoint: true });
        }
    }
    Ok(problems)
}

/// Whether a commit was ever set aside: files that it named may be named by nobody now, and must stay.
pub fn has_commit_aside(log: &Path) -> bool {
    let aside = |path: &PathBuf| path.to_str().is_some_and(|name| name.ends_with(".json.damaged"));
    files(log).is_ok_and(|found| found.iter().any(aside))
}

/// Renames damaged checkpoints, so that the log is read from its commits.
pub fn set_checkpoints_aside(log: &Path, damaged: &[LogProblem]) -> std::io::Result<()> {
    for problem in damaged {
        tracing::error!(file = %problem.file.display(), reason = problem.reason, "a damaged checkpoint is set aside");
        set_aside(&problem.file)?;
    }
    let last = log.join("_last_checkpoint");
    if last.exists() { set_aside(&last) } else { Ok(()) }
}

fn set_aside(file: &Path) -> std::io::Result<()> {
    let mut name = file.as_os_str().to_owned();
    name.push(".damaged");
    std::fs::rename(file, PathBuf::from(name))?;
    crate::journal::segment::sync_folder(file.parent().unwrap_or(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_commit_is_told_from_a_damaged_one() {
        let whole = "{\"commitInfo\":{}}\n{\"add\":{\"path\":\"a\"}}";
        assert!(read_lines(whole.as_bytes()).is_ok() && !is_unfinished(whole.as_bytes()));
        for cut in 0..whole.len() {
            // A cut between two lines can't be told from a shorter commit.
            let between = cut == 17 || cut == 18;
            assert_eq!(is_unfinished(&whole.as_bytes()[..cut]), !between, "cut at {cut}");
        }
        assert!(is_unfinished(&[0; 100]) && is_unfinished(&[]));
        for cut in 0..whole.len() {
            let zeros = [&whole.as_bytes()[..cut], &[0; 4096]].concat();
            assert!(is_unfinished(&zeros), "zeros behind {cut} bytes");
        }
        let mut flipped = whole.as_bytes().to_vec();
        flipped[2] = b'"';
        assert!(!is_unfinished(&flipped) && read_lines(&flipped).is_err(), "damage is not an end");
    }

    #[test]
    fn any_flipped_bit_of_a_checkpoint_is_seen_and_old_checksums_go() {
        let log = tempfile::tempdir().unwrap();
        let checkpoint = log.path().join("00000000000000000050.checkpoint.parquet");
        write_checksum(&checkpoint).unwrap();
        assert_eq!(files(log.path()).unwrap().len(), 0, "no checkpoint, no checksum");
        let whole = b"PAR1 what the table holds PAR1".to_vec();
        std::fs::write(&checkpoint, &whole).unwrap();
        write_checksum(&checkpoint).unwrap();
        assert_eq!(check_checksums(log.path()).unwrap(), []);
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            std::fs::write(&checkpoint, bytes).unwrap();
            assert_eq!(check_checksums(log.path()).unwrap().len(), 1, "byte {at}");
        }
        std::fs::remove_file(&checkpoint).unwrap();
        let next = log.path().join("00000000000000000100.checkpoint.parquet");
        std::fs::write(&next, &whole).unwrap();
        write_checksum(&next).unwrap();
        assert_eq!(files(log.path()).unwrap().len(), 2, "the next one and its checksum");
    }
}
