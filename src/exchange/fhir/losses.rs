//! What could not be taken over.

use std::collections::BTreeMap;

use super::rules::shown;
use crate::exchange::Loss;

/// Why something that the format has is not taken over.
pub(super) const NO_FIELD: &str = "the registry has no field for it";

/// What could not be taken over, counted.
#[derive(Default)]
pub(super) struct Losses(BTreeMap<(String, &'static str), u64>);

impl Losses {
    /// Counts one more.
    pub(super) fn add(&mut self, what: impl Into<String>, why: &'static str) {
        *self.0.entry((what.into(), why)).or_default() += 1;
    }

    /// All of them, in alphabetical order.
    pub(super) fn into_vec(self) -> Vec<Loss> {
        self.0.into_iter().map(|((what, why), count)| Loss { what, why: why.to_owned(), count }).collect()
    }
}

/// What a property is called.
pub(super) fn property_name(code: Option<&str>) -> String {
    code.map_or_else(|| "property without a code".to_owned(), |code| format!("property '{}'", shown(code)))
}
