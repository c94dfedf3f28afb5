//! Subscriptions: who is told of what. Anybody who is signed in may have some of their own, and of their organisation's;
//! administrators see all. What is told is public, so no subscription takes a right beyond that.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Registry;
use super::pages::{Paged, Pages};
use super::permission::{Actor, not_signed_in, permit};
use crate::model::{
    Code, Command, EventFilter, Instant, Owner, PausedBecause, Place, Refusal, Result, SigningSecret, SubscriptionKind,
    SubscriptionState, Target, Usage, UsageForm, description, new_uuid,
};
use crate::store::{Aside, AsideKind, DeliveryRow, SubscriptionRow, SubscriptionsStatus, Write};

/// How many subscriptions an account or an organisation may have.
const MOST: usize = 100;
/// How many there may be in all.
const MOST_IN_ALL: usize = 5000;
/// The most events in one message.
const LARGEST_BATCH: u16 = 100;
/// For how many hours the secret before the newest is good, when it is not said, and at most.
const OVERLAP: (u32, u32) = (24, 168);
/// How many seconds must pass between two tests of a subscription.
const BETWEEN_TESTS: u64 = 10;

/// What a webhook needs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WebhookSettings {
    /// Where it goes.
    pub url: String,
    /// What its owner calls it.
    pub description: String,
    /// How many events a message may have; of 1, a message is an event.
    pub batch: u16,
}

/// Whose a subscription is to be.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum OwnerWish {
    /// The account that asks.
    #[default]
    Account,
    /// Its organisation: all of whose accounts may change it.
    Organisation,
}

/// A webhook to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubscriptionRequest {
    /// How it is delivered: `webhook`.
    #[serde(default = "webhook")]
    pub kind: SubscriptionKind,
    /// Where it goes: https, and a public network.
    pub url: String,
    /// What its owner calls it: up to 200 characters.
    #[serde(default)]
    pub description: String,
    /// Which events it asks for; all when absent.
    #[serde(default)]
    pub filter: EventFilter,
    /// How many events a message may have, 1 to 100; 1 when absent: then a message is an event.
    #[serde(default)]
    pub batch: Option<u16>,
    /// Whose it is: of the account that asks when absent.
    #[serde(default)]
    pub owner: OwnerWish,
    /// The position of the log after which it begins: 0 for everything that was ever told; now when absent.
    #[serde(default)]
    pub after: Option<i64>,
}

fn webhook() -> SubscriptionKind {
    SubscriptionKind::Webhook
}

/// What is changed of a webhook; what is absent stays.
#[derive(Clone, Default, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubscriptionChange {
    /// Where it goes.
    #[serde(default)]
    pub url: Option<String>,
    /// What its owner calls it.
    #[serde(default)]
    pub description: Option<String>,
    /// Which events it asks for. What was told already is not told again.
    #[serde(default)]
    pub filter: Option<EventFilter>,
    /// How many events a message may have, 1 to 100.
    #[serde(default)]
    pub batch: Option<u16>,
}

/// Another secret for a webhook.
#[derive(Clone, Copy, Default, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretRequest {
    /// For how many hours messages are signed with the present one as well, at most 168; 24 when absent.
    #[serde(default)]
    pub overlap_hours: Option<u32>,
}

/// What is sent again: exactly one of the three.
#[derive(Clone, Copy, Default, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplayRequest {
    /// One dead letter.
    #[serde(default)]
    pub dead_letter: Option<Uuid>,
    /// `true`: all dead letters.
    #[serde(default)]
    pub all: Option<bool>,
    /// Everything after a position of the log, in order; one that lies ahead of what was delivered leaves out.
    #[serde(default)]
    pub after: Option<i64>,
}

