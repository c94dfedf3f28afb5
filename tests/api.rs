//! The read API on our own vocabulary `serviceparagraffer`, address by address.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;

use axum::body::Body;
use axum::http::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use begreb::exchange::{self, Format, ReadOptions};
use begreb::model::Language;
use begreb::registry::Verdict;
use common::{Answer, World, edition, encoded, on_every_database, operator, pages, root};
use insta::assert_snapshot;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const V: &str = "/api/v1/vocabularies/serviceparagraffer";
const ID: &str = "/id/serviceparagraffer";
/// `SEL § 32`, retired when Barnets lov took over.
const SEL_32: &str = "6133a170-04a1-40c4-b71c-93bd5be01e8a";
/// `SEL voksne`, in both versions.
const ADULTS: &str = "4ec4d092-dcc2-4840-b013-1e67b83e4f07";

/// A row of the vocabulary's own files.
type Row = HashMap<String, String>;

fn rows(version: &str) -> Vec<Row> {
    let file = root().join("vocabularies/serviceparagraffer").join(format!("{version}.csv"));
    let mut reader = csv::Reader::from_path(file).expect("it is in the project");
    reader.deserialize().collect::<Result<_, _>>().expect("a table")
}

fn notations(list: &Value) -> Vec<&str> {
    let concepts = list["concepts"].as_array().expect("a list");
    concepts.iter().map(|c| c["notation"].as_str().expect("a notation")).collect()
}

async fn listed(world: &World, query: &str) -> Vec<String> {
    let list = world.json(&format!("{V}/concepts?{query}")).await;
    notations(&list).into_iter().map(ToOwned::to_owned).collect()
}

/// The rows of a file in the order of a walk through the hierarchy, with their levels.
fn walked(rows: &[Row]) -> Vec<(String, u64)> {
    fn below(rows: &[Row], parent: &str, level: u64, out: &mut Vec<(String, u64)>) {
        for row in rows.iter().filter(|r| r["parent"] == parent) {
            out.push((row["notation"].clone(), level));
            below(rows, &row["notation"], level + 1, out);
        }
    }
    let mut out = Vec::new();
    below(rows, "", 1, &mut out);
    assert_eq!(out.len(), rows.len(), "every row hangs in the hierarchy");
    out
}

#[tokio::test]
async fn vocabularies_and_versions() {
    on_every_database(async |w| {
        assert_snapshot!("vocabularies_none", w.get("/api/v1/vocabularies").await.shown());
        w.load_paragraphs().await;
        assert_snapshot!("vocabularies", w.get("/api/v1/vocabularies").await.shown());
        assert_snapshot!("vocabulary", w.get(V).await.shown());
        assert_snapshot!("versions", w.get(&format!("{V}/versions")).await.shown());
        assert_snapshot!("version", w.get(&format!("{V}/versions/2010-12-08")).await.shown());
    })
    .await;
}

#[tokio::test]
async fn the_concepts_are_those_of_the_files_in_their_order() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        for version in ["2010-12-08", "2024-01-01"] {
            let rows = rows(version);
            let answer = w.get(&format!("{V}/concepts?version={version}")).await.ok();
            assert_eq!(answer.header("x-total-count"), rows.len().to_string());
            let list = answer.json();
            assert_eq!(list["total"], rows.len());
            assert!(list.get("next").is_none());
            let told: Vec<(String, u64)> = list["concepts"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|c| {
                    (c["notation"].as_str().expect("a notation").to_owned(), c["level"].as_u64().expect("a level"))
                })
                .collect();
            assert_eq!(told, walked(&rows), "{version}");
            for concept in list["concepts"].as_array().expect("a list") {
                let row = rows.iter().find(|r| r["notation"] == concept["notation"]).expect("a row");
                assert_eq!(concept["uuid"], row["uuid"]);
                assert_eq!(concept["facet"], row["facet"]);
                assert_eq!(concept["version"]["label"], version);
                assert_eq!(concept["status"], "inForce");
                let preferred = |language: &str| {
                    let terms = concept["terms"].as_array().expect("terms");
                    let is = |t: &&Value| t["status"] == "preferred" && t["language"] == language;
                    terms.iter().find(is).expect("a preferred term")["value"].clone()
                };
                assert_eq!(preferred("da"), row["preferred.da"]);
                assert_eq!(preferred("en"), row["preferred.en"]);
                let definition = &concept["definitions"][0];
                assert_eq!(
                    (&definition["language"], &definition["text"]),
                    (&json!("da"), &json!(row["definition.da"]))
                );
                let above: Vec<&Value> =
                    concept["broader"].as_array().expect("a list").iter().map(|b| &b["notation"]).collect();
                let parent: Vec<&str> = row["parent"].split('|').filter(|p| !p.is_empty()).collect();
                assert_eq!(above, parent);
                let below = rows.iter().filter(|r| r["parent"] == row["notation"]).count();
                assert_eq!(concept["narrowerCount"], below);
            }
        }
        assert_snapshot!("concepts_first", w.get(&format!("{V}/concepts?limit=1")).await.shown());
    })
    .await;
}

#[tokio::test]
async fn the_concepts_as_a_table() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        assert_snapshot!("concepts_csv", w.get(&format!("{V}/concepts?version=2010-12-08&format=csv")).await.shown());
        let by_accept = w.ask("GET", &format!("{V}/concepts?version=2010-12-08"), &[("accept", "text/csv")]).await.ok();
        let by_name = w.get(&format!("{V}/concepts?version=2010-12-08&format=csv")).await.ok();
        assert_eq!(by_accept.body, by_name.body);
        let chosen = w.get(&format!(
            "{V}/concepts?format=csv&separator=%3B&level=1&fields=label,notation,facet,iri,aliases,parent,registeredFrom"
        )).await;
        assert_snapshot!("concepts_csv_chosen", chosen.shown());
        let english = [("accept-language", "en")];
        let english = w.ask("GET", &format!("{V}/concepts?format=csv&fields=label&level=1"), &english).await.ok();
        assert_eq!(
            english.text().lines().collect::<Vec<_>>()[..3],
            ["label", "Act on Social Services", "Children's Act"]
        );
    })
    .await;
}

#[tokio::test]
async fn fields_are_chosen() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let list = w.json(&format!("{V}/concepts?fields=notation,level,broader&limit=2")).await;
        assert_eq!(
            list["concepts"],
            json!([
                { "notation": "SEL", "level": 1, "broader": [] },
                { "notation": "SEL voksne", "level": 2,
                  "broader": [{ "uuid": "08535700-f6fc-4a85-ae91-f95e89f12b63", "notation": "SEL", "label": "serviceloven" }] }
            ])
        );
        // Every name that the documentation tells of is taken.
        let all = begreb::registry::FIELDS.join(",");
        let whole = w.json(&format!("{V}/concepts?limit=1")).await;
        let chosen = w.json(&format!("{V}/concepts?limit=1&fields={all}")).await;
        assert_eq!(whole["concepts"], chosen["concepts"]);
        let names: BTreeSet<&String> = whole["concepts"][0].as_object().expect("an object").keys().collect();
        assert!(names.iter().all(|n| begreb::registry::FIELDS.contains(&n.as_str())), "{names:?}");
    })
    .await;
}

