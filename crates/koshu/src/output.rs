//! Results as a table, JSON or CSV on stdout; progress on stderr.
//!
//! Whatever came from outside is printed without control characters: a log line must not be able to steer a terminal.

use crate::texts::Texts;
use clap::{Args, ValueEnum};
use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people
    Table,
    /// One JSON document
    Json,
    /// Comma-separated values with a header
    Csv,
}

/// `-o`
#[derive(Debug, Clone, Copy, Args)]
pub struct OutputArg {
    /// How to print the result
    #[arg(short, long, value_enum, default_value = "table")]
    pub output: OutputFormat,
}

/// How this terminal wants to be written to.
pub struct Screen {
    /// The texts of its language.
    pub texts: Texts,
    /// Whether stdout may have colours.
    pub color: bool,
}

impl Screen {
    /// Colours only on a terminal, and never against the user's will.
    pub fn new(no_color: bool, texts: Texts) -> Self {
        let unwanted = no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { texts, color: !unwanted && io::stdout().is_terminal() }
    }
}

/// A bar that counts bytes; appears after a second, and only on a terminal.
pub fn bytes_bar(total: u64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(5));
    let style = if total > 0 {
        "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} {wide_msg}"
    } else {
        "{spinner} {bytes} {bytes_per_sec} {wide_msg}"
    };
    bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// Text of unknown origin, on one line and without control characters.
pub fn printable(text: &str) -> String {
    let unseen = |c: char| {
        c.is_control() || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if unseen(c) { '\u{fffd}' } else { c }).collect()
}

/// Prints a result.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints one JSON document.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&(serde_json::to_string_pretty(value)? + "\n"))?;
    Ok(())
}

/// A column's heading and side.
#[derive(Debug, Clone)]
pub struct Column {
    heading: String,
    right: bool,
}

impl Column {
    /// Text, to the left.
    pub fn text(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), right: false }
    }

    /// Numbers, to the right.
    pub fn number(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), right: true }
    }
}

/// Rows for people, ending with a line end.
pub fn table(columns: &[Column], rows: impl IntoIterator<Item = Vec<String>>, color: bool) -> String {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if !color {
        table.force_no_tty();
    }
    let heading = |column: &Column| {
        let cell = Cell::new(&column.heading);
        if color { cell.add_attribute(Attribute::Bold) } else { cell }
    };
    table.set_header(columns.iter().map(heading));
    for row in rows {
        table.add_row(row.iter().map(|text| printable(text)));
    }
    for (index, column) in columns.iter().enumerate() {
        let Some(cells) = table.column_mut(index) else { continue };
        cells.set_padding((0, 2));
        cells.set_cell_alignment(if column.right { CellAlignment::Right } else { CellAlignment::Left });
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Rows as RFC 4180 comma-separated values with a header.
pub fn csv<'a, H: AsRef<str> + 'a>(
    headings: impl IntoIterator<Item = &'a H>,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> String {
    let mut text = String::new();
    csv_line(&mut text, headings.into_iter().map(AsRef::as_ref));
    for row in rows {
        csv_line(&mut text, row.iter().map(String::as_str));
    }
    text
}

/// One line of it.
pub fn csv_line<'a>(text: &mut String, cells: impl Iterator<Item = &'a str>) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            text.push(',');
        }
        if cell.contains([',', '"', '\n', '\r']) {
            // Writing into a String does not fail.
            let _ = write!(text, "\"{}\"", cell.replace('"', "\"\""));
        } else {
            text.push_str(cell);
        }
    }
    text.push_str("\r\n");
}

/// A JSON value as the text of a cell; null is empty.
pub fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Milliseconds as people read them: `0.42 ms`, `38 ms`, `1.25 s`, `3 min 12 s`, `5 h 20 min`.
pub fn duration(ms: f64) -> String {
    let seconds = ms / 1_000.0;
    match ms {
        _ if ms < 10.0 => format!("{ms:.2} ms"),
        _ if ms < 1_000.0 => format!("{ms:.0} ms"),
        _ if seconds < 60.0 => format!("{seconds:.2} s"),
        _ if seconds < 3_600.0 => format!("{:.0} min {:02.0} s", (seconds / 60.0).floor(), (seconds % 60.0).floor()),
        _ => format!("{:.0} h {:02.0} min", (seconds / 3_600.0).floor(), (seconds / 60.0 % 60.0).floor()),
    }
}

/// A ratio in percent, with as many digits as say something.
pub fn percent(ratio: f64) -> String {
    let percent = ratio * 100.0;
    match percent {
        _ if ratio <= 0.0 => "0".to_owned(),
        _ if percent < 0.01 => "<0.01".to_owned(),
        _ if percent < 1.0 => format!("{percent:.2}"),
        _ if percent < 10.0 => format!("{percent:.1}"),
        _ => format!("{percent:.0}"),
    }
}

/// A number with its thousands apart.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share of 1 as a bar of at most `width` characters, in eighths.
pub fn bar(share: f64, width: u32) -> String {
    const EIGHTHS: [char; 8] = ['█', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let wanted = (share.clamp(0.0, 1.0) * f64::from(width) * 8.0).round();
    let mut text = String::new();
    let mut left = wanted;
    while left >= 8.0 {
        text.push(EIGHTHS[0]);
        left -= 8.0;
    }
    let rest = (1..8u8).find(|eighth| left - f64::from(*eighth) < 0.5 && left > 0.0);
    text.extend(rest.map(|eighth| EIGHTHS[usize::from(eighth)]));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_never_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\nc\u{202e}d"), "a\u{fffd}[31mb\u{fffd}c\u{fffd}d");
        let text = table(&[Column::text("path")], [vec!["x\u{1b}]0;owned\u{7}".to_owned()]], false);
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
    }

    #[test]
    fn numbers_are_written_as_people_read_them() {
        for (ms, want) in [
            (0.4219, "0.42 ms"),
            (38.4, "38 ms"),
            (1_250.0, "1.25 s"),
            (192_000.0, "3 min 12 s"),
            (19_200_000.0, "5 h 20 min"),
        ] {
            assert_eq!(duration(ms), want);
        }
        for (ratio, want) in [(0.0, "0"), (0.000_01, "<0.01"), (0.0031, "0.31"), (0.042, "4.2"), (1.0, "100")] {
            assert_eq!(percent(ratio), want);
        }
        for (number, want) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), want);
        }
        for (share, want) in [(0.0, ""), (1.0, "██████████"), (0.5, "█████"), (0.0125, "▏"), (0.0875, "▉")]
        {
            assert_eq!(bar(share, 10), want, "{share}");
        }
    }

    #[test]
    fn csv_quotes_what_needs_it() {
        let rows = [vec!["GET /a,b".to_owned(), "say \"hi\"".to_owned()]];
        assert_eq!(csv(&["route", "note"], rows), "route,note\r\n\"GET /a,b\",\"say \"\"hi\"\"\"\r\n");
    }
}
