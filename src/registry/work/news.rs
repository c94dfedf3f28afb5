//! What the letters about hearings are made of: the step of a row of the log, and whom it concerns.

use std::sync::Arc;

use uuid::Uuid;

use super::super::Registry;
use super::answering::Written;
use crate::model::{Change, Instant, Result};
use crate::projection::read_step;
use crate::store::{Contact, ErrandKind};
use crate::workflow::{Draft, DraftStep, Matter, Stamp};

/// A step of a draft, with the draft as it is now.
pub struct HearingNews {
    /// When, and by whom.
    pub stamp: Stamp,
    /// The step.
    pub step: DraftStep,
    /// The draft, at least as far as that step.
    pub draft: Arc<Draft>,
}

impl Registry {
    /// The step of a draft that a row of the log tells of.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`].
    pub(crate) async fn hearing_news(&self, change: &Change) -> Result<Option<HearingNews>> {
        let rows = self.store.steps(change.seq - 1, change.seq, 1).await?;
        let Some(row) = rows.first().filter(|row| row.kind == Draft::KIND) else { return Ok(None) };
        let (stamp, step) = read_step::<Draft>(row)?;
        // Another process may have written it a moment ago.
        self.follower.catch_up().await?;
        Ok(Some(HearingNews { stamp, step, draft: self.matter::<Draft>(row.matter)? }))
    }

    /// Somebody without an account, if they were not erased.
    pub(crate) async fn contact(&self, uuid: Uuid) -> Result<Option<Contact>> {
        self.store.contact(uuid).await
    }

    /// The answer that waits for a mail address to be confirmed: the title of the hearing, who is asked, and until when.
    pub(crate) async fn to_confirm(&self, errand: Uuid) -> Result<Option<(String, Contact, Instant)>> {
        let errand = self.store.errand_by(errand).await?;
        let errand = errand.filter(|e| e.kind == ErrandKind::PendingAnswer && e.expires > self.clock.now());
        let Some(errand) = errand else { return Ok(None) };
        let Some(contact) = errand.contact else { return Ok(None) };
        let hearing = self.any_hearing(Written::of(&errand)?.hearing)?.hearing;
        let contact = self.store.contact(contact).await?;
        Ok(contact.map(|c| (hearing.plan.title.to_string(), c, errand.expires)))
    }
}
