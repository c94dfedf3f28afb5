//! Mail digests: anybody may have letters about what happens to vocabularies, concepts, or a code set that they keep.
//! Nothing is sent to an address before whoever reads its mail has followed a link; and whoever has a letter can end
//! them all by the link in it.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Registry;
use super::permission::{Actor, Command, permit};
use super::subscriptions::unknown;
use super::work::AskedAnswer;
use crate::model::{
    Code, DigestLanguage, EventFilter, Frequency, Instant, Mail, Owner, PausedBecause, Place, Refusal, Result, Secret,
    Slug, SubscriptionKind, SubscriptionState, new_uuid,
};
use crate::store::{Contact, DigestStanding, Errand, ErrandKind, SubscriptionRow, SubscriptionsStatus, Write};
use crate::workflow::Author;

/// How long a digest waits for its mail address to be confirmed, in days.
const DAYS: i64 = 7;
/// How many may wait for that, in all and for one mail address.
const MOST_PENDING: i64 = 5_000;
const MOST_PENDING_FOR_ONE: i64 = 3;
/// How many there may be, in all and for one mail address.
const MOST: i64 = 20_000;
const MOST_FOR_ONE: usize = 20;
/// How many vocabularies and concepts one may name.
const MOST_NAMED: usize = 100;

/// A digest that somebody asks for.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DigestRequest {
    /// Where it goes.
    pub mail: Mail,
    /// Of these vocabularies, by slug; of all when neither those, concepts nor a code set are named.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub vocabularies: BTreeSet<Slug>,
    /// Or about these concepts, by uuid.
    #[serde(default)]
    pub concepts: BTreeSet<Uuid>,
    /// Or about the codes of this set, as it is when something happens: for those who keep it.
    #[serde(default)]
    pub code_set: Option<Uuid>,
    /// How often: `atOnce`, `daily` or `weekly`.
    pub every: Frequency,
    /// The language of the letters: `da` (when absent) or `en`.
    #[serde(default = "danish")]
    pub language: DigestLanguage,
}

fn danish() -> DigestLanguage {
    DigestLanguage::Da
}

/// What a digest needs beside its filter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DigestSettings {
    pub every: Frequency,
    pub language: DigestLanguage,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_set: Option<Uuid>,
    /// The secret at the end of the link in each letter. It can end the digest and nothing else. It is kept as it is,
    /// also in a backup: links in letters of years ago must work.
    pub key: String,
}

impl DigestSettings {
    /// Reads them as they are stored.
    pub(crate) fn read(settings: &str) -> Result<Self> {
        serde_json::from_str(settings).map_err(|e| {
            let (da, en) = ("et abonnement kan ikke læses", format!("a subscription cannot be read: {e}"));
            Refusal::new(Code::Corrupt, da, en)
        })
    }
}

/// What waits until the link is followed.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wish {
    filter: EventFilter,
    #[serde(default)]
    code_set: Option<Uuid>,
    every: Frequency,
    language: DigestLanguage,
}

/// A digest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DigestAnswer {
    /// The subscription itself.
    pub uuid: Uuid,
    /// When it was confirmed.
    #[schema(value_type = String)]
    pub created: Instant,
    /// Of these vocabularies; of all when nothing is named.
    #[schema(value_type = Vec<String>)]
    pub vocabularies: BTreeSet<Slug>,
    /// About these concepts.
    pub concepts: BTreeSet<Uuid>,
    /// About the codes of this set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_set: Option<Uuid>,
    /// How often.
    pub every: Frequency,
    /// The language of the letters.
    pub language: DigestLanguage,
    /// Whom it is for: by this uuid they can be erased. For those who manage accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Uuid>,
    /// The page by which it is ended; for whoever has confirmed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// A digest as who runs the registry sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeptDigest {
    /// What was asked for, and the contact that it is for.
    #[serde(flatten)]
    pub digest: DigestAnswer,
    /// Where it stands.
    pub state: SubscriptionState,
    /// Why it is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_because: Option<PausedBecause>,
    /// Since when it stands so.
    #[schema(value_type = String)]
    pub changed: Instant,
    /// Where it goes; for those who manage accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// The position of the log up to which letters were laid down.
    pub position: i64,
    /// How many letters wait.
    pub waiting: i64,
    /// How often the first of them was tried.
    pub tries: i64,
    /// What was answered to it, the last time; for those who manage accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

/// Whose digests.
#[derive(Clone, PartialEq, Eq, Default, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DigestsOf {
    /// The mail address that they go to.
    #[param(value_type = String, required = true)]
    pub mail: Option<Mail>,
}

