//! What is said of a concept at one time (ISO 704, ISO 1087; SKOS): notation, terms, definitions, notes,
//! legal basis, relations, mappings.
//!
//! [`ContentFields`] is the open form that readers fill in and that is written; [`Content`] is the lawful
//! one, and [`Content::new`] is the only way to it.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::canonical::Digest;
use super::oio::OioExtras;
use super::parts::{Alias, Definition, LegalBasis, Mapping, Note, Relation, RelationKind, Statement, Term, TermStatus};
use super::refusal::{Code, Refusal, Result};
use super::text::{Text, lawful_text};

/// The longest notation or alias, in bytes.
const LONGEST_KEY: usize = 512;

// The open form, with targets named by `T`; Content is the lawful one.
/// A concept's content.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, bound(deserialize = "T: Deserialize<'de>"))]
#[schema(bound = "")]
pub struct ContentFields<T = Uuid> {
    /// Other identifiers.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Alias>,
    /// The definitions.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub definitions: Vec<Definition>,
    /// The code of the facet it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facet: Option<String>,
    /// The laws it rests on.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub legal_basis: Vec<LegalBasis>,
    /// Mappings to other vocabularies.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub mappings: Vec<Mapping>,
    /// The code that people use (OIO: brugervendtnøgle; skos:notation).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notation: Option<String>,
    /// The notes.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// What OIO Klassifikation says and there is no field for; only where it was written by that interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oio: Option<OioExtras>,
    /// Its place among its siblings: lower comes first. Only the order means anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<i64>,
    /// Relations to other concepts.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Relation<String>>)]
    pub relations: Vec<Relation<T>>,
    /// Triples without a field of their own.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<Statement>,
    /// The subject fields (emneområder).
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub subject_fields: Vec<Text>,
    /// The terms.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<Term>,
}

impl<T> Default for ContentFields<T> {
    fn default() -> Self {
        Self {
            notation: None,
            aliases: Vec::new(),
            facet: None,
            rank: None,
            terms: Vec::new(),
            definitions: Vec::new(),
            notes: Vec::new(),
            oio: None,
            legal_basis: Vec::new(),
            subject_fields: Vec::new(),
            relations: Vec::new(),
            mappings: Vec::new(),
            statements: Vec::new(),
        }
    }
}

impl<T> ContentFields<T> {
    /// The same fields with every target named otherwise.
    ///
    /// # Errors
    /// The first refusal of `name`.
    pub fn try_map_targets<U>(self, mut name: impl FnMut(T) -> Result<U>) -> Result<ContentFields<U>> {
        let relations = self
            .relations
            .into_iter()
            .map(|r| Ok(Relation { kind: r.kind, target: name(r.target)?, criterion: r.criterion, role: r.role }))
            .collect::<Result<_>>()?;
        Ok(ContentFields {
            relations,
            notation: self.notation,
            aliases: self.aliases,
            facet: self.facet,
            rank: self.rank,
            terms: self.terms,
            definitions: self.definitions,
            notes: self.notes,
            oio: self.oio,
            legal_basis: self.legal_basis,
            subject_fields: self.subject_fields,
            mappings: self.mappings,
            statements: self.statements,
        })
    }
}

/// The lawful content of a concept. Lists are sorted, so equal content is equal bytes.
///
/// Laws: at least one preferred term (unless no reader of editions sees it), and at most one for each language; one definition for each language
/// and audience; no empty text; no term, alias, note, relation or mapping twice; only a deprecated term has
/// a reason and a replacement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "ContentFields", into = "ContentFields")]
pub struct Content(ContentFields);

