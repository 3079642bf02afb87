//! nginx and rsyslog over syslog, and rsyslog as one of Elasticsearch's shippers.

use super::programs::{Rsyslog, folder, nginx};
use super::tokens::made_token;
use super::{assert_rows, rows, stored};
use crate::listeners::{address, start};
use e2e::{Client, Place, Start, tool, until};
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

/// How long messages may be on their way.
const SOON: Duration = Duration::from_secs(30);
const TEXT: &str = "payment failed – 決済 \"ok\" [a=\"b\"]";

#[tokio::test]
async fn nginx_over_syslog_is_requests_without_an_agent() {
    let Some(program) = tool("nginx") else { return };
    // The tag is all that nginx has to say which service it is.
    for tag in ["nginx", "shop"] {
        let place = Place::new();
        let koshu = start(&place).await;
        let log = format!("access_log syslog:server={},tag={tag} combined;", address(&koshu, "syslog"));
        let (_nginx, client) = nginx(&program, &place, &log).await;
        for number in 0..30 {
            client.get(&format!("/items/{number}")).await;
        }
        for _ in 0..5 {
            client.get("/fail").await;
        }
        let sql = "SELECT service, route, status, count(*) AS requests FROM requests GROUP BY 1, 2, 3 ORDER BY 3";
        let want: Vec<Value> = vec![
            json!({"service": tag, "route": "GET /items/:id", "status": 200, "requests": 30}),
            json!({"service": tag, "route": "GET /fail", "status": 500, "requests": 5}),
        ];
        let all = async || (rows(koshu.client(), sql).await == want).then_some(());
        until(SOON, "every request is counted", all).await;
    }
}

/// `line 000`, `line 001`, ... with letters of three bytes, so that what cuts a connection into messages has work.
pub(super) fn lines(count: usize) -> String {
    (0..count).fold(String::new(), |mut text, at| {
        writeln!(text, "line {at:03} {}", "済".repeat(at % 97)).unwrap();
        text
    })
}

/// The messages that all these tests send, as the rows which they should be, without their times.
pub(super) fn said(source: &str, lines: &str, attrs: [&Value; 2]) -> Vec<Value> {
    let row = |service: &str, severity: &str, body: &str, attrs: &Value| {
        json!({"service": service, "host": "web-1", "severity": severity, "body": body, "trace_id": null,
            "source": source, "attrs": attrs})
    };
    let said = [TEXT, "-1 left", "a tab#011here"].map(|text| row("billing", "error", text, attrs[0]));
    let written = ["\tindented", "-dash"].into_iter().chain(lines.lines());
    said.into_iter().chain(written.map(|line| row("shop", "warn", line, attrs[1]))).collect()
}

/// Feeds the same messages.
pub(super) fn say(rsyslog: &Rsyslog, logger: &std::path::Path, lines: &str) {
    for text in [TEXT, "-1 left", "a tab\there"] {
        rsyslog.say(logger, text);
    }
    rsyslog.write("\tindented\n-dash\n");
    rsyslog.write(lines);
}

fn sorted(mut rows: Vec<Value>) -> Vec<Value> {
    rows.sort_by_cached_key(|row| row["body"].to_string());
    rows
}

/// Every message once, as it was said; and not before or after it was.
pub(super) async fn assert_said(client: &Client, want: Vec<Value>, begin: Timestamp, what: &str) {
    let count = i64::try_from(want.len()).unwrap();
    let all = async || (client.number("SELECT count(*) FROM logs").await >= count).then_some(());
    until(SOON, &format!("every message over {what} is stored"), all).await;
    let found = rows(client, "SELECT service, host, severity, body, trace_id, source, attrs FROM logs").await;
    assert_rows(&sorted(found), &sorted(want), what);
    let times = rows(client, "SELECT min(ts) AS first, max(ts) AS last FROM logs").await;
    let [first, last] = ["first", "last"].map(|name| times[0][name].as_str().unwrap().parse::<Timestamp>().unwrap());
    // The old form has whole seconds.
    assert!(first >= begin - 1.second() && last <= Timestamp::now(), "{what}: {times:?} since {begin}");
}

#[tokio::test]
async fn messages_of_rsyslog_are_log_records_over_every_transport_and_in_every_form() {
    let (Some(program), Some(logger)) = (tool("rsyslogd"), tool("logger")) else { return };
    let many = lines(400);
    // Datagrams may be dropped when more come than a socket's buffer takes: fewer than that.
    let few = lines(40);
    let [id, from_file] = [json!({"proc_id": "42", "facility": "user"}), json!({"facility": "local3"})];
    for (what, action, lines) in [
        ("udp, old form", "protocol=\"udp\"", &few),
        ("udp, new form", "protocol=\"udp\" template=\"RSYSLOG_SyslogProtocol23Format\"", &few),
        ("tcp, lines, old form", "protocol=\"tcp\"", &many),
        ("tcp, lines, precise time", "protocol=\"tcp\" template=\"RSYSLOG_ForwardFormat\"", &many),
        ("tcp, counted, old form", "protocol=\"tcp\" TCP_Framing=\"octet-counted\"", &many),
        (
            "tcp, counted, new form",
            "protocol=\"tcp\" TCP_Framing=\"octet-counted\" template=\"RSYSLOG_SyslogProtocol23Format\"",
            &many,
        ),
    ] {
        let place = Place::new();
        let koshu = start(&place).await;
        let at = address(&koshu, "syslog");
        let (host, port) = at.rsplit_once(':').unwrap();
        let action = format!("action(type=\"omfwd\" target=\"{host}\" port=\"{port}\" {action})");
        let begin = Timestamp::now();
        let rsyslog = Rsyslog::start(&program, folder(&place, "rsyslog"), &action).await;
        say(&rsyslog, &logger, lines);
        let want = said("syslog", lines, [&id, &from_file]);
        assert_said(koshu.client(), want, begin, what).await;
    }
}

