//! A real RabbitMQ for tests: started, stopped and short of memory as they like; agents at it, who reads what they tell,
//! and who sends them commands.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Stopwatch};

use begreb::delivery::mox::{Answer, Ask, Broker, Mox, MoxSettings, Port};
use begreb::exchange::Format;
use begreb::http::{Doors, HttpOptions};
use begreb::model::{EventFilter, EventType};
use begreb::registry::Registry;
use futures::StreamExt;
use futures::future::BoxFuture;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;
use uuid::Uuid;

use crate::common::{Folder, World, edition, root};

pub const SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";

/// A RabbitMQ.
pub struct Rabbit {
    pub folder: Folder,
    pub ports: [u16; 3],
    pub process: Option<Child>,
}

impl Rabbit {
    /// One of its own; none, with a note, where RabbitMQ is not to be had.
    pub async fn start() -> Option<Self> {
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

    pub fn launch(&mut self) {
        let [amqp, dist, epmd] = self.ports.map(|p| p.to_string());
        let mut process = Process::new("sh");
        process.arg(root().join("tests/mox/rabbitmq.sh")).arg(self.folder.path()).args([amqp, dist, epmd]);
        self.process = Some(process.stdin(Stdio::piped()).spawn().expect("sh runs"));
    }

    /// One that speaks TLS on a port of its own, with a certificate for `localhost` by an authority of its own, `ca.pem` in
    /// its folder; and that port. None as for [`Rabbit::start`], and where there is no openssl.
    pub async fn start_secure() -> Option<(Self, u16)> {
        if Process::new("openssl").arg("version").output().is_err() {
            eprintln!("SKIPPED: openssl is not installed; amqps was not tested");
            return None;
        }
        let mut rabbit = Self::start().await?;
        rabbit.down();
        let folder = rabbit.folder.path().to_owned();
        std::fs::write(folder.join("san"), "subjectAltName=DNS:localhost").expect("a file");
        let new = ["req", "-newkey", "rsa:2048", "-nodes"];
        let authority =
            ["-x509", "-days", "2", "-subj", "/CN=Authority of a test", "-keyout", "ca.key", "-out", "ca.pem"];
        let asked = ["-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "asked.pem"];
        let signed = ["x509", "-req", "-in", "asked.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
        let for_us = ["-days", "2", "-extfile", "san", "-out", "cert.pem"];
        for arguments in [[&new[..], &authority].concat(), [&new[..], &asked].concat(), [&signed[..], &for_us].concat()]
        {
            let done = Process::new("openssl").args(&arguments).current_dir(&folder).output().expect("openssl runs");
            assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        }
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let near = |name: &str| folder.join(name).display().to_string();
        let conf = format!(
            "listeners.ssl.1 = 127.0.0.1:{port}\nssl_options.cacertfile = {}\nssl_options.certfile = {}\n\
             ssl_options.keyfile = {}\nssl_options.verify = verify_none\nssl_options.fail_if_no_peer_cert = false\n",
            near("ca.pem"),
            near("cert.pem"),
            near("key.pem")
        );
        std::fs::write(folder.join("rabbitmq.conf"), conf).expect("a file");
        rabbit.up().await;
        Some((rabbit, port))
    }

    /// Tells it something while it runs, as its operator does.
    pub fn tell(&self, what: &[&str]) {
        let ports = self.ports.map(|p| p.to_string());
        let mut process = Process::new("sh");
        process.arg(root().join("tests/mox/rabbitmq.sh")).arg(self.folder.path()).args(ports).args(what);
        let done = process.stdin(Stdio::null()).output().expect("sh runs");
        let said = [&done.stdout, &done.stderr].map(|o| String::from_utf8_lossy(o).into_owned());
        assert!(done.status.success(), "{what:?}: {}", said.join(""));
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts it, on what it had.
    pub async fn up(&mut self) {
        self.launch();
        let patience = Stopwatch::now();
        // A connection that is begun while it starts may never be answered, nor end.
        let answers = async || timeout(Duration::from_secs(5), self.connect()).await.is_ok_and(|c| c.is_ok());
        while !answers().await {
            let log = || std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default();
            assert!(patience.elapsed() < Duration::from_secs(120), "RabbitMQ does not start: {}", log());
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    /// Ends it at once.
    pub fn down(&mut self) {
        if let Some(mut process) = self.process.take() {
            drop(process.stdin.take());
            let _ = process.wait();
        }
    }

    pub fn address(&self) -> String {
        format!("amqp://127.0.0.1:{}", self.ports[0])
    }

    pub async fn connect(&self) -> lapin::Result<Connection> {
        Connection::connect(&self.address(), ConnectionProperties::default()).await
    }

    pub async fn channel(&self) -> (Connection, Channel) {
        let connection = self.connect().await.expect("RabbitMQ answers");
        let channel = connection.create_channel().await.expect("a channel");
        (connection, channel)
    }

    pub fn broker(&self) -> Broker {
        Broker::new(&self.address(), None, false).expect("an address")
    }
}

impl Drop for Rabbit {
    fn drop(&mut self) {
        self.down();
    }
}

/// An agent that runs.
pub struct Agent {
    pub stop: watch::Sender<bool>,
    pub task: tokio::task::JoinHandle<()>,
}

impl Agent {
    pub fn start(rabbit: &Rabbit, registry: &Arc<Registry>, settings: MoxSettings) -> Self {
        let doors = Doors::of(registry, &HttpOptions::default());
        Self::with(rabbit, registry, settings, Arc::new(doors))
    }

    pub fn with(rabbit: &Rabbit, registry: &Arc<Registry>, settings: MoxSettings, port: Arc<dyn Port>) -> Self {
        Self::at(rabbit.broker(), registry, settings, port)
    }

    /// At a broker that is named otherwise.
    pub fn at(broker: Broker, registry: &Arc<Registry>, settings: MoxSettings, port: Arc<dyn Port>) -> Self {
        let mox = Mox::new(registry.clone(), broker, settings, port).expect("the settings are lawful");
        let (stop, stopping) = watch::channel(false);
        Self { stop, task: tokio::spawn(async move { mox.run(stopping).await }) }
    }

    /// Asks it to end, and waits for that.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        tokio::time::timeout(Duration::from_secs(20), self.task).await.expect("it stops").expect("it did not panic");
    }

    /// Ends it as a crash does.
    pub async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

pub fn settings(queue: &str) -> MoxSettings {
    MoxSettings { routing_key: queue.into(), after: Some(0), ..MoxSettings::default() }
}

/// A message that came.
#[derive(Clone, Debug)]
pub struct Got {
    pub headers: BTreeMap<String, Value>,
    pub body: Value,
    pub properties: BasicProperties,
}

impl Got {
    pub fn of(delivery: &Delivery) -> Self {
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

    pub fn id(&self) -> String {
        self.headers["beskedID"].as_str().expect("a text").to_owned()
    }

    pub fn position(&self) -> i64 {
        self.headers["begreb-position"].as_i64().expect("a number")
    }

    pub fn about(&self) -> About {
        let text = |name: &str| self.body[name].as_str().expect("a text").to_owned();
        (self.position(), text("objekttype"), text("objektID"))
    }
}

/// Position, kind and uuid.
pub type About = (i64, String, String);

/// Reads a queue: `next` waits for a message and acknowledges it.
pub struct Reader {
    _connection: Connection,
    pub consumer: Consumer,
}

impl Reader {
    pub async fn of(rabbit: &Rabbit, queue: &str) -> Self {
        let (connection, channel) = rabbit.channel().await;
        channel.basic_qos(1, BasicQosOptions::default()).await.expect("qos");
        declare(&channel, queue, FieldTable::default()).await;
        let options = BasicConsumeOptions::default();
        let consumer = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await;
        Self { _connection: connection, consumer: consumer.expect("a consumer") }
    }

    pub async fn next(&mut self) -> Option<Got> {
        let delivery = tokio::time::timeout(Duration::from_secs(30), self.consumer.next()).await.ok()??.ok()?;
        let got = Got::of(&delivery);
        delivery.ack(BasicAckOptions::default()).await.ok()?;
        Some(got)
    }

    /// So many messages.
    pub async fn take(&mut self, n: usize) -> Vec<Got> {
        let mut all = Vec::new();
        while all.len() < n {
            let Some(one) = self.next().await else { panic!("{} of {n} messages came", all.len()) };
            all.push(one);
        }
        all
    }

    /// Everything up to a position, each message once: how often others came again is told beside.
    pub async fn up_to(&mut self, position: i64) -> (Vec<Got>, usize) {
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

pub async fn declare(channel: &Channel, queue: &str, arguments: FieldTable) {
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.into(), options, arguments).await.expect("a queue");
}

/// What the log has to tell, read past the agent.
pub async fn expected(w: &World) -> Vec<About> {
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

pub fn abouts(got: &[Got]) -> Vec<About> {
    got.iter().map(Got::about).collect()
}

/// The uuid of a concept.
pub fn concept(n: usize) -> Uuid {
    Uuid::new_v5(&Uuid::nil(), format!("K{n}").as_bytes())
}

/// An edition of the vocabulary `koder` with so many concepts, each with such a term.
pub async fn publish(w: &World, label: &str, day: &str, codes: impl IntoIterator<Item = usize>, term: &str) {
    let mut text = "notation,uuid,preferred.da\n".to_owned();
    for n in codes {
        text.push_str(&format!("K{n},{},{term} {n}\n", concept(n)));
    }
    let mut request = edition("koder", Format::Csv, text.as_bytes(), label, day);
    request.accept_new = true;
    w.import(request).await.expect("it is lawful");
}

/// Waits until something is so.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let patience = Stopwatch::now();
    while !is_so().await {
        assert!(patience.elapsed() < Duration::from_secs(30), "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub async fn position(w: &World, name: &str) -> i64 {
    let all = w.registry.mox_positions().await.expect("the database");
    all.into_iter().find(|(n, _)| n == name).map_or(-1, |(_, position)| position)
}

/// An interface that says what it was asked, and answers as it is told to.
#[derive(Default)]
pub struct Script {
    pub asked: Mutex<Vec<Ask>>,
    pub answers: Mutex<Vec<Option<Answer>>>,
}

impl Script {
    pub fn then(&self, status: u16) {
        self.answers.lock().unwrap().push(Some(Answer { status, body: json!({ "n": self.asked() }) }));
    }

    /// The next command never comes to an end.
    pub fn hang(&self) {
        self.answers.lock().unwrap().push(None);
    }

    pub fn asked(&self) -> usize {
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
pub struct Sender {
    _connection: Connection,
    pub channel: Channel,
    pub answers: Consumer,
    pub queue: String,
    pub n: u32,
}

impl Sender {
    pub async fn new(rabbit: &Rabbit, queue: &str) -> Self {
        let (connection, channel) = rabbit.channel().await;
        declare(&channel, queue, FieldTable::default()).await;
        // RabbitMQ's own way to be answered, which any sender may use.
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let pseudo = "amq.rabbitmq.reply-to";
        let answers = channel.basic_consume(pseudo.into(), "".into(), options, FieldTable::default()).await;
        Self { _connection: connection, channel, answers: answers.expect("a consumer"), queue: queue.into(), n: 0 }
    }

    /// Sends a command, with where to answer it if that is said.
    pub async fn send(&mut self, headers: &Value, body: &[u8], reply_to: Option<&str>) -> String {
        self.n += 1;
        let correlation = format!("c{}", self.n);
        let mut table = FieldTable::default();
        for (name, value) in headers.as_object().expect("an object") {
            let value = match value {
                Value::String(text) => AMQPValue::LongString(text.as_str().into()),
                Value::Number(number) => AMQPValue::LongLongInt(number.as_i64().expect("whole")),
                Value::Null => AMQPValue::Void,
                Value::Bool(yes) => AMQPValue::Boolean(*yes),
                Value::Array(_) => AMQPValue::FieldArray(vec![AMQPValue::Timestamp(0), AMQPValue::Double(0.5)].into()),
                Value::Object(_) => AMQPValue::FieldTable(FieldTable::default()),
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
    pub async fn ask(&mut self, headers: &Value, body: &[u8]) -> (i64, Value) {
        let correlation = self.send(headers, body, Some("amq.rabbitmq.reply-to")).await;
        let answer = tokio::time::timeout(Duration::from_secs(40), self.answers.next()).await.expect("an answer");
        let answer = answer.expect("an answer").expect("an answer");
        let id = answer.properties.correlation_id().as_ref().map(ToString::to_string);
        assert_eq!(id, Some(correlation), "the answer names the command");
        let got = Got::of(&answer);
        (got.headers["status"].as_i64().expect("a status"), got.body)
    }
}

pub const KLASSE: &str = "88888888-8888-4888-8888-888888888888";

pub fn besked(n: u32) -> String {
    format!("11111111-1111-4111-8111-{n:012}")
}

pub fn update(n: u32) -> Value {
    json!({ "beskedID": besked(n), "beskedversion": 1, "objekttype": "Klasse", "objektID": KLASSE, "operation": "update" })
}

pub async fn is_empty(sender: &Sender) -> bool {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let queue = sender.channel.queue_declare(sender.queue.as_str().into(), options, FieldTable::default()).await;
    queue.expect("the queue").message_count() == 0
}
