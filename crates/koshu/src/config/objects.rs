//! Log files that others put somewhere, of one service.

use base::{Secret, Span};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::path::PathBuf;

/// A folder or a prefix of a bucket: `{from: "s3://logs/AWSLogs/", region: ap-northeast-1}`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectsSection {
    /// An absolute path, or `s3://bucket/prefix`.
    #[serde(deserialize_with = "place")]
    #[schemars(with = "String")]
    pub from: ObjectPlace,
    /// How often it is looked for new ones. Default: `1m`.
    #[serde(default = "every")]
    pub every: Span,
    /// How old one may be when it is first seen; older ones are for `koshu import`. Default: `3d`.
    #[serde(default = "since")]
    pub since: Span,
    /// Format of the files: `alb`, `elb`, `cloudfront`, ... Default: found out from the first lines.
    #[serde(default)]
    pub format: Option<String>,
    /// Region of the bucket. Default: as in `AWS_REGION`.
    #[serde(default)]
    pub region: Option<String>,
    /// Address of a server that speaks S3, when it is not AWS.
    #[serde(default)]
    pub endpoint: Option<String>,
    /// Access key. Default: as AWS' own tools find it, or the machine's role.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub access_key_id: Option<Secret>,
    /// File that holds the access key.
    #[serde(default)]
    pub access_key_id_file: Option<PathBuf>,
    /// Secret of the access key.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub secret_access_key: Option<Secret>,
    /// File that holds the secret.
    #[serde(default)]
    pub secret_access_key_file: Option<PathBuf>,
}

/// Where the files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectPlace {
    /// A folder of this host.
    Folder(PathBuf),
    /// A prefix of a bucket.
    S3 {
        /// The bucket.
        bucket: String,
        /// What keys start with.
        prefix: String,
    },
}

fn every() -> Span {
    Span::from_seconds(60)
}

fn since() -> Span {
    Span::from_seconds(3 * 86_400)
}

fn place<'de, D: Deserializer<'de>>(input: D) -> Result<ObjectPlace, D::Error> {
    let raw = String::deserialize(input)?;
    if let Some(rest) = raw.strip_prefix("s3://") {
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if !bucket.is_empty() {
            return Ok(ObjectPlace::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() });
        }
    } else if raw.starts_with('/') {
        return Ok(ObjectPlace::Folder(raw.into()));
    }
    Err(D::Error::custom(format!("{raw:?} is no place for log files; write s3://bucket/prefix or an absolute path")))
}
