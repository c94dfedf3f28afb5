//! Lists of codes: what a system says that it uses, as a table or as JSON. This is the format's reference.
//!
//! A table (`,`, `;` or tab between cells, as in [`super::csv`]; in an encoding of [`super::charset`]) has a heading that
//! names these columns, in any order and in Danish or English; others are passed over:
//!
//! | Column | Holds |
//! |---|---|
//! | `vocabulary`, `system`, `codesystem`, `ordforråd`, `klassifikation`, `kodesystem` | the vocabulary: slug, uuid, IRI, OID or FHIR url |
//! | `code`, `kode`, `notation`, `brugervendtnøgle` | the code |
//! | `iri`, `uri` | the concept, when there is no code |
//! | `uuid` | the same |
//!
//! A file of one column needs no heading: each line is a code, an IRI or a uuid, with whatever commas it has. JSON is a
//! list, or an object with a list `codes`, of texts or of objects with members that are named as the columns; or one such
//! object. Whoever has other columns says which one has the codes ([`Columns`]).

use std::fmt;

use ::csv::{ReaderBuilder, StringRecord};
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::charset;
use super::csv::{quotes, separator};
use crate::model::{Code, Place, Refusal, Result, unprintable};

/// The most codes that a list may have.
pub const MOST_CODES: usize = 100_000;

/// The largest list, in bytes.
pub const LARGEST_LIST: usize = 10 << 20;

/// The longest code, IRI or name of a vocabulary, in characters.
const LONGEST: usize = 1_000;

/// How many rows that cannot be read are told at once.
const WRONG_TOLD: usize = 50;

/// Where the codes of a list stand, when its heading does not say so.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Columns {
    /// The column with the codes: its name in the heading, or its number from 1; of JSON, the member.
    #[param(example = "Ydelseskode")]
    pub column: Option<String>,
    /// Whether the first row is a heading; seen from its names when absent.
    pub heading: Option<bool>,
}

impl Columns {
    /// The column as a number from 1.
    fn number(&self) -> Option<usize> {
        self.column.as_deref()?.trim().parse().ok().filter(|n| *n > 0)
    }

    /// Whether a cell of a heading names the column.
    fn is_named(&self, cell: &str) -> bool {
        let same = |name: &String| name.trim().to_lowercase() == cell.trim().to_lowercase();
        self.column.as_ref().is_some_and(same)
    }
}

/// A code that stands in a list.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct ListedCode {
    /// The line of the file; of JSON, the number of the item.
    pub line: u64,
    /// The vocabulary, as it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The code, IRI or uuid, as it was written.
    pub code: String,
}

/// What a column holds; of those that name a concept, the first that is filled in is taken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    Code,
    Iri,
    Uuid,
    System,
}

impl Column {
    fn named(name: &str) -> Option<Self> {
        match name.trim().to_lowercase().as_str() {
            "code" | "kode" | "notation" | "brugervendtnøgle" | "brugervendtnoegle" => Some(Self::Code),
            "iri" | "uri" => Some(Self::Iri),
            "uuid" => Some(Self::Uuid),
            "vocabulary" | "system" | "codesystem" | "ordforråd" | "ordforraad" | "klassifikation" | "kodesystem" => {
                Some(Self::System)
            }
            _ => None,
        }
    }
}

/// The codes of a list that names its columns itself.
///
/// # Errors
/// As [`codes_in`].
pub fn codes(bytes: &[u8]) -> Result<Vec<ListedCode>> {
    codes_in(bytes, &Columns::default())
}

