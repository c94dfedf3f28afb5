//! Answers of somebody unknown: they wait until the mail address is confirmed.

use uuid::Uuid;

use super::super::Registry;
use super::answering::{AnswerRequest, Written};
use super::answers_hearing::{AnswerAnswer, PendingAnswer};
use super::hearings::{Sight, days_after, tell};
use super::parties::leads_nowhere;
use super::{Under, unlawful};
use crate::model::{Code, Refusal, Result, Secret, new_uuid};
use crate::store::{Contact, Errand, ErrandKind};
use crate::workflow::{Author, Draft, HearingStage, Stamp};

/// How long an answer waits for its mail address to be confirmed, in days.
const PENDING_DAYS: i64 = 7;

/// How many answers of one hearing may wait for a mail address to be confirmed.
const MOST_PENDING: i64 = 1_000;

/// The address that is shown when an answer is confirmed.
pub(crate) fn confirm_page(secret: &Secret) -> String {
    format!("/confirm/{}", secret.expose())
}

/// What stands before the secret of every confirmation link.
pub(crate) const CONFIRM_PREFIX: &str = "begreb_c_";

impl Registry {
    /// Keeps the answer of somebody unknown until the mail address is confirmed.
    pub(super) async fn pend_answer(&self, sight: &Sight, request: AnswerRequest, peer: &str) -> Result<PendingAnswer> {
        let needed = |field| {
            let (da, en) = (
                "uden konto eller link skal navn og mailadresse med",
                "without account or link, name and mail are needed",
            );
            unlawful(field, da, en)
        };
        self.needs_mail().await?;
        let name = request.name.ok_or_else(|| needed("name"))?;
        let mail = request.mail.ok_or_else(|| needed("mail"))?;
        if !matches!(sight.hearing.stage(sight.now), HearingStage::Open | HearingStage::Closed) {
            return Err(Refusal::new(Code::Phase, "høringen er ikke åben", "the hearing is not open"));
        }
        self.lawful_items(&sight.draft, &sight.hearing, &request.items)?;
        let organisation = request.organisation.map_or_else(|| name.as_str().parse(), Ok)?;
        let attachments = Vec::new();
        let hearing = sight.hearing.uuid;
        let written = Written { hearing, party: None, organisation, items: request.items, attachments };
        // What the rules would refuse then is refused now.
        let trial = written.clone().step(Uuid::nil(), None);
        let contact = new_uuid(self.dice())?;
        let stamp = Stamp { at: sight.now.max(sight.draft.last.at), by: Author::Contact(contact) };
        crate::workflow::Matter::take(&mut (*sight.draft).clone(), &stamp, trial)?;
        self.slow_down(mail.as_str(), peer)?;
        let mut write = self.store.write("public", self.clock.now()).await?;
        if write.errands_about(sight.draft.uuid, hearing, ErrandKind::PendingAnswer).await? >= MOST_PENDING {
            let (da, en) = (
                "for mange svar venter på bekræftelse; prøv igen senere",
                "too many answers wait to be confirmed; try again later",
            );
            return Err(Refusal::new(Code::TooManyAttempts, da, en).retry_after(3600));
        }
        let works = Some(written.organisation.to_string());
        write.put_contact(&Contact { uuid: contact, name, mail: mail.clone(), organisation: works }).await?;
        let errand = Errand {
            uuid: new_uuid(self.dice())?,
            kind: ErrandKind::PendingAnswer,
            matter: sight.draft.uuid,
            subject: hearing,
            contact: Some(contact),
            body: written.body()?,
            expires: days_after(write.at(), PENDING_DAYS),
        };
        write.put_errand(&errand, None).await?;
        write.ask_address(sight.vocabulary.uuid(), &errand);
        self.settle(write).await?;
        Ok(PendingAnswer { hearing, mail, expires: errand.expires })
    }

    /// What waits for a mail address to be confirmed by a link: the hearing, and the answer.
    ///
    /// # Errors
    /// [`Code::Expired`] when the link leads nowhere any more, or never did.
    pub async fn pending_answer(&self, secret: &Secret) -> Result<AnswerAnswer> {
        let errand = self.store.errand(secret.digest()).await?;
        let errand = errand.filter(|e| e.kind == ErrandKind::PendingAnswer && e.expires > self.clock.now());
        let errand = errand.ok_or_else(leads_nowhere)?;
        Ok(Written::of(&errand)?.answer(errand.uuid))
    }

    /// Submits the answer that a confirmation link leads to; it works once.
    ///
    /// # Errors
    /// [`Code::Expired`], [`Code::Phase`].
    pub async fn confirm_answer(&self, secret: &Secret) -> Result<AnswerAnswer> {
        let errand = self.store.errand(secret.digest()).await?.ok_or_else(leads_nowhere)?;
        let contact = errand.contact.ok_or_else(leads_nowhere)?;
        let by = Author::Contact(contact);
        let mut write = self.store.write(&by.to_string(), self.clock.now()).await?;
        // Once more under the lock: of two who use it at once, one does.
        let errand = write.errand(secret.digest()).await?;
        let errand = errand.filter(|e| e.kind == ErrandKind::PendingAnswer && e.expires > write.at());
        let errand = errand.ok_or_else(leads_nowhere)?;
        let stamp = Stamp { at: write.at(), by };
        let mut matter = self.matter_in::<Draft>(&mut write, errand.matter).await?;
        matter.advance(stamp.at);
        let mut under = Under { write, matter, uuid: errand.matter, stamp };
        tell(&mut under).await?;
        self.lay_answer(under, errand.uuid, Written::of(&errand)?).await
    }
}