/// A subscription, without its secrets.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionAnswer {
    /// The subscription itself.
    pub uuid: Uuid,
    /// How it is delivered.
    pub kind: SubscriptionKind,
    /// Whose it is.
    pub owner: Owner,
    /// Where it stands.
    pub state: SubscriptionState,
    /// Why it is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_because: Option<PausedBecause>,
    /// When it was made.
    #[schema(value_type = String)]
    pub created: Instant,
    /// Since when it stands so.
    #[schema(value_type = String)]
    pub changed: Instant,
    /// Where it goes.
    pub url: String,
    /// What its owner calls it.
    pub description: String,
    /// Which events it asks for.
    pub filter: EventFilter,
    /// How many events a message may have.
    pub batch: u16,
    /// The position of the log that is done with: delivered, not asked for, or a dead letter.
    pub position: i64,
    /// Where the log ends.
    pub head: i64,
    /// How often what is next was tried in vain.
    pub attempts: i64,
    /// Since when it is tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub trying_since: Option<Instant>,
    /// When it is tried next, while it fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub next_attempt: Option<Instant>,
}

/// A subscription with what its messages are signed with: shown now and never again.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MadeSubscription {
    /// `whsec_…`, for the verification of messages.
    pub secret: String,
    /// The subscription.
    #[serde(flatten)]
    pub subscription: SubscriptionAnswer,
}

/// What is sent again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayAnswer {
    /// How many dead letters are tried once more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letters: Option<u64>,
    /// The position after which everything is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
}

/// A test that will be sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct TestAnswer {
    /// The message, as `webhook-id` will name it: what came of it stands in the delivery log.
    pub message: String,
}

/// What was tried for as long as it may be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// The letter itself.
    pub uuid: Uuid,
    /// The message, as `webhook-id` named it.
    pub message: String,
    /// The positions of the log that it tells of.
    pub positions: Vec<i64>,
    /// Whether it is about to be tried once more.
    pub queued: bool,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was tried first.
    #[schema(value_type = String)]
    pub since: Instant,
    /// When it was tried last.
    #[schema(value_type = String)]
    pub last: Instant,
    /// The status of the last answer, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How the last answer began, or why there was none.
    pub answer: String,
}

impl Registry {
    /// Makes a webhook: for the account that asks or its organisation; for the operator, for whom it is said.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::ForbiddenTarget`], [`Code::InvalidParameter`], [`Code::InvalidText`],
    /// [`Code::TooLarge`], [`Code::UnknownVocabulary`], [`Code::NotFound`] for a code set that is not the owner's,
    /// [`Code::TooManySubscriptions`], [`Code::Database`].
    pub async fn create_subscription(
        &self,
        actor: &Actor,
        owner: Option<Owner>,
        request: SubscriptionRequest,
    ) -> Result<MadeSubscription> {
        let owner = match (actor, owner) {
            (Actor::Operator(_), Some(owner)) => owner,
            _ => self.wished(actor, request.owner).await?,
        };
        if request.kind != SubscriptionKind::Webhook {
            let (da, en) = ("den slags abonnement laves ikke her", "that kind of subscription is not made here");
            return Err(Refusal::new(Code::InvalidParameter, da, en).at(Place::field("kind")).allowed(["webhook"]));
        }
        let settings = WebhookSettings {
            url: self.target(&request.url)?,
            description: description(&request.description)?,
            batch: batch(request.batch.unwrap_or(1))?,
        };
        let filter = self.known(request.filter)?;
        let (uuid, secret) = (new_uuid(self.dice())?, SigningSecret::new(self.dice())?);
        let mut write = self.begin_for(actor).await?;
        self.own_code_set(&mut write, owner, &filter).await?;
        room(&mut write, owner).await?;
        let (head, at) = (write.facts().head().await?.seq, write.at());
        let row = SubscriptionRow {
            uuid,
            kind: request.kind,
            owner,
            state: SubscriptionState::Active,
            why: None,
            created: at,
            changed: at,
            filter,
            settings: written(&settings)?,
            passed: position(request.after.unwrap_or(head), head)?,
            attempts: 0,
            since: None,
            due: at,
            edition: 0,
            tested: None,
        };
        write.add_subscription(&row, Some(&secret)).await?;
        self.commit(write).await?;
        Ok(MadeSubscription { secret: secret.expose().to_owned(), subscription: self.subscription_answer(row)? })
    }

