//! `begreb diff`.

use std::fmt::Write as _;

use begreb::exchange::{MigrationFormat, paper};
use begreb::model::Meaning;
use serde_json::Value;

use crate::context::Context;
use crate::lang::{Lang, counted, kind_of, say};
use crate::print::{self, Paint, Table, day};
use crate::source::Source;
use crate::stop::Result;

const EXAMPLES: &str = "\
What changed between two editions of FSIII:
  begreb diff --vocabulary fsiii 2024-05-30 2024-10-31

With every field that is different; only what was renamed; since a day, for a program:
  begreb diff --vocabulary fsiii 2024-05-30 2024-10-31 --details
  begreb diff --vocabulary fsiii 2024-05-30 2024-10-31 --kind renamed
  begreb diff --vocabulary fsiii 2023-07-01 --json

What each code of an old edition is in a new one, as a table or as SSSOM:
  begreb diff --vocabulary fsiii 2023-06-22 2024-10-31 --migration csv

FROM and TO are labels of versions, or days; TO is today when it is left out.";

/// The kinds of change, by their names in the JSON.
const KINDS: [&str; 11] = [
    "added",
    "retired",
    "recoded",
    "renamed",
    "redefined",
    "moved",
    "split",
    "merged",
    "replaced",
    "edited",
    "reordered",
];

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Diff {
    /// The earlier version or day
    from: String,
    /// The later version or day [default: today]
    to: Option<String>,
    /// The vocabulary: fsiii
    #[arg(long, value_name = "SLUG")]
    vocabulary: String,
    /// Show only changes of this kind (in text, not in JSON)
    #[arg(long, value_name = "KIND", value_parser = clap::builder::PossibleValuesParser::new(KINDS))]
    kind: Option<String>,
    /// Show every field that is different
    #[arg(long)]
    details: bool,
    /// Write what each code of FROM is in TO instead, in this format
    #[arg(long, value_name = "FORMAT", value_parser = migration_formats(), conflicts_with_all = ["kind", "details"])]
    migration: Option<MigrationFormat>,
}

/// The formats of `--migration`.
fn migration_formats() -> impl clap::builder::TypedValueParser<Value = MigrationFormat> {
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    PossibleValuesParser::new(MigrationFormat::ALL.map(MigrationFormat::name))
        .try_map(|name| name.parse::<MigrationFormat>())
}

impl Diff {
    pub async fn run(self, context: &Context) -> Result {
        let work = async |source: &Source<'_>| {
            if let Some(format) = self.migration {
                let map = source.migration(&self.vocabulary, &self.from, self.to.as_deref(), format)?;
                print::out(&map);
                return Ok(());
            }
            let answer = source.changes(&self.vocabulary, &self.from, self.to.as_deref())?;
            if context.json {
                print::out(&format!("{answer}\n"));
            } else {
                let answer = source.read(&answer)?;
                print::out(&self.text(&answer, context.lang, Paint::stdout()));
            }
            Ok(())
        };
        context.reading(work).await
    }

    fn text(&self, answer: &Value, lang: Lang, paint: Paint) -> String {
        let edge = |side: &str| {
            let side = &answer[side];
            let valid = day(side["valid"].as_str().unwrap_or_default());
            let label = side["version"]["label"].as_str().unwrap_or(&valid);
            let concepts = &side["concepts"];
            say!(lang, "{label} ({concepts} begreber)", "{label} ({concepts} concepts)")
        };
        let head = format!("{}: {} → {}", self.vocabulary, edge("from"), edge("to"));
        let mut text = format!("{}\n\n", paint.bold(&head));
        let none = Vec::new();
        let changes = answer["changes"].as_array().unwrap_or(&none);
        if changes.is_empty() {
            text.push_str(lang.say("Ingen forskel.\n", "No difference.\n"));
            return text;
        }
        let mut counts = Table::right([0]);
        for (kind, n) in answer["counts"].as_object().into_iter().flatten() {
            counts.row([n.to_string(), counted(lang, kind, n.as_u64().unwrap_or_default()).to_owned()]);
        }
        let _ = writeln!(text, "{}", counts.text("  "));
        let kinds = |change: &Value| -> Vec<String> {
            let kinds = change["kinds"].as_array().into_iter().flatten();
            kinds.filter_map(|k| k.as_str().map(ToOwned::to_owned)).collect()
        };
        let shown = |change: &&Value| self.kind.as_ref().is_none_or(|kind| kinds(change).contains(kind));
        let mut table = Table::default();
        let mut details = Vec::new();
        for change in changes.iter().filter(shown) {
            let sign = match (change.get("before"), change.get("after")) {
                (None, _) => "+",
                (_, None) => "-",
                _ => "~",
            };
            let named = told_kinds(change, lang);
            table.row([paint.sign(sign), code(change), named.join(", "), label(change, lang)]);
            details.push(if self.details { fields(change, paint) } else { String::new() });
        }
        if table.is_empty() {
            text.push_str(lang.say("Ingen af den slags.\n", "None of that kind.\n"));
        }
        for (line, details) in table.text("").lines().zip(details) {
            let _ = writeln!(text, "{line}");
            text.push_str(&details);
        }
        text
    }
}

