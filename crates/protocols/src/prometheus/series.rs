//! A series: its name, labels, and the service and host that these tell of.

use crate::observed::{Field, Refusal, SampleRecord};
use base::Timestamp;
use std::borrow::Cow;

/// Longest text of a series' labels. Every sample repeats it, so a large one would multiply.
const MAX_TEXT: usize = 64 << 10;

/// A series of which the labels were read and found valid.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Series<'a> {
    /// Time and value are still to be filled in.
    pub(super) sample: SampleRecord<'a>,
    /// How long the text of its name and labels is.
    pub(super) text: usize,
}

impl<'a> Series<'a> {
    /// From labels which must be sorted by name, without doubles, with `__name__` among them.
    pub(super) fn from_sorted(labels: &[(&'a str, &'a str)]) -> Result<Self, Refusal> {
        if !labels.windows(2).all(|pair| pair[0].0 < pair[1].0) {
            return Err(Refusal::BadName);
        }
        let borrowed = labels.iter().filter(|(name, _)| *name != NAME);
        let borrowed = borrowed.map(|(name, value)| (Cow::Borrowed(*name), Cow::Borrowed(*value)));
        let name = labels.iter().find(|(name, _)| *name == NAME).map(|(_, value)| *value);
        Self::new(Cow::Borrowed(name.unwrap_or_default()), borrowed.collect())
    }

    /// From labels in any order, of which none is there twice.
    pub(super) fn new(name: Cow<'a, str>, mut labels: Vec<Field<'a>>) -> Result<Self, Refusal> {
        if name.is_empty() || labels.iter().any(|(name, _)| name.is_empty()) {
            return Err(Refusal::BadName);
        }
        let text = labels.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() + name.len();
        if text > MAX_TEXT {
            return Err(Refusal::TooLong);
        }
        // To Prometheus, an empty label is none.
        labels.retain(|(_, value)| !value.is_empty());
        let (service, host) = place(&labels);
        Ok(Self { sample: SampleRecord { ts: None, service, host, name, value: 0.0, labels }, text })
    }

    /// One sample of the series.
    pub(super) fn at(&self, ts: Option<Timestamp>, value: f64) -> SampleRecord<'a> {
        SampleRecord { ts, value, ..self.sample.clone() }
    }
}

/// The label that holds the name.
pub(super) const NAME: &str = "__name__";

/// The service and host that labels tell of.
pub(super) fn place<'a>(labels: &[Field<'a>]) -> (Option<Cow<'a, str>>, Option<Cow<'a, str>>) {
    let label = |name: &str| labels.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let service = label("service").or_else(|| label("job"));
    let host = label("instance").map(|instance| match instance {
        Cow::Borrowed(text) => Cow::Borrowed(host_of(text)),
        Cow::Owned(text) => Cow::Owned(host_of(&text).to_owned()),
    });
    (service, host.filter(|host| !host.is_empty()))
}

/// The host of `web-1:9100`, `[2001:db8::7]:9100`, or of the URL that a blackbox exporter probes.
fn host_of(instance: &str) -> &str {
    let rest = instance.split_once("://").map_or(instance, |(_, rest)| rest);
    let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some((address, _)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    match rest.split_once(':') {
        // An address of version 6 without brackets has no port.
        Some((_, port)) if port.contains(':') => rest,
        Some((host, _)) => host,
        None => rest,
    }
}

/// A time in milliseconds, as Prometheus tells it.
pub(super) fn moment(millis: i64) -> Result<Timestamp, Refusal> {
    let moment = millis.checked_mul(1000).map(Timestamp::from_micros).filter(|moment| moment.is_in_calendar());
    moment.ok_or(Refusal::BadTime)
}

/// Whether a value is the marker that its series ended: one of the many values that are no number.
pub(super) const fn is_stale(value: f64) -> bool {
    value.to_bits() == 0x7ff0_0000_0000_0002
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_sorted_single_and_named() {
        for (case, labels, want) in [
            ("good", &[("__name__", "up"), ("a", "1"), ("b", "")][..], Ok(1)),
            ("no name", &[("a", "1")], Err(Refusal::BadName)),
            ("empty name", &[("__name__", "")], Err(Refusal::BadName)),
            ("not sorted", &[("b", "1"), ("__name__", "up")], Err(Refusal::BadName)),
            ("twice", &[("__name__", "up"), ("a", "1"), ("a", "2")], Err(Refusal::BadName)),
            ("a label without a name", &[("", "1"), ("__name__", "up")], Err(Refusal::BadName)),
        ] {
            assert_eq!(Series::from_sorted(labels).map(|series| series.sample.labels.len()), want, "{case}");
        }
        let long = "x".repeat(MAX_TEXT);
        assert_eq!(Series::from_sorted(&[("__name__", "up"), ("a", &long)]), Err(Refusal::TooLong));
    }

    #[test]
    fn labels_name_the_service_and_the_host() {
        let up = |labels: &[(&'static str, &'static str)]| {
            let labels: Vec<_> = [("__name__", "up")].iter().chain(labels).copied().collect();
            let sample = Series::from_sorted(&labels).unwrap().sample;
            (sample.service.map(Cow::into_owned), sample.host.map(Cow::into_owned))
        };
        let some = |text: &str| Some(text.to_owned());
        for (labels, want) in [
            (&[("instance", "web-1:9100"), ("job", "node")][..], (some("node"), some("web-1"))),
            (&[("job", "node"), ("service", "shop")], (some("shop"), None)),
            (&[("instance", "[2001:db8::7]:9100")], (None, some("2001:db8::7"))),
            (&[("instance", "2001:db8::7")], (None, some("2001:db8::7"))),
            (&[("instance", "https://shop.example:8443/health?a=b")], (None, some("shop.example"))),
            (&[("instance", "")], (None, None)),
        ] {
            assert_eq!(up(labels), want, "{labels:?}");
        }
    }

    #[test]
    fn times_stay_within_the_calendar() {
        assert_eq!(moment(1500).unwrap().micros(), 1_500_000);
        assert_eq!(moment(i64::MAX), Err(Refusal::BadTime));
        assert_eq!(moment(i64::MIN / 1000), Err(Refusal::BadTime));
    }
}
