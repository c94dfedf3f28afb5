//! `begreb search`.

use std::fmt::Write as _;

use begreb::model::Refusal;
use begreb::registry::SearchFilter;
use serde_json::Value;

use super::Reading;
use crate::context::Context;
use crate::lang::{Lang, say, word};
use crate::print::{self, Paint, Table, wrap};
use crate::source::Source;
use crate::stop::{Result, Stop, named};
use crate::value::{list_of, plain};

const EXAMPLES: &str = "\
What is there about help at home; about exactly these words; which concept has the code J1.4?
  begreb search hjemmehjælp
  begreb search '\"praktisk hjælp\"'
  begreb search J1.4

Only in some vocabularies; only what stands below a concept; also what was said on a day?
  begreb search støtte --vocabulary fsiii,ffb
  begreb search hygiejne --vocabulary fsiii --under J
  begreb search plejebolig --date 2023-07-01
  begreb search tilsyn --status retired --sort term

What begins so, while one types; the answer of the API, for programs?
  begreb search --suggest hjem
  begreb search rengøring --limit 100 --json

Words may stand in any form and order; the last may be half a word. A concept is found by its terms, its codes,
its definitions and its notes, best first. docs/search.md tells all of it.
Exit code 0 also when nothing is found; 1 when the search is refused.";

/// The most hits that one answer has.
const LARGEST: u64 = 1000;

#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Search {
    /// What to search for
    #[arg(required = true, value_name = "WORDS")]
    words: Vec<String>,
    /// Only these vocabularies, with commas between: fsiii,ffb
    #[arg(long, value_name = "SLUGS")]
    vocabulary: Option<String>,
    /// Only vocabularies of these kinds: terminology, classification, codeList, legalBasis
    #[arg(long, value_name = "KINDS")]
    kind: Option<String>,
    /// Only concepts that stand so: inForce, future, retired
    #[arg(long, value_name = "STATUSES")]
    status: Option<String>,
    /// Only texts in this language: da, en
    #[arg(long, value_name = "TAG")]
    text_language: Option<String>,
    /// Only concepts of this facet
    #[arg(long, value_name = "CODE")]
    facet: Option<String>,
    /// Only this concept and what stands below it (with one --vocabulary)
    #[arg(long, value_name = "KEY")]
    under: Option<String>,
    /// Only this level; 1 is the top
    #[arg(long, value_name = "NUMBER")]
    level: Option<u16>,
    /// Only concepts with a mapping to this vocabulary or IRI
    #[arg(long, value_name = "SLUG|IRI")]
    mapping: Option<String>,
    /// The order of hits: relevance, term or notation
    #[arg(long, value_name = "ORDER", default_value = "relevance", conflicts_with = "suggest")]
    sort: String,
    /// How many at most: 1 to 1000, of suggestions 1 to 100 [default: 20, of suggestions 10]
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
    /// Go on where an answer ended: its `next`, with all else as it was
    #[arg(long, value_name = "CURSOR", conflicts_with = "suggest")]
    cursor: Option<String>,
    /// Complete what is being typed, instead of searching
    #[arg(long)]
    suggest: bool,
    #[command(flatten)]
    reading: Reading,
}

impl Search {
    pub async fn run(self, context: &Context) -> Result {
        let (lang, at) = (context.lang, self.reading.at());
        let sort = match self.sort.as_str() {
            // The usual order is not asked for, so that cursors agree with those of the API.
            "relevance" => None,
            "term" => Some(begreb::registry::Sort::Term),
            "notation" => Some(begreb::registry::Sort::Notation),
            other => return Err(unknown_order(other)),
        };
        let text = self.words.join(" ");
        let filter = SearchFilter {
            q: Some(text.clone()),
            vocabulary: self.vocabulary,
            kind: self.kind,
            status: self.status,
            language: self.text_language,
            facet: self.facet,
            under: self.under,
            level: self.level,
            mapping: self.mapping,
            sort,
        };
        let work = async |source: &Source<'_>| {
            let answer = match self.suggest {
                true => source.suggest(&filter, &at, self.limit.unwrap_or(10)).await?,
                false => source.search(&filter, &at, self.limit.unwrap_or(20), self.cursor.as_deref()).await?,
            };
            if context.json {
                print::out(&format!("{answer}\n"));
                return Ok(());
            }
            let answer = source.read(&answer)?;
            let (paint, width) = (Paint::stdout(), print::width());
            print::out(&match self.suggest {
                true => suggestions(&answer, &text, lang),
                false => hits(&answer, &text, self.cursor.is_some(), lang, paint, width),
            });
            Ok(())
        };
        context.reading(work).await
    }
}

