//! Text always has a language.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::refusal::{Code, Refusal, Result};

/// A language tag (BCP 47), lower-cased but for the region: `da`, `en`, `en-GB`, `und` when unknown.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "da")]
pub struct Language(Box<str>);

impl Language {
    /// Danish.
    #[must_use]
    pub fn danish() -> Self {
        Self("da".into())
    }

    /// English.
    #[must_use]
    pub fn english() -> Self {
        Self("en".into())
    }

    /// The tag as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language without region or script: `en` of `en-GB`.
    #[must_use]
    pub fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or(&self.0)
    }
}

impl FromStr for Language {
    type Err = Refusal;

    fn from_str(tag: &str) -> Result<Self> {
        let mut parts = tag.split('-');
        let primary = parts.next().unwrap_or_default();
        let lawful = (2..=8).contains(&primary.len())
            && primary.bytes().all(|b| b.is_ascii_alphabetic())
            && tag.len() <= 35
            && parts.all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()));
        if !lawful {
            return Err(Refusal::new(
                Code::InvalidLanguage,
                format!("»{tag}« er ikke en sprogkode"),
                format!("'{tag}' is not a language tag"),
            )
            .allowed(["da", "en", "en-GB"]));
        }
        let written: Vec<String> = tag
            .split('-')
            .enumerate()
            .map(|(i, p)| if i > 0 && p.len() == 2 { p.to_ascii_uppercase() } else { p.to_ascii_lowercase() })
            .collect();
        Ok(Self(written.join("-").into()))
    }
}

impl TryFrom<String> for Language {
    type Error = Refusal;

    fn try_from(tag: String) -> Result<Self> {
        tag.parse()
    }
}

impl From<Language> for String {
    fn from(language: Language) -> Self {
        language.0.into()
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text in a language.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// The language.
    pub language: Language,
    /// The text itself.
    pub text: String,
}

impl Text {
    /// A text in a language; surrounding white space is taken off.
    ///
    /// # Errors
    /// [`Code::InvalidText`] when nothing is left, or it holds a NUL.
    pub fn new(language: Language, text: &str) -> Result<Self> {
        Ok(Self { language, text: lawful_text(text)? })
    }

    /// The best text for a reader of `language`: that language, else Danish, else the first.
    #[must_use]
    pub fn choose<'a>(texts: &'a [Self], language: &str) -> Option<&'a str> {
        let of = |wanted: &str| texts.iter().find(|t| t.language.primary() == wanted);
        of(language).or_else(|| of("da")).or_else(|| texts.first()).map(|t| t.text.as_str())
    }
}

/// The longest text that the registry keeps, in bytes.
pub(super) const LONGEST: usize = 1 << 20;

/// A text without surrounding white space.
///
/// # Errors
/// [`Code::InvalidText`] when it is empty, longer than [`LONGEST`] or holds a NUL (which PostgreSQL cannot keep).
pub(super) fn lawful_text(text: &str) -> Result<String> {
    let trimmed = text.trim();
    let refuse = |da: &str, en: &str| Err(Refusal::new(Code::InvalidText, da, en));
    if trimmed.is_empty() {
        return refuse("teksten er tom", "the text is empty");
    }
    if trimmed.len() > LONGEST {
        return refuse("teksten er længere end 1 MiB", "the text is longer than 1 MiB");
    }
    if trimmed.contains('\0') {
        return refuse("teksten indeholder et NUL-tegn", "the text holds a NUL character");
    }
    Ok(trimmed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_a_tag() {
        for (written, kept) in [("da", "da"), ("DA", "da"), ("en-gb", "en-GB"), ("und", "und"), ("zh-hant", "zh-hant")]
        {
            assert_eq!(written.parse::<Language>().unwrap().as_str(), kept);
        }
        for wrong in ["", "d", "dansk sprog", "da_DK", "da-", "-da", "da-123456789"] {
            assert!(wrong.parse::<Language>().is_err(), "{wrong}");
        }
    }
}
