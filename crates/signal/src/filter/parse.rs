//! Reads a filter. Every mistake is named with its column and the way to write it.

use super::pattern::{Pattern, fold};
use super::{Compare, Field, MAX_DEPTH, MAX_FILTER_BYTES, MAX_TERMS, Node, NumberField, Term, TextField};

/// Why a text is no filter, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {}: {problem}", .position + 1)]
pub struct FilterError {
    /// Characters in front of the mistake.
    pub position: usize,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a filter, and how to write it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Longer than [`MAX_FILTER_BYTES`].
    #[error("the filter has {0} bytes, {MAX_FILTER_BYTES} allowed; shorten it")]
    TooLong(usize),
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("parentheses and NOT are nested deeper than {MAX_DEPTH}; flatten the filter")]
    TooDeep,
    /// More than [`MAX_TERMS`].
    #[error("the filter has more than {MAX_TERMS} terms; split it")]
    TooManyTerms,
    /// A quote that is not closed.
    #[error("this quote is not closed; add \" at its end, or write \\\" for a quote inside")]
    UnclosedQuote,
    /// A parenthesis that is not closed.
    #[error("this parenthesis is not closed; add ), or quote the text")]
    UnclosedParenthesis,
    /// A parenthesis that was not opened.
    #[error("this ) closes nothing; remove it, or quote the text")]
    UnopenedParenthesis,
    /// Nothing to combine or negate.
    #[error("nothing follows {0}; add a term, or quote \"{0}\" to search for it")]
    MissingTerm(String),
    /// Nothing in front of OR or AND.
    #[error("nothing is in front of {0}; add a term, or quote \"{0}\" to search for it")]
    MissingLeft(String),
    /// A comparison without a field.
    #[error("a field has to be in front of {0}; for example status{0}500")]
    MissingField(String),
    /// A field without a value.
    #[error("a value has to follow {0} without a space; for an empty one write {0}\"\"")]
    MissingValue(String),
    /// An order of texts.
    #[error(
        "{field} is text, {operator} compares numbers (status, duration, bytes); write {field}:value or {field}:val*"
    )]
    TextCompared {
        /// The field.
        field: String,
        /// The operator.
        operator: String,
    },
    /// A value that is no number.
    #[error("{given:?} is no number; write for example {example}")]
    NotANumber {
        /// What was written.
        given: String,
        /// How it can be written.
        example: &'static str,
    },
    /// A unit that is not known.
    #[error("{given:?} has no known unit; use one of {allowed}")]
    UnknownUnit {
        /// What was written.
        given: String,
        /// Units that are known.
        allowed: &'static str,
    },
    /// Larger than can be compared.
    #[error("{0:?} is too large")]
    TooLarge(String),
    /// A star inside a bare word.
    #[error("a word is found anywhere in the path; for a star inside write path:*{0}*")]
    InnerStar(String),
}

/// Reads a filter; `None` for one without terms.
pub fn parse(text: &str) -> Result<Option<Node>, FilterError> {
    if text.len() > MAX_FILTER_BYTES {
        return Err(FilterError { position: 0, problem: Problem::TooLong(text.len()) });
    }
    let mut parser = Parser { chars: text.chars().collect(), at: 0, terms: 0 };
    parser.skip_space();
    if parser.peek().is_none() {
        return Ok(None);
    }
    let node = parser.any(0)?;
    match parser.peek() {
        None => Ok(Some(node)),
        Some(_) => Err(parser.error(parser.at, Problem::UnopenedParenthesis)),
    }
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    terms: usize,
}

/// A value as written: pieces between stars.
struct Value {
    pieces: Vec<String>,
    /// How it was written, for messages.
    raw: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    /// `:`
    Is,
    Compare(Compare),
}

