//! The facts on disk: the only room that speaks SQL.
//!
//! Called by `registry` (commands) and `projection` (the follower). Calls the model. SQLite is the default;
//! PostgreSQL runs the same statements. A write is one transaction: facts and change log together, or
//! nothing. Writers are serialised by the log's head row, so the order of the log is the order of commits.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use futures::TryStreamExt;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions};
use sqlx::{Postgres, Row, SqlSafeStr, Sqlite};
use uuid::Uuid;

use crate::model::{Change, Code, Digest, Instant, Period, Refusal, Result, Version, Vocabulary};

mod backup;
mod digests;
mod effects;
mod facts;
mod lock;
mod mail;
mod mox;
mod people;
mod sign_in;
mod sql;
mod subscriptions;
mod usages;
mod wakes;
mod work;
mod write;

pub use backup::BackupSummary;
pub use digests::{DigestMove, DigestRow, DigestStanding};
pub use facts::Facts;
pub use lock::{Holder, Lock};
pub use mail::{Claimed, Laid, LetterRow, LetterState, MailStatus, Outbox, Settled};
pub use mox::CommandBegun;
pub use people::{Found, People, Session};
pub use subscriptions::{
    Aside, AsideEnd, AsideKind, Attempt, Claim, DeliveryRow, Progress, Ready, Settlement, Standing, SubscriptionRow,
    SubscriptionsStatus,
};
pub use usages::UsageRow;
pub use wakes::Wakes;
pub use work::{Contact, Errand, ErrandKind, StepRow};
pub use write::{Act, Write};

/// The database of a registry.
#[derive(Clone)]
pub struct Store {
    db: Db,
    file: Option<PathBuf>,
}

#[derive(Clone)]
enum Db {
    /// One connection writes, several read.
    Lite {
        write: SqlitePool,
        read: SqlitePool,
    },
    Pg(PgPool),
}

/// A connection of either kind, borrowed for one statement after another.
enum Link<'c> {
    Lite(&'c mut SqliteConnection),
    Pg(&'c mut PgConnection),
}

/// A connection taken from the pool of readers.
enum Taken {
    Lite(PoolConnection<Sqlite>),
    Pg(PoolConnection<Postgres>),
}

impl Taken {
    fn link(&mut self) -> Link<'_> {
        match self {
            Self::Lite(c) => Link::Lite(c),
            Self::Pg(c) => Link::Pg(c),
        }
    }
}

/// Runs the same lines on either driver: `$q` is the statement's text, `$c` the connection.
macro_rules! run {
    ($link:expr, $sql:expr, |$q:ident, $c:ident| $body:expr) => {
        match $link {
            Link::Lite($c) => {
                let $q = $sql.lite;
                $body
            }
            Link::Pg($c) => {
                let $q = $sql.pg;
                $body
            }
        }
    };
}
use run;

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
    /// Opens a database and brings its tables up to date. `sqlite:FILE`, `sqlite::memory:` or `postgres://…`.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] for another address, [`Code::Database`] when it cannot be opened.
    pub async fn open(address: &str) -> Result<Self> {
        let store = if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            let pool = PgPoolOptions::new().max_connections(8).acquire_timeout(Duration::from_secs(10));
            Self { db: Db::Pg(pool.connect(address).await.map_err(|e| unopened(address, &e))?), file: None }
        } else if address.starts_with("sqlite:") {
            Self::open_sqlite(address).await?
        } else {
            return Err(Refusal::new(
                Code::InvalidParameter,
                format!("»{address}« er ikke adressen på en database"),
                format!("'{address}' is not the address of a database"),
            )
            .allowed(["sqlite:FILE", "postgres://USER@HOST/DATABASE"]));
        };
        store.migrate().await?;
        Ok(store)
    }

    async fn open_sqlite(address: &str) -> Result<Self> {
        let options = SqliteConnectOptions::from_str(address)
            .map_err(broken)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: a commit that was acknowledged survives a power cut.
            .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .pragma("trusted_schema", "OFF")
            // What is erased is overwritten, not only let go of.
            .pragma("secure_delete", "ON")
            .pragma("cache_size", "-65536");
        let in_memory = address.contains(":memory:");
        let file = (!in_memory).then(|| options.get_filename().to_path_buf());
        if let Some(file) = &file {
            keep_private(file);
        }
        let pool = |n| SqlitePoolOptions::new().max_connections(n).acquire_timeout(Duration::from_secs(30));
        let pool = |n| if in_memory { pool(n).idle_timeout(None).max_lifetime(None) } else { pool(n) };
        let write = pool(1).connect_with(options.clone()).await.map_err(|e| unopened(address, &e))?;
        // A database in memory lives and dies with its one connection.
        let read = if in_memory {
            write.clone()
        } else {
            // Readers read from one end to the other; what they keep would only be held.
            let options = options.read_only(false).pragma("cache_size", "-4096");
            pool(4).connect_with(options).await.map_err(broken)?
        };
        Ok(Self { db: Db::Lite { write, read }, file })
    }

    async fn migrate(&self) -> Result<()> {
        let texts = match self.db {
            Db::Lite { .. } => [
                include_str!("../../migrations/sqlite/0001_core.sql"),
                include_str!("../../migrations/sqlite/0002_people.sql"),
                include_str!("../../migrations/sqlite/0003_work.sql"),
                include_str!("../../migrations/sqlite/0004_mail.sql"),
                include_str!("../../migrations/sqlite/0005_sign_in.sql"),
                include_str!("../../migrations/sqlite/0006_effects.sql"),
                include_str!("../../migrations/sqlite/0007_subscriptions.sql"),
                include_str!("../../migrations/sqlite/0008_mox.sql"),
                include_str!("../../migrations/sqlite/0009_digests.sql"),
                include_str!("../../migrations/sqlite/0010_usage.sql"),
            ],
            Db::Pg(_) => [
                include_str!("../../migrations/postgres/0001_core.sql"),
                include_str!("../../migrations/postgres/0002_people.sql"),
                include_str!("../../migrations/postgres/0003_work.sql"),
                include_str!("../../migrations/postgres/0004_mail.sql"),
                include_str!("../../migrations/postgres/0005_sign_in.sql"),
                include_str!("../../migrations/postgres/0006_effects.sql"),
                include_str!("../../migrations/postgres/0007_subscriptions.sql"),
                include_str!("../../migrations/postgres/0008_mox.sql"),
                include_str!("../../migrations/postgres/0009_digests.sql"),
                include_str!("../../migrations/postgres/0010_usage.sql"),
            ],
        };
        let names = [
            (1, "core"),
            (2, "people"),
            (3, "work"),
            (4, "mail"),
            (5, "sign_in"),
            (6, "effects"),
            (7, "subscriptions"),
            (8, "mox"),
            (9, "digests"),
            (10, "usage"),
        ];
        let migrations = texts
            .into_iter()
            .zip(names)
            .map(|(text, (n, name))| Migration::new(n, name.into(), MigrationType::Simple, text.into_sql_str(), false));
        let migrator = Migrator::with_migrations(migrations.collect());
        let done = match &self.db {
            Db::Lite { write, .. } => migrator.run(write).await,
            Db::Pg(pool) => migrator.run(pool).await,
        };
        done.map_err(|e| {
            Refusal::new(
                Code::Database,
                format!("databasen kan ikke bringes ajour: {e}"),
                format!("the database cannot be brought up to date: {e}"),
            )
        })
    }

    /// The file of an SQLite database.
    #[must_use]
    pub fn file(&self) -> Option<&PathBuf> {
        self.file.as_ref()
    }

    async fn take(&self) -> Result<Taken> {
        Ok(match &self.db {
            Db::Lite { read, .. } => Taken::Lite(read.acquire().await.map_err(broken)?),
            Db::Pg(pool) => Taken::Pg(pool.acquire().await.map_err(broken)?),
        })
    }

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

    /// Closes the connections; what was committed is on disk.
    pub async fn close(&self) {
        match &self.db {
            Db::Lite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Db::Pg(pool) => pool.close().await,
        }
    }
}

