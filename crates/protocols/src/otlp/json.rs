//! OTLP/JSON records to the messages that protobuf knows.
//!
//! By hand, although `opentelemetry-proto` can derive it (`with-serde`): that fails on an unknown member of a value, a
//! key without a name, `null` for a list or text, an enum by name and a number as `1e3`, all of which the specification
//! allows or senders write; and one bad id would spoil the whole request, where only its record is to be refused.

use super::ids::from_hex;
use crate::observed::Refusal;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, ExponentialHistogramDataPoint, HistogramDataPoint, NumberDataPoint, SummaryDataPoint,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use serde_json::{Map, Value};

type Read<T> = Result<T, Refusal>;

pub(super) fn resource(json: &Value) -> Read<Resource> {
    Ok(Resource { attributes: attributes(object(json)?)?, ..Resource::default() })
}

pub(super) fn scope(json: &Value) -> Read<InstrumentationScope> {
    let from = object(json)?;
    Ok(InstrumentationScope {
        name: text(from, "name")?,
        version: text(from, "version")?,
        attributes: attributes(from)?,
        ..InstrumentationScope::default()
    })
}

pub(super) fn log_record(json: &Value) -> Read<LogRecord> {
    let from = object(json)?;
    let severity = |name: &str| SeverityNumber::from_str_name(name).map(i32::from);
    Ok(LogRecord {
        time_unix_nano: time(from, "timeUnixNano")?,
        observed_time_unix_nano: time(from, "observedTimeUnixNano")?,
        severity_number: choice(from, "severityNumber", severity)?,
        severity_text: text(from, "severityText")?,
        body: member(from, "body").map(any_value).transpose()?,
        attributes: attributes(from)?,
        dropped_attributes_count: whole(from, "droppedAttributesCount")?,
        flags: whole(from, "flags")?,
        trace_id: id(from, "traceId")?,
        span_id: id(from, "spanId")?,
        event_name: text(from, "eventName")?,
    })
}

pub(super) fn span(json: &Value) -> Read<Span> {
    let from = object(json)?;
    Ok(Span {
        trace_id: id(from, "traceId")?,
        span_id: id(from, "spanId")?,
        trace_state: text(from, "traceState")?,
        parent_span_id: id(from, "parentSpanId")?,
        flags: whole(from, "flags")?,
        name: text(from, "name")?,
        kind: choice(from, "kind", |name| SpanKind::from_str_name(name).map(i32::from))?,
        start_time_unix_nano: time(from, "startTimeUnixNano")?,
        end_time_unix_nano: time(from, "endTimeUnixNano")?,
        attributes: attributes(from)?,
        dropped_attributes_count: whole(from, "droppedAttributesCount")?,
        events: list(from, "events", event)?,
        dropped_events_count: whole(from, "droppedEventsCount")?,
        links: list(from, "links", link)?,
        dropped_links_count: whole(from, "droppedLinksCount")?,
        status: member(from, "status").map(status).transpose()?,
    })
}

fn event(json: &Value) -> Read<Event> {
    let from = object(json)?;
    Ok(Event {
        time_unix_nano: time(from, "timeUnixNano")?,
        name: text(from, "name")?,
        attributes: attributes(from)?,
        dropped_attributes_count: whole(from, "droppedAttributesCount")?,
    })
}

fn link(json: &Value) -> Read<Link> {
    let from = object(json)?;
    Ok(Link {
        trace_id: id(from, "traceId")?,
        span_id: id(from, "spanId")?,
        trace_state: text(from, "traceState")?,
        attributes: attributes(from)?,
        dropped_attributes_count: whole(from, "droppedAttributesCount")?,
        flags: whole(from, "flags")?,
    })
}

fn status(json: &Value) -> Read<Status> {
    let from = object(json)?;
    let code = choice(from, "code", |name| StatusCode::from_str_name(name).map(i32::from))?;
    Ok(Status { message: text(from, "message")?, code })
}

