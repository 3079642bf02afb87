//! From log lines to durable rows: every way in ends here and leaves through `lake::Lake::append`.
//!
//! Decoding runs on blocking threads, never on the runtime. Nothing is acknowledged before it is durable.

mod chunks;
mod collector;
pub mod identity;
mod learned;
mod rules;
mod series;
mod service;

pub use collector::{Collector, MAX_FIELDS, Origin};
pub use identity::{Identifier, UserRule};
pub use rules::ServiceRules;
pub use series::{MAX_SERIES, SeriesBook, SeriesOver};
pub use service::{RoutesOfService, ServiceIntake, ServiceSettings};

use crate::counts::Counts;
use crate::since::Since;
use crate::source_name::{SourceKind, SourceName};
use crate::sources::Sources;
use agent::ledger::{NotNew, file_keys, path_keys};
use base::{Clock, Redactor, ServiceName, Timestamp};
use bytes::Bytes;
use chunks::Chunks;
use lake::{Append, AppendError, Lake, Workers};
use parking_lot::{Mutex, RwLock};
use protocols::access::{Format, Tally};
use protocols::observed::DecodeError;
use signal::Table;
use signal::fingerprint::Fingerprinter;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// Deliveries up to this size are decoded where they arrive.
const SMALL_DELIVERY: usize = 32 << 10;
/// Where records go when there is no room for another service.
const OVERFLOW: &str = "other";
/// Marks of chunks that are stored.
const CHUNK_MARKS: &str = "chunk:";
/// Chunks that are remembered: those of a day at two a second.
const MAX_CHUNKS: usize = 150_000;

/// Things that a service said first and that are remembered.
const MAX_FIRSTS: usize = 500;
/// Of these within an hour.
const MAX_FIRSTS_OF_HOUR: usize = 20;

/// What all marks of things that a service said first start with.
fn first_keys(service: &ServiceName) -> String {
    format!("first:{service}:")
}

/// A delivery of records in any protocol.
#[derive(Debug)]
pub struct Arrived {
    /// What the way in knows.
    pub origin: Origin,
    /// What the sender is called on the sources page.
    pub source: SourceName,
    /// Its size.
    pub bytes: usize,
}

/// Services that may exist at once; more are refused, so that a sender can't fill the memory with names.
pub const MAX_SERVICES: usize = 500;

/// So many lines of an import in a row, none of which can be read, are no damage but another format.
const CERTAINLY_WRONG: u64 = 100;

/// One delivery of log lines.
#[derive(Clone)]
pub struct Delivery {
    /// Whose requests.
    pub service: ServiceName,
    /// Where they come from, for the sources page and the `source` column.
    pub source: SourceName,
    /// The lines.
    pub bytes: Bytes,
    /// Their format; `None` as configured for the service, or found out.
    pub format: Option<Format>,
    /// A regular expression for lines that no known format explains.
    pub pattern: Option<Arc<str>>,
    /// The position in the source to book together with the rows.
    pub position: Option<Position>,
    /// Who sent it over the network: what one sender's lines tell about units says nothing about another's.
    pub peer: Option<IpAddr>,
    /// Lines that were left out because they were too long.
    pub too_long: u64,
}

/// Which part of which content a delivery is.
#[derive(Debug, Clone)]
pub struct Position {
    /// The ledger's key.
    pub key: String,
    /// The ledger with this part in it.
    pub mark: String,
    /// First offset.
    pub from: u64,
    /// First offset behind.
    pub to: u64,
}

/// What became of a delivery.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Lines, accepted and rejected with reasons.
    pub tally: Tally,
    /// The first rejected line's reason and (redacted) text.
    pub first_error: Option<String>,
    /// The part was stored before; nothing was stored again.
    pub already: bool,
}

