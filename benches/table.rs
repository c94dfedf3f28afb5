//! The figures of docs/performance.md: `cargo bench -p begreb --bench table [-- SIZE…] [reads|search|exports|start…]`. Every figure is printed with the
//! ceiling or the limit that it is held against, measured in the same run.

mod generator;

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Stopwatch};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as Segments, State};
use axum::routing::get;
use begreb::exchange::Format;
use begreb::http::{HttpOptions, router};
use begreb::model::{Clock, Instant};
use begreb::registry::{Actor, At, Identity, ImportRequest, Registry, SearchFilter, Settings};
use begreb::store::Store;
use generator::{Seeded, code_system};

#[global_allocator]
static ALLOCATOR: begreb_meter::Meter = begreb_meter::Meter;

/// Connections that ask at once.
const CONNECTIONS: usize = 16;
/// How long each load lasts.
const LOAD: Duration = Duration::from_secs(4);

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Instant {
        "2026-11-22T12:00:00Z".parse().expect("an instant")
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
    for edition in 2..=10u64 {
        let bytes = code_system(size, edition, 1);
        runtime.block_on(import(&registry, &bytes, &format!("v{edition}"), &format!("20{}-01-01", 19 + edition)));
    }
    let seconds = began.elapsed().as_secs_f64() / 9.0;
    row(size, "import an edition with 1 % changed, of 10", &format!("{seconds:.2} s"), "");
    if wanted("reads") {
        reads(runtime, &registry, size);
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
}

/// Opens the database in a process of its own: how long until ready, and what it holds in memory.
fn alone(database: &Path, size: usize) {
    let me = std::env::current_exe().expect("this program");
    let output = std::process::Command::new(me).arg("--open").arg(database).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let figures: Vec<f64> = text.split_whitespace().filter_map(|w| w.parse().ok()).collect();
    if let [readable, bytes, searchable, all] = figures[..] {
        row(size, "start with 10 versions, to readable", &format!("{readable:.2} s"), "");
        row(size, "start with 10 versions, to ready", &format!("{searchable:.2} s"), "100k: 3 s");
        let each = |bytes: f64| format!("{:.2} KiB", bytes / 1024.0 / size as f64);
        row(size, "resident memory for each concept, 10 versions, editions", &each(bytes), "");
        row(size, "resident memory for each concept, 10 versions, all", &each(all), "3 KiB");
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
    Registry::open(store, Arc::new(FixedClock), Settings::default()).await.expect("a registry")
}

async fn import(registry: &Registry, bytes: &[u8], label: &str, effective: &str) {
    let request = ImportRequest {
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

fn reads(runtime: &tokio::runtime::Runtime, registry: &Arc<Registry>, size: usize) {
    let ours = runtime.block_on(serve(router(registry.clone(), &HttpOptions::default())));
    for (what, query) in [
        ("concept read, JSON, in force", ""),
        ("concept read, JSON, version v1", "?version=v1"),
        ("concept read, JSON, by date and registered", "?date=2022-06-01&registered=2026-11-22T12:00:00.000002Z"),
    ] {
        let mut random = Seeded(42);
        let paths: Vec<String> =
            (0..2_000).map(|_| format!("/api/v1/vocabularies/bench/concepts/C{}{query}", random.below(size))).collect();
        // The ceiling answers the same bytes to the same requests.
        let answers: HashMap<String, Bytes> = paths.iter().map(|p| (key(p), fetch(ours, p))).collect();
        let ceiling =
            Router::new().route("/api/v1/vocabularies/{v}/concepts/{key}", get(same)).with_state(Arc::new(answers));
        let ceiling = runtime.block_on(serve(ceiling));
        let (mut best, mut top) = (0.0f64, 0.0f64);
        // Turn about, so that a slow moment of the machine hits both.
        for _ in 0..2 {
            top = top.max(load(ceiling, &paths));
            best = best.max(load(ours, &paths));
        }
        row(size, what, &format!("{best:.0}/s = {:.2}", best / top), &format!("ceiling {top:.0}/s, at least 0.85"));
    }
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
        let paths: Vec<String> = texts.iter().map(|text| format!("{address}{}", encoded(text))).collect();
        let answers: HashMap<String, Bytes> = paths.iter().map(|p| (p.clone(), fetch(ours, p))).collect();
        let ceiling = Router::new().fallback(same_address).with_state(Arc::new(answers));
        let ceiling = runtime.block_on(serve(ceiling));
        let (mine, bare) = (times(ours, &paths, true), times(ceiling, &paths, false));
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

async fn same_address(State(answers): State<Arc<HashMap<String, Bytes>>>, uri: axum::http::Uri) -> Bytes {
    answers[&uri.to_string()].clone()
}

/// How long each of some answers takes, sorted, in seconds; asked twice, the faster counts.
fn times(address: SocketAddr, paths: &[String], show: bool) -> Vec<f64> {
    let mut stream = TcpStream::connect(address).expect("it answers");
    stream.set_nodelay(true).expect("a socket");
    let mut buffer = Vec::new();
    let mut times: Vec<f64> = Vec::new();
    for path in paths {
        let mut best = f64::MAX;
        for _ in 0..2 {
            let began = Stopwatch::now();
            ask(&mut stream, path, &mut buffer);
            best = best.min(began.elapsed().as_secs_f64());
        }
        times.push(best);
    }
    // What to look at next, for those who improve it.
    let mut slowest: Vec<(f64, &String)> = times.iter().copied().zip(paths).collect();
    slowest.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (seconds, path) in slowest.iter().step_by(slowest.len() / 12 + 1).filter(|_| show) {
        eprintln!("  {:.2} ms {path}", seconds * 1e3);
    }
    times.sort_by(f64::total_cmp);
    times
}

fn exports(registry: &Registry, size: usize) {
    let view = registry.view("bench", &Default::default()).expect("a view");
    for format in Format::WRITTEN {
        let began = Stopwatch::now();
        let mut count = Counting(0);
        registry.export(&view, format, &mut count).expect("it exports");
        let seconds = began.elapsed().as_secs_f64();
        let rate = count.0 as f64 / 1e6 / seconds;
        row(size, &format!("export {}", format.name()), &format!("{seconds:.2} s, {rate:.0} MB/s"), "");
    }
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

fn key(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.split('?').next().unwrap_or_default().to_owned()
}

async fn same(
    State(answers): State<Arc<HashMap<String, Bytes>>>,
    Segments((_, key)): Segments<(String, String)>,
) -> Bytes {
    answers[&key].clone()
}

async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn fetch(address: SocketAddr, path: &str) -> Bytes {
    let mut stream = TcpStream::connect(address).expect("it answers");
    let mut buffer = Vec::new();
    let range = ask(&mut stream, path, &mut buffer);
    Bytes::copy_from_slice(&buffer[range])
}

/// Sends one request and reads its answer; the range of the body in the buffer.
fn ask(stream: &mut TcpStream, path: &str, buffer: &mut Vec<u8>) -> std::ops::Range<usize> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: bench\r\naccept: application/json\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it takes the request");
    buffer.clear();
    let mut chunk = [0u8; 16384];
    loop {
        let n = stream.read(&mut chunk).expect("it answers");
        assert!(n > 0, "the server hung up");
        buffer.extend_from_slice(&chunk[..n]);
        if let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_lowercase();
            assert!(head.starts_with("http/1.1 200"), "{path}: {head}");
            let length = head.lines().find_map(|l| l.strip_prefix("content-length: "));
            let length: usize = length.and_then(|l| l.trim().parse().ok()).expect("a length");
            if buffer.len() >= end + 4 + length {
                return end + 4..end + 4 + length;
            }
        }
    }
}

/// Answers for each second, from as many connections as [`CONNECTIONS`].
fn load(address: SocketAddr, paths: &[String]) -> f64 {
    let stop = AtomicBool::new(false);
    let began = Stopwatch::now();
    let total: usize = std::thread::scope(|scope| {
        let ask_on = |start: usize| {
            let (stop, paths) = (&stop, paths);
            move || {
                let mut stream = TcpStream::connect(address).expect("it answers");
                stream.set_nodelay(true).expect("a socket");
                let (mut count, mut buffer) = (0, Vec::new());
                while !stop.load(Ordering::Relaxed) {
                    ask(&mut stream, &paths[(start + count) % paths.len()], &mut buffer);
                    count += 1;
                }
                count
            }
        };
        let threads: Vec<_> = (0..CONNECTIONS).map(|i| scope.spawn(ask_on(i * 97))).collect();
        std::thread::sleep(LOAD);
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().map(|t| t.join().expect("a load")).sum()
    });
    total as f64 / began.elapsed().as_secs_f64()
}
