//! Wires every part together, in the order of their dependencies. The only code that sees all of them.

use crate::config::{Config, Listen, ServiceSection, UserIdentity};
use crate::listeners::{self, Surroundings, Wanted};
use crate::{pulling, watching};
use agent::tail::StartAt;
use anyhow::{Context, Result, bail};
use base::{ByteSize, Clock, Redactor, Secret, ServiceName, TimeRange, Timestamp};
use demo::{Demo, DemoOptions, Scenario};
use lake::arrow::array::RecordBatch;
use lake::{Lake, LakeOptions, Retention};
use parking_lot::Mutex;
use protocols::access::Format;
use server::Door;
use server::bodies::Bodies;
use server::checks::{CheckSettings, Checks, Surroundings as CheckSurroundings};
use server::follow::Follow;
use server::hosts::Hosts;
use server::intake::{Identifier, Intake, Readings, ServiceRules, ServiceSettings, UserRule};
use server::parts::{About, BeforeDelete, Parts};
use server::sources::Sources;
use server::tls::Wire;
use server::watching::Watch;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::{ChangeKind, NewChange, Store, StoreOptions, Throttle};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Name of the first user.
const FIRST_USER: &str = "admin";
/// How far back known routes are looked for at start. Services are known for ever.
const REMEMBER_DAYS: i64 = 7;
/// Routes of all services that are remembered.
const MAX_REMEMBERED: usize = 600_000;
/// The first and the last moment that a row can have.
const ALL_TIMES: TimeRange =
    TimeRange { from: Timestamp::from_seconds(-62_135_596_800), to: Timestamp::from_seconds(253_402_300_799) };
