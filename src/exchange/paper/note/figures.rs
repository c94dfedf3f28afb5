//! A hearing in figures.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Disposition, HearingNote, PartyAnswer, Remark, dispositions};

/// How many remarks had a disposition.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct DispositionCount {
    /// The disposition; absent for remarks that ask for an answer and have none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<Disposition>,
    /// How many.
    pub count: usize,
}

/// A hearing in figures.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Parties that were asked.
    pub parties: usize,
    /// Those that answered, with remarks or without.
    pub answered: usize,
    /// Those that answered that they have no remarks.
    pub no_remarks: usize,
    /// Those that did not answer.
    pub unanswered: usize,
    /// Answers after the deadline.
    pub late: usize,
    /// Remarks on the draft as a whole that ask for an answer.
    pub general: usize,
    /// Remarks on concepts that ask for an answer: a comment, or a no.
    pub remarks: usize,
    /// Concepts with such a remark.
    pub concepts: usize,
    /// Concepts that were changed.
    pub changed: usize,
    /// What came of the remarks; what none had is left out.
    pub dispositions: Vec<DispositionCount>,
}

impl Summary {
    /// The figures of a hearing.
    #[must_use]
    pub fn of(note: &HearingNote) -> Self {
        let answers = |answer| note.parties.iter().filter(|p| p.answer == answer).count();
        let asks = |remarks: &[Remark]| remarks.iter().filter(|r| r.asks()).count();
        let unanswered = answers(PartyAnswer::None);
        let dispositions = dispositions()
            .map(|disposition| DispositionCount { disposition, count: note.settled(disposition).count() });
        Self {
            parties: note.parties.len(),
            answered: note.parties.len() - unanswered,
            no_remarks: answers(PartyAnswer::NoRemarks),
            unanswered,
            late: note.parties.iter().filter(|p| p.late).count(),
            general: asks(&note.general),
            remarks: note.concepts.iter().map(|c| asks(&c.remarks)).sum(),
            concepts: note.concepts.iter().filter(|c| asks(&c.remarks) > 0).count(),
            changed: note.concepts.iter().filter(|c| c.is_changed()).count(),
            dispositions: dispositions.filter(|d| d.count > 0).collect(),
        }
    }
}
