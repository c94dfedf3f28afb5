//! What the database holds, read: the log, vocabularies, versions and states, as they lie there.

use futures::TryStreamExt;
use sqlx::Row;
use uuid::Uuid;

use super::{Link, Store, broken, corrupt, digest, parse, period, run, sql, uuid};
use crate::model::{Change, Digest, Instant, Period, Result, Version, Vocabulary};

/// The end of the change log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// The position of the last row; 0 when there is none.
    pub seq: i64,
    /// When it was registered.
    pub at: Instant,
    /// Its seal.
    pub hash: String,
}

impl Head {
    /// When what is written after it is registered: now, or just after the last row when the clock has not moved
    /// since.
    #[must_use]
    pub fn next(&self, now: Instant) -> Instant {
        if self.seq > 0 { now.max(self.at.next()) } else { now }
    }
}

/// A row of the log that a plane is told beside its states.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegistrationRow {
    /// The vocabulary.
    pub vocabulary: Uuid,
    /// What it is about.
    pub subject: Uuid,
    /// When it was registered.
    pub at: Instant,
    /// Who did it.
    pub actor: String,
    /// What it tells.
    pub kind: String,
    /// The fact itself, canonical JSON.
    pub body: String,
}

/// A state as it lies on disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateRow {
    /// The concept.
    pub concept: Uuid,
    /// When the registry said so.
    pub registered: Period,
    /// When it holds.
    pub valid: Period,
    /// The digest of the content.
    pub content: Digest,
    /// The content, canonical JSON.
    pub body: Box<str>,
}

/// A state without its content, with the rows of the log that opened and closed it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredState {
    /// The concept.
    pub concept: Uuid,
    /// When the registry said so.
    pub registered: Period,
    /// When it holds.
    pub valid: Period,
    /// The digest of the content.
    pub content: Digest,
    /// The position of the row that opened it.
    pub opened: i64,
    /// The position of the row that closed it.
    pub closed: Option<i64>,
}

impl Store {
    /// The end of the change log.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn head(&self) -> Result<Head> {
        head(self.take().await?.link(), sql::HEAD).await
    }

    /// Rows of the change log after a position, oldest first.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn changes(&self, after: i64, limit: i64) -> Result<Vec<Change>> {
        changes(self.take().await?.link(), after, limit).await
    }

    /// The vocabularies that rows of the log are about, after one position and up to another.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn changed_vocabularies(&self, after: i64, to: i64) -> Result<Vec<Uuid>> {
        changed_vocabularies(self.take().await?.link(), after, to).await
    }

    /// The rows between two positions of the log that a plane is told beside its states.
    ///
    /// # Errors
    /// [`Code::Database`], [`Code::Corrupt`].
    pub async fn registrations(
        &self,
        after: i64,
        to: i64,
        mut each: impl FnMut(RegistrationRow) -> Result<()>,
    ) -> Result<()> {
        run!(self.take().await?.link(), sql::REGISTRATIONS, |q, c| {
            let mut rows = sqlx::query(q).bind(after).bind(to).fetch(c);
            while let Some(r) = rows.try_next().await.map_err(broken)? {
                each(RegistrationRow {
                    vocabulary: uuid(r.get(0))?,
                    subject: uuid(r.get(1))?,
                    at: Instant::from_micros(r.get(2)),
                    actor: r.get(3),
                    kind: r.get(4),
                    body: r.get(5),
                })?;
            }
            Ok(())
        })
    }

    /// Every vocabulary, by slug.
    ///
    /// # Errors
    /// [`Code::Database`], [`Code::Corrupt`].
    pub async fn vocabularies(&self) -> Result<Vec<Vocabulary>> {
        vocabularies(self.take().await?.link()).await
    }

    /// The versions of a vocabulary, by effective date and then registration.
    ///
    /// # Errors
    /// [`Code::Database`], [`Code::Corrupt`].
    pub async fn versions(&self, vocabulary: Uuid) -> Result<Vec<Version>> {
        versions(self.take().await?.link(), vocabulary).await
    }

    /// Everything said of a vocabulary's concepts; with `after`, only of those concepts of which something
    /// was said after that position of the log.
    ///
    /// # Errors
    /// [`Code::Database`], [`Code::Corrupt`].
    pub async fn states(
        &self,
        vocabulary: Uuid,
        after: Option<i64>,
        each: impl FnMut(StateRow) -> Result<()>,
    ) -> Result<()> {
        states(self.take().await?.link(), vocabulary, after, each).await
    }
}

