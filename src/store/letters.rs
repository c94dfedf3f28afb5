//! Letters as they lie in the outbox: to be laid down, to be sent, and what became of them.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use uuid::Uuid;

use crate::model::{Code, Instant, Mail, Name, Refusal, Result};

/// Where a letter stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LetterState {
    /// It waits for its time.
    Queued,
    /// A sender has begun with it.
    Begun,
    /// A sender has begun with it, and nobody knows whether it arrived. It is not sent again by itself.
    Doubt,
    /// A mail server has taken it.
    Sent,
    /// A mail server refused it for good.
    Refused,
    /// It was tried for as long as it may be.
    GivenUp,
    /// It is not to be sent any more.
    Dropped,
}

impl LetterState {
    /// Every one, in order.
    pub const ALL: [Self; 7] =
        [Self::Queued, Self::Begun, Self::Doubt, Self::Sent, Self::Refused, Self::GivenUp, Self::Dropped];

    /// The word as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Begun => "begun",
            Self::Doubt => "doubt",
            Self::Sent => "sent",
            Self::Refused => "refused",
            Self::GivenUp => "givenUp",
            Self::Dropped => "dropped",
        }
    }
}

impl fmt::Display for LetterState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for LetterState {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or_else(|| {
            let text: String = text.chars().take(80).collect();
            let (da, en) = (format!("»{text}« er ikke et brevs tilstand"), format!("'{text}' is not a letter's state"));
            Refusal::new(Code::InvalidParameter, da, en).allowed(Self::ALL.map(Self::as_str))
        })
    }
}

/// A letter to lay down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Laid<'a> {
    /// The row of the log that it tells of.
    pub change: i64,
    /// Whom it is to: the row that holds the address, and that may be erased.
    pub recipient: Uuid,
    /// What kind of letter it is. Of one kind there is one for each row and recipient.
    pub kind: &'a str,
    /// The address.
    pub mail: &'a Mail,
    /// What the recipient is called.
    pub name: Option<&'a Name>,
    /// The languages of the text.
    pub language: &'a str,
    /// What it is about.
    pub subject: &'a str,
    /// What it says.
    pub text: &'a str,
    /// Whether the text holds a secret, and must not be kept when the letter is sent.
    pub secret: bool,
    /// The address that ends letters like it when something is posted there (RFC 8058).
    pub unsubscribe: Option<&'a str>,
}

impl Laid<'_> {
    /// The letter itself: made of its key, so that the same letter has the same everywhere.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        Uuid::new_v5(&self.recipient, format!("letter/{}/{}", self.change, self.kind).as_bytes())
    }
}

/// A letter that a sender holds.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The letter itself.
    pub uuid: Uuid,
    /// The row of the log that it tells of.
    pub change: i64,
    /// What kind of letter it is.
    pub kind: String,
    /// Whom it is to.
    pub recipient: Uuid,
    /// The number of this attempt among all: who settles a letter must name it.
    pub attempt: i64,
    /// How many attempts there were since it was laid down or sent again, this one included.
    pub tries: i64,
    /// When it was laid down.
    pub created: Instant,
    /// From when its time is counted.
    pub since: Instant,
    /// The address.
    pub mail: Mail,
    /// What the recipient is called.
    pub name: Option<Name>,
    /// The languages of the text.
    pub language: String,
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// The address that ends letters like it when something is posted there (RFC 8058).
    pub unsubscribe: Option<String>,
}

/// How an attempt ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Settled {
    /// The letter has come to rest: sent, refused, given up, or in doubt.
    As(LetterState),
    /// It is tried again.
    Later(Instant),
    /// It is tried again, and the time until now does not count among that for which it may be tried.
    Uncounted(Instant),
}

/// A letter as it is shown to who runs the registry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LetterRow {
    /// The letter itself.
    pub uuid: Uuid,
    /// The row of the log that it tells of.
    pub change: i64,
    /// Whom it is to.
    pub recipient: Uuid,
    /// What kind of letter it is.
    pub kind: String,
    /// Where it stands.
    pub state: LetterState,
    /// How many attempts there were.
    pub attempts: i64,
    /// When it was laid down.
    pub created: Instant,
    /// When it is tried next, while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Instant>,
    /// When it came to rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<Instant>,
    /// What the mail server said last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// The address, until the row is emptied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// What it is about, until the row is emptied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

/// How mail stands.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct MailStatus {
    /// How far the log has been read for letters; none while mail was never turned on.
    pub position: Option<i64>,
    /// How many letters there are in each state that has any.
    pub letters: Vec<(LetterState, i64)>,
    /// Since when the letter that waits longest is due.
    pub oldest_due: Option<Instant>,
}

impl MailStatus {
    /// How many letters are in a state.
    #[must_use]
    pub fn count(&self, state: LetterState) -> i64 {
        self.letters.iter().find(|(s, _)| *s == state).map_or(0, |(_, n)| *n)
    }
}
