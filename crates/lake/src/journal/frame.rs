//! The bytes of the journal: a file header, then frames. Pure; reads and writes no files.
//!
//! Layout, little endian:
//!
//! ```text
//! header  "KSHJ" | version u16 | reserved u16 | segment u64 | crc32c u32 of the 16 bytes before
//! frame   "KSHF" | payload length u32 | crc32c u32 of the payload | crc32c u32 of the 12 bytes before | payload
//! payload marks u16 { key length u16 | key | value length u32 | value }*
//!         parts u8  { table u8 | length u32 | zeros up to a multiple of 16 | Arrow IPC stream }*
//! ```
//!
//! Streams start at multiples of 16 bytes from the frame's start, so that the rows can be used where they lie.
//!
//! A frame is what became durable together: the rows of one append and the marks that say how far their source was
//! read. The header of a frame has a checksum of its own, so that a length is believed only when it is whole.

use signal::Table;

/// Length of the file header.
pub const HEADER_BYTES: usize = 20;
/// Length of a frame's header.
pub const FRAME_HEADER_BYTES: usize = 16;
/// Longest payload; longer appends are refused before they are written.
pub const MAX_PAYLOAD_BYTES: usize = 64 << 20;

/// The widest values of Arrow arrays (string views) are 16 bytes.
const STREAM_ALIGNMENT: usize = 16;
const HEADER_MAGIC: &[u8; 4] = b"KSHJ";
const FRAME_MAGIC: &[u8; 4] = b"KSHF";
const VERSION: u16 = 1;

/// The header of segment `number`.
pub fn header(number: u64) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..4].copy_from_slice(HEADER_MAGIC);
    bytes[4..6].copy_from_slice(&VERSION.to_le_bytes());
    bytes[8..16].copy_from_slice(&number.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..16]);
    bytes[16..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// The segment number in a header, or why it can't be believed.
pub fn read_header(bytes: &[u8]) -> Result<u64, &'static str> {
    let Some(bytes) = bytes.get(..HEADER_BYTES) else { return Err("the header is cut short") };
    if &bytes[..4] != HEADER_MAGIC {
        return Err("this is no journal segment");
    }
    if u32_at(bytes, 16) != crc32c::crc32c(&bytes[..16]) {
        return Err("the header's checksum does not match");
    }
    if u16::from_le_bytes([bytes[4], bytes[5]]) != VERSION {
        return Err("the segment was written by a newer version");
    }
    Ok(u64::from_le_bytes(bytes[8..16].try_into().expect("eight bytes were sliced")))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// One mark: how far a source was read, by the source's own key.
pub type Mark = (String, String);

/// What a frame holds: marks, and Arrow IPC streams by table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Payload<'a> {
    /// Marks that became durable with the rows.
    pub marks: Vec<Mark>,
    /// Rows by table, as Arrow IPC streams.
    pub parts: Vec<(Table, &'a [u8])>,
}

/// A whole frame with this payload, ready to be appended to a segment.
pub fn encode(payload: &Payload<'_>) -> Vec<u8> {
    let size: usize = payload.parts.iter().map(|(_, bytes)| bytes.len() + 5 + STREAM_ALIGNMENT).sum();
    let mut out = Vec::with_capacity(FRAME_HEADER_BYTES + 64 + size);
    out.resize(FRAME_HEADER_BYTES, 0);
    out.extend_from_slice(&u16::try_from(payload.marks.len()).unwrap_or(u16::MAX).to_le_bytes());
    for (key, value) in payload.marks.iter().take(usize::from(u16::MAX)) {
        let key = &key.as_bytes()[..key.len().min(usize::from(u16::MAX))];
        out.extend_from_slice(&u16::try_from(key.len()).unwrap_or(u16::MAX).to_le_bytes());
        out.extend_from_slice(key);
        out.extend_from_slice(&length(value.len()));
        out.extend_from_slice(value.as_bytes());
    }
    out.push(u8::try_from(payload.parts.len()).unwrap_or(u8::MAX));
    for (table, bytes) in &payload.parts {
        out.push(table.code());
        out.extend_from_slice(&length(bytes.len()));
        out.resize(out.len().next_multiple_of(STREAM_ALIGNMENT), 0);
        out.extend_from_slice(bytes);
    }
    let crc = crc32c::crc32c(&out[FRAME_HEADER_BYTES..]);
    let payload_length = length(out.len() - FRAME_HEADER_BYTES);
    out[..4].copy_from_slice(FRAME_MAGIC);
    out[4..8].copy_from_slice(&payload_length);
    out[8..12].copy_from_slice(&crc.to_le_bytes());
    let header_crc = crc32c::crc32c(&out[..12]);
    out[12..16].copy_from_slice(&header_crc.to_le_bytes());
    out
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes()
}

/// What stands at a place of a segment.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// A whole frame; the next begins at `next`.
    Frame {
        /// Its payload, not yet parsed.
        payload: &'a [u8],
        /// Offset behind the frame.
        next: usize,
    },
    /// The segment ends here.
    End,
    /// Bytes up to `next` can't be believed. `torn` when the file just ends: an append that was never acknowledged.
    Damage {
        /// Offset of the next whole frame, or the end.
        next: usize,
        /// Whether this is the unfinished end of the file.
        torn: bool,
        /// What is wrong.
        reason: &'static str,
    },
}

