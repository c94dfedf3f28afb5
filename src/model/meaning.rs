//! Whether another definition is another meaning: what those say who wrote it, and what that comes to over several
//! steps. The words alone do not tell: a definition may be written anew and mean what it meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::people::words;
use super::refusal::{Code, Refusal, Result};

words!(
    /// What was said of another definition by those who wrote it.
    Meaning, "»{}« er ikke noget, der kan siges om betydningen", "'{}' cannot be said of the meaning", {
        /// It means something else: what was registered by the old one may have to be looked at again.
        Changed = "changed",
        /// It means what it meant: only the words are others.
        Kept = "kept",
    }
);

impl Meaning {
    /// What several steps come to, each with what was said of it: it is another meaning when one of them made it so, and
    /// the same when all of them kept it. Of no steps nothing is said.
    #[must_use]
    pub fn of_all(steps: impl IntoIterator<Item = Option<Self>>) -> Option<Self> {
        let mut all = None;
        for (n, step) in steps.into_iter().enumerate() {
            match step {
                Some(Self::Changed) => return Some(Self::Changed),
                Some(Self::Kept) if n == 0 || all.is_some() => all = Some(Self::Kept),
                _ => all = None,
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_step_that_changed_it_is_enough_and_one_of_which_nothing_is_said_leaves_it_open() {
        let (changed, kept) = (Some(Meaning::Changed), Some(Meaning::Kept));
        let cases: [(&[Option<Meaning>], Option<Meaning>); 8] = [
            (&[], None),
            (&[None], None),
            (&[kept], kept),
            (&[kept, kept], kept),
            (&[kept, None], None),
            (&[None, kept], None),
            (&[None, changed], changed),
            (&[changed, kept, None], changed),
        ];
        for (steps, expected) in cases {
            assert_eq!(Meaning::of_all(steps.iter().copied()), expected, "{steps:?}");
        }
    }

    #[test]
    fn what_cannot_be_said_is_refused_with_what_can() {
        assert_eq!("kept".parse(), Ok(Meaning::Kept));
        let refusal = "samme".parse::<Meaning>().unwrap_err();
        assert_eq!((refusal.code, refusal.allowed), (Code::InvalidParameter, vec!["changed".into(), "kept".into()]));
    }
}