    /// The subscriptions of the account that asks and of its organisation; with `all`, everyone's.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::Database`].
    pub async fn subscriptions(&self, actor: &Actor, all: bool) -> Result<Vec<SubscriptionAnswer>> {
        let owners = if all {
            permit(actor, Command::ManageSubscriptions, None)?;
            None
        } else {
            permit(actor, Command::OwnSubscriptions, None)?;
            let account = actor.account()?.account;
            Some((account, self.organisation_of(account).await?))
        };
        let rows = self.store.subscriptions(owners).await?;
        rows.into_iter().filter(is_webhook).map(|row| self.subscription_answer(row)).collect()
    }

    /// One subscription.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::UnknownSubscription`], also for another's without the right to it.
    pub async fn subscription(&self, actor: &Actor, subscription: Uuid) -> Result<SubscriptionAnswer> {
        self.subscription_answer(self.subscription_for(actor, subscription).await?)
    }

    /// Changes a subscription; what is absent stays.
    ///
    /// # Errors
    /// As [`Registry::create_subscription`] and [`Registry::subscription`].
    pub async fn change_subscription(
        &self,
        actor: &Actor,
        subscription: Uuid,
        change: SubscriptionChange,
    ) -> Result<SubscriptionAnswer> {
        self.subscription_for(actor, subscription).await?;
        let url = change.url.as_deref().map(|url| self.target(url)).transpose()?;
        let described = change.description.as_deref().map(description).transpose()?;
        let size = change.batch.map(batch).transpose()?;
        let filter = change.filter.map(|filter| self.known(filter)).transpose()?;
        let (mut write, before) = self.begin_on(actor, subscription).await?;
        let (mut row, mut settings) = (before.clone(), read(&before)?);
        settings.url = url.unwrap_or(settings.url);
        settings.description = described.unwrap_or(settings.description);
        settings.batch = size.unwrap_or(settings.batch);
        row.settings = written(&settings)?;
        if let Some(filter) = filter {
            self.own_code_set(&mut write, row.owner, &filter).await?;
            row.filter = filter;
        }
        // What is as it was is no news.
        if row == before {
            return self.subscription_answer(row);
        }
        write.change_subscription(&row).await?;
        self.commit(write).await?;
        self.subscription_answer(row)
    }

    /// Pauses a subscription: nothing is sent, and nothing is lost.
    ///
    /// # Errors
    /// As [`Registry::subscription`].
    pub async fn pause_subscription(&self, actor: &Actor, subscription: Uuid) -> Result<SubscriptionAnswer> {
        self.subscription_for(actor, subscription).await?;
        self.pause(actor, subscription, Some(PausedBecause::Asked)).await
    }

    /// Lets a subscription that was paused go on where it was.
    ///
    /// # Errors
    /// As [`Registry::subscription`]; [`Code::Phase`] when it has no secret, as after a restore, or goes by a code set
    /// that has ended.
    pub async fn resume_subscription(&self, actor: &Actor, subscription: Uuid) -> Result<SubscriptionAnswer> {
        let row = self.subscription_for(actor, subscription).await?;
        if row.filter.code_set.is_some_and(|set| self.codeset_filter(set).is_err()) {
            let (da, en) = (
                "kodesættet, som abonnementet går efter, er afsluttet; giv det et andet filter først",
                "the code set that the subscription goes by has ended; give it another filter first",
            );
            let change = format!("PATCH /api/v1/subscriptions/{subscription}");
            return Err(Refusal::new(Code::Phase, da, en).at(Place::field("filter.codeSet")).allowed([change]));
        }
        if self.store.signing_secrets(subscription, self.clock.now()).await? == 0 {
            let (da, en) = (
                "abonnementet har ingen hemmelighed, for registret er genskabt fra en sikkerhedskopi; lav en ny først",
                "the subscription has no secret, since the registry was restored from a backup; make a new one first",
            );
            let secret = format!("POST /api/v1/subscriptions/{subscription}/secret");
            return Err(Refusal::new(Code::Phase, da, en).allowed([secret]));
        }
        self.pause(actor, subscription, None).await
    }

