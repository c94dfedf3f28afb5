//! A table with one row for each concept: RFC 4180, UTF-8, with a heading. This is the format's reference.
//!
//! | Column | Holds | Values |
//! |---|---|---|
//! | `notation` | the code | one |
//! | `uuid` | the uuid | one |
//! | `parent` | the generic concepts directly above | several |
//! | `part_of` | the wholes directly above | several |
//! | `facet` | the code of the facet | one |
//! | `alias` | other codes of the concept | several |
//! | `preferred.<language>` | the preferred term | one |
//! | `admitted.<language>`, `deprecated.<language>`, `hidden.<language>` | other terms | several |
//! | `definition.<language>` | the definition for everyone | one |
//! | `note.<kind>.<language>` | notes; the kind is `scope`, `example`, `application`, `history`, `editorial`, `change` or `general` | several |
//! | `subject.<language>` | subject fields | several |
//! | `legal_basis` | `law; paragraph; eli`, of which only the law must be there | several |
//! | `see_also`, `associated`, `combines_with`, `replaces` | related concepts | several |
//! | `mapping.<kind>` | IRIs of concepts of other vocabularies; the kind is `exact`, `close`, `broad`, `narrow` or `related` | several |
//! | `more` | what the other columns cannot say, as a JSON object with the fields of a concept's content: a term's form, source, reason or replacement; a definition's audience or source; whose an alias is, and periods; a relation's criterion or role; statements | one |
//!
//! - Columns may stand in any order and be left out; a column that is not told here is refused.
//! - Cells are separated by `,`, `;` or tab: whichever comes first in the heading.
//! - Several values in a cell are separated by `|`; `\|` is a `|` and `\\` a `\` within a value. A cell that
//!   holds one value is taken as it stands. White space around values means nothing.
//! - Each row has a notation, a uuid or an alias, and other rows name the concept by any of these. The
//!   registry writes the notation when it names one concept only, else the uuid.
//! - The order of rows is the order of siblings.
//! - Nothing is done to cells that a spreadsheet would take for a formula: what is read is what was written.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::{self, Write};

use ::csv::{ReaderBuilder, StringRecord, Terminator, WriterBuilder};
use uuid::Uuid;

use self::cell::Cells;
use self::column::Column;
use super::json::languages;
use super::{Frame, Incoming, IncomingConcept, Key, Outgoing, OutgoingConcept, ReadOptions, utf8};
use crate::model::{Code, ContentFields, Place, Refusal, Result, canonical_json};

mod cell;
mod column;
pub(in crate::exchange) mod quotes;
#[cfg(test)]
mod tests;

/// Reads a table.
pub(super) fn read(bytes: &[u8], _options: &ReadOptions) -> Result<Incoming> {
    let text = utf8(bytes)?;
    let separator = separator(text);
    quotes::check(text, separator)?;
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    let mut columns = Vec::new();
    let mut concepts = Vec::new();
    let mut names = Names::default();
    for row in 1.. {
        let more = reader.read_record(&mut record).map_err(|e| unreadable(&e, row))?;
        match (more, row) {
            (false, 1) => return Err(no_heading()),
            (false, _) => break,
            (true, 1) => columns = heading(&record)?,
            // A row of empty cells, as spreadsheets leave at the end, says nothing.
            (true, _) if record.iter().all(|cell| cell.trim().is_empty()) => {}
            (true, row) => {
                let concept = concept(&columns, &record, row)?;
                names.add(&concept, row)?;
                concepts.push(concept);
            }
        }
    }
    let frame = Frame { languages: languages(&concepts), ..Frame::default() };
    Ok(Incoming { frame, concepts, statements: Vec::new(), losses: Vec::new() })
}

/// What separates cells: no name of a column holds any of these, so the first one decides.
pub(in crate::exchange) fn separator(text: &str) -> u8 {
    let heading = text.trim_start_matches(['\r', '\n']);
    heading
        .bytes()
        .take_while(|b| !matches!(b, b'\r' | b'\n'))
        .find(|b| matches!(b, b',' | b';' | b'\t'))
        .unwrap_or(b',')
}

