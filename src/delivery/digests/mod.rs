//! Mail digests: what happened, told in letters to those who asked for it.
//!
//! [`Digests::compose`] reads the events for many subscriptions at once, gathers for each its [`News`], and lays the
//! letter down in the outbox in one transaction with how far the subscription was told: so nothing is told twice, nothing
//! is lost, and of several nodes one tells it. The [`Post`](super::Post) sends the letters. [`DigestLetters`] composes
//! the letter that asks whether somebody wants a digest at all.

mod asked;
mod news;
mod text;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use uuid::Uuid;

pub use self::asked::DigestLetters;
use self::news::News;
use super::{Letter, LetterKind, LetterLanguage};
use crate::model::{DigestLanguage, EventFilter, Frequency, Instant, Result};
use crate::registry::{DigestSettings, Registry};
use crate::store::{DigestMove, DigestRow, Laid};

/// The kind of a digest's letters.
pub(super) const DIGEST: &str = "digest";
/// How many subscriptions are told of one reading of the log.
const TOGETHER: i64 = 200;
/// How many events are read at a time.
const READ: usize = 1000;
/// After how many rows that hold nothing for a subscription that is put on record.
const MUCH: i64 = 1000;
/// How long it is until time is looked at when nothing happens, and the shortest time between two turns.
const REST: Duration = Duration::from_secs(30);
const SHORT_REST: Duration = Duration::from_secs(2);

/// A subscription, and what happened for it.
struct Told {
    row: DigestRow,
    settings: DigestSettings,
    filter: Option<Arc<EventFilter>>,
    news: News,
}

/// Lays down digests. Several may work on one database.
pub struct Digests {
    registry: Arc<Registry>,
}

impl Digests {
    /// Digests of what happens in a registry.
    #[must_use]
    pub fn new(registry: Arc<Registry>) -> Self {
        Self { registry }
    }

    /// Lays down the letters of all digests whose time has come. Answers how many; none while mail was never turned on.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`]; what was laid down stays.
    pub async fn compose(&self) -> Result<u64> {
        let store = self.registry.store();
        if store.mail_position().await?.is_none() {
            return Ok(0);
        }
        let now = self.registry.clock().now();
        let (mut after, mut laid) = (Uuid::nil(), 0);
        loop {
            let rows = store.digests_due(now, after, TOGETHER).await?;
            let Some(last) = rows.last().map(|row| row.uuid) else { return Ok(laid) };
            laid += self.tell(rows, now).await?;
            after = last;
        }
    }

    /// Tells some digests of what happened since each was told last.
    async fn tell(&self, rows: Vec<DigestRow>, now: Instant) -> Result<u64> {
        // Whoever is erased after this row is not written to, though the address may have been read before.
        let read_at = self.registry.store().head().await?.seq;
        let head = self.registry.snapshot().position;
        let (mut told, mut moves) = (Vec::new(), Vec::new());
        for row in rows {
            match self.open(row) {
                Ok(one) if one.is_fresh() => moves.push(one.to(one.row.passed, one.settings.every.next(now))),
                Ok(one) => told.push(one),
                // One that cannot be read must not stop all others.
                Err(refusal) => tracing::error!(%refusal, "a digest cannot be told"),
            }
        }
        self.gather(&mut told, head).await?;
        let mut laid = 0;
        for one in &told {
            let passed = head.max(one.row.passed);
            match self.letter(one, now) {
                Ok(Some(letter)) => laid += u64::from(self.lay(one, &letter, passed, read_at, now).await?),
                Ok(None) if one.is_worth_a_word(passed) => moves.push(one.to(passed, one.due_after(now))),
                Ok(None) => {}
                Err(refusal) => tracing::error!(%refusal, digest = %one.row.uuid, "a digest could not be composed"),
            }
        }
        if !moves.is_empty() {
            self.registry.store().move_digests(&moves).await?;
        }
        Ok(laid)
    }

    fn open(&self, row: DigestRow) -> Result<Told> {
        let settings = DigestSettings::read(&row.settings)?;
        let filter = self.registry.digest_filter(&row.filter, settings.code_set);
        Ok(Told { row, settings, filter, news: News::default() })
    }

