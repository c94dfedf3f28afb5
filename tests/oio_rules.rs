//! OIO Klassifikation, writing, rule by rule: what Ret makes of an object, the life of objects that belong together, what
//! the 2019 implementation does wrong, and bodies that nobody should send.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use begreb::exchange::oio::Kind;
use begreb::exchange::{Format, oio_facets};
use begreb::model::{Governance, Role};
use begreb::registry::ImportRequest;
use common::crew::{Person, person, vocabulary};
use common::klasser::{ALL, always, attributes, create, home, in_force, klasse, read, since, uuids, verified, write};
use common::{edition, encoded, on_every_database, operator};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

const SOMEBODY: &str = "11111111-1111-4111-8111-111111111111";
const SOMETHING: &str = "99999999-9999-4999-8999-999999999999";

/// The periods of a relation, or of the state, in the order of time: `from..to: target`.
fn periods(list: &Value) -> Vec<String> {
    let day = |v: &Value| v.as_str().map_or("?", |t| t.split(' ').next().unwrap_or(t)).to_owned();
    let line = |e: &Value| {
        let what = ["uuid", "urn", "publiceret"].iter().find_map(|name| e[*name].as_str());
        let (from, to) = (day(&e["virkning"]["from"]), day(&e["virkning"]["to"]));
        format!("{from}..{to}: {}", what.unwrap_or("-"))
    };
    let mut lines: Vec<String> = list.as_array().into_iter().flatten().map(line).collect();
    lines.sort();
    lines
}

fn part(from: &str, to: &str) -> Value {
    json!({"from": from, "to": to})
}