/// Reads what stands at `at`.
pub fn step(bytes: &[u8], at: usize) -> Step<'_> {
    if at >= bytes.len() {
        return Step::End;
    }
    match whole_frame(bytes, at) {
        Ok((payload, next)) => Step::Frame { payload, next },
        Err((reason, cut_short)) => {
            let next = next_whole_frame(bytes, at + 1);
            // A power cut may leave zeros where the file had grown but the data had not arrived.
            let torn = next.is_none() && (cut_short || bytes[at..].iter().all(|&byte| byte == 0));
            Step::Damage { next: next.unwrap_or(bytes.len()), torn, reason }
        }
    }
}

/// The frame at `at`, or why there is none and whether the bytes just end too early.
fn whole_frame(bytes: &[u8], at: usize) -> Result<(&[u8], usize), (&'static str, bool)> {
    let Some(header) = bytes.get(at..at + FRAME_HEADER_BYTES) else {
        return Err(("a frame's header is cut short", true));
    };
    if &header[..4] != FRAME_MAGIC || u32_at(header, 12) != crc32c::crc32c(&header[..12]) {
        return Err(("a frame's header is damaged", false));
    }
    let start = at + FRAME_HEADER_BYTES;
    let end = start + u32_at(header, 4) as usize;
    let Some(payload) = bytes.get(start..end) else { return Err(("a frame is cut short", true)) };
    if u32_at(header, 8) != crc32c::crc32c(payload) {
        return Err(("a frame's checksum does not match", false));
    }
    Ok((payload, end))
}

fn next_whole_frame(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(4)
        .enumerate()
        .filter(|(_, window)| window == FRAME_MAGIC)
        .map(|(offset, _)| from + offset)
        .find(|&at| whole_frame(bytes, at).is_ok())
}

/// Parses a payload; an error means that a checksum matched bytes that no version of this program wrote.
pub fn parse(payload: &[u8]) -> Result<Payload<'_>, &'static str> {
    const BROKEN: &str = "a frame's payload does not parse";
    let mut at = 0;
    let take = |at: &mut usize, count: usize| -> Result<&[u8], &'static str> {
        let bytes = payload.get(*at..at.saturating_add(count)).ok_or(BROKEN)?;
        *at += count;
        Ok(bytes)
    };
    let mut out = Payload::default();
    let marks = u16::from_le_bytes(take(&mut at, 2)?.try_into().map_err(|_| BROKEN)?);
    for _ in 0..marks {
        let key_length = u16::from_le_bytes(take(&mut at, 2)?.try_into().map_err(|_| BROKEN)?);
        let key = String::from_utf8_lossy(take(&mut at, usize::from(key_length))?).into_owned();
        let value_length = u32_at(take(&mut at, 4)?, 0) as usize;
        let value = String::from_utf8_lossy(take(&mut at, value_length)?).into_owned();
        out.marks.push((key, value));
    }
    let parts = take(&mut at, 1)?[0];
    for _ in 0..parts {
        let table = Table::by_code(take(&mut at, 1)?[0]).ok_or("a frame names a table that this version does not know")?;
        let length = u32_at(take(&mut at, 4)?, 0) as usize;
        let padding = at.next_multiple_of(STREAM_ALIGNMENT) - at;
        take(&mut at, padding)?;
        out.parts.push((table, take(&mut at, length)?));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Vec<u8> {
        encode(&Payload {
            marks: vec![("file:1".into(), "0-9:ab".into())],
            parts: vec![(Table::Requests, b"rows"), (Table::Samples, b"")],
        })
    }

    #[test]
    fn a_frame_reads_back() {
        let bytes = sample();
        let Step::Frame { payload, next } = step(&bytes, 0) else { panic!("a whole frame") };
        assert_eq!(next, bytes.len());
        let payload = parse(payload).unwrap();
        assert_eq!(payload.marks, [("file:1".to_owned(), "0-9:ab".to_owned())]);
        assert_eq!(payload.parts[0], (Table::Requests, b"rows".as_slice()));
        assert_eq!(step(&bytes, next), Step::End);
    }

    #[test]
    fn a_header_reads_back_and_damage_is_refused() {
        let mut bytes = header(77);
        assert_eq!(read_header(&bytes), Ok(77));
        bytes[9] ^= 1;
        assert!(read_header(&bytes).is_err());
        assert!(read_header(&bytes[..5]).is_err());
    }

    #[test]
    fn a_cut_at_any_byte_is_a_torn_end() {
        let bytes = sample();
        for cut in 1..bytes.len() {
            assert!(matches!(step(&bytes[..cut], 0), Step::Damage { torn: true, .. }), "cut at {cut}");
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_seen_and_the_next_frame_is_found() {
        let frame = sample();
        let two = [frame.clone(), frame.clone()].concat();
        for bit in 0..frame.len() * 8 {
            let mut bytes = two.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let Step::Damage { next, torn: false, .. } = step(&bytes, 0) else { panic!("bit {bit} went unseen") };
            assert_eq!(next, frame.len(), "bit {bit}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
            let _ = step(&bytes, 0);
            let _ = read_header(&bytes);
        }
    }
}
