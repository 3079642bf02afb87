//! Loki's push API: JSON, and protobuf (`logproto.PushRequest`) inside a snappy block.
//!
//! Reads entry by entry: nothing but the entry at hand is ever built from a body, so that memory follows the body and
//! not what it claims. A broken entry costs its neighbours nothing; a body that is broken as a whole is an error, and
//! the caller drops what was observed of it.

use crate::access::WithRequests;
use crate::budget::Budget;
use crate::lenient::{Fields, Text, check_bounds, hex_id, mend};
use crate::observed::{DecodeError, Field, LogRecord, MAX_RECORD, Observer, Refusal};
use base::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use signal::log::Severity;
use std::borrow::Cow;
use std::fmt;

/// Largest body after decompression, bytes.
pub const MAX_BODY: usize = 64 << 20;
/// Most labels of one stream, and most pairs of metadata of one entry.
const MAX_LABELS: usize = 256;
/// Longest entry in protobuf: a line of the longest length, its time and metadata.
const MAX_ENTRY: usize = MAX_RECORD + MAX_LABEL_TEXT;
/// Longest text of a stream's labels. Every entry below repeats it, so a large one would multiply.
const MAX_LABEL_TEXT: usize = 64 << 10;

/// Names of labels that say which service it is, the most telling first.
const SERVICE: [&str; 5] = ["service_name", "service", "app", "job", "container"];
/// The same of the machine.
const HOST: [&str; 4] = ["host", "hostname", "instance", "node_name"];
/// The same of the severity.
const SEVERITY: [&str; 2] = ["level", "detected_level"];
/// The same of the trace.
const TRACE: [&str; 2] = ["trace_id", "traceID"];

/// Which of the two shapes a body has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// JSON, already decompressed.
    Json,
    /// Protobuf in a snappy block, as it came.
    SnappyProtobuf,
}

impl Encoding {
    /// What the `Content-Type` header says; protobuf when there is none, as Loki has it.
    pub fn of_content_type(header: Option<&str>) -> Result<Self, DecodeError> {
        let kind = header.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            "application/json" => Ok(Self::Json),
            "" | "application/x-protobuf" => Ok(Self::SnappyProtobuf),
            _ => Err(DecodeError::Unsupported(format!("content type {kind:?}"))),
        }
    }
}

/// Decodes one body of `POST /loki/api/v1/push`. After an error the caller drops what was observed.
pub fn decode(body: &[u8], encoding: Encoding, observer: &mut impl Observer) -> Result<(), DecodeError> {
    let observer = &mut WithRequests::new(observer);
    match encoding {
        Encoding::Json => decode_json(body, observer),
        Encoding::SnappyProtobuf => decode_protobuf(&decompress(body)?, observer),
    }
}

/// The labels of a stream, or the metadata of an entry.
type Labels<'a> = Vec<Field<'a>>;

/// Hands over one entry, or refuses it.
fn observe(labels: &[Field<'_>], entry: &Entry<'_>, observer: &mut impl Observer) {
    if entry.line.len() > MAX_RECORD {
        observer.refuse(Refusal::TooLong, entry.line.as_bytes());
        return;
    }
    let ts = Timestamp::from_micros(entry.nanos.div_euclid(1_000));
    if !ts.is_in_calendar() {
        observer.refuse(Refusal::BadTime, entry.line.as_bytes());
        return;
    }
    let known = |names: &[&str]| {
        let find = |name: &&str| {
            let mut all = entry.metadata.iter().chain(labels);
            all.find(|(label, value)| label == name && !value.trim().is_empty())
                .map(|(label, value)| (&**label, &**value))
        };
        names.iter().find_map(find)
    };
    let service = known(&SERVICE);
    let host = known(&HOST);
    let severity = known(&SEVERITY).and_then(|(label, word)| Some((label, Severity::from_word(word)?)));
    let trace = known(&TRACE).and_then(|(label, id)| Some((label, hex_id(id)?)));
    let used = [service.map(|s| s.0), host.map(|h| h.0), severity.map(|s| s.0), trace.as_ref().map(|t| t.0)];
    let mut fields = Fields::default();
    for (at, (label, value)) in entry.metadata.iter().chain(labels).enumerate() {
        // winston-loki repeats labels as metadata: what an entry says of itself counts.
        let repeated = at >= entry.metadata.len() && entry.metadata.iter().any(|(name, _)| name == label);
        if !repeated && !used.contains(&Some(label)) {
            fields.push(&**label, &**value);
        }
    }
    observer.log(LogRecord {
        ts: Some(ts),
        service: service.map(|(_, name)| Cow::Borrowed(name)),
        host: host.map(|(_, name)| Cow::Borrowed(name)),
        severity: severity.map(|(_, severity)| severity),
        body: Cow::Borrowed(&entry.line),
        trace_id: trace.map(|(_, id)| id),
        fields: fields.finish(),
    });
}

#[derive(Debug, Default)]
struct Entry<'a> {
    nanos: i64,
    line: Cow<'a, str>,
    metadata: Labels<'a>,
}

