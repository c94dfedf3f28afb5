use super::*;
use crate::exchange::oio::merge::sections;
use crate::model::{Content, Facet, Governance, Kind as VocabularyKind, Period, Text, Vocabulary, VocabularyFields};

const CONCEPT: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);
const FACET: Uuid = Uuid::from_u128(10);

fn framed() -> Framed {
    let da = Language::danish();
    let titles = vec![Text::new(da.clone(), "Koder").unwrap()];
    let vocabulary = Vocabulary::new(VocabularyFields {
        uuid: Uuid::from_u128(100),
        slug: "koder".parse().unwrap(),
        titles: titles.clone(),
        descriptions: vec![],
        kind: VocabularyKind::Classification,
        governance: Governance::Direct,
        four_eyes: false,
        namespace: "https://example.dk/koder/".into(),
        identifiers: vec![],
        owner: Some("urn:oio:cvr-nr:1".into()),
        contact: None,
        licence: None,
        languages: vec![da],
        facets: vec![Facet { uuid: FACET, code: "f".into(), oio: None, titles }],
        oio: None,
        deleted_facets: vec![],
    });
    Framed::of(&vocabulary.unwrap())
}

/// A content with much that OIO cannot say.
fn rich() -> ContentFields {
    serde_json::from_value(serde_json::json!({
        "notation": "K", "facet": "f",
        "terms": [{"language": "da", "status": "preferred", "value": "A", "source": "s"},
            {"language": "en", "status": "preferred", "value": "a-en"}, {"language": "da", "status": "admitted", "value": "aa"}],
        "definitions": [{"language": "da", "text": "x", "source": "kilde"}, {"language": "en", "text": "x-en"}],
        "notes": [{"kind": "scope", "language": "da", "text": "o"}, {"kind": "scope", "language": "en", "text": "o-en"}],
        "legalBasis": [{"law": "Lov", "paragraph": "§ 1", "eli": "https://eli"}, {"law": "Anden lov"}],
        "relations": [{"kind": "partitive", "target": OTHER, "criterion": [{"language": "da", "text": "del"}]}],
        "mappings": [{"kind": "exact", "target": "https://example.dk/x"}],
    }))
    .unwrap()
}

fn section(framed: &Framed, f: &ContentFields) -> Section {
    let mut sections = sections(&framed.klasse(CONCEPT, f, Period::ALWAYS), std::iter::empty());
    assert_eq!(sections.len(), 1);
    sections.remove(0).1
}

fn applied(framed: &Framed, base: Option<&ContentFields>, section: &Section) -> Result<ContentFields> {
    let known = |uuid| if uuid == OTHER { Known::Here } else { Known::Nowhere };
    let language = Language::danish();
    let into = Into { framed, uuid: CONCEPT, language: &language, known: &known };
    let made = into.content(base, section, Period::ALWAYS)?.expect("something is said");
    Ok(Content::new(made)?.into_fields())
}

#[test]
fn what_is_shown_and_given_back_changes_nothing() {
    let framed = framed();
    let content = Content::new(rich()).unwrap().into_fields();
    assert_eq!(applied(&framed, Some(&content), &section(&framed, &content)).unwrap(), content);
}

#[test]
fn only_what_is_said_otherwise_is_changed() {
    let framed = framed();
    let content = Content::new(rich()).unwrap().into_fields();
    let mut new = section(&framed, &content);
    let attributes = new.egenskab.as_mut().unwrap();
    attributes.fields.insert("titel", "B".into());
    attributes.fields.insert("omfang", "nyt".into());
    attributes.fields.insert("retskilde", "Lov, § 1\nTredje lov".into());
    attributes.fields.remove("beskrivelse");
    let made = applied(&framed, Some(&content), &new).unwrap();
    let terms: Vec<_> = made.terms.iter().map(|t| (t.language.as_str(), t.value.as_str())).collect();
    assert_eq!(terms, [("da", "B"), ("da", "aa"), ("en", "a-en")]);
    assert_eq!(made.notes.iter().map(|n| n.text.as_str()).collect::<Vec<_>>(), ["nyt", "o-en"]);
    assert_eq!(made.definitions.iter().map(|d| d.text.as_str()).collect::<Vec<_>>(), ["x-en"]);
    let eli: Vec<_> = made.legal_basis.iter().map(|l| (l.law.as_str(), l.eli.is_some())).collect();
    assert_eq!(eli, [("Lov", true), ("Tredje lov", false)]);
    assert_eq!((made.relations, made.mappings), (content.relations, content.mappings));
}

