//! What a secretary does with a change request: assigns it, closes it, or makes it an edit of a draft.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::Registry;
use super::super::permission::{Actor, Command, not_signed_in, permit, permit_in};
use super::answers::{DraftAnswer, EditAnswer};
use super::asking::person;
use super::edits::{EditRequest, OperationRequest, PartRequest, Precondition, precondition};
use super::requests::{Eyes, RequestAnswer};
use super::{Under, begin, none, unlawful};
use crate::model::{Code, ContentFields, Governance, Meaning, Place, Refusal, Result, new_uuid};
use crate::workflow::{
    Base, Because, ChangeRequest, Draft, DraftStep, Matter, Operation, Part, Prose, RequestOutcome, RequestState,
    RequestStep, Stamp, Track, changes_something, out_of_turn,
};

/// Somebody takes a request on.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignRequest {
    /// `"secretariat"`, or `{"group": UUID}`.
    pub track: Track,
    /// Why.
    pub reason: Prose,
}

/// A request is answered, otherwise than by an edit.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OutcomeRequest {
    /// `declined`, `duplicate` or `outOfScope`.
    pub outcome: RequestOutcome,
    /// Why.
    pub reason: Prose,
    /// The request that asked for the same.
    #[serde(default)]
    pub duplicate_of: Option<Uuid>,
}

/// A request becomes an edit of a draft: by the content it proposes, by other content, or by an operation.
#[derive(Clone, PartialEq, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptRequest {
    /// The draft; `null` lets the secretariat open one for it: a small one, unless it is more than a small change.
    pub draft: Option<Uuid>,
    /// Why.
    pub reason: Prose,
    /// The content of the concept; what was proposed when absent.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub content: Option<ContentFields<String>>,
    /// An edit of several concepts instead.
    #[serde(default)]
    pub operation: Option<OperationRequest>,
    /// Whether what it redefines means something else than in the version below.
    #[serde(default)]
    pub meaning: Option<Meaning>,
}

/// An edit of a draft, and the version that the draft became.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct FoundEdit {
    /// The draft.
    pub draft: Uuid,
    /// The number of the edit in it.
    pub number: usize,
    /// The label of the version that the draft was published as.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub version: Option<crate::model::Label>,
}

/// A request that became an edit.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct AcceptedAnswer {
    /// The request.
    pub request: RequestAnswer,
    /// The edit.
    pub edit: EditAnswer,
    /// The draft.
    pub draft: DraftAnswer,
}

fn open(request: &ChangeRequest) -> Result<()> {
    match request.state {
        RequestState::Queued | RequestState::Assigned => Ok(()),
        _ => Err(out_of_turn("ønsket er afsluttet", "the request is closed")),
    }
}

impl Registry {
    /// Puts on record who takes a request on.
    ///
    /// # Errors
    /// [`Code::NotAllowed`], [`Code::NotFound`], [`Code::Phase`] for one that is closed.
    pub async fn assign_request(&self, actor: &Actor, uuid: Uuid, request: AssignRequest) -> Result<RequestAnswer> {
        if let Track::Group(group) = request.track {
            self.group_there(group).await.map_err(|r| r.at(Place::field("track.group")))?;
        }
        let mut under = self.request_for(actor, uuid).await?;
        under.step(RequestStep::Assigned { track: request.track, reason: request.reason }).await?;
        self.settle(under.write).await?;
        self.request_answer(&under.matter, Eyes::Handler)
    }

    /// Answers a request with a reason, otherwise than by an edit.
    ///
    /// # Errors
    /// As [`Registry::assign_request`]; [`Code::Unlawful`] for what does not go together.
    pub async fn close_request(&self, actor: &Actor, uuid: Uuid, request: OutcomeRequest) -> Result<RequestAnswer> {
        let mut under = self.request_for(actor, uuid).await?;
        let OutcomeRequest { outcome, reason, duplicate_of } = request;
        if outcome == RequestOutcome::Accepted {
            let (da, en) =
                ("et ønske imødekommes ved at blive en rettelse", "a request is accepted by becoming an edit");
            return Err(unlawful("outcome", da, en).allowed(["declined", "duplicate", "outOfScope"]));
        }
        if (outcome == RequestOutcome::Duplicate) != duplicate_of.is_some() {
            let (da, en) = ("det hører til en dublet og kun til den", "it belongs to a duplicate and to nothing else");
            return Err(unlawful("duplicateOf", da, en));
        }
        if let Some(other) = duplicate_of {
            let there = self.matter_in::<ChangeRequest>(&mut under.write, other).await;
            let there = there.map_err(|r| r.at(Place::field("duplicateOf")))?;
            if other == uuid || there.vocabulary != under.matter.vocabulary {
                let (da, en) =
                    ("det er et andet ønske til samme ordforråd", "that is another request of the vocabulary");
                return Err(unlawful("duplicateOf", da, en));
            }
        }
        under.step(RequestStep::Closed { outcome, reason, duplicate_of }).await?;
        self.settle(under.write).await?;
        self.request_answer(&under.matter, Eyes::Handler)
    }

