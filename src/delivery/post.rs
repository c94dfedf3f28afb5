//! The post: reads the log, lays letters down, sends those that are due.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::digests::DIGEST;
use super::{Composed, Composer, Desk, Outcome, Smtp};
use crate::model::{Change, Code, Instant, Result};
use crate::registry::Registry;
use crate::store::{Claimed, Laid, LetterState, Settled};

/// How many rows of the log are read at a time.
const BATCH: i64 = 100;
/// How long a sender that found nothing to do waits, or one whose server could not be reached.
const REST: Duration = Duration::from_secs(1);
const LONG_REST: Duration = Duration::from_secs(30);

/// How often a digest is tried whose letter is refused, or of which nobody knows whether it arrived, until it is paused.
const IN_VAIN: i64 = 5;

/// What becomes of a letter after an attempt.
enum Fate {
    /// As a letter.
    Settled(Settled),
    /// It waits, and with it the digest that it is of, until somebody lets that go on.
    Held,
}

/// What became of a turn of a sender.
enum Turn {
    /// It had a letter, and the mail server was there.
    Sent,
    /// It had a letter, and the mail server was not there.
    Unreachable,
    /// Nothing is due.
    Nothing,
}

/// How long letters are tried, held and kept; in seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Patience {
    /// The wait after the first attempt; it doubles with each.
    pub first: u32,
    /// The longest wait.
    pub longest: u32,
    /// For how long a letter is tried.
    pub tried: u32,
    /// The wait of a digest after its letter was refused.
    pub refused: u32,
    /// How long an attempt is a sender's; longer than any attempt can take.
    pub held: u32,
    /// How long a letter is kept after it came to rest.
    pub kept: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self { first: 60, longest: 6 * 3600, tried: 3 * 86400, refused: 3600, held: 900, kept: 30 * 86400 }
    }
}

/// Reads the log for letters and sends them. Several may work on one database.
pub struct Post {
    registry: Arc<Registry>,
    composers: Vec<Box<dyn Composer>>,
    smtp: Smtp,
    patience: Patience,
}

impl Post {
    /// A post by a mail server.
    #[must_use]
    pub fn new(registry: Arc<Registry>, composers: Vec<Box<dyn Composer>>, smtp: Smtp) -> Self {
        Self { registry, composers, smtp, patience: Patience::default() }
    }

