//! Sockets beside HTTP: what is acknowledged over forward is kept once through a kill and repeats; syslog by `logger`,
//! StatsD by plain datagrams.

use e2e::{Koshu, Place, Start, ran, tool, until};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::process::Command;
use std::time::Duration;

const ALL: [&str; 4] = ["forward", "otlp_grpc", "syslog", "statsd"];

/// Starts a server with every listener on a free port.
pub(crate) async fn start(place: &Place) -> Koshu {
    ALL.iter()
        .fold(Start::new(place), |start, name| start.argument("--listen").argument(format!("{name}=127.0.0.1:0")))
        .ready()
        .await
}

/// Where a listener is.
pub(crate) fn address(koshu: &Koshu, name: &str) -> String {
    let text = std::fs::read_to_string(koshu.data().join("listeners.json")).unwrap();
    let listeners: serde_json::Value = serde_json::from_str(&text).unwrap();
    listeners[name].as_str().unwrap_or_else(|| panic!("no {name} in {text}")).to_owned()
}

/// Messages of the forward protocol, as its specification writes them in MessagePack.
mod pack {
    fn text(out: &mut Vec<u8>, text: &str) {
        out.push(0xd9);
        out.push(u8::try_from(text.len()).unwrap());
        out.extend_from_slice(text.as_bytes());
    }

    /// `[tag, [[time, {"message": ...}], ...], {"chunk": ...}]`
    pub fn forward(tag: &str, messages: &[String], chunk: Option<&str>) -> Vec<u8> {
        let mut out = vec![0x93];
        text(&mut out, tag);
        out.push(0xdc);
        out.extend_from_slice(&u16::try_from(messages.len()).unwrap().to_be_bytes());
        for message in messages {
            out.extend_from_slice(&[0x92, 0xce]);
            out.extend_from_slice(&1_764_000_000_u32.to_be_bytes());
            out.push(0x81);
            text(&mut out, "message");
            text(&mut out, message);
        }
        match chunk {
            None => out.push(0x80),
            Some(chunk) => {
                out.push(0x81);
                text(&mut out, "chunk");
                text(&mut out, chunk);
            }
        }
        out
    }

    /// `{"ack": chunk}`
    pub fn ack(chunk: &str) -> Vec<u8> {
        let mut out = vec![0x81, 0xa3, b'a', b'c', b'k'];
        match chunk.len() {
            short @ ..32 => out.push(0xa0 | u8::try_from(short).unwrap()),
            long => out.extend_from_slice(&[0xd9, u8::try_from(long).unwrap()]),
        }
        out.extend_from_slice(chunk.as_bytes());
        out
    }
}

/// Sends a chunk and waits for its acknowledgement; whether it came.
pub(crate) fn send_chunk(at: &str, messages: &[String], chunk: &str) -> bool {
    let Ok(mut socket) = TcpStream::connect(at) else { return false };
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let want = pack::ack(chunk);
    let mut got = vec![0; want.len()];
    let sent = socket.write_all(&pack::forward("app.web", messages, Some(chunk)));
    sent.is_ok() && socket.read_exact(&mut got).is_ok() && got == want
}

