//! Edits: what somebody wants of some concepts, and what comes of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Prose, Stamp, out_of_turn};
use crate::model::{Code, Content, Meaning, Place, Refusal, Relation, RelationKind, Result};

/// The kinds of edit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum EditKind {
    /// A concept that was not there.
    Add,
    /// Other content of a concept.
    Change,
    /// A concept is no longer in force.
    Retire,
    /// One concept instead of another.
    Replace,
    /// Several concepts instead of one.
    Split,
    /// One concept instead of several.
    Merge,
    /// A concept under others.
    Move,
    /// Many concepts at once, from a file.
    Import,
    /// What an earlier edit did is taken back.
    Undo,
    /// The draft was laid over another version.
    Rebase,
}

/// What an edit does to one concept.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Effect {
    /// The concept.
    pub concept: Uuid,
    /// What was said of it before; nothing when it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Arc<Content>>,
    /// What is said of it from then on; nothing when it is not in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Arc<Content>>,
}

/// What led to an edit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Because {
    /// An item of an answer to a hearing.
    Answer {
        /// The hearing.
        hearing: Uuid,
        /// The answer.
        answer: Uuid,
        /// The number of the item in the answer, from 1.
        item: usize,
    },
    /// A change request.
    Request(Uuid),
}

/// An edit: laid down once, never changed.
#[derive(Clone, PartialEq, Debug)]
pub struct Edit {
    /// When, and by whom.
    pub stamp: Stamp,
    /// Of what kind.
    pub kind: EditKind,
    /// Why.
    pub reason: Prose,
    /// What led to it.
    pub because: Option<Because>,
    /// Whether the concepts that it redefines mean something else than in the version below, as its author said.
    pub meaning: Option<Meaning>,
    /// What it did.
    pub effects: Arc<[Effect]>,
    /// The number of the edit that took it back.
    pub undone: Option<usize>,
    /// The number of the edit that it took back.
    pub undoes: Option<usize>,
}

/// What a draft says of a concept.
#[derive(Clone, PartialEq, Debug)]
pub struct Proposal {
    /// What the version below says; nothing when it does not have the concept.
    pub base: Option<Arc<Content>>,
    /// What the draft says; nothing when the concept is not to be in force.
    pub content: Option<Arc<Content>>,
    /// The number of the last edit that touched it.
    pub edit: usize,
}

impl Proposal {
    /// Whether the draft says anything else than the version below.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.base != self.content
    }
}

/// A concept with content: a part of an operation.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    /// The concept.
    pub concept: Uuid,
    /// What is to be said of it.
    pub content: Content,
}

/// What somebody wants done, with targets known.
#[derive(Clone, PartialEq, Debug)]
pub enum Operation {
    /// A new concept.
    Add(Part),
    /// Other content of a concept that is there.
    Change(Part),
    /// Concepts out of force.
    Retire(Vec<Uuid>),
    /// A new concept instead of one that goes.
    Replace {
        /// The one that goes.
        old: Uuid,
        /// The one that comes.
        new: Part,
    },
    /// Several new concepts instead of one that goes.
    Split {
        /// The one that goes.
        old: Uuid,
        /// Those that come.
        into: Vec<Part>,
    },
    /// One concept, new or among those there, instead of several that go.
    Merge {
        /// Those that go.
        old: Vec<Uuid>,
        /// The one that stands for them.
        into: Part,
    },
    /// A concept under others: its generic and partitive relations become these.
    Move {
        /// The concept.
        concept: Uuid,
        /// The relations upwards.
        under: Vec<Relation>,
        /// Its place among its siblings; where it was when absent.
        rank: Option<i64>,
    },
}

impl Operation {
    /// Of what kind it is.
    #[must_use]
    pub fn kind(&self) -> EditKind {
        match self {
            Self::Add(_) => EditKind::Add,
            Self::Change(_) => EditKind::Change,
            Self::Retire(_) => EditKind::Retire,
            Self::Replace { .. } => EditKind::Replace,
            Self::Split { .. } => EditKind::Split,
            Self::Merge { .. } => EditKind::Merge,
            Self::Move { .. } => EditKind::Move,
        }
    }

