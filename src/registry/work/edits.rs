//! Edits of a draft: whole concepts, patches, operations on several concepts, files; and taking them back.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::pages::{Paged, Pages};
use super::super::permission::{Actor, Command, permit_in};
use super::super::plan::{Wish, plan};
use super::super::{Identity, Registry};
use super::answers::{EditAnswer, ProposedAnswer, fields, tag};
use super::show::Desk;
use super::{Under, unlawful};
use crate::exchange::{self, Format, ReadOptions};
use crate::model::{
    Code, Content, ContentFields, Instant, Meaning, Place, Refusal, Relation, RelationKind, Result, Text, new_uuid,
};
use crate::workflow::{
    Because, Draft, DraftStep, EditKind, Effect, Operation, Part, Proposal, Prose, RequestState, capped,
    changes_something,
};

/// How much a JSON Patch may copy, in bytes.
const MOST_COPIED: usize = 4 << 20;

/// Why somebody edits, and what led to it.
#[derive(Clone, PartialEq, Debug)]
pub struct EditRequest {
    /// Why.
    pub reason: Prose,
    /// What led to it.
    pub because: Option<Because>,
    /// Whether the concepts that it redefines mean something else than in the version below.
    pub meaning: Option<Meaning>,
}

/// What a request says of what it was made of (RFC 9110, 13.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Precondition {
    /// Nothing.
    Unsaid,
    /// `If-None-Match: *`: there must be no such concept.
    Absent,
    /// `If-Match: *`: there must be one.
    Any,
    /// `If-Match` with entity tags.
    Tags(Vec<String>),
}

/// How a concept is to be changed.
pub enum Made {
    /// To this content.
    Whole(Box<ContentFields<String>>),
    /// By a JSON Patch (RFC 6902) on the content.
    Patch(json_patch::Patch),
}

/// A relation upwards.
#[derive(Clone, PartialEq, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RelationRequest {
    /// Generic or partitive.
    pub kind: RelationKind,
    /// The concept above: uuid, notation or alias.
    pub target: String,
    /// The subdivision criterion.
    #[serde(default)]
    pub criterion: Vec<Text>,
}

/// A concept that an operation makes or changes.
#[derive(Clone, PartialEq, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartRequest {
    /// Its uuid, notation or alias; a new uuid when absent.
    #[serde(default)]
    pub concept: Option<String>,
    /// Its content.
    #[schema(value_type = Object)]
    pub content: ContentFields<String>,
}

/// An edit of several concepts at once. Concepts are named by uuid, notation or alias.
#[derive(Clone, PartialEq, Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
pub enum OperationRequest {
    /// A new concept.
    Add(PartRequest),
    /// Concepts out of force.
    Retire {
        /// The concepts.
        concepts: Vec<String>,
    },
    /// A new concept instead of one that goes.
    Replace {
        /// The one that goes.
        old: String,
        /// The one that comes.
        new: PartRequest,
    },
    /// Several new concepts instead of one that goes.
    Split {
        /// The one that goes.
        old: String,
        /// Those that come.
        into: Vec<PartRequest>,
    },
    /// One concept, new or among those there, instead of several that go.
    Merge {
        /// Those that go.
        old: Vec<String>,
        /// The one that stands for them.
        into: PartRequest,
    },
    /// A concept under others.
    Move {
        /// The concept.
        concept: String,
        /// The relations upwards, all of them.
        under: Vec<RelationRequest>,
        /// Its place among its siblings: lower comes first.
        #[serde(default)]
        rank: Option<i64>,
    },
}

/// The most concepts that an operation names in one list.
const MOST_NAMED: usize = 10_000;

impl OperationRequest {
    /// Refuses lists that are longer than they may be, before each of their items is looked for.
    fn small_enough(&self) -> Result<()> {
        let (field, length) = match self {
            Self::Add(_) | Self::Replace { .. } => return Ok(()),
            Self::Retire { concepts } => ("concepts", concepts.len()),
            Self::Split { into, .. } => ("into", into.len()),
            Self::Merge { old, .. } => ("old", old.len()),
            Self::Move { under, .. } => ("under", under.len()),
        };
        capped(field, length, MOST_NAMED)
    }
}

/// A file that becomes one edit: the draft then says what the file says.
pub struct ImportEdit<'a> {
    /// The format of the bytes.
    pub format: Format,
    /// The file.
    pub bytes: &'a [u8],
    /// Who is who, where codes do not tell.
    pub identity: Identity,
    /// Whether concepts that look like vanishing ones are new all the same.
    pub accept_new: bool,
}

