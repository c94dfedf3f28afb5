//! A change request (ændringsønske): anybody asks for something, and gets an answer with a reason.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Line, Matter, Prose, Stamp, capped, out_of_turn};
use crate::model::{ChangeKind, ContentFields, Result};

/// The most often a request is taken on.
const MOST_ASSIGNED: usize = 100;

/// Who takes a request on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Track {
    /// It is a small change: the secretariat.
    Secretariat,
    /// A group.
    Group(Uuid),
}

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum RequestOutcome {
    /// It became an edit of a draft.
    Accepted,
    /// It did not.
    Declined,
    /// Somebody asked for the same before.
    Duplicate,
    /// It is for others.
    OutOfScope,
}

/// Where a request stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum RequestState {
    /// It waits in the queue.
    Queued,
    /// Somebody has taken it on.
    Assigned,
    /// It was accepted.
    Accepted,
    /// It was answered otherwise.
    Closed,
    /// Who asked took it back.
    Withdrawn,
}

/// A step of a request.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is the one of the state that it sets")]
pub enum RequestStep {
    /// Somebody asks.
    Submitted {
        vocabulary: Uuid,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        concept: Option<Uuid>,
        title: Line,
        text: Prose,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        organisation: Option<Line>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proposal: Option<Box<ContentFields>>,
    },
    /// Somebody takes it on.
    Assigned { track: Track, reason: Prose },
    /// It became an edit of a draft.
    Accepted { draft: Uuid, edit: usize, reason: Prose },
    /// It was answered otherwise.
    Closed {
        outcome: RequestOutcome,
        reason: Prose,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        duplicate_of: Option<Uuid>,
    },
    /// Who asked takes it back.
    Withdrawn,
}

/// A change request as its steps have made it.
#[derive(Clone, PartialEq, Debug)]
pub struct ChangeRequest {
    /// For ever.
    pub uuid: Uuid,
    /// The vocabulary.
    pub vocabulary: Uuid,
    /// The concept; a new one, or the whole vocabulary, when absent.
    pub concept: Option<Uuid>,
    /// What it is called.
    pub title: Line,
    /// What is asked for, and why.
    pub text: Prose,
    /// In whose name.
    pub organisation: Option<Line>,
    /// The content that is proposed.
    pub proposal: Option<Box<ContentFields>>,
    /// When it was submitted, and by whom.
    pub submitted: Stamp,
    /// Where it stands.
    pub state: RequestState,
    /// Who took it on: when, who, why.
    pub assigned: Vec<(Stamp, Track, Prose)>,
    /// What became of it: when, and why.
    pub outcome: Option<(Stamp, RequestOutcome, Prose)>,
    /// The edit that it became: the draft, and the number.
    pub edit: Option<(Uuid, usize)>,
    /// The request that asked for the same.
    pub duplicate_of: Option<Uuid>,
    /// The last step.
    pub last: Stamp,
    steps: i64,
}

impl Matter for ChangeRequest {
    type Step = RequestStep;

    const KIND: &'static str = "change-request";

    fn begin(uuid: Uuid, stamp: &Stamp, step: RequestStep) -> Result<Self> {
        let RequestStep::Submitted { vocabulary, concept, title, text, organisation, proposal } = step else {
            return Err(out_of_turn("ønsket er ikke indsendt", "the request has not been submitted"));
        };
        Ok(Self {
            uuid,
            vocabulary,
            concept,
            title,
            text,
            organisation,
            proposal,
            submitted: stamp.clone(),
            state: RequestState::Queued,
            assigned: Vec::new(),
            outcome: None,
            edit: None,
            duplicate_of: None,
            last: stamp.clone(),
            steps: 1,
        })
    }

    fn take(&mut self, stamp: &Stamp, step: RequestStep) -> Result<()> {
        if !matches!(self.state, RequestState::Queued | RequestState::Assigned) {
            return Err(out_of_turn("ønsket er afsluttet", "the request is closed"));
        }
        match step {
            RequestStep::Submitted { .. } => {
                return Err(out_of_turn("ønsket er indsendt", "the request has been submitted"));
            }
            RequestStep::Assigned { track, reason } => {
                capped("assignments", self.assigned.len() + 1, MOST_ASSIGNED)?;
                self.assigned.push((stamp.clone(), track, reason));
                self.state = RequestState::Assigned;
            }
            RequestStep::Accepted { draft, edit, reason } => {
                self.outcome = Some((stamp.clone(), RequestOutcome::Accepted, reason));
                self.edit = Some((draft, edit));
                self.state = RequestState::Accepted;
            }
            RequestStep::Closed { outcome, reason, duplicate_of } => {
                let same = outcome == RequestOutcome::Duplicate;
                if outcome == RequestOutcome::Accepted
                    || same != duplicate_of.is_some()
                    || duplicate_of == Some(self.uuid)
                {
                    return Err(out_of_turn("det passer ikke sammen", "that does not go together"));
                }
                self.outcome = Some((stamp.clone(), outcome, reason));
                self.duplicate_of = duplicate_of;
                self.state = RequestState::Closed;
            }
            RequestStep::Withdrawn => {
                if stamp.by != self.submitted.by {
                    return Err(out_of_turn("ønsket er en andens", "the request is somebody else's"));
                }
                self.state = RequestState::Withdrawn;
            }
        }
        self.last = stamp.clone();
        self.steps += 1;
        Ok(())
    }

    fn kind(step: &RequestStep) -> ChangeKind {
        match step {
            RequestStep::Submitted { .. } => ChangeKind::RequestSubmitted,
            RequestStep::Assigned { .. } => ChangeKind::RequestAssigned,
            RequestStep::Accepted { .. } => ChangeKind::RequestAccepted,
            RequestStep::Closed { .. } | RequestStep::Withdrawn => ChangeKind::RequestClosed,
        }
    }

    fn steps(&self) -> i64 {
        self.steps
    }

    fn vocabulary(&self) -> Uuid {
        self.vocabulary
    }
}