/// The codes of a list. Whether it is JSON or a table is seen by how it begins.
///
/// # Errors
/// [`Code::TooLarge`] for more than [`LARGEST_LIST`] bytes or [`MOST_CODES`] codes; [`Code::Encoding`] when it is no text;
/// [`Code::Syntax`] when it cannot be read, with every row that cannot; [`Code::Incomplete`] when no column or member
/// has the codes, or there are none.
pub fn codes_in(bytes: &[u8], columns: &Columns) -> Result<Vec<ListedCode>> {
    if bytes.len() > LARGEST_LIST {
        return Err(Refusal::new(Code::TooLarge, "listen er større end 10 MB", "the list is larger than 10 MB"));
    }
    let text = charset::text(bytes)?;
    let text = text.as_ref();
    let listed = match columns.column {
        _ if !text.trim_start().starts_with(['[', '{']) => from_table(text, columns)?,
        Some(_) => from_members(text, columns)?,
        None => from_json(text)?,
    };
    let listed = listed.done()?;
    if listed.is_empty() {
        return Err(Refusal::new(Code::Incomplete, "der er ingen koder i listen", "there are no codes in the list"));
    }
    Ok(listed)
}

fn too_many(line: u64) -> Refusal {
    let (da, en) = ("der er flere end 100 000 koder i listen", "there are more than 100 000 codes in the list");
    Refusal::new(Code::TooLarge, da, en).at(Place { line: Some(line), ..Place::default() })
}

impl ListedCode {
    /// A code as it stands in a list, without the white space around it.
    ///
    /// # Errors
    /// [`Code::Syntax`] when it is empty, too long, or has characters that cannot be seen.
    pub fn new(line: u64, system: Option<&str>, code: &str) -> Result<Self> {
        let (code, system) = (code.trim(), system.map(str::trim).filter(|s| !s.is_empty()));
        let wrong = |text: &str| text.chars().any(unprintable) || text.chars().nth(LONGEST).is_some();
        if code.is_empty() || wrong(code) || system.is_some_and(wrong) {
            let (da, en) = (
                "koden er tom, for lang, eller har tegn i sig, der ikke kan ses",
                "the code is empty, too long, or has characters that cannot be seen",
            );
            return Err(Refusal::new(Code::Syntax, da, en).at(Place { line: Some(line), ..Place::default() }));
        }
        Ok(Self { line, system: system.map(ToOwned::to_owned), code: code.to_owned() })
    }
}

/// The codes that were read, and what could not be.
#[derive(Default)]
struct Listed {
    codes: Vec<ListedCode>,
    /// The first refusal, and where each was.
    wrong: Option<(Refusal, Vec<String>)>,
}

impl Listed {
    /// Takes one more code in, unless it is empty. One that is wrong does not keep those after it from being looked at,
    /// so that they are all told at once.
    fn push(&mut self, line: u64, column: Option<usize>, system: Option<&str>, code: &str) -> Result<()> {
        if code.trim().is_empty() {
            return Ok(());
        }
        if self.codes.len() == MOST_CODES {
            return Err(too_many(line));
        }
        match ListedCode::new(line, system, code) {
            Ok(code) => self.codes.push(code),
            Err(refusal) => {
                let column = column.map(|c| c as u64 + 1);
                let shown: String =
                    code.chars().take(40).map(|c| if unprintable(c) { '\u{fffd}' } else { c }).collect();
                let place = column.map_or_else(|| line.to_string(), |column| format!("{line}:{column}"));
                let place = format!("{place}: {shown}");
                let (_, items) = self.wrong.get_or_insert_with(|| {
                    let at = Place { line: Some(line), column, ..Place::default() };
                    (Refusal { place: at, ..refusal }, Vec::new())
                });
                if items.len() < WRONG_TOLD {
                    items.push(place);
                }
            }
        }
        Ok(())
    }

    /// The codes, when all could be read.
    fn done(self) -> Result<Vec<ListedCode>> {
        match self.wrong {
            Some((refusal, items)) => Err(refusal.items(items)),
            None => Ok(self.codes),
        }
    }
}

/// The line on which a record begins. The reader counts from where it went on, before lines that are empty.
fn first_line(text: &str, record: &StringRecord) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let from = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let before = text.as_bytes().get(from..).unwrap_or_default().iter().take_while(|b| matches!(b, b'\r' | b'\n'));
    position.line() + before.filter(|b| **b == b'\n').count() as u64
}

