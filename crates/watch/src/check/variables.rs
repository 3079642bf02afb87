//! Variables in a scenario: `{{token}}`, filled with what earlier steps saved, escaped by where it stands.
//!
//! A value comes from an answer: it must not be able to become another header, another parameter or another host. It
//! can't stand in the host of an address at all.

use base::Secret;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;

/// Longest name of a variable.
const MAX_NAME: usize = 40;
/// Longest value that is saved, bytes.
pub const MAX_VALUE: usize = 8 << 10;
/// Longest text after expansion, bytes.
pub const MAX_EXPANDED: usize = 256 << 10;
/// Shorter values are not masked: they would blank out half of every message.
const MASKED_FROM: usize = 4;

/// Where a text is used, which decides how values in it are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// As it is: a form or JSON value, which whoever encodes the body escapes; an expected text.
    Plain,
    /// Path or query of an address, or a body of a form: everything but letters, digits and `-._~` is percent-encoded.
    Url,
    /// Between the quotes of a JSON string.
    Json,
    /// The value of a header: a value with control characters is refused.
    Header,
}

/// A text with variables.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable(String),
}

/// Why a text can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpandError {
    /// Nothing of that name was saved.
    #[error("nothing was saved as {0}")]
    Unknown(String),
    /// The value would end a header.
    #[error("the value of {0} has control characters, which a header can't have")]
    Control(String),
    /// Longer than is sent.
    #[error("with its values the text is longer than {MAX_EXPANDED} bytes")]
    TooLong,
}

/// Whether a text can be a variable's name.
pub fn is_name(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    starts && name.len() <= MAX_NAME && name.chars().all(plain)
}

impl Template {
    /// Reads a text; what is in double braces and no name of a variable stays as it is.
    pub fn new(text: &str) -> Self {
        let mut pieces = Vec::new();
        let (mut plain, mut rest) = (String::new(), text);
        while let Some(at) = rest.find("{{") {
            let behind = &rest[at + 2..];
            let name = behind.find("}}").map(|end| (behind[..end].trim(), &behind[end + 2..]));
            match name {
                Some((name, after)) if is_name(name) => {
                    plain.push_str(&rest[..at]);
                    if !plain.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    }
                    pieces.push(Piece::Variable(name.to_owned()));
                    rest = after;
                }
                _ => {
                    plain.push_str(&rest[..=at]);
                    rest = &rest[at + 1..];
                }
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Self { pieces }
    }

    /// The variables in it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Variable(name) => Some(name.as_str()),
        })
    }

    /// The text in front of the first variable.
    pub fn start(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Text(text)) => text,
            _ => "",
        }
    }

    /// The text with its values.
    pub fn expand(&self, bag: &Bag, context: Context) -> Result<String, ExpandError> {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Variable(name) => {
                    let value = bag.get(name).ok_or_else(|| ExpandError::Unknown(name.clone()))?;
                    out.push_str(&escape(name, value, context)?);
                }
            }
            if out.len() > MAX_EXPANDED {
                return Err(ExpandError::TooLong);
            }
        }
        Ok(out)
    }
}
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces.iter().try_for_each(|piece| match piece {
            Piece::Text(text) => f.write_str(text),
            Piece::Variable(name) => write!(f, "{{{{{name}}}}}"),
        })
    }
}

fn escape<'v>(name: &str, value: &'v str, context: Context) -> Result<Cow<'v, str>, ExpandError> {
    match context {
        Context::Header if value.chars().any(char::is_control) => Err(ExpandError::Control(name.to_owned())),
        Context::Plain | Context::Header => Ok(Cow::Borrowed(value)),
        Context::Url => Ok(percent(value).into()),
        Context::Json => {
            let quoted = serde_json::Value::from(value).to_string();
            Ok(quoted[1..quoted.len() - 1].to_owned().into())
        }
    }
}

