//! Mail from the change log to a real mail server, and what must hold on the way: no letter is composed twice, none is
//! sent twice, and none is lost without a word.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;
#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
#[path = "common/postman.rs"]
mod postman;

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant as Stopwatch};

use begreb::delivery::{
    Composed, Composer, Desk, Letter, LetterKind, LetterLanguage, Post, Protection, SecurityNotices, Sender, Smtp,
};
use begreb::model::{Change, Code, Dice, Password, Result, Role, Secret};
use begreb::registry::{AccountChange, AccountRequest, GiveRequest, GroupRequest, LetterState, Registry, Settings};
use begreb::store::{Claimed, Laid, Settled, Store};
use common::{Folder, World, instant, on_every_database, operator, root};
use futures::future::BoxFuture;
use postman::Server;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use uuid::Uuid;

const ANNE: (&str, &str) = ("Anne Ærlig", "anne@example.dk");

fn smtp(address: &str, password: Option<&str>) -> Smtp {
    let from = Sender::new("Begrebsregistret Ø <begreb@registry.example.dk>").expect("a sender");
    let mut smtp =
        Smtp::new(address, password, false, from).expect("an address").greeted_as("https://begreb.example.dk");
    smtp.patience = Duration::from_secs(3);
    smtp.patience_after = Duration::from_secs(3);
    smtp
}

/// The way to a mail server of a test.
fn at(server: &Server) -> Smtp {
    smtp(&format!("smtp://127.0.0.1:{}", server.port), None)
}

/// Dice that fall as they like.
struct Dices(AtomicU8);

impl Dice for Dices {
    fn throw(&self) -> Result<[u8; 32]> {
        Ok(*Uuid::new_v5(&Uuid::nil(), &[self.0.fetch_add(1, Ordering::SeqCst)]).as_bytes()).map(|half| {
            let mut whole = [0; 32];
            whole[..16].copy_from_slice(&half);
            whole
        })
    }
}

fn post(registry: &Arc<Registry>, smtp: Smtp) -> Post {
    Post::new(registry.clone(), vec![Box::new(SecurityNotices)], smtp)
}

/// A second process on the same database.
async fn second(w: &World) -> Arc<Registry> {
    Arc::new(w.reopened().await.with_dice(Arc::new(Dices(AtomicU8::new(100)))))
}

async fn store(w: &World) -> Store {
    Store::open(&w.address).await.expect("the database opens")
}

/// An account, and the link that was shown.
async fn account(w: &World, (name, mail): (&str, &str)) -> (Uuid, String) {
    let request = AccountRequest { name: name.parse().unwrap(), mail: mail.parse().unwrap(), organisation: None };
    let made = w.registry.create_account(&operator(), request).await.expect("it is lawful");
    (made.account.uuid, made.link)
}

async fn give(w: &World, account: Uuid, role: Role) -> Uuid {
    let request = GiveRequest { account: Some(account), group: None, role, vocabulary: None };
    w.registry.give(&operator(), request).await.expect("it is lawful").uuid
}

/// Anne, who may read, and nothing that waits: mail is turned on after her account was created.
async fn with_anne(w: &World, post: &Post) -> Uuid {
    let (anne, _) = account(w, ANNE).await;
    post.start().await.unwrap();
    assert_eq!(post.compose().await.unwrap(), 0, "what was before mail is not told");
    anne
}

async fn states(w: &World) -> Vec<LetterState> {
    let letters = w.registry.letters(&operator(), None, 1000).await.expect("they are read");
    letters.into_iter().map(|l| l.state).collect()
}

async fn one(w: &World) -> begreb::registry::LetterRow {
    let mut letters = w.registry.letters(&operator(), None, 1000).await.expect("they are read");
    assert_eq!(letters.len(), 1);
    letters.remove(0)
}

/// A number that is read past the registry.
async fn number(w: &World, sql: &str) -> i64 {
    let sql = AssertSqlSafe(sql.to_owned());
    match w.database {
        "sqlite" => sqlx::query_scalar(sql).fetch_one(&mut SqliteConnection::connect(&w.address).await.unwrap()).await,
        _ => sqlx::query_scalar(sql).fetch_one(&mut PgConnection::connect(&w.address).await.unwrap()).await,
    }
    .expect("a number")
}