async fn bodies(koshu: &Koshu) -> Vec<String> {
    let rows = koshu.client().sql("SELECT body FROM logs ORDER BY body").await;
    rows.iter().map(|row| row[0].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chunk_is_stored_once_however_often_it_is_sent_and_also_after_a_kill() {
    let place = Place::new();
    let koshu = start(&place).await;
    let messages: Vec<String> = (0..50).map(|number| format!("line {number:02}")).collect();
    for _ in 0..3 {
        assert!(send_chunk(&address(&koshu, "forward"), &messages, "Y2h1bmstMQ=="), "not acknowledged");
    }
    assert_eq!(bodies(&koshu).await, messages);
    koshu.kill();
    let koshu = start(&place).await;
    assert!(send_chunk(&address(&koshu, "forward"), &messages, "Y2h1bmstMQ=="));
    assert_eq!(bodies(&koshu).await, messages, "the same chunk after a restart");
    let other = vec!["another".to_owned()];
    assert!(send_chunk(&address(&koshu, "forward"), &other, "Y2h1bmstMg=="));
    assert_eq!(bodies(&koshu).await.len(), 51);
    let row = &koshu.client().sql("SELECT service, source, ts FROM logs WHERE body = 'another'").await[0];
    assert_eq!(row[0], "app-web", "the tag is the service");
    assert_eq!((row[1].as_str(), row[2].as_str()), (Some("forward"), Some("2025-11-24T16:00:00Z")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_message_is_not_acknowledged_and_harms_no_other_connection() {
    let place = Place::new();
    let koshu = start(&place).await;
    let at = address(&koshu, "forward");
    let mut damaged = TcpStream::connect(&at).unwrap();
    damaged.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    damaged.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    damaged.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"", "the connection is closed without a word");
    // A length of 4 GiB that is not there costs nothing and waits for nobody else.
    let mut lying = TcpStream::connect(&at).unwrap();
    lying.write_all(&[0x93, 0xdb, 0xff, 0xff, 0xff, 0xff]).unwrap();
    assert!(send_chunk(&at, &["good".to_owned()], "Zw=="));
    assert_eq!(bodies(&koshu).await, ["good"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_logger_are_log_records_over_every_transport() {
    let Some(logger) = tool("logger") else { return };
    let place = Place::new();
    let koshu = start(&place).await;
    let at = address(&koshu, "syslog");
    let port = at.rsplit_once(':').unwrap().1;
    let ways: [(&str, &[&str]); 5] = [
        ("udp 5424", &["--udp", "--rfc5424"]),
        ("udp 3164", &["--udp", "--rfc3164"]),
        ("tcp 5424", &["--tcp", "--rfc5424"]),
        ("tcp 3164", &["--tcp", "--rfc3164"]),
        ("tcp counted", &["--tcp", "--octet-count", "--rfc5424"]),
    ];
    for (way, flags) in ways {
        let mut command = Command::new(&logger);
        command.args(["--server", "127.0.0.1", "--port", port, "--tag", "billing", "--priority", "user.err"]);
        ran(command.args(flags).arg(format!("payment failed over {way}: password=hunter2")));
    }
    let all = async || (bodies(&koshu).await.len() == ways.len()).then_some(());
    until(Duration::from_secs(20), "every message is stored", all).await;
    let want: BTreeSet<String> =
        ways.iter().map(|(way, _)| format!("payment failed over {way}: password=***")).collect();
    assert_eq!(bodies(&koshu).await.into_iter().collect::<BTreeSet<_>>(), want, "what was said, without the secret");
    let rows = koshu.client().sql("SELECT DISTINCT service, severity, source FROM logs").await;
    assert_eq!(rows, [["billing", "error", "syslog"]]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_of_statsd_are_summed_up_and_stored() {
    let place = Place::new();
    let koshu = start(&place).await;
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(address(&koshu, "statsd")).unwrap();
    for _ in 0..10 {
        socket.send(b"orders:2|c|#service:shop\nbasket:7|g|#service:shop\nnonsense\n").unwrap();
    }
    let basket = "SELECT count(*) FROM samples WHERE name = 'basket'";
    let stored = async || (koshu.client().number(basket).await > 0).then_some(());
    until(Duration::from_secs(30), "a window is stored", stored).await;
    let orders = "SELECT CAST(sum(value) AS BIGINT) FROM samples WHERE name = 'orders' AND service = 'shop'";
    assert_eq!(koshu.client().number(orders).await, 20);
    let sources = koshu.client().get("/api/v1/sources").await.ok();
    let statsd: Vec<_> =
        sources["sources"].as_array().unwrap().iter().filter(|source| source["kind"] == "statsd").collect();
    let rejected: u64 = statsd.iter().filter_map(|source| source["rejected"].as_u64()).sum();
    assert_eq!(rejected, 10, "nonsense is counted: {statsd:?}");
}

#[tokio::test]
async fn what_fluentd_sends_of_nginx_is_requests_and_stays_log_records() {
    let place = Place::new();
    let koshu = start(&place).await;
    let line = |at: u32| {
        format!("192.0.2.7 - - [03/Feb/2026:04:05:0{at} +0000] \"GET /items/{at} HTTP/1.1\" 200 512 \"-\" \"curl/8\"")
    };
    assert!(send_chunk(&address(&koshu, "forward"), &[line(1), "worker started".to_owned(), line(2)], "of nginx"));
    let sql = "SELECT route, path, status, source FROM requests ORDER BY ts";
    let want = ["/items/1", "/items/2"]
        .map(|path| vec!["GET /items/:id".into(), path.into(), serde_json::Value::from(200), "forward".into()]);
    assert_eq!(koshu.client().sql(sql).await, want);
    assert_eq!(bodies(&koshu).await.len(), 3);
}
