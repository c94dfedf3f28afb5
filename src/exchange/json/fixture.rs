//! An edition with something in every field, for the round trips of formats that lose nothing.

use std::sync::Arc;

use uuid::Uuid;

use crate::exchange::{Incoming, Outgoing, OutgoingConcept, ReadOptions};
use crate::model::{
    Alias, Content, ContentFields, Definition, Digest, Facet, Governance, Instant, Kind, Language, LegalBasis,
    Manifest, Mapping, MappingKind, Note, NoteKind, Period, Point, Relation, RelationKind, SourceRelation, Statement,
    Term, TermForm, TermStatus, Text, Version, Vocabulary, VocabularyFields,
};

/// A vocabulary, a version and the concepts.
pub(in crate::exchange) struct Edition {
    pub(in crate::exchange) vocabulary: Vocabulary,
    pub(in crate::exchange) version: Version,
    pub(in crate::exchange) concepts: Vec<OutgoingConcept>,
}

impl Edition {
    /// The edition, to write.
    pub(in crate::exchange) fn outgoing(&self) -> Outgoing<'_> {
        Outgoing {
            vocabulary: &self.vocabulary,
            version: Some(&self.version),
            point: self.version.point(),
            count: self.concepts.len(),
            concepts: Box::new(self.concepts.iter().cloned()),
        }
    }

    /// Asserts that a file says the same of the same concepts, in the same order; rank aside.
    pub(in crate::exchange) fn assert_same(&self, incoming: &Incoming) {
        assert_eq!(incoming.concepts.len(), self.concepts.len());
        let find = |key: &str| {
            let mut named = incoming.concepts.iter().filter(|c| c.keys.iter().any(|k| k.0 == key));
            let found = named.next().and_then(|c| c.uuid);
            assert!(named.next().is_none(), "{key} names two concepts");
            found.unwrap_or_else(|| key.parse().expect("a uuid from outside of the file"))
        };
        for (read, written) in incoming.concepts.iter().zip(&self.concepts) {
            assert_eq!(read.uuid, Some(written.uuid));
            let content = read.content.clone().try_map_targets(|key| Ok(find(&key.0))).unwrap();
            let expected = ContentFields { rank: None, ..written.content.fields().clone() };
            assert_eq!(Content::new(content).unwrap().canonical(), Content::new(expected).unwrap().canonical());
        }
    }
}

/// What a reader is told in tests.
pub(in crate::exchange) fn options() -> ReadOptions {
    ReadOptions { language: Language::danish(), namespace: None }
}

/// A uuid that ends with a number.
pub(in crate::exchange) fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(0x5f1c_0000_0000_4000_8000_0000_0000_0000 | n)
}

