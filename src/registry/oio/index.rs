//! Which klasser ever said a text or named a target: what a search for a whole value looks at, instead of at all.
//!
//! A posting is eight bytes, the hash of a name and a value and the number of a klasse, and tells of every time. So it
//! only narrows: what it leads to is looked at as everything else is, which also makes a hash that falls alike harmless.
//! A klasse that was touched since the postings were sorted is looked at always, until there are so many of these that
//! the postings are sorted again.

use std::collections::HashSet;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::FixedState;
use uuid::Uuid;

use super::frames::Frames;
use super::search::Criterion;
use crate::exchange::oio::extras::name;
use crate::exchange::oio::{Kind, Publiceret, Reference, part::Framed};
use crate::model::{Instant, Period};
use crate::projection::{Plane, Said, Saying};

/// How many klasser may be touched before postings are sorted again, beside one in [`SHARE`].
const FEW: usize = 64;

/// See [`FEW`].
const SHARE: usize = 32;

/// How much an index knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Depth {
    /// What stands beside the content in memory, and all that came by OIO.
    Shallow,
    /// Everything: contents have been read for it.
    Deep,
}

/// See the module.
pub(super) struct Index {
    pub base: Arc<Base>,
    /// What was touched since.
    fresh: Box<[Uuid]>,
}

/// What was said until an instant of registered time.
#[derive(Default)]
pub(super) struct Base {
    until: Option<Instant>,
    /// The klasser, in order.
    concepts: Box<[Uuid]>,
    /// Hashes and the numbers of klasser, in order.
    postings: Box<[(u32, u32)]>,
}

impl Index {
    /// The index of a plane, made of that of an earlier one.
    pub(super) fn of(plane: &Plane, framed: &Framed, depth: Depth, earlier: Option<&Arc<Base>>) -> Self {
        let base = earlier.cloned().unwrap_or_default();
        let is_fresh = |s: &Arc<Saying>| base.until.is_none_or(|until| last_touch(s) > until);
        let fresh: Vec<Uuid> = plane.all_concepts().filter(|uuid| plane.everything(*uuid).any(is_fresh)).collect();
        if earlier.is_some() && fresh.len() <= FEW + base.concepts.len() / SHARE {
            return Self { base, fresh: fresh.into() };
        }
        Self { base: Arc::new(base.with(plane, framed, depth, &fresh)), fresh: Box::default() }
    }

    /// How many klasser some hashes lead to, at most.
    pub(super) fn count(&self, hashes: &[u32]) -> usize {
        hashes.iter().map(|hash| self.base.postings(*hash).len()).sum::<usize>() + self.fresh.len()
    }

