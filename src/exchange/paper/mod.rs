//! Papers: what people read, file and send on. A diff between two readings, the note of a hearing, all answers as a
//! spreadsheet.
//!
//! Pure: plain data in, bytes out; time is in the data. A paper tells itself as a [`Document`], and every format is
//! written from that, so that no format can say other than the others.

mod diff;
mod document;
mod html;
mod markdown;
mod moment;
mod note;
mod odt;
mod sheet;
#[cfg(test)]
mod tests;
mod words;

pub use diff::{
    Changed, ConceptPaper, DetailName, DiffPaper, ItemChange, ItemChangeKind, ItemDetail, ItemName, KindCount, Reading,
    UsedBy,
};
pub use document::{Block, Document, Run, Style};
pub use moment::moment;
pub use note::{
    ConceptHearing, Disposition, DispositionCount, Extension, HearingNote, HearingParty, HearingPeriod, NotePaper,
    PartyAnswer, Remark, Summary, Wording,
};
pub use odt::MEDIA_TYPE as ODT;
pub use sheet::{AnswerItem, AnswerParty, Answers, MEDIA_TYPE as XLSX};
pub use words::{Piece, PieceKind, compare};

use std::borrow::Cow;

use crate::model::{ConceptChangeKind, Meaning, Side};

/// The language of a paper's own words. Texts of the vocabulary stand in their own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tongue {
    /// Danish.
    Danish,
    /// English.
    English,
}

impl Tongue {
    /// The language tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        self.choose("da", "en")
    }

    /// The words in this language.
    #[must_use]
    pub fn choose<T>(self, da: T, en: T) -> T {
        match self {
            Self::Danish => da,
            Self::English => en,
        }
    }
}

/// The words for a type of change, which pages, letters, feeds and the command line share: of one concept in Danish, of
/// several that are counted, and in English.
fn words_for(kind: ConceptChangeKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        ConceptChangeKind::Added => ("ny", "nye", "added"),
        ConceptChangeKind::Retired => ("udgået", "udgåede", "retired"),
        ConceptChangeKind::Replaced => ("erstattet", "erstattede", "replaced"),
        ConceptChangeKind::Split => ("delt", "delte", "split"),
        ConceptChangeKind::Merged => ("lagt sammen", "lagt sammen", "merged"),
        ConceptChangeKind::Renamed => ("nyt navn", "med nyt navn", "renamed"),
        ConceptChangeKind::Redefined => ("ny definition", "med ny definition", "redefined"),
        ConceptChangeKind::Moved => ("flyttet", "flyttede", "moved"),
        ConceptChangeKind::Recoded => ("ny kode", "med ny kode", "recoded"),
        ConceptChangeKind::Remapped => ("svarer til andet", "svarer til andet", "remapped"),
        ConceptChangeKind::Edited => ("rettet", "rettede", "edited"),
        ConceptChangeKind::Reordered => ("anden plads", "på en anden plads", "reordered"),
        ConceptChangeKind::Passivated => {
            ("holdes ikke længere ved lige", "holdes ikke længere ved lige", "no longer kept up")
        }
    }
}

/// What a type of change is called.
#[must_use]
pub fn change_name(kind: ConceptChangeKind, tongue: Tongue) -> &'static str {
    let (da, _, en) = words_for(kind);
    tongue.choose(da, en)
}

/// What a type of change is called after the number of concepts that it happened to.
#[must_use]
pub fn counted_name(kind: ConceptChangeKind, count: u64, tongue: Tongue) -> &'static str {
    let (one, several, en) = words_for(kind);
    // »1 ny, 1 med nyt navn«: what is a thing of its own goes with a preposition, however many there are.
    let da = if count == 1 && !several.ends_with(one) { one } else { several };
    tongue.choose(da, en)
}

/// What is said of the meaning of another definition.
#[must_use]
pub fn meaning_name(meaning: Meaning, tongue: Tongue) -> &'static str {
    match meaning {
        Meaning::Changed => tongue.choose("anden betydning", "another meaning"),
        Meaning::Kept => tongue.choose("samme betydning", "the same meaning"),
    }
}

/// What happened to a concept, each type of change in words; beside another definition, what is said of its meaning.
#[must_use]
pub fn told_kinds(kinds: &[ConceptChangeKind], meaning: Option<Meaning>, tongue: Tongue) -> Vec<String> {
    let words = kinds.iter().map(|kind| match meaning {
        Some(meaning) if *kind == ConceptChangeKind::Redefined => {
            format!("{} ({})", change_name(*kind, tongue), meaning_name(meaning, tongue))
        }
        _ => change_name(*kind, tongue).to_owned(),
    });
    words.collect()
}

/// How a concept is called in running text: its notation and its term.
fn called(side: &Side) -> String {
    let notation = side.notation.as_deref().unwrap_or_default();
    let name = format!("{notation} {}", side.label);
    let name = name.trim();
    // A concept without any name is nothing that the registry keeps, but the paper must not fall silent.
    if name.is_empty() { "–".to_owned() } else { name.to_owned() }
}

/// The text as XML and HTML can hold it, ready to stand in an element or in an attribute in double quotes. What they
/// cannot hold at all is written U+FFFD.
fn markup(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| !matches!(c, '&' | '<' | '>' | '"' | '\r') && is_lawful(c);
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push(' '),
            c => out.push(lawful(c)),
        }
    }
    Cow::Owned(out)
}

/// Whether XML 1.0 allows the character, and HTML does not call it a control.
fn is_lawful(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}')
        && u32::from(c) & 0xfffe != 0xfffe
        && !('\u{fdd0}'..='\u{fdef}').contains(&c)
}

/// The character, or what stands for it: words that a form feed parts stay two words.
fn lawful(c: char) -> char {
    match c {
        c if is_lawful(c) => c,
        c if c.is_whitespace() => ' ',
        _ => char::REPLACEMENT_CHARACTER,
    }
}
