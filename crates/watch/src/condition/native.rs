//! Conditions made of comparisons, as a tree that is evaluated without an interpreter.

use super::Request;
use super::check::{NULL_PREFIX, Variable};
use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};
use cel::parser::Expression;
use regex::{Regex, RegexBuilder};
use std::cmp::Ordering;

/// A part of a condition. Evaluates to `None` where the request does not say enough.
#[derive(Debug)]
pub(super) enum Node {
    Constant(bool),
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    /// Condition, then, else.
    If(Box<[Node; 3]>),
    Number {
        field: NumberField,
        compare: Compare,
        with: Number,
    },
    Text {
        field: TextField,
        test: TextTest,
    },
    /// Whether nothing is known of the field.
    Null(Field),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberField {
    Status,
    Duration,
    Bytes,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TextField {
    Method,
    Route,
    Path,
    Host,
    UserAgent,
    Service,
    Attr(String),
}

#[derive(Debug)]
pub(super) enum Field {
    Number(NumberField),
    Text(TextField),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Less,
    AtMost,
    Equal,
    NotEqual,
    AtLeast,
    Greater,
}

/// A number as it was written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Whole(i64),
    Fraction(f64),
}

#[derive(Debug)]
pub(super) enum TextTest {
    Equal(String),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    Matches(Regex),
}

/// A pattern of `matches`, within a size.
pub(super) fn regex(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(1 << 18).dfa_size_limit(1 << 20).build()
}

impl Compare {
    fn of(operator: &str) -> Option<Self> {
        Some(match operator {
            operators::LESS => Self::Less,
            operators::LESS_EQUALS => Self::AtMost,
            operators::EQUALS => Self::Equal,
            operators::NOT_EQUALS => Self::NotEqual,
            operators::GREATER_EQUALS => Self::AtLeast,
            operators::GREATER => Self::Greater,
            _ => return None,
        })
    }

    /// The same comparison with its sides swapped: `500 > status` is `status < 500`.
    fn swapped(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::AtMost => Self::AtLeast,
            Self::AtLeast => Self::AtMost,
            Self::Greater => Self::Less,
            Self::Equal | Self::NotEqual => self,
        }
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::AtLeast => order.is_ge(),
            Self::Greater => order.is_gt(),
        }
    }
}

impl NumberField {
    fn order(self, request: &Request<'_>, with: Number) -> Option<Ordering> {
        let whole = match self {
            Self::Duration => {
                let value = request.duration_us? as f64 / 1000.0;
                return match with {
                    Number::Whole(number) => value.partial_cmp(&(number as f64)),
                    Number::Fraction(number) => value.partial_cmp(&number),
                };
            }
            Self::Status => i64::from(request.status),
            Self::Bytes => i64::try_from(request.bytes?).unwrap_or(i64::MAX),
        };
        match with {
            Number::Whole(number) => Some(whole.cmp(&number)),
            Number::Fraction(number) => (whole as f64).partial_cmp(&number),
        }
    }
}

impl TextField {
    fn of<'a>(&self, request: &Request<'a>) -> Option<&'a str> {
        match self {
            Self::Method => Some(request.method),
            Self::Route => Some(request.route),
            Self::Path => Some(request.path),
            Self::Service => Some(request.service),
            Self::Host => request.host,
            Self::UserAgent => request.user_agent,
            // The last of several, as a map keeps it.
            Self::Attr(key) => request.attrs.iter().rev().find(|(name, _)| name == key).map(|(_, value)| *value),
        }
    }
}

impl TextTest {
    fn holds(&self, text: &str) -> bool {
        match self {
            Self::Equal(wanted) => text == wanted,
            Self::StartsWith(start) => text.starts_with(start.as_str()),
            Self::EndsWith(end) => text.ends_with(end.as_str()),
            Self::Contains(part) => text.contains(part.as_str()),
            Self::Matches(pattern) => pattern.is_match(text),
        }
    }
}

impl Node {
    pub(super) fn eval(&self, request: &Request<'_>) -> Option<bool> {
        match self {
            Self::Constant(value) => Some(*value),
            Self::All(parts) => decide(parts, request, false),
            Self::Any(parts) => decide(parts, request, true),
            Self::Not(part) => part.eval(request).map(|holds| !holds),
            Self::If(parts) => {
                let [condition, yes, no] = parts.as_ref();
                if condition.eval(request)? { yes.eval(request) } else { no.eval(request) }
            }
            Self::Number { field, compare, with } => field.order(request, *with).map(|order| compare.holds(order)),
            Self::Text { field, test } => field.of(request).map(|text| test.holds(text)),
            Self::Null(field) => Some(match field {
                Field::Number(NumberField::Status) => false,
                Field::Number(NumberField::Duration) => request.duration_us.is_none(),
                Field::Number(NumberField::Bytes) => request.bytes.is_none(),
                Field::Text(field) => field.of(request).is_none(),
            }),
        }
    }
}

/// `deciding` as soon as one part says so; unknown if none did and one is unknown.
fn decide(parts: &[Node], request: &Request<'_>, deciding: bool) -> Option<bool> {
    let mut result = Some(!deciding);
    for part in parts {
        match part.eval(request) {
            Some(value) if value == deciding => return Some(deciding),
            Some(_) => {}
            None => result = None,
        }
    }
    result
}

