//! What is this code, was it valid then, what replaces it: one or many at a time.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{Reference, Status, VersionName};
use super::read::unknown_concept;
use super::{At, Registry, View};
use crate::model::{Code, Instant, Place, Refusal, Result, Slug, TermStatus};
use crate::projection::Found;

/// What an identifier leads to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Resolution {
    /// The concept.
    pub uuid: Uuid,
    /// Its IRI.
    pub iri: String,
    /// The vocabulary.
    pub vocabulary: Slug,
    /// The version it is read from, when the concept is in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionName>,
    /// Whether it may be used at the date.
    pub status: Status,
    /// The notation: at the date, or the last one before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notation: Option<String>,
    /// The preferred term.
    pub label: String,
    /// From when what is said holds.
    #[schema(value_type = String)]
    pub valid_from: Instant,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub valid_to: Option<Instant>,
    /// What replaces it, when it may not be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replaced_by: Vec<Reference>,
}

/// A code to validate.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidateItem {
    /// The vocabulary: slug, uuid, IRI, OID or FHIR url.
    pub system: String,
    /// The code: notation, alias or uuid.
    pub code: String,
    /// The display that goes with it, if it is to be checked.
    #[serde(default)]
    pub display: Option<String>,
    /// The day on which the code is used; today when absent.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "2024-10-31")]
    pub date: Option<String>,
    /// The label of a version, instead of a day.
    #[serde(default)]
    pub version: Option<String>,
    /// An instant (RFC 3339): as the registry knew it then.
    #[serde(default)]
    pub registered: Option<String>,
}

/// What came of a validation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ValidationCode {
    /// The code may be used.
    Valid,
    /// The concept is in force, but under another code: see `notation`.
    OtherCode,
    /// The code may be used, but the display is not a term of the concept.
    OtherDisplay,
    /// The concept was in force before; see `replacedBy`.
    Retired,
    /// The concept comes into force later.
    Future,
    /// The vocabulary never had such a code.
    UnknownCode,
    /// There is no such vocabulary.
    UnknownSystem,
    /// The vocabulary has no such version.
    UnknownVersion,
    /// The day, the instant or their combination cannot be read.
    InvalidDate,
}

/// The answer for one code.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Validation {
    /// Whether the code may be used as it was given.
    pub valid: bool,
    /// Why.
    pub result: ValidationCode,
    /// The code that was given.
    pub code: String,
    /// What it leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concept: Option<Resolution>,
}

impl Registry {
    /// Finds a concept by its IRI, wherever it stands.
    ///
    /// # Errors
    /// [`Code::UnknownConcept`], or as [`Registry::view`].
    pub fn resolve_iri(&self, iri: &str, at: &At, language: &str) -> Result<Resolution> {
        let snapshot = self.snapshot();
        for plane in snapshot.planes() {
            let namespace = &plane.vocabulary().fields().namespace;
            let key = iri.strip_prefix(namespace.as_str()).or_else(|| iri.strip_prefix("urn:uuid:")).unwrap_or(iri);
            let view = match self.view(plane.vocabulary().slug().as_str(), at) {
                Ok(view) => view,
                // The label is another vocabulary's.
                Err(refusal) if refusal.code == Code::UnknownVersion => continue,
                Err(refusal) => return Err(refusal),
            };
            if let Some(found) = self.resolution(&view, key, language).or_else(|| self.resolution(&view, iri, language))
            {
                return Ok(found);
            }
        }
        Err(Refusal::new(Code::UnknownConcept, "intet begreb har den identifikator", "no concept has that identifier")
            .at(Place::field("uri")))
    }

    /// Finds a concept by the name of its vocabulary and a code.
    ///
    /// # Errors
    /// [`Code::UnknownVocabulary`], [`Code::UnknownConcept`], or as [`Registry::view`].
    pub fn resolve_code(&self, system: &str, code: &str, at: &At, language: &str) -> Result<Resolution> {
        let snapshot = self.snapshot();
        let plane = snapshot.planes().iter().find(|p| p.vocabulary().is_called(system));
        let plane = plane.ok_or_else(|| super::query::unknown_vocabulary(system).at(Place::field("system")))?;
        let view = self.view(plane.vocabulary().slug().as_str(), at)?;
        let found = self.resolution(&view, code, language);
        found.ok_or_else(|| unknown_concept(&view, code).at(Place::field("code")))
    }

    fn resolution(&self, view: &View, key: &str, language: &str) -> Option<Resolution> {
        let (saying, status, version) = match view.find(key) {
            Found::Here(entry) => (entry.saying(), Status::InForce, view.version.as_deref().map(VersionName::new)),
            Found::Nothing => return None,
            Found::Elsewhere(uuid) => {
                let at = view.edition.point();
                let saying = view.plane.nearest(uuid, at)?;
                let future = saying.state.valid().from() > at.valid;
                (saying, if future { Status::Future } else { Status::Retired }, None)
            }
        };
        let said = saying.state.content();
        let in_force = status == Status::InForce;
        Some(Resolution {
            uuid: saying.concept,
            iri: view.vocabulary().iri(saying.concept),
            vocabulary: view.vocabulary().slug().clone(),
            version,
            status,
            notation: said.notation.as_deref().map(ToOwned::to_owned),
            label: said.label(language).to_owned(),
            valid_from: saying.state.valid().from(),
            valid_to: Some(saying.state.valid().to()).filter(|t| t.is_finite()),
            replaced_by: if in_force { Vec::new() } else { self.replacements(&view.plane, saying.concept, language) },
        })
    }

    /// Validates a code on a day or in a version. Never fails: what is wrong with the question is an answer.
    #[must_use]
    pub fn validate(&self, item: &ValidateItem, language: &str) -> Validation {
        let answer = |result: ValidationCode, concept| Validation {
            valid: result == ValidationCode::Valid,
            result,
            code: item.code.clone(),
            concept,
        };
        let snapshot = self.snapshot();
        let Some(plane) = snapshot.planes().iter().find(|p| p.vocabulary().is_called(&item.system)) else {
            return answer(ValidationCode::UnknownSystem, None);
        };
        let at = At { version: item.version.clone(), date: item.date.clone(), registered: item.registered.clone() };
        let view = match self.view(plane.vocabulary().slug().as_str(), &at) {
            Ok(view) => view,
            Err(refusal) if refusal.code == Code::UnknownVersion => {
                return answer(ValidationCode::UnknownVersion, None);
            }
            Err(_) => return answer(ValidationCode::InvalidDate, None),
        };
        let Some(concept) = self.resolution(&view, &item.code, language) else {
            return answer(ValidationCode::UnknownCode, None);
        };
        let result = match (concept.status, view.find(&item.code)) {
            (Status::Retired, _) => ValidationCode::Retired,
            (Status::Future, _) => ValidationCode::Future,
            (Status::InForce, Found::Here(entry)) => {
                let said = entry.said();
                let own_uuid = Uuid::try_parse(&item.code).is_ok_and(|u| u == entry.uuid());
                let is_term = |display: &str| {
                    let terms = said.content().into_fields().terms;
                    terms.iter().any(|t| {
                        matches!(t.status, TermStatus::Preferred | TermStatus::Admitted)
                            && t.value.to_lowercase() == display.trim().to_lowercase()
                    })
                };
                if !own_uuid && !said.is_called(&item.code) {
                    ValidationCode::OtherCode
                } else if item.display.as_deref().is_some_and(|d| !is_term(d)) {
                    ValidationCode::OtherDisplay
                } else {
                    ValidationCode::Valid
                }
            }
            _ => ValidationCode::UnknownCode,
        };
        answer(result, Some(concept))
    }
}
