use super::*;
use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Write;

fn shop() -> ServiceName {
    "shop".parse().unwrap()
}

fn log(lines: std::ops::Range<usize>) -> Vec<u8> {
    lines.flat_map(|n| format!("GET /items/{n} 200 {}\n", "x".repeat(n % 90)).into_bytes()).collect()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(content).unwrap();
    packed.finish().unwrap()
}

/// A receiver: keeps marks and lines, refuses what is not new.
#[derive(Default)]
struct Book {
    marks: RefCell<HashMap<String, String>>,
    lines: RefCell<Vec<u8>>,
}

impl Book {
    /// Imports up to `chunks` chunks, and says how many bytes were new.
    fn import(&self, mut past: PastReader, chunks: usize) -> Result<usize, PastError> {
        let Some((key, mut covered)) = past.settle(&shop(), |key| self.marks.borrow().get(key).cloned())? else {
            return Ok(0);
        };
        let before = self.lines.borrow().len();
        for _ in 0..chunks {
            let Some(chunk) = past.next_chunk(1000)? else { break };
            covered.extend(chunk.from, chunk.to, chunk.check);
            let stored = self.marks.borrow().get(&key).cloned();
            let next = crate::ledger::admit(stored.as_deref(), &covered.to_string(), chunk.from, chunk.to).unwrap();
            self.marks.borrow_mut().insert(key.clone(), next);
            self.lines.borrow_mut().extend(chunk.bytes);
        }
        Ok(self.lines.borrow().len() - before)
    }
}

fn written(folder: &tempfile::TempDir, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn an_import_resumes_and_never_counts_twice_whatever_the_packing() {
    let folder = tempfile::tempdir().unwrap();
    let content = log(0..2000);
    let (head, tail) = content.split_at(content.len() / 2);
    let files = [
        written(&folder, "plain", &content),
        written(&folder, "gzip", &gzip(&content)),
        written(&folder, "gzip-members", &[gzip(head), gzip(tail)].concat()),
        written(&folder, "zstd", &zstd::encode_all(content.as_slice(), 1).unwrap()),
    ];
    for first in &files {
        for second in &files {
            let book = Book::default();
            book.import(PastReader::open(first).unwrap(), 7).unwrap();
            assert!(!book.lines.borrow().is_empty() && book.lines.borrow().len() < content.len());
            book.import(PastReader::open(second).unwrap(), usize::MAX).unwrap();
            assert_eq!(*book.lines.borrow(), content);
            assert_eq!(book.import(PastReader::open(first).unwrap(), usize::MAX).unwrap(), 0);
            let stream = PastReader::from_stream("-", File::open(second).unwrap()).unwrap();
            assert_eq!(book.import(stream, usize::MAX).unwrap(), 0);
        }
    }
}

#[test]
fn a_gap_before_what_a_tail_delivered_is_filled() {
    let folder = tempfile::tempdir().unwrap();
    let content = log(0..300);
    let path = written(&folder, "access.log", &content);
    let start = content.len() - log(200..300).len();
    let middle = start + log(200..250).len();
    let mut covered = Coverage::default();
    covered.extend(start as u64, middle as u64, Check::of(&content[..middle]));
    for packed in [content.clone(), gzip(&content)] {
        std::fs::write(&path, packed).unwrap();
        let book = Book::default();
        let key = PastReader::open(&path).unwrap().identity(&shop()).unwrap().key(0);
        book.marks.borrow_mut().insert(key.clone(), covered.to_string());
        book.import(PastReader::open(&path).unwrap(), usize::MAX).unwrap();
        assert_eq!(*book.lines.borrow(), [&content[..start], &content[middle..]].concat());
        let all: Coverage = book.marks.borrow()[&key].parse().unwrap();
        assert_eq!(all.ranges().collect::<Vec<_>>(), [(0, content.len() as u64)]);
    }
}

#[test]
fn files_that_start_alike_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let one = [log(0..1), log(10..90)].concat();
    let other = [log(0..1), log(100..190)].concat();
    let book = Book::default();
    for content in [&one, &other] {
        let path = written(&folder, "access.log", content);
        assert_eq!(book.import(PastReader::open(&path).unwrap(), usize::MAX).unwrap(), content.len());
        assert_eq!(book.import(PastReader::open(&path).unwrap(), usize::MAX).unwrap(), 0);
    }
    assert_eq!(book.marks.borrow().len(), 2);
    let stream = PastReader::from_stream("-", Cursor::new(other)).unwrap();
    assert!(matches!(book.import(stream, usize::MAX), Err(PastError::CannotRewind)));
}

