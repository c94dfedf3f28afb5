//! What publishing an edition would do, concept by concept. Pure: it is given what the registry knows and
//! what a file says.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::identity::{Identity, fold, paths};
use crate::exchange::{DEEPEST, Incoming, IncomingConcept, Key, Loss};
use crate::model::{
    Code, ConceptChangeKind, Content, Instant, Manifest, Origin, Period, Place, Point, Refusal, RelationKind, Result,
    Revision, State, Statement, Timeline, Version, VersionHasher, diff,
};

/// The distance between the ranks of neighbours when ranks are first given, so that others fit between.
const SPACE: i64 = 1 << 16;

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
    let matches = matches(&incoming.concepts, &base, &wish)?;
    let contents = contents(&mut incoming, &matches, &base)?;
    let known_before = |uuid: &Uuid| known.states.contains_key(uuid);

    let mut lines = Vec::with_capacity(contents.len());
    let mut acts = Vec::new();
    let mut hasher = VersionHasher::default();
    let differs = |(u, c): &&(Uuid, Arc<Content>)| base.contents.get(u).is_some_and(|b| **b != *c);
    let pairs: Vec<_> =
        contents.iter().filter(differs).map(|(u, c)| (*u, Some(&**base.contents[u]), Some(&**c))).collect();
    let kinds: HashMap<Uuid, Vec<ConceptChangeKind>> = diff(&pairs).into_iter().map(|c| (c.uuid, c.kinds)).collect();
    for ((uuid, content), (_, matched)) in contents.iter().zip(&matches) {
        let outcome = match base.contents.get(uuid) {
            None => Outcome::New,
            Some(before) if ***before == **content => Outcome::Unchanged,
            Some(_) => Outcome::Changed,
        };
        let changed = outcome == Outcome::Changed;
        let kinds = if changed { kinds.get(uuid).cloned().unwrap_or_default() } else { Vec::new() };
        lines.push(line(*uuid, content, outcome, Some(*matched), kinds));
        let revision = timeline(known, uuid)?.plan(wish.at, valid, Some(content.clone()))?;
        if !revision.is_empty() {
            acts.push(PlannedAct { concept: *uuid, content: Some(content.clone()), revision });
        }
    }
    let staying: HashSet<Uuid> = contents.iter().map(|(u, _)| *u).collect();
    let mut leaving: Vec<&Uuid> = known.states.keys().filter(|u| !staying.contains(u)).collect();
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
    let mut sorted: Vec<_> = contents.iter().collect();
    sorted.sort_unstable_by_key(|(u, _)| *u);
    for (uuid, content) in sorted {
        hasher.concept(*uuid, &content.canonical());
    }
    let count = |outcome| lines.iter().filter(|l| l.outcome == outcome).count() as u64;
    let manifest = Manifest {
        concepts: hasher.concepts,
        added: count(Outcome::New),
        changed: count(Outcome::Changed),
        retired: count(Outcome::Retired),
        digest: hasher.finish(&incoming.statements),
        source: wish.origin,
    };
    let created = contents.iter().map(|(u, _)| *u).filter(|u| !known_before(u)).collect();
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

/// The reading of the vocabulary that an edition changes: what is said today of its effective date.
struct Base<'a> {
    known: &'a Known,
    contents: HashMap<Uuid, &'a Arc<Content>>,
    /// Codes in force there.
    codes: HashMap<&'a str, Vec<Uuid>>,
    /// Every code ever.
    former: HashMap<&'a str, Vec<Uuid>>,
}

impl<'a> Base<'a> {
    fn new(known: &'a Known, effective: Instant) -> Self {
        let at = Point { valid: effective, registered: Instant::FOREVER };
        let mut base = Self { known, contents: HashMap::new(), codes: HashMap::new(), former: HashMap::new() };
        for (uuid, states) in &known.states {
            for state in states {
                let here = state.covers(at);
                let fields = state.content().fields();
                let codes =
                    fields.notation.as_deref().into_iter().chain(fields.aliases.iter().map(|a| a.value.as_str()));
                for code in codes {
                    let mut lists = vec![base.former.entry(code).or_default()];
                    if here {
                        lists.push(base.codes.entry(code).or_default());
                    }
                    for list in lists {
                        if !list.contains(uuid) {
                            list.push(*uuid);
                        }
                    }
                }
                if here {
                    base.contents.insert(*uuid, state.content());
                }
            }
        }
        base
    }

    fn of_code(&self, code: &str) -> &[Uuid] {
        self.codes.get(code).map_or(&[], Vec::as_slice)
    }

