//! Round trips, foreign files, bad files.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use oxrdfio::{RdfFormat, RdfParser};
use proptest::prelude::*;
use uuid::Uuid;

use super::super::{Format, Incoming, Key, Outgoing, OutgoingConcept, ReadOptions, read, write};
use crate::model::{
    Alias, Code, Content, ContentFields, Definition, Digest, Facet, Governance, Instant, Kind, Language, LegalBasis,
    Manifest, Mapping, MappingKind, Note, NoteKind, Period, Place, Refusal, Relation, RelationKind, SourceRelation,
    Statement, Term, TermForm, TermStatus, Text, Version, Vocabulary, VocabularyFields,
};

const FORMATS: [Format; 4] = [Format::Ttl, Format::Nt, Format::Rdf, Format::Jsonld];
const NAMESPACE: &str = "https://begreb.example/id/prøve/";

fn da() -> Language {
    Language::danish()
}

fn en() -> Language {
    "en-GB".parse().unwrap()
}

fn text(language: Language, text: &str) -> Text {
    Text::new(language, text).unwrap()
}

fn at(time: &str) -> Instant {
    time.parse().unwrap()
}

fn number(n: u128) -> Uuid {
    Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0000 + n)
}

fn options() -> ReadOptions {
    ReadOptions { language: da(), namespace: Some(NAMESPACE.into()) }
}

fn vocabulary(namespace: &str) -> Vocabulary {
    let facet = |n, code: &str, title: &str| Facet {
        uuid: number(n),
        code: code.into(),
        oio: None,
        titles: vec![text(da(), title)],
    };
    Vocabulary::new(VocabularyFields {
        uuid: number(900),
        slug: "proeve".parse().unwrap(),
        titles: vec![text(da(), "Prøve"), text(en(), "Trial")],
        descriptions: vec![text(da(), "Til prøver.")],
        kind: Kind::Terminology,
        governance: Governance::Direct,
        four_eyes: false,
        namespace: namespace.into(),
        identifiers: vec!["urn:oid:1.2.208".into(), "prøve-1".into()],
        owner: Some("Socialstyrelsen".into()),
        contact: Some("begreb@example.dk".into()),
        licence: Some("https://creativecommons.org/licenses/by/4.0/".into()),
        languages: vec![da(), en()],
        facets: vec![facet(901, "indsats", "Indsats"), facet(902, "målgruppe", "Målgruppe")],
        oio: None,
        deleted_facets: vec![],
    })
    .unwrap()
}

fn version(statements: Vec<Statement>) -> Version {
    let manifest = Manifest { concepts: 0, added: 0, changed: 0, retired: 0, digest: Digest::of(""), source: None };
    Version {
        uuid: number(950),
        vocabulary: number(900),
        label: "2024-10-31".parse().unwrap(),
        effective: at("2024-10-31"),
        registered: at("2024-10-01T12:00:00.5Z"),
        decision: Some("Styregruppen, punkt 4".into()),
        manifest,
        statements,
    }
}

fn statement(subject: Option<&str>, predicate: &str, object: &str) -> Statement {
    Statement { subject: subject.map(str::to_owned), predicate: predicate.into(), object: object.into() }
}

fn named(term: &str) -> ContentFields {
    ContentFields { terms: vec![Term::plain(da(), TermStatus::Preferred, term)], ..ContentFields::default() }
}

fn relation(kind: RelationKind, target: u128) -> Relation {
    Relation::plain(kind, number(target))
}

