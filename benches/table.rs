//! The figures of docs/performance.md: `cargo bench --bench table [-- SIZE…]`. Every figure is printed with the
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
use begreb::registry::{Actor, Identity, ImportRequest, Registry, Settings};
use begreb::store::Store;
use generator::{Seeded, code_system};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    let sizes = if sizes.is_empty() { vec![1_000, 10_000, 100_000] } else { sizes };
    println!("| concepts | what | figure | held against |");
    println!("|---:|---|---:|---|");
    for size in sizes {
        let folder = std::env::temp_dir().join(format!("begreb-bench-{}-{size}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        measure(&runtime, size, &folder);
        let _ = std::fs::remove_dir_all(&folder);
    }
}

fn row(size: usize, what: &str, figure: &str, against: &str) {
    println!("| {size} | {what} | {figure} | {against} |");
}

fn measure(runtime: &tokio::runtime::Runtime, size: usize, folder: &Path) {
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
    reads(runtime, &registry, size);
    exports(&registry, size);
    drop(registry);
    alone(&database, size);
}

/// Opens the database in a process of its own: how long until ready, and what it holds in memory.
fn alone(database: &Path, size: usize) {
    let me = std::env::current_exe().expect("this program");
    let output = std::process::Command::new(me).arg("--open").arg(database).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let figures: Vec<f64> = text.split_whitespace().filter_map(|w| w.parse().ok()).collect();
    if let [seconds, bytes] = figures[..] {
        row(size, "start with 10 versions, to ready", &format!("{seconds:.2} s"), "100k: 3 s");
        let each = bytes / 1024.0 / size as f64;
        row(size, "resident memory for each concept, 10 versions", &format!("{each:.2} KiB"), "3 KiB");
    } else {
        row(size, "start", "failed", &String::from_utf8_lossy(&output.stderr));
    }
}

async fn open_alone(database: &str) {
    let before = resident();
    let began = Stopwatch::now();
    let registry = open(&PathBuf::from(database)).await;
    let seconds = began.elapsed().as_secs_f64();
    println!("{seconds} {}", resident().saturating_sub(before));
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
