//! Log files that others put somewhere: a folder, or a prefix of an S3 bucket. Each object is taken once.
//!
//! What AWS writes there (logs of load balancers and CloudFront) is complete when it appears and never changes. An
//! object is known by its place, its size and its version; and since its lines go through the same ledger as every
//! import, an interrupted one goes on where it was, and the same file in two places is counted once. It is copied to the
//! data folder while it is read: a connection that breaks costs a copy, never half a log.

use crate::counts::Counts;
use crate::intake::Intake;
use crate::past::Past;
use crate::source_name::{SourceKind, SourceName};
use crate::sources::Sources;
use base::{Clock, Secret, ServiceName, Span, Timestamp};
use futures::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use outbound::chain;
use protocols::access::Format;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Largest object, as it lies there.
pub const MAX_OBJECT: u64 = 4 << 30;
/// Most objects of one place that are looked at: as many are remembered.
pub const MAX_OBJECTS: usize = 10_000;
/// An object that can't be read is tried again after this long.
const AGAIN_AFTER: Duration = Duration::from_hours(1);
/// What the mark of an object that is in starts with.
const MARKS: &str = "object:";
/// Why an object is counted as refused.
const FAILED: &str = "object_failed";

/// Where objects are.
#[derive(Debug, Clone)]
pub enum Place {
    /// A folder of this host, with its subfolders.
    Folder(PathBuf),
    /// A prefix of a bucket.
    S3(S3),
}

/// A prefix of a bucket, and how to reach it. What is not given comes from the environment as AWS' own tools read it
/// (`AWS_REGION`, `AWS_ACCESS_KEY_ID`, ...), or from the machine's role.
#[derive(Debug, Clone, Default)]
pub struct S3 {
    /// The bucket.
    pub bucket: String,
    /// What keys start with.
    pub prefix: String,
    /// The region of the bucket.
    pub region: Option<String>,
    /// The address of a compatible server; `http://` is spoken without TLS.
    pub endpoint: Option<String>,
    /// Access key.
    pub access_key_id: Option<Secret>,
    /// Its secret.
    pub secret_access_key: Option<Secret>,
}

/// Objects that become requests of a service.
#[derive(Debug, Clone)]
pub struct Pickup {
    /// Whose requests.
    pub service: ServiceName,
    /// Where.
    pub place: Place,
    /// How often it is looked.
    pub every: Span,
    /// How old an object may be when it is first seen.
    pub since: Span,
    /// The format; `None` is found out.
    pub format: Option<Format>,
}

impl Pickup {
    /// The place as people write it.
    pub fn place_name(&self) -> String {
        match &self.place {
            Place::Folder(path) => path.display().to_string(),
            Place::S3(s3) => format!("s3://{}/{}", s3.bucket, s3.prefix),
        }
    }
}

/// What picking up needs of the rest.
#[derive(Clone)]
pub struct Picking {
    /// Where marks are.
    pub intake: Arc<Intake>,
    /// What reads files.
    pub past: Arc<Past>,
    /// Who hears of failures.
    pub sources: Arc<Sources>,
    /// When it is.
    pub clock: Clock,
    /// The data folder.
    pub dir: PathBuf,
}

