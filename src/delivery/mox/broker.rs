//! The broker: where it is, one connection to it, and what is made there.

use std::fmt;
use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions, ExchangeDeclareOptions,
    QueueBindOptions, QueueDeclareOptions,
};
use lapin::tcp::OwnedTLSConfig;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer, ExchangeKind, PublisherConfirm,
};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant as Stopwatch, timeout};

use super::command::{Header, Headers};
use super::settings::{CommandSettings, ExchangeType, MoxSettings};
use crate::model::{Code, Refusal, Result};

/// How often each side says that it is there, in seconds, unless the address says otherwise.
const HEARTBEAT: u16 = 15;
/// How long it may take to be let in, and to be told that a message was taken.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked at how things stand while the broker is waited for.
pub(super) const LOOK: Duration = Duration::from_millis(500);

/// Why a task with the broker came to an end. It begins anew.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The broker cannot be reached, or does not do what is asked.
    Broker(String),
    /// The registry.
    Registry(Refusal),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broker(why) => f.write_str(why),
            Self::Registry(refusal) => write!(f, "{refusal}"),
        }
    }
}

impl From<lapin::Error> for Trouble {
    fn from(error: lapin::Error) -> Self {
        Self::Broker(error.to_string())
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Registry(refusal)
    }
}

/// A message broker, and how it is spoken to.
#[derive(Clone)]
pub struct Broker {
    uri: AMQPUri,
    authority: Option<String>,
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, place) = (&self.uri.scheme, &self.uri.authority);
        write!(f, "{scheme}://{}@{}:{}/{}", place.userinfo.username, place.host, place.port, self.uri.vhost)
    }
}

impl Broker {
    /// A broker of an address, `amqp://[USER@]HOST[:PORT][/VHOST]` or `amqps://…`; `plain` gives up protection where it
    /// would be required: with `amqp`, to another machine. A user needs a password; without a user it is the guest.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`].
    pub fn new(address: &str, password: Option<&str>, plain: bool) -> Result<Self> {
        let wrong = |da: &str, en: &str| {
            Err(Refusal::new(Code::InvalidParameter, da, en).allowed([
                "amqp://HOST:PORT/VHOST",
                "amqp://USER@HOST:PORT",
                "amqps://USER@HOST:PORT",
            ]))
        };
        let Ok(mut uri) = address.parse::<AMQPUri>() else {
            return wrong("det er ikke en brokers adresse", "that is not the address of a broker");
        };
        let rest = address.split_once("://").map_or("", |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, place) = authority.rsplit_once('@').map_or((None, authority), |(user, place)| (Some(user), place));
        if user.is_some_and(|u| u.contains(':')) {
            let da = "en adgangskode står ikke i adressen: læg den i en fil";
            return wrong(da, "a password does not stand in the address: put it into a file");
        }
        if place.is_empty() || place.starts_with(':') {
            return wrong("adressen navngiver ingen broker", "the address names no broker");
        }
        // The parser takes an address of version 6 for none.
        if let Some((host, _)) = place.strip_prefix('[').and_then(|p| p.split_once(']')) {
            host.clone_into(&mut uri.authority.host);
        }
        let host = &uri.authority.host;
        let near = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if uri.scheme == AMQPScheme::AMQP && !near && !plain {
            let da = "amqp:// til en anden maskine er uden TLS: brug amqps://, eller sig at det skal være sådan";
            return wrong(da, "amqp:// to another machine is without TLS: use amqps://, or say that it shall be so");
        }
        if uri.vhost.len() > 255 {
            return wrong("navnet på vhost er for langt", "the name of the vhost is too long");
        }
        match (user.filter(|u| !u.is_empty()), password) {
            (Some(_), Some(password)) => password.clone_into(&mut uri.authority.userinfo.password),
            (Some(_), None) => {
                let da = "der er et brugernavn og ingen adgangskode";
                return wrong(da, "there is a user name and no password");
            }
            (None, _) => {}
        }
        uri.query.heartbeat = uri.query.heartbeat.or(Some(HEARTBEAT));
        Ok(Self { uri, authority: None })
    }

