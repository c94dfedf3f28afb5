//! Subscriptions on disk: what their owners asked for, how far they were told, and what came of each attempt.
//!
//! Making, changing and ending one are rows of the log, written with it. How delivery goes is no fact of the registry:
//! that is written in transactions of its own, many subscriptions at a time, so that a writer of facts never waits for
//! more than one of them.

use std::collections::HashMap;

use serde_json::{Value, json};
use sqlx::Row;
use uuid::Uuid;

use super::deliveries::end;
use super::facts::Facts;
use super::write::Write;
use super::{Link, Store, broken, corrupt, parse, run, sql, uuid};
use crate::model::{
    ChangeKind, EventFilter, Instant, Owner, PausedBecause, Refusal, Result, SigningSecret, SubscriptionKind,
    SubscriptionState, canonical_json,
};

/// A subscription.
#[derive(Clone, PartialEq, Debug)]
pub struct SubscriptionRow {
    /// The subscription itself.
    pub uuid: Uuid,
    /// How it is delivered.
    pub kind: SubscriptionKind,
    /// Whose it is.
    pub owner: Owner,
    /// Where it stands.
    pub state: SubscriptionState,
    /// Why it is paused.
    pub why: Option<PausedBecause>,
    /// When it was made.
    pub created: Instant,
    /// Since when it stands so.
    pub changed: Instant,
    /// What it asks for.
    pub filter: EventFilter,
    /// What its kind needs, JSON.
    pub settings: String,
    /// The last row of the log that is done with.
    pub passed: i64,
    /// How often what is next was tried.
    pub attempts: i64,
    /// Since when it is tried.
    pub since: Option<Instant>,
    /// When it is tried next.
    pub due: Instant,
    /// Grows when its owner says otherwise.
    pub edition: i64,
    /// When a test was asked for last.
    pub tested: Option<Instant>,
}

impl SubscriptionRow {
    /// What the log tells of it: nothing that its owner might keep to itself.
    #[must_use]
    pub fn told(&self) -> String {
        canonical_json(&json!({ "filter": self.filter, "kind": self.kind, "owner": self.owner }))
    }

    fn owners(&self) -> [Option<Uuid>; 3] {
        match self.owner {
            Owner::Account(uuid) => [Some(uuid), None, None],
            Owner::Organisation(uuid) => [None, Some(uuid), None],
            Owner::Contact(uuid) => [None, None, Some(uuid)],
        }
    }
}

/// A subscription that may have something to deliver.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The subscription itself.
    pub uuid: Uuid,
    /// Which word of its owner's this goes by.
    pub edition: i64,
    /// The last row of the log that is done with.
    pub passed: i64,
    /// Whether the last attempt failed.
    pub failing: bool,
    /// What it asks for.
    pub filter: EventFilter,
    /// Whether it goes on with the log: it is active and its time has come.
    pub flows: bool,
    /// Whether something beside the order waits.
    pub aside: bool,
}

/// How far delivery has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// The last row of the log that is done with.
    pub passed: i64,
    /// The last row of what is being tried.
    pub pending: Option<i64>,
    /// How often it was tried.
    pub attempts: i64,
    /// Since when.
    pub since: Option<Instant>,
    /// When it is tried next.
    pub due: Instant,
}

/// A subscription that who delivers has to itself for a while.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The subscription itself.
    pub uuid: Uuid,
    /// The number of the claim.
    pub claim: i64,
    /// Which word of its owner's this goes by.
    pub edition: i64,
    /// How far delivery has come.
    pub progress: Progress,
    /// What it asks for.
    pub filter: EventFilter,
    /// What its kind needs, JSON.
    pub settings: String,
    /// Whether it goes on with the log.
    pub active: bool,
    /// What is signed with, the newest first.
    pub secrets: Vec<SigningSecret>,
}

/// How a subscription stands after a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Which word of its owner's holds now.
    pub edition: i64,
    /// Whether it goes on.
    pub active: bool,
}

/// How the subscriptions of a kind stand.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct SubscriptionsStatus {
    /// How many are delivered.
    pub active: i64,
    /// How many of those failed at the last attempt.
    pub failing: i64,
    /// How many are paused.
    pub paused: i64,
    /// How many dead letters there are.
    pub dead: i64,
}

