//! The server, asked with mistrust: every answer has a bound, what broke off is asked for again after a pause, nobody
//! sends us elsewhere, and bytes are what their digest says.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use begreb::model::{Instant, Label, Slug};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use ureq::http::{Method, Request, Response};
use ureq::{Agent, Body};
use uuid::Uuid;

use super::Listed;
use super::days::{Day, Days};
use crate::lang::{Lang, say};
use crate::remote::{Server, encode};
use crate::stop::{Problem, Result, Stop, file};

/// The largest answer that is held in memory.
const LARGEST_ANSWER: u64 = 64 << 20;
/// The largest export: what the registry itself would take in.
const LARGEST_EXPORT: u64 = begreb::exchange::LARGEST;
/// The first pause before something is tried again; each is twice the one before, up to the longest.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The most concepts that are remembered as touched: with more it is simpler to fetch everything.
pub const MOST_TOUCHED: usize = 5000;
/// The most answers that one reading of a list or of the log takes.
const MOST_ANSWERS: usize = 100_000;

/// A server that a copy is fetched from.
pub struct Client {
    base: String,
    agent: Agent,
    lang: Lang,
    tries: u32,
}

/// What the change log says since a position.
pub struct Log {
    /// How far it was read.
    pub position: i64,
    /// Whether it is the log that the position was of.
    pub continues: bool,
    /// The concepts that were said anew; nothing when they are not known or are too many.
    pub touched: Option<BTreeSet<Uuid>>,
    /// Whether the frame of the vocabulary was changed.
    pub reframed: bool,
    /// Whether something was published, or took effect.
    pub news: bool,
}

/// A part of the log.
#[derive(Deserialize)]
struct Part {
    events: Vec<Value>,
    position: i64,
    more: bool,
}

/// Why one attempt failed.
enum Failed {
    /// It may go well the next time, at the earliest after a while.
    Now(Stop, Option<Duration>),
    /// It never will.
    Ever(Stop),
}

impl From<Stop> for Failed {
    fn from(stop: Stop) -> Self {
        Self::Ever(stop)
    }
}

/// Says why a server is not believed.
pub fn distrust(text: String) -> Stop {
    Problem::new("unverified", text).into()
}

