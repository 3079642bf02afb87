//! A subset of JSONPath: `$`, `.name`, `['name']`, `[0]`, `[-1]` and `[*]`.
//!
//! No filters and no recursion, so that a path's cost is bounded by the answer it is looked for in.

use serde_json::Value;
use std::fmt;
use std::str::FromStr;

/// Longest path, steps.
const MAX_STEPS: usize = 32;
/// Most values that a path with `[*]` finds; the rest is not looked at.
const MAX_FOUND: usize = 1_000;

/// A path to one value, or with `[*]` to several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {
    text: String,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(i64),
    Any,
}

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no path of JSON; write for example $.items[0].name")]
pub struct JsonPathError(String);

impl FromStr for JsonPath {
    type Err = JsonPathError;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        let steps = raw.strip_prefix('$').and_then(steps).ok_or_else(|| JsonPathError(raw.to_owned()))?;
        Ok(Self { text: raw.to_owned(), steps })
    }
}
impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn steps(mut rest: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, behind) = if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(['.', '[']).unwrap_or(name.len());
            (Step::Name(some_name(&name[..end])?), &name[end..])
        } else {
            in_brackets(rest.strip_prefix('[')?)?
        };
        steps.push(step);
        if steps.len() > MAX_STEPS {
            return None;
        }
        rest = behind;
    }
    Some(steps)
}

fn some_name(name: &str) -> Option<String> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '@' | ':' | '$');
    (!name.is_empty() && name.chars().all(plain)).then(|| name.to_owned())
}

fn in_brackets(rest: &str) -> Option<(Step, &str)> {
    if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        let inner = &rest[1..];
        let end = inner.find(quote)?;
        return Some((Step::Name(inner[..end].to_owned()), inner[end + 1..].strip_prefix(']')?));
    }
    let (inner, behind) = rest.split_once(']')?;
    let step = if inner == "*" { Step::Any } else { Step::Index(inner.parse().ok()?) };
    Some((step, behind))
}

impl JsonPath {
    /// The values that are there.
    pub fn find<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        let mut found = vec![value];
        for step in &self.steps {
            let mut next = Vec::new();
            for value in found {
                match step {
                    Step::Name(name) => next.extend(value.get(name)),
                    Step::Index(index) => next.extend(element(value, *index)),
                    Step::Any => match value {
                        Value::Array(all) => next.extend(all.iter().take(MAX_FOUND)),
                        Value::Object(all) => next.extend(all.values().take(MAX_FOUND)),
                        _ => {}
                    },
                }
            }
            next.truncate(MAX_FOUND);
            found = next;
        }
        found
    }
}

fn element(value: &Value, index: i64) -> Option<&Value> {
    let all = value.as_array()?;
    let length = i64::try_from(all.len()).ok()?;
    let index = if index < 0 { length.checked_add(index)? } else { index };
    all.get(usize::try_from(index).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_path_finds_what_it_names() {
        let document = json!({"csrf": "t", "a.b": 1, "items": [{"name": "x"}, {"name": "y"}, 3], "none": null});
        for (path, want) in [
            ("$.csrf", vec![json!("t")]),
            ("$['a.b']", vec![json!(1)]),
            ("$[\"csrf\"]", vec![json!("t")]),
            ("$.items[0].name", vec![json!("x")]),
            ("$.items[-1]", vec![json!(3)]),
            ("$.items[*].name", vec![json!("x"), json!("y")]),
            ("$.none", vec![json!(null)]),
            ("$.items[3]", vec![]),
            ("$.items[-4]", vec![]),
            ("$.csrf.x", vec![]),
            ("$", vec![document.clone()]),
        ] {
            let found: Vec<Value> = path.parse::<JsonPath>().unwrap().find(&document).into_iter().cloned().collect();
            assert_eq!(found, want, "{path}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", "csrf", "$csrf", "$.", "$..a", "$[", "$[a]", "$['a", "$.a b", "$[1.5]", "$.a[]", "$.*"] {
            assert!(text.parse::<JsonPath>().is_err(), "{text}");
        }
        assert!(format!("${}", ".a".repeat(33)).parse::<JsonPath>().is_err());
    }

    proptest! {
        #[test]
        fn any_text_parses_or_not_and_any_path_can_be_looked_for(text in "\\$[.\\[\\]'\"*a0-9-]{0,20}") {
            if let Ok(path) = text.parse::<JsonPath>() {
                prop_assert_eq!(path.to_string(), text);
                path.find(&json!({"a": [1, {"a": {}}]}));
            }
        }

        #[test]
        fn a_quoted_name_is_found_whatever_it_is(name in "[^']{1,12}") {
            let path: JsonPath = format!("$['{name}']").parse().unwrap();
            let mut object = serde_json::Map::new();
            object.insert(name, json!(7));
            let document = Value::Object(object);
            let want = json!(7);
            prop_assert_eq!(path.find(&document), vec![&want]);
        }
    }
}
