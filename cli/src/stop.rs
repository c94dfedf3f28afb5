//! How a command ends when it does not end well: the ways to say no, and how they are told.

use std::fmt::Write as _;
use std::process::ExitCode;

use begreb::model::{Code, Place, Refusal};
use serde_json::Value;

use crate::lang::{Lang, say};
use crate::print::Paint;

/// The result of a verb.
pub type Result<T = ()> = std::result::Result<T, Stop>;

/// The most items of a refusal that are shown.
const SHOWN: usize = 50;

/// Why a command stops.
#[derive(Debug)]
pub enum Stop {
    /// The registry refuses.
    Refused(Box<Refusal>),
    /// The server refuses.
    Answered(Box<Problem>),
    /// The command itself was not given as it must be.
    Usage(Box<Refusal>),
    /// Everything has been said already, and the answer is no.
    No,
    /// There is no answer: why the question could not be asked. For verbs whose 1 means that the answer is no.
    Unable(Box<Stop>),
}

/// A problem document (RFC 9457) of a server, or that there was none.
#[derive(Clone, PartialEq, Debug)]
pub struct Problem {
    /// The stable code.
    pub code: String,
    /// What was wrong, in the language that was asked for.
    pub text: String,
    /// Where.
    pub place: Place,
    /// What would have been allowed.
    pub allowed: Vec<String>,
    /// One line per thing that was wrong.
    pub items: Vec<String>,
    /// The document as it came.
    pub document: Value,
}

impl Problem {
    /// A problem that no server told.
    pub fn new(code: &str, text: String) -> Self {
        let document = serde_json::json!({ "code": code, "detail": text });
        let (place, allowed, items) = (Place::default(), Vec::new(), Vec::new());
        Self { code: code.into(), text, place, allowed, items, document }
    }

    /// Reads a problem document; nothing when the value is none.
    pub fn read(document: Value) -> Option<Self> {
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
        let list = |name: &str| {
            let items = document.get(name).and_then(Value::as_array);
            let one = |v: &Value| v.as_str().map_or_else(|| v.to_string(), ToOwned::to_owned);
            items.map(|items| items.iter().map(one).collect()).unwrap_or_default()
        };
        let code = text(&document, "code")?;
        let detail = text(&document, "detail").or_else(|| text(&document, "title"))?;
        let there = document.get("where").unwrap_or(&document);
        let number = |name: &str| there.get(name).and_then(Value::as_u64);
        let place = Place {
            name: text(there, "name"),
            line: number("line"),
            column: number("column"),
            row: number("row"),
            field: text(there, "field"),
        };
        Some(Self { code, text: detail, place, allowed: list("allowed"), items: list("items"), document })
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Answered(Box::new(problem))
    }
}

impl Stop {
    /// The command itself was not given as it must be.
    pub fn usage(refusal: Refusal) -> Self {
        Self::Usage(Box::new(refusal))
    }

    /// Whatever stopped it, but for a no, is no answer.
    pub fn unable(self) -> Self {
        match self {
            Self::No | Self::Usage(_) | Self::Unable(_) => self,
            stop => Self::Unable(Box::new(stop)),
        }
    }

    /// Tells the user: people on stderr, programs on stdout. The answer is how the process ends.
    pub fn tell(&self, lang: Lang, json: bool) -> ExitCode {
        if let Self::Unable(stop) = self {
            stop.tell(lang, json);
            return ExitCode::from(2);
        }
        if json {
            let document = match self {
                Self::Refused(refusal) | Self::Usage(refusal) => serde_json::to_value(refusal).ok(),
                Self::Answered(problem) => Some(problem.document.clone()),
                Self::No | Self::Unable(_) => None,
            };
            if let Some(document) = document {
                crate::print::out(&format!("{document}\n"));
            }
        } else if let Some(told) = self.told(lang, Paint::stderr()) {
            crate::print::err(&told);
        }
        ExitCode::from(if matches!(self, Self::Usage(_)) { 2 } else { 1 })
    }

    fn told(&self, lang: Lang, paint: Paint) -> Option<String> {
        match self {
            Self::Refused(r) | Self::Usage(r) => {
                Some(told(lang, paint, lang.text(r), r.code.as_str(), &r.place, &r.allowed, &r.items))
            }
            Self::Answered(p) => Some(told(lang, paint, &p.text, &p.code, &p.place, &p.allowed, &p.items)),
            Self::No | Self::Unable(_) => None,
        }
    }
}

fn told(
    lang: Lang,
    paint: Paint,
    text: &str,
    code: &str,
    place: &Place,
    allowed: &[String],
    items: &[String],
) -> String {
    let head = paint.red(lang.say("Afvist:", "Refused:"));
    let mut told = format!("{head} {text} ({code})\n");
    if !place.is_empty() {
        let _ = writeln!(told, "  {}: {}", lang.say("hvor", "where"), place_in(lang, place));
    }
    if !allowed.is_empty() {
        let _ = writeln!(told, "  {}: {}", lang.say("tilladt", "allowed"), allowed.join(", "));
    }
    for item in items.iter().take(SHOWN) {
        let _ = writeln!(told, "    {item}");
    }
    if let Some(more) = items.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(told, "    {}", say!(lang, "… og {more} mere", "… and {more} more"));
    }
    told
}

fn place_in(lang: Lang, place: &Place) -> String {
    let mut parts: Vec<String> = place.name.iter().cloned().collect();
    let numbered = [
        (lang.say("linje", "line"), place.line),
        (lang.say("kolonne", "column"), place.column),
        (lang.say("række", "row"), place.row),
    ];
    parts.extend(numbered.into_iter().filter_map(|(name, n)| n.map(|n| format!("{name} {n}"))));
    parts.extend(place.field.clone());
    parts.join(", ")
}

/// The refusal for a file that cannot be used.
pub fn file(path: &std::path::Path, error: &std::io::Error) -> Refusal {
    let path = path.display();
    Refusal::new(Code::File, format!("kan ikke bruge {path}: {error}"), format!("cannot use {path}: {error}"))
}

/// The place in a named file or parameter.
pub fn named(name: impl std::fmt::Display) -> Place {
    Place { name: Some(name.to_string()), ..Place::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_full() {
        let refusal =
            Refusal::new(Code::DuplicateCode, "to begreber har koden »Ø1«", "two concepts have the code 'Ø1'")
                .at(Place {
                    name: Some("f.csv".into()),
                    row: Some(7),
                    field: Some("notation".into()),
                    ..Place::default()
                })
                .allowed(["one", "two"])
                .items((0..52).map(|n| n.to_string()));
        let told = Stop::from(refusal).told(Lang::Da, Paint::none()).unwrap();
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines[0], "Afvist: to begreber har koden »Ø1« (duplicate-code)");
        assert_eq!(lines[1], "  hvor: f.csv, række 7, notation");
        assert_eq!(lines[2], "  tilladt: one, two");
        assert_eq!((lines[3], lines[52], lines.len()), ("    0", "    49", 54));
        assert_eq!(lines[53], "    … og 2 mere");
    }

    #[test]
    fn a_problem_document_is_read() {
        let problem = Problem::read(serde_json::json!({
            "type": "about:blank", "status": 404, "title": "Not Found", "code": "unknown-version",
            "detail": "there is no version 'x'", "where": {"field": "version"}, "allowed": ["2024-10-31"],
        }))
        .unwrap();
        assert_eq!(problem.code, "unknown-version");
        assert_eq!(problem.place, Place::field("version"));
        assert_eq!(problem.allowed, ["2024-10-31"]);
        assert_eq!(Problem::read(serde_json::json!({"error": "x"})), None);
    }
}
