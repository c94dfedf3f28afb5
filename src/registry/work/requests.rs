//! Change requests as they are shown: others see what was asked and what came of it once somebody has taken it on,
//! never by whom.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::Registry;
use super::super::pages::{Paged, Pages};
use super::super::permission::{Actor, Command, permit};
use super::asking::person;
use super::handling::FoundEdit;
use super::none;
use crate::model::{Code, ContentFields, Instant, Mail, Name, Place, Refusal, Result, Slug};
use crate::store::Contact;
use crate::workflow::{Author, ChangeRequest, Draft, Line, Prose, RequestOutcome, RequestState, Stamp, Track};

/// Which requests to list.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RequestFilter {
    /// Of one vocabulary, by its slug.
    pub vocabulary: Option<String>,
    /// In one state.
    #[param(value_type = Option<String>)]
    pub state: Option<RequestState>,
    /// About one concept: its uuid; with `vocabulary` also its notation or alias.
    pub concept: Option<String>,
}

/// A change request, as far as the one who reads it may see it.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestAnswer {
    /// For ever.
    pub uuid: Uuid,
    /// The slug of the vocabulary.
    pub vocabulary: Slug,
    /// The concept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concept: Option<Uuid>,
    /// What it is called.
    pub title: Line,
    /// What is asked for, and why.
    pub text: Prose,
    /// In whose name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Line>,
    /// The content that is proposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub proposal: Option<ContentFields>,
    /// Where it stands.
    pub state: RequestState,
    /// When it was submitted.
    #[schema(value_type = String)]
    pub submitted: Instant,
    /// By whom: for those who handle it, and for the one who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Who that is when there is no account: for those who handle it, of one request at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactAnswer>,
    /// Who took it on, and why: for those who handle it, and for the one who asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assignments: Vec<AssignmentAnswer>,
    /// What became of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeAnswer>,
    /// The edit that it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit: Option<FoundEdit>,
    /// The request that asked for the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<Uuid>,
}

/// Somebody without an account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct ContactAnswer {
    /// The contact itself: by it the person can be erased.
    pub uuid: Uuid,
    /// What the person is called.
    pub name: Name,
    /// Where mail goes.
    pub mail: Mail,
}

impl From<Contact> for ContactAnswer {
    fn from(Contact { uuid, name, mail, .. }: Contact) -> Self {
        Self { uuid, name, mail }
    }
}

/// Somebody took a request on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct AssignmentAnswer {
    /// When.
    #[schema(value_type = String)]
    pub at: Instant,
    /// By whom it was decided: for those who handle requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Who takes it on.
    pub track: Track,
    /// Why.
    pub reason: String,
}

/// What became of a request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct OutcomeAnswer {
    /// When.
    #[schema(value_type = String)]
    pub at: Instant,
    /// Who answered: for those who handle requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The outcome.
    pub outcome: RequestOutcome,
    /// Why.
    pub reason: String,
}

/// How much of a request somebody sees.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Eyes {
    Nothing,
    Public,
    Asker,
    Handler,
}

impl Registry {
    /// The requests that somebody may see, the oldest first.
    ///
    /// # Errors
    /// [`Code::UnknownVocabulary`], [`Code::UnknownConcept`]; as [`Pages::since`].
    pub fn change_requests(
        &self,
        actor: &Actor,
        filter: &RequestFilter,
        pages: &Pages,
    ) -> Result<Paged<RequestAnswer>> {
        let plane = filter.vocabulary.as_deref().map(|slug| self.plane(slug)).transpose()?;
        let concept = match (&filter.concept, &plane) {
            (None, _) => None,
            (Some(key), Some(plane)) => Some(self.named(plane, key)?),
            (Some(key), None) => Some(Uuid::try_parse(key).map_err(|_| {
                let (da, en) = ("uden ordforråd er et begreb en uuid", "without a vocabulary a concept is a uuid");
                Refusal::new(Code::InvalidParameter, da, en).at(Place::field("concept")).allowed(["a uuid"])
            })?),
        };
        let of = plane.as_ref().map(|p| p.vocabulary().uuid());
        let snapshot = self.snapshot();
        let wanted = |r: &&Arc<ChangeRequest>| {
            of.is_none_or(|v| r.vocabulary == v)
                && filter.state.is_none_or(|s| r.state == s)
                && concept.is_none_or(|c| r.concept == Some(c))
        };
        let seen: Vec<_> = snapshot
            .matters
            .all::<ChangeRequest>()
            .filter(wanted)
            .map(|r| (r, self.eyes(actor, r)))
            .filter(|(_, eyes)| *eyes != Eyes::Nothing)
            .collect();
        let page = pages.since(seen, |(r, _)| (r.submitted.at, r.uuid))?;
        let items = page.items.into_iter().map(|(r, eyes)| self.request_answer(r, eyes)).collect::<Result<_>>()?;
        Ok(Paged { items, total: page.total, next: page.next })
    }

