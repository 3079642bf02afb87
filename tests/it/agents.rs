//! Agents of other machines: what they report, check and follow; a server that falls silent; and hosts that vanish in
//! different ways, each in a network of its own.

use crate::senders::programs::{folder, free_port};
use e2e::{Authority, Hook, Koshu, Place, Start, heavy, json_line, missing, ran, tool, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Longer than two beats and whatever a loaded machine adds.
const SOON: Duration = Duration::from_mins(1);
/// Three beats are missed before anybody looks, and looks come every 15 s.
const JUDGED: Duration = Duration::from_secs(150);

/// A running agent. Killed with this value.
struct Agent {
    child: Child,
    said: PathBuf,
}

/// What is needed to start one agent again and again.
struct Host<'a> {
    place: &'a Place,
    name: &'static str,
    /// The network in which it runs, if it has one of its own.
    network: Option<String>,
    server: String,
    token: PathBuf,
    config: PathBuf,
}

impl<'a> Host<'a> {
    /// A host with a token that was made for it.
    fn new(place: &'a Place, name: &'static str, server: String, config: &str) -> Self {
        let made = place.run(["token", "create", "--name", name, "--scope", "agent"]);
        assert_eq!(made.code, 0, "{made:?}");
        let (token, file) = (place.path().join(format!("{name}.token")), place.path().join(format!("{name}.yaml")));
        std::fs::write(&token, made.stdout).unwrap();
        std::fs::write(&file, format!("schema: 1\nhost: {name}\ndiscover: false\n{config}")).unwrap();
        Self { place, name, network: None, server, token, config: file }
    }

    fn start(&self) -> Agent {
        let koshu = self.place.program("koshu-agent");
        let mut command = match &self.network {
            None => koshu,
            Some(network) => {
                // Becomes the program by exec.
                let mut outer = Command::new("ip");
                outer.args(["netns", "exec", network]).arg(koshu.get_program());
                outer
            }
        };
        let said = self.place.path().join(format!("{}.log", self.name));
        let child = command
            .args(["--server", &self.server, "--token-file"])
            .arg(&self.token)
            .arg("--config")
            .arg(&self.config)
            .stdin(Stdio::null())
            .stderr(File::options().create(true).append(true).open(&said).unwrap())
            .spawn()
            .unwrap();
        Agent { child, said }
    }
}

