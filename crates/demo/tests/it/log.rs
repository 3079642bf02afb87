//! What the access log says.

use crate::{ended, options, until};
use demo::{Demo, Scenario};
use std::collections::{BTreeSet, HashSet};
use std::fs;

/// One line of the log, taken apart independently of the code that wrote it.
#[derive(Debug, Clone)]
struct Line {
    remote: String,
    time: String,
    method: String,
    path: String,
    status: u16,
    agent: String,
    seconds: f64,
    sid: String,
}

fn parse(raw: &str) -> Option<Line> {
    let quoted: Vec<&str> = raw.split('"').collect();
    let [head, request, numbers, _referer, " ", agent, seconds, sid, ""] = quoted[..] else { return None };
    let (remote, rest) = head.split_once(" - - [")?;
    let (method, rest_of_request) = request.split_once(' ')?;
    let path = rest_of_request.strip_suffix(" HTTP/1.1")?;
    let (status, bytes) = numbers.trim().split_once(' ')?;
    bytes.parse::<u64>().ok()?;
    Some(Line {
        remote: remote.to_owned(),
        time: rest.strip_suffix("] ")?.to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        status: status.parse().ok()?,
        agent: agent.to_owned(),
        seconds: seconds.trim().parse().ok()?,
        sid: sid.to_owned(),
    })
}

/// Whole lines only: the last one may be on its way.
fn lines(log: &str) -> Vec<Line> {
    let whole = &log[..log.rfind('\n').map_or(0, |end| end + 1)];
    whole.lines().map(|raw| parse(raw).unwrap_or_else(|| panic!("not in the format: {raw}"))).collect()
}

#[tokio::test]
async fn every_line_is_in_the_format_and_people_of_many_kinds_browse_and_buy() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(options(dir.path())).await.unwrap();
    let log = demo.access_log();
    let seen = until("a purchase, a search and 200 requests", || {
        let seen = lines(&fs::read_to_string(&log).unwrap_or_default());
        let bought = seen.iter().any(|l| l.method == "POST" && l.path == "/checkout" && l.status == 303);
        let shipped = seen.iter().any(|l| l.path.starts_with("/orders/") && l.status == 200);
        let searched = seen.iter().any(|l| l.path.starts_with("/search?q=%E"));
        (seen.len() >= 200 && bought && shipped && searched).then_some(seen)
    })
    .await;
    let distinct = |of: fn(&Line) -> &String| seen.iter().map(of).collect::<BTreeSet<_>>().len();
    assert!(distinct(|l| &l.sid) > 10 && distinct(|l| &l.remote) > 10 && distinct(|l| &l.agent) > 3);
    for line in &seen {
        jiff::fmt::strtime::parse("%d/%b/%Y:%H:%M:%S %z", &line.time).unwrap();
        assert!(line.seconds < 10.0 && line.remote.starts_with("127."), "{line:?}");
    }
    let median = |is: fn(&&Line) -> bool| {
        let mut took: Vec<f64> = seen.iter().filter(is).map(|l| l.seconds).collect();
        took.sort_by(f64::total_cmp);
        took[took.len() / 2]
    };
    assert!(median(|l| l.path.starts_with("/search")) > 4.0 * median(|l| l.path.starts_with("/items/")));
    ended(demo).await;
}

#[tokio::test]
async fn people_who_see_an_error_try_the_same_again_with_the_same_cookie() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options(dir.path());
    options.rate_per_s = 80.0;
    let every = 10_000;
    options.scenario =
        Scenario { first_burst_ms: 0, burst_every_ms: every, burst_length_ms: every / 2, ..options.scenario };
    let demo = Demo::start(options).await.unwrap();
    let log = demo.access_log();
    until("somebody whose retry of a failed checkout succeeded", || {
        let mut failed = HashSet::new();
        let seen = lines(&fs::read_to_string(&log).unwrap_or_default());
        seen.into_iter().filter(|l| l.path == "/checkout").find(|line| match line.status {
            500 => {
                failed.insert(line.sid.clone());
                false
            }
            _ => line.status == 303 && failed.contains(&line.sid),
        })
    })
    .await;
    ended(demo).await;
}

#[tokio::test]
async fn the_log_is_rotated_and_workers_follow_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options(dir.path());
    options.scenario.rotate_log_at_bytes = 4 << 10;
    let demo = Demo::start(options).await.unwrap();
    let log = demo.access_log();
    let older = log.with_extension("log.2");
    until("two rotations and a new log", || (older.exists() && log.exists()).then_some(())).await;
    for file in [&older, &log.with_extension("log.1")] {
        assert!(!lines(&fs::read_to_string(file).unwrap()).is_empty());
    }
    assert!(!log.with_extension("log.3").exists());
    ended(demo).await;
}