/// Entries in one body, and what they repeat of their labels.
fn budget() -> Budget {
    Budget::new("entries in one body")
}

/// How long the text of labels is.
fn text_of(labels: &[Field<'_>]) -> usize {
    labels.iter().map(|(name, value)| name.len() + value.len()).sum()
}

// JSON

fn decode_json(body: &[u8], observer: &mut impl Observer) -> Result<(), DecodeError> {
    if body.len() > MAX_BODY {
        return Err(DecodeError::TooMany { what: "bytes in one body", limit: MAX_BODY });
    }
    let malformed = |what: String| DecodeError::Malformed { what, at: 0 };
    let text = mended_text(body)?;
    let mut state = Push { observer, budget: budget(), too_many: None };
    let mut json = serde_json::Deserializer::from_str(&text);
    let read = PushSeed(&mut state).deserialize(&mut json).and_then(|()| json.end());
    match (state.too_many, read) {
        (Some(error), _) => Err(error),
        (None, read) => read.map_err(|error| malformed(error.to_string())),
    }
}

/// The body as text, with U+FFFD for bytes that are none: within the limit as well, though it is longer than they.
fn mended_text(body: &[u8]) -> Result<Cow<'_, str>, DecodeError> {
    let Err(_) = std::str::from_utf8(body) else { return Ok(String::from_utf8_lossy(body)) };
    let mended = |chunk: std::str::Utf8Chunk<'_>| chunk.valid().len() + 3 * usize::from(!chunk.invalid().is_empty());
    let length = body.utf8_chunks().map(mended).sum();
    if length > MAX_BODY {
        return Err(DecodeError::TooMany { what: "bytes in one body", limit: MAX_BODY });
    }
    let mut text = String::with_capacity(length);
    for chunk in body.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push('\u{fffd}');
        }
    }
    Ok(Cow::Owned(text))
}

struct Push<'o, O> {
    observer: &'o mut O,
    budget: Budget,
    /// Kept here, as serde's errors can't carry it.
    too_many: Option<DecodeError>,
}

/// `{"streams": [...]}`
struct PushSeed<'s, 'o, O>(&'s mut Push<'o, O>);

impl<'de, O: Observer> DeserializeSeed<'de> for PushSeed<'_, '_, O> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de, O: Observer> Visitor<'de> for PushSeed<'_, '_, O> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with streams")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(Text(key)) = map.next_key()? {
            if key == "streams" {
                found = true;
                map.next_value_seed(StreamsSeed(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if found { Ok(()) } else { Err(A::Error::custom("no streams")) }
    }
}

struct StreamsSeed<'s, 'o, O>(&'s mut Push<'o, O>);

impl<'de, O: Observer> DeserializeSeed<'de> for StreamsSeed<'_, '_, O> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de, O: Observer> Visitor<'de> for StreamsSeed<'_, '_, O> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of streams")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(stream) = seq.next_element::<JsonStream<'de>>()? {
            // Labels may stand behind the values: these are read in a second pass.
            let mut values = serde_json::Deserializer::from_str(stream.values.map_or("[]", RawValue::get));
            let seed = ValuesSeed { push: self.0, labels: &stream.stream.0 };
            seed.deserialize(&mut values).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct JsonStream<'a> {
    #[serde(borrow, default)]
    stream: JsonLabels<'a>,
    #[serde(borrow, default)]
    values: Option<&'a RawValue>,
}

struct ValuesSeed<'s, 'o, 'l, O> {
    push: &'s mut Push<'o, O>,
    labels: &'l [Field<'l>],
}