/// The rules of section 5 one by one, each on a klasse of its own that says: title A, scope o, published, under a parent,
/// with two mappings, from 2020 on.
#[tokio::test]
async fn ret_rule_by_rule() {
    on_every_database(async |w| {
        let pia = person(&w, "Pia", &[Role::Publisher]).await;
        let (_, facet) = home(&w, &pia).await;
        let v = json!({"from": "2020-01-01", "to": "infinity", "aktoerref": SOMEBODY, "aktoertypekode": "Organisation", "notetekst": "gammel"});
        let parent = create(&w, &pia, "klasse", klasse(&facet, "P", "Over", &since("2020-01-01"))).await;
        let other = create(&w, &pia, "klasse", klasse(&facet, "Q", "En anden", &since("2020-01-01"))).await;
        let mut number = 0;
        let mut made = async || {
            number += 1;
            let mut body = klasse(&facet, &format!("K{number}"), "A", &v);
            body["attributter"]["klasseegenskaber"][0]["omfang"] = json!("o");
            body["relationer"]["overordnetklasse"] = json!([{"uuid": parent, "virkning": v}]);
            body["relationer"]["mapninger"] = json!([{"urn": "urn:a", "virkning": v}, {"urn": "urn:b", "virkning": v}]);
            create(&w, &pia, "klasse", body).await
        };
        let egenskaber = |list: Value| json!({"attributter": {"klasseegenskaber": list}});
        let tilstande = |list: Value| json!({"tilstande": {"klassepubliceret": list}});
        let relation = |name: &str, list: Value| json!({"relationer": {name: list}});
        let (whole, july) = (part("2020-01-01", "infinity"), since("2026-07-01"));

        // What is given, and what attributes, states, superordinates and mappings then are.
        let (a, p, over) = ("2020-01-01..infinity: A, o", "2020-01-01..infinity: Publiceret", format!("2020-01-01..infinity: {parent}"));
        let both = ["2020-01-01..infinity: urn:a", "2020-01-01..infinity: urn:b"];
        type Row = (&'static str, Value, Vec<String>, Vec<String>, Vec<String>, Vec<String>);
        let owned = |list: &[&str]| list.iter().map(|t| (*t).to_owned()).collect::<Vec<String>>();
        let row = |what: &'static str, body: Value, a: &[&str], p: &[&str], o: &[&str], m: &[&str]| -> Row { (what, body, owned(a), owned(p), owned(o), owned(m)) };
        let rows = [
            row("1. over part of an old element: old fields overlaid, the rest keeps its content",
                egenskaber(json!([{"titel": "B", "virkning": part("2022-01-01", "2023-01-01")}])),
                &["2020-01-01..2022-01-01: A, o", "2022-01-01..2023-01-01: B, o", "2023-01-01..infinity: A, o"], &[p], &[&over], &both),
            row("1. beside all old elements: as given",
                json!({
                    "attributter": {"klasseegenskaber": [{"brugervendtnoegle": "TIDLIG", "titel": "B", "virkning": part("2018-01-01", "2019-01-01")}]},
                    "tilstande": {"publiceret": [{"publiceret": "Publiceret", "virkning": part("2018-01-01", "2019-01-01")}]}}),
                &["2018-01-01..2019-01-01: B, -", a], &["2018-01-01..2019-01-01: Publiceret", p], &[&over], &both),
            row("1. two elements",
                egenskaber(json!([{"titel": "B", "virkning": part("2022-01-01", "2023-01-01")}, {"titel": "C", "virkning": july}])),
                &["2020-01-01..2022-01-01: A, o", "2022-01-01..2023-01-01: B, o", "2023-01-01..2026-07-01: A, o", "2026-07-01..infinity: C, o"], &[p], &[&over], &both),
            row("1. an empty text clears one field", egenskaber(json!([{"omfang": "", "virkning": july}])),
                &["2020-01-01..2026-07-01: A, o", "2026-07-01..infinity: A, -"], &[p], &[&over], &both),
            row("1. an empty list clears the group for all time; it cannot be published then",
                json!({"attributter": {"klasseegenskaber": []}, "tilstande": {"klassepubliceret": [{"publiceret": "IkkePubliceret", "virkning": whole}]}}),
                &[], &["2020-01-01..infinity: IkkePubliceret"], &[&over], &both),
            row("1. what is left out is carried over", json!({"note": "n", "tilstande": {"publiceret": [{"publiceret": "IkkePubliceret", "virkning": july}]}}),
                &["2020-01-01..2026-07-01: A, o", "2026-07-01..infinity: A, o"], &["2020-01-01..2026-07-01: Publiceret", "2026-07-01..infinity: IkkePubliceret"],
                &[&format!("2020-01-01..2026-07-01: {parent}"), &format!("2026-07-01..infinity: {parent}")],
                &["2020-01-01..2026-07-01: urn:a", "2020-01-01..2026-07-01: urn:b", "2026-07-01..infinity: urn:a", "2026-07-01..infinity: urn:b"]),
            row("2. an empty state clears over its period", tilstande(json!([{"publiceret": "", "virkning": july}])),
                &["2020-01-01..2026-07-01: A, o", "2026-07-01..infinity: A, o"], &["2020-01-01..2026-07-01: Publiceret"],
                &[&format!("2020-01-01..2026-07-01: {parent}"), &format!("2026-07-01..infinity: {parent}")],
                &["2020-01-01..2026-07-01: urn:a", "2020-01-01..2026-07-01: urn:b", "2026-07-01..infinity: urn:a", "2026-07-01..infinity: urn:b"]),
            row("2. an empty list clears the states for all time", tilstande(json!([])), &[a], &[], &[&over], &both),
            row("3. another parent from a date", relation("overordnetklasse", json!([{"uuid": other, "virkning": july}])),
                &["2020-01-01..2026-07-01: A, o", "2026-07-01..infinity: A, o"], &["2020-01-01..2026-07-01: Publiceret", "2026-07-01..infinity: Publiceret"],
                &[&format!("2020-01-01..2026-07-01: {parent}"), &format!("2026-07-01..infinity: {other}")],
                &["2020-01-01..2026-07-01: urn:a", "2020-01-01..2026-07-01: urn:b", "2026-07-01..infinity: urn:a", "2026-07-01..infinity: urn:b"]),
            row("3. cleared over a period in the middle", relation("overordnetklasse", json!([{"uuid": "", "urn": "", "virkning": part("2022-01-01", "2023-01-01")}])),
                &["2020-01-01..2022-01-01: A, o", "2022-01-01..2023-01-01: A, o", "2023-01-01..infinity: A, o"],
                &["2020-01-01..2022-01-01: Publiceret", "2022-01-01..2023-01-01: Publiceret", "2023-01-01..infinity: Publiceret"],
                &[&format!("2020-01-01..2022-01-01: {parent}"), &format!("2023-01-01..infinity: {parent}")],
                &["2020-01-01..2022-01-01: urn:a", "2020-01-01..2022-01-01: urn:b", "2022-01-01..2023-01-01: urn:a", "2022-01-01..2023-01-01: urn:b", "2023-01-01..infinity: urn:a", "2023-01-01..infinity: urn:b"]),
            row("4. a list replaces the old one completely, whatever its periods", relation("mapninger", json!([{"urn": "urn:c", "virkning": july}])),
                &["2020-01-01..2026-07-01: A, o", "2026-07-01..infinity: A, o"], &["2020-01-01..2026-07-01: Publiceret", "2026-07-01..infinity: Publiceret"],
                &[&format!("2020-01-01..2026-07-01: {parent}"), &format!("2026-07-01..infinity: {parent}")], &["2026-07-01..infinity: urn:c"]),
            row("4. an empty list counts as absent", relation("mapninger", json!([])), &[a], &[p], &[&over], &both),
            row("4. one blank element empties the list", relation("mapninger", json!([{"uuid": "", "urn": "", "virkning": whole}])), &[a], &[p], &[&over], &[]),
            row("5. no relations at all change nothing", json!({"relationer": {}}), &[a], &[p], &[&over], &both),
        ];
        for (what, body, attr, states, overs, maps) in rows {
            let uuid = made().await;
            write(&w, &pia, "PATCH", &format!("klasse/{uuid}"), body).await.ok();
            let now = read(&w, "klasse", &uuid).await;
            let konsolideret = w.get(&format!("/klassifikation/klasse/{uuid}?{ALL}&konsolider=1")).await.ok().json();
            let of = |r: &Value| {
                (
                    attributes(r, &["titel", "omfang"]),
                    periods(&r["tilstande"]["klassepubliceret"]),
                    periods(&r["relationer"]["overordnetklasse"]),
                    periods(&r["relationer"]["mapninger"]),
                )
            };
            let (got, want) = (of(&now), (attr, states, overs, maps));
            assert_eq!(covered(&got), covered(&want), "{what}: {now}");
            assert_eq!(covered(&of(&konsolideret[&uuid][0]["registreringer"][0])), covered(&want), "{what}");
        }

        // Whose hand: what lies outside keeps its own, over the given period it is the new one.
        let uuid = made().await;
        let hand = json!({"from": "2022-01-01", "to": "2023-01-01", "aktoerref": pia.uuid, "aktoertypekode": "Bruger", "notetekst": "ny"});
        write(&w, &pia, "PATCH", &format!("klasse/{uuid}"), egenskaber(json!([{"titel": "B", "virkning": hand}]))).await.ok();
        let now = read(&w, "klasse", &uuid).await;
        for e in now["attributter"]["klasseegenskaber"].as_array().expect("a list") {
            let new = e["titel"] == "B";
            let v = &e["virkning"];
            assert_eq!(v["aktoerref"], if new { pia.uuid.to_string() } else { SOMEBODY.to_owned() }, "{e}");
            assert_eq!(v["aktoertypekode"], if new { "Bruger" } else { "Organisation" });
            assert_eq!(v["notetekst"], if new { "ny" } else { "gammel" }, "of attributes too, which LoRA loses");
        }
        // A period that nobody gave is left to PUT: Ret never removes one.
        let replace = klasse(&facet, "K90", "A", &since("2021-01-01"));
        write(&w, &pia, "PUT", &format!("klasse/{uuid}"), replace).await.ok();
        assert_eq!(attributes(&read(&w, "klasse", &uuid).await, &["titel"]), ["2021-01-01..infinity: A"]);

        // What no rule allows.
        let uuid = made().await;
        let twice = |name: &str| json!([{name: "B", "virkning": part("2021-01-01", "2023-01-01")}, {name: "C", "virkning": part("2022-01-01", "2024-01-01")}]);
        let parents = json!([{"uuid": other, "virkning": part("2021-01-01", "2023-01-01")}, {"uuid": parent, "virkning": part("2022-01-01", "2024-01-01")}]);
        let position = w.position().await;
        for (what, body) in [
            ("attributes that overlap", egenskaber(twice("titel"))),
            ("states that overlap", tilstande(json!([{"publiceret": "Publiceret", "virkning": whole}, {"publiceret": "IkkePubliceret", "virkning": july}]))),
            ("parents that overlap", relation("overordnetklasse", parents)),
            ("half an element where there was nothing", egenskaber(json!([{"titel": "B", "virkning": part("2010-01-01", "2011-01-01")}]))),
            ("an empty period", egenskaber(json!([{"titel": "B", "virkning": part("2026-01-01", "2026-01-01")}]))),
            ("a period that ends before it begins", egenskaber(json!([{"titel": "B", "virkning": part("2026-01-02", "2026-01-01")}]))),
            ("no title", egenskaber(json!([{"titel": "", "virkning": july}]))),
            ("an index of a relation (6)", relation("mapninger", json!([{"urn": "urn:c", "indeks": 1, "virkning": july}]))),
            ("both a uuid and a URN", relation("mapninger", json!([{"urn": "urn:c", "uuid": other, "virkning": july}]))),
            ("neither", relation("mapninger", json!([{"virkning": july}]))),
            ("no virkning", relation("mapninger", json!([{"urn": "urn:c"}]))),
            ("another state", tilstande(json!([{"publiceret": "publiceret", "virkning": july}]))),
            ("an attribute of another kind", egenskaber(json!([{"kaldenavn": "B", "virkning": july}]))),
            ("a relation of another kind", relation("facettilhoerer", json!([{"uuid": other, "virkning": july}]))),
            ("an index word with two parts", egenskaber(json!([{"soegeord": [["a", "b"]], "virkning": july}]))),
        ] {
            let refused = write(&w, &pia, "PATCH", &format!("klasse/{uuid}"), body).await;
            assert_eq!(refused.status, 400, "{what}: {}", refused.text());
            assert!(refused.json()["message"].as_str().is_some_and(|m| !m.is_empty()), "{what}");
        }
        assert_eq!(w.position().await, position, "nothing was written");
        verified(&w).await;
    })
    .await;
}

/// Lines of periods with neighbours that say the same joined: one state of a concept is one period for all its elements.
fn covered(all: &(Vec<String>, Vec<String>, Vec<String>, Vec<String>)) -> [Vec<String>; 4] {
    let join = |lines: &[String]| {
        let mut parts: Vec<(String, String, String)> = lines
            .iter()
            .filter_map(|line| {
                let (period, what) = line.split_once(": ")?;
                let (from, to) = period.split_once("..")?;
                Some((what.to_owned(), from.to_owned(), to.to_owned()))
            })
            .collect();
        assert_eq!(parts.len(), lines.len());
        parts.sort();
        let mut out: Vec<(String, String, String)> = Vec::new();
        for (what, from, to) in parts {
            match out.last_mut() {
                Some((w, _, end)) if *w == what && *end == from => *end = to,
                _ => out.push((what, from, to)),
            }
        }
        out.into_iter().map(|(what, from, to)| format!("{from}..{to}: {what}")).collect()
    };
    [join(&all.0), join(&all.1), join(&all.2), join(&all.3)]
}

/// Every move of section 2.5, lawful or not.
#[tokio::test]
async fn the_moves_of_a_life() {
    on_every_database(async |w| {
        let pia = person(&w, "Pia", &[Role::Publisher]).await;
        let (_, facet) = home(&w, &pia).await;
        let v = since("2020-01-01");
        let mut number = 0;
        for first in ["Opstaaet", "Importeret", "Rettet", "Passiveret", "Slettet"] {
            for (order, wanted) in
                [("ret", "Rettet"), ("passiver", "Passiveret"), ("slet", "Slettet"), ("importer", "")]
            {
                number += 1;
                let body = klasse(&facet, &format!("K{number}"), "A", &v);
                let uuid = match first {
                    "Importeret" => {
                        let uuid = format!("22222222-2222-4222-8222-{number:012}");
                        write(&w, &pia, "PUT", &format!("klasse/{uuid}"), body.clone()).await.ok();
                        uuid
                    }
                    _ => create(&w, &pia, "klasse", body.clone()).await,
                };
                let path = format!("klasse/{uuid}");
                let ret = |title: &str| json!({"attributter": {"klasseegenskaber": [{"titel": title, "virkning": v}]}});
                match first {
                    "Rettet" => drop(write(&w, &pia, "PATCH", &path, ret("B")).await.ok()),
                    "Passiveret" => drop(write(&w, &pia, "PATCH", &path, json!({"livscyklus": "Passiv"})).await.ok()),
                    "Slettet" => drop(write(&w, &pia, "DELETE", &path, Value::Null).await.with(202)),
                    _ => {}
                }
                let code = async || read(&w, "klasse", &uuid).await["livscykluskode"].clone();
                if first != "Slettet" {
                    assert_eq!(code().await, first);
                }
                let position = w.position().await;
                let active = !matches!(first, "Passiveret" | "Slettet");
                let (answer, expected) = match order {
                    "ret" => (write(&w, &pia, "PATCH", &path, ret("C")).await, if active { 200 } else { 400 }),
                    "passiver" => {
                        let body = json!({"livscyklus": "PASSIV"});
                        (write(&w, &pia, "PATCH", &path, body).await, if active { 200 } else { 400 })
                    }
                    "slet" => (write(&w, &pia, "DELETE", &path, Value::Null).await, 202),
                    _ => {
                        let mut other = body.clone();
                        other["attributter"]["klasseegenskaber"][0]["titel"] = json!("D");
                        (write(&w, &pia, "PUT", &path, other).await, 200)
                    }
                };
                assert_eq!(answer.status, expected, "{first}, {order}: {}", answer.text());
                let wanted = match order {
                    "importer" if active => "Rettet",
                    "importer" => "Importeret",
                    _ => wanted,
                };
                if expected == 400 {
                    let message = answer.json()["message"].as_str().expect("a message").to_owned();
                    assert!(message.contains(&format!("Invalid [livscyklus] transition to [{wanted}]")), "{message}");
                }
                if expected == 400 || (first, order) == ("Slettet", "slet") {
                    assert_eq!(w.position().await, position, "{first}, {order}: nothing was registered");
                } else if wanted == "Slettet" {
                    w.get(&format!("/klassifikation/{path}")).await.with(410);
                } else {
                    assert_eq!(code().await, wanted, "{first}, {order}");
                }
            }
        }
        verified(&w).await;
    })
    .await;
}

/// The faults that sections 2, 6, 9 and 10 name: none of them is here.
#[tokio::test]
async fn what_others_do_wrong() {
    on_every_database(async |w| {
        let pia = person(&w, "Pia", &[Role::Publisher]).await;
        let (_, facet) = home(&w, &pia).await;
        let v = since("2020-01-01");
        let words = |n: usize| (0..n).map(|i| json!([format!("ord {i}"), "b", "k"])).collect::<Vec<Value>>();
        let stored = async |uuid: &str| {
            let now = read(&w, "klasse", uuid).await;
            now["attributter"]["klasseegenskaber"][0]["soegeord"].as_array().map_or(0, Vec::len)
        };
        // One index word alone is stored by POST and by PUT too, and so are more than two.
        for (n, uuid) in [(1, "22222222-2222-4222-8222-222222222201"), (3, "22222222-2222-4222-8222-222222222203")] {
            let mut body = klasse(&facet, &format!("W{n}"), "A", &v);
            body["attributter"]["klasseegenskaber"][0]["soegeord"] = json!(words(n));
            let made = create(&w, &pia, "klasse", body.clone()).await;
            assert_eq!(stored(&made).await, n, "POST");
            body["attributter"]["klasseegenskaber"][0]["brugervendtnoegle"] = json!(format!("V{n}"));
            write(&w, &pia, "PUT", &format!("klasse/{uuid}"), body.clone()).await.ok();
            assert_eq!(stored(uuid).await, n, "PUT");
            body["attributter"]["klasseegenskaber"][0]["titel"] = json!("B");
            write(&w, &pia, "PUT", &format!("klasse/{uuid}"), body).await.ok();
            assert_eq!(stored(uuid).await, n, "PUT again");
        }
        // Several periods of a relation of which there is one at a time, given at once.
        let parents = [
            create(&w, &pia, "klasse", klasse(&facet, "P1", "En", &v)).await,
            create(&w, &pia, "klasse", klasse(&facet, "P2", "To", &v)).await,
        ];
        let mut body = klasse(&facet, "M", "A", &v);
        body["relationer"]["overordnetklasse"] = json!([
            {"uuid": parents[0], "virkning": part("2020-01-01", "2023-01-01")},
            {"uuid": parents[1], "virkning": part("2023-01-01", "infinity")}]);
        // What PostgreSQL reads as an instant, and bounds that say what they always are.
        body["attributter"]["klasseegenskaber"][0]["virkning"] =
            json!({"from": "2020-01-01 01:00:00+01", "to": "infinity", "from_included": true, "to_included": false});
        let uuid = create(&w, &pia, "klasse", body).await;
        let now = read(&w, "klasse", &uuid).await;
        assert_eq!(
            periods(&now["relationer"]["overordnetklasse"]),
            [format!("2020-01-01..2023-01-01: {}", parents[0]), format!("2023-01-01..infinity: {}", parents[1])]
        );
        let first = now["attributter"]["klasseegenskaber"][0]["virkning"].clone();
        assert_eq!(first["from"], "2020-01-01 00:00:00+00");
        // What changes nothing is no mistake, also as the first thing after Opret.
        let position = w.position().await;
        let same = json!({"attributter": {"klasseegenskaber": [{"titel": "A", "virkning": v}]}});
        write(&w, &pia, "PATCH", &format!("klasse/{uuid}"), same).await.ok();
        assert_eq!(w.position().await, position);
        // A list whose first object is deleted has the others.
        write(&w, &pia, "DELETE", &format!("klasse/{}", parents[0]), Value::Null).await.with(202);
        let listed = w.json(&format!("/klassifikation/klasse?uuid={}&uuid={uuid}", parents[0])).await;
        let ids: Vec<&Value> = listed["results"][0].as_array().expect("a list").iter().map(|o| &o["id"]).collect();
        assert_eq!(ids, [&json!(parents[0]), &json!(uuid)]);
        // Consolidated at one time, with index words.
        let one = "22222222-2222-4222-8222-222222222201";
        let joined = w.json(&format!("/klassifikation/klasse/{one}?konsolider=1&virkningstid=2021-01-01")).await;
        let words = &joined[one][0]["registreringer"][0]["attributter"]["klasseegenskaber"][0]["soegeord"];
        assert_eq!(words.as_array().map(Vec::len), Some(1));
        // An end with an offset and one without.
        let mixed =
            format!("/klassifikation/klasse/{one}?virkningFra=2021-01-01&virkningTil=2021-02-01T00:00:00%2B01:00");
        w.get(&mixed).await.ok();
        // A search for a relation that is none: 400, whatever relation it is.
        for kind in Kind::ALL {
            for name in kind.relations() {
                let refused = w.get(&format!("/klassifikation/{}?{name}=hverken", kind.name())).await.with(400).json();
                assert!(refused["message"].is_string(), "{kind:?} {name}");
            }
        }
        verified(&w).await;
    })
    .await;
}

/// Each parameter of docs/oio.md that names an attribute or a relation, alone, of each kind.
#[tokio::test]
async fn every_attribute_and_relation_is_searched_for_alone() {
    on_every_database(async |w| {
        let pia = person(&w, "Pia", &[Role::Publisher]).await;
        let (klassifikation, facet) = home(&w, &pia).await;
        let other = create(&w, &pia, "klasse", klasse(&facet, "Q", "En anden", &always())).await;
        for kind in Kind::ALL {
            let text = |field: &str| format!("{} {field} æ%, 100\\ \"x\"", kind.name());
            let mut egenskab: serde_json::Map<String, Value> =
                kind.fields().iter().map(|f| ((*f).to_owned(), json!(text(f)))).collect();
            egenskab.insert("virkning".into(), always());
            if kind == Kind::Klasse {
                egenskab
                    .insert("soegeord".into(), json!([[text("ord"), text("beskrivelse af ord"), text("kategori")]]));
            }
            let target = |name: &str| match name {
                "facet" => facet.clone(),
                "facettilhoerer" => klassifikation.clone(),
                "overordnetklasse" | "sideordnede" | "lovligekombinationer" => other.clone(),
                // A uuid for each relation.
                name => uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, name.as_bytes()).to_string(),
            };
            let relations: serde_json::Map<String, Value> = kind
                .relations()
                .map(|r| (r.to_owned(), json!([{"uuid": target(r), "objekttype": "Noget", "virkning": always()}])))
                .collect();
            let body = json!({
                "attributter": {kind.egenskaber(): [egenskab]},
                "tilstande": {kind.publiceret(): [{"publiceret": "IkkePubliceret", "virkning": always()}]},
                "relationer": relations,
            });
            let uuid = create(&w, &pia, kind.name(), body).await;
            let found = async |name: &str, value: &str| {
                let uri = format!("/klassifikation/{}?{}={}", kind.name(), encoded(name), encoded(value));
                w.json(&uri).await["results"][0].clone()
            };
            let escaped = |text: &str| text.replace('\\', "\\\\").replace('%', "\\%");
            for field in kind.fields() {
                let whole = escaped(&text(field)).to_uppercase();
                assert_eq!(found(field, &whole).await, json!([uuid]), "{} {field}", kind.name());
                // A facet that stands for a klassifikation is called as that one is.
                let within = format!("%{}%", escaped(&format!("{} {field} æ%, 100\\ \"X", &kind.name()[1..])));
                assert_eq!(found(field, &within).await, json!([uuid]), "{field}");
                assert_eq!(found("vilkaarligattr", &whole).await, json!([uuid]), "{field}");
                assert_eq!(found(field, &whole[1..]).await, json!([]), "{field}");
            }
            if kind == Kind::Klasse {
                for word in ["ord", "beskrivelse af ord", "kategori"] {
                    assert_eq!(found("soegeord", &escaped(&text(word))).await, json!([uuid]), "{word}");
                    assert_eq!(found("vilkaarligattr", &escaped(&text(word))).await, json!([uuid]), "{word}");
                    assert_eq!(found("soegeord", &format!("%{}", escaped(&text(word)))).await, json!([uuid]), "{word}");
                }
            }
            for relation in kind.relations() {
                let target = target(relation);
                let has = |list: Value| list.as_array().is_some_and(|l| l.contains(&json!(uuid)));
                assert!(has(found(relation, &target).await), "{} {relation}", kind.name());
                assert_eq!(found(&format!("{relation}:Noget"), &target).await, json!([uuid]), "{relation}");
                assert_eq!(found(&format!("{relation}:noget"), &target).await, json!([]), "{relation}");
                assert!(has(found("vilkaarligrel", &target).await), "{relation}");
                assert_eq!(found("vilkaarligrel:Noget", &target).await, json!([uuid]), "{relation}");
                assert_eq!(found(relation, SOMETHING).await, json!([]), "{relation}");
            }
            let hidden = found("publiceret", "IkkePubliceret").await;
            assert!(hidden.as_array().expect("a list").contains(&json!(uuid)), "{hidden}");
            assert!(!found("publiceret", "Publiceret").await.as_array().expect("a list").contains(&json!(uuid)));
            assert_eq!(found("livscykluskode", "Rettet").await, json!([]), "{}", kind.name());
            assert!(found("livscykluskode", "Opstaaet").await.as_array().expect("a list").contains(&json!(uuid)));
            assert!(found("brugerref", &pia.uuid.to_string()).await.as_array().expect("a list").contains(&json!(uuid)));
        }
    })
    .await;
}

