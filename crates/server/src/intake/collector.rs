//! From what decoders find to rows: the service by rule, limits, redaction, groups of errors.
//!
//! Everything that a decoder hands over becomes a row or is counted with the reason why it did not. Nothing is stored
//! here: whoever asked for the rows appends them, and only then acknowledges.

use super::identity::Identifier;
use super::series::SeriesBook;
use super::{Intake, IntakeError, ServiceIntake};
use crate::counts::Counts;
use crate::source_name::SourceKind;
use base::redaction::{self, Redactor};
use base::{ServiceName, Timestamp};
use lake::Append;
use protocols::observed::{
    ErrorRecord, EventRecord, Field, Frame, LogRecord, Observer, Refusal, RequestRecord, SampleRecord, SpanRecord,
};
use signal::fingerprint::{ErrorTraits, Place};
use signal::{
    ErrorRow, ErrorRows, EventRow, EventRows, LogRow, LogRows, RequestRows, SampleRow, SampleRows, Severity, SpanRow,
    SpanRows, Table,
};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

/// Most further fields of a record; the rest is dropped, and its number is kept in the field `fields_dropped`.
pub const MAX_FIELDS: usize = 128;
/// Longest name of a field, bytes.
pub const MAX_FIELD_NAME: usize = 128;
/// Longest value of a field, bytes.
pub const MAX_FIELD_VALUE: usize = 8 << 10;
/// Longest body of a log record or message of an error, bytes.
pub const MAX_TEXT: usize = 64 << 10;
/// Longest name of anything else: a span, a metric, a host.
const MAX_NAME: usize = 512;
/// Most frames of a stack.
const MAX_FRAMES: usize = 100;

/// What a way in knows of a delivery.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The way in; its name is the column `source`.
    pub way: SourceKind,
    /// The service when the way in knows it; it wins over what records say.
    pub service: Option<ServiceName>,
    /// When it arrived.
    pub now: Timestamp,
}

/// What was made of one delivery.
pub struct Collected {
    /// The rows.
    pub append: Append,
    /// What was counted, by service.
    pub counts: BTreeMap<Option<ServiceName>, Counts>,
    /// Services that rows were made for; new ones are not known to anybody else yet.
    pub services: BTreeMap<ServiceName, Arc<ServiceIntake>>,
    /// Its sender's name for it.
    pub name: Option<String>,
}

/// Collects rows of one delivery.
pub struct Collector<'i> {
    intake: &'i Intake,
    origin: Origin,
    /// What records said last of their service, and what that meant.
    last: Option<(String, Arc<ServiceIntake>)>,
    services: BTreeMap<ServiceName, Arc<ServiceIntake>>,
    name: Option<String>,
    requests: RequestRows,
    logs: LogRows,
    spans: SpanRows,
    samples: SampleRows,
    errors: ErrorRows,
    events: EventRows,
    counts: BTreeMap<Option<ServiceName>, Counts>,
    /// Records that a decoder handed over and that are over a limit of ours.
    declined: u64,
}

impl<'i> Collector<'i> {
    /// For one delivery.
    pub fn new(intake: &'i Intake, origin: Origin) -> Self {
        Self {
            intake,
            origin,
            last: None,
            services: BTreeMap::new(),
            name: None,
            requests: RequestRows::default(),
            logs: LogRows::default(),
            spans: SpanRows::default(),
            samples: SampleRows::default(),
            errors: ErrorRows::default(),
            events: EventRows::default(),
            counts: BTreeMap::new(),
            declined: 0,
        }
    }

    /// The rows, what was counted for each service, and the services.
    pub fn finish(mut self) -> Collected {
        let mut append = Append::default();
        let mut add = |table, rows: usize, finish: &mut dyn FnMut() -> lake::arrow::array::RecordBatch| {
            if rows > 0 {
                append.rows.push((table, finish()));
            }
        };
        add(Table::Requests, self.requests.len(), &mut || self.requests.finish());
        add(Table::Logs, self.logs.len(), &mut || self.logs.finish());
        add(Table::Spans, self.spans.len(), &mut || self.spans.finish());
        add(Table::Samples, self.samples.len(), &mut || self.samples.finish());
        add(Table::Errors, self.errors.len(), &mut || self.errors.finish());
        add(Table::Events, self.events.len(), &mut || self.events.finish());
        Collected { append, counts: self.counts, services: self.services, name: self.name }
    }

    /// When the delivery arrived.
    pub fn now(&self) -> Timestamp {
        self.origin.now
    }

    /// Its sender's name for the delivery: one that is sent again under it is not stored again.
    pub fn name_delivery(&mut self, name: String) {
        self.name = Some(name);
    }

