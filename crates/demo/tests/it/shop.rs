//! The shop as a client sees it.

use crate::{ended, options, until};
use demo::{Demo, OrderQueue, Scenario};
use reqwest::{Client, StatusCode, header};

fn client() -> Client {
    let none = reqwest::redirect::Policy::none();
    Client::builder().no_proxy().tls_certs_only([]).redirect(none).build().unwrap()
}

#[tokio::test]
async fn an_order_is_taken_packed_and_shipped() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options(dir.path());
    // Nobody else in the shop, and nothing fails.
    options.rate_per_s = 0.01;
    options.scenario = Scenario { people: 1, first_burst_ms: u64::MAX, ..options.scenario };
    let demo = Demo::start(options).await.unwrap();
    let shop = format!("http://127.0.0.1:{}", demo.port());
    let client = client();
    for (path, want) in [
        ("/healthz", 200),
        ("/", 200),
        ("/items?page=2", 200),
        ("/items/7", 200),
        ("/items/99999999", 400),
        ("/items/999", 404),
        ("/search?q=%3Cb%3E", 200),
        ("/assets/shop.css", 200),
        ("/assets/..%2Fshop.log", 404),
        ("/orders/..%2F..%2Fmaster.pid", 404),
        ("/nowhere", 404),
    ] {
        let answer = client.get(format!("{shop}{path}")).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), want, "{path}");
    }
    let empty = client.post(format!("{shop}/checkout")).send().await.unwrap();
    assert_eq!(empty.status(), StatusCode::BAD_REQUEST);

    let added = client.post(format!("{shop}/cart")).body("item=7").send().await.unwrap();
    let cookies: Vec<_> = added.headers().get_all(header::SET_COOKIE).iter().map(|c| c.to_str().unwrap()).collect();
    assert!(cookies.iter().any(|c| c.starts_with("cart=7;")), "{cookies:?}");
    let bought = client.post(format!("{shop}/checkout")).header(header::COOKIE, "cart=7").send().await.unwrap();
    assert_eq!(bought.status(), StatusCode::SEE_OTHER);
    let order = bought.headers()[header::LOCATION].to_str().unwrap().to_owned();
    let page = client.get(format!("{shop}{order}")).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK, "{order}");
    let queue = OrderQueue::open(demo.dir()).unwrap();
    until("a shipped order", || queue.depth().ok().filter(|d| d.shipped == 1 && d.waiting + d.being_packed == 0)).await;
    ended(demo).await;
}
