//! Record batches as Arrow IPC streams: the rows inside journal frames.
//!
//! Each stream carries its schema, so that a segment written by an older version can be read by a newer one.

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::buffer::Buffer;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::MetadataVersion;
use datafusion::arrow::ipc::reader::StreamDecoder;
use datafusion::arrow::ipc::writer::{IpcWriteOptions, StreamWriter};

/// The batch as a stream of its own. Buffers are aligned to 16 bytes, the widest value: small batches stay small.
pub fn encode(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let options = IpcWriteOptions::try_new(16, false, MetadataVersion::V5)?;
    let mut out = Vec::with_capacity(batch.get_array_memory_size() / 2 + 4096);
    let mut writer = StreamWriter::try_new_with_options(&mut out, &batch.schema(), options)?;
    writer.write(batch)?;
    writer.finish()?;
    drop(writer);
    Ok(out)
}

/// The batches of a stream. They point into `bytes`, which live as long as they do.
pub fn decode(bytes: &Buffer) -> Result<Vec<RecordBatch>, ArrowError> {
    let mut rest = bytes.clone();
    let mut decoder = StreamDecoder::new();
    let mut out = Vec::new();
    while !rest.is_empty() {
        match decoder.decode(&mut rest)? {
            Some(batch) => out.push(batch),
            None => break,
        }
    }
    Ok(out)
}

/// An answer as one Arrow IPC stream, for clients that read Arrow.
pub fn arrow_stream(answer: &crate::query::Answer) -> Result<Vec<u8>, ArrowError> {
    let mut out = Vec::new();
    let mut writer = StreamWriter::try_new(&mut out, &answer.schema)?;
    for batch in &answer.batches {
        writer.write(batch)?;
    }
    writer.finish()?;
    drop(writer);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use signal::{RequestRow, RequestRows};

    #[test]
    fn a_batch_reads_back_and_cut_bytes_are_refused() {
        let mut rows = RequestRows::default();
        let row = RequestRow {
            service: "shop",
            method: "GET",
            route: "GET /a-rather-long-route",
            path: "/",
            status: 200,
            source: "t",
            ..RequestRow::default()
        };
        rows.push(&row, [("user_agent", "curl")]);
        rows.push(&row, []);
        let batch = rows.finish();
        let bytes = encode(&batch).unwrap();
        assert_eq!(decode(&Buffer::from(bytes.clone())).unwrap(), vec![batch]);
        assert!(bytes.len() < 8192, "a small batch is small: {} bytes", bytes.len());
        let cut = decode(&Buffer::from(bytes[..bytes.len() / 2].to_vec()));
        assert!(cut.is_err() || cut.is_ok_and(|batches| batches.is_empty()));
    }
}
