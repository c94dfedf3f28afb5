//! People on disk: who there is, what they were given, and by what they are recognised. What is done to them is a
//! row of the change log that names uuids and roles alone.

mod write;

use std::collections::BTreeSet;

use serde_json::json;
use sqlx::Row;
use uuid::Uuid;

use crate::model::{
    Account, Digest, ForeignIdentity, Grant, Grantee, Group, Instant, Organisation, Refusal, Result, Role, Token,
};
use crate::store::facts::Facts;
use crate::store::{Link, Store, Taken, broken, corrupt, parse, run, sql, uuid};

/// All that is known of people at one moment, without secrets.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct People {
    /// The organisations.
    pub organisations: Vec<Organisation>,
    /// The accounts.
    pub accounts: Vec<Account>,
    /// The groups with their members.
    pub groups: Vec<Group>,
    /// The grants.
    pub grants: Vec<Grant>,
    /// The tokens.
    pub tokens: Vec<Token>,
    /// The accounts that have a way to sign in: a password, or an identity at a provider.
    pub ways_in: BTreeSet<Uuid>,
    /// Who accounts are at OpenID providers.
    pub identities: Vec<ForeignIdentity>,
}

/// A session, without its secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// The session itself.
    pub uuid: Uuid,
    /// Whose it is.
    pub account: Uuid,
    /// When it was opened.
    pub created: Instant,
    /// From when it is worth nothing.
    pub expires: Instant,
}

/// An account that may sign in: it and its organisation are active.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    /// The account.
    pub uuid: Uuid,
    /// Its password as it is stored, when it has set one.
    pub password: Option<String>,
}

impl Store {
    /// All that is known of people.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn people(&self) -> Result<People> {
        let mut taken = self.take().await?;
        people(&mut taken).await
    }

    /// The active account of a mail address.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn account_by_mail(&self, mail: &str) -> Result<Option<Found>> {
        found(self.take().await?.link(), sql::ACCOUNT_BY_MAIL, mail).await
    }

    /// The account of a uuid, while it is active.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn active_account(&self, account: Uuid) -> Result<Option<Found>> {
        found(self.take().await?.link(), sql::ACCOUNT_BY_UUID, &account.to_string()).await
    }

    /// The roles that an account has, its own and those of its groups.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn held(&self, account: Uuid) -> Result<Vec<(Role, Option<Uuid>)>> {
        let mut taken = self.take().await?;
        run!(taken.link(), sql::HELD, |q, c| {
            let rows = sqlx::query(q).bind(account.to_string()).fetch_all(c).await.map_err(broken)?;
            rows.iter().map(|r| Ok((word(r.get(0))?, maybe(r.get(1))?))).collect()
        })
    }

    /// The session of a secret's digest.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn session(&self, digest: Digest) -> Result<Option<Session>> {
        Ok(sessions(self.take().await?.link(), sql::SESSION_BY_DIGEST, &digest.to_string()).await?.pop())
    }

    /// The sessions of an account, oldest first.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn sessions(&self, account: Uuid) -> Result<Vec<Session>> {
        sessions(self.take().await?.link(), sql::SESSIONS_OF, &account.to_string()).await
    }

    /// An account, active or not.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn account(&self, account: Uuid) -> Result<Option<Account>> {
        Ok(accounts(self.take().await?.link(), sql::ACCOUNT, Some(account)).await?.pop())
    }

    /// The token of a secret's digest.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn token(&self, digest: Digest) -> Result<Option<Token>> {
        Ok(tokens(self.take().await?.link(), sql::TOKEN_BY_DIGEST, Some(digest.to_string())).await?.pop())
    }

    /// The token of a uuid.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn token_named(&self, token: Uuid) -> Result<Option<Token>> {
        Ok(tokens(self.take().await?.link(), sql::TOKEN_BY_UUID, Some(token.to_string())).await?.pop())
    }

    /// The tokens of an account, or of everyone, oldest first.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn tokens(&self, account: Option<Uuid>) -> Result<Vec<Token>> {
        let statement = if account.is_some() { sql::TOKENS_OF } else { sql::TOKENS };
        tokens(self.take().await?.link(), statement, account.map(|a| a.to_string())).await
    }

    /// Whether a one-time link leads somewhere: the account, or none for the first administrator; and until when.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn link(&self, digest: Digest) -> Result<Option<(Option<Uuid>, Instant)>> {
        link(self.take().await?.link(), digest).await
    }
}

impl Facts {
    /// All that is known of people.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn people(&mut self) -> Result<People> {
        people(self).await
    }
}

async fn found(link: Link<'_>, statement: sql::Sql, by: &str) -> Result<Option<Found>> {
    run!(link, statement, |q, c| {
        let row = sqlx::query(q).bind(by.to_owned()).fetch_optional(c).await.map_err(broken)?;
        row.map(|r| Ok(Found { uuid: uuid(r.get(0))?, password: r.get(1) })).transpose()
    })
}

async fn sessions(link: Link<'_>, statement: sql::Sql, by: &str) -> Result<Vec<Session>> {
    run!(link, statement, |q, c| {
        let rows = sqlx::query(q).bind(by.to_owned()).fetch_all(c).await.map_err(broken)?;
        let session = |(u, a): (&str, &str), created, expires| {
            let (created, expires) = (Instant::from_micros(created), Instant::from_micros(expires));
            Ok(Session { uuid: uuid(u)?, account: uuid(a)?, created, expires })
        };
        rows.iter().map(|r| session((r.get(0), r.get(1)), r.get(2), r.get(3))).collect()
    })
}

