//! Secrets: numbers that nobody can guess, and the digests that are kept of them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::canonical::Digest;
use super::refusal::{Code, Refusal, Result};

/// Where chance comes from. Passed in everywhere, as the clock is, so that a test can set it.
pub trait Dice: Send + Sync + 'static {
    /// 256 bits that nobody can guess.
    ///
    /// # Errors
    /// [`Code::Internal`] when the machine has none; no secret is made then.
    fn throw(&self) -> Result<[u8; 32]>;
}

/// No dice: what needs a secret is refused. A registry has these until it is given others.
pub struct NoDice;

impl Dice for NoDice {
    fn throw(&self) -> Result<[u8; 32]> {
        Err(Refusal::new(
            Code::Internal,
            "registret er åbnet uden en kilde til hemmeligheder",
            "the registry was opened without a source of secrets",
        ))
    }
}

/// A secret that is shown once: the number of a session, a token or a link. Only its digest is stored; it is 256
/// bits of chance, so the digest needs neither salt nor work.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A new one; `kind` stands before it, so that one that was left somewhere can be recognised.
    ///
    /// # Errors
    /// As [`Dice::throw`].
    pub fn new(dice: &dyn Dice, kind: &str) -> Result<Self> {
        Ok(Self(format!("{kind}{}", URL_SAFE_NO_PAD.encode(dice.throw()?))))
    }

    /// One that a caller showed. Whether it is worth anything, its digest tells.
    #[must_use]
    pub fn shown(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text, to be shown once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored and looked up.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A new uuid made of chance (version 4).
///
/// # Errors
/// As [`Dice::throw`].
pub fn new_uuid(dice: &dyn Dice) -> Result<Uuid> {
    let mut half = [0; 16];
    half.copy_from_slice(&dice.throw()?[..16]);
    Ok(uuid::Builder::from_random_bytes(half).into_uuid())
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

    #[test]
    fn a_secret_is_shown_by_its_name_alone() {
        let secret = Secret::new(&Fixed, "begreb_").unwrap();
        assert_eq!(secret.expose().len(), "begreb_".len() + 43);
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.digest(), Secret::shown(secret.expose()).digest());
        assert_eq!(new_uuid(&Fixed).unwrap().get_version_num(), 4);
        assert!(Secret::new(&NoDice, "").is_err());
    }
}