/// Why a delivery was not taken.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The lake pushed back or refused.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// None of the known formats explains the lines.
    #[error("none of the known formats explains these lines; name one with ?format= or give a pattern")]
    UnknownFormat,
    /// Too many services.
    #[error("there are {MAX_SERVICES} services already; send to one of them, or delete one on its page")]
    TooManyServices,
    /// The service is being deleted.
    #[error("the service is being deleted; try again in a moment")]
    Deleting,
    /// Another delivery booked a part of this range.
    #[error("a part of this range is stored already; read the mark again")]
    Stale,
    /// The delivery can't be cut into records.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A worker died; ours to fix.
    #[error("decoding failed: {0}")]
    Failed(String),
}

/// How records of all protocols are read.
#[derive(Debug, Default)]
pub struct Readings {
    /// Which service a record belongs to.
    pub rules: ServiceRules,
    /// What is masked before anything is stored.
    pub redactor: Redactor,
    /// Which series are known.
    pub series: SeriesBook,
    /// Which group an error belongs to.
    pub fingerprinter: Fingerprinter,
    /// What GitHub signs its webhooks with; without one they are refused.
    pub github_secret: Option<base::Secret>,
}

/// A delivery of records that was decoded and stored.
#[derive(Debug)]
pub struct Stored<R> {
    /// What the decoder returned.
    pub answer: R,
    /// What was taken and what was not, over all services.
    pub counts: Counts,
    /// It was stored before; nothing was stored again.
    pub already: bool,
}

/// Hears of rows that became durable, table by table.
pub type OnStored = Arc<dyn Fn(Table, &lake::arrow::array::RecordBatch) + Send + Sync>;

/// Takes deliveries for all services.
pub struct Intake {
    lake: Arc<Lake>,
    sources: Arc<Sources>,
    identifier: Identifier,
    clock: Clock,
    configured: HashMap<ServiceName, ServiceSettings>,
    readings: Readings,
    chunks: Mutex<Chunks>,
    services: RwLock<BTreeMap<ServiceName, Arc<ServiceIntake>>>,
    deleting: RwLock<Vec<ServiceName>>,
    /// Hears of everything that was stored.
    on_stored: RwLock<Option<OnStored>>,
    /// A name had no room in the list of services.
    services_full: Since,
    /// Take large deliveries apart: more at once would not be faster, and each holds what it makes.
    decoders: Workers,
    /// Deliveries with a position go one after the other, so that no range is booked twice.
    booking: tokio::sync::Mutex<()>,
}

impl Intake {
    /// An intake for configured services and those that show up.
    pub fn new(
        lake: Arc<Lake>,
        sources: Arc<Sources>,
        identifier: Identifier,
        clock: Clock,
        configured: HashMap<ServiceName, ServiceSettings>,
        readings: Readings,
    ) -> Self {
        let services = configured
            .iter()
            .map(|(name, settings)| (name.clone(), Arc::new(ServiceIntake::new(name.clone(), settings.clone()))))
            .collect();
        let chunks = Mutex::new(Chunks::known(lake.marks_with_prefix(CHUNK_MARKS)));
        Self {
            lake,
            sources,
            identifier,
            clock,
            configured,
            readings,
            chunks,
            services: RwLock::new(services),
            deleting: RwLock::default(),
            on_stored: RwLock::default(),
            services_full: Since::default(),
            decoders: decoders(),
            booking: tokio::sync::Mutex::default(),
        }
    }

    /// Tells what the lake knows already: services with their routes, so that a restart doesn't name other routes.
    pub fn remember(&self, service: &ServiceName, routes: impl IntoIterator<Item = String>, last: Option<Timestamp>) {
        if let Ok(intake) = self.service(service) {
            self.add(intake).remember(routes, last);
        }
    }

    /// From now on tells of everything that is stored. It is called where the sender waits: it must be quick.
    pub fn on_stored(&self, heard: OnStored) {
        *self.on_stored.write() = Some(heard);
    }

    /// Appends rows that are made here, and tells whoever listens, as for everything that comes in.
    pub(crate) async fn append(&self, append: Append) -> Result<(), lake::AppendError> {
        let heard = self.on_stored.read().clone();
        // Columns are shared, not copied.
        let rows = heard.as_ref().map(|_| append.rows.clone());
        self.lake.append(append).await?;
        if let (Some(heard), Some(rows)) = (heard, rows) {
            for (table, batch) in &rows {
                heard(*table, batch);
            }
        }
        Ok(())
    }

