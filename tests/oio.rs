//! OIO Klassifikation through the front door, read: every line of the table in docs/oio.md has its test here.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use begreb::exchange::{self, Format, ReadOptions};
use begreb::model::{Facet, Governance, Kind, Language, Role, Text, Vocabulary, VocabularyFields};
use begreb::registry::{Actor, identity};
use common::crew::person;
use common::klasser::{create, home, klasse, since, write};
use common::{Answer, Folder, World, edition, encoded, kl, on_every_database, operator, root};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use uuid::Uuid;

const K: &str = "/klassifikation/klasse";
const OWNER: &str = "11111111-1111-4111-8111-111111111111";
const SYSTEM: &str = "22222222-2222-4222-8222-222222222222";
const FACET: &str = "44444444-4444-4444-8444-444444444444";
const FACET_2: &str = "44444444-4444-4444-8444-444444444445";
const TOP: &str = "55555555-5555-4555-8555-555555555555";
const OLD: &str = "66666666-6666-4666-8666-666666666666";
const ACT: &str = "77777777-7777-4777-8777-777777777777";
const CLASS: &str = "88888888-8888-4888-8888-888888888888";
const NOWHERE: &str = "99999999-9999-4999-8999-999999999999";
const ANONYMOUS: &str = "42c432e8-9c4a-11e6-9f62-873cf34a735f";

fn danish(text: &str) -> Vec<Text> {
    vec![Text::new(Language::danish(), text).expect("a text")]
}

fn frame() -> VocabularyFields {
    let facet = |uuid: &str, code: &str, title| Facet {
        uuid: uuid.parse().expect("a uuid"),
        code: code.to_owned(),
        oio: None,
        titles: danish(title),
    };
    VocabularyFields {
        uuid: SYSTEM.parse().expect("a uuid"),
        slug: "soc-begreb".parse().expect("a slug"),
        titles: danish("Sociale begreber"),
        descriptions: danish("Fælles klassifikation af sociale indsatser og tilstande"),
        kind: Kind::Classification,
        governance: Governance::Direct,
        four_eyes: false,
        namespace: "http://127.0.0.1:8080/id/soc-begreb/".into(),
        identifiers: vec!["urn:oid:1.2.208.1".into()],
        owner: Some(OWNER.into()),
        contact: None,
        licence: Some("https://creativecommons.org/publicdomain/zero/1.0/".into()),
        languages: vec![Language::danish()],
        facets: vec![facet(FACET, "INDSATS", "Hvad der ydes borgeren"), facet(FACET_2, "HANDLING", "Hvad der gøres")],
        oio: None,
        deleted_facets: vec![],
    }
}

fn term(status: &str, value: &str) -> Value {
    json!({ "language": "da", "status": status, "value": value })
}

fn relation(kind: &str, target: &str) -> Value {
    json!({ "kind": kind, "target": target })
}

/// A concept with little to say.
fn plain(uuid: &str, code: &str, title: &str, facet: &str) -> (String, Value) {
    let content = json!({ "notation": code, "facet": facet, "terms": [term("preferred", title)] });
    (uuid.to_owned(), content)
}

/// The klasse of the facts' worked example.
fn class(title: &str) -> (String, Value) {
    let content = json!({
        "notation": "IND.2.1",
        "facet": "INDSATS",
        "aliases": [{ "value": "L-2" }],
        "terms": [
            term("preferred", title),
            json!({ "language": "da", "status": "deprecated", "value": "Ledsageordning", "reason": "tidligere titel" }),
            term("admitted", "ledsager"),
            json!({ "language": "en", "status": "admitted", "value": "accompaniment" }),
        ],
        "definitions": [
            { "language": "da", "text": "Indsats hvor en person følger borgeren til selvvalgte aktiviteter" },
            { "language": "en", "text": "Somebody goes with the citizen" },
        ],
        "notes": [
            { "kind": "example", "language": "da", "text": "Følgeskab til svømmehal" },
            { "kind": "scope", "language": "da", "text": "Omfatter ikke transport i sig selv" },
            { "kind": "change", "language": "da", "text": "Titel ændret fra 'Ledsageordning'" },
        ],
        "legalBasis": [{ "law": "Lov om social service", "paragraph": "§ 97" }],
        "mappings": [
            { "kind": "close", "target": "http://kle-online.dk/27.48.04" },
            { "kind": "exact", "target": "urn:oid:1.2.208.9" },
        ],
        "relations": [relation("generic", TOP), relation("legalCombination", ACT), relation("seeAlso", TOP)],
    });
    (CLASS.to_owned(), content)
}

fn file(concepts: &[(String, Value)]) -> String {
    let concept = |(uuid, content): &(String, Value)| json!({ "content": content, "registeredFrom": "2026-01-01", "uuid": uuid, "validFrom": "2026-01-01", "validTo": null });
    let point = json!({ "valid": "2026-01-01", "registered": "2026-01-01" });
    json!({
        "vocabulary": frame(),
        "version": null,
        "point": point,
        "concepts": concepts.iter().map(concept).collect::<Vec<_>>(),
        "statements": [],
    })
    .to_string()
}

async fn publish_as(w: &World, actor: &Actor, label: &str, day: &str, concepts: &[(String, Value)]) {
    let bytes = file(concepts);
    let mut request = edition("soc-begreb", Format::Json, bytes.as_bytes(), label, day);
    request.frame = Some(frame());
    request.accept_new = true;
    request.decision = Some(format!("Begrebsstyregruppen, punkt {label}"));
    w.registry.import(actor, request).await.unwrap_or_else(|r| panic!("{label}: {r:?}"));
}

/// Three editions: IND.9 is there from January to July; IND.2.1 is renamed in July and will be again in 2027.
async fn three_editions(w: &World) {
    let others = || vec![plain(TOP, "IND.2", "Støtte", "INDSATS"), plain(ACT, "H.1", "100% følgeskab_", "HANDLING")];
    let with = |title: &str, more: Vec<(String, Value)>| [others(), vec![class(title)], more].concat();
    let old = plain(OLD, "IND.9", "Følgeordning", "INDSATS");
    w.clock.set("2026-01-05T10:00:00Z");
    publish_as(w, &operator(), "2026-1", "2026-01-01", &with("Ledsagelse i dagtimer", vec![old])).await;
    w.clock.set("2026-06-20T09:15:00.123456Z");
    let mut second = with("Ledsagelse", vec![]);
    second[2].1["relations"].as_array_mut().expect("a list").push(relation("replaces", OLD));
    publish_as(w, &operator(), "2026-2", "2026-07-01", &second).await;
    let mut third = with("Ledsagelse og følgeskab", vec![]);
    third[2].1["relations"].as_array_mut().expect("a list").push(relation("replaces", OLD));
    publish_as(w, &operator(), "2027-1", "2027-07-01", &third).await;
    w.clock.set(common::START);
}