fn unknown_order(order: &str) -> Stop {
    let (da, en) = (format!("»{order}« er ingen rækkefølge"), format!("'{order}' is no order"));
    let refusal = Refusal::new(begreb::model::Code::InvalidParameter, da, en);
    Stop::usage(refusal.at(named("--sort")).allowed(["relevance", "term", "notation"]))
}

/// The answer of a search, to be read in a terminal.
fn hits(answer: &Value, asked: &str, is_later: bool, lang: Lang, paint: Paint, width: usize) -> String {
    let total = answer["total"].as_u64().unwrap_or(0);
    let mut text = String::new();
    for correction in list_of(&answer["corrections"]).iter().filter(|_| total > 0) {
        let word = plain(&correction["word"]);
        let taken: Vec<String> = list_of(&correction["taken"]).iter().map(plain).collect();
        let taken = taken.join(", ");
        let said = say!(
            lang,
            "Viser resultater for {taken} i stedet for »{word}«.",
            "Showing results for {taken} instead of '{word}'."
        );
        let _ = writeln!(text, "{said}");
    }
    if total == 0 {
        let said = say!(lang, "Intet fundet for »{asked}«.", "Nothing found for '{asked}'.");
        let _ = writeln!(text, "{said}");
        return text;
    }
    if answer["partial"] == true {
        text.push_str(lang.say(
            "Intet begreb har alle ordene; disse har nogle af dem.\n",
            "No concept has all the words; these have some of them.\n",
        ));
    }
    let counts = answer["vocabularies"].as_object().into_iter().flatten();
    let counts: Vec<String> = counts.map(|(slug, n)| format!("{slug} {n}")).collect();
    let counts = counts.join(", ");
    let head = match total {
        1 => say!(lang, "1 begreb: {counts}", "1 concept: {counts}"),
        _ => say!(lang, "{total} begreber: {counts}", "{total} concepts: {counts}"),
    };
    let _ = writeln!(text, "{head}\n");
    let shown = list_of(&answer["hits"]);
    for found in shown {
        hit(&mut text, found, lang, paint, width);
    }
    if let Some(next) = answer["next"].as_str() {
        let n = shown.len() as u64;
        let hint = match total {
            total if total <= LARGEST && !is_later => {
                say!(
                    lang,
                    "{n} af {total} er vist; --limit {total} viser alle",
                    "{n} of {total} shown; --limit {total} shows all"
                )
            }
            _ => say!(lang, "Der er flere: --cursor {next}", "There are more: --cursor {next}"),
        };
        let _ = writeln!(text, "{hint}");
    }
    text
}

/// One hit: its name and place, and the text that answers best where that is not its name.
fn hit(text: &mut String, hit: &Value, lang: Lang, paint: Paint, width: usize) {
    let label = plain(&hit["label"]);
    let matches = list_of(&hit["matches"]);
    let whole = |m: &Value| list_of(&m["pieces"]).iter().map(|p| plain(&p["text"])).collect::<String>();
    let in_label = matches.iter().find(|m| m["field"] == "term" && whole(m) == label);
    let in_notation = matches.iter().find(|m| m["field"] == "notation");
    let notation = in_notation.map_or_else(|| plain(&hit["notation"]), |m| pieces(m, paint));
    let label = in_label.map_or(label, |m| pieces(m, paint));
    let mut head = if notation.is_empty() { label } else { format!("{notation}  {label}") };
    let _ = write!(head, "  ({})", plain(&hit["vocabulary"]));
    if hit["status"] != "inForce" {
        let _ = write!(head, "  [{}]", word(lang, &plain(&hit["status"])));
    }
    let _ = writeln!(text, "{head}");
    let mut line = |title: &str, value: &str| {
        let title = if title.is_empty() { String::new() } else { format!("{title}: ") };
        for part in wrap(&format!("{title}{value}"), width.saturating_sub(4)) {
            let _ = writeln!(text, "    {part}");
        }
    };
    let above: Vec<String> = list_of(&hit["broader"]).iter().map(|b| plain(&b["label"])).collect();
    if !above.is_empty() {
        line(lang.say("under", "under"), &above.join("; "));
    }
    if let Some(instead) = hit["useInstead"].as_str() {
        line("", &say!(lang, "brug {instead}", "use {instead}"));
    }
    for by in list_of(&hit["replacedBy"]) {
        let by = format!("{} {}", plain(&by["notation"]), plain(&by["label"]));
        line(lang.say("erstattet af", "replaced by"), by.trim());
    }
    // What the first line has marked already is not told again.
    if let Some(best) = matches.first().filter(|m| Some(*m) != in_label && Some(*m) != in_notation) {
        line(field(best, lang), &pieces(best, paint));
    }
}