    /// The same, when its certificate is signed by one that the world does not know (PEM).
    ///
    /// # Errors
    /// [`Code::InvalidParameter`].
    pub fn trusting(self, certificate: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(certificate).ok().filter(|t| t.contains("-----BEGIN CERTIFICATE-----"));
        let Some(text) = text else {
            let (da, en) = ("det er ikke et certifikat (PEM)", "that is not a certificate (PEM)");
            return Err(Refusal::new(Code::InvalidParameter, da, en));
        };
        Ok(Self { authority: Some(text.to_owned()), ..self })
    }

    /// Whether what is said to it is protected.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        self.uri.scheme == AMQPScheme::AMQPS
    }

    /// A connection with one channel, on which what is published is confirmed.
    pub(super) async fn connect(&self, name: &str) -> Result<Link, Trouble> {
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let tls = OwnedTLSConfig { identity: None, cert_chain: self.authority.clone() };
        let runtime = lapin::runtime::default_runtime()?;
        let let_in = async {
            let connection = Connection::connect_uri_with_config(self.uri.clone(), properties, tls, runtime).await?;
            let channel = connection.create_channel().await?;
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
            Ok(Link { connection, channel })
        };
        timeout(PATIENCE, let_in).await.unwrap_or_else(|_| Err(Trouble::Broker("the broker does not let us in".into())))
    }
}

/// What the name of an answer's queue begins with when there is no queue, and who asked waits on a channel (RabbitMQ's
/// "direct reply-to").
const WAITING_CHANNEL: &str = "amq.rabbitmq.reply-to.";

/// What became of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Taken {
    /// The broker has it, in every queue that it goes to.
    Yes,
    /// No queue takes it.
    Returned(String),
    /// The broker says no, for now.
    No,
}

/// What a confirmation says.
pub(super) fn taken(confirmed: Confirmation) -> Result<Taken, Trouble> {
    match confirmed {
        Confirmation::Ack(None) => Ok(Taken::Yes),
        Confirmation::Ack(Some(returned)) | Confirmation::Nack(Some(returned)) => {
            Ok(Taken::Returned(returned.reply_text.to_string()))
        }
        Confirmation::Nack(None) => Ok(Taken::No),
        Confirmation::NotRequested => Err(Trouble::Broker("the broker confirms nothing".into())),
    }
}

/// A wait for the broker. The time in which it says that it takes nothing does not count: to begin anew would only cost
/// it another connection.
pub(super) struct Waiting(Stopwatch);

impl Waiting {
    /// From now on.
    pub fn begin() -> Self {
        Self(Stopwatch::now())
    }

    /// For how long.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// Looks at how things stand: whether the broker takes nothing for now.
    ///
    /// # Errors
    /// When the connection is gone, or nothing was said for too long.
    pub fn look(&mut self, link: &Link) -> Result<bool, Trouble> {
        if !link.is_alive() {
            return Err(Trouble::Broker("the connection is gone".into()));
        }
        if link.is_blocked() {
            self.0 = Stopwatch::now();
            return Ok(true);
        }
        if self.elapsed() < PATIENCE {
            return Ok(false);
        }
        Err(Trouble::Broker("the broker does not say that it has the message".into()))
    }
}

/// A connection to the broker.
pub(super) struct Link {
    connection: Connection,
    channel: Channel,
}

impl Link {
    /// Whether it is still there.
    pub fn is_alive(&self) -> bool {
        self.connection.status().connected() && self.channel.status().connected()
    }

    /// Whether the broker says that it takes nothing for now: it is short of memory or of disk.
    pub fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// Hands a message over; what is answered tells in its time whether the broker has it ([`taken`]).
    pub async fn send(
        &self,
        exchange: &str,
        routing_key: &str,
        properties: BasicProperties,
        body: &[u8],
    ) -> Result<PublisherConfirm, Trouble> {
        // RabbitMQ gives an answer to one that waits on its own channel, and says all the same that no queue took it.
        let mandatory = !routing_key.starts_with(WAITING_CHANNEL);
        let options = BasicPublishOptions { mandatory, ..BasicPublishOptions::default() };
        Ok(self.channel.basic_publish(name(exchange)?, name(routing_key)?, options, body, properties).await?)
    }