impl Agent {
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn words(&self) -> String {
        std::fs::read_to_string(&self.said).unwrap_or_default()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn host(koshu: &Koshu, name: &str) -> Option<Value> {
    let list = koshu.client().get("/api/v1/hosts").await.ok();
    list["hosts"].as_array().unwrap().iter().find(|host| host["name"] == name).cloned()
}

/// Waits until something is believed of a host, and returns it.
async fn believed(place: &Place, koshu: &Koshu, name: &str, liveness: &str) -> Value {
    let found = until_maybe(JUDGED, async || host(koshu, name).await.filter(|host| host["liveness"] == liveness)).await;
    found.unwrap_or_else(|| {
        let said = std::fs::read_to_string(place.path().join(format!("{name}.log"))).unwrap_or_default();
        panic!("{name} is not believed to be {liveness}; its agent said:\n{said}")
    })
}

/// Asks again and again until there is an answer or the time is over.
async fn until_maybe<T>(limit: Duration, mut probe: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let waited = tokio::time::timeout(limit, async {
        loop {
            if let Some(found) = probe().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    waited.await.ok()
}

async fn check(koshu: &Koshu, name: &str) -> Value {
    koshu.client().get(&format!("/api/v1/checks/{name}")).await.ok()
}

/// Waits until a check stands somewhere, and returns it.
async fn stands(koshu: &Koshu, name: &str, status: &str) -> Value {
    until(SOON, &format!("{name} is {status}"), async || {
        let check = check(koshu, name).await;
        (check["status"] == status).then_some(check)
    })
    .await
}

fn append(log: &Path, from: usize, to: usize) {
    let mut file = OpenOptions::new().create(true).append(true).open(log).unwrap();
    for number in from..to {
        writeln!(file, "{}", json_line(&format!("line-{number}"), &format!("/items/{number}"), 200, 0.01)).unwrap();
    }
}

async fn lines(koshu: &Koshu) -> (i64, i64) {
    let client = koshu.client();
    let count = client.number("SELECT count(*) FROM requests WHERE service = 'shop'").await;
    (count, client.number("SELECT count(DISTINCT trace_id) FROM requests WHERE service = 'shop'").await)
}

async fn until_lines(koshu: &Koshu, wanted: i64) {
    until(SOON, &format!("{wanted} lines are there"), async || (lines(koshu).await.0 >= wanted).then_some(())).await;
    assert_eq!(lines(koshu).await, (wanted, wanted), "each line once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_reports_its_host_follows_its_logs_through_a_kill_and_runs_checks() {
    let place = Place::new();
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = door.local_addr().unwrap();
    let both = format!("every: 10s, retries: 0, timeout: 2s, tcp: \"{at}\"");
    place.configure(&format!(
        "checks:\n  far: {{{both}, from: [tokyo]}}\n  both: {{{both}, from: [server, tokyo]}}\n  \
         nowhere: {{{both}, from: [osaka]}}\n\
         rules:\n  - {{name: agents, signal: process.count, process: koshu-agent, host: tokyo, above: 0, class: record}}\n"
    ));
    let koshu = place.start().await;
    let log = place.path().join("access.log");
    append(&log, 0, 40);
    let config = format!("logs: {{shop: [{}]}}\n", log.display());
    let tokyo = Host::new(&place, "tokyo", koshu.url().to_owned(), &config);
    let agent = tokyo.start();
    let known = until(SOON, "the host is known", async || host(&koshu, "tokyo").await).await;
    assert_eq!((&known["liveness"], &known["checks"]), (&json!("alive"), &json!(2)), "{known}");
    assert!(known["skew_ms"].as_f64().unwrap().abs() < 2_000.0, "one clock: {known}");
    until_lines(&koshu, 40).await;

    // It is killed while lines arrive; another start goes on where the server says.
    append(&log, 40, 60);
    agent.kill();
    append(&log, 60, 100);
    let agent = tokyo.start();
    until_lines(&koshu, 100).await;

    // It runs itself, which a rule about its processes sees.
    let fired = "SELECT count(*) FROM events WHERE kind = 'firing' AND name = 'agents' AND state = 'firing'";
    until(SOON, "its processes are counted", async || (koshu.client().number(fired).await == 1).then_some(())).await;
    let samples = "SELECT count(*) FROM samples WHERE host = 'tokyo' AND source = 'agent' AND name = 'cpu.busy_ratio'";
    until(SOON, "its samples are there", async || (koshu.client().number(samples).await >= 1).then_some(())).await;

    // What it was told to check it checks from there, and says so; what another one is to check, it does not.
    let far = stands(&koshu, "far", "ok").await;
    assert_eq!((&far["places"][0]["from"], &far["places"][0]["status"]), (&json!("tokyo"), &json!("ok")), "{far}");
    stands(&koshu, "both", "ok").await;
    until(SOON, "both places have looked", async || {
        let places = check(&koshu, "both").await["places"].clone();
        places.as_array().unwrap().iter().all(|place| place["status"] == "ok").then_some(())
    })
    .await;
    assert_eq!(check(&koshu, "nowhere").await["places"][0]["status"], "pending");
    drop(door);
    let far = stands(&koshu, "far", "failed").await;
    assert_eq!((&far["why"]["code"], &far["places"][0]["status"]), (&json!("connect"), &json!("failed")), "{far}");
    let stored = "SELECT count(*) FROM events WHERE kind = 'check' AND name = 'far' AND host = 'tokyo' \
                  AND state = 'failed' AND attrs['from'] = 'tokyo'";
    assert!(koshu.client().number(stored).await >= 1, "what was shown is stored");

    // A check that is added while everything runs reaches the agent, and one that is taken away ends.
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = door.local_addr().unwrap();
    place.configure(&format!("checks:\n  new: {{every: 10s, retries: 0, tcp: \"{other}\", from: [tokyo]}}\n"));
    until(SOON, "the new check is good", async || {
        let answer = koshu.client().get("/api/v1/checks/new").await;
        (answer.status == 200 && answer.json()["status"] == "ok").then_some(())
    })
    .await;
    assert_eq!(koshu.client().get("/api/v1/checks/far").await.status, 404);

    // Nobody speaks for a host that another token speaks for, and no other token speaks at all.
    let report = json!({"host": "tokyo", "boot": "x", "number": 1});
    let made = place.run(["token", "create", "--name", "thief", "--scope", "agent"]);
    let thief = koshu.client().with_token(made.stdout.trim());
    assert!(thief.post("/api/v1/agent/report", &report).await.problem(403).contains("another token"));
    let made = place.run(["token", "create", "--name", "sender", "--scope", "ingest"]);
    let sender = koshu.client().with_token(made.stdout.trim());
    assert!(sender.post("/api/v1/agent/report", &report).await.problem(403).contains("none of an agent"));
    let orders = std::fs::read_to_string(&tokyo.token).unwrap();
    let itself = koshu.client().with_token(orders.trim());
    assert_eq!(itself.get("/api/v1/checks").await.status, 403, "an agent reads nothing but its orders");
    let other = json!({"host": "osaka", "boot": "x", "number": 1});
    assert!(itself.post("/api/v1/agent/report", &other).await.problem(403).contains("speaks for the host tokyo"));
    assert!(agent.words().contains("the agent reports"), "{}", agent.words());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_says_once_that_its_server_is_silent_and_once_that_it_is_back() {
    let _turn = heavy();
    let place = Place::new();
    place.configure("server: {time_zone: UTC}\n");
    let (hook, port) = (Hook::unsigned().await, free_port());
    let start = async || Start::new(&place).argument(format!("--listen=http=127.0.0.1:{port}")).ready().await;
    let koshu = start().await;
    let log = place.path().join("access.log");
    append(&log, 0, 5);
    let config = format!(
        "logs: {{shop: [{}]}}\nserver_silent: {{after: 30s, time_zone: UTC, tell: [{{webhook: {{url: \"{}\"}}}}]}}\n",
        log.display(),
        hook.url()
    );
    let tokyo = Host::new(&place, "tokyo", koshu.url().to_owned(), &config);
    let agent = tokyo.start();
    until_lines(&koshu, 5).await;
    believed(&place, &koshu, "tokyo", "alive").await;

    // Frozen, not dead: its port still takes connections, and nothing ever comes back.
    kill_process(Pid::from_raw(koshu.pid().cast_signed()).unwrap(), Signal::STOP).unwrap();
    append(&log, 5, 20);
    until(JUDGED, "somebody is told", async || (!hook.heard().await.is_empty()).then_some(())).await;
    koshu.kill();
    let koshu = start().await;
    until(SOON, "the end is told too", async || (hook.heard().await.len() >= 2).then_some(())).await;
    // What was written meanwhile is there, each line once.
    until_lines(&koshu, 20).await;
    let heard = hook.heard().await;
    assert_eq!(hook.kinds().await, ["fire", "resolve"], "{heard:?}\n{}", agent.words());
    let first = &heard[0].1["data"];
    assert!(first.to_string().contains("does not answer the agent of tokyo"), "{first}");
    // Samples of the silence came later.
    let gap = "SELECT count(*) FROM samples WHERE host = 'tokyo' AND name = 'memory.used_ratio'";
    let taken = until(SOON, "samples are there", async || {
        let count = koshu.client().number(gap).await;
        (count >= 4).then_some(count)
    })
    .await;
    let distinct = "SELECT count(DISTINCT ts) FROM samples WHERE host = 'tokyo' AND name = 'memory.used_ratio'";
    assert!(koshu.client().number(distinct).await >= taken, "none is there twice");
}

/// Two hosts, each in a network of its own, with cables to this machine and to each other. Goes away with this value.
struct Networks {
    id: u32,
}

const HERE: &str = "198.18.78.1";
const HOSTS: [(&str, &str); 2] = [("a", "198.18.78.2"), ("b", "198.18.78.3")];

fn ip(arguments: &str) {
    ran(Command::new("ip").args(arguments.split_whitespace()));
}

impl Networks {
    /// `None` where that is not allowed (which was said).
    fn new() -> Option<Self> {
        let program = tool("ip")?;
        if !rustix::process::geteuid().is_root() {
            missing("network namespaces need root");
            return None;
        }
        let networks = Self { id: std::process::id() };
        for (host, _) in HOSTS {
            let name = networks.name(host);
            if !Command::new(&program).args(["netns", "add", &name]).stderr(Stdio::null()).status().unwrap().success() {
                missing("network namespaces are not allowed here");
                return None;
            }
            ip(&format!("-n {name} link set lo up"));
        }
        // With a cable out, nothing may leave this machine by another way.
        ip("route add unreachable 198.18.78.0/24 metric 4000");
        for (host, address) in HOSTS {
            let (near, name) = (networks.cable(host), networks.name(host));
            ip(&format!("link add {near} type veth peer name up netns {name}"));
            ip(&format!("addr add {HERE}/32 dev {near}"));
            ip(&format!("-n {name} addr add {address}/32 dev up"));
            ip(&format!("-n {name} link set dev up up"));
            networks.plug(host, true);
            ip(&format!("-n {name} route add {HERE}/32 dev up src {address}"));
        }
        let (a, b) = (networks.name("a"), networks.name("b"));
        ip(&format!("-n {a} link add side type veth peer name side netns {b}"));
        for (name, its, other) in [(&a, HOSTS[0].1, HOSTS[1].1), (&b, HOSTS[1].1, HOSTS[0].1)] {
            ip(&format!("-n {name} addr add {its}/32 dev side"));
            ip(&format!("-n {name} link set dev side up"));
            ip(&format!("-n {name} route add {other}/32 dev side src {its}"));
        }
        Some(networks)
    }

    fn name(&self, host: &str) -> String {
        format!("koshu-{host}-{}", self.id)
    }

    fn cable(&self, host: &str) -> String {
        format!("k{host}{}", self.id)
    }

    /// Whether the cable between this machine and a host is in.
    fn plug(&self, host: &str, is_in: bool) {
        let (near, address) = (self.cable(host), HOSTS.iter().find(|(name, _)| *name == host).unwrap().1);
        ip(&format!("link set {near} {}", if is_in { "up" } else { "down" }));
        if is_in {
            // Routes go with their cable.
            ip(&format!("route replace {address}/32 dev {near} src {HERE}"));
        }
    }

    /// Takes the cable between the hosts out.
    fn part(&self) {
        ip(&format!("-n {} link set dev side down", self.name("a")));
    }
}

impl Drop for Networks {
    fn drop(&mut self) {
        // With the networks go their cables.
        for (host, _) in HOSTS {
            let _ = Command::new("ip").args(["netns", "del", &self.name(host)]).status();
        }
        let route = ["route", "del", "unreachable", "198.18.78.0/24", "metric", "4000"];
        let _ = Command::new("ip").args(route).status();
    }
}

/// An nginx that speaks TLS in front of the server, with a certificate of its own.
struct Front {
    child: Child,
    /// Who signed it.
    root: PathBuf,
}

impl Front {
    async fn start(place: &Place, port: u16) -> Option<Self> {
        let nginx = tool("nginx")?;
        let at = folder(place, "front");
        let authority = Authority::new(&at)?;
        authority.sign("front", &format!("IP:{HERE}"));
        let shown = at.display();
        let conf = format!(
            "user root; daemon off; worker_processes 1; pid {shown}/pid; error_log {shown}/error.log; events {{}}\n\
             http {{ access_log off; client_body_temp_path {shown}/body; proxy_temp_path {shown}/proxy;\n\
             fastcgi_temp_path {shown}/fastcgi; uwsgi_temp_path {shown}/uwsgi; scgi_temp_path {shown}/scgi;\n\
             server {{ listen {HERE}:8443 ssl; ssl_certificate {shown}/front.pem; ssl_certificate_key {shown}/front.key;\n\
             client_max_body_size 64m; location / {{ proxy_pass http://127.0.0.1:{port}; }} }} }}\n"
        );
        std::fs::write(at.join("nginx.conf"), conf).unwrap();
        let child = Command::new(nginx).arg("-p").arg(&at).arg("-c").arg(at.join("nginx.conf")).spawn().unwrap();
        until(SOON, "nginx answers", async || std::net::TcpStream::connect((HERE, 8443)).ok().map(drop)).await;
        Some(Self { child, root: authority.root() })
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

/// Rules that have fired, and how often.
async fn fired(koshu: &Koshu) -> Value {
    let sql = "SELECT name, count(*) FROM events WHERE kind = 'firing' AND state = 'firing' GROUP BY 1 ORDER BY 1";
    json!(koshu.client().sql(sql).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gone_host_a_gone_agent_and_a_cut_network_are_told_apart() {
    let Some(networks) = Networks::new() else { return };
    let _turn = heavy();
    let place = Place::new();
    place.configure(
        "rules:\n  - {name: host-gone, signal: host.gone, above: 0, class: record}\n  \
         - {name: agent-gone, signal: host.agent_gone, above: 0, class: record}\n",
    );
    let koshu = place.start().await;
    let port = koshu.url().rsplit_once(':').unwrap().1.parse().unwrap();
    let Some(front) = Front::start(&place, port).await else { return };
    let config = format!("ca_file: {}\n", front.root.display());
    let server = format!("https://{HERE}:8443");
    let hosts = HOSTS.map(|(name, _)| Host {
        network: Some(networks.name(name)),
        ..Host::new(&place, name, server.clone(), &config)
    });
    let [a, b] = &hosts;
    let (agent, _other) = (a.start(), b.start());
    for (name, address) in HOSTS {
        let host = believed(&place, &koshu, name, "alive").await;
        assert_eq!(host["reach"], format!("{address}:22"), "found by itself: {host}");
    }
    // The server and the other host have to have seen the way while it led somewhere.
    until(JUDGED, "both have reached a", async || {
        let host = host(&koshu, "a").await?;
        (host["reached_by"] == json!(["server", "b"])).then_some(())
    })
    .await;

    // The agent dies, its host does not: the port refuses.
    agent.kill();
    let gone = believed(&place, &koshu, "a", "agent_gone").await;
    assert!(gone["reasons"].to_string().contains("refused"), "{gone}");
    until(SOON, "the rule has fired", async || (fired(&koshu).await == json!([["agent-gone", 1]])).then_some(())).await;
    let agent = a.start();
    believed(&place, &koshu, "a", "alive").await;

    // The cable to the server is out: the other host still reaches it.
    networks.plug("a", false);
    let cut = believed(&place, &koshu, "a", "network_cut").await;
    assert!(cut["reasons"].as_array().unwrap().iter().any(|reason| reason["host"] == "b"), "{cut}");
    networks.plug("a", true);
    believed(&place, &koshu, "a", "alive").await;

    // Both cables are out: nobody reaches it.
    networks.plug("a", false);
    networks.part();
    believed(&place, &koshu, "a", "host_gone").await;
    assert_eq!(host(&koshu, "b").await.unwrap()["liveness"], "alive");
    let states = "SELECT state FROM events WHERE kind = 'host' AND name = 'a' ORDER BY ts";
    let states: Vec<Value> = koshu.client().sql(states).await.into_iter().map(|mut row| row.remove(0)).collect();
    let states: Vec<&str> = states.iter().map(|state| state.as_str().unwrap()).collect();
    let told: Vec<&&str> = states.iter().filter(|state| **state != "unknown").collect();
    assert!(told.ends_with(&[&"alive", &"network_cut", &"alive", &"host_gone"]), "{states:?}");
    // Rules say the same: one record for the gone agent, one for the gone host, none of both for the cut.
    let both = json!([["agent-gone", 1], ["host-gone", 1]]);
    until(SOON, "the other rule has fired", async || (fired(&koshu).await == both).then_some(())).await;
    drop(agent);
}
