//! The shop itself: routes, handlers, and what each request does to the worker (a log line, a little leak).
//!
//! A handler really waits as long as its backend would take. The cart travels in a cookie and orders in the queue's
//! folder, so that any worker can answer any request.

mod leak;
mod pages;

use crate::access_log::{AccessLog, Entry};
use crate::event::{Settings, say};
use crate::queue::{Order, OrderId, OrderQueue, PutError};
use crate::weather::Route;
use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use base::Clock;
use leak::Leak;
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Deserialize;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Items on sale.
pub(crate) const ITEMS: u16 = 240;
/// Items on one list page.
pub(crate) const PAGE: u16 = 24;
/// A cart holds no more.
const CART: usize = 20;

/// One worker's shop.
pub(crate) struct Shop {
    settings: Settings,
    number: u8,
    clock: Clock,
    zone: jiff::tz::TimeZone,
    rng: Mutex<StdRng>,
    log: Mutex<AccessLog>,
    queue: OrderQueue,
    /// A refused order was said; once is enough.
    has_lost_an_order: AtomicBool,
    pub(crate) leak: Leak,
}

impl Shop {
    pub(crate) fn open(number: u8, settings: Settings) -> io::Result<Self> {
        let seed = settings.seed_for(number);
        let scenario = &settings.scenario;
        Ok(Self {
            number,
            clock: Clock::System,
            zone: jiff::tz::TimeZone::system(),
            rng: Mutex::new(StdRng::seed_from_u64(seed)),
            log: Mutex::new(AccessLog::new(settings.access_log())),
            has_lost_an_order: AtomicBool::new(false),
            queue: OrderQueue::open(&settings.dir)?,
            leak: Leak::new(scenario.leak_every_requests, scenario.leak_bytes, scenario.leak_limit(seed)),
            settings,
        })
    }

    /// Waits for the database and whatever else stands behind a route; it may fail.
    async fn backend(&self, route: Route) -> Result<(), Failed> {
        let now = self.clock.now();
        let is_failing = self.settings.scenario.is_failing(self.settings.seed, self.settings.elapsed(now));
        let release = self.settings.release;
        let failure_share = route.failure_share(release, self.settings.scenario.deploy_fails, is_failing);
        let (wait, fails) = {
            let rng = &mut *self.rng.lock();
            (route.wait(release, rng), rng.random_bool(failure_share))
        };
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        if fails { Err(Failed::Backend) } else { Ok(()) }
    }

    /// Lines of the access log that could not be written.
    pub(crate) fn lost_lines(&self) -> u64 {
        self.log.lock().lost()
    }

    fn new_sid(&self) -> String {
        format!("{:016x}", self.rng.lock().random::<u64>())
    }
}

/// Why a request gets no page.
enum Failed {
    /// The payment service or the database did not answer.
    Backend,
    /// The queue is full or its disk is.
    Queue,
    NotFound,
    EmptyCart,
}
impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Backend => (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong. Please try again."),
            Self::Queue => (StatusCode::SERVICE_UNAVAILABLE, "We can't take orders right now."),
            Self::NotFound => (StatusCode::NOT_FOUND, "There is no such page."),
            Self::EmptyCart => (StatusCode::BAD_REQUEST, "The cart is empty."),
        };
        (status, Html(pages::message(text))).into_response()
    }
}

type Page = Result<Html<String>, Failed>;

/// All routes of the shop.
pub(crate) fn routes(shop: Arc<Shop>) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/items", get(items))
        .route("/items/{id}", get(item))
        .route("/search", get(search))
        .route("/cart", get(cart).post(add_to_cart))
        .route("/checkout", post(checkout))
        .route("/orders/{id}", get(order))
        .route("/healthz", get(async || "ok\n"))
        .route("/assets/{name}", get(asset))
        .fallback(async || Failed::NotFound)
        .layer(DefaultBodyLimit::max(4 << 10))
        .layer(from_fn_with_state(Arc::clone(&shop), observe))
        .with_state(shop)
}

/// Gives newcomers a cookie, writes the access log, leaks.
async fn observe(
    State(shop): State<Arc<Shop>>,
    ConnectInfo(remote): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let (method, uri, headers) = (request.method().clone(), request.uri().to_string(), request.headers().clone());
    let sid = cookie(&headers, "sid").filter(|sid| sid.len() <= 64).map(str::to_owned);
    let mut response = next.run(request).await;
    if sid.is_none() && !uri.starts_with("/assets/") && uri != "/healthz" {
        set_cookie(&mut response, &format!("sid={}; Path=/; HttpOnly; SameSite=Lax", shop.new_sid()));
    }
    let text = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
    let line = Entry {
        remote: remote.ip(),
        at: shop.clock.now(),
        method: method.as_str(),
        uri: &uri,
        status: response.status().as_u16(),
        bytes: response.body().size_hint().exact().unwrap_or(0),
        referer: text(header::REFERER),
        agent: text(header::USER_AGENT),
        took: started.elapsed(),
        sid: sid.as_deref(),
    }
    .line(&shop.zone);
    if let Err(error) = shop.log.lock().write(&line) {
        say(&format!("worker {}: failed to write the access log, goes on without: {error}", shop.number));
    }
    shop.leak.after_request();
    response
}