/// What happened to a concept, each type in a word; beside another definition, what is said of its meaning.
pub fn told_kinds(change: &Value, lang: Lang) -> Vec<String> {
    let meaning = change["meaning"].as_str().and_then(|said| said.parse::<Meaning>().ok());
    let kinds = change["kinds"].as_array().into_iter().flatten().filter_map(Value::as_str);
    // A kind that only a newer server knows is told by its name.
    kinds
        .flat_map(|name| match kind_of(name) {
            Some(kind) => paper::told_kinds(&[kind], meaning, lang.tongue()),
            None => vec![name.to_owned()],
        })
        .collect()
}

fn side<'a>(change: &'a Value, side: &str, name: &str) -> Option<&'a str> {
    change.get(side).and_then(|s| s.get(name)).and_then(Value::as_str)
}

fn code(change: &Value) -> String {
    let uuid = || change["uuid"].as_str().unwrap_or_default();
    let before = side(change, "before", "notation");
    let after = side(change, "after", "notation");
    match (before, after) {
        (Some(before), Some(after)) if before != after => format!("{before} → {after}"),
        (before, after) => after.or(before).unwrap_or_else(uuid).to_owned(),
    }
}

/// The term before and after, and what replaces a retired concept.
fn label(change: &Value, lang: Lang) -> String {
    let (before, after) = (side(change, "before", "label"), side(change, "after", "label"));
    let mut label = match (before, after) {
        (Some(before), Some(after)) if before != after => format!("{before} → {after}"),
        (before, after) => after.or(before).unwrap_or_default().to_owned(),
    };
    let by = change["replacedBy"].as_array().into_iter().flatten();
    let by: Vec<&str> = by.filter_map(|other| other["notation"].as_str().or(other["label"].as_str())).collect();
    if !by.is_empty() {
        let by = by.join(", ");
        label.push_str(&say!(lang, " (erstattet af {by})", " (replaced by {by})"));
    }
    label
}

fn fields(change: &Value, paint: Paint) -> String {
    let mut text = String::new();
    for field in change["fields"].as_array().into_iter().flatten() {
        let name = field["field"].as_str().unwrap_or_default();
        // The number means nothing to people; that the order is another is told by the kind.
        if name == "rank" {
            continue;
        }
        for (side, sign) in [("before", "-"), ("after", "+")] {
            for value in field[side].as_array().into_iter().flatten() {
                let _ = writeln!(text, "     {} {name}: {}", paint.sign(sign), plain(value));
            }
        }
    }
    text
}

/// A value of a field in one line: its text, with what else is said of it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Value::Object(members) => {
            let main = ["value", "text", "target", "law"].into_iter().find(|name| members.contains_key(*name));
            let rest = members.iter().filter(|(name, _)| Some(name.as_str()) != main);
            let rest: Vec<String> = rest.map(|(_, v)| plain(v)).filter(|v| !v.is_empty()).collect();
            let head = main.map(|name| plain(&members[name])).unwrap_or_default();
            if rest.is_empty() { head } else { format!("{head} ({})", rest.join(", ")) }
        }
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_reads_as_a_sentence() {
        let diff =
            Diff { from: "1".into(), to: None, vocabulary: "v".into(), kind: None, details: true, migration: None };
        let answer = serde_json::json!({
            "vocabulary": "v",
            "from": {"version": {"label": "1", "effective": "2024-01-01T00:00:00Z"}, "valid": "2024-01-01T00:00:00Z", "concepts": 2},
            "to": {"valid": "2024-10-31T00:00:00Z", "concepts": 2},
            "counts": {"renamed": 1, "replaced": 1, "added": 1},
            "changes": [
                {"uuid": "u1", "kinds": ["renamed"], "before": {"notation": "Ø1", "label": "Pleje"},
                 "after": {"notation": "Ø1", "label": "Omsorg"},
                 "fields": [{"field": "terms", "before": [{"language": "da", "status": "preferred", "value": "Pleje"}], "after": []}]},
                {"uuid": "u2", "kinds": ["added"], "after": {"notation": "Ø22", "label": "Ny"}},
                {"uuid": "u3", "kinds": ["replaced"], "before": {"label": "Gammel"}, "replacedBy": [{"uuid": "u2", "notation": "Ø22", "label": "Ny"}]}
            ]
        });
        let text = diff.text(&answer, Lang::Da, Paint::none());
        let expected = "\
v: 1 (2 begreber) → 2024-10-31 (2 begreber)

  1  ny
  1  med nyt navn
  1  erstattet

~  Ø1   nyt navn   Pleje → Omsorg
     - terms: Pleje (da, preferred)
+  Ø22  ny         Ny
-  u3   erstattet  Gammel (erstattet af Ø22)
";
        assert_eq!(text, expected);
    }
}
