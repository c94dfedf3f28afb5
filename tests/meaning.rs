//! Whether another definition is another meaning: said by those who write a draft, and told wherever changes are told.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use begreb::exchange::Format;
use begreb::model::{Governance, Meaning, Role};
use common::crew::{Person, person, vocabulary};
use common::{Answer, World, edition, on_every_database};
use serde_json::{Value, json};

const FIRST: &str = "notation,preferred.da,definition.da\nA,a,om a\nB,b,om b\nC,c,om c\nD,d,om d\n";

/// What is said of a concept from now on, with what is said of its meaning.
async fn put(w: &World, who: &Person, draft: &str, key: &str, definition: &str, meaning: &str) -> Answer {
    let at = format!("/api/v1/drafts/{draft}/concepts/{key}");
    let tag = who.ask(w, "GET", &at, &Value::Null, &[]).await.ok().header("etag");
    let content = json!({ "notation": key, "terms": [{ "language": "da", "value": key.to_lowercase(), "status": "preferred" }],
        "definitions": [{ "language": "da", "text": definition }] });
    let meaning = if meaning.is_empty() { String::new() } else { format!("&meaning={meaning}") };
    who.ask(w, "PUT", &format!("{at}?reason=r{meaning}"), &content, &[("if-match", &tag)]).await
}

async fn open(w: &World, who: &Person) -> String {
    let draft =
        who.send(w, "POST", "/drafts", json!({ "vocabulary": "ord", "title": "Udgave" })).await.with(201).json();
    draft["uuid"].as_str().expect("a uuid").to_owned()
}

async fn publish(w: &World, who: &Person, draft: &str, version: &str, effective: &str) {
    let body = json!({ "version": version, "effective": effective });
    who.send(w, "POST", &format!("/drafts/{draft}/publication"), body).await.with(201);
}

/// What is said of the meaning of each concept, by its notation; `-` where nothing is.
fn said<'v>(changes: impl IntoIterator<Item = &'v Value>) -> Vec<String> {
    let one = |c: &Value| {
        let side = c.get("after").or(c.get("before")).map_or("?", |s| s["notation"].as_str().unwrap_or("?"));
        format!("{side} {}", c["meaning"].as_str().unwrap_or("-"))
    };
    let mut said: Vec<String> = changes.into_iter().map(one).collect();
    said.sort();
    said
}

/// What the events of a type say.
async fn events(w: &World, query: &str) -> Vec<String> {
    let answer = w.json(&format!("/api/v1/changes?after=0&limit=1000{query}")).await;
    let events = answer["events"].as_array().expect("events").clone();
    said(events.iter().filter_map(|e| e.get("concept")).filter(|c| c["kinds"] == json!(["redefined"])))
}

async fn between(w: &World, from: &str, to: &str) -> Vec<String> {
    let answer = w.json(&format!("/api/v1/vocabularies/ord/changes?from={from}&to={to}")).await;
    said(answer["changes"].as_array().expect("changes"))
}

