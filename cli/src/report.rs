//! What an import or a publication did, or would do, told to people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use begreb::registry::{ImportReport, Outcome, Planned, Verdict};
use serde::Serialize;

use crate::lang::{Lang, counted, say, word};
use crate::print::{Paint, Table, day};

/// Which concepts get a line of their own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// None: only counts.
    None,
    /// Those that are new, changed or retired.
    Different,
    /// All.
    All,
}

/// The report as text.
pub fn text(report: &ImportReport, what: &str, lines: Lines, lang: Lang, paint: Paint) -> String {
    if report.verdict == Verdict::AlreadyThere {
        return already_there(report, lang);
    }
    let mut text = String::new();
    if lines != Lines::None {
        let table = concepts(&report.concepts, lines, lang, paint);
        if !table.is_empty() {
            text.push_str(&table.text(""));
            text.push('\n');
        }
    }
    let label = report.label.as_ref().map_or_else(String::new, |label| format!(" {label}"));
    let slug = &report.vocabulary;
    let effective = day(&report.effective.to_string());
    let head = format!("{what} → {slug}{label}");
    let _ = writeln!(text, "{}", paint.bold(&head));
    let period = match report.until.map(|u| day(&u.to_string())) {
        Some(until) => say!(lang, "gælder fra {effective} til {until}", "in force from {effective} until {until}"),
        None => say!(lang, "gælder fra {effective}", "in force from {effective}"),
    };
    let _ = writeln!(text, "  {period}");
    if report.created {
        let _ = writeln!(text, "  {}", say!(lang, "{slug} er et nyt ordforråd", "{slug} is a new vocabulary"));
    }
    text.push('\n');
    text.push_str(&counts(report, lang, paint).text("  "));
    let list = |title: &str, found: &BTreeMap<String, u64>| -> String {
        if found.is_empty() {
            return String::new();
        }
        let mut table = Table::right([0]);
        found.iter().for_each(|(name, n)| table.row([n.to_string(), counted(lang, name, *n).to_owned()]));
        format!("\n{title}\n{}", table.text("  "))
    };
    let mut kinds = BTreeMap::new();
    for kind in report.concepts.iter().flat_map(|c| &c.kinds) {
        *kinds.entry(name(kind)).or_default() += 1;
    }
    let matched = report.matched.iter().map(|(how, n)| (name(how), *n)).collect();
    text.push_str(&list(lang.say("Ændringer", "Changes"), &kinds));
    text.push_str(&list(lang.say("Genkendt", "Recognised"), &matched));
    text.push_str(&losses(report, lang));
    text.push('\n');
    text.push_str(&verdict(report, lang, paint));
    text
}

fn already_there(report: &ImportReport, lang: Lang) -> String {
    let label = report.label.as_ref().map_or_else(String::new, ToString::to_string);
    let (slug, concepts) = (&report.vocabulary, report.manifest.concepts);
    say!(
        lang,
        "{slug} {label} er der allerede ({concepts} begreber): intet blev ændret.\n",
        "{slug} {label} is already there ({concepts} concepts): nothing was changed.\n"
    )
}

fn concepts(planned: &[Planned], lines: Lines, lang: Lang, paint: Paint) -> Table {
    let mut table = Table::default();
    for concept in planned {
        let sign = match concept.outcome {
            Outcome::New => "+",
            Outcome::Changed => "~",
            Outcome::Retired => "-",
            Outcome::Unchanged if lines == Lines::All => "=",
            Outcome::Unchanged => continue,
        };
        let code = concept.notation.clone().unwrap_or_else(|| concept.uuid.to_string());
        let kinds: Vec<String> = concept.kinds.iter().map(|k| word(lang, &name(k)).to_owned()).collect();
        let label = match kinds.is_empty() {
            true => concept.label.clone(),
            false => format!("{} ({})", concept.label, kinds.join(", ")),
        };
        table.row([paint.sign(sign), code, label]);
    }
    table
}

fn counts(report: &ImportReport, lang: Lang, paint: Paint) -> Table {
    let m = &report.manifest;
    let mut table = Table::right([1]);
    table.row([lang.say("begreber", "concepts"), &m.concepts.to_string(), ""]);
    let rows = [
        (lang.say("nye", "new"), m.added, "+"),
        (lang.say("ændrede", "changed"), m.changed, "~"),
        (lang.say("uændrede", "unchanged"), report.unchanged, ""),
        (lang.say("udgåede", "retired"), m.retired, "-"),
    ];
    for (title, n, sign) in rows {
        let sign = if n > 0 { paint.sign(sign) } else { String::new() };
        table.row([title.to_owned(), n.to_string(), sign]);
    }
    if report.twins > 0 {
        let why = lang.say("par i filen, der er ét begreb", "pairs of entries that are one concept");
        table.row([lang.say("tvillinger", "twins"), &report.twins.to_string(), why]);
    }
    table
}

fn losses(report: &ImportReport, lang: Lang) -> String {
    if report.losses.is_empty() {
        return String::new();
    }
    let mut table = Table::right([0]);
    report.losses.iter().for_each(|l| table.row([l.count.to_string(), l.what.clone(), l.why.clone()]));
    format!("\n{}\n{}", lang.say("Ikke taget med", "Not taken over"), table.text("  "))
}

fn verdict(report: &ImportReport, lang: Lang, paint: Paint) -> String {
    let digest = &report.manifest.digest;
    match report.position {
        Some(position) => {
            let done = paint.green(lang.say("Udgivet", "Published"));
            say!(
                lang,
                "{done} (række {position} i ændringsloggen).\nSHA-256 {digest}\n",
                "{done} (row {position} of the change log).\nSHA-256 {digest}\n"
            )
        }
        None => lang.say("Kun en plan: intet blev ændret.\n", "Only a plan: nothing was changed.\n").into(),
    }
}

/// The name of a value as the JSON has it.
pub fn name(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(ToOwned::to_owned)).unwrap_or_default()
}
