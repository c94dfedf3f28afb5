//! FHIR R4 CodeSystem in JSON. Read only.
//!
//! - `code` is the notation; when it is a uuid it is the identity of the concept as well.
//! - `display` is the preferred term and `definition` the definition, in the `language` of the resource or
//!   else the language that the reader was told.
//! - A `designation` is the preferred term of its language when its use says so (`display`,
//!   `preferredForLanguage`), or when it has no use and its language is another; otherwise, or when the
//!   language has a preferred term already, it is an admitted term.
//! - Nesting, and the properties `parent` and `child`, are generic relations; partitive ones when
//!   `hierarchyMeaning` is `part-of`. `replacedBy` and `successor` are relations of the successor.
//! - Everything else is counted as a loss.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use self::losses::Losses;
use self::resource::{Designation, Draft, Property, Resource};
use self::rules::shown;
use super::json::languages;
use super::{Frame, Incoming, IncomingConcept, Key, ReadOptions, utf8};
use crate::model::{
    Code, ContentFields, Definition, Language, Place, Refusal, Relation, RelationKind, Result, Term, TermStatus, Text,
};

mod losses;
mod pull;
mod resource;
mod rules;
#[cfg(test)]
mod tests;

/// Reads a CodeSystem.
pub(super) fn read(bytes: &[u8], options: &ReadOptions) -> Result<Incoming> {
    let mut resource = resource::read(utf8(bytes)?)?;
    let language = resource.language.take().unwrap_or_else(|| options.language.clone());
    let mut losses = std::mem::take(&mut resource.losses);
    let drafts = std::mem::take(&mut resource.drafts);
    let positions = positions(&drafts)?;
    let relations = relations(&drafts, &positions, resource.part_of, &mut losses)?;
    let mut frame = frame(resource, drafts.len(), &language, &mut losses)?;
    let concepts: Vec<_> = drafts
        .into_iter()
        .zip(relations)
        .map(|(draft, relations)| concept(draft, relations, &language, &mut losses))
        .collect();
    frame.languages = languages(&concepts);
    Ok(Incoming { frame, concepts, statements: Vec::new(), losses: losses.into_vec() })
}

/// What the file says of the vocabulary.
fn frame(resource: Resource, concepts: usize, language: &Language, losses: &mut Losses) -> Result<Frame> {
    if resource.count.is_some_and(|count| count != concepts.to_string()) {
        losses.add("element 'count'", "it is not the number of concepts in the file");
    }
    let text = |text: Option<String>, field: &str| -> Result<Vec<Text>> {
        let text = text.map(|t| Text::new(language.clone(), &t).map_err(|r| r.at(Place::field(field)))).transpose()?;
        Ok(text.into_iter().collect())
    };
    let title = said(resource.title, "title", losses);
    let name = said(resource.name, "name", losses);
    let description = said(resource.description, "description", losses);
    if title.is_some() && name.is_some() && title != name {
        losses.add("element 'name'", "the title is taken");
    }
    Ok(Frame {
        iri: resource.url,
        titles: text(title.or(name), "title")?,
        descriptions: text(description, "description")?,
        identifiers: resource.identifiers,
        claimed_version: resource.version,
        ..Frame::default()
    })
}

/// Where each code stands in the file. A uuid is one code however it is written.
fn positions(drafts: &[Draft]) -> Result<HashMap<String, usize>> {
    let mut positions = HashMap::with_capacity(drafts.len());
    for (position, draft) in drafts.iter().enumerate() {
        for Key(key) in keys(&draft.code) {
            if let Some(first) = positions.insert(key, position) {
                return Err(duplicate(&drafts[first], draft));
            }
        }
    }
    Ok(positions)
}

fn duplicate(first: &Draft, second: &Draft) -> Refusal {
    let code = &second.code;
    let line = first.place.line.unwrap_or_default();
    Refusal::new(
        Code::DuplicateCode,
        format!("koden »{code}« er der to gange; første gang på linje {line}"),
        format!("the code '{code}' is there twice; first on line {line}"),
    )
    .at(second.place.clone())
    .items([&first.place, &second.place].map(ToString::to_string))
}

/// The uuid that a code is, when it is one with hyphens.
fn uuid(code: &str) -> Option<Uuid> {
    if code.len() == 36 { Uuid::try_parse(code).ok() } else { None }
}

/// What a concept may be called by: its code, and its uuid when that is written otherwise.
fn keys(code: &str) -> Vec<Key> {
    let uuid = uuid(code).map(|u| u.to_string()).filter(|u| u != code);
    std::iter::once(code.to_owned()).chain(uuid).map(Key).collect()
}

