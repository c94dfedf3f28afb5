//! The parts of a concept record (ISO 704, ISO 1087; SKOS): terms, definitions, notes, legal basis, relations,
//! mappings, other identifiers.
//!
//! The fields of every type stand in the order of their JSON names, so writing them out is canonical.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::text::{Language, Text};
use super::time::Instant;

/// How a term is looked upon (ISO 1087, 3.4.14 to 3.4.16; SKOS labels).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum TermStatus {
    /// The term to use: one for each language (skos:prefLabel).
    Preferred,
    /// A synonym that may be used (skos:altLabel).
    Admitted,
    /// A term not to use; it says why and what to use instead.
    Deprecated,
    /// Found by search, never shown (skos:hiddenLabel).
    Hidden,
}

/// The form of a term (ISO 12620: term type).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are ISO 12620's own")]
pub enum TermForm {
    FullForm,
    ShortForm,
    Abbreviation,
    Acronym,
    Symbol,
    Variant,
}

/// A term of a concept in a language.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Term {
    /// Its form, where it matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<TermForm>,
    /// The language.
    pub language: Language,
    /// Why a deprecated term is deprecated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where the term is taken from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// How the term is looked upon.
    pub status: TermStatus,
    /// What to use instead of a deprecated term.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_instead: Option<String>,
    /// The term itself.
    pub value: String,
}

impl Term {
    /// A plain term without form or source.
    #[must_use]
    pub fn plain(language: Language, status: TermStatus, value: impl Into<String>) -> Self {
        Self { language, status, value: value.into(), form: None, source: None, reason: None, use_instead: None }
    }
}

/// How a definition relates to its source (SKOS-AP-NO: relationshipWithSource).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum SourceRelation {
    /// Written by the group itself.
    Own,
    /// Built on the source.
    BasedOn,
    /// Quoted word for word.
    Quoted,
}

/// A definition in a language, for everyone or for one audience.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Definition {
    /// For whom it is written; everyone when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The language.
    pub language: Language,
    /// Where it is taken from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// How it relates to that source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_relation: Option<SourceRelation>,
    /// The text; `[[term]]` and `[[shown||term]]` link to concepts.
    pub text: String,
}

impl Definition {
    /// A definition for everyone, without a source.
    #[must_use]
    pub fn plain(language: Language, text: impl Into<String>) -> Self {
        Self { language, audience: None, text: text.into(), source: None, source_relation: None }
    }
}

/// What a note is for (SKOS documentation properties; `application` is the field's "anvendelsesnote").
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum NoteKind {
    /// What the concept covers (skos:scopeNote).
    Scope,
    /// skos:example.
    Example,
    /// How to register with the concept.
    Application,
    /// skos:historyNote.
    History,
    /// skos:editorialNote.
    Editorial,
    /// skos:changeNote.
    Change,
    /// A comment of no particular kind (skos:note).
    General,
}

/// A note in a language.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// What it is for.
    pub kind: NoteKind,
    /// The language.
    pub language: Language,
    /// The text.
    pub text: String,
}

/// The law that a concept rests on.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LegalBasis {
    /// The European Legislation Identifier, an IRI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eli: Option<String>,
    /// From when the law says so; included.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub from: Option<Instant>,
    /// The law's name, as it is cited: `Serviceloven`.
    pub law: String,
    /// The paragraph: `§ 83 a, stk. 1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paragraph: Option<String>,
    /// Until when; not included.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub to: Option<Instant>,
}

/// The kinds of relation. Hierarchical ones are kept on the narrower concept and point upwards.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum RelationKind {
    /// The target is the superordinate generic concept (skos:broader; OIO: overordnetklasse).
    Generic,
    /// The target is the whole of which this is a part.
    Partitive,
    /// The target is associated, in a role.
    Associative,
    /// See also (skos:related without a role; OIO: sideordnede).
    SeeAlso,
    /// The target may lawfully be combined with this class (OIO: lovligekombinationer).
    LegalCombination,
    /// The target is replaced by this concept (dct:replaces; OIO: erstatter).
    Replaces,
}

/// A relation to another concept of the registry. `T` is how the target is named: its uuid once it is known.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(bound = "")]
pub struct Relation<T = Uuid> {
    /// The subdivision criterion (inddelingskriterium) of a hierarchical relation.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub criterion: Vec<Text>,
    /// The kind.
    pub kind: RelationKind,
    /// The role of the target in an associative relation.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub role: Vec<Text>,
    /// The other concept.
    #[schema(value_type = Uuid)]
    pub target: T,
}

impl<T> Relation<T> {
    /// A relation without criterion or role.
    pub fn plain(kind: RelationKind, target: T) -> Self {
        Self { kind, target, criterion: Vec::new(), role: Vec::new() }
    }
}

/// How well a concept of another vocabulary matches (SKOS mapping properties).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are SKOS's own")]
pub enum MappingKind {
    Exact,
    Close,
    Broad,
    Narrow,
    Related,
}

/// A mapping to a concept of another vocabulary.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The SKOS match type.
    pub kind: MappingKind,
    /// The IRI of the other concept.
    pub target: String,
}

/// Another identifier of the concept.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    /// From when it may be used; included. Absent: as long as the state that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub from: Option<Instant>,
    /// Whose identifier it is, an IRI; the vocabulary's own when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Until when; not included.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub to: Option<Instant>,
    /// The identifier.
    pub value: String,
}

impl Alias {
    /// An alias without a validity of its own.
    #[must_use]
    pub fn plain(value: impl Into<String>) -> Self {
        Self { value: value.into(), system: None, from: None, to: None }
    }
}

/// A triple that the registry has no field for, kept as it came. Terms are written as in N-Triples.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The object: `<http://…>`, `"text"@da`, `"1"^^<http://…>` or `_:b0`.
    pub object: String,
    /// The predicate: `<http://…>`.
    pub predicate: String,
    /// The subject; the concept itself when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}
