//! Tokens, and what they may be used for.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Command, Name};
use crate::model::refusal::{Code, Place, Refusal, Result};
use crate::model::time::Instant;

/// What a token may do of what its account may do. Never empty: a token that may do nothing is a mistake.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Wanted")]
pub struct Scope {
    /// The commands.
    commands: BTreeSet<Command>,
    /// The vocabularies; all that the account has when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    vocabularies: Option<BTreeSet<Uuid>>,
}

#[derive(Deserialize)]
struct Wanted {
    commands: BTreeSet<Command>,
    #[serde(default)]
    vocabularies: Option<BTreeSet<Uuid>>,
}

impl TryFrom<Wanted> for Scope {
    type Error = Refusal;
    fn try_from(wanted: Wanted) -> Result<Self> {
        Self::new(wanted.commands, wanted.vocabularies)
    }
}

impl Scope {
    /// Some commands, in some vocabularies or in all.
    ///
    /// # Errors
    /// [`Code::Unlawful`] when there are no commands, or a list of no vocabularies.
    pub fn new(commands: BTreeSet<Command>, vocabularies: Option<BTreeSet<Uuid>>) -> Result<Self> {
        let field = match (commands.is_empty(), &vocabularies) {
            (true, _) => "commands",
            (_, Some(none)) if none.is_empty() => "vocabularies",
            _ => return Ok(Self { commands, vocabularies }),
        };
        let (da, en) = ("et token, der ikke må noget, laves ikke", "a token that may do nothing is not made");
        Err(Refusal::new(Code::Unlawful, da, en).at(Place::field(field)))
    }

    /// The commands.
    #[must_use]
    pub fn commands(&self) -> &BTreeSet<Command> {
        &self.commands
    }

    /// The vocabularies; `None` for all that the account has.
    #[must_use]
    pub fn vocabularies(&self) -> Option<&BTreeSet<Uuid>> {
        self.vocabularies.as_ref()
    }
}

/// A token, without its secret: that was shown once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Token {
    /// The token itself.
    pub uuid: Uuid,
    /// Whose it is.
    pub account: Uuid,
    /// What its owner calls it.
    pub name: Name,
    /// What it may do.
    pub scope: Scope,
    /// When it was made.
    #[schema(value_type = String)]
    pub created: Instant,
    /// From when it is worth nothing.
    #[schema(value_type = String)]
    pub expires: Instant,
}
