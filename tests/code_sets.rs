//! Code sets and the register of use through the front door: what a system is told of its own codes and nothing else, and
//! what a group is told before it changes a concept.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use axum::body::Body;
use axum::http::Request;
use begreb::exchange::Format;
use begreb::model::{EventFilter, Governance, Role};
use begreb::registry::Registry;
use begreb::store::Store;
use common::crew::{Person, govern, member, person, vocabulary};
use common::{Answer, Folder, World, edition, on_every_database, operator};
use serde_json::{Value, json};
use uuid::Uuid;

const FIRST: &str = "notation,preferred.da,replaces\nA,a,\nB,b,\nC,c,\nD,d,\nE,e,\n";
/// B is renamed, C gone for X.
const SECOND: &str = "notation,preferred.da,replaces\nA,a,\nB,bedre b,\nX,x,C\nD,d,\nE,e,\n";

async fn publish(w: &World, label: &str, effective: &str, csv: &str) {
    let mut request = edition("koder", Format::Csv, csv.as_bytes(), label, effective);
    request.accept_new = true;
    w.import(request).await.expect("it is lawful");
}

async fn made(w: &World, who: &Person, body: Value) -> String {
    let answer = who.send(w, "POST", "/code-sets", body).await.with(201);
    let uuid = answer.json()["usage"]["uuid"].as_str().expect("a uuid").to_owned();
    assert_eq!(answer.header("location"), format!("/api/v1/code-sets/{uuid}"));
    uuid
}

/// The day, the codes and the kinds of tasks.
fn told(tasks: &Value, list: &str) -> Vec<String> {
    let one = |t: &Value| {
        let words = |v: &Value| {
            let all = v.as_array().into_iter().flatten();
            all.filter_map(|x| x.as_str().or(x["notation"].as_str())).collect::<Vec<_>>().join("+")
        };
        let day = &t["on"].as_str().expect("a day")[..10];
        format!("{day} {} {} {}", words(&t["codes"]), words(&t["kinds"]), words(&t["replacedBy"])).trim_end().to_owned()
    };
    tasks[list].as_array().expect("a list").iter().map(one).collect()
}

async fn tasks(w: &World, who: &Person, set: &str, query: &str) -> Value {
    who.get(w, &format!("/code-sets/{set}/tasks{query}")).await.ok().json()
}

