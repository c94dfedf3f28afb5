//! The scheme and the facets: what a file says of the vocabulary itself.

use std::collections::{HashMap, HashSet};

use oxrdf::Term as Node;

use super::super::Frame;
use super::graph::{Graph, is_iri};
use super::node::{once, plain, reference, text_or_iri};
use super::read::Reader;
use super::vocab::{adms, begreb, dct, euvoc, owl, rdf, rdfs, skos};
use crate::model::{Language, Result, Text};

/// The concept scheme that a file is about.
pub(super) struct Scheme<'g> {
    /// Its IRI.
    pub(super) iri: Option<&'g str>,
    /// Where it stands among the subjects.
    pub(super) at: Option<usize>,
    /// Whether the registry wrote the file.
    pub(super) is_ours: bool,
}

impl<'g> Scheme<'g> {
    /// The scheme that most concepts are in; the first, when several have as many.
    pub(super) fn choose(graph: &'g Graph, concepts: &[usize]) -> Self {
        let mut counts: HashMap<&Node, usize> = HashMap::new();
        for at in concepts {
            let triples = &graph.subjects[*at].triples;
            let schemes = triples.iter().filter(|(p, _)| matches!(p.as_str(), skos::IN_SCHEME | skos::TOP_CONCEPT_OF));
            let schemes: HashSet<&Node> = schemes.map(|(_, o)| o).collect();
            schemes.into_iter().for_each(|scheme| *counts.entry(scheme).or_default() += 1);
        }
        let told = counts.into_iter().map(|(scheme, count)| (count, graph.find(scheme), scheme));
        // Most concepts first; then what the file describes, in its order; then by IRI.
        let best = told.min_by(|a, b| {
            let place = |at: Option<usize>| at.unwrap_or(usize::MAX);
            b.0.cmp(&a.0).then(place(a.1).cmp(&place(b.1))).then_with(|| a.2.to_string().cmp(&b.2.to_string()))
        });
        let (iri, at) = match best {
            Some((_, at, Node::NamedNode(n))) => (Some(n.as_str()), at),
            Some((_, at, _)) => (None, at),
            None => {
                let at = graph.subjects.iter().position(|s| s.has(rdf::TYPE, skos::CONCEPT_SCHEME));
                (at.map(|at| graph.subjects[at].iri()), at)
            }
        };
        let is_ours = at.is_some_and(|at| graph.subjects[at].says(begreb::POINT_VALID));
        Self { iri, at, is_ours }
    }
}

impl<'g> Reader<'g> {
    /// The frame, and which triples of the scheme have no field in it.
    pub(super) fn frame(&mut self) -> Result<(Frame, HashSet<usize>)> {
        let mut frame = Frame { iri: self.scheme.iri.map(str::to_owned), ..Frame::default() };
        let mut rest = HashSet::new();
        if let Some(at) = self.scheme.at {
            let iri = self.graph.subjects[at].iri();
            let triples = &self.graph.subjects[at].triples;
            for (i, (predicate, o)) in triples.iter().enumerate() {
                if !self.scheme_triple(&mut frame, iri, predicate.as_str(), o)? {
                    rest.insert(i);
                }
            }
            for (_, o) in triples.iter().filter(|(p, _)| matches!(p.as_str(), rdfs::LABEL | skos::PREF_LABEL)) {
                if let Some(title) = self.text_at(iri, o)? {
                    add(&mut frame.titles, title);
                }
            }
        }
        self.other_schemes();
        frame.facets = self.facets()?;
        Ok((frame, rest))
    }

    fn scheme_triple(&mut self, frame: &mut Frame, iri: &str, predicate: &str, o: &'g Node) -> Result<bool> {
        Ok(match predicate {
            rdf::TYPE => is_iri(o, skos::CONCEPT_SCHEME),
            dct::TITLE => self.text_at(iri, o)?.is_some_and(|text| add(&mut frame.titles, text)),
            dct::DESCRIPTION => self.text_at(iri, o)?.is_some_and(|text| add(&mut frame.descriptions, text)),
            dct::LICENSE => once(&mut frame.licence, o),
            owl::VERSION_INFO => {
                frame.claimed_version.is_none() && {
                    frame.claimed_version = plain(o).map(str::to_owned);
                    frame.claimed_version.is_some()
                }
            }
            dct::IDENTIFIER => reference(o).is_some_and(|identifier| {
                let exact = text_or_iri(&identifier) == *o;
                frame.identifiers.push(identifier);
                exact
            }),
            skos::HAS_TOP_CONCEPT => self.number_of(o).is_some(),
            // What we say of the vocabulary and the version, which the registry knows already.
            dct::PUBLISHER => self.scheme.is_ours && plain(o).is_some(),
            begreb::CONTACT | begreb::POINT_VALID | begreb::POINT_REGISTERED | owl::DEPRECATED => self.scheme.is_ours,
            dct::ISSUED | euvoc::START_DATE | adms::VERSION_NOTES => self.scheme.is_ours,
            _ => false,
        })
    }

    fn other_schemes(&mut self) {
        for (at, subject) in self.graph.subjects.iter().enumerate() {
            if self.scheme.at != Some(at) && subject.has(rdf::TYPE, skos::CONCEPT_SCHEME) {
                self.losses
                    .add("another concept scheme", "a file is one vocabulary; its triples are kept as statements");
            }
        }
    }

    /// The facets that the registry wrote.
    fn facets(&mut self) -> Result<Vec<(String, Vec<Text>)>> {
        let mut facets = Vec::new();
        for (at, subject) in self.graph.subjects.iter().enumerate() {
            if !self.scheme.is_ours || !subject.has(rdf::TYPE, begreb::FACET_CLASS) {
                continue;
            }
            let (mut code, mut titles) = (None, Vec::new());
            let mut exact = true;
            for (predicate, o) in &subject.triples {
                exact &= match predicate.as_str() {
                    rdf::TYPE => is_iri(o, begreb::FACET_CLASS) || is_iri(o, skos::COLLECTION),
                    skos::NOTATION => code.is_none() && once(&mut code, o),
                    skos::PREF_LABEL => self.text_at(subject.iri(), o)?.is_some_and(|text| add(&mut titles, text)),
                    _ => false,
                };
            }
            if let Some(code) = code {
                facets.push((code, titles));
                self.used[at] |= exact;
            }
        }
        Ok(facets)
    }
}

/// Adds a text, unless there is one in its language.
fn add(texts: &mut Vec<Text>, text: Text) -> bool {
    let language: &Language = &text.language;
    let new = texts.iter().all(|t| t.language != *language);
    if new {
        texts.push(text);
    }
    new
}
