//! Suggestions as you type: names and notations that begin so.

use std::sync::Arc;

use uuid::Uuid;

use super::fold::{code_key, name_key, sort_key, words};
use super::index::kind;
use super::lexicon::Ask;
use super::moment::{Standing, stands_for};
use super::{Question, Search, asked};
use crate::model::{Code, Place, Refusal, Result, TermStatus};
use crate::projection::plane::Plane;
use crate::projection::said::Saying;

/// A suggested concept.
pub struct Suggested {
    /// The vocabulary.
    pub plane: Arc<Plane>,
    /// What is said.
    pub saying: Arc<Saying>,
    /// Its standing.
    pub standing: Standing,
    /// The term or the notation that begins so.
    pub matched: String,
    /// The status of the term; `None` for a notation.
    pub status: Option<TermStatus>,
    /// What to use instead of a deprecated term.
    pub use_instead: Option<String>,
}

/// What is to be completed.
pub struct Beginning<'a> {
    /// What was typed, and where it is looked for.
    pub question: Question<'a>,
    /// The most suggestions.
    pub limit: usize,
}

/// The kinds of name, best first, with whether the name itself begins so or one of its later words.
const KINDS: [char; 5] = [kind::PREFERRED, kind::CODE, kind::OTHER, kind::LATER, kind::LATER_OTHER];

impl Search {
    /// Suggests concepts of which a preferred, admitted or deprecated term or the notation begins with what was typed,
    /// or has a later word that does. What nothing begins with is taken for misspelt.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] for a text without a letter or digit, [`Code::TooLarge`] for one that is too long.
    pub fn suggest(&self, beginning: &Beginning<'_>) -> Result<Vec<Suggested>> {
        let text = beginning.question.text;
        if text.chars().take(asked::LONGEST_QUERY + 1).count() > asked::LONGEST_QUERY {
            return Err(Refusal::new(Code::TooLarge, "teksten er for lang", "the text is too long")
                .at(Place::field("q"))
                .allowed([format!("1..{} characters", asked::LONGEST_QUERY)]));
        }
        let (name, code) = (name_key(text), code_key(text));
        if name.is_empty() {
            return Err(Refusal::new(
                Code::InvalidParameter,
                "der er intet bogstav eller tal at begynde med",
                "there is no letter or digit to begin with",
            )
            .at(Place::field("q"))
            .allowed(["hjem", "J1"]));
        }
        let mut found = self.begun(beginning, &name, &code);
        if found.is_empty() {
            for corrected in self.corrected(text, beginning.question.language) {
                found.extend(self.begun(beginning, &corrected, &corrected));
            }
            found.sort_unstable_by_key(|(key, _)| *key);
            found.dedup_by_key(|(_, number)| *number);
        }
        // Codes come in their own order: J1.2 before J1.10, however long the names are.
        found.sort_by_cached_key(|((rank, standing, length, concept), number)| {
            let notation = || {
                let leaf = self.leaves.get(*number as usize)?;
                let plane = &self.planes[leaf.brief.vocabulary as usize];
                let (saying, _) = stands_for(plane, leaf.concept, beginning.question.at)?;
                saying.state.content().notation.as_deref().map(sort_key)
            };
            let code = if KINDS[*rank] == kind::CODE { notation() } else { None };
            (*rank, *standing, code, *length, *concept)
        });
        let suggestions =
            found.into_iter().filter_map(|((kind, ..), number)| self.suggested(beginning, number, kind, &name));
        Ok(suggestions.take(beginning.limit).collect())
    }

