//! Values of the model as nodes, and back. Reader and writer share the way out, so that the reader can tell
//! whether a node would come back as it was.

use std::collections::HashSet;

use oxrdf::vocab::xsd;
use oxrdf::{Literal, NamedNode, Term as Node};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::vocab::{mdl, skos, source_type};
use crate::model::{Digest, Instant, Language, MappingKind, NoteKind, SourceRelation, Term, TermStatus};

/// A string as a node: an IRI when it plainly is one, else a plain literal.
pub(super) fn text_or_iri(text: &str) -> Node {
    let plainly = ["http://", "https://", "urn:"].iter().any(|scheme| text.starts_with(scheme));
    match NamedNode::new(text) {
        Ok(iri) if plainly => iri.into(),
        _ => Literal::new_simple_literal(text).into(),
    }
}

/// The string of an IRI or a literal; nothing for a blank node or an empty literal.
pub(super) fn reference(o: &Node) -> Option<String> {
    match o {
        Node::NamedNode(n) => Some(n.as_str().to_owned()),
        Node::Literal(l) if !l.value().trim().is_empty() => Some(l.value().to_owned()),
        _ => None,
    }
}

/// Fills a slot with a string; `false` when writing the slot would not give the node back.
pub(super) fn once(slot: &mut Option<String>, o: &Node) -> bool {
    let Some(text) = reference(o) else { return false };
    let exact = slot.is_none() && text_or_iri(&text) == *o;
    slot.get_or_insert(text);
    exact
}

/// Whether a literal has neither language nor datatype.
pub(super) fn is_plain(literal: &Literal) -> bool {
    literal.language().is_none() && literal.datatype() == xsd::STRING
}

/// Whether a node is a plain literal with something in it.
pub(super) fn plain(o: &Node) -> Option<&str> {
    match o {
        Node::Literal(l) if is_plain(l) && !l.value().trim().is_empty() => Some(l.value()),
        _ => None,
    }
}

/// An instant as a literal: a day when it begins one, else a timestamp; the infinities as plain words.
pub(super) fn instant(at: Instant) -> Node {
    let literal = match at.date() {
        None => Literal::new_simple_literal(at.to_string()),
        Some(day) if Instant::from_date(day) == at => Literal::new_typed_literal(day.to_string(), xsd::DATE),
        Some(_) => Literal::new_typed_literal(at.to_string(), xsd::DATE_TIME),
    };
    literal.into()
}

/// Fills a slot with an instant; `false` when writing the slot would not give the node back.
pub(super) fn once_instant(slot: &mut Option<Instant>, o: &Node) -> bool {
    let Node::Literal(literal) = o else { return false };
    let Ok(at) = literal.value().parse() else { return false };
    let exact = slot.is_none() && instant(at) == *o;
    slot.get_or_insert(at);
    exact
}

/// The IRI of the SKOS-XL label of a term, the same for ever: a concept has a term once in a language.
pub(super) fn label_iri(concept: &str, term: &Term) -> String {
    let digest = Digest::of(format!("{}\n{}", term.language, term.value)).to_string();
    // An IRI has one fragment at most.
    let joint = if concept.contains('#') { '-' } else { '#' };
    format!("{concept}{joint}term-{}", &digest[..12])
}

/// A text in a language, the region in capitals as the model has it.
pub(super) fn in_language(language: &Language, text: &str) -> Node {
    Literal::new_language_tagged_literal_unchecked(text, language.as_str()).into()
}

/// The name of a variant, as the model writes it.
pub(super) fn name_of<T: Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

/// The variant of a name, if there is one.
pub(super) fn named<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

/// The properties of notes.
const NOTES: [(NoteKind, &str); 7] = [
    (NoteKind::Scope, skos::SCOPE_NOTE),
    (NoteKind::Example, skos::EXAMPLE),
    (NoteKind::Application, mdl::APPLICATION_NOTE),
    (NoteKind::History, skos::HISTORY_NOTE),
    (NoteKind::Editorial, skos::EDITORIAL_NOTE),
    (NoteKind::Change, skos::CHANGE_NOTE),
    (NoteKind::General, skos::NOTE),
];

/// The properties of mappings.
const MAPPINGS: [(MappingKind, &str); 5] = [
    (MappingKind::Exact, skos::EXACT_MATCH),
    (MappingKind::Close, skos::CLOSE_MATCH),
    (MappingKind::Broad, skos::BROAD_MATCH),
    (MappingKind::Narrow, skos::NARROW_MATCH),
    (MappingKind::Related, skos::RELATED_MATCH),
];

/// The Norwegian list of relations to a source.
const SOURCES: [(SourceRelation, &str); 3] = [
    (SourceRelation::Own, source_type::SELF_COMPOSED),
    (SourceRelation::BasedOn, source_type::DERIVED),
    (SourceRelation::Quoted, source_type::DIRECT),
];

macro_rules! both_ways {
    ($table:ident: $kind:ident, $of_iri:ident, $iri_of:ident) => {
        pub(super) fn $of_iri(iri: &str) -> Option<$kind> {
            $table.iter().find(|(_, i)| *i == iri).map(|(k, _)| *k)
        }

        pub(super) fn $iri_of(kind: $kind) -> &'static str {
            $table.iter().find(|(k, _)| *k == kind).map_or("", |(_, i)| i)
        }
    };
}

both_ways!(NOTES: NoteKind, note_kind, note_property);
both_ways!(MAPPINGS: MappingKind, mapping_kind, mapping_property);
both_ways!(SOURCES: SourceRelation, source_relation, source_iri);

/// One term for each language and text: the strongest status, with what any of them says besides. The flag
/// tells whether something was left out.
pub(super) fn merge_terms(terms: &mut Vec<Term>) -> bool {
    let mut left_out = false;
    terms.sort_by(|a, b| (&a.language, &a.value, a.status).cmp(&(&b.language, &b.value, b.status)));
    terms.dedup_by(|next, kept| {
        if next.language != kept.language || next.value != kept.value {
            return false;
        }
        left_out |= next.status != kept.status;
        left_out |= fill(&mut kept.form, next.form.take()) | fill(&mut kept.source, next.source.take());
        if kept.status == TermStatus::Deprecated {
            left_out |= fill(&mut kept.reason, next.reason.take());
            left_out |= fill(&mut kept.use_instead, next.use_instead.take());
        }
        true
    });
    left_out
}

/// Fills an empty slot; `true` when it held something else already.
fn fill<T: PartialEq>(slot: &mut Option<T>, value: Option<T>) -> bool {
    if slot.is_none() {
        *slot = value;
        return false;
    }
    value.is_some() && *slot != value
}

/// The term that is the second preferred one in its language.
pub(super) fn second_preferred(terms: &[Term]) -> Option<&Term> {
    let mut seen = HashSet::new();
    terms.iter().filter(|t| t.status == TermStatus::Preferred).find(|t| !seen.insert(&t.language))
}
