//! Comments: threads about a draft, a concept of it, or a field of a concept.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Prose, Stamp};

/// What a thread is about.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// The concept; the whole draft when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concept: Option<Uuid>,
    /// The field of the concept, by its name in JSON; the whole concept when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// Something that was said in a thread.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comment {
    /// When, and by whom.
    pub stamp: Stamp,
    /// What.
    pub text: Prose,
}

/// A thread.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Thread {
    /// What it is about.
    pub topic: Topic,
    /// What was said, the first first.
    pub comments: Vec<Comment>,
    /// When and by whom it was settled; with a new comment it is open again.
    pub settled: Option<Stamp>,
}
