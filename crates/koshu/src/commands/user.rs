//! `koshu user`: sign-in links, passwords and accounts, for whoever may read the data folder.
//!
//! The way back in when a password is lost. A password is never an argument, which other users of the machine could see.

use super::token::with_store;
use crate::client;
use crate::failure::Failure;
use crate::output::{self, Column, OutputArg, OutputFormat, Screen};
use crate::place::StoreArgs;
use anyhow::{Context, Result};
use base::Secret;
use clap::Subcommand;
use serde_json::{Value, json};
use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::process::ExitCode;
use store::{PASSWORD_MAX_BYTES, Store, User};

/// `koshu user`
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make an account, and print a one-time sign-in link for it
    Add {
        /// What is typed at sign-in
        name: String,
        #[command(flatten)]
        store: StoreArgs,
        #[command(flatten)]
        out: OutputArg,
    },
    /// Print a one-time sign-in link, for an hour
    Link {
        /// Whose
        #[arg(default_value = "admin")]
        name: String,
        #[command(flatten)]
        store: StoreArgs,
        #[command(flatten)]
        out: OutputArg,
    },
    /// Set a password, read from the first line of standard input; ends all sessions of the user
    Password {
        /// Whose
        #[arg(default_value = "admin")]
        name: String,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// List accounts
    List {
        #[command(flatten)]
        store: StoreArgs,
        #[command(flatten)]
        out: OutputArg,
    },
}

/// The account that a first start makes.
const FIRST_USER: &str = "admin";

/// Does what the command says.
pub fn run(command: UserCommand, screen: &Screen) -> Result<ExitCode> {
    match command {
        UserCommand::Add { name, store, out } => {
            let secret = with_store(&store, true, async |store| {
                let user = store.users().create(&name).await?;
                Ok(store.links().create(user.id).await?)
            })?;
            show_link(&name, &secret, &store, out.output, screen)?;
        }
        UserCommand::Link { name, store, out } => {
            let secret = with_store(&store, true, async |store| {
                let user = find(store, &name).await?;
                Ok(store.links().create(user.id).await?)
            })?;
            show_link(&name, &secret, &store, out.output, screen)?;
        }
        UserCommand::Password { name, store } => {
            let password = read_password(screen)?;
            with_store(&store, true, async |store| {
                let user = find(store, &name).await?;
                Ok(store.users().set_password(user.id, &password, None).await?)
            })?;
            eprintln!("{}", screen.texts.get("cli-password-set"));
        }
        UserCommand::List { store, out } => {
            let users = with_store(&store, false, async |store| Ok(store.users().list().await?))?;
            show(&users, out.output, screen)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show_link(name: &str, secret: &Secret, store: &StoreArgs, format: OutputFormat, screen: &Screen) -> Result<()> {
    let url = format!("{}/welcome/{}", client::address_or_usual(&store.data.dir), secret.reveal());
    match format {
        OutputFormat::Json => output::print_json(&json!({ "user": name, "url": url })),
        OutputFormat::Csv => Ok(output::print(&output::csv(&["user", "url"], [vec![name.to_owned(), url]]))?),
        OutputFormat::Table => {
            output::print(&format!("{url}\n"))?;
            eprintln!("{}", screen.texts.get("cli-link-once"));
            Ok(())
        }
    }
}

async fn find(store: &Store, name: &str) -> Result<User> {
    match store.users().find(name).await? {
        Some(user) => Ok(user),
        None if name == FIRST_USER => Ok(store.users().create(name).await?),
        None => Err(Failure::failed("cli-user-none").with("name", name).hint("cli-user-none-hint").into()),
    }
}

fn read_password(screen: &Screen) -> Result<Secret> {
    if std::io::stdin().is_terminal() {
        eprintln!("{}", screen.texts.get("cli-password-prompt"));
    }
    let mut line = String::new();
    let limit = PASSWORD_MAX_BYTES as u64 + 2;
    std::io::stdin().lock().take(limit).read_line(&mut line).context("failed to read standard input")?;
    Ok(Secret::new(line.trim_end_matches(['\r', '\n'])))
}

fn as_json(user: &User) -> Value {
    json!({
        "id": user.id.to_string(),
        "name": user.name,
        "password_set": user.password_set,
        "created_at": user.created_at,
    })
}

const FIELDS: [&str; 4] = ["id", "name", "password_set", "created_at"];

fn show(users: &[User], format: OutputFormat, screen: &Screen) -> Result<()> {
    let cells = |user: &User| {
        let json = as_json(user);
        FIELDS.map(|name| output::cell(&json[name])).to_vec()
    };
    let rows = users.iter().map(cells);
    match format {
        OutputFormat::Json => output::print_json(&json!({ "users": users.iter().map(as_json).collect::<Vec<_>>() })),
        OutputFormat::Csv => Ok(output::print(&output::csv(&FIELDS, rows))?),
        OutputFormat::Table => {
            let headings = ["cli-col-id", "cli-col-name", "cli-col-password", "cli-col-made"];
            let columns = headings.map(|key| Column::text(screen.texts.get(key)));
            Ok(output::print(&output::table(&columns, rows, screen.color))?)
        }
    }
}
