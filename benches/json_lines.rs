//! Writes JSON access lines as an application behind nginx sends them, in files of one request body each:
//! `json_lines FOLDER LINES FIRST_SECOND SPAN_SECONDS SEED`.
//!
//! About 420 bytes a line, 10,000 lines a file, 40 routes, 20,000 users, 200 agents, lines in order of time. The same
//! arguments always give the same bytes. Compiled by `scripts/bench/run` with `rustc` alone: it has no dependency.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

const LINES_A_FILE: u64 = 10_000;
const USERS: u64 = 20_000;

/// Xorshift: the lines must be the same everywhere, so no other source of numbers is used.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn roll(&mut self, sides: u64) -> u64 {
        (self.next() >> 11) % sides
    }
}

/// Method, target with `#` for a number, and how often out of 1,000.
const ROUTES: [(&str, &str, u64); 40] = [
    ("GET", "/items/#?ref=list", 180),
    ("GET", "/", 90),
    ("GET", "/items", 80),
    ("GET", "/categories/#/items", 70),
    ("GET", "/search?q=word#", 60),
    ("GET", "/cart", 50),
    ("POST", "/cart/items", 40),
    ("GET", "/users/#", 35),
    ("GET", "/users/#/orders/#", 30),
    ("GET", "/api/v2/items/#/stock", 30),
    ("GET", "/api/v2/items/#/reviews", 30),
    ("POST", "/checkout", 20),
    ("GET", "/checkout", 20),
    ("GET", "/orders/#", 20),
    ("POST", "/orders", 15),
    ("GET", "/notifications", 20),
    ("GET", "/favorites", 15),
    ("POST", "/favorites/#", 15),
    ("DELETE", "/favorites/#", 8),
    ("GET", "/login", 12),
    ("POST", "/login", 12),
    ("POST", "/logout", 5),
    ("GET", "/help", 6),
    ("GET", "/help/articles/#", 8),
    ("GET", "/stores/#", 10),
    ("GET", "/stores", 6),
    ("GET", "/coupons", 8),
    ("POST", "/coupons/#/apply", 7),
    ("GET", "/api/v2/session", 20),
    ("PUT", "/cart/items/#", 12),
    ("DELETE", "/cart/items/#", 8),
    ("GET", "/rankings", 10),
    ("GET", "/campaigns/#", 10),
    ("PATCH", "/users/#", 4),
    ("POST", "/items/#/reviews", 4),
    ("GET", "/api/v2/recommendations?user=#", 14),
    ("POST", "/api/v2/events", 10),
    ("GET", "/sitemap", 2),
    ("GET", "/invoices/#", 3),
    ("POST", "/password/reset", 1),
];

const SYSTEMS: [&str; 8] = [
    "Windows NT 10.0; Win64; x64",
    "Macintosh; Intel Mac OS X 10_15_7",
    "X11; Linux x86_64",
    "iPhone; CPU iPhone OS 17_5 like Mac OS X",
    "iPad; CPU OS 17_5 like Mac OS X",
    "Linux; Android 14; Pixel 8",
    "Linux; Android 13; SM-S911B",
    "Linux; Android 10; K",
];

/// One of 200.
fn agent(n: u64) -> String {
    let system = SYSTEMS[(n % 8) as usize];
    format!("Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36", 102 + n / 8)
}

fn status(dice: &mut Dice, method: &str) -> u16 {
    match dice.roll(1000) {
        0..4 => 500,
        4..6 => 502,
        6..26 => 404,
        26..36 => 401,
        36..76 => 304,
        76..136 => 302,
        _ if method == "POST" => 201,
        _ => 200,
    }
}

/// Milliseconds: a sum of products gives the long tail of real services; each route has its own scale.
fn milliseconds(dice: &mut Dice, route: u64) -> u64 {
    let scale = 1 + route % 7;
    let tail = if dice.roll(100) == 0 { 15 } else { 1 };
    (2 + dice.roll(25) * dice.roll(12) / 4 + dice.roll(9)) * scale * tail
}

fn pick_route(dice: &mut Dice) -> usize {
    let mut ticket = dice.roll(ROUTES.iter().map(|route| route.2).sum());
    for (index, (_, _, weight)) in ROUTES.iter().enumerate() {
        if ticket < *weight {
            return index;
        }
        ticket -= weight;
    }
    0
}

/// `2026-01-31T01:02:03.004Z` of milliseconds since the epoch.
fn time_text(out: &mut String, millis: u64) {
    let (days, rest) = (millis / 86_400_000, millis % 86_400_000);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60);
    let _ = write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", rest % 1000);
}

fn line(out: &mut String, dice: &mut Dice, agents: &[String], millis: u64) {
    let index = pick_route(dice);
    let (method, pattern, _) = ROUTES[index];
    let user = dice.roll(USERS);
    out.push_str("{\"time\":\"");
    time_text(out, millis);
    let _ = write!(out, "\",\"method\":\"{method}\",\"uri\":\"");
    for part in pattern.split_inclusive('#') {
        out.push_str(part.trim_end_matches('#'));
        if part.ends_with('#') {
            let _ = write!(out, "{}", 1000 + dice.roll(60_000));
        }
    }
    let took = milliseconds(dice, index as u64);
    let _ = write!(
        out,
        "\",\"status\":{},\"request_time\":{}.{:03},\"bytes\":{},\"remote_addr\":\"203.0.{}.{}\",\"user_agent\":\"{}\",\
         \"referer\":\"https://shop.example/categories/{}\",\"host\":\"shop.example\",\
         \"request_id\":\"{:016x}{:016x}\",\"user\":\"u{user:05}\"}}\n",
        status(dice, method),
        took / 1000,
        took % 1000,
        200 + dice.roll(60_000),
        user / 250,
        user % 250,
        agents[(user % 200) as usize],
        dice.roll(80),
        dice.next(),
        dice.next(),
    );
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, lines, first, span, seed] = arguments.as_slice() else {
        return Err(io::Error::other("usage: json_lines FOLDER LINES FIRST_SECOND SPAN_SECONDS SEED"));
    };
    let number = |raw: &String| raw.parse::<u64>().map_err(io::Error::other);
    let (folder, lines, first, span) = (PathBuf::from(folder), number(lines)?, number(first)?, number(span)?);
    let mut dice = Dice(number(seed)?.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    (0..20).for_each(|_| _ = dice.next());
    let agents: Vec<String> = (0..200).map(agent).collect();
    std::fs::create_dir_all(&folder)?;
    let mut body = String::with_capacity(5 << 20);
    for n in 0..lines {
        line(&mut body, &mut dice, &agents, first * 1000 + span * 1000 * n / lines);
        if (n + 1) % LINES_A_FILE == 0 || n + 1 == lines {
            std::fs::write(folder.join(format!("{:04}.ndjson", n / LINES_A_FILE)), &body)?;
            body.clear();
        }
    }
    Ok(())
}
