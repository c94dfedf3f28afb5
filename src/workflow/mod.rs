//! How a version comes to be: the work that is done before it is published, as state machines. Pure: no I/O, no
//! clock, no dice.
//!
//! Called by `registry` (which asks for the right, reads, and writes) and by `projection` (which folds what was
//! written). Calls the model.
//!
//! A *matter* is a thing that is worked on: a [`Draft`] with its hearings, recommendations and decisions, the
//! [`Work`] of a group, a [`ChangeRequest`], a [`Certification`]. It is made of *steps*: facts, each with a [`Stamp`]
//! of when and who, numbered from 1, never changed. The state of a matter is nothing but its steps taken in order;
//! [`Matter::take`] is the only way from one state to the next, it may refuse, and what it refused was never
//! written. So every past moment can be read again, and what a person sees, what is verified and what a crash
//! leaves are the same.

mod certification;
mod comment;
mod decision;
mod draft;
mod edit;
mod file;
mod group;
mod hearing;
mod merge;
mod phase;
mod prose;
mod request;
mod since;

use std::fmt;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use certification::{Certification, CertificationStep, CertificationVerdict, SchemaLink};
pub use comment::{Comment, Thread, Topic};
pub use decision::{Decision, Dissent, Outcome, Recommendation, Vote, VoteCast, Voting, Wish, decide};
pub use draft::{Approval, Base, Draft, DraftStep, Move, Publication};
pub use edit::{Because, Edit, EditKind, Effect, Operation, Part, Proposal, changes_something};
pub use file::FileKind;
pub use group::{AgendaItem, Attendance, Due, ItemKind, Mandate, Meeting, Work, WorkStep};
pub use hearing::{
    Answer, AnswerItem, AnswerState, Attachment, Audience, Disposition, Extension, Hearing, HearingPlan, HearingStage,
    Party, Readable, Ruling, Untold,
};
pub use merge::{Choice, Conflict, Merged, Merging, Resolution, merge};
pub use phase::Phase;
pub use prose::{Line, Prose};
pub use request::{ChangeRequest, RequestOutcome, RequestState, RequestStep, Track};
pub use since::Since;

use crate::model::{ChangeKind, Code, Instant, Place, Refusal, Result};

/// Who takes a step.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Author {
    /// Somebody who is signed in, or a token of theirs.
    Account(Uuid),
    /// Somebody without an account who was recognised by a link that was sent to them: a contact.
    Contact(Uuid),
    /// Somebody who holds the database.
    Operator(Box<str>),
    /// The registry itself, at a set time.
    Clock,
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(uuid) => write!(f, "account:{uuid}"),
            Self::Contact(uuid) => write!(f, "contact:{uuid}"),
            Self::Operator(name) => write!(f, "operator:{name}"),
            Self::Clock => f.write_str("clock"),
        }
    }
}

impl FromStr for Author {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self> {
        let uuid = |text: &str| Uuid::try_parse(text).ok();
        match text.split_once(':') {
            Some(("account", of)) => uuid(of).map(Self::Account),
            Some(("contact", of)) => uuid(of).map(Self::Contact),
            Some(("operator", name)) => Some(Self::Operator(name.into())),
            None if text == "clock" => Some(Self::Clock),
            _ => None,
        }
        .ok_or_else(|| Refusal::new(Code::Corrupt, format!("»{text}« er ingen"), format!("'{text}' is nobody")))
    }
}

impl TryFrom<String> for Author {
    type Error = Refusal;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Author> for String {
    fn from(author: Author) -> Self {
        author.to_string()
    }
}

/// When a step was taken, and by whom.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stamp {
    /// When.
    pub at: Instant,
    /// By whom.
    pub by: Author,
}

/// A thing that is worked on, in steps.
pub trait Matter: Clone + Send + Sync + Sized + 'static {
    /// What can happen to it. The first one makes it.
    type Step: Serialize + DeserializeOwned + Clone + Send;

    /// What the table of matters calls it.
    const KIND: &'static str;

    /// A new matter.
    ///
    /// # Errors
    /// What the rules refuse; [`Code::Phase`] when the step is not one that makes a matter.
    fn begin(uuid: Uuid, stamp: &Stamp, step: Self::Step) -> Result<Self>;

    /// Takes the next step.
    ///
    /// # Errors
    /// What the rules refuse. Then nothing is changed.
    fn take(&mut self, stamp: &Stamp, step: Self::Step) -> Result<()>;

    /// What the change log calls a step.
    fn kind(step: &Self::Step) -> ChangeKind;

    /// How many steps it has taken.
    fn steps(&self) -> i64;

    /// The vocabulary it is about; the nil uuid when it is about none.
    fn vocabulary(&self) -> Uuid;
}

/// The refusal of a step that cannot be taken as things stand.
pub(crate) fn out_of_turn(da: impl Into<String>, en: impl Into<String>) -> Refusal {
    Refusal::new(Code::Phase, da, en)
}

/// Refuses a list that is longer than it may be.
pub(crate) fn capped(field: &str, length: usize, most: usize) -> Result<()> {
    if length <= most {
        return Ok(());
    }
    let (da, en) = (format!("listen »{field}« er for lang"), format!("the list '{field}' is too long"));
    Err(Refusal::new(Code::TooLarge, da, en).at(Place::field(field)).allowed([most.to_string()]))
}

#[cfg(test)]
pub(crate) mod tests;
