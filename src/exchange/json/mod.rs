//! The registry's own JSON: an edition as the registry has it, nothing left out.
//!
//! ```json
//! {"vocabulary":{…},
//! "version":{…} or null,
//! "point":{"valid":"…","registered":"…"},
//! "concepts":[
//! {"content":{…},"registeredFrom":"…","uuid":"…","validFrom":"…","validTo":"…" or null},
//! …
//! ],
//! "statements":[…]}
//! ```
//!
//! Each concept is a line of its own, so a large edition can be written and read line by line; a reader of
//! JSON need not know that. `content` is canonical, so its bytes are what digests are computed over.
//! `statements` are those of the version. Elements that are not told here are refused.
//!
//! Reading an edition back says what holds, not since when: the periods, the version and the frame's own
//! identity are given by whoever takes it in, and are counted as losses.

use std::collections::HashMap;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

pub(super) use self::cursor::Cursor;
use super::{Frame, Incoming, IncomingConcept, Key, Loss, Outgoing, OutgoingConcept, ReadOptions, utf8};
use crate::model::{
    Code, ContentFields, Instant, Language, Place, Refusal, Result, Statement, Text, Version, VocabularyFields,
    canonical_json,
};

mod cursor;
#[cfg(test)]
pub(super) mod fixture;
#[cfg(test)]
mod tests;

/// The file. The concepts are kept as they are written until each is read by itself, so that each has a
/// place in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'a> {
    vocabulary: VocabularyFields,
    version: Option<Version>,
    #[serde(rename = "point")]
    _point: Point,
    #[serde(borrow)]
    concepts: Vec<&'a RawValue>,
    #[serde(default)]
    statements: Vec<Statement>,
}

/// The point in the two times that the edition is of.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Point {
    valid: Instant,
    registered: Instant,
}

/// A concept. Its periods must be there and be instants, though they are not taken over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Concept {
    uuid: Uuid,
    #[serde(rename = "validFrom")]
    _valid_from: Instant,
    #[serde(rename = "validTo")]
    _valid_to: Option<Instant>,
    #[serde(rename = "registeredFrom")]
    _registered_from: Instant,
    content: ContentFields,
}

/// Reads an edition.
pub(super) fn read(bytes: &[u8], _options: &ReadOptions) -> Result<Incoming> {
    let text = utf8(bytes)?;
    let file: File<'_> = serde_json::from_str(text).map_err(|e| syntax(text, 0, &e))?;
    let mut cursor = Cursor::new(text);
    let mut first_places: HashMap<Uuid, Place> = HashMap::with_capacity(file.concepts.len());
    let mut concepts = Vec::with_capacity(file.concepts.len());
    for (index, raw) in file.concepts.iter().enumerate() {
        let field = format!("concepts[{index}]");
        let start = offset_in(text, raw.get());
        let concept: Concept =
            serde_json::from_str(raw.get()).map_err(|e| syntax(text, start, &e).at(Place::field(field.as_str())))?;
        let place = Place { field: Some(field), ..cursor.place(start) };
        if let Some(first) = first_places.insert(concept.uuid, place.clone()) {
            return Err(duplicate(concept.uuid, &first, place));
        }
        concepts.push(incoming(concept, place, &file.vocabulary.namespace)?);
    }
    let losses = losses(&file);
    Ok(Incoming { frame: frame(file.vocabulary, file.version), concepts, statements: file.statements, losses })
}

