//! Subscriptions on disk: what their owners asked for, how far they were told, and what came of each attempt.
//!
//! Making, changing and ending one are rows of the log, written with it. How delivery goes is no fact of the registry:
//! that is written in transactions of its own, many subscriptions at a time, so that a writer of facts never waits for
//! more than one of them.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json};
use sqlx::Row;
use utoipa::ToSchema;
use uuid::Uuid;

use super::facts::{Facts, Tx};
use super::write::Write;
use super::{Db, Link, Store, broken, corrupt, parse, run, sql, uuid};
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

/// An attempt, for the record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// The message.
    pub message: String,
    /// The first and the last row that it told of; zeros for a test.
    pub rows: (i64, i64),
    /// How many events there were in it.
    pub events: usize,
    /// The number of the attempt, from 1.
    pub attempt: i64,
    /// When.
    pub at: Instant,
    /// How many milliseconds it took.
    pub took: i64,
    /// What came of it.
    pub outcome: &'static str,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// How the answer began, or why there was none.
    pub answer: String,
}

/// What becomes of something beside the order after it was tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AsideEnd {
    /// It is done with.
    Out,
    /// It lies still again.
    Back,
}

/// What came of a turn.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The subscription.
    pub uuid: Uuid,
    /// The claim that this goes by.
    pub claim: i64,
    /// The word of its owner's that this goes by.
    pub edition: i64,
    /// How far delivery has come.
    pub progress: Progress,
    /// Until when the claim stands; the beginning of time gives it back.
    pub held: Instant,
    /// The attempt, if there was one.
    pub attempt: Option<Attempt>,
    /// A letter that died by it.
    pub dead: Option<Aside>,
    /// What was tried beside the order, and what becomes of it.
    pub aside: Option<(Uuid, AsideEnd)>,
}

/// How a subscription stands after a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Which word of its owner's holds now.
    pub edition: i64,
    /// Whether it goes on.
    pub active: bool,
}

/// What goes beside the order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum AsideKind {
    /// What was tried for as long as it may be.
    Dead,
    /// A test that was asked for.
    Test,
}

/// A dead letter, or a test.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aside {
    /// The letter itself.
    pub uuid: Uuid,
    /// What it is.
    pub kind: AsideKind,
    /// Whether it is tried at the next turn.
    pub queued: bool,
    /// The message.
    pub message: String,
    /// The rows of the log that it tells of.
    pub positions: Vec<i64>,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was tried first.
    pub since: Instant,
    /// When it was tried last.
    pub at: Instant,
    /// The status of the last answer, if there was one.
    pub status: Option<u16>,
    /// How the last answer began, or why there was none.
    pub answer: String,
}

