//! Who accounts are at the providers, and undoing that.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::Registry;
use super::super::permission::{Actor, By, permit};
use super::manage::account_of;
use super::missing;
use crate::model::{Code, Command, ForeignIdentity, Refusal, Result};

/// Who an account is at a provider.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct IdentityAnswer {
    /// The link itself.
    pub uuid: Uuid,
    /// The account.
    pub account: Uuid,
    /// The short name of the provider; absent when none of that issuer is set up any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Its issuer.
    pub issuer: String,
    /// Who the account is there.
    pub subject: String,
}

impl Registry {
    /// Who an account is at the providers: one's own when none is named.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::NotFound`], [`Code::Database`].
    pub async fn identities(&self, actor: &Actor, account: Option<Uuid>) -> Result<Vec<IdentityAnswer>> {
        let account = whose(actor, account)?;
        let people = self.store.people().await?;
        account_of(&people, account)?;
        let own = people.identities.iter().filter(|i| i.account == account);
        Ok(own.map(|i| self.identity_answer(i)).collect())
    }

    /// Undoes the link of an account to somebody at a provider: of one's own when none is named. Sessions end but the
    /// one that asks, since they may be of the one who is somebody else now.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::NotFound`]; [`Code::LastWayIn`] for one's own, [`Code::LastAdministrator`],
    /// [`Code::Database`].
    pub async fn unlink_identity(&self, actor: &Actor, account: Option<Uuid>, identity: Uuid) -> Result<()> {
        let own = account.is_none();
        let account = whose(actor, account)?;
        let (mut write, people) = self.change_people(actor).await?;
        let found = people.identities.iter().find(|i| i.uuid == identity && i.account == account);
        write.unlink(found.ok_or_else(|| missing("identity", identity))?).await?;
        let left = write.people().await?;
        let way_in = match self.signs_in_locally() {
            true => left.ways_in.contains(&account),
            false => left.identities.iter().any(|i| i.account == account),
        };
        if own && !way_in {
            return Err(Refusal::new(
                Code::LastWayIn,
                "så kunne du ikke logge ind mere; sæt først en adgangskode, eller bed en administrator om et link",
                "you could not sign in any more; set a password first, or ask an administrator for a link",
            ));
        }
        match actor.account().map(|caller| &caller.by) {
            Ok(By::Session(this)) if own => write.end_sessions_but(account, *this).await?,
            _ => write.end_sessions(account).await?,
        }
        self.keep(write, actor).await
    }

    fn identity_answer(&self, identity: &ForeignIdentity) -> IdentityAnswer {
        let ForeignIdentity { uuid, issuer, subject, account } = identity.clone();
        let provider = self.providers().find(|p| p.issuer == issuer).map(|p| p.name.to_string());
        IdentityAnswer { uuid, account, provider, issuer, subject }
    }
}

/// The account that is meant, for one who may look into it.
fn whose(actor: &Actor, account: Option<Uuid>) -> Result<Uuid> {
    match account {
        Some(account) => permit(actor, Command::ManageAccounts, None).map(|()| account),
        None => {
            permit(actor, Command::OwnAccount, None)?;
            Ok(actor.account()?.account)
        }
    }
}
