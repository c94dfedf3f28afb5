//! What publishing an edition would do, concept by concept. Pure: it is given what the registry knows and
//! what a file says.

mod base;
mod content;
mod matching;
mod order;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use self::base::Base;
use super::identity::{Identity, fold};
use crate::exchange::{Incoming, Loss};
use crate::model::{
    Code, ConceptChangeKind, Content, Instant, Manifest, Origin, Period, Refusal, Result, Revision, State, Statement,
    Timeline, Version, VersionHasher, diff,
};

/// What the registry knows of a vocabulary.
#[derive(Default)]
pub struct Known {
    /// Everything said of each concept.
    pub states: HashMap<Uuid, Vec<State<Arc<Content>>>>,
    /// The versions.
    pub versions: Vec<Version>,
}

/// How an entry of a file was found to be a concept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Matched {
    /// The identity file says so.
    Identity,
    /// The file names the uuid.
    Uuid,
    /// Its code is the concept's notation or alias at that time.
    Code,
    /// Its code was the concept's at another time.
    FormerCode,
    /// It was not found: a new concept.
    Created,
}

/// What happens to a concept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It was not in force before.
    New,
    /// It stays as it is.
    Unchanged,
    /// It is changed.
    Changed,
    /// It is no longer in force.
    Retired,
}

/// One line of a plan.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Planned {
    /// The concept.
    pub uuid: Uuid,
    /// Its notation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notation: Option<String>,
    /// Its preferred term.
    pub label: String,
    /// What happens to it.
    pub outcome: Outcome,
    /// How it was found; nothing for what is retired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched: Option<Matched>,
    /// How it is changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<ConceptChangeKind>,
}

/// What publishing an edition would do.
pub struct Plan {
    /// The period over which the edition says something: from its effective date until that of the version
    /// that takes over.
    pub valid: Period,
    /// One line for each concept: those of the file in its order, then those that are retired.
    pub concepts: Vec<Planned>,
    /// How many pairs of entries were one concept.
    pub twins: usize,
    /// What could not be taken over.
    pub losses: Vec<Loss>,
    /// The counts and the digest.
    pub manifest: Manifest,
    /// Triples that belong to no concept.
    pub statements: Vec<Statement>,
    /// What is to be written for each concept: new content or retirement.
    pub(super) acts: Vec<PlannedAct>,
    /// The concepts that the registry has not seen before.
    pub(super) created: Vec<Uuid>,
}

/// What is to be written for one concept.
pub(super) struct PlannedAct {
    pub(super) concept: Uuid,
    /// The content; `None` retires.
    pub(super) content: Option<Arc<Content>>,
    pub(super) revision: Revision<Arc<Content>>,
}

/// What an edition is to be.
pub struct Wish<'a> {
    /// The vocabulary's uuid: uuids of new concepts are derived from it and their first key.
    pub vocabulary: Uuid,
    /// From when it is in force.
    pub effective: Instant,
    /// The registration instant.
    pub at: Instant,
    /// Who is who, where codes do not tell.
    pub identity: &'a Identity,
    /// Whether a concept that looks like one that vanishes is another one all the same.
    pub accept_new: bool,
    /// The file.
    pub origin: Option<Origin>,
}

