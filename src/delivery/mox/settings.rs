//! Where messages go and commands come from.

use std::fmt;
use std::str::FromStr;

use crate::model::{Code, Refusal, Result};

/// The most bytes of a name in AMQP.
const NAME: usize = 255;
/// The most messages under way.
const WIDEST: usize = 1000;

/// How an exchange picks the queues for a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExchangeType {
    /// Those bound with its routing key.
    Direct,
    /// All that are bound.
    Fanout,
    /// Those bound with a pattern that fits its routing key.
    Topic,
    /// Those bound with headers that it has.
    Headers,
}

impl ExchangeType {
    /// Every type.
    pub const ALL: [Self; 4] = [Self::Direct, Self::Fanout, Self::Topic, Self::Headers];

    /// The word as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Fanout => "fanout",
            Self::Topic => "topic",
            Self::Headers => "headers",
        }
    }
}

impl fmt::Display for ExchangeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ExchangeType {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|t| t.as_str() == text).ok_or_else(|| {
            let (da, en) = ("det er ikke en type exchange", "that is not a type of exchange");
            Refusal::new(Code::InvalidParameter, da, en).allowed(Self::ALL.map(Self::as_str))
        })
    }
}

/// What becomes of a message that no queue takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unroutable {
    /// It is tried again until one does, and what comes after it waits.
    Hold,
    /// It is let go.
    Drop,
}

impl FromStr for Unroutable {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "hold" => Ok(Self::Hold),
            "drop" => Ok(Self::Drop),
            _ => {
                let (da, en) = ("enten ventes der, eller beskeden slippes", "a message is either held or dropped");
                Err(Refusal::new(Code::InvalidParameter, da, en).allowed(["hold", "drop"]))
            }
        }
    }
}

/// Where commands come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommandSettings {
    /// The queue.
    pub queue: String,
    /// The exchange (fanout) that the queue is bound to; none when commands are sent to the queue itself.
    pub exchange: Option<String>,
}

/// Where messages go and commands come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MoxSettings {
    /// The name that the position in the log is kept under: one for each place that is told.
    pub name: String,
    /// After which position telling begins when the name is new; the end of the log when absent.
    pub after: Option<i64>,
    /// The exchange that messages go to; empty is the one that every broker has, where the routing key is a queue.
    pub exchange: String,
    /// The type of that exchange.
    pub exchange_type: ExchangeType,
    /// The routing key, in which `{beskedtype}`, `{objekttype}`, `{objektID}` and `{vocabulary}` stand for those of the
    /// message.
    pub routing_key: String,
    /// A queue that is made and bound for messages, so that none is without a place from the beginning.
    pub queue: Option<String>,
    /// Whether the broker writes messages to disk.
    pub persistent: bool,
    /// The content type of messages and answers.
    pub content_type: String,
    /// What becomes of a message that no queue takes.
    pub unroutable: Unroutable,
    /// How many messages may be under way, handed to the broker and not confirmed yet; 1 keeps the order also where the
    /// broker refuses one and takes the next.
    pub window: usize,
    /// Whether exchanges and queues are made; else they must be there.
    pub declare: bool,
    /// Where commands come from, if they are taken in.
    pub commands: Option<CommandSettings>,
}

impl Default for MoxSettings {
    fn default() -> Self {
        Self {
            name: "mox".into(),
            after: None,
            exchange: String::new(),
            exchange_type: ExchangeType::Topic,
            routing_key: "mox.notifications".into(),
            queue: None,
            persistent: true,
            content_type: "application/json".into(),
            unroutable: Unroutable::Hold,
            window: 64,
            declare: true,
            commands: None,
        }
    }
}

/// What may stand in braces in a routing key.
const PARTS: [&str; 4] = ["{beskedtype}", "{objekttype}", "{objektID}", "{vocabulary}"];

