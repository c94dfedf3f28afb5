//! Drafts: opening, describing and steering them, comments, and laying them over another version.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::pages::{Paged, Pages};
use super::super::permission::{Actor, Command, permit};
use super::super::{Registry, query};
use super::answers::{DraftAnswer, MergedAnswer, ThreadAnswer};
use super::edits::{Precondition, draft_precondition};
use super::{begin, unlawful};
use crate::model::{Code, ContentFields, Governance, Label, Refusal, Result, Slug, new_uuid};
use crate::workflow::{Base, Choice, Draft, DraftStep, Line, Merging, Phase, Prose, Resolution, Topic, merge};

/// The fields of a concept that a thread may be about, by their names in JSON.
const FIELDS: [&str; 12] = [
    "aliases",
    "definitions",
    "facet",
    "legalBasis",
    "mappings",
    "notation",
    "notes",
    "rank",
    "relations",
    "statements",
    "subjectFields",
    "terms",
];

/// A draft to open.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftRequest {
    /// The slug of the vocabulary.
    pub vocabulary: Slug,
    /// What it is called.
    pub title: Line,
    /// What it is for.
    #[serde(default)]
    pub purpose: Option<Prose>,
    /// The group that works on it.
    #[serde(default)]
    pub group: Option<Uuid>,
    /// The version to lie over; the one in force today when absent.
    #[serde(default)]
    pub base: Option<Label>,
    /// Whether it is a small change, which needs no hearing.
    #[serde(default)]
    pub minor: bool,
}

/// Which drafts to list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DraftFilter {
    /// Of one vocabulary.
    pub vocabulary: Option<Slug>,
    /// In one phase.
    pub phase: Option<Phase>,
    /// Of one group.
    pub group: Option<Uuid>,
}

/// Where a draft is to go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Steer {
    /// The group looks through it.
    Review,
    /// It rests.
    Hold(Prose),
    /// Work goes on.
    Resume(Prose),
    /// It is given up.
    Withdraw(Prose),
    /// The recommendation is taken back.
    Recall(Prose),
    /// Title, purpose or group are others.
    Describe(DraftChange),
}

/// What is to be said of a draft; what is absent stays.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftChange {
    /// What it is called.
    #[serde(default)]
    pub title: Option<Line>,
    /// What it is for; `null` takes it away.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub purpose: Option<Option<Prose>>,
    /// The group that works on it; `null` takes it away.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Uuid>)]
    pub group: Option<Option<Uuid>>,
}

/// What is there, be it `null`, was said; what is absent was not.
fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// Something to say.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommentRequest {
    /// What a new thread is about; absent or empty for the whole draft.
    #[serde(default)]
    pub topic: TopicRequest,
    /// What.
    pub text: Prose,
}

/// What a thread is about.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TopicRequest {
    /// The concept: uuid, notation or alias.
    #[serde(default)]
    pub concept: Option<String>,
    /// The field, by its name in the JSON of a concept.
    #[serde(default)]
    pub field: Option<String>,
}

/// A draft to be laid over another version.
#[derive(Clone, PartialEq, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RebaseRequest {
    /// The version; the one in force today when absent.
    #[serde(default)]
    pub onto: Option<Label>,
    /// Why.
    pub reason: Prose,
    /// How conflicts are settled.
    #[serde(default)]
    pub settled: Vec<SettledConflict>,
}

/// How a conflict is settled: by one side, or by content.
#[derive(Clone, PartialEq, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettledConflict {
    /// The concept.
    pub concept: Uuid,
    /// The side to take; this or `content`.
    #[serde(default)]
    pub take: Option<Choice>,
    /// What to say; this or `take`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub content: Option<ContentFields<String>>,
}

/// A draft as it lies over another version.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct RebasedAnswer {
    /// The draft.
    pub draft: DraftAnswer,
    /// What came of each concept.
    pub concepts: Vec<MergedAnswer>,
}

