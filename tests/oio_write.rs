//! OIO Klassifikation, writing: what a case system may do to the vocabularies that are governed directly.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use axum::body::Body;
use axum::http::Request;
use begreb::exchange::Format;
use begreb::model::{Governance, Role};
use begreb::registry::{ImportRequest, Verdict};
use common::crew::{Person, person, vocabulary};
use common::klasser::{ALL, always, attributes, create, home, in_force, klasse, read, since, uuids, verified, write};
use common::{World, edition, on_every_database};
use serde_json::{Value, json};

const ORGANISATION: &str = "11111111-1111-4111-8111-111111111111";
const USER: &str = "33333333-3333-4333-8333-333333333333";

/// What was given, as it is shown: virkninger in the manner of PostgreSQL, index words as objects.
fn shown(given: &Value) -> Value {
    let instant = |v: &Value| match v.as_str() {
        Some(day) if day.len() == 10 => json!(format!("{day} 00:00:00+00")),
        _ => v.clone(),
    };
    match given {
        Value::Object(object) => {
            let mut out: serde_json::Map<String, Value> = object.iter().map(|(n, v)| (n.clone(), shown(v))).collect();
            if let (Some(from), Some(to)) = (object.get("from"), object.get("to")) {
                out.insert("from".into(), instant(from));
                out.insert("to".into(), instant(to));
                out.insert("from_included".into(), json!(true));
                out.insert("to_included".into(), json!(false));
            }
            if let Some(words) = object.get("soegeord").and_then(Value::as_array) {
                let mut words: Vec<Value> = words
                    .iter()
                    .map(|w| json!({"soegeordidentifikator": w[0], "beskrivelse": w[1], "soegeordskategori": w[2]}))
                    .collect();
                words.sort_by_key(|w| w["soegeordidentifikator"].to_string());
                out.insert("soegeord".into(), json!(words));
            }
            Value::Object(out)
        }
        Value::Array(list) => list.iter().map(shown).collect(),
        other => other.clone(),
    }
}

#[tokio::test]
async fn the_worked_examples() {
    on_every_database(async |w| {
        let pia = person(&w, "Pia", &[Role::Publisher]).await;
        let v = json!({"from": "2026-01-01", "to": "infinity"});
        let first = json!({
            "note": "Oprettet efter vedtagelse 12/2026 i begrebsstyregruppen",
            "attributter": {"klassifikationegenskaber": [{
                "brugervendtnoegle": "SOC-BEGREB", "kaldenavn": "Sociale begreber",
                "beskrivelse": "Fælles klassifikation af sociale indsatser og tilstande",
                "ophavsret": "Fri genbrug med kildeangivelse",
                "virkning": {"from": "2026-01-01", "to": "infinity", "aktoerref": ORGANISATION, "aktoertypekode": "Organisation"}}]},
            "tilstande": {"klassifikationpubliceret": [
                {"publiceret": "IkkePubliceret", "virkning": {"from": "2026-01-01", "to": "2026-07-01"}},
                {"publiceret": "Publiceret", "virkning": {"from": "2026-07-01", "to": "infinity", "notetekst": "Træder i kraft"}}]},
            "relationer": {
                "ejer": [{"uuid": ORGANISATION, "objekttype": "Organisation", "virkning": v}],
                "ansvarlig": [{"urn": "urn:oio:cvr-nr:12345678", "virkning": v}]},
        });
        let klassifikation = create(&w, &pia, "klassifikation", first.clone()).await;
        let second = json!({
            "attributter": {"facetegenskaber": [{
                "brugervendtnoegle": "INDSATS", "beskrivelse": "Hvad der ydes borgeren", "opbygning": "Hierarkisk",
                "plan": "3 niveauer", "supplement": "Lokale underklasser er tilladt på niveau 3",
                "retskilde": "Lov om social service", "ophavsret": "Fri genbrug", "virkning": v}]},
            "tilstande": {"facetpubliceret": [{"publiceret": "Publiceret", "virkning": since("2026-07-01")}]},
            "relationer": {
                "facettilhoerer": [{"uuid": klassifikation, "objekttype": "Klassifikation", "virkning": v}],
                "redaktoerer": [{"uuid": USER, "objekttype": "Bruger", "virkning": {"from": "2026-01-01", "to": "2027-01-01"}}]},
        });
        let facet = create(&w, &pia, "facet", second.clone()).await;
        let july = since("2026-07-01");
        let parent = create(&w, &pia, "klasse", klasse(&facet, "IND.2", "Indsatser", &july)).await;
        let other = create(&w, &pia, "klasse", klasse(&facet, "HAN.1", "Bevilling", &july)).await;
        let third = json!({
            "note": "Første version",
            "attributter": {"klasseegenskaber": [{
                "brugervendtnoegle": "IND.2.1", "titel": "Ledsagelse",
                "beskrivelse": "Indsats hvor en person følger borgeren til selvvalgte aktiviteter",
                "eksempel": "Følgeskab til svømmehal", "omfang": "Omfatter ikke transport i sig selv",
                "retskilde": "Lov om social service § 97", "aendringsnotat": "Titel ændret fra 'Ledsageordning'",
                "soegeord": [["ledsager", "folkelig betegnelse", "synonym"], ["ledsageordning", "tidligere titel", "foraeldet"]],
                "integrationsdata": "{\"esdh\": 42}",
                "virkning": {"from": "2026-07-01", "to": "infinity", "aktoerref": USER, "aktoertypekode": "Bruger", "notetekst": "n"}}]},
            "tilstande": {"klassepubliceret": [{"publiceret": "Publiceret", "virkning": july}]},
            "relationer": {
                "facet": [{"uuid": facet, "virkning": july}], "overordnetklasse": [{"uuid": parent, "virkning": july}],
                "ejer": [{"uuid": ORGANISATION, "virkning": july}],
                "mapninger": [{"urn": "urn:kle:27.48.04", "objekttype": "Klasse", "virkning": july}],
                "erstatter": [{"uuid": "66666666-6666-4666-8666-666666666666", "objekttype": "Klasse", "virkning": july}],
                "lovligekombinationer": [{"uuid": other, "virkning": july}]},
        });
        let uuid = create(&w, &pia, "klasse", third.clone()).await;
        for (kind, uuid, given) in [("klassifikation", &klassifikation, &first), ("facet", &facet, &second), ("klasse", &uuid, &third)] {
            let now = read(&w, kind, uuid).await;
            assert_eq!(now["attributter"], shown(&given["attributter"]), "{kind}");
            let state = format!("{kind}publiceret");
            let states = |of: &Value| {
                let mut list = of["tilstande"][&state].as_array().cloned().unwrap_or_default();
                list.sort_by_key(Value::to_string);
                list
            };
            assert_eq!(states(&now), states(&shown(given)), "{kind}");
            for (name, list) in given["relationer"].as_object().expect("relations") {
                for relation in list.as_array().expect("a list") {
                    let there = now["relationer"][name].as_array().cloned().unwrap_or_default();
                    let same = |r: &Value| {
                        shown(relation).as_object().is_some_and(|given| given.iter().all(|(name, value)| r[name] == *value))
                    };
                    assert!(there.iter().any(same), "{kind} {name}: {now}");
                }
            }
            assert_eq!((&now["note"], &now["livscykluskode"]), (&given["note"], &json!("Opstaaet")));
            assert_eq!(now["brugerref"], pia.uuid.to_string());
        }
        // It is the same concept as everywhere else.
        let concept = w.json("/api/v1/vocabularies/soc-begreb/concepts/IND.2.1?date=2026-12-01").await;
        assert_eq!((concept["uuid"].as_str(), concept["terms"][0]["value"].as_str()), (Some(uuid.as_str()), Some("Ledsagelse")));
        assert!(!in_force(&w, "soc-begreb", "IND.2.1", "2026-06-30").await);
        let frame = w.json("/api/v1/vocabularies/soc-begreb").await;
        assert_eq!(frame["titles"][0]["text"], "Sociale begreber");
        assert_eq!(frame["owner"], ORGANISATION);
        verified(&w).await;
    })
    .await;
}

