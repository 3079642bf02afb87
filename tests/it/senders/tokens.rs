//! Once there is a token, senders need it; with it they go on unchanged.

use super::endpoints::endpoints;
use super::programs::{free_port, nginx};
use super::{Packages, node_sends, python_sends, stored};
use crate::listeners::{address, start};
use e2e::{Client, Koshu, Place, tool};
use serde_json::json;
use std::collections::BTreeMap;

/// A new token of a scope.
pub async fn made_token(koshu: &Koshu, scope: &str) -> String {
    let made = koshu.client().post("/api/v1/tokens", &json!({"name": "senders", "scope": scope})).await.ok();
    made["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn once_there_is_a_token_every_way_in_asks_for_it() {
    let place = Place::new();
    let koshu = place.start().await;
    let stranger = koshu.stranger();
    let (ingest, read) = (made_token(&koshu, "ingest").await, made_token(&koshu, "read").await);
    for endpoint in endpoints() {
        let send = |client: &Client| Client::send(endpoint.request(client, endpoint.good.clone()));
        let refused = send(&stranger).await;
        endpoint.assert_refused(&refused, 401, "no token");
        assert_eq!(refused.header("www-authenticate"), "Bearer", "{}", endpoint.path);
        endpoint.assert_refused(&send(&stranger.with_token("koshu_nonsense")).await, 401, "an unknown token");
        endpoint.assert_refused(&send(&stranger.with_token(&read)).await, 403, "a token that may only read");
    }
    let ping = stranger.get("/ping/nightly").await;
    assert!(!ping.problem(401).is_empty());
    let nothing: Vec<(&str, i64)> = Vec::new();
    assert_eq!(stored(koshu.client()).await, nothing);

    let mut want = BTreeMap::new();
    for endpoint in endpoints() {
        let bearer = endpoint.request(&stranger.with_token(&ingest), endpoint.good.clone());
        let basic = endpoint.request(&stranger, endpoint.good.clone()).basic_auth("shop", Some(&ingest));
        for request in [bearer, basic] {
            let answer = Client::send(request).await;
            assert!(answer.status.is_success(), "{} {answer:?}", endpoint.path);
            *want.entry(endpoint.table).or_insert(0) += 1;
        }
    }
    let of_sentry: Vec<_> = endpoints().into_iter().filter(|endpoint| endpoint.path.starts_with("/api/42/")).collect();
    assert_eq!(of_sentry.len(), 2);
    for endpoint in of_sentry {
        let by_header = endpoint.request(&stranger, endpoint.good.clone());
        let by_header = by_header.header("x-sentry-auth", format!("Sentry sentry_version=7, sentry_key={ingest}"));
        let by_query = endpoint.request(&stranger, endpoint.good.clone());
        let by_query = by_query.query(&[("sentry_version", "7"), ("sentry_key", &ingest)]);
        for request in [by_header, by_query] {
            Client::send(request).await.ok();
            *want.entry(endpoint.table).or_insert(0) += 1;
        }
    }
    assert_eq!(stranger.with_token(&ingest).get("/ping/nightly").await.text, "OK");
    *want.entry("events").or_insert(0) += 1;
    assert_eq!(stored(koshu.client()).await.into_iter().collect::<BTreeMap<_, _>>(), want);
}

#[tokio::test]
async fn real_clients_bring_the_token_in_their_own_way() {
    let place = Place::new();
    let koshu = start(&place).await;
    let token = made_token(&koshu, "ingest").await;
    let (url, grpc) = (koshu.url(), address(&koshu, "otlp_grpc"));
    // These two say on their own standard error that they were refused.
    for arguments in [["http", url], ["grpc", &grpc]] {
        let Some(_) = python_sends(Packages::Newest, "send_opentelemetry", &arguments) else { return };
    }
    let nothing: Vec<(&str, i64)> = Vec::new();
    assert_eq!(stored(koshu.client()).await, nothing, "no token");
    for (script, arguments) in [
        ("send_elasticsearch", &[url, &token][..]),
        ("send_opentelemetry", &["http", url, &token]),
        ("send_opentelemetry", &["grpc", &grpc, &token]),
        ("send_sentry", &[url, &token]),
        ("send_loki", &[url, &token]),
        ("send_loki_handler", &[url, &token]),
    ] {
        let Some(_) = python_sends(Packages::Newest, script, arguments) else { return };
    }
    for (script, arguments) in [
        ("send_elasticsearch", &[url, &token][..]),
        ("send_opentelemetry", &["json", url, &token]),
        ("send_opentelemetry", &["protobuf", url, &token]),
        ("send_sentry", &[url, &token]),
        ("send_loki", &["json", url, &token]),
        ("send_loki", &["protobuf", url, &token]),
    ] {
        let Some(_) = node_sends(script, arguments) else { return };
    }
    // What each of them stores is compared where no token is needed.
    let sql = "SELECT source, count(*) FROM logs GROUP BY source ORDER BY source";
    let want = [("elasticsearch", 8 + 3), ("loki", 4 * 3), ("otlp", 2 * 2 + 2), ("sentry", 2 + 2)];
    assert_eq!(koshu.client().sql(sql).await, want.map(|(source, count)| [json!(source), json!(count)]));
    let (errors, events) = (1 + 4 + 3 + 1, 3 + 2);
    let want = [
        ("requests", 1 + 4 + 2),
        ("logs", 33),
        ("spans", 4 * 2 + 4),
        ("samples", 4 * 10 + 3),
        ("errors", errors),
        ("events", events),
    ];
    assert_eq!(stored(koshu.client()).await, want);
}

#[tokio::test]
async fn without_a_token_nobody_sends_over_grpc_through_a_proxy() {
    let Some(program) = tool("nginx") else { return };
    let place = Place::new();
    let koshu = start(&place).await;
    let (grpc, port) = (address(&koshu, "otlp_grpc"), free_port());
    let proxy = format!(
        "server {{ listen 127.0.0.1:{port} http2; location / {{ grpc_pass grpc://{grpc};\n\
         grpc_set_header X-Forwarded-For $remote_addr; }} }}"
    );
    let (_nginx, _) = nginx(&program, &place, &proxy).await;
    let proxy = format!("127.0.0.1:{port}");
    let Some(_) = python_sends(Packages::Newest, "send_opentelemetry", &["grpc", &proxy]) else { return };
    let nothing: Vec<(&str, i64)> = Vec::new();
    assert_eq!(stored(koshu.client()).await, nothing, "the proxy speaks for somebody");
    let token = made_token(&koshu, "ingest").await;
    python_sends(Packages::Newest, "send_opentelemetry", &["grpc", &proxy, &token]);
    assert!(koshu.client().number("SELECT count(*) FROM spans").await > 0, "with a token it is taken");
}
