//! The configuration: a folder of YAML files under version control, read as one.
//!
//! Each part owns its section (its keys, defaults and words); this module only lists the sections, reads the files and
//! says exactly what is wrong. It never fills in for a broken file: all of it is right, or none of it is used.

mod checks;
mod environment;
mod later;
mod listen;
mod merge;
mod objects;
mod problem;
mod scrape;
mod server;
mod services;
#[cfg(test)]
mod tests;
mod watching;
mod yaml;

pub use environment::variables;
pub use later::Raw;
pub use listen::{LISTENERS, Listen};
pub use objects::{ObjectPlace, ObjectsSection};
pub use problem::{ConfigErrors, Problem, line_of, render};
pub use scrape::ScrapeSection;
pub use server::{ForwardUser, ServerSection, TlsSection};
pub use services::{ServiceSection, UserIdentity};
pub use watching::{OnCallSection, OutputsSection, compile_watch};

use base::{Secret, ServiceName};
use protocols::access::{Decoder, Format};
use schemars::JsonSchema;
use serde::Deserialize;
use signal::route::RoutePattern;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use watch::channel::OutputSpec;
use watch::check::{Check, CheckName};
use watch::escalation::{EscalationSpec, RotationSpec};
use watch::spec::RuleSpec;

/// The file that must be there.
const MAIN_FILE: &str = "koshu.yaml";
/// The one schema that this version reads.
const SCHEMA: u32 = 1;
const MAX_FILES: usize = 1000;
const MAX_SECRET_BYTES: u64 = 64 << 10;

/// Koshu's configuration. Every key is optional but `schema`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Version of this format: `1`.
    pub schema: Option<u32>,
    /// The server as a whole.
    pub server: ServerSection,
    /// Services by name (1 to 63 of a-z, 0-9, -).
    #[schemars(with = "BTreeMap<String, ServiceSection>")]
    pub services: BTreeMap<ServiceName, ServiceSection>,
    /// Prometheus targets to fetch.
    pub scrape: Vec<ScrapeSection>,
    /// External checks by name (1 to 63 of a-z, 0-9, -).
    #[schemars(with = "BTreeMap<String, Check>")]
    pub checks: BTreeMap<CheckName, Check>,
    /// What is watched, and what becomes of it.
    pub rules: Vec<RuleSpec>,
    /// Where alerts and tickets go.
    pub outputs: OutputsSection,
    /// Who is told when nobody acknowledges an alert.
    pub escalation: EscalationSpec,
    /// When people work, and how much being on duty may take from them.
    pub on_call: OnCallSection,
    /// Who is on duty, by the name of the rotation.
    pub rotations: BTreeMap<String, RotationSpec>,
    /// How people are reached, by name.
    pub people: BTreeMap<String, OutputSpec>,
    /// Healing policies: accepted, not acted on by this version.
    pub heal: Vec<Raw>,
}

/// A configuration that can be used.
#[derive(Debug)]
pub struct Loaded {
    /// What is in force.
    pub config: Config,
    /// The files it was read from; empty without a folder.
    pub files: Vec<PathBuf>,
    /// What has no effect in this version.
    pub warnings: Vec<Problem>,
}

impl Config {
    /// Reads `koshu.yaml` and every other `*.yaml` of a folder, then the environment. Without a folder only the
    /// defaults and the environment count.
    pub fn load(
        folder: Option<&Path>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Loaded, ConfigErrors> {
        let mut merge = merge::Merge::default();
        let (mut files, mut warnings, mut documents) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(folder) = folder {
            files = list(folder).map_err(|problem| ConfigErrors(vec![problem]))?;
        }
        for file in &files {
            match yaml::read(file, file.display().to_string()) {
                Ok((document, part)) => {
                    merge.problems.extend(check_file(&document, &part));
                    warnings.extend(later::warnings(&document).into_iter().map(Problem::into_warning));
                    merge.add(&document, part);
                    documents.push(document);
                }
                Err(problem) => merge.problems.push(problem),
            }
        }
        let (mut config, mut problems) = (merge.config, merge.problems);
        problems.extend(environment::apply(&mut config, variables));
        if problems.is_empty() {
            problems.extend(read_secrets(&mut config, folder).err());
            problems.extend(checks::read_secrets(&mut config.checks, folder).err());
            problems.extend(config.server.intake.problem());
        }
        if problems.is_empty() {
            problems.extend(refused_addresses(&config.server, &documents));
        }
        if problems.is_empty() {
            for found in compile_watch(&config).1 {
                let told = watching::at_its_place(&documents, &found);
                if found.is_warning { warnings.push(told) } else { problems.push(told) }
            }
        }
        if problems.is_empty() { Ok(Loaded { config, files, warnings }) } else { Err(ConfigErrors(problems)) }
    }

    /// The JSON Schema that editors check files against.
    pub fn json_schema() -> serde_json::Value {
        let mut schema = schemars::schema_for!(Config).to_value();
        schema["properties"]["schema"] = serde_json::json!({
            "const": SCHEMA,
            "description": "Version of this format: `1`. Required in koshu.yaml.",
        });
        schema
    }
}

/// The files of a folder, `koshu.yaml` first, the others by name.
fn list(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let shown = folder.display();
    let unreadable = |error: std::io::Error| {
        Problem::new(format!("{shown}: the folder cannot be read: {error}")).help("check the path after --config")
    };
    let mut others = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.extension().is_some_and(|ending| ending == "yaml") && !hidden && !path.ends_with(MAIN_FILE) {
            others.push(path);
        }
        if others.len() > MAX_FILES {
            return Err(
                Problem::new(format!("{shown}: more than {MAX_FILES} files")).help("check the path after --config")
            );
        }
    }
    let main = folder.join(MAIN_FILE);
    if !main.is_file() {
        return Err(Problem::new(format!("{shown}: there is no {MAIN_FILE}"))
            .help(format!("make one that says `schema: {SCHEMA}`")));
    }
    others.sort();
    others.insert(0, main);
    Ok(others)
}