/// A concept with something in every field.
fn everything() -> ContentFields {
    use TermStatus::{Admitted, Deprecated, Hidden, Preferred};
    let mut f = named("Støtte & <omsorg> \"i\" hjemmet");
    let full = |language, status, value: &str| Term {
        form: Some(TermForm::Abbreviation),
        source: Some("Serviceloven: § 83".into()),
        ..Term::plain(language, status, value)
    };
    f.notation = Some("J1.4".into());
    f.facet = Some("målgruppe".into());
    f.terms.extend([
        Term::plain(en(), Preferred, "Support at home"),
        full(da(), Admitted, "SIH"),
        Term::plain(da(), Admitted, "hjemmestøtte"),
        Term::plain(en(), Hidden, "suport"),
        Term { source: Some("https://example.org/kilde".into()), ..Term::plain(da(), Hidden, "støttte") },
        Term {
            reason: Some("nedsættende".into()),
            use_instead: Some("hjemmestøtte".into()),
            ..full(da(), Deprecated, "forsorg")
        },
        Term::plain(en(), Deprecated, "welfare"),
    ]);
    f.aliases = vec![
        Alias::plain("gammel-1"),
        Alias::plain("https://example.org/old/1"),
        Alias { system: Some("urn:oid:1.2".into()), ..Alias::plain("A1") },
        Alias { system: Some("ikke en IRI".into()), ..Alias::plain("A2") },
        Alias { system: Some("http://www.w3.org/2001/XMLSchema#string".into()), ..Alias::plain("Z9") },
        Alias { system: Some("http://www.w3.org/2001/XMLSchema#string".into()), ..Alias::plain("A9") },
        Alias {
            system: Some("urn:oid:1.3".into()),
            from: Some(at("2020-01-01")),
            to: Some(at("2021-06-01T12:30:00Z")),
            ..Alias::plain("A3")
        },
        Alias { from: Some(Instant::BEGINNING), to: Some(Instant::FOREVER), ..Alias::plain("A4") },
    ];
    f.definitions = vec![
        Definition::plain(da(), "støtte, der gives i [[hjem||hjemmet]]"),
        Definition {
            audience: Some("borgere".into()),
            ..Definition::plain(da(), "støtte, der gives i [[hjem||hjemmet]]")
        },
        Definition {
            source: Some("https://www.retsinformation.dk/eli/lta/2024/1".into()),
            source_relation: Some(SourceRelation::Quoted),
            ..Definition::plain(en(), "support\ngiven at home")
        },
    ];
    let kinds = [
        NoteKind::Scope,
        NoteKind::Example,
        NoteKind::Application,
        NoteKind::History,
        NoteKind::Editorial,
        NoteKind::Change,
        NoteKind::General,
    ];
    f.notes = kinds.map(|kind| Note { kind, language: da(), text: format!("note {kind:?}\ti to\nlinjer") }).to_vec();
    f.legal_basis = vec![
        LegalBasis { law: "Serviceloven".into(), ..LegalBasis::default() },
        LegalBasis { law: "urn:x:1".into(), eli: Some("urn:x:1".into()), ..LegalBasis::default() },
        LegalBasis { law: "ingen IRI".into(), eli: Some("ingen IRI".into()), ..LegalBasis::default() },
        LegalBasis {
            law: "Barnets lov".into(),
            paragraph: Some("§ 32, stk. 1".into()),
            eli: Some("https://www.retsinformation.dk/eli/lta/2023/721".into()),
            from: Some(at("2024-01-01")),
            to: None,
        },
    ];
    f.subject_fields = vec![text(da(), "voksne"), text(en(), "adults")];
    f.mappings = vec![
        Mapping { kind: MappingKind::Exact, target: "http://example.org/x".into() },
        Mapping { kind: MappingKind::Broad, target: "http://example.org/y".into() },
        Mapping { kind: MappingKind::Close, target: "KLE 27.36".into() },
        Mapping { kind: MappingKind::Narrow, target: "urn:z".into() },
        Mapping { kind: MappingKind::Related, target: "urn:w".into() },
    ];
    f.statements = vec![
        statement(None, "<http://example.org/p>", "\"1\"^^<http://www.w3.org/2001/XMLSchema#integer>"),
        statement(None, "<http://example.org/p>", "\"a\\\"b\\\\ \\n\"@da"),
        statement(None, "<http://example.org/q>", "_:b0"),
        statement(None, "<http://example.org/q>", "_:b1"),
        statement(None, "<http://www.w3.org/2004/02/skos/core#broader>", "<http://example.org/outside>"),
        statement(Some("_:b0"), "<http://example.org/name>", "\"en\""),
        statement(Some("_:b0"), "<http://example.org/deep>", "_:b2"),
        statement(Some("_:b1"), "<http://example.org/name>", "\"to\""),
        statement(Some("_:b2"), "<http://example.org/name>", "\"tre\""),
    ];
    f
}

