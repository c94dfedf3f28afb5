//! Whether the concepts that a draft redefines mean something else than in the version below: what its authors said.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::super::{Edit, EditKind, Effect};
use super::Draft;
use crate::model::{Code, Meaning, Place, Refusal, Result, redefines};

impl Draft {
    /// What is said, after so many edits, of the meaning of the concepts that the draft redefines. The last that was
    /// said rules. That a meaning is kept was said of certain words: where others are written and nothing is said, it is
    /// open again, and so it is when the draft is laid over a version that says something else of the concept.
    #[must_use]
    pub fn meanings(&self, edits: usize) -> BTreeMap<Uuid, Meaning> {
        let mut said = BTreeMap::new();
        // Most drafts say nothing.
        if self.edits.iter().all(|e| e.meaning.is_none()) {
            return said;
        }
        let stands = |e: &Edit| e.kind != EditKind::Undo && e.undone.is_none_or(|by| by > edits);
        for (i, edit) in self.edits.iter().enumerate().take(edits).filter(|(_, e)| stands(e)) {
            for effect in edit.effects.iter() {
                if self.laid.get(&effect.concept).is_some_and(|onto| *onto <= edits && i < *onto) {
                    continue;
                }
                match edit.meaning {
                    Some(meaning) if self.is_redefined_by(effect) => {
                        said.insert(effect.concept, meaning);
                    }
                    None if said.get(&effect.concept) == Some(&Meaning::Kept)
                        && redefines(effect.before.as_deref(), effect.after.as_deref()) =>
                    {
                        said.remove(&effect.concept);
                    }
                    _ => {}
                }
            }
        }
        said
    }

    /// Refuses to say something of the meaning where no definition is another than in the version below.
    pub(super) fn has_a_meaning(&self, meaning: Option<Meaning>, effects: &[Effect]) -> Result<()> {
        if meaning.is_none() || effects.iter().any(|e| self.is_redefined_by(e)) {
            return Ok(());
        }
        Err(Refusal::new(
            Code::Unlawful,
            "ingen definition er en anden end i den gældende version, så der er intet at sige om betydningen",
            "no definition is another than in the version below, so there is nothing to say of the meaning",
        )
        .at(Place::field("meaning")))
    }

    /// Whether an effect leaves a concept with another definition than the version below has.
    fn is_redefined_by(&self, effect: &Effect) -> bool {
        let base = match self.proposals().get(&effect.concept) {
            Some(proposal) => &proposal.base,
            None => &effect.before,
        };
        redefines(base.as_deref(), effect.after.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::super::tests::{base, by, id, opened, prose};
    use super::super::super::{Matter, Merged, Merging};
    use super::*;
    use crate::model::{Content, ContentFields, Definition, Language, Term, TermStatus};
    use crate::workflow::DraftStep;

    fn content(definition: &str) -> Option<Arc<Content>> {
        let terms = vec![Term::plain(Language::danish(), TermStatus::Preferred, "term")];
        let definitions = vec![Definition::plain(Language::danish(), definition)];
        Some(Arc::new(Content::new(ContentFields { terms, definitions, ..ContentFields::default() }).unwrap()))
    }

    fn edited(before: &str, after: &str, meaning: Option<Meaning>) -> DraftStep {
        let effects = vec![Effect { concept: id(7), before: content(before), after: content(after) }];
        DraftStep::Edited { kind: EditKind::Change, reason: prose("fordi"), because: None, meaning, effects }
    }

    fn rebased(onto: u128, below: &str, content_now: &str) -> DraftStep {
        let (concept, how) = (id(7), Merging::Settled);
        let merged = vec![Merged { concept, base: content(below), content: content(content_now), how }];
        DraftStep::Rebased { onto: base(onto), reason: prose("ny version"), merged }
    }

    #[test]
    fn it_is_said_against_the_version_below() {
        let mut draft = Draft::begin(id(0xd), &by(0, 1), opened(false)).unwrap();
        let said = |draft: &Draft, edits| draft.meanings(edits).get(&id(7)).copied();
        draft.take(&by(1, 1), edited("a", "b", Some(Meaning::Kept))).unwrap();
        draft.take(&by(2, 1), rebased(1, "a", "b")).unwrap();
        assert_eq!(said(&draft, 2), Some(Meaning::Kept), "that version says the same of it");
        draft.take(&by(3, 1), rebased(2, "x", "b")).unwrap();
        assert_eq!((said(&draft, 2), said(&draft, 3)), (Some(Meaning::Kept), None));
        draft.take(&by(4, 1), edited("b", "b", Some(Meaning::Changed))).unwrap();
        assert_eq!(said(&draft, 4), Some(Meaning::Changed));
        assert_eq!(draft.changes()[0].meaning, Some(Meaning::Changed));
        let refused = draft.take(&by(5, 1), edited("b", "x", Some(Meaning::Kept))).unwrap_err();
        assert_eq!((refused.code, refused.place.field.as_deref()), (Code::Unlawful, Some("meaning")));
    }

    #[test]
    fn steps_from_before_it_could_be_said_are_read() {
        let step = edited("a", "b", None);
        let text = serde_json::to_string(&step).unwrap();
        assert!(!text.contains("meaning"));
        assert_eq!(serde_json::from_str::<DraftStep>(&text).unwrap(), step);
    }
}
