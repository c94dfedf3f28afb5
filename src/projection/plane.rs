//! Everything ever said of one vocabulary, and how to find a reading of it.

use std::sync::Arc;

use uuid::Uuid;

use super::Map;
use super::edition::{Edition, Entry};
use super::said::{Said, Saying};
use super::told::Told;
use crate::model::{Instant, Point, Result, State, Version, Vocabulary};
use crate::store::StateRow;

/// The states of a vocabulary's concepts, shared with every edition of it.
#[derive(Debug)]
pub struct Plane {
    vocabulary: Arc<Vocabulary>,
    versions: Box<[Arc<Version>]>,
    concepts: Map<Uuid, Box<[Arc<Saying>]>>,
    /// What is kept of concepts and not published: part of no edition, and for the eyes of OIO alone.
    unpublished: Map<Uuid, Box<[Arc<Saying>]>>,
    /// Every code that ever named a concept here.
    keys: Map<Box<str>, Box<[Uuid]>>,
    /// Which concepts say that they replace a concept.
    replaced_by: Map<Uuid, Vec<Uuid>>,
    /// Which concepts once said so and say it no longer of the same period.
    once_replaced_by: Map<Uuid, Vec<Uuid>>,
    /// The instants of valid and of registered time at which something changes.
    valid_edges: Box<[Instant]>,
    registered_edges: Box<[Instant]>,
    told: Told,
}

/// A plane read at a point.
#[derive(Clone, Debug)]
pub struct View {
    /// The plane.
    pub plane: Arc<Plane>,
    /// The reading.
    pub edition: Arc<Edition>,
    /// The point that was asked for; the edition's own is the last edge before it.
    pub at: Point,
    /// The version in force there: the last to take effect, as known there.
    pub version: Option<Arc<Version>>,
    /// Whether the caller named the point; else it is today, as known now.
    pub named: bool,
    /// Whether the reading can never change: it names a version, or a registered time that the log has passed.
    pub pinned: bool,
}

/// What a key leads to.
pub enum Found<'a> {
    /// A concept of the edition.
    Here(Entry<'a>),
    /// A concept of the vocabulary that this edition does not have.
    Elsewhere(Uuid),
    /// Nothing: the vocabulary never had such a code.
    Nothing,
}

impl Plane {
    /// Builds a plane from rows in any order. With `previous`, the rows are those of the concepts that were
    /// touched since; the others are taken over.
    ///
    /// # Errors
    /// [`crate::model::Code::Corrupt`].
    pub fn new(
        vocabulary: Vocabulary,
        versions: Vec<Version>,
        rows: Vec<StateRow>,
        previous: Option<&Self>,
    ) -> Result<Self> {
        let mut said: Map<crate::model::Digest, Arc<Said>> = Map::default();
        let mut fresh: Map<Uuid, Vec<Arc<Saying>>> = Map::default();
        for row in rows {
            let content = match said.get(&row.content) {
                Some(known) => known.clone(),
                None => {
                    let new = Arc::new(Said::new(row.content, row.body)?);
                    said.insert(row.content, new.clone());
                    new
                }
            };
            let state = State::new(row.registered, row.valid, content);
            fresh.entry(row.concept).or_default().push(Arc::new(Saying { concept: row.concept, state }));
        }
        drop(said);
        let mut concepts = previous.map(|p| p.concepts.clone()).unwrap_or_default();
        let mut unpublished = previous.map(|p| p.unpublished.clone()).unwrap_or_default();
        for (uuid, mut states) in fresh {
            states.sort_by_key(|s| (s.state.registered(), s.state.valid()));
            let (shown, kept): (Vec<_>, Vec<_>) = states.into_iter().partition(|s| s.state.content().is_published);
            for (map, states) in [(&mut concepts, shown), (&mut unpublished, kept)] {
                if !states.is_empty() {
                    map.insert(uuid, states.into_boxed_slice());
                }
            }
        }
        Ok(Self { unpublished, ..Self::index(vocabulary, versions, concepts) })
    }

