use std::path::PathBuf;
use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::exchange::DEEPEST;
use crate::exchange::json::fixture::options;

fn parse(text: &str) -> Result<Incoming> {
    read(text.as_bytes(), &options())
}

/// A code system with some more elements; they begin on line 2.
fn system(elements: &str) -> String {
    format!("{{\"resourceType\":\"CodeSystem\",\"content\":\"complete\",\n{elements}}}")
}

fn concepts(concepts: &str) -> Incoming {
    parse(&system(&format!("\"concept\":[{concepts}]"))).unwrap()
}

fn term(language: &str, status: TermStatus, value: &str) -> Term {
    Term::plain(language.parse().unwrap(), status, value)
}

fn losses(incoming: &Incoming) -> Vec<(&str, u64)> {
    incoming.losses.iter().map(|l| (l.what.as_str(), l.count)).collect()
}

/// A file of Kommunernes Landsforening, which is not part of the project; nothing where it is not at hand.
fn kl(name: &str) -> Option<Vec<u8>> {
    let told = std::env::var_os("BEGREB_KL_DATA").map(PathBuf::from);
    let found = told.or_else(|| {
        let above = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        above.ancestors().map(|dir| dir.join("shared/data/kl")).find(|dir| dir.is_dir())
    });
    let bytes = found.and_then(|dir| std::fs::read(dir.join(name)).ok());
    if bytes.is_none() {
        eprintln!("{name} is not at hand, so nothing was tested with it; BEGREB_KL_DATA says where it is");
    }
    bytes
}

/// How deep the deepest concept is, by the relations; parents come before children.
fn depth(incoming: &Incoming) -> usize {
    let mut depths: HashMap<&Key, usize> = HashMap::new();
    for concept in &incoming.concepts {
        let above = concept.content.relations.iter().filter_map(|r| depths.get(&r.target)).max().copied();
        depths.insert(&concept.keys[0], above.unwrap_or(0) + 1);
    }
    depths.into_values().max().unwrap_or(0)
}

#[test]
fn the_editions_of_kl_are_read() {
    for (name, count, levels, version) in [
        ("FSIII-2020-09-08.json", 333, 3, "20200908"),
        ("FSIII-2023-05-17.json", 367, 3, "20230517"),
        ("FSIII-2023-06-22.json", 335, 3, "20230622"),
        ("FSIII-2024-05-30.json", 404, 3, "20240530"),
        ("FSIII-2024-10-31.json", 828, 3, "20240530"),
        ("FFB-2020-09-08.json", 219, 7, "20200908"),
        ("FFB-2023-05-17.json", 220, 7, "20230517"),
        ("FFB-2024-06-03.json", 220, 7, "20240530"),
    ] {
        let Some(bytes) = kl(name) else { continue };
        let incoming = read(&bytes, &options()).unwrap();
        assert_eq!((incoming.concepts.len(), depth(&incoming)), (count, levels), "{name}");
        let frame = &incoming.frame;
        let oid = if name.starts_with("FFB") { "urn:oid:1.2.208.176.2.22" } else { "urn:oid:1.2.208.176.2.21" };
        assert_eq!((frame.iri.as_deref(), frame.identifiers.as_slice()), (Some(oid), [oid.to_owned()].as_slice()));
        assert_eq!(
            (frame.claimed_version.as_deref(), frame.languages.as_slice()),
            (Some(version), [Language::danish()].as_slice())
        );
        for concept in &incoming.concepts {
            let content = concept.content.clone().try_map_targets(|_| Ok(Uuid::nil())).unwrap();
            assert!(crate::model::Content::new(content).is_ok(), "{name}: {}", concept.place);
        }
        let known = ["element 'caseSensitive'", "element 'experimental'", "element 'id'", "element 'status'"];
        assert!(losses(&incoming).iter().all(|(what, count)| known.contains(what) && *count == 1), "{name}");
    }
}

