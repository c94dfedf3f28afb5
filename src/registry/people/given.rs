//! Grants: roles that are given and taken.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::Registry;
use super::super::permission::{Actor, permit};
use super::manage::account_of;
use super::missing;
use crate::model::{Code, Command, Grant, Grantee, Refusal, Result, Role, Slug, new_uuid};

/// A role to give.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveRequest {
    /// The account; this or `group`.
    #[serde(default)]
    pub account: Option<Uuid>,
    /// The group; this or `account`.
    #[serde(default)]
    pub group: Option<Uuid>,
    /// The role.
    pub role: Role,
    /// The slug of the one vocabulary; all when absent.
    #[serde(default)]
    pub vocabulary: Option<Slug>,
}

/// A role that somebody has.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct GrantAnswer {
    /// The grant itself.
    pub uuid: Uuid,
    /// The account, or the group.
    #[serde(flatten)]
    pub to: Grantee,
    /// The role.
    pub role: Role,
    /// The slug of the one vocabulary; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vocabulary: Option<String>,
    /// The sign-in provider whose claims gave it, and take it; given by hand when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

impl Registry {
    /// Every grant.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::Database`].
    pub async fn grants(&self, actor: &Actor) -> Result<Vec<GrantAnswer>> {
        Ok(self.people(actor).await?.grants.iter().map(|g| self.grant_answer(g)).collect())
    }

    /// Gives a role. Given twice, it is there once.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::NotFound`], [`Code::UnknownVocabulary`], [`Code::Unlawful`],
    /// [`Code::Database`].
    pub async fn give(&self, actor: &Actor, request: GiveRequest) -> Result<GrantAnswer> {
        permit(actor, Command::Grant, None)?;
        let to = match (request.account, request.group) {
            (Some(account), None) => Grantee::Account(account),
            (None, Some(group)) => Grantee::Group(group),
            _ => {
                let (da, en) = ("angiv en konto eller en gruppe", "give an account or a group");
                return Err(Refusal::new(Code::InvalidBody, da, en).allowed(["account", "group"]));
            }
        };
        let vocabulary = request.vocabulary.map(|slug| self.vocabulary_of(&slug)).transpose()?;
        let grant = Grant::new(new_uuid(self.dice())?, to, request.role, vocabulary.map(|v| v.uuid()))?;
        let (mut write, people) = self.change_people(actor).await?;
        match to {
            Grantee::Account(account) => drop(account_of(&people, account)?),
            Grantee::Group(group) if people.groups.iter().all(|g| g.uuid != group) => {
                return Err(missing("group", group));
            }
            Grantee::Group(_) => {}
        }
        // One that a provider gave is another: its claims may take it again.
        let same = |g: &&Grant| {
            g.origin().is_none() && (g.to(), g.role(), g.vocabulary()) == (to, grant.role(), grant.vocabulary())
        };
        if let Some(there) = people.grants.iter().find(same) {
            return Ok(self.grant_answer(there));
        }
        write.give(&grant).await?;
        self.keep(write, actor).await?;
        Ok(self.grant_answer(&grant))
    }

    /// Takes a role back.
    ///
    /// # Errors
    /// What `permit` refuses; [`Code::NotFound`], [`Code::LastAdministrator`], [`Code::Database`].
    pub async fn take(&self, actor: &Actor, grant: Uuid) -> Result<()> {
        permit(actor, Command::Grant, None)?;
        let (mut write, people) = self.change_people(actor).await?;
        let found = people.grants.iter().find(|g| g.uuid() == grant).ok_or_else(|| missing("grant", grant))?;
        write.take_back(found).await?;
        self.keep(write, actor).await
    }

    fn grant_answer(&self, grant: &Grant) -> GrantAnswer {
        let vocabulary = grant.vocabulary().map(|v| self.slug_of(v));
        let origin = grant.origin().map(ToString::to_string);
        GrantAnswer { uuid: grant.uuid(), to: grant.to(), role: grant.role(), vocabulary, origin }
    }
}
