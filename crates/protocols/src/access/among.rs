//! Requests among what programs say: lines of access logs, and records with the fields of one, inside another protocol.
//!
//! A team's shipper sends the log of its web server as it sends every other log: as a line, or cut into fields by its own
//! parser. Without a look at what they say, such a service would have log records and no golden signals. Only what can
//! hardly be anything else is taken for a request; in doubt it stays a log record, which it remains in any case.

use super::draft::Draft;
use super::field::{Dialect, Field, LearnedUnits, field_of};
use super::number::Unit;
use super::time::Times;
use super::{AccessRecord, Decoder, Format, MAX_LINE};
use crate::observed::{
    ErrorRecord, EventRecord, LogRecord, Observer, Refusal, RequestRecord, SampleRecord, SpanRecord,
};
use std::borrow::Cow;
use std::net::IpAddr;

/// How often the meaning of lines is learned anew in one delivery: each time costs as much as some lines.
const MAX_LEARNED: usize = 64;

/// Looks for requests in one delivery, and remembers what its lines look like.
#[derive(Debug, Default)]
pub struct Among {
    reading: Option<(Format, Decoder)>,
    learned: usize,
    times: Times,
}

impl Among {
    /// The request that a log record tells of, by its fields or its text.
    pub fn request<'r>(&mut self, log: &'r LogRecord<'_>) -> Option<RequestRecord<'r>> {
        let mut access = self.of_fields(log).or_else(|| self.of_line(&log.body))?;
        access.host = access.host.or(log.host.as_deref().filter(|host| *host != "-").map(Cow::Borrowed));
        access.trace_id = access.trace_id.or(log.trace_id.as_deref().map(Cow::Borrowed));
        Some(RequestRecord { service: log.service.as_deref().map(Cow::Borrowed), route: None, access })
    }

    /// A line of an access log. The first one tells what the columns mean, without what one line can't prove; one that
    /// is not like it is asked again.
    pub fn of_line<'a>(&mut self, text: &'a str) -> Option<AccessRecord<'a>> {
        let text = text.trim_end_matches(['\r', '\n']);
        let shape = shape(text)?;
        if let Some((known, decoder)) = &mut self.reading
            && *known == shape
            && let Ok(record) = decoder.decode(text.as_bytes())
        {
            return plain(shape, record);
        }
        if self.learned >= MAX_LEARNED {
            return None;
        }
        self.learned += 1;
        let mut decoder = Decoder::new(&shape.learn(text.as_bytes())?.without_guesses());
        let record = decoder.decode(text.as_bytes()).ok()?;
        self.reading = Some((shape, decoder));
        plain(shape, record)
    }

    /// What a shipper's parser made of a line: `method`, `path` and `code` of fluentd, `status` of others.
    fn of_fields<'r>(&mut self, log: &'r LogRecord<'_>) -> Option<AccessRecord<'r>> {
        let ts = log.ts?;
        // Nearly every record ends here: it must cost nearly nothing.
        if !log.fields.iter().any(|(name, value)| value.len() == 3 && ends_as_status(name)) {
            return None;
        }
        let has = |wanted: &str| log.fields.iter().any(|(name, _)| name == wanted);
        // As in logs of lines: Rails writes milliseconds, and of others nobody knows.
        let is_rails = has("controller") || has("db_runtime") || has("db");
        let units = LearnedUnits { duration: is_rails.then_some(Unit::Millis), guessed: false };
        let mut draft = Draft::new(units);
        for (name, value) in &log.fields {
            match field_of(name, Dialect::Json) {
                // The record has a time already, whose zone its shipper knew.
                Field::Time | Field::ShipperTime => {}
                field => draft.text(field, Cow::Borrowed(name), Cow::Borrowed(value), &mut self.times),
            }
        }
        let mut record = draft.finish_at(ts).ok()?;
        // Apache's parser of fluentd calls the client `host`.
        if record.remote_addr.is_none()
            && let Some(host) = log.host.as_deref().filter(|host| host.parse::<IpAddr>().is_ok())
        {
            record.remote_addr = Some(Cow::Borrowed(host));
        }
        is_request(&record).then_some(record)
    }
}

