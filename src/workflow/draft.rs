//! A draft: a change set over a version, from its first edit to its publication.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::edit::not_there;
use super::{
    Answer, Author, Because, Comment, Decision, Edit, EditKind, Effect, Hearing, HearingPlan, HearingStage, Line,
    Matter, Merged, Outcome, Party, Phase, Proposal, Prose, Recommendation, Ruling, Stamp, Thread, Topic, out_of_turn,
};
use crate::model::{
    ChangeKind, Code, ConceptChange, ConceptChangeKind, Content, Digest, Governance, Instant, Label, Place, Refusal,
    Result, diff,
};

/// The most edits of a draft, and the most comments.
const MOST: usize = 100_000;

/// The version that a draft lies over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// The version.
    pub version: Uuid,
    /// Its label.
    pub label: Label,
}

/// Somebody other than the authors has looked at exactly this content and lets it be published.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Approval {
    /// When, and by whom.
    pub stamp: Stamp,
    /// The digest of the content that was looked at.
    pub digest: Digest,
}

/// A draft was put to rest, taken up again, or given up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Move {
    /// When, and by whom.
    pub stamp: Stamp,
    /// Where it went.
    pub to: Phase,
    /// Why.
    pub reason: Prose,
}

/// A draft became a version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Publication {
    /// The version.
    pub version: Uuid,
    /// Its label.
    pub label: Label,
    /// From when it is in force.
    #[schema(value_type = String)]
    pub effective: Instant,
    /// The digest of its content.
    pub digest: Digest,
    /// The decision that it carries out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Uuid>,
    /// How the rule of four eyes was kept: who, not being alone in having written it, let it out. Absent where the
    /// vocabulary does not have the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub second: Option<Author>,
}

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

/// A draft as its steps have made it.
#[derive(Clone, PartialEq, Debug)]
pub struct Draft {
    /// For ever.
    pub uuid: Uuid,
    /// The vocabulary.
    pub vocabulary: Uuid,
    /// What it is called.
    pub title: Line,
    /// What it is for.
    pub purpose: Option<Prose>,
    /// The group that works on it.
    pub group: Option<Uuid>,
    /// The version it lies over; none when the vocabulary had none.
    pub base: Option<Base>,
    /// Whether it is a small change, which needs no hearing.
    pub minor: bool,
    /// When it was opened, and by whom.
    pub opened: Stamp,
    /// The last step.
    pub last: Stamp,
    phase: Phase,
    /// Where it goes on when it no longer rests.
    rests: Option<Phase>,
    moves: Vec<Move>,
    edits: Vec<Edit>,
    proposals: BTreeMap<Uuid, Proposal>,
    /// The rebase that last gave a concept another version below.
    laid: BTreeMap<Uuid, usize>,
    threads: Vec<Thread>,
    hearings: Vec<Hearing>,
    recommendations: Vec<Recommendation>,
    decisions: Vec<Decision>,
    approvals: Vec<Approval>,
    publication: Option<Publication>,
    steps: i64,
}

impl Matter for Draft {
    type Step = DraftStep;

    const KIND: &'static str = "draft";

    fn begin(uuid: Uuid, stamp: &Stamp, step: DraftStep) -> Result<Self> {
        let DraftStep::Opened { vocabulary, title, purpose, group, base, minor } = step else {
            return Err(out_of_turn("kladden er ikke åbnet", "the draft has not been opened"));
        };
        Ok(Self {
            uuid,
            vocabulary,
            title,
            purpose,
            group,
            base,
            minor,
            opened: stamp.clone(),
            last: stamp.clone(),
            phase: Phase::Drafting,
            rests: None,
            moves: Vec::new(),
            edits: Vec::new(),
            proposals: BTreeMap::new(),
            laid: BTreeMap::new(),
            threads: Vec::new(),
            hearings: Vec::new(),
            recommendations: Vec::new(),
            decisions: Vec::new(),
            approvals: Vec::new(),
            publication: None,
            steps: 1,
        })
    }

