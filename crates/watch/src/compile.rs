//! From what people write to what can be evaluated; every problem with its key and the way out.

use crate::burn::ROWS;
use crate::condition::Condition;
use crate::detects::{Detects, Measured, Part, PartKind, Side};
use crate::objective::{Objective, Subject};
use crate::rule::{AbsentRule, Rule, RuleKind, Scope, Selector, What};
use crate::signals::{Amount, Signal, Unit};
use crate::spec::{AbsentSpec, ObjectiveSpec, PathPart, RuleSpec, SpecProblem};
use crate::step::{StepSpec, Threshold};
use crate::window::{Window, WindowError};
use crate::words::suggestion;
use crate::{Class, RuleInfo};
use base::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Default time between two evaluations.
pub const INTERVAL: Span = Span::from_seconds(15);
/// Most rules, and most objectives.
pub const MAX_RULES: usize = 10_000;
const MAX_SQL_BYTES: usize = 16 << 10;
const DEFAULT_WINDOW: Span = Span::from_seconds(300);
const DEFAULT_ABSENT: Span = Span::from_seconds(300);
const MIN_SPAN: Span = Span::from_seconds(60);
const MAX_SPAN: Span = Span::from_seconds(3 * 86_400);
/// Longest part of a command line, bytes: agents take no longer one.
const MAX_PROCESS: usize = 200;
const DAY: Span = Span::from_seconds(86_400);

/// A service, as far as rules need to know.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeclaredService<'a> {
    /// Who answers for it.
    pub owner: Option<&'a str>,
    /// Its objectives.
    pub objectives: &'a [ObjectiveSpec],
}

/// What else the configuration declares.
#[derive(Debug, Clone)]
pub struct Declared<'a> {
    /// Services by name.
    pub services: BTreeMap<&'a str, DeclaredService<'a>>,
    /// Names of checks.
    pub checks: BTreeSet<&'a str>,
    /// Names of runbooks; `None` if they are not known, then every name is taken.
    pub runbooks: Option<BTreeSet<&'a str>>,
    /// IANA time zone for calendar windows that name none.
    pub time_zone: &'a str,
    /// Time between two evaluations.
    pub interval: Span,
}

/// What can be evaluated, and what is wrong.
#[derive(Debug, Default)]
pub struct Compiled {
    /// Objectives of all services.
    pub objectives: Vec<Arc<Objective>>,
    /// Rules, in their order.
    pub rules: Vec<Arc<Rule>>,
    /// Problems, warnings among them.
    pub problems: Vec<SpecProblem>,
}

impl Compiled {
    /// Whether it can be used.
    pub fn is_usable(&self) -> bool {
        self.problems.iter().all(|problem| problem.is_warning)
    }
}

/// Compiles objectives and rules.
pub fn compile(declared: &Declared<'_>, rules: &[RuleSpec]) -> Compiled {
    let mut out = Compiled::default();
    for (service, part) in &declared.services {
        let mut names = BTreeSet::new();
        for (index, spec) in part.objectives.iter().enumerate() {
            let mut at = Place::new(&mut out.problems, &["services", service, "objectives"], index);
            if !names.insert(spec.name.as_str()) {
                at.wrong("name", format!("`{}` is already the name of an objective", spec.name), "choose another name");
            }
            out.objectives.extend(objective(declared, service, spec, &mut at).map(Arc::new));
        }
    }
    if rules.len().max(out.objectives.len()) > MAX_RULES {
        let mut at = Place::new(&mut out.problems, &["rules"], MAX_RULES);
        at.wrong(
            "name",
            format!("more than {MAX_RULES} rules or objectives"),
            "split by `*`: one rule for each series",
        );
        return out;
    }
    let mut names = BTreeSet::new();
    for (index, spec) in rules.iter().enumerate() {
        let mut at = Place::new(&mut out.problems, &["rules"], index);
        if !names.insert(spec.name.as_str()) {
            at.wrong("name", format!("`{}` is already the name of a rule", spec.name), "choose another name");
        }
        let compiled = RuleReader { declared, objectives: &out.objectives, spec, at: &mut at }.read();
        out.rules.extend(compiled.map(Arc::new));
    }
    out
}

