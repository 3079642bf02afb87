//! Enums that stand in a text column: one word a variant.

/// An enum with its words: `as_str`, `FromStr` whose error names all that would do, and serde by the same words.
macro_rules! words {
    (
        $(#[$doc:meta])*
        pub enum $name:ident, $what:literal, $error:ident {
            $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        #[doc = concat!("A text is no ", $what, ".")]
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        #[error("{given:?} is no {what}; use {all}", given = .0, what = $what, all = $name::WORDS.join(", "))]
        pub struct $error(String);

        impl $name {
            /// All words, in the order of the variants.
            pub const WORDS: &[&str] = &[$($word),+];
            /// All variants.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// As it is written.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
        impl std::str::FromStr for $name {
            type Err = $error;

            fn from_str(raw: &str) -> Result<Self, Self::Err> {
                let found = Self::ALL.iter().find(|one| one.as_str() == raw);
                found.copied().ok_or_else(|| $error(raw.chars().take(40).collect()))
            }
        }
    };
}
pub(crate) use words;

#[cfg(test)]
mod tests {
    use crate::Outcome;

    #[test]
    fn a_word_reads_back_and_an_unknown_one_is_told_what_would_do() {
        for outcome in Outcome::ALL {
            assert_eq!(outcome.as_str().parse(), Ok(*outcome));
            assert_eq!(serde_json::to_string(outcome).unwrap(), format!("{:?}", outcome.as_str()));
        }
        assert_eq!(
            "fixed".parse::<Outcome>().unwrap_err().to_string(),
            "\"fixed\" is no outcome; use acted, healed, resolved_by_itself, duplicate, no_action_needed"
        );
    }
}
