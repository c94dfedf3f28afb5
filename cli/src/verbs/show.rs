//! `begreb show`.

use std::fmt::Write as _;

use begreb::registry::At;
use serde_json::Value;

use super::{Reading, history};
use crate::context::Context;
use crate::lang::{Lang, say, word};
use crate::print::{self, Paint, Table, day, wrap};
use crate::source::Source;
use crate::stop::Result;
use crate::value::{chosen, chosen_term, list_of, plain};

const EXAMPLES: &str = "\
Which vocabularies are there; which versions has FSIII?
  begreb show
  begreb show fsiii

What is the concept J1.4 today; what was it in a version; what was it at other times?
  begreb show fsiii J1.4
  begreb show fsiii J1.4 --version 2023-06-22
  begreb show fsiii J1.4 --history

A concept is named by its code, by another code that it has or had, or by its uuid.";

/// The most steps of a path to the top, and the most targets whose names are looked up.
const STEPS: usize = 30;

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Show {
    /// The vocabulary: fsiii [default: list all]
    vocabulary: Option<String>,
    /// The concept: code, former code or uuid
    #[arg(value_name = "KEY")]
    key: Option<String>,
    #[command(flatten)]
    reading: Reading,
    /// What is known of the concept at all times
    #[arg(long, requires = "key", conflicts_with_all = ["version", "date", "registered"])]
    history: bool,
    /// With --history: also what was said before and is no longer
    #[arg(long, requires = "history")]
    all: bool,
}

impl Show {
    pub async fn run(self, context: &Context) -> Result {
        let at = self.reading.at();
        let work = async |source: &Source<'_>| match (&self.vocabulary, &self.key) {
            (None, _) => list(context, source),
            (Some(slug), None) => vocabulary(context, source, slug),
            (Some(slug), Some(key)) if self.history => history::show(context, source, slug, key, self.all),
            (Some(slug), Some(key)) => concept(context, source, slug, key, &at),
        };
        context.reading(work).await
    }
}

fn list(context: &Context, source: &Source<'_>) -> Result {
    let lang = context.lang;
    let vocabularies = source.vocabularies()?;
    if context.json {
        print::out(&format!("{}\n", Value::Array(vocabularies)));
        return Ok(());
    }
    if vocabularies.is_empty() {
        print::out(
            lang.say("Registret er tomt. begreb import --help\n", "The registry is empty. begreb import --help\n"),
        );
        return Ok(());
    }
    let mut table = Table::right([2, 3]);
    let (da, en) = (
        ["ordforråd", "titel", "begreber", "versioner", "gældende"],
        ["vocabulary", "title", "concepts", "versions", "in force"],
    );
    table.row(lang.say(da, en));
    for v in &vocabularies {
        table.row([
            plain(&v["slug"]),
            chosen(&v["titles"], lang, "text"),
            plain(&v["concepts"]),
            plain(&v["versions"]),
            plain(&v["version"]["label"]),
        ]);
    }
    print::out(&table.text(""));
    Ok(())
}

fn vocabulary(context: &Context, source: &Source<'_>, slug: &str) -> Result {
    let (lang, paint) = (context.lang, Paint::stdout());
    let (answer, versions) = (source.vocabulary(slug)?, source.versions(slug)?);
    if context.json {
        let both = serde_json::json!({ "vocabulary": answer, "versions": versions });
        print::out(&format!("{both}\n"));
        return Ok(());
    }
    let mut text = format!("{}\n", paint.bold(&format!("{slug}  {}", chosen(&answer["titles"], lang, "text"))));
    let mut table = Table::default();
    let mut line = |title: &str, value: String| {
        if !value.is_empty() {
            table.row([title.to_owned(), value]);
        }
    };
    line(lang.say("hvad", "what"), word(lang, &plain(&answer["kind"])).to_owned());
    line(lang.say("udgivelse", "published by"), word(lang, &plain(&answer["governance"])).to_owned());
    line(lang.say("adresse", "address"), plain(&answer["iri"]));
    line("uuid", plain(&answer["uuid"]));
    let also: Vec<String> = answer["identifiers"].as_array().into_iter().flatten().map(plain).collect();
    line(lang.say("kaldes også", "also called"), also.join(", "));
    line(lang.say("ejer", "owner"), plain(&answer["owner"]));
    line(lang.say("kontakt", "contact"), plain(&answer["contact"]));
    line(lang.say("licens", "licence"), plain(&answer["licence"]));
    let label = answer["version"]["label"].as_str();
    let none = lang.say("ingen version", "no version");
    let concepts = plain(&answer["concepts"]);
    let label = label.unwrap_or(none);
    let now = say!(lang, "{label}, {concepts} begreber", "{label}, {concepts} concepts");
    line(lang.say("gældende i dag", "in force today"), now);
    text.push_str(&table.text("  "));
    text.push('\n');
    let mut table = Table::right([3, 4, 5, 6]);
    let (da, en) = (
        ["version", "fra", "til", "begreber", "nye", "ændrede", "udgåede", "SHA-256"],
        ["version", "from", "until", "concepts", "new", "changed", "retired", "SHA-256"],
    );
    table.row(lang.say(da, en));
    for v in &versions {
        let m = &v["manifest"];
        let date = |name: &str| v[name].as_str().map(day).unwrap_or_default();
        table.row([
            plain(&v["label"]),
            date("effective"),
            date("until"),
            plain(&m["concepts"]),
            plain(&m["added"]),
            plain(&m["changed"]),
            plain(&m["retired"]),
            plain(&m["digest"]),
        ]);
    }
    text.push_str(&table.text(""));
    print::out(&text);
    Ok(())
}