const OPERATORS: [(&str, Compare); 6] = [
    ("<=", Compare::AtMost),
    (">=", Compare::AtLeast),
    ("!=", Compare::NotEqual),
    ("<", Compare::Less),
    (">", Compare::Greater),
    ("=", Compare::Equal),
];

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '@' | '$')
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn error(&self, position: usize, problem: Problem) -> FilterError {
        FilterError { position: position.min(self.chars.len()), problem }
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, c)| self.chars.get(self.at + ahead) == Some(&c))
    }

    /// Whether this keyword stands here as a word of its own.
    fn keyword(&self, word: &str) -> bool {
        let ends = |c: &char| c.is_whitespace() || matches!(c, '(' | ')' | '"');
        self.starts_with(word) && self.chars.get(self.at + word.len()).is_none_or(ends)
    }

    fn any(&mut self, depth: usize) -> Result<Node, FilterError> {
        let mut parts = vec![self.all(depth)?];
        while self.keyword("OR") {
            self.keyword_with_term("OR")?;
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Node::Any(parts) })
    }

    fn all(&mut self, depth: usize) -> Result<Node, FilterError> {
        let mut parts = Vec::new();
        loop {
            self.skip_space();
            if self.keyword("AND") {
                if parts.is_empty() {
                    return Err(self.error(self.at, Problem::MissingLeft("AND".into())));
                }
                self.keyword_with_term("AND")?;
            } else if self.peek().is_none_or(|c| c == ')') || self.keyword("OR") {
                break;
            }
            parts.push(self.one(depth)?);
        }
        match parts.len() {
            0 if self.keyword("OR") => Err(self.error(self.at, Problem::MissingLeft("OR".into()))),
            0 if self.peek().is_some() && depth == 0 => Err(self.error(self.at, Problem::UnopenedParenthesis)),
            0 => Err(self.error(self.at, Problem::MissingTerm("(".into()))),
            1 => Ok(parts.remove(0)),
            _ => Ok(Node::All(parts)),
        }
    }

    /// Steps over a keyword which has to be followed by a term.
    fn keyword_with_term(&mut self, word: &str) -> Result<(), FilterError> {
        let start = self.at;
        self.at += word.len();
        self.skip_space();
        if self.peek().is_none_or(|c| c == ')') || self.keyword("OR") || self.keyword("AND") {
            return Err(self.error(start, Problem::MissingTerm(word.into())));
        }
        Ok(())
    }

    fn one(&mut self, depth: usize) -> Result<Node, FilterError> {
        let start = self.at;
        if depth >= MAX_DEPTH {
            return Err(self.error(start, Problem::TooDeep));
        }
        if self.keyword("NOT") {
            self.keyword_with_term("NOT")?;
            return Ok(Node::Not(Box::new(self.one(depth + 1)?)));
        }
        match self.peek() {
            Some('-') => {
                self.at += 1;
                if self.peek().is_none_or(|c| c.is_whitespace() || c == ')') {
                    return Err(self.error(start, Problem::MissingTerm("-".into())));
                }
                Ok(Node::Not(Box::new(self.one(depth + 1)?)))
            }
            Some('(') => {
                self.at += 1;
                let node = self.any(depth + 1)?;
                if self.peek() != Some(')') {
                    return Err(self.error(start, Problem::UnclosedParenthesis));
                }
                self.at += 1;
                Ok(node)
            }
            _ => {
                self.terms += 1;
                if self.terms > MAX_TERMS {
                    return Err(self.error(start, Problem::TooManyTerms));
                }
                self.term()
            }
        }
    }

    fn term(&mut self) -> Result<Node, FilterError> {
        let start = self.at;
        if let Some((name, operator, written)) = self.field() {
            return self.comparison(start, &name, operator, &written);
        }
        if let Some((written, _)) = OPERATORS.iter().find(|(written, _)| self.starts_with(written)) {
            return Err(self.error(start, Problem::MissingField((*written).to_owned())));
        }
        let quoted = self.peek() == Some('"');
        let Value { mut pieces, raw } = self.value()?;
        if !quoted && pieces.len() > 1 {
            // `*cart*` says what a bare word does anyway.
            pieces.retain(|piece| !piece.is_empty());
        }
        match pieces.as_slice() {
            [] => Ok(Node::Term(Term::Anywhere(String::new()))),
            [only] => Ok(Node::Term(Term::Anywhere(fold(only)))),
            // Inside quotes a bare star is a star.
            parts if quoted => Ok(Node::Term(Term::Anywhere(fold(&parts.join("*"))))),
            _ => Err(self.error(start, Problem::InnerStar(raw.trim_matches('*').to_owned()))),
        }
    }

    /// Steps over a field's name and operator, if they are here.
    fn field(&mut self) -> Option<(String, Operator, String)> {
        let start = self.at;
        let first = self.peek()?;
        if !(first.is_alphabetic() || matches!(first, '_' | '@' | '$')) {
            return None;
        }
        while self.peek().is_some_and(is_name) {
            self.at += 1;
        }
        let name: String = self.chars[start..self.at].iter().collect();
        if self.peek() == Some(':') {
            self.at += 1;
            let mut written = ":".to_owned();
            let mut operator = Operator::Is;
            // `status:>=500`, as other search boxes write it.
            if let Field::Number(_) = Field::named(&name)
                && let Some((compare, text)) = self.operator()
            {
                operator = Operator::Compare(compare);
                written.push_str(text);
            }
            return Some((name, operator, written));
        }
        self.skip_space();
        if let Some((compare, text)) = self.operator() {
            self.skip_space();
            return Some((name, Operator::Compare(compare), text.to_owned()));
        }
        self.at = start;
        None
    }

    fn operator(&mut self) -> Option<(Compare, &'static str)> {
        let (text, compare) = OPERATORS.iter().find(|(text, _)| self.starts_with(text))?;
        self.at += text.len();
        Some((*compare, text))
    }

    fn comparison(&mut self, start: usize, name: &str, operator: Operator, written: &str) -> Result<Node, FilterError> {
        if self.peek().is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')')) {
            return Err(self.error(start, Problem::MissingValue(format!("{name}{written}"))));
        }
        let value_at = self.at;
        let field = Field::named(name);
        if let (Field::Text(_), Operator::Compare(order)) = (&field, operator)
            && !matches!(order, Compare::Equal | Compare::NotEqual)
        {
            let problem = Problem::TextCompared { field: name.to_owned(), operator: written.to_owned() };
            return Err(self.error(start, problem));
        }
        let value = self.value()?;
        let different = operator == Operator::Compare(Compare::NotEqual);
        match field {
            Field::Text(field) => {
                let pattern = Pattern::from_pieces(value.pieces);
                let pattern = if field == TextField::Method { pattern.upper() } else { pattern };
                Ok(Node::Term(Term::Text { field, pattern, different }))
            }
            Field::Number(field) => {
                let compare = match operator {
                    Operator::Is => Compare::Equal,
                    Operator::Compare(compare) => compare,
                };
                number_node(field, compare, &value.raw).map_err(|problem| self.error(value_at, problem))
            }
        }
    }

    /// Reads a quoted text or a word.
    fn value(&mut self) -> Result<Value, FilterError> {
        let start = self.at;
        let quoted = self.peek() == Some('"');
        self.at += usize::from(quoted);
        let mut pieces = vec![String::new()];
        let mut raw = String::new();
        while let Some(c) = self.peek() {
            let escaped = self.chars.get(self.at + 1).copied().filter(|next| c == '\\' && is_escapable(*next));
            let ends = if quoted { c == '"' } else { c.is_whitespace() || matches!(c, '(' | ')' | '"') };
            if escaped.is_none() && ends {
                self.at += usize::from(quoted);
                return Ok(Value { pieces, raw });
            }
            self.at += 1 + usize::from(escaped.is_some());
            let meant = escaped.unwrap_or(c);
            raw.push(meant);
            match pieces.last_mut() {
                Some(piece) if meant != '*' || escaped.is_some() => piece.push(meant),
                _ => pieces.push(String::new()),
            }
        }
        if quoted {
            return Err(self.error(start, Problem::UnclosedQuote));
        }
        Ok(Value { pieces, raw })
    }
}

