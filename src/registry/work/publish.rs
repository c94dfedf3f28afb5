//! From a finished draft to a version: recommendation, decision, approval, publication. What is published is byte for
//! byte what was recommended and decided: its digest is computed by the plan of the publication itself.

use std::collections::BTreeSet;

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::command::{Meanings, Naming, Ready, Source, ToWrite};
use super::super::pages::{Paged, Pages};
use super::super::permission::{Actor, Command, permit_in};
use super::super::plan::{Plan, Wish, plan};
use super::super::{Identity, ImportReport, Registry};
use super::answers::{DecisionAnswer, DraftAnswer};
use super::edits::instant;
use super::show::Desk;
use super::{Under, none, unlawful};
use crate::exchange::{Incoming, IncomingConcept, Key};
use crate::model::{Code, Digest, GroupKind, Instant, Label, Place, Refusal, Result, new_uuid};
use crate::workflow::{
    Decision, Dissent, Draft, DraftStep, Matter, Outcome, Prose, Publication, VoteCast, Voting, Wish as Decided, Work,
    decide,
};

/// How often a publication is planned anew because others changed the vocabulary or the draft meanwhile.
const TRIES: usize = 3;

/// A draft to be laid before a committee.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecommendRequest {
    /// The group that is to decide.
    pub committee: Uuid,
    /// What it is recommended to do, and why.
    pub text: Prose,
    /// Why concepts were changed after the hearing that no answer led to; needed when there are such.
    #[serde(default)]
    pub after_hearing: Option<Prose>,
}

/// A decision to put on record.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideRequest {
    /// The draft.
    pub draft: Uuid,
    /// The meeting.
    pub meeting: Uuid,
    /// The number of the agenda item, from 1.
    pub item: usize,
    /// The digest of the content that was decided on: that of the recommendation.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// What was decided.
    pub outcome: Outcome,
    /// How.
    pub voting: Voting,
    /// The votes, when there was one.
    #[serde(default)]
    pub votes: Vec<VoteCast>,
    /// Remarks for the record; needed unless it was adopted as it was.
    #[serde(default)]
    pub remarks: Option<Prose>,
    /// What minorities want on record.
    #[serde(default)]
    pub dissent: Vec<Dissent>,
    /// From when the version is to be in force, when the committee says so: a day, or an instant.
    #[serde(default)]
    pub effective: Option<String>,
}

/// A draft to be published.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftPublishRequest {
    /// The label of the version.
    pub version: Label,
    /// From when it is in force: a day, or an instant; as the committee decided, else today, when absent.
    #[serde(default)]
    pub effective: Option<String>,
}

impl Registry {
    /// Lays a draft before a committee; it is frozen from then on.
    ///
    /// # Errors
    /// [`Code::EmptyDraft`]; [`Code::Governance`] when it has not been heard; [`Code::Unlawful`] when it was changed
    /// after the hearing and the request does not say why; [`Code::Overtaken`], or what a publication would refuse.
    pub async fn recommend(&self, actor: &Actor, uuid: Uuid, request: RecommendRequest) -> Result<DraftAnswer> {
        let group = self.group_there(request.committee).await?;
        if group.kind != GroupKind::Committee {
            let (da, en) = ("gruppen er ikke et udvalg, der beslutter", "the group is not a committee");
            return Err(unlawful("committee", da, en).allowed(["committee"]));
        }
        let mut under = self.draft_for(actor, uuid, Command::Recommend).await?;
        let vocabulary = self.vocabulary_by(under.matter.vocabulary)?;
        under.matter.changes_something()?;
        under.matter.heard_enough(vocabulary.fields().governance)?;
        under.matter.explained(request.after_hearing.as_ref())?;
        self.refuse_overtaken(&under.matter)?;
        let manifest = self.preview(&self.desk(&under.matter)?)?.manifest;
        let step = DraftStep::Recommended {
            recommendation: new_uuid(self.dice())?,
            committee: request.committee,
            text: request.text,
            after_hearing: request.after_hearing,
            digest: manifest.digest,
            concepts: manifest.concepts,
        };
        under.step(step).await?;
        self.settle(under.write).await?;
        self.draft_answer(&under.matter)
    }

