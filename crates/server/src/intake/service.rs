//! One service's lines: their formats, routes and users.

use super::identity::{Identifier, RecognisedBy, UserRule, network_of};
use super::{Delivery, IntakeError, SourceName};
use base::{ServiceName, Timestamp};
use foldhash::HashMap;
use lake::arrow::array::RecordBatch;
use parking_lot::Mutex;
use protocols::access::{Decoder, Format, Reject, Tally, lines, redact};
use signal::route::{OverLimit, RouteNormaliser, RoutePattern, RouteTable};
use signal::{AccessRecord, RequestRow, RequestRows};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Lines that are enough to tell what the columns mean.
const ENOUGH_LINES: usize = 100;
/// Sources whose learned format is remembered.
const MAX_LEARNED: usize = 256;
/// Further fields kept of a line, and the length of each; the rest is dropped and counted by nobody's memory.
const MAX_ATTRS: usize = 32;
const MAX_ATTR_BYTES: usize = 512;
/// Longest path that is stored.
const MAX_PATH_BYTES: usize = 2048;

/// How a service's lines are read.
#[derive(Debug, Clone, Default)]
pub struct ServiceSettings {
    /// Format of the lines; `None` to find out.
    pub format: Option<Format>,
    /// Regular expression with named groups.
    pub pattern: Option<String>,
    /// How users are told apart.
    pub user: UserRule,
    /// Routes of the service's own.
    pub routes: Vec<RoutePattern>,
    /// Team or person to turn to.
    pub owner: Option<String>,
    /// The service belongs to the living demonstration.
    pub demo: bool,
}

/// Reads the lines of one service.
pub struct ServiceIntake {
    name: ServiceName,
    settings: ServiceSettings,
    routes: Mutex<RouteTable>,
    learned: Mutex<HashMap<(SourceName, Option<Format>), Learned>>,
    last_seen: AtomicI64,
    named_users: AtomicU64,
    hashed_users: AtomicU64,
}

/// What was learned from a source's lines: few of them may leave the columns' meaning open.
struct Learned {
    decoder: Decoder,
    lines: usize,
}

/// How many routes a service has.
#[derive(Debug, Clone, Copy)]
pub struct RoutesOfService {
    /// Routes with a name.
    pub named: usize,
    /// The limit.
    pub limit: usize,
    /// What went to `(other)`, if anything did.
    pub over: Option<OverLimit>,
}

/// A decoded delivery.
pub(super) struct Decoded {
    pub rows: Option<RecordBatch>,
    pub tally: Tally,
    pub first_error: Option<String>,
    pub format: Format,
}

impl ServiceIntake {
    pub(super) fn new(name: ServiceName, settings: ServiceSettings) -> Self {
        let routes = RouteTable::new(RouteNormaliser::new(settings.routes.clone()));
        Self {
            name,
            settings,
            routes: Mutex::new(routes),
            learned: Mutex::default(),
            last_seen: AtomicI64::new(i64::MIN),
            named_users: AtomicU64::new(0),
            hashed_users: AtomicU64::new(0),
        }
    }

    /// Its name.
    pub fn name(&self) -> &ServiceName {
        &self.name
    }

    /// How its lines are read.
    pub fn settings(&self) -> &ServiceSettings {
        &self.settings
    }

    /// When a line came last.
    pub fn last_seen(&self) -> Option<Timestamp> {
        let at = self.last_seen.load(Ordering::Relaxed);
        (at != i64::MIN).then(|| Timestamp::from_micros(at))
    }

    /// What users are recognised by, as it turned out.
    pub fn user_identity(&self) -> (&'static str, String) {
        let named = self.named_users.load(Ordering::Relaxed);
        let hashed = self.hashed_users.load(Ordering::Relaxed);
        match (&self.settings.user, named, hashed) {
            (UserRule::Auto, 1.., 0) => ("field", "field user".into()),
            (UserRule::Auto, 0, _) => ("hash", "address and agent (keyed hash)".into()),
            (rule, 0, 1..) => ("hash", format!("address and agent (keyed hash); no line had the {rule}")),
            (rule, ..) => (rule.kind(), rule.to_string()),
        }
    }

    /// How many routes it has.
    pub fn routes(&self) -> RoutesOfService {
        let routes = self.routes.lock();
        // `(other)` is no route of its own.
        RoutesOfService { named: routes.len().saturating_sub(1), limit: routes.limit(), over: routes.over_limit() }
    }

    pub(super) fn remember(&self, routes: impl IntoIterator<Item = String>, last: Option<Timestamp>) {
        let mut table = self.routes.lock();
        for route in routes {
            table.admit(&route);
        }
        if let Some(last) = last {
            self.last_seen.fetch_max(last.micros(), Ordering::Relaxed);
        }
    }

