//! Letters about one's own account: an invitation when it was created, and a notice when a password was set, a role
//! was given or taken, or a token was made.

use futures::future::BoxFuture;
use serde_json::Value;
use uuid::Uuid;

use super::{Composed, Composer, Desk, Letter, LetterKind, LetterLanguage};
use crate::model::{Account, Change, ChangeKind, Instant, Result};

/// How old a row may be that is told: a notice of what happened long ago, while mail was off, only frightens.
const DAYS: i64 = 7;
/// How long the link of an invitation leads somewhere, in hours: as long as a letter is tried.
const HOURS: i64 = 72;

/// Letters about one's own account.
pub struct SecurityNotices;

impl Composer for SecurityNotices {
    fn compose<'a>(&'a self, change: &'a Change, desk: &'a Desk<'_>) -> BoxFuture<'a, Result<Vec<Composed>>> {
        Box::pin(composed(change, desk))
    }
}

async fn composed(change: &Change, desk: &Desk<'_>) -> Result<Vec<Composed>> {
    if later(change.at, DAYS * 24) < desk.now() {
        return Ok(Vec::new());
    }
    let is = |kind: ChangeKind| change.kind == kind.as_str();
    if is(ChangeKind::AccountCreated) {
        return invitation(change.subject, desk).await;
    }
    let Some((kind, da, en)) = happened(change, desk) else { return Ok(Vec::new()) };
    let mut letters = Vec::new();
    for account in concerned(change, desk).await? {
        letters.push(notice(kind, account, (&da, &en), change.at, desk)?.into());
    }
    Ok(letters)
}

/// What happened, in Danish and in English; nothing when the row is not about rights or passwords.
fn happened(change: &Change, desk: &Desk<'_>) -> Option<(LetterKind, String, String)> {
    let body: Value = serde_json::from_str(&change.body).ok()?;
    let is = |kind: ChangeKind| change.kind == kind.as_str();
    let told = |kind, da: &str, en: &str| Some((LetterKind::new(kind), da.to_owned(), en.to_owned()));
    if is(ChangeKind::PasswordSet) {
        return told("password", "Din adgangskode er sat.", "Your password was set.");
    }
    if is(ChangeKind::TokenCreated) {
        let (da, en) = ("Der er lavet et token til din konto.", "A token was made for your account.");
        return told("token", da, en);
    }
    let role = body["role"].as_str()?;
    let (da, en) = match body["vocabulary"].as_str().and_then(|v| v.parse().ok()).map(|v| desk.slug(v)) {
        Some(slug) => (format!("ordforrådet {slug}"), format!("the vocabulary {slug}")),
        None => ("hele registret".to_owned(), "the whole registry".to_owned()),
    };
    if is(ChangeKind::GrantGiven) {
        let (da, en) =
            (format!("Du har fået rollen {role} for {da}."), format!("You were given the role {role} for {en}."));
        return told("role-given", &da, &en);
    }
    if is(ChangeKind::GrantTaken) {
        let da = format!("Du har ikke længere rollen {role} for {da}.");
        let en = format!("You no longer have the role {role} for {en}.");
        return told("role-taken", &da, &en);
    }
    None
}

/// Whom it concerns: an account, or everyone in a group, as they are now.
async fn concerned<'d>(change: &Change, desk: &'d Desk<'_>) -> Result<Vec<&'d Account>> {
    let body: Value = serde_json::from_str(&change.body).unwrap_or_default();
    let uuid = |name: &str| body[name].as_str().and_then(|text| text.parse::<Uuid>().ok());
    let whom: Vec<Uuid> = if change.kind == ChangeKind::PasswordSet.as_str() {
        vec![change.subject]
    } else if let Some(account) = uuid("account") {
        vec![account]
    } else {
        let group = desk.people().await?.groups.iter().find(|g| Some(g.uuid) == uuid("group") && g.active);
        group.map(|g| g.members.iter().copied().collect()).unwrap_or_default()
    };
    let mut accounts = Vec::new();
    for account in whom {
        accounts.extend(desk.account(account).await?);
    }
    Ok(accounts)
}

fn notice(kind: LetterKind, account: &Account, what: (&str, &str), at: Instant, desk: &Desk<'_>) -> Result<Letter> {
    let (name, (da, en), url) = (&account.name, what, desk.url("/me"));
    let text = format!(
        "Kære {name}\n\n{da}\nDet skete {at}.\n\nHvis du ikke kender til det, så sig det til dem, der driver registret.\n\
         Din konto: {url}\n\n-- \nDear {name}\n\n{en}\nIt happened {at}.\n\n\
         If you know nothing of it, tell those who run the registry.\nYour account: {url}\n"
    );
    let subject = match kind.as_str() {
        "password" => "Din adgangskode er sat / Your password was set",
        "token" => "Nyt token til din konto / New token for your account",
        _ => "Dine roller er ændret / Your roles were changed",
    };
    Letter::new(kind, recipient(account), LetterLanguage::Both, subject, text)
}

/// The letter to somebody new, with a link of its own; the one that was handed out works beside it.
async fn invitation(account: Uuid, desk: &Desk<'_>) -> Result<Vec<Composed>> {
    let Some(account) = desk.account(account).await? else { return Ok(Vec::new()) };
    // The first administrator has set a password already, and so may others by now.
    if desk.has_password(account.uuid).await? {
        return Ok(Vec::new());
    }
    let (secret, expires) = (desk.secret()?, later(desk.now(), HOURS));
    let (name, mail) = (&account.name, &account.mail);
    let (link, site) = (desk.url(&format!("/setup?key={}", secret.expose())), desk.url("/"));
    let text = format!(
        "Kære {name}\n\nDer er oprettet en konto til dig i begrebsregistret {site}\n\
         Vælg en adgangskode her; linket virker én gang, indtil {expires}:\n\n{link}\n\n\
         Du logger ind med {mail}.\n\n-- \nDear {name}\n\n\
         An account was created for you in the concept registry {site}\n\
         Choose a password here; the link works once, until {expires}:\n\n{link}\n\nYou sign in with {mail}.\n"
    );
    let subject = "Din konto i begrebsregistret / Your account in the concept registry";
    let kind = LetterKind::new("invitation");
    let letter = Letter::new(kind, recipient(account), LetterLanguage::Both, subject, text)?;
    let (account, digest) = (account.uuid, secret.digest());
    Ok(vec![Composed::with_secret(letter, move |outbox| Box::pin(outbox.add_link(account, digest, expires)))])
}

fn recipient(account: &Account) -> (Uuid, crate::model::Mail, Option<crate::model::Name>) {
    (account.uuid, account.mail.clone(), Some(account.name.clone()))
}

fn later(at: Instant, hours: i64) -> Instant {
    Instant::from_micros(at.micros().saturating_add(hours * 3_600_000_000))
}
