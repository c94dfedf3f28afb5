//! The registry as a MOX agent: it tells over AMQP 0-9-1 what changes, and carries out commands that come that way.
//!
//! [`Mox`] has two tasks, each with a connection of its own, so that a broker that holds back what is published does
//! not hold back commands. One reads [`crate::registry::Registry::events`] and sends [`Message`]s, several under way at a
//! time; its position in the log is in the database and is moved on with the first of them, when it is confirmed. The other
//! reads [`Command`]s off a queue, hands them to a [`Port`] and answers; a command is acknowledged after its answer.
//! See `docs/mox.md`.

mod agent;
mod answers;
mod broker;
mod command;
mod lifecycle;
mod message;
mod notices;
mod port;
mod settings;

pub use agent::Mox;
pub use broker::Broker;
pub use command::{Command, Head, Header, Headers, Objekttype, Operation};
pub use message::{Message, Update, What};
pub use port::{Answer, Ask, Port};
pub use settings::{CommandSettings, ExchangeType, MoxSettings, Unroutable};
