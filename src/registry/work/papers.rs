//! What differs between two moments of a draft, as a paper.

use std::sync::Arc;

use uuid::Uuid;

use super::super::Registry;
use super::super::permission::Actor;
use super::show::{Moment, Paper};
use crate::exchange::paper::{Changed, ConceptPaper, DiffPaper, Reading};
use crate::model::{Content, Instant, Point, Result, Side, Version};
use crate::projection::{Edition, Plane};
use crate::workflow::Draft;

impl Registry {
    /// What differs between two moments of a draft, word by word, and what uses the concepts that differ.
    ///
    /// # Errors
    /// As [`Registry::draft_paper`].
    pub fn draft_diff(&self, actor: &Actor, uuid: Uuid, from: Moment, to: Moment) -> Result<DiffPaper> {
        self.draft_diff_first(actor, uuid, from, to, usize::MAX)
    }

    /// The same of no more than the first so many concepts; all are counted.
    ///
    /// # Errors
    /// As [`Registry::draft_paper`].
    pub fn draft_diff_first(
        &self,
        actor: &Actor,
        uuid: Uuid,
        from: Moment,
        to: Moment,
        most: usize,
    ) -> Result<DiffPaper> {
        let paper = self.draft_paper(actor, uuid, from, to)?;
        Ok(self.diff_paper(&paper, from, to, most)?.used(|concept| self.used_by(concept)))
    }

    /// The paper of what differs, for whoever was let in.
    fn diff_paper(&self, paper: &Paper, from: Moment, to: Moment, most: usize) -> Result<DiffPaper> {
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
        Ok(DiffPaper::first(title, before, after, &changed, &name, most).marked(&since))
    }

    /// What a change request proposes, against what was in force when it was submitted; nothing where it is text alone.
    ///
    /// # Errors
    /// As [`Registry::change_request`].
    pub async fn request_paper(&self, actor: &Actor, uuid: Uuid) -> Result<Option<ConceptPaper>> {
        let request = self.change_request(actor, uuid).await?;
        let Some(proposal) = request.proposal else { return Ok(None) };
        let plane = self.plane(request.vocabulary.as_str())?;
        let (edition, after) = (self.edition_then(&plane, request.submitted), Content::new(proposal)?);
        let before = request.concept.and_then(|c| edition.get(c)).map(|e| e.said().content());
        let concept = request.concept.unwrap_or(uuid);
        let changes = crate::model::diff(&[(concept, before.as_ref(), Some(&after))]);
        let name = |of: Uuid| {
            let unknown = || Side { notation: None, label: of.to_string() };
            let called = plane.sayings(of).last().map(|s| s.state.content());
            called.map_or_else(unknown, |said| Side {
                notation: said.notation.as_deref().map(Into::into),
                label: said.label("da").into(),
            })
        };
        let changed = |change| Changed { change, before: before.as_ref(), after: Some(&after) };
        Ok(changes.first().map(|change| ConceptPaper::new(&changed(change), &name)))
    }

    /// What was in force when something was submitted, as it was known then. The day is the Danish one, also in the hours
    /// when it is another than in UTC.
    pub(super) fn edition_then(&self, plane: &Arc<Plane>, submitted: Instant) -> Arc<Edition> {
        let day = Instant::from_date(crate::model::today_in_denmark(submitted));
        self.projections.edition(plane, Point { valid: day, registered: submitted })
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
