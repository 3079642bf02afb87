//! One HTTP step: the request, what must come back, and what is kept of it.

use super::json_path::JsonPath;
use super::variables::{Template, is_name};
use base::Span;
use regex::Regex;
use schemars::JsonSchema;
use serde::de::{Error as _, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use url::Url;

/// Most redirects that are followed.
const MAX_FOLLOW: u32 = 10;
/// Most headers, form fields, expected texts or saved values of a step.
const MAX_PARTS: usize = 50;
/// Longest body that is written in the configuration.
const MAX_BODY: usize = 64 << 10;
/// How large a regular expression may become.
const MAX_REGEX: usize = 1 << 20;
/// Headers that are made by the server itself.
const OWN_HEADERS: [&str; 6] = ["host", "content-length", "transfer-encoding", "connection", "upgrade", "te"];

/// Method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// As it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What is sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Nothing.
    None,
    /// Fields as a browser sends a form.
    Form(Vec<(String, Template)>),
    /// JSON; variables stand in its texts.
    Json(Value),
    /// A text as it is.
    Text(Template),
}

/// One step of a scenario.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "WrittenStep")]
pub struct HttpStep {
    /// The method.
    pub method: Method,
    /// The address. Variables stand behind the host.
    pub url: Template,
    /// Headers, lower case.
    pub headers: Vec<(String, Template)>,
    /// What is sent.
    pub body: Body,
    /// How many redirects are followed.
    pub follow: u32,
    /// What must come back.
    pub expect: Expect,
    /// What is kept for later steps.
    pub save: BTreeMap<String, Save>,
}

impl HttpStep {
    /// `GET https://shop.example/cart`, without a query, which may hold what should not be shown.
    pub fn name(&self) -> String {
        let url = self.url.to_string();
        let end = url.find(['?', '#']).unwrap_or(url.len());
        format!("{} {}", self.method.as_str(), &url[..end])
    }

    /// The path of its address, variables as they are written.
    pub fn path(&self) -> String {
        let url = self.url.to_string();
        let behind = url.split_once("://").map_or("", |(_, behind)| behind);
        let path = behind.find(['/', '?', '#']).map_or("/", |at| &behind[at..]);
        let path = path.split(['?', '#']).next().unwrap_or_default();
        if path.is_empty() { "/".to_owned() } else { path.to_owned() }
    }

    /// Every variable that it uses.
    pub fn uses(&self) -> Vec<String> {
        let mut names: Vec<String> = self.url.names().map(str::to_owned).collect();
        let mut add = |template: &Template| names.extend(template.names().map(str::to_owned));
        self.headers.iter().for_each(|(_, value)| add(value));
        match &self.body {
            Body::None => {}
            Body::Form(fields) => fields.iter().for_each(|(_, value)| add(value)),
            Body::Json(value) => texts_in(value, &mut |text| add(&Template::new(text))),
            Body::Text(text) => add(text),
        }
        let expect = &self.expect;
        expect.contains.iter().chain(&expect.not_contains).chain(expect.header.values()).for_each(&mut add);
        for value in expect.json.values() {
            texts_in(value, &mut |text| add(&Template::new(text)));
        }
        names
    }
}

