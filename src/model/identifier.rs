//! Names that people and systems call things by.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::refusal::{Code, Refusal, Result};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $code:ident, $example:literal, $lawful:expr, $da:literal, $en:literal, $allowed:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String, example = $example)]
        pub struct $name(Box<str>);

        impl $name {
            /// The name as it is written.
            #[must_use]
            pub fn as_str(&self) -> &str { &self.0 }
        }

        impl FromStr for $name {
            type Err = Refusal;

            fn from_str(text: &str) -> Result<Self> {
                let lawful: fn(&str) -> bool = $lawful;
                if lawful(text) {
                    return Ok(Self(text.into()));
                }
                let shown: String = text.chars().take(80).collect();
                Err(Refusal::new(Code::$code, format!($da, shown), format!($en, shown)).allowed([$allowed]))
            }
        }

        impl TryFrom<String> for $name {
            type Error = Refusal;
            fn try_from(text: String) -> Result<Self> { text.parse() }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self { name.0.into() }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
    };
}

name!(
    /// The short name of a vocabulary, part of its addresses: `fsiii`.
    Slug, InvalidSlug, "fsiii",
    |s| (1..=64).contains(&s.len())
        && s.starts_with(|c: char| c.is_ascii_lowercase())
        && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
    "»{}« kan ikke være et ordforråds kortnavn", "'{}' cannot be the short name of a vocabulary",
    "a-z, 0-9 and -, beginning with a letter, at most 64 characters"
);

name!(
    /// The label of a version, unique in its vocabulary: `2024-10-31`, `1.2`.
    Label, InvalidLabel, "2024-10-31",
    |s| (1..=64).contains(&s.len())
        && s.starts_with(|c: char| c.is_ascii_alphanumeric())
        && s.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'+')),
    "»{}« kan ikke være en versionsbetegnelse", "'{}' cannot be the label of a version",
    "A-Z, a-z, 0-9, '.', '-', '_' and '+', beginning with a letter or digit, at most 64 characters"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_and_labels() {
        for ok in ["fsiii", "a", "kl-ffb2"] {
            assert_eq!(ok.parse::<Slug>().unwrap().as_str(), ok);
        }
        for wrong in ["", "FSIII", "1a", "a/b", "a b", "æ", "../x"] {
            assert_eq!(wrong.parse::<Slug>().unwrap_err().code, Code::InvalidSlug, "{wrong}");
        }
        for ok in ["2024-10-31", "1.2.3+rc1", "v1"] {
            assert_eq!(ok.parse::<Label>().unwrap().as_str(), ok);
        }
        for wrong in ["", "a/b", "1 2", ".", "..", "-1", "æ", "a?b"] {
            assert_eq!(wrong.parse::<Label>().unwrap_err().code, Code::InvalidLabel, "{wrong}");
        }
    }
}
