//! Nodes beside a concept that tell more of it: SKOS-XL labels, definitions with a source, identifiers, laws.
//!
//! The fields are read in any case. The node is taken in only when writing the fields gives its triples back
//! and nothing else refers to it; otherwise it is kept as statements besides.

use oxrdf::Term as Node;

use super::graph::is_iri;
use super::node::{is_plain, label_iri, named, once, once_instant, plain, reference, source_relation, text_or_iri};
use super::read::{Draft, Reader, define};
use super::vocab::{adms, begreb, dct, euvoc, rdf, skos, skosno, skosxl};
use crate::model::{Alias, Definition, LegalBasis, Result, Term, TermStatus, Text};

/// The most triples of such a node. Many concepts may point to one, and each reads it.
const LARGEST: usize = 256;

impl<'g> Reader<'g> {
    /// A term as a resource of its own.
    pub(super) fn xl_label(&mut self, d: &mut Draft<'g>, status: TermStatus, o: &'g Node) -> Result<bool> {
        let Some(at) = self.satellite(o) else { return Ok(false) };
        let mut exact = true;
        let mut forms = Vec::new();
        let (mut form, mut source, mut reason, mut use_instead) = (None, None, None, None);
        for (predicate, o) in &self.graph.subjects[at].triples {
            exact &= match predicate.as_str() {
                rdf::TYPE => is_iri(o, skosxl::LABEL),
                skosxl::LITERAL_FORM => self.text(d, o)?.map(|text| forms.push(text)).is_some(),
                begreb::FORM => once(&mut form, o),
                dct::SOURCE => once(&mut source, o),
                begreb::REASON => once(&mut reason, o),
                begreb::USE_INSTEAD => once(&mut use_instead, o),
                _ => false,
            };
        }
        let [text] = &mut forms[..] else { return Ok(false) };
        let mut term = Term::plain(text.language.clone(), status, std::mem::take(&mut text.text));
        let named_form = form.as_deref().and_then(named);
        exact &= form.is_some() == named_form.is_some();
        term.form = named_form;
        term.source = source;
        if status == TermStatus::Deprecated {
            (term.reason, term.use_instead) = (reason, use_instead);
        } else {
            // Only deprecated terms are written with these, and only telling labels are written at all.
            exact &= reason.is_none() && use_instead.is_none() && (term.form.is_some() || term.source.is_some());
        }
        let own = label_iri(d.iri, &term);
        d.fields.terms.push(term);
        Ok(exact && self.consume(at, o, &own))
    }

    /// A node beside a concept that tells more of it.
    pub(super) fn satellite(&self, o: &Node) -> Option<usize> {
        let at = self.graph.find(o)?;
        (self.number[at].is_none() && self.graph.subjects[at].triples.len() <= LARGEST).then_some(at)
    }

    /// Takes a whole node in, unless something else refers to it.
    pub(super) fn consume(&mut self, at: usize, o: &Node, own_iri: &str) -> bool {
        let private = match o {
            Node::BlankNode(blank) => self.graph.references(blank) == 1,
            other => is_iri(other, own_iri),
        };
        self.used[at] |= private;
        private
    }

    /// A definition with its source and audience.
    pub(super) fn xl_definition(&mut self, d: &mut Draft<'g>, o: &'g Node) -> Result<bool> {
        let Some(at) = self.satellite(o) else { return Ok(false) };
        let mut exact = true;
        let mut texts = Vec::new();
        let (mut source, mut audience, mut relation) = (None, None, None);
        for (predicate, o) in &self.graph.subjects[at].triples {
            exact &= match predicate.as_str() {
                rdf::TYPE => is_iri(o, euvoc::XL_NOTE),
                rdf::VALUE => self.text(d, o)?.map(|text| texts.push(text)).is_some(),
                dct::SOURCE => once(&mut source, o),
                dct::AUDIENCE => once(&mut audience, o),
                skosno::RELATIONSHIP_WITH_SOURCE => once(&mut relation, o),
                _ => false,
            };
        }
        let source_relation = relation.as_deref().and_then(source_relation);
        exact &= relation.is_some() == source_relation.is_some() && !texts.is_empty();
        for Text { language, text } in texts {
            let new =
                Definition { language, audience: audience.clone(), text, source: source.clone(), source_relation };
            exact &= define(d, new);
        }
        Ok(exact && self.consume(at, o, ""))
    }

    /// An identifier with its system and dates.
    pub(super) fn alias_node(&mut self, d: &mut Draft<'g>, o: &'g Node) -> bool {
        let Some(at) = self.satellite(o) else { return false };
        let mut exact = true;
        let (mut value, mut datatype, mut system) = (None, None, None);
        let (mut from, mut to) = (None, None);
        for (predicate, o) in &self.graph.subjects[at].triples {
            exact &= match predicate.as_str() {
                rdf::TYPE => is_iri(o, adms::IDENTIFIER_CLASS),
                skos::NOTATION => once_notation(&mut value, &mut datatype, o),
                begreb::SYSTEM => once(&mut system, o),
                euvoc::START_DATE => once_instant(&mut from, o),
                euvoc::END_DATE => once_instant(&mut to, o),
                _ => false,
            };
        }
        let Some(value) = value else { return false };
        d.fields.aliases.push(Alias { value, system: system.or(datatype), from, to });
        exact && self.consume(at, o, "")
    }

    /// The law, named, pointed to or told in full.
    pub(super) fn legal_basis(&mut self, d: &mut Draft<'g>, o: &'g Node) -> bool {
        let Some(at) = self.satellite(o) else { return plain_legal_basis(d, o) };
        let mut exact = true;
        let mut basis = LegalBasis::default();
        let mut law = None;
        for (predicate, o) in &self.graph.subjects[at].triples {
            exact &= match predicate.as_str() {
                rdf::TYPE => is_iri(o, begreb::LEGAL_BASIS_CLASS),
                begreb::LAW => once(&mut law, o),
                begreb::PARAGRAPH => once(&mut basis.paragraph, o),
                begreb::ELI => once(&mut basis.eli, o),
                euvoc::START_DATE => once_instant(&mut basis.from, o),
                euvoc::END_DATE => once_instant(&mut basis.to, o),
                _ => false,
            };
        }
        let Some(law) = law else { return plain_legal_basis(d, o) };
        basis.law = law;
        d.fields.legal_basis.push(basis);
        exact && self.consume(at, o, "")
    }
}

/// The notation of an `adms:Identifier`, with its datatype.
fn once_notation(value: &mut Option<String>, datatype: &mut Option<String>, o: &Node) -> bool {
    let Node::Literal(literal) = o else { return false };
    if value.is_some() || literal.value().trim().is_empty() || literal.language().is_some() {
        return false;
    }
    *value = Some(literal.value().to_owned());
    *datatype = (!is_plain(literal)).then(|| literal.datatype().as_str().to_owned());
    is_plain(literal)
}

/// A law that is only named, or only pointed to.
fn plain_legal_basis(d: &mut Draft<'_>, o: &Node) -> bool {
    let Some(law) = reference(o) else { return false };
    let exact = match o {
        Node::NamedNode(_) => text_or_iri(&law) == *o,
        _ => plain(o).is_some(),
    };
    let eli = matches!(o, Node::NamedNode(_)).then(|| law.clone());
    d.fields.legal_basis.push(LegalBasis { law, eli, ..LegalBasis::default() });
    exact
}
