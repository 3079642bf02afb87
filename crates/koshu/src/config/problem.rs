//! What is wrong in a configuration, where, and what to write instead.

use super::yaml::{Document, Place};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity, SourceCode};
use std::fmt;

/// One thing that is wrong (or, as a warning, without effect).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, in one line.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Where: file and place in it; `None` for a variable of the environment or a missing file.
    pub origin: Option<Box<Origin>>,
    pub(super) severity: Level,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Error,
    Warning,
}

/// A place in a file.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The file as it was given.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    source: NamedSource<String>,
    span: (usize, usize),
}
impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        (&self.file, self.line, self.column) == (&other.file, other.line, other.column)
    }
}
impl Eq for Origin {}
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl Problem {
    /// Something wrong without a place in a file.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, origin: None, severity: Level::Error }
    }

    /// Something wrong at a place of a file.
    pub(super) fn at(document: &Document, place: Place, message: impl Into<String>) -> Self {
        let (line, column) = (place.line.max(1), place.column.max(1));
        let span = span_of(&document.text, line, column);
        let source = NamedSource::new(&document.name, document.text.clone());
        let origin = Origin { file: document.name.clone(), line, column, source, span };
        Self { origin: Some(Box::new(origin)), ..Self::new(message) }
    }

    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub(super) fn into_warning(mut self) -> Self {
        self.severity = Level::Warning;
        self
    }
}

/// Byte offset and length of what stands at a place: up to the next blank or mark, within the line.
fn span_of(text: &str, line: usize, column: usize) -> (usize, usize) {
    let start_of_line: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let rest = &text[start_of_line..];
    let content = rest.split(['\n', '\r']).next().unwrap_or_default();
    let before: usize = content.chars().take(column - 1).map(char::len_utf8).sum();
    let mark = |c: char| c.is_whitespace() || matches!(c, ':' | ',' | ']' | '}');
    let word = content[before..].find(mark).unwrap_or(content.len() - before);
    (start_of_line + before, word)
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
impl std::error::Error for Problem {}
impl Diagnostic for Problem {
    fn severity(&self) -> Option<Severity> {
        Some(match self.severity {
            Level::Error => Severity::Error,
            Level::Warning => Severity::Warning,
        })
    }
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }
    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.origin.as_ref().map(|origin| &origin.source as &dyn SourceCode)
    }
    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (offset, length) = self.origin.as_ref()?.span;
        Some(Box::new(std::iter::once(LabeledSpan::new(None, offset, length))))
    }
}

/// Problems as people read them: file, line and column, the line itself, and the way out.
pub fn render(problems: &[Problem], color: bool) -> String {
    let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_context_lines(1);
    let mut text = String::new();
    for problem in problems {
        // Writing into a String does not fail; without the drawing the line is still told.
        if handler.render_report(&mut text, problem).is_err() {
            text.push_str(&line_of(problem));
        }
        text.push('\n');
    }
    text
}

/// A problem in one line, for logs.
pub fn line_of(problem: &Problem) -> String {
    let place = problem.origin.as_ref().map(|origin| format!("{origin}: ")).unwrap_or_default();
    let help = problem.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    format!("{place}{}{help}", problem.message)
}

/// Everything that keeps a configuration from being used; never empty.
#[derive(Debug)]
pub struct ConfigErrors(pub Vec<Problem>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(line_of).collect();
        f.write_str(&lines.join("\n"))
    }
}
impl std::error::Error for ConfigErrors {}

/// The known word nearest to what was written, if it is near enough to be meant.
pub(super) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written: String = written.chars().take(64).collect::<String>().to_lowercase().replace('-', "_");
    let allowed = written.chars().count().div_ceil(3);
    let ranked = known.into_iter().map(|word| (distance(&written, word), word));
    ranked.filter(|(far, _)| *far <= allowed).min().map(|(_, word)| word)
}

/// Edits (insert, delete, replace, swap neighbours) that lead from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_suggested_and_a_far_one_is_not() {
        let known = ["memory", "disk", "time_zone", "retention"];
        for (written, want) in [
            ("memroy", Some("memory")),
            ("Memory", Some("memory")),
            ("time-zone", Some("time_zone")),
            ("disks", Some("disk")),
            ("webhook", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, known), want, "{written}");
        }
    }

    #[test]
    fn a_span_is_the_word_at_a_place_and_stays_in_the_text() {
        let text = "あ: bcd, e\nsecond";
        assert_eq!(&text[5..5 + 3], "bcd");
        assert_eq!(span_of(text, 1, 4), (5, 3));
        assert_eq!(span_of(text, 2, 1), ("あ: bcd, e\n".len(), 6));
        assert_eq!(span_of(text, 99, 99), (text.len(), 0));
    }
}