pub(super) async fn head(link: Link<'_>, statement: sql::Sql) -> Result<Head> {
    run!(link, statement, |q, c| {
        let r = sqlx::query(q).fetch_optional(c).await.map_err(broken)?;
        let r = r.ok_or_else(|| corrupt("log_head: its row is missing"))?;
        Ok(Head { seq: r.get(0), at: Instant::from_micros(r.get(1)), hash: r.get(2) })
    })
}

pub(super) async fn changes(link: Link<'_>, after: i64, limit: i64) -> Result<Vec<Change>> {
    run!(link, sql::CHANGES_AFTER, |q, c| {
        let rows = sqlx::query(q).bind(after).bind(limit).fetch_all(c).await.map_err(broken)?;
        rows.iter()
            .map(|r| {
                Ok(Change {
                    seq: r.get(0),
                    at: Instant::from_micros(r.get(1)),
                    actor: r.get(2),
                    kind: r.get(3),
                    vocabulary: uuid(r.get(4))?,
                    subject: uuid(r.get(5))?,
                    body: r.get(6),
                    previous: r.get(7),
                    hash: r.get(8),
                })
            })
            .collect()
    })
}

pub(super) async fn changed_vocabularies(link: Link<'_>, after: i64, to: i64) -> Result<Vec<Uuid>> {
    run!(link, sql::CHANGED_VOCABULARIES, |q, c| {
        let rows = sqlx::query(q).bind(after).bind(to).fetch_all(c).await.map_err(broken)?;
        rows.iter().map(|r| uuid(r.get(0))).collect()
    })
}

pub(super) async fn vocabularies(link: Link<'_>) -> Result<Vec<Vocabulary>> {
    run!(link, sql::VOCABULARIES, |q, c| {
        let rows = sqlx::query(q).fetch_all(c).await.map_err(broken)?;
        rows.iter()
            .map(|r| {
                let vocabulary: Vocabulary = parse(r.get(2), "vocabulary")?;
                let columns: (&str, &str) = (r.get(0), r.get(1));
                if columns != (&vocabulary.uuid().to_string(), vocabulary.slug().as_str()) {
                    return Err(corrupt(&format!("vocabulary {}: its columns and its body differ", columns.1)));
                }
                Ok(vocabulary)
            })
            .collect()
    })
}

pub(super) async fn versions(link: Link<'_>, vocabulary: Uuid) -> Result<Vec<Version>> {
    run!(link, sql::VERSIONS_OF, |q, c| {
        let rows = sqlx::query(q).bind(vocabulary.to_string()).fetch_all(c).await.map_err(broken)?;
        rows.iter()
            .map(|r| {
                let version: Version = parse(r.get(0), "version")?;
                let columns: (&str, &str, i64, i64) = (r.get(1), r.get(2), r.get(3), r.get(4));
                let (uuid, label) = (version.uuid.to_string(), version.label.as_str());
                if columns != (&uuid, label, version.effective.micros(), version.registered.micros()) {
                    return Err(corrupt(&format!("version {}: its columns and its body differ", columns.1)));
                }
                Ok(version)
            })
            .collect()
    })
}

pub(super) async fn states(
    link: Link<'_>,
    vocabulary: Uuid,
    after: Option<i64>,
    mut each: impl FnMut(StateRow) -> Result<()>,
) -> Result<()> {
    let statement = if after.is_some() { sql::STATES_TOUCHED } else { sql::STATES_OF };
    run!(link, statement, |q, c| {
        let query = sqlx::query(q).bind(vocabulary.to_string());
        let query = if let Some(after) = after { query.bind(after) } else { query };
        let mut rows = query.fetch(c);
        while let Some(r) = rows.try_next().await.map_err(broken)? {
            each(StateRow {
                concept: uuid(r.get(0))?,
                registered: period(r.get(1), r.get(2))?,
                valid: period(r.get(3), r.get(4))?,
                content: digest(r.get(5))?,
                body: r.get::<String, _>(6).into(),
            })?;
        }
        Ok(())
    })
}
