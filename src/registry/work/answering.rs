//! Answers to a hearing: written, changed, submitted and taken back; by a party, by an account, or by somebody whose
//! mail address is confirmed first.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::Registry;
use super::super::pages::{Paged, Pages};
use super::super::permission::{Actor, Visitor, permit_answer};
use super::answers_hearing::{AnswerAnswer, AnswerItemAnswer, AnswerStage, PendingAnswer};
use super::hearings::{Sight, days_after, tell};
use super::parties::still_guest;
use super::{Under, none, unlawful};
use crate::model::{Code, Mail, Name, Place, Refusal, Result, new_uuid};
use crate::store::{Errand, ErrandKind};
use crate::workflow::{Answer, AnswerItem, Attachment, Audience, Draft, DraftStep, Hearing, Line, Stamp};

/// How long an answer that nobody submits is kept, in days.
const DRAFT_DAYS: i64 = 365;

/// An answer to write.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AnswerRequest {
    /// What is said of each concept, and in general; nothing when there are no remarks.
    #[serde(default)]
    pub items: Vec<AnswerItem>,
    /// In whose name, where nobody was invited: an organisation; the person when absent.
    #[serde(default)]
    pub organisation: Option<Line>,
    /// Who answers, of somebody without account or link.
    #[serde(default)]
    pub name: Option<Name>,
    /// Their mail address: the answer counts when it is confirmed.
    #[serde(default)]
    pub mail: Option<Mail>,
    /// Whether to submit it at once.
    #[serde(default)]
    pub submit: bool,
}

/// What became of an answer that was handed in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Received {
    /// It is kept, or submitted.
    Kept(AnswerAnswer),
    /// It waits for its mail address to be confirmed.
    Pending(PendingAnswer),
}

/// An answer that is being written, as it is kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Written {
    pub(super) hearing: Uuid,
    pub(super) party: Option<Uuid>,
    pub(super) organisation: Line,
    pub(super) items: Vec<AnswerItem>,
    pub(super) attachments: Vec<Attachment>,
}

impl Written {
    pub(super) fn of(errand: &Errand) -> Result<Self> {
        serde_json::from_str(&errand.body).map_err(|e| Refusal::new(Code::Corrupt, e.to_string(), e.to_string()))
    }

    pub(super) fn body(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|e| Refusal::new(Code::Internal, e.to_string(), e.to_string()))
    }

    pub(super) fn answer(&self, uuid: Uuid) -> AnswerAnswer {
        let items = self.items.iter().enumerate();
        AnswerAnswer {
            uuid,
            hearing: self.hearing,
            stage: AnswerStage::Draft,
            party: self.party,
            organisation: self.organisation.to_string(),
            submitted: None,
            late: false,
            withdrawn: None,
            instead_of: None,
            items: items.map(|(i, item)| AnswerItemAnswer::new(i + 1, item, Vec::new())).collect(),
            attachments: self.attachments.clone(),
        }
    }
}

impl Visitor {
    /// What an answer that they write is kept under.
    pub(super) fn desk_of(&self) -> Option<Uuid> {
        match self {
            Self::Guest(guest) => Some(guest.party),
            Self::Actor(Actor::Account(caller)) => Some(caller.account),
            Self::Actor(_) => None,
        }
    }
}

impl Registry {
    /// The draft of a hearing under the lock, for somebody who may answer.
    pub(super) async fn answering(&self, visitor: &Visitor, hearing: Uuid) -> Result<Under<Draft>> {
        let sight = self.sight(visitor, hearing)?;
        permit_answer(visitor, &sight.vocabulary, &sight.draft, &sight.hearing, sight.now)?;
        let mut under = match visitor {
            Visitor::Actor(actor) => self.under::<Draft>(actor, sight.draft.uuid).await?,
            Visitor::Guest(guest) => {
                let mut write = self.store.write(&visitor.name(), self.clock.now()).await?;
                still_guest(&mut write, guest).await?;
                let stamp = Stamp { at: write.at(), by: visitor.author()? };
                let matter = self.matter_in::<Draft>(&mut write, sight.draft.uuid).await?;
                Under { write, matter, uuid: sight.draft.uuid, stamp }
            }
        };
        under.matter.advance(under.stamp.at);
        let found = under.matter.hearing(hearing)?;
        permit_answer(visitor, &sight.vocabulary, &under.matter, found, under.stamp.at)?;
        tell(&mut under).await?;
        Ok(under)
    }

