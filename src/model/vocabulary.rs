//! A vocabulary: the frame that concepts live in, and who decides over them.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::identifier::Slug;
use super::oio::OioObject;
use super::refusal::{Code, Refusal, Result};
use super::text::{Language, Text};

/// What a vocabulary is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Concepts with terms and definitions (ISO 1087).
    Terminology,
    /// Classes that partition a field.
    Classification,
    /// A plain list of codes.
    CodeList,
    /// Paragraphs of laws.
    LegalBasis,
}

/// How a version comes to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Governance {
    /// Draft, hearing, decision.
    Hearing,
    /// Draft, decision.
    Committee,
    /// An editor publishes.
    Direct,
    /// An outside authority publishes; its editions are imported.
    Mirror,
}

impl Governance {
    /// Whether a version may be published without a decision of a committee.
    #[must_use]
    pub fn publishes_without_decision(self) -> bool {
        matches!(self, Self::Direct | Self::Mirror)
    }
}

/// One dimension of a classification (OIO: facet).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Facet {
    /// The uuid, for ever.
    pub uuid: Uuid,
    /// The code, unique in the vocabulary.
    pub code: String,
    /// What OIO Klassifikation says of it, where it was written by that interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oio: Option<OioObject>,
    /// Its name.
    pub titles: Vec<Text>,
}

// The open form; Vocabulary is the lawful one.
/// A vocabulary.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VocabularyFields {
    /// The uuid, for ever.
    pub uuid: Uuid,
    /// The short name in addresses.
    pub slug: Slug,
    /// The titles, one for each language.
    pub titles: Vec<Text>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub descriptions: Vec<Text>,
    /// What it is.
    pub kind: Kind,
    /// How a version comes to be.
    pub governance: Governance,
    /// Whether who wrote a draft cannot publish it alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub four_eyes: bool,
    /// What the IRIs of its concepts begin with; ends with `/` or `#`.
    pub namespace: String,
    /// What others call it: OID as `urn:oid:…`, FHIR url.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<String>,
    /// The organisation that owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Where to write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// The licence, an IRI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Its languages; texts without one are in the first.
    pub languages: Vec<Language>,
    /// Its facets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facets: Vec<Facet>,
    /// What OIO Klassifikation says of it, where it was written by that interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oio: Option<OioObject>,
    /// The facets that were deleted: concepts may still name their codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deleted_facets: Vec<Facet>,
}

/// A lawful vocabulary: it has a title, a language and a namespace, and its facets have codes of their own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "VocabularyFields", into = "VocabularyFields")]
pub struct Vocabulary(VocabularyFields);

impl Vocabulary {
    /// Makes fields lawful.
    ///
    /// # Errors
    /// [`Code::Unlawful`] with the field that breaks a law.
    pub fn new(fields: VocabularyFields) -> Result<Self> {
        let refuse = |field: &str, da: &str, en: &str| {
            Err(Refusal::new(Code::Unlawful, da, en).at(super::refusal::Place::field(field)))
        };
        if fields.titles.is_empty() {
            return refuse("titles", "ordforrådet har ingen titel", "the vocabulary has no title");
        }
        let mut languages = HashSet::new();
        if !fields.titles.iter().all(|t| languages.insert(&t.language)) {
            return refuse("titles", "to titler på samme sprog", "two titles in one language");
        }
        if fields.languages.is_empty() {
            return refuse("languages", "ordforrådet har intet sprog", "the vocabulary has no language");
        }
        let lawful_end = fields.namespace.ends_with(['/', '#']);
        if !lawful_end || !fields.namespace.contains(':') || fields.namespace.contains(char::is_whitespace) {
            return refuse(
                "namespace",
                "navnerummet skal være en IRI, der ender på / eller #",
                "the namespace must be an IRI that ends with / or #",
            );
        }
        let mut codes = HashSet::new();
        if !fields.facets.iter().all(|f| !f.code.is_empty() && codes.insert(&f.code)) {
            return refuse("facets", "to facetter med samme kode", "two facets with one code");
        }
        Ok(Self(fields))
    }

    /// The fields, to read.
    #[must_use]
    pub fn fields(&self) -> &VocabularyFields {
        &self.0
    }

    /// The uuid.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        self.0.uuid
    }

    /// The short name.
    #[must_use]
    pub fn slug(&self) -> &Slug {
        &self.0.slug
    }

    /// The title for a reader of `language`.
    #[must_use]
    pub fn title(&self, language: &str) -> &str {
        Text::choose(&self.0.titles, language).unwrap_or_default()
    }

    /// Whether OIO Klassifikation deleted it: it is kept up no longer, and what it says stays readable.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.0.oio.as_ref().is_some_and(OioObject::is_deleted)
    }

    /// The IRI of a concept.
    #[must_use]
    pub fn iri(&self, concept: Uuid) -> String {
        format!("{}{concept}", self.0.namespace)
    }

    /// The language of texts that name none.
    #[must_use]
    pub fn default_language(&self) -> &Language {
        &self.0.languages[0]
    }

    /// Whether an outside name means this vocabulary: slug, uuid, namespace or foreign identifier.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        let f = &self.0;
        f.slug.as_str() == name
            || f.namespace == name
            || f.namespace.strip_suffix(['/', '#']) == Some(name)
            || f.identifiers.iter().any(|i| i == name || i.strip_prefix("urn:oid:") == Some(name))
            || Uuid::parse_str(name).is_ok_and(|u| u == f.uuid)
    }
}

impl TryFrom<VocabularyFields> for Vocabulary {
    type Error = Refusal;

    fn try_from(fields: VocabularyFields) -> Result<Self> {
        Self::new(fields)
    }
}

impl From<Vocabulary> for VocabularyFields {
    fn from(vocabulary: Vocabulary) -> Self {
        vocabulary.0
    }
}
