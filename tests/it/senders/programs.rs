//! Programs of others that tests start: on private ports, below private folders, and ended with the test.

use super::limited;
use e2e::{Client, Place, ran, until};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::OpenOptions;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take from its start until it answers.
const READY: Duration = Duration::from_secs(20);
/// How long a program may take to end.
const ENDS: Duration = Duration::from_secs(5);

/// A program that runs until it is dropped.
pub struct Running(Child);

impl Running {
    pub fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Asked first: nginx's workers outlive a master that is killed.
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let begin = Instant::now();
        while begin.elapsed() < ENDS {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A new folder of a place.
pub fn folder(place: &Place, name: &str) -> PathBuf {
    let at = place.path().join(name);
    std::fs::create_dir(&at).unwrap();
    at
}

/// An nginx with one server that answers `/fail` with 500 and everything else with 200; `log` stands in its `http` block.
pub async fn nginx(program: &Path, place: &Place, log: &str) -> (Running, Client) {
    let (at, port) = (folder(place, "nginx"), free_port());
    let folder = at.display();
    // Root's nginx would become another user, who may not write here.
    let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
    let conf = format!(
        "{user} daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n\
         http {{ client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;\n\
         uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;\n{log}\n\
         server {{ listen 127.0.0.1:{port}; location /fail {{ return 500; }} location / {{ return 200 ok; }} }} }}\n"
    );
    std::fs::write(at.join("nginx.conf"), conf).unwrap();
    let running = Running::start(Command::new(program).arg("-p").arg(&at).arg("-c").arg(at.join("nginx.conf")));
    let client = Client::new(format!("http://127.0.0.1:{port}"), None);
    let answers = async || std::net::TcpStream::connect(("127.0.0.1", port)).ok().map(drop);
    until(READY, "nginx answers", answers).await;
    (running, client)
}

/// An rsyslogd that hands everything to the actions which it was given.
pub struct Rsyslog {
    folder: PathBuf,
    _running: Running,
}

impl Rsyslog {
    /// Listens on a socket and follows a file, both in its folder.
    pub async fn start(program: &Path, folder: PathBuf, actions: &str) -> Self {
        let (conf, at) = (folder.join("rsyslog.conf"), folder.display());
        let text = format!(
            "global(workDirectory=\"{at}\" localHostname=\"web-1\" net.enableDNS=\"off\")\n\
             module(load=\"imuxsock\" SysSock.Use=\"off\")\n\
             module(load=\"imfile\")\n\
             input(type=\"imuxsock\" Socket=\"{at}/socket\" RateLimit.Interval=\"0\")\n\
             input(type=\"imfile\" File=\"{at}/app.log\" Tag=\"shop:\" Facility=\"local3\" Severity=\"warning\")\n\
             {actions}\n"
        );
        std::fs::write(&conf, text).unwrap();
        std::fs::write(folder.join("app.log"), "").unwrap();
        ran(limited(program).arg("-N1").arg("-f").arg(&conf));
        let mut command = Command::new(program);
        command.arg("-n").arg("-f").arg(&conf).arg("-i").arg(folder.join("pid")).env("TZ", "UTC");
        let rsyslog = Self { _running: Running::start(&mut command), folder };
        let socket = rsyslog.folder.join("socket");
        until(READY, "rsyslog listens", async || socket.exists().then_some(())).await;
        rsyslog
    }

    /// Says something through its socket, as programs do with `syslog(3)`.
    pub fn say(&self, logger: &Path, text: &str) {
        let mut command = limited(logger);
        command.arg("--socket").arg(self.folder.join("socket"));
        ran(command.args(["--tag", "billing", "--id=42", "--priority", "user.err", "--", text]));
    }

    /// Writes lines into the file that it follows.
    pub fn write(&self, lines: &str) {
        let mut file = OpenOptions::new().append(true).open(self.folder.join("app.log")).unwrap();
        file.write_all(lines.as_bytes()).unwrap();
    }
}