async fn tampered(w: &World, sql: &str) -> String {
    let sql = AssertSqlSafe(sql.to_owned());
    match w.database {
        "sqlite" => {
            let mut c = SqliteConnection::connect(&w.address).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut c).await.map(drop)
        }
        _ => {
            let mut c = PgConnection::connect(&w.address).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut c).await.map(drop)
        }
    }
    .expect_err("the database refuses")
    .to_string()
}

#[tokio::test]
async fn an_invitation_arrives_and_its_link_works() {
    on_every_database(async |w| {
        let mut server = Server::start();
        let post = post(&w.registry, at(&server));
        post.start().await.unwrap();
        let (anne, shown) = account(&w, ANNE).await;
        assert_eq!(post.compose().await.unwrap(), 1);
        assert_eq!(post.compose().await.unwrap(), 0, "composed once");
        assert!(post.send_due().await.unwrap());
        assert!(post.send_due().await.unwrap());
        let mails = server.mails();
        assert_eq!(mails.len(), 1, "sent once");
        let mail = &mails[0];
        assert_eq!(mail["from"], "begreb@registry.example.dk");
        assert_eq!(mail["to"], json!([ANNE.1]));
        assert_eq!(mail["addressed"], json!([{ "address": ANNE.1, "name": ANNE.0 }]));
        assert_eq!(mail["subject"], "Din konto i begrebsregistret / Your account in the concept registry");
        let header = |name: &str| mail["headers"][name].as_str().unwrap_or_else(|| panic!("{name}: {mail}")).to_owned();
        assert_eq!(header("auto-submitted"), "Auto-Submitted: auto-generated");
        assert_eq!(header("date"), "Date: Sun, 22 Nov 2026 12:00:00 +0000");
        assert_eq!(header("content-language"), "Content-Language: da, en");
        let letter = one(&w).await;
        let id = format!("Message-ID: <{}.{}@registry.example.dk>", letter.change, letter.uuid.simple());
        assert_eq!(header("message-id"), id);
        let text = mail["text"].as_str().unwrap();
        assert!(text.contains("Kære Anne Ærlig") && text.contains("Dear Anne Ærlig"), "{text}");
        assert_eq!((letter.state, letter.recipient, letter.attempts), (LetterState::Sent, anne, 1));
        // The secret is not kept: neither here, nor as anything but its digest.
        assert_eq!(number(&w, "SELECT COUNT(*) FROM letter WHERE body IS NOT NULL").await, 0);

        let link = text.lines().find(|l| l.contains("/setup?key=")).expect("a link").trim();
        assert_ne!(link, shown);
        assert_eq!(w.registry.resend_letter(&operator(), letter.uuid).await.unwrap_err().code, Code::Unlawful);
        let secret = |link: &str| Secret::shown(link.split_once("key=").unwrap().1);
        let password = Password::new("korrekt hest batteri").unwrap();
        w.registry.use_link(&secret(link), &password).await.expect("the mailed link works");
        let used = w.registry.use_link(&secret(&shown), &password).await.unwrap_err();
        assert_eq!(used.code, Code::Expired, "and then no other does");
        post.compose().await.unwrap();
        post.send_due().await.unwrap();
        let mails = server.mails();
        assert_eq!(mails[1]["subject"], "Din adgangskode er sat / Your password was set");
        w.registry.verify().await.expect("all is well");
    })
    .await;
}

