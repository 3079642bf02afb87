//! GitHub's webhooks: pushes, deployments and releases as changes of a service.
//!
//! Nothing is read before [`verify`] said yes: the caller calls it first, on the very bytes that arrived, and keeps the
//! delivery ids (`X-GitHub-Delivery`) that it has seen.

use crate::lenient::{self, at, cut, text, time};
use crate::observed::Refusal;
use base::{Secret, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

/// Longest title that is kept, bytes.
const MAX_TITLE: usize = 300;
/// Longest of the other texts, bytes.
const MAX_TEXT: usize = 500;

/// Why a delivery is not believed. Says no more than it must.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is missing or does not fit the body")]
pub struct BadSignature;

/// Checks `X-Hub-Signature-256` in constant time. An empty secret believes nobody.
pub fn verify(secret: &Secret, signature: Option<&str>, body: &[u8]) -> Result<(), BadSignature> {
    let hex = signature.and_then(|signature| signature.strip_prefix("sha256=")).ok_or(BadSignature)?;
    let given = bytes_of(hex).ok_or(BadSignature)?;
    if secret.reveal().is_empty() {
        return Err(BadSignature);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()).map_err(|_| BadSignature)?;
    mac.update(body);
    mac.verify_slice(&given).map_err(|_| BadSignature)
}

fn bytes_of(hex: &str) -> Option<[u8; 32]> {
    let hex = hex.as_bytes();
    if hex.len() != 64 {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

/// What kind of change it is. GitHub only knows of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// New code for a service.
    Deploy,
}

impl ChangeKind {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
        }
    }
}

/// How far a change has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Pushed or asked for.
    Wanted,
    /// Being rolled out.
    Running,
    /// Live.
    Done,
    /// Did not work out.
    Failed,
}

impl Stage {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// A change of a service, as a webhook told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What kind.
    pub kind: ChangeKind,
    /// How far it has come.
    pub stage: Stage,
    /// Name of the repository alone: the service, unless the configuration says another.
    pub service: String,
    /// The repository with its owner (`acme/shop`).
    pub repo: String,
    /// Commit.
    pub sha: Option<String>,
    /// Branch or tag, without `refs/heads/`.
    pub reference: Option<String>,
    /// Whether that is the repository's default branch; only pushes say so.
    pub on_default_branch: Option<bool>,
    /// `production`, `staging`, ...
    pub environment: Option<String>,
    /// What it is about, one line.
    pub title: String,
    /// Where to read more; http or https.
    pub url: Option<String>,
    /// Who made it.
    pub author: Option<String>,
    /// When; missing, it is when it arrived.
    pub at: Option<Timestamp>,
}

/// Reads one delivery by its `X-GitHub-Event`. `None` is an event that changes no service (`ping`, a deleted branch, a
/// draft of a release, ...), which is answered well all the same.
pub fn decode_github(event: &str, body: &[u8]) -> Result<Option<Change>, Refusal> {
    let read = match event {
        "push" => push,
        "deployment" => deployment,
        "deployment_status" => deployment_status,
        "release" => release,
        _ => return Ok(None),
    };
    let body = lenient::parse(body)?;
    if !body.is_object() {
        return Err(Refusal::NotAMap);
    }
    let repo = short(&body, &["repository", "full_name"]).ok_or(Refusal::BadName)?;
    let service = short(&body, &["repository", "name"]).or_else(|| repo.rsplit('/').next().map(str::to_owned));
    let blank = Change {
        kind: ChangeKind::Deploy,
        stage: Stage::Wanted,
        service: service.unwrap_or_default(),
        repo,
        sha: None,
        reference: None,
        on_default_branch: None,
        environment: None,
        title: String::new(),
        url: None,
        author: None,
        at: None,
    };
    Ok(read(&body, blank).map(|change| Change { title: one_line(&change.title), ..change }))
}

fn push(body: &Value, blank: Change) -> Option<Change> {
    let commit = body.get("head_commit").filter(|commit| commit.is_object() && body["deleted"] != true)?;
    let reference = short(body, &["ref"])?;
    let branch = reference.strip_prefix("refs/heads/");
    let name = branch.or_else(|| reference.strip_prefix("refs/tags/")).unwrap_or(&reference).to_owned();
    let default_branch = short(body, &["repository", "default_branch"]);
    let on_default_branch = branch.zip(default_branch.as_deref()).map(|(branch, default)| branch == default);
    Some(Change {
        sha: short(body, &["after"]),
        on_default_branch,
        title: message(commit),
        url: address(body, &["compare"]).or_else(|| address(commit, &["url"])),
        author: short(commit, &["author", "username"])
            .or_else(|| short(commit, &["author", "name"]))
            .or_else(|| short(body, &["pusher", "name"])),
        at: time(&commit["timestamp"]),
        reference: Some(name),
        ..blank
    })
}

