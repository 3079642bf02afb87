//! Who may send: `HELO`, `PING` and `PONG` with a shared key and, when asked for, a user and a password.
//!
//! Never learns a key or password from the wire: both sides prove with SHA-512 digests that they know it. Digests are
//! compared in constant time, and an unknown user costs as much as a wrong password.

use super::pack::{Reader, Value};
use crate::observed::DecodeError;
use rmp::encode;
use sha2::{Digest, Sha512};
use subtle::{Choice, ConstantTimeEq};

/// The server's first word on a connection. Both random values are new for each connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// Keeps a recorded handshake from being played again.
    pub nonce: [u8; 16],
    /// Salt of the password's digest when a user must sign in; `None` when the shared key is enough.
    pub user_salt: Option<[u8; 16]>,
}

impl Hello {
    /// `["HELO", {"nonce": .., "auth": .., "keepalive": true}]`.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(80);
        let written = (|| {
            encode::write_array_len(&mut out, 2)?;
            encode::write_str(&mut out, "HELO")?;
            encode::write_map_len(&mut out, 3)?;
            encode::write_str(&mut out, "nonce")?;
            encode::write_bin(&mut out, &self.nonce)?;
            encode::write_str(&mut out, "auth")?;
            encode::write_bin(&mut out, self.user_salt.as_ref().map_or(&[], |salt| salt.as_slice()))?;
            encode::write_str(&mut out, "keepalive")?;
            encode::write_bool(&mut out, true).map_err(encode::ValueWriteError::InvalidMarkerWrite)
        })();
        written.expect("writing to memory does not fail");
        out
    }
}

/// The client's answer. Has no `Debug`: its digests are of secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Ping<'a> {
    /// What the client calls itself.
    pub hostname: &'a [u8],
    salt: &'a [u8],
    key_digest: &'a [u8],
    user: &'a [u8],
    password_digest: &'a [u8],
}

/// Why a client is turned away; its text goes into the `PONG`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The shared key differs.
    #[error("shared_key mismatch")]
    SharedKey,
    /// The user is unknown or the password differs.
    #[error("username/password mismatch")]
    User,
}

impl<'a> Ping<'a> {
    /// Reads `["PING", hostname, salt, key digest, user, password digest]`.
    pub fn decode(message: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(message);
        let is_list_of_six = matches!(reader.next(), Ok(Value::Array(6)));
        let mut text = || match reader.next() {
            Ok(Value::Text(bytes) | Value::Binary(bytes)) => Some(bytes),
            _ => None,
        };
        let mut read = || {
            let (b"PING", hostname, salt) = (text()?, text()?, text()?) else { return None };
            let (key_digest, user, password_digest) = (text()?, text()?, text()?);
            Some(Self { hostname, salt, key_digest, user, password_digest })
        };
        let ping = if is_list_of_six { read() } else { None };
        ping.ok_or_else(|| DecodeError::Malformed { what: "no PING, which the handshake needs".to_owned(), at: 0 })
    }

    /// Checks what the client proved. `password_of` gives the password of a user; it is asked only when
    /// [`Hello::user_salt`] is set.
    pub fn check<'k>(
        &self,
        hello: &Hello,
        shared_key: &str,
        password_of: impl FnOnce(&str) -> Option<&'k str>,
    ) -> Result<(), Denied> {
        let key = hex_digest([self.salt, self.hostname, &hello.nonce, shared_key.as_bytes()]);
        if !bool::from(same(&key, self.key_digest)) {
            return Err(Denied::SharedKey);
        }
        let Some(salt) = &hello.user_salt else { return Ok(()) };
        let password = std::str::from_utf8(self.user).ok().and_then(password_of);
        let known = Choice::from(u8::from(password.is_some()));
        let proof = hex_digest([salt, self.user, password.unwrap_or_default().as_bytes(), b""]);
        if bool::from(same(&proof, self.password_digest) & known) { Ok(()) } else { Err(Denied::User) }
    }

    /// The server's last word: `["PONG", true, "", hostname, digest]`, with which the server proves that it knows the
    /// key too, or `["PONG", false, reason, "", ""]`, after which the connection ends.
    pub fn pong(&self, hello: &Hello, shared_key: &str, hostname: &str, checked: Result<(), Denied>) -> Vec<u8> {
        let proof = hex_digest([self.salt, hostname.as_bytes(), &hello.nonce, shared_key.as_bytes()]);
        match checked {
            Ok(()) => pong(true, "", hostname, &proof),
            Err(why) => pong(false, &why.to_string(), "", ""),
        }
    }
}

fn pong(welcome: bool, reason: &str, hostname: &str, proof: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(200);
    let written = (|| {
        encode::write_array_len(&mut out, 5)?;
        encode::write_str(&mut out, "PONG")?;
        encode::write_bool(&mut out, welcome).map_err(encode::ValueWriteError::InvalidMarkerWrite)?;
        for text in [reason, hostname, proof] {
            encode::write_str(&mut out, text)?;
        }
        Ok::<_, encode::ValueWriteError>(())
    })();
    written.expect("writing to memory does not fail");
    out
}

pub(super) fn hex_digest(parts: [&[u8]; 4]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hash = Sha512::new();
    for part in parts {
        hash.update(part);
    }
    let digit = |half: u8| char::from(DIGITS[usize::from(half & 15)]);
    hash.finalize().iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

fn same(ours: &str, theirs: &[u8]) -> Choice {
    ours.as_bytes().ct_eq(theirs)
}
