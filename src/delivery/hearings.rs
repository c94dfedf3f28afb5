//! Letters about hearings: to the parties when one opens, when its deadline comes near, is moved out, or it is called
//! off; to whoever answered; and to whoever has to confirm a mail address.

use futures::future::BoxFuture;
use uuid::Uuid;

use super::{Composed, Composer, Desk, Letter, LetterKind, LetterLanguage};
use crate::model::{Change, ChangeKind, Result, Secret, new_uuid};
use crate::registry::{CONFIRM_PREFIX, HearingNews, LINK_PREFIX, confirm_page, link_errand, moment, party_page};
use crate::store::Contact;
use crate::workflow::{Author, Draft, DraftStep, Hearing, Party};

/// How old a row may be that is told: what happened long ago, while mail was off, is no news.
const DAYS: i64 = 7;

/// Letters about hearings.
pub struct HearingLetters;

impl Composer for HearingLetters {
    fn compose<'a>(&'a self, change: &'a Change, desk: &'a Desk<'_>) -> BoxFuture<'a, Result<Vec<Composed>>> {
        Box::pin(composed(change, desk))
    }
}

async fn composed(change: &Change, desk: &Desk<'_>) -> Result<Vec<Composed>> {
    if change.at.micros().saturating_add(DAYS * 86_400_000_000) < desk.now().micros() {
        return Ok(Vec::new());
    }
    if change.kind == ChangeKind::AddressAsked.as_str() {
        return confirmation(change.subject, desk).await;
    }
    let about_hearings = [
        ChangeKind::HearingOpened,
        ChangeKind::HearingInvited,
        ChangeKind::HearingReminded,
        ChangeKind::HearingExtended,
        ChangeKind::HearingCancelled,
        ChangeKind::HearingAnswered,
    ];
    if !about_hearings.iter().any(|k| change.kind == k.as_str()) {
        return Ok(Vec::new());
    }
    let Some(HearingNews { stamp, step, draft }) = desk.registry().hearing_news(change).await? else {
        return Ok(Vec::new());
    };
    match step {
        DraftStep::HearingOpened { hearing } => {
            // Who was invited later was written to then.
            let hearing = draft.hearing(hearing)?;
            let asked = hearing.parties.iter().filter(|(_, invited)| invited.at < stamp.at).map(|(p, _)| p);
            to_parties(Told::Opened, &draft, hearing, asked, desk).await
        }
        DraftStep::PartyInvited { hearing, party } => {
            let hearing = draft.hearing(hearing)?;
            let is_open = hearing.told_opened.as_ref().is_some_and(|told| told.at <= stamp.at);
            let asked = is_open.then_some(&party);
            to_parties(Told::Opened, &draft, hearing, asked.into_iter(), desk).await
        }
        DraftStep::HearingReminded { hearing } => {
            let hearing = draft.hearing(hearing)?;
            to_parties(Told::Reminded, &draft, hearing, silent(hearing), desk).await
        }
        DraftStep::HearingExtended { hearing, .. } => {
            let hearing = draft.hearing(hearing)?;
            // Before it opens there is nobody who knows the old deadline.
            let known = hearing.told_opened.is_some();
            let asked = hearing.parties.iter().map(|(p, _)| p).filter(|_| known);
            to_parties(Told::Extended, &draft, hearing, asked, desk).await
        }
        DraftStep::HearingCancelled { hearing, .. } => {
            let hearing = draft.hearing(hearing)?;
            let known = hearing.told_opened.is_some();
            cancelled(hearing, hearing.parties.iter().map(|(p, _)| p).filter(|_| known), desk).await
        }
        DraftStep::Answered { hearing, answer } => receipt(draft.hearing(hearing)?, answer.uuid, &stamp.by, desk).await,
        _ => Ok(Vec::new()),
    }
}

/// The parties that have not answered.
fn silent(hearing: &Hearing) -> impl Iterator<Item = &Party> {
    hearing.parties.iter().map(|(p, _)| p).filter(|p| hearing.answer_of(p.uuid).is_none())
}

/// What parties are told, each with a link of its own.
#[derive(Clone, Copy)]
enum Told {
    Opened,
    Reminded,
    Extended,
}

