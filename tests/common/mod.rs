//! What the tests through the front door share: a clock that they set, a registry on each database with our own
//! vocabulary in it, and requests to the router without a network between.

pub mod crew;
pub mod klasser;
pub mod page;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Request};
use begreb::exchange::Format;
use begreb::http::{HttpOptions, router};
use begreb::model::{Clock, Dice, Instant, Result, parse_date};
use begreb::registry::{
    Actor, Identity, ImportReport, ImportRequest, ProviderSettings, Registry, Settings, SparqlLimits,
};
use begreb::store::Store;
use serde_json::Value;
use tower::ServiceExt;

/// When every test begins, unless it sets the clock.
pub const START: &str = "2026-11-22T12:00:00Z";

/// A clock that stands still until a test moves it.
pub struct TestClock(AtomicI64);

impl TestClock {
    fn new() -> Self {
        Self(AtomicI64::new(instant(START).micros()))
    }

    /// Moves the clock to an instant.
    pub fn set(&self, now: &str) {
        self.0.store(instant(now).micros(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        Instant::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Dice that never fall alike.
pub struct TestDice(AtomicI64);

impl Dice for TestDice {
    fn throw(&self) -> Result<[u8; 32]> {
        let mut seed = self.0.fetch_add(4, Ordering::SeqCst);
        let mut bytes = [0; 32];
        for part in bytes.chunks_mut(8) {
            seed += 1;
            // SplitMix64: enough to look like chance.
            let mut z = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            part.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes());
        }
        Ok(bytes)
    }
}

/// An instant as it is written.
pub fn instant(text: &str) -> Instant {
    text.parse().expect("the test names an instant")
}

/// A folder of its own, gone when the test is over.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        use std::hash::{BuildHasher, RandomState};
        let name = format!("begreb-test-{}-{:016x}", std::process::id(), RandomState::new().hash_one(0));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder can be made");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A registry on one database, with its doors.
pub struct World {
    /// `sqlite` or `postgres`.
    pub database: &'static str,
    /// The address of the database, to reach it past the registry.
    pub address: String,
    pub registry: Arc<Registry>,
    pub clock: Arc<TestClock>,
    pub folder: Arc<Folder>,
    router: Router,
    /// How many registries there have been on this database.
    nodes: Arc<AtomicI64>,
}

/// Who does things in tests.
pub fn operator() -> Actor {
    Actor::Operator("test".into())
}

/// Runs a test on every database: an empty registry on each.
pub async fn on_every_database(mut test: impl AsyncFnMut(World)) {
    for database in ["sqlite", "postgres"] {
        if let Some(world) = World::open(database).await {
            eprintln!("on {database}: {}", world.address);
            test(world).await;
        }
    }
}

impl World {
    /// An empty registry on one kind of database.
    pub async fn open(database: &'static str) -> Option<Self> {
        let folder = Arc::new(Folder::new());
        let address = match database {
            "sqlite" => format!("sqlite:{}", folder.path().join("begreb.db").display()),
            _ => begreb::testing::postgres_address().await?,
        };
        let clock = Arc::new(TestClock::new());
        let store = Store::open(&address).await.expect("the database opens");
        let settings = Settings::default();
        let registry = Registry::open(store, clock.clone(), settings).await.expect("the registry opens");
        let registry = Arc::new(registry.with_dice(Arc::new(TestDice(AtomicI64::new(0)))));
        let router = router(registry.clone(), &HttpOptions::default());
        Some(Self { database, address, registry, clock, folder, router, nodes: Arc::new(AtomicI64::new(1)) })
    }

    /// Another node on the same database.
    pub async fn beside(&self) -> Self {
        let (registry, router) = self.node().await;
        let (clock, folder, nodes) = (self.clock.clone(), self.folder.clone(), self.nodes.clone());
        Self { database: self.database, address: self.address.clone(), registry, clock, folder, router, nodes }
    }

    /// Ends the process, as a kill does, and starts another on the same database: only what is there is left.
    pub async fn restart(&mut self) {
        let first = Arc::downgrade(&self.registry);
        (self.registry, self.router) = self.node().await;
        assert!(first.upgrade().is_none(), "something of the first process is left");
    }

    /// A registry of its own on the same database, with its doors; its dice fall otherwise than those of all others.
    async fn node(&self) -> (Arc<Registry>, Router) {
        let store = Store::open(&self.address).await.expect("the database opens");
        let registry = Registry::open(store, self.clock.clone(), Settings::default()).await.expect("it opens");
        let dice = TestDice(AtomicI64::new(self.nodes.fetch_add(1, Ordering::SeqCst) << 32));
        let registry = Arc::new(registry.with_dice(Arc::new(dice)));
        (registry.clone(), router(registry, &HttpOptions::default()))
    }

    /// The same database opened once more, as a second process would.
    pub async fn reopened(&self) -> Registry {
        let store = Store::open(&self.address).await.expect("the database opens");
        Registry::open(store, self.clock.clone(), Settings::default()).await.expect("the registry opens")
    }

    /// The same registry behind doors with other limits.
    pub fn with_options(self, options: &HttpOptions) -> Self {
        Self { router: router(self.registry.clone(), options), ..self }
    }

    /// The same database behind a registry whose queries have other limits.
    pub async fn with_queries(self, limits: SparqlLimits) -> Self {
        let store = Store::open(&self.address).await.expect("the database opens");
        let settings = Settings { sparql: limits, ..Settings::default() };
        let registry = Registry::open(store, self.clock.clone(), settings).await.expect("the registry opens");
        let registry = Arc::new(registry);
        Self { router: router(registry.clone(), &HttpOptions::default()), registry, ..self }
    }

    /// The same database behind a registry whose webhooks may go to the machine itself.
    pub async fn with_webhooks(self) -> Self {
        let store = Store::open(&self.address).await.expect("the database opens");
        let settings = Settings { webhooks_allow_private: true, ..Settings::default() };
        let registry = Registry::open(store, self.clock.clone(), settings).await.expect("it opens");
        let dice = TestDice(AtomicI64::new(self.nodes.fetch_add(1, Ordering::SeqCst) << 32));
        let registry = Arc::new(registry.with_dice(Arc::new(dice)));
        Self { router: router(registry.clone(), &HttpOptions::default()), registry, ..self }
    }

    /// The same database behind a registry whose addresses begin so.
    pub async fn at_url(self, public_url: &str) -> Self {
        let store = Store::open(&self.address).await.expect("the database opens");
        let settings = Settings { public_url: public_url.into(), ..Settings::default() };
        let registry = Registry::open(store, self.clock.clone(), settings).await.expect("it opens");
        let dice = TestDice(AtomicI64::new(self.nodes.fetch_add(1, Ordering::SeqCst) << 32));
        let registry = Arc::new(registry.with_dice(Arc::new(dice)));
        Self { router: router(registry.clone(), &HttpOptions::default()), registry, ..self }
    }

    /// The same database behind a registry with OpenID providers to sign in at.
    pub async fn with_providers(self, providers: Vec<ProviderSettings>) -> Self {
        let store = Store::open(&self.address).await.expect("the database opens");
        let registry = Registry::open(store, self.clock.clone(), Settings::default()).await.expect("it opens");
        // Other dice than those that may have fallen already.
        let registry = registry.with_dice(Arc::new(TestDice(AtomicI64::new(1 << 40))));
        let registry = Arc::new(registry.with_providers(providers).expect("the providers are lawful"));
        Self { router: router(registry.clone(), &HttpOptions::default()), registry, ..self }
    }

    /// The same registry where nobody signs in by a password.
    pub async fn without_local_sign_in(self, providers: Vec<ProviderSettings>) -> Self {
        let store = Store::open(&self.address).await.expect("the database opens");
        let registry = Registry::open(store, self.clock.clone(), Settings::default()).await.expect("it opens");
        let registry = registry.with_dice(Arc::new(TestDice(AtomicI64::new(1 << 41))));
        let registry = registry.with_providers(providers).expect("the providers are lawful");
        let registry = Arc::new(registry.without_local_sign_in());
        Self { router: router(registry.clone(), &HttpOptions::default()), registry, ..self }
    }

    /// Loads our own vocabulary `serviceparagraffer`, alone: other vocabularies may come beside it.
    pub async fn load_paragraphs(&self) {
        let folder = self.folder.path().join("vocabularies");
        let copy = folder.join("serviceparagraffer");
        std::fs::create_dir_all(&copy).expect("a folder can be made");
        for entry in std::fs::read_dir(root().join("vocabularies/serviceparagraffer")).expect("it is in the project") {
            let entry = entry.expect("a file");
            std::fs::copy(entry.path(), copy.join(entry.file_name())).expect("a copy");
        }
        let report = self.registry.load(&operator(), &folder).await.expect("our own vocabulary is taken in");
        assert_eq!(report.published.len(), 2, "its two versions");
    }

    /// The position of the change log.
    pub async fn position(&self) -> i64 {
        self.registry.progress().await.expect("the database answers").1.seq
    }

    /// Imports an edition.
    pub async fn import(&self, request: ImportRequest<'_>) -> Result<ImportReport> {
        self.registry.import(&operator(), request).await
    }

    /// Sends a request and waits for the whole answer.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let asked = format!("{} {}", request.method(), request.uri());
        let response = self.router.clone().oneshot(request).await.expect("the router always answers");
        let (head, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("the body is whole");
        Answer { asked, status: head.status.as_u16(), headers: head.headers, body }
    }

    /// Sends a request and leaves the body of the answer to be read as it comes.
    pub async fn opened(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.expect("the router always answers")
    }

    /// Sends a request without a body.
    pub async fn ask(&self, method: &str, uri: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::empty()).expect("a request")).await
    }

    /// GET.
    pub async fn get(&self, uri: &str) -> Answer {
        self.ask("GET", uri, &[]).await
    }

    /// GET that must succeed, as JSON.
    pub async fn json(&self, uri: &str) -> Value {
        self.get(uri).await.ok().json()
    }

    /// POST of JSON.
    pub async fn post(&self, uri: &str, body: impl Into<Body>) -> Answer {
        self.post_as(uri, body, &[]).await
    }

    /// POST of JSON, with headers.
    pub async fn post_as(&self, uri: &str, body: impl Into<Body>, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method("POST").uri(uri).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.into()).expect("a request")).await
    }
}

