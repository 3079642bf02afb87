//! Opens logs for reading once from start to end: plain, gzip, zstd, or standard input.
//!
//! The packing is read from the first bytes, never from the name. Memory is bounded whatever the file claims.

use crate::failure::Failure;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How much is read at once.
pub const CHUNK: usize = 512 << 10;
const PACKED_CHUNK: usize = 128 << 10;
/// zstd frames that want a larger window (128 MiB) are refused instead of given the memory.
const ZSTD_WINDOW_LOG: u32 = 27;

/// Whether the name stands for standard input.
pub fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Bytes of all files together; 0 when one of them is a stream.
pub fn total_bytes(files: &[impl AsRef<Path>]) -> u64 {
    let sizes = files.iter().map(|file| match file.as_ref() {
        path if is_stdin(path) => None,
        path => std::fs::metadata(path).ok().map(|meta| meta.len()),
    });
    sizes.sum::<Option<u64>>().unwrap_or(0)
}

/// Says before any work whether all files can be read.
pub fn check_all(files: &[impl AsRef<Path>]) -> Result<(), Failure> {
    for path in files.iter().map(AsRef::as_ref).filter(|path| !is_stdin(path)) {
        if path.is_dir() {
            return Err(Failure::failed("cli-is-a-folder").with("file", path.display()).hint("cli-is-a-folder-hint"));
        }
        File::open(path).map_err(|error| cannot_open(path, error))?;
    }
    Ok(())
}

fn cannot_open(path: &Path, error: io::Error) -> Failure {
    Failure::failed("cli-cannot-open").with("file", path.display()).because(error)
}

/// A file's (or standard input's) content, unpacked, and how many of its own bytes were read so far.
pub fn open(path: &Path) -> Result<(Box<dyn Read + Send>, Arc<AtomicU64>), Failure> {
    let read = Arc::new(AtomicU64::new(0));
    let source: Box<dyn Read + Send> = if is_stdin(path) {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(|error| cannot_open(path, error))?)
    };
    let counted = Counted { source, read: Arc::clone(&read) };
    let content = unpack(counted).map_err(|error| cannot_open(path, error))?;
    Ok((content, read))
}

fn unpack(mut source: Counted) -> io::Result<Box<dyn Read + Send>> {
    let mut magic = Vec::new();
    source.by_ref().take(4).read_to_end(&mut magic)?;
    let packed = |magic, source| BufReader::with_capacity(PACKED_CHUNK, Cursor::new(magic).chain(source));
    Ok(match magic.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(packed(magic, source))),
        [0x28, 0xb5, 0x2f, 0xfd] => {
            let mut decoder = zstd::Decoder::with_buffer(packed(magic, source))?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Box::new(decoder)
        }
        // Not buffered again: it is read in large pieces anyway.
        _ => Box::new(Cursor::new(magic).chain(source)),
    })
}

struct Counted {
    source: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.source.read(buffer)?;
        self.read.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

/// Reads until the buffer is full or the content ends.
pub fn fill(content: &mut dyn Read, buffer: &mut [u8]) -> (usize, Option<io::Error>) {
    let mut filled = 0;
    while filled < buffer.len() {
        match content.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Some(error)),
        }
    }
    (filled, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn every_packing_reads_as_the_same_text() {
        let folder = tempfile::tempdir().unwrap();
        let text = "GET /\n".repeat(1_000);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        let files = [
            ("plain.gz", text.clone().into_bytes()),
            ("packed", gzip.finish().unwrap()),
            ("other", zstd::encode_all(text.as_bytes(), 1).unwrap()),
        ];
        for (name, bytes) in files {
            let path = folder.path().join(name);
            std::fs::write(&path, &bytes).unwrap();
            let (mut content, read) = open(&path).unwrap();
            let mut found = String::new();
            content.read_to_string(&mut found).unwrap();
            assert!(found == text, "{name}");
            assert_eq!(read.load(Ordering::Relaxed), bytes.len() as u64, "{name}");
        }
    }

    #[test]
    fn what_was_read_before_the_damage_is_kept() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        gzip.write_all(&[b'x'; 5_000]).unwrap();
        let mut bytes = gzip.finish().unwrap();
        bytes.truncate(bytes.len() - 2_000);
        let mut content = flate2::bufread::MultiGzDecoder::new(&bytes[..]);
        let (length, error) = fill(&mut content, &mut [0; 8_000]);
        assert!(error.is_some() && length > 0, "{length}");
    }
}