    /// Turns mail on. The first time, what was written to the log before makes no letters.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn start(&self) -> Result<()> {
        self.registry.store().start_mail().await
    }

    /// Lays down the letters of all rows of the log that were not read yet. Answers how many letters.
    ///
    /// # Errors
    /// [`Code::Database`]; what was laid down stays.
    pub async fn compose(&self) -> Result<u64> {
        let mut laid = 0;
        while let Some(more) = self.compose_some().await? {
            laid += more;
        }
        Ok(laid)
    }

    /// Lays down the letters of some rows; nothing when there are none to read, or mail is off.
    async fn compose_some(&self) -> Result<Option<u64>> {
        let store = self.registry.store();
        let Some(position) = store.mail_position().await? else { return Ok(None) };
        // Whoever is erased after this row is not written to, though the facts may be older.
        let read_at = store.head().await?.seq;
        let changes = store.changes(position, BATCH).await?;
        let Some(last) = changes.last().map(|c| c.seq) else { return Ok(None) };
        let mut letters = Vec::new();
        let desk = Desk::new(&self.registry);
        for change in &changes {
            for composed in self.letters(change, &desk).await? {
                letters.push((change.seq, composed));
            }
        }
        // Another node may have been faster: then its letters stand, and ours were never written.
        let Some(mut outbox) = store.outbox(position, read_at, desk.now()).await? else { return Ok(Some(0)) };
        let mut laid = 0;
        for (change, Composed { letter, alongside }) in letters {
            let row = Laid {
                change,
                recipient: letter.recipient(),
                kind: letter.kind().as_str(),
                mail: letter.to(),
                name: letter.name(),
                language: letter.language().tag(),
                subject: letter.subject(),
                text: letter.text(),
                secret: alongside.is_some(),
                unsubscribe: None,
            };
            if !outbox.lay(&row).await? {
                continue;
            }
            laid += 1;
            if let Some(alongside) = alongside {
                alongside(&mut outbox).await?;
            }
        }
        outbox.commit(last).await?;
        Ok(Some(laid))
    }

    /// The letters of a row, of all composers. A composer that cannot do with a row must not stop all mail.
    async fn letters(&self, change: &Change, desk: &Desk<'_>) -> Result<Vec<Composed>> {
        let mut letters = Vec::new();
        for composer in &self.composers {
            match composer.compose(change, desk).await {
                Ok(composed) => letters.extend(composed),
                Err(refusal) if matches!(refusal.code, Code::Database | Code::Internal) => return Err(refusal),
                Err(refusal) => tracing::error!(%refusal, change = change.seq, "no letter could be composed"),
            }
        }
        Ok(letters)
    }

    /// Sends what is due, one letter after the other, until nothing is or the mail server cannot be reached. Answers
    /// whether it could.
    ///
    /// # Errors
    /// [`Code::Database`], [`Code::Internal`] without chance.
    pub async fn send_due(&self) -> Result<bool> {
        loop {
            match self.send_next().await? {
                Turn::Sent => {}
                Turn::Nothing => return Ok(true),
                Turn::Unreachable => return Ok(false),
            }
        }
    }

    async fn send_next(&self) -> Result<Turn> {
        let now = self.now();
        let until = after(now, self.patience.held);
        let Some(letter) = self.registry.store().claim_letter(now, until).await? else { return Ok(Turn::Nothing) };
        let outcome = self.smtp.send(&letter).await;
        let turn = if matches!(outcome, Outcome::Unreachable(_)) { Turn::Unreachable } else { Turn::Sent };
        self.settle(&letter, outcome).await?;
        Ok(turn)
    }

    async fn settle(&self, letter: &Claimed, outcome: Outcome) -> Result<()> {
        let (fate, answer) = self.fate(letter, outcome)?;
        let settled = match fate {
            Fate::Settled(settled) => settled,
            Fate::Held => {
                self.registry.pause_refused(letter.recipient).await?;
                Settled::Later(self.now())
            }
        };
        // The answer may name the recipient: it is for the table, which can be erased, and not for the log of the
        // machine.
        let (uuid, kind) = (letter.uuid, &letter.kind);
        match &settled {
            Settled::As(LetterState::Sent) => tracing::info!(%uuid, kind, "letter sent"),
            Settled::As(state) => tracing::warn!(%uuid, kind, %state, "letter not sent"),
            Settled::Later(due) | Settled::Uncounted(due) => tracing::info!(%uuid, kind, %due, "letter put off"),
        }
        self.registry.store().settle_letter(letter, &settled, &answer, self.now()).await
    }

    /// What becomes of a letter. A digest goes at least once and in order: what is in doubt is sent again, and what is
    /// refused for good holds back what comes after it, rather than be left out.
    fn fate(&self, letter: &Claimed, outcome: Outcome) -> Result<(Fate, String)> {
        let later = || self.later(letter);
        let tried = |due: Instant| due > after(letter.since, self.patience.tried);
        let is_digest = letter.kind == DIGEST;
        let state = |state| Fate::Settled(Settled::As(state));
        Ok(match outcome {
            Outcome::Sent(answer) => (state(LetterState::Sent), answer),
            Outcome::Refused(answer) | Outcome::Doubt(answer) if is_digest && letter.tries >= IN_VAIN => {
                (Fate::Held, answer)
            }
            Outcome::Refused(answer) if is_digest => {
                let due = later()?.max(after(self.now(), self.patience.refused));
                (Fate::Settled(Settled::Later(due)), answer)
            }
            Outcome::Doubt(answer) if is_digest => (Fate::Settled(Settled::Later(later()?)), answer),
            // Our own mail server is away: that says nothing of the digest, and its days are none of those for which it may
            // be tried. Or the first 4xx after them, as from one who lists in grey, would pause it.
            Outcome::Unreachable(answer) if is_digest => (Fate::Settled(Settled::Uncounted(later()?)), answer),
            Outcome::Refused(answer) => (state(LetterState::Refused), answer),
            Outcome::Doubt(answer) => (state(LetterState::Doubt), answer),
            Outcome::Later(answer) | Outcome::Unreachable(answer) => match later()? {
                due if !tried(due) => (Fate::Settled(Settled::Later(due)), answer),
                _ if is_digest => (Fate::Held, answer),
                _ => (state(LetterState::GivenUp), answer),
            },
        })
    }

    /// When a letter is tried again: later each time, and not all at once.
    fn later(&self, letter: &Claimed) -> Result<Instant> {
        let Patience { first, longest, .. } = self.patience;
        let doublings = u32::try_from(letter.tries - 1).unwrap_or(0).min(20);
        let wait = u64::from(first).saturating_mul(1 << doublings).min(longest.into());
        let chance = self.registry.dice().throw()?[0];
        // From three quarters to five quarters of it.
        let wait = wait.saturating_mul(768 + 2 * u64::from(chance)) / 1024;
        let (now, wait) = (self.now(), u32::try_from(wait).unwrap_or(longest));
        Ok(after(now, wait.min(longest)))
    }

    /// Puts in doubt what a sender began and never settled, and empties what came to rest long ago. Answers how many
    /// came into doubt.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn sweep(&self) -> Result<u64> {
        let now = self.now();
        let kept_since = Instant::from_micros(now.micros().saturating_sub(i64::from(self.patience.kept) * 1_000_000));
        let doubtful = self.registry.store().sweep_letters(now, kept_since).await?;
        if doubtful > 0 {
            tracing::warn!(doubtful, "letters are in doubt; see begreb mail list --state doubt");
        }
        Ok(doubtful)
    }

    /// Reads the log and sends, until `stop` says so; a letter under way is brought to its end. What fails is tried
    /// again at the next turn and logged.
    pub async fn run(&self, stop: watch::Receiver<bool>) {
        let mut stopping = stop.clone();
        let composing = async {
            // Dropped between two statements, a composition leaves nothing.
            tokio::select! {
                () = self.keep_composing() => {}
                _ = stopping.wait_for(|stop| *stop) => {}
            }
        };
        tokio::join!(composing, self.keep_sending(stop));
    }

    async fn keep_composing(&self) {
        let mut wakes = self.registry.store().wakes();
        loop {
            let done = async {
                self.start().await?;
                self.compose().await
            };
            if let Err(refusal) = done.await {
                tracing::error!(%refusal, "letters could not be composed");
            }
            wakes.next().await;
        }
    }

    async fn keep_sending(&self, mut stop: watch::Receiver<bool>) {
        let mut turn = 0_u32;
        while !*stop.borrow() {
            if turn.is_multiple_of(60)
                && let Err(refusal) = self.sweep().await
            {
                tracing::error!(%refusal, "the outbox could not be swept");
            }
            turn = turn.wrapping_add(1);
            let rest = match self.send_next().await {
                Ok(Turn::Sent) => continue,
                Ok(Turn::Nothing) => REST,
                Ok(Turn::Unreachable) => LONG_REST,
                Err(refusal) => {
                    tracing::error!(%refusal, "letters could not be sent");
                    LONG_REST
                }
            };
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                // Also when nobody is left who could say so.
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    fn now(&self) -> Instant {
        self.registry.clock().now()
    }
}

fn after(at: Instant, seconds: u32) -> Instant {
    Instant::from_micros(at.micros().saturating_add(i64::from(seconds) * 1_000_000))
}
