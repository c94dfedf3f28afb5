//! The registry as a MOX agent at a real RabbitMQ: what changes is told in order and at least once, whatever becomes of
//! the broker, the node or the reader. Commands are told elsewhere.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;
#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
#[path = "common/rabbit.rs"]
mod rabbit;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant as Stopwatch};

use begreb::delivery::mox::{Broker, ExchangeType, MoxSettings, Unroutable};
use begreb::exchange::Format;
use begreb::registry::MoxCount;
use common::{World, edition, on_every_database};
use lapin::options::{BasicGetOptions, QueueBindOptions};
use lapin::types::{AMQPValue, FieldTable};
use rabbit::{
    About, Agent, Got, Rabbit, Reader, Script, abouts, concept, declare, expected, position, publish, settings, until,
};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_is_told_in_headers_and_body() {
    let Some(rabbit) = Rabbit::start().await else { return };
    on_every_database(async |w| {
        let queue = format!("told-{}", w.database);
        let agent = Agent::start(&rabbit, &w.registry, settings(&queue));
        let mut reader = Reader::of(&rabbit, &queue).await;
        w.load_paragraphs().await;
        let wanted = expected(&w).await;
        let got = reader.take(wanted.len()).await;
        assert_eq!(abouts(&got), wanted, "all of it, in the order of the log");
        assert_eq!(got.iter().map(Got::id).collect::<BTreeSet<_>>().len(), got.len(), "each has its own beskedID");

        let first = got.iter().find(|g| g.body["objekttype"] == "klasse").expect("a klasse").clone();
        let about = first.about();
        assert_eq!(
            first.body,
            json!({ "beskedtype": "Notification", "objektID": about.2, "objekttype": "klasse", "livscykluskode": "Importeret" })
        );
        let headers: Value = first.headers.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        let mut wanted = json!({
            "beskedID": first.id(), "beskedversion": 1, "beskedtype": "notification", "objektID": about.2,
            "objekttype": "klasse", "livscykluskode": "Importeret", "begreb-position": about.0,
            "begreb-vocabulary": "serviceparagraffer",
        });
        wanted["begreb-registered"] = first.headers["begreb-registered"].clone();
        assert_eq!(headers, wanted);
        let properties = &first.properties;
        let text = |v: &Option<lapin::types::ShortString>| v.as_ref().map(ToString::to_string).unwrap_or_default();
        assert_eq!(*properties.delivery_mode(), Some(2), "it is written to disk");
        assert_eq!(text(properties.content_type()), "application/json");
        assert_eq!(text(properties.message_id()), first.id());

        // Codes of life: what is there again is corrected, what was never there before is new.
        publish(&w, "1", "2020-01-01", 0..3, "et").await;
        publish(&w, "2", "2022-01-01", 0..3, "to").await;
        publish(&w, "3", "2024-01-01", 1..3, "to").await;
        let all = reader.up_to(w.position().await).await.0;
        let codes = |n: usize| -> Vec<Value> {
            let of = all.iter().filter(|g| g.body["objektID"] == concept(n).to_string());
            of.map(|g| g.body["livscykluskode"].clone()).collect()
        };
        assert_eq!(codes(0), ["Importeret", "Rettet", "Rettet"], "said, renamed, and retired from a day");
        assert_eq!(codes(1), ["Importeret", "Rettet"]);
        agent.stop().await;
        assert_eq!(position(&w, "mox").await, w.position().await, "the position is on record");
        let health = w.json("/health/ready").await;
        assert_eq!(health["mox"]["mox"], json!({ "position": w.position().await, "behind": 0 }));
        assert!(w.get("/metrics").await.ok().text().contains("begreb_mox_behind{name=\"mox\"} 0"));
        w.registry.verify().await.expect("nothing is wrong");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_the_order_stays_when_the_broker_dies() {
    let Some(mut rabbit) = Rabbit::start().await else { return };
    let Some(w) = World::open("sqlite").await else { return };
    let agent = Agent::start(&rabbit, &w.registry, settings("rough"));
    publish(&w, "1", "2020-01-01", 0..400, "et").await;
    // Some are told, and most are not, when the power goes.
    let mut reader = Reader::of(&rabbit, "rough").await;
    let mut got = reader.take(20).await;
    rabbit.down();
    drop(reader);
    // Writers notice nothing.
    let begun = Stopwatch::now();
    publish(&w, "2", "2021-01-01", 0..50, "to").await;
    assert!(begun.elapsed() < Duration::from_secs(20));
    rabbit.up().await;
    let mut reader = Reader::of(&rabbit, "rough").await;
    got.extend(reader.up_to(w.position().await).await.0);
    let mut seen = BTreeSet::new();
    let again = got.len();
    got.retain(|g| seen.insert(g.id()));
    let again = again - got.len();
    assert_eq!(abouts(&got), expected(&w).await, "each message came, in order, if those that came again are left out");
    assert!(again <= 90, "{again} came again");
    agent.stop().await;

    // An agent that is away misses nothing, and a reader that is slow neither.
    publish(&w, "3", "2022-01-01", 0..30, "tre").await;
    let before = got.last().expect("some").position();
    let agent = Agent::start(&rabbit, &w.registry, settings("rough"));
    let wanted: Vec<About> = expected(&w).await.into_iter().filter(|(position, ..)| *position > before).collect();
    let mut more = Vec::new();
    while more.len() < wanted.len() {
        more.push(reader.next().await.expect("a message"));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(abouts(&more), wanted, "from where it was");
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_not_taken_holds_the_line_or_is_let_go() {
    let Some(rabbit) = Rabbit::start().await else { return };
    let Some(w) = World::open("sqlite").await else { return };
    let (_connection, channel) = rabbit.channel().await;

    // A queue that takes five and no more: the broker says no, and later yes.
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(5));
    arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    declare(&channel, "short", arguments).await;
    let short = MoxSettings { name: "short".into(), declare: false, window: 1, ..settings("short") };
    let agent = Agent::start(&rabbit, &w.registry, short.clone());
    publish(&w, "1", "2020-01-01", 0..12, "et").await;
    let wanted = expected(&w).await;
    let mut got = Vec::new();
    until("the slow reader gets all", async || {
        let options = BasicGetOptions { no_ack: true };
        if let Some(message) = channel.basic_get("short".into(), options).await.expect("an answer") {
            got.push(Got::of(&message.delivery));
        }
        got.len() == wanted.len()
    })
    .await;
    assert_eq!(abouts(&got), wanted, "in order, though the broker said no");
    agent.stop().await;

    // The same with many under way: what was taken behind one that was refused comes again after it. Nothing is lost, and
    // the order of the last times that each came is that of the log.
    let agent = Agent::start(&rabbit, &w.registry, MoxSettings { name: "wide".into(), window: 64, ..short });
    let end = w.position().await;
    let mut got: Vec<Got> = Vec::new();
    until("all is told", async || {
        let options = BasicGetOptions { no_ack: true };
        let message = channel.basic_get("short".into(), options).await.expect("an answer");
        let is_empty = message.is_none();
        got.extend(message.map(|m| Got::of(&m.delivery)));
        is_empty && position(&w, "wide").await == end
    })
    .await;
    let mut last: Vec<Got> = Vec::new();
    for one in got {
        last.retain(|g| g.id() != one.id());
        last.push(one);
    }
    assert_eq!(abouts(&last), wanted);
    agent.stop().await;

    // Nobody is bound yet: it is held, and nothing is lost.
    let held = MoxSettings {
        name: "held".into(),
        exchange: "begreb".into(),
        routing_key: "begreb.{vocabulary}.{objekttype}".into(),
        ..settings("")
    };
    let agent = Agent::start(&rabbit, &w.registry, held.clone());
    until("the agent has begun", async || position(&w, "held").await == 0).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(position(&w, "held").await < wanted[0].0, "it waits for somebody");
    declare(&channel, "all", FieldTable::default()).await;
    let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
    channel
        .queue_bind("all".into(), "begreb".into(), "begreb.koder.#".into(), options, arguments)
        .await
        .expect("bound");
    let mut reader = Reader::of(&rabbit, "all").await;
    assert_eq!(abouts(&reader.take(wanted.len()).await), wanted);
    agent.stop().await;

    // Let go: only those that somebody is bound for come, and the position moves on.
    let dropped = MoxSettings {
        name: "dropped".into(),
        exchange: "other".into(),
        exchange_type: ExchangeType::Direct,
        routing_key: "{objekttype}".into(),
        unroutable: Unroutable::Drop,
        ..held
    };
    declare(&channel, "klasser", FieldTable::default()).await;
    let kind = lapin::ExchangeKind::Direct;
    let durable = lapin::options::ExchangeDeclareOptions { durable: true, ..Default::default() };
    channel.exchange_declare("other".into(), kind, durable, FieldTable::default()).await.expect("an exchange");
    let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
    channel.queue_bind("klasser".into(), "other".into(), "klasse".into(), options, arguments).await.expect("bound");
    let agent = Agent::start(&rabbit, &w.registry, dropped);
    let end = w.position().await;
    until("it goes on without the others", async || position(&w, "dropped").await == end).await;
    let mut reader = Reader::of(&rabbit, "klasser").await;
    let only: Vec<About> = wanted.iter().filter(|(_, kind, _)| kind == "klasse").cloned().collect();
    assert_eq!(abouts(&reader.take(only.len()).await), only);
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clock_alone_is_told_and_one_node_tells_at_a_time() {
    let Some(rabbit) = Rabbit::start().await else { return };
    on_every_database(async |w| {
        let queue = format!("clock-{}", w.database);
        publish(&w, "1", "2020-01-01", 0..3, "et").await;
        // From the new year on K0 is gone, K1 has another name, K3 is new.
        let text = format!(
            "notation,uuid,preferred.da\nK1,{},andet\nK2,{},et 2\nK3,{},et 3\n",
            concept(1),
            concept(2),
            concept(3)
        );
        let mut request = edition("koder", Format::Csv, text.as_bytes(), "2", "2027-01-01");
        request.accept_new = true;
        w.import(request).await.expect("it is lawful");
        let after = w.position().await;
        let mut settings = MoxSettings { after: None, ..settings(&queue) };
        let agent = Agent::start(&rabbit, &w.registry, settings.clone());
        until("it begins at the end of the log", async || position(&w, "mox").await == after).await;
        let mut reader = Reader::of(&rabbit, &queue).await;
        w.clock.set("2027-01-01T08:00:00Z");
        w.registry.tick().await.expect("the database");
        let got = reader.take(3).await;
        let wanted = [(concept(0), 2), (concept(1), 3), (concept(3), 1)];
        let told: BTreeMap<String, &Got> = got.iter().map(|g| (g.about().2, g)).collect();
        for (uuid, number) in wanted {
            let one = told[&uuid.to_string()];
            assert_eq!(
                one.body,
                json!({
                    "beskedtype": "effectupdate", "objektID": uuid, "objekttype": "klasse", "updatetype": number,
                    "effecttime": "2027-01-01T00:00:00Z",
                })
            );
            assert_eq!(
                (&one.headers["beskedtype"], &one.headers["updatetype"]),
                (&json!("effectupdate"), &json!(number))
            );
        }

        until("the position is on record", async || position(&w, "mox").await == w.position().await).await;

        // A second node on the same database has nothing to tell while the first does.
        let second = w.beside().await;
        let beside = Agent::start(&rabbit, &second.registry, settings.clone());
        publish(&w, "3", "2027-02-01", 1..4, "tre").await;
        let end = w.position().await;
        let (told, again) = reader.up_to(end).await;
        assert!(!told.is_empty() && again == 0, "told once, by one of them");
        until("the position is on record", async || position(&w, "mox").await == end).await;
        // The first dies and lets go of nothing; when its time is over, the second tells.
        agent.kill().await;
        publish(&w, "4", "2027-03-01", 1..4, "fire").await;
        w.clock.set("2027-01-01T08:02:00Z");
        let following = second.registry.clone();
        let follower = tokio::spawn(async move { following.follow().await });
        let mut rest = reader.take(1).await;
        rest.extend(reader.up_to(w.position().await).await.0);
        assert!(rest.windows(2).all(|p| p[0].position() <= p[1].position()), "in order");
        assert_eq!(rest.first().map(Got::position).map(|p| p > end), Some(true), "from where the first was");
        beside.stop().await;
        follower.abort();

        // Another name is another place, which begins where it is told to.
        settings = MoxSettings { name: "anew".into(), after: Some(0), ..settings };
        let agent = Agent::start(&rabbit, &w.registry, settings);
        let wanted = expected(&w).await;
        assert_eq!(abouts(&reader.take(wanted.len()).await), wanted);
        agent.stop().await;
    })
    .await;
}

/// The numbers of a metric, by what stands in its braces.
async fn metric(w: &World, name: &str) -> BTreeMap<String, f64> {
    let text = w.get("/metrics").await.ok().text();
    let of = |line: &str| {
        let (series, number) = line.strip_prefix(name)?.rsplit_once(' ')?;
        Some((series.trim_matches(['{', '}']).to_owned(), number.parse().ok()?))
    };
    text.lines().filter_map(of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_are_under_way_and_the_order_stays() {
    let Some(rabbit) = Rabbit::start().await else { return };
    let Some(w) = World::open("sqlite").await else { return };
    publish(&w, "1", "2020-01-01", 0..1500, "et").await;
    let wanted = expected(&w).await;
    let agent = Agent::start(&rabbit, &w.registry, settings("wide"));
    let mut most = 0;
    until("all is told", async || {
        most = most.max(w.registry.mox_counts().in_flight());
        tokio::time::sleep(Duration::from_millis(1)).await;
        most = most.max(w.registry.mox_counts().in_flight());
        position(&w, "mox").await == w.position().await
    })
    .await;
    assert!((2..=64).contains(&most), "{most} were under way");
    let mut reader = Reader::of(&rabbit, "wide").await;
    assert_eq!(abouts(&reader.take(wanted.len()).await), wanted);
    agent.stop().await;
    let n = wanted.len() as f64;
    let counted = metric(&w, "begreb_mox_notifications_total").await;
    let of = |what: &str| counted[&format!("what=\"{what}\"")];
    assert_eq!([of("published"), of("confirmed"), of("returned"), of("rejected")], [n, n, 0.0, 0.0]);
    assert_eq!(metric(&w, "begreb_mox_connections_total").await["what=\"notifications\""], 1.0);
    assert_eq!(metric(&w, "begreb_mox_in_flight").await[""], 0.0);
}

/// Run by hand: `cargo test --release --test mox -- --ignored --nocapture how_fast`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn how_fast_the_log_is_told() {
    let Some(rabbit) = Rabbit::start().await else { return };
    let Some(w) = World::open("sqlite").await else { return };
    publish(&w, "1", "2020-01-01", 0..5000, "et").await;
    let n = expected(&w).await.len();
    for (turn, window) in [1, 8, 64, 256, 1, 64].into_iter().enumerate() {
        let name = format!("turn-{turn}");
        let settings = MoxSettings { name: name.clone(), window, ..settings(&name) };
        let begun = Stopwatch::now();
        let agent = Agent::start(&rabbit, &w.registry, settings);
        while position(&w, &name).await < w.position().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let took = begun.elapsed().as_secs_f64();
        agent.stop().await;
        println!("window {window}: {n} messages in {took:.2} s, {:.0} a second", n as f64 / took);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_takes_nothing_for_a_while_holds_nothing_else_back() {
    let Some(rabbit) = Rabbit::start().await else { return };
    let Some(w) = World::open("sqlite").await else { return };
    let agent = Agent::start(&rabbit, &w.registry, settings("blocked"));
    publish(&w, "1", "2020-01-01", 0..20, "et").await;
    let mut reader = Reader::of(&rabbit, "blocked").await;
    let mut got = reader.up_to(w.position().await).await.0;
    until("the position is on record", async || position(&w, "mox").await == w.position().await).await;

    rabbit.tell(&["set_vm_memory_high_watermark", "0"]);
    let begun = Stopwatch::now();
    publish(&w, "2", "2021-01-01", 0..200, "to").await;
    assert!(begun.elapsed() < Duration::from_secs(20), "a writer does not wait for it");
    until("it says so", async || metric(&w, "begreb_mox_blocked").await[""] == 1.0).await;
    // Longer than a broker may keep silent otherwise.
    tokio::time::sleep(Duration::from_secs(23)).await;
    let feed = w.json("/api/v1/changes?after=0&limit=1").await;
    assert!(feed["events"].as_array().is_some_and(|e| !e.is_empty()), "other ways go on: {feed}");
    assert!(position(&w, "mox").await < w.position().await);
    assert_eq!(
        metric(&w, "begreb_mox_connections_total").await["what=\"notifications\""],
        1.0,
        "it does not begin anew"
    );

    rabbit.tell(&["set_vm_memory_high_watermark", "0.8"]);
    let (more, again) = reader.up_to(w.position().await).await;
    got.extend(more);
    assert_eq!((abouts(&got), again), (expected(&w).await, 0));
    assert_eq!(metric(&w, "begreb_mox_blocked").await[""], 0.0);

    // Asked to stop in such a time it stops, and what was not taken is told by the next.
    rabbit.tell(&["set_vm_memory_high_watermark", "0"]);
    publish(&w, "3", "2022-01-01", 0..30, "tre").await;
    until("it says so", async || metric(&w, "begreb_mox_blocked").await[""] == 1.0).await;
    agent.stop().await;
    rabbit.tell(&["set_vm_memory_high_watermark", "0.8"]);
    let agent = Agent::start(&rabbit, &w.registry, settings("blocked"));
    got.extend(reader.up_to(w.position().await).await.0);
    let mut seen = BTreeSet::new();
    got.retain(|g| seen.insert(g.id()));
    assert_eq!(abouts(&got), expected(&w).await);
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_is_believed_by_its_certificate() {
    let Some((rabbit, port)) = Rabbit::start_secure().await else { return };
    let Some(w) = World::open("sqlite").await else { return };
    publish(&w, "1", "2020-01-01", 0..20, "et").await;
    let address = |host: &str| format!("amqps://{host}:{port}");
    let broker = |host: &str| Broker::new(&address(host), None, false).expect("an address");
    let authority = std::fs::read(rabbit.folder().join("ca.pem")).expect("a certificate");
    let another = std::fs::read(common::root().join("tests/smtp/certificate.pem")).expect("a certificate");
    let trusting = |host: &str, whom: &[u8]| broker(host).trusting(whom).expect("a certificate");
    let refused = [
        ("nobody", broker("localhost")),
        ("another", trusting("localhost", &another)),
        // The name is not in the certificate.
        ("elsewhere", trusting("127.0.0.1", &authority)),
    ];
    let agents: Vec<Agent> = refused
        .iter()
        .map(|(name, broker)| {
            let settings = MoxSettings { name: (*name).into(), ..settings("secret") };
            Agent::at(broker.clone(), &w.registry, settings, Arc::new(Script::default()))
        })
        .collect();
    let good = trusting("localhost", &authority);
    assert!(good.is_protected());
    let agent = Agent::at(good, &w.registry, settings("secure"), Arc::new(Script::default()));
    let mut reader = Reader::of(&rabbit, "secure").await;
    let wanted = expected(&w).await;
    assert_eq!(abouts(&reader.take(wanted.len()).await), wanted);
    agent.stop().await;
    assert_eq!(w.registry.mox_counts().of(MoxCount::ConnectedToTell), 1, "nobody else was let in");
    for (name, _) in &refused {
        assert_eq!(position(&w, name).await, 0, "{name}");
    }
    for agent in agents {
        agent.stop().await;
    }
}
