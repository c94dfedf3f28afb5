//! Mail digests through the front door: asked for, confirmed, told once, in words, and ended by the link in a letter;
//! whatever happens to mail, to the node, or to whom it was for.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;
#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
#[path = "common/postman.rs"]
mod postman;

use std::sync::Arc;
use std::time::Duration;

use begreb::delivery::{DigestLetters, Digests, Post, Sender, Smtp};
use begreb::exchange::Format;
use begreb::model::{Code, PausedBecause, Role, SubscriptionState};
use begreb::registry::{Actor, LetterState, Registry};
use begreb::store::Store;
use common::crew::{Person, person};
use common::{World, edition, instant, on_every_database, operator};
use insta::assert_snapshot;
use postman::Server;
use serde_json::{Value, json};

const FIRST: &str = "notation,parent,preferred.da,definition.da\n\
    A,,afklaring,det at finde ud af noget\n\
    B,A,bistand,hjælp\n\
    D,,dagtilbud,noget om dagen\n";

/// A is renamed and redefined, B is replaced by E.
const SECOND: &str = "notation,parent,preferred.da,definition.da,replaces\n\
    A,,udredning,det at undersøge en sag,\n\
    D,,dagtilbud,noget om dagen,\n\
    E,A,støtte,hjælp,B\n";

/// D is renamed.
const THIRD: &str = "notation,parent,preferred.da,definition.da,replaces\n\
    A,,udredning,det at undersøge en sag,\n\
    D,,dagophold,noget om dagen,\n\
    E,A,støtte,hjælp,B\n";

const ULLA: &str = "ulla@example.dk";

fn post(registry: &Arc<Registry>, port: u16) -> Post {
    let from = Sender::new("Begreb <begreb@registry.example.dk>").expect("a sender");
    let mut smtp = Smtp::new(&format!("smtp://127.0.0.1:{port}"), None, false, from).expect("an address");
    smtp.patience = Duration::from_secs(3);
    smtp.patience_after = Duration::from_secs(3);
    Post::new(registry.clone(), vec![Box::new(DigestLetters)], smtp)
}

/// A registry with a version that was in force before anybody listened, and mail turned on.
struct Scene {
    server: Server,
    post: Post,
    digests: Digests,
}

impl Scene {
    async fn new(w: &World) -> Self {
        import(w, FIRST, "2025", "2025-01-01").await;
        w.clock.set("2026-11-23T08:00:00Z");
        let server = Server::start();
        let post = post(&w.registry, server.port);
        post.start().await.expect("mail is turned on");
        Self { server, post, digests: Digests::new(w.registry.clone()) }
    }

    /// The letters that arrived, all of them, after everything was composed and sent that was due.
    async fn mails(&mut self) -> Vec<Value> {
        self.post.compose().await.expect("letters");
        self.digests.compose().await.expect("digests");
        self.post.send_due().await.expect("they are sent");
        self.server.mails()
    }

    /// Asks for a digest and follows the link: its uuid, and the path of its page.
    async fn subscribe(&mut self, w: &World, body: Value) -> (String, String) {
        w.post("/api/v1/subscriptions/mail", body.to_string()).await.with(202);
        let asked = self.mails().await.pop().expect("a letter");
        let body = json!({ "link": secret(&text(&asked)) });
        let made = w.post("/api/v1/subscriptions/mail/confirmation", body.to_string()).await.with(201).json();
        // The morning that comes is the first.
        self.digests.compose().await.expect("digests");
        let link = made["link"].as_str().expect("a link").to_owned();
        let path = link[link.find("/digests/").expect("a path")..].to_owned();
        (made["uuid"].as_str().expect("a uuid").to_owned(), path)
    }
}

async fn import(w: &World, file: &str, label: &str, effective: &str) {
    let mut request = edition("proeve", Format::Csv, file.as_bytes(), label, effective);
    request.accept_new = true;
    w.import(request).await.expect("it is lawful");
}

fn text(mail: &Value) -> String {
    mail["text"].as_str().expect("a text").to_owned()
}

/// The secret at the end of the link in a letter that asks.
fn secret(text: &str) -> String {
    let link = text.lines().find(|l| l.contains("/digests/confirm/")).expect("a link");
    link.rsplit('/').next().expect("a secret").trim().to_owned()
}

fn about(every: &str) -> Value {
    json!({ "mail": ULLA, "vocabularies": ["proeve"], "every": every })
}

/// A header, unfolded.
fn header(mail: &Value, name: &str) -> String {
    let words = mail["headers"][name].as_str().unwrap_or_default().split_whitespace();
    words.collect::<Vec<_>>().join(" ")
}

