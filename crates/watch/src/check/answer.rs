//! Whether an answer is what was expected, and what is kept of it.

use super::json_path::JsonPath;
use super::outcome::{Phases, Why, WhyCode};
use super::step::{Below, Expect, Save};
use super::variables::{Bag, Context, ExpandError, MAX_VALUE, Template};
use base::Span;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What came back.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: &'a [(String, String)],
    /// The body, or its beginning.
    pub body: &'a [u8],
    /// Whether the body went on.
    pub cut: bool,
    /// How long it took.
    pub phases: Phases,
}

impl<'a> Answer<'a> {
    fn header(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    fn text(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.body)
    }

    fn json(&self) -> Result<Value, Why> {
        let wrong = |got: &str| Why::new(WhyCode::NotJson, "JSON", got);
        if self.cut {
            return Err(wrong("a body that is too large to be read as JSON"));
        }
        serde_json::from_slice(self.body).map_err(|_| match self.text().trim() {
            "" => wrong("an empty body"),
            text => wrong(text),
        })
    }
}

/// Why a text could not be made.
pub fn unmade(error: &ExpandError) -> Why {
    Why::new(WhyCode::Variable, "", error.to_string())
}

/// The first thing that is not as expected.
pub fn judge(expect: &Expect, answer: &Answer<'_>, bag: &Bag) -> Result<(), Why> {
    status(expect, answer)?;
    for (name, wanted) in &expect.header {
        header(name, wanted, answer, bag)?;
    }
    if !expect.contains.is_empty() || !expect.not_contains.is_empty() {
        let text = answer.text();
        let within = if answer.cut { " in the beginning of the body" } else { " in the body" };
        for wanted in &expect.contains {
            let wanted = plain(wanted, bag)?;
            if !text.contains(&wanted) {
                let got = if text.trim().is_empty() { "an empty body" } else { text.trim() };
                return Err(Why::new(WhyCode::Contains, format!("{wanted:?}{within}"), got));
            }
        }
        for refused in &expect.not_contains {
            let refused = plain(refused, bag)?;
            if let Some(at) = text.find(&refused) {
                let around = &text[text.floor_char_boundary(at.saturating_sub(40))..];
                return Err(Why::new(WhyCode::NotContains, format!("no {refused:?}{within}"), around));
            }
        }
    }
    if !expect.json.is_empty() {
        json(&expect.json, &answer.json()?, bag)?;
    }
    in_time(&expect.below, &answer.phases)
}

fn plain(template: &Template, bag: &Bag) -> Result<String, Why> {
    template.expand(bag, Context::Plain).map_err(|error| unmade(&error))
}

fn status(expect: &Expect, answer: &Answer<'_>) -> Result<(), Why> {
    let fits = match expect.status.as_slice() {
        [] => answer.status < 400,
        wanted => wanted.contains(&answer.status),
    };
    if fits {
        return Ok(());
    }
    let wanted: Vec<String> = expect.status.iter().map(u16::to_string).collect();
    let wanted = if wanted.is_empty() { "below 400".to_owned() } else { wanted.join(" or ") };
    Err(Why::new(WhyCode::Status, format!("status {wanted}"), answer.status.to_string()))
}

fn header(name: &str, wanted: &Template, answer: &Answer<'_>, bag: &Bag) -> Result<(), Why> {
    let wanted = plain(wanted, bag)?;
    let mut values = answer.header(name).peekable();
    let expected = format!("{name}: {wanted}");
    if values.peek().is_none() {
        return Err(Why::new(WhyCode::Header, expected, "no such header"));
    }
    let mut first = None;
    for value in values {
        if fits(&wanted, value) {
            return Ok(());
        }
        first = first.or(Some(value));
    }
    Err(Why::new(WhyCode::Header, expected, first.unwrap_or_default()))
}

/// Whether a text fits a pattern in which `*` stands for any text.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some(at) = text.find(piece) else { return false };
        text = &text[at + piece.len()..];
    }
    text.ends_with(last)
}

