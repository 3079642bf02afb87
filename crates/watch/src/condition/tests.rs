use super::*;
use proptest::prelude::*;

const BASE: Request<'static> = Request {
    status: 200,
    duration_us: Some(120_000),
    method: "GET",
    route: "GET /items/:id",
    path: "/items/7",
    host: None,
    user_agent: Some("curl/8"),
    service: "shop",
    bytes: None,
    attrs: &[("tenant", "a"), ("tenant", "b")],
};

fn answer(text: &str, request: &Request<'_>) -> Answer {
    let native = Condition::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let interpreted = Condition::interpreted(text).unwrap();
    assert_eq!(native.answer(request), interpreted.answer(request), "{text}: interpreted differently");
    native.answer(request)
}

#[test]
fn a_condition_answers_yes_no_or_unknown() {
    use Answer::{No, Unknown, Yes};
    let slow = Request { duration_us: Some(300_000), ..BASE };
    let untimed = Request { duration_us: None, ..BASE };
    let broken = Request { status: 500, duration_us: None, ..BASE };
    for (text, request, want) in [
        ("status < 500", BASE, Yes),
        ("500 > status", BASE, Yes),
        ("duration_ms < 300", slow, No),
        ("duration_ms <= 300.0", slow, Yes),
        ("duration_ms < 300", untimed, Unknown),
        ("!(duration_ms < 300)", untimed, Unknown),
        // An error is bad however long it took.
        ("status < 500 && duration_ms < 300", broken, No),
        ("duration_ms < 300 && status < 500", broken, No),
        ("status < 500 && duration_ms < 300", untimed, Unknown),
        ("status >= 500 || duration_ms < 300", broken, Yes),
        ("duration_ms == null || duration_ms < 300", untimed, Yes),
        ("duration_ms != null && duration_ms < 300", untimed, No),
        ("duration_ms != 5", untimed, Unknown),
        ("status == null", BASE, No),
        ("host == \"a\"", BASE, Unknown),
        ("host == null", BASE, Yes),
        ("bytes > 10", BASE, Unknown),
        ("status in [200, 204]", BASE, Yes),
        ("method in [\"POST\", \"PUT\"]", BASE, No),
        ("path.startsWith(\"/items\") && !user_agent.contains(\"bot\")", BASE, Yes),
        ("path.matches(\"^/items/[0-9]+$\")", BASE, Yes),
        ("attrs.tenant == \"b\"", BASE, Yes),
        ("attrs[\"tenant\"] != \"b\"", BASE, No),
        ("attrs.plan == \"free\"", BASE, Unknown),
        ("has(attrs.plan)", BASE, No),
        ("attrs.plan == null", BASE, Yes),
        ("attrs.tenant != null", BASE, Yes),
        ("status == 200 ? duration_ms < 300 : false", untimed, Unknown),
        ("status == 500 ? true : false", BASE, No),
        // More than comparisons: the interpreter alone.
        ("[\"/items\", \"/cart\"].exists(p, path.startsWith(p))", BASE, Yes),
        ("[\"/a\"].exists(p, path.startsWith(p)) || duration_ms < 300", untimed, Unknown),
        ("size(path) < 4", BASE, No),
        ("duration_ms / 2.0 < 100.0", BASE, Yes),
        ("duration_ms in []", untimed, Unknown),
        ("\"tenant\" in attrs", BASE, Yes),
    ] {
        assert_eq!(answer(text, &request), want, "{text} of {request:?}");
    }
}

