//! What a form says, as it was sent.

use std::collections::BTreeSet;

use crate::model::{Code, Place, Refusal, Result};
use crate::workflow::Prose;

/// The most fields of a form.
const MOST: usize = 20_000;

/// The fields of a form, in the order in which they were sent.
#[derive(Clone, Default)]
pub struct Sent(Vec<(String, String)>);

impl Sent {
    /// Reads a form. Browsers end lines by two characters; texts of the registry by one.
    ///
    /// # Errors
    /// [`Code::TooLarge`].
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let mut fields = Vec::new();
        for (name, value) in form_urlencoded::parse(bytes) {
            if fields.len() == MOST {
                let (da, en) = ("formularen er for stor", "the form is too large");
                return Err(Refusal::new(Code::TooLarge, da, en).allowed([MOST.to_string()]));
            }
            fields.push((name.into_owned(), value.replace("\r\n", "\n")));
        }
        Ok(Self(fields))
    }

    /// Fields as a page makes them up.
    pub fn of(fields: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        Self(fields.into_iter().map(|(n, v)| (n.to_owned(), v)).collect())
    }

    /// Every field.
    pub fn fields(&self) -> &[(String, String)] {
        &self.0
    }

    /// A field without the white space around it; empty when it is not there.
    pub fn field(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.trim())
    }

    /// A field when it says anything.
    pub fn said(&self, name: &str) -> Option<&str> {
        Some(self.field(name)).filter(|v| !v.is_empty())
    }

    /// A field read as what it is to be.
    ///
    /// # Errors
    /// What the reader refuses, at the field.
    pub fn read_as<T: std::str::FromStr<Err = Refusal>>(&self, name: &str) -> Result<T> {
        self.field(name).parse().map_err(|r: Refusal| r.at(Place::field(name)))
    }

    /// Why.
    ///
    /// # Errors
    /// [`Code::InvalidText`] when no reason is given.
    pub fn reason(&self) -> Result<Prose> {
        if self.field("reason").is_empty() {
            let (da, en) = ("skriv en begrundelse", "write a reason");
            return Err(Refusal::new(Code::InvalidText, da, en).at(Place::field("reason")));
        }
        self.read_as("reason")
    }

    /// The numbers of the rows whose fields begin with some word: `term-3-value` is of the row 3 of `term`.
    pub fn rows(&self, of: &str) -> BTreeSet<usize> {
        let number = |name: &str| name.strip_prefix(of)?.strip_prefix('-')?.split('-').next()?.parse().ok();
        self.0.iter().filter_map(|(name, _)| number(name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_form_says() {
        let sent = Sent::read(b"term-0-value=a+b&term-12-value=%0D%0Ac%0D%0A&term-x-value=&terms=1&term=2").unwrap();
        assert_eq!(sent.rows("term").into_iter().collect::<Vec<_>>(), [0, 12]);
        assert_eq!((sent.field("term-0-value"), sent.field("term-12-value"), sent.said("nix")), ("a b", "c", None));
        assert_eq!(sent.reason().unwrap_err().place.field.as_deref(), Some("reason"));
        assert!(Sent::read(&b"a=&".repeat(MOST + 1)).is_err());
    }
}