#[tokio::test]
async fn a_class_is_renamed_from_a_date() {
    on_every_database(async |w| {
        let pia = person(&w, "Pia", &[Role::Publisher]).await;
        let (_, facet) = home(&w, &pia).await;
        let mut body = klasse(&facet, "K", "A", &since("2020-01-01"));
        body["attributter"]["klasseegenskaber"][0]["beskrivelse"] = json!("x");
        let uuid = create(&w, &pia, "klasse", body).await;
        let path = format!("klasse/{uuid}");
        let rename = json!({"note": "nyt navn", "attributter": {"klasseegenskaber": [{"titel": "B", "virkning": since("2026-07-01")}]}});
        write(&w, &pia, "PATCH", &path, rename.clone()).await.ok();
        let now = read(&w, "klasse", &uuid).await;
        assert_eq!(attributes(&now, &["titel", "beskrivelse"]), ["2020-01-01..2026-07-01: A, x", "2026-07-01..infinity: B, x"]);
        assert_eq!((now["livscykluskode"].as_str(), now["note"].as_str()), (Some("Rettet"), Some("nyt navn")));
        assert_eq!(now["brugerref"], pia.uuid.to_string());
        // Once more says nothing new, and nothing is registered.
        let position = w.position().await;
        write(&w, &pia, "PATCH", &path, rename).await.ok();
        assert_eq!(w.position().await, position);
        // As it was known before, it was never to be renamed.
        let first = w.get(&format!("/klassifikation/{path}?{ALL}&registreretFra=-infinity&registreretTil=infinity")).await.ok();
        let all = first.json()[&uuid][0]["registreringer"].clone();
        let codes: Vec<_> = all.as_array().expect("a list").iter().map(|r| r["livscykluskode"].clone()).collect();
        assert_eq!(codes, ["Rettet", "Opstaaet"]);
        assert_eq!(attributes(&all[1], &["titel"]), ["2020-01-01..infinity: A"]);
        for (day, title) in [("2026-06-30", "A"), ("2026-07-01", "B")] {
            let concept = w.json(&format!("/api/v1/vocabularies/koder/concepts/K?date={day}")).await;
            assert_eq!(concept["terms"][0]["value"], title);
        }
        let history = w.json("/api/v1/vocabularies/koder/concepts/K/history").await;
        assert_eq!(history["states"].as_array().map(Vec::len), Some(2), "{history}");
        let changes = w.json("/api/v1/vocabularies/koder/changes?from=2026-06-30&to=2026-07-01").await;
        assert!(changes.to_string().contains("renamed"), "{changes}");
        verified(&w).await;
    })
    .await;
}

