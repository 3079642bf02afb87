//! Metrics to samples: every data point becomes one sample, or those of a histogram or summary.
//!
//! Prometheus's shapes are used for all (`_bucket` with `le`, `_count`, `_sum`, `quantile`), so that a histogram reads
//! the same whichever way it came in. Only a delta says so (`temporality=delta`): it can't be read as a counter.

use super::attributes::{inherit, push};
use super::logs::moment;
use super::origin::{MAX_TEXT, Origin, text_of};
use super::walk::{Items, Raw, for_each_element, for_each_field, named, walk};
use super::{Encoding, Intake, Outcome, json};
use crate::budget::Budget;
use crate::histogram::{Cumulative, Exponential, MAX_BUCKETS, SeriesNames, Sign, number_text};
use crate::observed::{DecodeError, Field, Observer, Refusal, SampleRecord};
use crate::wire::{Part, Value};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, ExponentialHistogramDataPoint, HistogramDataPoint, Metric, NumberDataPoint,
    SummaryDataPoint,
};
use std::borrow::Cow;

/// Most samples of one point: those of a histogram with buckets on both sides of zero.
const MAX_SAMPLES: usize = 2 * MAX_BUCKETS + 5;

/// Set on a point which only says that its series has no value now.
const NO_RECORDED_VALUE: u32 = 1;

/// Reads an `ExportMetricsServiceRequest`.
pub fn metrics(body: &[u8], encoding: Encoding, observer: &mut dyn Observer) -> Result<Outcome, DecodeError> {
    let mut intake = Intake::new(observer);
    let mut budget = Budget::new("samples in one request");
    walk(body, encoding, Items::Metrics, &mut |origin, raw| {
        let head = match raw {
            Raw::Protobuf(metric) => Head::of_protobuf(metric)?,
            Raw::Json(metric) => Head::of_json(metric, body)?,
        };
        if head.points.is_none() {
            intake.refuse(Refusal::Unknown, raw.bytes());
        }
        head.for_each_point(body, &mut |point| {
            let read = origin.and_then(|origin| Ok((origin, head.point(point)?)));
            let read =
                read.and_then(|read| if read.1.samples() <= MAX_SAMPLES { Ok(read) } else { Err(Refusal::TooLong) });
            match read {
                Ok((origin, read)) => {
                    budget.spend(read.samples(), origin.text + point.bytes().len())?;
                    intake.take_point(&head.series, origin, &read, || point.bytes().to_vec());
                }
                Err(why) => {
                    budget.spend(1, 0)?;
                    intake.refuse(why, point.bytes());
                }
            }
            Ok(())
        })
    })?;
    Ok(intake.outcome)
}

/// Hands over what a decoded metrics request holds.
pub fn observe_metrics(request: &ExportMetricsServiceRequest, observer: &mut dyn Observer) -> Outcome {
    let mut intake = Intake::new(observer);
    for group in &request.resource_metrics {
        for scope_group in &group.scope_metrics {
            let origin = Origin::new(group.resource.as_ref(), scope_group.scope.as_ref());
            for metric in &scope_group.metrics {
                intake.take_metric(metric, origin.as_ref().map_err(|why| *why));
            }
        }
    }
    intake.outcome
}