/// Where the addresses in use are written.
const LISTENERS_FILE: &str = "listeners.json";
/// Memory for bodies that are being received: this part of the budget, at most [`MAX_BODIES`].
const BODIES_SHARE: u64 = 8;
const MAX_BODIES: u64 = 128 << 20;
/// How often the store is tidied.
const TIDY_EVERY: Duration = Duration::from_mins(1);
/// How often access logs are looked for.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// What to start.
pub struct AppOptions {
    /// Data folder.
    pub dir: PathBuf,
    /// Configuration in force.
    pub config: Config,
    /// The folder it was read from, which is looked at again.
    pub config_folder: Option<PathBuf>,
    /// Address of pages, API and intake.
    pub http: SocketAddr,
    /// The story of the living demonstration, if it runs.
    pub demo: Option<Scenario>,
    /// Whether this host is observed: samples, access logs.
    pub with_agent: bool,
    /// Addresses of listeners by the command line.
    pub listen: Vec<(&'static str, Listen)>,
    /// Where this host's configuration files are looked for; `/` but for tests.
    pub host_root: PathBuf,
}

/// Everything that runs.
pub struct App {
    parts: Parts,
    /// Address in use.
    pub http: SocketAddr,
    /// Secret of the one-time link, while nobody has a password.
    pub link: Option<Secret>,
    /// Access logs that were found and are followed from now on, with what could be imported of their past.
    pub found: Vec<FoundForPeople>,
    running_demo: Arc<tokio::sync::Mutex<Option<Demo>>>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// A found log as the start says it.
pub struct FoundForPeople {
    /// Where it is.
    pub path: PathBuf,
    /// Its size with its rotated files.
    pub past_bytes: u64,
    /// Which service it became.
    pub service: ServiceName,
    /// Why it can't be followed.
    pub problem: Option<String>,
}

impl App {
    /// Builds and starts every part; returns when requests are answered.
    pub async fn start(options: AppOptions, clock: Clock) -> Result<Self> {
        if let Some(refused) = options.config.server.refused("http", options.http) {
            bail!("{}: {}", refused.why, refused.help);
        }
        prepare_folder(&options.dir)?;
        let listener = TcpListener::bind(options.http).await.with_context(|| {
            format!(
                "failed to listen on {}; is another koshu running? --http 127.0.0.1:0 takes a free port",
                options.http
            )
        })?;
        let http = listener.local_addr()?;
        let (stop, tasks, door) = (CancellationToken::new(), TaskTracker::new(), Door::default());
        // A journal that must be read back takes a while: who asks meanwhile hears that.
        tasks.spawn(server::serve(listener, Wire::default(), door.clone(), stop.clone()));
        let store = open_store(&options, &clock).await?;
        let link = first_start(&store, &options.dir).await?;
        let memory = memory_budget(&options.config);
        let lake = Lake::open(lake_options(&options, memory, &clock)).await.context("failed to open the lake")?;
        let about = About {
            version: env!("CARGO_PKG_VERSION"),
            time_zone: time_zone(&options.config),
            host: host_name(),
            started_at: clock.now(),
            dir: options.dir.clone(),
            config_folder: options.config_folder.clone(),
            memory_bytes: memory.0,
        };
        let running_demo = Arc::default();
        let watch = Watch::new(watching::plan(&options.config, &http.to_string()), &options.dir, &clock);
        let checks = checks(&options.config, &lake, &clock).await?;
        let hosts = Hosts::load(&store, &clock).await.context("the hosts that report can't be read")?;
        let observers = (Arc::new(watch), checks, Arc::new(hosts));
        let parts = parts(&options, &lake, &store, about, observers, Arc::clone(&running_demo), &clock)?;
        parts.listeners.lock().insert("http".into(), http.to_string());
        remember(&parts).await;
        let mut app = Self { parts, http, link, found: Vec::new(), running_demo, stop, tasks };
        door.open(server::routes(app.parts.clone()));
        let around = Surroundings { parts: app.parts.clone(), door, stop: app.stop.clone(), tasks: app.tasks.clone() };
        listeners::open(&Wanted { config: &options.config, flags: &options.listen }, &around).await?;
        app.parts.watch.start(&app.parts, &app.tasks, &app.stop).await.context("the watch can't start")?;
        if let Some(folder) = options.config_folder.clone() {
            watching::follow(folder, app.parts.clone(), &app.tasks, app.stop.clone());
        }
        app.tidy();
        app.write_listeners()?;
        app.follow_configured(&options.config);
        pulling::start(&options.config, &app.parts, &app.tasks, &app.stop)?;
        app.parts.checks.start(&app.parts.about.host, &app.tasks, &app.stop);
        app.tasks.spawn(server::hosts::watch_over(app.parts.clone(), app.stop.clone()));
        if options.with_agent {
            app.observe_host(&options).await;
        }
        if let Some(scenario) = options.demo {
            app.start_demo(&options.dir, scenario).await?;
        }
        Ok(app)
    }

    fn tidy(&self) {
        let store = self.parts.store.clone();
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            while tokio::time::timeout(TIDY_EVERY, stop.cancelled()).await.is_err() {
                if let Err(error) = store.tidy().await {
                    tracing::warn!(%error, "the store could not be tidied");
                }
            }
        });
    }

    fn write_listeners(&self) -> Result<()> {
        let listeners = serde_json::to_string_pretty(&*self.parts.listeners.lock())?;
        let path = self.parts.about.dir.join(LISTENERS_FILE);
        std::fs::write(&path, listeners).with_context(|| format!("failed to write {}", path.display()))
    }

    fn follow_configured(&self, config: &Config) {
        for (service, section) in &config.services {
            for path in &section.logs {
                if let Err(error) = self.parts.follow.follow(service, path, StartAt::Beginning) {
                    tracing::warn!(%error, path = %path.display(), "a configured log is not followed");
                }
            }
        }
    }

