//! The smaller items: sessions, check-ins, logs, metrics.

use super::trace::{attributes, count, finite, plain};
use super::{Project, event};
use crate::lenient::{Fields, hex_id, short, text, time, whole};
use crate::observed::{EventRecord, LogRecord, Observer, Refusal, SampleRecord};
use serde_json::Value;
use signal::log::Severity;
use std::borrow::Cow;

/// How a session can end. The person (`did`) is never handed over.
const ENDS: [&str; 5] = ["exited", "errored", "crashed", "abnormal", "unhandled"];

/// One session's start, progress or end. Counts have the names of [`sessions`], so that both can be summed.
pub(super) fn session(session: &Value, project: Project<'_>, observer: &mut impl Observer) -> Result<(), Refusal> {
    if !session.is_object() {
        return Err(Refusal::NotAMap);
    }
    let status = text(&session["status"]).unwrap_or(Cow::Borrowed("ok"));
    let errors = count(&session["errors"]);
    let mut fields = Fields::default();
    if session["init"] == true {
        fields.push("started", "1");
    }
    // A session that ended well after errors counts as one with errors, as in the aggregates.
    let end = if status == "exited" && errors > 0 { "errored" } else { &*status };
    if let Some(end) = ENDS.into_iter().find(|known| *known == end) {
        fields.push(end, "1");
    }
    if errors > 0 {
        fields.push("errors", errors.to_string());
    }
    fields.push_some("duration_s", text(&session["duration"]));
    let ts = time(&session["timestamp"]).or_else(|| time(&session["started"]));
    observer.event(session_event(ts, &session["attrs"], Some(status), project, fields));
    Ok(())
}

/// Counts of sessions that started in the same minute.
pub(super) fn sessions(item: &Value, project: Project<'_>, observer: &mut impl Observer) -> Result<(), Refusal> {
    let Some(buckets) = item["aggregates"].as_array() else { return Err(Refusal::Malformed) };
    for bucket in buckets {
        let mut fields = Fields::default();
        let mut all = 0_u64;
        for end in ENDS {
            let many = count(&bucket[end]);
            all = all.saturating_add(many);
            if many > 0 {
                fields.push(end, many.to_string());
            }
        }
        fields.push("started", all.to_string());
        observer.event(session_event(time(&bucket["started"]), &item["attrs"], None, project, fields));
    }
    Ok(())
}

fn session_event<'a>(
    ts: Option<base::Timestamp>,
    attributes: &'a Value,
    state: Option<Cow<'a, str>>,
    project: Project<'a>,
    mut fields: Fields<'a>,
) -> EventRecord<'a> {
    let release = short(&attributes["release"]);
    fields.push_some("release", release.clone());
    fields.push_some("environment", short(&attributes["environment"]));
    EventRecord {
        ts,
        service: Some(Cow::Borrowed(project.service)),
        host: None,
        kind: "session",
        name: release.unwrap_or(Cow::Borrowed(project.service)),
        state,
        fields: fields.finish(),
    }
}

/// A cron job that started or ended: a heartbeat.
pub(super) fn check_in(item: &Value, project: Project<'_>, observer: &mut impl Observer) -> Result<(), Refusal> {
    let name = text(&item["monitor_slug"]).ok_or(Refusal::BadName)?;
    let status = text(&item["status"]);
    let state = match status.as_deref() {
        Some("ok") => "ok",
        Some("in_progress") => "start",
        Some("error" | "missed" | "timeout") => "fail",
        _ => return Err(Refusal::Malformed),
    };
    let mut fields = Fields::default();
    fields.push_some("run_id", text(&item["check_in_id"]));
    fields.push_some("duration_s", text(&item["duration"]));
    fields.push_some("release", text(&item["release"]));
    fields.push_some("environment", text(&item["environment"]));
    fields.flatten("schedule", &item["monitor_config"]["schedule"]);
    observer.event(EventRecord {
        ts: time(&item["timestamp"]),
        service: Some(Cow::Borrowed(project.service)),
        host: text(&item["server_name"]),
        kind: "heartbeat",
        name,
        state: Some(Cow::Borrowed(state)),
        fields: fields.finish(),
    });
    Ok(())
}

/// A container of log records.
pub(super) fn logs(container: &Value, project: Project<'_>, observer: &mut impl Observer) -> Result<(), Refusal> {
    let Some(items) = container["items"].as_array() else { return Err(Refusal::Malformed) };
    for item in items {
        if !item.is_object() {
            observer.refuse(Refusal::NotAMap, item.to_string().as_bytes());
            continue;
        }
        let number = whole(&item["severity_number"]).and_then(|number| i32::try_from(number).ok());
        let severity = event::severity(&item["level"]).or_else(|| number.and_then(Severity::from_otel));
        let trace_id = text(&item["trace_id"]);
        let mut fields = Fields::default();
        attributes(&item["attributes"], &mut fields);
        observer.log(LogRecord {
            ts: time(&item["timestamp"]),
            service: Some(Cow::Borrowed(project.service)),
            host: text(plain(&item["attributes"]["server.address"])),
            severity,
            body: text(&item["body"]).unwrap_or_default(),
            trace_id: trace_id.as_deref().and_then(hex_id),
            fields: fields.finish(),
        });
    }
    Ok(())
}

/// A container of metrics.
pub(super) fn metrics(container: &Value, project: Project<'_>, observer: &mut impl Observer) -> Result<(), Refusal> {
    let Some(items) = container["items"].as_array() else { return Err(Refusal::Malformed) };
    for item in items {
        let refusal = match (text(&item["name"]), finite(&item["value"])) {
            (None, _) => Refusal::BadName,
            (Some(_), None) => Refusal::BadValue,
            (Some(name), Some(value)) => {
                let mut labels = Fields::default();
                labels.push_some("type", text(&item["type"]));
                labels.push_some("unit", text(&item["unit"]));
                attributes(&item["attributes"], &mut labels);
                observer.sample(SampleRecord {
                    ts: time(&item["timestamp"]),
                    service: Some(Cow::Borrowed(project.service)),
                    host: text(plain(&item["attributes"]["server.address"])),
                    name,
                    value,
                    labels: labels.finish(),
                });
                continue;
            }
        };
        observer.refuse(refusal, item.to_string().as_bytes());
    }
    Ok(())
}
