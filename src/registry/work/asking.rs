//! A change is asked for: anybody asks. A request of somebody without an account waits until a link that was sent by
//! mail is followed; nothing of it is seen before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::Registry;
use super::super::permission::{Actor, By};
use super::requests::{Eyes, RequestAnswer};
use super::{begin, unlawful};
use crate::model::{Code, Content, ContentFields, Instant, Mail, Name, Place, Refusal, Result, Secret, Slug, new_uuid};
use crate::projection::Plane;
use crate::store::{Contact, Errand, ErrandKind};
use crate::workflow::{Author, Base, ChangeRequest, Draft, DraftStep, Line, Matter, Prose, RequestStep, Stamp};

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

/// A person: somebody who is signed in, or who holds the database. A token asks for nothing in its person's name.
pub(super) fn person(actor: &Actor) -> Result<Author> {
    if let Actor::Account(caller) = actor
        && matches!(caller.by, By::Token(..))
    {
        let (da, en) = ("det rækker et token ikke til", "this is beyond a token");
        return Err(Refusal::new(Code::NotAllowed, da, en));
    }
    actor.author()
}

fn gone() -> Refusal {
    let (da, en) = ("linket er brugt eller udløbet", "the link was used or has run out");
    Refusal::new(Code::Expired, da, en)
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

    /// The step of what is asked for. What is proposed must be lawful over the version in force, read as a draft over
    /// it would read it.
    pub(super) fn asked(&self, request: &AskRequest) -> Result<RequestStep> {
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
    pub(super) fn named(&self, plane: &Plane, key: &str) -> Result<Uuid> {
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
}
