//! Deliveries on disk: what came of each attempt, and what lies aside: tests, and dead letters that can be sent again.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json};
use sqlx::Row;
use utoipa::ToSchema;
use uuid::Uuid;

use super::facts::Tx;
use super::subscriptions::{Progress, Standing, status};
use super::{Db, Link, Store, broken, parse, run, sql, uuid};
use crate::model::{Instant, Result, SubscriptionState};

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

pub(super) async fn end(tx: Tx) -> Result<()> {
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

impl Store {
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
    pub(super) async fn aside_tx(&self) -> Result<Tx> {
        Ok(match &self.db {
            Db::Lite { write, .. } => Tx::Lite(write.begin_with("BEGIN IMMEDIATE").await.map_err(broken)?),
            Db::Pg(pool) => Tx::Pg(pool.begin().await.map_err(broken)?),
        })
    }
}
