//! Change requests through the front door: from anybody, confirmed by mail, to an edit of a draft or an answer with a
//! reason; and who sees what of them.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use begreb::delivery::{Post, RequestLetters, SecurityNotices, Sender, Smtp};
use begreb::model::{Governance, Role};
use begreb::registry::{DraftPublishRequest, DraftRequest, EditRequest, Made, Precondition, Registry, Settings};
use begreb::store::Store;
use common::crew::{Person, group, person, vocabulary};
use common::{Answer, Folder, World, on_every_database, operator};
use insta::assert_snapshot;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, Row, SqliteConnection};
use uuid::Uuid;

const A: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const B: &str = "bbbbbbbb-0000-4000-8000-000000000002";
const NONE: &str = "00000000-0000-4000-8000-000000000009";

/// Who takes part.
struct Crew {
    secretary: Person,
    second: Person,
    asker: Person,
    reader: Person,
    publisher: Person,
    nobody: Person,
}

async fn crew(w: &World) -> Crew {
    let file = format!("notation,uuid,preferred.da\nA,{A},a\nB,{B},b\n");
    for slug in ["koder", "andre"] {
        let file = if slug == "koder" { file.clone() } else { "notation,preferred.da\nX,x\n".into() };
        vocabulary(w, slug, Governance::Direct, &file).await;
    }
    Crew {
        secretary: person(w, "Sanne", &[Role::Secretary]).await,
        second: person(w, "Silje", &[Role::Secretary]).await,
        asker: person(w, "Bo", &[]).await,
        reader: person(w, "Lone", &[Role::Reader, Role::Contributor]).await,
        publisher: person(w, "Pia", &[Role::Publisher]).await,
        nobody: Person::default(),
    }
}

/// The post of a test; its letters are laid down and never sent.
async fn post(w: &World) -> Post {
    let from = Sender::new("Begreb <begreb@registry.example.dk>").expect("a sender");
    let smtp = Smtp::new("smtp://127.0.0.1:9", None, false, from).expect("an address");
    let post = Post::new(w.registry.clone(), vec![Box::new(SecurityNotices), Box::new(RequestLetters)], smtp);
    post.start().await.expect("mail is turned on");
    post.compose().await.expect("what was before makes no letters");
    post
}

/// The letters that lie in the outbox: kind, address and text, in the order of the log.
async fn letters(w: &World) -> Vec<(String, String, String)> {
    let sql = "SELECT kind, mail, body FROM letter WHERE body IS NOT NULL ORDER BY change, uuid";
    match w.database {
        "sqlite" => {
            let mut c = SqliteConnection::connect(&w.address).await.expect("the file opens");
            let rows = sqlx::query(sql).fetch_all(&mut c).await.expect("rows");
            rows.iter().map(|r| (r.get(0), r.get(1), r.get(2))).collect()
        }
        _ => {
            let mut c = PgConnection::connect(&w.address).await.expect("the server answers");
            let rows = sqlx::query(sql).fetch_all(&mut c).await.expect("rows");
            rows.iter().map(|r| (r.get(0), r.get(1), r.get(2))).collect()
        }
    }
}

/// The secret at the end of the link in a letter.
fn secret(text: &str) -> String {
    let link = text.lines().find(|l| l.contains("/change-requests/confirm/")).expect("a link");
    link.rsplit('/').next().expect("a secret").trim().to_owned()
}

fn code(answer: &Answer) -> (u16, String) {
    (answer.status, answer.code())
}

fn content(term: &str) -> Value {
    json!({ "notation": "A", "terms": [{ "language": "da", "value": term, "status": "preferred" }] })
}

fn about_a(title: &str) -> Value {
    json!({
        "vocabulary": "koder", "concept": "A", "title": title, "text": "Fordi a er et dårligt ord.",
        "organisation": "Aarhus Kommune", "proposal": content("et bedre ord"),
    })
}

fn stranger(title: &str) -> Value {
    let mut body = about_a(title);
    body["name"] = json!("Ulla Udefra");
    body["mail"] = json!("ulla@example.dk");
    body
}