    /// Puts the decision of a committee on record.
    ///
    /// # Errors
    /// What [`decide`] refuses; [`Code::NotFound`] for a meeting that the committee did not call.
    pub async fn decide(&self, actor: &Actor, request: DecideRequest) -> Result<DecisionAnswer> {
        let effective = request.effective.as_deref().map(|t| instant(t, "effective")).transpose()?;
        let mut under = self.draft_for(actor, request.draft, Command::Decide).await?;
        let recommendation = under.matter.recommendations().last().cloned().ok_or_else(|| none(request.draft))?;
        let work = self.matter_in::<Work>(&mut under.write, recommendation.committee).await;
        let work = work.map_err(|_| none(request.meeting).at(Place::field("meeting")))?;
        let meeting = work.meeting(request.meeting).map_err(|r| r.at(Place::field("meeting")))?;
        let wish = Decided {
            uuid: new_uuid(self.dice())?,
            at: under.stamp.at,
            item: request.item,
            digest: request.digest,
            outcome: request.outcome,
            voting: request.voting,
            votes: request.votes,
            remarks: request.remarks,
            dissent: request.dissent,
            effective,
        };
        let decision = decide(request.draft, &recommendation, meeting, wish)?;
        under.step(DraftStep::Decided { decision: decision.clone() }).await?;
        self.settle(under.write).await?;
        self.decision_answer(&decision, &under.matter)
    }