/// The plainest import: an edition with its label and date.
pub fn edition<'a>(slug: &str, format: Format, bytes: &'a [u8], label: &str, effective: &str) -> ImportRequest<'a> {
    ImportRequest {
        meaning: None,
        vocabulary: slug.parse().expect("a slug"),
        format,
        bytes,
        label: Some(label.parse().expect("a label")),
        effective: Some(Instant::from_date(parse_date(effective).expect("a date"))),
        identity: Identity::default(),
        accept_new: false,
        dry_run: false,
        language: None,
        decision: None,
        frame: None,
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub asked: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// The headers that callers go by; entity tags are left out because they are digests of the bytes.
const SHOWN: [&str; 11] = [
    "content-type",
    "content-language",
    "cache-control",
    "vary",
    "link",
    "x-total-count",
    "allow",
    "retry-after",
    "content-disposition",
    "content-digest",
    "location",
];

impl Answer {
    /// This answer, which must be 200.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.with(200)
    }

    /// This answer, which must have a status.
    #[track_caller]
    pub fn with(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.asked, self.text());
        self
    }

    /// A header, empty when absent; several are joined.
    pub fn header(&self, name: &str) -> String {
        let values = self.headers.get_all(name).iter().map(|v| v.to_str().expect("a header is ASCII"));
        values.collect::<Vec<_>>().join(", ")
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{}: no JSON ({error}): {}", self.asked, self.text()),
        }
    }

    /// The code of a problem document.
    #[track_caller]
    pub fn code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}: {}", self.asked, self.text());
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{}", self.asked);
        problem["code"].as_str().expect("a code").to_owned()
    }

    /// The whole answer as it is shown in a snapshot.
    pub fn shown(&self) -> String {
        let mut out = format!("{}\n{}\n", self.asked, self.status);
        for name in SHOWN.into_iter().filter(|n| self.headers.contains_key(*n)) {
            out.push_str(&format!("{name}: {}\n", self.header(name)));
        }
        out.push('\n');
        if self.header("content-type").contains("json") && !self.body.is_empty() {
            out.push_str(&serde_json::to_string_pretty(&self.json()).expect("JSON"));
        } else {
            out.push_str(&self.text());
        }
        out
    }
}