    /// Keeps an answer that is being written, or submits it at once. There is one at a time of each party and
    /// account. Of somebody unknown, it waits for the mail address to be confirmed.
    ///
    /// # Errors
    /// [`Code::NotSignedIn`], [`Code::NotAllowed`]; [`Code::Phase`] when the hearing is not open;
    /// [`Code::Exists`] when one is being written; [`Code::Unlawful`]; [`Code::TooManyAttempts`].
    pub async fn write_answer(
        &self,
        visitor: &Visitor,
        hearing: Uuid,
        request: AnswerRequest,
        peer: &str,
    ) -> Result<Received> {
        let sight = self.sight(visitor, hearing)?;
        let permitted = permit_answer(visitor, &sight.vocabulary, &sight.draft, &sight.hearing, sight.now);
        let stranger = matches!(visitor, Visitor::Actor(_)) && sight.hearing.plan.audience == Audience::Public;
        match permitted {
            Err(refusal) if stranger && matches!(refusal.code, Code::NotSignedIn | Code::NotAllowed) => {
                return self.pend_answer(&sight, request, peer).await.map(Received::Pending);
            }
            permitted => permitted?,
        }
        let mut under = self.answering(visitor, hearing).await?;
        let subject = visitor.desk_of().ok_or_else(super::super::permission::not_signed_in)?;
        let written = self.written(&under, visitor, hearing, request.items, request.organisation).await?;
        let errand = self.own_draft(visitor, under.uuid, hearing).await?;
        if let Some(errand) = errand {
            let (da, en) = ("du er ved at skrive et svar; ret i det", "you are writing an answer; change that");
            return Err(Refusal::new(Code::Exists, da, en)
                .at(Place::field("answer"))
                .allowed([errand.uuid.to_string()]));
        }
        let uuid = new_uuid(self.dice())?;
        if request.submit {
            return self.lay_answer(under, uuid, written).await.map(Received::Kept);
        }
        let contact = if let Visitor::Guest(guest) = visitor { Some(guest.contact) } else { None };
        let expires = days_after(under.stamp.at, DRAFT_DAYS);
        let (kind, body) = (ErrandKind::AnswerDraft, written.body()?);
        let errand = Errand { uuid, kind, matter: under.uuid, subject, contact, body, expires };
        under.write.put_errand(&errand, None).await?;
        self.settle(under.write).await?;
        Ok(Received::Kept(written.answer(uuid)))
    }

    /// The answer that somebody is writing.
    pub(super) async fn own_draft(&self, visitor: &Visitor, draft: Uuid, hearing: Uuid) -> Result<Option<Errand>> {
        let Some(subject) = visitor.desk_of() else { return Ok(None) };
        let errands = self.store.errands(draft, subject, ErrandKind::AnswerDraft).await?;
        let now = self.clock.now();
        let here = |e: &Errand| e.expires > now && Written::of(e).is_ok_and(|w| w.hearing == hearing);
        Ok(errands.into_iter().find(here))
    }

    /// An answer with its items held against what is heard.
    pub(super) async fn written(
        &self,
        under: &Under<Draft>,
        visitor: &Visitor,
        hearing: Uuid,
        items: Vec<AnswerItem>,
        organisation: Option<Line>,
    ) -> Result<Written> {
        let found = under.matter.hearing(hearing)?;
        self.lawful_items(&under.matter, found, &items)?;
        let (party, organisation) = match visitor {
            Visitor::Guest(guest) => {
                (Some(guest.party), organisation.unwrap_or(found.party(guest.party)?.organisation.clone()))
            }
            Visitor::Actor(actor) => {
                let own = match organisation {
                    Some(organisation) => organisation,
                    None => self.name_of_account(actor.account()?.account).await?,
                };
                (None, own)
            }
        };
        Ok(Written { hearing, party, organisation, items, attachments: Vec::new() })
    }

