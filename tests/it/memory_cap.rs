//! A hard limit of memory from outside: heavy questions are refused, the server is never killed for it.

use crate::load::{Ledger, Refusals, Senders};
use e2e::{Client, Place, Start, heavy, missing};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const LIMIT: u64 = 512 << 20;
const TIME: Duration = Duration::from_mins(1);

/// A memory control group (version 1); removed in the end.
struct Group(PathBuf);

impl Group {
    fn new() -> Option<Self> {
        let path = Path::new("/sys/fs/cgroup/memory").join(format!("koshu-e2e-{}", std::process::id()));
        let made = std::fs::create_dir(&path)
            .and_then(|()| std::fs::write(path.join("memory.limit_in_bytes"), LIMIT.to_string()));
        match made {
            Ok(()) => Some(Self(path)),
            Err(error) => {
                missing(&format!("no memory control group (version 1) can be made here: {error}"));
                None
            }
        }
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }

    fn peak_mib(&self) -> u64 {
        self.text("memory.max_usage_in_bytes").trim().parse::<u64>().unwrap() >> 20
    }

    fn kills(&self) -> u64 {
        let control = self.text("memory.oom_control");
        let line = control.lines().find_map(|line| line.strip_prefix("oom_kill ")).unwrap();
        line.trim().parse().unwrap()
    }

    /// A shell line that enters the group and then becomes the given program.
    fn enter(&self) -> [String; 4] {
        let script = format!("echo $$ > {}/cgroup.procs && exec \"$@\"", self.0.display());
        ["sh".into(), "-c".into(), script, "sh".into()]
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Only an empty group can be removed; its process was waited for.
        let _ = std::fs::remove_dir(&self.0);
    }
}

/// Memory of the process itself: without the pages of its program file, which the group does not count.
fn resident_mib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) >> 10
}

/// Questions that keep a lot in memory, unless a limit stops them.
const HEAVY: [&str; 4] = [
    "SELECT path, trace_id, count(*) AS n FROM requests GROUP BY path, trace_id ORDER BY n DESC, trace_id LIMIT 100",
    "SELECT * FROM requests ORDER BY trace_id DESC, path LIMIT 10000",
    "SELECT count(DISTINCT trace_id), count(DISTINCT path) FROM requests",
    "SELECT count(*) FROM requests a JOIN requests b ON a.path = b.path WHERE a.trace_id < b.trace_id",
];

/// What became of the questions: status and, of a refusal, its first words.
type Outcomes = Arc<Mutex<BTreeMap<String, u64>>>;

async fn ask_until(stop: Arc<AtomicBool>, client: Client, first: usize, outcomes: Outcomes) {
    for turn in first.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let answer = client.sql_answer(HEAVY[turn % HEAVY.len()]).await;
        let key = match answer.status.as_u16() {
            200 => "answered".to_owned(),
            status => format!("{status} {}", answer.problem(status)),
        };
        *outcomes.lock().unwrap().entry(key).or_default() += 1;
    }
}

/// Loads the machine for a minute.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heavy_questions_and_intake_under_a_hard_memory_limit_do_not_kill_the_server() {
    let _turn = heavy();
    let Some(group) = Group::new() else { return };
    let place = Place::new();
    place.configure("server: {memory: 256MiB}\n");
    let mut koshu = Start::new(&place).through(group.enter()).ready().await;
    let pid = koshu.pid();
    let members = group.text("cgroup.procs");
    assert!(members.lines().any(|line| line == pid.to_string()), "the server is not in the group: {members}");

    let (ledger, refusals) = (Arc::new(Ledger::default()), Arc::new(Refusals::default()));
    let senders = Senders::start(3, koshu.client(), "shop", &ledger, &refusals);
    let (stop, outcomes) = (Arc::new(AtomicBool::new(false)), Outcomes::default());
    let bulk = tokio::spawn(send_bulk(Arc::clone(&stop), koshu.client().clone()));
    let ask = |first| tokio::spawn(ask_until(Arc::clone(&stop), koshu.client().clone(), first, Arc::clone(&outcomes)));
    let askers = [ask(0), ask(1), ask(3)];

    let begin = Instant::now();
    while begin.elapsed() < TIME {
        tokio::time::sleep(Duration::from_secs(5)).await;
        println!(
            "{:3} s: {} batches, resident {} MiB, group peak {} MiB, questions {:?}",
            begin.elapsed().as_secs(),
            ledger.acknowledged(),
            resident_mib(pid),
            group.peak_mib(),
            outcomes.lock().unwrap(),
        );
        assert_eq!(group.kills(), 0, "the kernel killed the server for its memory");
        assert!(koshu.is_alive(), "the server ended");
        assert_eq!(koshu.client().get("/healthz").await.status, 200);
    }
    stop.store(true, Ordering::Relaxed);
    senders.stop().await;
    let bulk = bulk.await.unwrap();
    for asker in askers {
        asker.await.expect("every refusal is a problem document");
    }
    println!("{bulk} bulk records, peak {} MiB of {} MiB", group.peak_mib(), LIMIT >> 20);
    assert_eq!(group.kills(), 0);
    assert_outcomes(&outcomes.lock().unwrap());
    assert_eq!(refusals.wrong.lock().unwrap().as_slice(), &[] as &[String], "answers that are neither yes nor later");
    assert!(ledger.acknowledged() > 100, "intake went on: {} batches", ledger.acknowledged());
    // It still answers, and what was acknowledged is there.
    let kept = koshu.client().number("SELECT count(*) FROM requests WHERE service = 'shop'").await.unsigned_abs();
    assert!(kept >= (ledger.acknowledged() * crate::load::BATCH) as u64, "{kept}");
    koshu.stop();
}

fn assert_outcomes(outcomes: &BTreeMap<String, u64>) {
    let over = |limit: &str| outcomes.keys().any(|key| key.starts_with("422") && key.contains(limit));
    assert!(over("MiB of memory"), "a question over its memory is refused, and the limit is named: {outcomes:?}");
    for key in outcomes.keys() {
        let named = key.contains("of memory") || key.contains("longer than");
        assert!(key == "answered" || (key.starts_with("422") && named), "a refusal names its limit: {key}");
    }
}

/// Many different paths and ids, in large batches; returns how many records were taken.
async fn send_bulk(stop: Arc<AtomicBool>, client: Client) -> u64 {
    let mut taken = 0;
    for round in 0_u64.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let line = |at: u64| {
            let id = (round * 5000 + at).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            e2e::json_line(&format!("{id:016x}{at:016x}"), &format!("/bulk/{id:016x}/page/{at}"), 200, 0.05)
        };
        let lines: Vec<String> = (0..5000).map(line).collect();
        let answer = client.ingest("bulk", lines.join("\n")).await.expect("an answer");
        match answer.status.as_u16() {
            200 => taken += 5000,
            429 | 503 => {
                assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            _ => panic!("neither yes nor later: {answer:?}"),
        }
    }
    taken
}
