//! `begreb check`.

use std::fmt::Write as _;
use std::path::PathBuf;

use begreb::exchange::Columns;
use begreb::model::parse_date;
use begreb::registry::CheckRequest;
use serde_json::Value;

use super::diff::told_kinds;
use crate::context::Context;
use crate::input;
use crate::lang::{Lang, say, word};
use crate::print::{self, Paint, Table, day};
use crate::source::Source;
use crate::stop::{Result, Stop, named};

const EXAMPLES: &str = "\
What becomes of the codes that a system uses?
  begreb check --vocabulary fsiii koder.csv

As they will be on a day, and only what changes in the half year after it; against a running server; for a program:
  begreb check koder.csv --on 2027-01-01 --horizon 180
  begreb check koder.csv --server https://begreb.example.dk
  begreb check udtræk.csv --vocabulary fsiii --column Ydelseskode --format json
  cut -d';' -f3 udtræk.csv | begreb check --vocabulary fsiii -

A file has one code on each line, or is a table (CSV, as Excel writes it too) with columns vocabulary (or ordforråd) and
code (or kode, iri, uuid), or JSON: docs/code-sets.md tells all of it.
Exit codes: 0 every code may be used; 1 one is retired, will be, has or gets another code, or never existed; 2 the file
could not be checked.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Check {
    /// The file with codes; - is standard input
    file: PathBuf,
    /// The vocabulary of codes that name none: its short name, IRI, OID or FHIR url
    #[arg(long, value_name = "SLUG")]
    vocabulary: Option<String>,
    /// The day on which the codes are used (YYYY-MM-DD) [default: today]
    #[arg(long, value_name = "DATE")]
    on: Option<String>,
    /// The column with the codes: its name in the heading, or its number; of JSON, the member
    #[arg(long, value_name = "NAME|NUMBER")]
    column: Option<String>,
    /// Whether the first row is a heading [default: seen from its names]
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    heading: Option<bool>,
    /// How the answer is written; json is what --json says too
    #[arg(long, value_name = "FORMAT", value_parser = ["text", "json"], default_value = "text")]
    format: String,
    /// How many days to look ahead [default: as far as anything is decided]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(0..=36_525))]
    horizon: Option<i64>,
}

impl Check {
    pub async fn run(self, context: &Context) -> Result {
        self.checked(context).await.map_err(Stop::unable)
    }

    /// Whether the answer is for programs.
    pub fn is_json(&self) -> bool {
        self.format == "json"
    }

    async fn checked(self, context: &Context) -> Result {
        if let Some(on) = &self.on {
            parse_date(on).map_err(|r| r.at(named("--on")))?;
        }
        let list = input::read(&self.file)?;
        let columns = Columns { column: self.column, heading: self.heading };
        let asked = CheckRequest { on: self.on, horizon: self.horizon, vocabulary: self.vocabulary };
        let work = async |source: &Source<'_>| {
            let answer = source.check(&list, &columns, &asked)?;
            let report = source.read(&answer)?;
            if context.json {
                print::out(&format!("{answer}\n"));
            } else {
                print::out(&text(&report, context.lang, Paint::stdout()));
            }
            if report["ok"] == true { Ok(()) } else { Err(Stop::No) }
        };
        context.reading(work).await
    }
}

/// The report, as people read it: what needs attention line by line, then how many there are of each kind.
fn text(report: &Value, lang: Lang, paint: Paint) -> String {
    let mut table = Table::default();
    for code in report["codes"].as_array().into_iter().flatten() {
        let verdict = code["verdict"].as_str().unwrap_or_default();
        if verdict == "inForce" {
            continue;
        }
        let sign = if matches!(verdict, "changing" | "passive") { paint.sign("~") } else { paint.red("✗") };
        let line = format!("{}:", code["line"]);
        let given = code["code"].as_str().unwrap_or_default().to_owned();
        let label = code["concept"]["label"].as_str().unwrap_or_default().to_owned();
        table.row([line, sign, given, said(code, lang), label, use_instead(code, lang)]);
    }
    let mut text = table.text("");
    if !table.is_empty() {
        text.push('\n');
    }
    let mut counts = Table::right([0]);
    for (verdict, n) in report["counts"].as_object().into_iter().flatten() {
        counts.row([n.to_string(), verdict_word(verdict, lang).to_owned()]);
    }
    let _ = write!(text, "{}", counts.text("  "));
    text
}

fn verdict_word(verdict: &str, lang: Lang) -> &str {
    let (da, en) = match verdict {
        "inForce" => ("gælder", "in force"),
        "changing" => ("ændres", "changing"),
        "willBeRetired" => ("udgår", "will be retired"),
        "willBeRecoded" => ("får en anden kode", "will be recoded"),
        "future" => ("gælder først senere", "in force later"),
        "otherCode" => ("har en anden kode nu", "has another code now"),
        "passive" => ("holdes ikke længere ved lige", "no longer kept up"),
        "retired" => ("udgået", "retired"),
        "neverExisted" => ("har aldrig været der", "never existed"),
        "ambiguous" => ("findes i flere ordforråd", "in several vocabularies"),
        "unknownVocabulary" => ("ukendt ordforråd", "unknown vocabulary"),
        other => (other, other),
    };
    lang.say(da, en)
}

