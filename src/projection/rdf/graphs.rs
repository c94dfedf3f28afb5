//! The graphs of all vocabularies, derived of a snapshot.

use std::collections::{HashMap, HashSet};
use std::marker::PhantomData;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use oxrdf::{NamedNode, NamedOrBlankNodeRef, TermRef, TripleRef};
use uuid::Uuid;

use super::brake::{count_down, look};
use super::dataset::{Dataset, Merged, Name};
use super::segment::Segment;
use super::terms::{Growing, Terms};
use crate::model::{Code, Instant, Point, Refusal, Result, Version};
use crate::projection::{Derive, Edition, Plane, Projections, Said, View};

/// How often who waits for a graph that another builds looks whether its own time is over.
const PATIENCE: Duration = Duration::from_millis(20);
/// How many terms of graphs that are gone are kept at least, before the numbering begins anew.
const STALE: usize = 100_000;

/// What takes in the triples of a view, each with the content of the concept that it comes from.
pub type Take<'a> = &'a mut dyn FnMut(Option<&Arc<Said>>, TripleRef<'_>) -> Result<()>;

/// How a view is told as triples. The room above knows the formats; this one only numbers what it is told.
pub trait Tell: Send + Sync + 'static {
    /// Tells all triples of a view.
    ///
    /// # Errors
    /// What `take` is refused with, or what the view cannot be told for.
    fn tell(view: &View, take: Take<'_>) -> Result<()>;
}

/// The graph of a vocabulary, as it is in force.
#[derive(Clone, Debug)]
pub struct Graph {
    /// Its IRI: that of the vocabulary.
    pub iri: NamedNode,
    /// What it is made of.
    pub view: View,
    /// Its triples.
    pub segment: Arc<Segment>,
}

/// The graphs of past versions that were asked for, in one numbering. Nothing is built while this is locked.
struct Past {
    /// Grows by what each version adds.
    terms: Terms,
    /// Which numbering this is: they share the numbers of what is in force, and no others.
    numbering: u64,
    kept: HashMap<Uuid, Kept>,
    /// The versions that are being built.
    building: HashSet<Uuid>,
    /// How often a graph was asked for.
    asked: u64,
}

#[derive(Debug)]
struct Kept {
    segment: Arc<Segment>,
    /// How many terms it added.
    added: usize,
    /// When it was last asked for.
    asked: u64,
}

impl Past {
    fn new(terms: Terms) -> Self {
        Self { terms, numbering: 0, kept: HashMap::new(), building: HashSet::new(), asked: 0 }
    }

    /// The graph of a version, if it is at hand.
    fn find(&mut self, version: Uuid) -> Option<Arc<Segment>> {
        self.asked += 1;
        let kept = self.kept.get_mut(&version)?;
        kept.asked = self.asked;
        Some(kept.segment.clone())
    }

    /// Keeps the graph of a version; those that nobody asked for the longest make room.
    fn keep(&mut self, version: Uuid, segment: Arc<Segment>, terms: Terms, budget: usize) {
        let mut held: usize = self.kept.values().map(|k| k.segment.len()).sum();
        while held + segment.len() > budget {
            let Some(oldest) = self.kept.iter().min_by_key(|(_, k)| k.asked).map(|(uuid, _)| *uuid) else { break };
            held -= self.kept.remove(&oldest).map_or(0, |k| k.segment.len());
        }
        let added = terms.len() - self.terms.len();
        (self.terms, self.asked) = (terms, self.asked + 1);
        self.kept.insert(version, Kept { segment, added, asked: self.asked });
    }

    /// Begins a new numbering when most terms are of graphs that are gone. Queries go on with the one they have.
    fn tidy(&mut self, base: &Terms) {
        let (all, used) = (self.terms.len() - base.len(), self.kept.values().map(|k| k.added).sum::<usize>());
        if all > 2 * used + STALE {
            (self.terms, self.numbering, self.kept) = (base.clone(), self.numbering + 1, HashMap::new());
        }
    }
}

/// A version that this thread builds; however that ends, others may build it then.
struct Building<'p> {
    past: &'p Mutex<Past>,
    built: &'p Condvar,
    version: Uuid,
}

impl Drop for Building<'_> {
    fn drop(&mut self) {
        lock(self.past).building.remove(&self.version);
        self.built.notify_all();
    }
}

fn lock(past: &Mutex<Past>) -> MutexGuard<'_, Past> {
    past.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a query sees of past versions.
struct Seen {
    terms: Terms,
    segments: HashMap<Uuid, Arc<Segment>>,
}

