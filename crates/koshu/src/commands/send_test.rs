//! `koshu check --send-test`: a message to every output, which a person has to acknowledge before it counts.

use crate::client::{Client, ServerArgs};
use crate::failure::{Exit, Failure};
use crate::output::{self, Column, OutputFormat, Screen};
use crate::texts::Message;
use anyhow::{Context, Result};
use base::{Span, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How often it is looked whether somebody has said so.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Where a test stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A person said that it arrived.
    Acknowledged,
    /// The service took it.
    Delivered,
    /// The service said no.
    Failed,
    /// Nothing is known.
    Waiting,
}

/// Sends, waits for people, prints. Exits with 3 unless every test was acknowledged.
pub fn run(server: &ServerArgs, wait: Span, format: OutputFormat, screen: &Screen) -> Result<ExitCode> {
    let client = Client::find(server)?;
    let channels = super::wait_for(async {
        let names = send(&client).await?;
        if names.is_empty() {
            return Err(Failure::failed("cli-test-none").hint("cli-test-none-hint").into());
        }
        let message = Message::new("cli-test-sent").with("outputs", names.len().to_string());
        eprintln!("{}", screen.texts.say(&message.with("wait", wait.to_string())));
        let until = Instant::now() + wait.to_std();
        loop {
            let channels = states(&client, &names).await?;
            let is_settled = |channel: &Value| matches!(state(channel), State::Acknowledged | State::Failed);
            if channels.iter().all(is_settled) || Instant::now() >= until {
                return Ok(channels);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    })?;
    show(&channels, format, screen)?;
    let is_good = channels.iter().all(|channel| state(channel) == State::Acknowledged);
    Ok(if is_good { ExitCode::SUCCESS } else { Exit::Problems.into() })
}

/// To every output that is configured.
async fn send(client: &Client) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for channel in list(client).await? {
        // Nobody reads what a dead-man's switch gets.
        let kind = channel["kind"].as_str().filter(|kind| *kind != "ping");
        let (Some(name), Some(_)) = (channel["name"].as_str(), kind) else { continue };
        let path = format!("api/v1/channels/{name}/test");
        client.send(client.request(Method::POST, &path).json(&json!({}))).await?;
        names.push(name.to_owned());
    }
    Ok(names)
}

async fn states(client: &Client, names: &[String]) -> Result<Vec<Value>> {
    let is_ours = |channel: &Value| names.iter().any(|name| channel["name"] == **name);
    Ok(list(client).await?.into_iter().filter(is_ours).collect())
}

async fn list(client: &Client) -> Result<Vec<Value>> {
    let answer = client.send(client.request(Method::GET, "api/v1/channels")).await?;
    let answer: Value = answer.json().await.context("the answer of the server could not be read")?;
    Ok(answer["channels"].as_array().cloned().unwrap_or_default())
}

fn state(channel: &Value) -> State {
    let at = |name: &str| channel["state"][name].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let Some(sent) = at("test_sent_at") else { return State::Waiting };
    let since = |name: &str| at(name).is_some_and(|at| at >= sent);
    match () {
        () if since("test_acknowledged_at") => State::Acknowledged,
        () if since("last_success_at") => State::Delivered,
        () if since("last_error_at") => State::Failed,
        () => State::Waiting,
    }
}

fn show(channels: &[Value], format: OutputFormat, screen: &Screen) -> Result<()> {
    let words = |state: State| match state {
        State::Acknowledged => ("acknowledged", "cli-test-acknowledged"),
        State::Delivered => ("delivered", "cli-test-delivered"),
        State::Failed => ("failed", "cli-test-failed"),
        State::Waiting => ("waiting", "cli-test-waiting"),
    };
    let error = |channel: &Value, state: State| {
        if state == State::Failed { channel["state"]["last_error"].clone() } else { Value::Null }
    };
    let rows = |is_for_people: bool| {
        let words = move |state: State| {
            let (name, text) = words(state);
            if is_for_people { screen.texts.get(text) } else { name.to_owned() }
        };
        channels.iter().map(move |channel| {
            let state = state(channel);
            let text = |value: &Value| output::cell(value);
            vec![text(&channel["name"]), text(&channel["kind"]), words(state), text(&error(channel, state))]
        })
    };
    match format {
        OutputFormat::Json => {
            let all = channels.iter().map(|channel| {
                let state = state(channel);
                json!({ "name": channel["name"], "kind": channel["kind"], "state": words(state).0, "error": error(channel, state) })
            });
            output::print_json(&all.collect::<Vec<_>>())?;
        }
        OutputFormat::Csv => output::print(&output::csv(&["name", "kind", "state", "error"], rows(false)))?,
        OutputFormat::Table => {
            let columns = ["name", "kind", "state", "error"].map(Column::text);
            output::print(&output::table(&columns, rows(true), screen.color))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_counts_when_a_person_said_so_after_it_was_sent() {
        let sent = "2026-11-01T10:00:00Z";
        let (before, after) = ("2026-11-01T09:00:00Z", "2026-11-01T10:00:05Z");
        for (case, state_of, want) in [
            ("never sent", json!({}), State::Waiting),
            ("sent", json!({ "test_sent_at": sent }), State::Waiting),
            ("an old success", json!({ "test_sent_at": sent, "last_success_at": before }), State::Waiting),
            ("taken", json!({ "test_sent_at": sent, "last_success_at": after }), State::Delivered),
            ("refused", json!({ "test_sent_at": sent, "last_error_at": after }), State::Failed),
            (
                "refused, then taken",
                json!({ "test_sent_at": sent, "last_error_at": after, "last_success_at": after }),
                State::Delivered,
            ),
            (
                "seen",
                json!({ "test_sent_at": sent, "last_success_at": after, "test_acknowledged_at": after }),
                State::Acknowledged,
            ),
            ("the last one was seen", json!({ "test_sent_at": sent, "test_acknowledged_at": before }), State::Waiting),
        ] {
            assert_eq!(state(&json!({ "state": state_of })), want, "{case}");
        }
    }
}