/// A search that an index answers finds what is said now, however often it was said otherwise.
#[tokio::test]
async fn what_was_just_written_is_found() {
    on_every_database(async |w| {
        let pia = person(&w, "Pia", &[Role::Publisher]).await;
        let csv: String = (0..120).fold("notation,preferred.da\n".to_owned(), |csv, i| csv + &format!("C{i},Navn {i}\n"));
        vocabulary(&w, "koder", Governance::Direct, &csv).await;
        let found = async |query: String| {
            let list = w.json(&format!("/klassifikation/klasse?{query}")).await["results"][0].clone();
            list.as_array().expect("a list").iter().map(|u| u.as_str().expect("a uuid").to_owned()).collect::<Vec<_>>()
        };
        let mut uuids = Vec::new();
        for i in 0..120 {
            let mine = found(format!("bvn=c{i}")).await;
            assert_eq!(mine.len(), 1, "C{i}");
            assert_eq!(found(format!("titel=NAVN%20{i}")).await, mine);
            uuids.extend(mine);
        }
        // More than an index looks at one by one, so that it is sorted again on the way; a search in between each time.
        for i in 0..90 {
            let (uuid, parent) = (&uuids[i], &uuids[i + 20]);
            let v = since("2026-01-01");
            let ret = json!({
                "attributter": {"klasseegenskaber": [{"titel": format!("Nyt {i}"), "omfang": format!("Omfang {i}"), "virkning": v}]},
                "relationer": {"overordnetklasse": [{"uuid": parent, "virkning": v}], "sideordnede": [{"uuid": uuids[i + 21], "virkning": v}]}});
            write(&w, &pia, "PATCH", &format!("klasse/{uuid}"), ret).await.ok();
            if i % 9 == 0 || i > 80 {
                let mine = vec![uuid.clone()];
                for query in [
                    format!("titel=nyt%20{i}"),
                    format!("omfang=omfang%20{i}"),
                    format!("vilkaarligattr=OMFANG%20{i}"),
                    format!("overordnetklasse={parent}"),
                    format!("sideordnede={}", uuids[i + 21]),
                    format!("titel=Navn%20{i}&virkningstid=2025-12-31"),
                    format!("titel=Navn%20{i}&registreretFra=-infinity"),
                ] {
                    assert_eq!(found(query.clone()).await, mine, "{query}");
                }
                assert_eq!(found(format!("titel=Navn%20{i}")).await, Vec::<String>::new());
                assert!(found(format!("vilkaarligrel={parent}")).await.contains(uuid));
            }
        }
        // Another process, which reads it all at once, finds the same.
        let beside = w.beside().await;
        for query in ["titel=Nyt%2050", "vilkaarligattr=omfang%2089", "bvn=C119", "omfang=%25mfang%208%25"] {
            let uri = format!("/klassifikation/klasse?{query}");
            assert_eq!(beside.json(&uri).await, w.json(&uri).await, "{query}");
        }
    })
    .await;
}