#[tokio::test]
async fn lists_by_codes_level_parent_and_facet() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let at = "version=2010-12-08";
        let codes = |codes: &str| format!("{at}&codes={}", encoded(codes));
        for (pattern, expected) in [
            ("SEL § 32", vec!["SEL § 32"]),
            ("SEL § 32,SEL § 36", vec!["SEL § 32", "SEL § 36"]),
            // An alias names the concept too.
            ("Serviceloven § 32", vec!["SEL § 32"]),
            ("SEL § 10*", vec!["SEL § 101", "SEL § 103", "SEL § 104", "SEL § 107", "SEL § 108", "SEL § 109"]),
            ("*§ 5*", vec!["ABL § 5, stk. 2"]),
            ("SEL § 103-SEL § 107", vec!["SEL § 103", "SEL § 104", "SEL § 107"]),
            ("SEL § 103-SEL § 10*", vec!["SEL § 103", "SEL § 104", "SEL § 107", "SEL § 108", "SEL § 109"]),
            // A code with a hyphen is itself and no range.
            ("SEL §§ 107-110", vec!["SEL §§ 107-110"]),
            ("ingen", vec![]),
        ] {
            assert_eq!(listed(&w, &codes(pattern)).await, expected, "{pattern}");
        }
        assert_eq!(listed(&w, &format!("{at}&level=1")).await, ["SEL", "SUL", "ABL", "Friplejeboligloven"]);
        let children = ["SEL § 107", "SEL § 108", "SEL § 109", "SEL § 110"];
        let parent = format!("{at}&parent={}", encoded("SEL §§ 107-110"));
        assert_eq!(listed(&w, &parent).await, children);
        assert_eq!(listed(&w, &format!("{at}&parent={ADULTS}&facet=gruppe")).await, ["SEL §§ 107-110"]);
        let groups: Vec<String> =
            rows("2010-12-08").into_iter().filter(|r| r["facet"] == "gruppe").map(|r| r["notation"].clone()).collect();
        assert_eq!(listed(&w, &format!("{at}&facet=gruppe")).await, groups);
        assert!(listed(&w, &format!("{at}&facet=ingen")).await.is_empty());
        assert!(listed(&w, &format!("{at}&level=9")).await.is_empty());
        let answer = w.get(&format!("{V}/concepts?{at}&level=1")).await.ok();
        assert_eq!(answer.header("x-total-count"), "4", "the total is that of the filtered list");
    })
    .await;
}

#[tokio::test]
async fn pages_are_together_the_whole_list() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        for (list, limits) in [
            (format!("{V}/concepts?version=2010-12-08"), [1, 5, 23, 24, 25]),
            (format!("{V}/concepts?facet=bestemmelse"), [1, 2, 3, 7, 100]),
            (format!("{V}/concepts/{ADULTS}/descendants?x"), [1, 2, 4, 9, 100]),
            (format!("{V}/concepts/{ADULTS}/children?x"), [1, 2, 3, 5, 100]),
            (format!("{V}/concepts/{}/ancestors?x", encoded("SEL § 107")), [1, 2, 3, 4, 5]),
        ] {
            let list = list.replace("?x", "?fields=uuid,notation,broader,terms");
            let whole = w.get(&list).await.ok();
            let total: usize = whole.header("x-total-count").parse().expect("a number");
            assert!(total > 2, "{list}");
            for limit in limits {
                let answers = pages(&w, &format!("{list}&limit={limit}")).await;
                assert_eq!(answers.len(), total.div_ceil(limit).max(1), "{list} {limit}");
                let mut concepts = Vec::new();
                for answer in &answers {
                    assert_eq!(answer.header("x-total-count"), total.to_string(), "{}", answer.asked);
                    let page = answer.json();
                    assert_eq!(page.get("next").is_some(), answer.headers.contains_key("link"));
                    concepts.extend(page["concepts"].as_array().expect("a list").clone());
                }
                assert_eq!(Value::from(concepts), whole.json()["concepts"], "{list} {limit}");
            }
        }
        let answer = w.get(&format!("{V}/concepts?version=2010-12-08&limit=2&fields=notation")).await;
        assert_snapshot!("concepts_page", answer.shown());
        // A table is paged in the same way.
        let mut lines = Vec::new();
        for answer in pages(&w, &format!("{V}/concepts?version=2010-12-08&format=csv&fields=notation&limit=7")).await {
            lines.extend(answer.text().lines().skip(1).map(ToOwned::to_owned).collect::<Vec<_>>());
        }
        assert_eq!(lines.len(), 24);
    })
    .await;
}

#[tokio::test]
async fn a_list_goes_on_in_the_reading_it_began_in() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let before: Vec<String> = listed(&w, "limit=100").await;
        let first = w.get(&format!("{V}/concepts?limit=10&fields=notation")).await.ok();
        let next = first.header("link").trim_start_matches('<').trim_end_matches(">; rel=\"next\"").to_owned();
        // Another version takes over between two pages.
        let file = "notation,preferred.da\nX,noget andet\n";
        w.clock.set("2026-11-22T13:00:00Z");
        let mut other = edition("serviceparagraffer", Format::Csv, file.as_bytes(), "2026", "2026-11-01");
        other.accept_new = true;
        w.import(other).await.expect("it is lawful");
        assert_eq!(listed(&w, "limit=100").await, ["X"]);
        let mut told: Vec<String> = notations(&first.json()).into_iter().map(ToOwned::to_owned).collect();
        for answer in pages(&w, &next).await {
            told.extend(notations(&answer.json()).into_iter().map(ToOwned::to_owned));
        }
        assert_eq!(told, before);
    })
    .await;
}

#[tokio::test]
async fn one_concept_by_any_of_its_names() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let at = |key: &str, version: &str| format!("{V}/concepts/{key}?version={version}");
        let by_notation = w.get(&at(&encoded("SEL § 107"), "2024-01-01")).await.ok();
        assert_snapshot!("concept", by_notation.shown());
        for key in [
            "SEL%20%C2%A7%20107".to_owned(),
            "9f7a469c-8c8b-4902-86b4-3db4eef4b083".to_owned(),
            "9F7A469C-8C8B-4902-86B4-3DB4EEF4B083".to_owned(),
            encoded("Serviceloven § 107"),
        ] {
            assert_eq!(w.get(&at(&key, "2024-01-01")).await.ok().body, by_notation.body, "{key}");
        }
        // A comma and a full stop need no encoding.
        let plain = w.get(&at("BL%20%C2%A7%2043,%20stk.%201,%20nr.%206", "2024-01-01")).await.ok();
        assert_eq!(plain.json()["notation"], "BL § 43, stk. 1, nr. 6");
        // A concept that is not in force answers with what replaces it.
        assert_snapshot!(
            "concept_retired",
            w.get(&format!("{V}/concepts/{}", encoded("SEL § 67, stk. 1-3"))).await.shown()
        );
        // Unless a version is named.
        assert_snapshot!("concept_not_in_version", w.get(&at(SEL_32, "2024-01-01")).await.shown());
        assert_snapshot!("concept_unknown", w.get(&format!("{V}/concepts/ingen")).await.shown());
        // References are named in the reader's language.
        let english = w.ask("GET", &at(ADULTS, "2024-01-01"), &[("accept-language", "en-GB,en;q=0.8")]).await.ok();
        assert_eq!(english.json()["broader"][0]["label"], "Act on Social Services");
    })
    .await;
}