/// The only registrering of an object, or the newest.
async fn read(w: &World, uri: &str) -> Value {
    let answer = w.json(uri).await;
    let object = answer.as_object().expect("an object").values().next().expect("one object")[0].clone();
    object["registreringer"][0].clone()
}

async fn found(w: &World, query: &str) -> Vec<String> {
    let answer = w.get(&format!("{K}?{query}")).await.ok();
    let results = answer.json()["results"].clone();
    let list = results[0].as_array().unwrap_or_else(|| panic!("{query}: {results}"));
    let names = [(TOP, "IND.2"), (OLD, "IND.9"), (ACT, "H.1"), (CLASS, "IND.2.1")];
    let name = |u: &Value| {
        let uuid = u.as_str().expect("a uuid");
        names.iter().find(|(n, _)| *n == uuid).map_or_else(|| uuid.to_owned(), |(_, name)| (*name).to_owned())
    };
    let found: Vec<String> = list.iter().map(name).collect();
    assert_eq!(answer.header("x-total-count"), found.len().to_string(), "{query}");
    found
}

#[tokio::test]
async fn the_worked_example() {
    on_every_database(async |w| {
        three_editions(&w).await;
        insta::assert_snapshot!("laes_klasse", w.get(&format!("{K}/{CLASS}")).await.ok().shown());
        insta::assert_snapshot!("laes_facet", w.get(&format!("/klassifikation/facet/{FACET}")).await.ok().shown());
        let uri = format!("/klassifikation/klassifikation/{SYSTEM}?registreretFra=-infinity&virkningFra=-infinity");
        insta::assert_snapshot!("laes_klassifikation", w.get(&uri).await.ok().shown());
        // Everything that was ever said, of all times: newest first.
        let uri = format!("{K}/{OLD}?registreretFra=-infinity&registreretTil=infinity&virkningFra=-infinity");
        insta::assert_snapshot!("laes_alt", w.get(&uri).await.ok().shown());
        // A slash at the end is the same address, HEAD the same without a body.
        let slash = w.get(&format!("{K}/{CLASS}/")).await.ok();
        assert_eq!(slash.body, w.get(&format!("{K}/{CLASS}")).await.body);
        assert_eq!(w.ask("HEAD", &format!("{K}/{CLASS}"), &[]).await.ok().body.len(), 0);
        assert_eq!(w.get(&format!("{K}/?bvn=IND.2")).await.ok().json(), json!({ "results": [[TOP]] }));
    })
    .await;
}

#[tokio::test]
async fn what_there_is() {
    let w = World::open("sqlite").await.expect("it opens");
    for kind in ["klassifikation", "facet", "klasse"] {
        let fields = w.get(&format!("/klassifikation/{kind}/fields")).await.ok();
        assert_eq!(fields.json(), w.json("/klassifikation/classes").await[kind]);
        insta::assert_snapshot!(
            format!("schema_{kind}"),
            w.get(&format!("/klassifikation/{kind}/schema")).await.shown()
        );
    }
    insta::assert_snapshot!("classes", w.get("/klassifikation/classes").await.ok().shown());
    let map = w.get("/site-map").await.ok();
    insta::assert_snapshot!("site_map", map.shown());
    assert_eq!(w.get("/site-map/").await.ok().body, map.body);
}

#[tokio::test]
async fn the_front_page_is_for_who_takes_pages() {
    let w = World::open("sqlite").await.expect("it opens");
    for accept in ["application/json", "APPLICATION/JSON", "application/json, text/html;q=0.5", "application/*"] {
        let answer = w.ask("GET", "/", &[("accept", accept)]).await.with(308);
        assert_eq!((answer.header("location"), answer.header("vary").contains("accept")), ("/site-map".into(), true));
        w.ask("HEAD", "/", &[("accept", accept)]).await.with(308);
    }
    // A browser, curl, who says nothing, and who takes neither.
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
    for accept in [browser, "*/*", "text/html", "text/*", "text/turtle", "application/json;q=0"] {
        let page = w.ask("GET", "/", &[("accept", accept)]).await.ok();
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{accept}");
    }
    assert_eq!(w.get("/").await.ok().header("content-type"), "text/html; charset=utf-8");
}

#[tokio::test]
async fn virkning() {
    on_every_database(async |w| {
        three_editions(&w).await;
        let titles = async |query: &str| {
            let registrering = read(&w, &format!("{K}/{CLASS}?{query}")).await;
            let list = registrering["attributter"]["klasseegenskaber"].as_array().cloned().unwrap_or_default();
            list.iter().map(|e| e["titel"].as_str().expect("a title").to_owned()).collect::<Vec<_>>()
        };
        let (first, second, third) = ("Ledsagelse i dagtimer", "Ledsagelse", "Ledsagelse og følgeskab");
        for (query, expected) in [
            ("", &[second][..]),
            ("virkningstid=2026-01-01", &[first]),
            ("virkningstid=2025-12-31", &[]),
            ("VIRKNINGSTID=2026-07-01T00:00:00%2B02:00", &[first]),
            ("virkningstid=2026-07-01T00:00:00%2B00:00", &[second]),
            ("virkningstid=infinity", &[third]),
            ("virkningstid=-infinity", &[]),
            ("virkningFra=2026-03-01&virkningTil=2026-08-01", &[second, first]),
            ("virkningFra=2026-03-01&virkningTil=2026-07-01", &[first]),
            ("virkningFra=2027-01-01", &[second, third]),
            ("virkningTil=2026-02-01", &[first]),
            ("virkningFra=-infinity&virkningTil=infinity", &[second, first, third]),
        ] {
            assert_eq!(titles(query).await, expected, "{query}");
        }
        // A registrering is shown also when nothing in it holds then.
        let bare = read(&w, &format!("{K}/{CLASS}?virkningstid=2020-01-01")).await;
        assert_eq!(bare["livscykluskode"], "Rettet");
        assert_eq!(bare.get("attributter").or(bare.get("tilstande")).or(bare.get("relationer")), None);
        // A date that is said beforehand comes into force without a write.
        w.clock.set("2027-07-01T00:00:00Z");
        assert_eq!(titles("").await, [third]);
    })
    .await;
}

