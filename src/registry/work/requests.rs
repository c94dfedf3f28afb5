//! Change requests: anybody asks, a secretary answers. A request of somebody without an account waits until a link that
//! was sent by mail is followed; nothing of it is seen before. Others see what was asked and what came of it once
//! somebody has taken it on, never by whom.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::Registry;
use super::super::pages::{Paged, Pages};
use super::super::permission::{Actor, By, Command, not_signed_in, permit, permit_in};
use super::answers::{DraftAnswer, EditAnswer};
use super::edits::{EditRequest, OperationRequest, PartRequest, Precondition, precondition};
use super::{Under, begin, none, unlawful};
use crate::model::{
    Code, Content, ContentFields, Governance, Instant, Mail, Meaning, Name, Place, Refusal, Result, Secret, Slug,
    new_uuid,
};
use crate::projection::Plane;
use crate::store::{Contact, Errand, ErrandKind};
use crate::workflow::{
    Author, Base, Because, ChangeRequest, Draft, DraftStep, Line, Matter, Operation, Part, Prose, RequestOutcome,
    RequestState, RequestStep, Stamp, Track, changes_something, out_of_turn,
};

/// How long a request waits for its mail address to be confirmed, in days.
const DAYS: i64 = 7;
/// How many requests may wait for that, in all and for one mail address.
const MOST_PENDING: i64 = 5_000;
const MOST_FOR_ONE: i64 = 3;
/// How large the request of somebody who is not known may be, in bytes.
const LARGEST: usize = 256 << 10;

/// A request for a change.
#[derive(Clone, PartialEq, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskRequest {
    /// The slug of the vocabulary.
    pub vocabulary: Slug,
    /// The concept: uuid, notation or alias; absent for a new one, or for the whole vocabulary.
    #[serde(default)]
    pub concept: Option<String>,
    /// What it is called.
    pub title: Line,
    /// What is asked for, and why.
    pub text: Prose,
    /// In whose name.
    #[serde(default)]
    pub organisation: Option<Line>,
    /// The content that the concept should have, all of it.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub proposal: Option<ContentFields<String>>,
    /// Who asks; for those without an account.
    #[serde(default)]
    pub name: Option<Name>,
    /// Where the answer goes; for those without an account.
    #[serde(default)]
    pub mail: Option<Mail>,
}

/// What became of a request that was sent in.
#[derive(Clone, PartialEq, Debug)]
pub enum Submitted {
    /// It is in the queue.
    Queued(Box<RequestAnswer>),
    /// It waits until the link in a letter is followed.
    Pending(AskedAnswer),
}

/// A request that waits until its mail address is confirmed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct AskedAnswer {
    /// `unconfirmed`: a letter with a link is on its way, and nobody sees the request before the link is followed.
    pub state: &'static str,
    /// Until when the link leads somewhere.
    #[schema(value_type = String)]
    pub expires: Instant,
}

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

/// How much of a request somebody sees.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Eyes {
    Nothing,
    Public,
    Asker,
    Handler,
}

impl Registry {
    /// Takes a request in: of an account at once; of anybody else when a link that is sent by mail was followed. `peer`
    /// is where it comes from.
    ///
    /// # Errors
    /// [`Code::UnknownVocabulary`], [`Code::UnknownConcept`], what [`Content::new`] refuses; [`Code::NotSignedIn`]
    /// without an account where the registry sends no mail, [`Code::TooManyAttempts`].
    pub async fn ask_for_change(&self, actor: &Actor, request: AskRequest, peer: &str) -> Result<Submitted> {
        let contact = match (actor, &request.name, &request.mail) {
            (Actor::Public, Some(name), Some(mail)) => {
                self.slow_down(mail.as_str(), peer)?;
                Some((name.clone(), mail.clone()))
            }
            (Actor::Public, _, _) => {
                let (da, en) = ("uden konto skal navn og mailadresse med", "without an account it takes name and mail");
                return Err(Refusal::new(Code::NotSignedIn, da, en).at(Place::field("mail")).allowed(["name", "mail"]));
            }
            (_, None, None) => {
                person(actor)?;
                None
            }
            _ => {
                let (da, en) =
                    ("navn og mailadresse er for dem uden konto", "name and mail are for those without account");
                return Err(unlawful("mail", da, en));
            }
        };
        let step = self.asked(&request)?;
        let Some((name, mail)) = contact else {
            let (mut write, stamp) = self.lock(actor).await?;
            let made: ChangeRequest = begin(&mut write, new_uuid(self.dice())?, &stamp, step).await?;
            self.settle(write).await?;
            return Ok(Submitted::Queued(Box::new(self.request_answer(&made, Eyes::Asker)?)));
        };
        let organisation = request.organisation.map(String::from);
        self.pend(Contact { uuid: new_uuid(self.dice())?, name, mail, organisation }, &step)
            .await
            .map(Submitted::Pending)
    }

