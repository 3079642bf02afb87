//! What a rule can watch: the names of signals, their units, and amounts as people write them.

use crate::words::suggestion;
use base::{ByteSize, Span};
use schemars::JsonSchema;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A unit, and with it how a limit is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Milliseconds: `800ms`, `2s`.
    Milliseconds,
    /// Seconds: `5m`, `26h`.
    Seconds,
    /// A share, 0 to 1: `5%`, `0.05`.
    Ratio,
    /// A second: `10/s`, `600/m`, `3/h`.
    PerSecond,
    /// A number: `3`.
    Count,
    /// So many times as much as allowed: `14.4`.
    Times,
    /// Whatever it is; bytes (`900MiB`), spans in seconds and percentages are understood.
    #[default]
    Any,
}

impl Unit {
    /// How an amount of it is written.
    pub(crate) fn example(self) -> &'static str {
        match self {
            Self::Milliseconds => "800ms",
            Self::Seconds => "5m",
            Self::Ratio => "5%",
            Self::PerSecond => "10/s",
            Self::Times => "14.4",
            Self::Count | Self::Any => "3",
        }
    }

    /// A value of it as people read it, with four digits that count: `812.4 ms`, `5.2 %`, `26 h`.
    pub(crate) fn shown(self, value: f64) -> String {
        match self {
            Self::Milliseconds if value.abs() >= 10_000.0 => format!("{} s", number(value / 1e3)),
            Self::Milliseconds => format!("{} ms", number(value)),
            Self::Seconds if value.abs() >= 2.0 * 86_400.0 => format!("{} d", number(value / 86_400.0)),
            Self::Seconds if value.abs() >= 2.0 * 3600.0 => format!("{} h", number(value / 3600.0)),
            Self::Seconds if value.abs() >= 120.0 => format!("{} min", number(value / 60.0)),
            Self::Seconds => format!("{} s", number(value)),
            Self::Ratio => format!("{} %", number(value * 100.0)),
            Self::PerSecond => format!("{}/s", number(value)),
            Self::Times => format!("{} ×", number(value)),
            Self::Count | Self::Any => number(value),
        }
    }
}

/// Four digits that count: `0.0123`, `812.4`, `14400`.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() || value == 0.0 {
        return format!("{value}");
    }
    // At most 308 either way, so the digits fit.
    #[allow(clippy::cast_possible_truncation)]
    let magnitude = value.abs().log10().floor() as i32;
    let digits = usize::try_from(3 - magnitude).unwrap_or(0).min(12);
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A signal by its name in configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Signal {
    /// A quantile of the duration of requests, in thousandths: `latency.p50`, `latency.p95`, `latency.p999`.
    LatencyQuantile(u16),
    /// `latency.mean`.
    LatencyMean,
    /// `traffic`: requests a second.
    Traffic,
    /// `errors.ratio`: share of requests answered with 5xx.
    ErrorRatio,
    /// `errors.count`: requests answered with 5xx, or events of an `error_group`.
    ErrorCount,
    /// `disappointed`: users who saw an error and had no success since.
    Disappointed,
    /// `saturation.cpu`, `saturation.memory`, `saturation.disk`, `saturation.network`.
    Saturation(Resource),
    /// `check.failures`: failed runs of a check.
    CheckFailures,
    /// `check.duration`.
    CheckDuration,
    /// `check.tls_days`: days until the certificate ends.
    CheckTlsDays,
    /// `heartbeat.age`: time since the last ping.
    HeartbeatAge,
    /// `host.silence`: time since the agent of a host was heard.
    HostSilence,
    /// `host.gone`: 1 for a host that nobody reaches any more.
    HostGone,
    /// `host.agent_gone`: 1 for a host that is there while its agent is silent.
    AgentGone,
    /// `process.count`: processes that are there.
    ProcessCount,
    /// `process.restarts`: starts within the window.
    ProcessRestarts,
    /// `budget.left` of an objective, a share of the budget.
    BudgetLeft,
    /// `budget.burn` of an objective over the window.
    BudgetBurn,
    /// `sample.NAME`: the mean of a measured value.
    Sample(String),
}