impl Registry {
    /// Opens a draft over a version.
    ///
    /// # Errors
    /// [`Code::UnknownVocabulary`], [`Code::UnknownVersion`], [`Code::NotAllowed`]; [`Code::Governance`] for a
    /// vocabulary that mirrors another registry's.
    pub async fn open_draft(&self, actor: &Actor, request: DraftRequest) -> Result<DraftAnswer> {
        let plane = self.plane(request.vocabulary.as_str())?;
        let vocabulary = plane.vocabulary();
        permit(actor, Command::OpenDraft, Some(vocabulary))?;
        if vocabulary.fields().governance == Governance::Mirror {
            let (da, en) = ("ordforrådet gengiver en andens udgaver", "the vocabulary mirrors the editions of others");
            return Err(Refusal::new(Code::Governance, da, en).allowed(["hearing", "committee", "direct"]));
        }
        if let Some(group) = request.group {
            self.group_there(group).await?;
        }
        let (mut write, stamp) = self.lock(actor).await?;
        let version = match &request.base {
            Some(label) => Some(plane.version(label.as_str()).cloned().ok_or_else(|| {
                query::unknown_version(label.as_str(), plane.versions().iter().map(|v| v.label.to_string()))
            })?),
            None => self.in_force(&plane),
        };
        let uuid = new_uuid(self.dice())?;
        let step = DraftStep::Opened {
            vocabulary: vocabulary.uuid(),
            title: request.title,
            purpose: request.purpose,
            group: request.group,
            base: version.map(|v| Base { version: v.uuid, label: v.label.clone() }),
            minor: request.minor,
        };
        let draft: Draft = begin(&mut write, uuid, &stamp, step).await?;
        self.settle(write).await?;
        self.draft_answer(&draft)
    }

    /// The drafts that somebody may read, the one that changed last first.
    ///
    /// # Errors
    /// [`Code::NotSignedIn`], [`Code::UnknownVocabulary`], or as [`Pages::cut`].
    pub fn drafts(&self, actor: &Actor, filter: &DraftFilter, paging: &Pages) -> Result<Paged<DraftAnswer>> {
        if matches!(actor, Actor::Public) {
            return Err(super::super::permission::not_signed_in());
        }
        let of = match &filter.vocabulary {
            Some(slug) => Some(self.plane(slug.as_str())?.vocabulary().uuid()),
            None => None,
        };
        let now = self.clock.now();
        let snapshot = self.snapshot();
        let drafts: Vec<&Arc<Draft>> = snapshot
            .matters
            .all::<Draft>()
            .filter(|d| of.is_none_or(|v| d.vocabulary == v))
            .filter(|d| filter.phase.is_none_or(|p| d.phase(now) == p))
            .filter(|d| filter.group.is_none_or(|g| d.group == Some(g)))
            .filter(|d| self.may_read(actor, d.vocabulary))
            .collect();
        let page = paging.cut(drafts, |d| (-d.last.at.micros(), d.uuid))?;
        page.try_map(|d| self.draft_answer(d))
    }

    /// Whether somebody may read drafts of a vocabulary.
    pub(super) fn may_read(&self, actor: &Actor, vocabulary: Uuid) -> bool {
        let vocabulary = self.vocabulary_by(vocabulary);
        vocabulary.is_ok_and(|v| permit(actor, Command::ReadDrafts, Some(&v)).is_ok())
    }

    /// A draft as the API shows it.
    ///
    /// # Errors
    /// [`Code::NotFound`] when its vocabulary is not there.
    pub fn draft_answer(&self, draft: &Draft) -> Result<DraftAnswer> {
        let snapshot = self.snapshot();
        let plane = snapshot.by_uuid(draft.vocabulary).ok_or_else(|| super::none(draft.vocabulary))?;
        Ok(DraftAnswer::new(draft, plane.vocabulary().slug().clone(), self.is_overtaken(draft), self.clock.now()))
    }