fn is_escapable(c: char) -> bool {
    matches!(c, '"' | '\\' | '*' | '(' | ')') || c.is_whitespace()
}

const STATUS_EXAMPLE: &str = "status>=500, status:404 or status:5xx";
const DURATION_EXAMPLE: &str = "duration>1s or duration<=250ms";
const BYTES_EXAMPLE: &str = "bytes>=1MiB";
const DURATION_UNITS: &[(&str, i64)] =
    &[("", 1000), ("us", 1), ("µs", 1), ("ms", 1000), ("s", 1_000_000), ("m", 60_000_000)];
const BYTE_UNITS: &[(&str, i64)] = &[
    ("", 1),
    ("B", 1),
    ("KiB", 1 << 10),
    ("K", 1 << 10),
    ("MiB", 1 << 20),
    ("M", 1 << 20),
    ("GiB", 1 << 30),
    ("G", 1 << 30),
    ("TiB", 1 << 40),
    ("T", 1 << 40),
];

fn number_node(field: NumberField, compare: Compare, raw: &str) -> Result<Node, Problem> {
    let term = |compare, value| Node::Term(Term::Number { field, compare, value });
    let value = match field {
        NumberField::Status => {
            if let Some(class) = status_class(raw) {
                let (first, last) = (class * 100, class * 100 + 99);
                return Ok(match compare {
                    Compare::Equal => Node::All(vec![term(Compare::AtLeast, first), term(Compare::AtMost, last)]),
                    Compare::NotEqual => Node::Any(vec![term(Compare::Less, first), term(Compare::Greater, last)]),
                    Compare::Less | Compare::AtLeast => term(compare, first),
                    Compare::AtMost | Compare::Greater => term(compare, last),
                });
            }
            raw.parse().map_err(|_| Problem::NotANumber { given: raw.to_owned(), example: STATUS_EXAMPLE })?
        }
        NumberField::Duration => scaled(raw, DURATION_UNITS, "us, ms, s, m", DURATION_EXAMPLE)?,
        NumberField::Bytes => scaled(raw, BYTE_UNITS, "B, KiB, MiB, GiB, TiB", BYTES_EXAMPLE)?,
    };
    Ok(term(compare, value))
}

