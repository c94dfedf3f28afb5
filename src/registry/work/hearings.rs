//! Hearings: planning and steering them, and what is shown of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::Registry;
use super::super::pages::{Paged, Pages};
use super::super::permission::{Actor, Command, Visitor, permit, permit_answer};
use super::answering::Written;
use super::answers::fields;
use super::answers_hearing::{AnswerAnswer, HeardAnswer, HearingAnswer, HearingSummary, QUESTIONS};
use super::edits::{instant, unknown};
use super::{Under, none};
use crate::exchange::paper::{Changed, DiffPaper, Reading};
use crate::model::{ConceptChange, Content, Instant, Meaning, Result, Side, Vocabulary, diff, new_uuid};
use crate::store::ErrandKind;
use crate::workflow::{
    Audience, Draft, DraftStep, Hearing, HearingPlan, HearingStage, Line, Prose, Readable, Stamp, capped,
};

/// How long a hearing is when nothing else is said, in days.
const FOUR_WEEKS: i64 = 28;

/// An instant so many days after another.
pub(super) fn days_after(at: Instant, days: i64) -> Instant {
    Instant::from_micros(at.micros().saturating_add(days * 86_400_000_000))
}

/// A hearing to plan, or to plan otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HearingRequest {
    /// What it is called.
    pub title: Line,
    /// The hearing letter (høringsbrev).
    pub letter: Prose,
    /// Who may answer.
    pub audience: Audience,
    /// When answers can be read by all; after the deadline when absent.
    #[serde(default)]
    pub readable: Option<Readable>,
    /// When it opens; at once when absent.
    #[serde(default)]
    pub opens: Option<String>,
    /// The deadline: the first instant that is too late; four weeks after it opens when absent.
    #[serde(default)]
    pub deadline: Option<String>,
    /// The concepts that are asked about, by uuid, notation or alias; all that the draft changes when absent.
    #[serde(default)]
    pub concepts: Vec<String>,
}

/// A concept as it was heard.
#[derive(Clone, PartialEq, Debug)]
pub struct Heard {
    /// The concept.
    pub concept: Uuid,
    /// What the version below said.
    pub before: Option<Arc<Content>>,
    /// What the draft said.
    pub after: Option<Arc<Content>>,
    /// Of one that is redefined: whether it means something else, as was said by then.
    pub meaning: Option<Meaning>,
}

/// The typed changes of what is heard.
fn changes(heard: &[Heard]) -> Vec<ConceptChange> {
    let pairs: Vec<_> = heard.iter().map(|h| (h.concept, h.before.as_deref(), h.after.as_deref())).collect();
    let said: BTreeMap<Uuid, Option<Meaning>> = heard.iter().map(|h| (h.concept, h.meaning)).collect();
    let told = |change: ConceptChange| {
        let uuid = change.uuid;
        change.meaning(|| said.get(&uuid).copied().flatten())
    };
    diff(&pairs).into_iter().map(told).collect()
}

impl Heard {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> String {
        self.after.as_ref().or(self.before.as_ref()).map_or_else(|| self.concept.to_string(), |c| name_of(c))
    }
}

/// A hearing with all that it is a part of, as readings have it.
pub(super) struct Sight {
    pub(super) draft: Arc<Draft>,
    pub(super) hearing: Hearing,
    pub(super) vocabulary: Arc<Vocabulary>,
    pub(super) now: Instant,
}

impl Registry {
    /// A hearing, whoever asks.
    pub(super) fn any_hearing(&self, uuid: Uuid) -> Result<Sight> {
        let draft = self.snapshot().matters.whole_of(uuid).ok_or_else(|| none(uuid))?;
        let draft = self.matter::<Draft>(draft)?;
        let hearing = draft.hearing(uuid)?.clone();
        let vocabulary = self.vocabulary_by(draft.vocabulary)?;
        // No reading is before what it reads: two writes within a microsecond are a microsecond apart.
        let now = self.clock.now().max(draft.last.at);
        Ok(Sight { draft, hearing, vocabulary, now })
    }

    /// A hearing, for one who may see it.
    ///
    /// # Errors
    /// [`Code::NotFound`], also when it is not for their eyes.
    pub(super) fn sight(&self, visitor: &Visitor, uuid: Uuid) -> Result<Sight> {
        let sight = self.any_hearing(uuid)?;
        if sight.seen(visitor) { Ok(sight) } else { Err(none(uuid)) }
    }

    /// The draft of a hearing under the lock, with what the clock did told: then nothing is told out of its order.
    pub(super) async fn hearing_for(&self, actor: &Actor, uuid: Uuid, command: Command) -> Result<Under<Draft>> {
        let draft = self.any_hearing(uuid)?.draft;
        permit(actor, command, Some(&*self.vocabulary_by(draft.vocabulary)?))?;
        let mut under = self.draft_for(actor, draft.uuid, command).await?;
        tell(&mut under).await?;
        Ok(under)
    }

