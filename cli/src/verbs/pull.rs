//! `begreb pull`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant as Stopwatch};

use begreb::exchange::Format;
use begreb::model::{Clock, Code, Instant, Refusal, Slug, parse_date, today_in_denmark};
use serde_json::{Value, json};

use super::formats;
use crate::clock::SystemClock;
use crate::context::Context;
use crate::lang::{Lang, say};
use crate::print::{self, Paint, Table, day};
use crate::progress::Progress;
use crate::pull::{self, Asked, Checked, Client, How, Pulled};
use crate::stop::{Result, Stop, named};

const EXAMPLES: &str = "\
A verified copy of FSIII, and what is published ahead, as JSON and CSV; again to bring it up to date:
  begreb pull --server https://begreb.example.dk --vocabulary fsiii --into /srv/begreb

Everything, as Turtle too, kept up to date until it is stopped:
  begreb pull --server https://begreb.example.dk --all --format json,csv,ttl --into /srv/begreb --watch

Is the copy whole, and which version is in force today? Without the network:
  begreb pull --check --into /srv/begreb

The copy is /srv/begreb/fsiii/current, with its manifest.json. What does not hold is refused, and the copy stays as it
was. docs/pull.md tells the rest. Exit code 1 when something was refused or does not hold.";

/// The pauses after a server that does not answer, while it is watched.
const PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Pull {
    /// A vocabulary: fsiii. May be given several times
    #[arg(long, value_name = "SLUG", value_delimiter = ',', required_unless_present_any = ["all", "check"])]
    vocabulary: Vec<String>,
    /// Every vocabulary that has a version
    #[arg(long, conflicts_with = "vocabulary")]
    all: bool,
    /// This version and no other; may be given several times [default: what is in force, and what is published ahead]
    #[arg(long, value_name = "LABEL", conflicts_with_all = ["date", "all"])]
    version: Vec<String>,
    /// The version in force on a day (YYYY-MM-DD), and no other
    #[arg(long, value_name = "DATE")]
    date: Option<String>,
    /// How many versions before the one in force are kept too
    #[arg(long, value_name = "N", default_value_t = 1)]
    keep: usize,
    /// The formats; JSON is always there, since that is what is verified
    #[arg(long, value_name = "FORMAT", value_delimiter = ',', default_value = "json,csv", value_parser = formats())]
    format: Vec<Format>,
    /// The folder; each vocabulary has a folder of its own in it
    #[arg(long, value_name = "DIR", default_value = "begreb-copy")]
    into: PathBuf,
    /// Stay, and pull again whenever something is published or takes effect
    #[arg(long, conflicts_with_all = ["check", "version", "date"])]
    watch: bool,
    /// Check the copy that is here, without the network: exit code 1 when a file was altered
    #[arg(long, visible_alias = "verify")]
    check: bool,
    /// Leave out what is said between versions (OIO Klassifikation may, in vocabularies that an editor governs)
    #[arg(long)]
    versions_only: bool,
    /// How often something is tried when the server does not answer
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=20))]
    tries: u32,
    /// For how many seconds the server may say nothing before it is given up
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

impl Pull {
    pub async fn run(self, context: &Context) -> Result {
        let slugs: std::result::Result<Vec<Slug>, Refusal> = self.vocabulary.iter().map(|s| s.parse()).collect();
        let mut slugs = slugs.map_err(|r| Stop::usage(r.at(named("--vocabulary"))))?;
        slugs.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        slugs.dedup();
        if self.check {
            return check(context, &self.into, slugs);
        }
        let Some(url) = &context.server else {
            let refusal =
                Refusal::new(Code::InvalidParameter, "angiv, hvor der skal hentes fra", "say where to pull from");
            return Err(Stop::usage(refusal.at(named("--server")).allowed(["https://begreb.example.dk"])));
        };
        if !self.version.is_empty() && slugs.len() > 1 {
            let refusal =
                Refusal::new(Code::InvalidParameter, "en version er af ét ordforråd", "a version is of one vocabulary");
            return Err(Stop::usage(refusal.at(named("--version"))));
        }
        let date = self.date.as_deref().map(parse_date).transpose().map_err(|r| Stop::usage(r.at(named("--date"))))?;
        if let Some(wrong) = self.format.iter().find(|f| !Format::WRITTEN.contains(f)) {
            let name = wrong.name();
            let refusal = Refusal::new(
                Code::InvalidParameter,
                format!("{name} kan læses, men ikke skrives"),
                format!("{name} can be read but not written"),
            );
            return Err(Stop::usage(refusal.at(named("--format")).allowed(Format::WRITTEN.map(Format::name))));
        }
        let mut formats: Vec<Format> = self.format.into_iter().filter(|f| *f != Format::Json).collect();
        formats.sort_by_key(|f| f.name());
        formats.dedup();
        let date = date.map(Instant::from_date);
        let (versions, versions_only) = (self.version, self.versions_only);
        let asked = Asked { into: self.into, formats, versions, date, keep: self.keep, versions_only };
        let client = Client::new(url, self.tries, Duration::from_secs(self.timeout), context.lang)?;
        let pull = Puller { context, client, asked, slugs: (!self.all).then_some(slugs) };
        if self.watch { pull.watch() } else { pull.once() }
    }
}