    /// What it does to each concept; `look` tells what is said of a concept now.
    ///
    /// # Errors
    /// [`Code::Exists`] when a new concept is there already, [`Code::UnknownConcept`] when one that must be there is
    /// not, [`Code::Unlawful`] when it makes no sense. What changes nothing is not refused here: see
    /// [`changes_something`].
    pub fn effects(self, look: impl Fn(Uuid) -> Option<Arc<Content>>) -> Result<Vec<Effect>> {
        let there = |concept: Uuid| look(concept).ok_or_else(|| not_there(concept));
        let gone = |concept: Uuid| Ok(Effect { concept, before: Some(there(concept)?), after: None });
        let new = |part: Part, replaces: &[Uuid]| {
            if look(part.concept).is_some() {
                let uuid = part.concept;
                let (da, en) = (format!("begrebet {uuid} er der allerede"), format!("the concept {uuid} is there"));
                return Err(Refusal::new(Code::Exists, da, en).at(Place::field("concept")));
            }
            let content = Arc::new(replacing(part.content, replaces)?);
            Ok(Effect { concept: part.concept, before: None, after: Some(content) })
        };
        let effects = match self {
            Self::Add(part) => vec![new(part, &[])?],
            Self::Change(part) => {
                let before = Some(there(part.concept)?);
                vec![Effect { concept: part.concept, before, after: Some(Arc::new(part.content)) }]
            }
            Self::Retire(concepts) => concepts.into_iter().map(gone).collect::<Result<_>>()?,
            Self::Replace { old, new: part } => vec![gone(old)?, new(part, &[old])?],
            Self::Split { old, into } => {
                if into.len() < 2 {
                    return Err(unlawful("into", "at dele er at gøre til flere", "to split is to make several"));
                }
                let parts = into.into_iter().map(|part| new(part, &[old]));
                std::iter::once(gone(old)).chain(parts).collect::<Result<_>>()?
            }
            Self::Merge { old, into } => {
                let others: Vec<Uuid> = old.iter().copied().filter(|o| *o != into.concept).collect();
                if others.is_empty() || old.len() < 2 {
                    return Err(unlawful("old", "at sammenlægge kræver flere", "to merge takes several"));
                }
                let mut effects = others.iter().copied().map(gone).collect::<Result<Vec<_>>>()?;
                let content = Arc::new(replacing(into.content, &others)?);
                effects.push(Effect { concept: into.concept, before: look(into.concept), after: Some(content) });
                effects
            }
            Self::Move { concept, under, rank } => {
                let before = there(concept)?;
                let mut fields = (*before).clone().into_fields();
                fields.relations.retain(|r| !upwards(r.kind));
                if under.iter().any(|r| !upwards(r.kind) || r.target == concept) {
                    let (da, en) = ("det er ikke et overbegreb", "that is not a concept above");
                    return Err(unlawful("under", da, en).allowed(["generic", "partitive"]));
                }
                fields.relations.extend(under);
                fields.rank = rank.or(fields.rank);
                vec![Effect { concept, before: Some(before), after: Some(Arc::new(Content::new(fields)?)) }]
            }
        };
        let mut seen = std::collections::HashSet::new();
        if effects.is_empty() || !effects.iter().all(|e| seen.insert(e.concept)) {
            let (da, en) = ("ét begreb er nævnt to gange, eller intet", "one concept is named twice, or none is");
            return Err(unlawful("concept", da, en));
        }
        Ok(effects)
    }
}

/// Refuses effects that change nothing.
///
/// # Errors
/// [`Code::Phase`].
pub fn changes_something(effects: &[Effect]) -> Result<()> {
    if effects.iter().all(|e| e.before == e.after) {
        return Err(out_of_turn("det ændrer ikke noget", "that changes nothing"));
    }
    Ok(())
}

/// Whether a relation goes to a concept above.
fn upwards(kind: RelationKind) -> bool {
    matches!(kind, RelationKind::Generic | RelationKind::Partitive)
}

/// The content with relations to what it replaces.
fn replacing(content: Content, old: &[Uuid]) -> Result<Content> {
    if old.is_empty() {
        return Ok(content);
    }
    let told: Vec<Uuid> = content.targets(RelationKind::Replaces).collect();
    let mut fields = content.into_fields();
    let new = old.iter().filter(|o| !told.contains(o));
    fields.relations.extend(new.map(|o| Relation::plain(RelationKind::Replaces, *o)));
    Content::new(fields)
}

fn unlawful(field: &str, da: &str, en: &str) -> Refusal {
    Refusal::new(Code::Unlawful, da, en).at(Place::field(field))
}

/// The refusal for a concept that a draft does not have.
pub(super) fn not_there(concept: Uuid) -> Refusal {
    let (da, en) = (format!("kladden har ikke begrebet {concept}"), format!("the draft has no concept {concept}"));
    Refusal::new(Code::UnknownConcept, da, en).at(Place::field("concept"))
}
