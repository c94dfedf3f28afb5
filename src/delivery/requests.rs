//! Letters about change requests: the link that confirms one, and to who asked, that it was received, taken on, and
//! answered with a reason.

use futures::future::BoxFuture;
use uuid::Uuid;

use super::{Composed, Composer, Desk, Letter, LetterKind, LetterLanguage};
use crate::model::{Change, ChangeKind, Instant, Mail, Name, Result};
use crate::store::ErrandKind;
use crate::workflow::{Author, ChangeRequest, Prose, RequestOutcome, Stamp, Track};

/// How much of somebody's text stands in a letter, in characters.
const MOST: usize = 5_000;

/// Letters about change requests.
pub struct RequestLetters;

impl Composer for RequestLetters {
    fn compose<'a>(&'a self, change: &'a Change, desk: &'a Desk<'_>) -> BoxFuture<'a, Result<Vec<Composed>>> {
        Box::pin(composed(change, desk))
    }
}

async fn composed(change: &Change, desk: &Desk<'_>) -> Result<Vec<Composed>> {
    let is = |kind: ChangeKind| change.kind == kind.as_str();
    if is(ChangeKind::ConfirmationAsked) {
        return confirmation(change.subject, desk).await;
    }
    let kind = if is(ChangeKind::RequestSubmitted) {
        "request-received"
    } else if is(ChangeKind::RequestAssigned) {
        "request-assigned"
    } else if is(ChangeKind::RequestAccepted) || is(ChangeKind::RequestClosed) {
        "request-answered"
    } else {
        return Ok(Vec::new());
    };
    desk.registry().reach(change.seq).await?;
    let Some(request) = desk.registry().snapshot().matters.get::<ChangeRequest>(change.subject).cloned() else {
        return Ok(Vec::new());
    };
    let Some((da, en)) = happened(kind, &request, change.at) else { return Ok(Vec::new()) };
    let Some(to) = asker(&request, desk).await? else { return Ok(Vec::new()) };
    let name = to.2.as_ref().map(|n| format!(" {n}")).unwrap_or_default();
    let (title, url) = (&request.title, desk.url(&format!("/api/v1/change-requests/{}", request.uuid)));
    let text = format!(
        "Kære{name}\n\nDit ændringsønske »{title}« {da}\n\n{url}\n\n-- \nDear{name}\n\n\
         Your change request \"{title}\" {en}\n\n{url}\n"
    );
    let subject = match kind {
        "request-received" => "Dit ændringsønske er modtaget / Your change request was received",
        "request-assigned" => "Dit ændringsønske behandles / Your change request is being dealt with",
        _ => "Svar på dit ændringsønske / Answer to your change request",
    };
    let letter = Letter::new(LetterKind::new(kind), to, LetterLanguage::Both, subject, text)?;
    Ok(vec![letter.into()])
}

/// The letter with the link that puts a request into the queue. Its address is not known to be the one's who asks:
/// nothing that they wrote stands in it.
async fn confirmation(errand: Uuid, desk: &Desk<'_>) -> Result<Vec<Composed>> {
    let store = desk.registry().store();
    let found = store.errand_by(errand).await?;
    let Some(errand) = found.filter(|e| e.kind == ErrandKind::PendingRequest && e.expires > desk.now()) else {
        return Ok(Vec::new());
    };
    let contact = match errand.contact {
        Some(contact) => store.contact(contact).await?,
        None => None,
    };
    let Some(contact) = contact else { return Ok(Vec::new()) };
    let (secret, expires) = (desk.secret()?, errand.expires);
    let (link, site) = (desk.url(&format!("/change-requests/confirm/{}", secret.expose())), desk.url("/"));
    let text = format!(
        "Hej\n\nNogen, måske du, har sendt et ændringsønske til begrebsregistret {site} med denne mailadresse.\n\
         Bekræft det her; linket virker én gang, indtil {expires}:\n\n{link}\n\n\
         Var det ikke dig, skal du ikke gøre noget: så slettes det.\n\n-- \nHello\n\n\
         Somebody, perhaps you, sent a change request to the concept registry {site} with this mail address.\n\
         Confirm it here; the link works once, until {expires}:\n\n{link}\n\n\
         If it was not you, do nothing: then it is deleted.\n"
    );
    let subject = "Bekræft dit ændringsønske / Confirm your change request";
    let to = (contact.uuid, contact.mail, None);
    let letter = Letter::new(LetterKind::new("confirmation"), to, LetterLanguage::Both, subject, text)?;
    let (errand, digest) = (errand.uuid, secret.digest());
    Ok(vec![Composed::with_secret(letter, move |outbox| Box::pin(outbox.link_errand(errand, digest)))])
}

/// Where a letter to who asked goes; nowhere when they were erased, or hold the database.
async fn asker(request: &ChangeRequest, desk: &Desk<'_>) -> Result<Option<(Uuid, Mail, Option<Name>)>> {
    Ok(match &request.submitted.by {
        Author::Account(account) => {
            let account = desk.account(*account).await?;
            account.map(|a| (a.uuid, a.mail.clone(), Some(a.name.clone())))
        }
        Author::Contact(contact) => {
            let contact = desk.registry().store().contact(*contact).await?;
            contact.map(|c| (c.uuid, c.mail, Some(c.name)))
        }
        Author::Operator(_) | Author::Clock => None,
    })
}

/// What happened at an instant, in Danish and in English; nothing for what they did themselves.
fn happened(kind: &str, request: &ChangeRequest, at: Instant) -> Option<(String, String)> {
    match kind {
        "request-received" => Some((
            "er modtaget. Du får brev, når det er besvaret.".into(),
            "was received. You will get a letter when it is answered.".into(),
        )),
        "request-assigned" => {
            let now = |(stamp, _, _): &&(Stamp, Track, Prose)| stamp.at == at;
            let (_, track, reason) = request.assigned.iter().rev().find(now)?;
            let (da, en) = match track {
                Track::Secretariat => ("behandles af sekretariatet", "is dealt with by the secretariat"),
                Track::Group(_) => ("er givet til en arbejdsgruppe", "was given to a working group"),
            };
            let why = cut(reason);
            Some((format!("{da}.\n\nBegrundelse:\n{why}"), format!("{en}.\n\nReason:\n{why}")))
        }
        _ => {
            let (_, outcome, reason) = request.outcome.as_ref()?;
            let (da, en) = match outcome {
                RequestOutcome::Accepted => ("er imødekommet", "was accepted"),
                RequestOutcome::Declined => ("er ikke imødekommet", "was declined"),
                RequestOutcome::Duplicate => ("er der spurgt om før", "had been asked before"),
                RequestOutcome::OutOfScope => ("hører ikke til her", "is for others"),
            };
            let why = cut(reason);
            Some((format!("{da}.\n\nBegrundelse:\n{why}"), format!("{en}.\n\nReason:\n{why}")))
        }
    }
}

fn cut(text: &Prose) -> String {
    let mut cut: String = text.as_str().chars().take(MOST).collect();
    if cut.len() < text.as_str().len() {
        cut.push_str(" …");
    }
    cut
}
