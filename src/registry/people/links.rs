//! One-time links: to a password of one's own, and at the first start to the first administrator.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::Registry;
use super::super::permission::{Actor, permit};
use super::administrators;
use super::manage::{account_of, lawful};
use super::sessions::SignedIn;
use crate::model::{
    Account, ChangeKind, Code, Command, Grant, Grantee, Instant, Mail, Name, Password, Refusal, Result, Role, Secret,
    new_uuid,
};
use crate::store::Write;

/// How long a link leads somewhere, in hours.
const HOURS: i64 = 24;

/// An account, and the link by which its person sets a password.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Invited {
    /// The account.
    pub account: Account,
    /// The address; it works once, and is shown now and never again.
    pub link: String,
    /// From when it leads nowhere.
    #[schema(value_type = String)]
    pub expires: Instant,
}

/// Where a link leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkFor {
    /// To the first administrator, who says who they are.
    FirstAdministrator,
    /// To a password for this account.
    Account(Uuid),
}

impl Registry {
    /// A link to a first administrator, when nobody administers the registry; one that was handed out before is
    /// worth nothing any more.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::Database`].
    pub async fn first_link(&self, actor: &Actor) -> Result<Option<String>> {
        permit(actor, Command::ManageAccounts, None)?;
        let (mut write, people) = self.change_people(actor).await?;
        if !administrators(&people).is_empty() {
            return Ok(None);
        }
        let (secret, _) = self.new_link(&mut write, None).await?;
        self.keep(write, actor).await?;
        Ok(Some(self.address_of(&secret)))
    }

    /// A new link by which the person of an account sets a password; the present one works until then.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::NotFound`], [`Code::Database`].
    pub async fn invite(&self, actor: &Actor, account: Uuid) -> Result<Invited> {
        permit(actor, Command::ManageAccounts, None)?;
        let (mut write, people) = self.change_people(actor).await?;
        let account = account_of(&people, account)?.clone();
        let (secret, expires) = self.new_link(&mut write, Some(account.uuid)).await?;
        self.keep(write, actor).await?;
        Ok(self.invited(account, &secret, expires))
    }

    /// Where a link leads; following it uses nothing up.
    ///
    /// # Errors
    /// [`Code::Expired`] when it leads nowhere any more, or never did.
    pub async fn link_for(&self, secret: &Secret) -> Result<LinkFor> {
        self.leads(self.store.link(secret.digest()).await?)
    }

    /// Sets the password of the account that a link leads to, and signs it out everywhere. Where nobody signs in by a
    /// password, the link itself opens a session: it is the operator's way in when the providers have none.
    ///
    /// # Errors
    /// [`Code::Expired`], [`Code::Database`].
    pub async fn use_link(&self, secret: &Secret, password: &Password) -> Result<Option<SignedIn>> {
        let LinkFor::Account(account) = self.link_for(secret).await? else { return Err(leads_nowhere()) };
        let stored = self.doorkeeper.hasher.hash(password, self.dice()).await?;
        let mut write = self.store.write(&format!("account:{account}"), self.clock.now()).await?;
        // Once more under the lock: of two who use it at once, one does.
        if self.leads(write.link(secret.digest()).await?)? != LinkFor::Account(account) {
            return Err(leads_nowhere());
        }
        write.set_password(account, &stored).await?;
        write.end_sessions(account).await?;
        self.enter(write, account).await
    }

    /// Commits a write by which a link was used, and lets its person in where no password does.
    async fn enter(&self, mut write: Write, account: Uuid) -> Result<Option<SignedIn>> {
        let signed_in = match self.signs_in_locally() || write.active_account(account).await?.is_none() {
            true => None,
            false => Some(self.open_session(&mut write, account, None).await?),
        };
        self.commit(write).await?;
        Ok(signed_in)
    }

    /// Creates the first administrator by a link; lets them in as [`Registry::use_link`] does.
    ///
    /// # Errors
    /// [`Code::Expired`], also when there is an administrator by now; [`Code::Exists`], [`Code::Database`].
    pub async fn use_first_link(
        &self,
        secret: &Secret,
        name: Name,
        mail: Mail,
        password: &Password,
    ) -> Result<Option<SignedIn>> {
        if self.link_for(secret).await? != LinkFor::FirstAdministrator {
            return Err(leads_nowhere());
        }
        let stored = self.doorkeeper.hasher.hash(password, self.dice()).await?;
        let account = Account { uuid: new_uuid(self.dice())?, name, mail, organisation: None, active: true };
        let mut write = self.store.write(&format!("account:{}", account.uuid), self.clock.now()).await?;
        let people = write.people().await?;
        let leads = self.leads(write.link(secret.digest()).await?)?;
        if leads != LinkFor::FirstAdministrator || !administrators(&people).is_empty() {
            return Err(leads_nowhere());
        }
        lawful(&account, &people)?;
        write.put_account(ChangeKind::AccountCreated, &account).await?;
        write.set_password(account.uuid, &stored).await?;
        let to = Grantee::Account(account.uuid);
        write.give(&Grant::new(new_uuid(self.dice())?, to, Role::Administrator, None)?).await?;
        write.drop_links(None).await?;
        self.enter(write, account.uuid).await
    }

    /// Makes a link within a write.
    pub(super) async fn new_link(&self, write: &mut Write, account: Option<Uuid>) -> Result<(Secret, Instant)> {
        let secret = Secret::new(self.dice(), "")?;
        let expires = Instant::from_micros(self.clock.now().micros().saturating_add(HOURS * 3_600_000_000));
        write.make_link(account, secret.digest(), expires).await?;
        Ok((secret, expires))
    }

    pub(super) fn invited(&self, account: Account, secret: &Secret, expires: Instant) -> Invited {
        Invited { account, link: self.address_of(secret), expires }
    }

    fn address_of(&self, secret: &Secret) -> String {
        format!("{}/setup?key={}", self.settings.public_url, secret.expose())
    }

    fn leads(&self, found: Option<(Option<Uuid>, Instant)>) -> Result<LinkFor> {
        match found {
            Some((account, expires)) if expires > self.clock.now() => {
                Ok(account.map_or(LinkFor::FirstAdministrator, LinkFor::Account))
            }
            _ => Err(leads_nowhere()),
        }
    }
}

fn leads_nowhere() -> Refusal {
    Refusal::new(
        Code::Expired,
        "linket er brugt eller udløbet; bed om et nyt",
        "the link has been used or has run out; ask for a new one",
    )
}