impl Write {
    /// Makes a subscription, with what it is signed with.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn add_subscription(&mut self, row: &SubscriptionRow, secret: Option<&SigningSecret>) -> Result<()> {
        self.tell_subscription(ChangeKind::SubscriptionCreated, row).await?;
        let [account, organisation, contact] = row.owners();
        let values = json!([
            row.uuid,
            row.kind,
            account,
            organisation,
            contact,
            row.state,
            row.why,
            row.created.micros(),
            row.changed.micros(),
            canonical_json(&row.filter),
            row.settings,
            row.passed
        ]);
        self.batches(sql::SUBSCRIPTIONS_INSERT, std::iter::once(values)).await?;
        match secret {
            Some(secret) => self.add_secret(row.uuid, secret).await,
            None => Ok(()),
        }
    }

    /// Changes what a subscription asks for, and where it goes. What is under way does not count.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn change_subscription(&mut self, row: &SubscriptionRow) -> Result<()> {
        self.tell_subscription(ChangeKind::SubscriptionChanged, row).await?;
        let texts = [Some(row.uuid.to_string()), Some(canonical_json(&row.filter)), Some(row.settings.clone())];
        self.texts(sql::SUBSCRIPTION_CHANGE, &texts).await.map(drop)
    }

    /// Pauses a subscription, for a reason, or lets it go on.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn pause_subscription(&mut self, row: &SubscriptionRow, why: Option<PausedBecause>) -> Result<()> {
        let (kind, state) = match why {
            Some(_) => (ChangeKind::SubscriptionPaused, SubscriptionState::Paused),
            None => (ChangeKind::SubscriptionResumed, SubscriptionState::Active),
        };
        self.tell_subscription(kind, row).await?;
        self.stand(row.uuid, state, why).await
    }

    /// Ends a subscription: its address, its secrets and its dead letters are erased.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn end_subscription(&mut self, row: &SubscriptionRow) -> Result<()> {
        self.tell_subscription(ChangeKind::SubscriptionEnded, row).await?;
        self.stand(row.uuid, SubscriptionState::Ended, None).await?;
        for statement in [sql::SUBSCRIPTION_EMPTY, sql::SECRETS_OUT, sql::ASIDES_OUT] {
            self.texts(statement, &[Some(row.uuid.to_string())]).await?;
        }
        Ok(())
    }

    /// Lets a new secret be signed with, and those before it until an instant.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn rotate_secret(&mut self, row: &SubscriptionRow, secret: &SigningSecret, until: Instant) -> Result<()> {
        self.tell_subscription(ChangeKind::SubscriptionChanged, row).await?;
        run!(self.tx.link(), sql::SECRETS_UNTIL, |q, c| {
            let query = sqlx::query(q).bind(row.uuid.to_string()).bind(until.micros());
            query.execute(c).await.map_err(broken)?;
        });
        self.add_secret(row.uuid, secret).await?;
        self.texts(sql::SECRETS_EDITION, &[Some(row.uuid.to_string())]).await.map(drop)
    }

    /// The subscriptions that have not ended, as this write sees them: of an account and an organisation.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn subscriptions_of(&mut self, owner: Owner) -> Result<Vec<SubscriptionRow>> {
        rows(self.tx.link(), sql::SUBSCRIPTIONS_OF, &of(owner)).await
    }

    /// A subscription that has not ended, as this write sees it.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn subscription(&mut self, subscription: Uuid) -> Result<Option<SubscriptionRow>> {
        Ok(rows(self.tx.link(), sql::SUBSCRIPTION, &[subscription.to_string()]).await?.pop())
    }

    async fn add_secret(&mut self, subscription: Uuid, secret: &SigningSecret) -> Result<()> {
        run!(self.tx.link(), sql::SECRET_ADD, |q, c| {
            let query = sqlx::query(q).bind(subscription.to_string()).bind(secret.expose().to_owned());
            query.bind(Instant::FOREVER.micros()).execute(c).await.map_err(broken)?;
        });
        Ok(())
    }

    pub(super) async fn stand(
        &mut self,
        row: Uuid,
        state: SubscriptionState,
        why: Option<PausedBecause>,
    ) -> Result<()> {
        let at = self.at();
        run!(self.tx.link(), sql::SUBSCRIPTION_STATE, |q, c| {
            let query = sqlx::query(q).bind(row.to_string()).bind(state.as_str());
            let query = query.bind(why.map(|w| w.as_str().to_owned())).bind(at.micros());
            query.execute(c).await.map_err(broken)?;
        });
        Ok(())
    }

    async fn tell_subscription(&mut self, kind: ChangeKind, row: &SubscriptionRow) -> Result<()> {
        self.record(kind, Uuid::nil(), row.uuid, row.told());
        self.flush().await
    }
}

