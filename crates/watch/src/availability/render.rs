//! The report as Markdown for people and CSV for spreadsheets.

use super::{Figures, Measure, Report, days};
use crate::signals::number;
use crate::texts::Texts;
use base::{Span, Timestamp};
use jiff::tz::TimeZone;

/// The report as a Markdown document.
pub fn markdown(report: &Report, texts: &Texts) -> String {
    let zone = TimeZone::get(&report.time_zone).unwrap_or(TimeZone::UTC);
    let get = |key: &str| texts.get(key);
    let mut lines = vec![
        format!("# {}", texts.say("watch-report-title", &[("service", &report.service), ("month", &report.month)])),
        String::new(),
        texts.say(
            "watch-report-range",
            &[
                ("from", &local(report.range.from, &zone)),
                ("to", &local(report.range.to, &zone)),
                ("zone", &report.time_zone),
            ],
        ),
    ];
    if let (Some(target), Some(allowed)) = (report.target, report.allowed) {
        let (target, allowed) = (number(target * 100.0), minutes(allowed));
        lines.push(texts.say("watch-report-target", &[("target", &target), ("allowed", &allowed)]));
    }
    lines.push(String::new());
    lines.push(format!(
        "| {} | {} | {} |",
        get("watch-report-definition"),
        get("watch-report-with"),
        get("watch-report-without")
    ));
    lines.push("|---|---:|---:|".to_owned());
    let (with, without) = (&report.with_maintenance, &report.without_maintenance);
    for (key, pick) in definitions() {
        lines.push(format!("| {} | {} | {} |", get(key), cell(pick, with, texts), cell(pick, without, texts)));
    }
    lines.push(String::new());
    let count = |number: u64| number.to_string();
    let mut points = Vec::new();
    points.push(texts.say("watch-report-unknown", &[("minutes", &count(with.unknown_minutes))]));
    points.push(texts.say("watch-report-maintenance", &[("minutes", &count(report.maintenance_minutes))]));
    points.push(match report.users {
        Some(users) => texts.say(
            "watch-report-disappointed",
            &[("disappointed", &count(users.disappointed)), ("users", &count(users.all))],
        ),
        None => get("watch-report-users-unknown"),
    });
    if !report.incomplete_days.is_empty() {
        points.push(texts.say("watch-report-incomplete", &[("days", &named_days(report, texts))]));
    }
    if let Some(interval) = with.requests_interval {
        let (low, high) = (percent_down(interval.low), percent_down(interval.high));
        points.push(texts.say("watch-report-interval", &[("low", &low), ("high", &high)]));
    }
    lines.extend(points.iter().map(|point| format!("- {point}")));
    if !report.worst.is_empty() {
        lines.push(format!("\n## {}\n", get("watch-report-worst")));
        lines.push(format!(
            "| {} | {} | {} | {} |",
            get("watch-report-length"),
            get("watch-report-from"),
            get("watch-report-share"),
            get("watch-report-requests")
        ));
        lines.push("|---|---|---:|---:|".to_owned());
        for one in &report.worst {
            let (from, share) = (local(one.from, &zone), percent_down(one.share));
            lines.push(format!("| {} | {from} | {share} % | {} |", one.length, one.requests));
        }
    }
    lines.push(format!(
        "\n{}\n",
        texts.say(
            "watch-report-how",
            &[("cutoff", &report.cut_off.to_string()), ("share", &number(report.good_minute * 100.0)),]
        )
    ));
    lines.join("\n")
}

/// `2026-03-01 to 2026-03-12, 2026-03-15`.
fn named_days(report: &Report, texts: &Texts) -> String {
    let named = days::spans(&report.incomplete_days).into_iter().map(|(first, last)| {
        if first == last {
            return first.to_owned();
        }
        texts.say("watch-report-days", &[("first", first), ("last", last)])
    });
    named.collect::<Vec<_>>().join(", ")
}

type Pick = fn(&Figures) -> (Measure, Option<f64>);