    /// The concepts that begin so, best first: each once, a little more than are wanted.
    fn begun(&self, beginning: &Beginning<'_>, name: &str, code: &str) -> Vec<((usize, Standing, u8, Uuid), u32)> {
        let question = &beginning.question;
        let (moment, passes) = (self.moment(question.at), self.filter(question));
        let mut found: Vec<((usize, Standing, u8, Uuid), u32)> = Vec::new();
        for (rank, kind) in KINDS.into_iter().enumerate() {
            let key = if kind == kind::CODE { code } else { name };
            let mut taken = |number: u32| {
                let leaf = &self.leaves[number as usize];
                let standing = moment.standing(number).filter(|s| passes.as_ref().is_none_or(|p| p(number, *s)));
                if let Some(standing) = standing {
                    found.push(((rank, standing, leaf.brief.length, leaf.concept), number));
                }
                standing.is_some()
            };
            if kind == kind::CODE {
                self.shelf.first_codes(key, beginning.limit * 4, &mut taken);
            }
            let mut take = |number: u32| _ = taken(number);
            let languages = self.lexicon.languages().filter(|l| question.language.is_none_or(|wanted| wanted == *l));
            match kind {
                kind::CODE => {}
                _ => languages.for_each(|language| self.shelf.with_start(kind, language, key, &mut take)),
            }
            if kind == kind::LATER_OTHER {
                self.shelf.with_start(kind, "", key, &mut take);
            }
            // What begins so in a better way fills the list.
            if found.len() >= beginning.limit * 4 {
                break;
            }
        }
        let most = beginning.limit * 8;
        if found.len() > most {
            found.select_nth_unstable_by_key(most, |(key, _)| *key);
            found.truncate(most);
        }
        found.sort_unstable_by_key(|(key, _)| *key);
        let mut seen = std::collections::HashSet::new();
        found.retain(|((.., concept), _)| seen.insert(*concept));
        found
    }

    /// What was typed, with its last word spelt as words near it are.
    fn corrected(&self, text: &str, language: Option<&str>) -> Vec<String> {
        let Some(last) = words(text).last() else { return Vec::new() };
        let before = name_key(&text[..last.start]);
        let ask = Ask { language, prefix: true, correct: true, exact: false };
        let corrections = self.lexicon.expand(&last.text.to_lowercase(), ask).corrections;
        let whole = |word: String| if before.is_empty() { word } else { format!("{before}_{word}") };
        corrections.into_iter().map(whole).collect()
    }

    fn suggested(&self, beginning: &Beginning<'_>, number: u32, rank: usize, name: &str) -> Option<Suggested> {
        let leaf = self.leaves.get(number as usize)?;
        let plane = self.planes[leaf.brief.vocabulary as usize].clone();
        let (saying, standing) = stands_for(&plane, leaf.concept, beginning.question.at)?;
        let saying = saying.clone();
        let content = saying.state.content().content();
        let fields = content.fields();
        let wanted = |status| match KINDS[rank] {
            kind::PREFERRED => status == TermStatus::Preferred,
            kind::OTHER => matches!(status, TermStatus::Admitted | TermStatus::Deprecated),
            _ => status != TermStatus::Hidden,
        };
        let of_language = |l: &str| beginning.question.language.is_none_or(|wanted| wanted == l);
        let terms = || fields.terms.iter().filter(|t| wanted(t.status) && of_language(t.language.primary()));
        let is_later = |text: &str| format!("_{}", name_key(text)).contains(&format!("_{name}"));
        let notation = || fields.notation.as_deref().filter(|n| KINDS[rank] == kind::CODE || is_later(n));
        let found = match KINDS[rank] {
            kind::CODE => None,
            _ => {
                terms().find(|t| name_key(&t.value).starts_with(name)).or_else(|| terms().find(|t| is_later(&t.value)))
            }
        };
        // A correction begins otherwise than what was typed: the first term that may be meant stands for it.
        let (matched, status, use_instead) = match (found, notation()) {
            (Some(term), _) => (term.value.clone(), Some(term.status), term.use_instead.clone()),
            (None, Some(notation)) => (notation.to_owned(), None, None),
            (None, None) => terms().next().map(|t| (t.value.clone(), Some(t.status), t.use_instead.clone()))?,
        };
        Some(Suggested { plane, saying, standing, matched, status, use_instead })
    }
}
