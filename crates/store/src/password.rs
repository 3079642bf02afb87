//! Hashing and checking passwords with argon2id.
//!
//! Runs on blocking threads and only a few at a time: each run takes 19 MiB, which has to fit into the memory budget
//! however many people try to sign in. Never says whether the user exists, not even by the time it takes.

use crate::StoreError;
use argon2::password_hash::{Error as HashError, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use base::Secret;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

/// OWASP's password storage cheat sheet, argon2id: 19 MiB, 2 passes, 1 lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Shortest password that is taken, in characters.
pub const PASSWORD_MIN_CHARS: usize = 12;
/// Longest password that is taken, in bytes: longer ones only cost time.
pub const PASSWORD_MAX_BYTES: usize = 1024;
const AT_ONCE: usize = 2;
const WAITING: usize = 32;
/// Checked when there is no such user, so that the answer takes as long. No password leads to it.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm8gc3VjaCB1c2VyIQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password was not set.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Easy to guess by trying.
    #[error("the password has {0} characters; use at least {PASSWORD_MIN_CHARS}")]
    TooShort(usize),
    /// No person types this.
    #[error("the password has {0} bytes; use at most {PASSWORD_MAX_BYTES}")]
    TooLong(usize),
    /// The user was deleted meanwhile.
    #[error("there is no such user any more")]
    NoSuchUser,
    /// The store could not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The one way to the hash function.
#[derive(Debug, Clone)]
pub(crate) struct Passwords {
    permits: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

/// Counts down also when the caller goes away while waiting.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Passwords {
    pub(crate) fn new() -> Self {
        Self { permits: Arc::new(Semaphore::new(AT_ONCE)), waiting: Arc::new(AtomicUsize::new(0)) }
    }

    pub(crate) async fn hash(&self, password: &Secret) -> Result<String, PasswordError> {
        check_length(password.reveal())?;
        let password = password.clone();
        let hashed = self
            .run(move || Ok(argon2()?.hash_password(password.reveal().as_bytes()).map(|hash| hash.to_string())))
            .await?;
        hashed.map_err(|error| PasswordError::Store(broken(&error)))
    }

    /// Whether the password belongs to the hash; without a hash the answer is "no" after the same work.
    pub(crate) async fn matches(&self, password: &Secret, stored: Option<String>) -> Result<bool, StoreError> {
        if password.reveal().len() > PASSWORD_MAX_BYTES {
            return Ok(false);
        }
        let password = password.clone();
        let known = stored.is_some();
        let hash = stored.unwrap_or_else(|| NOBODY.to_owned());
        let verdict =
            self.run(move || Ok(argon2()?.verify_password(password.reveal().as_bytes(), hash.as_str()))).await?;
        match verdict {
            Ok(()) => Ok(known),
            Err(HashError::PasswordInvalid) => Ok(false),
            Err(error) => Err(broken(&error)),
        }
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let ahead = self.waiting.fetch_add(1, Ordering::AcqRel);
        let waiting = Waiting(&self.waiting);
        if ahead >= WAITING {
            return Err(StoreError::Busy);
        }
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| StoreError::Busy)?;
        drop(waiting);
        // The permit goes along: a caller that hangs up does not stop the work, so it must not free its place either.
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        done.await.map_err(|_| StoreError::Busy)?
    }
}

fn argon2() -> Result<Argon2<'static>, StoreError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|error| StoreError::Damaged { what: "the password parameters", detail: error.to_string() })?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn broken(error: &HashError) -> StoreError {
    StoreError::Damaged { what: "a password hash", detail: error.to_string() }
}

fn check_length(password: &str) -> Result<(), PasswordError> {
    let chars = password.chars().count();
    if chars < PASSWORD_MIN_CHARS {
        return Err(PasswordError::TooShort(chars));
    }
    if password.len() > PASSWORD_MAX_BYTES {
        return Err(PasswordError::TooLong(password.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_at_least_twelve_characters_of_any_script() {
        let long = "x".repeat(1025);
        for (case, password, fits) in [
            ("eleven", "elevenchars", false),
            ("twelve", "twelve chars", true),
            ("twelve, Japanese", "正しい馬の電池ホチキス留", true),
            ("four, Japanese", "電池馬正", false),
            ("too long", long.as_str(), false),
        ] {
            assert_eq!(check_length(password).is_ok(), fits, "{case}");
        }
    }

    #[tokio::test]
    async fn a_hash_tells_its_parameters_and_only_its_own_password_matches() {
        let passwords = Passwords::new();
        let right = Secret::new("correct horse battery");
        let hash = passwords.hash(&right).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash(&right).await.unwrap(), "salted");
        assert!(passwords.matches(&right, Some(hash.clone())).await.unwrap());
        assert!(!passwords.matches(&Secret::new("wrong horse battery"), Some(hash)).await.unwrap());
        assert!(!passwords.matches(&right, None).await.unwrap());
        assert!(passwords.matches(&right, Some("not a hash".to_owned())).await.is_err());
    }

    #[tokio::test]
    async fn a_crowd_is_sent_away_instead_of_queued() {
        let passwords = Passwords::new();
        let _all = passwords.permits.acquire_many(2).await.unwrap();
        passwords.waiting.store(WAITING, Ordering::Release);
        let answer = passwords.matches(&Secret::new("any"), None).await;
        assert!(matches!(answer, Err(StoreError::Busy)));
        assert_eq!(passwords.waiting.load(Ordering::Acquire), WAITING, "the one sent away is not counted");
    }
}