#[tokio::test]
async fn the_history_of_a_concept() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let history = |key: &str, query: &str| format!("{V}/concepts/{}/history{query}", encoded(key));
        let short = |answer: &Answer| {
            let mut answer = answer.json();
            for state in answer["states"].as_array_mut().expect("states") {
                state["content"] = json!(state["content"]["notation"]);
            }
            serde_json::to_string_pretty(&answer).expect("JSON")
        };
        assert_snapshot!("history", w.get(&history("SUL", "")).await.ok().shown());
        let retired = w.get(&history("SEL § 32", "")).await.ok();
        assert_snapshot!("history_retired", short(&retired));
        let all = w.get(&history("SEL § 32", "?registrations=all")).await.ok();
        assert_snapshot!("history_retired_all", short(&all));
        assert_eq!(w.get(&history(SEL_32, "?registrations=now")).await.ok().body, retired.body);
        assert_eq!(w.get(&history("Serviceloven § 32", "")).await.ok().body, retired.body);
        assert_eq!(w.get(&history("ingen", "")).await.code(), "unknown-concept");
        assert_eq!(w.get(&history("SEL", "?registrations=x")).await.code(), "invalid-parameter");
    })
    .await;
}

#[tokio::test]
async fn relatives() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let of = |key: &str, which: &str| format!("{V}/concepts/{}/{which}?version=2010-12-08", encoded(key));
        for (key, which, expected) in [
            ("SEL § 107", "ancestors", vec!["SEL §§ 107-110", "SEL voksne", "SEL"]),
            ("SEL", "ancestors", vec![]),
            ("SEL", "children", vec!["SEL børn og unge", "SEL voksne"]),
            ("SEL § 107", "children", vec![]),
            ("SEL §§ 107-110", "descendants", vec!["SEL § 107", "SEL § 108", "SEL § 109", "SEL § 110"]),
            ("SEL § 107", "descendants", vec![]),
        ] {
            assert_eq!(notations(&w.json(&of(key, which)).await), expected, "{which} of {key}");
        }
        let below: Vec<String> =
            notations(&w.json(&of("SEL", "descendants")).await).into_iter().map(Into::into).collect();
        let all: Vec<String> = walked(&rows("2010-12-08")).into_iter().map(|(n, _)| n).collect();
        assert_eq!(below, all[1..1 + below.len()]);
        assert_eq!(below.len(), 17);
        // What is not in force stands nowhere.
        let gone = w.json(&format!("{V}/concepts/{SEL_32}/ancestors")).await;
        assert_eq!(gone, json!({ "total": 0, "concepts": [] }));
        assert_eq!(w.get(&format!("{V}/concepts/{SEL_32}/children?version=2024-01-01")).await.code(), "not-in-version");
        let table = w.get(&format!("{}&format=csv&fields=notation", of("SEL", "children"))).await.ok();
        assert_eq!(table.text().lines().collect::<Vec<_>>(), ["notation", "SEL børn og unge", "SEL voksne"]);
        assert_snapshot!("mappings", w.get(&of("SEL § 107", "mappings")).await.shown());
    })
    .await;
}

#[tokio::test]
async fn mappings_to_other_vocabularies() {
    on_every_database(async |w| {
        let file = "notation,preferred.da,mapping.exact,mapping.broad\nA,a,https://other.example/1|https://other.example/2,https://other.example/3\nB,b,,\n";
        w.import(edition("koder", Format::Csv, file.as_bytes(), "1", "2020-01-01")).await.expect("it is lawful");
        let mappings = w.json("/api/v1/vocabularies/koder/concepts/A/mappings").await;
        assert_eq!(
            mappings,
            json!([
                { "kind": "exact", "target": "https://other.example/1" },
                { "kind": "exact", "target": "https://other.example/2" },
                { "kind": "broad", "target": "https://other.example/3" }
            ])
        );
        assert_eq!(w.json("/api/v1/vocabularies/koder/concepts/B/mappings").await, json!([]));
    })
    .await;
}

#[tokio::test]
async fn the_changes_are_those_that_the_files_tell() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let answer = w.get(&format!("{V}/changes?from=2010-12-08&to=2024-01-01")).await.ok();
        assert_snapshot!("changes", answer.shown());
        let changes = answer.json();
        let of = |key: &str| {
            let all = changes["changes"].as_array().expect("changes");
            let is = |c: &&Value| c["before"]["notation"] == key || c["after"]["notation"] == key;
            all.iter().find(is).unwrap_or_else(|| panic!("{key} changed")).clone()
        };
        // What the later file says it replaces, and how many say so.
        let (old, new) = (rows("2010-12-08"), rows("2024-01-01"));
        let mut by: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in &new {
            for replaced in row["replaces"].split('|').map(str::trim).filter(|r| !r.is_empty()) {
                by.entry(replaced).or_default().push(row);
            }
        }
        let uuids: BTreeSet<&String> = new.iter().map(|r| &r["uuid"]).collect();
        for row in old.iter().filter(|r| !uuids.contains(&r["uuid"])) {
            let empty = Vec::new();
            let by = by.get(row["notation"].as_str()).unwrap_or(&empty);
            let alone = |r: &&Row| r["replaces"].split('|').count() == 1;
            let expected = match &by[..] {
                [] => "retired",
                [one] if alone(one) => "replaced",
                [_] => "merged",
                _ => "split",
            };
            let told = of(&row["notation"]);
            assert_eq!(told["kinds"], json!([expected]), "{}", row["notation"]);
            let mut who: Vec<&str> = by.iter().map(|r| r["uuid"].as_str()).collect();
            let mut told: Vec<&str> = told["replacedBy"]
                .as_array()
                .map(|l| l.iter().map(|r| r["uuid"].as_str().expect("a uuid")).collect())
                .unwrap_or_default();
            who.sort_unstable();
            told.sort_unstable();
            assert_eq!(told, who, "{}", row["notation"]);
        }
        let known: BTreeSet<&String> = old.iter().map(|r| &r["uuid"]).collect();
        let added = new.iter().filter(|r| !known.contains(&r["uuid"])).count();
        assert_eq!(changes["counts"]["added"], added);
        assert_eq!(of("SEL")["kinds"], json!(["redefined"]));
        // The same between days, and to today when `to` is absent.
        for query in ["from=2010-12-08", "from=2023-12-31&to=2024-01-01", "from=2023-12-31"] {
            assert_eq!(w.json(&format!("{V}/changes?{query}")).await["changes"], changes["changes"], "{query}");
        }
        let nothing = w.json(&format!("{V}/changes?from=2024-01-01&to=2024-01-01")).await;
        assert_eq!((&nothing["changes"], &nothing["counts"]), (&json!([]), &json!({})));
        // Backwards, what was added is retired.
        let back = w.json(&format!("{V}/changes?from=2024-01-01&to=2010-12-08")).await;
        assert_eq!(back["counts"]["added"], old.iter().filter(|r| !uuids.contains(&r["uuid"])).count());
        assert_eq!(w.get(&format!("{V}/changes")).await.code(), "invalid-parameter");
        assert_eq!(w.get(&format!("{V}/changes?from=2011")).await.code(), "unknown-version");
    })
    .await;
}