#[tokio::test]
async fn what_a_group_says_of_a_meaning_is_told_everywhere() {
    on_every_database(async |mut w| {
        vocabulary(&w, "ord", Governance::Direct, FIRST).await;
        let mut bo = person(&w, "Bo", &[Role::Contributor, Role::Publisher]).await;
        let draft = open(&w, &bo).await;
        let a = put(&w, &bo, &draft, "A", "om  et a, sagt bedre", "kept").await.ok().json();
        assert_eq!((&a["meaning"], &a["kinds"]), (&json!("kept"), &json!(["redefined"])));
        put(&w, &bo, &draft, "B", "om noget helt andet", "changed").await.ok();
        put(&w, &bo, &draft, "C", "om c igen", "").await.ok();
        assert_eq!(put(&w, &bo, &draft, "D", "om d", "kept").await.with(422).json()["where"]["field"], "meaning");
        let diff = bo.get(&w, &format!("/drafts/{draft}/diff?from=base&to=now")).await.ok().json();
        assert_eq!(said(diff["concepts"].as_array().expect("concepts")), ["A kept", "B changed", "C -"]);
        let page = bo.read(&w, &format!("/drafts/{draft}")).await.ok().text();
        assert!(page.contains("ny definition (samme betydning)") && page.contains("ny definition (anden betydning)"));
        let edits = bo.read(&w, &format!("/drafts/{draft}/edits")).await.ok().text();
        assert!(edits.contains("Definitionen: samme betydning") && edits.contains("Definitionen: anden betydning"));
        publish(&w, &bo, &draft, "2", "2027-01-01").await;

        let stated = ["A kept", "B changed", "C -"];
        assert_eq!(events(&w, "&type=concept.stated").await, stated);
        assert_eq!(between(&w, "1", "2").await, stated);
        assert_eq!(between(&w, "2", "1").await, stated, "backwards too");
        let atom = w.get("/api/v1/changes.atom?kind=redefined").await.ok().text();
        assert!(atom.contains("ny definition (samme betydning)"), "{atom}");
        let stream = w.get("/ldes/ord?format=nt").await.ok().text();
        for said in ["kept", "changed"] {
            let one = format!("<https://begreb.dk/ns#meaning> \"{said}\"");
            assert_eq!(stream.lines().filter(|line| line.contains(&one)).count(), 1, "{said}: {stream}");
        }
        // The page of a code set tells the kinds, and the definition before and after.
        let set = json!({ "name": "Sager", "vocabulary": "ord", "codes": ["A"] });
        let set = bo.send(&w, "POST", "/code-sets", set).await.with(201).json();
        let set = set["usage"]["uuid"].as_str().expect("a uuid").to_owned();
        let page = bo.read(&w, &format!("/code-sets/{set}")).await.ok().text();
        for part in ["ny definition (samme betydning)", "Før:</span> om a", "Efter:</span> om", ">A a</a>"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("A a → A a"), "{page}");
        let file = json!([{ "system": "ord", "code": "A" }, { "system": "ord", "code": "B" }]);
        let checked = w.post("/api/v1/check", file.to_string()).await.ok();
        let ahead = |n: usize| checked.json()["codes"][n]["ahead"][0]["meaning"].clone();
        assert_eq!((ahead(0), ahead(1)), (json!("kept"), json!("changed")));
        let map = w.get("/api/v1/vocabularies/ord/migration?from=1&to=2&format=csv").await.ok().text();
        let row =
            |code: &str| map.lines().find(|l| l.starts_with(code)).map(|l| l.split(',').nth(5).map(str::to_owned));
        assert_eq!((row("A,"), row("C,")), (Some(Some("kept".into())), Some(Some(String::new()))), "{map}");
        let sssom = w.get("/api/v1/vocabularies/ord/migration?from=1&to=2&format=sssom").await.ok().text();
        let row =
            |label: &str| sssom.lines().find(|l| l.split('\t').nth(1) == Some(label)).unwrap_or_default().to_owned();
        assert!(row("a").contains("skos:exactMatch") && row("a").contains("redefined; meaning kept"), "{sssom}");
        assert!(row("b").contains("skos:closeMatch") && row("b").contains("redefined; meaning changed"), "{sssom}");

        // When the day comes it is told again, also by a node that has read the log anew.
        w.clock.set("2027-01-02T12:00:00Z");
        w.registry.tick().await.expect("it works");
        w.restart().await;
        assert_eq!(events(&w, "&type=concept.effective").await, stated);

        // Over several versions: one that changed the meaning is enough, and of what was left unsaid nothing is told.
        bo.sign_in(&w, "Bo").await;
        let draft = open(&w, &bo).await;
        put(&w, &bo, &draft, "A", "om et a", "kept").await.ok();
        put(&w, &bo, &draft, "B", "om noget helt, helt andet", "kept").await.ok();
        put(&w, &bo, &draft, "C", "om c nok en gang", "kept").await.ok();
        publish(&w, &bo, &draft, "3", "2027-06-01").await;
        assert_eq!(between(&w, "2", "3").await, ["A kept", "B kept", "C kept"]);
        assert_eq!(between(&w, "1", "3").await, ["A kept", "B changed", "C -"]);

        // A file that is published without a draft says it of all, and a correction of the same day counts too.
        let file = "notation,preferred.da,definition.da\nA,a,om noget nyt\nB,b,om b2\nC,c,om c nok en gang\nD,d,om d\n";
        let mut request = edition("ord", Format::Csv, file.as_bytes(), "4", "2027-06-01");
        request.meaning = Some(Meaning::Changed);
        w.import(request).await.expect("it is lawful");
        assert_eq!(between(&w, "3", "4").await, ["A changed", "B changed"]);
        assert_eq!(between(&w, "2", "4").await, ["A changed", "B changed", "C kept"]);
        w.registry.verify().await.expect("the log and what lies on disk agree");
    })
    .await;
}

#[tokio::test]
async fn what_is_said_stands_for_the_words_that_it_was_said_of() {
    on_every_database(async |w| {
        vocabulary(&w, "ord", Governance::Direct, FIRST).await;
        let bo = person(&w, "Bo", &[Role::Contributor, Role::Publisher]).await;
        let draft = open(&w, &bo).await;
        let meaning = async |w: &World, key: &str| {
            bo.get(w, &format!("/drafts/{draft}/concepts/{key}")).await.ok().json()["meaning"].clone()
        };
        put(&w, &bo, &draft, "A", "bedre om a", "kept").await.ok();
        put(&w, &bo, &draft, "A", "noget andet om a", "").await.ok();
        assert_eq!(meaning(&w, "A").await, Value::Null, "nobody said it of these words");
        put(&w, &bo, &draft, "A", "noget andet om a", "changed").await.ok();
        assert_eq!(meaning(&w, "A").await, json!("changed"), "the meaning may be said after the words");
        put(&w, &bo, &draft, "A", "noget ganske andet om a", "").await.ok();
        assert_eq!(meaning(&w, "A").await, json!("changed"), "what was said last stands");
        put(&w, &bo, &draft, "A", "om a", "").await.ok();
        assert_eq!(meaning(&w, "A").await, Value::Null, "it is not redefined any more");
        // Taken back, it is as it was said before.
        bo.send(&w, "POST", &format!("/drafts/{draft}/edits/5/undo"), json!({ "reason": "nej" })).await.with(201);
        assert_eq!(meaning(&w, "A").await, json!("changed"));
        for (bad, status) in [("maaske", 400), ("kept&meaning=kept", 400)] {
            put(&w, &bo, &draft, "A", "om a nu", bad).await.with(status);
        }
        let operation = json!({ "kind": "retire", "concepts": ["B"], "reason": "r", "meaning": "kept" });
        bo.send(&w, "POST", &format!("/drafts/{draft}/edits"), operation).await.with(422);
        // On the page, beside the words.
        let page = bo.read(&w, &format!("/drafts/{draft}/concepts/A")).await.ok().text();
        assert!(page.contains("som sagt: anden betydning"), "{page}");
    })
    .await;
}