pub(super) fn number_point(json: &Value) -> Read<NumberDataPoint> {
    let from = object(json)?;
    let value = match (member(from, "asInt"), member(from, "asDouble")) {
        (Some(int), _) => Some(Number::AsInt(signed(int)?)),
        (None, Some(double)) => Some(Number::AsDouble(float(double)?)),
        (None, None) => None,
    };
    Ok(NumberDataPoint {
        attributes: attributes(from)?,
        start_time_unix_nano: time(from, "startTimeUnixNano")?,
        time_unix_nano: time(from, "timeUnixNano")?,
        flags: whole(from, "flags")?,
        value,
        ..NumberDataPoint::default()
    })
}

pub(super) fn histogram_point(json: &Value) -> Read<HistogramDataPoint> {
    let from = object(json)?;
    Ok(HistogramDataPoint {
        attributes: attributes(from)?,
        time_unix_nano: time(from, "timeUnixNano")?,
        count: count(from, "count")?,
        sum: member(from, "sum").map(float).transpose()?,
        bucket_counts: list(from, "bucketCounts", unsigned)?,
        explicit_bounds: list(from, "explicitBounds", float)?,
        flags: whole(from, "flags")?,
        ..HistogramDataPoint::default()
    })
}

pub(super) fn exponential_point(json: &Value) -> Read<ExponentialHistogramDataPoint> {
    let from = object(json)?;
    Ok(ExponentialHistogramDataPoint {
        attributes: attributes(from)?,
        time_unix_nano: time(from, "timeUnixNano")?,
        count: count(from, "count")?,
        sum: member(from, "sum").map(float).transpose()?,
        scale: small(from, "scale")?,
        zero_count: count(from, "zeroCount")?,
        positive: member(from, "positive").map(buckets).transpose()?,
        negative: member(from, "negative").map(buckets).transpose()?,
        flags: whole(from, "flags")?,
        zero_threshold: member(from, "zeroThreshold").map_or(Ok(0.0), float)?,
        ..ExponentialHistogramDataPoint::default()
    })
}

fn buckets(json: &Value) -> Read<Buckets> {
    let from = object(json)?;
    Ok(Buckets { offset: small(from, "offset")?, bucket_counts: list(from, "bucketCounts", unsigned)? })
}

pub(super) fn summary_point(json: &Value) -> Read<SummaryDataPoint> {
    let from = object(json)?;
    Ok(SummaryDataPoint {
        attributes: attributes(from)?,
        time_unix_nano: time(from, "timeUnixNano")?,
        count: count(from, "count")?,
        sum: member(from, "sum").map_or(Ok(0.0), float)?,
        quantile_values: list(from, "quantileValues", quantile)?,
        flags: whole(from, "flags")?,
        ..SummaryDataPoint::default()
    })
}

fn quantile(json: &Value) -> Read<ValueAtQuantile> {
    let from = object(json)?;
    let number = |name| member(from, name).map_or(Ok(0.0), float);
    Ok(ValueAtQuantile { quantile: number("quantile")?, value: number("value")? })
}

/// The temporality of a sum or histogram, by number or name.
pub(super) fn temporality(json: &Value) -> Read<i32> {
    enum_number(json, |name| AggregationTemporality::from_str_name(name).map(i32::from))
}

fn attributes(from: &Map<String, Value>) -> Read<Vec<KeyValue>> {
    list(from, "attributes", key_value)
}

fn key_value(json: &Value) -> Read<KeyValue> {
    let from = object(json)?;
    let value = member(from, "value").map(any_value).transpose()?;
    Ok(KeyValue { key: text(from, "key")?, value, ..KeyValue::default() })
}

/// A value; one without any known member is empty.
fn any_value(json: &Value) -> Read<AnyValue> {
    let from = object(json)?;
    let mut value = None;
    for (name, json) in from.iter().filter(|(_, json)| !json.is_null()) {
        value = match name.as_str() {
            "stringValue" => Some(Any::StringValue(json.as_str().ok_or(Refusal::Malformed)?.to_owned())),
            "boolValue" => Some(Any::BoolValue(json.as_bool().ok_or(Refusal::Malformed)?)),
            "intValue" => Some(Any::IntValue(signed(json)?)),
            "doubleValue" => Some(Any::DoubleValue(float(json)?)),
            "bytesValue" => Some(Any::BytesValue(bytes(json)?)),
            "arrayValue" => Some(Any::ArrayValue(ArrayValue { values: list(object(json)?, "values", any_value)? })),
            "kvlistValue" => Some(Any::KvlistValue(KeyValueList { values: list(object(json)?, "values", key_value)? })),
            _ => value,
        };
    }
    Ok(AnyValue { value })
}