/// Collects the problems of one element of a list.
struct Place<'a> {
    problems: &'a mut Vec<SpecProblem>,
    path: Vec<PathPart>,
    before: usize,
}

impl<'a> Place<'a> {
    fn new(problems: &'a mut Vec<SpecProblem>, keys: &[&str], index: usize) -> Self {
        let mut path: Vec<PathPart> = keys.iter().map(|key| PathPart::Key((*key).to_owned())).collect();
        path.push(PathPart::Index(index));
        let before = problems.len();
        Self { problems, path, before }
    }

    fn say(&mut self, key: &str, message: String, help: String, is_warning: bool) {
        let mut path = self.path.clone();
        path.push(PathPart::Key(key.to_owned()));
        self.problems.push(SpecProblem { path, message, help, is_warning });
    }

    fn wrong(&mut self, key: &str, message: impl Into<String>, help: impl Into<String>) {
        self.say(key, message.into(), help.into(), false);
    }

    fn warn(&mut self, key: &str, message: impl Into<String>, help: impl Into<String>) {
        self.say(key, message.into(), help.into(), true);
    }

    /// A message that ends with the way out behind a semicolon.
    fn wrong_said(&mut self, key: &str, said: &str) {
        let (message, help) = said.rsplit_once("; ").unwrap_or((said, "see the reference for what can stand here"));
        self.wrong(key, message, help);
    }

    fn is_fine(&self) -> bool {
        self.problems[self.before..].iter().all(|problem| problem.is_warning)
    }

    fn name(&mut self, name: &str) {
        let bad = |c: char| !matches!(c, 'a'..='z' | '0'..='9' | '-' | '_' | '.');
        if name.is_empty() || name.len() > 100 || name.contains(bad) {
            let help = "use 1 to 100 of a-z, 0-9, -, _ and .";
            self.wrong("name", format!("`{name}` cannot be a name"), help);
        }
    }

    fn condition(&mut self, key: &str, text: &str) -> Option<Condition> {
        match Condition::compile(text) {
            Ok(condition) => Some(condition),
            Err(error) => {
                self.wrong(key, format!("`{}`: {} (column {})", text.trim(), error.message, error.column), error.help);
                None
            }
        }
    }
}

fn objective(declared: &Declared<'_>, service: &str, spec: &ObjectiveSpec, at: &mut Place<'_>) -> Option<Objective> {
    at.name(&spec.name);
    let subject = match (&spec.good, &spec.check) {
        (Some(_), Some(_)) => {
            at.wrong("check", "`good` and `check` exclude each other", "keep `good` for requests, `check` for a check");
            None
        }
        (None, None) => {
            at.wrong("good", "`good` is missing", "write which requests are good, for example good: \"status < 500\"");
            None
        }
        (Some(good), None) => {
            let good = at.condition("good", good);
            let valid = spec.valid.as_ref().map(|valid| at.condition("valid", valid));
            match (good, valid) {
                (Some(good), None) => Some(Subject::Requests { good, valid: None }),
                (Some(good), Some(Some(valid))) => Some(Subject::Requests { good, valid: Some(valid) }),
                _ => None,
            }
        }
        (None, Some(check)) => {
            if !declared.checks.contains(check.as_str()) {
                at.wrong(
                    "check",
                    format!("there is no check `{check}`"),
                    known(check, declared.checks.iter().copied()),
                );
            }
            for (key, given) in [("valid", spec.valid.is_some()), ("route", spec.route.is_some())] {
                if given {
                    at.wrong(key, format!("`{key}` has no meaning for a check"), format!("remove `{key}`"));
                }
            }
            Some(Subject::Check(check.clone()))
        }
    };
    let zone = spec.time_zone.as_deref().unwrap_or(declared.time_zone);
    let window = match Window::new(spec.window, zone) {
        Ok(window) => Some(window),
        Err(error @ WindowError::Zone(_)) => {
            at.wrong_said("time_zone", &error.to_string());
            None
        }
        Err(error) => {
            at.wrong_said("window", &error.to_string());
            None
        }
    };
    if spec.min_bad == 0 {
        at.wrong("min_bad", "`min_bad` is 0", "write 1 or more: with 1, one bad request can fire");
    }
    if !at.is_fine() {
        return None;
    }
    Some(Objective {
        name: spec.name.clone(),
        service: service.to_owned(),
        route: spec.route.clone(),
        subject: subject?,
        target: spec.target,
        window: window?,
        min_bad: spec.min_bad,
    })
}

