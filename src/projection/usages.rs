//! Who uses which concepts, as of one position of the log. Whom to ask is not held here: it may be erased on disk without
//! a word in the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::model::{Hiding, Name, Usage};

/// A use with its concepts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Using {
    /// The use, without its contact.
    pub usage: Usage,
    /// The concepts, in order.
    pub concepts: Box<[Uuid]>,
    /// Where it is not shown, by vocabulary.
    pub hidden: Box<[Hiding]>,
}

/// All uses. A copy is cheap: it shares what has not changed.
#[derive(Clone, Default, Debug)]
pub struct Usages {
    uses: BTreeMap<Uuid, Arc<Using>>,
    /// What the organisations are called.
    organisations: BTreeMap<Uuid, Name>,
}

impl Usages {
    /// A use.
    #[must_use]
    pub fn get(&self, usage: Uuid) -> Option<&Arc<Using>> {
        self.uses.get(&usage)
    }

    /// All of them, by uuid.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Using>> + '_ {
        self.uses.values()
    }

    /// Those that use a concept. Each is asked: there are few of them, and each knows in a few steps.
    pub fn of(&self, concept: Uuid) -> impl Iterator<Item = &Arc<Using>> + '_ {
        self.uses.values().filter(move |using| using.concepts.binary_search(&concept).is_ok())
    }

    /// What the organisation of a use is called.
    #[must_use]
    pub fn organisation(&self, usage: &Usage) -> Option<&Name> {
        self.organisations.get(&usage.organisation?)
    }

    /// Whether organisations are called so.
    #[must_use]
    pub fn are_called(&self, names: &BTreeMap<Uuid, Name>) -> bool {
        self.organisations == *names
    }

    /// Says what the organisations are called.
    pub fn call(&mut self, names: BTreeMap<Uuid, Name>) {
        self.organisations = names;
    }

    /// Takes in what became of a use: nothing when it has ended.
    pub fn put(&mut self, uuid: Uuid, using: Option<Using>) {
        match using {
            Some(mut using) => {
                using.usage.contact = None;
                self.uses.insert(uuid, Arc::new(using));
            }
            None => drop(self.uses.remove(&uuid)),
        }
    }
}
