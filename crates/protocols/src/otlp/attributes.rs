//! Attribute values as text: strings as they are, numbers as JSON writes them, lists and maps as JSON.

use crate::observed::{Field, MAX_DEPTH, Refusal};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write;

/// From here on a set finds repeated names; below, comparing them one by one is faster.
const MANY: usize = 64;

/// The value as text; no value is an empty text.
pub(super) fn text(value: Option<&AnyValue>) -> Result<Cow<'_, str>, Refusal> {
    Ok(match value.and_then(|value| value.value.as_ref()) {
        None => Cow::Borrowed(""),
        Some(Value::StringValue(text)) => Cow::Borrowed(text),
        Some(Value::BoolValue(true)) => Cow::Borrowed("true"),
        Some(Value::BoolValue(false)) => Cow::Borrowed("false"),
        Some(Value::BytesValue(bytes)) => Cow::Owned(BASE64.encode(bytes)),
        Some(other) => {
            let mut out = String::new();
            write_json(other, 0, &mut out)?;
            Cow::Owned(out)
        }
    })
}

/// The attribute of this name as text, unless it is missing or empty.
pub(super) fn find<'a>(attributes: &'a [KeyValue], name: &str) -> Option<Cow<'a, str>> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    text(found.value.as_ref()).ok().filter(|text| !text.is_empty())
}

/// The first of these names that is there: current conventions first, then what they were called before.
pub(super) fn find_any<'a>(attributes: &'a [KeyValue], names: &[&str]) -> Option<Cow<'a, str>> {
    names.iter().find_map(|name| find(attributes, name))
}

/// Appends the attributes that `keep` lets through; those without a name are none.
pub(super) fn push<'a>(
    attributes: &'a [KeyValue],
    keep: impl Fn(&str) -> bool,
    fields: &mut Vec<Field<'a>>,
) -> Result<(), Refusal> {
    for attribute in attributes.iter().filter(|attribute| !attribute.key.is_empty() && keep(&attribute.key)) {
        fields.push((Cow::Borrowed(&attribute.key), text(attribute.value.as_ref())?));
    }
    Ok(())
}

/// Appends inherited fields unless a field of that name is there already: what is said nearer wins.
pub(super) fn inherit<'a>(fields: &mut Vec<Field<'a>>, inherited: &'a [(String, String)]) {
    let own = fields.len();
    let names: HashSet<String> =
        if own > MANY { fields.iter().map(|(name, _)| name.to_string()).collect() } else { HashSet::new() };
    for (name, value) in inherited {
        let known =
            if own > MANY { names.contains(name) } else { fields[..own].iter().any(|(nearer, _)| nearer == name) };
        if !known {
            fields.push((Cow::Borrowed(name), Cow::Borrowed(value)));
        }
    }
}

/// Attributes as a JSON object.
pub(super) fn write_object(attributes: &[KeyValue], depth: usize, out: &mut String) -> Result<(), Refusal> {
    out.push('{');
    for (index, attribute) in attributes.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_text(&attribute.key, out);
        out.push(':');
        write_value(attribute.value.as_ref(), depth, out)?;
    }
    out.push('}');
    Ok(())
}

fn write_value(value: Option<&AnyValue>, depth: usize, out: &mut String) -> Result<(), Refusal> {
    let Some(value) = value.and_then(|value| value.value.as_ref()) else {
        out.push_str("null");
        return Ok(());
    };
    write_json(value, depth, out)
}