impl Registry {
    /// Takes down that somebody wants a digest, and lets them be asked by mail whether they do. `peer` is where the
    /// request comes from.
    ///
    /// # Errors
    /// [`Code::UnknownVocabulary`], [`Code::UnknownConcept`], [`Code::TooLarge`], [`Code::InvalidBody`] for more than one
    /// sort of thing; for a code set what
    /// [`Registry::keeps_code_set`] refuses; [`Code::NotSignedIn`] where the registry sends no mail,
    /// [`Code::TooManyAttempts`], [`Code::Database`].
    pub async fn ask_for_digest(&self, actor: &Actor, request: DigestRequest, peer: &str) -> Result<AskedAnswer> {
        self.slow_down(request.mail.as_str(), peer)?;
        if let Some(set) = request.code_set {
            self.keeps_code_set(actor, set).await?;
        }
        let (mail, wish) = (request.mail.clone(), self.wish(request)?);
        self.needs_mail().await?;
        let body = written(&wish)?;
        let mut write = self.store.write(&Actor::Public.name(), self.clock.now()).await?;
        write.sweep_errands().await?;
        let kind = ErrandKind::PendingDigest;
        let (all, for_one) = (write.errands_of(kind).await?, write.errands_for(kind, &mail).await?);
        if all >= MOST_PENDING || for_one >= MOST_PENDING_FOR_ONE {
            return Err(Refusal::new(
                Code::TooManyAttempts,
                "der venter for mange abonnementer på at blive bekræftet; bekræft dem, eller prøv igen senere",
                "too many subscriptions wait to be confirmed; confirm them, or try again later",
            )
            .retry_after(86_400));
        }
        let expires = Instant::from_micros(write.at().micros().saturating_add(DAYS * 86_400_000_000));
        // Nobody is asked for a name; a contact has one.
        let name = mail.as_str().chars().take(200).collect::<String>().parse()?;
        let contact = Contact { uuid: new_uuid(self.dice())?, name, mail, organisation: None };
        let errand = Errand {
            uuid: new_uuid(self.dice())?,
            kind,
            matter: new_uuid(self.dice())?,
            subject: Uuid::nil(),
            contact: Some(contact.uuid),
            body,
            expires,
        };
        write.put_contact(&contact).await?;
        // Its link is made when the letter is composed.
        write.put_errand(&errand, None).await?;
        write.ask_confirmation(Uuid::nil(), errand.uuid).await?;
        self.commit(write).await?;
        Ok(AskedAnswer { state: "unconfirmed", expires })
    }

    /// The digest that waits behind a link, as it would be.
    ///
    /// # Errors
    /// [`Code::Expired`].
    pub async fn pending_digest(&self, link: &Secret) -> Result<DigestAnswer> {
        let errand = self.awaited(self.store.errand(link.digest()).await?)?;
        let Wish { filter, code_set, every, language } = wished(&errand)?;
        let EventFilter { vocabularies, concepts, .. } = filter;
        let (uuid, created, contact, link) = (errand.matter, self.clock.now(), None, None);
        Ok(DigestAnswer { uuid, created, vocabularies, concepts, code_set, every, language, contact, link })
    }

    /// Lets a digest begin whose link was followed: with what happens from now on. One that asks for the same and goes
    /// to the same address goes on instead, as often and in the language that is now asked for.
    ///
    /// # Errors
    /// [`Code::Expired`] for a link that was used, has run out, or never was; [`Code::TooManySubscriptions`].
    pub async fn confirm_digest(&self, link: &Secret) -> Result<DigestAnswer> {
        let found = self.awaited(self.store.errand(link.digest()).await?)?;
        let contact = found.contact.ok_or_else(gone)?;
        let key = Secret::new(self.dice(), "")?;
        let mut write = self.store.write(&Author::Contact(contact).to_string(), self.clock.now()).await?;
        // Somebody may have followed it meanwhile.
        let errand = self.awaited(write.errand(link.digest()).await?)?;
        let Wish { filter, code_set, every, language } = wished(&errand)?;
        let mail = write.contact(contact).await?.ok_or_else(gone)?.mail;
        let mut others = write.digests_to(&mail).await?;
        let settings = DigestSettings { every, language, code_set, key: key.expose().to_owned() };
        let same = |row: &SubscriptionRow| {
            row.filter == filter && DigestSettings::read(&row.settings).is_ok_and(|s| s.code_set == code_set)
        };
        let mut there: Vec<SubscriptionRow> = others.extract_if(.., |row| same(row)).collect();
        if !there.is_empty() {
            // Of several the one that was told least goes on.
            there.sort_by_key(|row| row.passed);
            let row = there.remove(0);
            for row in there {
                end(&mut write, &row).await?;
            }
            return self.confirm_again(write, row, settings, &errand).await;
        }
        if others.len() >= MOST_FOR_ONE || write.digests().await? >= MOST {
            let (da, en) = (
                "der er så mange abonnementer, som der må være; afslut et først",
                "there are as many subscriptions as there may be; end one first",
            );
            return Err(Refusal::new(Code::TooManySubscriptions, da, en).allowed([MOST_FOR_ONE.to_string()]));
        }
        let (passed, at) = (write.facts().head().await?.seq, write.at());
        let row = SubscriptionRow {
            uuid: errand.matter,
            kind: SubscriptionKind::Digest,
            owner: Owner::Contact(contact),
            state: SubscriptionState::Active,
            why: None,
            created: at,
            changed: at,
            filter,
            settings: written(&settings)?,
            passed,
            attempts: 0,
            since: None,
            due: at,
            edition: 0,
            tested: None,
        };
        write.add_subscription(&row, None).await?;
        write.drop_errand(errand.uuid).await?;
        self.commit(write).await?;
        let link = Some(self.digest_link(row.uuid, &settings.key));
        Ok(DigestAnswer { link, ..answer(row)? })
    }