#[tokio::test]
async fn each_object_is_deleted_by_its_own() {
    on_every_database(async |w| {
        let pia = person(&w, "Pia", &[Role::Publisher]).await;
        let (klassifikation, facet) = home(&w, &pia).await;
        let v = since("2020-01-01");
        let uuid = create(&w, &pia, "klasse", klasse(&facet, "K", "A", &v)).await;
        let (system, of_facet, path) =
            (format!("klassifikation/{klassifikation}"), format!("facet/{facet}"), format!("klasse/{uuid}"));
        let before = w.json(&format!("/klassifikation/{path}")).await;
        let count = async |path: &str| {
            let all = w.json(&format!("/klassifikation/{path}?{ALL}&registreretFra=-infinity")).await;
            all.as_object().and_then(|o| o.values().next()).and_then(|o| o[0]["registreringer"].as_array().map(Vec::len))
        };

        // The klassifikation goes; what is in it stays as it was, and says so everywhere.
        let head = w.position().await;
        write(&w, &pia, "DELETE", &system, json!({"note": "afløst"})).await.with(202);
        w.get(&format!("/klassifikation/{system}")).await.with(410);
        assert_eq!(w.json("/klassifikation/klassifikation?bvn=koder").await, json!({"results": [[]]}));
        assert_eq!(w.json(&format!("/klassifikation/{path}")).await, before);
        assert_eq!(uuids(&read(&w, "facet", &facet).await, "facettilhoerer"), std::slice::from_ref(&klassifikation));
        let ours = w.json("/api/v1/vocabularies/koder").await;
        assert_eq!(ours["deleted"], true);
        assert!(in_force(&w, "koder", "K", "2026-01-01").await);
        let event = w.json(&format!("/api/v1/changes?after={head}")).await["events"][0].clone();
        assert_eq!((&event["type"], &event["deleted"]), (&json!("vocabulary.changed"), &json!(true)), "{event}");
        for (page, word) in [("/id/koder", "Slettet:"), ("/", "(slettet)")] {
            let page = w.ask("GET", page, &[("accept", "text/html"), ("accept-language", "da")]).await.ok();
            assert!(page.text().contains(word), "{}", page.text());
        }
        let turtle = w.get("/api/v1/vocabularies/koder/export?format=ttl").await.ok().text();
        assert!(turtle.contains("owl:deprecated true"), "{turtle}");
        // It is still written to, and a version of it does not bring it back.
        let rename = |title: &str| json!({"attributter": {"klasseegenskaber": [{"titel": title, "virkning": v}]}});
        write(&w, &pia, "PATCH", &path, rename("B")).await.ok();
        let csv = format!("notation,uuid,preferred.da,facet\nK,{uuid},B,F\n");
        let request = ImportRequest { accept_new: true, ..edition("koder", Format::Csv, csv.as_bytes(), "1", "2026-01-01") };
        w.import(request).await.expect("it is lawful");
        w.get(&format!("/klassifikation/{system}")).await.with(410);
        write(&w, &pia, "PATCH", &system, json!({"note": "n", "livscyklus": "Passiv"})).await.with(400);
        // Importer does.
        let back = json!({
            "attributter": {"klassifikationegenskaber": [{"brugervendtnoegle": "Koder", "virkning": always()}]},
            "tilstande": {"klassifikationpubliceret": [{"publiceret": "Publiceret", "virkning": always()}]}});
        write(&w, &pia, "PUT", &system, back).await.ok();
        assert_eq!(read(&w, "klassifikation", &klassifikation).await["livscykluskode"], "Importeret");
        assert_eq!(w.json("/api/v1/vocabularies/koder").await["deleted"], Value::Null);
        let turtle = w.get("/api/v1/vocabularies/koder/export?format=ttl").await.ok().text();
        assert!(!turtle.contains("owl:deprecated"), "{turtle}");
        // So does whoever says by another door what it is.
        write(&w, &pia, "DELETE", &system, Value::Null).await.with(202);
        let titles = json!({"titles": [{"language": "da", "text": "Koder igen"}], "kind": "classification",
            "governance": "direct", "languages": ["da"], "facets": [{"code": "F", "titles": [{"language": "da", "text": "F"}]}]});
        let titles = serde_json::from_value(titles).expect("a frame");
        w.registry.put_frame(&operator(), "koder".parse().expect("a slug"), titles).await.expect("it is lawful");
        assert_eq!(read(&w, "klassifikation", &klassifikation).await["livscykluskode"], "Importeret");
        assert_eq!(w.json("/api/v1/vocabularies/koder").await["deleted"], Value::Null);

        // The facet goes; its klasser name it still, as they were, and can be written to.
        let (registreringer, before) = (count(&path).await, w.json(&format!("/klassifikation/{path}")).await);
        write(&w, &pia, "DELETE", &of_facet, Value::Null).await.with(202);
        w.get(&format!("/klassifikation/{of_facet}")).await.with(410);
        assert_eq!(w.json(&format!("/klassifikation/{path}")).await, before);
        assert_eq!(w.json(&format!("/klassifikation/klasse?facet={facet}")).await, json!({"results": [[uuid]]}));
        assert_eq!(count(&path).await, registreringer);
        let ours = w.json("/api/v1/vocabularies/koder").await;
        assert_eq!((&ours["facets"], &ours["deletedFacets"][0]["code"]), (&Value::Null, &json!("F")), "{ours}");
        assert_eq!(w.json("/api/v1/vocabularies/koder/concepts/K").await["facet"], "F");
        write(&w, &pia, "PATCH", &path, rename("C")).await.ok();
        assert_eq!(uuids(&read(&w, "klasse", &uuid).await, "facet"), std::slice::from_ref(&facet));
        let xml = w.get(&format!("/id/koder/{uuid}?format=oioxml")).await.ok().text();
        assert!(xml.contains(&facet), "{xml}");
        // It gets no others, and no other facet gets its klasser.
        write(&w, &pia, "POST", "klasse", klasse(&facet, "L", "Ny", &v)).await.with(400);
        let same_code = json!({
            "attributter": {"facetegenskaber": [{"brugervendtnoegle": "F", "virkning": always()}]},
            "tilstande": {"facetpubliceret": [{"publiceret": "Publiceret", "virkning": always()}]},
            "relationer": {"facettilhoerer": [{"uuid": klassifikation, "virkning": always()}]}});
        let refused = write(&w, &pia, "POST", "facet", same_code.clone()).await.with(400).json();
        assert!(refused["message"].as_str().is_some_and(|m| m.contains(&facet)), "{refused}");
        write(&w, &pia, "PUT", &of_facet, same_code).await.ok();
        assert_eq!(read(&w, "facet", &facet).await["livscykluskode"], "Importeret");
        create(&w, &pia, "klasse", klasse(&facet, "L", "Ny", &v)).await;

        // By another door the same holds of a facet that is taken away.
        let (registreringer, before) = (count(&path).await, w.json(&format!("/klassifikation/{path}")).await);
        let none = json!({"titles": [{"language": "da", "text": "Koder igen"}], "kind": "classification",
            "governance": "direct", "languages": ["da"]});
        let none = serde_json::from_value(none).expect("a frame");
        w.registry.put_frame(&operator(), "koder".parse().expect("a slug"), none).await.expect("it is lawful");
        w.get(&format!("/klassifikation/{of_facet}")).await.with(410);
        assert_eq!((count(&path).await, w.json(&format!("/klassifikation/{path}")).await), (registreringer, before));
        verified(&w).await;
    })
    .await;
}

