//! Why a line is no access record.

/// Why a line was refused. [`Reject::reason`] is the name used in reports, metrics and tests, and never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
pub enum Reject {
    /// Nothing but white space.
    #[error("the line is empty")]
    Blank,
    /// Longer than [`super::MAX_LINE`].
    #[error("the line is longer than 1 MiB")]
    TooLong,
    /// The line ends inside a field, as after a full disk or a crash.
    #[error("the line ends in the middle of a field")]
    CutShort,
    /// No time where the format has one.
    #[error("the line has no time")]
    NoTime,
    /// A time that can't be read.
    #[error("the time can't be read")]
    BadTime,
    /// Neither request line nor path.
    #[error("the line has no request")]
    NoRequest,
    /// No status field.
    #[error("the line has no status")]
    NoStatus,
    /// The status is no number from 100 to 599.
    #[error("the status is no number from 100 to 599")]
    BadStatus,
    /// No JSON object.
    #[error("the line is no JSON object")]
    NotJson,
    /// No labelled tab-separated values.
    #[error("the line has no label:value fields")]
    NotLtsv,
    /// The fields are not those of a load balancer's line.
    #[error("the line has not the fields of a load balancer log")]
    NotAlb,
    /// The fields are not those of a classic load balancer's line.
    #[error("the line has not the fields of a classic load balancer log")]
    NotElb,
    /// The fields are not those of CloudFront.
    #[error("the line has not the fields of a CloudFront log")]
    NotCloudFront,
    /// It names columns, and is no request.
    #[error("the line is a heading")]
    Heading,
    /// The user's pattern does not match.
    #[error("the pattern does not match the line")]
    NoMatch,
    /// No known format explains the log.
    #[error("no known format explains the log")]
    UnknownFormat,
}

impl Reject {
    /// The stable name.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Blank => "blank",
            Self::TooLong => "too_long",
            Self::CutShort => "cut_short",
            Self::NoTime => "no_time",
            Self::BadTime => "bad_time",
            Self::NoRequest => "no_request",
            Self::NoStatus => "no_status",
            Self::BadStatus => "bad_status",
            Self::NotJson => "not_json",
            Self::NotLtsv => "not_ltsv",
            Self::NotAlb => "not_alb",
            Self::NotElb => "not_elb",
            Self::NotCloudFront => "not_cloudfront",
            Self::Heading => "heading",
            Self::NoMatch => "no_match",
            Self::UnknownFormat => "unknown_format",
        }
    }
}
