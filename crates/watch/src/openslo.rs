//! OpenSLO v1, in and out.
//!
//! Out: a Service, an SLO for each objective (with its condition as a ratio metric of the source type `koshu`), and an
//! AlertPolicy with an AlertCondition for each row of a burn rule. OpenSLO's condition has no short window; it, and
//! everything else of ours that has no place there, goes to `annotations`, so that nothing is lost on the way back.
//! In: what cannot be said here is kept as an annotation or left out, and either is said.

use crate::Class;
use crate::burn::{Measure, ROWS};
use crate::objective::Target;
use crate::spec::{ObjectiveSpec, RuleSpec};
use crate::window::{Period, Window, WindowSpec};
use base::Span;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const VERSION: &str = "openslo/v1";
const SOURCE: &str = "koshu";
/// Largest document that is read.
const MAX_BYTES: usize = 1 << 20;

/// What was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Imported {
    /// Objectives by service.
    pub services: BTreeMap<String, Vec<ObjectiveSpec>>,
    /// Rules.
    pub rules: Vec<RuleSpec>,
    /// What was kept only as an annotation, or left out, and why.
    pub notes: Vec<String>,
}

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Too much.
    #[error("the document is larger than 1 MiB; split it into several files")]
    TooLarge,
    /// No YAML.
    #[error("the document cannot be read: {0}")]
    Yaml(String),
}

/// Writes objectives of one service, and the burn rules over them, as OpenSLO documents.
pub fn export(service: &str, objectives: &[ObjectiveSpec], rules: &[RuleSpec]) -> String {
    let mut documents = vec![json!({
        "apiVersion": VERSION, "kind": "Service", "metadata": { "name": service }, "spec": {},
    })];
    for objective in objectives {
        let name = format!("{service}-{}", objective.name);
        let mine = |rule: &&RuleSpec| {
            rule.service.as_deref() == Some(service)
                && rule.objective.as_deref() == Some(&objective.name)
                && rule.signal.is_none()
        };
        let mut policies = Vec::new();
        for rule in rules.iter().filter(mine) {
            for (policy, condition) in alert_policies(rule, objective) {
                policies.push(json!({ "alertPolicyRef": policy["metadata"]["name"] }));
                documents.extend([condition, policy]);
            }
        }
        documents.push(slo(service, &name, objective, &policies));
    }
    let texts: Vec<String> = documents
        .iter()
        .map(|document| serde_saphyr::to_string(document).expect("maps with text keys can be written"))
        .collect();
    texts.iter().map(|text| text.trim_end()).collect::<Vec<_>>().join("\n---\n") + "\n"
}

fn slo(service: &str, name: &str, objective: &ObjectiveSpec, policies: &[Value]) -> Value {
    let source = |spec: Value| json!({ "metricSource": { "type": SOURCE, "spec": spec } });
    let mut scope = Map::new();
    if let Some(route) = &objective.route {
        scope.insert("route".to_owned(), json!(route));
    }
    let with = |key: &str, value: &Option<String>| {
        let mut spec = scope.clone();
        spec.extend(value.as_ref().map(|value| (key.to_owned(), json!(value))));
        source(Value::Object(spec))
    };
    let ratio = match &objective.check {
        Some(check) => {
            let runs = source(json!({ "check": check }));
            json!({ "counter": false, "good": runs.clone(), "total": runs })
        }
        None => json!({
            "counter": false, "good": with("condition", &objective.good), "total": with("condition", &objective.valid),
        }),
    };
    let window = match objective.window {
        WindowSpec::Rolling(span) => json!({ "duration": span.to_string(), "isRolling": true }),
        WindowSpec::Calendar(period) => json!({
            "duration": match period { Period::Week => "1w", Period::Month => "1M", Period::Quarter => "1Q" },
            "isRolling": false,
            "calendar": {
                "startTime": match period {
                    // A Monday, and the first day of a year.
                    Period::Week => "2024-01-01 00:00:00",
                    Period::Month | Period::Quarter => "2023-01-01 00:00:00",
                },
                "timeZone": objective.time_zone.as_deref().unwrap_or("UTC"),
            },
        }),
    };
    let mut annotations: Map<String, Value> =
        objective.annotations.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
    annotations.insert("koshu/name".to_owned(), json!(objective.name));
    annotations.insert("koshu/min-bad".to_owned(), json!(objective.min_bad.to_string()));
    if objective.time_zone.is_none() && matches!(objective.window, WindowSpec::Calendar(_)) {
        annotations.insert("koshu/time-zone".to_owned(), json!("server"));
    }
    let mut spec = json!({
        "service": service,
        "indicator": { "metadata": { "name": format!("{name}-sli") }, "spec": { "ratioMetric": ratio } },
        "timeWindow": [window],
        "budgetingMethod": "Occurrences",
        "objectives": [{ "displayName": objective.name, "targetPercent": objective.target.percent() }],
    });
    if let Some(description) = &objective.description {
        spec["description"] = json!(description);
    }
    if !policies.is_empty() {
        spec["alertPolicies"] = json!(policies);
    }
    json!({
        "apiVersion": VERSION, "kind": "SLO",
        "metadata": { "name": name, "annotations": annotations },
        "spec": spec,
    })
}

