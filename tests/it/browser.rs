//! A real browser walks through the pages of a server with the living demonstration.

use e2e::{Place, Start, checkout, heavy, missing, tool, until};
use std::process::{Command, Stdio};
use std::time::Duration;

/// An alert that fires as long as the demonstration's shop has visitors, and an objective to look at.
const WATCHED: &str = "\
services:
  demo-shop:
    owner: web-team
    objectives:
      - {name: available, good: 'status < 500', target: 99.9, window: 30d}
rules:
  - name: shop-busy
    service: demo-shop
    signal: traffic
    above: 0.001/s
    class: alert
    action: Look at the shop
";

/// Loads the machine: the demonstration's shop, a browser and the server at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_walks_through_all_pages_in_a_real_browser() {
    let (Some(chromium), Some(node)) = (tool("chromium"), tool("node")) else { return };
    let folder = checkout().join("tests/browser");
    if !folder.join("node_modules/playwright-core").is_dir() {
        missing("the browser's driver is not installed: scripts/install/node tests/browser");
        return;
    }
    let _turn = heavy();
    let place = Place::new();
    place.configure(WATCHED);
    let koshu = Start::new(&place).argument("--demo").ready().await;
    until(Duration::from_mins(1), "the demonstration's shop has visitors", async || {
        let services = koshu.client().get("/api/v1/services").await.ok();
        let shop = services["services"].as_array()?.first()?.clone();
        (shop["demo"] == true && shop["requests"].as_u64()? >= 300).then_some(())
    })
    .await;

    let shots = match std::env::var_os("KOSHU_KEEP_SCREENSHOTS") {
        Some(_) => checkout().join("docs/images"),
        None => place.path().join("shots"),
    };
    let walk = Command::new(node)
        .arg(folder.join("walk.mjs"))
        .arg(koshu.url())
        .arg(koshu.welcome_link())
        .arg(&shots)
        .env("CHROMIUM", chromium)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&walk.stdout));
    assert!(walk.status.success(), "{}", String::from_utf8_lossy(&walk.stderr));
    let pictures = std::fs::read_dir(&shots).unwrap().count();
    assert!(pictures >= 10, "{pictures} screenshots in {}", shots.display());
    koshu.stop();
}