impl Content {
    /// Makes fields lawful: trims texts, sorts lists, drops exact repetitions.
    ///
    /// # Errors
    /// A refusal that names the law that is broken and the field.
    pub fn new(mut f: ContentFields) -> Result<Self> {
        lawful_key(&mut f.notation, "notation")?;
        lawful_key(&mut f.facet, "facet")?;
        for alias in &mut f.aliases {
            alias.value = key(&alias.value).map_err(|r| r.at_field("aliases"))?;
        }
        // What no reader of editions sees may lack a term.
        let hidden = f.oio.as_ref().is_some_and(|oio| oio.publiceret.is_some());
        lawful_terms(&mut f.terms, hidden)?;
        for d in &mut f.definitions {
            d.text = lawful_text(&d.text).map_err(|r| r.at_field("definitions"))?;
        }
        for n in &mut f.notes {
            n.text = lawful_text(&n.text).map_err(|r| r.at_field("notes"))?;
        }
        for l in &mut f.legal_basis {
            l.law = lawful_text(&l.law).map_err(|r| r.at_field("legalBasis"))?;
        }
        for m in &mut f.mappings {
            m.target = key(&m.target).map_err(|r| r.at_field("mappings"))?;
        }
        f.oio = f.oio.filter(|oio| !oio.is_empty());
        if let Some(oio) = &mut f.oio {
            oio.settle();
        }
        settle(&mut f.aliases, |a| a.value.clone());
        settle(&mut f.definitions, |d| (d.language.clone(), d.audience.clone()));
        settle(&mut f.notes, |n| (n.kind, n.language.clone()));
        settle(&mut f.legal_basis, |l| (l.law.clone(), l.paragraph.clone()));
        settle(&mut f.subject_fields, |t| t.language.clone());
        settle(&mut f.relations, |r| (r.kind, r.target));
        settle(&mut f.mappings, |m| m.kind);
        settle(&mut f.statements, |t| (t.subject.clone(), t.predicate.clone()));
        if let Some(pair) =
            f.definitions.windows(2).find(|w| w[0].language == w[1].language && w[0].audience == w[1].audience)
        {
            let language = &pair[0].language;
            return Err(Refusal::new(
                Code::Unlawful,
                format!("begrebet har to definitioner på {language} til samme målgruppe"),
                format!("the concept has two definitions in {language} for one audience"),
            )
            .at_field("definitions"));
        }
        if let Some(pair) = f.relations.windows(2).find(|w| w[0].kind == w[1].kind && w[0].target == w[1].target) {
            let target = pair[0].target;
            return Err(Refusal::new(
                Code::Unlawful,
                format!("begrebet har samme relation til {target} to gange"),
                format!("the concept has one relation to {target} twice"),
            )
            .at_field("relations"));
        }
        Ok(Self(f))
    }

    /// The fields, to read.
    #[must_use]
    pub fn fields(&self) -> &ContentFields {
        &self.0
    }

    /// Whether readers of editions see it. What OIO says is not published is kept, but part of no edition.
    #[must_use]
    pub fn is_published(&self) -> bool {
        self.0.oio.as_ref().is_none_or(|oio| oio.publiceret.is_none())
    }

    /// The same content at another place among its siblings.
    #[must_use]
    pub fn ranked(mut self, rank: i64) -> Self {
        self.0.rank = Some(rank);
        self
    }

    /// The fields, to change and make lawful again.
    #[must_use]
    pub fn into_fields(self) -> ContentFields {
        self.0
    }

    /// The canonical JSON (RFC 8785): what is stored, digested and sent.
    ///
    /// The fields of every type in this file stand in the order of their JSON names, so writing them out is
    /// canonical; a test holds it against [`super::canonical_json`].
    ///
    /// # Panics
    /// Never: the fields are JSON.
    #[must_use]
    pub fn canonical(&self) -> String {
        serde_json::to_string(&self.0).expect("the fields are JSON")
    }

    /// The digest of the canonical JSON.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.canonical())
    }

    /// The preferred term for a reader of `language`: in that language, else in Danish, else the first.
    #[must_use]
    pub fn label(&self, language: &str) -> &str {
        let preferred = || self.0.terms.iter().filter(|t| t.status == TermStatus::Preferred);
        preferred()
            .find(|t| t.language.primary() == language)
            .or_else(|| preferred().find(|t| t.language.primary() == "da"))
            .or_else(|| preferred().next())
            .map_or("", |t| t.value.as_str())
    }

    /// The targets of the relations of one kind.
    pub fn targets(&self, kind: RelationKind) -> impl Iterator<Item = Uuid> + '_ {
        self.0.relations.iter().filter(move |r| r.kind == kind).map(|r| r.target)
    }

    /// The concepts directly above: generic and partitive superordinates, generic ones first.
    pub fn parents(&self) -> impl Iterator<Item = Uuid> + '_ {
        self.targets(RelationKind::Generic).chain(self.targets(RelationKind::Partitive))
    }
}