/// Seven concepts: 1 and 2 on top, 3 below both, 4 below 3, 5 a part of 1, 6 with as many blank nodes that
/// their labels have two digits, 7 with dates of its own.
fn edition() -> Vec<(Uuid, ContentFields)> {
    use RelationKind::{Associative, Generic, LegalCombination, Partitive, Replaces, SeeAlso};
    let mut three = everything();
    three.relations = vec![
        Relation { criterion: vec![text(da(), "efter sted"), text(en(), "by place")], ..relation(Generic, 1) },
        relation(Generic, 2),
        Relation { role: vec![text(da(), "udføres af")], ..relation(Associative, 5) },
        relation(Associative, 4),
        relation(SeeAlso, 5),
        // An ancestor: SKOS has no property for it.
        relation(SeeAlso, 1),
        Relation { role: vec![text(da(), "sammen med")], ..relation(LegalCombination, 4) },
        relation(LegalCombination, 5),
        Relation { criterion: vec![text(da(), "delt")], ..relation(Replaces, 6) },
        relation(Replaces, 5),
    ];
    let mut four = named("fire");
    // The grandfather, and a concept that comes later.
    four.relations = vec![relation(Generic, 3), relation(SeeAlso, 1), relation(SeeAlso, 6)];
    four.aliases = vec![Alias { system: Some("urn:oid:1.2".into()), ..Alias::plain("kun alias") }];
    let mut five = named("fem");
    five.relations = vec![
        Relation { criterion: vec![text(da(), "bestanddele")], ..relation(Partitive, 1) },
        relation(Partitive, 2),
        relation(SeeAlso, 3),
    ];
    let mut six = named("seks");
    six.relations = vec![relation(SeeAlso, 4)];
    six.statements = (0..12)
        .flat_map(|i| {
            let node = format!("_:b{i}");
            let name = format!("\"{i:02}\"");
            [statement(None, "<http://x.dk/q>", &node), statement(Some(&node), "<http://x.dk/name>", &name)]
        })
        .collect();
    let mut seven = named("syv");
    let day = "\"2001-01-01\"^^<http://www.w3.org/2001/XMLSchema#date>";
    seven.statements = vec![statement(None, "<http://publications.europa.eu/ontology/euvoc#startDate>", day)];
    let contents = [named("en"), named("to"), three, four, five, six, seven];
    (1..).map(number).zip(contents).collect()
}

fn outgoing(concepts: &[(Uuid, ContentFields)]) -> Vec<OutgoingConcept> {
    let above = |f: &ContentFields| {
        let up = |r: &&Relation| matches!(r.kind, RelationKind::Generic | RelationKind::Partitive);
        f.relations.iter().filter(up).map(|r| r.target).collect::<Vec<_>>()
    };
    concepts
        .iter()
        .map(|(uuid, fields)| OutgoingConcept {
            uuid: *uuid,
            content: Arc::new(Content::new(fields.clone()).unwrap()),
            valid: Period::new(at("2024-01-01"), at("2025-02-03T04:05:06Z")).unwrap(),
            registered: at("2024-01-01"),
            is_top: above(fields).is_empty(),
            children: concepts.iter().filter(|(_, f)| above(f).contains(uuid)).map(|(u, _)| *u).collect(),
        })
        .collect()
}

fn written(format: Format, namespace: &str, concepts: &[(Uuid, ContentFields)], rest: Vec<Statement>) -> Vec<u8> {
    let (vocabulary, version) = (vocabulary(namespace), version(rest));
    let concepts = outgoing(concepts);
    let mut out = Vec::new();
    let edition = Outgoing {
        vocabulary: &vocabulary,
        version: Some(&version),
        point: version.point(),
        count: concepts.len(),
        concepts: Box::new(concepts.into_iter()),
    };
    write(format, edition, &mut out).unwrap();
    out
}

/// The contents of a file, lawful, by uuid.
fn contents(incoming: &Incoming) -> Vec<(Uuid, Content)> {
    let uuids: HashMap<&Key, Uuid> =
        incoming.concepts.iter().flat_map(|c| c.keys.iter().map(|k| (k, c.uuid.unwrap()))).collect();
    incoming
        .concepts
        .iter()
        .map(|c| {
            let fields = c.content.clone().try_map_targets(|key| Ok(uuids[&key])).unwrap();
            (c.uuid.unwrap(), Content::new(fields).unwrap())
        })
        .collect()
}

