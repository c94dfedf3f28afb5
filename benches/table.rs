//! The figures of docs/performance.md: `cargo bench -p begreb --bench table [-- SIZE…] [drafts|reads|oio|search|exports|start…]`. Every figure is printed with the
//! ceiling or the limit that it is held against, measured in the same run.

mod client;
mod generator;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant as Stopwatch};

use begreb::exchange::Format;
use begreb::exchange::oio::Kind;
use begreb::http::{HttpOptions, router};
use begreb::model::{Clock, Dice, Governance, Instant};
use begreb::registry::oio::{Criterion, Pattern, Search, Window};
use begreb::registry::{
    Actor, At, DraftPublishRequest, DraftRequest, EditRequest, FrameRequest, Identity, ImportEdit, ImportRequest,
    Precondition, Registry, SearchFilter, Settings,
};
use begreb::store::Store;
use client::{Wish, ceiling, load, serve, times};
use generator::{Seeded, code_system};
use oxrdfio::{RdfFormat, RdfParser, RdfSerializer};

#[global_allocator]
static ALLOCATOR: begreb_meter::Meter = begreb_meter::Meter;

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Instant {
        "2026-11-22T12:00:00Z".parse().expect("an instant")
    }
}

/// Dice that never fall alike: a draft has a uuid.
#[derive(Default)]
struct SeededDice(AtomicU64);