fn concept(context: &Context, source: &Source<'_>, slug: &str, key: &str, at: &At) -> Result {
    let answer = source.concept(slug, key, at)?;
    if context.json {
        print::out(&format!("{answer}\n"));
        return Ok(());
    }
    let answer = source.read(&answer)?;
    let path = path(source, slug, at, &answer, context.lang);
    let name = |uuid: &str| {
        let found = source.concept(slug, uuid, at).or_else(|_| source.concept(slug, uuid, &At::default())).ok()?;
        let found = source.read(&found).ok()?;
        Some(format!("{} {}", plain(&found["notation"]), chosen_term(&found, context.lang)).trim().to_owned())
    };
    print::out(&text(&answer, &path, name, context.lang, Paint::stdout(), print::width()));
    Ok(())
}

/// The terms from the top down to a concept, along the first concept above each.
fn path(source: &Source<'_>, slug: &str, at: &At, answer: &Value, lang: Lang) -> Vec<String> {
    let mut path = vec![chosen_term(answer, lang)];
    let mut above = answer["broader"].get(0).cloned();
    while let Some(concept) = above.take().filter(|_| path.len() < STEPS) {
        path.push(plain(&concept["label"]));
        let found = source.concept(slug, &plain(&concept["uuid"]), at).and_then(|text| source.read(&text));
        above = found.ok().and_then(|found| found["broader"].get(0).cloned());
    }
    path.reverse();
    path
}

/// A concept, to be read in a terminal. `name` finds what a relation points to.
fn text(
    answer: &Value,
    path: &[String],
    name: impl Fn(&str) -> Option<String>,
    lang: Lang,
    paint: Paint,
    width: usize,
) -> String {
    let mut page = Page { text: String::new(), width };
    let notation = plain(&answer["notation"]);
    let head = format!("{notation}  {}", chosen_term(answer, lang));
    let vocabulary = plain(&answer["vocabulary"]);
    let version = plain(&answer["version"]["label"]);
    let from = format!("{vocabulary} {version}");
    let _ = writeln!(page.text, "{}   ({})", paint.bold(head.trim()), from.trim_end());
    page.line(lang.say("status", "status"), &status(answer, lang));
    for by in list_of(&answer["replacedBy"]) {
        page.line(lang.say("erstattet af", "replaced by"), &reference(by));
    }
    if path.len() > 1 {
        page.line(lang.say("placering", "path"), &path.join(" › "));
    }
    for other in list_of(&answer["broader"]).iter().skip(1) {
        page.line(lang.say("også under", "also under"), &reference(other));
    }
    let below = answer["narrowerCount"].as_u64().unwrap_or(0);
    if below > 0 {
        page.line(lang.say("underbegreber", "narrower"), &below.to_string());
    }
    terms(&mut page, answer, lang);
    for definition in list_of(&answer["definitions"]) {
        let extra = [plain(&definition["audience"]), plain(&definition["source"])];
        page.texts(lang.say("definition", "definition"), definition, &extra);
    }
    for note in list_of(&answer["notes"]) {
        page.texts(word(lang, &plain(&note["kind"])), note, &[]);
    }
    for law in list_of(&answer["legalBasis"]) {
        let parts = [plain(&law["law"]), plain(&law["paragraph"]), plain(&law["eli"])];
        page.line(lang.say("retsgrundlag", "legal basis"), &joined(&parts, " "));
    }
    for field in list_of(&answer["subjectFields"]) {
        page.texts(lang.say("emneområde", "subject field"), field, &[]);
    }
    for (i, relation) in list_of(&answer["relations"]).iter().enumerate() {
        let (kind, target) = (plain(&relation["kind"]), plain(&relation["target"]));
        let role = chosen(&relation["role"], lang, "text");
        let criterion = chosen(&relation["criterion"], lang, "text");
        // The concepts above are told in the path; only what they are divided by is not.
        if matches!(kind.as_str(), "generic" | "partitive") && criterion.is_empty() {
            continue;
        }
        let target = Some(i).filter(|i| *i < STEPS).and_then(|_| name(&target)).unwrap_or(target);
        page.line(word(lang, &kind), &with(&target, &[role, criterion]));
    }
    for mapping in list_of(&answer["mappings"]) {
        page.line(lang.say("svarer til", "matches"), &with(&plain(&mapping["target"]), &[plain(&mapping["kind"])]));
    }
    for alias in list_of(&answer["aliases"]).iter().filter(|a| a["value"] != answer["uuid"]) {
        let since = |name: &str| alias[name].as_str().map(day).unwrap_or_default();
        let period = joined(&[since("from"), since("to")], " – ");
        page.line(
            lang.say("anden kode", "other code"),
            &with(&plain(&alias["value"]), &[plain(&alias["system"]), period]),
        );
    }
    page.line(lang.say("facet", "facet"), &plain(&answer["facet"]));
    page.line("uuid", &plain(&answer["uuid"]));
    page.line(lang.say("adresse", "address"), &plain(&answer["iri"]));
    page.line(lang.say("registreret", "registered"), &answer["registeredFrom"].as_str().map(day).unwrap_or_default());
    page.text
}

