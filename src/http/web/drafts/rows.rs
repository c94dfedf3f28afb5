//! The form of a concept: a row for each term, definition, note, law, relation and subject field. What a row has no
//! field for travels with it; what the form has no rows for stays as it is.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::sent::Sent;
use crate::model::{Code, ContentFields, Language, Place, Refusal, Result};

/// The members of a row that have a field, and the one without which there is no row.
struct Shape {
    of: &'static str,
    main: &'static str,
    texts: &'static [&'static str],
    chosen: &'static [&'static str],
}

/// What is there of each part of a concept.
const SHAPES: [Shape; 6] = [
    Shape {
        of: "term",
        main: "value",
        texts: &["value", "reason", "useInstead", "source"],
        chosen: &["language", "status"],
    },
    Shape { of: "definition", main: "text", texts: &["text", "source", "audience"], chosen: &["language"] },
    Shape { of: "note", main: "text", texts: &["text"], chosen: &["language", "kind"] },
    Shape { of: "law", main: "law", texts: &["law", "paragraph", "eli"], chosen: &[] },
    Shape { of: "relation", main: "target", texts: &["target"], chosen: &["kind"] },
    Shape { of: "subject", main: "text", texts: &["text"], chosen: &["language"] },
];

/// A row.
#[derive(Clone)]
pub struct Row {
    /// The name of its fields without the last part: `term-0`.
    pub name: String,
    /// What its fields say.
    said: Vec<(&'static str, String)>,
    /// The members without a field, as JSON; empty for a row that was not there.
    pub rest: String,
}

impl Row {
    fn blank(shape: &Shape, number: usize, language: &str) -> Self {
        let usual = |member: &'static str| match (shape.of, member) {
            (_, "language") => language,
            ("term", "status") if number == 0 => "preferred",
            ("term", "status") => "admitted",
            ("note", "kind") => "scope",
            ("relation", "kind") => "generic",
            _ => "",
        };
        let members = shape.texts.iter().chain(shape.chosen);
        let said = members.map(|m| (*m, usual(m).to_owned())).collect();
        Self { name: format!("{}-{number}", shape.of), said, rest: String::new() }
    }

    /// What a field says.
    pub fn get(&self, member: &str) -> &str {
        self.said.iter().find(|(m, _)| *m == member).map_or("", |(_, v)| v.as_str())
    }

    /// Whether a choice is made.
    pub fn has(&self, member: &str, value: &str) -> bool {
        self.get(member) == value
    }

    fn is_blank(&self, shape: &Shape) -> bool {
        self.rest.is_empty() && shape.texts.iter().all(|m| self.get(m).is_empty())
    }

    /// The row as JSON; nothing when its main field is empty, which takes it away.
    fn value(&self, shape: &Shape) -> Result<Option<Value>> {
        if self.get(shape.main).is_empty() {
            if self.is_blank(shape) || !self.rest.is_empty() {
                return Ok(None);
            }
            // Words without what they are about would be lost.
            let (da, en) = ("rækken mangler sit vigtigste felt", "the row lacks its main field");
            return Err(Refusal::new(Code::Unlawful, da, en).at(self.place(shape.main)));
        }
        let mut members: Map<String, Value> = match self.rest.as_str() {
            "" => Map::new(),
            rest => serde_json::from_str(rest).map_err(|_| self.unreadable(shape.main))?,
        };
        for (member, said) in &self.said {
            if *member == "language" {
                said.parse::<Language>().map_err(|r| r.at(self.place(member)))?;
            }
            if !said.is_empty() {
                members.insert((*member).to_owned(), Value::String(said.clone()));
            }
        }
        Ok(Some(Value::Object(members)))
    }

    fn place(&self, member: &str) -> Place {
        Place::field(format!("{}-{member}", self.name))
    }

    fn unreadable(&self, member: &str) -> Refusal {
        let (da, en) = ("rækken kan ikke læses", "the row cannot be read");
        Refusal::new(Code::InvalidBody, da, en).at(self.place(member))
    }
}

/// The form of a concept.
#[derive(Clone, Default)]
pub struct ConceptForm {
    /// The notation.
    pub notation: String,
    /// The rows of each part, in the order of the parts.
    parts: [Vec<Row>; 6],
    /// Why.
    pub reason: String,
    /// What is said of the meaning of another definition.
    pub meaning: String,
    /// The tag of the content that it was made of; empty when there was none.
    pub made: String,
}