impl Registry {
    /// What a draft says of a concept.
    ///
    /// # Errors
    /// As [`Registry::draft`]; [`Code::UnknownConcept`].
    pub fn draft_concept(&self, actor: &Actor, uuid: Uuid, key: &str) -> Result<ProposedAnswer> {
        let draft = self.draft(actor, uuid)?;
        let desk = self.desk(&draft)?;
        let concept = desk.find(key).ok_or_else(|| unknown(key))?;
        Ok(match draft.proposals().get(&concept) {
            Some(proposal) => {
                let meaning = draft.meanings(draft.edits().len()).get(&concept).copied();
                ProposedAnswer::new(concept, proposal, meaning)
            }
            None => {
                let content = desk.below(concept);
                ProposedAnswer::new(concept, &Proposal { base: content.clone(), content, edit: 0 }, None)
            }
        })
    }

    /// Makes or changes one concept of a draft. The request must say what it was made of, so that nobody's words are
    /// lost.
    ///
    /// # Errors
    /// [`Code::PreconditionRequired`]; [`Code::PreconditionFailed`] with both texts; what the rules refuse.
    pub async fn edit_concept(
        &self,
        actor: &Actor,
        uuid: Uuid,
        key: &str,
        made: Made,
        matches: &Precondition,
        request: EditRequest,
    ) -> Result<(EditAnswer, ProposedAnswer)> {
        let mut under = self.draft_for(actor, uuid, Command::EditDraft).await?;
        let (concept, operation) = {
            let desk = self.desk(&under.matter)?;
            let found = desk.find(key);
            let now = found.and_then(|u| desk.said(u));
            let yours = |made: &Made| match made {
                Made::Whole(fields) => json!(fields),
                Made::Patch(patch) => json!(patch),
            };
            precondition(&desk, found, now.as_deref(), matches, || yours(&made))?;
            let wanted = match (made, &now) {
                // Its place among its siblings is the registry's number: who does not name it leaves it where it is.
                (Made::Whole(fields), now) => {
                    let rank = fields.rank.or_else(|| now.as_ref().and_then(|c| c.fields().rank));
                    ContentFields { rank, ..*fields }
                }
                (Made::Patch(patch), Some(now)) => patched(now, &patch)?,
                (Made::Patch(_), None) => return Err(unknown(key)),
            };
            match (found, now) {
                (Some(concept), Some(_)) => {
                    let content = desk.content(wanted, &BTreeMap::new())?;
                    (concept, Operation::Change(Part { concept, content }))
                }
                // What the draft retired comes back as the concept that it was.
                (found, _) => {
                    let (concept, fields) = self.newcomer(&desk, found, Some(key), wanted)?;
                    let own = BTreeMap::from([(key.to_owned(), concept)]);
                    (concept, Operation::Add(Part { concept, content: desk.content(fields, &own)? }))
                }
            }
        };
        let edit = self.operate(&mut under, operation, request).await?;
        let meaning = under.matter.meanings(under.matter.edits().len()).get(&concept).copied();
        let proposed = ProposedAnswer::new(concept, &under.matter.proposals()[&concept], meaning);
        self.settle(under.write).await?;
        Ok((edit, proposed))
    }

    /// Retires one concept of a draft.
    ///
    /// # Errors
    /// As [`Registry::edit_concept`].
    pub async fn retire_concept(
        &self,
        actor: &Actor,
        uuid: Uuid,
        key: &str,
        matches: &Precondition,
        request: EditRequest,
    ) -> Result<EditAnswer> {
        let mut under = self.draft_for(actor, uuid, Command::EditDraft).await?;
        let concept = {
            let desk = self.desk(&under.matter)?;
            let concept = desk.find(key).ok_or_else(|| unknown(key))?;
            precondition(&desk, Some(concept), desk.said(concept).as_deref(), matches, || Value::Null)?;
            concept
        };
        let edit = self.operate(&mut under, Operation::Retire(vec![concept]), request).await?;
        self.settle(under.write).await?;
        Ok(edit)
    }