fn texts_in(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => found(text),
        Value::Array(all) => all.iter().for_each(|value| texts_in(value, found)),
        Value::Object(all) => all.values().for_each(|value| texts_in(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// One step of a scenario: a method with its address, what is sent, what must come back.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct WrittenStep {
    /// Address of a GET.
    get: Option<String>,
    /// Address of a HEAD.
    head: Option<String>,
    /// Address of a POST.
    post: Option<String>,
    /// Address of a PUT.
    put: Option<String>,
    /// Address of a PATCH.
    patch: Option<String>,
    /// Address of a DELETE.
    delete: Option<String>,
    /// Further headers.
    headers: BTreeMap<String, String>,
    /// Fields, sent as a browser sends a form.
    form: Option<BTreeMap<String, String>>,
    /// A JSON body.
    json: Option<Value>,
    /// A body as it is.
    body: Option<String>,
    /// How many redirects are followed, at most 10. Default: `0`, a redirect is the answer.
    follow: u32,
    /// What must come back.
    expect: Expect,
    /// What is kept for later steps, where it stands as `{{name}}`.
    save: BTreeMap<String, Save>,
}

impl JsonSchema for HttpStep {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HttpStep".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        WrittenStep::json_schema(generator)
    }
}

impl TryFrom<WrittenStep> for HttpStep {
    type Error = String;

    fn try_from(step: WrittenStep) -> Result<Self, String> {
        let methods = [
            (Method::Get, &step.get),
            (Method::Head, &step.head),
            (Method::Post, &step.post),
            (Method::Put, &step.put),
            (Method::Patch, &step.patch),
            (Method::Delete, &step.delete),
        ];
        let mut given = methods.into_iter().filter_map(|(method, url)| Some((method, url.clone()?)));
        let (Some((method, url)), None) = (given.next(), given.next()) else {
            return Err("a step has exactly one address; write one of get, head, post, put, patch, delete".into());
        };
        let url = address(&url)?;
        let headers = headers(&step.headers)?;
        let body = body(&step)?;
        if body != Body::None && matches!(method, Method::Get | Method::Head) {
            return Err(format!("a {} has no body; use post, or remove form, json and body", method.as_str()));
        }
        if step.follow > MAX_FOLLOW {
            return Err(format!("{} redirects are too many; write 0 to {MAX_FOLLOW}", step.follow));
        }
        let parts = step.save.len().max(step.expect.contains.len()).max(step.expect.json.len());
        if parts.max(step.expect.header.len()).max(step.expect.not_contains.len()) > MAX_PARTS {
            return Err(format!("more than {MAX_PARTS} of one kind in a step; split it into several steps"));
        }
        if let Some(name) = step.save.keys().find(|name| !is_name(name)) {
            return Err(format!("{name:?} is no name of a variable; use a-z, 0-9 and _, starting with a letter"));
        }
        if method == Method::Head && step.expect.looks_at_body() {
            return Err("the answer to a HEAD has no body to expect something of; use get".into());
        }
        Ok(Self { method, url, headers, body, follow: step.follow, expect: step.expect, save: step.save })
    }
}

/// An address that can be asked, with variables behind the host only.
fn address(raw: &str) -> Result<Template, String> {
    let wrong = || format!("{raw:?} is no address; write for example https://shop.example/cart");
    let template = Template::new(raw);
    let behind = template.start().split_once("://").ok_or_else(wrong)?.1;
    let has_variables = template.names().next().is_some();
    if has_variables && !behind.contains(['/', '?']) {
        return Err(format!(
            "the host of {raw:?} is a variable; write the host itself, variables may stand in the path and the query"
        ));
    }
    let url = Url::parse(raw).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "{:?} has a name or a password in its address; use the header authorization",
            url.host_str().unwrap_or_default()
        ));
    }
    Ok(template)
}

fn headers(raw: &BTreeMap<String, String>) -> Result<Vec<(String, Template)>, String> {
    if raw.len() > MAX_PARTS {
        return Err(format!("more than {MAX_PARTS} headers; remove some"));
    }
    let mut out = Vec::new();
    for (name, value) in raw {
        let lower = name.to_ascii_lowercase();
        if !is_header_name(&lower) {
            return Err(format!("{name:?} is no name of a header; use letters, digits and -"));
        }
        if OWN_HEADERS.contains(&lower.as_str()) {
            return Err(format!("the header {lower} is made by the server itself; remove it"));
        }
        if value.chars().any(char::is_control) {
            return Err(format!("the value of the header {lower} has a line break; write it in one line"));
        }
        out.push((lower, Template::new(value)));
    }
    Ok(out)
}

fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 100 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

fn body(step: &WrittenStep) -> Result<Body, String> {
    let all = [step.form.is_some(), step.json.is_some(), step.body.is_some()];
    if all.into_iter().filter(|given| *given).count() > 1 {
        return Err("form, json and body exclude each other; keep one of them".into());
    }
    if let Some(form) = &step.form {
        return Ok(Body::Form(form.iter().map(|(name, value)| (name.clone(), Template::new(value))).collect()));
    }
    if let Some(json) = &step.json {
        return Ok(Body::Json(json.clone()));
    }
    let Some(text) = &step.body else { return Ok(Body::None) };
    if text.len() > MAX_BODY {
        return Err(format!("the body is longer than {} KiB; send less", MAX_BODY >> 10));
    }
    Ok(Body::Text(Template::new(text)))
}

/// What must come back. Without `status` every status below 400 is fine.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// One status or several: `200`, `[200, 302]`.
    #[serde(deserialize_with = "statuses")]
    #[schemars(with = "OneOrMany<u16>")]
    pub status: Vec<u16>,
    /// Values of headers; `*` stands for any text: `{content-type: "text/html*"}`.
    #[serde(deserialize_with = "header_values")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub header: BTreeMap<String, Template>,
    /// A text that is in the body, or several.
    #[serde(deserialize_with = "templates")]
    #[schemars(with = "OneOrMany<String>")]
    pub contains: Vec<Template>,
    /// A text that is not in the body, or several.
    #[serde(deserialize_with = "templates")]
    #[schemars(with = "OneOrMany<String>")]
    pub not_contains: Vec<Template>,
    /// Values in a JSON body: `{"$.items[0].name": tea}`.
    #[serde(deserialize_with = "paths")]
    #[schemars(with = "BTreeMap<String, Value>")]
    pub json: BTreeMap<String, Value>,
    /// The longest that each part may take.
    pub below: Below,
}

impl Expect {
    fn looks_at_body(&self) -> bool {
        !self.contains.is_empty() || !self.not_contains.is_empty() || !self.json.is_empty()
    }
}

/// The longest that each part may take: `{total: 800ms}`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Below {
    /// Resolving the name.
    pub dns: Option<Span>,
    /// Connecting.
    pub connect: Option<Span>,
    /// The TLS handshake.
    pub tls: Option<Span>,
    /// From the request to the first byte of the answer.
    pub first_byte: Option<Span>,
    /// All of it, redirects and the body included.
    pub total: Option<Span>,
}

/// One value, or a list.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

fn statuses<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<u16>, D::Error> {
    let wrong = |_| D::Error::custom("this is no status; write for example 200 or [200, 302]");
    let all = match OneOrMany::<u16>::deserialize(input).map_err(wrong)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(all) => all,
    };
    match all.iter().find(|status| !(100..=599).contains(*status)) {
        Some(status) => Err(D::Error::custom(format!("{status} is no status; write for example 200 or [200, 302]"))),
        None if all.is_empty() => Err(D::Error::custom("the list is empty; write for example 200 or [200, 302]")),
        None => Ok(all),
    }
}

fn templates<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Template>, D::Error> {
    let wrong = |_| D::Error::custom("this is neither a text nor a list of texts; put the text into quotes");
    let all = match OneOrMany::<String>::deserialize(input).map_err(wrong)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(all) => all,
    };
    if all.iter().any(String::is_empty) {
        return Err(D::Error::custom("an empty text is in every body; write what should be there"));
    }
    Ok(all.iter().map(|text| Template::new(text)).collect())
}

fn header_values<'de, D: Deserializer<'de>>(input: D) -> Result<BTreeMap<String, Template>, D::Error> {
    let raw = BTreeMap::<String, String>::deserialize(input)?;
    if let Some(name) = raw.keys().find(|name| !is_header_name(name)) {
        return Err(D::Error::custom(format!("{name:?} is no name of a header; use letters, digits and -")));
    }
    Ok(raw.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), Template::new(&value))).collect())
}