/// A policy and its condition for each row of a rule. The whole rule is an annotation of each policy.
fn alert_policies(rule: &RuleSpec, objective: &ObjectiveSpec) -> Vec<(Value, Value)> {
    let whole = serde_json::to_string(rule).expect("a rule has text keys");
    let rows = ROWS.iter().filter(|row| rule.class == Class::Record || row.class == rule.class);
    let window = match objective.window {
        WindowSpec::Rolling(span) => span,
        WindowSpec::Calendar(Period::Week) => Span::from_seconds(7 * 86_400),
        WindowSpec::Calendar(Period::Month) => Span::from_seconds(30 * 86_400),
        WindowSpec::Calendar(Period::Quarter) => Span::from_seconds(91 * 86_400),
    };
    rows.filter(|row| row.long() <= window)
        .map(|row| {
            let (kind, threshold) = match row.measure {
                Measure::Share(share) => {
                    let scaled = f64::from(share) / 100.0 * window.micros() as f64 / row.long().micros() as f64;
                    ("burn", scaled.max(1.0))
                }
                Measure::MostFail => ("most-fail", (0.5 / objective.target.budget()).max(1.0)),
            };
            let name = format!("{}-{kind}-{}", rule.name, row.long());
            let condition = json!({
                "apiVersion": VERSION, "kind": "AlertCondition",
                "metadata": {
                    "name": format!("{name}-condition"),
                    "annotations": {
                        "koshu/short-window": row.short().to_string(),
                        "koshu/min-bad": objective.min_bad.to_string(),
                    },
                },
                "spec": {
                    "severity": rule.class.as_str(),
                    "condition": {
                        "kind": "burnrate", "op": "gt", "threshold": threshold,
                        "lookbackWindow": row.long().to_string(), "alertAfter": "0m",
                    },
                },
            });
            let policy = json!({
                "apiVersion": VERSION, "kind": "AlertPolicy",
                "metadata": { "name": name, "annotations": { "koshu/rule": whole } },
                "spec": {
                    "description": rule.action.clone().unwrap_or_default(),
                    "alertWhenBreaching": true, "alertWhenResolved": true, "alertWhenNoData": false,
                    "conditions": [{ "conditionRef": format!("{name}-condition") }],
                    "notificationTargets": [],
                },
            });
            (policy, condition)
        })
        .collect()
}