/// How rsyslog's own documentation writes documents.
const TEMPLATE: &str = r#"template(name="document" type="list" option.jsonf="on") {
 property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
 property(outname="host" name="hostname" format="jsonf")
 property(outname="severity" name="syslogseverity-text" format="jsonf")
 property(outname="facility" name="syslogfacility-text" format="jsonf")
 property(outname="service" name="programname" format="jsonf")
 property(outname="process.pid" name="procid" format="jsonf")
 property(outname="message" name="msg" format="jsonf" compressSpace="off" position.from="1" dropLastLf="on")
}
template(name="index" type="string" string="logs-%$year%.%$month%.%$day%")
"#;

fn to_elasticsearch(port: &str, more: &str, errors: &std::path::Path) -> String {
    format!(
        "module(load=\"omelasticsearch\")\n{TEMPLATE}action(type=\"omelasticsearch\" server=\"127.0.0.1\" \
         serverport=\"{port}\" template=\"document\" searchIndex=\"index\" dynSearchIndex=\"on\" bulkmode=\"on\" \
         errorfile=\"{}\" action.resumeRetryCount=\"-1\" action.resumeInterval=\"1\" {more})",
        errors.display()
    )
}

#[tokio::test]
async fn documents_of_rsyslogs_bulks_are_log_records() {
    let (Some(program), Some(logger)) = (tool("rsyslogd"), tool("logger")) else { return };
    let place = Place::new();
    let koshu = place.start().await;
    let token = made_token(&koshu, "ingest").await;
    let (at, port) = (folder(&place, "rsyslog"), koshu.url().rsplit_once(':').unwrap().1);
    let errors = at.join("errors");
    let action = to_elasticsearch(port, &format!("uid=\"shop\" pwd=\"{token}\""), &errors);
    let (begin, lines) = (Timestamp::now(), lines(400));
    let rsyslog = Rsyslog::start(&program, at, &action).await;
    say(&rsyslog, &logger, &lines);
    let attrs = [json!({"process.pid": "42", "facility": "user"}), json!({"process.pid": "-", "facility": "local3"})];
    let mut want = said("elasticsearch", &lines, [&attrs[0], &attrs[1]]);
    // To rsyslog the blank behind the tag is a part of what was said.
    for row in want.iter_mut().filter(|row| row["service"] == "billing") {
        row["body"] = json!(format!(" {}", row["body"].as_str().unwrap()));
    }
    assert_said(koshu.client(), want, begin, "a bulk").await;
    assert!(!errors.exists(), "{}", std::fs::read_to_string(&errors).unwrap());
    assert_eq!(stored(koshu.client()).await, [("logs", 405)]);
}

/// What was said while nobody listened arrives once somebody does; what was acknowledged before a kill is there.
#[tokio::test]
async fn rsyslog_keeps_its_bulks_while_koshu_is_away() {
    let (Some(program), Some(logger)) = (tool("rsyslogd"), tool("logger")) else { return };
    let place = Place::new();
    let listen = |port: &str| format!("elasticsearch=127.0.0.1:{port}");
    let koshu = Start::new(&place).argument("--listen").argument(listen("0")).ready().await;
    let at = address(&koshu, "elasticsearch");
    let (_, port) = at.rsplit_once(':').unwrap();
    let at = folder(&place, "rsyslog");
    let errors = at.join("errors");
    let rsyslog = Rsyslog::start(&program, at, &to_elasticsearch(port, "", &errors)).await;
    let text = |part: &str| lines(100).replace("line", part);
    let distinct = "SELECT count(DISTINCT body) FROM logs";
    rsyslog.write(&text("before"));
    until(SOON, "the first lines are stored", async || (koshu.client().number(distinct).await == 100).then_some(()))
        .await;
    koshu.kill();
    rsyslog.write(&text("meanwhile"));
    rsyslog.say(&logger, "still there?");
    let koshu = Start::new(&place).argument("--listen").argument(listen(port)).ready().await;
    rsyslog.write(&text("after"));
    let all = async || (koshu.client().number(distinct).await >= 301).then_some(());
    until(SOON, "everything that was said is stored", all).await;
    let parts = koshu.client().sql("SELECT split_part(body, ' ', 1), count(DISTINCT body) FROM logs GROUP BY 1").await;
    let parts: BTreeMap<_, _> = parts.iter().map(|row| (row[0].as_str().unwrap(), row[1].as_i64().unwrap())).collect();
    assert_eq!(parts, BTreeMap::from([("", 1), ("before", 100), ("meanwhile", 100), ("after", 100)]));
}