fn path(answer: &Value) -> String {
    format!("/change-requests/{}", answer["uuid"].as_str().expect("a uuid"))
}

async fn asked(w: &World, c: &Crew, title: &str) -> String {
    path(&c.asker.send(w, "POST", "/change-requests", about_a(title)).await.with(201).json())
}

async fn draft(w: &World, c: &Crew, slug: &str) -> Uuid {
    let request = DraftRequest {
        vocabulary: slug.parse().unwrap(),
        title: "Gruppens kladde".parse().unwrap(),
        purpose: None,
        group: None,
        base: None,
        minor: false,
    };
    w.registry.open_draft(&c.secretary.actor(w).await, request).await.expect("it is lawful").uuid
}

#[tokio::test]
async fn a_stranger_asks_confirms_and_gets_an_answer() {
    on_every_database(async |w| {
        let c = crew(&w).await;
        let refused = c.nobody.send(&w, "POST", "/change-requests", stranger("Uden mail")).await;
        assert_eq!(code(&refused), (401, "not-signed-in".into()), "nobody could be written to");
        let post = post(&w).await;
        let pending = c.nobody.send(&w, "POST", "/change-requests", stranger("Et bedre ord for a")).await.with(202);
        assert_snapshot!("pending", pending.shown());
        for who in [&c.nobody, &c.secretary, &c.asker] {
            assert_eq!(who.get(&w, "/change-requests").await.ok().json(), json!([]), "nothing is seen before");
        }
        post.compose().await.expect("letters");
        let sent = letters(&w).await;
        assert_eq!(sent.len(), 1);
        let (kind, mail, text) = &sent[0];
        assert_eq!((kind.as_str(), mail.as_str()), ("confirmation", "ulla@example.dk"));
        assert!(!text.contains("Ulla") && !text.contains("bedre ord"), "nothing that a stranger wrote: {text}");
        let link = secret(text);
        assert_snapshot!("confirmation_letter", text.replace(&link, "SECRET"));

        // The page shows a button; to look at it does nothing.
        let uri = format!("/change-requests/confirm/{link}");
        for _ in 0..2 {
            let page = w.get(&uri).await.ok();
            assert!(page.text().contains("<button>") && page.header("cache-control") == "no-store", "{}", page.text());
        }
        assert_eq!(c.secretary.get(&w, "/change-requests").await.ok().json(), json!([]));
        let wrong = json!({ "link": "x".repeat(43) });
        let refused = c.nobody.send(&w, "POST", "/change-requests/confirmation", wrong).await;
        assert_eq!(code(&refused), (401, "expired".into()));
        let foreign = c.nobody.ask(&w, "POST", &uri, &Value::Null, &[("origin", "https://evil.example")]).await;
        assert_eq!(code(&foreign), (403, "foreign-origin".into()));
        let made = c.nobody.send(&w, "POST", "/change-requests/confirmation", json!({ "link": link })).await.with(201);
        let again = c.nobody.send(&w, "POST", "/change-requests/confirmation", json!({ "link": link })).await;
        assert_eq!(code(&again), (401, "expired".into()), "it works once");
        w.get(&uri).await.with(410);
        let one = path(&made.json());

        // In the queue only those see it who handle it, and who it was.
        assert_eq!(code(&c.nobody.get(&w, &one).await), (404, "not-found".into()));
        assert_eq!(code(&c.reader.get(&w, &one).await), (404, "not-found".into()));
        let handled = c.secretary.get(&w, &one).await.ok();
        let contact = handled.json()["contact"].clone();
        assert_eq!((&contact["name"], &contact["mail"]), (&json!("Ulla Udefra"), &json!("ulla@example.dk")));
        let by = handled.json()["by"].as_str().expect("a contact").to_owned();
        assert_snapshot!("request_for_a_secretary", handled.shown());

        let assign = json!({ "track": "secretariat", "reason": "En lille ændring" });
        c.secretary.send(&w, "POST", &format!("{one}/assignment"), assign).await.ok();
        let decline = json!({ "outcome": "declined", "reason": "Ordet er i brug i loven." });
        c.secretary.send(&w, "POST", &format!("{one}/outcome"), decline).await.ok();
        let public = c.nobody.get(&w, &one).await.ok();
        for hidden in [by.as_str(), "ulla", "Ulla", &c.secretary.uuid.to_string()] {
            assert!(!public.text().contains(hidden), "{hidden}: {}", public.text());
        }
        assert_snapshot!("request_for_everybody", public.shown());
        post.compose().await.expect("letters");
        let kinds: Vec<String> = letters(&w).await.into_iter().skip(1).map(|(kind, _, _)| kind).collect();
        assert_eq!(kinds, ["request-received", "request-assigned", "request-answered"]);
        let (_, mail, text) = letters(&w).await.pop().expect("the last");
        assert!(
            mail == "ulla@example.dk" && text.contains("Kære Ulla Udefra") && text.contains("Ordet er i brug i loven.")
        );
        // The log and the steps name the person by a uuid alone.
        let log = Store::open(&w.address).await.unwrap().changes(0, 1000).await.unwrap();
        assert!(log.iter().any(|c| c.actor == by && c.kind == "request.submitted"));
        assert!(!log.iter().any(|c| c.body.contains("Ulla") || c.body.contains("ulla@")));
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn what_waits_runs_out_and_is_capped() {
    on_every_database(async |w| {
        let c = crew(&w).await;
        let post = post(&w).await;
        for _ in 0..3 {
            c.nobody.send(&w, "POST", "/change-requests", stranger("Et ønske")).await.with(202);
        }
        let full = c.nobody.send(&w, "POST", "/change-requests", stranger("Et til")).await;
        assert_eq!(code(&full), (429, "too-many-attempts".into()), "three wait for one address");
        post.compose().await.expect("letters");
        let link = secret(&letters(&w).await[0].2);
        w.clock.set("2026-11-29T12:00:01Z");
        w.get(&format!("/change-requests/confirm/{link}")).await.with(410);
        let late = c.nobody.send(&w, "POST", "/change-requests/confirmation", json!({ "link": link })).await;
        assert_eq!(code(&late), (401, "expired".into()));
        // The next one sweeps what has run out, people and all.
        c.nobody.send(&w, "POST", "/change-requests", stranger("Et nyt")).await.with(202);
        let contacts = "SELECT CAST(COUNT(*) AS TEXT), '', '' FROM contact";
        let count: String = match w.database {
            "sqlite" => {
                let mut c = SqliteConnection::connect(&w.address).await.unwrap();
                sqlx::query(contacts).fetch_one(&mut c).await.unwrap().get(0)
            }
            _ => sqlx::query(contacts)
                .fetch_one(&mut PgConnection::connect(&w.address).await.unwrap())
                .await
                .unwrap()
                .get(0),
        };
        assert_eq!(count, "1");
        // One peer is slowed down, whatever addresses it names.
        let mut slowed = 0;
        for n in 0..40 {
            let mut body = stranger("Spam");
            body["mail"] = json!(format!("n{n}@example.dk"));
            slowed += u32::from(c.nobody.send(&w, "POST", "/change-requests", body).await.status == 429);
        }
        assert!(slowed >= 15, "{slowed}");
        // Who is signed in is not one of them.
        let fresh = person(&w, "Ny", &[]).await;
        fresh.send(&w, "POST", "/change-requests", about_a("Mit eget")).await.with(201);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused() {
    on_every_database(async |w| {
        let c = crew(&w).await;
        let with = |field: &str, value: Value| {
            let mut body = about_a("x");
            body[field] = value;
            body
        };
        for (body, expected) in [
            (json!({}), (400, "invalid-body")),
            (with("text", json!("")), (400, "invalid-text")),
            (with("title", json!("to\nlinjer")), (400, "invalid-text")),
            (with("other", json!(1)), (400, "invalid-body")),
            (with("vocabulary", json!("findes-ikke")), (404, "unknown-vocabulary")),
            (with("concept", json!("Q")), (404, "unknown-concept")),
            (with("mail", json!("a@example.dk")), (422, "unlawful")),
            (with("proposal", json!({ "terms": [] })), (422, "preferred-term")),
            (
                with(
                    "proposal",
                    json!({ "terms": content("x")["terms"], "relations": [{ "kind": "generic", "target": "Q" }] }),
                ),
                (422, "unknown-target"),
            ),
        ] {
            let answer = c.asker.send(&w, "POST", "/change-requests", body.clone()).await;
            assert_eq!(code(&answer), (expected.0, expected.1.into()), "{body}: {}", answer.text());
        }
        assert_eq!(
            code(&c.nobody.send(&w, "POST", "/change-requests", about_a("x")).await),
            (401, "not-signed-in".into())
        );
        let one = asked(&w, &c, "Et ønske").await;
        let other = asked(&w, &c, "Et andet").await;
        let elsewhere = json!({ "vocabulary": "andre", "title": "x", "text": "x" });
        let elsewhere = c.asker.send(&w, "POST", "/change-requests", elsewhere).await.with(201).json();
        let outcome = |outcome: &str| json!({ "outcome": outcome, "reason": "Fordi" });
        let duplicate = |of: &str| json!({ "outcome": "duplicate", "reason": "Fordi", "duplicateOf": of });
        let uuid = |path: &str| path.rsplit('/').next().unwrap().to_owned();
        for (body, expected) in [
            (json!({ "outcome": "declined" }), (400, "invalid-body")),
            (outcome("accepted"), (422, "unlawful")),
            (outcome("duplicate"), (422, "unlawful")),
            (duplicate(NONE), (404, "not-found")),
            (duplicate(&uuid(&one)), (422, "unlawful")),
            (duplicate(elsewhere["uuid"].as_str().unwrap()), (422, "unlawful")),
        ] {
            let answer = c.secretary.send(&w, "POST", &format!("{one}/outcome"), body.clone()).await;
            assert_eq!(code(&answer), (expected.0, expected.1.into()), "{body}: {}", answer.text());
        }
        let group = json!({ "track": { "group": NONE }, "reason": "x" });
        assert_eq!(
            code(&c.secretary.send(&w, "POST", &format!("{one}/assignment"), group).await),
            (404, "not-found".into())
        );
        let closed =
            c.secretary.send(&w, "POST", &format!("{one}/outcome"), duplicate(&uuid(&other))).await.ok().json();
        assert_eq!(closed["duplicateOf"], json!(uuid(&other)));
        // What is closed stays closed.
        for (action, body) in [
            ("outcome", outcome("declined")),
            ("assignment", json!({ "track": "secretariat", "reason": "x" })),
            ("acceptance", json!({ "draft": null, "reason": "x" })),
        ] {
            let answer = c.secretary.send(&w, "POST", &format!("{one}/{action}"), body).await;
            assert_eq!(code(&answer), (409, "phase".into()), "{action}: {}", answer.text());
        }
        let withdrawn = c.asker.send(&w, "POST", &format!("{one}/withdrawal"), Value::Null).await;
        assert_eq!(code(&withdrawn), (409, "phase".into()));
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn who_sees_what_and_who_may() {
    on_every_database(async |w| {
        let c = crew(&w).await;
        let one = asked(&w, &c, "Et ønske").await;
        for (action, body) in [
            ("outcome", json!({ "outcome": "declined", "reason": "x" })),
            ("assignment", json!({ "track": "secretariat", "reason": "x" })),
            ("acceptance", json!({ "draft": null, "reason": "x" })),
        ] {
            let uri = format!("{one}/{action}");
            for (who, status) in [(&c.nobody, 401), (&c.asker, 403), (&c.reader, 403), (&c.publisher, 403)] {
                who.send(&w, "POST", &uri, body.clone()).await.with(status);
            }
        }
        // In the queue: who asked, and who handles it.
        for (who, status) in
            [(&c.nobody, 404), (&c.reader, 404), (&c.publisher, 404), (&c.asker, 200), (&c.secretary, 200)]
        {
            who.get(&w, &one).await.with(status);
            let listed = who.get(&w, "/change-requests?vocabulary=koder&concept=A&state=queued").await.ok();
            assert_eq!(listed.header("x-total-count"), if status == 200 { "1" } else { "0" });
            let of_concept = who.get(&w, "/vocabularies/koder/concepts/A/requests").await.ok();
            assert_eq!(of_concept.json(), listed.json());
        }
        for (who, status) in [(&c.nobody, 401), (&c.reader, 404), (&c.secretary, 403)] {
            who.send(&w, "POST", &format!("{one}/withdrawal"), Value::Null).await.with(status);
        }
        let working = group(&w, "Gruppen", "workingGroup", &[&c.reader]).await;
        let assign = json!({ "track": { "group": working }, "reason": "Det er gruppens emne" });
        c.secretary.send(&w, "POST", &format!("{one}/assignment"), assign).await.ok();
        let public = c.nobody.get(&w, &one).await.ok().json();
        assert_eq!((&public["state"], &public["organisation"]), (&json!("assigned"), &json!("Aarhus Kommune")));
        assert!(["by", "assignments", "contact"].iter().all(|m| public.get(m).is_none()), "{public}");
        let own = c.asker.get(&w, &one).await.ok().json();
        assert_eq!(own["by"], format!("account:{}", c.asker.uuid));
        assert_eq!(own["assignments"][0]["reason"], "Det er gruppens emne");
        assert!(own["assignments"][0].get("by").is_none(), "not who decided it: {own}");
        let handled = c.secretary.get(&w, &one).await.ok().json();
        assert_eq!(handled["assignments"][0]["by"], format!("account:{}", c.secretary.uuid));

        // What was taken back is seen no more by others.
        c.asker.send(&w, "POST", &format!("{one}/withdrawal"), Value::Null).await.ok();
        for (who, status) in [(&c.nobody, 404), (&c.asker, 200), (&c.secretary, 200)] {
            who.get(&w, &one).await.with(status);
        }
        // A secretary of another vocabulary is one of the others.
        let request = begreb::registry::GiveRequest {
            account: Some(c.publisher.uuid),
            group: None,
            role: Role::Secretary,
            vocabulary: Some("andre".parse().unwrap()),
        };
        w.registry.give(&operator(), request).await.expect("it is lawful");
        let two = asked(&w, &c, "Et til").await;
        c.publisher.get(&w, &two).await.with(404);
        c.publisher
            .send(&w, "POST", &format!("{two}/outcome"), json!({ "outcome": "declined", "reason": "x" }))
            .await
            .with(403);
    })
    .await;
}

#[tokio::test]
async fn the_queue_comes_page_by_page() {
    on_every_database(async |w| {
        let c = crew(&w).await;
        for n in 0..5 {
            w.clock.set(&format!("2026-11-22T12:0{n}:00Z"));
            asked(&w, &c, &format!("Ønske {n}")).await;
        }
        let mut titles = Vec::new();
        let mut next = Some("/change-requests?limit=2&vocabulary=koder".to_owned());
        while let Some(uri) = next {
            let page = c.secretary.get(&w, &uri).await.ok();
            assert_eq!(page.header("x-total-count"), "5");
            titles.extend(page.json().as_array().unwrap().iter().map(|r| r["title"].as_str().unwrap().to_owned()));
            let link = page.header("link");
            next = link.strip_prefix("</api/v1").and_then(|l| l.split('>').next()).map(ToOwned::to_owned);
        }
        assert_eq!(titles, (0..5).map(|n| format!("Ønske {n}")).collect::<Vec<_>>(), "the oldest first");
        for (query, expected) in [
            ("state=x", (400, "invalid-parameter")),
            ("concept=A", (400, "invalid-parameter")),
            ("vocabulary=koder&concept=Q", (404, "unknown-concept")),
            ("vocabulary=x", (404, "unknown-vocabulary")),
            ("cursor=x", (400, "invalid-cursor")),
            ("page=2", (400, "unknown-parameter")),
        ] {
            let answer = c.secretary.get(&w, &format!("/change-requests?{query}")).await;
            assert_eq!(code(&answer), (expected.0, expected.1.into()), "{query}");
        }
        let by_uuid = c.secretary.get(&w, &format!("/change-requests?concept={B}")).await.ok();
        assert_eq!(by_uuid.json(), json!([]));
    })
    .await;
}

#[tokio::test]
async fn an_accepted_request_is_an_edit_and_both_name_each_other() {
    on_every_database(async |w| {
        let c = crew(&w).await;
        // The secretariat opens a draft for it in the same call; no small one, since it renames.
        let one = asked(&w, &c, "Et bedre ord for a").await;
        let body = json!({ "draft": null, "reason": "Det er et bedre ord." });
        let accepted = c.secretary.send(&w, "POST", &format!("{one}/acceptance"), body).await.ok();
        assert_snapshot!("accepted", accepted.shown());
        let accepted = accepted.json();
        let uuid: Uuid = accepted["request"]["uuid"].as_str().unwrap().parse().unwrap();
        let draft: Uuid = accepted["draft"]["uuid"].as_str().unwrap().parse().unwrap();
        assert_eq!(accepted["request"]["edit"], json!({ "draft": draft, "number": 1 }));
        assert_eq!(accepted["edit"]["because"], json!({ "request": uuid }));
        assert_eq!(accepted["draft"]["minor"], false, "it renames");
        let edits = w.registry.edits(&operator(), draft, &Default::default()).unwrap().items;
        assert_eq!(json!(edits[0].because), json!({ "request": uuid }));
        // The whole chain, when the draft is published.
        let label = DraftPublishRequest { version: "2".parse().unwrap(), effective: None };
        w.registry.publish_draft(&c.publisher.actor(&w).await, draft, label).await.expect("it is lawful");
        let shown = c.nobody.get(&w, &one).await.ok().json();
        assert_eq!(shown["edit"], json!({ "draft": draft, "number": 1, "version": "2" }));
        let now = w.json("/api/v1/vocabularies/koder/concepts/A?version=2").await;
        assert_eq!(now["terms"][0]["value"], "et bedre ord", "{now}");
        let order = w.json("/api/v1/vocabularies/koder/concepts?version=2").await;
        assert_eq!(order["concepts"][0]["notation"], "A", "it stays where it stood: {order}");
        w.registry.verify().await.expect("all is whole");

        // Backup and restore keep it all.
        let mut backup = Vec::new();
        w.registry.backup(&mut backup).await.expect("it is written");
        let folder = Folder::new();
        let store = Store::open(&format!("sqlite:{}", folder.path().join("new.db").display())).await.expect("it opens");
        store.restore(&backup[..]).await.expect("it is whole");
        let restored = Registry::open(store, w.clock.clone(), Settings::default()).await.expect("it opens");
        restored.verify().await.expect("whole");
        let (was, is) =
            (w.registry.change_request(&operator(), uuid).await, restored.change_request(&operator(), uuid).await);
        assert_eq!(was.unwrap(), is.unwrap());
    })
    .await;
}

#[tokio::test]
async fn into_a_draft_that_is_there_without_losing_what_others_wrote() {
    on_every_database(async |w| {
        let c = crew(&w).await;
        let (kladde, elsewhere) = (draft(&w, &c, "koder").await, draft(&w, &c, "andre").await);
        let one = asked(&w, &c, "Et bedre ord").await;
        let accept = format!("{one}/acceptance");
        let into = |draft: Uuid| json!({ "draft": draft, "reason": "Ja" });
        assert_eq!(code(&c.secretary.send(&w, "POST", &accept, into(elsewhere)).await), (422, "unlawful".into()));
        let none: Uuid = NONE.parse().unwrap();
        assert_eq!(code(&c.secretary.send(&w, "POST", &accept, into(none)).await), (404, "not-found".into()));
        assert_eq!(code(&c.secretary.send(&w, "POST", &accept, json!({ "reason": "x", "other": 1 })).await).0, 400);
        // The group has written something else meanwhile.
        let fields = serde_json::from_value(content("gruppens ord")).unwrap();
        let why = EditRequest { reason: "vores".parse().unwrap(), because: None, meaning: None };
        let contributor = c.reader.actor(&w).await;
        let made = w.registry.edit_concept(&contributor, kladde, "A", Made::Whole(fields), &Precondition::Any, why).await;
        let (_, proposed) = made.expect("it is lawful");
        let answer = c.secretary.send(&w, "POST", &accept, into(kladde)).await;
        assert_eq!(code(&answer), (428, "precondition-required".into()), "{}", answer.text());
        let uri = format!("/api/v1{accept}");
        let stale = c.secretary.ask(&w, "POST", &uri, &into(kladde), &[("if-match", "\"x\"")]).await;
        assert_eq!(code(&stale), (412, "precondition-failed".into()));
        assert_eq!(stale.json()["conflict"]["current"]["content"]["terms"][0]["value"], "gruppens ord");
        assert_eq!(stale.json()["conflict"]["yours"]["terms"][0]["value"], "et bedre ord");
        assert_eq!(c.secretary.get(&w, &one).await.ok().json()["state"], "queued", "nothing was changed");
        let tag = proposed.etag.expect("a tag");
        let done = c.secretary.ask(&w, "POST", &uri, &into(kladde), &[("if-match", &tag)]).await.ok().json();
        assert_eq!((&done["edit"]["number"], &done["draft"]["uuid"]), (&json!(2), &json!(kladde)));

        // Text alone needs to be said what becomes of it; a new concept is an operation or content.
        let text = json!({ "vocabulary": "koder", "title": "Et nyt begreb", "text": "D mangler." });
        let two = path(&c.asker.send(&w, "POST", "/change-requests", text).await.with(201).json());
        let accept = format!("{two}/acceptance");
        assert_eq!(code(&c.secretary.send(&w, "POST", &accept, into(kladde)).await), (422, "unlawful".into()));
        let new = json!({ "notation": "D", "terms": content("d")["terms"] });
        let both = json!({ "draft": kladde, "reason": "x", "content": new, "operation": { "kind": "retire", "concepts": ["B"] } });
        assert_eq!(code(&c.secretary.send(&w, "POST", &accept, both).await), (422, "unlawful".into()));
        let body = json!({ "draft": kladde, "reason": "x", "content": new });
        let done = c.secretary.send(&w, "POST", &accept, body).await.ok().json();
        assert_eq!((&done["edit"]["kind"], &done["edit"]["number"]), (&json!("add"), &json!(3)));
        let text = json!({ "vocabulary": "koder", "concept": "B", "title": "B skal væk", "text": "B bruges ikke." });
        let three = path(&c.asker.send(&w, "POST", "/change-requests", text).await.with(201).json());
        // What a group has taken on goes into a draft that is named.
        let working = group(&w, "Gruppen", "workingGroup", &[&c.reader]).await;
        let assign = json!({ "track": { "group": working }, "reason": "x" });
        c.secretary.send(&w, "POST", &format!("{three}/assignment"), assign).await.ok();
        let retire = |draft: Value| json!({ "draft": draft, "reason": "x", "operation": { "kind": "retire", "concepts": ["B"] } });
        let accept = format!("{three}/acceptance");
        assert_eq!(code(&c.secretary.send(&w, "POST", &accept, retire(Value::Null)).await), (422, "unlawful".into()));
        c.secretary.send(&w, "POST", &accept, retire(json!(kladde))).await.ok();
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn two_secretaries_accept_one_request_at_once_and_one_wins() {
    on_every_database(async |w| {
        let c = crew(&w).await;
        for turn in 0..3 {
            let one = asked(&w, &c, &format!("Ønske {turn}")).await;
            let uri = format!("{one}/acceptance");
            let body = json!({ "draft": null, "reason": "Ja" });
            let (first, second) = tokio::join!(
                c.secretary.send(&w, "POST", &uri, body.clone()),
                c.second.send(&w, "POST", &uri, body.clone())
            );
            let mut both = [first.status, second.status];
            both.sort_unstable();
            assert_eq!(both, [200, 409], "{} {}", first.text(), second.text());
        }
        let filter = begreb::registry::DraftFilter::default();
        assert_eq!(
            w.registry.drafts(&operator(), &filter, &Default::default()).unwrap().total,
            3,
            "who lost left no draft behind"
        );
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}