    /// Every known service.
    pub fn services(&self) -> Vec<Arc<ServiceIntake>> {
        self.services.read().values().cloned().collect()
    }

    /// Since when there is no room for another service, if a name found none.
    pub fn services_full(&self) -> Option<Timestamp> {
        self.services_full.get()
    }

    /// A known service.
    pub fn find(&self, name: &str) -> Option<Arc<ServiceIntake>> {
        self.services.read().values().find(|service| service.name().as_str() == name).cloned()
    }

    /// The service of that name. A new one becomes known only by [`Self::add`], so that a name alone costs nothing.
    fn service(&self, name: &ServiceName) -> Result<Arc<ServiceIntake>, IntakeError> {
        if self.deleting.read().contains(name) {
            return Err(IntakeError::Deleting);
        }
        let services = self.services.read();
        if let Some(known) = services.get(name) {
            return Ok(Arc::clone(known));
        }
        if services.len() >= MAX_SERVICES {
            self.services_full.note(self.clock.now());
            return Err(IntakeError::TooManyServices);
        }
        let settings = self.configured.get(name).cloned().unwrap_or_default();
        Ok(Arc::new(ServiceIntake::new(name.clone(), settings)))
    }

    /// Makes a service known. Of two that were new at the same time the first stays.
    fn add(&self, service: Arc<ServiceIntake>) -> Arc<ServiceIntake> {
        let mut services = self.services.write();
        Arc::clone(services.entry(service.name().clone()).or_insert(service))
    }

    /// Sets how users and lines of a service are read, for a service that the program itself adds.
    pub fn configure(&self, name: &ServiceName, settings: ServiceSettings) {
        let service = Arc::new(ServiceIntake::new(name.clone(), settings));
        self.services.write().insert(name.clone(), service);
    }

    /// Removes a service, all its rows, and the ledger of its files, which may be imported anew. New rows are refused
    /// until it is done.
    pub async fn delete_service(&self, name: &ServiceName) -> Result<u64, lake::LakeError> {
        self.deleting.write().push(name.clone());
        self.services.write().remove(name);
        self.sources.forget_service(name);
        let removed = self.remove(name).await;
        self.deleting.write().retain(|deleting| deleting != name);
        removed
    }

    async fn remove(&self, name: &ServiceName) -> Result<u64, lake::LakeError> {
        // A delivery that is being booked is waited for; later ones see that the service is being deleted. Rows that
        // were accepted a moment ago are sealed first and go too.
        drop(self.booking.lock().await);
        let removed = self.lake.delete_service(name.as_str()).await?;
        for keys in [file_keys(name), path_keys(name), first_keys(name)] {
            self.lake.forget_marks(&keys).await?;
        }
        Ok(removed)
    }

    /// How records are read.
    pub fn readings(&self) -> &Readings {
        &self.readings
    }

    /// Makes keys of users.
    pub fn identifier(&self) -> &Identifier {
        &self.identifier
    }

    /// The service of records for which there is no room in the list of services.
    pub fn overflow(&self) -> Result<Arc<ServiceIntake>, IntakeError> {
        let name: ServiceName = OVERFLOW.parse().map_err(|_| IntakeError::TooManyServices)?;
        let known = self.services.read().get(&name).cloned();
        Ok(known.unwrap_or_else(|| Arc::new(ServiceIntake::new(name, ServiceSettings::default()))))
    }

