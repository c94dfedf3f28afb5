//! The parties of a hearing: invited, known by the personal link that they follow.

use std::collections::BTreeMap;

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::Registry;
use super::super::pages::{Paged, Pages};
use super::super::permission::{Actor, Command, Guest, Visitor};
use super::answers_hearing::{LinkAnswer, PartyAnswer};
use super::hearings::days_after;
use super::none;
use super::requests::ContactAnswer;
use crate::model::{Code, Instant, Mail, Name, Refusal, Result, Secret, new_uuid};
use crate::store::{Contact, Errand, ErrandKind, Write};
use crate::workflow::{Draft, DraftStep, Hearing, Line, Party};

/// What stands before the secret of every personal link, so that one that was left somewhere can be found.
pub(crate) const PREFIX: &str = "begreb_h_";

/// How long a personal link leads somewhere at most, in days.
const LINK_DAYS: i64 = 365;

/// Somebody to ask.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartyRequest {
    /// The organisation.
    pub organisation: Line,
    /// The person there.
    pub name: Name,
    /// Where mail goes.
    pub mail: Mail,
}

/// The page where a party answers.
pub(crate) fn answer_page(hearing: Uuid, secret: &Secret) -> String {
    format!("/hearings/{hearing}/answer?link={}", secret.expose())
}

/// What is kept of a personal link.
pub(crate) fn link_errand(uuid: Uuid, draft: Uuid, party: Uuid, contact: Uuid, at: Instant) -> Errand {
    let expires = days_after(at, LINK_DAYS);
    let body = "{}".to_owned();
    Errand { uuid, kind: ErrandKind::PartyLink, matter: draft, subject: party, contact: Some(contact), body, expires }
}

/// Whether a personal link still is what it was when it was shown: asked under the lock.
pub(super) async fn still_guest(write: &mut Write, guest: &Guest) -> Result<()> {
    let errand = write.errand_by(guest.errand).await?;
    let stands =
        errand.is_some_and(|e| e.kind == ErrandKind::PartyLink && e.subject == guest.party && e.expires > write.at());
    if stands { Ok(()) } else { Err(leads_nowhere()) }
}

pub(super) fn leads_nowhere() -> Refusal {
    let (da, en) = ("linket er udløbet, fornyet eller forkert", "the link has run out, was renewed, or is wrong");
    Refusal::new(Code::Expired, da, en)
}

impl Registry {
    /// The party that a personal link was sent to.
    ///
    /// # Errors
    /// [`Code::Expired`] when it leads nowhere any more, or never did.
    pub async fn by_party_link(&self, secret: &Secret) -> Result<Guest> {
        let errand = self.store.errand(secret.digest()).await?;
        let errand = errand.filter(|e| e.kind == ErrandKind::PartyLink && e.expires > self.clock.now());
        let guest = errand.and_then(|e| self.guest(&e));
        guest.ok_or_else(leads_nowhere)
    }

    /// The party that an errand is about, while its hearing is not completed: of one that was called off a party may
    /// still read what it said.
    fn guest(&self, errand: &Errand) -> Option<Guest> {
        let draft = self.matter::<Draft>(errand.matter).ok()?;
        let asked = |h: &&Hearing| h.party(errand.subject).is_ok();
        let hearing = draft.hearings().iter().find(asked).filter(|h| h.completed.is_none())?;
        let contact = hearing.party(errand.subject).ok()?.contact;
        Some(Guest { errand: errand.uuid, draft: draft.uuid, hearing: hearing.uuid, party: errand.subject, contact })
    }

