use proptest::prelude::*;

use super::*;
use crate::exchange::json::fixture::{Edition, options, rich, uuid};
use crate::model::{RelationKind, TermStatus};

fn written(edition: &Edition) -> String {
    let mut out = Vec::new();
    write(edition.outgoing(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn refusal(text: &str) -> Refusal {
    read(text.as_bytes(), &options()).unwrap_err()
}

#[test]
fn an_edition_comes_back_as_it_went() {
    let edition = rich();
    let incoming = read(written(&edition).as_bytes(), &options()).unwrap();
    edition.assert_same(&incoming);
    assert_eq!(incoming.losses, []);
    let languages: Vec<_> = incoming.frame.languages.iter().map(|l| l.as_str()).collect();
    assert_eq!(languages, ["da", "en", "en-GB"]);
}

#[test]
fn only_the_columns_in_use_are_written_and_in_one_order() {
    let mut edition = rich();
    edition.concepts.drain(..1);
    let text = written(&edition);
    let mut lines = text.split("\r\n");
    assert_eq!(lines.next(), Some("notation,uuid,preferred.da,see_also"));
    assert_eq!(lines.next(), Some(format!("A,{},Top A,", uuid(10)).as_str()));
    // Two concepts have this notation, so they are named by their uuids; and it stays as it is.
    let twin = format!("=2+2,{},Top =2+2,{}", uuid(12), uuid(13));
    assert_eq!(lines.nth(1), Some(twin.as_str()));
    edition.concepts.clear();
    assert_eq!(written(&edition), "uuid\r\n");
    assert!(read(b"uuid\r\n", &options()).unwrap().concepts.is_empty());
}

#[test]
fn targets_are_named_by_a_clear_notation_or_else_by_uuid() {
    let text = written(&rich());
    let mut reader = ReaderBuilder::new().from_reader(text.as_bytes());
    let column = reader.headers().unwrap().iter().position(|h| h == "parent").unwrap();
    let row = reader.records().next().unwrap().unwrap();
    // A has a criterion and is in `more`; B is an alias of the concept itself, too; the last is a twin.
    assert_eq!(row[column], format!("{}|{}", uuid(11), uuid(12)));
    let more = row.iter().next_back().unwrap();
    assert!(more.contains(r#""kind":"generic","target":"A""#), "{more}");
}

#[test]
fn any_separator_and_a_byte_order_mark_will_do() {
    for (separator, end) in [(",", "\n"), (";", "\r\n"), ("\t", "\r")] {
        let rows = [
            ["notation", "parent", "preferred.da", "admitted.da"],
            ["A", "", "\"Først, \"\"ægte\"\"; nok\"", ""],
            ["A.1", "A", "Anden", "x|y\\|z"],
            ["", " ", "", ""],
        ];
        let text = rows.map(|row| row.join(separator)).join(end);
        let incoming = read(format!("\u{feff}{end}{text}").as_bytes(), &options()).unwrap();
        let [first, second] = incoming.concepts.as_slice() else { panic!("{:?}", incoming.concepts) };
        assert_eq!(first.content.terms[0].value, "Først, \"ægte\"; nok");
        assert_eq!(second.content.relations, [crate::model::Relation::plain(RelationKind::Generic, Key("A".into()))]);
        let admitted = second.content.terms.iter().filter(|t| t.status == TermStatus::Admitted);
        assert_eq!(admitted.map(|t| t.value.as_str()).collect::<Vec<_>>(), ["x", "y|z"]);
        assert_eq!((second.keys.as_slice(), &second.place), ([Key("A.1".into())].as_slice(), &Place::row(3)));
    }
}

#[test]
fn a_concept_has_the_names_that_other_rows_may_use() {
    let text = format!(
        "notation,uuid,alias,more\nA,{},b|A|c,\"{{\"\"aliases\"\":[{{\"\"value\"\":\"\"X\"\",\"\"system\"\":\"\"s\"\"}}]}}\"",
        uuid(1).to_string().to_uppercase(),
    );
    let incoming = read(text.as_bytes(), &options()).unwrap();
    let keys: Vec<_> = incoming.concepts[0].keys.iter().map(|k| k.0.clone()).collect();
    assert_eq!(keys, ["A".to_owned(), uuid(1).to_string(), "b".to_owned(), "c".to_owned()]);
    assert_eq!(incoming.concepts[0].content.aliases.len(), 4);
}

#[test]
fn what_is_wrong_is_refused_with_row_and_column() {
    let (one, other) = (uuid(1), uuid(2));
    let cases = [
        (String::new(), Code::Incomplete, 1, None),
        ("\n\n".into(), Code::Incomplete, 1, None),
        ("notation,kode\nA,B".into(), Code::Syntax, 1, Some("kode")),
        ("notation,\nA,".into(), Code::Syntax, 1, Some("")),
        ("notation,preferred.dansk sprog\nA,B".into(), Code::InvalidLanguage, 1, Some("preferred.dansk sprog")),
        ("notation,preferred.da,preferred.DA\nA,B,C".into(), Code::Syntax, 1, Some("preferred.DA")),
        ("notation,uuid\nA,x".into(), Code::InvalidIdentifier, 2, Some("uuid")),
        ("notation,preferred.da\nA,B\nC".into(), Code::Syntax, 3, None),
        ("notation,preferred.da\nA,B,C".into(), Code::Syntax, 2, None),
        ("notation,preferred.da\nA,\"B\"C".into(), Code::Syntax, 2, None),
        ("notation,preferred.da\nA,\"B\nC,D\n".into(), Code::Syntax, 2, None),
        ("notation,preferred.da\n,B".into(), Code::Incomplete, 2, None),
        ("notation,preferred.da\nA,B\n\nA,C".into(), Code::DuplicateCode, 3, Some("notation")),
        (format!("notation,uuid\nA,{one}\nA,"), Code::DuplicateCode, 3, Some("notation")),
        (format!("notation,uuid\nA,{one}\nB,{one}"), Code::DuplicateCode, 3, Some("uuid")),
        ("notation,more\nA,{".into(), Code::Syntax, 2, Some("more")),
        ("notation;more\nA;\"{\"\"color\"\":1}\"".into(), Code::Syntax, 2, Some("more")),
        ("notation;more\nA;\"{\"\"rank\"\":1}\"".into(), Code::Syntax, 2, Some("more")),
        ("notation;more\nA;\"{\"\"notation\"\":\"\"B\"\"}\"".into(), Code::Syntax, 2, Some("more")),
        ("notation,subject.da\nA,a|b\u{0}".into(), Code::InvalidText, 2, Some("subject.da")),
        ("notation\u{0}".into(), Code::Syntax, 1, Some("notation\u{0}")),
    ];
    for (text, code, row, field) in cases {
        let refusal = refusal(&text);
        let found = (refusal.code, refusal.place.row, refusal.place.field.as_deref());
        assert_eq!(found, (code, Some(row), field), "{text:?}: {refusal}");
        assert!(!refusal.da.is_empty() && !refusal.en.is_empty());
    }
    let apart = format!("notation,uuid\nA,{one}\nA,{other}");
    assert_eq!(read(apart.as_bytes(), &options()).unwrap().concepts.len(), 2);
    let twice = refusal("notation,preferred.da\nA,B\nC,D\nA,E");
    assert_eq!(twice.items, ["row 2, notation", "row 4, notation"]);
    assert!(refusal("x").allowed.contains(&"notation".to_owned()));
}

#[test]
fn only_utf8_is_read() {
    let latin: &[u8] = b"notation,preferred.da\nA,bes\xf8g";
    let utf16: &[u8] = b"\xff\xfen\0o\0";
    for (bytes, line) in [(latin, 2), (utf16, 1)] {
        let refusal = read(bytes, &options()).unwrap_err();
        assert_eq!((refusal.code, refusal.place.line), (Code::Encoding, Some(line)));
    }
}

#[test]
fn many_values_in_a_cell_are_quick() {
    let text = format!("notation,alias\nA,{}", (0..200_000).map(|n| n.to_string()).collect::<Vec<_>>().join("|"));
    let started = std::time::Instant::now();
    assert_eq!(read(text.as_bytes(), &options()).unwrap().concepts[0].keys.len(), 200_001);
    assert!(started.elapsed().as_secs() < 5);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _ = read(&bytes, &options());
    }

    #[test]
    fn no_table_panics(text in "(notation|uuid|more|alias)([,;\t](parent|preferred\\.da|\"note\\.scope\\.en\"))?[\r\n]([a|\\\\,;\"\r\n]|\\PC)*") {
        let _ = read(text.as_bytes(), &options());
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
