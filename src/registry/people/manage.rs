//! Organisations, accounts and groups.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::Registry;
use super::super::permission::{Actor, permit};
use super::{Invited, missing};
use crate::model::{
    Account, ChangeKind, Code, Command, Grantee, Group, GroupKind, Mail, Name, Organisation, Password, Place, Refusal,
    Result, new_uuid,
};
use crate::store::People;

/// What to change of an organisation; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganisationChange {
    /// What it is called.
    pub name: Option<Name>,
    /// Whether its accounts may sign in.
    pub active: Option<bool>,
}

/// An account to create.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountRequest {
    /// What the person is called.
    pub name: Name,
    /// What the account signs in with.
    pub mail: Mail,
    /// Where the person works.
    #[serde(default)]
    pub organisation: Option<Uuid>,
}

/// What to change of an account; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    /// What the person is called.
    pub name: Option<Name>,
    /// What the account signs in with.
    pub mail: Option<Mail>,
    /// Where the person works; `null` for nowhere.
    #[serde(default, deserialize_with = "said")]
    pub organisation: Option<Option<Uuid>>,
    /// Whether it may sign in. One that is deactivated is signed out, and its tokens are revoked.
    pub active: Option<bool>,
}

/// Tells what is `null` from what is absent.
fn said<'de, D: Deserializer<'de>>(reader: D) -> std::result::Result<Option<Option<Uuid>>, D::Error> {
    Option::deserialize(reader).map(Some)
}

/// A group to form.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupRequest {
    /// What it is called.
    pub name: Name,
    /// What it is.
    pub kind: GroupKind,
    /// The accounts in it.
    #[serde(default)]
    pub members: BTreeSet<Uuid>,
}

/// What to change of a group; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupChange {
    /// What it is called.
    pub name: Option<Name>,
    /// The accounts in it, all of them.
    pub members: Option<BTreeSet<Uuid>>,
    /// Whether its members have the roles that it was given.
    pub active: Option<bool>,
}

impl Registry {
    /// All that is known of people, without secrets.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::Database`].
    pub async fn people(&self, actor: &Actor) -> Result<People> {
        permit(actor, Command::ReadPeople, None)?;
        self.store.people().await
    }

    /// Makes an organisation known.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::Database`].
    pub async fn create_organisation(&self, actor: &Actor, name: Name) -> Result<Organisation> {
        permit(actor, Command::ManageOrganisations, None)?;
        let organisation = Organisation { uuid: new_uuid(self.dice())?, name, active: true };
        let (mut write, _) = self.change_people(actor).await?;
        write.put_organisation(ChangeKind::OrganisationCreated, &organisation).await?;
        self.keep(write, actor).await?;
        Ok(organisation)
    }

    /// Changes an organisation.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::NotFound`], [`Code::LastAdministrator`], [`Code::Database`].
    pub async fn change_organisation(
        &self,
        actor: &Actor,
        uuid: Uuid,
        change: OrganisationChange,
    ) -> Result<Organisation> {
        permit(actor, Command::ManageOrganisations, None)?;
        let (mut write, people) = self.change_people(actor).await?;
        let old = people.organisations.into_iter().find(|o| o.uuid == uuid);
        let old = old.ok_or_else(|| missing("organisation", uuid))?;
        let new = Organisation {
            uuid,
            name: change.name.unwrap_or_else(|| old.name.clone()),
            active: change.active.unwrap_or(old.active),
        };
        if new != old {
            write.put_organisation(ChangeKind::OrganisationChanged, &new).await?;
            self.keep(write, actor).await?;
        }
        Ok(new)
    }

    /// Creates an account; the answer has the link by which its person sets a password. Nobody else knows it.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::Exists`] when the mail address is taken; [`Code::Database`].
    pub async fn create_account(&self, actor: &Actor, request: AccountRequest) -> Result<Invited> {
        permit(actor, Command::ManageAccounts, None)?;
        let AccountRequest { name, mail, organisation } = request;
        let account = Account { uuid: new_uuid(self.dice())?, name, mail, organisation, active: true };
        let (mut write, people) = self.change_people(actor).await?;
        lawful(&account, &people)?;
        write.put_account(ChangeKind::AccountCreated, &account).await?;
        let (secret, expires) = self.new_link(&mut write, Some(account.uuid)).await?;
        self.keep(write, actor).await?;
        Ok(self.invited(account, &secret, expires))
    }

    /// Changes an account. One that is deactivated is signed out everywhere, and its tokens are revoked: what it was
    /// given stays, and it begins with new secrets when it is activated again.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::NotFound`], [`Code::Exists`], [`Code::LastAdministrator`],
    /// [`Code::Database`].
    pub async fn change_account(&self, actor: &Actor, uuid: Uuid, change: AccountChange) -> Result<Account> {
        permit(actor, Command::ManageAccounts, None)?;
        let (mut write, people) = self.change_people(actor).await?;
        let old = account_of(&people, uuid)?.clone();
        let new = Account {
            uuid,
            name: change.name.unwrap_or_else(|| old.name.clone()),
            mail: change.mail.unwrap_or_else(|| old.mail.clone()),
            organisation: change.organisation.unwrap_or(old.organisation),
            active: change.active.unwrap_or(old.active),
        };
        if new == old {
            return Ok(new);
        }
        lawful(&new, &people)?;
        write.put_account(ChangeKind::AccountChanged, &new).await?;
        if new.organisation != old.organisation {
            self.pause_those_of_left_sets(&mut write, uuid, new.organisation).await?;
        }
        if !new.active {
            write.end_sessions(uuid).await?;
            write.drop_links(Some(uuid)).await?;
            for token in people.tokens.iter().filter(|t| t.account == uuid) {
                write.revoke_token(token.uuid).await?;
            }
        }
        self.keep(write, actor).await?;
        Ok(new)
    }

