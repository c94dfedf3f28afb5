//! Bad input is met with a clear refusal, in Danish and English, and nothing is changed.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use axum::body::Body;
use axum::http::Request;
use begreb::exchange::{Format, LARGEST};
use begreb::http::HttpOptions;
use begreb::model::{Code, Refusal};
use common::{Answer, World, edition, encoded, on_every_database, operator};
use insta::assert_snapshot;
use serde_json::json;

const V: &str = "/api/v1/vocabularies/koder";

/// Two concepts, so that there is something that must not be changed.
const GOOD: &str = "notation,parent,preferred.da\nA,,a\nB,A,b\n";

async fn with_something(w: &World) {
    w.import(edition("koder", Format::Csv, GOOD.as_bytes(), "1", "2020-01-01")).await.expect("it is lawful");
}

/// A refusal as it is shown in a snapshot.
fn shown(what: &str, refusal: &Refusal) -> String {
    format!("## {what}\n{}\n\n", serde_json::to_string_pretty(refusal).expect("JSON"))
}

/// An import that must be refused, and change nothing: by a vocabulary that is there, and by a new one.
async fn refused(w: &World, what: &str, format: Format, bytes: &[u8]) -> (Refusal, Refusal) {
    let (position, before) = (w.position().await, w.get(&format!("{V}/concepts")).await.body);
    let refusal = match w.import(edition("koder", format, bytes, "2", "2021-01-01")).await {
        Err(refusal) => refusal,
        Ok(report) => panic!("{what} was taken in: {:?}", report.manifest),
    };
    assert!(!refusal.da.is_empty() && !refusal.en.is_empty() && refusal.da != refusal.en, "{what}: {refusal:?}");
    assert_eq!(w.position().await, position, "{what}: the log grew");
    assert_eq!(w.get(&format!("{V}/concepts")).await.body, before, "{what}");
    // A vocabulary that was not there is not there after it either.
    let new = match w.import(edition("nyt", format, bytes, "1", "2021-01-01")).await {
        Err(refusal) => refusal,
        Ok(report) => panic!("{what} was taken in by a new vocabulary: {:?}", report.manifest),
    };
    assert_eq!(w.get("/api/v1/vocabularies/nyt").await.status, 404, "{what}");
    assert_eq!(w.position().await, position, "{what}: the log grew");
    w.registry.verify().await.unwrap_or_else(|r| panic!("after {what}: {r}"));
    (refusal, new)
}

fn rdf(doctype: &str, text: &str) -> String {
    format!(
        r#"<?xml version="1.0"?>
{doctype}
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:skos="http://www.w3.org/2004/02/skos/core#">
  <skos:Concept rdf:about="https://koder.example/a">
    <skos:notation>A</skos:notation>
    <skos:prefLabel xml:lang="da">{text}</skos:prefLabel>
  </skos:Concept>
</rdf:RDF>
"#
    )
}

fn ttl(body: &str) -> String {
    format!("@prefix skos: <http://www.w3.org/2004/02/skos/core#> .\n@prefix k: <https://koder.example/> .\n{body}\n")
}

const LAUGHS: &str = r#"<!DOCTYPE x [
  <!ENTITY a "haha">
  <!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
  <!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
  <!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">
  <!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;">
  <!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;">
  <!ENTITY g "&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;">
]>"#;

const EXTERNAL: &str = r#"<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>"#;

const FHIR: &str = r#"{
  "resourceType": "CodeSystem",
  "status": "active",
  "content": "complete",
  "concept": [
    { "code": "A", "display": "a" },
    { "code": "B", "display": "b" }
  ]
}
"#;

