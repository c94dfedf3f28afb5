//! The command line as its user meets it: real processes, real files, real signals.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Folder, text};
use serde_json::Value;

/// KL's publications, when they are at hand.
fn kl() -> Option<PathBuf> {
    let told = std::env::var_os("BEGREB_KL_DATA").map(PathBuf::from);
    let above = || {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        here.ancestors().map(|a| a.join("shared/data/kl")).find(|p| p.is_dir())
    };
    let found = told.or_else(above);
    if found.is_none() {
        assert!(std::env::var("CI").is_err(), "KL's files are not at hand; BEGREB_KL_DATA says where they are");
        eprintln!("skipped: KL's files are not at hand; BEGREB_KL_DATA says where they are");
    }
    found
}

/// A table of `n` concepts under one top.
fn table(n: usize, word: &str) -> String {
    let mut table = "notation,parent,preferred.da,definition.da\nT,,top,\n".to_owned();
    for i in 0..n {
        table.push_str(&format!("C{i},T,{word} {i},indsats nummer {i} der ydes til borgeren\n"));
    }
    table
}

fn import(file: &str, label: &str, effective: &str) -> Vec<String> {
    let arguments =
        ["import", "--vocabulary", "v", "--format", "csv", file, "--version", label, "--effective", effective];
    arguments.map(String::from).to_vec()
}

