//! Log rows: one line or structured record of a program.

use crate::columns::row_builder;
use crate::schema::Table;
use base::Timestamp;

/// How grave a log record is, as OpenTelemetry, syslog and most programs agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Finest steps.
    Trace,
    /// For developers.
    Debug,
    /// Normal operation.
    Info,
    /// Unusual, and nothing failed.
    Warn,
    /// Something failed.
    Error,
    /// The program can't go on.
    Fatal,
}

impl Severity {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// The severity that a program's word means, in any case: `WARNING`, `err`, `critical`, `notice`, ...
    pub fn from_word(word: &str) -> Option<Self> {
        // Longer than any known word.
        if word.len() > 13 {
            return None;
        }
        Some(match word.trim().to_ascii_lowercase().as_str() {
            "trace" | "verbose" | "finest" => Self::Trace,
            "debug" | "dbg" | "fine" => Self::Debug,
            "info" | "information" | "informational" | "notice" | "log" => Self::Info,
            "warn" | "warning" => Self::Warn,
            "error" | "err" | "severe" => Self::Error,
            "fatal" | "critical" | "crit" | "alert" | "emerg" | "emergency" | "panic" => Self::Fatal,
            _ => return None,
        })
    }

    /// OpenTelemetry's number, 1 to 24; 0 and others mean that none was given.
    pub const fn from_otel(number: i32) -> Option<Self> {
        Some(match number {
            1..=4 => Self::Trace,
            5..=8 => Self::Debug,
            9..=12 => Self::Info,
            13..=16 => Self::Warn,
            17..=20 => Self::Error,
            21..=24 => Self::Fatal,
            _ => return None,
        })
    }

    /// The severity part of a syslog priority (RFC 5424, table 2): 0 emergency to 7 debug.
    pub const fn from_syslog(severity: u8) -> Option<Self> {
        Some(match severity {
            0..=2 => Self::Fatal,
            3 => Self::Error,
            4 => Self::Warn,
            5 | 6 => Self::Info,
            7 => Self::Debug,
            _ => return None,
        })
    }
}

/// One row of `logs`, borrowed.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogRow<'a> {
    /// When it was said.
    pub ts: Timestamp,
    /// Service that said it.
    pub service: &'a str,
    /// Machine it ran on.
    pub host: Option<&'a str>,
    /// [`Severity::as_str`], when the sender said one.
    pub severity: Option<&'a str>,
    /// What was said.
    pub body: &'a str,
    /// Trace that it belongs to, lower-case hex.
    pub trace_id: Option<&'a str>,
    /// Way in and sender (`forward`, `otlp`, `syslog`, ...).
    pub source: &'a str,
}

row_builder! {
    /// Collects log rows into a record batch of [`Table::Logs`].
    LogRows of LogRow for Table::Logs, {
        ts: Time, service: Name, host: MaybeName, severity: MaybeName, body: Text, trace_id: MaybeText, source: Name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_of_senders_mean_one_severity() {
        for (word, want) in [
            ("WARNING", Some(Severity::Warn)),
            ("err", Some(Severity::Error)),
            ("Notice", Some(Severity::Info)),
            ("emerg", Some(Severity::Fatal)),
            ("", None),
            ("whatever", None),
        ] {
            assert_eq!(Severity::from_word(word), want, "{word}");
        }
        for (number, want) in
            [(0, None), (1, Some(Severity::Trace)), (9, Some(Severity::Info)), (17, Some(Severity::Error)), (25, None)]
        {
            assert_eq!(Severity::from_otel(number), want, "{number}");
        }
        assert_eq!(Severity::from_syslog(4), Some(Severity::Warn));
        assert_eq!(Severity::from_syslog(8), None);
    }

    #[test]
    fn rows_become_a_batch_of_the_logs_table() {
        let mut rows = LogRows::default();
        rows.push(&LogRow { service: "shop", body: "hello", source: "otlp", ..LogRow::default() }, [("pid", "7")]);
        let batch = rows.finish();
        assert_eq!((batch.num_rows(), batch.schema()), (1, Table::Logs.schema()));
        assert!(rows.is_empty());
    }
}