/// Each rule of docs/oio.md, "Writing", one after the other on the same klasse.
#[tokio::test]
async fn what_ret_makes_of_an_object() {
    on_every_database(async |w| {
        let pia = person(&w, "Pia", &[Role::Publisher]).await;
        let (_, facet) = home(&w, &pia).await;
        let parent = create(&w, &pia, "klasse", klasse(&facet, "P", "Over", &since("2020-01-01"))).await;
        let v = since("2020-01-01");
        let mut body = klasse(&facet, "K", "A", &v);
        body["attributter"]["klasseegenskaber"][0]["omfang"] = json!("o");
        body["relationer"]["overordnetklasse"] = json!([{"uuid": parent, "virkning": v}]);
        body["relationer"]["mapninger"] = json!([{"urn": "urn:a", "virkning": v}, {"urn": "urn:b", "virkning": v}]);
        let uuid = create(&w, &pia, "klasse", body).await;
        let ret = async |body: Value| {
            write(&w, &pia, "PATCH", &format!("klasse/{uuid}"), body).await.ok();
            read(&w, "klasse", &uuid).await
        };
        let part = |from: &str, to: &str| json!({"from": from, "to": to});
        // 1. A part in the middle, with its own hand; the rest keeps its own.
        let hand = json!({"from": "2022-01-01", "to": "2023-01-01", "aktoerref": USER, "notetekst": "rettet"});
        let now = ret(json!({"attributter": {"klasseegenskaber": [{"titel": "B", "virkning": hand}]}})).await;
        assert_eq!(
            attributes(&now, &["titel", "omfang"]),
            ["2020-01-01..2022-01-01: A, o", "2022-01-01..2023-01-01: B, o", "2023-01-01..infinity: A, o"]
        );
        let handed = now["attributter"]["klasseegenskaber"].as_array().expect("a list").iter();
        let handed: Vec<_> = handed.filter(|e| e["virkning"]["notetekst"] == "rettet").map(|e| e["titel"].clone()).collect();
        assert_eq!(handed, ["B"]);
        // An empty text clears one field, over the period.
        let now = ret(json!({"attributter": {"klasseegenskaber": [{"omfang": "", "virkning": part("2022-01-01", "infinity")}]}})).await;
        assert_eq!(
            attributes(&now, &["titel", "omfang"]),
            ["2020-01-01..2022-01-01: A, o", "2022-01-01..2023-01-01: B, -", "2023-01-01..infinity: A, -"]
        );
        // 2. States: also by their short name. What is not published is in no edition.
        ret(json!({"tilstande": {"publiceret": [{"publiceret": "IkkePubliceret", "virkning": part("2024-01-01", "2025-01-01")}]}})).await;
        for (day, published) in [("2023-06-01", true), ("2024-06-01", false), ("2025-06-01", true)] {
            assert_eq!(in_force(&w, "koder", "K", day).await, published, "{day}");
            let shown = w.get(&format!("/klassifikation/klasse/{uuid}?virkningstid={day}")).await.ok().json();
            let state = if published { "Publiceret" } else { "IkkePubliceret" };
            assert_eq!(shown[&uuid][0]["registreringer"][0]["tilstande"]["klassepubliceret"][0]["publiceret"], state, "{day}");
        }
        let found = w.json("/klassifikation/klasse?publiceret=IkkePubliceret&virkningstid=2024-06-01").await;
        assert_eq!(found, json!({"results": [[uuid]]}));
        // 3. One parent at a time, cleared from a date.
        let now = ret(json!({"relationer": {"overordnetklasse": [{"uuid": "", "urn": "", "virkning": since("2025-01-01")}]}})).await;
        let parents = now["relationer"]["overordnetklasse"].as_array().expect("a list").clone();
        assert!(parents.iter().all(|p| p["virkning"]["to"] != "infinity"), "{parents:?}");
        // 4. Lists are replaced whole; an empty one counts as absent; blank ones empty it.
        let now = ret(json!({"relationer": {"mapninger": []}})).await;
        assert!(uuids(&now, "mapninger").contains(&"urn:b".to_owned()));
        let now = ret(json!({"relationer": {"mapninger": [{"urn": "urn:c", "virkning": v}]}})).await;
        assert!(uuids(&now, "mapninger").iter().all(|m| m == "urn:c"));
        let now = ret(json!({"relationer": {"mapninger": [{"uuid": "", "urn": "", "virkning": v}]}})).await;
        assert_eq!(now["relationer"]["mapninger"], Value::Null);
        // 5. No relations given: none changed, and nothing registered.
        let position = w.position().await;
        ret(json!({"relationer": {}, "note": "intet"})).await;
        assert_eq!(w.position().await, position);
        // Index words: one alone is stored, and none clears them.
        let now = ret(json!({"attributter": {"klasseegenskaber": [{"soegeord": [["ord", "b", "k"]], "virkning": v}]}})).await;
        let words = &now["attributter"]["klasseegenskaber"][0]["soegeord"];
        assert_eq!(*words, json!([{"soegeordidentifikator": "ord", "beskrivelse": "b", "soegeordskategori": "k"}]));
        let now = ret(json!({"attributter": {"klasseegenskaber": [{"soegeord": [], "virkning": v}]}})).await;
        assert_eq!(now["attributter"]["klasseegenskaber"][0]["soegeord"], Value::Null);
        verified(&w).await;
    })
    .await;
}