/// Makes a new database's file readable for its owner alone: it holds people and digests of secrets. SQLite gives the
/// files beside it the same mode. A file that is there keeps the mode that its owner chose, and what cannot be made here
/// is refused when it is opened.
fn keep_private(file: &std::path::Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let _ = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    }
    #[cfg(not(unix))]
    let _ = file;
}

async fn head(link: Link<'_>, statement: sql::Sql) -> Result<Head> {
    run!(link, statement, |q, c| {
        let r = sqlx::query(q).fetch_optional(c).await.map_err(broken)?;
        let r = r.ok_or_else(|| corrupt("log_head: its row is missing"))?;
        Ok(Head { seq: r.get(0), at: Instant::from_micros(r.get(1)), hash: r.get(2) })
    })
}

async fn changes(link: Link<'_>, after: i64, limit: i64) -> Result<Vec<Change>> {
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

async fn changed_vocabularies(link: Link<'_>, after: i64, to: i64) -> Result<Vec<Uuid>> {
    run!(link, sql::CHANGED_VOCABULARIES, |q, c| {
        let rows = sqlx::query(q).bind(after).bind(to).fetch_all(c).await.map_err(broken)?;
        rows.iter().map(|r| uuid(r.get(0))).collect()
    })
}

async fn vocabularies(link: Link<'_>) -> Result<Vec<Vocabulary>> {
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

async fn versions(link: Link<'_>, vocabulary: Uuid) -> Result<Vec<Version>> {
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

async fn states(
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

fn uuid(text: &str) -> Result<Uuid> {
    Uuid::parse_str(text).map_err(|_| corrupt(&format!("'{text}' is not a uuid")))
}

fn digest(text: &str) -> Result<Digest> {
    text.parse().map_err(|_| corrupt(&format!("'{text}' is not a digest")))
}

fn period(from: i64, to: i64) -> Result<Period> {
    Period::new(Instant::from_micros(from), Instant::from_micros(to)).map_err(|r| corrupt(&r.en))
}

fn parse<T: serde::de::DeserializeOwned>(body: &str, what: &str) -> Result<T> {
    serde_json::from_str(body).map_err(|e| corrupt(&format!("a stored {what} cannot be read: {e}")))
}

fn corrupt(what: &str) -> Refusal {
    Refusal::new(Code::Corrupt, format!("databasen er beskadiget: {what}"), format!("the database is damaged: {what}"))
}

/// The refusal when a database cannot be opened. A password in the address is not repeated.
fn unopened(address: &str, error: &sqlx::Error) -> Refusal {
    let name = match address.split_once('@') {
        Some((_, host)) => format!("postgres://…@{host}"),
        None => address.to_owned(),
    };
    Refusal::new(
        Code::Database,
        format!("databasen {name} kan ikke åbnes: {error}"),
        format!("the database {name} cannot be opened: {error}"),
    )
}

/// The refusal for a failure of the database; nothing was committed.
fn broken(error: sqlx::Error) -> Refusal {
    Refusal::new(
        Code::Database,
        format!("databasen svarede med en fejl, og intet er ændret: {error}"),
        format!("the database failed and nothing was changed: {error}"),
    )
}

#[cfg(test)]
mod tests;