    async fn observe_host(&mut self, options: &AppOptions) {
        for file in self.parts.store.followed_files().list().await.unwrap_or_default() {
            let start = if file.from_start { StartAt::Beginning } else { StartAt::End };
            let _ = self.parts.follow.follow(&file.service, Path::new(&file.path), start);
        }
        self.parts.follow.discover_and_follow(&options.host_root).await;
        for log in self.parts.follow.discovery().logs {
            let older: u64 = log.older_files.iter().map(|file| file.size_bytes).sum();
            self.found.push(FoundForPeople {
                path: log.path,
                past_bytes: log.size.0 + older,
                service: log.service,
                problem: log.unreadable,
            });
        }
        let (follow, root, stop) = (Arc::clone(&self.parts.follow), options.host_root.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            while tokio::time::timeout(LOOK_EVERY, stop.cancelled()).await.is_err() {
                for log in follow.discover_and_follow(&root).await {
                    tracing::info!(path = %log.path.display(), service = %log.service, "an access log was found");
                }
            }
        });
        let Parts { lake, sources, about, clock, .. } = self.parts.clone();
        self.tasks.spawn(server::host::sample_host(lake, sources, about.host.clone(), clock, self.stop.clone()));
    }

    async fn start_demo(&self, dir: &Path, scenario: Scenario) -> Result<()> {
        let exe = std::env::current_exe().context("failed to find this program's own file")?;
        let (changes, mut to_note) = tokio::sync::mpsc::channel::<demo::Change>(16);
        let mut options = DemoOptions { scenario, ..DemoOptions::new(dir.to_owned(), exe) };
        options.on_change = Arc::new(move |change| drop(changes.try_send(change)));
        let service: ServiceName = demo::SERVICE.parse().context("the demonstration's name")?;
        let settings = ServiceSettings {
            pattern: Some(demo::LOG_PATTERN.to_owned()),
            user: UserRule::Cookie("sid".into()),
            demo: true,
            ..ServiceSettings::default()
        };
        self.parts.intake.configure(&service, settings);
        remember(&self.parts).await;
        let demo = Demo::start(options).await?;
        self.parts.follow.follow_demo(&service, &demo.access_log())?;
        *self.running_demo.lock().await = Some(demo);
        let store = self.parts.store.clone();
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            while let Some(Some(change)) = stop.run_until_cancelled(to_note.recv()).await {
                let new = NewChange {
                    at: Some(change.at),
                    kind: ChangeKind::Deploy,
                    service: Some(service.clone()),
                    title: change.title,
                    version: Some(change.version),
                    url: None,
                    detail: None,
                };
                if let Err(error) = store.changes().add(new).await {
                    tracing::warn!(%error, "the demonstration's deploy was not noted");
                }
            }
        });
        Ok(())
    }

    /// Ends every part in the reverse order: first what sends, last what stores.
    pub async fn stop(self) {
        if let Some(demo) = self.running_demo.lock().await.take() {
            demo.stop().await;
        }
        self.parts.follow.stop().await;
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        // Before the lake is closed: from then on another process may use the folder. Nothing to do when it is gone.
        let _ = std::fs::remove_file(self.parts.about.dir.join(LISTENERS_FILE));
        self.parts.lake.close().await;
        self.parts.store.close().await;
    }
}

fn prepare_folder(dir: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("failed to make the data folder {}; choose another with --dir", dir.display()))
}

async fn open_store(options: &AppOptions, clock: &Clock) -> Result<Store> {
    let at = match &options.config.server.store_url {
        Some(url) => StoreOptions::Url(url.clone()),
        None => StoreOptions::Folder(options.dir.clone()),
    };
    Store::open(at, clock.clone()).await.context("failed to open the store")
}

/// The first user, the admin token, and a link to sign in with while nobody has a password.
async fn first_start(store: &Store, dir: &Path) -> Result<Option<Secret>> {
    let users = store.users();
    let first = match users.find(FIRST_USER).await? {
        Some(user) => user,
        None => users.create(FIRST_USER).await?,
    };
    store.tokens().ensure_admin_file(dir).await?;
    if users.list().await?.iter().any(|user| user.password_set) {
        return Ok(None);
    }
    Ok(Some(store.links().create(first.id).await?))
}

fn memory_budget(config: &Config) -> ByteSize {
    let quarter = || agent::host::usable_memory().map_or(ByteSize(1 << 30), |memory| ByteSize(memory.0 / 4));
    config.server.memory.unwrap_or_else(quarter)
}