    /// Sends a message to a queue, and waits until the broker has it: as long as it takes nothing, and for a while after.
    pub async fn publish(
        &self,
        queue: &str,
        properties: BasicProperties,
        body: &[u8],
        stop: &watch::Receiver<bool>,
    ) -> Result<Taken, Trouble> {
        let mut sent = pin!(async { taken(self.send("", queue, properties, body).await?.await?) });
        let mut waiting = Waiting::begin();
        loop {
            if let Ok(taken) = timeout(LOOK, sent.as_mut()).await {
                return taken;
            }
            if waiting.look(self)? && *stop.borrow() {
                return Err(Trouble::Broker("the broker takes nothing, and we stop".into()));
            }
        }
    }

    /// Makes what messages go to.
    pub async fn declare_notices(&self, settings: &MoxSettings) -> Result<(), Trouble> {
        if !settings.exchange.is_empty() {
            self.exchange(&settings.exchange, settings.exchange_type).await?;
        }
        let Some(queue) = settings.notice_queue() else { return Ok(()) };
        self.queue(queue).await?;
        if settings.exchange.is_empty() {
            return Ok(());
        }
        // Bound to all that is told where the exchange has patterns for that.
        let key = match settings.exchange_type {
            ExchangeType::Topic => "#",
            _ => settings.routing_key.as_str(),
        };
        self.bind(queue, &settings.exchange, key).await
    }

    /// Makes what commands come from, and begins to take them, one at a time.
    pub async fn consume(&self, settings: &CommandSettings, declare: bool) -> Result<Consumer, Trouble> {
        if declare {
            self.queue(&settings.queue).await?;
            if let Some(exchange) = &settings.exchange {
                self.exchange(exchange, ExchangeType::Fanout).await?;
                self.bind(&settings.queue, exchange, "").await?;
            }
        }
        // One by one, in their order: the next comes when the one before is acknowledged.
        self.channel.basic_qos(1, BasicQosOptions::default()).await?;
        let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
        Ok(self.channel.basic_consume(name(&settings.queue)?, ShortString::default(), options, arguments).await?)
    }

    async fn exchange(&self, exchange: &str, kind: ExchangeType) -> Result<(), Trouble> {
        let kind = match kind {
            ExchangeType::Direct => ExchangeKind::Direct,
            ExchangeType::Fanout => ExchangeKind::Fanout,
            ExchangeType::Topic => ExchangeKind::Topic,
            ExchangeType::Headers => ExchangeKind::Headers,
        };
        let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        Ok(self.channel.exchange_declare(name(exchange)?, kind, options, FieldTable::default()).await?)
    }

    async fn queue(&self, queue: &str) -> Result<(), Trouble> {
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        self.channel.queue_declare(name(queue)?, options, FieldTable::default()).await?;
        Ok(())
    }

    async fn bind(&self, queue: &str, exchange: &str, key: &str) -> Result<(), Trouble> {
        let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
        Ok(self.channel.queue_bind(name(queue)?, name(exchange)?, name(key)?, options, arguments).await?)
    }

    /// Says goodbye; a broker that does not answer is left all the same.
    pub async fn close(self) {
        let _ = timeout(Duration::from_secs(2), self.connection.close(200, ShortString::default())).await;
    }
}

/// A name in AMQP; what is too long for one was refused before.
fn name(text: &str) -> Result<ShortString, Trouble> {
    ShortString::try_new(text).map_err(|e| Trouble::Broker(e.to_string()))
}