/// Addresses at which nothing may listen.
fn refused_addresses(server: &ServerSection, documents: &[yaml::Document]) -> Vec<Problem> {
    let refused = |name: &&str| match server.listen.get(name)? {
        Listen::At(at) => server.refused(name, at).map(|refused| ((*name).to_owned(), refused)),
        Listen::Off => None,
    };
    let told = |(name, refused): (String, listen::Refused)| {
        let place = documents.iter().find_map(|document| {
            let section = document.root.get("server")?.get("listen")?;
            let (key, _) = section.entries().iter().find(|(key, _)| key.text == name)?;
            Some((document, key.place))
        });
        let problem = match place {
            Some((document, place)) => Problem::at(document, place, refused.why),
            None => Problem::new(refused.why),
        };
        problem.help(refused.help)
    };
    LISTENERS.iter().filter_map(refused).map(told).collect()
}

/// What no type can say about a file.
fn check_file(document: &yaml::Document, part: &Config) -> Vec<Problem> {
    let mut problems = Vec::new();
    let root = &document.root;
    let help = format!("write `schema: {SCHEMA}`");
    let schema = root.entries().iter().find(|(key, _)| key.text == "schema");
    match (part.schema, schema) {
        (Some(SCHEMA), _) => {}
        (Some(other), Some((key, _))) => {
            let message = format!("schema {other} is not known to this version, which reads {SCHEMA}");
            problems.push(Problem::at(document, key.place, message).help(help));
        }
        (None, _) if !document.name.ends_with(MAIN_FILE) => {}
        _ => {
            let start = yaml::Place { line: 1, column: 1 };
            problems.push(Problem::at(document, start, "`schema` is missing").help(help));
        }
    }
    for (name, node) in root.get("services").map(yaml::Node::entries).unwrap_or_default() {
        let Some(service) = name.text.parse().ok().and_then(|name: ServiceName| part.services.get(&name)) else {
            continue;
        };
        let key_place = |wanted: &str| {
            node.entries().iter().find(|(key, _)| key.text == wanted).map_or(name.place, |(key, _)| key.place)
        };
        if let Some(path) = service.logs.iter().find(|path| !path.is_absolute()) {
            let message = format!("`{}` is no absolute path", path.display());
            let help = "write the whole path, for example /var/log/nginx/access.log";
            problems.push(Problem::at(document, key_place("logs"), message).help(help));
        }
        let routes = node.get("routes").map(yaml::Node::elements).unwrap_or_default();
        for (index, route) in service.routes.iter().enumerate() {
            if let Err(error) = route.parse::<RoutePattern>() {
                let place = routes.get(index).map_or_else(|| key_place("routes"), |(place, _)| *place);
                let message = format!("`{route}` is no route pattern: {error}");
                problems.push(Problem::at(document, place, message).help("write for example GET /items/:id"));
            }
        }
        if let Some((key, message, help)) = log_format_problem(service) {
            problems.push(Problem::at(document, key_place(key), message).help(help));
        }
        for error in service.objects.iter().filter_map(|objects| objects.format.as_deref()?.parse::<Format>().err()) {
            let text = error.to_string();
            let (message, help) = text.split_once("; ").unwrap_or((&text, "use auto"));
            problems.push(Problem::at(document, key_place("objects"), message.to_owned()).help(help.to_owned()));
        }
    }
    problems
}

