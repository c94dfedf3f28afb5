//! What people are called, where mail goes to, and the passwords that they choose.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::refusal::{Code, Place, Refusal, Result};

/// The name of a person, an organisation, a group or a token: one line of 1 to 200 characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "Anne Jensen")]
pub struct Name(Box<str>);

/// An address that mail goes to, and that an account signs in with; written in lower case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "anne@example.dk")]
pub struct Mail(Box<str>);

macro_rules! text {
    ($name:ident) => {
        impl $name {
            /// As it is written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Refusal;
            fn try_from(text: String) -> Result<Self> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        // Personal data: what is printed for the eyes of a developer ends in logs.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

text!(Name);

text!(Mail);

impl FromStr for Name {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let lawful = !text.is_empty() && text.chars().count() <= 200 && !text.chars().any(unprintable);
        lawful.then(|| Self(text.into())).ok_or_else(|| {
            Refusal::new(Code::InvalidText, "det kan ikke være et navn", "that cannot be a name")
                .allowed(["one line of 1 to 200 characters"])
        })
    }
}

impl FromStr for Mail {
    type Err = Refusal;

    /// Not every address that RFC 5321 allows: no quotes, no comments, no bare addresses of machines.
    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let plain = |c: char| !c.is_whitespace() && !unprintable(c) && !"<>()[]\\,;:\"@".contains(c);
        let lawful = text.len() <= 254
            && text.rsplit_once('@').is_some_and(|(local, domain)| {
                (1..=64).contains(&local.len())
                    && local.chars().all(plain)
                    && !domain.is_empty()
                    && domain.split('.').all(|part| !part.is_empty())
                    && domain.chars().all(|c| plain(c) && (c.is_alphanumeric() || c == '-' || c == '.'))
            });
        lawful.then(|| Self(text.to_lowercase().into())).ok_or_else(|| {
            Refusal::new(Code::InvalidMail, "det er ikke en mailadresse", "that is not a mail address")
                .allowed(["name@example.dk"])
        })
    }
}

/// Control characters, and those that turn the direction of text or cannot be seen.
#[must_use]
pub fn unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A password that somebody chose. It is never written out: there is no way from it to a text but
/// [`Password::expose`].
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// The fewest characters.
    pub const SHORTEST: usize = 12;
    /// The most bytes; a longer one would only be work for us.
    pub const LONGEST: usize = 1024;

    /// A password that is long enough. No rule on kinds of characters: they make passwords worse, not better.
    ///
    /// # Errors
    /// [`Code::WeakPassword`].
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        let mut characters: Vec<char> = text.chars().collect();
        let count = characters.len();
        characters.sort_unstable();
        characters.dedup();
        if count >= Self::SHORTEST && text.len() <= Self::LONGEST && characters.len() > 3 {
            return Ok(Self(text));
        }
        Err(Refusal::new(
            Code::WeakPassword,
            "adgangskoden er for kort, for ensformig eller for lang",
            "the password is too short, too monotonous or too long",
        )
        .at(Place::field("password"))
        .allowed(["12 characters or more, 4 of them different, at most 1024 bytes"]))
    }

    /// The text, for hashing alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}