    fn of_former(&self, code: &str) -> &[Uuid] {
        self.former.get(code).map_or(&[], Vec::as_slice)
    }

    /// Title, definition and path of a concept, to compare with those of a file.
    fn path(&self, uuid: Uuid) -> Vec<&'a str> {
        let (mut path, mut at) = (Vec::new(), Some(uuid));
        while let Some(content) = at.and_then(|u| self.contents.get(&u)).filter(|_| path.len() <= DEEPEST) {
            path.push(content.label("da"));
            at = content.parents().next();
        }
        path.reverse();
        path
    }
}

/// Decides which concept each entry is.
fn matches(concepts: &[IncomingConcept], base: &Base<'_>, wish: &Wish<'_>) -> Result<Vec<(Uuid, Matched)>> {
    let mut doubts = Vec::new();
    let mut found = Vec::with_capacity(concepts.len());
    for concept in concepts {
        let keys = || concept.keys.iter().map(|k| k.0.as_str()).chain(concept.content.notation.as_deref());
        let name = || concept.keys.first().map_or("?", |k| k.0.as_str());
        let told = keys().find_map(|k| wish.identity.get(k)).map(|u| (u, Matched::Identity));
        let told = told.or(concept.uuid.map(|u| (u, Matched::Uuid)));
        let by_code: HashSet<Uuid> = keys().flat_map(|k| base.of_code(k)).copied().collect();
        let by_former: HashSet<Uuid> = keys().flat_map(|k| base.of_former(k)).copied().collect();
        let one = |set: &HashSet<Uuid>| (set.len() == 1).then(|| set.iter().next().copied()).flatten();
        let (uuid, matched) = match told {
            Some((uuid, how)) => {
                if let Some(other) = by_code.iter().find(|o| **o != uuid) {
                    doubts.push(format!("{}: the file says {uuid}, but the code names {other} already", name()));
                }
                (uuid, how)
            }
            None if by_code.len() > 1 => {
                doubts.push(format!("{}: its codes name {} concepts", name(), by_code.len()));
                continue;
            }
            None => match (one(&by_code), one(&by_former)) {
                (Some(uuid), _) => (uuid, Matched::Code),
                (None, Some(uuid)) => (uuid, Matched::FormerCode),
                (None, None) if by_former.len() > 1 => {
                    doubts.push(format!("{}: its codes once named {} concepts", name(), by_former.len()));
                    continue;
                }
                (None, None) => (Uuid::new_v5(&wish.vocabulary, name().as_bytes()), Matched::Created),
            },
        };
        found.push((uuid, matched));
    }
    let mut seen: HashMap<Uuid, &str> = HashMap::new();
    let pairs: Vec<_> = if doubts.is_empty() { concepts.iter().zip(&found).collect() } else { Vec::new() };
    for (concept, (uuid, _)) in pairs {
        let name = concept.keys.first().map_or("?", |k| k.0.as_str());
        if let Some(other) = seen.insert(*uuid, name) {
            doubts.push(format!("{other} and {name}: both are {uuid}"));
        }
    }
    if doubts.is_empty() && !wish.accept_new {
        doubts = look_alikes(concepts, &found, base);
    }
    if doubts.is_empty() {
        return Ok(found);
    }
    Err(Refusal::new(
        Code::Doubt,
        format!("det kan ikke afgøres, hvilket begreb {} af filens indgange er", doubts.len()),
        format!("it cannot be decided which concept {} entries of the file are", doubts.len()),
    )
    .items(doubts)
    .allowed(["--identity FILE (made by: begreb identity FILE)", "--accept-new when they are new concepts"]))
}

/// New entries that look just like concepts that would vanish: the same path of titles, or the same title
/// and definition.
fn look_alikes(concepts: &[IncomingConcept], found: &[(Uuid, Matched)], base: &Base<'_>) -> Vec<String> {
    let taken: HashSet<Uuid> = found.iter().map(|(u, _)| *u).collect();
    let mut by_path: HashMap<Vec<&str>, Uuid> = HashMap::new();
    let mut by_text: HashMap<(&str, &str), Uuid> = HashMap::new();
    for (uuid, content) in base.contents.iter().filter(|(u, _)| !taken.contains(u)) {
        by_path.insert(base.path(*uuid), *uuid);
        if let Some(d) = content.fields().definitions.first() {
            by_text.insert((content.label("da"), &d.text), *uuid);
        }
    }
    if by_path.is_empty() {
        return Vec::new();
    }
    let paths = paths(concepts);
    let mut alike = Vec::new();
    for ((concept, (uuid, _)), path) in concepts.iter().zip(found).zip(&paths) {
        if base.contents.contains_key(uuid) {
            continue;
        }
        let text = concept.content.definitions.first().map(|d| (path[path.len() - 1], d.text.trim()));
        let other = by_path.get(path).or_else(|| text.and_then(|t| by_text.get(&t)));
        if let Some(other) = other {
            let notation = base.contents[other].fields().notation.clone().unwrap_or_else(|| other.to_string());
            let name = concept.keys.first().map_or("?", |k| k.0.as_str());
            alike.push(format!("{name}: looks like {notation}, which the file does not have ({})", path.join(" › ")));
        }
    }
    alike
}