/// What a text of a concept is called.
fn field(matched: &Value, lang: Lang) -> &str {
    match matched["field"].as_str().unwrap_or_default() {
        "term" => match matched["status"].as_str() {
            Some("preferred") | None => lang.say("term", "term"),
            Some("admitted") => lang.say("også kaldt", "also called"),
            Some(_) => lang.say("frarådet term", "deprecated term"),
        },
        "alias" => lang.say("anden kode", "other code"),
        "definition" => lang.say("definition", "definition"),
        "legalBasis" => lang.say("retsgrundlag", "legal basis"),
        "note" => matched["kind"].as_str().map_or("note", |kind| word(lang, kind)),
        other => word(lang, other),
    }
}

/// A text in one line, with what answers marked where a terminal shows it.
fn pieces(matched: &Value, paint: Paint) -> String {
    let one = |piece: &Value| {
        let text = plain(&piece["text"]).replace(['\n', '\r', '\t'], " ");
        if piece["match"] == true { paint.bold(&text) } else { text }
    };
    list_of(&matched["pieces"]).iter().map(one).collect()
}

/// Suggestions, to be read in a terminal.
fn suggestions(answer: &Value, asked: &str, lang: Lang) -> String {
    let mut table = Table::default();
    for found in list_of(&answer["suggestions"]) {
        let status = plain(&found["status"]);
        let mut more = Vec::new();
        if let Some(instead) = found["useInstead"].as_str() {
            more.push(say!(lang, "brug {instead}", "use {instead}"));
        } else if found["matched"] != found["label"] {
            more.push(plain(&found["label"]));
        }
        if status != "inForce" {
            more.push(format!("[{}]", word(lang, &status)));
        }
        let (notation, matched) = (plain(&found["notation"]), plain(&found["matched"]));
        table.row([matched, plain(&found["vocabulary"]), notation, more.join("  ")]);
    }
    match table.is_empty() {
        true => say!(lang, "Intet begynder med »{asked}«.\n", "Nothing begins with '{asked}'.\n"),
        false => table.text(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_read_in_a_terminal() {
        let answer = serde_json::json!({
            "total": 3, "partial": false, "vocabularies": {"v": 3}, "statuses": {"inForce": 2, "retired": 1},
            "corrections": [{"word": "plje", "taken": ["pleje"]}],
            "hits": [
                {"uuid": "u1", "vocabulary": "v", "status": "inForce", "notation": "Ø1", "label": "Pleje",
                 "broader": [{"uuid": "u0", "label": "Omsorg"}], "why": "terms",
                 "matches": [{"field": "term", "status": "preferred", "pieces": [{"text": "Pleje", "match": true}]}]},
                {"uuid": "u2", "vocabulary": "v", "status": "retired", "label": "Omsorg", "broader": [], "why": "otherTerm",
                 "useInstead": "Støtte", "replacedBy": [{"uuid": "u1", "notation": "Ø1", "label": "Pleje"}],
                 "matches": [{"field": "term", "status": "deprecated",
                              "pieces": [{"text": "Røgt og "}, {"text": "pleje", "match": true}]}]}
            ],
            "next": "abc"
        });
        let text = hits(&answer, "plje", false, Lang::Da, Paint::none(), usize::MAX);
        let expected = "\
Viser resultater for pleje i stedet for »plje«.
3 begreber: v 3

Ø1  Pleje  (v)
    under: Omsorg
Omsorg  (v)  [udgået]
    brug Støtte
    erstattet af: Ø1 Pleje
    frarådet term: Røgt og pleje
2 af 3 er vist; --limit 3 viser alle
";
        assert_eq!(text, expected);
        let none = serde_json::json!({"total": 0, "partial": false, "vocabularies": {}, "statuses": {}, "hits": []});
        let text = hits(&none, "x", false, Lang::En, Paint::none(), 80);
        assert_eq!(text, "Nothing found for 'x'.\n");
    }

    #[test]
    fn suggestions_say_what_to_use() {
        let answer = serde_json::json!({"suggestions": [
            {"matched": "Pleje", "label": "Pleje", "vocabulary": "v", "status": "inForce", "notation": "Ø1"},
            {"matched": "Plejning", "label": "Pleje", "vocabulary": "v", "status": "future", "useInstead": "Pleje"}
        ]});
        assert_eq!(
            suggestions(&answer, "pl", Lang::En),
            "Pleje     v  Ø1\nPlejning  v      use Pleje  [not yet in force]\n"
        );
    }
}
