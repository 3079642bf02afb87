//! What shippers and clients ask of Elasticsearch before they send, answered so that they do send.
//!
//! Nothing here depends on what is stored. Where a shipper would install something (a template, a lifecycle policy, a
//! pipeline), it is told that this is there already or was taken; the lake needs none of it.

use serde_json::{Value, json};

/// Without this header the official clients stop at once.
pub const PRODUCT_HEADER: (&str, &str) = ("x-elastic-product", "Elasticsearch");

/// The version that a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 8, and everything before it.
    V8,
    /// 9.
    V9,
}

impl Version {
    /// The version that a client's `Accept` or `Content-Type` header asks for
    /// (`application/vnd.elasticsearch+json; compatible-with=9`); 8 when it asks for none.
    pub fn of_media_type(header: Option<&str>) -> Self {
        let asked = header.and_then(|header| header.split("compatible-with=").nth(1));
        match asked.map(|asked| asked.trim_start_matches('"').starts_with('9')) {
            Some(true) => Self::V9,
            Some(false) | None => Self::V8,
        }
    }

    /// The number that is answered. High within its major version: Beats refuse to send to what is older than they.
    pub const fn number(self) -> &'static str {
        match self {
            Self::V8 => "8.99.0",
            Self::V9 => "9.99.0",
        }
    }
}

/// The content type of an answer: the client's own media type when it asked for one.
pub fn content_type(accept: Option<&str>) -> &'static str {
    let asked = accept.is_some_and(|accept| accept.contains("vnd.elasticsearch+json"));
    match (asked, Version::of_media_type(accept)) {
        (false, _) => "application/json",
        (true, Version::V8) => "application/vnd.elasticsearch+json;compatible-with=8",
        (true, Version::V9) => "application/vnd.elasticsearch+json;compatible-with=9",
    }
}

/// Whether a request to a path that both have (`/`, `/shop`) comes from a client of Elasticsearch rather than from a
/// browser or a person's `curl`, by its headers `Accept`, `Content-Type` and `User-Agent`.
///
/// Clients for Python, JavaScript and Go ask for JSON by `Accept`. Those for Ruby (fluentd's plugin), PHP and Java
/// (Logstash) ask for anything or for nothing, and stop at once when they are shown a page.
pub fn is_asked_by_client(accept: Option<&str>, content_type: Option<&str>, agent: Option<&str>) -> bool {
    let names = |header: Option<&str>, word: &str| header.is_some_and(|text| text.to_ascii_lowercase().contains(word));
    // Every browser asks for HTML where a person goes.
    if names(accept, "text/html") {
        return false;
    }
    accept.is_none()
        || names(accept, "elasticsearch")
        || names(accept, "application/json")
        || names(content_type, "json")
        || names(agent, "elastic")
}

/// `GET /`
pub fn root(version: Version) -> Value {
    json!({
        "name": "koshu",
        "cluster_name": "koshu",
        "cluster_uuid": "koshu",
        "version": {
            "number": version.number(),
            "build_flavor": "default",
            "build_type": "tar",
            "build_hash": "unknown",
            "build_date": "2026-01-01T00:00:00Z",
            "build_snapshot": false,
            "lucene_version": "10.0.0",
            "minimum_wire_compatibility_version": "8.0.0",
            "minimum_index_compatibility_version": "8.0.0",
        },
        // Clients before 7.14 compare this text.
        "tagline": "You Know, for Search",
    })
}

/// `GET /_license`
pub fn licence() -> Value {
    json!({ "license": { "status": "active", "uid": "koshu", "type": "basic", "mode": "basic", "issued_to": "koshu" } })
}

/// `GET /_xpack`
pub fn xpack() -> Value {
    let feature = json!({ "available": true, "enabled": true });
    json!({
        "build": { "hash": "unknown", "date": "2026-01-01T00:00:00Z" },
        "license": { "uid": "koshu", "type": "basic", "mode": "basic", "status": "active" },
        "features": { "ilm": feature, "data_streams": feature, "security": { "available": true, "enabled": false } },
        "tagline": "You know, for X",
    })
}

/// `GET /_ilm/policy/{name}`
pub fn ilm_policy(name: &str) -> Value {
    json!({ name: { "version": 1, "modified_date": "2026-01-01T00:00:00.000Z", "policy": { "phases": {} } } })
}

/// `GET /_index_template/{name}`
pub fn index_template(name: &str) -> Value {
    let template = json!({ "index_patterns": [format!("{name}-*")], "composed_of": [], "priority": 100, "version": 1 });
    json!({ "index_templates": [{ "name": name, "index_template": template }] })
}

/// `GET /_template/{name}`, from before index templates.
pub fn legacy_template(name: &str) -> Value {
    json!({ name: { "order": 0, "version": 1, "index_patterns": [format!("{name}-*")], "settings": {}, "mappings": {}, "aliases": {} } })
}

/// `GET /_data_stream/{name}`
pub fn data_stream(name: &str) -> Value {
    json!({ "data_streams": [{ "name": name, "timestamp_field": { "name": "@timestamp" }, "indices": [], "generation": 1, "status": "GREEN", "template": name }] })
}

/// `GET /_ingest/pipeline/{name}`
pub fn ingest_pipeline(name: &str) -> Value {
    json!({ name: { "version": 1, "processors": [] } })
}

/// `GET /_alias/{name}`
pub fn alias(name: &str) -> Value {
    json!({ name: { "aliases": { name: { "is_write_index": true } } } })
}

/// `GET /{index}`
pub fn index(name: &str) -> Value {
    json!({ name: { "aliases": {}, "mappings": {}, "settings": {} } })
}

/// `PUT /{index}`
pub fn index_created(name: &str) -> Value {
    json!({ "acknowledged": true, "shards_acknowledged": true, "index": name })
}

/// The answer to what no shipper needs (searches, statistics): with status 404.
pub fn no_handler(method: &str, path: &str) -> Value {
    error(404, "illegal_argument_exception", &format!("no handler found for uri [{path}] and method [{method}]"))
}

/// `GET /_cluster/health`
pub fn cluster_health() -> Value {
    json!({
        "cluster_name": "koshu", "status": "green", "timed_out": false, "number_of_nodes": 1,
        "number_of_data_nodes": 1, "active_primary_shards": 1, "active_shards": 1, "relocating_shards": 0,
        "initializing_shards": 0, "unassigned_shards": 0, "active_shards_percent_as_number": 100.0,
    })
}

/// `GET /_nodes`, `/_nodes/http` and so on. `address` is `host:port` as the client reached it: clients that sniff
/// connect to what stands here.
pub fn nodes(version: Version, address: &str) -> Value {
    let node = json!({
        "name": "koshu", "version": version.number(), "roles": ["data", "ingest", "master"],
        "http": { "bound_address": [address], "publish_address": address, "max_content_length_in_bytes": 64 << 20 },
    });
    json!({ "_nodes": { "total": 1, "successful": 1, "failed": 0 }, "cluster_name": "koshu", "nodes": { "koshu": node } })
}

/// The answer to whatever a shipper installs with `PUT`.
pub fn acknowledged() -> Value {
    json!({ "acknowledged": true })
}

/// The shape of every error of a whole request.
pub fn error(status: u16, kind: &str, reason: &str) -> Value {
    let cause = json!({ "type": kind, "reason": reason });
    json!({ "error": { "root_cause": [cause], "type": kind, "reason": reason }, "status": status })
}