impl Client {
    /// A client of the server at an address, which tries so often what can be tried again, and gives a server up that has
    /// said nothing for so long.
    pub fn new(url: &str, tries: u32, silence: Duration, lang: Lang) -> Result<Self> {
        // The same addresses are lawful as everywhere.
        Server::new(url, lang).map_err(Stop::usage)?;
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(silence.min(Duration::from_secs(10))))
            // The digest of a whole export is made before its first byte is sent; who waits for news waits for a minute.
            .timeout_recv_response(Some(silence * 3))
            .timeout_per_read(Some(silence))
            .timeout_recv_body(Some(Duration::from_secs(3600)))
            .user_agent(concat!("begreb/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Ok(Self { base: url.trim_end_matches('/').to_owned(), agent, lang, tries: tries.max(1) })
    }

    /// The address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The language of texts.
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// Every vocabulary that has a version; or, if that is enough, in which something is in force.
    pub fn vocabularies(&self, versions_only: bool) -> Result<Vec<Slug>> {
        #[derive(Deserialize)]
        struct Named {
            slug: Slug,
            versions: usize,
            concepts: usize,
        }
        let named: Vec<Named> = self.json("/api/v1/vocabularies")?;
        let has = |n: &Named| n.versions > 0 || (!versions_only && n.concepts > 0);
        Ok(named.into_iter().filter(has).map(|n| n.slug).collect())
    }

    /// The days from which a vocabulary reads otherwise; nothing from a server that does not tell them.
    pub fn days(&self, slug: &Slug) -> Result<Option<Days>> {
        let path = format!("/api/v1/vocabularies/{slug}/days");
        match self.json::<Days>(&path) {
            Ok(days) if days.days.iter().all(Day::is_lawful) => Ok(Some(days)),
            Ok(_) => Err(self.strange(&path)),
            // An older server has no such address.
            Err(Stop::Answered(problem)) if problem.code == "not-found" => Ok(None),
            Err(stop) => Err(stop),
        }
    }

    /// Fetches what is said on a day, as known at an instant, into a file.
    pub fn export_day(&self, slug: &Slug, day: &Day, registered: Instant, into: &Path) -> Result {
        let (from, registered) = (&day.from, encode(&registered.to_string()));
        self.fetch(&format!("/api/v1/vocabularies/{slug}/export?format=json&date={from}&registered={registered}"), into)
    }

    /// The versions of a vocabulary.
    pub fn versions(&self, slug: &Slug) -> Result<Vec<Listed>> {
        self.json(&format!("/api/v1/vocabularies/{slug}/versions"))
    }

    /// What the log says of a vocabulary since a position; without one, how far it goes.
    pub fn log(&self, slug: &Slug, since: Option<i64>) -> Result<Log> {
        let mut log = Log {
            position: since.unwrap_or(0),
            continues: true,
            touched: since.map(|_| BTreeSet::new()),
            reframed: false,
            news: false,
        };
        // Whoever begins needs no more than where the log ends.
        let filter = if since.is_some() { "" } else { "&type=version.published" };
        for _ in 0..MOST_ANSWERS {
            let after = log.position;
            let path = format!("/api/v1/changes?after={after}&vocabulary={slug}&limit=1000{filter}");
            let part: Part = match self.json(&path) {
                // The registry was restored from a backup, or it is another: what we have must be compared as it is.
                Err(Stop::Answered(problem)) if problem.code == "invalid-cursor" && log.continues && after > 0 => {
                    log = Log { position: 0, continues: false, touched: None, ..log };
                    continue;
                }
                other => other?,
            };
            log.take(&part.events);
            if part.position < after || (part.more && part.position == after) {
                return Err(self.strange(&path));
            }
            log.position = part.position;
            if !part.more {
                return Ok(log);
            }
        }
        Err(self.strange("/api/v1/changes"))
    }

    /// Waits until something happens to some vocabularies (to any, when none is named) after a position.
    pub fn wait(&self, slugs: &[Slug], after: i64) -> Result<(i64, bool)> {
        let slugs: Vec<&str> = slugs.iter().map(Slug::as_str).collect();
        let filter = if slugs.is_empty() { String::new() } else { format!("&vocabulary={}", slugs.join(",")) };
        let part: Part = self.json(&format!("/api/v1/changes?after={after}&limit=1000&wait=60{filter}"))?;
        let mut log = Log { position: after, continues: true, touched: None, reframed: false, news: false };
        log.take(&part.events);
        Ok((part.position.max(after), log.news || log.reframed))
    }

    /// The uuids of a version, in its order.
    pub fn order(&self, slug: &Slug, label: &Label) -> Result<Vec<Uuid>> {
        let mut order = Vec::new();
        let address = format!("/api/v1/vocabularies/{slug}/concepts");
        let label = encode(label.as_str());
        let mut next = Some(format!("{address}?version={label}&fields=uuid&format=csv&limit=10000"));
        for _ in 0..MOST_ANSWERS {
            let Some(path) = next.take() else { return Ok(order) };
            let (text, link) = self.text(&path)?;
            let lines = text.trim_start_matches('\u{feff}').lines().skip(1).filter(|l| !l.is_empty());
            for line in lines {
                order.push(Uuid::try_parse(line.trim_matches('"')).map_err(|_| self.strange(&path))?);
            }
            next = link.and_then(|l| crate::remote::next_of(&l)).map(|l| match l.find("/api/v1/") {
                Some(at) => l[at..].to_owned(),
                None => l,
            });
            if next.as_ref().is_some_and(|n| !n.starts_with(&address)) {
                return Err(self.strange(&path));
            }
        }
        Err(self.strange(&address))
    }

    /// A concept as a version has it.
    pub fn concept(&self, slug: &Slug, label: &Label, concept: Uuid) -> Result<Value> {
        let label = encode(label.as_str());
        self.json(&format!("/api/v1/vocabularies/{slug}/concepts/{concept}?version={label}"))
    }

    /// How many concepts are said otherwise today than in the version in force: what belongs to no version.
    pub fn beyond(&self, slug: &Slug, label: &Label) -> Result<usize> {
        #[derive(Deserialize)]
        struct Changes {
            changes: Vec<serde::de::IgnoredAny>,
        }
        let label = encode(label.as_str());
        let changes: Changes = self.json(&format!("/api/v1/vocabularies/{slug}/changes?from={label}"))?;
        Ok(changes.changes.len())
    }

    /// Fetches a version into a file, and holds its bytes against their digest.
    pub fn export(&self, slug: &Slug, label: &Label, into: &Path) -> Result {
        self.fetch(&export_path(slug, label), into)
    }

    fn fetch(&self, path: &str, into: &Path) -> Result {
        self.again(|| {
            let response = self.once(Method::GET, path)?;
            let promised = self.promised(&response, path)?;
            // Whoever says at once that it is too much need not send it.
            if response.body().content_length().is_some_and(|n| n > LARGEST_EXPORT) {
                return Err(Failed::Ever(self.too_large(path, LARGEST_EXPORT)));
            }
            let mut out = File::create(into).map_err(|e| Stop::from(file(into, &e)))?;
            let mut body = response.into_body().into_reader();
            let (mut hasher, mut size, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
            loop {
                let n = body.read(&mut buffer).map_err(|e| Failed::Now(self.silent(path, &e), None))?;
                if n == 0 {
                    break;
                }
                size += n as u64;
                if size > LARGEST_EXPORT {
                    return Err(Failed::Ever(self.too_large(path, LARGEST_EXPORT)));
                }
                hasher.update(&buffer[..n]);
                out.write_all(&buffer[..n]).map_err(|e| Stop::from(file(into, &e)))?;
            }
            out.sync_all().map_err(|e| Stop::from(file(into, &e)))?;
            if <[u8; 32]>::from(hasher.finalize()) == promised {
                return Ok(());
            }
            let (base, lang) = (&self.base, self.lang);
            Err(Failed::Now(
                distrust(say!(
                    lang,
                    "{base}{path}: de bytes, der kom, har ikke det aftryk (Content-Digest), som serveren sagde. Kopien \
                     er, som den var",
                    "{base}{path}: the bytes that came do not have the digest (Content-Digest) that the server told. \
                     The copy is as it was"
                )),
                None,
            ))
        })
    }

    /// The digest of the bytes of a version, without the bytes.
    pub fn digest(&self, slug: &Slug, label: &Label) -> Result<[u8; 32]> {
        let path = export_path(slug, label);
        self.again(|| Ok(self.promised(&self.once(Method::HEAD, &path)?, &path)?))
    }

    fn promised(&self, response: &Response<Body>, path: &str) -> Result<[u8; 32]> {
        let header = response.headers().get("content-digest").and_then(|v| v.to_str().ok());
        let digest = header.and_then(|v| v.split(',').find_map(|d| d.trim().strip_prefix("sha-256=:")));
        let digest = digest.and_then(|d| STANDARD.decode(d.strip_suffix(':')?).ok());
        digest.and_then(|d| d.try_into().ok()).ok_or_else(|| {
            let (base, lang) = (&self.base, self.lang);
            distrust(say!(
                lang,
                "{base}{path} siger ikke, hvilket aftryk dens bytes har (Content-Digest)",
                "{base}{path} does not tell the digest of its bytes (Content-Digest)"
            ))
        })
    }

    fn json<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let (text, _) = self.text(path)?;
        serde_json::from_str(&text).map_err(|_| self.strange(path))
    }

    /// The text of an answer, and where it says that the next one is.
    fn text(&self, path: &str) -> Result<(String, Option<String>)> {
        self.again(|| {
            let mut response = self.once(Method::GET, path)?;
            let link = response.headers().get("link").and_then(|l| l.to_str().ok()).map(ToOwned::to_owned);
            let mut bytes = Vec::new();
            let body = response.body_mut().as_reader();
            let read = body.take(LARGEST_ANSWER + 1).read_to_end(&mut bytes);
            read.map_err(|e| Failed::Now(self.silent(path, &e), None))?;
            if bytes.len() as u64 > LARGEST_ANSWER {
                return Err(Failed::Ever(self.too_large(path, LARGEST_ANSWER)));
            }
            Ok((String::from_utf8(bytes).map_err(|_| self.strange(path))?, link))
        })
    }

    /// Does something until it goes well, cannot, or was tried often enough.
    fn again<T>(&self, mut attempt: impl FnMut() -> std::result::Result<T, Failed>) -> Result<T> {
        let mut pause = PAUSE;
        for left in (0..self.tries).rev() {
            match attempt() {
                Ok(done) => return Ok(done),
                Err(Failed::Ever(stop)) => return Err(stop),
                Err(Failed::Now(stop, _)) if left == 0 => return Err(stop),
                Err(Failed::Now(_, asked)) => std::thread::sleep(asked.unwrap_or(pause).min(LONGEST_PAUSE)),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Err(self.strange(&self.base))
    }

    /// Asks once; a success, or why there is none.
    fn once(&self, method: Method, path: &str) -> std::result::Result<Response<Body>, Failed> {
        let url = format!("{}{path}", self.base);
        let request = Request::builder().method(method).uri(&url).header("accept", "*/*");
        let request = request.header("accept-language", self.lang.tag()).body(());
        let request = request.map_err(|_| Failed::Ever(self.strange(path)))?;
        let mut response = self.agent.run(request).map_err(|e| Failed::Now(self.silent(path, &e), None))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let (base, lang) = (&self.base, self.lang);
        if status.is_redirection() {
            let to = response.headers().get("location").and_then(|l| l.to_str().ok()).unwrap_or("?");
            let to: String = to.chars().take(200).filter(|c| !c.is_control()).collect();
            // The same server, only safely: that is its own address.
            if base.strip_prefix("http://").is_some_and(|host| to == format!("https://{host}{path}")) {
                let safe = base.replacen("http://", "https://", 1);
                return Err(Failed::Ever(distrust(say!(
                    lang,
                    "{base} svarer kun over https; giv den adresse: --server {safe}",
                    "{base} answers over https alone; give that address: --server {safe}"
                ))));
            }
            return Err(Failed::Ever(distrust(say!(
                lang,
                "{base}{path} viser videre til {to}; det følges ikke. Er det serverens rette adresse, så giv den med --server",
                "{base}{path} leads elsewhere, to {to}; that is not followed. If that is the server's own address, give it \
                 with --server"
            ))));
        }
        let after = response.headers().get("retry-after").and_then(|v| v.to_str().ok()?.parse().ok());
        let mut text = String::new();
        let _ = response.body_mut().as_reader().take(1 << 20).read_to_string(&mut text);
        let problem = serde_json::from_str(&text).ok().and_then(Problem::read).unwrap_or_else(|| {
            let what = say!(lang, "serveren svarede {status} på {url}", "the server answered {status} to {url}");
            Problem::new("unexpected-answer", what)
        });
        match status.as_u16() {
            408 | 429 | 500 | 502..=504 => Err(Failed::Now(problem.into(), after.map(Duration::from_secs))),
            _ => Err(Failed::Ever(problem.into())),
        }
    }

    fn strange(&self, what: &str) -> Stop {
        let (lang, base) = (self.lang, &self.base);
        let text = say!(
            lang,
            "{base} svarede ikke, som en Begreb-server gør ({what})",
            "{base} did not answer as a Begreb server does ({what})"
        );
        Problem::new("unexpected-answer", text).into()
    }

    fn silent(&self, path: &str, error: &dyn std::fmt::Display) -> Stop {
        let (lang, base) = (self.lang, &self.base);
        let text = say!(lang, "{base}{path} svarer ikke: {error}", "{base}{path} does not answer: {error}");
        Problem::new("unreachable", text).into()
    }

    fn too_large(&self, path: &str, most: u64) -> Stop {
        let (lang, base) = (self.lang, &self.base);
        distrust(say!(
            lang,
            "{base}{path} sender mere end {most} byte; kopien er, som den var",
            "{base}{path} sends more than {most} bytes; the copy is as it was"
        ))
    }
}

/// Says that the server never stood still.
pub fn restless(client: &Client) -> Stop {
    let (base, lang) = (client.base(), client.lang());
    Problem::new(
        "busy",
        say!(lang, "{base} udgiver, mens der hentes; prøv igen", "{base} publishes all the while; try again"),
    )
    .into()
}

impl Log {
    /// The log from a position on, of which nothing is known before.
    pub fn from(position: i64) -> Self {
        Self { position, continues: true, touched: None, reframed: false, news: false }
    }

    fn take(&mut self, events: &[Value]) {
        for event in events {
            let kind = event["type"].as_str().unwrap_or_default();
            self.reframed |= kind == "vocabulary.changed";
            self.news |= matches!(kind, "version.published" | "edition.effective" | "vocabulary.created");
            if !kind.starts_with("concept.") {
                continue;
            }
            // What no version says is told of by nothing else.
            self.news |= event["version"].is_null();
            let uuid = event["subject"].as_str().and_then(|u| Uuid::try_parse(u).ok());
            if let (Some(touched), Some(uuid)) = (&mut self.touched, uuid) {
                touched.insert(uuid);
            }
        }
        if self.touched.as_ref().is_some_and(|t| t.len() > MOST_TOUCHED) {
            self.touched = None;
        }
    }
}

fn export_path(slug: &Slug, label: &Label) -> String {
    format!("/api/v1/vocabularies/{slug}/export?format=json&version={}", encode(label.as_str()))
}
