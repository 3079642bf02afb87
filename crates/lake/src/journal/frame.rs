//! The bytes of the journal: a file header, then frames. Pure; reads and writes no files.
//!
//! Layout, little endian:
//!
//! ```text
//! header  "KSHJ" | version u16 | reserved u16 | segment u64 | crc32c u32 of the 16 bytes before | zeros up to 32
//! frame   "KSHF" | payload length u32 | crc32c u32 of the payload | crc32c u32 of the 12 bytes before | payload
//! payload marks u32 { key length u32 | key | value length u32 | value }*
//!         parts u32 { table u8 | length u32 | zeros up to a multiple of 16 | Arrow IPC stream }*
//!         zeros up to a multiple of 16
//! ```
//!
//! Frames and streams start at multiples of 16 bytes, so that rows can be used where they lie, in the buffer that is
//! written and in the file that is read back.
//!
//! A frame is what became durable together: the rows of one append and the marks that say how far their source was
//! read. The header of a frame has a checksum of its own, so that a length is believed only when it is whole.

use signal::Table;

/// Length of the file header.
pub const HEADER_BYTES: usize = 32;
/// The part of the file header that says something; zeros follow.
const HEADER_FIELDS: usize = 20;
/// Length of a frame's header.
pub const FRAME_HEADER_BYTES: usize = 16;
/// Longest payload; longer appends are refused before they are written.
pub const MAX_PAYLOAD_BYTES: usize = 64 << 20;

/// The widest values of Arrow arrays (string views) are 16 bytes.
const ALIGNMENT: usize = 16;
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
    bytes[16..HEADER_FIELDS].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// Why a header can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderError {
    /// Written by a newer version of this program; its frames may mean something else.
    Newer,
    /// It can't be believed.
    Damaged(&'static str),
}

/// The segment number in a header, or why it can't be used.
pub fn read_header(bytes: &[u8]) -> Result<u64, HeaderError> {
    let Some(bytes) = bytes.get(..HEADER_BYTES) else { return Err(HeaderError::Damaged("the header is cut short")) };
    if &bytes[..4] != HEADER_MAGIC {
        return Err(HeaderError::Damaged("this is no journal segment"));
    }
    if u32_at(bytes, 16) != crc32c::crc32c(&bytes[..16]) || bytes[HEADER_FIELDS..].iter().any(|&byte| byte != 0) {
        return Err(HeaderError::Damaged("the header's checksum does not match"));
    }
    if u16::from_le_bytes([bytes[4], bytes[5]]) != VERSION {
        return Err(HeaderError::Newer);
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

impl Payload<'_> {
    /// About how many bytes its frame takes.
    pub fn size(&self) -> usize {
        let marks: usize = self.marks.iter().map(|(key, value)| key.len() + value.len() + 8).sum();
        let parts: usize = self.parts.iter().map(|(_, bytes)| bytes.len() + 5 + ALIGNMENT).sum();
        FRAME_HEADER_BYTES + 8 + marks + parts + ALIGNMENT
    }
}

/// A whole frame with this payload, ready to be appended to a segment. Its size was compared with
/// [`MAX_PAYLOAD_BYTES`] before.
pub fn encode(payload: &Payload<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.size());
    out.resize(FRAME_HEADER_BYTES, 0);
    out.extend_from_slice(&length(payload.marks.len()));
    for (key, value) in &payload.marks {
        for text in [key, value] {
            out.extend_from_slice(&length(text.len()));
            out.extend_from_slice(text.as_bytes());
        }
    }
    out.extend_from_slice(&length(payload.parts.len()));
    for (table, bytes) in &payload.parts {
        out.push(table.code());
        out.extend_from_slice(&length(bytes.len()));
        out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
        out.extend_from_slice(bytes);
    }
    out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
    let crc = crc32c::crc32c(&out[FRAME_HEADER_BYTES..]);
    let payload_length = length(out.len() - FRAME_HEADER_BYTES);
    out[..4].copy_from_slice(FRAME_MAGIC);
    out[4..8].copy_from_slice(&payload_length);
    out[8..12].copy_from_slice(&crc.to_le_bytes());
    let header_crc = crc32c::crc32c(&out[..12]);
    out[12..16].copy_from_slice(&header_crc.to_le_bytes());
    out
}