fn from_table(text: &str, asked: &Columns) -> Result<Listed> {
    let heading = text.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
    if !heading.contains([',', ';', '\t', '"']) {
        return from_lines(text, asked);
    }
    let separator = separator(text);
    quotes::check(text, separator)?;
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(text.as_bytes());
    let (mut record, mut listed) = (StringRecord::new(), Listed::default());
    let mut columns: Option<Vec<(Column, usize)>> = None;
    loop {
        let unreadable = |e: ::csv::Error| {
            let line = e.position().map_or(1, ::csv::Position::line);
            let (da, en) = (format!("linjen kan ikke læses: {e}"), format!("the line cannot be read: {e}"));
            Refusal::new(Code::Syntax, da, en).at(Place { line: Some(line), ..Place::default() })
        };
        if !reader.read_record(&mut record).map_err(unreadable)? {
            return Ok(listed);
        }
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let columns = match &columns {
            Some(columns) => columns,
            None => {
                let (found, is_heading) = first_row(&record, asked)?;
                let found = &*columns.insert(found);
                if is_heading {
                    continue;
                }
                found
            }
        };
        let line = first_line(text, &record);
        let filled = |of: Column| {
            let at = columns.iter().find(|(c, _)| *c == of)?.1;
            record.get(at).filter(|cell| !cell.trim().is_empty()).map(|cell| (at, cell))
        };
        let code = filled(Column::Code).or_else(|| filled(Column::Iri)).or_else(|| filled(Column::Uuid));
        let system = filled(Column::System).map(|(_, cell)| cell);
        let (at, code) = code.map_or((None, ""), |(at, code)| (Some(at), code));
        listed.push(line, at, system, code)?;
    }
}

/// A file of one column, with or without a heading.
fn from_lines(text: &str, asked: &Columns) -> Result<Listed> {
    let mut listed = Listed::default();
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()).peekable();
    let first = lines.peek().map(|(_, first)| *first).unwrap_or_default();
    let known = Column::named(first).is_some_and(|c| c != Column::System);
    let has_heading = match asked.number() {
        Some(number) if number > 1 => return Err(no_such_column(asked, 1)),
        Some(_) => asked.heading.unwrap_or(known),
        None if asked.is_named(first) => true,
        None if asked.column.is_some() => return Err(not_named(asked, [first])),
        None => asked.heading.unwrap_or(known),
    };
    if has_heading {
        lines.next();
    }
    for (line, code) in lines {
        listed.push(line, None, None, code)?;
    }
    Ok(listed)
}

/// The columns by the first row, and whether that is a heading.
fn first_row(record: &StringRecord, asked: &Columns) -> Result<(Vec<(Column, usize)>, bool)> {
    let Some(column) = &asked.column else {
        return match (asked.heading, headed(record)) {
            (Some(false), _) => Err(which_column()),
            (_, columns) => Ok((columns?, true)),
        };
    };
    let known = record.iter().any(|name| Column::named(name).is_some());
    let (at, has_heading) = match asked.number() {
        Some(number) if number > record.len() => return Err(no_such_column(asked, record.len())),
        Some(number) => (number - 1, asked.heading.unwrap_or(known)),
        None => match record.iter().position(|name| asked.is_named(name)) {
            Some(at) if asked.heading != Some(false) => (at, true),
            Some(_) => return Err(no_such_column(asked, record.len())),
            None => return Err(not_named(asked, record.iter())),
        },
    };
    let mut columns = vec![(Column::Code, at)];
    if has_heading {
        let system = |(other, name): (usize, &str)| other != at && Column::named(name) == Some(Column::System);
        let mut systems = record.iter().enumerate().filter(|one| system(*one));
        columns.extend(systems.next().map(|(at, _)| (Column::System, at)));
        if systems.next().is_some() {
            return Err(twice(column));
        }
    }
    Ok((columns, has_heading))
}

