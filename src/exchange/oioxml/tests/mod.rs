//! What is written is valid by both schemas and reads back without loss; what is broken is refused in place.

mod foreign;
mod refused;
mod valid;

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::exchange::{Format, Incoming, IncomingConcept, Key, Outgoing, OutgoingConcept, ReadOptions, read, write};
use crate::model::{
    Alias, Content, ContentFields, Definition, Digest, Facet, Governance, Instant, Kind, Language, LegalBasis,
    Manifest, Mapping, MappingKind, Note, NoteKind, Period, Point, Relation, RelationKind, Result, SourceRelation,
    Statement, Term, TermForm, TermStatus, Text, Version, Vocabulary, VocabularyFields,
};

fn options() -> ReadOptions {
    ReadOptions { language: Language::danish(), namespace: None }
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(0xbe63_eb00_0000_4000_8000_0000_0000_0000 + n)
}

fn text(language: Language, text: &str) -> Text {
    Text::new(language, text).unwrap()
}

fn da(words: &str) -> Text {
    text(Language::danish(), words)
}

fn en(words: &str) -> Text {
    text(Language::english(), words)
}

fn vocabulary(facets: &[(&str, u128)]) -> Vocabulary {
    let facet = |(code, n): &(&str, u128)| Facet {
        oio: None,
        uuid: uuid(*n),
        code: (*code).to_owned(),
        titles: vec![da("Ydelse & <støtte>"), en("Service")],
    };
    Vocabulary::new(VocabularyFields {
        uuid: uuid(900),
        slug: "sociale-begreber".parse().unwrap(),
        titles: vec![da(&"Sociale begreber ".repeat(30)), en("Social concepts")],
        descriptions: vec![da("Begreber \u{1b} på det sociale område.\r\nTo linjer.")],
        kind: Kind::Terminology,
        governance: Governance::Hearing,
        four_eyes: false,
        namespace: "https://begreb.dk/id/".into(),
        identifiers: vec!["urn:oid:1.2.208.176".into()],
        owner: Some("urn:oio:cvr-nr:26144698".into()),
        contact: None,
        licence: Some("https://creativecommons.org/licenses/by/4.0/".into()),
        languages: vec![Language::danish(), Language::english()],
        facets: facets.iter().map(facet).collect(),
        oio: None,
        deleted_facets: vec![],
    })
    .unwrap()
}

fn version(statements: Vec<Statement>) -> Version {
    Version {
        uuid: uuid(901),
        vocabulary: uuid(900),
        label: "2026-12-01".parse().unwrap(),
        effective: at("2026-12-01"),
        registered: at("2026-11-22T10:11:12.345678Z"),
        decision: None,
        manifest: Manifest { concepts: 3, added: 3, changed: 0, retired: 0, digest: Digest::of("x"), source: None },
        statements,
    }
}

fn statement(subject: Option<&str>, object: &str) -> Statement {
    let predicate = "<http://example.org/p>".to_owned();
    Statement { subject: subject.map(str::to_owned), predicate, object: object.to_owned() }
}

