//! What the registry says today of the date from which an edition is to be in force.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::Known;
use crate::exchange::DEEPEST;
use crate::model::{Content, Instant, Point};

/// The reading of the vocabulary that an edition changes: what is said today of its effective date.
pub(super) struct Base<'a> {
    known: &'a Known,
    /// What each concept in force there says.
    pub(super) contents: HashMap<Uuid, &'a Arc<Content>>,
    /// Codes in force there.
    codes: HashMap<&'a str, Vec<Uuid>>,
    /// Every code ever.
    former: HashMap<&'a str, Vec<Uuid>>,
}

impl<'a> Base<'a> {
    /// Reads what is known at a date.
    pub(super) fn new(known: &'a Known, effective: Instant) -> Self {
        let at = Point { valid: effective, registered: Instant::FOREVER };
        let mut base = Self { known, contents: HashMap::new(), codes: HashMap::new(), former: HashMap::new() };
        for (uuid, states) in &known.states {
            // What is not published is in no edition.
            for state in states.iter().filter(|s| s.content().is_published()) {
                let here = state.covers(at);
                let fields = state.content().fields();
                let codes =
                    fields.notation.as_deref().into_iter().chain(fields.aliases.iter().map(|a| a.value.as_str()));
                for code in codes {
                    let mut lists = vec![base.former.entry(code).or_default()];
                    if here {
                        lists.push(base.codes.entry(code).or_default());
                    }
                    for list in lists {
                        if !list.contains(uuid) {
                            list.push(*uuid);
                        }
                    }
                }
                if here {
                    base.contents.insert(*uuid, state.content());
                }
            }
        }
        base
    }

    /// The concepts that a code names there.
    pub(super) fn of_code(&self, code: &str) -> &[Uuid] {
        self.codes.get(code).map_or(&[], Vec::as_slice)
    }

    /// The concepts that a code ever named.
    pub(super) fn of_former(&self, code: &str) -> &[Uuid] {
        self.former.get(code).map_or(&[], Vec::as_slice)
    }

    /// The preferred terms from the top, to compare with those of a file.
    pub(super) fn path(&self, uuid: Uuid) -> Vec<&'a str> {
        let (mut path, mut at) = (Vec::new(), Some(uuid));
        while let Some(content) = at.and_then(|u| self.contents.get(&u)).filter(|_| path.len() <= DEEPEST) {
            path.push(content.label("da"));
            at = content.parents().next();
        }
        path.reverse();
        path
    }

    /// Whether the registry has ever seen a concept.
    pub(super) fn is_known(&self, uuid: Uuid) -> bool {
        self.known.states.contains_key(&uuid)
    }
}
