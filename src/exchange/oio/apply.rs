//! What an OIO object that is given makes of a concept's content: only what is said otherwise than the content says it is
//! changed, so that what OIO cannot say (other languages, criteria, sources) stays. Pure.

use std::collections::HashSet;

use uuid::Uuid;

use super::extras::{assertion, name};
use super::merge::Section;
use super::part::Framed;
use super::{Indhold, Kind, Publiceret, Reference, Relation, Soegeord};
use crate::exchange::oioxml::klasse::{self, IndexWord};
use crate::model::{
    Code, ContentFields, Definition, Language, LegalBasis, Mapping, MappingKind, Note, NoteKind, OioExtras, OioHidden,
    OioRelation, OioWord, Place, Refusal, RelationKind, Result, Term, TermStatus,
};

/// What is known of the target of a relation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Known {
    /// A concept of the same vocabulary.
    Here,
    /// A concept of another one.
    Elsewhere,
    /// Nothing.
    Nowhere,
}

/// What a klasse is written into.
pub struct Into<'a> {
    /// The vocabulary.
    pub framed: &'a Framed,
    /// The concept.
    pub uuid: Uuid,
    /// The language of texts that are new.
    pub language: &'a Language,
    /// What is known of the target of a relation.
    pub known: &'a dyn Fn(Uuid) -> Known,
}

/// The relations that a content has a field for.
const FIELDS: [(&str, &[RelationKind]); 4] = [
    ("erstatter", &[RelationKind::Replaces]),
    ("lovligekombinationer", &[RelationKind::LegalCombination]),
    ("overordnetklasse", &[RelationKind::Generic, RelationKind::Partitive]),
    ("sideordnede", &[RelationKind::SeeAlso]),
];