#[tokio::test]
async fn registrering() {
    on_every_database(async |w| {
        three_editions(&w).await;
        let stamps = async |query: &str| {
            let answer = w.get(&format!("{K}/{CLASS}?virkningFra=-infinity&{query}")).await;
            if answer.status != 200 {
                return vec![answer.status.to_string()];
            }
            let list = answer.json()[CLASS][0]["registreringer"].as_array().expect("a list").clone();
            let one = |r: &Value| {
                let from = r["fratidspunkt"]["tidsstempeldatotid"].as_str().expect("a stamp")[..10].to_owned();
                format!(
                    "{from} {} {}",
                    r["livscykluskode"].as_str().expect("a code"),
                    r["note"].as_str().unwrap_or("-")
                )
            };
            list.iter().map(one).collect()
        };
        let (first, second) = (
            "2026-01-05 Importeret Version 2026-1: Begrebsstyregruppen, punkt 2026-1",
            "2026-06-20 Rettet Version 2026-2: Begrebsstyregruppen, punkt 2026-2",
        );
        let third = "2026-06-20 Rettet Version 2027-1: Begrebsstyregruppen, punkt 2027-1";
        for (query, expected) in [
            ("", &[third][..]),
            ("registreringstid=2026-01-05T10:00:00", &[first]),
            ("registreringstid=2026-02-01", &[first]),
            ("registreringstid=2026-06-20T09:15:00.123456", &[second]),
            ("registreringstid=2026-06-20T09:15:00.123457", &[third]),
            ("registreringstid=2026-01-05", &["404"]),
            ("registreretFra=2026-02-01", &[third, second, first]),
            ("registreretFra=2026-07-01", &[third]),
            ("registreretTil=2026-06-01", &[first]),
            ("registreretFra=-infinity&registreretTil=infinity", &[third, second, first]),
        ] {
            assert_eq!(stamps(query).await, expected, "{query}");
        }
        let read = read(&w, &format!("{K}/{CLASS}?registreringstid=2026-02-01")).await;
        assert_eq!(
            read["fratidspunkt"],
            json!({ "tidsstempeldatotid": "2026-01-05T10:00:00+00:00", "graenseindikator": true })
        );
        assert_eq!(read["tiltidspunkt"], json!({ "tidsstempeldatotid": "2026-06-20T09:15:00.123456+00:00" }));
        assert_eq!(read["brugerref"], ANONYMOUS);
    })
    .await;
}

#[tokio::test]
async fn list() {
    on_every_database(async |w| {
        three_editions(&w).await;
        // Whole objects, in the order that was asked for, each once; what is not there is left out.
        let uri = format!("{K}?uuid={OLD}&UUID={CLASS}&uuid={NOWHERE}&uuid={CLASS}&virkningstid=2026-02-01");
        let answer = w.get(&uri).await.ok();
        let results = answer.json()["results"].clone();
        let ids: Vec<&str> = results[0].as_array().expect("a list").iter().map(|o| o["id"].as_str().unwrap()).collect();
        assert_eq!((results.as_array().map(Vec::len), ids), (Some(1), vec![OLD, CLASS]));
        assert_eq!(answer.header("x-total-count"), "2");
        let alone = w.json(&format!("{K}/{CLASS}?virkningstid=2026-02-01")).await;
        assert_eq!(results[0][1], alone[CLASS][0]);
        // Nothing is asked for, or nothing of it is there.
        for uri in [K.to_owned(), format!("{K}?virkningstid=2026-02-01"), format!("{K}?uuid={NOWHERE}")] {
            assert_eq!(w.get(&uri).await.ok().json(), json!({ "results": [] }), "{uri}");
        }
        // Every parameter of time, each alone: how many registreringer and how many titles they show.
        for (query, shown) in [
            ("virkningstid=2026-02-01", (1, 1)),
            ("virkningFra=2026-02-01", (1, 3)),
            ("virkningTil=2026-02-01", (1, 1)),
            ("registreringstid=2026-02-01", (1, 1)),
            ("registreretFra=2026-06-21", (1, 1)),
            ("registreretTil=2026-06-01", (1, 1)),
            ("registreretFra=-infinity", (3, 1)),
        ] {
            let answer = w.json(&format!("{K}?uuid={CLASS}&{query}")).await;
            let all = answer["results"][0][0]["registreringer"].as_array().expect("a list").clone();
            let titles = all[0]["attributter"]["klasseegenskaber"].as_array().map_or(0, Vec::len);
            assert_eq!((all.len(), titles), shown, "{query}");
            // Søg takes the same.
            let searched = w.json(&format!("{K}?bvn=IND.2.1&{query}&list=1")).await;
            assert_eq!(searched, answer, "{query}");
        }
        // The same for the other kinds.
        let facets = w.json(&format!("/klassifikation/facet?uuid={FACET_2}&uuid={CLASS}")).await;
        assert_eq!(facets["results"][0][0]["id"], FACET_2);
        assert_eq!(facets["results"][0].as_array().map(Vec::len), Some(1));
        let systems = w.json(&format!("/klassifikation/klassifikation?uuid={SYSTEM}")).await;
        assert_eq!(systems["results"][0][0]["id"], SYSTEM);
    })
    .await;
}