impl ConceptForm {
    /// The form of a content; `key` names another concept.
    pub fn of(fields: &ContentFields, made: &str, key: impl Fn(Uuid) -> String) -> Self {
        let named = fields.clone().try_map_targets(|t| Ok(key(t))).unwrap_or_default();
        let parts = [
            rows(&SHAPES[0], &named.terms),
            rows(&SHAPES[1], &named.definitions),
            rows(&SHAPES[2], &named.notes),
            rows(&SHAPES[3], &named.legal_basis),
            rows(&SHAPES[4], &named.relations),
            rows(&SHAPES[5], &named.subject_fields),
        ];
        let notation = named.notation.unwrap_or_default();
        Self { notation, parts, reason: String::new(), meaning: String::new(), made: made.to_owned() }
    }

    /// The form as it was sent.
    pub fn sent(sent: &Sent) -> Self {
        let row = |shape: &Shape, number: usize| {
            let mut row = Row::blank(shape, number, "");
            for (member, said) in &mut row.said {
                *said = sent.field(&format!("{}-{number}-{member}", shape.of)).to_owned();
            }
            row.rest = sent.field(&format!("{}-{number}-rest", shape.of)).to_owned();
            row
        };
        let parts = SHAPES.each_ref().map(|shape| {
            let rows: Vec<Row> = sent.rows(shape.of).into_iter().map(|n| row(shape, n)).collect();
            rows
        });
        Self {
            notation: sent.field("notation").to_owned(),
            parts,
            reason: sent.field("reason").to_owned(),
            meaning: sent.field("meaning").to_owned(),
            made: sent.field("made").to_owned(),
        }
    }

    /// The form with room for more: at least so many empty rows of each part.
    pub fn with_room(mut self, room: usize, language: &str) -> Self {
        for (shape, rows) in SHAPES.iter().zip(&mut self.parts) {
            let empty = rows.iter().filter(|r| r.is_blank(shape)).count();
            let next = rows.iter().filter_map(|r| r.name.rsplit('-').next()?.parse::<usize>().ok()).max();
            let next = next.map_or(0, |n| n.saturating_add(1));
            rows.extend((0..room.saturating_sub(empty)).map(|n| Row::blank(shape, next.saturating_add(n), language)));
        }
        self
    }

    /// The form with one more relation.
    pub fn related(mut self, kind: &str, target: &str) -> Self {
        let shape = &SHAPES[4];
        let blank = self.parts[4].iter().position(|r| r.is_blank(shape));
        let at = blank.unwrap_or_else(|| {
            let next = self.parts[4].iter().filter_map(|r| r.name.rsplit('-').next()?.parse::<usize>().ok()).max();
            self.parts[4].push(Row::blank(shape, next.map_or(0, |n| n.saturating_add(1)), ""));
            self.parts[4].len() - 1
        });
        for (member, said) in &mut self.parts[4][at].said {
            *said = if *member == "kind" { kind } else { target }.to_owned();
        }
        self
    }

    /// The terms.
    pub fn terms(&self) -> &[Row] {
        &self.parts[0]
    }

    /// The definitions.
    pub fn definitions(&self) -> &[Row] {
        &self.parts[1]
    }

    /// The notes.
    pub fn notes(&self) -> &[Row] {
        &self.parts[2]
    }

    /// The laws.
    pub fn laws(&self) -> &[Row] {
        &self.parts[3]
    }

    /// The relations.
    pub fn relations(&self) -> &[Row] {
        &self.parts[4]
    }

    /// The subject fields.
    pub fn subjects(&self) -> &[Row] {
        &self.parts[5]
    }

    /// What the form says; what it has no rows for is what is said now.
    ///
    /// # Errors
    /// A refusal at the field that cannot be read.
    pub fn content(&self, now: Option<&ContentFields>) -> Result<ContentFields<String>> {
        let now = now.cloned().unwrap_or_default();
        Ok(ContentFields {
            notation: Some(self.notation.clone()).filter(|n| !n.is_empty()),
            terms: self.read(0)?,
            definitions: self.read(1)?,
            notes: self.read(2)?,
            legal_basis: self.read(3)?,
            relations: self.read(4)?,
            subject_fields: self.read(5)?,
            aliases: now.aliases,
            facet: now.facet,
            rank: now.rank,
            mappings: now.mappings,
            statements: now.statements,
            oio: now.oio,
        })
    }