    fn index(vocabulary: Vocabulary, versions: Vec<Version>, concepts: Map<Uuid, Box<[Arc<Saying>]>>) -> Self {
        let mut keys: Map<Box<str>, Box<[Uuid]>> = Map::with_capacity_and_hasher(concepts.len(), Default::default());
        let (mut replaced_by, mut once_replaced_by): (Map<Uuid, Vec<Uuid>>, Map<Uuid, Vec<Uuid>>) = Default::default();
        let (mut valid, mut registered) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
        for (&uuid, states) in &concepts {
            for s in states {
                valid.extend([s.state.valid().from(), s.state.valid().to()]);
                registered.extend([s.state.registered().from(), s.state.registered().to()]);
                let said = s.state.content();
                for key in said.notation.as_deref().into_iter().chain(said.aliases.iter().map(|a| a.value.as_str())) {
                    match keys.get_mut(key) {
                        Some(list) if list.contains(&uuid) => {}
                        // Few codes ever named more than one concept.
                        Some(list) => *list = list.iter().copied().chain([uuid]).collect(),
                        None => drop(keys.insert(key.into(), [uuid].into())),
                    }
                }
                let replacing = if s.state.is_current() { &mut replaced_by } else { &mut once_replaced_by };
                for target in &said.replaces {
                    let list = replacing.entry(*target).or_default();
                    if !list.contains(&uuid) {
                        list.push(uuid);
                    }
                }
            }
        }
        // A version that changed nothing is an edge too: from then on, the version in force is another.
        valid.extend(versions.iter().map(|v| v.effective));
        registered.extend(versions.iter().map(|v| v.registered));
        keys.values_mut().for_each(|list| list.sort_unstable());
        replaced_by.values_mut().for_each(|list| list.sort_unstable());
        once_replaced_by.values_mut().for_each(|list| list.sort_unstable());
        Self {
            vocabulary: Arc::new(vocabulary),
            versions: versions.into_iter().map(Arc::new).collect(),
            concepts,
            unpublished: Map::default(),
            keys,
            replaced_by,
            once_replaced_by,
            valid_edges: valid.into_iter().filter(|i| i.is_finite()).collect(),
            registered_edges: registered.into_iter().filter(|i| i.is_finite()).collect(),
            told: Told::default(),
        }
    }

    /// The same with what the log tells beside the states.
    #[must_use]
    pub fn with_told(self, told: Told) -> Self {
        Self { told, ..self }
    }

    /// What the log tells beside the states.
    #[must_use]
    pub fn told(&self) -> &Told {
        &self.told
    }

    /// The vocabulary, in the frame that it has now.
    #[must_use]
    pub fn vocabulary(&self) -> &Arc<Vocabulary> {
        &self.vocabulary
    }

    /// The vocabulary in the frame that it had at an instant.
    #[must_use]
    pub fn vocabulary_at(&self, registered: Instant) -> &Arc<Vocabulary> {
        self.told.frame_at(registered).unwrap_or(&self.vocabulary)
    }

    /// The versions, by effective date and then registration.
    #[must_use]
    pub fn versions(&self) -> &[Arc<Version>] {
        &self.versions
    }

    /// The version of a label.
    #[must_use]
    pub fn version(&self, label: &str) -> Option<&Arc<Version>> {
        self.versions.iter().find(|v| v.label.as_str() == label)
    }

    /// The version in force at a point: of those registered by then, the last to take effect.
    #[must_use]
    pub fn version_at(&self, at: Point) -> Option<&Arc<Version>> {
        let known = self.versions.iter().filter(|v| v.registered <= at.registered && v.effective <= at.valid);
        known.max_by_key(|v| (v.effective, v.registered))
    }

    /// Everything said of a concept, by registration and then validity.
    #[must_use]
    pub fn sayings(&self, concept: Uuid) -> &[Arc<Saying>] {
        self.concepts.get(&concept).map_or(&[], |s| s)
    }

    /// Everything kept of a concept, also what is not published, by registration and then validity.
    #[must_use]
    pub fn kept(&self, concept: Uuid) -> Vec<&Arc<Saying>> {
        let unpublished = self.unpublished.get(&concept).map_or(&[][..], |s| s);
        let mut all: Vec<_> = self.sayings(concept).iter().chain(unpublished).collect();
        all.sort_by_key(|s| (s.state.registered(), s.state.valid()));
        all
    }