impl Dice for SeededDice {
    fn throw(&self) -> begreb::model::Result<[u8; 32]> {
        let mut seed = Seeded(self.0.fetch_add(1, Ordering::Relaxed));
        let mut bytes = [0; 32];
        bytes.chunks_mut(8).for_each(|part| part.copy_from_slice(&seed.number().to_le_bytes()));
        Ok(bytes)
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    if let [child, database] = &arguments[..]
        && child == "--open"
    {
        runtime.block_on(open_alone(database));
        return;
    }
    let sizes: Vec<usize> = arguments.iter().filter_map(|a| a.parse().ok()).collect();
    let groups: Vec<&str> = arguments.iter().filter(|a| a.parse::<usize>().is_err()).map(String::as_str).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 10_000, 100_000] } else { sizes };
    println!("| concepts | what | figure | held against |");
    println!("|---:|---|---:|---|");
    for size in sizes {
        let folder = std::env::temp_dir().join(format!("begreb-bench-{}-{size}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        measure(&runtime, size, &folder, &groups);
        let _ = std::fs::remove_dir_all(&folder);
    }
}

fn row(size: usize, what: &str, figure: &str, against: &str) {
    println!("| {size} | {what} | {figure} | {against} |");
}

fn measure(runtime: &tokio::runtime::Runtime, size: usize, folder: &Path, groups: &[&str]) {
    let wanted = |group| groups.is_empty() || groups.contains(&group);
    let database = folder.join("bench.db");
    let registry = Arc::new(runtime.block_on(open(&database)));
    let first = code_system(size, 0, 0);
    let began = Stopwatch::now();
    runtime.block_on(import(&registry, &first, "v1", "2020-01-01"));
    let seconds = began.elapsed().as_secs_f64();
    row(size, "import FHIR, to readable", &format!("{seconds:.2} s"), "100k: 10 s");
    let began = Stopwatch::now();
    // A million is for growth: one more edition is enough.
    let editions = if size > 200_000 { 2 } else { 10 };
    for edition in 2..=editions {
        let bytes = code_system(size, edition, 1);
        runtime.block_on(import(&registry, &bytes, &format!("v{edition}"), &format!("20{}-01-01", 19 + edition)));
    }
    let seconds = began.elapsed().as_secs_f64() / (editions - 1) as f64;
    row(size, &format!("import an edition with 1 % changed, of {editions}"), &format!("{seconds:.2} s"), "");
    if wanted("drafts") && (10_000..=200_000).contains(&size) {
        runtime.block_on(drafts(&registry, size));
    }
    if wanted("reads") {
        reads(runtime, &registry, size);
    }
    if wanted("oio") {
        oio(runtime, &registry, size);
    }
    if wanted("search") {
        searches(runtime, &registry, size);
    }
    if wanted("exports") {
        exports(&registry, size);
    }
    drop(registry);
    if wanted("start") {
        alone(&database, size);
    }
    if wanted("nodes") && size <= 10_000 {
        runtime.block_on(nodes(size));
    }
}

/// A draft of ten thousand changes becomes a version: how long it takes, and how long a reader waits meanwhile.
async fn drafts(registry: &Arc<Registry>, size: usize) {
    let actor = Actor::Operator("bench".into());
    edited_here(registry, &actor).await;
    let changed = 1_000_000 / size;
    let request = DraftRequest {
        vocabulary: "bench".parse().expect("a slug"),
        title: "Ti tusind rettelser".parse().expect("a title"),
        purpose: None,
        group: None,
        base: None,
        minor: false,
    };
    let draft = registry.open_draft(&actor, request).await.expect("it opens").uuid;
    let bytes = code_system(size, 777, changed);
    let began = Stopwatch::now();
    let import = ImportEdit { format: Format::Fhir, bytes: &bytes, identity: Identity::default(), accept_new: true };
    let why = EditRequest { reason: "måling".parse().expect("a reason"), because: None, meaning: None };
    let edit = registry.import_edit(&actor, draft, import, &Precondition::Any, why).await.expect("it edits");
    let figure = format!("{:.2} s", began.elapsed().as_secs_f64());
    row(size, &format!("a file that changes {} concepts as one edit of a draft", edit.effects.len()), &figure, "");

    // A reader that asks again and again, and what it waited for longest.
    let (reading, stop) = (registry.clone(), Arc::new(AtomicBool::new(false)));
    let stopped = stop.clone();
    let reader = std::thread::spawn(move || {
        let mut longest = Duration::ZERO;
        while !stopped.load(Ordering::Relaxed) {
            let began = Stopwatch::now();
            let view = reading.view("bench", &At::default()).expect("a view");
            reading.concept(&view, "C1", "da").expect("a concept");
            longest = longest.max(began.elapsed());
            std::thread::sleep(Duration::from_micros(200));
        }
        longest
    });
    let request =
        DraftPublishRequest { version: "10k".parse().expect("a label"), effective: Some("2026-11-22".into()) };
    let began = Stopwatch::now();
    let report = registry.publish_draft(&actor, draft, request).await.expect("it publishes");
    let seconds = began.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    let longest = reader.join().expect("the reader ends");
    let what = format!("publish a draft of {} changes", report.manifest.changed + report.manifest.added);
    row(size, &what, &format!("{seconds:.2} s"), "10k changes: 5 s");
    row(size, "the longest that a reader waited meanwhile", &format!("{:.2} ms", longest.as_secs_f64() * 1e3), "");
}

/// A vocabulary that came from a file mirrors another's editions; from now on its drafts are written here.
async fn edited_here(registry: &Registry, actor: &Actor) {
    let slug: begreb::model::Slug = "bench".parse().expect("a slug");
    let snapshot = registry.snapshot();
    let fields = snapshot.by_slug("bench").expect("a vocabulary").vocabulary().fields().clone();
    let request = FrameRequest {
        uuid: Some(fields.uuid),
        titles: fields.titles,
        descriptions: fields.descriptions,
        kind: fields.kind,
        governance: Governance::Direct,
        four_eyes: false,
        namespace: None,
        identifiers: fields.identifiers.iter().map(|i| i.parse().expect("a line")).collect(),
        owner: None,
        contact: None,
        licence: None,
        languages: fields.languages,
        facets: Vec::new(),
    };
    registry.put_frame(actor, slug, request).await.expect("it is governed here");
}

/// How long until a version that one node publishes is read on another: two registries on one PostgreSQL.
async fn nodes(size: usize) {
    let Ok(_) = std::env::var("BEGREB_TEST_POSTGRES") else { return };
    let address = begreb::testing::postgres_address().await.expect("a server");
    let open = async || {
        let store = Store::open(&address).await.expect("a store");
        Arc::new(Registry::open(store, Arc::new(FixedClock), Settings::default()).await.expect("a registry"))
    };
    let (here, there) = (open().await, open().await);
    import(&here, &code_system(size, 0, 0), "v0", "2020-01-01").await;
    let following = there.clone();
    let follower = tokio::spawn(async move { following.follow().await });
    let mut times = Vec::new();
    for day in 1..=100u64 {
        let bytes = code_system(size, day, 1);
        let label = format!("2021-{:02}-{:02}", day / 28 + 1, day % 28 + 1);
        import(&here, &bytes, &label, &label).await;
        // Committed a moment ago: what is left of the way to the other node is timed.
        let began = Stopwatch::now();
        let position = here.snapshot().position;
        while there.snapshot().position < position {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        times.push(began.elapsed().as_secs_f64());
    }
    follower.abort();
    times.sort_by(f64::total_cmp);
    let figure = format!("p50 {:.0} ms, p99 {:.0} ms", times[50] * 1e3, times[98] * 1e3);
    row(size, "a version published on one node, read on another", &figure, "p99 250 ms after this node reads it");
}

/// Opens the database in a process of its own: how long until ready, and what it holds in memory.
fn alone(database: &Path, size: usize) {
    let me = std::env::current_exe().expect("this program");
    let output = std::process::Command::new(me).arg("--open").arg(database).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let figures: Vec<f64> = text.split_whitespace().filter_map(|w| w.parse().ok()).collect();
    if let [readable, bytes, searchable, all] = figures[..] {
        row(size, "start, to readable", &format!("{readable:.2} s"), "");
        row(size, "start, to ready: index and graphs too", &format!("{searchable:.2} s"), "100k: 3 s");
        let each = |bytes: f64| format!("{:.2} KiB", bytes / 1024.0 / size as f64);
        row(size, "resident memory for each concept, editions", &each(bytes), "");
        row(size, "resident memory for each concept, all projections", &each(all), "3 KiB");
    } else {
        row(size, "start", "failed", &String::from_utf8_lossy(&output.stderr));
    }
}

async fn open_alone(database: &str) {
    let before = resident();
    let began = Stopwatch::now();
    let registry = open(&PathBuf::from(database)).await;
    let editions = (began.elapsed().as_secs_f64(), resident().saturating_sub(before));
    let registry = Arc::new(registry);
    let following = registry.clone();
    // As `serve` does: the index and the graphs are built beside each other.
    let follower = tokio::spawn(async move { following.follow().await });
    let position = registry.snapshot().position;
    while !registry.derived_passed(position, Duration::from_secs(600)).await {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let searchable = (began.elapsed().as_secs_f64(), resident().saturating_sub(before));
    println!("{} {} {} {}", editions.0, editions.1, searchable.0, searchable.1);
    follower.abort();
    drop(registry);
}

fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split_whitespace().nth(1).and_then(|p| p.parse::<usize>().ok()).unwrap_or(0) * 4096
}

async fn open(database: &Path) -> Registry {
    let store = Store::open(&format!("sqlite:{}", database.display())).await.expect("a store");
    let registry = Registry::open(store, Arc::new(FixedClock), Settings::default()).await.expect("a registry");
    registry.with_dice(Arc::new(SeededDice::default()))
}

async fn import(registry: &Registry, bytes: &[u8], label: &str, effective: &str) {
    let request = ImportRequest {
        meaning: None,
        vocabulary: "bench".parse().expect("a slug"),
        format: Format::Fhir,
        bytes,
        label: Some(label.parse().expect("a label")),
        effective: Some(effective.parse().expect("a date")),
        identity: Identity::default(),
        accept_new: true,
        dry_run: false,
        language: None,
        decision: None,
        frame: None,
    };
    registry.import(&Actor::Operator("bench".into()), request).await.expect("it imports");
}

/// Answers for each second from 16 connections, held against the ceiling.
fn reads(runtime: &tokio::runtime::Runtime, registry: &Arc<Registry>, size: usize) {
    let ours = runtime.block_on(serve(router(registry.clone(), &HttpOptions::default())));
    let concept = "/api/v1/vocabularies/bench/concepts";
    let mut random = Seeded(42);
    let mut wishes = |wish: &dyn Fn(usize) -> Wish| (0..2_000).map(|_| wish(random.below(size))).collect::<Vec<_>>();
    let known = "2026-11-22T12:00:00.000002Z";
    let rows = [
        ("concept read, JSON, in force", "0.85", wishes(&|i| Wish::get(format!("{concept}/C{i}")))),
        ("concept read, JSON, version v1", "0.85", wishes(&|i| Wish::get(format!("{concept}/C{i}?version=v1")))),
        (
            "concept read, JSON, by date and registered",
            "0.85",
            wishes(&|i| Wish::get(format!("{concept}/C{i}?date=2022-06-01&registered={known}"))),
        ),
        (
            "validate one code",
            "0.8",
            wishes(&|i| {
                let body = format!(r#"{{"system":"bench","code":"C{i}","date":"2022-06-01"}}"#);
                Wish::post("/api/v1/validate".into(), body)
            }),
        ),
        ("resolve", "0.8", wishes(&|i| Wish::get(format!("/api/v1/resolve?system=bench&code=C{i}")))),
        (
            "subsumption: what stands above",
            "0.8",
            wishes(&|i| Wish::get(format!("{concept}/C{i}/ancestors?fields=notation"))),
        ),
        (
            "list by codes, 10 of them",
            "",
            wishes(&|i| {
                let codes: Vec<String> = (0..10).map(|k| format!("C{}", (i + k * 7) % size)).collect();
                Wish::get(format!("{concept}?codes={}&fields=notation", codes.join(",")))
            })[..20]
                .to_vec(),
        ),
        (
            "list as CSV, 100 concepts",
            "",
            wishes(&|_| Wish::get(format!("{concept}?limit=100&format=csv")))[..20].to_vec(),
        ),
    ];
    rates(runtime, ours, size, rows);
}

/// Answers for each second of each row, held against the ceiling.
fn rates<const N: usize>(
    runtime: &tokio::runtime::Runtime,
    ours: std::net::SocketAddr,
    size: usize,
    rows: [(&str, &str, Vec<Wish>); N],
) {
    for (what, least, wishes) in rows {
        let bare = runtime.block_on(ceiling(ours, wishes.clone()));
        let (mut best, mut top) = (0.0f64, 0.0f64);
        // Turn about, so that a slow moment of the machine hits both.
        for _ in 0..2 {
            top = top.max(load(bare, &wishes));
            best = best.max(load(ours, &wishes));
        }
        let least = if least.is_empty() { String::new() } else { format!(", at least {least}") };
        row(size, what, &format!("{best:.0}/s = {:.2}", best / top), &format!("ceiling {top:.0}/s{least}"));
    }
}

/// OIO Klassifikation: Læs and List of some, Søg by what an index knows and by what has to be looked for.
fn oio(runtime: &tokio::runtime::Runtime, registry: &Arc<Registry>, size: usize) {
    let ours = runtime.block_on(serve(router(registry.clone(), &HttpOptions::default())));
    let view = registry.view("bench", &At::default()).expect("a view");
    let mut random = Seeded(43);
    let some: Vec<(usize, String)> = (0..500)
        .map(|_| random.below(size))
        .map(|i| (i, registry.concept(&view, &format!("C{i}"), "da").expect("a concept").uuid.to_string()))
        .collect();
    let vocabulary = view.vocabulary().uuid();
    let facet = begreb::exchange::oio_facets(view.vocabulary())[0];
    let klasse = "/klassifikation/klasse";
    let wishes = |wish: &dyn Fn(usize, &str) -> String| {
        some.iter().map(|(i, uuid)| Wish::get(wish(*i, uuid))).collect::<Vec<Wish>>()
    };
    let few = |mut wishes: Vec<Wish>| {
        wishes.truncate(20);
        wishes
    };
    let ten =
        |i: usize| (0..10).map(|k| format!("uuid={}", some[(i + k * 7) % some.len()].1)).collect::<Vec<_>>().join("&");
    // What is made once, on demand, is not timed with the rest.
    let began = Stopwatch::now();
    let window = Window::now("2026-11-22T12:00:00Z".parse().expect("an instant"));
    for name in [Some("brugervendtnoegle"), None] {
        let mut search = Search::new(window);
        search.demand(Criterion::Text(name, Pattern::parse("C1").expect("a pattern"))).expect("one");
        assert!(registry.oio_search(Kind::Klasse, &search).total > 0);
    }
    row(size, "OIO: both indexes, from nothing", &format!("{:.2} s", began.elapsed().as_secs_f64()), "");
    let rows = [
        ("OIO Læs, klasse", "", wishes(&|_, uuid| format!("{klasse}/{uuid}"))),
        (
            "OIO Læs, klasse, everything ever said",
            "",
            wishes(&|_, uuid| format!("{klasse}/{uuid}?registreretFra=-infinity&virkningFra=-infinity")),
        ),
        ("OIO Læs, klassifikation", "", wishes(&|_, _| format!("/klassifikation/klassifikation/{vocabulary}"))),
        ("OIO List, 10 klasser", "", wishes(&|i, _| format!("{klasse}?{}", ten(i)))),
        ("OIO Søg, bvn", "", wishes(&|i, _| format!("{klasse}?bvn=C{i}"))),
        ("OIO Søg, overordnetklasse", "", wishes(&|_, uuid| format!("{klasse}?overordnetklasse={uuid}"))),
        (
            "OIO Søg, vilkaarligattr",
            "",
            wishes(&|i, _| format!("{klasse}?vilkaarligattr={}", encoded(&generator::term(i)))),
        ),
        (
            "OIO Søg, facet that all are in, page of 100",
            "",
            few(wishes(&|_, _| format!("{klasse}?facet={facet}&maximalantalresultater=100"))),
        ),
        ("OIO Søg, bvn with a wildcard", "", few(wishes(&|i, _| format!("{klasse}?bvn=C{i}%25")))),
        (
            "OIO Søg, beskrivelse with wildcards",
            "",
            few(wishes(&|i, _| {
                format!("{klasse}?beskrivelse=%25{}%25", encoded(generator::WORDS[i % generator::WORDS.len()]))
            })),
        ),
    ];
    rates(runtime, ours, size, rows);
}

/// Search and suggestions from one connection: the middle time of an answer, above that of the ceiling.
fn searches(runtime: &tokio::runtime::Runtime, registry: &Arc<Registry>, size: usize) {
    let began = Stopwatch::now();
    let first = SearchFilter { q: Some("hjemmehjælp".into()), ..SearchFilter::default() };
    runtime.block_on(registry.search(&first, &At::default(), 10, None, "da")).expect("it is searchable");
    row(
        size,
        "search index of all that was said, from nothing",
        &format!("{:.2} s", began.elapsed().as_secs_f64()),
        "",
    );
    let ours = runtime.block_on(serve(router(registry.clone(), &HttpOptions::default())));
    let queries = |seed| {
        let mut random = Seeded(seed);
        let query = move |_| search_query(&mut random, size);
        (0..400).map(query).collect::<Vec<String>>()
    };
    let typed = |seed| {
        // What is typed, letter by letter.
        let grown = |text: String| {
            let n = text.chars().count();
            (1..=n.min(14)).map(|i| text.chars().take(i).collect::<String>()).collect::<Vec<_>>()
        };
        queries(seed).into_iter().take(60).flat_map(grown).collect::<Vec<String>>()
    };
    for (what, address, texts, above) in [
        ("suggest, p50 above the ceiling", "/api/v1/suggest?q=", typed(7), "0.5 ms"),
        ("search, 10 hits with highlights, p50 above the ceiling", "/api/v1/search?limit=10&q=", queries(8), "1.0 ms"),
        (
            "search by date and registered, p50 above the ceiling",
            "/api/v1/search?limit=10&date=2022-06-01&registered=2026-11-22T12:00:00.000002Z&q=",
            queries(9),
            "1.0 ms",
        ),
    ] {
        let wishes: Vec<Wish> = texts.iter().map(|text| Wish::get(format!("{address}{}", encoded(text)))).collect();
        let bare = runtime.block_on(ceiling(ours, wishes.clone()));
        let (mine, bare) = (times(ours, &wishes, true), times(bare, &wishes, false));
        let at = |times: &[f64], part: f64| times[((times.len() - 1) as f64 * part) as usize] * 1e3;
        let figure = format!("{:.2} ms (p99 {:.2} ms)", at(&mine, 0.5) - at(&bare, 0.5), at(&mine, 0.99));
        row(size, what, &figure, &format!("{above}; ceiling {:.2} ms", at(&bare, 0.5)));
    }
}

/// A query as people type them: a compound, a part of one, words of a definition, two words, a notation, a typing
/// error, a whole term.
fn search_query(random: &mut Seeded, size: usize) -> String {
    let number = random.below(size);
    let term = generator::term(number);
    let word = term.split(' ').next().unwrap_or_default().to_owned();
    match random.below(8) {
        0 => term,
        1 => word,
        2 => generator::LAST[random.below(generator::LAST.len())].to_owned(),
        3 => format!("{} {}", generator::WORDS[random.below(generator::WORDS.len())], word),
        4 => format!("C{number}"),
        5 => word.chars().enumerate().filter(|(i, _)| *i != 3).map(|(_, c)| c).collect(),
        6 => word.chars().take(6).collect(),
        _ => format!("{word} {}", generator::LAST[random.below(generator::LAST.len())]),
    }
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

fn exports(registry: &Registry, size: usize) {
    let view = registry.view("bench", &Default::default()).expect("a view");
    for format in Format::WRITTEN {
        let began = Stopwatch::now();
        let mut count = Counting(0);
        registry.export(&view, format, &mut count).expect("it exports");
        let seconds = began.elapsed().as_secs_f64();
        let rate = count.0 as f64 / 1e6 / seconds;
        let against = if format == Format::Ttl { bare_turtle(registry, &view, seconds) } else { String::new() };
        row(size, &format!("export {}", format.name()), &format!("{seconds:.2} s, {rate:.0} MB/s"), &against);
    }
}

/// Our rate of Turtle against that of the serialiser alone, with the same triples in its hands.
fn bare_turtle(registry: &Registry, view: &begreb::registry::View, seconds: f64) -> String {
    let mut bytes = Vec::new();
    registry.export(view, Format::Ttl, &mut bytes).expect("it exports");
    let quads: Vec<_> =
        RdfParser::from_format(RdfFormat::Turtle).for_slice(&bytes).collect::<Result<_, _>>().expect("it is Turtle");
    let began = Stopwatch::now();
    let mut serializer = RdfSerializer::from_format(RdfFormat::Turtle)
        .with_prefix("skos", "http://www.w3.org/2004/02/skos/core#")
        .expect("a namespace")
        .for_writer(Counting(0));
    for quad in &quads {
        serializer.serialize_quad(quad).expect("it counts");
    }
    serializer.finish().expect("it counts");
    let bare = began.elapsed().as_secs_f64();
    format!("{:.2} of the bare serialiser's {:.2} s, at least 0.5", bare / seconds, bare)
}

struct Counting(usize);

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
