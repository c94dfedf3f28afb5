//! Passwords: argon2id, with named parameters, a few at a time.

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::model::{Code, Dice, Password, Refusal, Result};

/// How much memory one hash takes, in KiB; with two passes and one lane this is what OWASP advises at least.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// How many are hashed at once: enough for two processors, and a bound on the memory that callers can take.
const AT_ONCE: usize = 2;

/// How many may wait for their turn; more are told to come back. Readers share the places of those who wait.
const IN_LINE: usize = 32;

/// Hashes passwords.
pub struct Hasher {
    turns: Semaphore,
    line: Semaphore,
}

impl Default for Hasher {
    fn default() -> Self {
        Self { turns: Semaphore::new(AT_ONCE), line: Semaphore::new(AT_ONCE + IN_LINE) }
    }
}

impl Hasher {
    /// The form in which a password is stored (PHC string), with a salt of its own.
    pub async fn hash(&self, password: &Password, dice: &dyn Dice) -> Result<String> {
        let salt = dice.throw()?;
        let password = password.clone();
        self.work(move || {
            let hash = argon2()?.hash_password_with_salt(password.expose().as_bytes(), &salt[..16]).map_err(fault)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether a password is the stored one. Where none is stored the work is done all the same, so that the time
    /// tells nothing.
    pub async fn is(&self, password: &str, stored: Option<String>) -> Result<bool> {
        // A longer one was never set; hashing it would only be work that callers choose for us.
        let lawful = password.len() <= Password::LONGEST;
        let password = if lawful { password.to_owned() } else { String::new() };
        self.work(move || {
            let argon2 = argon2()?;
            Ok(match stored {
                Some(stored) => argon2.verify_password(password.as_bytes(), stored.as_str()).is_ok() && lawful,
                None => {
                    argon2.hash_password_with_salt(password.as_bytes(), &[0; 16]).map_err(fault)?;
                    false
                }
            })
        })
        .await
    }

    /// Waits for a turn, and works where it holds up nobody else.
    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let _place = self.line.try_acquire().map_err(|_| {
            let (da, en) = ("for mange logger ind på en gang", "too many sign in at once");
            Refusal::new(Code::Busy, da, en)
        })?;
        let _turn = self.turns.acquire().await.map_err(fault)?;
        tokio::task::spawn_blocking(work).await.map_err(fault)?
    }
}

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY, PASSES, LANES, None).map_err(fault)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn fault(error: impl std::fmt::Display) -> Refusal {
    Refusal::new(
        Code::Internal,
        format!("adgangskoden kunne ikke behandles: {error}"),
        format!("the password could not be handled: {error}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Dice for Fixed {
        fn throw(&self) -> Result<[u8; 32]> {
            Ok([7; 32])
        }
    }

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other() {
        let hasher = Hasher::default();
        let password = Password::new("correct horse battery").unwrap();
        let stored = hasher.hash(&password, &Fixed).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(hasher.is(password.expose(), Some(stored.clone())).await.unwrap());
        for wrong in ["", "correct horse batterY", &"x".repeat(2000)] {
            assert!(!hasher.is(wrong, Some(stored.clone())).await.unwrap());
        }
        assert!(!hasher.is(password.expose(), None).await.unwrap());
        assert!(!hasher.is("", Some("not a hash".into())).await.unwrap());
    }
}
