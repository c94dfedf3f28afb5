//! Edits of a draft, taking them back, and laying the draft over another version.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::super::edit::not_there;
use super::super::{Because, Edit, EditKind, Effect, Merged, Proposal, Prose, Stamp, out_of_turn};
use super::{Base, Draft, MOST, no};
use crate::model::{Code, Meaning, Place, Refusal, Result};

/// What an edit says of itself beside what it does.
pub(super) struct Why {
    pub(super) kind: EditKind,
    pub(super) reason: Prose,
    pub(super) because: Option<Because>,
    pub(super) meaning: Option<Meaning>,
    pub(super) undoes: Option<usize>,
}

impl Draft {
    pub(super) fn because(&self, because: Option<Because>) -> Result<()> {
        if let Some(Because::Answer { hearing, answer, item }) = because {
            self.hearing(hearing)?.item(answer, item)?;
        }
        Ok(())
    }

    pub(super) fn edit(&mut self, stamp: &Stamp, why: Why, effects: Vec<Effect>) -> Result<()> {
        if self.edits.len() >= MOST {
            return Err(Refusal::new(
                Code::TooLarge,
                "kladden har for mange rettelser",
                "the draft has too many edits",
            ));
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = effects.iter().find(|e| !seen.insert(e.concept)) {
            let (da, en) = ("ét begreb er nævnt to gange", "one concept is named twice");
            return Err(Refusal::new(Code::Unlawful, da, en).at(Place::field(twice.concept.to_string())));
        }
        for effect in &effects {
            if let Some(known) = self.proposals.get(&effect.concept)
                && known.content != effect.before
            {
                let (da, en) = ("begrebet er ændret imens", "the concept was changed meanwhile");
                return Err(Refusal::new(Code::Conflict, da, en).at(Place::field(effect.concept.to_string())));
            }
        }
        let number = self.edits.len() + 1;
        for effect in &effects {
            let first = || Proposal { base: effect.before.clone(), content: None, edit: number };
            let proposal = self.proposals.entry(effect.concept).or_insert_with(first);
            proposal.content.clone_from(&effect.after);
            proposal.edit = number;
        }
        let (stamp, effects) = (stamp.clone(), effects.into());
        let Why { kind, reason, because, meaning, undoes } = why;
        self.edits.push(Edit { stamp, kind, reason, because, meaning, effects, undone: None, undoes });
        Ok(())
    }

    pub(super) fn undo(&mut self, stamp: &Stamp, number: usize, reason: Prose) -> Result<()> {
        let edit =
            number.checked_sub(1).and_then(|i| self.edits.get(i)).ok_or_else(|| no("edit", &number.to_string()))?;
        if edit.undone.is_some() || edit.kind == EditKind::Rebase {
            let (da, en) = ("den rettelse kan ikke tages tilbage", "that edit cannot be taken back");
            return Err(out_of_turn(da, en));
        }
        if let Some(onto) = edit.effects.iter().filter_map(|e| self.laid.get(&e.concept)).find(|onto| **onto > number) {
            // What it was before would silently undo what that version says.
            return Err(Refusal::new(
                Code::Conflict,
                "kladden er siden lagt over en version, der siger noget andet om begrebet; ret det i stedet",
                "the draft was since laid over a version that says something else of the concept; edit it instead",
            )
            .items([onto.to_string()]));
        }
        let mut effects = Vec::new();
        let mut later = BTreeSet::new();
        for effect in edit.effects.iter() {
            let known = self.proposals.get(&effect.concept).ok_or_else(|| not_there(effect.concept))?;
            if known.content != effect.after {
                later.insert(known.edit);
            }
            effects.push(Effect {
                concept: effect.concept,
                before: effect.after.clone(),
                after: effect.before.clone(),
            });
        }
        if !later.is_empty() {
            return Err(Refusal::new(
                Code::Conflict,
                "senere rettelser har ændret de samme begreber; tag dem tilbage først",
                "later edits changed the same concepts; take them back first",
            )
            .items(later.into_iter().map(|n| n.to_string())));
        }
        let (redone, because) = (edit.undoes, edit.because);
        let why = Why { kind: EditKind::Undo, reason, because, meaning: None, undoes: Some(number) };
        self.edit(stamp, why, effects)?;
        self.edits[number - 1].undone = Some(self.edits.len());
        if redone.is_some() {
            self.mark_undone();
        }
        Ok(())
    }

    /// Marks what is taken back: an edit of which a taking back stands. What was taken back takes nothing back.
    pub(super) fn mark_undone(&mut self) {
        self.edits.iter_mut().for_each(|e| e.undone = None);
        for number in (1..=self.edits.len()).rev() {
            // Everything that could take this one back is later, and is marked already.
            let edit = &self.edits[number - 1];
            if let Some(of) = edit.undoes.filter(|_| edit.undone.is_none()) {
                self.edits[of - 1].undone.get_or_insert(number);
            }
        }
    }

    pub(super) fn rebase(&mut self, stamp: &Stamp, onto: Base, reason: Prose, merged: Vec<Merged>) -> Result<()> {
        let touched: BTreeSet<Uuid> = merged.iter().map(|m| m.concept).collect();
        if touched.len() != merged.len() || !self.proposals.keys().eq(touched.iter()) {
            return Err(out_of_turn(
                "hvert begreb i kladden skal være med, og kun de",
                "every concept of the draft must be there, and no other",
            ));
        }
        let effects = merged.iter().filter_map(|m| {
            let before = &self.proposals[&m.concept].content;
            (*before != m.content).then(|| Effect {
                concept: m.concept,
                before: before.clone(),
                after: m.content.clone(),
            })
        });
        let effects: Vec<Effect> = effects.collect();
        let why = Why { kind: EditKind::Rebase, reason, because: None, meaning: None, undoes: None };
        self.edit(stamp, why, effects)?;
        for m in merged {
            if let Some(proposal) = self.proposals.get_mut(&m.concept)
                && proposal.base != m.base
            {
                proposal.base = m.base;
                self.laid.insert(m.concept, self.edits.len());
            }
        }
        self.base = Some(onto);
        Ok(())
    }
}