#[tokio::test]
async fn a_system_is_told_what_it_must_do_and_before_when() {
    on_every_database(async |mut w| {
        vocabulary(&w, "koder", Governance::Direct, FIRST).await;
        let mut anne = person(&w, "Anne", &[]).await;
        let codes = json!(["A", "B", { "vocabulary": "koder", "code": "C" }, "b", "Q"]);
        let body = json!({ "name": "Sagssystemet", "vocabulary": "koder", "codes": codes });
        let set = made(&w, &anne, body).await;
        let first = tasks(&w, &anne, &set, "").await;
        assert_eq!((told(&first, "coming"), told(&first, "past")), (vec![], vec![]));
        let unresolved: Vec<&str> =
            first["unresolved"].as_array().expect("a list").iter().filter_map(|c| c["code"].as_str()).collect();
        assert_eq!(unresolved, ["Q", "b"]);

        publish(&w, "2", "2027-01-01", SECOND).await;
        let coming = ["2027-01-01 B renamed", "2027-01-01 C replaced X"];
        let ahead = tasks(&w, &anne, &set, "").await;
        assert_eq!((told(&ahead, "coming"), told(&ahead, "past")), (coming.map(String::from).to_vec(), vec![]));
        assert_eq!((&ahead["coming"][1]["version"], &ahead["coming"][1]["acknowledged"]), (&json!("2"), &json!(false)));
        assert_eq!(told(&tasks(&w, &anne, &set, "?before=2026-12-31").await, "coming"), Vec::<String>::new());
        // Whoever asks what to do before the day of a version means what begins with it.
        assert_eq!(told(&tasks(&w, &anne, &set, "?before=2027-01-01").await, "coming").len(), 2);

        // Acknowledged while it lies ahead, it is still to come, and once it has come it is told once more.
        let acknowledge = async |w: &World, anne: &Person, position: &Value| {
            anne.send(w, "POST", &format!("/code-sets/{set}/acknowledge"), json!({ "position": position })).await
        };
        acknowledge(&w, &anne, &ahead["position"]).await.ok();
        let seen = tasks(&w, &anne, &set, "").await;
        assert_eq!((told(&seen, "coming").len(), &seen["coming"][0]["acknowledged"]), (2, &json!(true)));
        w.clock.set("2027-01-04T12:00:00Z");
        w.registry.tick().await.expect("it works");
        anne.sign_in(&w, "Anne").await;
        let due = tasks(&w, &anne, &set, "").await;
        assert_eq!((told(&due, "coming"), told(&due, "past")), (vec![], coming.map(String::from).to_vec()));
        acknowledge(&w, &anne, &json!(99_999)).await.with(400);
        acknowledge(&w, &anne, &due["position"]).await.ok();
        acknowledge(&w, &anne, &json!(0)).await.ok();
        w.restart().await;
        assert_eq!(told(&tasks(&w, &anne, &set, "").await, "past"), Vec::<String>::new());

        // A code that was retired already when it was put in must not be used: that is told, also after an acknowledgement.
        let uri = format!("/code-sets/{set}/codes?vocabulary=koder");
        let again = anne.send(&w, "PUT", &uri, json!(["A", "C", "X"])).await.ok().json();
        assert_eq!(
            (&again["codes"], &again["unresolved"], &again["counts"]),
            (&json!(3), &json!(0), &json!({"inForce": 2, "retired": 1}))
        );
        assert_eq!(again["attention"][0]["replacedBy"][0]["notation"], "X");
        let added = anne.send(&w, "POST", &uri, json!(["D"])).await.ok().json();
        assert_eq!(added["codes"], 4);
        let other = json!({ "name": "Et andet", "vocabulary": "koder", "codes": ["C", "B"] });
        let other = made(&w, &anne, other).await;
        assert_eq!(told(&tasks(&w, &anne, &other, "").await, "past"), ["2027-01-01 C replaced X"]);
        w.registry.verify().await.expect("the log agrees");
    })
    .await;
}

#[tokio::test]
async fn events_are_those_of_its_codes_and_of_what_replaces_them() {
    on_every_database(async |w| {
        vocabulary(&w, "koder", Governance::Direct, FIRST).await;
        let anne = person(&w, "Anne", &[]).await;
        let set = made(&w, &anne, json!({ "name": "S", "vocabulary": "koder", "codes": ["C"] })).await;
        let empty = made(&w, &anne, json!({ "name": "Tomt" })).await;
        let from = w.position().await;
        publish(&w, "2", "2026-11-22", SECOND).await;
        let events = async |set: &str, after: i64| {
            anne.get(&w, &format!("/code-sets/{set}/events?after={after}")).await.ok().json()
        };
        let touched = |answer: &Value| -> Vec<String> {
            let all = answer["events"].as_array().expect("events").iter();
            all.map(|e| {
                let side = |s: &str| e["concept"][s]["notation"].as_str().unwrap_or("").to_owned();
                side("before") + ">" + &side("after")
            })
            .collect()
        };
        let answer = events(&set, from).await;
        let mut found = touched(&answer);
        found.sort();
        assert_eq!(found, [">X", "C>"]);
        assert_eq!(answer["position"], answer["head"]);
        assert_eq!(touched(&events(&empty, 0).await), Vec::<String>::new(), "an empty set asks for nothing");

        // The filter follows the set and what replaces its codes.
        let uuid: Uuid = set.parse().expect("a uuid");
        let filter = w.registry.codeset_filter(uuid).expect("it is there");
        assert!(std::sync::Arc::ptr_eq(&filter, &w.registry.codeset_filter(uuid).expect("it is kept")));
        assert_eq!(filter.concepts.len(), 3, "C, X and nil");
        publish(&w, "3", "2026-11-23", &SECOND.replace("X,x,C", "Y,y,C|X")).await;
        assert_eq!(w.registry.codeset_filter(uuid).expect("it is there").concepts.len(), 4);
        anne.send(&w, "POST", &format!("/code-sets/{set}/codes?vocabulary=koder"), json!(["A"])).await.ok();
        assert_eq!(w.registry.codeset_filter(uuid).expect("it is there").concepts.len(), 5);
        anne.send(&w, "POST", &format!("/code-sets/{set}/codes/remove?vocabulary=koder"), json!(["A", "C"])).await.ok();
        assert_eq!(w.registry.codeset_filter(uuid).expect("it is there").concepts, [Uuid::nil()].into());
        assert!(
            !w.registry
                .codeset_filter(uuid)
                .expect("it is there")
                .wants(&w.registry.events(0, 1, &EventFilter::default()).await.expect("it answers").events[0])
        );
        anne.send(&w, "DELETE", &format!("/code-sets/{set}"), Value::Null).await.with(204);
        w.registry.codeset_filter(uuid).expect_err("it has ended");
    })
    .await;
}

