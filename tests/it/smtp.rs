//! A real mail server (aiosmtpd) that remembers what it took.

use e2e::{checkout, python, until};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(40);

/// A running mail server; ends with this value.
pub struct Smtp {
    child: Child,
    port: u16,
    mails: Arc<Mutex<Vec<Value>>>,
}

impl Smtp {
    /// `None` without Python's packages (which was said).
    pub fn start() -> Option<Self> {
        let mut child = Command::new(python()?)
            .arg(checkout().join("tests/python/smtp_server.py"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let mails: Arc<Mutex<Vec<Value>>> = Arc::default();
        let (taken, (sender, port)) = (Arc::clone(&mails), mpsc::channel());
        std::thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
            let _ = sender.send(lines.next());
            for line in lines {
                taken.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        let port = port.recv_timeout(SOON).unwrap().and_then(|line| line.trim().parse().ok());
        Some(Self { child, port: port.expect("it says its port first"), mails })
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Everything it took: `to`, `subject`, `id` and `text`.
    pub fn mails(&self) -> Vec<Value> {
        self.mails.lock().unwrap().clone()
    }

    /// The mail of a number, from 0, when it has come.
    pub async fn mail(&self, number: usize) -> Value {
        until(SOON, &format!("mail {number} comes"), async || self.mails().get(number).cloned()).await
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