/// The relations of each concept, from nesting and from properties.
fn relations(
    drafts: &[Draft],
    positions: &HashMap<String, usize>,
    part_of: bool,
    losses: &mut Losses,
) -> Result<Vec<Vec<Relation<Key>>>> {
    let above = if part_of { RelationKind::Partitive } else { RelationKind::Generic };
    let mut relations = vec![Vec::new(); drafts.len()];
    for (position, draft) in drafts.iter().enumerate() {
        if let Some(parent) = draft.parent {
            relations[position].push(relation(above, &drafts[parent].code));
        }
        for (property, target) in &draft.properties {
            match (property, positions.get(target)) {
                (Property::Parent, _) => relations[position].push(relation(above, target)),
                (Property::Child, Some(child)) => relations[*child].push(relation(above, &draft.code)),
                (Property::Child, None) => return Err(unknown_child(draft, target)),
                (Property::Successor(_), Some(successor)) => {
                    relations[*successor].push(relation(RelationKind::Replaces, &draft.code));
                }
                (Property::Successor(name), None) => {
                    losses.add(format!("property '{name}'"), "the successor is not in the file");
                }
            }
        }
    }
    for own in &mut relations {
        own.sort();
        own.dedup();
    }
    Ok(relations)
}

fn relation(kind: RelationKind, target: &str) -> Relation<Key> {
    Relation::plain(kind, Key(target.to_owned()))
}

fn unknown_child(draft: &Draft, target: &str) -> Refusal {
    Refusal::new(
        Code::UnknownTarget,
        format!("»{}« har barnet »{target}«, som ikke er i filen", draft.code),
        format!("'{}' has the child '{target}', which is not in the file", draft.code),
    )
    .at(draft.place.clone())
}

/// A text that says something; one that is empty is counted.
fn said(text: Option<String>, element: &str, losses: &mut Losses) -> Option<String> {
    let empty = text.as_ref().is_some_and(|t| t.trim().is_empty());
    if empty {
        losses.add(format!("element '{element}'"), "it is empty");
    }
    text.filter(|_| !empty)
}

/// The concept that a draft is.
fn concept(
    mut draft: Draft,
    relations: Vec<Relation<Key>>,
    language: &Language,
    losses: &mut Losses,
) -> IncomingConcept {
    let definition = said(draft.definition.take(), "concept.definition", losses);
    let content = ContentFields {
        notation: Some(draft.code.clone()),
        terms: terms(&mut draft, language, losses),
        definitions: definition.map(|text| Definition::plain(language.clone(), text)).into_iter().collect(),
        relations,
        ..ContentFields::default()
    };
    IncomingConcept { keys: keys(&draft.code), uuid: uuid(&draft.code), content, place: draft.place }
}

/// The terms of a concept: its display and its designations, none twice.
fn terms(draft: &mut Draft, language: &Language, losses: &mut Losses) -> Vec<Term> {
    let mut terms = Terms::default();
    let mut designations = std::mem::take(&mut draft.designations);
    match draft.display.take().filter(|d| !d.trim().is_empty()) {
        Some(display) => terms.add(language, display, true),
        None => losses.add("display missing", "the code is shown instead, or the designation that is preferred"),
    }
    // Those that are to be preferred come first, so that an equal synonym does not take their place.
    designations.sort_by_key(|d| !is_preferred(d, language));
    for designation in designations {
        let preferred = is_preferred(&designation, language);
        if let Some(role) = designation.role.as_deref().filter(|r| !is_display(r)) {
            losses.add(format!("designation use '{}'", shown(role)), "the term is taken as admitted");
        }
        terms.add(designation.language.as_ref().unwrap_or(language), designation.value, preferred);
    }
    if !terms.preferred.contains(language) {
        terms.prefer(language, &draft.code);
    }
    terms.list
}

fn is_display(role: &str) -> bool {
    matches!(role, "display" | "preferredForLanguage")
}

fn is_preferred(designation: &Designation, language: &Language) -> bool {
    match &designation.role {
        Some(role) => is_display(role),
        None => designation.language.as_ref().is_some_and(|l| l != language),
    }
}

/// Terms as they are gathered: at most one preferred for each language, and no text twice.
#[derive(Default)]
struct Terms {
    list: Vec<Term>,
    preferred: HashSet<Language>,
    texts: HashSet<(Language, String)>,
}

impl Terms {
    fn add(&mut self, language: &Language, text: String, preferred: bool) {
        if !self.texts.insert((language.clone(), text.trim().to_owned())) {
            return;
        }
        let preferred = preferred && self.preferred.insert(language.clone());
        let status = if preferred { TermStatus::Preferred } else { TermStatus::Admitted };
        self.list.push(Term::plain(language.clone(), status, text));
    }

    /// Makes a text the preferred term of a language that has none, even if it is there as another term.
    fn prefer(&mut self, language: &Language, text: &str) {
        self.list.retain(|t| t.language != *language || t.value.trim() != text);
        self.texts.remove(&(language.clone(), text.to_owned()));
        self.add(language, text.to_owned(), true);
    }
}