impl<'de, O: Observer> DeserializeSeed<'de> for ValuesSeed<'_, '_, '_, O> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de, O: Observer> Visitor<'de> for ValuesSeed<'_, '_, '_, O> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let repeated = text_of(self.labels);
        let (labels, repeated) =
            if repeated > MAX_LABEL_TEXT { (Err(Refusal::TooLong), 0) } else { (Ok(self.labels), repeated) };
        while let Some(raw) = seq.next_element::<&'de RawValue>()? {
            if let Err(error) = self.push.budget.spend(1, repeated) {
                self.push.too_many = Some(error);
                return Err(A::Error::custom("too many entries"));
            }
            if let Err(why) = labels.and_then(|labels| json_entry(raw.get(), labels, self.push.observer)) {
                self.push.observer.refuse(why, raw.get().as_bytes());
            }
        }
        Ok(())
    }
}

/// `["1770091506500000000", "line"]`, with an object of metadata behind them in newer senders.
struct JsonEntry<'a> {
    nanos: Cow<'a, str>,
    line: Cow<'a, str>,
    metadata: Labels<'a>,
}

impl JsonEntry<'_> {
    fn observe(self, labels: &[Field<'_>], observer: &mut impl Observer) -> Result<(), Refusal> {
        let nanos = self.nanos.trim().parse().map_err(|_| Refusal::BadTime)?;
        observe(labels, &Entry { nanos, line: self.line, metadata: self.metadata }, observer);
        Ok(())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for JsonEntry<'a> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = JsonEntry<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time and a line")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<JsonEntry<'de>, A::Error> {
                let missing = || A::Error::custom("an entry is a time and a line");
                let Text(nanos) = seq.next_element()?.ok_or_else(missing)?;
                let Text(line) = seq.next_element()?.ok_or_else(missing)?;
                let metadata = seq.next_element::<Option<JsonLabels<'de>>>()?.flatten().unwrap_or_default();
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(JsonEntry { nanos, line, metadata: metadata.0 })
            }
        }
        json.deserialize_seq(Reader)
    }
}

fn json_entry(raw: &str, labels: &[Field<'_>], observer: &mut impl Observer) -> Result<(), Refusal> {
    check_bounds(raw.as_bytes())?;
    if let Ok(entry) = serde_json::from_str::<JsonEntry<'_>>(raw) {
        return entry.observe(labels, observer);
    }
    let mended = mend(raw.as_bytes()).ok_or(Refusal::Malformed)?;
    let entry: JsonEntry<'_> = serde_json::from_str(&mended).map_err(|_| Refusal::Malformed)?;
    entry.observe(labels, observer)
}

/// An object of texts. Values that are no text are kept as JSON.
#[derive(Debug, Default)]
struct JsonLabels<'a>(Labels<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for JsonLabels<'a> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = JsonLabels<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of labels")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonLabels<'de>, A::Error> {
                let mut labels = Labels::new();
                while let Some(Text(name)) = map.next_key()? {
                    let value = map.next_value::<&'de RawValue>()?;
                    if labels.len() < MAX_LABELS {
                        labels.push((name, label(value.get()).map_err(A::Error::custom)?));
                    }
                }
                Ok(JsonLabels(labels))
            }
        }
        json.deserialize_map(Reader)
    }
}

/// The value of a label, which is taken as it stands when it is no text: a tree of it would be many times as large.
fn label(json: &str) -> Result<Cow<'_, str>, serde_json::Error> {
    if !json.starts_with('"') {
        return Ok(Cow::Borrowed(json));
    }
    let Text(text) = serde_json::from_str(json)?;
    Ok(text)
}

// Protobuf