/// A row of the delivery log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryRow {
    /// Its number; the newest has the highest.
    pub number: i64,
    /// The message, as `webhook-id` named it.
    pub message: String,
    /// The first position of the log that it told of; 0 for a test.
    pub first: i64,
    /// The last.
    pub last: i64,
    /// How many events there were in it.
    pub events: i64,
    /// The number of the attempt, from 1.
    pub attempt: i64,
    /// When.
    #[schema(value_type = String)]
    pub at: Instant,
    /// How many milliseconds it took.
    pub milliseconds: i64,
    /// What came of it: `delivered`, `failed`, `dead` (it was tried for as long as it may be) or `gone` (410).
    pub outcome: String,
    /// The status of the answer, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How the answer began (at most 1 kB), or why there was none.
    pub answer: String,
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

    async fn stand(&mut self, row: Uuid, state: SubscriptionState, why: Option<PausedBecause>) -> Result<()> {
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

    /// Puts on record what came of some turns, in one transaction. Answers how those stand whose claim still stood.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`]: then nothing is on record.
    pub async fn settle_deliveries(&self, settlements: &[Settlement]) -> Result<HashMap<Uuid, Standing>> {
        let mut tx = self.aside_tx().await?;
        let mut standing = HashMap::new();
        let turns = Value::from_iter(settlements.iter().map(|s| {
            let Progress { passed, pending, attempts, since, due } = s.progress;
            let (since, due) = (since.map(Instant::micros), due.micros());
            json!([s.uuid, s.claim, s.edition, passed, pending, attempts, since, due, s.held.micros()])
        }));
        run!(tx.link(), sql::SUBSCRIPTIONS_SETTLE, |q, c| {
            for r in sqlx::query(q).bind(turns.to_string()).fetch_all(c).await.map_err(broken)? {
                let active = r.get::<&str, _>(2) == SubscriptionState::Active.as_str();
                standing.insert(uuid(r.get(0))?, Standing { edition: r.get(1), active });
            }
        });
        let attempts = settlements.iter().filter_map(|s| {
            let Attempt { message, rows, events, attempt, at, took, outcome, status, answer } = s.attempt.as_ref()?;
            let (at, (first, last)) = (at.micros(), rows);
            Some(json!([s.uuid, message, first, last, events, attempt, at, took, outcome, status, answer]))
        });
        let counted = |s: &&Settlement| standing.get(&s.uuid).is_some_and(|now| now.edition == s.edition);
        let dead = settlements.iter().filter(counted).filter_map(|s| Some(aside(s.uuid, s.dead.as_ref()?)));
        for (statement, rows) in
            [(sql::DELIVERIES_INSERT, Value::from_iter(attempts)), (sql::ASIDES_INSERT, Value::from_iter(dead))]
        {
            if rows.as_array().is_some_and(|rows| !rows.is_empty()) {
                run!(tx.link(), statement, |q, c| {
                    sqlx::query(q).bind(rows.to_string()).execute(c).await.map_err(broken)?;
                });
            }
        }
        for settlement in settlements {
            settle_aside(&mut tx, settlement).await?;
        }
        end(tx).await?;
        Ok(standing)
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

    /// Lets dead letters be tried once more: one, or all of a subscription. Answers how many.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn replay_dead(&self, subscription: Uuid, letter: Option<Uuid>) -> Result<u64> {
        let mut tx = self.aside_tx().await?;
        let letter = letter.map(|l| l.to_string()).unwrap_or_default();
        let changed = run!(tx.link(), sql::ASIDES_REPLAY, |q, c| {
            let query = sqlx::query(q).bind(subscription.to_string()).bind(letter);
            query.execute(c).await.map_err(broken)?.rows_affected()
        });
        end(tx).await?;
        Ok(changed)
    }

    /// Lets a test be sent, unless one was asked for after `not_since`; whether it is.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn queue_test(&self, subscription: Uuid, test: &Aside, not_since: Instant) -> Result<bool> {
        let mut tx = self.aside_tx().await?;
        let may = run!(tx.link(), sql::SUBSCRIPTION_TESTED, |q, c| {
            let query = sqlx::query(q).bind(subscription.to_string()).bind(test.at.micros()).bind(not_since.micros());
            query.execute(c).await.map_err(broken)?.rows_affected() > 0
        });
        if may {
            let rows = Value::from(vec![aside(subscription, test)]).to_string();
            run!(tx.link(), sql::ASIDES_INSERT, |q, c| {
                sqlx::query(q).bind(rows).execute(c).await.map_err(broken)?;
            });
        }
        end(tx).await?;
        Ok(may)
    }

    /// What is tried next beside the order.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn next_aside(&self, subscription: Uuid) -> Result<Option<Aside>> {
        Ok(asides(self.take().await?.link(), sql::ASIDE_NEXT, subscription).await?.pop())
    }

    /// The dead letters of a subscription, oldest first.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn dead_letters(&self, subscription: Uuid) -> Result<Vec<Aside>> {
        asides(self.take().await?.link(), sql::ASIDES_DEAD, subscription).await
    }

    /// What was tried for a subscription, the newest first, before a number; and how many there are in all.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn deliveries(&self, subscription: Uuid, before: i64, limit: i64) -> Result<(Vec<DeliveryRow>, i64)> {
        let mut taken = self.take().await?;
        let rows = run!(taken.link(), sql::DELIVERIES_OF, |q, c| {
            let query = sqlx::query(q).bind(subscription.to_string()).bind(before).bind(limit);
            let rows = query.fetch_all(c).await.map_err(broken)?;
            rows.iter()
                .map(|r| DeliveryRow {
                    number: r.get(0),
                    message: r.get(1),
                    first: r.get(2),
                    last: r.get(3),
                    events: r.get(4),
                    attempt: r.get(5),
                    at: Instant::from_micros(r.get(6)),
                    milliseconds: r.get(7),
                    outcome: r.get(8),
                    status: status(r.get(9)),
                    answer: r.get(10),
                })
                .collect()
        });
        let total = run!(taken.link(), sql::DELIVERIES_COUNT, |q, c| {
            let query = sqlx::query(q).bind(subscription.to_string());
            query.fetch_one(c).await.map_err(broken)?.get(0)
        });
        Ok((rows, total))
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

    /// Forgets the attempts and the ended subscriptions of before `kept_since`, and secrets that are good no more.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn sweep_deliveries(&self, now: Instant, kept_since: Instant) -> Result<()> {
        let mut tx = self.aside_tx().await?;
        let steps =
            [(sql::DELIVERIES_SWEEP, kept_since), (sql::SECRETS_SWEEP, now), (sql::SUBSCRIPTIONS_SWEEP, kept_since)];
        for (statement, at) in steps {
            run!(tx.link(), statement, |q, c| {
                sqlx::query(q).bind(at.micros()).execute(c).await.map_err(broken)?;
            });
        }
        end(tx).await
    }

    /// A transaction without the lock of the log.
    async fn aside_tx(&self) -> Result<Tx> {
        Ok(match &self.db {
            Db::Lite { write, .. } => Tx::Lite(write.begin_with("BEGIN IMMEDIATE").await.map_err(broken)?),
            Db::Pg(pool) => Tx::Pg(pool.begin().await.map_err(broken)?),
        })
    }
}