impl TryFrom<ContentFields> for Content {
    type Error = Refusal;

    fn try_from(fields: ContentFields) -> Result<Self> {
        Self::new(fields)
    }
}

impl From<Content> for ContentFields {
    fn from(content: Content) -> Self {
        content.0
    }
}

impl Refusal {
    fn at_field(self, field: &str) -> Self {
        self.at(super::refusal::Place::field(field))
    }
}

/// Puts a list in its one order, by what a reader looks for first, and drops exact repetitions.
fn settle<T: Ord, K: Ord>(items: &mut Vec<T>, key: impl Fn(&T) -> K) {
    items.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.cmp(b)));
    items.dedup();
}

fn key(text: &str) -> Result<String> {
    let text = lawful_text(text)?;
    if text.len() > LONGEST_KEY || text.chars().any(char::is_control) {
        return Err(Refusal::new(
            Code::InvalidIdentifier,
            "en kode er højst 512 byte og uden styretegn",
            "a code is at most 512 bytes, without control characters",
        ));
    }
    Ok(text)
}

fn lawful_key(field: &mut Option<String>, name: &str) -> Result<()> {
    if let Some(value) = field {
        *value = key(value).map_err(|r| r.at_field(name))?;
    }
    Ok(())
}

fn lawful_terms(terms: &mut Vec<Term>, hidden: bool) -> Result<()> {
    for term in &mut *terms {
        term.value = lawful_text(&term.value).map_err(|r| r.at_field("terms"))?;
        if term.status != TermStatus::Deprecated && (term.reason.is_some() || term.use_instead.is_some()) {
            return Err(Refusal::new(
                Code::Unlawful,
                format!("»{}« er ikke frarådet og kan ikke have en begrundelse for det", term.value),
                format!("'{}' is not deprecated and cannot say why it is", term.value),
            )
            .at_field("terms"));
        }
    }
    settle(terms, |t| (t.language.clone(), t.status));
    let mut seen = HashSet::new();
    let mut preferred = HashSet::new();
    for term in &*terms {
        if term.status == TermStatus::Preferred && !preferred.insert(&term.language) {
            return Err(Refusal::new(
                Code::PreferredTerm,
                format!("begrebet har to foretrukne termer på {}: »{}« er den anden", term.language, term.value),
                format!("the concept has two preferred terms in {}: '{}' is the second", term.language, term.value),
            )
            .at_field("terms"));
        }
        if !seen.insert((&term.language, &term.value)) {
            return Err(Refusal::new(
                Code::Unlawful,
                format!("termen »{}« ({}) er der to gange", term.value, term.language),
                format!("the term '{}' ({}) is there twice", term.value, term.language),
            )
            .at_field("terms"));
        }
    }
    if preferred.is_empty() && !hidden {
        return Err(Refusal::new(
            Code::PreferredTerm,
            "begrebet har ingen foretrukken term",
            "the concept has no preferred term",
        )
        .at_field("terms"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Language;

    fn da() -> Language {
        Language::danish()
    }

    fn fields() -> ContentFields {
        ContentFields {
            notation: Some("J1.4".into()),
            terms: vec![Term::plain(da(), TermStatus::Preferred, "Egenomsorg")],
            ..ContentFields::default()
        }
    }

    #[test]
    fn equal_content_is_equal_bytes() {
        let mut a = fields();
        a.terms.push(Term::plain(da(), TermStatus::Admitted, " selvhjælp "));
        a.terms.push(Term::plain(Language::english(), TermStatus::Preferred, "self-care"));
        let mut b = a.clone();
        b.terms.reverse();
        b.terms.push(Term::plain(da(), TermStatus::Admitted, "selvhjælp"));
        let (a, b) = (Content::new(a).unwrap(), Content::new(b).unwrap());
        assert_eq!(a.canonical(), b.canonical());
        assert_eq!(serde_json::from_str::<Content>(&a.canonical()).unwrap(), a);
        assert_eq!(a.canonical(), crate::model::canonical_json(a.fields()));
        assert_eq!((a.label("da"), a.label("en"), a.label("sv")), ("Egenomsorg", "self-care", "Egenomsorg"));
    }

    #[test]
    fn every_field_is_written_in_canonical_order() {
        let f: ContentFields = serde_json::from_value(serde_json::json!({
            "aliases": [{"value": "a", "system": "s", "from": "2020-01-01", "to": "2021-01-01"}],
            "definitions": [{"language": "da", "audience": "x", "text": "d", "source": "s", "sourceRelation": "own"}],
            "facet": "f", "rank": 7, "notation": "n",
            "legalBasis": [{"law": "l", "paragraph": "p", "eli": "e", "from": "2020-01-01", "to": "2021-01-01"}],
            "mappings": [{"kind": "exact", "target": "t"}],
            "oio": {"egenskaber": {"aktoerref": Uuid::max(), "aktoertypekode": "Bruger", "notetekst": "n"},
                "integrationsdata": "{}", "publiceret": "Uoplyst",
                "relationer": [{"har_felt": true, "navn": "ejer", "objekttype": "o", "til": "urn:x", "virkning": {"notetekst": "n"}}],
                "soegeord": [{"soegeordidentifikator": "a", "beskrivelse": "b", "soegeordskategori": "c"}],
                "tilstand": {"notetekst": "n"}},
            "notes": [{"kind": "scope", "language": "da", "text": "\u{1}\u{7f}\u{2028}\"\\/"}],
            "relations": [{"kind": "associative", "target": Uuid::max(),
                "criterion": [{"language": "da", "text": "c"}], "role": [{"language": "da", "text": "r"}]}],
            "statements": [{"subject": "<s>", "predicate": "<p>", "object": "<o>"}],
            "subjectFields": [{"language": "da", "text": "t"}],
            "terms": [
                {"language": "da", "status": "preferred", "value": "v", "form": "acronym", "source": "s"},
                {"language": "da", "status": "deprecated", "value": "w", "reason": "r", "useInstead": "v"}],
        }))
        .unwrap();
        let content = Content::new(f).unwrap();
        assert_eq!(content.canonical(), crate::model::canonical_json(content.fields()));
    }

    #[test]
    fn what_is_unlawful_cannot_be_made() {
        type Spoil = fn(&mut ContentFields);
        let cases: [(Spoil, Code); 9] = [
            (|f| f.terms.clear(), Code::PreferredTerm),
            (|f| f.terms.push(Term::plain(da(), TermStatus::Preferred, "Omsorg")), Code::PreferredTerm),
            (|f| f.terms.push(Term::plain(da(), TermStatus::Hidden, "Egenomsorg")), Code::Unlawful),
            (|f| f.terms[0].value = " \u{a0} ".into(), Code::InvalidText),
            (|f| f.terms[0].reason = Some("forældet".into()), Code::Unlawful),
            (|f| f.notation = Some("a\nb".into()), Code::InvalidIdentifier),
            (|f| f.notation = Some("x".repeat(513)), Code::InvalidIdentifier),
            (|f| f.definitions = vec![Definition::plain(da(), "a"), Definition::plain(da(), "b")], Code::Unlawful),
            (
                |f| {
                    f.relations = ["a", "b"]
                        .map(|c| {
                            let criterion = vec![Text::new(da(), c).unwrap()];
                            Relation { kind: RelationKind::Generic, target: Uuid::nil(), criterion, role: vec![] }
                        })
                        .to_vec();
                },
                Code::Unlawful,
            ),
        ];
        for (i, (spoil, code)) in cases.into_iter().enumerate() {
            let mut f = fields();
            spoil(&mut f);
            assert_eq!(Content::new(f).unwrap_err().code, code, "case {i}");
        }
    }
}
