//! The facts as they stood at one moment, whatever others write meanwhile: a reading transaction, or a write's own.

use std::collections::HashMap;

use futures::TryStreamExt;
use serde_json::{Value, json};
use sqlx::{Postgres, Row, Sqlite, Transaction};
use uuid::Uuid;

use super::reading::{changed_vocabularies, changes, head, states, versions, vocabularies};
use super::write::BATCH;
use super::{Db, Head, Link, StateRow, Store, StoredState, broken, digest, period, run, sql, uuid};
use crate::model::{Change, Result, Version, Vocabulary};

/// All facts at one moment. Readers hold up nobody and are held up by nobody.
pub struct Facts(pub(super) Tx);

pub(super) enum Tx {
    Lite(Transaction<'static, Sqlite>),
    Pg(Transaction<'static, Postgres>),
}

impl Store {
    /// The facts as they stand now, for as long as the answer is held.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn facts(&self) -> Result<Facts> {
        let tx = match &self.db {
            Db::Lite { read, .. } => Tx::Lite(read.begin().await.map_err(broken)?),
            Db::Pg(pool) => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                Tx::Pg(pool.begin_with(begin).await.map_err(broken)?)
            }
        };
        let mut facts = Facts(tx);
        // The moment is that of the first statement, not that of BEGIN.
        facts.head().await?;
        Ok(facts)
    }
}

impl Tx {
    pub(super) fn link(&mut self) -> Link<'_> {
        match self {
            Self::Lite(tx) => Link::Lite(tx),
            Self::Pg(tx) => Link::Pg(tx),
        }
    }
}

impl Facts {
    pub(super) fn link(&mut self) -> Link<'_> {
        self.0.link()
    }

    /// The end of the change log.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn head(&mut self) -> Result<Head> {
        head(self.link(), sql::HEAD).await
    }

    /// Rows of the change log after a position, oldest first.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn changes(&mut self, after: i64, limit: i64) -> Result<Vec<Change>> {
        changes(self.link(), after, limit).await
    }

    /// The vocabularies that rows of the log are about, after one position and up to another; the nil uuid stands for
    /// people.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn changed_vocabularies(&mut self, after: i64, to: i64) -> Result<Vec<Uuid>> {
        changed_vocabularies(self.link(), after, to).await
    }

    /// Every vocabulary, by slug.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn vocabularies(&mut self) -> Result<Vec<Vocabulary>> {
        vocabularies(self.link()).await
    }

    /// The versions of a vocabulary, by effective date and then registration.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn versions(&mut self, vocabulary: Uuid) -> Result<Vec<Version>> {
        versions(self.link(), vocabulary).await
    }

    /// Everything said of a vocabulary's concepts.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn states(&mut self, vocabulary: Uuid, each: impl FnMut(StateRow) -> Result<()>) -> Result<()> {
        states(self.link(), vocabulary, None, each).await
    }

    /// The vocabularies that own some concepts; those that do not exist are left out.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn owners(&mut self, concepts: &[Uuid]) -> Result<HashMap<Uuid, Uuid>> {
        let mut owners = HashMap::new();
        for batch in concepts.chunks(BATCH) {
            let rows = Value::from_iter(batch.iter().map(|c| json!([c])));
            run!(self.link(), sql::CONCEPT_OWNERS, |q, c| {
                for r in sqlx::query(q).bind(rows.to_string()).fetch_all(c).await.map_err(broken)? {
                    owners.insert(uuid(r.get(0))?, uuid(r.get(1))?);
                }
            });
        }
        Ok(owners)
    }

    /// Every concept with its vocabulary.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn concepts(&mut self) -> Result<HashMap<Uuid, Uuid>> {
        run!(self.link(), sql::CONCEPTS, |q, c| {
            let rows = sqlx::query(q).fetch_all(c).await.map_err(broken)?;
            rows.iter().map(|r| Ok((uuid(r.get(0))?, uuid(r.get(1))?))).collect()
        })
    }

    /// Every state, ordered by concept.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn all_states(&mut self, mut each: impl FnMut(StoredState) -> Result<()>) -> Result<()> {
        run!(self.link(), sql::STATES, |q, c| {
            let mut rows = sqlx::query(q).fetch(c);
            while let Some(r) = rows.try_next().await.map_err(broken)? {
                each(StoredState {
                    concept: uuid(r.get(0))?,
                    registered: period(r.get(1), r.get(2))?,
                    valid: period(r.get(3), r.get(4))?,
                    content: digest(r.get(5))?,
                    opened: r.get(6),
                    closed: r.get(7),
                })?;
            }
            Ok(())
        })
    }

    /// Every content, with its digest.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn contents(&mut self, mut each: impl FnMut(String, &str) -> Result<()>) -> Result<()> {
        run!(self.link(), sql::CONTENTS, |q, c| {
            let mut rows = sqlx::query(q).fetch(c);
            while let Some(r) = rows.try_next().await.map_err(broken)? {
                each(r.get(0), r.get(1))?;
            }
            Ok(())
        })
    }
}