    /// Edits several concepts at once. What puts other words where there are some must say what it was made of, by
    /// the tag of the draft.
    ///
    /// # Errors
    /// [`Code::PreconditionRequired`], [`Code::PreconditionFailed`], or what the rules refuse.
    pub async fn edit_draft(
        &self,
        actor: &Actor,
        uuid: Uuid,
        wanted: OperationRequest,
        matches: &Precondition,
        request: EditRequest,
    ) -> Result<EditAnswer> {
        let mut under = self.draft_for(actor, uuid, Command::EditDraft).await?;
        draft_precondition(&under.matter, matches)?;
        let desk = self.desk(&under.matter)?;
        if let OperationRequest::Merge { into: PartRequest { concept: Some(key), .. }, .. } = &wanted
            && desk.find(key).is_some_and(|u| desk.said(u).is_some())
        {
            draft_said(&under.matter, matches)?;
        }
        let operation = self.operation(&desk, wanted)?;
        drop(desk);
        let edit = self.operate(&mut under, operation, request).await?;
        self.settle(under.write).await?;
        Ok(edit)
    }

    /// Makes the draft say what a file says, as one edit. The request must say, by the tag of the draft, what the file
    /// was made of: what others did meanwhile would go with it.
    ///
    /// # Errors
    /// [`Code::PreconditionRequired`], [`Code::PreconditionFailed`]; what the reader or the plan refuses;
    /// [`Code::Phase`] when the file changes nothing.
    pub async fn import_edit(
        &self,
        actor: &Actor,
        uuid: Uuid,
        import: ImportEdit<'_>,
        matches: &Precondition,
        request: EditRequest,
    ) -> Result<EditAnswer> {
        let draft = self.draft(actor, uuid)?;
        let vocabulary = self.vocabulary_by(draft.vocabulary)?;
        let options = ReadOptions {
            language: vocabulary.default_language().clone(),
            namespace: Some(vocabulary.fields().namespace.clone()),
        };
        // Asked before the file is read, and again under the lock.
        permit_in(actor, Command::EditDraft, &vocabulary, draft.phase(self.clock.now()))?;
        draft_said(&draft, matches)?;
        let incoming = exchange::read(import.format, import.bytes, &options)?;
        let mut under = self.draft_for(actor, uuid, Command::EditDraft).await?;
        draft_precondition(&under.matter, matches)?;
        let effects = {
            let desk = self.desk(&under.matter)?;
            let effective = desk.version.as_ref().map_or_else(|| self.projections.today(), |v| v.effective);
            let wish = Wish {
                vocabulary: vocabulary.uuid(),
                effective,
                at: under.stamp.at,
                identity: &import.identity,
                accept_new: import.accept_new,
                origin: None,
            };
            let told = plan(incoming, &desk.known(), wish)?;
            let mut wanted: BTreeMap<Uuid, Option<Arc<Content>>> =
                told.acts.iter().map(|act| (act.concept, act.content.clone())).collect();
            // What the draft says and the file leaves as it was goes back to what it was.
            for concept in under.matter.proposals().keys() {
                wanted.entry(*concept).or_insert_with(|| desk.below(*concept));
            }
            let effect = |(concept, after): (Uuid, Option<Arc<Content>>)| {
                let before = desk.said(concept);
                (before != after).then_some(Effect { concept, before, after })
            };
            wanted.into_iter().filter_map(effect).collect::<Vec<_>>()
        };
        if effects.is_empty() {
            let (da, en) = ("filen ændrer ikke noget", "the file changes nothing");
            return Err(Refusal::new(Code::Phase, da, en));
        }
        let edit = self.lay_edit(&mut under, EditKind::Import, effects, request).await?;
        self.settle(under.write).await?;
        Ok(edit)
    }

    /// Takes an edit back, as an edit of its own; an edit that took another back can itself be taken back.
    ///
    /// # Errors
    /// [`Code::Conflict`] with the later edits that changed the same concepts.
    pub async fn undo_edit(&self, actor: &Actor, uuid: Uuid, edit: usize, reason: Prose) -> Result<EditAnswer> {
        let mut under = self.draft_for(actor, uuid, Command::EditDraft).await?;
        under.step(DraftStep::Undone { edit, reason }).await?;
        let answer = last_edit(&under.matter);
        self.settle(under.write).await?;
        Ok(answer)
    }

    /// The edits of a draft, the first first.
    ///
    /// # Errors
    /// As [`Registry::draft`], or as [`Pages::cut`].
    pub fn edits(&self, actor: &Actor, uuid: Uuid, paging: &Pages) -> Result<Paged<EditAnswer>> {
        let draft = self.draft(actor, uuid)?;
        let edits = draft.edits().iter().enumerate().collect();
        paging.cut(edits, |(i, _)| (*i as i64, Uuid::nil()))?.try_map(|(i, e)| Ok(EditAnswer::new(i + 1, e)))
    }