#[test]
fn a_mistake_is_found_when_the_condition_is_read() {
    let long = "status < 500 && ".repeat(200) + "true";
    let errors: Vec<String> = [
        "statu < 500",
        "status < 500 && duration < 300",
        "日本 < 500",
        "method == \"あ\" && statsu < 500",
        "status",
        "method",
        "status < \"500\"",
        "method == 5",
        "status < 500 && method",
        "path.startWith(\"/a\")",
        "path.startsWith(1)",
        "path.matches(\"[\")",
        "path.matches(method)",
        "status <",
        "status < 500)",
        "",
        "status.code == 1",
        "duration_ms + null < 3",
        "statu == null",
        "[1].exists(x, [2].exists(y, x == y))",
        "[1].exists(status, status == 1)",
        "{\"a\": 1} == {\"a\": 1}",
        &long,
    ]
    .into_iter()
    .map(|text| {
        let shown: String = text.chars().take(40).collect();
        format!("{shown}\n    {}", Condition::compile(text).unwrap_err())
    })
    .collect();
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn a_condition_is_said_in_sql_with_texts_quoted() {
    let sql = |text: &str| Condition::compile(text).unwrap().to_sql();
    for (text, want) in [
        ("status < 500", Some("(status < 500)")),
        ("duration_ms < 300", Some("(duration_us < 300000)")),
        ("duration_ms < 0.5", Some("(CAST(duration_us AS DOUBLE) / 1000.0 < 0.5)")),
        ("status in [200, 204]", Some("((status = 200) OR (status = 204))")),
        ("!(route == \"GET /it's\") && status != 404", Some("((NOT (route = 'GET /it''s')) AND (status <> 404))")),
        ("attrs[\"a'b\"] == \"x\"", Some("(attrs['a''b'] = 'x')")),
        ("user_agent.contains(\"bot\")", Some("contains(attrs['user_agent'], 'bot')")),
        ("duration_ms != null", Some("(NOT (duration_us IS NULL))")),
        ("size(path) < 4", None),
        ("duration_ms < 9223372036854775807", None),
    ] {
        assert_eq!(sql(text).as_deref(), want, "{text}");
    }
}

#[test]
fn whether_the_duration_matters_is_known() {
    for (text, want) in [("status < 500", false), ("duration_ms < 300", true), ("duration_ms == null", false)] {
        assert_eq!(Condition::compile(text).unwrap().asks_duration(), want, "{text}");
    }
}

/// Conditions made of what the fast path understands.
fn conditions() -> impl Strategy<Value = String> {
    let operator = prop::sample::select(vec!["<", "<=", "==", "!=", ">=", ">"]);
    let status = (operator.clone(), 398u16..502).prop_map(|(op, status)| format!("status {op} {status}"));
    let swapped = (operator.clone(), 398u16..502).prop_map(|(op, status)| format!("{status} {op} status"));
    let whole = (operator.clone(), 0u32..5).prop_map(|(op, ms)| format!("duration_ms {op} {ms}"));
    let fraction = (operator, 0u32..50).prop_map(|(op, ms)| format!("duration_ms {op} {ms}.5"));
    let method = prop::sample::select(vec!["method == \"GET\"", "method != \"GET\"", "method in [\"GET\", \"PUT\"]"]);
    let text = prop::sample::select(vec![
        "route == \"GET /a\"",
        "path.startsWith(\"/a\")",
        "path.endsWith(\"b\")",
        "host == \"h\"",
        "host != \"h\"",
        "host == null",
        "duration_ms == null",
        "attrs.k == \"v\"",
        "attrs.k != \"v\"",
        "has(attrs.k)",
        "bytes > 2",
        "true",
    ]);
    let leaf =
        prop_oneof![status, swapped, whole, fraction, method.prop_map(str::to_owned), text.prop_map(str::to_owned)];
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn the_fast_path_says_what_the_interpreter_says(
        text in conditions(),
        requests in prop::collection::vec(
            (
                399u16..502,
                prop::option::of(0u64..6000),
                prop::sample::select(vec!["GET", "PUT", "POST"]),
                prop::sample::select(vec!["/a", "/a/b", "/c"]),
                prop::option::of(prop::sample::select(vec!["h", "g"])),
                prop::option::of(0u64..5),
                prop::option::of(prop::sample::select(vec!["v", "w"])),
            ),
            1..20,
        ),
    ) {
        let native = Condition::compile(&text).unwrap();
        prop_assert!(native.is_native(), "{}", text);
        prop_assert!(native.to_sql().is_some());
        let interpreted = Condition::interpreted(&text).unwrap();
        for (status, duration_us, method, path, host, bytes, attr) in requests {
            let attrs: Vec<(&str, &str)> = attr.into_iter().map(|value| ("k", value)).collect();
            let route = format!("{method} {path}");
            let request =
                Request { status, duration_us, method, route: &route, path, host, bytes, attrs: &attrs, ..BASE };
            prop_assert_eq!(native.answer(&request), interpreted.answer(&request), "{} of {:?}", text, request);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[a-z0-9 .<>=!&|()\\[\\]{}\"'?:,+*/_é日\\\\-]{0,60}") {
        let _ = Condition::compile(&text);
    }
}

/// Every combination that matters, a few hundred requests.
fn all_requests() -> Vec<serde_json::Value> {
    let mut rows = Vec::new();
    for status in [399, 404, 500] {
        for duration_us in [None, Some(0), Some(2000), Some(2500), Some(3001)] {
            for (method, path) in [("GET", "/a"), ("PUT", "/a/b"), ("POST", "/c")] {
                for (host, bytes, attr) in
                    [(None, None, None), (Some("h"), Some(3), Some("v")), (Some("g"), Some(1), None)]
                {
                    rows.push(serde_json::json!({
                        "status": status, "duration_us": duration_us, "method": method, "path": path,
                        "route": format!("{method} {path}"), "host": host, "service": "shop", "bytes": bytes,
                        "attrs_k": attr,
                    }));
                }
            }
        }
    }
    rows
}

#[test]
fn sql_answers_as_the_condition_does() {
    use proptest::strategy::ValueTree;
    use std::io::Write as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let texts: Vec<String> = (0..300).map(|_| conditions().new_tree(&mut runner).unwrap().current()).collect();
    let compiled: Vec<Condition> = texts.iter().map(|text| Condition::compile(text).unwrap()).collect();
    let sql: Vec<String> = compiled.iter().map(|condition| condition.to_sql().unwrap()).collect();
    let rows = all_requests();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/python/conditions_in_sql.py");
    let (input, output) = (std::process::Stdio::piped(), std::process::Stdio::piped());
    let mut python = std::process::Command::new("python3").arg(script).stdin(input).stdout(output).spawn().unwrap();
    let asked = serde_json::json!({ "rows": rows, "conditions": sql }).to_string();
    let mut stdin = python.stdin.take().unwrap();
    stdin.write_all(asked.as_bytes()).unwrap();
    drop(stdin);
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    let answers: Vec<Vec<Option<bool>>> = serde_json::from_slice(&output.stdout).unwrap();
    let mut seen = std::collections::HashSet::new();
    for ((condition, sql), answers) in compiled.iter().zip(&sql).zip(&answers) {
        assert_eq!(answers.len(), rows.len());
        for (row, answer) in rows.iter().zip(answers) {
            let attrs: Vec<(&str, &str)> = row["attrs_k"].as_str().map(|value| ("k", value)).into_iter().collect();
            let request = Request {
                status: u16::try_from(row["status"].as_u64().unwrap()).unwrap(),
                duration_us: row["duration_us"].as_u64(),
                method: row["method"].as_str().unwrap(),
                route: row["route"].as_str().unwrap(),
                path: row["path"].as_str().unwrap(),
                host: row["host"].as_str(),
                bytes: row["bytes"].as_u64(),
                attrs: &attrs,
                ..BASE
            };
            let ours = condition.answer(&request);
            assert_eq!(ours, Answer::from(*answer), "{condition} as {sql} of {row}");
            seen.insert(ours);
        }
    }
    assert_eq!(seen.len(), 3, "every answer occurs");
}

#[test]
#[ignore = "a measurement"]
fn speed_of_a_condition() {
    for text in ["status < 500 && duration_ms < 300", "[\"/items\", \"/cart\"].exists(p, path.startsWith(p))"] {
        for condition in [Condition::compile(text).unwrap(), Condition::interpreted(text).unwrap()] {
            let started = std::time::Instant::now();
            let yes = (0..20_000).filter(|_| condition.answer(&BASE) == Answer::Yes).count();
            let each = started.elapsed().as_nanos() / 20_000;
            println!("{each} ns, native {}: {text}", condition.is_native());
            assert_eq!(yes, 20_000);
        }
    }
}
