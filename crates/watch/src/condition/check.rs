//! Reading a condition: names, types and the places of mistakes.

use super::MAX_CONDITION_BYTES;
use crate::words::suggestion;
use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue, SelectExpr, SourceInfo, operators};
use cel::parser::{Expression, Parser};
use std::fmt;

/// What a condition can ask about.
pub const VARIABLES: [&str; 10] =
    ["status", "duration_ms", "method", "route", "path", "host", "user_agent", "service", "bytes", "attrs"];
/// Functions and methods that a condition can call.
const FUNCTIONS: [&str; 8] = ["contains", "startsWith", "endsWith", "matches", "size", "int", "double", "string"];
/// Before the name of a variable: "nothing is known of it", a boolean. Can't be written by people.
pub(super) const NULL_PREFIX: &str = "@null:";
/// Deepest nesting.
const MAX_DEPTH: u16 = 40;

/// Why a text is no condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionError {
    /// Column in the text, in characters from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}
impl fmt::Display for ConditionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (column {}); {}", self.message, self.column, self.help)
    }
}
impl std::error::Error for ConditionError {}

/// A variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variable {
    Status,
    Duration,
    Method,
    Route,
    Path,
    Host,
    UserAgent,
    Service,
    Bytes,
    Attrs,
}

impl Variable {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "status" => Self::Status,
            "duration_ms" => Self::Duration,
            "method" => Self::Method,
            "route" => Self::Route,
            "path" => Self::Path,
            "host" => Self::Host,
            "user_agent" => Self::UserAgent,
            "service" => Self::Service,
            "bytes" => Self::Bytes,
            "attrs" => Self::Attrs,
            _ => return None,
        })
    }

    fn kind(self) -> Type {
        match self {
            Self::Status | Self::Duration | Self::Bytes => Type::Number,
            Self::Method | Self::Route | Self::Path | Self::Host | Self::UserAgent | Self::Service => Type::Text,
            Self::Attrs => Type::Map,
        }
    }
}

/// A condition that can be evaluated.
pub(super) struct Parsed {
    pub(super) expression: Expression,
    pub(super) asks_duration: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Bool,
    Number,
    Text,
    List,
    Map,
    Null,
    /// Not known before evaluation.
    Any,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::List => "a list",
            Self::Map => "a map",
            Self::Null => "null",
            Self::Any => "a value",
        })
    }
}

impl Type {
    fn fits(self, wanted: Self) -> bool {
        self == wanted || self == Self::Any
    }
}

/// Reads and checks a condition.
pub(super) fn parse(text: &str) -> Result<Parsed, ConditionError> {
    let whole = |message: String, help: &str| ConditionError { column: 1, message, help: help.to_owned() };
    if text.trim().is_empty() {
        return Err(whole("the condition is empty".to_owned(), "write for example status < 500"));
    }
    if text.len() > MAX_CONDITION_BYTES {
        let message = format!("the condition is {} bytes long, {MAX_CONDITION_BYTES} are allowed", text.len());
        return Err(whole(message, "make it shorter"));
    }
    let parser = Parser::new().max_recursion_depth(MAX_DEPTH).error_recovery_limit(3);
    let (mut expression, source) = parser.parse_with_source_info(text).map_err(|errors| {
        let first = errors.errors.first();
        let column = first.map_or(1, |error| usize::try_from(error.pos.1).unwrap_or(0).max(1));
        let said = first.map_or("it cannot be read", |error| error.msg.as_str());
        ConditionError {
            column,
            message: format!("the condition cannot be read: {}", said.lines().next().unwrap_or_default()),
            help: "write CEL, for example status < 500 && method == \"GET\"".to_owned(),
        }
    })?;
    let mut checker = Checker { text, source: &source, locals: Vec::new(), loops: 0, asks_duration: false };
    let found = checker.check(&mut expression)?;
    if found != Type::Bool {
        let help = match found {
            Type::Number => "compare it, for example status < 500",
            Type::Text => "compare it, for example method == \"GET\"",
            _ => "make it a comparison: true for requests that are meant",
        };
        return Err(checker.error(&expression, format!("the condition gives {found}, not a boolean"), help));
    }
    let asks_duration = checker.asks_duration;
    Ok(Parsed { expression, asks_duration })
}