/// What a host can run out of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resource {
    /// Processor time.
    Cpu,
    /// Memory.
    Memory,
    /// Disk space.
    Disk,
    /// Network.
    Network,
}

/// Every name but those with a free part.
pub const SIGNALS: [&str; 24] = [
    "latency.p50",
    "latency.p90",
    "latency.p95",
    "latency.p99",
    "latency.mean",
    "traffic",
    "errors.ratio",
    "errors.count",
    "disappointed",
    "saturation.cpu",
    "saturation.memory",
    "saturation.disk",
    "saturation.network",
    "check.failures",
    "check.duration",
    "check.tls_days",
    "heartbeat.age",
    "host.silence",
    "host.gone",
    "host.agent_gone",
    "process.count",
    "process.restarts",
    "budget.left",
    "budget.burn",
];

/// A text is no signal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown signal `{name}`; {help}")]
pub struct SignalError {
    name: String,
    help: String,
}

impl FromStr for Signal {
    type Err = SignalError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let unknown = || SignalError { name: name.to_owned(), help: suggestion(name, &SIGNALS) + ", sample.NAME" };
        Ok(match name {
            "latency.mean" => Self::LatencyMean,
            "traffic" => Self::Traffic,
            "errors.ratio" => Self::ErrorRatio,
            "errors.count" => Self::ErrorCount,
            "disappointed" => Self::Disappointed,
            "saturation.cpu" => Self::Saturation(Resource::Cpu),
            "saturation.memory" => Self::Saturation(Resource::Memory),
            "saturation.disk" => Self::Saturation(Resource::Disk),
            "saturation.network" => Self::Saturation(Resource::Network),
            "check.failures" => Self::CheckFailures,
            "check.duration" => Self::CheckDuration,
            "check.tls_days" => Self::CheckTlsDays,
            "heartbeat.age" => Self::HeartbeatAge,
            "host.silence" => Self::HostSilence,
            "host.gone" => Self::HostGone,
            "host.agent_gone" => Self::AgentGone,
            "process.count" => Self::ProcessCount,
            "process.restarts" => Self::ProcessRestarts,
            "budget.left" => Self::BudgetLeft,
            "budget.burn" => Self::BudgetBurn,
            other => {
                if let Some(sample) = other.strip_prefix("sample.").filter(|sample| !sample.is_empty()) {
                    return Ok(Self::Sample(sample.to_owned()));
                }
                let digits = other.strip_prefix("latency.p").ok_or_else(unknown)?;
                let number: u16 = digits.parse().map_err(|_| unknown())?;
                let thousandths = match digits.len() {
                    1 | 2 => number * 10,
                    3 => number,
                    _ => return Err(unknown()),
                };
                if thousandths == 0 {
                    return Err(unknown());
                }
                Self::LatencyQuantile(thousandths)
            }
        })
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LatencyQuantile(thousandths) if thousandths % 10 == 0 => write!(f, "latency.p{}", thousandths / 10),
            Self::LatencyQuantile(thousandths) => write!(f, "latency.p{thousandths:03}"),
            Self::LatencyMean => f.write_str("latency.mean"),
            Self::Traffic => f.write_str("traffic"),
            Self::ErrorRatio => f.write_str("errors.ratio"),
            Self::ErrorCount => f.write_str("errors.count"),
            Self::Disappointed => f.write_str("disappointed"),
            Self::Saturation(Resource::Cpu) => f.write_str("saturation.cpu"),
            Self::Saturation(Resource::Memory) => f.write_str("saturation.memory"),
            Self::Saturation(Resource::Disk) => f.write_str("saturation.disk"),
            Self::Saturation(Resource::Network) => f.write_str("saturation.network"),
            Self::CheckFailures => f.write_str("check.failures"),
            Self::CheckDuration => f.write_str("check.duration"),
            Self::CheckTlsDays => f.write_str("check.tls_days"),
            Self::HeartbeatAge => f.write_str("heartbeat.age"),
            Self::HostSilence => f.write_str("host.silence"),
            Self::HostGone => f.write_str("host.gone"),
            Self::AgentGone => f.write_str("host.agent_gone"),
            Self::ProcessCount => f.write_str("process.count"),
            Self::ProcessRestarts => f.write_str("process.restarts"),
            Self::BudgetLeft => f.write_str("budget.left"),
            Self::BudgetBurn => f.write_str("budget.burn"),
            Self::Sample(name) => write!(f, "sample.{name}"),
        }
    }
}

