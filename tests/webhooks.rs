//! Webhooks from the change log to receivers that are stopped, slowed, restarted, and that answer in every wrong way:
//! nothing is lost, nothing is out of order for anybody, and one that is down holds up nobody.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Stopwatch};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::{Router, body::to_bytes};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use begreb::delivery::{Courier, RetryPlan, Webhooks};
use begreb::exchange::Format;
use begreb::model::{Clock, Governance, Owner, Role, Secret};
use begreb::registry::{AccountChange, Registry, SubscriptionRequest};
use common::crew::{Person, person, vocabulary};
use common::{World, edition, instant, node_modules, on_every_database, operator, root};
use hmac::{Hmac, Mac as _};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use uuid::Uuid;

/// How a receiver behaves.
#[derive(Clone, Debug)]
enum Mode {
    Well,
    Says(u16, Vec<(&'static str, String)>, &'static str),
    Slow(Duration),
    /// It takes each message in, and fails to say so at every n-th.
    Flaky(usize),
}

/// What a receiver has taken in.
#[derive(Clone, Debug)]
struct Taken {
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Taken {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The positions of the events in it.
    fn positions(&self) -> Vec<i64> {
        let body = self.json();
        let events = body["data"]["events"].as_array().cloned().unwrap_or_else(|| vec![body["data"].clone()]);
        events.iter().filter_map(|e| e["position"].as_i64()).collect()
    }

    /// Whether a signature in it is by a secret, recomputed by hand.
    fn is_signed_by(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("a secret")).expect("base64");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
        let (id, second) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        mac.update(format!("{id}.{second}.").as_bytes());
        mac.update(&self.body);
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.header("webhook-signature").split(' ').any(|s| s == expected)
    }
}

type Shared = Arc<Mutex<(Mode, Vec<Taken>)>>;

/// A receiver, at an address that it keeps when it is started again.
struct Receiver {
    address: SocketAddr,
    shared: Shared,
    task: Option<JoinHandle<()>>,
}

impl Receiver {
    async fn start() -> Self {
        let mut receiver = Self {
            address: "127.0.0.1:0".parse().expect("an address"),
            shared: Arc::new(Mutex::new((Mode::Well, Vec::new()))),
            task: None,
        };
        receiver.again().await;
        receiver
    }

    /// Starts it once more, at its address.
    async fn again(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("the port is free");
        self.address = listener.local_addr().expect("an address");
        let router = Router::new().fallback(take).with_state(self.shared.clone());
        self.task = Some(tokio::spawn(async move {
            // Dropped with the task: a stopped receiver has no connection left.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let service = TowerToHyperService::new(router.clone());
                connections.spawn(async move {
                    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
                });
            }
        }));
    }

    /// Stops it, with every connection.
    async fn stop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await;
        }
    }

    fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    fn behave(&self, mode: Mode) {
        self.shared.lock().expect("it is whole").0 = mode;
    }

    fn taken(&self) -> Vec<Taken> {
        self.shared.lock().expect("it is whole").1.clone()
    }

    /// How many messages it has taken in.
    fn count(&self) -> usize {
        self.shared.lock().expect("it is whole").1.len()
    }

    fn forget(&self) {
        self.shared.lock().expect("it is whole").1.clear();
    }

    /// The positions of everything that it took in, in that order.
    fn positions(&self) -> Vec<i64> {
        self.taken().iter().flat_map(Taken::positions).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn take(State(shared): State<Shared>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("the body is whole");
    let (mode, count) = {
        let mut there = shared.lock().expect("it is whole");
        there.1.push(Taken { path: head.uri.to_string(), headers: head.headers, body });
        (there.0.clone(), there.1.len())
    };
    let says = |status: u16, text: &'static str| {
        Response::builder().status(status).body(Body::from(text)).expect("a response")
    };
    match mode {
        Mode::Well => says(204, ""),
        Mode::Says(status, headers, text) => {
            let mut response = says(status, text);
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().expect("a header"));
            }
            response
        }
        Mode::Slow(wait) => {
            tokio::time::sleep(wait).await;
            says(200, "late")
        }
        Mode::Flaky(n) if count.is_multiple_of(n) => says(500, "I took it, and say that I did not"),
        Mode::Flaky(_) => says(200, "ok"),
    }
}

/// A registry with a vocabulary, whose webhooks may go to the machine itself; and Anne, who is signed in and has no role.
async fn world(w: World) -> (World, Person) {
    let w = w.with_webhooks().await;
    vocabulary(&w, "koder", Governance::Direct, "notation,preferred.da\nA,a\nB,b\n").await;
    let anne = person(&w, "Anne", &[]).await;
    (w, anne)
}

fn hooks(w: &World) -> Arc<Webhooks> {
    hooks_of(&w.registry)
}

fn hooks_of(registry: &Arc<Registry>) -> Arc<Webhooks> {
    let courier = Courier::new(true).expect("TLS is there").patient(Duration::from_secs(2));
    Arc::new(Webhooks::new(registry.clone(), courier))
}

async fn subscribe(w: &World, who: &Person, body: Value) -> Value {
    who.send(w, "POST", "/subscriptions", body).await.with(201).json()
}

fn at(subscription: &Value, rest: &str) -> String {
    format!("/subscriptions/{}{rest}", subscription["uuid"].as_str().expect("a uuid"))
}

/// Publishes an edition of some concepts: an event for each that is new or changed, and one for the version.
async fn publish(w: &World, label: &str, concepts: usize) {
    let mut csv = String::from("notation,preferred.da\nA,a\nB,b\n");
    for n in 0..concepts {
        csv.push_str(&format!("{label}-{n},term {label} {n}\n"));
    }
    let mut request = edition("koder", Format::Csv, csv.as_bytes(), label, "2021-01-01");
    request.accept_new = true;
    w.import(request).await.expect("it is lawful");
}

/// The positions of all events after one.
async fn told(w: &World, after: i64) -> Vec<i64> {
    let (mut all, mut after) = (Vec::new(), after);
    loop {
        let events = w.registry.events(after, 10_000, &Default::default()).await.expect("they are read");
        all.extend(events.events.iter().map(|e| e.position));
        if events.position >= events.head {
            return all;
        }
        after = events.position;
    }
}

/// Everything arrived in order; what came twice came no later than what follows it.
#[track_caller]
fn in_order(arrived: &[i64], expected: &[i64]) {
    let mut first_times = Vec::new();
    for position in arrived {
        if !first_times.contains(position) {
            first_times.push(*position);
        }
    }
    assert_eq!(first_times, expected);
}

async fn deliveries(w: &World, who: &Person, subscription: &Value) -> Vec<Value> {
    who.get(w, &at(subscription, "/deliveries")).await.ok().json().as_array().expect("a list").clone()
}

async fn state(w: &World, who: &Person, subscription: &Value) -> Value {
    who.get(w, &at(subscription, "")).await.ok().json()
}

/// Moves the clock on.
fn pass(w: &World, seconds: i64) {
    w.clock.set(&begreb::model::Instant::from_micros(w.clock.now().micros() + seconds * 1_000_000).to_string());
}

