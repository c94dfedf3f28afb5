//! The shapes of drafts in the JSON API.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::model::{ConceptChangeKind, Content, ContentFields, Digest, Instant, Meaning, Slug};
use crate::workflow::{
    Base, Because, Conflict, Decision, Draft, Edit, EditKind, Effect, Merging, Phase, Proposal, Publication,
    Recommendation, Since, Stamp, Thread, Topic,
};

/// When something was done, and by whom.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct StampAnswer {
    /// When.
    #[schema(value_type = String)]
    pub at: Instant,
    /// By whom: `account:UUID`, `contact:UUID` of somebody without an account, `operator:NAME`, `clock`.
    pub by: String,
}

impl From<&Stamp> for StampAnswer {
    fn from(stamp: &Stamp) -> Self {
        Self { at: stamp.at, by: stamp.by.to_string() }
    }
}

/// A draft.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DraftAnswer {
    /// For ever.
    pub uuid: Uuid,
    /// The slug of the vocabulary.
    pub vocabulary: Slug,
    /// What it is called.
    pub title: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// The group that works on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<Uuid>,
    /// The version it lies over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<Base>,
    /// Whether another version is in force today than the one it lies over: then it must be laid over that one before
    /// it is recommended or published.
    pub overtaken: bool,
    /// Whether it is a small change, which needs no hearing.
    pub minor: bool,
    /// How far it has come.
    pub phase: Phase,
    /// When it was opened.
    pub opened: StampAnswer,
    /// The last step.
    pub changed: StampAnswer,
    /// How many steps it has taken.
    pub steps: i64,
    /// How many edits.
    pub edits: usize,
    /// How many threads of comments are not settled.
    pub open_threads: usize,
    /// How many concepts it changes, by the type of change.
    pub counts: BTreeMap<ConceptChangeKind, u64>,
    /// Its hearings.
    pub hearings: Vec<Uuid>,
    /// What it was recommended with.
    pub recommendations: Vec<RecommendationAnswer>,
    /// What was decided.
    pub decisions: Vec<Decision>,
    /// Who let it be published.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<ApprovalAnswer>,
    /// The version it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publication: Option<Publication>,
}

/// A recommendation (indstilling).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecommendationAnswer {
    /// For ever.
    pub uuid: Uuid,
    /// When, and by whom.
    #[serde(flatten)]
    pub stamp: StampAnswer,
    /// The group that is to decide.
    pub committee: Uuid,
    /// What it is recommended to do, and why.
    pub text: String,
    /// Why concepts were changed after the hearing that no answer led to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_hearing: Option<String>,
    /// The concepts that say something else than when the draft was heard.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub since_hearing: Vec<SinceAnswer>,
    /// The digest of the whole edition that the draft makes: what is decided on, and published.
    pub digest: Digest,
    /// How many concepts that edition has.
    pub concepts: u64,
    /// How many edits the draft had.
    pub edits: usize,
    /// When it was taken back, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recalled: Option<(StampAnswer, String)>,
}

/// A concept that was changed after the hearing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct SinceAnswer {
    /// The concept.
    pub uuid: Uuid,
    /// How it differs from what was heard, most important first.
    pub kinds: Vec<ConceptChangeKind>,
    /// The numbers of the edits that made it so.
    pub edits: Vec<usize>,
    /// Whether answers led to all of them.
    pub answered: bool,
}

impl SinceAnswer {
    fn new(since: &Since) -> Self {
        let pair = [(since.concept, since.heard.as_deref(), since.later.as_deref())];
        let kinds = crate::model::diff(&pair).pop().map(|c| c.kinds).unwrap_or_default();
        Self { uuid: since.concept, kinds, edits: since.edits.clone(), answered: since.answered }
    }
}

impl RecommendationAnswer {
    fn new(draft: &Draft, r: &Recommendation) -> Self {
        // Its edits are there, so that nothing can be refused.
        let since = draft.since_hearing(r.edits, r.stamp.at).ok().flatten().unwrap_or_default();
        Self {
            uuid: r.uuid,
            stamp: (&r.stamp).into(),
            committee: r.committee,
            text: r.text.to_string(),
            after_hearing: r.after_hearing.as_ref().map(ToString::to_string),
            since_hearing: since.iter().map(SinceAnswer::new).collect(),
            digest: r.digest,
            concepts: r.concepts,
            edits: r.edits,
            recalled: r.recalled.as_ref().map(|(stamp, why)| (stamp.into(), why.to_string())),
        }
    }
}

/// Somebody else let a draft be published.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct ApprovalAnswer {
    /// When, and by whom.
    #[serde(flatten)]
    pub stamp: StampAnswer,
    /// The digest of the content that was looked at.
    pub digest: Digest,
}

impl DraftAnswer {
    /// A draft at an instant.
    #[must_use]
    pub fn new(draft: &Draft, vocabulary: Slug, overtaken: bool, now: Instant) -> Self {
        let mut counts = BTreeMap::new();
        for kind in draft.changes().into_iter().flat_map(|c| c.kinds) {
            *counts.entry(kind).or_default() += 1;
        }
        Self {
            uuid: draft.uuid,
            vocabulary,
            title: draft.title.to_string(),
            purpose: draft.purpose.as_ref().map(ToString::to_string),
            group: draft.group,
            base: draft.base.clone(),
            overtaken,
            minor: draft.minor,
            phase: draft.phase(now),
            opened: (&draft.opened).into(),
            changed: (&draft.last).into(),
            steps: crate::workflow::Matter::steps(draft),
            edits: draft.edits().len(),
            open_threads: draft.threads().iter().filter(|t| t.settled.is_none()).count(),
            counts,
            hearings: draft.hearings().iter().map(|h| h.uuid).collect(),
            recommendations: draft.recommendations().iter().map(|r| RecommendationAnswer::new(draft, r)).collect(),
            decisions: draft.decisions().to_vec(),
            approvals: draft
                .approvals()
                .iter()
                .map(|a| ApprovalAnswer { stamp: (&a.stamp).into(), digest: a.digest })
                .collect(),
            publication: draft.publication().cloned(),
        }
    }
}