#[test]
fn the_latest_edition_of_fsiii_is_as_in_the_file() {
    let Some(bytes) = kl("FSIII-2024-10-31.json") else { return };
    let incoming = read(&bytes, &options()).unwrap();
    let first = &incoming.concepts[0];
    let uuid: Uuid = "370e6178-9a5d-45f9-a2c9-f658186059c9".parse().unwrap();
    assert_eq!((first.uuid, first.keys.len()), (Some(uuid), 1));
    assert_eq!(first.place, Place { field: Some("concept[0]".into()), ..Place::line(11, 5) });
    let child = &incoming.concepts[1].content;
    assert_eq!(child.relations, [relation(RelationKind::Generic, &uuid.to_string())]);
    assert_eq!(child.notation.as_deref(), Some("041a8348-e77d-4d6d-a464-a46b4fd036d0"));
    let admitted = incoming.concepts.iter().flat_map(|c| &c.content.terms).filter(|t| t.status == TermStatus::Admitted);
    let admitted: Vec<_> = admitted.map(|t| t.value.as_str()).collect();
    let expected = ["Andre problemer med hud og slimhinder", "Skaffe sig varer og tjenesteydelser"];
    assert_eq!(admitted, [expected, expected].concat());
    assert!(incoming.concepts.iter().any(|c| c.uuid.is_none() && c.keys[0].0 == "116_i_Serviceloven"));
}