/// Objects can't be listed, copied or read.
#[derive(Debug, thiserror::Error)]
enum PickError {
    #[error(transparent)]
    Store(#[from] object_store::Error),
    #[error("more than {MAX_OBJECTS} objects are newer than `since`: shorten it, or name a longer prefix")]
    TooMany,
    #[error("the object is larger than {} GiB", MAX_OBJECT >> 30)]
    TooLarge,
    #[error("it could not be copied to {0}")]
    Copy(PathBuf, #[source] std::io::Error),
    #[error("{0}")]
    Read(String),
    #[error("that it is in could not be stored")]
    Mark(#[source] lake::AppendError),
}

/// Looks for objects until it is told to stop.
pub fn start(
    pickups: Vec<Pickup>,
    picking: &Picking,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<(), String> {
    // What a process left behind that was killed while it copied.
    let _ = std::fs::remove_dir_all(copies(&picking.dir));
    for pickup in pickups {
        let (store, prefix) =
            open(&pickup.place).map_err(|error| format!("{}: {}", pickup.place_name(), chain(&error)))?;
        let one = One { store, prefix, pickup, picking: picking.clone(), failed: HashMap::new() };
        let stop = stop.clone();
        tasks.spawn(async move {
            let _ = stop.run_until_cancelled(one.run()).await;
        });
    }
    Ok(())
}

fn copies(dir: &Path) -> PathBuf {
    dir.join("tmp").join("objects")
}

fn open(place: &Place) -> Result<(Arc<dyn ObjectStore>, Option<ObjectPath>), object_store::Error> {
    match place {
        Place::Folder(path) => Ok((Arc::new(LocalFileSystem::new_with_prefix(path)?), None)),
        Place::S3(s3) => {
            let mut builder = AmazonS3Builder::from_env().with_bucket_name(&s3.bucket);
            if let Some(region) = &s3.region {
                builder = builder.with_region(region);
            }
            if let Some(endpoint) = &s3.endpoint {
                builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
            }
            if let (Some(id), Some(secret)) = (&s3.access_key_id, &s3.secret_access_key) {
                builder = builder.with_access_key_id(id.reveal()).with_secret_access_key(secret.reveal());
            }
            let prefix = (!s3.prefix.is_empty()).then(|| ObjectPath::from(s3.prefix.as_str()));
            Ok((Arc::new(builder.build()?), prefix))
        }
    }
}

/// One place.
struct One {
    store: Arc<dyn ObjectStore>,
    prefix: Option<ObjectPath>,
    pickup: Pickup,
    picking: Picking,
    /// Objects that could not be read, and when they are tried again.
    failed: HashMap<String, tokio::time::Instant>,
}

impl One {
    async fn run(mut self) {
        let every = self.pickup.every.to_std();
        let mut ticks = tokio::time::interval(every.max(Duration::from_millis(100)));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            if let Err(error) = self.look().await {
                self.report(&self.pickup.place_name(), &error);
            }
        }
    }

    /// Takes what is new, oldest first. One object that can't be read keeps no other from being taken.
    async fn look(&mut self) -> Result<(), PickError> {
        let now = self.picking.clock.now();
        let oldest = now.plus_micros(-self.pickup.since.micros());
        let mut new = Vec::new();
        let mut there = HashSet::new();
        let mut list = self.store.list(self.prefix.as_ref());
        while let Some(object) = list.try_next().await? {
            if object.size == 0 || modified(&object) < oldest {
                continue;
            }
            let key = self.key(&object);
            if there.len() >= MAX_OBJECTS {
                return Err(PickError::TooMany);
            }
            if self.picking.intake.mark(&key).is_none() {
                new.push((key.clone(), object));
            }
            there.insert(key);
        }
        self.forget_all_but(&there).await?;
        new.sort_by_key(|(_, object)| (object.last_modified, object.location.clone()));
        for (key, object) in new {
            if self.failed.get(&key).is_some_and(|again| *again > tokio::time::Instant::now()) {
                continue;
            }
            match self.take(&key, &object).await {
                Ok(()) => drop(self.failed.remove(&key)),
                Err(error) => {
                    self.report(&self.name(&object), &error);
                    self.failed.insert(key, tokio::time::Instant::now() + AGAIN_AFTER);
                }
            }
        }
        Ok(())
    }

    async fn take(&self, key: &str, object: &ObjectMeta) -> Result<(), PickError> {
        if object.size > MAX_OBJECT {
            return Err(PickError::TooLarge);
        }
        let folder = copies(&self.picking.dir);
        let copy = folder.join(blake3::hash(key.as_bytes()).to_hex().as_str());
        let copied = self.copy(object, &folder, &copy).await;
        let read = match copied {
            Ok(()) => self.read(object, &copy).await,
            Err(error) => Err(error),
        };
        let _ = tokio::fs::remove_file(&copy).await;
        read?;
        self.book(vec![(key.to_owned(), modified(object).to_string())]).await
    }

    async fn copy(&self, object: &ObjectMeta, folder: &Path, to: &Path) -> Result<(), PickError> {
        let failed = |error| PickError::Copy(to.to_owned(), error);
        tokio::fs::create_dir_all(folder).await.map_err(failed)?;
        let mut file = tokio::fs::File::create(to).await.map_err(failed)?;
        let mut parts = self.store.get(&object.location).await?.into_stream();
        let mut bytes = 0u64;
        while let Some(part) = parts.next().await {
            let part = part?;
            bytes += part.len() as u64;
            // What was listed may have been replaced by something else.
            if bytes > MAX_OBJECT {
                return Err(PickError::TooLarge);
            }
            file.write_all(&part).await.map_err(failed)?;
        }
        file.flush().await.map_err(failed)
    }

    async fn read(&self, object: &ObjectMeta, copy: &Path) -> Result<(), PickError> {
        let source = SourceName { kind: SourceKind::Import, name: self.pickup.place_name() };
        let reading = self.picking.past.read_finished(&self.pickup.service, copy, source, self.pickup.format);
        reading.await.map_err(|reason| PickError::Read(reason.replace(&copy.display().to_string(), &self.name(object))))
    }

    /// Marks of objects that are gone, or too old to be looked at, make room for others.
    async fn forget_all_but(&self, there: &HashSet<String>) -> Result<(), PickError> {
        let marks = self.picking.intake.marks_with_prefix(&self.keys());
        let gone: Vec<(String, String)> = marks
            .into_iter()
            .map(|(key, _)| key)
            .filter(|key| !there.contains(key))
            .map(|key| (key, String::new()))
            .collect();
        if gone.is_empty() { Ok(()) } else { self.book(gone).await }
    }

    async fn book(&self, marks: Vec<(String, String)>) -> Result<(), PickError> {
        loop {
            match self.picking.intake.book(marks.clone()).await {
                Err(lake::AppendError::Busy { retry_after, .. }) => {
                    tokio::time::sleep(retry_after.max(Duration::from_millis(100))).await;
                }
                outcome => return outcome.map_err(PickError::Mark),
            }
        }
    }

    /// What all marks of this place start with.
    fn keys(&self) -> String {
        let place = blake3::hash(self.pickup.place_name().as_bytes()).to_hex();
        format!("{MARKS}{}:{}:", self.pickup.service, &place[..16])
    }

    fn key(&self, object: &ObjectMeta) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(object.location.as_ref().as_bytes()).update(b"\0").update(&object.size.to_le_bytes());
        // A folder has no versions; when a file was changed is the next best.
        match (&self.pickup.place, &object.e_tag) {
            (Place::S3(_), Some(tag)) => hasher.update(tag.as_bytes()),
            _ => hasher.update(&object.last_modified.timestamp_micros().to_le_bytes()),
        };
        format!("{}{}", self.keys(), &hasher.finalize().to_hex()[..32])
    }

    fn name(&self, object: &ObjectMeta) -> String {
        match &self.pickup.place {
            Place::Folder(path) => path.join(object.location.as_ref()).display().to_string(),
            Place::S3(s3) => format!("s3://{}/{}", s3.bucket, object.location),
        }
    }

    fn report(&self, what: &str, error: &PickError) {
        let reason = chain(error);
        tracing::warn!(object = what, reason, "log files could not be picked up");
        let mut counts = Counts::default();
        counts.refuse(FAILED, format!("{what}: {reason}").as_bytes());
        let source = SourceName { kind: SourceKind::Import, name: self.pickup.place_name() };
        self.picking.sources.observed(&source, Some(&self.pickup.service), &counts, 0, self.picking.clock.now());
    }
}

fn modified(object: &ObjectMeta) -> Timestamp {
    Timestamp::from_micros(object.last_modified.timestamp_micros())
}