async fn home(State(shop): State<Arc<Shop>>) -> Page {
    shop.backend(Route::Home).await?;
    Ok(Html(pages::home()))
}

#[derive(Deserialize)]
struct ListQuery {
    page: Option<u16>,
}

async fn items(State(shop): State<Arc<Shop>>, Query(query): Query<ListQuery>) -> Page {
    shop.backend(Route::Items).await?;
    let page = query.page.unwrap_or(1).clamp(1, ITEMS / PAGE);
    Ok(Html(pages::list(page)))
}

async fn item(State(shop): State<Arc<Shop>>, Path(id): Path<u16>) -> Page {
    shop.backend(Route::Item).await?;
    if !(1..=ITEMS).contains(&id) {
        return Err(Failed::NotFound);
    }
    Ok(Html(pages::item(id)))
}

#[derive(Deserialize)]
struct SearchQuery {
    #[serde(default)]
    q: String,
}

async fn search(State(shop): State<Arc<Shop>>, Query(query): Query<SearchQuery>) -> Page {
    shop.backend(Route::Search).await?;
    let q: String = query.q.chars().take(100).collect();
    Ok(Html(pages::search(&q)))
}

async fn cart(State(shop): State<Arc<Shop>>, headers: HeaderMap) -> Page {
    shop.backend(Route::Cart).await?;
    Ok(Html(pages::cart(&items_in_cart(&headers))))
}

async fn add_to_cart(State(shop): State<Arc<Shop>>, headers: HeaderMap, body: String) -> Result<Response, Failed> {
    shop.backend(Route::AddToCart).await?;
    let id = body.strip_prefix("item=").and_then(|id| id.trim().parse().ok());
    let id: u16 = id.filter(|id| (1..=ITEMS).contains(id)).ok_or(Failed::NotFound)?;
    let mut items = items_in_cart(&headers);
    items.push(id);
    items.truncate(CART);
    let mut response = see_other("/cart");
    let items: Vec<String> = items.iter().map(u16::to_string).collect();
    set_cookie(&mut response, &format!("cart={}; Path=/; HttpOnly; SameSite=Lax", items.join(".")));
    Ok(response)
}

async fn checkout(State(shop): State<Arc<Shop>>, headers: HeaderMap) -> Result<Response, Failed> {
    let items = items_in_cart(&headers);
    if items.is_empty() {
        return Err(Failed::EmptyCart);
    }
    shop.backend(Route::Checkout).await?;
    let id = shop.queue.put(&Order { items, at: shop.clock.now() }).map_err(|error| {
        if let PutError::Disk(error) = &error
            && !shop.has_lost_an_order.swap(true, Ordering::Relaxed)
        {
            say(&format!("worker {}: orders are refused, goes on without: {error}", shop.number));
        }
        Failed::Queue
    })?;
    let mut response = see_other(&format!("/orders/{id}"));
    set_cookie(&mut response, "cart=; Path=/; Max-Age=0");
    Ok(response)
}

async fn order(State(shop): State<Arc<Shop>>, Path(id): Path<String>) -> Page {
    shop.backend(Route::Order).await?;
    let id: OrderId = id.parse().map_err(|_| Failed::NotFound)?;
    match shop.queue.state(id) {
        Ok(Some(state)) => Ok(Html(pages::order(id, state))),
        Ok(None) => Err(Failed::NotFound),
        Err(_) => Err(Failed::Queue),
    }
}

async fn asset(State(shop): State<Arc<Shop>>, Path(name): Path<String>) -> Result<Response, Failed> {
    shop.backend(Route::Asset).await?;
    let (kind, content) = pages::asset(&name).ok_or(Failed::NotFound)?;
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "max-age=3600")];
    Ok((headers, Body::from(content)).into_response())
}

fn see_other(to: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

fn set_cookie(response: &mut Response, cookie: &str) {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// The value of a cookie that a request carries.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|v| v.to_str().ok());
    all.flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name && !value.is_empty()).then_some(value))
}

/// Whatever in the cart's cookie is on sale; the rest of it is nobody's order.
fn items_in_cart(headers: &HeaderMap) -> Vec<u16> {
    let cart = cookie(headers, "cart").unwrap_or_default();
    let items = cart.split('.').filter_map(|id| id.parse().ok()).filter(|id| (1..=ITEMS).contains(id));
    items.take(CART).collect()
}

/// How long a page may take at most, for those who wait for it.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cart_holds_only_what_is_on_sale() {
        let many = format!("sid=x; cart={}", vec!["7"; 30].join("."));
        for (case, sent, want) in [
            ("two", "sid=x; cart=3.17", vec![3, 17]),
            ("none", "sid=x", vec![]),
            ("emptied", "cart=", vec![]),
            ("nonsense between", "cart=3.-1.0.999.99999.x.4", vec![3, 4]),
            ("too many", many.as_str(), vec![7; CART]),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, HeaderValue::from_str(sent).unwrap());
            assert_eq!(items_in_cart(&headers), want, "{case}");
        }
    }
}
