//! One service's lines: their formats, routes and users.

use super::identity::{Identifier, RecognisedBy, UserRule, network_of, without_address};
use super::learned::{ENOUGH_LINES, Reading, Readings, Sender, first_lines};
use super::{Delivery, IntakeError};
use crate::since::Since;
use base::{ServiceName, Timestamp};
use lake::arrow::array::RecordBatch;
use parking_lot::Mutex;
use protocols::access::{Decoder, Format, Reject, Tally, lines, redact};
use signal::route::{OverLimit, RouteNormaliser, RoutePattern, RouteTable};
use signal::{AccessRecord, RequestRow, RequestRows};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

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
    readings: Mutex<Readings>,
    last_seen: AtomicI64,
    routes_over: Since,
    named_users: AtomicU64,
    hashed_users: AtomicU64,
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
    /// When the first request went there; `None` too while that one's delivery is still being stored.
    pub over_since: Option<Timestamp>,
}

/// A decoded delivery.
pub(super) struct Decoded {
    pub rows: Option<RecordBatch>,
    pub tally: Tally,
    pub first_error: Option<String>,
    /// [`Format::Auto`] when there was no line to read.
    pub format: Format,
    named_users: u64,
    hashed_users: u64,
}

impl Default for Decoded {
    fn default() -> Self {
        Self {
            rows: None,
            tally: Tally::default(),
            first_error: None,
            format: Format::Auto,
            named_users: 0,
            hashed_users: 0,
        }
    }
}