    pub(super) fn seen(&self, now: Timestamp, rows: u64) {
        if rows > 0 {
            self.last_seen.fetch_max(now.micros(), Ordering::Relaxed);
        }
    }

    /// The decoder for a delivery: as learned from the source before, or from these lines.
    fn decoder(&self, delivery: &Delivery) -> Result<Decoder, IntakeError> {
        let format = delivery.format.filter(|format| *format != Format::Auto).or(self.settings.format);
        let key = (delivery.source.clone(), format);
        let available = lines(&delivery.bytes).take(ENOUGH_LINES).count();
        let mut learned = self.learned.lock();
        if let Some(known) = learned.get(&key)
            && (known.lines >= available || known.lines >= ENOUGH_LINES)
        {
            return Ok(known.decoder.clone());
        }
        let Some((decoder, sure)) = self.learn(delivery, format) else {
            return learned.get(&key).map(|known| known.decoder.clone()).ok_or(IntakeError::UnknownFormat);
        };
        if learned.len() >= MAX_LEARNED {
            learned.clear();
        }
        let lines = if sure { ENOUGH_LINES } else { available };
        learned.insert(key, Learned { decoder: decoder.clone(), lines });
        Ok(decoder)
    }

    /// A decoder for these lines, and whether more lines could not tell more.
    fn learn(&self, delivery: &Delivery, format: Option<Format>) -> Option<(Decoder, bool)> {
        let by_pattern = |pattern: &str| Decoder::with_pattern(pattern).ok().map(|decoder| (decoder, true));
        if let Some(pattern) = &self.settings.pattern
            && format.is_none_or(|format| format == Format::Pattern)
        {
            return by_pattern(pattern);
        }
        let sample = first_lines(&delivery.bytes, ENOUGH_LINES);
        let detected = format.unwrap_or(Format::Auto).learn(sample);
        match (detected, &delivery.pattern) {
            (Some(detected), _) => Some((Decoder::new(&detected), false)),
            (None, Some(pattern)) => by_pattern(pattern),
            (None, None) => None,
        }
    }

    pub(super) fn decode(&self, identifier: &Identifier, delivery: &Delivery) -> Result<Decoded, IntakeError> {
        let mut tally = Tally::default();
        for _ in 0..delivery.too_long {
            tally.reject(Reject::TooLong, b"");
        }
        if delivery.bytes.is_empty() {
            return Ok(Decoded { rows: None, tally, first_error: None, format: Format::Auto });
        }
        let mut decoder = self.decoder(delivery)?;
        let mut rows = RequestRows::default();
        let mut first_error = None;
        for line in lines(&delivery.bytes) {
            let decoded = decoder.decode(line);
            match decoded.and_then(|record| if record.ts.is_in_calendar() { Ok(record) } else { Err(Reject::BadTime) })
            {
                Ok(record) => {
                    self.push(identifier, &record, None, &delivery.source.name, &mut rows);
                    tally.accept();
                }
                Err(why) => {
                    first_error.get_or_insert_with(|| format!("{}: {}", why.reason(), redact(line)));
                    tally.reject(why, line);
                }
            }
        }
        let rows = (!rows.is_empty()).then(|| rows.finish());
        Ok(Decoded { rows, tally, first_error, format: decoder.format() })
    }

