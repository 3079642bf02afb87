//! The jobs of Debian's Prometheus, Alertmanager and blackbox exporter, done side by side with them on the same target.

use crate::senders::programs::{Running, folder, free_port};
use crate::senders::prometheus::Home;
use e2e::{Hook, Koshu, Place, Target, heavy, tool, until};
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Both look every 15 s, and both decide every 15 s.
const INTERVAL: Duration = Duration::from_secs(15);
const SOON: Duration = Duration::from_secs(90);

/// Prometheus, Alertmanager and the blackbox exporter together.
struct Theirs {
    prometheus: crate::senders::prometheus::Prometheus,
    _others: [Running; 2],
}

struct Programs {
    prometheus: std::path::PathBuf,
    alertmanager: std::path::PathBuf,
    blackbox: std::path::PathBuf,
}

impl Programs {
    fn find() -> Option<Self> {
        Some(Self {
            prometheus: tool("prometheus")?,
            alertmanager: tool("prometheus-alertmanager")?,
            blackbox: tool("prometheus-blackbox-exporter")?,
        })
    }
}

fn alertmanager(program: &Path, place: &Place, port: u16, hook: &str) -> Running {
    let at = folder(place, "alertmanager");
    let config = format!(
        "route: {{receiver: hook, group_wait: 0s, group_interval: 1s}}\n\
         receivers: [{{name: hook, webhook_configs: [{{url: \"{hook}\"}}]}}]\n"
    );
    std::fs::write(at.join("config.yml"), config).unwrap();
    let mut command = Command::new(program);
    command
        .arg(format!("--config.file={}/config.yml", at.display()))
        .arg(format!("--storage.path={}/data", at.display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .args(["--cluster.listen-address=", "--log.level=warn"]);
    Running::start(&mut command)
}

fn blackbox(program: &Path, place: &Place, port: u16) -> Running {
    let at = folder(place, "blackbox");
    let config = "modules: {http_2xx: {prober: http, timeout: 5s, http: {preferred_ip_protocol: ip4}}}\n";
    std::fs::write(at.join("config.yml"), config).unwrap();
    let mut command = Command::new(program);
    command
        .arg(format!("--config.file={}/config.yml", at.display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--log.level=warn");
    Running::start(&mut command)
}

impl Theirs {
    async fn start(programs: &Programs, place: &Place, target: &str, hook: &str) -> Self {
        let (alerts, probes) = (free_port(), free_port());
        let others =
            [alertmanager(&programs.alertmanager, place, alerts, hook), blackbox(&programs.blackbox, place, probes)];
        let home = Home::new(place);
        let seconds = INTERVAL.as_secs();
        let config = format!(
            "global: {{scrape_interval: {seconds}s, evaluation_interval: {seconds}s}}\n\
             rule_files: [rules.yml]\n\
             alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{alerts}']}}]}}]}}\n\
             scrape_configs:\n\
             - {{job_name: shop, metrics_path: /probe, params: {{module: [http_2xx], target: ['{target}']}},\n\
             \x20  static_configs: [{{targets: ['127.0.0.1:{probes}']}}]}}\n"
        );
        let rules = "groups: [{name: shop, rules: [{alert: ShopDown, expr: 'probe_success == 0'}]}]\n";
        let prometheus = home.run(&programs.prometheus, &config, rules).await;
        Self { prometheus, _others: others }
    }

    /// The last result of the probe.
    async fn probe(&self) -> Option<String> {
        let answer = self.prometheus.ask("/api/v1/query", &[("query", "probe_success")]).await;
        answer["result"][0]["value"][1].as_str().map(str::to_owned)
    }
}

async fn check_is(koshu: &Koshu, status: &str) {
    until(SOON, &format!("the check is {status}"), async || {
        let check = koshu.client().get("/api/v1/checks/shop").await.ok();
        (check["status"] == status).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_target_is_alerted_of_no_later_than_one_interval_after_alertmanager_does() {
    let Some(programs) = Programs::find() else { return };
    let _turn = heavy();
    let place = Place::new();
    let (target, ours, theirs_hook) = (Target::start().await, Hook::start().await, Hook::unsigned().await);
    let url = target.url();
    place.configure(&format!(
        "services: {{shop: {{owner: web, objectives: [{{name: reachable, check: shop, target: 99}}]}}}}\n\
         checks: {{shop: {{service: shop, every: {}s, retries: 0, steps: [{{get: \"{url}\", expect: {{status: 200}}}}]}}}}\n\
         rules:\n  - {{name: shop-down, service: shop, check: shop, signal: check.failures, above: 0, window: 1m, class: alert, \
         owner: web, action: Look}}\n\
         outputs: {{alert: [{{webhook: {{url: \"{}\", secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}}, always: true}}]}}\n",
        INTERVAL.as_secs(),
        ours.url()
    ));
    let koshu = place.start().await;
    let theirs = Theirs::start(&programs, &place, url, theirs_hook.url()).await;
    check_is(&koshu, "ok").await;
    until(SOON, "their probe succeeds", async || (theirs.probe().await.as_deref() == Some("1")).then_some(())).await;
    assert_eq!((ours.kinds().await.len(), theirs_hook.heard().await.len()), (0, 0), "nobody says anything yet");

    target.answers(500);
    let is_theirs = |body: &Value| body["status"] == "firing";
    let is_ours = |body: &Value| body["data"]["kind"] == "fire";
    let (our_time, their_time) = until(SOON, "both have alerted", async || {
        Some((ours.first(is_ours).await?, theirs_hook.first(is_theirs).await?))
    })
    .await;
    let later = our_time.saturating_duration_since(their_time);
    println!(
        "ours came {later:?} after theirs; theirs {:?} after ours",
        their_time.saturating_duration_since(our_time)
    );
    assert!(later <= INTERVAL, "ours came {later:?} after theirs");

    // An objective over the check counts its runs as they come, and after a restart as they are stored.
    let counted = async |koshu: &Koshu| {
        let sum = koshu.client().get("/api/v1/objectives/shop/reachable").await.ok()["sum"]["tally"].clone();
        let number = |name: &str| sum[name].as_u64().unwrap();
        (number("good"), number("valid"))
    };
    let (good, valid) = counted(&koshu).await;
    assert!(good > 0 && valid > good, "{good} of {valid}");
    koshu.stop();
    let koshu = place.start().await;
    until(SOON, "the runs of before are counted again", async || {
        let (again, of) = counted(&koshu).await;
        (again >= good && of >= valid).then_some(())
    })
    .await;

    // And both end once the target is well: each once.
    target.answers(200);
    until(Duration::from_mins(3), "both have ended it", async || {
        let theirs = theirs_hook.first(|body| body["status"] == "resolved").await;
        let ours = ours.first(|body| body["data"]["kind"] == "resolve").await;
        (theirs.is_some() && ours.is_some()).then_some(())
    })
    .await;
    assert_eq!(ours.kinds().await, ["fire", "resolve"]);
}