    /// One edit of a draft.
    ///
    /// # Errors
    /// As [`Registry::draft`]; [`Code::NotFound`].
    pub fn edit(&self, actor: &Actor, uuid: Uuid, number: usize) -> Result<EditAnswer> {
        let draft = self.draft(actor, uuid)?;
        let found = number.checked_sub(1).and_then(|i| draft.edits().get(i));
        found.map(|e| EditAnswer::new(number, e)).ok_or_else(|| {
            let (da, en) = (format!("der er ingen rettelse {number}"), format!("there is no edit {number}"));
            Refusal::new(Code::NotFound, da, en).at(Place::field("edit"))
        })
    }

    /// What a draft says of the concepts that it changes.
    ///
    /// # Errors
    /// As [`Registry::draft`], or as [`Pages::cut`].
    pub fn draft_concepts(&self, actor: &Actor, uuid: Uuid, paging: &Pages) -> Result<Paged<ProposedAnswer>> {
        let draft = self.draft(actor, uuid)?;
        let changed = draft.proposals().iter().filter(|(_, p)| p.differs()).collect();
        let meanings = draft.meanings(draft.edits().len());
        let answer = |u: &Uuid, p| ProposedAnswer::new(*u, p, meanings.get(u).copied());
        paging.cut(changed, |(u, _)| (0, **u))?.try_map(|(u, p)| Ok(answer(u, p)))
    }

    pub(super) async fn operate(
        &self,
        under: &mut Under<Draft>,
        operation: Operation,
        request: EditRequest,
    ) -> Result<EditAnswer> {
        let (kind, effects) = self.effects(&under.matter, operation)?;
        // What is said of the meaning alone is an edit too: the group may come to it after the words.
        if request.meaning.is_none() {
            changes_something(&effects)?;
        }
        self.lay_edit(under, kind, effects, request).await
    }

    /// What an operation does in a draft.
    pub(super) fn effects(&self, draft: &Draft, operation: Operation) -> Result<(EditKind, Vec<Effect>)> {
        let kind = operation.kind();
        let desk = self.desk(draft)?;
        Ok((kind, operation.effects(|concept| desk.said(concept))?))
    }

    pub(super) async fn lay_edit(
        &self,
        under: &mut Under<Draft>,
        kind: EditKind,
        mut effects: Vec<Effect>,
        request: EditRequest,
    ) -> Result<EditAnswer> {
        let EditRequest { reason, because, meaning } = request;
        if let Some(Because::Request(asked)) = because {
            let found = self.matter::<crate::workflow::ChangeRequest>(asked)?;
            let open = matches!(found.state, RequestState::Queued | RequestState::Assigned);
            if found.vocabulary != under.matter.vocabulary || !open {
                let (da, en) =
                    ("ønsket er lukket eller til et andet ordforråd", "the request is closed or of another vocabulary");
                return Err(unlawful("because", da, en));
            }
        }
        // The first to touch a concept lays down what the version below said, so that the draft can be read by itself.
        let desk = self.desk(&under.matter)?;
        for effect in &mut effects {
            if !under.matter.proposals().contains_key(&effect.concept) {
                effect.before = desk.below(effect.concept);
            }
        }
        drop(desk);
        under.step(DraftStep::Edited { kind, reason, because, meaning, effects }).await?;
        Ok(last_edit(&under.matter))
    }

    /// A concept that was not there: its uuid, and its content with the notation that it was named by.
    fn newcomer(
        &self,
        desk: &Desk<'_>,
        found: Option<Uuid>,
        key: Option<&str>,
        mut fields: ContentFields<String>,
    ) -> Result<(Uuid, ContentFields<String>)> {
        if let Some(concept) = found {
            return Ok((concept, fields));
        }
        if let Some(uuid) = key.and_then(|k| Uuid::try_parse(k).ok()) {
            return Ok((uuid, fields));
        }
        if fields.notation.is_none() {
            fields.notation = key.map(ToOwned::to_owned);
        }
        if key.is_some() && fields.notation.as_deref() != key {
            let (da, en) = ("adressen og notationen er forskellige", "the address and the notation differ");
            return Err(unlawful("notation", da, en));
        }
        let vocabulary = desk.plane.vocabulary().uuid();
        let named = fields.notation.as_deref().map(|n| Uuid::new_v5(&vocabulary, n.as_bytes()));
        // The same code gives the same concept in every registry, unless it named one before.
        let fresh = |u: &Uuid| desk.plane.sayings(*u).is_empty() && !desk.draft.proposals().contains_key(u);
        let uuid = match named.filter(fresh) {
            Some(uuid) => uuid,
            None => new_uuid(self.dice())?,
        };
        Ok((uuid, fields))
    }

