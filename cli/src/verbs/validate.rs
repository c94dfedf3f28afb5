//! `begreb validate`.

use std::fmt::Write as _;
use std::path::Path;

use begreb::model::{Code, Refusal, parse_date};
use begreb::registry::ValidateItem;
use serde_json::Value;

use crate::context::Context;
use crate::input::{self, Listed};
use crate::lang::{Lang, say, word};
use crate::print::{self, Paint, Table, day};
use crate::source::Source;
use crate::stop::{Result, Stop, named};

const EXAMPLES: &str = "\
May these codes of FSIII be used today?
  begreb validate --vocabulary fsiii J1.4 J9.9

Could they be used on a day; what of a whole file, or of what another program writes?
  begreb validate --vocabulary fsiii --date 2023-07-01 J1.4
  begreb validate --vocabulary fsiii koder.csv
  cut -d';' -f3 udtræk.csv | begreb validate --vocabulary fsiii --json -

A file has one code on each line, or is a table (CSV) with a column code, kode or notation (else the first
column); a column date or dato gives each code its own day, a column display its text to be checked.
An argument is a file when there is one of that name, or when it ends with .csv or .txt.
Exit code 1 when a code is not valid.";

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Validate {
    /// Codes, or files with codes; - is standard input
    #[arg(required = true, value_name = "CODE|FILE")]
    items: Vec<String>,
    /// The vocabulary: its short name, IRI, OID or FHIR url
    #[arg(long, value_name = "SLUG")]
    vocabulary: String,
    /// The day on which the codes are used (YYYY-MM-DD) [default: today]
    #[arg(long, value_name = "DATE")]
    date: Option<String>,
    /// The version in which they are looked up, instead of a day
    #[arg(long, value_name = "LABEL", conflicts_with = "date")]
    version: Option<String>,
    /// List only what is not valid (in text, not in JSON)
    #[arg(long)]
    quiet: bool,
}

impl Validate {
    pub async fn run(self, context: &Context) -> Result {
        if let Some(date) = &self.date {
            parse_date(date).map_err(|r| r.at(named("--date")))?;
        }
        let mut listed = Vec::new();
        for item in &self.items {
            match is_file(item) {
                true => listed.extend(read(Path::new(item))?),
                false => listed.push(Listed { code: item.clone(), ..Listed::default() }),
            }
        }
        if listed.is_empty() {
            let refusal =
                Refusal::new(Code::Incomplete, "der er ingen koder i filen", "there are no codes in the file");
            return Err(refusal.at(named(self.items.join(", "))).into());
        }
        let item = |listed: &Listed| ValidateItem {
            system: self.vocabulary.clone(),
            code: listed.code.clone(),
            display: listed.display.clone(),
            // A day that stands beside a code is nearer than one for all.
            date: listed.date.clone().or_else(|| self.date.clone()).filter(|_| self.version.is_none()),
            version: self.version.clone(),
            registered: None,
        };
        let items: Vec<ValidateItem> = listed.iter().map(item).collect();
        let work = async |source: &Source<'_>| {
            let answers = source.validate(&items)?;
            self.refuse_what_none_has(&answers)?;
            let valid = answers.iter().filter(|a| a["valid"] == true).count();
            if context.json {
                let answer = serde_json::json!({ "valid": valid == answers.len(), "results": answers });
                print::out(&format!("{answer}\n"));
            } else {
                print::out(&self.text(&items, &answers, valid, context.lang, Paint::stdout()));
            }
            if valid == answers.len() { Ok(()) } else { Err(Stop::No) }
        };
        context.reading(work).await
    }

    /// A vocabulary or version that is not there is one mistake and not one of every code.
    fn refuse_what_none_has(&self, answers: &[Value]) -> Result {
        let all = |result: &str| answers.iter().all(|a| a["result"] == result);
        let vocabulary = &self.vocabulary;
        if all("unknownSystem") {
            return Err(Refusal::new(
                Code::UnknownVocabulary,
                format!("der er intet ordforråd »{vocabulary}«"),
                format!("there is no vocabulary '{vocabulary}'"),
            )
            .at(named("--vocabulary"))
            .into());
        }
        if let Some(version) = self.version.as_ref().filter(|_| all("unknownVersion")) {
            return Err(Refusal::new(
                Code::UnknownVersion,
                format!("{vocabulary} har ingen version »{version}«; begreb show {vocabulary} viser dem"),
                format!("{vocabulary} has no version '{version}'; begreb show {vocabulary} lists them"),
            )
            .at(named("--version"))
            .into());
        }
        Ok(())
    }

    fn text(&self, items: &[ValidateItem], answers: &[Value], valid: usize, lang: Lang, paint: Paint) -> String {
        let mut table = Table::default();
        for (item, answer) in items.iter().zip(answers) {
            let good = answer["valid"] == true;
            if good && self.quiet {
                continue;
            }
            let sign = if good { paint.green("✓") } else { paint.red("✗") };
            table.row([sign, item.code.clone(), said(item, answer, lang), label(answer), replaced(answer, lang)]);
        }
        let mut text = table.text("");
        let n = answers.len();
        let _ = writeln!(text, "{}", say!(lang, "{valid} af {n} koder er gyldige", "{valid} of {n} codes are valid"));
        text
    }
}