#[tokio::test]
async fn what_was_told_of_a_vocabulary_without_facets_stays_told() {
    on_every_database(async |w| {
        let pia = person(&w, "Pia", &[Role::Publisher]).await;
        for (slug, by_oio) in [("koder", true), ("andre", false)] {
            vocabulary(&w, slug, Governance::Direct, "notation,preferred.da\nA,et\nB,to\n").await;
            let klassifikation = w.json(&format!("/api/v1/vocabularies/{slug}")).await["uuid"].as_str().expect("a uuid").to_owned();
            let plane = w.registry.snapshot().by_slug(slug).expect("it is there").clone();
            let stands = oio_facets(plane.vocabulary())[0].to_string();
            let uuid = w.json(&format!("/api/v1/vocabularies/{slug}/concepts/A")).await["uuid"].as_str().expect("a uuid").to_owned();
            let everything = "virkningFra=-infinity&registreretFra=-infinity";
            let all = async || {
                (
                    w.json(&format!("/klassifikation/klasse/{uuid}?{everything}")).await,
                    w.json(&format!("/klassifikation/facet/{stands}?{everything}")).await,
                    w.json(&format!("/klassifikation/klasse?facet={stands}")).await,
                )
            };
            let before = all().await;
            assert_eq!(before.2["results"][0].as_array().map(Vec::len), Some(2));
            let version = w.get(&format!("/api/v1/vocabularies/{slug}/export?format=oioxml&version=1")).await.ok().text();
            assert!(version.contains(&stands));
            let tag = w.get(&format!("/klassifikation/klasse/{uuid}")).await.ok().header("etag");

            // It gets its first facet: nothing is said otherwise of what there was, now or then.
            let new = if by_oio {
                let body = json!({
                    "attributter": {"facetegenskaber": [{"brugervendtnoegle": "NY", "virkning": always()}]},
                    "tilstande": {"facetpubliceret": [{"publiceret": "Publiceret", "virkning": always()}]},
                    "relationer": {"facettilhoerer": [{"uuid": klassifikation, "virkning": always()}]}});
                create(&w, &pia, "facet", body).await
            } else {
                let frame = json!({"titles": [{"language": "da", "text": slug}], "kind": "codeList", "governance": "direct",
                    "languages": ["da"], "facets": [{"code": "NY", "titles": [{"language": "da", "text": "Ny"}]}]});
                let frame: begreb::registry::FrameRequest = serde_json::from_value(frame).expect("a frame");
                let put = async || {
                    let frame = frame.clone();
                    w.registry.put_frame(&operator(), slug.parse().expect("a slug"), frame).await.expect("it is lawful")
                };
                let (made, _) = put().await;
                // The same once more writes nothing.
                let position = w.position().await;
                put().await;
                assert_eq!(w.position().await, position);
                made.vocabulary.facets.iter().find(|f| f.code == "NY").expect("it is there").uuid.to_string()
            };
            assert_eq!(all().await, before);
            assert_eq!(w.beside().await.json(&format!("/klassifikation/klasse/{uuid}?{everything}")).await, before.0);
            let known = [("if-none-match", tag.as_str())];
            w.ask("GET", &format!("/klassifikation/klasse/{uuid}"), &known).await.with(304);
            let of = format!("/klassifikation/facet?facettilhoerer={klassifikation}");
            let facets = w.json(&of).await["results"][0].as_array().expect("a list").clone();
            assert!(facets.len() == 2 && facets.contains(&json!(stands)) && facets.contains(&json!(new)), "{facets:?}");
            let codes: Vec<Value> = w.json(&format!("/api/v1/vocabularies/{slug}")).await["facets"]
                .as_array().expect("a list").iter().map(|f| f["code"].clone()).collect();
            assert!(codes.contains(&json!(slug)) && codes.contains(&json!("NY")), "{codes:?}");
            let version = w.get(&format!("/api/v1/vocabularies/{slug}/export?format=oioxml&version=1")).await.ok().text();
            // A version has the facets of when it was registered.
            assert!(version.contains(&format!(">{stands}<")) && !version.contains(&new), "{version}");
            // New klasser go where they are put; an old one is moved when somebody says so.
            let mine = create(&w, &pia, "klasse", klasse(&new, "C", "tre", &since("2026-01-01"))).await;
            let bare = create(&w, &pia, "klasse", klasse(&stands, "D", "fire", &since("2026-01-01"))).await;
            assert_eq!(w.json(&format!("/klassifikation/klasse?facet={new}")).await, json!({"results": [[mine]]}));
            assert_eq!(w.json(&format!("/klassifikation/klasse?facet={stands}&bvn=D")).await, json!({"results": [[bare]]}));
            let moved = json!({"relationer": {"facet": [{"uuid": new, "virkning": since("2026-06-01")}]}});
            write(&w, &pia, "PATCH", &format!("klasse/{uuid}"), moved).await.ok();
            let now = read(&w, "klasse", &uuid).await;
            assert_eq!(
                periods(&now["relationer"]["facet"]),
                [format!("2020-01-01..2026-06-01: {stands}"), format!("2026-06-01..infinity: {new}")]
            );
        }
        verified(&w).await;
    })
    .await;
}