fn unreadable(error: &::csv::Error, row: u64) -> Refusal {
    Refusal::new(Code::Syntax, format!("rækken kan ikke læses: {error}"), format!("the row cannot be read: {error}"))
        .at(Place::row(row))
}

fn no_heading() -> Refusal {
    Refusal::new(Code::Incomplete, "filen har ingen overskrift", "the file has no heading").at(Place::row(1))
}

/// A place in a row.
fn cell_place(row: u64, column: impl ToString) -> Place {
    Place { field: Some(column.to_string()), ..Place::row(row) }
}

fn heading(record: &StringRecord) -> Result<Vec<Column>> {
    let mut seen = HashSet::new();
    let mut columns = Vec::with_capacity(record.len());
    for name in record.iter().map(str::trim) {
        let column: Column = name.parse().map_err(|r: Refusal| r.at(cell_place(1, name)))?;
        if !seen.insert(column.clone()) {
            return Err(Refusal::new(
                Code::Syntax,
                format!("kolonnen »{name}« er der to gange"),
                format!("the column '{name}' is there twice"),
            )
            .at(cell_place(1, name)));
        }
        columns.push(column);
    }
    Ok(columns)
}

fn concept(columns: &[Column], record: &StringRecord, row: u64) -> Result<IncomingConcept> {
    if record.len() != columns.len() {
        let (found, expected) = (record.len(), columns.len());
        return Err(Refusal::new(
            Code::Syntax,
            format!("rækken har {found} celler, og overskriften har {expected}"),
            format!("the row has {found} cells, and the heading has {expected}"),
        )
        .at(Place::row(row)));
    }
    let mut uuid = None;
    let mut content = ContentFields::default();
    for (column, text) in columns.iter().zip(record) {
        let here = |refusal: Refusal| refusal.at(cell_place(row, column));
        match column {
            Column::More => content = merge(cell::read_more(text).map_err(here)?, content),
            Column::Uuid if !text.trim().is_empty() => uuid = Some(read_uuid(text.trim()).map_err(here)?),
            column => {
                for value in cell::values(column, text) {
                    cell::read_value(&mut content, column, value).map_err(here)?;
                }
            }
        }
    }
    Ok(IncomingConcept { keys: keys(uuid, &content, row)?, uuid, content, place: Place::row(row) })
}

/// What `more` says together with what the cells before it said.
fn merge(more: ContentFields<Key>, cells: ContentFields<Key>) -> ContentFields<Key> {
    fn both<T>(mut some: Vec<T>, more: Vec<T>) -> Vec<T> {
        some.extend(more);
        some
    }
    ContentFields {
        oio: None,
        notation: cells.notation,
        facet: cells.facet,
        rank: None,
        aliases: both(cells.aliases, more.aliases),
        terms: both(cells.terms, more.terms),
        definitions: both(cells.definitions, more.definitions),
        notes: both(cells.notes, more.notes),
        legal_basis: both(cells.legal_basis, more.legal_basis),
        subject_fields: both(cells.subject_fields, more.subject_fields),
        relations: both(cells.relations, more.relations),
        mappings: both(cells.mappings, more.mappings),
        statements: both(cells.statements, more.statements),
    }
}

fn read_uuid(text: &str) -> Result<Uuid> {
    Uuid::try_parse(text).map_err(|_| {
        Refusal::new(Code::InvalidIdentifier, format!("»{text}« er ikke en uuid"), format!("'{text}' is not a uuid"))
    })
}

/// What other rows may call a concept by: notation, uuid and the aliases that are the vocabulary's own.
fn keys(uuid: Option<Uuid>, content: &ContentFields<Key>, row: u64) -> Result<Vec<Key>> {
    let aliases = content.aliases.iter().filter(|a| a.system.is_none()).map(|a| a.value.clone());
    let mut seen = HashSet::new();
    let mut keys: Vec<Key> =
        content.notation.iter().cloned().chain(uuid.map(|u| u.to_string())).chain(aliases).map(Key).collect();
    keys.retain(|key| seen.insert(key.clone()));
    if keys.is_empty() {
        return Err(Refusal::new(
            Code::Incomplete,
            "rækken har hverken kode, uuid eller alias",
            "the row has no notation, no uuid and no alias",
        )
        .at(Place::row(row)));
    }
    Ok(keys)
}

