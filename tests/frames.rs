//! What is pinned stays, also when the frame of the vocabulary is changed: its title, licence and facets are then those of
//! when it was registered.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use begreb::exchange::Format;
use begreb::model::{Code, Governance};
use common::crew::vocabulary;
use common::{Answer, World, edition, on_every_database, operator};
use serde_json::json;

const FIRST: &str = "notation,preferred.da,definition.da\nA,a,om a\nB,b,om b\n";
const SECOND: &str = "notation,preferred.da,definition.da\nA,a,om a\nB,bedre b,om b\n";

/// Says otherwise of everything in the frame that can be said otherwise.
async fn reframe(w: &World, title: &str) {
    let frame = json!({
        "titles": [{ "language": "da", "text": title }],
        "descriptions": [{ "language": "da", "text": format!("om {title}") }],
        "licence": format!("https://example.dk/licence/{}", title.len()),
        "owner": title, "kind": "codeList", "governance": "direct", "languages": ["da", "en"],
        "facets": [{ "code": "slags", "titles": [{ "language": "da", "text": title }] }],
    });
    let request = serde_json::from_value(frame).expect("a frame");
    w.registry.put_frame(&operator(), "proeve".parse().expect("a slug"), request).await.expect("it is lawful");
}

/// Everything that says of itself that it never changes, and what it was.
async fn pinned(w: &World, label: &str, registered: &str) -> Vec<(String, Answer)> {
    let at = [format!("version={label}"), format!("date=2024-06-01&registered={}", common::encoded(registered))];
    let mut addresses = Vec::new();
    for at in &at {
        for format in Format::WRITTEN.map(Format::name) {
            addresses.push(format!("/api/v1/vocabularies/proeve/export?format={format}&{at}"));
        }
        addresses.push(format!("/api/v1/vocabularies/proeve/concepts/A?{at}"));
        addresses.push(format!("/api/v1/vocabularies/proeve/concepts?{at}"));
    }
    for format in ["json", "ttl", "oioxml"] {
        addresses.push(format!("/id/proeve/versions/{label}/A?format={format}"));
    }
    addresses.push(format!("/id/proeve/versions/{label}?format=ttl"));
    let mut answers = Vec::new();
    for address in addresses {
        let answer = w.get(&address).await.ok();
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable", "{address}");
        answers.push((address, answer));
    }
    answers
}

#[tokio::test]
async fn what_is_sent_as_immutable_is_the_same_after_the_frame_was_changed() {
    on_every_database(async |w| {
        vocabulary(&w, "proeve", Governance::Direct, FIRST).await;
        w.clock.set("2026-11-23T08:00:00Z");
        reframe(&w, "Den første titel").await;
        w.clock.set("2026-11-23T09:00:00Z");
        w.import(edition("proeve", Format::Csv, SECOND.as_bytes(), "2", "2024-01-01")).await.expect("it is lawful");
        w.clock.set("2026-11-23T10:00:00Z");
        let before = pinned(&w, "2", "2026-11-23T09:00:00Z").await;
        let ttl = before.iter().find(|(a, _)| a.contains("format=ttl")).expect("Turtle");
        assert!(ttl.1.text().contains("Den første titel"), "{}", ttl.1.text());
        let graph = "SELECT ?t WHERE { GRAPH <http://127.0.0.1:8080/id/proeve/versions/2> { ?s <http://purl.org/dc/terms/title> ?t } }";
        let ask = format!("/sparql?query={}", common::encoded(graph));
        let found = w.json(&ask).await;

        reframe(&w, "En helt anden titel").await;
        // The same node, another node, and one that was opened later.
        let beside = w.beside().await;
        for node in [&w, &beside] {
            for (address, was) in &before {
                let is = node.get(address).await.ok();
                assert_eq!(is.text(), was.text(), "{address}");
                for header in ["etag", "content-digest"] {
                    assert_eq!(is.header(header), was.header(header), "{address} {header}");
                }
                let known = node.ask("GET", address, &[("if-none-match", &was.header("etag"))]).await;
                assert_eq!(known.status, 304, "{address}");
            }
            assert_eq!(node.json(&ask).await, found, "the graph of a version is that of its export");
        }
        // What is in force now has the frame of now; a version that comes later has it for ever.
        let now = w.get("/api/v1/vocabularies/proeve/export?format=ttl").await.ok();
        assert!(now.text().contains("En helt anden titel") && !now.text().contains("Den første titel"));
        assert_eq!(now.header("cache-control"), "public, no-cache");
        w.clock.set("2026-11-23T11:00:00Z");
        w.import(edition("proeve", Format::Csv, FIRST.as_bytes(), "3", "2025-01-01")).await.expect("it is lawful");
        reframe(&w, "Den sidste titel").await;
        let third = w.get("/api/v1/vocabularies/proeve/export?format=ttl&version=3").await.ok().text();
        assert!(third.contains("En helt anden titel"), "{third}");
        // The first version has what the frame was when it was published, before it was ever changed.
        let first = w.get("/api/v1/vocabularies/proeve/export?format=json&version=1").await.ok().text();
        assert!(!first.contains("titel"), "{first}");
        w.registry.verify().await.expect("whole");
    })
    .await;
}

#[tokio::test]
async fn a_page_of_the_event_stream_stays_after_the_frame_was_changed() {
    on_every_database(async |w| {
        let mut file = FIRST.to_owned();
        (0..300).for_each(|n| file.push_str(&format!("X{n},nummer {n},et tal\n")));
        vocabulary(&w, "proeve", Governance::Direct, &file).await;
        let first = w.get("/ldes/proeve").await.ok();
        assert_eq!(first.header("cache-control"), "public, max-age=31536000, immutable");
        w.clock.set("2026-11-23T08:00:00Z");
        reframe(&w, "En anden titel").await;
        assert_eq!(w.get("/ldes/proeve").await.ok().text(), first.text());
        assert_eq!(w.beside().await.get("/ldes/proeve").await.ok().text(), first.text());
    })
    .await;
}

#[tokio::test]
async fn the_code_of_a_deleted_facet_is_given_to_no_other() {
    on_every_database(async |w| {
        vocabulary(&w, "proeve", Governance::Direct, FIRST).await;
        let put = async |facets: serde_json::Value| {
            let frame = json!({
                "titles": [{ "language": "da", "text": "Prøve" }], "kind": "codeList", "governance": "direct",
                "languages": ["da"], "facets": facets,
            });
            let request = serde_json::from_value(frame).expect("a frame");
            w.registry.put_frame(&operator(), "proeve".parse().expect("a slug"), request).await
        };
        let facet = |code: &str, uuid: Option<uuid::Uuid>| {
            json!({ "code": code, "uuid": uuid, "titles": [{ "language": "da", "text": code }] })
        };
        let [one, other] = [1, 2].map(uuid::Uuid::from_u128);
        put(json!([facet("slags", Some(one)), facet("form", None)])).await.expect("it is lawful");
        // In the act that deletes it, and after.
        let taken = put(json!([facet("slags", Some(other)), facet("form", None)])).await.expect_err("it is refused");
        assert_eq!((taken.code, taken.allowed), (Code::Immutable, vec![one.to_string()]));
        put(json!([facet("form", None)])).await.expect("it is deleted");
        let taken = put(json!([facet("slags", Some(other)), facet("form", None)])).await.expect_err("it is refused");
        assert_eq!(taken.code, Code::Immutable);
        put(json!([facet("slags", None), facet("form", None)])).await.expect("it comes again");
    })
    .await;
}
