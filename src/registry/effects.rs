//! Days that come: what was said ahead takes effect without anybody writing, and the log tells it for those who read it.

use super::Registry;
use crate::model::{Instant, Result};
use crate::workflow::Author;

/// Up to where the days have been told: nothing is due at the same position of the log on the same day.
pub(super) type Told = std::sync::Mutex<(i64, Instant)>;

impl Registry {
    /// Tells of the days that have come since the last time, each vocabulary by itself and each day in order. Answers
    /// how many days it told. Of several nodes the second finds them told.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`]; the days that were told stay told.
    pub(super) async fn tell_effects(&self) -> Result<usize> {
        let snapshot = self.snapshot();
        let now = (snapshot.position, self.projections.today());
        if *self.effects_told.lock().unwrap_or_else(std::sync::PoisonError::into_inner) == now {
            return Ok(0);
        }
        let told = self.store.facts().await?.effects_told().await?;
        let mut days = 0;
        for plane in snapshot.planes() {
            let uuid = plane.vocabulary().uuid();
            // What was in force before the first word was said is no news.
            let since = told.get(&uuid).copied().unwrap_or_else(|| plane.first_said());
            if plane.said_ahead(since, now.1).is_empty() {
                continue;
            }
            let mut write = self.store.write(&Author::Clock.to_string(), self.clock.now()).await?;
            // Another node may have been faster, or a publication: then it is asked again at the next turn.
            if write.facts().head().await?.seq != self.snapshot().position {
                return Ok(days);
            }
            let since = write.facts().effects_told().await?.get(&uuid).copied().unwrap_or_else(|| plane.first_said());
            let plane = self.snapshot().by_uuid(uuid).cloned().unwrap_or_else(|| plane.clone());
            for (day, concepts) in plane.said_ahead(since, now.1) {
                write.tell_effective(uuid, day, &concepts).await?;
                days += 1;
            }
            self.commit(write).await?;
        }
        if days == 0 {
            *self.effects_told.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = now;
        }
        Ok(days)
    }
}