#[tokio::test]
async fn resolving() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let retired = format!("/api/v1/resolve?system=serviceparagraffer&code={}", encoded("SEL § 142, stk. 1"));
        assert_snapshot!("resolve_retired", w.get(&retired).await.shown());
        assert_snapshot!("resolve_retired_then", w.get(&format!("{retired}&date=2023-12-31")).await.shown());
        assert_eq!(w.json(&format!("{retired}&date=2024-01-01")).await["status"], "retired");
        let future = format!("/api/v1/resolve?system=serviceparagraffer&code={}&date=2011-01-01", encoded("BL § 83"));
        let future = w.json(&future).await;
        assert_eq!((&future["status"], &future["validFrom"]), (&json!("future"), &json!("2024-01-01T00:00:00Z")));
        // A vocabulary is called by slug, uuid or IRI, a concept by any of its names.
        let by_slug = w.json(&format!("/api/v1/resolve?system=serviceparagraffer&code={ADULTS}")).await;
        assert_eq!(by_slug["notation"], "SEL voksne");
        for system in ["ca3a27c4-cfe8-40c3-a69e-73e99f515918", "http://127.0.0.1:8080/id/serviceparagraffer"] {
            for code in [ADULTS, "SEL voksne"] {
                let uri = format!("/api/v1/resolve?system={}&code={}", encoded(system), encoded(code));
                assert_eq!(w.json(&uri).await, by_slug, "{uri}");
            }
        }
        for iri in [
            format!("http://127.0.0.1:8080/id/serviceparagraffer/{ADULTS}"),
            format!("urn:uuid:{ADULTS}"),
            "http://127.0.0.1:8080/id/serviceparagraffer/SEL voksne".into(),
        ] {
            assert_eq!(w.json(&format!("/api/v1/resolve?uri={}", encoded(&iri))).await, by_slug, "{iri}");
        }
        for (query, code) in [
            ("uri=https%3A%2F%2Fexample.org%2Fx", "unknown-concept"),
            ("system=ingen&code=x", "unknown-vocabulary"),
            ("system=serviceparagraffer&code=x", "unknown-concept"),
            ("system=serviceparagraffer", "invalid-parameter"),
            ("", "invalid-parameter"),
            ("uri=x&code=y", "invalid-parameter"),
            ("system=serviceparagraffer&code=SEL&date=i%20dag", "invalid-date"),
        ] {
            assert_eq!(w.get(&format!("/api/v1/resolve?{query}")).await.code(), code, "{query}");
        }
        let named = w
            .ask(
                "GET",
                &format!("/api/v1/resolve?system=serviceparagraffer&code={ADULTS}"),
                &[("accept-language", "en")],
            )
            .await;
        assert_eq!(named.ok().json()["label"], "service for adults under the Act on Social Services");
    })
    .await;
}

#[tokio::test]
async fn validating() {
    on_every_database(async |w| {
        // A code that changes hands shows every answer: K1 is recoded to K2, K3 goes, K4 comes in the future.
        let frame = |rows: &str| format!("notation,uuid,preferred.da,admitted.da\n{rows}");
        let k1 = "11111111-1111-4111-8111-111111111111";
        let first = frame(&format!("K1,{k1},første,nummer et\nK3,,tredje,\n"));
        let second = frame(&format!("K2,{k1},første,nummer et\n"));
        let third = frame(&format!("K2,{k1},første,nummer et\nK4,,fjerde,\n"));
        for (file, day) in [(&first, "2020-01-01"), (&second, "2022-01-01"), (&third, "2030-01-01")] {
            w.import(edition("koder", Format::Csv, file.as_bytes(), day, day)).await.expect("it is lawful");
        }
        let cases = [
            (json!({ "system": "koder", "code": "K2" }), "valid"),
            (json!({ "system": "koder", "code": k1 }), "valid"),
            (json!({ "system": "koder", "code": "K2", "display": " FØRSTE " }), "valid"),
            (json!({ "system": "koder", "code": "K2", "display": "nummer et" }), "valid"),
            (json!({ "system": "koder", "code": "K1" }), "otherCode"),
            (json!({ "system": "koder", "code": "K1", "date": "2021-12-31" }), "valid"),
            (json!({ "system": "koder", "code": "K1", "version": "2020-01-01" }), "valid"),
            (json!({ "system": "koder", "code": "K2", "version": "2020-01-01" }), "otherCode"),
            (json!({ "system": "koder", "code": "K2", "display": "anden" }), "otherDisplay"),
            (json!({ "system": "koder", "code": "K3" }), "retired"),
            (json!({ "system": "koder", "code": "K4" }), "future"),
            (json!({ "system": "koder", "code": "K4", "date": "2030-01-01" }), "valid"),
            (json!({ "system": "koder", "code": "K5" }), "unknownCode"),
            (json!({ "system": "ingen", "code": "K1" }), "unknownSystem"),
            (json!({ "system": "koder", "code": "K1", "version": "9" }), "unknownVersion"),
            (json!({ "system": "koder", "code": "K1", "date": "2021-02-29" }), "invalidDate"),
        ];
        let mut one_by_one = Vec::new();
        for (item, expected) in &cases {
            let answer = w.post("/api/v1/validate", item.to_string()).await.ok().json();
            assert_eq!(answer["result"], *expected, "{item}");
            assert_eq!(answer["valid"], *expected == "valid", "{item}");
            one_by_one.push(answer);
        }
        let items: Vec<&Value> = cases.iter().map(|(item, _)| item).collect();
        let batch = w.post("/api/v1/validate", json!({ "items": items }).to_string()).await.ok();
        assert_eq!(batch.json()["items"], Value::from(one_by_one));
        assert_eq!(batch.json()["valid"], 7);
        assert_eq!(batch.json()["invalid"], 9);
        assert_snapshot!("validate_batch", batch.shown());
        let empty = w.post("/api/v1/validate", r#"{"items": []}"#).await.ok();
        assert_eq!(empty.json(), json!({ "valid": 0, "invalid": 0, "items": [] }));
        let most: Vec<Value> = vec![json!({ "system": "koder", "code": "K2" }); 10_000];
        let most = w.post("/api/v1/validate", json!({ "items": most }).to_string()).await.ok();
        assert_eq!(most.json()["valid"], 10_000);
    })
    .await;
}

#[tokio::test]
async fn a_retired_code_is_told_what_replaces_it() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let item = json!({ "system": "serviceparagraffer", "code": "SEL § 67, stk. 1-3", "date": "2025-01-01" });
        let answer = w.post("/api/v1/validate", item.to_string()).await.ok().json();
        assert_eq!(answer["result"], "retired");
        assert_eq!(answer["concept"]["replacedBy"][0]["notation"], "BL § 43, stk. 1, nr. 6");
    })
    .await;
}