/// Reads OpenSLO documents.
pub fn import(text: &str) -> Result<Imported, ImportError> {
    if text.len() > MAX_BYTES {
        return Err(ImportError::TooLarge);
    }
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(text).map_err(|error| ImportError::Yaml(error.without_snippet().to_string()))?;
    let mut reader = Reader { documents: &documents, out: Imported::default() };
    for document in &documents {
        let kind = document["kind"].as_str().unwrap_or_default();
        let name = document["metadata"]["name"].as_str().unwrap_or_default();
        if document["apiVersion"] != VERSION {
            reader.note(kind, name, "is not of openslo/v1 and is left out");
            continue;
        }
        match kind {
            "SLO" => reader.slo(document, name),
            "AlertPolicy" => reader.policy(document, name),
            "Service" | "SLI" | "AlertCondition" => {}
            "DataSource" | "AlertNotificationTarget" => {
                reader.note(kind, name, "is left out: sources and channels are configured here by themselves");
            }
            _ => reader.note(kind, name, "is no kind of openslo/v1 and is left out"),
        }
    }
    Ok(reader.out)
}

struct Reader<'a> {
    documents: &'a [Value],
    out: Imported,
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// A name that configuration takes.
fn plain(name: &str) -> String {
    let lower = name.to_lowercase();
    let kept: String =
        lower.chars().map(|c| if matches!(c, 'a'..='z' | '0'..='9' | '_' | '.') { c } else { '-' }).collect();
    kept.trim_matches('-').chars().take(100).collect()
}

