//! A text that is searched for.

use super::search::MOST;
use crate::model::{Code, Refusal, Result};
use crate::registry::list::like;

/// A text that is searched for: the whole of it, whatever the case; `%` is any run of characters, a backslash takes the
/// character after it as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern(Vec<String>);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] for more than a hundred wildcards.
    pub fn parse(text: &str) -> Result<Self> {
        let (mut parts, mut part) = (Vec::new(), String::new());
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '%' => parts.push(std::mem::take(&mut part)),
                '\\' => part.push(chars.next().unwrap_or('\\')),
                c => part.push(c),
            }
        }
        parts.push(part);
        if parts.len() > MOST {
            let (da, en) = ("flere end 100 jokertegn", "more than 100 wildcards");
            return Err(Refusal::new(Code::InvalidParameter, da, en));
        }
        Ok(Self(parts.into_iter().map(|p| p.to_lowercase()).collect()))
    }

    /// The text itself, in lower case, when there is no wildcard in it.
    #[must_use]
    pub fn whole(&self) -> Option<&str> {
        match self.0.as_slice() {
            [text] => Some(text),
            _ => None,
        }
    }

    /// What must be in the text, in lower case, in this order.
    pub(super) fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether a text is what is searched for.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        like(&text.to_lowercase(), &self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pattern_is_the_whole_text_whatever_the_case() {
        for (pattern, text, fits) in [
            ("Ledsagelse", "LEDSAGELSE", true),
            ("Ledsagelse", "Ledsagelse ", false),
            ("%sag%", "Ledsagelse", true),
            ("led%e", "Ledsagelse", true),
            ("led%x", "Ledsagelse", false),
            ("%", "", true),
            ("", "", true),
            ("", "x", false),
            ("100\\%", "100%", true),
            ("100\\%", "100 procent", false),
            ("a_c", "abc", false),
            ("a_c", "A_C", true),
            ("a\\\\b", "a\\b", true),
            ("ÆØ%", "æøå", true),
            ("aa%aa", "aaa", false),
            ("a\\", "a\\", true),
        ] {
            assert_eq!(Pattern::parse(pattern).expect("few wildcards").fits(text), fits, "{pattern} {text}");
        }
        assert!(Pattern::parse(&"%".repeat(100)).is_err());
    }

    proptest! {
        /// Against the plainest way: try every split.
        #[test]
        fn wildcards_are_any_run(pattern in "[ab%]{0,6}", text in "[ab]{0,8}") {
            fn plain(pattern: &[u8], text: &[u8]) -> bool {
                match pattern.split_first() {
                    None => text.is_empty(),
                    Some((b'%', rest)) => (0..=text.len()).any(|n| plain(rest, &text[n..])),
                    Some((c, rest)) => text.split_first().is_some_and(|(t, tail)| t == c && plain(rest, tail)),
                }
            }
            let expected = plain(pattern.as_bytes(), text.as_bytes());
            prop_assert_eq!(Pattern::parse(&pattern).unwrap().fits(&text), expected);
        }
    }
}
