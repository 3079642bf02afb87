//! One file of the journal: created, appended to, made durable, read back.

use super::frame::{self, HeaderError, Payload, Step};
use crate::error::LakeError;
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The file name of segment `number`; names sort by number.
pub fn file_name(number: u64) -> String {
    format!("{number:012}.journal")
}

/// The segment number in a file name.
pub fn number_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    name.strip_suffix(".journal")?.parse().ok()
}

/// The segments in a folder, in order.
pub fn list(folder: &Path) -> std::io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        found.extend(number_of(&path).map(|number| (number, path)));
    }
    found.sort();
    Ok(found)
}

/// Makes names inside `folder` durable (a new file is lost by a power cut otherwise).
pub fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

/// A segment open for appending.
pub struct SegmentWriter {
    file: File,
    /// Path of the file.
    pub path: PathBuf,
    /// Bytes that are known to be whole.
    pub durable: u64,
}

impl SegmentWriter {
    /// Creates segment `number`, durable together with its name.
    pub fn create(folder: &Path, number: u64) -> Result<Self, LakeError> {
        let path = folder.join(file_name(number));
        let fail = |action| LakeError::io(action, path.clone());
        let mut file =
            OpenOptions::new().create_new(true).write(true).open(&path).map_err(fail("create journal segment"))?;
        let started =
            file.write_all(&frame::header(number)).and_then(|()| file.sync_data()).and_then(|()| sync_folder(folder));
        if let Err(source) = started {
            // Half a header would be read as damage at the next start; nothing was acknowledged from it.
            let _ = std::fs::remove_file(&path);
            return Err(fail("write journal segment")(source));
        }
        Ok(Self { file, path, durable: frame::HEADER_BYTES as u64 })
    }

    /// Appends whole frames and makes them durable. On an error nothing of them counts as written.
    pub fn append(&mut self, frames: &[&[u8]]) -> Result<(), WriteFailure> {
        let written = frames.iter().try_for_each(|frame| self.file.write_all(frame));
        if let Err(source) = written {
            let undone = self.file.set_len(self.durable).and_then(|()| self.file.seek(SeekFrom::Start(self.durable)));
            return Err(if undone.is_ok() { WriteFailure::Undone(source) } else { WriteFailure::Broken(source) });
        }
        // After a failed fsync the kernel may have dropped the pages: never retry it and go on.
        self.file.sync_data().map_err(WriteFailure::Broken)?;
        self.durable += frames.iter().map(|frame| frame.len() as u64).sum::<u64>();
        Ok(())
    }

    /// Cuts the file back to what was acknowledged, after a failure.
    pub fn cut_back(&mut self) -> std::io::Result<()> {
        self.file.set_len(self.durable)?;
        self.file.sync_data()
    }
}

/// A write that did not become durable.
#[derive(Debug)]
pub enum WriteFailure {
    /// The file was cut back and can be used again.
    Undone(std::io::Error),
    /// Nothing more may be acknowledged from this file.
    Broken(std::io::Error),
}

impl WriteFailure {
    /// What the system said.
    pub fn source(&self) -> &std::io::Error {
        match self {
            Self::Undone(source) | Self::Broken(source) => source,
        }
    }
}

/// Bytes of a segment that can't be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRange {
    /// First bad byte.
    pub from: u64,
    /// First byte behind.
    pub to: u64,
    /// The unfinished end of an append that was never acknowledged.
    pub torn: bool,
    /// What is wrong.
    pub reason: &'static str,
}

/// The segment was written by a newer version of this program, so its frames can't be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the journal was written by a newer version; start that version instead")]
pub struct NewerVersion;

/// Visits every whole frame of a segment's bytes and returns the ranges that could not be believed.
pub fn read(bytes: &[u8], mut visit: impl FnMut(Payload<'_>, u64)) -> Result<Vec<BadRange>, NewerVersion> {
    let mut bad = Vec::new();
    let mut at = frame::HEADER_BYTES.min(bytes.len());
    match frame::read_header(bytes) {
        Ok(_) => {}
        Err(HeaderError::Newer) => return Err(NewerVersion),
        Err(HeaderError::Damaged(reason)) => {
            // A file without a whole header was never acknowledged from; behind a damaged one frames may be whole.
            let torn = bytes.len() < frame::HEADER_BYTES || bytes.iter().all(|&byte| byte == 0);
            at = match frame::step(bytes, at) {
                Step::Damage { next, .. } => next,
                Step::Frame { .. } | Step::End => at,
            };
            bad.push(BadRange { from: 0, to: at as u64, torn, reason });
        }
    }
    loop {
        let step = frame::step(bytes, at);
        let (next, problem) = match step {
            Step::End => return Ok(bad),
            Step::Frame { payload, next } => match frame::parse(payload) {
                Ok(payload) => {
                    visit(payload, (next - at) as u64);
                    (next, None)
                }
                Err(reason) => (next, Some((false, reason))),
            },
            Step::Damage { next, torn, reason } => (next, Some((torn, reason))),
        };
        if let Some((torn, reason)) = problem {
            bad.push(BadRange { from: at as u64, to: next as u64, torn, reason });
        }
        at = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signal::Table;

    fn frame(text: &[u8]) -> Vec<u8> {
        frame::encode(&Payload { marks: Vec::new(), parts: vec![(Table::Requests, text)] })
    }

    fn texts(bytes: &[u8]) -> (Vec<Vec<u8>>, Vec<BadRange>) {
        let mut out = Vec::new();
        let bad = read(bytes, |payload, _| out.push(payload.parts[0].1.to_vec())).unwrap();
        (out, bad)
    }

    #[test]
    fn what_was_appended_reads_back_and_a_torn_end_is_told_from_damage() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = SegmentWriter::create(folder.path(), 3).unwrap();
        writer.append(&[&frame(b"one"), &frame(b"two")]).unwrap();
        let bytes = std::fs::read(&writer.path).unwrap();
        assert_eq!(writer.durable, bytes.len() as u64);
        assert_eq!(number_of(&writer.path), Some(3));
        assert_eq!(texts(&bytes), (vec![b"one".to_vec(), b"two".to_vec()], Vec::new()));

        let (whole, bad) = texts(&bytes[..bytes.len() - 1]);
        assert_eq!((whole.len(), bad.len(), bad[0].torn), (1, 1, true));

        let mut flipped = bytes.clone();
        flipped[frame::HEADER_BYTES + frame::FRAME_HEADER_BYTES] ^= 1;
        let (whole, bad) = texts(&flipped);
        assert_eq!((whole, bad.len(), bad[0].torn), (vec![b"two".to_vec()], 1, false));
        assert_eq!(bad[0].from, frame::HEADER_BYTES as u64);
    }

    #[test]
    fn a_damaged_file_header_loses_no_frame() {
        let mut bytes = frame::header(1).to_vec();
        bytes.extend(frame(b"one"));
        bytes[0] ^= 1;
        let (whole, bad) = texts(&bytes);
        assert_eq!((whole.len(), bad.len(), bad[0].torn), (1, 1, false));

        bytes[frame::HEADER_BYTES] ^= 1;
        let (whole, bad) = texts(&bytes);
        assert_eq!((whole.len(), bad.len(), bad[0].torn), (0, 1, false), "both damaged is damage, not an end");
    }

    #[test]
    fn a_segment_of_a_newer_version_is_not_taken_for_damage() {
        let mut bytes = frame::header(1).to_vec();
        bytes[4] = 9;
        let crc = crc32c::crc32c(&bytes[..16]);
        bytes[16..20].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(read(&bytes, |_, _| ()), Err(NewerVersion));
    }
}
