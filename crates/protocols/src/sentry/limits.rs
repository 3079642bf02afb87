//! How SDKs are told to hold back: `X-Sentry-Rate-Limits`.

use std::fmt::Write;

/// The header's name.
pub const HEADER: &str = "x-sentry-rate-limits";

/// What is to be held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// Events.
    Error,
    /// Transactions.
    Transaction,
    /// Spans in containers.
    Span,
    /// Sessions.
    Session,
    /// Check-ins.
    Monitor,
    /// Log records.
    LogItem,
    /// Metrics in containers.
    TraceMetric,
    /// Attachments.
    Attachment,
}

impl Category {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Transaction => "transaction",
            Self::Span => "span",
            Self::Session => "session",
            Self::Monitor => "monitor",
            Self::LogItem => "log_item",
            Self::TraceMetric => "trace_metric",
            Self::Attachment => "attachment",
        }
    }
}

/// For how long what is to be held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit<'a> {
    /// Seconds from now.
    pub seconds: u32,
    /// What; empty means everything.
    pub categories: &'a [Category],
    /// Why, one word (`disk_full`).
    pub reason: &'a str,
}

/// The value of the header. It goes with 429, and with 200 when only some of an envelope was taken.
pub fn header(limits: &[RateLimit<'_>]) -> String {
    let mut out = String::new();
    for limit in limits {
        if !out.is_empty() {
            out.push_str(", ");
        }
        let categories: Vec<_> = limit.categories.iter().map(|category| category.as_str()).collect();
        let reason: String = limit.reason.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let _ = write!(out, "{}:{}:key:{reason}", limit.seconds, categories.join(";")); // a String takes all
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_written_as_sdks_read_them() {
        let everything = RateLimit { seconds: 30, categories: &[], reason: "disk full\r\n" };
        let some = RateLimit { seconds: 60, categories: &[Category::Error, Category::LogItem], reason: "quota" };
        assert_eq!(header(&[]), "");
        assert_eq!(header(&[everything, some]), "30::key:diskfull, 60:error;log_item:key:quota");
    }
}
