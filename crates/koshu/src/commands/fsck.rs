//! `koshu fsck`: looks at every byte of a lake and names what is damaged. Never writes.

use crate::failure::{Exit, Failure};
use crate::output::{self, Column, OutputArg, OutputFormat, Screen, thousands};
use crate::place::DirArg;
use crate::texts::Message;
use anyhow::{Context, Result};
use base::ByteSize;
use clap::Args;
use lake::{DamagedPart, FsckReport, LakeError};
use std::process::ExitCode;

/// `koshu fsck`
#[derive(Debug, Args)]
pub struct FsckArgs {
    #[command(flatten)]
    pub data: DirArg,
    #[command(flatten)]
    pub out: OutputArg,
}

/// Checks and prints.
pub fn run(args: &FsckArgs, screen: &Screen) -> Result<ExitCode> {
    let dir = &args.data.dir;
    if !dir.join("journal").is_dir() {
        return Err(Failure::failed("cli-no-lake").with("dir", dir.display()).hint("cli-no-lake-hint").into());
    }
    let report = super::wait_for(async {
        match lake::fsck(dir).await {
            Err(LakeError::InUse(_)) => {
                Err(Failure::failed("cli-lake-in-use").with("dir", dir.display()).hint("cli-lake-in-use-hint").into())
            }
            report => report.context("failed to check the lake"),
        }
    })?;
    match args.out.output {
        OutputFormat::Json => output::print_json(&report)?,
        OutputFormat::Csv => output::print(&output::csv(&FIELDS, report.damage.iter().map(cells)))?,
        OutputFormat::Table => output::print(&text(&report, screen))?,
    }
    Ok(if report.damage.is_empty() { ExitCode::SUCCESS } else { Exit::Problems.into() })
}

const FIELDS: [&str; 7] = ["file", "start", "end", "reason", "rows", "from", "to"];

fn cells(part: &DamagedPart) -> Vec<String> {
    let text = |value: Option<String>| value.unwrap_or_default();
    vec![
        part.file.clone(),
        part.range.start.to_string(),
        part.range.end.to_string(),
        part.reason.clone(),
        text(part.rows.map(|rows| rows.to_string())),
        text(part.from.map(|from| from.to_string())),
        text(part.to.map(|to| to.to_string())),
    ]
}

fn text(report: &FsckReport, screen: &Screen) -> String {
    let checked = &report.checked;
    let counted = Message::new("cli-fsck-checked")
        .with("segments", thousands(checked.segments))
        .with("files", thousands(checked.data_files + checked.log_files))
        .with("rows", thousands(checked.journal_rows + checked.table_rows))
        .with("bytes", ByteSize(checked.bytes).to_string());
    let mut text = screen.texts.say(&counted) + "\n";
    for note in &report.notes {
        text.extend([output::printable(&note.file), ": ".into(), output::printable(&note.text), "\n".into()]);
    }
    if report.damage.is_empty() {
        return text + &screen.texts.get("cli-fsck-good") + "\n";
    }
    let damaged = Message::new("cli-fsck-bad").with("count", thousands(report.damage.len() as u64));
    text += &(screen.texts.say(&damaged) + "\n");
    let columns = FIELDS
        .map(|name| if matches!(name, "start" | "end" | "rows") { Column::number(name) } else { Column::text(name) });
    text + &output::table(&columns, report.damage.iter().map(cells), screen.color)
}
