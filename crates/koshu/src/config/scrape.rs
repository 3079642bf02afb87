//! The `scrape` section: Prometheus targets that Koshu fetches.

use base::{Secret, ServiceName, Span};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::path::PathBuf;
use url::Url;

const SECOND: Span = Span::from_seconds(1);

/// Targets of one kind: `{job: node, targets: ["http://127.0.0.1:9100/metrics"]}`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScrapeSection {
    /// What they are: the label `job`, and the service unless `service` says another.
    pub job: String,
    /// Where they answer, with `http://` or `https://` and the path.
    #[serde(deserialize_with = "urls")]
    #[schemars(with = "Vec<String>")]
    pub targets: Vec<Url>,
    /// How often each is fetched, at least `1s`. Default: `15s`.
    #[serde(default = "every", deserialize_with = "interval")]
    pub every: Span,
    /// How long one may take to answer. Default: `10s`, and never longer than `every`.
    #[serde(default = "timeout")]
    pub timeout: Span,
    /// Labels that every sample gets.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The service that the samples belong to.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub service: Option<ServiceName>,
    /// Sent as `Authorization: Bearer`.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub token: Option<Secret>,
    /// File that holds the token.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
}

fn every() -> Span {
    Span::from_seconds(15)
}

fn timeout() -> Span {
    Span::from_seconds(10)
}

fn interval<'de, D: Deserializer<'de>>(input: D) -> Result<Span, D::Error> {
    let span = Span::deserialize(input)?;
    if span < SECOND {
        return Err(D::Error::custom(format!("{span} is shorter than a second; write for example 15s")));
    }
    Ok(span)
}

fn urls<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Url>, D::Error> {
    let raw = Vec::<String>::deserialize(input)?;
    let wrong =
        |raw: &str| format!("{raw:?} is no address of a target; write for example http://127.0.0.1:9100/metrics");
    raw.iter()
        .map(|raw| match Url::parse(raw) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
            _ => Err(D::Error::custom(wrong(raw))),
        })
        .collect()
}