impl Facts {
    /// The subscriptions that have not ended.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn subscriptions(&mut self) -> Result<Vec<SubscriptionRow>> {
        rows(self.link(), sql::SUBSCRIPTIONS, &[]).await
    }
}

impl Store {
    /// The subscriptions that have not ended: of an owner, or all.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn subscriptions(&self, owners: Option<(Uuid, Option<Uuid>)>) -> Result<Vec<SubscriptionRow>> {
        let mut taken = self.take().await?;
        match owners {
            None => rows(taken.link(), sql::SUBSCRIPTIONS, &[]).await,
            Some((account, organisation)) => {
                let organisation = organisation.map(|o| o.to_string()).unwrap_or_default();
                rows(taken.link(), sql::SUBSCRIPTIONS_OF, &[account.to_string(), organisation]).await
            }
        }
    }

    /// A subscription that has not ended.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn subscription(&self, subscription: Uuid) -> Result<Option<SubscriptionRow>> {
        Ok(rows(self.take().await?.link(), sql::SUBSCRIPTION, &[subscription.to_string()]).await?.pop())
    }

    /// How many secrets a subscription can be signed with.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn signing_secrets(&self, subscription: Uuid, now: Instant) -> Result<i64> {
        run!(self.take().await?.link(), sql::SECRETS_COUNT, |q, c| {
            let query = sqlx::query(q).bind(subscription.to_string()).bind(now.micros());
            Ok(query.fetch_one(c).await.map_err(broken)?.get(0))
        })
    }

    /// The subscriptions of a kind that nobody delivers at this moment, and that may have something to deliver when the
    /// log ends at `head`.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn ready_subscriptions(&self, kind: SubscriptionKind, now: Instant, head: i64) -> Result<Vec<Ready>> {
        run!(self.take().await?.link(), sql::SUBSCRIPTIONS_READY, |q, c| {
            let query = sqlx::query(q).bind(kind.as_str()).bind(now.micros()).bind(head);
            let rows = query.fetch_all(c).await.map_err(broken)?;
            rows.iter()
                .map(|r| {
                    let (passed, attempts, state): (i64, i64, &str) = (r.get(2), r.get(3), r.get(5));
                    let (due, asides): (i64, i64) = (r.get(6), r.get(7));
                    Ok(Ready {
                        uuid: uuid(r.get(0))?,
                        edition: r.get(1),
                        passed,
                        failing: attempts > 0,
                        filter: parse(r.get(4), "filter")?,
                        flows: state == SubscriptionState::Active.as_str() && due <= now.micros() && passed < head,
                        aside: asides > 0,
                    })
                })
                .collect()
        })
    }

    /// Claims subscriptions until an instant; those that somebody else has by now are left out.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn claim_subscriptions(&self, some: &[Uuid], now: Instant, until: Instant) -> Result<Vec<Claim>> {
        let wanted = Value::from_iter(some.iter().map(|uuid| json!([uuid]))).to_string();
        let mut tx = self.aside_tx().await?;
        let mut claims: Vec<Claim> = run!(tx.link(), sql::SUBSCRIPTIONS_CLAIM, |q, c| {
            let query = sqlx::query(q).bind(wanted.clone()).bind(until.micros()).bind(now.micros());
            let rows = query.fetch_all(c).await.map_err(broken)?;
            let claims: Result<Vec<Claim>> = rows
                .iter()
                .map(|r| {
                    let (since, state): (Option<i64>, &str) = (r.get(6), r.get(10));
                    Ok(Claim {
                        uuid: uuid(r.get(0))?,
                        claim: r.get(1),
                        edition: r.get(2),
                        progress: Progress {
                            passed: r.get(3),
                            pending: r.get(4),
                            attempts: r.get(5),
                            since: since.map(Instant::from_micros),
                            due: Instant::from_micros(r.get(7)),
                        },
                        filter: parse(r.get(8), "filter")?,
                        settings: r.get(9),
                        active: state == SubscriptionState::Active.as_str(),
                        secrets: Vec::new(),
                    })
                })
                .collect();
            claims?
        });
        let mut secrets: HashMap<Uuid, Vec<SigningSecret>> = HashMap::new();
        run!(tx.link(), sql::SECRETS, |q, c| {
            for r in sqlx::query(q).bind(wanted).fetch_all(c).await.map_err(broken)? {
                let until: i64 = r.get(2);
                if until > now.micros() {
                    secrets.entry(uuid(r.get(0))?).or_default().push(SigningSecret::stored(r.get(1))?);
                }
            }
        });
        end(tx).await?;
        for claim in &mut claims {
            claim.secrets = secrets.remove(&claim.uuid).unwrap_or_default();
        }
        Ok(claims)
    }

    /// Goes back, or forth, to a position of the log; whether there is such a subscription.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn rewind_subscription(&self, subscription: Uuid, position: i64, now: Instant) -> Result<bool> {
        let mut tx = self.aside_tx().await?;
        let changed = run!(tx.link(), sql::SUBSCRIPTION_REWIND, |q, c| {
            let query = sqlx::query(q).bind(subscription.to_string()).bind(position).bind(now.micros());
            query.execute(c).await.map_err(broken)?.rows_affected()
        });
        end(tx).await?;
        Ok(changed > 0)
    }

    /// How the subscriptions of a kind stand.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn subscriptions_status(&self, kind: SubscriptionKind) -> Result<SubscriptionsStatus> {
        let mut taken = self.take().await?;
        let mut answer = SubscriptionsStatus::default();
        run!(taken.link(), sql::SUBSCRIPTIONS_COUNT, |q, c| {
            for r in sqlx::query(q).bind(kind.as_str()).fetch_all(c).await.map_err(broken)? {
                if r.get::<&str, _>(0) == SubscriptionState::Active.as_str() {
                    (answer.active, answer.failing) = (r.get(1), r.get(2));
                } else {
                    answer.paused += r.get::<i64, _>(1);
                }
            }
        });
        answer.dead = run!(taken.link(), sql::ASIDES_DEAD_COUNT, |q, c| {
            sqlx::query(q).fetch_one(c).await.map_err(broken)?.get(0)
        });
        Ok(answer)
    }
}