    /// Ends a subscription. Its address, its secrets and its dead letters are erased.
    ///
    /// # Errors
    /// As [`Registry::subscription`].
    pub async fn end_subscription(&self, actor: &Actor, subscription: Uuid) -> Result<()> {
        self.subscription_for(actor, subscription).await?;
        let (mut write, row) = self.begin_on(actor, subscription).await?;
        write.end_subscription(&row).await?;
        self.commit(write).await.map(drop)
    }

    /// Makes another secret. For a while messages are signed with the one before as well.
    ///
    /// # Errors
    /// As [`Registry::subscription`]; [`Code::Unlawful`] for too long a while.
    pub async fn rotate_secret(
        &self,
        actor: &Actor,
        subscription: Uuid,
        request: SecretRequest,
    ) -> Result<MadeSubscription> {
        self.subscription_for(actor, subscription).await?;
        let hours = request.overlap_hours.unwrap_or(OVERLAP.0);
        if hours > OVERLAP.1 {
            let (da, en) = ("så længe gælder to hemmeligheder ikke", "two secrets are not good for so long");
            let refusal = Refusal::new(Code::Unlawful, da, en).at(Place::field("overlapHours"));
            return Err(refusal.allowed([format!("0–{}", OVERLAP.1)]));
        }
        let secret = SigningSecret::new(self.dice())?;
        let (mut write, row) = self.begin_on(actor, subscription).await?;
        let until = Instant::from_micros(write.at().micros().saturating_add(i64::from(hours) * 3_600_000_000));
        write.rotate_secret(&row, &secret, until).await?;
        self.commit(write).await?;
        Ok(MadeSubscription { secret: secret.expose().to_owned(), subscription: self.subscription_answer(row)? })
    }

    /// Sends a test, also while the subscription is paused. What came of it stands in the delivery log.
    ///
    /// # Errors
    /// As [`Registry::subscription`]; [`Code::TooSoon`] within ten seconds of the test before.
    pub async fn test_subscription(&self, actor: &Actor, subscription: Uuid) -> Result<TestAnswer> {
        self.subscription_for(actor, subscription).await?;
        let (uuid, now) = (new_uuid(self.dice())?, self.clock.now());
        let message = format!("msg_{}", uuid.simple());
        let test = Aside {
            uuid,
            kind: AsideKind::Test,
            queued: true,
            message: message.clone(),
            positions: Vec::new(),
            attempts: 0,
            since: now,
            at: now,
            status: None,
            answer: String::new(),
        };
        let wait = i64::try_from(BETWEEN_TESTS).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        let not_since = Instant::from_micros(now.micros().saturating_sub(wait));
        if !self.store.queue_test(subscription, &test, not_since).await? {
            let (da, en) = ("der er lige sendt en prøve; vent lidt", "a test was sent just now; wait a little");
            return Err(Refusal::new(Code::TooSoon, da, en).retry_after(BETWEEN_TESTS));
        }
        Ok(TestAnswer { message })
    }

    /// Sends again: one dead letter, all of them, or everything after a position.
    ///
    /// # Errors
    /// As [`Registry::subscription`]; [`Code::InvalidBody`] unless it is exactly one of those; [`Code::NotFound`] for a
    /// letter that is not there; [`Code::InvalidParameter`] for a position that the log does not have.
    pub async fn replay(&self, actor: &Actor, subscription: Uuid, request: ReplayRequest) -> Result<ReplayAnswer> {
        self.subscription_for(actor, subscription).await?;
        match (request.dead_letter, request.all, request.after) {
            (Some(letter), None, None) => {
                let queued = self.store.replay_dead(subscription, Some(letter)).await?;
                if queued == 0 {
                    let (da, en) = (format!("der er intet brev {letter}"), format!("there is no letter {letter}"));
                    return Err(Refusal::new(Code::NotFound, da, en).at(Place::field("deadLetter")));
                }
                Ok(ReplayAnswer { dead_letters: Some(queued), position: None })
            }
            (None, Some(true), None) => {
                let queued = self.store.replay_dead(subscription, None).await?;
                Ok(ReplayAnswer { dead_letters: Some(queued), position: None })
            }
            (None, None, Some(after)) => {
                let position = position(after, self.store.head().await?.seq)?;
                if !self.store.rewind_subscription(subscription, position, self.clock.now()).await? {
                    return Err(unknown(subscription));
                }
                Ok(ReplayAnswer { dead_letters: None, position: Some(position) })
            }
            _ => {
                let (da, en) = ("sig præcis ét: hvad sendes igen?", "say exactly one: what is sent again?");
                Err(Refusal::new(Code::InvalidBody, da, en).allowed(["deadLetter", "all: true", "after"]))
            }
        }
    }

