//! Round trips, and `xmllint` with our schema and KOMBIT's.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;

use super::super::codes::Coded;
use super::super::{FACET, KLASSE, KLASSIFIKATION, SAGDOK};
use super::*;

const SCHEMA: &str = "schemas/begreb-klassifikation-2026-11-22.xsd";

/// A folder with our schema and KOMBIT's beside it.
struct Bench(PathBuf);

impl Bench {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("begreb-oioxml-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::os::unix::fs::symlink(kombit(), dir.join("kombit")).unwrap();
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        std::fs::copy(project.join(SCHEMA), dir.join("begreb.xsd")).unwrap();
        Self(dir)
    }

    /// The envelope by our schema, and every object in it by KOMBIT's alone.
    fn assert_valid(&self, file: &str) {
        self.assert_valid_by("begreb.xsd", &[file.to_owned()]);
        let objects = [
            ("klassifikation", "Klassifikation", KLASSIFIKATION),
            ("facet", "Facet", FACET),
            ("klasse", "Klasse", KLASSE),
        ];
        for (prefix, name, namespace) in objects {
            let cut = cut_out(file, &format!("{prefix}:{name}"), &format!("xmlns:{prefix}=\"{namespace}\""));
            self.assert_valid_by(&format!("kombit/6.0.STS-0/{name}.xsd"), &cut);
        }
    }