/// What is given and has no field is shown again.
#[test]
fn what_has_no_field_is_kept() {
    let framed = framed();
    let value = serde_json::json!({
        "attributter": {"klasseegenskaber": [{"brugervendtnoegle": "K", "titel": "Ledsagelse", "integrationsdata": "{\"a\": 1}",
            "soegeord": [["ledsager", "folkelig", "synonym"], ["ordning", "tidligere", "foraeldet"], ["Ledsagelse", "", "titel"]],
            "virkning": {"from": "-infinity", "to": "infinity", "aktoerref": OTHER, "aktoertypekode": "Bruger", "notetekst": "n1"}}]},
        "tilstande": {"klassepubliceret": [{"publiceret": "IkkePubliceret",
            "virkning": {"from": "-infinity", "to": "infinity", "notetekst": "n2"}}]},
        "relationer": {
            "facet": [{"uuid": FACET, "objekttype": "Dimension", "virkning": {"from": "-infinity", "to": "infinity"}}],
            "ejer": [{"uuid": OTHER, "virkning": {"from": "-infinity", "to": "infinity"}}],
            "ansvarlig": [{"urn": "urn:oio:cvr-nr:1", "objekttype": "Organisation", "virkning": {"from": "-infinity", "to": "infinity"}}],
            "redaktoerer": [{"uuid": OTHER, "objekttype": "Bruger", "virkning": {"from": "-infinity", "to": "infinity", "notetekst": "n3"}}],
            "overordnetklasse": [{"urn": "urn:x:1", "objekttype": "Klasse", "virkning": {"from": "-infinity", "to": "infinity"}}],
            "mapninger": [{"urn": "urn:kle:27", "objekttype": "Klasse", "virkning": {"from": "-infinity", "to": "infinity"}}],
            "sideordnede": [{"uuid": OTHER, "objekttype": "Klasse", "virkning": {"from": "-infinity", "to": "infinity"}}]},
    });
    let given =
        super::super::incoming::read(Kind::Klasse, super::super::incoming::Mode::Whole, value.to_string().as_bytes());
    let whole = super::super::merge::whole(Kind::Klasse, given.unwrap()).unwrap();
    let made = applied(&framed, None, &sections(&whole, std::iter::empty())[0].1).unwrap();
    assert!(!Content::new(made.clone()).unwrap().is_published());
    let mut shown = framed.klasse(CONCEPT, &made, Period::ALWAYS);
    shown.sort(Kind::Klasse);
    assert_eq!(shown, whole);
    // Once more, the same.
    let again = applied(&framed, Some(&made), &section(&framed, &made)).unwrap();
    assert_eq!(again, made);
}

#[test]
fn what_cannot_be_is_refused() {
    let framed = framed();
    let content = Content::new(rich()).unwrap().into_fields();
    let with = |change: &dyn Fn(&mut Section)| {
        let mut new = section(&framed, &content);
        change(&mut new);
        applied(&framed, Some(&content), &new).expect_err("it cannot be").code
    };
    let relation = |uuid: u128| Relation {
        til: Reference::Uuid(Uuid::from_u128(uuid)),
        objekttype: None,
        virkning: Period::ALWAYS.into(),
    };
    assert_eq!(with(&|s| s.egenskab = None), Code::InvalidBody);
    assert_eq!(with(&|s| drop(s.relationer.insert("sideordnede", vec![relation(7)]))), Code::UnknownTarget);
    assert_eq!(with(&|s| drop(s.relationer.insert("facet", vec![relation(7)]))), Code::UnknownTarget);
    let word = |d: &str| Soegeord {
        soegeordidentifikator: "w".into(),
        beskrivelse: d.into(),
        soegeordskategori: String::new(),
    };
    assert_eq!(with(&|s| s.egenskab.as_mut().unwrap().soegeord.extend([word("a"), word("b")])), Code::InvalidBody);
}

#[test]
fn attributes_that_are_cleared_leave_relations() {
    let framed = framed();
    let content = Content::new(rich()).unwrap().into_fields();
    let mut new = section(&framed, &content);
    (new.egenskab, new.tilstand) = (None, None);
    let made = applied(&framed, Some(&content), &new).unwrap();
    assert!(made.terms.is_empty() && made.notes.is_empty() && made.relations == content.relations);
    let shown = framed.klasse(CONCEPT, &made, Period::ALWAYS);
    assert!(shown.attributter.is_empty() && shown.tilstande.is_empty());
}