fn not_named<'n>(asked: &Columns, names: impl IntoIterator<Item = &'n str>) -> Refusal {
    let name: String = asked.column.iter().flat_map(|c| c.chars()).take(80).collect();
    let (da, en) = (format!("overskriften nævner ingen »{name}«"), format!("the heading names no '{name}'"));
    let names = names.into_iter().take(50).map(|n| n.trim().chars().take(80).collect::<String>());
    Refusal::new(Code::Incomplete, da, en).at(Place::field("column")).allowed(names.filter(|n| !n.is_empty()))
}

fn no_such_column(asked: &Columns, count: usize) -> Refusal {
    let name: String = asked.column.iter().flat_map(|c| c.chars()).take(80).collect();
    let (da, en) = (format!("der er ingen kolonne {name}"), format!("there is no column {name}"));
    Refusal::new(Code::Incomplete, da, en).at(Place::field("column")).allowed([format!("1..{count}")])
}

fn which_column() -> Refusal {
    let (da, en) = (
        "overskriften nævner ingen kolonne med koder; sig, hvilken det er, med column (--column)",
        "the heading names no column with codes; say which one it is with column (--column)",
    );
    let known = ["code", "kode", "notation", "iri", "uuid", "column=1"];
    Refusal::new(Code::Incomplete, da, en).at(Place::row(1)).allowed(known)
}

fn twice(name: &str) -> Refusal {
    let (da, en) =
        (format!("to kolonner siger det samme som »{name}«"), format!("two columns say the same as '{name}'"));
    Refusal::new(Code::Syntax, da, en).at(Place::row(1))
}

/// The columns of a heading, and where they are.
fn headed(record: &StringRecord) -> Result<Vec<(Column, usize)>> {
    let mut columns: Vec<(Column, usize)> = Vec::new();
    for (at, name) in record.iter().enumerate() {
        let Some(column) = Column::named(name) else { continue };
        if columns.iter().any(|(c, _)| *c == column) {
            return Err(twice(name.trim()));
        }
        columns.push((column, at));
    }
    if columns.iter().any(|(c, _)| *c != Column::System) { Ok(columns) } else { Err(which_column()) }
}

/// JSON whose codes stand in a member that is named by whoever sends it.
fn from_members(text: &str, asked: &Columns) -> Result<Listed> {
    let wrong = |place: Place, told: &str| {
        let (da, en) = (format!("listen kan ikke læses: {told}"), format!("the list cannot be read: {told}"));
        Refusal::new(Code::Syntax, da, en).at(place)
    };
    let whole: Value = serde_json::from_str(text)
        .map_err(|e| wrong(Place::line(e.line() as u64, e.column() as u64), &e.to_string()))?;
    let items = match whole {
        Value::Array(items) => items,
        Value::Object(mut members) if members.get("codes").is_some_and(Value::is_array) => {
            members.remove("codes").and_then(|list| list.as_array().cloned()).unwrap_or_default()
        }
        one @ Value::Object(_) => vec![one],
        _ => return Err(wrong(Place::line(1, 1), "[…]")),
    };
    let mut listed = Listed::default();
    for (number, item) in (1..).zip(&items) {
        let Value::Object(members) = item else {
            listed.push(number, None, None, item.as_str().unwrap_or_default())?;
            continue;
        };
        let code = members.iter().find(|(name, _)| asked.is_named(name)).map(|(_, value)| match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        });
        let Some(code) = code else {
            let refusal = not_named(asked, members.keys().map(String::as_str));
            return Err(refusal.at(Place { line: Some(number), ..Place::field("column") }));
        };
        let system = members.iter().find(|(name, _)| Column::named(name) == Some(Column::System));
        listed.push(number, None, system.and_then(|(_, value)| value.as_str()), &code)?;
    }
    Ok(listed)
}