impl Into<'_> {
    /// The content over one period, given what was said there and what is to be said; nothing when nothing is.
    ///
    /// # Errors
    /// [`Code::UnknownTarget`], [`Code::InvalidBody`] for what is published without attributes or says a word twice.
    pub fn content(
        &self,
        base: Option<&ContentFields>,
        section: &Section,
        period: crate::model::Period,
    ) -> Result<Option<ContentFields>> {
        if section.is_empty() {
            return Ok(None);
        }
        let mut fields = base.cloned().unwrap_or_default();
        let old = base.map(|f| self.framed.klasse(self.uuid, f, period)).unwrap_or_default();
        let mut extras = OioExtras { publiceret: self.published(section)?, ..OioExtras::default() };
        if let Some(tilstand) = &section.tilstand {
            extras.tilstand = assertion(&tilstand.virkning);
        }
        self.attributes(&mut fields, &old, section, &mut extras)?;
        self.relations(&mut fields, &old, section, &mut extras)?;
        fields.oio = Some(extras).filter(|e| !e.is_empty());
        Ok(Some(fields))
    }

    fn published(&self, section: &Section) -> Result<Option<OioHidden>> {
        let state = section.tilstand.as_ref().map(|t| t.publiceret);
        if state == Some(Publiceret::Publiceret) && section.egenskab.is_none() {
            let (da, en) = (
                "en klasse kan ikke være publiceret uden egenskaber",
                "a klasse cannot be published without attributes",
            );
            return Err(Refusal::new(Code::InvalidBody, da, en)
                .at(Place::field(format!("tilstande.{}", Kind::Klasse.publiceret())))
                .allowed(["IkkePubliceret"]));
        }
        Ok(match state {
            Some(Publiceret::Publiceret) => None,
            Some(Publiceret::IkkePubliceret) => Some(OioHidden::IkkePubliceret),
            None => Some(OioHidden::Uoplyst),
        })
    }

    fn attributes(
        &self,
        f: &mut ContentFields,
        old: &Indhold,
        section: &Section,
        extras: &mut OioExtras,
    ) -> Result<()> {
        let Some(new) = &section.egenskab else {
            // Cleared: what is left is what it is related to.
            *f = ContentFields {
                facet: f.facet.take(),
                rank: f.rank,
                relations: std::mem::take(&mut f.relations),
                mappings: std::mem::take(&mut f.mappings),
                ..ContentFields::default()
            };
            return Ok(());
        };
        extras.egenskaber = assertion(&new.virkning);
        let was = old.attributter.first();
        let changed = |name: &str| {
            let before = was.and_then(|e| e.fields.get(name)).map(String::as_str);
            let after = new.fields.get(name).map(String::as_str);
            (before != after).then(|| after.unwrap_or_default().to_owned())
        };
        if let Some(key) = changed("brugervendtnoegle") {
            f.notation = Some(key).filter(|k| Uuid::try_parse(k) != Ok(self.uuid));
        }
        self.words(f, was.map_or(&[], |e| &e.soegeord), &new.soegeord, new.fields.get("titel"), extras)?;
        if let Some(title) = changed("titel") {
            self.title(f, title);
        }
        if let Some(text) = changed("beskrivelse") {
            self.definition(f, text);
        }
        for (name, kind) in
            [("eksempel", NoteKind::Example), ("omfang", NoteKind::Scope), ("aendringsnotat", NoteKind::Change)]
        {
            if let Some(text) = changed(name) {
                self.note(f, kind, text);
            }
        }
        if let Some(text) = changed("retskilde") {
            laws(f, &text);
        }
        // What the other names make is shown there as long as nothing else is said.
        let plain = ContentFields { oio: None, ..f.clone() };
        let derived = self.framed.klasse(self.uuid, &plain, new.virkning.period);
        let derived = derived.attributter.first().and_then(|e| e.fields.get("integrationsdata").cloned());
        let said = new.fields.get("integrationsdata").cloned();
        extras.integrationsdata = said.filter(|text| Some(text) != derived.as_ref());
        Ok(())
    }

    fn title(&self, f: &mut ContentFields, title: String) {
        let shown = klasse::title(f).map(|t| (t.language.clone(), t.value.clone()));
        let language = shown.as_ref().map_or_else(|| self.language.clone(), |(language, _)| language.clone());
        f.terms.retain(|t| {
            let replaced = shown.as_ref().is_some_and(|(l, v)| t.language == *l && t.value == *v);
            !(replaced || t.language == language && t.value.trim() == title.trim())
        });
        f.terms.push(Term::plain(language, TermStatus::Preferred, title));
    }

    /// The index words: terms whose words are no longer there go, and words without a term get one.
    fn words(
        &self,
        f: &mut ContentFields,
        old: &[Soegeord],
        new: &[Soegeord],
        title: Option<&String>,
        extras: &mut OioExtras,
    ) -> Result<()> {
        let sorted = |words: &[Soegeord]| {
            let mut words = words.to_vec();
            words.sort();
            words
        };
        if sorted(old) == sorted(new) {
            extras.soegeord = f.oio.take().map(|oio| oio.soegeord).unwrap_or_default();
            return Ok(());
        }
        let mut seen = HashSet::new();
        if let Some(twice) =
            new.iter().filter(|w| !old.contains(w)).find(|w| !seen.insert(w.soegeordidentifikator.trim()))
        {
            let word = &twice.soegeordidentifikator;
            return Err(Refusal::new(
                Code::InvalidBody,
                format!("søgeordet »{word}« står to gange"),
                format!("the index word '{word}' is there twice"),
            )
            .at(Place::field("attributter.klasseegenskaber.soegeord")));
        }
        let stays = |word: &str| {
            let was = old.iter().find(|w| w.soegeordidentifikator == word);
            was.is_some_and(|was| new.contains(was))
        };
        let shown = klasse::title(f).cloned();
        f.terms.retain(|t| shown.as_ref() == Some(t) || stays(&t.value));
        let language = shown.as_ref().map_or(self.language, |t| &t.language);
        for word in new {
            let value = word.soegeordidentifikator.trim();
            let is_title = title.is_some_and(|t| t.trim() == value);
            let there = f.terms.iter().any(|t| t.value == value && (shown.as_ref() != Some(t)));
            if !is_title && !there {
                f.terms.push(term_of(word, language));
            }
            let home = language.primary();
            let term = f.terms.iter().find(|t| t.value == value && shown.as_ref() != Some(t));
            let says = term.map(|t| super::part::soegeord(IndexWord::of(t, home)));
            if says.as_ref() != Some(word) {
                extras.soegeord.push(OioWord {
                    beskrivelse: word.beskrivelse.clone(),
                    soegeordidentifikator: value.to_owned(),
                    soegeordskategori: word.soegeordskategori.clone(),
                });
            }
        }
        Ok(())
    }

    fn definition(&self, f: &mut ContentFields, text: String) {
        let shown = klasse::definition(f).cloned();
        f.definitions.retain(|d| Some(d) != shown.as_ref());
        if !text.trim().is_empty() {
            let language = shown.as_ref().map_or(self.language, |d| &d.language).clone();
            let audience = shown.and_then(|d| d.audience);
            f.definitions.push(Definition { audience, ..Definition::plain(language, text) });
        }
    }

    fn note(&self, f: &mut ContentFields, kind: NoteKind, text: String) {
        let danish = f.notes.iter().any(|n| n.kind == kind && n.language.primary() == "da");
        let shown = |n: &Note| n.kind == kind && (!danish || n.language.primary() == "da");
        let language = f.notes.iter().find(|n| shown(n)).map_or(self.language, |n| &n.language).clone();
        f.notes.retain(|n| !shown(n));
        if !text.trim().is_empty() {
            f.notes.push(Note { kind, language, text });
        }
    }

    fn relations(&self, f: &mut ContentFields, old: &Indhold, section: &Section, extras: &mut OioExtras) -> Result<()> {
        let none = Vec::new();
        let of = |name: &str| section.relationer.get(name).unwrap_or(&none);
        for (name, kinds) in FIELDS {
            let new = of(name);
            let was: Vec<&Relation> = old.relationer.get(name).into_iter().flatten().collect();
            let gone = |uuid: Uuid| {
                let is = |r: &Relation| r.til == Reference::Uuid(uuid);
                was.iter().any(|r| is(r)) && !new.iter().any(is)
            };
            f.relations.retain(|r| !(kinds.contains(&r.kind) && gone(r.target)));
            for relation in new {
                let there = |uuid| f.relations.iter().any(|r| kinds.contains(&r.kind) && r.target == uuid);
                let field = match relation.til {
                    Reference::Uuid(uuid) if there(uuid) => true,
                    Reference::Uuid(uuid) => match (self.known)(uuid) {
                        Known::Here => true,
                        // What is replaced may be a concept that nobody here has seen.
                        Known::Nowhere if name == "erstatter" => true,
                        Known::Elsewhere => false,
                        Known::Nowhere => return Err(unknown(name, uuid)),
                    },
                    Reference::Urn(_) => false,
                };
                if let (true, Reference::Uuid(uuid)) = (field, &relation.til)
                    && !there(*uuid)
                {
                    f.relations.push(crate::model::Relation::plain(kinds[0], *uuid));
                }
                more(extras, name, relation, field, Kind::Klasse.title());
            }
        }
        self.mappings(f, old, of("mapninger"), extras);
        self.facet(f, old, of("facet"), extras)?;
        for name in ["ansvarlig", "ejer", "redaktoerer", "tilfoejelser"] {
            for relation in of(name) {
                let derived =
                    !matches!(name, "redaktoerer" | "tilfoejelser") && self.framed.owner() == Some(&relation.til);
                more(extras, name, relation, derived, "Organisation");
            }
        }
        Ok(())
    }

    fn mappings(&self, f: &mut ContentFields, old: &Indhold, new: &[Relation], extras: &mut OioExtras) {
        let was: Vec<&Relation> = old.relationer.get("mapninger").into_iter().flatten().collect();
        let shown = |m: &Mapping| Reference::to_iri(&m.target);
        f.mappings.retain(|m| !was.iter().any(|r| r.til == shown(m)) || new.iter().any(|r| r.til == shown(m)));
        for relation in new {
            if !f.mappings.iter().any(|m| shown(m) == relation.til) {
                f.mappings.push(Mapping { kind: MappingKind::Close, target: klasse::as_iri(relation.til.clone()) });
            }
            more(extras, "mapninger", relation, true, Kind::Klasse.title());
        }
    }

    fn facet(&self, f: &mut ContentFields, old: &Indhold, new: &[Relation], extras: &mut OioExtras) -> Result<()> {
        let was = old.relationer.get("facet");
        let Some(relation) = new.first() else {
            f.facet = None;
            return Ok(());
        };
        let code = match &relation.til {
            Reference::Uuid(uuid) => {
                let code = self.framed.facet_code(*uuid).ok_or_else(|| unknown("facet", *uuid))?;
                // A facet that was deleted keeps the klasser that it had, and gets no others.
                let stays = was.and_then(|r| r.first()).is_some_and(|r| r.til == relation.til);
                if !stays && !self.framed.has_facet(*uuid) {
                    return Err(unknown("facet", *uuid));
                }
                code
            }
            Reference::Urn(urn) => {
                let (da, en) = (format!("der er ingen facet {urn}"), format!("there is no facet {urn}"));
                return Err(Refusal::new(Code::UnknownTarget, da, en).at(Place::field("relationer.facet")));
            }
        };
        f.facet = code.map(ToOwned::to_owned);
        more(extras, "facet", relation, true, Kind::Facet.title());
        Ok(())
    }
}

