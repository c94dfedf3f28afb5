//! The graphs of all vocabularies, derived of a snapshot.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use oxrdf::{NamedNode, NamedOrBlankNodeRef, TermRef, TripleRef};
use uuid::Uuid;

use super::dataset::{Dataset, Merged, Name};
use super::segment::Segment;
use super::terms::{Growing, Terms};
use crate::model::{Instant, Point, Result, Version};
use crate::projection::{Derive, Edition, Plane, Projections, Said, View};

/// How many triples the graphs of past versions may have together; beyond, they are built anew when asked for.
const PAST_BUDGET: usize = 4_000_000;

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

/// The graphs of past versions that were asked for.
#[derive(Default)]
struct Past {
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
        let (position, past) = (snapshot.position, Mutex::default());
        Ok(Some(Self { position, terms, graphs, merged, checked, past, tell: PhantomData }))
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
                let (with, segment) = segment::<T>(view, &terms)?;
                terms = with;
                Arc::new(segment)
            }
        };
        graphs.push(Graph { iri: graph_iri(&view.plane), view: view.clone(), segment });
    }
    Ok((terms, graphs))
}

/// Numbers the triples of a view.
fn segment<T: Tell>(view: &View, terms: &Terms) -> Result<(Terms, Segment)> {
    let mut growing = Growing::new(terms);
    growing.in_namespace(&view.vocabulary().fields().namespace);
    let (mut triples, mut blanks) = (Vec::new(), HashMap::<String, u32>::new());
    T::tell(view, &mut |said, triple| {
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
    Ok((growing.finish(), Segment::new(triples)))
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

    /// The dataset of a query; graphs of past versions are built when they are not at hand.
    ///
    /// # Errors
    /// What a version cannot be told for. `Ok(Err(iri))` is a graph that does not exist.
    pub fn dataset(&self, choice: &Choice, from: &Projections) -> Result<Result<Dataset, String>> {
        let chosen = choice.default.iter().chain(&choice.named).flatten();
        let versions: Vec<(&Graph, Arc<Version>)> =
            chosen.chain(&choice.mentioned).filter_map(|iri| self.version(iri)).collect();
        let past = self.with_past(&versions, from)?;
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
    fn with_past(&self, versions: &[(&Graph, Arc<Version>)], from: &Projections) -> Result<Past> {
        if versions.is_empty() {
            return Ok(Past { terms: self.terms.clone(), segments: HashMap::new() });
        }
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let held: usize = past.segments.values().map(|s| s.len()).sum();
        let coming: usize = versions.iter().map(|(graph, _)| graph.segment.len()).sum();
        if past.terms.is_empty() || held + coming > PAST_BUDGET {
            *past = Past { terms: self.terms.clone(), segments: HashMap::new() };
        }
        let mut wanted = HashMap::new();
        for (graph, version) in versions {
            if !past.segments.contains_key(&version.uuid) {
                let plane = &graph.view.plane;
                let edition: Arc<Edition> = from.edition(plane, version.point());
                let (at, version) = (version.point(), Some(version.clone()));
                let view = View { plane: plane.clone(), edition, at, version, named: true, pinned: true };
                let (terms, segment) = segment::<T>(&view, &past.terms)?;
                past.terms = terms;
                past.segments.insert(view.version.as_ref().map_or_else(Uuid::nil, |v| v.uuid), Arc::new(segment));
            }
            wanted.insert(version.uuid, past.segments[&version.uuid].clone());
        }
        Ok(Past { terms: past.terms.clone(), segments: wanted })
    }
}