fn from_json(text: &str) -> Result<Listed> {
    let Items(items) = serde_json::from_str::<Whole>(text).map(|whole| whole.0).map_err(|e| {
        let place = Place::line(e.line() as u64, e.column() as u64);
        // What was refused within is told as it was.
        let told = e.to_string();
        let (da, en) = (format!("listen kan ikke læses: {told}"), format!("the list cannot be read: {told}"));
        let code = if told.starts_with("more than 100 000") { Code::TooLarge } else { Code::Syntax };
        let shapes = [r#"["J1.4", …]"#, r#"[{"vocabulary": "fsiii", "code": "J1.4"}, …]"#, r#"{"codes": […]}"#];
        Refusal::new(code, da, en).at(place).allowed(shapes)
    })?;
    let mut listed = Listed::default();
    for ListedCode { line, system, code } in items {
        listed.push(line, None, system.as_deref(), &code)?;
    }
    Ok(listed)
}

/// A list, or an object with one.
struct Whole(Items);

/// The items of a list, no more than may be.
struct Items(Vec<ListedCode>);

/// A text or an object.
struct Item(Option<String>, String);

/// The members of an object that say something here, the first of each.
#[derive(Default)]
struct Members(Vec<(Column, String)>);

impl Members {
    fn take<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> std::result::Result<(), A::Error> {
        match Column::named(name) {
            Some(column) if self.0.iter().all(|(c, _)| *c != column) => {
                let text = map.next_value::<Option<String>>()?.filter(|t| !t.trim().is_empty());
                self.0.extend(text.map(|text| (column, text)));
            }
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }

    fn item(mut self) -> Option<Item> {
        self.0.sort_by_key(|(column, _)| *column);
        let system = self.0.iter().position(|(c, _)| *c == Column::System).map(|at| self.0.remove(at).1);
        self.0.into_iter().next().map(|(_, code)| Item(system, code))
    }
}

struct Anything;

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct Outer;
        impl<'de> Visitor<'de> for Outer {
            type Value = Whole;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of codes, or an object with a list 'codes'")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> std::result::Result<Whole, A::Error> {
                items(list).map(Whole)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Whole, A::Error> {
                let (mut list, mut one) = (None, Members::default());
                while let Some(name) = map.next_key::<String>()? {
                    if name == "codes" && list.is_none() {
                        list = Some(map.next_value::<Items>()?);
                    } else {
                        one.take(&name, &mut map)?;
                    }
                }
                match (list, one.item()) {
                    (Some(list), _) => Ok(Whole(list)),
                    (None, Some(Item(system, code))) => Ok(Whole(Items(vec![ListedCode { line: 1, system, code }]))),
                    (None, None) => Err(serde::de::Error::missing_field("codes")),
                }
            }
        }
        from.deserialize_any(Outer)
    }
}

fn items<'de, A: SeqAccess<'de>>(mut list: A) -> std::result::Result<Items, A::Error> {
    let mut listed = Vec::new();
    while let Some(Item(system, code)) = list.next_element()? {
        if listed.len() == MOST_CODES {
            return Err(serde::de::Error::custom("more than 100 000 codes"));
        }
        listed.push(ListedCode { line: listed.len() as u64 + 1, system, code });
    }
    Ok(Items(listed))
}

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct Inner;
        impl<'de> Visitor<'de> for Inner {
            type Value = Items;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of codes")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> std::result::Result<Items, A::Error> {
                items(list)
            }
        }
        from.deserialize_seq(Inner)
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        from.deserialize_any(Anything)
    }
}

