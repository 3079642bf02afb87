//! JSON of strangers, read as far as it can be.
//!
//! One odd field never costs a record: accessors answer `None` for what is missing or has another type. What could
//! hurt is refused before it is read: records longer than [`MAX_RECORD`] or deeper than [`MAX_DEPTH`]. A flattened
//! record never has more than [`MAX_FIELDS`] fields nor names longer than [`MAX_NAME`]; how many were dropped is said
//! in the field [`DROPPED`].

use crate::access::time::{Times, epoch};
use crate::observed::{Field, MAX_DEPTH, MAX_RECORD, Refusal};
use base::Timestamp;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;

/// Most fields of one record.
pub(crate) const MAX_FIELDS: usize = 1_000;
/// Longest name of a field, bytes; a longer one is cut.
pub(crate) const MAX_NAME: usize = 512;
/// The field that says how many fields were dropped.
pub(crate) const DROPPED: &str = "dropped_fields";

static NULL: Value = Value::Null;

/// Parses one record, after looking at its size and depth.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Refusal> {
    check_bounds(bytes)?;
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    let mended = mend(bytes).ok_or(Refusal::NotJson)?;
    serde_json::from_str(&mended).map_err(|_| Refusal::NotJson)
}

/// Refuses what is too long or nests too deep, without reading it.
pub(crate) fn check_bounds(bytes: &[u8]) -> Result<(), Refusal> {
    if bytes.len() > MAX_RECORD {
        return Err(Refusal::TooLong);
    }
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(Refusal::TooDeep);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => at = end_of_text(bytes, at + 1),
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// Where the quote is that ends a text which starts at `at`.
fn end_of_text(bytes: &[u8], mut at: usize) -> usize {
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes[at] == b'"' {
            return at;
        }
        at += 2;
    }
    bytes.len()
}

/// The text with U+FFFD for what serde_json refuses and real senders send: bytes that are no UTF-8, and halves of
/// surrogate pairs, which JavaScript writes when it cuts a text in the middle of an emoji. `None` when neither is there.
pub(crate) fn mend(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let broken_text = matches!(text, Cow::Owned(_));
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut mended) = (text.as_ref(), false);
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let length = match surrogate(escape) {
            Some(0xd800..=0xdbff) if matches!(escape.get(6..).and_then(surrogate), Some(0xdc00..=0xdfff)) => 12,
            Some(0xd800..=0xdfff) => {
                out.push('\u{fffd}');
                mended = true;
                rest = &escape[6..];
                continue;
            }
            // The backslash and the character behind it, which may be another backslash.
            _ => escape.char_indices().nth(2).map_or(escape.len(), |(end, _)| end),
        };
        out.push_str(&escape[..length]);
        rest = &escape[length..];
    }
    out.push_str(rest);
    (mended || broken_text).then_some(out)
}

/// The number of `\ud83d` at the start.
fn surrogate(escape: &str) -> Option<u16> {
    u16::from_str_radix(escape.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

/// What is found by walking down the names; null when something is missing.
pub(crate) fn at<'v>(mut value: &'v Value, path: &[&str]) -> &'v Value {
    for name in path {
        value = value.get(name).unwrap_or(&NULL);
    }
    value
}

/// A text, number or truth value as text. Nothing for null, empty text, lists and objects.
pub(crate) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => (!text.trim().is_empty()).then(|| Cow::Borrowed(text.trim())),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A text which many records of one body repeat, cut to the length of a name.
pub(crate) fn short(value: &Value) -> Option<Cow<'_, str>> {
    Some(match text(value)? {
        Cow::Borrowed(text) => Cow::Borrowed(cut(text, MAX_NAME)),
        Cow::Owned(text) => Cow::Owned(cut(&text, MAX_NAME).to_owned()),
    })
}

/// A number, also one in quotes.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A whole number from 0 on, also one in quotes.
pub(crate) fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A time: RFC 3339, or seconds to nanoseconds since the epoch as number or text.
pub(crate) fn time(value: &Value) -> Option<Timestamp> {
    let at = match value {
        Value::Number(number) => epoch(number.as_f64()?),
        Value::String(text) => time_of(text),
        _ => None,
    };
    at.filter(|at| at.is_in_calendar())
}

/// The same of a text.
pub(crate) fn time_of(raw: &str) -> Option<Timestamp> {
    Times::default().any(raw).filter(|at| at.is_in_calendar())
}

