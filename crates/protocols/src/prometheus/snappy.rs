//! Snappy blocks, with the size of what comes out known before anything is allocated.

use crate::observed::DecodeError;

/// Most bytes that a body may have after decompression.
pub const MAX_DECOMPRESSED: usize = 64 << 20;
/// Snappy's best: a copy of 64 bytes takes three.
const BEST_RATIO: usize = 22;
/// Longest header.
const HEADER: usize = 5;

pub(super) fn decompress(body: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let broken = |what: String| DecodeError::Malformed { what, at: 0 };
    let claimed = snap::raw::decompress_len(body).map_err(|error| broken(error.to_string()))?;
    if claimed > MAX_DECOMPRESSED {
        return Err(DecodeError::TooMany { what: "bytes after decompression", limit: MAX_DECOMPRESSED });
    }
    if claimed > body.len().saturating_mul(BEST_RATIO) + HEADER {
        return Err(broken(format!("{} compressed bytes that claim to be {claimed}", body.len())));
    }
    snap::raw::Decoder::new().decompress_vec(body).map_err(|error| broken(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn compressed(bytes: &[u8]) -> Vec<u8> {
        snap::raw::Encoder::new().compress_vec(bytes).unwrap()
    }

    #[test]
    fn a_bomb_is_refused_by_its_header() {
        // Claims 4 GiB - 1 and 64 MiB, and holds nothing.
        for (header, want) in [
            (&[0xff, 0xff, 0xff, 0xff, 0x0f][..], "more than 67108864 bytes after decompression"),
            (&[0x80, 0x80, 0x80, 0x20], "4 compressed bytes that claim to be 67108864 at byte 0"),
        ] {
            assert_eq!(decompress(header).unwrap_err().to_string(), want);
        }
        assert!(matches!(decompress(&compressed(&vec![0; MAX_DECOMPRESSED + 1])), Err(DecodeError::TooMany { .. })));
        for broken in [&[][..], &[5], &[5, 0xff, 0xff], &[0x80; 20]] {
            assert!(matches!(decompress(broken), Err(DecodeError::Malformed { .. })), "{broken:?}");
        }
    }

    #[test]
    fn the_best_ratio_that_snappy_reaches_is_taken() {
        let zeros = vec![0; MAX_DECOMPRESSED];
        assert_eq!(decompress(&compressed(&zeros)).unwrap().len(), MAX_DECOMPRESSED);
    }

    proptest! {
        #[test]
        fn what_was_compressed_reads_back(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert_eq!(decompress(&compressed(&bytes)).unwrap(), bytes);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decompress(&bytes);
        }
    }
}
