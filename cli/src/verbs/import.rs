//! `begreb import`.

use std::path::PathBuf;

use begreb::exchange::Format;
use begreb::model::{Code, Instant, Label, Language, Place, Refusal, Slug, parse_date};
use begreb::registry::{Identity, ImportReport, ImportRequest, Registry, Settings, Verdict};

use super::formats;
use crate::context::{Context, Missing, Opened, operator};
use crate::lang::{Lang, say};
use crate::print::{self, Paint};
use crate::progress::Progress;
use crate::remote::Server;
use crate::report::{self, Lines};
use crate::stop::{Result, Stop, named};
use crate::{input, source};

const EXAMPLES: &str = "\
See what KL's edition of 2024-10-31 would change, and change nothing:
  begreb import --vocabulary fsiii --effective 2024-10-31 --dry-run FSIII-2024-10-31.json

Take it in:
  begreb import --vocabulary fsiii --version 2024-10-31 --effective 2024-10-31 \\
    --decision \"KL, FSIII oktober 2024\" FSIII-2024-10-31.json

When codes were replaced by uuids, an edition that has both tells who is who in those that have one:
  begreb identity FSIII-2024-10-31.json -o fsiii-identity.csv
  begreb import --vocabulary fsiii --version 2023-06-22 --effective 2023-06-22 \\
    --identity fsiii-identity.csv FSIII-2023-06-22.json

Into a running server, with a token of an account that may publish there (docs/rights.md):
  begreb import --server https://begreb.example.dk --vocabulary fsiii --version 2024-10-31 \\
    --effective 2024-10-31 FSIII-2024-10-31.json    # BEGREB_TOKEN holds the token

From a pipe:
  curl -s https://example.dk/fsiii.ttl | begreb import --vocabulary fsiii --format ttl --dry-run -

In a plan, + is new, ~ is changed, - is retired and = (with --all) stays as it is.
Importing the same edition twice changes nothing the second time.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Import {
    /// The file; - is standard input
    file: PathBuf,
    /// The short name of the vocabulary; made when there is none: fsiii
    #[arg(long, value_name = "SLUG")]
    vocabulary: String,
    /// The format [default: by the ending of the name; .json is looked into]
    #[arg(long, value_name = "FORMAT", value_parser = formats())]
    format: Option<Format>,
    /// The label of the version that is published
    #[arg(long, value_name = "LABEL")]
    version: Option<String>,
    /// From which day it is in force (YYYY-MM-DD) [default: today]
    #[arg(long, value_name = "DATE")]
    effective: Option<String>,
    /// A file with code and uuid of concepts whose codes were changed (see begreb identity)
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Take concepts that look like vanishing ones as new all the same
    #[arg(long)]
    accept_new: bool,
    /// Show the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    /// With --dry-run: also the concepts that stay as they are
    #[arg(long)]
    all: bool,
    /// The language of texts that name none [default: the vocabulary's first, else da]
    #[arg(long, value_name = "TAG")]
    text_language: Option<String>,
    /// Whether what is redefined means something else: changed or kept, said of all of it [default: nothing is said]
    #[arg(long, value_name = "WORD", value_parser = ["changed", "kept"])]
    meaning: Option<String>,
    /// Who decided, and where that is written
    #[arg(long, value_name = "TEXT")]
    decision: Option<String>,
    /// What the addresses of a new vocabulary's concepts begin with, for ever [default: http://127.0.0.1:8080]
    #[arg(long, env = "BEGREB_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// With --server: the token of an account that may publish there
    #[arg(long, env = "BEGREB_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
}

