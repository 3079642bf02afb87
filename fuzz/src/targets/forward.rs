//! fluentd's forward protocol: connections, single messages, and entries that are packed.

use super::{Counted, twice};
use flate2::Compression;
use flate2::write::GzEncoder;
use protocols::forward::{Cutter, Hello, Message, Ping, Step, decode, encode_ack};
use rmp::encode::{write_array_len, write_bin, write_map_len, write_str};
use std::io::Write;

/// A connection: in whatever pieces its bytes come, they are the same messages.
pub fn stream(bytes: &[u8]) {
    let (whole, _) = twice(|seen| read(bytes, bytes.len().max(1), seen));
    let mut seen = Counted::default();
    assert_eq!(read(bytes, 13, &mut seen), whole, "in pieces of 13 bytes it means something else");
}

/// How many messages came, how many bytes are left, and whether the connection had to be given up.
fn read(bytes: &[u8], piece: usize, seen: &mut Counted) -> (usize, usize, bool) {
    let (mut cutter, mut messages, mut start, mut end) = (Cutter::default(), 0, 0, 0);
    while end < bytes.len() {
        end = (end + piece).min(bytes.len());
        loop {
            match cutter.step(&bytes[start..end]) {
                Ok(Step::NeedMore) => break,
                Ok(Step::Message { used }) => {
                    if decode(&bytes[start..start + used], seen).is_err() {
                        return (messages, bytes.len() - start, true);
                    }
                    messages += 1;
                    start += used;
                }
                Err(_) => return (messages, bytes.len() - start, true),
            }
        }
    }
    (messages, bytes.len() - start, false)
}

/// One message, or what pretends to be one.
pub fn message(bytes: &[u8]) {
    let (decoded, seen) = twice(|seen| decode(bytes, seen));
    match decoded {
        Ok(Message::Events(events)) => {
            assert_eq!((seen.logs, seen.refused), (events.taken as u64, events.refused as u64));
            if let Some(chunk) = events.chunk {
                assert!(encode_ack(chunk).ends_with(chunk.bytes()), "an acknowledgement of something else");
            }
        }
        Ok(Message::Heartbeat) => assert_eq!(seen, Counted::default()),
        Err(_) => {}
    }
    if let Ok(ping) = Ping::decode(bytes) {
        let hello = Hello { nonce: [7; 16], user_salt: Some([8; 16]) };
        let checked = ping.check(&hello, "the key", |_| Some("the password"));
        assert!(checked.is_err(), "somebody who knows no key was let in");
        assert!(!ping.pong(&hello, "the key", "koshu", checked).is_empty());
    }
}

/// Entries behind one another: compressed and not, they are the same records.
pub fn packed(entries: &[u8]) {
    let plain = count(&packed_message(entries, false));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(entries).expect("memory takes all");
    let gzip = count(&packed_message(&gzip.finish().expect("memory takes all"), true));
    assert_eq!(plain.is_some(), gzip.is_some(), "only one of plain and compressed could be read");
    if let (Some(plain), Some(gzip)) = (plain, gzip) {
        assert_eq!(plain, gzip, "other records when compressed");
    }
}

fn count(message: &[u8]) -> Option<Counted> {
    let (decoded, seen) = twice(|seen| decode(message, seen));
    let Ok(Message::Events(events)) = decoded else { return None };
    assert_eq!((seen.logs, seen.refused), (events.taken as u64, events.refused as u64));
    Some(seen)
}

/// `[tag, entries, {"compressed": "gzip"}]`
pub fn packed_message(entries: &[u8], gzip: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(entries.len() + 40);
    let written = (|| {
        write_array_len(&mut out, 3)?;
        write_str(&mut out, "tag")?;
        write_bin(&mut out, entries)?;
        write_map_len(&mut out, u32::from(gzip))?;
        if gzip {
            write_str(&mut out, "compressed")?;
            write_str(&mut out, "gzip")?;
        }
        Ok::<_, rmp::encode::ValueWriteError>(())
    })();
    written.expect("memory takes all");
    out
}
