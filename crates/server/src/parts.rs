//! The parts that handlers use. A handler asks for the one it needs, never for all.

use crate::bodies::Bodies;
use crate::checks::Checks;
use crate::follow::Follow;
use crate::hosts::Hosts;
use crate::intake::Intake;
use crate::sources::Sources;
use crate::watching::Watch;
use axum::extract::FromRef;
use base::{Clock, ServiceName, Timestamp};
use futures::future::BoxFuture;
use lake::Lake;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Store, Throttle};

/// Called before a service is deleted; ends what feeds it (the demonstration).
pub type BeforeDelete = Arc<dyn Fn(ServiceName) -> BoxFuture<'static, ()> + Send + Sync>;

/// What the server says about itself.
#[derive(Debug, Clone)]
pub struct About {
    /// Version of the program.
    pub version: &'static str,
    /// Time zone in which days begin.
    pub time_zone: jiff::tz::TimeZone,
    /// Name of the machine.
    pub host: String,
    /// When the process started.
    pub started_at: Timestamp,
    /// The data folder.
    pub dir: std::path::PathBuf,
    /// Where the configuration is read from, and read again when it changes; it need not be there yet.
    pub config_folder: Option<std::path::PathBuf>,
    /// Memory budget in bytes.
    pub memory_bytes: u64,
}

/// Addresses in use, by listener name.
pub type Listeners = Arc<Mutex<BTreeMap<String, String>>>;

/// Everything that handlers may ask for.
#[derive(Clone)]
pub struct Parts {
    /// Observed data.
    pub lake: Arc<Lake>,
    /// People's data.
    pub store: Store,
    /// The way in.
    pub intake: Arc<Intake>,
    /// Who sends.
    pub sources: Arc<Sources>,
    /// Files that are followed and imported.
    pub follow: Arc<Follow>,
    /// Source of time.
    pub clock: Clock,
    /// What the server says about itself.
    pub about: Arc<About>,
    /// Addresses in use.
    pub listeners: Listeners,
    /// Wrong passwords, by user and address.
    pub throttle: Arc<Mutex<Throttle>>,
    /// Ends what feeds a service.
    pub before_delete: BeforeDelete,
    /// Rules, objectives and what they say.
    pub watch: Arc<Watch>,
    /// External checks.
    pub checks: Arc<Checks>,
    /// Hosts whose agents report.
    pub hosts: Arc<Hosts>,
    /// Bodies that may be read at once: bounds the memory of intake.
    pub bodies: Bodies,
}

macro_rules! part {
    ($field:ident: $kind:ty) => {
        impl FromRef<Parts> for $kind {
            fn from_ref(parts: &Parts) -> Self {
                parts.$field.clone()
            }
        }
    };
}
part!(lake: Arc<Lake>);
part!(store: Store);
part!(intake: Arc<Intake>);
part!(sources: Arc<Sources>);
part!(follow: Arc<Follow>);
part!(clock: Clock);
part!(about: Arc<About>);
part!(listeners: Listeners);
part!(throttle: Arc<Mutex<Throttle>>);
part!(before_delete: BeforeDelete);
part!(checks: Arc<Checks>);
part!(hosts: Arc<Hosts>);
part!(bodies: Bodies);
part!(watch: Arc<Watch>);