fn paths<'de, D: Deserializer<'de>>(input: D) -> Result<BTreeMap<String, Value>, D::Error> {
    let raw = BTreeMap::<String, Value>::deserialize(input)?;
    for path in raw.keys() {
        path.parse::<JsonPath>().map_err(D::Error::custom)?;
    }
    Ok(raw)
}

/// Where a value is taken from: `"$.csrf"`, `"header:location"`, `"cookie:sid"`, `'regex:name="csrf" value="([^"]+)"'`, or
/// `{regex: '...'}`.
#[derive(Debug, Clone)]
pub enum Save {
    /// A value of the JSON body.
    Json(JsonPath),
    /// A header.
    Header(String),
    /// A cookie that the answer sets.
    Cookie(String),
    /// The first group of a regular expression over the body.
    Regex(Box<Regex>),
}

impl PartialEq for Save {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}
impl fmt::Display for Save {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(path) => path.fmt(f),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Cookie(name) => write!(f, "cookie:{name}"),
            Self::Regex(regex) => write!(f, "regex:{regex}"),
        }
    }
}

impl Save {
    fn of(kind: &str, text: &str) -> Result<Self, String> {
        match kind {
            "json" => Ok(Self::Json(text.parse().map_err(|error: super::json_path::JsonPathError| error.to_string())?)),
            "header" if is_header_name(text) => Ok(Self::Header(text.to_ascii_lowercase())),
            "header" => Err(format!("{text:?} is no name of a header; write for example header:x-csrf-token")),
            "cookie" if !text.is_empty() => Ok(Self::Cookie(text.to_owned())),
            "cookie" => Err("the cookie has no name; write for example cookie:sid".into()),
            "regex" => {
                let built = regex::RegexBuilder::new(text).size_limit(MAX_REGEX).build();
                let regex = built.map_err(|error| {
                    let last = error.to_string();
                    let reason = last.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                    format!("{text:?} is no regular expression: {reason}; see the syntax of Rust's regex")
                })?;
                if regex.captures_len() < 2 {
                    return Err(format!("{text:?} has no group; put what is to be kept into ( and )"));
                }
                Ok(Self::Regex(Box::new(regex)))
            }
            other => Err(format!("{other:?} is no place to take a value from; use json, header, cookie or regex")),
        }
    }
}

impl<'de> Deserialize<'de> for Save {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(SaveVisitor)
    }
}

struct SaveVisitor;

impl<'de> Visitor<'de> for SaveVisitor {
    type Value = Save;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a place to take a value from, for example \"$.csrf\" or header:x-csrf-token")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Save, E> {
        let (kind, rest) = match text.split_once(':') {
            _ if text.starts_with('$') => ("json", text),
            Some((kind, rest)) => (kind, rest.trim_start()),
            None => (text, ""),
        };
        Save::of(kind, rest).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Save, A::Error> {
        let one = BTreeMap::<String, String>::deserialize(MapAccessDeserializer::new(map))?;
        let mut entries = one.iter();
        let (Some((kind, text)), None) = (entries.next(), entries.next()) else {
            return Err(A::Error::custom("a value is taken from one place; keep one of json, header, cookie, regex"));
        };
        Save::of(kind, text).map_err(A::Error::custom)
    }
}

impl JsonSchema for Save {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Save".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Where a value is taken from: a path of JSON, header:name, cookie:name, or a regular expression with a group.",
            "oneOf": [
                { "type": "string", "examples": ["$.csrf", "header:x-csrf-token", "cookie:sid"] },
                { "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false,
                  "properties": { "json": { "type": "string" }, "header": { "type": "string" },
                                  "cookie": { "type": "string" }, "regex": { "type": "string" } } }
            ]
        })
    }
}