fn object(json: &Value) -> Read<&Map<String, Value>> {
    json.as_object().ok_or(Refusal::NotAMap)
}

/// The member of this name; `null` is none.
fn member<'a>(from: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    from.get(name).filter(|value| !value.is_null())
}

fn list<T>(from: &Map<String, Value>, name: &str, read: impl Fn(&Value) -> Read<T>) -> Read<Vec<T>> {
    let Some(list) = member(from, name) else { return Ok(Vec::new()) };
    list.as_array().ok_or(Refusal::Malformed)?.iter().map(read).collect()
}

fn text(from: &Map<String, Value>, name: &str) -> Read<String> {
    member(from, name).map_or(Ok(String::new()), |text| text.as_str().map(str::to_owned).ok_or(Refusal::Malformed))
}

fn id(from: &Map<String, Value>, name: &str) -> Read<Vec<u8>> {
    let Some(id) = member(from, name) else { return Ok(Vec::new()) };
    id.as_str().and_then(from_hex).ok_or(Refusal::BadId)
}

fn time(from: &Map<String, Value>, name: &str) -> Read<u64> {
    member(from, name).map_or(Ok(0), |time| unsigned(time).map_err(|_| Refusal::BadTime))
}

fn count(from: &Map<String, Value>, name: &str) -> Read<u64> {
    member(from, name).map_or(Ok(0), unsigned)
}

fn whole(from: &Map<String, Value>, name: &str) -> Read<u32> {
    u32::try_from(count(from, name)?).map_err(|_| Refusal::BadValue)
}

fn small(from: &Map<String, Value>, name: &str) -> Read<i32> {
    let number = member(from, name).map_or(Ok(0), signed)?;
    i32::try_from(number).map_err(|_| Refusal::BadValue)
}

fn choice(from: &Map<String, Value>, name: &str, by_name: impl Fn(&str) -> Option<i32>) -> Read<i32> {
    member(from, name).map_or(Ok(0), |value| enum_number(value, by_name))
}

/// The specification allows numbers only; senders with a generic protobuf-to-JSON library write names.
fn enum_number(json: &Value, by_name: impl Fn(&str) -> Option<i32>) -> Read<i32> {
    let number = json.as_i64().and_then(|number| i32::try_from(number).ok());
    number.or_else(|| json.as_str().and_then(by_name)).ok_or(Refusal::BadValue)
}

/// A 64-bit number, as number or text.
fn unsigned(json: &Value) -> Read<u64> {
    let number = json.as_u64().or_else(|| json.as_str()?.parse().ok());
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // within range by the check
    number.or_else(|| integral(json, 0.0..18e18).map(|number| number as u64)).ok_or(Refusal::BadValue)
}

/// A 64-bit number with a sign, as number or text.
fn signed(json: &Value) -> Read<i64> {
    let number = json.as_i64().or_else(|| json.as_str()?.parse().ok());
    #[allow(clippy::cast_possible_truncation)] // within range by the check
    number.or_else(|| integral(json, -9e18..9e18).map(|number| number as i64)).ok_or(Refusal::BadValue)
}

/// A whole number that was written as a double (`3.0`, `1e3`).
fn integral(json: &Value, range: std::ops::Range<f64>) -> Option<f64> {
    json.as_f64().filter(|number| number.fract().abs() == 0.0 && range.contains(number))
}

/// A double, as number or text (`NaN`, `Infinity`, `-Infinity`).
fn float(json: &Value) -> Read<f64> {
    json.as_f64().or_else(|| json.as_str()?.parse().ok()).ok_or(Refusal::BadValue)
}

/// Base64 with or without padding.
fn bytes(json: &Value) -> Read<Vec<u8>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    LENIENT.decode(json.as_str().ok_or(Refusal::Malformed)?).map_err(|_| Refusal::Malformed)
}
