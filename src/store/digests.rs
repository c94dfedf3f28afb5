//! Mail digests on disk: whose time has come, and how far each was told.
//!
//! A digest is a subscription of a contact. Its letter is laid down in one transaction with how far it was told, so that
//! of several nodes one tells it, and a node that dies has told all of it or nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sqlx::Row;
use uuid::Uuid;

use super::mail::{Outbox, position};
use super::subscriptions::{SubscriptionRow, rows};
use super::write::Write;
use super::{Link, Store, broken, parse, run, sql, uuid};
use crate::model::{EventFilter, Instant, Mail, Result};

/// A digest whose time has come.
#[derive(Clone, Debug)]
pub struct DigestRow {
    /// The subscription.
    pub uuid: Uuid,
    /// Which word of its owner's this goes by.
    pub edition: i64,
    /// The last row of the log that is done with.
    pub passed: i64,
    /// When its time came.
    pub due: Instant,
    /// What it asks for.
    pub filter: EventFilter,
    /// What a digest needs, JSON.
    pub settings: String,
    /// The contact that it is for.
    pub contact: Uuid,
    /// Where it goes.
    pub mail: Mail,
}

/// How far a digest is told from now on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DigestMove {
    /// The subscription.
    pub uuid: Uuid,
    /// The word of its owner's that this goes by.
    pub edition: i64,
    /// The row that was done with before.
    pub before: i64,
    /// The row that is done with now.
    pub passed: i64,
    /// When it is looked at next.
    pub due: Instant,
}

/// Where a digest goes, and how its letters fare.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DigestStanding {
    /// Where it goes.
    pub mail: String,
    /// How many letters wait.
    pub waiting: i64,
    /// How often the first of them was tried.
    pub tries: i64,
    /// What was answered to it, the last time.
    pub answer: Option<String>,
}

impl Outbox {
    /// Moves a digest on, in the transaction of its letter; whether it was where it was thought to be. If not, somebody
    /// else has told it, or its owner has said otherwise: then nothing of ours may be committed.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn pass_digest(&mut self, to: &DigestMove) -> Result<bool> {
        let DigestMove { uuid, edition, before, passed, due } = *to;
        run!(self.tx.link(), sql::DIGEST_PASS, |q, c| {
            let query = sqlx::query(q).bind(uuid.to_string()).bind(edition).bind(before).bind(passed);
            Ok(query.bind(due.micros()).execute(c).await.map_err(broken)?.rows_affected() > 0)
        })
    }

    /// Commits what was laid down beside the log's own letters.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`]: then nothing was committed.
    pub async fn end(self) -> Result<()> {
        self.tx.end().await
    }
}

impl Write {
    /// How many digests there are.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn digests(&mut self) -> Result<i64> {
        run!(self.tx.link(), sql::DIGESTS_COUNT, |q, c| {
            Ok(sqlx::query(q).fetch_one(c).await.map_err(broken)?.get(0))
        })
    }

    /// Changes how often a digest is told, and its language. When it is looked at next follows from that anew; how far it
    /// was told stays.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn change_digest(&mut self, row: &SubscriptionRow) -> Result<()> {
        self.change_subscription(row).await?;
        self.stand(row.uuid, row.state, row.why).await
    }

    /// The digests that go to a mail address.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn digests_to(&mut self, mail: &Mail) -> Result<Vec<SubscriptionRow>> {
        rows(self.tx.link(), sql::DIGESTS_OF_MAIL, &[mail.to_string()]).await
    }

    /// The subscriptions of a contact.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn subscriptions_of_contact(&mut self, contact: Uuid) -> Result<Vec<SubscriptionRow>> {
        rows(self.tx.link(), sql::SUBSCRIPTIONS_OF_CONTACT, &[contact.to_string()]).await
    }
}

impl Store {
    /// The digests that go to a mail address.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn digests_to(&self, mail: &Mail) -> Result<Vec<SubscriptionRow>> {
        rows(self.take().await?.link(), sql::DIGESTS_OF_MAIL, &[mail.to_string()]).await
    }

    /// Where digests go and how their letters fare, by the subscription.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn digests_stand(&self) -> Result<BTreeMap<Uuid, DigestStanding>> {
        run!(self.take().await?.link(), sql::DIGESTS_STAND, |q, c| {
            let rows = sqlx::query(q).fetch_all(c).await.map_err(broken)?;
            rows.iter()
                .map(|r| {
                    let tries: Option<i64> = r.get(3);
                    let (mail, waiting, answer) = (r.get(1), r.get(2), r.get(4));
                    Ok((uuid(r.get(0))?, DigestStanding { mail, waiting, tries: tries.unwrap_or(0), answer }))
                })
                .collect()
        })
    }

    /// How many letters of digests there are, by how they fare: `sent`, `waiting`, `failing` (tried in vain, and tried
    /// again), `held` (with a digest that is paused), `failed`, `dropped`.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn digest_letters(&self) -> Result<Vec<(String, i64)>> {
        run!(self.take().await?.link(), sql::DIGEST_LETTERS_COUNT, |q, c| {
            let rows = sqlx::query(q).fetch_all(c).await.map_err(broken)?;
            Ok(rows.iter().map(|r| (r.get(0), r.get(1))).collect())
        })
    }

    /// The digests whose time has come, after one of them, in the order of their uuids.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn digests_due(&self, now: Instant, after: Uuid, limit: i64) -> Result<Vec<DigestRow>> {
        let mut taken = self.take().await?;
        run!(taken.link(), sql::DIGESTS_DUE, |q, c| {
            let query = sqlx::query(q).bind(now.micros()).bind(after.to_string()).bind(limit);
            let rows = query.fetch_all(c).await.map_err(broken)?;
            rows.iter()
                .map(|r| {
                    let mail: &str = r.get(7);
                    Ok(DigestRow {
                        uuid: uuid(r.get(0))?,
                        edition: r.get(1),
                        passed: r.get(2),
                        due: Instant::from_micros(r.get(3)),
                        filter: parse(r.get(4), "filter")?,
                        settings: r.get(5),
                        contact: uuid(r.get(6))?,
                        mail: mail.parse()?,
                    })
                })
                .collect()
        })
    }

    /// Begins to lay down a letter that follows from more than one row of the log, for facts that were read when the log
    /// ended at `read_at`. Nothing while mail was never turned on. Whoever erases somebody waits, or is seen to have
    /// done so.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn outbox_beside(&self, read_at: i64, now: Instant) -> Result<Option<Outbox>> {
        let mut tx = self.own_tx().await?;
        let there = position(tx.link(), sql::MAIL_POSITION_LOCK).await?;
        Ok(there.map(|_| Outbox { tx, read_at, now }))
    }

    /// Moves digests on for which nothing happened.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn move_digests(&self, moves: &[DigestMove]) -> Result<()> {
        let mut tx = self.own_tx().await?;
        let rows =
            Value::from_iter(moves.iter().map(|m| json!([m.uuid, m.edition, m.before, m.passed, m.due.micros()])));
        run!(tx.link(), sql::DIGESTS_MOVE, |q, c| {
            sqlx::query(q).bind(rows.to_string()).execute(c).await.map_err(broken)?;
        });
        tx.end().await
    }
}