async fn end(tx: Tx) -> Result<()> {
    match tx {
        Tx::Lite(tx) => tx.commit().await.map_err(broken),
        Tx::Pg(tx) => tx.commit().await.map_err(broken),
    }
}

async fn settle_aside(tx: &mut Tx, settlement: &Settlement) -> Result<()> {
    let Some((letter, end)) = settlement.aside else { return Ok(()) };
    if let Some(attempt) = &settlement.attempt {
        run!(tx.link(), sql::ASIDE_TRIED, |q, c| {
            let query = sqlx::query(q).bind(letter.to_string()).bind(attempt.at.micros());
            let query = query.bind(attempt.status.map(i64::from)).bind(attempt.answer.clone());
            query.execute(c).await.map_err(broken)?;
        });
    }
    let (statement, of) = match end {
        AsideEnd::Out => (sql::ASIDE_OUT, letter),
        AsideEnd::Back => (sql::ASIDES_BACK, settlement.uuid),
    };
    run!(tx.link(), statement, |q, c| {
        sqlx::query(q).bind(of.to_string()).execute(c).await.map_err(broken)?;
    });
    Ok(())
}

/// The row of something beside the order.
fn aside(subscription: Uuid, aside: &Aside) -> Value {
    let Aside { uuid, kind, queued, message, positions, attempts, since, at, status, answer } = aside;
    let (positions, queued) = (json!(positions).to_string(), i64::from(*queued));
    let (since, at) = (since.micros(), at.micros());
    json!([uuid, subscription, kind, queued, message, positions, attempts, since, at, status, answer])
}

async fn asides(link: Link<'_>, statement: sql::Sql, subscription: Uuid) -> Result<Vec<Aside>> {
    run!(link, statement, |q, c| {
        let rows = sqlx::query(q).bind(subscription.to_string()).fetch_all(c).await.map_err(broken)?;
        rows.iter()
            .map(|r| {
                let (kind, queued): (&str, i64) = (r.get(1), r.get(2));
                Ok(Aside {
                    uuid: uuid(r.get(0))?,
                    kind: if kind == "test" { AsideKind::Test } else { AsideKind::Dead },
                    queued: queued == 1,
                    message: r.get(3),
                    positions: parse(r.get(4), "list of positions")?,
                    attempts: r.get(5),
                    since: Instant::from_micros(r.get(6)),
                    at: Instant::from_micros(r.get(7)),
                    status: status(r.get(8)),
                    answer: r.get(9),
                })
            })
            .collect()
    })
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

fn status(number: Option<i64>) -> Option<u16> {
    number.and_then(|n| u16::try_from(n).ok())
}
