//! `koshu completions`, `koshu man` and `koshu version`: what the command line says about itself.

use crate::failure::Failure;
use crate::output::{self, OutputFormat};
use anyhow::{Context, Result};
use clap::Args;
use clap_complete::Shell;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// `koshu man`
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Which command; the overview when missing
    pub command: Option<String>,
    /// Write all pages into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub write: Option<PathBuf>,
}

/// Completions for a shell.
pub fn completions(shell: Shell, command: &mut clap::Command) -> Result<ExitCode> {
    let mut text = Vec::new();
    clap_complete::generate(shell, command, "koshu", &mut text);
    output::print(&String::from_utf8_lossy(&text))?;
    Ok(ExitCode::SUCCESS)
}

/// One manual page, or all of them.
pub fn man(args: &ManArgs, mut command: clap::Command) -> Result<ExitCode> {
    command.build();
    if let Some(folder) = &args.write {
        std::fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
        clap_mangen::generate_to(command, folder)
            .with_context(|| format!("failed to write into {}", folder.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let page = match &args.command {
        None => command,
        Some(name) => match command.find_subcommand(name) {
            Some(found) => found.clone(),
            None => return Err(Failure::usage("cli-no-command").with("name", name).hint("cli-no-command-hint").into()),
        },
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text)?;
    output::print(&String::from_utf8_lossy(&text))?;
    Ok(ExitCode::SUCCESS)
}

/// The version, and what it was built for.
pub fn version(format: OutputFormat) -> Result<ExitCode> {
    let (version, system) = (env!("CARGO_PKG_VERSION"), format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS));
    match format {
        OutputFormat::Json => output::print_json(&json!({ "name": "koshu", "version": version, "system": system }))?,
        OutputFormat::Csv => output::print(&output::csv(
            &["name", "version", "system"],
            [vec!["koshu".to_owned(), version.to_owned(), system]],
        ))?,
        OutputFormat::Table => output::print(&format!("koshu {version} ({system})\n"))?,
    }
    Ok(ExitCode::SUCCESS)
}