    /// Lets a digest go on, also one that was paused, because whoever reads its mail asks for it once more: what waits is
    /// sent, and nothing that happened since its last letter is left out.
    async fn confirm_again(
        &self,
        mut write: Write,
        mut row: SubscriptionRow,
        settings: DigestSettings,
        errand: &Errand,
    ) -> Result<DigestAnswer> {
        // Links in its old letters work on.
        let settings = DigestSettings { key: DigestSettings::read(&row.settings)?.key, ..settings };
        row.settings = written(&settings)?;
        match row.state {
            SubscriptionState::Paused => {
                write.change_subscription(&row).await?;
                go_on(&mut write, &mut row, self.clock.now()).await?;
            }
            _ => write.change_digest(&row).await?,
        }
        if let Some(contact) = errand.contact {
            // It has one, with the same address.
            write.erase_contact(contact).await?;
        }
        write.drop_errand(errand.uuid).await?;
        self.commit(write).await?;
        let link = Some(self.digest_link(row.uuid, &settings.key));
        Ok(DigestAnswer { link, ..answer(row)? })
    }

    /// Every digest, in the order in which they were confirmed. Addresses are for those who manage accounts too.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::Database`].
    pub async fn digests(&self, actor: &Actor) -> Result<Vec<KeptDigest>> {
        permit(actor, Command::ManageSubscriptions, None)?;
        let sees = permit(actor, Command::ManageAccounts, None).is_ok();
        let mut standing = self.store.digests_stand().await?;
        let rows = self.store.subscriptions(None).await?.into_iter().filter(is_digest);
        let kept = rows.filter_map(|row| standing.remove(&row.uuid).map(|s| kept(row, s, sees)));
        kept.collect()
    }

    /// Pauses a digest: nothing is sent, and nothing is lost.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::UnknownSubscription`].
    pub async fn pause_digest(&self, actor: &Actor, digest: Uuid) -> Result<()> {
        let (mut write, mut row) = self.digest_for(actor, digest).await?;
        if row.state == SubscriptionState::Paused {
            return Ok(());
        }
        pause(&mut write, &mut row, PausedBecause::Asked).await?;
        self.commit(write).await.map(drop)
    }

    /// Lets a digest that was paused go on where it was.
    ///
    /// # Errors
    /// As [`Registry::pause_digest`].
    pub async fn resume_digest(&self, actor: &Actor, digest: Uuid) -> Result<()> {
        let (mut write, mut row) = self.digest_for(actor, digest).await?;
        if row.state == SubscriptionState::Active {
            return Ok(());
        }
        go_on(&mut write, &mut row, self.clock.now()).await?;
        self.commit(write).await.map(drop)
    }

    /// Ends a digest, as the link in its letters does.
    ///
    /// # Errors
    /// As [`Registry::pause_digest`].
    pub async fn remove_digest(&self, actor: &Actor, digest: Uuid) -> Result<()> {
        let (mut write, row) = self.digest_for(actor, digest).await?;
        end(&mut write, &row).await?;
        self.commit(write).await.map(drop)
    }

