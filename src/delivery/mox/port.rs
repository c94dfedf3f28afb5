//! What carries out commands: the interface OIO Klassifikation, however it is reached.

use futures::future::BoxFuture;
use serde_json::Value;
use uuid::Uuid;

use super::command::{Objekttype, Operation};
use crate::model::Secret;

/// What a command asks of the interface.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What is to be done.
    pub operation: Operation,
    /// To what kind of object.
    pub objekttype: Objekttype,
    /// To which, if it is to one.
    pub id: Option<Uuid>,
    /// The parameters, in their order; a name may stand there several times.
    pub query: Vec<(String, String)>,
    /// The object, or the part of it, or the note.
    pub body: Option<Value>,
    /// The token of whom it is for; public when absent.
    pub token: Option<Secret>,
}

/// What the interface answers.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// The status, as over HTTP.
    pub status: u16,
    /// OIO's JSON.
    pub body: Value,
}

/// The interface.
pub trait Port: Send + Sync {
    /// Does what is asked.
    fn ask(&self, ask: Ask) -> BoxFuture<'_, Answer>;

    /// What somebody is answered who may have nothing of the kind done, whatever it is: asked before anything is put on
    /// record, so that many who have no token, or none that is good, cost little.
    fn turns_away<'a>(&'a self, _ask: &'a Ask) -> BoxFuture<'a, Option<Answer>> {
        Box::pin(std::future::ready(None))
    }
}