/// The tree of a checked expression; `None` where it is more than comparisons with written values.
pub(super) fn translate(expression: &Expression) -> Option<Node> {
    match &expression.expr {
        Expr::Literal(LiteralValue::Boolean(value)) => Some(Node::Constant(*value.inner())),
        Expr::Ident(name) => Some(Node::Null(match named(Variable::named(name.strip_prefix(NULL_PREFIX)?)?)? {
            Field::Number(field) => Field::Number(field),
            Field::Text(field) => Field::Text(field),
        })),
        Expr::Select(select) if select.test => {
            let attrs = Expr::Ident("attrs".to_owned());
            let key = (select.operand.expr == attrs).then(|| select.field.clone())?;
            Some(Node::Not(Box::new(Node::Null(Field::Text(TextField::Attr(key))))))
        }
        Expr::Call(call) => self::call(call),
        _ => None,
    }
}

fn call(call: &CallExpr) -> Option<Node> {
    let all = |parts: &[Expression]| parts.iter().map(translate).collect::<Option<Vec<Node>>>();
    match (call.func_name.as_str(), call.args.as_slice()) {
        (operators::LOGICAL_AND, parts) => all(parts).map(Node::All),
        (operators::LOGICAL_OR, parts) => all(parts).map(Node::Any),
        (operators::LOGICAL_NOT, [part]) => translate(part).map(|part| Node::Not(Box::new(part))),
        (operators::CONDITIONAL, parts) => {
            let parts: [Node; 3] = all(parts)?.try_into().ok()?;
            Some(Node::If(Box::new(parts)))
        }
        (operators::IN, [left, right]) => {
            let Expr::List(list) = &right.expr else { return None };
            // CEL evaluates the left side even when the list is empty; a tree without leaves would not.
            let parts: Option<Vec<Node>> =
                list.elements.iter().map(|value| comparison(Compare::Equal, left, value)).collect();
            parts.filter(|parts| !parts.is_empty()).map(Node::Any)
        }
        (name @ ("startsWith" | "endsWith" | "contains" | "matches"), args) => {
            let ((Some(subject), [argument]) | (None, [subject, argument])) = (call.target.as_deref(), args) else {
                return None;
            };
            let Field::Text(field) = self::field(subject)? else { return None };
            let text = literal_text(argument)?;
            let test = match name {
                "startsWith" => TextTest::StartsWith(text),
                "endsWith" => TextTest::EndsWith(text),
                "contains" => TextTest::Contains(text),
                _ => TextTest::Matches(regex(&text).ok()?),
            };
            Some(Node::Text { field, test })
        }
        (operator, [left, right]) => {
            let compare = Compare::of(operator)?;
            comparison(compare, left, right).or_else(|| comparison(compare.swapped(), right, left))
        }
        _ => None,
    }
}

fn comparison(compare: Compare, left: &Expression, right: &Expression) -> Option<Node> {
    match field(left)? {
        Field::Number(field) => Some(Node::Number { field, compare, with: literal_number(right)? }),
        Field::Text(field) => {
            let equal = Node::Text { field, test: TextTest::Equal(literal_text(right)?) };
            match compare {
                Compare::Equal => Some(equal),
                Compare::NotEqual => Some(Node::Not(Box::new(equal))),
                Compare::Less | Compare::AtMost | Compare::AtLeast | Compare::Greater => None,
            }
        }
    }
}

/// A variable, `attrs.key` or `attrs["key"]`.
fn field(expression: &Expression) -> Option<Field> {
    let attrs = |operand: &Expression| operand.expr == Expr::Ident("attrs".to_owned());
    match &expression.expr {
        Expr::Ident(name) => named(Variable::named(name)?),
        Expr::Select(select) if !select.test && attrs(&select.operand) => {
            Some(Field::Text(TextField::Attr(select.field.clone())))
        }
        Expr::Call(call) if call.func_name == operators::INDEX => {
            let [operand, key] = call.args.as_slice() else { return None };
            attrs(operand).then(|| literal_text(key)).flatten().map(|key| Field::Text(TextField::Attr(key)))
        }
        _ => None,
    }
}

fn named(variable: Variable) -> Option<Field> {
    Some(match variable {
        Variable::Status => Field::Number(NumberField::Status),
        Variable::Duration => Field::Number(NumberField::Duration),
        Variable::Bytes => Field::Number(NumberField::Bytes),
        Variable::Method => Field::Text(TextField::Method),
        Variable::Route => Field::Text(TextField::Route),
        Variable::Path => Field::Text(TextField::Path),
        Variable::Host => Field::Text(TextField::Host),
        Variable::UserAgent => Field::Text(TextField::UserAgent),
        Variable::Service => Field::Text(TextField::Service),
        Variable::Attrs => return None,
    })
}

fn literal_text(expression: &Expression) -> Option<String> {
    match &expression.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner().to_owned()),
        _ => None,
    }
}

fn literal_number(expression: &Expression) -> Option<Number> {
    match &expression.expr {
        Expr::Literal(LiteralValue::Int(number)) => Some(Number::Whole(*number.inner())),
        Expr::Literal(LiteralValue::UInt(number)) => i64::try_from(*number.inner()).ok().map(Number::Whole),
        Expr::Literal(LiteralValue::Double(number)) => Some(Number::Fraction(*number.inner())),
        Expr::Call(call) if call.func_name == operators::NEGATE => match literal_number(call.args.first()?)? {
            Number::Whole(number) => number.checked_neg().map(Number::Whole),
            Number::Fraction(number) => Some(Number::Fraction(-number)),
        },
        _ => None,
    }
}