/// What a text can be, seen at its shape alone; `None` for nearly every one.
fn shape(text: &str) -> Option<Format> {
    let bytes = text.as_bytes();
    if bytes.len() > MAX_LINE || memchr::memchr(b'\n', bytes).is_some() {
        return None;
    }
    if bytes.first() == Some(&b'{') {
        let says = |part: &str| memchr::memmem::find(bytes, part.as_bytes()).is_some();
        return (says("/") && (says("tatus") || says("ode"))).then_some(Format::Json);
    }
    if memchr::memmem::find(bytes, b"\tstatus:").is_some() {
        return Some(Format::Ltsv);
    }
    // `] "GET / HTTP/1.1" 200 `
    let is_status = |at: usize| {
        matches!(&bytes[at + 1..], [b' ', a, b, c, b' ', ..]
            if matches!(a, b'1'..=b'5') && b.is_ascii_digit() && c.is_ascii_digit())
    };
    let behind_time = memchr::memmem::find(bytes, b"] \"")?;
    memchr::memchr_iter(b'"', &bytes[behind_time + 3..])
        .any(|at| is_status(behind_time + 3 + at))
        .then_some(Format::Combined)
}

/// A line of labels may be of anything that has a status; one in the form of web servers is what it looks like.
fn plain(shape: Format, record: AccessRecord<'_>) -> Option<AccessRecord<'_>> {
    (shape == Format::Combined || is_request(&record)).then_some(record)
}

/// Whether a method of HTTP and a path stand there: calls to others name a whole address.
fn is_request(record: &AccessRecord<'_>) -> bool {
    let method = record.method.as_bytes();
    (3..=10).contains(&method.len()) && method.iter().all(u8::is_ascii_uppercase) && record.target.starts_with('/')
}

fn ends_as_status(name: &str) -> bool {
    let ends = |word: &[u8]| {
        let name = name.as_bytes();
        name.len() >= word.len() && name[name.len() - word.len()..].eq_ignore_ascii_case(word)
    };
    ends(b"status") || ends(b"code")
}

/// Hands everything on, and before each log record the request that it tells of.
pub(crate) struct WithRequests<'o> {
    observer: &'o mut dyn Observer,
    among: Among,
}

impl<'o> WithRequests<'o> {
    pub(crate) fn new(observer: &'o mut dyn Observer) -> Self {
        Self { observer, among: Among::default() }
    }
}

