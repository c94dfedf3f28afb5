//! The steps that a draft takes, from the first to the last.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::{
    Answer, Because, Decision, EditKind, Effect, HearingPlan, Line, Merged, Party, Prose, Ruling, Topic,
};
use super::{Base, Publication};
use crate::model::{ChangeKind, Digest, Instant, Meaning};

/// A step of a draft.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is the one of the state that it sets")]
pub enum DraftStep {
    /// A draft is opened over a version; over nothing when the vocabulary has none.
    Opened {
        vocabulary: Uuid,
        title: Line,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        purpose: Option<Prose>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<Uuid>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        base: Option<Base>,
        minor: bool,
    },
    /// Title, purpose or group are others.
    Described {
        title: Line,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        purpose: Option<Prose>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        group: Option<Uuid>,
    },
    /// Content is edited.
    Edited {
        kind: EditKind,
        reason: Prose,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<Because>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        meaning: Option<Meaning>,
        effects: Vec<Effect>,
    },
    /// An edit is taken back.
    Undone { edit: usize, reason: Prose },
    /// The draft is laid over another version.
    Rebased { onto: Base, reason: Prose, merged: Vec<Merged> },
    /// Something is said.
    Commented {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thread: Option<usize>,
        #[serde(default)]
        topic: Topic,
        text: Prose,
    },
    /// A thread is settled, or opened again.
    Settled { thread: usize, settled: bool },
    /// The group looks through the draft.
    SentToReview,
    /// The draft rests.
    Held { reason: Prose },
    /// Work goes on.
    Resumed { reason: Prose },
    /// The draft is given up.
    Withdrawn { reason: Prose },
    /// A hearing is planned.
    HearingPlanned { hearing: Uuid, plan: HearingPlan },
    /// A planned hearing is planned otherwise.
    HearingReplanned { hearing: Uuid, plan: HearingPlan },
    /// A hearing is called off before its deadline.
    HearingCancelled { hearing: Uuid, reason: Prose },
    /// The hearing has opened: what the clock did is told.
    HearingOpened { hearing: Uuid },
    /// The hearing has closed: what the clock did is told.
    HearingClosed { hearing: Uuid },
    /// Those who have not answered are reminded of the deadline.
    HearingReminded { hearing: Uuid },
    /// The deadline is moved out.
    HearingExtended { hearing: Uuid, deadline: Instant, reason: Prose },
    /// Somebody is asked to answer.
    PartyInvited { hearing: Uuid, party: Party },
    /// An answer is submitted.
    Answered { hearing: Uuid, answer: Answer },
    /// An answer is taken back.
    AnswerWithdrawn { hearing: Uuid, answer: Uuid },
    /// An item of an answer gets its reply.
    Disposed { hearing: Uuid, answer: Uuid, item: usize, ruling: Ruling, reason: Prose, edits: Vec<usize> },
    /// Every item has its reply.
    HearingCompleted { hearing: Uuid },
    /// The draft is laid before a committee.
    Recommended {
        recommendation: Uuid,
        committee: Uuid,
        text: Prose,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after_hearing: Option<Prose>,
        digest: Digest,
        concepts: u64,
    },
    /// The recommendation is taken back before it is decided.
    Recalled { reason: Prose },
    /// The committee decided.
    Decided { decision: Decision },
    /// Somebody else lets it be published.
    Approved { digest: Digest },
    /// The draft is a version.
    Published { publication: Publication },
}

impl DraftStep {
    /// What the change log calls it.
    pub(super) fn kind(&self) -> ChangeKind {
        match self {
            Self::Opened { .. } => ChangeKind::DraftOpened,
            Self::Described { .. } => ChangeKind::DraftDescribed,
            Self::Edited { .. } | Self::Undone { .. } => ChangeKind::DraftEdited,
            Self::Rebased { .. } => ChangeKind::DraftRebased,
            Self::Commented { .. } | Self::Settled { .. } => ChangeKind::DraftCommented,
            Self::SentToReview
            | Self::Held { .. }
            | Self::Resumed { .. }
            | Self::Withdrawn { .. }
            | Self::Recalled { .. } => ChangeKind::DraftMoved,
            Self::HearingPlanned { .. } | Self::HearingReplanned { .. } => ChangeKind::HearingPlanned,
            Self::HearingCancelled { .. } => ChangeKind::HearingCancelled,
            Self::HearingOpened { .. } => ChangeKind::HearingOpened,
            Self::HearingClosed { .. } => ChangeKind::HearingClosed,
            Self::HearingReminded { .. } => ChangeKind::HearingReminded,
            Self::HearingExtended { .. } => ChangeKind::HearingExtended,
            Self::PartyInvited { .. } => ChangeKind::HearingInvited,
            Self::Answered { .. } => ChangeKind::HearingAnswered,
            Self::AnswerWithdrawn { .. } => ChangeKind::AnswerWithdrawn,
            Self::Disposed { .. } => ChangeKind::AnswerDisposed,
            Self::HearingCompleted { .. } => ChangeKind::HearingCompleted,
            Self::Recommended { .. } => ChangeKind::DraftRecommended,
            Self::Decided { .. } => ChangeKind::DraftDecided,
            Self::Approved { .. } => ChangeKind::DraftApproved,
            Self::Published { .. } => ChangeKind::DraftPublished,
        }
    }
}
