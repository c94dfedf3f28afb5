//! Telling: events of the log as messages, one after the other, each when the one before was taken.

use std::time::Duration;

use lapin::BasicProperties;
use tokio::sync::watch;
use tokio::time::{Instant as Stopwatch, sleep};

use super::agent::Mox;
use super::broker::{Link, Taken, Trouble, table};
use super::lifecycle::{deleted_facets, lifecycle};
use super::message::Message;
use super::settings::Unroutable;
use crate::exchange::oio_facets;
use crate::model::{Event, EventFilter, EventType, Result};

/// How long this node holds a name without saying so again; longer than a message can take.
const HOLD: Duration = Duration::from_secs(60);
/// How often it says so.
const RENEW: Duration = Duration::from_secs(10);
/// How often an idle connection is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// How long until a message that no queue takes is tried again, at most.
const RETRY: Duration = Duration::from_secs(15);
/// How many events are read at a time.
const BATCH: usize = 256;
/// After how many messages the position is put on record: at most so many are told again after a crash.
const RECORD: u32 = 64;

/// How far this node is.
struct Progress {
    /// All up to here was taken by the broker.
    told: i64,
    /// What is on record.
    recorded: i64,
    /// When that was.
    at: Stopwatch,
    /// How many messages since.
    since: u32,
}

/// Why telling came to an end without trouble.
enum End {
    /// It was asked to.
    Stopped,
    /// Another node holds the name.
    Lost,
}

impl Mox {
    /// Tells the log from where it was, as long as this node holds the name.
    pub(super) async fn tell(&self, stop: watch::Receiver<bool>) -> Result<(), Trouble> {
        let (store, name) = (self.registry.store(), &self.settings.name);
        store.start_mox(name, self.settings.after).await?;
        let Some(told) = store.claim_mox(name, self.owner, self.now(), self.later(HOLD)).await? else {
            return Ok(());
        };
        let mut progress = Progress { told, recorded: told, at: Stopwatch::now(), since: 0 };
        let done = self.connected(&mut progress, stop).await;
        // Whatever came between: what was taken is not told again.
        let recorded = self.record(&mut progress).await;
        store.release_mox(name, self.owner).await?;
        let end = done?;
        if matches!(end, End::Lost) || !recorded? {
            tracing::warn!(name, "another node tells now");
        }
        Ok(())
    }

    async fn connected(&self, progress: &mut Progress, stop: watch::Receiver<bool>) -> Result<End, Trouble> {
        let link = self.broker.connect("begreb notifications").await?;
        let done = async {
            if self.settings.declare {
                link.declare_notices(&self.settings).await?;
            }
            tracing::info!(broker = ?self.broker, position = progress.told, "MOX tells");
            self.tell_on(&link, progress, stop).await
        };
        let done = done.await;
        link.close().await;
        done
    }

    async fn tell_on(
        &self,
        link: &Link,
        progress: &mut Progress,
        mut stop: watch::Receiver<bool>,
    ) -> Result<End, Trouble> {
        let mut positions = self.registry.positions();
        let filter = EventFilter { types: TOLD.into_iter().collect(), ..EventFilter::default() };
        loop {
            positions.mark_unchanged();
            let some = self.registry.events(progress.told, BATCH, &filter).await?;
            for event in &some.events {
                for message in self.messages(event) {
                    if let Some(end) = self.send(link, &message, progress, &mut stop).await? {
                        return Ok(end);
                    }
                }
                progress.told = event.position;
                if (progress.since >= RECORD || progress.at.elapsed() > RENEW) && !self.record(progress).await? {
                    return Ok(End::Lost);
                }
                if *stop.borrow() {
                    return Ok(End::Stopped);
                }
            }
            progress.told = some.position.max(progress.told);
            let idle = progress.told >= some.head;
            if (idle || progress.at.elapsed() > RENEW) && !self.record(progress).await? {
                return Ok(End::Lost);
            }
            while idle && !positions.has_changed().unwrap_or(false) {
                tokio::select! {
                    _ = positions.changed() => break,
                    () = sleep(LOOK) => {}
                    _ = stop.wait_for(|stop| *stop) => return Ok(End::Stopped),
                }
                if !link.is_alive() {
                    return Err(Trouble::Broker("the connection is gone".into()));
                }
                if progress.at.elapsed() > RENEW && !self.record(progress).await? {
                    return Ok(End::Lost);
                }
            }
            if *stop.borrow() {
                return Ok(End::Stopped);
            }
        }
    }

