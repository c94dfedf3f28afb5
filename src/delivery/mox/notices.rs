//! Telling: events of the log as messages. Several are under way at a time; how far the log was told moves on with the
//! first of them, when the broker has it.

use std::collections::VecDeque;
use std::time::Duration;

use lapin::{BasicProperties, PublisherConfirm};
use tokio::sync::watch;
use tokio::time::{Instant as Stopwatch, sleep, timeout};

use super::agent::Mox;
use super::broker::{LOOK, Link, Taken, Trouble, Waiting, table, taken};
use super::lifecycle::{deleted_facets, lifecycle};
use super::message::Message;
use super::settings::Unroutable;
use crate::exchange::oio_facets;
use crate::model::{Event, EventFilter, EventType, Result};
use crate::registry::MoxCount;

/// How long this node holds a name without saying so again; longer than a message can take.
const HOLD: Duration = Duration::from_secs(60);
/// How often it says so.
const RENEW: Duration = Duration::from_secs(10);
/// How often an idle connection is looked at.
const IDLE: Duration = Duration::from_secs(2);
/// How long what is under way is waited for when this node is asked to stop.
const FAREWELL: Duration = Duration::from_secs(3);
/// How long until a message that no queue takes is tried again, at most.
const RETRY: Duration = Duration::from_secs(15);
/// How many events are read at a time.
const BATCH: usize = 256;
/// After how many messages the position is put on record: at most so many are told again after a crash, and those that
/// were under way.
const RECORD: u32 = 256;
/// How many messages go one at a time after one was refused.
const CALM: u32 = 1000;

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

/// A message in the line.
struct Item {
    message: Message,
    /// The position that all is told up to when the broker has it; none where an event has more messages.
    passes: Option<i64>,
}

/// What is to be told, in order. The first of them are under way: the broker has been handed them, and has not confirmed
/// them yet.
struct Line {
    items: VecDeque<Item>,
    flying: VecDeque<PublisherConfirm>,
    /// How far the log was read.
    read: i64,
    /// How many may be under way; it grows with each that is confirmed.
    window: usize,
    /// How many more must go one at a time.
    calm: u32,
    /// How often the first was refused.
    tries: u32,
}

impl Line {
    /// Nothing read yet, after a position.
    fn after(position: i64) -> Self {
        let (items, flying) = <(VecDeque<_>, VecDeque<_>)>::default();
        Self { items, flying, read: position, window: 1, calm: 0, tries: 0 }
    }

    /// All of an event, or of what was read, is in the line, or there was nothing of it.
    fn passed(&mut self, position: i64, progress: &mut Progress) {
        match self.items.back_mut() {
            Some(last) => last.passes = Some(position),
            None => progress.told = position.max(progress.told),
        }
    }

    /// The first was confirmed: it leaves the line, and more may be under way.
    fn confirmed(&mut self, widest: usize, progress: &mut Progress) {
        if let Some(passes) = self.items.pop_front().and_then(|item| item.passes) {
            progress.told = passes;
        }
        progress.since += 1;
        self.tries = 0;
        match self.calm.checked_sub(1) {
            Some(rest) => self.calm = rest,
            None => self.window = (self.window + 1).min(widest),
        }
    }

