//! What ties concepts together, whichever end says it.

use oxrdf::Term as Node;

use super::graph::is_iri;
use super::node::{named, once};
use super::read::{Draft, Reader};
use super::vocab::{begreb, dct, rdf, skos, skosno, xkos};
use crate::exchange::Key;
use crate::model::RelationKind::{Associative, Generic, LegalCombination, Partitive, Replaces, SeeAlso};
use crate::model::{Relation, RelationKind, Result, Text};

const OUTSIDE: &str = "the target is not a concept of the file; the triple is kept as a statement";

/// A relation between two concepts of the file, by number.
pub(super) struct Link {
    from: usize,
    kind: RelationKind,
    to: usize,
    criterion: Vec<Text>,
    role: Vec<Text>,
}

impl Link {
    fn plain(from: usize, kind: RelationKind, to: usize) -> Self {
        Self { from, kind, to, criterion: Vec::new(), role: Vec::new() }
    }

    fn key(&self) -> (usize, RelationKind, usize) {
        (self.from, self.kind, self.to)
    }
}

/// The class of the nodes that tell of a relation of a kind.
pub(super) fn relation_class(kind: RelationKind) -> &'static str {
    match kind {
        Generic => skosno::GENERIC_RELATION,
        Partitive => skosno::PARTITIVE_RELATION,
        Associative => skosno::ASSOCIATIVE_RELATION,
        SeeAlso | LegalCombination | Replaces => begreb::RELATION_CLASS,
    }
}

impl<'g> Reader<'g> {
    /// Takes a triple that relates a concept to another; `false` when it has no field.
    pub(super) fn relation(&mut self, d: &mut Draft<'g>, predicate: &str, o: &'g Node) -> Result<bool> {
        Ok(match predicate {
            skos::BROADER => self.outwards(d, Generic, predicate, o),
            skos::NARROWER => self.inwards(d, Generic, predicate, o),
            xkos::IS_PART_OF => self.outwards(d, Partitive, predicate, o),
            xkos::HAS_PART => self.inwards(d, Partitive, predicate, o),
            dct::IS_PART_OF if self.number_of(o).is_some() => {
                self.rewritten(predicate, "xkos:isPartOf");
                self.outwards(d, Partitive, predicate, o)
            }
            dct::HAS_PART if self.number_of(o).is_some() => {
                self.rewritten(predicate, "xkos:hasPart");
                self.inwards(d, Partitive, predicate, o)
            }
            // The registry says "see also" from one side or from both, and writes just that.
            skos::RELATED if self.scheme.is_ours => self.outwards(d, SeeAlso, predicate, o),
            skos::RELATED => self.outwards(d, SeeAlso, predicate, o) && self.inwards(d, SeeAlso, predicate, o),
            begreb::SEE_ALSO => self.outwards(d, SeeAlso, predicate, o),
            begreb::LEGAL_COMBINATION => self.outwards(d, LegalCombination, predicate, o),
            dct::REPLACES => self.replaces(d, o),
            dct::IS_REPLACED_BY => self.inwards(d, Replaces, predicate, o),
            skosno::HAS_GENERIC_RELATION => self.relation_node(d, Some(Generic), o)?,
            skosno::HAS_PARTITIVE_RELATION => self.relation_node(d, Some(Partitive), o)?,
            skosno::IS_FROM_CONCEPT_IN | skosno::IS_TO_CONCEPT_IN => self.relation_node(d, Some(Associative), o)?,
            begreb::RELATION => self.relation_node(d, None, o)?,
            skos::BROADER_TRANSITIVE | skos::NARROWER_TRANSITIVE | skos::SEMANTIC_RELATION => {
                self.losses.add(&format!("triple <{predicate}>"), "it follows from the direct relations");
                true
            }
            _ => false,
        })
    }

    /// The concept that a node is.
    pub(super) fn number_of(&self, o: &Node) -> Option<usize> {
        self.graph.find(o).and_then(|at| self.number[at])
    }

    fn rewritten(&mut self, predicate: &str, ours: &str) {
        self.losses.add(&format!("triple <{predicate}>"), &format!("it is written as {ours}"));
    }