impl Signal {
    /// The unit of its values.
    pub fn unit(&self) -> Unit {
        match self {
            Self::LatencyQuantile(_) | Self::LatencyMean | Self::CheckDuration => Unit::Milliseconds,
            Self::Traffic => Unit::PerSecond,
            Self::ErrorRatio | Self::Saturation(_) | Self::BudgetLeft => Unit::Ratio,
            Self::ErrorCount
            | Self::Disappointed
            | Self::CheckFailures
            | Self::CheckTlsDays
            | Self::HostGone
            | Self::AgentGone
            | Self::ProcessCount
            | Self::ProcessRestarts => Unit::Count,
            Self::BudgetBurn => Unit::Times,
            Self::HeartbeatAge | Self::HostSilence => Unit::Seconds,
            Self::Sample(_) => Unit::Any,
        }
    }

    /// Whether a value is of one host, so that a rule without `host` watches each.
    pub fn is_of_host(&self) -> bool {
        matches!(
            self,
            Self::Saturation(_)
                | Self::HostSilence
                | Self::HostGone
                | Self::AgentGone
                | Self::ProcessCount
                | Self::ProcessRestarts
        )
    }

    /// Whether it is computed from requests of a service.
    pub fn is_of_requests(&self) -> bool {
        matches!(
            self,
            Self::LatencyQuantile(_) | Self::LatencyMean | Self::Traffic | Self::ErrorRatio | Self::Disappointed
        )
    }

    /// Whether it is of a check.
    pub fn is_of_check(&self) -> bool {
        matches!(self, Self::CheckFailures | Self::CheckDuration | Self::CheckTlsDays)
    }

    /// Whether it is of an objective.
    pub fn is_of_objective(&self) -> bool {
        matches!(self, Self::BudgetLeft | Self::BudgetBurn)
    }
}

/// An amount as it was written: `800ms`, `5%`, `10/s`, `900MiB`, `3`.
#[derive(Debug, Clone, PartialEq)]
pub struct Amount(String);

impl Amount {
    /// As it was written.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Its value in a unit, or what to write instead.
    pub fn in_unit(&self, unit: Unit) -> Result<f64, AmountError> {
        let text = self.0.trim();
        let wrong = || AmountError { given: self.0.clone(), unit };
        let plain = || text.parse::<f64>().ok().filter(|number| number.is_finite());
        let percent = || text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
        let span = || text.parse::<Span>().ok().map(|span| span.micros() as f64);
        let value = match unit {
            Unit::Milliseconds => span().map(|us| us / 1e3),
            Unit::Seconds => span().map(|us| us / 1e6),
            Unit::Ratio => percent().map(|number| number / 100.0).or_else(plain),
            Unit::PerSecond => text.rsplit_once('/').and_then(|(number, per)| {
                let seconds = match per.trim() {
                    "s" => 1.0,
                    "m" => 60.0,
                    "h" => 3600.0,
                    "d" => 86400.0,
                    _ => return None,
                };
                number.trim().parse::<f64>().ok().map(|number| number / seconds)
            }),
            Unit::Count | Unit::Times => plain(),
            Unit::Any => plain()
                .or_else(|| percent().map(|number| number / 100.0))
                .or_else(|| text.parse::<ByteSize>().ok().map(|size| size.0 as f64))
                .or_else(|| span().map(|us| us / 1e6)),
        };
        value.filter(|value| value.is_finite()).ok_or_else(wrong)
    }
}