/// The graphs of all vocabularies, as of one position of the change log.
pub struct Graphs<T> {
    /// The position.
    pub position: i64,
    terms: Terms,
    graphs: Vec<Graph>,
    /// What is in force, as one graph.
    merged: Merged,
    /// How many terms there were when numbering last began anew or was found to be worth keeping.
    checked: usize,
    past: Mutex<Past>,
    /// Told when a version is built, or given up.
    built: Condvar,
    tell: PhantomData<fn() -> T>,
}

/// The graphs that a query asks for by name; absent means what is in force.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// The graphs that the default graph is merged of.
    pub default: Option<Vec<String>>,
    /// The named graphs.
    pub named: Option<Vec<String>>,
    /// The graphs that the query names in `GRAPH`; those that do not exist are empty.
    pub mentioned: Vec<String>,
}

impl<T: Tell> Derive for Graphs<T> {
    fn derive(previous: Option<&Arc<Self>>, from: &Projections) -> Result<Option<Self>> {
        let snapshot = from.snapshot();
        let now = Point { valid: from.today(), registered: Instant::FOREVER };
        let views: Vec<View> = snapshot.planes().iter().map(|plane| from.view(plane, now, false, false)).collect();
        let kept = |view: &View| previous?.graphs.iter().find(|graph| reads_alike(&graph.view, view));
        if let Some(previous) = previous {
            let alike = previous.graphs.len() == views.len() && views.iter().all(|view| kept(view).is_some());
            if alike && previous.position == snapshot.position {
                return Ok(None);
            }
        }
        let start = previous.map(|p| p.terms.clone()).unwrap_or_default();
        let checked = previous.map_or(0, |p| p.checked);
        let (terms, graphs) = build::<T>(&views, start, kept)?;
        let (terms, graphs, checked) = if terms.len() <= checked + checked / 2 {
            (terms, graphs, checked)
        } else if previous.is_some() && used(&graphs, terms.len()) * 2 < terms.len() {
            // More than half of the terms are in no graph any more: number anew.
            drop((terms, graphs));
            let (terms, graphs) = build::<T>(&views, Terms::default(), |_| None)?;
            let checked = terms.len();
            (terms, graphs, checked)
        } else {
            let checked = terms.len();
            (terms, graphs, checked)
        };
        let merged = Merged::new(&graphs.iter().map(|g| g.segment.clone()).collect::<Vec<_>>());
        let (position, past) = (snapshot.position, Mutex::new(Past::new(terms.clone())));
        let built = Condvar::new();
        Ok(Some(Self { position, terms, graphs, merged, checked, past, built, tell: PhantomData }))
    }
}

/// Whether two views are told with the same triples.
fn reads_alike(a: &View, b: &View) -> bool {
    Arc::ptr_eq(&a.edition, &b.edition)
        && a.version.as_ref().map(|v| v.uuid) == b.version.as_ref().map(|v| v.uuid)
        && (Arc::ptr_eq(a.plane.vocabulary(), b.plane.vocabulary()) || a.plane.vocabulary() == b.plane.vocabulary())
}

fn build<'k, T: Tell>(
    views: &[View],
    mut terms: Terms,
    kept: impl Fn(&View) -> Option<&'k Graph>,
) -> Result<(Terms, Vec<Graph>)> {
    let mut graphs = Vec::with_capacity(views.len());
    for view in views {
        let segment = match kept(view) {
            Some(graph) => graph.segment.clone(),
            None => {
                let (with, segment) = segment::<T>(view, &terms, usize::MAX)?;
                terms = with;
                Arc::new(segment)
            }
        };
        graphs.push(Graph { iri: graph_iri(&view.plane), view: view.clone(), segment });
    }
    Ok((terms, graphs))
}

/// Numbers the triples of a view; more than `most` are refused. A query that builds is stopped here when it has to.
fn segment<T: Tell>(view: &View, terms: &Terms, most: usize) -> Result<(Terms, Segment)> {
    let mut growing = Growing::new(terms);
    growing.in_namespace(&view.vocabulary().fields().namespace);
    let (mut triples, mut blanks) = (Vec::new(), HashMap::<String, u32>::new());
    T::tell(view, &mut |said, triple| {
        count_down();
        if triples.len() == most {
            return Err(too_many(most));
        }
        let mut number = |term: TermRef<'_>| match term {
            TermRef::BlankNode(blank) => match blanks.get(blank.as_str()) {
                Some(known) => Ok(*known),
                None => {
                    let new = growing.blank()?;
                    blanks.insert(blank.as_str().to_owned(), new);
                    Ok(new)
                }
            },
            term => growing.number(term, said),
        };
        let subject = match triple.subject {
            NamedOrBlankNodeRef::NamedNode(n) => n.into(),
            NamedOrBlankNodeRef::BlankNode(b) => b.into(),
        };
        triples.push([number(subject)?, number(triple.predicate.into())?, number(triple.object)?]);
        Ok(())
    })?;
    drop(blanks);
    let terms = growing.finish();
    look();
    let segment = Segment::new(triples);
    look();
    Ok((terms, segment))
}