#[tokio::test]
async fn rights_that_are_given_and_taken_are_told_to_whom_they_concern() {
    on_every_database(async |w| {
        let mut server = Server::start();
        let post = post(&w.registry, at(&server));
        let anne = with_anne(&w, &post).await;
        let (bo, _) = account(&w, ("Bo \"<evil@example.dk>\", x", "bo@example.dk")).await;
        post.compose().await.unwrap();
        w.registry.drop_letter(&operator(), one(&w).await.uuid).await.expect("it waits");
        let grant = give(&w, anne, Role::Publisher).await;
        w.registry.take(&operator(), grant).await.unwrap();
        let members = [anne, bo].into();
        let group = GroupRequest { name: "Udvalget".parse().unwrap(), kind: "committee".parse().unwrap(), members };
        let group = w.registry.create_group(&operator(), group).await.unwrap();
        let request = GiveRequest { account: None, group: Some(group.uuid), role: Role::Chair, vocabulary: None };
        w.registry.give(&operator(), request).await.unwrap();
        assert_eq!(post.compose().await.unwrap(), 4, "given, taken, and one for each member");
        post.send_due().await.unwrap();
        let mails = server.mails();
        let mut told: Vec<(String, String)> = mails
            .iter()
            .map(|m| {
                assert_eq!(m["to"].as_array().unwrap().len(), 1);
                let said = m["text"].as_str().unwrap().lines().nth(2).unwrap().to_owned();
                (m["to"][0].as_str().unwrap().to_owned(), said)
            })
            .collect();
        told.sort();
        let expected = [
            (ANNE.1, "Du har fået rollen chair for hele registret."),
            (ANNE.1, "Du har fået rollen publisher for hele registret."),
            (ANNE.1, "Du har ikke længere rollen publisher for hele registret."),
            ("bo@example.dk", "Du har fået rollen chair for hele registret."),
        ];
        assert_eq!(told, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
        let bo = mails.iter().find(|m| m["to"][0] == "bo@example.dk").unwrap();
        let addressed = json!([{ "address": "bo@example.dk", "name": "Bo \"<evil@example.dk>\", x" }]);
        assert_eq!(bo["addressed"], addressed, "a name is a name, whatever it says");
        // Who may not sign in is not written to, and what is long past is not told.
        let change = AccountChange { active: Some(false), ..AccountChange::default() };
        w.registry.change_account(&operator(), anne, change).await.unwrap();
        give(&w, anne, Role::Reader).await;
        assert_eq!(post.compose().await.unwrap(), 0);
        w.clock.set("2026-11-23T12:00:00Z");
        give(&w, group.members.last().copied().unwrap(), Role::Contributor).await;
        w.clock.set("2026-12-01T12:00:00Z");
        assert_eq!(post.compose().await.unwrap(), 0, "eight days old");
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_down_gets_the_letter_once_when_it_is_up() {
    on_every_database(async |w| {
        let port = Server::start().port;
        let down = smtp(&format!("smtp://127.0.0.1:{port}"), None);
        let post = post(&w.registry, down);
        let anne = with_anne(&w, &post).await;
        give(&w, anne, Role::Reader).await;
        give(&w, anne, Role::Chair).await;
        post.compose().await.unwrap();
        assert!(!post.send_due().await.unwrap(), "nobody is there");
        let waiting = w.registry.letters(&operator(), Some(LetterState::Queued), 10).await.unwrap();
        let tried: Vec<i64> = waiting.iter().map(|l| l.attempts).collect();
        assert_eq!(tried.iter().sum::<i64>(), 1, "no other letter is tried in vain: {tried:?}");
        let put_off = waiting.iter().find(|l| l.attempts == 1).unwrap();
        assert!(put_off.answer.as_deref().is_some_and(|a| a.to_lowercase().contains("connect")), "{put_off:?}");
        let due = put_off.due.unwrap();
        assert!(due >= instant("2026-11-22T12:00:45Z") && due <= instant("2026-11-22T12:01:15Z"), "{due}");

        let mut server = Server::with(&json!({ "port": port }));
        assert!(post.send_due().await.unwrap());
        assert_eq!(server.mails().len(), 1, "the one that was not tried yet");
        w.clock.set("2026-11-22T12:00:30Z");
        post.send_due().await.unwrap();
        assert_eq!(server.mails().len(), 1, "the other is not due yet");
        w.clock.set("2026-11-22T12:01:15Z");
        post.send_due().await.unwrap();
        post.send_due().await.unwrap();
        assert_eq!(server.mails().len(), 2);
        assert_eq!(states(&w).await, [LetterState::Sent; 2]);
    })
    .await;
}

#[tokio::test]
async fn a_letter_is_put_off_refused_or_given_up() {
    on_every_database(async |w| {
        let mut server = Server::start();
        let post = post(&w.registry, at(&server));
        let anne = with_anne(&w, &post).await;
        give(&w, anne, Role::Reader).await;
        post.compose().await.unwrap();

        // 4xx, to the recipient and to the letter itself; the wait grows.
        let mut waits = Vec::new();
        for mode in [json!({ "rcpt": 450 }), json!({ "data": 451 }), json!({ "data": 452 })] {
            server.behave(mode);
            assert!(post.send_due().await.unwrap(), "the server is there");
            let letter = one(&w).await;
            assert_eq!(letter.state, LetterState::Queued);
            let now = w.registry.clock().now();
            waits.push((letter.due.unwrap().micros() - now.micros()) / 1_000_000);
            post.send_due().await.unwrap();
            assert_eq!(one(&w).await.attempts, letter.attempts, "not before its time");
            w.clock.set(&letter.due.unwrap().to_string());
        }
        for (wait, base) in waits.iter().zip([60, 120, 240]) {
            assert!((base * 3 / 4..=base * 5 / 4).contains(wait), "{waits:?}");
        }
        assert!(one(&w).await.answer.unwrap().contains("452"), "what the server said is on record");
        server.behave(json!({}));
        post.send_due().await.unwrap();
        assert_eq!((one(&w).await.state, server.mails().len()), (LetterState::Sent, 1));

        // 5xx is the end, at either place.
        for mode in [json!({ "rcpt": 550 }), json!({ "data": 554 })] {
            give(&w, anne, if mode["rcpt"].is_null() { Role::Chair } else { Role::Publisher }).await;
            post.compose().await.unwrap();
            server.behave(mode);
            post.send_due().await.unwrap();
            server.behave(json!({}));
            w.clock.set("2026-11-23T12:00:00Z");
            post.send_due().await.unwrap();
        }
        let refused = w.registry.letters(&operator(), Some(LetterState::Refused), 10).await.unwrap();
        assert_eq!((refused.len(), server.mails().len()), (2, 1));

        // After three days it is given up; a person may have it sent again.
        w.clock.set("2026-12-01T12:00:00Z");
        give(&w, anne, Role::Secretary).await;
        post.compose().await.unwrap();
        server.behave(json!({ "rcpt": 450 }));
        let mut attempts = 0;
        while let Some(letter) = w.registry.letters(&operator(), Some(LetterState::Queued), 1).await.unwrap().pop() {
            w.clock.set(&letter.due.unwrap().to_string());
            post.send_due().await.unwrap();
            attempts += 1;
            assert!(attempts < 50, "it ends");
        }
        assert!((12..=30).contains(&attempts), "{attempts}");
        let given_up = w.registry.letters(&operator(), Some(LetterState::GivenUp), 1).await.unwrap().remove(0);
        let done = given_up.done.unwrap();
        assert!(done > instant("2026-12-04T04:00:00Z") && done <= instant("2026-12-04T12:00:00Z"), "{done}");
        server.behave(json!({}));
        w.registry.resend_letter(&operator(), given_up.uuid).await.unwrap();
        post.send_due().await.unwrap();
        assert_eq!(server.mails().len(), 2);
        w.registry.verify().await.expect("all is well");
    })
    .await;
}

#[tokio::test]
async fn what_may_have_arrived_is_not_sent_again_by_itself() {
    on_every_database(async |w| {
        let mut server = Server::start();
        let post = post(&w.registry, at(&server));
        let anne = with_anne(&w, &post).await;
        let cases = [(Role::Reader, "take-and-drop", 1), (Role::Chair, "drop", 1), (Role::Secretary, "hang", 1)];
        for (role, mode, mails) in cases {
            give(&w, anne, role).await;
            post.compose().await.unwrap();
            server.behave(json!({ "data": mode }));
            let begun = Stopwatch::now();
            assert!(post.send_due().await.unwrap());
            assert!(begun.elapsed() < Duration::from_secs(10), "{mode} is bounded");
            server.behave(json!({}));
            w.clock.set("2026-11-25T12:00:00Z");
            post.sweep().await.unwrap();
            post.send_due().await.unwrap();
            assert_eq!(server.mails().len(), mails, "{mode}");
        }
        assert_eq!(states(&w).await, [LetterState::Doubt; 3]);
        let health = w.json("/health/ready").await;
        assert_eq!((&health["status"], &health["mail"]["doubt"]), (&json!("ok"), &json!(3)));
        let metrics = w.get("/metrics").await.ok().text();
        assert!(metrics.contains("begreb_mail_letters{state=\"doubt\"} 3"), "{metrics}");

        // A person decides: one is sent again, one is not.
        let doubtful = w.registry.letters(&operator(), Some(LetterState::Doubt), 10).await.unwrap();
        w.registry.resend_letter(&operator(), doubtful[0].uuid).await.unwrap();
        w.registry.drop_letter(&operator(), doubtful[1].uuid).await.unwrap();
        post.send_due().await.unwrap();
        assert_eq!(server.mails().len(), 2);
        let no = w.registry.resend_letter(&operator(), doubtful[1].uuid).await.unwrap_err();
        assert_eq!(no.code, Code::Unlawful, "what was dropped is gone");
        let none = w.registry.resend_letter(&operator(), Uuid::nil()).await.unwrap_err();
        assert_eq!(none.code, Code::NotFound);
        // The third is too old to be sent a month later.
        w.clock.set("2026-12-26T12:00:01Z");
        post.sweep().await.unwrap();
        assert_eq!(w.registry.letters(&operator(), Some(LetterState::Doubt), 10).await.unwrap(), []);
        assert_eq!(number(&w, "SELECT COUNT(*) FROM letter WHERE mail IS NOT NULL AND state <> 'sent'").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_server_that_does_not_greet_is_not_waited_for() {
    let w = World::open("sqlite").await.unwrap();
    let mut server = Server::start();
    server.behave(json!({ "greet": "hang" }));
    let post = post(&w.registry, at(&server));
    let anne = with_anne(&w, &post).await;
    give(&w, anne, Role::Reader).await;
    post.compose().await.unwrap();
    let begun = Stopwatch::now();
    assert!(!post.send_due().await.unwrap());
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(one(&w).await.state, LetterState::Queued, "nothing was handed over: it is tried again");
}

#[tokio::test]
async fn a_process_that_dies_at_any_step_sends_nothing_twice() {
    on_every_database(async |w| {
        let mut server = Server::start();
        let first = post(&w.registry, at(&server));
        let anne = with_anne(&w, &first).await;
        // Between composing and sending.
        give(&w, anne, Role::Reader).await;
        first.compose().await.unwrap();
        let other = second(&w).await;
        let other = post(&other, at(&server));
        other.start().await.unwrap();
        assert_eq!(other.compose().await.unwrap(), 0);
        other.send_due().await.unwrap();
        first.send_due().await.unwrap();
        assert_eq!(server.mails().len(), 1);

        // Between composing and its commit: nothing was laid down, and the row is read again.
        give(&w, anne, Role::Chair).await;
        let store = store(&w).await;
        let position = store.mail_position().await.unwrap().unwrap();
        let (mail, now) = (ANNE.1.parse().unwrap(), w.registry.clock().now());
        let laid = Laid {
            change: position,
            recipient: anne,
            kind: "half",
            mail: &mail,
            name: None,
            language: "da",
            subject: "x",
            text: "y",
            secret: false,
            unsubscribe: None,
        };
        let mut half = store.outbox(position, position, now).await.unwrap().expect("nobody was faster");
        assert!(half.lay(&laid).await.unwrap());
        drop(half);
        assert_eq!(first.compose().await.unwrap(), 1);
        assert!(store.outbox(position, position, now).await.unwrap().is_none(), "the rows were read by now");
        first.send_due().await.unwrap();
        assert_eq!(server.mails().len(), 2);

        // Between begun and done.
        give(&w, anne, Role::Secretary).await;
        first.compose().await.unwrap();
        let until = instant("2026-11-22T12:15:00Z");
        let dead: Claimed = store.claim_letter(now, until).await.unwrap().expect("it is due");
        for at in ["2026-11-22T12:14:59Z", "2026-11-22T12:15:00Z", "2026-11-25T12:00:00Z"] {
            w.clock.set(at);
            other.sweep().await.unwrap();
            other.send_due().await.unwrap();
            let begun = instant(at) < until;
            let expected = if begun { LetterState::Begun } else { LetterState::Doubt };
            assert_eq!(store.letter_state(dead.uuid).await.unwrap(), Some(expected), "{at}");
        }
        assert_eq!(server.mails().len(), 2);
        // It was not dead, only slow: that it was sent is taken in; sent stays sent.
        store.settle_letter(&dead, &Settled::As(LetterState::Sent), "250 ok", now).await.unwrap();
        store.settle_letter(&dead, &Settled::Later(now), "450 no", now).await.unwrap();
        assert_eq!(store.letter_state(dead.uuid).await.unwrap(), Some(LetterState::Sent));
        let refused =
            tampered(&w, "UPDATE letter SET state = 'queued', done = NULL, mail = 'a', subject = 'a', body = 'a'")
                .await;
        assert!(refused.contains("is not sent again"), "{refused}");
        let refused = tampered(&w, "DELETE FROM letter").await;
        assert!(refused.contains("from being sent twice"), "{refused}");
        let refused = tampered(&w, "UPDATE mail_position SET seq = 0").await;
        assert!(refused.contains("not read twice"), "{refused}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_at_once_compose_and_send_each_letter_once() {
    on_every_database(async |w| {
        let mut server = Server::start();
        let first = post(&w.registry, at(&server));
        first.start().await.unwrap();
        let nodes = [first, post(&second(&w).await, at(&server)), post(&second(&w).await, at(&server))];
        for i in 0..24 {
            account(&w, (&format!("Person {i}"), &format!("person{i}@example.dk"))).await;
        }
        let [a, b, c] = &nodes;
        let laid = tokio::join!(a.compose(), b.compose(), c.compose());
        assert_eq!(laid.0.unwrap() + laid.1.unwrap() + laid.2.unwrap(), 24);
        let links = number(&w, "SELECT COUNT(*) FROM one_time_link").await;
        assert_eq!(links, 48, "one handed out and one mailed to each; none of a composition that lost");
        let sent = tokio::join!(a.send_due(), b.send_due(), c.send_due());
        assert!(sent.0.unwrap() && sent.1.unwrap() && sent.2.unwrap());
        let mut to: Vec<String> = server.mails().iter().map(|m| m["to"][0].as_str().unwrap().to_owned()).collect();
        assert_eq!(to.len(), 24);
        to.sort();
        to.dedup();
        assert_eq!(to.len(), 24, "each once");
        assert_eq!(states(&w).await, [LetterState::Sent; 24]);
    })
    .await;
}

#[tokio::test]
async fn who_is_erased_is_not_written_to_and_nothing_of_them_is_kept() {
    on_every_database(async |w| {
        let mut server = Server::start();
        let post = post(&w.registry, at(&server));
        let anne = with_anne(&w, &post).await;
        let store = store(&w).await;
        for role in [Role::Reader, Role::Chair, Role::Secretary] {
            give(&w, anne, role).await;
        }
        post.compose().await.unwrap();
        let now = w.registry.clock().now();
        let until = instant("2026-11-22T12:15:00Z");
        // One was sent, one is on its way, one waits; and somebody else is about to lay one down.
        let sent = store.claim_letter(now, until).await.unwrap().unwrap();
        store.settle_letter(&sent, &Settled::As(LetterState::Sent), "250 ok anne@example.dk", now).await.unwrap();
        let begun = store.claim_letter(now, until).await.unwrap().unwrap();
        let position = store.mail_position().await.unwrap().unwrap();
        w.registry.erase_account(&operator(), anne).await.unwrap();
        assert_eq!(
            number(&w, "SELECT COUNT(*) FROM letter WHERE COALESCE(mail, name, subject, body, answer) IS NOT NULL")
                .await,
            0
        );
        let mut outbox = store.outbox(position, position, now).await.unwrap().expect("nobody was faster");
        let (mail, name) = (ANNE.1.parse().unwrap(), ANNE.0.parse().unwrap());
        let laid = Laid {
            change: position,
            recipient: anne,
            kind: "late",
            mail: &mail,
            name: Some(&name),
            language: "da",
            subject: "x",
            text: "y",
            secret: false,
            unsubscribe: None,
        };
        assert!(!outbox.lay(&laid).await.unwrap(), "the address was read before it was erased");
        drop(outbox);
        store.settle_letter(&begun, &Settled::Later(now), "450 anne@example.dk later", now).await.unwrap();
        post.compose().await.unwrap();
        post.send_due().await.unwrap();
        assert_eq!(server.mails().len(), 0);
        let mut left = states(&w).await;
        left.sort();
        assert_eq!(left, [LetterState::Sent, LetterState::Dropped, LetterState::Dropped]);
        assert_eq!(
            number(&w, "SELECT COUNT(*) FROM letter WHERE COALESCE(mail, name, subject, body, answer) IS NOT NULL")
                .await,
            0
        );
        w.registry.verify().await.expect("all is well");
    })
    .await;
}

#[tokio::test]
async fn mail_begins_when_it_is_turned_on_and_goes_on_where_it_was() {
    on_every_database(async |w| {
        let mut server = Server::start();
        let post = post(&w.registry, at(&server));
        let (anne, _) = account(&w, ANNE).await;
        assert_eq!(post.compose().await.unwrap(), 0, "it is off");
        assert_eq!(w.json("/health/ready").await["mail"], Value::Null);
        post.start().await.unwrap();
        give(&w, anne, Role::Reader).await;
        // Off for a while: another process without mail writes, and nothing is lost.
        let behind = w.json("/health/ready").await;
        assert_eq!((&behind["mail"]["behind"], &behind["status"]), (&json!(1), &json!("ok")));
        post.start().await.unwrap();
        assert_eq!(post.compose().await.unwrap(), 1);
        w.clock.set("2026-11-22T12:00:30Z");
        let metrics = w.get("/metrics").await.ok().text();
        assert!(metrics.contains("begreb_mail_oldest_due_seconds 30"), "{metrics}");
        post.send_due().await.unwrap();
        assert_eq!(server.mails().len(), 1);

        // A backup holds no letters; what is restored from it tells nothing of what was, not even where mail was on.
        give(&w, anne, Role::Chair).await;
        post.compose().await.unwrap();
        let mut backup = Vec::new();
        w.registry.backup(&mut backup).await.unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(&backup[..]).read_to_string(&mut text).unwrap();
        assert!(!text.contains("Du har") && !text.contains("\"letter\""), "no letters");
        let folder = Folder::new();
        let new = Store::open(&format!("sqlite:{}", folder.path().join("new.db").display())).await.unwrap();
        new.start_mail().await.unwrap();
        assert_eq!(new.mail_position().await.unwrap(), Some(0));
        new.restore(&backup[..]).await.unwrap();
        assert_eq!(new.mail_position().await.unwrap(), None);
        let restored = Registry::open(new, w.clock.clone(), Settings::default()).await.unwrap();
        let restored = Arc::new(restored.with_dice(Arc::new(Dices(AtomicU8::new(0)))));
        let again = self::post(&restored, at(&server));
        again.start().await.unwrap();
        assert_eq!(again.compose().await.unwrap(), 0);
        again.send_due().await.unwrap();
        assert_eq!(server.mails().len(), 1);
        restored.verify().await.expect("all is well");
    })
    .await;
}

#[tokio::test]
async fn nothing_is_said_to_a_server_that_is_not_who_it_should_be() {
    let w = World::open("sqlite").await.unwrap();
    let certificate = std::fs::read(root().join("tests/smtp/certificate.pem")).unwrap();
    let options = json!({ "tls": true, "user": "begreb", "password": "hemmeligt" });
    let (mut server, mut without) = (Server::with(&options), Server::start());
    let by_name = |server: &Server, password| smtp(&format!("smtp://begreb@localhost:{}", server.port), Some(password));
    let strict = |s: Smtp| s.protected(Protection::StartTls);
    let trusted = |s: Smtp| s.trusting(&certificate).unwrap();
    let anne = with_anne(&w, &post(&w.registry, at(&server))).await;
    give(&w, anne, Role::Reader).await;
    let cases = [
        ("no STARTTLS", strict(trusted(by_name(&without, "hemmeligt")))),
        ("an unknown certificate", strict(by_name(&server, "hemmeligt"))),
        ("a wrong password", strict(trusted(by_name(&server, "forkert")))),
        ("no password", strict(trusted(smtp(&format!("smtp://localhost:{}", server.port), None)))),
    ];
    for (hour, (what, smtp)) in (13..).zip(cases) {
        w.clock.set(&format!("2026-11-22T{hour}:00:00Z"));
        let post = post(&w.registry, smtp);
        post.compose().await.unwrap();
        assert!(!post.send_due().await.unwrap(), "{what}");
        assert_eq!(one(&w).await.state, LetterState::Queued, "{what}");
    }
    w.registry.drop_letter(&operator(), one(&w).await.uuid).await.unwrap();
    give(&w, anne, Role::Chair).await;
    let good = post(&w.registry, strict(trusted(by_name(&server, "hemmeligt"))));
    good.compose().await.unwrap();
    assert!(good.send_due().await.unwrap());
    assert_eq!(without.mails().len(), 0);
    let mails = server.mails();
    assert_eq!((mails.len(), &mails[0]["secure"], &mails[0]["user"]), (1, &json!(true), &json!("begreb")));
}

/// A composer that fails at some rows, as one of the workflow's might.
struct Moody;

impl Composer for Moody {
    fn compose<'a>(&'a self, change: &'a Change, desk: &'a Desk<'_>) -> BoxFuture<'a, Result<Vec<Composed>>> {
        Box::pin(async move {
            if change.kind != "grant.given" {
                return Ok(Vec::new());
            }
            let people = desk.people().await?;
            let to = (people.accounts[0].uuid, people.accounts[0].mail.clone(), None);
            let subject = if change.body.contains("chair") { "x\r\nBcc: evil@example.dk" } else { "Hej" };
            Ok(vec![Letter::new(LetterKind::new("moody"), to, LetterLanguage::Danish, subject, "Hej\n.\n..\n")?.into()])
        })
    }
}

#[tokio::test]
async fn a_composer_that_fails_at_a_row_does_not_stop_mail() {
    let w = World::open("sqlite").await.unwrap();
    let mut server = Server::start();
    let post = Post::new(w.registry.clone(), vec![Box::new(Moody), Box::new(SecurityNotices)], at(&server));
    let anne = with_anne(&w, &post).await;
    give(&w, anne, Role::Chair).await;
    give(&w, anne, Role::Reader).await;
    assert_eq!(post.compose().await.unwrap(), 3, "one of the moody one, two notices");
    post.send_due().await.unwrap();
    let mails = server.mails();
    let moody: Vec<&Value> = mails.iter().filter(|m| m["subject"] == "Hej").collect();
    assert_eq!(moody.len(), 1);
    assert_eq!(moody[0]["text"], "Hej\n.\n..\n", "dots at the beginning of a line stay");
    assert!(!mails.iter().any(|m| m["raw"].as_str().unwrap().contains("evil")));
}

#[tokio::test]
async fn the_post_runs_by_itself_and_stops_when_it_is_told() {
    on_every_database(async |w| {
        let mut server = Server::start();
        let post = post(&w.registry, at(&server));
        let (stop, stopping) = tokio::sync::watch::channel(false);
        let running = tokio::spawn(async move { post.run(stopping).await });
        let begun = Stopwatch::now();
        while w.registry.mail_status().await.unwrap().position.is_none() {
            assert!(begun.elapsed() < Duration::from_secs(20), "it begins");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        account(&w, ANNE).await;
        while states(&w).await != [LetterState::Sent] {
            assert!(begun.elapsed() < Duration::from_secs(20), "it is sent");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stop.send_replace(true);
        tokio::time::timeout(Duration::from_secs(5), running).await.expect("it stops").unwrap();
        assert_eq!(server.mails().len(), 1);
    })
    .await;
}
