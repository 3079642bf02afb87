//! One running server: started, asked, stopped or killed.

use crate::client::Client;
use crate::place::Place;
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a start may take that no test measures.
const READY: Duration = Duration::from_mins(1);
/// How long an orderly stop may take: it seals what is in the journal.
const STOP: Duration = Duration::from_mins(1);

/// A server about to be started.
pub struct Start<'a> {
    place: &'a Place,
    before: Vec<OsString>,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl<'a> Start<'a> {
    /// With what the place has: its folder, its configuration.
    pub fn new(place: &'a Place) -> Self {
        Self { place, before: Vec::new(), arguments: Vec::new(), environment: Vec::new() }
    }

    /// Adds an argument of `koshu up`.
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Sets a variable of its environment.
    pub fn environment(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Starts it through a program that becomes koshu by `exec`.
    pub fn through<A: Into<OsString>>(mut self, program: impl IntoIterator<Item = A>) -> Self {
        self.before = program.into_iter().map(Into::into).collect();
        self
    }

    fn command(&self) -> Command {
        let mut koshu = self.place.koshu();
        koshu.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let mut command = match self.before.split_first() {
            None => koshu,
            Some((first, rest)) => {
                let mut outer = Command::new(first);
                outer.args(rest).arg(koshu.get_program());
                for (name, value) in koshu.get_envs() {
                    match value {
                        Some(value) => outer.env(name, value),
                        None => outer.env_remove(name),
                    };
                }
                outer
            }
        };
        let config = self.place.path().join("config");
        command.arg("up").arg("--dir").arg(self.place.data()).args(["--http", "127.0.0.1:0"]);
        if config.join("koshu.yaml").exists() {
            command.arg("--config").arg(config);
        }
        command.args(&self.arguments);
        command
    }

    /// Starts it and waits for its line `ready URL`.
    pub async fn ready(self) -> Koshu {
        let said = self.place.path().join("stderr.txt");
        let begin = Instant::now();
        let mut child = self
            .command()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&said).expect("a file for its words can be made"))
            .spawn()
            .expect("koshu starts");
        let (sender, lines) = mpsc::channel();
        let stdout = child.stdout.take().expect("its output is piped");
        std::thread::spawn(move || {
            // Read to the end, so that the server never waits for a full pipe.
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut koshu = Koshu {
            child,
            data: self.place.data(),
            said,
            output: Vec::new(),
            client: Client::new(String::new(), None),
            ready_after: Duration::ZERO,
        };
        let url = koshu.wait_for_ready(&lines, begin).await;
        koshu.ready_after = begin.elapsed();
        let token = std::fs::read_to_string(koshu.data.join("admin.token")).expect("DIR/admin.token can be read");
        koshu.client = Client::new(url, Some(token.trim().to_owned()));
        koshu
    }
}

/// A running server. Ends with this value.
pub struct Koshu {
    child: Child,
    data: PathBuf,
    said: PathBuf,
    output: Vec<String>,
    client: Client,
    ready_after: Duration,
}

impl Koshu {
    async fn wait_for_ready(&mut self, lines: &mpsc::Receiver<String>, begin: Instant) -> String {
        loop {
            while let Ok(line) = lines.try_recv() {
                let url = line.strip_prefix("ready ").map(|url| url.trim_end_matches('/').to_owned());
                self.output.push(line);
                if let Some(url) = url {
                    return url;
                }
            }
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                panic!("koshu ended before it was ready ({status}):\n{}\n{}", self.output.join("\n"), self.words());
            }
            assert!(begin.elapsed() < READY, "not ready after {READY:?}:\n{}", self.words());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A client with the administrator's token.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A client without any token.
    pub fn stranger(&self) -> Client {
        Client::new(self.url().to_owned(), None)
    }

    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> &str {
        self.client.url()
    }

    /// Time from its start to its line `ready`.
    pub fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The one-time sign-in link that it printed.
    pub fn welcome_link(&self) -> String {
        let words = self.output.join("\n") + &self.words();
        let mut parts = words.split_whitespace().filter(|word| word.contains("/welcome/"));
        parts.next().unwrap_or_else(|| panic!("no sign-in link was printed:\n{words}")).to_owned()
    }

    /// What it said on standard error, the last of it.
    pub fn words(&self) -> String {
        let words = std::fs::read_to_string(&self.said).unwrap_or_default();
        let from = words.ceil_char_boundary(words.len().saturating_sub(6000));
        words[from..].to_owned()
    }

    /// Whether the process still runs.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("a child can be asked").is_none()
    }

    /// Ends it like a power button: no chance to write anything.
    pub fn kill(mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a killed child ends");
    }

    /// Asks it to stop, and waits until it did.
    pub fn stop(mut self) -> ExitStatus {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).expect("a child takes signals");
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                assert!(status.success(), "a stop that was asked for is no failure: {status}\n{}", self.words());
                return status;
            }
            assert!(begin.elapsed() < STOP, "still running {STOP:?} after SIGTERM:\n{}", self.words());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Koshu {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- koshu said ---\n{}", self.words());
        }
        // Fails when it ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