    /// Decodes a delivery of any protocol and stores its records; returns once they are durable. Those of one delivery
    /// become visible together. What its sender gave a name is stored once, however often it is sent.
    pub async fn store<R: Send + 'static>(
        self: &Arc<Self>,
        delivery: Arrived,
        decode: impl FnOnce(&mut Collector<'_>) -> Result<R, DecodeError> + Send + 'static,
    ) -> Result<Stored<R>, IntakeError> {
        let Arrived { origin, source, bytes } = delivery;
        let me = Arc::clone(self);
        let now = origin.now;
        let work = move || {
            let mut collector = Collector::new(&me, origin);
            let answer = decode(&mut collector)?;
            Ok::<_, DecodeError>((answer, collector.total(), collector.finish()))
        };
        // Small ones are decoded at once: handing them over would take longer.
        let decoded = if bytes <= SMALL_DELIVERY {
            work()
        } else {
            self.decoders.run(work).await.map_err(|error| IntakeError::Failed(error.to_string()))?
        };
        let (answer, counts, collected) = decoded?;
        let (append, mut services) = (collected.append, collected.services);
        if let Some(chunk) = collected.name {
            let _one_by_one = self.booking.lock().await;
            let key = format!("{CHUNK_MARKS}{chunk}");
            if self.lake.mark(&key).is_some() {
                return Ok(Stored { answer, counts: Counts::default(), already: true });
            }
            self.append_named(append, key, now).await?;
        } else if !append.rows.is_empty() {
            self.append(append).await?;
        }
        let all = counts.all();
        for (service, records) in &collected.counts {
            if let Some(service) = service.as_ref().and_then(|name| services.remove(name)) {
                let service = self.add(service);
                if records.taken > 0 {
                    service.seen(now);
                }
            }
            // Of a delivery for several services each is told the bytes of its share of the records.
            let share = (bytes as u64).saturating_mul(records.all()) / all.max(1);
            self.sources.observed(&source, service.as_ref(), records, share, now);
        }
        if collected.counts.is_empty() {
            self.sources.observed(&source, None, &Counts::default(), bytes as u64, now);
        }
        Ok(Stored { answer, counts, already: false })
    }

    /// The mark stored under a key.
    pub fn mark(&self, key: &str) -> Option<String> {
        self.lake.mark(key)
    }

    /// The marks whose key starts with `prefix`.
    pub fn marks_with_prefix(&self, prefix: &str) -> Vec<(String, String)> {
        self.lake.marks_with_prefix(prefix)
    }

    /// Stores marks alone; returns once they are durable. An empty value forgets a mark.
    pub async fn book(&self, marks: Vec<(String, String)>) -> Result<(), lake::AppendError> {
        self.lake.append(Append { rows: Vec::new(), marks }).await
    }

    /// Whether something that its sender gave this name was taken before.
    pub fn is_taken(&self, name: &str) -> bool {
        self.lake.mark(&format!("{CHUNK_MARKS}{name}")).is_some()
    }

    /// Remembers durably, as long as deliveries with a name are, that something of this name was taken.
    pub async fn remember_taken(&self, name: &str) -> Result<(), lake::AppendError> {
        let _one_by_one = self.booking.lock().await;
        self.append_named(Append::default(), format!("{CHUNK_MARKS}{name}"), self.clock.now()).await
    }

    /// Whether a service says this for the first time, as far back as is remembered: the newest [`MAX_FIRSTS`] things of
    /// each service. Of a sender that has something new again and again, [`MAX_FIRSTS_OF_HOUR`] in an hour are believed.
    pub async fn is_first(&self, service: &ServiceName, said: &str) -> Result<bool, lake::AppendError> {
        let prefix = first_keys(service);
        let key = format!("{prefix}{}", &blake3::hash(said.as_bytes()).to_hex()[..32]);
        if self.lake.mark(&key).is_some() {
            return Ok(false);
        }
        let _one_by_one = self.booking.lock().await;
        let mut known = self.lake.marks_with_prefix(&prefix);
        let now = self.clock.now();
        let an_hour_ago = now.plus_seconds(-3600);
        let is_young = |at: &str| at.parse().is_ok_and(|at: Timestamp| at > an_hour_ago);
        let young = known.iter().filter(|(_, at)| is_young(at)).count();
        if young >= MAX_FIRSTS_OF_HOUR || known.iter().any(|(found, _)| *found == key) {
            return Ok(false);
        }
        known.sort_by(|a, b| a.1.cmp(&b.1));
        let surplus = (known.len() + 1).saturating_sub(MAX_FIRSTS);
        let mut marks = vec![(key, now.to_string())];
        marks.extend(known.into_iter().take(surplus).map(|(key, _)| (key, String::new())));
        self.book(marks).await?;
        Ok(true)
    }

