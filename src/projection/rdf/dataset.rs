//! What one query sees, and how oxigraph's evaluator reads it.

use std::convert::Infallible;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use oxrdf::{NamedNode, Term};
use spareval::{ExpressionTerm, InternalQuad, QueryableDataset};

use super::brake::{Stopped, count_down, stop_for};
use super::segment::{Segment, Walk};
use super::terms::Terms;

/// The longest text that a query may make.
const LONGEST: usize = 1 << 20;

/// A term as the evaluator holds it: its number, or the term itself where the query made it.
#[derive(Debug)]
pub enum Value {
    /// A term of the graphs.
    Known(u32),
    /// A term that no graph has.
    Made(Rc<Term>),
}

// The evaluator copies, compares and hashes these wherever it is: that is where a query is stopped.
impl Clone for Value {
    #[inline]
    fn clone(&self) -> Self {
        count_down();
        match self {
            Self::Known(number) => Self::Known(*number),
            Self::Made(term) => Self::Made(term.clone()),
        }
    }
}

impl PartialEq for Value {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        count_down();
        match (self, other) {
            (Self::Known(a), Self::Known(b)) => a == b,
            (Self::Made(a), Self::Made(b)) => a == b,
            // What is known is never made.
            _ => false,
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        count_down();
        match self {
            Self::Known(number) => state.write_u32(*number),
            Self::Made(term) => term.hash(state),
        }
    }
}

/// A named graph of a dataset.
#[derive(Clone, Debug)]
pub struct Name {
    /// Its IRI.
    pub iri: NamedNode,
    /// What it holds.
    pub segment: Arc<Segment>,
    /// Whether `GRAPH ?g` comes to it; else only its IRI does.
    pub listed: bool,
}

/// Graphs that are read as one: what an earlier one says is not said again.
#[derive(Clone, Debug, Default)]
pub struct Merged(Arc<[Part]>);

#[derive(Debug)]
struct Part {
    segment: Arc<Segment>,
    /// The earlier graphs that have a subject in common with it.
    earlier: Vec<usize>,
}

impl Merged {
    /// Merges graphs whose numbers are those of the same terms.
    #[must_use]
    pub fn new(graphs: &[Arc<Segment>]) -> Self {
        let part = |(i, segment): (usize, &Arc<Segment>)| {
            let earlier = (0..i).filter(|e| graphs[*e].shares_subjects(segment)).collect();
            Part { segment: segment.clone(), earlier }
        };
        Self(graphs.iter().enumerate().map(part).collect())
    }
}

#[derive(Debug)]
struct Inner {
    terms: Terms,
    default: Merged,
    named: Vec<(Value, Name)>,
}

/// What one query sees: a default graph, merged of several, and named graphs.
#[derive(Clone, Debug)]
pub struct Dataset(Rc<Inner>);

impl Dataset {
    /// A dataset of graphs whose numbers are those of `terms`.
    #[must_use]
    pub fn new(terms: Terms, default: Merged, named: Vec<Name>) -> Self {
        let value = |name: Name| {
            let iri = Term::from(name.iri.clone());
            let value = terms.number(iri.as_ref()).map_or_else(|| Value::Made(Rc::new(iri)), Value::Known);
            (value, name)
        };
        let named = named.into_iter().map(value).collect();
        Self(Rc::new(Inner { terms, default, named }))
    }

    /// The graphs that a pattern is read in, as places in the list of scans: the default graph's parts come first.
    fn places(&self, graph: Option<Option<&Value>>) -> Vec<usize> {
        let (parts, named) = (self.0.default.0.len(), self.0.named.iter().enumerate());
        match graph {
            Some(None) => (0..parts).collect(),
            Some(Some(wanted)) => named.filter(|(_, (value, _))| value == wanted).map(|(i, _)| parts + i).collect(),
            None => named.filter(|(_, (_, name))| name.listed).map(|(i, _)| parts + i).collect(),
        }
    }

    fn segment(&self, place: usize) -> &Segment {
        let parts = self.0.default.0.len();
        if place < parts { &self.0.default.0[place].segment } else { &self.0.named[place - parts].1.segment }
    }
}

/// The triples of a pattern, graph by graph.
pub struct Scan {
    dataset: Dataset,
    pattern: [Option<u32>; 3],
    places: std::vec::IntoIter<usize>,
    now: Option<(usize, Walk)>,
}

impl Iterator for Scan {
    type Item = Result<InternalQuad<Value>, Infallible>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            count_down();
            let inner = &self.dataset.0;
            let Some((place, walk)) = &mut self.now else {
                let place = self.places.next()?;
                let [s, p, o] = self.pattern;
                self.now = Some((place, self.dataset.segment(place).walk(s, p, o)));
                continue;
            };
            let Some(triple) = self.dataset.segment(*place).step(walk) else {
                self.now = None;
                continue;
            };
            let graph_name = match inner.default.0.get(*place) {
                Some(part) if part.earlier.iter().any(|e| inner.default.0[*e].segment.contains(triple)) => continue,
                Some(_) => None,
                None => Some(inner.named[*place - inner.default.0.len()].0.clone()),
            };
            let [subject, predicate, object] = triple.map(Value::Known);
            return Some(Ok(InternalQuad { subject, predicate, object, graph_name }));
        }
    }
}

impl QueryableDataset<'static> for Dataset {
    type InternalTerm = Value;
    type Error = Infallible;

    fn internal_quads_for_pattern(
        &self,
        subject: Option<&Value>,
        predicate: Option<&Value>,
        object: Option<&Value>,
        graph_name: Option<Option<&Value>>,
    ) -> impl Iterator<Item = Result<InternalQuad<Value>, Infallible>> + use<> {
        count_down();
        let wanted = [subject, predicate, object];
        let pattern = wanted.map(|term| match term {
            Some(Value::Known(number)) => Some(*number),
            _ => None,
        });
        // No graph has a term that the query made.
        let nowhere = wanted.iter().any(|term| matches!(term, Some(Value::Made(_))));
        let places = if nowhere { Vec::new() } else { self.places(graph_name) };
        Scan { dataset: self.clone(), pattern, places: places.into_iter(), now: None }
    }

    fn internal_named_graphs(&self) -> impl Iterator<Item = Result<Value, Infallible>> + use<> {
        let listed = self.0.named.iter().filter(|(_, name)| name.listed);
        listed.map(|(value, _)| Ok(value.clone())).collect::<Vec<_>>().into_iter()
    }

    fn contains_internal_graph_name(&self, graph_name: &Value) -> Result<bool, Infallible> {
        Ok(self.0.named.iter().any(|(value, _)| value == graph_name))
    }

    fn internalize_term(&self, term: Term) -> Result<Value, Infallible> {
        count_down();
        let text = match &term {
            Term::NamedNode(iri) => iri.as_str(),
            Term::BlankNode(blank) => blank.as_str(),
            Term::Literal(literal) => literal.value(),
        };
        if text.len() > LONGEST {
            stop_for(Stopped::Size);
        }
        Ok(self.0.terms.number(term.as_ref()).map_or_else(|| Value::Made(Rc::new(term)), Value::Known))
    }

    fn externalize_term(&self, term: Value) -> Result<Term, Infallible> {
        count_down();
        Ok(match term {
            Value::Known(number) => self.0.terms.term(number),
            Value::Made(term) => Rc::unwrap_or_clone(term),
        })
    }

    fn externalize_expression_term(&self, term: Value) -> Result<ExpressionTerm, Infallible> {
        Ok(self.externalize_term(term)?.into())
    }
}