    /// The first was refused. What is under way behind it comes again after it, though the broker may have it: so its
    /// order is that of the log from here on. What follows goes one at a time for a while.
    fn refused(&mut self) {
        self.flying.clear();
        (self.window, self.calm) = (1, CALM);
        self.tries += 1;
    }
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
        self.registry.mox_counts().set_in_flight(0);
        self.registry.mox_counts().set_blocked(false);
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
        self.registry.mox_counts().add(MoxCount::ConnectedToTell);
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
        let mut line = Line::after(progress.told);
        loop {
            let head = *positions.borrow_and_update();
            if line.items.len() < self.settings.window
                && line.read < head
                && let Some(end) = self.read(&mut line, progress).await?
            {
                return Ok(end);
            }
            if !*stop.borrow()
                && let Some(end) = self.fly(link, &mut line, progress, &stop).await?
            {
                return Ok(end);
            }
            let idle = line.items.is_empty() && line.read >= head;
            let due = idle || progress.since >= RECORD || progress.at.elapsed() > RENEW;
            if due && !self.record(progress).await? {
                return Ok(End::Lost);
            }
            if !line.flying.is_empty() {
                if let Some(end) = self.land(link, &mut line, progress, &mut stop).await? {
                    return Ok(end);
                }
                continue;
            }
            while idle && *positions.borrow() == head {
                tokio::select! {
                    _ = positions.changed() => {}
                    () = sleep(IDLE) => {}
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

    /// Reads on in the log, and puts the messages of what is there into the line.
    async fn read(&self, line: &mut Line, progress: &mut Progress) -> Result<Option<End>, Trouble> {
        let filter = EventFilter { types: TOLD.into_iter().collect(), ..EventFilter::default() };
        let some = self.registry.events(line.read, BATCH, &filter).await?;
        for event in &some.events {
            line.items.extend(self.messages(event).into_iter().map(|message| Item { message, passes: None }));
            line.passed(event.position, progress);
            // What an object is read as takes its time; others want to be heard as well.
            tokio::task::yield_now().await;
            if progress.at.elapsed() > RENEW && !self.record(progress).await? {
                return Ok(Some(End::Lost));
            }
        }
        line.passed(some.position, progress);
        line.read = some.position.max(line.read);
        Ok(None)
    }

    /// Hands as many to the broker as may be under way.
    async fn fly(
        &self,
        link: &Link,
        line: &mut Line,
        progress: &mut Progress,
        stop: &watch::Receiver<bool>,
    ) -> Result<Option<End>, Trouble> {
        while line.flying.len() < line.window.min(line.items.len()) {
            let message = &line.items[line.flying.len()].message;
            let (key, body) = (message.routing_key(&self.settings), message.body().to_string());
            let sent = link.send(&self.settings.exchange, &key, self.properties(message), body.as_bytes());
            let (mut sent, mut waiting) = (std::pin::pin!(sent), Waiting::begin());
            let confirm = loop {
                if let Ok(done) = timeout(LOOK, sent.as_mut()).await {
                    break done?;
                }
                if let Some(end) = self.look(link, &mut waiting, progress, stop).await? {
                    return Ok(Some(end));
                }
            };
            line.flying.push_back(confirm);
            self.registry.mox_counts().add(MoxCount::Published);
            self.registry.mox_counts().set_in_flight(line.flying.len());
        }
        Ok(None)
    }

    /// Waits for the first of those under way. When it is refused it is tried again, and what comes after it waits, so
    /// that the order stays.
    async fn land(
        &self,
        link: &Link,
        line: &mut Line,
        progress: &mut Progress,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Option<End>, Trouble> {
        let Some((mut confirm, item)) = line.flying.pop_front().zip(line.items.front()) else { return Ok(None) };
        let mut waiting = Waiting::begin();
        let confirmed = loop {
            if let Ok(done) = timeout(LOOK, &mut confirm).await {
                break done?;
            }
            if let Some(end) = self.look(link, &mut waiting, progress, stop).await? {
                return Ok(Some(end));
            }
        };
        let counts = self.registry.mox_counts();
        counts.set_blocked(false);
        counts.set_in_flight(line.flying.len());
        let (position, kind) = (item.message.position, item.message.objekttype.name());
        let why = match taken(confirmed)? {
            Taken::Yes => {
                counts.add(MoxCount::Confirmed);
                line.confirmed(self.settings.window, progress);
                return Ok(None);
            }
            Taken::Returned(why) => {
                counts.add(MoxCount::Returned);
                if self.settings.unroutable == Unroutable::Drop {
                    tracing::debug!(position, kind, "no queue takes a message: let go");
                    line.confirmed(self.settings.window, progress);
                    return Ok(None);
                }
                why
            }
            Taken::No => {
                counts.add(MoxCount::Rejected);
                "the broker refuses it".into()
            }
        };
        if line.tries == 0 {
            tracing::warn!(position, kind, why, "a message is not taken; it is tried again");
        }
        line.refused();
        counts.set_in_flight(0);
        if progress.at.elapsed() > RENEW && !self.record(progress).await? {
            return Ok(Some(End::Lost));
        }
        let wait = Duration::from_millis(250).saturating_mul(1 << line.tries.min(8)).min(RETRY);
        tokio::select! {
            () = sleep(wait) => Ok(None),
            _ = stop.wait_for(|stop| *stop) => Ok(Some(End::Stopped)),
        }
    }

    /// Looks at how things stand while the broker says nothing; whether it is over.
    async fn look(
        &self,
        link: &Link,
        waiting: &mut Waiting,
        progress: &mut Progress,
        stop: &watch::Receiver<bool>,
    ) -> Result<Option<End>, Trouble> {
        let blocked = waiting.look(link)?;
        self.registry.mox_counts().set_blocked(blocked);
        // What is not confirmed by then is told again.
        if *stop.borrow() && (blocked || waiting.elapsed() > FAREWELL) {
            return Ok(Some(End::Stopped));
        }
        let lost = progress.at.elapsed() > RENEW && !self.record(progress).await?;
        Ok(lost.then_some(End::Lost))
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
const TOLD: [EventType; 7] = [
    EventType::VocabularyCreated,
    EventType::VocabularyChanged,
    EventType::VersionPublished,
    EventType::ConceptStated,
    EventType::ConceptRetired,
    EventType::ConceptPassivated,
    EventType::ConceptEffective,
];