fn is_file(item: &str) -> bool {
    let path = Path::new(item);
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    item == "-" || path.is_file() || matches!(ending.as_str(), "csv" | "txt")
}

fn read(path: &Path) -> Result<Vec<Listed>> {
    let name = if input::is_pipe(path) { "stdin".into() } else { path.display().to_string() };
    Ok(input::codes(&input::read(path)?).map_err(|r| r.at(named(name)))?)
}

fn label(answer: &Value) -> String {
    answer["concept"]["label"].as_str().unwrap_or_default().to_owned()
}

/// Why a code is valid or not, with the day that matters.
fn said(item: &ValidateItem, answer: &Value, lang: Lang) -> String {
    let result = answer["result"].as_str().unwrap_or_default();
    let concept = &answer["concept"];
    let date = |name: &str| concept[name].as_str().map(day);
    let notation = concept["notation"].as_str();
    match (result, date("validFrom"), date("validTo"), notation) {
        ("retired", _, Some(to), _) => say!(lang, "udgået {to}", "retired {to}"),
        ("future", Some(from), _, _) => say!(lang, "gælder først fra {from}", "in force only from {from}"),
        ("otherCode", _, _, Some(code)) => say!(lang, "koden er nu {code}", "the code is now {code}"),
        ("invalidDate", ..) => format!("{}: {}", item.date.as_deref().unwrap_or_default(), word(lang, result)),
        _ => word(lang, result).to_owned(),
    }
}

fn replaced(answer: &Value, lang: Lang) -> String {
    let by = answer["concept"]["replacedBy"].as_array().into_iter().flatten().map(|by| {
        let code = by["notation"].as_str().or(by["uuid"].as_str()).unwrap_or_default();
        format!("{code} {}", by["label"].as_str().unwrap_or_default())
    });
    let by: Vec<String> = by.collect();
    if by.is_empty() {
        return String::new();
    }
    let by = by.join(", ");
    say!(lang, "brug {by}", "use {by}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_why_and_what_instead() {
        let item = ValidateItem { date: Some("i går".into()), ..ValidateItem::default() };
        let answer = serde_json::json!({
            "valid": false, "result": "retired", "code": "Ø1",
            "concept": {"label": "Pleje", "validFrom": "2020-01-01T00:00:00Z", "validTo": "2024-10-31T00:00:00Z",
                        "replacedBy": [{"uuid": "u", "notation": "Ø2", "label": "Omsorg"}]},
        });
        assert_eq!(said(&item, &answer, Lang::Da), "udgået 2024-10-31");
        assert_eq!(replaced(&answer, Lang::En), "use Ø2 Omsorg");
        assert_eq!(said(&item, &serde_json::json!({"result": "unknownCode"}), Lang::Da), "ukendt kode");
        assert_eq!(said(&item, &serde_json::json!({"result": "invalidDate"}), Lang::Da), "i går: ikke en dato");
    }

    #[test]
    fn a_file_is_told_from_a_code() {
        assert!(is_file("-") && is_file("findes-ikke.csv") && is_file("Cargo.toml"));
        assert!(!is_file("J1.4") && !is_file("370e6178-9a5d-45f9-a2c9-f658186059c9"));
    }
}