    /// Appends what a sender gave a name. To be called while `booking` is held.
    async fn append_named(&self, mut append: Append, key: String, now: Timestamp) -> Result<(), lake::AppendError> {
        append.marks.push((key.clone(), now.to_string()));
        let oldest = self.chunks.lock().oldest_beyond(MAX_CHUNKS);
        append.marks.extend(oldest.into_iter().map(|key| (key, String::new())));
        self.append(append).await?;
        self.chunks.lock().stored(key);
        Ok(())
    }

    /// Lets no delivery with a position be booked meanwhile.
    #[cfg(test)]
    pub(crate) async fn hold_booking(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.booking.lock().await
    }

    /// Decodes and stores a delivery; returns once it is durable.
    pub async fn deliver(self: &Arc<Self>, delivery: Delivery) -> Result<Outcome, IntakeError> {
        let service = self.service(&delivery.service)?;
        let source = delivery.source.clone();
        let position = delivery.position.clone();
        let size = delivery.bytes.len();
        let is_import = source.kind == SourceKind::Import && size > 0;
        let me = Arc::clone(self);
        let decoding = Arc::clone(&service);
        let decoded = self.decoders.run(move || decoding.decode(&me.identifier, &delivery)).await;
        let decoded = decoded.map_err(|error| IntakeError::Failed(error.to_string()))??;
        if self.deleting.read().contains(service.name()) {
            return Err(IntakeError::Deleting);
        }
        let mut append = Append::default();
        if let Some(rows) = decoded.rows {
            append.rows.push((Table::Requests, rows));
        }
        let outcome = Outcome { tally: decoded.tally, first_error: decoded.first_error, already: false };
        if let Some(position) = position {
            let _one_by_one = self.booking.lock().await;
            let stored = self.mark(&position.key);
            if is_import && explains_nothing(&outcome.tally, stored.is_none()) {
                return Err(IntakeError::UnknownFormat);
            }
            if self.deleting.read().contains(service.name()) {
                return Err(IntakeError::Deleting);
            }
            match agent::ledger::admit(stored.as_deref(), &position.mark, position.from, position.to) {
                Ok(mark) => append.marks.push((position.key, mark)),
                Err(NotNew::Covered) => return Ok(Outcome { already: true, ..Outcome::default() }),
                Err(NotNew::Overlaps | NotNew::Ledger(_)) => return Err(IntakeError::Stale),
            }
            self.append(append).await?;
        } else if !append.rows.is_empty() {
            self.append(append).await?;
        }
        let now = self.clock.now();
        if outcome.tally.parsed() > 0 {
            self.add(Arc::clone(&service)).seen(now);
        }
        self.sources.received(&source, service.name(), &outcome.tally, size, decoded.format, now);
        Ok(outcome)
    }
}

/// A thread a core; without threads nothing works.
fn decoders() -> Workers {
    let cores = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    Workers::start("decode", cores).expect("a process that has just started may start threads")
}

/// Whether lines of an import are better refused than booked: booked, they could never be imported rightly again. A
/// file that was read well before may hold a few lines that nobody can read.
fn explains_nothing(tally: &Tally, is_first_part: bool) -> bool {
    tally.parsed() == 0 && tally.rejected() > 0 && (is_first_part || tally.rejected() >= CERTAINLY_WRONG)
}

/// Delivers lines of a file. Lines that no format explains are counted as rejected, so that the file goes on.
pub async fn store_lines(intake: &Arc<Intake>, delivery: Delivery) -> Result<Outcome, IntakeError> {
    let again = Delivery { format: Some(Format::Combined), ..delivery.clone() };
    match intake.deliver(delivery).await {
        Err(IntakeError::UnknownFormat) => intake.deliver(again).await,
        outcome => outcome,
    }
}