    /// Records that became rows, and those that did not, over all services.
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        self.counts.values().for_each(|counts| total.merge(counts));
        total
    }

    /// The service of a record by what its sender calls it.
    fn service(&mut self, said: Option<&str>) -> Option<Arc<ServiceIntake>> {
        let said = said.unwrap_or_default();
        if let Some((last, known)) = &self.last
            && last == said
        {
            return Some(Arc::clone(known));
        }
        let name = match &self.origin.service {
            Some(name) => name.clone(),
            None => self.intake.readings().rules.service_of(said),
        };
        let service = match self.services.get(&name) {
            Some(known) => Arc::clone(known),
            None => match self.intake.service(&name) {
                Ok(service) => service,
                Err(IntakeError::TooManyServices) => self.intake.overflow().ok()?,
                Err(_) => return None,
            },
        };
        self.services.insert(service.name().clone(), Arc::clone(&service));
        self.last = Some((said.to_owned(), Arc::clone(&service)));
        Some(service)
    }

    /// The time of a record; `None` when it lies outside the calendar.
    fn time(&mut self, said: Option<Timestamp>, service: Option<&ServiceName>) -> Option<Timestamp> {
        let ts = said.unwrap_or(self.origin.now);
        if !ts.is_in_calendar() {
            return None;
        }
        if said.is_some() {
            let skew = ts.micros() - self.origin.now.micros();
            let counts = self.counts.entry(service.cloned()).or_default();
            counts.skew_us = counts.skew_us.max(Some(skew));
        }
        Some(ts)
    }

    fn taken(&mut self, service: Option<&ServiceName>) {
        self.counts.entry(service.cloned()).or_default().taken += 1;
    }

    fn refuse_for(&mut self, service: Option<&ServiceName>, reason: &'static str, example: &[u8]) {
        self.counts.entry(service.cloned()).or_default().refuse(reason, example);
    }

    /// A record's service and time, or a counted refusal.
    fn place(
        &mut self,
        said: Option<&str>,
        ts: Option<Timestamp>,
        example: &str,
    ) -> Option<(Arc<ServiceIntake>, Timestamp)> {
        let Some(service) = self.service(said) else {
            self.refuse_for(None, "service_is_deleted", example.as_bytes());
            self.declined += 1;
            return None;
        };
        let Some(ts) = self.time(ts, Some(service.name())) else {
            self.refuse_for(Some(service.name()), Refusal::BadTime.reason(), example.as_bytes());
            self.declined += 1;
            return None;
        };
        Some((service, ts))
    }

    /// Counts a record of which not all fields are kept.
    fn fields(&mut self, service: &ServiceName, came: usize) {
        if came > MAX_FIELDS {
            self.counts.entry(Some(service.clone())).or_default().shortened += 1;
        }
    }

    fn redactor(&self) -> &'i Redactor {
        &self.intake.readings().redactor
    }

    fn identifier(&self) -> &'i Identifier {
        self.intake.identifier()
    }
}

/// Fields as they may be stored: without secrets, bounded in number and length.
fn storable<'f>(redactor: &Redactor, fields: &'f [Field<'_>]) -> Vec<(Cow<'f, str>, Cow<'f, str>)> {
    let mut out: Vec<(Cow<'f, str>, Cow<'f, str>)> = Vec::with_capacity(fields.len().min(MAX_FIELDS + 1));
    for (name, value) in fields.iter().take(MAX_FIELDS) {
        let value = redactor.field(name, clip(value, MAX_FIELD_VALUE));
        out.push((Cow::Borrowed(clip(name, MAX_FIELD_NAME)), value));
    }
    if fields.len() > MAX_FIELDS {
        out.push(("fields_dropped".into(), (fields.len() - MAX_FIELDS).to_string().into()));
    }
    out
}

fn pairs<'p>(fields: &'p [(Cow<'_, str>, Cow<'_, str>)]) -> impl Iterator<Item = (&'p str, &'p str)> {
    fields.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
}