/// Whoever is nobody is told so first: nothing that was sent is looked at.
#[tokio::test]
async fn a_stranger_is_told_so_before_anything_is_read() {
    on_every_database(async |w| {
        let pia = person(&w, "Pia", &[Role::Publisher]).await;
        let (_, facet) = home(&w, &pia).await;
        let uuid = create(&w, &pia, "klasse", klasse(&facet, "K", "A", &always())).await;
        let orders = [
            ("POST", "klasse".to_owned()),
            ("PUT", format!("klasse/{uuid}")),
            ("PATCH", format!("klasse/{uuid}")),
            ("DELETE", format!("klasse/{uuid}")),
        ];
        for (method, path) in orders {
            for (media, body) in [
                ("application/json", "{".to_owned()),
                ("application/json", String::new()),
                ("application/json", format!("{{\"note\": \"{}\"}}", "x".repeat(5 << 20))),
                ("multipart/form-data", "sludder".to_owned()),
                ("text/csv", "a,b".to_owned()),
            ] {
                let uri = format!("/klassifikation/{path}?x=1");
                let refused =
                    Person::default().ask_raw(&w, method, &uri, body.clone(), &[("content-type", media)]).await;
                assert_eq!(refused.status, 401, "{method} {media}: {}", refused.text());
                assert!(refused.json()["message"].is_string());
                let wrong = [("content-type", media), ("authorization", "Bearer begreb_forkert"), ("if-match", "x")];
                let refused = Person::default().ask_raw(&w, method, &uri, body, &wrong).await;
                assert_eq!(refused.status, 401, "{method} {media}: {}", refused.text());
            }
            // Whoever is known is told what is wrong.
            let headers = [("content-type", "application/json")];
            pia.ask_raw(&w, method, &format!("/klassifikation/{path}"), "{".into(), &headers).await.with(400);
        }
    })
    .await;
}