    /// How many digests there are, active and paused, and how many of their letters, by how they fare.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn digests_status(&self) -> Result<(SubscriptionsStatus, Vec<(String, i64)>)> {
        Ok((self.store.subscriptions_status(SubscriptionKind::Digest).await?, self.store.digest_letters().await?))
    }

    /// Pauses the digest of a contact whose letters no mail server takes, unless it ended meanwhile.
    pub(crate) async fn pause_refused(&self, contact: Uuid) -> Result<()> {
        let mut write = self.store.write(&Actor::Operator("mail".into()).name(), self.clock.now()).await?;
        let rows = write.subscriptions_of_contact(contact).await?;
        let active = |row: &SubscriptionRow| is_digest(row) && row.state == SubscriptionState::Active;
        let Some(mut row) = rows.into_iter().find(active) else { return Ok(()) };
        pause(&mut write, &mut row, PausedBecause::Refused).await?;
        self.commit(write).await.map(drop)
    }

    /// A write by who may change any digest, and the digest as nobody else changes it meanwhile.
    async fn digest_for(&self, actor: &Actor, digest: Uuid) -> Result<(Write, SubscriptionRow)> {
        permit(actor, Command::ManageSubscriptions, None)?;
        let mut write = self.begin_for(actor).await?;
        let row = write.subscription(digest).await?.filter(is_digest).ok_or_else(|| unknown(digest))?;
        Ok((write, row))
    }

    /// What the link in a letter leads to.
    ///
    /// # Errors
    /// [`Code::Expired`] for a digest that has ended, or another's key.
    pub async fn digest(&self, digest: Uuid, key: &Secret) -> Result<DigestAnswer> {
        answer(opened(self.store.subscription(digest).await?, key)?)
    }

    /// Ends a digest by the link in a letter. Its address is erased, and letters that wait are not sent.
    ///
    /// # Errors
    /// As [`Registry::digest`].
    pub async fn end_digest(&self, digest: Uuid, key: &Secret) -> Result<()> {
        let row = opened(self.store.subscription(digest).await?, key)?;
        let by = match row.owner {
            Owner::Contact(contact) => Author::Contact(contact).to_string(),
            _ => Actor::Public.name(),
        };
        let mut write = self.store.write(&by, self.clock.now()).await?;
        let row = opened(write.subscription(digest).await?, key)?;
        end(&mut write, &row).await?;
        self.commit(write).await.map(drop)
    }

    /// The digests that go to a mail address: for those who manage accounts, so that somebody can be erased who asks for
    /// it.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::InvalidParameter`] without an address, [`Code::Database`].
    pub async fn digests_to(&self, actor: &Actor, of: &DigestsOf) -> Result<Vec<DigestAnswer>> {
        permit(actor, Command::ManageAccounts, None)?;
        let Some(mail) = &of.mail else {
            let (da, en) = ("sig, hvilken mailadresse det er", "say which mail address it is");
            return Err(Refusal::new(Code::InvalidParameter, da, en).at(Place::field("mail")));
        };
        let told = |row: SubscriptionRow| {
            let contact = match row.owner {
                Owner::Contact(contact) => Some(contact),
                _ => None,
            };
            Ok(DigestAnswer { contact, ..answer(row)? })
        };
        self.store.digests_to(mail).await?.into_iter().map(told).collect()
    }

    /// The events that a digest asks for now; none when its code set has ended.
    pub(crate) fn digest_filter(&self, asked: &EventFilter, code_set: Option<Uuid>) -> Option<Arc<EventFilter>> {
        match code_set {
            None => Some(Arc::new(asked.clone())),
            Some(set) => self.codeset_filter(set).ok(),
        }
    }

    /// The page by which a digest is ended.
    pub(crate) fn digest_link(&self, digest: Uuid, key: &str) -> String {
        format!("{}/digests/{digest}/{key}", self.settings.public_url)
    }

    /// Ends the digests of a contact who is erased.
    pub(super) async fn end_digests_of(&self, write: &mut Write, contact: Uuid) -> Result<()> {
        for row in write.subscriptions_of_contact(contact).await? {
            write.end_subscription(&row).await?;
        }
        Ok(())
    }

    /// What is asked for, where it names only what there is: a slip would be silent for ever.
    fn wish(&self, request: DigestRequest) -> Result<Wish> {
        let DigestRequest { vocabularies, concepts, code_set, every, language, .. } = request;
        let named = vocabularies.len() + concepts.len();
        if code_set.is_some() && named > 0 {
            let (da, en) =
                ("en kodesamling siger selv, hvad den handler om", "a code set says itself what it is about");
            return Err(Refusal::new(Code::InvalidBody, da, en).at(Place::field("codeSet")));
        }
        if !vocabularies.is_empty() && !concepts.is_empty() {
            let (da, en) =
                ("nævn ordforråd eller begreber, ikke begge dele", "name vocabularies or concepts, not both");
            return Err(Refusal::new(Code::InvalidBody, da, en).at(Place::field("concepts")));
        }
        if named > MOST_NAMED {
            let (da, en) = ("abonnementet nævner for meget", "the subscription names too much");
            let refusal = Refusal::new(Code::TooLarge, da, en).at(Place::field("concepts"));
            return Err(refusal.allowed([MOST_NAMED.to_string()]));
        }
        let snapshot = self.snapshot();
        if let Some(slug) = vocabularies.iter().find(|slug| snapshot.by_slug(slug.as_str()).is_none()) {
            return Err(super::query::unknown_vocabulary(slug.as_str()).at(Place::field("vocabularies")));
        }
        let known = |concept: &Uuid| snapshot.planes().iter().any(|p| !p.sayings(*concept).is_empty());
        if let Some(concept) = concepts.iter().find(|concept| !known(concept)) {
            let (da, en) = (format!("der er intet begreb {concept}"), format!("there is no concept {concept}"));
            return Err(Refusal::new(Code::UnknownConcept, da, en).at(Place::field("concepts")));
        }
        let filter = EventFilter { vocabularies, concepts, ..EventFilter::default() };
        Ok(Wish { filter, code_set, every, language })
    }

    fn awaited(&self, errand: Option<Errand>) -> Result<Errand> {
        let waits = |e: &Errand| e.kind == ErrandKind::PendingDigest && e.expires > self.clock.now();
        errand.filter(waits).ok_or_else(gone)
    }
}