    /// Plans a hearing of a draft; it opens by itself.
    ///
    /// # Errors
    /// [`Code::Phase`] when another is planned or not completed, [`Code::Unlawful`], [`Code::UnknownConcept`].
    pub async fn plan_hearing(&self, actor: &Actor, draft: Uuid, request: HearingRequest) -> Result<HearingAnswer> {
        let mut under = self.draft_for(actor, draft, Command::HoldHearing).await?;
        let plan = self.plan_of(&under, request)?;
        let hearing = new_uuid(self.dice())?;
        under.step(DraftStep::HearingPlanned { hearing, plan }).await?;
        self.steered(under, actor, hearing).await
    }

    /// Plans a hearing otherwise that has not opened.
    ///
    /// # Errors
    /// As [`Registry::plan_hearing`]; [`Code::NotFound`].
    pub async fn replan_hearing(&self, actor: &Actor, hearing: Uuid, request: HearingRequest) -> Result<HearingAnswer> {
        let mut under = self.hearing_for(actor, hearing, Command::HoldHearing).await?;
        let plan = self.plan_of(&under, request)?;
        under.step(DraftStep::HearingReplanned { hearing, plan }).await?;
        self.steered(under, actor, hearing).await
    }

    /// Calls a hearing off before its deadline.
    ///
    /// # Errors
    /// [`Code::NotFound`], [`Code::Phase`].
    pub async fn cancel_hearing(&self, actor: &Actor, hearing: Uuid, reason: Prose) -> Result<HearingAnswer> {
        let mut under = self.hearing_for(actor, hearing, Command::HoldHearing).await?;
        under.step(DraftStep::HearingCancelled { hearing, reason }).await?;
        self.steered(under, actor, hearing).await
    }

    /// Moves the deadline of a hearing out; the draft is frozen again if it was over.
    ///
    /// # Errors
    /// [`Code::NotFound`], [`Code::Phase`], [`Code::Unlawful`] when it is not later.
    pub async fn extend_hearing(
        &self,
        actor: &Actor,
        hearing: Uuid,
        deadline: &str,
        reason: Prose,
    ) -> Result<HearingAnswer> {
        let deadline = instant(deadline, "deadline")?;
        let mut under = self.hearing_for(actor, hearing, Command::HoldHearing).await?;
        under.step(DraftStep::HearingExtended { hearing, deadline, reason }).await?;
        self.steered(under, actor, hearing).await
    }

    /// Ends a hearing in which every item has its reply.
    ///
    /// # Errors
    /// [`Code::Phase`] with the items that have none.
    pub async fn complete_hearing(&self, actor: &Actor, hearing: Uuid) -> Result<HearingAnswer> {
        let mut under = self.hearing_for(actor, hearing, Command::HoldHearing).await?;
        under.step(DraftStep::HearingCompleted { hearing }).await?;
        // Its links lead nowhere from now on.
        for (party, _) in under.matter.hearing(hearing)?.parties.clone() {
            under.write.drop_errands(under.uuid, party.uuid, ErrandKind::PartyLink).await?;
        }
        self.steered(under, actor, hearing).await
    }

    async fn steered(&self, mut under: Under<Draft>, actor: &Actor, hearing: Uuid) -> Result<HearingAnswer> {
        tell(&mut under).await?;
        self.settle(under.write).await?;
        self.hearing(&actor.clone().into(), hearing)
    }

    fn plan_of(&self, under: &Under<Draft>, request: HearingRequest) -> Result<HearingPlan> {
        let at = under.stamp.at;
        let opens = request.opens.map_or(Ok(at), |text| instant(&text, "opens"))?;
        let deadline = request.deadline.map_or(Ok(days_after(opens, FOUR_WEEKS)), |text| instant(&text, "deadline"))?;
        // Before each is looked for.
        capped("concepts", request.concepts.len(), Hearing::MOST_ASKED)?;
        let desk = self.desk(&under.matter)?;
        let (mut concepts, mut seen) = (Vec::new(), BTreeSet::new());
        for key in &request.concepts {
            let found = desk.find(key).ok_or_else(|| unknown(key))?;
            if seen.insert(found) {
                concepts.push(found);
            }
        }
        Ok(HearingPlan {
            title: request.title,
            letter: request.letter,
            audience: request.audience,
            readable: request.readable.unwrap_or(Readable::AfterDeadline),
            opens,
            deadline,
            concepts,
        })
    }

