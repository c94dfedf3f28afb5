//! The columns of the table, by their names.

use std::fmt;
use std::str::FromStr;

use crate::model::{Code, Language, MappingKind, NoteKind, Refusal, RelationKind, Result, TermStatus};

/// A column. The order is the one in which columns are written.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) enum Column {
    /// The code.
    Notation,
    /// The uuid.
    Uuid,
    /// Generic concepts directly above.
    Parent,
    /// Wholes directly above.
    PartOf,
    /// The code of the facet.
    Facet,
    /// Other codes.
    Alias,
    /// Terms.
    Term(TermStatus, Language),
    /// The definition for everyone.
    Definition(Language),
    /// Notes.
    Note(NoteKind, Language),
    /// Subject fields.
    Subject(Language),
    /// Laws.
    LegalBasis,
    /// See also.
    SeeAlso,
    /// Associated concepts.
    Associated,
    /// Classes that it may be combined with.
    CombinesWith,
    /// Concepts that it replaces.
    Replaces,
    /// IRIs of concepts of other vocabularies.
    Mapping(MappingKind),
    /// What the other columns cannot say.
    More,
}

/// The columns whose name is one word.
const PLAIN: [(&str, Column); 12] = [
    ("notation", Column::Notation),
    ("uuid", Column::Uuid),
    ("parent", Column::Parent),
    ("part_of", Column::PartOf),
    ("facet", Column::Facet),
    ("alias", Column::Alias),
    ("legal_basis", Column::LegalBasis),
    ("see_also", Column::SeeAlso),
    ("associated", Column::Associated),
    ("combines_with", Column::CombinesWith),
    ("replaces", Column::Replaces),
    ("more", Column::More),
];

const TERMS: [(&str, TermStatus); 4] = [
    ("preferred", TermStatus::Preferred),
    ("admitted", TermStatus::Admitted),
    ("deprecated", TermStatus::Deprecated),
    ("hidden", TermStatus::Hidden),
];

const NOTES: [(&str, NoteKind); 7] = [
    ("scope", NoteKind::Scope),
    ("example", NoteKind::Example),
    ("application", NoteKind::Application),
    ("history", NoteKind::History),
    ("editorial", NoteKind::Editorial),
    ("change", NoteKind::Change),
    ("general", NoteKind::General),
];

const MAPPINGS: [(&str, MappingKind); 5] = [
    ("exact", MappingKind::Exact),
    ("close", MappingKind::Close),
    ("broad", MappingKind::Broad),
    ("narrow", MappingKind::Narrow),
    ("related", MappingKind::Related),
];

/// The names that a heading may have.
const ALLOWED: [&str; 20] = [
    "notation",
    "uuid",
    "parent",
    "part_of",
    "facet",
    "alias",
    "preferred.<language>",
    "admitted.<language>",
    "deprecated.<language>",
    "hidden.<language>",
    "definition.<language>",
    "note.<scope|example|application|history|editorial|change|general>.<language>",
    "subject.<language>",
    "legal_basis",
    "see_also",
    "associated",
    "combines_with",
    "replaces",
    "mapping.<exact|close|broad|narrow|related>",
    "more",
];

impl Column {
    /// The column of the relations of a kind.
    pub(super) fn of(kind: RelationKind) -> Self {
        match kind {
            RelationKind::Generic => Self::Parent,
            RelationKind::Partitive => Self::PartOf,
            RelationKind::Associative => Self::Associated,
            RelationKind::SeeAlso => Self::SeeAlso,
            RelationKind::LegalCombination => Self::CombinesWith,
            RelationKind::Replaces => Self::Replaces,
        }
    }

    /// Whether a cell holds one value, taken as it stands, and not several.
    pub(super) fn is_single(&self) -> bool {
        matches!(
            self,
            Self::Notation
                | Self::Uuid
                | Self::Facet
                | Self::Term(TermStatus::Preferred, _)
                | Self::Definition(_)
                | Self::More
        )
    }
}

/// The name of a value in a table of names.
fn name<T: Copy + PartialEq>(table: &[(&'static str, T)], value: T) -> &'static str {
    table.iter().find(|(_, v)| *v == value).map_or("", |(name, _)| name)
}

/// The value of a name in a table of names.
fn value<T: Copy>(table: &[(&'static str, T)], wanted: &str) -> Option<T> {
    table.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value)
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Term(status, language) => write!(f, "{}.{language}", name(&TERMS, *status)),
            Self::Definition(language) => write!(f, "definition.{language}"),
            Self::Note(kind, language) => write!(f, "note.{}.{language}", name(&NOTES, *kind)),
            Self::Subject(language) => write!(f, "subject.{language}"),
            Self::Mapping(kind) => write!(f, "mapping.{}", name(&MAPPINGS, *kind)),
            plain => f.write_str(PLAIN.iter().find(|(_, c)| c == plain).map_or("", |(name, _)| name)),
        }
    }
}

impl FromStr for Column {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self> {
        if let Some((_, column)) = PLAIN.iter().find(|(name, _)| *name == text) {
            return Ok(column.clone());
        }
        let unknown = || {
            Refusal::new(
                Code::Syntax,
                format!("»{text}« er ikke en kolonne i formatet"),
                format!("'{text}' is not a column of the format"),
            )
            .allowed(ALLOWED)
        };
        let (head, tail) = text.split_once('.').ok_or_else(unknown)?;
        match head {
            "definition" => Ok(Self::Definition(tail.parse()?)),
            "subject" => Ok(Self::Subject(tail.parse()?)),
            "mapping" => value(&MAPPINGS, tail).map(Self::Mapping).ok_or_else(unknown),
            "note" => {
                let (kind, language) = tail.split_once('.').ok_or_else(unknown)?;
                Ok(Self::Note(value(&NOTES, kind).ok_or_else(unknown)?, language.parse()?))
            }
            _ => Ok(Self::Term(value(&TERMS, head).ok_or_else(unknown)?, tail.parse()?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_reads_what_it_writes() {
        let dotted = ["preferred.da", "admitted.en-GB", "deprecated.da", "hidden.da", "definition.da", "subject.en"];
        let notes = NOTES.map(|(kind, _)| format!("note.{kind}.da"));
        let mappings = MAPPINGS.map(|(kind, _)| format!("mapping.{kind}"));
        let plain = PLAIN.map(|(name, _)| name);
        let names = plain.iter().chain(&dotted).map(ToString::to_string).chain(notes).chain(mappings);
        for name in names {
            assert_eq!(name.parse::<Column>().unwrap().to_string(), name);
        }
        assert_eq!("preferred.DA".parse::<Column>().unwrap().to_string(), "preferred.da");
    }

    #[test]
    fn what_is_no_column_is_refused() {
        for wrong in ["", "Notation", "preferred", "prefered.da", "note.da", "note.x.da", "mapping.same", "parent.da"] {
            let refusal = wrong.parse::<Column>().unwrap_err();
            assert_eq!((refusal.code, refusal.allowed.len()), (Code::Syntax, ALLOWED.len()), "{wrong}");
        }
        assert_eq!("note.scope.d".parse::<Column>().unwrap_err().code, Code::InvalidLanguage);
        assert_eq!("preferred.".parse::<Column>().unwrap_err().code, Code::InvalidLanguage);
    }
}