    /// Reads the log once for all of them, up to `head`: the end of a transaction.
    async fn gather(&self, told: &mut [Told], head: i64) -> Result<()> {
        let Some(mut position) = told.iter().map(|one| one.row.passed).min() else { return Ok(()) };
        let all = EventFilter::default();
        while position < head {
            let read = self.registry.events(position, READ, &all).await?;
            for event in read.events.iter().filter(|event| event.position <= head) {
                // What a concept takes over is told by what goes.
                if self.registry.only_takes_over(event) {
                    continue;
                }
                for one in told.iter_mut().filter(|one| one.row.passed < event.position) {
                    if one.filter.as_ref().is_some_and(|filter| filter.wants(event)) {
                        one.news.add(event);
                    }
                }
            }
            position = read.position;
        }
        Ok(())
    }

    /// The letter of a digest; none when nothing happened.
    fn letter(&self, one: &Told, now: Instant) -> Result<Option<(Letter, i64, String)>> {
        let Some(last) = one.news.last() else { return Ok(None) };
        let link = self.registry.digest_link(one.row.uuid, &one.settings.key);
        let (subject, text) = text::written(&self.registry, &one.news, &one.settings, &link, now);
        let language = match one.settings.language {
            DigestLanguage::Da => LetterLanguage::Danish,
            DigestLanguage::En => LetterLanguage::English,
        };
        let to = (one.row.contact, one.row.mail.clone(), None);
        let letter = Letter::new(LetterKind::new(DIGEST), to, language, subject, text)?;
        Ok(Some((letter, last, link)))
    }

    /// Lays a letter down, and that the digest was told; whether it was this node that did.
    async fn lay(
        &self,
        one: &Told,
        (letter, change, link): &(Letter, i64, String),
        passed: i64,
        read_at: i64,
        now: Instant,
    ) -> Result<bool> {
        let Some(mut outbox) = self.registry.store().outbox_beside(read_at, now).await? else { return Ok(false) };
        if !outbox.pass_digest(&one.to(passed, one.settings.every.next(now))).await? {
            return Ok(false);
        }
        let laid = Laid {
            change: *change,
            recipient: letter.recipient(),
            kind: letter.kind().as_str(),
            mail: letter.to(),
            name: letter.name(),
            language: letter.language().tag(),
            subject: letter.subject(),
            text: letter.text(),
            secret: false,
            unsubscribe: Some(link),
        };
        let laid = outbox.lay(&laid).await?;
        outbox.end().await?;
        Ok(laid)
    }

    /// Lays digests down until `stop` says so. What fails is tried again at the next turn and logged.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        // Dropped between two statements, a digest leaves nothing.
        tokio::select! {
            () = self.keep_composing() => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    async fn keep_composing(&self) {
        let mut positions = self.registry.positions();
        loop {
            if let Err(refusal) = self.compose().await {
                tracing::error!(%refusal, "digests could not be composed");
            }
            // Many publications one after the other are looked at together.
            tokio::time::sleep(SHORT_REST).await;
            if let Ok(Err(_)) = tokio::time::timeout(REST, positions.changed()).await {
                return;
            }
        }
    }
}

impl Told {
    /// Whether its first morning is still to come.
    fn is_fresh(&self) -> bool {
        self.settings.every != Frequency::AtOnce && self.row.due == Instant::from_micros(0)
    }

    /// When it is looked at next, where nothing happened.
    fn due_after(&self, now: Instant) -> Instant {
        if self.settings.every == Frequency::AtOnce { self.row.due } else { self.settings.every.next(now) }
    }

    /// Whether it is put on record that nothing happened: for what is sent at once only now and then, or each row of the
    /// log would make a write for everyone.
    fn is_worth_a_word(&self, passed: i64) -> bool {
        self.settings.every != Frequency::AtOnce || passed - self.row.passed >= MUCH
    }

    fn to(&self, passed: i64, due: Instant) -> DigestMove {
        DigestMove { uuid: self.row.uuid, edition: self.row.edition, before: self.row.passed, passed, due }
    }
}
