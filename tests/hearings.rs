//! Hearings through the front door: planned, opened and closed by the clock, answered by link, by account and by
//! confirmed mail, weighed, and told in papers; and everything that must be refused on the way.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::io::Read;

use axum::body::Body;
use axum::http::Request;
use begreb::delivery::{HearingLetters, Post, Sender, Smtp};
use begreb::exchange::Format;
use begreb::model::{Command, Role};
use begreb::registry::{AccountRequest, GiveRequest, TokenRequest};
use common::{Answer, World, edition, on_every_database, operator};
use insta::assert_snapshot;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

const FILE: &str = "notation,preferred.da,definition.da\nA,afklaring,det at finde ud af noget\nB,bistand,hjælp\n";
const NO: &str = "";

/// Sends JSON with a token, or with the secret of a link; with neither, as the public.
async fn ask(w: &World, secret: &str, method: &str, uri: &str, body: Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(w, secret, method, uri, &[("content-type", "application/json")], body).await
}

async fn send(
    w: &World,
    secret: &str,
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Answer {
    let mut request = Request::builder().method(method).uri(format!("/api/v1{uri}"));
    if !secret.is_empty() {
        request = request.header("authorization", format!("Bearer {secret}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    w.send(request.body(body.into()).expect("a request")).await
}

async fn get(w: &World, secret: &str, uri: &str) -> Answer {
    ask(w, secret, "GET", uri, Value::Null).await
}

async fn post(w: &World, secret: &str, uri: &str, body: Value) -> Answer {
    ask(w, secret, "POST", uri, body).await
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text: {value}")).to_owned()
}

/// A token with every command that a token may carry, of a new account with a role.
async fn token(w: &World, name: &str, role: Option<Role>) -> String {
    let mail = format!("{}@example.dk", name.to_lowercase());
    let request = AccountRequest { name: name.parse().unwrap(), mail: mail.parse().unwrap(), organisation: None };
    let account = w.registry.create_account(&operator(), request).await.expect("it is lawful").account.uuid;
    if let Some(role) = role {
        let give = GiveRequest { account: Some(account), group: None, role, vocabulary: None };
        w.registry.give(&operator(), give).await.expect("it is lawful");
    }
    let carried = begreb::registry::RIGHTS.iter().filter(|r| r.token).map(|r| r.command);
    let commands: std::collections::BTreeSet<Command> = carried.collect();
    let request = TokenRequest { name: "alt".parse().unwrap(), commands, vocabularies: None, days: Some(366) };
    w.registry.create_token(&operator(), Some(account), request).await.expect("it is lawful").secret
}

/// A draft that adds C, redefines A, and retires B.
struct Scene {
    secretary: String,
    draft: String,
    a: String,
    c: String,
}

/// Says how versions of `koder` come to be.
async fn govern(w: &World, governance: &str) {
    let frame = json!({ "titles": [{ "language": "da", "text": "Koder" }], "kind": "terminology",
        "governance": governance, "languages": ["da"] });
    let frame = serde_json::from_value(frame).expect("a frame");
    w.registry.put_frame(&operator(), "koder".parse().unwrap(), frame).await.expect("it is lawful");
}

async fn scene(w: &World) -> Scene {
    govern(w, "direct").await;
    w.import(edition("koder", Format::Csv, FILE.as_bytes(), "1", "2020-01-01")).await.expect("it is lawful");
    govern(w, "hearing").await;
    let secretary = token(w, "Sekretær", Some(Role::Secretary)).await;
    let body = json!({ "vocabulary": "koder", "title": "Koder 2" });
    let draft = text(&post(w, &secretary, "/drafts", body).await.with(201).json()["uuid"]);
    let edits = format!("/drafts/{draft}/edits");
    let content = json!({ "notation": "C", "terms": [{ "language": "da", "status": "preferred", "value": "coaching" }],
        "definitions": [{ "language": "da", "text": "samtale om mål" }] });
    let add = json!({ "kind": "add", "concept": "C", "content": content, "reason": "mangler" });
    post(w, &secretary, &edits, add).await.with(201);
    let retire = json!({ "kind": "retire", "concepts": ["B"], "reason": "bruges ikke" });
    post(w, &secretary, &edits, retire).await.with(201);
    let (a, _) = redefine(w, &secretary, &draft, "A", "det at undersøge en sag").await;
    let c = text(&get(w, &secretary, &format!("/drafts/{draft}/concepts/C")).await.ok().json()["uuid"]);
    Scene { secretary, draft, a, c }
}

/// Gives a concept another definition; its uuid, and the answer.
async fn redefine(w: &World, secret: &str, draft: &str, key: &str, definition: &str) -> (String, Answer) {
    let uri = format!("/drafts/{draft}/concepts/{key}");
    let now = get(w, secret, &uri).await.ok().json();
    let mut content = now["content"].clone();
    content["definitions"][0]["text"] = definition.into();
    let headers = [("if-match", now["etag"].as_str().expect("a tag")), ("content-type", "application/json")];
    let answer = send(w, secret, "PUT", &format!("{uri}?reason=klarere"), &headers, content.to_string()).await;
    (text(&now["uuid"]), answer)
}

fn plan(audience: &str) -> Value {
    json!({ "title": "Høring over koder", "letter": "Kære alle\nHvad siger I?", "audience": audience,
        "opens": "2026-12-01T08:00:00Z" })
}

impl Scene {
    /// A hearing that opens on 1 December and ends on 29 December.
    async fn planned(&self, w: &World, audience: &str) -> String {
        let planned = post(w, &self.secretary, &format!("/drafts/{}/hearings", self.draft), plan(audience)).await;
        text(&planned.with(201).json()["uuid"])
    }

    /// A party, and the secret of its link.
    async fn party(&self, w: &World, hearing: &str, organisation: &str) -> (String, String) {
        let body = json!({ "organisation": organisation, "name": format!("{organisation}s postkasse"),
            "mail": format!("post@{}.example.dk", organisation.to_lowercase().replace([' ', 'ø', 'å'], "-")) });
        let made = post(w, &self.secretary, &format!("/hearings/{hearing}/parties"), body).await.with(201).json();
        let party = text(&made["uuid"]);
        let link = post(w, &self.secretary, &format!("/hearings/{hearing}/parties/{party}/link"), Value::Null).await;
        (party, text(&link.with(201).json()["secret"]))
    }
}

async fn tick(w: &World, now: &str) {
    w.clock.set(now);
    w.registry.tick().await.expect("time is kept");
}

/// The kinds of the rows of the log of the steps that the clock took.
async fn told(w: &World) -> Vec<String> {
    let sql = "SELECT c.kind FROM change c JOIN step s ON s.change = c.seq WHERE s.actor = 'clock' ORDER BY c.seq";
    texts(w, sql).await
}

async fn texts(w: &World, sql: &str) -> Vec<String> {
    let sql = AssertSqlSafe(sql.to_owned());
    match w.database {
        "sqlite" => sqlx::query_scalar(sql).fetch_all(&mut SqliteConnection::connect(&w.address).await.unwrap()).await,
        _ => sqlx::query_scalar(sql).fetch_all(&mut PgConnection::connect(&w.address).await.unwrap()).await,
    }
    .expect("rows")
}

/// A post that composes, and never sends: nobody listens there.
fn letters(w: &World) -> Post {
    let from = Sender::new("begreb@registry.example.dk").expect("a sender");
    let smtp = Smtp::new("smtp://127.0.0.1:1", None, false, from).expect("an address");
    Post::new(w.registry.clone(), vec![Box::new(HearingLetters)], smtp)
}

/// The address in a letter that begins with a path.
fn link_in(letter: &str, path: &str) -> String {
    let line = letter.lines().find(|l| l.contains(path)).unwrap_or_else(|| panic!("{path}: {letter}"));
    line.trim().strip_prefix("http://127.0.0.1:8080").expect("it begins with our address").to_owned()
}

#[tokio::test]
async fn the_whole_story_of_a_hearing() {
    on_every_database(async |w| {
        let s = scene(&w).await;
        let planned = post(&w, &s.secretary, &format!("/drafts/{}/hearings", s.draft), plan("invited")).await.with(201);
        let h = text(&planned.json()["uuid"]);
        assert_eq!(planned.json()["deadline"], "2026-12-29T08:00:00Z", "four weeks");
        let hearing = format!("/hearings/{h}");
        let (north, by_north) = s.party(&w, &h, "Nordkøbing").await;
        let (_, by_south) = s.party(&w, &h, "Sydby").await;
        s.party(&w, &h, "Tavshuse").await;
        assert_snapshot!("hearing_planned", get(&w, &s.secretary, &hearing).await.ok().shown());

        // Before it opens, parties can read, nobody else can, and the draft can be edited.
        assert_eq!(get(&w, NO, &hearing).await.with(404).code(), "not-found");
        get(&w, &by_north, &hearing).await.ok();
        let early = post(&w, &by_north, &format!("{hearing}/answers"), json!({ "submit": true })).await;
        assert_eq!(early.with(409).code(), "phase");
        redefine(&w, &s.secretary, &s.draft, "A", "det at belyse en sag").await.1.ok();

        // It opens by itself, before anybody has told it.
        w.clock.set("2026-12-01T08:00:00Z");
        let frozen = redefine(&w, &s.secretary, &s.draft, "A", "noget andet").await.1;
        assert_eq!(frozen.with(409).code(), "phase");
        tick(&w, "2026-12-01T08:00:00Z").await;
        assert_eq!(told(&w).await, ["hearing.opened"]);
        assert_eq!(get(&w, &by_north, &hearing).await.ok().json()["stage"], "open");

        // Nordkøbing writes, changes, attaches, submits.
        let answers = format!("{hearing}/answers");
        let items = json!({ "items": [
            { "concept": s.a, "agreeTerm": true, "agreeDefinition": false, "comment": "Skriv »afdække« i stedet." },
            { "comment": "Et godt udkast." } ] });
        let begun = post(&w, &by_north, &answers, json!({ "items": [{ "comment": "x" }] })).await.with(201).json();
        let answer = format!("{answers}/{}", text(&begun["uuid"]));
        assert_eq!(post(&w, &by_north, &answers, items.clone()).await.with(409).code(), "exists");
        ask(&w, &by_north, "PUT", &answer, items.clone()).await.ok();
        let file =
            send(&w, &by_north, "POST", &format!("{answer}/attachments?name=Bilag%20%C3%A6.pdf"), &[], "%PDF-1.7 x")
                .await;
        let file = text(&file.with(201).json()["uuid"]);
        for other in [&by_south, &s.secretary] {
            assert_eq!(get(&w, other, &answer).await.with(404).code(), "not-found", "it is being written");
            assert_eq!(get(&w, other, &answers).await.ok().json(), json!([]));
        }
        let receipt = post(&w, &by_north, &format!("{answer}/submission"), Value::Null).await.ok().json();
        assert_eq!((&receipt["stage"], &receipt["late"]), (&json!("submitted"), &json!(false)));
        assert_eq!(post(&w, &by_north, &format!("{answer}/submission"), Value::Null).await.with(409).code(), "phase");

        // Who may read it while the hearing is open: its party, and those who make the draft.
        assert_snapshot!("hearing_answer", get(&w, &by_north, &answer).await.ok().shown());
        get(&w, &s.secretary, &answer).await.ok();
        get(&w, &by_south, &answer).await.with(404);
        let attachment = format!("{answer}/attachments/{file}");
        let served = get(&w, &by_north, &attachment).await.ok();
        assert_eq!(
            served.header("content-disposition"),
            "attachment; filename=\"Bilag _.pdf\"; filename*=UTF-8''Bilag%20%C3%A6.pdf"
        );
        assert_eq!(served.header("content-security-policy"), "default-src 'none'; sandbox");
        assert_eq!((served.header("x-content-type-options"), served.text()), ("nosniff".into(), "%PDF-1.7 x".into()));
        get(&w, &by_south, &attachment).await.with(404);
        assert_eq!(get(&w, NO, &attachment).await.with(404).code(), "not-found");

        // It is taken back and submitted again.
        assert_eq!(
            post(&w, &by_south, &format!("{answer}/withdrawal"), Value::Null).await.with(404).code(),
            "not-found"
        );
        post(&w, &by_north, &format!("{answer}/withdrawal"), Value::Null).await.ok();
        let mut again = items.clone();
        again["submit"] = true.into();
        let first = post(&w, &by_north, &answers, again).await.with(201).json();
        let (first, uuid) = (format!("{answers}/{}", text(&first["uuid"])), text(&first["uuid"]));
        tick(&w, "2026-12-22T08:00:00Z").await;
        tick(&w, "2026-12-29T08:00:00Z").await;
        assert_eq!(told(&w).await, ["hearing.opened", "hearing.reminded", "hearing.closed"]);
        assert_eq!(post(&w, &by_north, &format!("{first}/withdrawal"), Value::Null).await.with(409).code(), "phase");

        // Sydby is late, and marked so.
        let body = json!({ "items": [{ "concept": s.c, "agreeTerm": false }], "submit": true });
        let late = post(&w, &by_south, &answers, body).await.with(201).json();
        assert_eq!(late["late"], true);
        let late = format!("{answers}/{}", text(&late["uuid"]));
        get(&w, &by_north, &late).await.ok();

        // Weighing: the hearing is not over while an item has no reply.
        let complete = format!("{hearing}/completion");
        let open = post(&w, &s.secretary, &complete, Value::Null).await.with(409).json();
        assert_eq!(open["items"].as_array().map(Vec::len), Some(3), "{open}");
        let dispose = |answer: &str, item: usize| format!("{answer}/items/{item}/disposition");
        let reply = json!({ "ruling": "no", "reason": "Coaching er det ord, der bruges." });
        ask(&w, &s.secretary, "PUT", &dispose(&late, 1), reply).await.ok();
        let reply = json!({ "ruling": "outOfScope", "reason": "Tak." });
        ask(&w, &s.secretary, "PUT", &dispose(&first, 2), reply).await.ok();
        assert!(get(&w, &by_north, &late).await.ok().json()["items"][0].get("dispositions").is_none());

        // An item that is accepted becomes the edit, in one call, and they stay linked.
        let concept = get(&w, &s.secretary, &format!("/drafts/{}/concepts/A", s.draft)).await.ok().json();
        let mut content = concept["content"].clone();
        content["definitions"][0]["text"] = "det at afdække en sag".into();
        let body = json!({ "content": content, "reason": "Vi skriver afdække." });
        let edit = format!("{first}/items/1/edit");
        assert_eq!(post(&w, &s.secretary, &edit, body.clone()).await.with(428).code(), "precondition-required");
        let headers = [("if-match", "\"x\"")];
        let stale = send(&w, &s.secretary, "POST", &edit, &headers, body.to_string()).await;
        assert_eq!(stale.with(412).code(), "precondition-failed");
        let headers = [("if-match", concept["etag"].as_str().unwrap())];
        let edited = send(&w, &s.secretary, "POST", &edit, &headers, body.to_string()).await.with(201).json();
        let because = json!({ "answer": { "hearing": h, "answer": uuid, "item": 1 } });
        assert_eq!(edited["edit"]["because"], because, "{edited}");
        assert_eq!(edited["answer"]["items"][0]["dispositions"][0]["edits"], json!([edited["edit"]["number"]]));

        assert_eq!(get(&w, &by_north, &format!("{hearing}/note")).await.with(404).code(), "not-found", "not yet");
        post(&w, &s.secretary, &complete, Value::Null).await.ok();
        assert_snapshot!("hearing_completed", get(&w, &s.secretary, &hearing).await.ok().shown());
        assert_eq!(get(&w, &by_north, &hearing).await.with(401).code(), "expired", "the link has done its work");

        // The papers have every word, and who answered.
        let note = get(&w, &s.secretary, &format!("{hearing}/note")).await.ok();
        assert_snapshot!("hearing_note", note.shown());
        let words = [
            "Skriv »afdække« i stedet.",
            "Et godt udkast.",
            "Coaching er det ord, der bruges.",
            "Vi skriver afdække.",
            "Nordkøbing",
            "Sydby",
            "Tavshuse",
            "det at belyse en sag",
            "Hvad siger I?",
        ];
        let html = get(&w, &s.secretary, &format!("{hearing}/note?format=html")).await.ok().text();
        let odt = get(&w, &s.secretary, &format!("{hearing}/note?format=odt")).await.ok();
        let odt = unzipped(&odt.body, "content.xml");
        for word in words {
            assert!(note.text().contains(word) && html.contains(word) && odt.contains(word), "{word}");
        }
        let sheet = get(&w, &s.secretary, &format!("{answers}?format=xlsx")).await.ok();
        let strings = unzipped(&sheet.body, "xl/sharedStrings.xml");
        for word in &words[..7] {
            assert!(strings.contains(word), "{word}");
        }
        assert_eq!(
            get(&w, &s.secretary, &format!("{hearing}/note?format=docx")).await.with(400).code(),
            "invalid-parameter"
        );
        let parties = get(&w, &s.secretary, &format!("{hearing}/parties")).await.ok().json();
        let answered: Vec<_> = parties.as_array().unwrap().iter().map(|p| p["answered"].as_bool().unwrap()).collect();
        assert_eq!(answered, [true, true, false]);
        assert_eq!(parties[0]["uuid"], json!(north));
        w.registry.verify().await.expect("all is well");
    })
    .await;
}

/// A file of a ZIP as text.
fn unzipped(bytes: &[u8], name: &str) -> String {
    let at = |from: usize, n: usize| bytes[from..from + n].iter().rev().fold(0, |sum, b| sum << 8 | usize::from(*b));
    let end = bytes.windows(4).rposition(|w| w == b"PK\x05\x06").expect("a ZIP");
    let mut entry = at(end + 16, 4);
    for _ in 0..at(end + 10, 2) {
        let (method, size, n) = (at(entry + 10, 2), at(entry + 20, 4), at(entry + 28, 2));
        let local = at(entry + 42, 4);
        if &bytes[entry + 46..entry + 46 + n] == name.as_bytes() {
            let from = local + 30 + at(local + 26, 2) + at(local + 28, 2);
            let mut text = String::new();
            let packed = &bytes[from..from + size];
            match method {
                0 => text = String::from_utf8(packed.to_vec()).expect("text"),
                _ => drop(flate2::read::DeflateDecoder::new(packed).read_to_string(&mut text).expect("text")),
            }
            return text;
        }
        entry += 46 + n + at(entry + 30, 2) + at(entry + 32, 2);
    }
    panic!("{name} is not there");
}

#[tokio::test]
async fn the_clock_works_across_restarts_and_among_several_nodes() {
    on_every_database(async |w| {
        let s = scene(&w).await;
        let h = s.planned(&w, "public").await;
        let hearing = format!("/hearings/{h}");
        tick(&w, "2026-12-01T07:59:59Z").await;
        assert_eq!(told(&w).await, Vec::<String>::new());
        assert_eq!(get(&w, NO, "/hearings").await.ok().json(), json!([]), "a planned one is nobody's");

        // Nobody runs while it opens; whoever comes next tells it, and another finds it told.
        w.clock.set("2026-12-02T00:00:00Z");
        let (one, two) = (w.reopened().await, w.reopened().await);
        let next = one.tick().await.expect("time is kept");
        assert_eq!(next.map(|n| n.to_string()).as_deref(), Some("2026-12-22T08:00:00Z"), "the reminder");
        two.tick().await.expect("time is kept");
        w.registry.tick().await.expect("time is kept");
        assert_eq!(told(&w).await, ["hearing.opened"]);
        assert_eq!(get(&w, NO, &hearing).await.ok().json()["stage"], "open");

        // A deadline that is moved out is told again, and freezes again.
        tick(&w, "2026-12-25T08:00:00Z").await;
        tick(&w, "2026-12-26T08:00:00Z").await;
        tick(&w, "2026-12-29T08:00:00Z").await;
        assert_eq!(get(&w, NO, &hearing).await.ok().json()["stage"], "closed");
        let extend = format!("{hearing}/extensions");
        let wrong = json!({ "deadline": "2026-12-29", "reason": "x" });
        assert_eq!(post(&w, &s.secretary, &extend, wrong).await.with(422).code(), "unlawful");
        let body = json!({ "deadline": "2027-02-01", "reason": "Jul." });
        let extended = post(&w, &s.secretary, &extend, body).await.with(201).json();
        assert_eq!((&extended["stage"], &extended["extensions"][0]["reason"]), (&json!("open"), &json!("Jul.")));
        assert_eq!(redefine(&w, &s.secretary, &s.draft, "A", "x").await.1.with(409).code(), "phase");
        w.clock.set("2027-03-01T00:00:00Z");
        two.tick().await.expect("time is kept");
        let all = ["hearing.opened", "hearing.reminded", "hearing.closed", "hearing.closed"];
        assert_eq!(told(&w).await, all, "of the new deadline nobody could be reminded any more");
        w.registry.verify().await.expect("all is well");

        // What is decided at once happens at once.
        w.registry.tick().await.expect("time is kept");
        post(&w, &s.secretary, &format!("{hearing}/completion"), Value::Null).await.ok();
        let mut body = plan("public");
        body.as_object_mut().unwrap().remove("opens");
        let second = post(&w, &s.secretary, &format!("/drafts/{}/hearings", s.draft), body).await.with(201).json();
        assert_eq!(second["stage"], "open");
        assert_eq!(told(&w).await.len(), 5);
        let cancel = format!("/hearings/{}/cancellation", text(&second["uuid"]));
        post(&w, &s.secretary, &cancel, json!({ "reason": "En fejl." })).await.ok();
        redefine(&w, &s.secretary, &s.draft, "A", "det at se på en sag").await.1.ok();
        let before = get(&w, NO, &hearing).await.ok().json();
        assert!(before["heard"].to_string().contains("det at undersøge en sag"), "what was heard stays: {before}");
        assert!(!before["heard"].to_string().contains("det at se på en sag"));
    })
    .await;
}

#[tokio::test]
async fn the_public_answers_when_the_mail_address_is_confirmed() {
    on_every_database(async |w| {
        let s = scene(&w).await;
        let h = s.planned(&w, "public").await;
        let mail = letters(&w);
        mail.start().await.expect("mail is on");
        tick(&w, "2026-12-02T00:00:00Z").await;
        let answers = format!("/hearings/{h}/answers");
        for (body, field) in [(json!({}), "name"), (json!({ "name": "Ida" }), "mail")] {
            let refused = post(&w, NO, &answers, body).await.with(422);
            assert_eq!(refused.json()["where"]["field"], field);
        }
        let item = json!([{ "concept": s.a, "agreeDefinition": true, "comment": "Fint." }]);
        let body = json!({ "name": "Ida Borger", "mail": "ida@example.dk", "items": item });
        let pending = post(&w, NO, &answers, body.clone()).await.with(202);
        assert_snapshot!("hearing_pending", pending.shown().replace(&h, "HEARING"));
        assert_eq!(get(&w, &s.secretary, &answers).await.ok().json(), json!([]), "it does not count yet");
        mail.compose().await.expect("letters are composed");
        let letter = texts(&w, "SELECT body FROM letter WHERE kind = 'hearing-confirm'").await.remove(0);
        let link = link_in(&letter, "/confirm/");
        let secret = link.rsplit('/').next().unwrap().to_owned();
        let page = w.get(&link).await.ok();
        assert!(page.text().contains("Fint."), "{}", page.text());
        assert_eq!(get(&w, &s.secretary, &answers).await.ok().json(), json!([]), "to look confirms nothing");
        let form = |origin: &'static str| {
            Request::post(&link).header("origin", origin).body(Body::empty()).expect("a request")
        };
        assert_eq!(w.send(form("https://evil.example")).await.with(403).code(), "foreign-origin");
        w.send(form("http://127.0.0.1:8080")).await.ok();
        let read = get(&w, &s.secretary, &answers).await.ok().json();
        assert_eq!(read[0]["organisation"], "Ida Borger");
        assert_eq!(w.send(form("http://127.0.0.1:8080")).await.status, 410, "it works once");
        assert_eq!(
            w.registry.confirm_answer(&begreb::model::Secret::shown(&secret)).await.unwrap_err().code.as_str(),
            "expired"
        );
        mail.compose().await.expect("letters are composed");
        assert_eq!(texts(&w, "SELECT kind FROM letter ORDER BY change").await, ["hearing-confirm", "hearing-receipt"]);

        // What nobody confirms is forgotten, with who it was.
        post(&w, NO, &answers, body.clone()).await.with(202);
        assert_eq!(texts(&w, "SELECT mail FROM contact").await.len(), 2);
        tick(&w, "2026-12-10T00:00:00Z").await;
        assert_eq!(texts(&w, "SELECT kind FROM errand").await, Vec::<String>::new());
        assert_eq!(texts(&w, "SELECT mail FROM contact").await.len(), 1);

        // Nobody fills the registry with them.
        let mut last = 202;
        for _ in 0..30 {
            last = post(&w, NO, &answers, body.clone()).await.status;
        }
        assert_eq!(last, 429);

        // Somebody with an account needs no mail.
        let reader = token(&w, "Læser", Some(Role::HearingParty)).await;
        let body = json!({ "items": [{ "comment": "Enig." }], "submit": true });
        let own = post(&w, &reader, &answers, body.clone()).await.with(201).json();
        assert_eq!(own["organisation"], "Læser");
        let second = post(&w, &reader, &answers, body).await.with(201).json();
        assert_eq!(second["insteadOf"], own["uuid"]);
        assert_eq!(get(&w, NO, &answers).await.ok().json(), json!([]), "readable after the deadline");
        tick(&w, "2027-01-02T00:00:00Z").await;
        assert_eq!(get(&w, NO, &answers).await.ok().json().as_array().map(Vec::len), Some(2));
        get(&w, NO, &format!("{answers}/{}", text(&own["uuid"]))).await.with(404);
        w.registry.verify().await.expect("all is well");
    })
    .await;
}

#[tokio::test]
async fn links_are_good_for_one_party_and_one_hearing() {
    on_every_database(async |w| {
        let s = scene(&w).await;
        let h = s.planned(&w, "invited").await;
        let hearing = format!("/hearings/{h}");
        let (north, old) = s.party(&w, &h, "Nordkøbing").await;
        let link = format!("{hearing}/parties/{north}/link");
        let renewed = text(&post(&w, &s.secretary, &link, Value::Null).await.with(201).json()["secret"]);
        assert_eq!(get(&w, &old, &hearing).await.with(401).code(), "expired", "renewed");
        get(&w, &renewed, &hearing).await.ok();
        for wrong in ["begreb_h_x", "begreb_h_", "begreb_x"] {
            get(&w, wrong, &hearing).await.with(401);
        }
        assert_eq!(get(&w, &renewed, "/me").await.status, 401, "a link is no account");
        assert_eq!(post(&w, &renewed, &format!("{hearing}/completion"), Value::Null).await.status, 401);
        assert_eq!(get(&w, &renewed, "/hearings").await.ok().json()[0]["uuid"], json!(h));
        let parties = get(&w, &renewed, &format!("{hearing}/parties")).await.ok();
        assert!(!parties.text().contains("postkasse"), "who the others are is theirs: {}", parties.text());

        // Another hearing of another draft.
        let body = json!({ "vocabulary": "koder", "title": "Koder 3" });
        let other = text(&post(&w, &s.secretary, "/drafts", body).await.with(201).json()["uuid"]);
        let there = post(&w, &s.secretary, &format!("/drafts/{other}/hearings"), plan("public")).await.with(201).json();
        let there = format!("/hearings/{}", text(&there["uuid"]));
        assert_eq!(get(&w, &renewed, &there).await.with(404).code(), "not-found");
        tick(&w, "2026-12-02T00:00:00Z").await;
        let foreign = post(&w, &renewed, &format!("{there}/answers"), json!({ "submit": true })).await;
        assert_eq!(foreign.with(403).code(), "forbidden");
        let reader = token(&w, "Læser", Some(Role::Reader)).await;
        let uninvited = post(&w, &reader, &format!("{hearing}/answers"), json!({ "submit": true })).await;
        assert_eq!(uninvited.with(403).code(), "forbidden");

        // A year is the longest.
        w.clock.set("2027-11-23T12:00:00Z");
        assert_eq!(get(&w, &renewed, &hearing).await.with(401).code(), "expired");
    })
    .await;
}

#[tokio::test]
async fn files_are_what_they_say_and_not_too_many() {
    on_every_database(async |w| {
        let s = scene(&w).await;
        let h = s.planned(&w, "invited").await;
        let (_, link) = s.party(&w, &h, "Nordkøbing").await;
        tick(&w, "2026-12-02T00:00:00Z").await;
        let answers = format!("/hearings/{h}/answers");
        let answer = text(&post(&w, &link, &answers, json!({})).await.with(201).json()["uuid"]);
        let files = format!("{answers}/{answer}/attachments");
        let put = async |name: &str, media: &[(&str, &str)], bytes: Vec<u8>| {
            send(&w, &link, "POST", &format!("{files}?name={name}"), media, bytes).await
        };
        for (name, media, bytes, code) in [
            ("a.html", "", b"<html><script>alert(1)</script>".to_vec(), "unsupported-type"),
            ("a.txt", "", b" <svg onload='alert(1)'/>".to_vec(), "unsupported-type"),
            ("a.pdf", "", b"MZ\x90\0\x03".to_vec(), "unsupported-type"),
            ("a.png", "", b"%PDF-1.7".to_vec(), "unsupported-type"),
            ("a.pdf", "image/png", b"%PDF-1.7".to_vec(), "unsupported-type"),
            ("a.txt", "", Vec::new(), "unsupported-type"),
            ("a.txt", "", vec![b'x'; (5 << 20) + 1], "too-large"),
            ("..%2Fa.txt", "", b"x".to_vec(), "unlawful"),
            ("", "", b"x".to_vec(), "invalid-text"),
            ("a%0d%0ab.txt", "", b"x".to_vec(), "invalid-text"),
        ] {
            let media: Vec<_> = Some(("content-type", media)).into_iter().filter(|(_, m)| !m.is_empty()).collect();
            assert_eq!(put(name, &media, bytes).await.code(), code, "{name}");
        }
        let mut last = String::new();
        for n in 0..10 {
            let made = put(&format!("{n}.txt"), &[("content-type", "text/plain")], b"svar".to_vec()).await.with(201);
            last = text(&made.json()["uuid"]);
        }
        assert_eq!(put("11.txt", &[], b"svar".to_vec()).await.with(413).code(), "too-large");
        ask(&w, &link, "DELETE", &format!("{files}/{last}"), Value::Null).await.with(204);
        get(&w, &link, &format!("{files}/{last}")).await.with(404);
        put("11.txt", &[], b"svar".to_vec()).await.with(201);
        // What is changed in the answer leaves its files.
        let changed =
            ask(&w, &link, "PUT", &format!("{answers}/{answer}"), json!({ "items": [{ "comment": "Se bilag." }] }))
                .await;
        assert_eq!(changed.ok().json()["attachments"].as_array().map(Vec::len), Some(10));
        // What is never submitted goes with its files.
        tick(&w, "2027-12-03T00:00:00Z").await;
        assert_eq!(texts(&w, "SELECT owner FROM attachment").await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn parties_are_written_to_with_links_that_work() {
    on_every_database(async |w| {
        let s = scene(&w).await;
        let mail = letters(&w);
        mail.start().await.expect("mail is on");
        let h = s.planned(&w, "invited").await;
        let hearing = format!("/hearings/{h}");
        s.party(&w, &h, "Nordkøbing").await;
        assert_eq!(mail.compose().await.expect("composed"), 0, "it has not opened");
        tick(&w, "2026-12-01T08:00:00Z").await;
        assert_eq!(mail.compose().await.expect("composed"), 1);
        s.party(&w, &h, "Sydby").await;
        assert_eq!(mail.compose().await.expect("composed"), 1, "at once");
        let bodies = texts(&w, "SELECT body FROM letter ORDER BY change").await;
        let page = link_in(&bodies[0], "/answer?link=");
        let secret = page.rsplit('=').next().unwrap().to_owned();
        get(&w, &secret, &hearing).await.ok();
        assert!(
            bodies[0].contains("Kære Nordkøbings postkasse") && bodies[0].contains("Hvad siger I?"),
            "{}",
            bodies[0]
        );
        assert!(bodies[0].contains("2026-12-29 kl. 09.00") && bodies[0].contains("Dear "), "{}", bodies[0]);
        post(&w, &secret, &format!("{hearing}/answers"), json!({ "submit": true })).await.with(201);
        assert_eq!(mail.compose().await.expect("composed"), 1, "the receipt");
        tick(&w, "2026-12-22T08:00:00Z").await;
        assert_eq!(mail.compose().await.expect("composed"), 1, "only Sydby is reminded");
        let body = json!({ "deadline": "2027-02-01", "reason": "Jul." });
        post(&w, &s.secretary, &format!("{hearing}/extensions"), body).await.with(201);
        assert_eq!(mail.compose().await.expect("composed"), 2);
        tick(&w, "2027-01-25T00:00:00Z").await;
        assert_eq!(mail.compose().await.expect("composed"), 1, "of the new deadline");
        let kinds = texts(&w, "SELECT kind FROM letter ORDER BY change, kind").await;
        let expected = [
            "hearing-opened",
            "hearing-opened",
            "hearing-receipt",
            "hearing-reminded",
            "hearing-extended",
            "hearing-extended",
            "hearing-reminded",
        ];
        assert_eq!(kinds, expected);
        post(&w, &s.secretary, &format!("{hearing}/cancellation"), json!({ "reason": "Nej." })).await.ok();
        assert_eq!(mail.compose().await.expect("composed"), 2);
        // The link still reads what was said, and writes no more.
        assert_eq!(get(&w, &secret, &hearing).await.ok().json()["stage"], "cancelled");
        let late = post(&w, &secret, &format!("{hearing}/answers"), json!({ "items": [{ "comment": "x" }] })).await;
        assert_eq!(late.with(409).code(), "phase");
    })
    .await;
}

#[tokio::test]
async fn each_command_takes_its_right() {
    on_every_database(async |w| {
        let s = scene(&w).await;
        let h = s.planned(&w, "public").await;
        let (party, link) = s.party(&w, &h, "Nordkøbing").await;
        tick(&w, "2026-12-02T00:00:00Z").await;
        let hearing = format!("/hearings/{h}");
        let body = json!({ "items": [{ "comment": "Hm." }], "submit": true });
        let answer = text(&post(&w, &link, &format!("{hearing}/answers"), body).await.with(201).json()["uuid"]);
        let reason = json!({ "reason": "x" });
        let item = format!("{hearing}/answers/{answer}/items/1");
        let who = json!({ "organisation": "X", "name": "X", "mail": "x@example.dk" });
        let mut tokens = vec![(None, token(&w, "Ingen", None).await)];
        for role in Role::ALL {
            tokens.push((Some(*role), token(&w, &format!("X{role}"), Some(*role)).await));
        }
        let secretary: &[Role] = &[Role::Secretary];
        let weighing: &[Role] = &[Role::Contributor, Role::Secretary];
        for (method, uri, body, may) in [
            ("POST", format!("/drafts/{}/hearings", s.draft), plan("public"), secretary),
            ("PUT", hearing.clone(), plan("public"), secretary),
            ("POST", format!("{hearing}/extensions"), json!({ "deadline": "x", "reason": "x" }), secretary),
            (
                "POST",
                format!("{hearing}/parties"),
                json!({ "organisation": "X", "name": "X", "mail": "post@nordk-bing.example.dk" }),
                secretary,
            ),
            ("POST", format!("{hearing}/parties/{party}/link"), Value::Null, secretary),
            ("POST", format!("{hearing}/completion"), Value::Null, secretary),
            ("PUT", format!("{item}/disposition"), json!({ "ruling": "no", "reason": "x" }), weighing),
            ("POST", format!("{item}/edit"), reason.clone(), weighing),
            ("POST", format!("{hearing}/cancellation"), reason.clone(), secretary),
        ] {
            let nobody = ask(&w, NO, method, &uri, body.clone()).await;
            assert!(
                nobody.status == 401 || uri.ends_with("extensions") && nobody.status == 400,
                "{method} {uri}: {}",
                nobody.text()
            );
            for (role, token) in &tokens {
                let status = ask(&w, token, method, &uri, body.clone()).await.status;
                let has = role.is_some_and(|r| may.contains(&r));
                let refused = status == 403 || uri.ends_with("extensions") && status == 400;
                assert_eq!(refused && !has, !has, "{method} {uri} by {role:?}: {status}");
                assert!(!has || status != 403, "{method} {uri} by {role:?}: {status}");
            }
        }
        let _ = who;
    })
    .await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    on_every_database(async |w| {
        let s = scene(&w).await;
        let hearings = format!("/drafts/{}/hearings", s.draft);
        for (field, value, status, code) in [
            ("title", json!(""), 400, "invalid-text"),
            ("audience", json!("x"), 400, "invalid-body"),
            ("extra", json!(1), 400, "invalid-body"),
            ("opens", json!("i morgen"), 400, "invalid-time"),
            ("opens", json!("2020-01-01"), 422, "unlawful"),
            ("opens", json!("infinity"), 422, "unlawful"),
            ("deadline", json!("2026-12-01T08:00:00Z"), 422, "unlawful"),
            ("deadline", json!("infinity"), 422, "unlawful"),
            ("concepts", json!(["Z"]), 404, "unknown-concept"),
        ] {
            let mut body = plan("public");
            body[field] = value.clone();
            assert_eq!(post(&w, &s.secretary, &hearings, body).await.with(status).code(), code, "{field} {value}");
        }
        let mut some = plan("public");
        some["concepts"] = json!(["A", "A"]);
        let h = text(&post(&w, &s.secretary, &hearings, some).await.with(201).json()["uuid"]);
        assert_eq!(post(&w, &s.secretary, &hearings, plan("public")).await.with(409).code(), "phase", "one at a time");
        let hearing = format!("/hearings/{h}");
        let heard = get(&w, &s.secretary, &hearing).await.ok().json();
        assert_eq!(heard["heard"].as_array().map(Vec::len), Some(1), "{heard}");
        assert_eq!(heard["heard"][0]["kinds"], json!(["redefined"]));
        let (_, link) = s.party(&w, &h, "Nordkøbing").await;
        tick(&w, "2026-12-02T00:00:00Z").await;
        assert_eq!(
            ask(&w, &s.secretary, "PUT", &hearing, plan("public")).await.with(409).code(),
            "phase",
            "it is open"
        );
        let answers = format!("{hearing}/answers");
        for (items, status) in [
            (json!([{}]), 422),
            (json!([{ "agreeTerm": true }]), 422),
            (json!([{ "concept": s.c, "agreeTerm": true }]), 422),
            (json!([{ "concept": s.a, "agreeTerm": true }, { "concept": s.a, "comment": "x" }]), 422),
            (json!([{ "concept": "A", "agreeTerm": true }]), 400),
            (json!([{ "comment": "" }]), 400),
            (json!([{ "comment": "x", "ruling": "no" }]), 400),
        ] {
            post(&w, &link, &answers, json!({ "items": items, "submit": true })).await.with(status);
        }
        let many: Vec<_> = (0..2_001).map(|n| json!({ "comment": n.to_string() })).collect();
        let many = post(&w, &link, &answers, json!({ "items": many, "submit": true })).await;
        assert_eq!(many.with(413).code(), "too-large");
        let nil = uuid::Uuid::nil();
        for uri in [
            format!("/hearings/{nil}"),
            "/hearings/x".into(),
            format!("{answers}/{nil}"),
            format!("{hearing}/parties/{nil}"),
        ] {
            let status = get(&w, &s.secretary, &uri).await.status;
            assert!(matches!(status, 400 | 404), "{uri}: {status}");
        }
        assert_eq!(get(&w, NO, "/hearings?x=1").await.with(400).code(), "unknown-parameter");
        assert_eq!(get(&w, NO, "/hearings?cursor=x").await.with(400).code(), "invalid-cursor");
        assert_eq!(get(&w, NO, &format!("{answers}?format=x")).await.with(400).code(), "invalid-parameter");
        let answer =
            post(&w, &link, &answers, json!({ "items": [{ "comment": "Hm." }], "submit": true })).await.with(201);
        let item = |n: &str| format!("{answers}/{}/items/{n}/disposition", text(&answer.json()["uuid"]));
        let reply = |edits: Value| json!({ "ruling": "partly", "reason": "x", "edits": edits });
        for (n, edits, status) in
            [("0", json!([]), 404), ("2", json!([]), 404), ("x", json!([]), 400), ("1", json!([99]), 404)]
        {
            ask(&w, &s.secretary, "PUT", &item(n), reply(edits)).await.with(status);
        }
        ask(&w, &s.secretary, "PUT", &item("1"), reply(json!([1]))).await.ok();
    })
    .await;
}

/// A form as browsers send it: fields, and files with their names.
fn multipart(fields: &[(&str, &str)], files: &[(&str, &str)]) -> String {
    let part =
        |head: String, body: &str| format!("--grænse\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n");
    let fields = fields.iter().map(|(name, value)| part(format!("name=\"{name}\""), value));
    let files = files.iter().map(|(name, bytes)| part(format!("name=\"file\"; filename=\"{name}\""), bytes));
    fields.chain(files).chain(["--grænse--\r\n".to_owned()]).collect::<String>().replace("grænse", "GRENSE")
}

/// Sends the form of a hearing from one of our pages, in Danish.
async fn fill(w: &World, h: &str, fields: &[(&str, &str)], files: &[(&str, &str)]) -> Answer {
    let request = Request::post(format!("/hearings/{h}/answer"))
        .header("content-type", "multipart/form-data; boundary=GRENSE")
        .header("origin", "http://127.0.0.1:8080")
        .header("accept-language", "da");
    w.send(request.body(Body::from(multipart(fields, files))).expect("a request")).await
}

/// A page, in Danish.
async fn read(w: &World, uri: &str) -> Answer {
    w.ask("GET", uri, &[("accept-language", "da"), ("accept", "text/html")]).await
}

/// What an attribute of the first tag with some text says.
fn attribute(page: &str, tag: &str, name: &str) -> String {
    let from = page.find(tag).unwrap_or_else(|| panic!("{tag}: {page}"));
    let value = page[from..].split_once(&format!("{name}=\"")).expect("the attribute").1;
    value.split('"').next().unwrap_or_default().replace("&#38;", "&").replace("&amp;", "&")
}

#[tokio::test]
async fn the_form_is_filled_in_saved_and_submitted() {
    on_every_database(async |w| {
        let s = scene(&w).await;
        let h = s.planned(&w, "invited").await;
        let (_, link) = s.party(&w, &h, "Nordkøbing").await;
        tick(&w, "2026-12-02T00:00:00Z").await;
        let form = format!("/hearings/{h}/answer?link={link}");
        let page = read(&w, &form).await.ok();
        assert_eq!(page.header("cache-control"), "no-store");
        for part in ["Høring over koder", "A afklaring", "B bistand", "C coaching", "Hvad siger I?", "Send svar"] {
            assert!(page.text().contains(part), "{part}: {}", page.text());
        }
        assert!(!page.text().contains("id=\"mail\""), "a party is known: {}", page.text());

        // Nothing at all is no answer; the field is named, marked, and led to.
        let empty = fill(&w, &h, &[("link", &link), ("do", "submit")], &[]).await.with(422).text();
        for part in
            ["<title>Fejl: ", "role=\"alert\"", "Svaret er ikke gemt", "<a href=\"#none\">Ingen bemærkninger</a>"]
        {
            assert!(empty.contains(part), "{part}: {empty}");
        }
        assert!(attribute(&empty, "id=\"none\"", "aria-invalid") == "true", "{empty}");

        // Both remarks and none: what was written is still there.
        let (term, comment) = (format!("term-{}", s.a), format!("comment-{}", s.c));
        let both = [("link", link.as_str()), (&comment, "Coaching <er> uklart."), ("none", "yes"), ("do", "submit")];
        let both = fill(&w, &h, &both, &[]).await.with(422).text();
        assert!(both.contains("Coaching &#60;er&#62; uklart."), "{both}");

        // Saved, with a file; what is saved is in the form again, and the file can be opened by the link.
        let fields = [("link", link.as_str()), (&term, "yes"), (&comment, "Coaching er uklart."), ("do", "save")];
        let saved = fill(&w, &h, &fields, &[("Bilag.pdf", "%PDF-1.7 x")]).await.with(303).header("location");
        assert!(saved.ends_with("&done=saved"), "{saved}");
        let page = read(&w, &saved).await.ok().text();
        assert!(page.contains("Svaret er gemt, men ikke sendt.") && page.contains("Coaching er uklart."), "{page}");
        assert!(page.contains(&format!("name=\"{term}\" value=\"yes\" checked")), "{page}");
        let answer = attribute(&page, "name=\"answer\"", "value");
        let file = attribute(&page, "<li><a href=\"/hearings/", "href");
        let served = read(&w, &file).await.ok();
        assert_eq!(served.text(), "%PDF-1.7 x");
        assert_eq!(served.header("content-security-policy"), "default-src 'none'; sandbox");
        assert_eq!(served.header("x-content-type-options"), "nosniff");
        assert!(served.header("content-disposition").starts_with("attachment; "), "{:?}", served.headers);
        read(&w, file.split('?').next().unwrap()).await.with(404);
        let (_, other) = s.party(&w, &h, "Sydby").await;
        read(&w, &file.replace(&link, &other)).await.with(404);

        // A file that is refused stops the answer, but loses nothing that was written.
        let fields = [("link", link.as_str()), ("answer", &answer), (&comment, "Nyt."), ("do", "submit")];
        let refused = fill(&w, &h, &fields, &[("a.exe", "MZ")]).await.with(415).text();
        for part in
            ["Det skrevne er gemt, men svaret er ikke sendt", "a.exe", "<a href=\"#file\">Bilag</a>", "Bilag.pdf"]
        {
            assert!(refused.contains(part), "{part}: {refused}");
        }
        assert!(!refused.contains("Svaret er ikke gemt"), "{refused}");
        let kept = read(&w, &form).await.ok().text();
        assert!(kept.contains(">Nyt.<"), "{kept}");

        // The file alone is an answer: an item says so.
        let fields = [("link", link.as_str()), ("answer", &answer), ("do", "submit")];
        let none: Vec<_> = fields.into_iter().chain([("none", "yes")]).collect();
        fill(&w, &h, &none, &[]).await.with(422);
        let sent = fill(&w, &h, &fields, &[]).await.with(303).header("location");
        assert!(sent.ends_with("&done=submitted"), "{sent}");
        let page = read(&w, &sent).await.ok().text();
        assert!(page.contains("Tak. Svaret er modtaget.") && page.contains("Bilag.pdf"), "{page}");
        let items = get(&w, &link, &format!("/hearings/{h}/answers/{answer}")).await.ok().json()["items"].clone();
        assert_eq!(items, json!([{ "number": 1, "comment": "Svaret står i den vedhæftede fil." }]));
        let about = read(&w, &format!("/hearings/{h}?link={link}")).await.ok().text();
        assert!(about.contains("Nordkøbing") && about.contains(&format!("/answer?link={link}")), "{about}");
        read(&w, &format!("/hearings/{h}")).await.with(404);

        // A new answer takes its place, with a file that is taken out again; and is taken back.
        let fields = [("link", link.as_str()), ("general", "Fint."), ("do", "save")];
        let saved = fill(&w, &h, &fields, &[("b.txt", "x")]).await.with(303).header("location");
        let page = read(&w, &saved).await.ok().text();
        let remove = attribute(&page, "type=\"checkbox\" name=\"remove-", "name");
        let second = attribute(&page, "id=\"none\"", "value");
        assert_eq!(second, "yes");
        let answers = get(&w, &link, &format!("/hearings/{h}/answers")).await.ok().json();
        let second = text(&answers.as_array().unwrap().last().unwrap()["uuid"]);
        let fields =
            [("link", link.as_str()), ("answer", &second), ("general", "Fint."), (&remove, "yes"), ("do", "submit")];
        fill(&w, &h, &fields, &[]).await.with(303);
        let answers = get(&w, &link, &format!("/hearings/{h}/answers/{second}")).await.ok().json();
        assert_eq!((&answers["attachments"], &answers["insteadOf"]), (&json!([]), &json!(answer)));
        let fields = [("link", link.as_str()), ("answer", second.as_str()), ("do", "withdraw")];
        let taken = fill(&w, &h, &fields, &[]).await.with(303).header("location");
        assert!(read(&w, &taken).await.ok().text().contains("Svaret er trukket tilbage."), "{taken}");

        // From elsewhere nothing is taken, and a wrong link is told on a page.
        let foreign = Request::post(format!("/hearings/{h}/answer"))
            .header("content-type", "multipart/form-data; boundary=GRENSE")
            .header("origin", "https://evil.example");
        let foreign = foreign.body(Body::from(multipart(&fields, &[]))).expect("a request");
        assert_eq!(w.send(foreign).await.with(403).code(), "foreign-origin");
        let wrong = read(&w, &format!("/hearings/{h}/answer?link=begreb_h_x")).await.with(410);
        assert!(wrong.header("content-type").starts_with("text/html"), "{}", wrong.text());
        assert!(wrong.text().contains("Linket er udløbet, fornyet eller forkert"), "{}", wrong.text());
    })
    .await;
}

#[tokio::test]
async fn without_mail_nobody_waits_for_a_letter() {
    on_every_database(async |w| {
        let s = scene(&w).await;
        let h = s.planned(&w, "public").await;
        tick(&w, "2026-12-02T00:00:00Z").await;
        let body = json!({ "name": "Ida", "mail": "ida@example.dk", "items": [{ "comment": "Fint." }] });
        let refused = post(&w, NO, &format!("/hearings/{h}/answers"), body.clone()).await.with(401);
        assert_eq!(refused.code(), "not-signed-in");
        let form = format!("/hearings/{h}/answer");
        let page = read(&w, &form).await.ok().text();
        assert!(page.contains("Registret sender ikke mail") && !page.contains("id=\"mail\""), "{page}");
        let fields = [("name", "Ida"), ("mail", "ida@example.dk"), ("general", "Fint."), ("do", "submit")];
        let refused = fill(&w, &h, &fields, &[]).await.with(401).text();
        assert!(refused.contains("Registret sender ikke mail; log ind"), "{refused}");
        assert_eq!(texts(&w, "SELECT mail FROM contact").await, Vec::<String>::new());

        letters(&w).start().await.expect("mail is on");
        assert!(read(&w, &form).await.ok().text().contains("id=\"mail\""));
        let wrong = fill(&w, &h, &[("name", "Ida"), ("mail", "x"), ("none", "yes"), ("do", "submit")], &[]).await;
        assert!(wrong.text().contains("<a href=\"#mail\">Mailadresse</a>"), "{}", wrong.text());
        let sent = fill(&w, &h, &fields, &[]).await.with(303).header("location");
        assert!(read(&w, &sent).await.ok().text().contains("Vi har sendt et link"), "{sent}");
        post(&w, NO, &format!("/hearings/{h}/answers"), body).await.with(202);
    })
    .await;
}

#[tokio::test]
async fn somebody_without_an_account_can_be_erased() {
    on_every_database(async |w| {
        let s = scene(&w).await;
        let mail = letters(&w);
        mail.start().await.expect("mail is on");
        let h = s.planned(&w, "invited").await;
        let hearing = format!("/hearings/{h}");
        let (party, link) = s.party(&w, &h, "Nordkøbing").await;
        s.party(&w, &h, "Sydby").await;
        tick(&w, "2026-12-01T08:00:00Z").await;
        let said = json!({ "items": [{ "comment": "Et godt udkast." }], "submit": true });
        let answers = format!("{hearing}/answers");
        let said = text(&post(&w, &link, &answers, said).await.with(201).json()["uuid"]);
        let draft = text(&post(&w, &link, &answers, json!({})).await.with(201).json()["uuid"]);
        send(&w, &link, "POST", &format!("{answers}/{draft}/attachments?name=a.txt"), &[], "x").await.with(201);
        assert_eq!(mail.compose().await.expect("composed"), 3);
        let of = format!("{hearing}/parties/{party}");
        let contact = text(&get(&w, &s.secretary, &of).await.ok().json()["contact"]["uuid"]);
        let contact = format!("/contacts/{contact}");

        // Who neither manages accounts nor steers the hearing may not.
        assert_eq!(ask(&w, NO, "DELETE", &contact, Value::Null).await.with(401).code(), "not-signed-in");
        assert_eq!(ask(&w, &link, "DELETE", &contact, Value::Null).await.status, 401);
        for role in [Role::Contributor, Role::Reader, Role::Publisher, Role::HearingParty] {
            let token = token(&w, &format!("X{role}"), Some(role)).await;
            assert_eq!(ask(&w, &token, "DELETE", &contact, Value::Null).await.with(403).code(), "forbidden");
        }
        assert!(get(&w, &s.secretary, &of).await.ok().text().contains("postkasse"));

        ask(&w, &s.secretary, "DELETE", &contact, Value::Null).await.with(204);
        assert_eq!(ask(&w, &s.secretary, "DELETE", &contact, Value::Null).await.with(404).code(), "not-found");
        let party = get(&w, &s.secretary, &of).await.ok().json();
        assert_eq!((&party["organisation"], party.get("contact")), (&json!("Nordkøbing"), None));
        assert_eq!(get(&w, &link, &hearing).await.with(401).code(), "expired", "its link went with it");
        let said = get(&w, &s.secretary, &format!("{answers}/{said}")).await.ok().json();
        assert_eq!(said["organisation"], "Nordkøbing", "what it said stays");
        assert_eq!(texts(&w, "SELECT mail FROM contact").await, ["post@sydby.example.dk"]);
        assert_eq!(texts(&w, "SELECT owner FROM attachment").await, Vec::<String>::new());
        let links = "SELECT c.mail FROM errand e LEFT JOIN contact c ON c.uuid = e.contact WHERE c.mail IS NULL";
        assert_eq!(texts(&w, links).await, Vec::<String>::new());
        assert_eq!(texts(&w, "SELECT body FROM letter WHERE body LIKE '%Nordkøbing%'").await, Vec::<String>::new());
        assert_eq!(texts(&w, "SELECT mail FROM letter WHERE mail IS NOT NULL").await, ["post@sydby.example.dk"]);
        let told = texts(&w, "SELECT subject FROM change WHERE kind = 'contact.erased'").await;
        assert_eq!(told.iter().map(|t| format!("/contacts/{t}")).collect::<Vec<_>>(), [contact]);

        // The operator may erase anybody, also somebody who only waits to be confirmed.
        let waiting = json!({ "title": "Hjælp", "vocabulary": "koder", "text": "Ret B.", "name": "Ida",
            "mail": "ida@example.dk" });
        post(&w, NO, "/change-requests", waiting).await.with(202);
        let ida = texts(&w, "SELECT uuid FROM contact WHERE mail = 'ida@example.dk'").await.remove(0);
        let ida = ida.parse().expect("a uuid");
        w.registry.erase_contact(&operator(), ida).await.expect("it is lawful");
        assert_eq!(texts(&w, "SELECT kind FROM errand WHERE kind = 'pending-request'").await, Vec::<String>::new());
        assert_eq!(w.registry.erase_contact(&operator(), ida).await.unwrap_err().code.as_str(), "not-found");
        w.registry.verify().await.expect("all is well");
    })
    .await;
}
