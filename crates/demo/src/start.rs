//! Starts the demonstration beside Koshu, watches over it, and ends it.

use crate::child::Role;
use crate::event::{Event, Settings, access_log};
use crate::keep::{Keeper, Note};
use crate::scenario::Scenario;
use crate::worker::shared_socket;
use base::{Clock, ServiceName, Timestamp};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// The service which the demonstration is observed as.
pub const SERVICE: &str = "demo-shop";
/// All workers are ready within seconds, even on a machine that is busy compiling.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// A deploy marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When the roll-out began.
    pub at: Timestamp,
    /// What people read.
    pub title: String,
    /// The release that was rolled out.
    pub version: String,
}

/// Is told of each deploy. It is called on the async runtime: it must not block.
pub type OnChange = Arc<dyn Fn(Change) + Send + Sync>;

/// How the demonstration is to be run.
#[derive(Clone)]
pub struct DemoOptions {
    /// Koshu's folder; everything of the demonstration is kept in `demo/` below it.
    pub dir: PathBuf,
    /// A binary whose `demo-child` subcommand calls [`crate::run_child`]: usually this very one.
    pub exe: PathBuf,
    /// Is told of each deploy.
    pub on_change: OnChange,
    /// The same seed tells the same story.
    pub seed: u64,
    /// Requests a second of all people together, on average.
    pub rate_per_s: f64,
    /// What happens, and when.
    pub scenario: Scenario,
}

impl DemoOptions {
    /// The usual demonstration: 50 requests a second, the default story, nobody told of deploys.
    pub fn new(dir: PathBuf, exe: PathBuf) -> Self {
        let scenario = Scenario::default();
        Self { dir, exe, on_change: Arc::new(|_| {}), seed: 1, rate_per_s: 50.0, scenario }
    }
}
impl fmt::Debug for DemoOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DemoOptions").field("dir", &self.dir).field("exe", &self.exe).finish_non_exhaustive()
    }
}

/// Why the demonstration does not run.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Make the folder writable, or choose another with `--dir`.
    #[error("failed to prepare {dir} for the demonstration")]
    Folder {
        /// The folder.
        dir: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The machine gives no port.
    #[error("failed to reserve a port on 127.0.0.1 for the demonstration's shop")]
    Port(#[source] io::Error),
    /// The processes could not be started or did not come up.
    #[error("the demonstration's shop was not ready within {0:?}; what it said is in shop.log in its folder")]
    NotReady(Duration),
}

/// The running demonstration. Dropping it ends it too, without waiting for the end.
#[derive(Debug)]
pub struct Demo {
    port: u16,
    dir: PathBuf,
    service: ServiceName,
    stop: CancellationToken,
    owner: JoinHandle<()>,
    /// Bound, never listening: keeps the port ours while all workers are away.
    _reserved: TcpSocket,
}

impl Demo {
    /// Starts the shop, waits until it serves, and lets the people in.
    pub async fn start(options: DemoOptions) -> Result<Self, DemoError> {
        let dir = prepare(&options.dir)?;
        let reserved = shared_socket(0).map_err(DemoError::Port)?;
        let port = reserved.local_addr().map_err(DemoError::Port)?.port();
        let started_at = Clock::System.now();
        let settings = Settings {
            exe: options.exe,
            dir: dir.clone(),
            port,
            seed: options.seed,
            rate_per_s: options.rate_per_s,
            release: options.scenario.release(Duration::ZERO),
            scenario: options.scenario,
            started_at,
            generation: 1,
        };
        let stop = CancellationToken::new();
        let (ready_in, ready) = oneshot::channel();
        let owner = Owner { settings, stop: stop.clone(), on_change: options.on_change };
        let owner = tokio::spawn(owner.run(ready_in));
        let service = SERVICE.parse().expect("the name of the demonstration's service is a service name");
        let demo = Self { port, dir, service, stop, owner, _reserved: reserved };
        if let Ok(Ok(())) = tokio::time::timeout(READY_WITHIN, ready).await {
            return Ok(demo);
        }
        demo.stop().await;
        Err(DemoError::NotReady(READY_WITHIN))
    }

    /// Where the shop listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The demonstration's own folder; removing it after [`Demo::stop`] removes all traces.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The access log to follow; its format is [`crate::LOG_FORMAT`].
    pub fn access_log(&self) -> PathBuf {
        access_log(&self.dir)
    }

    /// The service to file the requests under.
    pub fn service(&self) -> &ServiceName {
        &self.service
    }

    /// Ends all processes and waits for their end.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Err(error) = (&mut self.owner).await {
            tracing::warn!(%error, "the demonstration's owner ended badly");
        }
    }
}
impl Drop for Demo {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn prepare(dir: &Path) -> Result<PathBuf, DemoError> {
    let failed = |source| DemoError::Folder { dir: dir.to_owned(), source };
    let dir = std::path::absolute(dir).map_err(failed)?.join("demo");
    std::fs::create_dir_all(&dir).map_err(failed)?;
    // A list from an earlier run names processes which are gone.
    match std::fs::remove_file(crate::ProcessList::path(&dir)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
        _ => Ok(dir),
    }
}

/// Keeps master and people alive; the only one who hears what the master says.
struct Owner {
    settings: Settings,
    stop: CancellationToken,
    on_change: OnChange,
}

impl Owner {
    async fn run(self, ready: oneshot::Sender<()>) {
        let (notes_in, mut notes) = mpsc::channel(16);
        let (_keep_open, settings) = watch::channel(self.settings.clone());
        let keeper =
            |role| Keeper { role, settings: settings.clone(), stop: self.stop.clone(), notes: notes_in.clone() }.keep();
        let mut keepers = JoinSet::new();
        keepers.spawn(keeper(Role::Master));
        let mut ready = Some(ready);
        let mut told = self.settings.release;
        loop {
            tokio::select! {
                // Ends when the keepers have, which is after `stop`.
                ended = keepers.join_next() => match ended {
                    Some(_) => {}
                    None => return,
                },
                Some(note) = notes.recv() => match note {
                    Note::Said { role: Role::Master, event: Event::Ready } => {
                        if let Some(ready) = ready.take() {
                            keepers.spawn(keeper(Role::People));
                            let _ = ready.send(());
                        }
                    }
                    Note::Said { role: Role::Master, event: Event::Deploy { release, at } } => {
                        // A master that was started again tells of the same deploy again.
                        if std::mem::replace(&mut told, release) != release {
                            let version = release.to_string();
                            (self.on_change)(Change { at, title: format!("{SERVICE} {version}"), version });
                        }
                    }
                    Note::Said { .. } | Note::Started(_) => {}
                    Note::Ended { role, pid, how } => {
                        tracing::debug!(%role, pid, how, "a process of the demonstration ended");
                    }
                    Note::CannotStart { role, why } => {
                        tracing::warn!(%role, error = %why, "a process of the demonstration cannot be started");
                    }
                },
            }
        }
    }
}
