//! `koshu token`: makes, lists and deletes tokens, directly in the store, also beside a running server.

use crate::config::Config;
use crate::config::variables;
use crate::failure::Failure;
use crate::output::{self, Column, OutputArg, OutputFormat, Screen};
use crate::place::StoreArgs;
use anyhow::{Context, Result};
use base::Clock;
use clap::Subcommand;
use serde_json::{Value, json};
use std::process::ExitCode;
use store::{SQLITE_FILE, Store, StoreOptions, Token};

/// `koshu token`
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it; it is shown this once
    Create {
        /// What it is for
        #[arg(long)]
        name: String,
        /// What it may do: ingest, agent (of one host), read or admin
        #[arg(long)]
        scope: store::Scope,
        #[command(flatten)]
        store: StoreArgs,
        #[command(flatten)]
        out: OutputArg,
    },
    /// List tokens
    List {
        #[command(flatten)]
        store: StoreArgs,
        #[command(flatten)]
        out: OutputArg,
    },
    /// Delete a token: from now on it is refused
    Delete {
        /// Id, or its first characters as the list shows them
        token: String,
        #[command(flatten)]
        store: StoreArgs,
    },
}

/// Does what the command says.
pub fn run(command: TokenCommand, screen: &Screen) -> Result<ExitCode> {
    match command {
        TokenCommand::Create { name, scope, store, out } => {
            let (secret, token) =
                with_store(&store, true, async |store| Ok(store.tokens().create(&name, scope).await?))?;
            match out.output {
                OutputFormat::Table => {
                    output::print(&format!("{}\n", secret.reveal()))?;
                    eprintln!("{}", screen.texts.get("cli-token-once"));
                }
                format => {
                    let mut shown = as_json(&token);
                    shown["token"] = secret.reveal().into();
                    show_one(&shown, format)?;
                }
            }
        }
        TokenCommand::List { store, out } => {
            let tokens = with_store(&store, false, async |store| Ok(store.tokens().list().await?))?;
            show(&tokens, out.output, screen)?;
        }
        TokenCommand::Delete { token, store } => {
            with_store(&store, false, async |store| delete(store, &token).await)?;
            eprintln!("{}", screen.texts.get("cli-token-deleted"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Opens the store, works with it and closes it. Only a command that makes something may make the store.
pub fn with_store<T>(args: &StoreArgs, may_make: bool, work: impl AsyncFnOnce(&Store) -> Result<T>) -> Result<T> {
    let options = store_options(args)?;
    if let StoreOptions::Folder(dir) = &options
        && !may_make
        && !dir.join(SQLITE_FILE).exists()
    {
        return Err(Failure::failed("cli-no-store").with("dir", dir.display()).hint("cli-no-store-hint").into());
    }
    super::wait_for(async {
        let store = Store::open(options, Clock::System).await.context("failed to open the store")?;
        let result = work(&store).await;
        store.close().await;
        result
    })
}

/// SQLite in the data folder, unless the configuration says otherwise.
pub fn store_options(args: &StoreArgs) -> Result<StoreOptions> {
    let loaded = Config::load(args.config.as_deref(), variables())
        .map_err(|errors| Failure::failed("cli-config-broken").hint("cli-config-broken-hint").because(errors))?;
    Ok(match loaded.config.server.store_url {
        Some(url) => StoreOptions::Url(url),
        None => StoreOptions::Folder(args.data.dir.clone()),
    })
}

async fn delete(store: &Store, wanted: &str) -> Result<()> {
    let tokens = store.tokens().list().await?;
    let same = |token: &&Token| token.id.to_string() == wanted || token.prefix == wanted;
    let mut found = tokens.iter().filter(same);
    match (found.next(), found.next()) {
        (Some(token), None) => {
            store.tokens().delete(token.id).await?;
            Ok(())
        }
        (Some(_), Some(_)) => Err(Failure::failed("cli-token-two").with("token", wanted).into()),
        (None, _) => Err(Failure::failed("cli-token-none").with("token", wanted).hint("cli-token-none-hint").into()),
    }
}

fn as_json(token: &Token) -> Value {
    json!({
        "id": token.id.to_string(),
        "name": token.name,
        "scope": token.scope.as_str(),
        "prefix": token.prefix,
        "created_at": token.created_at,
        "last_used_at": token.last_used_at,
    })
}

fn show_one(value: &Value, format: OutputFormat) -> Result<()> {
    if format == OutputFormat::Json {
        return output::print_json(value);
    }
    let fields = value.as_object().into_iter().flatten();
    let (headings, cells): (Vec<&String>, Vec<String>) =
        fields.map(|(name, value)| (name, output::cell(value))).unzip();
    Ok(output::print(&output::csv(&headings, [cells]))?)
}

const FIELDS: [&str; 6] = ["id", "name", "scope", "prefix", "created_at", "last_used_at"];

fn show(tokens: &[Token], format: OutputFormat, screen: &Screen) -> Result<()> {
    let cells = |token: &Token| {
        let json = as_json(token);
        FIELDS.map(|name| output::cell(&json[name])).to_vec()
    };
    let rows = tokens.iter().map(cells);
    match format {
        OutputFormat::Json => output::print_json(&json!({ "tokens": tokens.iter().map(as_json).collect::<Vec<_>>() })),
        OutputFormat::Csv => Ok(output::print(&output::csv(&FIELDS, rows))?),
        OutputFormat::Table => {
            let headings =
                ["cli-col-id", "cli-col-name", "cli-col-scope", "cli-col-prefix", "cli-col-made", "cli-col-used"];
            let columns = headings.map(|key| Column::text(screen.texts.get(key)));
            Ok(output::print(&output::table(&columns, rows, screen.color))?)
        }
    }
}