/// The content of a concept without what a format is free to leave out: the order of what is a set.
fn comparable(content: &begreb::model::ContentFields<exchange::Key>, name: impl Fn(&str) -> String) -> Value {
    let mut value = serde_json::to_value(content).expect("content is JSON");
    let object = value.as_object_mut().expect("an object");
    object.remove("rank");
    for list in object.values_mut().filter_map(Value::as_array_mut) {
        for item in list.iter_mut() {
            if let Some(target) = item.get("target").and_then(Value::as_str) {
                let named = name(target);
                item["target"] = json!(named);
            }
        }
        list.sort_by_key(ToString::to_string);
    }
    object.retain(|_, v| !matches!(v, Value::Null) && v.as_array().is_none_or(|a| !a.is_empty()));
    value
}

#[tokio::test]
async fn exports_are_read_back_without_loss() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let options = ReadOptions {
            language: Language::danish(),
            namespace: Some("http://127.0.0.1:8080/id/serviceparagraffer/".into()),
        };
        for version in ["2010-12-08", "2024-01-01"] {
            // What the registry holds, by uuid.
            let list = w.json(&format!("{V}/concepts?version={version}&limit=10000")).await;
            let own = ["iri", "vocabulary", "version", "status", "validFrom", "validTo", "registeredFrom", "level"];
            let own = own.into_iter().chain(["broader", "narrowerCount", "replacedBy", "uuid"]);
            let own: BTreeSet<&str> = own.collect();
            let mut held: BTreeMap<String, Value> = BTreeMap::new();
            for concept in list["concepts"].as_array().expect("a list") {
                let mut content = concept.as_object().expect("an object").clone();
                content.retain(|name, _| !own.contains(name.as_str()));
                let content = serde_json::from_value(Value::Object(content)).expect("content");
                held.insert(concept["uuid"].as_str().expect("a uuid").into(), comparable(&content, ToOwned::to_owned));
            }
            for format in Format::WRITTEN {
                let name = format.name();
                let answer = w.get(&format!("{V}/export?format={name}&version={version}")).await.ok();
                assert_eq!(answer.header("content-type"), format.media_type());
                let sum = STANDARD.encode(Sha256::digest(&answer.body));
                assert_eq!(answer.header("content-digest"), format!("sha-256=:{sum}:"), "{name}");
                let file = format!("attachment; filename=\"serviceparagraffer-{version}.{}\"", format.extension());
                assert_eq!(answer.header("content-disposition"), file);
                let incoming = match exchange::read(format, &answer.body, &options) {
                    Ok(incoming) => incoming,
                    Err(refusal) => panic!("{name}: {refusal:?}"),
                };
                // What belongs to the registry and not to the edition is given anew where it is taken in.
                let given = "it is given where the edition is taken in";
                let lost: Vec<_> = incoming.losses.iter().filter(|l| l.why != given).collect();
                assert!(lost.is_empty(), "{name}: {lost:?}");
                // Whatever a key names in the file, as a uuid.
                let uuid = |c: &exchange::IncomingConcept| {
                    let ours = c.keys.iter().filter_map(|k| k.0.rsplit('/').next());
                    c.uuid
                        .map(|u| u.to_string())
                        .or_else(|| ours.map(ToOwned::to_owned).find(|k| uuid::Uuid::try_parse(k).is_ok()))
                };
                let mut names: HashMap<String, String> = HashMap::new();
                for concept in &incoming.concepts {
                    let uuid = uuid(concept).unwrap_or_else(|| panic!("{name}: no uuid in {:?}", concept.keys));
                    names.extend(concept.keys.iter().map(|k| (k.0.clone(), uuid.clone())));
                }
                let named = |key: &str| match names.get(key) {
                    Some(uuid) => uuid.clone(),
                    // What is replaced is not in the file.
                    None => key.rsplit('/').next().unwrap_or(key).trim_start_matches("urn:uuid:").to_owned(),
                };
                let read: BTreeMap<String, Value> = incoming
                    .concepts
                    .iter()
                    .map(|c| (uuid(c).expect("a uuid"), comparable(&c.content, named)))
                    .collect();
                assert_eq!(read.keys().collect::<Vec<_>>(), held.keys().collect::<Vec<_>>(), "{name}");
                for (uuid, content) in &held {
                    let (told, there) = (&read[uuid], content);
                    if told != there {
                        let pretty = |v: &Value| serde_json::to_string_pretty(v).expect("JSON");
                        panic!("{name} {version} {uuid}\nread back: {}\nheld: {}", pretty(told), pretty(there));
                    }
                }
                let bare = w.get(&format!("{V}/export?format={name}")).await.ok();
                if version == "2024-01-01" {
                    assert!(!bare.body.is_empty());
                }
            }
        }
        assert_snapshot!("export_ttl", w.get(&format!("{V}/export?format=ttl&version=2024-01-01")).await.ok().shown());
        assert_snapshot!("export_csv", w.get(&format!("{V}/export?format=csv&version=2024-01-01")).await.ok().shown());
        for query in ["format=fhir", "format=docx", ""] {
            assert_eq!(w.get(&format!("{V}/export?{query}")).await.code(), "invalid-parameter", "{query}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_export_can_be_imported_and_is_the_same_content() {
    on_every_database(async |w| {
        let file = "notation,parent,preferred.da,preferred.en,admitted.da,definition.da,note.scope.da,alias,see_also\n\
            A,,a,ay,aa|aaa,det første,kun her,A-1,\nA1,A,a et,,,,,,A2|B\nA2,A,a to,,,,,,A1\nB,,b,bee,,det andet,,,A1\n";
        w.import(edition("koder", Format::Csv, file.as_bytes(), "1", "2020-01-01")).await.expect("it is lawful");
        let digest = w.json("/api/v1/vocabularies/koder/versions/1").await["manifest"]["digest"].clone();
        let position = w.position().await;
        let mut wrong = Vec::new();
        for format in Format::WRITTEN {
            let name = format.name();
            let bytes = w.get(&format!("/api/v1/vocabularies/koder/export?format={name}&version=1")).await.ok().body;
            match w.import(edition("koder", format, &bytes, "1", "2020-01-01")).await {
                Ok(report) if report.verdict == Verdict::AlreadyThere && json!(report.manifest.digest) == digest => {}
                other => wrong.push(format!("{name}: {other:?}")),
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(w.position().await, position, "nothing was written");
    })
    .await;
}

const MEDIA: [(&str, &str); 7] = [
    ("html", "text/html"),
    ("json", "application/json"),
    ("jsonld", "application/ld+json"),
    ("ttl", "text/turtle"),
    ("nt", "application/n-triples"),
    ("rdf", "application/rdf+xml"),
    ("oioxml", "application/xml"),
];

#[tokio::test]
async fn identifiers_answer_in_every_format() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let addresses = [
            ID.to_owned(),
            format!("{ID}/versions/2010-12-08"),
            format!("{ID}/{ADULTS}"),
            format!("{ID}/{}", encoded("SEL § 107")),
            format!("{ID}/{}", encoded("SEL § 32")),
            format!("{ID}/versions/2010-12-08/{SEL_32}"),
        ];
        for address in &addresses {
            for (name, media) in MEDIA {
                let by_accept = w.ask("GET", address, &[("accept", media)]).await.ok();
                let by_name = w.get(&format!("{address}?format={name}")).await.ok();
                assert!(by_accept.header("content-type").starts_with(media), "{address} {media}");
                assert_eq!(by_accept.body, by_name.body, "{address} {name}");
                assert!(!by_name.body.is_empty(), "{address} {name}");
                let vary = by_accept.header("vary").to_lowercase();
                assert!(vary.contains("accept") && vary.contains("accept-language"), "{address} {name}: {vary}");
                let link = by_accept.header("link");
                for (name, media) in MEDIA {
                    let alternate = format!("<?format={name}>; rel=\"alternate\"; type=\"{media}\"");
                    assert!(link.contains(&alternate), "{address}: {link}");
                }
                // What reviewers say of a version may come later, and stands in its JSON.
                let told = name == "json" && address.ends_with("/versions/2010-12-08");
                let pinned = address.contains("/versions/") && name != "html" && !told;
                let control = if pinned { "public, max-age=31536000, immutable" } else { "public, no-cache" };
                assert_eq!(by_accept.header("cache-control"), control, "{address} {name}");
                match name {
                    "json" | "jsonld" => drop(by_name.json()),
                    "html" => {}
                    name => {
                        let format: Format = name.parse().expect("a format");
                        let options = ReadOptions { language: Language::danish(), namespace: None };
                        // A frame has no concepts, and a reader may say so.
                        if address.contains(ADULTS) || address.contains(SEL_32) {
                            let read = exchange::read(format, &by_name.body, &options);
                            assert_eq!(read.map(|r| r.concepts.len()), Ok(1), "{address} {name}");
                        }
                    }
                }
            }
            // A browser gets a page, a program without wishes too.
            let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
            assert!(
                w.ask("GET", address, &[("accept", browser)]).await.header("content-type").starts_with("text/html")
            );
            assert!(w.get(address).await.header("content-type").starts_with("text/html"));
            assert_eq!(w.ask("GET", address, &[("accept", "image/png")]).await.code(), "not-acceptable");
            assert_eq!(w.get(&format!("{address}?format=pdf")).await.code(), "invalid-parameter");
        }
        assert_snapshot!("id_concept_ttl", w.get(&format!("{ID}/{}?format=ttl", encoded("BL § 83"))).await.shown());
        assert_snapshot!(
            "id_concept_oioxml",
            w.get(&format!("{ID}/{}?format=oioxml", encoded("BL § 83"))).await.shown()
        );
        assert_snapshot!("id_vocabulary_jsonld", w.get(&format!("{ID}?format=jsonld")).await.shown());
        assert_snapshot!("id_version_json", w.get(&format!("{ID}/versions/2010-12-08?format=json")).await.shown());
        let concept = w.get(&format!("{ID}/{ADULTS}?format=json")).await.ok();
        assert_eq!(concept.body, w.get(&format!("{V}/concepts/{ADULTS}")).await.ok().body);
        assert_eq!(w.get(&format!("{ID}/ingen?format=json")).await.with(404).code(), "unknown-concept");
        assert_eq!(w.get("/id/ingen").await.with(404).code(), "unknown-vocabulary");
    })
    .await;
}

