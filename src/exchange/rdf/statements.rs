//! What has no field: kept as statements, with the concept when it hangs from one, else with the document.
//!
//! Blank nodes get the labels `_:b0`, `_:b1`, … in an order that depends on the triples and not on the
//! parser's labels: for each concept afresh, and once for the document.

use std::collections::{HashMap, HashSet, VecDeque};

use oxrdf::{BlankNode, NamedNode, NamedOrBlankNode, Term as Node};

use super::graph::{Graph, Subject};
use crate::model::Statement;

type Triple = (NamedNode, Node);

/// Labels of blank nodes, in the order in which they are met.
#[derive(Default)]
struct Labels<'g>(HashMap<&'g BlankNode, usize>);

impl<'g> Labels<'g> {
    fn blank(&mut self, blank: &'g BlankNode) -> String {
        let next = self.0.len();
        format!("_:b{}", self.0.entry(blank).or_insert(next))
    }

    fn node(&mut self, node: &'g Node) -> String {
        match node {
            Node::BlankNode(blank) => self.blank(blank),
            other => other.to_string(),
        }
    }

    fn subject(&mut self, subject: &'g Subject) -> String {
        match &subject.name {
            NamedOrBlankNode::BlankNode(blank) => self.blank(blank),
            NamedOrBlankNode::NamedNode(iri) => iri.to_string(),
        }
    }

    fn statement(&mut self, subject: Option<String>, (predicate, object): &'g Triple) -> Statement {
        Statement { subject, predicate: predicate.to_string(), object: self.node(object) }
    }
}

/// Gathers statements.
pub(super) struct Keeper<'g> {
    graph: &'g Graph,
    number: &'g [Option<usize>],
    used: Vec<bool>,
    labels: Labels<'g>,
    statements: Vec<Statement>,
}

impl<'g> Keeper<'g> {
    /// `number` tells which subjects are concepts, `used` which have been taken in.
    pub(super) fn new(graph: &'g Graph, number: &'g [Option<usize>], used: Vec<bool>) -> Self {
        Self { graph, number, used, labels: Labels::default(), statements: Vec::new() }
    }

    /// The statements of a concept: the triples at `kept`, and all that hangs from them alone. A triple that
    /// leads to a node which others share goes to the document, with its subject.
    pub(super) fn concept(&mut self, at: usize, kept: &[usize]) -> Vec<Statement> {
        if kept.is_empty() {
            return Vec::new();
        }
        let subject = &self.graph.subjects[at];
        let triples = kept.iter().map(|i| &subject.triples[*i]);
        let (own, shared): (Vec<_>, Vec<_>) = triples.partition(|(_, o)| self.is_private(o));
        for triple in shared {
            let name = self.labels.subject(subject);
            let statement = self.labels.statement(Some(name), triple);
            self.statements.push(statement);
        }
        let mut labels = Labels::default();
        let mut statements = Vec::with_capacity(own.len());
        let mut queue = VecDeque::from([(None, own)]);
        while let Some((subject, mut triples)) = queue.pop_front() {
            sort(&mut triples);
            for triple in triples {
                statements.push(labels.statement(subject.clone(), triple));
                if let Some((at, name)) = self.graph.find(&triple.1).zip(statements.last().map(|s| &s.object))
                    && matches!(triple.1, Node::BlankNode(_))
                {
                    self.used[at] = true;
                    queue.push_back((Some(name.clone()), self.graph.subjects[at].triples.iter().collect()));
                }
            }
        }
        statements
    }

    /// Whether nothing else refers to a node, nor to any below it. A node that is referred to once is on no
    /// cycle that can be entered, so the search ends.
    fn is_private(&self, node: &'g Node) -> bool {
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            let Node::BlankNode(blank) = node else { continue };
            let at = self.graph.find(node);
            if self.graph.references(blank) != 1 || at.is_some_and(|at| self.number[at].is_some() || self.used[at]) {
                return false;
            }
            open.extend(at.into_iter().flat_map(|at| self.graph.subjects[at].triples.iter().map(|(_, o)| o)));
        }
        true
    }

    /// The statements of the document: of the scheme those at `scheme_rest`, of all others everything.
    pub(super) fn document(mut self, scheme: Option<usize>, scheme_rest: &HashSet<usize>) -> Vec<Statement> {
        for (at, subject) in self.graph.subjects.iter().enumerate() {
            if self.used[at] || self.number[at].is_some() {
                continue;
            }
            let is_scheme = scheme == Some(at);
            for (i, triple) in subject.triples.iter().enumerate() {
                if !is_scheme || scheme_rest.contains(&i) {
                    let name = self.labels.subject(subject);
                    let statement = self.labels.statement(Some(name), triple);
                    self.statements.push(statement);
                }
            }
        }
        self.statements
    }
}

/// Sorts by predicate, literals before IRIs before blank nodes. Blank nodes stay as they come: their labels
/// mean nothing.
fn sort(triples: &mut [&Triple]) {
    triples.sort_by_cached_key(|(predicate, object)| {
        let object = match object {
            Node::BlankNode(_) => "_:".to_owned(),
            other => other.to_string(),
        };
        (predicate.to_string(), object)
    });
}