    /// Whether another version is in force today than the one that an open draft lies over.
    pub(super) fn is_overtaken(&self, draft: &Draft) -> bool {
        let snapshot = self.snapshot();
        let Some(plane) = snapshot.by_uuid(draft.vocabulary) else { return false };
        let in_force = self.in_force(plane).map(|v| v.uuid);
        let base = draft.base.as_ref().map(|b| b.version);
        // A version that is to come is a lawful thing to lie over.
        let ahead = base
            .and_then(|b| plane.versions().iter().find(|v| v.uuid == b))
            .is_some_and(|v| v.effective > self.projections.today());
        draft.phase(self.clock.now()).is_open() && base != in_force && !ahead
    }

    /// Sends a draft where somebody wants it to go.
    ///
    /// # Errors
    /// [`Code::Phase`], [`Code::PreconditionFailed`].
    pub async fn steer_draft(
        &self,
        actor: &Actor,
        uuid: Uuid,
        steer: Steer,
        matches: &Precondition,
    ) -> Result<DraftAnswer> {
        if let Steer::Describe(DraftChange { group: Some(Some(group)), .. }) = &steer {
            self.group_there(*group).await?;
        }
        let mut under = self.draft_for(actor, uuid, Command::SteerDraft).await?;
        draft_precondition(&under.matter, matches)?;
        let step = match steer {
            Steer::Review => DraftStep::SentToReview,
            Steer::Hold(reason) => DraftStep::Held { reason },
            Steer::Resume(reason) => DraftStep::Resumed { reason },
            Steer::Withdraw(reason) => DraftStep::Withdrawn { reason },
            Steer::Recall(reason) => DraftStep::Recalled { reason },
            Steer::Describe(change) => DraftStep::Described {
                title: change.title.unwrap_or_else(|| under.matter.title.clone()),
                purpose: change.purpose.unwrap_or_else(|| under.matter.purpose.clone()),
                group: change.group.unwrap_or(under.matter.group),
            },
        };
        under.step(step).await?;
        self.settle(under.write).await?;
        self.draft_answer(&under.matter)
    }

    /// The threads of a draft, the first first.
    ///
    /// # Errors
    /// As [`Registry::draft`], or as [`Pages::cut`].
    pub fn threads(&self, actor: &Actor, uuid: Uuid, paging: &Pages) -> Result<Paged<ThreadAnswer>> {
        let draft = self.draft(actor, uuid)?;
        let threads = draft.threads().iter().enumerate().map(|(i, t)| ThreadAnswer::new(i + 1, t)).collect();
        paging.cut(threads, |t| (t.number as i64, Uuid::nil()))
    }

    /// Says something of a draft: in a thread, or in a new one.
    ///
    /// # Errors
    /// [`Code::UnknownConcept`], [`Code::NotFound`] for a thread that is not there.
    pub async fn comment(
        &self,
        actor: &Actor,
        uuid: Uuid,
        thread: Option<usize>,
        request: CommentRequest,
    ) -> Result<ThreadAnswer> {
        let mut under = self.draft_for(actor, uuid, Command::Comment).await?;
        let concept = match &request.topic.concept {
            None => None,
            Some(key) => {
                let found = self.desk(&under.matter)?.find(key);
                Some(found.ok_or_else(|| super::edits::unknown(key))?)
            }
        };
        let topic = Topic { concept, field: request.topic.field };
        if topic.field.as_deref().is_some_and(|f| !FIELDS.contains(&f)) {
            let (da, en) = ("begreber har ikke det felt", "concepts have no such field");
            return Err(unlawful("topic.field", da, en).allowed(FIELDS));
        }
        under.step(DraftStep::Commented { thread, topic, text: request.text }).await?;
        let number = thread.unwrap_or(under.matter.threads().len());
        let answer = ThreadAnswer::new(number, &under.matter.threads()[number - 1]);
        self.settle(under.write).await?;
        Ok(answer)
    }

