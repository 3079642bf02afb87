use super::*;
use crate::access::Format;
use crate::recorded::Recorded;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

const NOW: &str = "2026-11-26T00:00:00Z";

fn here(zone: &TimeZone) -> Here<'_> {
    Here { now: NOW.parse().unwrap(), zone }
}

/// What becomes of one message.
fn read(line: &[u8]) -> Json {
    let mut seen = Recorded::default();
    decode(line, &here(&TimeZone::UTC), None, &mut seen);
    assert_eq!(seen.records.len(), 1);
    seen.records.remove(0)
}

/// Host, app, process id and text.
fn parts(line: &str) -> [String; 4] {
    let zone = TimeZone::UTC;
    let message = Message::read(line.as_bytes(), &here(&zone)).unwrap();
    let said = |part: &Option<Cow<'_, str>>| part.as_deref().unwrap_or("-").to_owned();
    [said(&message.host), said(&message.app), said(&message.proc_id), message.text.into_owned()]
}

#[test]
fn lines_of_an_access_log_are_requests_whatever_the_tag_and_whatever_stands_between_them() {
    let zone = TimeZone::UTC;
    let mut among = Among::default();
    let mut found = Vec::new();
    for text in [
        // nginx writes its error log under the same tag.
        r#"2026/11/25 20:20:01 [error] 7#7: *1 open() failed, client: 192.0.2.7, request: "GET /a HTTP/1.1""#,
        r#"192.0.2.7 - - [25/Nov/2026:20:20:01 +0000] "GET /a HTTP/1.1" 404 153 "-" "curl/8""#,
        r#"192.0.2.7 - - [25/Nov/2026:20:20:02 +0000] "GET /b HTTP/1.1" 200 12 "-" "curl/8""#,
    ] {
        let line = format!("<190>Nov 25 20:20:01 web-1 shop: {text}");
        let message = Message::read(line.as_bytes(), &here(&zone)).unwrap();
        let request = message.request_among(&mut among);
        let said = |request: RequestRecord<'_>| {
            let access = request.access;
            format!("{} {} {} {:?}", request.service.unwrap(), access.target, access.status, access.host)
        };
        found.push(request.map(said));
    }
    let want = [None, Some("shop /a 404 Some(\"web-1\")"), Some("shop /b 200 Some(\"web-1\")")];
    assert_eq!(found.iter().map(Option::as_deref).collect::<Vec<_>>(), want);
}

#[test]
fn the_old_form_is_read_as_senders_write_it() {
    for (case, rest, want) in [
        ("all there", "web-1 sshd[42]: Accepted key", ["web-1", "sshd", "42", "Accepted key"]),
        ("no process id", "web-1 kernel: [ 0.1] up", ["web-1", "kernel", "-", "[ 0.1] up"]),
        ("no host", "shop[7]: hi", ["-", "shop", "7", "hi"]),
        ("nginx without host name", "shop: 192.0.2.1 - -", ["-", "shop", "-", "192.0.2.1 - -"]),
        ("nginx with an empty one", " nginx: hi", ["-", "nginx", "-", "hi"]),
        ("no tag", "web-1 last message repeated 3 times", ["web-1", "-", "-", "last message repeated 3 times"]),
        ("an IPv6 address", "2001:db8:: app: x", ["2001:db8::", "app", "-", "x"]),
        ("a path", "web-1 postfix/smtpd[1]: x", ["web-1", "postfix/smtpd", "1", "x"]),
        ("no colon behind the process id", "web-1 app[12] x", ["web-1", "app", "12", "x"]),
        ("a dash is text", "web-1 app: - none", ["web-1", "app", "-", "- none"]),
        ("a negative number is text", "web-1 app: -1", ["web-1", "app", "-", "-1"]),
        ("what looks like structured data is text", "web-1 app: [a b=\"c\"] x", ["web-1", "app", "-", "[a b=\"c\"] x"]),
        ("only the blank behind the colon goes", "web-1 sudo:   root", ["web-1", "sudo", "-", "  root"]),
        ("nothing said", "web-1 app:", ["web-1", "app", "-", ""]),
        ("one word", "word", ["-", "-", "-", "word"]),
    ] {
        assert_eq!(parts(&format!("<13>Nov 25 20:20:01 {rest}")), want, "{case}");
    }
    for (case, line, want) in [
        ("rsyslog's forward format", "<13>2026-11-25T20:20:01+09:00 web-1 app[1]: x", ["web-1", "app", "1", "x"]),
        ("a colon behind the time", "<13>Nov 25 20:20:01: web-1 app: x", ["web-1", "app", "-", "x"]),
        ("no time", "<13>hello world", ["-", "-", "-", "hello world"]),
        ("no priority", "Nov 25 20:20:01 web-1 app: x", ["web-1", "app", "-", "x"]),
        ("no syslog at all", "GET / HTTP/1.1\r\n", ["-", "-", "-", "GET / HTTP/1.1"]),
        ("a priority that is none", "<192>x", ["-", "-", "-", "<192>x"]),
        ("another version", "<13>2 - - - - - - x", ["-", "-", "-", "2 - - - - - - x"]),
    ] {
        assert_eq!(parts(line), want, "{case}");
    }
}