#[tokio::test]
async fn that_an_object_is_passive_is_told_to_all_who_listen() {
    on_every_database(async |w| {
        let pia = person(&w, "Pia", &[Role::Publisher]).await;
        let (_, facet) = home(&w, &pia).await;
        let uuid = "22222222-2222-4222-8222-222222222222";
        let path = format!("klasse/{uuid}");
        write(&w, &pia, "PUT", &path, klasse(&facet, "K", "titel", &since("2020-01-01"))).await.ok();
        let body = json!({ "name": "Sagssystemet", "vocabulary": "koder", "codes": ["K"] });
        let set = pia.ask(&w, "POST", "/api/v1/code-sets", &body, &[]).await.with(201).json();
        let set = format!("/api/v1/code-sets/{}", set["usage"]["uuid"].as_str().expect("a uuid"));
        write(&w, &pia, "PATCH", &path, json!({ "livscyklus": "Passiv" })).await.ok();

        let told = w.json("/api/v1/changes?after=0&type=concept.passivated").await;
        let [event] = &told["events"].as_array().expect("events")[..] else { panic!("{told}") };
        assert_eq!((&event["subject"], &event["concept"]["kinds"]), (&json!(uuid), &json!(["passivated"])));
        assert_eq!(event["concept"]["after"]["label"], "titel");
        assert_eq!(event["validFrom"].as_str().map(|s| &s[..10]), event["at"].as_str().map(|s| &s[..10]));
        assert_eq!(w.json("/api/v1/changes?after=0&kind=passivated").await["events"], told["events"]);
        let atom = w.get("/api/v1/changes.atom?kind=passivated").await.ok().text();
        assert!(atom.contains("K titel – holdes ikke længere ved lige"), "{atom}");
        let code = json!([{ "system": "koder", "code": "K" }]).to_string();
        let check = async |query: &str| w.post(&format!("/api/v1/check{query}"), code.clone()).await.ok().json();
        let report = check("?show=attention").await;
        assert_eq!((&report["ok"], &report["codes"][0]["verdict"]), (&json!(true), &json!("passive")));
        let tasks = pia.ask(&w, "GET", &format!("{set}/tasks"), &Value::Null, &[]).await.ok().json();
        assert_eq!(tasks["past"][0]["kinds"], json!(["passivated"]), "{tasks}");
        let events = pia.ask(&w, "GET", &format!("{set}/events?after=0"), &Value::Null, &[]).await.ok().json();
        assert!(events["events"].as_array().expect("events").contains(event), "{events}");

        // Taken up again, it is as others are.
        write(&w, &pia, "PUT", &path, klasse(&facet, "K", "nyt", &since("2024-01-01"))).await.ok();
        let report = check("").await;
        assert_eq!(report["codes"][0]["verdict"], "inForce", "{report}");
    })
    .await;
}

#[tokio::test]
async fn the_life_of_an_object() {
    on_every_database(async |w| {
        let pia = person(&w, "Pia", &[Role::Publisher]).await;
        let (_, facet) = home(&w, &pia).await;
        let uuid = "22222222-2222-4222-8222-222222222222";
        let path = format!("klasse/{uuid}");
        let code = async || read(&w, "klasse", uuid).await["livscykluskode"].as_str().expect("a code").to_owned();
        let put = async |title: &str, from: &str| {
            write(&w, &pia, "PUT", &path, klasse(&facet, "K", title, &since(from))).await.ok();
        };
        put("A", "2020-01-01").await;
        assert_eq!(code().await, "Importeret");
        // On what is active it is a replacement: old periods are gone.
        put("B", "2022-01-01").await;
        assert_eq!(code().await, "Rettet");
        assert_eq!(attributes(&read(&w, "klasse", uuid).await, &["titel"]), ["2022-01-01..infinity: B"]);

        let passive = json!({"livscyklus": "passiv", "note": "arkiveres", "relationer": "ignoreres"});
        write(&w, &pia, "PATCH", &path, passive.clone()).await.ok();
        let now = read(&w, "klasse", uuid).await;
        assert_eq!((now["livscykluskode"].as_str(), now["note"].as_str()), (Some("Passiveret"), Some("arkiveres")));
        assert_eq!(attributes(&now, &["titel"]), ["2022-01-01..infinity: B"], "all of it unchanged");
        assert!(in_force(&w, "koder", "K", "2023-01-01").await);
        let refused = write(&w, &pia, "PATCH", &path, passive).await.with(400).json();
        assert!(
            refused["message"].as_str().is_some_and(|m| m.contains("Invalid [livscyklus] transition to [Passiveret]"))
        );
        // Taken up again, periods that are not given stay.
        put("C", "2024-01-01").await;
        assert_eq!(code().await, "Importeret");
        assert_eq!(
            attributes(&read(&w, "klasse", uuid).await, &["titel"]),
            ["2022-01-01..2024-01-01: B", "2024-01-01..infinity: C"]
        );

        write(&w, &pia, "DELETE", &path, json!({"note": "fejl"})).await.with(202);
        let position = w.position().await;
        let again = write(&w, &pia, "DELETE", &path, Value::Null).await.with(202).json();
        assert_eq!((again["uuid"].as_str(), w.position().await), (Some(uuid), position), "no second registrering");
        assert_eq!(
            w.get(&format!("/klassifikation/{path}")).await.with(410).json()["message"],
            "This object has been deleted."
        );
        assert_eq!(w.json("/klassifikation/klasse?bvn=K").await, json!({"results": [[]]}));
        let deleted = w.json("/klassifikation/klasse?livscykluskode=Slettet").await;
        assert_eq!(deleted, json!({"results": [[uuid]]}));
        assert!(!in_force(&w, "koder", "K", "2024-06-01").await);
        let ret = json!({"attributter": {"klasseegenskaber": [{"titel": "D", "virkning": since("2025-01-01")}]}});
        write(&w, &pia, "PATCH", &path, ret).await.with(400);
        // Nothing was destroyed.
        put("D", "2025-01-01").await;
        assert_eq!(code().await, "Importeret");
        let titles = attributes(&read(&w, "klasse", uuid).await, &["titel"]);
        assert_eq!(titles, ["2022-01-01..2024-01-01: B", "2024-01-01..2025-01-01: C", "2025-01-01..infinity: D"]);
        let whole =
            w.json(&format!("/klassifikation/{path}?{ALL}&registreretFra=-infinity&registreretTil=infinity")).await;
        let codes: Vec<_> = whole[uuid][0]["registreringer"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|r| r["livscykluskode"].clone())
            .collect();
        assert_eq!(codes, ["Importeret", "Slettet", "Importeret", "Passiveret", "Rettet", "Importeret"]);
        verified(&w).await;
    })
    .await;
}

