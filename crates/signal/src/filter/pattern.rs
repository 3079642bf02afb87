//! Text that has to fit: with wildcards, or folded so that upper and lower case are alike.

use std::borrow::Cow;

/// Text with wildcards: the pieces appear in this order, with any text between them.
///
/// The first piece starts the text and the last one ends it; one piece alone is the whole text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<String>,
}

impl Pattern {
    /// Exactly this text.
    pub fn exact(text: impl Into<String>) -> Self {
        Self { pieces: vec![text.into()] }
    }

    /// From the pieces between the stars.
    pub fn from_pieces(pieces: Vec<String>) -> Self {
        if pieces.is_empty() { Self::exact("") } else { Self { pieces } }
    }

    /// The pieces between the stars; never empty.
    pub fn pieces(&self) -> &[String] {
        &self.pieces
    }

    /// The text, when there is no star.
    pub fn as_exact(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// The same in upper case (ASCII).
    pub fn upper(self) -> Self {
        Self { pieces: self.pieces.into_iter().map(|piece| piece.to_ascii_uppercase()).collect() }
    }

    /// Whether the text fits.
    pub fn matches(&self, text: &str) -> bool {
        let [first, between @ .., last] = self.pieces.as_slice() else {
            return self.pieces.first().is_some_and(|only| only == text);
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
        for piece in between {
            let Some(at) = rest.find(piece.as_str()) else { return false };
            rest = &rest[at + piece.len()..];
        }
        rest.ends_with(last.as_str())
    }
}

/// Text in the form in which upper and lower case are alike.
pub fn fold(text: &str) -> String {
    fold_cow(text).into_owned()
}

/// Folds character by character, so that a part of a text folds to a part of the folded text.
fn fold_cow(text: &str) -> Cow<'_, str> {
    if text.chars().any(|c| c.is_uppercase() || c.to_lowercase().next() != Some(c)) {
        Cow::Owned(text.chars().flat_map(char::to_lowercase).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether `text`, folded, contains `folded`, which was folded before.
pub fn contains_folded(text: &str, folded: &str) -> bool {
    let Some((&first, rest)) = folded.as_bytes().split_first() else { return true };
    if !text.is_ascii() {
        return fold_cow(text).contains(folded);
    }
    let bytes = text.as_bytes();
    let upper = first.to_ascii_uppercase();
    memchr::memchr2_iter(first, upper, bytes).any(|at| {
        let after = &bytes[at + 1..];
        after.len() >= rest.len() && after[..rest.len()].eq_ignore_ascii_case(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::from_pieces(text.split('*').map(str::to_owned).collect())
    }

    #[test]
    fn stars_stand_for_any_text() {
        for (text, given, want) in [
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("ab*", "ab", true),
            ("ab*", "xab", false),
            ("*b*", "abc", true),
            ("*", "", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "acb", false),
            ("*.php", "/x.php", true),
            ("*.php", "/x.php7", false),
            ("100%*", "100% 割引", true),
            ("/商品/*", "/商品/東京", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(pattern(text).matches(given), want, "{text} on {given}");
        }
    }

    #[test]
    fn folding_makes_upper_and_lower_case_alike_beyond_ascii() {
        for (text, needle, want) in [
            ("/Cart/ADD", "cart/add", true),
            ("/cart", "cart/add", false),
            ("/ÄPFEL", "äpfel", true),
            ("/ＡＢＣ", "ａｂｃ", true),
            ("/商品/りんご", "りんご", true),
            ("/x", "ä", false),
            ("/aab", "ab", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(contains_folded(text, &fold(needle)), want, "{needle} in {text}");
        }
    }

    proptest! {
        #[test]
        fn a_part_of_a_text_is_found_in_it_however_it_is_written(before in ".{0,6}", part in ".{0,6}", after in ".{0,6}") {
            let text = format!("{before}{part}{after}");
            prop_assert!(contains_folded(&text, &fold(&part)));
            prop_assert!(contains_folded(&text, &fold(&part.to_ascii_uppercase())));
        }

        #[test]
        fn the_short_way_for_ascii_answers_like_the_long_one(text in "[a-cA-C/]{0,12}", part in "[a-cA-C/]{0,4}") {
            prop_assert_eq!(contains_folded(&text, &fold(&part)), fold(&text).contains(&fold(&part)));
        }
    }
}
