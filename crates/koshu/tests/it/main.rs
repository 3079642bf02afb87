//! The real binary as people and scripts run it: what it prints, and how it exits.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn koshu(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_koshu"));
    command.args(args).env_clear().env("LANG", "C").env("HOME", "/nonexistent").stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> (i32, String, String) {
    ended(&koshu(args).output().unwrap())
}

fn ended(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn json(args: &[&str]) -> Value {
    let (code, out, err) = run(args);
    assert_eq!(code, 0, "{args:?}: {err}");
    serde_json::from_str(&out).unwrap()
}

fn real_logs() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let data = std::env::var_os("KOSHU_TEST_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let folder = data.join("access");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no real logs at {} (set KOSHU_TEST_DATA)", folder.display());
    None
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn access_accounts_for_every_line_of_every_real_log() {
    let Some(folder) = real_logs() else { return };
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let lines = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).lines().count() as u64;
        let name = text(&path);
        let report = json(&["access", "-o", "json", &name]);
        let number = |field: &str| report[field].as_u64().unwrap();
        assert_eq!(number("lines"), lines, "{name}");
        assert_eq!(number("lines"), number("parsed") + number("rejected"), "{name}");
        let rejects = report["rejects"].as_array().unwrap();
        assert_eq!(rejects.iter().map(|reject| reject["count"].as_u64().unwrap()).sum::<u64>(), number("rejected"));
        let rows = report["rows"].as_array().unwrap();
        assert_eq!(rows.iter().map(|row| row["count"].as_u64().unwrap()).sum::<u64>(), number("parsed"), "{name}");
        for field in ["format", "from", "to", "quantile_error"] {
            assert!(!report[field].is_null(), "{name}: {field}");
        }
        let fields =
            ["route", "count", "errors", "error_ratio", "total_ms", "share", "mean_ms", "p50_ms", "p95_ms", "p99_ms"];
        assert!(fields.iter().all(|field| rows[0].get(field).is_some()), "{name}: {}", rows[0]);
        assert_eq!(json(&["access", "--exact", "-o", "json", &name])["quantile_error"], 0.0, "{name}");
    }
}

const LINE: &str = r#"203.0.113.9 - - [22/Nov/2026:10:00:00 +0900] "GET /items/7 HTTP/1.1" 200 12 "-" "curl""#;

#[test]
fn access_reads_packed_files_and_standard_input_alike() {
    let folder = tempfile::tempdir().unwrap();
    let log = format!("{LINE}\nnonsense\n").repeat(50);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(log.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let files = [
        ("plain", log.clone().into_bytes()),
        ("packed.gz", gzip.clone()),
        ("packed.zst", zstd::encode_all(log.as_bytes(), 1).unwrap()),
    ];
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let report = json(&["access", "-o", "json", &text(&path)]);
        assert_eq!((&report["lines"], &report["rejected"]), (&100.into(), &50.into()), "{name}");
        assert_eq!(report["rows"][0]["route"], "GET /items/:id", "{name}");
        assert!(report["rows"][0]["p95_ms"].is_null(), "{name}");
    }
    let mut child = koshu(&["access", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&gzip).unwrap();
    let (code, out, _) = ended(&child.wait_with_output().unwrap());
    assert_eq!(code, 0);
    assert!(out.contains("100 lines: 50 parsed, 50 rejected"), "{out}");
    assert!(out.contains("GET /items/:id") && out.contains("nonsense"), "{out}");
}

#[test]
fn access_says_when_a_file_ends_in_damage_and_shows_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.gz");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    gzip.write_all(format!("{LINE}\n").repeat(500).as_bytes()).unwrap();
    let mut bytes = gzip.finish().unwrap();
    bytes.truncate(bytes.len() / 2);
    std::fs::write(&path, bytes).unwrap();
    let (code, out, err) = run(&["access", "-o", "json", &text(&path)]);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 1);
    assert!(report["parsed"].as_u64().unwrap() > 100, "{report}");
    assert!(err.contains("could not be read to its end"), "{err}");
}

#[test]
fn access_speaks_japanese_and_its_json_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    std::fs::write(&path, format!("{LINE}\n")).unwrap();
    let in_japanese = |args: &[&str]| ended(&koshu(args).env("LC_ALL", "ja_JP.UTF-8").output().unwrap()).1;
    assert!(in_japanese(&["access", &text(&path)]).contains("ルート"));
    assert_eq!(in_japanese(&["access", "-o", "json", &text(&path)]), run(&["access", "-o", "json", &text(&path)]).1);
}

#[test]
fn check_shows_the_place_of_a_problem() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("koshu.yaml");
    std::fs::write(&file, "schema: 1\nserver:\n  memroy: 1GiB\n").unwrap();
    let dir = text(folder.path());
    let (code, out, _) = run(&["check", &dir]);
    assert_eq!(code, 3, "{out}");
    assert!(out.contains("koshu.yaml:3:3") && out.contains("memroy: 1GiB") && out.contains("memory"), "{out}");
    let (code, out, _) = run(&["check", "-o", "json", &dir]);
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &found["problems"][0]["line"]), (3, &3.into()));
    std::fs::write(&file, "schema: 1\n").unwrap();
    assert_eq!(run(&["check", &dir]).0, 0);
    assert_eq!(json(&["check", "--schema"])["properties"]["schema"]["const"], 1);
}

