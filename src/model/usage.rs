//! Who uses which concepts: the code sets of systems, and what was declared of forms, statistics and laws.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::canonical::{Digest, canonical_json};
use super::people::{Name, words};
use super::refusal::{Code, Refusal, Result};
use super::time::Instant;

words!(
    /// How a use is known.
    UsageForm, "»{}« er ikke en form for brug", "'{}' is not a form of use", {
        /// A system registered the codes that it uses.
        CodeSet = "codeSet",
        /// Somebody declared it.
        Declaration = "declaration",
    }
);

words!(
    /// What uses concepts.
    UsageKind, "»{}« er ikke en slags bruger af begreber", "'{}' is not a kind of user of concepts", {
        /// A system.
        System = "system",
        /// A form that is filled in.
        Form = "form",
        /// Statistics.
        Statistics = "statistics",
        /// A law, an order or a guidance.
        Law = "law",
        /// Something else.
        Other = "other",
    }
);

words!(
    /// Who is told that concepts are used here.
    Visibility, "»{}« er ikke en synlighed", "'{}' is not a visibility", {
        /// Everybody.
        Public = "public",
        /// Those who make the versions of a vocabulary.
        Makers = "makers",
        /// Nobody: those who make versions see that there is one more.
        Hidden = "hidden",
    }
);

/// An address on the web that tells more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "https://example.dk/system")]
pub struct Link(Box<str>);

impl Link {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Link {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let web = ["https://", "http://"].iter().any(|s| text.strip_prefix(s).is_some_and(|rest| !rest.is_empty()));
        let whole = text.len() <= 2_000 && !text.chars().any(|c| c.is_control() || c.is_whitespace());
        if web && whole {
            return Ok(Self(text.into()));
        }
        let (da, en) = ("det er ikke en adresse på nettet", "it is not an address on the web");
        Err(Refusal::new(Code::InvalidIdentifier, da, en).allowed(["https://…", "http://…"]))
    }
}

impl TryFrom<String> for Link {
    type Error = Refusal;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Link> for String {
    fn from(link: Link) -> Self {
        link.0.into()
    }
}

/// Something that uses concepts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Usage {
    /// The use itself.
    pub uuid: Uuid,
    /// How it is known.
    pub form: UsageForm,
    /// What it is.
    pub kind: UsageKind,
    /// What it is called.
    pub name: Name,
    /// Where more is told.
    pub link: Option<Link>,
    /// Who answers for it.
    pub contact: Option<Name>,
    /// Who is told of it.
    pub visibility: Visibility,
    /// The account that registered it.
    pub owner: Uuid,
    /// The organisation whose accounts keep it beside its owner.
    pub organisation: Option<Uuid>,
    /// The position of the change log up to which changes have been dealt with, and the instant of that row.
    pub acknowledged: (i64, Instant),
    /// When it was registered.
    pub created: Instant,
}

/// A use that is not shown on the pages of a vocabulary.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hiding {
    /// The use.
    pub usage: Uuid,
    /// The vocabulary.
    pub vocabulary: Uuid,
    /// Why, in the words of those who publish there.
    pub reason: String,
    /// Since when.
    pub at: Instant,
}

impl Hiding {
    /// The hiding itself: there is at most one of a use in a vocabulary.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        Uuid::new_v5(&self.usage, self.vocabulary.as_bytes())
    }

    /// What the change log tells of it: the reason may name somebody, and is there as its digest.
    #[must_use]
    pub fn told(&self) -> Value {
        json!({ "reason": Digest::of(&self.reason), "usage": self.usage, "vocabulary": self.vocabulary })
    }
}

/// A code that is used.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
pub struct UsedCode {
    /// The vocabulary: its slug, or what was written when there is none; empty when nothing was.
    pub system: String,
    /// The code as it was given.
    pub code: String,
    /// The concept; none when nothing was ever called so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concept: Option<Uuid>,
    /// Since when it is in the set.
    #[schema(value_type = String)]
    pub added: Instant,
}

impl Usage {
    /// What the change log tells of it: nothing that names or describes anybody, and the digest of its codes.
    #[must_use]
    pub fn told(&self, codes: Digest) -> Value {
        json!({
            "acknowledged": self.acknowledged.0, "codes": codes, "form": self.form, "kind": self.kind,
            "organisation": self.organisation, "owner": self.owner, "visibility": self.visibility,
        })
    }
}

/// The digest of codes: SHA-256 over a line of canonical JSON for each, ordered by vocabulary and code.
#[must_use]
pub fn codes_digest(codes: &[UsedCode]) -> Digest {
    let mut sorted: Vec<&UsedCode> = codes.iter().collect();
    sorted.sort_unstable();
    let lines = sorted.iter().map(|c| canonical_json(&json!([c.system, c.code, c.concept, c.added.micros()])) + "\n");
    Digest::of(lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_an_address_on_the_web() {
        assert_eq!(" https://a.dk/b ".parse::<Link>().unwrap().as_str(), "https://a.dk/b");
        for wrong in ["", "https://", "javascript:alert(1)", "a.dk", "https://a.dk/ b", "ftp://a"] {
            assert!(wrong.parse::<Link>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_digest_is_of_the_codes_in_any_order() {
        let code = |system: &str, code: &str, concept| UsedCode {
            system: system.into(),
            code: code.into(),
            concept,
            added: Instant::from_micros(1),
        };
        let [a, b] = [code("v", "A", None), code("v", "B", Some(Uuid::max()))];
        assert_eq!(codes_digest(&[a.clone(), b.clone()]), codes_digest(&[b.clone(), a.clone()]));
        assert_ne!(codes_digest(std::slice::from_ref(&a)), codes_digest(&[a.clone(), b]));
        assert_ne!(codes_digest(&[code("v", "A", Some(Uuid::max()))]), codes_digest(&[a]));
    }
}