#[tokio::test]
async fn a_set_is_its_keepers_alone() {
    on_every_database(async |w| {
        vocabulary(&w, "koder", Governance::Direct, FIRST).await;
        let (anne, bo) = (member(&w, "Anne", "By", &[]).await, person(&w, "Bo", &[Role::Secretary]).await);
        let (admin, nobody) = (person(&w, "Ida", &[Role::Administrator]).await, Person::default());
        let set = made(
            &w,
            &anne,
            json!({ "name": "Hemmeligt", "contact": "Anne Ærlig", "vocabulary": "koder", "codes": ["A"] }),
        )
        .await;
        assert_eq!(anne.get(&w, &format!("/code-sets/{set}")).await.ok().json()["contact"], "Anne Ærlig");
        for (method, path, body) in [
            ("GET", "", Value::Null),
            ("PATCH", "", json!({ "name": "Mit" })),
            ("DELETE", "", Value::Null),
            ("GET", "/codes", Value::Null),
            ("PUT", "/codes", json!(["A"])),
            ("POST", "/codes", json!(["A"])),
            ("POST", "/codes/remove", json!(["A"])),
            ("GET", "/tasks", Value::Null),
            ("GET", "/events", Value::Null),
            ("POST", "/acknowledge", json!({ "position": 0 })),
        ] {
            let uri = format!("/code-sets/{set}{path}");
            nobody.send(&w, method, &uri, body.clone()).await.with(401);
            bo.send(&w, method, &uri, body).await.with(404);
        }
        assert_eq!(bo.get(&w, "/code-sets").await.ok().json(), json!([]));
        assert_eq!(admin.get(&w, "/code-sets").await.ok().json()[0]["name"], "Hemmeligt");
        // The log knows no names.
        for change in Store::open(&w.address).await.expect("it opens").changes(0, 10_000).await.expect("it is read") {
            assert!(!change.body.contains("Hemmeligt") && !change.body.contains("Ærlig"), "{}", change.body);
        }
        // Whom to ask is gone with the person.
        w.registry.erase_account(&operator(), anne.uuid).await.expect("she can go");
        assert_eq!(admin.get(&w, &format!("/code-sets/{set}")).await.ok().json().get("contact"), None);
        admin.send(&w, "DELETE", &format!("/code-sets/{set}"), Value::Null).await.with(204);
        w.registry.verify().await.expect("the log agrees");
    })
    .await;
}