/// One data point of any kind.
enum Point<'a> {
    Number(Cow<'a, NumberDataPoint>),
    Histogram(Cow<'a, HistogramDataPoint>),
    Exponential(Cow<'a, ExponentialHistogramDataPoint>),
    Summary(Cow<'a, SummaryDataPoint>),
}

/// What the points of a metric have in common.
#[derive(Debug)]
struct Series {
    name: String,
    names: SeriesNames,
    delta: bool,
}

impl Series {
    fn new(name: &str, temporality: i32) -> Self {
        let delta = temporality == AggregationTemporality::Delta as i32;
        Self { name: name.to_owned(), names: SeriesNames::new(name), delta }
    }
}

/// Kinds of metrics, by their field number in protobuf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Histogram,
    Exponential,
    Summary,
}

/// A metric of which the points were not read yet.
struct Head<'a> {
    series: Series,
    /// Its kind and points: the message which holds them, or their list in JSON. `None` for a kind unknown here.
    points: Option<(Kind, Raw<'a>)>,
}

impl<'a> Head<'a> {
    fn of_protobuf(metric: Part<'a>) -> Result<Self, DecodeError> {
        let (mut name, mut points) = ("", None);
        let mut fields = metric.fields();
        while let Some((number, value)) = fields.next()? {
            let Value::Bytes(part) = value else { continue };
            let kind = match number {
                1 => {
                    name = part.text()?;
                    continue;
                }
                5 | 7 => Kind::Number,
                9 => Kind::Histogram,
                10 => Kind::Exponential,
                11 => Kind::Summary,
                _ => continue,
            };
            points = Some((kind, part));
        }
        let temporality = points.map_or(Ok(0), |(_, part)| temporality_of(part))?;
        Ok(Self {
            series: Series::new(name, temporality),
            points: points.map(|(kind, part)| (kind, Raw::Protobuf(part))),
        })
    }

    fn of_json(metric: &'a str, body: &[u8]) -> Result<Self, DecodeError> {
        const KINDS: [Kind; 5] = [Kind::Number, Kind::Number, Kind::Histogram, Kind::Exponential, Kind::Summary];
        let [name, kinds @ ..] =
            named(metric, ["name", "gauge", "sum", "histogram", "exponentialHistogram", "summary"], body)?;
        let name: Cow<'_, str> = name.and_then(|name| serde_json::from_str(name).ok()).unwrap_or_default();
        let data =
            KINDS.into_iter().zip(kinds).find_map(|(kind, data)| Some((kind, data.filter(|data| *data != "null")?)));
        let Some((kind, data)) = data else { return Ok(Self { series: Series::new(&name, 0), points: None }) };
        let [temporality, points] = named(data, ["aggregationTemporality", "dataPoints"], body)?;
        let temporality = temporality.and_then(|json| serde_json::from_str(json).ok());
        let temporality = temporality.and_then(|json| json::temporality(&json).ok()).unwrap_or(0);
        let points = Raw::Json(points.unwrap_or("null"));
        Ok(Self { series: Series::new(&name, temporality), points: Some((kind, points)) })
    }

    fn for_each_point(
        &self,
        body: &[u8],
        each: &mut dyn FnMut(Raw<'a>) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        match self.points {
            Some((_, Raw::Protobuf(data))) => for_each_field(data, 1, |point| each(Raw::Protobuf(point))),
            Some((_, Raw::Json(points))) => for_each_element(Some(points), body, |point| each(Raw::Json(point))),
            None => Ok(()),
        }
    }

    fn point(&self, raw: Raw<'_>) -> Result<Point<'static>, Refusal> {
        let (kind, _) = self.points.ok_or(Refusal::Malformed)?;
        Ok(match kind {
            Kind::Number => Point::Number(Cow::Owned(raw.read(json::number_point)?)),
            Kind::Histogram => Point::Histogram(Cow::Owned(raw.read(json::histogram_point)?)),
            Kind::Exponential => Point::Exponential(Cow::Owned(raw.read(json::exponential_point)?)),
            Kind::Summary => Point::Summary(Cow::Owned(raw.read(json::summary_point)?)),
        })
    }
}

/// Field 2 of a sum or a histogram; gauges and summaries have none.
fn temporality_of(data: Part<'_>) -> Result<i32, DecodeError> {
    let mut fields = data.fields();
    let mut found = 0;
    while let Some((number, value)) = fields.next()? {
        if let (2, Value::Varint(value)) = (number, value) {
            found = i32::try_from(value).unwrap_or(0);
        }
    }
    Ok(found)
}

impl Intake<'_> {
    fn take_metric(&mut self, metric: &Metric, origin: Result<&Origin, Refusal>) {
        let Some(data) = &metric.data else {
            use prost::Message;
            return self.refuse(Refusal::Unknown, &metric.encode_to_vec());
        };
        let (temporality, points): (i32, Vec<Point<'_>>) = match data {
            Data::Gauge(gauge) => {
                (0, gauge.data_points.iter().map(|point| Point::Number(Cow::Borrowed(point))).collect())
            }
            Data::Sum(sum) => {
                let points = sum.data_points.iter().map(|point| Point::Number(Cow::Borrowed(point)));
                (sum.aggregation_temporality, points.collect())
            }
            Data::Histogram(histogram) => {
                let points = histogram.data_points.iter().map(|point| Point::Histogram(Cow::Borrowed(point)));
                (histogram.aggregation_temporality, points.collect())
            }
            Data::ExponentialHistogram(histogram) => {
                let points = histogram.data_points.iter().map(|point| Point::Exponential(Cow::Borrowed(point)));
                (histogram.aggregation_temporality, points.collect())
            }
            Data::Summary(summary) => {
                (0, summary.data_points.iter().map(|point| Point::Summary(Cow::Borrowed(point))).collect())
            }
        };
        let series = Series::new(&metric.name, temporality);
        for point in &points {
            match origin {
                Ok(origin) => self.take_point(&series, origin, point, || point.encoded()),
                Err(why) => self.refuse(why, &point.encoded()),
            }
        }
    }

    /// Takes one data point; `bytes` tells what it looked like.
    fn take_point(&mut self, series: &Series, origin: &Origin, point: &Point<'_>, bytes: impl FnOnce() -> Vec<u8>) {
        if point.is_stale() {
            self.outcome.accept();
            self.outcome.stale += 1;
            return;
        }
        let before = self.observer.declined();
        match observe(series, origin, point, self.observer) {
            Ok(()) => self.count(before),
            Err(why) => self.refuse(why, &bytes()),
        }
    }
}

impl Point<'_> {
    fn is_stale(&self) -> bool {
        let flags = match self {
            Self::Number(point) => point.flags,
            Self::Histogram(point) => point.flags,
            Self::Exponential(point) => point.flags,
            Self::Summary(point) => point.flags,
        };
        flags & NO_RECORDED_VALUE != 0
    }

    /// How many samples it becomes, at most.
    fn samples(&self) -> usize {
        let of_side = |side: &Option<Buckets>| side.as_ref().map_or(0, |side| side.bucket_counts.len());
        match self {
            Self::Number(_) => 1,
            Self::Histogram(point) => point.bucket_counts.len() + 3,
            Self::Exponential(point) => of_side(&point.positive) + of_side(&point.negative) + 5,
            Self::Summary(point) => point.quantile_values.len() + 2,
        }
    }

    fn head(&self) -> (u64, &[KeyValue]) {
        match self {
            Self::Number(point) => (point.time_unix_nano, &point.attributes),
            Self::Histogram(point) => (point.time_unix_nano, &point.attributes),
            Self::Exponential(point) => (point.time_unix_nano, &point.attributes),
            Self::Summary(point) => (point.time_unix_nano, &point.attributes),
        }
    }

    fn encoded(&self) -> Vec<u8> {
        use prost::Message;
        match self {
            Self::Number(point) => point.encode_to_vec(),
            Self::Histogram(point) => point.encode_to_vec(),
            Self::Exponential(point) => point.encode_to_vec(),
            Self::Summary(point) => point.encode_to_vec(),
        }
    }
}

fn observe(series: &Series, origin: &Origin, point: &Point<'_>, observer: &mut dyn Observer) -> Result<(), Refusal> {
    if series.name.is_empty() {
        return Err(Refusal::BadName);
    }
    let (time, attributes) = point.head();
    let at = SampleRecord {
        ts: moment(time),
        service: origin.service(),
        host: origin.host(),
        name: Cow::Borrowed(&series.name),
        value: 0.0,
        labels: labels(attributes, origin, series.delta)?,
    };
    match point {
        Point::Number(point) => {
            let value = match point.value.ok_or(Refusal::BadValue)? {
                Number::AsDouble(value) => value,
                Number::AsInt(value) => value as f64,
            };
            observer.sample(SampleRecord { value, ..at });
        }
        Point::Histogram(point) => explicit(point)?.observe(&series.names, &at, observer),
        Point::Exponential(point) => exponential(point)?.observe(&series.names, &at, observer),
        Point::Summary(point) => summary(point, series, &at, observer)?,
    }
    Ok(())
}

fn labels<'a>(attributes: &'a [KeyValue], origin: &'a Origin, delta: bool) -> Result<Vec<Field<'a>>, Refusal> {
    let mut labels = Vec::with_capacity(attributes.len() + origin.labels.len() + 1);
    push(attributes, |_| true, &mut labels)?;
    inherit(&mut labels, &origin.labels);
    if delta {
        labels.push((Cow::Borrowed("temporality"), Cow::Borrowed("delta")));
    }
    if text_of(&labels) > MAX_TEXT {
        return Err(Refusal::TooLong);
    }
    Ok(labels)
}

fn explicit(point: &HistogramDataPoint) -> Result<Cumulative, Refusal> {
    // A histogram may leave its buckets out and tell only count and sum.
    let histogram = if point.bucket_counts.is_empty() {
        Cumulative::default()
    } else {
        Cumulative::from_counts(&point.explicit_bounds, point.bucket_counts.iter().map(|count| *count as f64))?
    };
    Ok(Cumulative { count: point.count as f64, sum: point.sum, ..histogram })
}

fn exponential(point: &ExponentialHistogramDataPoint) -> Result<Cumulative, Refusal> {
    let mut buckets = Exponential::new(point.scale)?;
    for (sign, side) in [(Sign::Positive, &point.positive), (Sign::Negative, &point.negative)] {
        let Some(Buckets { offset, bucket_counts }) = side else { continue };
        if bucket_counts.len() > MAX_BUCKETS {
            return Err(Refusal::TooLong);
        }
        // OpenTelemetry numbers a bucket by its lower bound, `Exponential` by its upper one.
        for (index, count) in (i64::from(*offset) + 1..).zip(bucket_counts) {
            buckets.add(sign, index, *count as f64);
        }
    }
    let found = buckets.cumulative(point.zero_threshold, point.zero_count as f64)?;
    Ok(Cumulative { count: point.count as f64, sum: point.sum, ..found })
}

fn summary(
    point: &SummaryDataPoint,
    series: &Series,
    at: &SampleRecord<'_>,
    observer: &mut dyn Observer,
) -> Result<(), Refusal> {
    if point.quantile_values.len() > MAX_BUCKETS {
        return Err(Refusal::TooLong);
    }
    for quantile in &point.quantile_values {
        let mut sample = SampleRecord { value: quantile.value, ..at.clone() };
        sample.labels.push((Cow::Borrowed("quantile"), Cow::Owned(number_text(quantile.quantile))));
        observer.sample(sample);
    }
    let totals = Cumulative { count: point.count as f64, sum: Some(point.sum), ..Cumulative::default() };
    totals.observe_totals(&series.names, at, observer);
    Ok(())
}