    /// Takes a request back.
    ///
    /// # Errors
    /// [`Code::NotSignedIn`]; [`Code::NotAllowed`] for another's request; [`Code::Phase`] for one that is closed.
    pub async fn withdraw_request(&self, actor: &Actor, uuid: Uuid) -> Result<RequestAnswer> {
        let by = person(actor)?;
        let mut under = self.under::<ChangeRequest>(actor, uuid).await?;
        match self.eyes(actor, &under.matter) {
            _ if under.matter.submitted.by == by => {}
            Eyes::Nothing => return Err(none(uuid)),
            _ => {
                let (da, en) = ("ønsket er en andens", "the request is somebody else's");
                return Err(Refusal::new(Code::NotAllowed, da, en));
            }
        }
        under.step(RequestStep::Withdrawn).await?;
        self.settle(under.write).await?;
        self.request_answer(&under.matter, Eyes::Asker)
    }

    /// Makes of a request an edit of a draft, and closes it as accepted: both, or neither. The edit names the request,
    /// the request the edit.
    ///
    /// # Errors
    /// [`Code::NotAllowed`], [`Code::NotFound`], [`Code::Phase`]; what an edit of the draft refuses. What was proposed
    /// for other content than the draft has by now needs a precondition, as does content of the request's own.
    pub async fn accept_request(
        &self,
        actor: &Actor,
        uuid: Uuid,
        request: AcceptRequest,
        matches: &Precondition,
    ) -> Result<AcceptedAnswer> {
        let AcceptRequest { draft, reason, content, operation, meaning } = request;
        let asked = self.request_for(actor, uuid).await?;
        open(&asked.matter)?;
        let Under { write, matter: asked, stamp, .. } = asked;
        let made = |draft: &Draft| self.made_of(draft, &asked, content.clone(), operation.clone(), matches);
        let mut under = self.draft_of(actor, write, stamp, &asked, draft, &made).await?;
        let operation = made(&under.matter)?;
        let because = Some(Because::Request(uuid));
        let edit =
            self.operate(&mut under, operation, EditRequest { reason: reason.clone(), because, meaning }).await?;
        let Under { write, matter: draft, stamp, .. } = under;
        let mut asked = Under { write, matter: asked, uuid, stamp };
        asked.step(RequestStep::Accepted { draft: draft.uuid, edit: edit.number, reason }).await?;
        self.settle(asked.write).await?;
        let request = self.request_answer(&asked.matter, Eyes::Handler)?;
        Ok(AcceptedAnswer { request, edit, draft: self.draft_answer(&draft)? })
    }

