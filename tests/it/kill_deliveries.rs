//! Killed in the middle of telling people, again and again: nobody misses a message, and nobody gets one more than twice.

use crate::smtp::Smtp;
use e2e::{Client, Hook, Place, heavy, until};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

const KILLS: usize = 200;
/// What a process had in hand that was killed is sent by the next one at once; on a busy machine a little later.
const DRAINED: Duration = Duration::from_secs(30);
/// From the moment at which a message is durable to the kill, at most: it is claimed, sent and booked meanwhile.
const LONGEST_MS: u64 = 60;

/// Measures nothing, but 200 starts need the machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_two_hundred_times_while_it_tells_every_message_comes_once_or_twice() {
    let Some(smtp) = Smtp::start() else { return };
    let _turn = heavy();
    let seed = std::env::var("KOSHU_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("seed {seed}: repeat with KOSHU_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    // It answers late, so that kills also fall between what is sent and what is known to have arrived.
    let hook = Hook::slow(Duration::from_millis(20)).await;
    let place = Place::new();
    place.configure(&format!(
        "outputs:\n  alert:\n    - {{name: hook, webhook: {{url: \"{}\", secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}}}}\n    \
         - {{name: mail, email: {{to: oncall@example.com, host: 127.0.0.1, port: {}}}}}\n",
        hook.url(),
        smtp.port()
    ));
    let mut written: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for _ in 0..KILLS {
        let koshu = place.start().await;
        // Every message meets one kill: a kill may double what it hits, and the next one would do so again.
        drained(koshu.client()).await;
        for channel in ["hook", "mail"] {
            let answer = koshu.client().post(&format!("/api/v1/channels/{channel}/test"), &json!({})).await;
            assert_eq!(answer.status, 202, "{answer:?}");
            let id = answer.json()["id"].as_str().unwrap().to_owned();
            written.entry(channel.to_owned()).or_default().push(id);
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(0..LONGEST_MS))).await;
        koshu.kill();
    }
    let koshu = place.start().await;
    let counts = until(DRAINED, "every message has come", async || {
        let heard: Vec<String> = hook.heard().await.iter().map(|(_, body)| body.to_string()).collect();
        let mails: Vec<String> = smtp.mails().iter().map(ToString::to_string).collect();
        let count = |channel: &str, came: &[String]| -> Vec<usize> {
            let times = |id: &String| came.iter().filter(|text| text.contains(id.as_str())).count();
            written[channel].iter().map(times).collect()
        };
        let counts = [count("hook", &heard), count("mail", &mails)];
        counts.iter().flatten().all(|times| *times > 0).then_some(counts)
    })
    .await;
    for (channel, counts) in ["hook", "mail"].into_iter().zip(&counts) {
        let twice = counts.iter().filter(|times| **times == 2).count();
        println!("{channel}: {} messages, {twice} of them came twice", counts.len());
        assert_eq!(counts.len(), KILLS);
        assert!(counts.iter().all(|times| *times <= 2), "{channel}: {counts:?}");
    }
    let twice = counts.iter().flatten().filter(|times| **times == 2).count();
    assert!(twice > 0, "no kill fell between what was sent and what was booked: the test looks at nothing");
    drained(koshu.client()).await;
    koshu.stop();
}

/// Waits until no message is on its way.
async fn drained(client: &Client) {
    until(DRAINED, "nothing waits to be sent", async || {
        let deliveries = client.get("/api/v1/deliveries?limit=20").await.ok();
        let all = deliveries["deliveries"].as_array().unwrap();
        all.iter().all(|one| one["delivered_at"].is_string()).then_some(())
    })
    .await;
}