fn known<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.take(20).collect();
    if names.is_empty() { "there is none yet: declare it first".to_owned() } else { suggestion(written, &names) }
}

struct RuleReader<'a, 'p> {
    declared: &'a Declared<'a>,
    objectives: &'a [Arc<Objective>],
    spec: &'a RuleSpec,
    at: &'a mut Place<'p>,
}

impl RuleReader<'_, '_> {
    fn read(mut self) -> Option<Rule> {
        self.at.name(&self.spec.name);
        self.names();
        let owner = self.contract();
        let read = match (&self.spec.signal, &self.spec.sql, &self.spec.objective) {
            (Some(_), Some(_), _) => {
                self.at.wrong("sql", "`signal` and `sql` exclude each other", "keep one of the two");
                None
            }
            (None, Some(_), Some(_)) => {
                self.at.wrong("objective", "`sql` and `objective` exclude each other", "keep one of the two");
                None
            }
            (None, None, Some(name)) => self.burn(name),
            (None, None, None) => {
                let help = "add `signal:` (latency.p95, errors.ratio, ...), `sql:` or `objective:`";
                self.at.wrong("signal", "the rule watches nothing", help);
                None
            }
            (Some(name), None, _) => match name.parse::<Signal>() {
                Ok(signal) => self.threshold(What::Signal(signal)),
                Err(error) => {
                    self.at.wrong_said("signal", &error.to_string());
                    None
                }
            },
            (None, Some(sql), None) => {
                self.check_sql(sql);
                self.threshold(What::Sql(sql.clone()))
            }
        };
        let (kind, detects) = read?;
        if !self.at.is_fine() {
            return None;
        }
        let spec = self.spec;
        let info = RuleInfo {
            name: spec.name.clone(),
            class: spec.class,
            service: spec.service.clone().filter(|service| service != "*"),
            owner,
            action: spec.action.clone(),
            runbook: spec.runbook.clone(),
            due: spec.due,
            condition: detects.to_string(),
            detects: Some(detects),
            unit: unit_of(&kind),
        };
        let kind = match kind {
            RuleKind::Threshold { selector, spec, absent: Some(absent) } => {
                let AbsentRule { info: missing, spec: absent_spec } = absent;
                let info = RuleInfo {
                    name: format!("{}/absent", info.name),
                    class: missing.class,
                    condition: missing.condition.clone(),
                    detects: missing.detects.clone(),
                    ..info.clone()
                };
                RuleKind::Threshold {
                    selector,
                    spec,
                    absent: Some(AbsentRule { info: Arc::new(info), spec: absent_spec }),
                }
            }
            other => other,
        };
        Some(Rule { info: Arc::new(info), kind })
    }

