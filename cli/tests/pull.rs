//! `begreb pull` against a real server, and against one that lies.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A folder of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("begreb-cli-pull-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn begreb(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_begreb"));
        command.current_dir(&self.0).args(arguments).env_remove("BEGREB_DB").env("LANG", "en_GB.UTF-8");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.begreb(arguments).output().expect("begreb runs")
    }

    /// Runs a command that ends so, and reads its JSON.
    fn json(&self, arguments: &[&str], status: i32) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {out}{err}");
        serde_json::from_str(&out).unwrap_or_else(|e| panic!("{arguments:?}: {e}: {out}{err}"))
    }

    /// Publishes a version of a vocabulary with forty concepts; those that are named say something else.
    fn publish(&self, slug: &str, label: &str, effective: &str, other: &[usize]) {
        let mut table = "notation,parent,preferred.da,definition.da\nT,,top,\n".to_owned();
        for i in 0..40 {
            let word = if other.contains(&i) { label } else { "ydelse" };
            table.push_str(&format!("C{i},T,{word} {i},indsats nummer {i} til borgeren\n"));
        }
        let file = format!("{slug}-{label}.csv");
        std::fs::write(self.0.join(&file), table).expect("a file");
        let arguments = ["import", "--vocabulary", slug, "--format", "csv", &file, "--version", label];
        self.json(&[&arguments[..], &["--effective", effective]].concat(), 0);
    }

    /// The manifest of the copy.
    fn manifest(&self, slug: &str) -> Value {
        let path = self.0.join("begreb-copy").join(slug).join("current/manifest.json");
        serde_json::from_slice(&std::fs::read(path).expect("a manifest")).expect("JSON")
    }

    fn copied(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.0.join("begreb-copy").join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A real server.
struct Server {
    _child: Running,
    url: String,
}

impl Server {
    fn start(folder: &Folder) -> Self {
        let mut command = folder.begreb(&["serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let line = lines.find(|l| l.as_ref().is_ok_and(|l| l.contains("ready at"))).expect("a line").expect("text");
        let url = line.split_whitespace().find(|w| w.starts_with("http://")).expect("an address");
        Self { url: url.trim_end_matches(['/', '.', ',']).to_owned(), _child: Running(child) }
    }

    fn export(&self, folder: &Folder, slug: &str, label: &str, format: &str) -> Vec<u8> {
        let arguments = ["export", "--vocabulary", slug, "--version", label, "--format", format, "--server", &self.url];
        let output = folder.run(&arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        output.stdout
    }

    /// Waits until the server has seen that a version was published.
    fn has(&self, folder: &Folder, slug: &str, label: &str) {
        let began = Instant::now();
        while !text(&folder.run(&["show", slug, "--json", "--server", &self.url]).stdout)
            .contains(&format!("\"{label}\""))
        {
            assert!(began.elapsed() < Duration::from_secs(20), "the server does not see {label}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// What the liar does with an answer.
#[derive(Clone, Debug, PartialEq)]
enum Lie {
    /// Nothing.
    None,
    /// Other bytes than the digest says.
    Flip,
    /// Other content, with a digest of the bytes that is right.
    Forge(&'static str, &'static str),
    /// Less than it says.
    Truncate,
    /// More than anybody would take.
    Huge,
    /// No digest of the bytes.
    Silence,
    /// Somewhere else.
    Redirect,
    /// Nothing but an error, so many times.
    Fail(usize),
    /// Something that is no answer at all.
    Garbage,
    /// One character after the other, without end.
    Endless,
    /// The right answer, in parts with pauses of so many milliseconds between.
    Slow(u64),
    /// The right headers, and then nothing.
    Silent,
    /// The same address over https.
    Safer,
    /// That there is no such address.
    Older,
    /// Nothing until there is another lie.
    Wait,
}

/// A server between the reader and a real one that lies about what an address begins with.
struct Liar {
    url: String,
    lie: Arc<Mutex<(String, Lie)>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Liar {
    fn start(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (lie, asked) = (Arc::new(Mutex::new((String::new(), Lie::None))), Arc::new(Mutex::new(Vec::new())));
        let (lies, asks, behind) = (lie.clone(), asked.clone(), server.url.trim_start_matches("http://").to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (lies, asks, behind) = (lies.clone(), asks.clone(), behind.clone());
                std::thread::spawn(move || between(stream, &behind, &lies, &asks));
            }
        });
        Self { url, lie, asked }
    }

    fn lies(&self, address: &str, lie: Lie) {
        *self.lie.lock().expect("a lock") = (address.to_owned(), lie);
        self.asked.lock().expect("a lock").clear();
    }

    fn asked(&self, what: &str) -> usize {
        self.asked.lock().expect("a lock").iter().filter(|a| a.contains(what)).count()
    }
}

/// Passes one request on, and lies about the answer.
fn between(mut stream: TcpStream, behind: &str, lies: &Mutex<(String, Lie)>, asks: &Mutex<Vec<String>>) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let request = lines.next()?.ok()?;
    lines.map_while(Result::ok).find(String::is_empty)?;
    let (method, path) = request.strip_suffix(" HTTP/1.1")?.split_once(' ')?;
    asks.lock().ok()?.push(request.clone());
    let lie = {
        let mut lie = lies.lock().ok()?;
        let meant = path.contains(&lie.0);
        match &mut lie.1 {
            Lie::Fail(0) => Lie::None,
            Lie::Fail(left) if meant => {
                *left -= 1;
                Lie::Fail(1)
            }
            lie if meant => lie.clone(),
            _ => Lie::None,
        }
    };
    let mut upstream = TcpStream::connect(behind).ok()?;
    write!(upstream, "{method} {path} HTTP/1.0\r\nhost: {behind}\r\naccept: */*\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = text(&answer[..end]);
    let mut body = answer[end + 4..].to_vec();
    let mut told = body.len();
    let (status, headers) = head.split_once("\r\n")?;
    let mut status = status.replace("HTTP/1.0", "HTTP/1.1");
    let dropped = |h: &&str| !h.starts_with("content-length") && !h.starts_with("connection");
    let mut headers: Vec<String> = headers.split("\r\n").filter(dropped).map(ToOwned::to_owned).collect();
    match lie {
        Lie::None => {}
        Lie::Flip => body[told / 2] ^= 1,
        Lie::Forge(from, to) => {
            body = text(&body).replace(from, to).into_bytes();
            told = body.len();
            headers.retain(|h| !h.starts_with("content-digest"));
            headers.push(format!("content-digest: sha-256=:{}:", STANDARD.encode(Sha256::digest(&body))));
        }
        Lie::Truncate => body.truncate(told / 2),
        Lie::Huge => told = 5 << 30,
        Lie::Silence => headers.retain(|h| !h.starts_with("content-digest")),
        Lie::Redirect => {
            "HTTP/1.1 302 Found".clone_into(&mut status);
            headers = vec!["location: http://192.0.2.1/elsewhere".to_owned()];
            (body, told) = (Vec::new(), 0);
        }
        Lie::Fail(_) => {
            "HTTP/1.1 503 Service Unavailable".clone_into(&mut status);
            headers = vec!["retry-after: 0".to_owned()];
            (body, told) = (Vec::new(), 0);
        }
        Lie::Garbage => {
            body = b"[[[[\xff".to_vec();
            told = body.len();
        }
        Lie::Endless | Lie::Slow(_) | Lie::Silent => {}
        Lie::Older => {
            "HTTP/1.1 404 Not Found".clone_into(&mut status);
            headers = vec!["content-type: application/problem+json".to_owned()];
            body = br#"{"code":"not-found","title":"no such address","status":404}"#.to_vec();
            told = body.len();
        }
        Lie::Wait => {
            while lies.lock().ok()?.1 == Lie::Wait {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        Lie::Safer => {
            "HTTP/1.1 308 Permanent Redirect".clone_into(&mut status);
            let host = stream.local_addr().ok()?;
            headers = vec![format!("location: https://{host}{path}")];
            (body, told) = (Vec::new(), 0);
        }
    }
    let headers = headers.join("\r\n");
    // What has no end has no length.
    let length = if lie == Lie::Endless { String::new() } else { format!("content-length: {told}\r\n") };
    write!(stream, "{status}\r\n{headers}\r\n{length}connection: close\r\n\r\n").ok()?;
    if method == "HEAD" {
        return Some(());
    }
    match lie {
        Lie::Endless => loop {
            stream.write_all(&[b' '; 1 << 16]).ok()?;
        },
        Lie::Silent => std::thread::sleep(Duration::from_secs(20)),
        Lie::Slow(pause) => {
            for part in body.chunks(body.len().div_ceil(8).max(1)) {
                std::thread::sleep(Duration::from_millis(pause));
                stream.write_all(part).ok()?;
            }
        }
        _ => stream.write_all(&body).ok()?,
    }
    Some(())
}

fn one(report: &Value) -> &Value {
    &report["vocabularies"][0]
}

fn labels(versions: &Value) -> Vec<&str> {
    versions.as_array().expect("versions").iter().filter_map(|v| v["label"].as_str()).collect()
}

#[test]
fn a_copy_is_fetched_kept_and_brought_up_to_date_by_what_changed() {
    let f = Folder::new("real");
    f.publish("v", "1", "2020-01-01", &[]);
    let server = Server::start(&f);
    let liar = Liar::start(&server);
    let pull = |more: &[&str]| {
        f.json(&[&["pull", "--server", &liar.url, "--vocabulary", "v", "--format", "csv,ttl"], more].concat(), 0)
    };
    let first = pull(&[]);
    assert_eq!((&one(&first)["changed"], &one(&first)["versions"][0]["how"]), (&json!(true), &json!("whole")));
    let manifest = f.manifest("v");
    assert_eq!(labels(&manifest["versions"]), ["1"]);
    for (format, ending) in [("json", "json"), ("csv", "csv"), ("ttl", "ttl")] {
        let path = format!("v/current/versions/1/v.{ending}");
        let bytes = f.copied(&path);
        assert!(bytes == server.export(&f, "v", "1", format), "{format}: what the server would send");
        let files = manifest["versions"][0]["files"].as_array().expect("files");
        let told = files.iter().find(|file| file["format"] == format).expect("it is told");
        assert_eq!(told["bytes"], bytes.len());
        let sum: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(told["sha256"], sum);
    }
    // Nothing new: nothing is downloaded.
    liar.lies("", Lie::None);
    let again = pull(&[]);
    assert_eq!((&one(&again)["changed"], liar.asked("/export"), liar.asked("/concepts")), (&json!(false), 0, 0));
    // A version is published ahead: only what it changes is fetched, and the bytes are the server's.
    f.publish("v", "2", "2999-01-01", &[3, 17]);
    server.has(&f, "v", "2");
    liar.lies("", Lie::None);
    let ahead = pull(&[]);
    let versions = &one(&ahead)["versions"];
    assert_eq!(labels(versions), ["1", "2"]);
    assert_eq!((&versions[0]["how"], &versions[1]["how"]), (&json!("held"), &json!("delta")));
    assert_eq!((&versions[1]["fetched"], one(&ahead)["inForce"].as_str()), (&json!(2), Some("1")));
    assert_eq!((liar.asked("GET /api/v1/vocabularies/v/export"), liar.asked("/concepts/")), (0, 2));
    for format in ["json", "csv", "ttl"] {
        let path = format!("v/current/versions/2/v.{format}");
        assert!(f.copied(&path) == server.export(&f, "v", "2", format), "{format}");
    }
    // One that changes everything is fetched whole, and takes over today; the one before is kept as asked.
    f.publish("v", "3", "2024-01-01", &(0..40).collect::<Vec<_>>());
    server.has(&f, "v", "3");
    let whole = pull(&[]);
    assert_eq!((labels(&one(&whole)["versions"]), one(&whole)["inForce"].as_str()), (vec!["1", "3", "2"], Some("3")));
    assert_eq!(one(&whole)["versions"][1]["how"], "whole");
    let fewer = pull(&["--keep", "0"]);
    assert_eq!((labels(&one(&fewer)["versions"]), &one(&fewer)["dropped"]), (vec!["3", "2"], &json!(["1"])));
    let dated = pull(&["--date", "2021-01-01"]);
    assert_eq!(labels(&one(&dated)["versions"]), ["1"]);
    let named = pull(&["--version", "2", "--version", "1"]);
    assert_eq!(labels(&one(&named)["versions"]), ["1", "2"]);
    // The copy before is still there for whoever reads it; no others are.
    let copies = std::fs::read_dir(f.0.join("begreb-copy/v/copies")).expect("copies").count();
    assert_eq!(copies, 2);
}

#[test]
fn a_copy_is_checked_without_the_network_and_mended_with_it() {
    let f = Folder::new("check");
    f.publish("v", "1", "2020-01-01", &[]);
    f.publish("v", "2", "2999-01-01", &[1]);
    f.publish("w", "1", "2020-01-01", &[]);
    let server = Server::start(&f);
    let pulled = f.json(&["pull", "--server", &server.url, "--all"], 0);
    assert_eq!(pulled["vocabularies"].as_array().map(Vec::len), Some(2));
    drop(server);
    let checked = f.json(&["pull", "--check"], 0);
    assert_eq!(checked["vocabularies"].as_array().map(Vec::len), Some(2));
    assert_eq!(one(&checked)["inForce"], "1");
    let folder = one(&checked)["inForceFolder"].as_str().expect("a folder").to_owned();
    assert!(f.0.join(&folder).join("v.csv").is_file());
    let said = text(&f.run(&["pull", "--check", "--vocabulary", "v"]).stdout);
    assert!(said.contains("v: whole; 2 versions") && said.contains("in force today: 1"), "{said}");
    // A byte is changed, and it is told which file.
    let path = f.0.join(&folder).join("v.json");
    let whole = std::fs::read_to_string(&path).expect("a file");
    let spoil = |text: &str| {
        let _ = std::fs::remove_file(&path);
        std::fs::write(&path, text).expect("a file");
    };
    spoil(&whole.replacen("ydelse 7", "ydelse 8", 1));
    let wrong = f.json(&["pull", "--check", "--vocabulary", "v"], 1);
    let problems = one(&wrong)["problems"].as_array().expect("problems").clone();
    assert_eq!(problems.len(), 2, "the bytes, and the digest of the version: {problems:?}");
    assert!(
        problems.iter().all(|p| p["place"]["name"].as_str().is_some_and(|n| n.ends_with("v.json"))),
        "{problems:?}"
    );
    // Also when the manifest was made to fit.
    let file = f.0.join("begreb-copy/v/current/manifest.json");
    let manifest = std::fs::read_to_string(&file).expect("a manifest");
    let sum = |text: &str| -> String { Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect() };
    let spoilt = std::fs::read_to_string(&path).expect("a file");
    std::fs::write(&file, manifest.replace(&sum(&whole), &sum(&spoilt))).expect("a manifest");
    assert_eq!(
        one(&f.json(&["pull", "--check", "--vocabulary", "v"], 1))["problems"].as_array().map(Vec::len),
        Some(1)
    );
    std::fs::write(&file, manifest).expect("a manifest");
    let server = Server::start(&f);
    let mended = f.json(&["pull", "--server", &server.url, "--vocabulary", "v"], 0);
    assert_eq!((&one(&mended)["changed"], &one(&mended)["versions"][1]["how"]), (&json!(true), &json!("held")));
    f.json(&["pull", "--check"], 0);
    // A copy whose manifest is gone is made anew.
    std::fs::remove_file(f.0.join("begreb-copy/v/current/manifest.json")).expect("it was there");
    assert_eq!(f.json(&["pull", "--check", "--vocabulary", "v"], 1)["code"], "file");
    f.json(&["pull", "--server", &server.url, "--vocabulary", "v"], 0);
    f.json(&["pull", "--check"], 0);
}

#[test]
fn a_server_that_lies_is_refused_and_the_copy_stays() {
    let f = Folder::new("lies");
    f.publish("v", "1", "2020-01-01", &[]);
    let server = Server::start(&f);
    let liar = Liar::start(&server);
    let arguments = ["pull", "--server", &liar.url, "--vocabulary", "v", "--tries", "2"];
    f.json(&arguments, 0);
    let before = f.manifest("v");
    f.publish("v", "2", "2024-01-01", &(0..40).collect::<Vec<_>>());
    server.has(&f, "v", "2");
    let lies = [
        ("/export", Lie::Flip, "unverified"),
        ("/export", Lie::Forge("indsats nummer 7 ", "indsats nummer 8 "), "unverified"),
        ("/export", Lie::Forge("\"label\":\"2\"", "\"label\":\"1\""), "unverified"),
        ("/export", Lie::Forge("\"concepts\":[\n{\"content\":{", "\"concepts\":[\n{\"content\":{ "), "unverified"),
        ("/export", Lie::Forge("\n],\n", ",\n"), "unverified"),
        ("/export", Lie::Truncate, "unreachable"),
        ("/export", Lie::Huge, "unverified"),
        ("/export", Lie::Silence, "unverified"),
        ("/export", Lie::Redirect, "unverified"),
        ("/export", Lie::Fail(9), "unexpected-answer"),
        ("/export", Lie::Garbage, "unverified"),
        ("/versions", Lie::Garbage, "unexpected-answer"),
        ("/versions", Lie::Truncate, "unreachable"),
        ("/versions", Lie::Redirect, "unverified"),
        // A version that is held has become another, or is gone.
        ("/versions", Lie::Forge("\"label\":\"1\"", "\"label\":\"9\""), "unverified"),
        ("/versions", Lie::Forge("2020-01-01T", "2020-01-02T"), "unverified"),
        ("/versions", Lie::Endless, "unverified"),
        ("/versions", Lie::Safer, "unverified"),
        ("/days", Lie::Garbage, "unexpected-answer"),
        ("/days", Lie::Truncate, "unreachable"),
        ("/days", Lie::Forge("\"from\":\"2024-01-01\"", "\"from\":\"../../x\""), "unexpected-answer"),
        ("/changes", Lie::Garbage, "unexpected-answer"),
        ("/changes", Lie::Forge("\"more\":false", "\"more\":\"x\""), "unexpected-answer"),
    ];
    for (address, lie, code) in lies {
        liar.lies(address, lie.clone());
        let refused = f.json(&arguments, 1);
        assert_eq!(refused["code"], code, "{address} {lie:?}: {refused}");
        assert_eq!(f.manifest("v"), before, "{address} {lie:?}");
        f.json(&["pull", "--check"], 0);
    }
    // It is told which address is meant when only that was wrong.
    liar.lies("", Lie::Safer);
    let safer = text(&f.run(&arguments).stderr);
    assert!(safer.contains(&format!("--server {}", liar.url.replace("http://", "https://"))), "{safer}");
    // A server that is slow is waited for, one that falls silent is not.
    liar.lies("/export", Lie::Silent);
    let began = Instant::now();
    let quick = [&arguments[..5], &["--tries", "1", "--timeout", "1"]].concat();
    assert_eq!(f.json(&quick, 1)["code"], "unreachable");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(f.manifest("v"), before);
    let left = f.0.join("begreb-copy/v/copies/.stage");
    assert!(!left.exists(), "what was begun is taken away at once");
    liar.lies("/versions", Lie::Slow(200));
    f.json(&[&arguments[..5], &["--timeout", "1", "--keep", "0", "--version", "1"]].concat(), 0);
    f.json(&arguments[..5].iter().copied().chain(["--date", "2020-01-01"]).collect::<Vec<_>>(), 0);
    // What is broken only for a while is asked for again.
    liar.lies("/export", Lie::Fail(1));
    assert_eq!(one(&f.json(&arguments, 0))["inForce"], "2");
    assert_eq!(liar.asked("/export"), 2);
    // A concept that is not what the version says makes the delta fail, and the whole is fetched instead.
    f.publish("v", "3", "2025-01-01", &[5]);
    server.has(&f, "v", "3");
    liar.lies("", Lie::None);
    f.json(&arguments, 0);
    f.publish("v", "4", "2025-02-01", &[5, 6]);
    server.has(&f, "v", "4");
    liar.lies("/concepts/", Lie::Forge("indsats nummer", "indsats nr."));
    let whole = f.json(&[&arguments[..], &["--keep", "0"]].concat(), 0);
    assert_eq!((liar.asked("/concepts/"), liar.asked("GET /api/v1/vocabularies/v/export")), (2, 1));
    assert_eq!(
        (one(&whole)["inForce"].as_str(), one(&whole)["versions"][0]["how"].as_str()),
        (Some("4"), Some("whole"))
    );
    f.json(&["pull", "--check"], 0);
    // What can be refused without a server.
    assert_eq!(f.json(&["pull", "--vocabulary", "v"], 2)["code"], "invalid-parameter");
    assert_eq!(f.json(&["pull", "--vocabulary", "../v", "--server", &liar.url], 2)["code"], "invalid-slug");
    assert_eq!(
        f.json(&["pull", "--vocabulary", "v", "--format", "fhir", "--server", &liar.url], 2)["code"],
        "invalid-parameter"
    );
    assert_eq!(f.run(&["pull", "--server", &liar.url]).status.code(), Some(2));
    assert_eq!(f.json(&["pull", "--vocabulary", "x", "--server", &liar.url], 1)["code"], "unknown-vocabulary");
    let both = f.json(&["pull", "--vocabulary", "x,v", "--server", &liar.url], 1);
    assert_eq!(both["vocabularies"][1]["refused"]["code"], "unknown-vocabulary");
    assert_eq!(both["vocabularies"][0]["vocabulary"], "v", "one that is refused does not hold the other back");
    let gone = f.json(&["pull", "--vocabulary", "v", "--version", "8", "--server", &liar.url], 1);
    assert_eq!(gone["code"], "unknown-version");
}

#[test]
fn a_pull_that_is_killed_leaves_a_whole_copy() {
    let f = Folder::new("killed");
    for (label, effective) in [("1", "2020-01-01"), ("2", "2021-01-01"), ("3", "2022-01-01")] {
        f.publish("v", label, effective, &[1]);
    }
    let server = Server::start(&f);
    let arguments = ["pull", "--server", &server.url, "--vocabulary", "v", "--format", "csv,ttl,nt,rdf,jsonld,oioxml"];
    f.json(&arguments, 0);
    let copies: &Path = &f.0.join("begreb-copy/v/copies");
    for n in 0..30_u64 {
        // Each time another set is wanted, so each pull replaces the copy.
        let keep = (n % 3).to_string();
        let mut child = Running(
            f.begreb(&[&arguments[..], &["--keep", &keep]].concat()).stdout(Stdio::null()).spawn().expect("it runs"),
        );
        std::thread::sleep(Duration::from_millis(n * 5));
        let _ = child.0.kill();
        let _ = child.0.wait();
        f.json(&["pull", "--check"], 0);
        assert!(std::fs::read_dir(copies).expect("copies").count() <= 4, "what was left is taken away by the next");
    }
    f.json(&[&arguments[..], &["--keep", "2"]].concat(), 0);
    assert_eq!(labels(&f.manifest("v")["versions"]), ["1", "2", "3"]);
    assert_eq!(std::fs::read_dir(copies).expect("copies").count(), 2);
}

#[test]
fn a_watched_copy_follows_what_is_published() {
    let f = Folder::new("watch");
    f.publish("v", "1", "2020-01-01", &[]);
    let server = Server::start(&f);
    let mut watch = f.begreb(&["pull", "--server", &server.url, "--all", "--watch", "--json"]);
    let mut child = Running(watch.stdout(Stdio::piped()).spawn().expect("it runs"));
    let mut rounds = BufReader::new(child.0.stdout.take().expect("a pipe")).lines();
    let mut round = || -> Value { serde_json::from_str(&rounds.next().expect("a line").expect("text")).expect("JSON") };
    assert_eq!(labels(&one(&round())["versions"]), ["1"]);
    f.publish("v", "2", "2024-01-01", &[4]);
    assert_eq!(one(&round())["inForce"], "2");
    f.publish("w", "1", "2024-01-01", &[]);
    let both = round();
    assert_eq!(both["vocabularies"].as_array().map(Vec::len), Some(2), "a new vocabulary: {both}");
    f.json(&["pull", "--check"], 0);
    let busy = f.json(&["pull", "--server", &server.url, "--vocabulary", "w"], 0);
    assert_eq!(one(&busy)["changed"], false, "one that waits holds no lock");
}

/// A server of whom single concepts are said by OIO Klassifikation.
struct Direct {
    server: Server,
    token: String,
    facet: String,
}

impl Direct {
    /// With a vocabulary `koder` that has concepts and no version.
    fn start(f: &Folder) -> Self {
        f.json(&["account", "create", "--name", "Pia", "--mail", "pia@example.dk", "--role", "publisher"], 0);
        let commands = ["--command", "publish", "--command", "frame"];
        let made = f.json(&[&["token", "create", "pia@example.dk", "--name", "x"], &commands[..]].concat(), 0);
        let token = made["secret"].as_str().expect("a secret").to_owned();
        let mut direct = Self { server: Server::start(f), token, facet: String::new() };
        let always = json!({"from": "-infinity", "to": "infinity"});
        let klassifikation = direct.write(
            "klassifikation",
            &json!({
                "attributter": {"klassifikationegenskaber": [{"brugervendtnoegle": "Koder", "virkning": always}]},
                "tilstande": {"klassifikationpubliceret": [{"publiceret": "Publiceret", "virkning": always}]},
            }),
        );
        direct.facet = direct.write(
            "facet",
            &json!({
                "attributter": {"facetegenskaber": [{"brugervendtnoegle": "F", "virkning": always}]},
                "tilstande": {"facetpubliceret": [{"publiceret": "Publiceret", "virkning": always}]},
                "relationer": {"facettilhoerer": [{"uuid": klassifikation, "virkning": always}]},
            }),
        );
        direct
    }

    /// Says a klasse from a day on.
    fn klasse(&self, key: &str, title: &str, from: &str) {
        let virkning = json!({"from": from, "to": "infinity"});
        self.write(
            "klasse",
            &json!({
                "attributter": {"klasseegenskaber": [{"brugervendtnoegle": key, "titel": title, "virkning": virkning}]},
                "tilstande": {"klassepubliceret": [{"publiceret": "Publiceret", "virkning": virkning}]},
                "relationer": {"facet": [{"uuid": self.facet, "virkning": virkning}]},
            }),
        );
    }

    /// Opret: the uuid of what was made.
    fn write(&self, kind: &str, object: &Value) -> String {
        let host = self.server.url.trim_start_matches("http://");
        let (body, token) = (object.to_string(), &self.token);
        let mut stream = TcpStream::connect(host).expect("the server answers");
        let length = body.len();
        write!(
            stream,
            "POST /klassifikation/{kind} HTTP/1.0\r\nhost: {host}\r\ncontent-type: application/json\r\n\
             authorization: Bearer {token}\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let json = answer.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str::<Value>(body).ok());
        let uuid = json.as_ref().and_then(|v| v["uuid"].as_str());
        uuid.unwrap_or_else(|| panic!("{object}: {answer}")).to_owned()
    }
}

#[test]
fn what_is_said_between_versions_is_in_the_copy() {
    let f = Folder::new("between");
    let direct = Direct::start(&f);
    direct.klasse("A", "a", "2024-01-01");
    let liar = Liar::start(&direct.server);
    let arguments = ["pull", "--server", &liar.url, "--vocabulary", "koder", "--format", "csv,ttl"];
    // A vocabulary without versions has a copy too, unless only versions are wanted.
    assert_eq!(f.json(&[&arguments[..], &["--versions-only"]].concat(), 1)["code"], "unknown-version");
    let first = f.json(&arguments, 0);
    assert_eq!((one(&first)["days"][0]["beyond"].as_u64(), one(&first)["inForce"].as_str()), (Some(1), None));
    let csv = text(&f.copied("koder/current/days/2024-01-01/koder.csv"));
    assert!(csv.contains("A,") && !csv.contains("B,"), "{csv}");
    let checked = f.json(&["pull", "--check"], 0);
    assert!(one(&checked)["inForceFolder"].as_str().is_some_and(|p| p.ends_with("days/2024-01-01")), "{checked}");
    // Now all of it is a version, and nothing is said beyond it.
    std::fs::write(f.0.join("1.csv"), "notation,preferred.da,facet\nA,a,F\n").expect("a file");
    f.json(&["import", "--vocabulary", "koder", "1.csv", "--version", "1", "--effective", "2024-01-01"], 0);
    direct.server.has(&f, "koder", "1");
    let version = f.json(&arguments, 0);
    assert_eq!((&one(&version)["days"], one(&version)["inForce"].as_str()), (&json!([]), Some("1")));
    assert!(!f.0.join("begreb-copy/koder/current/days").exists());
    // Two concepts are said beyond it, one of them ahead: there is a day for each.
    direct.klasse("B", "b", "2024-02-01");
    direct.klasse("C", "c", "2999-01-01");
    let beyond = f.json(&arguments, 0);
    let days: Vec<_> =
        one(&beyond)["days"].as_array().expect("days").iter().map(|d| (&d["from"], &d["beyond"])).collect();
    let expected = [(json!("2024-02-01T00:00:00Z"), json!(1)), (json!("2999-01-01T00:00:00Z"), json!(2))];
    assert_eq!(days, expected.iter().map(|(a, b)| (a, b)).collect::<Vec<_>>());
    assert_eq!((&one(&beyond)["beyond"], one(&beyond)["inForce"].as_str()), (&json!(1), Some("1")));
    let manifest = f.manifest("koder");
    for (at, day) in ["2024-02-01", "2999-01-01"].iter().enumerate() {
        let registered = manifest["registered"].as_str().expect("an instant");
        for (format, ending) in [("json", "json"), ("csv", "csv"), ("ttl", "ttl")] {
            let bytes = f.copied(&format!("koder/current/days/{day}/koder.{ending}"));
            let there = ["export", "--vocabulary", "koder", "--date", day, "--registered", registered];
            let there = f.run(&[&there[..], &["--format", format, "--server", &direct.server.url]].concat());
            assert!(bytes == there.stdout, "{day} {format}: what the server would send");
            let told = manifest["days"][at]["files"].as_array().expect("files");
            assert!(told.iter().any(|file| file["format"] == format && file["bytes"] == bytes.len()), "{manifest}");
        }
    }
    let checked = f.json(&["pull", "--check"], 0);
    assert!(one(&checked)["inForceFolder"].as_str().is_some_and(|p| p.ends_with("days/2024-02-01")), "{checked}");
    let said = text(&f.run(&["pull", "--verify"]).stdout);
    assert!(said.contains("days/2024-02-01"), "{said}");
    // Nothing new: nothing is downloaded. Something new: the day alone.
    liar.lies("", Lie::None);
    assert_eq!((&one(&f.json(&arguments, 0))["changed"], liar.asked("/export")), (&json!(false), 0));
    direct.klasse("D", "d", "2024-02-01");
    liar.lies("", Lie::None);
    assert_eq!(one(&f.json(&arguments, 0))["days"][0]["beyond"], 2);
    assert_eq!((liar.asked("/export?format=json&date="), liar.asked("/export?format=json&version=")), (2, 0));
    // What is not what was said is not believed.
    direct.klasse("E", "e", "2024-02-01");
    let before = f.manifest("koder");
    for (address, lie, code) in [
        ("/export", Lie::Flip, "unverified"),
        ("/export", Lie::Forge("\"concepts\":[\n{\"content\":{", "\"concepts\":[\n{\"content\":{ "), "unverified"),
        ("/days", Lie::Forge("\"concepts\":4", "\"concepts\":9"), "unverified"),
        ("/days", Lie::Forge("\"beyond\":3", "\"beyond\":\"x\""), "unexpected-answer"),
    ] {
        liar.lies(address, lie.clone());
        let refused = f.json(&[&arguments[..], &["--tries", "1"]].concat(), 1);
        assert_eq!(refused["code"], code, "{lie:?}: {refused}");
        assert_eq!(f.manifest("koder"), before, "{lie:?}");
    }
    liar.lies("", Lie::None);
    f.json(&arguments, 0);
    // A file of a day that was altered is told, and mended.
    let path = f.0.join("begreb-copy/koder/current/days/2024-02-01/koder.csv");
    std::fs::remove_file(&path).expect("it is there");
    std::fs::write(&path, "notation\n").expect("a file");
    let wrong = f.json(&["pull", "--verify"], 1);
    assert!(one(&wrong)["problems"][0]["place"]["name"].as_str().is_some_and(|n| n.ends_with("koder.csv")), "{wrong}");
    assert_eq!(one(&f.json(&arguments, 0))["changed"], true);
    f.json(&["pull", "--verify"], 0);
    // Only versions: the days are let go, and it is told that there is more.
    let only = f.json(&[&arguments[..], &["--versions-only"]].concat(), 0);
    assert_eq!((&one(&only)["days"], &one(&only)["beyond"]), (&json!([]), &json!(3)));
    assert!(!f.0.join("begreb-copy/koder/current/days").exists());
}

#[test]
fn the_first_pull_begins_where_the_log_ends() {
    let f = Folder::new("first");
    f.publish("v", "1", "2020-01-01", &[]);
    let server = Server::start(&f);
    let liar = Liar::start(&server);
    let arguments = ["pull", "--server", &liar.url, "--vocabulary", "v"];
    liar.lies("", Lie::None);
    let first = f.json(&arguments, 0);
    assert_eq!(liar.asked("/api/v1/changes"), 0, "nobody needs the log from its beginning");
    assert!(one(&first)["position"].as_i64().is_some_and(|p| p > 40), "{first}");
    // It goes on from there.
    f.publish("v", "2", "2024-01-01", &[7]);
    server.has(&f, "v", "2");
    liar.lies("", Lie::None);
    let second = f.json(&arguments, 0);
    assert_eq!(
        (&one(&second)["versions"][1]["how"], &one(&second)["versions"][1]["fetched"]),
        (&json!("delta"), &json!(1))
    );
    assert_eq!(liar.asked("after=0"), 0);
    // From an older server, which does not tell the days, the log is read as before.
    std::fs::remove_dir_all(f.0.join("begreb-copy")).expect("a copy");
    liar.lies("/days", Lie::Older);
    assert_eq!(one(&f.json(&arguments, 0))["inForce"], "2");
    assert!(liar.asked("after=0") > 0);
}

#[test]
fn what_is_published_meanwhile_is_in_this_copy_or_in_the_next() {
    let f = Folder::new("meanwhile");
    f.publish("v", "1", "2020-01-01", &[]);
    let server = Server::start(&f);
    let liar = Liar::start(&server);
    let arguments = ["pull", "--server", &liar.url, "--vocabulary", "v"];
    for (at, address) in ["/days", "/versions", "/export"].into_iter().enumerate() {
        let label = (at + 2).to_string();
        if address == "/export" {
            // Something to be fetched as a whole.
            f.publish("v", "x", "2024-01-02", &(0..40).collect::<Vec<_>>());
            server.has(&f, "v", "x");
        }
        liar.lies(address, Lie::Wait);
        let child = f.begreb(&[&arguments[..], &["--json"]].concat()).stdout(Stdio::piped()).spawn().expect("it runs");
        let began = Instant::now();
        while liar.asked(address) == 0 {
            assert!(began.elapsed() < Duration::from_secs(20), "it never asked for {address}");
            std::thread::sleep(Duration::from_millis(20));
        }
        f.publish("v", &label, &format!("2024-01-0{}", at + 1), &[at]);
        server.has(&f, "v", &label);
        liar.lies("", Lie::None);
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{address}: {}", text(&output.stdout));
        f.json(&["pull", "--check"], 0);
        let next = f.json(&arguments, 0);
        assert_eq!(one(&next)["inForce"], label.as_str(), "{address}");
        f.json(&["pull", "--check"], 0);
    }
}

#[cfg(unix)]
#[test]
fn a_disk_that_is_full_leaves_the_copy_and_no_rest() {
    let f = Folder::new("full");
    f.publish("v", "1", "2020-01-01", &[]);
    let server = Server::start(&f);
    let arguments = ["pull", "--server", &server.url, "--vocabulary", "v", "--format", "csv,rdf"];
    f.json(&arguments, 0);
    let before = f.manifest("v");
    f.publish("v", "2", "2024-01-01", &(0..40).collect::<Vec<_>>());
    server.has(&f, "v", "2");
    // As on a full disk, a write fails in the middle of a file: here of the JSON, and of what is made of it.
    for blocks in ["1", "16"] {
        let line = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let mut limited = Command::new("sh");
        limited.current_dir(&f.0).args(["-c", &line, env!("CARGO_BIN_EXE_begreb")]).args(arguments).arg("--json");
        let output = limited.env_remove("BEGREB_DB").env("LANG", "en_GB.UTF-8").output().expect("it runs");
        let refused: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
        assert_eq!((output.status.code(), &refused["code"]), (Some(1), &json!("file")), "{refused}");
        assert_eq!(f.manifest("v"), before);
        assert!(!f.0.join("begreb-copy/v/copies/.stage").exists(), "the room is free again");
        f.json(&["pull", "--check"], 0);
    }
    assert_eq!(one(&f.json(&arguments, 0))["inForce"], "2");
}

/// A proxy that passes on what it is asked for, and counts.
fn proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let asks = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let asks = asks.clone();
            std::thread::spawn(move || through(stream, &asks));
        }
    });
    (url, asked)
}

/// One connection through the proxy: a tunnel (CONNECT), or one request with its whole address.
fn through(mut stream: TcpStream, asks: &Mutex<Vec<String>>) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = text(&head);
    let request = head.lines().next()?.to_owned();
    asks.lock().ok()?.push(request.clone());
    let target = request.split(' ').nth(1)?;
    let mut upstream = if request.starts_with("CONNECT ") {
        let upstream = TcpStream::connect(target).ok()?;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
        upstream
    } else {
        let rest = target.strip_prefix("http://")?;
        let (host, path) = rest.split_once('/')?;
        let mut upstream = TcpStream::connect(host).ok()?;
        write!(upstream, "{}", head.replacen(target, &format!("/{path}"), 1)).ok()?;
        upstream
    };
    let (mut from, mut to) = (stream.try_clone().ok()?, upstream.try_clone().ok()?);
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    std::io::copy(&mut upstream, &mut stream).ok().map(drop)
}

#[test]
fn a_proxy_is_used_where_the_environment_names_one() {
    let f = Folder::new("proxy");
    f.publish("v", "1", "2020-01-01", &[]);
    let server = Server::start(&f);
    let (url, asked) = proxy();
    let pull = |name: &str, value: &str, more: &[(&str, &str)]| {
        let mut command = f.begreb(&["pull", "--server", &server.url, "--vocabulary", "v", "--tries", "1", "--json"]);
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        command.env(name, value).envs(more.iter().copied()).output().expect("begreb runs")
    };
    let through = pull("HTTP_PROXY", &url, &[]);
    assert!(through.status.success(), "{}", text(&through.stdout));
    assert!(!asked.lock().expect("a lock").is_empty(), "it went past the proxy");
    asked.lock().expect("a lock").clear();
    let past = pull("HTTP_PROXY", &url, &[("NO_PROXY", "127.0.0.1")]);
    assert!(past.status.success() && asked.lock().expect("a lock").is_empty(), "{}", text(&past.stdout));
    // A proxy that is not there is told as such, and the copy stays.
    let gone = pull("HTTP_PROXY", "http://127.0.0.1:9", &[]);
    assert_eq!(gone.status.code(), Some(1), "{}", text(&gone.stdout));
    f.json(&["pull", "--check"], 0);
}