/// A place in a JSON value, and what is done to it.
#[derive(Clone, Debug)]
enum Harm {
    Drop,
    Put(Value),
    Twice,
    Rename(String),
}

/// Does something to the place of a number in a value; places are counted in order.
fn harm(value: &mut Value, place: &mut usize, harm: &Harm) -> bool {
    match value {
        Value::Object(object) => {
            let names: Vec<String> = object.keys().cloned().collect();
            for name in names {
                if *place == 0 {
                    let old = object.remove(&name);
                    match harm {
                        Harm::Drop => {}
                        Harm::Put(new) => drop(object.insert(name, new.clone())),
                        Harm::Twice => drop(object.insert(name, json!([old, old]))),
                        Harm::Rename(new) => drop(object.insert(new.clone(), old.unwrap_or_default())),
                    }
                    return true;
                }
                *place -= 1;
                if object.get_mut(&name).is_some_and(|inner| self::harm(inner, place, harm)) {
                    return true;
                }
            }
            false
        }
        Value::Array(list) => {
            for i in 0..list.len() {
                if *place == 0 {
                    match harm {
                        Harm::Drop | Harm::Rename(_) => drop(list.remove(i)),
                        Harm::Put(new) => list[i] = new.clone(),
                        Harm::Twice => list.push(list[i].clone()),
                    }
                    return true;
                }
                *place -= 1;
                if self::harm(&mut list[i], place, harm) {
                    return true;
                }
            }
            false
        }
        _ => false,
    }
}

