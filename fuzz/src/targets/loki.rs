//! Loki's push API: an entry is a record or a refusal, and costs no more than the bytes it came in.

use super::twice;
use protocols::loki::{Encoding, decode};

pub fn json(body: &[u8]) {
    entries(body, Encoding::Json, body.len());
}

/// The bytes as they came.
pub fn snappy(body: &[u8]) {
    // Each byte of a block becomes 22 at most, and the shortest entry has two.
    entries(body, Encoding::SnappyProtobuf, 22 * body.len());
}

/// The message inside, so that a fuzzer need not find out about snappy first.
pub fn protobuf(message: &[u8]) {
    let block = snap::raw::Encoder::new().compress_vec(message).expect("it is short");
    entries(&block, Encoding::SnappyProtobuf, message.len());
}

fn entries(body: &[u8], encoding: Encoding, most: usize) {
    let (_, seen) = twice(|seen| decode(body, encoding, seen));
    assert_eq!(seen.taken(), seen.logs, "Loki's entries are log records and nothing else");
    assert!(seen.logs + seen.refused <= most as u64, "{seen:?} of {most} bytes");
}