    /// What the rule names has to be there.
    fn names(&mut self) {
        let services = &self.declared.services;
        if let Some(service) = self.spec.service.as_deref().filter(|name| *name != "*" && !services.contains_key(name))
        {
            let help = known(service, services.keys().copied());
            self.at.wrong("service", format!("there is no service `{service}`"), help);
        }
        let checks = &self.declared.checks;
        if let Some(check) = self.spec.check.as_deref().filter(|name| *name != "*" && !checks.contains(name)) {
            self.at.wrong("check", format!("there is no check `{check}`"), known(check, checks.iter().copied()));
        }
        let Some(runbook) = &self.spec.runbook else { return };
        let address = runbook.starts_with("https://") || runbook.starts_with("http://");
        if let Some(runbooks) =
            self.declared.runbooks.as_ref().filter(|runbooks| !address && !runbooks.contains(runbook.as_str()))
        {
            let help = known(runbook, runbooks.iter().copied()) + ", or an address that begins with https://";
            self.at.wrong("runbook", format!("there is no runbook `{runbook}`"), help);
        }
    }

    /// A class is a contract: what it asks for has to be there.
    fn contract(&mut self) -> Option<String> {
        let spec = self.spec;
        let service = spec.service.as_deref().and_then(|service| self.declared.services.get(service));
        let owner = spec.owner.as_deref().or(service.and_then(|service| service.owner));
        let owner = owner.filter(|owner| !owner.trim().is_empty()).map(str::to_owned);
        let reaches = |class: Class, absent: AbsentSpec| spec.class == class || spec.absent == absent;
        if owner.is_none() && spec.class != Class::Record {
            let message = format!("a rule of class {} needs an owner: somebody has to act", spec.class.as_str());
            self.at.wrong("owner", message, "add `owner:` here or to the service, or make it `class: record`");
        } else if owner.is_none() && matches!(spec.absent, AbsentSpec::Alert | AbsentSpec::Ticket) {
            self.at.wrong(
                "owner",
                "`absent` needs an owner: somebody has to act",
                "add `owner:` here or to the service",
            );
        }
        if reaches(Class::Alert, AbsentSpec::Alert) && spec.action.as_deref().is_none_or(|text| text.trim().is_empty())
        {
            let help = "add `action:` with what to do first, or make it `class: ticket`";
            self.at.wrong("action", "an alert needs an action: what to do at once, in a sentence", help);
        }
        if reaches(Class::Ticket, AbsentSpec::Ticket) && spec.due.is_none() {
            self.at.wrong("due", "a ticket needs a due date: how long it may take", "add `due:`, for example due: 3d");
        }
        if let Some(due) = spec.due {
            if !reaches(Class::Ticket, AbsentSpec::Ticket) {
                let message = format!("`due` has no meaning for a rule of class {}", spec.class.as_str());
                self.at.wrong("due", message, "remove `due`, or make it `class: ticket`");
            } else if due.micros() == 0 || due.micros() > 365 * DAY.micros() {
                self.at.wrong("due", format!("`{due}` cannot be a due date"), "write up to 365d, for example 3d");
            }
        }
        owner
    }

    fn objective(&mut self, name: &str) -> Option<Arc<Objective>> {
        let Some(service) = self.spec.service.as_deref().filter(|service| *service != "*") else {
            self.at.wrong("service", "`objective` needs the `service` whose objective it is", "add `service:`");
            return None;
        };
        let declared = self.declared.services.get(service)?;
        if !declared.objectives.iter().any(|objective| objective.name == name) {
            let help = known(name, declared.objectives.iter().map(|objective| objective.name.as_str()));
            self.at.wrong("objective", format!("service `{service}` has no objective `{name}`"), help);
            return None;
        }
        let found = self.objectives.iter().find(|objective| objective.service == service && objective.name == name);
        found.cloned()
    }

