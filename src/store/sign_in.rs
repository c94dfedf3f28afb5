//! Signing in at OpenID providers, on disk: who accounts are there, and which answers have been used.

use serde_json::json;
use sqlx::Row;

use super::write::Write;
use super::{Link, Store, broken, run, sql, uuid};
use crate::model::{ChangeKind, Digest, ForeignIdentity, Instant, Result};

impl Store {
    /// Whether an answer of a provider has opened a session already.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn answer_is_used(&self, digest: Digest) -> Result<bool> {
        run!(self.take().await?.link(), sql::ANSWER_USED, |q, c| {
            Ok(sqlx::query(q).bind(digest.to_string()).fetch_optional(c).await.map_err(broken)?.is_some())
        })
    }
}

impl Write {
    /// Remembers that an answer of a provider was used, until it is too old to be; whether it was not before.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn use_answer(&mut self, digest: Digest, expires: Instant) -> Result<bool> {
        let now = self.at();
        run!(self.tx.link(), sql::ANSWERS_SWEEP, |q, c| {
            sqlx::query(q).bind(now.micros()).execute(c).await.map_err(broken)?;
        });
        run!(self.tx.link(), sql::ANSWER_USE, |q, c| {
            let query = sqlx::query(q).bind(digest.to_string()).bind(expires.micros());
            Ok(query.execute(c).await.map_err(broken)?.rows_affected() == 1)
        })
    }

    /// Links an account to somebody at a provider. The log tells which account, not who that is there.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn link_identity(&mut self, identity: &ForeignIdentity) -> Result<()> {
        let ForeignIdentity { uuid, issuer, subject, account } = identity;
        self.told(ChangeKind::IdentityLinked, *uuid, &json!({ "account": account })).await?;
        self.batches(sql::IDENTITIES_INSERT, [json!([uuid, issuer, subject, account])].into_iter()).await
    }

    /// Undoes such a link, and erases who it was there.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn unlink(&mut self, identity: &ForeignIdentity) -> Result<()> {
        self.told(ChangeKind::IdentityUnlinked, identity.uuid, &json!({ "account": identity.account })).await?;
        self.texts(sql::IDENTITY_OUT, &[Some(identity.uuid.to_string())]).await.map(drop)
    }
}

/// Every identity.
pub(super) async fn identities(link: Link<'_>) -> Result<Vec<ForeignIdentity>> {
    run!(link, sql::IDENTITIES, |q, c| {
        let rows = sqlx::query(q).fetch_all(c).await.map_err(broken)?;
        let identity = |u: &str, issuer: &str, subject: &str, account: &str| {
            let (uuid, account) = (uuid(u)?, uuid(account)?);
            Ok(ForeignIdentity { uuid, issuer: issuer.to_owned(), subject: subject.to_owned(), account })
        };
        rows.iter().map(|r| identity(r.get(0), r.get(1), r.get(2), r.get(3))).collect()
    })
}