/// Numbers a graph onto other terms, which give the numbers below `same` to the same terms.
fn renumbered(segment: &Segment, terms: &Terms, same: usize, onto: &Terms) -> Result<(Terms, Segment)> {
    let (mut growing, mut known) = (Growing::new(onto), HashMap::<u32, u32>::new());
    let mut triples = Vec::with_capacity(segment.len());
    for triple in segment.triples() {
        count_down();
        let mut new = triple;
        for number in &mut new {
            if *number as usize >= same {
                *number = match known.get(number) {
                    Some(new) => *new,
                    None => {
                        let new = growing.number(terms.term(*number).as_ref(), None)?;
                        known.insert(*number, new);
                        new
                    }
                };
            }
        }
        triples.push(new);
    }
    let terms = growing.finish();
    look();
    Ok((terms, Segment::new(triples)))
}

/// How many terms the graphs use.
fn used(graphs: &[Graph], terms: usize) -> usize {
    let mut used = vec![false; terms];
    for number in graphs.iter().flat_map(|g| g.segment.triples()).flatten() {
        used[number as usize] = true;
    }
    used.into_iter().filter(|used| *used).count()
}

/// The name of a vocabulary's graph: its IRI.
fn graph_iri(plane: &Plane) -> NamedNode {
    let namespace = &plane.vocabulary().fields().namespace;
    // What is no IRI could not be told as triples either.
    NamedNode::new_unchecked(namespace.strip_suffix(['/', '#']).unwrap_or(namespace))
}

impl<T: Tell> Graphs<T> {
    /// The graphs of what is in force, by slug of the vocabulary.
    #[must_use]
    pub fn graphs(&self) -> &[Graph] {
        &self.graphs
    }