fn today() -> Instant {
    Instant::from_date(today_in_denmark(SystemClock.now()))
}

/// What is pulled, and where from.
struct Puller<'p> {
    context: &'p Context,
    client: Client,
    asked: Asked,
    /// The vocabularies; all, when nothing is said.
    slugs: Option<Vec<Slug>>,
}

/// What became of each vocabulary.
type Round = Vec<(Slug, Result<Pulled>)>;

impl Puller<'_> {
    fn once(&self) -> Result {
        let mut round = self.round()?;
        if self.slugs.as_ref().is_some_and(|s| s.len() == 1) {
            // One vocabulary ends as any other verb does.
            if let Some((_, Err(_))) = round.first()
                && let Some((_, Err(stop))) = round.pop()
            {
                return Err(stop);
            }
        }
        self.tell(&round);
        if round.iter().all(|(_, done)| done.is_ok()) { Ok(()) } else { Err(Stop::No) }
    }

    fn round(&self) -> Result<Round> {
        let slugs = match &self.slugs {
            Some(slugs) => slugs.clone(),
            None => self.client.vocabularies(self.asked.versions_only)?,
        };
        let one = |slug: Slug| {
            let progress = Progress::of(say!(self.context.lang, "Henter {slug}", "Pulling {slug}"));
            let done = pull::pull(&self.client, &self.asked, &slug, SystemClock.now(), today());
            drop(progress);
            (slug, done)
        };
        Ok(slugs.into_iter().map(one).collect())
    }

    fn tell(&self, round: &Round) {
        let lang = self.context.lang;
        if self.context.json {
            let all: Vec<Value> = round.iter().map(|(slug, done)| document(slug, done)).collect();
            print::out(&format!("{}\n", json!({ "vocabularies": all })));
            return;
        }
        for (slug, done) in round {
            match done {
                Ok(pulled) => print::out(&text(pulled, lang, Paint::stdout())),
                Err(stop) => {
                    print::err(&format!("{slug}: "));
                    stop.tell(lang, false);
                }
            }
        }
    }

    /// Pulls, waits until something happens, and pulls again; ends with the process.
    fn watch(&self) -> Result {
        let (mut pause, mut first) = (PAUSE, true);
        loop {
            let (began, asked) = (today(), Stopwatch::now());
            let round = match self.round() {
                Ok(round) => round,
                Err(stop) => {
                    stop.tell(self.context.lang, self.context.json);
                    Vec::new()
                }
            };
            if first || round.iter().any(|(_, done)| done.as_ref().map_or(true, |p| p.changed)) {
                self.tell(&round);
            }
            first = false;
            let position = round.iter().map(|(_, done)| done.as_ref().ok().map(|p| p.position)).min().flatten();
            match position {
                // What was refused, or could not be reached, is tried again after a while.
                None => {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Some(position) => {
                    pause = PAUSE;
                    self.wait(position, began);
                    // Single concepts may be written one after the other: what comes within a breath is pulled at once.
                    std::thread::sleep(PAUSE.saturating_sub(asked.elapsed()));
                }
            }
        }
    }

    /// Waits until something was published or takes effect, another day has come, or the server is not to be reached.
    fn wait(&self, mut position: i64, began: Instant) {
        let slugs = self.slugs.as_deref().unwrap_or_default();
        while today() == began {
            let asked = Stopwatch::now();
            match self.client.wait(slugs, position) {
                Ok((_, true)) => return,
                Ok((now, false)) => {
                    // A server with too many who wait answers at once: it is not asked at once again.
                    if now == position && asked.elapsed() < Duration::from_secs(1) {
                        std::thread::sleep(PAUSE);
                    }
                    position = now;
                }
                Err(_) => {
                    std::thread::sleep(PAUSE);
                    return;
                }
            }
        }
    }
}

fn document(slug: &Slug, done: &Result<Pulled>) -> Value {
    match done {
        Ok(pulled) => serde_json::to_value(pulled).unwrap_or_default(),
        Err(Stop::Refused(refusal) | Stop::Usage(refusal)) => json!({ "vocabulary": slug, "refused": refusal }),
        Err(Stop::Answered(problem)) => json!({ "vocabulary": slug, "refused": problem.document }),
        Err(Stop::No | Stop::Unable(_)) => json!({ "vocabulary": slug, "refused": {} }),
    }
}

