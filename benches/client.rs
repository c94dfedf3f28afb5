//! A client that costs little, and the bare server that it holds ours against: the *ceiling* answers the same bytes to
//! the same requests.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Stopwatch};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::Uri;

/// Connections that ask at once.
const CONNECTIONS: usize = 16;
/// How long each load lasts.
const LOAD: Duration = Duration::from_secs(4);

/// A request: an address, and a body of JSON when it is a POST.
#[derive(Clone)]
pub struct Wish {
    path: String,
    bytes: Vec<u8>,
    body: String,
}

impl Wish {
    /// GET.
    pub fn get(path: String) -> Self {
        let bytes = format!("GET {path} HTTP/1.1\r\nhost: bench\r\naccept: application/json\r\n\r\n").into_bytes();
        Self { path, bytes, body: String::new() }
    }

    /// POST of JSON.
    pub fn post(path: String, body: String) -> Self {
        let length = body.len();
        let head = format!("POST {path} HTTP/1.1\r\nhost: bench\r\naccept: application/json\r\n");
        let bytes =
            format!("{head}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes();
        Self { path, bytes, body }
    }

    fn key(&self) -> String {
        format!("{}{}", self.path, self.body)
    }
}

/// Serves a router on a port of its own.
pub async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// A bare server that answers what another answers.
pub async fn ceiling(ours: SocketAddr, wishes: Vec<Wish>) -> SocketAddr {
    let fetched = tokio::task::spawn_blocking(move || {
        let mut stream = connect(ours);
        let mut buffer = Vec::new();
        let answer = |wish: &Wish| {
            let range = ask(&mut stream, wish, &mut buffer);
            (wish.key(), Bytes::copy_from_slice(&buffer[range]))
        };
        wishes.iter().map(answer).collect::<HashMap<String, Bytes>>()
    });
    let answers = Arc::new(fetched.await.expect("ours answers"));
    serve(Router::new().fallback(same).with_state(answers)).await
}

async fn same(State(answers): State<Arc<HashMap<String, Bytes>>>, uri: Uri, body: Bytes) -> Bytes {
    let mut key = uri.to_string();
    key.push_str(&String::from_utf8_lossy(&body));
    answers[&key].clone()
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it answers");
    stream.set_nodelay(true).expect("a socket");
    stream
}

/// Sends one request and reads its answer; the range of the body in the buffer.
fn ask(stream: &mut TcpStream, wish: &Wish, buffer: &mut Vec<u8>) -> std::ops::Range<usize> {
    stream.write_all(&wish.bytes).expect("it takes the request");
    let mut filled = 0;
    loop {
        if buffer.len() < filled + 16_384 {
            buffer.resize(filled + 16_384, 0);
        }
        let n = stream.read(&mut buffer[filled..]).expect("it answers");
        assert!(n > 0, "the server hung up");
        filled += n;
        let Some(end) = find(&buffer[..filled], b"\r\n\r\n") else { continue };
        let head = &buffer[..end];
        assert!(head.starts_with(b"HTTP/1.1 200"), "{}: {}", wish.key(), String::from_utf8_lossy(&buffer[..filled]));
        let begin = find(head, b"content-length: ").expect("a length") + "content-length: ".len();
        let digits = head[begin..].iter().take_while(|b| b.is_ascii_digit());
        let length = digits.fold(0, |n, digit| n * 10 + usize::from(digit - b'0'));
        if filled >= end + 4 + length {
            return end + 4..end + 4 + length;
        }
    }
}

/// Where a text begins; looks for its first byte, so that headers cost next to nothing.
fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = text[from..].iter().position(|b| *b == wanted[0]) {
        if text[from + at..].starts_with(wanted) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

/// Answers for each second, from as many connections as [`CONNECTIONS`].
pub fn load(address: SocketAddr, wishes: &[Wish]) -> f64 {
    let stop = AtomicBool::new(false);
    let began = Stopwatch::now();
    let total: usize = std::thread::scope(|scope| {
        let ask_on = |start: usize| {
            let stop = &stop;
            move || {
                let mut stream = connect(address);
                let (mut count, mut buffer) = (0, Vec::new());
                while !stop.load(Ordering::Relaxed) {
                    ask(&mut stream, &wishes[(start + count) % wishes.len()], &mut buffer);
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

/// How long each of some answers takes from one connection, sorted, in seconds; asked twice, the faster counts. With
/// `show`, some of the slowest are told on stderr, for those who improve them.
pub fn times(address: SocketAddr, wishes: &[Wish], show: bool) -> Vec<f64> {
    let mut stream = connect(address);
    let mut buffer = Vec::new();
    let mut times: Vec<(f64, &Wish)> = Vec::new();
    for wish in wishes {
        let mut best = f64::MAX;
        for _ in 0..2 {
            let began = Stopwatch::now();
            ask(&mut stream, wish, &mut buffer);
            best = best.min(began.elapsed().as_secs_f64());
        }
        times.push((best, wish));
    }
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (seconds, wish) in times.iter().rev().step_by(times.len() / 12 + 1).filter(|_| show) {
        eprintln!("  {:.2} ms {}", seconds * 1e3, wish.key());
    }
    times.into_iter().map(|(seconds, _)| seconds).collect()
}
