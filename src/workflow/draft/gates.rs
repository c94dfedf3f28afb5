//! What must be so before a draft goes on: heard enough, not empty, seen by somebody else.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::super::{Author, Proposal, out_of_turn};
use super::Draft;
use crate::model::{Code, ConceptChangeKind, Digest, Governance, Refusal, Result};

impl Draft {
    /// Who wrote what stands in it, and who took back what does not: both decide what it says.
    #[must_use]
    pub fn authors(&self) -> BTreeSet<&Author> {
        self.edits.iter().filter(|e| e.undone.is_none()).map(|e| &e.stamp.by).collect()
    }

    /// Whether it may be laid before a committee as far as hearings go, under a governance.
    ///
    /// # Errors
    /// [`Code::Governance`] with what is missing.
    pub fn heard_enough(&self, governance: Governance) -> Result<()> {
        if let Some(open) = self.hearings.iter().find(|h| h.snapshot.is_some() && !h.is_over()) {
            return Err(Refusal::new(
                Code::Governance,
                format!("høringen {} er ikke afsluttet", open.uuid),
                format!("the hearing {} is not completed", open.uuid),
            )
            .items(open.undisposed().into_iter().map(|(a, i)| format!("{a}/{i}"))));
        }
        let heard = self.hearings.iter().any(|h| h.completed.is_some());
        if governance != Governance::Hearing || heard {
            return Ok(());
        }
        if self.minor {
            let more = self.more_than_minor();
            if more.is_empty() {
                return Ok(());
            }
            return Err(Refusal::new(
                Code::Governance,
                "en mindre ændring kan ikke tilføje, udgå, omdøbe, omdefinere eller flytte begreber uden høring",
                "a minor change cannot add, retire, rename, redefine or move concepts without a hearing",
            )
            .items(more.into_iter().map(|c| c.to_string())));
        }
        Err(Refusal::new(
            Code::Governance,
            "ordforrådet kræver en høring, og kladden har ikke været hørt",
            "the vocabulary takes a hearing, and the draft has not been heard",
        ))
    }

    /// The concepts of which it changes more than a small change may: what they are called, how they are defined,
    /// where they stand, or whether they are there.
    #[must_use]
    pub fn more_than_minor(&self) -> Vec<Uuid> {
        use ConceptChangeKind::{Edited, Remapped, Reordered};
        let slight = |kind: &ConceptChangeKind| matches!(kind, Edited | Remapped | Reordered);
        self.changes().into_iter().filter(|c| !c.kinds.iter().all(slight)).map(|c| c.uuid).collect()
    }

    /// Refuses a draft that says nothing else than the version below.
    ///
    /// # Errors
    /// [`Code::EmptyDraft`].
    pub fn changes_something(&self) -> Result<()> {
        if self.proposals.values().any(Proposal::differs) {
            return Ok(());
        }
        let (da, en) = (
            "kladden er tom: den siger det samme som den version, den ligger over",
            "the draft is empty: it says the same as the version that it lies over",
        );
        Err(Refusal::new(Code::EmptyDraft, da, en))
    }

    /// Whether, under the rule of four eyes, `by` may publish content of a digest: the one who is the second pair.
    ///
    /// # Errors
    /// [`Code::FourEyes`] when nobody but an author has looked at it.
    pub fn second_eyes(&self, by: &Author, digest: Digest) -> Result<Author> {
        let authors = self.authors();
        let eyes = |who: &Author| matches!(who, Author::Account(_) | Author::Operator(_)) && !authors.contains(who);
        if eyes(by) {
            return Ok(by.clone());
        }
        let approved =
            self.approvals.iter().rev().find(|a| a.digest == digest && a.stamp.by != *by && eyes(&a.stamp.by));
        approved.map(|a| a.stamp.by.clone()).ok_or_else(|| {
            Refusal::new(
                Code::FourEyes,
                "den, der har skrevet kladden, kan ikke udgive den alene; en anden skal godkende netop dette indhold",
                "who wrote the draft cannot publish it alone; somebody else must approve exactly this content",
            )
        })
    }

    pub(super) fn without_a_planned_hearing(&self) -> Result<()> {
        match self.hearings.last() {
            Some(h) if h.snapshot.is_none() && !h.is_cancelled() => Err(out_of_turn(
                format!("høringen {} er planlagt; aflys den først", h.uuid),
                format!("the hearing {} is planned; cancel it first", h.uuid),
            )),
            _ => Ok(()),
        }
    }

    /// Who was asked gets replies: what is heard, or is to be, comes to its end first.
    pub(super) fn without_a_hearing(&self) -> Result<()> {
        self.without_a_planned_hearing()?;
        match self.hearings.iter().find(|h| !h.is_over()) {
            Some(open) => Err(out_of_turn(
                format!("høringen {} er ikke afsluttet", open.uuid),
                format!("the hearing {} is not completed", open.uuid),
            )),
            None => Ok(()),
        }
    }

    /// A hearing whose draft was edited since cannot go on as if it had not been.
    pub(super) fn need_untouched(&self, hearing: Uuid) -> Result<()> {
        if self.hearing(hearing)?.snapshot == Some(self.edits.len()) {
            return Ok(());
        }
        Err(out_of_turn(
            "kladden er redigeret siden høringen; en ny høring er vejen",
            "the draft was edited since the hearing; a new hearing is the way",
        ))
    }
}