#[tokio::test]
async fn what_is_searched_for() {
    on_every_database(async |w| {
        three_editions(&w).await;
        let (top, act, class) = ("IND.2", "H.1", "IND.2.1");
        let facet_of = format!("facet={FACET}");
        for (query, expected) in [
            // Attributes: the whole text, whatever the case, with wildcards.
            ("brugervendtnoegle=IND.2", &[top][..]),
            ("bvn=ind.2.1", &[class]),
            ("BVN=IND.2%25", &[top, class]),
            ("titel=ledsagelse", &[class]),
            ("titel=%25sag%25", &[class]),
            ("titel=Ledsagel", &[]),
            ("titel=", &[]),
            ("titel=100\\%25%20f%C3%B8lgeskab_", &[act]),
            ("titel=100\\%25%20f%C3%B8lgeskab%25", &[act]),
            ("titel=_%25", &[]),
            ("titel=Ledsageordning", &[]),
            ("beskrivelse=%25SELVVALGTE%25", &[class]),
            ("eksempel=f%C3%B8lgeskab%25", &[class]),
            ("omfang=%25transport%25", &[class]),
            ("retskilde=Lov om social service, § 97", &[class]),
            ("aendringsnotat=%25Ledsageordning%25", &[class]),
            ("integrationsdata=%25L-2%25", &[class]),
            ("soegeord=LEDSAGER", &[class]),
            ("soegeord=frar%C3%A5det", &[class]),
            // Twice is both.
            ("titel=Led%25&titel=%25else", &[class]),
            ("titel=Led%25&titel=St%25", &[]),
            ("titel=Led%25&bvn=IND%25", &[class]),
            // Any attribute, index words too.
            ("vilkaarligattr=ledsager", &[class]),
            ("vilkaarligattr=IND.2", &[top]),
            ("vilkaarligattr=%25led%25&vilkaarligattr=tidligere%20titel", &[class]),
            // The state.
            ("publiceret=Publiceret", &[act, top, class]),
            ("publiceret=IkkePubliceret", &[]),
            // Relations, with what the target is said to be.
            (&facet_of, &[top, class]),
            (&format!("facet:Facet={FACET}"), &[top, class]),
            (&format!("facet:facet={FACET}"), &[]),
            (&format!("FACET:Facet={FACET_2}"), &[act]),
            (&format!("ejer:Organisation={OWNER}"), &[act, top, class]),
            (&format!("ansvarlig={OWNER}&facet={FACET_2}"), &[act]),
            (&format!("ejer={TOP}"), &[]),
            (&format!("overordnetklasse={TOP}"), &[class]),
            (&format!("overordnetklasse={ACT}"), &[]),
            (&format!("lovligekombinationer={ACT}"), &[class]),
            (&format!("sideordnede={TOP}"), &[class]),
            (&format!("erstatter:Klasse={OLD}"), &[class]),
            (&format!("tilfoejelser={TOP}"), &[]),
            (&format!("redaktoerer={TOP}"), &[]),
            ("mapninger=urn:oid:1.2.208.9", &[class]),
            ("mapninger=urn:begreb:iri:http://kle-online.dk/27.48.04", &[class]),
            ("mapninger=urn:oid:1", &[]),
            (&format!("vilkaarligrel={TOP}"), &[class]),
            (&format!("vilkaarligrel={TOP}&vilkaarligrel={OLD}"), &[class]),
            (&format!("vilkaarligrel={OWNER}&vilkaarligrel={FACET_2}"), &[act]),
            (&format!("vilkaarligrel={NOWHERE}"), &[]),
            // Who registered it, what happened, and why.
            // Of what was retired too: nothing must be said of it now.
            (&format!("brugerref={ANONYMOUS}"), &[act, top, class, "IND.9"]),
            (&format!("brugerref={OWNER}"), &[]),
            ("livscykluskode=Rettet", &[class, "IND.9"]),
            ("livscykluskode=Importeret", &[act, top]),
            ("livscykluskode=Slettet", &[]),
            ("notetekst=%25punkt 2026-1", &[act, top]),
            // One object, and criteria with time.
            (&format!("uuid={CLASS}&titel=Led%25"), &[class]),
            (&format!("uuid={TOP}&titel=Led%25"), &[]),
            ("bvn=IND.9", &[]),
            ("bvn=IND.9&virkningstid=2026-02-01", &["IND.9"]),
            ("titel=Ledsagelse&virkningstid=2026-02-01", &[]),
            ("titel=Ledsagelse i dagtimer&virkningFra=2026-01-01&virkningTil=2026-02-01", &[class]),
            ("titel=Ledsagelse og%25&virkningFra=2026-01-01", &[class]),
            ("titel=Ledsagelse og%25&virkningFra=2026-01-01&registreringstid=2026-06-20T09:15:00.123456", &[]),
            ("titel=Ledsagelse i%25&registreretFra=2026-01-01&virkningstid=2026-12-31", &[class]),
            ("titel=Ledsagelse i%25&virkningstid=2026-12-31", &[]),
        ] {
            let query = query.replace(' ', "%20").replace('§', "%C2%A7");
            assert_eq!(found(&w, &query).await, expected, "{query}");
        }
        // The other kinds.
        let results = async |uri: &str| w.get(uri).await.ok().json()["results"][0].clone();
        assert_eq!(results("/klassifikation/klassifikation?kaldenavn=sociale%25").await, json!([SYSTEM]));
        assert_eq!(results("/klassifikation/klassifikation?publiceret=IkkePubliceret").await, json!([]));
        let early = "/klassifikation/klassifikation?publiceret=IkkePubliceret&virkningstid=2025-01-01";
        assert_eq!(results(early).await, json!([SYSTEM]));
        let facets = format!("/klassifikation/facet?facettilhoerer:Klassifikation={SYSTEM}");
        assert_eq!(results(&facets).await, json!([FACET_2, FACET]), "by brugervendtnoegle");
        assert_eq!(
            results("/klassifikation/facet?beskrivelse=hvad der g%25".replace(' ', "%20").as_str()).await,
            json!([FACET_2])
        );
    })
    .await;
}