    /// Adds a request. Its sender may know its `route` better than its path tells.
    pub(super) fn push(
        &self,
        identifier: &Identifier,
        record: &AccessRecord<'_>,
        route: Option<&str>,
        source: &str,
        rows: &mut RequestRows,
    ) {
        let user = identifier.user_key(&self.settings.user, record);
        if let Some((_, by)) = &user {
            let count = match by {
                RecognisedBy::Named => &self.named_users,
                RecognisedBy::AddressAndAgent => &self.hashed_users,
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
        let network = record.remote_addr.as_deref().and_then(network_of);
        let path = clip(record.path(), MAX_PATH_BYTES);
        let mut table = self.routes.lock();
        let route = match route {
            Some(known) => table.admit(&format!("{} {}", record.method, clip(known, MAX_PATH_BYTES))),
            None => table.route(&record.method, path),
        };
        let row = RequestRow {
            ts: record.ts,
            service: self.name.as_str(),
            host: record.host.as_deref(),
            method: &record.method,
            route: table.name(route),
            path,
            status: record.status,
            duration_us: record.duration_us,
            bytes: record.bytes,
            user_key: user.as_ref().map(|(key, _)| key.as_str()),
            trace_id: record.trace_id.as_deref(),
            source,
        };
        let upstream = record.upstream_us.map(|us| us.to_string());
        let known = [
            ("user_agent", record.user_agent.as_deref()),
            ("referer", record.referer.as_deref().map(without_query)),
            ("network", network.as_deref()),
            ("upstream_us", upstream.as_deref()),
        ];
        let known = known.into_iter().filter_map(|(key, value)| Some((key, value.filter(|value| *value != "-")?)));
        let extra = record.storable_extra().filter(|(key, _)| !is_secret(key) && !self.settings.user.reads(key));
        let attrs = known.chain(extra.take(MAX_ATTRS)).map(|(key, value)| (clip(key, 64), clip(value, MAX_ATTR_BYTES)));
        rows.push(&row, attrs);
    }
}

fn first_lines(bytes: &[u8], count: usize) -> &[u8] {
    match memchr::memchr_iter(b'\n', bytes).nth(count - 1) {
        Some(end) => &bytes[..=end],
        None => bytes,
    }
}

/// A text cut at a character so that it is not longer.
fn clip(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

fn without_query(url: &str) -> &str {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    &url[..end]
}

/// Fields that hold secrets or name a person by their very purpose: never stored.
fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    [
        "cookie",
        "authorization",
        "password",
        "passwd",
        "secret",
        "token",
        "session",
        "sid",
        "x_forwarded_for",
        "email",
        "query",
        "args",
    ]
    .iter()
    .any(|word| key.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::SourceKind;
    use bytes::Bytes;
    use lake::arrow::array::AsArray;

    fn delivery(bytes: &'static str, format: Option<Format>) -> Delivery {
        Delivery {
            service: "shop".parse().unwrap(),
            source: SourceName { kind: SourceKind::Http, name: "http".into() },
            bytes: Bytes::from_static(bytes.as_bytes()),
            format,
            pattern: None,
            position: None,
            too_long: 0,
        }
    }

    const LINES: &str = concat!(
        r#"192.0.2.9 - ann [17/May/2015:10:05:03 +0000] "GET /items/42?token=s3cret HTTP/1.1" 200 12 "http://x.example/?q=1" "curl/8" "#,
        "\nnonsense\n"
    );

    #[test]
    fn a_line_becomes_a_row_without_secrets_and_every_line_is_counted() {
        let service = ServiceIntake::new("shop".parse().unwrap(), ServiceSettings::default());
        let decoded = service.decode(&Identifier::new([0; 32]), &delivery(LINES, None)).unwrap();
        assert_eq!((decoded.tally.lines(), decoded.tally.parsed(), decoded.tally.rejected()), (2, 1, 1));
        assert!(decoded.first_error.unwrap().contains("nonsense"));
        let rows = decoded.rows.unwrap();
        let text = |name: &str| rows.column_by_name(name).unwrap().as_string_view().value(0).to_owned();
        assert_eq!((text("route"), text("path")), ("GET /items/:id".into(), "/items/42".into()));
        let everything = format!("{rows:?}");
        for secret in ["s3cret", "192.0.2.9", "ann", "q=1"] {
            assert!(!everything.contains(secret), "{secret} was stored");
        }
        assert_eq!(service.user_identity().1, "field user");
    }

    #[test]
    fn lines_of_no_known_format_are_an_error_and_not_silence() {
        let service = ServiceIntake::new("shop".parse().unwrap(), ServiceSettings::default());
        let outcome = service.decode(&Identifier::new([0; 32]), &delivery("what\nis\nthis\n", None));
        assert!(matches!(outcome, Err(IntakeError::UnknownFormat)));
    }

    #[test]
    fn the_field_that_names_a_user_is_stored_only_as_a_hash() {
        let settings = ServiceSettings { user: UserRule::Field("member".into()), ..ServiceSettings::default() };
        let service = ServiceIntake::new("shop".parse().unwrap(), settings);
        let line =
            r#"{"time":"2026-01-01T00:00:00Z","method":"GET","uri":"/","status":200,"member":"ann-42","pod":"a"}"#;
        let decoded = service.decode(&Identifier::new([0; 32]), &delivery(line, Some(Format::Json))).unwrap();
        let everything = format!("{:?}", decoded.rows.unwrap());
        assert!(!everything.contains("ann-42") && everything.contains("pod"), "{everything}");
        assert_eq!(service.user_identity().1, "field member");
    }

    #[test]
    fn fields_that_name_secrets_are_not_kept() {
        for (key, secret) in [("http_cookie", true), ("Authorization", true), ("cookie_sid", true), ("pod", false)] {
            assert_eq!(is_secret(key), secret, "{key}");
        }
    }
}