#[test]
fn what_is_written_is_read() {
    let concepts = edition();
    let rest = vec![
        statement(Some("<http://example.org/person>"), "<http://xmlns.com/foaf/0.1/name>", "\"Æ\""),
        statement(Some("<http://example.org/person>"), "<http://xmlns.com/foaf/0.1/knows>", "_:b0"),
        statement(Some("_:b0"), "<http://xmlns.com/foaf/0.1/name>", "\"Ø\"@da"),
    ];
    let expected: Vec<(Uuid, Content)> = concepts.iter().map(|(u, f)| (*u, Content::new(f.clone()).unwrap())).collect();
    for format in FORMATS {
        for namespace in [NAMESPACE, "https://begreb.example/v#"] {
            let bytes = written(format, namespace, &concepts, rest.clone());
            let options = ReadOptions { namespace: Some(namespace.into()), ..options() };
            let incoming = read(format, &bytes, &options).unwrap();
            let got = contents(&incoming);
            assert_eq!(got.len(), expected.len());
            for (got, expected) in got.iter().zip(&expected) {
                assert_eq!(got.0, expected.0, "{format:?}: the order is that of the file");
                assert_eq!(got.1.fields(), expected.1.fields(), "{format:?}");
            }
            assert_eq!(incoming.statements, rest, "{format:?}");
            let only_outside = |l: &super::super::Loss| l.what.contains("broader") && l.count == 1;
            assert!(incoming.losses.iter().all(only_outside), "{format:?}: {:?}", incoming.losses);
            assert_eq!(written(format, namespace, &edition(), rest.clone()), bytes, "the same bytes for ever");
            let frame = incoming.frame;
            assert_eq!(frame.iri.as_deref(), namespace.strip_suffix(['/', '#']));
            assert_eq!((frame.titles, frame.descriptions.len()), (vocabulary(namespace).fields().titles.clone(), 1));
            assert_eq!(frame.identifiers, ["urn:oid:1.2.208", "prøve-1"]);
            assert_eq!(frame.claimed_version.as_deref(), Some("2024-10-31"));
            assert_eq!(frame.licence.as_deref(), Some("https://creativecommons.org/licenses/by/4.0/"));
            assert_eq!(frame.languages, [da(), en()]);
            assert_eq!(frame.facets[1], ("målgruppe".to_owned(), vec![text(da(), "Målgruppe")]));
        }
    }
}

/// The triples of a Turtle file, with blank nodes nameless.
fn triples(turtle: &[u8]) -> BTreeSet<String> {
    let blank = |node: String| if node.starts_with("_:") { "_:".to_owned() } else { node };
    RdfParser::from_format(RdfFormat::Turtle)
        .for_slice(turtle)
        .map(|quad| {
            let quad = quad.unwrap();
            format!("{} {} {}", blank(quad.subject.to_string()), quad.predicate, blank(quad.object.to_string()))
        })
        .collect()
}

const FOREIGN: &str = r#"
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix skosxl: <http://www.w3.org/2008/05/skos-xl#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix adms: <http://www.w3.org/ns/adms#> .
@prefix euvoc: <http://publications.europa.eu/ontology/euvoc#> .
@prefix skosno: <https://data.norge.no/vocabulary/skosno#> .
@prefix mdl: <https://data.gov.dk/model/core/modelling#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix ex: <http://example.org/> .

ex:scheme a skos:ConceptScheme ;
    dct:title "Dyr"@da, "Djur"@sv ;
    rdfs:label "Zoo"@en ;
    dct:publisher ex:zoo ;
    owl:versionInfo "2024-10-31" ;
    skos:hasTopConcept ex:dyr .
ex:other a skos:ConceptScheme ; dct:title "Andet"@da .

ex:hest skos:broader ex:dyr ;
    a skos:Concept ;
    skos:inScheme ex:scheme, ex:other ;
    skos:prefLabel "hest"@da, "häst"@sv, "Pferd"@de ;
    skos:altLabel "øg"@da ;
    skosxl:altLabel [ a skosxl:Label ; skosxl:literalForm "øg"@da ; dct:created "1901"^^xsd:gYear ] ;
    skosxl:altLabel ex:label1 ;
    skos:notation "H1", "A2"^^ex:iso, "H0" ;
    dct:identifier "http://example.org/id/1"^^xsd:anyURI ;
    adms:identifier [ a adms:Identifier ; skos:notation "77"^^ex:chip ] ;
    skos:definition "et dyr"@da, "et stort dyr"@da ;
    euvoc:xlDefinition [ rdf:value "ett djur"@sv ; dct:source "SAOL"@sv ] ;
    skos:scopeNote [ rdf:value "avanceret"@da ] ;
    mdl:legalSource "Dyrevelfærdsloven"@da, <http://example.org/eli/1> ;
    skosno:isFromConceptIn [ a skosno:AssociativeConceptRelation ; skosno:hasToConcept ex:vogn ;
        skosno:relationRole "trækker"@da ; ex:since "1700" ] ;
    skos:related ex:vogn ;
    skos:broader <http://elsewhere.org/mammal> ;
    ex:unknown ( "a" ( 1 2 ) ) ;
    ex:shared _:s ;
    owl:deprecated true ;
    dct:replaces <http://elsewhere.org/horse> .