/// Headers to be sent: texts, whole numbers; anything else as its JSON.
pub(super) fn table<'h>(headers: impl IntoIterator<Item = (&'h str, Value)>) -> FieldTable {
    let mut table = FieldTable::default();
    for (key, value) in headers {
        let value = match value {
            Value::String(text) => AMQPValue::LongString(text.into()),
            Value::Number(number) => {
                number.as_i64().map_or_else(|| AMQPValue::LongString(number.to_string().into()), AMQPValue::LongLongInt)
            }
            other => AMQPValue::LongString(other.to_string().into()),
        };
        if let Ok(key) = ShortString::try_new(key) {
            table.insert(key, value);
        }
    }
    table
}

/// Headers that came.
pub(super) fn headers(table: Option<&FieldTable>) -> Headers {
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).map_or(Header::Other, |t| Header::Text(t.to_owned()));
    let entries = table.into_iter().flat_map(|t| t.inner());
    let header = |value: &AMQPValue| match value {
        AMQPValue::LongString(one) => text(one.as_bytes()),
        AMQPValue::ShortString(one) => Header::Text(one.to_string()),
        AMQPValue::ByteArray(one) => text(one.as_slice()),
        AMQPValue::ShortShortInt(n) => Header::Number((*n).into()),
        AMQPValue::ShortShortUInt(n) => Header::Number((*n).into()),
        AMQPValue::ShortInt(n) => Header::Number((*n).into()),
        AMQPValue::ShortUInt(n) => Header::Number((*n).into()),
        AMQPValue::LongInt(n) => Header::Number((*n).into()),
        AMQPValue::LongUInt(n) => Header::Number((*n).into()),
        AMQPValue::LongLongInt(n) => Header::Number(*n),
        _ => Header::Other,
    };
    // A header without a value says nothing.
    entries.filter(|(_, v)| **v != AMQPValue::Void).map(|(k, v)| (k.to_string(), header(v))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_address_of_a_broker() {
        let shown = |address: &str, password| Broker::new(address, password, false).map(|b| format!("{b:?}"));
        assert_eq!(shown("amqp://localhost", None).unwrap(), "amqp://guest@localhost:5672//");
        assert_eq!(shown("amqp://[::1]:5673/begreb", None).unwrap(), "amqp://guest@::1:5673/begreb");
        let there = shown("amqps://mox@mq.example.dk/a%2Fb", Some("hemmelig")).unwrap();
        assert_eq!(there, "amqps://mox@mq.example.dk:5671/a/b");
        for (address, password) in [
            ("localhost", None),
            ("http://localhost", None),
            ("amqp://", None),
            ("amqp://:5672", None),
            ("amqp://localhost:mange", None),
            ("amqp://mq.example.dk", None),
            ("amqp://mox:hemmelig@localhost", None),
            ("amqp://mox@localhost", None),
            ("amqps://mox@mq.example.dk", None),
        ] {
            let refusal = Broker::new(address, password, false).unwrap_err();
            assert_eq!(refusal.code, Code::InvalidParameter, "{address}");
        }
        assert!(Broker::new("amqp://mq.example.dk", None, true).is_ok_and(|b| !b.is_protected()));
        assert!(Broker::new("amqp://localhost", None, false).unwrap().trusting(b"nej").is_err());
    }

    #[test]
    fn headers_are_read_as_they_were_written() {
        let sent = table([("a", json!("tekst")), ("n", json!(7)), ("o", json!([1]))]);
        let read = headers(Some(&sent));
        assert_eq!(read["a"], Header::Text("tekst".into()));
        assert_eq!(read["n"], Header::Number(7));
        assert_eq!(read["o"], Header::Text("[1]".into()));
        assert!(headers(None).is_empty());
        let mut odd = FieldTable::default();
        odd.insert("void".into(), AMQPValue::Void);
        odd.insert("table".into(), AMQPValue::FieldTable(FieldTable::default()));
        odd.insert("bytes".into(), AMQPValue::LongString(vec![0xff].into()));
        let odd = headers(Some(&odd));
        assert_eq!((odd.get("void"), &odd["table"], &odd["bytes"]), (None, &Header::Other, &Header::Other));
    }
}