impl Told {
    fn kind(self) -> LetterKind {
        LetterKind::new(match self {
            Self::Opened => "hearing-opened",
            Self::Reminded => "hearing-reminded",
            Self::Extended => "hearing-extended",
        })
    }

    /// What it is about, in Danish and in English.
    fn subject(self) -> (&'static str, &'static str) {
        match self {
            Self::Opened => ("Høring", "Hearing"),
            Self::Reminded => ("Påmindelse om høring", "Reminder of a hearing"),
            Self::Extended => ("Ny frist for høring", "New deadline of a hearing"),
        }
    }

    fn line(self, organisation: &str) -> (String, String) {
        match self {
            Self::Opened => (
                format!("{organisation} inviteres til at svare på en høring."),
                format!("{organisation} is invited to answer a hearing."),
            ),
            Self::Reminded => (
                format!("Fristen nærmer sig for en høring, som {organisation} ikke har svaret på."),
                format!("The deadline comes near of a hearing that {organisation} has not answered."),
            ),
            Self::Extended => (
                format!("Fristen er flyttet for en høring, som {organisation} er inviteret til."),
                format!("The deadline was moved of a hearing that {organisation} is invited to."),
            ),
        }
    }
}

async fn to_parties(
    told: Told,
    draft: &Draft,
    hearing: &Hearing,
    parties: impl Iterator<Item = &Party>,
    desk: &Desk<'_>,
) -> Result<Vec<Composed>> {
    let mut letters = Vec::new();
    if hearing.is_over() {
        return Ok(letters);
    }
    for party in parties {
        let Some(contact) = desk.registry().contact(party.contact).await? else { continue };
        letters.push(to_party(told, draft, hearing, party, &contact, desk)?);
    }
    Ok(letters)
}

fn to_party(
    told: Told,
    draft: &Draft,
    hearing: &Hearing,
    party: &Party,
    contact: &Contact,
    desk: &Desk<'_>,
) -> Result<Composed> {
    let secret = Secret::new(desk.registry().dice(), LINK_PREFIX)?;
    let errand = link_errand(new_uuid(desk.registry().dice())?, draft.uuid, party.uuid, party.contact, desk.now());
    let (name, title, letter) = (&contact.name, &hearing.plan.title, hearing.plan.letter.as_str());
    let link = desk.url(&party_page(hearing.uuid, &secret));
    let (until_da, until_en) = (moment(hearing.plan.deadline, true), moment(hearing.plan.deadline, false));
    let (da, en) = told.line(party.organisation.as_str());
    let why = hearing.extensions.last().filter(|_| matches!(told, Told::Extended));
    let why = why.map_or_else(String::new, |e| format!("{}\n\n", e.reason));
    // A long letter stands on the page.
    let quoted =
        if matches!(told, Told::Opened) && letter.len() < 20_000 { format!("{letter}\n\n") } else { String::new() };
    let text = format!(
        "Kære {name}\n\n{da}\n\n{title}\n\n{why}{quoted}Svar skal være modtaget før {until_da}.\n\n\
         Her læser og svarer du; linket er personligt, og du skal ikke logge ind:\n\n{link}\n\n-- \nDear {name}\n\n{en}\n\n\
         {title}\n\nAnswers must be received before {until_en}.\n\n\
         Read and answer here; the link is personal, and you need not sign in:\n\n{link}\n"
    );
    let (da, en) = told.subject();
    let letter =
        Letter::new(told.kind(), recipient(contact), LetterLanguage::Both, subject(da, en, title.as_str()), text)?;
    let digest = secret.digest();
    Ok(Composed::with_secret(letter, move |outbox| Box::pin(async move { outbox.add_errand(&errand, digest).await })))
}

/// A subject that a title fits into.
fn subject(da: &str, en: &str, title: &str) -> String {
    let room = Letter::LONGEST_SUBJECT - da.chars().count() - en.chars().count() - 6;
    let title = if title.chars().count() <= room {
        title.to_owned()
    } else {
        title.chars().take(room - 1).chain(['…']).collect()
    };
    format!("{da}: {title} / {en}")
}

