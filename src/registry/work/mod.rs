//! What is worked on: commands that take steps, and readings of where matters stand.
//!
//! Every command goes one way: take the writers' lock, read the matter as it is under it, ask [`permit_in`], let the
//! matter take the step (it may refuse), lay the step down, commit, and wait until readings have it.

mod answering;
mod answers;
mod answers_hearing;
mod asking;
mod attachments;
mod certifications;
mod confirming;
mod contacts;
mod disposing;
mod drafts;
mod edits;
mod groups;
mod handling;
mod hearings;
mod meetings;
mod news;
mod note;
mod offers;
mod papers;
mod parties;
mod provenance;
mod publish;
mod requests;
mod show;
mod time;

use std::sync::Arc;

use uuid::Uuid;

pub use answering::{AnswerRequest, Received};
pub use answers::{
    ApprovalAnswer, CommentAnswer, ConflictAnswer, DecisionAnswer, DraftAnswer, EditAnswer, EffectAnswer, MergedAnswer,
    ProposedAnswer, RecommendationAnswer, SinceAnswer, StampAnswer, ThreadAnswer,
};
pub use answers_hearing::{
    AnswerAnswer, AnswerItemAnswer, AnswerStage, DispositionAnswer, ExtensionAnswer, HeardAnswer, HearingAnswer,
    HearingSummary, ItemEditAnswer, LinkAnswer, PartyAnswer, PendingAnswer, QuestionAnswer,
};
pub use asking::{AskRequest, AskedAnswer, Submitted};
pub use attachments::{File, FileRequest};
pub use certifications::{CertificationAnswer, CertificationRequest, CertifiedAnswer, VerdictAnswer, VerdictRequest};
pub(crate) use confirming::{CONFIRM_PREFIX, confirm_page};
pub use disposing::{DispositionRequest, ItemEditRequest};
pub use drafts::{
    CommentRequest, DraftChange, DraftFilter, DraftRequest, RebaseRequest, RebasedAnswer, SettledConflict, Steer,
    TopicRequest,
};
pub use edits::{EditRequest, ImportEdit, Made, OperationRequest, PartRequest, Precondition, RelationRequest};
pub use groups::GroupSeen;
pub use handling::{AcceptRequest, AcceptedAnswer, AssignRequest, FoundEdit, OutcomeRequest};
pub use hearings::{Heard, HearingRequest};
pub use meetings::{
    CancelledAnswer, GivenMandate, ItemAnswer, MandateAnswer, MeetingAnswer, MeetingChange, MeetingCommand,
    MeetingRequest, MinutesAnswer,
};
pub(crate) use news::HearingNews;
pub use note::moment;
pub use offers::{Called, FoundConcepts, NamedConcept, Offer};
pub use parties::PartyRequest;
pub(crate) use parties::{PREFIX as LINK_PREFIX, answer_page as party_page, link_errand};
pub use provenance::{DecidedConcept, Reason};
pub(super) use publish::overtaken;
pub use publish::{DecideRequest, DraftPublishRequest, RecommendRequest};
pub use requests::{AssignmentAnswer, ContactAnswer, OutcomeAnswer, RequestAnswer, RequestFilter};
pub use show::{Moment, Paper, Sides};

use super::Registry;
use super::permission::{Actor, Command, permit_in};
use crate::model::{Code, Place, Refusal, Result, Vocabulary};
use crate::projection::{Kept, read_step};
use crate::store::{StepRow, Write};
use crate::workflow::{Author, Draft, Matter, Stamp};

/// A matter under the writers' lock.
pub(super) struct Under<M> {
    /// The write.
    pub(super) write: Write,
    /// The matter as it is.
    pub(super) matter: M,
    /// Its uuid.
    pub(super) uuid: Uuid,
    /// Who takes steps, and when.
    pub(super) stamp: Stamp,
}

impl Actor {
    /// Who this is in the steps of a matter.
    ///
    /// # Errors
    /// [`Code::NotSignedIn`] for the public.
    pub fn author(&self) -> Result<Author> {
        match self {
            Self::Operator(name) => Ok(Author::Operator(name.as_str().into())),
            Self::Account(caller) => Ok(Author::Account(caller.account)),
            Self::Public => Err(super::permission::not_signed_in()),
        }
    }
}

