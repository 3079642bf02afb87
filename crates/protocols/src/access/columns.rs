//! The columns behind `bytes` in a combined line: referer, agent, and whatever the server was told to add.
//!
//! Nothing in a line names these columns, so their meaning is learned from the first lines: by shape, by order and by
//! what the numbers can be. What can't be told is not read.

use super::draft::see_through_proxy;
use super::field::{Dialect, Field, LearnedUnits, field_of};
use super::number::{Unit, duration_us, whole, with_suffix};
use super::scan::{quoted_end, skip_blanks, some};
use super::{AccessRecord, Reject};
use std::borrow::Cow;
use std::net::IpAddr;

/// What one column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Referer,
    Agent,
    Forwarded,
    Duration(Unit),
    Upstream(Unit),
    Host,
    Trace,
    /// Numbers that could be several things.
    Unknown,
    /// Not read.
    Ignored,
}

/// The columns, in order. Those beyond are read when they explain themselves (`key=value`, `0.123`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Columns {
    pub(super) roles: Vec<Role>,
    /// The column whose unit follows from its values alone, which a few lines can't prove.
    pub(super) guessed: Option<usize>,
}

/// More columns than anybody reads.
const MAX_COLUMNS: usize = 40;

impl Columns {
    pub(super) fn combined() -> Self {
        Self { roles: vec![Role::Referer, Role::Agent], guessed: None }
    }

    /// Reads the columns of one line into the record.
    pub(super) fn read<'a>(&self, tail: &'a str, record: &mut AccessRecord<'a>) -> Result<(), Reject> {
        let (mut index, mut forwarded) = (0, None);
        let mut tokens = Tokens { rest: tail };
        while let Some(token) = tokens.next_token()? {
            match self.roles.get(index) {
                _ if token.is_pair() => pair(token.text, record),
                Some(Role::Referer) => record.referer = some(token.text),
                Some(Role::Agent) => record.user_agent = some(token.text),
                Some(Role::Forwarded) => forwarded = some(token.text),
                Some(Role::Duration(unit)) => record.duration_us = duration_us(token.text, *unit),
                Some(Role::Upstream(unit)) => record.upstream_us = duration_us(token.text, *unit),
                Some(Role::Host) => record.host = some(token.text),
                Some(Role::Trace) => record.trace_id = some(trace_of(token.text)),
                Some(Role::Unknown | Role::Ignored) => {}
                None => unlearned(token.text, record),
            }
            index += 1;
            if index >= MAX_COLUMNS {
                break;
            }
        }
        if index == 1 && self.roles.starts_with(&[Role::Referer, Role::Agent]) {
            return Err(Reject::CutShort);
        }
        if let Some(forwarded) = forwarded {
            see_through_proxy(record, forwarded);
        }
        record.duration_us = record.duration_us.or(record.upstream_us);
        Ok(())
    }

    /// What the columns of a sample mean; `None` for lines without any. A line is its size and what stands behind it.
    pub(super) fn learn(lines: &[(Option<u64>, &str)]) -> Option<Self> {
        let rows: Vec<Row<'_>> = lines.iter().filter_map(|(bytes, tail)| Row::of(*bytes, tail)).collect();
        let with_columns = rows.iter().filter(|row| !row.tokens.is_empty()).count();
        if with_columns * 2 <= rows.len() {
            return None;
        }
        let width = rows.iter().map(|row| row.tokens.len()).max().unwrap_or(0).min(MAX_COLUMNS);
        let shapes: Vec<Shape> = (0..width).map(|index| Shape::of(&rows, index)).collect();
        let mut roles = roles(&shapes);
        let from_values = |index: &usize| {
            matches!(shapes[*index], Shape::Whole(Some(_))) && matches!(roles[*index], Role::Duration(_))
        };
        let guessed = (0..roles.len()).find(from_values);
        put_in_order(&rows, &mut roles);
        Some(Self { roles, guessed })
    }
}

fn roles(shapes: &[Shape]) -> Vec<Role> {
    let quoted = |index: usize| shapes.get(index).is_some_and(|shape| matches!(shape, Shape::Text { quoted: true }));
    let mut roles = Vec::with_capacity(shapes.len());
    // Apache's combined and nginx's combined both start with "referer" "agent".
    let start = if quoted(0) && quoted(1) { 2 } else { 0 };
    roles.extend_from_slice(&[Role::Referer, Role::Agent][..start]);
    let (mut timed, explicit) = (0, shapes.iter().any(|shape| matches!(shape, Shape::Time(_))));
    for shape in &shapes[start..] {
        roles.push(match shape {
            Shape::Time(unit) => {
                timed += 1;
                match timed {
                    1 => Role::Duration(*unit),
                    2 => Role::Upstream(*unit),
                    _ => Role::Ignored, // connect and header times come behind
                }
            }
            Shape::Whole(Some(unit)) if !explicit && timed == 0 => {
                timed += 1;
                Role::Duration(*unit)
            }
            Shape::Whole(None) => Role::Unknown,
            Shape::Addresses => Role::Forwarded,
            Shape::Host => Role::Host,
            Shape::Trace => Role::Trace,
            Shape::Whole(_) | Shape::Count | Shape::Text { .. } => Role::Ignored,
        });
    }
    roles
}