    /// The dead letters of a subscription, oldest first.
    ///
    /// # Errors
    /// As [`Registry::subscription`].
    pub async fn dead_letters(&self, actor: &Actor, subscription: Uuid) -> Result<Vec<DeadLetter>> {
        self.subscription_for(actor, subscription).await?;
        let letters = self.store.dead_letters(subscription).await?;
        Ok(letters
            .into_iter()
            .map(|Aside { uuid, queued, message, positions, attempts, since, at, status, answer, .. }| DeadLetter {
                uuid,
                message,
                positions,
                queued,
                attempts,
                since,
                last: at,
                status,
                answer,
            })
            .collect())
    }

    /// What was tried for a subscription, the newest first; kept for 30 days.
    ///
    /// # Errors
    /// As [`Registry::subscription`].
    pub async fn deliveries(&self, actor: &Actor, subscription: Uuid, pages: &Pages) -> Result<Paged<DeliveryRow>> {
        self.subscription_for(actor, subscription).await?;
        let (limit, before) = pages.numbered()?;
        let wanted = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let (mut items, total) = self.store.deliveries(subscription, before.unwrap_or(i64::MAX), wanted).await?;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|last| Pages::after_number(last.number));
        Ok(Paged { items, total: usize::try_from(total).unwrap_or_default(), next })
    }

    /// How webhooks stand.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn webhooks_status(&self) -> Result<SubscriptionsStatus> {
        self.store.subscriptions_status(SubscriptionKind::Webhook).await
    }

    /// Pauses a subscription whose receiver said that it is gone, unless it ended meanwhile.
    pub(crate) async fn pause_gone(&self, subscription: Uuid) -> Result<()> {
        let actor = Actor::Operator("webhooks".into());
        match self.pause(&actor, subscription, Some(PausedBecause::Gone)).await {
            Err(refusal) if refusal.code == Code::UnknownSubscription => Ok(()),
            done => done.map(drop),
        }
    }

    /// Pauses the webhooks that go by a code set that ends: they ask for nothing any more, and their owner is to say for
    /// what they ask instead.
    pub(super) async fn pause_those_of_set(&self, write: &mut Write, set: Uuid) -> Result<()> {
        let rows = write.facts().subscriptions().await?;
        let go_by_it = |row: &SubscriptionRow| {
            is_webhook(row) && row.state == SubscriptionState::Active && row.filter.code_set == Some(set)
        };
        for row in rows.into_iter().filter(go_by_it) {
            pause_without_set(write, row).await?;
        }
        Ok(())
    }

    /// Pauses the webhooks of an account that go by code sets which it keeps no more, since it is of another organisation:
    /// what is told shows which codes a set has.
    pub(super) async fn pause_those_of_left_sets(
        &self,
        write: &mut Write,
        account: Uuid,
        organisation: Option<Uuid>,
    ) -> Result<()> {
        let owner = Owner::Account(account);
        for row in write.subscriptions_of(owner).await? {
            let active = is_webhook(&row) && row.state == SubscriptionState::Active;
            let Some(set) = row.filter.code_set.filter(|_| active) else { continue };
            let usage = write.facts().usage(set).await?;
            if !usage.is_some_and(|usage| keeps(&usage, owner, organisation)) {
                pause_without_set(write, row).await?;
            }
        }
        Ok(())
    }

    /// Refuses a code set that whoever the subscription is of does not keep.
    async fn own_code_set(&self, write: &mut Write, owner: Owner, filter: &EventFilter) -> Result<()> {
        let Some(set) = filter.code_set else { return Ok(()) };
        let usage = write.facts().usage(set).await?.filter(|usage| usage.form == UsageForm::CodeSet);
        let organisation = match owner {
            Owner::Account(account) => self.organisation_of(account).await?,
            _ => None,
        };
        if usage.is_some_and(|usage| keeps(&usage, owner, organisation)) {
            return Ok(());
        }
        let (da, en) = (
            format!("den, der får besked, har intet kodesæt {set}"),
            format!("whoever is told keeps no code set {set}"),
        );
        Err(Refusal::new(Code::NotFound, da, en).at(Place::field("filter.codeSet")))
    }

    /// Ends the subscriptions of an account that is erased.
    pub(super) async fn end_subscriptions_of(&self, write: &mut Write, account: Uuid) -> Result<()> {
        for row in write.subscriptions_of(Owner::Account(account)).await? {
            write.end_subscription(&row).await?;
        }
        Ok(())
    }

    async fn pause(&self, actor: &Actor, of: Uuid, why: Option<PausedBecause>) -> Result<SubscriptionAnswer> {
        let (mut write, mut row) = self.begin_on(actor, of).await?;
        let state = if why.is_some() { SubscriptionState::Paused } else { SubscriptionState::Active };
        // Said twice it is done once.
        if row.state == state {
            return self.subscription_answer(row);
        }
        if why.is_none() {
            self.own_code_set(&mut write, row.owner, &row.filter).await?;
        }
        (row.state, row.why, row.changed) = (state, why, write.at());
        (row.attempts, row.since) = (0, None);
        write.pause_subscription(&row, why).await?;
        self.commit(write).await?;
        self.subscription_answer(row)
    }

    /// A write by an actor who is still who it was.
    pub(super) async fn begin_for(&self, actor: &Actor) -> Result<Write> {
        let write = self.store.write(&actor.name(), self.clock.now()).await?;
        self.still(actor).await?;
        Ok(write)
    }

    /// A write, and the subscription as nobody else changes it meanwhile.
    async fn begin_on(&self, actor: &Actor, subscription: Uuid) -> Result<(Write, SubscriptionRow)> {
        let mut write = self.begin_for(actor).await?;
        let row = write.subscription(subscription).await?.filter(is_webhook);
        Ok((write, row.ok_or_else(|| unknown(subscription))?))
    }

    /// A subscription that an actor may see and change: its own, its organisation's, or with the right to it any.
    async fn subscription_for(&self, actor: &Actor, subscription: Uuid) -> Result<SubscriptionRow> {
        let any = permit(actor, Command::ManageSubscriptions, None).is_ok();
        if !any {
            permit(actor, Command::OwnSubscriptions, None)?;
        }
        let row =
            self.store.subscription(subscription).await?.filter(is_webhook).ok_or_else(|| unknown(subscription))?;
        let own = match (actor.account().map(|caller| caller.account), row.owner) {
            (Ok(account), Owner::Account(of)) => account == of,
            (Ok(account), Owner::Organisation(of)) => self.organisation_of(account).await? == Some(of),
            _ => false,
        };
        if any || own { Ok(row) } else { Err(unknown(subscription)) }
    }

    async fn wished(&self, actor: &Actor, wish: OwnerWish) -> Result<Owner> {
        permit(actor, Command::OwnSubscriptions, None)?;
        let account = actor.account()?.account;
        match wish {
            OwnerWish::Account => Ok(Owner::Account(account)),
            OwnerWish::Organisation => self.organisation_of(account).await?.map(Owner::Organisation).ok_or_else(|| {
                let (da, en) = ("din konto hører ikke til en organisation", "your account belongs to no organisation");
                Refusal::new(Code::Unlawful, da, en).at(Place::field("owner")).allowed(["account"])
            }),
        }
    }

    async fn organisation_of(&self, account: Uuid) -> Result<Option<Uuid>> {
        let found = self.store.account(account).await?.ok_or_else(not_signed_in)?;
        Ok(found.organisation)
    }

    fn target(&self, url: &str) -> Result<String> {
        Target::new(url, self.settings.webhooks_allow_private).map(|target| target.as_str().to_owned())
    }

    /// A filter that is short enough, and names only vocabularies that there are: a slip would be silent for ever.
    fn known(&self, filter: EventFilter) -> Result<EventFilter> {
        let (filter, snapshot) = (filter.bounded()?, self.snapshot());
        match filter.vocabularies.iter().find(|slug| snapshot.by_slug(slug.as_str()).is_none()) {
            Some(slug) => Err(super::query::unknown_vocabulary(slug.as_str()).at(Place::field("filter.vocabularies"))),
            None => Ok(filter),
        }
    }

    fn subscription_answer(&self, row: SubscriptionRow) -> Result<SubscriptionAnswer> {
        let settings = read(&row)?;
        Ok(SubscriptionAnswer {
            uuid: row.uuid,
            kind: row.kind,
            owner: row.owner,
            state: row.state,
            paused_because: row.why,
            created: row.created,
            changed: row.changed,
            url: settings.url,
            description: settings.description,
            filter: row.filter,
            batch: settings.batch,
            position: row.passed,
            head: self.snapshot().position,
            attempts: row.attempts,
            trying_since: row.since,
            next_attempt: (row.attempts > 0).then_some(row.due),
        })
    }
}

