//! Turns as a calendar that people subscribe to (RFC 5545).
//!
//! Times are in UTC, so that no description of a time zone is needed: the calendar program shows its owner's.

use super::{Duty, Rotation};
use base::Timestamp;

/// Octets of a line, without its end.
const LINE_MAX: usize = 75;

/// A calendar of duties. `now` is when it was written.
pub fn calendar(rotation: &Rotation, duties: &[Duty], now: Timestamp) -> String {
    let mut out = String::new();
    let mut line = |text: &str| fold(text, &mut out);
    line("BEGIN:VCALENDAR");
    line("VERSION:2.0");
    line("PRODID:-//Koshu//Rotation//EN");
    line("CALSCALE:GREGORIAN");
    line("METHOD:PUBLISH");
    line(&format!("X-WR-CALNAME:{}", escape(rotation.name())));
    line("REFRESH-INTERVAL;VALUE=DURATION:PT1H");
    for duty in duties {
        line("BEGIN:VEVENT");
        let name: String = rotation.name().chars().filter(char::is_ascii_alphanumeric).collect();
        line(&format!("UID:{name}-{}@koshu", duty.from.micros()));
        line(&format!("DTSTAMP:{}", utc(now)));
        line(&format!("DTSTART:{}", utc(duty.from)));
        line(&format!("DTEND:{}", utc(duty.until)));
        line(&format!("SUMMARY:{}", escape(&format!("{}: {}", rotation.name(), duty.person))));
        // Whoever is on duty is not busy all week.
        line("TRANSP:TRANSPARENT");
        if duty.is_override {
            line("CATEGORIES:override");
        }
        line("END:VEVENT");
    }
    line("END:VCALENDAR");
    out
}

/// `20260105T010000Z`.
fn utc(at: Timestamp) -> String {
    let moment = jiff::Timestamp::from_microsecond(at.micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    moment.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Text values: backslash, semicolon, comma and line breaks (RFC 5545, 3.3.11).
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            other if other.is_control() => {}
            other => out.push(other),
        }
    }
    out
}

/// A line of at most 75 octets and its end; the rest goes to lines that begin with a space. No character is cut in two.
fn fold(text: &str, out: &mut String) {
    let mut length = 0;
    for c in text.chars() {
        if length + c.len_utf8() > LINE_MAX {
            out.push_str("\r\n ");
            length = 1;
        }
        out.push(c);
        length += c.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::escalation::RotationSpec;
    use base::TimeRange;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    fn rotation(name: &str, people: &[&str], zone: &str) -> Rotation {
        let spec = RotationSpec {
            people: people.iter().map(|person| (*person).to_owned()).collect(),
            start: "2026-03-23".to_owned(),
            hand_over: "mon 10:00".to_owned(),
            weeks: 1,
            time_zone: Some(zone.to_owned()),
        };
        Rotation::new(name, &spec, &TimeZone::UTC).unwrap()
    }

    #[test]
    fn turns_over_a_jump_of_the_clock_keep_their_local_time() {
        let london = rotation("web", &["ann", "bob"], "Europe/London");
        let range =
            TimeRange { from: "2026-03-23T10:00:00Z".parse().unwrap(), to: "2026-04-06T09:00:00Z".parse().unwrap() };
        let text = calendar(&london, &london.lay_out(range, &[]), "2026-03-01T00:00:00Z".parse().unwrap());
        insta::assert_snapshot!(text.replace("\r\n", "\n"));
        assert_eq!(text.matches("\r\n").count(), text.matches('\n').count());
    }

    #[test]
    fn names_are_text_and_nothing_else() {
        let odd = rotation("a\r\nEND:VCALENDAR\r\nb;c,d\\e", &["x"], "UTC");
        let range = TimeRange { from: Timestamp::from_seconds(0), to: Timestamp::from_seconds(60) };
        let text = calendar(&odd, &odd.lay_out(range, &[]), Timestamp::from_seconds(0));
        assert!(text.contains("X-WR-CALNAME:a\\nEND:VCALENDAR\\nb\\;c\\,d\\\\e\r\n"), "{text}");
        assert_eq!(text.lines().filter(|line| *line == "END:VCALENDAR").count(), 1);
    }

    proptest! {
        #[test]
        fn lines_are_short_and_unfold_to_what_they_were(text in "[a-z あ😀]{0,200}") {
            let mut folded = String::new();
            fold(&text, &mut folded);
            prop_assert!(folded.split("\r\n").all(|line| line.len() <= LINE_MAX));
            prop_assert_eq!(folded.replace("\r\n ", ""), format!("{text}\r\n"));
        }
    }
}
