//! A filter as an expression of the query engine: the same answers as [`Filter::matches`], with what Parquet's
//! statistics and Bloom filters can skip left visible to it.

use super::functions::{attr, contains_folded_in};
use datafusion::logical_expr::{Expr, col, lit};
use signal::filter::{Compare, Field, Filter, Node, NumberField, Pattern, Term, TextField};

/// Rows of a service and route that match the filter; `None` for all rows.
pub fn selected(filter: Option<&Filter>, service: Option<&str>, route: Option<&str>) -> Option<Expr> {
    let service = service.map(|service| col("service").eq(lit(service)));
    let route = route.map(|route| col("route").eq(lit(route)));
    let rest = filter.and_then(Filter::root).map(node);
    service.into_iter().chain(route).chain(rest).reduce(Expr::and)
}

/// The values of a field.
pub fn field(field: &Field) -> Expr {
    match field {
        Field::Text(text) => text_field(text),
        Field::Number(number) => number_field(*number),
    }
}

/// True for rows that match. For others it may be unknown instead of false: the engine drops both, and below a NOT
/// both are turned round.
fn node(part: &Node) -> Expr {
    match part {
        Node::All(parts) => parts.iter().map(node).reduce(Expr::and).unwrap_or_else(|| lit(true)),
        Node::Any(parts) => parts.iter().map(node).reduce(Expr::or).unwrap_or_else(|| lit(false)),
        Node::Not(part) => node(part).is_not_true(),
        Node::Term(part) => term(part),
    }
}

fn term(term: &Term) -> Expr {
    match term {
        Term::Anywhere(folded) => contains_folded_in(col("path"), folded).or(contains_folded_in(col("route"), folded)),
        Term::Text { field, pattern, different } => text(text_field(field), pattern, *different),
        Term::Number { field, compare, value } => {
            let (left, right) = (number_field(*field), lit(*value));
            match compare {
                Compare::Less => left.lt(right),
                Compare::AtMost => left.lt_eq(right),
                Compare::Equal => left.eq(right),
                Compare::NotEqual => left.not_eq(right),
                Compare::AtLeast => left.gt_eq(right),
                Compare::Greater => left.gt(right),
            }
        }
    }
}

fn text(value: Expr, pattern: &Pattern, different: bool) -> Expr {
    if let Some(exact) = pattern.as_exact() {
        return if different { value.not_eq(lit(exact)) } else { value.eq(lit(exact)) };
    }
    if pattern.pieces().iter().all(String::is_empty) {
        return if different { lit(false) } else { value.is_not_null() };
    }
    let like = lit(like(pattern));
    if different { value.not_like(like) } else { value.like(like) }
}

/// The pattern with `%` between its pieces, and what LIKE would take for a wildcard escaped.
fn like(pattern: &Pattern) -> String {
    let mut out = String::new();
    for (at, piece) in pattern.pieces().iter().enumerate() {
        if at > 0 {
            out.push('%');
        }
        for c in piece.chars() {
            if matches!(c, '%' | '_' | '\\') {
                out.push('\\');
            }
            out.push(c);
        }
    }
    out
}

fn text_field(field: &TextField) -> Expr {
    match field {
        TextField::Service => col("service"),
        TextField::Host => col("host"),
        TextField::Method => col("method"),
        TextField::Route => col("route"),
        TextField::Path => col("path"),
        TextField::User => col("user_key"),
        TextField::Trace => col("trace_id"),
        TextField::Source => col("source"),
        TextField::Attr(key) => attr(key),
    }
}

fn number_field(field: NumberField) -> Expr {
    match field {
        NumberField::Status => col("status"),
        NumberField::Duration => col("duration_us"),
        NumberField::Bytes => col("bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_like_would_take_for_a_wildcard_is_escaped() {
        for (pieces, want) in [
            (vec!["a", ""], "a%"),
            (vec!["100%_", "\\", "x"], "100\\%\\_%\\\\%x"),
            (vec!["", "x", ""], "%x%"),
            (vec!["\\", "%"], "\\\\%\\%"),
        ] {
            let pattern = Pattern::from_pieces(pieces.into_iter().map(str::to_owned).collect());
            assert_eq!(like(&pattern), want);
        }
    }
}