#[tokio::test]
async fn pages_and_whole_objects() {
    on_every_database(async |w| {
        three_editions(&w).await;
        let all = [ACT, TOP, CLASS];
        for (query, expected) in [
            ("bvn=%25", &all[..]),
            ("bvn=%25&foersteresultat=0", &all),
            ("bvn=%25&foersteresultat=1", &all[1..]),
            ("bvn=%25&maximalantalresultater=2", &all[..2]),
            ("bvn=%25&foersteresultat=1&maximalantalresultater=1", &all[1..2]),
            ("bvn=%25&foersteresultat=9", &[]),
            ("bvn=%25&maximalantalresultater=0", &[]),
        ] {
            let answer = w.get(&format!("{K}?{query}")).await.ok();
            assert_eq!(answer.json(), json!({ "results": [expected] }), "{query}");
            assert_eq!(answer.header("x-total-count"), "3", "{query}");
        }
        // Without a criterion it is everything, what was retired too.
        let answer = w.get(&format!("{K}?foersteresultat=2")).await.ok();
        assert_eq!(answer.json(), json!({ "results": [[CLASS, OLD]] }));
        // Søg finds nothing: one empty list. With `list` it is List's answer: none.
        assert_eq!(w.json(&format!("{K}?bvn=nej")).await, json!({ "results": [[]] }));
        assert_eq!(w.json(&format!("{K}?bvn=nej&list=1")).await, json!({ "results": [] }));
        let answer = w.get(&format!("{K}?bvn=IND%25&List=&maximalantalresultater=1")).await.ok();
        assert_eq!(answer.json()["results"][0], w.json(&format!("{K}?uuid={TOP}")).await["results"][0]);
        assert_eq!(answer.header("x-total-count"), "2");
        let everything = w.json(&format!("{K}?list")).await;
        assert_eq!(everything["results"][0].as_array().map(Vec::len), Some(4));
    })
    .await;
}