    /// The hearings that somebody may see: those that are open first, and of each the one with the latest deadline.
    ///
    /// # Errors
    /// [`Code::NotFound`] for a draft that is not there.
    pub fn hearings(&self, visitor: &Visitor, of: Option<Uuid>, paging: &Pages) -> Result<Paged<HearingSummary>> {
        if let (Some(draft), Visitor::Actor(actor)) = (of, visitor) {
            self.draft(actor, draft)?;
        }
        let (snapshot, now) = (self.snapshot(), self.clock.now());
        let mut found = Vec::new();
        for draft in snapshot.matters.all::<Draft>().filter(|d| of.is_none_or(|of| d.uuid == of)) {
            let vocabulary = self.vocabulary_by(draft.vocabulary)?;
            let now = now.max(draft.last.at);
            for hearing in draft.hearings() {
                let sight =
                    Sight { draft: draft.clone(), hearing: hearing.clone(), vocabulary: vocabulary.clone(), now };
                if sight.seen(visitor) {
                    found.push(sight.summary(visitor));
                }
            }
        }
        // The latest deadline first, and before all of them those that are open.
        let open = |h: &HearingSummary| if h.stage == HearingStage::Open { i64::MIN / 2 } else { 0 };
        paging.cut(found, |h| (open(h).saturating_sub(h.deadline.micros()), h.uuid))
    }

    /// A hearing, with what is heard.
    ///
    /// # Errors
    /// [`Code::NotFound`], also when it is not for their eyes.
    pub fn hearing(&self, visitor: &Visitor, uuid: Uuid) -> Result<HearingAnswer> {
        let sight = self.sight(visitor, uuid)?;
        let heard = self.heard(&sight.draft, &sight.hearing)?;
        let mut changes: BTreeMap<Uuid, _> =
            changes(&heard).into_iter().map(|c| (c.uuid, (c.kinds, c.meaning))).collect();
        let heard = heard.iter().map(|h| {
            let (kinds, meaning) = changes.remove(&h.concept).unwrap_or_default();
            let (before, after) = (fields(h.before.as_deref()), fields(h.after.as_deref()));
            HeardAnswer { uuid: h.concept, name: h.name(), kinds, meaning, before, after }
        });
        let hearing = &sight.hearing;
        // What the clock has opened is frozen, whether that is told yet or not.
        let opened = matches!(hearing.stage(sight.now), HearingStage::Open | HearingStage::Closed);
        Ok(HearingAnswer {
            summary: sight.summary(visitor),
            letter: hearing.plan.letter.to_string(),
            planned: (&hearing.stamp).into(),
            extensions: hearing.extensions.iter().map(Into::into).collect(),
            completed: hearing.completed.as_ref().map(Into::into),
            cancelled: hearing.cancelled.as_ref().map(|(stamp, why)| (stamp.into(), why.to_string())),
            snapshot: hearing.snapshot.or_else(|| opened.then(|| sight.draft.edits().len())),
            questions: QUESTIONS.to_vec(),
            heard: heard.collect(),
        })
    }

    /// What differs between the version below and what is heard, word by word.
    ///
    /// # Errors
    /// As [`Registry::hearing`].
    pub fn hearing_diff(&self, visitor: &Visitor, uuid: Uuid) -> Result<DiffPaper> {
        let sight = self.sight(visitor, uuid)?;
        let heard = self.heard(&sight.draft, &sight.hearing)?;
        let changes = changes(&heard);
        let sides: BTreeMap<Uuid, &Heard> = heard.iter().map(|h| (h.concept, h)).collect();
        let changed = changes.iter().map(|change| {
            let sides = sides.get(&change.uuid);
            let side = |of: fn(&Heard) -> Option<&Content>| sides.and_then(|h| of(h));
            Changed { change, before: side(|h| h.before.as_deref()), after: side(|h| h.after.as_deref()) }
        });
        let desk = self.desk(&sight.draft)?;
        let name = |u: Uuid| desk.name(u).unwrap_or_else(|| Side { notation: None, label: u.to_string() });
        let opens = sight.hearing.plan.opens;
        let base = sight.draft.base.as_ref().map(|b| b.label.to_string());
        let before = Reading { at: desk.version.as_ref().map_or(opens, |v| v.effective), label: base };
        let after = Reading { at: opens, label: Some(sight.draft.title.to_string()) };
        let title = sight.vocabulary.fields().titles.first().map(|t| t.text.clone()).unwrap_or_default();
        Ok(DiffPaper::new(title, before, after, &changed.collect::<Vec<_>>(), &name))
    }