/// An amount does not fit its signal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` does not fit this signal; write for example {}", unit.example())]
pub struct AmountError {
    given: String,
    unit: Unit,
}

impl From<&str> for Amount {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self.0.parse::<f64>() {
            Ok(number) if number.is_finite() => out.serialize_f64(number),
            Ok(_) | Err(_) => out.serialize_str(&self.0),
        }
    }
}
impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount such as 800ms, 5% or 3")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
                Ok(Amount(text.to_owned()))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Amount, E> {
                Ok(Amount(number.to_string()))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Amount, E> {
                Ok(Amount(number.to_string()))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Amount, E> {
                Ok(Amount(number.to_string()))
            }
        }
        input.deserialize_any(Either)
    }
}
impl JsonSchema for Amount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["string", "number"], "examples": ["800ms", "5%", "10/s", 3] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_reads_back_from_its_name() {
        for name in SIGNALS.into_iter().chain(["latency.p999", "latency.p5", "sample.queue_length"]) {
            assert_eq!(name.parse::<Signal>().unwrap().to_string(), name);
        }
        for (name, want) in [
            ("latency.95", "did you mean `latency.p95`?"),
            ("error.ratio", "did you mean `errors.ratio`?"),
            ("latency.p0", "did you mean"),
            ("latency.p99999", "did you mean"),
            ("sample.", "known here: latency.p50"),
        ] {
            let error = name.parse::<Signal>().unwrap_err().to_string();
            assert!(error.contains(want), "{name}: {error}");
        }
    }

    #[test]
    fn numbers_have_four_digits_that_count() {
        for (value, want) in [
            (0.0, "0"),
            (0.012_345, "0.01235"),
            (812.44, "812.4"),
            (14_400.4, "14400"),
            (-3.0, "-3"),
            (1e-9, "0.000000001"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(number(value), want);
        }
    }

    #[test]
    fn a_value_is_shown_in_its_unit() {
        for (unit, value, want) in [
            (Unit::Milliseconds, 812.44, "812.4 ms"),
            (Unit::Milliseconds, 12_000.0, "12 s"),
            (Unit::Seconds, 45.0, "45 s"),
            (Unit::Seconds, 600.0, "10 min"),
            (Unit::Seconds, 93_600.0, "26 h"),
            (Unit::Seconds, 259_200.0, "3 d"),
            (Unit::Ratio, 0.052, "5.2 %"),
            (Unit::PerSecond, 2.345_67, "2.346/s"),
            (Unit::Times, 14.4, "14.4 ×"),
            (Unit::Count, 3.0, "3"),
            (Unit::Any, 0.25, "0.25"),
        ] {
            assert_eq!(unit.shown(value), want);
        }
    }

    #[test]
    fn an_amount_is_read_in_the_unit_of_its_signal() {
        for (text, unit, want) in [
            ("800ms", Unit::Milliseconds, Some(800.0)),
            ("2s", Unit::Milliseconds, Some(2000.0)),
            ("800", Unit::Milliseconds, None),
            ("26h", Unit::Seconds, Some(93_600.0)),
            ("5%", Unit::Ratio, Some(0.05)),
            ("0.05", Unit::Ratio, Some(0.05)),
            ("600/m", Unit::PerSecond, Some(10.0)),
            ("10", Unit::PerSecond, None),
            ("-3", Unit::Count, Some(-3.0)),
            ("3 apples", Unit::Count, None),
            ("900MiB", Unit::Any, Some(943_718_400.0)),
            ("90%", Unit::Any, Some(0.9)),
            ("inf", Unit::Count, None),
        ] {
            assert_eq!(Amount::from(text).in_unit(unit).ok(), want, "{text}");
        }
        let error = Amount::from("800").in_unit(Unit::Milliseconds).unwrap_err();
        assert_eq!(error.to_string(), "`800` does not fit this signal; write for example 800ms");
    }
}
