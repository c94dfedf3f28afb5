//! What a search takes and what it answers: the shapes of the JSON API.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::model::{NoteKind, Slug, TermStatus};
use crate::registry::answer::{Reference, Status};

/// What is searched for, and where.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SearchFilter {
    /// Words in any form and order, half a word, a phrase in quotes, a notation or another identifier.
    #[param(example = "hjemmehjælp", required = true)]
    pub q: Option<String>,
    /// Only these vocabularies: slugs with commas between.
    #[param(example = "fsiii,ffb")]
    pub vocabulary: Option<String>,
    /// Only vocabularies of these kinds: `terminology`, `classification`, `codeList`, `legalBasis`.
    pub kind: Option<String>,
    /// Only concepts that stand so: `inForce`, `future`, `retired`, with commas between. A version has only the first.
    pub status: Option<String>,
    /// Only texts in this language.
    #[param(example = "da")]
    pub language: Option<String>,
    /// Only concepts of this facet.
    pub facet: Option<String>,
    /// Only what stands below this concept, or is it: a notation, uuid or alias of the one vocabulary searched.
    pub under: Option<String>,
    /// Only this level; 1 is the top.
    pub level: Option<u16>,
    /// Only concepts with a mapping to this vocabulary (slug) or IRI.
    pub mapping: Option<String>,
    /// `relevance` (usual), `term` or `notation`.
    #[param(inline)]
    pub sort: Option<Sort>,
}

/// The order of hits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Sort {
    /// Best first.
    #[default]
    Relevance,
    /// By the preferred term, as Danish sorts.
    Term,
    /// By the notation, numbers by their size.
    Notation,
}

/// What was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchAnswer {
    /// How many concepts on all pages.
    pub total: usize,
    /// No concept answers all of the query: these answer some of it.
    pub partial: bool,
    /// Words that were taken to be misspelt, and for what.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<Correction>,
    /// How many of each vocabulary, by slug.
    pub vocabularies: BTreeMap<String, usize>,
    /// How many of each status.
    pub statuses: BTreeMap<String, usize>,
    /// The hits of this page.
    pub hits: Vec<SearchHit>,
    /// The cursor of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A word that was taken to be misspelt.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Correction {
    /// As it was typed.
    pub word: String,
    /// The words of the texts that it may be, as a hit of this page spells them; else with letters as they are
    /// compared (`ae` for `æ`).
    pub taken: Vec<String>,
}

/// A concept that was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchHit {
    /// The uuid.
    pub uuid: Uuid,
    /// The IRI.
    pub iri: String,
    /// The vocabulary.
    pub vocabulary: Slug,
    /// Whether it may be used at the point that was read.
    pub status: Status,
    /// The notation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notation: Option<String>,
    /// The preferred term.
    pub label: String,
    /// The concepts directly above.
    pub broader: Vec<Reference>,
    /// What answers the query best.
    pub why: SearchWhy,
    /// What to use instead: the hit is there for a deprecated or hidden term.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_instead: Option<String>,
    /// What replaces a concept that is not in force.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replaced_by: Vec<Reference>,
    /// The texts that answer the query, with what answers marked.
    pub matches: Vec<Match>,
}

/// What of a concept answers a query; the best is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum SearchWhy {
    /// The notation or another identifier is the query.
    Code,
    /// A preferred term is the query.
    PreferredTerm,
    /// Another term is the query.
    OtherTerm,
    /// A term or the notation begins with the query.
    Beginning,
    /// All words stand in terms.
    Terms,
    /// All words stand in terms and definitions.
    Definition,
    /// All words stand in the concept, some only in notes.
    Notes,
    /// Some of the words stand in the concept.
    Some,
}

/// A text of a concept that answers the query.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Match {
    /// Which text it is.
    pub field: MatchField,
    /// The status of a term.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<TermStatus>,
    /// The kind of a note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<NoteKind>,
    /// Its language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The text in pieces; of a long one the part around what answers.
    pub pieces: Vec<Piece>,
}

/// The texts of a concept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are those of the concept's members")]
pub enum MatchField {
    Notation,
    Alias,
    Term,
    Definition,
    Note,
    LegalBasis,
}

/// A piece of a text.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Piece {
    /// The piece.
    pub text: String,
    /// Whether it answers the query.
    #[serde(rename = "match", skip_serializing_if = "std::ops::Not::not")]
    pub marked: bool,
}

/// Suggestions for what is being typed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SuggestAnswer {
    /// The suggestions, best first.
    pub suggestions: Vec<Suggestion>,
}

/// A suggested concept.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Suggestion {
    /// The term or notation that begins so.
    pub matched: String,
    /// The status of that term; absent for a notation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term_status: Option<TermStatus>,
    /// What to use instead, when that term is deprecated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_instead: Option<String>,
    /// The uuid.
    pub uuid: Uuid,
    /// The IRI.
    pub iri: String,
    /// The vocabulary.
    pub vocabulary: Slug,
    /// Whether it may be used at the point that was read.
    pub status: Status,
    /// The notation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notation: Option<String>,
    /// The preferred term.
    pub label: String,
    /// The concepts directly above.
    pub broader: Vec<Reference>,
}