    fn take(&mut self, stamp: &Stamp, step: DraftStep) -> Result<()> {
        if stamp.at < self.last.at {
            return Err(out_of_turn("der er sket noget siden", "something has happened since"));
        }
        let (phase, snapshot) = (self.phase, self.hearings.last().and_then(|h| h.snapshot));
        self.advance(stamp.at);
        if let Err(refused) = self.taken(stamp, step) {
            // Nothing is changed: what the clock did by then is told by the next step, which may be an earlier one.
            self.phase = phase;
            if let Some(hearing) = self.hearings.last_mut() {
                hearing.snapshot = snapshot;
                if snapshot.is_none() {
                    hearing.below.clear();
                }
            }
            return Err(refused);
        }
        self.last = stamp.clone();
        self.steps += 1;
        Ok(())
    }

    fn kind(step: &DraftStep) -> ChangeKind {
        match step {
            DraftStep::Opened { .. } => ChangeKind::DraftOpened,
            DraftStep::Described { .. } => ChangeKind::DraftDescribed,
            DraftStep::Edited { .. } | DraftStep::Undone { .. } => ChangeKind::DraftEdited,
            DraftStep::Rebased { .. } => ChangeKind::DraftRebased,
            DraftStep::Commented { .. } | DraftStep::Settled { .. } => ChangeKind::DraftCommented,
            DraftStep::SentToReview
            | DraftStep::Held { .. }
            | DraftStep::Resumed { .. }
            | DraftStep::Withdrawn { .. }
            | DraftStep::Recalled { .. } => ChangeKind::DraftMoved,
            DraftStep::HearingPlanned { .. } | DraftStep::HearingReplanned { .. } => ChangeKind::HearingPlanned,
            DraftStep::HearingCancelled { .. } => ChangeKind::HearingCancelled,
            DraftStep::HearingOpened { .. } => ChangeKind::HearingOpened,
            DraftStep::HearingClosed { .. } => ChangeKind::HearingClosed,
            DraftStep::HearingReminded { .. } => ChangeKind::HearingReminded,
            DraftStep::HearingExtended { .. } => ChangeKind::HearingExtended,
            DraftStep::PartyInvited { .. } => ChangeKind::HearingInvited,
            DraftStep::Answered { .. } => ChangeKind::HearingAnswered,
            DraftStep::AnswerWithdrawn { .. } => ChangeKind::AnswerWithdrawn,
            DraftStep::Disposed { .. } => ChangeKind::AnswerDisposed,
            DraftStep::HearingCompleted { .. } => ChangeKind::HearingCompleted,
            DraftStep::Recommended { .. } => ChangeKind::DraftRecommended,
            DraftStep::Decided { .. } => ChangeKind::DraftDecided,
            DraftStep::Approved { .. } => ChangeKind::DraftApproved,
            DraftStep::Published { .. } => ChangeKind::DraftPublished,
        }
    }

    fn steps(&self) -> i64 {
        self.steps
    }

    fn vocabulary(&self) -> Uuid {
        self.vocabulary
    }
}

impl Draft {
    /// How far it has come at an instant: hearings open and close by themselves.
    #[must_use]
    pub fn phase(&self, at: Instant) -> Phase {
        match self.hearings.last().map(|h| h.stage(at)) {
            Some(HearingStage::Open) if self.phase.is_editable() => Phase::InHearing,
            Some(HearingStage::Closed) if self.phase == Phase::InHearing || self.unopened() => Phase::Heard,
            _ => self.phase,
        }
    }

    /// Whether the last hearing has not opened in this state.
    fn unopened(&self) -> bool {
        self.phase.is_editable() && self.hearings.last().is_some_and(|h| h.snapshot.is_none() && !h.is_cancelled())
    }

    /// Does what the clock does: opens and closes the hearing. Said twice it is the same as said once, and to say it
    /// of an earlier instant first changes nothing, so it does not matter who asks when.
    pub fn advance(&mut self, at: Instant) {
        let phase = self.phase(at);
        let edits = self.edits.len();
        if self.unopened()
            && let Some(hearing) = self.hearings.last_mut()
            && !matches!(hearing.stage(at), HearingStage::Planned)
        {
            // Nothing could be edited from the moment it opened.
            hearing.snapshot = Some(edits);
            hearing.below = self.proposals.iter().map(|(u, p)| (*u, p.base.clone())).collect();
        }
        self.phase = phase;
    }