fn strs(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

const EDITIONS: [(&str, u64); 5] =
    [("2020-09-08", 333), ("2023-05-17", 367), ("2023-06-22", 335), ("2024-05-30", 404), ("2024-10-31", 414)];

#[test]
fn the_five_editions_of_fsiii_are_one_history() {
    let Some(kl) = kl() else { return };
    let folder = Folder::new("fsiii");
    let file = |day: &str| kl.join(format!("FSIII-{day}.json")).display().to_string();
    let identity = folder.run(&["identity", &file("2024-10-31")]);
    assert!(identity.status.success(), "{}", text(&identity.stderr));
    folder.write("identity.csv", &text(&identity.stdout));
    assert_eq!(text(&identity.stdout).lines().count(), 415);
    for (day, concepts) in EDITIONS {
        let path = file(day);
        let arguments = [
            "import",
            "--vocabulary",
            "fsiii",
            "--format",
            "fhir",
            &path,
            "--version",
            day,
            "--effective",
            day,
            "--identity",
            "identity.csv",
        ];
        let dry = folder.json(&[&arguments[..], &["--dry-run"]].concat());
        assert_eq!(dry["verdict"], "planned");
        let report = folder.json(&arguments);
        assert_eq!((&report["verdict"], &report["manifest"]["concepts"]), (&"published".into(), &concepts.into()));
    }
    let before = folder.verify();
    assert_eq!(before["versions"].as_array().map(Vec::len), Some(5));
    // An edition has the same digest in a registry that has nothing else.
    let path = file("2024-10-31");
    let alone = ["--db", "sqlite:alone.db", "import", "--vocabulary", "fsiii", &path, "--version", "x"];
    let alone = folder.json(&[&alone[..], &["--effective", "2024-10-31"]].concat());
    assert_eq!(alone["manifest"]["digest"], before["versions"][4]["digest"]);
    // The same bytes again change nothing and say so.
    let again = folder.run(&[
        "import",
        "--vocabulary",
        "fsiii",
        &file("2024-10-31"),
        "--version",
        "2024-10-31",
        "--effective",
        "2024-10-31",
    ]);
    assert!(again.status.success() && text(&again.stdout).contains("nothing was changed"), "{}", text(&again.stdout));
    // Other bytes under a label that is taken are refused.
    let other = folder.run(&[
        "import",
        "--vocabulary",
        "fsiii",
        &file("2020-09-08"),
        "--version",
        "2024-10-31",
        "--effective",
        "2024-10-31",
        "--identity",
        "identity.csv",
    ]);
    assert_eq!(other.status.code(), Some(1));
    assert!(text(&other.stderr).contains("label-taken"), "{}", text(&other.stderr));
    assert_eq!(folder.verify(), before);
    let by_code = folder.json(&["show", "fsiii", "J1.4", "--history"]);
    let uuid = by_code["uuid"].as_str().expect("a uuid");
    assert_eq!(folder.json(&["show", "fsiii", uuid, "--history"]), by_code);
    let labels: Vec<&Value> =
        by_code["states"].as_array().into_iter().flatten().flat_map(|s| s["versions"].as_array().unwrap()).collect();
    assert_eq!(labels, EDITIONS.map(|(day, _)| day));
}

#[test]
fn without_the_identity_file_doubt_is_refused_and_nothing_is_changed() {
    let Some(kl) = kl() else { return };
    let folder = Folder::new("doubt");
    for day in ["2023-06-22", "2024-05-30"] {
        let path = kl.join(format!("FSIII-{day}.json")).display().to_string();
        let output = folder.run(&["import", "--vocabulary", "fsiii", &path, "--version", day, "--effective", day]);
        if day == "2024-05-30" {
            assert_eq!(output.status.code(), Some(1));
            let refusal = text(&output.stderr);
            assert!(refusal.contains("identity-in-doubt") && refusal.contains("begreb identity"), "{refusal}");
        } else {
            assert!(output.status.success());
        }
    }
    assert_eq!(folder.verify()["versions"].as_array().map(Vec::len), Some(1));
}

#[test]
fn exit_codes_are_a_promise() {
    let folder = Folder::new("codes");
    folder.write("v.csv", &table(2, "ydelse"));
    assert!(folder.run(&strs(&import("v.csv", "1", "2024-01-01"))).status.success());
    for (arguments, code) in [
        (&["show", "v", "C1"][..], 0),
        (&["show", "v", "C9"], 1),
        (&["show", "w"], 1),
        (&["validate", "--vocabulary", "v", "C1"], 0),
        (&["validate", "--vocabulary", "v", "C1", "C9"], 1),
        (&["search", "ydelse"], 0),
        (&["search", "vandmand"], 0),
        (&["search", "!"], 1),
        (&["search", "ydelse", "--vocabulary", "w"], 1),
        (&["search", "ydelse", "--limit", "0"], 1),
        (&["search", "ydelse", "--sort", "length"], 2),
        (&["search"], 2),
        (&["import", "--vocabulary", "v", "missing.csv", "--version", "2"], 1),
        (&["import", "--vocabulary", "v", "v.csv", "--version", "a/b"], 1),
        (&["import", "--vocabulary", "v", "v.csv", "--version", "2", "--effective", "i morgen"], 1),
        (&["export", "--vocabulary", "v", "--format", "pdf"], 2),
        (&["frobnicate"], 2),
        (&["show", "--frobnicate"], 2),
        (&["--help"], 0),
    ] {
        let output = folder.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output.stderr));
    }
    for verb in [
        "serve", "import", "identity", "export", "publish", "diff", "validate", "check", "search", "show", "verify",
        "rebuild", "backup", "restore", "account", "token", "pull",
    ] {
        let help = text(&folder.run(&[verb, "--help"]).stdout);
        assert!(help.contains(&format!("begreb {verb}")), "{verb} teaches by an example: {help}");
    }
}