fn write_json(value: &Value, depth: usize, out: &mut String) -> Result<(), Refusal> {
    if depth >= MAX_DEPTH {
        return Err(Refusal::TooDeep);
    }
    match value {
        Value::StringValue(text) => write_text(text, out),
        Value::BoolValue(yes) => out.push_str(if *yes { "true" } else { "false" }),
        Value::IntValue(number) => write_shown(number, out),
        Value::DoubleValue(number) if number.is_finite() || depth == 0 => write_shown(&Shortest(*number), out),
        Value::DoubleValue(number) => write_text(&Shortest(*number).to_string(), out),
        Value::BytesValue(bytes) => write_text(&BASE64.encode(bytes), out),
        Value::ArrayValue(list) => {
            out.push('[');
            for (index, item) in list.values.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(Some(item), depth + 1, out)?;
            }
            out.push(']');
        }
        Value::KvlistValue(map) => write_object(&map.values, depth + 1, out)?,
        // Only profiles have a table of strings to point into.
        Value::StringValueStrindex(_) => out.push_str("null"),
    }
    Ok(())
}

/// A double as JSON writes it; the words of OTLP/JSON for what JSON can't write.
struct Shortest(f64);

impl std::fmt::Display for Shortest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            f64::INFINITY => f.write_str("Infinity"),
            f64::NEG_INFINITY => f.write_str("-Infinity"),
            number => write!(f, "{number:?}"),
        }
    }
}

fn write_shown(value: &impl std::fmt::Display, out: &mut String) {
    write!(out, "{value}").expect("a String takes any text");
}

/// A text as a JSON string.
pub(super) fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => write_shown(&format_args!("\\u{:04x}", u32::from(c)), out),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::common::v1::{ArrayValue, KeyValueList};
    use proptest::prelude::*;

    fn any(value: Value) -> AnyValue {
        AnyValue { value: Some(value) }
    }

    fn pair(key: &str, value: Value) -> KeyValue {
        KeyValue { key: key.to_owned(), value: Some(any(value)), ..KeyValue::default() }
    }

    fn list(values: Vec<AnyValue>) -> Value {
        Value::ArrayValue(ArrayValue { values })
    }

    #[test]
    fn values_read_as_people_expect() {
        let map = Value::KvlistValue(KeyValueList { values: vec![pair("a\"", Value::DoubleValue(f64::NAN))] });
        for (value, want) in [
            (Value::StringValue("as \"is\"".to_owned()), "as \"is\""),
            (Value::BoolValue(true), "true"),
            (Value::IntValue(-3), "-3"),
            (Value::DoubleValue(1.0), "1.0"),
            (Value::DoubleValue(1e300), "1e300"),
            (Value::DoubleValue(f64::NEG_INFINITY), "-Infinity"),
            (Value::BytesValue(vec![1, 2, 3]), "AQID"),
            (list(vec![any(Value::StringValue("\u{1}é".to_owned())), AnyValue::default()]), "[\"\\u0001é\",null]"),
            (map, "{\"a\\\"\":\"NaN\"}"),
        ] {
            assert_eq!(text(Some(&any(value))).unwrap(), want);
        }
        assert_eq!(text(None).unwrap(), "");
    }

    #[test]
    fn nesting_ends_at_32_levels() {
        let nested = |levels: usize| (1..levels).fold(list(vec![]), |inner, _| list(vec![any(inner)]));
        assert!(text(Some(&any(nested(32)))).is_ok());
        assert_eq!(text(Some(&any(nested(33)))), Err(Refusal::TooDeep));
    }

    #[test]
    fn what_is_said_nearer_wins_however_many_there_are() {
        let inherited = [("a".to_owned(), "far".to_owned()), ("b".to_owned(), "far".to_owned())];
        for count in [1, 100] {
            let mut fields: Vec<Field<'_>> =
                (0..count).map(|n| (Cow::Owned(format!("f{n}")), Cow::Borrowed(""))).collect();
            fields.push((Cow::Borrowed("a"), Cow::Borrowed("near")));
            inherit(&mut fields, &inherited);
            assert_eq!(fields.len(), count + 2);
            assert!(!fields.contains(&(Cow::Borrowed("a"), Cow::Borrowed("far"))));
        }
    }

    proptest! {
        #[test]
        fn texts_read_back_as_json(raw in "\\PC{0,20}|[\u{0}-\u{7f}]{0,20}") {
            let mut out = String::new();
            write_text(&raw, &mut out);
            prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), raw);
        }
    }
}
