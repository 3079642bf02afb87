//! A disk that is really full: senders are told to come back, everything else works, and nothing is lost.

use crate::load::Ledger;
use e2e::{Client, Place, Start, Target, heavy, missing, until};
use reqwest::Method;
use serde_json::{Value, json};
use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A small file system in memory; unmounted in the end.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` when this user may not mount (which was said).
    fn mount(at: &Path) -> Option<Self> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64m,mode=0700", "tmpfs"]).arg(at).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(at.to_owned())),
            why => {
                missing(&format!("a tmpfs can't be mounted here: {why:?}"));
                None
            }
        }
    }

    /// Writes until not one more byte fits.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path).unwrap();
        for size in [1 << 20, 4096, 1] {
            let block = vec![7; size];
            let error = loop {
                if let Err(error) = file.write_all(&block) {
                    break error;
                }
            };
            assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the server may still be ending.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

const PASSWORD: &str = "correct horse battery staple";

async fn set_password(koshu: &e2e::Koshu) {
    let link = koshu.welcome_link();
    let secret = link.rsplit('/').next().unwrap();
    let stranger = koshu.stranger();
    let entered = stranger.post("/api/v1/session/link", &json!({"secret": secret})).await;
    entered.ok();
    let cookie = entered.header("set-cookie").split(';').next().unwrap().to_owned();
    let request = stranger.request(Method::POST, "/api/v1/session/password");
    let request = request.header("cookie", cookie).header("origin", koshu.url()).json(&json!({"password": PASSWORD}));
    assert_eq!(Client::send(request).await.status, 204);
}

async fn assert_reads_and_sign_in_work(koshu: &e2e::Koshu, stored: i64) {
    let path = "/api/v1/services/shop/requests?from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z";
    let page = koshu.client().get(path).await.ok();
    assert_eq!(page["total"]["count"].as_i64(), Some(stored), "{page}");
    assert_eq!(koshu.client().number("SELECT count(*) FROM requests").await, stored);
    let credentials = json!({"user": "admin", "password": PASSWORD});
    let entered = koshu.stranger().post("/api/v1/session", &credentials).await;
    entered.ok();
    let cookie = entered.header("set-cookie").split(';').next().unwrap().to_owned();
    let request = koshu.stranger().request(Method::GET, "/api/v1/session").header("cookie", cookie);
    let session: Value = Client::send(request).await.ok();
    assert_eq!(session["signed_in"], json!(true), "{session}");
}

/// Longest time to the next heartbeat of thirty seconds, on a busy machine.
const HEARTBEAT: Duration = Duration::from_mins(2);

/// Needs the machine's attention: it measures seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_pushes_senders_back_and_nothing_else() {
    let _turn = heavy();
    let place = Place::new();
    let Some(disk) = SmallDisk::mount(&place.data()) else { return };
    place.configure("server: {memory: 128MiB, disk: 40MiB}\n");
    let koshu = place.start().await;
    set_password(&koshu).await;
    let (sender, ledger) = (koshu.client(), Ledger::default());
    for _ in 0..20 {
        assert_eq!(ledger.send(sender, "shop").await.unwrap().status, 200);
    }

    let filler = disk.fill();
    let full = Instant::now();
    let refused = loop {
        let sent = Instant::now();
        let answer = ledger.send(sender, "shop").await.expect("a full server answers");
        assert!(sent.elapsed() < Duration::from_secs(1), "answered after {:?}", sent.elapsed());
        if answer.status != 200 {
            break answer;
        }
        assert!(
            full.elapsed() < Duration::from_secs(1),
            "still accepting {:?} after the disk was full",
            full.elapsed()
        );
    };
    println!("refused {:?} after the disk was full: {}", full.elapsed(), refused.text);
    assert!(full.elapsed() < Duration::from_secs(1), "refused only after {:?}", full.elapsed());
    let why = refused.problem(503);
    assert!(why.contains("disk"), "it is said what is full: {why}");
    assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds > 0), "{refused:?}");

    // It stays so, and everything else goes on, for some seconds of pressure.
    let stored = i64::try_from(ledger.acknowledged() * crate::load::BATCH).unwrap();
    let pressed = Instant::now();
    while pressed.elapsed() < Duration::from_secs(5) {
        let answer = ledger.send(sender, "shop").await.expect("a full server answers");
        assert_eq!(answer.status, 503, "{answer:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_reads_and_sign_in_work(&koshu, stored).await;
    assert_eq!(koshu.client().get("/healthz").await.status, 200);
    koshu.client().get("/readyz").await.problem(503);

    std::fs::remove_file(filler).unwrap();
    let freed = Instant::now();
    until(Duration::from_secs(10), "intake works again", async || {
        (ledger.send(sender, "shop").await?.status == 200).then_some(())
    })
    .await;
    println!("accepted again {:?} after space was there", freed.elapsed());
    for _ in 0..20 {
        assert_eq!(ledger.send(sender, "shop").await.unwrap().status, 200);
    }
    ledger.assert_kept(koshu.client()).await;

    // Nor does a kill right afterwards lose anything.
    koshu.kill();
    let koshu = place.start().await;
    ledger.assert_kept(koshu.client()).await;
    koshu.stop();
    assert_eq!(place.run(["fsck"]).code, 0, "a full disk damages nothing");
}

/// Sends lines over syslog, of which nobody can be asked for again, and stays connected.
fn say_over_syslog(koshu: &e2e::Koshu, lines: std::ops::Range<usize>) -> TcpStream {
    let mut socket = TcpStream::connect(crate::listeners::address(koshu, "syslog")).unwrap();
    for number in lines {
        writeln!(socket, "<14>1 2026-11-26T03:04:05Z web-1 app - - - line {number}").unwrap();
    }
    socket
}

/// The dead-man's switch is not called by a server whose lake takes nothing. What senders without acknowledgements say
/// meanwhile over a connection waits as long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stops_the_heartbeat_and_room_brings_it_back() {
    let place = Place::new();
    let Some(disk) = SmallDisk::mount(&place.data()) else { return };
    let switch = Target::start().await;
    let url = switch.url();
    place.configure(&format!("server: {{memory: 128MiB}}\noutputs: {{heartbeat: {{url: \"{url}\", every: 30s}}}}\n"));
    let koshu = Start::new(&place).argument("--listen").argument("syslog=127.0.0.1:0").ready().await;
    let beats = async |more: usize| {
        let before = switch.asked();
        until(HEARTBEAT, "a heartbeat comes", async || (switch.asked() >= before + more).then_some(())).await;
    };
    beats(2).await;
    let filler = disk.fill();
    // One that was on its way when the disk became full may still come.
    let full = Instant::now();
    until(HEARTBEAT, "intake is pushed back", async || {
        let answer = Ledger::default().send(koshu.client(), "shop").await?;
        (answer.status == 503).then_some(())
    })
    .await;
    let _sender = say_over_syslog(&koshu, 0..500);
    while full.elapsed() < Duration::from_secs(35) {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let before = switch.asked();
    while full.elapsed() < Duration::from_secs(80) {
        assert_eq!(switch.asked(), before, "a server with a full disk says that it is well");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    std::fs::remove_file(filler).unwrap();
    beats(1).await;
    let sql = "SELECT count(DISTINCT body) FROM logs WHERE service = 'app'";
    until(HEARTBEAT, "every line is stored", async || (koshu.client().number(sql).await == 500).then_some(())).await;
    koshu.stop();
}
