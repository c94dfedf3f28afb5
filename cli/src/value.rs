//! What stands in an answer, as it is shown.

use serde_json::Value;

use crate::lang::Lang;

/// A text of a list, in the language where there is one, else the first.
pub fn chosen(texts: &Value, lang: Lang, member: &str) -> String {
    let texts = list_of(texts);
    let own = texts.iter().find(|t| t["language"].as_str().is_some_and(|l| l.split('-').next() == Some(lang.tag())));
    own.or(texts.first()).map(|t| plain(&t[member])).unwrap_or_default()
}

/// The preferred term.
pub fn chosen_term(content: &Value, lang: Lang) -> String {
    let preferred = list_of(&content["terms"]).iter().filter(|t| t["status"] == "preferred").cloned();
    chosen(&Value::Array(preferred.collect()), lang, "value")
}

/// A value without quotes; nothing for what is absent.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The members of a list; none where there is no list.
pub fn list_of(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