#[tokio::test]
async fn a_list_is_taken_as_a_table_and_kept_as_it_was_given() {
    on_every_database(async |w| {
        vocabulary(&w, "koder", Governance::Direct, FIRST).await;
        let anne = person(&w, "Anne", &[]).await;
        let set = made(&w, &anne, json!({ "name": "S" })).await;
        let put = async |body: String| -> Answer {
            let request = Request::put(format!("/api/v1/code-sets/{set}/codes")).header("content-type", "text/csv");
            let request = request.header("cookie", anne.cookie()).header("origin", "http://127.0.0.1:8080");
            w.send(request.body(Body::from(body)).expect("a request")).await
        };
        let answer = put("system;kode\nkoder;A\nkoder;A\nkoder;9\nukendt;A\n;B\n".into()).await.ok().json();
        assert_eq!((&answer["codes"], &answer["unresolved"]), (&json!(4), &json!(2)));
        let lines: Vec<_> =
            answer["attention"].as_array().expect("a list").iter().map(|c| (&c["line"], &c["verdict"])).collect();
        assert_eq!(lines, [(&json!(4), &json!("neverExisted")), (&json!(5), &json!("unknownVocabulary"))]);
        put("system,navn\nkoder,A\n".into()).await.with(422);
        put(format!("kode\n{}", "A\n".repeat(100_001))).await.with(413);
        put("\u{fffe}\0".into()).await.with(400);
        let kept = anne.get(&w, &format!("/code-sets/{set}/codes?limit=3")).await.ok();
        assert_eq!((kept.json().as_array().map(Vec::len), kept.header("x-total-count")), (Some(3), "4".into()));

        // A large set is one transaction, and so is a small change to it.
        let large: String = (0..20_000).map(|n| format!("koder;K{n}\n")).collect();
        assert_eq!(put(format!("system;kode\n{large}")).await.ok().json()["unresolved"], 20_000);
        let body = json!(["koder", "A"]);
        anne.send(&w, "POST", &format!("/code-sets/{set}/codes"), body).await.ok();
        let whole = w.registry.verify().await.expect("the log agrees");

        // A backup holds it all.
        let mut bytes = Vec::new();
        w.registry.backup(&mut bytes).await.expect("it is written");
        let folder = Folder::new();
        let store = Store::open(&format!("sqlite:{}", folder.path().join("b.db").display())).await.expect("it opens");
        store.restore(&bytes[..]).await.expect("it is whole");
        let restored = Registry::open(store, w.clock.clone(), Default::default()).await.expect("it opens");
        assert_eq!(restored.verify().await.expect("the log agrees"), whole);
        let uuid: Uuid = set.parse().expect("a uuid");
        let there = restored.snapshot().usages.get(uuid).cloned();
        assert_eq!(there, w.registry.snapshot().usages.get(uuid).cloned());
        assert!(there.is_some());
        restored.close().await;
    })
    .await;
}