/// Decompresses a snappy block. Its header says how long it will be: a length beyond the limit, or beyond what so few
/// bytes can become, is refused before a byte of it is allocated.
fn decompress(block: &[u8]) -> Result<Vec<u8>, DecodeError> {
    /// A copy of three bytes writes at most 64.
    const MOST_PER_BYTE: usize = 22;
    let malformed = |error: snap::Error| DecodeError::Malformed { what: format!("bad snappy block: {error}"), at: 0 };
    let length = snap::raw::decompress_len(block).map_err(malformed)?;
    if length > MAX_BODY {
        return Err(DecodeError::TooMany { what: "bytes after decompression", limit: MAX_BODY });
    }
    if length > block.len().saturating_mul(MOST_PER_BYTE) {
        let what = format!("a snappy block of {} bytes that claims to hold {length}", block.len());
        return Err(DecodeError::Malformed { what, at: 0 });
    }
    snap::raw::Decoder::new().decompress_vec(block).map_err(malformed)
}

fn decode_protobuf(body: &[u8], observer: &mut impl Observer) -> Result<(), DecodeError> {
    let mut budget = budget();
    let mut push = Wire::new(body, 0);
    while let Some((number, value)) = push.next()? {
        if let (1, Part::Bytes(stream, at)) = (number, value) {
            decode_stream(stream, at, &mut budget, observer)?;
        }
    }
    Ok(())
}

/// `logproto.Stream`: 1 labels, 2 entries.
fn decode_stream(
    stream: &[u8],
    at: usize,
    budget: &mut Budget,
    observer: &mut impl Observer,
) -> Result<(), DecodeError> {
    let mut labels = Ok(Labels::new());
    let mut parts = Wire::new(stream, at);
    while let Some((number, value)) = parts.next()? {
        if let (1, Part::Bytes(text, _)) = (number, value) {
            labels = if text.len() > MAX_LABEL_TEXT {
                Err(Refusal::TooLong)
            } else {
                Ok(parse_labels(&String::from_utf8_lossy(text)))
            };
        }
    }
    let repeated = labels.as_ref().map_or(0, |labels| text_of(labels));
    let mut parts = Wire::new(stream, at);
    while let Some((number, value)) = parts.next()? {
        let (2, Part::Bytes(bytes, at)) = (number, value) else { continue };
        budget.spend(1, repeated)?;
        match &labels {
            _ if bytes.len() > MAX_ENTRY => observer.refuse(Refusal::TooLong, bytes),
            Ok(labels) => observe(labels, &decode_entry(bytes, at)?, observer),
            Err(why) => observer.refuse(*why, bytes),
        }
    }
    Ok(())
}

/// `logproto.EntryAdapter`: 1 timestamp, 2 line, 3 structured metadata.
fn decode_entry(bytes: &[u8], at: usize) -> Result<Entry<'_>, DecodeError> {
    let mut entry = Entry::default();
    let mut parts = Wire::new(bytes, at);
    while let Some((number, value)) = parts.next()? {
        match (number, value) {
            (1, Part::Bytes(time, at)) => entry.nanos = decode_time(time, at)?,
            (2, Part::Bytes(line, _)) => entry.line = String::from_utf8_lossy(line),
            (3, Part::Bytes(pair, at)) if entry.metadata.len() < MAX_LABELS => {
                entry.metadata.push(decode_pair(pair, at)?);
            }
            _ => {}
        }
    }
    Ok(entry)
}

/// `google.protobuf.Timestamp`: 1 seconds, 2 nanoseconds.
fn decode_time(bytes: &[u8], at: usize) -> Result<i64, DecodeError> {
    let (mut seconds, mut nanos) = (0_i64, 0_i64);
    let mut parts = Wire::new(bytes, at);
    while let Some((number, value)) = parts.next()? {
        match (number, value) {
            (1, Part::Varint(value)) => seconds = value.cast_signed(),
            (2, Part::Varint(value)) => nanos = value.cast_signed(),
            _ => {}
        }
    }
    // What does not fit lies outside the calendar and is refused there.
    Ok(seconds.saturating_mul(1_000_000_000).saturating_add(nanos))
}