fn disk_budget(config: &Config, dir: &Path) -> ByteSize {
    let half_of_free =
        agent::host::disk_free(dir).map_or(u64::MAX, |space| u64::midpoint(space.free.0, used_already(dir)));
    config.server.disk.unwrap_or(ByteSize((20 << 30).min(half_of_free)))
}

/// What the lake holds already counts as free: a restart must not halve the budget.
fn used_already(dir: &Path) -> u64 {
    fn bytes(folder: &Path) -> u64 {
        let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
        let size = |entry: std::fs::DirEntry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => bytes(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        };
        entries.flatten().map(size).sum()
    }
    bytes(&dir.join("lake")) + bytes(&dir.join("journal"))
}

fn lake_options(options: &AppOptions, memory: ByteSize, clock: &Clock) -> LakeOptions {
    let keep = &options.config.server.retention;
    LakeOptions {
        memory,
        disk: disk_budget(&options.config, &options.dir),
        retention: Retention {
            requests: keep.requests,
            logs: keep.logs,
            spans: keep.spans,
            samples: keep.samples,
            errors: keep.errors,
            events: keep.events,
            rollups: keep.rollup_1m,
        },
        clock: clock.clone(),
        ..LakeOptions::new(&options.dir)
    }
}

fn time_zone(config: &Config) -> jiff::tz::TimeZone {
    let configured = config.server.time_zone.as_deref().and_then(|name| jiff::tz::TimeZone::get(name).ok());
    configured.unwrap_or_else(jiff::tz::TimeZone::system)
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// How records of other programs' protocols are read.
fn readings(config: &Config) -> Readings {
    let rules = config.server.intake.senders.iter().map(|rule| (rule.says.clone(), rule.service.clone())).collect();
    Readings {
        rules: ServiceRules::new(rules),
        redactor: Redactor::new(config.server.intake.redact_emails),
        github_secret: config.server.intake.github_secret.clone(),
        ..Readings::default()
    }
}

/// The key of user hashes; made once, readable by us alone.
fn identifier(dir: &Path) -> Result<Identifier> {
    use std::io::{Read, Write};
    use std::os::unix::fs::OpenOptionsExt;
    let path = dir.join("user.key");
    let mut key = [0u8; 32];
    if let Ok(mut file) = std::fs::File::open(&path) {
        file.read_exact(&mut key).with_context(|| format!("{} is cut short", path.display()))?;
        return Ok(Identifier::new(key));
    }
    let mut random = std::fs::File::open("/dev/urandom").context("failed to open the system's random source")?;
    random.read_exact(&mut key).context("failed to read the system's random source")?;
    // Written aside first: a crash in between must not leave half a key that no start would accept.
    let unfinished = dir.join("user.key.unfinished");
    let failed = || format!("failed to write {}", unfinished.display());
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)
        .with_context(failed)?;
    file.write_all(&key).and_then(|()| file.sync_all()).with_context(failed)?;
    std::fs::rename(&unfinished, &path).with_context(failed)?;
    Ok(Identifier::new(key))
}

fn settings(section: &ServiceSection) -> Result<ServiceSettings> {
    let user = match &section.user {
        None => UserRule::Auto,
        Some(UserIdentity::Cookie(name)) => UserRule::Cookie(name.clone()),
        Some(UserIdentity::Header(name)) => UserRule::Header(name.clone()),
        Some(UserIdentity::Field(name)) => UserRule::Field(name.clone()),
    };
    Ok(ServiceSettings {
        format: section.format.as_deref().map(str::parse::<Format>).transpose()?,
        pattern: section.pattern.clone(),
        user,
        routes: section.routes.iter().map(|route| route.parse()).collect::<Result<_, _>>()?,
        owner: section.owner.clone(),
        demo: false,
    })
}