    /// The answer of a visitor that stands, and the one that they are writing.
    ///
    /// # Errors
    /// As [`Registry::answers`].
    pub async fn own_answers(
        &self,
        visitor: &Visitor,
        hearing: Uuid,
    ) -> Result<(Option<AnswerAnswer>, Option<AnswerAnswer>)> {
        let sight = self.sight(visitor, hearing)?;
        let stands = sight.hearing.standing().find(|a| visitor.wrote(a));
        let stands = stands.map(|a| AnswerAnswer::new(&sight.hearing, a, sight.shows_replies(visitor)));
        let errand = self.own_draft(visitor, sight.draft.uuid, hearing).await?;
        let written = errand.map(|e| Written::of(&e).map(|w| w.answer(e.uuid))).transpose()?;
        Ok((stands, written))
    }

    /// Whether a visitor may answer under a name that is known, and so needs to confirm no mail address.
    ///
    /// # Errors
    /// What `permit_answer` refuses; [`Code::NotFound`].
    pub fn may_answer(&self, visitor: &Visitor, hearing: Uuid) -> Result<()> {
        let sight = self.sight(visitor, hearing)?;
        permit_answer(visitor, &sight.vocabulary, &sight.draft, &sight.hearing, sight.now)
    }

    /// What a hearing is about, as it was when it opened; as it is now when it has not. In the order of the codes.
    pub(super) fn heard(&self, draft: &Draft, hearing: &Hearing) -> Result<Vec<Heard>> {
        let now = || draft.proposals().iter().map(|(u, p)| (*u, p.content.clone())).collect();
        let said: BTreeMap<Uuid, Option<Arc<Content>>> = match hearing.snapshot {
            Some(edits) => draft.moment(edits)?,
            None => now(),
        };
        let before = |u: &Uuid| match hearing.snapshot {
            Some(_) => hearing.below.get(u).cloned(),
            None => draft.proposals().get(u).map(|p| p.base.clone()),
        };
        let asked: BTreeSet<Uuid> = match hearing.plan.concepts.as_slice() {
            [] => said.keys().filter(|u| before(u).is_some_and(|b| Some(&b) != said.get(u))).copied().collect(),
            some => some.iter().copied().collect(),
        };
        let desk = self.desk(draft)?;
        let meanings = draft.meanings(hearing.snapshot.unwrap_or(draft.edits().len()));
        let heard = asked.into_iter().map(|concept| {
            let after = said.get(&concept).cloned().unwrap_or_else(|| desk.below(concept));
            // What the draft did not touch stands as it stood.
            let before = before(&concept).unwrap_or_else(|| after.clone());
            let meaning = meanings.get(&concept).copied();
            Heard { concept, before, after, meaning }
        });
        let mut heard: Vec<Heard> = heard.collect();
        heard.sort_by_cached_key(|h| (h.name(), h.concept));
        Ok(heard)
    }
}

impl Sight {
    fn seen(&self, visitor: &Visitor) -> bool {
        visitor.sees(&self.vocabulary, &self.hearing, self.now)
    }

    pub(super) fn summary(&self, visitor: &Visitor) -> HearingSummary {
        let hearing = &self.hearing;
        let read = |a: &&crate::workflow::AnswerState| visitor.reads(&self.vocabulary, hearing, a, self.now);
        HearingSummary {
            uuid: hearing.uuid,
            draft: self.draft.uuid,
            vocabulary: self.vocabulary.slug().clone(),
            title: hearing.plan.title.to_string(),
            audience: hearing.plan.audience,
            readable: hearing.plan.readable,
            stage: hearing.stage(self.now),
            opens: hearing.plan.opens,
            deadline: hearing.plan.deadline,
            parties: hearing.parties.len(),
            answers: hearing.standing().filter(read).count(),
        }
    }
}

/// What content is called: notation and preferred term.
fn name_of(content: &Content) -> String {
    match &content.fields().notation {
        Some(notation) => format!("{notation} {}", content.label("da")),
        None => content.label("da").to_owned(),
    }
}

/// Lays down what the clock did to the hearings of a draft and nobody has told; whether there was anything.
pub(super) async fn tell(under: &mut Under<Draft>) -> Result<bool> {
    let stamp = Stamp { at: under.stamp.at, by: crate::workflow::Author::Clock };
    let mut told = false;
    for hearing in under.matter.hearings().iter().map(|h| h.uuid).collect::<Vec<_>>() {
        let untold = under.matter.hearing(hearing)?.untold(stamp.at);
        let steps = [
            untold.opened.then_some(DraftStep::HearingOpened { hearing }),
            untold.reminder.then_some(DraftStep::HearingReminded { hearing }),
            untold.closed.then_some(DraftStep::HearingClosed { hearing }),
        ];
        for step in steps.into_iter().flatten() {
            under.step_by(&stamp, step).await?;
            told = true;
        }
    }
    Ok(told)
}
