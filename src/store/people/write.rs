//! What is done to people, each with its row of the log.

use serde_json::{Value, json};
use sqlx::Row;
use uuid::Uuid;

use super::{Found, People, Session, found, link, people, told_of};
use crate::model::{
    Account, ChangeKind, Digest, Grant, Grantee, Group, Instant, Organisation, Result, Token, canonical_json,
};
use crate::store::write::Write;
use crate::store::{Link, broken, run, sql};

impl Write {
    /// All that is known of people, as this write sees it.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn people(&mut self) -> Result<People> {
        people(&mut self.tx).await
    }

    /// Seals what was done to `subject`; the body must hold nothing personal.
    pub(in crate::store) async fn told(&mut self, kind: ChangeKind, subject: Uuid, body: &Value) -> Result<()> {
        self.record(kind, Uuid::nil(), subject, canonical_json(body));
        self.flush().await
    }

    /// Runs a statement with texts.
    pub(in crate::store) async fn texts(&mut self, statement: sql::Sql, texts: &[Option<String>]) -> Result<u64> {
        run!(self.tx.link(), statement, |q, c| {
            let query = texts.iter().fold(sqlx::query(q), |query, text| query.bind(text.clone()));
            Ok(query.execute(c).await.map_err(broken)?.rows_affected())
        })
    }

    /// Creates an organisation or changes it.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn put_organisation(&mut self, kind: ChangeKind, organisation: &Organisation) -> Result<()> {
        let Organisation { uuid, name, active } = organisation;
        self.told(kind, *uuid, &json!({ "active": active })).await?;
        run!(self.tx.link(), sql::ORGANISATION_PUT, |q, c| {
            let query = sqlx::query(q).bind(uuid.to_string()).bind(name.to_string()).bind(i64::from(*active));
            query.execute(c).await.map_err(broken)?;
        });
        Ok(())
    }

    /// Creates an account or changes it; its password stays.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], also when the mail address is taken.
    pub async fn put_account(&mut self, kind: ChangeKind, account: &Account) -> Result<()> {
        let Account { uuid, name, mail, organisation, active } = account;
        self.told(kind, *uuid, &json!({ "active": active, "organisation": organisation })).await?;
        run!(self.tx.link(), sql::ACCOUNT_PUT, |q, c| {
            let query = sqlx::query(q).bind(uuid.to_string()).bind(name.to_string()).bind(mail.to_string());
            let query = query.bind(organisation.map(|o| o.to_string())).bind(i64::from(*active));
            query.execute(c).await.map_err(broken)?;
        });
        Ok(())
    }

    /// Sets the stored form of a password. Links that lead to a new one are worth nothing any more.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn set_password(&mut self, account: Uuid, stored: &str) -> Result<()> {
        self.told(ChangeKind::PasswordSet, account, &json!({})).await?;
        self.texts(sql::ACCOUNT_PASSWORD, &[Some(account.to_string()), Some(stored.to_owned())]).await?;
        self.texts(sql::LINKS_OUT, &[Some(account.to_string())]).await.map(drop)
    }

    /// Removes the row of an account, with its sessions and links. Its grants, tokens and places in groups must
    /// have been taken away before.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn erase_account(&mut self, account: Uuid) -> Result<()> {
        self.told(ChangeKind::AccountErased, account, &json!({})).await?;
        for statement in [sql::SESSIONS_END, sql::LINKS_OUT, sql::USAGE_CONTACTS_FORGET, sql::ACCOUNT_ERASE] {
            self.texts(statement, &[Some(account.to_string())]).await?;
        }
        self.empty_letters(account).await
    }

    /// Forms a group or changes it and who is in it.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn put_group(&mut self, kind: ChangeKind, group: &Group) -> Result<()> {
        let Group { uuid, name, kind: what, members, active } = group;
        self.told(kind, *uuid, &json!({ "active": active, "kind": what, "members": members })).await?;
        run!(self.tx.link(), sql::GROUP_PUT, |q, c| {
            let query = sqlx::query(q).bind(uuid.to_string()).bind(name.to_string()).bind(what.as_str());
            query.bind(i64::from(*active)).execute(c).await.map_err(broken)?;
        });
        self.texts(sql::MEMBERS_OUT, &[Some(uuid.to_string())]).await?;
        let rows: Vec<Value> = members.iter().map(|m| json!([uuid, m])).collect();
        self.batches(sql::MEMBERS_INSERT, rows.into_iter()).await
    }

    /// Gives a role.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn give(&mut self, grant: &Grant) -> Result<()> {
        self.told(ChangeKind::GrantGiven, grant.uuid(), &json!(grant)).await?;
        let (account, group) = match grant.to() {
            Grantee::Account(account) => (Some(account), None),
            Grantee::Group(group) => (None, Some(group)),
        };
        let row = json!([grant.uuid(), account, group, grant.role(), grant.vocabulary()]);
        self.batches(sql::GRANTS_INSERT, [row].into_iter()).await?;
        let origin = grant.origin().map(|provider| json!([grant.uuid(), provider]));
        self.batches(sql::GRANT_ORIGINS_INSERT, origin.into_iter()).await
    }

    /// Takes a role back.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn take_back(&mut self, grant: &Grant) -> Result<()> {
        self.told(ChangeKind::GrantTaken, grant.uuid(), &json!(grant)).await?;
        self.texts(sql::GRANT_TAKE, &[Some(grant.uuid().to_string())]).await.map(drop)
    }

    /// Lays down a token by the digest of its secret.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn add_token(&mut self, token: &Token, digest: Digest) -> Result<()> {
        self.told(ChangeKind::TokenCreated, token.uuid, &told_of(token)).await?;
        self.lay_token(token, &digest.to_string()).await
    }

    /// Gives a token another name. Its row is made anew, since those of tokens are never changed; its secret stays.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn rename_token(&mut self, token: &Token) -> Result<()> {
        let digest = self.digest_of_token(token.uuid).await?;
        self.told(ChangeKind::TokenRenamed, token.uuid, &told_of(token)).await?;
        self.texts(sql::TOKEN_REVOKE, &[Some(token.uuid.to_string())]).await?;
        self.lay_token(token, &digest).await
    }

    async fn digest_of_token(&mut self, token: Uuid) -> Result<String> {
        run!(self.tx.link(), sql::TOKEN_BY_UUID, |q, c| {
            let row = sqlx::query(q).bind(token.to_string()).fetch_one(c).await.map_err(broken)?;
            Ok(row.get(1))
        })
    }

    async fn lay_token(&mut self, token: &Token, digest: &str) -> Result<()> {
        let Token { uuid, account, name, scope, created, expires } = token;
        let row = json!([uuid, digest, account, name, canonical_json(scope), created.micros(), expires.micros()]);
        self.batches(sql::TOKENS_INSERT, [row].into_iter()).await
    }

    /// Revokes a token.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn revoke_token(&mut self, token: Uuid) -> Result<()> {
        self.told(ChangeKind::TokenRevoked, token, &json!({})).await?;
        self.texts(sql::TOKEN_REVOKE, &[Some(token.to_string())]).await.map(drop)
    }

    /// Opens a session, and sweeps out those that have run out; of an account's own, those opened first when there
    /// are more than `most`. Sessions are no facts: the log does not tell them.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn open_session(&mut self, session: &Session, digest: Digest, most: i64) -> Result<()> {
        let Session { uuid, account, created, expires } = session;
        run!(self.tx.link(), sql::SESSIONS_SWEEP, |q, c| {
            sqlx::query(q).bind(created.micros()).execute(c).await.map_err(broken)?;
        });
        run!(self.tx.link(), sql::SESSIONS_KEEP, |q, c| {
            let query = sqlx::query(q).bind(account.to_string()).bind(most.saturating_sub(1));
            query.execute(c).await.map_err(broken)?;
        });
        run!(self.tx.link(), sql::SESSION_OPEN, |q, c| {
            let query = sqlx::query(q).bind(digest.to_string()).bind(uuid.to_string()).bind(account.to_string());
            query.bind(created.micros()).bind(expires.micros()).execute(c).await.map_err(broken)?;
        });
        Ok(())
    }

    /// Ends one session of an account; whether there was one.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn end_session(&mut self, account: Uuid, session: Uuid) -> Result<bool> {
        let ended = self.texts(sql::SESSION_END, &[Some(session.to_string()), Some(account.to_string())]).await?;
        Ok(ended > 0)
    }

    /// Ends every session of an account but one.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn end_sessions_but(&mut self, account: Uuid, one: Uuid) -> Result<()> {
        self.texts(sql::SESSIONS_END_BUT, &[Some(account.to_string()), Some(one.to_string())]).await.map(drop)
    }

    /// The account of a uuid, while it is active, as this write sees it.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn active_account(&mut self, account: Uuid) -> Result<Option<Found>> {
        found(self.tx.link(), sql::ACCOUNT_BY_UUID, &account.to_string()).await
    }

    /// Ends every session of an account.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn end_sessions(&mut self, account: Uuid) -> Result<()> {
        self.texts(sql::SESSIONS_END, &[Some(account.to_string())]).await.map(drop)
    }

    /// Hands out a one-time link: to an account's password, or to the first administrator. Older ones to the same
    /// are worth nothing any more.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn make_link(&mut self, account: Option<Uuid>, digest: Digest, expires: Instant) -> Result<()> {
        // A link to the first administrator is about nobody yet: the log stays as it is.
        if let Some(account) = account {
            self.told(ChangeKind::LinkCreated, account, &json!({})).await?;
        }
        self.drop_links(account).await?;
        let now = self.at();
        run!(self.tx.link(), sql::LINKS_SWEEP, |q, c| {
            sqlx::query(q).bind(now.micros()).execute(c).await.map_err(broken)?;
        });
        run!(self.tx.link(), sql::LINK_MAKE, |q, c| {
            let query = sqlx::query(q).bind(digest.to_string()).bind(account.map(|a| a.to_string()));
            query.bind(expires.micros()).execute(c).await.map_err(broken)?;
        });
        Ok(())
    }

    /// Where a one-time link leads, as this write sees it.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn link(&mut self, digest: Digest) -> Result<Option<(Option<Uuid>, Instant)>> {
        link(self.tx.link(), digest).await
    }

    /// Makes the links to an account, or to the first administrator, worth nothing.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn drop_links(&mut self, account: Option<Uuid>) -> Result<()> {
        let account = account.map_or_else(String::new, |a| a.to_string());
        self.texts(sql::LINKS_OUT, &[Some(account)]).await.map(drop)
    }
}
