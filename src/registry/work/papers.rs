//! What differs between two moments of a draft, as a paper.

use uuid::Uuid;

use super::super::Registry;
use super::super::permission::Actor;
use super::show::{Moment, Paper};
use crate::exchange::paper::{Changed, DiffPaper, Reading};
use crate::model::{Result, Side, Version};
use crate::workflow::Draft;

impl Registry {
    /// What differs between two moments of a draft, word by word.
    ///
    /// # Errors
    /// As [`Registry::draft_paper`].
    pub fn draft_diff(&self, actor: &Actor, uuid: Uuid, from: Moment, to: Moment) -> Result<DiffPaper> {
        let paper = self.draft_paper(actor, uuid, from, to)?;
        self.diff_paper(&paper, from, to)
    }

    /// The paper of what differs, for whoever was let in.
    pub(super) fn diff_paper(&self, paper: &Paper, from: Moment, to: Moment) -> Result<DiffPaper> {
        let vocabulary = self.vocabulary_by(paper.draft.vocabulary)?;
        let mut changed: Vec<Changed<'_>> = paper
            .changes
            .iter()
            .map(|change| {
                let (before, after) =
                    paper.sides.get(&change.uuid).map_or((None, None), |(b, a)| (b.as_deref(), a.as_deref()));
                Changed { change, before, after }
            })
            .collect();
        changed.sort_by_key(|c| {
            let side = c.change.after.as_ref().or(c.change.before.as_ref());
            side.map(|s| (s.notation.as_deref().unwrap_or_default(), s.label.as_str()))
        });
        let name = |uuid: Uuid| {
            let unknown = || Side { notation: None, label: uuid.to_string() };
            paper.names.get(&uuid).cloned().unwrap_or_else(unknown)
        };
        let titles = &vocabulary.fields().titles;
        let title = titles.first().map(|t| t.text.clone()).unwrap_or_default();
        let (before, after) = (self.reading(&paper.draft, from)?, self.reading(&paper.draft, to)?);
        let until = match to {
            Moment::Now => paper.draft.edits().len(),
            Moment::Edit(number) => number,
            Moment::Base | Moment::InForce | Moment::Hearing => 0,
        };
        let since = paper.draft.since_hearing(until, paper.draft.last.at)?.unwrap_or_default();
        let since = since.into_iter().map(|s| s.concept).collect();
        Ok(DiffPaper::new(title, before, after, &changed, &name).marked(&since))
    }

    /// What a moment of a draft is called, and when it was.
    fn reading(&self, draft: &Draft, moment: Moment) -> Result<Reading> {
        let desk = self.desk(draft)?;
        let version = |version: Option<&Version>| match version {
            Some(version) => Reading { at: version.effective, label: Some(version.label.to_string()) },
            None => Reading { at: draft.opened.at, label: None },
        };
        let edits = |count: usize| {
            let last = count.checked_sub(1).and_then(|i| draft.edits().get(i));
            let at = last.map_or(draft.opened.at, |e| e.stamp.at);
            Reading { at, label: Some(format!("{} #{count}", draft.title)) }
        };
        Ok(match moment {
            Moment::Base => version(desk.version.as_deref()),
            Moment::InForce => version(self.in_force(&desk.plane).as_deref()),
            Moment::Edit(number) => edits(number),
            Moment::Now => edits(draft.edits().len()),
            Moment::Hearing => edits(draft.hearings().iter().rev().find_map(|h| h.snapshot).unwrap_or_default()),
        })
    }
}
