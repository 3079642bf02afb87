use super::*;
use serde::Deserialize;

/// The shape in which both sections stand in a configuration.
#[derive(Deserialize)]
struct File {
    services: BTreeMap<String, Service>,
    #[serde(default)]
    rules: Vec<RuleSpec>,
}

#[derive(Deserialize)]
struct Service {
    owner: Option<String>,
    #[serde(default)]
    objectives: Vec<ObjectiveSpec>,
}

fn compiled(yaml: &str) -> Compiled {
    let file: File = serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("{yaml}\n{error}"));
    let services = file.services.iter().map(|(name, service)| {
        (name.as_str(), DeclaredService { owner: service.owner.as_deref(), objectives: &service.objectives })
    });
    let declared = Declared {
        services: services.collect(),
        checks: ["buy"].into(),
        runbooks: Some(["shop-errors"].into()),
        time_zone: "Asia/Tokyo",
        interval: INTERVAL,
    };
    compile(&declared, &file.rules)
}

const CONTRACT: &str = r#"
services:
  shop:
    owner: web-team
    objectives:
      - {name: available, good: "status < 500", target: 99.9, window: 30d}
      - {name: fast, good: "duration_ms < 300", target: 99, window: month}
      - {name: buying, check: buy, target: 99.5}
rules:
  - name: checkout-slow
    service: shop
    route: POST /checkout
    signal: latency.p95
    above: 800ms
    hold: 5m
    class: ticket
    owner: web-team
    due: 3d
  - name: shop-burning
    service: shop
    objective: available
    class: alert
    owner: web-team
    action: "Roll back the last deploy, or switch the failing dependency off"
    runbook: shop-errors
  - {name: disk, signal: saturation.disk, above: 90%, clear_below: 85%, class: ticket, owner: ops, due: 2d, absent: ticket}
  - {name: backup, heartbeat: nightly, signal: heartbeat.age, above: 26h, class: alert, action: Look at the backup host, owner: ops}
  - {name: queue, sql: "SELECT host, max(value) AS value FROM samples GROUP BY host", above: 1000, class: record}
  - {name: budget, service: shop, objective: available, signal: budget.left, below: 20%, clear_above: 25%, class: ticket, due: 7d}
  - {name: workers, process: sidekiq, signal: process.count, below: 4, class: record}
"#;