impl Registry {
    /// A matter as readings have it.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub(super) fn matter<M: Kept>(&self, uuid: Uuid) -> Result<Arc<M>> {
        self.snapshot().matters.get::<M>(uuid).cloned().ok_or_else(|| none(uuid))
    }

    /// The vocabulary of a matter, as it is now.
    pub(super) fn vocabulary_by(&self, uuid: Uuid) -> Result<Arc<Vocabulary>> {
        let snapshot = self.snapshot();
        let plane = snapshot.by_uuid(uuid).ok_or_else(|| super::query::unknown_vocabulary(&uuid.to_string()))?;
        Ok(plane.vocabulary().clone())
    }

    /// Begins a write in which a new matter is made.
    pub(super) async fn lock(&self, actor: &Actor) -> Result<(Write, Stamp)> {
        let by = actor.author()?;
        let write = self.store.write(&actor.name(), self.clock.now()).await?;
        self.still(actor).await?;
        let at = write.at();
        Ok((write, Stamp { at, by }))
    }

    /// Takes the writers' lock and reads a matter as it is under it.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub(super) async fn under<M: Kept>(&self, actor: &Actor, uuid: Uuid) -> Result<Under<M>> {
        let (mut write, stamp) = self.lock(actor).await?;
        let matter = self.matter_in(&mut write, uuid).await?;
        Ok(Under { write, matter, uuid, stamp })
    }

    /// A matter as a write sees it: as readings have it, with the steps that they do not have yet.
    pub(super) async fn matter_in<M: Kept>(&self, write: &mut Write, uuid: Uuid) -> Result<M> {
        let mut matter = self.snapshot().matters.get::<M>(uuid).map(|m| (**m).clone());
        let known = matter.as_ref().map_or(0, Matter::steps);
        for row in write.steps(uuid, known).await?.iter().filter(|row| row.kind == M::KIND) {
            let (stamp, step) = read_step::<M>(row)?;
            match &mut matter {
                Some(matter) => matter.take(&stamp, step)?,
                None => matter = Some(M::begin(uuid, &stamp, step)?),
            }
        }
        matter.ok_or_else(|| none(uuid))
    }

    /// A draft under the lock, for a command that the actor may give as far as it has come.
    pub(super) async fn draft_for(&self, actor: &Actor, uuid: Uuid, command: Command) -> Result<Under<Draft>> {
        let mut under = self.under::<Draft>(actor, uuid).await?;
        under.matter.advance(under.stamp.at);
        let vocabulary = self.vocabulary_by(under.matter.vocabulary)?;
        permit_in(actor, command, &vocabulary, under.matter.phase(under.stamp.at))?;
        Ok(under)
    }

    /// Ends a write: what was laid down is committed, and readings have it when this returns.
    pub(super) async fn settle(&self, write: Write) -> Result<i64> {
        self.commit(write).await
    }
}

/// Makes a new matter, and lays down its first step.
pub(super) async fn begin<M: Matter>(write: &mut Write, uuid: Uuid, stamp: &Stamp, step: M::Step) -> Result<M> {
    let row = row_of::<M>(uuid, 1, stamp, &step, None)?;
    let kind = M::kind(&step);
    let matter = M::begin(uuid, stamp, step)?;
    let row = StepRow { vocabulary: matter.vocabulary(), ..row };
    write.step(kind, &row).await?;
    Ok(matter)
}

impl<M: Matter> Under<M> {
    /// Takes a step: the matter may refuse it; else it is laid down.
    pub(super) async fn step(&mut self, step: M::Step) -> Result<()> {
        let stamp = self.stamp.clone();
        self.step_by(&stamp, step).await
    }

    /// Takes a step in the name of somebody else: the clock.
    pub(super) async fn step_by(&mut self, stamp: &Stamp, step: M::Step) -> Result<()> {
        let vocabulary = self.matter.vocabulary();
        let row = row_of::<M>(self.uuid, self.matter.steps() + 1, stamp, &step, Some(vocabulary))?;
        let kind = M::kind(&step);
        self.matter.take(stamp, step)?;
        self.write.step(kind, &row).await?;
        Ok(())
    }
}

fn row_of<M: Matter>(
    matter: Uuid,
    number: i64,
    stamp: &Stamp,
    step: &M::Step,
    vocabulary: Option<Uuid>,
) -> Result<StepRow> {
    let body = serde_json::to_string(step).map_err(|e| {
        Refusal::new(
            Code::Internal,
            format!("et skridt kan ikke skrives: {e}"),
            format!("a step cannot be written: {e}"),
        )
    })?;
    Ok(StepRow {
        matter,
        number,
        kind: M::KIND.into(),
        vocabulary: vocabulary.unwrap_or_default(),
        at: stamp.at,
        actor: stamp.by.to_string(),
        body,
        change: 0,
    })
}

/// The refusal for a matter that is not there, or that is not for the eyes of the one who asks.
pub(super) fn none(uuid: Uuid) -> Refusal {
    Refusal::new(Code::NotFound, format!("der er ingen {uuid}"), format!("there is no {uuid}"))
}

/// The refusal of a field.
pub(super) fn unlawful(field: &str, da: impl Into<String>, en: impl Into<String>) -> Refusal {
    Refusal::new(Code::Unlawful, da, en).at(Place::field(field))
}