/// A trace or span id of 8 to 16 bytes in lower-case hex; dashes of UUIDs are left out. Zero is no id.
pub(crate) fn hex_id(raw: &str) -> Option<Cow<'_, str>> {
    let plain = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    let id = if raw.bytes().all(plain) {
        Cow::Borrowed(raw)
    } else {
        Cow::Owned(raw.chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect::<String>())
    };
    let known_length = matches!(id.len(), 16 | 32);
    (known_length && id.bytes().all(plain) && id.bytes().any(|b| b != b'0')).then_some(id)
}

/// The start of a text, at most `limit` bytes, ending at a character.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// Named fields of one record within their bounds.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a> {
    list: Vec<Field<'a>>,
    dropped: usize,
}

impl<'a> Fields<'a> {
    /// Adds a field.
    pub(crate) fn push(&mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) {
        if self.list.len() >= MAX_FIELDS {
            self.dropped += 1;
            return;
        }
        let mut name = name.into();
        if name.len() > MAX_NAME {
            name = Cow::Owned(cut(&name, MAX_NAME).to_owned());
        } else if name.is_empty() {
            name = Cow::Borrowed("_");
        }
        self.list.push((name, value.into()));
    }

    /// Adds a field when there is a value.
    pub(crate) fn push_some(&mut self, name: &'static str, value: Option<Cow<'a, str>>) {
        if let Some(value) = value {
            self.push(name, value);
        }
    }

    /// Adds what an object holds, objects inside it by their path (`a.b`), lists as JSON. Null is nothing.
    pub(crate) fn flatten(&mut self, name: &str, value: &'a Value) {
        match value {
            Value::Null => {}
            Value::Object(object) => {
                for (key, value) in object {
                    self.flatten(&joined(name, key), value);
                }
            }
            Value::String(text) => self.push(name.to_owned(), text.as_str()),
            Value::Array(_) | Value::Bool(_) | Value::Number(_) => self.push(name.to_owned(), value.to_string()),
        }
    }

    /// The fields, with a note when some were dropped.
    pub(crate) fn finish(mut self) -> Vec<Field<'a>> {
        if self.dropped > 0 {
            self.list.push((Cow::Borrowed(DROPPED), Cow::Owned(self.dropped.to_string())));
        }
        self.list
    }
}

/// `a.b`, never longer than needed to see that it is too long: a long name above many short ones must not be copied
/// for each of them.
fn joined(outer: &str, inner: &str) -> String {
    if outer.is_empty() {
        return cut(inner, MAX_NAME).to_owned();
    }
    let mut name = String::with_capacity((outer.len() + 1 + inner.len()).min(2 * MAX_NAME + 1));
    name.push_str(cut(outer, MAX_NAME));
    name.push('.');
    name.push_str(cut(inner, MAX_NAME));
    name
}

/// The fields of an object by their paths, read without building a tree; text without escapes is borrowed.
pub(crate) fn flat_object(json: &str) -> Result<Vec<Field<'_>>, Refusal> {
    if !json.trim_start().starts_with('{') {
        return Err(match serde_json::from_str::<serde::de::IgnoredAny>(json) {
            Ok(_) => Refusal::NotAMap,
            Err(_) => Refusal::NotJson,
        });
    }
    let mut fields = Fields::default();
    let mut reader = serde_json::Deserializer::from_str(json);
    let read = FlatSeed { fields: &mut fields, name: Cow::Borrowed("") }.deserialize(&mut reader);
    read.and_then(|()| reader.end()).map_err(|_| Refusal::NotJson)?;
    Ok(fields.finish())
}

struct FlatSeed<'s, 'de> {
    fields: &'s mut Fields<'de>,
    name: Cow<'de, str>,
}

impl<'de> DeserializeSeed<'de> for FlatSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FlatSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<(), E> {
        self.fields.push(self.name, value);
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.fields.push(self.name, value.to_owned());
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.fields.push(self.name, value.to_string());
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.fields.push(self.name, value.to_string());
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.fields.push(self.name, Value::from(value).to_string());
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.fields.push(self.name, if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut list = Vec::new();
        while let Some(value) = seq.next_element::<Value>()? {
            list.push(value);
        }
        self.fields.push(self.name, Value::Array(list).to_string());
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(key)) = map.next_key()? {
            let name = if self.name.is_empty() { key } else { Cow::Owned(joined(&self.name, &key)) };
            map.next_value_seed(FlatSeed { fields: self.fields, name })?;
        }
        Ok(())
    }
}

