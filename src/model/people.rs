//! People and what they may be: organisations, accounts, groups, roles, grants, and the scopes of tokens.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::identifier::Slug;
use super::refusal::{Code, Place, Refusal, Result};
use super::time::Instant;

/// An enum of words: each has one spelling, in the log, the API and the command line.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $da:literal, $en:literal, { $($(#[$each:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
        pub enum $name { $($(#[$each])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// Every one, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word as it is written.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $text,)* } }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.as_str()) }
        }

        impl FromStr for $name {
            type Err = Refusal;

            fn from_str(text: &str) -> Result<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text).ok_or_else(|| {
                    let text: String = text.chars().take(80).collect();
                    Refusal::new(Code::InvalidParameter, format!($da, text), format!($en, text))
                        .allowed(Self::ALL.iter().map(|one| one.as_str()))
                })
            }
        }
    };
}

pub(super) use words;

words!(
    /// What somebody may be to a vocabulary, or to all of them.
    Role, "»{}« er ikke en rolle", "'{}' is not a role", {
        /// Reads. What is public needs no role.
        Reader = "reader",
        /// Drafts.
        Contributor = "contributor",
        /// Runs the work: drafts, hearings, their answers.
        Secretary = "secretary",
        /// Answers hearings.
        HearingParty = "hearingParty",
        /// Takes part in decisions.
        CommitteeMember = "committeeMember",
        /// Chairs the committee.
        Chair = "chair",
        /// Publishes.
        Publisher = "publisher",
        /// Administers people and rights; always of the whole registry.
        Administrator = "administrator",
    }
);

words!(
    /// What a group is.
    GroupKind, "»{}« er ikke en slags gruppe", "'{}' is not a kind of group", {
        /// Drafts under a mandate.
        WorkingGroup = "workingGroup",
        /// Decides.
        Committee = "committee",
        /// Runs the work.
        Secretariat = "secretariat",
        /// Is heard.
        HearingParties = "hearingParties",
    }
);

words!(
    /// What can be asked for that takes a right. Who has it is written in one table, in `registry/permission/`.
    Command, "»{}« er ikke en kommando", "'{}' is not a command", {
        /// Create a vocabulary or change its frame.
        Frame = "frame",
        /// Change how the versions of a vocabulary come to be: its governance, and the rule of four eyes.
        Govern = "govern",
        /// Publish a version without the decision of a committee.
        Publish = "publish",
        /// See drafts with their comments, hearings before they open, and change requests.
        ReadDrafts = "read-drafts",
        /// Open a draft.
        OpenDraft = "open-draft",
        /// Add, change, retire, replace, split, merge and move concepts in a draft, take edits back, lay the draft over
        /// another version.
        EditDraft = "edit-draft",
        /// Comment on a draft, settle threads.
        Comment = "comment",
        /// Describe a draft, send it to review, let it rest, take it up again, withdraw it, recall a recommendation.
        SteerDraft = "steer-draft",
        /// Plan, call off and extend hearings, invite parties, complete hearings.
        HoldHearing = "hold-hearing",
        /// Answer a public hearing. Parties answer by their link.
        AnswerHearing = "answer-hearing",
        /// Reply to the items of answers.
        Dispose = "dispose",
        /// Lay a draft before a committee.
        Recommend = "recommend",
        /// Give a group its mandate.
        Mandate = "mandate",
        /// Call meetings, write agendas, attendance and minutes.
        CallMeeting = "call-meeting",
        /// Record the decision of a committee.
        Decide = "decide",
        /// Let a draft be published that one has not written: the second pair of eyes.
        Approve = "approve",
        /// Publish a draft that was adopted, or, where no decision is needed, one that is finished.
        PublishDraft = "publish-draft",
        /// Assign, accept and close change requests.
        HandleRequests = "handle-requests",
        /// Keep the record of certifications.
        Certify = "certify",
        /// See organisations, accounts, groups and grants.
        ReadPeople = "read-people",
        /// Create, change and deactivate organisations.
        ManageOrganisations = "manage-organisations",
        /// Create, change, deactivate and erase accounts, and hand out links to set a password.
        ManageAccounts = "manage-accounts",
        /// Create, change and deactivate groups, and say who is in them.
        ManageGroups = "manage-groups",
        /// Give and take roles.
        Grant = "grant",
        /// See and revoke the tokens and sessions of others.
        RevokeTokens = "revoke-tokens",
        /// See oneself, change one's own password, and see and end one's own sessions.
        OwnAccount = "own-account",
        /// Create, see and revoke one's own tokens.
        OwnTokens = "own-tokens",
        /// Make, see, change and end one's own subscriptions, and those of one's organisation.
        OwnSubscriptions = "own-subscriptions",
        /// See, change and end the subscriptions of others.
        ManageSubscriptions = "manage-subscriptions",
        /// Keep code sets, declare what uses concepts, and see what one has kept and declared.
        OwnCodeSets = "own-code-sets",
        /// See and end the code sets and declarations of others.
        ManageCodeSets = "manage-code-sets",
    }
);

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

/// What a token may do of what its account may do. Never empty: a token that may do nothing is a mistake.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Wanted")]
pub struct Scope {
    /// The commands.
    commands: BTreeSet<Command>,
    /// The vocabularies; all that the account has when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    vocabularies: Option<BTreeSet<Uuid>>,
}

#[derive(Deserialize)]
struct Wanted {
    commands: BTreeSet<Command>,
    #[serde(default)]
    vocabularies: Option<BTreeSet<Uuid>>,
}

impl TryFrom<Wanted> for Scope {
    type Error = Refusal;
    fn try_from(wanted: Wanted) -> Result<Self> {
        Self::new(wanted.commands, wanted.vocabularies)
    }
}

impl Scope {
    /// Some commands, in some vocabularies or in all.
    ///
    /// # Errors
    /// [`Code::Unlawful`] when there are no commands, or a list of no vocabularies.
    pub fn new(commands: BTreeSet<Command>, vocabularies: Option<BTreeSet<Uuid>>) -> Result<Self> {
        let field = match (commands.is_empty(), &vocabularies) {
            (true, _) => "commands",
            (_, Some(none)) if none.is_empty() => "vocabularies",
            _ => return Ok(Self { commands, vocabularies }),
        };
        let (da, en) = ("et token, der ikke må noget, laves ikke", "a token that may do nothing is not made");
        Err(Refusal::new(Code::Unlawful, da, en).at(Place::field(field)))
    }

    /// The commands.
    #[must_use]
    pub fn commands(&self) -> &BTreeSet<Command> {
        &self.commands
    }

    /// The vocabularies; `None` for all that the account has.
    #[must_use]
    pub fn vocabularies(&self) -> Option<&BTreeSet<Uuid>> {
        self.vocabularies.as_ref()
    }
}

/// A token, without its secret: that was shown once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Token {
    /// The token itself.
    pub uuid: Uuid,
    /// Whose it is.
    pub account: Uuid,
    /// What its owner calls it.
    pub name: Name,
    /// What it may do.
    pub scope: Scope,
    /// When it was made.
    #[schema(value_type = String)]
    pub created: Instant,
    /// From when it is worth nothing.
    #[schema(value_type = String)]
    pub expires: Instant,
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