fn status(answer: &Value, lang: Lang) -> String {
    let from = answer["validFrom"].as_str().map(day).unwrap_or_default();
    let to = answer["validTo"].as_str().map(day);
    match (answer["status"].as_str().unwrap_or_default(), to) {
        ("inForce", None) => say!(lang, "gældende fra {from}", "in force from {from}"),
        ("inForce", Some(to)) => say!(lang, "gældende fra {from} til {to}", "in force from {from} until {to}"),
        ("retired", Some(to)) => say!(lang, "udgået {to} (gjaldt fra {from})", "retired {to} (in force from {from})"),
        ("future", _) => say!(lang, "gælder først fra {from}", "in force only from {from}"),
        (other, _) => word(lang, other).to_owned(),
    }
}

fn terms(page: &mut Page, answer: &Value, lang: Lang) {
    for term in list_of(&answer["terms"]) {
        let status = plain(&term["status"]);
        let status = if status == "preferred" { String::new() } else { word(lang, &status).to_owned() };
        let instead = plain(&term["useInstead"]);
        let instead = if instead.is_empty() { instead } else { say!(lang, "brug {instead}", "use {instead}") };
        let extra = [status, plain(&term["form"]), plain(&term["reason"]), instead, plain(&term["source"])];
        let value = format!("{}  {}", plain(&term["language"]), plain(&term["value"]));
        page.line(lang.say("term", "term"), &with(&value, &extra));
    }
}

/// Lines of a title and a value, the values under each other.
struct Page {
    text: String,
    width: usize,
}

impl Page {
    /// How wide the titles are.
    const TITLES: usize = 16;

    fn line(&mut self, title: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        for (i, part) in wrap(value, self.width.saturating_sub(Self::TITLES + 2)).iter().enumerate() {
            let title = if i == 0 { title } else { "" };
            let gap = " ".repeat(Self::TITLES.saturating_sub(title.chars().count()).max(1));
            let _ = writeln!(self.text, "  {title}{gap}{part}");
        }
    }

    fn texts(&mut self, title: &str, value: &Value, extra: &[String]) {
        let text = format!("{}  {}", plain(&value["language"]), plain(&value["text"]));
        self.line(title, &with(&text, extra));
    }
}

fn reference(value: &Value) -> String {
    let code = value["notation"].as_str().or(value["uuid"].as_str()).unwrap_or_default();
    format!("{code}  {}", plain(&value["label"]))
}

fn joined(parts: &[String], between: &str) -> String {
    parts.iter().filter(|p| !p.is_empty()).cloned().collect::<Vec<_>>().join(between)
}

/// A text, with what else is said of it in brackets.
fn with(text: &str, extra: &[String]) -> String {
    let extra = joined(extra, ", ");
    if extra.is_empty() { text.to_owned() } else { format!("{text} ({extra})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_concept_reads_in_a_terminal() {
        let answer = serde_json::json!({
            "uuid": "u1", "iri": "http://x/id/v/u1", "vocabulary": "v", "version": {"label": "1"},
            "status": "inForce", "validFrom": "2024-10-31T00:00:00Z", "registeredFrom": "2024-11-01T08:00:00.5Z",
            "notation": "Ø1", "broader": [{"uuid": "u0", "label": "Pleje"}], "narrowerCount": 2,
            "terms": [{"language": "da", "status": "preferred", "value": "Omsorg"},
                      {"language": "da", "status": "deprecated", "value": "Røgt", "useInstead": "Omsorg"}],
            "definitions": [{"language": "da", "text": "at tage sig af andre"}],
            "relations": [{"kind": "generic", "target": "u0"}, {"kind": "seeAlso", "target": "u2"}],
        });
        let path = ["Pleje".to_owned(), "Omsorg".to_owned()];
        let name = |uuid: &str| Some(format!("<{uuid}>"));
        let text = text(&answer, &path, name, Lang::Da, Paint::none(), 40);
        let expected = "\
Ø1  Omsorg   (v 1)
  status          gældende fra
                  2024-10-31
  placering       Pleje › Omsorg
  underbegreber   2
  term            da Omsorg
  term            da Røgt (frarådet,
                  brug Omsorg)
  definition      da at tage sig af
                  andre
  se også         <u2>
  uuid            u1
  adresse         http://x/id/v/u1
  registreret     2024-11-01 08:00:00
";
        assert_eq!(text, expected);
    }
}