    /// The klasser that some hashes lead to, each once.
    pub(super) fn candidates(&self, hashes: &[u32]) -> Vec<Uuid> {
        let numbers = hashes.iter().flat_map(|hash| self.base.postings(*hash)).map(|(_, number)| *number);
        let named = numbers.filter_map(|n| self.base.concepts.get(usize::try_from(n).ok()?).copied());
        let mut all: Vec<Uuid> = named.chain(self.fresh.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

impl Base {
    fn postings(&self, hash: u32) -> &[(u32, u32)] {
        let from = self.postings.partition_point(|(h, _)| *h < hash);
        let rest = &self.postings[from..];
        &rest[..rest.partition_point(|(h, _)| *h == hash)]
    }

    /// The same with what is said of some klasser now.
    fn with(&self, plane: &Plane, framed: &Framed, depth: Depth, fresh: &[Uuid]) -> Self {
        let mut concepts: Vec<Uuid> = plane.all_concepts().collect();
        concepts.sort_unstable();
        let number = |uuid: &Uuid| concepts.binary_search(uuid).ok().and_then(|n| u32::try_from(n).ok());
        let again: HashSet<&Uuid> = fresh.iter().collect();
        let moved: Vec<Option<u32>> =
            self.concepts.iter().map(|uuid| number(uuid).filter(|_| !again.contains(uuid))).collect();
        let kept = self.postings.iter().filter_map(|(hash, n)| Some((*hash, (*moved.get(*n as usize)?)?)));
        let mut postings: Vec<(u32, u32)> = kept.collect();
        let mut until = self.until;
        let mut hashes = Vec::new();
        for uuid in fresh {
            let mut read = HashSet::new();
            for saying in plane.everything(*uuid) {
                until = until.max(Some(last_touch(saying)));
                if read.insert(saying.state.content().digest) {
                    tell(*uuid, saying.state.content(), framed, depth, &mut hashes);
                }
            }
            hashes.sort_unstable();
            hashes.dedup();
            if let Some(number) = number(uuid) {
                postings.extend(hashes.drain(..).map(|hash| (hash, number)));
            }
        }
        postings.sort_unstable();
        Self { until, concepts: concepts.into(), postings: postings.into() }
    }
}

/// When a state was registered, or closed.
fn last_touch(saying: &Saying) -> Instant {
    let registered = saying.state.registered();
    if registered.is_open() { registered.from() } else { registered.to() }
}

/// What a content is found by.
fn tell(uuid: Uuid, said: &Said, framed: &Framed, depth: Depth, out: &mut Vec<u32>) {
    out.push(hash("facet", said.facet.as_deref().unwrap_or_default()));
    if depth == Depth::Shallow && !said.has_oio {
        let key = said.notation.as_deref().map_or_else(|| uuid.to_string(), str::to_lowercase);
        out.push(hash("brugervendtnoegle", &key));
        // The title is one of the preferred terms, the superordinate klasse one of those above.
        out.extend(said.labels().map(|(_, label)| hash("titel", &label.to_lowercase())));
        out.extend(said.parents.iter().map(|uuid| target("overordnetklasse", &Reference::Uuid(*uuid))));
        out.extend(said.replaces.iter().map(|uuid| target("erstatter", &Reference::Uuid(*uuid))));
        return;
    }
    let indhold = framed.klasse(uuid, said.content().fields(), Period::ALWAYS);
    for egenskab in &indhold.attributter {
        out.extend(egenskab.fields.iter().map(|(name, text)| hash(name, &text.to_lowercase())));
        let words = egenskab.soegeord.iter();
        let parts = words.flat_map(|w| [&w.soegeordidentifikator, &w.beskrivelse, &w.soegeordskategori]);
        out.extend(parts.map(|text| hash("soegeord", &text.to_lowercase())));
    }
    // What nearly all say leads to nothing.
    let hidden = indhold.tilstande.iter().filter(|t| t.publiceret != Publiceret::Publiceret);
    out.extend(hidden.map(|t| hash("publiceret", t.publiceret.name())));
    for (name, list) in &indhold.relationer {
        let own = list.iter().filter(|r| Some(&r.til) != framed.owner());
        out.extend(own.map(|r| target(name, &r.til)));
    }
}

fn hash(name: &str, value: &str) -> u32 {
    // Half of the hash is enough to narrow.
    FixedState::default().hash_one((name, value)) as u32
}

fn target(relation: &str, to: &Reference) -> u32 {
    hash(relation, &name(to))
}

/// The hashes that lead to all that can have what a criterion demands, and the index that knows them; nothing when that
/// may be anything.
pub(super) fn wanted(criterion: &Criterion, frames: &Frames) -> Option<(Depth, Vec<u32>)> {
    match criterion {
        Criterion::Text(Some(name), pattern) => {
            let depth = if matches!(*name, "brugervendtnoegle" | "titel") { Depth::Shallow } else { Depth::Deep };
            Some((depth, vec![hash(name, pattern.whole()?)]))
        }
        Criterion::Text(None, pattern) => {
            let (text, names) = (pattern.whole()?, Kind::Klasse.fields().iter().chain(&["soegeord"]));
            Some((Depth::Deep, names.map(|name| hash(name, text)).collect()))
        }
        // Everything else is published.
        Criterion::State(Publiceret::Publiceret) => None,
        Criterion::State(state) => Some((Depth::Shallow, vec![hash("publiceret", state.name())])),
        Criterion::Related(Some("facet"), to, _) => Some((Depth::Shallow, in_facet(to, frames)?)),
        Criterion::Related(Some(name @ ("ansvarlig" | "ejer")), to, _) => {
            let of_all = frames.different().any(|f| f.owner() == Some(to));
            (!of_all).then(|| (Depth::Shallow, vec![target(name, to)]))
        }
        Criterion::Related(Some(name), to, _) => {
            let has_field = matches!(*name, "sideordnede" | "lovligekombinationer" | "mapninger");
            let depth = if has_field { Depth::Deep } else { Depth::Shallow };
            Some((depth, vec![target(name, to)]))
        }
        Criterion::Related(None, to, _) => {
            if frames.different().any(|f| f.owner() == Some(to)) {
                return None;
            }
            let mut hashes = in_facet(to, frames)?;
            hashes.extend(Kind::Klasse.relations().map(|name| target(name, to)));
            Some((Depth::Deep, hashes))
        }
    }
}

/// What leads to the klasser of a facet; nothing when all may be in it.
fn in_facet(to: &Reference, frames: &Frames) -> Option<Vec<u32>> {
    let Reference::Uuid(facet) = to else { return Some(Vec::new()) };
    let mut hashes = Vec::new();
    for framed in frames.different() {
        hashes.extend(framed.codes_in(*facet)?.into_iter().map(|code| hash("facet", code)));
    }
    hashes.sort_unstable();
    hashes.dedup();
    Some(hashes)
}