    /// Erases what is known of an account's person, takes its grants and revokes its tokens. What the account did
    /// stays in the log, under its uuid alone.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::NotFound`], [`Code::LastAdministrator`], [`Code::Database`].
    pub async fn erase_account(&self, actor: &Actor, uuid: Uuid) -> Result<()> {
        permit(actor, Command::ManageAccounts, None)?;
        let (mut write, people) = self.change_people(actor).await?;
        account_of(&people, uuid)?;
        for grant in people.grants.iter().filter(|g| g.to() == Grantee::Account(uuid)) {
            write.take_back(grant).await?;
        }
        for token in people.tokens.iter().filter(|t| t.account == uuid) {
            write.revoke_token(token.uuid).await?;
        }
        for identity in people.identities.iter().filter(|i| i.account == uuid) {
            write.unlink(identity).await?;
        }
        for mut group in people.groups.into_iter().filter(|g| g.members.contains(&uuid)) {
            group.members.remove(&uuid);
            write.put_group(ChangeKind::GroupChanged, &group).await?;
        }
        self.end_subscriptions_of(&mut write, uuid).await?;
        self.end_usages_of(&mut write, uuid).await?;
        write.erase_account(uuid).await?;
        self.keep(write, actor).await
    }

    /// Sets the password of an account, and signs it out everywhere: for the operator, who has no other way in.
    ///
    /// # Errors
    /// [`Code::NotAllowed`] for everyone else; [`Code::NotFound`], [`Code::Database`].
    pub async fn set_password(&self, actor: &Actor, uuid: Uuid, password: &Password) -> Result<()> {
        permit(actor, Command::ManageAccounts, None)?;
        if !matches!(actor, Actor::Operator(_)) {
            return Err(Refusal::new(
                Code::NotAllowed,
                "en adgangskode sættes af den, hvis konto det er; giv vedkommende et link",
                "a password is set by the person whose account it is; hand out a link",
            ));
        }
        let stored = self.doorkeeper.hasher.hash(password, self.dice()).await?;
        let (mut write, people) = self.change_people(actor).await?;
        account_of(&people, uuid)?;
        write.set_password(uuid, &stored).await?;
        write.end_sessions(uuid).await?;
        self.keep(write, actor).await
    }

    /// Forms a group.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::NotFound`] for a member; [`Code::Database`].
    pub async fn create_group(&self, actor: &Actor, request: GroupRequest) -> Result<Group> {
        permit(actor, Command::ManageGroups, None)?;
        let GroupRequest { name, kind, members } = request;
        let group = Group { uuid: new_uuid(self.dice())?, name, kind, members, active: true };
        let (mut write, people) = self.change_people(actor).await?;
        group.members.iter().try_for_each(|m| account_of(&people, *m).map(drop))?;
        write.put_group(ChangeKind::GroupCreated, &group).await?;
        self.keep(write, actor).await?;
        Ok(group)
    }

    /// Changes a group, or who is in it.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::NotFound`], [`Code::LastAdministrator`], [`Code::Database`].
    pub async fn change_group(&self, actor: &Actor, uuid: Uuid, change: GroupChange) -> Result<Group> {
        permit(actor, Command::ManageGroups, None)?;
        let (mut write, people) = self.change_people(actor).await?;
        let old = people.groups.iter().find(|g| g.uuid == uuid).ok_or_else(|| missing("group", uuid))?;
        let new = Group {
            uuid,
            name: change.name.unwrap_or_else(|| old.name.clone()),
            kind: old.kind,
            members: change.members.unwrap_or_else(|| old.members.clone()),
            active: change.active.unwrap_or(old.active),
        };
        if new != *old {
            new.members.iter().try_for_each(|m| account_of(&people, *m).map(drop))?;
            write.put_group(ChangeKind::GroupChanged, &new).await?;
            self.keep(write, actor).await?;
        }
        Ok(new)
    }
}

/// An account that there is.
pub(super) fn account_of(people: &People, uuid: Uuid) -> Result<&Account> {
    people.accounts.iter().find(|a| a.uuid == uuid).ok_or_else(|| missing("account", uuid))
}

/// Whether an account may stand beside the others: its mail address is its own, and its organisation exists.
pub(super) fn lawful(account: &Account, people: &People) -> Result<()> {
    if people.accounts.iter().any(|a| a.mail == account.mail && a.uuid != account.uuid) {
        let (da, en) = ("en anden konto har den mailadresse", "another account has that mail address");
        return Err(Refusal::new(Code::Exists, da, en).at(Place::field("mail")));
    }
    match account.organisation {
        Some(o) if people.organisations.iter().all(|x| x.uuid != o) => Err(missing("organisation", o)),
        _ => Ok(()),
    }
}
