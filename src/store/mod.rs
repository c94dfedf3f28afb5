//! The facts on disk: the only room that speaks SQL.
//!
//! Called by `registry` (commands) and `projection` (the follower). Calls the model. SQLite is the default;
//! PostgreSQL runs the same statements. A write is one transaction: facts and change log together, or
//! nothing. Writers are serialised by the log's head row, so the order of the log is the order of commits.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions};
use sqlx::{Postgres, SqlSafeStr, Sqlite};
use uuid::Uuid;

use crate::model::{Code, Digest, Instant, Period, Refusal, Result};

mod backup;
mod deliveries;
mod digests;
mod effects;
mod facts;
mod letters;
mod lock;
mod mail;
mod mox;
mod people;
mod reading;
mod sign_in;
mod sql;
mod subscriptions;
mod usages;
mod wakes;
mod work;
mod write;

pub use backup::BackupSummary;
pub use deliveries::{Aside, AsideEnd, AsideKind, Attempt, DeliveryRow, Settlement};
pub use digests::{DigestMove, DigestRow, DigestStanding};
pub use facts::Facts;
pub use letters::{Claimed, Laid, LetterRow, LetterState, MailStatus, Settled};
pub use lock::{Holder, Lock};
pub use mail::Outbox;
pub use mox::CommandBegun;
pub use people::{Found, People, Session};
pub use reading::{Head, RegistrationRow, StateRow, StoredState};
pub use subscriptions::{Claim, Progress, Ready, Standing, SubscriptionRow, SubscriptionsStatus};
pub use usages::{CodesToWrite, UsageRow};
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
                include_str!("../../migrations/sqlite/0011_usage_hidden.sql"),
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
                include_str!("../../migrations/postgres/0011_usage_hidden.sql"),
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
            (11, "usage_hidden"),
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
