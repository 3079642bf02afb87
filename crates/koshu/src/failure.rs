//! How a command fails: a text, a way out, and an exit code that scripts can tell apart.

use crate::output::Screen;
use crate::texts::Message;
use std::fmt;
use std::process::ExitCode;

/// The exit codes of every command. They never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Something went wrong.
    Failed = 1,
    /// The command line can't be meant.
    Usage = 2,
    /// A check found problems.
    Problems = 3,
    /// No server answers.
    NotReachable = 4,
    /// The server or the machine does not allow it.
    NotPermitted = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command failed, in words for people.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    text: Message,
    hint: Option<Message>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Failure {
    /// A failure with a text out of `cli.ftl`.
    pub fn new(exit: Exit, key: &'static str) -> Self {
        Self { exit, text: Message::new(key), hint: None, cause: None }
    }

    /// Something went wrong.
    pub fn failed(key: &'static str) -> Self {
        Self::new(Exit::Failed, key)
    }

    /// The command line can't be meant.
    pub fn usage(key: &'static str) -> Self {
        Self::new(Exit::Usage, key)
    }

    /// Fills a place in the text and in the hint.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        let value = value.to_string();
        self.hint = self.hint.map(|hint| hint.with(name, value.clone()));
        self.text = self.text.with(name, value);
        self
    }

    /// The way out.
    #[must_use]
    pub fn hint(mut self, key: &'static str) -> Self {
        self.hint = Some(self.text.renamed(key));
        self
    }

    /// What it comes from.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }
}
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.key())
    }
}
impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

/// Prints one line that says what failed and why, then the way out.
pub fn report(error: &anyhow::Error, screen: &Screen) -> ExitCode {
    if error.chain().any(is_closed_pipe) {
        return ExitCode::SUCCESS; // `koshu ... | head` has seen enough
    }
    let (mut parts, mut hint, mut exit) = (Vec::<String>::new(), None, Exit::Failed);
    for cause in error.chain() {
        let text = match cause.downcast_ref::<Failure>() {
            Some(failure) => {
                hint = hint.or_else(|| failure.hint.as_ref().map(|hint| screen.texts.say(hint)));
                exit = failure.exit;
                screen.texts.say(&failure.text)
            }
            None => cause.to_string(),
        };
        // Libraries like to repeat their cause in their own text.
        if parts.last().is_none_or(|last| !last.ends_with(&text)) {
            parts.push(text);
        }
        if is_permission(cause) && exit == Exit::Failed {
            exit = Exit::NotPermitted;
        }
    }
    eprintln!("koshu: {}", crate::output::printable(&parts.join(": ")));
    if let Some(hint) = hint {
        eprintln!("  {hint}");
    }
    exit.into()
}

fn io_kind(cause: &(dyn std::error::Error + 'static)) -> Option<std::io::ErrorKind> {
    cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind)
}

fn is_closed_pipe(cause: &(dyn std::error::Error + 'static)) -> bool {
    io_kind(cause) == Some(std::io::ErrorKind::BrokenPipe)
}

fn is_permission(cause: &(dyn std::error::Error + 'static)) -> bool {
    io_kind(cause) == Some(std::io::ErrorKind::PermissionDenied)
}