ex:dyr a skos:Concept, ex:Kind ;
    skos:topConceptOf ex:scheme ;
    skos:prefLabel "dyr"@da ;
    skos:narrower ex:hest ;
    ex:shared _:s ;
    euvoc:startDate "1999-01-01"^^xsd:date .
ex:vogn skos:inScheme ex:scheme ; skos:prefLabel "vogn"@da ; skos:exactMatch <http://elsewhere.org/car> .
_:s ex:says "delt" ; ex:loop _:s .
ex:label1 a skosxl:Label ; skosxl:literalForm "krikke"@da .
ex:samling a skos:Collection ; skos:prefLabel "Samling"@da ; skos:member ex:hest, ex:vogn .
ex:zoo ex:name "Zoologisk Have"@da .
"#;

#[test]
fn every_triple_of_a_foreign_file_comes_out_again() {
    let read_options = ReadOptions { language: da(), namespace: None };
    let incoming = read(Format::Ttl, FOREIGN.as_bytes(), &read_options).unwrap();
    let names: Vec<&str> = incoming.concepts.iter().map(|c| c.keys[0].0.as_str()).collect();
    assert_eq!(names, ["http://example.org/hest", "http://example.org/dyr", "http://example.org/vogn"]);
    assert_eq!(incoming.frame.iri.as_deref(), Some("http://example.org/scheme"));
    let hest = &incoming.concepts[0].content;
    assert_eq!(hest.notation.as_deref(), Some("H0"));
    assert_eq!(hest.terms.iter().filter(|t| t.status == TermStatus::Admitted).count(), 2, "øg and krikke");
    assert_eq!(hest.definitions.len(), 2);
    assert_eq!(hest.legal_basis.len(), 2);
    let kinds: Vec<RelationKind> = hest.relations.iter().map(|r| r.kind).collect();
    assert_eq!(kinds, [RelationKind::Generic, RelationKind::Associative, RelationKind::SeeAlso]);
    assert_eq!(hest.relations[1].role[0].text, "trækker");

    // Written in our own namespace, with the same titles, as the registry would.
    let uuids: HashMap<Key, Uuid> =
        incoming.concepts.iter().zip(1..).map(|(c, n)| (c.keys[0].clone(), number(n))).collect();
    let concepts: Vec<(Uuid, ContentFields)> = incoming
        .concepts
        .iter()
        .map(|c| (uuids[&c.keys[0]], c.content.clone().try_map_targets(|key| Ok(uuids[&key])).unwrap()))
        .collect();
    let ours = written(Format::Ttl, NAMESPACE, &concepts, incoming.statements.clone());
    let ours_said = triples(&ours);
    let mut renamed = FOREIGN.to_owned();
    for (key, uuid) in &uuids {
        let local = key.0.strip_prefix("http://example.org/").unwrap();
        // Concepts are subjects here and at the ends of relations that have a field.
        renamed = renamed.replace(&format!("ex:{local} "), &format!("<{NAMESPACE}{uuid}> "));
    }
    renamed = renamed.replace("ex:scheme", &format!("<{}>", NAMESPACE.strip_suffix('/').unwrap()));
    let missing: Vec<String> = triples(renamed.as_bytes()).difference(&ours_said).cloned().collect();
    let lawful = |t: &String| {
        // The vocabulary of the test has other titles; triples kept whole name concepts as the source did.
        t.contains("purl.org/dc/terms/title")
            || t.contains("core#member")
            || t.contains("hasToConcept")
            || t.contains("<http://example.org/shared>")
            || t.contains("#label> \"Zoo\"")
            || t.contains("publisher")
    };
    let unexplained: Vec<&String> = missing.iter().filter(|t| !lawful(t)).collect();
    assert!(unexplained.is_empty(), "{unexplained:#?}\n{}", String::from_utf8_lossy(&ours));
    for kept in ["member> <http://example.org/hest>", "hasToConcept> <http://example.org/vogn>", "label> \"Zoo\"@en"] {
        assert!(ours_said.iter().any(|t| t.contains(kept)), "{kept}");
    }

    // And once more: nothing is added or lost by going round.
    let again = read(Format::Ttl, &ours, &options()).unwrap();
    let expected: Vec<(Uuid, Content)> = concepts.into_iter().map(|(u, f)| (u, Content::new(f).unwrap())).collect();
    for (got, expected) in contents(&again).iter().zip(&expected) {
        assert_eq!(got.1.fields(), expected.1.fields());
    }
    assert_eq!(again.statements.len(), incoming.statements.len());
}

