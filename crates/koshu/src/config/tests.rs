//! Whole folders, right and wrong.

use super::*;
use base::{ByteSize, Span};
use std::fmt::Write as _;
use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn load(files: &[(&str, &str)]) -> Result<Loaded, ConfigErrors> {
    let folder = folder(files);
    Config::load(Some(folder.path()), [])
}

/// The printed form, with the folder's name taken out.
fn printed(files: &[(&str, &str)]) -> String {
    let folder = folder(files);
    let errors = Config::load(Some(folder.path()), []).unwrap_err();
    let prefix = format!("{}/", folder.path().display());
    render(&errors.0, false).replace(&prefix, "")
}

/// The example of the public contract.
const EXAMPLE: &str = r#"schema: 1
server: {memory: 1GiB, disk: 20GiB, time_zone: Asia/Tokyo}
services:
  shop:
    owner: web-team
    logs: [/var/log/nginx/access.log]
    user: {cookie: sid}
    objectives:
      - {name: available, good: "status < 500", target: 99.9, window: 30d}
checks:
  buy:
    service: shop
    every: 1m
    steps:
      - {get: https://shop.example/, expect: {status: 200}}
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
outputs:
  alert: [{slack: {webhook_file: slack}}, {email: {to: oncall@example.com}}]
  ticket: [{github: {repo: example/shop, token_file: github}}]
heal:
  - name: worker-memory
    match: {process: "unicorn worker"}
    budget: {per_target: 3/h, group: 10%}
"#;

#[test]
fn the_example_loads_and_says_what_has_no_effect() {
    let secrets = [("slack", "https://hooks.example/T/B/x\n"), ("github", "ghp_x\n")];
    let loaded = load(&[&[("koshu.yaml", EXAMPLE)], secrets.as_slice()].concat()).unwrap();
    let server = &loaded.config.server;
    assert_eq!((server.memory, server.disk), (Some(ByteSize(1 << 30)), Some(ByteSize(20 << 30))));
    assert_eq!(server.time_zone.as_deref(), Some("Asia/Tokyo"));
    assert_eq!(server.retention.requests, Span::from_seconds(30 * 86_400));
    let shop = &loaded.config.services[&"shop".parse().unwrap()];
    assert_eq!(shop.user, Some(UserIdentity::Cookie("sid".to_owned())));
    let said: Vec<_> = loaded
        .warnings
        .iter()
        .map(|warning| (warning.origin.as_ref().unwrap().line, warning.message.as_str()))
        .collect();
    assert_eq!(said, [(36, "section `heal`: this version does not act on it"),]);
}

#[test]
fn a_broken_file_is_told_by_line_column_and_way_out() {
    for (case, text, wants) in [
        (
            "unknown key",
            "schema: 1\nserver:\n  memroy: 1GiB\n",
            &["koshu.yaml:3:3", "memroy: 1GiB", "unknown key `memroy`", "did you mean `memory`?"][..],
        ),
        (
            "unknown section",
            "schema: 1\nservces:\n  shop: {}\n",
            &["koshu.yaml:2:1", "servces:", "unknown key `servces`", "did you mean `services`?"],
        ),
        (
            "unknown key of a service",
            "schema: 1\nservices:\n  shop: {onwer: web}\n",
            &["koshu.yaml:3:10", "shop: {onwer: web}", "did you mean `owner`?"],
        ),
        (
            "no unit",
            "schema: 1\nserver:\n  disk: 20 parsecs\n",
            &["koshu.yaml:3:9", "disk: 20 parsecs", "write for example 512MiB or 20GiB"],
        ),
        ("no schema", "server: {memory: 1GiB}\n", &["koshu.yaml:1:1", "`schema` is missing", "write `schema: 1`"]),
        ("nothing at all", "# later\n", &["koshu.yaml:1:1", "`schema` is missing", "write `schema: 1`"]),
        ("newer schema", "schema: 2\n", &["koshu.yaml:1:1", "schema: 2", "schema 2 is not known", "write `schema: 1`"]),
        (
            "time zone",
            "schema: 1\nserver:\n  time_zone: Tokyo\n",
            &["koshu.yaml:3:14", "time_zone: Tokyo", "write for example Asia/Tokyo or UTC"],
        ),
        (
            "service name",
            "schema: 1\nservices:\n  My Shop: {}\n",
            &["koshu.yaml:3:3", "My Shop: {}", "use a-z, 0-9 and -"],
        ),
        (
            "key twice",
            "schema: 1\nserver:\n  disk: 1GiB\n  disk: 2GiB\n",
            &["koshu.yaml:4:3", "disk: 2GiB", "`disk` is set twice", "keep one of the two"],
        ),
        ("no list", "schema: 1\nrules: 5\n", &["koshu.yaml:2:8", "rules: 5", "sequence"]),
        (
            "two ways to know a user",
            "schema: 1\nservices:\n  shop:\n    user: {cookie: a, header: b}\n",
            &["koshu.yaml:4:", "user: {cookie: a, header: b}", "keep exactly one of them"],
        ),
        (
            "unknown way to know a user",
            "schema: 1\nservices:\n  shop:\n    user: {cooky: a}\n",
            &["koshu.yaml:4:", "user: {cooky: a}", "did you mean `cookie`?"],
        ),
        (
            "relative log",
            "schema: 1\nservices:\n  shop:\n    logs: [access.log]\n",
            &["koshu.yaml:4:5", "logs: [access.log]", "write the whole path"],
        ),
        (
            "format",
            "schema: 1\nservices:\n  shop:\n    format: nginxx\n",
            &["koshu.yaml:4:5", "format: nginxx", "use one of auto, common, combined"],
        ),
        (
            "pattern",
            "schema: 1\nservices:\n  shop:\n    pattern: '(unclosed'\n",
            &["koshu.yaml:4:5", "pattern: '(unclosed'", "named groups"],
        ),
        (
            "retention",
            "schema: 1\nserver:\n  retention: {requests: 5m}\n",
            &["koshu.yaml:3:25", "retention: {requests: 5m}", "write days, for example 30d"],
        ),
        (
            "listen",
            "schema: 1\nserver:\n  listen: {http: localhost}\n",
            &["koshu.yaml:3:18", "listen: {http: localhost}", "write 127.0.0.1:4649"],
        ),
        (
            "bracket",
            "schema: 1\nservices:\n  shop: {logs: [/a\n",
            &["koshu.yaml:", "check the indentation, the quotes and the brackets"],
        ),
        ("second document", "schema: 1\n---\nschema: 1\n", &["koshu.yaml:", "remove `---`"]),
    ] {
        let text = printed(&[("koshu.yaml", text)]);
        for want in wants {
            assert!(text.contains(want), "{case}: {want:?} is not in\n{text}");
        }
    }
}

#[test]
fn the_printed_form_reads_like_this() {
    let text = printed(&[("koshu.yaml", "schema: 1\nserver:\n  memroy: 1GiB\n  disk: 5GiB\n")]);
    let want = "  × unknown key `memroy`
   ╭─[koshu.yaml:3:3]
 2 │ server:
 3 │   memroy: 1GiB
   ·   ──────
 4 │   disk: 5GiB
   ╰────
  help: did you mean `memory`? known here: memory, disk, time_zone, store_url, store_url_file, retention, listen, tls, intake, checks
";
    assert_eq!(text.trim_end(), want.trim_end(), "\n{text}");
}

#[test]
fn files_merge_by_section() {
    let loaded = load(&[
        ("koshu.yaml", "schema: 1\nserver: {memory: 1GiB}\nservices: {shop: {owner: a}}\nrules: [{name: x, service: shop, signal: traffic, below: 1/m, class: record}]\n"),
        ("b.yaml", "server: {disk: 5GiB}\nservices: {blog: {owner: b}}\nrules: [{name: y, service: blog, signal: traffic, below: 1/m, class: record}]\n"),
        ("notes.txt", "not: [yaml"),
        (".hidden.yaml", "not: [yaml"),
    ])
    .unwrap();
    assert_eq!(loaded.files.len(), 2);
    assert_eq!(loaded.config.server.memory, Some(ByteSize(1 << 30)));
    assert_eq!(loaded.config.server.disk, Some(ByteSize(5 << 30)));
    assert_eq!(loaded.config.services.len(), 2);
    assert_eq!(loaded.config.rules.len(), 2);
}

#[test]
fn a_key_in_two_files_is_an_error_that_names_both() {
    let text = printed(&[
        ("koshu.yaml", "schema: 1\nserver: {memory: 1GiB}\nservices:\n  shop: {owner: a}\n"),
        ("more.yaml", "services:\n  shop: {owner: b}\nserver:\n  memory: 2GiB\n"),
    ]);
    for want in [
        "`services.shop` is set twice: at koshu.yaml:4:3 and at more.yaml:2:3",
        "`server.memory` is set twice: at koshu.yaml:2:10 and at more.yaml:4:3",
    ] {
        let flat = text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(flat.contains(want), "{want} is not in\n{text}");
    }
}

#[test]
fn every_broken_file_is_told_at_once() {
    let errors = load(&[("koshu.yaml", "schema: 3\n"), ("a.yaml", "x: 1\n"), ("b.yaml", "y: 1\n")]).unwrap_err();
    assert_eq!(errors.0.len(), 3, "{errors}");
}

#[test]
fn a_file_that_grows_by_its_anchors_is_refused() {
    let mut bomb = "schema: 1\nheal:\n  - &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let before = level - 1;
        let tenfold = format!("*a{before}, ").repeat(10);
        writeln!(bomb, "  - &a{level} [{tenfold}]").unwrap();
    }
    let start = std::time::Instant::now();
    let text = printed(&[("koshu.yaml", &bomb)]);
    assert!(text.contains("without anchors"), "{text}");
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    let deep = format!("schema: 1\nheal: [{}{}]\n", "{a: ".repeat(100), "}".repeat(100));
    assert!(load(&[("koshu.yaml", &deep)]).is_err());
}

