//! The registry as a MOX agent at a real RabbitMQ: what changes is told in order and at least once, whatever becomes of
//! the broker, the node or the reader; commands are carried out once and answered.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant as Stopwatch};

use begreb::delivery::mox::{
    Answer, Ask, Broker, CommandSettings, ExchangeType, Mox, MoxSettings, Operation, Port, Unroutable,
};
use begreb::exchange::Format;
use begreb::http::{Doors, HttpOptions, router};
use begreb::model::{Command, EventFilter, EventType, Role};
use begreb::registry::{Registry, TokenRequest};
use begreb::store::{CommandBegun, Store};
use common::crew::person;
use common::{Folder, World, edition, on_every_database, operator, root};
use futures::StreamExt;
use futures::future::BoxFuture;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, BasicQosOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use serde_json::{Value, json};
use tokio::sync::watch;
use uuid::Uuid;

const SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";

/// A RabbitMQ.
struct Rabbit {
    folder: Folder,
    ports: [u16; 3],
    process: Option<Child>,
}

impl Rabbit {
    /// One of its own; none, with a note, where RabbitMQ is not to be had.
    async fn start() -> Option<Self> {
        if !Path::new(SERVER).exists() {
            let known = std::env::var("BEGREB_TEST_NO_RABBITMQ").is_ok();
            assert!(known || std::env::var("CI").is_err(), "RabbitMQ is not installed; tests/run installs it");
            eprintln!("SKIPPED: RabbitMQ (Debian: rabbitmq-server) is not installed; nothing of MOX was tested");
            return None;
        }
        let free = || TcpListener::bind("127.0.0.1:0").expect("a port");
        // All three at once, so that no two are the same.
        let ports = [free(), free(), free()].map(|l| l.local_addr().expect("an address").port());
        let mut rabbit = Self { folder: Folder::new(), ports, process: None };
        rabbit.up().await;
        Some(rabbit)
    }

    fn launch(&mut self) {
        let [amqp, dist, epmd] = self.ports.map(|p| p.to_string());
        let mut process = Process::new("sh");
        process.arg(root().join("tests/mox/rabbitmq.sh")).arg(self.folder.path()).args([amqp, dist, epmd]);
        self.process = Some(process.stdin(Stdio::piped()).spawn().expect("sh runs"));
    }