    pub(super) fn operation(&self, desk: &Desk<'_>, wanted: OperationRequest) -> Result<Operation> {
        let there = |key: &str| desk.find(key).filter(|u| desk.said(*u).is_some()).ok_or_else(|| unknown(key));
        let mut also = BTreeMap::new();
        let mut place = |part: PartRequest, may_be_there: bool| -> Result<(Uuid, ContentFields<String>)> {
            let found = part.concept.as_deref().and_then(|k| desk.find(k));
            if let Some(uuid) = found.filter(|u| !may_be_there && desk.said(*u).is_some()) {
                let (da, en) = (format!("begrebet {uuid} er der allerede"), format!("the concept {uuid} is there"));
                return Err(Refusal::new(Code::Exists, da, en).at(Place::field("concept")));
            }
            let (uuid, fields) = self.newcomer(desk, found, part.concept.as_deref(), part.content)?;
            for key in part.concept.into_iter().chain(fields.notation.clone()).chain([uuid.to_string()]) {
                also.insert(key, uuid);
            }
            Ok((uuid, fields))
        };
        wanted.small_enough()?;
        Ok(match wanted {
            OperationRequest::Add(part) => {
                let (concept, fields) = place(part, false)?;
                Operation::Add(Part { concept, content: desk.content(fields, &also)? })
            }
            OperationRequest::Retire { concepts } => {
                Operation::Retire(concepts.iter().map(|c| there(c)).collect::<Result<_>>()?)
            }
            OperationRequest::Replace { old, new } => {
                let (old, (concept, fields)) = (there(&old)?, place(new, false)?);
                Operation::Replace { old, new: Part { concept, content: desk.content(fields, &also)? } }
            }
            OperationRequest::Split { old, into } => {
                let old = there(&old)?;
                let parts = into.into_iter().map(|part| place(part, false)).collect::<Result<Vec<_>>>()?;
                let part = |(concept, fields)| Ok(Part { concept, content: desk.content(fields, &also)? });
                Operation::Split { old, into: parts.into_iter().map(part).collect::<Result<_>>()? }
            }
            OperationRequest::Merge { old, into } => {
                let old = old.iter().map(|c| there(c)).collect::<Result<Vec<_>>>()?;
                let (concept, fields) = place(into, true)?;
                Operation::Merge { old, into: Part { concept, content: desk.content(fields, &also)? } }
            }
            OperationRequest::Move { concept, under, rank } => {
                let relation = |r: RelationRequest| {
                    Ok(Relation { kind: r.kind, target: there(&r.target)?, criterion: r.criterion, role: Vec::new() })
                };
                let under = under.into_iter().map(relation).collect::<Result<_>>()?;
                Operation::Move { concept: there(&concept)?, under, rank }
            }
        })
    }
}

impl Desk<'_> {
    /// What the registry knows of the vocabulary, as a plan wants it: from memory.
    pub(super) fn known(&self) -> super::super::plan::Known {
        let mut contents: std::collections::HashMap<crate::model::Digest, Arc<Content>> = Default::default();
        let states = self.plane.concepts().map(|(uuid, sayings)| {
            let state = |s: &Arc<crate::projection::Saying>| {
                let said = s.state.content();
                let content = contents.entry(said.digest).or_insert_with(|| Arc::new(said.content())).clone();
                crate::model::State::new(s.state.registered(), s.state.valid(), content)
            };
            (uuid, sayings.iter().map(state).collect())
        });
        let states = states.collect();
        super::super::plan::Known { states, versions: self.plane.versions().iter().map(|v| (**v).clone()).collect() }
    }
}

fn last_edit(draft: &Draft) -> EditAnswer {
    let number = draft.edits().len();
    EditAnswer::new(number, &draft.edits()[number - 1])
}

/// The refusal for a concept that a draft does not have.
pub(super) fn unknown(key: &str) -> Refusal {
    let (da, en) = (format!("kladden har ikke begrebet »{key}«"), format!("the draft has no concept '{key}'"));
    Refusal::new(Code::UnknownConcept, da, en)
}