impl ServiceIntake {
    pub(super) fn new(name: ServiceName, settings: ServiceSettings) -> Self {
        let routes = RouteTable::new(RouteNormaliser::new(settings.routes.clone()));
        Self {
            name,
            settings,
            routes: Mutex::new(routes),
            readings: Mutex::default(),
            last_seen: AtomicI64::new(i64::MIN),
            routes_over: Since::default(),
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
        RoutesOfService {
            named: routes.len().saturating_sub(1),
            limit: routes.limit(),
            over: routes.over_limit(),
            over_since: self.routes_over.get(),
        }
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

    pub(super) fn seen(&self, now: Timestamp) {
        self.last_seen.fetch_max(now.micros(), Ordering::Relaxed);
        if self.routes_over.get().is_none() && self.routes.lock().over_limit().is_some() {
            self.routes_over.note(now);
        }
    }

    /// How the lines of a delivery are read: as learned from the source before, or from these lines.
    fn reading(&self, delivery: &Delivery, sender: &Sender) -> Result<(Reading, bool), IntakeError> {
        let learn = |sample: &[u8]| self.learn(delivery, sender.format, sample);
        self.readings.lock().reading(sender, &delivery.bytes, learn).ok_or(IntakeError::UnknownFormat)
    }

    fn learn(&self, delivery: &Delivery, format: Option<Format>, sample: &[u8]) -> Option<Reading> {
        let by_pattern = |pattern: &str| Decoder::with_pattern(pattern).ok().map(Reading::given);
        if let Some(pattern) = &self.settings.pattern
            && format.is_none_or(|format| format == Format::Pattern)
        {
            return by_pattern(pattern);
        }
        let learned = Reading::learned(format.unwrap_or(Format::Auto), sample);
        learned.or_else(|| by_pattern(delivery.pattern.as_ref()?))
    }

    pub(super) fn decode(&self, identifier: &Identifier, delivery: &Delivery) -> Result<Decoded, IntakeError> {
        if delivery.bytes.is_empty() {
            let mut tally = Tally::default();
            tally.reject_many(Reject::TooLong, b"", delivery.too_long);
            return Ok(Decoded { tally, ..Decoded::default() });
        }
        let format = delivery.format.filter(|format| *format != Format::Auto).or(self.settings.format);
        let sender = Sender { source: delivery.source.clone(), peer: delivery.peer, format };
        let (reading, remembered) = self.reading(delivery, &sender)?;
        let mut decoded = self.decode_as(&reading, identifier, delivery);
        if remembered && decoded.tally.rejected() > decoded.tally.parsed() {
            decoded = self.decode_anew(&reading, decoded, identifier, delivery, &sender);
        }
        decoded.tally.reject_many(Reject::TooLong, b"", delivery.too_long);
        self.named_users.fetch_add(decoded.named_users, Ordering::Relaxed);
        self.hashed_users.fetch_add(decoded.hashed_users, Ordering::Relaxed);
        Ok(decoded)
    }

    /// What was remembered of the source refuses most of its lines: perhaps its log has changed its format. The lines
    /// themselves tell, if they do.
    fn decode_anew(
        &self,
        old: &Reading,
        decoded: Decoded,
        identifier: &Identifier,
        delivery: &Delivery,
        sender: &Sender,
    ) -> Decoded {
        let sample = first_lines(&delivery.bytes, ENOUGH_LINES);
        let Some(reading) = self.learn(delivery, sender.format, sample) else { return decoded };
        if reading.is_like(old) {
            return decoded;
        }
        let again = self.decode_as(&reading, identifier, delivery);
        if again.tally.parsed() <= decoded.tally.parsed() {
            return decoded;
        }
        let available = lines(&delivery.bytes).take(ENOUGH_LINES).count();
        self.readings.lock().put(sender, reading, sample, available);
        again
    }

    fn decode_as(&self, reading: &Reading, identifier: &Identifier, delivery: &Delivery) -> Decoded {
        let mut decoder = reading.decoder.clone();
        let mut rows = RequestRows::default();
        let mut decoded = Decoded { format: decoder.format(), ..Decoded::default() };
        for line in lines(&delivery.bytes) {
            let record = decoder.decode(line);
            match record.and_then(|record| if record.ts.is_in_calendar() { Ok(record) } else { Err(Reject::BadTime) }) {
                Ok(record) => {
                    match self.push(identifier, &record, None, &delivery.source.name, &mut rows) {
                        Some(RecognisedBy::Named) => decoded.named_users += 1,
                        Some(RecognisedBy::AddressAndAgent) => decoded.hashed_users += 1,
                        None => {}
                    }
                    decoded.tally.accept();
                }
                Err(why) => {
                    decoded.first_error.get_or_insert_with(|| format!("{}: {}", why.reason(), redact(line)));
                    decoded.tally.reject(why, line);
                }
            }
        }
        decoded.rows = (!rows.is_empty()).then(|| rows.finish());
        decoded
    }

    /// Adds a request, and says what its user was recognised by. Its sender may know its `route` better than its path
    /// tells.
    pub(super) fn push(
        &self,
        identifier: &Identifier,
        record: &AccessRecord<'_>,
        route: Option<&str>,
        source: &str,
        rows: &mut RequestRows,
    ) -> Option<RecognisedBy> {
        let user = identifier.user_key(&self.settings.user, record);
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
        // A proxy's field may hold a client's address under any name.
        let extra: Vec<_> = extra.take(MAX_ATTRS).map(|(key, value)| (key, without_address(value))).collect();
        let extra = extra.iter().map(|(key, value)| (*key, value.as_ref()));
        let attrs = known.chain(extra).map(|(key, value)| (clip(key, 64), clip(value, MAX_ATTR_BYTES)));
        rows.push(&row, attrs);
        user.map(|(_, by)| by)
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
    use crate::source_name::{SourceKind, SourceName};
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
            peer: None,
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

    fn shop() -> ServiceIntake {
        ServiceIntake::new("shop".parse().unwrap(), ServiceSettings::default())
    }

    fn owned(lines: String) -> Delivery {
        Delivery { bytes: Bytes::from(lines), ..delivery("", None) }
    }

    fn combined(count: usize) -> String {
        let line = r#"192.0.2.9 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 12 "-" "curl/8""#;
        format!("{line}\n").repeat(count)
    }

    fn json(count: usize, rest: &str) -> String {
        format!("{{\"time\":\"2026-01-01T00:00:00Z\",\"method\":\"GET\",\"uri\":\"/\",\"status\":200{rest}}}\n")
            .repeat(count)
    }

    #[test]
    fn a_log_that_changes_its_format_is_read_on() {
        let (service, identifier) = (shop(), Identifier::new([0; 32]));
        for (case, lines, want) in [
            ("combined", combined(150), (150, 0)),
            ("JSON from now on", json(150, ""), (150, 0)),
            ("and back", combined(150), (150, 0)),
            ("half and half is read as before", combined(10) + &json(10, ""), (10, 10)),
            ("nonsense is rejected", "what\nis\nthis\n".to_owned(), (0, 3)),
            ("and forgets nothing", combined(150), (150, 0)),
        ] {
            let decoded = service.decode(&identifier, &owned(lines)).unwrap();
            assert_eq!((decoded.tally.parsed(), decoded.tally.rejected()), want, "{case}");
        }
        assert_eq!(service.hashed_users.load(Ordering::Relaxed), 460, "each stored line counts once");
    }

    #[test]
    fn too_many_long_lines_are_counted_at_once() {
        let mut delivery = delivery("", None);
        delivery.too_long = u64::MAX;
        assert_eq!(shop().decode(&Identifier::new([0; 32]), &delivery).unwrap().tally.rejected(), u64::MAX);
    }

    fn durations(decoded: &Decoded) -> Vec<Option<i64>> {
        use lake::arrow::datatypes::Int64Type;
        let rows = decoded.rows.as_ref().unwrap();
        rows.column_by_name("duration_us").unwrap().as_primitive::<Int64Type>().iter().collect()
    }

    #[test]
    fn a_unit_that_only_values_tell_is_not_learned_from_a_few_lines() {
        let (service, identifier) = (shop(), Identifier::new([0; 32]));
        let send = |count, rest: &str| {
            let decoded = service.decode(&identifier, &owned(json(count, rest))).unwrap();
            durations(&decoded)[0]
        };
        assert_eq!(send(1, ",\"duration\":0.5"), None, "one line could be anything");
        assert_eq!(send(1, ",\"duration\":\"12ms\""), Some(12_000), "a value that brings its unit");
        for _ in 0..16 {
            assert_eq!(send(1, ",\"duration\":250"), None, "still too few");
        }
        assert_eq!(send(5, ",\"duration\":250"), Some(250_000), "gathered over deliveries: milliseconds");
        assert_eq!(send(1, ",\"duration\":250"), Some(250_000), "and remembered");
    }

    #[test]
    fn what_one_sender_writes_tells_nothing_about_another() {
        let (service, identifier) = (shop(), Identifier::new([0; 32]));
        let from = |peer: [u8; 4], value: &str| {
            let lines = json(30, &format!(",\"duration\":{value}"));
            let delivery = Delivery { peer: Some(std::net::IpAddr::from(peer)), ..owned(lines) };
            durations(&service.decode(&identifier, &delivery).unwrap())[0]
        };
        assert_eq!(from([10, 0, 0, 1], "250"), Some(250_000), "milliseconds");
        assert_eq!(from([10, 0, 0, 2], "0.25"), Some(250_000), "seconds");
    }

    #[test]
    fn no_field_keeps_the_address_of_a_client() {
        let fields = concat!(
            r#","x_real_ip":"203.0.113.77","cf_connecting_ip":"2001:db8:7:1::9","true_client_ip":"203.0.113.77:4711""#,
            r#","peers":"203.0.113.77, [2001:db8:7:1::9]:443","version":"1.2.3.4567""#
        );
        let decoded = shop().decode(&Identifier::new([0; 32]), &owned(json(1, fields))).unwrap();
        let everything = format!("{:?}", decoded.rows.unwrap());
        for address in ["203.0.113.77", "2001:db8:7:1"] {
            assert!(!everything.contains(address), "{address} was stored: {everything}");
        }
        for kept in ["203.0.113.0/24", "2001:db8:7::/48", "1.2.3.4567"] {
            assert!(everything.contains(kept), "{kept}: {everything}");
        }
    }
}