#[test]
fn no_concept_is_related_to_its_ancestor() {
    let turtle = written(Format::Ttl, NAMESPACE, &edition(), Vec::new());
    let (mut broader, mut related) = (HashSet::new(), HashSet::new());
    for quad in RdfParser::from_format(RdfFormat::Turtle).for_slice(&turtle) {
        let quad = quad.unwrap();
        let pair = (quad.subject.to_string(), quad.object.to_string());
        match quad.predicate.as_str() {
            "http://www.w3.org/2004/02/skos/core#broader" => drop(broader.insert(pair)),
            "http://www.w3.org/2004/02/skos/core#narrower" => drop(broader.insert((pair.1, pair.0))),
            "http://www.w3.org/2004/02/skos/core#related" => drop(related.insert(pair)),
            _ => {}
        }
    }
    loop {
        let further: Vec<_> = broader
            .iter()
            .flat_map(|(a, b)| broader.iter().filter(move |(c, _)| c == b).map(|(_, d)| (a.clone(), d.clone())))
            .filter(|pair| !broader.contains(pair))
            .collect();
        if further.is_empty() {
            break;
        }
        broader.extend(further);
    }
    assert_eq!((broader.len(), related.len()), (7, 4));
    for (a, b) in related {
        assert!(!broader.contains(&(a.clone(), b.clone())) && !broader.contains(&(b, a)));
    }
}

fn turtle(body: &str) -> String {
    format!("@prefix skos: <http://www.w3.org/2004/02/skos/core#> .\n@prefix ex: <http://example.org/> .\n{body}")
}

fn xml(before: &str, body: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n{before}<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" \
         xmlns:skos=\"http://www.w3.org/2004/02/skos/core#\"><skos:Concept rdf:about=\"http://example.org/a\">\
         <skos:prefLabel xml:lang=\"da\">{body}</skos:prefLabel></skos:Concept></rdf:RDF>"
    )
}

fn refused(format: Format, bytes: impl AsRef<[u8]>) -> Refusal {
    read(format, bytes.as_ref(), &options()).unwrap_err()
}

