//! `koshu check --send-test`: a message to every output, which a person has to acknowledge before it counts.

use crate::client::{Client, ServerArgs};
use crate::failure::{Exit, Failure};
use crate::output::{self, Column, OutputFormat, Screen};
use crate::texts::Message;
use anyhow::{Context, Result};
use base::Span;
use reqwest::{Method, RequestBuilder};
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
    /// The service said no, or it was tried for as long as a test is.
    Failed,
    /// The service did not take it, and is asked again.
    TriedAgain,
    /// Nothing is known.
    Waiting,
}

impl State {
    /// Whether waiting any longer changes nothing.
    fn is_settled(self) -> bool {
        match self {
            Self::Acknowledged | Self::Failed => true,
            Self::Delivered | Self::TriedAgain | Self::Waiting => false,
        }
    }

    /// Its name for programs, and its text for people.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Acknowledged => ("acknowledged", "cli-test-acknowledged"),
            Self::Delivered => ("delivered", "cli-test-delivered"),
            Self::Failed => ("failed", "cli-test-failed"),
            Self::TriedAgain => ("tried_again", "cli-test-tried-again"),
            Self::Waiting => ("waiting", "cli-test-waiting"),
        }
    }
}

/// A test that was sent, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Test {
    name: String,
    kind: String,
    id: String,
    state: State,
    /// Why it was not taken.
    why: Option<String>,
}

/// Sends, waits for people, prints. Exits with 3 unless every test was acknowledged.
pub fn run(server: &ServerArgs, wait: Span, format: OutputFormat, screen: &Screen) -> Result<ExitCode> {
    let client = Client::find(server)?;
    let tests = super::wait_for(async {
        let mut tests = send(&client).await?;
        if tests.is_empty() {
            return Err(Failure::failed("cli-test-none").hint("cli-test-none-hint").into());
        }
        let message = Message::new("cli-test-sent").with("outputs", tests.len().to_string());
        eprintln!("{}", screen.texts.say(&message.with("wait", wait.to_string())));
        let until = Instant::now() + wait.to_std();
        loop {
            for test in &mut tests {
                look(&client, test, screen).await?;
            }
            if tests.iter().all(|test| test.state.is_settled()) || Instant::now() >= until {
                return Ok(tests);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    })?;
    show(&tests, format, screen)?;
    let is_good = tests.iter().all(|test| test.state == State::Acknowledged);
    Ok(if is_good { ExitCode::SUCCESS } else { Exit::Problems.into() })
}

/// To every channel that is configured.
async fn send(client: &Client) -> Result<Vec<Test>> {
    let mut tests = Vec::new();
    let channels = ask(client, client.request(Method::GET, "api/v1/channels")).await?;
    for channel in channels["channels"].as_array().into_iter().flatten() {
        // Nobody reads what a dead-man's switch gets.
        let kind = channel["kind"].as_str().filter(|kind| *kind != "ping");
        let (Some(name), Some(kind)) = (channel["name"].as_str(), kind) else { continue };
        let path = format!("api/v1/channels/{name}/test");
        let answer = ask(client, client.request(Method::POST, &path).json(&json!({}))).await?;
        let id = answer["id"].as_str().context("the server gave the test no id")?.to_owned();
        let (name, kind) = (name.to_owned(), kind.to_owned());
        tests.push(Test { name, kind, id, state: State::Waiting, why: None });
    }
    Ok(tests)
}

/// Asks how a test stands, and says when it is tried again and why: who waits may know what is wrong.
async fn look(client: &Client, test: &mut Test, screen: &Screen) -> Result<()> {
    let path = format!("api/v1/channels/tests/{}", test.id);
    let (state, why) = standing(&ask(client, client.request(Method::GET, &path)).await?);
    if let (State::TriedAgain, Some(why)) = (state, why.as_deref().filter(|why| test.why.as_deref() != Some(*why))) {
        let message = Message::new("cli-test-again").with("output", output::printable(&test.name));
        eprintln!("{}", screen.texts.say(&message.with("why", output::printable(why))));
    }
    (test.state, test.why) = (state, why);
    Ok(())
}

async fn ask(client: &Client, request: RequestBuilder) -> Result<Value> {
    client.send(request).await?.json().await.context("the answer of the server could not be read")
}

/// How a test stands, and why it was not taken.
fn standing(test: &Value) -> (State, Option<String>) {
    let why = test["last_error"].as_str().map(str::to_owned);
    match (test["acknowledged_at"].as_str(), test["state"].as_str()) {
        (Some(_), _) => (State::Acknowledged, None),
        (None, Some("delivered")) => (State::Delivered, None),
        (None, Some("given_up")) => (State::Failed, why),
        (None, _) if why.is_some() => (State::TriedAgain, why),
        (None, _) => (State::Waiting, None),
    }
}

fn show(tests: &[Test], format: OutputFormat, screen: &Screen) -> Result<()> {
    let rows = |is_for_people: bool| {
        tests.iter().map(move |test| {
            let (name, text) = test.state.words();
            let state = if is_for_people { screen.texts.get(text) } else { name.to_owned() };
            vec![test.name.clone(), test.kind.clone(), state, test.why.clone().unwrap_or_default()]
        })
    };
    match format {
        OutputFormat::Json => {
            let all = tests.iter().map(|test| {
                json!({ "name": test.name, "kind": test.kind, "state": test.state.words().0, "error": test.why })
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
    fn a_test_is_settled_when_a_person_saw_it_or_it_was_refused_and_not_while_it_is_tried_again() {
        let (busy, gone, at) = (Some("HTTP 503"), Some("HTTP 404"), Some("2026-11-01T10:00:05Z"));
        for (case, state, error, acknowledged, want, is_settled) in [
            ("not tried yet", "pending", None, None, (State::Waiting, None), false),
            ("busy for now", "pending", busy, None, (State::TriedAgain, busy), false),
            ("taken", "delivered", None, None, (State::Delivered, None), false),
            ("refused", "given_up", gone, None, (State::Failed, gone), true),
            ("seen", "delivered", None, at, (State::Acknowledged, None), true),
            ("seen, though the service said it failed", "given_up", gone, at, (State::Acknowledged, None), true),
        ] {
            let test = json!({ "state": state, "last_error": error, "acknowledged_at": acknowledged });
            let (state, why) = standing(&test);
            assert_eq!((state, why.as_deref()), want, "{case}");
            assert_eq!(state.is_settled(), is_settled, "{case}");
        }
    }
}