#[tokio::test]
async fn pages_in_danish_and_english() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let concept = format!("{ID}/{}", encoded("SEL § 67, stk. 1-3"));
        for (address, da, en) in [
            ("/".to_owned(), "Paragraffer bag sociale tilbud", "Paragraphs behind social services"),
            (ID.to_owned(), "Paragraffer bag sociale tilbud", "Paragraphs behind social services"),
            (concept, "døgninstitution for børn og unge", "Paragraphs behind social services"),
        ] {
            let danish = w.get(&address).await.ok().text();
            assert!(danish.contains("<html lang=\"da\">") && danish.contains(da), "{address}: {danish}");
            let english = w.ask("GET", &address, &[("accept-language", "en")]).await.ok().text();
            assert!(english.contains("<html lang=\"en\">") && english.contains(en), "{address}: {english}");
            for page in [&danish, &english] {
                for link in ["<script src=\"http", "<link rel=\"stylesheet\" href=\"http", "<img src=\"http"] {
                    assert!(!page.contains(link), "{address} loads from elsewhere");
                }
            }
        }
        // The links of the pages lead somewhere.
        for address in ["/".to_owned(), ID.to_owned(), format!("{ID}/{ADULTS}"), format!("{ID}/{SEL_32}")] {
            let page = w.get(&address).await.ok().text();
            let links = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
            for link in links.filter(|l| l.starts_with('/')).map(|l| l.replace("&amp;", "&")) {
                let answer = w.get(&link).await;
                assert!(answer.status < 400, "{address} links to {link}: {}", answer.text());
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_shows_text_and_never_markup() {
    on_every_database(async |w| {
        let file = "notation,preferred.da,definition.da\n<b>A</b>,<script>alert(1)</script>,\"<img src=x onerror=\"\"alert(1)\"\">\"\n";
        w.import(edition("koder", Format::Csv, file.as_bytes(), "1", "2020-01-01")).await.expect("it is lawful");
        for address in ["/id/koder".to_owned(), format!("/id/koder/{}", encoded("<b>A</b>"))] {
            let page = w.get(&address).await.ok().text();
            assert!(!page.contains("<script>alert") && !page.contains("<img src=x") && !page.contains("<b>A"), "{page}");
        }
    })
    .await;
}

/// Every address of the API that is read.
fn reads() -> Vec<String> {
    let concept = format!("{V}/concepts/{ADULTS}");
    let mut all = vec!["/api/v1/vocabularies".to_owned(), V.to_owned()];
    all.extend(
        ["versions", "versions/2024-01-01", "concepts", "concepts?format=csv", "changes?from=2010-12-08"]
            .map(|p| format!("{V}/{p}")),
    );
    all.push(concept.clone());
    all.extend(["history", "ancestors", "descendants", "children", "mappings"].map(|p| format!("{concept}/{p}")));
    all.extend(["ttl", "csv", "json", "oioxml"].map(|f| format!("{V}/export?format={f}")));
    all.push(format!("/api/v1/resolve?system=serviceparagraffer&code={ADULTS}"));
    all.extend(["/".to_owned(), ID.to_owned(), format!("{ID}/{ADULTS}"), format!("{ID}/{ADULTS}?format=ttl")]);
    all
}

#[tokio::test]
async fn head_and_entity_tags() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        for address in reads() {
            let answer = w.get(&address).await.ok();
            let tag = answer.header("etag");
            assert!(tag.len() > 8 && tag.ends_with('"'), "{address}: etag {tag}");
            let head = w.ask("HEAD", &address, &[]).await.ok();
            assert!(head.body.is_empty(), "{address}");
            for name in ["etag", "content-type", "cache-control", "vary", "link", "x-total-count", "content-digest"] {
                assert_eq!(head.header(name), answer.header(name), "{address}: {name}");
            }
            // Strong or weak, alone or in a list: the tag is known.
            let strong = tag.trim_start_matches("W/").to_owned();
            for known in [tag.clone(), strong, format!("\"other\", {tag}"), "*".to_owned()] {
                let again = w.ask("GET", &address, &[("if-none-match", &known)]).await.with(304);
                assert!(again.body.is_empty(), "{address}");
                assert_eq!(again.header("etag"), tag, "{address}");
                assert_eq!(again.header("cache-control"), answer.header("cache-control"), "{address}");
                assert_eq!(again.header("vary"), answer.header("vary"), "{address}");
            }
            let other = w.ask("GET", &address, &[("if-none-match", "\"other\"")]).await.ok();
            assert_eq!(other.body, answer.body, "{address}");
            assert_eq!(w.ask("HEAD", &address, &[("if-none-match", &tag)]).await.status, 304, "{address}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_pinned_is_kept_for_ever_and_the_rest_is_asked_for_again() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let concept = format!("{V}/concepts/{ADULTS}");
        w.clock.set("2026-11-22T13:00:00Z");
        // Up to the last row of the log; what is registered later may still be added to.
        let then = "date=2024-06-01&registered=2026-11-22T12:00:00Z";
        let address = format!("{ID}/versions/2024-01-01/{ADULTS}?format=ttl");
        assert_eq!(w.get(&address).await.ok().header("cache-control"), "public, max-age=31536000, immutable");
        // A version tells what reviewers said of it last, which may come later.
        let address = format!("{V}/versions/2024-01-01");
        assert_eq!(w.get(&address).await.ok().header("cache-control"), "public, no-cache");
        for at in ["version=2024-01-01", then] {
            for address in [
                format!("{V}/concepts?{at}"),
                format!("{V}/concepts?format=csv&{at}"),
                format!("{concept}?{at}"),
                format!("{concept}/ancestors?{at}"),
                format!("{concept}/descendants?{at}"),
                format!("{concept}/children?{at}"),
                format!("{concept}/mappings?{at}"),
                format!("{V}/export?format=ttl&{at}"),
            ] {
                let control = w.get(&address).await.ok().header("cache-control");
                assert_eq!(control, "public, max-age=31536000, immutable", "{address}");
            }
        }
        for at in [
            "",
            "date=2024-06-01",
            "date=2024-06-01&registered=2027-01-01T00:00:00Z",
            "date=2024-06-01&registered=2026-11-22T12:30:00Z",
            "registered=2026-11-22T12:30:00Z",
        ] {
            for address in
                [format!("{V}/concepts?{at}"), format!("{concept}?{at}"), format!("{V}/export?format=ttl&{at}")]
            {
                assert_eq!(w.get(&address).await.ok().header("cache-control"), "public, no-cache", "{address}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn compression_when_asked_for() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let address = format!("{V}/concepts?version=2010-12-08");
        let plain = w.get(&address).await.ok();
        assert_eq!(plain.header("content-encoding"), "");
        let packed = w.ask("GET", &address, &[("accept-encoding", "gzip")]).await.ok();
        assert_eq!(packed.header("content-encoding"), "gzip");
        assert!(packed.header("vary").to_lowercase().contains("accept-encoding"), "{}", packed.header("vary"));
        assert!(packed.header("vary").to_lowercase().contains("accept-language"), "{}", packed.header("vary"));
        assert_eq!(packed.header("etag"), plain.header("etag"), "a weak tag covers both");
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(&packed.body[..]).read_to_end(&mut bytes).expect("gzip");
        assert_eq!(bytes, plain.body);
        assert_eq!(w.ask("GET", &address, &[("accept-encoding", "br")]).await.header("content-encoding"), "br");
        let none = w.ask("GET", &address, &[("accept-encoding", "identity")]).await.ok();
        assert_eq!((none.header("content-encoding").as_str(), &none.body), ("", &plain.body));
        // The digest of an export is of the bytes as they are sent.
        let export = w.ask("GET", &format!("{V}/export?format=ttl"), &[("accept-encoding", "gzip")]).await.ok();
        let sum = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(&export.body)));
        assert_eq!(export.header("content-digest"), sum);
    })
    .await;
}

#[tokio::test]
async fn reads_are_for_every_web_page() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let preflight = w
            .ask(
                "OPTIONS",
                "/api/v1/validate",
                &[
                    ("origin", "https://vendor.example"),
                    ("access-control-request-method", "POST"),
                    ("access-control-request-headers", "content-type"),
                ],
            )
            .await
            .ok();
        assert_eq!(preflight.header("access-control-allow-origin"), "*");
        assert!(preflight.header("access-control-allow-methods").contains("POST"));
        assert!(preflight.header("access-control-allow-headers").contains("content-type"));
        let read = w.ask("GET", V, &[("origin", "https://vendor.example")]).await.ok();
        assert_eq!(read.header("access-control-allow-origin"), "*");
        assert_eq!(read.header("access-control-allow-credentials"), "");
        let exposed = read.header("access-control-expose-headers");
        for name in ["etag", "link", "x-total-count", "content-digest"] {
            assert!(exposed.contains(name), "{exposed}");
        }
        let refused = w.ask("GET", "/api/v1/vocabularies/ingen", &[("origin", "https://vendor.example")]).await;
        assert_eq!(refused.header("access-control-allow-origin"), "*", "a page must be able to read the problem");
    })
    .await;
}

