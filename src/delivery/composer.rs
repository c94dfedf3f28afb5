//! What a row of the log makes: letters, and what is laid down with them.

use futures::future::BoxFuture;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::Letter;
use crate::model::{Account, Change, Instant, Result, Secret};
use crate::registry::Registry;
use crate::store::{Outbox, People};

/// What is laid down in the same transaction as a letter.
pub(super) type Alongside = Box<dyn for<'t> FnOnce(&'t mut Outbox) -> BoxFuture<'t, Result<()>> + Send>;

/// A letter, with what goes along.
pub struct Composed {
    pub(super) letter: Letter,
    pub(super) alongside: Option<Alongside>,
}

impl Composed {
    /// A letter that holds a secret, and what is stored of it in the same transaction. That is run only if the letter
    /// is laid down: not for one that lies there already, nor for somebody who was erased meanwhile. The text of such
    /// a letter is erased as soon as it is sent.
    #[must_use]
    pub fn with_secret(
        letter: Letter,
        alongside: impl for<'t> FnOnce(&'t mut Outbox) -> BoxFuture<'t, Result<()>> + Send + 'static,
    ) -> Self {
        Self { letter, alongside: Some(Box::new(alongside)) }
    }
}

impl From<Letter> for Composed {
    fn from(letter: Letter) -> Self {
        Self { letter, alongside: None }
    }
}

/// Says which letters a row of the log makes. It may be asked twice about a row; only one of its answers is kept.
pub trait Composer: Send + Sync {
    /// The letters of a row. It changes nothing: what must be written goes along.
    ///
    /// # Errors
    /// What the registry refuses. When the database fails, or there is no chance to make a secret of, the row is asked
    /// about again; any other refusal is logged, and the row makes no letters.
    fn compose<'a>(&'a self, change: &'a Change, desk: &'a Desk<'_>) -> BoxFuture<'a, Result<Vec<Composed>>>;
}

/// What a composer may look at.
pub struct Desk<'r> {
    registry: &'r Registry,
    now: Instant,
    people: OnceCell<People>,
}

impl<'r> Desk<'r> {
    pub(super) fn new(registry: &'r Registry) -> Self {
        Self { registry, now: registry.clock().now(), people: OnceCell::new() }
    }

    /// The registry.
    #[must_use]
    pub fn registry(&self) -> &'r Registry {
        self.registry
    }

    /// When the letters are composed.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// An address of the registry: what stands after its public address, with a slash before it.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.registry.settings().public_url)
    }

    /// A new secret. What is stored is its digest, by what goes along.
    ///
    /// # Errors
    /// As [`crate::model::Dice::throw`].
    pub fn secret(&self) -> Result<Secret> {
        Secret::new(self.registry.dice(), "")
    }

    /// Who there is, as read once for all letters that are composed together.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub async fn people(&self) -> Result<&People> {
        self.people.get_or_try_init(|| self.registry.store().people()).await
    }

    /// An account that mail may go to: one that there still is, and that is active.
    ///
    /// # Errors
    /// As [`Desk::people`].
    pub async fn account(&self, uuid: Uuid) -> Result<Option<&Account>> {
        Ok(self.people().await?.accounts.iter().find(|a| a.uuid == uuid && a.active))
    }

    /// Whether an account has a password.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn has_password(&self, account: Uuid) -> Result<bool> {
        let found = self.registry.store().active_account(account).await?;
        Ok(found.is_some_and(|f| f.password.is_some()))
    }

    /// What a vocabulary is called in addresses.
    #[must_use]
    pub fn slug(&self, vocabulary: Uuid) -> String {
        let snapshot = self.registry.snapshot();
        snapshot.by_uuid(vocabulary).map_or_else(|| vocabulary.to_string(), |p| p.vocabulary().slug().to_string())
    }
}