    /// Starts it, on what it had.
    async fn up(&mut self) {
        self.launch();
        let patience = Stopwatch::now();
        while self.connect().await.is_err() {
            let log = || std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default();
            assert!(patience.elapsed() < Duration::from_secs(120), "RabbitMQ does not start: {}", log());
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    /// Ends it at once.
    fn down(&mut self) {
        if let Some(mut process) = self.process.take() {
            drop(process.stdin.take());
            let _ = process.wait();
        }
    }

    fn address(&self) -> String {
        format!("amqp://127.0.0.1:{}", self.ports[0])
    }

    async fn connect(&self) -> lapin::Result<Connection> {
        Connection::connect(&self.address(), ConnectionProperties::default()).await
    }

    async fn channel(&self) -> (Connection, Channel) {
        let connection = self.connect().await.expect("RabbitMQ answers");
        let channel = connection.create_channel().await.expect("a channel");
        (connection, channel)
    }

    fn broker(&self) -> Broker {
        Broker::new(&self.address(), None, false).expect("an address")
    }
}

impl Drop for Rabbit {
    fn drop(&mut self) {
        self.down();
    }
}

/// An agent that runs.
struct Agent {
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Agent {
    fn start(rabbit: &Rabbit, registry: &Arc<Registry>, settings: MoxSettings) -> Self {
        let doors = Doors::new(router(registry.clone(), &HttpOptions::default()));
        Self::with(rabbit, registry, settings, Arc::new(doors))
    }

    fn with(rabbit: &Rabbit, registry: &Arc<Registry>, settings: MoxSettings, port: Arc<dyn Port>) -> Self {
        let mox = Mox::new(registry.clone(), rabbit.broker(), settings, port).expect("the settings are lawful");
        let (stop, stopping) = watch::channel(false);
        Self { stop, task: tokio::spawn(async move { mox.run(stopping).await }) }
    }

    /// Asks it to end, and waits for that.
    async fn stop(self) {
        self.stop.send_replace(true);
        tokio::time::timeout(Duration::from_secs(20), self.task).await.expect("it stops").expect("it did not panic");
    }

    /// Ends it as a crash does.
    async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

fn settings(queue: &str) -> MoxSettings {
    MoxSettings { routing_key: queue.into(), after: Some(0), ..MoxSettings::default() }
}

/// A message that came.
#[derive(Clone, Debug)]
struct Got {
    headers: BTreeMap<String, Value>,
    body: Value,
    properties: BasicProperties,
}

impl Got {
    fn of(delivery: &Delivery) -> Self {
        let headers = delivery.properties.headers().as_ref().expect("headers").inner();
        let value = |v: &AMQPValue| match v {
            AMQPValue::LongString(text) => json!(text.to_string()),
            AMQPValue::LongLongInt(number) => json!(number),
            other => panic!("a header of another type: {other:?}"),
        };
        Self {
            headers: headers.iter().map(|(k, v)| (k.to_string(), value(v))).collect(),
            body: serde_json::from_slice(&delivery.data).expect("JSON"),
            properties: delivery.properties.clone(),
        }
    }

    fn id(&self) -> String {
        self.headers["beskedID"].as_str().expect("a text").to_owned()
    }

    fn position(&self) -> i64 {
        self.headers["begreb-position"].as_i64().expect("a number")
    }

    fn about(&self) -> About {
        let text = |name: &str| self.body[name].as_str().expect("a text").to_owned();
        (self.position(), text("objekttype"), text("objektID"))
    }
}

/// Position, kind and uuid.
type About = (i64, String, String);

/// Reads a queue: `next` waits for a message and acknowledges it.
struct Reader {
    _connection: Connection,
    consumer: Consumer,
}

impl Reader {
    async fn of(rabbit: &Rabbit, queue: &str) -> Self {
        let (connection, channel) = rabbit.channel().await;
        channel.basic_qos(1, BasicQosOptions::default()).await.expect("qos");
        declare(&channel, queue, FieldTable::default()).await;
        let options = BasicConsumeOptions::default();
        let consumer = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await;
        Self { _connection: connection, consumer: consumer.expect("a consumer") }
    }

    async fn next(&mut self) -> Option<Got> {
        let delivery = tokio::time::timeout(Duration::from_secs(30), self.consumer.next()).await.ok()??.ok()?;
        let got = Got::of(&delivery);
        delivery.ack(BasicAckOptions::default()).await.ok()?;
        Some(got)
    }

    /// So many messages.
    async fn take(&mut self, n: usize) -> Vec<Got> {
        let mut all = Vec::new();
        while all.len() < n {
            let Some(one) = self.next().await else { panic!("{} of {n} messages came", all.len()) };
            all.push(one);
        }
        all
    }

    /// Everything up to a position, each message once: how often others came again is told beside.
    async fn up_to(&mut self, position: i64) -> (Vec<Got>, usize) {
        let (mut all, mut seen, mut again): (Vec<Got>, BTreeSet<String>, usize) = (Vec::new(), BTreeSet::new(), 0);
        loop {
            let one = self.next().await.unwrap_or_else(|| panic!("{} messages came, not up to {position}", all.len()));
            // What is told last of a publication is the vocabulary's one facet.
            let last = one.position() == position && one.body["objekttype"] == "facet";
            if seen.insert(one.id()) {
                all.push(one);
            } else {
                again += 1;
            }
            if last {
                return (all, again);
            }
        }
    }
}

async fn declare(channel: &Channel, queue: &str, arguments: FieldTable) {
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.into(), options, arguments).await.expect("a queue");
}

/// What the log has to tell, read past the agent.
async fn expected(w: &World) -> Vec<About> {
    let events = w.registry.events(0, usize::MAX, &EventFilter::default()).await.expect("the log").events;
    let mut all = Vec::new();
    for event in events {
        let about = |kind: &str, uuid: Uuid| (event.position, kind.to_owned(), uuid.to_string());
        match event.r#type {
            EventType::ConceptStated
            | EventType::ConceptRetired
            | EventType::ConceptPassivated
            | EventType::ConceptEffective => {
                all.push(about("klasse", event.subject));
            }
            EventType::VocabularyCreated | EventType::VocabularyChanged | EventType::VersionPublished => {
                let snapshot = w.registry.snapshot();
                let vocabulary = snapshot.by_slug(event.vocabulary.as_str()).expect("it is there").vocabulary();
                all.push(about("klassifikation", vocabulary.uuid()));
                let facets = &vocabulary.fields().facets;
                all.extend(facets.iter().map(|f| about("facet", f.uuid)));
                if facets.is_empty() {
                    all.push(about("facet", Uuid::new_v5(&vocabulary.uuid(), vocabulary.slug().as_str().as_bytes())));
                }
            }
            _ => {}
        }
    }
    all
}

fn abouts(got: &[Got]) -> Vec<About> {
    got.iter().map(Got::about).collect()
}

/// The uuid of a concept.
fn concept(n: usize) -> Uuid {
    Uuid::new_v5(&Uuid::nil(), format!("K{n}").as_bytes())
}

/// An edition of the vocabulary `koder` with so many concepts, each with such a term.
async fn publish(w: &World, label: &str, day: &str, codes: impl IntoIterator<Item = usize>, term: &str) {
    let mut text = "notation,uuid,preferred.da\n".to_owned();
    for n in codes {
        text.push_str(&format!("K{n},{},{term} {n}\n", concept(n)));
    }
    let mut request = edition("koder", Format::Csv, text.as_bytes(), label, day);
    request.accept_new = true;
    w.import(request).await.expect("it is lawful");
}

/// Waits until something is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let patience = Stopwatch::now();
    while !is_so().await {
        assert!(patience.elapsed() < Duration::from_secs(30), "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn position(w: &World, name: &str) -> i64 {
    let all = w.registry.mox_positions().await.expect("the database");
    all.into_iter().find(|(n, _)| n == name).map_or(-1, |(_, position)| position)
}

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
    let short = MoxSettings { name: "short".into(), declare: false, ..settings("short") };
    let agent = Agent::start(&rabbit, &w.registry, short);
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

/// An interface that says what it was asked, and answers as it is told to.
#[derive(Default)]
struct Script {
    asked: Mutex<Vec<Ask>>,
    answers: Mutex<Vec<Option<Answer>>>,
}

impl Script {
    fn then(&self, status: u16) {
        self.answers.lock().unwrap().push(Some(Answer { status, body: json!({ "n": self.asked() }) }));
    }

    /// The next command never comes to an end.
    fn hang(&self) {
        self.answers.lock().unwrap().push(None);
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Port for Script {
    fn ask(&self, ask: Ask) -> BoxFuture<'_, Answer> {
        self.asked.lock().unwrap().push(ask);
        let next = self.answers.lock().unwrap().pop();
        let n = self.asked();
        Box::pin(async move {
            match next {
                Some(Some(answer)) => answer,
                Some(None) => std::future::pending().await,
                None => Answer { status: 200, body: json!({ "n": n }) },
            }
        })
    }
}

/// Somebody who sends commands and reads the answers.
struct Sender {
    _connection: Connection,
    channel: Channel,
    answers: Consumer,
    queue: String,
    n: u32,
}

impl Sender {
    async fn new(rabbit: &Rabbit, queue: &str) -> Self {
        let (connection, channel) = rabbit.channel().await;
        declare(&channel, queue, FieldTable::default()).await;
        // RabbitMQ's own way to be answered, which any sender may use.
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let pseudo = "amq.rabbitmq.reply-to";
        let answers = channel.basic_consume(pseudo.into(), "".into(), options, FieldTable::default()).await;
        Self { _connection: connection, channel, answers: answers.expect("a consumer"), queue: queue.into(), n: 0 }
    }

    /// Sends a command, with where to answer it if that is said.
    async fn send(&mut self, headers: &Value, body: &[u8], reply_to: Option<&str>) -> String {
        self.n += 1;
        let correlation = format!("c{}", self.n);
        let mut table = FieldTable::default();
        for (name, value) in headers.as_object().expect("an object") {
            let value = match value {
                Value::String(text) => AMQPValue::LongString(text.as_str().into()),
                Value::Number(number) => AMQPValue::LongLongInt(number.as_i64().expect("whole")),
                Value::Null => AMQPValue::Void,
                _ => AMQPValue::FieldTable(FieldTable::default()),
            };
            table.insert(name.as_str().into(), value);
        }
        let properties =
            BasicProperties::default().with_headers(table).with_correlation_id(correlation.as_str().into());
        let properties = match reply_to {
            Some(to) => properties.with_reply_to(to.into()),
            None => properties,
        };
        let (queue, options) = (self.queue.as_str().into(), BasicPublishOptions::default());
        self.channel.basic_publish("".into(), queue, options, body, properties).await.expect("it is sent");
        correlation
    }

    /// The answer to a command: its status and body.
    async fn ask(&mut self, headers: &Value, body: &[u8]) -> (i64, Value) {
        let correlation = self.send(headers, body, Some("amq.rabbitmq.reply-to")).await;
        let answer = tokio::time::timeout(Duration::from_secs(40), self.answers.next()).await.expect("an answer");
        let answer = answer.expect("an answer").expect("an answer");
        let id = answer.properties.correlation_id().as_ref().map(ToString::to_string);
        assert_eq!(id, Some(correlation), "the answer names the command");
        let got = Got::of(&answer);
        (got.headers["status"].as_i64().expect("a status"), got.body)
    }
}

const KLASSE: &str = "88888888-8888-4888-8888-888888888888";

fn besked(n: u32) -> String {
    format!("11111111-1111-4111-8111-{n:012}")
}

fn update(n: u32) -> Value {
    json!({ "beskedID": besked(n), "beskedversion": 1, "objekttype": "Klasse", "objektID": KLASSE, "operation": "update" })
}

async fn is_empty(sender: &Sender) -> bool {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let queue = sender.channel.queue_declare(sender.queue.as_str().into(), options, FieldTable::default()).await;
    queue.expect("the queue").message_count() == 0
}

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
