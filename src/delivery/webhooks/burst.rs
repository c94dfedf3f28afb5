//! A burst: what is sent to one subscription while it is claimed, one message after the other.

use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::watch;
use tokio::time::Instant as Stopwatch;
use uuid::Uuid;

use super::courier::{Answered, Line, Signed};
use super::message::Message;
use super::{Webhooks, after};
use crate::model::{Code, EventFilter, Instant, Refusal, Result, Target};
use crate::registry::WebhookSettings;
use crate::store::{Aside, AsideEnd, AsideKind, Attempt, Claim, Progress, Settlement, Standing};

/// How many messages are sent before others have their turn, and for how long.
const MESSAGES: usize = 100;
const LASTS: Duration = Duration::from_secs(10);
/// How many events are looked at for a message of one.
const AHEAD: usize = 1;

/// What an attempt came to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Delivered,
    Failed,
    Gone,
}

impl Outcome {
    fn of(answered: &Answered) -> Self {
        match answered.status {
            Some(200..=299) => Self::Delivered,
            Some(410) => Self::Gone,
            // Also when it would lead elsewhere: nobody has looked at that address.
            _ => Self::Failed,
        }
    }
}

/// What is found for a subscription.
enum Found {
    Message(Message),
    /// Nothing up to a position.
    Nothing(i64),
}

/// A subscription under way.
pub(super) struct Burst<'w> {
    hooks: &'w Webhooks,
    claim: Claim,
    settings: WebhookSettings,
    line: Option<Line>,
    stop: watch::Receiver<bool>,
}

impl<'w> Burst<'w> {
    /// A burst for a claim.
    pub(super) fn new(hooks: &'w Webhooks, claim: Claim, stop: watch::Receiver<bool>) -> Result<Self> {
        let settings = serde_json::from_str(&claim.settings).map_err(|e| {
            let (da, en) = ("et abonnement kan ikke læses", format!("a subscription cannot be read: {e}"));
            Refusal::new(Code::Corrupt, da, en)
        })?;
        Ok(Self { hooks, claim, settings, line: None, stop })
    }

    /// Sends what there is, beside the order first; until there is nothing, something fails, others should have their
    /// turn, or the owner says otherwise. The claim is given back.
    pub(super) async fn run(mut self) -> Result<()> {
        let begun = Stopwatch::now();
        let mut sent = 0;
        let tired =
            |sent: usize, stop: &watch::Receiver<bool>| sent >= MESSAGES || begun.elapsed() >= LASTS || *stop.borrow();
        while !tired(sent, &self.stop) {
            let Some(aside) = self.hooks.registry.store().next_aside(self.claim.uuid).await? else { break };
            sent += 1;
            if !self.beside(&aside).await? {
                return Ok(());
            }
        }
        let flows = self.claim.active && self.claim.progress.due <= self.hooks.now();
        if !flows || tired(sent, &self.stop) {
            return self.settle(self.progress(), None, None, false).await.map(drop);
        }
        let mut found = self.next(self.progress()).await?;
        loop {
            let message = match found {
                Found::Message(message) => message,
                Found::Nothing(passed) => {
                    return self.settle(Progress { passed, ..self.progress() }, None, None, false).await.map(drop);
                }
            };
            sent += 1;
            let (answered, at) = self.attempt(&message).await?;
            if Outcome::of(&answered) != Outcome::Delivered {
                return self.failed(&message, &answered, at).await;
            }
            let done =
                Progress { passed: message.rows().1, pending: None, attempts: 0, since: None, due: self.hooks.now() };
            let attempt = self.record(&message, &answered, at, "delivered", self.claim.progress.attempts + 1);
            found = self.next(done).await?;
            let (progress, goes_on) = match &found {
                Found::Message(_) => (done, !tired(sent, &self.stop)),
                Found::Nothing(passed) => (Progress { passed: *passed, ..done }, false),
            };
            if !self.settle(progress, Some(attempt), None, goes_on).await? {
                return Ok(());
            }
        }
    }

