//! People: who there is, what they were given, how they are recognised. Every command asks `permit` first, and
//! none leaves the registry without an administrator.

mod given;
mod identities;
mod links;
mod manage;
mod password;
mod provided;
mod sessions;
mod throttle;
mod tokens;

use std::sync::Arc;

use uuid::Uuid;

pub use given::{GiveRequest, GrantAnswer};
pub use identities::IdentityAnswer;
pub use links::{Invited, LinkFor};
pub use manage::{AccountChange, AccountRequest, GroupChange, GroupRequest, OrganisationChange};
pub use provided::{Arrived, CameBack, Leaving};
pub use sessions::{Door, Me, MeAnswer, SessionAnswer, SignedIn};
pub use tokens::{MadeToken, TokenAnswer, TokenRequest};

use self::password::Hasher;
use self::throttle::Throttle;
use super::Registry;
use super::permission::{Actor, By, Caller, Held, not_signed_in};
use crate::model::{Code, Dice, NoDice, Place, Refusal, Result, Role, Slug, Vocabulary};
use crate::oidc::Provider;
use crate::store::{People, Write};

/// What the registry needs to recognise people.
pub struct Doorkeeper {
    dice: Arc<dyn Dice>,
    hasher: Hasher,
    throttle: Throttle,
    providers: Vec<Provider>,
    /// Of those without an account who send something in.
    strangers: Throttle,
    /// Of those who set out for a provider.
    leaving: Throttle,
    /// Whether people sign in by mail address and password.
    local: bool,
}

impl Default for Doorkeeper {
    fn default() -> Self {
        let (throttle, strangers, leaving) = Default::default();
        let (hasher, providers) = Default::default();
        Self { dice: Arc::new(NoDice), hasher, throttle, providers, strangers, leaving, local: true }
    }
}

impl Registry {
    /// The same registry with a source of secrets. Without one, nobody can sign in and no token is made.
    #[must_use]
    pub fn with_dice(mut self, dice: Arc<dyn Dice>) -> Self {
        self.doorkeeper.dice = dice;
        self
    }

    /// The same registry, where nobody signs in by a password: its providers tell who people are. A link that the
    /// operator hands out lets its person in, once.
    #[must_use]
    pub fn without_local_sign_in(mut self) -> Self {
        self.doorkeeper.local = false;
        self
    }

    /// Whether people sign in by mail address and password.
    #[must_use]
    pub fn signs_in_locally(&self) -> bool {
        self.doorkeeper.local
    }

    /// Where secrets come from.
    pub(crate) fn dice(&self) -> &dyn Dice {
        &*self.doorkeeper.dice
    }

    /// Slows down those without an account who send something in, by mail address and by where they are.
    pub(super) fn slow_down(&self, mail: &str, peer: &str) -> Result<()> {
        self.doorkeeper.strangers.begin(self.clock.now(), mail, peer).map_err(|r| Refusal {
            da: "der er sendt for meget ind; prøv igen senere".into(),
            en: "too much was sent in; try again later".into(),
            ..r
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
                let there = self.store.token_named(*token).await?;
                there.is_some_and(|t| t.account == caller.account && t.expires > now)
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
        let administered = !administrators(&write.people().await?).is_empty();
        if matches!(actor, Actor::Account(_)) && !administered {
            return Err(Refusal::new(
                Code::LastAdministrator,
                "så ville ingen kunne administrere registret",
                "nobody would be left who can administer the registry",
            ));
        }
        // Where somebody administers, no link makes a first administrator any more.
        if administered {
            write.drop_links(None).await?;
        }
        self.commit(write).await.map(drop)
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

/// The accounts that administer, by themselves or by an active group, and can get in to do so.
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
    active.map(|a| a.uuid).filter(|a| people.ways_in.contains(a) && administers(*a)).collect()
}

/// The refusal for what is not there.
fn missing(what: &str, uuid: Uuid) -> Refusal {
    Refusal::new(Code::NotFound, format!("der er ingen {uuid}"), format!("there is no {uuid}")).at(Place::field(what))
}