impl<'de> Visitor<'de> for Anything {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a code, or an object with one")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> std::result::Result<Item, E> {
        Ok(Item(None, text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Item, A::Error> {
        let mut members = Members::default();
        while let Some(name) = map.next_key::<String>()? {
            members.take(&name, &mut map)?;
        }
        members.item().ok_or_else(|| serde::de::Error::missing_field("code"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<(u64, String, String)> {
        let listed = codes(text.as_bytes()).unwrap();
        listed.into_iter().map(|l| (l.line, l.system.unwrap_or_default(), l.code)).collect()
    }

    fn row(line: u64, system: &str, code: &str) -> (u64, String, String) {
        (line, system.into(), code.into())
    }

    #[test]
    fn tables_name_their_columns() {
        assert_eq!(read("\u{feff}J1\n\n§ 5, stk. 2\r\n"), [row(1, "", "J1"), row(3, "", "§ 5, stk. 2")]);
        assert_eq!(read("Kode\nJ1\n"), [row(2, "", "J1")]);
        let table = "navn;Ordforråd;KODE;uuid\nx;fsiii;J1;u\n\"to\nlinjer\";ffb;;u\n;;;\ny;;J2;\n";
        assert_eq!(read(table), [row(2, "fsiii", "J1"), row(3, "ffb", "u"), row(6, "", "J2")]);
        for (wrong, code) in [
            ("", Code::Incomplete),
            ("kode\n", Code::Incomplete),
            ("a,b\nc,d\n", Code::Incomplete),
            ("system,navn\nc,d\n", Code::Incomplete),
            ("kode,notation\nc,d\n", Code::Syntax),
            ("kode,x\n\"c,d\n", Code::Syntax),
            ("J1\u{0}", Code::Syntax),
        ] {
            assert_eq!(codes(wrong.as_bytes()).unwrap_err().code, code, "{wrong:?}");
        }
        assert_eq!(codes(b"J\x81").unwrap_err().code, Code::Encoding);
        assert_eq!(codes(b"kode;navn\r\n\xc61;\xf8l\r\n").unwrap()[0].code, "Æ1");
    }

    #[test]
    fn whoever_has_other_columns_says_which_one_it_is() {
        let read = |text: &str, column: &str, heading: Option<bool>| {
            let column = Some(column.to_owned()).filter(|c| !c.is_empty());
            let listed = codes_in(text.as_bytes(), &Columns { column, heading })?;
            Ok::<_, Refusal>(
                listed.into_iter().map(|l| (l.line, l.system.unwrap_or_default(), l.code)).collect::<Vec<_>>(),
            )
        };
        let table = "Borger;Ydelseskode;system\r\n1;J1.4;fsiii\r\n2;A1;\r\n";
        let expected = vec![row(2, "fsiii", "J1.4"), row(3, "", "A1")];
        assert_eq!(read(table, "ydelseskode ", None), Ok(expected.clone()));
        assert_eq!(read(table, "2", None), Ok(expected), "a known name says that it is a heading");
        assert_eq!(read("1;J1.4\n2;A1\n", "2", None), Ok(vec![row(1, "", "J1.4"), row(2, "", "A1")]));
        assert_eq!(read("x;y\n2;A1\n", "2", Some(true)), Ok(vec![row(2, "", "A1")]));
        assert_eq!(read("kode\nA1\n", "1", Some(false)), Ok(vec![row(1, "", "kode"), row(2, "", "A1")]));
        assert_eq!(read("Ydelse\nA1\n", "ydelse", None), Ok(vec![row(2, "", "A1")]));
        let json = r#"[{"nr": "A1", "system": "v"}, {"NR": 7}, "B"]"#;
        assert_eq!(read(json, "nr", None), Ok(vec![row(1, "v", "A1"), row(2, "", "7"), row(3, "", "B")]));
        let refused = |text: &str, column: &str, heading| read(text, column, heading).unwrap_err();
        assert_eq!(refused(table, "Ydelse", None).allowed, ["Borger", "Ydelseskode", "system"]);
        assert_eq!(refused(table, "4", None).allowed, ["1..3"]);
        assert_eq!(refused("A\nB\n", "2", None).allowed, ["1..1"]);
        assert_eq!(refused("A;1\n", "", Some(false)).code, Code::Incomplete);
        assert_eq!(refused("[{\"a\": 1}]", "b", None).place.line, Some(1));
        assert_eq!(refused("system;x;klassifikation\n", "x", None).code, Code::Syntax);
    }

    #[test]
    fn every_row_that_cannot_be_read_is_told() {
        let long = "x".repeat(LONGEST + 1);
        let refusal = codes(format!("navn;kode\na;A\nb;\u{7}B\nc;{long}\n").as_bytes()).unwrap_err();
        assert_eq!((refusal.place.line, refusal.place.column), (Some(3), Some(2)));
        assert_eq!(refusal.items.len(), 2);
        assert_eq!(refusal.items[0], "3:2: \u{fffd}B");
        assert!(refusal.items[1].starts_with("4:2: xxx") && refusal.items[1].len() < 60);
        let many = "\u{7}\n".repeat(1000);
        assert_eq!(codes(many.as_bytes()).unwrap_err().items.len(), WRONG_TOLD);
    }

    #[test]
    fn json_is_texts_or_objects() {
        let expected = [row(1, "", "J1"), row(2, "fsiii", "J2"), row(3, "", "urn:x")];
        let list =
            r#"["J1", {"vocabulary": "fsiii", "kode": "J2", "uuid": "u", "x": {}}, {"iri": "urn:x", "code": null}]"#;
        assert_eq!(read(list), expected);
        assert_eq!(read(&format!("{{\"x\": [1], \"codes\": {list}}}")), expected);
        assert_eq!(read(r#"{"system": "v", "code": "A"}"#), [row(1, "v", "A")]);
        for wrong in ["[1]", "[{}]", "[\"J1\"", "{}", "{\"codes\": 1}", "[[]]", "[] x"] {
            assert_eq!(codes(wrong.as_bytes()).unwrap_err().code, Code::Syntax, "{wrong}");
        }
        assert_eq!(codes(b"[]").unwrap_err().code, Code::Incomplete);
    }

    #[test]
    fn no_list_is_longer_than_may_be() {
        let lines = "A\n".repeat(MOST_CODES);
        assert_eq!(codes(lines.as_bytes()).unwrap().len(), MOST_CODES);
        assert_eq!(codes(format!("{lines}A").as_bytes()).unwrap_err().code, Code::TooLarge);
        let json = format!("[{}\"A\"]", "\"A\",".repeat(MOST_CODES));
        assert_eq!(codes(json.as_bytes()).unwrap_err().code, Code::TooLarge);
        assert_eq!(codes(&vec![b'\n'; LARGEST_LIST + 1]).unwrap_err().code, Code::TooLarge);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = codes(&bytes);
        }

        #[test]
        fn any_column_is_found_or_refused(text in "[\\[{}\\]\",;:\tkode\nøuuid ]{0,80}", column in "[0-9kode\u{e6} ]{0,4}", heading in any::<Option<bool>>()) {
            let _ = codes_in(text.as_bytes(), &Columns { column: Some(column), heading });
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[\\[{}\\]\",;:\tkode\nøuuid ]{0,80}") {
            if let Ok(listed) = codes(text.as_bytes()) {
                prop_assert!(listed.iter().all(|l| !l.code.trim().is_empty() && l.line > 0));
            }
        }

        #[test]
        fn what_a_table_says_is_read(codes_in in proptest::collection::vec("[A-ZÆØÅ0-9.,;\" -]{0,8}[A-Z0-9]", 1..20)) {
            let quoted = |c: &String| format!("fsiii,\"{}\"\r\n", c.replace('"', "\"\""));
            let table = format!("system,code\r\n{}", codes_in.iter().map(quoted).collect::<String>());
            let listed = codes(table.as_bytes()).unwrap();
            let found: Vec<&str> = listed.iter().map(|l| l.code.as_str()).collect();
            let expected: Vec<&str> = codes_in.iter().map(|c| c.trim()).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
