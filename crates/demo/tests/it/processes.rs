//! Births and deaths.

use crate::{ended, exe, family, is_running, kill, options, pids, until};
use demo::{Demo, RoleName, Scenario};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_killed_worker_is_there_again_within_a_second() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(options(dir.path())).await.unwrap();
    let home = demo.dir().to_owned();
    for role in [RoleName::Worker, RoleName::QueueWorker] {
        let before = pids(&home, role);
        let killed = Instant::now();
        kill(before[0]);
        let after = until("a successor", || {
            let now = pids(&home, role);
            (now.len() == before.len() && now[0] != before[0]).then_some(now)
        })
        .await;
        let took = killed.elapsed();
        assert!(took < Duration::from_secs(1) || is_busy(), "{role:?} took {took:?}");
        assert_eq!(after[1..], before[1..], "nobody else was touched");
        assert!(is_running(after[0]));
    }
    ended(demo).await;
}

/// More runnable tasks than processors: a wall-clock limit would then test the neighbours.
fn is_busy() -> bool {
    let load: f64 = fs::read_to_string("/proc/loadavg").unwrap().split(' ').next().unwrap().parse().unwrap();
    load > std::thread::available_parallelism().unwrap().get() as f64
}

#[tokio::test]
async fn a_worker_that_leaked_its_limit_says_so_and_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options(dir.path());
    options.scenario =
        Scenario { leak_every_requests: 2, leak_bytes: 1 << 20, leak_limit_bytes: 8 << 20, ..options.scenario };
    let demo = Demo::start(options).await.unwrap();
    let shop_log = demo.dir().join("shop.log");
    until("a death of the leak and a second generation", || {
        let said = fs::read_to_string(&shop_log).unwrap_or_default();
        (said.contains("leaves: out of memory") && said.contains("exit status: 70") && said.contains("generation 2"))
            .then_some(())
    })
    .await;
    ended(demo).await;
}

#[tokio::test]
async fn a_killed_master_comes_back_on_the_same_port_without_orphans() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(options(dir.path())).await.unwrap();
    let home = demo.dir().to_owned();
    let (master, workers) = (pids(&home, RoleName::Master), pids(&home, RoleName::Worker));
    kill(master[0]);
    until("the old workers' end and new workers", || {
        let now = pids(&home, RoleName::Worker);
        let are_new = now.len() == workers.len() && now.iter().all(|pid| !workers.contains(pid) && is_running(*pid));
        (are_new && workers.iter().all(|pid| !is_running(*pid))).then_some(())
    })
    .await;
    until("an answer on the same port", || std::net::TcpStream::connect(("127.0.0.1", demo.port())).ok()).await;
    ended(demo).await;
}

#[tokio::test]
async fn killing_the_parent_leaves_no_orphan() {
    let dir = tempfile::tempdir().unwrap();
    let mut parent =
        Command::new(exe()).args(["run".as_ref(), dir.path().as_os_str()]).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(parent.stdout.take().unwrap()).read_line(&mut said).unwrap();
    assert!(said.starts_with("ready http://127.0.0.1:"), "{said}");
    let wanted = ["koshu demo-child master", "koshu demo-child worker 4", "koshu demo-child people"];
    // A process is there a moment before it has its title.
    let all = until("parent, master, people, 4 workers and 2 queue workers, by their titles", || {
        let all = family(parent.id());
        let titles: Vec<String> = all.iter().map(|pid| title(*pid)).collect();
        (all.len() == 9 && wanted.iter().all(|want| titles.iter().any(|title| title == want))).then_some(all)
    })
    .await;
    kill(parent.id());
    parent.wait().unwrap();
    until("the end of all", || all.iter().all(|pid| !is_running(*pid)).then_some(())).await;
}

/// A process's command line, as `ps` shows it.
fn title(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default().replace('\0', " ").trim_end().to_owned()
}

#[tokio::test]
async fn the_deploy_replaces_all_workers_and_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options(dir.path());
    options.scenario.deploy_after_ms = 1_500;
    let changes = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&changes);
    options.on_change = Arc::new(move |change| told.lock().unwrap().push(change));
    let demo = Demo::start(options).await.unwrap();
    let home = demo.dir().to_owned();
    until("a second generation of each worker", || {
        let list = demo::ProcessList::read(&home).ok()?;
        let workers: Vec<_> = list.processes.iter().filter(|p| p.role == RoleName::Worker).collect();
        (list.release == "1.1" && workers.len() == 2 && workers.iter().all(|p| p.generation >= 2)).then_some(())
    })
    .await;
    // A master that starts anew after the deploy must not tell of it again.
    let before = pids(&home, RoleName::Master);
    kill(before[0]);
    until("a new master with workers", || {
        (pids(&home, RoleName::Master) != before && pids(&home, RoleName::Worker).len() == 2).then_some(())
    })
    .await;
    ended(demo).await;
    let changes = changes.lock().unwrap();
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!((changes[0].title.as_str(), changes[0].version.as_str()), ("demo-shop 1.1", "1.1"));
}
