//! Messages over AMQP on disk: how far the log was told, which node tells it, and the commands that were taken in.
//!
//! None of it is facts, and none of it takes the lock of the log: a writer is never held up by a broker. A position is
//! told under a name by one node at a time; whoever moves it on must still hold it, and know where it was.

use sqlx::Row;
use uuid::Uuid;

use super::write::Write;
use super::{Link, Store, broken, corrupt, run, sql};
use crate::model::{Digest, Instant, Result};

/// What there is of a command when it is to be carried out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CommandBegun {
    /// Nothing: it is now on record as begun, and ours.
    New,
    /// Another command had the same identifier.
    Other,
    /// It was begun before, and nobody told its end.
    Open,
    /// It was carried out, with this status and answer.
    Done(u16, String),
}

impl Write {
    /// Forgets how far the log was told: what a backup holds happened long ago.
    pub(super) async fn forget_mox(&mut self) -> Result<()> {
        run!(self.tx.link(), sql::MOX_FORGET, |q, c| {
            sqlx::query(q).execute(c).await.map_err(broken)?;
        });
        Ok(())
    }
}

impl Store {
    /// Begins to tell the log under a name, unless that was begun before: after a position, or from the end of the log.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn start_mox(&self, name: &str, after: Option<i64>) -> Result<()> {
        let after = after.unwrap_or(i64::MAX);
        let mut tx = self.own_tx().await?;
        run!(tx.link(), sql::MOX_START, |q, c| {
            sqlx::query(q).bind(name.to_owned()).bind(after).execute(c).await.map_err(broken)?;
        });
        tx.end().await
    }

    /// Takes a name, or holds on to it, until an instant, and answers how far it was told. Nothing while another node
    /// holds it.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn claim_mox(&self, name: &str, owner: Uuid, now: Instant, until: Instant) -> Result<Option<i64>> {
        let mut tx = self.own_tx().await?;
        let position = run!(tx.link(), sql::MOX_CLAIM, |q, c| {
            let query = sqlx::query(q).bind(name.to_owned()).bind(owner.to_string());
            let query = query.bind(now.micros()).bind(until.micros());
            query.fetch_optional(c).await.map_err(broken)?.map(|r| r.get(0))
        });
        tx.end().await?;
        Ok(position)
    }

    /// Moves on how far a name was told, and holds on to it; whether it was still ours.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn move_mox(&self, name: &str, owner: Uuid, (from, to): (i64, i64), until: Instant) -> Result<bool> {
        let mut tx = self.own_tx().await?;
        let moved = run!(tx.link(), sql::MOX_MOVE, |q, c| {
            let query = sqlx::query(q).bind(name.to_owned()).bind(owner.to_string());
            let query = query.bind(from).bind(to).bind(until.micros());
            query.execute(c).await.map_err(broken)?.rows_affected()
        });
        tx.end().await?;
        Ok(moved > 0)
    }

    /// Lets go of a name, so that another node need not wait.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn release_mox(&self, name: &str, owner: Uuid) -> Result<()> {
        let mut tx = self.own_tx().await?;
        run!(tx.link(), sql::MOX_RELEASE, |q, c| {
            let query = sqlx::query(q).bind(name.to_owned()).bind(owner.to_string());
            query.execute(c).await.map_err(broken)?;
        });
        tx.end().await
    }

    /// How far the log was told, by name.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn mox_positions(&self) -> Result<Vec<(String, i64)>> {
        run!(self.take().await?.link(), sql::MOX_POSITIONS, |q, c| {
            let rows = sqlx::query(q).fetch_all(c).await.map_err(broken)?;
            Ok(rows.iter().map(|r| (r.get(0), r.get(1))).collect())
        })
    }

    /// Puts a command on record before it is carried out, or tells what there is of it.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn begin_command(&self, besked: Uuid, digest: Digest, now: Instant) -> Result<CommandBegun> {
        let mut tx = self.own_tx().await?;
        let begun = run!(tx.link(), sql::MOX_COMMAND_BEGIN, |q, c| {
            let query = sqlx::query(q).bind(besked.to_string()).bind(digest.to_string()).bind(now.micros());
            query.execute(c).await.map_err(broken)?.rows_affected()
        });
        if begun > 0 {
            tx.end().await?;
            return Ok(CommandBegun::New);
        }
        run!(tx.link(), sql::MOX_COMMAND, |q, c| {
            // Let go of between the two statements: whoever begins it next may find it new.
            let Some(row) = sqlx::query(q).bind(besked.to_string()).fetch_optional(c).await.map_err(broken)? else {
                return Ok(CommandBegun::Open);
            };
            let (stored, status, answer): (String, Option<i64>, Option<String>) = (row.get(0), row.get(1), row.get(2));
            Ok(match (status, answer) {
                _ if stored != digest.to_string() => CommandBegun::Other,
                (Some(status), Some(answer)) => {
                    let status = u16::try_from(status).map_err(|_| corrupt("mox_command: a status is no status"))?;
                    CommandBegun::Done(status, answer)
                }
                _ => CommandBegun::Open,
            })
        })
    }

    /// Puts on record how a command ended.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn settle_command(&self, besked: Uuid, status: u16, answer: &str) -> Result<()> {
        let mut tx = self.own_tx().await?;
        run!(tx.link(), sql::MOX_COMMAND_SETTLE, |q, c| {
            let query = sqlx::query(q).bind(besked.to_string()).bind(i64::from(status)).bind(answer.to_owned());
            query.execute(c).await.map_err(broken)?;
        });
        tx.end().await
    }

    /// Forgets a command that was begun and changed nothing, so that it may be sent again.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn release_command(&self, besked: Uuid) -> Result<()> {
        let mut tx = self.own_tx().await?;
        run!(tx.link(), sql::MOX_COMMAND_RELEASE, |q, c| {
            sqlx::query(q).bind(besked.to_string()).execute(c).await.map_err(broken)?;
        });
        tx.end().await
    }

    /// Forgets the commands that were begun before an instant; how many.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn forget_commands(&self, before: Instant) -> Result<u64> {
        let mut tx = self.own_tx().await?;
        let forgotten = run!(tx.link(), sql::MOX_COMMANDS_FORGET, |q, c| {
            sqlx::query(q).bind(before.micros()).execute(c).await.map_err(broken)?.rows_affected()
        });
        tx.end().await?;
        Ok(forgotten)
    }
}