async fn link(link: Link<'_>, digest: Digest) -> Result<Option<(Option<Uuid>, Instant)>> {
    run!(link, sql::LINK_FIND, |q, c| {
        let row = sqlx::query(q).bind(digest.to_string()).fetch_optional(c).await.map_err(broken)?;
        row.map(|r| Ok((maybe(r.get(0))?, Instant::from_micros(r.get(1))))).transpose()
    })
}

/// What lends a connection for one statement after another.
trait Lends {
    fn lend(&mut self) -> Link<'_>;
}

impl Lends for Taken {
    fn lend(&mut self) -> Link<'_> {
        self.link()
    }
}

impl Lends for Facts {
    fn lend(&mut self) -> Link<'_> {
        self.link()
    }
}

/// Reads everything.
async fn people(from: &mut impl Lends) -> Result<People> {
    let mut people = People::default();
    run!(from.lend(), sql::ORGANISATIONS, |q, c| {
        for r in sqlx::query(q).fetch_all(c).await.map_err(broken)? {
            let (u, name): (&str, &str) = (r.get(0), r.get(1));
            people.organisations.push(Organisation { uuid: uuid(u)?, name: word(name)?, active: is(r.get(2)) });
        }
    });
    people.accounts = accounts(from.lend(), sql::ACCOUNTS, None).await?;
    run!(from.lend(), sql::GROUPS, |q, c| {
        for r in sqlx::query(q).fetch_all(c).await.map_err(broken)? {
            let (u, name, kind): (&str, &str, &str) = (r.get(0), r.get(1), r.get(2));
            let (uuid, name, kind, members) = (uuid(u)?, word(name)?, word(kind)?, BTreeSet::new());
            people.groups.push(Group { uuid, name, kind, members, active: is(r.get(3)) });
        }
    });
    run!(from.lend(), sql::MEMBERS, |q, c| {
        for r in sqlx::query(q).fetch_all(c).await.map_err(broken)? {
            let (group, account) = (uuid(r.get(0))?, uuid(r.get(1))?);
            if let Some(group) = people.groups.iter_mut().find(|g| g.uuid == group) {
                group.members.insert(account);
            }
        }
    });
    run!(from.lend(), sql::GRANTS, |q, c| {
        for r in sqlx::query(q).fetch_all(c).await.map_err(broken)? {
            let to = match (maybe(r.get(1))?, maybe(r.get(2))?) {
                (Some(account), None) => Grantee::Account(account),
                (None, Some(group)) => Grantee::Group(group),
                _ => return Err(corrupt("granted: a grant that is nobody's")),
            };
            let grant = Grant::new(uuid(r.get(0))?, to, word(r.get(3))?, maybe(r.get(4))?)?;
            let origin = r.get::<Option<&str>, _>(5).map(word).transpose()?;
            people.grants.push(grant.from_provider(origin));
        }
    });
    run!(from.lend(), sql::WAYS_IN, |q, c| {
        for r in sqlx::query(q).fetch_all(c).await.map_err(broken)? {
            people.ways_in.insert(uuid(r.get(0))?);
        }
    });
    people.tokens = tokens(from.lend(), sql::TOKENS, None).await?;
    people.identities = super::sign_in::identities(from.lend()).await?;
    Ok(people)
}

/// What the log tells of a token: its name is its owner's.
fn told_of(token: &Token) -> serde_json::Value {
    json!({ "account": token.account, "scope": token.scope, "expires": token.expires })
}

async fn accounts(link: Link<'_>, statement: sql::Sql, one: Option<Uuid>) -> Result<Vec<Account>> {
    run!(link, statement, |q, c| {
        let query = one.iter().fold(sqlx::query(q), |query, one| query.bind(one.to_string()));
        let rows = query.fetch_all(c).await.map_err(broken)?;
        let account = |(u, name, mail): (&str, &str, &str), organisation: Option<&str>, active| {
            let (uuid, name, mail, organisation) = (uuid(u)?, word(name)?, word(mail)?, maybe(organisation)?);
            Ok(Account { uuid, name, mail, organisation, active: is(active) })
        };
        rows.iter().map(|r| account((r.get(0), r.get(1), r.get(2)), r.get(3), r.get(4))).collect()
    })
}

async fn tokens(link: Link<'_>, statement: sql::Sql, by: Option<String>) -> Result<Vec<Token>> {
    run!(link, statement, |q, c| {
        let query = by.iter().fold(sqlx::query(q), |query, by| query.bind(by.clone()));
        let rows = query.fetch_all(c).await.map_err(broken)?;
        rows.iter().map(|r| token((r.get(0), r.get(2), r.get(3), r.get(4)), r.get(5), r.get(6))).collect()
    })
}

fn token((u, account, name, scope): (&str, &str, &str, &str), created: i64, expires: i64) -> Result<Token> {
    Ok(Token {
        uuid: uuid(u)?,
        account: uuid(account)?,
        name: word(name)?,
        scope: parse(scope, "scope")?,
        created: Instant::from_micros(created),
        expires: Instant::from_micros(expires),
    })
}

/// A stored word; what stands there was lawful when it was written.
fn word<T: std::str::FromStr<Err = Refusal>>(text: &str) -> Result<T> {
    text.parse().map_err(|r: Refusal| corrupt(&r.en))
}

fn maybe(text: Option<&str>) -> Result<Option<Uuid>> {
    text.map(uuid).transpose()
}

fn is(number: i64) -> bool {
    number == 1
}