/// The tags of what is worked on.
const WORK: [&str; 8] =
    ["drafts", "decisions", "hearings", "groups", "change requests", "certifications", "code sets", "subscriptions"];

#[tokio::test]
async fn the_documentation_is_of_the_routes() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let document = w.json("/api/openapi.json").await;
        assert!(document["openapi"].as_str().expect("a version").starts_with("3.1"));
        assert_snapshot!("openapi", serde_json::to_string_pretty(&document).expect("JSON"));
        let mut ids = BTreeSet::new();
        for (path, methods) in document["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().expect("methods") {
                let id = operation["operationId"].as_str().expect("an id");
                assert!(ids.insert(id.to_owned()), "{id} is there twice");
                let names: BTreeSet<&str> = operation["parameters"]
                    .as_array()
                    .map(|all| {
                        all.iter().filter(|p| p["in"] == "path").map(|p| p["name"].as_str().expect("a name")).collect()
                    })
                    .unwrap_or_default();
                let in_path: BTreeSet<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
                assert_eq!(names, in_path, "{path}");
                let address = path
                    .replace("{vocabulary}", "serviceparagraffer")
                    .replace("{version}", "2024-01-01")
                    .replace("{uuid}", "00000000-0000-4000-8000-000000000000")
                    .replace("{edit}", "1")
                    .replace("{thread}", "1")
                    .replace("{item}", "1")
                    .replace("{key}", ADULTS);
                // Whatever else has an address is named by its uuid, and is not there.
                let parts = address.split('{').enumerate().map(|(i, part)| match part.split_once('}') {
                    Some((_, rest)) if i > 0 => format!("00000000-0000-4000-8000-000000000000{rest}"),
                    _ => part.to_owned(),
                });
                let address: String = parts.collect();
                if path.ends_with("/stream") {
                    // It has no end: tests/feed.rs reads it as it comes.
                    continue;
                }
                let answer = match method.as_str() {
                    "post" => w.post(&address, r#"{"system": "serviceparagraffer", "code": "SEL"}"#).await,
                    method => w.ask(&method.to_uppercase(), &address, &[]).await,
                };
                match answer.status {
                    200 => {}
                    // An address that takes another body says which.
                    415 => assert_eq!(answer.code(), "unsupported-type", "{path}"),
                    // An address that demands parameters says which.
                    400 => {
                        let codes = ["invalid-parameter", "invalid-body", "invalid-text"];
                        assert!(codes.contains(&answer.code().as_str()), "{path}: {}", answer.code());
                    }
                    // What is about people, or changes something, is for those who are signed in: tests/people.rs.
                    401 => {
                        assert_eq!(answer.code(), "not-signed-in", "{path}");
                        let tag = operation["tags"][0].as_str().expect("a tag");
                        let closed = ["people", "me", "publishing"].contains(&tag) || WORK.contains(&tag);
                        assert!(closed, "{path}: {tag}");
                        continue;
                    }
                    // Nothing is worked on here.
                    404 if operation["tags"].as_array().is_some_and(|t| WORK.iter().any(|w| t.contains(&json!(w)))) => {
                        assert!(["not-found", "not-in-version"].contains(&answer.code().as_str()), "{path}");
                        continue;
                    }
                    other => panic!("{method} {path}: {other} {}", answer.text()),
                }
                // A made-up parameter is refused with the names of those that there are, all documented.
                if method == "get" {
                    let problem = w.get(&format!("{address}?ingen=1")).await;
                    assert_eq!(problem.code(), "unknown-parameter", "{path}");
                    let told: BTreeSet<String> = problem.json()["allowed"]
                        .as_array()
                        .map(|a| a.iter().map(|n| n.as_str().expect("a name").to_owned()).collect())
                        .unwrap_or_default();
                    let documented: BTreeSet<String> = operation["parameters"]
                        .as_array()
                        .map(|all| all.iter().filter(|p| p["in"] == "query"))
                        .into_iter()
                        .flatten()
                        .map(|p| p["name"].as_str().expect("a name").to_owned())
                        .collect();
                    assert_eq!(told, documented, "{path}");
                }
            }
        }
        assert!(ids.len() >= 15, "{ids:?}");
        // Every reference leads to a schema.
        let text = document.to_string();
        for name in text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(document["components"]["schemas"].get(name).is_some(), "{name} is not described");
        }
    })
    .await;
}

