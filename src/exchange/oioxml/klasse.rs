//! What an OIO klasse says of a concept: a view of the content, and the same cut to the lengths of KOMBIT's schema.

use std::collections::HashSet;

use uuid::Uuid;

use super::chars::{fit, fits, iri, urn};
use super::facets::Facets;
use super::tree::Losses;
use crate::exchange::Key;
use crate::model::{
    ContentFields, Definition, Language, LegalBasis, Mapping, MappingKind, Note, NoteKind, Relation, RelationKind,
    Term, TermStatus,
};

/// The lengths of KOMBIT's schema, in characters.
pub(super) mod longest {
    pub const KEY: usize = 50;
    pub const TITLE: usize = 300;
    pub const DESCRIPTION: usize = 10_000;
    pub const EXAMPLE: usize = 4096;
    pub const SCOPE: usize = 1024;
    pub const LEGAL_SOURCE: usize = 4096;
    pub const CHANGE_NOTE: usize = 1024;
    pub const COPYRIGHT: usize = 4096;
    pub const URN: usize = 255;
}

/// The categories of index words.
mod category {
    pub const SYNONYM: &str = "synonym";
    pub const DEPRECATED: &str = "frarådet";
    pub const INDEX: &str = "søgeord";
    pub const FOREIGN: &str = "andet sprog";
}

/// The categories of the index words that are made of terms.
pub(in crate::exchange) const CATEGORIES: [&str; 4] =
    [category::SYNONYM, category::DEPRECATED, category::INDEX, category::FOREIGN];

/// How OIO refers to something.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Reference {
    /// By uuid.
    Uuid(Uuid),
    /// By URN.
    Urn(String),
}

impl Reference {
    /// To what an IRI names.
    #[must_use]
    pub fn to_iri(iri: &str) -> Self {
        let named = iri.strip_prefix("urn:uuid:").and_then(|text| Some((Uuid::try_parse(text).ok()?, text)));
        match named {
            Some((uuid, text)) if uuid.to_string() == text => Self::Uuid(uuid),
            _ => Self::Urn(urn(iri)),
        }
    }

    /// To an organisation: a uuid, or anything with a scheme; not its name.
    #[must_use]
    pub fn to_organisation(owner: &str) -> Option<Self> {
        if let Ok(uuid) = Uuid::try_parse(owner) {
            return Some(Self::Uuid(uuid));
        }
        let named_by_scheme = owner.contains(':') && !owner.contains(char::is_whitespace);
        named_by_scheme.then(|| Self::to_iri(owner))
    }

    /// Whether KOMBIT's schema has room for it: half a name names something else.
    pub(super) fn fits(&self) -> bool {
        match self {
            Self::Uuid(_) => true,
            Self::Urn(urn) => fits(urn, longest::URN),
        }
    }

    fn into_key(self) -> Key {
        match self {
            Self::Uuid(uuid) => Key(uuid.to_string()),
            Self::Urn(urn) => Key(iri(&urn)),
        }
    }
}

/// `klasse:Soegeord`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::exchange) struct IndexWord {
    /// `SoegeordIdentifikator`: the word itself.
    pub identifier: String,
    /// `BeskrivelseTekst`: why it is deprecated; the whole word when it had to be cut.
    pub description: Option<String>,
    /// `SoegeordKategoriTekst`.
    pub category: Option<String>,
}

/// `klasse:Klasse`, without the times.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::exchange) struct Klasse {
    /// `UUIDIdentifikator`.
    pub uuid: Uuid,
    /// `BrugervendtNoegleTekst`: the notation; the uuid when there is none.
    pub key: String,
    /// `BeskrivelseTekst`: the definition.
    pub description: Option<String>,
    /// `EksempelTekst`: the examples.
    pub example: Option<String>,
    /// `OmfangTekst`: the scope notes.
    pub scope: Option<String>,
    /// `TitelTekst`: the preferred term.
    pub title: Option<String>,
    /// `RetskildeTekst`: the legal basis, a law on each line.
    pub legal_source: Option<String>,
    /// `AendringsnotatTekst`: the change notes.
    pub change_note: Option<String>,
    /// The other terms.
    pub index_words: Vec<IndexWord>,
    /// `Erstatter`.
    pub replaces: Vec<Reference>,
    /// `Facet`.
    pub facet: Option<Reference>,
    /// `LovligeKombinationer`.
    pub combinations: Vec<Reference>,
    /// `Mapninger`.
    pub mappings: Vec<Reference>,
    /// `OverordnetKlasse`: the first parent, generic before partitive.
    pub parent: Option<Reference>,
    /// `Sideordnede`.
    pub see_also: Vec<Reference>,
}

