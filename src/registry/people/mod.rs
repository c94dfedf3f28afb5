//! People: who there is, what they were given, how they are recognised. Every command asks `permit` first, and
//! none leaves the registry without an administrator.

mod given;
mod links;
mod manage;
mod password;
mod sessions;
mod throttle;
mod tokens;

use std::sync::Arc;

use uuid::Uuid;

pub use given::{GiveRequest, GrantAnswer};
pub use links::{Invited, LinkFor};
pub use manage::{AccountChange, AccountRequest, GroupChange, GroupRequest, OrganisationChange};
pub use sessions::{Me, SessionAnswer, SignedIn};
pub use tokens::{MadeToken, TokenAnswer, TokenRequest};

use self::password::Hasher;
use self::throttle::Throttle;
use super::Registry;
use super::permission::{Actor, By, Caller, Held, not_signed_in};
use crate::model::{Code, Dice, NoDice, Place, Refusal, Result, Role, Slug, Vocabulary};
use crate::store::{People, Write};

/// What the registry needs to recognise people.
pub struct Doorkeeper {
    dice: Arc<dyn Dice>,
    hasher: Hasher,
    throttle: Throttle,
    /// Strangers who want to be heard.
    strangers: Throttle,
}

impl Default for Doorkeeper {
    fn default() -> Self {
        Self {
            dice: Arc::new(NoDice),
            hasher: Hasher::default(),
            throttle: Throttle::default(),
            strangers: Throttle::default(),
        }
    }
}

impl Registry {
    /// The same registry with a source of secrets. Without one, nobody can sign in and no token is made.
    #[must_use]
    pub fn with_dice(mut self, dice: Arc<dyn Dice>) -> Self {
        self.doorkeeper.dice = dice;
        self
    }

    /// Where secrets come from.
    pub(crate) fn dice(&self) -> &dyn Dice {
        &*self.doorkeeper.dice
    }

    /// Counts what somebody without an account asks for: by mail address and by where it comes from.
    pub(super) fn count_stranger(&self, mail: &str, peer: &str) -> Result<()> {
        self.doorkeeper.strangers.begin(self.clock.now(), mail, peer).map_err(|refusal| {
            let (da, en) = ("for mange henvendelser; prøv igen senere", "too many requests; try again later");
            let wait = refusal.retry_after.unwrap_or(1);
            Refusal::new(refusal.code, da, en).retry_after(wait)
        })
    }

    /// Begins to change something about people.
    async fn change_people(&self, actor: &Actor) -> Result<(Write, People)> {
        let mut write = self.store.write(&actor.name(), self.clock.now()).await?;
        self.still(actor).await?;
        let people = write.people().await?;
        Ok((write, people))
    }

    /// Refuses an actor who is no longer who it was when it was recognised. Asked while this writer holds the lock: a
    /// request may have waited for its turn while its account, session, token or rights were taken.
    ///
    /// # Errors
    /// [`Code::NotSignedIn`]; [`Code::Busy`] when its rights are others by now, so that it asks anew.
    pub(super) async fn still(&self, actor: &Actor) -> Result<()> {
        let Actor::Account(caller) = actor else { return Ok(()) };
        let now = self.clock.now();
        let recognised = match &caller.by {
            By::Session(session) => {
                let sessions = self.store.sessions(caller.account).await?;
                sessions.iter().any(|s| s.uuid == *session && s.expires > now)
            }
            By::Token(token, _) => {
                let people = self.store.people().await?;
                people.tokens.iter().any(|t| t.uuid == *token && t.account == caller.account && t.expires > now)
            }
        };
        if !recognised {
            return Err(not_signed_in());
        }
        if self.caller(caller.account, caller.by.clone()).await? != *actor {
            return Err(Refusal::new(
                Code::Busy,
                "dine rettigheder er blevet ændret imens; prøv igen",
                "your rights have been changed meanwhile; try again",
            ));
        }
        Ok(())
    }

    /// Commits what was changed about people, unless nobody could administer the registry any more. The operator
    /// may do that: the next start hands out a link to a first administrator again.
    async fn keep(&self, mut write: Write, actor: &Actor) -> Result<()> {
        if matches!(actor, Actor::Account(_)) && administrators(&write.people().await?).is_empty() {
            return Err(Refusal::new(
                Code::LastAdministrator,
                "så ville ingen kunne administrere registret",
                "nobody would be left who can administer the registry",
            ));
        }
        // Where somebody administers, no link makes a first administrator any more.
        if !administrators(&write.people().await?).is_empty() {
            write.drop_links(None).await?;
        }
        write.commit().await?;
        self.follower.catch_up().await.map(drop)
    }

    /// An account as the one that asks, with what it has been given now; nothing when it is not active.
    async fn caller(&self, account: Uuid, by: By) -> Result<Actor> {
        let Some(found) = self.store.active_account(account).await? else { return Err(not_signed_in()) };
        let held = self.store.held(found.uuid).await?;
        let held = held.into_iter().map(|(role, vocabulary)| Held { role, vocabulary }).collect();
        Ok(Actor::Account(Caller { account, held, by }))
    }

    /// The vocabulary of a slug, for a grant or a scope.
    fn vocabulary_of(&self, slug: &Slug) -> Result<Arc<Vocabulary>> {
        let plane = self.snapshot().by_slug(slug.as_str()).map(|p| p.vocabulary().clone());
        plane.ok_or_else(|| super::query::unknown_vocabulary(slug.as_str()).at(Place::field("vocabulary")))
    }

    /// What a vocabulary is called in answers.
    fn slug_of(&self, vocabulary: Uuid) -> String {
        let snapshot = self.snapshot();
        snapshot.by_uuid(vocabulary).map_or_else(|| vocabulary.to_string(), |p| p.vocabulary().slug().to_string())
    }
}

/// The active accounts that administer, by themselves or by an active group.
fn administrators(people: &People) -> Vec<Uuid> {
    let works = |organisation: Option<Uuid>| {
        organisation.is_none_or(|o| people.organisations.iter().any(|x| x.uuid == o && x.active))
    };
    let administers = |account: Uuid| {
        people.grants.iter().filter(|g| g.role() == Role::Administrator).any(|g| match g.to() {
            crate::model::Grantee::Account(to) => to == account,
            crate::model::Grantee::Group(to) => {
                people.groups.iter().any(|x| x.uuid == to && x.active && x.members.contains(&account))
            }
        })
    };
    let active = people.accounts.iter().filter(|a| a.active && works(a.organisation));
    active.map(|a| a.uuid).filter(|a| administers(*a)).collect()
}

/// The refusal for what is not there.
fn missing(what: &str, uuid: Uuid) -> Refusal {
    Refusal::new(Code::NotFound, format!("der er ingen {uuid}"), format!("there is no {uuid}")).at(Place::field(what))
}
