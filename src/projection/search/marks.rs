//! Why a hit is there: which texts of the concept answer the query, and which of their words.

use std::collections::HashMap;

use super::fold::{code_key, fold, words};
use super::lexicon::{How, Lexicon, lemma, token};
use super::rank::{Expanded, Tier};
use super::{Hit, Hits, Search};
use crate::model::{NoteKind, TermStatus};

/// The longest text that is shown whole, in characters; of a longer one the part around the first marked word.
const LONGEST_TEXT: usize = 240;
/// How much of a longer text stands before its first marked word, in characters.
const BEFORE: usize = 80;

/// A piece of a text, marked or not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fragment {
    /// The piece.
    pub text: String,
    /// Whether it answers the query.
    pub marked: bool,
}

/// Which part of a concept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Why {
    /// The notation.
    Notation,
    /// Another identifier.
    Alias,
    /// A term.
    Term(TermStatus),
    /// A definition.
    Definition,
    /// A note.
    Note(NoteKind),
    /// A law it rests on.
    LegalBasis,
}

/// A text that answers the query.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Matched {
    /// Which part of the concept it is.
    pub field: Why,
    /// Its language.
    pub language: Option<String>,
    /// How the closest of its words answers.
    pub how: How,
    /// How many of the query's words it answers.
    pub words: usize,
    /// The text, in pieces.
    pub fragments: Vec<Fragment>,
    /// What to use instead of a deprecated term.
    pub use_instead: Option<String>,
}

/// What marks the texts of the hits of a search.
pub struct Pen<'a> {
    hits: &'a Hits,
    lexicon: &'a Lexicon,
    expanded: &'a Expanded,
    /// For each word of a text, which asked word it answers and how.
    wanted: HashMap<&'a str, Vec<(usize, How)>>,
}

/// What a pen did to a text.
#[derive(Default)]
struct Marked {
    ranges: Vec<(usize, usize)>,
    how: Option<How>,
    answered: Vec<usize>,
}

impl Marked {
    fn add(&mut self, from: usize, to: usize, how: How, asked: usize) {
        self.ranges.push((from, to));
        self.how = Some(self.how.map_or(how, |known| known.min(how)));
        if !self.answered.contains(&asked) {
            self.answered.push(asked);
        }
    }
}

impl<'a> Pen<'a> {
    fn new(lexicon: &'a Lexicon, hits: &'a Hits) -> Self {
        let expanded = &hits.expanded;
        let mut wanted: HashMap<&str, Vec<(usize, How)>> = HashMap::new();
        for (i, forms) in expanded.forms.iter().enumerate() {
            for form in forms.forms.iter().chain(forms.parts.iter().flatten()) {
                wanted.entry(&form.token).or_default().push((i, form.how));
            }
        }
        Self { hits, lexicon, expanded, wanted }
    }

    fn mark(&self, language: &str, text: &str) -> Marked {
        let mut marked = Marked::default();
        let found: Vec<_> = words(text).map(|word| (word, word.folded())).collect();
        for (word, folded) in &found {
            for (asked, how) in self.wanted.get(&*token(language, folded)).into_iter().flatten() {
                let (from, to) = self.within(language, word.text, *asked, *how);
                marked.add(word.start + from, word.start + to, *how, *asked);
            }
        }
        for (i, phrase) in self.expanded.asked.phrases.iter().enumerate() {
            for run in found.windows(phrase.len()) {
                if run.iter().map(|(_, folded)| folded).eq(phrase) {
                    let (from, to) = (run[0].0.start, run[run.len() - 1].0.end());
                    marked.add(from, to, How::Exact, self.expanded.forms.len() + i);
                }
            }
        }
        marked
    }

    /// The part of a word that answers: of a compound the part that was asked for, of a longer word its beginning.
    fn within(&self, language: &str, word: &str, asked: usize, how: How) -> (usize, usize) {
        let typed = &self.expanded.asked.words[asked].text;
        match how {
            How::Head | How::Part => {
                let lower = word.to_lowercase();
                // Where lower case takes more room, places in it are not places in the word.
                if lower.len() != word.len() {
                    return (0, word.len());
                }
                let wanted = [lemma(language, typed), lemma(language, &fold(typed))];
                let parts = self.lexicon.parts(language, &lower);
                let part = parts.iter().find(|p| wanted.contains(&p.lemma));
                let part = part.filter(|p| word.is_char_boundary(p.start) && word.is_char_boundary(p.end));
                part.map_or((0, word.len()), |p| (p.start, p.end))
            }
            How::Prefix => {
                let typed = fold(typed);
                let ends = word.char_indices().map(|(i, c)| i + c.len_utf8());
                let end = ends.into_iter().find(|end| fold(&word[..*end]).chars().count() >= typed.chars().count());
                // An accent that stands apart belongs to the letter before it.
                let end = end.unwrap_or(word.len());
                let accents = word[end..].chars().take_while(|c| ('\u{300}'..='\u{36f}').contains(c));
                (0, end + accents.map(char::len_utf8).sum::<usize>())
            }
            _ => (0, word.len()),
        }
    }
}

/// A text cut into pieces; a long one around its first marked word.
fn fragments(text: &str, mut ranges: Vec<(usize, usize)>) -> Vec<Fragment> {
    ranges.sort_unstable();
    let first = ranges.first().map_or(0, |r| r.0);
    let (from, to) = window(text, first);
    let mut pieces = Vec::new();
    let mut push = |text: &str, marked: bool| {
        if !text.is_empty() {
            pieces.push(Fragment { text: text.to_owned(), marked });
        }
    };
    if from > 0 {
        push("…", false);
    }
    let mut at = from;
    for (start, end) in ranges {
        let (start, end) = (start.max(at), end.min(to));
        if start < end {
            push(&text[at..start], false);
            push(&text[start..end], true);
            at = end;
        }
    }
    push(&text[at..to], false);
    if to < text.len() {
        push("…", false);
    }
    pieces
}

