//! Walks JSON objects and lists part by part without building a tree.
//!
//! Parts are slices of the body, so that only one record at a time is ever built, and one that can't be read does not
//! spoil its neighbours. Never recurses, however deep the JSON nests.

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Calls `each` with the name and the JSON of every member; `null` is an object without any.
pub(crate) fn members<'a>(json: &'a str, each: impl FnMut(Cow<'a, str>, &'a str)) -> Result<(), serde_json::Error> {
    read(json, |from| from.deserialize_map(Members(each)))
}

/// Calls `each` with the JSON of every element; `null` is a list without any.
pub(crate) fn elements<'a>(json: &'a str, each: impl FnMut(&'a str)) -> Result<(), serde_json::Error> {
    read(json, |from| from.deserialize_seq(Elements(each)))
}

type Source<'a> = serde_json::Deserializer<serde_json::de::StrRead<'a>>;

fn read<'a>(
    json: &'a str,
    visit: impl FnOnce(&mut Source<'a>) -> Result<(), serde_json::Error>,
) -> Result<(), serde_json::Error> {
    if json.trim_ascii() == "null" {
        return Ok(());
    }
    let mut source = serde_json::Deserializer::from_str(json);
    visit(&mut source)?;
    source.end()
}

struct Members<F>(F);

impl<'a, F: FnMut(Cow<'a, str>, &'a str)> Visitor<'a> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, value)) = map.next_entry::<Name<'a>, &'a RawValue>()? {
            (self.0)(name.0, value.get());
        }
        Ok(())
    }
}

/// Borrowed when it has no escapes; serde copies a bare `Cow`.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

struct Elements<F>(F);

impl<'a, F: FnMut(&'a str)> Visitor<'a> for Elements<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(element) = list.next_element::<&'a RawValue>()? {
            (self.0)(element.get());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_slices_in_the_order_of_the_text() {
        let mut found = Vec::new();
        members(r#" {"a":[1, 2] ,"b\n":{"c":null}} "#, |name, json| found.push((name.into_owned(), json))).unwrap();
        assert_eq!(found, [("a".to_owned(), "[1, 2]"), ("b\n".to_owned(), r#"{"c":null}"#)]);
        let mut found = Vec::new();
        elements("[1, {}, [[]]]", |json| found.push(json)).unwrap();
        assert_eq!(found, ["1", "{}", "[[]]"]);
    }

    #[test]
    fn null_is_empty_and_anything_else_is_refused() {
        members("null", |_, _| panic!("no member")).unwrap();
        elements(" null ", |_| panic!("no element")).unwrap();
        for json in ["", "{", "[1]", "{} {}", "7", r#"{"a":}"#] {
            assert!(members(json, |_, _| {}).is_err(), "{json}");
        }
        for json in ["", "[", "{}", "[1,]", "[] []"] {
            assert!(elements(json, |_| {}).is_err(), "{json}");
        }
    }

    #[test]
    fn nesting_of_any_depth_needs_no_stack() {
        let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        let mut count = 0;
        elements(&deep, |_| count += 1).unwrap();
        assert_eq!(count, 1);
    }
}
