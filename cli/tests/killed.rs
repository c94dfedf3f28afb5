//! A server that is killed with SIGKILL in the middle of the work, and after each command of it: what was answered is
//! there, what was not is there whole or not at all, and the work goes on.

#[expect(clippy::allow_attributes, reason = "each file of tests uses another part of what they share")]
#[allow(dead_code, reason = "each file of tests uses another part of what they share")]
mod common;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::Folder;
use serde_json::{Value, json};
use ureq::Agent;

const PASSWORD: &str = "korrekt hest batteri";

/// Who asks: a cookie or a token, as a header.
type Who = (&'static str, String);

/// An answer: its status, how many there are in all, and its JSON.
struct Answer {
    status: u16,
    total: Option<usize>,
    json: Value,
}

/// A registry whose server comes and goes.
struct World {
    folder: Folder,
    db: String,
    agent: Agent,
    server: Option<Child>,
    base: String,
}

impl World {
    fn new(db: String, folder: Folder) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            // A connection of a server that was killed is no connection.
            .max_idle_connections(0)
            .build()
            .into();
        Self { folder, db, agent, server: None, base: String::new() }
    }

    fn begreb(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_begreb"));
        command.current_dir(&self.folder.0).args(arguments).args(["--db", &self.db]);
        command.env_remove("BEGREB_DB").env("LANG", "en_GB.UTF-8");
        command
    }

    /// Runs a command that must succeed, and reads its JSON.
    fn run(&self, arguments: &[&str], input: &str) -> Value {
        let mut command = self.begreb(arguments);
        command.arg("--json").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("begreb runs");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {out}{err}");
        serde_json::from_str(&out).unwrap_or_else(|e| panic!("{arguments:?}: {e}: {out}"))
    }

    /// Starts the server, and waits until it is ready.
    fn start(&mut self) {
        let mut command = self.begreb(&["serve", "--listen", "127.0.0.1:0", "--log-level", "error"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("begreb serves");
        let ready = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let address = ready.filter_map(|l| Some(l.split_once(" at ")?.1.split(' ').next()?.to_owned())).next();
        self.server = Some(child);
        self.base = address.expect("it says where it is ready");
    }

    /// Kills the server, holds the registry against itself, and starts another.
    fn kill(&mut self) {
        let mut child = self.server.take().expect("it serves");
        child.kill().expect("SIGKILL");
        child.wait().expect("it is gone");
        self.run(&["verify"], "");
        self.start();
    }

    fn ask(&self, who: &Who, method: &str, path: &str, body: &Value) -> Result<Answer, ureq::Error> {
        send(&self.agent, &self.base, who, method, path, body)
    }

    /// An answer that must be a success.
    fn get(&self, who: &Who, path: &str) -> Answer {
        let answer = self.ask(who, "GET", path, &Value::Null).expect("it answers");
        assert!(answer.status < 300, "{path}: {}", answer.json);
        answer
    }

    /// How many there are at an address; none where there is nothing.
    fn count(&self, who: &Who, probe: &Probe) -> usize {
        let answer = self.ask(who, "GET", &probe.path, &Value::Null).expect("it answers");
        match answer.total {
            _ if answer.status == 404 => 0,
            Some(total) => total,
            None => (probe.of)(&answer.json),
        }
    }

    /// Gives a command: first with a server that is killed while it works on it, then, if nothing came of that, with
    /// one that is killed when it has answered. Either way it is done once.
    fn command(&mut self, who: &Who, method: &'static str, path: &str, body: Value, eyes: &Who, probe: Probe) {
        let before = self.count(eyes, &probe);
        let (agent, base, asked, who_asks) = (self.agent.clone(), self.base.clone(), path.to_owned(), who.clone());
        let sent = body.clone();
        let shot = std::thread::spawn(move || send(&agent, &base, &who_asks, method, &asked, &sent));
        // Somewhere between nothing and all of it: otherwise for each command.
        std::thread::sleep(Duration::from_millis(path.len() as u64 % 12));
        self.kill();
        let answered = shot.join().expect("the thread ends").is_ok_and(|a| a.status < 300);
        let after = self.count(eyes, &probe);
        assert!(after == before || after == before + 1, "{method} {path}: {before} became {after}");
        assert!(!answered || after == before + 1, "{method} {path} was answered and is lost");
        if after == before {
            let answer = self.ask(who, method, path, &body).expect("it answers");
            assert!(answer.status < 300, "{method} {path}: {} {}", answer.status, answer.json);
            self.kill();
            assert_eq!(self.count(eyes, &probe), before + 1, "{method} {path} was answered and is lost");
        }
    }

    /// An account that is signed in.
    fn person(&self, name: &str, roles: &[&str]) -> (String, Who) {
        let mail = format!("{name}@example.dk");
        let made = self.run(&["account", "create", "--name", name, "--mail", &mail], "");
        self.run(&["account", "password", &mail], PASSWORD);
        for role in roles {
            self.run(&["account", "grant", &mail, role], "");
        }
        let uuid = made["account"]["uuid"].as_str().or_else(|| made["uuid"].as_str()).expect("a uuid").to_owned();
        let body = json!({ "mail": mail, "password": PASSWORD }).to_string();
        let answer = self.agent.post(format!("{}/api/v1/sign-in", self.base)).send(&body).expect("it answers");
        let cookie = answer.headers().get("set-cookie").and_then(|c| c.to_str().ok()).expect("a cookie");
        (uuid, ("cookie", cookie.split(';').next().expect("a value").to_owned()))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(mut child) = self.server.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn send(agent: &Agent, base: &str, who: &Who, method: &str, path: &str, body: &Value) -> Result<Answer, ureq::Error> {
    let request = ureq::http::Request::builder().method(method).uri(format!("{base}/api/v1{path}"));
    let request = request.header(who.0, &who.1).header("origin", base);
    let is_new = method == "PUT" && path.contains("/concepts/");
    let request = if is_new { request.header("if-none-match", "*") } else { request };
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let mut answer = agent.run(request.body(text).expect("a request"))?;
    let total = answer.headers().get("x-total-count").and_then(|t| t.to_str().ok()?.parse().ok());
    let text = answer.body_mut().read_to_string()?;
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    Ok(Answer { status: answer.status().as_u16(), total, json })
}

/// Where it is seen how often a command was done.
struct Probe {
    path: String,
    of: fn(&Value) -> usize,
}

/// The steps of a draft.
fn steps(draft: &str) -> Probe {
    Probe { path: format!("/drafts/{draft}"), of: |d| d["steps"].as_u64().unwrap_or_default() as usize }
}

/// How long a list is.
fn list(path: impl Into<String>) -> Probe {
    Probe { path: path.into(), of: |items| items.as_array().map_or(0, Vec::len) }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text: {value}")).to_owned()
}

/// An instant so many seconds from now.
fn in_seconds(seconds: u64) -> String {
    #[expect(clippy::disallowed_methods, reason = "the server that is killed runs by the clock of the machine")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    begreb::model::Instant::from_micros(i64::try_from(now.as_micros()).expect("soon") + seconds as i64 * 1_000_000)
        .to_string()
}

fn content(notation: &str, term: &str) -> Value {
    json!({ "notation": notation, "terms": [{ "language": "da", "status": "preferred", "value": term }] })
}

/// From the mandate to the version, killed at every step.
fn story(mut w: World) {
    // The first start makes the tables.
    w.start();
    let (_, anne) = w.person("anne", &["administrator"]);
    let (sanne_is, sanne) = w.person("sanne", &["secretary", "publisher"]);
    let (christa_is, christa) = w.person("christa", &["chair"]);
    let frame = json!({ "titles": [{ "language": "da", "text": "Botilbud" }], "kind": "terminology",
        "governance": "hearing" });
    let put = w.ask(&anne, "PUT", "/vocabularies/botilbud", &frame).expect("it answers");
    assert_eq!(put.status, 201, "{}", put.json);
    let group = |name: &str, kind: &str, member: &str| {
        let body = json!({ "name": name, "kind": kind, "members": [member] });
        text(&w.ask(&anne, "POST", "/groups", &body).expect("it answers").json["uuid"])
    };
    let committee = group("Begrebsstyregruppen", "committee", &christa_is);
    let working = group("Arbejdsgruppen", "workingGroup", &sanne_is);

    let mandate = json!({ "purpose": "Fælles begreber.", "scope": "Voksne.", "text": "Gruppen afgrænser dem." });
    let path = format!("/groups/{working}/mandate");
    let given = Probe { path: path.clone(), of: |m| 1 + m["earlier"].as_array().map_or(0, Vec::len) };
    w.command(&sanne, "PUT", &path, mandate, &sanne, given);
    let body = json!({ "vocabulary": "botilbud", "title": "Første udgave", "group": working });
    w.command(&sanne, "POST", "/drafts", body, &sanne, list("/drafts"));
    let draft = text(&w.get(&sanne, "/drafts").json[0]["uuid"]);
    let d = format!("/drafts/{draft}");
    for (notation, term) in [("B1", "botilbud"), ("B2", "midlertidigt botilbud")] {
        let path = format!("{d}/concepts/{notation}?reason=mangler");
        w.command(&sanne, "PUT", &path, content(notation, term), &sanne, steps(&draft));
    }

    // Heard: planned, answered by link, closed by the clock while no server runs.
    let deadline = in_seconds(6);
    let plan = json!({ "title": "Høring", "letter": "Hvad siger I?", "audience": "invited", "deadline": deadline });
    w.command(&sanne, "POST", &format!("{d}/hearings"), plan, &sanne, list(format!("{d}/hearings")));
    let hearing = format!("/hearings/{}", text(&w.get(&sanne, &format!("{d}/hearings")).json[0]["uuid"]));
    let party = json!({ "organisation": "Nordkøbing", "name": "Nina", "mail": "nina@example.dk" });
    let parties = format!("{hearing}/parties");
    w.command(&sanne, "POST", &parties, party, &sanne, list(&parties));
    let party = text(&w.get(&sanne, &parties).json[0]["uuid"]);
    let link = w.ask(&sanne, "POST", &format!("{parties}/{party}/link"), &Value::Null).expect("it answers");
    let nina: Who = ("authorization", format!("Bearer {}", text(&link.json["secret"])));
    let answers = format!("{hearing}/answers");
    let b2 = text(&w.get(&sanne, &format!("{d}/concepts/B2")).json["uuid"]);
    let body = json!({ "submit": true, "items": [{ "concept": b2, "agreeTerm": false, "comment": "Ikke enig." }] });
    w.command(&nina, "POST", &answers, body, &sanne, list(&answers));
    let answer = text(&w.get(&sanne, &answers).json[0]["uuid"]);
    let began = Instant::now();
    while w.get(&sanne, &hearing).json["stage"] != "closed" {
        assert!(began.elapsed() < Duration::from_secs(60), "the deadline never came");
        std::thread::sleep(Duration::from_millis(200));
    }
    let reply = json!({ "ruling": "no", "reason": "Det er lovens ord." });
    let item = format!("{answers}/{answer}/items/1");
    let replies = Probe {
        path: format!("{answers}/{answer}"),
        of: |a| a["items"][0]["dispositions"].as_array().map_or(0, Vec::len),
    };
    w.command(&sanne, "PUT", &format!("{item}/disposition"), reply, &sanne, replies);
    let completed = Probe { path: hearing.clone(), of: |h| usize::from(h["stage"] == "completed") };
    w.command(&sanne, "POST", &format!("{hearing}/completion"), Value::Null, &sanne, completed);

    // Recommended, decided, published.
    let body = json!({ "committee": committee, "text": "Vedtag den." });
    w.command(&sanne, "POST", &format!("{d}/recommendations"), body, &sanne, steps(&draft));
    let digest = text(&w.get(&sanne, &d).json["recommendations"][0]["digest"]);
    let meetings = format!("/groups/{committee}/meetings");
    let agenda = json!([{ "kind": "decision", "title": "Botilbud", "draft": draft }]);
    let body = json!({ "at": in_seconds(0), "agenda": agenda });
    w.command(&christa, "POST", &meetings, body, &christa, list(&meetings));
    let meeting = text(&w.get(&christa, &meetings).json[0]["uuid"]);
    let body = json!({ "attendance": [{ "member": christa_is, "present": true }] });
    let held = Probe { path: format!("/meetings/{meeting}"), of: |m| usize::from(m["attendance"].is_array()) };
    w.command(&christa, "PUT", &format!("/meetings/{meeting}/attendance"), body, &christa, held);
    let body = json!({ "draft": draft, "meeting": meeting, "item": 1, "digest": digest, "outcome": "adopted",
        "voting": "consensus" });
    w.command(&christa, "POST", "/decisions", body, &christa, list("/decisions"));
    let versions = "/vocabularies/botilbud/versions";
    w.command(&sanne, "POST", &format!("{d}/publication"), json!({ "version": "1" }), &sanne, list(versions));
    let version = w.get(&sanne, &format!("{versions}/1")).json;
    assert_eq!(version["manifest"]["digest"], digest, "what was decided is what is published");
    assert_eq!(w.get(&sanne, &d).json["phase"], "published");
}

#[test]
fn killed_at_every_step_on_sqlite() {
    let folder = Folder::new("sqlite");
    story(World::new("sqlite:begreb.db".into(), folder));
}

#[test]
fn killed_at_every_step_on_postgres() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let Some(address) = runtime.block_on(begreb::testing::postgres_address()) else { return };
    story(World::new(address, Folder::new("postgres")));
}
