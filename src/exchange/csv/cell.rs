//! Between the content of a concept and the cells of a row.

use std::collections::BTreeMap;

use super::column::Column;
use crate::exchange::Key;
use crate::model::{
    Alias, Code, ContentFields, Definition, LegalBasis, Mapping, Note, Refusal, Relation, RelationKind, Result, Term,
    Text,
};

/// The cells of a row that hold something, each with its values.
#[derive(Default)]
pub(super) struct Cells(BTreeMap<Column, Vec<String>>);

impl Cells {
    /// Lays content out in cells. What is left over can only be said in `more`.
    pub(super) fn lay_out(mut content: ContentFields<Key>) -> (Self, ContentFields<Key>) {
        let mut cells = Self::default();
        // The order of rows is the order of siblings.
        content.rank = None;
        content.notation.take_if(|v| cells.take(Column::Notation, v));
        content.facet.take_if(|v| cells.take(Column::Facet, v));
        content.aliases.retain(|a| !(*a == Alias::plain(a.value.as_str()) && cells.take(Column::Alias, &a.value)));
        content.terms.retain(|t| !cells.take_term(t));
        content.definitions.retain(|d| {
            let plain = *d == Definition::plain(d.language.clone(), d.text.as_str());
            !(plain && cells.take(Column::Definition(d.language.clone()), &d.text))
        });
        content.notes.retain(|n| !cells.take(Column::Note(n.kind, n.language.clone()), &n.text));
        content.subject_fields.retain(|s| !cells.take(Column::Subject(s.language.clone()), &s.text));
        content.legal_basis.retain(|l| !written_law(l).is_some_and(|text| cells.take(Column::LegalBasis, &text)));
        content.relations.retain(|r| {
            let plain = r.criterion.is_empty() && r.role.is_empty();
            !(plain && cells.take(Column::of(r.kind), &r.target.0))
        });
        content.mappings.retain(|m| !cells.take(Column::Mapping(m.kind), &m.target));
        (cells, content)
    }

    fn take_term(&mut self, term: &Term) -> bool {
        let plain = *term == Term::plain(term.language.clone(), term.status, term.value.as_str());
        plain && self.take(Column::Term(term.status, term.language.clone()), &term.value)
    }

    /// Puts a value into a cell, if it would come out of it again as it is.
    fn take(&mut self, column: Column, value: &str) -> bool {
        let fits = !value.is_empty() && value.trim() == value;
        if fits {
            self.put(column, value);
        }
        fits
    }

    /// Puts a value into a cell.
    pub(super) fn put(&mut self, column: Column, value: impl Into<String>) {
        self.0.entry(column).or_default().push(value.into());
    }

    /// The columns that hold something.
    pub(super) fn columns(&self) -> impl Iterator<Item = &Column> {
        self.0.keys()
    }

    /// A cell as it is written.
    pub(super) fn text(&self, column: &Column) -> String {
        let values = self.0.get(column).map(Vec::as_slice).unwrap_or_default();
        if column.is_single() { values.concat() } else { join(values) }
    }
}

/// The values of a cell as it is written.
pub(super) fn values(column: &Column, text: &str) -> Vec<String> {
    let values = if column.is_single() { vec![text.to_owned()] } else { split(text) };
    values.iter().map(|v| v.trim()).filter(|v| !v.is_empty()).map(ToOwned::to_owned).collect()
}

/// Several values in one cell.
fn join(values: &[String]) -> String {
    let escaped: Vec<String> = values.iter().map(|v| v.replace('\\', "\\\\").replace('|', "\\|")).collect();
    escaped.join("|")
}

/// The values of a cell. A backslash before any other character than `|` and `\` is a backslash.
fn split(text: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let escaped = if character == '\\' { characters.next_if(|c| matches!(c, '|' | '\\')) } else { None };
        match (escaped.or(Some(character)), values.last_mut()) {
            (Some('|'), _) if escaped.is_none() => values.push(String::new()),
            (Some(character), Some(value)) => value.push(character),
            _ => {}
        }
    }
    values
}

/// A legal basis as `law; paragraph; eli`, if it can be written so.
fn written_law(law: &LegalBasis) -> Option<String> {
    let paragraph = law.paragraph.as_deref().unwrap_or_default();
    let eli = law.eli.as_deref().unwrap_or_default();
    let text = match (paragraph, eli) {
        ("", "") => law.law.clone(),
        (paragraph, "") => format!("{}; {paragraph}", law.law),
        (paragraph, eli) => format!("{}; {paragraph}; {eli}", law.law),
    };
    (read_law(&text) == *law).then_some(text)
}