/// The lawful content of each entry, with targets resolved and ranks given.
fn contents(
    incoming: &mut Incoming,
    matches: &[(Uuid, Matched)],
    base: &Base<'_>,
) -> Result<Vec<(Uuid, Arc<Content>)>> {
    let mut by_key: HashMap<Key, Uuid> = HashMap::new();
    for (concept, (uuid, _)) in incoming.concepts.iter().zip(matches) {
        for key in concept.keys.iter().cloned().chain([Key(uuid.to_string())]) {
            if by_key.insert(key.clone(), *uuid).is_some_and(|other| other != *uuid) {
                return Err(Refusal::new(
                    Code::DuplicateCode,
                    format!("to begreber har koden »{}«", key.0),
                    format!("two concepts have the code '{}'", key.0),
                )
                .at(concept.place.clone()));
            }
        }
    }
    let ranks = ranks(matches, base);
    let mut contents = Vec::with_capacity(matches.len());
    for ((concept, (uuid, _)), rank) in std::mem::take(&mut incoming.concepts).into_iter().zip(matches).zip(ranks) {
        let place = concept.place;
        let mut fields = concept.content;
        fields.rank = Some(rank);
        // What is replaced is no longer in the file; the registry remembers it.
        let replaced: HashSet<Key> =
            fields.relations.iter().filter(|r| r.kind == RelationKind::Replaces).map(|r| r.target.clone()).collect();
        let resolve = |key: Key| {
            let known = by_key.get(&key).copied().or_else(|| {
                let known = base.of_former(&key.0).first().copied().filter(|_| replaced.contains(&key));
                let uuid = Uuid::try_parse(&key.0).ok();
                // A uuid names a concept for ever, also one that this registry has not seen: an edition that
                // replaces it may be imported without the edition that had it.
                known.or_else(|| uuid.filter(|u| replaced.contains(&key) || base.is_known(*u)))
            });
            known.ok_or_else(|| {
                Refusal::new(
                    Code::UnknownTarget,
                    format!("begrebet »{}« findes ikke", key.0),
                    format!("there is no concept '{}'", key.0),
                )
            })
        };
        let mut fields = fields.try_map_targets(resolve).map_err(|r| r.at(place.clone()))?;
        fields.relations.sort();
        fields
            .relations
            .dedup_by(|a, b| a.kind == b.kind && a.target == b.target && a.criterion.is_empty() && a.role.is_empty());
        let content = Content::new(fields).map_err(|r| r.at(place.clone()))?;
        contents.push((*uuid, Arc::new(content)));
    }
    unique_codes(&contents)?;
    acyclic(&contents)?;
    Ok(contents)
}

impl Base<'_> {
    fn is_known(&self, uuid: Uuid) -> bool {
        self.known.states.contains_key(&uuid)
    }
}

fn unique_codes(contents: &[(Uuid, Arc<Content>)]) -> Result<()> {
    let mut seen: HashMap<&str, Uuid> = HashMap::new();
    for (uuid, content) in contents {
        let fields = content.fields();
        let aliases = fields.aliases.iter().map(|a| a.value.as_str());
        for code in fields.notation.as_deref().into_iter().chain(aliases) {
            if seen.insert(code, *uuid).is_some_and(|other| other != *uuid) {
                return Err(Refusal::new(
                    Code::DuplicateCode,
                    format!("to begreber har koden »{code}«"),
                    format!("two concepts have the code '{code}'"),
                )
                .at(Place::field(code)));
            }
        }
    }
    Ok(())
}

