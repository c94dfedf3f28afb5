//! What a browser keeps while its person is at the provider. Nothing is kept here, so that nobody can fill anything by
//! asking: one secret stays in a cookie of the browser, and all that goes to the provider follows from it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::model::{Code, Dice, Digest, Instant, Place, Refusal, Result, Secret, Slug};

/// How long somebody may take at the provider, in seconds.
const PATIENCE: i64 = 600;
/// The longest address that is gone back to, in bytes.
const LONGEST: usize = 2000;

/// What the browser keeps.
#[derive(Clone, Debug)]
pub struct Kept {
    secret: Secret,
    provider: Slug,
    expires: Instant,
    next: String,
}

impl Kept {
    /// A new beginning: where to go afterwards is a place of this site.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] when it is another; as [`Dice::throw`].
    pub fn new(dice: &dyn Dice, now: Instant, provider: &Slug, next: &str) -> Result<Self> {
        if !is_local(next) {
            let (da, en) = ("man kan kun vende tilbage til en side her", "one can only go back to a page of this site");
            return Err(Refusal::new(Code::InvalidParameter, da, en).at(Place::field("next")).allowed(["/…"]));
        }
        let expires = Instant::from_micros(now.micros().saturating_add(PATIENCE * 1_000_000));
        Ok(Self { secret: Secret::new(dice, "")?, provider: provider.clone(), expires, next: next.to_owned() })
    }

    /// What stands in the cookie, and for how many seconds.
    #[must_use]
    pub fn cookie(&self) -> (String, i64) {
        let next = URL_SAFE_NO_PAD.encode(&self.next);
        (format!("{}.{}.{next}", self.secret.expose(), self.expires.micros()), PATIENCE)
    }

    /// What a cookie says; nothing when it is none of ours.
    #[must_use]
    pub fn read(provider: &Slug, cookie: &str) -> Option<Self> {
        let mut parts = cookie.split('.');
        let (secret, expires, next) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
        let next = String::from_utf8(URL_SAFE_NO_PAD.decode(next).ok()?).ok()?;
        let lawful = secret.len() == 43 && parts.next().is_none() && is_local(&next);
        let (secret, expires) = (Secret::shown(secret), Instant::from_micros(expires));
        lawful.then(|| Self { secret, provider: provider.clone(), expires, next })
    }

    /// What comes back with the answer: only this browser can know it.
    #[must_use]
    pub fn state(&self) -> String {
        self.derived("state")
    }

    /// What must stand in the token: it was made for this beginning.
    #[must_use]
    pub fn nonce(&self) -> String {
        self.derived("nonce")
    }

    /// What proves to the provider that whoever fetches the token is who asked for it (PKCE).
    #[must_use]
    pub fn verifier(&self) -> String {
        self.derived("verifier")
    }

    /// What an answer is remembered by once it was used.
    #[must_use]
    pub fn used(&self) -> Digest {
        Digest::of(self.derived("used"))
    }

    /// From when an answer comes too late.
    #[must_use]
    pub fn expires(&self) -> Instant {
        self.expires
    }

    /// Where to go afterwards.
    #[must_use]
    pub fn next(&self) -> &str {
        &self.next
    }

    /// All that a cookie says goes in: of one that was changed follows another state.
    fn derived(&self, what: &str) -> String {
        let Self { secret, provider, expires, next } = self;
        Digest::of(format!("{what}\n{}\n{provider}\n{}\n{next}", secret.expose(), expires.micros())).to_string()
    }
}

/// Whether an address is a path of this site, to every browser: they read `\` as `/`, and drop tabs and line breaks.
fn is_local(next: &str) -> bool {
    let mut bytes = next.bytes();
    next.len() <= LONGEST
        && bytes.next() == Some(b'/')
        && bytes.next().is_none_or(|b| b != b'/')
        && next.bytes().all(|b| (0x21..=0x7e).contains(&b) && b != b'\\')
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
    fn only_paths_of_this_site_are_gone_to() {
        for (next, is) in [
            ("/", true),
            ("/me", true),
            ("/id/fsiii?date=2024-01-01#x", true),
            ("/a//b", true),
            ("", false),
            ("me", false),
            ("//evil.example", false),
            ("/\\evil.example", false),
            ("\\\\evil.example", false),
            ("/\t/evil.example", false),
            ("/\n/evil.example", false),
            (" /me", false),
            ("/æ", false),
            ("https://evil.example", false),
            ("javascript:alert(1)", false),
        ] {
            assert_eq!(is_local(next), is, "{next:?}");
        }
        assert!(!is_local(&format!("/{}", "x".repeat(LONGEST))));
    }

    #[test]
    fn a_cookie_that_was_changed_leads_to_another_state() {
        let (test, other): (Slug, Slug) = ("test".parse().unwrap(), "other".parse().unwrap());
        let kept = Kept::new(&Fixed, Instant::from_micros(0), &test, "/me").unwrap();
        let (cookie, _) = kept.cookie();
        let state = |provider: &Slug, cookie: &str| Kept::read(provider, cookie).map(|k| k.state());
        assert_eq!(state(&test, &cookie), Some(kept.state()));
        assert_ne!(state(&other, &cookie), Some(kept.state()));
        let later = cookie.replace(".600000000.", ".900000000.");
        assert!(later != cookie && state(&test, &later) != Some(kept.state()));
        for broken in ["", "a.b.c", &format!("{cookie}.x"), &cookie[1..], "..", &cookie.replace('.', "")] {
            assert_eq!(state(&test, broken), None, "{broken}");
        }
        let all = [kept.state(), kept.nonce(), kept.verifier(), kept.used().to_string()];
        assert!(all.iter().enumerate().all(|(i, a)| all[i + 1..].iter().all(|b| a != b)));
        // RFC 7636: 43 to 128 characters.
        assert!((43..=128).contains(&kept.verifier().len()));
    }
}