/// Whether a code set is kept by whom a subscription is of, who is of an organisation.
fn keeps(usage: &Usage, owner: Owner, organisation: Option<Uuid>) -> bool {
    match owner {
        Owner::Account(account) if usage.owner == account => true,
        Owner::Account(_) => usage.organisation.is_some() && usage.organisation == organisation,
        Owner::Organisation(organisation) => usage.organisation == Some(organisation),
        Owner::Contact(_) => false,
    }
}

/// Pauses a webhook that has nothing to go by any more.
async fn pause_without_set(write: &mut Write, mut row: SubscriptionRow) -> Result<()> {
    let why = Some(PausedBecause::CodeSetEnded);
    (row.state, row.why, row.changed) = (SubscriptionState::Paused, why, write.at());
    write.pause_subscription(&row, why).await
}

fn is_webhook(row: &SubscriptionRow) -> bool {
    row.kind == SubscriptionKind::Webhook
}

fn read(row: &SubscriptionRow) -> Result<WebhookSettings> {
    serde_json::from_str(&row.settings).map_err(|e| {
        let (da, en) = ("et abonnement kan ikke læses", format!("a subscription cannot be read: {e}"));
        Refusal::new(Code::Corrupt, da, en)
    })
}

fn written(settings: &WebhookSettings) -> Result<String> {
    serde_json::to_string(settings).map_err(|e| Refusal::new(Code::Internal, e.to_string(), e.to_string()))
}