/// The part of a text that is shown, in whole words.
fn window(text: &str, first: usize) -> (usize, usize) {
    if text.chars().count() <= LONGEST_TEXT {
        return (0, text.len());
    }
    let before = text[..first].char_indices().rev().nth(BEFORE).map_or(0, |(i, _)| i);
    let from = text[before..first].find(' ').filter(|_| before > 0).map_or(before, |n| before + n + 1);
    let end = text[from..].char_indices().nth(LONGEST_TEXT).map_or(text.len(), |(i, _)| from + i);
    let to = text[from..end].rfind(' ').filter(|_| end < text.len()).map_or(end, |n| from + n);
    // A word longer than the window is shown as far as it fits.
    (from, if to > first { to } else { end })
}

impl Search {
    /// What marks the texts of hits.
    #[must_use]
    pub fn pen<'a>(&'a self, hits: &'a Hits) -> Pen<'a> {
        Pen::new(&self.lexicon, hits)
    }
}

impl Pen<'_> {
    /// The texts of a hit that answer the query, those that answer most of its words first; at most `most`.
    #[must_use]
    pub fn why(&self, hit: &Hit, most: usize) -> Vec<Matched> {
        let (pen, hits) = (self, self.hits);
        let content = hit.saying.state.content().content();
        let fields = content.fields();
        let mut found: Vec<Matched> = Vec::new();
        let mut take = |field, language: Option<&str>, text: &str, marked: Marked, use_instead: Option<&str>| {
            if let Some(how) = marked.how {
                let (words, fragments) = (marked.answered.len(), fragments(text, marked.ranges));
                let (language, use_instead) = (language.map(ToOwned::to_owned), use_instead.map(ToOwned::to_owned));
                found.push(Matched { field, language, how, words, fragments, use_instead });
            }
        };
        let asked = &hits.expanded.asked;
        let wanted = |language: &str| hits.language().is_none_or(|l| l == language);
        let coded = |code: &str| {
            let key = code_key(code);
            let pieces = asked.words.iter().filter_map(|w| w.code.as_deref());
            let is_asked = pieces.chain([&*asked.code]).any(|asked| asked == key);
            let begins = hit.tier >= Tier::Prefix && !asked.code.is_empty() && key.starts_with(&asked.code);
            let mut marked = pen.mark("da", code);
            if is_asked || begins {
                let how = if is_asked { How::Exact } else { How::Prefix };
                marked = Marked {
                    ranges: vec![(0, code.len())],
                    how: Some(how),
                    answered: (0..asked.words.len()).collect(),
                };
            } else if !code.contains(' ') {
                marked = Marked::default();
            }
            marked
        };
        for term in &fields.terms {
            let language = term.language.primary();
            if wanted(language) {
                let mut marked = pen.mark(language, &term.value);
                // A hidden term is found by, and never shown.
                let is_hidden = term.status == TermStatus::Hidden;
                let shown = if is_hidden { "" } else { &*term.value };
                if is_hidden {
                    marked.ranges.clear();
                }
                take(Why::Term(term.status), Some(term.language.as_str()), shown, marked, term.use_instead.as_deref());
            }
        }
        if let Some(notation) = &fields.notation {
            take(Why::Notation, None, notation, coded(notation), None);
        }
        for alias in &fields.aliases {
            take(Why::Alias, None, &alias.value, coded(&alias.value), None);
        }
        for definition in fields.definitions.iter().filter(|d| wanted(d.language.primary())) {
            let marked = pen.mark(definition.language.primary(), &definition.text);
            take(Why::Definition, Some(definition.language.as_str()), &definition.text, marked, None);
        }
        for note in fields.notes.iter().filter(|n| wanted(n.language.primary())) {
            let marked = pen.mark(note.language.primary(), &note.text);
            take(Why::Note(note.kind), Some(note.language.as_str()), &note.text, marked, None);
        }
        for basis in &fields.legal_basis {
            let text = format!("{} {}", basis.law, basis.paragraph.as_deref().unwrap_or_default());
            let marked = pen.mark("da", text.trim_end());
            take(Why::LegalBasis, None, text.trim_end(), marked, None);
        }
        // The text that answers most words comes first; of equals, the closest, in the order of the fields.
        found.sort_by_key(|m| (std::cmp::Reverse(m.words), matches!(m.field, Why::Definition | Why::Note(_)), m.how));
        found.truncate(most);
        found
    }
}

impl Hits {
    fn language(&self) -> Option<&str> {
        self.expanded.language()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_around_the_first_mark() {
        let text = format!("{}hjælp {}", "ord ".repeat(100), "mere ".repeat(100));
        let at = text.find("hjælp").unwrap();
        let pieces = fragments(&text, vec![(at, at + "hjælp".len())]);
        assert_eq!(pieces.iter().filter(|p| p.marked).map(|p| &*p.text).collect::<Vec<_>>(), ["hjælp"]);
        assert!(pieces[0].text == "…" && pieces.last().unwrap().text == "…");
        let shown: String = pieces.iter().map(|p| &*p.text).collect();
        assert!(shown.chars().count() <= LONGEST_TEXT + 2 && shown.starts_with("…ord"), "{shown}");
    }

    #[test]
    fn marks_that_overlap_are_one() {
        let pieces = fragments("abcdef", vec![(1, 3), (0, 2), (2, 4)]);
        assert_eq!(
            pieces.iter().map(|p| (&*p.text, p.marked)).collect::<Vec<_>>(),
            [("ab", true), ("c", true), ("d", true), ("ef", false)]
        );
    }
}
