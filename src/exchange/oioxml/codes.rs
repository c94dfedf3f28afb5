//! The code lists of the envelope: the model's choices by Danish names.

use crate::model::{MappingKind, NoteKind, RelationKind, SourceRelation, TermForm, TermStatus};

/// A choice that is written as one of a fixed list of codes.
pub(super) trait Coded: Copy + 'static {
    /// Every code, in the order of the schema's enumeration.
    const CODES: &'static [(&'static str, Self)];

    /// The code as it is written.
    fn code(self) -> &'static str;
}

macro_rules! coded {
    ($($type:ident { $($variant:ident = $code:literal),* $(,)? })*) => {
        $(impl Coded for $type {
            const CODES: &'static [(&'static str, Self)] = &[$(($code, Self::$variant)),*];

            fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }
        })*
    };
}

coded! {
    TermStatus { Preferred = "Foretrukken", Admitted = "Tilladt", Deprecated = "Fraraadet", Hidden = "Skjult" }
    TermForm {
        FullForm = "FuldForm",
        ShortForm = "Kortform",
        Abbreviation = "Forkortelse",
        Acronym = "Akronym",
        Symbol = "Symbol",
        Variant = "Variant",
    }
    SourceRelation { Own = "Egen", BasedOn = "Baseret", Quoted = "Citeret" }
    NoteKind {
        Scope = "Omfang",
        Example = "Eksempel",
        Application = "Anvendelse",
        History = "Historik",
        Editorial = "Redaktionel",
        Change = "Aendring",
        General = "Generel",
    }
    RelationKind {
        Generic = "Generisk",
        Partitive = "Partitiv",
        Associative = "Associativ",
        SeeAlso = "SeOgsaa",
        LegalCombination = "LovligKombination",
        Replaces = "Erstatter",
    }
    MappingKind {
        Exact = "Eksakt",
        Close = "Naer",
        Broad = "Bredere",
        Narrow = "Snaevrere",
        Related = "Relateret",
    }
}
