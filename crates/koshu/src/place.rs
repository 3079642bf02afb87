//! Where data is, and moments as people type them.

use base::{Span, Timestamp};
use clap::Args;
use std::path::PathBuf;

/// The data folder.
#[derive(Debug, Clone, Args)]
pub struct DirArg {
    /// Data folder
    #[arg(long, env = "KOSHU_DIR", value_name = "DIR", default_value_os_t = default_dir())]
    pub dir: PathBuf,
}

/// Where the store of accounts and tokens is.
#[derive(Debug, Clone, Args)]
pub struct StoreArgs {
    #[command(flatten)]
    pub data: DirArg,
    /// Folder with koshu.yaml, when it says that the store is in PostgreSQL
    #[arg(long, env = "KOSHU_CONFIG", value_name = "DIR")]
    pub config: Option<PathBuf>,
}

/// The data folder when none is named: the system's for root, else the user's.
pub fn default_dir() -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/koshu");
    }
    let home = variable("XDG_DATA_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/share")));
    home.unwrap_or_else(|| PathBuf::from(".")).join("koshu")
}

/// The data folder that commands use which don't name one.
pub fn usual_dir() -> PathBuf {
    std::env::var_os("KOSHU_DIR").filter(|value| !value.is_empty()).map_or_else(default_dir, PathBuf::from)
}

/// A moment: RFC 3339, a date (its start in UTC), `now`, or how long ago (`90m`).
pub fn moment(raw: &str) -> Result<Timestamp, String> {
    moment_from(raw, base::Clock::System.now())
}

fn moment_from(raw: &str, now: Timestamp) -> Result<Timestamp, String> {
    if raw == "now" {
        return Ok(now);
    }
    if let Ok(span) = raw.parse::<Span>() {
        return Ok(now.plus_micros(-span.micros()));
    }
    let day = || format!("{raw}T00:00:00Z").parse();
    let wrong = |_| format!("{raw:?} is no time; write 2026-11-22T09:00:00Z, 2026-11-22, or how long ago, like 2h");
    raw.parse().or_else(|_| day()).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_a_day_or_a_while_ago() {
        let now: Timestamp = "2026-11-22T09:00:00Z".parse().unwrap();
        for (raw, want) in [
            ("now", Some("2026-11-22T09:00:00Z")),
            ("2h", Some("2026-11-22T07:00:00Z")),
            ("1d", Some("2026-11-21T09:00:00Z")),
            ("2015-05-17", Some("2015-05-17T00:00:00Z")),
            ("2015-05-17T10:05:03+09:00", Some("2015-05-17T01:05:03Z")),
            ("yesterday", None),
            ("2015-13-01", None),
        ] {
            assert_eq!(moment_from(raw, now).ok().map(|at| at.to_string()).as_deref(), want, "{raw}");
        }
    }
}