#[test]
fn the_frame_is_taken_over() {
    let incoming = parse(&system(
        r#""url":"urn:oid:1.2","version":"3","name":"Navn","title":"Titel","description":" ","language":"en-gb",
        "identifier":[{"system":"urn:oid","value":"1.2.3"},{"system":"urn:ietf:rfc:3986","value":"1.2.4"},
        {"system":"urn:ietf:rfc:3986","value":"urn:uuid:x"},{"value":"abc","use":"old"},{"system":"http://x","value":"1.2"},
        {"system":"urn:oid"}],
        "concept":[{"code":"A","display":"a thing"}]"#,
    ))
    .unwrap();
    let frame = &incoming.frame;
    let english: Language = "en-GB".parse().unwrap();
    assert_eq!((frame.iri.as_deref(), frame.claimed_version.as_deref()), (Some("urn:oid:1.2"), Some("3")));
    assert_eq!(frame.titles, [Text::new(english.clone(), "Titel").unwrap()]);
    assert_eq!((frame.descriptions.len(), &frame.languages), (0, &vec![english]));
    assert_eq!(frame.identifiers, ["urn:oid:1.2.3", "urn:oid:1.2.4", "urn:uuid:x", "abc", "1.2"]);
    assert_eq!(
        losses(&incoming),
        [
            ("element 'description'", 1),
            ("element 'identifier'", 1),
            ("element 'identifier.system'", 1),
            ("element 'identifier.use'", 1),
            ("element 'name'", 1),
        ]
    );
    let named = parse(&system(r#""name":"Navn""#)).unwrap();
    assert_eq!(named.frame.titles[0].text, "Navn");
}

#[test]
fn elements_come_in_any_order() {
    let text = r#"{"concept":[{"concept":[{"concept":[],"display":"barn","code":"B"}],"code":"A","display":"top"}],
        "language":"nb","hierarchyMeaning":"part-of","content":"complete","resourceType":"CodeSystem"}"#;
    let incoming = parse(text).unwrap();
    let [top, child] = incoming.concepts.as_slice() else { panic!("two concepts") };
    assert_eq!((top.keys[0].0.as_str(), child.keys[0].0.as_str()), ("A", "B"));
    assert_eq!(child.content.relations, [relation(RelationKind::Partitive, "A")]);
    assert_eq!(child.content.terms, [term("nb", TermStatus::Preferred, "barn")]);
    assert_eq!(child.place.field.as_deref(), Some("concept[0].concept[0]"));
}

#[test]
fn terms_come_from_display_and_designations() {
    use TermStatus::{Admitted, Preferred};
    let cases = [
        (r#""display":" A\u00a0b  c ""#, vec![term("da", Preferred, " A\u{a0}b  c ")], 0),
        (
            r#""display":"A","designation":[{"value":"B"}]"#,
            vec![term("da", Preferred, "A"), term("da", Admitted, "B")],
            0,
        ),
        (r#""display":"A","designation":[{"value":"A "}]"#, vec![term("da", Preferred, "A")], 0),
        (
            r#""display":"A","designation":[{"language":"en","value":"B"},{"language":"en","value":"C"}]"#,
            vec![term("da", Preferred, "A"), term("en", Preferred, "B"), term("en", Admitted, "C")],
            0,
        ),
        (
            r#""display":"A","designation":[{"language":"en","use":{"code":"synonym"},"value":"B"},
            {"language":"en","use":{"code":"display"},"value":"B"},{"use":{"code":"display"},"value":"D"}]"#,
            vec![term("da", Preferred, "A"), term("en", Preferred, "B"), term("da", Admitted, "D")],
            1,
        ),
        (r#""definition":"x""#, vec![term("da", Preferred, "K")], 1),
        (r#""display":" ","designation":[{"value":"K"}]"#, vec![term("da", Preferred, "K")], 1),
        (
            r#""designation":[{"language":"da","use":{"code":"preferredForLanguage"},"value":"B"}]"#,
            vec![term("da", Preferred, "B")],
            1,
        ),
        (r#""display":"A","designation":[{"value":" "},{"language":"en"}]"#, vec![term("da", Preferred, "A")], 2),
    ];
    for (elements, expected, lost) in cases {
        let incoming = concepts(&format!("{{\"code\":\"K\",{elements}}}"));
        assert_eq!(incoming.concepts[0].content.terms, expected, "{elements}");
        assert_eq!(incoming.losses.iter().map(|l| l.count).sum::<u64>(), lost, "{elements}");
    }
}

#[test]
fn relations_come_from_nesting_and_properties() {
    let incoming = concepts(
        r#"{"code":"A","display":"a","concept":[{"code":"B","display":"b","property":[
            {"code":"parent","valueCode":"A"},{"code":"parent","valueCode":"C"},{"code":"child","valueCode":"D"},
            {"code":"replacedBy","valueCode":"D"},{"code":"successor","valueCode":"X"},
            {"code":"inactive","valueBoolean":true},{"code":"inactive","valueBoolean":false},
            {"code":"parent","valueString":"C"}]}]},
        {"code":"C","display":"c"},{"code":"D","display":"d"}"#,
    );
    let of = |i: usize| incoming.concepts[i].content.relations.clone();
    let above = |code| relation(RelationKind::Generic, code);
    assert_eq!(of(1), [above("A"), above("C")]);
    assert_eq!(of(3), [above("B"), relation(RelationKind::Replaces, "B")]);
    assert!(of(0).is_empty() && of(2).is_empty());
    assert_eq!(losses(&incoming), [("property 'inactive'", 2), ("property 'parent'", 1), ("property 'successor'", 1)]);
}

#[test]
fn nothing_is_lost_in_silence() {
    let incoming = parse(&system(
        r#""experimental":true,"copyright":"©","count":3,"property":[{"code":"x"}],"extension":{"a":[[{}]]},
        "concept":[{"code":"A","display":"a","extension":[],"definition":" ","concept":[
        {"code":"B","display":"b","extension":1,"designation":[{"value":"c","_value":null,"use":{"system":"s"}}],
        "property":[{"code":"y","valueCode":"z","extension":{}}]}]}]"#,
    ))
    .unwrap();
    assert_eq!(
        losses(&incoming),
        [
            ("element 'concept.definition'", 1),
            ("element 'concept.designation._value'", 1),
            ("element 'concept.designation.use.system'", 1),
            ("element 'concept.extension'", 2),
            ("element 'concept.property.extension'", 1),
            ("element 'copyright'", 1),
            ("element 'count'", 1),
            ("element 'experimental'", 1),
            ("element 'extension'", 1),
            ("element 'property'", 1),
            ("property 'y'", 1),
        ]
    );
    assert!(parse(&system(r#""count":0"#)).unwrap().losses.is_empty());
}

#[test]
fn a_uuid_is_one_code_however_it_is_written() {
    let lower = "7ac451dc-773b-4877-baaf-1e6b1d5c8e28";
    let incoming = concepts(&format!("{{\"code\":\"{}\"}}", lower.to_uppercase()));
    let concept = &incoming.concepts[0];
    assert_eq!(concept.uuid, Some(lower.parse().unwrap()));
    assert_eq!(concept.keys, [Key(lower.to_uppercase()), Key(lower.into())]);
    assert_eq!(concept.content.notation, Some(lower.to_uppercase()));
    // Without hyphens it is a code like any other.
    assert_eq!(concepts(&format!("{{\"code\":\"{}\"}}", lower.replace('-', ""))).concepts[0].uuid, None);
    let twice = system(&format!("\"concept\":[{{\"code\":\"{lower}\"}},{{\"code\":\"{}\"}}]", lower.to_uppercase()));
    assert_eq!(parse(&twice).unwrap_err().code, Code::DuplicateCode);
}

#[test]
fn what_is_wrong_is_refused_with_its_place() {
    type Case = (&'static str, Code, (u64, u64), Option<&'static str>);
    let in_system: [Case; 18] = [
        (r#""url":1"#, Code::Syntax, (2, 7), Some("url")),
        (r#""count":"2""#, Code::Syntax, (2, 9), Some("count")),
        (r#""url":null"#, Code::Syntax, (2, 7), Some("url")),
        (r#""url":"a","url":"a""#, Code::Syntax, (2, 11), Some("url")),
        (r#""language":"dansk sprog""#, Code::InvalidLanguage, (2, 12), Some("language")),
        (r#""hierarchyMeaning":"over""#, Code::Syntax, (2, 20), Some("hierarchyMeaning")),
        (r#""identifier":[1]"#, Code::Syntax, (2, 15), Some("identifier[0]")),
        (r#""concept":{}"#, Code::Syntax, (2, 11), Some("concept")),
        (r#""concept":["A"]"#, Code::Syntax, (2, 12), Some("concept[0]")),
        (r#""concept":[{"code":1}]"#, Code::Syntax, (2, 20), Some("concept[0].code")),
        (r#""concept":[{"code":"æ"},{"display":"b"}]"#, Code::Incomplete, (2, 25), Some("concept[1].code")),
        (r#""concept":[{"code":" "}]"#, Code::Incomplete, (2, 12), Some("concept[0].code")),
        (r#""concept":[{"code":"A"},{"code":"A"}]"#, Code::DuplicateCode, (2, 25), Some("concept[1]")),
        (
            r#""concept":[{"code":"A","concept":[{"concept":[{"code":[]}]}]}]"#,
            Code::Syntax,
            (2, 55),
            Some("concept[0].concept[0].concept[0].code"),
        ),
        (
            r#""concept":[{"code":"A","designation":[{},{"language":"!","value":"a"}]}]"#,
            Code::InvalidLanguage,
            (2, 54),
            Some("concept[0].designation[1].language"),
        ),
        (
            r#""concept":[{"code":"A","property":[{"code":"child","valueCode":"B"}]}]"#,
            Code::UnknownTarget,
            (2, 12),
            Some("concept[0]"),
        ),
        (r#""concept":[{"code":"A",}]"#, Code::Syntax, (2, 24), Some("concept[0]")),
        (r#""concept":[{"code":"A" "b"}]"#, Code::Syntax, (2, 24), Some("concept[0]")),
    ];
    let whole: [Case; 10] = [
        ("", Code::Syntax, (1, 1), None),
        ("[]", Code::Syntax, (1, 1), None),
        ("{\n  \"resourceType\": \"ValueSet\"}", Code::Syntax, (2, 19), Some("resourceType")),
        (r#"{"resourceType":"CodeSystem","content":"fragment"}"#, Code::Incomplete, (1, 40), Some("content")),
        (r#"{"resourceType":"CodeSystem","content":"example"}"#, Code::Incomplete, (1, 40), Some("content")),
        (r#"{"resourceType":"CodeSystem","content":"supplement"}"#, Code::Incomplete, (1, 40), Some("content")),
        (r#"{"resourceType":"CodeSystem","content":"not-present"}"#, Code::Incomplete, (1, 40), Some("content")),
        ("{\"resourceType\":\"CodeSystem\",\n\"content\":\"complete\"} {}", Code::Syntax, (2, 23), None),
        ("{\"a\":\"æ\n\"}", Code::Syntax, (1, 8), Some("a")),
        ("{\"a\":\n \"b", Code::Syntax, (2, 4), Some("a")),
    ];
    let in_system = in_system.map(|(elements, code, place, field)| (system(elements), code, place, field));
    let whole = whole.map(|(text, code, place, field)| (text.to_owned(), code, place, field));
    for (text, code, (line, column), field) in in_system.into_iter().chain(whole) {
        let refusal = parse(&text).unwrap_err();
        let place = Place { field: field.map(Into::into), ..Place::line(line, column) };
        assert_eq!((refusal.code, &refusal.place), (code, &place), "{text}: {refusal}");
        assert!(!refusal.da.is_empty() && refusal.da != refusal.en);
    }
}

#[test]
fn what_is_not_there_is_refused_by_its_name() {
    for (text, code, field) in [
        ("{}", Code::Syntax, "resourceType"),
        (r#"{"content":"complete"}"#, Code::Syntax, "resourceType"),
        (r#"{"resourceType":"CodeSystem"}"#, Code::Incomplete, "content"),
    ] {
        let refusal = parse(text).unwrap_err();
        assert_eq!((refusal.code, refusal.place), (code, Place::field(field)), "{text}");
    }
    assert_eq!(read(b"{\"a\":\"\xe6\"}", &options()).unwrap_err().code, Code::Encoding);
    let twice = parse(&system("\"concept\":[{\"code\":\"A\"},\n{\"code\":\"A\"}]")).unwrap_err();
    assert_eq!(twice.items, ["line 2, column 12, concept[0]", "line 3, column 1, concept[1]"]);
}

/// A chain of concepts, each in the one before.
fn chain(levels: usize) -> String {
    let open: String = (0..levels).map(|n| format!("\"concept\":[{{\"code\":\"{n}\",")).collect();
    system(&format!("{open}\"display\":\"x\"{}", "}]".repeat(levels)))
}

#[test]
fn a_hierarchy_may_be_deep_but_not_deeper_than_the_limit() {
    for levels in [1, 200, DEEPEST] {
        let incoming = parse(&chain(levels)).unwrap();
        assert_eq!((incoming.concepts.len(), depth(&incoming)), (levels, levels));
    }
    let refusal = parse(&chain(DEEPEST + 1)).unwrap_err();
    assert_eq!((refusal.code, refusal.place.line), (Code::TooDeep, Some(2)));
    assert!(refusal.place.field.unwrap().starts_with("concept[0].concept[0]."));
    for nested in ["[", "{\"a\":", "{\"concept\":[", "{\"concept\":[{\"designation\":["] {
        for start in ["", "{\"resourceType\":\"CodeSystem\",\"x\":"] {
            let refusal = parse(&format!("{start}{}", nested.repeat(300_000))).unwrap_err();
            assert!(matches!(refusal.code, Code::TooDeep | Code::Syntax), "{nested}");
        }
    }
}

#[test]
fn a_wide_hierarchy_is_quick() {
    let children: Vec<String> = (0..20_000)
        .map(|n| format!("{{\"code\":\"c{n}\",\"property\":[{{\"code\":\"parent\",\"valueCode\":\"p\"}}]}}"))
        .collect();
    let designations: Vec<String> = (0..20_000).map(|n| format!("{{\"value\":\"d{n}\"}}")).collect();
    let parent =
        format!("{{\"code\":\"p\",\"designation\":[{}],\"concept\":[{}]}}", designations.join(","), children.join(","));
    let started = Instant::now();
    let incoming = concepts(&parent);
    assert_eq!(incoming.concepts.len(), 20_001);
    assert!(incoming.concepts[1..].iter().all(|c| c.content.relations.len() == 1));
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

/// A valid document with every element in it.
fn sample() -> String {
    system(
        r#""url":"urn:oid:1.2","identifier":[{"system":"urn:oid","value":"1.2"}],"count":2,"extension":[{"a":null}],
        "concept":[{"code":"A","display":"\u00e6\ud83d\ude00","designation":[{"language":"en","use":{"code":"display"},
        "value":"x"}],"concept":[{"code":"B","property":[{"code":"child","valueCode":"A"}],"x":-1.5e3}]}]"#,
    )
}

#[test]
fn a_cut_file_says_where_it_ends() {
    let text = sample();
    assert!(parse(&text).is_ok());
    for cut in (0..text.len()).filter(|i| text.is_char_boundary(*i)) {
        let refusal = parse(&text[..cut]).unwrap_err();
        assert_eq!(refusal.code, Code::Syntax, "{cut}");
        assert!(refusal.place.line.is_some() && refusal.place.column.is_some(), "{cut}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _ = read(&bytes, &options());
    }

    #[test]
    fn no_json_like_text_panics(text in "([\\[\\]{}:,\"\\\\0-9eE+.\\-]|\"concept\"|\"code\"|true|null|\\\\u[dD][89a-f]00|æ| )*") {
        let _ = parse(&text);
    }

    #[test]
    fn no_mutation_panics(at: prop::sample::Index, to: u8, cut: bool) {
        let mut bytes = sample().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = to;
        if cut {
            bytes.truncate(at + 1);
        }
        let _ = read(&bytes, &options());
    }
}
