//! The `services` section: what belongs to a service and how its users are told apart.

use super::objects::ObjectsSection;
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::PathBuf;
use watch::spec::ObjectiveSpec;

/// One service: what users use and a team owns.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceSection {
    /// The team or person to turn to.
    pub owner: Option<String>,
    /// Access logs to follow; absolute paths.
    pub logs: Vec<PathBuf>,
    /// Folders and buckets in which log files appear: those of load balancers and CloudFront.
    pub objects: Vec<ObjectsSection>,
    /// Format of the logs: `combined`, `common`, `ltsv`, `json`, `alb`, `elb`, `cloudfront`, ... Default: found out from the first lines.
    pub format: Option<String>,
    /// A regular expression with named groups, for logs in a format of their own.
    pub pattern: Option<String>,
    /// How a user is recognised; stored only as a keyed hash. Default: address and browser.
    pub user: Option<UserIdentity>,
    /// Route patterns, tried in order before the automatic ones: `GET /items/:id`.
    pub routes: Vec<String>,
    /// What users may expect of it.
    pub objectives: Vec<ObjectiveSpec>,
}

/// What tells one user from another.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserIdentity {
    /// The value of this cookie.
    Cookie(String),
    /// The value of this request header.
    Header(String),
    /// The value of this field of the log line.
    Field(String),
}
