//! A rule that cries wolf becomes a ticket: the change of its YAML file, for a person to review.
//!
//! Nothing but what has to change is touched: comments, order, quotes and blank lines stay. The result is read again and
//! compared with the original; a file that cannot be changed so is left to a person.

use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

/// A ticket needs a date; a week is for what was never urgent.
const DUE: &str = "7d";
const CONTEXT_LINES: usize = 3;

/// A proposed change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demotion {
    /// The whole file as it would be.
    pub text: String,
    /// The change as a unified diff.
    pub diff: String,
}

/// Why there is no proposal. The part behind the semicolon is the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DemotionError {
    /// The file doesn't read as YAML with rules.
    #[error("the file cannot be read: {0}; run koshu check")]
    Unreadable(String),
    /// No such rule in this file.
    #[error("there is no rule {0:?} in this file; look in the others")]
    NoRule(String),
    /// It is no alert.
    #[error("rule {0:?} is no alert; nothing is to be done")]
    NoAlert(String),
    /// Nobody would answer for the ticket.
    #[error("rule {0:?} has no owner and none was named; add `owner:` first")]
    NoOwner(String),
    /// An anchor, an alias or a form that is not understood.
    #[error(
        "rule {0:?} is written in a way that is not changed by a program; change `class: alert` to `class: ticket` by hand"
    )]
    ByHand(String),
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    name: String,
    class: Option<Spanned<String>>,
    owner: Option<String>,
    due: Option<String>,
}

/// Proposes to make an alert a ticket. `owner` is who answers for it when the rule names nobody.
pub fn demote(file: &str, text: &str, rule: &str, owner: Option<&str>) -> Result<Demotion, DemotionError> {
    let unreadable = |error: serde_saphyr::Error| DemotionError::Unreadable(error.without_snippet().to_string());
    let parsed: File = serde_saphyr::from_str(text).map_err(unreadable)?;
    let found =
        parsed.rules.iter().find(|one| one.name == rule).ok_or_else(|| DemotionError::NoRule(rule.to_owned()))?;
    let class = found.class.as_ref().filter(|class| class.value == "alert");
    let class = class.ok_or_else(|| DemotionError::NoAlert(rule.to_owned()))?;
    let mut missing = Vec::new();
    if found.owner.is_none() {
        let owner = owner.filter(|owner| !owner.trim().is_empty());
        let owner = owner.ok_or_else(|| DemotionError::NoOwner(rule.to_owned()))?;
        missing.push(("owner", serde_json::to_string(owner).unwrap_or_default()));
    }
    if found.due.is_none() {
        missing.push(("due", DUE.to_owned()));
    }
    let by_hand = || DemotionError::ByHand(rule.to_owned());
    let place = class.referenced.span();
    let at = place.byte_offset().and_then(|at| usize::try_from(at).ok()).ok_or_else(by_hand)?;
    let changed = edit(text, at, &missing).ok_or_else(by_hand)?;
    if !is_as_meant(text, &changed, rule, &missing) {
        return Err(by_hand());
    }
    Ok(Demotion { diff: diff(file, text, &changed), text: changed })
}

/// The text with another class at `at`, and what is missing beside it.
fn edit(text: &str, at: usize, missing: &[(&str, String)]) -> Option<String> {
    let (before, rest) = (text.get(..at)?, text.get(at..)?);
    let (quote, word) = match rest.chars().next()? {
        quote @ ('"' | '\'') => (Some(quote), &rest[1..]),
        _ => (None, rest),
    };
    let after = word.strip_prefix("alert")?;
    let (ticket, after) = match quote {
        Some(quote) => (format!("{quote}ticket{quote}"), after.strip_prefix(quote)?),
        None => ("ticket".to_owned(), after),
    };
    if missing.is_empty() {
        return Some(format!("{before}{ticket}{after}"));
    }
    let line = &before[before.rfind('\n').map_or(0, |end| end + 1)..];
    let key = line.trim_start_matches([' ', '-']);
    if !key.starts_with("class") {
        // Within braces.
        let added = missing.iter().map(|(key, value)| format!(", {key}: {value}")).collect::<Vec<_>>().concat();
        return Some(format!("{before}{ticket}{added}{after}"));
    }
    // On lines of their own, below `class` and its comment.
    let end = after.find('\n').unwrap_or(after.len());
    let (rest_of_line, below) = after.split_at(end);
    let newline = if rest_of_line.ends_with('\r') { "\r\n" } else { "\n" };
    let rest_of_line = rest_of_line.trim_end_matches('\r');
    let indent = " ".repeat(line.len() - key.len());
    let line = |(key, value): &(&str, String)| format!("{newline}{indent}{key}: {value}");
    let added = missing.iter().map(line).collect::<Vec<_>>().concat();
    let below = if newline == "\r\n" { format!("\r{below}") } else { below.to_owned() };
    Some(format!("{before}{ticket}{rest_of_line}{added}{below}"))
}