    fn assert_valid_by(&self, schema: &str, files: &[String]) {
        for batch in files.chunks(200) {
            let names: Vec<String> = (0..batch.len()).map(|i| format!("{i}.xml")).collect();
            for (name, file) in names.iter().zip(batch) {
                std::fs::write(self.0.join(name), file).unwrap();
            }
            let mut lint = Command::new("xmllint");
            lint.args(["--noout", "--nonet", "--schema", schema]).args(&names).current_dir(&self.0);
            let done = lint.output().expect("these tests need xmllint (apt: libxml2-utils)");
            assert!(done.status.success(), "{schema}: {}", String::from_utf8_lossy(&done.stderr));
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Where KOMBIT's schemas are.
fn kombit() -> PathBuf {
    if let Some(named) = std::env::var_os("BEGREB_OIOXML") {
        return named.into();
    }
    let above = |dir: &Path| Some(dir.join("shared/data/oioxml")).filter(|d| d.is_dir());
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .find_map(above)
        .expect("KOMBIT's schemas are not in shared/data/oioxml above the project: name their folder in BEGREB_OIOXML")
}

fn cut_out(file: &str, tag: &str, namespace: &str) -> Vec<String> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let bodies = file.split(&open).skip(1).map(|rest| rest.split(&close).next().unwrap());
    bodies.map(|body| format!("<{tag} {namespace} xmlns:sd=\"{SAGDOK}\">{body}{close}")).collect()
}

#[test]
fn every_field_is_written_and_reads_back() {
    let file = rich_file();
    let incoming = reading(&file).unwrap();
    assert_eq!(incoming.losses, []);
    assert_eq!(incoming.statements, version(vec![statement(Some("<urn:s>"), "<urn:o>")]).statements);
    let set = rich_set();
    assert_eq!(
        incoming.concepts.iter().map(|c| c.uuid.unwrap()).collect::<Vec<_>>(),
        set.iter().map(|c| c.uuid).collect::<Vec<_>>()
    );
    for (read, written) in incoming.concepts.iter().zip(&set) {
        assert_eq!(read.content, expected(written));
        let uuid = Key(written.uuid.to_string());
        assert_eq!(
            read.keys,
            written.content.fields().notation.iter().cloned().map(Key).chain([uuid]).collect::<Vec<_>>()
        );
        assert!(read.place.line.is_some());
    }
}

#[test]
fn the_vocabulary_reads_back() {
    let frame = reading(&rich_file()).unwrap().frame;
    let vocabulary = vocabulary(&[]);
    let f = vocabulary.fields();
    assert_eq!(frame.iri.as_ref(), Some(&f.namespace));
    assert_eq!((&frame.titles, &frame.descriptions), (&f.titles, &f.descriptions));
    assert_eq!((&frame.identifiers, &frame.languages), (&f.identifiers, &f.languages));
    assert_eq!((frame.licence.as_ref(), frame.claimed_version.as_deref()), (f.licence.as_ref(), Some("2026-12-01")));
    assert_eq!(frame.facets.iter().map(|f| f.0.as_str()).next(), Some("ydelse"));
    assert_eq!(frame.facets[1].1, [da("Ydelse & <støtte>"), en("Service")]);
}

#[test]
fn the_rich_set_is_valid() {
    Bench::new().assert_valid(&rich_file());
}

#[test]
fn an_edition_without_version_facets_or_concepts_is_valid() {
    let bench = Bench::new();
    bench.assert_valid_by("begreb.xsd", &[written(&vocabulary(&[]), None, &[])]);
    let file = written(&vocabulary(&[]), None, &rich_set());
    bench.assert_valid(&file);
    assert_eq!(reading(&file).unwrap().losses, []);
}

#[test]
fn the_schema_lists_the_codes_that_are_written() {
    let schema = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(SCHEMA)).unwrap();
    fn check<T: Coded>(schema: &str, name: &str) {
        let body = schema.split(&format!("simpleType name=\"{name}\"")).nth(1).unwrap();
        let body = body.split("</xs:simpleType>").next().unwrap();
        let listed: Vec<&str> = body.split("value=\"").skip(1).map(|v| v.split('"').next().unwrap()).collect();
        assert_eq!(listed, T::CODES.iter().map(|(code, _)| *code).collect::<Vec<_>>(), "{name}");
        assert!(T::CODES.iter().all(|(code, value)| value.code() == *code));
    }
    check::<TermStatus>(&schema, "TermStatusKodeType");
    check::<TermForm>(&schema, "TermFormKodeType");
    check::<SourceRelation>(&schema, "KildeRelationKodeType");
    check::<NoteKind>(&schema, "NoteTypeKodeType");
    check::<RelationKind>(&schema, "RelationTypeKodeType");
    check::<MappingKind>(&schema, "MapningTypeKodeType");
}

fn words(longest: usize) -> impl Strategy<Value = String> {
    let hard = prop_oneof![
        Just('\r'),
        Just('\n'),
        Just('\t'),
        Just('\u{1}'),
        Just('\u{ffff}'),
        Just('\\'),
        Just('&'),
        Just('<'),
        Just(']'),
        Just('>'),
        Just('…'),
        Just('\u{85}'),
        Just('\u{2028}'),
        Just('\u{10ffff}'),
        Just('\u{feff}')
    ];
    let some = prop::collection::vec(prop_oneof![2 => any::<char>(), 1 => hard, 3 => Just('a')], 1..80);
    (some, 1..=longest).prop_map(move |(chars, times)| {
        let text: String = chars.iter().cycle().take(chars.len() * times).filter(|c| **c != '\0').collect();
        if text.trim().is_empty() { "x".to_owned() } else { text }
    })
}

fn code() -> impl Strategy<Value = String> {
    words(3).prop_map(|text| {
        let code: String = text.chars().filter(|c| !c.is_control()).take(100).collect();
        if code.trim().is_empty() { "kode".to_owned() } else { code }
    })
}

prop_compose! {
    fn any_fields()(
        notation in prop::option::of(code()),
        preferred in words(6),
        other in words(6),
        reason in words(2),
        definition in words(150),
        notes in prop::collection::vec(words(60), 0..4),
        law in words(60),
        target in code(),
        facet in prop::option::of(code()),
    ) -> ContentFields {
        let mut deprecated = Term::plain(Language::danish(), TermStatus::Deprecated, format!("ikke {other}"));
        deprecated.reason = Some(reason);
        let kinds = [NoteKind::Scope, NoteKind::Example, NoteKind::Change, NoteKind::General];
        let note = |(text, kind): (String, NoteKind)| Note { kind, language: Language::danish(), text };
        ContentFields {
            notation,
            facet,
            terms: vec![
                Term::plain(Language::danish(), TermStatus::Preferred, preferred),
                Term::plain(Language::english(), TermStatus::Admitted, other),
                deprecated,
            ],
            definitions: vec![Definition::plain(Language::english(), definition)],
            notes: notes.into_iter().zip(kinds).map(note).collect(),
            legal_basis: vec![LegalBasis { paragraph: Some(law.clone()), law, ..LegalBasis::default() }],
            mappings: vec![Mapping { kind: MappingKind::Close, target: target.clone() }],
            aliases: vec![Alias::plain(target.clone())],
            statements: vec![statement(None, &target)],
            ..ContentFields::default()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_content_is_valid_and_reads_back(set in prop::collection::vec(any_fields(), 10..20)) {
        let set: Vec<OutgoingConcept> = (1..).zip(set).map(|(n, fields)| concept(n, fields)).collect();
        let file = written(&vocabulary(&[]), None, &set);
        let incoming = reading(&file).unwrap();
        prop_assert_eq!(&incoming.losses, &[]);
        for (read, written) in incoming.concepts.iter().zip(&set) {
            prop_assert_eq!(&read.content, &expected(written));
        }
        Bench::new().assert_valid(&file);
    }
}