    fn outwards(&mut self, d: &Draft<'g>, kind: RelationKind, predicate: &str, o: &Node) -> bool {
        let other = self.other_end(predicate, o);
        other.map(|to| self.links.push(Link::plain(d.number, kind, to))).is_some()
    }

    /// What is replaced is often no longer in the file; a concept of ours is known by its uuid all the same.
    fn replaces(&mut self, d: &mut Draft<'g>, o: &Node) -> bool {
        let gone = match o {
            Node::NamedNode(n) if self.number_of(o).is_none() => self.uuid(n.as_str()),
            _ => None,
        };
        match gone {
            Some(uuid) => {
                d.fields.relations.push(Relation::plain(Replaces, Key(uuid.to_string())));
                true
            }
            None => self.outwards(d, Replaces, dct::REPLACES, o),
        }
    }

    fn inwards(&mut self, d: &Draft<'g>, kind: RelationKind, predicate: &str, o: &Node) -> bool {
        let other = self.other_end(predicate, o);
        other.map(|from| self.links.push(Link::plain(from, kind, d.number))).is_some()
    }

    fn other_end(&mut self, predicate: &str, o: &Node) -> Option<usize> {
        let other = self.number_of(o);
        if other.is_none() {
            self.losses.add(&format!("relation <{predicate}>"), OUTSIDE);
        }
        other
    }

    /// Takes a relation that is told in a node of its own. An end that the node does not name is the concept
    /// that points to it.
    fn relation_node(&mut self, d: &mut Draft<'g>, kind: Option<RelationKind>, o: &'g Node) -> Result<bool> {
        let Some(at) = self.satellite(o) else { return Ok(false) };
        let mut exact = true;
        let mut ends = [const { Vec::new() }; 2];
        let (mut criterion, mut role, mut name) = (Vec::new(), Vec::new(), None);
        for (predicate, o) in &self.graph.subjects[at].triples {
            let predicate = predicate.as_str();
            exact &= match predicate {
                rdf::TYPE => is_iri(o, kind.map_or(begreb::RELATION_CLASS, relation_class)),
                skosno::HAS_SPECIFIC | skosno::HAS_PARTITIVE | skosno::HAS_FROM => {
                    ends[0].push(self.other_end(predicate, o));
                    true
                }
                skosno::HAS_GENERIC | skosno::HAS_COMPREHENSIVE | skosno::HAS_TO | begreb::TO => {
                    ends[1].push(self.other_end(predicate, o));
                    true
                }
                begreb::KIND => once(&mut name, o),
                dct::DESCRIPTION => self.text(d, o)?.map(|text| criterion.push(text)).is_some(),
                skosno::RELATION_ROLE => self.text(d, o)?.map(|text| role.push(text)).is_some(),
                _ => false,
            };
        }
        let Some(kind) = kind.or_else(|| name.as_deref().and_then(named)) else { return Ok(false) };
        let (from, to) = match ends.each_ref().map(Vec::as_slice) {
            [[], [Some(to)]] => (d.number, *to),
            [[Some(from)], []] => (*from, d.number),
            [[Some(from)], [Some(to)]] => (*from, *to),
            _ => return Ok(false),
        };
        exact &= kind == Associative || !criterion.is_empty() || !role.is_empty();
        self.links.push(Link { from, kind, to, criterion, role });
        Ok(exact && self.consume(at, o, ""))
    }

    /// Gives every concept its relations: one for each kind and target, with the criteria and roles of all
    /// that say it.
    pub(super) fn settle_links(&mut self, drafts: &mut [Draft<'g>]) {
        let mut links = std::mem::take(&mut self.links);
        links.sort_by_key(Link::key);
        links.dedup_by(|next, kept| {
            let same = next.key() == kept.key();
            if same {
                add_missing(&mut kept.criterion, std::mem::take(&mut next.criterion));
                add_missing(&mut kept.role, std::mem::take(&mut next.role));
            }
            same
        });
        for Link { from, kind, to, criterion, role } in links {
            let target = self.key(to);
            drafts[from].fields.relations.push(Relation { kind, target, criterion, role });
        }
    }
}

fn add_missing(texts: &mut Vec<Text>, more: Vec<Text>) {
    for text in more {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
}
