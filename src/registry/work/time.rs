//! What happens at set times: hearings open, remind and close by themselves, days come, and what has run out is dropped.
//!
//! That a hearing is open follows from its times alone; here it is told in the log, for those who read that. So nothing
//! is lost while no process runs, and of several nodes the second finds it told.

use std::time::Duration;

use uuid::Uuid;

use super::super::Registry;
use super::Under;
use super::hearings::tell;
use crate::model::{Instant, Result};
use crate::workflow::{Author, Draft, Stamp};

/// The longest rest.
const REST: Duration = Duration::from_secs(60);

impl Registry {
    /// Tells what the clock has done, and drops what has run out. Answers when there is more to do, if that is known.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`]; what could be told of other drafts has been.
    pub async fn tick(&self) -> Result<Option<Instant>> {
        let now = self.clock.now();
        let mut failed = None;
        for draft in self.due(now) {
            if let Err(refusal) = self.tick_draft(draft).await {
                tracing::error!(%refusal, %draft, "what is due could not be told");
                failed = Some(refusal);
            }
        }
        if self.store.has_stale_errands(now).await? {
            let mut write = self.store.write(&Author::Clock.to_string(), now).await?;
            write.sweep_errands().await?;
            self.settle(write).await?;
        }
        if let Err(refusal) = self.tell_effects().await {
            tracing::error!(%refusal, "the days that have come could not be told");
            failed = Some(refusal);
        }
        match failed {
            Some(refusal) => Err(refusal),
            None => Ok(self.next_due(now)),
        }
    }

    /// The drafts of which there is something to tell.
    fn due(&self, now: Instant) -> Vec<Uuid> {
        let snapshot = self.snapshot();
        let due = |d: &Draft| {
            d.hearings().iter().any(|h| {
                let untold = h.untold(now);
                untold.opened || untold.reminder || untold.closed
            })
        };
        snapshot.matters.all::<Draft>().filter(|d| due(d)).map(|d| d.uuid).collect()
    }

    fn next_due(&self, now: Instant) -> Option<Instant> {
        let snapshot = self.snapshot();
        let hearings = snapshot.matters.all::<Draft>().flat_map(|d| d.hearings().iter());
        hearings.filter_map(|h| h.next(now)).min()
    }

    async fn tick_draft(&self, uuid: Uuid) -> Result<()> {
        let mut write = self.store.write(&Author::Clock.to_string(), self.clock.now()).await?;
        let stamp = Stamp { at: write.at(), by: Author::Clock };
        // Once more under the lock: another node may have been faster.
        let matter = self.matter_in::<Draft>(&mut write, uuid).await?;
        let mut under = Under { write, matter, uuid, stamp };
        if tell(&mut under).await? {
            self.settle(under.write).await?;
        }
        Ok(())
    }

    /// Keeps time until the task is dropped: sleeps until the next set time, at most a minute.
    pub async fn keep_time(&self) {
        loop {
            let next = match self.tick().await {
                Ok(next) => next,
                Err(refusal) => {
                    tracing::error!(%refusal, "time could not be kept");
                    None
                }
            };
            let wait = next.map(|at| at.micros().saturating_sub(self.clock.now().micros()));
            let wait = wait.and_then(|w| u64::try_from(w).ok()).map_or(REST, Duration::from_micros);
            tokio::time::sleep(wait.clamp(Duration::from_millis(50), REST)).await;
        }
    }
}