/// The project's folder.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The packages that a folder of `tests/` names, installed once beside the build under a name.
pub fn node_modules(of: &str, name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    let lock = std::fs::File::create(folder.join("lock")).expect("a file");
    lock.lock().expect("one test at a time installs");
    if !folder.join("installed").exists() {
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(root().join("tests").join(of).join(file), folder.join(file)).expect("a copy");
        }
        let mut npm = std::process::Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder);
        let done = npm.output().expect("npm runs");
        assert!(done.status.success(), "npm ci: {}", String::from_utf8_lossy(&done.stderr));
        std::fs::write(folder.join("installed"), "").expect("a file");
    }
    folder.join("node_modules")
}

/// One of KL's real publications, which stand beside the project and not in it. `None` where they are not;
/// in CI they must be.
pub fn kl(name: &str) -> Option<Vec<u8>> {
    let found = root().ancestors().map(|f| f.join("shared/data/kl").join(name)).find(|f| f.is_file());
    match found {
        Some(file) => Some(std::fs::read(file).expect("the file can be read")),
        None => {
            assert!(std::env::var("CI").is_err(), "shared/data/kl/{name} is not to be found above the project");
            eprintln!("skipped: shared/data/kl/{name} is not to be found above the project");
            None
        }
    }
}

/// A value as a segment of a path: everything but letters and digits is percent-encoded.
pub fn encoded(text: &str) -> String {
    let one = |b: u8| {
        if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }
    };
    text.bytes().map(one).collect()
}

/// Follows `Link: …; rel="next"` to the end; the answers in order.
pub async fn pages(world: &World, first: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut next = Some(first.to_owned());
    while let Some(uri) = next {
        let answer = world.get(&uri).await.ok();
        next = answer.header("link").strip_suffix(">; rel=\"next\"").map(|l| l.trim_start_matches('<').to_owned());
        answers.push(answer);
        assert!(answers.len() < 1000, "the pages of {first} have no end");
    }
    answers
}
