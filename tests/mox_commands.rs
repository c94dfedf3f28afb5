//! Commands to the registry as a MOX agent, over a real RabbitMQ: carried out once, answered, and refused where they are
//! nobody's or none.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;
#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
#[path = "common/rabbit.rs"]
mod rabbit;

use std::sync::Arc;
use std::time::Instant as Stopwatch;

use begreb::delivery::mox::{CommandSettings, MoxSettings, Operation};
use begreb::model::{Command, Role};
use begreb::registry::{MoxCount, TokenRequest};
use begreb::store::{CommandBegun, Store};
use common::crew::person;
use common::{World, on_every_database, operator};
use lapin::BasicProperties;
use lapin::options::BasicPublishOptions;
use lapin::types::FieldTable;
use rabbit::{Agent, KLASSE, Rabbit, Reader, Script, Sender, besked, is_empty, settings, until, update};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_are_carried_out_once_and_answered() {
    let Some(rabbit) = Rabbit::start().await else { return };
    on_every_database(async |w| {
        let queue = format!("incoming-{}", w.database);
        let commands = CommandSettings { queue: queue.clone(), exchange: Some(format!("mox-{}", w.database)) };
        let settings = MoxSettings { commands: Some(commands), ..settings(&format!("notices-{}", w.database)) };
        let script = Arc::new(Script::default());
        let agent = Agent::with(&rabbit, &w.registry, settings.clone(), script.clone());
        let mut sender = Sender::new(&rabbit, &queue).await;

        // A command, and the same again: answered alike, carried out once.
        let note = br#"{"note":"n"}"#;
        assert_eq!(sender.ask(&update(1), note).await, (200, json!({ "n": 1 })));
        assert_eq!(sender.ask(&update(1), note).await, (200, json!({ "n": 1 })));
        assert_eq!(script.asked(), 1);
        {
            let asked = script.asked.lock().unwrap();
            assert_eq!((asked[0].operation, asked[0].body.clone()), (Operation::Update, Some(json!({ "note": "n" }))));
        }
        // Another with the same beskedID is no such command.
        let (status, body) = sender.ask(&update(1), br#"{"note":"andet"}"#).await;
        assert_eq!((status, &body["message"]), (409, &json!("another command has the same beskedID")));
        assert_eq!(script.asked(), 1);
        // A refusal is an answer as any other; only one that may go otherwise later is asked again.
        script.then(400);
        assert_eq!(sender.ask(&update(2), note).await.0, 400);
        assert_eq!(sender.ask(&update(2), note).await.0, 400);
        assert_eq!(script.asked(), 2);
        script.then(401);
        assert_eq!(sender.ask(&update(3), note).await.0, 401);
        assert_eq!(sender.ask(&update(3), note).await.0, 200);
        assert_eq!(script.asked(), 4);
        // What reads is asked each time.
        let read = json!({ "objekttype": "klasse", "objektID": KLASSE, "operation": "read", "query": "{\"virkningstid\":\"2026-01-01\"}" });
        assert_eq!(sender.ask(&read, b"").await.0, 200);
        assert_eq!(sender.ask(&read, b"{}").await.0, 200);
        assert_eq!(script.asked(), 6);

        // No command at all: answered with what is wrong, and nothing is asked.
        let no_id = json!({ "objekttype": "klasse", "operation": "read" });
        let unknown = json!({ "objekttype": "klasse", "operation": "search", "farve": "rød" });
        let odd = json!({ "objekttype": "klasse", "operation": { "a": 1 } });
        let wrong: [(Value, &[u8], &str); 7] = [
            (json!({}), b"", "operation is missing"),
            (no_id, b"", "objektID is required"),
            (unknown, b"", "Unsupported header(s): farve"),
            (odd, b"", "operation is not a text"),
            (json!({ "objekttype": "sag", "operation": "search" }), b"", "'sag' is not a known objekttype"),
            (json!({ "objekttype": "klasse", "operation": "upload" }), b"", "'upload' is not a known operation"),
            (json!({ "objekttype": "klasse", "operation": "search" }), b"\xff{", "the body is not JSON"),
        ];
        for (headers, body, why) in wrong {
            let (status, answer) = sender.ask(&headers, body).await;
            assert_eq!(status, 400);
            assert!(answer["message"].as_str().is_some_and(|m| m.contains(why)), "{why}: {answer}");
        }
        assert_eq!(sender.ask(&update(4), b"ikke JSON").await, (400, json!({ "uuid": null })));
        assert_eq!(script.asked(), 6);

        // Nobody to answer: a change is made, a reading is not, and both are done with. The same when the place to
        // answer to is gone.
        sender.send(&update(5), note, None).await;
        sender.send(&read, b"", None).await;
        sender.send(&json!({}), b"", None).await;
        sender.send(&update(6), note, Some("der er ingen her")).await;
        assert_eq!(sender.ask(&read, b"").await.0, 200, "the next one is served");
        assert_eq!(script.asked(), 9);
        until("nothing is left", async || is_empty(&sender).await).await;
        // Through the exchange as well.
        let exchange = format!("mox-{}", w.database);
        let properties = BasicProperties::default().with_headers(FieldTable::default());
        let options = BasicPublishOptions::default();
        sender.channel.basic_publish(exchange.as_str().into(), "".into(), options, b"", properties).await.expect("sent");
        until("nothing is left", async || is_empty(&sender).await).await;

        // The agent dies in the middle: the command comes again, and is not carried out again, since nobody knows.
        script.hang();
        sender.send(&update(7), note, None).await;
        until("it is under way", async || script.asked() == 10).await;
        agent.kill().await;
        let agent = Agent::with(&rabbit, &w.registry, settings, script.clone());
        let (status, body) = sender.ask(&update(7), note).await;
        assert_eq!(status, 409);
        assert!(body["message"].as_str().is_some_and(|m| m.contains("nobody knows its end")), "{body}");
        assert_eq!(script.asked(), 10);
        agent.stop().await;
        let digest = begreb::model::Digest::of("another");
        let store = Store::open(&w.address).await.expect("the database opens");
        let known = store.begin_command(besked(1).parse().unwrap(), digest, begreb::model::Instant::FOREVER).await;
        assert_eq!(known.expect("the database"), CommandBegun::Other);
    })
    .await;
}

/// A klassifikation, a facet or a klasse, as OIO has it.
fn objekt(kind: &str, egenskaber: Value, relationer: Value) -> Vec<u8> {
    let virkning = json!({ "from": "2026-01-01", "to": "infinity" });
    let with = |mut element: Value| {
        element["virkning"] = virkning.clone();
        json!([element])
    };
    let relations = relationer.as_object().expect("an object");
    let relations: Value = relations.iter().map(|(name, uuid)| (name.clone(), with(json!({ "uuid": uuid })))).collect();
    let mut whole = json!({
        "attributter": { format!("{kind}egenskaber"): with(egenskaber) },
        "tilstande": { format!("{kind}publiceret"): with(json!({ "publiceret": "Publiceret" })) },
    });
    if relations != json!({}) {
        whole["relationer"] = relations;
    }
    whole.to_string().into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_go_through_the_same_doors_as_requests() {
    let Some(rabbit) = Rabbit::start().await else { return };
    on_every_database(async |w| {
        let pia = person(&w, "Pia", &[Role::Publisher]).await;
        let request = TokenRequest {
            name: "mox".parse().expect("a name"),
            commands: [Command::Frame, Command::Publish].into(),
            vocabularies: None,
            days: None,
        };
        let token = w.registry.create_token(&operator(), Some(pia.uuid), request).await.expect("a token").secret;
        let (queue, notices) = (format!("doors-{}", w.database), format!("notices-{}", w.database));
        let commands = CommandSettings { queue: queue.clone(), exchange: None };
        let settings = MoxSettings { commands: Some(commands), after: None, ..settings(&notices) };
        let agent = Agent::start(&rabbit, &w.registry, settings);
        let mut sender = Sender::new(&rabbit, &queue).await;
        let mut reader = Reader::of(&rabbit, &notices).await;
        let command = |n: u32, kind: &str, operation: &str, id: Option<&str>| {
            let mut headers = json!({
                "autorisation": token, "beskedID": besked(n), "beskedversion": 1, "objekttype": kind,
                "operation": operation, "type": "Manuel",
            });
            if let Some(id) = id {
                headers["objektID"] = json!(id);
            }
            headers
        };
        let uuid = |(status, body): (i64, Value), wanted: i64| {
            assert_eq!(status, wanted, "{body}");
            body["uuid"].as_str().expect("a uuid").to_owned()
        };

        let whole = objekt("klassifikation", json!({ "brugervendtnoegle": "Koder" }), json!({}));
        let klassifikation = uuid(sender.ask(&command(1, "klassifikation", "create", None), &whole).await, 201);
        assert_eq!(uuid(sender.ask(&command(1, "klassifikation", "create", None), &whole).await, 201), klassifikation);
        let part = objekt("facet", json!({ "brugervendtnoegle": "F" }), json!({ "facettilhoerer": klassifikation }));
        let facet = uuid(sender.ask(&command(2, "facet", "create", None), &part).await, 201);
        let class = objekt("klasse", json!({ "brugervendtnoegle": "A", "titel": "et" }), json!({ "facet": facet }));
        let klasse = uuid(sender.ask(&command(3, "klasse", "create", None), &class).await, 201);
        let rename = json!({ "attributter": { "klasseegenskaber": [
            { "titel": "to", "virkning": { "from": "2026-06-01", "to": "infinity" } }
        ] } });
        let rename = rename.to_string().into_bytes();
        uuid(sender.ask(&command(4, "klasse", "update", Some(&klasse)), &rename).await, 200);

        let (status, read) = sender.ask(&command(5, "klasse", "read", Some(&klasse)), b"").await;
        assert_eq!(status, 200);
        let registrering = &read[&klasse][0]["registreringer"][0];
        assert_eq!(registrering["attributter"]["klasseegenskaber"][0]["titel"], "to");
        assert_eq!(registrering["brugerref"], pia.uuid.to_string(), "by whom the token is for");
        let mut search = command(6, "klasse", "search", None);
        search["query"] = json!(r#"{"bvn":"a","klassifikation":"nej"}"#);
        let (status, refused) = sender.ask(&search, b"").await;
        assert_eq!((status, &refused["message"]), (400, &json!("Unsupported argument(s): klassifikation")));
        search["query"] = json!(r#"{"bvn":"a"}"#);
        assert_eq!(sender.ask(&search, b"").await, (200, json!({ "results": [[klasse]] })));
        let (status, list) = sender.ask(&command(7, "klasse", "list", Some(&klasse)), b"").await;
        assert_eq!((status, &list["results"][0][0]["id"]), (200, &json!(klasse)));

        // What is not allowed over HTTP is not allowed here.
        let mut nobody = command(8, "klasse", "delete", Some(&klasse));
        nobody["autorisation"] = Value::Null;
        assert_eq!(sender.ask(&nobody, b"").await.0, 401);
        nobody["autorisation"] = json!("begreb_t_forkert");
        assert_eq!(sender.ask(&nobody, b"").await.0, 401);
        assert_eq!(sender.ask(&command(9, "klasse", "read", Some(KLASSE)), b"").await.0, 404);
        uuid(sender.ask(&command(10, "klasse", "delete", Some(&klasse)), b"{\"note\":\"fejl\"}").await, 202);
        assert_eq!(sender.ask(&command(11, "klasse", "read", Some(&klasse)), b"").await.0, 410);

        // And what was done is told, with the words that the interface has for it.
        let mut codes = Vec::new();
        while codes.last() != Some(&json!("Slettet")) {
            let got = reader.next().await.expect("a message");
            if got.body["objektID"] == klasse && codes.last() != Some(&got.body["livscykluskode"]) {
                codes.push(got.body["livscykluskode"].clone());
            }
        }
        assert_eq!(codes, ["Opstaaet", "Rettet", "Slettet"]);
        agent.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_commands_are_answered_and_end_nothing() {
    let Some(rabbit) = Rabbit::start().await else { return };
    let Some(w) = World::open("sqlite").await else { return };
    let commands = CommandSettings { queue: "hostile".into(), exchange: None };
    let settings = MoxSettings { commands: Some(commands), after: None, ..settings("told") };
    let script = Arc::new(Script::default());
    let agent = Agent::with(&rabbit, &w.registry, settings, script.clone());
    let mut sender = Sender::new(&rabbit, "hostile").await;
    let read = json!({ "objekttype": "klasse", "objektID": KLASSE, "operation": "read" });
    let with = |name: &str, value: Value| {
        let mut headers = update(1);
        headers[name] = value;
        headers
    };

    // Headers of every odd type, where a text is meant.
    for name in ["operation", "objekttype", "objektID", "beskedID", "beskedversion", "autorisation", "query"] {
        for odd in [json!({}), json!([]), json!(true), json!(7)] {
            let (status, answer) = sender.ask(&with(name, odd.clone()), b"{\"note\":\"n\"}").await;
            assert_eq!(status, 400, "{name} {odd}: {answer}");
        }
    }
    // As large as a broker lets a header be: what an answer repeats must not make it larger still.
    for name in ["operation", "objektID", "beskedID", "type"] {
        let (status, answer) = sender.ask(&with(name, json!("x".repeat(130_500))), b"[]").await;
        assert_eq!(status, 400, "{name}");
        assert!(answer.to_string().len() < 500, "{name}");
    }
    let long = with("query", json!(format!("{{\"a\":\"{}\"}}", "x".repeat(100_000))));
    assert_eq!(sender.ask(&long, b"").await.1["message"], "query is too long");
    // Bodies that are no text, no object, too deep, too much.
    for body in [&b"\xff\xfe\x00"[..], b"\xf0\x28\x8c\x28", &[b'['; 100_000], b"{\"a\":1e999}", b"{\"a\":\"\\ud800\"}"]
    {
        let (status, _) = sender.ask(&update(2), body).await;
        assert_eq!(status, 400, "{:?}", &body[..4]);
    }
    let much = vec![b' '; 100 << 20];
    assert_eq!(sender.ask(&update(3), &much).await.0, 413);
    assert_eq!(sender.ask(&read, &much).await.0, 413);
    drop(much);
    let list = format!("{{\"a\":[{}1]}}", "1,".repeat(4 << 20));
    let (status, answer) = sender.ask(&read, list.as_bytes()).await;
    assert_eq!((status, answer["message"].as_str().is_some_and(|m| m.contains("takes no body"))), (400, true));
    assert_eq!(script.asked(), 0, "nothing of it came to the interface");

    // An answer is not sent where we tell, nor where commands come from.
    for ours in ["told", "hostile"] {
        sender.send(&read, b"", Some(ours)).await;
    }
    assert_eq!(sender.ask(&read, b"").await.0, 200);
    assert_eq!(script.asked(), 3, "each was carried out, and none came back as a command");
    until("nothing is left", async || is_empty(&sender).await).await;
    let counts = w.registry.mox_counts();
    assert_eq!((counts.of(MoxCount::Unanswered), counts.of(MoxCount::ConnectedToServe)), (2, 1), "never cut off");
    let refused = 28 + 4 + 1 + 5 + 2 + 1;
    until("the last answer is counted", async || counts.of(MoxCount::Answered) == refused + 1).await;
    let got = [MoxCount::Received, MoxCount::Executed, MoxCount::Refused, MoxCount::Answered, MoxCount::Redelivered];
    assert_eq!(got.map(|what| counts.of(what)), [refused + 3, 3, refused, refused + 1, 0]);
    let mut notices = Reader::of(&rabbit, "told").await;
    rabbit::publish(&w, "1", "2020-01-01", 0..1, "et").await;
    assert!(notices.next().await.is_some_and(|m| m.headers.contains_key("begreb-position")), "the first that came");
    let metrics = w.get("/metrics").await.ok().text();
    assert!(metrics.contains(&format!("begreb_mox_commands_total{{what=\"refused\"}} {refused}")), "{metrics}");
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_commands_of_strangers_cost_little_and_one_of_ours_comes_through() {
    let Some(rabbit) = Rabbit::start().await else { return };
    on_every_database(async |w| {
        let queue = format!("strangers-{}", w.database);
        let commands = CommandSettings { queue: queue.clone(), exchange: None };
        let settings =
            MoxSettings { commands: Some(commands), after: None, ..settings(&format!("notices-{}", w.database)) };
        let mut sender = Sender::new(&rabbit, &queue).await;
        const MANY: u32 = 2000;
        for n in 0..MANY {
            let mut command = update(n);
            command["autorisation"] = if n % 2 == 0 { json!(format!("begreb_t_{n}")) } else { Value::Null };
            sender.send(&command, b"not even JSON", None).await;
        }
        let before = store(&w).await;
        let agent = Agent::start(&rabbit, &w.registry, settings);
        let begun = Stopwatch::now();
        assert_eq!(sender.ask(&update(1), b"{}").await.0, 401, "before it is looked at what it says");
        let took = begun.elapsed();
        eprintln!("{}: {:.0} commands of strangers a second", w.database, f64::from(MANY) / took.as_secs_f64());
        let counts = w.registry.mox_counts();
        assert_eq!(counts.of(MoxCount::Refused), u64::from(MANY) + 1);
        assert_eq!(counts.of(MoxCount::Executed), 0);
        // None was put on record: each is new.
        let digest = begreb::model::Digest::of("another");
        for n in [0, 1, MANY - 1] {
            let begun = before.begin_command(besked(n).parse().unwrap(), digest, begreb::model::Instant::FOREVER).await;
            assert_eq!(begun.expect("the database"), CommandBegun::New);
        }
        agent.stop().await;
    })
    .await;
}

async fn store(w: &World) -> Store {
    Store::open(&w.address).await.expect("the database opens")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_are_taken_one_at_a_time_and_come_again_after_a_crash() {
    let Some(rabbit) = Rabbit::start().await else { return };
    let Some(w) = World::open("sqlite").await else { return };
    let commands = CommandSettings { queue: "one".into(), exchange: None };
    let settings = MoxSettings { commands: Some(commands), after: None, ..settings("told") };
    let script = Arc::new(Script::default());
    let mut sender = Sender::new(&rabbit, "one").await;
    script.hang();
    for n in 0..10 {
        sender.send(&update(n), b"{\"note\":\"n\"}", None).await;
    }
    let agent = Agent::with(&rabbit, &w.registry, settings.clone(), script.clone());
    until("the first is under way", async || script.asked() == 1).await;
    let options = lapin::options::QueueDeclareOptions { passive: true, ..Default::default() };
    let queue = sender.channel.queue_declare("one".into(), options, FieldTable::default()).await.expect("the queue");
    assert_eq!(queue.message_count(), 9, "no more than one was taken in advance");
    agent.kill().await;
    let agent = Agent::with(&rabbit, &w.registry, settings, script.clone());
    until("nothing is left", async || script.asked() == 10 && is_empty(&sender).await).await;
    let counts = w.registry.mox_counts();
    assert_eq!((counts.of(MoxCount::Redelivered), counts.of(MoxCount::Executed)), (1, 10));
    agent.stop().await;
}
