//! `koshu check`: says exactly what is wrong in a folder of configuration, before a server reads it; or, with
//! `--send-test`, whether messages arrive.

use crate::client::ServerArgs;
use crate::config::{Config, Problem, line_of, render, variables};
use crate::failure::Exit;
use crate::output::{self, OutputArg, OutputFormat, Screen};
use crate::texts::Message;
use anyhow::Result;
use base::Span;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;

/// `koshu check`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Folder with koshu.yaml
    #[arg(env = "KOSHU_CONFIG", default_value = ".", value_name = "DIR")]
    pub folder: PathBuf,
    /// Print the JSON Schema of the configuration instead
    #[arg(long)]
    pub schema: bool,
    /// Instead, let the server send a test to every channel; it counts once a person says that it arrived
    #[arg(long)]
    pub send_test: bool,
    /// How long to wait for people
    #[arg(long, value_name = "TIME", default_value = "5m", requires = "send_test")]
    pub wait: Span,
    /// Which server sends the tests
    #[command(flatten)]
    pub server: ServerArgs,
    #[command(flatten)]
    pub out: OutputArg,
}

/// Prints problems, or that there are none.
pub fn run(args: &CheckArgs, screen: &Screen) -> Result<ExitCode> {
    if args.schema {
        output::print_json(&Config::json_schema())?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.send_test {
        return super::send_test::run(&args.server, args.wait, args.out.output, screen);
    }
    let (files, problems, warnings) = match Config::load(Some(&args.folder), variables()) {
        Ok(loaded) => (loaded.files, Vec::new(), loaded.warnings),
        Err(errors) => (Vec::new(), errors.0, Vec::new()),
    };
    match args.out.output {
        OutputFormat::Json => output::print_json(&json!({
            "files": files,
            "problems": problems.iter().map(as_json).collect::<Vec<_>>(),
            "warnings": warnings.iter().map(as_json).collect::<Vec<_>>(),
        }))?,
        OutputFormat::Csv => output::print(&csv(&problems, &warnings))?,
        OutputFormat::Table => output::print(&text(&files, &problems, &warnings, screen))?,
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { Exit::Problems.into() })
}

fn text(files: &[PathBuf], problems: &[Problem], warnings: &[Problem], screen: &Screen) -> String {
    let mut text = render(problems, screen.color);
    for warning in warnings {
        text += &line_of(warning);
        text.push('\n');
    }
    let verdict = if problems.is_empty() {
        Message::new("cli-check-good").with("files", files.len().to_string())
    } else {
        Message::new("cli-check-bad").with("problems", problems.len().to_string())
    };
    text + &screen.texts.say(&verdict) + "\n"
}

fn as_json(problem: &Problem) -> Value {
    let origin = problem.origin.as_deref();
    json!({
        "message": problem.message,
        "help": problem.help,
        "file": origin.map(|origin| &origin.file),
        "line": origin.map(|origin| origin.line),
        "column": origin.map(|origin| origin.column),
    })
}

fn csv(problems: &[Problem], warnings: &[Problem]) -> String {
    let line = |severity: &str, problem: &Problem| {
        let json = as_json(problem);
        let fields = ["file", "line", "column", "message", "help"].map(|name| output::cell(&json[name]));
        [vec![severity.to_owned()], fields.to_vec()].concat()
    };
    let rows = problems.iter().map(|problem| line("problem", problem));
    let rows = rows.chain(warnings.iter().map(|warning| line("warning", warning)));
    output::csv(&["severity", "file", "line", "column", "message", "help"], rows)
}