#[tokio::test]
async fn files_that_are_refused() {
    on_every_database(async |w| {
        with_something(&w).await;
        let fhir = |concepts: &str| {
            format!(
                "{{\n  \"resourceType\": \"CodeSystem\",\n  \"status\": \"active\",\n  \"content\": \"complete\",\n  \"concept\": [\n{concepts}\n  ]\n}}\n"
            )
        };
        let latin1 = |text: &str| -> Vec<u8> {
            text.replace("{å}", "\u{e5}").chars().map(|c| u8::try_from(u32::from(c)).expect("latin-1")).collect()
        };
        let cases: Vec<(&str, Format, Vec<u8>, Code)> = vec![
            ("truncated FHIR", Format::Fhir, FHIR.as_bytes()[..120].into(), Code::Syntax),
            ("truncated JSON", Format::Json, b"{\"concepts\": [\n  {\"uui".into(), Code::Syntax),
            ("truncated Turtle", Format::Ttl, ttl("k:a a skos:Concept ; skos:notation \"A").into(), Code::Syntax),
            ("truncated RDF/XML", Format::Rdf, rdf("", "a").as_bytes()[..250].into(), Code::Syntax),
            ("truncated JSON-LD", Format::Jsonld, b"[{\"@id\": \"https://koder.example/a\"".into(), Code::Syntax),
            ("truncated OIO XML", Format::Oioxml, b"<?xml version=\"1.0\"?>\n<KlassifikationUdtraek".into(), Code::Syntax),
            ("a quote that does not end", Format::Csv, b"notation,preferred.da\nA,\"a\n".into(), Code::Syntax),
            ("FHIR of another resource", Format::Fhir, b"{\"resourceType\": \"ValueSet\"}".into(), Code::Syntax),
            ("JSON nested without end", Format::Fhir, "[".repeat(200_000).into(), Code::Syntax),
            ("billion laughs in RDF/XML", Format::Rdf, rdf(LAUGHS, "&g;").into(), Code::Forbidden),
            ("billion laughs in OIO XML", Format::Oioxml, format!("{LAUGHS}\n<x>&g;</x>").into(), Code::Forbidden),
            ("external entity in RDF/XML", Format::Rdf, rdf(EXTERNAL, "&e;").into(), Code::Forbidden),
            ("external entity in OIO XML", Format::Oioxml, format!("{EXTERNAL}\n<x>&e;</x>").into(), Code::Forbidden),
            (
                "a context from the network",
                Format::Jsonld,
                br#"{"@context": "https://evil.example/context.jsonld", "@id": "https://koder.example/a"}"#.into(),
                Code::Forbidden,
            ),
            ("latin-1 CSV", Format::Csv, latin1("notation,preferred.da\nA,a\nB,bl{å}\n"), Code::Encoding),
            ("latin-1 FHIR", Format::Fhir, latin1(&FHIR.replace("\"b\"", "\"bl{å}\"")), Code::Encoding),
            ("latin-1 Turtle", Format::Ttl, latin1(&ttl("k:a skos:prefLabel \"bl{å}\"@da .")), Code::Encoding),
            ("latin-1 N-Triples", Format::Nt, latin1("<https://k.example/a> <https://k.example/b> \"bl{å}\" .\n"), Code::Encoding),
            ("latin-1 RDF/XML", Format::Rdf, latin1(&rdf("", "bl{å}")), Code::Encoding),
            ("latin-1 JSON-LD", Format::Jsonld, latin1("[{\"@id\": \"https://k.example/bl{å}\"}]"), Code::Encoding),
            ("latin-1 OIO XML", Format::Oioxml, latin1("<?xml version=\"1.0\"?>\n<x>bl{å}</x>"), Code::Encoding),
            ("latin-1 JSON", Format::Json, latin1("{\"x\": \"bl{å}\"}"), Code::Encoding),
            ("the same code twice in CSV", Format::Csv, b"notation,preferred.da\nA,a\nB,b\nA,c\n".into(), Code::DuplicateCode),
            (
                "the same code twice in FHIR",
                Format::Fhir,
                fhir("    { \"code\": \"A\", \"display\": \"a\" },\n    { \"code\": \"A\", \"display\": \"b\" }").into(),
                Code::DuplicateCode,
            ),
            (
                "a code that is another's alias",
                Format::Csv,
                b"notation,alias,preferred.da\nA,B,a\nB,,b\n".into(),
                Code::DuplicateCode,
            ),
            (
                "the same notation twice in SKOS",
                Format::Ttl,
                ttl("k:a a skos:Concept ; skos:notation \"A\" ; skos:prefLabel \"a\"@da .\nk:b a skos:Concept ; skos:notation \"A\" ; skos:prefLabel \"b\"@da .").into(),
                Code::DuplicateCode,
            ),
            ("a parent that is not there in CSV", Format::Csv, b"notation,parent,preferred.da\nA,,a\nB,X,b\n".into(), Code::UnknownTarget),
            (
                "a parent that is not there in FHIR",
                Format::Fhir,
                fhir("    { \"code\": \"A\", \"display\": \"a\", \"property\": [{ \"code\": \"parent\", \"valueCode\": \"X\" }] }").into(),
                Code::UnknownTarget,
            ),
            (
                "a concept that replaces nobody known",
                Format::Csv,
                b"notation,replaces,preferred.da\nA,,a\nB,X,b\n".into(),
                Code::UnknownTarget,
            ),
            ("its own parent", Format::Csv, b"notation,parent,preferred.da\nA,A,a\n".into(), Code::Cycle),
            ("a cycle in CSV", Format::Csv, b"notation,parent,preferred.da\nA,C,a\nB,A,b\nC,B,c\nD,,d\n".into(), Code::Cycle),
            (
                "a cycle in SKOS",
                Format::Ttl,
                ttl("k:a a skos:Concept ; skos:prefLabel \"a\"@da ; skos:broader k:b .\nk:b a skos:Concept ; skos:prefLabel \"b\"@da ; skos:broader k:a .").into(),
                Code::Cycle,
            ),
            (
                "two preferred terms in SKOS",
                Format::Ttl,
                ttl("k:a a skos:Concept ; skos:prefLabel \"a\"@da , \"b\"@da .").into(),
                Code::PreferredTerm,
            ),
            ("two columns of preferred terms", Format::Csv, b"notation,preferred.da,preferred.da\nA,a,b\n".into(), Code::Syntax),
            (
                "two preferred terms by way of more",
                Format::Csv,
                "notation,preferred.da,more\nA,a,\"{\"\"terms\"\":[{\"\"language\"\":\"\"da\"\",\"\"status\"\":\"\"preferred\"\",\"\"value\"\":\"\"b\"\"}]}\"\n".into(),
                Code::PreferredTerm,
            ),
            ("no preferred term", Format::Csv, b"notation,preferred.da\nA,\n".into(), Code::PreferredTerm),
            ("a column of another format", Format::Csv, b"notation,preferred.da,navn\nA,a,b\n".into(), Code::Syntax),
            ("a row with more cells", Format::Csv, b"notation,preferred.da\nA,a\nB,b,c\n".into(), Code::Syntax),
            ("a row without a name", Format::Csv, b"notation,preferred.da\n,a\n".into(), Code::Incomplete),
            ("a uuid that is none", Format::Csv, b"notation,uuid,preferred.da\nA,123,a\n".into(), Code::InvalidIdentifier),
            ("an empty CSV", Format::Csv, b"".into(), Code::Incomplete),
            ("a CSV of a heading alone", Format::Csv, b"notation,preferred.da\n".into(), Code::Incomplete),
            ("an empty FHIR", Format::Fhir, b"".into(), Code::Syntax),
            ("a FHIR without concepts", Format::Fhir, fhir("").into(), Code::Incomplete),
            ("an empty Turtle", Format::Ttl, b"".into(), Code::Incomplete),
            ("an empty OIO XML", Format::Oioxml, b"".into(), Code::Syntax),
            ("an empty JSON", Format::Json, b"{}".into(), Code::Syntax),
        ];
        let (mut all, mut wrong) = (String::new(), Vec::new());
        for (what, format, bytes, code) in cases {
            let (refusal, new) = refused(&w, what, format, &bytes).await;
            if new.code != code {
                wrong.push(format!("{what}: {} and not {}: {}", new.code.as_str(), code.as_str(), new.en));
            }
            all.push_str(&shown(what, &new));
            // Where concepts are known, a code that two entries have may be a doubt about who is who.
            if refusal != new {
                all.push_str(&shown(&format!("{what}, where A and B are known"), &refusal));
            }
        }
        assert_snapshot!("files", all);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        // Zeros that are never touched: the size alone is enough to refuse it.
        let huge = vec![0; usize::try_from(LARGEST).expect("it fits") + 1];
        let (refusal, _) = refused(&w, "a huge file", Format::Fhir, &huge).await;
        assert_eq!(refusal.code, Code::TooLarge);
    })
    .await;
}