/// The account and the organisation to look for.
fn of(owner: Owner) -> [String; 2] {
    match owner {
        Owner::Account(uuid) => [uuid.to_string(), String::new()],
        Owner::Organisation(uuid) => [String::new(), uuid.to_string()],
        Owner::Contact(_) => [String::new(), String::new()],
    }
}

pub(super) async fn rows(link: Link<'_>, statement: sql::Sql, texts: &[String]) -> Result<Vec<SubscriptionRow>> {
    run!(link, statement, |q, c| {
        let query = texts.iter().fold(sqlx::query(q), |query, text| query.bind(text.clone()));
        let rows = query.fetch_all(c).await.map_err(broken)?;
        rows.iter()
            .map(|r| {
                let owners: [Option<&str>; 3] = [r.get(2), r.get(3), r.get(4)];
                let owner = match owners {
                    [Some(account), ..] => Owner::Account(uuid(account)?),
                    [_, Some(organisation), _] => Owner::Organisation(uuid(organisation)?),
                    [.., Some(contact)] => Owner::Contact(uuid(contact)?),
                    _ => return Err(corrupt("a subscription is nobody's")),
                };
                let (why, since, tested): (Option<&str>, Option<i64>, Option<i64>) = (r.get(6), r.get(13), r.get(16));
                Ok(SubscriptionRow {
                    uuid: uuid(r.get(0))?,
                    kind: word(r.get(1))?,
                    owner,
                    state: word(r.get(5))?,
                    why: why.map(word).transpose()?,
                    created: Instant::from_micros(r.get(7)),
                    changed: Instant::from_micros(r.get(8)),
                    filter: parse(r.get(9), "filter")?,
                    settings: r.get(10),
                    passed: r.get(11),
                    attempts: r.get(12),
                    since: since.map(Instant::from_micros),
                    due: Instant::from_micros(r.get(14)),
                    edition: r.get(15),
                    tested: tested.map(Instant::from_micros),
                })
            })
            .collect()
    })
}

/// A stored word; what stands there was lawful when it was written.
fn word<T: std::str::FromStr<Err = Refusal>>(text: &str) -> Result<T> {
    text.parse().map_err(|r: Refusal| corrupt(&r.en))
}

pub(super) fn status(number: Option<i64>) -> Option<u16> {
    number.and_then(|n| u16::try_from(n).ok())
}