#[tokio::test]
async fn those_who_change_a_concept_see_who_uses_it() {
    on_every_database(async |w| {
        vocabulary(&w, "koder", Governance::Direct, FIRST).await;
        govern(&w, "koder", Governance::Hearing, false).await;
        let (anne, secretary) = (member(&w, "Anne", "Aarhus", &[]).await, person(&w, "Sif", &[Role::Secretary]).await);
        for (name, visibility) in [("Åbent", "public"), ("For grupper", "makers"), ("Skjult", "hidden")] {
            made(&w, &anne, json!({ "name": name, "visibility": visibility, "vocabulary": "koder", "codes": ["A", "B"] })).await;
        }
        let law = json!({ "kind": "law", "name": "Serviceloven § 83", "link": "https://www.retsinformation.dk/x", "vocabulary": "koder", "codes": ["A"] });
        let law = anne.send(&w, "POST", "/usages", law).await.with(201).json()["usage"]["uuid"].as_str().expect("one").to_owned();
        let bad = json!({ "name": "x", "vocabulary": "koder", "codes": ["A", "findes-ikke"] });
        let refused = anne.send(&w, "POST", "/usages", bad).await.with(422).json();
        assert_eq!((&refused["code"], &refused["items"][0]), (&json!("unknown-target"), &json!("2: findes-ikke")));
        anne.send(&w, "POST", "/usages", json!({ "name": "x", "link": "javascript:alert(1)" })).await.with(400);

        let names = |v: &Value| -> Vec<String> {
            v["usages"].as_array().expect("usages").iter().filter_map(|u| Some(u["name"].as_str()?.to_owned())).collect()
        };
        let of = "/vocabularies/koder/concepts/A/usages";
        let open = w.json(&format!("/api/v1{of}")).await;
        assert_eq!((names(&open), open.get("hidden")), (vec!["Åbent".into(), "Serviceloven § 83".into()], None));
        assert_eq!(anne.get(&w, of).await.ok().json(), open);
        let makers = secretary.get(&w, of).await.ok().json();
        assert_eq!(names(&makers), ["For grupper", "Åbent", "Serviceloven § 83"]);
        assert_eq!((&makers["hidden"], &makers["counts"]), (&json!(1), &json!({ "system": 2, "law": 1 })));
        let page = w.ask("GET", "/id/koder/A", &[("accept", "text/html")]).await.ok().text();
        assert!(page.contains("Serviceloven § 83") && page.contains("Åbent") && !page.contains("For grupper"), "{page}");

        let opened = secretary.send(&w, "POST", "/drafts", json!({ "vocabulary": "koder", "title": "Ændringer" })).await.with(201).json();
        let draft = opened["uuid"].as_str().expect("a draft");
        assert_eq!(secretary.get(&w, &format!("/drafts/{draft}/usages")).await.ok().json(), json!([]));
        let retire = [("if-match", "*")];
        for key in ["A", "C"] {
            let uri = format!("/api/v1/drafts/{draft}/concepts/{key}?reason=bruges+ikke");
            let answer = secretary.ask(&w, "DELETE", &uri, &Value::Null, &retire).await;
            assert!(answer.status < 300, "{}", answer.text());
        }
        let used = secretary.get(&w, &format!("/drafts/{draft}/usages")).await.ok().json();
        assert_eq!(used.as_array().map(Vec::len), Some(1), "nothing uses C: {used}");
        assert_eq!((&used[0]["before"]["notation"], &used[0]["kinds"], names(&used[0]).len(), &used[0]["hidden"]), (&json!("A"), &json!(["retired"]), 3, &json!(1)));
        anne.get(&w, &format!("/drafts/{draft}/usages")).await.with(403);
        anne.send(&w, "DELETE", &format!("/usages/{law}"), Value::Null).await.with(204);
        assert_eq!(names(&w.json(&format!("/api/v1{of}")).await), ["Åbent"]);
        w.registry.verify().await.expect("the log agrees");
    })
    .await;
}

