//! What becomes of codes, and the map from one version to another, through the front door.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;
use begreb::exchange::Format;
use begreb::model::Governance;
use common::crew::vocabulary;
use common::{Answer, World, edition, on_every_database};
use serde_json::{Value, json};

/// From 2020.
const FIRST: &str = "notation,preferred.da,definition.da,parent\nA,a,om a,\nB,b,om b,\nC,c,om c,\nD,d,om d,\nE,e,om e,A\n\
    F,f,om f,\nG,g,om g,\nH,h,om h,\nI,i,om i,\n";
/// From 2024: H is gone, and nothing replaces it.
const SECOND: &str = "notation,preferred.da,definition.da,parent\nA,a,om a,\nB,b,om b,\nC,c,om c,\nD,d,om d,\nE,e,om e,A\n\
    F,f,om f,\nG,g,om g,\nI,i,om i,\n";
/// From 2027: B is renamed, C redefined, D replaced by X, E moved, F split into Y and Z, G recoded.
const THIRD: &str = "uuid,notation,preferred.da,definition.da,parent,replaces\n,A,a,om a,,\n,B,bedre b,om b,,\n\
    ,C,c,om meget andet,,\n,E,e,om e,B,\n{G},G9,g,om g,,\n,I,i,om i,,\n,X,x,om x,,D\n,Y,y,om y,,F\n,Z,z,om z,,F\n";

/// A vocabulary with three versions, of which the last lies ahead.
async fn scene(w: &World) {
    vocabulary(w, "koder", Governance::Direct, FIRST).await;
    w.import(edition("koder", Format::Csv, SECOND.as_bytes(), "2", "2024-01-01")).await.expect("it is lawful");
    let g = w.json("/api/v1/vocabularies/koder/concepts/G").await["uuid"].as_str().expect("a uuid").to_owned();
    let third = THIRD.replace("{G}", &g);
    let mut request = edition("koder", Format::Csv, third.as_bytes(), "3", "2027-01-01");
    request.accept_new = true;
    w.import(request).await.expect("it is lawful");
    vocabulary(w, "andre", Governance::Direct, "notation,preferred.da\nA,en anden a\nQ1,q\n").await;
}

async fn check(w: &World, query: &str, media: &str, body: &str) -> Answer {
    let request = Request::post(format!("/api/v1/check{query}")).header("content-type", media);
    w.send(request.body(Body::from(body.to_owned())).expect("a request")).await
}

/// The verdicts of codes, in a word, with the day and what to use instead.
fn verdicts(report: &Value) -> Vec<String> {
    let line = |c: &Value| {
        let by = c["replacedBy"].as_array().into_iter().flatten().map(|r| r["notation"].as_str().unwrap_or("?"));
        let near = c["near"].as_array().into_iter().flatten().map(|r| r["notation"].as_str().unwrap_or("?"));
        let ahead = c["ahead"].as_array().into_iter().flatten().map(|a| {
            let kinds: Vec<&str> = a["kinds"].as_array().expect("kinds").iter().filter_map(Value::as_str).collect();
            format!("{}@{}", kinds.join("+"), &a["on"].as_str().expect("a day")[..10])
        });
        let since = c["since"].as_str().map(|s| s[..10].to_owned());
        let all = since.into_iter().chain(by.map(ToOwned::to_owned)).chain(ahead).chain(near.map(|n| format!("{n}?")));
        let said: Vec<String> = all.collect();
        format!(
            "{} {} {} {}",
            c["line"],
            c["code"].as_str().expect("a code"),
            c["verdict"].as_str().expect("one"),
            said.join(" ")
        )
        .trim_end()
        .to_owned()
    };
    report["codes"].as_array().expect("codes").iter().map(line).collect()
}

