//! Single lines of every format; whole files are in `fixtures/access` and `tests/it`.

use super::*;
use proptest::prelude::*;

fn decoder(sample: &str) -> Decoder {
    Decoder::new(&Format::detect(sample.as_bytes()).unwrap())
}

fn decode(line: &str) -> Result<AccessRecord<'static>, Reject> {
    let detected = Format::Combined.learn(line.as_bytes()).unwrap();
    Decoder::new(&detected).decode(line.as_bytes()).map(AccessRecord::into_owned)
}

const HEAD: &str = r#"203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 12"#;

#[test]
fn identities_are_read_wherever_servers_put_them() {
    for (identity, addr, user, host) in [
        ("203.0.113.9 - -", Some("203.0.113.9"), None, None),
        ("203.0.113.9 - taro", Some("203.0.113.9"), Some("taro"), None),
        ("203.0.113.9 - taro yamada", Some("203.0.113.9"), Some("taro yamada"), None),
        ("unicomp6.unicomp.net - -", Some("unicomp6.unicomp.net"), None, None),
        ("shop.example:443 203.0.113.9 - -", Some("203.0.113.9"), None, Some("shop.example")),
        ("shop.example 203.0.113.9 - taro", Some("203.0.113.9"), Some("taro"), Some("shop.example")),
        ("2001:db8::7 - -", Some("2001:db8::7"), None, None),
        (r#""203.0.113.9" - -"#, Some("203.0.113.9"), None, None),
        ("- - -", None, None, None),
        ("203.0.113.9", Some("203.0.113.9"), None, None),
        ("203.0.113.9 - [x] y", Some("203.0.113.9"), Some("[x] y"), None),
    ] {
        let record = decode(&HEAD.replacen("203.0.113.9 - -", identity, 1)).unwrap();
        let got = (record.remote_addr.as_deref(), record.user.as_deref(), record.host.as_deref());
        assert_eq!(got, (addr, user, host), "{identity}");
    }
}

#[test]
fn the_request_survives_what_scanners_send() {
    for (request, method, target) in [
        ("GET /a?b=c HTTP/1.1", "GET", "/a?b=c"),
        (r"\x16\x03\x01\x02", "-", "-"),
        ("-", "-", "-"),
        ("", "-", "-"),
        (r#"GET /"><script> HTTP/1.1"#, "GET", r#"/"><script>"#),
        (r#"GET /x" 99 HTTP/1.1"#, "GET", r#"/x" 99"#),
        (r#"GET /x\" 200 5 HTTP/1.1"#, "GET", r#"/x\" 200 5"#),
        ("GET /index.html", "GET", "/index.html"),
    ] {
        let line = HEAD.replacen("GET /a HTTP/1.1", request, 1);
        let record = decode(&line).unwrap();
        assert_eq!((record.method.as_ref(), record.target.as_ref(), record.status), (method, target, 200), "{request}");
    }
}

#[test]
fn a_broken_line_is_refused_for_what_is_wrong() {
    let combined = format!(r#"{HEAD} "-" "curl/7""#);
    let mut decoder = decoder(&format!("{combined}\n").repeat(5));
    for (line, want) in [
        (combined.as_str(), Ok(200)),
        ("", Err(Reject::Blank)),
        (" \t ", Err(Reject::Blank)),
        ("hello world", Err(Reject::NoTime)),
        (r#"1.2.3.4 - - [99/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1"#, Err(Reject::BadTime)),
        ("1.2.3.4 - - [17/May/2015:10:05:03 +0000] GET / 200 1", Err(Reject::NoRequest)),
        (r#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" - 1"#, Err(Reject::BadStatus)),
        (r#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 000 1"#, Err(Reject::BadStatus)),
        (r#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 999 1"#, Err(Reject::BadStatus)),
        ("1.2.3.4 - - [17/May/20", Err(Reject::CutShort)),
        ("1.2.3.4 - - [17/May/2015:10:05:03 +0000]", Err(Reject::CutShort)),
        (r#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HT"#, Err(Reject::CutShort)),
        (r#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1""#, Err(Reject::CutShort)),
        (r#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 20"#, Err(Reject::CutShort)),
        (r#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-" "Mozi"#, Err(Reject::CutShort)),
        (r#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-""#, Err(Reject::CutShort)),
    ] {
        assert_eq!(decoder.decode(line.as_bytes()).map(|record| record.status), want, "{line}");
    }
    assert_eq!(decoder.decode(&vec![b'x'; MAX_LINE + 1]), Err(Reject::TooLong));
}

/// Five lines with these columns behind the agent, and what is read from the last.
fn columns(tails: [&str; 5]) -> (Option<u64>, Option<u64>) {
    let log: String = tails.map(|tail| format!("{HEAD} \"-\" \"curl\" {tail}\n")).concat();
    let mut decoder = decoder(&log);
    let last = log.lines().last().unwrap();
    let record = decoder.decode(last.as_bytes()).unwrap();
    (record.duration_us, record.upstream_us)
}

#[test]
fn response_times_are_found_in_the_usual_columns() {
    for (case, tails, want) in [
        ("request time", ["0.1", "0.010", "0.020", "0.000", "0.123"], (Some(123_000), None)),
        (
            "request and upstream time",
            ["0.100 0.050", "0.100 0.050", "0.001 -", "0.100 0.090", "0.500 0.400"],
            (Some(500_000), Some(400_000)),
        ),
        (
            "upstream first",
            ["0.050 0.100", "0.050 0.101", "- 0.001", "0.100 0.190", "0.400 0.500"],
            (Some(500_000), Some(400_000)),
        ),
        (
            "tries are summed",
            ["0.300 0.100, 0.200", "0.1 -", "0.100 0.001", "0.300 0.200 : 0.100", "0.301 0.100, 0.200"],
            (Some(301_000), Some(300_000)),
        ),
        ("quoted after the forwarded address", [r#""-" "0.100""#; 5], (Some(100_000), None)),
        ("some answers without a time", ["0.100", "0.200", "-", "0.300", "0.250"], (Some(250_000), None)),
        ("Apache %D", ["403", "1250", "88123", "731", "15000"], (Some(15_000), None)),
        ("Apache %T", ["0", "0", "1", "0", "2"], (Some(2_000_000), None)),
        ("sizes with headers are no time", ["312", "340", "330", "319", "512"], (None, None)),
        ("a running count is no time", ["500", "501", "502", "503", "504"], (None, None)),
        ("could be anything", ["5", "70", "12", "3", "41"], (None, None)),
        ("a gzip ratio is no time", [r#""2.13""#, r#""-""#, r#""1.50""#, r#""3.12""#, r#""2.20""#], (None, None)),
        ("Traefik", [r#"1 "r" "http://10.0.0.1" 12ms"#; 5], (Some(12_000), None)),
        ("labelled", [r#"rt=0.123 uct="0.001" urt="0.12""#; 5], (Some(123_000), Some(120_000))),
        ("labelled with blanks", [r#"rt=0.4 urt="0.1, 0.2" cs=MISS"#; 5], (Some(400_000), Some(300_000))),
        ("a dash is unknown, not 0", ["0.100", "0.100", "0.100", "0.100", "-"], (None, None)),
    ] {
        assert_eq!(columns(tails), want, "{case}");
    }
}

#[test]
fn what_can_not_be_told_is_said() {
    let log: String = [5, 70, 12, 3, 41].map(|n| format!("{HEAD} \"-\" \"curl\" {n}\n")).concat();
    let notes = Format::detect(log.as_bytes()).unwrap().notes();
    assert!(notes[0].starts_with("column 3 after the size holds whole numbers that could be"), "{notes:?}");
}

#[test]
fn a_forwarded_column_names_the_client_behind_the_own_proxy() {
    let line =
        r#"10.0.0.5 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-" "curl" "198.51.100.4, 10.0.0.9""#;
    let record = decode(line).unwrap();
    assert_eq!(record.remote_addr.as_deref(), Some("198.51.100.4"));
}

#[test]
fn json_of_usual_servers_is_read() {
    for (case, line, method, target, duration) in [
        (
            "nginx",
            r#"{"time_iso8601":"2015-05-17T10:05:03+00:00","request":"GET /a?b HTTP/1.1","status":"200","request_time":"0.250","upstream_response_time":"0.1, 0.1"}"#,
            "GET",
            "/a?b",
            Some(250_000),
        ),
        (
            "Caddy",
            r#"{"level":"info","ts":1431857103.5,"logger":"http.log.access","request":{"remote_ip":"203.0.113.9","method":"GET","host":"x","uri":"/c","headers":{"User-Agent":["curl/7"],"Cookie":["a=b"]}},"duration":0.00025,"size":1,"status":200,"resp_headers":{"Server":["Caddy"]}}"#,
            "GET",
            "/c",
            Some(250),
        ),
        (
            "ECS",
            r#"{"@timestamp":"2015-05-17T10:05:03.000Z","http.request.method":"POST","url.original":"/e?x=1","http.response.status_code":200,"event.duration":250000}"#,
            "POST",
            "/e?x=1",
            Some(250),
        ),
        (
            "ECS nested",
            r#"{"@timestamp":"2015-05-17T10:05:03.000Z","http":{"request":{"method":"POST"},"response":{"status_code":200}},"url":{"path":"/e"}}"#,
            "POST",
            "/e",
            None,
        ),
        (
            "lograge",
            r#"{"method":"GET","path":"/r","controller":"A","action":"b","status":200,"duration":58.33,"view":40.43,"db":15.26,"time":"2015-05-17T10:05:03Z"}"#,
            "GET",
            "/r",
            Some(58_330),
        ),
        (
            "echo",
            r#"{"time":"2015-05-17T10:05:03.1Z","id":"","remote_ip":"203.0.113.9","host":"x","method":"GET","uri":"/g","user_agent":"c","status":200,"error":"","latency":1234567,"latency_human":"1.234567ms","bytes_in":0,"bytes_out":2}"#,
            "GET",
            "/g",
            Some(1_235),
        ),
        (
            "units in the value",
            r#"{"time":1431857103123,"method":"GET","url":"/v","status":200,"latency":"0.012s"}"#,
            "GET",
            "/v",
            Some(12_000),
        ),
        (
            "escapes",
            r#"{"time":1431857103,"method":"GET","uri":"\/s\u002fx","status":200,"duration_ms":1.5}"#,
            "GET",
            "/s/x",
            Some(1_500),
        ),
    ] {
        let mut decoder = decoder(line);
        let record = decoder.decode(line.as_bytes()).unwrap();
        let got = (record.method.as_ref(), record.target.as_ref(), record.duration_us, record.status);
        assert_eq!(got, (method, target, duration, 200), "{case}");
        assert_eq!(record.ts.micros() / 1_000_000, 1_431_857_103, "{case}");
    }
}

#[test]
fn json_keeps_other_fields_but_no_secret() {
    let line = r#"{"time":1431857103,"request":"GET /","status":200,"tenant":"x","n":7,"ok":true,"authorization":"Bearer s","query_string":"token=s","tags":["a","b"],"deep":{"a":{"b":"c"}}}"#;
    let record = decoder(line).decode(line.as_bytes()).unwrap().into_owned();
    let extra: Vec<_> = record.storable_extra().collect();
    assert_eq!(extra, [("tenant", "x"), ("n", "7"), ("ok", "true"), ("deep.a.b", "c")]);
}

#[test]
fn broken_json_is_refused_for_what_is_wrong() {
    let mut decoder = decoder(r#"{"time":1431857103,"request":"GET /","status":200}"#);
    for (line, want) in [
        (r#"{"time":1431857103,"request":"GET /","sta"#, Reject::CutShort),
        (r#"{"time":1431857103,}"#, Reject::NotJson),
        ("[1]", Reject::NotJson),
        ("plain", Reject::NotJson),
        (r#"{"request":"GET /","status":200}"#, Reject::NoTime),
        (r#"{"time":"soon","request":"GET /","status":200}"#, Reject::BadTime),
        (r#"{"time":1431857103,"request":"GET /"}"#, Reject::NoStatus),
        (r#"{"time":1431857103,"request":"GET /","status":0}"#, Reject::BadStatus),
        (r#"{"time":1431857103,"request":"GET /","status":"ok"}"#, Reject::BadStatus),
        (r#"{"time":1431857103,"status":200}"#, Reject::NoRequest),
    ] {
        assert_eq!(decoder.decode(line.as_bytes()), Err(want), "{line}");
    }
    let deep = format!("{}{}", "{\"a\":".repeat(5_000), "1");
    assert!(decoder.decode(deep.as_bytes()).is_err());
}

#[test]
fn ltsv_labels_are_read() {
    let line = "time:17/May/2015:10:05:03 +0000\thost:203.0.113.9\tforwardedfor:-\treq:GET /a?b HTTP/1.1\tstatus:200\tsize:12\treferer:-\tua:curl\treqtime:0.250\tapptime:0.1\tvhost:shop.example\tuser:taro\tcookie_sid:x\tshard:7";
    let record = decoder(line).decode(line.as_bytes()).unwrap().into_owned();
    assert_eq!((record.method.as_ref(), record.target.as_ref()), ("GET", "/a?b"));
    assert_eq!((record.duration_us, record.upstream_us, record.bytes), (Some(250_000), Some(100_000), Some(12)));
    assert_eq!((record.host.as_deref(), record.user.as_deref()), (Some("shop.example"), Some("taro")));
    assert_eq!(record.storable_extra().collect::<Vec<_>>(), [("shard", "7")]);
    assert_eq!(record.extra("cookie_sid"), Some("x"));
    let mut decoder = decoder(line);
    for (line, want) in [
        ("nothing labelled", Reject::NotLtsv),
        ("time:17/May/2015:10:05:03 +0000\tstat", Reject::CutShort),
        ("time:17/May/2015:10:05:03 +0000\tmethod:GET\turi:/", Reject::NoStatus),
    ] {
        assert_eq!(decoder.decode(line.as_bytes()), Err(want), "{line}");
    }
}

#[test]
fn a_pattern_names_what_only_the_user_knows() {
    let mut decoder = Decoder::with_pattern(
        r"^(?<time>\S+) (?<method>[A-Z]+) (?<path>\S+) (?<status>\d+) (?<duration_ms>\S+) (?<tenant>\S+)$",
    )
    .unwrap();
    let record = decoder.decode(b"2015-05-17T10:05:03Z GET /x 503 12.5 acme").unwrap();
    assert_eq!((record.status, record.duration_us, record.extra("tenant")), (503, Some(12_500), Some("acme")));
    assert_eq!(decoder.decode(b"something else"), Err(Reject::NoMatch));
    for (pattern, want) in [
        ("(?<status>x)(?<path>y)", "the pattern has no group (?<time>...); it needs time, status, and request or path"),
        ("(?<time>x)(?<path>y)", "the pattern has no group (?<status>...); it needs time, status, and request or path"),
    ] {
        assert_eq!(Decoder::with_pattern(pattern).unwrap_err().to_string(), want);
    }
    assert!(matches!(Decoder::with_pattern("(?<time>"), Err(PatternError::Regex(_))));
    assert!(matches!(Decoder::with_pattern(r"(?<time>\w{5000}{500})"), Err(PatternError::Regex(_))));
    assert_eq!(Decoder::with_pattern(&"x".repeat(5_000)).unwrap_err(), PatternError::TooLong(5_000));
}

#[test]
fn detection_bears_some_bad_lines_and_a_cut_last_one() {
    let good = format!("{HEAD} \"-\" \"curl\" 0.100\n");
    for (case, log, want) in [
        ("noise in front", format!("# started\n\n{}", good.repeat(5)), Some(Format::Combined)),
        ("cut at the end", format!("{}{}", good.repeat(3), &good[..40]), Some(Format::Combined)),
        ("one line without an end", good.trim_end().to_owned(), Some(Format::Combined)),
        ("common", format!("{HEAD}\n").repeat(3), Some(Format::Common)),
        ("mostly noise", format!("{good}{}", "x\n".repeat(5)), None),
        ("nothing", String::new(), None),
        ("text", "hello\nworld\n".into(), None),
    ] {
        assert_eq!(Format::detect(log.as_bytes()).map(|detected| detected.format), want, "{case}");
    }
}

#[test]
fn format_names_read_back() {
    for format in [
        Format::Auto,
        Format::Common,
        Format::Combined,
        Format::Ltsv,
        Format::Json,
        Format::Alb,
        Format::Elb,
        Format::CloudFront,
        Format::Pattern,
    ] {
        assert_eq!(format.to_string().parse(), Ok(format));
    }
    let error = "iis".parse::<Format>().unwrap_err().to_string();
    assert_eq!(
        error,
        "\"iis\" is no known log format; use one of auto, common, combined, ltsv, json, alb, elb, cloudfront, pattern"
    );
}

#[test]
fn lines_are_counted_as_wc_does_plus_an_unfinished_one() {
    for (buffer, want) in [
        (&b""[..], vec![]),
        (b"a\nb\r\n", vec![&b"a"[..], b"b"]),
        (b"a\n\nb", vec![&b"a"[..], b"", b"b"]),
        (b"\r\n", vec![&b""[..]]),
    ] {
        assert_eq!(lines(buffer).collect::<Vec<_>>(), want);
    }
}

#[test]
fn bytes_that_are_no_utf8_are_replaced_and_the_rest_is_read() {
    let mut line = HEAD.replacen("/a", "/X", 1).into_bytes();
    let at = line.iter().position(|b| *b == b'X').unwrap();
    line[at] = 0xff;
    let record = decoder(HEAD).decode(&line).unwrap().into_owned();
    assert_eq!((record.target.as_ref(), record.status), ("/\u{fffd}", 200));
}

fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let seeds = [
        format!(r#"{HEAD} "-" "curl" "-" 0.100 0.1, 0.2 rt=0.1 urt="0.1""#),
        r#"{"time":1431857103,"request":{"uri":"/","headers":{"A":["b"]}},"status":200,"x":"\u00e9"}"#.to_owned(),
        "time:17/May/2015:10:05:03 +0000\treq:GET / HTTP/1.1\tstatus:200".to_owned(),
        r#"https 2018-07-02T22:23:00.186641Z lb 192.0.2.1:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://x:443/ HTTP/1.1" "curl" c p t "Root=1" "x" "a" 1 2018-07-02T22:22:48.364000Z "f" "-" "-""#.to_owned(),
    ];
    let edits = proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..6);
    (0..seeds.len(), edits, any::<proptest::sample::Index>()).prop_map(move |(seed, edits, cut)| {
        let mut line = seeds[seed].clone().into_bytes();
        for (at, byte) in edits {
            let at = at.index(line.len());
            line[at] = byte;
        }
        line.truncate(cut.index(line.len() + 40));
        line
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn no_line_makes_any_decoder_panic(line in any_line(), other in proptest::collection::vec(any::<u8>(), 0..200)) {
        for line in [&line, &other] {
            for format in [Format::Auto, Format::Combined, Format::Common, Format::Json, Format::Ltsv, Format::Alb] {
                if let Some(detected) = format.learn(line) {
                    let mut decoder = Decoder::new(&detected);
                    if let Ok(record) = decoder.decode(trim_line_end(line)) {
                        prop_assert!((100..600).contains(&record.status));
                    }
                }
            }
            prop_assert!(redact(line).len() < 2_000);
        }
    }
}
