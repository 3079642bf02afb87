//! Times of events: whole seconds, fractions, and fluentd's EventTime.

use super::pack::{Reader, Value};
use crate::observed::Refusal;
use base::Timestamp;

/// The extension type of EventTime.
const EVENT_TIME: i8 = 0;

/// EventTime: seconds and nanoseconds, 32 bits each, as extension 0.
pub(super) fn event_time(kind: i8, bytes: &[u8]) -> Option<Timestamp> {
    if kind != EVENT_TIME {
        return None;
    }
    let (seconds, nanos) = bytes.split_first_chunk::<4>()?;
    let nanos: [u8; 4] = nanos.try_into().ok()?;
    let micros = i64::from(u32::from_be_bytes(nanos)) / 1000;
    Some(Timestamp::from_seconds(i64::from(u32::from_be_bytes(*seconds))).plus_micros(micros))
}

/// Reads the time of an event. Nothing and 0 mean that the sender knows none, as fluentd has it.
pub(super) fn read_time(reader: &mut Reader<'_>) -> Result<Option<Timestamp>, Refusal> {
    let ts = match reader.next().map_err(|_| Refusal::Malformed)? {
        Value::Nil => return Ok(None),
        Value::Int(seconds) => Timestamp::from_seconds(seconds),
        Value::Unsigned(seconds) => Timestamp::from_seconds(i64::try_from(seconds).map_err(|_| Refusal::BadTime)?),
        Value::Single(seconds) => fraction(f64::from(seconds))?,
        Value::Double(seconds) => fraction(seconds)?,
        Value::Extension(kind, bytes) => event_time(kind, bytes).ok_or(Refusal::BadTime)?,
        Value::Bool(_) | Value::Text(_) | Value::Binary(_) | Value::Array(_) | Value::Map(_) => {
            return Err(Refusal::BadTime);
        }
    };
    if !ts.is_in_calendar() {
        return Err(Refusal::BadTime);
    }
    Ok(Some(ts).filter(|ts| ts.micros() != 0))
}

fn fraction(seconds: f64) -> Result<Timestamp, Refusal> {
    // Far outside the calendar, and well inside what the conversion can say.
    if !(-1e12..1e12).contains(&seconds) {
        return Err(Refusal::BadTime);
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most 1e18 by the range above")]
    Ok(Timestamp::from_micros((seconds * 1e6).round() as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rmp::encode;

    fn read(write: impl Fn(&mut Vec<u8>)) -> Result<Option<String>, Refusal> {
        let mut bytes = Vec::new();
        write(&mut bytes);
        Ok(read_time(&mut Reader::new(&bytes))?.map(|ts| ts.to_string()))
    }

    #[test]
    fn times_are_read_in_every_form() {
        let want = Ok(Some("2026-11-18T11:20:01.25Z".to_owned()));
        let event_time = [0x6a, 0xfd, 0x89, 0xe1, 0x0e, 0xe6, 0xb2, 0x80];
        assert_eq!(read(|out| out.extend([&[0xd7, 0][..], &event_time].concat())), want);
        assert_eq!(read(|out| out.extend([&[0xc7, 8, 0][..], &event_time].concat())), want);
        assert_eq!(read(|out| encode::write_f64(out, 1_795_000_801.25).unwrap()), want);
        let whole = Ok(Some("2026-11-18T11:20:01Z".to_owned()));
        assert_eq!(read(|out| drop(encode::write_uint(out, 1_795_000_801))), whole);
        assert_eq!(read(|out| drop(encode::write_sint(out, -1))), Ok(Some("1969-12-31T23:59:59Z".to_owned())));
        assert_eq!(read(|out| drop(encode::write_uint(out, 0))), Ok(None));
        assert_eq!(read(|out| out.push(0xc0)), Ok(None));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bytes in [
            &[0xa1, b'x'][..],
            &[0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
            &[0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0],
            &[0xd7, 1, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0xc7, 7, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0x90],
        ] {
            assert!(read_time(&mut Reader::new(bytes)).is_err(), "{bytes:x?}");
        }
    }
}