fn wished(errand: &Errand) -> Result<Wish> {
    serde_json::from_str(&errand.body).map_err(|e| Refusal::new(Code::Corrupt, e.to_string(), e.to_string()))
}

fn is_digest(row: &SubscriptionRow) -> bool {
    row.kind == SubscriptionKind::Digest
}

fn kept(row: SubscriptionRow, standing: DigestStanding, sees: bool) -> Result<KeptDigest> {
    let (state, paused_because, changed, position) = (row.state, row.why, row.changed, row.passed);
    let contact = match row.owner {
        Owner::Contact(contact) => Some(contact),
        _ => None,
    };
    let DigestStanding { mail, waiting, tries, answer: said } = standing;
    let digest = DigestAnswer { contact, ..answer(row)? };
    let (mail, answer) = (Some(mail).filter(|_| sees), said.filter(|_| sees));
    Ok(KeptDigest { digest, state, paused_because, changed, mail, position, waiting, tries, answer })
}

async fn pause(write: &mut Write, row: &mut SubscriptionRow, why: PausedBecause) -> Result<()> {
    (row.state, row.why, row.changed) = (SubscriptionState::Paused, Some(why), write.at());
    write.pause_subscription(row, Some(why)).await
}

/// Lets a digest go on, and what waits for it be tried.
async fn go_on(write: &mut Write, row: &mut SubscriptionRow, now: Instant) -> Result<()> {
    (row.state, row.why, row.changed) = (SubscriptionState::Active, None, write.at());
    write.pause_subscription(row, None).await?;
    match row.owner {
        Owner::Contact(contact) => write.retry_letters(contact, now).await,
        _ => Ok(()),
    }
}

/// Ends a digest, and erases whom it was for: nothing else needs the address.
async fn end(write: &mut Write, row: &SubscriptionRow) -> Result<()> {
    write.end_subscription(row).await?;
    match row.owner {
        Owner::Contact(contact) => write.erase_contact(contact).await,
        _ => Ok(()),
    }
}

/// The digest that a key opens.
fn opened(row: Option<SubscriptionRow>, key: &Secret) -> Result<SubscriptionRow> {
    let row = row.filter(|row| row.kind == SubscriptionKind::Digest).ok_or_else(gone)?;
    // Digests are compared: how long that takes tells nothing of the key.
    let fits = Secret::shown(&DigestSettings::read(&row.settings)?.key).digest() == key.digest();
    if fits { Ok(row) } else { Err(gone()) }
}

fn answer(row: SubscriptionRow) -> Result<DigestAnswer> {
    let DigestSettings { every, language, code_set, .. } = DigestSettings::read(&row.settings)?;
    let EventFilter { vocabularies, concepts, .. } = row.filter;
    let (uuid, created) = (row.uuid, row.created);
    Ok(DigestAnswer { uuid, created, vocabularies, concepts, code_set, every, language, contact: None, link: None })
}

fn written(what: &impl Serialize) -> Result<String> {
    serde_json::to_string(what).map_err(|e| Refusal::new(Code::Internal, e.to_string(), e.to_string()))
}

fn gone() -> Refusal {
    let (da, en) = ("linket er brugt eller udløbet", "the link was used or has run out");
    Refusal::new(Code::Expired, da, en)
}