/// A text, borrowed when it has no escapes; numbers as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a number")
            }

            fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(value)))
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(value.to_owned())))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(value.to_string())))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(value.to_string())))
            }
        }
        json.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fmt::Write;

    fn shown(json: &str) -> Result<Vec<String>, Refusal> {
        Ok(flat_object(json)?.iter().map(|(name, value)| format!("{name}={value}")).collect())
    }

    #[test]
    fn objects_are_flattened_by_path() {
        for (case, json, want) in [
            ("nested", r#"{"a":{"b":1,"c":{"d":"x"}}}"#, vec!["a.b=1", "a.c.d=x"]),
            ("dotted is the same", r#"{"a.b":1}"#, vec!["a.b=1"]),
            ("lists are JSON", r#"{"a":[1,{"b":"c"}]}"#, vec![r#"a=[1,{"b":"c"}]"#]),
            ("numbers as JSON writes them", r#"{"a":-1,"b":1.50,"c":1e3}"#, vec!["a=-1", "b=1.5", "c=1000.0"]),
            ("null is nothing", r#"{"a":null,"b":true,"":0}"#, vec!["b=true", "_=0"]),
            ("escapes", r#"{"a\n":"\u3042"}"#, vec!["a\n=あ"]),
        ] {
            assert_eq!(shown(json).unwrap(), want, "{case}");
            let value = parse(json.as_bytes()).unwrap();
            let mut fields = Fields::default();
            fields.flatten("", &value);
            let mut tree: Vec<_> = fields.finish().iter().map(|(name, value)| format!("{name}={value}")).collect();
            tree.sort();
            let mut want = want;
            want.sort_unstable();
            assert_eq!(tree, want, "{case}, from a tree");
        }
        assert_eq!(shown("[1]"), Err(Refusal::NotAMap));
        assert_eq!(shown(r#"{"a":1"#), Err(Refusal::NotJson));
    }

    #[test]
    fn what_javascript_cuts_in_half_is_mended() {
        for (case, raw, want) in [
            ("a half at the end", r#""a\ud83d""#, Some("a\u{fffd}")),
            ("the other half", r#""\ude00b""#, Some("\u{fffd}b")),
            ("a pair", r#""\ud83d\ude00""#, Some("😀")),
            ("an escaped backslash", r#""\\ud83d""#, Some("\\ud83d")),
            ("a half before an escape", r#""\ud83d\n""#, Some("\u{fffd}\n")),
            ("cut off", r#""\ud8"#, None),
        ] {
            assert_eq!(parse(raw.as_bytes()).ok().as_ref().and_then(Value::as_str), want, "{case}");
        }
        assert_eq!(parse(b"\"a\xff\"").unwrap(), "a\u{fffd}");
    }

    #[test]
    fn bombs_are_refused_before_they_are_read() {
        let deep = "[".repeat(500_000);
        let within = format!("{}1{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
        let brackets_in_text = format!("\"{}\"", "[".repeat(100));
        for (case, raw, want) in [
            ("deep", deep.as_str(), Some(Refusal::TooDeep)),
            ("deep enough", &within, None),
            ("text", &brackets_in_text, None),
            ("long", &" ".repeat(MAX_RECORD + 1), Some(Refusal::TooLong)),
            ("cut", "{\"a\\", Some(Refusal::NotJson)),
        ] {
            assert_eq!(parse(raw.as_bytes()).err(), want, "{case}");
        }
        // One long name above many short ones: flattened naively, 40 GiB.
        let mut bomb = format!("{{\"{}\":{{", "k".repeat(500_000));
        for n in 0..50_000 {
            let _ = write!(bomb, "\"{n}\":0,");
        }
        bomb.push_str("\"z\":0}}");
        let fields = flat_object(&bomb).unwrap();
        assert_eq!(fields.len(), MAX_FIELDS + 1);
        assert!(fields.iter().all(|(name, _)| name.len() <= MAX_NAME));
        assert_eq!(fields.last().unwrap(), &(DROPPED.into(), (50_001 - MAX_FIELDS).to_string().into()));
    }

    #[test]
    fn ids_are_hex_of_the_right_length() {
        for (raw, want) in [
            ("4BF92F3577B34DA6A3CE929D0E0E4736", Some("4bf92f3577b34da6a3ce929d0e0e4736")),
            ("4bf92f35-77b3-4da6-a3ce-929d0e0e4736", Some("4bf92f3577b34da6a3ce929d0e0e4736")),
            ("00f067aa0ba902b7", Some("00f067aa0ba902b7")),
            ("0000000000000000", None),
            ("123", None),
            ("zzzzzzzzzzzzzzzz", None),
        ] {
            assert_eq!(hex_id(raw).as_deref(), want, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (parse(&bytes), mend(&bytes));
        }

        #[test]
        fn nothing_like_json_makes_it_panic(raw in r#"[\[\]{}":,\\u0-9a-fd8 ]{0,60}"#) {
            let _ = (parse(raw.as_bytes()), mend(raw.as_bytes()), flat_object(&raw));
        }
    }
}