impl Import {
    pub async fn run(self, context: &Context) -> Result {
        if let Some(url) = &context.server {
            return self.there(context, &Server::new(url, context.lang).map_err(Stop::usage)?);
        }
        let slug: Slug = self.vocabulary.parse().map_err(|r: Refusal| r.at(named("--vocabulary")))?;
        let parsed = self.version.as_deref().map(str::parse::<Label>).transpose();
        let label = parsed.map_err(|r| r.at(named("--version")))?;
        let effective = self.effective.as_deref().map(|d| effective(d, "--effective")).transpose()?;
        let language = self.text_language.as_deref().map(str::parse::<Language>).transpose();
        let language = language.map_err(|r| r.at(named("--text-language")))?;
        let identity = self.identity.as_deref().map(read_identity).transpose()?.unwrap_or_default();
        let bytes = input::read(&self.file)?;
        let format = match self.format {
            Some(format) => format,
            None => input::guess(&self.file, &bytes)?,
        };
        let file = if input::is_pipe(&self.file) { "stdin".into() } else { self.file.display().to_string() };
        let mut settings = Settings::default();
        if let Some(url) = &self.public_url {
            settings.public_url = url.trim_end_matches('/').to_owned();
        }
        let meaning = self.meaning.as_deref().map(|m| m.parse().map_err(|r: Refusal| r.at(named("--meaning"))));
        let meaning = meaning.transpose()?;
        let (dry_run, decision, accept_new) = (self.dry_run, self.decision, self.accept_new);
        let lines = match (dry_run, self.all) {
            (true, true) => Lines::All,
            (true, false) => Lines::Different,
            (false, _) => Lines::None,
        };
        let missing = if dry_run { Missing::Imagined } else { Missing::Made };
        let work = async |opened: &Opened| {
            let progress = Progress::of(say!(context.lang, "Læser {file}", "Reading {file}"));
            let request = ImportRequest {
                vocabulary: slug,
                format,
                bytes: &bytes,
                label,
                effective,
                identity,
                accept_new,
                dry_run,
                language,
                decision,
                meaning,
                frame: None,
            };
            let done = opened.registry.import(&operator(), request).await;
            drop(progress);
            let done = done.map_err(|r| if concerns_the_file(&r) { r.at(named(&file)) } else { r })?;
            tell(context, opened, &done, &file, lines)?;
            let noted = self.public_url.is_none() && note_local(context.lang, &opened.registry, [&done]);
            if done.created && done.verdict == Verdict::Published && !noted && !context.json {
                let iri = opened.registry.vocabulary(done.vocabulary.as_str())?.vocabulary.namespace;
                print::out(&say!(
                    context.lang,
                    "Begrebernes adresser begynder for altid med {iri} (--public-url).\n",
                    "The addresses of its concepts begin for ever with {iri} (--public-url).\n"
                ));
            }
            Ok(())
        };
        context.with(missing, settings, work).await
    }
}

impl Import {
    /// Sends the file to a server, which reads and plans it as we would.
    fn there(&self, context: &Context, server: &Server) -> Result {
        let slug: Slug = self.vocabulary.parse().map_err(|r: Refusal| r.at(named("--vocabulary")))?;
        let bytes = input::read(&self.file)?;
        let format = match self.format {
            Some(format) => format,
            None => input::guess(&self.file, &bytes)?,
        };
        let mut query = vec![("format", format.name())];
        let texts = [
            ("version", &self.version),
            ("effective", &self.effective),
            ("language", &self.text_language),
            ("decision", &self.decision),
            ("meaning", &self.meaning),
        ];
        query.extend(texts.iter().filter_map(|(name, value)| value.as_deref().map(|v| (*name, v))));
        let flags = [("dryRun", self.dry_run), ("acceptNew", self.accept_new)];
        query.extend(flags.iter().filter(|(_, set)| *set).map(|(name, _)| (*name, "true")));
        let path = format!("/api/v1/vocabularies/{slug}/import");
        let token = self.token.as_deref();
        let report = match &self.identity {
            None => server.send(&path, &query, token, &bytes)?,
            Some(identity) => {
                // Read here first, so that a file that is none is told with its name.
                read_identity(identity)?;
                let identity = input::read(identity)?;
                server.send_form(&path, &query, token, &[("file", &bytes), ("identity", &identity)])?
            }
        };
        tell_there(context, &report);
        Ok(())
    }
}

