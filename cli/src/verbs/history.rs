//! `begreb show … --history`: what is known of a concept at all times.

use serde_json::Value;

use crate::context::Context;
use crate::lang::Lang;
use crate::print::{self, Paint, Table, day};
use crate::source::Source;
use crate::stop::Result;
use crate::value::{chosen_term, plain};

/// Shows the history of a concept.
pub fn show(context: &Context, source: &Source<'_>, slug: &str, key: &str, ever: bool) -> Result {
    let lang = context.lang;
    let answer = source.history(slug, key, ever)?;
    if context.json {
        print::out(&format!("{answer}\n"));
        return Ok(());
    }
    let answer = source.read(&answer)?;
    let states = answer["states"].as_array().map(Vec::as_slice).unwrap_or_default();
    let last = states.last().map_or(&Value::Null, |s| &s["content"]);
    let head = format!("{}  {}", plain(&last["notation"]), chosen_term(last, lang));
    let mut text = format!("{}   ({slug}, {})\n\n", Paint::stdout().bold(head.trim()), plain(&answer["uuid"]));
    let is_said = |state: &&Value| state.get("registeredTo").is_none();
    let mut said: Vec<&Value> = states.iter().filter(is_said).collect();
    said.sort_by_key(|state| plain(&state["validFrom"]));
    let before: Vec<&Value> = states.iter().filter(|s| !is_said(s)).collect();
    text.push_str(&table(&said, versions, lang).text(""));
    if !before.is_empty() {
        let title = lang.say("Sagt tidligere og afløst af det ovenfor", "Said before, and replaced by the above");
        text.push_str(&format!("\n{title}\n"));
        text.push_str(&table(&before, versions, lang).text(""));
    }
    print::out(&text);
    Ok(())
}

fn versions(state: &Value) -> Vec<String> {
    state["versions"].as_array().into_iter().flatten().map(plain).collect()
}

fn table(states: &[&Value], versions: impl Fn(&Value) -> Vec<String>, lang: Lang) -> Table {
    let mut table = Table::default();
    let (da, en) = (
        ["gælder fra", "til", "registreret", "til", "kode", "term", "anderledes end før", "versioner"],
        ["valid from", "until", "registered", "until", "code", "term", "different from before", "versions"],
    );
    table.row(lang.say(da, en));
    let mut before: Option<&Value> = None;
    for state in states {
        let content = &state["content"];
        let date = |name: &str| state[name].as_str().map_or_else(|| "—".to_owned(), day);
        table.row([
            date("validFrom"),
            date("validTo"),
            date("registeredFrom"),
            date("registeredTo"),
            plain(&content["notation"]),
            chosen_term(content, lang),
            different(before, content),
            versions(state).join(", "),
        ]);
        before = Some(content);
    }
    table
}

/// The fields in which a content differs from the one before it.
fn different(before: Option<&Value>, after: &Value) -> String {
    let (Some(Value::Object(before)), Value::Object(after)) = (before, after) else { return String::new() };
    let mut names: Vec<&str> = before.keys().chain(after.keys()).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    // The number of a rank means nothing to people.
    names.retain(|name| *name != "rank" && before.get(*name) != after.get(*name));
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named() {
        let (a, b) =
            (serde_json::json!({"terms": [1], "rank": 1}), serde_json::json!({"terms": [2], "rank": 2, "notes": []}));
        assert_eq!(different(Some(&a), &b), "notes, terms");
        assert_eq!(different(None, &b), "");
    }
}