fn batch(size: u16) -> Result<u16> {
    if (1..=LARGEST_BATCH).contains(&size) {
        return Ok(size);
    }
    let (da, en) = ("så mange hændelser er der ikke i en besked", "a message does not have that many events");
    Err(Refusal::new(Code::Unlawful, da, en).at(Place::field("batch")).allowed([format!("1–{LARGEST_BATCH}")]))
}

fn position(after: i64, head: i64) -> Result<i64> {
    if (0..=head).contains(&after) {
        return Ok(after);
    }
    let (da, en) = ("den position har loggen ikke", "the log does not have that position");
    Err(Refusal::new(Code::InvalidParameter, da, en).at(Place::field("after")).allowed([format!("0–{head}")]))
}

async fn room(write: &mut Write, owner: Owner) -> Result<()> {
    let mut all = write.facts().subscriptions().await?;
    all.retain(is_webhook);
    let own = all.iter().filter(|row| row.owner == owner).count();
    if own < MOST && all.len() < MOST_IN_ALL {
        return Ok(());
    }
    let (da, en) = (
        "der er så mange abonnementer, som der må være; afslut et først",
        "there are as many subscriptions as there may be; end one first",
    );
    Err(Refusal::new(Code::TooManySubscriptions, da, en).allowed([MOST.to_string()]))
}

pub(super) fn unknown(subscription: Uuid) -> Refusal {
    let (da, en) =
        (format!("der er intet abonnement {subscription}"), format!("there is no subscription {subscription}"));
    Refusal::new(Code::UnknownSubscription, da, en).at(Place::field("subscription"))
}
