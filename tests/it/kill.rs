//! Killed at a random moment under load, again and again: what was acknowledged is there, once.

use crate::load::{BATCH, Ledger, Refusals, Senders};
use e2e::{Place, heavy};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::sync::Arc;
use std::time::Duration;

const KILLS: usize = 50;
const READY_WITHIN: Duration = Duration::from_secs(5);

/// Needs the machine's attention: it measures how long a start takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_fifty_times_under_load_every_acknowledged_record_is_there_once() {
    let _turn = heavy();
    let seed = std::env::var("KOSHU_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("seed {seed}: repeat with KOSHU_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let place = Place::new();
    // A small budget makes segments small, so that kills also hit sealing, commits and compaction.
    place.configure("server: {memory: 32MiB}\n");
    let (ledger, refusals) = (Arc::new(Ledger::default()), Arc::new(Refusals::default()));
    for round in 1..=KILLS {
        let koshu = place.start().await;
        let ready = koshu.ready_after();
        let senders = Senders::start(3, &koshu.stranger(), "shop", &ledger, &refusals);
        let before = ledger.acknowledged();
        let moment = Duration::from_millis(random.random_range(20..900));
        tokio::time::sleep(moment).await;
        koshu.kill();
        senders.stop().await;
        let got = (ledger.acknowledged() - before) * BATCH;
        println!("round {round:2}: ready after {ready:?}, killed after {moment:?}, {got} records acknowledged");
        assert!(ready <= READY_WITHIN, "round {round}: ready after {ready:?}");
    }
    // Counting hundreds of thousands of ids takes more than such a budget has for questions.
    place.configure("server: {memory: 1GiB}\n");
    let koshu = place.start().await;
    assert!(koshu.ready_after() <= READY_WITHIN, "ready after {:?}", koshu.ready_after());
    assert!(ledger.acknowledged() >= KILLS, "the load was no load: {} batches", ledger.acknowledged());
    assert_eq!(refusals.wrong.lock().unwrap().as_slice(), &[] as &[String], "answers that are neither yes nor later");
    ledger.assert_kept(koshu.client()).await;
    assert_pages_agree(&koshu).await;

    // Sealing what is left, compaction included, changes nothing.
    koshu.stop();
    let koshu = place.start().await;
    ledger.assert_kept(koshu.client()).await;
    assert_pages_agree(&koshu).await;
    koshu.stop();
    assert_eq!(place.run(["fsck"]).code, 0, "no kill damages anything");
}

/// Roll-ups are written beside the rows, and count the same.
async fn assert_pages_agree(koshu: &e2e::Koshu) {
    let rows = koshu.client().number("SELECT count(*) FROM requests").await;
    let path = "/api/v1/services/shop/requests?from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z";
    let page = koshu.client().get(path).await.ok();
    assert_eq!(page["total"]["count"].as_i64(), Some(rows), "the pages count as many requests as there are rows");
}