    fn read<T: DeserializeOwned>(&self, part: usize) -> Result<Vec<T>> {
        let shape = &SHAPES[part];
        let mut read = Vec::new();
        for row in &self.parts[part] {
            if let Some(value) = row.value(shape)? {
                read.push(serde_json::from_value(value).map_err(|_| row.unreadable(shape.main))?);
            }
        }
        Ok(read)
    }
}

/// The rows of a part.
fn rows<T: Serialize>(shape: &Shape, items: &[T]) -> Vec<Row> {
    let row = |(number, item): (usize, &T)| {
        let Ok(Value::Object(mut members)) = serde_json::to_value(item) else {
            return Row::blank(shape, number, "");
        };
        let mut row = Row::blank(shape, number, "");
        for (member, said) in &mut row.said {
            *said = match members.remove(*member) {
                Some(Value::String(text)) => text,
                _ => String::new(),
            };
        }
        row.rest = Value::Object(members).to_string();
        row
    };
    items.iter().enumerate().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> ContentFields {
        serde_json::from_value(serde_json::json!({
            "notation": "A", "facet": "f", "rank": 7, "aliases": [{ "value": "gammel" }],
            "definitions": [{ "language": "da", "text": "d", "source": "s", "sourceRelation": "quoted" }],
            "legalBasis": [{ "law": "Serviceloven", "paragraph": "§ 83", "from": "2020-01-01" }],
            "notes": [{ "kind": "example", "language": "en", "text": "a\nb" }],
            "relations": [{ "kind": "partitive", "target": Uuid::nil(), "criterion": [{ "language": "da", "text": "c" }] }],
            "subjectFields": [{ "language": "da", "text": "omsorg" }],
            "terms": [
                { "language": "da", "status": "preferred", "value": "v", "form": "acronym" },
                { "language": "da", "status": "deprecated", "value": "w", "reason": "r", "useInstead": "v" }],
        }))
        .unwrap()
    }

    /// The form as a browser sends it.
    fn sent(form: &ConceptForm) -> Sent {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("notation", &form.notation);
        for row in form.parts.iter().flatten() {
            for (member, said) in &row.said {
                query.append_pair(&format!("{}-{member}", row.name), &said.replace('\n', "\r\n"));
            }
            query.append_pair(&format!("{}-rest", row.name), &row.rest);
        }
        Sent::read(query.finish().as_bytes()).unwrap()
    }

    #[test]
    fn what_is_not_changed_comes_back_as_it_was() {
        let content = content();
        let form = ConceptForm::of(&content, "\"t\"", |u| u.to_string()).with_room(3, "da");
        let back = ConceptForm::sent(&sent(&form)).content(Some(&content)).unwrap();
        let named = content.try_map_targets(|t| Ok(t.to_string())).unwrap();
        assert_eq!(back, named);
    }

    #[test]
    fn rows_come_and_go() {
        let mut form = ConceptForm::of(&content(), "", |u| u.to_string()).with_room(1, "da");
        form.parts[0][1].said.iter_mut().filter(|(m, _)| *m == "value").for_each(|(_, v)| v.clear());
        let form = form.related("generic", "B");
        let said = form.content(None).unwrap();
        assert_eq!((said.terms.len(), said.relations.len(), &*said.relations[1].target), (1, 2, "B"));
        assert!(said.facet.is_none());

        // Words in a row that lacks its main field are not dropped silently; nor is a language that is none.
        let refused = |body: &str| {
            ConceptForm::sent(&Sent::read(body.as_bytes()).unwrap()).content(None).unwrap_err().place.field.unwrap()
        };
        assert_eq!(refused("law-4-paragraph=%C2%A7+3"), "law-4-law");
        assert_eq!(refused("note-0-text=x&note-0-kind=scope&note-0-language=d4nsk!"), "note-0-language");
        assert_eq!(refused("term-0-value=x&term-0-language=da&term-0-status=nix"), "term-0-value");
        assert_eq!(refused("term-0-value=x&term-0-language=da&term-0-status=hidden&term-0-rest=%7B"), "term-0-value");
    }
}