/// nginx users write `$request_time $upstream_response_time` or the other way round: the upstream never takes longer.
fn put_in_order(rows: &[Row<'_>], roles: &mut [Role]) {
    let duration = roles.iter().position(|role| matches!(role, Role::Duration(_)));
    let upstream = roles.iter().position(|role| matches!(role, Role::Upstream(_)));
    let (Some(first), Some(second)) = (duration, upstream) else { return };
    let (Role::Duration(unit_1), Role::Upstream(unit_2)) = (roles[first], roles[second]) else { return };
    let (mut first_longer, mut second_longer) = (0, 0);
    for row in rows {
        let value = |index: usize, unit| row.tokens.get(index).and_then(|token| duration_us(token.text, unit));
        if let (Some(a), Some(b)) = (value(first, unit_1), value(second, unit_2)) {
            first_longer += usize::from(a > b);
            second_longer += usize::from(b > a);
        }
    }
    if second_longer > first_longer {
        (roles[first], roles[second]) = (Role::Upstream(unit_1), Role::Duration(unit_2));
    }
}

struct Row<'a> {
    bytes: Option<u64>,
    tokens: Vec<Token<'a>>,
}

impl<'a> Row<'a> {
    fn of(bytes: Option<u64>, tail: &'a str) -> Option<Self> {
        let (mut tokens, mut found) = (Tokens { rest: tail }, Vec::new());
        while let Some(token) = tokens.next_token().ok()? {
            found.push(token);
        }
        Some(Self { bytes, tokens: found })
    }
}

/// What the values of a column look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Decimal fractions or numbers with a unit.
    Time(Unit),
    /// Whole numbers that may be a time, in this unit if they tell.
    Whole(Option<Unit>),
    /// Whole numbers that are something else: sizes, running counts.
    Count,
    Addresses,
    Host,
    Trace,
    Text {
        quoted: bool,
    },
}

impl Shape {
    fn of(rows: &[Row<'_>], index: usize) -> Self {
        let cells: Vec<(&Row<'_>, &Token<'_>)> =
            rows.iter().filter_map(|row| row.tokens.get(index).map(|token| (row, token))).collect();
        let quoted = cells.iter().filter(|(_, token)| token.quoted).count() * 2 > cells.len();
        let text = Self::Text { quoted };
        let full: Vec<_> = cells.into_iter().filter(|(_, token)| !matches!(token.text, "" | "-")).collect();
        let most = |test: &dyn Fn(&str) -> bool| {
            let hits = full.iter().filter(|(_, token)| test(token.text)).count();
            hits > 0 && hits * 10 >= full.len() * 8
        };
        if full.iter().filter(|(_, token)| token.is_pair()).count() * 2 > full.len() {
            return text;
        }
        if let Some(unit) = [Unit::Seconds, Unit::Millis, Unit::Micros, Unit::Nanos]
            .into_iter()
            .find(|unit| most(&|raw| with_suffix(raw).is_some_and(|(_, found)| found == *unit)))
        {
            return Self::Time(unit);
        }
        if most(&is_decimal_time) {
            return Self::Time(Unit::Seconds);
        }
        if most(&|raw| whole(raw).is_some()) {
            let values: Vec<(u64, Option<u64>)> =
                full.iter().filter_map(|(row, token)| Some((whole(token.text)?, row.bytes))).collect();
            return whole_numbers(&values);
        }
        if most(&is_address_list) {
            return Self::Addresses;
        }
        if most(&is_trace) {
            return Self::Trace;
        }
        if !quoted_first_two(index, quoted) && most(&is_host) { Self::Host } else { text }
    }
}

/// The first two quoted columns are referer and agent, even when every agent looks like a host name.
fn quoted_first_two(index: usize, quoted: bool) -> bool {
    index < 2 && quoted
}

/// Apache's `%D` (microseconds), `%T` (seconds), or no time at all.
fn whole_numbers(values: &[(u64, Option<u64>)]) -> Shape {
    let mut sorted: Vec<u64> = values.iter().map(|(value, _)| *value).collect();
    sorted.sort_unstable();
    let at = |share: usize| sorted.get((sorted.len() - 1) * share / 100).copied().unwrap_or(0);
    let (low, median, high) = (at(10), at(50), at(100));
    // `%O` and `$bytes_sent`: the body plus a header of constant size.
    let is_size = |(value, bytes): &(u64, Option<u64>)| {
        bytes.is_some_and(|bytes| (bytes..=bytes.saturating_add(2_000)).contains(value))
    };
    let sizes = values.iter().filter(|pair| is_size(pair)).count();
    if values.len() >= 3 && sizes * 10 >= values.len() * 9 && median > 0 {
        return Shape::Count;
    }
    let rising = values.len() >= 5 && values.windows(2).all(|pair| pair[0].0 < pair[1].0);
    if rising {
        return Shape::Count; // a number of requests served, a sequence
    }
    if low >= 50 && median >= 100 && high > low {
        // Even a cached answer takes 50 microseconds; in milliseconds the fastest tenth would be nearer to 1.
        return Shape::Whole(Some(Unit::Micros));
    }
    if median <= 1 && high <= 600 {
        return Shape::Whole(Some(Unit::Seconds));
    }
    Shape::Whole(None)
}

/// `0.057`: three decimals or more (a gzip ratio has two), and no moment since 1970.
fn is_decimal_time(raw: &str) -> bool {
    let first = raw.split([',', ' ']).next().unwrap_or_default();
    let Some((whole_part, fraction)) = first.split_once('.') else { return false };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    fraction.len() >= 3 && whole_part.len() < 9 && digits(whole_part) && digits(fraction)
}

fn is_address_list(raw: &str) -> bool {
    raw.split(',').all(|part| part.trim().parse::<IpAddr>().is_ok())
}

fn trace_of(raw: &str) -> &str {
    raw.strip_prefix("Root=").unwrap_or(raw)
}

fn is_trace(raw: &str) -> bool {
    let id = trace_of(raw);
    (32..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') && !id.starts_with('-')
}

fn is_host(raw: &str) -> bool {
    let name = raw.split(':').next().unwrap_or_default();
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    name.contains('.') && name.bytes().all(plain) && name.bytes().any(|b| b.is_ascii_alphabetic())
}

/// A column that the first lines did not have.
fn unlearned(raw: &str, record: &mut AccessRecord<'_>) {
    if !is_decimal_time(raw) {
        return;
    }
    let us = duration_us(raw, Unit::Seconds);
    if record.duration_us.is_none() {
        record.duration_us = us;
    } else if record.upstream_us.is_none() {
        record.upstream_us = us;
    }
}

/// `urt="0.12"`.
fn pair<'a>(raw: &'a str, record: &mut AccessRecord<'a>) {
    let Some((name, value)) = raw.split_once('=') else { return };
    let value = value.trim_matches('"');
    if matches!(value, "" | "-") {
        return;
    }
    let units = LearnedUnits::default();
    match field_of(name, Dialect::Tail) {
        Field::Duration(scale) => {
            record.duration_us = units.unit(scale).and_then(|unit| duration_us(value, unit));
        }
        Field::Upstream(scale) => {
            record.upstream_us = units.unit(scale).and_then(|unit| duration_us(value, unit));
        }
        Field::User => record.user = some(value),
        Field::Host => record.host = some(value),
        Field::Trace => record.trace_id = some(trace_of(value)),
        Field::Forwarded => see_through_proxy(record, Cow::Borrowed(value)),
        Field::Extra => record.extra.push((Cow::Borrowed(name), Cow::Borrowed(value))),
        _ => {}
    }
}

#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    quoted: bool,
}