#[test]
fn a_file_that_is_too_large_or_no_text_is_refused() {
    let large = format!("schema: 1\n#{}\n", "x".repeat(1 << 20));
    assert!(load(&[("koshu.yaml", &large)]).unwrap_err().to_string().contains("larger than 1 MiB"));
    let folder = folder(&[]);
    std::fs::write(folder.path().join("koshu.yaml"), b"schema: 1 # \xff\n").unwrap();
    assert!(Config::load(Some(folder.path()), []).unwrap_err().to_string().contains("not UTF-8"));
    std::fs::remove_file(folder.path().join("koshu.yaml")).unwrap();
    assert!(Config::load(Some(folder.path()), []).unwrap_err().to_string().contains("there is no koshu.yaml"));
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn the_environment_wins_over_the_files() {
    let folder = folder(&[("koshu.yaml", "schema: 1\nserver: {memory: 1GiB, disk: 5GiB}\n")]);
    let set = variables(&[("KOSHU_SERVER__MEMORY", "2GiB"), ("KOSHU_TEST_DATA", "x"), ("PATH", "/bin")]);
    let loaded = Config::load(Some(folder.path()), set).unwrap();
    assert_eq!(loaded.config.server.memory, Some(ByteSize(2 << 30)));
    assert_eq!(loaded.config.server.disk, Some(ByteSize(5 << 30)));
    let alone = Config::load(None, variables(&[("KOSHU_SERVER__TIME_ZONE", "UTC")])).unwrap();
    assert_eq!(alone.config.server.time_zone.as_deref(), Some("UTC"));
}

#[test]
fn a_variable_without_effect_is_an_error() {
    for (name, value, want) in [
        ("KOSHU_SERVER__MEMROY", "1GiB", "did you mean `memory`?"),
        ("KOSHU_SERVER__MEMORY", "lots", "KOSHU_SERVER__MEMORY: \"lots\" does not start with a whole number"),
        ("KOSHU_SERVER__LISTEN", "off", "unknown key `listen`"),
        ("KOSHU_SERVICES__SHOP", "x", "only single values of `server`"),
        ("KOSHU_SERVER__MEMORY", "\"}\nrules: 5", "does not start with a whole number"),
    ] {
        let error = Config::load(None, variables(&[(name, value)])).unwrap_err().to_string();
        assert!(error.contains(want) && error.contains(name), "{want} is not in {error}");
    }
}

#[test]
fn a_secret_can_come_from_a_file() {
    let folder = folder(&[
        ("koshu.yaml", "schema: 1\nserver: {store_url_file: address}\n"),
        ("address", "postgres://koshu:hunter2@db/koshu\n"),
    ]);
    let loaded = Config::load(Some(folder.path()), []).unwrap();
    assert_eq!(loaded.config.server.store_url.as_ref().unwrap().reveal(), "postgres://koshu:hunter2@db/koshu");
    assert!(!format!("{loaded:?}").contains("hunter2"));
    std::fs::write(folder.path().join("address"), " \n").unwrap();
    assert!(Config::load(Some(folder.path()), []).unwrap_err().to_string().contains("is empty"));
    std::fs::remove_file(folder.path().join("address")).unwrap();
    assert!(Config::load(Some(folder.path()), []).unwrap_err().to_string().contains("cannot be read"));
    std::fs::write(folder.path().join("koshu.yaml"), "schema: 1\nserver: {store_url_file: a, store_url: b}\n").unwrap();
    assert!(Config::load(Some(folder.path()), []).unwrap_err().to_string().contains("keep one of the two"));
}

#[test]
fn every_key_of_the_server_section_is_merged_and_described() {
    let schema = Config::json_schema();
    assert_eq!(schema["properties"]["schema"]["const"], 1);
    let section = schema["$defs"]["ServerSection"]["properties"].as_object().unwrap();
    assert_eq!(section.len(), 10);
    for (key, described) in section {
        let (mut into, mut from) = (ServerSection::default(), ServerSection::default());
        assert!(merge::take_server_key(&mut into, &mut from, key), "{key} is not merged");
        assert!(described["description"].is_string(), "{key} is not described");
    }
}

#[test]
fn users_of_forward_have_passwords_and_a_key() {
    let intake = |text: &str| load(&[("koshu.yaml", &format!("schema: 1\nserver: {{intake: {{{text}}}}}\n"))]);
    let told = |text: &str| intake(text).unwrap_err().0[0].message.clone();
    assert!(told("forward_shared_key: k, forward_users: [{name: web}]").contains("\"web\" has no password"));
    assert!(told("forward_users: [{name: web, password: p}]").contains("only together with a key"));
    let loaded = intake("forward_shared_key: k, forward_users: [{name: web, password: p}]").unwrap();
    assert_eq!(loaded.config.server.intake.forward_users[0].name, "web");
}

#[test]
fn an_address_that_would_let_strangers_in_is_told_at_its_place() {
    let text =
        printed(&[("koshu.yaml", "schema: 1\nserver:\n  listen:\n    otlp_http: off\n    syslog: 0.0.0.0:5514\n")]);
    for want in ["0.0.0.0:5514 for syslog is reachable", "koshu.yaml:5:5", "listen on 127.0.0.1, or set server.tls"] {
        assert!(text.contains(want), "{want}: {text}");
    }
    let tls = "tls: {certificate: c.pem, key: k.pem}";
    for (server, want) in [
        ("listen: {http: '0.0.0.0:80'}", Some("server.listen.https")),
        ("listen: {https: '127.0.0.1:443'}", Some("set server.tls")),
        ("listen: {https: '0.0.0.0:443', otlp_grpc: '[::]:4317'}, TLS", None),
        ("listen: {forward: '192.0.2.1:24224'}, TLS", Some("set server.intake.forward_shared_key_file")),
        ("listen: {forward: '192.0.2.1:24224'}, intake: {forward_shared_key: k}, TLS", None),
        ("listen: {syslog: '0.0.0.0:6514'}, TLS", Some("set server.tls.clients")),
        ("listen: {statsd: '0.0.0.0:8125'}, TLS", Some("let an agent on this machine pass on")),
    ] {
        let server = server.replace("TLS", tls);
        let loaded = load(&[("koshu.yaml", &format!("schema: 1\nserver: {{{server}}}\n"))]);
        let told = loaded.err().map(|errors| errors.0.into_iter().map(|problem| problem.help.unwrap()).collect());
        match (want, told) {
            (None, told) => assert_eq!(told, None::<String>, "{server}"),
            (Some(want), told) => assert!(told.is_some_and(|told: String| told.contains(want)), "{server}"),
        }
    }
}

#[test]
fn files_of_tls_are_looked_for_beside_the_configuration() {
    let folder = folder(&[("koshu.yaml", "schema: 1\nserver: {tls: {certificate: own.pem, key: /etc/own.key}}\n")]);
    let tls = Config::load(Some(folder.path()), []).unwrap().config.server.tls.unwrap();
    assert_eq!((tls.certificate, tls.key), (folder.path().join("own.pem"), "/etc/own.key".into()));
}

/// What stands under `rules:` (or beside it, when it begins with a section) of otherwise right files, each with one thing
/// wrong that has to do with the watch.
const BROKEN: [(&str, &str); 32] = [
    ("no class", "- {name: a, service: shop, signal: traffic, below: 1/s}"),
    ("a class that is none", "- {name: a, service: shop, signal: traffic, below: 1/s, class: page}"),
    ("nothing is watched", "- {name: a, service: shop, class: record}"),
    (
        "two things are watched",
        "- {name: a, service: shop, signal: traffic, sql: SELECT 1 AS value, below: 1/s, class: record}",
    ),
    ("an unknown signal", "- {name: a, service: shop, signal: latancy.p95, above: 1s, class: record}"),
    ("an unknown service", "- {name: a, service: shap, signal: traffic, below: 1/s, class: record}"),
    ("an unknown key", "- {name: a, service: shop, signal: traffic, belov: 1/s, class: record}"),
    ("no limit", "- {name: a, service: shop, signal: traffic, class: record}"),
    ("both limits", "- {name: a, service: shop, signal: traffic, above: 2/s, below: 1/s, class: record}"),
    ("a unit that does not fit", "- {name: a, service: shop, signal: latency.p95, above: 5%, class: record}"),
    ("no unit", "- {name: a, service: shop, signal: latency.p95, above: 800, class: record}"),
    (
        "hysteresis the wrong way",
        "- {name: a, service: shop, signal: latency.p95, above: 1s, clear_below: 2s, class: record}",
    ),
    (
        "an alert that says nothing to do",
        "- {name: a, service: shop, signal: traffic, below: 1/s, class: alert, owner: web}",
    ),
    ("an alert of nobody", "- {name: a, service: other, signal: traffic, below: 1/s, class: alert, action: look}"),
    ("a ticket without a date", "- {name: a, service: shop, signal: traffic, below: 1/s, class: ticket, owner: web}"),
    (
        "a name twice",
        "- {name: a, service: shop, signal: traffic, below: 1/s, class: record}\n- {name: a, service: shop, signal: traffic, below: 2/s, class: record}",
    ),
    ("an unknown objective", "- {name: a, service: shop, objective: availble, class: alert, owner: web, action: look}"),
    ("a hold that is none", "- {name: a, service: shop, signal: traffic, below: 1/s, hold: soon, class: record}"),
    ("a window too short", "- {name: a, service: shop, signal: traffic, below: 1/s, window: 5s, class: record}"),
    ("SQL without end", "- {name: a, sql: '', above: 1, class: record}"),
    ("an objective that is always met", "services: {x: {objectives: [{name: o, good: 'status < 500', target: 100}]}}"),
    ("a target that is no percentage", "services: {x: {objectives: [{name: o, good: 'status < 500', target: 101}]}}"),
    ("a condition with an unknown name", "services: {x: {objectives: [{name: o, good: 'stats < 500', target: 99}]}}"),
    ("a condition that is no yes or no", "services: {x: {objectives: [{name: o, good: 'status + 1', target: 99}]}}"),
    ("a condition that does not end", "services: {x: {objectives: [{name: o, good: 'status < ', target: 99}]}}"),
    (
        "a window that is none",
        "services: {x: {objectives: [{name: o, good: 'status < 500', target: 99, window: fortnight}]}}",
    ),
    (
        "a time zone that is none",
        "services: {x: {objectives: [{name: o, good: 'status < 500', target: 99, window: month, time_zone: Asia/Tokio}]}}",
    ),
    (
        "an output of two kinds",
        "outputs: {alert: [{slack: {webhook: 'https://a.example'}, webhook: {url: 'https://b.example'}}]}",
    ),
    ("an output without its secret", "outputs: {alert: [{slack: {}}]}"),
    ("a secret in the open", "outputs: {alert: [{webhook: {url: 'http://hooks.example/x'}}]}"),
    ("a mail address that is none", "outputs: {ticket: [{email: {to: oncall}}]}"),
    ("an escalation to nobody", "escalation: {steps: [{after: 10m, person: taro}]}"),
];

#[test]
fn everything_wrong_with_the_watch_is_told_by_file_line_column_and_way_out() {
    let mut all = String::new();
    for (case, text) in BROKEN {
        let start = "schema: 1\nservices:\n  shop: {owner: web, objectives: [{name: available, good: 'status < 500', target: 99.9}]}\n  other: {}\n";
        let text = if text.starts_with('-') { format!("rules:\n{text}\n") } else { format!("{text}\n") };
        let files = [("koshu.yaml", start), ("watch.yaml", text.as_str())];
        let folder = folder(&files);
        let errors = Config::load(Some(folder.path()), []).map(|_| case).unwrap_err();
        for problem in &errors.0 {
            let origin = problem.origin.as_ref().unwrap_or_else(|| panic!("{case}: no place: {problem}"));
            assert!(origin.file.ends_with("watch.yaml") && origin.line >= 1 && origin.column >= 1, "{case}: {origin}");
            let help = problem.help.as_deref().unwrap_or_else(|| panic!("{case}: no way out: {problem}"));
            let (line, column) = (origin.line, origin.column);
            writeln!(all, "{case}\n    watch.yaml:{line}:{column} {problem}\n    help: {help}").unwrap();
        }
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_broken_check_is_told_by_line_column_and_way_out() {
    for (case, check, wants) in [
        (
            "unknown key",
            "{tcp: 'a.example:1', evry: 1m}",
            &["@evry", "unknown key `evry`", "did you mean `every`?"][..],
        ),
        ("nothing to look at", "{service: shop}", &["@{", "write one of steps, tcp, tls, dns, icmp, heartbeat"]),
        ("too often", "{tcp: 'a.example:1', every: 1s}", &["@{", "every 1s is too often", "write 10s to"]),
        ("no unit", "{tcp: 'a.example:1', every: soon}", &["@soon", "does not start with a whole number"]),
        ("no address", "{steps: [{get: shop}]}", &["@{get", "\"shop\" is no address", "https://shop.example/cart"]),
        (
            "a step's typing error",
            "{steps: [{get: 'https://a.example/', expct: {}}]}",
            &["@expct", "unknown key `expct`", "did you mean `expect`?"],
        ),
        (
            "an unknown variable",
            "{steps: [{get: 'https://a.example/{{id}}'}]}",
            &["@{", "step 1 uses {{id}}, which no earlier step saves"],
        ),
        (
            "status",
            "{steps: [{get: 'https://a.example/', expect: {status: 20}}]}",
            &["@20}", "20 is no status", "write for example 200 or [200, 302]"],
        ),
        ("no path", "{steps: [{get: 'https://a.example/', save: {t: csrf}}]}", &["@csrf}", "\"csrf\" is no place"]),
    ] {
        let text = printed(&[("koshu.yaml", &format!("schema: 1\nchecks:\n  buy: {check}\n"))]);
        for want in wants {
            // `@word` stands for the place of that word.
            let place = want.strip_prefix('@').map(|word| format!("koshu.yaml:3:{}", 8 + check.find(word).unwrap()));
            let want = place.as_deref().unwrap_or(want);
            assert!(text.contains(want), "{case}: {want:?} is not in\n{text}");
        }
    }
    let text = printed(&[("koshu.yaml", "schema: 1\nchecks:\n  Buy It: {tcp: 'a:1'}\n")]);
    assert!(text.contains("koshu.yaml:3:3") && text.contains("use a-z, 0-9 and -"), "{text}");
}

#[test]
fn secrets_of_checks_come_from_files() {
    let yaml = "schema: 1\nchecks:\n  buy:\n    from: [server, web-1]\n    secret_files: {password: pw}\n    \
                steps: [{post: 'https://a.example/', form: {p: '{{password}}'}}]\n  far: {tcp: 'a.example:1', from: [web-1]}\n";
    let folder = folder(&[("koshu.yaml", yaml), ("pw", "hunter2\n")]);
    let loaded = Config::load(Some(folder.path()), []).unwrap();
    let buy = &loaded.config.checks[&"buy".parse().unwrap()];
    assert_eq!(buy.secrets["password"].reveal(), "hunter2");
    assert!(!format!("{loaded:?}").contains("hunter2"));
    assert!(loaded.warnings.is_empty(), "whether an agent is there is not the configuration's: {:?}", loaded.warnings);
    std::fs::remove_file(folder.path().join("pw")).unwrap();
    let error = Config::load(Some(folder.path()), []).unwrap_err().to_string();
    assert!(error.contains("checks.buy.secret_files.password") && error.contains("cannot be read"), "{error}");
}
