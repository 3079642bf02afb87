//! Input that no client should send: refused with the right status in the form of its protocol, and nothing of it kept.

use super::endpoints::{Endpoint, endpoints};
use super::{Packages, node_sends, python_sends, stored};
use crate::listeners::{address, start};
use e2e::{Client, Place};
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Method;
use std::collections::BTreeMap;
use std::io::Write;

/// More than any body may unpack to.
fn bomb() -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    let spaces = vec![b' '; 1 << 20];
    (0..=64).for_each(|_| gzip.write_all(&spaces).unwrap());
    gzip.finish().unwrap()
}

async fn send(endpoint: &Endpoint, client: &Client, kind: Option<&str>, encoding: &str, body: Vec<u8>) -> e2e::Answer {
    let request = client.request(Method::POST, endpoint.path).header("content-encoding", encoding);
    let request = if let Some(kind) = kind { request.header("content-type", kind) } else { request };
    Client::send(request.body(body)).await
}

#[tokio::test]
async fn wrong_input_is_refused_in_the_form_of_its_protocol_and_nothing_of_it_is_kept() {
    let place = Place::new();
    let koshu = place.start().await;
    let stranger = koshu.stranger();
    let bomb = bomb();
    for endpoint in endpoints() {
        let broken = Client::send(endpoint.request(&stranger, endpoint.broken.clone())).await;
        endpoint.assert_refused(&broken, 400, "broken behind a good start");
        let is_write = endpoint.path == "/api/v1/write";
        if !is_write {
            let half = send(&endpoint, &stranger, Some(endpoint.kind), "gzip", bomb[..1000].to_vec()).await;
            endpoint.assert_refused(&half, 400, "half a gzip");
            let large = send(&endpoint, &stranger, Some(endpoint.kind), "gzip", bomb.clone()).await;
            endpoint.assert_refused(&large, 413, "a gzip bomb");
        }
        let unknown = send(&endpoint, &stranger, Some(endpoint.kind), "lz4", endpoint.good.clone()).await;
        assert_eq!(unknown.status, 415, "unknown encoding: {} {unknown:?}", endpoint.path);
    }
    let nothing: Vec<(&str, i64)> = Vec::new();
    assert_eq!(stored(koshu.client()).await, nothing, "nothing of a refused body is kept");
    assert_eq!(koshu.client().get("/api/v1/services").await.ok()["services"], serde_json::json!([]));

    // The bodies were good up to where they broke: whole, each is a row.
    let mut want = BTreeMap::new();
    for endpoint in endpoints() {
        let answer = Client::send(endpoint.request(&stranger, endpoint.good.clone())).await;
        assert!(answer.status.is_success(), "{} {answer:?}", endpoint.path);
        *want.entry(endpoint.table).or_insert(0) += 1;
    }
    assert_eq!(stored(koshu.client()).await.into_iter().collect::<BTreeMap<_, _>>(), want);
}

#[tokio::test]
async fn a_content_type_that_says_something_else_is_not_guessed_at() {
    let place = Place::new();
    let koshu = place.start().await;
    let stranger = koshu.stranger();
    let kinds = [Some("text/plain"), Some("application/xml"), None];
    for endpoint in endpoints().iter().filter(|endpoint| endpoint.path.starts_with("/v1/")) {
        for kind in kinds {
            let answer = send(endpoint, &stranger, kind, "identity", endpoint.good.clone()).await;
            assert!(!answer.problem(415).is_empty(), "{} {kind:?}", endpoint.path);
        }
    }
    // These two read protobuf when nothing is said, as their protocols have it.
    for path in ["/loki/api/v1/push", "/api/v1/write"] {
        let endpoint = endpoints().into_iter().find(|endpoint| endpoint.path == path).unwrap();
        for kind in ["text/plain", "application/xml"] {
            let request = endpoint.request(&stranger, endpoint.good.clone());
            let request = request.build().unwrap();
            let again = stranger.request(Method::POST, path).headers(without_type(request.headers(), kind));
            let answer = Client::send(again.body(endpoint.good.clone())).await;
            assert!(answer.problem(415).contains(kind), "{path} {kind} {answer:?}");
        }
    }
    let nothing: Vec<(&str, i64)> = Vec::new();
    assert_eq!(stored(koshu.client()).await, nothing);
}

/// The same headers with another content type.
fn without_type(headers: &reqwest::header::HeaderMap, kind: &str) -> reqwest::header::HeaderMap {
    let mut headers = headers.clone();
    headers.insert("content-type", kind.parse().unwrap());
    headers
}

/// Snappy says at its start how long it will be: believed, that would be all memory.
#[tokio::test]
async fn a_snappy_block_that_lies_about_its_length_is_refused() {
    let place = Place::new();
    let koshu = place.start().await;
    let stranger = koshu.stranger();
    // 128 MiB, in a block of ten bytes.
    let lie = [&[0x80, 0x80, 0x80, 0x40][..], &[0x08, b'a', b'b', b'c', 0, 0]].concat();
    for (path, encoding) in [("/api/v1/write", "snappy"), ("/loki/api/v1/push", "identity")] {
        let request = stranger.request(Method::POST, path).header("content-type", "application/x-protobuf");
        let answer = Client::send(request.header("content-encoding", encoding).body(lie.clone())).await;
        assert!(!answer.problem(413).is_empty(), "{path}");
    }
}

/// The most memory that a process ever had, in MiB.
fn peak_mib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::test]
async fn small_calls_that_unpack_to_gibibytes_share_the_memory_of_all_bodies() {
    let place = Place::new();
    place.configure("server: {memory: 512MiB}\n");
    let koshu = start(&place).await;
    let grpc = address(&koshu, "otlp_grpc");
    let before = peak_mib(koshu.pid());
    let Some(counts) = node_sends("send_grpc_bomb", &[&grpc]) else { return };
    let of = |status: &str| counts[status].as_u64().unwrap_or(0);
    // Bytes of nothing are no message (3); where there was no room in time, it may come again (14).
    assert_eq!(of("3") + of("14"), 64, "{counts}");
    let grown = peak_mib(koshu.pid()) - before;
    assert!(grown <= 256, "64 calls of 60 MiB took {grown} MiB");
    let Some(_) = python_sends(Packages::Newest, "send_opentelemetry", &["grpc", &grpc]) else { return };
    assert!(koshu.client().number("SELECT count(*) FROM spans").await > 0, "it goes on");
}