/// A content that fills every field, with what is hard in each.
fn rich() -> ContentFields {
    let long = |seed: &str| seed.repeat(2000 / seed.chars().count());
    let term = |status, value: &str| Term::plain(Language::danish(), status, value);
    let mut deprecated = term(TermStatus::Deprecated, "anbringelse uden for hjemmet");
    deprecated.reason = Some("forældet, siden 2014".into());
    deprecated.use_instead = Some("døgnophold".into());
    let mut sourced = term(TermStatus::Admitted, &long("støtte "));
    sourced.source = Some("Begrebshåndbogen".into());
    let mut abbreviation = term(TermStatus::Admitted, "DØ");
    abbreviation.form = Some(TermForm::Abbreviation);
    let note = |kind, language, text: String| Note { kind, language, text };
    let relation = |kind, n| Relation::plain(kind, uuid(n));
    ContentFields {
        oio: None,
        notation: Some("N".repeat(80)),
        aliases: vec![
            Alias::plain("gammel kode"),
            Alias {
                value: "27.12.00".into(),
                system: Some("http://kle-online.dk/".into()),
                from: Some(at("2010-01-01")),
                to: Some(at("2026-12-31T22:59:59.999999Z")),
            },
            Alias { value: "oldest".into(), system: None, from: Some(Instant::BEGINNING), to: Some(Instant::FOREVER) },
            Alias { value: "older".into(), system: None, from: Some(at("-000050-01-01T00:00:00Z")), to: None },
        ],
        facet: Some("ydelse".into()),
        rank: Some(7),
        terms: vec![
            term(TermStatus::Preferred, "døgn\u{8}ophold <&> ]]> \"'"),
            Term::plain(Language::english(), TermStatus::Preferred, "residential\r\nplacement\rand\ttabs"),
            Term::plain("en-GB".parse().unwrap(), TermStatus::Hidden, "placment"),
            deprecated,
            sourced,
            abbreviation,
        ],
        definitions: vec![
            Definition {
                audience: Some("borgere\u{ffff}".into()),
                source: Some("Serviceloven \\ § 66".into()),
                source_relation: Some(SourceRelation::Quoted),
                ..Definition::plain(Language::danish(), long("ophold [[barn]] "))
            },
            Definition::plain(Language::danish(), "ophold \\u0041 \u{0b} døgnet rundt"),
            Definition::plain(Language::english(), "stay around the clock"),
        ],
        notes: vec![
            note(NoteKind::Scope, Language::danish(), long("omfatter ")),
            note(NoteKind::Scope, Language::english(), "covers".into()),
            note(NoteKind::Example, Language::english(), "foster care".into()),
            note(NoteKind::Application, Language::danish(), "bruges ved registrering".into()),
            note(NoteKind::History, Language::danish(), "før 2014".into()),
            note(NoteKind::Editorial, Language::danish(), "tjek".into()),
            note(NoteKind::Change, Language::danish(), long("ændret 🙂")),
            note(NoteKind::General, Language::danish(), "i øvrigt".into()),
        ],
        legal_basis: vec![
            LegalBasis {
                law: "Serviceloven".into(),
                paragraph: Some("§ 66, stk. 1".into()),
                eli: Some("https://www.retsinformation.dk/eli/lta/2024/909".into()),
                from: Some(at("2024-07-01")),
                to: Some(at("2026-01-01")),
            },
            LegalBasis { law: "Barnets lov".into(), ..LegalBasis::default() },
        ],
        subject_fields: vec![da("børn og unge"), en("children")],
        relations: vec![
            Relation { criterion: vec![da("varighed"), en("duration")], ..relation(RelationKind::Generic, 1) },
            relation(RelationKind::Generic, 2),
            relation(RelationKind::Partitive, 3),
            Relation { role: vec![da("årsag"), en("cause")], ..relation(RelationKind::Associative, 4) },
            relation(RelationKind::SeeAlso, 1),
            relation(RelationKind::LegalCombination, 2),
            relation(RelationKind::Replaces, 3),
        ],
        mappings: vec![
            Mapping { kind: MappingKind::Exact, target: "http://snomed.info/id/225337009?æ#ø".into() },
            Mapping { kind: MappingKind::Broad, target: format!("urn:x:{}", "lang".repeat(100)) },
            Mapping { kind: MappingKind::Narrow, target: "urn:oid:1.2.3".into() },
        ],
        statements: vec![statement(None, "\"en \\\"tekst\\\"\"@da"), statement(Some("<urn:s>"), "_:b0")],
    }
}

fn simple(notation: &str, label: &str) -> ContentFields {
    ContentFields {
        notation: Some(notation.into()),
        terms: vec![Term::plain(Language::danish(), TermStatus::Preferred, label)],
        ..ContentFields::default()
    }
}

fn concept(n: u128, fields: ContentFields) -> OutgoingConcept {
    OutgoingConcept {
        uuid: uuid(n),
        content: Arc::new(Content::new(fields).unwrap()),
        valid: Period::since(at("2026-12-01")).unwrap(),
        registered: at("2026-11-22T10:11:12Z"),
        is_top: false,
        children: Vec::new(),
    }
}

fn rich_set() -> Vec<OutgoingConcept> {
    let mut bounded = concept(5, simple("5", "lukket"));
    bounded.valid = Period::new(Instant::BEGINNING, at("2027-01-01")).unwrap();
    bounded.registered = Instant::BEGINNING;
    vec![
        concept(1, simple("1", "ydelse")),
        concept(2, simple("2", "ophold")),
        concept(3, ContentFields { notation: None, ..simple("", "indsats") }),
        concept(4, ContentFields { facet: Some("ukendt facet".into()), ..simple("4", "årsag") }),
        bounded,
        concept(6, rich()),
    ]
}

fn written(vocabulary: &Vocabulary, version: Option<&Version>, concepts: &[OutgoingConcept]) -> String {
    let point = version.map_or(Point { valid: at("2026-12-01"), registered: Instant::FOREVER }, Version::point);
    let (count, concepts) = (concepts.len(), Box::new(concepts.iter().cloned()));
    let mut out = Vec::new();
    write(Format::Oioxml, Outgoing { vocabulary, version, point, count, concepts }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn rich_file() -> String {
    let facets = [("ydelse", 800), ("en facet, hvis kode ikke er kort nok til KOMBITs felt", 801)];
    written(&vocabulary(&facets), Some(&version(vec![statement(Some("<urn:s>"), "<urn:o>")])), &rich_set())
}

fn reading(file: &str) -> Result<Incoming> {
    read(Format::Oioxml, file.as_bytes(), &options())
}

/// What a reader should make of a concept.
fn expected(concept: &OutgoingConcept) -> ContentFields<Key> {
    let fields = ContentFields { rank: None, ..concept.content.fields().clone() };
    fields.try_map_targets(|uuid| Ok(Key(uuid.to_string()))).unwrap()
}

fn by_uuid(incoming: &Incoming) -> HashMap<Uuid, &IncomingConcept> {
    incoming.concepts.iter().map(|c| (c.uuid.unwrap(), c)).collect()
}