#[test]
fn the_contract_compiles() {
    let compiled = compiled(CONTRACT);
    assert_eq!(compiled.problems.iter().map(ToString::to_string).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(compiled.objectives.len(), 3);
    let told: Vec<_> =
        compiled.rules.iter().map(|rule| format!("{}: {}", rule.info.name, rule.info.condition)).collect();
    insta::assert_snapshot!(told.join("\n"));
    let month = compiled.objectives.iter().find(|objective| objective.name == "fast").unwrap();
    assert_eq!(month.window.zone(), Some("Asia/Tokyo"), "the server's time zone is the default");
    let budget = &compiled.rules[5];
    assert_eq!(budget.info.owner.as_deref(), Some("web-team"), "the service's owner is the default");
    let RuleKind::Threshold { selector, absent: Some(absent), .. } = &compiled.rules[2].kind else { panic!() };
    assert_eq!(selector.host, Scope::Each, "a disk belongs to one host");
    assert_eq!((absent.info.name.as_str(), absent.info.class), ("disk/absent", Class::Ticket));
    let RuleKind::Threshold { spec, .. } = &compiled.rules[3].kind else { panic!() };
    assert!((spec.threshold.limit - 93_600.0).abs() < 1e-9);
}

#[test]
fn every_mistake_names_its_key_and_the_way_out() {
    let service =
        "services:\n  shop:\n    objectives:\n      - {name: available, good: \"status < 500\", target: 99.9}\n";
    let objectives = [
        "{name: a, good: \"statu < 500\", target: 99}",
        "{name: a, target: 99}",
        "{name: a, good: \"true\", check: buy, target: 99}",
        "{name: a, check: sell, target: 99}",
        "{name: a, check: buy, route: GET /, target: 99}",
        "{name: a, good: \"true\", target: 99, window: month, time_zone: Tokyo}",
        "{name: A b, good: \"true\", target: 99}",
        "{name: a, good: \"true\", target: 99, min_bad: 0}",
    ];
    let rules = [
        "{name: r, signal: traffic, service: shop, below: 1/s, class: alert, owner: o}",
        "{name: r, signal: traffic, service: shop, below: 1/s, class: alert, action: Look}",
        "{name: r, signal: traffic, service: shop, below: 1/s, class: ticket, owner: o}",
        "{name: r, signal: traffic, service: shop, below: 1/s, class: record, due: 3d}",
        "{name: r, signal: traffic, service: shop, below: 1/s, class: record, absent: alert}",
        "{name: r, signal: traffic, service: shopp, below: 1/s, class: record}",
        "{name: r, signal: traffic, below: 1/s, class: record}",
        "{name: r, signal: traffic, service: shop, below: 1, class: record}",
        "{name: r, signal: trafic, service: shop, below: 1/s, class: record}",
        "{name: r, signal: traffic, service: shop, class: record}",
        "{name: r, signal: traffic, service: shop, above: 2/s, below: 1/s, class: record}",
        "{name: r, signal: traffic, service: shop, above: 2/s, clear_above: 1/s, class: record}",
        "{name: r, signal: traffic, service: shop, above: 2/s, clear_below: 3/s, class: record}",
        "{name: r, signal: traffic, service: shop, above: 2/s, window: 20s, class: record}",
        "{name: r, signal: traffic, service: shop, above: 2/s, hold: 4d, class: record}",
        "{name: r, signal: traffic, service: shop, above: 2/s, heartbeat: x, class: record}",
        "{name: r, signal: check.failures, check: by, above: 2, class: record}",
        "{name: r, signal: heartbeat.age, above: 26h, class: record}",
        "{name: r, service: shop, objective: availabel, class: record}",
        "{name: r, service: shop, objective: available, above: 3, class: record}",
        "{name: r, objective: available, class: record}",
        "{name: r, service: shop, objective: available, class: record, runbook: shop-eror}",
        "{name: r, class: record}",
        "{name: r, sql: DELETE FROM requests, above: 1, class: record}",
        "{name: r, sql: SELECT 1 AS value, signal: traffic, above: 1, class: record}",
    ];
    let mut told = Vec::new();
    for objective in objectives {
        let yaml = format!("services:\n  shop:\n    objectives:\n      - {objective}\n");
        let found = compiled(&yaml);
        assert!(!found.is_usable() && found.objectives.is_empty(), "{objective}");
        told.extend([objective.to_owned()].into_iter().chain(found.problems.iter().map(|p| format!("    {p}"))));
    }
    for rule in rules {
        let found = compiled(&format!("{service}rules:\n  - {rule}\n"));
        assert!(!found.is_usable() && found.rules.is_empty(), "{rule}");
        told.extend([rule.to_owned()].into_iter().chain(found.problems.iter().map(|p| format!("    {p}"))));
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn names_are_unique() {
    let twice = "services:\n  shop:\n    objectives:\n      - {name: a, good: \"true\", target: 99}\n      - {name: a, good: \"true\", target: 98}\nrules:\n  - {name: r, signal: host.silence, above: 5m, class: record}\n  - {name: r, signal: host.silence, above: 5m, class: record}\n";
    let told: Vec<_> = compiled(twice).problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "services.shop.objectives[1].name: `a` is already the name of an objective; choose another name",
            "rules[1].name: `r` is already the name of a rule; choose another name",
        ]
    );
}

#[test]
fn a_burn_rule_that_can_never_fire_is_said() {
    let with = |target: f64, window: &str, class: &str| {
        compiled(&format!(
            "services:\n  shop:\n    objectives:\n      - {{name: a, good: \"true\", target: {target}, window: {window}}}\nrules:\n  - {{name: r, service: shop, objective: a, class: {class}, owner: o, action: x{}}}\n",
            if class == "ticket" { ", due: 1d" } else { "" }
        ))
    };
    let low = with(90.0, "30d", "alert");
    assert!(low.is_usable(), "a total outage is still caught");
    let told: Vec<_> = low.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "rules[0].objective: the row over 1h can never fire: it needs a burn above 14.40, and with a target of 90 % burn cannot exceed 10.00; the other rows of the class still watch it"
        ]
    );
    let short = with(99.9, "1d", "ticket");
    let told: Vec<_> = short.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "rules[0].objective: the row over 3d is left out: it is longer than the objective's window; the other rows of the class still watch it"
        ]
    );
    assert!(with(99.9, "30d", "alert").problems.is_empty());
}

#[test]
fn specifications_read_back_from_what_they_write() {
    let file: File = serde_saphyr::from_str(CONTRACT).unwrap();
    for rule in &file.rules {
        let text = serde_saphyr::to_string(rule).unwrap();
        assert_eq!(&serde_saphyr::from_str::<RuleSpec>(&text).unwrap(), rule, "{text}");
    }
    for objective in &file.services["shop"].objectives {
        let text = serde_saphyr::to_string(objective).unwrap();
        assert_eq!(&serde_saphyr::from_str::<ObjectiveSpec>(&text).unwrap(), objective, "{text}");
    }
    let unknown = serde_saphyr::from_str::<RuleSpec>("{name: r, class: record, abov: 3}").unwrap_err().to_string();
    assert!(unknown.contains("abov"), "{unknown}");
}
