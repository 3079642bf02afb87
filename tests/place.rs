//! A folder of its own for one server: data, configuration, and the root in which it looks for logs.

use crate::server::{Koshu, Start};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Everything one server needs; outlives its restarts, and is deleted in the end.
pub struct Place {
    temp: TempDir,
}

/// What a command line answered.
#[derive(Debug)]
pub struct Ran {
    /// Exit code; -1 for a signal.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// The JSON on standard output, of a command that went well.
    pub fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

impl Place {
    /// An empty one.
    pub fn new() -> Self {
        let temp = TempDir::with_prefix("koshu-e2e-").expect("a temporary folder can be made");
        for folder in ["data", "config", "root"] {
            std::fs::create_dir(temp.path().join(folder)).expect("a new folder takes folders");
        }
        Self { temp }
    }

    /// The folder around it all.
    pub fn path(&self) -> &Path {
        self.temp.path()
    }

    /// What `--dir` gets.
    pub fn data(&self) -> PathBuf {
        self.temp.path().join("data")
    }

    /// The root below which logs are looked for; empty, so that this machine's own logs stay out of the tests.
    pub fn root(&self) -> PathBuf {
        self.temp.path().join("root")
    }

    /// Writes `koshu.yaml`.
    pub fn configure(&self, yaml: &str) {
        let path = self.temp.path().join("config/koshu.yaml");
        std::fs::write(path, format!("schema: 1\n{yaml}")).expect("the configuration can be written");
    }

    /// `koshu` with nothing of this shell's settings.
    pub fn koshu(&self) -> Command {
        self.program("koshu")
    }

    /// A built program with nothing of this shell's settings.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(binary(name));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("KOSHU_")) {
            command.env_remove(name);
        }
        command.env("KOSHU_HOST_ROOT", self.root()).env("NO_COLOR", "1").env("TZ", "UTC").env("LC_ALL", "C.UTF-8");
        command
    }

    /// `koshu VERB ... --dir DATA`, to its end.
    pub fn run<A: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Ran {
        let output = self.koshu().args(arguments).arg("--dir").arg(self.data()).output().expect("koshu starts");
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The rows of `koshu query` over all times.
    pub fn query(&self, sql: &str) -> Vec<Value> {
        let arguments = ["query", sql, "--from", "1990-01-01T00:00:00Z", "--to", "2100-01-01T00:00:00Z", "-o", "json"];
        let answer = self.run(arguments).json();
        answer["rows"].as_array().unwrap_or_else(|| panic!("no rows: {answer}")).clone()
    }

    /// Starts a server and waits until it is ready.
    pub async fn start(&self) -> Koshu {
        Start::new(self).ready().await
    }
}

/// A built program.
fn binary(name: &str) -> PathBuf {
    let path = crate::machine::target().join("debug").join(name);
    assert!(path.is_file(), "{} is missing: build it with `cargo build --workspace`", path.display());
    path
}
