//! People and what they may be: organisations, accounts, groups, roles, grants, and the scopes of tokens.

mod name;
mod scope;
mod words;

pub use self::name::{Mail, Name, Password, unprintable};
pub use self::scope::{Scope, Token};
pub(super) use self::words::words;
pub use self::words::{Command, GroupKind, Role};

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::model::identifier::Slug;
use crate::model::refusal::{Code, Place, Refusal, Result};

/// A municipality, an association, a company, an authority.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Organisation {
    /// For ever.
    pub uuid: Uuid,
    /// What it is called.
    pub name: Name,
    /// Whether its accounts may sign in.
    pub active: bool,
}

/// Somebody who may sign in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Account {
    /// For ever; the change log knows an account by it alone.
    pub uuid: Uuid,
    /// What the person is called.
    pub name: Name,
    /// What the account signs in with.
    pub mail: Mail,
    /// Where the person works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Uuid>,
    /// Whether it may sign in and use its tokens.
    pub active: bool,
}

/// Accounts that are given roles together.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Group {
    /// For ever.
    pub uuid: Uuid,
    /// What it is called.
    pub name: Name,
    /// What it is.
    pub kind: GroupKind,
    /// The accounts in it.
    pub members: BTreeSet<Uuid>,
    /// Whether its members have the roles that it was given.
    pub active: bool,
}

/// Who is given a role.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Grantee {
    /// One account.
    Account(Uuid),
    /// Every member of a group.
    Group(Uuid),
}

/// A role that somebody was given.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Grant {
    uuid: Uuid,
    #[serde(flatten)]
    to: Grantee,
    role: Role,
    /// The one vocabulary; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    vocabulary: Option<Uuid>,
    /// The OpenID provider whose claims gave it; given by hand when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Slug>,
}

impl Grant {
    /// A role for somebody, in one vocabulary or in all.
    ///
    /// # Errors
    /// [`Code::Unlawful`] for an administrator of one vocabulary: people are not parted by vocabulary.
    pub fn new(uuid: Uuid, to: Grantee, role: Role, vocabulary: Option<Uuid>) -> Result<Self> {
        if role == Role::Administrator && vocabulary.is_some() {
            return Err(Refusal::new(
                Code::Unlawful,
                "en administrator er det for hele registret og ikke for ét ordforråd",
                "an administrator is one of the whole registry and not of one vocabulary",
            )
            .at(Place::field("vocabulary")));
        }
        Ok(Self { uuid, to, role, vocabulary, origin: None })
    }

    /// The grant itself.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// Who has it.
    #[must_use]
    pub fn to(&self) -> Grantee {
        self.to
    }

    /// The role.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// The one vocabulary that it is for; all when `None`.
    #[must_use]
    pub fn vocabulary(&self) -> Option<Uuid> {
        self.vocabulary
    }

    /// The same grant, as one that came of the claims of an OpenID provider.
    #[must_use]
    pub fn from_provider(self, origin: Option<Slug>) -> Self {
        Self { origin, ..self }
    }

    /// The OpenID provider whose claims gave it; `None` when it was given by hand.
    #[must_use]
    pub fn origin(&self) -> Option<&Slug> {
        self.origin.as_ref()
    }
}

/// Who an account is at an OpenID provider. The subject is personal data: it is never written to a log.
#[derive(Clone, PartialEq, Eq)]
pub struct ForeignIdentity {
    /// The link itself; the change log knows it by this alone.
    pub uuid: Uuid,
    /// The provider, by the address that stands in its tokens.
    pub issuer: String,
    /// Who it is there.
    pub subject: String,
    /// Who it is here.
    pub account: Uuid,
}

impl fmt::Debug for ForeignIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ForeignIdentity({} at {})", self.uuid, self.issuer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_mail_addresses() {
        assert_eq!(" Anne Jensen ".parse::<Name>().unwrap().as_str(), "Anne Jensen");
        for wrong in ["", "  ", "a\nb", "a\u{202e}b", &"x".repeat(201)] {
            assert_eq!(wrong.parse::<Name>().unwrap_err().code, Code::InvalidText, "{wrong}");
        }
        assert_eq!("Anne.Ø@KL.example.DK".parse::<Mail>().unwrap().as_str(), "anne.ø@kl.example.dk");
        let long = format!("{}@example.dk", "x".repeat(65));
        for wrong in ["", "a", "@", "a@", "@b.dk", "a b@c.dk", "a@b@c.dk", "a@b..dk", "a@b.dk\r\nBcc: c@d.dk", &long] {
            assert_eq!(wrong.parse::<Mail>().unwrap_err().code, Code::InvalidMail, "{wrong}");
        }
        let shown = format!("{:?} {:?}", "a@b.dk".parse::<Mail>().unwrap(), Password::new("correct horse").unwrap());
        assert_eq!(shown, "Mail(…) Password(…)");
    }

    #[test]
    fn words_read_what_they_write() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse::<Role>().unwrap(), *role);
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        assert_eq!("boss".parse::<Role>().unwrap_err().allowed.len(), Role::ALL.len());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let one = Some(Uuid::max());
        assert!(Grant::new(Uuid::nil(), Grantee::Account(Uuid::nil()), Role::Administrator, one).is_err());
        assert!(Grant::new(Uuid::nil(), Grantee::Account(Uuid::nil()), Role::Publisher, one).is_ok());
        assert!(Scope::new(BTreeSet::new(), None).is_err());
        assert!(Scope::new([Command::Publish].into(), Some(BTreeSet::new())).is_err());
        for weak in ["short", "aaaaaaaaaaaaaaaa", "abcabcabcabcabc"] {
            assert_eq!(Password::new(weak).unwrap_err().code, Code::WeakPassword, "{weak}");
        }
    }
}
