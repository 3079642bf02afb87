//! A webhook of one's own, signed as Standard Webhooks say (<https://www.standardwebhooks.com>).
//!
//! `webhook-id` is the same at every attempt, so a receiver that remembers it handles a message once.

use super::slack::SecretUrl;
use super::{HttpRequest, Template, TemplateError};
use crate::message::Message;
use base::{Secret, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;

const PREFIX: &str = "whsec_";
/// How far the time of a message may be from the receiver's.
const TOLERANCE_SECONDS: i64 = 300;

#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub(crate) url: SecretUrl,
    pub(crate) secret: Option<Secret>,
    pub(crate) template: Option<Template>,
}

impl Webhook {
    pub(crate) fn render(&self, message: &Message, now: Timestamp) -> Result<HttpRequest, TemplateError> {
        let body = match &self.template {
            Some(template) => template.render(message)?,
            None => json!({
                "type": format!("{}.{}", message.class.as_str(), message.kind.as_str()),
                "timestamp": message.at,
                "data": message,
            }),
        };
        let body = body.to_string();
        let seconds = now.micros().div_euclid(1_000_000);
        let mut headers = vec![
            ("content-type", "application/json; charset=utf-8".to_owned()),
            ("webhook-id", message.id.clone()),
            ("webhook-timestamp", seconds.to_string()),
        ];
        if let Some(secret) = &self.secret {
            headers.push(("webhook-signature", sign(secret, &message.id, seconds, &body)));
        }
        Ok(HttpRequest { method: "POST", url: self.url.0.clone(), headers, body })
    }
}

/// The key: base64 behind `whsec_`, else the bytes as they are.
fn key(secret: &Secret) -> Vec<u8> {
    let decoded = secret.reveal().strip_prefix(PREFIX).and_then(|encoded| STANDARD.decode(encoded).ok());
    decoded.unwrap_or_else(|| secret.reveal().as_bytes().to_vec())
}

fn mac(secret: &Secret, id: &str, seconds: i64, body: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key(secret)).expect("HMAC takes a key of any length");
    mac.update(id.as_bytes());
    mac.update(b".");
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    mac
}

/// The value of `webhook-signature`.
pub fn sign(secret: &Secret, id: &str, seconds: i64, body: &str) -> String {
    format!("v1,{}", STANDARD.encode(mac(secret, id, seconds, body).finalize().into_bytes()))
}

/// What a receiver checks: one of the signatures is right, and the message is of now. In constant time.
pub fn verify(secret: &Secret, id: &str, seconds: i64, body: &str, signatures: &str, now: Timestamp) -> bool {
    let now = now.micros().div_euclid(1_000_000);
    let fresh = (now.saturating_sub(seconds)).abs() <= TOLERANCE_SECONDS;
    let right = |signature: &str| {
        let encoded = signature.strip_prefix("v1,").and_then(|encoded| STANDARD.decode(encoded).ok());
        encoded.is_some_and(|bytes| mac(secret, id, seconds, body).verify_slice(&bytes).is_ok())
    };
    fresh && signatures.split(' ').any(right)
}
