//! What the registry tells the world: the change log as [`Event`]s, in order, from any position.
//!
//! Every way of delivery reads here and nowhere else. Rows are read in blocks of fixed edges; a block that the log has
//! left behind never changes, so it is made once and shared by all who read.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::Registry;
use crate::model::{ConceptChange, Event, EventFilter, Result};
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
/// How many blocks before the last may be made at once: few, so that those who read far back leave the database to
/// others as well.
const MAKERS: usize = 4;
/// How many blocks are the end of the log, where those are who listen.
const NEAR: i64 = 8;

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

/// The events of a block.
type Block = Arc<[Arc<Event>]>;

/// The blocks that were read.
pub(super) struct Blocks {
    /// The full ones, by number.
    full: moka::sync::Cache<i64, Block>,
    /// The one at the end of the log, with its number and with where the log ended: everybody who listens wants it.
    last: Mutex<Option<(i64, i64, Block)>>,
    /// Who makes a block holds one of these, and who wants the same one waits for it. The first is for the end of the
    /// log: those who listen do not wait behind those who read far back.
    making: [tokio::sync::Mutex<()>; 1 + MAKERS],
}

impl Default for Blocks {
    fn default() -> Self {
        let weigh = |_: &i64, events: &Block| u32::try_from(events.len()).unwrap_or(u32::MAX).max(1);
        let full = moka::sync::Cache::builder().max_capacity(KEPT).weigher(weigh).build();
        Self { full, last: Mutex::default(), making: Default::default() }
    }
}

impl Blocks {
    /// A block that was made when the log ended at `head` or later: it may hold events after that.
    fn made(&self, number: i64, head: i64) -> Option<Block> {
        self.full.get(&number).or_else(|| {
            let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            last.as_ref().filter(|(n, h, _)| *n == number && *h >= head).map(|(_, _, block)| block.clone())
        })
    }

    /// Keeps a block. Transactions are whole in the log, and `head` is the end of one: what is there stays as it is.
    fn keep(&self, number: i64, head: i64, block: &Block) {
        if (number + 1) * BLOCK <= head {
            return self.full.insert(number, block.clone());
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|(_, h, _)| *h <= head) {
            *last = Some((number, head, block.clone()));
        }
    }

    /// Whose turn it is to make a block.
    async fn turn(&self, number: i64, head: i64) -> tokio::sync::MutexGuard<'_, ()> {
        let is_near = (number + NEAR) * BLOCK > head;
        let one = if is_near { 0 } else { 1 + usize::try_from(number).unwrap_or_default() % MAKERS };
        self.making[one].lock().await
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
            let here = self.block(block, head).await?;
            // What was written since the reading began is for the next one.
            let there = here.iter().filter(|e| e.position > after && e.position <= head);
            for event in there.filter(|e| wants(e)) {
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

    /// The events of the rows `(number * BLOCK, (number + 1) * BLOCK]`, at least those that are no later than `head`.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn block(&self, number: i64, head: i64) -> Result<Arc<[Arc<Event>]>> {
        let blocks = &self.event_blocks;
        if let Some(made) = blocks.made(number, head) {
            return Ok(made);
        }
        let _turn = blocks.turn(number, head).await;
        if let Some(made) = blocks.made(number, head) {
            return Ok(made);
        }
        let start = number * BLOCK;
        let rows = self.store.changes(start, (BLOCK + BEYOND).min(head - start).max(0)).await?;
        let snapshot = self.snapshot();
        let made = tokio::task::spawn_blocking(move || {
            let count = usize::try_from(BLOCK).unwrap_or(usize::MAX).min(rows.len());
            events(&snapshot, &rows, count).into_iter().map(Arc::new).collect::<Block>()
        });
        let made = made.await.map_err(|e| {
            let text = format!("the log could not be read: {e}");
            crate::model::Refusal::new(crate::model::Code::Internal, "loggen kunne ikke læses", text)
        })?;
        blocks.keep(number, head, &made);
        Ok(made)
    }

    /// Whether an event only tells of a concept that it takes over from others that go with the same: the events of those
    /// say it too, and there is nothing else to do about it.
    #[must_use]
    pub fn only_takes_over(&self, event: &Event) -> bool {
        let Some(replaced) = event.concept.as_ref().and_then(ConceptChange::only_replaces) else { return false };
        let snapshot = self.snapshot();
        snapshot.by_slug(event.vocabulary.as_str()).is_some_and(|plane| plane.went_with(event, &replaced))
    }

    /// Tells of each new position of the log that readings have passed; what stands in it now is the present one.
    #[must_use]
    pub fn positions(&self) -> watch::Receiver<i64> {
        self.projections.positions()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_block_is_made_once_for_all_who_want_it() {
        let (blocks, block): (Blocks, Block) = (Blocks::default(), Arc::new([]));
        assert!(blocks.made(0, 100).is_none());
        blocks.keep(0, 100, &block);
        // It serves those who began to read when the log was shorter, and nobody for whom it is longer.
        assert!(blocks.made(0, 90).is_some() && blocks.made(0, 100).is_some());
        assert!(blocks.made(0, 101).is_none() && blocks.made(1, 100).is_none());
        blocks.keep(0, 90, &block);
        assert!(blocks.made(0, 100).is_some(), "one who was late takes nothing away");
        // A full one is kept beside the last.
        blocks.keep(0, BLOCK, &block);
        blocks.keep(1, BLOCK + 1, &block);
        assert!(blocks.made(0, BLOCK + 1).is_some() && blocks.made(1, BLOCK + 1).is_some());
        // Two who want the same one wait for each other.
        let head = 9 * BLOCK;
        let first = blocks.turn(1, head).await;
        let second = tokio::time::timeout(std::time::Duration::from_millis(10), blocks.turn(1, head)).await;
        assert!(second.is_err());
        // And nobody who wants the end of the log waits for them.
        drop(blocks.turn(9, head).await);
        drop(first);
        drop(blocks.turn(1, head).await);
    }
}
