//! Answering: commands off a queue, one after the other; each is acknowledged after its answer was taken.

use std::time::Duration;

use futures::StreamExt;
use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::options::BasicAckOptions;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::agent::Mox;
use super::broker::{Link, Taken, Trouble, headers, table};
use super::command::{Command, Head, Header, Headers};
use super::port::Answer;
use super::settings::CommandSettings;
use crate::model::{Instant, Result};
use crate::registry::MoxCount;
use crate::store::CommandBegun;

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often, and how often again, a command that is under way elsewhere is looked at.
const LOOKS: u32 = 10;
const LOOK: Duration = Duration::from_millis(500);
/// For how long a command is known again.
const KEPT: i64 = 30 * 86400 * 1_000_000;
/// After how many commands those of long ago are forgotten.
const SWEEP: u32 = 1000;
/// The longest header that an answer repeats.
const REPEATED: usize = 80;

impl Mox {
    /// Takes commands off a queue.
    pub(super) async fn serve(
        &self,
        settings: &CommandSettings,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), Trouble> {
        let link = self.broker.connect("begreb commands").await?;
        self.registry.mox_counts().add(MoxCount::ConnectedToServe);
        let mut consumer = link.consume(settings, self.settings.declare).await?;
        tracing::info!(broker = ?self.broker, queue = settings.queue, "MOX takes commands");
        let mut served = 0_u32;
        let done = loop {
            if served.is_multiple_of(SWEEP) {
                let before = Instant::from_micros(self.now().micros().saturating_sub(KEPT));
                self.registry.store().forget_commands(before).await?;
            }
            let delivery = tokio::select! {
                delivery = consumer.next() => delivery,
                _ = stop.wait_for(|stop| *stop) => break Ok(()),
            };
            match delivery {
                Some(Ok(delivery)) => self.take(&link, delivery, &stop).await?,
                Some(Err(error)) => break Err(error.into()),
                None => break Err(Trouble::Broker("the queue gives no more commands".into())),
            }
            served = served.wrapping_add(1);
        };
        link.close().await;
        done
    }

    async fn take(&self, link: &Link, delivery: Delivery, stop: &watch::Receiver<bool>) -> Result<(), Trouble> {
        let counts = self.registry.mox_counts();
        counts.add(MoxCount::Received);
        if delivery.redelivered {
            counts.add(MoxCount::Redelivered);
        }
        let given = headers(delivery.properties.headers().as_ref());
        let reply_to = delivery.properties.reply_to().as_ref().map(|r| r.as_str()).filter(|r| !r.is_empty());
        let (answer, again) = match self.heard(&given, &delivery.data).await {
            Err(refused) => {
                counts.add(MoxCount::Refused);
                (refused, false)
            }
            // Whoever does not want to hear it does not need it.
            Ok(command) if reply_to.is_none() && !command.ask.operation.writes() => {
                tracing::warn!(operation = command.ask.operation.name(), "a command that reads has no reply_to");
                counts.add(MoxCount::Unanswered);
                delivery.ack(BasicAckOptions::default()).await?;
                return Ok(());
            }
            Ok(command) => self.carry_out(command).await?,
        };
        // The token stands in a header, and never in the log of the machine.
        let operation = said(&given, "operation");
        let answered = match reply_to {
            // Whoever may send commands may not speak through us to those who listen to us, nor let us command ourselves.
            Some(reply_to) if self.is_ours(reply_to) => {
                tracing::warn!(operation, status = answer.status, "a command is to be answered to a queue of ours");
                false
            }
            Some(reply_to) => {
                let properties = self.reply(&delivery, &given, answer.status);
                let taken = link.publish(reply_to, properties, answer.body.to_string().as_bytes(), stop).await?;
                if taken != Taken::Yes {
                    tracing::warn!(operation, status = answer.status, reply_to, "nobody takes the answer");
                }
                taken == Taken::Yes
            }
            None => {
                tracing::warn!(operation, status = answer.status, "a command has no reply_to: nobody is answered");
                false
            }
        };
        counts.add(if answered { MoxCount::Answered } else { MoxCount::Unanswered });
        tracing::info!(operation, status = answer.status, again, "command");
        delivery.ack(BasicAckOptions::default()).await?;
        Ok(())
    }

    /// The command of a message; or what whoever sent it is answered, who may have nothing done or asks for nothing that
    /// there is.
    async fn heard(&self, given: &Headers, body: &[u8]) -> Result<Command, Answer> {
        let head = Head::read(given)?;
        match self.port.turns_away(&head.ask).await {
            Some(answer) => Err(answer),
            None => head.with(given, body),
        }
    }

    /// Whether a queue is one that we tell to or take commands from.
    fn is_ours(&self, queue: &str) -> bool {
        let commands = self.settings.commands.as_ref().map(|c| c.queue.as_str());
        // Without an exchange the routing key names a queue, each that it can become.
        let to_queues = self.settings.exchange.is_empty();
        let told = to_queues && matches(&self.settings.routing_key, queue);
        told || commands == Some(queue) || self.settings.notice_queue() == Some(queue)
    }