struct Checker<'a> {
    text: &'a str,
    source: &'a SourceInfo,
    /// Variables of a loop (`exists`, `all`, ...) around what is being looked at.
    locals: Vec<(String, Type)>,
    loops: usize,
    asks_duration: bool,
}

impl Checker<'_> {
    fn error(&self, at: &Expression, message: impl Into<String>, help: impl Into<String>) -> ConditionError {
        let offset = self.source.offset_for(self.leftmost(at)).map_or(0, |(start, _)| start as usize);
        // The parser counts characters.
        let column = offset.min(self.text.chars().count()) + 1;
        ConditionError { column, message: message.into(), help: help.into() }
    }

    /// The node of an expression that was written first: an operator's own place is between its operands.
    fn leftmost(&self, at: &Expression) -> u64 {
        let first = match &at.expr {
            Expr::Call(call) => call.target.as_deref().or(call.args.first()).filter(|inner| self.before(inner, at)),
            Expr::Select(select) => Some(select.operand.as_ref()),
            _ => None,
        };
        first.map_or(at.id, |inner| self.leftmost(inner))
    }

    fn before(&self, inner: &Expression, outer: &Expression) -> bool {
        let start = |expression: &Expression| self.source.offset_for(expression.id).map(|(start, _)| start);
        start(inner) < start(outer)
    }

    fn check(&mut self, expression: &mut Expression) -> Result<Type, ConditionError> {
        if let Some(rewritten) = null_comparison(expression) {
            if let Some(name) = asked_of_null(&rewritten)
                && Variable::named(name).is_none()
            {
                return Err(self.unknown_variable(expression, name));
            }
            expression.expr = rewritten;
            return Ok(Type::Bool);
        }
        let mut taken = std::mem::take(&mut expression.expr);
        let shown = Expression { id: expression.id, expr: Expr::Unspecified };
        let result = match &mut taken {
            Expr::Literal(literal) => Ok(match literal {
                LiteralValue::Boolean(_) => Type::Bool,
                LiteralValue::Int(_) | LiteralValue::UInt(_) | LiteralValue::Double(_) => Type::Number,
                LiteralValue::String(_) => Type::Text,
                LiteralValue::Null => Type::Null,
                LiteralValue::Bytes(_) => Type::Any,
            }),
            Expr::Ident(name) => self.ident(&shown, name),
            Expr::Select(select) => self.select(&shown, select),
            Expr::Call(call) => self.call(&shown, call),
            Expr::List(list) => {
                let checked: Result<Vec<_>, _> = list.elements.iter_mut().map(|element| self.check(element)).collect();
                checked.map(|_| Type::List)
            }
            Expr::Comprehension(comprehension) => self.comprehension(&shown, comprehension),
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                Err(self.error(&shown, "this has no meaning in a condition", "compare a variable with a value"))
            }
        };
        expression.expr = taken;
        result
    }

    fn ident(&mut self, at: &Expression, name: &str) -> Result<Type, ConditionError> {
        if let Some((_, kind)) = self.locals.iter().rev().find(|(local, _)| local == name) {
            return Ok(*kind);
        }
        let variable = Variable::named(name).ok_or_else(|| self.unknown_variable(at, name))?;
        self.asks_duration |= variable == Variable::Duration;
        Ok(variable.kind())
    }

    fn unknown_variable(&self, at: &Expression, name: &str) -> ConditionError {
        self.error(at, format!("unknown variable `{name}`"), suggestion(name, &VARIABLES))
    }

    fn select(&mut self, at: &Expression, select: &mut SelectExpr) -> Result<Type, ConditionError> {
        match self.check(&mut select.operand)? {
            Type::Map | Type::Any if select.test => Ok(Type::Bool),
            Type::Map => Ok(Type::Text),
            Type::Any => Ok(Type::Any),
            other => {
                let message = format!("`.{}` is asked of {other}", select.field);
                Err(self.error(&select.operand, message, "only attrs has fields: attrs.tenant")).map_err(|mut error| {
                    error.column = error.column.max(self.error(at, "", "").column);
                    error
                })
            }
        }
    }

    fn call(&mut self, at: &Expression, call: &mut CallExpr) -> Result<Type, ConditionError> {
        let name = call.func_name.clone();
        let target = call.target.as_deref_mut().map(|target| self.check(target)).transpose()?;
        let types: Vec<Type> = call.args.iter_mut().map(|arg| self.check(arg)).collect::<Result<_, _>>()?;
        let first = call.target.as_deref().or(call.args.first()).unwrap_or(at);
        let want = |types: &[Type], wanted: Type| types.iter().position(|found| !found.fits(wanted));
        let wrong = |index: usize, wanted: Type| {
            let message = format!("{} stands where {wanted} is needed", types[index]);
            Err(self.error(&call.args[index], message, format!("write {wanted} here")))
        };
        match (name.as_str(), types.as_slice()) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT, _) => {
                want(&types, Type::Bool).map_or(Ok(Type::Bool), |index| wrong(index, Type::Bool))
            }
            (operators::CONDITIONAL, [condition, yes, no]) => {
                if !condition.fits(Type::Bool) {
                    return wrong(0, Type::Bool);
                }
                Ok(if yes == no { *yes } else { Type::Any })
            }
            (operators::EQUALS | operators::NOT_EQUALS, [left, right]) => {
                if left.fits(*right) || right.fits(*left) {
                    return Ok(Type::Bool);
                }
                self.mismatch(first, *left, *right)
            }
            (operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS, [l, r]) => {
                let comparable = |kind: Type| (l.fits(kind) && r.fits(kind)) || *l == Type::Any || *r == Type::Any;
                if comparable(Type::Number) || comparable(Type::Text) {
                    return Ok(Type::Bool);
                }
                self.mismatch(first, *l, *r)
            }
            (operators::IN, [_, right]) => match right {
                Type::List | Type::Map | Type::Any => Ok(Type::Bool),
                _ => wrong(1, Type::List),
            },
            (operators::INDEX, [left, _]) => match left {
                Type::Map => Ok(Type::Text),
                Type::List | Type::Any => Ok(Type::Any),
                _ => wrong(0, Type::Map),
            },
            (operators::ADD, [left, right])
                if left.fits(*right) && matches!(left, Type::Number | Type::Text | Type::List | Type::Any) =>
            {
                Ok(*left)
            }
            (
                operators::ADD
                | operators::SUBSTRACT
                | operators::MULTIPLY
                | operators::DIVIDE
                | operators::MODULO
                | operators::NEGATE,
                _,
            ) => want(&types, Type::Number).map_or(Ok(Type::Number), |index| wrong(index, Type::Number)),
            ("contains" | "startsWith" | "endsWith" | "matches", _) => {
                let all: Vec<Type> = target.into_iter().chain(types.iter().copied()).collect();
                if all.len() != 2 || all.iter().any(|kind| !kind.fits(Type::Text)) {
                    let help = format!("write for example path.{name}(\"/cart\")");
                    return Err(self.error(first, format!("`{name}` compares two texts"), help));
                }
                if name == "matches" {
                    self.check_pattern(call)?;
                }
                Ok(Type::Bool)
            }
            ("size" | "int" | "double", _) if usize::from(target.is_some()) + types.len() == 1 => Ok(Type::Number),
            ("string", [_]) if target.is_none() => Ok(Type::Text),
            (known, _) if FUNCTIONS.contains(&known) => {
                let help = format!("write {known}(...) with one value");
                Err(self.error(first, format!("`{known}` has the wrong number of values"), help))
            }
            // What a loop (`exists`, `all`) is made of.
            (operators::NOT_STRICTLY_FALSE, _) => Ok(Type::Bool),
            (unknown, _) => {
                Err(self.error(at, format!("unknown function `{unknown}`"), suggestion(unknown, &FUNCTIONS)))
            }
        }
    }

    fn mismatch(&self, at: &Expression, left: Type, right: Type) -> Result<Type, ConditionError> {
        let help = match (left, right) {
            (Type::Number, Type::Text) => "write the number without quotes",
            (Type::Text, Type::Number) => "write the text in quotes",
            _ => "compare values of one kind",
        };
        Err(self.error(at, format!("{left} is compared with {right}"), help))
    }

    /// A pattern that is written out must be readable now, not on the first request.
    fn check_pattern(&self, call: &CallExpr) -> Result<(), ConditionError> {
        let Some(argument) = call.args.last() else { return Ok(()) };
        let Expr::Literal(LiteralValue::String(pattern)) = &argument.expr else {
            let help = "write the pattern in quotes";
            return Err(self.error(argument, "the pattern of `matches` is not written out", help));
        };
        super::native::regex(pattern.inner()).map(|_| ()).map_err(|error| {
            let said = error.to_string();
            let said = said.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            self.error(
                argument,
                format!("the pattern of `matches` cannot be used: {said}"),
                "write a regular expression",
            )
        })
    }

    fn comprehension(&mut self, at: &Expression, part: &mut ComprehensionExpr) -> Result<Type, ConditionError> {
        if self.loops > 0 {
            return Err(self.error(at, "a loop stands inside a loop", "write two conditions with && or ||"));
        }
        match self.check(&mut part.iter_range)? {
            Type::List | Type::Map | Type::Any => {}
            other => {
                let help = "write a list before it: [\"/a\", \"/b\"].exists(p, path.startsWith(p))";
                return Err(self.error(&part.iter_range, format!("a loop goes over {other}"), help));
            }
        }
        if VARIABLES.contains(&part.iter_var.as_str()) {
            let message = format!("`{}` is already the name of a variable", part.iter_var);
            return Err(self.error(at, message, "call the loop's variable x"));
        }
        self.loops += 1;
        let accumulated = self.check(&mut part.accu_init)?;
        let before = self.locals.len();
        self.locals.push((part.iter_var.clone(), Type::Any));
        self.locals.extend(part.iter_var2.clone().map(|name| (name, Type::Any)));
        self.locals.push((part.accu_var.clone(), accumulated));
        let inner = self
            .check(&mut part.loop_cond)
            .and_then(|_| self.check(&mut part.loop_step))
            .and_then(|_| self.check(&mut part.result));
        self.locals.truncate(before);
        self.loops -= 1;
        inner
    }
}