#[test]
fn the_new_form_is_read_by_its_grammar() {
    assert_eq!(
        read(b"<191>1 2026-11-25T21:32:30.5+09:00 web-1 shop 77 ORDER [a@1 id=\"17\" q=\"\\\"x\\] \\\\ \\n\"][b] \xef\xbb\xbfsaid\n"),
        json!({ "log": {
            "ts": "2026-11-25T12:32:30.5Z",
            "service": "shop",
            "host": "web-1",
            "severity": "debug",
            "body": "said",
            "fields": [["proc_id", "77"], ["msg_id", "ORDER"], ["facility", "local7"],
                ["a@1.id", "17"], ["a@1.q", r#""x] \ \n"#]],
        } })
    );
    for (case, line, want) in [
        ("nothing known", "<13>1 - - - - - - x", ["-", "-", "-", "x"]),
        ("nothing said", "<13>1 - web-1 app - - -", ["web-1", "app", "-", ""]),
        ("nothing said behind data", "<13>1 - web-1 app - - [a]", ["web-1", "app", "-", ""]),
        ("no structured data", "<13>1 - web-1 app 1 -", ["web-1", "app", "1", ""]),
        ("rsyslog's second blank", "<13>1 - web-1 app - - -  x", ["web-1", "app", "-", "x"]),
        ("data that is none is text", "<13>1 - web-1 app - - [a b=c] x", ["web-1", "app", "-", "[a b=c] x"]),
        ("data without its end is text", "<13>1 - web-1 app - - [a b=\"c", ["web-1", "app", "-", "[a b=\"c"]),
        ("a dash is text", "<13>1 - web-1 app - - - -1", ["web-1", "app", "-", "-1"]),
        ("a bad time is no header", "<13>1 now web-1 app - - - x", ["-", "-", "-", "1 now web-1 app - - - x"]),
    ] {
        assert_eq!(parts(line), want, "{case}");
    }
}

#[test]
fn severity_and_facility_come_from_the_priority() {
    for (priority, severity, facility) in
        [(0, "fatal", "kern"), (11, "error", "user"), (132, "warn", "local0"), (190, "info", "local7")]
    {
        let log = &read(format!("<{priority}>Nov 25 20:20:01 h a: x").as_bytes())["log"];
        assert_eq!((&log["severity"], &log["fields"][0][1]), (&json!(severity), &json!(facility)));
    }
    assert_eq!(read(b"no priority"), json!({ "log": { "body": "no priority" } }));
}

#[test]
fn access_lines_become_requests_and_other_lines_stay_logs() {
    let access = r#"192.0.2.1 - - [25/Nov/2026:20:20:01 +0900] "GET /cart HTTP/1.1" 200 12 "-" "curl/8""#;
    let detected = Format::Combined.learn(access.as_bytes()).unwrap();
    let mut decoder = Decoder::new(&detected);
    let (mut seen, zone) = (Recorded::default(), TimeZone::UTC);
    let error = "<187>Nov 25 20:20:01 web-1 nginx: 2026/11/25 20:20:01 [error] 1#1: *2 open() failed";
    for line in [&format!("<190>Nov 25 20:20:01 web-1 nginx: {access}"), error] {
        decode(line.as_bytes(), &here(&zone), Some(&mut decoder), &mut seen);
    }
    assert_eq!(
        seen.records[0],
        json!({ "request": {
            "ts": "2026-11-25T11:20:01Z", "service": "nginx", "host": "web-1", "request": "GET /cart", "status": 200,
            "user_agent": "curl/8",
        } })
    );
    assert_eq!(seen.records[1]["log"]["body"], "2026/11/25 20:20:01 [error] 1#1: *2 open() failed");
}

#[test]
fn only_what_says_nothing_or_too_much_is_refused() {
    for line in [&b""[..], b"\n", b" \r\n", b"\0"] {
        assert_eq!(read(line)["refused"]["reason"], "malformed");
    }
    assert_eq!(read(&vec![b'x'; MAX_FRAME + 1])["refused"]["reason"], "too_long");
    assert_eq!(read(b"<13>Nov 25 20:20:01 h a: \xff!\0")["log"]["body"], "\u{fffd}!");
}

#[test]
fn data_of_the_longest_message_is_read_in_one_pass() {
    let line = format!("<13>1 - h a - - [{}", "a=\"\\\\\" ".repeat(9_000));
    let line = format!("{line}] said");
    assert!(line.len() < MAX_FRAME);
    let log = &read(line.as_bytes())["log"];
    assert_eq!(
        log["body"].as_str().map(str::len),
        Some(line.len() - "<13>1 - h a - - ".len()),
        "no id before the first"
    );
    let line = line.replacen("[a", "[id a", 1);
    let log = &read(line.as_bytes())["log"];
    assert_eq!((log["fields"].as_array().map(Vec::len), &log["body"]), (Some(9_001), &json!("said")));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        read(&bytes);
    }

    #[test]
    fn any_text_that_looks_like_syslog_is_read(
        line in "<1?[0-9]{1,2}>(1 )?((Nov|Feb) [ 0-9]{2} |2026-11-25T|- )[-0-9:. \\[\\]a-z=\"\\\\é]{0,60}",
    ) {
        read(line.as_bytes());
    }

    #[test]
    fn what_was_written_comes_back(
        priority in 0u8..192, host in "[a-z0-9.-]{2,20}", app in "[a-z][a-z/-]{0,20}", value in "\\PC{0,30}",
        text in "[^\u{feff} \\pC]\\PC{0,40}[^\\pC]",
    ) {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]");
        let line = format!("<{priority}>1 2026-11-25T20:20:01Z {host} {app} 42 ID [x v=\"{escaped}\"] {text}");
        let zone = TimeZone::UTC;
        let message = Message::read(line.as_bytes(), &here(&zone)).unwrap();
        prop_assert_eq!((message.host.as_deref(), message.app.as_deref()), (Some(&*host), Some(&*app)));
        prop_assert_eq!((&*message.text, message.data), (&*text, vec![("x.v".into(), value.into())]));
        let line = format!("<{priority}>Nov 25 20:20:01 {host} {app}[42]: {text}");
        let message = Message::read(line.as_bytes(), &here(&zone)).unwrap();
        prop_assert_eq!((message.host.as_deref(), message.app.as_deref()), (Some(&*host), Some(&*app)));
        prop_assert_eq!(&*message.text, &*text);
    }
}
