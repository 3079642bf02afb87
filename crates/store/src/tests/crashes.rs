//! The program is killed between any two steps of a delivery, over and over.
//!
//! A kill is simulated by dropping a call after it was polled a random number of times: the transaction it was in is
//! undone, or was committed without anybody learning of it. Between sending and booking there is a kill of its own.

use super::Fixture;
use super::firings::{fire, resolve};
use crate::{FiringChange, FiringClass, MessageKind};
use base::Span;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use std::collections::BTreeMap;
use std::pin::pin;
use std::task::Poll;

const LEASE: Span = Span::from_seconds(30);
const RULES: usize = 3;

/// The call's answer, or `None` when it was killed after `polls` polls.
async fn killed_after<F: Future>(polls: u32, call: F) -> Option<F::Output> {
    let mut call = pin!(call);
    let mut left = polls;
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        call.as_mut().poll(context).map(Some)
    })
    .await
}

/// What the far side got: by what it can tell a repetition by (rule and kind) how often, and how often the sender was
/// killed between sending and booking it.
#[derive(Default)]
struct FarSide {
    got: BTreeMap<(String, MessageKind), u32>,
    kills: BTreeMap<(String, MessageKind), u32>,
}

struct World {
    fixture: Fixture,
    random: SmallRng,
    far: FarSide,
    /// What the engine believes: which rules fire. It learns of a transition's fate only when the call returns.
    fires: [bool; RULES],
    /// What it has still to write.
    to_write: [Option<bool>; RULES],
    names: [String; RULES],
    epoch: u32,
}

impl World {
    /// How long until the kill; mostly none.
    fn polls(&mut self) -> u32 {
        if self.random.random_bool(0.4) { self.random.random_range(0..12) } else { u32::MAX }
    }

    async fn write(&mut self, rule: usize) {
        let Some(wanted) = self.to_write[rule] else { return };
        let now = self.fixture.clock.now();
        let change = if wanted {
            FiringChange::Fire(fire(&self.names[rule], FiringClass::Alert, now, &["slack"]))
        } else {
            resolve(&self.names[rule], now)
        };
        let polls = self.polls();
        let firings = self.fixture.store.firings();
        let done = killed_after(polls, firings.apply(&[change])).await;
        if done.is_some_and(|result| result.is_ok()) {
            self.to_write[rule] = None;
            self.fires[rule] = wanted;
        }
    }

    async fn send(&mut self, may_die: bool) -> bool {
        let polls = if may_die { self.polls() } else { u32::MAX };
        let outbox = self.fixture.store.outbox();
        let Some(Ok(Some(batch))) = killed_after(polls, outbox.claim("slack", LEASE)).await else { return false };
        if may_die && self.random.random_bool(0.15) {
            return true; // killed before sending
        }
        let mut keys = Vec::new();
        for message in &batch.messages {
            let firing = self.fixture.firing(message.firing.unwrap()).await;
            let name = firing.rule;
            if message.folds {
                keys.push((name.clone(), MessageKind::Fire));
            }
            keys.push((name, message.kind));
        }
        for key in &keys {
            *self.far.got.entry(key.clone()).or_default() += 1;
        }
        let booked = if may_die && self.random.random_bool(0.15) {
            None // killed after sending
        } else {
            let polls = if may_die { self.polls() } else { u32::MAX };
            killed_after(polls, outbox.delivered(&batch, None)).await
        };
        if booked.is_none_or(|result| result.is_err()) {
            for key in keys {
                *self.far.kills.entry(key).or_default() += 1;
            }
        }
        true
    }

    /// The next occurrence of a rule has a name of its own, so that the far side can tell it from the one before.
    fn turn(&mut self, rule: usize) {
        if self.to_write[rule].is_some() {
            return;
        }
        if !self.fires[rule] {
            self.epoch += 1;
            self.names[rule] = format!("rule-{rule}-{}", self.epoch);
        }
        self.to_write[rule] = Some(!self.fires[rule]);
    }
}

async fn one_life(fixture: Fixture, seed: u64) -> World {
    let mut world = World {
        fixture,
        random: SmallRng::seed_from_u64(seed),
        far: FarSide::default(),
        fires: [false; RULES],
        to_write: [None; RULES],
        names: std::array::from_fn(|_| String::new()),
        epoch: 0,
    };
    for _ in 0..30 {
        let rule = world.random.random_range(0..RULES);
        match world.random.random_range(0..6) {
            0 | 1 => world.turn(rule),
            2 | 3 => world.write(rule).await,
            4 => drop(world.send(true).await),
            _ => world.fixture.pass_seconds(20),
        }
    }
    // No more kills: everything is written and sent.
    for rule in 0..RULES {
        while world.to_write[rule].is_some() {
            world.write(rule).await;
        }
        if world.fires[rule] {
            world.turn(rule);
            while world.to_write[rule].is_some() {
                world.write(rule).await;
            }
        }
    }
    for _ in 0..200 {
        world.fixture.pass_seconds(31);
        if !world.send(false).await && world.fixture.store.outbox().next_at("slack").await.unwrap().is_none() {
            break;
        }
    }
    check(&world, seed).await;
    world
}

async fn check(world: &World, seed: u64) {
    let pending = world.fixture.store.outbox().waiting_channels().await.unwrap();
    assert!(pending.is_empty(), "seed {seed}: something was never sent");
    let all = world.fixture.store.outbox().list(None, 500).await.unwrap();
    assert!(all.len() < 500, "the list is whole");
    for delivery in all {
        let firing = world.fixture.firing(delivery.firing.unwrap()).await;
        for kind in [MessageKind::Fire, MessageKind::Resolve] {
            let key = (firing.rule.clone(), kind);
            let got = world.far.got.get(&key).copied().unwrap_or(0);
            let kills = world.far.kills.get(&key).copied().unwrap_or(0);
            let deliveries = world.fixture.store.outbox().of_firing(firing.id).await.unwrap();
            assert!(got >= 1, "seed {seed}: {key:?} was missed: {deliveries:#?}");
            assert!(got <= 1 + kills, "seed {seed}: {key:?} came {got} times after {kills} kills");
        }
    }
}

#[tokio::test]
async fn killed_two_hundred_times_nothing_is_missed_and_at_most_one_is_doubled_a_kill() {
    for mut fixture in Fixture::all().await {
        let (mut sent, mut doubled) = (0, 0);
        for seed in 0..200 {
            let world = one_life(fixture, seed).await;
            sent += world.far.got.values().sum::<u32>();
            doubled += world.far.got.values().filter(|times| **times > 1).count();
            fixture = world.fixture;
            // Its messages go with them; the next life starts with nothing.
            fixture.store.db.execute("DELETE FROM firings", Vec::new()).await.unwrap();
        }
        assert!(sent > 1000 && doubled > 10, "{sent} sent, {doubled} doubled: hardly anything was killed");
    }
}
