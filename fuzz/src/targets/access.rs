//! Access logs: every line is parsed or rejected, by the format that is detected and by every other.

use protocols::access::{AccessRecord, Decoder, Format, Tally, lines};
use std::sync::LazyLock;

/// A user's own format. Compiled once: that takes longer than decoding.
static PATTERN: LazyLock<Decoder> = LazyLock::new(|| {
    let pattern = r"^(?<time>\S+) (?<request>.+) (?<status>\d+) (?<duration>\S+)$";
    Decoder::with_pattern(pattern).expect("it is a pattern")
});

pub fn log(log: &[u8]) {
    for format in [Format::Auto, Format::Combined, Format::Ltsv, Format::Json, Format::Alb] {
        let Some(detected) = format.learn(log) else { continue };
        assert_eq!(format.learn(log).as_ref(), Some(&detected), "another format for the same bytes");
        assert!(detected.parsed <= detected.lines);
        assert!(detected.notes().iter().all(|note| note.len() < 300));
        account(log, Decoder::new(&detected));
        account(log, Decoder::new(&detected.without_guesses()));
    }
    account(log, PATTERN.clone());
}

fn account(log: &[u8], mut decoder: Decoder) {
    let mut tally = Tally::default();
    let mut count = 0;
    for line in lines(log) {
        count += 1;
        let record = decoder.decode(line);
        if let Some(record) = tally.count(line, record) {
            check(&record, line);
        }
    }
    let unfinished = log.last().is_some_and(|last| *last != b'\n');
    assert_eq!(count + 1, log.split(|byte| *byte == b'\n').count() as u64 + u64::from(unfinished));
    assert_eq!((tally.lines(), tally.parsed() + tally.rejected()), (count, count));
    for reject in tally.rejects() {
        assert!(!reject.sample.contains(char::is_control), "a sample to mislead a terminal: {:?}", reject.sample);
    }
}

fn check(record: &AccessRecord<'_>, line: &[u8]) {
    assert!((100..=599).contains(&record.status), "{record:?}");
    assert!(record.ts.is_in_calendar(), "{record:?}");
    let texts = [&record.remote_addr, &record.user, &record.user_agent, &record.referer, &record.host];
    let longest = texts.into_iter().flatten().map(|text| text.len()).max().unwrap_or_default();
    // U+FFFD stands for a byte and takes three.
    assert!(longest.max(record.target.len()) <= 3 * line.len(), "{record:?} of {} bytes", line.len());
}
