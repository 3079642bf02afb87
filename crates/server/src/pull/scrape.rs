//! Prometheus targets, fetched in turn: text and OpenMetrics.
//!
//! Beside what a target says, three samples are stored of each scrape, as Prometheus names them: `up` (1 or 0),
//! `scrape_duration_seconds` and `scrape_samples_scraped`. A scrape that failed stores `up 0` and nothing else: a target
//! that can't be read is never a series that goes on.

use crate::counts::Counts;
use crate::intake::{Arrived, Intake, IntakeError, Origin};
use crate::source_name::{SourceKind, SourceName};
use crate::sources::Sources;
use base::{Clock, Secret, ServiceName, Span, Timestamp};
use bytes::Bytes;
use futures::StreamExt;
use outbound::chain;
use protocols::observed::{Field, Observer, SampleRecord};
use protocols::prometheus::{Format, Target, scrape};
use reqwest::header;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

/// Largest answer of a target, bytes.
pub const MAX_ANSWER: usize = 16 << 20;
/// What is asked for: OpenMetrics rather than text, as Prometheus does.
const ACCEPT: &str = "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
/// The header by which a target knows how long it may take, seconds.
const TIMEOUT_HEADER: &str = "X-Prometheus-Scrape-Timeout-Seconds";
/// Why a scrape is counted as refused.
const FAILED: &str = "scrape_failed";

/// Targets of one kind.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its name: the label `job`.
    pub name: String,
    /// How often each target is fetched.
    pub every: Span,
    /// How long a target may take to answer; never longer than `every`.
    pub timeout: Span,
    /// Where the targets are.
    pub targets: Vec<Url>,
    /// Labels that every sample gets.
    pub labels: Vec<(String, String)>,
    /// The service that all samples belong to; else the job's name by rule.
    pub service: Option<ServiceName>,
    /// Sent as `Authorization: Bearer`.
    pub token: Option<Secret>,
}

/// What scraping needs of the rest.
#[derive(Clone)]
pub struct Scraping {
    /// Where samples go.
    pub intake: Arc<Intake>,
    /// Who hears of failures.
    pub sources: Arc<Sources>,
    /// When it is.
    pub clock: Clock,
}

/// A target could not be read.
#[derive(Debug, thiserror::Error)]
enum ScrapeError {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error("it answered {0}")]
    Status(reqwest::StatusCode),
    #[error("it answered more than {} MiB", MAX_ANSWER >> 20)]
    TooLarge,
    #[error(transparent)]
    Intake(#[from] IntakeError),
}