    /// Asks somebody to answer a hearing.
    ///
    /// # Errors
    /// [`Code::Phase`] when it is over, [`Code::TooLarge`].
    pub async fn invite_party(&self, actor: &Actor, hearing: Uuid, request: PartyRequest) -> Result<PartyAnswer> {
        let mut under = self.hearing_for(actor, hearing, Command::HoldHearing).await?;
        for (party, _) in &under.matter.hearing(hearing)?.parties {
            let known = under.write.contact(party.contact).await?;
            if party.organisation == request.organisation && known.is_some_and(|k| k.mail == request.mail) {
                let (da, en) = ("den part er inviteret", "that party is invited");
                return Err(Refusal::new(Code::Exists, da, en).at(crate::model::Place::field("mail")));
            }
        }
        let contact = Contact {
            uuid: new_uuid(self.dice())?,
            name: request.name,
            mail: request.mail,
            organisation: Some(request.organisation.to_string()),
        };
        let uuid = new_uuid(self.dice())?;
        under.write.put_contact(&contact).await?;
        let party = Party { uuid, organisation: request.organisation, contact: contact.uuid };
        under.step(DraftStep::PartyInvited { hearing, party: party.clone() }).await?;
        let shown = ContactAnswer::from(contact);
        let answer = PartyAnswer::new(under.matter.hearing(hearing)?, &party, &under.stamp, Some(shown));
        self.settle(under.write).await?;
        Ok(answer)
    }

    /// The parties of a hearing, each with whether it has answered; with who they are for those who make the draft.
    ///
    /// # Errors
    /// [`Code::NotFound`], [`Code::Database`].
    pub async fn parties(&self, visitor: &Visitor, hearing: Uuid, paging: &Pages) -> Result<Paged<PartyAnswer>> {
        let sight = self.sight(visitor, hearing)?;
        let mut contacts = BTreeMap::new();
        if visitor.is_insider(&sight.vocabulary) {
            contacts = self.store.contacts().await?.into_iter().map(|c| (c.uuid, c)).collect();
        }
        let who = |p: &Party| contacts.get(&p.contact).cloned().map(ContactAnswer::from);
        let parties = sight.hearing.parties.iter().collect();
        let parties = paging.cut(parties, |(p, invited)| (invited.at.micros(), p.uuid))?;
        parties.try_map(|(p, invited)| Ok(PartyAnswer::new(&sight.hearing, p, invited, who(p))))
    }

    /// One party of a hearing.
    ///
    /// # Errors
    /// As [`Registry::parties`].
    pub async fn party(&self, visitor: &Visitor, hearing: Uuid, party: Uuid) -> Result<PartyAnswer> {
        let sight = self.sight(visitor, hearing)?;
        let found = sight.hearing.parties.iter().find(|(p, _)| p.uuid == party).ok_or_else(|| none(party))?;
        let contact = match visitor.is_insider(&sight.vocabulary) {
            true => self.store.contact(found.0.contact).await?,
            false => None,
        };
        let contact = contact.map(ContactAnswer::from);
        Ok(PartyAnswer::new(&sight.hearing, &found.0, &found.1, contact))
    }

    /// Makes a personal link for a party; those that were made before lead nowhere.
    ///
    /// # Errors
    /// [`Code::NotFound`], [`Code::Phase`] when the hearing is over.
    pub async fn party_link(&self, actor: &Actor, hearing: Uuid, party: Uuid) -> Result<LinkAnswer> {
        let mut under = self.hearing_for(actor, hearing, Command::HoldHearing).await?;
        let found = under.matter.hearing(hearing)?;
        let contact = found.party(party)?.contact;
        if found.is_over() {
            return Err(Refusal::new(Code::Phase, "høringen er afsluttet", "the hearing is over"));
        }
        let secret = Secret::new(self.dice(), PREFIX)?;
        let errand = link_errand(new_uuid(self.dice())?, under.uuid, party, contact, under.stamp.at);
        under.write.drop_errands(under.uuid, party, ErrandKind::PartyLink).await?;
        under.write.put_errand(&errand, Some(secret.digest())).await?;
        self.settle(under.write).await?;
        let link = format!("{}{}", self.settings.public_url, answer_page(hearing, &secret));
        Ok(LinkAnswer { party, link, secret: secret.expose().to_owned(), expires: errand.expires })
    }
}