async fn cancelled(hearing: &Hearing, parties: impl Iterator<Item = &Party>, desk: &Desk<'_>) -> Result<Vec<Composed>> {
    let mut letters = Vec::new();
    let why = hearing.cancelled.as_ref().map(|(_, why)| why.to_string()).unwrap_or_default();
    for party in parties {
        let Some(contact) = desk.registry().contact(party.contact).await? else { continue };
        let (name, title) = (&contact.name, &hearing.plan.title);
        let text = format!(
            "Kære {name}\n\nHøringen er aflyst: {title}\n\n{why}\n\n-- \nDear {name}\n\nThe hearing was called off: {title}\n"
        );
        let about = subject("Aflyst høring", "Hearing called off", title.as_str());
        let kind = LetterKind::new("hearing-cancelled");
        letters.push(Letter::new(kind, recipient(&contact), LetterLanguage::Both, about, text)?.into());
    }
    Ok(letters)
}

async fn receipt(hearing: &Hearing, answer: Uuid, by: &Author, desk: &Desk<'_>) -> Result<Vec<Composed>> {
    let to = match by {
        Author::Contact(contact) => desk.registry().contact(*contact).await?.map(|c| recipient(&c)),
        Author::Account(account) => {
            desk.account(*account).await?.map(|a| (a.uuid, a.mail.clone(), Some(a.name.clone())))
        }
        Author::Operator(_) | Author::Clock => None,
    };
    let Some(to) = to else { return Ok(Vec::new()) };
    let state = hearing.answered(answer)?;
    let (title, count) = (&hearing.plan.title, state.answer.items.len());
    let at = |danish| moment(state.stamp.at, danish);
    let name = to.2.as_ref().map(ToString::to_string).unwrap_or_default();
    let (late_da, late_en) = if state.late {
        ("Svaret kom efter fristen og er mærket sådan.\n", "The answer came after the deadline, and is marked so.\n")
    } else {
        ("", "")
    };
    let files = state.answer.attachments.len();
    let text = format!(
        "Kære {name}\n\nVi har modtaget svaret fra {who} på høringen: {title}\n\nModtaget {}: {count} punkter, {files} filer.\n{late_da}\
         Kvittering: {answer}\n\n-- \nDear {name}\n\nWe have received the answer of {who} to the hearing: {title}\n\n\
         Received {}: {count} items, {files} files.\n{late_en}Receipt: {answer}\n",
        at(true),
        at(false),
        who = state.answer.organisation,
    );
    let about = subject("Kvittering for høringssvar", "Receipt of an answer", title.as_str());
    Ok(vec![Letter::new(LetterKind::new("hearing-receipt"), to, LetterLanguage::Both, about, text)?.into()])
}

/// The letter to somebody unknown who answered: the answer counts when the address is theirs.
async fn confirmation(errand: Uuid, desk: &Desk<'_>) -> Result<Vec<Composed>> {
    let Some((title, contact, expires)) = desk.registry().to_confirm(errand).await? else { return Ok(Vec::new()) };
    let secret = Secret::new(desk.registry().dice(), CONFIRM_PREFIX)?;
    let (name, link) = (&contact.name, desk.url(&confirm_page(&secret)));
    let until = |danish: bool| moment(expires, danish);
    let text = format!(
        "Kære {name}\n\nDer er skrevet et svar i dit navn på høringen: {title}\n\n\
         Det tæller først, når du bekræfter det her, før {}:\n\n{link}\n\nHar du ikke skrevet det, skal du ikke gøre noget.\n\n\
         -- \nDear {name}\n\nAn answer was written in your name to the hearing: {title}\n\n\
         It counts when you confirm it here, before {}:\n\n{link}\n\nIf you did not write it, you need do nothing.\n",
        until(true),
        until(false),
    );
    let about = subject("Bekræft dit høringssvar", "Confirm your answer", &title);
    let letter =
        Letter::new(LetterKind::new("hearing-confirm"), recipient(&contact), LetterLanguage::Both, about, text)?;
    let digest = secret.digest();
    Ok(vec![Composed::with_secret(letter, move |outbox| Box::pin(outbox.set_errand_secret(errand, digest)))])
}

fn recipient(contact: &Contact) -> (Uuid, crate::model::Mail, Option<crate::model::Name>) {
    (contact.uuid, contact.mail.clone(), Some(contact.name.clone()))
}
