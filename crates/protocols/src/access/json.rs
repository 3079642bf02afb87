//! One JSON object a line. Fields of nested objects are named by their path (`http.response.status_code`).
//!
//! Reads straight into the record: no tree is built, and text without escapes is borrowed from the line.

use super::draft::Draft;
use super::field::{Dialect, Field, LearnedUnits, field_of};
use super::time::Times;
use super::{AccessRecord, Reject};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use std::borrow::Cow;
use std::fmt;

/// Objects deeper than this hold nothing that an access log means to say.
const MAX_DEPTH: usize = 6;
/// Names longer than this, with their path, are not read: every field below a long name would repeat it.
const MAX_NAME: usize = 256;

pub(super) fn decode<'a>(line: &'a str, units: LearnedUnits, times: &mut Times) -> Result<AccessRecord<'a>, Reject> {
    let line = line.trim();
    if !line.starts_with('{') {
        return Err(Reject::NotJson);
    }
    let mut reader = Reader { draft: Draft::new(units), times, path: String::new() };
    let mut json = serde_json::Deserializer::from_str(line);
    let read = ObjectSeed { reader: &mut reader, depth: 0 }.deserialize(&mut json).and_then(|()| json.end());
    match read {
        Ok(()) => reader.draft.finish(),
        Err(error) if error.classify() == Category::Eof => Err(Reject::CutShort),
        Err(_) => Err(Reject::NotJson),
    }
}

struct Reader<'r, 'de> {
    draft: Draft<'de>,
    times: &'r mut Times,
    /// Path of the object that is being read, `a.b.`; empty at the top.
    path: String,
}

struct ObjectSeed<'s, 'r, 'de> {
    reader: &'s mut Reader<'r, 'de>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for ObjectSeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ObjectSeed<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(Text)? {
            if self.reader.path.len() + key.len() > MAX_NAME {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let (field, name) = if self.reader.path.is_empty() {
                (field_of(&key, Dialect::Json), key)
            } else {
                self.reader.nested(&key)
            };
            map.next_value_seed(ValueSeed { reader: self.reader, field, name, depth: self.depth })?;
        }
        Ok(())
    }
}

impl<'de> Reader<'_, 'de> {
    fn nested(&self, key: &str) -> (Field, Cow<'de, str>) {
        let name = format!("{}{key}", self.path);
        let field = match field_of(&name, Dialect::Json) {
            Field::Extra if self.path.ends_with("headers.") => Field::Skip,
            field => field,
        };
        (field, Cow::Owned(name))
    }
}

struct ValueSeed<'s, 'r, 'de> {
    reader: &'s mut Reader<'r, 'de>,
    field: Field,
    name: Cow<'de, str>,
    depth: usize,
}

impl<'de> ValueSeed<'_, '_, 'de> {
    fn text(self, value: Cow<'de, str>) {
        self.reader.draft.text(self.field, self.name, value, self.reader.times);
    }

    fn number(self, value: f64) {
        self.reader.draft.number(self.field, self.name, value, self.reader.times);
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        match self.field {
            Field::Skip => json.deserialize_ignored_any(IgnoredAny).map(|_| ()),
            _ => json.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<(), E> {
        self.text(Cow::Borrowed(value));
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.text(Cow::Owned(value.to_owned()));
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        match self.field {
            Field::Status | Field::Bytes | Field::Duration(_) | Field::Upstream(_) | Field::Time => {
                self.number(value as f64);
            }
            _ => self.text(Cow::Owned(value.to_string())),
        }
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.number(value as f64);
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.number(value);
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        if self.field == Field::Extra {
            self.text(Cow::Borrowed(if value { "true" } else { "false" }));
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    /// A list counts as its first element: Caddy writes headers that way.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let deeper = self.depth + 1;
        if self.field != Field::Extra && deeper < MAX_DEPTH {
            let first = ValueSeed { reader: self.reader, field: self.field, name: self.name, depth: deeper };
            seq.next_element_seed(first)?;
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if self.depth + 1 >= MAX_DEPTH {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let outer = std::mem::replace(&mut self.reader.path, format!("{}.", self.name));
        let read = ObjectSeed { reader: self.reader, depth: self.depth + 1 }.visit_map(map);
        self.reader.path = outer;
        read
    }
}

/// A text, borrowed when it has no escapes.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Cow<'de, str>, D::Error> {
        json.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_too_long_are_passed_over_with_all_that_is_below_them() {
        let long = "k".repeat(MAX_NAME);
        let fields = format!(r#""{long}":{{"a":"1","b":{{"c":"2"}}}},"{long}x":"3","short":{{"{long}":"4","d":"5"}}"#);
        let line = format!(r#"{{"time":"2026-01-01T00:00:00Z","status":200,"uri":"/",{fields}}}"#);
        let record = decode(&line, LearnedUnits::default(), &mut Times::default()).unwrap();
        assert_eq!(record.extra, [("short.d".into(), "5".into())]);
        assert_eq!((record.status, record.target.as_ref()), (200, "/"), "what stands beside them is read");
    }
}