/// Holds what a request was made of against what there is.
pub(super) fn precondition(
    desk: &Desk<'_>,
    concept: Option<Uuid>,
    now: Option<&Content>,
    matches: &Precondition,
    yours: impl FnOnce() -> Value,
) -> Result<()> {
    let met = match (matches, now) {
        (Precondition::Unsaid | Precondition::Absent, None) => true,
        (Precondition::Unsaid, Some(_)) => {
            let (da, en) =
                ("sig med If-Match, hvad ændringen bygger på", "say by If-Match what the change was made of");
            return Err(Refusal::new(Code::PreconditionRequired, da, en).allowed([now.map(tag).unwrap_or_default()]));
        }
        (Precondition::Any, now) => now.is_some(),
        (Precondition::Absent, Some(_)) | (Precondition::Tags(_), None) => false,
        (Precondition::Tags(tags), Some(now)) => tags.contains(&tag(now)),
    };
    if met {
        return Ok(());
    }
    let last = concept.and_then(|u| desk.draft.proposals().get(&u)).map(|p| p.edit).filter(|e| *e > 0);
    let edit = last.and_then(|n| Some((n, desk.draft.edits().get(n - 1)?)));
    let edit = edit.map(|(n, e)| json!({ "number": n, "at": e.stamp.at, "by": e.stamp.by, "reason": e.reason }));
    let current = json!({ "content": fields(now), "etag": now.map(tag), "edit": edit });
    Err(Refusal::new(
        Code::PreconditionFailed,
        "begrebet er et andet end det, ændringen bygger på",
        "the concept is another than the one that the change was made of",
    )
    .conflict(json!({ "current": current, "yours": yours() })))
}

/// Holds the tag of a draft against how many steps it has taken.
pub(super) fn draft_precondition(draft: &Draft, matches: &Precondition) -> Result<()> {
    let now = format!("\"{}\"", crate::workflow::Matter::steps(draft));
    match matches {
        Precondition::Tags(tags) if !tags.contains(&now) => {
            Err(Refusal::new(Code::PreconditionFailed, "kladden er ændret imens", "the draft was changed meanwhile")
                .conflict(json!({ "current": { "etag": now } })))
        }
        Precondition::Absent => Err(Refusal::new(Code::PreconditionFailed, "kladden er der", "the draft is there")),
        _ => Ok(()),
    }
}

/// Refuses what does not say which steps of the draft it was made of.
fn draft_said(draft: &Draft, matches: &Precondition) -> Result<()> {
    if *matches != Precondition::Unsaid {
        return draft_precondition(draft, matches);
    }
    let (da, en) =
        ("sig med If-Match, hvilken kladde ændringen bygger på", "say by If-Match which draft the change was made of");
    Err(Refusal::new(Code::PreconditionRequired, da, en)
        .allowed([format!("\"{}\"", crate::workflow::Matter::steps(draft))]))
}

fn patched(now: &Content, patch: &json_patch::Patch) -> Result<ContentFields<String>> {
    let mut value = serde_json::to_value(now.fields()).unwrap_or_default();
    let wrong = |e: &dyn std::fmt::Display| {
        let (da, en) = (format!("rettelsen kan ikke lægges på: {e}"), format!("the patch cannot be applied: {e}"));
        Refusal::new(Code::InvalidBody, da, en)
    };
    // Copies of copies grow without bound; a concept does not.
    if patch.0.len() > 1_000 {
        return Err(Refusal::new(Code::TooLarge, "rettelsen er for lang", "the patch is too long").allowed(["1000"]));
    }
    // Only what is copied is measured, so that a thousand copies do not measure the whole a thousand times.
    let mut copied = 0;
    for operation in &patch.0 {
        if let json_patch::PatchOperation::Copy(copy) = operation {
            copied += value.pointer(copy.from.as_str()).map_or(0, |from| from.to_string().len());
            if copied > MOST_COPIED {
                let (da, en) = ("rettelsen kopierer for meget", "the patch copies too much");
                return Err(Refusal::new(Code::TooLarge, da, en).allowed([format!("{MOST_COPIED} bytes")]));
            }
        }
        json_patch::patch(&mut value, std::slice::from_ref(operation)).map_err(|e| wrong(&e))?;
    }
    serde_json::from_value(value).map_err(|e| wrong(&e))
}

/// A day or an instant of a request, finite.
pub(super) fn instant(text: &str, field: &str) -> Result<Instant> {
    let instant: Instant = text.parse().map_err(|r: Refusal| r.at(Place::field(field)))?;
    if instant.is_finite() {
        Ok(instant)
    } else {
        Err(unlawful(field, "det er ikke et tidspunkt", "that is not an instant"))
    }
}