#[tokio::test]
async fn what_a_concept_takes_over_from_others_is_no_change_of_its_own() {
    on_every_database(async |w| {
        vocabulary(&w, "koder", Governance::Direct, "notation,preferred.da\nA,a\nB,b\n").await;
        let second = "notation,preferred.da,replaces\nA,a,B\n";
        w.import(edition("koder", Format::Csv, second.as_bytes(), "2", "2027-01-01")).await.expect("it is lawful");
        let report = check(&w, "", "text/csv", "ordforråd;kode\nkoder;A\nkoder;B\n").await.ok().json();
        assert_eq!(verdicts(&report), ["2 A inForce", "3 B willBeRetired A replaced@2027-01-01"]);
        let event = w.json("/api/v1/changes?after=0&limit=1000&kind=replaced").await["events"][0]["concept"].clone();
        let same = &report["codes"][1]["replacedBy"];
        assert_eq!((&event["replacedBy"], same[0]["label"].as_str()), (same, Some("a")), "one shape everywhere");
        let between = w.json("/api/v1/vocabularies/koder/changes?from=1&to=2").await;
        let gone = between["changes"].as_array().expect("changes").iter().find(|c| c["kinds"] == json!(["replaced"]));
        assert_eq!(&gone.expect("B")["replacedBy"], same);
        // The feed tells all that was said.
        let edited = w.json("/api/v1/changes?after=0&limit=1000&kind=edited").await;
        assert_eq!(edited["events"].as_array().map(Vec::len), Some(1));
    })
    .await;
}

#[tokio::test]
async fn every_code_of_a_file_is_told() {
    on_every_database(async |w| {
        scene(&w).await;
        let file = "ordforråd;kode\nkoder;A\nkoder;B\nkoder;C\nkoder;D\nkoder;E\nkoder;F\nkoder;G\nkoder;H\n\nkoder;X\n\
            koder;G9\nkoder;j1\nandre;q1\nfindes-ikke;A\n;A\n;I\n;http://127.0.0.1:8080/id/koder/I\n";
        let report = check(&w, "", "text/csv", file).await.ok().json();
        assert_eq!(
            verdicts(&report),
            [
                "2 A inForce",
                "3 B changing renamed@2027-01-01",
                "4 C changing redefined@2027-01-01",
                "5 D willBeRetired X replaced@2027-01-01",
                "6 E changing moved@2027-01-01",
                "7 F willBeRetired Y Z split@2027-01-01",
                "8 G willBeRecoded G9 recoded@2027-01-01",
                "9 H retired 2024-01-01",
                "11 X future 2027-01-01 added@2027-01-01",
                "12 G9 otherCode G recoded@2027-01-01",
                "13 j1 neverExisted",
                "14 q1 neverExisted Q1?",
                "15 A unknownVocabulary",
                "16 A ambiguous A? A?",
                "17 I inForce",
                "18 http://127.0.0.1:8080/id/koder/I inForce",
            ]
        );
        assert_eq!((&report["ok"], &report["counts"]["willBeRetired"]), (&json!(false), &json!(2)));
        assert_eq!(report["codes"][3]["ahead"][0]["version"], "3");
        assert_eq!(report["codes"][3]["ahead"][0]["decided"], report["codes"][5]["ahead"][0]["decided"]);

        // As it will be, and as far as one looks.
        let lines = "D\nG\nX\nG9\nH\n";
        let then = check(&w, "?vocabulary=koder&on=2027-01-01", "text/csv", lines).await.ok().json();
        assert_eq!(
            verdicts(&then),
            [
                "1 D retired 2027-01-01 X",
                "2 G otherCode 2027-01-01 G9",
                "3 X inForce",
                "4 G9 inForce",
                "5 H retired 2024-01-01",
            ]
        );
        let near = check(&w, "?vocabulary=koder&horizon=30", "text/csv", "A\nB\nD\n").await.ok().json();
        assert_eq!(
            (verdicts(&near).len(), &near["ok"], &near["until"]),
            (3, &json!(true), &json!("2026-12-22T00:00:00Z"))
        );
        let far = check(&w, "?vocabulary=koder&horizon=40", "text/csv", "A\nB\nD\n").await.ok().json();
        assert_eq!(far["ok"], false);
        // JSON is read alike; only what needs attention is shown when that is asked for.
        let json = r#"{"codes": ["A", {"system": "koder", "code": "B"}]}"#;
        let some = check(&w, "?vocabulary=koder&show=attention", "application/json", json).await.ok().json();
        assert_eq!((verdicts(&some), &some["ok"]), (vec!["2 B changing renamed@2027-01-01".into()], &json!(true)));
    })
    .await;
}