/// Keeps what the field of a relation cannot say of it, or all of it where there is no field.
fn more(extras: &mut OioExtras, name_of: &str, relation: &Relation, field: bool, usual: &str) {
    let virkning = assertion(&relation.virkning);
    let objekttype = relation.objekttype.clone().filter(|o| !field || o != usual);
    if field && objekttype.is_none() && virkning.is_empty() {
        return;
    }
    let til = name(&relation.til);
    extras.relationer.push(OioRelation { har_felt: field, navn: name_of.to_owned(), objekttype, til, virkning });
}

/// A word as a term: its category says how the term is looked upon, where it is one of ours.
fn term_of(word: &Soegeord, language: &Language) -> Term {
    let index = IndexWord {
        identifier: word.soegeordidentifikator.clone(),
        description: Some(word.beskrivelse.clone()).filter(|t| !t.is_empty()),
        category: Some(word.soegeordskategori.clone()),
    };
    index.to_term(language)
}

/// The laws, a line for each: those that are told as before stay as they are.
fn laws(f: &mut ContentFields, text: &str) {
    let old = std::mem::take(&mut f.legal_basis);
    f.legal_basis = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| {
            let same = old.iter().find(|l| klasse::law_line(l) == line).cloned();
            same.unwrap_or_else(|| LegalBasis { law: line.to_owned(), ..LegalBasis::default() })
        })
        .collect();
}

fn unknown(name: &str, uuid: Uuid) -> Refusal {
    let (da, en) = (format!("{name}: {uuid} findes ikke"), format!("{name}: {uuid} does not exist"));
    Refusal::new(Code::UnknownTarget, da, en).at(Place::field(format!("relationer.{name}")))
}

#[cfg(test)]
mod tests;