/// No concept is its own ancestor, and none is deeper than [`DEEPEST`]: Kahn's order from the top.
fn acyclic(contents: &[(Uuid, Arc<Content>)]) -> Result<()> {
    let place: HashMap<Uuid, usize> = contents.iter().enumerate().map(|(i, (u, _))| (*u, i)).collect();
    let parents: Vec<Vec<usize>> =
        contents.iter().map(|(_, c)| c.parents().filter_map(|p| place.get(&p).copied()).collect()).collect();
    let mut waiting: Vec<usize> = parents.iter().map(Vec::len).collect();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); contents.len()];
    for (child, parents) in parents.iter().enumerate() {
        parents.iter().for_each(|&p| children[p].push(child));
    }
    let mut level = vec![1; contents.len()];
    let mut ready: Vec<usize> = (0..contents.len()).filter(|&i| waiting[i] == 0).collect();
    let mut done = 0;
    while let Some(i) = ready.pop() {
        done += 1;
        for &child in &children[i] {
            level[child] = level[child].max(level[i] + 1);
            waiting[child] -= 1;
            if waiting[child] == 0 {
                ready.push(child);
            }
        }
    }
    let name = |i: usize| {
        let (uuid, content) = &contents[i];
        content.fields().notation.clone().unwrap_or_else(|| uuid.to_string())
    };
    if let Some(i) = (done < contents.len()).then(|| waiting.iter().position(|&w| w > 0)).flatten() {
        // Every concept that still waits has a parent that waits: following those leads into a cycle.
        let (mut path, mut at) = (vec![i], i);
        let start = loop {
            at = parents[at].iter().copied().find(|&p| waiting[p] > 0).unwrap_or(at);
            if let Some(start) = path.iter().position(|&p| p == at) {
                break start;
            }
            path.push(at);
        };
        return Err(Refusal::new(
            Code::Cycle,
            format!("begrebet »{}« er sit eget overbegreb", name(at)),
            format!("the concept '{}' is its own ancestor", name(at)),
        )
        .items(path[start..].iter().take(100).map(|&i| name(i))));
    }
    match level.iter().position(|&l| l > DEEPEST) {
        None => Ok(()),
        Some(i) => Err(Refusal::new(
            Code::TooDeep,
            format!("begrebet »{}« ligger dybere end {DEEPEST} niveauer", name(i)),
            format!("the concept '{}' lies deeper than {DEEPEST} levels", name(i)),
        )
        .allowed([format!("at most {DEEPEST} levels")])),
    }
}

/// Ranks in the order of the file. Concepts that keep their order keep their rank, so an insertion is not a
/// change of everything after it: a longest run of ranks that already ascend stays, the others are placed
/// in the gaps.
fn ranks(matches: &[(Uuid, Matched)], base: &Base<'_>) -> Vec<i64> {
    let held: Vec<Option<i64>> =
        matches.iter().map(|(u, _)| base.contents.get(u).and_then(|c| c.fields().rank)).collect();
    let kept = longest_ascent(&held);
    let mut ranks: Vec<Option<i64>> = held.iter().zip(&kept).map(|(r, keep)| r.filter(|_| *keep)).collect();
    let mut i = 0;
    while i < ranks.len() {
        if ranks[i].is_some() {
            i += 1;
            continue;
        }
        let end = (i..ranks.len()).find(|&j| ranks[j].is_some()).unwrap_or(ranks.len());
        let new = (end - i) as i64;
        let low = if i == 0 { None } else { ranks[i - 1] };
        let high = ranks.get(end).copied().flatten();
        let (start, step) = match (low, high) {
            (None, None) => (0, SPACE),
            (Some(low), None) => (low, SPACE),
            (None, Some(high)) => (high - SPACE * (new + 1), SPACE),
            (Some(low), Some(high)) => (low, (high - low) / (new + 1)),
        };
        if step == 0 {
            // No room: everyone is placed anew.
            return (1..=ranks.len() as i64).map(|n| n * SPACE).collect();
        }
        for (k, rank) in ranks[i..end].iter_mut().enumerate() {
            *rank = Some(start + step * (k as i64 + 1));
        }
        i = end;
    }
    ranks.into_iter().map(Option::unwrap_or_default).collect()
}

/// Which positions belong to a longest strictly ascending run.
fn longest_ascent(values: &[Option<i64>]) -> Vec<bool> {
    let mut tails: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; values.len()];
    for (i, value) in values.iter().enumerate().filter_map(|(i, v)| v.map(|v| (i, v))) {
        let at = tails.partition_point(|&t| values[t].is_some_and(|v| v < value));
        before[i] = (at > 0).then(|| tails[at - 1]);
        if at == tails.len() { tails.push(i) } else { tails[at] = i }
    }
    let mut kept = vec![false; values.len()];
    let mut at = tails.last().copied();
    while let Some(i) = at {
        kept[i] = true;
        at = before[i];
    }
    kept
}