impl Token<'_> {
    /// `key=value`, not quoted as a whole.
    fn is_pair(&self) -> bool {
        let bytes = self.text.as_bytes();
        !self.quoted
            && bytes.first().is_some_and(u8::is_ascii_alphabetic)
            && memchr::memchr(b'=', bytes).is_some_and(|at| {
                bytes[..at].iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
            })
    }
}

struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn next_token(&mut self) -> Result<Option<Token<'a>>, Reject> {
        let rest = skip_blanks(self.rest);
        let bytes = rest.as_bytes();
        let Some(first) = bytes.first() else { return Ok(None) };
        let (start, end, quoted) = match first {
            b'"' => (1, quoted_end(bytes, 1).ok_or(Reject::CutShort)?, true),
            b'0'..=b'9' | b'-' => (0, list_end(bytes), false),
            _ => (0, bare_end(bytes)?, false),
        };
        self.rest = rest.get(end + start..).unwrap_or_default();
        Ok(Some(Token { text: &rest[start..end], quoted }))
    }
}

/// End of a bare field; the quotes of `key="a value"` may hold blanks.
fn bare_end(bytes: &[u8]) -> Result<usize, Reject> {
    match memchr::memchr2(b' ', b'"', bytes) {
        Some(at) if bytes[at] == b'"' && at > 0 && bytes[at - 1] == b'=' => {
            quoted_end(bytes, at + 1).map(|end| end + 1).ok_or(Reject::CutShort)
        }
        _ => Ok(memchr::memchr(b' ', bytes).unwrap_or(bytes.len())),
    }
}

/// End of a bare number or of a list of them: `0.1, 0.2`, `0.1 : 0.2`.
fn list_end(bytes: &[u8]) -> usize {
    let next = |from: usize| memchr::memchr(b' ', &bytes[from..]).map_or(bytes.len(), |at| from + at);
    let mut end = next(0);
    while end < bytes.len() {
        if bytes[end - 1] == b',' {
            end = next(end + 1);
        } else if bytes[end..].starts_with(b" : ") {
            end = next(end + 3);
        } else {
            break;
        }
    }
    end
}