#[test]
fn bad_files_are_refused_with_a_place() {
    let two = turtle("ex:a a skos:Concept ; skos:prefLabel \"en\"@da, \"to\"@da .");
    let bomb = "<!DOCTYPE r [\n<!ENTITY a \"aaaaaaaaaa\">\n<!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>\n";
    type Case = (&'static str, Format, Vec<u8>, Code, Option<(u64, u64)>);
    let cases: Vec<Case> = vec![
        (
            "truncated",
            Format::Ttl,
            turtle("ex:a a skos:Concept ; skos:prefLabel \"en").into(),
            Code::Syntax,
            Some((3, 38)),
        ),
        ("truncated", Format::Nt, b"<http://a/b> <http://a/c> \"x\" .\n<http://a/b> <http".into(), Code::Syntax, None),
        ("truncated", Format::Rdf, xml("", "en").as_bytes()[..200].into(), Code::Syntax, None),
        ("truncated", Format::Jsonld, b"{\"@id\": \"http://a/b\",\n \"http://a/c\": [".into(), Code::Syntax, None),
        ("billion laughs", Format::Rdf, xml(bomb, "&b;").into(), Code::Forbidden, Some((4, 1))),
        (
            "external",
            Format::Rdf,
            xml("<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>", "&x;").into(),
            Code::Forbidden,
            None,
        ),
        (
            "external",
            Format::Rdf,
            xml("<!DOCTYPE r [<!ENTITY x PUBLIC \"a\" \"http://a\">]>", "&x;").into(),
            Code::Forbidden,
            None,
        ),
        ("parameter", Format::Rdf, xml("<!DOCTYPE r [<!ENTITY % x \"y\">]>", "z").into(), Code::Forbidden, None),
        ("parameter", Format::Rdf, xml("<!DOCTYPE r [<!ENTITY %x \"y\">]>", "z").into(), Code::Forbidden, None),
        (
            "long entity",
            Format::Rdf,
            xml(&format!("<!DOCTYPE r [<!ENTITY x \"{}\">]>", "y".repeat(300)), "z").into(),
            Code::Forbidden,
            None,
        ),
        ("latin-1", Format::Ttl, b"\n# \xe6".into(), Code::Encoding, None),
        ("latin-1", Format::Rdf, b"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><a/>".into(), Code::Encoding, None),
        ("two preferred", Format::Ttl, two.into(), Code::PreferredTerm, None),
        (
            "language",
            Format::Ttl,
            turtle("ex:a a skos:Concept ; skos:prefLabel \"en\"@danskdanskdansk .").into(),
            Code::Syntax,
            Some((3, 43)),
        ),
        (
            "language",
            Format::Ttl,
            turtle("ex:a a skos:Concept ; skos:prefLabel \"en\"@i-klingon .").into(),
            Code::InvalidLanguage,
            None,
        ),
        ("IRI", Format::Ttl, turtle("<http://exa mple.org/a> a skos:Concept .").into(), Code::Syntax, None),
        ("relative IRI", Format::Ttl, turtle("<a> a skos:Concept .").into(), Code::Syntax, None),
        (
            "remote context",
            Format::Jsonld,
            b"{\"@context\": \"https://a.dk/c.jsonld\", \"@id\": \"http://a/b\"}".into(),
            Code::Forbidden,
            None,
        ),
        (
            "remote context",
            Format::Jsonld,
            b"{\"@context\": \"c.jsonld\", \"@id\": \"http://a/b\"}".into(),
            Code::Forbidden,
            None,
        ),
        ("empty", Format::Ttl, Vec::new(), Code::Incomplete, None),
        ("no concept", Format::Ttl, turtle("ex:a a skos:ConceptScheme .").into(), Code::Incomplete, None),
        ("not RDF", Format::Jsonld, b"[1, 2]".into(), Code::Incomplete, None),
    ];
    let mut wrong = Vec::new();
    for (name, format, bytes, code, place) in cases {
        let refusal = refused(format, &bytes);
        let placed = place.is_none_or(|(line, column)| refusal.place == Place::line(line, column));
        if refusal.code != code || !placed || refusal.da.is_empty() {
            wrong.push(format!("{name} {format:?}: {refusal}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let named = |body: &str| refused(Format::Ttl, turtle(body)).place.field;
    let concept = Some("http://example.org/a".to_owned());
    assert_eq!(named("ex:a a skos:Concept ; skos:prefLabel \"en\"@da, \"to\"@da ."), concept);
    assert_eq!(named("ex:a a skos:Concept ; skos:prefLabel \"en\"@i-klingon ."), concept);
}

#[test]
fn entities_that_abbreviate_namespaces_pass_within_bounds() {
    let entity = "<!DOCTYPE rdf:RDF [\n  <!ENTITY skos 'unused'>\n]>".replace('\'', "\"");
    let incoming = read(Format::Rdf, xml(&entity, "en &amp; &skos; &#230;").as_bytes(), &options()).unwrap();
    assert_eq!(incoming.concepts[0].content.terms[0].value, "en & unused æ");
    let long = format!("<!DOCTYPE r [<!ENTITY e \"{}\">]>", "y".repeat(250));
    assert_eq!(refused(Format::Rdf, xml(&long, &"&e;".repeat(400_000))).code, Code::Forbidden);
}

#[test]
fn what_is_deep_or_wide_is_read_in_line() {
    let deep = 200_000;
    let cases = [
        (Format::Ttl, turtle(&format!("ex:a ex:b {}{} .", "(".repeat(deep), ")".repeat(deep)))),
        (
            Format::Ttl,
            turtle(&format!("ex:a a skos:Concept ; ex:b {}{} .", "[ ex:b ".repeat(deep) + "1", "]".repeat(deep))),
        ),
        (Format::Jsonld, format!("{}{}", "[".repeat(deep), "]".repeat(deep))),
        (Format::Jsonld, format!("{}1{}", "{\"http://a/b\":".repeat(deep), "}".repeat(deep))),
        (Format::Rdf, xml("", &"<a>".repeat(deep))),
    ];
    for (format, text) in cases {
        // Whether it is a refusal or an edition: it comes back.
        drop(read(format, text.as_bytes(), &options()));
    }
    // A hub: every concept is related to one.
    let many = 20_000;
    let spokes: String = (0..many)
        .map(|i| {
            format!(
                "ex:c{i} a skos:Concept ; skos:prefLabel \"c{i}\"@da ; skos:related ex:hub ; skos:broader ex:hub .\n"
            )
        })
        .collect();
    let started = std::time::Instant::now();
    let incoming =
        read(Format::Ttl, turtle(&format!("ex:hub a skos:Concept .\n{spokes}")).as_bytes(), &options()).unwrap();
    assert_eq!(incoming.concepts[0].content.relations.len(), many);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn texts_without_a_language_and_named_graphs_are_counted() {
    let body = "ex:a a skos:Concept ; skos:prefLabel \"en\" ; skos:note \" to \"@sv ; skos:broaderTransitive ex:b .";
    let incoming = read(Format::Ttl, turtle(body).as_bytes(), &options()).unwrap();
    let whats: Vec<(&str, u64)> = incoming.losses.iter().map(|l| (l.what.as_str(), l.count)).collect();
    assert_eq!(
        whats,
        [
            ("text without a language", 1),
            ("white space around a text", 1),
            ("triple <http://www.w3.org/2004/02/skos/core#broaderTransitive>", 1)
        ]
    );
    assert_eq!(incoming.frame.languages, [da(), "sv".parse().unwrap()]);
    let graph = br#"[{"@id":"http://a/b","@type":"http://www.w3.org/2004/02/skos/core#Concept"},
        {"@id":"http://a/g","@graph":[{"@id":"http://a/c","http://a/p":"x"}]}]"#;
    let incoming = read(Format::Jsonld, graph, &options()).unwrap();
    assert_eq!((incoming.concepts.len(), incoming.losses[0].count), (1, 1));
}

#[test]
fn a_uuid_is_taken_where_it_is_said_outright() {
    let uuid = number(1);
    let body = format!(
        "<{NAMESPACE}{uuid}> a skos:Concept . <urn:uuid:{uuid}> a skos:Concept . <{NAMESPACE}x> a skos:Concept . \
         [] a skos:Concept . <{NAMESPACE}{}> a skos:Concept .",
        uuid.simple()
    );
    let incoming = read(Format::Ttl, turtle(&body).as_bytes(), &options()).unwrap();
    let got: Vec<_> = incoming.concepts.iter().map(|c| (c.uuid, c.content.aliases.len(), c.keys.len())).collect();
    assert_eq!(got, [(Some(uuid), 0, 2), (Some(uuid), 0, 2), (None, 1, 1), (None, 0, 1), (None, 1, 1)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for format in FORMATS {
            drop(read(format, &bytes, &options()));
        }
    }

    #[test]
    fn damaged_files_never_panic(cut in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        for format in FORMATS {
            let bytes = written(format, NAMESPACE, &edition(), Vec::new());
            drop(read(format, &bytes[..cut.index(bytes.len())], &options()));
            let mut bytes = bytes;
            let place = at.index(bytes.len());
            bytes[place] = byte;
            drop(read(format, &bytes, &options()));
        }
    }
}

/// Cut anywhere before its last element ends, an RDF/XML file is refused: the parser alone takes the end of the
/// file for the end of the document.
#[test]
fn a_cut_rdf_xml_file_is_never_an_edition() {
    let whole = r##"<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
  xmlns:skos="http://www.w3.org/2004/02/skos/core#">
<skos:Concept rdf:about="urn:a"><skos:prefLabel xml:lang="da">a</skos:prefLabel></skos:Concept>
<skos:Concept rdf:about="urn:b"><skos:prefLabel xml:lang="da">b</skos:prefLabel></skos:Concept>
</rdf:RDF>"##;
    let options = ReadOptions { language: Language::danish(), namespace: None };
    assert!(read(Format::Rdf, whole.as_bytes(), &options).is_ok());
    for end in 0..whole.len() {
        assert!(read(Format::Rdf, &whole.as_bytes()[..end], &options).is_err(), "cut at {end}");
    }
}

#[test]
fn nesting_costs_nothing() {
    let options = ReadOptions { language: Language::danish(), namespace: None };
    let json = format!("{}1{}", r#"{"@id":"urn:a","urn:p":"#.repeat(100_000), "}".repeat(100_000));
    assert_eq!(read(Format::Jsonld, json.as_bytes(), &options).unwrap_err().code, Code::TooDeep);
    let xml = format!("<a xmlns='urn:a'>{}", "<a>".repeat(100_000));
    assert_eq!(read(Format::Rdf, xml.as_bytes(), &options).unwrap_err().code, Code::TooDeep);
}
