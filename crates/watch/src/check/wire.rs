//! A check as it travels to the agent that runs it: the same JSON that a configuration could hold, without the values of
//! its secrets, which travel beside it.

use super::spec::{Check, Probe};
use super::step::{Below, Body, Expect, HttpStep};
use serde_json::{Map, Value, json};

impl Check {
    /// As people would write it. What was left out is written with its default; values of secrets are not.
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        let mut put = |key: &str, value: Value| drop(out.insert(key.to_owned(), value));
        if let Some(service) = &self.service {
            put("service", json!(service));
        }
        put("every", json!(self.every));
        put("from", json!(self.from));
        let is_heartbeat = matches!(self.probe, Probe::Heartbeat { .. });
        if !is_heartbeat {
            put("timeout", json!(self.timeout));
            put("retries", json!(self.retries));
        }
        if !matches!(self.probe, Probe::Http(_) | Probe::Heartbeat { .. }) {
            put("below", below(&self.below));
        }
        match &self.probe {
            Probe::Http(steps) => {
                put("steps", steps.iter().map(step).collect());
                put("variables", json!(self.variables));
                put("secret_files", json!(self.secret_files));
            }
            Probe::Tcp(at) => put("tcp", json!(at.to_string())),
            Probe::Tls { at, expires_in } => {
                put("tls", json!(at.to_string()));
                put("expires_in", json!(expires_in));
            }
            Probe::Dns(question) => {
                put("dns", json!(question.name));
                put("type", json!(question.kind.as_str()));
                put("answers", json!(question.answers));
                if let Some(resolver) = question.resolver {
                    put("resolver", json!(resolver.to_string()));
                }
            }
            Probe::Icmp { host } => put("icmp", json!(host)),
            Probe::Heartbeat { id, grace } => {
                put("heartbeat", json!(id));
                put("grace", json!(grace));
            }
        }
        Value::Object(out)
    }
}

fn step(step: &HttpStep) -> Value {
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| drop(out.insert(key.to_owned(), value));
    put(&step.method.as_str().to_ascii_lowercase(), json!(step.url.to_string()));
    let headers = step.headers.iter().map(|(name, value)| (name.clone(), json!(value.to_string())));
    put("headers", Value::Object(headers.collect()));
    match &step.body {
        Body::None => {}
        Body::Form(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), json!(value.to_string())));
            put("form", Value::Object(fields.collect()));
        }
        Body::Json(value) => put("json", value.clone()),
        Body::Text(text) => put("body", json!(text.to_string())),
    }
    put("follow", json!(step.follow));
    put("expect", expect(&step.expect));
    let save = step.save.iter().map(|(name, save)| (name.clone(), json!(save.to_string())));
    put("save", Value::Object(save.collect()));
    Value::Object(out)
}

fn expect(expect: &Expect) -> Value {
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| drop(out.insert(key.to_owned(), value));
    if !expect.status.is_empty() {
        put("status", json!(expect.status));
    }
    let header = expect.header.iter().map(|(name, value)| (name.clone(), json!(value.to_string())));
    put("header", Value::Object(header.collect()));
    for (key, texts) in [("contains", &expect.contains), ("not_contains", &expect.not_contains)] {
        if !texts.is_empty() {
            put(key, texts.iter().map(ToString::to_string).collect());
        }
    }
    put("json", json!(expect.json));
    put("below", below(&expect.below));
    Value::Object(out)
}

fn below(below: &Below) -> Value {
    let Below { dns, connect, tls, first_byte, total } = below;
    let parts = [("dns", dns), ("connect", connect), ("tls", tls), ("first_byte", first_byte), ("total", total)];
    parts
        .into_iter()
        .filter_map(|(name, span)| Some((name.to_owned(), json!(span.as_ref()?))))
        .collect::<Map<_, _>>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read back must be the very same check: an agent runs what the server was told.
    #[test]
    fn every_kind_of_check_is_read_back_as_it_was() {
        let scenario = json!({
            "service": "shop", "every": "90s", "timeout": "3s", "retries": 2, "from": ["server", "tokyo"],
            "variables": {"user": "aoi"}, "secret_files": {"password": "/etc/koshu/password"},
            "steps": [
                {"get": "https://shop.example/login?next={{user}}", "follow": 2,
                 "save": {"csrf": "regex:name=\"csrf\" value=\"([^\"]+)\"", "id": "$.items[0].id", "sid": "cookie:sid"}},
                {"post": "https://shop.example/login", "headers": {"X-Csrf": "{{csrf}}"},
                 "form": {"user": "{{user}}", "password": "{{password}}"},
                 "expect": {"status": [200, 302], "header": {"location": "/home*"}, "contains": "welcome",
                            "not_contains": ["error", "{{sid}}"], "json": {"$.ok": true, "$.n": 1.5},
                            "below": {"total": "800ms", "dns": "1500us"}}},
                {"put": "https://shop.example/a", "json": {"a": ["{{id}}", null]}},
                {"patch": "https://shop.example/b", "body": "plain {{id}}"},
                {"delete": "https://shop.example/c"}, {"head": "https://shop.example/"},
            ],
        });
        let checks = [
            scenario,
            json!({"tcp": "[2001:db8::1]:5432", "below": {"connect": "50ms"}}),
            json!({"tls": "shop.example:443", "expires_in": "30d"}),
            json!({"dns": "shop.example", "type": "MX", "answers": ["10 mail.shop.example"], "resolver": "192.0.2.53"}),
            json!({"icmp": "192.0.2.1", "retries": 0}),
            json!({"heartbeat": "backup", "every": "1d", "grace": "2h"}),
        ];
        for written in checks {
            let check: Check = serde_json::from_value(written.clone()).unwrap();
            let sent = serde_json::to_string(&check.to_json()).unwrap();
            let read: Check = serde_json::from_str(&sent).unwrap_or_else(|error| panic!("{error}: {sent}"));
            assert_eq!(read, check, "{written}");
        }
    }

    #[test]
    fn values_of_secrets_stay_out() {
        let written = json!({"secret_files": {"key": "/k"}, "steps": [{"get": "https://a.example/", "headers": {"x": "{{key}}"}}]});
        let mut check: Check = serde_json::from_value(written).unwrap();
        check.secrets.insert("key".to_owned(), base::Secret::new("hunter2"));
        assert!(!check.to_json().to_string().contains("hunter2"));
    }
}