/// `x == null` and `x != null` as a question with a boolean answer.
fn null_comparison(expression: &Expression) -> Option<Expr> {
    let Expr::Call(call) = &expression.expr else { return None };
    let negated = match call.func_name.as_str() {
        operators::EQUALS => false,
        operators::NOT_EQUALS => true,
        _ => return None,
    };
    let [left, right] = call.args.as_slice() else { return None };
    let is_null = |side: &Expression| matches!(side.expr, Expr::Literal(LiteralValue::Null));
    let asked = match (is_null(left), is_null(right)) {
        (false, true) => left,
        (true, false) => right,
        _ => return None,
    };
    let not = |id: u64, inner: Expr| {
        let args = vec![Expression { id, expr: inner }];
        Expr::Call(CallExpr { func_name: operators::LOGICAL_NOT.to_owned(), target: None, args })
    };
    let id = expression.id;
    match &asked.expr {
        Expr::Ident(name) => {
            let unknown = Expr::Ident(format!("{NULL_PREFIX}{name}"));
            Some(if negated { not(id, unknown) } else { unknown })
        }
        Expr::Select(select) if select.operand.expr == Expr::Ident("attrs".to_owned()) => {
            let known = Expr::Select(SelectExpr { test: true, ..select.clone() });
            Some(if negated { known } else { not(id, known) })
        }
        _ => None,
    }
}

/// The variable that a rewritten null comparison is about.
fn asked_of_null(rewritten: &Expr) -> Option<&str> {
    match rewritten {
        Expr::Ident(name) => name.strip_prefix(NULL_PREFIX),
        Expr::Call(call) => call.args.first().and_then(|inner| asked_of_null(&inner.expr)),
        _ => None,
    }
}