impl Reader<'_> {
    fn note(&mut self, kind: &str, name: &str, said: &str) {
        self.out.notes.push(format!("{kind} `{name}` {said}"));
    }

    fn find(&self, kind: &str, name: &str) -> Option<&Value> {
        self.documents.iter().find(|document| document["kind"] == kind && document["metadata"]["name"] == name)
    }

    fn slo(&mut self, document: &Value, name: &str) {
        let spec = &document["spec"];
        let Some(service) = text(&spec["service"]) else {
            return self.note("SLO", name, "names no service and is left out");
        };
        let indicator = match spec["indicatorRef"].as_str() {
            Some(reference) => self.find("SLI", reference).map(|sli| sli["spec"].clone()),
            None => Some(spec["indicator"]["spec"].clone()),
        };
        let ratio = indicator.map(|indicator| indicator["ratioMetric"].clone()).unwrap_or_default();
        let annotations: BTreeMap<String, String> = document["metadata"]["annotations"]
            .as_object()
            .map(|all| all.iter().filter_map(|(key, value)| Some((key.clone(), text(value)?))).collect())
            .unwrap_or_default();
        let own = |key: &str| annotations.get(&format!("koshu/{key}")).cloned();
        let source = |side: &str| {
            let source = &ratio[side]["metricSource"];
            (source["type"] == SOURCE).then(|| source["spec"].clone())
        };
        let (Some(good), Some(total)) = (source("good"), source("total")) else {
            let query = ratio["good"]["metricSource"]["type"].as_str().unwrap_or("unknown").to_owned();
            let said = format!("is left out: its metric comes from `{query}`; write its good requests as a condition");
            return self.note("SLO", name, &said);
        };
        let Some((window, zone)) = self.window(&spec["timeWindow"][0], name) else { return };
        let objectives = spec["objectives"].as_array().cloned().unwrap_or_default();
        for (index, objective) in objectives.iter().enumerate() {
            let percent =
                objective["targetPercent"].as_f64().or_else(|| objective["target"].as_f64().map(|t| t * 100.0));
            let target = match percent.map(Target::from_percent) {
                Some(Ok(target)) => target,
                Some(Err(error)) => {
                    self.note("SLO", name, &format!("is left out: {error}"));
                    continue;
                }
                None => {
                    self.note("SLO", name, "is left out: it has no target");
                    continue;
                }
            };
            let mut kept: BTreeMap<String, String> = annotations
                .iter()
                .filter(|(key, _)| !key.starts_with("koshu/"))
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect();
            for key in ["timeSliceTarget", "timeSliceWindow", "compositeWeight"] {
                if !objective[key].is_null() {
                    kept.insert(format!("openslo/{key}"), objective[key].to_string());
                    self.note("SLO", name, &format!("has `{key}`, which is only kept as an annotation"));
                }
            }
            let method = spec["budgetingMethod"].as_str().unwrap_or("Occurrences");
            if method != "Occurrences" {
                kept.insert("openslo/budgetingMethod".to_owned(), method.to_owned());
                self.note(
                    "SLO",
                    name,
                    &format!("budgets by `{method}`, which is only kept as an annotation: requests are counted here"),
                );
            }
            let base = own("name").unwrap_or_else(|| {
                let short = name.strip_prefix(&format!("{service}-")).unwrap_or(name);
                plain(short)
            });
            let name = if index == 0 { base } else { format!("{base}-{}", index + 1) };
            self.out.services.entry(plain(&service)).or_default().push(ObjectiveSpec {
                name,
                good: text(&good["condition"]),
                valid: text(&total["condition"]),
                check: text(&good["check"]),
                route: text(&good["route"]),
                target,
                window,
                time_zone: zone.clone().filter(|_| own("time-zone").as_deref() != Some("server")),
                min_bad: own("min-bad").and_then(|number| number.parse().ok()).unwrap_or(crate::burn::MIN_BAD),
                description: text(&spec["description"]),
                annotations: kept,
            });
        }
    }

    fn window(&mut self, window: &Value, name: &str) -> Option<(WindowSpec, Option<String>)> {
        let duration = window["duration"].as_str().unwrap_or_default();
        if window["isRolling"] == true {
            if let Ok(spec @ WindowSpec::Rolling(_)) = duration.parse::<WindowSpec>() {
                return Some((spec, None));
            }
        } else {
            let zone = text(&window["calendar"]["timeZone"]);
            let period = match duration {
                "1w" | "7d" => Some(Period::Week),
                "1M" => Some(Period::Month),
                "1Q" | "3M" => Some(Period::Quarter),
                _ => None,
            };
            if let Some(period) = period
                && Window::new(WindowSpec::Calendar(period), zone.as_deref().unwrap_or("UTC")).is_ok()
            {
                return Some((WindowSpec::Calendar(period), zone));
            }
        }
        self.note("SLO", name, &format!("is left out: a window of `{duration}` cannot be said here"));
        None
    }

    fn policy(&mut self, document: &Value, name: &str) {
        if let Some(whole) = document["metadata"]["annotations"]["koshu/rule"].as_str() {
            match serde_json::from_str::<RuleSpec>(whole) {
                Ok(rule) if self.out.rules.iter().any(|other| other.name == rule.name) => {}
                Ok(rule) => self.out.rules.push(rule),
                Err(error) => self.note("AlertPolicy", name, &format!("is left out: its rule cannot be read: {error}")),
            }
            return;
        }
        let Some((service, objective)) = self.user_of(name) else {
            return self.note("AlertPolicy", name, "is left out: no SLO uses it");
        };
        let condition = &document["spec"]["conditions"][0];
        let condition = match condition["conditionRef"].as_str() {
            Some(reference) => self.find("AlertCondition", reference).map(|found| found["spec"].clone()),
            None => Some(condition["spec"].clone()),
        };
        let severity = condition.as_ref().and_then(|condition| text(&condition["severity"])).unwrap_or_default();
        let is_page = matches!(severity.to_lowercase().as_str(), "page" | "critical" | "alert");
        let class = if is_page { Class::Alert } else { Class::Ticket };
        let rule = RuleSpec {
            service: Some(service),
            objective: Some(objective),
            action: text(&document["spec"]["description"]).filter(|action| !action.is_empty()),
            due: (class == Class::Ticket).then(|| Span::from_seconds(3 * 86_400)),
            ..RuleSpec::new(&plain(name), class)
        };
        self.out.rules.push(rule);
        let said =
            "becomes a burn rule: its threshold and window are replaced by the rows of its class; give it an owner";
        self.note("AlertPolicy", name, said);
    }

    /// Service and objective of the SLO that names a policy.
    fn user_of(&self, policy: &str) -> Option<(String, String)> {
        let uses = |slo: &&Value| {
            let policies = slo["spec"]["alertPolicies"].as_array();
            slo["kind"] == "SLO"
                && policies.is_some_and(|all| all.iter().any(|one| one == policy || one["alertPolicyRef"] == policy))
        };
        let slo = self.documents.iter().find(uses)?;
        let service = text(&slo["spec"]["service"])?;
        let name = slo["metadata"]["name"].as_str()?;
        let short = name.strip_prefix(&format!("{service}-")).unwrap_or(name);
        Some((plain(&service), plain(short)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECTIVES: &str = r#"
- {name: available, good: "status < 500", target: 99.9, window: 30d, min_bad: 5, description: "what users see", annotations: {team: web}}
- {name: fast, good: "duration_ms < 300", valid: "status < 500", route: "POST /checkout", target: 99.98, window: month, time_zone: Asia/Tokyo}
- {name: weekly, good: "status < 500", target: 95, window: week}
- {name: buying, check: buy, target: 99.5, window: quarter, time_zone: Europe/Berlin}
"#;
    const RULES: &str = r#"
- {name: burning, service: shop, objective: available, class: alert, owner: web, action: "Roll back", runbook: shop-errors}
- {name: burning-slowly, service: shop, objective: fast, class: ticket, owner: web, due: 3d}
"#;

    #[test]
    fn what_goes_out_comes_back() {
        let objectives: Vec<ObjectiveSpec> = serde_saphyr::from_str(OBJECTIVES).unwrap();
        let rules: Vec<RuleSpec> = serde_saphyr::from_str(RULES).unwrap();
        let text = export("shop", &objectives, &rules);
        let back = import(&text).unwrap();
        assert_eq!(back.notes, [""; 0], "{text}");
        assert_eq!(back.services, [("shop".to_owned(), objectives)].into());
        assert_eq!(back.rules, rules);
        insta::assert_snapshot!(text);
    }

    #[test]
    fn what_another_program_wrote_is_read_as_far_as_it_goes() {
        let text = r#"
apiVersion: openslo/v1
kind: SLO
metadata: {name: web-latency, annotations: {team: infra}}
spec:
  service: web
  indicator:
    metadata: {name: x}
    spec:
      ratioMetric:
        good: {metricSource: {type: koshu, spec: {condition: "duration_ms < 300"}}}
        total: {metricSource: {type: koshu, spec: {}}}
  timeWindow: [{duration: 4w, isRolling: true}]
  budgetingMethod: Timeslices
  objectives:
    - {target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 1m}
    - {targetPercent: 100}
  alertPolicies: [page-it]
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: page-it}
spec: {description: Call someone, conditions: [{kind: AlertCondition, spec: {severity: page}}]}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: web-errors}
spec:
  service: web
  indicator: {spec: {ratioMetric: {good: {metricSource: {type: Prometheus, spec: {query: "up"}}}, total: {metricSource: {type: Prometheus}}}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  objectives: [{target: 0.99}]
---
apiVersion: openslo/v1
kind: DataSource
metadata: {name: prom}
---
apiVersion: openslo/v2alpha
kind: SLO
metadata: {name: newer}
"#;
        let read = import(text).unwrap();
        let web = &read.services["web"];
        assert_eq!((web.len(), web[0].name.as_str(), web[0].target.percent()), (1, "latency", 99.0));
        assert_eq!(web[0].annotations["team"], "infra");
        assert_eq!(web[0].annotations["openslo/budgetingMethod"], "Timeslices");
        assert_eq!((read.rules[0].class, read.rules[0].objective.as_deref()), (Class::Alert, Some("latency")));
        insta::assert_snapshot!(read.notes.join("\n"));
        assert!(matches!(import("a: [").unwrap_err(), ImportError::Yaml(_)));
        assert!(matches!(import(&" ".repeat(MAX_BYTES + 1)).unwrap_err(), ImportError::TooLarge));
    }
}