fn read_law(text: &str) -> LegalBasis {
    let mut parts = text.splitn(3, ';').map(str::trim);
    let law = parts.next().unwrap_or_default().to_owned();
    let mut part = || parts.next().filter(|p| !p.is_empty()).map(ToOwned::to_owned);
    let (paragraph, eli) = (part(), part());
    LegalBasis { law, paragraph, eli, from: None, to: None }
}

/// What `more` says; empty when it is blank.
pub(super) fn read_more(text: &str) -> Result<ContentFields<Key>> {
    if text.trim().is_empty() {
        return Ok(ContentFields::default());
    }
    let content: ContentFields<Key> = serde_json::from_str(text).map_err(|e| {
        Refusal::new(
            Code::Syntax,
            format!("cellen er ikke den JSON, der skal stå her: {e}"),
            format!("the cell is not the JSON that belongs here: {e}"),
        )
    })?;
    if content.notation.is_some() || content.facet.is_some() || content.rank.is_some() {
        return Err(Refusal::new(
            Code::Syntax,
            "»notation« og »facet« står i deres egne kolonner, og »rank« er rækkernes orden",
            "'notation' and 'facet' have columns of their own, and 'rank' is the order of rows",
        ));
    }
    Ok(content)
}

/// Puts a value of a cell into the content.
pub(super) fn read_value(content: &mut ContentFields<Key>, column: &Column, value: String) -> Result<()> {
    let mut relate = |kind, target: String| content.relations.push(Relation::plain(kind, Key(target)));
    match column {
        // These two are read by the caller.
        Column::Uuid | Column::More => {}
        Column::Parent => relate(RelationKind::Generic, value),
        Column::PartOf => relate(RelationKind::Partitive, value),
        Column::SeeAlso => relate(RelationKind::SeeAlso, value),
        Column::Associated => relate(RelationKind::Associative, value),
        Column::CombinesWith => relate(RelationKind::LegalCombination, value),
        Column::Replaces => relate(RelationKind::Replaces, value),
        Column::Notation => content.notation = Some(value),
        Column::Facet => content.facet = Some(value),
        Column::Alias => content.aliases.push(Alias::plain(value)),
        Column::Term(status, language) => content.terms.push(Term::plain(language.clone(), *status, value)),
        Column::Definition(language) => content.definitions.push(Definition::plain(language.clone(), value)),
        Column::Note(kind, language) => {
            content.notes.push(Note { kind: *kind, language: language.clone(), text: value });
        }
        Column::Subject(language) => content.subject_fields.push(Text::new(language.clone(), &value)?),
        Column::LegalBasis => content.legal_basis.push(read_law(&value)),
        Column::Mapping(kind) => content.mappings.push(Mapping { kind: *kind, target: value }),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_values_share_a_cell() {
        for (text, expected) in [
            ("a|b", vec!["a", "b"]),
            (r"a\|b|c\\", vec!["a|b", r"c\"]),
            (r"C:\mappe\", vec![r"C:\mappe\"]),
            (" a | | b ", vec!["a", "b"]),
            ("|", vec![]),
        ] {
            assert_eq!(values(&Column::Alias, text), expected, "{text}");
        }
        assert_eq!(values(&Column::Notation, r" a|b\\ "), [r"a|b\\"]);
        let nasty: Vec<String> = [r"\", "|", r"\|", r"a\\|b", "|a"].map(ToOwned::to_owned).to_vec();
        assert_eq!(split(&join(&nasty)), nasty);
    }

    #[test]
    fn a_law_has_up_to_three_parts() {
        for (text, law, paragraph, eli) in [
            ("Serviceloven", "Serviceloven", None, None),
            ("Serviceloven; § 83", "Serviceloven", Some("§ 83"), None),
            ("Serviceloven;;https://x/;y", "Serviceloven", None, Some("https://x/;y")),
        ] {
            let read = read_law(text);
            assert_eq!((&*read.law, read.paragraph.as_deref(), read.eli.as_deref()), (law, paragraph, eli));
            assert_eq!(read_law(&written_law(&read).unwrap()), read);
        }
        assert_eq!(written_law(&LegalBasis { law: "a;b".into(), ..LegalBasis::default() }), None);
    }
}
