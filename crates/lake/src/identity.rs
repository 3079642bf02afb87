//! What the journal knows besides rows: its own identity, and how far sources were read.
//!
//! Both decide what is stored a second time, so both are kept twice, each with a checksum: one damaged byte must not
//! make rows appear twice.

use crate::error::LakeError;
use crate::journal::frame::Mark;
use crate::journal::segment::sync_folder;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

/// The journal's identity in the tables' logs; a new journal has a new one, so numbers can start again.
pub fn journal_id(journal: &Path) -> Result<String, LakeError> {
    if let Some(id) = read_twice(journal, "id")? {
        return Ok(id);
    }
    let id = uuid::Uuid::now_v7().to_string();
    write_twice(journal, "id", &id)?;
    Ok(id)
}

/// How far sources were read, as far as rows are sealed.
pub fn read_marks(journal: &Path) -> Result<Vec<Mark>, LakeError> {
    let Some(text) = read_twice(journal, "marks")? else { return Ok(Vec::new()) };
    let marks: BTreeMap<String, String> =
        serde_json::from_str(&text).map_err(|error| LakeError::io("parse", journal.join("marks"))(error.into()))?;
    Ok(marks.into_iter().collect())
}

/// Adds marks to those that are stored; one without a value is forgotten.
pub fn add_marks(journal: &Path, fresh: Vec<Mark>) -> Result<(), LakeError> {
    if fresh.is_empty() {
        return Ok(());
    }
    let mut marks: BTreeMap<String, String> = read_marks(journal)?.into_iter().collect();
    marks.extend(fresh);
    marks.retain(|_, value| !value.is_empty());
    write_marks(journal, &marks)
}

/// Removes the stored marks whose key starts with `prefix`.
pub fn remove_marks(journal: &Path, prefix: &str) -> Result<(), LakeError> {
    let mut marks: BTreeMap<String, String> = read_marks(journal)?.into_iter().collect();
    let before = marks.len();
    marks.retain(|key, _| !key.starts_with(prefix));
    if marks.len() == before { Ok(()) } else { write_marks(journal, &marks) }
}

fn write_marks(journal: &Path, marks: &BTreeMap<String, String>) -> Result<(), LakeError> {
    let text =
        serde_json::to_string(marks).map_err(|error| LakeError::io("encode", journal.join("marks"))(error.into()))?;
    write_twice(journal, "marks", &text)
}

const COPIES: [&str; 2] = ["", ".copy"];

fn read_twice(folder: &Path, name: &str) -> Result<Option<String>, LakeError> {
    let mut damaged = None;
    for copy in COPIES {
        let path = folder.join(format!("{name}{copy}"));
        match std::fs::read(&path) {
            Ok(bytes) => {
                if let Some(text) = checked(&bytes) {
                    return Ok(Some(text.to_owned()));
                }
                tracing::error!(path = %path.display(), "the file is damaged; its copy is used");
                damaged = Some(path);
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(LakeError::io("read", path)(error)),
        }
    }
    match damaged {
        None => Ok(None),
        Some(file) => Err(LakeError::DamagedLog { file, reason: "neither it nor its copy has its checksum".into() }),
    }
}

/// The text behind its checksum.
pub fn checked(bytes: &[u8]) -> Option<&str> {
    let (crc, text) = std::str::from_utf8(bytes).ok()?.split_once(' ')?;
    (u32::from_str_radix(crc, 16).ok()? == crc32c::crc32c(text.as_bytes())).then_some(text)
}

fn write_twice(folder: &Path, name: &str, text: &str) -> Result<(), LakeError> {
    let bytes = format!("{:08x} {text}", crc32c::crc32c(text.as_bytes()));
    for copy in COPIES {
        let path = folder.join(format!("{name}{copy}"));
        write_durably(&path, bytes.as_bytes()).map_err(LakeError::io("write", path))?;
    }
    Ok(())
}

fn write_durably(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".unfinished");
    std::fs::write(&unfinished, bytes)?;
    File::open(&unfinished)?.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    sync_folder(path.parent().unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_and_marks_survive_damage_to_either_file() {
        let folder = tempfile::tempdir().unwrap();
        let id = journal_id(folder.path()).unwrap();
        add_marks(folder.path(), vec![("a".into(), "1".into())]).unwrap();
        add_marks(folder.path(), vec![("b".into(), "2".into()), ("a".into(), "3".into())]).unwrap();
        let marks = vec![("a".to_owned(), "3".to_owned()), ("b".to_owned(), "2".to_owned())];
        for file in ["id", "id.copy", "marks", "marks.copy"] {
            let path = folder.path().join(file);
            let whole = std::fs::read(&path).unwrap();
            for at in 0..whole.len() {
                let mut bytes = whole.clone();
                bytes[at] ^= 1;
                std::fs::write(&path, &bytes).unwrap();
                assert_eq!(journal_id(folder.path()).unwrap(), id, "{file} byte {at}");
                assert_eq!(read_marks(folder.path()).unwrap(), marks, "{file} byte {at}");
            }
            std::fs::write(&path, &whole).unwrap();
        }
        for file in ["marks", "marks.copy"] {
            std::fs::write(folder.path().join(file), "nonsense").unwrap();
        }
        assert!(read_marks(folder.path()).is_err(), "sources are never read anew in silence");
    }
}