#[test]
fn a_copy_cut_short_adds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let content = log(0..400);
    let book = Book::default();
    book.import(PastReader::open(&written(&folder, "whole", &content)).unwrap(), usize::MAX).unwrap();
    let short = &content[..content.len() - log(390..400).len()];
    for (name, bytes) in [("short", short.to_vec()), ("short.gz", gzip(short))] {
        let copy = written(&folder, name, &bytes);
        assert_eq!(book.import(PastReader::open(&copy).unwrap(), usize::MAX).unwrap(), 0, "{name}");
    }
}

#[test]
fn the_last_line_is_taken_or_left_as_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder, "access.log", b"one\ntwo");
    let mut whole = PastReader::open(&path).unwrap();
    assert_eq!(whole.next_chunk(100).unwrap().unwrap().bytes, b"one\n");
    assert_eq!(whole.next_chunk(100).unwrap().unwrap().bytes, b"two\n");
    assert_eq!(whole.next_chunk(100).unwrap(), None);
    let mut growing = PastReader::open(&path).unwrap().may_grow();
    assert_eq!(growing.next_chunk(100).unwrap().unwrap().to, 4);
    assert_eq!(growing.next_chunk(100).unwrap(), None);
    assert_eq!(growing.left_unfinished(), 3);
    let mut stopped = PastReader::open(&path).unwrap().stop_at(4);
    assert_eq!(stopped.next_chunk(100).unwrap().unwrap().to, 4);
    assert_eq!(stopped.next_chunk(100).unwrap(), None);
}

#[test]
fn damage_is_told_after_what_was_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let content = log(0..5000);
    let packed = gzip(&content);
    let path = written(&folder, "cut.gz", &packed[..packed.len() / 2]);
    let mut past = PastReader::open(&path).unwrap();
    let mut got = Vec::new();
    let error = loop {
        match past.next_chunk(10_000) {
            Ok(chunk) => got.extend(chunk.expect("damage is not an end").bytes),
            Err(error) => break error,
        }
    };
    assert!(!got.is_empty() && content.starts_with(&got));
    assert!(error.to_string().contains("cut.gz"), "{error}");
    assert_eq!(past.next_chunk(10_000).unwrap(), None);
    assert!(matches!(PastReader::open(folder.path()), Err(PastError::NotAFile(_))));
    let empty = PastReader::open(&written(&folder, "empty", b"")).unwrap();
    assert_eq!(Book::default().import(empty, 1).unwrap(), 0);
}

#[test]
fn a_decompression_bomb_is_only_a_long_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder, "bomb.gz", &gzip(&vec![b'x'; 64 << 20]));
    let mut past = PastReader::open(&path).unwrap();
    let chunk = past.next_chunk(1 << 20).unwrap().unwrap();
    assert_eq!((chunk.bytes.len(), chunk.too_long, chunk.to), (0, 1, 64 << 20));
    assert_eq!(past.next_chunk(1 << 20).unwrap(), None);
}

#[test]
fn a_file_that_is_packed_otherwise_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    for (name, start, packing) in [
        ("a.xz", &b"\xfd7zXZ\0\0\x04"[..], "xz"),
        ("a.bz2", b"BZh91AY&SY", "bzip2"),
        ("a.zip", b"PK\x03\x04\x14", "zip"),
        ("a.lz4", b"\x04\x22\x4d\x18\x64", "lz4"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, start).unwrap();
        let error = PastReader::open(&path).err().unwrap().to_string();
        assert!(error.contains(name) && error.contains(packing), "{error}");
        assert!(PastReader::from_stream("-", std::io::Cursor::new(start.to_vec())).is_err(), "{name} as a stream");
    }
    let path = folder.path().join("text");
    std::fs::write(&path, "BZh is how this line begins\n").unwrap();
    assert!(PastReader::open(&path).is_ok());
}