    /// The draft that a request goes into: one that is there, or one that the secretariat opens for it: a small one
    /// unless what is `made` of the request is more than a small change.
    async fn draft_of(
        &self,
        actor: &Actor,
        mut write: crate::store::Write,
        stamp: Stamp,
        asked: &ChangeRequest,
        draft: Option<Uuid>,
        made: &impl Fn(&Draft) -> Result<Operation>,
    ) -> Result<Under<Draft>> {
        let vocabulary = self.vocabulary_by(asked.vocabulary)?;
        if let Some(uuid) = draft {
            let mut matter =
                self.matter_in::<Draft>(&mut write, uuid).await.map_err(|r| r.at(Place::field("draft")))?;
            if matter.vocabulary != asked.vocabulary {
                let (da, en) = ("kladden er til et andet ordforråd", "the draft is of another vocabulary");
                return Err(unlawful("draft", da, en));
            }
            matter.advance(stamp.at);
            permit_in(actor, Command::EditDraft, &vocabulary, matter.phase(stamp.at))?;
            return Ok(Under { write, matter, uuid, stamp });
        }
        permit(actor, Command::OpenDraft, Some(&vocabulary))?;
        permit(actor, Command::EditDraft, Some(&vocabulary))?;
        if let Some((_, Track::Group(group), _)) = asked.assigned.last() {
            let (da, en) =
                ("en gruppe har taget ønsket på sig; nævn dens kladde", "a group has taken it on; name its draft");
            return Err(unlawful("draft", da, en).items([group.to_string()]));
        }
        if vocabulary.fields().governance == Governance::Mirror {
            let (da, en) = ("ordforrådet gengiver en andens udgaver", "the vocabulary mirrors the editions of others");
            return Err(Refusal::new(Code::Governance, da, en).allowed(["hearing", "committee", "direct"]));
        }
        let base = {
            let snapshot = self.snapshot();
            let plane = snapshot.by_uuid(asked.vocabulary).ok_or_else(|| none(asked.vocabulary))?;
            self.in_force(plane).map(|v| Base { version: v.uuid, label: v.label.clone() })
        };
        let opened = |minor| DraftStep::Opened {
            vocabulary: asked.vocabulary,
            title: asked.title.clone(),
            purpose: None,
            group: None,
            base: base.clone(),
            minor,
        };
        let minor = {
            let mut trial = Draft::begin(Uuid::nil(), &stamp, opened(true))?;
            let (kind, effects) = self.effects(&trial, made(&trial)?)?;
            changes_something(&effects)?;
            let (reason, because) = ("-".parse()?, None);
            trial.take(&stamp, DraftStep::Edited { kind, reason, because, meaning: None, effects })?;
            trial.more_than_minor().is_empty()
        };
        let uuid = new_uuid(self.dice())?;
        let matter = begin::<Draft>(&mut write, uuid, &stamp, opened(minor)).await?;
        Ok(Under { write, matter, uuid, stamp })
    }

    /// What is to be done in a draft for a request.
    fn made_of(
        &self,
        draft: &Draft,
        asked: &ChangeRequest,
        content: Option<ContentFields<String>>,
        operation: Option<OperationRequest>,
        matches: &Precondition,
    ) -> Result<Operation> {
        let desk = self.desk(draft)?;
        let own = content.is_some();
        let fields = match (content, operation, &asked.proposal) {
            (Some(_), Some(_), _) => {
                let (da, en) = ("enten content eller operation", "either content or operation");
                return Err(unlawful("operation", da, en));
            }
            (None, Some(operation), _) => return self.operation(&desk, operation),
            (Some(fields), None, _) => fields,
            (None, None, Some(proposal)) => (**proposal).clone().try_map_targets(|t| Ok(t.to_string()))?,
            (None, None, None) => {
                let (da, en) = ("ønsket er tekst; sig, hvad der skal stå", "the request is text; say what is to stand");
                return Err(unlawful("content", da, en).allowed(["content", "operation"]));
            }
        };
        let Some(concept) = asked.concept else {
            return self.operation(&desk, OperationRequest::Add(PartRequest { concept: None, content: fields }));
        };
        let now = desk.said(concept);
        // Whoever proposed it saw what was in force then: what others wrote since must not be lost unseen.
        let then = self.edition_then(&desk.plane, asked.submitted.at);
        let seen = then.get(concept).map(|e| Arc::new(e.said().content()));
        if own || seen != now {
            precondition(&desk, Some(concept), now.as_deref(), matches, || json!(fields))?;
        }
        let mut fields = fields;
        // Who does not say where a concept stands among its siblings does not ask for it to be moved.
        fields.rank = fields.rank.or(now.as_ref().and_then(|c| c.fields().rank));
        let part = Part { concept, content: desk.content(fields, &BTreeMap::new())? };
        Ok(if now.is_some() { Operation::Change(part) } else { Operation::Add(part) })
    }

    /// A request under the lock, for one who handles requests of its vocabulary.
    async fn request_for(&self, actor: &Actor, uuid: Uuid) -> Result<Under<ChangeRequest>> {
        if matches!(actor, Actor::Public) {
            return Err(not_signed_in());
        }
        let under = self.under::<ChangeRequest>(actor, uuid).await?;
        permit(actor, Command::HandleRequests, Some(&*self.vocabulary_by(under.matter.vocabulary)?))?;
        Ok(under)
    }
}