    fn burn(&mut self, name: &str) -> Option<(RuleKind, Detects)> {
        let spec = self.spec;
        let given = [
            ("above", spec.above.is_some()),
            ("below", spec.below.is_some()),
            ("clear_below", spec.clear_below.is_some()),
            ("clear_above", spec.clear_above.is_some()),
            ("window", spec.window.is_some()),
            ("hold", spec.hold.is_some()),
            ("route", spec.route.is_some()),
            ("host", spec.host.is_some()),
            ("check", spec.check.is_some()),
            ("absent", spec.absent != AbsentSpec::Ignore),
        ];
        for (key, _) in given.into_iter().filter(|(_, given)| *given) {
            let message = format!("`{key}` has no meaning with `objective`: the windows come from the objective");
            self.at.wrong(key, message, format!("remove `{key}`, or watch a `signal`"));
        }
        let objective = self.objective(name)?;
        let length = longest(&objective.window);
        let rows = ROWS.iter().filter(|row| spec.class == Class::Record || row.class == spec.class);
        for row in rows {
            if row.short().micros() < 2 * self.declared.interval.micros() {
                let message = format!(
                    "the window of {} is shorter than two evaluations ({} each)",
                    row.short(),
                    self.declared.interval
                );
                self.at.wrong("objective", message, "evaluate more often");
            }
            // The rows for outages in which most requests fail can always fire: no rule is silent as a whole.
            if matches!(row.measure, crate::burn::Measure::Share(_)) && !row.can_fire(length, &objective) {
                let message = if row.long().micros() > length.micros() {
                    format!("the row over {} is left out: it is longer than the objective's window", row.long())
                } else {
                    format!(
                        "the row over {} can never fire: it needs a burn above {:.2}, and with a target of {} % burn \
                         cannot exceed {:.2}",
                        row.long(),
                        row.threshold(length, &objective),
                        objective.target,
                        1.0 / objective.target.budget()
                    )
                };
                self.at.warn("objective", message, "the other rows of the class still watch it");
            }
        }
        let detects = Detects::Burn {
            objective: name.to_owned(),
            service: objective.service.clone(),
            target_percent: objective.target.percent(),
        };
        Some((RuleKind::Burn { objective: objective.key(), class: spec.class }, detects))
    }

    fn check_sql(&mut self, sql: &str) {
        let first = sql.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        if !matches!(first.as_str(), "select" | "with") {
            let help = "write for example SELECT service, count(*) AS value FROM requests GROUP BY service";
            self.at.wrong("sql", "the query does not begin with SELECT or WITH", help);
        }
        if sql.len() > MAX_SQL_BYTES {
            self.at.wrong("sql", "the query is longer than 16 KiB", "make it shorter");
        }
    }

    fn threshold(&mut self, what: What) -> Option<(RuleKind, Detects)> {
        let spec = self.spec;
        let signal = match &what {
            What::Signal(signal) => Some(signal.clone()),
            What::Sql(_) => None,
        };
        self.subject(signal.as_ref());
        let objective = match &spec.objective {
            Some(name) if signal.as_ref().is_some_and(Signal::is_of_objective) => Some(self.objective(name)?.key()),
            _ => None,
        };
        let unit = signal.as_ref().map_or(Unit::Any, Signal::unit);
        let threshold = self.limits(unit);
        let window = spec.window.unwrap_or(DEFAULT_WINDOW);
        if window < MIN_SPAN || window > MAX_SPAN {
            self.at.wrong("window", format!("a window of `{window}` cannot be used"), "write 1m to 3d");
        } else if window.micros() < 2 * self.declared.interval.micros() {
            let message = format!("the window of {window} is shorter than two evaluations");
            self.at.wrong(
                "window",
                message,
                format!("write at least {}", Span::from_micros(2 * self.declared.interval.micros())),
            );
        }
        if spec.process.as_ref().is_some_and(|words| words.is_empty() || words.len() > MAX_PROCESS) {
            let message = format!("`process` has to be 1 to {MAX_PROCESS} bytes of a command line");
            self.at.wrong("process", message, "write a part of it that no other process has");
        }
        let hold = spec.hold.unwrap_or_default();
        if hold > MAX_SPAN {
            self.at.wrong("hold", format!("a hold of `{hold}` cannot be used"), "write up to 3d");
        }
        let absent_after = spec.absent_after.unwrap_or(DEFAULT_ABSENT);
        if absent_after > DAY {
            self.at.wrong("absent_after", format!("`{absent_after}` is longer than a day"), "write up to 1d");
        }
        if spec.absent_after.is_some() && spec.absent == AbsentSpec::Ignore {
            self.at.wrong("absent_after", "`absent_after` has no meaning without `absent`", "add `absent: ticket`");
        }
        let host = match Scope::of(spec.host.as_deref()) {
            Scope::All if signal.as_ref().is_some_and(Signal::is_of_host) => Scope::Each,
            other => other,
        };
        let selector = Selector {
            what,
            service: Scope::of(spec.service.as_deref()),
            route: Scope::of(spec.route.as_deref()),
            host,
            check: Scope::of(spec.check.as_deref()),
            error_group: Scope::of(spec.error_group.as_deref()),
            heartbeat: Scope::of(spec.heartbeat.as_deref()),
            process: spec.process.clone(),
            objective,
            window,
        };
        let interval = self.declared.interval;
        let threshold = threshold?;
        let step = StepSpec { threshold, hold, interval };
        let measured = self.measured(&selector.what);
        let absent = self.absent(&measured, absent_after, interval);
        let detects = Detects::Limit {
            measured,
            side: threshold.side,
            limit: threshold.limit,
            written: spec.above.as_ref().or(spec.below.as_ref()).map(ToString::to_string).unwrap_or_default(),
            hold: Some(hold).filter(|hold| hold.micros() > 0),
            window,
        };
        Some((RuleKind::Threshold { selector: Box::new(selector), spec: step, absent }, detects))
    }