    /// The messages of an event; none of a vocabulary that is not there.
    fn messages(&self, event: &Event) -> Vec<Message> {
        let snapshot = self.registry.snapshot();
        let Some(plane) = snapshot.by_slug(event.vocabulary.as_str()) else { return Vec::new() };
        let mut facets = oio_facets(plane.vocabulary());
        facets.extend(deleted_facets(&self.registry, plane, event));
        Message::of(event, plane.vocabulary().uuid(), &facets, |kind, uuid| {
            lifecycle(&self.registry, plane, event, (kind, uuid))
        })
    }

    /// Sends a message until it is taken; what comes after it waits, so that the order stays.
    async fn send(
        &self,
        link: &Link,
        message: &Message,
        progress: &mut Progress,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Option<End>, Trouble> {
        let (key, body) = (message.routing_key(&self.settings), message.body().to_string());
        let mut tries = 0_u32;
        loop {
            let properties = self.properties(message);
            progress.since += 1;
            let why = match link.publish(&self.settings.exchange, &key, properties, body.as_bytes()).await? {
                Taken::Yes => return Ok(None),
                Taken::Returned(_) if self.settings.unroutable == Unroutable::Drop => {
                    tracing::debug!(position = message.position, key, "no queue takes it: let go");
                    return Ok(None);
                }
                Taken::Returned(why) => why,
                Taken::No => "the broker refuses it".into(),
            };
            if tries == 0 {
                tracing::warn!(position = message.position, key, why, "a message is not taken; it is tried again");
            }
            tries += 1;
            if progress.at.elapsed() > RENEW && !self.record(progress).await? {
                return Ok(Some(End::Lost));
            }
            let wait = Duration::from_millis(250).saturating_mul(1 << tries.min(8)).min(RETRY);
            tokio::select! {
                () = sleep(wait) => {}
                _ = stop.wait_for(|stop| *stop) => return Ok(Some(End::Stopped)),
            }
        }
    }

    fn properties(&self, message: &Message) -> BasicProperties {
        let seconds = u64::try_from(message.at.micros() / 1_000_000).unwrap_or(0);
        BasicProperties::default()
            .with_headers(table(message.headers()))
            .with_content_type(self.settings.content_type.as_str().into())
            .with_content_encoding("UTF-8".into())
            .with_delivery_mode(if self.settings.persistent { 2 } else { 1 })
            .with_message_id(message.id().to_string().into())
            .with_timestamp(seconds)
            .with_type(message.beskedtype().into())
            .with_app_id("begreb".into())
    }

    /// Puts on record how far it is, and holds on to the name; whether it was still ours.
    async fn record(&self, progress: &mut Progress) -> Result<bool> {
        let is_new = progress.told != progress.recorded;
        if !is_new && progress.at.elapsed() < RENEW {
            return Ok(true);
        }
        let (from, to) = (progress.recorded, progress.told);
        let ours =
            self.registry.store().move_mox(&self.settings.name, self.owner, (from, to), self.later(HOLD)).await?;
        if ours {
            (progress.recorded, progress.at, progress.since) = (to, Stopwatch::now(), 0);
        }
        Ok(ours)
    }
}

/// The types of events that there are messages of.
const TOLD: [EventType; 6] = [
    EventType::VocabularyCreated,
    EventType::VocabularyChanged,
    EventType::VersionPublished,
    EventType::ConceptStated,
    EventType::ConceptRetired,
    EventType::ConceptEffective,
];