/// Each definition's text, measure, and what its counts are divided by to be read.
fn definitions() -> [(&'static str, Pick); 3] {
    [
        ("watch-report-by-time", |figures| (figures.time, None)),
        ("watch-report-by-requests", |figures| (figures.requests, None)),
        ("watch-report-by-users", |figures| (figures.users, Some(60e6))),
    ]
}

/// `99.980 % (8635 of 8640)`.
fn cell(pick: Pick, figures: &Figures, texts: &Texts) -> String {
    let (measure, unit) = pick(figures);
    let Some(share) = measure.share() else { return texts.get("watch-report-no-data") };
    let shown = |count: u64| match unit {
        Some(unit) => number(count as f64 / unit),
        None => count.to_string(),
    };
    let counts = texts.say("watch-report-counts", &[("good", &shown(measure.good)), ("all", &shown(measure.all))]);
    format!("{} % ({counts})", percent_down(share))
}

/// Three digits, rounded down: 99.9996 % is not 100 %.
fn percent_down(share: f64) -> String {
    // 1e-9 undoes what multiplying adds: 0.9998 is stored as a bit less.
    format!("{:.3}", (share * 100_000.0 + 1e-9).floor() / 1000.0)
}

/// `8.64`.
fn minutes(span: Span) -> String {
    number(span.micros() as f64 / 60e6)
}

fn local(at: Timestamp, zone: &TimeZone) -> String {
    match jiff::Timestamp::from_microsecond(at.micros()) {
        Ok(moment) => moment.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string(),
        Err(_) => at.to_string(),
    }
}

/// The report as CSV: one line a figure, names in snake case, times RFC 3339. The same in every language.
pub fn csv(report: &Report) -> String {
    let mut out = "service,month,time_zone,measure,maintenance,good,all,share\r\n".to_owned();
    let mut row = |measure: &str, maintenance: &str, good: String, all: String, share: Option<f64>| {
        let share = share.map(|share| format!("{share:.6}")).unwrap_or_default();
        let cells = [&report.service, &report.month, &report.time_zone, measure, maintenance, &good, &all, &share];
        let cells: Vec<String> = cells.into_iter().map(guarded).collect();
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    };
    for (maintenance, figures) in [("with", &report.with_maintenance), ("without", &report.without_maintenance)] {
        let measures =
            [("time_minutes", figures.time), ("requests", figures.requests), ("user_microseconds", figures.users)];
        for (name, measure) in measures {
            row(name, maintenance, measure.good.to_string(), measure.all.to_string(), measure.share());
        }
    }
    let users =
        report.users.map(|users| Measure { good: users.all.saturating_sub(users.disappointed), all: users.all });
    let text = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let (without_error, all) = (users.map(|users| users.good), users.map(|users| users.all));
    row("users_without_error", "with", text(without_error), text(all), users.and_then(|users| users.share()));
    for lacking in &report.incomplete_days {
        let kept = Measure { good: lacking.stored, all: lacking.counted };
        let measure = format!("requests_stored_{}", lacking.day);
        row(&measure, "with", kept.good.to_string(), kept.all.to_string(), kept.share());
    }
    for one in &report.worst {
        row(&format!("worst_{}", one.length), "with", one.from.to_string(), one.requests.to_string(), Some(one.share));
    }
    out
}

/// Quoted where needed; a spreadsheet takes nothing for a formula.
fn guarded(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_down_and_a_formula_is_text() {
        for (share, want) in [(1.0, "100.000"), (0.999_999_9, "99.999"), (0.9998, "99.980"), (0.0, "0.000")] {
            assert_eq!(percent_down(share), want);
        }
        for (cell, want) in [("shop", "shop"), ("=1+1", "'=1+1"), ("a,\"b\"", "\"a,\"\"b\"\"\""), ("-x,y", "\"'-x,y\"")]
        {
            assert_eq!(guarded(cell), want);
        }
    }
}
