//! MessagePack values as text and as JSON.

use super::pack::{Reader, Value};
use super::time::event_time;
use crate::observed::Refusal;
use std::borrow::Cow;

/// How deep a map's key may nest. A key is written as a text, so what is quoted in it is quoted once more at each level: of
/// keys within keys the length would double with each.
const KEY_LEVELS: usize = 1;

/// The text of a value; lists and maps become JSON, refused when they nest deeper than `levels`.
pub(super) fn read_text<'a>(reader: &mut Reader<'a>, levels: usize) -> Result<Cow<'a, str>, Refusal> {
    let before = reader.clone();
    Ok(match reader.next().map_err(|_| Refusal::Malformed)? {
        Value::Text(bytes) | Value::Binary(bytes) => String::from_utf8_lossy(bytes),
        Value::Nil => Cow::Borrowed("null"),
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        Value::Int(number) => Cow::Owned(number.to_string()),
        Value::Unsigned(number) => Cow::Owned(number.to_string()),
        Value::Extension(kind, bytes) => extension(kind, bytes),
        Value::Single(_) | Value::Double(_) | Value::Array(_) | Value::Map(_) => {
            *reader = before;
            Cow::Owned(read_json(reader, levels)?)
        }
    })
}

/// A value as JSON, refused when it nests deeper than `levels`.
pub(super) fn read_json(reader: &mut Reader<'_>, levels: usize) -> Result<String, Refusal> {
    let mut out = Vec::new();
    write(reader, levels, &mut out)?;
    String::from_utf8(out).map_err(|_| Refusal::Malformed)
}

/// What an extension holds: a moment, or bytes shown as text.
fn extension(kind: i8, bytes: &[u8]) -> Cow<'_, str> {
    match event_time(kind, bytes) {
        Some(at) => Cow::Owned(at.to_string()),
        None => String::from_utf8_lossy(bytes),
    }
}

fn write(reader: &mut Reader<'_>, levels: usize, out: &mut Vec<u8>) -> Result<(), Refusal> {
    match reader.next().map_err(|_| Refusal::Malformed)? {
        Value::Nil => out.extend_from_slice(b"null"),
        Value::Bool(value) => put(out, &value)?,
        Value::Int(value) => put(out, &value)?,
        Value::Unsigned(value) => put(out, &value)?,
        Value::Single(value) => put(out, &value)?,
        Value::Double(value) => put(out, &value)?,
        Value::Text(bytes) | Value::Binary(bytes) => put(out, &String::from_utf8_lossy(bytes))?,
        Value::Extension(kind, bytes) => put(out, &extension(kind, bytes))?,
        Value::Array(size) => {
            let levels = levels.checked_sub(1).ok_or(Refusal::TooDeep)?;
            out.push(b'[');
            for at in 0..size {
                if at > 0 {
                    out.push(b',');
                }
                write(reader, levels, out)?;
            }
            out.push(b']');
        }
        Value::Map(size) => {
            let levels = levels.checked_sub(1).ok_or(Refusal::TooDeep)?;
            out.push(b'{');
            for at in 0..size {
                if at > 0 {
                    out.push(b',');
                }
                put(out, &read_text(reader, levels.min(KEY_LEVELS))?)?;
                out.push(b':');
                write(reader, levels, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn put(out: &mut Vec<u8>, value: &impl serde::Serialize) -> Result<(), Refusal> {
    serde_json::to_writer(out, value).map_err(|_| Refusal::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::MAX_DEPTH;

    #[test]
    fn values_read_as_people_write_them() {
        for (bytes, want) in [
            (&[0xa2, b'h', b'i'][..], "hi"),
            (&[0xc4, 2, 0xff, b'A'], "\u{fffd}A"),
            (&[0xc0], "null"),
            (&[0xc3], "true"),
            (&[0xd0, 0xf9], "-7"),
            (&[0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0], "9223372036854775808"),
            (&[0xca, 0x3d, 0xcc, 0xcc, 0xcd], "0.1"),
            (&[0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0], "null"),
            (&[0x82, 0xa1, b'k', 0x91, 0xa1, b'"', 0x01, 0xc2], r#"{"k":["\""],"1":false}"#),
            (&[0xd7, 0, 0x6a, 0xfd, 0x89, 0xe1, 0, 0, 0, 0], "2026-11-18T11:20:01Z"),
        ] {
            assert_eq!(read_text(&mut Reader::new(bytes), MAX_DEPTH).as_deref(), Ok(want));
        }
    }

    #[test]
    fn a_value_nests_at_most_thirty_two_levels() {
        let nested = |levels: usize| [vec![0x91; levels], vec![0xc0]].concat();
        assert!(read_json(&mut Reader::new(&nested(MAX_DEPTH)), MAX_DEPTH).is_ok());
        assert_eq!(read_json(&mut Reader::new(&nested(MAX_DEPTH + 1)), MAX_DEPTH), Err(Refusal::TooDeep));
        // A key may be a map, the key of that one may not: 280 bytes became gigabytes.
        let key = |levels: usize| [vec![0x81; levels], vec![0xa1, b'k'], vec![0xc2; levels]].concat();
        assert_eq!(read_json(&mut Reader::new(&key(2)), MAX_DEPTH).as_deref(), Ok(r#"{"{\"k\":false}":false}"#));
        assert_eq!(read_json(&mut Reader::new(&key(3)), MAX_DEPTH), Err(Refusal::TooDeep));
        let keys = vec![0x81; 1_000_000];
        assert_eq!(read_json(&mut Reader::new(&keys), MAX_DEPTH), Err(Refusal::TooDeep));
    }

    #[test]
    fn a_list_that_lies_about_its_size_costs_nothing() {
        assert_eq!(read_json(&mut Reader::new(&[0xdd, 0xff, 0xff, 0xff, 0xff, 1]), MAX_DEPTH), Err(Refusal::Malformed));
    }
}
