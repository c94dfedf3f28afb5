//! What was changed in a draft after it was heard, and whether it was asked for.

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use super::{Because, Draft, Hearing, Prose};
use crate::model::{Code, Content, Instant, Place, Refusal, Result};

/// A concept that says something else than when the draft was heard.
#[derive(Clone, PartialEq, Debug)]
pub struct Since {
    /// The concept.
    pub concept: Uuid,
    /// What was heard; nothing when it was not to be in force.
    pub heard: Option<Arc<Content>>,
    /// What was said of it later.
    pub later: Option<Arc<Content>>,
    /// The numbers of the edits that made it so.
    pub edits: Vec<usize>,
    /// Whether answers led to all of them.
    pub answered: bool,
}

impl Draft {
    /// What was changed between the last hearing that had opened at an instant and the first so many edits; nothing
    /// when there was no such hearing.
    ///
    /// # Errors
    /// [`Code::NotFound`] when there are not so many edits.
    pub fn since_hearing(&self, edits: usize, at: Instant) -> Result<Option<Vec<Since>>> {
        let opened = |h: &&Hearing| !h.is_cancelled() && h.plan.opens <= at && h.snapshot.is_some_and(|s| s <= edits);
        let Some(snapshot) = self.hearings().iter().rev().find(opened).and_then(|h| h.snapshot) else {
            return Ok(None);
        };
        if snapshot == edits {
            return Ok(Some(Vec::new()));
        }
        let (heard, mut later) = (self.moment(snapshot)?, self.moment(edits)?);
        let (standing, asked_for) = (self.standing_after(snapshot, edits), self.asked_for());
        let mut since = Vec::new();
        for (concept, heard) in heard {
            let later = later.remove(&concept).flatten();
            if heard == later {
                continue;
            }
            let touches = |n: &usize| self.edits()[n - 1].effects.iter().any(|e| e.concept == concept);
            let edits: Vec<usize> = standing.iter().copied().filter(touches).collect();
            let answered = edits.iter().all(|n| asked_for.contains(n));
            since.push(Since { concept, heard, later, edits, answered });
        }
        Ok(Some(since))
    }

    /// The numbers of the edits between two moments that make the later one differ from the earlier: not those that
    /// were taken back in between, nor what took them back.
    fn standing_after(&self, from: usize, to: usize) -> Vec<usize> {
        let mut undone = BTreeSet::new();
        let mut standing = Vec::new();
        for number in (1..=to).rev() {
            let edit = &self.edits()[number - 1];
            if undone.contains(&number) {
                continue;
            }
            undone.extend(edit.undoes);
            if number > from && edit.undoes.is_none_or(|of| of <= from) {
                standing.push(number);
            }
        }
        standing.reverse();
        standing
    }

    /// The numbers of the edits that an item of an answer led to: those that say so, and those that a reply names.
    fn asked_for(&self) -> BTreeSet<usize> {
        let edits = self.edits().iter().zip(1..);
        let says = edits.filter(|(e, _)| matches!(e.because, Some(Because::Answer { .. }))).map(|(_, n)| n);
        let replies = self.hearings().iter().flat_map(|h| &h.answers).flat_map(|a| a.replies().flatten());
        says.chain(replies.flat_map(|reply| reply.edits.iter().copied())).collect()
    }

    /// Holds a recommendation to saying why concepts were changed after the hearing that no answer led to.
    ///
    /// # Errors
    /// [`Code::Unlawful`] with those concepts, or when there was no hearing to say it of.
    pub fn explained(&self, after_hearing: Option<&Prose>) -> Result<()> {
        let unlawful = |da: &str, en: &str| Refusal::new(Code::Unlawful, da, en).at(Place::field("afterHearing"));
        let Some(since) = self.since_hearing(self.edits().len(), self.last.at)? else {
            return match after_hearing {
                None => Ok(()),
                Some(_) => Err(unlawful("kladden har ikke været hørt", "the draft has not been heard")),
            };
        };
        let unasked: Vec<String> = since.iter().filter(|s| !s.answered).map(|s| s.concept.to_string()).collect();
        if unasked.is_empty() || after_hearing.is_some() {
            return Ok(());
        }
        Err(unlawful(
            "begreber er ændret efter høringen, uden at et svar førte til det; sig hvorfor",
            "concepts were changed after the hearing that no answer led to; say why",
        )
        .items(unasked))
    }
}
