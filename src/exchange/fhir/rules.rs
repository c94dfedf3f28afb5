//! What values of a CodeSystem may be, and the refusals of those that they may not.

use super::pull::Pull;
use crate::model::{Code, Language, Refusal, Result};

/// What the nesting of concepts may mean.
pub(super) const MEANINGS: [&str; 4] = ["is-a", "part-of", "grouped-by", "classified-with"];

/// A text that must be one of a few.
pub(super) fn checked(
    pull: &mut Pull<'_>,
    allowed: &[&'static str],
    refusal: impl Fn(&str) -> Refusal,
) -> Result<Option<&'static str>> {
    let text = pull.text()?;
    match allowed.iter().find(|a| **a == text) {
        Some(one) => Ok(Some(one)),
        None => Err(pull.here(refusal(&text))),
    }
}

/// A language tag.
pub(super) fn language(pull: &mut Pull<'_>) -> Result<Language> {
    let text = pull.text()?;
    text.trim().parse().map_err(|refusal| pull.here(refusal))
}

/// The refusal of another resource than a CodeSystem.
pub(super) fn not_a_code_system(found: Option<&str>) -> Refusal {
    let (da, en) = match found {
        Some(found) => (format!("filen er en »{}«", shown(found)), format!("the file is a '{}'", shown(found))),
        None => ("filen siger ikke, hvad den er".into(), "the file does not say what it is".into()),
    };
    Refusal::new(Code::Syntax, format!("{da}, ikke en CodeSystem"), format!("{en}, not a CodeSystem"))
        .allowed(["CodeSystem"])
}

/// The refusal of a file that is not the whole code system.
pub(super) fn incomplete(found: Option<&str>) -> Refusal {
    let (da, en) = match found {
        Some(found) => (
            format!("filens indhold er »{}«, ikke hele kodesystemet", shown(found)),
            format!("the content of the file is '{}', not the whole code system", shown(found)),
        ),
        None => (
            "filen siger ikke, om den er hele kodesystemet".into(),
            "the file does not say whether it is the whole code system".into(),
        ),
    };
    Refusal::new(Code::Incomplete, da, en).allowed(["complete"])
}

/// The refusal of a meaning that nesting cannot have.
pub(super) fn unknown_meaning(found: &str) -> Refusal {
    Refusal::new(
        Code::Syntax,
        format!("»{}« er ikke en betydning af et hierarki", shown(found)),
        format!("'{}' is not a meaning of a hierarchy", shown(found)),
    )
    .allowed(MEANINGS)
}

/// Whether a text is an OID in dots.
pub(super) fn is_oid(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// As much of a text as is shown in a message.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}