/// Tells what a server did.
pub fn tell_there(context: &Context, report: &serde_json::Value) {
    if context.json {
        print::out(&format!("{report}\n"));
        return;
    }
    let lang = context.lang;
    let verdict = match report["verdict"].as_str().unwrap_or_default() {
        "published" => lang.say("Udgivet", "Published"),
        "planned" => lang.say("En plan; intet er ændret", "A plan; nothing is changed"),
        _ => lang.say("Er der allerede; intet er ændret", "It is there already; nothing is changed"),
    };
    let text = |name: &str| report[name].as_str().unwrap_or_default();
    let count = |name: &str| report["manifest"][name].as_u64().unwrap_or_default();
    let (vocabulary, label) = (text("vocabulary"), text("label"));
    let counts =
        [("+", "added"), ("~", "changed"), ("-", "retired")].map(|(sign, name)| format!("{sign}{}", count(name)));
    let (concepts, counts) = (count("concepts"), counts.join(" "));
    print::out(&say!(
        lang,
        "{verdict}: {vocabulary} {label}, {concepts} begreber ({counts})\n",
        "{verdict}: {vocabulary} {label}, {concepts} concepts ({counts})\n"
    ));
}

/// The beginning of a calendar day.
pub fn effective(date: &str, option: &str) -> Result<Instant> {
    Ok(Instant::from_date(parse_date(date).map_err(|r| r.at(named(option)))?))
}

fn read_identity(path: &std::path::Path) -> Result<Identity> {
    let at_file = |r: Refusal| r.at(named(path.display()));
    let bytes = input::read(path)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| {
        at_file(Refusal::new(Code::Encoding, "filen er ikke UTF-8", "the file is not UTF-8").allowed(["UTF-8"]))
    })?;
    Ok(Identity::read(text).map_err(at_file)?)
}

/// Whether a refusal is about what stands in the file, and not about an option.
fn concerns_the_file(refusal: &Refusal) -> bool {
    let options = [Code::InvalidParameter, Code::LabelTaken, Code::Governance, Code::Database, Code::Corrupt];
    !options.contains(&refusal.code) && refusal.place != Place::field("version")
}

/// Notes that new vocabularies got addresses that lead nowhere but on this machine, since nobody chose others.
/// Whether there were any.
pub fn note_local<'a>(lang: Lang, registry: &Registry, done: impl IntoIterator<Item = &'a ImportReport>) -> bool {
    let local = ["http://127.0.0.1", "http://localhost", "http://0.0.0.0"];
    let url = &registry.settings().public_url;
    let namespace = |one: &ImportReport| {
        let created = one.created && one.verdict == Verdict::Published;
        let vocabulary = registry.vocabulary(one.vocabulary.as_str()).ok().filter(|_| created)?.vocabulary;
        Some(vocabulary.namespace).filter(|n| n.starts_with(url) && local.iter().any(|l| n.starts_with(l)))
    };
    let new: Vec<String> = done.into_iter().filter_map(namespace).collect();
    if new.is_empty() {
        return false;
    }
    let new = new.join(", ");
    print::err(&say!(
        lang,
        "Bemærk: begrebernes adresser begynder for altid med {new}\n\
         og virker kun på denne maskine. De laves af --public-url, når et ordforråd oprettes; skal de være andre,\n\
         så begynd forfra med en ny database og --public-url.\n",
        "Note: the addresses of concepts begin for ever with {new}\n\
         and work on this machine only. They are made of --public-url when a vocabulary is created; to have others,\n\
         begin again with a new database and --public-url.\n"
    ));
    true
}

/// Tells what an import or a publication did.
pub fn tell(context: &Context, opened: &Opened, done: &ImportReport, what: &str, lines: Lines) -> Result {
    let lang = context.lang;
    if context.json {
        print::out(&format!("{}\n", source::json(done)?));
    } else {
        print::out(&report::text(done, what, lines, lang, Paint::stdout()));
    }
    if done.verdict == Verdict::Published
        && let Some(holder) = opened.holder()
    {
        print::err(&say!(
            lang,
            "Bemærk: databasen er åben i en anden proces ({holder}); den viser versionen inden for et sekund.\n",
            "Note: another process has the database open ({holder}); it shows the version within a second.\n"
        ));
    }
    Ok(())
}
