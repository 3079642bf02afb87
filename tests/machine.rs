//! What the machine has and has not: test data, tools, permissions, and turns for tests that need it for themselves.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The checkout that these tests belong to.
pub fn checkout() -> PathBuf {
    // Of the run, not of the build: a target directory may serve several checkouts.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let here = Path::new(&here);
    here.parent().expect("the tests are a folder of the checkout").to_owned()
}

/// Cargo's folder for what it builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| checkout().join("target"), PathBuf::from)
}

/// Says why a test can't run here. In CI that is a failure: a test that never runs protects nobody.
pub fn missing(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "in CI every test must run: {what}");
    eprintln!("SKIPPED: {what}");
}

/// The files of a folder of the test data, or `None` when it is not here (which was said).
pub fn data_files(folder: &str) -> Option<Vec<PathBuf>> {
    let root = std::env::var_os("KOSHU_TEST_DATA")
        .map_or_else(|| checkout().join("../shared/data"), PathBuf::from)
        .join(folder);
    let Ok(entries) = std::fs::read_dir(&root) else {
        missing(&format!("no test data in {}; set KOSHU_TEST_DATA", root.display()));
        return None;
    };
    let mut files: Vec<_> = entries.map(|entry| entry.expect("the folder can be listed").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", root.display());
    Some(files)
}

/// A program by name, or `None` when it is not installed (which was said).
pub fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    // Debian keeps servers outside of a plain user's path.
    let folders = path.split(':').chain(["/usr/sbin", "/sbin"]);
    let found = folders.map(|folder| Path::new(folder).join(name)).find(|path| path.is_file());
    if found.is_none() {
        missing(&format!("{name} is not installed"));
    }
    found
}

/// Python with the packages of `scripts/requirements-test.txt`, or `None` (which was said).
pub fn python() -> Option<PathBuf> {
    let python = checkout().join(".venv/bin/python");
    if !python.is_file() {
        missing("no .venv: run scripts/install/python");
        return None;
    }
    Some(python)
}

/// Runs a command to its end; panics with what it said when it fails.
pub fn ran(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} did not start: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Holds the turn of a heavy test.
pub struct Turn(#[expect(dead_code, reason = "the lock ends with the file")] File);

/// Waits for a turn: of the tests that load the machine or measure seconds, one runs at a time, in whatever processes
/// they are. Light tests go on beside it.
pub fn heavy() -> Turn {
    let file = File::create(target().join("e2e-heavy.lock")).expect("the lock file can be made");
    file.lock().expect("the lock can be waited for");
    Turn(file)
}
