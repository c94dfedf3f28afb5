//! A draft: a change set over a version, from its first edit to its publication.

mod edits;
mod gates;
mod meaning;
mod step;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use self::edits::Why;
pub use self::step::DraftStep;
use super::{
    Author, Comment, Decision, Edit, EditKind, Hearing, HearingStage, Line, Matter, Outcome, Phase, Proposal, Prose,
    Recommendation, Stamp, Thread, Topic, out_of_turn,
};
use crate::model::{ChangeKind, Code, ConceptChange, Content, Digest, Instant, Label, Place, Refusal, Result, diff};

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
        step.kind()
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
        let meanings = self.meanings(self.edits.len());
        let told = |change: ConceptChange| {
            let uuid = change.uuid;
            change.meaning(|| meanings.get(&uuid).copied())
        };
        diff(&pairs).into_iter().map(told).collect()
    }

    /// The decision that may be carried out.
    #[must_use]
    pub fn adopted(&self) -> Option<&Decision> {
        self.decisions.last().filter(|_| self.phase == Phase::Adopted)
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
            DraftStep::Edited { kind, reason, because, meaning, effects } => {
                self.need(Phase::EDITABLE)?;
                if matches!(kind, EditKind::Undo | EditKind::Rebase) {
                    return Err(out_of_turn("det er et skridt for sig", "that is a step of its own"));
                }
                self.because(because)?;
                self.has_a_meaning(meaning, &effects)?;
                self.edit(stamp, Why { kind, reason, because, meaning, undoes: None }, effects)
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

    fn go(&mut self, stamp: &Stamp, to: Phase, reason: Prose) {
        self.moves.push(Move { stamp: stamp.clone(), to, reason });
        self.phase = to;
    }

    fn hearing_mut(&mut self, uuid: Uuid) -> Result<&mut Hearing> {
        self.hearings.iter_mut().find(|h| h.uuid == uuid).ok_or_else(|| no("hearing", &uuid.to_string()))
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