    /// A decision, which everybody may read when the version is published, and before that who may read the draft.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub fn decision(&self, actor: &Actor, uuid: Uuid) -> Result<DecisionAnswer> {
        let snapshot = self.snapshot();
        let draft = snapshot.matters.whole_of(uuid).and_then(|d| snapshot.matters.get::<Draft>(d));
        let draft = draft.filter(|d| self.tells_decisions(actor, d)).ok_or_else(|| none(uuid))?;
        let decision = draft.decisions().iter().find(|d| d.uuid == uuid).ok_or_else(|| none(uuid))?;
        self.decision_answer(decision, draft)
    }

    /// Every decision that somebody may read, the last first.
    ///
    /// # Errors
    /// As [`Pages::cut`].
    pub fn decisions(&self, actor: &Actor, paging: &Pages) -> Result<Paged<DecisionAnswer>> {
        let snapshot = self.snapshot();
        let drafts = snapshot.matters.all::<Draft>().filter(|d| self.tells_decisions(actor, d));
        let all = drafts.flat_map(|d| d.decisions().iter().map(move |decision| (decision, d))).collect();
        let page = paging.cut(all, |(decision, _)| (-decision.at.micros(), decision.uuid))?;
        page.try_map(|(decision, draft)| self.decision_answer(decision, draft))
    }

    /// Whether somebody may read what was decided of a draft.
    fn tells_decisions(&self, actor: &Actor, draft: &Draft) -> bool {
        draft.publication().is_some() || self.may_read(actor, draft.vocabulary)
    }

    fn decision_answer(&self, decision: &Decision, draft: &Draft) -> Result<DecisionAnswer> {
        Ok(DecisionAnswer::new(decision, draft, self.vocabulary_by(draft.vocabulary)?.slug().clone()))
    }

    /// Lets a draft that somebody else wrote be published: the second pair of eyes, on exactly this content.
    ///
    /// # Errors
    /// [`Code::OtherContent`] when the draft makes other content by now, [`Code::FourEyes`] for an author.
    pub async fn approve(&self, actor: &Actor, uuid: Uuid, digest: Digest) -> Result<DraftAnswer> {
        let mut under = self.draft_for(actor, uuid, Command::Approve).await?;
        let now = match under.matter.adopted() {
            Some(decision) => decision.digest,
            None => self.preview(&self.desk(&under.matter)?)?.manifest.digest,
        };
        if now != digest {
            return Err(other_content(now).at(Place::field("digest")));
        }
        under.step(DraftStep::Approved { digest }).await?;
        self.settle(under.write).await?;
        self.draft_answer(&under.matter)
    }

    /// What publishing a draft would do, with the digest of its content.
    ///
    /// # Errors
    /// As [`Registry::draft`], or what a publication would refuse.
    pub fn draft_preview(&self, actor: &Actor, uuid: Uuid) -> Result<ImportReport> {
        let draft = self.draft(actor, uuid)?;
        let desk = self.desk(&draft)?;
        let plan = self.preview(&desk)?;
        let effective = desk.version.as_ref().map_or_else(|| self.projections.today(), |v| v.effective);
        Ok(super::super::report::report(desk.plane.vocabulary(), false, None, effective, &plan))
    }

    /// Publishes a draft as a version: what was adopted, or, where no decision is needed, what it says now.
    ///
    /// # Errors
    /// [`Code::Phase`], [`Code::Governance`], [`Code::Overtaken`], [`Code::FourEyes`], [`Code::OtherContent`],
    /// [`Code::LabelTaken`], or what the plan refuses. Nothing is changed then.
    pub async fn publish_draft(&self, actor: &Actor, uuid: Uuid, request: DraftPublishRequest) -> Result<ImportReport> {
        for _ in 0..TRIES {
            let draft = self.draft(actor, uuid)?;
            let vocabulary = self.vocabulary_by(draft.vocabulary)?;
            permit_in(actor, Command::PublishDraft, &vocabulary, draft.phase(self.clock.now()))?;
            let (source, naming) = self.publishing(&draft, &request)?;
            let mut facts = self.store.facts().await?;
            let ready = self.ready(actor, &mut facts, &source, None, &naming).await?;
            drop(facts);
            let Ready::ToWrite(ready) = ready else { return Err(none(uuid)) };
            let mut under = self.draft_for(actor, uuid, Command::PublishDraft).await?;
            let same = under.matter.steps() == draft.steps();
            if same && ready.holds(under.write.facts()).await? {
                return self.published(under, *ready, naming).await;
            }
        }
        // Others were faster each time: now they wait.
        let mut under = self.draft_for(actor, uuid, Command::PublishDraft).await?;
        let draft = under.matter.clone();
        let (source, naming) = self.publishing(&draft, &request)?;
        match self.ready(actor, under.write.facts(), &source, None, &naming).await? {
            Ready::ToWrite(ready) => self.published(under, *ready, naming).await,
            Ready::Told(_) => Err(none(uuid)),
        }
    }

    /// What a draft would be published as.
    fn publishing(&self, draft: &Draft, request: &DraftPublishRequest) -> Result<(Source<'static>, Naming)> {
        let wanted = request.effective.as_deref().map(|t| instant(t, "effective")).transpose()?;
        let vocabulary = self.vocabulary_by(draft.vocabulary)?;
        let decision = draft.adopted();
        if decision.is_none() && !vocabulary.fields().governance.publishes_without_decision() {
            let (da, en) = ("kladden er ikke vedtaget", "the draft has not been adopted");
            return Err(Refusal::new(Code::Governance, da, en).allowed(["adopted"]));
        }
        let naming = Naming {
            label: Some(request.version.clone()),
            effective: effective(wanted, decision, self.projections.today())?,
            decision: decision.map(|d| format!("{}/api/v1/decisions/{}", self.settings.public_url, d.uuid)),
            dry_run: false,
            expected: decision.map(|d| d.digest),
            meanings: Meanings::Each(draft.meanings(draft.edits().len())),
        };
        let base = draft.base.as_ref().map(|b| b.version);
        Ok((Source::Draft(vocabulary.slug().clone(), base, Box::new(incoming(&self.desk(draft)?))), naming))
    }

    /// Lays down the publication of a draft with the version, in one transaction.
    async fn published(&self, mut under: Under<Draft>, ready: ToWrite, naming: Naming) -> Result<ImportReport> {
        let vocabulary = self.vocabulary_by(under.matter.vocabulary)?;
        let digest = ready.plan.manifest.digest;
        let second = match vocabulary.fields().four_eyes {
            true => Some(under.matter.second_eyes(&under.stamp.by, digest)?),
            false => None,
        };
        let label = naming.label.clone().ok_or_else(|| none(under.uuid))?;
        let publication = Publication {
            version: Uuid::new_v5(&vocabulary.uuid(), format!("version/{label}").as_bytes()),
            label,
            effective: naming.effective,
            digest,
            decision: under.matter.adopted().map(|d| d.uuid),
            second,
        };
        under.step(DraftStep::Published { publication }).await?;
        self.lay_down(under.write, ready, naming).await
    }

    /// What publishing a draft over its own version would lay down; nothing is written.
    pub(super) fn preview(&self, desk: &Desk<'_>) -> Result<Plan> {
        let effective = desk.version.as_ref().map_or_else(|| self.projections.today(), |v| v.effective);
        let identity = Identity::default();
        let wish = Wish {
            vocabulary: desk.plane.vocabulary().uuid(),
            effective,
            at: self.snapshot().at.next().max(self.clock.now()),
            identity: &identity,
            accept_new: true,
            origin: None,
        };
        plan(incoming(desk), &desk.known(), wish)
    }

    fn refuse_overtaken(&self, draft: &Draft) -> Result<()> {
        if self.is_overtaken(draft) { Err(overtaken()) } else { Ok(()) }
    }
}