    /// The same in no order.
    pub fn everything(&self, concept: Uuid) -> impl Iterator<Item = &Arc<Saying>> + '_ {
        let unpublished = self.unpublished.get(&concept).map_or(&[][..], |s| s);
        self.sayings(concept).iter().chain(unpublished)
    }

    /// Whether anything was ever said of a concept without a facet.
    #[must_use]
    pub fn has_bare(&self) -> bool {
        let mut all = self.concepts.values().chain(self.unpublished.values()).flatten();
        all.any(|s| s.state.content().facet.is_none())
    }

    /// What is kept and not published, by concept.
    pub fn unpublished(&self) -> impl Iterator<Item = (Uuid, &[Arc<Saying>])> + '_ {
        self.unpublished.iter().map(|(uuid, sayings)| (*uuid, &**sayings))
    }

    /// The instants of valid time at which something published changes, in order.
    #[must_use]
    pub fn valid_edges(&self) -> &[Instant] {
        &self.valid_edges
    }

    /// Every concept of which anything is kept, once, in no order.
    pub fn all_concepts(&self) -> impl Iterator<Item = Uuid> + '_ {
        let hidden = self.unpublished.keys().filter(|u| !self.concepts.contains_key(u));
        self.concepts.keys().chain(hidden).copied()
    }

    /// The concepts, in no order.
    pub fn concepts(&self) -> impl Iterator<Item = (Uuid, &[Arc<Saying>])> + '_ {
        self.concepts.iter().map(|(uuid, sayings)| (*uuid, &**sayings))
    }

    /// The concepts that a code ever named.
    #[must_use]
    pub fn called(&self, key: &str) -> &[Uuid] {
        self.keys.get(key).map_or(&[], |list| list)
    }

    /// The concepts that replace a concept, as known now.
    #[must_use]
    pub fn replaced_by(&self, concept: Uuid) -> &[Uuid] {
        self.replaced_by.get(&concept).map_or(&[], Vec::as_slice)
    }

    /// The concepts that were ever said to replace a concept, also those of which it is no longer said; in order.
    #[must_use]
    pub fn ever_replaced_by(&self, concept: Uuid) -> std::collections::BTreeSet<Uuid> {
        let once = self.once_replaced_by.get(&concept).map_or(&[][..], Vec::as_slice);
        self.replaced_by(concept).iter().chain(once).copied().filter(|other| *other != concept).collect()
    }

    /// Since when a concept is passive: since it was said by OIO Klassifikation that it is no longer kept up, unless
    /// something was registered of it after that.
    #[must_use]
    pub fn passive_since(&self, concept: Uuid) -> Option<Instant> {
        let (at, words) = self.told.own(concept).last()?;
        let untouched = self.kept(concept).iter().all(|s| s.state.registered().from() <= *at);
        (untouched && words.livscykluskode == "Passiveret").then_some(*at)
    }

    /// When anything was first said here; never when nothing was.
    #[must_use]
    pub fn first_said(&self) -> Instant {
        self.registered_edges.first().copied().unwrap_or(Instant::FOREVER)
    }

    /// What was last said of a concept, as known at `registered`: the state with the latest validity that
    /// begins no later than `valid`, else the first to come.
    #[must_use]
    pub fn nearest(&self, concept: Uuid, at: Point) -> Option<&Arc<Saying>> {
        let known = || {
            self.sayings(concept).iter().filter(|s| {
                s.state.registered().contains(at.registered)
                    || (at.registered == Instant::FOREVER && s.state.is_current())
            })
        };
        let past = known().filter(|s| s.state.valid().from() <= at.valid);
        past.max_by_key(|s| s.state.valid().from()).or_else(|| known().min_by_key(|s| s.state.valid().from()))
    }

    /// The same reading, named by the last edges at or before a point: all points between two edges read alike.
    #[must_use]
    pub fn settle(&self, at: Point) -> Point {
        let last = |edges: &[Instant], t: Instant| match edges.partition_point(|e| *e <= t) {
            0 => Instant::BEGINNING,
            n => edges[n - 1],
        };
        Point { valid: last(&self.valid_edges, at.valid), registered: last(&self.registered_edges, at.registered) }
    }

    /// Reads the plane at a point.
    #[must_use]
    pub fn read(&self, at: Point) -> Edition {
        let sayings = self.concepts.values().filter_map(|s| s.iter().find(|s| s.state.covers(at)).cloned());
        Edition::new(at, sayings.collect())
    }
}

impl View {
    /// The vocabulary. What can never change has the frame of when it was registered: a title or a licence that came
    /// later is not part of it.
    #[must_use]
    pub fn vocabulary(&self) -> &Vocabulary {
        if self.pinned { self.plane.vocabulary_at(self.at.registered) } else { &self.plane.vocabulary }
    }

    /// What a key leads to: a uuid, a notation or an alias here; else what it named at another time.
    #[must_use]
    pub fn find(&self, key: &str) -> Found<'_> {
        if let Ok(uuid) = Uuid::try_parse(key) {
            if let Some(entry) = self.edition.get(uuid) {
                return Found::Here(entry);
            }
            if self.plane.concepts.contains_key(&uuid) {
                return Found::Elsewhere(uuid);
            }
        }
        let candidates = self.plane.called(key);
        let here = || candidates.iter().filter_map(|c| self.edition.get(*c));
        // The notation first, then an alias, then what it was called once.
        let best = here()
            .find(|e| e.said().notation.as_deref() == Some(key))
            .or_else(|| here().find(|e| e.said().is_called(key)))
            .or_else(|| here().next());
        match (best, candidates) {
            (Some(entry), _) => Found::Here(entry),
            (None, [first, ..]) => Found::Elsewhere(*first),
            (None, []) => Found::Nothing,
        }
    }
}