/// `logproto.LabelPairAdapter`: 1 name, 2 value.
fn decode_pair(bytes: &[u8], at: usize) -> Result<Field<'_>, DecodeError> {
    let mut field = Field::default();
    let mut parts = Wire::new(bytes, at);
    while let Some((number, value)) = parts.next()? {
        match (number, value) {
            (1, Part::Bytes(name, _)) => field.0 = String::from_utf8_lossy(name),
            (2, Part::Bytes(value, _)) => field.1 = String::from_utf8_lossy(value),
            _ => {}
        }
    }
    Ok(field)
}

/// The fields of one protobuf message, without building it: a message of two bytes could become a hundred.
struct Wire<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the message starts in the body, for errors.
    start: usize,
}

/// One value.
enum Part<'a> {
    Varint(u64),
    /// Text, bytes or a message, and where it starts in the body.
    Bytes(&'a [u8], usize),
    /// A fixed number, which no field here is.
    Fixed,
}

impl<'a> Wire<'a> {
    fn new(bytes: &'a [u8], start: usize) -> Self {
        Self { bytes, at: 0, start }
    }

    fn next(&mut self) -> Result<Option<(u32, Part<'a>)>, DecodeError> {
        if self.at >= self.bytes.len() {
            return Ok(None);
        }
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).map_err(|_| self.malformed("a field number that is too large"))?;
        let part = match key & 7 {
            0 => Part::Varint(self.varint()?),
            1 => self.take(8).map(|_| Part::Fixed)?,
            2 => {
                let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
                let at = self.start + self.at;
                Part::Bytes(self.take(length)?, at)
            }
            5 => self.take(4).map(|_| Part::Fixed)?,
            _ => return Err(self.malformed("a wire type that is none")),
        };
        Ok(Some((number, part)))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| self.malformed("a length beyond the end"))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = *self.take(1)? else { break };
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.malformed("a number of more than ten bytes"))
    }

    fn malformed(&self, what: &str) -> DecodeError {
        DecodeError::Malformed { what: what.to_owned(), at: self.start + self.at }
    }
}

/// Labels as Prometheus writes them: `{app="shop", path="a\"b"}`. Reads as far as it can.
fn parse_labels(text: &str) -> Labels<'static> {
    let mut labels = Labels::new();
    let mut rest = text.trim().trim_start_matches('{');
    while labels.len() < MAX_LABELS {
        let Some((name, behind)) = rest.split_once('=') else { break };
        let Some((value, behind)) = quoted(behind.trim_start()) else { break };
        labels.push((Cow::Owned(name.trim().trim_start_matches(',').trim().to_owned()), Cow::Owned(value)));
        rest = behind;
    }
    labels
}

/// A text in double quotes with Go's escapes, or in back quotes without any; and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    if let Some(plain) = text.strip_prefix('`') {
        let (value, rest) = plain.split_once('`')?;
        return Some((value.to_owned(), rest));
    }
    let text = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' if ends_value(&text[at + 1..]) => return Some((value, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                escaped @ ('"' | '\\' | '\'') => value.push(escaped),
                'n' => value.push('\n'),
                't' => value.push('\t'),
                'r' => value.push('\r'),
                'u' => value.push(code_point(&mut chars, 4)?),
                'U' => value.push(code_point(&mut chars, 8)?),
                'x' => value.push(code_point(&mut chars, 2)?),
                other => value.extend(['\\', other]),
            },
            c => value.push(c),
        }
    }
    None
}

/// winston-loki escapes nothing: a quote is the end only where another label or none follows.
fn ends_value(behind: &str) -> bool {
    matches!(behind.trim_start().chars().next(), None | Some(',' | '}'))
}

fn code_point(chars: &mut std::str::CharIndices<'_>, digits: usize) -> Option<char> {
    let mut code = 0;
    for _ in 0..digits {
        code = code * 16 + chars.next()?.1.to_digit(16)?;
    }
    Some(char::from_u32(code).unwrap_or('\u{fffd}'))
}

#[cfg(test)]
mod tests;