/// From when: as was decided, unless that leaves it open. What the committee said may not be said otherwise.
fn effective(wanted: Option<Instant>, decision: Option<&Decision>, today: Instant) -> Result<Instant> {
    match (decision.and_then(|d| d.effective), wanted) {
        (Some(decided), Some(wanted)) if decided != wanted => Err(Refusal::new(
            Code::OtherContent,
            format!("det er besluttet, at versionen gælder fra {decided}"),
            format!("it was decided that the version is in force from {decided}"),
        )
        .at(Place::field("effective"))),
        (Some(decided), _) => Ok(decided),
        (None, wanted) => Ok(wanted.unwrap_or(today)),
    }
}

/// The edition that a draft makes, told as a file would tell it.
fn incoming(desk: &Desk<'_>) -> Incoming {
    let concepts = desk.edition().into_iter().map(|(uuid, content)| {
        let content = (*content).clone().into_fields().try_map_targets(|t| Ok(Key(t.to_string())));
        IncomingConcept {
            keys: vec![Key(uuid.to_string())],
            uuid: Some(uuid),
            content: content.unwrap_or_default(),
            place: Place::field(uuid.to_string()),
        }
    });
    let mut concepts: Vec<_> = concepts.collect();
    order(&mut concepts);
    let statements = desk.version.as_ref().map(|v| v.statements.clone()).unwrap_or_default();
    Incoming { concepts, statements, ..Incoming::default() }
}

/// Siblings by the rank that the draft gives them; those that have none come last, in their order.
fn order(concepts: &mut [IncomingConcept]) {
    let ranks: BTreeSet<i64> = concepts.iter().filter_map(|c| c.content.rank).collect();
    let last = ranks.last().copied().unwrap_or_default();
    concepts.sort_by_key(|c| c.content.rank.unwrap_or(last.saturating_add(1)));
}

/// The refusal of a draft that another version has overtaken.
pub(in super::super) fn overtaken() -> Refusal {
    Refusal::new(
        Code::Overtaken,
        "en anden version er udgivet siden; læg først kladden over den",
        "another version has been published since; lay the draft over it first",
    )
    .allowed(["rebase"])
}

fn other_content(now: Digest) -> Refusal {
    Refusal::new(
        Code::OtherContent,
        format!("kladden giver et andet indhold: {now}"),
        format!("the draft makes other content: {now}"),
    )
}
