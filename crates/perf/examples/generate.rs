//! Writes about N MB of a combined log with response times to stdout: `cargo run -p perf --example generate -- 100`.
//!
//! The same N always gives the same bytes.

use std::io::{self, BufWriter, Write};

/// Xorshift: the log must be the same everywhere, so no other source of numbers is used.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "curl/8.5.0",
];

fn main() -> io::Result<()> {
    let megabytes: u64 = std::env::args().nth(1).and_then(|raw| raw.parse().ok()).unwrap_or(100);
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    let (mut dice, mut written, mut n) = (Dice(0x5eed_1234_abcd_0001), 0, 0u64);
    while written < megabytes * 1_000_000 {
        let second = n / 50;
        let (hour, minute, second) = (second / 3600 % 24, second / 60 % 60, second % 60);
        let item = dice.roll(60_000);
        let target = match dice.roll(20) {
            0..8 => format!("/items/{item}?ref=list&page={}", dice.roll(9)),
            8..12 => format!("/assets/app-{:08x}.js", item * 7919 % 97),
            12..15 => format!("/categories/{}/items", dice.roll(80)),
            15..17 => format!("/users/{item}/orders/{}", dice.roll(900)),
            17 => "/cart".to_owned(),
            18 => format!("/search?q=word{item}"),
            _ => "/".to_owned(),
        };
        let method = if dice.roll(12) == 0 { "POST" } else { "GET" };
        let status = [200, 200, 200, 200, 302, 304, 404, 200, 200, 500][usize::try_from(dice.roll(10)).unwrap_or(0)];
        let status = if status == 500 && dice.roll(20) != 0 { 200 } else { status };
        let wait = (dice.roll(30) + 1) * (dice.roll(30) + 1) * if dice.roll(100) == 0 { 20 } else { 1 };
        let agent = AGENTS[usize::try_from(dice.roll(4)).unwrap_or(0)];
        let line = format!(
            "203.0.113.{} - - [17/May/2015:{hour:02}:{minute:02}:{second:02} +0000] \"{method} {target} HTTP/1.1\" \
             {status} {} \"https://shop.example/categories/{}\" \"{agent}\" {}.{:03}\n",
            dice.roll(250),
            dice.roll(90_000),
            dice.roll(80),
            wait / 1000,
            wait % 1000,
        );
        out.write_all(line.as_bytes())?;
        written += line.len() as u64;
        n += 1;
    }
    out.flush()
}