/// What is wrong with how a service's logs are to be read: the key, the reason, the way out.
fn log_format_problem(service: &ServiceSection) -> Option<(&'static str, String, String)> {
    let format = service.format.as_deref().map(str::parse::<Format>);
    match (format, service.pattern.as_deref()) {
        (Some(Err(error)), _) => {
            let text = error.to_string();
            let (message, help) = text.split_once("; ").unwrap_or((&text, "use auto"));
            Some(("format", message.to_owned(), help.to_owned()))
        }
        (Some(Ok(Format::Pattern)), None) => Some((
            "format",
            "`format: pattern` needs a `pattern`".to_owned(),
            "add `pattern:` with a regular expression that has named groups".to_owned(),
        )),
        (Some(Ok(format)), Some(_)) if format != Format::Pattern => Some((
            "pattern",
            format!("`pattern` and `format: {format}` exclude each other"),
            "keep `pattern` for a format of your own, else `format`".to_owned(),
        )),
        (_, Some(pattern)) => Decoder::with_pattern(pattern).err().map(|error| {
            let help = "write a regular expression with the named groups time, status and request";
            ("pattern", format!("`pattern` cannot be used: {error}"), help.to_owned())
        }),
        (None | Some(Ok(_)), None) => None,
    }
}

/// Fills secrets from the files that hold them.
fn read_secrets(config: &mut Config, folder: Option<&Path>) -> Result<(), Problem> {
    let server = &mut config.server;
    let intake = &mut server.intake;
    let mut secrets = vec![
        ("server.store_url", &mut server.store_url, &server.store_url_file),
        ("server.intake.forward_shared_key", &mut intake.forward_shared_key, &intake.forward_shared_key_file),
        ("server.intake.github_secret", &mut intake.github_secret, &intake.github_secret_file),
    ];
    if let Some(heartbeat) = &mut config.outputs.heartbeat {
        secrets.push(("outputs.heartbeat.url", &mut heartbeat.url, &heartbeat.url_file));
    }
    for user in &mut intake.forward_users {
        secrets.push(("server.intake.forward_users.password", &mut user.password, &user.password_file));
    }
    for scrape in &mut config.scrape {
        secrets.push(("scrape.token", &mut scrape.token, &scrape.token_file));
    }
    let outputs = config.outputs.alert.iter_mut().chain(&mut config.outputs.ticket);
    for slot in outputs.chain(config.people.values_mut()).flat_map(OutputSpec::secrets) {
        fill(slot.secret, slot.file, slot.key, folder)?;
    }
    for objects in config.services.values_mut().flat_map(|service| &mut service.objects) {
        secrets.push(("services.objects.access_key_id", &mut objects.access_key_id, &objects.access_key_id_file));
        let (secret, file) = (&mut objects.secret_access_key, &objects.secret_access_key_file);
        secrets.push(("services.objects.secret_access_key", secret, file));
    }
    for (key, secret, file) in secrets {
        fill(secret, file.as_ref(), key, folder)?;
    }
    let files = config
        .server
        .tls
        .iter_mut()
        .flat_map(|tls| [Some(&mut tls.certificate), Some(&mut tls.key), tls.clients.as_mut()]);
    for file in files.flatten() {
        // Beside the configuration, as with secrets.
        *file = folder.map_or_else(|| file.clone(), |folder| folder.join(&*file));
    }
    Ok(())
}

/// Fills a secret from its file, if it has one.
fn fill(secret: &mut Option<Secret>, file: Option<&PathBuf>, key: &str, folder: Option<&Path>) -> Result<(), Problem> {
    let Some(given) = file else { return Ok(()) };
    if secret.is_some() {
        return Err(Problem::new(format!("`{key}` and `{key}_file` are both set")).help("keep one of the two"));
    }
    // Beside the configuration, so that it works from every working folder.
    let path = folder.map_or_else(|| given.clone(), |folder| folder.join(given));
    *secret = Some(read_secret(&path, &format!("{key}_file"))?);
    Ok(())
}

fn read_secret(path: &Path, key: &str) -> Result<Secret, Problem> {
    use std::io::Read as _;
    let shown = path.display();
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MAX_SECRET_BYTES).read_to_string(&mut text));
    read.map_err(|error| {
        Problem::new(format!("`{key}`: {shown} cannot be read: {error}"))
            .help("check that it exists and who may read it")
    })?;
    let secret = text.trim();
    if secret.is_empty() {
        return Err(
            Problem::new(format!("`{key}`: {shown} is empty")).help("write the secret into it, and nothing else")
        );
    }
    Ok(Secret::new(secret))
}