#[test]
fn codes_of_a_file_are_checked_here_and_at_a_server() {
    let folder = Folder::new("check");
    folder.write("1.csv", "notation,preferred.da,replaces\nA,a,\nB,b,\nC,c,\n");
    folder.write("2.csv", "notation,preferred.da,replaces\nA,a,\nX,x,B\nC,bedre c,\n");
    assert!(folder.run(&strs(&import("1.csv", "1", "2020-01-01"))).status.success());
    let second = import("2.csv", "2", "2099-01-01");
    let ahead = [strs(&second), vec!["--accept-new"]].concat();
    assert!(folder.run(&ahead).status.success());
    folder.write("good.csv", "A\n");
    folder.write("changing.csv", "system;kode\nv;C\n");
    folder.write("bad.json", "[\"A\", \"B\", \"b\"]");
    folder.write("none.csv", "a;b\n1;2\n");
    for (arguments, code) in [
        (&["check", "good.csv", "--vocabulary", "v"][..], 0),
        (&["check", "changing.csv"], 0),
        (&["check", "bad.json"], 1),
        (&["check", "bad.json", "--vocabulary", "w"], 2),
        (&["check", "none.csv"], 2),
        (&["check", "missing.csv"], 2),
        (&["check", "good.csv", "--on", "i-morgen"], 2),
        (&["check", "good.csv", "--horizon", "x"], 2),
        (&["check"], 2),
    ] {
        let output = folder.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output.stderr));
    }
    let read = |arguments: &[&str]| -> Value {
        let output = folder.run(&[arguments, &["--json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{arguments:?}: {e}"))
    };
    let here = read(&["check", "bad.json"]);
    let verdicts: Vec<&str> =
        here["codes"].as_array().expect("codes").iter().filter_map(|c| c["verdict"].as_str()).collect();
    assert_eq!(verdicts, ["inForce", "willBeRetired", "neverExisted"]);
    assert_eq!(here["codes"][1]["replacedBy"][0]["notation"], "X");
    let said = text(&folder.run(&["check", "bad.json"]).stdout);
    assert!(said.contains("will be retired 2099-01-01") && said.contains("use X x"), "{said}");
    assert!(said.contains("did you mean v B b"), "{said}");
    let server = Server::start(&folder);
    assert_eq!(read(&["--server", &server.url, "check", "bad.json"]), here);
    assert_eq!(folder.run(&["--server", &server.url, "check", "bad.json"]).status.code(), Some(1));
    for format in ["csv", "sssom", "json"] {
        let map = ["diff", "--vocabulary", "v", "1", "2", "--migration", format];
        let here = text(&folder.run(&map).stdout);
        let there = text(&folder.run(&[&["--server", &server.url][..], &map].concat()).stdout);
        let line = |t: &str| t.lines().filter(|l| !l.contains("mapping_set_id") && !l.contains("address")).count();
        assert_eq!(line(&here), line(&there), "{format}: {here}{there}");
        assert!(here.contains("renamed") && here.contains("replaced"), "{format}: {here}");
    }
}

#[test]
fn a_version_is_published_again_from_a_date() {
    let folder = Folder::new("publish");
    folder.write("a.csv", &table(3, "ydelse"));
    folder.write("b.csv", &table(2, "indsats"));
    folder.json(&strs(&import("a.csv", "1", "2024-01-01")));
    folder.json(&strs(&import("b.csv", "2", "2025-01-01")));
    let report =
        folder.json(&["publish", "--vocabulary", "v", "--version", "3", "--effective", "2026-01-01", "--from", "1"]);
    assert_eq!((&report["verdict"], &report["manifest"]["concepts"]), (&"published".into(), &4.into()));
    let term = |at: &[&str]| folder.json(&[&["show", "v", "C1"], at].concat())["terms"][0]["value"].clone();
    assert_eq!(term(&["--version", "1"]), "ydelse 1");
    assert_eq!(term(&["--date", "2025-06-01"]), "indsats 1");
    assert_eq!(term(&["--version", "3"]), "ydelse 1");
    folder.verify();
}

#[test]
fn a_backup_is_the_registry() {
    let folder = Folder::new("backup");
    folder.write("a.csv", &table(50, "ydelse"));
    folder.write("b.csv", &table(40, "indsats"));
    folder.json(&strs(&import("a.csv", "1", "2024-01-01")));
    folder.json(&strs(&import("b.csv", "2", "2025-01-01")));
    let whole = folder.verify();
    assert!(folder.run(&["backup", "copy.begreb"]).status.success());
    assert_eq!(folder.run(&["backup", "copy.begreb"]).status.code(), Some(1), "a backup is not overwritten");
    assert_eq!(folder.run(&["restore", "copy.begreb"]).status.code(), Some(1), "the database is not empty");
    assert!(folder.run(&["--db", "sqlite:other.db", "restore", "copy.begreb"]).status.success());
    assert_eq!(folder.json(&["--db", "sqlite:other.db", "verify"]), whole);
    // Not one byte may be lost or changed.
    let bytes = std::fs::read(folder.0.join("copy.begreb")).expect("a backup");
    for (name, spoilt) in [
        ("short", bytes[..bytes.len() / 2].to_vec()),
        ("spoilt", {
            let mut spoilt = bytes.clone();
            let middle = spoilt.len() / 2;
            spoilt[middle] ^= 0x55;
            spoilt
        }),
    ] {
        std::fs::write(folder.0.join(name), spoilt).expect("a file");
        let output = folder.run(&["--db", &format!("sqlite:{name}.db"), "restore", name]);
        assert_eq!(output.status.code(), Some(1), "{name}");
    }
}

struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(folder: &Folder) -> Self {
        let mut child = folder
            .begreb(&["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let line = lines.find(|l| l.as_ref().is_ok_and(|l| l.contains("ready at"))).expect("a line").expect("text");
        let url = line.split_whitespace().find(|w| w.starts_with("http://")).expect("an address");
        Self { url: url.trim_end_matches(['/', '.', ',']).to_owned(), child }
    }

    fn get(&self, path: &str) -> String {
        let address = self.url.strip_prefix("http://").expect("an address");
        let mut stream = std::net::TcpStream::connect(address).expect("it answers");
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("it listens");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    fn stop(mut self, signal: &str) -> Option<i32> {
        let pid = self.child.id().to_string();
        Command::new("kill").args([signal, &pid]).status().expect("kill");
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(20) {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        panic!("it did not stop at {signal}");
    }
}

#[test]
fn one_server_for_each_file_and_it_sees_what_others_write() {
    let folder = Folder::new("serve");
    folder.write("a.csv", &table(3, "ydelse"));
    let server = Server::start(&folder);
    let second = folder.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    let refusal = text(&second.stderr);
    assert!(refusal.contains("database-in-use") && refusal.contains(&server.url), "{refusal}");
    let written = folder.run(&strs(&import("a.csv", "1", "2024-01-01")));
    assert!(written.status.success());
    assert!(text(&written.stderr).contains(&server.url), "the user is told: {}", text(&written.stderr));
    let began = Instant::now();
    while !server.get("/api/v1/vocabularies/v/concepts/C1").starts_with("HTTP/1.1 200") {
        assert!(began.elapsed() < Duration::from_secs(10), "the server does not see it");
        std::thread::sleep(Duration::from_millis(50));
    }
    // The same verbs against the server.
    let here = folder.json(&["show", "v", "C1"]);
    assert_eq!(folder.json(&["--server", &server.url, "show", "v", "C1"]), here);
    for arguments in [
        &["diff", "--vocabulary", "v", "2023-12-31", "1"][..],
        &["show", "v", "C1", "--history"],
        &["show", "v"],
        &["validate", "--vocabulary", "v", "C1", "--date", "2024-02-01"],
        &["search", "indsats", "borger", "--vocabulary", "v", "--limit", "2", "--sort", "notation"],
        &["search", "ydelse", "--under", "T", "--level", "2", "--vocabulary", "v", "--text-language", "da"],
        &["search", "--suggest", "yd"],
    ] {
        assert_eq!(
            folder.json(&[&["--server", &server.url], arguments].concat()),
            folder.json(arguments),
            "{arguments:?}"
        );
    }
    let export =
        |more: &[&str]| folder.run(&[more, &["export", "--vocabulary", "v", "--format", "ttl"]].concat()).stdout;
    assert_eq!(text(&export(&["--server", &server.url])), text(&export(&[])));
    let unknown = folder.run(&["--server", &server.url, "show", "v", "C99"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(text(&unknown.stderr).contains("unknown-concept"));
    let another = import("a.csv", "2", "2024-01-02");
    let writing = [&["--server", &server.url][..], &strs(&another)].concat();
    let refused = folder.run(&writing);
    assert!(text(&refused.stderr).contains("not-signed-in"), "{}", text(&refused.stderr));
    // The operator makes an account with a role, and a token by which the server takes the edition.
    let person = ["account", "create", "--name", "Anne Jensen", "--mail", "anne@example.dk", "--role", "publisher"];
    let made = folder.json(&[&person[..], &["--vocabulary", "v", "--public-url", &server.url]].concat());
    let link = made["link"].as_str().expect("a link").strip_prefix(&server.url).expect("on the server").to_owned();
    assert!(server.get(&link).starts_with("HTTP/1.1 200"));
    assert!(folder.json(&["account", "list"]).to_string().contains("publisher"));
    let token = ["token", "create", "anne@example.dk", "--name", "ci", "--command", "publish", "--vocabulary", "v"];
    let secret = text(&folder.run(&token).stdout).trim().to_owned();
    let with_token = [&strs(&another)[..], &["--server", &server.url, "--token", &secret]].concat();
    assert_eq!(folder.json(&with_token)["label"], "2");
    assert_eq!(folder.json(&with_token)["verdict"], "alreadyThere");
    assert!(folder.run(&["account", "deactivate", "anne@example.dk"]).status.success());
    assert_eq!(folder.run(&with_token).status.code(), Some(1), "at once");
    folder.verify();
    assert_eq!(server.stop("-TERM"), Some(0));
    let server = Server::start(&folder);
    assert_eq!(server.stop("-INT"), Some(0));
}

#[test]
fn searching_reads_in_lines_and_goes_on_by_its_cursor() {
    let folder = Folder::new("search");
    let table = "notation,parent,preferred.da,deprecated.da,definition.da\n\
        Ø,,Omsorg,,\nØ1,Ø,Hjemmehjælp,hjemmeservice,praktisk hjælp i eget hjem\n\
        Ø2,Ø,Plejebolig,,bolig med omsorg\nØ3,Ø,Madservice,,mad til hjemmet\n";
    folder.write("v.csv", table);
    folder.json(&strs(&import("v.csv", "1", "2024-01-01")));
    let said = |arguments: &[&str]| {
        let output = folder.run(&[&["search"], arguments].concat());
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    assert_eq!(
        said(&["hjemmeservice"]).lines().take(6).collect::<Vec<_>>(),
        [
            "2 concepts: v 2",
            "",
            "Ø1  Hjemmehjælp  (v)",
            "    under: Omsorg",
            "    use Hjemmehjælp",
            "    deprecated term: hjemmeservice"
        ]
    );
    let danish = said(&["--language", "da", "hjemmehjelp"]);
    assert!(
        danish.starts_with("Viser resultater for hjemmehjælp i stedet for »hjemmehjelp«.\n1 begreb: v 1\n"),
        "{danish}"
    );
    assert_eq!(said(&["vandmand"]), "Nothing found for 'vandmand'.\n");
    assert_eq!(said(&["--suggest", "pl"]), "Plejebolig  v  Ø2\n");
    assert_eq!(said(&["--suggest", "vand"]), "Nothing begins with 'vand'.\n");
    let first = said(&["omsorg", "--limit", "1"]);
    assert!(first.ends_with("1 of 2 shown; --limit 2 shows all\n"), "{first}");
    let whole = folder.json(&["search", "omsorg"]);
    let page = folder.json(&["search", "omsorg", "--limit", "1"]);
    let cursor = page["next"].as_str().expect("a cursor");
    let rest = folder.json(&["search", "omsorg", "--limit", "1", "--cursor", cursor]);
    assert_eq!([&page["hits"][0], &rest["hits"][0]], [&whole["hits"][0], &whole["hits"][1]]);
    assert_eq!(folder.json(&["search", "omsorg", "--date", "2023-01-01", "--status", "inForce"])["total"], 0);
    assert_eq!(folder.json(&["search", "omsorg", "--vocabulary", "v", "--version", "1", "--level", "1"])["total"], 1);
}

/// Killed at any moment of an import, the registry has all of it or nothing, and goes on.
#[test]
fn a_crash_leaves_all_or_nothing() {
    let folder = Folder::new("crash");
    folder.write("a.csv", &table(300, "ydelse"));
    folder.write("b.csv", &table(3_000, "indsats"));
    folder.json(&strs(&import("a.csv", "0", "2020-01-01")));
    let arguments = |label: &str| import("b.csv", label, "2021-01-01");
    let began = Instant::now();
    folder.json(&[&strs(&arguments("dry"))[..], &["--dry-run"]].concat());
    // A whole import takes some times as long as a plan: kills are spread over that.
    let span = began.elapsed() * 3;
    let (mut whole, mut nothing) = (0, 0);
    let mut before = folder.verify();
    for turn in 0..12u32 {
        let label = format!("k{turn}");
        let mut list = arguments(&label);
        // Every turn changes everything, so there is something to be torn.
        folder.write("b.csv", &table(3_000, &format!("indsats{turn}")));
        list[9] = format!("2021-02-{:02}", turn + 1);
        let mut child =
            folder.begreb(&strs(&list)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("begreb");
        std::thread::sleep(span * (turn + 1) / 12);
        let _ = child.kill();
        child.wait().expect("it ended");
        let after = folder.verify();
        let labels = |v: &Value| v["versions"].as_array().map(Vec::len);
        if labels(&after) == labels(&before) {
            assert_eq!(after, before, "turn {turn}: something was left behind");
            nothing += 1;
        } else {
            assert!(after["versions"].to_string().contains(&format!("\"{label}\"")));
            whole += 1;
        }
        before = after;
    }
    assert!(nothing > 0, "no kill came in time");
    println!("{whole} whole, {nothing} nothing");
    let report = folder.json(&strs(&import("b.csv", "last", "2022-01-01")));
    assert_eq!(report["verdict"], "published");
}

/// A disk that is full, played by a limit on the size of files.
#[test]
fn a_full_disk_changes_nothing() {
    let folder = Folder::new("full");
    folder.write("a.csv", &table(300, "ydelse"));
    folder.write("b.csv", &table(8_000, "indsats"));
    folder.json(&strs(&import("a.csv", "1", "2020-01-01")));
    let before = folder.verify();
    let script = format!(
        "trap '' XFSZ; ulimit -f 3000; exec {} {}",
        env!("CARGO_BIN_EXE_begreb"),
        import("b.csv", "2", "2021-01-01").join(" ")
    );
    let output = Command::new("bash").arg("-c").arg(script).current_dir(&folder.0).output().expect("bash");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("nothing was changed"), "{}", text(&output.stderr));
    assert_eq!(folder.verify(), before);
    folder.json(&strs(&import("b.csv", "2", "2021-01-01")));
}

#[test]
fn who_chose_no_address_is_told_that_it_stays() {
    let folder = Folder::new("address");
    folder.write("v.csv", &table(1, "ydelse"));
    let noted = |more: &[&str]| {
        let output = folder.run(&[more, &strs(&import("v.csv", "1", "2024-01-01"))].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stderr).matches("begin for ever with http://127.0.0.1:8080/id/v/\n").count()
    };
    assert_eq!(noted(&[]), 1);
    assert_eq!(noted(&[]), 0, "it was there already");
    let chosen = ["--db", "sqlite:chosen.db"];
    let url = ["--public-url", "http://127.0.0.1:8080"];
    let output = folder.run(&[&chosen[..], &strs(&import("v.csv", "1", "2024-01-01")), &url[..]].concat());
    assert!(output.status.success() && !text(&output.stderr).contains("for ever"), "{}", text(&output.stderr));
}

#[test]
fn every_option_is_also_a_variable_and_a_line_of_the_file() {
    let folder = Folder::new("config");
    folder.write("v.csv", &table(1, "ydelse"));
    folder.write("begreb.toml", "db = \"sqlite:file.db\"\n");
    assert!(
        folder
            .run(&[&["--config", "begreb.toml"][..], &strs(&import("v.csv", "1", "2024-01-01"))].concat())
            .status
            .success()
    );
    assert!(folder.0.join("file.db").exists());
    let by_variable =
        folder.begreb(&["--config", "begreb.toml", "show", "v"]).env("BEGREB_DB", "sqlite:none.db").output();
    assert_eq!(by_variable.expect("begreb").status.code(), Some(1), "the variable wins over the file");
    let by_flag = folder.begreb(&["--db", "sqlite:file.db", "show", "v"]).env("BEGREB_DB", "sqlite:none.db").output();
    assert!(by_flag.expect("begreb").status.success(), "the flag wins over the variable");
    // Options without a variable of their own have one all the same; a flag takes any yes, and empty says nothing.
    let by_variables = folder
        .begreb(&["export"])
        .envs([("BEGREB_DB", "sqlite:file.db"), ("BEGREB_VOCABULARY", "v"), ("BEGREB_FORMAT", "csv")])
        .env("BEGREB_DATE", "")
        .output()
        .expect("begreb");
    assert!(text(&by_variables.stdout).starts_with("notation,"), "{}", text(&by_variables.stderr));
    let in_json = folder.begreb(&["--db", "sqlite:file.db", "show", "v"]).env("BEGREB_JSON", "1").output();
    let in_json: Value = serde_json::from_slice(&in_json.expect("begreb").stdout).expect("JSON");
    assert_eq!(in_json["versions"][0]["label"], "1");
    let help = text(&folder.run(&["import", "--help"]).stdout);
    assert!(help.contains("BEGREB_ACCEPT_NEW=]") && help.contains("BEGREB_JSON=]"), "{help}");
    folder.write("wrong.toml", "db = \"sqlite:file.db\"\nfrobnicate = 1\n");
    let wrong = folder.run(&["--config", "wrong.toml", "show", "v"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("frobnicate") && text(&wrong.stderr).contains('2'), "{}", text(&wrong.stderr));
}

/// What hands that meant no good, or well, have tried.
#[test]
fn strange_wishes_change_nothing() {
    let folder = Folder::new("strange");
    folder.write("a.csv", &table(3, "ydelse"));
    folder.json(&strs(&import("a.csv", "1", "2024-01-01")));
    let before = folder.verify();
    folder.write("control.csv", "notation,preferred.da\nK,a\u{1b}[31mb\n");
    folder.write("empty.csv", "code,uuid\n");
    for (arguments, code) in [
        (&["import", "--vocabulary", "v", "a.csv", "--version", "2", "--effective", "9999-12-31"][..], "invalid-date"),
        (&["import", "--vocabulary", "v", "control.csv", "--version", "2", "--accept-new"], "invalid-text"),
        (&["import", "--vocabulary", "v", "a.csv", "--version", "2", "--identity", "empty.csv"], "incomplete"),
    ] {
        let output = folder.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(text(&output.stderr).contains(code), "{arguments:?}: {}", text(&output.stderr));
        assert_eq!(folder.verify(), before);
    }
    // The same vocabulary under a second name.
    let export = folder.run(&["export", "--vocabulary", "v", "--format", "json", "-o", "v.json"]);
    assert!(export.status.success());
    folder.write(
        "cs.json",
        r#"{"resourceType":"CodeSystem","url":"urn:x","content":"complete","concept":[{"code":"A","display":"a"}]}"#,
    );
    folder.json(&["import", "--vocabulary", "one", "cs.json", "--version", "1", "--effective", "2024-01-01"]);
    let two = folder.run(&["import", "--vocabulary", "two", "cs.json", "--version", "1", "--effective", "2024-01-01"]);
    assert!(text(&two.stderr).contains("exists") && text(&two.stderr).contains("one"), "{}", text(&two.stderr));
    // What is no file is written to and stays what it is: here a pipe, as a device would.
    let pipe = folder.0.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let reading = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::read_to_string(pipe)
    });
    assert!(folder.run(&["export", "--vocabulary", "v", "--format", "csv", "-o", "pipe"]).status.success());
    assert!(reading.join().expect("a reader").expect("text").contains("ydelse 1"));
    assert!(pipe.exists() && !pipe.is_file());
}

#[test]
fn a_backup_that_was_edited_is_refused_whole() {
    let folder = Folder::new("edited");
    folder.write("a.csv", &table(3, "ydelse"));
    folder.json(&strs(&import("a.csv", "1", "2024-01-01")));
    assert!(folder.run(&["backup", "copy.begreb"]).status.success());
    // One word of one content, with the digest of the file set right again.
    let script = "import gzip,hashlib,json\n\
        lines=gzip.open('copy.begreb','rt').read().splitlines(True)\n\
        lines=[l.replace('ydelse 1','ydelse 9') if l.startswith('[\"content\"') else l for l in lines]\n\
        last=json.loads(lines[-1]); last['digest']=hashlib.sha256(''.join(lines[:-1]).encode()).hexdigest()\n\
        gzip.open('edited.begreb','wt').write(''.join(lines[:-1])+json.dumps(last)+'\\n')";
    let edited = Command::new("python3").arg("-c").arg(script).current_dir(&folder.0).status();
    if !edited.is_ok_and(|s| s.success()) {
        eprintln!("skipped: there is no Python to edit the backup with");
        return;
    }
    let refused = folder.run(&["--db", "sqlite:new.db", "restore", "edited.begreb"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("digest is another"), "{}", text(&refused.stderr));
    let whole = folder.run(&["--db", "sqlite:new.db", "restore", "copy.begreb"]);
    assert!(whole.status.success(), "nothing of it was left: {}", text(&whole.stderr));
}