/// What a pull did, as people read it.
fn text(pulled: &Pulled, lang: Lang, paint: Paint) -> String {
    let slug = &pulled.vocabulary;
    let head = if pulled.changed {
        paint.green(lang.say("kopien er ny", "the copy is new"))
    } else {
        lang.say("intet nyt; kopien er hel", "nothing new; the copy is whole").to_owned()
    };
    let mut text = format!("{}: {head} ({})\n", paint.bold(slug.as_str()), pulled.folder.display());
    let mut table = Table::right([2]);
    for version in &pulled.versions {
        let held = match version.how {
            How::Held => lang.say("var her", "was here").to_owned(),
            How::Whole => lang.say("hentet", "fetched").to_owned(),
            How::Delta => {
                let n = version.fetched.unwrap_or_default();
                say!(lang, "{n} begreber hentet", "{n} concepts fetched")
            }
        };
        let mark = match &pulled.in_force {
            Some(label) if *label == version.label => lang.say("gælder nu", "in force"),
            _ => "",
        };
        table.row([
            version.label.to_string(),
            day(&version.effective.to_string()).to_owned(),
            version.concepts.to_string(),
            held,
            mark.to_owned(),
        ]);
    }
    text.push_str(&table.text("  "));
    if !pulled.dropped.is_empty() {
        let gone: Vec<String> = pulled.dropped.iter().map(ToString::to_string).collect();
        let gone = gone.join(", ");
        let _ = writeln!(text, "{}", say!(lang, "  ikke længere i kopien: {gone}", "  no longer in the copy: {gone}"));
    }
    for day in &pulled.days {
        let (from, n) = (self::day(&day.from.to_string()).to_owned(), day.beyond);
        let version = day.version.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string);
        let told = say!(
            lang,
            "  {from}: {n} begreber siger noget andet end version {version}; det hele er i days/{from}",
            "  {from}: {n} concepts say otherwise than version {version}; all of it is in days/{from}"
        );
        let _ = writeln!(text, "{}", paint.yellow(&told));
    }
    if pulled.more_days {
        let told = lang.say(
            "  der er besluttet mere længere fremme, som ikke er i kopien; hent igen, når den tid nærmer sig",
            "  more is decided farther ahead that is not in the copy; pull again as that time comes near",
        );
        let _ = writeln!(text, "{}", paint.yellow(told));
    }
    if let Some(n) = pulled.beyond.filter(|_| pulled.days.is_empty()) {
        let told = say!(
            lang,
            "  {n} begreber siger i dag noget andet end den gældende version; de er ikke i kopien (--versions-only)",
            "  {n} concepts say otherwise today than the version in force; they are not in the copy (--versions-only)"
        );
        let _ = writeln!(text, "{}", paint.yellow(&told));
    }
    text
}

/// Checks copies without the network.
fn check(context: &Context, into: &Path, slugs: Vec<Slug>) -> Result {
    let slugs = if slugs.is_empty() { pull::all(into)? } else { slugs };
    if slugs.is_empty() {
        let refusal = Refusal::new(Code::File, "der er ingen kopier dér", "there are no copies there");
        return Err(refusal.at(named(into.display())).into());
    }
    let day = today();
    let checked: begreb::model::Result<Vec<Checked>> = slugs.iter().map(|slug| pull::check(into, slug, day)).collect();
    let checked = checked?;
    if context.json {
        print::out(&format!("{}\n", json!({ "vocabularies": checked })));
    } else {
        checked.iter().for_each(|c| print::out(&checked_text(c, context.lang, Paint::stdout())));
    }
    if checked.iter().all(|c| c.problems.is_empty()) { Ok(()) } else { Err(Stop::No) }
}

fn checked_text(checked: &Checked, lang: Lang, paint: Paint) -> String {
    let n = checked.versions.len();
    let head = match checked.problems.len() {
        0 => paint.green(&say!(lang, "hel; {n} versioner", "whole; {n} versions")),
        wrong => paint.red(&say!(lang, "{wrong} ting holder ikke", "{wrong} things do not hold")),
    };
    let pulled = day(&checked.pulled.to_string()).to_owned();
    let server = &checked.server;
    let mut text = format!("{}: {head}", paint.bold(checked.vocabulary.as_str()));
    let _ = writeln!(text, "{}", say!(lang, " (hentet {pulled} fra {server})", " (fetched {pulled} from {server})"));
    for refusal in &checked.problems {
        let place = refusal.place.name.as_deref().unwrap_or_default();
        let _ = writeln!(text, "  {place}: {}", lang.text(refusal));
    }
    if let Some(folder) = &checked.in_force_folder {
        let label = checked.in_force.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string);
        let folder = folder.display();
        let _ =
            writeln!(text, "{}", say!(lang, "  i dag gælder {label}: {folder}", "  in force today: {label}: {folder}"));
    }
    text
}
