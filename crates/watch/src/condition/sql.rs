//! A condition as a boolean SQL expression over the `requests` table.
//!
//! SQL's own three-valued logic is the condition's: NULL is unknown. Texts are quoted here and nowhere else.

use super::native::{Compare, Field, Node, Number, NumberField, TextField, TextTest};

/// The expression; `None` where a number would not survive the translation.
pub(super) fn predicate(node: &Node) -> Option<String> {
    Some(match node {
        Node::Constant(true) => "TRUE".to_owned(),
        Node::Constant(false) => "FALSE".to_owned(),
        Node::All(parts) => joined(parts, " AND ")?,
        Node::Any(parts) => joined(parts, " OR ")?,
        Node::Not(part) => format!("(NOT {})", predicate(part)?),
        Node::If(parts) => {
            let [condition, yes, no] = parts.as_ref();
            let condition = predicate(condition)?;
            format!("(CASE WHEN {condition} THEN {} WHEN NOT {condition} THEN {} END)", predicate(yes)?, predicate(no)?)
        }
        Node::Number { field, compare, with } => number(*field, *compare, *with)?,
        Node::Text { field, test } => text(field, test),
        Node::Null(field) => match field {
            Field::Number(NumberField::Status)
            | Field::Text(TextField::Method | TextField::Route | TextField::Path | TextField::Service) => {
                "FALSE".to_owned()
            }
            Field::Number(NumberField::Duration) => "(duration_us IS NULL)".to_owned(),
            Field::Number(NumberField::Bytes) => "(bytes IS NULL)".to_owned(),
            Field::Text(field @ (TextField::Host | TextField::UserAgent | TextField::Attr(_))) => {
                format!("({} IS NULL)", column(field))
            }
        },
    })
}

fn joined(parts: &[Node], between: &str) -> Option<String> {
    let parts: Vec<String> = parts.iter().map(predicate).collect::<Option<_>>()?;
    Some(format!("({})", parts.join(between)))
}

fn number(field: NumberField, compare: Compare, with: Number) -> Option<String> {
    let operator = match compare {
        Compare::Less => "<",
        Compare::AtMost => "<=",
        Compare::Equal => "=",
        Compare::NotEqual => "<>",
        Compare::AtLeast => ">=",
        Compare::Greater => ">",
    };
    Some(match (field, with) {
        (NumberField::Duration, Number::Whole(ms)) => format!("(duration_us {operator} {})", ms.checked_mul(1000)?),
        (NumberField::Duration, Number::Fraction(ms)) => {
            format!("(CAST(duration_us AS DOUBLE) / 1000.0 {operator} {})", float(ms)?)
        }
        (NumberField::Status, Number::Whole(number)) => format!("(status {operator} {number})"),
        (NumberField::Status, Number::Fraction(number)) => {
            format!("(CAST(status AS DOUBLE) {operator} {})", float(number)?)
        }
        (NumberField::Bytes, Number::Whole(number)) => format!("(bytes {operator} {number})"),
        (NumberField::Bytes, Number::Fraction(number)) => {
            format!("(CAST(bytes AS DOUBLE) {operator} {})", float(number)?)
        }
    })
}

fn float(number: f64) -> Option<String> {
    number.is_finite().then(|| format!("{number:?}"))
}

fn text(field: &TextField, test: &TextTest) -> String {
    let column = column(field);
    match test {
        TextTest::Equal(text) => format!("({column} = {})", quoted(text)),
        TextTest::StartsWith(text) => format!("starts_with({column}, {})", quoted(text)),
        TextTest::EndsWith(text) => format!("ends_with({column}, {})", quoted(text)),
        TextTest::Contains(text) => format!("contains({column}, {})", quoted(text)),
        TextTest::Matches(pattern) => format!("regexp_like({column}, {})", quoted(pattern.as_str())),
    }
}

fn column(field: &TextField) -> String {
    match field {
        TextField::Method => "method".to_owned(),
        TextField::Route => "route".to_owned(),
        TextField::Path => "path".to_owned(),
        TextField::Host => "host".to_owned(),
        TextField::Service => "service".to_owned(),
        TextField::UserAgent => "attrs['user_agent']".to_owned(),
        TextField::Attr(key) => format!("attrs[{}]", quoted(key)),
    }
}

/// A text as a SQL literal.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