#[tokio::test]
async fn konsolider() {
    on_every_database(async |w| {
        three_editions(&w).await;
        let count = |r: &Value, group: &str, name: &str| r[group][name].as_array().map(Vec::len);
        let all = "virkningFra=-infinity";
        let plain = read(&w, &format!("{K}/{CLASS}?{all}")).await;
        let joined = read(&w, &format!("{K}/{CLASS}?{all}&konsolider=true")).await;
        for (group, name, before, after) in [
            ("attributter", "klasseegenskaber", 3, 3),
            ("tilstande", "klassepubliceret", 3, 1),
            ("relationer", "overordnetklasse", 3, 1),
            ("relationer", "mapninger", 6, 2),
            ("relationer", "erstatter", 2, 1),
        ] {
            assert_eq!(
                (count(&plain, group, name), count(&joined, group, name)),
                (Some(before), Some(after)),
                "{name}"
            );
        }
        let virkning =
            json!({ "from": "2026-01-01 00:00:00+00", "to": "infinity", "from_included": true, "to_included": false });
        assert_eq!(joined["tilstande"]["klassepubliceret"][0]["virkning"], virkning);
        // Over all time, and then what holds in the window.
        let now = read(&w, &format!("{K}/{CLASS}?Konsolider")).await;
        assert_eq!(now["tilstande"]["klassepubliceret"][0]["virkning"], virkning);
        let window = read(&w, &format!("{K}/{CLASS}?konsolider=1&virkningstid=2026-02-01")).await;
        assert_eq!(count(&window, "relationer", "erstatter"), None);
        let listed = w.json(&format!("{K}?uuid={CLASS}&konsolider=1")).await;
        assert_eq!(listed["results"][0][0]["registreringer"][0], now);
        let searched = w.json(&format!("{K}?bvn=IND.2.1&list=1&konsolider=1")).await;
        assert_eq!(searched, listed);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_longer_said_at_any_time_is_deleted() {
    on_every_database(async |w| {
        three_editions(&w).await;
        // In force until July, and retired then: no deletion.
        let read_old = read(&w, &format!("{K}/{OLD}")).await;
        assert_eq!((&read_old["livscykluskode"], read_old.get("attributter")), (&json!("Rettet"), None));
        // It ought never to have been there: the edition of January is corrected.
        let corrected = vec![
            plain(TOP, "IND.2", "Støtte", "INDSATS"),
            plain(ACT, "H.1", "100% følgeskab_", "HANDLING"),
            class("Ledsagelse i dagtimer"),
        ];
        publish_as(&w, &operator(), "2026-1b", "2026-01-01", &corrected).await;
        let gone = w.get(&format!("{K}/{OLD}")).await.with(410);
        assert_eq!(gone.json(), json!({ "message": "This object has been deleted." }));
        // It was there; it is found by asking for what is deleted, and told by List with what it said last.
        w.get(&format!("{K}/{OLD}?registreringstid=2026-07-01")).await.ok();
        assert_eq!(found(&w, "bvn=IND.9&virkningstid=2026-02-01").await, Vec::<String>::new());
        assert_eq!(found(&w, "bvn=IND.9&virkningstid=2026-02-01&livscykluskode=Slettet").await, ["IND.9"]);
        let listed = w.json(&format!("{K}?uuid={OLD}&virkningstid=2026-02-01")).await;
        let registrering = &listed["results"][0][0]["registreringer"][0];
        assert_eq!(registrering["livscykluskode"], "Slettet");
        assert_eq!(registrering["attributter"]["klasseegenskaber"][0]["titel"], "Følgeordning");
        // And comes again.
        w.clock.set("2026-12-01T00:00:00Z");
        let again = [corrected, vec![plain(OLD, "IND.9", "Følgeordning", "INDSATS")]].concat();
        publish_as(&w, &operator(), "2026-12", "2026-12-01", &again).await;
        assert_eq!(read(&w, &format!("{K}/{OLD}")).await["livscykluskode"], "Importeret");
    })
    .await;
}

#[tokio::test]
async fn who_registered_it_and_what_the_frame_gives() {
    on_every_database(async |w| {
        three_editions(&w).await;
        let anne = person(&w, "Anne", &[Role::Administrator, Role::Publisher]).await;
        let concepts = vec![plain(TOP, "IND.2", "Støtte og hjælp", "INDSATS"), class("Ledsagelse")];
        let actor = anne.actor(&w).await;
        publish_as(&w, &actor, "2026-11", "2026-11-22", &concepts).await;
        let now = read(&w, &format!("{K}/{TOP}")).await;
        assert_eq!((&now["brugerref"], &now["livscykluskode"]), (&json!(anne.uuid), &json!("Rettet")));
        let by_her = found(&w, &format!("brugerref={}", anne.uuid)).await;
        assert_eq!(by_her, ["H.1", "IND.2", "IND.2.1"], "one was retired by her");
        // Another owner is a registrering of all, and of what it was before nothing changes.
        let klasse = |at: &str| format!("{K}/{CLASS}?{at}");
        let before = w.json(&klasse("registreringstid=2026-11-22T12:00:30&virkningstid=2026-11-22")).await;
        w.clock.set("2026-11-23T08:00:00Z");
        let other =
            VocabularyFields { owner: Some(NOWHERE.into()), facets: vec![frame().facets[0].clone()], ..frame() };
        w.registry.set_frame(&operator(), other).await.expect("it is lawful");
        let now = read(&w, &klasse("")).await;
        assert_eq!(now["relationer"]["ejer"][0]["uuid"], NOWHERE);
        assert_eq!((&now["livscykluskode"], now.get("note")), (&json!("Rettet"), None));
        assert_eq!(now["fratidspunkt"]["tidsstempeldatotid"], "2026-11-23T08:00:00+00:00");
        let mut after = w.json(&klasse("registreringstid=2026-11-22T12:00:30&virkningstid=2026-11-22")).await;
        let end = &mut after[CLASS][0]["registreringer"][0]["tiltidspunkt"]["tidsstempeldatotid"];
        assert_eq!(end.take(), "2026-11-23T08:00:00+00:00");
        *end = json!("infinity");
        assert_eq!(after, before);
        // A facet that the frame has no longer is deleted; the other has another owner; the klassifikation both.
        w.get(&format!("/klassifikation/facet/{FACET_2}")).await.with(410);
        let facet = read(&w, &format!("/klassifikation/facet/{FACET}")).await;
        assert_eq!(
            (&facet["livscykluskode"], &facet["relationer"]["ejer"][0]["uuid"]),
            (&json!("Rettet"), &json!(NOWHERE))
        );
        let system = w.json(&format!("/klassifikation/klassifikation/{SYSTEM}?registreretFra=-infinity")).await;
        assert_eq!(system[SYSTEM][0]["registreringer"].as_array().map(Vec::len), Some(5), "four versions, one frame");
        // Another process reads the same of the log.
        let beside = w.beside().await;
        for uri in [
            klasse("registreretFra=-infinity"),
            format!("/klassifikation/klassifikation/{SYSTEM}?registreretFra=-infinity"),
        ] {
            assert_eq!(beside.json(&uri).await, w.json(&uri).await);
        }
    })
    .await;
}

#[tokio::test]
async fn a_vocabulary_without_facets_has_one_that_stands_for_it() {
    let w = World::open("sqlite").await.expect("it opens");
    let csv = "notation,preferred.da\nA,et\nB,to\n";
    common::crew::vocabulary(&w, "koder", Governance::Direct, csv).await;
    let results = w.json("/klassifikation/facet?bvn=koder").await;
    let facet = results["results"][0][0].as_str().expect("a facet").to_owned();
    let read = read(&w, &format!("/klassifikation/facet/{facet}")).await;
    let uuid = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"koder").to_string();
    assert_eq!(read["relationer"]["facettilhoerer"][0]["uuid"], uuid);
    let of = w.json(&format!("{K}?facet={facet}&list=1")).await;
    let codes: Vec<&Value> = of["results"][0]
        .as_array()
        .expect("a list")
        .iter()
        .map(|o| &o["registreringer"][0]["attributter"]["klasseegenskaber"][0]["brugervendtnoegle"])
        .collect();
    assert_eq!(codes, ["A", "B"]);
}

#[tokio::test]
async fn entity_tags() {
    let w = World::open("sqlite").await.expect("it opens");
    three_editions(&w).await;
    for uri in [format!("{K}/{CLASS}"), format!("{K}?uuid={CLASS}"), format!("{K}?bvn=IND%25"), "/site-map".into()] {
        let tag = w.get(&uri).await.ok().header("etag");
        assert!(!tag.is_empty(), "{uri}");
        let known = w.ask("GET", &uri, &[("if-none-match", &tag)]).await.with(304);
        assert_eq!(known.body.len(), 0, "{uri}");
        w.ask("GET", &uri, &[("if-none-match", "\"another\"")]).await.ok();
    }
    // An object's tag is strong: a change can name it. It is another when something else is in force.
    let tag = w.get(&format!("{K}/{CLASS}")).await.header("etag");
    assert!(tag.starts_with('"'), "{tag}");
    w.clock.set("2027-07-01T00:00:00Z");
    w.ask("GET", &format!("{K}/{CLASS}"), &[("if-none-match", &tag)]).await.ok();
}

#[tokio::test]
async fn what_is_refused() {
    let w = World::open("sqlite").await.expect("it opens");
    three_editions(&w).await;
    let many = |name: &str| format!("{K}?{}", vec![name; 101].join("&"));
    let uris = [
        format!("{K}?xyz=1&abc=2&ABC=3"),
        format!("{K}?plan=1"),
        "/klassifikation/facet?titel=x".to_owned(),
        format!("/klassifikation/klassifikation?facet={FACET}"),
        format!("{K}?titel:Klasse=x"),
        format!("{K}/{CLASS}?bvn=x"),
        format!("{K}/{CLASS}?list=1"),
        format!("{K}?uuid={CLASS}&uuid={TOP}&bvn=x"),
        format!("{K}?uuid=nej"),
        format!("{K}?uuid=%7B{CLASS}%7D"),
        format!("{K}?virkningstid=i%20g%C3%A5r"),
        format!("{K}?virkningstid=2026-02-30&bvn=x"),
        format!("{K}?virkningstid=2026-01-01&virkningstid=2026-01-02"),
        format!("{K}/{CLASS}?virkningstid=2026-01-01&virkningFra=2026-01-01"),
        format!("{K}?registreringstid=2026-01-01&registreretTil=2026-01-01"),
        format!("{K}/{CLASS}?virkningFra=2026-01-02&virkningTil=2026-01-01"),
        format!("{K}/{CLASS}?virkningFra=2026-01-01&virkningTil=2026-01-01"),
        format!("{K}/{CLASS}?registreringFra=2026-01-01"),
        format!("{K}?publiceret=publiceret"),
        format!("{K}?livscykluskode=Rettet%20"),
        format!("{K}?brugerref=mig"),
        format!("{K}?facet=INDSATS"),
        format!("{K}?facet=urn:"),
        format!("{K}?vilkaarligrel=x"),
        format!("{K}?foersteresultat=-1"),
        format!("{K}?foersteresultat=1.5"),
        format!("{K}?maximalantalresultater=mange"),
        format!("{K}?maximalantalresultater=4294967296"),
        many("titel=x"),
        format!("{K}?titel={}", "%25".repeat(100)),
        format!("{K}/{NOWHERE}"),
        format!("/klassifikation/facet/{CLASS}"),
        format!("/klassifikation/klassifikation/{FACET}"),
        format!("{K}/nej"),
        format!("{K}/88888888888848888888888888888888"),
        "/klassifikation".into(),
        "/klassifikation/".into(),
        "/klassifikation/klasser".into(),
        format!("/klassifikation/klasser/{CLASS}"),
        "/klassifikation/klasser/fields".into(),
        format!("{K}/{CLASS}/history"),
    ];
    let mut shown = String::new();
    for uri in uris {
        let answer = w.get(&uri).await;
        assert!((400..500).contains(&answer.status), "{uri}: {}", answer.status);
        assert_eq!(answer.header("content-type"), "application/json", "{uri}");
        let uri: String = uri.chars().take(120).collect();
        shown.push_str(&format!("{uri}\n{} {}\n", answer.status, answer.json()));
    }
    insta::assert_snapshot!("refused", shown);
    let unacceptable = w.ask("GET", &format!("{K}/{CLASS}"), &[("accept", "text/turtle")]).await.with(406);
    assert!(unacceptable.json()["message"].is_string());
    let method = w.ask("TRACE", &format!("{K}/{CLASS}"), &[]).await.with(405);
    assert_eq!(method.json()["error"], 405);
}

#[tokio::test]
async fn no_query_is_too_strange() {
    on_every_database(async |w| {
        three_editions(&w).await;
        strange_queries(&w).await;
    })
    .await;
}

async fn strange_queries(w: &World) {
    let names = [
        "uuid",
        "bvn",
        "titel",
        "facet",
        "facet:Facet",
        "ejer:",
        ":",
        "virkningstid",
        "virkningfra",
        "virkningtil",
        "registreringstid",
        "registreretfra",
        "registrerettil",
        "vilkaarligattr",
        "vilkaarligrel",
        "livscykluskode",
        "foersteresultat",
        "maximalantalresultater",
        "publiceret",
        "list",
        "konsolider",
        "notetekst",
        "soegeord",
        "x",
    ];
    let name = prop::sample::select(names.to_vec());
    let value = prop_oneof![
        "[ -~æøå]{0,12}",
        prop::sample::select(vec![
            CLASS.to_owned(),
            FACET.to_owned(),
            "infinity".into(),
            "-infinity".into(),
            "2026-01-01".into(),
            "%".into(),
            "0".into(),
            "Publiceret".into(),
            "Slettet".into(),
            "urn:x".into(),
            "2026-07-01 00:00:00+02".into(),
        ]),
    ];
    let query = prop::collection::vec((name, value), 0..5);
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    for _ in 0..200 {
        let pairs = query.new_tree(&mut runner).expect("a query").current();
        let query: Vec<String> = pairs.iter().map(|(n, v)| format!("{}={}", encoded(n), encoded(v))).collect();
        for path in [
            K.to_owned(),
            format!("{K}/{CLASS}"),
            "/klassifikation/facet".into(),
            "/klassifikation/klassifikation".into(),
        ] {
            let answer = w.get(&format!("{path}?{}", query.join("&"))).await;
            assert!(
                matches!(answer.status, 200 | 400 | 404 | 410),
                "{}: {} {}",
                answer.asked,
                answer.status,
                answer.text()
            );
            assert!(answer.json().is_object());
        }
    }
}

/// KOMBIT's schemas, which stand beside the project and not in it.
fn kombit() -> PathBuf {
    if let Some(named) = std::env::var_os("BEGREB_OIOXML") {
        return named.into();
    }
    let above = |dir: &Path| Some(dir.join("shared/data/oioxml")).filter(|d| d.is_dir());
    root().ancestors().find_map(above).expect("name the folder of KOMBIT's schemas in BEGREB_OIOXML")
}

fn assert_valid(answers: &[Answer], kind: &str) {
    let folder = Folder::new();
    std::os::unix::fs::symlink(kombit(), folder.path().join("kombit")).expect("a link");
    let name = |n: usize| format!("{n}.xml");
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(answer.header("content-type"), "application/xml", "{}", answer.asked);
        std::fs::write(folder.path().join(name(n)), &answer.body).expect("a file");
    }
    let schema = format!("kombit/6.0.STS-0/{kind}Operationer.xsd");
    let mut lint = Command::new("xmllint");
    lint.args(["--noout", "--nonet", "--schema", &schema]).args((0..answers.len()).map(name));
    let done = lint.current_dir(folder.path()).output().expect("this test needs xmllint (apt: libxml2-utils)");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[tokio::test]
async fn as_xml_by_kombits_schemas() {
    let w = World::open("sqlite").await.expect("it opens");
    three_editions(&w).await;
    let xml = async |uri: &str| w.ask("GET", uri, &[("accept", "application/xml")]).await.ok();
    let always = "virkningFra=-infinity&registreretFra=-infinity";
    let klasse = xml(&format!("{K}/{CLASS}")).await;
    insta::assert_snapshot!("laes_klasse_xml", klasse.shown());
    let answers = [
        klasse,
        xml(&format!("{K}/{CLASS}?{always}")).await,
        xml(&format!("{K}/{CLASS}?virkningstid=1900-01-01")).await,
        xml(&format!("{K}?uuid={CLASS}&uuid={OLD}&{always}")).await,
        xml(&format!("{K}?list&bvn=%25&{always}")).await,
        xml(K).await,
        xml(&format!("{K}?bvn=%25")).await,
        xml(&format!("{K}?bvn=nej")).await,
    ];
    assert_valid(&answers, "Klasse");
    let of = |kind: &str, uuid: &str| {
        let path = format!("/klassifikation/{kind}");
        [format!("{path}/{uuid}?{always}"), format!("{path}?uuid={uuid}"), format!("{path}?bvn=%25")]
    };
    for (kind, uuid, schema) in [("facet", FACET, "Facet"), ("klassifikation", SYSTEM, "Klassifikation")] {
        let mut answers = Vec::new();
        for uri in of(kind, uuid) {
            answers.push(xml(&uri).await);
        }
        assert_valid(&answers, schema);
    }
}

/// What was written by OIO has periods, hands and notes in klassifikation and facet too.
#[tokio::test]
async fn what_was_written_is_valid_xml_too() {
    let w = World::open("sqlite").await.expect("it opens");
    let pia = person(&w, "Pia", &[Role::Publisher]).await;
    let (klassifikation, facet) = home(&w, &pia).await;
    let hand = json!({ "from": "2020-01-01", "to": "2026-01-01", "aktoerref": OWNER, "aktoertypekode": "Organisation", "notetekst": "n" });
    let later = json!({ "from": "2026-01-01", "to": "infinity", "aktoerref": OWNER, "aktoertypekode": "Bruger" });
    let ret = |kind: &str, field: &str, relation: &str| {
        json!({
            "note": "rettet",
            "attributter": { format!("{kind}egenskaber"): [{ field: "før", "virkning": hand }, { field: "efter", "virkning": later }] },
            "tilstande": { "publiceret": [{ "publiceret": "IkkePubliceret", "virkning": hand }] },
            "relationer": { relation: [{ "uuid": OWNER, "virkning": hand }, { "urn": "urn:oio:cvr-nr:12345678", "virkning": later }] } })
    };
    let uuid = create(&w, &pia, "klasse", klasse(&facet, "K", "A", &since("2019-01-01"))).await;
    let objects = [
        ("klassifikation", &klassifikation, "Klassifikation", ret("klassifikation", "kaldenavn", "ansvarlig")),
        ("facet", &facet, "Facet", ret("facet", "plan", "redaktoerer")),
        ("klasse", &uuid, "Klasse", ret("klasse", "omfang", "redaktoerer")),
    ];
    for (kind, uuid, schema, ret) in objects {
        let path = format!("/klassifikation/{kind}");
        write(&w, &pia, "PATCH", &format!("{kind}/{uuid}"), ret).await.ok();
        let always = "virkningFra=-infinity&registreretFra=-infinity";
        let mut answers = Vec::new();
        for uri in [
            format!("{path}/{uuid}?{always}"),
            format!("{path}?uuid={uuid}&{always}"),
            format!("{path}?list=1&bvn=%25&{always}&konsolider=1"),
            format!("{path}?list=1&bvn=nej"),
            format!("{path}?publiceret=IkkePubliceret&virkningstid=2021-01-01"),
            format!("{path}?bvn=nej"),
        ] {
            answers.push(w.ask("GET", &uri, &[("accept", "application/xml")]).await.ok());
        }
        assert!(answers[0].text().contains("2026-01-01"), "{}", answers[0].text());
        assert!(answers[4].text().contains(uuid.as_str()), "{}", answers[4].text());
        // What is deleted is told by List.
        write(&w, &pia, "DELETE", &format!("{kind}/{uuid}"), Value::Null).await.with(202);
        answers.push(w.ask("GET", &format!("{path}?uuid={uuid}"), &[("accept", "application/xml")]).await.ok());
        assert_valid(&answers, schema);
    }
}

/// KL's real FSIII, five editions.
#[tokio::test]
async fn fsiii() {
    let Some(last) = kl("FSIII-2024-10-31.json") else { return };
    let options = ReadOptions { language: Language::danish(), namespace: None };
    let who = identity(&exchange::read(Format::Fhir, &last, &options).expect("KL's file is taken in"));
    let who = who.expect("KL's twins can be told apart");
    let editions =
        [("2020-09-08", 333), ("2023-05-17", 367), ("2023-06-22", 335), ("2024-05-30", 404), ("2024-10-31", 414)];
    let w = World::open("sqlite").await.expect("it opens");
    for (day, _) in editions {
        let bytes = kl(&format!("FSIII-{day}.json")).expect("it stands beside the others");
        let mut request = edition("fsiii", Format::Fhir, &bytes, day, day);
        request.identity = who.clone();
        w.import(request).await.unwrap_or_else(|r| panic!("{day}: {r:?}"));
    }
    // On every day of an edition as many are published as it has, and the whole of it can be had in pages.
    for (day, count) in editions {
        let answer = w.get(&format!("{K}?publiceret=Publiceret&virkningstid={day}")).await.ok();
        assert_eq!(answer.header("x-total-count"), count.to_string(), "{day}");
        let all: BTreeSet<String> = answer.json()["results"][0]
            .as_array()
            .expect("a list")
            .iter()
            .map(|u| u.as_str().expect("a uuid").to_owned())
            .collect();
        assert_eq!(all.len(), count);
        let mut paged = BTreeSet::new();
        for first in (0..count).step_by(100) {
            let page = format!(
                "{K}?list=1&virkningstid={day}&publiceret=Publiceret&foersteresultat={first}&maximalantalresultater=100"
            );
            let page = w.json(&page).await;
            let ids = page["results"][0].as_array().expect("a page").iter();
            paged.extend(ids.map(|o| o["id"].as_str().expect("an id").to_owned()));
        }
        assert_eq!(paged, all, "{day}");
        // Each is the concept that our own interface tells.
        let own = w.json(&format!("/api/v1/vocabularies/fsiii/concepts?limit=10000&date={day}")).await;
        let own: BTreeSet<String> = own["concepts"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|c| c["uuid"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(own, all, "{day}");
    }
    // The tree is walked by searches, and agrees with ours.
    let one = w.json("/api/v1/vocabularies/fsiii/concepts/J1").await;
    let uuid = one["uuid"].as_str().expect("a uuid");
    let below = w.json("/api/v1/vocabularies/fsiii/concepts/J1/children").await;
    let below: BTreeSet<&str> =
        below["concepts"].as_array().expect("a list").iter().map(|c| c["uuid"].as_str().unwrap()).collect();
    let children = w.json(&format!("{K}?overordnetklasse={uuid}")).await;
    let children: BTreeSet<&str> =
        children["results"][0].as_array().expect("a list").iter().map(|u| u.as_str().unwrap()).collect();
    assert!(!children.is_empty());
    assert_eq!(children, below);
    // Everything of all times is valid XML.
    let uri = format!("{K}?list=1&virkningFra=-infinity&registreretFra=-infinity");
    let all = w.ask("GET", &uri, &[("accept", "application/xml")]).await.ok();
    assert_valid(&[all], "Klasse");
}

/// The frame is lawful: what the tests tell is what the registry has.
#[test]
fn the_frame_is_lawful() {
    assert!(Vocabulary::new(frame()).is_ok());
}