/// What the verifier of the scheme's makers says of a message.
fn verified(taken: &Taken, secret: &str, now: i64) -> Value {
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers: Value =
        names.iter().map(|n| ((*n).to_owned(), json!(taken.header(n)))).collect::<serde_json::Map<_, _>>().into();
    let told =
        json!({ "secret": secret, "headers": headers, "body": String::from_utf8_lossy(&taken.body), "now": now });
    let mut node = Command::new("node")
        .arg(root().join("tests/webhooks/verify.js"))
        .env("NODE_PATH", node_modules("webhooks", "standardwebhooks-1.0.0"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node runs");
    node.stdin.take().expect("a pipe").write_all(told.to_string().as_bytes()).expect("it listens");
    let done = node.wait_with_output().expect("it ends");
    serde_json::from_slice(&done.stdout).expect("JSON")
}

#[tokio::test]
async fn events_arrive_in_order_and_signed() {
    on_every_database(async |w| {
        let (w, anne) = world(w).await;
        let (receiver, hooks) = (Receiver::start().await, hooks(&w));
        let made = subscribe(&w, &anne, json!({ "url": receiver.url(), "after": 0, "description": "Ø" })).await;
        let secret = made["secret"].as_str().expect("a secret").to_owned();
        assert_eq!((made["state"].as_str(), made["description"].as_str()), (Some("active"), Some("Ø")));
        assert_eq!(made["owner"]["account"], anne.uuid.to_string());
        publish(&w, "2", 3).await;
        hooks.deliver_due().await.expect("it is delivered");
        assert_eq!(receiver.positions(), told(&w, 0).await, "everything, in order, once");
        let now = w.clock.now().micros() / 1_000_000;
        for taken in receiver.taken() {
            assert_eq!(taken.path, "/hook");
            assert_eq!(taken.header("content-type"), "application/json");
            assert_eq!(taken.header("host"), receiver.address.to_string());
            assert_eq!(taken.header("webhook-timestamp"), now.to_string());
            assert!(taken.header("webhook-id").starts_with("msg_"));
            assert!(taken.is_signed_by(&secret));
            let body = taken.json();
            assert_eq!(body["type"], body["data"]["type"]);
            assert_eq!(body["timestamp"], body["data"]["at"]);
        }
        let ids: BTreeSet<_> = receiver.taken().iter().map(|t| t.header("webhook-id").to_owned()).collect();
        assert_eq!(ids.len(), receiver.taken().len(), "each has an id of its own");
        // As a receiver does it, by the library of the scheme.
        let one = receiver.taken().pop().expect("a message");
        assert_eq!(verified(&one, &secret, now)["verified"], "version.published");
        let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        assert_eq!(verified(&one, other, now)["refused"], "No matching signature found");
        assert!(verified(&one, &secret, now + 600)["refused"].as_str().is_some_and(|r| r.contains("too old")));

        // Another secret: both sign for a while, then the new one alone.
        let rotated = anne.send(&w, "POST", &at(&made, "/secret"), json!({ "overlapHours": 1 })).await.ok().json();
        let newer = rotated["secret"].as_str().expect("a secret").to_owned();
        assert_ne!(newer, secret);
        let signed = async |label: &str| {
            receiver.forget();
            publish(&w, label, 1).await;
            hooks.deliver_due().await.expect("it is delivered");
            let one = receiver.taken().remove(0);
            (one.is_signed_by(&newer), one.is_signed_by(&secret), one)
        };
        let (by_new, by_old, both) = signed("3").await;
        assert_eq!((by_new, by_old), (true, true));
        let now = w.clock.now().micros() / 1_000_000;
        assert_eq!(verified(&both, &secret, now)["verified"], verified(&both, &newer, now)["verified"]);
        pass(&w, 3601);
        let (by_new, by_old, _) = signed("4").await;
        assert_eq!((by_new, by_old), (true, false));
        // Secrets are shown once.
        for uri in [at(&made, ""), "/subscriptions".to_owned()] {
            assert!(!anne.get(&w, &uri).await.ok().text().contains("whsec_"));
        }
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn a_receiver_that_fails_is_asked_again_and_nothing_overtakes() {
    on_every_database(async |w| {
        let (w, anne) = world(w).await;
        let (receiver, hooks) = (Receiver::start().await, hooks(&w));
        let made = subscribe(&w, &anne, json!({ "url": receiver.url() })).await;
        let from = made["position"].as_i64().expect("a position");
        publish(&w, "2", 2).await;
        let expected = told(&w, from).await;
        assert_eq!(expected.len(), 3);
        receiver.behave(Mode::Says(500, vec![], "I am ill"));
        let mut waits = Vec::new();
        for attempt in 1..=4 {
            hooks.deliver_due().await.expect("it is tried");
            hooks.deliver_due().await.expect("nothing is due");
            assert_eq!(receiver.taken().len(), attempt, "no attempt before its time");
            let now = state(&w, &anne, &made).await;
            assert_eq!((now["attempts"].as_u64(), now["position"].as_i64()), (Some(attempt as u64), Some(from)));
            let next = instant(now["nextAttempt"].as_str().expect("an instant"));
            waits.push((next.micros() - w.clock.now().micros()) / 1_000_000);
            pass(&w, waits[attempt - 1]);
        }
        for (wait, middle) in waits.iter().zip([5, 10, 20, 40]) {
            assert!((middle * 3 / 4..=middle * 5 / 4).contains(wait), "{waits:?}");
        }
        let ids: BTreeSet<_> = receiver.taken().iter().map(|t| t.header("webhook-id").to_owned()).collect();
        let bodies: BTreeSet<_> = receiver.taken().iter().map(|t| t.body.clone()).collect();
        assert_eq!((ids.len(), bodies.len()), (1, 1), "the same message each time");
        let stamps: BTreeSet<_> = receiver.taken().iter().map(|t| t.header("webhook-timestamp").to_owned()).collect();
        assert_eq!(stamps.len(), 4, "each attempt is signed anew");

        // Whoever asks us to wait is waited for: in seconds, or until a date.
        for (value, seconds) in [("900".to_owned(), 900), (http_date(&w, 900 + 1200), 1200)] {
            receiver.behave(Mode::Says(503, vec![("retry-after", value)], ""));
            hooks.deliver_due().await.expect("it is tried");
            let next = instant(state(&w, &anne, &made).await["nextAttempt"].as_str().expect("an instant"));
            assert_eq!((next.micros() - w.clock.now().micros()) / 1_000_000, seconds);
            pass(&w, seconds);
        }
        receiver.behave(Mode::Well);
        hooks.deliver_due().await.expect("it is delivered");
        in_order(&receiver.positions(), &expected);
        let log = deliveries(&w, &anne, &made).await;
        assert_eq!(log.len(), 6 + 3);
        assert_eq!(
            (&log[0]["outcome"], &log[0]["status"], &log[0]["attempt"]),
            (&json!("delivered"), &json!(204), &json!(1))
        );
        let first = log.last().expect("a row");
        assert_eq!(
            (&first["outcome"], &first["status"], &first["answer"]),
            (&json!("failed"), &json!(500), &json!("I am ill"))
        );
        assert!(first["milliseconds"].as_i64().is_some_and(|n| (0..2000).contains(&n)));
        // Page by page it is the same.
        let first = anne.get(&w, &at(&made, "/deliveries?limit=4")).await.ok();
        assert_eq!(first.header("x-total-count"), "9");
        let next = first.header("link");
        let next =
            next.trim_start_matches('<').split('>').next().expect("an address").strip_prefix("/api/v1").expect("ours");
        let second = anne.get(&w, next).await.ok().json();
        assert_eq!(second.as_array().expect("a list")[..], log[4..8]);
        // What was tried is kept for 30 days.
        pass(&w, 31 * 86400);
        hooks.sweep().await.expect("it is swept");
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

fn http_date(w: &World, seconds: i64) -> String {
    let at = w.clock.now().micros() / 1_000_000 + seconds;
    jiff::Timestamp::from_second(at).expect("an instant").strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[tokio::test]
async fn after_five_days_a_letter_is_dead_and_the_next_goes_on() {
    on_every_database(async |w| {
        let (w, mut anne) = world(w).await;
        let (receiver, hooks) = (Receiver::start().await, hooks(&w));
        let made = subscribe(&w, &anne, json!({ "url": receiver.url() })).await;
        let from = made["position"].as_i64().expect("a position");
        publish(&w, "2", 2).await;
        let expected = told(&w, from).await;
        receiver.behave(Mode::Says(400, vec![], "not this one"));
        let begun = w.clock.now().micros();
        // Until the first letter has died.
        while !receiver.positions().contains(&expected[1]) {
            hooks.deliver_due().await.expect("it is tried");
            pass(&w, 3600);
            assert!(w.clock.now().micros() - begun < 6 * 86_400_000_000, "it is tried for ever");
        }
        assert!(w.clock.now().micros() - begun > 4 * 86_400_000_000, "it was given up too early");
        anne.sign_in(&w, "Anne").await;
        let dead = anne.get(&w, &at(&made, "/dead-letters")).await.ok().json();
        let dead = dead.as_array().expect("a list");
        assert_eq!(dead.len(), 1);
        assert_eq!((&dead[0]["positions"], &dead[0]["status"]), (&json!([expected[0]]), &json!(400)));
        assert_eq!(dead[0]["answer"], "not this one");
        assert!(dead[0]["attempts"].as_i64().is_some_and(|n| n > 30), "{}", dead[0]);
        assert!(deliveries(&w, &anne, &made).await.iter().any(|d| d["outcome"] == "dead"));
        receiver.behave(Mode::Well);
        pass(&w, 5 * 3600);
        anne.sign_in(&w, "Anne").await;
        receiver.forget();
        hooks.deliver_due().await.expect("it is delivered");
        assert_eq!(receiver.positions(), expected[1..], "those after it");

        // One that is sent again, in vain: it lies still after one attempt.
        receiver.forget();
        let letter = dead[0]["uuid"].clone();
        receiver.behave(Mode::Says(500, vec![], ""));
        let again =
            async |what: Value, status| anne.send(&w, "POST", &at(&made, "/replay"), what).await.with(status).json();
        assert_eq!(again(json!({ "deadLetter": letter }), 202).await["deadLetters"], 1);
        hooks.deliver_due().await.expect("it is tried");
        assert_eq!(receiver.positions(), [expected[0]]);
        let still = anne.get(&w, &at(&made, "/dead-letters")).await.ok().json();
        assert_eq!((&still[0]["queued"], &still[0]["status"]), (&json!(false), &json!(500)));
        // All of them, well this time: the same message as ever.
        receiver.behave(Mode::Well);
        assert_eq!(again(json!({ "all": true }), 202).await["deadLetters"], 1);
        hooks.deliver_due().await.expect("it is delivered");
        assert_eq!(receiver.taken()[1].header("webhook-id"), dead[0]["message"]);
        assert_eq!(receiver.taken()[0].body, receiver.taken()[1].body);
        assert_eq!(anne.get(&w, &at(&made, "/dead-letters")).await.ok().json(), json!([]));
        // Everything from a position, in order.
        receiver.forget();
        assert_eq!(again(json!({ "after": from }), 202).await["position"], from);
        hooks.deliver_due().await.expect("it is delivered");
        assert_eq!(receiver.positions(), expected);
        for (wrong, code) in [
            (json!({}), "invalid-body"),
            (json!({ "all": false }), "invalid-body"),
            (json!({ "all": true, "after": 0 }), "invalid-body"),
            (json!({ "after": -1 }), "invalid-parameter"),
            (json!({ "after": 1_000_000 }), "invalid-parameter"),
            (json!({ "deadLetter": "x" }), "invalid-body"),
        ] {
            assert_eq!(again(wrong.clone(), 400).await["code"], code, "{wrong}");
        }
        assert_eq!(again(json!({ "deadLetter": Uuid::nil() }), 404).await["code"], "not-found");
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_left_alone_until_its_owner_says_so() {
    on_every_database(async |w| {
        let (w, anne) = world(w).await;
        let (receiver, hooks) = (Receiver::start().await, hooks(&w));
        let made = subscribe(&w, &anne, json!({ "url": receiver.url() })).await;
        let from = made["position"].as_i64().expect("a position");
        receiver.behave(Mode::Says(410, vec![], ""));
        publish(&w, "2", 1).await;
        let expected = told(&w, from).await;
        hooks.deliver_due().await.expect("it is tried");
        pass(&w, 86400 / 4);
        hooks.deliver_due().await.expect("nothing is tried");
        assert_eq!(receiver.taken().len(), 1);
        let now = state(&w, &anne, &made).await;
        assert_eq!((&now["state"], &now["pausedBecause"]), (&json!("paused"), &json!("gone")));
        assert_eq!(deliveries(&w, &anne, &made).await[0]["outcome"], "gone");
        // A test goes out all the same.
        receiver.behave(Mode::Well);
        receiver.forget();
        let test = anne.send(&w, "POST", &at(&made, "/test"), Value::Null).await.with(202).json();
        let soon = anne.send(&w, "POST", &at(&made, "/test"), Value::Null).await.with(429);
        assert_eq!((soon.code().as_str(), soon.header("retry-after").as_str()), ("too-soon", "10"));
        hooks.deliver_due().await.expect("it is sent");
        assert_eq!(receiver.taken().len(), 1);
        let one = receiver.taken().remove(0);
        assert_eq!(
            (one.header("webhook-id"), &one.json()["type"]),
            (test["message"].as_str().expect("an id"), &json!("begreb.test"))
        );
        assert!(one.is_signed_by(made["secret"].as_str().expect("a secret")));
        let logged = deliveries(&w, &anne, &made).await.remove(0);
        assert_eq!((&logged["message"], &logged["outcome"]), (&test["message"], &json!("delivered")));
        // It goes on where it was.
        receiver.forget();
        assert_eq!(anne.send(&w, "POST", &at(&made, "/resume"), Value::Null).await.ok().json()["state"], "active");
        hooks.deliver_due().await.expect("it is delivered");
        assert_eq!(receiver.positions(), expected);
        // Paused by its owner, it waits.
        anne.send(&w, "POST", &at(&made, "/pause"), Value::Null).await.ok();
        publish(&w, "3", 1).await;
        receiver.forget();
        hooks.deliver_due().await.expect("nothing is sent");
        assert!(receiver.taken().is_empty());
        anne.send(&w, "POST", &at(&made, "/resume"), Value::Null).await.ok();
        hooks.deliver_due().await.expect("it is delivered");
        assert!(!receiver.taken().is_empty());
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn nobody_is_led_elsewhere() {
    on_every_database(async |w| {
        let (w, anne) = world(w).await;
        let (receiver, elsewhere, hooks) = (Receiver::start().await, Receiver::start().await, hooks(&w));
        let made = subscribe(&w, &anne, json!({ "url": receiver.url() })).await;
        publish(&w, "2", 1).await;
        for (i, status) in [301, 302, 303, 307, 308].into_iter().enumerate() {
            receiver.behave(Mode::Says(status, vec![("location", elsewhere.url())], "there"));
            hooks.deliver_due().await.expect("it is tried");
            assert_eq!(receiver.taken().len(), i + 1);
            let log = deliveries(&w, &anne, &made).await;
            assert_eq!((&log[0]["outcome"], &log[0]["status"]), (&json!("failed"), &json!(status)));
            pass(&w, 3600);
        }
        assert!(elsewhere.taken().is_empty());
        // What may be reached is looked at at each attempt, whatever was allowed when it was made.
        let strict = Arc::new(Webhooks::new(w.registry.clone(), Courier::new(false).expect("TLS is there")));
        let before = receiver.taken().len();
        strict.deliver_due().await.expect("it is tried");
        assert_eq!(receiver.taken().len(), before, "a private address was asked");
        let log = deliveries(&w, &anne, &made).await;
        assert!(log[0]["answer"].as_str().is_some_and(|a| a.starts_with("refused: ")), "{}", log[0]);
        assert_eq!(log[0]["status"], Value::Null);
    })
    .await;
}

#[tokio::test]
async fn a_receiver_is_who_its_certificate_says() {
    let near = |name: &str| std::fs::read(root().join("tests/smtp").join(name)).expect("a file");
    let Some(w) = World::open("sqlite").await else { return };
    let (w, anne) = world(w).await;
    let certificates = CertificateDer::pem_slice_iter(&near("certificate.pem")).collect::<Result<_, _>>().expect("PEM");
    let key = PrivateKeyDer::from_pem_slice(&near("key.pem")).expect("PEM");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("TLS is there").with_no_client_auth().with_single_cert(certificates, key);
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config.expect("they belong together")));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let shared: Shared = Arc::new(Mutex::new((Mode::Well, Vec::new())));
    let router = Router::new().fallback(take).with_state(shared.clone());
    let serving = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let service = TowerToHyperService::new(router.clone());
            tokio::spawn(async move {
                let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    let made = subscribe(&w, &anne, json!({ "url": format!("https://localhost:{port}/"), "after": 0 })).await;
    let send = async |courier: Courier| {
        Arc::new(Webhooks::new(w.registry.clone(), courier)).deliver_due().await.expect("it is tried");
        deliveries(&w, &anne, &made).await.remove(0)
    };
    let unknown = send(Courier::new(true).expect("TLS is there")).await;
    assert_eq!(unknown["outcome"], "failed");
    assert!(unknown["answer"].as_str().is_some_and(|a| a.starts_with("TLS: ")), "{unknown}");
    assert!(shared.lock().expect("it is whole").1.is_empty(), "a stranger was told something");
    pass(&w, 60);
    let known = send(Courier::trusting(&near("certificate.pem"), true).expect("a certificate")).await;
    assert_eq!(known["outcome"], "delivered", "{known}");
    assert!(Courier::trusting(b"no certificate", true).is_err());
    serving.abort();
}

#[tokio::test]
async fn long_answers_are_read_to_a_bound_and_no_answer_is_not_waited_for() {
    on_every_database(async |w| {
        let (w, anne) = world(w).await;
        let (receiver, hooks) = (Receiver::start().await, hooks(&w));
        let long: &'static str = "Æ\0".repeat(1 << 20).leak();
        let made = subscribe(&w, &anne, json!({ "url": receiver.url() })).await;
        receiver.behave(Mode::Says(200, vec![], long));
        publish(&w, "2", 2).await;
        hooks.deliver_due().await.expect("it is delivered");
        let log = deliveries(&w, &anne, &made).await;
        assert_eq!(log.len(), 3);
        for row in &log {
            let answer = row["answer"].as_str().expect("a text");
            assert!(row["outcome"] == "delivered" && answer.len() <= 1100 && answer.starts_with("Æ "), "{row}");
        }
        receiver.behave(Mode::Slow(Duration::from_secs(60)));
        publish(&w, "3", 1).await;
        let begun = Stopwatch::now();
        hooks.deliver_due().await.expect("it is tried");
        assert!(begun.elapsed() < Duration::from_secs(10));
        let log = deliveries(&w, &anne, &made).await;
        assert_eq!((&log[0]["outcome"], &log[0]["answer"]), (&json!("failed"), &json!("no answer within 2 seconds")));
    })
    .await;
}

/// Runs webhooks as `begreb serve` does; what was under way is cut off when the answer is dropped.
fn run(hooks: Arc<Webhooks>) -> (watch::Sender<bool>, JoinSet<()>) {
    let (stop, stopping) = watch::channel(false);
    let mut tasks = JoinSet::new();
    tasks.spawn(hooks.run(stopping));
    (stop, tasks)
}

async fn until(what: &str, done: impl Fn() -> bool) {
    let begun = Stopwatch::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}: it never came");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn one_that_is_down_or_slow_holds_up_nobody() {
    on_every_database(async |w| {
        let (w, anne) = world(w).await;
        let (mut down, slow, well) = (Receiver::start().await, Receiver::start().await, Receiver::start().await);
        slow.behave(Mode::Slow(Duration::from_secs(120)));
        let mut from = 0;
        for receiver in [&down, &slow, &well] {
            let made = subscribe(&w, &anne, json!({ "url": receiver.url() })).await;
            from = made["position"].as_i64().expect("a position").max(from);
        }
        down.stop().await;
        let patient = Courier::new(true).expect("TLS is there");
        let (stop, mut tasks) = run(Arc::new(Webhooks::new(w.registry.clone(), patient)));
        let begun = Stopwatch::now();
        for label in ["2", "3", "4"] {
            publish(&w, label, 20).await;
        }
        let expected = told(&w, from).await;
        until("the well one has everything", || well.positions().len() >= expected.len()).await;
        assert!(begun.elapsed() < Duration::from_secs(14), "it waited for the slow one: {:?}", begun.elapsed());
        assert_eq!(well.positions(), expected);
        assert_eq!(slow.taken().len(), 1, "one at a time");
        // The one that was down comes back, and gets all of it.
        down.again().await;
        pass(&w, 60);
        until("the one that was down has everything", || down.positions().len() >= expected.len()).await;
        in_order(&down.positions(), &expected);
        stop.send_replace(true);
        slow.behave(Mode::Well);
        tasks.abort_all();
        while tasks.join_next().await.is_some() {}
    })
    .await;
}

#[tokio::test]
async fn restarts_on_either_side_lose_nothing() {
    on_every_database(async |w| {
        let (w, anne) = world(w).await;
        let mut receiver = Receiver::start().await;
        receiver.behave(Mode::Flaky(17));
        let made = subscribe(&w, &anne, json!({ "url": receiver.url(), "after": 0 })).await;
        let plan = RetryPlan { first: 1, longest: 1, ..RetryPlan::default() };
        let hurried = |registry: &Arc<Registry>| {
            let courier = Courier::new(true).expect("TLS is there").patient(Duration::from_secs(2));
            Arc::new(Webhooks::new(registry.clone(), courier).planned(plan))
        };
        for label in ["2", "3", "4", "5"] {
            publish(&w, label, 40).await;
        }
        let expected = told(&w, 0).await;
        let mut rounds = 0;
        while state(&w, &anne, &made).await["position"].as_i64() < expected.last().copied() {
            rounds += 1;
            assert!(rounds < 200, "it never ends: {:?}", receiver.positions().last());
            // A process of its own, killed in the middle of what it does; the receiver too, every other time.
            let (_stop, tasks) = run(hurried(&webhooks_beside(&w).await));
            let seen = receiver.count();
            // After an answer that failed nothing comes until the clock has moved.
            let more = |n: usize| n < seen + 9 && (n == seen || !n.is_multiple_of(17));
            let begun = Stopwatch::now();
            while more(receiver.count()) && begun.elapsed() < Duration::from_millis(1500) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            if rounds % 2 == 0 {
                receiver.stop().await;
            }
            drop(tasks);
            if rounds % 2 == 0 {
                receiver.again().await;
            }
            // Until its claim has run out.
            pass(&w, 61);
        }
        assert!(rounds > 3, "nothing was interrupted");
        in_order(&receiver.positions(), &expected);
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

struct Falling(std::sync::atomic::AtomicU64);

impl begreb::model::Dice for Falling {
    fn throw(&self) -> begreb::model::Result<[u8; 32]> {
        let n = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let half = Uuid::new_v5(&Uuid::nil(), &n.to_be_bytes()).into_bytes();
        let mut whole = [0; 32];
        whole[..16].copy_from_slice(&half);
        Ok(whole)
    }
}

fn begreb_dice(seed: u64) -> Falling {
    Falling((seed << 32).into())
}

#[tokio::test]
async fn two_nodes_send_each_message_once_and_in_order() {
    on_every_database(async |w| {
        let (w, anne) = world(w).await;
        let mut receivers = Vec::new();
        for i in 0..6 {
            let receiver = Receiver::start().await;
            let body = json!({ "url": receiver.url(), "after": 0, "batch": if i % 2 == 0 { 1 } else { 7 } });
            subscribe(&w, &anne, body).await;
            receivers.push(receiver);
        }
        let beside = webhooks_beside(&w).await;
        let one = run(hooks(&w));
        let two = run(hooks_of(&beside));
        let follow = {
            let beside = beside.clone();
            tokio::spawn(async move { beside.follow().await })
        };
        for label in ["2", "3", "4"] {
            publish(&w, label, 60).await;
        }
        let expected = told(&w, 0).await;
        for receiver in &receivers {
            until("everything", || receiver.positions().len() >= expected.len()).await;
        }
        // Whoever began is let end.
        for (stop, mut tasks) in [one, two] {
            stop.send_replace(true);
            while tasks.join_next().await.is_some() {}
        }
        follow.abort();
        for receiver in &receivers {
            assert_eq!(receiver.positions(), expected, "each once, in order");
        }
        let messages = receivers[1].taken().len();
        assert!(messages >= expected.len() / 7 && messages < expected.len(), "{messages} messages");
        assert_eq!(receivers[1].taken()[0].json()["type"], "begreb.batch");
    })
    .await;
}

/// A second process on the same database, whose webhooks may go to the machine itself.
async fn webhooks_beside(w: &World) -> Arc<Registry> {
    let store = begreb::store::Store::open(&w.address).await.expect("the database opens");
    let settings = begreb::registry::Settings { webhooks_allow_private: true, ..Default::default() };
    let registry = Registry::open(store, w.clock.clone(), settings).await.expect("it opens");
    Arc::new(registry.with_dice(Arc::new(begreb_dice(999))))
}

#[tokio::test]
async fn a_filter_is_kept_also_when_it_is_changed() {
    on_every_database(async |w| {
        let (w, anne) = world(w).await;
        vocabulary(&w, "andet", Governance::Direct, "notation,preferred.da\nX,x\n").await;
        let (receiver, hooks) = (Receiver::start().await, hooks(&w));
        let filter = json!({ "vocabularies": ["koder"], "types": ["version.published"] });
        let made = subscribe(&w, &anne, json!({ "url": receiver.url(), "after": 0, "filter": filter })).await;
        assert_eq!(made["filter"], filter);
        hooks.deliver_due().await.expect("it is delivered");
        let types = |r: &Receiver| r.taken().iter().map(|t| t.json()["data"]["vocabulary"].clone()).collect::<Vec<_>>();
        assert_eq!(types(&receiver), ["koder"]);
        assert_eq!(state(&w, &anne, &made).await["position"], w.registry.snapshot().position);
        receiver.forget();
        let change = json!({ "filter": { "vocabularies": ["andet"] }, "description": "another" });
        let changed = anne.send(&w, "PATCH", &at(&made, ""), change).await.ok().json();
        assert_eq!(
            (&changed["filter"]["vocabularies"], &changed["description"]),
            (&json!(["andet"]), &json!("another"))
        );
        publish(&w, "2", 3).await;
        hooks.deliver_due().await.expect("nothing is sent");
        assert!(receiver.taken().is_empty(), "what was told before is not told again");
        anne.send(&w, "POST", &at(&made, "/replay"), json!({ "after": 0 })).await.with(202);
        hooks.deliver_due().await.expect("it is delivered");
        assert!(!receiver.taken().is_empty() && types(&receiver).iter().all(|v| v == "andet"));
        // Another address takes over in the middle of what fails.
        receiver.behave(Mode::Says(500, vec![], ""));
        anne.send(&w, "PATCH", &at(&made, ""), json!({ "filter": {} })).await.ok();
        publish(&w, "3", 2).await;
        let from = state(&w, &anne, &made).await["position"].as_i64().expect("a position");
        hooks.deliver_due().await.expect("it is tried");
        let other = Receiver::start().await;
        anne.send(&w, "PATCH", &at(&made, ""), json!({ "url": other.url() })).await.ok();
        pass(&w, 60);
        hooks.deliver_due().await.expect("it is delivered");
        assert_eq!(other.positions(), told(&w, from).await);
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn everybody_has_their_own_and_an_organisation_has_its() {
    on_every_database(async |w| {
        let (w, anne) = world(w).await;
        let (bo, admin) = (person(&w, "Bo", &[]).await, person(&w, "Carla", &[Role::Administrator]).await);
        let url = "https://receiver.example.dk/hook";
        let made = subscribe(&w, &anne, json!({ "url": url })).await;
        // Another's is as if it were not there.
        let nobody = Person::default();
        for (method, rest, body) in [
            ("GET", "", Value::Null),
            ("PATCH", "", json!({})),
            ("POST", "/pause", Value::Null),
            ("POST", "/resume", Value::Null),
            ("POST", "/secret", Value::Null),
            ("POST", "/test", Value::Null),
            ("POST", "/replay", json!({ "all": true })),
            ("GET", "/deliveries", Value::Null),
            ("GET", "/dead-letters", Value::Null),
            ("DELETE", "", Value::Null),
        ] {
            let uri = at(&made, rest);
            assert_eq!(bo.send(&w, method, &uri, body.clone()).await.with(404).code(), "unknown-subscription", "{uri}");
            assert_eq!(nobody.send(&w, method, &uri, body).await.with(401).code(), "not-signed-in", "{uri}");
        }
        assert_eq!(bo.get(&w, "/subscriptions").await.ok().json(), json!([]));
        bo.get(&w, "/subscriptions?all=true").await.with(403);
        assert_eq!(admin.get(&w, "/subscriptions?all=true").await.ok().json()[0]["uuid"], made["uuid"]);
        assert_eq!(admin.send(&w, "POST", &at(&made, "/pause"), Value::Null).await.ok().json()["state"], "paused");
        // Of an organisation: both are in it, then one is not.
        let house = admin.send(&w, "POST", "/organisations", json!({ "name": "Huset" })).await.with(201).json();
        let refused = anne.send(&w, "POST", "/subscriptions", json!({ "url": url, "owner": "organisation" })).await;
        assert_eq!(refused.with(422).code(), "unlawful");
        let join = async |who: &Person, house: Value| {
            let uri = format!("/accounts/{}", who.uuid);
            admin.send(&w, "PATCH", &uri, json!({ "organisation": house })).await.ok();
        };
        join(&anne, house["uuid"].clone()).await;
        join(&bo, house["uuid"].clone()).await;
        let common = subscribe(&w, &anne, json!({ "url": url, "owner": "organisation" })).await;
        assert_eq!(common["owner"]["organisation"], house["uuid"]);
        assert_eq!(bo.get(&w, "/subscriptions").await.ok().json()[0]["uuid"], common["uuid"]);
        bo.send(&w, "PATCH", &at(&common, ""), json!({ "description": "ours" })).await.ok();
        join(&bo, Value::Null).await;
        bo.get(&w, &at(&common, "")).await.with(404);
        // A token may, if it says so.
        let token = async |command: &str| {
            let body = json!({ "name": "ci", "commands": [command] });
            let made = anne.send(&w, "POST", "/tokens", body).await.with(201).json();
            format!("Bearer {}", made["secret"].as_str().expect("a secret"))
        };
        let bearer = token("own-subscriptions").await;
        let by = [("authorization", bearer.as_str())];
        nobody.ask(&w, "GET", "/api/v1/subscriptions", &Value::Null, &by).await.ok();
        let bearer = token("read-drafts").await;
        let by = [("authorization", bearer.as_str())];
        nobody.ask(&w, "GET", "/api/v1/subscriptions", &Value::Null, &by).await.with(403);
        // Whoever is erased is told nothing any more; what is the organisation's stays.
        anne.send(&w, "DELETE", &at(&common, ""), Value::Null).await.with(204);
        anne.get(&w, &at(&common, "")).await.with(404);
        w.registry.erase_account(&operator(), anne.uuid).await.expect("it is lawful");
        assert_eq!(admin.get(&w, "/subscriptions?all=true").await.ok().json(), json!([]));
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn who_may_not_sign_in_is_told_nothing() {
    on_every_database(async |w| {
        let (w, anne) = world(w).await;
        let (receiver, hooks) = (Receiver::start().await, hooks(&w));
        subscribe(&w, &anne, json!({ "url": receiver.url() })).await;
        let active = async |active: bool| {
            let change = AccountChange { active: Some(active), ..AccountChange::default() };
            w.registry.change_account(&operator(), anne.uuid, change).await.expect("it is lawful");
        };
        active(false).await;
        publish(&w, "2", 1).await;
        hooks.deliver_due().await.expect("nothing is sent");
        assert!(receiver.taken().is_empty());
        active(true).await;
        hooks.deliver_due().await.expect("it is delivered");
        assert!(!receiver.taken().is_empty());
    })
    .await;
}

#[tokio::test]
async fn bad_wishes_are_refused() {
    on_every_database(async |w| {
        // Where private addresses are not allowed.
        vocabulary(&w, "koder", Governance::Direct, "notation,preferred.da\nA,a\n").await;
        let anne = person(&w, "Anne", &[]).await;
        let good = "https://receiver.example.dk/hook";
        let position = w.position().await;
        let many: Vec<Uuid> = (0..1001).map(Uuid::from_u128).collect();
        for (body, status, code) in [
            (json!({}), 400, "invalid-body"),
            (json!({ "url": good, "colour": "red" }), 400, "invalid-body"),
            (json!({ "url": "receiver" }), 400, "invalid-parameter"),
            (json!({ "url": "ftp://receiver.example.dk/" }), 400, "invalid-parameter"),
            (json!({ "url": "https://a:b@receiver.example.dk/" }), 400, "invalid-parameter"),
            (json!({ "url": format!("{good}/{}", "a".repeat(2000)) }), 400, "invalid-parameter"),
            (json!({ "url": "http://receiver.example.dk/" }), 422, "forbidden-target"),
            (json!({ "url": "https://127.0.0.1/" }), 422, "forbidden-target"),
            (json!({ "url": "https://2130706433/" }), 422, "forbidden-target"),
            (json!({ "url": "https://169.254.169.254/latest/meta-data" }), 422, "forbidden-target"),
            (json!({ "url": "https://[::ffff:10.0.0.1]/" }), 422, "forbidden-target"),
            (json!({ "url": "https://localhost/" }), 422, "forbidden-target"),
            (json!({ "url": "https://db.internal/" }), 422, "forbidden-target"),
            (json!({ "url": good, "kind": "digest" }), 400, "invalid-parameter"),
            (json!({ "url": good, "kind": "pigeon" }), 400, "invalid-body"),
            (json!({ "url": good, "batch": 0 }), 422, "unlawful"),
            (json!({ "url": good, "batch": 101 }), 422, "unlawful"),
            (json!({ "url": good, "batch": -1 }), 400, "invalid-body"),
            (json!({ "url": good, "after": -1 }), 400, "invalid-parameter"),
            (json!({ "url": good, "after": position + 1 }), 400, "invalid-parameter"),
            (json!({ "url": good, "description": "a\nb" }), 400, "invalid-text"),
            (json!({ "url": good, "filter": { "vocabularies": ["ukendt"] } }), 404, "unknown-vocabulary"),
            (json!({ "url": good, "filter": { "types": ["draft.edited"] } }), 400, "invalid-body"),
            (json!({ "url": good, "filter": { "concepts": many } }), 413, "too-large"),
        ] {
            let answer = anne.send(&w, "POST", "/subscriptions", body.clone()).await;
            assert_eq!((answer.status, answer.code().as_str()), (status, code), "{body}");
            assert_eq!(w.position().await, position, "{body}: the log grew");
        }
        let made = subscribe(&w, &anne, json!({ "url": good })).await;
        for (body, code) in [
            (json!({ "url": "https://10.0.0.1/" }), "forbidden-target"),
            (json!({ "batch": 1000 }), "unlawful"),
            (json!({ "kind": "digest" }), "invalid-body"),
        ] {
            assert_eq!(anne.send(&w, "PATCH", &at(&made, ""), body.clone()).await.code(), code, "{body}");
        }
        let long = anne.send(&w, "POST", &at(&made, "/secret"), json!({ "overlapHours": 169 })).await;
        assert_eq!(long.with(422).code(), "unlawful");
        anne.get(&w, "/subscriptions/x").await.with(400);
        anne.get(&w, &at(&made, "/deliveries?cursor=x")).await.with(400);
        // As many as there may be.
        for _ in 1..100 {
            subscribe(&w, &anne, json!({ "url": good })).await;
        }
        let one_more = anne.send(&w, "POST", "/subscriptions", json!({ "url": good })).await;
        assert_eq!(one_more.with(409).code(), "too-many-subscriptions");
        anne.send(&w, "DELETE", &at(&made, ""), Value::Null).await.with(204);
        subscribe(&w, &anne, json!({ "url": good })).await;
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

#[tokio::test]
async fn the_log_tells_of_a_subscription_and_keeps_its_address_to_itself() {
    on_every_database(async |w| {
        let (w, anne) = world(w).await;
        let before = w.position().await;
        let url = "https://receiver.example.dk/hook?key=hemmeligt";
        let filter = json!({ "vocabularies": ["koder"] });
        let made = subscribe(&w, &anne, json!({ "url": url, "filter": filter, "description": "mit eget" })).await;
        anne.send(&w, "PATCH", &at(&made, ""), json!({ "batch": 10 })).await.ok();
        anne.send(&w, "POST", &at(&made, "/pause"), Value::Null).await.ok();
        anne.send(&w, "POST", &at(&made, "/pause"), Value::Null).await.ok();
        anne.send(&w, "POST", &at(&made, "/resume"), Value::Null).await.ok();
        anne.send(&w, "POST", &at(&made, "/secret"), Value::Null).await.ok();
        let other = subscribe(&w, &anne, json!({ "url": url })).await;
        anne.send(&w, "DELETE", &at(&other, ""), Value::Null).await.with(204);
        let store = begreb::store::Store::open(&w.address).await.expect("the database opens");
        let rows = store.changes(before, 100).await.expect("they are read");
        let kinds: Vec<&str> = rows.iter().map(|r| r.kind.as_str()).collect();
        let expected = ["created", "changed", "paused", "resumed", "changed", "created", "ended"];
        assert_eq!(kinds, expected.map(|k| format!("subscription.{k}")));
        for row in &rows {
            assert_eq!(row.actor, format!("account:{}", anne.uuid));
            for private in ["hemmeligt", "receiver", "whsec", "mit eget"] {
                assert!(!row.body.contains(private), "{}", row.body);
            }
        }
        assert!(rows[0].body.contains("koder"), "what is asked for is told: {}", rows[0].body);
        w.registry.verify().await.expect("all is whole");

        // A backup has no secrets; whoever restores it tells nobody anything until it is asked to.
        let mut backup = Vec::new();
        w.registry.backup(&mut backup).await.expect("it is written");
        let copy = begreb::store::Store::open("sqlite::memory:").await.expect("it opens");
        copy.restore(&backup[..]).await.expect("it is whole");
        let settings = begreb::registry::Settings::default();
        let copy = Registry::open(copy, w.clock.clone(), settings).await.expect("it opens");
        let copy = copy.with_dice(Arc::new(begreb_dice(7)));
        copy.verify().await.expect("all is whole");
        let uuid: Uuid = made["uuid"].as_str().and_then(|u| u.parse().ok()).expect("a uuid");
        let there = copy.subscription(&operator(), uuid).await.expect("it is there");
        assert_eq!(json!(there.paused_because), "restored");
        assert_eq!((there.url.as_str(), there.batch), (url, 10));
        let refused = copy.resume_subscription(&operator(), uuid).await.expect_err("it has no secret");
        assert_eq!(refused.code.as_str(), "phase");
        copy.rotate_secret(&operator(), uuid, Default::default()).await.expect("it is lawful");
        let resumed = copy.resume_subscription(&operator(), uuid).await.expect("it has one");
        assert_eq!(json!(resumed.state), "active");
        // Somebody who changes what is asked for past the registry is found out.
        w.registry.verify().await.expect("all is whole");
    })
    .await;
}

/// 10 000 changes for 200 subscriptions are two million events. The whole takes minutes without optimisation, so a tenth
/// of the changes goes to a fifth of the subscriptions here; `BEGREB_TEST_WHOLE=1` asks for all of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_changes_go_to_many_subscriptions() {
    let whole = std::env::var("BEGREB_TEST_WHOLE").is_ok();
    let (changes, subscriptions) = if whole { (10_000, 200) } else { (1_000, 40) };
    on_every_database(async |w| {
        let (w, anne) = world(w).await;
        let receiver = Receiver::start().await;
        let anne_actor = Owner::Account(anne.uuid);
        let from = w.position().await;
        for n in 0..subscriptions {
            let owner = if n % 2 == 0 { anne_actor } else { Owner::Organisation(Uuid::from_u128(n)) };
            let request: SubscriptionRequest = serde_json::from_value(json!({
                "url": format!("http://{}/{n}", receiver.address), "batch": 100, "after": from
            }))
            .expect("a request");
            w.registry.create_subscription(&operator(), Some(owner), request).await.expect("it is lawful");
        }
        publish(&w, "2", changes).await;
        let expected = told(&w, from).await;
        assert_eq!(expected.len(), changes + 1);
        let begun = Stopwatch::now();
        hooks(&w).deliver_due().await.expect("it is delivered");
        let took = begun.elapsed();
        let taken = receiver.taken();
        let events = expected.len() * subscriptions as usize;
        eprintln!("{events} events in {} messages: {took:?}", taken.len());
        for n in 0..subscriptions {
            let path = format!("/{n}");
            let arrived: Vec<i64> = taken.iter().filter(|t| t.path == path).flat_map(Taken::positions).collect();
            assert_eq!(arrived, expected, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_secret_of_a_token_is_none_of_a_subscription() {
    on_every_database(async |w| {
        let (w, anne) = world(w).await;
        let made = subscribe(&w, &anne, json!({ "url": "https://receiver.example.dk/" })).await;
        let secret = made["secret"].as_str().expect("a secret");
        assert!(secret.starts_with("whsec_") && STANDARD.decode(&secret[6..]).is_ok_and(|key| key.len() == 32));
        assert!(w.registry.by_token(&Secret::shown(secret)).await.is_err());
    })
    .await;
}

/// The notation and the kinds of what a receiver took in, in its order; each event once.
fn happened(receiver: &Receiver) -> Vec<String> {
    let one = |taken: Taken| {
        let event = taken.json()["data"].clone();
        let concept = &event["concept"];
        let name = concept.get("after").or(concept.get("before")).map_or(Value::Null, |side| side["notation"].clone());
        let (kind, kinds) = (event["type"].as_str().expect("a type"), &concept["kinds"]);
        format!("{kind} {} {}", name.as_str().unwrap_or("-"), kinds[0].as_str().unwrap_or("-"))
    };
    receiver.taken().into_iter().map(one).collect()
}

#[tokio::test]
async fn who_leaves_an_organisation_is_told_of_its_code_sets_no_more() {
    on_every_database(async |w| {
        let (w, anne) = world(w).await;
        let (admin, bo) = (person(&w, "Admin", &[Role::Administrator]).await, person(&w, "Bo", &[]).await);
        let house = admin.send(&w, "POST", "/organisations", json!({ "name": "Huset" })).await.with(201).json();
        let join = async |who: &Person, house: &Value| {
            let uri = format!("/accounts/{}", who.uuid);
            admin.send(&w, "PATCH", &uri, json!({ "organisation": house })).await.ok();
        };
        for who in [&anne, &bo] {
            join(who, &house["uuid"]).await;
        }
        let set = json!({ "name": "Sagssystemet", "vocabulary": "koder", "codes": ["A"] });
        let set = anne.send(&w, "POST", "/code-sets", set).await.with(201).json()["usage"]["uuid"].clone();
        let ask = json!({ "url": "https://127.0.0.1:9/", "filter": { "codeSet": set } });
        let (hers, his) = (subscribe(&w, &anne, ask.clone()).await, subscribe(&w, &bo, ask).await);
        for who in [&anne, &bo] {
            join(who, &Value::Null).await;
        }
        // She made the set and keeps it; he was of the house alone.
        assert_eq!(state(&w, &anne, &hers).await["state"], "active");
        assert_eq!(state(&w, &bo, &his).await["pausedBecause"], "codeSetEnded");
        bo.send(&w, "POST", &at(&his, "/resume"), Value::Null).await.with(404);
        join(&bo, &house["uuid"]).await;
        bo.send(&w, "POST", &at(&his, "/resume"), Value::Null).await.ok();
        assert_eq!(state(&w, &bo, &his).await["state"], "active");
        w.registry.verify().await.expect("the log and what lies on disk agree");
    })
    .await;
}

#[tokio::test]
async fn a_code_set_says_what_is_delivered() {
    on_every_database(async |w| {
        let (w, mut anne) = world(w).await;
        let (receiver, hooks) = (Receiver::start().await, hooks(&w));
        let edition_of = async |w: &World, label: &str, effective: &str, csv: &str| {
            let csv = format!("notation,preferred.da,replaces\n{csv}");
            let mut request = edition("koder", Format::Csv, csv.as_bytes(), label, effective);
            request.accept_new = true;
            w.import(request).await.expect("it is lawful");
        };
        let set = json!({ "name": "Sagssystemet", "vocabulary": "koder", "codes": ["A"] });
        let set = anne.send(&w, "POST", "/code-sets", set).await.with(201).json()["usage"]["uuid"].clone();
        let ask = |filter: Value| json!({ "url": receiver.url(), "after": 0, "filter": filter });
        // Nobody else's, and none that is not there.
        let bo = person(&w, "Bo", &[]).await;
        for (who, uuid) in [(&bo, set.clone()), (&anne, json!(Uuid::from_u128(7)))] {
            let answer = who.send(&w, "POST", "/subscriptions", ask(json!({ "codeSet": uuid }))).await.with(404).json();
            assert_eq!(answer["where"]["field"], "filter.codeSet", "{answer}");
        }
        anne.send(&w, "POST", "/subscriptions", ask(json!({ "codeSet": "A" }))).await.with(400);
        let types = json!(["concept.stated", "concept.retired", "concept.effective"]);
        let made = subscribe(&w, &anne, ask(json!({ "codeSet": set, "types": types }))).await;
        assert_eq!(made["filter"]["codeSet"], set);

        // B is no code of the set, and what is decided ahead is told when it is decided and when it comes.
        edition_of(&w, "2", "2027-01-01", "A,bedre a,\nB,bedre b,\n").await;
        hooks.deliver_due().await.expect("it is delivered");
        assert_eq!(happened(&receiver), ["concept.stated A added", "concept.stated A renamed"]);
        receiver.forget();

        // From now on B is one too: that, and what replaces it, in the order of the log.
        let codes = |set: &Value| format!("/code-sets/{}/codes?vocabulary=koder", set.as_str().expect("a uuid"));
        anne.send(&w, "PUT", &codes(&set), json!(["A", "B"])).await.ok();
        edition_of(&w, "3", "2027-06-01", "A,endnu bedre a,\nX,x,B\n").await;
        hooks.deliver_due().await.expect("it is delivered");
        let order = ["concept.stated A renamed", "concept.retired B replaced", "concept.stated X added"];
        let sorted = |mut all: Vec<String>| {
            all.sort();
            all
        };
        assert_eq!(sorted(happened(&receiver)), sorted(order.map(String::from).to_vec()));
        assert!(receiver.positions().is_sorted());
        receiver.forget();
        w.clock.set("2027-06-02T12:00:00Z");
        w.registry.tick().await.expect("it works");
        anne.sign_in(&w, "Anne").await;
        hooks.deliver_due().await.expect("it is delivered");
        let effective = [
            "concept.effective A renamed",
            "concept.effective A renamed",
            "concept.effective B renamed",
            "concept.effective B replaced",
            "concept.effective X added",
        ];
        assert_eq!(sorted(happened(&receiver)), effective.map(String::from).to_vec());
        assert!(receiver.positions().is_sorted());
        receiver.forget();

        // A code less, and nothing is told of it any more.
        anne.send(&w, "PUT", &codes(&set), json!(["A"])).await.ok();
        edition_of(&w, "4", "2027-07-01", "A,a,\nX,helt andet x,\n").await;
        hooks.deliver_due().await.expect("it is delivered");
        assert_eq!(happened(&receiver), ["concept.stated A renamed"]);
        receiver.forget();

        // Without the set there is nothing to ask for: it rests, says why, and goes on where it was with another.
        anne.send(&w, "DELETE", &format!("/code-sets/{}", set.as_str().expect("a uuid")), Value::Null).await.with(204);
        let paused = state(&w, &anne, &made).await;
        assert_eq!((&paused["state"], &paused["pausedBecause"]), (&json!("paused"), &json!("codeSetEnded")));
        edition_of(&w, "5", "2027-08-01", "A,endelig a,\nX,helt andet x,\n").await;
        hooks.deliver_due().await.expect("it is delivered");
        assert_eq!(happened(&receiver), Vec::<String>::new());
        assert_eq!(anne.send(&w, "POST", &at(&made, "/resume"), Value::Null).await.with(409).code(), "phase");
        let other = json!({ "name": "Det nye system", "vocabulary": "koder", "codes": ["A"] });
        let other = anne.send(&w, "POST", "/code-sets", other).await.with(201).json()["usage"]["uuid"].clone();
        let change = json!({ "filter": { "codeSet": other, "types": types } });
        anne.send(&w, "PATCH", &at(&made, ""), change).await.ok();
        anne.send(&w, "POST", &at(&made, "/resume"), Value::Null).await.ok();
        hooks.deliver_due().await.expect("it is delivered");
        assert_eq!(happened(&receiver), ["concept.stated A renamed"]);
        w.registry.verify().await.expect("the log and what lies on disk agree");
    })
    .await;
}

#[tokio::test]
async fn the_pages_of_webhooks() {
    on_every_database(async |w| {
        let (w, anne) = world(w).await;
        let (receiver, hooks) = (Receiver::start().await, hooks(&w));
        let set = json!({ "name": "Sagssystemet", "vocabulary": "koder", "codes": ["A"] });
        let set = anne.send(&w, "POST", "/code-sets", set).await.with(201).json()["usage"]["uuid"].clone();
        let set = set.as_str().expect("a uuid");
        let url = receiver.url();
        assert_eq!(Person::default().read(&w, "/webhooks").await.with(303).header("location"), "/sign-in");
        assert!(anne.read(&w, "/webhooks").await.ok().text().contains("Der er ingen endnu."));
        // What was written comes back with what was wrong in it.
        for (wrong, said) in [
            (vec![("url", "ftp://x"), ("description", "Ø-system")], "role=\"alert\""),
            (vec![("url", &*url), ("description", "Ø-system"), ("vocabularies", "nix")], "nix"),
            (vec![("url", &*url), ("description", "Ø-system"), ("concepts", "Q9")], "»Q9« er ikke ét begreb (linje 1)"),
            (vec![("url", &*url), ("description", "Ø-system"), ("batch", "mange")], "ikke et tal"),
            (vec![("url", &*url), ("description", "Ø-system"), ("owner", "organisation")], "organisation"),
        ] {
            let answer = anne.fill(&w, "/webhooks", &wrong).await;
            assert!((400..500).contains(&answer.status) && answer.text().contains(said), "{}", answer.text());
            assert!(answer.text().contains("value=\"Ø-system\""));
        }
        let fields = [
            ("url", &*url),
            ("description", "<b>Ø-system"),
            ("vocabularies", "koder"),
            ("concepts", "A\nB"),
            ("codeSet", set),
            ("type", "concept.stated"),
            ("type", "concept.retired"),
            ("batch", "1"),
            ("after", "0"),
        ];
        let made = anne.fill(&w, "/webhooks", &fields).await.with(201);
        assert!(made.text().contains("<code>whsec_") && made.header("cache-control") == "no-store");
        let all = anne.get(&w, "/subscriptions").await.ok().json();
        let hook = all[0].clone();
        assert_eq!(hook["filter"]["concepts"].as_array().map(Vec::len), Some(2));
        assert_eq!(
            (&hook["filter"]["codeSet"], &hook["filter"]["types"]),
            (&json!(set), &json!(["concept.stated", "concept.retired"]))
        );
        let at = format!("/webhooks/{}", hook["uuid"].as_str().expect("a uuid"));
        let page = async |w: &World| anne.read(w, &at).await.ok().text();
        let shown = page(&w).await;
        assert!(
            !shown.contains("whsec_")
                && shown.contains("&#60;b&#62;Ø-system")
                && shown.contains("Intet er sendt endnu.")
        );
        assert!(
            shown.contains("value=\"concept.stated\" checked") && !shown.contains("value=\"hearing.opened\" checked")
        );

        let press = async |w: &World, fields: &[(&str, &str)]| anne.fill(w, &format!("{at}/do"), fields).await;
        press(&w, &[("do", "test")]).await.ok();
        press(&w, &[("do", "test")]).await.with(429);
        hooks.deliver_due().await.expect("it is delivered");
        assert_eq!(receiver.taken().len(), 2, "a test, and what is said of A");
        assert!(page(&w).await.contains("leveret"));

        press(&w, &[("do", "pause")]).await.with(303);
        assert!(page(&w).await.contains("på pause"));
        press(&w, &[("do", "resume")]).await.with(303);
        let again = press(&w, &[("do", "secret"), ("overlap", "1")]).await.ok().text();
        assert!(again.contains("<code>whsec_") && !page(&w).await.contains("whsec_"));
        assert!(press(&w, &[("do", "secret"), ("overlap", "-1")]).await.with(422).text().contains("role=\"alert\""));
        press(&w, &[("do", "secret"), ("overlap", "x")]).await.with(400);

        // What was given up is there, and goes again.
        receiver.behave(Mode::Says(500, vec![], "nej"));
        let plan = RetryPlan { first: 60, tried: 0, ..RetryPlan::default() };
        let courier = Courier::new(true).expect("TLS is there").patient(Duration::from_secs(2));
        let impatient = Arc::new(Webhooks::new(w.registry.clone(), courier).planned(plan));
        press(&w, &[("do", "after"), ("after", "0")]).await.ok();
        impatient.deliver_due().await.expect("it is tried");
        let shown = page(&w).await;
        assert!(shown.contains("Opgivet") && shown.contains("500 nej") && shown.contains("opgivet"), "{shown}");
        let letters =
            anne.get(&w, &format!("/subscriptions{}/dead-letters", &at["/webhooks".len()..])).await.ok().json();
        receiver.behave(Mode::Well);
        press(&w, &[("do", "letter"), ("letter", letters[0]["uuid"].as_str().expect("a uuid"))]).await.ok();
        press(&w, &[("do", "letter"), ("letter", &Uuid::from_u128(7).to_string())]).await.with(404);
        press(&w, &[("do", "all")]).await.ok();
        hooks.deliver_due().await.expect("it is delivered");
        assert!(!page(&w).await.contains("id=\"dead\""));
        press(&w, &[("do", "after"), ("after", "999999")]).await.with(400);
        press(&w, &[("do", "dans")]).await.with(400);

        // Changed by the form that it is shown in.
        let change = [("url", &*url), ("description", "Andet"), ("batch", "5"), ("codeSet", set)];
        anne.fill(&w, &at, &change).await.with(303);
        let changed = state(&w, &anne, &hook).await;
        assert_eq!((&changed["filter"], &changed["batch"]), (&json!({ "codeSet": set }), &json!(5)));
        anne.fill(&w, &at, &[("url", "x"), ("description", "Andet")]).await.with(400);

        // Nobody else's, from no other site, and ended by who means it.
        let bo = person(&w, "Bo", &[]).await;
        bo.read(&w, &at).await.with(404);
        bo.fill(&w, &format!("{at}/do"), &[("do", "pause")]).await.with(404);
        let foreign = [("content-type", "application/x-www-form-urlencoded"), ("origin", "https://ond.example")];
        let request = axum::http::Request::post(format!("{at}/do")).header("cookie", anne.cookie());
        let request = foreign.iter().fold(request, |r, (name, value)| r.header(*name, *value));
        w.send(request.body(Body::from("do=end&sure=yes")).expect("a request")).await.with(403);
        assert!(press(&w, &[("do", "end")]).await.with(400).text().contains("flueben"));
        assert_eq!(press(&w, &[("do", "end"), ("sure", "yes")]).await.with(303).header("location"), "/webhooks");
        anne.read(&w, &at).await.with(404);
    })
    .await;
}
