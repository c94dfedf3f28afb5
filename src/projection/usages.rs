//! Who uses which concepts, as of one position of the log. Whom to ask is not held here: it may be erased on disk without
//! a word in the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::model::Usage;

/// A use with its concepts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Using {
    /// The use, without its contact.
    pub usage: Usage,
    /// The concepts, in order.
    pub concepts: Box<[Uuid]>,
}

/// All uses. A copy is cheap: it shares what has not changed.
#[derive(Clone, Default, Debug)]
pub struct Usages(BTreeMap<Uuid, Arc<Using>>);

impl Usages {
    /// A use.
    #[must_use]
    pub fn get(&self, usage: Uuid) -> Option<&Arc<Using>> {
        self.0.get(&usage)
    }

    /// All of them, by uuid.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Using>> + '_ {
        self.0.values()
    }

    /// Those that use a concept. Each is asked: there are few of them, and each knows in a few steps.
    pub fn of(&self, concept: Uuid) -> impl Iterator<Item = &Arc<Using>> + '_ {
        self.0.values().filter(move |using| using.concepts.binary_search(&concept).is_ok())
    }

    /// Takes in what became of a use: nothing when it has ended.
    pub fn put(&mut self, uuid: Uuid, using: Option<Using>) {
        match using {
            Some(mut using) => {
                using.usage.contact = None;
                self.0.insert(uuid, Arc::new(using));
            }
            None => drop(self.0.remove(&uuid)),
        }
    }
}