fn percent(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing into a String does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The variables of one run.
#[derive(Clone, Default)]
pub struct Bag {
    open: BTreeMap<String, String>,
    /// Secrets of the configuration and what answers gave: never shown.
    hidden: BTreeMap<String, Secret>,
}

impl Bag {
    /// With what the configuration sets.
    pub fn new(variables: &BTreeMap<String, String>, secrets: &BTreeMap<String, Secret>) -> Self {
        Self { open: variables.clone(), hidden: secrets.clone() }
    }

    /// Keeps what an answer gave.
    pub fn save(&mut self, name: &str, value: &str) {
        self.open.remove(name);
        let value = &value[..value.floor_char_boundary(MAX_VALUE)];
        self.hidden.insert(name.to_owned(), Secret::new(value));
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.hidden.get(name).map(Secret::reveal).or_else(|| self.open.get(name).map(String::as_str))
    }

    /// A text without the values that are not shown.
    pub fn mask(&self, text: &str) -> String {
        let mut values: Vec<&str> =
            self.hidden.values().map(Secret::reveal).filter(|value| value.len() >= MASKED_FROM).collect();
        // The longest first: a value may hold another.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        let mut text = text.to_owned();
        for value in values {
            text = text.replace(value, "***");
            let escaped = percent(value);
            if escaped != value {
                text = text.replace(&escaped, "***");
            }
        }
        text
    }
}
impl fmt::Debug for Bag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bag").field("open", &self.open).field("hidden", &self.hidden).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bag(value: &str) -> Bag {
        let mut bag = Bag::default();
        bag.save("token", value);
        bag
    }

    #[test]
    fn a_value_is_escaped_by_where_it_stands() {
        let value = "a b\"&=/\\?é";
        for (context, want) in [
            (Context::Plain, "x=a b\"&=/\\?é"),
            (Context::Url, "x=a%20b%22%26%3D%2F%5C%3F%C3%A9"),
            (Context::Json, "x=a b\\\"&=/\\\\?é"),
            (Context::Header, "x=a b\"&=/\\?é"),
        ] {
            assert_eq!(Template::new("x={{token}}").expand(&bag(value), context).unwrap(), want, "{context:?}");
        }
        let header = Template::new("{{ token }}").expand(&bag("a\r\nSet-Cookie: x"), Context::Header);
        assert_eq!(header, Err(ExpandError::Control("token".into())));
    }

    #[test]
    fn only_names_in_double_braces_are_variables() {
        for (text, names) in [
            ("{{a}}{{ b_1 }}", vec!["a", "b_1"]),
            ("{{#if x}} {{A}} {{}} {{a-b}} {a}", vec![]),
            ("{{{a}}}", vec!["a"]),
            ("{{a", vec![]),
            ("{{ {{a}}", vec!["a"]),
        ] {
            assert_eq!(Template::new(text).names().collect::<Vec<_>>(), names, "{text}");
        }
        let unknown = Template::new("{{other}}").expand(&bag("x"), Context::Plain);
        assert_eq!(unknown, Err(ExpandError::Unknown("other".into())));
    }

    #[test]
    fn what_is_hidden_is_masked_also_where_it_was_escaped() {
        let mut bag = bag("s3 cret");
        bag.save("short", "abc");
        assert_eq!(bag.mask("got s3 cret, s3%20cret and abc"), "got ***, *** and abc");
        assert!(!format!("{bag:?}").contains("cret"));
    }

    #[test]
    fn a_text_does_not_grow_without_end() {
        let text = "{{token}}".repeat(100);
        let grown = Template::new(&text).expand(&bag(&"x".repeat(MAX_VALUE * 2)), Context::Plain);
        assert_eq!(grown, Err(ExpandError::TooLong));
    }

    proptest! {
        #[test]
        fn a_text_without_braces_stays_as_it_is(text in "[^{]{0,40}") {
            prop_assert_eq!(Template::new(&text).expand(&Bag::default(), Context::Plain).unwrap(), text);
        }

        #[test]
        fn a_value_in_json_reads_back(value in any::<String>()) {
            let text = Template::new("{\"v\": \"{{token}}\"}").expand(&bag(&value), Context::Json).unwrap();
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(read["v"].as_str().unwrap(), value);
        }

        #[test]
        fn a_value_in_an_address_stays_one_parameter(value in any::<String>()) {
            let text = Template::new("https://shop.example/a?q={{token}}&r=1").expand(&bag(&value), Context::Url).unwrap();
            let url = url::Url::parse(&text).unwrap();
            let pairs: Vec<(String, String)> = url.query_pairs().map(|(k, v)| (k.into(), v.into())).collect();
            prop_assert_eq!(pairs, vec![("q".to_owned(), value), ("r".to_owned(), "1".to_owned())]);
            prop_assert_eq!(url.host_str(), Some("shop.example"));
        }
    }
}