fn deployment(body: &Value, blank: Change) -> Option<Change> {
    let deployment = body.get("deployment").filter(|deployment| deployment.is_object())?;
    let reference = short(deployment, &["ref"]);
    let environment = short(deployment, &["environment"]);
    let named = short(deployment, &["description"]).unwrap_or_else(|| {
        let (reference, environment) = (reference.as_deref().unwrap_or("?"), environment.as_deref().unwrap_or("?"));
        format!("{reference} to {environment}")
    });
    Some(Change {
        sha: short(deployment, &["sha"]),
        title: named,
        url: address(body, &["workflow_run", "html_url"]),
        author: short(deployment, &["creator", "login"]),
        at: time(&deployment["created_at"]),
        reference,
        environment,
        ..blank
    })
}

fn deployment_status(body: &Value, blank: Change) -> Option<Change> {
    let status = &body["deployment_status"];
    let stage = match status["state"].as_str()? {
        "success" => Stage::Done,
        "failure" | "error" => Stage::Failed,
        "pending" | "queued" | "in_progress" => Stage::Running,
        // "inactive": a later deployment took its place.
        _ => return None,
    };
    let change = deployment(body, blank)?;
    let url = ["environment_url", "log_url", "target_url"].iter().find_map(|name| address(status, &[name]));
    let at = time(&status["updated_at"]).or_else(|| time(&status["created_at"])).or(change.at);
    Some(Change { stage, url: url.or(change.url), at, ..change })
}

fn release(body: &Value, blank: Change) -> Option<Change> {
    let release = &body["release"];
    if body["action"] != "published" || release["draft"] == true {
        return None;
    }
    let tag = short(release, &["tag_name"])?;
    Some(Change {
        stage: Stage::Done,
        title: short(release, &["name"]).unwrap_or_else(|| tag.clone()),
        url: address(release, &["html_url"]),
        author: short(release, &["author", "login"]),
        at: time(&release["published_at"]),
        reference: Some(tag),
        ..blank
    })
}

/// The first line of a commit's message.
fn message(commit: &Value) -> String {
    commit["message"].as_str().unwrap_or_default().trim().lines().next().unwrap_or_default().to_owned()
}

fn short(value: &Value, path: &[&str]) -> Option<String> {
    text(at(value, path)).map(|text| cut(&text, MAX_TEXT).to_owned())
}

/// An address that a page may link to: `javascript:` is none.
fn address(value: &Value, path: &[&str]) -> Option<String> {
    short(value, path).filter(|url| url.starts_with("https://") || url.starts_with("http://"))
}

