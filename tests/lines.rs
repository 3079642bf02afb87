//! Access-log lines to send.

use std::fmt::Write;

/// One request as a JSON line, with an id that becomes its `trace_id`.
pub fn json_line(id: &str, path: &str, status: u16, seconds: f64) -> String {
    let now = jiff::Timestamp::now();
    format!(
        r#"{{"time":"{now:.6}","method":"GET","uri":"{path}","status":{status},"body_bytes":512,"request_time":{seconds},"request_id":"{id}","remote_addr":"192.0.2.7","ua":"e2e"}}"#
    )
}

/// `count` lines whose ids begin with `name`: `name-0000`, `name-0001`, ...
pub fn json_batch(name: &str, count: usize) -> String {
    let mut out = String::new();
    for at in 0..count {
        let line = json_line(&format!("{name}-{at:04}"), &format!("/items/{at}"), 200, 0.012);
        writeln!(out, "{line}").expect("a string grows");
    }
    out
}