fn json(wanted: &BTreeMap<String, Value>, document: &Value, bag: &Bag) -> Result<(), Why> {
    for (path, value) in wanted {
        // It was a path when the configuration was read.
        let Ok(parsed) = path.parse::<JsonPath>() else { continue };
        let value = filled(value, bag).map_err(|error| unmade(&error))?;
        let found = parsed.find(document);
        if found.iter().any(|found| same(found, &value)) {
            continue;
        }
        let got = found.first().map_or_else(|| "nothing there".to_owned(), |found| short_json(found));
        return Err(Why::new(WhyCode::Json, format!("{path} = {}", short_json(&value)), got));
    }
    Ok(())
}

/// A value with the variables in its texts filled.
pub fn filled(value: &Value, bag: &Bag) -> Result<Value, ExpandError> {
    Ok(match value {
        Value::String(text) => Template::new(text).expand(bag, Context::Plain)?.into(),
        Value::Array(all) => all.iter().map(|value| filled(value, bag)).collect::<Result<Vec<_>, _>>()?.into(),
        Value::Object(all) => {
            let fields = all.iter().map(|(name, value)| Ok((name.clone(), filled(value, bag)?)));
            Value::Object(fields.collect::<Result<_, ExpandError>>()?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}

/// Equal; numbers by their value, so that `1` is `1.0`.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// A value as it may be shown. Large ones are not written out before they are cut.
fn short_json(value: &Value) -> String {
    match value {
        Value::Array(all) if all.len() > 20 => format!("a list of {}", all.len()),
        Value::Object(all) if all.len() > 20 => format!("an object of {} fields", all.len()),
        Value::String(text) => Value::from(&text[..text.floor_char_boundary(500)]).to_string(),
        other => other.to_string(),
    }
}

/// Whether no part took longer than allowed.
pub fn in_time(below: &Below, phases: &Phases) -> Result<(), Why> {
    let limits = [
        ("dns", below.dns, phases.dns_us),
        ("connect", below.connect, phases.connect_us),
        ("tls", below.tls, phases.tls_us),
        ("first_byte", below.first_byte, phases.first_byte_us),
        ("total", below.total, phases.total_us),
    ];
    for (name, limit, took) in limits {
        let (Some(limit), Some(took)) = (limit, took) else { continue };
        if took > limit.micros().unsigned_abs() {
            return Err(Why::new(WhyCode::Slow, format!("{name} below {limit}"), took_text(took)));
        }
    }
    Ok(())
}

fn took_text(us: u64) -> String {
    match us {
        0..10_000 => format!("{us}us"),
        10_000..10_000_000 => format!("{}ms", us / 1000),
        _ => Span::from_seconds(i64::try_from(us / 1_000_000).unwrap_or(i64::MAX)).to_string(),
    }
}

/// Keeps what later steps need. `cookies` are those that the answer set.
pub fn save(
    wanted: &BTreeMap<String, Save>,
    answer: &Answer<'_>,
    cookies: &[(String, String)],
    bag: &mut Bag,
) -> Result<(), Why> {
    for (name, from) in wanted {
        let missing = || Why::new(WhyCode::Save, format!("{from}, to keep it as {name}"), "nothing there");
        let value: Cow<'_, str> = match from {
            Save::Header(header) => answer.header(header).next().ok_or_else(missing)?.into(),
            Save::Cookie(cookie) => {
                let found = cookies.iter().rev().find(|(name, _)| name == cookie);
                found.ok_or_else(missing)?.1.as_str().into()
            }
            Save::Json(path) => match path.find(&answer.json()?).first() {
                None | Some(Value::Null) => return Err(missing()),
                Some(Value::String(text)) => text.clone().into(),
                Some(other) => other.to_string().into(),
            },
            Save::Regex(regex) => {
                let text = answer.text();
                let found = regex.captures(&text).and_then(|groups| groups.get(1)).ok_or_else(missing)?;
                found.as_str().to_owned().into()
            }
        };
        if value.len() > MAX_VALUE {
            let expected = format!("{from} to be {MAX_VALUE} bytes at most, to keep it as {name}");
            return Err(Why::new(WhyCode::Save, expected, format!("{} bytes", value.len())));
        }
        bag.save(name, &value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::step::HttpStep;
    use proptest::prelude::*;
    use serde_json::json;

    fn step(yaml: &str) -> HttpStep {
        serde_saphyr::from_str(&format!("get: https://shop.example/\n{yaml}")).unwrap()
    }

    fn headers() -> Vec<(String, String)> {
        [("content-type", "text/html; charset=utf-8"), ("set-cookie", "a=1"), ("location", "/cart")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    fn phases() -> Phases {
        Phases { dns_us: Some(900), connect_us: Some(20_000), total_us: Some(12_000_000), ..Phases::default() }
    }

    #[test]
    fn what_is_not_as_expected_is_said_with_what_came() {
        let json_body = r#"{"ok": true, "n": 3.0, "items": [{"id": "x"}, {"id": "z"}], "none": null}"#;
        for (expect, status, body, want) in [
            ("", 200, "", None),
            ("", 399, "", None),
            ("", 404, "", Some("expected status below 400, got 404")),
            ("expect: {status: 200}", 302, "", Some("expected status 200, got 302")),
            ("expect: {status: [200, 302]}", 302, "", None),
            ("expect: {status: [200, 302]}", 500, "", Some("expected status 200 or 302, got 500")),
            ("expect: {header: {Content-Type: 'text/html*'}}", 200, "", None),
            (
                "expect: {header: {content-type: text/html}}",
                200,
                "",
                Some("expected content-type: text/html, got text/html; charset=utf-8"),
            ),
            ("expect: {header: {x-a: '*'}}", 200, "", Some("expected x-a: *, got no such header")),
            ("expect: {contains: hello}", 200, "say hello", None),
            ("expect: {contains: [say, bye]}", 200, "say hello", Some("expected \"bye\" in the body, got say hello")),
            ("expect: {contains: x}", 200, " ", Some("expected \"x\" in the body, got an empty body")),
            (
                "expect: {not_contains: [error]}",
                200,
                "an error\nof ours",
                Some("expected no \"error\" in the body, got an error of ours"),
            ),
            ("expect: {json: {'$.ok': true, '$.n': 3, '$.items[*].id': z, '$.none': null}}", 200, json_body, None),
            ("expect: {json: {'$.n': 4}}", 200, json_body, Some("expected $.n = 4, got 3.0")),
            (
                "expect: {json: {'$.items[0]': {id: z}}}",
                200,
                json_body,
                Some("expected $.items[0] = {\"id\":\"z\"}, got {\"id\":\"x\"}"),
            ),
            ("expect: {json: {'$.no': 1}}", 200, json_body, Some("expected $.no = 1, got nothing there")),
            ("expect: {json: {'$.no': 1}}", 200, "<html>", Some("expected JSON, got <html>")),
            ("expect: {below: {dns: 1ms, connect: 20ms}}", 200, "", None),
            ("expect: {below: {connect: 19ms}}", 200, "", Some("expected connect below 19ms, got 20ms")),
            ("expect: {below: {dns: 800us}}", 200, "", Some("expected dns below 800us, got 900us")),
            ("expect: {below: {tls: 1us, total: 10s}}", 200, "", Some("expected total below 10s, got 12s")),
        ] {
            let headers = headers();
            let body = body.as_bytes();
            let answer = Answer { status, headers: &headers, body, cut: false, phases: phases() };
            let got = judge(&step(expect).expect, &answer, &Bag::default()).err().map(|why| why.to_string());
            assert_eq!(got.as_deref(), want, "{expect}");
        }
    }

    #[test]
    fn values_are_kept_from_every_place() {
        let wanted = step(
            "save: {a: '$.csrf', b: 'header:location', c: {regex: 'name=\"t\" value=\"([^\"]+)\"'}, d: 'cookie:sid', e: '$.n'}",
        )
        .save;
        let headers = headers();
        let body = br#"{"csrf": "x1", "n": 7, "html": "<input name=\"t\" value=\"v\">"}"#;
        let html = br#"<input name="t" value="v9">"#;
        let cookies = [("sid".to_owned(), "old".to_owned()), ("sid".to_owned(), "s1".to_owned())];
        let mut bag = Bag::default();
        for (body, names) in [(&body[..], &["a", "b", "d", "e"][..]), (html, &["c"])] {
            let some: BTreeMap<_, _> = wanted
                .iter()
                .filter(|(name, _)| names.contains(&name.as_str()))
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect();
            let answer = Answer { status: 200, headers: &headers, body, cut: false, phases: Phases::default() };
            save(&some, &answer, &cookies, &mut bag).unwrap();
        }
        let all = Template::new("{{a}} {{b}} {{c}} {{d}} {{e}}").expand(&bag, Context::Plain).unwrap();
        assert_eq!(all, "x1 /cart v9 s1 7");
    }

    #[test]
    fn nothing_to_keep_is_a_failure_that_names_it() {
        for (saved, body, want) in [
            ("'$.csrf'", "{}", "expected $.csrf, to keep it as t, got nothing there"),
            ("'$.csrf'", r#"{"csrf": null}"#, "expected $.csrf, to keep it as t, got nothing there"),
            ("'$.csrf'", "no", "expected JSON, got no"),
            ("'header:x'", "", "expected header:x, to keep it as t, got nothing there"),
            ("'regex:a(b)'", "ac", "expected regex:a(b), to keep it as t, got nothing there"),
            ("'cookie:sid'", "", "expected cookie:sid, to keep it as t, got nothing there"),
        ] {
            let wanted = step(&format!("save: {{t: {saved}}}")).save;
            let answer =
                Answer { status: 200, headers: &[], body: body.as_bytes(), cut: false, phases: Phases::default() };
            assert_eq!(save(&wanted, &answer, &[], &mut Bag::default()).unwrap_err().to_string(), want, "{saved}");
        }
        let long = format!("{{\"csrf\": \"{}\"}}", "x".repeat(MAX_VALUE + 1));
        let answer = Answer { status: 200, headers: &[], body: long.as_bytes(), cut: false, phases: Phases::default() };
        let why = save(&step("save: {t: '$.csrf'}").save, &answer, &[], &mut Bag::default()).unwrap_err();
        assert!(why.to_string().ends_with("got 8193 bytes"), "{why}");
    }

    #[test]
    fn saved_values_can_be_expected() {
        let mut bag = Bag::default();
        bag.save("id", "o-7");
        let expect = step("expect: {contains: 'order {{id}}', json: {'$.id': '{{id}}'}}").expect;
        let body = br#"{"id": "o-7", "text": "order o-7"}"#;
        let answer = Answer { status: 200, headers: &[], body, cut: false, phases: Phases::default() };
        assert_eq!(judge(&expect, &answer, &bag), Ok(()));
        assert_eq!(filled(&json!({"a": ["{{id}}", 1]}), &bag).unwrap(), json!({"a": ["o-7", 1]}));
    }

    #[test]
    fn a_cut_body_is_no_json_and_a_large_one_is_not_repeated() {
        let body = "x".repeat(1 << 20);
        let answer = Answer { status: 200, headers: &[], body: body.as_bytes(), cut: true, phases: Phases::default() };
        let why = judge(&step("expect: {json: {'$': 1}}").expect, &answer, &Bag::default()).unwrap_err();
        assert!(why.to_string().contains("too large"), "{why}");
        let why = judge(&step("expect: {contains: z}").expect, &answer, &Bag::default()).unwrap_err();
        assert!(why.to_string().len() < 500 && why.to_string().contains("in the beginning of the body"), "{why}");
    }

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, want) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "ab", true),
            ("*b", "ab", true),
            ("a*b", "ab", true),
            ("a*b", "a-b-", false),
            ("a*b*c", "a-c-b-c", true),
            ("ab*ba", "aba", false),
            ("*", "", true),
            ("**", "x", true),
        ] {
            assert_eq!(fits(pattern, text), want, "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn any_answer_is_judged(body in proptest::collection::vec(any::<u8>(), 0..300), status in 100u16..600) {
            let all = step("expect: {contains: a, not_contains: b, json: {'$.a': 1}}");
            let answer = Answer { status, headers: &[], body: &body, cut: false, phases: Phases::default() };
            let _ = judge(&all.expect, &answer, &Bag::default());
            let _ = save(&step("save: {a: '$.b', c: 'regex:(.)'}").save, &answer, &[], &mut Bag::default());
        }

        #[test]
        fn a_pattern_of_a_text_fits_it(parts in proptest::collection::vec("[a-c]{0,3}", 1..5)) {
            prop_assert!(fits(&parts.join("*"), &parts.join("xyz")));
        }
    }
}