/// The rows that uuids and notations stand in. Two rows may share a notation only if their uuids tell them
/// apart.
#[derive(Default)]
struct Names {
    uuids: HashMap<Uuid, u64>,
    notations: HashMap<String, (u64, bool)>,
}

impl Names {
    fn add(&mut self, concept: &IncomingConcept, row: u64) -> Result<()> {
        if let Some(uuid) = concept.uuid
            && let Some(first) = self.uuids.insert(uuid, row)
        {
            return Err(duplicate(&uuid.to_string(), &Column::Uuid, first, row));
        }
        if let Some(notation) = &concept.content.notation {
            let told_apart = concept.uuid.is_some();
            match self.notations.insert(notation.clone(), (row, told_apart)) {
                Some((first, first_told_apart)) if !(told_apart && first_told_apart) => {
                    return Err(duplicate(notation, &Column::Notation, first, row));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn duplicate(name: &str, column: &Column, first: u64, row: u64) -> Refusal {
    Refusal::new(
        Code::DuplicateCode,
        format!("»{name}« står både i række {first} og række {row}"),
        format!("'{name}' stands in both row {first} and row {row}"),
    )
    .at(cell_place(row, column))
    .items([first, row].map(|row| cell_place(row, column).to_string()))
}

/// Writes a table. The columns are those that a concept uses, so the concepts are laid out twice: once to
/// see which, and once to write.
pub(super) fn write(edition: Outgoing<'_>, out: &mut dyn Write) -> io::Result<()> {
    let concepts: Vec<OutgoingConcept> = edition.concepts.collect();
    let names = shown_names(&concepts);
    let mut columns = BTreeSet::from([Column::Uuid]);
    for concept in &concepts {
        columns.extend(cells(concept, &names).columns().cloned());
    }
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
    writer.write_record(columns.iter().map(ToString::to_string))?;
    for concept in &concepts {
        let cells = cells(concept, &names);
        writer.write_record(columns.iter().map(|column| cells.text(column)))?;
    }
    writer.flush()
}

/// What each concept is called in other rows: its notation, if that is not a name of another one as well.
fn shown_names(concepts: &[OutgoingConcept]) -> HashMap<Uuid, &str> {
    // Whom a name means; nobody when it could be several.
    let mut meant: HashMap<&str, Option<Uuid>> = HashMap::with_capacity(concepts.len());
    for concept in concepts {
        let fields = concept.content.fields();
        for name in fields.aliases.iter().map(|a| a.value.as_str()).chain(fields.notation.as_deref()) {
            let whom = meant.entry(name).or_insert(Some(concept.uuid));
            if *whom != Some(concept.uuid) {
                *whom = None;
            }
        }
    }
    let is_clear = |name: &str| Uuid::try_parse(name).is_err() && meant.get(name).is_some_and(Option::is_some);
    concepts
        .iter()
        .filter_map(|c| Some((c.uuid, c.content.fields().notation.as_deref()?)))
        .filter(|(_, notation)| is_clear(notation))
        .collect()
}

/// A concept laid out in cells.
fn cells(concept: &OutgoingConcept, names: &HashMap<Uuid, &str>) -> Cells {
    let name = |uuid: Uuid| Key(names.get(&uuid).map_or_else(|| uuid.to_string(), ToString::to_string));
    let content = concept.content.fields().clone();
    // Naming a target never fails.
    let named = content.try_map_targets(|uuid| Ok(name(uuid))).unwrap_or_default();
    let (mut cells, more) = Cells::lay_out(named);
    cells.put(Column::Uuid, concept.uuid.to_string());
    if more != ContentFields::default() {
        cells.put(Column::More, canonical_json(&more));
    }
    cells
}