impl MoxSettings {
    /// These settings, if a broker can do with them.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] for a name that is too long or none, and for a routing key with unknown parts.
    pub fn checked(self) -> Result<Self> {
        let commands = self.commands.iter().flat_map(|c| c.exchange.iter().chain([&c.queue]));
        for name in [&self.name, &self.content_type].into_iter().chain(&self.queue).chain(commands) {
            if name.is_empty() || name.len() > NAME {
                let (da, en) = ("et navn har 1 til 255 tegn", "a name has 1 to 255 bytes");
                return Err(Refusal::new(Code::InvalidParameter, da, en));
            }
        }
        let bound_by_key = self.exchange_type == ExchangeType::Direct && !self.exchange.is_empty();
        if bound_by_key && self.queue.is_some() && self.routing_key.contains('{') {
            let da = "en kø på en direct exchange bindes med én routing key: dén har flere";
            let en = "a queue at a direct exchange is bound with one routing key: this one has several";
            return Err(Refusal::new(Code::InvalidParameter, da, en).allowed(["topic", "fanout"]));
        }
        if !(1..=WIDEST).contains(&self.window) {
            let (da, en) = ("så mange beskeder kan ikke være undervejs", "that many messages cannot be under way");
            return Err(Refusal::new(Code::InvalidParameter, da, en).allowed([format!("1–{WIDEST}")]));
        }
        let mut rest = self.routing_key.clone();
        for part in PARTS {
            rest = rest.replace(part, "");
        }
        // What stands in braces takes at most the rest of the room.
        if rest.contains(['{', '}']) || self.routing_key.len() > NAME - 100 || self.exchange.len() > NAME {
            let (da, en) = ("det er ikke en routing key", "that is not a routing key");
            return Err(Refusal::new(Code::InvalidParameter, da, en).allowed(PARTS));
        }
        Ok(self)
    }

    /// The queue that is made for messages: the one that was asked for, or without an exchange the routing key's.
    #[must_use]
    pub fn notice_queue(&self) -> Option<&str> {
        let own = (self.exchange.is_empty() && !self.routing_key.contains('{')).then_some(&*self.routing_key);
        self.queue.as_deref().or(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_no_broker_could_do_with_are_refused() {
        let ok = MoxSettings::default();
        assert_eq!(ok.clone().checked().unwrap(), ok);
        let key = |key: &str| MoxSettings { routing_key: key.into(), ..ok.clone() }.checked().is_ok();
        assert!(key("begreb.{vocabulary}.{objekttype}"));
        assert!(key(""));
        for wrong in ["begreb.{slug}", "{", "a}", &"x".repeat(200)] {
            assert!(!key(wrong), "{wrong}");
        }
        assert!(MoxSettings { name: String::new(), ..ok.clone() }.checked().is_err());
        assert!(MoxSettings { queue: Some("q".repeat(256)), ..ok.clone() }.checked().is_err());
        let direct = MoxSettings {
            exchange: "begreb".into(),
            exchange_type: ExchangeType::Direct,
            queue: Some("q".into()),
            ..ok.clone()
        };
        assert!(direct.clone().checked().is_ok());
        assert!(MoxSettings { routing_key: "{objekttype}".into(), ..direct }.checked().is_err());
        for window in [0, 1001] {
            assert!(MoxSettings { window, ..ok.clone() }.checked().is_err(), "{window}");
        }
        let commands = Some(CommandSettings { queue: String::new(), exchange: None });
        assert!(MoxSettings { commands, ..ok }.checked().is_err());
    }

    #[test]
    fn a_queue_is_made_where_else_nobody_would_get_anything() {
        let ok = MoxSettings::default();
        assert_eq!(ok.notice_queue(), Some("mox.notifications"));
        assert_eq!(MoxSettings { exchange: "begreb".into(), ..ok.clone() }.notice_queue(), None);
        assert_eq!(MoxSettings { queue: Some("q".into()), exchange: "begreb".into(), ..ok }.notice_queue(), Some("q"));
    }
}