/// Read again, the file says the same but for what was to change.
fn is_as_meant(before: &str, after: &str, rule: &str, missing: &[(&str, String)]) -> bool {
    let (Ok(mut want), Ok(got)) = (serde_saphyr::from_str::<Value>(before), serde_saphyr::from_str::<Value>(after))
    else {
        return false;
    };
    let Some(rules) = want.get_mut("rules").and_then(Value::as_array_mut) else { return false };
    let Some(wanted) = rules.iter_mut().find(|one| one["name"] == rule).and_then(Value::as_object_mut) else {
        return false;
    };
    wanted.insert("class".to_owned(), Value::from("ticket"));
    for (key, value) in missing {
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value.as_str()));
        wanted.insert((*key).to_owned(), value);
    }
    want == got
}

/// One hunk: everything between the first and the last line that differ.
fn diff(file: &str, before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let left = old.len().min(new.len()) - same;
    let tail = old.iter().rev().zip(new.iter().rev()).take(left).take_while(|(a, b)| a == b).count();
    let from = same.saturating_sub(CONTEXT_LINES);
    let (old_to, new_to) = (old.len() - tail, new.len() - tail);
    let below = tail.min(CONTEXT_LINES);
    let (old_count, new_count) = (old_to + below - from, new_to + below - from);
    let start = from + 1;
    let mut out = format!("--- a/{file}\n+++ b/{file}\n@@ -{start},{old_count} +{start},{new_count} @@\n");
    let mut lines = |sign: char, lines: &[&str]| {
        for line in lines {
            out.push(sign);
            out.push_str(line);
            out.push('\n');
        }
    };
    lines(' ', &old[from..same]);
    lines('-', &old[same..old_to]);
    lines('+', &new[same..new_to]);
    lines(' ', &old[old_to..old_to + below]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &str = "schema: 1
# What guards the shop.
rules:
  - name: checkout-slow   # since the incident of May
    service: shop
    signal: latency.p95
    above: 800ms
    class: alert          # wakes people
    action: \"Roll back\"

  - {name: burning, class: alert, objective: available, owner: web-team}
  - class: 'alert'
    name: quoted
    owner: web-team
    due: 3d
  - name: calm
    class: ticket
    owner: web-team
    due: 3d
";

    #[test]
    fn only_what_has_to_change_changes() {
        for (rule, owner) in [("checkout-slow", Some("web-team")), ("burning", None), ("quoted", None)] {
            let demotion = demote("koshu.yaml", BLOCK, rule, owner).unwrap();
            insta::assert_snapshot!(rule, demotion.diff);
            assert_eq!(demotion.text.matches('#').count(), BLOCK.matches('#').count(), "comments stay");
        }
    }

    #[test]
    fn a_diff_is_one_that_patch_takes() {
        use std::io::Write as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("koshu.yaml");
        for rule in ["burning", "quoted"] {
            std::fs::write(&path, BLOCK).unwrap();
            let demotion = demote("koshu.yaml", BLOCK, rule, None).unwrap();
            let mut command = std::process::Command::new("patch");
            command.args(["-p1", "--quiet"]).current_dir(folder.path()).stdin(std::process::Stdio::piped());
            let Ok(mut patch) = command.spawn() else { return eprintln!("skipped: there is no patch") };
            patch.stdin.take().unwrap().write_all(demotion.diff.as_bytes()).unwrap();
            assert!(patch.wait().unwrap().success());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), demotion.text, "{rule}");
        }
    }

    #[test]
    fn line_ends_and_a_missing_last_one_stay_as_they_are() {
        let crlf = "rules:\r\n  - name: a\r\n    class: alert\r\n    owner: b\r\n";
        let text = demote("f", crlf, "a", None).unwrap().text;
        assert_eq!(text, "rules:\r\n  - name: a\r\n    class: ticket\r\n    due: 7d\r\n    owner: b\r\n");
        let short = "rules:\n  - name: a\n    owner: あ\n    class: alert";
        assert_eq!(
            demote("f", short, "a", None).unwrap().text,
            "rules:\n  - name: a\n    owner: あ\n    class: ticket\n    due: 7d"
        );
    }

    #[test]
    fn what_cannot_be_changed_is_left_to_a_person() {
        for (case, text, rule, want) in [
            ("broken", "rules: [", "a", "the file cannot be read: "),
            ("another file", BLOCK, "unknown", "there is no rule \"unknown\" in this file"),
            ("a ticket", BLOCK, "calm", "rule \"calm\" is no alert"),
            ("nobody", BLOCK, "checkout-slow", "rule \"checkout-slow\" has no owner"),
            ("an alias", "x: &c alert\nrules: [{name: a, class: *c, owner: b}]", "a", "rule \"a\" is written in a way"),
            (
                "folded",
                "rules:\n  - name: a\n    owner: b\n    class: >-\n      alert\n",
                "a",
                "rule \"a\" is written in a way",
            ),
        ] {
            let error = demote("f", text, rule, None).unwrap_err().to_string();
            assert!(error.starts_with(want) && error.contains("; "), "{case}: {error}");
        }
    }
}