    fn progress(&self) -> Progress {
        self.claim.progress
    }

    /// What is next in the order. What is being tried is put together of the same rows again.
    async fn next(&self, from: Progress) -> Result<Found> {
        let batch = usize::from(self.settings.batch);
        let wanted = if batch > 1 { batch } else { AHEAD };
        let found = self.hooks.registry.events_asked(from.passed, wanted, &self.claim.filter).await?;
        let tried = from.pending.filter(|_| from.attempts > 0);
        let until = found.events.iter().position(|e| tried.is_some_and(|t| e.position > t));
        let events = &found.events[..until.filter(|n| *n > 0).unwrap_or(found.events.len())];
        let message = Message::of(self.claim.uuid, batch > 1, events)?;
        Ok(message.map_or(Found::Nothing(found.position), Found::Message))
    }

    /// Sends a message once. What it is signed with and where it goes are looked at anew each time.
    async fn attempt(&mut self, message: &Message) -> Result<(Answered, Instant)> {
        let at = self.hooks.now();
        let never = |why: &str| Answered { status: None, answer: why.to_owned(), wait: None, took: Duration::ZERO };
        let allow_private = self.hooks.registry.settings().webhooks_allow_private;
        let Ok(target) = Target::new(&self.settings.url, allow_private) else {
            return Ok((never("refused: the address is not public, or not https"), at));
        };
        if self.claim.secrets.is_empty() {
            return Ok((never("refused: there is no secret to sign with"), at));
        }
        let second = at.micros().div_euclid(1_000_000);
        let sign = |body: &Bytes| {
            self.claim.secrets.iter().map(|s| s.sign(&message.id, second, body)).collect::<Result<Vec<_>>>()
        };
        let signature = sign(&message.body)?.join(" ");
        let signed = Signed { id: &message.id, second, signature, body: message.body.clone() };
        Ok((self.hooks.courier.send(&mut self.line, &target, &signed, at).await, at))
    }

    /// Puts a message off, or lets it die.
    async fn failed(&self, message: &Message, answered: &Answered, at: Instant) -> Result<()> {
        let plan = &self.hooks.plan;
        let (now, before) = (self.hooks.now(), self.progress());
        let (attempts, since) = (before.attempts + 1, before.since.unwrap_or(at));
        let due = after(now, self.hooks.wait(attempts)?.max(answered.wait.unwrap_or(0)));
        let gone = Outcome::of(answered) == Outcome::Gone;
        let dies = !gone && due > after(since, plan.tried);
        let outcome = if gone {
            "gone"
        } else if dies {
            "dead"
        } else {
            "failed"
        };
        let attempt = self.record(message, answered, at, outcome, attempts);
        tracing::info!(subscription = %self.claim.uuid, outcome, status = answered.status, "webhook not delivered");
        let (progress, dead) = if dies {
            let passed = message.rows().1;
            let dead = Aside {
                uuid: Uuid::new_v5(&self.claim.uuid, format!("dead/{}/{}", message.id, since.micros()).as_bytes()),
                kind: AsideKind::Dead,
                queued: false,
                message: message.id.clone(),
                positions: message.positions.clone(),
                attempts,
                since,
                at,
                status: answered.status,
                answer: answered.answer.clone(),
            };
            (Progress { passed, pending: None, attempts: 0, since: None, due: now }, Some(dead))
        } else {
            (Progress { pending: Some(message.rows().1), attempts, since: Some(since), due, ..before }, None)
        };
        let settlement = Settlement { dead, ..self.settlement(progress, Some(attempt), None, false) };
        self.write(settlement).await?;
        if gone { self.hooks.registry.pause_gone(self.claim.uuid).await } else { Ok(()) }
    }

