//! What was typed into a search box, taken apart: words, phrases in quotes, and the whole as a name or a code.

use super::danish::is_empty_word;
use super::fold::{code_key, name_key, words};
use crate::model::{Code, Place, Refusal, Result};

/// The longest query, in characters.
pub const LONGEST_QUERY: usize = 500;
/// The most words and phrases in a query.
const MOST_WORDS: usize = 32;

/// A word that was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AskedWord {
    /// In lower case, as it was typed.
    pub text: String,
    /// The code that it is, or is a part of: the `4` of `J1.4`.
    pub code: Option<String>,
    /// Whether it may be half a word: nothing was typed after it.
    pub half: bool,
}

/// A query, taken apart.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Asked {
    /// The words outside quotes.
    pub words: Vec<AskedWord>,
    /// The phrases in quotes, as folded words.
    pub phrases: Vec<Vec<String>>,
    /// The whole as a name.
    pub name: String,
    /// The whole as a code.
    pub code: String,
    /// Whether it begins with a paragraph sign: the paragraph of whatever law.
    pub is_paragraph: bool,
}

/// Takes a query apart. A quote without its pair is a letter like any other that is no part of a word.
///
/// # Errors
/// [`Code::InvalidParameter`] for a query without a word, [`Code::TooLarge`] for one that is too long.
pub fn take_apart(text: &str) -> Result<Asked> {
    let refuse = |code, da: String, en: String| Err(Refusal::new(code, da, en).at(Place::field("q")));
    let long = text.chars().take(LONGEST_QUERY + 1).count() > LONGEST_QUERY;
    if long {
        let (da, en) = ("søgningen er for lang".into(), "the query is too long".into());
        return refuse(Code::TooLarge, da, en).map_err(|r| r.allowed([format!("1..{LONGEST_QUERY} characters")]));
    }
    let mut asked = Asked { name: name_key(text), code: code_key(text), ..Asked::default() };
    asked.is_paragraph = text.trim_start().starts_with('§');
    let mut rest = text;
    while let Some((before, quoted, after)) = quoted(rest) {
        asked.add_words(before);
        let phrase: Vec<String> = words(quoted).map(|w| w.folded()).collect();
        if !phrase.is_empty() {
            asked.phrases.push(phrase);
        }
        rest = after;
    }
    asked.add_words(rest);
    if let Some(last) = asked.words.last_mut() {
        last.half = text.ends_with(char::is_alphanumeric);
    }
    if asked.words.iter().any(|w| !is_empty_word(&w.text)) || !asked.phrases.is_empty() {
        asked.words.retain(|w| !is_empty_word(&w.text));
    }
    // What is asked for twice is asked for once.
    let mut seen = std::collections::HashSet::new();
    asked.words.retain(|w| seen.insert((w.text.clone(), w.code.clone(), w.half)));
    let count = asked.words.len() + asked.phrases.iter().map(Vec::len).sum::<usize>();
    if count == 0 {
        let (da, en) = ("der er intet ord at søge efter", "there is no word to search for");
        return refuse(Code::InvalidParameter, da.into(), en.into())
            .map_err(|r| r.allowed(["hjemmehjælp", "\"praktisk hjælp\"", "J1.4"]));
    }
    if count > MOST_WORDS {
        let (da, en) = (format!("søgningen har {count} ord"), format!("the query has {count} words"));
        return refuse(Code::TooLarge, da, en).map_err(|r| r.allowed([format!("1..{MOST_WORDS} words")]));
    }
    Ok(asked)
}

/// What stands before, in and after the first pair of quotes.
fn quoted(text: &str) -> Option<(&str, &str, &str)> {
    const QUOTES: [char; 5] = ['"', '“', '”', '„', '»'];
    let is_quote = |c: char| QUOTES.contains(&c) || c == '«';
    let open = text.find(is_quote)?;
    let after_open = open + text[open..].chars().next().map_or(1, char::len_utf8);
    let close = after_open + text[after_open..].find(is_quote)?;
    let after_close = close + text[close..].chars().next().map_or(1, char::len_utf8);
    Some((&text[..open], &text[after_open..close], &text[after_close..]))
}

impl Asked {
    fn add_words(&mut self, text: &str) {
        // A paragraph and its letter stand apart and are one word, so the text is read before its pieces are.
        let pieces: Vec<(usize, &str)> =
            text.split_whitespace().map(|piece| (piece.as_ptr() as usize - text.as_ptr() as usize, piece)).collect();
        for word in words(text) {
            let piece = pieces.iter().rev().find(|(start, _)| *start <= word.start).map_or("", |(_, piece)| piece);
            let is_code = piece.chars().any(|c| c.is_ascii_digit());
            let code = is_code.then(|| code_key(piece)).filter(|code| !code.is_empty());
            self.words.push(AskedWord { text: word.text.to_lowercase().replace(' ', ""), code, half: false });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_phrases_and_codes() {
        let asked = take_apart("støtte \"eget  Hjem\" i J1.4 hj").unwrap();
        let words: Vec<_> = asked.words.iter().map(|w| (&*w.text, w.code.as_deref(), w.half)).collect();
        assert_eq!(
            words,
            [("støtte", None, false), ("j1", Some("j1.4"), false), ("4", Some("j1.4"), false), ("hj", None, true)]
        );
        assert_eq!(asked.phrases, [["eget", "hjem"]]);
        assert_eq!(take_apart("SEL § 83 a").unwrap().words[1].text, "83a");
        assert_eq!(take_apart("i").unwrap().words.len(), 1, "an empty word alone is asked for");
        assert_eq!(take_apart("uparret \" anførsel").unwrap().words.len(), 2);
    }

    #[test]
    fn what_cannot_be_asked() {
        for (text, code) in [
            ("", Code::InvalidParameter),
            (" \t", Code::InvalidParameter),
            ("§§ !? ()", Code::InvalidParameter),
            ("\"\"", Code::InvalidParameter),
            (&"x".repeat(501), Code::TooLarge),
            (&(0..33).map(|i| format!("x{i} ")).collect::<String>(), Code::TooLarge),
        ] {
            assert_eq!(take_apart(text).unwrap_err().code, code, "{text:.20}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_query_is_taken_apart_or_refused(text in ".{0,600}") {
            let _ = take_apart(&text);
        }
    }
}