impl Klasse {
    /// The view of a content.
    pub fn of(uuid: Uuid, f: &ContentFields, facets: &Facets) -> Self {
        let title = title(f);
        let targets = |kind| f.relations.iter().filter(move |r| r.kind == kind).map(|r| Reference::Uuid(r.target));
        let home = title.map_or("da", |t| t.language.primary());
        let others = f.terms.iter().filter(|t| title.is_none_or(|title| *t != title));
        Self {
            uuid,
            key: f.notation.clone().unwrap_or_else(|| uuid.to_string()),
            description: definition(f).map(|d| d.text.clone()),
            example: notes(f, NoteKind::Example),
            scope: notes(f, NoteKind::Scope),
            title: title.map(|t| t.value.clone()),
            legal_source: legal_source(&f.legal_basis),
            change_note: notes(f, NoteKind::Change),
            index_words: others.map(|t| IndexWord::of(t, home)).collect(),
            replaces: targets(RelationKind::Replaces).collect(),
            facet: facets.uuid(f.facet.as_deref()).map(Reference::Uuid),
            combinations: targets(RelationKind::LegalCombination).collect(),
            mappings: f.mappings.iter().map(|m| Reference::to_iri(&m.target)).collect(),
            parent: targets(RelationKind::Generic).chain(targets(RelationKind::Partitive)).next(),
            see_also: targets(RelationKind::SeeAlso).collect(),
        }
    }

    /// The same with what KOMBIT's schema has room for: texts are cut, a key without room gives way to the uuid, and
    /// references without room are left out.
    #[must_use]
    pub fn fitted(self) -> Self {
        let cut = |text: Option<String>, longest| text.map(|text| fit(&text, longest));
        let within = |list: Vec<Reference>| list.into_iter().filter(Reference::fits).collect();
        Self {
            key: Some(self.key).filter(|k| fits(k, longest::KEY)).unwrap_or_else(|| self.uuid.to_string()),
            description: cut(self.description, longest::DESCRIPTION),
            example: cut(self.example, longest::EXAMPLE),
            scope: cut(self.scope, longest::SCOPE),
            title: cut(self.title, longest::TITLE),
            legal_source: cut(self.legal_source, longest::LEGAL_SOURCE),
            change_note: cut(self.change_note, longest::CHANGE_NOTE),
            index_words: self.index_words.into_iter().map(IndexWord::fitted).collect(),
            mappings: within(self.mappings),
            ..self
        }
    }

    /// The content of a concept of which nothing else is told.
    pub fn into_content(self, facets: &Facets, language: &Language, losses: &mut Losses) -> ContentFields<Key> {
        let own_uuid = Uuid::try_parse(&self.key).is_ok_and(|u| u == self.uuid);
        let note = |kind, text: Option<String>| text.map(|text| Note { kind, language: language.clone(), text });
        let laws = self.legal_source.unwrap_or_default();
        let law = |line: &str| LegalBasis { law: line.trim().to_owned(), ..LegalBasis::default() };
        let mapping = |r: Reference| Mapping { kind: MappingKind::Close, target: as_iri(r) };
        let relate = |kind| move |r: Reference| Relation::plain(kind, r.into_key());
        ContentFields {
            notation: Some(self.key).filter(|key| !own_uuid && !key.is_empty()),
            facet: self.facet.and_then(|r| facet_code(r, facets, losses)),
            terms: terms(self.title, self.index_words, language, losses),
            definitions: self.description.map(|t| Definition::plain(language.clone(), t)).into_iter().collect(),
            notes: note(NoteKind::Scope, self.scope)
                .into_iter()
                .chain(note(NoteKind::Example, self.example))
                .chain(note(NoteKind::Change, self.change_note))
                .filter(|n| !n.text.trim().is_empty())
                .collect(),
            legal_basis: laws.lines().filter(|l| !l.trim().is_empty()).map(law).collect(),
            relations: (self.parent.into_iter().map(relate(RelationKind::Generic)))
                .chain(self.see_also.into_iter().map(relate(RelationKind::SeeAlso)))
                .chain(self.combinations.into_iter().map(relate(RelationKind::LegalCombination)))
                .chain(self.replaces.into_iter().map(relate(RelationKind::Replaces)))
                .collect(),
            mappings: self.mappings.into_iter().map(mapping).collect(),
            ..ContentFields::default()
        }
    }
}

impl IndexWord {
    pub fn of(term: &Term, home: &str) -> Self {
        Self {
            identifier: term.value.clone(),
            description: term.reason.clone(),
            category: Some(category(term, home).to_owned()),
        }
    }

    /// See [`Klasse::fitted`].
    pub(super) fn fitted(self) -> Self {
        let is_cut = self.identifier.chars().nth(longest::KEY).is_some();
        let description = if is_cut { Some(&self.identifier) } else { self.description.as_ref() };
        Self {
            description: description.map(|t| fit(t, longest::DESCRIPTION)),
            identifier: fit(&self.identifier, longest::KEY),
            ..self
        }
    }

    /// The word as a term, whole; a description is kept where it says why the term is deprecated.
    pub fn to_term(&self, language: &Language) -> Term {
        let (status, language) = self.looked_upon(language);
        let mut term = Term::plain(language, status, self.identifier.clone());
        term.reason = self.description.clone().filter(|_| status == TermStatus::Deprecated);
        term
    }

