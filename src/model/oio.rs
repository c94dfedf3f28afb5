//! What OIO Klassifikation says and the registry has no field for (docs/oio.md): kept beside the fields, so that
//! whoever wrote it by that interface reads it there again. Names are the standard's own.
//!
//! The fields of every type stand in the order of their JSON names, so writing them out is canonical.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::refusal::Result;
use super::time::{Instant, Period};

/// Who asserts something, and what they note on it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OioAssertion {
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aktoerref: Option<Uuid>,
    /// What that is: `Organisation`, `Bruger`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aktoertypekode: Option<String>,
    /// The note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notetekst: Option<String>,
}

impl OioAssertion {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An index word whose description or category a term cannot say.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OioWord {
    /// What it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub beskrivelse: String,
    /// The word: a term of the content.
    pub soegeordidentifikator: String,
    /// Its category.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub soegeordskategori: String,
}

/// A relation that the content has no field for, or what its field cannot say of it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OioRelation {
    /// Whether the content has the relation itself, and this only tells more of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub har_felt: bool,
    /// Its name: `redaktoerer`, `ejer`, …
    pub navn: String,
    /// What the target is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objekttype: Option<String>,
    /// The target: a URN, or `urn:uuid:` and a uuid.
    pub til: String,
    /// Who asserts it.
    #[serde(default, skip_serializing_if = "OioAssertion::is_empty")]
    pub virkning: OioAssertion,
}

/// Whether a state is one that all readers see.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
pub enum OioHidden {
    /// OIO says that it is not published.
    IkkePubliceret,
    /// OIO does not say whether it is published.
    Uoplyst,
}

/// What OIO says of a state of a concept beside its content.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OioExtras {
    /// Who asserts the attributes.
    #[serde(default, skip_serializing_if = "OioAssertion::is_empty")]
    pub egenskaber: OioAssertion,
    /// Foreign identifiers and the like, a text that the registry does not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integrationsdata: Option<String>,
    /// Why no reader but those of OIO sees the state; absent when all do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publiceret: Option<OioHidden>,
    /// Relations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relationer: Vec<OioRelation>,
    /// Index words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub soegeord: Vec<OioWord>,
    /// Who asserts whether it is published.
    #[serde(default, skip_serializing_if = "OioAssertion::is_empty")]
    pub tilstand: OioAssertion,
}

impl OioExtras {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// In the one order, without repetitions.
    pub(super) fn settle(&mut self) {
        self.relationer.sort();
        self.relationer.dedup();
        self.soegeord.sort_by(|a, b| a.soegeordidentifikator.cmp(&b.soegeordidentifikator).then_with(|| a.cmp(b)));
        self.soegeord.dedup();
    }
}

/// When something of a klassifikation or a facet holds, and who asserts it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OioSpan {
    /// From when; included.
    #[schema(value_type = String)]
    pub from: Instant,
    /// Until when; not included.
    #[schema(value_type = String)]
    pub to: Instant,
    /// Who asserts it.
    #[serde(default, skip_serializing_if = "OioAssertion::is_empty")]
    pub virkning: OioAssertion,
}

impl OioSpan {
    /// The period.
    ///
    /// # Errors
    /// [`super::Code::EmptyPeriod`].
    pub fn period(&self) -> Result<Period> {
        Period::new(self.from, self.to)
    }
}

/// What OIO says over a period.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OioPart {
    /// The attributes, or `publiceret`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub felter: BTreeMap<String, String>,
    /// When.
    pub gaelder: OioSpan,
}

/// A relation of a klassifikation or a facet over a period.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OioLink {
    /// When.
    pub gaelder: OioSpan,
    /// Its name.
    pub navn: String,
    /// What the target is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objekttype: Option<String>,
    /// The target: a URN, or `urn:uuid:` and a uuid.
    pub til: String,
}

/// What OIO says of a klassifikation or a facet. The frame of a vocabulary has no valid time, so its periods are kept
/// here; the fields of the frame say what holds today.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OioObject {
    /// The attributes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub egenskaber: Vec<OioPart>,
    /// What was done last: `Opstaaet`, `Importeret`, `Rettet`, `Passiveret`, `Slettet`.
    pub livscykluskode: String,
    /// The note of that registrering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The relations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relationer: Vec<OioLink>,
    /// Whether it is published.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tilstande: Vec<OioPart>,
}

impl OioObject {
    /// Whether it was deleted.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.livscykluskode == "Slettet"
    }
}

/// What a registration by OIO says of itself, in its row of the change log.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OioRegistration {
    /// What was done: `Opstaaet`, `Importeret`, `Rettet`, `Passiveret`, `Slettet`.
    pub livscykluskode: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}