    /// Sends a test, or a dead letter once more; whether the burst may go on. A letter that fails again lies still, and
    /// those that would come after it: one attempt for each wish, so that the order is not held up.
    async fn beside(&mut self, aside: &Aside) -> Result<bool> {
        let message = match aside.kind {
            AsideKind::Test => Message::test(&aside.message, self.claim.uuid, aside.since),
            AsideKind::Dead => self.dead(aside).await?,
        };
        let (answered, at) = self.attempt(&message).await?;
        let outcome = Outcome::of(&answered);
        let end = match (aside.kind, outcome) {
            (AsideKind::Test, _) | (_, Outcome::Delivered) => AsideEnd::Out,
            _ => AsideEnd::Back,
        };
        let told = match outcome {
            Outcome::Delivered => "delivered",
            Outcome::Failed => "failed",
            Outcome::Gone => "gone",
        };
        let attempt = self.record(&message, &answered, at, told, aside.attempts + 1);
        let goes_on = outcome == Outcome::Delivered;
        let stands = self.settle(self.progress(), Some(attempt), Some((aside.uuid, end)), goes_on).await?;
        if outcome == Outcome::Gone && self.claim.active {
            self.hooks.registry.pause_gone(self.claim.uuid).await?;
        }
        Ok(goes_on && stands)
    }

    /// A dead letter as it was: of the same rows, with the same id.
    async fn dead(&self, aside: &Aside) -> Result<Message> {
        let mut events = Vec::with_capacity(aside.positions.len());
        for position in &aside.positions {
            let found = self.hooks.registry.events(position - 1, 1, &EventFilter::default()).await?;
            events.extend(found.events.into_iter().filter(|e| e.position == *position));
        }
        let batch = aside.positions.len() > 1 || self.settings.batch > 1;
        let message = Message::of(self.claim.uuid, batch, &events)?;
        let message = message.ok_or_else(|| {
            let (da, en) = ("et brev fortæller om intet i loggen", "a letter tells of nothing in the log");
            Refusal::new(Code::Corrupt, da, en)
        })?;
        Ok(Message { id: aside.message.clone(), ..message })
    }

    fn record(&self, message: &Message, answered: &Answered, at: Instant, outcome: &'static str, n: i64) -> Attempt {
        Attempt {
            message: message.id.clone(),
            rows: message.rows(),
            events: message.positions.len(),
            attempt: n,
            at,
            took: i64::try_from(answered.took.as_millis()).unwrap_or(i64::MAX),
            outcome,
            status: answered.status,
            answer: answered.answer.clone(),
        }
    }

    fn settlement(
        &self,
        progress: Progress,
        attempt: Option<Attempt>,
        aside: Option<(Uuid, AsideEnd)>,
        goes_on: bool,
    ) -> Settlement {
        let (Claim { uuid, claim, edition, .. }, plan) = (&self.claim, &self.hooks.plan);
        let held = if goes_on { after(self.hooks.now(), plan.held) } else { Instant::BEGINNING };
        Settlement { uuid: *uuid, claim: *claim, edition: *edition, progress, held, attempt, dead: None, aside }
    }

    /// Puts on record what came of a message; whether the burst may go on.
    async fn settle(
        &mut self,
        progress: Progress,
        attempt: Option<Attempt>,
        aside: Option<(Uuid, AsideEnd)>,
        goes_on: bool,
    ) -> Result<bool> {
        let standing = self.write(self.settlement(progress, attempt, aside, goes_on)).await?;
        self.claim.progress = progress;
        // Somebody else may have the subscription by now, after a long silence of ours.
        let Some(Standing { edition, active }) = standing else { return Ok(false) };
        let stands = edition == self.claim.edition && active == self.claim.active;
        if goes_on && !stands {
            self.write(self.settlement(progress, None, None, false)).await?;
        }
        Ok(goes_on && stands)
    }

    async fn write(&self, settlement: Settlement) -> Result<Option<Standing>> {
        self.hooks.ledger.settle(self.hooks.registry.store(), settlement).await
    }
}