    /// What an account answers as when it does not say: its organisation, or its own name.
    async fn name_of_account(&self, account: Uuid) -> Result<Line> {
        let people = self.store.people().await?;
        let account = people.accounts.iter().find(|a| a.uuid == account).ok_or_else(|| none(account))?;
        let works = |o: Uuid| people.organisations.iter().find(|x| x.uuid == o).map(|x| x.name.to_string());
        account.organisation.and_then(works).unwrap_or_else(|| account.name.to_string()).parse()
    }

    pub(super) fn lawful_items(&self, draft: &Draft, hearing: &Hearing, items: &[AnswerItem]) -> Result<()> {
        let heard: BTreeSet<Uuid> = self.heard(draft, hearing)?.into_iter().map(|h| h.concept).collect();
        let mut seen = BTreeSet::new();
        for (i, item) in items.iter().enumerate() {
            let at = |field: &str| format!("items[{i}].{field}");
            let Some(concept) = item.concept else { continue };
            if !heard.contains(&concept) {
                let (da, en) = ("det begreb er der ikke spurgt om", "that concept is not asked about");
                return Err(unlawful(&at("concept"), da, en));
            }
            if !seen.insert(concept) {
                let (da, en) = ("det begreb er der to gange", "that concept is there twice");
                return Err(unlawful(&at("concept"), da, en));
            }
        }
        Ok(())
    }

    /// Submits an answer under the lock: the errand that kept it goes, the step stays.
    pub(super) async fn lay_answer(
        &self,
        mut under: Under<Draft>,
        uuid: Uuid,
        written: Written,
    ) -> Result<AnswerAnswer> {
        let hearing = written.hearing;
        let own = |a: &&crate::workflow::AnswerState| {
            a.answer.party == written.party && (written.party.is_some() || a.stamp.by == under.stamp.by)
        };
        let instead_of = under.matter.hearing(hearing)?.standing().find(own).map(|a| a.answer.uuid);
        under.step(written.step(uuid, instead_of)).await?;
        under.write.drop_errand(uuid).await?;
        let found = under.matter.hearing(hearing)?;
        let answer = AnswerAnswer::new(found, found.answered(uuid)?, false);
        self.settle(under.write).await?;
        Ok(answer)
    }

    /// An answer that somebody is writing, under the lock.
    pub(super) async fn draft_of_answer(
        &self,
        visitor: &Visitor,
        hearing: Uuid,
        answer: Uuid,
    ) -> Result<(Under<Draft>, Errand, Written)> {
        let mut under = self.answering(visitor, hearing).await?;
        let errand = under.write.errand_by(answer).await?;
        let own = |e: &Errand| {
            e.kind == ErrandKind::AnswerDraft && Some(e.subject) == visitor.desk_of() && e.expires > under.stamp.at
        };
        let submitted = under.matter.hearing(hearing)?.answered(answer).is_ok();
        let errand = errand.filter(own).ok_or_else(|| match submitted {
            true => Refusal::new(Code::Phase, "svaret er indsendt", "the answer is submitted"),
            false => none(answer),
        })?;
        let written = Written::of(&errand)?;
        if written.hearing == hearing { Ok((under, errand, written)) } else { Err(none(answer)) }
    }

