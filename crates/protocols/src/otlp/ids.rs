//! Trace and span ids as lower-case hex.

use crate::observed::Refusal;

/// `N` hex digits, on the stack: an id is written for every record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hex<const N: usize>([u8; N]);

impl<const N: usize> Hex<N> {
    /// The id of these bytes. `None` for none at all and for zeros, which mean that there is no id.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<Self>, Refusal> {
        if bytes.is_empty() {
            return Ok(None);
        }
        if bytes.len() * 2 != N {
            return Err(Refusal::BadId);
        }
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let mut digits = [0; N];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        Ok(Some(Self(digits)))
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hex digits are ASCII")
    }
}

/// 16 bytes.
pub(super) type TraceHex = Hex<32>;
/// 8 bytes.
pub(super) type SpanHex = Hex<16>;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The bytes that hex digits of either case stand for.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_id_has_its_length_or_is_refused() {
        assert_eq!(SpanHex::read(&[0, 1, 2, 3, 4, 5, 6, 255]).unwrap().unwrap().as_str(), "00010203040506ff");
        assert_eq!(SpanHex::read(&[]), Ok(None));
        assert_eq!(SpanHex::read(&[0; 8]), Ok(None));
        assert_eq!(SpanHex::read(&[1; 7]), Err(Refusal::BadId));
        assert_eq!(TraceHex::read(&[1; 8]), Err(Refusal::BadId));
        for text in ["0", "0g", "é", "0x"] {
            assert_eq!(from_hex(text), None, "{text}");
        }
        assert_eq!(from_hex("0aFF"), Some(vec![10, 255]));
    }

    proptest! {
        #[test]
        fn hex_reads_back(bytes in any::<[u8; 16]>()) {
            if let Some(hex) = TraceHex::read(&bytes).unwrap() {
                prop_assert_eq!(from_hex(hex.as_str()), Some(bytes.to_vec()));
            }
        }
    }
}