fn length(count: usize) -> [u8; 4] {
    u32::try_from(count).expect("a payload is far below 4 GiB").to_le_bytes()
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
        Err(Broken::Payload { end }) => {
            Step::Damage { next: end, torn: false, reason: "a frame's checksum does not match" }
        }
        Err(Broken::CutShort) => match next_whole_frame(bytes, at + 1) {
            Some(next) => Step::Damage { next, torn: false, reason: "a frame is cut short in the middle of the file" },
            None => Step::Damage { next: bytes.len(), torn: true, reason: "a frame is cut short" },
        },
        Err(Broken::Header) => {
            let next = next_whole_frame(bytes, at + 1);
            // A power cut may leave zeros where the file had grown but the data had not arrived.
            let torn = next.is_none() && bytes[at..].iter().all(|&byte| byte == 0);
            Step::Damage { next: next.unwrap_or(bytes.len()), torn, reason: "a frame's header is damaged" }
        }
    }
}

/// Why there is no whole frame at a place.
enum Broken {
    /// The bytes end before the frame does.
    CutShort,
    /// Nothing about it can be believed.
    Header,
    /// Its header is whole, so its end is known, but its payload is not.
    Payload { end: usize },
}

fn whole_frame(bytes: &[u8], at: usize) -> Result<(&[u8], usize), Broken> {
    let Some(header) = bytes.get(at..at + FRAME_HEADER_BYTES) else { return Err(Broken::CutShort) };
    if &header[..4] != FRAME_MAGIC || u32_at(header, 12) != crc32c::crc32c(&header[..12]) {
        return Err(Broken::Header);
    }
    let start = at + FRAME_HEADER_BYTES;
    let end = start + u32_at(header, 4) as usize;
    let Some(payload) = bytes.get(start..end) else { return Err(Broken::CutShort) };
    if u32_at(header, 8) != crc32c::crc32c(payload) {
        return Err(Broken::Payload { end });
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
    let marks = u32_at(take(&mut at, 4)?, 0);
    for _ in 0..marks {
        let key_length = u32_at(take(&mut at, 4)?, 0) as usize;
        let key = String::from_utf8_lossy(take(&mut at, key_length)?).into_owned();
        let value_length = u32_at(take(&mut at, 4)?, 0) as usize;
        let value = String::from_utf8_lossy(take(&mut at, value_length)?).into_owned();
        out.marks.push((key, value));
    }
    let parts = u32_at(take(&mut at, 4)?, 0);
    for _ in 0..parts {
        let table =
            Table::by_code(take(&mut at, 1)?[0]).ok_or("a frame names a table that this version does not know")?;
        let length = u32_at(take(&mut at, 4)?, 0) as usize;
        let padding = at.next_multiple_of(ALIGNMENT) - at;
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
    fn many_marks_and_parts_fit_into_one_frame() {
        let marks: Vec<Mark> = (0..70_000).map(|n| (format!("key {n}"), "x".repeat(n % 7))).collect();
        let parts = vec![(Table::Requests, b"rows".as_slice()); 300];
        let bytes = encode(&Payload { marks: marks.clone(), parts: parts.clone() });
        assert!(bytes.len().is_multiple_of(ALIGNMENT));
        let Step::Frame { payload, .. } = step(&bytes, 0) else { panic!("a whole frame") };
        assert_eq!(parse(payload).unwrap(), Payload { marks, parts });
    }

    #[test]
    fn damage_inside_a_frame_never_brings_up_a_frame_that_lies_in_its_rows() {
        let inner = sample();
        let mut bytes = encode(&Payload { marks: Vec::new(), parts: vec![(Table::Requests, &inner)] });
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        let Step::Damage { next, torn: false, .. } = step(&bytes, 0) else { panic!("damage") };
        assert_eq!(next, bytes.len());
    }

    #[test]
    fn a_header_reads_back_and_damage_is_refused() {
        let mut bytes = header(77);
        assert_eq!(read_header(&bytes), Ok(77));
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(read_header(&bytes), Err(HeaderError::Damaged(_))), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
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