/// A text cut at a character so that it is not longer.
fn clip(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

fn short<'t>(text: Option<&'t Cow<'_, str>>) -> Option<&'t str> {
    text.map(|text| clip(text, MAX_NAME)).filter(|text| !text.is_empty())
}

/// Frames as text, innermost first: `function (file:line)`, one a line.
fn stack_text(frames: &[Frame<'_>]) -> Option<String> {
    let mut text = String::new();
    for frame in frames.iter().take(MAX_FRAMES) {
        let line = frame.line.map(|line| format!(":{line}")).unwrap_or_default();
        let own = if frame.own == Some(true) { " *" } else { "" };
        let _ = writeln!(text, "{} ({}{line}){own}", clip(&frame.function, MAX_NAME), clip(&frame.file, MAX_NAME));
    }
    (!text.is_empty()).then_some(text)
}

impl Observer for Collector<'_> {
    fn log(&mut self, record: LogRecord<'_>) {
        let Some((service, ts)) = self.place(record.service.as_deref(), record.ts, &record.body) else { return };
        let redactor = self.redactor();
        let fields = storable(redactor, &record.fields);
        let row = LogRow {
            ts,
            service: service.name().as_str(),
            host: short(record.host.as_ref()),
            severity: record.severity.map(Severity::as_str),
            body: &redactor.text(clip(&record.body, MAX_TEXT)),
            trace_id: short(record.trace_id.as_ref()),
            source: self.origin.way.name(),
        };
        self.logs.push(&row, pairs(&fields));
        self.fields(service.name(), record.fields.len());
        self.taken(Some(service.name()));
    }

    fn span(&mut self, record: SpanRecord<'_>) {
        let Some((service, ts)) = self.place(record.service.as_deref(), record.ts, &record.name) else { return };
        let redactor = self.redactor();
        let fields = storable(redactor, &record.fields);
        let row = SpanRow {
            ts,
            service: service.name().as_str(),
            host: short(record.host.as_ref()),
            trace_id: &record.trace_id,
            span_id: &record.span_id,
            parent_id: record.parent_id.as_deref(),
            name: &redactor.text(clip(&record.name, MAX_NAME)),
            kind: record.kind,
            status: record.status,
            duration_us: record.duration_us,
            source: self.origin.way.name(),
        };
        self.spans.push(&row, pairs(&fields));
        self.fields(service.name(), record.fields.len());
        self.taken(Some(service.name()));
    }

    fn sample(&mut self, record: SampleRecord<'_>) {
        let Some((service, ts)) = self.place(record.service.as_deref(), record.ts, &record.name) else { return };
        let labels: Vec<(&str, &str)> = record
            .labels
            .iter()
            .take(MAX_FIELDS)
            .filter(|(name, _)| !redaction::is_secret_name(name))
            .map(|(name, value)| (clip(name, MAX_FIELD_NAME), clip(value, MAX_NAME)))
            .collect();
        let row = SampleRow {
            ts,
            service: Some(service.name().as_str()),
            host: short(record.host.as_ref()),
            name: clip(&record.name, MAX_NAME),
            value: record.value,
            source: self.origin.way.name(),
        };
        let series = signal::sample::series_id(&row, &labels);
        if !self.intake.readings().series.admit(service.name(), series, self.origin.now) {
            self.refuse_for(Some(service.name()), SeriesBook::REASON, record.name.as_bytes());
            self.declined += 1;
            return;
        }
        self.samples.push(&row, &labels);
        self.fields(service.name(), record.labels.len());
        self.taken(Some(service.name()));
    }

    fn error(&mut self, record: ErrorRecord<'_>) {
        let Some((service, ts)) = self.place(record.service.as_deref(), record.ts, &record.message) else { return };
        let redactor = self.redactor();
        let places: Vec<Place<'_>> = record
            .frames
            .iter()
            .map(|frame| Place { function: &frame.function, file: &frame.file, own: frame.own })
            .collect();
        let grouping: Vec<&str> = record.grouping.iter().map(AsRef::as_ref).collect();
        let message = redactor.text(clip(&record.message, MAX_TEXT));
        let traits = ErrorTraits { kind: &record.kind, message: &message, places: &places, grouping: &grouping };
        let group = self.intake.readings().fingerprinter.of(&traits);
        let person = record.person.as_ref().and_then(|person| {
            let named = [&person.id, &person.email, &person.name].into_iter().flatten().find(|name| !name.is_empty());
            named
                .map(|name| self.identifier().key_of_name(name))
                .or_else(|| person.address.as_ref().map(|address| self.identifier().key_of_address(address)))
        });
        let fields = storable(redactor, &record.fields);
        let stack = stack_text(&record.frames);
        let row = ErrorRow {
            ts,
            service: service.name().as_str(),
            host: short(record.host.as_ref()),
            group_id: &group.group_id,
            kind: clip(&record.kind, MAX_NAME),
            message: &message,
            severity: record.severity.map(Severity::as_str),
            release: short(record.release.as_ref()),
            environment: short(record.environment.as_ref()),
            user_key: person.as_ref().map(super::identity::UserKey::as_str),
            trace_id: short(record.trace_id.as_ref()),
            stack: stack.as_deref(),
            source: self.origin.way.name(),
        };
        self.errors.push(&row, pairs(&fields));
        self.fields(service.name(), record.fields.len());
        self.taken(Some(service.name()));
    }

    fn event(&mut self, record: EventRecord<'_>) {
        let Some((service, ts)) = self.place(record.service.as_deref(), record.ts, &record.name) else { return };
        let fields = storable(self.redactor(), &record.fields);
        let row = EventRow {
            ts,
            service: Some(service.name().as_str()),
            host: short(record.host.as_ref()),
            kind: record.kind,
            name: clip(&record.name, MAX_NAME),
            state: short(record.state.as_ref()),
            source: self.origin.way.name(),
        };
        self.events.push(&row, pairs(&fields));
        self.fields(service.name(), record.fields.len());
        self.taken(Some(service.name()));
    }

    fn request(&mut self, record: RequestRecord<'_>) {
        let ts = Some(record.access.ts);
        let Some((service, _)) = self.place(record.service.as_deref(), ts, &record.access.target) else { return };
        service.push(
            self.identifier(),
            &record.access,
            record.route.as_deref(),
            self.origin.way.name(),
            &mut self.requests,
        );
        self.taken(Some(service.name()));
    }

    fn refuse(&mut self, why: Refusal, bytes: &[u8]) {
        let service = self.origin.service.clone();
        self.refuse_for(service.as_ref(), why.reason(), bytes);
    }

    fn declined(&self) -> u64 {
        self.declined
    }
}