/// A letter as it is shown: uuids and keys differ from one run to the next.
fn shown(mail: &Value) -> String {
    let text = format!("{}\n\n{}", mail["subject"].as_str().expect("a subject"), text(mail));
    let key = |line: &str| match line.split_once("/digests/") {
        Some((before, _)) => format!("{before}/digests/…"),
        None => line.to_owned(),
    };
    text.lines().map(key).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn nothing_is_sent_before_a_link_was_followed() {
    on_every_database(async |w| {
        let body = json!({ "mail": "Ulla@Example.dk", "every": "daily" }).to_string();
        let refused = w.post("/api/v1/subscriptions/mail", body).await;
        assert_eq!((refused.status, refused.code()), (401, "not-signed-in".into()), "nobody could be written to");

        let mut s = Scene::new(&w).await;
        let asked = w.post("/api/v1/subscriptions/mail", about("atOnce").to_string()).await.with(202).json();
        assert_eq!(asked["state"], "unconfirmed");
        import(&w, SECOND, "2027", "2027-02-01").await;
        let mails = s.mails().await;
        assert_eq!(mails.len(), 1, "nothing but the question");
        assert_eq!(mails[0]["to"], json!([ULLA]));
        assert_eq!(header(&mails[0], "list-unsubscribe"), "", "there is nothing to end yet");
        let link = secret(&text(&mails[0]));
        assert!(!text(&mails[0]).contains("proeve"), "nothing stands in it that a stranger wrote");
        assert!(text(&mails[0]).contains("indtil 30. november 2026 kl. 09.00:"), "{}", text(&mails[0]));
        assert!(text(&mails[0]).contains("until 30 November 2026 at 09:00 (Danish time):"), "{}", text(&mails[0]));

        let page = w.ask("GET", &format!("/digests/confirm/{link}"), &[("accept-language", "da")]).await.ok();
        assert!(page.text().contains("Ja, send mig besked"), "{}", page.text());
        assert!(page.text().contains("/id/proeve"), "what there is to say yes to: {}", page.text());
        assert_eq!(s.mails().await.len(), 1, "to look at it does nothing");
        w.ask("POST", &format!("/digests/confirm/{link}"), &[("origin", "https://evil.example")]).await.with(403);
        let page = w.ask("POST", &format!("/digests/confirm/{link}"), &[("accept-language", "da")]).await.ok();
        assert!(page.text().contains("Du får nu besked"), "{}", page.text());
        w.ask("POST", &format!("/digests/confirm/{link}"), &[]).await.with(410);
        assert_eq!(s.mails().await.len(), 1, "what was before is not told");
        import(&w, THIRD, "2028", "2028-01-01").await;
        assert_eq!(s.mails().await.len(), 2);
        let store = Store::open(&w.address).await.expect("the database opens");
        for row in store.changes(0, 1000).await.expect("the log") {
            let told = [&row.actor, &row.body].map(|text| text.contains("example.dk"));
            assert_eq!(told, [false; 2], "{}: {}", row.kind, row.body);
        }
        w.registry.verify().await.expect("all is well");
    })
    .await;
}

#[tokio::test]
async fn what_is_not_confirmed_runs_out_and_may_not_pile_up() {
    on_every_database(async |w| {
        let mut s = Scene::new(&w).await;
        for _ in 0..3 {
            w.post("/api/v1/subscriptions/mail", about("daily").to_string()).await.with(202);
        }
        let refused = w.post("/api/v1/subscriptions/mail", about("daily").to_string()).await.with(429);
        assert_eq!(refused.code(), "too-many-attempts");
        let mails = s.mails().await;
        assert_eq!(mails.len(), 3);
        w.clock.set("2026-11-30T08:00:01Z");
        let body = json!({ "link": secret(&text(&mails[0])) }).to_string();
        w.post("/api/v1/subscriptions/mail/confirmation", body).await.with(401);
        w.registry.tick().await.expect("time passes");
        w.post("/api/v1/subscriptions/mail", about("daily").to_string()).await.with(202);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused() {
    let w = World::open("sqlite").await.expect("a database");
    let _s = Scene::new(&w).await;
    let none = "00000000-0000-4000-8000-000000000009";
    for (body, status, code) in [
        (json!({ "mail": "x", "every": "daily" }), 400, "invalid-mail"),
        (json!({ "mail": ULLA, "every": "hourly" }), 400, "invalid-body"),
        (json!({ "mail": ULLA, "every": "daily", "colour": "red" }), 400, "invalid-body"),
        (json!({ "mail": ULLA, "every": "daily", "vocabularies": ["findes-ikke"] }), 404, "unknown-vocabulary"),
        (json!({ "mail": "b@example.dk", "every": "daily", "concepts": [none] }), 404, "unknown-concept"),
        (
            json!({ "mail": "d@example.dk", "every": "daily", "vocabularies": ["proeve"], "concepts": [none] }),
            400,
            "invalid-body",
        ),
        (json!({ "mail": "c@example.dk", "every": "daily", "codeSet": none }), 401, "not-signed-in"),
    ] {
        let refused = w.post("/api/v1/subscriptions/mail", body.to_string()).await;
        assert_eq!((refused.status, refused.code().as_str()), (status, code), "{body}");
    }
    w.get("/digests/new?concept=nej").await.with(400);
    w.get(&format!("/digests/{none}/noget")).await.with(410);
    w.get("/digests/nej/noget").await.with(410);
}

#[tokio::test]
async fn a_digest_says_in_words_what_changes_and_when() {
    on_every_database(async |w| {
        let mut s = Scene::new(&w).await;
        let (_, path) = s.subscribe(&w, about("daily")).await;
        let english =
            json!({ "mail": "eve@example.dk", "vocabularies": ["proeve"], "every": "weekly", "language": "en" });
        s.subscribe(&w, english).await;
        import(&w, SECOND, "2027", "2027-02-01").await;
        assert_eq!(s.mails().await.len(), 2, "not before the morning");
        w.clock.set("2026-11-24T04:59:59Z");
        assert_eq!(s.mails().await.len(), 2);
        w.clock.set("2026-11-24T05:00:00Z");
        let mails = s.mails().await;
        assert_eq!(mails.len(), 3);
        assert_eq!(mails[2]["to"], json!([ULLA]));
        assert_eq!(header(&mails[2], "list-unsubscribe"), format!("List-Unsubscribe: <http://127.0.0.1:8080{path}>"));
        assert_eq!(header(&mails[2], "list-unsubscribe-post"), "List-Unsubscribe-Post: List-Unsubscribe=One-Click");
        assert_eq!(header(&mails[2], "content-language"), "Content-Language: da");
        assert!(text(&mails[2]).contains(&path), "{}", text(&mails[2]));
        assert_snapshot!("digest_da", shown(&mails[2]));
        w.clock.set("2026-11-30T05:00:00Z");
        let mails = s.mails().await;
        assert_eq!(mails.len(), 4, "nothing happened for those who hear of it daily");
        assert_eq!(mails[3]["to"], json!(["eve@example.dk"]));
        assert_snapshot!("digest_en", shown(&mails[3]));

        // The day comes.
        w.clock.set("2027-02-01T05:00:00Z");
        w.registry.tick().await.expect("time passes");
        let mails = s.mails().await;
        assert_eq!(mails.len(), 6);
        let daily = mails[4..].iter().find(|m| m["to"] == json!([ULLA])).expect("a letter");
        assert_snapshot!("digest_effective", shown(daily));
        w.registry.verify().await.expect("all is well");
    })
    .await;
}

#[tokio::test]
async fn a_concept_is_told_of_alone() {
    on_every_database(async |w| {
        let mut s = Scene::new(&w).await;
        let concept = |answer: &Value| answer["uuid"].as_str().expect("a uuid").to_owned();
        let d = concept(&w.json("/api/v1/vocabularies/proeve/concepts/D").await);
        let b = concept(&w.json("/api/v1/vocabularies/proeve/concepts/B").await);
        s.subscribe(&w, json!({ "mail": ULLA, "concepts": [d], "every": "atOnce" })).await;
        s.subscribe(&w, json!({ "mail": "bo@example.dk", "concepts": [b], "every": "atOnce" })).await;
        import(&w, SECOND, "2027", "2027-02-01").await;
        let mails = s.mails().await;
        let told: Vec<_> = mails[2..].iter().map(|m| m["to"][0].as_str().expect("an address")).collect();
        assert_eq!(told, ["bo@example.dk"], "nothing happened to D");
        let text = text(&mails[2]);
        assert!(text.contains("B bistand: erstattet") && text.contains("Brug i stedet: E støtte"), "{text}");
        assert!(!text.contains("udredning"), "{text}");
    })
    .await;
}

#[tokio::test]
async fn what_takes_over_is_told_by_what_goes() {
    on_every_database(async |w| {
        let mut s = Scene::new(&w).await;
        let d = w.json("/api/v1/vocabularies/proeve/concepts/D").await["uuid"].clone();
        s.subscribe(&w, about("atOnce")).await;
        s.subscribe(&w, json!({ "mail": "bo@example.dk", "concepts": [d], "every": "atOnce" })).await;
        let heading = "notation,preferred.da,definition.da,replaces";
        let both = "A,afklaring,det at finde ud af noget,\nD,dagtilbud,noget om dagen";
        import(&w, &format!("{heading}\n{both},B\n"), "2027", "2027-02-01").await;
        let mails = s.mails().await;
        assert_eq!(mails[2..].iter().map(|m| m["to"].clone()).collect::<Vec<_>>(), [json!([ULLA])], "D is what it was");
        let told = text(&mails[2]);
        assert!(told.contains("1 begreb: 1 erstattet") && told.contains("Brug i stedet: D dagtilbud"), "{told}");
        assert!(!told.contains("rettet"), "{told}");

        // What went before and was not replaced then is told by nothing else.
        w.clock.set("2026-11-24T12:00:00Z");
        let gone = "D,dagtilbud,noget om dagen,B\n";
        import(&w, &format!("{heading}\n{gone}"), "2028", "2028-02-01").await;
        let before = s.mails().await.len();
        w.clock.set("2026-11-25T12:00:00Z");
        import(&w, &format!("{heading}\n{}", gone.replace(",B", ",A|B")), "2029", "2029-02-01").await;
        let mails = s.mails().await;
        assert_eq!(mails.len(), before + 2);
        assert!(text(&mails[before]).contains("D dagtilbud: rettet"), "{}", text(&mails[before]));
    })
    .await;
}

#[tokio::test]
async fn the_link_in_a_letter_ends_it_by_one_click() {
    on_every_database(async |w| {
        let mut s = Scene::new(&w).await;
        let (_, path) = s.subscribe(&w, about("atOnce")).await;
        let (_, other) = s.subscribe(&w, json!({ "mail": "bo@example.dk", "every": "atOnce" })).await;
        import(&w, SECOND, "2027", "2027-02-01").await;
        // It lies there and waits while it is ended.
        assert_eq!(s.digests.compose().await.expect("digests"), 2);
        let page = w.ask("GET", &path, &[("accept-language", "en")]).await.ok();
        assert!(page.text().contains("Unsubscribe"), "{}", page.text());
        let (digest, key) = path.rsplit_once('/').expect("a key");
        let (_, others_key) = other.rsplit_once('/').expect("a key");
        w.ask("POST", &format!("{digest}/{others_key}"), &[]).await.with(410);
        w.ask("POST", &format!("{digest}/{}", &key[1..]), &[]).await.with(410);
        // As a mail program does it: without a cookie, and from wherever it is.
        let body = "List-Unsubscribe=One-Click";
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("origin", "https://mail.example")];
        let ended = w.post_as(&path, body, &headers).await.ok();
        assert!(ended.text().contains("afmeldt") || ended.text().contains("unsubscribed"), "{}", ended.text());
        w.post_as(&path, body, &headers).await.with(410);
        w.get(&path).await.with(410);
        let to = |mails: &[Value]| mails.iter().filter(|m| m["to"] == json!([ULLA])).count();
        assert_eq!(to(&s.mails().await), 1, "the question alone: what waited was dropped");
        w.clock.set("2026-11-23T09:00:00Z");
        import(&w, THIRD, "2028", "2028-01-01").await;
        assert_eq!(to(&s.mails().await), 1);
        w.registry.verify().await.expect("all is well");
    })
    .await;
}

#[tokio::test]
async fn whoever_is_erased_hears_no_more() {
    on_every_database(async |w| {
        let mut s = Scene::new(&w).await;
        s.subscribe(&w, about("atOnce")).await;
        let admin = person(&w, "Admin", &[Role::Administrator]).await;
        let find = format!("/subscriptions/mail?mail={ULLA}");
        let refused = Person::default().get(&w, &find).await;
        assert_eq!((refused.status, refused.code()), (401, "not-signed-in".into()));
        let found = admin.get(&w, &find).await.ok().json();
        let contact = found[0]["contact"].as_str().expect("a contact").to_owned();
        import(&w, SECOND, "2027", "2027-02-01").await;
        assert_eq!(s.digests.compose().await.expect("digests"), 1);
        admin.send(&w, "DELETE", &format!("/contacts/{contact}"), Value::Null).await.with(204);
        assert_eq!(admin.get(&w, &find).await.ok().json(), json!([]));
        assert_eq!(s.mails().await.len(), 1, "the question alone");
        for letter in w.registry.letters(&operator(), None, 100).await.expect("letters") {
            assert_eq!((letter.mail, letter.subject), (None, None), "{}", letter.kind);
        }
        w.registry.verify().await.expect("all is well");
    })
    .await;
}

#[tokio::test]
async fn mail_that_is_down_for_days_loses_nothing_and_repeats_nothing() {
    on_every_database(async |w| {
        let mut s = Scene::new(&w).await;
        s.subscribe(&w, about("daily")).await;
        s.server.behave(json!({ "rcpt": 451 }));
        import(&w, SECOND, "2027", "2027-02-01").await;
        for day in ["2026-11-24T05:00:00Z", "2026-11-25T05:00:00Z", "2026-11-26T05:00:00Z"] {
            w.clock.set(day);
            assert_eq!(s.mails().await.len(), 1, "{day}");
        }
        import(&w, THIRD, "2028", "2028-01-01").await;
        s.server.behave(json!({}));
        w.clock.set("2026-11-27T04:00:00Z");
        assert_eq!(s.mails().await.len(), 2, "the letter of the first day");
        w.clock.set("2026-11-27T05:00:00Z");
        let mails = s.mails().await;
        assert_eq!(mails.len(), 3);
        assert!(text(&mails[1]).contains("version 2027") && !text(&mails[1]).contains("version 2028"));
        assert!(text(&mails[2]).contains("version 2028") && !text(&mails[2]).contains("version 2027"));
        let letters = w.registry.letters(&operator(), None, 100).await.expect("letters");
        assert!(letters.iter().all(|l| l.state == LetterState::Sent));
    })
    .await;
}

#[tokio::test]
async fn days_in_which_our_own_mail_server_is_away_are_not_held_against_a_digest() {
    on_every_database(async |w| {
        let mut s = Scene::new(&w).await;
        s.subscribe(&w, about("atOnce")).await;
        s.server.down();
        news(&w, 2).await;
        s.digests.compose().await.expect("digests");
        for day in 24..=28 {
            w.clock.set(&format!("2026-11-{day}T08:00:00Z"));
            s.post.send_due().await.expect("the database");
        }
        // It is back, and whoever gets the letter says: not yet.
        s.server.up();
        s.server.behave(json!({ "rcpt": 451 }));
        w.clock.set("2026-11-28T16:00:00Z");
        assert!(came(&s.mails().await, ULLA).0.is_empty());
        let standing = &w.registry.digests(&operator()).await.expect("digests")[0];
        assert_eq!((standing.state, standing.waiting), (SubscriptionState::Active, 1), "{:?}", standing.answer);
        assert!(standing.answer.as_ref().is_some_and(|a| a.contains("451")), "{:?}", standing.answer);
        s.server.behave(json!({}));
        w.clock.set("2026-11-29T08:00:00Z");
        assert_eq!(came(&s.mails().await, ULLA).0, [2]);
    })
    .await;
}

#[tokio::test]
async fn of_two_nodes_one_tells_it() {
    on_every_database(async |w| {
        let mut s = Scene::new(&w).await;
        for n in 0..5 {
            let mail = format!("nr{n}@example.dk");
            s.subscribe(&w, json!({ "mail": mail, "vocabularies": ["proeve"], "every": "atOnce" })).await;
        }
        import(&w, SECOND, "2027", "2027-02-01").await;
        let beside = w.beside().await;
        let second = Digests::new(beside.registry.clone());
        let (one, other) = tokio::join!(s.digests.compose(), second.compose());
        assert_eq!(one.expect("digests") + other.expect("digests"), 5);
        assert_eq!(s.mails().await.len(), 10, "five questions, five digests");
    })
    .await;
}

#[tokio::test]
async fn a_huge_publication_is_counted_and_its_beginning_told() {
    let w = World::open("sqlite").await.expect("a database");
    let mut s = Scene::new(&w).await;
    s.subscribe(&w, about("atOnce")).await;
    let rows: String = (0..3000).map(|n| format!("N{n},,nyt begreb {n},det nye\n")).collect();
    import(&w, &format!("{FIRST}{rows}"), "2027", "2027-02-01").await;
    let mails = s.mails().await;
    let text = text(&mails[1]);
    assert!(text.contains("3000 nye") && text.contains("… og 2950 til"), "{text}");
    assert_eq!(text.lines().filter(|l| l.starts_with("- ")).count(), 50);
    assert!(text.len() < 20_000);
}

#[tokio::test]
async fn a_backup_holds_digests_and_they_go_on() {
    let w = World::open("sqlite").await.expect("a database");
    let mut s = Scene::new(&w).await;
    let (_, path) = s.subscribe(&w, about("atOnce")).await;
    w.post("/api/v1/subscriptions/mail", json!({ "mail": "b@example.dk", "every": "daily" }).to_string())
        .await
        .with(202);
    import(&w, SECOND, "2027", "2027-02-01").await;
    let mut backup = Vec::new();
    w.registry.backup(&mut backup).await.expect("a backup");
    let copy = World::open("sqlite").await.expect("a database");
    let store = Store::open(&copy.address).await.expect("the database opens");
    store.restore(&backup[..]).await.expect("it is restored");
    let registry = Arc::new(copy.reopened().await);
    registry.verify().await.expect("all is well");
    let post = post(&registry, s.server.port);
    post.start().await.expect("mail is turned on");
    assert_eq!(
        Digests::new(registry.clone()).compose().await.expect("digests"),
        0,
        "what the backup holds is not told"
    );
    let (digest, key) = path.trim_start_matches("/digests/").split_once('/').expect("a key");
    let key = begreb::model::Secret::shown(key);
    registry.end_digest(digest.parse().expect("a uuid"), &key).await.expect("links in old letters work");
}

/// An edition in which D is called otherwise: what each letter tells of.
async fn news(w: &World, number: usize) {
    let text = format!("notation,parent,preferred.da,definition.da\nA,,afklaring,noget\nD,,dag {number},noget\n");
    import(w, &text, &format!("nr{number}"), &format!("2027-01-{number:02}")).await;
}

/// Which of them a letter tells.
fn number(mail: &Value) -> usize {
    let text = text(mail);
    let (_, rest) = text.split_once("version nr").expect("a version");
    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().expect("a number")
}

/// What came to an address: the numbers in their order, and those that came again, by the Message-ID.
fn came(mails: &[Value], to: &str) -> (Vec<usize>, Vec<usize>) {
    let (mut once, mut again, mut seen): (Vec<usize>, Vec<usize>, Vec<(String, String)>) = Default::default();
    for mail in mails.iter().filter(|m| m["to"] == json!([to]) && text(m).contains("version nr")) {
        let (id, raw) = (header(mail, "message-id"), mail["raw"].as_str().expect("a letter").to_owned());
        match seen.iter().find(|(known, _)| *known == id) {
            Some((_, before)) => {
                assert_eq!(*before, raw, "what comes again is the same to the last byte");
                again.push(number(mail));
            }
            None => {
                once.push(number(mail));
                seen.push((id, raw));
            }
        }
    }
    (once, again)
}

/// Minutes after the scene began.
fn at_minute(minute: usize) -> String {
    format!("2026-11-{:02}T{:02}:{:02}:00Z", 23 + (8 * 60 + minute) / 1440, (8 + minute / 60) % 24, minute % 60)
}

#[tokio::test]
async fn whatever_becomes_of_the_mail_server_each_digest_arrives_in_order() {
    on_every_database(async |w| {
        let mut s = Scene::new(&w).await;
        for mail in [ULLA, "bo@example.dk"] {
            s.subscribe(&w, json!({ "mail": mail, "vocabularies": ["proeve"], "every": "atOnce" })).await;
        }
        // What goes wrong with the first attempt at each, and whether it may have arrived.
        let troubles = [
            ("it does not greet", json!({ "greet": "hang" }), false),
            ("it says 451 to whom", json!({ "rcpt": 451 }), false),
            ("it says 451 to what", json!({ "data": 451 }), false),
            ("it never answers", json!({ "data": "hang" }), false),
            ("it goes before it answers", json!({ "data": "drop" }), false),
            ("it has it and goes before it answers", json!({ "data": "take-and-drop" }), true),
            ("it is down", Value::Null, false),
        ];
        let (mut minute, mut twice) = (10, Vec::new());
        for (n, (what, mode, arrives)) in (1..).zip(troubles) {
            eprintln!("{what}");
            w.clock.set(&at_minute(minute));
            match mode {
                Value::Null => s.server.down(),
                mode => s.server.behave(mode),
            }
            news(&w, 2 * n).await;
            // A second sender finds it in trouble as well; each puts it off further.
            for _ in 0..3 {
                s.digests.compose().await.expect("digests");
                s.post.send_due().await.expect("the database");
                minute += 9;
                w.clock.set(&at_minute(minute));
            }
            if arrives {
                twice.push(2 * n);
            }
            match s.server.is_up() {
                true => s.server.behave(json!({})),
                false => s.server.up(),
            }
            // The next is laid down while this one waits for its time: it must not overtake.
            news(&w, 2 * n + 1).await;
            for _ in 0..4 {
                s.mails().await;
                minute += 20;
                w.clock.set(&at_minute(minute));
            }
            let mails = s.mails().await;
            for to in [ULLA, "bo@example.dk"] {
                let (once, again) = came(&mails, to);
                assert_eq!(once, (2..=2 * n + 1).collect::<Vec<_>>(), "{what}: {to}");
                assert!(again.iter().all(|n| twice.contains(n)), "{what}: {to}: {again:?} came again");
                assert_eq!(again.is_empty(), twice.is_empty(), "{what}: it may have arrived, so it is sent again");
            }
        }

        // Our own process dies in the middle, and nobody knows whether the letter went.
        news(&w, 20).await;
        s.digests.compose().await.expect("digests");
        let (now, until) = (instant(&at_minute(minute)), instant(&at_minute(minute + 15)));
        let store = Store::open(&w.address).await.expect("the database opens");
        store.claim_letter(now, until).await.expect("the database").expect("it is due");
        news(&w, 21).await;
        minute += 14;
        w.clock.set(&at_minute(minute));
        let mails = s.mails().await;
        let mut both = [ULLA, "bo@example.dk"].map(|to| came(&mails, to).0.last().copied());
        both.sort_unstable();
        assert_eq!(both, [Some(15), Some(21)], "what comes after it waits, and nobody else");
        minute += 2;
        w.clock.set(&at_minute(minute));
        assert_eq!(s.post.sweep().await.expect("the database"), 0, "a digest is never in doubt");
        let mails = s.mails().await;
        for to in [ULLA, "bo@example.dk"] {
            assert_eq!(came(&mails, to).0[14..], [20, 21], "{to}");
        }
        assert!(
            w.registry
                .letters(&operator(), None, 100)
                .await
                .expect("letters")
                .iter()
                .all(|l| l.state == LetterState::Sent)
        );
        w.registry.verify().await.expect("all is well");
    })
    .await;
}

#[tokio::test]
async fn an_address_that_is_refused_is_paused_and_misses_nothing() {
    on_every_database(async |w| {
        let mut s = Scene::new(&w).await;
        let (uuid, path) = s.subscribe(&w, about("atOnce")).await;
        let bo = json!({ "mail": "bo@example.dk", "vocabularies": ["proeve"], "every": "atOnce" });
        s.subscribe(&w, bo).await;
        s.server.behave(json!({ "rcpt": 550, "only": ULLA }));
        news(&w, 2).await;
        for attempt in 0..5 {
            w.clock.set(&at_minute(10 + attempt * 65));
            let mails = s.mails().await;
            assert_eq!((came(&mails, ULLA).0, came(&mails, "bo@example.dk").0), (vec![], vec![2]), "{attempt}");
            let standing = w.registry.digests(&operator()).await.expect("digests");
            assert_eq!(standing[0].state == SubscriptionState::Paused, attempt == 4, "after the fifth");
        }
        let one = &w.registry.digests(&operator()).await.expect("digests")[0];
        assert_eq!((one.digest.uuid.to_string(), one.paused_because), (uuid.clone(), Some(PausedBecause::Refused)));
        assert_eq!((one.waiting, one.tries, one.mail.as_deref()), (1, 5, Some(ULLA)));
        assert!(one.answer.as_ref().is_some_and(|a| a.contains("550")), "{:?}", one.answer);
        let metrics = w.get("/metrics").await.ok().text();
        for line in [
            "begreb_digests{state=\"active\"} 1",
            "begreb_digests{state=\"paused\"} 1",
            "begreb_digest_letters{state=\"sent\"} 1",
            "begreb_digest_letters{state=\"held\"} 1",
            "begreb_digest_letters{state=\"failed\"} 0",
            "begreb_mail_oldest_due_seconds 0",
        ] {
            assert!(metrics.lines().any(|l| l == line), "{line}: {metrics}");
        }

        // The mailbox is there again, and nobody knows: nothing is tried, and what happens goes to the other alone.
        s.server.behave(json!({}));
        w.clock.set(&at_minute(400));
        news(&w, 3).await;
        let mails = s.mails().await;
        assert_eq!((came(&mails, ULLA).0, came(&mails, "bo@example.dk").0), (vec![], vec![2, 3]));
        w.ask("GET", &path, &[]).await.ok();

        // Who confirms the same once more misses nothing, and the links in its letters work.
        let (again, same) = s.subscribe(&w, about("atOnce")).await;
        assert_eq!((&again, &same), (&uuid, &path));
        assert_eq!(came(&s.mails().await, ULLA).0, [2, 3]);
        assert_eq!(w.registry.digests(&operator()).await.expect("digests").len(), 2);
        w.registry.verify().await.expect("all is well");
    })
    .await;
}

#[tokio::test]
async fn who_asks_for_the_same_at_other_times_misses_nothing() {
    on_every_database(async |w| {
        let mut s = Scene::new(&w).await;
        let (uuid, path) = s.subscribe(&w, about("weekly")).await;
        w.clock.set("2026-11-24T08:00:00Z");
        news(&w, 2).await;
        // It is Tuesday: the letter of Monday is not laid down yet, and now it is to come each morning.
        let (again, same) = s.subscribe(&w, about("daily")).await;
        assert_eq!((&again, &same), (&uuid, &path), "links in its old letters work on");
        assert!(came(&s.mails().await, ULLA).0.is_empty());
        w.clock.set("2026-11-25T05:00:00Z");
        assert_eq!(came(&s.mails().await, ULLA).0, [2], "what happened before it was changed is told");
        // A letter that waits is sent too.
        news(&w, 3).await;
        w.clock.set("2026-11-26T05:00:00Z");
        assert_eq!(s.digests.compose().await.expect("digests"), 1);
        s.subscribe(&w, about("atOnce")).await;
        news(&w, 4).await;
        assert_eq!(came(&s.mails().await, ULLA).0, [2, 3, 4]);
        assert_eq!(w.registry.digests(&operator()).await.expect("digests").len(), 1);
        w.registry.verify().await.expect("all is well");
    })
    .await;
}

#[tokio::test]
async fn who_runs_the_registry_pauses_resumes_and_removes_digests() {
    on_every_database(async |w| {
        let mut s = Scene::new(&w).await;
        let (uuid, path) = s.subscribe(&w, about("daily")).await;
        let uuid = uuid.parse().expect("a uuid");
        let admin = person(&w, "Admin", &[Role::Administrator]).await.actor(&w).await;
        let editor = person(&w, "Eva", &[Role::Publisher]).await.actor(&w).await;
        for (who, code) in [(Actor::Public, Code::NotSignedIn), (editor, Code::NotAllowed)] {
            assert_eq!(w.registry.digests(&who).await.expect_err("no").code, code);
            assert_eq!(w.registry.pause_digest(&who, uuid).await.expect_err("no").code, code);
            assert_eq!(w.registry.resume_digest(&who, uuid).await.expect_err("no").code, code);
            assert_eq!(w.registry.remove_digest(&who, uuid).await.expect_err("no").code, code);
        }
        assert_eq!(w.registry.digests(&admin).await.expect("digests")[0].mail.as_deref(), Some(ULLA));
        // A session does not last as long as this.
        let admin = operator();
        news(&w, 2).await;
        // A letter that waits is not sent either.
        w.clock.set("2026-11-24T05:00:00Z");
        assert_eq!(s.digests.compose().await.expect("digests"), 1);
        for _ in 0..2 {
            w.registry.pause_digest(&admin, uuid).await.expect("it is paused");
        }
        w.clock.set("2026-11-25T05:00:00Z");
        assert!(came(&s.mails().await, ULLA).0.is_empty());
        news(&w, 3).await;
        for _ in 0..2 {
            w.registry.resume_digest(&admin, uuid).await.expect("it goes on");
        }
        assert_eq!(came(&s.mails().await, ULLA).0, [2]);
        w.clock.set("2026-11-26T05:00:00Z");
        assert_eq!(came(&s.mails().await, ULLA).0, [2, 3]);
        let kinds: Vec<String> = Store::open(&w.address)
            .await
            .expect("the database opens")
            .changes(0, 1000)
            .await
            .expect("the log")
            .into_iter()
            .filter(|c| c.subject == uuid)
            .map(|c| c.kind)
            .collect();
        assert_eq!(kinds, ["subscription.created", "subscription.paused", "subscription.resumed"], "said once each");
        w.registry.remove_digest(&admin, uuid).await.expect("it ends");
        let gone = w.registry.pause_digest(&admin, uuid).await.expect_err("it is gone");
        assert_eq!(gone.code, Code::UnknownSubscription);
        w.get(&path).await.with(410);
        assert_eq!(w.registry.digests(&admin).await.expect("digests"), []);
        w.registry.verify().await.expect("all is well");
    })
    .await;
}

#[tokio::test]
async fn who_keeps_a_code_set_is_told_of_its_codes_and_when_the_day_comes() {
    on_every_database(async |w| {
        let mut s = Scene::new(&w).await;
        let mut anne = person(&w, "Anne", &[]).await;
        let bo = person(&w, "Bo", &[]).await;
        let body = json!({ "name": "Sagssystemet", "vocabulary": "proeve", "codes": ["B"] });
        let set = anne.send(&w, "POST", "/code-sets", body).await.with(201).json()["usage"]["uuid"].clone();
        let wish = json!({ "mail": ULLA, "codeSet": set, "every": "atOnce" });
        bo.send(&w, "POST", "/subscriptions/mail", wish.clone()).await.with(404);
        anne.send(&w, "POST", "/subscriptions/mail", wish).await.with(202);
        let asked = s.mails().await.pop().expect("a letter");
        let body = json!({ "link": secret(&text(&asked)) });
        let made = w.post("/api/v1/subscriptions/mail/confirmation", body.to_string()).await.with(201).json();
        assert_eq!(made["codeSet"], set);

        // A and D change as well.
        import(&w, SECOND, "2027", "2027-02-01").await;
        import(&w, THIRD, "2028", "2028-01-01").await;
        let mails = s.mails().await;
        assert_eq!(mails.len(), 2);
        let told = text(&mails[1]);
        assert!(told.contains("B bistand: erstattet") && told.contains("Brug i stedet: E støtte"), "{told}");
        assert!(!told.contains("udredning") && !told.contains("dagophold"), "{told}");
        assert!(told.contains("1. februar 2027") && told.contains("med koder i »Sagssystemet«"), "{told}");
        assert_eq!(mails[1]["subject"], "Nyt om proeve (Sagssystemet) – 1. februar 2027");

        // The day comes, and it is told once more; what else falls on it is not.
        w.clock.set("2027-02-01T05:00:00Z");
        w.registry.tick().await.expect("time passes");
        let mails = s.mails().await;
        assert_eq!(mails.len(), 3);
        assert!(text(&mails[2]).contains("B bistand: erstattet"), "{}", text(&mails[2]));
        assert!(!text(&mails[2]).contains("udredning"), "{}", text(&mails[2]));

        // The set counts as it is: with D in it, its day is told.
        anne.sign_in(&w, "Anne").await;
        anne.send(
            &w,
            "POST",
            &format!("/code-sets/{}/codes?vocabulary=proeve", set.as_str().expect("a uuid")),
            json!(["D"]),
        )
        .await
        .ok();
        w.clock.set("2028-01-01T05:00:00Z");
        w.registry.tick().await.expect("time passes");
        let mails = s.mails().await;
        assert_eq!(mails.len(), 4);
        assert!(text(&mails[3]).contains("D dagophold"), "{}", text(&mails[3]));
        w.registry.verify().await.expect("all is well");
    })
    .await;
}

#[tokio::test]
async fn one_click_is_as_rfc_8058_has_it() {
    on_every_database(async |w| {
        let w = w.at_url("https://begreb.example.dk").await;
        let mut s = Scene::new(&w).await;
        let (_, path) = s.subscribe(&w, about("atOnce")).await;
        news(&w, 2).await;
        let mail = s.mails().await.pop().expect("a letter");
        let raw = mail["raw"].as_str().expect("a letter");
        let head = raw.split_once("\r\n\r\n").expect("a head").0;
        // Each once, with one address over TLS and nothing else, whole on a line.
        let fields =
            |name: &str| head.lines().filter(|l| l.to_ascii_lowercase().starts_with(&format!("{name}:"))).count();
        assert_eq!((fields("list-unsubscribe"), fields("list-unsubscribe-post")), (1, 1));
        assert_eq!(header(&mail, "list-unsubscribe"), format!("List-Unsubscribe: <https://begreb.example.dk{path}>"));
        assert!(head.contains(&format!("<https://begreb.example.dk{path}>")), "{head}");
        assert_eq!(header(&mail, "list-unsubscribe-post"), "List-Unsubscribe-Post: List-Unsubscribe=One-Click");
        assert!(head.lines().all(|l| l.len() <= 998), "{head}");
        // A scanner that follows the link ends nothing, however it asks.
        for method in ["GET", "HEAD"] {
            w.ask(method, &path, &[]).await.ok();
        }
        // A mail program posts a form, of either kind, without a cookie, and follows no redirect.
        let boundary = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
        let posted = [
            ("multipart/form-data; boundary=b", boundary),
            ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"),
        ];
        for (n, (kind, body)) in posted.into_iter().enumerate() {
            let path = if n == 0 { path.clone() } else { s.subscribe(&w, about("daily")).await.1 };
            let headers =
                [("content-type", kind), ("origin", "https://mail.example"), ("sec-fetch-site", "cross-site")];
            let mut request = axum::http::Request::post(&path);
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let ended = w.send(request.body(body.into()).expect("a request")).await.with(200);
            assert_eq!(
                (ended.header("set-cookie"), ended.header("location")),
                (String::new(), String::new()),
                "{kind}"
            );
            w.get(&path).await.with(410);
        }
    })
    .await;
}

#[tokio::test]
async fn addresses_that_would_do_harm_are_refused_and_nobody_is_bombed() {
    let w = World::open("sqlite").await.expect("a database");
    let mut s = Scene::new(&w).await;
    let long = format!("{}@example.dk", "a".repeat(10_000));
    for mail in [
        "a@example.dk\r\nBcc: evil@example.dk",
        "a\nb@example.dk",
        "a@example.dk\0",
        "a@example.dk,evil@example.dk",
        "<a@example.dk>",
        "a b@example.dk",
        "\"a\"@example.dk",
        "a@[127.0.0.1]",
        "a@exa\u{202e}mple.dk",
        "a\u{200b}@example.dk",
        "a@example..dk",
        "a@",
        "@example.dk",
        "a@b@example.dk",
        &long,
    ] {
        let refused = w.post("/api/v1/subscriptions/mail", json!({ "mail": mail, "every": "daily" }).to_string()).await;
        assert_eq!((refused.status, refused.code()), (400, "invalid-mail".into()), "{mail:?}");
    }
    // The same mailbox however it is written: three letters, and no more in a week.
    let written = ["Ulla@Example.DK", " ulla@example.dk ", "ULLA@EXAMPLE.DK", "ulla@example.dk", "uLLa@example.dk"];
    let from = |n: usize| format!("192.0.2.{n}");
    for day in 0..6 {
        w.clock.set(&format!("2026-11-{}T12:00:00Z", 23 + day));
        for (n, mail) in written.iter().enumerate() {
            let body = json!({ "mail": mail, "every": "daily" }).to_string();
            w.post_as("/api/v1/subscriptions/mail", body, &[("x-forwarded-for", &from(n))]).await;
        }
        assert_eq!(s.mails().await.len(), 3, "day {day}");
    }
    // One caller may not write to many either.
    w.clock.set("2026-11-29T12:00:00Z");
    let mut taken = 0;
    for n in 0..60 {
        let body = json!({ "mail": format!("offer{n}@example.dk"), "every": "daily" }).to_string();
        let answer = w.post("/api/v1/subscriptions/mail", body).await;
        assert!(matches!(answer.status, 202 | 429), "{}", answer.text());
        taken += usize::from(answer.status == 202);
    }
    assert!(taken <= 21, "{taken} at once");

    // Guesses lead nowhere, and tell nothing.
    let (uuid, path) = (uuid::Uuid::from_u128(7), "/api/v1/subscriptions/mail/confirmation");
    for guess in ["", "x", "../../etc/passwd", "\0", &"a".repeat(100_000), "%00", "begreb"] {
        w.post(path, json!({ "link": guess }).to_string()).await.with(401);
    }
    for key in ["x".to_owned(), "a".repeat(5000), "%00".into(), "%F0%28".into()] {
        let answer = w.get(&format!("/digests/{uuid}/{key}")).await;
        assert!(matches!(answer.status, 400 | 404 | 410 | 414), "{key}: {}", answer.status);
        let answer = w.ask("POST", &format!("/digests/{uuid}/{key}"), &[]).await;
        assert!(matches!(answer.status, 400 | 404 | 410 | 414), "{key}: {}", answer.status);
    }
}