/// `5xx` and `5*` are all of 500 to 599.
fn status_class(raw: &str) -> Option<i64> {
    let (first, rest) = raw.split_at_checked(1)?;
    let class = first.parse().ok()?;
    (rest == "*" || rest.eq_ignore_ascii_case("xx")).then_some(class)
}

/// A decimal number with a unit, counted in the smallest one.
fn scaled(raw: &str, units: &[(&str, i64)], allowed: &'static str, example: &'static str) -> Result<i64, Problem> {
    let end = raw.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(raw.len());
    let (number, unit) = raw.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let no_number = || Problem::NotANumber { given: raw.to_owned(), example };
    if whole.is_empty() || fraction.contains('.') || (number.contains('.') && fraction.is_empty()) {
        return Err(no_number());
    }
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        return Err(Problem::UnknownUnit { given: raw.to_owned(), allowed });
    };
    let too_large = || Problem::TooLarge(raw.to_owned());
    if whole.len() > 18 || fraction.len() > 18 {
        return Err(too_large());
    }
    let whole: i128 = whole.parse().map_err(|_| no_number())?;
    let digits = u32::try_from(fraction.len()).unwrap_or(0);
    let part: i128 = if fraction.is_empty() { 0 } else { fraction.parse().map_err(|_| no_number())? };
    let factor = i128::from(*factor);
    let total = whole * factor + part * factor / 10i128.pow(digits);
    i64::try_from(total).map_err(|_| too_large())
}
