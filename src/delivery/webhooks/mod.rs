//! Webhooks: the events of the log, sent to those who subscribe, each in the order of the log and from a position of
//! its own.
//!
//! [`Webhooks::run`] looks for subscriptions that have something to deliver, claims them for a while in the database, so
//! that of several nodes one delivers each, and lets a [`burst`] send to each of them by itself: one that is slow or down
//! holds up nobody. What came of it is put on record by the [`ledger`], many at a time. Sending is the [`courier`]'s.

mod burst;
mod courier;
mod ledger;
mod message;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use uuid::Uuid;

use self::burst::Burst;
pub use self::courier::Courier;
use self::ledger::Ledger;
use crate::model::{Instant, Result, SubscriptionKind};
use crate::registry::Registry;
use crate::store::Ready;

/// How many bursts there are at once to those who answered well last time, and to the others: so that those who do not
/// answer cannot take the place of those who do.
const WELL: usize = 256;
const ILL: usize = 256;
/// How long it is until time is looked at when nothing happens.
const REST: Duration = Duration::from_secs(1);
/// How long the database is left alone when it failed.
const LONG_REST: Duration = Duration::from_secs(5);
/// After how many rows that hold nothing for a subscription that is put on record.
const MUCH: i64 = 5000;
/// After how long what is old is swept away.
const SWEEP: Duration = Duration::from_secs(300);

/// How long messages are tried, held and kept; in seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetryPlan {
    /// The wait after the first attempt; it doubles with each.
    pub first: u32,
    /// The longest wait.
    pub longest: u32,
    /// For how long a message is tried.
    pub tried: u32,
    /// How long a claim stands from its last word; longer than any attempt can take.
    pub held: u32,
    /// How long it is kept what was tried.
    pub kept: u32,
}

impl Default for RetryPlan {
    fn default() -> Self {
        Self { first: 5, longest: 4 * 3600, tried: 5 * 86400, held: 60, kept: 30 * 86400 }
    }
}

/// Sends the events of the log to those who subscribe. Several may work on one database.
pub struct Webhooks {
    registry: Arc<Registry>,
    courier: Courier,
    plan: RetryPlan,
    ledger: Ledger,
    well: Arc<Semaphore>,
    ill: Arc<Semaphore>,
    /// How far the log holds nothing for a subscription, by the word of its owner's that this goes by. It is put on record
    /// with the next message, or when it is much: a row of the log that few ask for makes no writes for all others.
    looked: Mutex<HashMap<Uuid, (i64, i64)>>,
}

/// What a turn found.
#[derive(Default)]
struct Found {
    /// Those that have something to deliver.
    ready: Vec<Ready>,
    /// Whether the log was not looked through for somebody.
    more: bool,
}

impl Webhooks {
    /// Webhooks of a registry.
    #[must_use]
    pub fn new(registry: Arc<Registry>, courier: Courier) -> Self {
        let (well, ill) = (Arc::new(Semaphore::new(WELL)), Arc::new(Semaphore::new(ILL)));
        let (ledger, looked) = Default::default();
        Self { registry, courier, plan: RetryPlan::default(), ledger, well, ill, looked }
    }

    /// The same, with another plan.
    #[must_use]
    pub fn planned(self, plan: RetryPlan) -> Self {
        Self { plan, ..self }
    }