#[tokio::test]
async fn what_replaces_a_code_is_followed_to_what_may_be_used() {
    on_every_database(async |w| {
        vocabulary(&w, "led", Governance::Direct, "notation,preferred.da\nA,a\nO,o\n").await;
        for (file, label, day) in [
            ("notation,preferred.da,replaces\nB,b,A\nO,o,\n", "2", "2022-01-01"),
            ("notation,preferred.da,replaces\nC,c,B\nO,o,\n", "3", "2024-01-01"),
        ] {
            let mut request = edition("led", Format::Csv, file.as_bytes(), label, day);
            request.accept_new = true;
            w.import(request).await.expect("it is lawful");
        }
        let report = check(&w, "?vocabulary=led", "text/csv", "A\nB\nC\n").await.ok().json();
        assert_eq!(verdicts(&report), ["1 A retired 2022-01-01 C", "2 B retired 2024-01-01 C", "3 C inForce"]);
        let map = w.json("/api/v1/vocabularies/led/migration?from=1&to=3").await;
        let fates: Vec<_> =
            map["lines"].as_array().expect("lines").iter().map(|l| (&l["fate"], &l["to"][0]["code"])).collect();
        assert_eq!(fates, [(&json!("replaced"), &json!("C")), (&json!("same"), &json!("O"))]);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_checked_is_refused() {
    on_every_database(async |w| {
        scene(&w).await;
        let many = "A\n".repeat(100_001);
        let deep = "[".repeat(100_000);
        for (query, body, status, code) in [
            ("", "", 422, "incomplete"),
            ("", "a,b\n1,2\n", 422, "incomplete"),
            ("", "kode,x\n\"A,1\n", 400, "syntax"),
            ("", "[{}]", 400, "syntax"),
            ("", &deep, 400, "syntax"),
            ("", &many, 413, "too-large"),
            ("?on=i-morgen", "A", 400, "invalid-date"),
            ("?horizon=-1", "A", 400, "invalid-parameter"),
            ("?horizon=99999999", "A", 400, "invalid-parameter"),
            ("?vocabulary=findes-ikke", "A", 404, "unknown-vocabulary"),
            ("?show=noget", "A", 400, "invalid-parameter"),
            ("?dag=1", "A", 400, "unknown-parameter"),
        ] {
            let answer = check(&w, query, "text/csv", body).await.with(status);
            assert_eq!(answer.json()["code"], code, "{query}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_map_tells_what_each_code_of_a_version_is_in_another() {
    on_every_database(async |w| {
        scene(&w).await;
        let uri = "/api/v1/vocabularies/koder/migration?from=1&to=3";
        let map = w.json(uri).await;
        let fates: BTreeMap<String, String> = map["lines"]
            .as_array()
            .expect("lines")
            .iter()
            .map(|l| {
                let to: Vec<&str> = l["to"].as_array().expect("to").iter().filter_map(|t| t["code"].as_str()).collect();
                let code = l["from"]["code"].as_str().expect("a code").to_owned();
                (code, format!("{} {}", l["fate"].as_str().expect("a fate"), to.join("+")))
            })
            .collect();
        let expected = [
            ("A", "same A"),
            ("B", "renamed B"),
            ("C", "redefined C"),
            ("D", "replaced X"),
            ("E", "same E"),
            ("F", "split Y+Z"),
            ("G", "recoded G9"),
            ("H", "retired "),
            ("I", "same I"),
        ];
        assert_eq!(fates, expected.map(|(c, f)| (c.to_owned(), f.to_owned())).into());
        assert_eq!(
            map["counts"],
            json!({"same": 3, "recoded": 1, "renamed": 1, "redefined": 1, "replaced": 1, "split": 1, "retired": 1})
        );

        let csv = w.get(&format!("{uri}&format=csv")).await.ok();
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
        assert_eq!(csv.text().lines().count(), 1 + 9 + 1, "F has two rows");
        let sssom = w.get(&format!("{uri}&format=sssom")).await.ok().text();
        let rows: Vec<Vec<&str>> =
            sssom.lines().filter(|l| !l.starts_with('#')).map(|l| l.split('\t').collect()).collect();
        let predicates: BTreeMap<&str, &str> = rows[1..].iter().map(|r| (r[7], r[2])).collect();
        assert_eq!(
            predicates,
            BTreeMap::from([
                ("A", "skos:exactMatch"),
                ("B", "skos:exactMatch"),
                ("C", "skos:closeMatch"),
                ("D", "IAO:0100001"),
                ("E", "skos:exactMatch"),
                ("F", "skos:narrowMatch"),
                ("G", "skos:exactMatch"),
                ("H", "skos:exactMatch"),
                ("I", "skos:exactMatch"),
            ])
        );
        assert!(rows.iter().any(|r| r[7] == "H" && r[3] == "sssom:NoTermFound"), "{sssom}");
        assert!(
            sssom.starts_with("#sssom_version: \"1.1\"\n#mapping_set_id: \"http://127.0.0.1:8080/api/v1/"),
            "{sssom}"
        );
        for (query, status) in [("", 400), ("?from=1&format=xml", 400), ("?from=9", 404)] {
            w.get(&format!("/api/v1/vocabularies/koder/migration{query}")).await.with(status);
        }
    })
    .await;
}

/// A mapping set as a reader of SSSOM takes it: the metadata of its heading, the prefixes, the columns and the rows.
struct MappingSet {
    slots: BTreeMap<String, String>,
    prefixes: BTreeMap<String, String>,
    extensions: Vec<String>,
    rows: Vec<BTreeMap<String, String>>,
}

impl MappingSet {
    /// Reads what we write: YAML of one level, texts between quotes, behind `#`; then a table between tabs.
    fn read(text: &str) -> Self {
        let mut set =
            Self { slots: BTreeMap::new(), prefixes: BTreeMap::new(), extensions: Vec::new(), rows: Vec::new() };
        let quoted = |value: &str| serde_json::from_str::<String>(value).unwrap_or_else(|e| panic!("{value}: {e}"));
        let (mut under, mut lines) = (String::new(), text.lines().peekable());
        while let Some(line) = lines.next_if(|l| l.starts_with('#')) {
            let line = &line[1..];
            let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no YAML: {line}"));
            match (line.starts_with("  "), value.trim()) {
                (false, "") => under = name.to_owned(),
                (false, value) => drop(set.slots.insert(name.to_owned(), quoted(value))),
                (true, value) if under == "curie_map" => drop(set.prefixes.insert(name.trim().into(), quoted(value))),
                (true, value) if name == "  - slot_name" => set.extensions.push(value.to_owned()),
                _ => {}
            }
        }
        let columns: Vec<&str> = lines.next().expect("a heading").split('\t').collect();
        for line in lines {
            let cells: Vec<&str> = line.split('\t').collect();
            assert_eq!(cells.len(), columns.len(), "{line}");
            set.rows.push(columns.iter().zip(cells).map(|(c, v)| ((*c).to_owned(), v.to_owned())).collect());
        }
        set
    }
}

/// What SSSOM 1.1 demands of a mapping set and of each mapping; `sssom validate` of sssom-py says the same of it.
#[tokio::test]
async fn the_sssom_of_a_map_is_as_sssom_demands() {
    on_every_database(async |w| {
        scene(&w).await;
        for query in ["from=1&to=3", "from=3&to=1", "from=1&to=1", "from=2020-06-01", "from=2&to=2027-01-01"] {
            let text = w.get(&format!("/api/v1/vocabularies/koder/migration?{query}&format=sssom")).await.ok().text();
            let set = MappingSet::read(&text);
            for slot in ["mapping_set_id", "license", "sssom_version", "subject_source", "object_source"] {
                assert!(set.slots.get(slot).is_some_and(|v| !v.is_empty()), "{slot} in {text}");
            }
            for iri in ["mapping_set_id", "license", "subject_source", "object_source"] {
                assert!(set.slots[iri].contains("://"), "{iri} is an IRI: {text}");
            }
            // No slot that the standard does not know, beside those that are declared.
            let known = [
                "sssom_version",
                "mapping_set_id",
                "mapping_set_title",
                "mapping_set_version",
                "license",
                "subject_source",
                "subject_source_version",
                "object_source",
                "object_source_version",
                "mapping_date",
            ];
            assert!(set.slots.keys().all(|s| known.contains(&s.as_str())), "{:?}", set.slots.keys());
            assert!(!set.rows.is_empty());
            for row in &set.rows {
                let columns = ["subject_id", "subject_label", "predicate_id", "object_id", "object_label"];
                let columns = columns.into_iter().chain(["mapping_justification", "comment"]);
                let lawful = |c: &String| columns.clone().any(|k| k == c) || set.extensions.contains(c);
                assert!(row.keys().all(lawful), "{:?}", row.keys());
                for slot in ["subject_id", "predicate_id", "object_id", "mapping_justification"] {
                    let (prefix, local) = row[slot].split_once(':').expect("a CURIE");
                    assert!(set.prefixes.contains_key(prefix) && !local.is_empty(), "{slot}: {row:?}");
                }
                let predicates = [
                    "skos:exactMatch",
                    "skos:closeMatch",
                    "skos:broadMatch",
                    "skos:narrowMatch",
                    "skos:relatedMatch",
                    "IAO:0100001",
                ];
                assert!(predicates.contains(&row["predicate_id"].as_str()), "{row:?}");
                assert_eq!(row["mapping_justification"], "semapv:ManualMappingCuration");
                assert_eq!(row["object_id"] == "sssom:NoTermFound", row["object_label"].is_empty(), "{row:?}");
            }
            assert!(set.prefixes.values().all(|iri| iri.ends_with(['/', '#', '_'])), "{:?}", set.prefixes);
            assert_eq!(set.prefixes["semapv"], "https://w3id.org/semapv/vocab/");
        }
    })
    .await;
}

#[tokio::test]
async fn lists_are_read_as_danish_offices_write_them() {
    on_every_database(async |w| {
        scene(&w).await;
        let ask = async |query: &str, bytes: Vec<u8>| {
            let request = Request::post(format!("/api/v1/check{query}")).header("content-type", "text/csv");
            w.send(request.body(Body::from(bytes)).expect("a request")).await
        };
        // Excel: semicolons, quotes, Windows-1252 or a mark of the byte order, and its own headings.
        let table = "Nr;\"Ydelse (æøå)\";Ydelseskode\r\n1;\"a; b\";A\r\n2;\"\"\"c\"\"\";H\r\n";
        let windows: Vec<u8> = table.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect();
        let unicode: Vec<u8> =
            [0xff, 0xfe].into_iter().chain(table.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let marked = format!("\u{feff}{table}").into_bytes();
        for bytes in [table.as_bytes().to_vec(), windows, unicode, marked] {
            for column in ["Ydelseskode", "ydelseskode", "3&heading=true"] {
                let report = ask(&format!("?vocabulary=koder&column={column}"), bytes.clone()).await.ok().json();
                assert_eq!(verdicts(&report), ["2 A inForce", "3 H retired 2024-01-01"], "{column}");
            }
        }
        let bare = ask("?vocabulary=koder&column=2", b"x;A\ny;H\n".to_vec()).await.ok().json();
        assert_eq!(verdicts(&bare), ["1 A inForce", "2 H retired 2024-01-01"]);
        let json = br#"[{"ydelse": "A", "n": 1}, {"ydelse": "H"}]"#;
        let members = ask("?vocabulary=koder&column=ydelse", json.to_vec()).await.ok().json();
        assert_eq!(verdicts(&members), ["1 A inForce", "2 H retired 2024-01-01"]);
        for (query, bytes, status, code) in [
            ("?column=Kode+9", table.as_bytes(), 422, "incomplete"),
            ("?column=9", table.as_bytes(), 422, "incomplete"),
            ("", table.as_bytes(), 422, "incomplete"),
            ("?heading=maybe", table.as_bytes(), 400, "invalid-parameter"),
            ("", b"PK\x03\x04\x14\0\0\0", 400, "encoding"),
            ("", b"kode\n\x81\n", 400, "encoding"),
        ] {
            let answer = ask(query, bytes.to_vec()).await.with(status);
            assert_eq!(answer.json()["code"], code, "{query}");
        }
        // A form has the list in its one file, whatever it is called; what is packed is not unpacked.
        let form = |parts: &str| {
            let request = Request::post("/api/v1/check?vocabulary=koder");
            let request = request.header("content-type", "multipart/form-data; boundary=q");
            request.body(Body::from(format!("{parts}--q--\r\n"))).expect("a request")
        };
        let part = |name: &str| {
            let head = format!("content-disposition: form-data; name=\"{name}\"; filename=\"k.csv\"");
            format!("--q\r\n{head}\r\ncontent-type: text/csv\r\n\r\nkode\r\nA\r\nH\r\n\r\n")
        };
        for name in ["codes", "file"] {
            let report = w.send(form(&part(name))).await.ok().json();
            assert_eq!(verdicts(&report), ["2 A inForce", "3 H retired 2024-01-01"], "{name}");
        }
        for wrong in [String::new(), part("a") + &part("b")] {
            assert_eq!(w.send(form(&wrong)).await.with(400).code(), "invalid-body");
        }
        let packed = Request::post("/api/v1/check?vocabulary=koder").header("content-encoding", "gzip");
        let packed = packed.body(Body::from("\u{1f}A")).expect("a request");
        assert_eq!(w.send(packed).await.with(400).code(), "encoding");
        // Every bad row is told, with its line and column.
        let bad = "navn;kode\na;A\nb;B\u{7}\nc;C\nd;D\u{8}\n";
        let refused = ask("?vocabulary=koder", bad.as_bytes().to_vec()).await.with(400).json();
        assert_eq!(refused["items"], json!(["3:2: B\u{fffd}", "5:2: D\u{fffd}"]), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn what_may_have_been_meant_is_little_and_of_the_same_vocabulary() {
    on_every_database(async |w| {
        let letters: String = ('A'..='Z').map(|c| format!("{c},{c} er et bogstav\n")).collect();
        let codes = "J1.1,et\nJ1.2,to\nJ1.3,tre\nJ1.4,fire\nJ2.1,fem\nÅ1,seks\nX10.1,syv\n";
        vocabulary(&w, "alfa", Governance::Direct, &format!("notation,preferred.da\n{letters}{codes}")).await;
        vocabulary(&w, "beta", Governance::Direct, "notation,preferred.da\nX10.2,noget andet\n").await;
        // A letter is no slip for another letter, and one sibling is as likely as any.
        let list = "Æ\na\nj1,4\nJ1.9\nAA1\nX1O.1\nX10.3\n";
        let report = check(&w, "?vocabulary=alfa", "text/csv", list).await.ok().json();
        assert_eq!(
            verdicts(&report),
            [
                "1 Æ neverExisted",
                "2 a neverExisted A?",
                "3 j1,4 neverExisted J1.4?",
                "4 J1.9 neverExisted",
                "5 AA1 neverExisted Å1?",
                "6 X1O.1 neverExisted X10.1?",
                "7 X10.3 neverExisted X10.1?",
            ]
        );
        // Where no vocabulary is named, it is that of the other codes; alone, a code may be of any.
        let beside = check(&w, "", "text/csv", "J1.1\nX10.3\n").await.ok().json();
        assert_eq!(verdicts(&beside)[1], "2 X10.3 neverExisted X10.1?");
        let alone = check(&w, "", "text/csv", "X10.3\n").await.ok().json();
        assert_eq!(verdicts(&alone)[0], "1 X10.3 neverExisted X10.1? X10.2?");
    })
    .await;
}