    /// Whether the registry sends mail, so that somebody without an account can follow a link that it sent.
    ///
    /// # Errors
    /// [`Code::NotSignedIn`] where mail was never turned on; [`Code::Database`].
    pub async fn needs_mail(&self) -> Result<()> {
        if self.store.mail_position().await?.is_some() {
            return Ok(());
        }
        let (da, en) = ("registret sender ikke mail; log ind", "the registry sends no mail; sign in");
        Err(Refusal::new(Code::NotSignedIn, da, en))
    }

    /// Keeps a request until its link is followed.
    async fn pend(&self, contact: Contact, step: &RequestStep) -> Result<AskedAnswer> {
        self.needs_mail().await?;
        let body =
            serde_json::to_string(step).map_err(|e| Refusal::new(Code::Internal, e.to_string(), e.to_string()))?;
        if body.len() > LARGEST {
            let (da, en) = ("ønsket er for langt", "the request is too long");
            return Err(Refusal::new(Code::TooLarge, da, en).allowed([format!("{LARGEST} bytes")]));
        }
        let vocabulary = match step {
            RequestStep::Submitted { vocabulary, .. } => *vocabulary,
            _ => Uuid::nil(),
        };
        let mut write = self.store.write(&Actor::Public.name(), self.clock.now()).await?;
        write.sweep_errands().await?;
        let kind = ErrandKind::PendingRequest;
        let (all, for_one) = (write.errands_of(kind).await?, write.errands_for(kind, &contact.mail).await?);
        if all >= MOST_PENDING || for_one >= MOST_FOR_ONE {
            return Err(Refusal::new(
                Code::TooManyAttempts,
                "der venter for mange ønsker på at blive bekræftet; bekræft dem, eller prøv igen senere",
                "too many requests wait to be confirmed; confirm them, or try again later",
            )
            .retry_after(86_400));
        }
        let expires = Instant::from_micros(write.at().micros().saturating_add(DAYS * 86_400_000_000));
        let errand = Errand {
            uuid: new_uuid(self.dice())?,
            kind,
            matter: new_uuid(self.dice())?,
            subject: vocabulary,
            contact: Some(contact.uuid),
            body,
            expires,
        };
        write.put_contact(&contact).await?;
        // Its link is made when the letter is composed.
        write.put_errand(&errand, None).await?;
        write.ask_confirmation(vocabulary, errand.uuid).await?;
        self.settle(write).await?;
        Ok(AskedAnswer { state: "unconfirmed", expires })
    }

    /// Whether a link still leads to a request that waits.
    ///
    /// # Errors
    /// [`Code::Expired`].
    pub async fn pending_request(&self, link: &Secret) -> Result<()> {
        let found = self.store.errand(link.digest()).await?;
        self.waits(found).map(drop)
    }

    /// Puts the request into the queue whose link was followed.
    ///
    /// # Errors
    /// [`Code::Expired`] for a link that was used, has run out, or never was.
    pub async fn confirm_request(&self, link: &Secret) -> Result<RequestAnswer> {
        let found = self.waits(self.store.errand(link.digest()).await?)?;
        let by = Author::Contact(found.contact.ok_or_else(gone)?);
        let mut write = self.store.write(&by.to_string(), self.clock.now()).await?;
        // Somebody may have followed it meanwhile.
        let errand = self.waits(write.errand(link.digest()).await?)?;
        let step = serde_json::from_str(&errand.body)
            .map_err(|e| Refusal::new(Code::Corrupt, e.to_string(), e.to_string()))?;
        let stamp = Stamp { at: write.at(), by };
        let made: ChangeRequest = begin(&mut write, errand.matter, &stamp, step).await?;
        write.drop_errand(errand.uuid).await?;
        self.settle(write).await?;
        self.request_answer(&made, Eyes::Asker)
    }