    /// A signal needs what it is a signal of, and nothing else.
    fn subject(&mut self, signal: Option<&Signal>) {
        let spec = self.spec;
        let Some(signal) = signal else { return };
        let requests = signal.is_of_requests();
        let group = matches!(signal, Signal::ErrorCount);
        let needs = [
            ("service", spec.service.is_some(), requests || (group && spec.error_group.is_none())),
            ("check", spec.check.is_some(), signal.is_of_check()),
            ("heartbeat", spec.heartbeat.is_some(), matches!(signal, Signal::HeartbeatAge)),
            ("process", spec.process.is_some(), matches!(signal, Signal::ProcessCount | Signal::ProcessRestarts)),
            ("objective", spec.objective.is_some(), signal.is_of_objective()),
        ];
        for (key, given, needed) in needs {
            if needed && !given {
                let each = if matches!(key, "process" | "objective") { "" } else { ", `*` for each" };
                self.at.wrong(key, format!("`{signal}` needs a `{key}`"), format!("add `{key}:` (a name{each})"));
            }
        }
        let meaningless = [
            ("route", spec.route.is_some() && !requests && !group),
            ("check", spec.check.is_some() && !signal.is_of_check()),
            ("heartbeat", spec.heartbeat.is_some() && !matches!(signal, Signal::HeartbeatAge)),
            ("process", spec.process.is_some() && !matches!(signal, Signal::ProcessCount | Signal::ProcessRestarts)),
            ("error_group", spec.error_group.is_some() && !group),
            ("objective", spec.objective.is_some() && !signal.is_of_objective()),
        ];
        for (key, _) in meaningless.into_iter().filter(|(_, meaningless)| *meaningless) {
            self.at.wrong(key, format!("`{key}` has no meaning for `{signal}`"), format!("remove `{key}`"));
        }
    }

    fn amount(&mut self, key: &str, amount: Option<&Amount>, unit: Unit) -> Option<f64> {
        match amount?.in_unit(unit) {
            Ok(value) => Some(value),
            Err(error) => {
                self.at.wrong_said(key, &error.to_string());
                None
            }
        }
    }

