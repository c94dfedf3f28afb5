//! The note of a hearing (høringsnotat): who was asked, what they said, what came of it and why.

mod figures;
mod written;

pub use self::figures::{DispositionCount, Summary};
pub use self::written::NotePaper;
pub(super) use self::written::agreement;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::exchange::paper::diff::ConceptPaper;
use crate::exchange::paper::{Tongue, called};
use crate::model::{Instant, Side};

/// What a hearing was about, what was said in it and what came of that.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HearingNote {
    /// The title of the paper.
    pub title: String,
    /// The title of the vocabulary.
    pub vocabulary: String,
    /// The version of the draft that was heard.
    pub version: String,
    /// Who held the hearing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// When the paper was made.
    #[schema(value_type = String)]
    pub generated: Instant,
    /// When the hearing was held.
    pub period: HearingPeriod,
    /// The text of the letter; empty when there was none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub letter: String,
    /// Who was asked.
    pub parties: Vec<HearingParty>,
    /// What was said of the draft as a whole.
    pub general: Vec<Remark>,
    /// What was said of each concept.
    pub concepts: Vec<ConceptHearing>,
}

/// When a hearing was held.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct HearingPeriod {
    /// When it was opened.
    #[schema(value_type = String)]
    pub opened: Instant,
    /// Until when answers were asked for, in the end.
    #[schema(value_type = String)]
    pub deadline: Instant,
    /// How the deadline was put off, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<Extension>,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub closed: Option<Instant>,
}

/// A deadline that was put off.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Extension {
    /// When that was decided.
    #[schema(value_type = String)]
    pub at: Instant,
    /// The deadline before.
    #[schema(value_type = String)]
    pub from: Instant,
    /// The deadline after.
    #[schema(value_type = String)]
    pub to: Instant,
    /// Why.
    pub reason: String,
}

/// A party that was asked.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct HearingParty {
    /// The organisation.
    pub organisation: String,
    /// When it was asked.
    #[schema(value_type = String)]
    pub invited: Instant,
    /// Whether it answered.
    pub answer: PartyAnswer,
    /// When it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub submitted: Option<Instant>,
    /// Whether its answer came after the deadline.
    #[serde(default)]
    pub late: bool,
}

/// Whether a party answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum PartyAnswer {
    /// It did not.
    None,
    /// It answered that it has no remarks.
    NoRemarks,
    /// It answered, with remarks.
    Remarks,
}

/// What was said of one concept, and what came of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ConceptHearing {
    /// The concept.
    pub uuid: Uuid,
    /// The notation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notation: Option<String>,
    /// What was heard; absent when the draft retires the concept, or when it came with the hearing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Wording>,
    /// What is in force of a concept that the draft that was heard retires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<Wording>,
    /// What the draft says after the hearing; absent when the concept went out of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Wording>,
    /// What the parties said.
    pub remarks: Vec<Remark>,
    /// What was changed after the hearing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<ConceptPaper>,
}

/// What a concept is called, and what that means.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Wording {
    /// The preferred term.
    pub term: String,
    /// The definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<String>,
}

/// What a party said, and what came of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Remark {
    /// The party: its organisation.
    pub party: String,
    /// Whether it agrees to the term; absent when it did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agrees_term: Option<bool>,
    /// Whether it agrees to the definition; absent when it did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agrees_definition: Option<bool>,
    /// The comment; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// Whether it came after the deadline.
    #[serde(default)]
    pub late: bool,
    /// What came of it; absent while nobody has settled that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<Disposition>,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl Remark {
    /// Whether it asks for an answer: it comments or does not agree.
    fn asks(&self) -> bool {
        !self.comment.trim().is_empty() || [self.agrees_term, self.agrees_definition].contains(&Some(false))
    }
}

/// What came of a remark.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Disposition {
    /// The draft does as asked (imødekommet).
    Accommodated,
    /// In part (delvist imødekommet).
    Partly,
    /// It does not (ikke imødekommet).
    Not,
    /// It is not about what was heard (uden for høringens emne).
    OutOfScope,
}

impl Disposition {
    /// Every disposition, in the order in which papers tell them.
    pub const ALL: [Self; 4] = [Self::Accommodated, Self::Partly, Self::Not, Self::OutOfScope];

    /// What it is called.
    #[must_use]
    pub fn name(self, tongue: Tongue) -> &'static str {
        let (da, en) = match self {
            Self::Accommodated => ("imødekommet", "accommodated"),
            Self::Partly => ("delvist imødekommet", "partly accommodated"),
            Self::Not => ("ikke imødekommet", "not accommodated"),
            Self::OutOfScope => ("uden for høringens emne", "outside the subject of the hearing"),
        };
        tongue.choose(da, en)
    }
}

/// What came of a remark, in words; of one that nobody has settled, too.
pub(super) fn disposition_name(disposition: Option<Disposition>, tongue: Tongue) -> &'static str {
    disposition.map_or(tongue.choose("ikke vurderet", "not settled"), |d| d.name(tongue))
}

/// Every disposition, and none.
fn dispositions() -> impl Iterator<Item = Option<Disposition>> {
    Disposition::ALL.into_iter().map(Some).chain([None])
}

impl HearingNote {
    /// The remarks with a disposition, each with the concept that it is about. Without one: those that ask for it.
    fn settled(&self, disposition: Option<Disposition>) -> impl Iterator<Item = (Option<&ConceptHearing>, &Remark)> {
        let general = self.general.iter().map(|r| (None, r));
        let concepts = self.concepts.iter().flat_map(|c| c.remarks.iter().map(move |r| (Some(c), r)));
        general
            .chain(concepts)
            .filter(move |(_, r)| r.disposition == disposition && (disposition.is_some() || r.asks()))
    }
}

impl ConceptHearing {
    fn is_changed(&self) -> bool {
        self.before != self.after || self.changed.as_ref().is_some_and(|c| !c.items.is_empty())
    }

    /// How it is called after the hearing, or was before it.
    fn title(&self) -> String {
        let said = self.after.as_ref().or(self.before.as_ref()).or(self.retired.as_ref());
        let term = said.map(|w| w.term.clone());
        called(&Side { notation: self.notation.clone(), label: term.unwrap_or_default() })
    }

    /// How it is called in a list: its notation, or its term.
    fn short(&self) -> String {
        self.notation.clone().unwrap_or_else(|| self.title())
    }
}