/// External checks, which run once they are started.
async fn checks(config: &Config, lake: &Arc<Lake>, clock: &Clock) -> Result<Arc<Checks>> {
    let section = &config.server.checks;
    let settings = CheckSettings { gateway: section.gateway, resolver: section.resolver };
    let around = CheckSurroundings {
        lake: Arc::clone(lake),
        clock: clock.clone(),
        redactor: Redactor::new(config.server.intake.redact_emails),
        roots: None,
    };
    Checks::new(config.checks.clone(), &settings, around).await.context("failed to set up TLS for checks")
}

fn parts(
    options: &AppOptions,
    lake: &Arc<Lake>,
    store: &Store,
    about: About,
    (watch, checks, hosts): (Arc<Watch>, Arc<Checks>, Arc<Hosts>),
    running_demo: Arc<tokio::sync::Mutex<Option<Demo>>>,
    clock: &Clock,
) -> Result<Parts> {
    let sources = Arc::new(Sources::default());
    let mut configured = HashMap::new();
    for (name, section) in &options.config.services {
        configured.insert(name.clone(), settings(section).with_context(|| format!("service {name}"))?);
    }
    let key = identifier(&options.dir)?;
    let intake = Arc::new(Intake::new(
        Arc::clone(lake),
        Arc::clone(&sources),
        key,
        clock.clone(),
        configured,
        readings(&options.config),
    ));
    let follow = Arc::new(Follow::new(Arc::clone(&intake), clock.clone())?);
    let bodies = Bodies::new((about.memory_bytes / BODIES_SHARE).min(MAX_BODIES));
    let before_delete: BeforeDelete = Arc::new(move |name| {
        let running_demo = Arc::clone(&running_demo);
        Box::pin(async move {
            if name.as_str() == demo::SERVICE
                && let Some(demo) = running_demo.lock().await.take()
            {
                demo.stop().await;
            }
        })
    });
    Ok(Parts {
        lake: Arc::clone(lake),
        store: store.clone(),
        intake,
        sources,
        follow,
        clock: clock.clone(),
        about: Arc::new(about),
        listeners: Arc::new(Mutex::new(BTreeMap::new())),
        throttle: Arc::new(Mutex::new(Throttle::default())),
        before_delete,
        watch,
        checks,
        hosts,
        bodies,
    })
}

/// Tells the intake which services and routes the lake knows.
async fn remember(parts: &Parts) {
    let services = "SELECT service, CAST(max(ts) AS BIGINT) AS last FROM rollup_1m GROUP BY 1";
    for batch in known(parts, services, ALL_TIMES, server::intake::MAX_SERVICES).await {
        let (names, last) = (server::signals::texts(&batch, 0), server::signals::ints(&batch, 1));
        for (name, last) in names.into_iter().zip(last) {
            if let Some(name) = name.and_then(|name| name.parse::<ServiceName>().ok()) {
                parts.intake.remember(&name, [], last.map(Timestamp::from_micros));
            }
        }
    }
    let now = parts.clock.now();
    let lately = TimeRange { from: now.plus_seconds(-REMEMBER_DAYS * 86_400), to: now.plus_seconds(3600) };
    let routes = "SELECT DISTINCT service, route FROM rollup_1m ORDER BY 1, 2";
    let mut by_service: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for batch in known(parts, routes, lately, MAX_REMEMBERED).await {
        for (name, route) in server::signals::texts(&batch, 0).into_iter().zip(server::signals::texts(&batch, 1)) {
            if let (Some(name), Some(route)) = (name, route) {
                by_service.entry(name).or_default().push(route);
            }
        }
    }
    for (name, routes) in by_service {
        if let Ok(name) = name.parse::<ServiceName>() {
            parts.intake.remember(&name, routes, None);
        }
    }
}

async fn known(parts: &Parts, sql: &str, range: TimeRange, limit: usize) -> Vec<RecordBatch> {
    match parts.lake.sql(&lake::Query { sql: sql.into(), range, limit }).await {
        Ok(answer) => answer.batches,
        Err(error) => {
            tracing::warn!(%error, "the known services and routes could not be read");
            Vec::new()
        }
    }
}