    fn waits(&self, errand: Option<Errand>) -> Result<Errand> {
        let waits = |e: &Errand| e.kind == ErrandKind::PendingRequest && e.expires > self.clock.now();
        errand.filter(waits).ok_or_else(gone)
    }

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

    /// The step of what is asked for. What is proposed must be lawful over the version in force, read as a draft over
    /// it would read it.
    fn asked(&self, request: &AskRequest) -> Result<RequestStep> {
        let plane = self.plane(request.vocabulary.as_str())?;
        let concept = request.concept.as_deref().map(|key| self.named(&plane, key)).transpose()?;
        let proposal = match request.proposal.clone() {
            None => None,
            Some(fields) => Some(Box::new(self.lawful(&plane, fields)?.into_fields())),
        };
        Ok(RequestStep::Submitted {
            vocabulary: plane.vocabulary().uuid(),
            concept,
            title: request.title.clone(),
            text: request.text.clone(),
            organisation: request.organisation.clone(),
            proposal,
        })
    }

    fn lawful(&self, plane: &Plane, fields: ContentFields<String>) -> Result<Content> {
        let base = self.in_force(plane).map(|v| Base { version: v.uuid, label: v.label.clone() });
        let opened = DraftStep::Opened {
            vocabulary: plane.vocabulary().uuid(),
            title: "-".parse()?,
            purpose: None,
            group: None,
            base,
            minor: true,
        };
        let stamp = Stamp { at: self.clock.now(), by: Author::Clock };
        let unopened = Draft::begin(Uuid::nil(), &stamp, opened)?;
        let desk = self.desk(&unopened)?;
        desk.content(fields, &BTreeMap::new()).map_err(|mut r| {
            let field = r.place.field.take();
            r.place.field = Some(field.map_or_else(|| "proposal".to_owned(), |f| format!("proposal.{f}")));
            r
        })
    }

    /// The concept that a key names: a uuid, else what is called so in force, else what was once.
    fn named(&self, plane: &Plane, key: &str) -> Result<Uuid> {
        let uuid = Uuid::try_parse(key).ok().filter(|u| !plane.sayings(*u).is_empty());
        let called = || {
            let now = self.in_force(plane).and_then(|v| {
                let edition = self.projections.edition(plane, v.point());
                plane.called(key).iter().copied().find(|u| edition.get(*u).is_some())
            });
            now.or_else(|| plane.called(key).first().copied())
        };
        uuid.or_else(called).ok_or_else(|| {
            let (slug, key) = (plane.vocabulary().slug(), key.chars().take(200).collect::<String>());
            let (da, en) = (format!("{slug} har ikke »{key}«"), format!("{slug} does not have '{key}'"));
            Refusal::new(Code::UnknownConcept, da, en).at(Place::field("concept"))
        })
    }

    /// How much of a request an actor may see.
    fn eyes(&self, actor: &Actor, request: &ChangeRequest) -> Eyes {
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

    fn request_answer(&self, request: &ChangeRequest, eyes: Eyes) -> Result<RequestAnswer> {
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

/// A person: somebody who is signed in, or who holds the database. A token asks for nothing in its person's name.
fn person(actor: &Actor) -> Result<Author> {
    if let Actor::Account(caller) = actor
        && matches!(caller.by, By::Token(..))
    {
        let (da, en) = ("det rækker et token ikke til", "this is beyond a token");
        return Err(Refusal::new(Code::NotAllowed, da, en));
    }
    actor.author()
}

fn open(request: &ChangeRequest) -> Result<()> {
    match request.state {
        RequestState::Queued | RequestState::Assigned => Ok(()),
        _ => Err(out_of_turn("ønsket er afsluttet", "the request is closed")),
    }
}

fn gone() -> Refusal {
    let (da, en) = ("linket er brugt eller udløbet", "the link was used or has run out");
    Refusal::new(Code::Expired, da, en)
}
