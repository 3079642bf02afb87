//! Counts what a decoder hands over, and keeps none of it.

use protocols::observed::{
    ErrorRecord, EventRecord, LogRecord, Observer, Refusal, RequestRecord, SampleRecord, SpanRecord,
};
use std::fmt::{self, Debug, Write};
use std::hash::{DefaultHasher, Hasher};

/// What was handed over. Two are equal when the same records came, in the same order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Log records.
    pub logs: u64,
    /// Spans.
    pub spans: u64,
    /// Samples.
    pub samples: u64,
    /// Exceptions.
    pub errors: u64,
    /// Events.
    pub events: u64,
    /// Requests.
    pub requests: u64,
    /// Refused records.
    pub refused: u64,
    /// Samples whose value is no number, or not a finite one.
    pub not_finite: u64,
    /// Longest record as text, bytes.
    pub longest: usize,
    /// Of all records in their order.
    in_order: u64,
    /// Of all records in any order.
    in_any_order: u64,
}

impl Counted {
    /// Everything but what was refused.
    pub fn taken(&self) -> u64 {
        self.logs + self.spans + self.samples + self.errors + self.events + self.requests
    }

    /// The same records, in whatever order.
    pub fn without_order(mut self) -> Self {
        self.in_order = 0;
        self
    }

    fn keep(&mut self, record: &dyn Debug) {
        let mut text = Text { hash: DefaultHasher::new(), length: 0 };
        write!(text, "{record:?}").expect("hashing does not fail");
        let hash = text.hash.finish();
        self.longest = self.longest.max(text.length);
        self.in_order = self.in_order.rotate_left(7) ^ hash;
        self.in_any_order = self.in_any_order.wrapping_add(hash);
    }
}

/// A text of which only hash and length are kept.
struct Text {
    hash: DefaultHasher,
    length: usize,
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.hash.write(text.as_bytes());
        self.length += text.len();
        Ok(())
    }
}

impl Observer for Counted {
    fn log(&mut self, record: LogRecord<'_>) {
        self.logs += 1;
        self.keep(&record);
    }

    fn span(&mut self, record: SpanRecord<'_>) {
        self.spans += 1;
        assert!(is_id(&record.trace_id, 32) && is_id(&record.span_id, 16), "ids that are none: {record:?}");
        self.keep(&record);
    }

    fn sample(&mut self, record: SampleRecord<'_>) {
        self.samples += 1;
        self.not_finite += u64::from(!record.value.is_finite());
        assert!(!record.name.is_empty(), "a sample without a name: {record:?}");
        self.keep(&record);
    }

    fn error(&mut self, record: ErrorRecord<'_>) {
        self.errors += 1;
        self.keep(&record);
    }

    fn event(&mut self, record: EventRecord<'_>) {
        self.events += 1;
        self.keep(&record);
    }

    fn request(&mut self, record: RequestRecord<'_>) {
        self.requests += 1;
        assert!((100..=599).contains(&record.access.status), "a status that is none: {record:?}");
        self.keep(&record);
    }

    fn refuse(&mut self, why: Refusal, bytes: &[u8]) {
        self.refused += 1;
        self.keep(&(why, bytes.len()));
    }
}

fn is_id(id: &str, length: usize) -> bool {
    id.len() == length && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