#[tokio::test]
async fn an_organisation_answers_for_what_everybody_sees_and_who_publishes_may_hide_it() {
    on_every_database(async |w| {
        vocabulary(&w, "koder", Governance::Direct, FIRST).await;
        let (anne, alone) = (member(&w, "Anne", "Aarhus", &[]).await, person(&w, "Bo", &[]).await);
        let (publisher, reader) =
            (person(&w, "Pia", &[Role::Publisher]).await, person(&w, "Rie", &[Role::Reader]).await);
        let of = "/vocabularies/koder/concepts/A/usages";
        let body = json!({ "name": "Skema", "kind": "form", "vocabulary": "koder", "codes": ["A"] });

        // Nobody answers for what an account without an organisation declares.
        let mut loud = body.clone();
        loud["visibility"] = json!("public");
        let refused = alone.send(&w, "POST", "/usages", loud.clone()).await.with(403).json();
        assert_eq!(
            (&refused["where"]["field"], &refused["allowed"]),
            (&json!("visibility"), &json!(["makers", "hidden"]))
        );
        alone.send(&w, "POST", "/code-sets", loud).await.with(403);
        let own = alone.send(&w, "POST", "/usages", body.clone()).await.with(201).json()["usage"].clone();
        assert_eq!(own["visibility"], "makers");
        let own = own["uuid"].as_str().expect("a uuid");
        alone.send(&w, "PATCH", &format!("/usages/{own}"), json!({ "visibility": "public" })).await.with(403);
        assert_eq!(w.json(&format!("/api/v1{of}")).await["usages"], json!([]));

        let made = anne.send(&w, "POST", "/usages", body).await.with(201).json()["usage"].clone();
        let uuid = made["uuid"].as_str().expect("a uuid");
        let open = w.json(&format!("/api/v1{of}")).await;
        assert_eq!((&open["usages"][0]["organisation"], &open["usages"][0]["uuid"]), (&json!("Aarhus"), &json!(uuid)));
        let page = async || w.ask("GET", "/id/koder/A", &[("accept", "text/html")]).await.ok().text();
        assert!(page().await.contains("Aarhus"));

        // Who publishes hides it; the keeper and those who make versions see why.
        let hidden = format!("/vocabularies/koder/usages/{uuid}/hidden");
        let why = json!({ "reason": "reklame" });
        Person::default().send(&w, "PUT", &hidden, why.clone()).await.with(401);
        for who in [&anne, &reader] {
            who.send(&w, "PUT", &hidden, why.clone()).await.with(403);
        }
        publisher.send(&w, "PUT", &hidden, json!({ "reason": "" })).await.with(400);
        publisher.send(&w, "PUT", &format!("/vocabularies/koder/usages/{own}/hidden"), why.clone()).await.with(404);
        for _ in 0..2 {
            publisher.send(&w, "PUT", &hidden, why.clone()).await.with(204);
        }
        assert_eq!(w.json(&format!("/api/v1{of}")).await["usages"], json!([]));
        assert!(!page().await.contains("Aarhus"));
        let seen = reader.get(&w, of).await.ok().json();
        let seen: Vec<_> = seen["usages"].as_array().expect("a list").iter().map(|u| &u["hidden"]).collect();
        assert!(seen.len() == 2 && seen.contains(&&json!("reklame")), "{seen:?}");
        let kept = anne.get(&w, &format!("/usages/{uuid}")).await.ok().json();
        assert_eq!(
            (&kept["hidden"][0]["vocabulary"], &kept["hidden"][0]["reason"]),
            (&json!("koder"), &json!("reklame"))
        );
        anne.send(&w, "PATCH", &format!("/usages/{uuid}"), json!({ "name": "Andet" })).await.ok();
        let changes = Store::open(&w.address).await.expect("it opens").changes(0, 10_000).await.expect("it is read");
        assert_eq!(changes.iter().filter(|c| c.kind == "hiding.begun" && !c.body.contains("reklame")).count(), 1);
        w.registry.verify().await.expect("the log agrees");
        publisher.send(&w, "DELETE", &hidden, Value::Null).await.with(204);
        assert!(page().await.contains("Andet"));
        publisher.send(&w, "PUT", &hidden, why).await.with(204);

        // What somebody kept alone ends with the account; what is the organisation's stays.
        for who in [&anne, &alone] {
            w.registry.erase_account(&operator(), who.uuid).await.expect("they can go");
        }
        let left = reader.get(&w, of).await.ok().json();
        assert_eq!(left["usages"].as_array().map(Vec::len), Some(1), "{left}");
        w.registry.verify().await.expect("the log agrees");
    })
    .await;
}

#[tokio::test]
async fn codes_that_are_not_found_are_told_page_by_page() {
    on_every_database(async |w| {
        vocabulary(&w, "koder", Governance::Direct, FIRST).await;
        let anne = person(&w, "Anne", &[]).await;
        let codes: Vec<String> = (0..1_201).map(|n| format!("Q{n:04}")).chain(["A".into()]).collect();
        let set = made(&w, &anne, json!({ "name": "S", "vocabulary": "koder", "codes": codes })).await;
        let told = tasks(&w, &anne, &set, "").await;
        assert_eq!(
            (&told["unresolvedCount"], told["unresolved"].as_array().map(Vec::len)),
            (&json!(1_201), Some(1_000))
        );
        let uri = format!("/code-sets/{set}/codes?unresolved=true&limit=5");
        let page = anne.get(&w, &uri).await.ok();
        assert_eq!((page.header("x-total-count"), page.json().as_array().map(Vec::len)), ("1201".into(), Some(5)));
        let shown = async |uri: &str| {
            let request = Request::get(uri).header("cookie", anne.cookie()).header("accept-language", "da");
            w.send(request.body(Body::empty()).expect("a request")).await.ok().text()
        };
        let last = shown(&format!("/code-sets/{set}?unresolved=7")).await;
        assert!(last.contains("Q1200") && last.contains("1201–1201 af 1201") && !last.contains("Q1199"), "{last}");
        assert!(shown(&format!("/code-sets/{set}?unresolved=99")).await.contains("Q0000"));
        // What cannot be seen is in no code.
        let bad = anne.send(&w, "PUT", &format!("/code-sets/{set}/codes"), json!(["A", "A\u{202e}B"])).await;
        assert_eq!(bad.with(400).json()["where"]["line"], 2);
    })
    .await;
}

