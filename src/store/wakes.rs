//! How a follower learns that another process has written.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool};

use super::{Db, Store};

impl Store {
    /// Waits until another process may have written: PostgreSQL tells; on SQLite a second passes.
    pub fn wakes(&self) -> Wakes {
        Wakes { pool: if let Db::Pg(pool) = &self.db { Some(pool.clone()) } else { None }, listener: None }
    }
}

/// Tells a follower when to look at the log again.
pub struct Wakes {
    pool: Option<PgPool>,
    listener: Option<PgListener>,
}

impl Wakes {
    /// How long a follower sleeps when nobody wakes it.
    const POLL: Duration = Duration::from_secs(1);

    /// Returns when the log may have grown: at a notification, or after [`Wakes::POLL`].
    pub async fn next(&mut self) {
        if let Some(pool) = &self.pool
            && self.listener.is_none()
            && let Ok(mut listener) = PgListener::connect_with(pool).await
            && listener.listen("begreb").await.is_ok()
        {
            self.listener = Some(listener);
        }
        match &mut self.listener {
            // A lost connection is an error here: the poll goes on, and the next turn connects again.
            Some(listener) => {
                if let Ok(Err(_)) = tokio::time::timeout(Self::POLL, listener.recv()).await {
                    self.listener = None;
                    tokio::time::sleep(Self::POLL).await;
                }
            }
            None => tokio::time::sleep(Self::POLL).await,
        }
    }
}