    /// Changes an answer that is being written.
    ///
    /// # Errors
    /// As [`Registry::write_answer`]; [`Code::NotFound`]; [`Code::Phase`] when it is submitted.
    pub async fn change_answer(
        &self,
        visitor: &Visitor,
        hearing: Uuid,
        answer: Uuid,
        request: AnswerRequest,
    ) -> Result<AnswerAnswer> {
        let (mut under, errand, old) = self.draft_of_answer(visitor, hearing, answer).await?;
        let organisation = request.organisation.or(Some(old.organisation));
        let new = self.written(&under, visitor, hearing, request.items, organisation).await?;
        let new = Written { attachments: old.attachments, ..new };
        if request.submit {
            return self.lay_answer(under, answer, new).await;
        }
        under.write.put_errand(&Errand { body: new.body()?, ..errand }, None).await?;
        self.settle(under.write).await?;
        Ok(new.answer(answer))
    }

    /// Submits an answer.
    ///
    /// # Errors
    /// As [`Registry::change_answer`].
    pub async fn submit_answer(&self, visitor: &Visitor, hearing: Uuid, answer: Uuid) -> Result<AnswerAnswer> {
        let (under, _, written) = self.draft_of_answer(visitor, hearing, answer).await?;
        self.lay_answer(under, answer, written).await
    }

    /// Takes an answer back before the deadline.
    ///
    /// # Errors
    /// [`Code::NotFound`]; [`Code::Phase`] after the deadline, or when it has a reply.
    pub async fn withdraw_answer(&self, visitor: &Visitor, hearing: Uuid, answer: Uuid) -> Result<AnswerAnswer> {
        let mut under = self.answering(visitor, hearing).await?;
        if !visitor.wrote(under.matter.hearing(hearing)?.answered(answer)?) {
            return Err(none(answer));
        }
        under.step(DraftStep::AnswerWithdrawn { hearing, answer }).await?;
        let found = under.matter.hearing(hearing)?;
        let shown = AnswerAnswer::new(found, found.answered(answer)?, false);
        self.settle(under.write).await?;
        Ok(shown)
    }

    /// The answers to a hearing that somebody may read, the first first; the one that they are writing last.
    ///
    /// # Errors
    /// [`Code::NotFound`], [`Code::Database`].
    pub async fn answers(&self, visitor: &Visitor, hearing: Uuid, paging: &Pages) -> Result<Paged<AnswerAnswer>> {
        let answers = self.all_answers(visitor, hearing).await?;
        paging.cut(answers, |a| (a.submitted.as_ref().map_or(i64::MAX, |s| s.at.micros()), a.uuid))
    }

    async fn all_answers(&self, visitor: &Visitor, hearing: Uuid) -> Result<Vec<AnswerAnswer>> {
        let sight = self.sight(visitor, hearing)?;
        let read =
            sight.hearing.answers.iter().filter(|a| visitor.reads(&sight.vocabulary, &sight.hearing, a, sight.now));
        let with_replies = sight.shows_replies(visitor);
        let mut answers: Vec<_> = read.map(|a| AnswerAnswer::new(&sight.hearing, a, with_replies)).collect();
        if let Some(errand) = self.own_draft(visitor, sight.draft.uuid, hearing).await? {
            answers.push(Written::of(&errand)?.answer(errand.uuid));
        }
        Ok(answers)
    }

    /// An answer, for one who may read it.
    ///
    /// # Errors
    /// [`Code::NotFound`], [`Code::Database`].
    pub async fn answer(&self, visitor: &Visitor, hearing: Uuid, answer: Uuid) -> Result<AnswerAnswer> {
        let answers = self.all_answers(visitor, hearing).await?;
        answers.into_iter().find(|a| a.uuid == answer).ok_or_else(|| none(answer))
    }
}

impl Sight {
    /// Whether the replies to answers are shown.
    pub(super) fn shows_replies(&self, visitor: &Visitor) -> bool {
        self.hearing.completed.is_some() || visitor.is_insider(&self.vocabulary)
    }
}

impl Written {
    pub(super) fn step(self, uuid: Uuid, instead_of: Option<Uuid>) -> DraftStep {
        let Self { hearing, party, organisation, items, attachments } = self;
        let answer = Answer { uuid, party, organisation, items, attachments, instead_of };
        DraftStep::Answered { hearing, answer }
    }
}
