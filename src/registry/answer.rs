//! The answers: what a reader is told of a vocabulary, a version, a concept. All shapes are those of the
//! JSON API; every answer says which version it comes from.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::work::Reason;
pub use crate::model::Reference;
use crate::model::{ContentFields, Instant, Label, Manifest, Slug, Version, VocabularyFields};
use crate::projection::Said;

/// A vocabulary, with where it stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VocabularyAnswer {
    /// The vocabulary itself.
    #[serde(flatten)]
    pub vocabulary: VocabularyFields,
    /// Its IRI.
    pub iri: String,
    /// Whether it was deleted (by OIO Klassifikation): it is kept up no longer, and what it says stays readable.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// How many concepts are in force today.
    pub concepts: usize,
    /// How many versions it has.
    pub versions: usize,
    /// The version in force today.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionName>,
}

/// The name of a version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct VersionName {
    /// The label.
    pub label: Label,
    /// From when it is in force.
    #[schema(value_type = String)]
    pub effective: Instant,
}

impl VersionName {
    /// The name of a version.
    #[must_use]
    pub fn new(version: &Version) -> Self {
        Self { label: version.label.clone(), effective: version.effective }
    }
}

/// A version with its manifest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VersionAnswer {
    /// The vocabulary.
    pub vocabulary: Slug,
    /// The uuid.
    pub uuid: Uuid,
    /// Its IRI.
    pub iri: String,
    /// The label.
    pub label: Label,
    /// From when it is in force.
    #[schema(value_type = String)]
    pub effective: Instant,
    /// Until when: the effective date of the version that takes over, as known now. Absent in the answer for
    /// one version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub until: Option<Instant>,
    /// When it was registered.
    #[schema(value_type = String)]
    pub registered: Instant,
    /// Who decided, and where that is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// What reviewers said of it last (OIO certification).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certification: Option<super::CertifiedAnswer>,
    /// What it holds.
    pub manifest: Manifest,
}

/// Whether a concept may be used where it is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// It is in force.
    InForce,
    /// It was in force before.
    Retired,
    /// It comes into force later.
    Future,
}

/// A concept as it is read at one point.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConceptAnswer {
    /// The uuid, for ever.
    pub uuid: Uuid,
    /// The IRI.
    pub iri: String,
    /// The vocabulary.
    pub vocabulary: Slug,
    /// The version it is read from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionName>,
    /// Whether it may be used there.
    pub status: Status,
    /// From when what is said here holds.
    #[schema(value_type = String)]
    pub valid_from: Instant,
    /// Until when; absent while no end is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub valid_to: Option<Instant>,
    /// Since when the registry says so.
    #[schema(value_type = String)]
    pub registered_from: Instant,
    /// The level, 1 at the top; absent for what is not in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<u16>,
    /// The concepts directly above.
    pub broader: Vec<Reference>,
    /// How many concepts stand directly below.
    pub narrower_count: usize,
    /// What replaces a concept that is not in force.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replaced_by: Vec<Reference>,
    /// The content; its members follow those above.
    #[serde(skip)]
    pub said: Arc<Said>,
}

/// A concept as it is read at one point.
#[derive(ToSchema)]
#[schema(as = Concept)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct ConceptDocument {
    #[schema(inline)]
    #[serde(flatten)]
    answer: ConceptAnswer,
    #[serde(flatten)]
    content: ContentFields,
}

impl ConceptAnswer {
    /// The JSON: the members above, then those of the content, whose bytes are not read again.
    ///
    /// # Panics
    /// Never: the members are JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512 + self.said.json.len());
        serde_json::to_writer(&mut out, self).expect("the members are JSON");
        out.pop();
        out.push(b',');
        out.extend_from_slice(&self.said.json.as_bytes()[1..]);
        out
    }
}

/// The history of a concept: everything that was ever said of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HistoryAnswer {
    /// The uuid.
    pub uuid: Uuid,
    /// The IRI.
    pub iri: String,
    /// The vocabulary.
    pub vocabulary: Slug,
    /// The states by validity; with everything that was ever said, by registration and then validity.
    pub states: Vec<HistoryState>,
}

/// One state of a history.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryState {
    /// From when it holds.
    #[schema(value_type = String)]
    pub valid_from: Instant,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub valid_to: Option<Instant>,
    /// Since when the registry says so.
    #[schema(value_type = String)]
    pub registered_from: Instant,
    /// Until when it said so; absent while it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub registered_to: Option<Instant>,
    /// The versions in which the concept reads so.
    pub versions: Vec<Label>,
    /// The edits of a draft that made it read so, when it came by a version that was published from one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Reason>,
    /// The decision that was carried out: `/api/v1/decisions/{uuid}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<Uuid>,
    /// The content.
    #[schema(value_type = ContentFields)]
    pub content: Box<RawValue>,
}
