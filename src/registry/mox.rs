//! What who runs the registry sees of its messages.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::Registry;
use super::verify::wrong;
use crate::model::Result;
use crate::store::Head;

/// What became of messages in this process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MoxCount {
    /// A notification was handed to the broker.
    Published,
    /// It has taken one.
    Confirmed,
    /// No queue took one.
    Returned,
    /// It has refused one.
    Rejected,
    /// A connection to tell on was made.
    ConnectedToTell,
    /// A connection to take commands on was made.
    ConnectedToServe,
    /// A command came.
    Received,
    /// It came to the interface.
    Executed,
    /// What came was refused before that: no command, no token, or another's beskedID.
    Refused,
    /// An answer was taken by the broker.
    Answered,
    /// Nobody took one, or nobody was to have one.
    Unanswered,
    /// The broker gave a command that it had given before.
    Redelivered,
}

impl MoxCount {
    /// Every one, in order.
    pub const ALL: [Self; 12] = [
        Self::Published,
        Self::Confirmed,
        Self::Returned,
        Self::Rejected,
        Self::ConnectedToTell,
        Self::ConnectedToServe,
        Self::Received,
        Self::Executed,
        Self::Refused,
        Self::Answered,
        Self::Unanswered,
        Self::Redelivered,
    ];
}

/// Counts the messages of this process, from its start.
#[derive(Default, Debug)]
pub struct MoxCounts {
    counts: [AtomicU64; MoxCount::ALL.len()],
    in_flight: AtomicU64,
    blocked: AtomicBool,
}

impl MoxCounts {
    /// Counts one.
    pub fn add(&self, what: MoxCount) {
        self.counts[what as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How many there were.
    #[must_use]
    pub fn of(&self, what: MoxCount) -> u64 {
        self.counts[what as usize].load(Ordering::Relaxed)
    }

    /// How many notifications the broker has not confirmed yet.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Says how many are not confirmed yet.
    pub fn set_in_flight(&self, n: usize) {
        self.in_flight.store(u64::try_from(n).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether the broker takes nothing for now.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::Relaxed)
    }

    /// Says whether the broker takes nothing for now.
    pub fn set_blocked(&self, blocked: bool) {
        self.blocked.store(blocked, Ordering::Relaxed);
    }
}

impl Registry {
    /// What became of messages in this process.
    #[must_use]
    pub fn mox_counts(&self) -> &MoxCounts {
        &self.mox_counts
    }

    /// How far the log was told by message, by the name that it is told under.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn mox_positions(&self) -> Result<Vec<(String, i64)>> {
        self.store.mox_positions().await
    }

    /// The log was told no further than it goes.
    pub(super) async fn compare_mox(&self, head: &Head) -> Result<()> {
        // What was written since the log was read is not wrong.
        let end = head.seq.max(self.store.head().await?.seq);
        match self.store.mox_positions().await?.into_iter().find(|(_, position)| *position > end) {
            Some((name, position)) => {
                Err(wrong(&format!("mox_position {name}: {position} is beyond the end of the log")))
            }
            None => Ok(()),
        }
    }
}