    /// A request.
    ///
    /// # Errors
    /// [`Code::NotFound`], also for one that is not for the eyes of the one who asks.
    pub async fn change_request(&self, actor: &Actor, uuid: Uuid) -> Result<RequestAnswer> {
        let request = self.matter::<ChangeRequest>(uuid)?;
        let eyes = self.eyes(actor, &request);
        if eyes == Eyes::Nothing {
            return Err(none(uuid));
        }
        let mut answer = self.request_answer(&request, eyes)?;
        if let (Eyes::Handler, Author::Contact(contact)) = (eyes, &request.submitted.by) {
            let found = self.store.contact(*contact).await?;
            answer.contact = found.map(Into::into);
        }
        Ok(answer)
    }

    /// How much of a request an actor may see.
    pub(super) fn eyes(&self, actor: &Actor, request: &ChangeRequest) -> Eyes {
        let handles = |v: Arc<crate::model::Vocabulary>| permit(actor, Command::HandleRequests, Some(&v)).is_ok();
        if self.vocabulary_by(request.vocabulary).is_ok_and(handles) {
            return Eyes::Handler;
        }
        // A token is for what it was made for, not for all that its person may see.
        if person(actor).is_ok_and(|by| by == request.submitted.by) {
            return Eyes::Asker;
        }
        match request.state {
            RequestState::Assigned | RequestState::Accepted | RequestState::Closed => Eyes::Public,
            RequestState::Queued | RequestState::Withdrawn => Eyes::Nothing,
        }
    }

    pub(super) fn request_answer(&self, request: &ChangeRequest, eyes: Eyes) -> Result<RequestAnswer> {
        let by = |stamp: &Stamp| (eyes == Eyes::Handler).then(|| stamp.by.to_string());
        let inside = matches!(eyes, Eyes::Asker | Eyes::Handler);
        let assignment = |(stamp, track, reason): &(Stamp, Track, Prose)| AssignmentAnswer {
            at: stamp.at,
            by: by(stamp),
            track: *track,
            reason: reason.to_string(),
        };
        let outcome = |(stamp, outcome, reason): &(Stamp, RequestOutcome, Prose)| OutcomeAnswer {
            at: stamp.at,
            by: by(stamp),
            outcome: *outcome,
            reason: reason.to_string(),
        };
        let snapshot = self.snapshot();
        let edit = request.edit.map(|(draft, number)| {
            let version = snapshot.matters.get::<Draft>(draft).and_then(|d| d.publication().map(|p| p.label.clone()));
            FoundEdit { draft, number, version }
        });
        Ok(RequestAnswer {
            uuid: request.uuid,
            vocabulary: self.vocabulary_by(request.vocabulary)?.slug().clone(),
            concept: request.concept,
            title: request.title.clone(),
            text: request.text.clone(),
            organisation: request.organisation.clone(),
            proposal: request.proposal.as_deref().cloned(),
            state: request.state,
            submitted: request.submitted.at,
            by: inside.then(|| request.submitted.by.to_string()),
            contact: None,
            assignments: request.assigned.iter().filter(|_| inside).map(assignment).collect(),
            outcome: request.outcome.as_ref().map(outcome),
            edit,
            duplicate_of: request.duplicate_of,
        })
    }
}