    /// The answer of a command, and whether it is that of before. What changes something is carried out once.
    async fn carry_out(&self, command: Command) -> Result<(Answer, bool), Trouble> {
        let Some(besked) = command.besked.filter(|_| command.ask.operation.writes()) else {
            return Ok((self.ask(command).await.unwrap_or_else(too_long), false));
        };
        let store = self.registry.store();
        for look in 0_u32.. {
            match store.begin_command(besked, command.digest, self.now()).await? {
                CommandBegun::New => break,
                CommandBegun::Done(status, body) => {
                    let body = serde_json::from_str(&body).unwrap_or_default();
                    return Ok((Answer { status, body }, true));
                }
                CommandBegun::Other => {
                    self.registry.mox_counts().add(MoxCount::Refused);
                    return Ok((conflict("another command has the same beskedID"), false));
                }
                // Under way on another node, perhaps.
                CommandBegun::Open if look < LOOKS => sleep(LOOK).await,
                CommandBegun::Open => {
                    let why = "the command was begun before and nobody knows its end: read the object, and if it was \
                               not carried out, send it with another beskedID";
                    return Ok((conflict(why), true));
                }
            }
        }
        let Some(answer) = self.ask(command).await else { return Ok((too_long(), false)) };
        if again_later(answer.status) {
            store.release_command(besked).await?;
        } else {
            store.settle_command(besked, answer.status, &answer.body.to_string()).await?;
        }
        Ok((answer, false))
    }

    /// What the interface answers; nothing when it takes too long.
    async fn ask(&self, command: Command) -> Option<Answer> {
        self.registry.mox_counts().add(MoxCount::Executed);
        timeout(PATIENCE, self.port.ask(command.ask)).await.ok()
    }

    fn reply(&self, delivery: &Delivery, given: &Headers, status: u16) -> BasicProperties {
        let mut about = vec![("status", json!(status)), ("beskedversion", json!(1))];
        for name in ["operation", "objekttype", "objektID"] {
            // What is longer is none: and with more in it the head of the answer could be more than the broker takes.
            if let Some(Header::Text(text)) = given.get(name).filter(|h| h.len() <= REPEATED) {
                about.push((name, json!(text)));
            }
        }
        let properties = BasicProperties::default()
            .with_content_type(self.settings.content_type.as_str().into())
            .with_content_encoding("UTF-8".into())
            .with_delivery_mode(if self.settings.persistent { 2 } else { 1 })
            .with_app_id("begreb".into());
        // An answer has an identifier of its own, made of the command's, and names that.
        let asked = given.get("beskedID").map(|h| match h {
            Header::Text(text) => text.clone(),
            _ => String::new(),
        });
        let properties = match asked.as_deref().and_then(|text| Uuid::parse_str(text).ok()) {
            Some(besked) => {
                let id = Uuid::new_v5(&besked, b"mox/answer");
                about.push(("beskedID", json!(id)));
                about.push(("begreb-answers", json!(besked)));
                properties.with_message_id(id.to_string().into())
            }
            None => properties,
        };
        let properties = properties.with_headers(table(about));
        match delivery.properties.correlation_id() {
            Some(id) => properties.with_correlation_id(id.clone()),
            None => properties,
        }
    }
}

/// Whether a routing key with parts to be filled in could become the name of a queue: the texts between them stand there
/// in their order. One that begins with such a part could become any: that says nothing.
fn matches(key: &str, queue: &str) -> bool {
    let mut texts = key.split(['{', '}']).step_by(2);
    let Some(mut rest) = texts.next().and_then(|first| queue.strip_prefix(first)) else { return false };
    if !key.contains('{') {
        return rest.is_empty();
    }
    if key.starts_with('{') {
        return false;
    }
    let texts: Vec<&str> = texts.collect();
    let Some((last, between)) = texts.split_last() else { return false };
    for text in between {
        match rest.split_once(text) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn conflict(message: &str) -> Answer {
    Answer { status: 409, body: json!({ "message": message }) }
}

/// It may be carried out all the same.
fn too_long() -> Answer {
    Answer { status: 504, body: json!({ "message": "the command took too long; nobody knows its end" }) }
}

/// What says that nothing was done, and that it may go otherwise the next time: no right yet, too many at once.
fn again_later(status: u16) -> bool {
    matches!(status, 401 | 403 | 429 | 503)
}

/// A header for the log of the machine: short, on one line.
fn said(given: &Headers, name: &str) -> String {
    match given.get(name) {
        Some(Header::Text(text)) => text.chars().filter(|c| !c.is_control()).take(40).collect(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_routing_key_and_the_queues_that_it_can_name() {
        for (key, queue) in [
            ("mox.notifications", "mox.notifications"),
            ("begreb.{vocabulary}.{objekttype}", "begreb.fsiii.klasse"),
            ("a{objektID}", "a"),
        ] {
            assert!(matches(key, queue), "{key} {queue}");
        }
        for (key, queue) in [
            ("mox.notifications", "mox.notifications2"),
            ("begreb.{vocabulary}.{objekttype}", "svar.fsiii.klasse"),
            ("{vocabulary}.ud", "fsiii.ud"),
            ("", "svar"),
        ] {
            assert!(!matches(key, queue), "{key} {queue}");
        }
    }
}
