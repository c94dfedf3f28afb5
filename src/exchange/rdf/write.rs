//! From concepts to triples, one concept at a time.
//!
//! A triple that says a relation from its other end (`skos:narrower`, `xkos:hasPart`) is written when both
//! concepts have been: a concept knows its children, but not in which way they are below it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, BufWriter, Write};

use oxrdf::{BlankNode, Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, Term as Node, TripleRef};
use oxrdfio::RdfSerializer;
use uuid::Uuid;

use super::super::{Format, Outgoing, OutgoingConcept};
use super::node::{in_language, instant, label_iri, mapping_property, name_of, note_property, source_iri, text_or_iri};
use super::relations::relation_class;
use super::syntax;
use super::vocab::{PREFIXES, adms, begreb, dct, euvoc, mdl, owl, rdf, skos, skosno, skosxl, xkos, xsd};
use crate::model::{
    Alias, Content, Definition, Instant, LegalBasis, Relation, RelationKind, Statement, Term, TermStatus, Text,
    Vocabulary,
};

/// What takes in triples, one at a time.
type Sink<'a> = &'a mut dyn FnMut(TripleRef<'_>) -> io::Result<()>;

/// Writes an edition as RDF.
///
/// # Errors
/// What the writer fails with; [`io::ErrorKind::InvalidData`] for what the syntax cannot say: a namespace or
/// a statement that is no RDF.
pub(in crate::exchange) fn write(format: Format, edition: Outgoing<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut serializer = RdfSerializer::from_format(syntax(format));
    for (name, iri) in PREFIXES {
        serializer = serializer.with_prefix(name, iri).map_err(invalid)?;
    }
    let mut serializer = serializer.for_writer(BufWriter::new(out));
    triples(edition, &mut |triple| serializer.serialize_triple(triple))?;
    serializer.finish()?.flush()
}

/// Tells an edition as triples: those of [`write`], in that order.
///
/// # Errors
/// As there.
pub(in crate::exchange) fn triples(edition: Outgoing<'_>, out: Sink<'_>) -> io::Result<()> {
    let namespace = &edition.vocabulary.fields().namespace;
    let scheme = named_node(namespace.strip_suffix(['/', '#']).unwrap_or(namespace))?;
    let mut writer =
        Writer { out, vocabulary: edition.vocabulary, scheme, blanks: 0, later: Vec::new(), links: Links::default() };
    writer.scheme(&edition)?;
    for concept in edition.concepts {
        writer.concept(&concept)?;
    }
    writer.links_to_nowhere()?;
    if let Some(version) = edition.version {
        writer.statements(None, &version.statements)?;
    }
    Ok(())
}

struct Writer<'a> {
    out: Sink<'a>,
    vocabulary: &'a Vocabulary,
    scheme: NamedNode,
    /// How many blank nodes there are so far.
    blanks: u64,
    /// Triples that wait for the end of the concept, so that its own stand together.
    later: Vec<(NamedOrBlankNode, &'static str, Node)>,
    links: Links,
}

/// What must be remembered of the concepts that have been written, to tell relations from both ends.
#[derive(Default)]
struct Links {
    /// The superordinates of each written concept.
    broader: HashMap<Uuid, Vec<Uuid>>,
    /// Of concepts not yet written: the inverse triples that wait for them.
    inverse: HashMap<Uuid, Vec<(&'static str, Uuid)>>,
    /// Of concepts not yet written: those that say "see also" to them.
    related: BTreeMap<Uuid, Vec<Uuid>>,
}

impl Links {
    /// Whether one of two written concepts is above the other.
    fn in_line(&self, a: Uuid, b: Uuid) -> bool {
        self.is_above(a, b) || self.is_above(b, a)
    }

    fn is_above(&self, upper: Uuid, lower: Uuid) -> bool {
        let mut seen = HashSet::from([lower]);
        let mut open = vec![lower];
        while let Some(concept) = open.pop() {
            if concept == upper {
                return true;
            }
            open.extend(self.broader.get(&concept).into_iter().flatten().filter(|parent| seen.insert(**parent)));
        }
        false
    }
}

impl Writer<'_> {
    fn put(&mut self, subject: &NamedOrBlankNode, predicate: &str, object: &Node) -> io::Result<()> {
        // Predicates are constants of `vocab`.
        let predicate = NamedNodeRef::new_unchecked(predicate);
        (self.out)(TripleRef { subject: subject.as_ref(), predicate, object: object.as_ref() })
    }

    fn put_texts(&mut self, subject: &NamedOrBlankNode, predicate: &str, texts: &[Text]) -> io::Result<()> {
        texts.iter().try_for_each(|t| self.put(subject, predicate, &in_language(&t.language, &t.text)))
    }

    fn blank(&mut self) -> BlankNode {
        self.blanks += 1;
        BlankNode::new_unchecked(format!("n{}", self.blanks))
    }

    fn iri(&self, concept: Uuid) -> NamedNode {
        // A lawful namespace was checked with the scheme, and a uuid adds nothing that is not allowed.
        NamedNode::new_unchecked(self.vocabulary.iri(concept))
    }

    fn scheme(&mut self, edition: &Outgoing<'_>) -> io::Result<()> {
        let f = self.vocabulary.fields();
        let scheme = NamedOrBlankNode::from(self.scheme.clone());
        self.put(&scheme, rdf::TYPE, &iri(skos::CONCEPT_SCHEME))?;
        self.put_texts(&scheme, dct::TITLE, &f.titles)?;
        self.put_texts(&scheme, dct::DESCRIPTION, &f.descriptions)?;
        let licence = f.licence.iter().map(|x| (dct::LICENSE, text_or_iri(x)));
        let owner = f.owner.iter().map(|x| (dct::PUBLISHER, literal(x)));
        let contact = f.contact.iter().map(|x| (begreb::CONTACT, text_or_iri(x)));
        let identifiers = f.identifiers.iter().map(|x| (dct::IDENTIFIER, text_or_iri(x)));
        let version = edition.version.into_iter().flat_map(|v| {
            let said = [
                (owl::VERSION_INFO, literal(v.label.as_str())),
                (dct::ISSUED, instant(v.registered)),
                (euvoc::START_DATE, instant(v.effective)),
            ];
            said.into_iter().chain(v.decision.iter().map(|d| (adms::VERSION_NOTES, literal(d))))
        });
        let point = [
            (begreb::POINT_VALID, instant(edition.point.valid)),
            (begreb::POINT_REGISTERED, instant(edition.point.registered)),
        ];
        let deleted = self.vocabulary.is_deleted().then(|| (owl::DEPRECATED, yes()));
        let all = licence.chain(owner).chain(contact).chain(identifiers).chain(version).chain(point).chain(deleted);
        for (predicate, object) in all {
            self.put(&scheme, predicate, &object)?;
        }
        for facet in &f.facets {
            let node = named_node(&format!("{}facet-{}", f.namespace, facet.uuid))?.into();
            self.put(&node, rdf::TYPE, &iri(skos::COLLECTION))?;
            self.put(&node, rdf::TYPE, &iri(begreb::FACET_CLASS))?;
            self.put(&node, skos::NOTATION, &text_or_iri(&facet.code))?;
            self.put_texts(&node, skos::PREF_LABEL, &facet.titles)?;
        }
        Ok(())
    }

    fn concept(&mut self, concept: &OutgoingConcept) -> io::Result<()> {
        let f = concept.content.fields();
        let subject = NamedOrBlankNode::from(self.iri(concept.uuid));
        let scheme = Node::from(self.scheme.clone());
        self.put(&subject, rdf::TYPE, &iri(skos::CONCEPT))?;
        self.put(&subject, skos::IN_SCHEME, &scheme)?;
        if concept.is_top {
            self.put(&subject, skos::TOP_CONCEPT_OF, &scheme)?;
            self.later.push((self.scheme.clone().into(), skos::HAS_TOP_CONCEPT, node(&subject)));
        }
        if let Some(notation) = &f.notation {
            self.put(&subject, skos::NOTATION, &literal(notation))?;
        }
        f.terms.iter().try_for_each(|term| self.term(&subject, term))?;
        f.definitions.iter().try_for_each(|d| self.definition(&subject, d, &f.definitions))?;
        for note in &f.notes {
            self.put(&subject, note_property(note.kind), &in_language(&note.language, &note.text))?;
        }
        f.aliases.iter().try_for_each(|alias| self.alias(&subject, alias, f.notation.as_deref()))?;
        f.legal_basis.iter().try_for_each(|basis| self.legal_basis(&subject, basis))?;
        self.put_texts(&subject, dct::SUBJECT, &f.subject_fields)?;
        if let Some(facet) = &f.facet {
            self.put(&subject, begreb::FACET, &literal(facet))?;
        }
        for mapping in &f.mappings {
            let target = NamedNode::new(mapping.target.as_str()).map_or_else(|_| literal(&mapping.target), Node::from);
            self.put(&subject, mapping_property(mapping.kind), &target)?;
        }
        self.relations(concept.uuid, &subject, &concept.content)?;
        self.validity(&subject, concept)?;
        self.statements(Some(&subject), &f.statements)?;
        for (subject, predicate, object) in std::mem::take(&mut self.later) {
            self.put(&subject, predicate, &object)?;
        }
        Ok(())
    }

    /// Links a node of its own class to a concept; its triples wait in `later`.
    fn beside(&mut self, subject: &NamedOrBlankNode, predicate: &str, class: &str) -> io::Result<NamedOrBlankNode> {
        let beside = NamedOrBlankNode::from(self.blank());
        self.put(subject, predicate, &node(&beside))?;
        self.later.push((beside.clone(), rdf::TYPE, iri(class)));
        Ok(beside)
    }

    /// Says of a node what there is to say.
    fn add(&mut self, beside: &NamedOrBlankNode, predicate: &'static str, values: impl IntoIterator<Item = Node>) {
        self.later.extend(values.into_iter().map(|value| (beside.clone(), predicate, value)));
    }

    fn term(&mut self, subject: &NamedOrBlankNode, term: &Term) -> io::Result<()> {
        let (plain, xl) = match term.status {
            TermStatus::Preferred => (skos::PREF_LABEL, skosxl::PREF_LABEL),
            TermStatus::Admitted => (skos::ALT_LABEL, skosxl::ALT_LABEL),
            TermStatus::Hidden => (skos::HIDDEN_LABEL, skosxl::HIDDEN_LABEL),
            TermStatus::Deprecated => (mdl::DEPRECATED_LABEL, begreb::DEPRECATED_XL_LABEL),
        };
        let text = in_language(&term.language, &term.value);
        self.put(subject, plain, &text)?;
        if term.status != TermStatus::Deprecated && term.form.is_none() && term.source.is_none() {
            return Ok(());
        }
        let label = match subject {
            NamedOrBlankNode::NamedNode(concept) => named_node(&label_iri(concept.as_str(), term))?,
            NamedOrBlankNode::BlankNode(_) => return Ok(()),
        };
        self.put(subject, xl, &label.clone().into())?;
        let label = label.into();
        self.add(&label, rdf::TYPE, [iri(skosxl::LABEL)]);
        self.add(&label, skosxl::LITERAL_FORM, [text]);
        self.add(&label, begreb::FORM, term.form.map(|form| literal(&name_of(form))));
        self.add(&label, dct::SOURCE, term.source.as_deref().map(text_or_iri));
        self.add(&label, begreb::REASON, term.reason.as_deref().map(text_or_iri));
        self.add(&label, begreb::USE_INSTEAD, term.use_instead.as_deref().map(text_or_iri));
        Ok(())
    }

    fn definition(&mut self, subject: &NamedOrBlankNode, d: &Definition, all: &[Definition]) -> io::Result<()> {
        let text = in_language(&d.language, &d.text);
        self.put(subject, skos::DEFINITION, &text)?;
        let bare = d.audience.is_none() && d.source.is_none() && d.source_relation.is_none();
        // The plain text alone would be taken for that of another definition in the same words.
        let alone = all.iter().filter(|other| other.language == d.language && other.text == d.text).count() == 1;
        if bare && alone {
            return Ok(());
        }
        let note = self.beside(subject, euvoc::XL_DEFINITION, euvoc::XL_NOTE)?;
        self.add(&note, rdf::VALUE, [text]);
        self.add(&note, dct::SOURCE, d.source.as_deref().map(text_or_iri));
        self.add(&note, dct::AUDIENCE, d.audience.as_deref().map(text_or_iri));
        self.add(&note, skosno::RELATIONSHIP_WITH_SOURCE, d.source_relation.map(|r| iri(source_iri(r))));
        Ok(())
    }

    fn alias(&mut self, subject: &NamedOrBlankNode, alias: &Alias, notation: Option<&str>) -> io::Result<()> {
        let undated = alias.from.is_none() && alias.to.is_none();
        if undated && alias.system.is_none() {
            return self.put(subject, dct::IDENTIFIER, &literal(&alias.value));
        }
        if let Some(typed) = typed_notation(alias, notation).filter(|_| undated) {
            return self.put(subject, skos::NOTATION, &typed);
        }
        let identifier = self.beside(subject, adms::IDENTIFIER, adms::IDENTIFIER_CLASS)?;
        self.add(&identifier, skos::NOTATION, [literal(&alias.value)]);
        self.add(&identifier, begreb::SYSTEM, alias.system.as_deref().map(text_or_iri));
        self.add(&identifier, euvoc::START_DATE, alias.from.map(instant));
        self.add(&identifier, euvoc::END_DATE, alias.to.map(instant));
        Ok(())
    }

    fn legal_basis(&mut self, subject: &NamedOrBlankNode, basis: &LegalBasis) -> io::Result<()> {
        if basis.paragraph.is_none() && basis.from.is_none() && basis.to.is_none() {
            match &basis.eli {
                None => return self.put(subject, mdl::LEGAL_SOURCE, &literal(&basis.law)),
                Some(eli) if *eli == basis.law && matches!(text_or_iri(eli), Node::NamedNode(_)) => {
                    return self.put(subject, mdl::LEGAL_SOURCE, &text_or_iri(eli));
                }
                Some(_) => {}
            }
        }
        let law = self.beside(subject, mdl::LEGAL_SOURCE, begreb::LEGAL_BASIS_CLASS)?;
        self.add(&law, begreb::LAW, [text_or_iri(&basis.law)]);
        self.add(&law, begreb::PARAGRAPH, basis.paragraph.as_deref().map(text_or_iri));
        self.add(&law, begreb::ELI, basis.eli.as_deref().map(text_or_iri));
        self.add(&law, euvoc::START_DATE, basis.from.map(instant));
        self.add(&law, euvoc::END_DATE, basis.to.map(instant));
        Ok(())
    }

    fn relations(&mut self, uuid: Uuid, subject: &NamedOrBlankNode, content: &Content) -> io::Result<()> {
        self.links.broader.insert(uuid, content.targets(RelationKind::Generic).collect());
        for (predicate, other) in self.links.inverse.remove(&uuid).unwrap_or_default() {
            let other = self.iri(other).into();
            self.put(subject, predicate, &other)?;
        }
        for relation in &content.fields().relations {
            self.relation(uuid, subject, relation)?;
        }
        for other in self.links.related.remove(&uuid).unwrap_or_default() {
            let predicate = self.related(uuid, other);
            self.later.push((self.iri(other).into(), predicate, node(subject)));
        }
        Ok(())
    }

    fn relation(&mut self, uuid: Uuid, subject: &NamedOrBlankNode, relation: &Relation) -> io::Result<()> {
        let target = Node::from(self.iri(relation.target));
        match relation.kind {
            RelationKind::Generic => {
                self.put(subject, skos::BROADER, &target)?;
                self.inverse(relation.target, skos::NARROWER, uuid);
            }
            RelationKind::Partitive => {
                self.put(subject, xkos::IS_PART_OF, &target)?;
                self.inverse(relation.target, xkos::HAS_PART, uuid);
            }
            RelationKind::Associative => {}
            RelationKind::SeeAlso if self.links.broader.contains_key(&relation.target) => {
                self.put(subject, self.related(uuid, relation.target), &target)?;
            }
            RelationKind::SeeAlso => self.links.related.entry(relation.target).or_default().push(uuid),
            RelationKind::LegalCombination => self.put(subject, begreb::LEGAL_COMBINATION, &target)?,
            RelationKind::Replaces => self.put(subject, dct::REPLACES, &target)?,
        }
        self.relation_node(subject, relation, target)
    }

    /// A relation that has more to say gets a node; an associative one is nothing but its node.
    fn relation_node(&mut self, subject: &NamedOrBlankNode, relation: &Relation, target: Node) -> io::Result<()> {
        let (link, end) = match relation.kind {
            RelationKind::Generic => (skosno::HAS_GENERIC_RELATION, skosno::HAS_GENERIC),
            RelationKind::Partitive => (skosno::HAS_PARTITIVE_RELATION, skosno::HAS_COMPREHENSIVE),
            RelationKind::Associative => (skosno::IS_FROM_CONCEPT_IN, skosno::HAS_TO),
            _ => (begreb::RELATION, begreb::TO),
        };
        if relation.kind != RelationKind::Associative && relation.criterion.is_empty() && relation.role.is_empty() {
            return Ok(());
        }
        let beside = self.beside(subject, link, relation_class(relation.kind))?;
        if link == begreb::RELATION {
            self.add(&beside, begreb::KIND, [literal(&name_of(relation.kind))]);
        }
        self.add(&beside, end, [target]);
        let texts = |texts: &[Text]| texts.iter().map(|t| in_language(&t.language, &t.text)).collect::<Vec<_>>();
        self.add(&beside, dct::DESCRIPTION, texts(&relation.criterion));
        self.add(&beside, skosno::RELATION_ROLE, texts(&relation.role));
        Ok(())
    }

    /// Says a relation from its other end: at once, or when that is written.
    fn inverse(&mut self, upper: Uuid, predicate: &'static str, lower: Uuid) {
        if self.links.broader.contains_key(&upper) {
            self.later.push((self.iri(upper).into(), predicate, self.iri(lower).into()));
        } else {
            self.links.inverse.entry(upper).or_default().push((predicate, lower));
        }
    }

    /// The property for "see also" between two written concepts. SKOS S27: `skos:related` is disjoint with
    /// `skos:broaderTransitive`.
    fn related(&self, a: Uuid, b: Uuid) -> &'static str {
        if self.links.in_line(a, b) { begreb::SEE_ALSO } else { skos::RELATED }
    }

    /// "See also" to concepts that are not in the edition.
    fn links_to_nowhere(&mut self) -> io::Result<()> {
        for (target, concepts) in std::mem::take(&mut self.links.related) {
            let target = Node::from(self.iri(target));
            for concept in concepts {
                let concept = self.iri(concept).into();
                self.put(&concept, skos::RELATED, &target)?;
            }
        }
        Ok(())
    }

    fn validity(&mut self, subject: &NamedOrBlankNode, concept: &OutgoingConcept) -> io::Result<()> {
        let is_date = |s: &Statement| {
            let predicate = s.predicate.trim_matches(['<', '>']);
            s.subject.is_none() && matches!(predicate, euvoc::START_DATE | euvoc::END_DATE)
        };
        if concept.content.fields().statements.iter().any(is_date) {
            let yes = Literal::from(true).into();
            return self.put(subject, begreb::KEEPS_DATES, &yes);
        }
        let said = [(euvoc::START_DATE, concept.valid.from()), (euvoc::END_DATE, concept.valid.to())];
        said.into_iter()
            .filter(|(_, at): &(_, Instant)| at.is_finite())
            .try_for_each(|(predicate, at)| self.put(subject, predicate, &instant(at)))
    }

    /// Statements as they came; blank nodes get labels that no other has.
    fn statements(&mut self, concept: Option<&NamedOrBlankNode>, statements: &[Statement]) -> io::Result<()> {
        let mut labels = HashMap::new();
        let mut sorted: Vec<&Statement> = statements.iter().collect();
        if concept.is_some() {
            // `_:b10` comes after `_:b9`, and so gets the same label when it is read again.
            sorted.sort_by_key(|s| {
                let label = s.subject.as_deref().unwrap_or_default();
                let blank = s.object.starts_with("_:");
                (label.len(), label, &s.predicate, if blank { (2, s.object.len()) } else { (1, 0) }, &s.object)
            });
        }
        for s in sorted {
            let own = concept.map(node);
            let subject = s.subject.as_deref().map(|subject| self.kept_node(subject, &mut labels)).transpose()?;
            let subject = match subject.or(own) {
                Some(Node::NamedNode(n)) => NamedOrBlankNode::from(n),
                Some(Node::BlankNode(b)) => b.into(),
                _ => return Err(invalid(format!("the statement {} {} has no subject", s.predicate, s.object))),
            };
            let Node::NamedNode(predicate) = self.kept_node(&s.predicate, &mut labels)? else {
                return Err(invalid(format!("the predicate {} is not an IRI", s.predicate)));
            };
            let object = self.kept_node(&s.object, &mut labels)?;
            (self.out)(TripleRef::new(&subject, &predicate, &object))?;
        }
        Ok(())
    }

    fn kept_node<'s>(&mut self, text: &'s str, labels: &mut HashMap<&'s str, BlankNode>) -> io::Result<Node> {
        if text.starts_with("_:") {
            return Ok(labels.entry(text).or_insert_with(|| self.blank()).clone().into());
        }
        text.parse().map_err(|e| invalid(format!("the statement's {text} is not a term of N-Triples: {e}")))
    }
}

/// An alias of a system as a notation of that datatype, when a reader can tell it from the notation itself.
fn typed_notation(alias: &Alias, notation: Option<&str>) -> Option<Node> {
    let (notation, system) = notation.zip(alias.system.as_deref())?;
    if system == xsd::STRING {
        // Of several plain notations the first is the concept's own.
        return (alias.value.as_str() > notation).then(|| literal(&alias.value));
    }
    let tagged = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString";
    let datatype = NamedNode::new(system).ok().filter(|_| system != tagged)?;
    Some(Literal::new_typed_literal(alias.value.as_str(), datatype).into())
}

pub(super) fn iri(constant: &str) -> Node {
    NamedNode::new_unchecked(constant).into()
}

fn yes() -> Node {
    Literal::from(true).into()
}

pub(super) fn literal(text: &str) -> Node {
    Literal::new_simple_literal(text).into()
}

fn node(subject: &NamedOrBlankNode) -> Node {
    subject.clone().into()
}

pub(super) fn named_node(iri: &str) -> io::Result<NamedNode> {
    NamedNode::new(iri).map_err(|e| invalid(format!("<{iri}> is not an IRI: {e}")))
}

pub(super) fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
