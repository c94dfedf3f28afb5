//! What the registry tells the world: the change log as [`Event`]s, in order, from any position.
//!
//! Every way of delivery reads here and nowhere else. Rows are read in blocks of fixed edges; a block that the log has
//! left behind never changes, so it is made once and shared by all who read.

use std::sync::Arc;

use tokio::sync::watch;

use super::Registry;
use crate::model::{Event, EventFilter, Result};
use crate::projection::events;

/// How many rows of the log a block holds.
pub const BLOCK: i64 = 256;
/// How many blocks a reading looks at before it answers, found or not.
const LOOKED_AT: i64 = 40;
/// How many rows after a block are looked at for the end of its last transaction. A publication ends with its version;
/// what stands after that in the same transaction is no more than this.
const BEYOND: i64 = 16;
/// How many events are kept in full blocks.
const KEPT: u64 = 20_000;

/// A part of the log, as events.
#[derive(Clone, Debug)]
pub struct Events {
    /// The events, in the order of the log.
    pub events: Vec<Arc<Event>>,
    /// How far the log was read: everything up to here is in `events` or not wanted. Go on from here.
    pub position: i64,
    /// Where the log ended when it was read, as far as readings have it.
    pub head: i64,
}

/// The full blocks that were read, by number.
pub(super) struct Blocks(moka::sync::Cache<i64, Arc<[Arc<Event>]>>);

impl Default for Blocks {
    fn default() -> Self {
        let weigh = |_: &i64, events: &Arc<[Arc<Event>]>| u32::try_from(events.len()).unwrap_or(u32::MAX).max(1);
        Self(moka::sync::Cache::builder().max_capacity(KEPT).weigher(weigh).build())
    }
}

impl Registry {
    /// The events after a position that a filter asks for, at most `limit`. It answers also when little was found, so
    /// that nobody waits for a search through the whole log: read on from the position as long as it is before the head.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn events(&self, after: i64, limit: usize, filter: &EventFilter) -> Result<Events> {
        self.events_where(after, limit, |event| filter.wants(event)).await
    }

    /// As [`Registry::events`], of what a subscription asks for: with its code set as it is now. Of a set that has ended
    /// nothing is found, and nothing is passed over.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn events_asked(&self, after: i64, limit: usize, filter: &EventFilter) -> Result<Events> {
        let Some(set) = filter.code_set else { return self.events(after, limit, filter).await };
        let Ok(codes) = self.codeset_filter(set) else {
            return Ok(Events { events: Vec::new(), position: after, head: self.snapshot().position });
        };
        self.events_where(after, limit, |event| filter.wants_beside_codes(event) && codes.wants(event)).await
    }

    async fn events_where(&self, after: i64, limit: usize, wants: impl Fn(&Event) -> bool) -> Result<Events> {
        let head = self.snapshot().position;
        let mut answer = Events { events: Vec::new(), position: after.clamp(0, head), head };
        let first = answer.position / BLOCK;
        for block in first..first + LOOKED_AT {
            if answer.position >= head {
                break;
            }
            for event in self.block(block, head).await?.iter().filter(|e| e.position > after && wants(e)) {
                if answer.events.len() == limit {
                    return Ok(answer);
                }
                answer.position = event.position;
                answer.events.push(event.clone());
            }
            answer.position = ((block + 1) * BLOCK).min(head);
        }
        Ok(answer)
    }

    /// The last events up to a position that a filter asks for, newest first, at most `limit`; where they end is
    /// `position`: go on from there, as long as it is after 0.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn events_before(&self, before: Option<i64>, limit: usize, filter: &EventFilter) -> Result<Events> {
        let head = self.snapshot().position;
        let before = before.map_or(head, |b| b.clamp(0, head));
        let mut answer = Events { events: Vec::new(), position: before, head };
        let mut looked_at = 0;
        while answer.position > 0 && looked_at < LOOKED_AT {
            let block = (answer.position - 1) / BLOCK;
            let here = self.block(block, head).await?;
            for event in here.iter().rev().filter(|e| e.position <= before && filter.wants(e)) {
                if answer.events.len() == limit {
                    return Ok(answer);
                }
                answer.events.push(event.clone());
                answer.position = event.position - 1;
            }
            answer.position = block * BLOCK;
            looked_at += 1;
        }
        Ok(answer)
    }

    /// The events of the rows `(number * BLOCK, (number + 1) * BLOCK]` that are no later than `head`.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn block(&self, number: i64, head: i64) -> Result<Arc<[Arc<Event>]>> {
        if let Some(kept) = self.event_blocks.0.get(&number) {
            return Ok(kept);
        }
        let start = number * BLOCK;
        let rows = self.store.changes(start, (BLOCK + BEYOND).min(head - start).max(0)).await?;
        let snapshot = self.snapshot();
        let made = tokio::task::spawn_blocking(move || {
            let count = usize::try_from(BLOCK).unwrap_or(usize::MAX).min(rows.len());
            events(&snapshot, &rows, count).into_iter().map(Arc::new).collect::<Arc<[_]>>()
        });
        let made = made.await.map_err(|e| {
            let text = format!("the log could not be read: {e}");
            crate::model::Refusal::new(crate::model::Code::Internal, "loggen kunne ikke læses", text)
        })?;
        // Transactions are whole in the log, and `head` is the end of one: what is there of the block stays as it is.
        if start + BLOCK <= head {
            self.event_blocks.0.insert(number, made.clone());
        }
        Ok(made)
    }

    /// Tells of each new position of the log that readings have passed; what stands in it now is the present one.
    #[must_use]
    pub fn positions(&self) -> watch::Receiver<i64> {
        self.projections.positions()
    }
}