    /// Sends everything that is due now, until nothing is.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn deliver_due(self: &Arc<Self>) -> Result<()> {
        let (_tell, stop) = watch::channel(false);
        let mut bursts = JoinSet::new();
        loop {
            let more = self.turn(&mut bursts, &stop).await?;
            if bursts.is_empty() && !more {
                return Ok(());
            }
            while bursts.join_next().await.is_some() {}
        }
    }

    /// Delivers until `stop` says so; attempts under way are brought to their end. What fails is tried again at the next
    /// turn and logged.
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let (mut bursts, mut positions, mut swept) = (JoinSet::new(), self.registry.positions(), None);
        while !*stop.borrow() {
            if swept.is_none_or(|at: tokio::time::Instant| at.elapsed() >= SWEEP) {
                swept = Some(tokio::time::Instant::now());
                if let Err(refusal) = self.sweep().await {
                    tracing::error!(%refusal, "what was delivered could not be swept");
                }
            }
            let rest = match self.turn(&mut bursts, &stop).await {
                Ok(true) => continue,
                Ok(false) => REST,
                Err(refusal) => {
                    tracing::error!(%refusal, "webhooks could not be delivered");
                    LONG_REST
                }
            };
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                Ok(()) = positions.changed() => {}
                Some(_) = bursts.join_next(), if !bursts.is_empty() => while bursts.try_join_next().is_some() {},
                // Also when nobody is left who could say so.
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
        while bursts.join_next().await.is_some() {}
    }

    /// Forgets the attempts and ended subscriptions of long ago, and secrets that are good no more.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`].
    pub async fn sweep(&self) -> Result<()> {
        let now = self.now();
        let kept_since = Instant::from_micros(now.micros().saturating_sub(i64::from(self.plan.kept) * 1_000_000));
        self.registry.store().sweep_deliveries(now, kept_since).await
    }

    /// Begins a burst for each subscription that has something to deliver and for which there is room. Answers whether
    /// there is more to look through.
    async fn turn(self: &Arc<Self>, bursts: &mut JoinSet<()>, stop: &watch::Receiver<bool>) -> Result<bool> {
        let found = self.look().await?;
        let mut room: HashMap<Uuid, OwnedSemaphorePermit> = HashMap::new();
        for ready in &found.ready {
            let slots = if ready.failing { &self.ill } else { &self.well };
            if let Ok(permit) = slots.clone().try_acquire_owned() {
                room.insert(ready.uuid, permit);
            }
        }
        let wanted: Vec<Uuid> = room.keys().copied().collect();
        if wanted.is_empty() {
            return Ok(found.more);
        }
        let now = self.now();
        let claims = self.registry.store().claim_subscriptions(&wanted, now, after(now, self.plan.held)).await?;
        for claim in claims {
            let (hooks, stop, permit) = (self.clone(), stop.clone(), room.remove(&claim.uuid));
            bursts.spawn(async move {
                let _permit = permit;
                let subscription = claim.uuid;
                let done = async { Burst::new(&hooks, claim, stop)?.run().await };
                if let Err(refusal) = done.await {
                    // Its claim runs out, and it is tried again.
                    tracing::error!(%subscription, %refusal, "a webhook could not be delivered");
                }
            });
        }
        Ok(found.more)
    }

    /// Who has something to deliver.
    async fn look(&self) -> Result<Found> {
        let head = self.registry.snapshot().position;
        let all = self.registry.store().ready_subscriptions(SubscriptionKind::Webhook, self.now(), head).await?;
        let mut found = Found::default();
        for ready in all {
            let wanted = ready.flows && {
                let from = self.looked_to(&ready);
                let events = self.registry.events_asked(from, 1, &ready.filter).await?;
                if events.events.is_empty() {
                    found.more |= events.position < events.head;
                    self.remember(&ready, events.position);
                }
                !events.events.is_empty() || events.position - ready.passed >= MUCH
            };
            if wanted || ready.aside {
                found.ready.push(ready);
            }
        }
        Ok(found)
    }

    fn looked_to(&self, ready: &Ready) -> i64 {
        let looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let there = looked.get(&ready.uuid).filter(|(edition, _)| *edition == ready.edition);
        there.map_or(ready.passed, |(_, position)| ready.passed.max(*position))
    }

    fn remember(&self, ready: &Ready, position: i64) {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        looked.insert(ready.uuid, (ready.edition, position));
    }

    /// How many seconds pass until the next attempt: more each time, and not for all alike.
    fn wait(&self, attempts: i64) -> Result<u32> {
        let RetryPlan { first, longest, .. } = self.plan;
        let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(20);
        let wait = u64::from(first).saturating_mul(1 << doublings).min(longest.into());
        let chance = self.registry.dice().throw()?[0];
        // From three quarters to five quarters of it.
        let wait = wait.saturating_mul(768 + 2 * u64::from(chance)) / 1024;
        Ok(u32::try_from(wait).unwrap_or(longest).clamp(1, longest))
    }

    fn now(&self) -> Instant {
        self.registry.clock().now()
    }
}

fn after(at: Instant, seconds: u32) -> Instant {
    Instant::from_micros(at.micros().saturating_add(i64::from(seconds) * 1_000_000))
}