#[tokio::test]
async fn a_file_in_utf_16_is_refused_in_every_format() {
    on_every_database(async |w| {
        with_something(&w).await;
        for format in Format::READ {
            let utf16: Vec<u8> =
                "\u{feff}notation,preferred.da\nA,å\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
            let (refusal, _) = refused(&w, format.name(), format, &utf16).await;
            assert_eq!(refusal.code, Code::Encoding, "{}", format.name());
        }
    })
    .await;
}

#[tokio::test]
async fn a_file_cut_anywhere_is_taken_in_or_refused_as_a_whole() {
    on_every_database(async |w| {
        with_something(&w).await;
        let whole = w.get(&format!("{V}/concepts?version=1")).await.ok().body;
        for format in Format::WRITTEN {
            let bytes = w.get(&format!("{V}/export?format={}&version=1", format.name())).await.ok().body;
            for cut in (1..bytes.len()).step_by(41) {
                let position = w.position().await;
                let mut request = edition("andet", format, &bytes[..cut], "x", "2022-01-01");
                request.dry_run = true;
                let _ = w.import(request).await;
                assert_eq!(w.position().await, position, "{} cut at {cut}", format.name());
            }
        }
        assert_eq!(w.get(&format!("{V}/concepts?version=1")).await.ok().body, whole);
    })
    .await;
}

