//! Text that people write to each other in the course of the work.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::{Code, Refusal, Result, unprintable};

macro_rules! prose {
    ($(#[$doc:meta])* $name:ident, $most:literal, $lines:literal, $allowed:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String)]
        pub struct $name(Box<str>);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Refusal;

            fn from_str(text: &str) -> Result<Self> {
                let text = text.trim().replace("\r\n", "\n");
                let unlawful = |c: char| match c {
                    '\n' | '\t' => !$lines,
                    c => c.is_control() || turns(c) || (!$lines && unprintable(c)),
                };
                let seen = text.chars().any(|c| !c.is_whitespace() && !unprintable(c));
                let lawful = seen && text.chars().count() <= $most && !text.contains(unlawful);
                lawful.then(|| Self(text.into())).ok_or_else(|| {
                    Refusal::new(Code::InvalidText, "det kan ikke være teksten", "that cannot be the text")
                        .allowed([$allowed])
                })
            }
        }

        impl TryFrom<String> for $name {
            type Error = Refusal;

            fn try_from(text: String) -> Result<Self> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// Whether a character turns the direction of what is around it, so that it reads otherwise than it is written.
fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

prose!(
    /// A title, or another text of one line: 1 to 300 characters.
    Line, 300, false, "one line of 1 to 300 characters"
);

prose!(
    /// A text of one or more lines: 1 to 50 000 characters; white space around it is taken off.
    Prose, 50_000, true, "1 to 50000 characters, without control characters other than tab and line breaks"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_a_text() {
        assert_eq!(" a\r\nb ".parse::<Prose>().unwrap().as_str(), "a\nb");
        for wrong in ["", " \n ", "a\u{0}b", "a\u{1b}[31m", "a\u{202e}fdp.exe", "\u{200b}\u{feff}", "a\u{2066}b"] {
            assert!(wrong.parse::<Prose>().is_err(), "{wrong:?}");
            assert!(wrong.parse::<Line>().is_err(), "{wrong:?}");
        }
        assert!("a\u{200d}b".parse::<Prose>().is_ok() && "a\u{200b}b".parse::<Line>().is_err());
        assert!("a\nb".parse::<Line>().is_err() && "a\u{2028}b".parse::<Line>().is_err());
        assert!("a\nb".parse::<Line>().is_err() && "x".repeat(301).parse::<Line>().is_err());
        assert!("ø".repeat(50_000).parse::<Prose>().is_ok() && "ø".repeat(50_001).parse::<Prose>().is_err());
    }
}