/// Where in an object harm is done, and which.
type Harmed = (usize, Harm);

/// A whole object of a kind with harm done to it, and the bytes of that cut or filled.
fn bodies() -> impl Strategy<Value = (Vec<Harmed>, Option<(usize, u8)>)> {
    let anything = prop_oneof![
        Just(Value::Null),
        Just(json!(true)),
        any::<i64>().prop_map(|n| json!(n)),
        Just(json!(1e308)),
        "[ -~æøå\u{0}\u{1f}\u{202e}]{0,12}".prop_map(|s| json!(s)),
        prop::sample::select(vec![
            "infinity",
            "-infinity",
            "2026-13-01",
            "0000-00-00",
            "urn:",
            "294277-01-01",
            "2020-01-01",
            "",
            "Passiv"
        ])
        .prop_map(|s| json!(s)),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[["dybt"]]])),
        Just(json!({"uuid": SOMETHING, "virkning": {"from": "2020-01-01", "to": "infinity"}})),
    ];
    let name = prop::sample::select(vec![
        "x",
        "livscyklus",
        "note",
        "titel",
        "uuid",
        "urn",
        "virkning",
        "from",
        "publiceret",
        "facet",
    ]);
    let harm = prop_oneof![
        Just(Harm::Drop),
        anything.prop_map(Harm::Put),
        Just(Harm::Twice),
        name.prop_map(|n| Harm::Rename(n.to_owned())),
    ];
    let bytes = prop::option::weighted(0.2, (0usize..800, any::<u8>()));
    (prop::collection::vec((0usize..60, harm), 1..4), bytes)
}

#[tokio::test]
async fn no_body_is_too_strange() {
    on_every_database(async |w| {
        let pia = person(&w, "Pia", &[Role::Publisher]).await;
        let (klassifikation, facet) = home(&w, &pia).await;
        let other = create(&w, &pia, "klasse", klasse(&facet, "Q", "En anden", &always())).await;
        let v = json!({"from": "2020-01-01", "to": "infinity", "aktoerref": SOMEBODY, "aktoertypekode": "Bruger", "notetekst": "n"});
        let mut of_klasse = klasse(&facet, "K", "A", &v);
        of_klasse["note"] = json!("n");
        of_klasse["attributter"]["klasseegenskaber"][0]["soegeord"] = json!([["ord", "b", "k"]]);
        of_klasse["relationer"]["overordnetklasse"] = json!([{"uuid": other, "virkning": v, "objekttype": "Klasse"}]);
        of_klasse["relationer"]["mapninger"] = json!([{"urn": "urn:a", "virkning": v}]);
        let of_facet = json!({
            "attributter": {"facetegenskaber": [{"brugervendtnoegle": "G", "plan": "p", "virkning": v}]},
            "tilstande": {"facetpubliceret": [{"publiceret": "Publiceret", "virkning": v}]},
            "relationer": {"facettilhoerer": [{"uuid": klassifikation, "virkning": v}], "redaktoerer": [{"uuid": SOMEBODY, "virkning": v}]}});
        let of_system = json!({
            "attributter": {"klassifikationegenskaber": [{"brugervendtnoegle": "SYS", "kaldenavn": "k", "virkning": v}]},
            "tilstande": {"klassifikationpubliceret": [{"publiceret": "Publiceret", "virkning": v}]},
            "relationer": {"ejer": [{"uuid": SOMEBODY, "virkning": v}]}});
        let known = [
            ("klasse", create(&w, &pia, "klasse", of_klasse.clone()).await, of_klasse),
            ("facet", create(&w, &pia, "facet", of_facet.clone()).await, of_facet),
            ("klassifikation", create(&w, &pia, "klassifikation", of_system.clone()).await, of_system),
        ];
        let strategy = bodies();
        let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
        let mut refused = 0;
        for n in 0..240 {
            let (harms, bytes) = strategy.new_tree(&mut runner).expect("a body").current();
            let (kind, uuid, body) = &known[n % 3];
            let mut body = body.clone();
            for (place, what) in &harms {
                harm(&mut body, &mut place.clone(), what);
            }
            let mut text = body.to_string().into_bytes();
            if let Some((at, byte)) = bytes {
                text.truncate(at.max(1));
                text.push(byte);
            }
            let text = String::from_utf8_lossy(&text).into_owned();
            let (method, path) = match n / 3 % 4 {
                0 => ("POST", (*kind).to_owned()),
                1 => ("PUT", format!("{kind}/{uuid}")),
                2 => ("PATCH", format!("{kind}/{uuid}")),
                _ => ("DELETE", format!("{kind}/{SOMETHING}")),
            };
            let sent = match n % 5 {
                0 => (format!("json={}", encoded(&text)), "application/x-www-form-urlencoded"),
                1 => (format!("--X\r\nContent-Disposition: form-data; name=\"json\"\r\n\r\n{text}\r\n--X--\r\n"), "multipart/form-data; boundary=X"),
                _ => (text.clone(), "application/json"),
            };
            let answer = pia.ask_raw(&w, method, &format!("/klassifikation/{path}"), sent.0, &[("content-type", sent.1)]).await;
            let told = answer.json();
            match answer.status {
                200..=202 => assert!(told["uuid"].is_string(), "{method} {path} {text}: {told}"),
                400 => {
                    refused += 1;
                    let form = told["message"].as_str().is_some_and(|m| !m.is_empty()) || told == json!({"uuid": null});
                    assert!(form, "{method} {path} {text}: {told}");
                }
                404 => assert!(method == "DELETE" && told["message"].is_string(), "{method} {path} {text}: {told}"),
                status => panic!("{method} {path} {text}: {status} {told}"),
            }
        }
        assert!(refused > 60, "most of them are wrong: {refused}");
        verified(&w).await;
    })
    .await;
}
