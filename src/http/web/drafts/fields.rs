//! What the fields of a concept, and the words in them, are called on pages.

use super::super::{note_kind, term_status};
use super::say;
use crate::model::{ContentFields, NoteKind, RelationKind, TermStatus};

/// The fields that a thread may be about.
pub const FIELDS: [&str; 8] =
    ["terms", "definitions", "notes", "relations", "legalBasis", "notation", "subjectFields", "mappings"];

/// What a field is called, by its name in JSON.
pub fn field_name(field: &str, da: bool) -> &'static str {
    let (danish, english) = match field {
        "terms" => ("termer", "terms"),
        "definitions" => ("definitioner", "definitions"),
        "notes" => ("noter", "notes"),
        "relations" => ("relationer", "relations"),
        "legalBasis" => ("juridisk grundlag", "legal basis"),
        "notation" => ("kode", "code"),
        "subjectFields" => ("emneområder", "subject fields"),
        "mappings" => ("henvisninger til andre ordforråd", "mappings"),
        "aliases" => ("andre identifikatorer", "other identifiers"),
        "facet" => ("facet", "facet"),
        "rank" => ("plads", "place"),
        _ => ("øvrige oplysninger", "other statements"),
    };
    say(da, danish, english)
}

/// What a relation is called.
pub fn relation_name(kind: RelationKind, da: bool) -> &'static str {
    let (danish, english) = match kind {
        RelationKind::Generic => ("overbegreb", "broader (generic)"),
        RelationKind::Partitive => ("helhed", "whole (partitive)"),
        RelationKind::Associative => ("associeret", "associated"),
        RelationKind::SeeAlso => ("se også", "see also"),
        RelationKind::LegalCombination => ("lovlig kombination", "legal combination"),
        RelationKind::Replaces => ("erstatter", "replaces"),
    };
    say(da, danish, english)
}

/// The statuses of a term to choose from, as a form sends them.
pub fn statuses(da: bool) -> [(&'static str, &'static str); 4] {
    [
        ("preferred", term_status(TermStatus::Preferred, da)),
        ("admitted", term_status(TermStatus::Admitted, da)),
        ("deprecated", term_status(TermStatus::Deprecated, da)),
        ("hidden", term_status(TermStatus::Hidden, da)),
    ]
}

/// The kinds of note to choose from.
pub fn note_kinds(da: bool) -> [(&'static str, &'static str); 7] {
    [
        ("scope", note_kind(NoteKind::Scope, da)),
        ("example", note_kind(NoteKind::Example, da)),
        ("application", note_kind(NoteKind::Application, da)),
        ("history", note_kind(NoteKind::History, da)),
        ("editorial", note_kind(NoteKind::Editorial, da)),
        ("change", note_kind(NoteKind::Change, da)),
        ("general", note_kind(NoteKind::General, da)),
    ]
}

/// The kinds of relation to choose from.
pub fn relation_kinds(da: bool) -> [(&'static str, &'static str); 6] {
    [
        ("generic", relation_name(RelationKind::Generic, da)),
        ("partitive", relation_name(RelationKind::Partitive, da)),
        ("associative", relation_name(RelationKind::Associative, da)),
        ("seeAlso", relation_name(RelationKind::SeeAlso, da)),
        ("legalCombination", relation_name(RelationKind::LegalCombination, da)),
        ("replaces", relation_name(RelationKind::Replaces, da)),
    ]
}

/// The kinds of relation upwards.
pub fn kinds_above(da: bool) -> Vec<(String, String)> {
    relation_kinds(da)[..2].iter().map(|(value, name)| ((*value).to_owned(), (*name).to_owned())).collect()
}

/// What a concept says, field by field, each with what it is called; `name` tells what another concept is called.
pub fn told<T>(fields: &ContentFields<T>, name: impl Fn(&T) -> String, da: bool) -> Vec<(String, String)> {
    let mut told: Vec<(String, String)> = Vec::new();
    let mut tell = |label: String, text: String| match told.iter_mut().find(|(l, _)| *l == label) {
        Some((_, texts)) => {
            texts.push('\n');
            texts.push_str(&text);
        }
        None => told.push((label, text)),
    };
    let beside = |text: &str, more: &[&Option<String>]| {
        let more: Vec<&str> = more.iter().filter_map(|m| m.as_deref()).collect();
        if more.is_empty() { text.to_owned() } else { format!("{text} [{}]", more.join("; ")) }
    };
    if let Some(notation) = &fields.notation {
        tell(say(da, "Kode", "Code").into(), notation.clone());
    }
    for t in &fields.terms {
        let label = format!("{} ({})", term_status(t.status, da), t.language);
        tell(label, beside(&t.value, &[&t.reason, &t.use_instead, &t.source]));
    }
    for d in &fields.definitions {
        let audience = d.audience.as_ref().map(|a| format!(", {a}")).unwrap_or_default();
        tell(format!("definition ({}{audience})", d.language), beside(&d.text, &[&d.source]));
    }
    for n in &fields.notes {
        tell(format!("{} ({})", note_kind(n.kind, da), n.language), n.text.clone());
    }
    for r in &fields.relations {
        let words = r.criterion.iter().chain(&r.role).map(|t| t.text.clone()).collect::<Vec<_>>().join("; ");
        let words = Some(words).filter(|w| !w.is_empty());
        tell(relation_name(r.kind, da).into(), beside(&name(&r.target), &[&words]));
    }
    for l in &fields.legal_basis {
        let law = format!("{} {}", l.law, l.paragraph.as_deref().unwrap_or_default());
        tell(field_name("legalBasis", da).into(), beside(law.trim(), &[&l.eli]));
    }
    for t in &fields.subject_fields {
        tell(format!("{} ({})", say(da, "emneområde", "subject field"), t.language), t.text.clone());
    }
    for m in &fields.mappings {
        tell(field_name("mappings", da).into(), m.target.clone());
    }
    for a in &fields.aliases {
        tell(field_name("aliases", da).into(), beside(&a.value, &[&a.system]));
    }
    if let Some(facet) = &fields.facet {
        tell(field_name("facet", da).into(), facet.clone());
    }
    for s in &fields.statements {
        tell(field_name("statements", da).into(), format!("{} {}", s.predicate, s.object));
    }
    told
}