#[test]
fn exit_codes_tell_scripts_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let dir = text(folder.path());
    let log = folder.path().join("log");
    std::fs::write(&log, LINE).unwrap();
    let nobody = "http://127.0.0.1:1";
    for (case, args, want) in [
        ("version", &["version"][..], 0),
        ("help", &["--help"], 0),
        ("a manual page", &["man", "access"], 0),
        ("completions", &["completions", "bash"], 0),
        ("a missing file", &["access", "/nonexistent/log"], 1),
        ("no lake", &["fsck", "--dir", &dir], 1),
        ("no store", &["token", "list", "--dir", &dir], 1),
        ("nothing", &[], 2),
        ("unknown verb", &["frobnicate"], 2),
        ("unknown order", &["access", "--sort", "beauty", "x"], 2),
        ("range backwards", &["query", "SELECT 1", "--from", "2026-01-02", "--to", "2026-01-01"], 2),
        ("a broken pattern", &["access", "--pattern", "(", "x"], 2),
        ("a pattern without one", &["access", "--format", "pattern", &text(&log)], 2),
        ("a manual page of nothing", &["man", "nonsense"], 2),
        ("no server to ask", &["query", "SELECT 1", "--server", nobody], 4),
        ("no server to follow", &["tail", "--server", nobody], 4),
        ("no server to import to", &["import", "--service", "shop", "--server", nobody, &text(&log)], 4),
    ] {
        let (code, out, err) = run(args);
        assert_eq!(code, want, "{case}: {out}{err}");
        assert!(matches!(code, 0 | 2) || err.contains("koshu: "), "{case}: {err}");
    }
    let version = json(&["version", "-o", "json"]);
    assert_eq!((&version["name"], &version["version"]), (&"koshu".into(), &env!("CARGO_PKG_VERSION").into()));
}

#[test]
fn an_empty_folder_can_be_given_a_token_and_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let dir = text(folder.path());
    let made = json(&["token", "create", "--name", "ci", "--scope", "ingest", "--dir", &dir, "-o", "json"]);
    assert!(made["token"].as_str().unwrap().starts_with("koshu_"), "{made}");
    let listed = json(&["token", "list", "--dir", &dir, "-o", "json"]);
    assert_eq!(listed["tokens"][0]["id"], made["id"]);
    assert!(listed["tokens"][0].get("token").is_none());
    assert_eq!(run(&["token", "delete", made["id"].as_str().unwrap(), "--dir", &dir]).0, 0);
    assert!(json(&["token", "list", "--dir", &dir, "-o", "json"])["tokens"].as_array().unwrap().is_empty());
    let link = json(&["user", "link", "--dir", &dir, "-o", "json"]);
    assert!(link["url"].as_str().unwrap().starts_with("http://127.0.0.1:4649/welcome/"), "{link}");
    assert_eq!(json(&["user", "list", "--dir", &dir, "-o", "json"])["users"][0]["password_set"], false);
}

#[test]
fn doctor_looks_without_making_anything() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("data");
    let (code, out, err) = run(&["doctor", "--dir", &text(&dir), "-o", "json"]);
    assert!(code == 0 || code == 3, "{code}: {err}");
    let found: Value = serde_json::from_str(&out).unwrap();
    let checks: Vec<&str> =
        found["findings"].as_array().unwrap().iter().map(|one| one["check"].as_str().unwrap()).collect();
    let all = ["configuration", "data_folder", "disk", "memory", "open_files", "store", "server", "clock"];
    assert_eq!(checks, all);
    assert!(!dir.exists());
}

#[test]
fn check_shows_the_place_of_a_route_that_is_no_pattern() {
    let folder = tempfile::tempdir().unwrap();
    let routes = "    routes:\n      - GET /items/:id\n      - \"items/:\"\n";
    std::fs::write(folder.path().join("koshu.yaml"), format!("schema: 1\nservices:\n  shop:\n{routes}")).unwrap();
    let (code, out, _) = run(&["check", &text(folder.path())]);
    assert_eq!(code, 3, "{out}");
    assert!(out.contains("koshu.yaml:6:9"), "{out}");
}

#[test]
fn up_takes_any_environment_and_speaks_the_language_of_the_terminal() {
    use std::io::{BufRead, BufReader, Read};
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let dir = text(folder.path());
    let mut child = koshu(&["up", "--http", "127.0.0.1:0", "--dir", &dir])
        .env("LC_ALL", "ja_JP.UTF-8")
        .env("KOSHU_HOST_ROOT", folder.path().join("nothing"))
        .env("STRANGE", std::ffi::OsStr::from_bytes(b"\xff\xfe"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    child.kill().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    child.wait().unwrap();
    assert!(ready.starts_with("ready http://127.0.0.1:"), "{ready}{said}");
    assert!(said.contains("データフォルダ") && said.contains("サインイン (一度だけ"), "{said}");
}

#[test]
fn a_further_account_is_made_with_a_link_to_enter() {
    let folder = tempfile::tempdir().unwrap();
    let dir = text(folder.path());
    let made = json(&["user", "add", "hanako", "--dir", &dir, "-o", "json"]);
    assert_eq!(made["user"], "hanako");
    assert!(made["url"].as_str().unwrap().contains("/welcome/"), "{made}");
    let (code, _, err) = run(&["user", "add", "hanako", "--dir", &dir]);
    assert!(code == 1 && err.contains("hanako"), "{code}: {err}");
    let (code, _, err) = run(&["user", "add", "not a name", "--dir", &dir]);
    assert!(code == 1 && err.contains("letters"), "{code}: {err}");
    let users = json(&["user", "list", "--dir", &dir, "-o", "json"]);
    let names: Vec<&str> =
        users["users"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["hanako"]);
}