    fn limits(&mut self, unit: Unit) -> Option<Threshold> {
        let spec = self.spec;
        let (key, side, limit, clear_key, clear, wrong_key, wrong) = match (&spec.above, &spec.below) {
            (Some(above), None) => {
                ("above", Side::Above, above, "clear_below", &spec.clear_below, "clear_above", &spec.clear_above)
            }
            (None, Some(below)) => {
                ("below", Side::Below, below, "clear_above", &spec.clear_above, "clear_below", &spec.clear_below)
            }
            (Some(_), Some(_)) => {
                self.at.wrong("below", "`above` and `below` exclude each other", "make two rules of it");
                return None;
            }
            (None, None) => {
                let help = format!("add for example above: {}", unit.example());
                self.at.wrong("above", "there is no limit", help);
                return None;
            }
        };
        if wrong.is_some() {
            let message = format!("`{wrong_key}` has no meaning with `{key}`");
            self.at.wrong(wrong_key, message, format!("write `{clear_key}`"));
        }
        let limit = self.amount(key, Some(limit), unit);
        let clear = self.amount(clear_key, clear.as_ref(), unit);
        if let (Some(limit), Some(clear)) = (limit, clear) {
            let crossed = match side {
                Side::Above => clear > limit,
                Side::Below => clear < limit,
            };
            if crossed {
                let message = format!("`{clear_key}` lies on the firing side of `{key}`: it would end while it fires");
                self.at.wrong(clear_key, message, "write a limit on the good side");
            }
        }
        Some(Threshold { side, limit: limit?, clear })
    }

    fn measured(&self, what: &What) -> Measured {
        let signal = match what {
            What::Signal(signal) => Some(signal.to_string()),
            What::Sql(_) => None,
        };
        let spec = self.spec;
        // A service is told only without a route.
        let service = spec.service.as_ref().filter(|_| spec.route.is_none());
        let of = [
            (PartKind::Route, spec.route.as_ref()),
            (PartKind::Service, service),
            (PartKind::Host, spec.host.as_ref()),
            (PartKind::Check, spec.check.as_ref()),
            (PartKind::ErrorGroup, spec.error_group.as_ref()),
            (PartKind::Heartbeat, spec.heartbeat.as_ref()),
            (PartKind::Process, spec.process.as_ref()),
            (PartKind::Objective, spec.objective.as_ref()),
        ];
        let part = |(kind, name): (PartKind, Option<&String>)| {
            name.map(|name| Part { kind, name: Some(name.clone()).filter(|name| name != "*") })
        };
        Measured { signal, of: of.into_iter().filter_map(part).collect() }
    }

    fn absent(&self, measured: &Measured, after: Span, interval: Span) -> Option<AbsentRule> {
        let class = match self.spec.absent {
            AbsentSpec::Alert => Class::Alert,
            AbsentSpec::Ticket => Class::Ticket,
            AbsentSpec::Record => Class::Record,
            AbsentSpec::Ignore => return None,
        };
        let detects = Detects::NoData { measured: measured.clone(), after };
        let info = RuleInfo {
            name: String::new(),
            class,
            service: None,
            owner: None,
            action: None,
            runbook: None,
            due: None,
            condition: detects.to_string(),
            detects: Some(detects),
            unit: Unit::Any,
        };
        // 1 while it is missing, 0 while it is there.
        let threshold = Threshold { side: Side::Above, limit: 0.5, clear: None };
        Some(AbsentRule { info: Arc::new(info), spec: StepSpec { threshold, hold: after, interval } })
    }
}

fn unit_of(kind: &RuleKind) -> Unit {
    match kind {
        RuleKind::Threshold { selector, .. } => match &selector.what {
            What::Signal(signal) => signal.unit(),
            What::Sql(_) => Unit::Any,
        },
        RuleKind::Burn { .. } => Unit::Times,
    }
}

/// The longest that a period can be: a row that could not fire in it would be silent for a whole month.
fn longest(window: &Window) -> Span {
    let days = match window {
        Window::Rolling(span) => return *span,
        Window::Calendar(crate::window::Period::Week, _) => 7,
        Window::Calendar(crate::window::Period::Month, _) => 31,
        Window::Calendar(crate::window::Period::Quarter, _) => 92,
    };
    Span::from_micros(days * DAY.micros())
}

#[cfg(test)]
mod tests;
