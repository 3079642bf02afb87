//! The people: simulated visitors who browse, try again and buy over real HTTP, each with a browser of their own.
//!
//! They never send more than the asked-for rate: each request uses up its share of time, however fast the shop is.

use crate::event::{Event, Settings, tell};
use crate::journey::{Step, next, try_again};
use crate::shop::LONGEST_WAIT;
use crate::weather::around;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::header::{COOKIE, LOCATION, REFERER, SET_COOKIE, USER_AGENT};
use reqwest::{Client, Method, Response, StatusCode};
use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A page of the shop is far smaller; nobody reads on beyond it.
const LONGEST_PAGE: usize = 1 << 20;
/// Nobody catches up more than this after a slow answer.
const MOST_BEHIND: Duration = Duration::from_secs(2);
/// How many visitors come back with the cookie they had.
const RETURNING: f64 = 0.3;

const AGENTS: [&str; 6] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
];

pub(crate) async fn run(settings: Settings, parent_gone: CancellationToken) -> io::Result<ExitCode> {
    let people = settings.scenario.people.max(1);
    let per_request = Duration::from_secs_f64((f64::from(people) / settings.rate_per_s.max(0.01)).min(3_600.0));
    let mut crowd = JoinSet::new();
    for number in 0..people {
        let person = Person::new(number, &settings, per_request)?;
        crowd.spawn(person.live());
    }
    tell(&Event::Ready);
    parent_gone.cancelled().await;
    crowd.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

/// A browser, and whoever sits before it.
struct Person {
    client: Client,
    shop: String,
    agent: &'static str,
    rng: StdRng,
    sid: Option<String>,
    cart: String,
    referer: Option<String>,
    cached: BTreeSet<String>,
    /// How long one request may take out of this person's time, on average.
    per_request: Duration,
    due: Instant,
}

/// What came of a request.
enum Answer {
    Shown,
    /// The shop sent the browser on, to a path of its own.
    SentTo(String),
    /// 404 and the like: no use to try again.
    Refused,
    /// 5xx, or no answer at all.
    Failed,
}

impl Person {
    fn new(number: u16, settings: &Settings, per_request: Duration) -> io::Result<Self> {
        // The whole of 127/8 is this machine: everybody has an address, as they would have outside.
        let [high, low] = number.to_be_bytes();
        let address = IpAddr::from(Ipv4Addr::new(127, 1, high, low.saturating_add(1).max(1)));
        let client = Client::builder()
            .no_proxy()
            .http1_only()
            .tls_certs_only([])
            .redirect(reqwest::redirect::Policy::none())
            .local_address(address)
            .pool_max_idle_per_host(2)
            .timeout(LONGEST_WAIT)
            .build()
            .map_err(io::Error::other)?;
        let mut rng = StdRng::seed_from_u64(settings.seed.wrapping_mul(1_000_003).wrapping_add(u64::from(number)));
        let agent = AGENTS[rng.random_range(0..AGENTS.len())];
        // People arrive one after the other, not all in the same millisecond.
        let due = Instant::now() + per_request.mul_f64(rng.random::<f64>() * 2.0);
        Ok(Self {
            client,
            shop: format!("http://127.0.0.1:{}", settings.port),
            agent,
            rng,
            sid: None,
            cart: String::new(),
            referer: None,
            cached: BTreeSet::new(),
            per_request,
            due,
        })
    }

    async fn live(mut self) {
        loop {
            self.visit().await;
            self.cart.clear();
            self.referer = None;
            if !self.rng.random_bool(RETURNING) {
                self.sid = None;
                self.cached.clear();
                self.agent = AGENTS[self.rng.random_range(0..AGENTS.len())];
            }
        }
    }

    /// From the home page until the visitor leaves, content or not.
    async fn visit(&mut self) {
        let mut step = Step::Home;
        while step != Step::Leave {
            self.think().await;
            if !self.insist(&mut step).await {
                return;
            }
            let in_cart = self.cart.split('.').filter(|id| !id.is_empty()).count();
            step = next(&step, in_cart, &mut self.rng);
        }
    }

    /// Does one step, again if it fails; false when the visitor gives up. A redirect changes what the step was.
    async fn insist(&mut self, step: &mut Step) -> bool {
        let mut tries = 0;
        loop {
            match self.take(step).await {
                Answer::Shown | Answer::Refused => return true,
                Answer::SentTo(path) => {
                    *step = if path == "/cart" { Step::Cart } else { Step::Order { path } };
                    tries = 0;
                }
                Answer::Failed => {
                    let Some(wait) = try_again(tries, &mut self.rng) else { return false };
                    tries += 1;
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    async fn take(&mut self, step: &Step) -> Answer {
        let get = |path: String| (Method::GET, path, None);
        let (method, path, body) = match step {
            Step::Home | Step::Leave => get("/".to_owned()),
            Step::List { page: 1 } => get("/items".to_owned()),
            Step::List { page } => get(format!("/items?page={page}")),
            Step::Item { id } => get(format!("/items/{id}")),
            Step::Search { words } => get(format!("/search?q={words}")),
            Step::AddToCart { id } => (Method::POST, "/cart".to_owned(), Some(format!("item={id}"))),
            Step::Cart => get("/cart".to_owned()),
            Step::Checkout => (Method::POST, "/checkout".to_owned(), None),
            Step::Order { path } => get(path.clone()),
        };
        let answer = self.fetch(method, &path, body).await;
        if matches!(answer, Answer::Shown) {
            self.referer = Some(format!("{}{path}", self.shop));
            self.load_assets(step).await;
        }
        answer
    }

    async fn load_assets(&mut self, step: &Step) {
        let mut wanted = vec!["shop.css".to_owned(), "shop.js".to_owned(), "logo.svg".to_owned()];
        if let Step::Item { id } = step {
            wanted.push(format!("item-{}.svg", id % 12));
        }
        for name in wanted {
            if self.cached.insert(name.clone()) {
                self.fetch(Method::GET, &format!("/assets/{name}"), None).await;
            }
        }
    }

    async fn fetch(&mut self, method: Method, path: &str, body: Option<String>) -> Answer {
        self.due += around(self.per_request, &mut self.rng);
        let mut request = self.client.request(method, format!("{}{path}", self.shop)).header(USER_AGENT, self.agent);
        let cookies = match &self.sid {
            Some(sid) if self.cart.is_empty() => format!("sid={sid}"),
            Some(sid) => format!("sid={sid}; cart={}", self.cart),
            None => String::new(),
        };
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies);
        }
        if let Some(referer) = &self.referer {
            request = request.header(REFERER, referer);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let Ok(mut response) = request.send().await else { return Answer::Failed };
        self.keep_cookies(&response);
        let answer = judge(&response);
        let mut seen = 0;
        while let Ok(Some(chunk)) = response.chunk().await {
            seen += chunk.len();
            if seen > LONGEST_PAGE {
                break;
            }
        }
        answer
    }

    fn keep_cookies(&mut self, response: &Response) {
        for line in response.headers().get_all(SET_COOKIE) {
            let pair = line.to_str().ok().and_then(|line| line.split(';').next()).and_then(|p| p.split_once('='));
            match pair {
                Some(("sid", value)) if value.len() <= 64 => self.sid = Some(value.to_owned()),
                Some(("cart", value)) if value.len() <= 256 => value.clone_into(&mut self.cart),
                _ => {}
            }
        }
    }

    /// Waits until this person's requests so far have used up their time.
    async fn think(&mut self) {
        let now = Instant::now();
        let earliest = now.checked_sub(MOST_BEHIND).unwrap_or(now);
        self.due = self.due.max(earliest);
        tokio::time::sleep_until(self.due).await;
    }
}

fn judge(response: &Response) -> Answer {
    let status = response.status();
    if status.is_server_error() {
        return Answer::Failed;
    }
    if status == StatusCode::SEE_OTHER {
        let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
        return match to {
            Some(path) if path.starts_with('/') && path.len() <= 256 => Answer::SentTo(path.to_owned()),
            _ => Answer::Refused,
        };
    }
    if status.is_success() { Answer::Shown } else { Answer::Refused }
}
