//! Who may do what: the one place where it is decided, below every door. The decisions themselves are data, in
//! [`table`].

mod guest;
mod table;

use uuid::Uuid;

pub use self::guest::{Guest, Visitor, permit_answer};
pub use self::table::{About, RIGHTS, Right, right_to, rights_table};
pub use crate::model::Command;
use crate::model::{Code, Governance, Place, Refusal, Result, Role, Scope, Vocabulary};
use crate::workflow::Phase;

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Actor {
    /// Someone who holds the database itself: the command line, and what `serve` does by itself.
    Operator(String),
    /// An account, signed in or by a token.
    Account(Caller),
    /// Anyone at a public door.
    Public,
}

/// An account that asks, with what it has been given at that moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// The account.
    pub account: Uuid,
    /// The roles, its own and those of its groups, each in one vocabulary or in all.
    pub held: Vec<Held>,
    /// How it was recognised.
    pub by: By,
}

/// A role that an account has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Held {
    /// The role.
    pub role: Role,
    /// The one vocabulary; all when `None`.
    pub vocabulary: Option<Uuid>,
}

/// How an account was recognised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum By {
    /// By a session: a person who signed in.
    Session(Uuid),
    /// By a token, which may do no more than its scope.
    Token(Uuid, Scope),
}

impl Actor {
    /// The name that stands in the change log: of an account its uuid, never who that is.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Operator(name) => format!("operator:{name}"),
            Self::Account(caller) => format!("account:{}", caller.account),
            Self::Public => "public".into(),
        }
    }

    /// The account that asks.
    ///
    /// # Errors
    /// [`Code::NotSignedIn`] when it is none.
    pub fn account(&self) -> Result<&Caller> {
        match self {
            Self::Account(caller) => Ok(caller),
            _ => Err(not_signed_in()),
        }
    }
}

/// Whether an actor may give a command, on a vocabulary when it is about one that exists.
///
/// # Errors
/// [`Code::NotSignedIn`], [`Code::NotAllowed`] with what would be needed, [`Code::Governance`].
pub fn permit(actor: &Actor, command: Command, vocabulary: Option<&Vocabulary>) -> Result<()> {
    let right = right_to(command).ok_or_else(|| forbidden(command, &[]))?;
    match actor {
        Actor::Public => return Err(not_signed_in()),
        Actor::Operator(_) if right.about == About::Oneself => return Err(not_signed_in()),
        Actor::Operator(_) => {}
        Actor::Account(caller) => {
            let vocabulary = vocabulary.map(Vocabulary::uuid);
            if !holds(right, &caller.held, vocabulary) {
                return Err(forbidden(command, right.roles));
            }
            if let By::Token(_, scope) = &caller.by
                && !carries(right, scope, vocabulary)
            {
                return Err(beyond_token(command));
            }
        }
    }
    let governance = vocabulary.map(|v| v.fields().governance);
    match governance {
        Some(mode) if right.undecided && !mode.publishes_without_decision() => Err(Refusal::new(
            Code::Governance,
            "ordforrådet udgives kun efter en beslutning",
            "the vocabulary is published only after a decision",
        )
        .allowed([Governance::Direct, Governance::Mirror].map(|g| format!("{g:?}").to_lowercase()))),
        _ => Ok(()),
    }
}

/// Whether an actor may give a command on a draft that has come so far.
///
/// # Errors
/// As [`permit`]; [`Code::Phase`] with the phases in which it may be done.
pub fn permit_in(actor: &Actor, command: Command, vocabulary: &Vocabulary, phase: Phase) -> Result<()> {
    permit(actor, command, Some(vocabulary))?;
    let phases = right_to(command).map_or(&[][..], |right| right.phases);
    if phases.is_empty() || phases.contains(&phase) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::Phase,
        format!("det kan ikke gøres, når kladden er »{phase}«"),
        format!("this cannot be done while the draft is '{phase}'"),
    )
    .at(Place::field(command.as_str()))
    .allowed(phases.iter().map(|p| p.as_str())))
}

/// Whether the roles of an account suffice.
fn holds(right: &Right, held: &[Held], vocabulary: Option<Uuid>) -> bool {
    let suffices = |h: &Held| match right.about {
        About::Vocabulary => h.vocabulary.is_none() || (h.vocabulary == vocabulary && vocabulary.is_some()),
        About::People | About::Oneself => true,
    };
    right.about == About::Oneself || held.iter().any(|h| right.roles.contains(&h.role) && suffices(h))
}

/// Whether a token carries a command there. A token of some vocabularies is good for nothing else.
fn carries(right: &Right, scope: &Scope, vocabulary: Option<Uuid>) -> bool {
    let there = match scope.vocabularies() {
        None => true,
        Some(some) => right.about == About::Vocabulary && vocabulary.is_some_and(|v| some.contains(&v)),
    };
    right.token && scope.commands().contains(&right.command) && there
}

/// The refusal where it takes an account.
pub fn not_signed_in() -> Refusal {
    Refusal::new(Code::NotSignedIn, "det kræver, at du er logget ind", "this takes an account that is signed in")
}

fn forbidden(command: Command, roles: &[Role]) -> Refusal {
    Refusal::new(Code::NotAllowed, "det har din konto ikke ret til", "your account does not have the right")
        .at(Place::field(command.as_str()))
        .allowed(roles.iter().map(|r| r.as_str()))
}

fn beyond_token(command: Command) -> Refusal {
    Refusal::new(Code::NotAllowed, "det rækker dette token ikke til", "this is beyond this token")
        .at(Place::field(command.as_str()))
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod phases;