#[tokio::test]
async fn manifests_that_are_refused() {
    on_every_database(async |w| {
        let folder = w.folder.path().join("ordforråd");
        let one = folder.join("koder");
        std::fs::create_dir_all(&one).expect("a folder");
        std::fs::write(one.join("1.csv"), GOOD).expect("a file");
        std::fs::write(one.join("1.docx"), GOOD).expect("a file");
        let good = "slug = \"koder\"\nuuid = \"11111111-1111-4111-8111-111111111111\"\nkind = \"codeList\"\ngovernance = \"direct\"\n\
            languages = [\"da\"]\ntitles = { da = \"Koder\" }\n\n[[versions]]\nlabel = \"1\"\neffective = \"2020-01-01\"\nfile = \"1.csv\"\n";
        let cases = [
            ("an effective date that is no date", ("2020-01-01", "2021-02-29"), Code::InvalidDate),
            ("an effective date in Danish order", ("2020-01-01", "01-01-2020"), Code::InvalidDate),
            ("a label with a slash", ("label = \"1\"", "label = \"2020/1\""), Code::Syntax),
            ("a label with a space", ("label = \"1\"", "label = \"1 0\""), Code::Syntax),
            ("a slug in capitals", ("\"koder\"", "\"KODER\""), Code::Syntax),
            ("a member that is not known", ("kind =", "sort = 1\nkind ="), Code::Syntax),
            ("a kind that is not known", ("codeList", "liste"), Code::Syntax),
            ("no TOML", ("kind =", "kind"), Code::Syntax),
            ("a file that is not there", ("1.csv", "2.csv"), Code::File),
            ("a file of no format", ("1.csv", "1.docx"), Code::InvalidParameter),
        ];
        let (mut all, mut wrong) = (String::new(), Vec::new());
        for (what, (from, to), code) in cases {
            std::fs::write(one.join("manifest.toml"), good.replace(from, to)).expect("a file");
            let refusal = match w.registry.load(&operator(), &folder).await {
                Err(refusal) => refusal,
                Ok(report) => panic!("{what} was loaded: {report:?}"),
            };
            if refusal.code != code {
                wrong.push(format!("{what}: {} and not {}: {}", refusal.code.as_str(), code.as_str(), refusal.en));
            }
            assert_eq!(w.position().await, 0, "{what}: the log grew");
            all.push_str(&shown(what, &refusal).replace(&folder.display().to_string(), "FOLDER"));
        }
        assert_snapshot!("manifests", all);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        w.registry.verify().await.expect("whole");
        std::fs::write(one.join("manifest.toml"), good).expect("a file");
        w.registry.load(&operator(), &folder).await.expect("the good one is taken in");
        for label in ["2020/1", "", "å", "a b", "../x", "-x", &"x".repeat(65)] {
            let refusal = label.parse::<begreb::model::Label>().expect_err(label);
            assert_eq!(refusal.code, Code::InvalidLabel, "{label}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_label_is_taken_once() {
    on_every_database(async |w| {
        with_something(&w).await;
        let position = w.position().await;
        let other = "notation,parent,preferred.da\nA,,a\nB,A,noget andet\n";
        let refusal = w.import(edition("koder", Format::Csv, other.as_bytes(), "1", "2020-01-01")).await;
        let refusal = refusal.expect_err("the label is taken");
        assert_snapshot!("label_taken", shown("other content", &refusal));
        let moved = w.import(edition("koder", Format::Csv, GOOD.as_bytes(), "1", "2020-01-02")).await;
        assert_snapshot!("label_taken_day", shown("another day", &moved.expect_err("the label is taken")));
        let mut unnamed = edition("koder", Format::Csv, other.as_bytes(), "2", "2021-01-01");
        unnamed.label = None;
        assert_eq!(w.import(unnamed).await.expect_err("a version has a label").code, Code::InvalidParameter);
        let public = edition("koder", Format::Csv, other.as_bytes(), "2", "2021-01-01");
        let public = w.registry.import(&begreb::registry::Actor::Public, public).await;
        assert_eq!(public.expect_err("not everyone may").code, Code::NotSignedIn);
        assert_eq!(w.position().await, position);
        w.registry.verify().await.expect("whole");
    })
    .await;
}

#[tokio::test]
async fn a_concept_lives_in_one_vocabulary() {
    on_every_database(async |w| {
        let file = "notation,uuid,preferred.da\nA,11111111-1111-4111-8111-111111111111,a\n";
        w.import(edition("koder", Format::Csv, file.as_bytes(), "1", "2020-01-01")).await.expect("it is lawful");
        let position = w.position().await;
        let refusal = w.import(edition("andre", Format::Csv, file.as_bytes(), "1", "2020-01-01")).await;
        let refusal = refusal.expect_err("the uuid is taken");
        assert_eq!(refusal.code, Code::Exists);
        assert_eq!(refusal.items, ["11111111-1111-4111-8111-111111111111"]);
        assert_eq!(w.position().await, position);
        w.registry.verify().await.expect("whole");
    })
    .await;
}

#[tokio::test]
async fn a_deep_hierarchy_is_taken_in() {
    on_every_database(async |w| {
        // 200 deep by nesting in FHIR, and by parent in a table.
        let mut nested = String::new();
        for i in 1..=200 {
            nested.push_str(&format!("{{\"code\":\"N{i}\",\"display\":\"n\",\"concept\":["));
        }
        nested.push_str(&"]}".repeat(200));
        let fhir = format!(
            "{{\"resourceType\":\"CodeSystem\",\"status\":\"active\",\"content\":\"complete\",\"concept\":[{nested}]}}"
        );
        w.import(edition("fhir", Format::Fhir, fhir.as_bytes(), "1", "2020-01-01"))
            .await
            .expect("200 levels are allowed");
        let table = |n: usize| {
            let row = |i: usize| if i == 1 { "N1,,n\n".to_owned() } else { format!("N{i},N{},n\n", i - 1) };
            format!("notation,parent,preferred.da\n{}", (1..=n).map(row).collect::<String>())
        };
        w.import(edition("csv", Format::Csv, table(200).as_bytes(), "1", "2020-01-01"))
            .await
            .expect("200 levels are allowed");
        for slug in ["fhir", "csv"] {
            let base = format!("/api/v1/vocabularies/{slug}");
            assert_eq!(w.json(&format!("{base}/concepts/N200")).await["level"], 200);
            assert_eq!(w.json(&format!("{base}/concepts/N200/ancestors?limit=1000")).await["total"], 199);
            assert_eq!(w.json(&format!("{base}/concepts/N1/descendants?limit=1000")).await["total"], 199);
            assert_eq!(w.get(&format!("/id/{slug}/N200")).await.status, 200);
            for format in Format::WRITTEN {
                w.get(&format!("{base}/export?format={}", format.name())).await.ok();
            }
        }
        let position = w.position().await;
        w.import(edition("tusind", Format::Csv, table(1000).as_bytes(), "1", "2020-01-01")).await.expect("1000 too");
        let after = w.position().await;
        assert!(after > position);
        let deeper = w.import(edition("csv", Format::Csv, table(1001).as_bytes(), "2", "2021-01-01")).await;
        assert_eq!(deeper.expect_err("1001 levels are not").code, Code::TooDeep);
        assert_eq!(w.position().await, after);
        w.registry.verify().await.expect("whole");
    })
    .await;
}

#[tokio::test]
async fn a_concept_with_20_000_children_is_taken_in() {
    on_every_database(async |w| {
        let rows: String = (0..20_000).map(|i| format!("B{i:05},A,b\n")).collect();
        let file = format!("notation,parent,preferred.da\nA,,a\n{rows}");
        w.import(edition("koder", Format::Csv, file.as_bytes(), "1", "2020-01-01")).await.expect("it is allowed");
        assert_eq!(w.json(&format!("{V}/concepts/A")).await["narrowerCount"], 20_000);
        let mut codes = Vec::new();
        for answer in
            common::pages(&w, &format!("{V}/concepts/A/children?limit=10000&format=csv&fields=notation")).await
        {
            codes.extend(answer.text().lines().skip(1).map(ToOwned::to_owned).collect::<Vec<_>>());
        }
        assert!(codes.iter().enumerate().all(|(i, c)| *c == format!("B{i:05}")) && codes.len() == 20_000);
        let page = w.get("/id/koder/A").await.ok();
        assert!(page.body.len() < 1 << 20, "a page shows some of them");
        assert_eq!(w.json(&format!("{V}/concepts?codes=B19998-B19999")).await["total"], 2);
    })
    .await;
}

struct Case {
    what: &'static str,
    method: &'static str,
    uri: String,
    body: &'static str,
    accept: &'static str,
    status: u16,
    code: &'static str,
}

fn cases() -> Vec<Case> {
    let get = |what, uri: &str, status, code| Case {
        what,
        method: "GET",
        uri: uri.to_owned(),
        body: "",
        accept: "*/*",
        status,
        code,
    };
    let v = |rest: &str| format!("{V}{rest}");
    let post = |what, body, status, code| Case {
        what,
        method: "POST",
        uri: "/api/v1/validate".into(),
        body,
        accept: "*/*",
        status,
        code,
    };
    let method = |what, method, uri: &str| Case {
        what,
        method,
        uri: uri.to_owned(),
        body: "",
        accept: "*/*",
        status: 405,
        code: "method-not-allowed",
    };
    let mut all = vec![
        get("a parameter that is not known", &v("/concepts?kode=A"), 400, "unknown-parameter"),
        get("a parameter where none is", &v("?date=2020-01-01"), 400, "unknown-parameter"),
        get("a parameter twice", &v("/concepts?level=1&level=2"), 400, "invalid-parameter"),
        get("a level in letters", &v("/concepts?level=top"), 400, "invalid-parameter"),
        get("a level below zero", &v("/concepts?level=-1"), 400, "invalid-parameter"),
        get("a limit in letters", &v("/concepts?limit=alle"), 400, "invalid-parameter"),
        get("a limit below zero", &v("/concepts?limit=-1"), 400, "invalid-parameter"),
        get("a limit of nothing", &v("/concepts?limit=0"), 400, "invalid-parameter"),
        get("a limit that is too large", &v("/concepts?limit=10001"), 400, "invalid-parameter"),
        get("a limit beyond all numbers", &v("/concepts?limit=99999999999999999999"), 400, "invalid-parameter"),
        get("a limit of relatives", &v("/concepts/A/children?limit=10001"), 400, "invalid-parameter"),
        get("a cursor that is none", &v("/concepts?cursor=x"), 400, "invalid-cursor"),
        get("a cursor of relatives that is none", &v("/concepts/A/children?cursor=1.2.3"), 400, "invalid-cursor"),
        get("a field that is not known", &v("/concepts?fields=notation,navn"), 400, "invalid-parameter"),
        get("a column that is not known", &v("/concepts?format=csv&fields=terms"), 400, "invalid-parameter"),
        get("a format that is not known", &v("/concepts?format=xml"), 400, "invalid-parameter"),
        get("a separator that is not known", &v("/concepts?format=csv&separator=x"), 400, "invalid-parameter"),
        get("an empty code", &v("/concepts?codes=A,,B"), 400, "invalid-parameter"),
        get("a parent that is not there", &v("/concepts?parent=X"), 404, "unknown-concept"),
        get("a vocabulary that is not there", "/api/v1/vocabularies/x", 404, "unknown-vocabulary"),
        get("concepts of a vocabulary that is not there", "/api/v1/vocabularies/x/concepts", 404, "unknown-vocabulary"),
        get("a version that is not there", &v("/versions/x"), 404, "unknown-version"),
        get("concepts of a version that is not there", &v("/concepts?version=x"), 404, "unknown-version"),
        get("a concept that is not there", &v("/concepts/X"), 404, "unknown-concept"),
        get("a concept that is not in the version", &v("/concepts/C?version=1"), 404, "not-in-version"),
        get("a version and a date", &v("/concepts?version=1&date=2020-01-01"), 400, "invalid-parameter"),
        get("a version and a registration", &v("/concepts?version=1&registered=2020-01-01"), 400, "invalid-parameter"),
        get("a date that is none", &v("/concepts?date=2023-02-29"), 400, "invalid-date"),
        get("a date in Danish order", &v("/concepts?date=29-02-2024"), 400, "invalid-date"),
        get("an empty date", &v("/concepts?date="), 400, "invalid-date"),
        get("a registration that is none", &v("/concepts?registered=i%20g%C3%A5r"), 400, "invalid-time"),
        get("changes from nowhere", &v("/changes"), 400, "invalid-parameter"),
        get("changes from no version", &v("/changes?from=x"), 404, "unknown-version"),
        get("changes to no version", &v("/changes?from=1&to=x"), 404, "unknown-version"),
        get("an export without a format", &v("/export"), 400, "invalid-parameter"),
        get("an export that is only read", &v("/export?format=fhir"), 400, "invalid-parameter"),
        get("registrations of another kind", &v("/concepts/A/history?registrations=alle"), 400, "invalid-parameter"),
        get("nothing to resolve", "/api/v1/resolve", 400, "invalid-parameter"),
        get("a system without a code", "/api/v1/resolve?system=koder", 400, "invalid-parameter"),
        get("a system that is not there", "/api/v1/resolve?system=x&code=A", 404, "unknown-vocabulary"),
        get("a representation that is not known", "/id/koder/A?format=pdf", 400, "invalid-parameter"),
        get("a path that is no text", "/api/v1/vocabularies/%FF", 400, "invalid-parameter"),
        get("an address that is not there", "/api/v1/ingenting", 404, "not-found"),
        get("a page that is not there", "/ingenting", 404, "not-found"),
        method("to delete a vocabulary", "DELETE", V),
        method("to put a concept", "PUT", &v("/concepts/A")),
        method("to post to the identifiers", "POST", "/id/koder"),
        method("to read the validation", "GET", "/api/v1/validate"),
        post("an empty body", "", 400, "invalid-body"),
        post("a body that is cut", "{\"system\": \"koder\",\n \"code\": \"A", 400, "invalid-body"),
        post("a body of another shape", "[1, 2]", 400, "invalid-body"),
        post("a body without a code", "{\"system\": \"koder\"}", 400, "invalid-body"),
        post("a body with a member that is not known", "{\"system\": \"koder\", \"kode\": \"A\"}", 400, "invalid-body"),
        post("items that are no list", "{\"items\": 1}", 400, "invalid-body"),
        post(
            "an item of another shape",
            "{\"items\": [{\"system\": \"koder\", \"code\": \"A\"}, {\"system\": 1}]}",
            400,
            "invalid-body",
        ),
    ];
    let picture = |what, uri: String| Case {
        what,
        method: "GET",
        uri,
        body: "",
        accept: "image/png",
        status: 406,
        code: "not-acceptable",
    };
    all.push(picture("a list as a picture", v("/concepts")));
    all.push(picture("a concept as a picture", "/id/koder/A".into()));
    all
}

async fn answered(w: &World, case: &Case, language: &str) -> Answer {
    let request = Request::builder().method(case.method).uri(&case.uri);
    let request = request.header("accept", case.accept).header("accept-language", language);
    w.send(request.body(Body::from(case.body)).expect("a request")).await
}

#[tokio::test]
async fn requests_that_are_refused() {
    on_every_database(async |w| {
        with_something(&w).await;
        let next = format!("{GOOD}C,,c\n");
        w.import(edition("koder", Format::Csv, next.as_bytes(), "2", "2022-01-01")).await.expect("it is lawful");
        let position = w.position().await;
        let (mut all, mut wrong) = (String::new(), Vec::new());
        for case in cases() {
            let danish = answered(&w, &case, "da").await;
            let english = answered(&w, &case, "en").await;
            for (answer, language) in [(&danish, "da"), (&english, "en")] {
                let media = answer.header("content-type");
                if media != "application/problem+json" || answer.status != case.status || answer.code() != case.code {
                    wrong.push(format!("{}: {} {} {}", case.what, answer.status, media, answer.text()));
                    continue;
                }
                let problem = answer.json();
                assert_eq!(answer.header("content-language"), language, "{}", case.what);
                assert_eq!(answer.header("cache-control"), "no-store", "{}", case.what);
                assert_eq!(problem["type"], format!("urn:begreb:problem:{}", case.code), "{}", case.what);
                if case.status == 405 {
                    assert!(!answer.header("allow").is_empty(), "{}: what is allowed", case.what);
                }
            }
            if danish.header("content-type") == "application/problem+json" {
                assert_ne!(danish.json()["title"], english.json()["title"], "{}", case.what);
                assert_eq!(danish.json()["where"], english.json()["where"], "{}", case.what);
            }
            all.push_str(&format!("## {}\n{}\n\n{}\n\n", case.what, danish.shown(), english.shown()));
        }
        assert_snapshot!("requests", all);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(w.position().await, position);
    })
    .await;
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_list_only() {
    on_every_database(async |w| {
        with_something(&w).await;
        let cursor = w.json(&format!("{V}/concepts?limit=1")).await["next"].as_str().expect("a cursor").to_owned();
        assert_eq!(w.json(&format!("{V}/concepts?limit=1&cursor={cursor}")).await["concepts"][0]["notation"], "B");
        w.import(edition("andre", Format::Csv, GOOD.as_bytes(), "1", "2020-01-01")).await.expect("it is lawful");
        for other in [
            format!("{V}/concepts?level=1&cursor={cursor}"),
            format!("{V}/concepts/A/children?cursor={cursor}"),
            format!("/api/v1/vocabularies/andre/concepts?cursor={cursor}"),
            format!("{V}/concepts?cursor={cursor}0"),
            format!("{V}/concepts?cursor={}", cursor.replacen('.', ".f", 1)),
            format!("{V}/concepts?cursor={}", encoded("ÅÅÅ")),
            format!("{V}/concepts?cursor="),
        ] {
            assert_eq!(w.get(&other).await.with(400).code(), "invalid-cursor", "{other}");
        }
    })
    .await;
}

#[tokio::test]
async fn too_much_at_once() {
    on_every_database(async |w| {
        with_something(&w).await;
        let items = vec![json!({ "system": "koder", "code": "A" }); 10_001];
        let answer =
            w.post_as("/api/v1/validate", json!({ "items": items }).to_string(), &[("accept-language", "en")]).await;
        assert_snapshot!("too_many_items", answer.with(413).shown());
        // A body beyond the limit: told beforehand, and found out on the way.
        let w = w.with_options(&HttpOptions { body_limit: 1 << 10, ..HttpOptions::default() });
        let large = " ".repeat((1 << 10) + 1);
        let told = [("content-length", "1025"), ("accept-language", "en")];
        assert_snapshot!("too_large", w.post_as("/api/v1/validate", large.clone(), &told).await.with(413).shown());
        let pieces = futures::stream::iter((0..64).map(|_| Ok::<_, std::io::Error>(" ".repeat(100))));
        let answer = w.post("/api/v1/validate", Body::from_stream(pieces)).await;
        assert_eq!(answer.with(413).code(), "too-large");
        let small = format!("{:1024}", r#"{"system": "koder", "code": "A"}"#);
        assert_eq!(w.post("/api/v1/validate", small).await.ok().json()["valid"], true);
    })
    .await;
}

#[tokio::test]
async fn strange_requests_are_answered_and_never_broken() {
    on_every_database(async |w| {
        with_something(&w).await;
        let long = "x".repeat(20_000);
        for uri in [
            format!("{V}/concepts/{long}"),
            format!("{V}/concepts?codes={long}"),
            format!("{V}/concepts?codes={}", "*".repeat(5_000)),
            format!("{V}/concepts?codes={}", vec!["a"; 1001].join(",")),
            format!("{V}/concepts?{long}"),
            format!("{V}/concepts/%00"),
            format!("{V}/concepts/..%2F..%2Fetc%2Fpasswd"),
            format!("{V}/concepts?date=-9999-01-01"),
            format!("{V}/concepts?date=9999-12-31&registered=9999-12-31T23:59:59Z"),
            format!("{V}/concepts?registered=-infinity"),
            format!("{V}/concepts?registered=infinity"),
            format!("{V}/concepts?date=2020-01-01&registered=-infinity"),
            format!("{V}/concepts?&&&"),
            format!("{V}/concepts?level"),
            format!("{V}/concepts?%C3%A5=%F0%9F%98%80"),
            format!("/api/v1/resolve?uri={}", encoded("urn:uuid:")),
            format!("/id/koder/{}", encoded("😀")),
            "/id/koder/A?date=1999-01-01".into(),
            "/id/koder?date=1999-01-01&format=json".into(),
            "/id/koder?date=1999-01-01&registered=2026-11-22T11:00:00Z&format=json".into(),
            "/id/koder/A?date=1999-01-01&registered=2026-11-22T11:00:00Z&format=ttl".into(),
            "//".into(),
        ] {
            let answer = w.get(&uri).await;
            let asked: String = uri.chars().take(100).collect();
            assert!(answer.status < 500, "{asked}: {}", answer.text());
            if answer.status >= 400 {
                answer.code();
                assert!(answer.body.len() < 4_000, "{asked}: the problem is {} bytes", answer.body.len());
            }
        }
        for (name, value) in [
            ("accept", ",,,;;;q=x"),
            ("accept-language", "æøå"),
            ("accept-language", "*;q=0"),
            ("if-none-match", "W/"),
            ("accept-encoding", "gzip;q=0, *;q=0"),
            ("range", "bytes=0-1"),
        ] {
            let mut request = Request::builder().uri(format!("{V}/concepts"));
            request = request.header(name, axum::http::HeaderValue::from_bytes(value.as_bytes()).expect("bytes"));
            let answer = w.send(request.body(Body::empty()).expect("a request")).await;
            assert!(answer.status < 500, "{name}: {value}: {}", answer.text());
        }
    })
    .await;
}

#[tokio::test]
async fn a_reading_before_the_first_version_is_empty_and_says_so() {
    on_every_database(async |w| {
        with_something(&w).await;
        w.clock.set("2026-11-23T12:00:00Z");
        let then = "date=1999-01-01&registered=2026-11-22T12:00:00Z";
        assert_eq!(w.json(&format!("{V}/concepts?{then}")).await, json!({ "total": 0, "concepts": [] }));
        let answer = w.ask("GET", &format!("{V}/concepts/A?{then}"), &[("accept-language", "en")]).await.with(404);
        assert_eq!(answer.code(), "nothing-in-force");
        let title = answer.json()["title"].as_str().expect("a title").to_owned();
        assert!(!title.ends_with(' '), "'{title}'");
    })
    .await;
}

#[tokio::test]
async fn a_text_that_xml_cannot_hold_is_refused_or_comes_back() {
    on_every_database(async |w| {
        let mut wrong = Vec::new();
        for (n, text) in ["a\u{7}b", "a\u{1}b", "a\u{fffe}b", "a\u{b}b", "a\rb", "a\u{85}b"].into_iter().enumerate() {
            let slug = format!("koder{n}");
            let file = format!("notation,preferred.da,note.general.da\nA,a,\"{text}\"\n");
            if w.import(edition(&slug, Format::Csv, file.as_bytes(), "1", "2020-01-01")).await.is_err() {
                continue;
            }
            let held = w.json(&format!("/api/v1/vocabularies/{slug}/concepts/A")).await["notes"][0]["text"].clone();
            for format in Format::WRITTEN {
                let uri = format!("/api/v1/vocabularies/{slug}/export?format={}&version=1", format.name());
                let bytes = w.get(&uri).await.ok().body;
                let options =
                    begreb::exchange::ReadOptions { language: begreb::model::Language::danish(), namespace: None };
                let read = begreb::exchange::read(format, &bytes, &options);
                match read.map(|r| r.concepts.first().and_then(|c| c.content.notes.first().map(|n| n.text.clone()))) {
                    Ok(Some(text)) if held == text => {}
                    other => wrong.push(format!("{} {text:?}: held {held}, read back {other:?}", format.name())),
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    })
    .await;
}
