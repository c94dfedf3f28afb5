//! Who may see a hearing, answer it, and read its answers: the table of rights for those who have an account, and
//! the hearing itself for all others.

use uuid::Uuid;

use super::{Actor, Command, not_signed_in, permit, permit_in};
use crate::model::{Code, Instant, Refusal, Result, Vocabulary};
use crate::workflow::{AnswerState, Audience, Author, Draft, Hearing, HearingStage};

/// Somebody without an account who was recognised by the personal link of a party. It is good for one hearing and
/// nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Guest {
    /// The errand of the link.
    pub errand: Uuid,
    /// The draft that is heard.
    pub draft: Uuid,
    /// The hearing.
    pub hearing: Uuid,
    /// The party.
    pub party: Uuid,
    /// The person there.
    pub contact: Uuid,
}

/// Who comes to a hearing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Visitor {
    /// Somebody as everywhere else.
    Actor(Actor),
    /// A party, by its link.
    Guest(Guest),
}

impl From<Actor> for Visitor {
    fn from(actor: Actor) -> Self {
        Self::Actor(actor)
    }
}

impl Visitor {
    /// The name that stands in the change log.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Actor(actor) => actor.name(),
            Self::Guest(guest) => format!("contact:{}", guest.contact),
        }
    }

    /// Who this is in the steps of a draft.
    ///
    /// # Errors
    /// [`Code::NotSignedIn`] for the public.
    pub fn author(&self) -> Result<Author> {
        match self {
            Self::Actor(actor) => actor.author(),
            Self::Guest(guest) => Ok(Author::Contact(guest.contact)),
        }
    }

    /// Whether this is somebody who takes part in the making of the draft.
    #[must_use]
    pub fn is_insider(&self, vocabulary: &Vocabulary) -> bool {
        matches!(self, Self::Actor(actor) if permit(actor, Command::ReadDrafts, Some(vocabulary)).is_ok())
    }

    fn is_party(&self, hearing: &Hearing) -> bool {
        matches!(self, Self::Guest(guest) if guest.hearing == hearing.uuid)
    }

    /// Whether a hearing is there for their eyes: a public one from when it opens, others for those who are asked.
    #[must_use]
    pub fn sees(&self, vocabulary: &Vocabulary, hearing: &Hearing, now: Instant) -> bool {
        let shown = match hearing.stage(now) {
            HearingStage::Planned => false,
            HearingStage::Cancelled => hearing.snapshot.is_some(),
            HearingStage::Open | HearingStage::Closed | HearingStage::Completed => true,
        };
        let everybody = hearing.plan.audience == Audience::Public && shown;
        everybody || self.is_party(hearing) || self.is_insider(vocabulary)
    }

    /// Whether they may read an answer: their own, all when the hearing lets everybody, and those who make the draft.
    #[must_use]
    pub fn reads(&self, vocabulary: &Vocabulary, hearing: &Hearing, answer: &AnswerState, now: Instant) -> bool {
        let stands = answer.withdrawn.is_none();
        let open = stands && hearing.is_readable(now) && self.sees(vocabulary, hearing, now);
        open || self.wrote(answer) || self.is_insider(vocabulary)
    }

    /// Whether an answer is theirs.
    #[must_use]
    pub fn wrote(&self, answer: &AnswerState) -> bool {
        match self {
            Self::Guest(guest) => answer.answer.party == Some(guest.party),
            Self::Actor(Actor::Account(caller)) => answer.stamp.by == Author::Account(caller.account),
            Self::Actor(_) => false,
        }
    }
}

/// Whether somebody may write an answer under a name that is known: a party by its link; an account where everybody
/// is asked.
///
/// # Errors
/// [`Code::NotSignedIn`], [`Code::NotAllowed`], [`Code::Phase`], [`Code::NotFound`] for a hearing that is not theirs.
pub fn permit_answer(
    visitor: &Visitor,
    vocabulary: &Vocabulary,
    draft: &Draft,
    hearing: &Hearing,
    now: Instant,
) -> Result<()> {
    let phase = draft.phase(now);
    if hearing.is_cancelled() && matches!(visitor, Visitor::Guest(_)) {
        return Err(Refusal::new(Code::Phase, "høringen er aflyst", "the hearing was called off"));
    }
    match visitor {
        Visitor::Guest(guest) if guest.hearing == hearing.uuid => Ok(()),
        Visitor::Guest(_) => Err(not_asked()),
        Visitor::Actor(actor @ Actor::Account(_)) => {
            permit_in(actor, Command::AnswerHearing, vocabulary, phase)?;
            if hearing.plan.audience == Audience::Public { Ok(()) } else { Err(not_asked()) }
        }
        Visitor::Actor(_) => Err(not_signed_in()),
    }
}

fn not_asked() -> Refusal {
    Refusal::new(
        Code::NotAllowed,
        "høringen er for inviterede; brug det link, din organisation har fået",
        "the hearing is for those who are invited; use the link that your organisation was sent",
    )
}
