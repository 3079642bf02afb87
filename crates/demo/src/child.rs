//! The hidden subcommand: which role a child process plays.

use crate::event::{Settings, say};
use crate::{leash, master, people, queue_worker, worker};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

/// The name of the hidden subcommand which calls [`run_child`].
pub const CHILD_COMMAND: &str = "demo-child";

/// What a child process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Role {
    Master,
    Worker(u8),
    QueueWorker(u8),
    People,
}

/// The arguments name no role.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role; use master, worker N, queue-worker N or people (N from 1 to 255)")]
pub(crate) struct RoleError(String);

/// The name of a role, without its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoleName {
    /// Keeps the others alive.
    Master,
    /// Serves HTTP.
    Worker,
    /// Works through orders.
    QueueWorker,
    /// Browse and buy.
    People,
}

impl Role {
    pub(crate) fn parse(args: &[String]) -> Result<Self, RoleError> {
        let bad = || RoleError(args.join(" "));
        let number = |raw: &String| raw.parse().ok().filter(|n| *n > 0).ok_or_else(bad);
        match args {
            [role] if role == "master" => Ok(Self::Master),
            [role] if role == "people" => Ok(Self::People),
            [role, n] if role == "worker" => Ok(Self::Worker(number(n)?)),
            [role, n] if role == "queue-worker" => Ok(Self::QueueWorker(number(n)?)),
            _ => Err(bad()),
        }
    }

    pub(crate) fn name(self) -> RoleName {
        match self {
            Self::Master => RoleName::Master,
            Self::Worker(_) => RoleName::Worker,
            Self::QueueWorker(_) => RoleName::QueueWorker,
            Self::People => RoleName::People,
        }
    }

    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Worker(n) | Self::QueueWorker(n) => n,
            Self::Master | Self::People => 1,
        }
    }

    /// The arguments which [`Role::parse`] reads.
    pub(crate) fn args(self) -> Vec<String> {
        self.to_string().split(' ').map(str::to_owned).collect()
    }
}
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Master => f.write_str("master"),
            Self::Worker(n) => write!(f, "worker {n}"),
            Self::QueueWorker(n) => write!(f, "queue-worker {n}"),
            Self::People => f.write_str("people"),
        }
    }
}

/// Plays the role that `args` (what follows `demo-child`) name, until the parent ends.
///
/// Call it first thing in `main`, before any async runtime runs and before anything is printed: it brings its own
/// runtime, and its standard input and output belong to the parent.
pub fn run_child(args: &[String]) -> ExitCode {
    let role = match Role::parse(args) {
        Ok(role) => role,
        Err(error) => {
            complain(&error);
            return ExitCode::from(2);
        }
    };
    let (settings, parent_gone) = match leash::take_settings() {
        Ok(taken) => taken,
        Err(error) => {
            complain(&error);
            return ExitCode::FAILURE;
        }
    };
    // One thread: eight of these processes share a machine with what they demonstrate.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&error);
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(play(role, settings, parent_gone));
    runtime.shutdown_background();
    code
}

async fn play(role: Role, settings: Settings, parent_gone: CancellationToken) -> ExitCode {
    let played = match role {
        Role::Master => master::run(settings, parent_gone).await,
        Role::Worker(number) => worker::run(number, settings, parent_gone).await,
        Role::QueueWorker(number) => queue_worker::run(number, &settings, parent_gone).await,
        Role::People => people::run(settings, parent_gone).await,
    };
    match played {
        Ok(code) => code,
        Err(error) => {
            say(&format!("{role}: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn complain(error: &dyn std::error::Error) {
    say(&format!("{CHILD_COMMAND}: {error}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_reads_back_from_its_arguments() {
        for role in [Role::Master, Role::Worker(1), Role::QueueWorker(255), Role::People] {
            assert_eq!(Role::parse(&role.args()), Ok(role));
        }
        for bad in ["", "worker", "worker 0", "worker 256", "worker one", "master 1", "boss"] {
            let args: Vec<String> = bad.split(' ').map(str::to_owned).collect();
            assert!(Role::parse(&args).is_err(), "{bad}");
        }
    }
}