/// Plans an edition.
///
/// # Errors
/// Whatever makes the edition unlawful: [`Code::DuplicateCode`], [`Code::UnknownTarget`], [`Code::Cycle`],
/// [`Code::TooDeep`], [`Code::Doubt`], or what [`Content::new`] refuses; with the place in the file.
pub fn plan(mut incoming: Incoming, known: &Known, wish: Wish<'_>) -> Result<Plan> {
    if incoming.concepts.is_empty() {
        // An empty file would retire everything.
        return Err(Refusal::new(Code::Incomplete, "filen har ingen begreber", "the file has no concepts"));
    }
    let twins = fold(&mut incoming)?;
    let until = known.versions.iter().map(|v| v.effective).filter(|e| *e > wish.effective).min();
    let valid = Period::new(wish.effective, until.unwrap_or(Instant::FOREVER))?;
    let base = Base::new(known, wish.effective);
    matching::unique(&incoming.concepts)?;
    let matches = matching::matches(&incoming.concepts, &base, &wish)?;
    let contents = content::contents(&mut incoming, &matches, &base)?;
    let matched: HashMap<Uuid, Matched> = matches.into_iter().collect();

    let mut lines = Vec::with_capacity(contents.len());
    let mut acts = Vec::new();
    let mut hasher = VersionHasher::default();
    let differs = |(u, c): &&(Uuid, Arc<Content>)| base.contents.get(u).is_some_and(|b| **b != *c);
    let pairs: Vec<_> =
        contents.iter().filter(differs).map(|(u, c)| (*u, Some(&**base.contents[u]), Some(&**c))).collect();
    let kinds: HashMap<Uuid, Vec<ConceptChangeKind>> = diff(&pairs).into_iter().map(|c| (c.uuid, c.kinds)).collect();
    for (uuid, content) in &contents {
        hasher.concept(*uuid, &content.canonical());
        let outcome = match base.contents.get(uuid) {
            None => Outcome::New,
            Some(before) if ***before == **content => Outcome::Unchanged,
            Some(_) => Outcome::Changed,
        };
        let changed = outcome == Outcome::Changed;
        let kinds = if changed { kinds.get(uuid).cloned().unwrap_or_default() } else { Vec::new() };
        lines.push(line(*uuid, content, outcome, matched.get(uuid).copied(), kinds));
        let revision = timeline(known, uuid)?.plan(wish.at, valid, Some(content.clone()))?;
        if !revision.is_empty() {
            acts.push(PlannedAct { concept: *uuid, content: Some(content.clone()), revision });
        }
    }
    let staying: HashSet<Uuid> = contents.iter().map(|(u, _)| *u).collect();
    // An edition says nothing of what is not published.
    let published = |states: &[State<Arc<Content>>]| {
        states.iter().any(|s| s.is_current() && s.valid().overlaps(valid) && s.content().is_published())
    };
    let leaving = known.states.iter().filter(|(u, states)| !staying.contains(u) && published(states));
    let mut leaving: Vec<&Uuid> = leaving.map(|(u, _)| u).collect();
    leaving.sort_unstable();
    for uuid in leaving {
        let revision = timeline(known, uuid)?.plan(wish.at, valid, None)?;
        if revision.is_empty() {
            continue;
        }
        if let Some(content) = base.contents.get(uuid) {
            lines.push(line(*uuid, content, Outcome::Retired, None, Vec::new()));
        }
        acts.push(PlannedAct { concept: *uuid, content: None, revision });
    }
    // In the order of the uuids: so the log and the states are laid down as they lie on disk.
    acts.sort_unstable_by_key(|act| act.concept);
    let count = |outcome| lines.iter().filter(|l| l.outcome == outcome).count() as u64;
    let manifest = Manifest {
        concepts: hasher.concepts,
        added: count(Outcome::New),
        changed: count(Outcome::Changed),
        retired: count(Outcome::Retired),
        digest: hasher.finish(&incoming.statements),
        source: wish.origin,
    };
    let created = contents.iter().map(|(u, _)| *u).filter(|u| !base.is_known(*u)).collect();
    Ok(Plan {
        valid,
        concepts: lines,
        twins,
        losses: incoming.losses,
        manifest,
        statements: incoming.statements,
        acts,
        created,
    })
}

fn timeline(known: &Known, uuid: &Uuid) -> Result<Timeline<Arc<Content>>> {
    Timeline::from_states(known.states.get(uuid).cloned().unwrap_or_default())
}

fn line(
    uuid: Uuid,
    content: &Content,
    outcome: Outcome,
    matched: Option<Matched>,
    kinds: Vec<ConceptChangeKind>,
) -> Planned {
    let (notation, label) = (content.fields().notation.clone(), content.label("da").to_owned());
    Planned { uuid, notation, label, outcome, matched, kinds }
}