/// The edition.
pub(in crate::exchange) fn rich() -> Edition {
    let vocabulary = vocabulary();
    let contents = [everything(), top("A"), top("B"), twin(13), twin(12)];
    let concepts = [1, 10, 11, 12, 13].into_iter().zip(contents).map(|(n, fields)| OutgoingConcept {
        uuid: uuid(n),
        content: Arc::new(Content::new(fields).unwrap()),
        valid: Period::new(at("2024-10-31"), if n == 1 { at("2026-01-01") } else { Instant::FOREVER }).unwrap(),
        registered: at("2024-09-01T08:30:00.5Z"),
        is_top: n != 1,
        children: if n == 10 || n == 11 { vec![uuid(1)] } else { vec![] },
    });
    let concepts: Vec<_> = concepts.collect();
    let version = Version {
        uuid: uuid(100),
        vocabulary: vocabulary.uuid(),
        label: "2024-10-31".parse().unwrap(),
        effective: at("2024-10-31"),
        registered: at("2024-09-01"),
        decision: Some("Begrebsgruppen, møde 7".into()),
        manifest: Manifest {
            concepts: concepts.len() as u64,
            added: 1,
            changed: 2,
            retired: 3,
            digest: Digest::of("x"),
            source: None,
        },
        statements: vec![statement(Some("<https://example.org/s>"))],
    };
    Edition { vocabulary, version, concepts }
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn da(text: &str) -> Text {
    Text::new(Language::danish(), text).unwrap()
}

fn en(text: &str) -> Text {
    Text::new(Language::english(), text).unwrap()
}

fn statement(subject: Option<&str>) -> Statement {
    let object = "\"a \\\"quoted\\\" text\"@da".into();
    Statement { subject: subject.map(Into::into), predicate: "<https://example.org/p>".into(), object }
}

fn vocabulary() -> Vocabulary {
    Vocabulary::new(VocabularyFields {
        uuid: uuid(0),
        slug: "indsatser".parse().unwrap(),
        titles: vec![da("Indsatser"), en("Interventions")],
        descriptions: vec![da("Hvad der gøres")],
        kind: Kind::Terminology,
        governance: Governance::Hearing,
        four_eyes: false,
        namespace: "https://begreb.example/indsatser/".into(),
        identifiers: vec!["urn:oid:1.2.3".into()],
        owner: Some("Ejeren".into()),
        contact: Some("mailto:a@example.org".into()),
        licence: Some("https://creativecommons.org/licenses/by/4.0/".into()),
        languages: vec![Language::danish(), Language::english()],
        facets: vec![Facet { uuid: uuid(200), code: "ydelse".into(), oio: None, titles: vec![da("Ydelse")] }],
        oio: None,
        deleted_facets: vec![],
    })
    .unwrap()
}

fn top(name: &str) -> ContentFields {
    ContentFields {
        notation: Some(name.into()),
        rank: Some(7),
        terms: vec![Term::plain(Language::danish(), TermStatus::Preferred, format!("Top {name}"))],
        ..ContentFields::default()
    }
}

/// One of two concepts with one notation, which looks like a formula; it points to the other.
fn twin(other: u128) -> ContentFields {
    let relations = vec![Relation::plain(RelationKind::SeeAlso, uuid(other))];
    ContentFields { relations, ..top("=2+2") }
}

/// A concept with something in every field, and with every character that a format may trip over.
fn everything() -> ContentFields {
    use TermStatus as S;
    let term = |language: &str, status, value: &str| Term::plain(language.parse().unwrap(), status, value);
    ContentFields {
        oio: None,
        notation: Some("-J1.4|a\\b;c,\"d\"".into()),
        aliases: vec![
            Alias::plain("gammel|kode\\"),
            // The notation of another concept.
            Alias::plain("B"),
            Alias { system: Some("urn:oid:1.2".into()), ..Alias::plain("X") },
            Alias { from: Some(at("2020-01-01")), to: Some(at("2021-01-01T12:00:00Z")), ..Alias::plain("Y") },
        ],
        facet: Some("ydelse".into()),
        rank: Some(3),
        terms: vec![
            term("da", S::Preferred, "@Egenomsorg | æøå\u{a0}\u{1f600}"),
            term("en-GB", S::Preferred, "self-care"),
            term("da", S::Admitted, "selv|hjælp\\"),
            term("da", S::Admitted, "selvpleje"),
            Term { form: Some(TermForm::Acronym), source: Some("SOSU".into()), ..term("da", S::Admitted, "EO") },
            term("en", S::Deprecated, "self help"),
            Term {
                reason: Some("forældet".into()),
                use_instead: Some("Egenomsorg".into()),
                ..term("da", S::Deprecated, "selvhjulpenhed")
            },
            term("da", S::Hidden, "egen omsorg"),
        ],
        definitions: vec![
            Definition::plain(Language::danish(), "omsorg, som man\r\nselv [[yder||ydelse]] | \"citat\"\rog mere"),
            Definition::plain(Language::english(), "care; of oneself, alone"),
            Definition {
                audience: Some("borgere".into()),
                source: Some("Ordbogen".into()),
                source_relation: Some(SourceRelation::BasedOn),
                ..Definition::plain(Language::danish(), "at passe på sig selv")
            },
        ],
        notes: notes(),
        legal_basis: legal_basis(),
        subject_fields: vec![da("pleje"), da("omsorg|hjælp"), en("care")],
        relations: relations(),
        mappings: [
            MappingKind::Exact,
            MappingKind::Close,
            MappingKind::Broad,
            MappingKind::Narrow,
            MappingKind::Related,
        ]
        .map(|kind| Mapping { kind, target: format!("https://example.org/{kind:?}?a=1|2") })
        .to_vec(),
        statements: vec![statement(None), statement(Some("_:b0"))],
    }
}

fn notes() -> Vec<Note> {
    use NoteKind as N;
    [N::Scope, N::Example, N::Application, N::History, N::Editorial, N::Change, N::General]
        .into_iter()
        .flat_map(|kind| {
            let note = move |language, text: &str| Note { kind, language, text: text.into() };
            [
                note(Language::danish(), "første | note"),
                note(Language::danish(), "anden\nnote"),
                note(Language::english(), "a note"),
            ]
        })
        .collect()
}

fn legal_basis() -> Vec<LegalBasis> {
    let law = |law: &str, paragraph: Option<&str>, eli: Option<&str>| LegalBasis {
        law: law.into(),
        paragraph: paragraph.map(Into::into),
        eli: eli.map(Into::into),
        ..LegalBasis::default()
    };
    vec![
        law("Serviceloven", None, None),
        law("Serviceloven", Some("§ 83 a, stk. 1"), None),
        law("Sundhedsloven", Some("§ 138"), Some("https://www.retsinformation.dk/eli/lta/2024/247;x")),
        law("Barnets lov", None, Some("https://www.retsinformation.dk/eli/lta/2023/721")),
        law("Lov; med semikolon", Some("§ 1; 2"), None),
        law("Uden", Some(""), Some(" ")),
        LegalBasis {
            from: Some(at("2024-01-01")), to: Some(at("2025-01-01")), ..law("Ældreloven", Some("§ 9"), None)
        },
    ]
}

/// Relations of every kind: two parents within the edition, a twin, and concepts outside of it.
fn relations() -> Vec<Relation> {
    let plain = Relation::plain;
    vec![
        Relation { criterion: vec![da("efter sted"), en("by place")], ..plain(RelationKind::Generic, uuid(10)) },
        plain(RelationKind::Generic, uuid(11)),
        plain(RelationKind::Generic, uuid(12)),
        plain(RelationKind::Partitive, uuid(10)),
        plain(RelationKind::Associative, uuid(10)),
        Relation { role: vec![da("udfører")], ..plain(RelationKind::Associative, uuid(11)) },
        plain(RelationKind::SeeAlso, uuid(13)),
        plain(RelationKind::LegalCombination, uuid(11)),
        plain(RelationKind::Replaces, uuid(99)),
    ]
}

/// The point of an edition without a version.
pub(in crate::exchange) fn now() -> Point {
    Point { valid: at("2026-11-22"), registered: Instant::FOREVER }
}