impl Observer for WithRequests<'_> {
    fn log(&mut self, record: LogRecord<'_>) {
        if let Some(request) = self.among.request(&record) {
            self.observer.request(request);
        }
        self.observer.log(record);
    }

    fn span(&mut self, record: SpanRecord<'_>) {
        self.observer.span(record);
    }

    fn sample(&mut self, record: SampleRecord<'_>) {
        self.observer.sample(record);
    }

    fn error(&mut self, record: ErrorRecord<'_>) {
        self.observer.error(record);
    }

    fn event(&mut self, record: EventRecord<'_>) {
        self.observer.event(record);
    }

    fn request(&mut self, record: RequestRecord<'_>) {
        self.observer.request(record);
    }

    fn refuse(&mut self, why: Refusal, bytes: &[u8]) {
        self.observer.refuse(why, bytes);
    }

    fn declined(&self) -> u64 {
        self.observer.declined()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn log<'a>(body: &'a str, fields: &[(&'a str, &'a str)]) -> LogRecord<'a> {
        LogRecord {
            ts: Some("2026-02-03T04:05:06Z".parse().unwrap()),
            service: Some("web".into()),
            body: body.into(),
            fields: fields.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            ..LogRecord::default()
        }
    }

    /// Request, status, duration, client and time.
    fn found(log: &LogRecord<'_>) -> Option<String> {
        let request = Among::default().request(log)?;
        let access = request.access;
        let (duration, client) = (access.duration_us, access.remote_addr.as_deref().unwrap_or("-"));
        Some(format!("{} {} {} {duration:?} {client} {}", access.method, access.target, access.status, access.ts))
    }

    #[test]
    fn what_shippers_parsers_made_of_a_line_is_a_request() {
        let nginx = [
            ("remote", "192.0.2.7"),
            ("user", "-"),
            ("method", "GET"),
            ("path", "/items/1"),
            ("code", "200"),
            ("size", "512"),
            ("agent", "curl/8"),
        ];
        let at = "2026-02-03T04:05:06Z";
        assert_eq!(found(&log("{}", &nginx)), Some(format!("GET /items/1 200 None 192.0.2.7 {at}")));
        let rails = [
            ("method", "POST"),
            ("path", "/cart"),
            ("status", "302"),
            ("duration", "12.5"),
            ("controller", "CartController"),
        ];
        assert_eq!(found(&log("{}", &rails)), Some(format!("POST /cart 302 Some(12500) - {at}")));
        let ltsv = [
            ("req", "GET /a?b=c HTTP/1.1"),
            ("status", "499"),
            ("reqtime", "0.25"),
            ("host", "192.0.2.8"),
            ("time", "nonsense"),
        ];
        assert_eq!(found(&log("{}", &ltsv)), Some(format!("GET /a?b=c 499 Some(250000) - {at}")));
        // fluentd's parser for Apache: what a log record takes for its host is the client.
        let apache = [("method", "GET"), ("path", "/"), ("code", "404")];
        let by_client = LogRecord { host: Some("192.0.2.9".into()), ..log("{}", &apache) };
        assert_eq!(found(&by_client), Some(format!("GET / 404 None 192.0.2.9 {at}")));
    }

    #[test]
    fn a_line_of_an_access_log_is_a_request_and_one_that_only_looks_so_is_none() {
        let line = r#"192.0.2.7 - - [03/Feb/2026:04:05:01 +0000] "GET /items/1 HTTP/1.1" 200 512"#;
        let at = "2026-02-03T04:05:01Z";
        let want = |more: &str| Some(format!("GET /items/1 200 {more} 192.0.2.7 {at}"));
        let combined = format!(r#"{line} "-" "curl/8""#);
        let json =
            r#"{"time":"2026-02-03T04:05:01Z","method":"GET","uri":"/items/1","status":200,"remote_addr":"192.0.2.7"}"#;
        let ltsv =
            "time:03/Feb/2026:04:05:01 +0000\thost:192.0.2.7\treq:GET /items/1 HTTP/1.1\tstatus:200\treqtime:0.5";
        for (text, want) in [
            (line, want("None")),
            (&format!("{combined}\n"), want("None")),
            (&format!("{combined} 0.012"), want("Some(12000)")),
            // One line can't prove that these are microseconds.
            (&format!("{combined} 12000"), want("None")),
            (json, want("None")),
            (ltsv, want("Some(500000)")),
            (&json.replace(r#""/items/1""#, r#""https://api.example/items/1""#), None),
            (&json.replace("200", "20000"), None),
            (&json.replace("GET", "charge"), None),
            (r#"2026/02/03 04:05:06 [error] 7#7: *1 open() failed, request: "GET / HTTP/1.1", host: "a""#, None),
            (&format!("two lines\n{line}"), None),
            ("answered 200", None),
            ("", None),
        ] {
            assert_eq!(found(&log(text, &[])), want, "{text}");
        }
        for fields in [
            &[("method", "GET"), ("path", "/"), ("code", "E42")][..],
            &[("method", "GET"), ("url", "https://api.example/"), ("status", "200")],
            &[("path", "/var/log"), ("exit_code", "137")],
            &[("status", "200")],
        ] {
            assert_eq!(found(&log("said", fields)), None, "{fields:?}");
        }
    }

    #[test]
    fn a_delivery_may_begin_with_other_lines_and_change_its_form() {
        let line = |at: usize| format!(r#"192.0.2.7 - - [03/Feb/2026:04:05:01 +0000] "GET /{at} HTTP/1.1" 200 512"#);
        let mut among = Among::default();
        let mut seen = 0;
        for at in 0..1000 {
            assert!(among.of_line(r#"[error] 7#7: request: "GET / HTTP/1.1", host: "a""#).is_none());
            seen += usize::from(among.of_line(&line(at)).is_some());
        }
        assert_eq!((seen, among.learned), (1000, 1), "learned once, however many other lines there are");
        assert!(among.of_line(&format!(r#"{} "-" "curl/8""#, line(1))).is_some());
        // What looks like a line and is none is not learned from for ever.
        for at in 0..1000 {
            assert!(among.of_line(&format!(r#"{{"path":"/{at}","status"}}"#)).is_none());
        }
        assert_eq!(among.learned, MAX_LEARNED);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "\\PC{0,60}|\\[[a-z0-9/: ]{0,9}\\] \"[A-Z]{0,4} /[a-z\"]{0,5}\" [0-9]{0,4} [0-9\" -]{0,9}", name in "[a-z_]{0,8}", value in "\\PC{0,9}") {
            let fields = [("status", "200"), (name.as_str(), value.as_str()), ("path", "/")];
            let _ = Among::default().request(&log(&text, &fields));
        }
    }
}