    /// Settles a thread, or opens it again.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub async fn settle_thread(&self, actor: &Actor, uuid: Uuid, thread: usize, settled: bool) -> Result<ThreadAnswer> {
        let mut under = self.draft_for(actor, uuid, Command::Comment).await?;
        under.step(DraftStep::Settled { thread, settled }).await?;
        let answer = ThreadAnswer::new(thread, &under.matter.threads()[thread - 1]);
        self.settle(under.write).await?;
        Ok(answer)
    }

    /// Lays a draft over another version. Nothing is dropped silently: what both sides changed otherwise must be
    /// settled by the request, and the answer tells of each concept what came of it.
    ///
    /// # Errors
    /// [`Code::Conflict`] with every conflict that is not settled: `base`, `theirs`, `ours`;
    /// [`Code::PreconditionFailed`].
    pub async fn rebase_draft(
        &self,
        actor: &Actor,
        uuid: Uuid,
        request: RebaseRequest,
        matches: &Precondition,
    ) -> Result<RebasedAnswer> {
        let mut under = self.draft_for(actor, uuid, Command::EditDraft).await?;
        draft_precondition(&under.matter, matches)?;
        let (onto, merged) = {
            let desk = self.desk(&under.matter)?;
            let version = match &request.onto {
                Some(label) => desk.plane.version(label.as_str()).cloned().ok_or_else(|| {
                    query::unknown_version(label.as_str(), desk.plane.versions().iter().map(|v| v.label.to_string()))
                })?,
                None => self
                    .in_force(&desk.plane)
                    .ok_or_else(|| unlawful("onto", "intet er i kraft", "nothing is in force"))?,
            };
            if under.matter.base.as_ref().is_some_and(|b| b.version == version.uuid) {
                let (da, en) = ("kladden ligger over den version", "the draft lies over that version");
                return Err(Refusal::new(Code::Phase, da, en));
            }
            let edition = self.projections.edition(&desk.plane, version.point());
            let theirs = |concept| edition.get(concept).map(|e| Arc::new(e.said().content()));
            let mut settled = BTreeMap::new();
            for one in request.settled {
                let resolution = match (one.take, one.content) {
                    (Some(side), None) => Resolution::Take(side),
                    (None, Some(fields)) => Resolution::Say(Arc::new(desk.content(fields, &BTreeMap::new())?)),
                    _ => return Err(unlawful("settled", "enten take eller content", "either take or content")),
                };
                settled.insert(one.concept, resolution);
            }
            let merged = merge(under.matter.proposals(), theirs, &settled).map_err(|conflicts| {
                let count = conflicts.len();
                Refusal::new(
                    Code::Conflict,
                    format!("{count} begreber er ændret på begge sider; sig hvad der skal stå"),
                    format!("{count} concepts were changed on both sides; say what is to stand"),
                )
                .items(conflicts.iter().map(|c| format!("{}: {}", c.concept, c.fields.join(", "))))
                .conflict(serde_json::json!(conflicts))
            })?;
            // Nobody's words are dropped silently: what settles nothing was meant for something else.
            let settles = |c: &Uuid| merged.iter().any(|m| m.concept == *c && m.how == Merging::Settled);
            if let Some(idle) = settled.keys().find(|c| !settles(c)) {
                let (da, en) = (format!("{idle} er ikke i konflikt"), format!("{idle} is not in conflict"));
                return Err(unlawful("settled", da, en));
            }
            (Base { version: version.uuid, label: version.label.clone() }, merged)
        };
        let concepts = merged.iter().map(|m| MergedAnswer { concept: m.concept, how: m.how }).collect();
        under.step(DraftStep::Rebased { onto, reason: request.reason, merged }).await?;
        self.settle(under.write).await?;
        Ok(RebasedAnswer { draft: self.draft_answer(&under.matter)?, concepts })
    }

    /// Refuses a group that is not there.
    pub(super) async fn group_there(&self, group: Uuid) -> Result<crate::model::Group> {
        let people = self.store.people().await?;
        let found = people.groups.into_iter().find(|g| g.uuid == group && g.active);
        found.ok_or_else(|| super::none(group).at(crate::model::Place::field("group")))
    }
}