fn one_line(raw: &str) -> String {
    let plain: String = raw.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    cut(plain.trim(), MAX_TITLE).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn repository() -> Value {
        json!({ "name": "shop", "full_name": "acme/shop", "default_branch": "main" })
    }

    fn decode(event: &str, mut body: Value) -> Option<Change> {
        body["repository"] = repository();
        decode_github(event, body.to_string().as_bytes()).unwrap()
    }

    fn change() -> Change {
        Change {
            kind: ChangeKind::Deploy,
            stage: Stage::Wanted,
            service: "shop".to_owned(),
            repo: "acme/shop".to_owned(),
            sha: None,
            reference: None,
            on_default_branch: None,
            environment: None,
            title: String::new(),
            url: None,
            author: None,
            at: None,
        }
    }

    #[test]
    fn only_who_knows_the_secret_is_believed() {
        // The example of GitHub's own documentation.
        let secret = Secret::new("It's a Secret to Everybody");
        let good = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        for (case, secret, signature, body, want) in [
            ("right", &secret, Some(good), "Hello, World!", true),
            (
                "upper case",
                &secret,
                Some("sha256=757107EA0EB2509FC211221CCE984B8A37570B6D7586C22C46F4379C8B043E17"),
                "Hello, World!",
                true,
            ),
            ("another body", &secret, Some(good), "Hello, World?", false),
            ("another secret", &Secret::new("x"), Some(good), "Hello, World!", false),
            ("no secret", &Secret::new(""), Some(good), "Hello, World!", false),
            ("no signature", &secret, None, "Hello, World!", false),
            ("empty", &secret, Some("sha256="), "Hello, World!", false),
            ("cut", &secret, Some(&good[..good.len() - 2]), "Hello, World!", false),
            ("the old hash", &secret, Some("sha1=757107ea0eb2509fc211221cce984b8a37570b6d"), "Hello, World!", false),
            ("no hex", &secret, Some(&good.replace('7', "g")), "Hello, World!", false),
        ] {
            assert_eq!(verify(secret, signature, body.as_bytes()).is_ok(), want, "{case}");
        }
    }

    #[test]
    fn deliveries_are_changes() {
        let at: Timestamp = "2026-02-03T04:05:06Z".parse().unwrap();
        let commit = json!({ "message": "Pay faster\n\nBecause.", "timestamp": "2026-02-03T13:05:06+09:00", "url": "https://github.com/c", "author": { "name": "Hanako", "username": "hanako" } });
        let deployment = json!({ "sha": "abc", "ref": "main", "environment": "production", "description": null, "created_at": "2026-02-03T04:05:06Z", "creator": { "login": "hanako" } });
        for (case, event, body, want) in [
            (
                "a push",
                "push",
                json!({ "ref": "refs/heads/main", "after": "abc", "compare": "https://github.com/compare", "head_commit": commit }),
                Some(Change {
                    sha: Some("abc".into()),
                    reference: Some("main".into()),
                    on_default_branch: Some(true),
                    title: "Pay faster".into(),
                    url: Some("https://github.com/compare".into()),
                    author: Some("hanako".into()),
                    at: Some(at),
                    ..change()
                }),
            ),
            (
                "a tag",
                "push",
                json!({ "ref": "refs/tags/v1", "after": "abc", "compare": "javascript:alert(1)", "head_commit": { "message": "x" }, "pusher": { "name": "taro" } }),
                Some(Change {
                    sha: Some("abc".into()),
                    reference: Some("v1".into()),
                    title: "x".into(),
                    author: Some("taro".into()),
                    ..change()
                }),
            ),
            ("a deleted branch", "push", json!({ "ref": "refs/heads/x", "deleted": true, "head_commit": null }), None),
            (
                "a deployment",
                "deployment",
                json!({ "deployment": deployment }),
                Some(Change {
                    sha: Some("abc".into()),
                    reference: Some("main".into()),
                    environment: Some("production".into()),
                    title: "main to production".into(),
                    author: Some("hanako".into()),
                    at: Some(at),
                    ..change()
                }),
            ),
            (
                "a deployment that failed",
                "deployment_status",
                json!({ "deployment": deployment, "deployment_status": { "state": "failure", "log_url": "https://ci.example/7", "updated_at": "2026-02-03T04:06:06Z" } }),
                Some(Change {
                    stage: Stage::Failed,
                    sha: Some("abc".into()),
                    reference: Some("main".into()),
                    environment: Some("production".into()),
                    title: "main to production".into(),
                    url: Some("https://ci.example/7".into()),
                    author: Some("hanako".into()),
                    at: Some(at.plus_seconds(60)),
                    ..change()
                }),
            ),
            (
                "one that was replaced",
                "deployment_status",
                json!({ "deployment": deployment, "deployment_status": { "state": "inactive" } }),
                None,
            ),
            (
                "a release",
                "release",
                json!({ "action": "published", "release": { "tag_name": "v1", "name": "", "published_at": "2026-02-03T04:05:06Z", "html_url": "https://github.com/r", "author": { "login": "hanako" } } }),
                Some(Change {
                    stage: Stage::Done,
                    reference: Some("v1".into()),
                    title: "v1".into(),
                    url: Some("https://github.com/r".into()),
                    author: Some("hanako".into()),
                    at: Some(at),
                    ..change()
                }),
            ),
            (
                "a release that is edited",
                "release",
                json!({ "action": "edited", "release": { "tag_name": "v1" } }),
                None,
            ),
            ("another event", "ping", json!({ "zen": "x" }), None),
        ] {
            assert_eq!(decode(event, body), want, "{case}");
        }
        for (case, body, want) in [
            ("no JSON", "x", Refusal::NotJson),
            ("a list", "[]", Refusal::NotAMap),
            ("no repository", "{}", Refusal::BadName),
            ("deep", &"[".repeat(1_000), Refusal::TooDeep),
        ] {
            assert_eq!(decode_github("push", body.as_bytes()), Err(want), "{case}");
        }
        let long =
            decode("push", json!({ "ref": "x".repeat(9_000), "head_commit": { "message": "あ\u{7}".repeat(9_000) } }))
                .unwrap();
        assert!(long.title.len() <= MAX_TITLE && !long.title.contains('\u{7}'));
        assert!(long.reference.unwrap().len() <= MAX_TEXT);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(event in "push|deployment|deployment_status|release", body in proptest::collection::vec(any::<u8>(), 0..200), signature in "(sha256=)?\\PC{0,70}") {
            let _ = decode_github(&event, &body);
            let _ = verify(&Secret::new("x"), Some(&signature), &body);
        }
    }
}
