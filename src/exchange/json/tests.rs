use proptest::prelude::*;

use super::fixture::{Edition, now, options, rich, uuid};
use super::*;

fn written(edition: &Edition) -> String {
    let mut out = Vec::new();
    write(edition.outgoing(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A file with some concepts, each on a line of its own from line 4 on.
fn file(concepts: &[&str]) -> String {
    let whole = written(&rich());
    let (head, rest) = whole.split_once("\"concepts\":[\n").unwrap();
    let (_, tail) = rest.split_once("\n],").unwrap();
    let head = head.replace('\n', "");
    format!("{head}\n\n\"concepts\":[\n{}\n],{tail}", concepts.join(",\n"))
}

fn concept(n: u128) -> String {
    let content = r#"{"terms":[{"language":"da","status":"preferred","value":"Ægte"}]}"#;
    format!(r#"{{"content":{content},"registeredFrom":"2024-01-01","uuid":"{}","validFrom":"2024-01-01"}}"#, uuid(n))
}

#[test]
fn an_edition_comes_back_as_it_went() {
    let edition = rich();
    let incoming = read(written(&edition).as_bytes(), &options()).unwrap();
    edition.assert_same(&incoming);
    assert_eq!(incoming.statements, edition.version.statements);
    let frame = &incoming.frame;
    let vocabulary = edition.vocabulary.fields();
    assert_eq!(frame.iri.as_deref(), Some("https://begreb.example/indsatser/"));
    assert_eq!((&frame.titles, &frame.descriptions), (&vocabulary.titles, &vocabulary.descriptions));
    assert_eq!((&frame.identifiers, &frame.licence), (&vocabulary.identifiers, &vocabulary.licence));
    assert_eq!((&frame.languages, frame.claimed_version.as_deref()), (&vocabulary.languages, Some("2024-10-31")));
    assert_eq!(frame.facets, [("ydelse".to_owned(), vocabulary.facets[0].titles.clone())]);
    let key = |i: usize| incoming.concepts[1].keys[i].0.clone();
    assert_eq!((key(0), key(1)), ("A".into(), uuid(10).to_string()));
    assert_eq!(key(2), format!("https://begreb.example/indsatser/{}", uuid(10)));
}

#[test]
fn each_concept_is_a_line_and_its_content_is_canonical() {
    let edition = rich();
    let text = written(&edition);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4 + edition.concepts.len() + 2);
    for (line, concept) in lines[4..].iter().zip(&edition.concepts) {
        assert!(line.starts_with(&format!("{{\"content\":{}", concept.content.canonical())), "{line}");
    }
    assert!(lines[4].contains(r#""validTo":"2026-01-01T00:00:00Z""#) && lines[5].contains(r#""validTo":null"#));
    let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(whole["statements"].as_array().unwrap().len(), 1);
    assert!(whole["version"].get("statements").is_none());
}

#[test]
fn an_edition_may_have_no_version_and_no_concepts() {
    let edition = rich();
    let outgoing = Outgoing {
        version: None,
        point: now(),
        count: 0,
        concepts: Box::new(std::iter::empty()),
        ..edition.outgoing()
    };
    let mut out = Vec::new();
    write(outgoing, &mut out).unwrap();
    let incoming = read(&out, &options()).unwrap();
    assert!(incoming.concepts.is_empty() && incoming.statements.is_empty());
    assert_eq!(incoming.frame.claimed_version, None);
}

#[test]
fn concepts_have_places_and_what_is_let_go_is_counted() {
    let text = file(&[&concept(1), &concept(2)]);
    let incoming = read(text.as_bytes(), &options()).unwrap();
    let place = Place { field: Some("concepts[1]".into()), ..Place::line(5, 1) };
    assert_eq!(incoming.concepts[1].place, place);
    let count = |what: &str| incoming.losses.iter().find(|l| l.what == what).map(|l| l.count);
    assert_eq!(count("element 'concepts.validFrom'"), Some(2));
    assert_eq!(count("element 'vocabulary.owner'"), Some(1));
}

#[test]
fn what_is_wrong_is_refused_with_its_place() {
    let good = concept(1);
    let cases = [
        (good.replace("\"validFrom\"", "\"since\""), Code::Syntax, (4, "concepts[0]")),
        (good.replace("\"status\"", "\"state\""), Code::Syntax, (4, "concepts[0]")),
        (good.replace("2024-01-01", "1. januar"), Code::Syntax, (4, "concepts[0]")),
        (good.replace("preferred", "liked"), Code::Syntax, (4, "concepts[0]")),
        (good.replace("\"da\"", "\"dansk sprog\""), Code::Syntax, (4, "concepts[0]")),
        (good.replace("}]}", "}],\n\"x\":1}"), Code::Syntax, (5, "concepts[0]")),
        (format!("{good},\n{}", good.replace("5f1c", "5F1C")), Code::DuplicateCode, (5, "concepts[1]")),
    ];
    for (concepts, code, (line, field)) in cases {
        let refusal = read(file(&[&concepts]).as_bytes(), &options()).unwrap_err();
        let place = (refusal.place.line, refusal.place.field.as_deref());
        assert_eq!((refusal.code, place), (code, (Some(line), Some(field))), "{refusal}");
    }
    let columns = read(file(&[&good.replace("\"registeredFrom\"", "\"x\"")]).as_bytes(), &options()).unwrap_err();
    // The characters up to the end of the unknown element, not the bytes.
    let upto = good.find("\"registeredFrom\"").unwrap() - "Æ".len() + 1 + "\"x\"".len();
    assert_eq!(columns.place.column, Some(upto as u64));
}

#[test]
fn the_frame_is_refused_with_line_and_column() {
    let good = file(&[&concept(1)]);
    let cases = [
        (good.replace("\"slug\"", "\"slog\""), 1),
        (good.replace("\"point\"", "\"points\""), 1),
        (good.replace("\"statements\":", "\"more\":1,\"statements\":"), 6),
        (good.replace("\"concepts\":[", "\"concepts\":[],\"concepts\":["), 3),
        (format!("{good} x"), 7),
        ("[]".into(), 1),
        ("".into(), 1),
    ];
    for (text, line) in cases {
        let refusal = read(text.as_bytes(), &options()).unwrap_err();
        assert_eq!((refusal.code, refusal.place.line), (Code::Syntax, Some(line)), "{refusal}");
        assert!(refusal.place.column.is_some());
    }
    assert_eq!(read(b"{\"\xff\"}", &options()).unwrap_err().code, Code::Encoding);
}

#[test]
fn a_cut_file_says_that_it_ends_too_early() {
    let text = file(&[&concept(1)]);
    let text = text.trim_end();
    for cut in (1..text.len()).filter(|i| text.is_char_boundary(*i)) {
        let refusal = read(&text.as_bytes()[..cut], &options()).unwrap_err();
        assert_eq!(refusal.code, Code::Syntax, "{cut}");
        assert!(refusal.place.line.is_some() && refusal.place.column.is_some());
    }
}

#[test]
fn no_depth_exhausts_the_stack() {
    for open in ["[", "{\"a\":", "{\"concepts\":[", "{\"concepts\":[{\"content\":{\"terms\":["] {
        let deep = format!("{}{}", open, "[".repeat(300_000));
        assert_eq!(read(deep.as_bytes(), &options()).unwrap_err().code, Code::Syntax);
    }
    let deep = format!("{}{}", "[".repeat(300_000), "]".repeat(300_000));
    assert_eq!(read(file(&[&deep]).as_bytes(), &options()).unwrap_err().code, Code::Syntax);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _ = read(&bytes, &options());
    }

    #[test]
    fn no_mutation_panics(at in 0usize..4000, to: u8, cut: bool) {
        let mut bytes = written(&rich()).into_bytes();
        let at = at % bytes.len();
        bytes[at] = to;
        if cut {
            bytes.truncate(at + 1);
        }
        let _ = read(&bytes, &options());
    }
}
