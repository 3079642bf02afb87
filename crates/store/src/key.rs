//! Random secrets and how they are stored.
//!
//! A secret has 256 random bits, so one fast hash is enough to store it by: nobody can guess the other way. Passwords
//! are not secrets of this kind and have their own module.

use base::Secret;
use rand::Rng as _;

const SECRET_BYTES: usize = 32;
/// 62^43 > 2^256.
const BASE62_LENGTH: usize = 43;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Longer than any secret of ours; longer input is not worth hashing.
const LONGEST: usize = 256;

/// A new secret of 256 random bits, written with letters and digits only.
pub(crate) fn generate() -> Secret {
    let mut bytes = [0_u8; SECRET_BYTES];
    rand::rng().fill_bytes(&mut bytes);
    Secret::new(base62(bytes))
}

/// What is stored in place of the secret; `None` for a text that can be no secret of ours.
pub(crate) fn hash(secret: &str) -> Option<String> {
    let fits = !secret.is_empty() && secret.len() <= LONGEST;
    fits.then(|| blake3::hash(secret.as_bytes()).to_hex().to_string())
}

/// The number as 43 base-62 digits, most significant first.
fn base62(mut number: [u8; SECRET_BYTES]) -> String {
    let mut digits = [0_u8; BASE62_LENGTH];
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0_u32;
        for byte in &mut number {
            let value = (remainder << 8) | u32::from(*byte);
            // Both fit: value < 62 * 256.
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            remainder = value % 62;
        }
        *digit = BASE62[remainder as usize];
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_in_43_digits_whatever_it_is() {
        let mut one = [0_u8; 32];
        one[31] = 62;
        for (case, number, want_end) in [("zero", [0_u8; 32], "00"), ("sixty-two", one, "10")] {
            let text = base62(number);
            assert_eq!(text.len(), 43, "{case}");
            assert!(text.ends_with(want_end), "{case}: {text}");
        }
        // 2^256 - 1, computed by an independent program.
        assert_eq!(base62([0xff; 32]), "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
    }

    #[test]
    fn secrets_differ_and_hash_the_same_way_twice() {
        let (a, b) = (generate(), generate());
        assert_ne!(a.reveal(), b.reveal());
        assert_eq!(hash(a.reveal()), hash(a.reveal()));
        assert_ne!(hash(a.reveal()), hash(b.reveal()));
        assert_eq!(hash(""), None);
        assert_eq!(hash(&"x".repeat(257)), None);
    }
}
