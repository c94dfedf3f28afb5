//! Mail digests through the front door: asked for, confirmed, told once, in words, and ended by the link in a letter;
//! whatever happens to mail, to the node, or to whom it was for.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use begreb::delivery::{DigestLetters, Digests, Post, Sender, Smtp};
use begreb::exchange::Format;
use begreb::model::Role;
use begreb::registry::{LetterState, Registry};
use begreb::store::Store;
use common::crew::{Person, person};
use common::{World, edition, on_every_database, operator, root};
use insta::assert_snapshot;
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

const ULLA: &str = "ulla@example.dk";

/// The mail server of a test; the same as in `tests/mail.rs`.
struct Server {
    process: Child,
    told: ChildStdin,
    said: BufReader<ChildStdout>,
    port: u16,
}

impl Server {
    fn start() -> Self {
        let mut process = Command::new("node")
            .arg(root().join("tests/smtp/server.js"))
            .arg("{}")
            .env("NODE_PATH", modules())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let told = process.stdin.take().expect("a pipe");
        let said = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut server = Self { process, told, said, port: 0 };
        server.port = server.hear()["ready"].as_u64().and_then(|p| u16::try_from(p).ok()).expect("a port");
        server
    }

    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("the mail server speaks");
        serde_json::from_str(&line).expect("JSON")
    }

    fn ask(&mut self, what: &Value) -> Value {
        writeln!(self.told, "{what}").expect("the mail server listens");
        self.hear()
    }

    fn behave(&mut self, mode: Value) {
        self.ask(&json!({ "mode": mode }));
    }

    fn mails(&mut self) -> Vec<Value> {
        self.ask(&json!({ "list": true }))["mails"].as_array().expect("a list").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The mail server's packages, installed once beside the build.
fn modules() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("smtp-server-3.21.6");
    std::fs::create_dir_all(&folder).expect("a folder");
    let lock = std::fs::File::create(folder.join("lock")).expect("a file");
    lock.lock().expect("one test at a time installs");
    if !folder.join("installed").exists() {
        for name in ["package.json", "package-lock.json"] {
            std::fs::copy(root().join("tests/smtp").join(name), folder.join(name)).expect("a copy");
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder);
        let done = npm.output().expect("npm runs");
        assert!(done.status.success(), "npm ci: {}", String::from_utf8_lossy(&done.stderr));
        std::fs::write(folder.join("installed"), "").expect("a file");
    }
    folder.join("node_modules")
}

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
        let path = link.strip_prefix("http://127.0.0.1:8080").expect("an address of ours").to_owned();
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

fn header(mail: &Value, name: &str) -> String {
    mail["headers"][name].as_str().unwrap_or_default().to_owned()
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

        let page = w.ask("GET", &format!("/digests/confirm/{link}"), &[("accept-language", "da")]).await.ok();
        assert!(page.text().contains("Ja, send mig besked"), "{}", page.text());
        assert_eq!(s.mails().await.len(), 1, "to look at it does nothing");
        w.ask("POST", &format!("/digests/confirm/{link}"), &[("origin", "https://evil.example")]).await.with(403);
        let page = w.ask("POST", &format!("/digests/confirm/{link}"), &[("accept-language", "da")]).await.ok();
        assert!(page.text().contains("Du får nu besked"), "{}", page.text());
        w.ask("POST", &format!("/digests/confirm/{link}"), &[]).await.with(410);
        assert_eq!(s.mails().await.len(), 1, "what was before is not told");
        import(&w, FIRST, "2028", "2028-01-01").await;
        assert_eq!(s.mails().await.len(), 2);
        for log in w.json("/api/v1/changes?after=0&limit=500").await["events"].as_array().expect("events") {
            assert!(!log.to_string().contains("example.dk"), "{log}");
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
        (json!({ "mail": "x", "every": "daily" }), 400, "invalid-body"),
        (json!({ "mail": ULLA, "every": "hourly" }), 400, "invalid-body"),
        (json!({ "mail": ULLA, "every": "daily", "colour": "red" }), 400, "invalid-body"),
        (json!({ "mail": ULLA, "every": "daily", "vocabularies": ["findes-ikke"] }), 404, "unknown-vocabulary"),
        (json!({ "mail": "b@example.dk", "every": "daily", "concepts": [none] }), 404, "unknown-concept"),
        (json!({ "mail": "d@example.dk", "every": "daily", "vocabularies": ["proeve"], "concepts": [none] }), 400, "invalid-body"),
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
        let english = json!({ "mail": "eve@example.dk", "vocabularies": ["proeve"], "every": "weekly", "language": "en" });
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
        import(&w, FIRST, "2028", "2028-01-01").await;
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
        import(&w, FIRST, "2028", "2028-01-01").await;
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
    assert!(text.contains("3000 nyt") && text.contains("… og 2950 til"), "{text}");
    assert_eq!(text.lines().filter(|l| l.starts_with("- ")).count(), 50);
    assert!(text.len() < 20_000);
}

#[tokio::test]
async fn a_backup_holds_digests_and_they_go_on() {
    let w = World::open("sqlite").await.expect("a database");
    let mut s = Scene::new(&w).await;
    let (_, path) = s.subscribe(&w, about("atOnce")).await;
    w.post("/api/v1/subscriptions/mail", json!({ "mail": "b@example.dk", "every": "daily" }).to_string()).await.with(202);
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
    assert_eq!(Digests::new(registry.clone()).compose().await.expect("digests"), 0, "what the backup holds is not told");
    let (digest, key) = path.trim_start_matches("/digests/").split_once('/').expect("a key");
    let key = begreb::model::Secret::shown(key);
    registry.end_digest(digest.parse().expect("a uuid"), &key).await.expect("links in old letters work");
}