    /// When it was put to rest, taken up again or given up, and why.
    #[must_use]
    pub fn moves(&self) -> &[Move] {
        &self.moves
    }

    /// The edits, the first first; they are numbered from 1.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// What the draft says of the concepts that an edit touched.
    #[must_use]
    pub fn proposals(&self) -> &BTreeMap<Uuid, Proposal> {
        &self.proposals
    }

    /// The threads of comments; they are numbered from 1.
    #[must_use]
    pub fn threads(&self) -> &[Thread] {
        &self.threads
    }

    /// The hearings.
    #[must_use]
    pub fn hearings(&self) -> &[Hearing] {
        &self.hearings
    }

    /// The recommendations.
    #[must_use]
    pub fn recommendations(&self) -> &[Recommendation] {
        &self.recommendations
    }

    /// The decisions.
    #[must_use]
    pub fn decisions(&self) -> &[Decision] {
        &self.decisions
    }

    /// Who let it out.
    #[must_use]
    pub fn approvals(&self) -> &[Approval] {
        &self.approvals
    }

    /// The version it became.
    #[must_use]
    pub fn publication(&self) -> Option<&Publication> {
        self.publication.as_ref()
    }

    /// A hearing.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub fn hearing(&self, uuid: Uuid) -> Result<&Hearing> {
        self.hearings.iter().find(|h| h.uuid == uuid).ok_or_else(|| no("hearing", &uuid.to_string()))
    }

    /// Who wrote what stands in it, and who took back what does not: both decide what it says.
    #[must_use]
    pub fn authors(&self) -> BTreeSet<&Author> {
        self.edits.iter().filter(|e| e.undone.is_none()).map(|e| &e.stamp.by).collect()
    }

    /// What is said of the touched concepts after `edit` edits; 0 is before the first. The first of a pair is the
    /// version below, as the draft knew it then.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there are not so many.
    pub fn moment(&self, edit: usize) -> Result<BTreeMap<Uuid, Option<Arc<Content>>>> {
        if edit > self.edits.len() {
            return Err(no("edit", &edit.to_string()));
        }
        let mut said = BTreeMap::new();
        for (i, e) in self.edits.iter().enumerate() {
            for effect in e.effects.iter() {
                if i < edit {
                    said.insert(effect.concept, effect.after.clone());
                } else {
                    // What is touched later stood as the later edit found it.
                    said.entry(effect.concept).or_insert_with(|| effect.before.clone());
                }
            }
        }
        Ok(said)
    }

    /// The typed changes of the draft against the version below.
    #[must_use]
    pub fn changes(&self) -> Vec<ConceptChange> {
        let pairs: Vec<_> = self.proposals.iter().map(|(u, p)| (*u, p.base.as_deref(), p.content.as_deref())).collect();
        diff(&pairs)
    }

    /// Whether it may be laid before a committee as far as hearings go, under a governance.
    ///
    /// # Errors
    /// [`Code::Governance`] with what is missing.
    pub fn heard_enough(&self, governance: Governance) -> Result<()> {
        if let Some(open) = self.hearings.iter().find(|h| h.snapshot.is_some() && !h.is_over()) {
            return Err(Refusal::new(
                Code::Governance,
                format!("høringen {} er ikke afsluttet", open.uuid),
                format!("the hearing {} is not completed", open.uuid),
            )
            .items(open.undisposed().into_iter().map(|(a, i)| format!("{a}/{i}"))));
        }
        let heard = self.hearings.iter().any(|h| h.completed.is_some());
        if governance != Governance::Hearing || heard {
            return Ok(());
        }
        if self.minor {
            let more = self.more_than_minor();
            if more.is_empty() {
                return Ok(());
            }
            return Err(Refusal::new(
                Code::Governance,
                "en mindre ændring kan ikke tilføje, udgå, omdøbe, omdefinere eller flytte begreber uden høring",
                "a minor change cannot add, retire, rename, redefine or move concepts without a hearing",
            )
            .items(more.into_iter().map(|c| c.to_string())));
        }
        Err(Refusal::new(
            Code::Governance,
            "ordforrådet kræver en høring, og kladden har ikke været hørt",
            "the vocabulary takes a hearing, and the draft has not been heard",
        ))
    }

    /// The concepts of which it changes more than a small change may: what they are called, how they are defined,
    /// where they stand, or whether they are there.
    #[must_use]
    pub fn more_than_minor(&self) -> Vec<Uuid> {
        use ConceptChangeKind::{Edited, Remapped, Reordered};
        let slight = |kind: &ConceptChangeKind| matches!(kind, Edited | Remapped | Reordered);
        self.changes().into_iter().filter(|c| !c.kinds.iter().all(slight)).map(|c| c.uuid).collect()
    }

    /// Refuses a draft that says nothing else than the version below.
    ///
    /// # Errors
    /// [`Code::EmptyDraft`].
    pub fn changes_something(&self) -> Result<()> {
        if self.proposals.values().any(Proposal::differs) {
            return Ok(());
        }
        let (da, en) = (
            "kladden er tom: den siger det samme som den version, den ligger over",
            "the draft is empty: it says the same as the version that it lies over",
        );
        Err(Refusal::new(Code::EmptyDraft, da, en))
    }

    /// The decision that may be carried out.
    #[must_use]
    pub fn adopted(&self) -> Option<&Decision> {
        self.decisions.last().filter(|_| self.phase == Phase::Adopted)
    }

    /// Whether, under the rule of four eyes, `by` may publish content of a digest: the one who is the second pair.
    ///
    /// # Errors
    /// [`Code::FourEyes`] when nobody but an author has looked at it.
    pub fn second_eyes(&self, by: &Author, digest: Digest) -> Result<Author> {
        let authors = self.authors();
        let eyes = |who: &Author| matches!(who, Author::Account(_) | Author::Operator(_)) && !authors.contains(who);
        if eyes(by) {
            return Ok(by.clone());
        }
        let approved =
            self.approvals.iter().rev().find(|a| a.digest == digest && a.stamp.by != *by && eyes(&a.stamp.by));
        approved.map(|a| a.stamp.by.clone()).ok_or_else(|| {
            Refusal::new(
                Code::FourEyes,
                "den, der har skrevet kladden, kan ikke udgive den alene; en anden skal godkende netop dette indhold",
                "who wrote the draft cannot publish it alone; somebody else must approve exactly this content",
            )
        })
    }

    fn need(&self, phases: &[Phase]) -> Result<()> {
        if phases.contains(&self.phase) {
            return Ok(());
        }
        Err(out_of_turn(
            format!("det kan ikke gøres, når kladden er »{}«", self.phase),
            format!("this cannot be done while the draft is '{}'", self.phase),
        )
        .allowed(phases.iter().map(|p| p.as_str())))
    }

    fn taken(&mut self, stamp: &Stamp, step: DraftStep) -> Result<()> {
        match step {
            DraftStep::Opened { .. } => Err(out_of_turn("kladden er åbnet", "the draft has been opened")),
            DraftStep::Described { title, purpose, group } => {
                self.need(Phase::OPEN)?;
                (self.title, self.purpose, self.group) = (title, purpose, group);
                Ok(())
            }
            DraftStep::Edited { kind, reason, because, effects } => {
                self.need(Phase::EDITABLE)?;
                if matches!(kind, EditKind::Undo | EditKind::Rebase) {
                    return Err(out_of_turn("det er et skridt for sig", "that is a step of its own"));
                }
                self.because(because)?;
                self.edit(stamp, kind, reason, because, effects, None)
            }
            DraftStep::Undone { edit, reason } => {
                self.need(Phase::EDITABLE)?;
                self.undo(stamp, edit, reason)
            }
            DraftStep::Rebased { onto, reason, merged } => {
                self.need(Phase::EDITABLE)?;
                self.rebase(stamp, onto, reason, merged)
            }
            DraftStep::Commented { thread, topic, text } => {
                self.need(Phase::OPEN)?;
                self.comment(stamp, thread, topic, text)
            }
            DraftStep::Settled { thread, settled } => {
                self.need(Phase::OPEN)?;
                let stamp = settled.then(|| stamp.clone());
                self.thread(thread)?.settled = stamp;
                Ok(())
            }
            DraftStep::SentToReview => {
                self.need(&[Phase::Drafting])?;
                self.phase = Phase::InReview;
                Ok(())
            }
            DraftStep::Held { reason } => {
                self.need(Phase::EDITABLE)?;
                self.without_a_planned_hearing()?;
                self.rests = Some(self.phase);
                self.go(stamp, Phase::OnHold, reason);
                Ok(())
            }
            DraftStep::Resumed { reason } => {
                self.need(&[Phase::OnHold])?;
                let back = self.rests.take().unwrap_or(Phase::Drafting);
                self.go(stamp, back, reason);
                Ok(())
            }
            DraftStep::Withdrawn { reason } => {
                self.need(&[
                    Phase::Drafting,
                    Phase::InReview,
                    Phase::Heard,
                    Phase::OnHold,
                    Phase::Recommended,
                    Phase::Adopted,
                ])?;
                self.without_a_planned_hearing()?;
                self.go(stamp, Phase::Withdrawn, reason);
                Ok(())
            }
            DraftStep::HearingPlanned { hearing, plan } => {
                self.need(Phase::EDITABLE)?;
                self.without_a_hearing()?;
                if self.hearings.iter().any(|h| h.uuid == hearing) {
                    return Err(out_of_turn("den høring er der", "that hearing is there"));
                }
                self.hearings.push(Hearing::planned(hearing, stamp, plan)?);
                // A hearing may open at once.
                self.advance(stamp.at);
                Ok(())
            }
            DraftStep::HearingCompleted { hearing } => {
                self.need(&[Phase::Heard])?;
                self.hearing_mut(hearing)?.complete(stamp)
            }
            DraftStep::Disposed { hearing, answer, item, ruling, reason, edits } => {
                self.need(&[Phase::InHearing, Phase::Heard])?;
                if let Some(wrong) = edits.iter().find(|e| **e == 0 || **e > self.edits.len()) {
                    return Err(no("edit", &wrong.to_string()));
                }
                self.hearing_mut(hearing)?.dispose(stamp, answer, item, ruling, reason, edits)
            }
            DraftStep::HearingReplanned { hearing, plan } => {
                self.need(Phase::EDITABLE)?;
                self.hearing_mut(hearing)?.replan(stamp, plan)?;
                self.advance(stamp.at);
                Ok(())
            }
            DraftStep::HearingCancelled { hearing, reason } => {
                self.need(&[Phase::Drafting, Phase::InReview, Phase::Heard, Phase::InHearing])?;
                self.hearing_mut(hearing)?.cancel(stamp, reason)?;
                if self.phase == Phase::InHearing {
                    let heard = self.hearings.iter().any(|h| h.completed.is_some());
                    self.phase = if heard { Phase::Heard } else { Phase::Drafting };
                }
                Ok(())
            }
            DraftStep::HearingOpened { hearing } => self.hearing_mut(hearing)?.tell_opened(stamp),
            DraftStep::HearingClosed { hearing } => self.hearing_mut(hearing)?.tell_closed(stamp),
            DraftStep::HearingReminded { hearing } => self.hearing_mut(hearing)?.remind(stamp),
            DraftStep::HearingExtended { hearing, deadline, reason } => {
                self.need(&[Phase::Drafting, Phase::InReview, Phase::Heard, Phase::InHearing])?;
                // It is open again then, and so the draft is frozen again.
                let again = self.hearing(hearing)?.stage(stamp.at) == HearingStage::Closed;
                if again {
                    self.need_untouched(hearing)?;
                }
                self.hearing_mut(hearing)?.extend(stamp, deadline, reason)?;
                if again {
                    self.phase = Phase::InHearing;
                }
                Ok(())
            }
            DraftStep::PartyInvited { hearing, party } => {
                self.need(&[Phase::Drafting, Phase::InReview, Phase::Heard, Phase::InHearing])?;
                self.hearing_mut(hearing)?.invite(stamp, party)
            }
            DraftStep::Answered { hearing, answer } => {
                self.need(&[Phase::InHearing, Phase::Heard])?;
                self.hearing_mut(hearing)?.answer(stamp, answer)
            }
            DraftStep::AnswerWithdrawn { hearing, answer } => {
                self.need(&[Phase::InHearing, Phase::Heard])?;
                self.hearing_mut(hearing)?.withdraw(stamp, answer)
            }
            DraftStep::Recommended { recommendation, committee, text, after_hearing, digest, concepts } => {
                self.need(Phase::EDITABLE)?;
                self.without_a_hearing()?;
                self.changes_something()?;
                let (stamp, edits) = (stamp.clone(), self.edits.len());
                let from = self.phase;
                self.recommendations.push(Recommendation {
                    uuid: recommendation,
                    stamp,
                    committee,
                    text,
                    after_hearing,
                    digest,
                    concepts,
                    edits,
                    from,
                    recalled: None,
                });
                self.phase = Phase::Recommended;
                Ok(())
            }
            DraftStep::Recalled { reason } => {
                self.need(&[Phase::Recommended])?;
                if let Some(last) = self.recommendations.last_mut() {
                    self.phase = last.from;
                    last.recalled = Some((stamp.clone(), reason));
                }
                Ok(())
            }
            DraftStep::Decided { decision } => {
                self.need(&[Phase::Recommended])?;
                let last = self.recommendations.last().ok_or_else(|| no("recommendation", ""))?;
                if last.digest != decision.digest || last.uuid != decision.recommendation {
                    return Err(other_content(last.digest, decision.digest));
                }
                let same = |d: &Decision| d.meeting == decision.meeting && d.item == decision.item;
                if self.decisions.iter().any(same) {
                    return Err(out_of_turn(
                        "det punkt har mødet besluttet; et nyt møde er vejen",
                        "the meeting has decided that item; a new meeting is the way",
                    ));
                }
                self.phase = match decision.outcome {
                    Outcome::Adopted | Outcome::AdoptedWithRemarks => Phase::Adopted,
                    Outcome::Returned => last.from,
                    Outcome::Rejected => Phase::Rejected,
                };
                self.decisions.push(decision);
                Ok(())
            }
            DraftStep::Approved { digest } => {
                self.need(&[Phase::Drafting, Phase::InReview, Phase::Heard, Phase::Adopted])?;
                if self.authors().contains(&stamp.by) {
                    return Err(Refusal::new(
                        Code::FourEyes,
                        "den, der har skrevet med, kan ikke være det andet par øjne",
                        "who wrote part of it cannot be the second pair of eyes",
                    ));
                }
                self.approvals.push(Approval { stamp: stamp.clone(), digest });
                Ok(())
            }
            DraftStep::Published { publication } => {
                match self.adopted() {
                    Some(decision) if decision.digest != publication.digest => {
                        return Err(other_content(decision.digest, publication.digest));
                    }
                    Some(decision) if publication.decision != Some(decision.uuid) => {
                        return Err(no("decision", &format!("{:?}", publication.decision)));
                    }
                    Some(decision) if decision.effective.is_some_and(|e| e != publication.effective) => {
                        return Err(Refusal::new(
                            Code::OtherContent,
                            "det er besluttet, at versionen gælder fra et andet tidspunkt",
                            "it was decided that the version is in force from another instant",
                        )
                        .at(Place::field("effective")));
                    }
                    Some(_) => {}
                    // Where no decision is needed; the registry asks for the governance.
                    None if publication.decision.is_none() => {
                        self.need(Phase::EDITABLE)?;
                        self.without_a_hearing()?;
                    }
                    None => self.need(&[Phase::Adopted])?,
                }
                self.publication = Some(publication);
                self.phase = Phase::Published;
                Ok(())
            }
        }
    }

    fn without_a_planned_hearing(&self) -> Result<()> {
        match self.hearings.last() {
            Some(h) if h.snapshot.is_none() && !h.is_cancelled() => Err(out_of_turn(
                format!("høringen {} er planlagt; aflys den først", h.uuid),
                format!("the hearing {} is planned; cancel it first", h.uuid),
            )),
            _ => Ok(()),
        }
    }

    /// Who was asked gets replies: what is heard, or is to be, comes to its end first.
    fn without_a_hearing(&self) -> Result<()> {
        self.without_a_planned_hearing()?;
        match self.hearings.iter().find(|h| !h.is_over()) {
            Some(open) => Err(out_of_turn(
                format!("høringen {} er ikke afsluttet", open.uuid),
                format!("the hearing {} is not completed", open.uuid),
            )),
            None => Ok(()),
        }
    }

    fn go(&mut self, stamp: &Stamp, to: Phase, reason: Prose) {
        self.moves.push(Move { stamp: stamp.clone(), to, reason });
        self.phase = to;
    }

    /// A hearing whose draft was edited since cannot go on as if it had not been.
    fn need_untouched(&self, hearing: Uuid) -> Result<()> {
        if self.hearing(hearing)?.snapshot == Some(self.edits.len()) {
            return Ok(());
        }
        Err(out_of_turn(
            "kladden er redigeret siden høringen; en ny høring er vejen",
            "the draft was edited since the hearing; a new hearing is the way",
        ))
    }

    fn hearing_mut(&mut self, uuid: Uuid) -> Result<&mut Hearing> {
        self.hearings.iter_mut().find(|h| h.uuid == uuid).ok_or_else(|| no("hearing", &uuid.to_string()))
    }

    fn because(&self, because: Option<Because>) -> Result<()> {
        if let Some(Because::Answer { hearing, answer, item }) = because {
            self.hearing(hearing)?.item(answer, item)?;
        }
        Ok(())
    }

    fn edit(
        &mut self,
        stamp: &Stamp,
        kind: EditKind,
        reason: Prose,
        because: Option<Because>,
        effects: Vec<Effect>,
        undoes: Option<usize>,
    ) -> Result<()> {
        if self.edits.len() >= MOST {
            return Err(Refusal::new(
                Code::TooLarge,
                "kladden har for mange rettelser",
                "the draft has too many edits",
            ));
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = effects.iter().find(|e| !seen.insert(e.concept)) {
            let (da, en) = ("ét begreb er nævnt to gange", "one concept is named twice");
            return Err(Refusal::new(Code::Unlawful, da, en).at(Place::field(twice.concept.to_string())));
        }
        for effect in &effects {
            if let Some(known) = self.proposals.get(&effect.concept)
                && known.content != effect.before
            {
                let (da, en) = ("begrebet er ændret imens", "the concept was changed meanwhile");
                return Err(Refusal::new(Code::Conflict, da, en).at(Place::field(effect.concept.to_string())));
            }
        }
        let number = self.edits.len() + 1;
        for effect in &effects {
            let first = || Proposal { base: effect.before.clone(), content: None, edit: number };
            let proposal = self.proposals.entry(effect.concept).or_insert_with(first);
            proposal.content.clone_from(&effect.after);
            proposal.edit = number;
        }
        let (stamp, effects) = (stamp.clone(), effects.into());
        self.edits.push(Edit { stamp, kind, reason, because, effects, undone: None, undoes });
        Ok(())
    }

    fn undo(&mut self, stamp: &Stamp, number: usize, reason: Prose) -> Result<()> {
        let edit =
            number.checked_sub(1).and_then(|i| self.edits.get(i)).ok_or_else(|| no("edit", &number.to_string()))?;
        if edit.undone.is_some() || edit.kind == EditKind::Rebase {
            let (da, en) = ("den rettelse kan ikke tages tilbage", "that edit cannot be taken back");
            return Err(out_of_turn(da, en));
        }
        if let Some(onto) = edit.effects.iter().filter_map(|e| self.laid.get(&e.concept)).find(|onto| **onto > number) {
            // What it was before would silently undo what that version says.
            return Err(Refusal::new(
                Code::Conflict,
                "kladden er siden lagt over en version, der siger noget andet om begrebet; ret det i stedet",
                "the draft was since laid over a version that says something else of the concept; edit it instead",
            )
            .items([onto.to_string()]));
        }
        let mut effects = Vec::new();
        let mut later = BTreeSet::new();
        for effect in edit.effects.iter() {
            let known = self.proposals.get(&effect.concept).ok_or_else(|| not_there(effect.concept))?;
            if known.content != effect.after {
                later.insert(known.edit);
            }
            effects.push(Effect {
                concept: effect.concept,
                before: effect.after.clone(),
                after: effect.before.clone(),
            });
        }
        if !later.is_empty() {
            return Err(Refusal::new(
                Code::Conflict,
                "senere rettelser har ændret de samme begreber; tag dem tilbage først",
                "later edits changed the same concepts; take them back first",
            )
            .items(later.into_iter().map(|n| n.to_string())));
        }
        let (redone, because) = (edit.undoes, edit.because);
        self.edit(stamp, EditKind::Undo, reason, because, effects, Some(number))?;
        self.edits[number - 1].undone = Some(self.edits.len());
        if redone.is_some() {
            self.mark_undone();
        }
        Ok(())
    }

    /// Marks what is taken back: an edit of which a taking back stands. What was taken back takes nothing back.
    fn mark_undone(&mut self) {
        self.edits.iter_mut().for_each(|e| e.undone = None);
        for number in (1..=self.edits.len()).rev() {
            // Everything that could take this one back is later, and is marked already.
            let edit = &self.edits[number - 1];
            if let Some(of) = edit.undoes.filter(|_| edit.undone.is_none()) {
                self.edits[of - 1].undone.get_or_insert(number);
            }
        }
    }

    fn rebase(&mut self, stamp: &Stamp, onto: Base, reason: Prose, merged: Vec<Merged>) -> Result<()> {
        let touched: BTreeSet<Uuid> = merged.iter().map(|m| m.concept).collect();
        if touched.len() != merged.len() || !self.proposals.keys().eq(touched.iter()) {
            return Err(out_of_turn(
                "hvert begreb i kladden skal være med, og kun de",
                "every concept of the draft must be there, and no other",
            ));
        }
        let effects = merged.iter().filter_map(|m| {
            let before = &self.proposals[&m.concept].content;
            (*before != m.content).then(|| Effect {
                concept: m.concept,
                before: before.clone(),
                after: m.content.clone(),
            })
        });
        let effects: Vec<Effect> = effects.collect();
        self.edit(stamp, EditKind::Rebase, reason, None, effects, None)?;
        for m in merged {
            if let Some(proposal) = self.proposals.get_mut(&m.concept)
                && proposal.base != m.base
            {
                proposal.base = m.base;
                self.laid.insert(m.concept, self.edits.len());
            }
        }
        self.base = Some(onto);
        Ok(())
    }

    fn thread(&mut self, number: usize) -> Result<&mut Thread> {
        let found = number.checked_sub(1).and_then(|i| self.threads.get_mut(i));
        found.ok_or_else(|| no("thread", &number.to_string()))
    }

    fn comment(&mut self, stamp: &Stamp, thread: Option<usize>, topic: Topic, text: Prose) -> Result<()> {
        if self.steps >= 2 * MOST as i64 {
            return Err(Refusal::new(Code::TooLarge, "der er for mange kommentarer", "there are too many comments"));
        }
        if topic.field.is_some() && topic.concept.is_none() {
            let (da, en) = ("et felt hører til et begreb", "a field belongs to a concept");
            return Err(Refusal::new(Code::Unlawful, da, en).at(Place::field("topic.field")));
        }
        let comment = Comment { stamp: stamp.clone(), text };
        match thread {
            Some(number) => {
                let thread = self.thread(number)?;
                thread.comments.push(comment);
                thread.settled = None;
            }
            None => self.threads.push(Thread { topic, comments: vec![comment], settled: None }),
        }
        Ok(())
    }
}

/// The refusal for something that a draft does not have.
pub(super) fn no(what: &str, which: &str) -> Refusal {
    let (da, en) = (format!("der er ingen {which}"), format!("there is no {which}"));
    Refusal::new(Code::NotFound, da, en).at(Place::field(what))
}

fn other_content(right: Digest, wrong: Digest) -> Refusal {
    Refusal::new(
        Code::OtherContent,
        format!("indholdet {wrong} er ikke det, der blev indstillet og besluttet: {right}"),
        format!("the content {wrong} is not the one that was recommended and decided: {right}"),
    )
    .at(Place::field("digest"))
}