/// Fetches every target of every job until it is told to stop. The targets of a job are spread over its interval, each
/// at the same place after every restart.
pub fn start(jobs: Vec<Job>, scraping: &Scraping, tasks: &TaskTracker, stop: &CancellationToken) -> Result<(), String> {
    let client = reqwest::Client::builder()
        .user_agent(concat!("koshu/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(|error| format!("the HTTP client for scraping can't be made: {}", chain(&error)))?;
    for job in jobs.into_iter().map(Arc::new) {
        for url in job.targets.clone() {
            let one = One { job: Arc::clone(&job), url, client: client.clone(), scraping: scraping.clone() };
            let stop = stop.clone();
            tasks.spawn(async move {
                let _ = stop.run_until_cancelled(one.run()).await;
            });
        }
    }
    Ok(())
}

/// One target.
struct One {
    job: Arc<Job>,
    url: Url,
    client: reqwest::Client,
    scraping: Scraping,
}

impl One {
    async fn run(self) {
        let every = self.job.every.to_std().max(Duration::from_millis(100));
        let mut hasher = DefaultHasher::new();
        (&self.job.name, self.url.as_str()).hash(&mut hasher);
        let offset = Duration::from_micros(hasher.finish() % u64::try_from(every.as_micros()).unwrap_or(u64::MAX));
        let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + offset, every);
        // A scrape that took too long is no reason for two at once.
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            self.once().await;
        }
    }

    async fn once(&self) {
        let (at, started) = (self.scraping.clock.now(), Instant::now());
        let fetched = match self.fetch().await {
            Ok((body, format)) => self.store(body, format, at, started).await,
            Err(error) => Err(error),
        };
        if let Err(error) = fetched {
            let reason = chain(&error);
            tracing::debug!(target = %self.url, reason, "a target could not be scraped");
            let mut counts = Counts::default();
            counts.refuse(FAILED, reason.as_bytes());
            self.scraping.sources.observed(&self.source(), self.job.service.as_ref(), &counts, 0, at);
            let took = started.elapsed();
            let down = move |observer: &mut dyn Observer, labels: &[(&str, &str)]| {
                report(observer, labels, at, None, took);
                Ok(())
            };
            if let Err(error) = self.deliver(0, at, down).await {
                tracing::warn!(target = %self.url, error = chain(&error), "that a target is down could not be stored");
            }
        }
    }

    async fn fetch(&self) -> Result<(Bytes, Format), ScrapeError> {
        let timeout = self.job.timeout.min(self.job.every).to_std();
        let mut request = self.client.get(self.url.clone()).timeout(timeout).header(header::ACCEPT, ACCEPT);
        request = request.header(TIMEOUT_HEADER, timeout.as_secs_f64().to_string());
        if let Some(token) = &self.job.token {
            request = request.bearer_auth(token.reveal());
        }
        let response = request.send().await?;
        if !response.status().is_success() {
            return Err(ScrapeError::Status(response.status()));
        }
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let format = if kind.starts_with("application/openmetrics-text") { Format::OpenMetrics } else { Format::Text };
        let mut body = Vec::new();
        let mut parts = response.bytes_stream();
        while let Some(part) = parts.next().await {
            let part = part?;
            if body.len() + part.len() > MAX_ANSWER {
                return Err(ScrapeError::TooLarge);
            }
            body.extend_from_slice(&part);
        }
        Ok((body.into(), format))
    }

    async fn store(&self, body: Bytes, format: Format, at: Timestamp, started: Instant) -> Result<(), ScrapeError> {
        let size = body.len();
        let took = started.elapsed();
        let decode = move |collector: &mut dyn Observer, labels: &[(&str, &str)]| {
            let outcome = scrape(&body, format, &Target { labels, at: Some(at) }, collector)?;
            report(collector, labels, at, Some(outcome.samples), took);
            Ok(())
        };
        self.deliver(size, at, decode).await
    }

    async fn deliver(
        &self,
        bytes: usize,
        now: Timestamp,
        decode: impl FnOnce(&mut dyn Observer, &[(&str, &str)]) -> Result<(), protocols::observed::DecodeError>
        + Send
        + 'static,
    ) -> Result<(), ScrapeError> {
        let origin = Origin { way: SourceKind::Prometheus, service: self.job.service.clone(), now };
        let arrived = Arrived { origin, source: self.source(), bytes };
        let labels = self.labels();
        let decode = move |collector: &mut crate::intake::Collector<'_>| {
            let labels: Vec<(&str, &str)> =
                labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            decode(collector, &labels)
        };
        self.scraping.intake.store(arrived, decode).await?;
        Ok(())
    }

    /// `job` and `instance`, and what the configuration adds; it may name another instance.
    fn labels(&self) -> Vec<(String, String)> {
        let own = [("job", self.job.name.clone()), ("instance", self.instance())];
        let mut labels: Vec<(String, String)> = own.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        labels.retain(|(name, _)| !self.job.labels.iter().any(|(given, _)| given == name));
        labels.extend(self.job.labels.iter().cloned());
        labels
    }

    fn instance(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    fn source(&self) -> SourceName {
        let name = format!("scrape {} at {}", self.job.name, self.instance());
        SourceName { kind: SourceKind::Prometheus, name }
    }
}

/// What is known of the scrape itself.
fn report(observer: &mut dyn Observer, labels: &[(&str, &str)], at: Timestamp, samples: Option<u64>, took: Duration) {
    let of = |wanted: &str| labels.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
    let up = if samples.is_some() { 1.0 } else { 0.0 };
    let values = [
        ("up", up),
        ("scrape_duration_seconds", took.as_secs_f64()),
        ("scrape_samples_scraped", samples.unwrap_or(0) as f64),
    ];
    for (name, value) in values {
        let host = of("instance").map(|instance| instance.rsplit_once(':').map_or(instance, |(host, _)| host));
        observer.sample(SampleRecord {
            ts: Some(at),
            service: of("service").or_else(|| of("job")).map(Into::into),
            host: host.map(Into::into),
            name: name.into(),
            value,
            labels: labels.iter().map(|(name, value)| -> Field<'_> { ((*name).into(), (*value).into()) }).collect(),
        });
    }
}
