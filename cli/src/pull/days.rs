//! The days from which a vocabulary reads otherwise: those that no version says are copied beside the versions.

use begreb::model::{Digest, Instant, Label, parse_date};
use serde::{Deserialize, Serialize};

use super::manifest::KeptFile;

/// What the server says of the days, as known at one moment.
#[derive(Clone, Debug, Deserialize)]
pub struct Days {
    /// The position of the change log that this is of.
    pub position: i64,
    /// The instant of that position.
    pub registered: Instant,
    /// The days; the first is in force today.
    pub days: Vec<Day>,
    /// Whether there are more.
    pub more: bool,
}

/// A day from which a vocabulary reads otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Day {
    /// The day.
    pub from: String,
    /// The version in force.
    pub version: Option<InForce>,
    /// How many concepts there are.
    pub concepts: usize,
    /// How many of them are said otherwise than in the version.
    pub beyond: usize,
}

/// The version in force on a day.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct InForce {
    /// Its label.
    pub label: Label,
}

impl Day {
    /// Whether it is a day: it becomes a folder.
    pub fn is_lawful(&self) -> bool {
        parse_date(&self.from).is_ok_and(|date| date.to_string() == self.from)
    }

    /// When it begins.
    pub fn begins(&self) -> Instant {
        parse_date(&self.from).map_or(Instant::FOREVER, Instant::from_date)
    }
}

/// A day of the copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptDay {
    /// From when it is in force, until the next.
    pub from: Instant,
    /// The version in force; absent where nothing was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Label>,
    /// How many concepts are said otherwise than in that version. When there are none, the version is all of it, and there
    /// are no files here.
    pub beyond: usize,
    /// How many concepts there are.
    pub concepts: usize,
    /// The digest of what is said, as it was recomputed here; no publication has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Its files, when it has any; the first is the JSON.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<KeptFile>,
}

impl KeptDay {
    /// Whether it is a day as the server tells it, disregarding what is said on it.
    pub fn is(&self, day: &Day) -> bool {
        self.from == day.begins()
            && self.version.as_ref() == day.version.as_ref().map(|v| &v.label)
            && self.beyond == day.beyond
            && self.concepts == day.concepts
    }
}