#[tokio::test]
async fn the_documentation_can_be_read_without_a_network() {
    on_every_database(async |w| {
        let page = w.get("/api/docs/").await.ok().text();
        let mut seen = Vec::new();
        for part in ["src=\"", "href=\""] {
            for link in page.split(part).skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(!link.contains("//"), "{link} is elsewhere");
                let name = link.trim_start_matches("./");
                let asset = w.get(&format!("/api/docs/{name}")).await.ok();
                assert!(!asset.body.is_empty(), "{name}");
                seen.push(name.to_owned());
            }
        }
        assert!(seen.iter().any(|s| s.ends_with(".js")) && seen.iter().any(|s| s.ends_with(".css")), "{seen:?}");
        let start = w.get("/api/docs/swagger-initializer.js").await.ok().text();
        assert!(start.contains("/api/openapi.json") && !start.contains("https://"), "{start}");
        let redirect = w.get("/api/docs").await;
        assert!((300..400).contains(&redirect.status), "{}", redirect.status);
    })
    .await;
}

#[tokio::test]
async fn health_and_metrics() {
    on_every_database(async |w| {
        assert_eq!(w.get("/health/live").await.ok().json(), json!({ "status": "ok" }));
        w.load_paragraphs().await;
        let position = w.position().await;
        let mut ready = w.get("/health/ready").await.ok().json();
        // Nobody follows here, so that what is derived is only built when it is asked for.
        let derived = ready.as_object_mut().and_then(|r| r.remove("projections")).expect("a list");
        assert_eq!(derived["rdf"], json!({ "position": -1, "behind": position }));
        assert_eq!(ready, json!({ "status": "ok", "position": position, "head": position, "behind": 0 }));
        w.get(V).await.ok();
        w.get(&format!("{V}/concepts/a-secret-code")).await.with(404);
        w.get("/a-secret-address").await.with(404);
        let metrics = w.get("/metrics").await.ok();
        let text = metrics.text();
        assert!(metrics.header("content-type").starts_with("application/openmetrics-text"));
        assert!(text.ends_with("# EOF\n"), "{text}");
        for line in [
            format!("begreb_log_position {position}"),
            "begreb_vocabularies 1".into(),
            "begreb_concepts_in_force 25".into(),
            "route=\"/api/v1/vocabularies/{vocabulary}\",status=\"200\"} 1".into(),
            "route=\"/api/v1/vocabularies/{vocabulary}/concepts/{key}\",status=\"404\"} 1".into(),
        ] {
            assert!(text.contains(&line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("secret"), "what callers ask for is no label");
        // Where the database is gone, the process lives and says that it is not ready; reads go on.
        w.registry.close().await;
        assert_eq!(w.get("/health/live").await.status, 200);
        let ready = w.get("/health/ready").await.with(503).json();
        assert_eq!((&ready["status"], &ready["position"]), (&json!("database-unreachable"), &json!(position)));
        assert_eq!(w.get(V).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn the_vocabularies_of_the_project_load_and_load_again() {
    on_every_database(async |w| {
        let folder = root().join("vocabularies");
        let first = w.registry.load(&operator(), &folder).await.expect("they are lawful");
        assert_eq!(first.already_there, 0);
        let (position, versions) = (w.position().await, first.published.len());
        let verified = w.registry.verify().await.expect("whole");
        assert_eq!(verified.versions.len(), versions);
        w.clock.set("2027-01-01T00:00:00Z");
        let second = w.registry.load(&operator(), &folder).await.expect("they are there");
        assert_eq!((second.published.len(), second.already_there), (0, versions));
        assert_eq!(w.position().await, position);
        // A registry that is opened anew reads the same.
        let again = w.reopened().await;
        let all = |r: &begreb::registry::Registry| serde_json::to_value(r.vocabularies()).expect("JSON");
        assert_eq!(all(&again), all(&w.registry));
    })
    .await;
}

#[tokio::test]
async fn an_outsider_can_compute_a_version_s_digest() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let own = ["iri", "vocabulary", "version", "status", "validFrom", "validTo", "registeredFrom", "level"];
        let own: Vec<&str> = own.into_iter().chain(["broader", "narrowerCount", "replacedBy", "uuid"]).collect();
        for version in ["2010-12-08", "2024-01-01"] {
            let list = w.json(&format!("{V}/concepts?version={version}&limit=10000")).await;
            let mut text = String::new();
            for concept in list["concepts"].as_array().expect("a list") {
                let mut content = concept.as_object().expect("an object").clone();
                content.retain(|name, _| !own.contains(&name.as_str()) && name != "rank");
                let uuid = concept["uuid"].as_str().expect("a uuid").to_owned();
                // serde_json sorts members here, as canonical JSON wants them.
                text.push_str(&json!({ "content": content, "uuid": uuid }).to_string());
                text.push('\n');
            }
            let digest: String = Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect();
            let told = w.json(&format!("{V}/versions/{version}")).await;
            assert_eq!(told["manifest"]["digest"], digest, "{version}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_body_without_a_media_type_is_read_all_the_same() {
    on_every_database(async |w| {
        w.load_paragraphs().await;
        let body = Body::from(r#"{"system": "serviceparagraffer", "code": "SEL"}"#);
        let request = Request::builder().method("POST").uri("/api/v1/validate").body(body).expect("a request");
        assert_eq!(w.send(request).await.ok().json()["valid"], true);
    })
    .await;
}