/// Where a part of a text begins.
fn offset_in(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

/// The refusal of JSON that cannot be read; `start` is where in the text the reader began.
fn syntax(text: &str, start: usize, error: &serde_json::Error) -> Refusal {
    // Columns of the JSON reader are bytes up to and with the one that was wrong.
    let line_start = start + cursor::line_start(&text[start..], error.line());
    let place = Cursor::new(text).place(line_start + error.column().saturating_sub(1));
    if error.is_eof() {
        return Refusal::new(Code::Syntax, "filen slutter for tidligt", "the file ends too early").at(place);
    }
    // The message ends with a place too, which counts from where the reader began.
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    Refusal::new(
        Code::Syntax,
        format!("filen er ikke registrets JSON: {message}"),
        format!("the file is not the registry's JSON: {message}"),
    )
    .at(place)
}

fn duplicate(uuid: Uuid, first: &Place, second: Place) -> Refusal {
    let line = first.line.unwrap_or_default();
    let items = [first, &second].map(ToString::to_string);
    Refusal::new(
        Code::DuplicateCode,
        format!("begrebet {uuid} er der to gange; første gang på linje {line}"),
        format!("the concept {uuid} is there twice; first on line {line}"),
    )
    .items(items)
    .at(second)
}

/// The concept, with targets named by their uuids. The order of the file is the order of siblings, so the
/// rank is let go.
fn incoming(concept: Concept, place: Place, namespace: &str) -> Result<IncomingConcept> {
    let uuid = concept.uuid;
    let fields = ContentFields { rank: None, ..concept.content };
    let content = fields.try_map_targets(|target| Ok(Key(target.to_string())))?;
    let keys = content.notation.iter().cloned().chain([uuid.to_string(), format!("{namespace}{uuid}")]);
    Ok(IncomingConcept { keys: keys.map(Key).collect(), uuid: Some(uuid), content, place })
}

fn frame(vocabulary: VocabularyFields, version: Option<Version>) -> Frame {
    Frame {
        iri: Some(vocabulary.namespace),
        titles: vocabulary.titles,
        descriptions: vocabulary.descriptions,
        identifiers: vocabulary.identifiers,
        claimed_version: version.map(|v| v.label.into()),
        licence: vocabulary.licence,
        languages: vocabulary.languages,
        facets: vocabulary.facets.into_iter().map(|f| (f.code, f.titles)).collect(),
    }
}

/// What an edition says that is for whoever takes it in to say.
fn losses(file: &File<'_>) -> Vec<Loss> {
    let vocabulary = &file.vocabulary;
    let concepts = file.concepts.len();
    [
        ("vocabulary.uuid", 1),
        ("vocabulary.slug", 1),
        ("vocabulary.kind", 1),
        ("vocabulary.governance", 1),
        ("vocabulary.owner", usize::from(vocabulary.owner.is_some())),
        ("vocabulary.contact", usize::from(vocabulary.contact.is_some())),
        ("vocabulary.facets.uuid", vocabulary.facets.len()),
        ("version", usize::from(file.version.is_some())),
        ("point", 1),
        ("concepts.validFrom", concepts),
        ("concepts.validTo", concepts),
        ("concepts.registeredFrom", concepts),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(element, count)| Loss {
        what: format!("element '{element}'"),
        why: "it is given where the edition is taken in".to_owned(),
        count: count as u64,
    })
    .collect()
}

/// Writes an edition, a concept at a time.
pub(super) fn write(edition: Outgoing<'_>, out: &mut dyn Write) -> io::Result<()> {
    let statements = edition.version.map(|v| v.statements.as_slice()).unwrap_or_default();
    // The statements have their own element, so that they are not written twice.
    let version = edition.version.map(|v| Version { statements: Vec::new(), ..v.clone() });
    let point = Point { valid: edition.point.valid, registered: edition.point.registered };
    writeln!(out, "{{\"vocabulary\":{},", canonical_json(edition.vocabulary.fields()))?;
    writeln!(out, "\"version\":{},", canonical_json(&version))?;
    writeln!(out, "\"point\":{},", canonical_json(&point))?;
    write!(out, "\"concepts\":[")?;
    for (index, concept) in edition.concepts.enumerate() {
        out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        out.write_all(line(&concept).as_bytes())?;
    }
    writeln!(out, "\n],\n\"statements\":{}}}", canonical_json(&statements))
}

/// A concept as it is written: its content is canonical already and is not read again.
fn line(concept: &OutgoingConcept) -> String {
    let period = concept.valid;
    let to = if period.is_open() { "null".to_owned() } else { format!("\"{}\"", period.to()) };
    format!(
        "{{\"content\":{},\"registeredFrom\":\"{}\",\"uuid\":\"{}\",\"validFrom\":\"{}\",\"validTo\":{to}}}",
        concept.content.canonical(),
        concept.registered,
        concept.uuid,
        period.from(),
    )
}

/// The languages of the texts of some concepts, most frequent first and otherwise in alphabetical order.
pub(super) fn languages(concepts: &[IncomingConcept]) -> Vec<Language> {
    let mut counts: HashMap<&Language, usize> = HashMap::new();
    for concept in concepts {
        let c = &concept.content;
        let texts = c.relations.iter().flat_map(|r| r.criterion.iter().chain(&r.role));
        let texts = texts.chain(&c.subject_fields).map(|t: &Text| &t.language);
        let all = texts
            .chain(c.terms.iter().map(|t| &t.language))
            .chain(c.definitions.iter().map(|d| &d.language))
            .chain(c.notes.iter().map(|n| &n.language));
        for language in all {
            *counts.entry(language).or_default() += 1;
        }
    }
    let mut languages: Vec<_> = counts.into_iter().collect();
    languages.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    languages.into_iter().map(|(language, _)| language.clone()).collect()
}
