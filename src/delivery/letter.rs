//! A letter: pure data.

use std::fmt;

use uuid::Uuid;

use crate::model::{Code, Mail, Name, Place, Refusal, Result};

/// What kind of letter it is: one short word. Of one kind there is one for each row of the log and recipient.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct LetterKind(&'static str);

impl LetterKind {
    /// A kind.
    #[must_use]
    pub const fn new(word: &'static str) -> Self {
        Self(word)
    }

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// The language of a letter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LetterLanguage {
    /// Danish.
    Danish,
    /// English.
    English,
    /// Danish, and English below it: for those whose language is not known.
    Both,
}

impl LetterLanguage {
    /// As a mail says it, in `Content-Language`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Danish => "da",
            Self::English => "en",
            Self::Both => "da, en",
        }
    }
}

/// A letter to one recipient.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    recipient: Uuid,
    to: Mail,
    name: Option<Name>,
    kind: LetterKind,
    language: LetterLanguage,
    subject: String,
    text: String,
}

impl Letter {
    /// The most characters of a subject.
    pub const LONGEST_SUBJECT: usize = 200;
    /// The most bytes of a text.
    pub const LONGEST_TEXT: usize = 100_000;

    /// A letter to `recipient`, the uuid of the row that holds the address (an account, say): when that is erased, the
    /// letter is emptied too. What stays of a letter is the uuid, never the address.
    ///
    /// # Errors
    /// [`Code::InvalidText`] for a subject that is not one line of 1 to 200 characters, and a text that is empty,
    /// longer than 100,000 bytes, or holds control characters other than line breaks and tabs.
    pub fn new(
        kind: LetterKind,
        (recipient, to, name): (Uuid, Mail, Option<Name>),
        language: LetterLanguage,
        subject: impl Into<String>,
        text: impl Into<String>,
    ) -> Result<Self> {
        let (subject, text) = (subject.into(), text.into());
        let line = !subject.trim().is_empty()
            && subject.chars().count() <= Self::LONGEST_SUBJECT
            && !subject.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
        let plain = !text.trim().is_empty()
            && text.len() <= Self::LONGEST_TEXT
            && !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
        let wrong = |field| {
            Refusal::new(Code::InvalidText, "det kan ikke stå i et brev", "that cannot stand in a letter")
                .at(Place::field(field))
        };
        match (line, plain) {
            (false, _) => Err(wrong("subject").allowed(["one line of 1 to 200 characters"])),
            (_, false) => Err(wrong("text").allowed(["plain text of 1 to 100000 bytes"])),
            _ => Ok(Self { recipient, to, name, kind, language, subject, text }),
        }
    }

    /// The row that holds the address.
    #[must_use]
    pub fn recipient(&self) -> Uuid {
        self.recipient
    }

    /// The address.
    #[must_use]
    pub fn to(&self) -> &Mail {
        &self.to
    }

    /// What the recipient is called.
    #[must_use]
    pub fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> LetterKind {
        self.kind
    }

    /// The language.
    #[must_use]
    pub fn language(&self) -> LetterLanguage {
        self.language
    }

    /// What it is about.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// What it says.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

// Personal data, and secrets: what is printed for the eyes of a developer ends in logs.
impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Letter({} to {})", self.kind.as_str(), self.recipient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(subject: &str, text: &str) -> Result<Letter> {
        let to = (Uuid::nil(), "a@example.dk".parse().unwrap(), None);
        Letter::new(LetterKind::new("test"), to, LetterLanguage::Both, subject, text)
    }

    #[test]
    fn what_cannot_stand_in_a_letter_is_refused() {
        assert!(letter("Høring åbnet", "Kære Anne\n\n\tHej\n").is_ok());
        for wrong in ["", "  ", "x\r\nBcc: evil@example.dk", "x\ny", "x\u{2028}y", &"x".repeat(201)] {
            assert_eq!(letter(wrong, "x").unwrap_err().place, Place::field("subject"), "{wrong:?}");
        }
        for wrong in ["", "x\ry", "x\0y", &"x".repeat(100_001)] {
            assert_eq!(letter("x", wrong).unwrap_err().place, Place::field("text"));
        }
        assert_eq!(format!("{:?}", letter("x", "y").unwrap()), format!("Letter(test to {})", Uuid::nil()));
    }
}