#[tokio::test]
async fn klassifikation_and_facet_have_periods_too() {
    on_every_database(async |w| {
        let pia = person(&w, "Pia", &[Role::Publisher]).await;
        let (klassifikation, facet) = home(&w, &pia).await;
        let path = format!("klassifikation/{klassifikation}");
        let ret = json!({"attributter": {"klassifikationegenskaber": [
            {"kaldenavn": "Nyt navn", "beskrivelse": "Ny", "virkning": since("2026-01-01")},
            {"kaldenavn": "Til sin tid", "virkning": {"from": "2020-01-01", "to": "2026-01-01"}}]}});
        write(&w, &pia, "PATCH", &path, ret.clone()).await.ok();
        let frame = w.json("/api/v1/vocabularies/koder").await;
        assert_eq!((frame["titles"][0]["text"].as_str(), frame["descriptions"][0]["text"].as_str()), (Some("Nyt navn"), Some("Ny")));
        let shown = w.json(&format!("/klassifikation/{path}?virkningstid=2022-01-01")).await;
        let then = &shown[&klassifikation][0]["registreringer"][0]["attributter"]["klassifikationegenskaber"];
        assert_eq!((then.as_array().map(Vec::len), then[0]["kaldenavn"].as_str()), (Some(1), Some("Til sin tid")));
        let position = w.position().await;
        write(&w, &pia, "PATCH", &path, ret).await.ok();
        assert_eq!(w.position().await, position, "it says so already");
        write(&w, &pia, "PATCH", &path, json!({"livscyklus": "Passiv"})).await.ok();
        assert_eq!(read(&w, "klassifikation", &klassifikation).await["livscykluskode"], "Passiveret");
        write(&w, &pia, "DELETE", &path, Value::Null).await.with(202);
        w.get(&format!("/klassifikation/{path}")).await.with(410);
        w.get("/api/v1/vocabularies/koder").await.ok();

        // A facet can go, and come again.
        let path = format!("facet/{facet}");
        write(&w, &pia, "DELETE", &path, json!({"note": "bruges ikke"})).await.with(202);
        write(&w, &pia, "DELETE", &path, Value::Null).await.with(202);
        w.get(&format!("/klassifikation/{path}")).await.with(410);
        assert_eq!(w.json("/api/v1/vocabularies/koder").await["facets"].as_array().map_or(0, Vec::len), 0);
        let back = json!({
            "attributter": {"facetegenskaber": [{"brugervendtnoegle": "F", "opbygning": "Flad", "virkning": since("2027-01-01")}]},
            "tilstande": {"facetpubliceret": [{"publiceret": "Publiceret", "virkning": since("2027-01-01")}]},
        });
        write(&w, &pia, "PUT", &path, back).await.ok();
        let now = read(&w, "facet", &facet).await;
        assert_eq!(now["livscykluskode"], "Importeret");
        assert_eq!(now["attributter"]["facetegenskaber"].as_array().map(Vec::len), Some(2), "old periods stay: {now}");
        assert_eq!(uuids(&now, "facettilhoerer"), [klassifikation]);
        verified(&w).await;
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_told_in_the_form_of_the_interface() {
    on_every_database(async |w| {
        let pia = person(&w, "Pia", &[Role::Publisher]).await;
        let (_, facet) = home(&w, &pia).await;
        let good = klasse(&facet, "K", "A", &since("2020-01-01"));
        let uuid = create(&w, &pia, "klasse", good.clone()).await;
        let position = w.position().await;
        for body in [Value::Null, json!([]), json!({}), json!("x")] {
            for (method, path) in
                [("POST", "klasse".to_owned()), ("PUT", format!("klasse/{uuid}")), ("PATCH", format!("klasse/{uuid}"))]
            {
                assert_eq!(write(&w, &pia, method, &path, body.clone()).await.with(400).json(), json!({"uuid": null}));
            }
        }
        let with = |change: &dyn Fn(&mut Value)| {
            let mut body = good.clone();
            change(&mut body);
            body
        };
        let nobody = "99999999-9999-4999-8999-999999999999";
        let overlap = |list: &mut Value| {
            let mut second = list[0].clone();
            second["virkning"]["from"] = json!("2021-01-01");
            list.as_array_mut().expect("a list").push(second);
        };
        let cases: Vec<(&str, String, Value, u16)> = vec![
            ("POST", "klasse".into(), with(&|b| b["x"] = json!(1)), 400),
            ("POST", "klasse".into(), with(&|b| b["tilstande"] = json!({})), 400),
            ("POST", "klasse".into(), with(&|b| overlap(&mut b["attributter"]["klasseegenskaber"])), 400),
            ("POST", "klasse".into(), with(&|b| overlap(&mut b["tilstande"]["klassepubliceret"])), 400),
            ("POST", "klasse".into(), with(&|b| overlap(&mut b["relationer"]["facet"])), 400),
            (
                "POST",
                "klasse".into(),
                with(&|b| b["attributter"]["klasseegenskaber"][0]["virkning"]["to"] = json!("2020-01-01")),
                400,
            ),
            (
                "POST",
                "klasse".into(),
                with(&|b| b["attributter"]["klasseegenskaber"][0]["virkning"]["from"] = json!("snart")),
                400,
            ),
            (
                "POST",
                "klasse".into(),
                with(&|b| b["attributter"]["klasseegenskaber"][0]["soegeord"] = json!([["a", "b"]])),
                400,
            ),
            ("POST", "klasse".into(), with(&|b| b["relationer"]["facet"][0]["uuid"] = json!(nobody)), 400),
            ("POST", "klasse".into(), with(&|b| b["relationer"] = json!({})), 400),
            ("POST", "klasse".into(), good.clone(), 400), // its key is taken
            ("POST", "klasse?x=1".into(), good.clone(), 400),
            ("PUT", format!("klasse/{uuid}?b=1&a=2"), good.clone(), 400),
            ("DELETE", format!("klasse/{uuid}?a=2"), Value::Null, 400),
            ("PATCH", format!("klasse/{uuid}"), json!({"relationer": "x"}), 400),
            (
                "PATCH",
                format!("klasse/{uuid}"),
                json!({"attributter": {"klasseegenskaber": [{"titel": "B", "virkning": since("2010-01-01")}]}}),
                400,
            ),
            ("PATCH", format!("klasse/{uuid}"), json!({"attributter": {"klasseegenskaber": []}}), 400),
            (
                "PATCH",
                format!("klasse/{uuid}"),
                json!({"tilstande": {"publiceret": [{"publiceret": "Måske", "virkning": always()}]}}),
                400,
            ),
            ("PATCH", format!("klasse/{nobody}"), json!({"note": "n"}), 404),
            ("DELETE", format!("klasse/{nobody}"), Value::Null, 404),
            ("DELETE", format!("klasse/{uuid}"), json!({"x": 1}), 400),
            (
                "PUT",
                format!("klasse/{facet}"),
                with(&|b| b["attributter"]["klasseegenskaber"][0]["brugervendtnoegle"] = json!("L")),
                400,
            ),
            (
                "POST",
                "facet".into(),
                json!({
                "attributter": {"facetegenskaber": [{"brugervendtnoegle": "G", "virkning": always()}]},
                "tilstande": {"facetpubliceret": [{"publiceret": "Publiceret", "virkning": always()}]}}),
                400,
            ),
            (
                "POST",
                "klassifikation".into(),
                json!({
                "attributter": {"klassifikationegenskaber": [{"brugervendtnoegle": "KODER", "virkning": always()}]},
                "tilstande": {"klassifikationpubliceret": [{"publiceret": "Publiceret", "virkning": always()}]}}),
                400,
            ),
        ];
        for (method, path, body, status) in cases {
            let answer = write(&w, &pia, method, &path, body.clone()).await;
            assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.text());
            let message = answer.json()["message"].as_str().unwrap_or_default().to_owned();
            assert!(!message.is_empty(), "{method} {path} {body}: {}", answer.text());
        }
        let known = [
            (
                "PATCH",
                format!("klasse/{nobody}"),
                good.clone(),
                format!("No Klasse with ID {nobody} found in service Klassifikation"),
            ),
            ("DELETE", format!("klasse/{nobody}"), Value::Null, format!("No Klasse with ID {nobody} found.")),
            ("PUT", format!("klasse/{uuid}?b=1&a=2"), good.clone(), "Unsupported argument(s): a, b".to_owned()),
        ];
        for (method, path, body, message) in known {
            assert_eq!(write(&w, &pia, method, &path, body).await.json()["message"], message);
        }
        for path in ["klasse/22222222", "emne", "emne/22222222-2222-4222-8222-222222222222"] {
            let answer =
                write(&w, &pia, if path == "emne" { "POST" } else { "PUT" }, path, good.clone()).await.with(404).json();
            assert_eq!(answer["error"], 404);
        }
        assert_eq!(w.position().await, position, "nothing was written");
        verified(&w).await;
    })
    .await;
}

#[tokio::test]
async fn who_may_write_and_where() {
    on_every_database(async |w| {
        let pia = person(&w, "Pia", &[Role::Publisher]).await;
        let rie = person(&w, "Rie", &[Role::Contributor]).await;
        let (_, facet) = home(&w, &pia).await;
        let body = klasse(&facet, "K", "A", &since("2020-01-01"));
        let headers = [("content-type", "application/json")];
        let nobody =
            Person::default().ask(&w, "POST", "/klassifikation/klasse", &body, &headers).await.with(401).json();
        assert!(nobody["message"].is_string(), "{nobody}");
        assert!(write(&w, &rie, "POST", "klasse", body.clone()).await.with(403).json()["message"].is_string());
        let foreign = [("content-type", "application/json"), ("sec-fetch-site", "cross-site")];
        pia.ask(&w, "POST", "/klassifikation/klasse", &body, &foreign).await.with(403);

        for (slug, governance) in
            [("hoert", Governance::Hearing), ("udvalg", Governance::Committee), ("spejl", Governance::Mirror)]
        {
            if governance == Governance::Mirror {
                let request = edition(slug, Format::Csv, b"notation,preferred.da\nA,a\n", "1", "2020-01-01");
                w.import(request).await.expect("it is lawful");
            } else {
                vocabulary(&w, slug, Governance::Direct, "notation,preferred.da\nA,a\n").await;
                govern(&w, slug, governance).await;
            }
            let found = w.json(&format!("/api/v1/vocabularies/{slug}/concepts/A")).await;
            let uuid = found["uuid"].as_str().expect("a uuid").to_owned();
            let position = w.position().await;
            let read = read(&w, "klasse", &uuid).await;
            let stands_for = uuids(&read, "facet").remove(0);
            let klassifikation =
                w.json(&format!("/api/v1/vocabularies/{slug}")).await["uuid"].as_str().expect("a uuid").to_owned();
            for (method, path, body) in [
                ("POST", "klasse".to_owned(), klasse(&stands_for, "B", "b", &since("2020-01-01"))),
                ("PUT", format!("klasse/{uuid}"), klasse(&stands_for, "A", "b", &since("2020-01-01"))),
                ("PATCH", format!("klasse/{uuid}"), json!({"livscyklus": "Passiv"})),
                ("DELETE", format!("klasse/{uuid}"), Value::Null),
                ("PATCH", format!("klassifikation/{klassifikation}"), json!({"livscyklus": "Passiv"})),
                ("DELETE", format!("facet/{stands_for}"), Value::Null),
            ] {
                let refused = write(&w, &pia, method, &path, body).await.with(403).json();
                let message = refused["message"].as_str().expect("a message");
                assert!(message.contains("http://127.0.0.1:8080/api/v1/drafts") && message.contains(slug), "{message}");
            }
            assert_eq!(w.position().await, position, "nothing was written");
        }
    })
    .await;
}

async fn govern(w: &World, slug: &str, governance: Governance) {
    let store = begreb::store::Store::open(&w.address).await.expect("the database opens");
    let mut write = store.write("another", begreb::model::Clock::now(&*w.clock)).await.expect("the lock is free");
    let all = write.facts().vocabularies().await.expect("the vocabularies");
    let mine = all.into_iter().find(|v| v.slug().as_str() == slug).expect("it is there");
    let fields = begreb::model::VocabularyFields { governance, ..mine.fields().clone() };
    let ruled = begreb::model::Vocabulary::new(fields).expect("it is lawful");
    write.change_vocabulary(&ruled).await.expect("a row");
    write.commit().await.expect("a commit");
    // Readings have it when somebody follows.
    w.registry.verify().await.expect("it is whole");
}

#[tokio::test]
async fn two_writers_do_not_undo_each_other() {
    on_every_database(async |w| {
        let pia = person(&w, "Pia", &[Role::Publisher]).await;
        let (_, facet) = home(&w, &pia).await;
        let uuid = create(&w, &pia, "klasse", klasse(&facet, "K", "A", &since("2020-01-01"))).await;
        let path = format!("/klassifikation/klasse/{uuid}");
        let read_tag = w.get(&path).await.ok().header("etag");
        let ret = |title: &str| json!({"attributter": {"klasseegenskaber": [{"titel": title, "virkning": since("2020-01-01")}]}});
        let send = async |title: &str, name: &str, tag: &str| {
            let headers = [("content-type", "application/json"), (name, tag)];
            pia.ask(&w, "PATCH", &path, &ret(title), &headers).await
        };
        let first = send("B", "if-match", &read_tag).await.ok();
        let second = send("C", "if-match", &read_tag).await.with(409);
        assert!(second.json()["message"].is_string());
        assert_eq!(second.header("etag"), first.header("etag"), "with the present one");
        assert_eq!(attributes(&read(&w, "klasse", &uuid).await, &["titel"]), ["2020-01-01..infinity: B"]);
        send("C", "if-match", &second.header("etag")).await.ok();
        send("D", "if-match", "*").await.ok();
        send("E", "if-none-match", "*").await.with(412);
        send("E", "if-match", "W/\"1\"").await.with(409);
        send("E", "if-match", "tag").await.with(400);
        // At the same time, by two processes: one after the other, both whole.
        let beside = w.beside().await;
        let here = format!("klasse/{uuid}");
        let scope = json!({"attributter": {"klasseegenskaber": [{"omfang": "o", "virkning": since("2020-01-01")}]}});
        let at_once =
            tokio::join!(write(&w, &pia, "PATCH", &here, ret("F")), write(&beside, &pia, "PATCH", &here, scope));
        assert_eq!((at_once.0.status, at_once.1.status), (200, 200), "{} {}", at_once.0.text(), at_once.1.text());
        write(&w, &pia, "PATCH", &format!("klasse/{uuid}"), json!({"note": "intet nyt"})).await.ok();
        assert_eq!(attributes(&read(&w, "klasse", &uuid).await, &["titel", "omfang"]), ["2020-01-01..infinity: F, o"]);
        verified(&w).await;
    })
    .await;
}

#[tokio::test]
async fn what_must_hold_of_editions_holds() {
    on_every_database(async |w| {
        let pia = person(&w, "Pia", &[Role::Publisher]).await;
        let (_, facet) = home(&w, &pia).await;
        let early = json!({"from": "2020-01-01", "to": "2025-01-01"});
        let a = create(&w, &pia, "klasse", klasse(&facet, "K", "A", &early)).await;
        // A key is taken in its own period, and free after it.
        let overlapping = klasse(&facet, "K", "B", &since("2024-01-01"));
        let refused = write(&w, &pia, "POST", "klasse", overlapping).await.with(400).json();
        assert!(refused["message"].as_str().is_some_and(|m| m.contains(&a)), "{refused}");
        create(&w, &pia, "klasse", klasse(&facet, "K", "B", &since("2025-01-01"))).await;
        // Nothing is its own ancestor, at any time.
        let under = async |uuid: &str, parent: &str, virkning: Value| {
            let body = json!({"relationer": {"overordnetklasse": [{"uuid": parent, "virkning": virkning}]}});
            write(&w, &pia, "PATCH", &format!("klasse/{uuid}"), body).await
        };
        let top = create(&w, &pia, "klasse", klasse(&facet, "T", "Top", &since("2020-01-01"))).await;
        let mid = create(&w, &pia, "klasse", klasse(&facet, "M", "Mid", &since("2020-01-01"))).await;
        under(&mid, &top, since("2022-01-01")).await.ok();
        under(&top, &mid, since("2020-01-01")).await.with(400);
        under(&top, &top, since("2020-01-01")).await.with(400);
        under(&top, &mid, json!({"from": "2020-01-01", "to": "2022-01-01"})).await.ok();
        under(&top, "99999999-9999-4999-8999-999999999999", since("2020-01-01")).await.with(400);
        // What is registered between versions is part of the next one, and of no earlier.
        let csv = "notation,uuid,preferred.da\n".to_owned();
        let rows = [("K2", &a, "A2"), ("T", &top, "Top"), ("M", &mid, "Mid")];
        let csv = rows.iter().fold(csv, |csv, (code, uuid, title)| csv + &format!("{code},{uuid},{title}\n"));
        let request =
            ImportRequest { accept_new: true, ..edition("koder", Format::Csv, csv.as_bytes(), "1", "2026-01-01") };
        assert_eq!(w.import(request).await.expect("it is lawful").verdict, Verdict::Published);
        write(
            &w,
            &pia,
            "PATCH",
            &format!("klasse/{top}"),
            json!({"attributter": {"klasseegenskaber": [{"titel": "Ny top", "virkning": since("2026-06-01")}]}}),
        )
        .await
        .ok();
        let title = async |at: &str| {
            w.json(&format!("/api/v1/vocabularies/koder/concepts/T?{at}")).await["terms"][0]["value"].clone()
        };
        assert_eq!((title("version=1").await, title("date=2026-06-01").await), (json!("Top"), json!("Ny top")));
        verified(&w).await;
    })
    .await;
}

/// What is not published is for the eyes of OIO alone, until it is.
#[tokio::test]
async fn what_is_not_published_is_in_no_edition() {
    on_every_database(async |w| {
        let pia = person(&w, "Pia", &[Role::Publisher]).await;
        let (_, facet) = home(&w, &pia).await;
        create(&w, &pia, "klasse", klasse(&facet, "A", "Synlig", &since("2020-01-01"))).await;
        let mut body = klasse(&facet, "H", "Hemmeligt", &since("2020-01-01"));
        body["tilstande"]["klassepubliceret"][0]["publiceret"] = json!("IkkePubliceret");
        let uuid = create(&w, &pia, "klasse", body).await;
        assert_eq!(read(&w, "klasse", &uuid).await["tilstande"]["klassepubliceret"][0]["publiceret"], "IkkePubliceret");
        for uri in [format!("concepts/{uuid}"), "concepts/H".into(), format!("concepts/{uuid}/history")] {
            assert_eq!(w.get(&format!("/api/v1/vocabularies/koder/{uri}")).await.status, 404, "{uri}");
        }
        for uri in ["concepts", "export?format=json", "export?format=ttl"] {
            let answer = w.get(&format!("/api/v1/vocabularies/koder/{uri}")).await.ok();
            assert!(answer.text().contains("Synlig") && !answer.text().contains("Hemmeligt"), "{uri}");
        }
        // An edition that is published over it says nothing of it.
        let csv = "notation,preferred.da\nA,Synlig\n";
        w.import(edition("koder", Format::Csv, csv.as_bytes(), "1", "2026-01-01")).await.expect("it is lawful");
        assert_eq!(attributes(&read(&w, "klasse", &uuid).await, &["titel"]), ["2020-01-01..infinity: Hemmeligt"]);
        let publish =
            json!({"tilstande": {"klassepubliceret": [{"publiceret": "Publiceret", "virkning": since("2026-06-01")}]}});
        write(&w, &pia, "PATCH", &format!("klasse/{uuid}"), publish).await.ok();
        assert!(in_force(&w, "koder", "H", "2026-06-01").await);
        assert!(!in_force(&w, "koder", "H", "2026-05-31").await);
        verified(&w).await;
    })
    .await;
}

#[tokio::test]
async fn json_comes_as_a_body_or_in_a_form() {
    on_every_database(async |w| {
        let pia = person(&w, "Pia", &[Role::Publisher]).await;
        let (_, facet) = home(&w, &pia).await;
        let uuid = create(&w, &pia, "klasse", klasse(&facet, "K", "A", &since("2020-01-01"))).await;
        let uri = format!("/klassifikation/klasse/{uuid}");
        let ret = |title: &str| json!({"attributter": {"klasseegenskaber": [{"titel": title, "virkning": since("2020-01-01")}]}}).to_string();
        let urlencoded = |json: &str| format!("json={}&x=1", common::encoded(json));
        let multipart = |json: &str| {
            format!("--X\r\nContent-Disposition: form-data; name=\"andet\"\r\n\r\nx\r\n--X\r\nContent-Disposition: form-data; name=\"json\"\r\n\r\n{json}\r\n--X--\r\n")
        };
        let cookie = pia.clone();
        let send = async |media: &str, body: String| {
            let headers = [("content-type", media)];
            cookie.ask_raw(&w, "PATCH", &uri, body, &headers).await
        };
        for (media, body, title) in [
            ("application/x-www-form-urlencoded", urlencoded(&ret("B")), "B"),
            ("multipart/form-data; boundary=X", multipart(&ret("C")), "C"),
            ("application/json; charset=utf-8", ret("D"), "D"),
        ] {
            send(media, body).await.ok();
            assert_eq!(attributes(&read(&w, "klasse", &uuid).await, &["titel"]), [format!("2020-01-01..infinity: {title}")]);
        }
        for (media, body) in [
            ("application/x-www-form-urlencoded", "x=1".to_owned()),
            ("multipart/form-data; boundary=X", "--X--\r\n".to_owned()),
        ] {
            assert_eq!(send(media, body).await.with(400).json(), json!({"uuid": null}), "{media}");
        }
        for (media, body) in [("multipart/form-data; boundary=X", "sludder".to_owned()), ("multipart/form-data", ret("E")), ("text/csv", ret("E"))] {
            assert!(send(media, body).await.with(400).json()["message"].is_string(), "{media}");
        }
        let no_type = Request::patch(&uri).body(Body::from(ret("E"))).expect("a request");
        w.send(no_type).await.with(401);
    })
    .await;
}
