//! Reads at any point of the two times: by version, by day, as known then.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::collections::BTreeMap;

use begreb::exchange::Format;
use begreb::model::Instant;
use begreb::registry::PublishRequest;
use common::{World, edition, encoded, on_every_database, operator};
use serde_json::{Value, json};

const V: &str = "/api/v1/vocabularies/koder";

/// A vocabulary of three concepts with uuids of their own, so that codes may change.
const UUIDS: [&str; 3] = [
    "aaaaaaaa-0000-4000-8000-000000000001",
    "bbbbbbbb-0000-4000-8000-000000000002",
    "cccccccc-0000-4000-8000-000000000003",
];

/// An edition: for each concept nothing, or its code and its term.
fn file(rows: [Option<(&str, &str)>; 3]) -> String {
    let mut text = "notation,uuid,preferred.da\n".to_owned();
    for ((code, term), uuid) in rows.into_iter().zip(UUIDS).filter_map(|(r, u)| r.map(|r| (r, u))) {
        text.push_str(&format!("{code},{uuid},{term}\n"));
    }
    text
}

/// The editions that the tests tell, with their days.
fn editions() -> [(&'static str, String); 3] {
    [
        ("2020-03-01", file([Some(("A", "et")), Some(("B", "to")), None])),
        ("2022-03-01", file([Some(("A", "et")), Some(("B2", "to")), Some(("C", "tre"))])),
        ("2024-03-01", file([Some(("A", "en")), None, Some(("C", "tre"))])),
    ]
}

async fn publish(w: &World, label: &str, day: &str, text: &str) {
    let mut request = edition("koder", Format::Csv, text.as_bytes(), label, day);
    request.accept_new = true;
    w.import(request).await.expect("it is lawful");
}

/// Codes and terms at a point, and the version told.
async fn reading(w: &World, at: &str) -> (Vec<String>, Value) {
    let list = w.json(&format!("{V}/concepts?{at}")).await;
    let concepts = list["concepts"].as_array().expect("a list");
    let one = |c: &Value| {
        format!("{}={}", c["notation"].as_str().expect("a code"), c["terms"][0]["value"].as_str().expect("a term"))
    };
    let version = concepts.first().map_or(Value::Null, |c| c["version"]["label"].clone());
    (concepts.iter().map(one).collect(), version)
}

#[track_caller]
fn is(told: (Vec<String>, Value), codes: &[&str], version: Option<&str>) {
    assert_eq!(told.0, codes);
    assert_eq!(told.1, version.map_or(Value::Null, Value::from));
}

#[tokio::test]
async fn by_version_and_by_day() {
    on_every_database(async |w| {
        for (day, text) in editions() {
            publish(&w, &format!("v{day}"), day, &text).await;
        }
        let (first, second, third) =
            (["A=et", "B=to"].as_slice(), ["A=et", "B2=to", "C=tre"].as_slice(), ["A=en", "C=tre"].as_slice());
        is(reading(&w, "version=v2020-03-01").await, first, Some("v2020-03-01"));
        is(reading(&w, "version=v2022-03-01").await, second, Some("v2022-03-01"));
        is(reading(&w, "version=v2024-03-01").await, third, Some("v2024-03-01"));
        for (day, codes, version) in [
            ("1066-10-14", &[][..], None),
            ("2020-02-29", &[], None),
            ("2020-03-01", first, Some("v2020-03-01")),
            ("2021-07-01", first, Some("v2020-03-01")),
            ("2022-02-28", first, Some("v2020-03-01")),
            ("2022-03-01", second, Some("v2022-03-01")),
            ("2024-02-29", second, Some("v2022-03-01")),
            ("2024-03-01", third, Some("v2024-03-01")),
            ("2026-11-22", third, Some("v2024-03-01")),
            ("9999-12-30", third, Some("v2024-03-01")),
        ] {
            is(reading(&w, &format!("date={day}")).await, codes, version);
        }
        is(reading(&w, "").await, third, Some("v2024-03-01"));
        // The same for one concept.
        let concept = |key: &str, at: &str| format!("{V}/concepts/{key}?{at}");
        let b = UUIDS[1];
        for (at, notation, status) in [
            ("date=2020-03-01", "B", "inForce"),
            ("date=2023-01-01", "B2", "inForce"),
            ("date=2024-03-01", "B2", "retired"),
            ("date=2019-01-01", "B", "future"),
            ("", "B2", "retired"),
        ] {
            // Each of its codes leads to it, whatever it is called there.
            for key in [b, "B", "B2"] {
                let told = w.json(&concept(key, at)).await;
                assert_eq!((&told["notation"], &told["status"]), (&json!(notation), &json!(status)), "{key} {at}");
                assert_eq!(told["uuid"], b);
            }
        }
        assert_eq!(w.get(&concept(b, "version=v2024-03-01")).await.code(), "not-in-version");
        // And for its relatives, exports and comparisons.
        assert_eq!(w.json(&format!("{V}/concepts/{b}/children?date=2024-03-01")).await["total"], 0);
        let export = w.get(&format!("{V}/export?format=csv&date=2021-01-01")).await.ok();
        let pinned = w.get(&format!("{V}/export?format=csv&version=v2020-03-01")).await.ok();
        assert_eq!(export.body, pinned.body);
        let changes = w.json(&format!("{V}/changes?from=2021-01-01&to=2023-01-01")).await;
        assert_eq!(changes["counts"], json!({ "added": 1, "recoded": 1 }));
        assert_eq!(changes["from"]["version"]["label"], "v2020-03-01");
        assert_eq!(
            w.json(&format!("{V}/changes?from=2000-01-01&to=2021-01-01")).await["counts"],
            json!({ "added": 2 })
        );
    })
    .await;
}

#[tokio::test]
async fn as_known_before_and_after_a_correction_of_the_same_day() {
    on_every_database(async |w| {
        let day = "2020-03-01";
        publish(&w, "1", day, &file([Some(("A", "et")), Some(("B", "to")), None])).await;
        w.clock.set("2026-11-23T12:00:00Z");
        // The bytes of everything that is pinned to the first version.
        let addresses = |at: &str| {
            let mut all = vec![
                format!("{V}/concepts?{at}"),
                format!("{V}/concepts?format=csv&fields=uuid,notation,label,validFrom,validTo,registeredFrom&{at}"),
            ];
            for format in begreb::exchange::Format::WRITTEN {
                all.push(format!("{V}/export?format={}&{at}", format.name()));
            }
            for uuid in &UUIDS[..2] {
                all.push(format!("{V}/concepts/{uuid}?{at}"));
                all.push(format!("{V}/concepts/{uuid}/ancestors?{at}"));
            }
            all
        };
        let mut pinned = addresses("version=1");
        pinned.extend(addresses("date=2021-01-01&registered=2026-11-22T12:00:00Z"));
        pinned.push(format!("{V}/versions/1"));
        pinned.extend(
            ["json", "ttl", "nt", "rdf", "jsonld", "oioxml"].map(|f| format!("/id/koder/versions/1?format={f}")),
        );
        pinned.extend(
            ["json", "ttl", "nt", "rdf", "jsonld", "oioxml"].map(|f| format!("/id/koder/versions/1/A?format={f}")),
        );
        let mut before = BTreeMap::new();
        for address in &pinned {
            let answer = w.get(address).await.ok();
            // A version may be certified later, which its own address tells; what it holds stays.
            let told = address.ends_with("/versions/1") || address.ends_with("/versions/1?format=json");
            assert_eq!(answer.header("cache-control").contains("immutable"), !told, "{address}");
            before.insert(address, (answer.header("etag"), answer.body));
        }
        // The correction: same day, B was never so called, and A says something else.
        publish(&w, "1.1", day, &file([Some(("A", "en")), None, Some(("C", "tre"))])).await;
        for (address, (tag, body)) in &before {
            let answer = w.get(address).await.ok();
            assert!(answer.body == *body && answer.header("etag") == *tag, "{address} reads otherwise now");
        }
        let (old, new) = (["A=et", "B=to"], ["A=en", "C=tre"]);
        for (at, codes, version) in [
            ("version=1", old, "1"),
            ("version=1.1", new, "1.1"),
            ("date=2020-03-01", new, "1.1"),
            ("", new, "1.1"),
            ("date=2020-03-01&registered=2026-11-22T12:00:00Z", old, "1"),
            ("date=2020-03-01&registered=2026-11-23T11:59:59.999999Z", old, "1"),
            ("date=2020-03-01&registered=2026-11-23T12:00:00Z", new, "1.1"),
            ("date=2026-11-22&registered=2026-11-22", new, "1.1"),
            ("registered=2026-11-22T20:00:00Z", old, "1"),
            ("registered=2026-11-22T21:00:00%2B01:00", old, "1"),
            ("registered=2030-01-01", new, "1.1"),
        ] {
            if at.contains("registered=2026-11-22&") || at.ends_with("registered=2026-11-22") {
                // Nothing was known at the start of that day.
                is(reading(&w, at).await, &[], None);
            } else {
                is(reading(&w, at).await, &codes, Some(version));
            }
        }
        let changes = w.json(&format!("{V}/changes?from=1&to=1.1")).await;
        assert_eq!(changes["counts"], json!({ "added": 1, "renamed": 1, "retired": 1 }));
        // Nothing was known before the first registration.
        is(reading(&w, "date=2021-01-01&registered=2020-01-01").await, &[], None);
        w.registry.verify().await.expect("whole");
    })
    .await;
}

#[tokio::test]
async fn a_future_version_is_read_by_its_label_and_takes_over_on_its_day() {
    on_every_database(async |w| {
        publish(&w, "now", "2020-03-01", &file([Some(("A", "et")), None, None])).await;
        publish(&w, "next", "2026-12-01", &file([Some(("A", "en")), None, Some(("C", "tre"))])).await;
        let position = w.position().await;
        is(reading(&w, "version=next").await, &["A=en", "C=tre"], Some("next"));
        is(reading(&w, "date=2026-12-01").await, &["A=en", "C=tre"], Some("next"));
        is(reading(&w, "").await, &["A=et"], Some("now"));
        assert_eq!(w.json(V).await["version"]["label"], "now");
        let versions = w.json(&format!("{V}/versions")).await;
        assert_eq!((&versions[0]["label"], versions[0].get("until")), (&json!("next"), None));
        assert_eq!((&versions[1]["label"], &versions[1]["until"]), (&json!("now"), &json!("2026-12-01T00:00:00Z")));
        assert_eq!(w.json(&format!("{V}/concepts/C")).await["status"], "future");
        assert_eq!(w.json(&format!("{V}/concepts/A")).await["validTo"], "2026-12-01T00:00:00Z");
        let tag = w.get(&format!("{V}/concepts")).await.ok().header("etag");
        let pinned = w.get(&format!("{V}/concepts?version=next")).await.ok();
        // The last second of the Danish day before, and the first of the day: an hour ahead of UTC in winter.
        w.clock.set("2026-11-30T22:59:59Z");
        is(reading(&w, "").await, &["A=et"], Some("now"));
        assert_eq!(w.ask("GET", &format!("{V}/concepts"), &[("if-none-match", &tag)]).await.status, 304);
        w.clock.set("2026-11-30T23:00:00Z");
        is(reading(&w, "").await, &["A=en", "C=tre"], Some("next"));
        assert_eq!(w.ask("GET", &format!("{V}/concepts"), &[("if-none-match", &tag)]).await.status, 200);
        assert_eq!(w.json(V).await["version"]["label"], "next");
        assert_eq!(w.json(V).await["concepts"], 2);
        assert_eq!(w.json(&format!("{V}/concepts/C")).await["status"], "inForce");
        let valid = w.post("/api/v1/validate", r#"{"system": "koder", "code": "C"}"#).await.ok().json();
        assert_eq!(valid["result"], "valid");
        is(reading(&w, "version=now").await, &["A=et"], Some("now"));
        assert_eq!(w.get(&format!("{V}/concepts?version=next")).await.ok().body, pinned.body);
        assert_eq!(w.position().await, position, "without a write");
        // A registry that is opened on that day reads the same.
        let again = w.reopened().await;
        assert_eq!(serde_json::to_value(again.vocabularies()).expect("JSON")[0]["version"]["label"], "next");
    })
    .await;
}

#[tokio::test]
async fn a_version_for_a_past_date_writes_until_the_one_that_takes_over() {
    on_every_database(async |w| {
        publish(&w, "2020", "2020-03-01", &file([Some(("A", "et")), None, None])).await;
        publish(&w, "2024", "2024-03-01", &file([Some(("A", "en")), None, None])).await;
        let before = w.get(&format!("{V}/concepts?version=2020")).await.ok().body;
        w.clock.set("2026-11-23T12:00:00Z");
        publish(&w, "2022", "2022-03-01", &file([Some(("A", "et og et halvt")), Some(("B", "to")), None])).await;
        assert_eq!(w.get(&format!("{V}/concepts?version=2020")).await.ok().body, before);
        for (at, codes, version) in [
            ("date=2021-01-01", &["A=et"][..], "2020"),
            ("date=2022-03-01", &["A=et og et halvt", "B=to"], "2022"),
            ("date=2024-02-29", &["A=et og et halvt", "B=to"], "2022"),
            ("date=2024-03-01", &["A=en"], "2024"),
            ("", &["A=en"], "2024"),
            ("date=2023-01-01&registered=2026-11-22T13:00:00Z", &["A=et"], "2020"),
        ] {
            is(reading(&w, at).await, codes, Some(version));
        }
        let b = w.json(&format!("{V}/concepts/B")).await;
        assert_eq!((&b["status"], &b["validTo"]), (&json!("retired"), &json!("2024-03-01T00:00:00Z")));
    })
    .await;
}

#[tokio::test]
async fn the_order_of_imports_does_not_matter_to_what_is_read() {
    on_every_database(async |w| {
        let orders: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        let mut readings: Vec<Vec<Value>> = Vec::new();
        for (n, order) in orders.into_iter().enumerate() {
            let slug = format!("koder{n}");
            let editions = editions();
            for i in order {
                let (day, text) = &editions[i];
                // A concept lives in one vocabulary, so each has uuids of its own.
                let text = text.replace("-0000-4000-8000-", &format!("-{n:04}-4000-8000-"));
                let mut request = edition(&slug, Format::Csv, text.as_bytes(), day, day);
                request.accept_new = true;
                w.import(request).await.expect("it is lawful");
            }
            let mut told = Vec::new();
            let days =
                ["2019-01-01", "2020-03-01", "2021-01-01", "2022-03-01", "2023-06-01", "2024-03-01", "2026-01-01"];
            let by_day = days.map(|d| format!("date={d}"));
            let by_version = editions.iter().map(|(day, _)| format!("version={day}"));
            for at in by_day.into_iter().chain(by_version) {
                let list = w.json(&format!("/api/v1/vocabularies/{slug}/concepts?{at}")).await;
                let concepts = list["concepts"].as_array().expect("a list");
                let one = |c: &Value| json!([c["notation"], c["terms"], c["status"], c["version"]["label"]]);
                told.push(json!([at, concepts.iter().map(one).collect::<Vec<_>>()]));
            }
            for uuid in UUIDS {
                let uuid = uuid.replace("-0000-4000-8000-", &format!("-{n:04}-4000-8000-"));
                let history = w.json(&format!("/api/v1/vocabularies/{slug}/concepts/{uuid}/history")).await;
                // What is known now of all times; states that say the same one after another are one reading.
                let mut states: Vec<Value> = Vec::new();
                for s in history["states"].as_array().expect("states") {
                    let content = json!([s["content"]["notation"], s["content"]["terms"]]);
                    match states.last_mut().filter(|l| l["content"] == content && l["to"] == s["validFrom"]) {
                        Some(last) => last["to"] = s["validTo"].clone(),
                        None => states.push(json!({ "content": content, "from": s["validFrom"], "to": s["validTo"] })),
                    }
                }
                told.push(Value::from(states));
            }
            readings.push(told);
        }
        for (order, reading) in orders.iter().zip(&readings) {
            assert_eq!(reading, &readings[0], "{order:?}");
        }
        w.registry.verify().await.expect("whole");
    })
    .await;
}

#[tokio::test]
async fn history_tells_what_is_known_now_or_all_that_was_ever_said() {
    on_every_database(async |w| {
        publish(&w, "1", "2020-03-01", &file([Some(("A", "et")), None, None])).await;
        w.clock.set("2026-11-23T12:00:00Z");
        publish(&w, "2", "2024-03-01", &file([Some(("A", "to")), None, None])).await;
        w.clock.set("2026-11-24T12:00:00Z");
        publish(&w, "1.1", "2020-03-01", &file([Some(("A", "et rettet")), None, None])).await;
        let states = async |query: &str| {
            let history = w.json(&format!("{V}/concepts/A/history{query}")).await;
            let one = |s: &Value| {
                json!([
                    s["content"]["terms"][0]["value"],
                    s["validFrom"].as_str().map(|t| &t[..10]),
                    s["validTo"].as_str().map(|t| &t[..10]),
                    s["registeredFrom"].as_str().map(|t| &t[..10]),
                    s["registeredTo"].as_str().map(|t| &t[..10]),
                    s["versions"],
                ])
            };
            history["states"].as_array().expect("states").iter().map(one).collect::<Vec<_>>()
        };
        let (d1, d2, d3) = ("2026-11-22", "2026-11-23", "2026-11-24");
        assert_eq!(
            states("").await,
            [
                json!(["et rettet", "2020-03-01", "2024-03-01", d3, null, ["1.1"]]),
                json!(["to", "2024-03-01", null, d2, null, ["2"]]),
            ]
        );
        assert_eq!(
            states("?registrations=all").await,
            [
                json!(["et", "2020-03-01", null, d1, d2, ["1"]]),
                json!(["et", "2020-03-01", "2024-03-01", d2, d3, ["1"]]),
                json!(["to", "2024-03-01", null, d2, null, ["2"]]),
                json!(["et rettet", "2020-03-01", "2024-03-01", d3, null, ["1.1"]]),
            ]
        );
        assert_eq!(states("?registrations=now").await, states("").await);
    })
    .await;
}

#[tokio::test]
async fn a_version_is_published_again_from_another_day() {
    on_every_database(async |w| {
        for (day, text) in editions() {
            publish(&w, day, day, &text).await;
        }
        let request = |from: Option<&str>, label: &str, day: &str, dry_run| PublishRequest {
            vocabulary: "koder".parse().expect("a slug"),
            label: label.parse().expect("a label"),
            effective: Instant::from_date(begreb::model::parse_date(day).expect("a date")),
            from: from.map(|l| l.parse().expect("a label")),
            decision: Some("mødet den 22. november".into()),
            dry_run,
        };
        let position = w.position().await;
        let planned = w.registry.publish(&operator(), request(Some("2020-03-01"), "tilbage", "2026-12-01", true)).await;
        assert_eq!(planned.expect("a plan").manifest.concepts, 2);
        assert_eq!(w.position().await, position, "a plan changes nothing");
        w.registry
            .publish(&operator(), request(Some("2020-03-01"), "tilbage", "2026-12-01", false))
            .await
            .expect("published");
        is(reading(&w, "date=2026-12-01").await, &["A=et", "B=to"], Some("tilbage"));
        is(reading(&w, "").await, &["A=en", "C=tre"], Some("2024-03-01"));
        let told = w.json(&format!("{V}/versions/tilbage")).await;
        let first = w.json(&format!("{V}/versions/2020-03-01")).await;
        assert_eq!(told["manifest"]["digest"], first["manifest"]["digest"], "the same content has the same digest");
        assert_eq!(told["decision"], "mødet den 22. november");
        // Again: it is there already.
        let position = w.position().await;
        let again = w.registry.publish(&operator(), request(Some("2020-03-01"), "tilbage", "2026-12-01", false)).await;
        assert_eq!(again.expect("it is there").verdict, begreb::registry::Verdict::AlreadyThere);
        let other = w.registry.publish(&operator(), request(Some("2022-03-01"), "tilbage", "2026-12-01", false)).await;
        assert_eq!(other.expect_err("other content").code.as_str(), "label-taken");
        let moved = w.registry.publish(&operator(), request(Some("2020-03-01"), "tilbage", "2026-12-02", false)).await;
        assert_eq!(moved.expect_err("another day").code.as_str(), "label-taken");
        let none = w.registry.publish(&operator(), request(Some("x"), "y", "2026-12-02", false)).await;
        assert_eq!(none.expect_err("no such version").code.as_str(), "unknown-version");
        let early = w.registry.publish(&operator(), request(None, "y", "1999-01-01", false)).await;
        assert!(early.is_err(), "nothing was in force then");
        assert_eq!(w.position().await, position);
        w.registry.verify().await.expect("whole");
    })
    .await;
}

#[tokio::test]
async fn what_was_said_to_be_immutable_never_changes() {
    on_every_database(async |w| {
        publish(&w, "1", "2020-03-01", &file([Some(("A", "et")), None, None])).await;
        // A read "as known now", in the very instant of the next registration.
        w.clock.set("2026-11-23T12:00:00Z");
        let address = format!("{V}/concepts?date=2021-01-01&registered={}", encoded("2026-11-23T12:00:00Z"));
        let before = w.get(&address).await.ok();
        publish(&w, "1.1", "2020-03-01", &file([Some(("A", "en")), None, None])).await;
        let after = w.get(&address).await.ok();
        let pinned = before.header("cache-control").contains("immutable");
        assert!(!pinned || before.body == after.body, "it was said to be immutable, and reads otherwise now");
    })
    .await;
}

#[tokio::test]
async fn a_code_that_is_given_away_leads_to_whoever_has_it_there() {
    on_every_database(async |w| {
        // X is A's until 2021, nobody's for a year, then B's.
        publish(&w, "1", "2020-03-01", &file([Some(("X", "et")), Some(("B", "to")), None])).await;
        publish(&w, "2", "2021-03-01", &file([Some(("A", "et")), Some(("B", "to")), None])).await;
        publish(&w, "3", "2022-03-01", &file([Some(("A", "et")), Some(("X", "to")), None])).await;
        for (at, uuid) in [
            ("version=1", UUIDS[0]),
            ("version=2", UUIDS[0]),
            ("version=3", UUIDS[1]),
            ("date=2021-01-01", UUIDS[0]),
            ("", UUIDS[1]),
        ] {
            assert_eq!(w.json(&format!("{V}/concepts/X?{at}")).await["uuid"], uuid, "{at}");
        }
        let code = |code: &str, day: &str| json!({ "system": "koder", "code": code, "date": day }).to_string();
        let told = w.post("/api/v1/validate", code("X", "2023-01-01")).await.ok().json();
        assert_eq!((&told["result"], &told["concept"]["uuid"]), (&json!("valid"), &json!(UUIDS[1])));
        let told = w.post("/api/v1/validate", code("B", "2023-01-01")).await.ok().json();
        assert_eq!((&told["result"], &told["concept"]["notation"]), (&json!("otherCode"), &json!("X")));
    })
    .await;
}

#[tokio::test]
async fn a_second_registry_on_the_same_database_reads_what_the_first_wrote() {
    on_every_database(async |w| {
        publish(&w, "1", "2020-03-01", &file([Some(("A", "et")), None, None])).await;
        let other = std::sync::Arc::new(w.reopened().await);
        let follower = other.clone();
        let task = tokio::spawn(async move { follower.follow().await });
        publish(&w, "2", "2024-03-01", &file([Some(("A", "to")), None, None])).await;
        let position = w.position().await;
        let limit = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while other.snapshot().position < position {
            assert!(std::time::Instant::now() < limit, "the second registry does not follow");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        task.abort();
        let all = |r: &begreb::registry::Registry| {
            serde_json::to_value(r.versions("koder").expect("versions")).expect("JSON")
        };
        assert_eq!(all(&other), all(&w.registry));
    })
    .await;
}