    /// The terms of the graphs of what is in force.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// How many bytes the graphs of what is in force take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.terms.bytes() + self.graphs.iter().map(|g| g.segment.bytes()).sum::<usize>()
    }

    /// The dataset of a query; graphs of past versions are built when they are not at hand, unless they have more
    /// than `budget` triples together. Under a brake the building stops with the query.
    ///
    /// # Errors
    /// [`Code::TooLarge`]; what a version cannot be told for. `Ok(Err(iri))` is a graph that does not exist.
    pub fn dataset(&self, choice: &Choice, from: &Projections, budget: usize) -> Result<Result<Dataset, String>> {
        let chosen = || choice.default.iter().chain(&choice.named).flatten();
        let mut versions: Vec<(&Graph, Arc<Version>)> = Vec::new();
        let mut looked: HashSet<&str> = self.graphs.iter().map(|g| g.iri.as_str()).collect();
        for (i, iri) in chosen().chain(&choice.mentioned).enumerate() {
            count_down();
            if !looked.insert(iri) {
                continue;
            }
            match self.version(iri) {
                Some((_, version)) if versions.iter().any(|(_, v)| v.uuid == version.uuid) => {}
                Some(version) => versions.push(version),
                // Told before anything is built.
                None if i < chosen().count() => return Ok(Err(iri.clone())),
                None => {}
            }
        }
        let past = self.past(&versions, from, budget)?;
        let find = |iri: &str| -> Option<Arc<Segment>> {
            if let Some(graph) = self.graphs.iter().find(|g| g.iri.as_str() == iri) {
                return Some(graph.segment.clone());
            }
            past.segments.get(&self.version(iri)?.1.uuid).cloned()
        };
        let default = match &choice.default {
            None => self.merged.clone(),
            Some(iris) => {
                let mut segments: Vec<Arc<Segment>> = Vec::new();
                for iri in iris {
                    let Some(segment) = find(iri) else { return Ok(Err(iri.clone())) };
                    if !segments.iter().any(|s| Arc::ptr_eq(s, &segment)) {
                        segments.push(segment);
                    }
                }
                Merged::new(&segments)
            }
        };
        let mut named: Vec<Name> = Vec::new();
        match &choice.named {
            None => {
                let name = |g: &Graph| Name { iri: g.iri.clone(), segment: g.segment.clone(), listed: true };
                named.extend(self.graphs.iter().map(name));
                for iri in &choice.mentioned {
                    if let Some(segment) = find(iri)
                        && !named.iter().any(|n| n.iri.as_str() == iri)
                    {
                        named.push(Name { iri: NamedNode::new_unchecked(iri), segment, listed: false });
                    }
                }
            }
            Some(iris) => {
                for iri in iris {
                    let Some(segment) = find(iri) else { return Ok(Err(iri.clone())) };
                    if !named.iter().any(|n| n.iri.as_str() == iri) {
                        named.push(Name { iri: NamedNode::new_unchecked(iri), segment, listed: true });
                    }
                }
            }
        }
        Ok(Ok(Dataset::new(past.terms, default, named)))
    }

    /// The version that an IRI names.
    fn version(&self, iri: &str) -> Option<(&Graph, Arc<Version>)> {
        self.graphs.iter().find_map(|graph| {
            let namespace = &graph.view.vocabulary().fields().namespace;
            let label = iri.strip_prefix(namespace.as_str())?.strip_prefix("versions/")?;
            Some((graph, graph.view.plane.version(label)?.clone()))
        })
    }

    /// The graphs of versions, and terms that number all of them.
    fn past(&self, versions: &[(&Graph, Arc<Version>)], from: &Projections, budget: usize) -> Result<Seen> {
        let mut seen = Seen { terms: self.terms.clone(), segments: HashMap::new() };
        if versions.is_empty() {
            return Ok(seen);
        }
        let numbering = {
            let mut past = lock(&self.past);
            past.tidy(&self.terms);
            past.numbering
        };
        let mut left = budget;
        for (graph, version) in versions {
            let segment = self.past_version(graph, version, from, numbering, (budget, left), &mut seen.terms)?;
            let Some(rest) = left.checked_sub(segment.len()) else { return Err(too_many(budget)) };
            left = rest;
            seen.segments.insert(version.uuid, segment);
        }
        Ok(seen)
    }

    /// The graph of a version in a numbering, and `terms` made such that they number it too.
    fn past_version(
        &self,
        graph: &Graph,
        version: &Arc<Version>,
        from: &Projections,
        numbering: u64,
        (budget, left): (usize, usize),
        terms: &mut Terms,
    ) -> Result<Arc<Segment>> {
        // Whether this query builds it for all, or in a numbering that is its own by now.
        let mut building = None;
        let mut past = lock(&self.past);
        while past.numbering == numbering {
            if let Some(segment) = past.find(version.uuid) {
                *terms = past.terms.clone();
                return Ok(segment);
            }
            if past.building.insert(version.uuid) {
                building = Some(Building { past: &self.past, built: &self.built, version: version.uuid });
                *terms = past.terms.clone();
                break;
            }
            let waited = self.built.wait_timeout(past, PATIENCE);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
            // Never under the lock: this may not return.
            look();
            past = lock(&self.past);
        }
        drop(past);
        let plane = &graph.view.plane;
        let edition: Arc<Edition> = from.edition(plane, version.point());
        look();
        let (at, named) = (version.point(), Some(version.clone()));
        let view = View { plane: plane.clone(), edition, at, version: named, named: true, pinned: true };
        let told = segment::<T>(&view, terms, left);
        let (mut with, mut segment) = told.map_err(|r| if r.code == Code::TooLarge { too_many(budget) } else { r })?;
        while building.is_some() {
            let mut past = lock(&self.past);
            if past.numbering != numbering {
                break;
            }
            if past.terms.is(terms) {
                let segment = Arc::new(segment);
                past.keep(version.uuid, segment.clone(), with.clone(), budget);
                drop(past);
                *terms = with;
                return Ok(segment);
            }
            // Another version came in between: its terms have the numbers that were given out here.
            let onto = past.terms.clone();
            drop(past);
            (with, segment) = renumbered(&segment, &with, terms.len(), &onto)?;
            *terms = onto;
        }
        *terms = with;
        Ok(Arc::new(segment))
    }
}

fn too_many(budget: usize) -> Refusal {
    Refusal::new(
        Code::TooLarge,
        format!("de versioner, forespørgslen nævner, har tilsammen mere end {budget} tripler"),
        format!("the versions that the query names have more than {budget} triples together"),
    )
    .allowed([budget.to_string()])
}
