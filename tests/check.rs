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