/// What happens in a change, in words; that something goes is said otherwise.
fn kinds(change: &Value, lang: Lang) -> String {
    let kinds = change["kinds"].as_array().into_iter().flatten().filter_map(Value::as_str).filter(|k| *k != "retired");
    kinds.map(|k| word(lang, k)).collect::<Vec<_>>().join(", ")
}

/// What a concept is called from then on, when that is something else.
fn new_name(change: &Value) -> String {
    let label = |side: &str| change[side]["label"].as_str();
    let new = label("after").filter(|new| label("before") != Some(*new));
    new.map_or_else(String::new, |new| format!(" → {new}"))
}

/// What becomes of a code, with the days that matter.
fn said(code: &Value, lang: Lang) -> String {
    let verdict = code["verdict"].as_str().unwrap_or_default();
    let since = code["since"].as_str().map(day);
    let none = Vec::new();
    let ahead = code["ahead"].as_array().unwrap_or(&none);
    let on = |wanted: &dyn Fn(&&Value) -> bool| ahead.iter().find(wanted).and_then(|c| c["on"].as_str()).map(day);
    let gone = on(&|c| c.get("after").is_none());
    match (verdict, since, gone) {
        ("retired", Some(since), _) => say!(lang, "udgået {since}", "retired {since}"),
        ("passive", ..) => {
            let since = code["passivated"].as_str().map(day).unwrap_or_default();
            say!(lang, "holdes ikke længere ved lige siden {since}", "no longer kept up since {since}")
        }
        ("future", Some(from), _) => say!(lang, "gælder først fra {from}", "in force only from {from}"),
        ("otherCode", Some(since), _) => {
            say!(lang, "har en anden kode siden {since}", "has another code since {since}")
        }
        ("willBeRetired", _, Some(on)) => {
            // That it is split, merged or replaced is told; that it goes is told already.
            let how = ahead.iter().find(|c| c.get("after").is_none()).map(|c| kinds(c, lang)).unwrap_or_default();
            let how = if how.is_empty() { how } else { format!(" ({how})") };
            say!(lang, "udgår {on}{how}", "will be retired {on}{how}")
        }
        ("willBeRecoded" | "changing", ..) => {
            let each = ahead.iter().map(|change| {
                let on = change["on"].as_str().map(day).unwrap_or_default();
                let (kinds, name) = (told_kinds(change, lang).join(", "), new_name(change));
                say!(lang, "{kinds} fra {on}{name}", "{kinds} from {on}{name}")
            });
            each.collect::<Vec<_>>().join("; ")
        }
        _ => verdict_word(verdict, lang).to_owned(),
    }
}

/// What to use instead, or what may have been meant.
fn use_instead(code: &Value, lang: Lang) -> String {
    let names = |list: &Value| -> Vec<String> {
        let one = |c: &Value| {
            let code = c["notation"].as_str().or(c["uuid"].as_str()).unwrap_or_default();
            let vocabulary = c["vocabulary"].as_str().map(|v| format!("{v} ")).unwrap_or_default();
            format!("{vocabulary}{code} {}", c["label"].as_str().unwrap_or_default())
        };
        list.as_array().into_iter().flatten().map(one).collect()
    };
    let (by, near) = (names(&code["replacedBy"]).join(", "), names(&code["near"]).join(", "));
    match (by.is_empty(), near.is_empty()) {
        (false, _) => say!(lang, "brug {by}", "use {by}"),
        (_, false) => say!(lang, "menes {near}?", "did you mean {near}?"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_line_for_line_what_to_do() {
        let report = serde_json::json!({
            "ok": false, "counts": {"inForce": 1, "changing": 1, "willBeRetired": 1, "neverExisted": 1},
            "codes": [
                {"line": 2, "code": "A", "verdict": "inForce", "concept": {"uuid": "u", "label": "a"}},
                {"line": 3, "code": "B", "verdict": "willBeRetired", "concept": {"uuid": "u", "label": "b"},
                 "replacedBy": [{"uuid": "v", "notation": "C", "label": "c"}],
                 "ahead": [{"on": "2027-01-01T00:00:00Z", "kinds": ["replaced"], "before": {"label": "b"}}]},
                {"line": 4, "code": "D", "verdict": "changing", "concept": {"uuid": "u", "label": "d"},
                 "ahead": [{"on": "2027-01-01T00:00:00Z", "kinds": ["renamed"], "before": {"label": "d"}, "after": {"label": "e"}}]},
                {"line": 5, "code": "E1", "verdict": "neverExisted",
                 "near": [{"vocabulary": "v", "uuid": "u", "notation": "E", "label": "e"}]}
            ]
        });
        let expected = "\
3:  ✗  B   udgår 2027-01-01 (erstattet)  b  brug C c
4:  ~  D   nyt navn fra 2027-01-01 → e   d
5:  ✗  E1  har aldrig været der             menes v E e?

  1  ændres
  1  gælder
  1  har aldrig været der
  1  udgår
";
        assert_eq!(text(&report, Lang::Da, Paint::none()), expected);
    }
}
