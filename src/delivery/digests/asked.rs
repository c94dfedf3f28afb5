//! The letter that asks whether somebody wants a digest.

use futures::future::BoxFuture;

use super::super::{Composed, Composer, Desk, Letter, LetterKind, LetterLanguage};
use super::text::moment;
use crate::model::{Change, ChangeKind, Result};
use crate::store::ErrandKind;

/// The letter with the link by which a digest begins. Its address is not known to be the one's who asked: nothing that
/// they wrote stands in it.
pub struct DigestLetters;

impl Composer for DigestLetters {
    fn compose<'a>(&'a self, change: &'a Change, desk: &'a Desk<'_>) -> BoxFuture<'a, Result<Vec<Composed>>> {
        Box::pin(composed(change, desk))
    }
}

async fn composed(change: &Change, desk: &Desk<'_>) -> Result<Vec<Composed>> {
    if change.kind != ChangeKind::ConfirmationAsked.as_str() {
        return Ok(Vec::new());
    }
    let store = desk.registry().store();
    let found = store.errand_by(change.subject).await?;
    let Some(errand) = found.filter(|e| e.kind == ErrandKind::PendingDigest && e.expires > desk.now()) else {
        return Ok(Vec::new());
    };
    let contact = match errand.contact {
        Some(contact) => store.contact(contact).await?,
        None => None,
    };
    let Some(contact) = contact else { return Ok(Vec::new()) };
    let (secret, expires) = (desk.secret()?, errand.expires);
    let (until, until_en) = (moment(expires, true), moment(expires, false));
    let (link, site) = (desk.url(&format!("/digests/confirm/{}", secret.expose())), desk.url("/"));
    let text = format!(
        "Hej\n\nNogen, måske du, vil have besked om ændringer i begrebsregistret {site} til denne mailadresse.\n\
         Bekræft det her; linket virker én gang, indtil {until}:\n\n{link}\n\n\
         Var det ikke dig, skal du ikke gøre noget: så sendes der ikke mere, og adressen slettes.\n\n-- \nHello\n\n\
         Somebody, perhaps you, wants to be told at this mail address what changes in the concept registry {site}\n\
         Confirm it here; the link works once, until {until_en}:\n\n{link}\n\n\
         If it was not you, do nothing: then nothing more is sent, and the address is deleted.\n"
    );
    let subject = "Bekræft, at du vil have besked / Confirm that you want to be told";
    let to = (contact.uuid, contact.mail, None);
    let letter = Letter::new(LetterKind::new("digest-confirmation"), to, LetterLanguage::Both, subject, text)?;
    let (errand, digest) = (errand.uuid, secret.digest());
    Ok(vec![Composed::with_secret(letter, move |outbox| Box::pin(outbox.link_errand(errand, digest)))])
}