    /// How the term is looked upon, by the category.
    fn looked_upon(&self, language: &Language) -> (TermStatus, Language) {
        match self.category.as_deref() {
            Some(category::SYNONYM) => (TermStatus::Admitted, language.clone()),
            Some(category::DEPRECATED) => (TermStatus::Deprecated, language.clone()),
            Some(category::FOREIGN) => (TermStatus::Admitted, undetermined(language)),
            _ => (TermStatus::Hidden, language.clone()),
        }
    }

    fn into_term(self, language: &Language, losses: &mut Losses) -> Option<Term> {
        let (status, language) = self.looked_upon(language);
        let stem = self.identifier.strip_suffix('…');
        let cut = |d: &String| self.identifier.is_empty() || stem.is_some_and(|s| d.starts_with(s));
        let (value, rest) = match self.description {
            Some(whole) if cut(&whole) => (whole, None),
            description => (self.identifier, description),
        };
        let mut term = Term::plain(language, status, value);
        if status == TermStatus::Deprecated {
            term.reason = rest;
        } else if rest.is_some() {
            losses.add("element 'klasse:Soegeord/sd:BeskrivelseTekst'", "a term has no description");
        }
        if term.value.trim().is_empty() {
            losses.add("element 'klasse:Soegeord'", "it is empty");
            return None;
        }
        Some(term)
    }
}

/// The preferred term in Danish, else the first.
pub(in crate::exchange) fn title(f: &ContentFields) -> Option<&Term> {
    let preferred = || f.terms.iter().filter(|t| t.status == TermStatus::Preferred);
    preferred().find(|t| t.language.primary() == "da").or_else(|| preferred().next())
}

/// The Danish definition for everyone, else any Danish one, else the first.
pub(in crate::exchange) fn definition(f: &ContentFields) -> Option<&Definition> {
    let danish = || f.definitions.iter().filter(|d| d.language.primary() == "da");
    danish().find(|d| d.audience.is_none()).or_else(|| danish().next()).or_else(|| f.definitions.first())
}

/// The notes of one kind, Danish ones when there are any.
fn notes(f: &ContentFields, kind: NoteKind) -> Option<String> {
    let all: Vec<&Note> = f.notes.iter().filter(|n| n.kind == kind).collect();
    let danish = all.iter().any(|n| n.language.primary() == "da");
    let shown: Vec<&str> =
        all.iter().filter(|n| !danish || n.language.primary() == "da").map(|n| n.text.as_str()).collect();
    (!shown.is_empty()).then(|| shown.join("\n\n"))
}

fn legal_source(laws: &[LegalBasis]) -> Option<String> {
    let lines: Vec<String> = laws.iter().map(law_line).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// A law as a line.
pub(in crate::exchange) fn law_line(law: &LegalBasis) -> String {
    law.paragraph.as_ref().map_or_else(|| law.law.clone(), |p| format!("{}, {p}", law.law))
}

fn category(term: &Term, home: &str) -> &'static str {
    match term.status {
        TermStatus::Deprecated => category::DEPRECATED,
        TermStatus::Hidden => category::INDEX,
        _ if term.language.primary() != home => category::FOREIGN,
        TermStatus::Preferred | TermStatus::Admitted => category::SYNONYM,
    }
}

/// The title and the index words as terms, each of them once.
fn terms(title: Option<String>, words: Vec<IndexWord>, language: &Language, losses: &mut Losses) -> Vec<Term> {
    let title = title.map(|t| Term::plain(language.clone(), TermStatus::Preferred, t));
    let words: Vec<Term> = words.into_iter().filter_map(|w| w.into_term(language, losses)).collect();
    let mut seen = HashSet::new();
    let mut terms: Vec<Term> = title.into_iter().chain(words).collect();
    terms.retain(|t| {
        let first = seen.insert((t.language.clone(), t.value.trim().to_owned()));
        if !first {
            losses.add("element 'klasse:Soegeord'", "the concept has the term already");
        }
        first
    });
    terms
}

/// The tag for a language that is not told.
fn undetermined(otherwise: &Language) -> Language {
    "und".parse().unwrap_or_else(|_| otherwise.clone())
}

/// What a reference names, as an IRI.
pub(in crate::exchange) fn as_iri(reference: Reference) -> String {
    match reference {
        Reference::Uuid(uuid) => format!("urn:uuid:{uuid}"),
        Reference::Urn(urn) => iri(&urn),
    }
}

fn facet_code(reference: Reference, facets: &Facets, losses: &mut Losses) -> Option<String> {
    match reference {
        Reference::Uuid(uuid) if facets.stand_in == Some(uuid) => None,
        Reference::Uuid(uuid) if facets.code(uuid).is_some() => facets.code(uuid).map(str::to_owned),
        _ => {
            losses.add("element 'sd:Facet'", "the file has no such facet");
            None
        }
    }
}