#[tokio::test]
async fn the_pages_work_without_scripts() {
    on_every_database(async |w| {
        vocabulary(&w, "koder", Governance::Direct, FIRST).await;
        publish(&w, "2", "2027-01-01", SECOND).await;
        assert_eq!(w.get("/code-sets").await.with(303).header("location"), "/sign-in");
        let anne = person(&w, "Anne", &[]).await;
        let page = async |method: &str, uri: &str, form: &[(&str, &str)]| {
            let body: Vec<String> = form.iter().map(|(n, v)| format!("{n}={}", common::encoded(v))).collect();
            let request = Request::builder().method(method).uri(uri).header("cookie", anne.cookie());
            let request = request.header("origin", "http://127.0.0.1:8080").header("accept-language", "da");
            w.send(request.body(Body::from(body.join("&"))).expect("a request")).await
        };
        assert!(page("GET", "/code-sets", &[]).await.ok().text().contains("Nyt kodesæt"));
        let form = [
            ("name", "Sag & <b>"),
            ("vocabulary", "koder"),
            ("codes", "A\r\nB\r\nC\r\nQ\r\n"),
            ("visibility", "makers"),
        ];
        let wrong = page("POST", "/code-sets", &[("name", "x"), ("codes", "  "), ("visibility", "makers")]).await;
        assert!(wrong.with(422).text().contains("Der er ingen koder i listen"));
        let at = page("POST", "/code-sets", &form).await.with(303).header("location");
        let text = page("GET", &at, &[]).await.ok().text();
        for part in ["Sag &#38; &#60;b&#62;", "2027-01-01", "nyt navn", "erstattet", "X x", "koder Q"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        // The pages of the concepts say the same to everybody.
        for (concept, parts) in [("B", ["Fra 2027-01-01", "nyt navn"]), ("C", ["erstattet. Brug i stedet", "X x"])] {
            let text = w.ask("GET", &format!("/id/koder/{concept}"), &[("accept", "text/html")]).await.ok().text();
            assert!(parts.iter().all(|part| text.contains(part)), "{concept}: {text}");
        }
        assert!(!page("GET", &format!("{at}?before=2026-12-31"), &[]).await.ok().text().contains("nyt navn"));
        page("GET", &format!("{at}?before=i-morgen"), &[]).await.with(400);
        let done = page(
            "POST",
            &format!("{at}/codes"),
            &[("vocabulary", "koder"), ("codes", "A\nZ9"), ("command", "replace")],
        )
        .await;
        assert!(done.ok().text().contains("2 koder, heraf 1 der ikke er fundet"));
        let position = w.position().await.to_string();
        page("POST", &format!("{at}/acknowledge"), &[("position", &position)]).await.with(303);
        let foreign = Request::post(&at).header("cookie", anne.cookie()).header("origin", "https://evil.example");
        assert_eq!(w.send(foreign.body(Body::empty()).expect("a request")).await.status, 405);
        let foreign = Request::post(format!("{at}/codes"))
            .header("cookie", anne.cookie())
            .header("origin", "https://evil.example");
        w.send(foreign.body(Body::from("codes=A")).expect("a request")).await.with(403);
    })
    .await;
}