/// An edit.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EditAnswer {
    /// Its number in the draft, from 1.
    pub number: usize,
    /// When, and by whom.
    #[serde(flatten)]
    pub stamp: StampAnswer,
    /// Of what kind.
    pub kind: EditKind,
    /// Why.
    pub reason: String,
    /// What led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<Because>,
    /// Whether what it redefines means something else than in the version below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<Meaning>,
    /// What it did.
    pub effects: Vec<EffectAnswer>,
    /// The number of the edit that took it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone: Option<usize>,
    /// The number of the edit that it took back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undoes: Option<usize>,
}

/// What an edit did to a concept.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct EffectAnswer {
    /// The concept.
    pub concept: Uuid,
    /// What was said before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub before: Option<ContentFields>,
    /// What is said from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub after: Option<ContentFields>,
}

pub(super) fn fields(content: Option<&Content>) -> Option<ContentFields> {
    content.map(|c| c.fields().clone())
}

impl EditAnswer {
    /// The edit of a number.
    #[must_use]
    pub fn new(number: usize, edit: &Edit) -> Self {
        let effect = |e: &Effect| EffectAnswer {
            concept: e.concept,
            before: fields(e.before.as_deref()),
            after: fields(e.after.as_deref()),
        };
        Self {
            number,
            stamp: (&edit.stamp).into(),
            kind: edit.kind,
            reason: edit.reason.to_string(),
            because: edit.because,
            meaning: edit.meaning,
            effects: edit.effects.iter().map(effect).collect(),
            undone: edit.undone,
            undoes: edit.undoes,
        }
    }
}

/// A concept that a draft changes, or reads as the version below has it.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProposedAnswer {
    /// The concept.
    pub uuid: Uuid,
    /// The tag for `If-Match`; absent when the draft retires the concept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// How it differs from the version below, most important first; nothing when it does not.
    pub kinds: Vec<ConceptChangeKind>,
    /// Of one that is redefined: whether it means something else, as was said last. Absent when nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<Meaning>,
    /// The number of the last edit that touched it; absent when none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit: Option<usize>,
    /// What the draft says; absent when the concept is not to be in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub content: Option<ContentFields>,
    /// What the version below says; absent when it does not have the concept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub base: Option<ContentFields>,
}

/// A decision, with what was decided and what came of it.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct DecisionAnswer {
    /// The decision.
    #[serde(flatten)]
    pub decision: Decision,
    /// The draft that was decided.
    pub draft: Uuid,
    /// The slug of the vocabulary.
    pub vocabulary: Slug,
    /// What the draft is called.
    pub title: String,
    /// The version that carries it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publication: Option<Publication>,
}

impl DecisionAnswer {
    /// A decision over a draft.
    #[must_use]
    pub fn new(decision: &Decision, draft: &Draft, vocabulary: Slug) -> Self {
        let carried_out = draft.publication().filter(|p| p.decision == Some(decision.uuid)).cloned();
        Self {
            decision: decision.clone(),
            draft: draft.uuid,
            vocabulary,
            title: draft.title.to_string(),
            publication: carried_out,
        }
    }
}

/// The entity tag of content in a draft.
#[must_use]
pub(super) fn tag(content: &Content) -> String {
    format!("\"{}\"", content.digest())
}

impl ProposedAnswer {
    /// What a draft says of a concept, with what was said of its meaning.
    #[must_use]
    pub fn new(uuid: Uuid, proposal: &Proposal, meaning: Option<Meaning>) -> Self {
        let pair = [(uuid, proposal.base.as_deref(), proposal.content.as_deref())];
        let change = crate::model::diff(&pair).pop().map(|c| c.meaning(|| meaning));
        let (kinds, meaning) = change.map(|c| (c.kinds, c.meaning)).unwrap_or_default();
        Self {
            uuid,
            etag: proposal.content.as_deref().map(tag),
            kinds,
            meaning,
            edit: Some(proposal.edit).filter(|e| *e > 0),
            content: fields(proposal.content.as_deref()),
            base: fields(proposal.base.as_deref()),
        }
    }
}

/// A thread of comments.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct ThreadAnswer {
    /// Its number in the draft, from 1.
    pub number: usize,
    /// What it is about.
    pub topic: Topic,
    /// What was said, the first first.
    pub comments: Vec<CommentAnswer>,
    /// When and by whom it was settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled: Option<StampAnswer>,
}

/// Something that was said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct CommentAnswer {
    /// When, and by whom.
    #[serde(flatten)]
    pub stamp: StampAnswer,
    /// What.
    pub text: String,
}

impl ThreadAnswer {
    /// The thread of a number.
    #[must_use]
    pub fn new(number: usize, thread: &Thread) -> Self {
        let comments = thread.comments.iter();
        Self {
            number,
            topic: thread.topic.clone(),
            comments: comments.map(|c| CommentAnswer { stamp: (&c.stamp).into(), text: c.text.to_string() }).collect(),
            settled: thread.settled.as_ref().map(Into::into),
        }
    }
}

/// What came of a concept when a draft was laid over another version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct MergedAnswer {
    /// The concept.
    pub concept: Uuid,
    /// How it came about.
    pub how: Merging,
}

/// A conflict of a draft with another version.
pub type ConflictAnswer = Conflict;
