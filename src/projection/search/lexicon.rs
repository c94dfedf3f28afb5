//! The words that stand in the indexed texts, language by language, and how they belong together: the index holds
//! words as they are written, and a search asks here for which words it is to look.
//!
//! So the index need never be written again because a word list or the splitting of compounds has changed.

use std::collections::BTreeMap;

use frostem::{Algorithm, Stemmer};

use super::danish::{self, Part};
use super::fold::{fold, unfold};
use super::near::{distance, tolerance};
use crate::projection::Map;

/// The most words that one asked word stands for in one way; the commonest are taken.
const MOST_FORMS: usize = 160;
/// The most corrections of a misspelt word.
const MOST_CORRECTIONS: usize = 6;
/// Terms of one word that are at least this long, in letters, may be parts of compounds.
const SHORTEST_KNOWN: usize = 6;

/// The parts of a concept that words stand in, as bits.
pub mod place {
    /// A preferred term.
    pub const PREFERRED: u8 = 1;
    /// An admitted, deprecated or hidden term, or a notation.
    pub const OTHER: u8 = 2;
    /// A definition.
    pub const DEFINITION: u8 = 4;
    /// A note or a legal basis.
    pub const NOTE: u8 = 8;
    /// A preferred term by itself: a word that is a term.
    pub const ALONE: u8 = 16;
    /// A term of any status.
    pub const TERM: u8 = PREFERRED | OTHER;
    /// All places, most telling first.
    pub const ALL: [u8; 4] = [PREFERRED, OTHER, DEFINITION, NOTE];
}

/// How a word of a text answers a word that was asked for; the closest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum How {
    /// The word itself.
    Exact,
    /// Another form of it: *indsatsen* for *indsats*.
    Inflected,
    /// A compound that it is the last part of: *hjemmehjælp* for *hjælp*.
    Head,
    /// A compound that it is another part of: *hjælpemiddel* for *hjælp*.
    Part,
    /// A word that begins with it.
    Prefix,
    /// A part of the compound that was asked for, where its other parts stand too: *støtte* and *uddannelse* for
    /// *uddannelsesstøtte*.
    Apart,
    /// A word that it may be misspelt for.
    Corrected,
}

/// A word that is to be looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Form {
    /// The word as the index has it: its language, a colon, the folded word.
    pub token: String,
    /// How it answers.
    pub how: How,
    /// The places where it stands anywhere.
    pub places: u8,
    /// In how many contents it stands.
    pub documents: u32,
}

/// What one asked word stands for.
#[derive(Clone, Default, Debug)]
pub struct Forms {
    /// The words to look for, the closest first, each once.
    pub forms: Vec<Form>,
    /// Of a compound, the words that its parts stand for: all parts together answer it too.
    pub parts: Vec<Vec<Form>>,
    /// How many concepts have the word or a form of it.
    pub documents: u32,
    /// The words that it was taken to be misspelt for.
    pub corrections: Vec<String>,
    /// Whether some text has the word, in this form or another.
    pub known: bool,
}

/// How often a word stands where.
#[derive(Clone, Debug)]
pub struct Count {
    /// The word in lower case, as it was first written.
    pub plain: Box<str>,
    /// In how many contents it stands, each place of a content counted once.
    pub documents: u32,
    /// The places where it stands anywhere.
    pub places: u8,
}

/// How often the words of a language stand where, by folded word.
pub type Counts = Map<Box<str>, Count>;

struct Entry {
    folded: Box<str>,
    documents: u32,
    places: u8,
    /// The parts of a compound; empty for a simple word.
    parts: Box<[Part]>,
    /// Which letters it has, one bit each: words of other letters are not near.
    letters: u32,
}

/// The words of one language.
struct Words {
    /// By folded word.
    list: Vec<Entry>,
    lemmas: Map<Box<str>, Vec<u32>>,
    /// The compounds with a part of a lemma, and whether it is their last.
    compounds: Map<Box<str>, Vec<(u32, bool)>>,
}

/// All words of the index.
#[derive(Default)]
pub struct Lexicon {
    languages: BTreeMap<Box<str>, Words>,
}

/// What all forms of a word (lower case) of a language share.
pub fn lemma(language: &str, word: &str) -> String {
    match language {
        "da" | "nb" | "nn" => danish::lemma(word),
        "en" => Stemmer::new(Algorithm::English).stem(word).into_owned(),
        _ => word.to_owned(),
    }
}

/// The lemma of a word with the parts it comes apart into: of a compound, its last part decides (*hjælpemidler* is
/// *hjælpemiddel*).
fn whole_lemma(language: &str, word: &str, parts: &[Part]) -> String {
    match parts.last() {
        Some(last) => format!("{}{}", &word[..last.start], last.lemma),
        None => lemma(language, word),
    }
}

fn letters(folded: &str) -> u32 {
    folded.bytes().filter(u8::is_ascii_lowercase).fold(0, |bits, b| bits | 1 << (b - b'a'))
}

/// What the index has for a folded word of a language.
pub fn token(language: &str, folded: &str) -> String {
    format!("{language}:{folded}")
}

impl Words {
    fn new(language: &str, counts: &Counts) -> Self {
        let mut words: Vec<_> = counts.iter().collect();
        words.sort_unstable_by(|a, b| a.0.cmp(b.0));
        let known: std::collections::HashSet<&str> = words
            .iter()
            .filter(|(_, c)| c.places & place::ALONE != 0 && c.plain.chars().count() >= SHORTEST_KNOWN)
            .map(|(_, c)| &*c.plain)
            .collect();
        let is_danish = language == "da";
        let mut this = Self { list: Vec::new(), lemmas: Map::default(), compounds: Map::default() };
        for (number, (folded, count)) in (0..).zip(words) {
            let parts = match is_danish {
                true => danish::split(&count.plain, &|part| known.contains(part)),
                false => Vec::new(),
            };
            for (i, part) in parts.iter().enumerate() {
                let compounds = this.compounds.entry(part.lemma.as_str().into()).or_default();
                compounds.push((number, i + 1 == parts.len()));
            }
            this.lemmas.entry(whole_lemma(language, &count.plain, &parts).into()).or_default().push(number);
            let (documents, places) = (count.documents, count.places);
            let letters = letters(folded);
            this.list.push(Entry { folded: folded.clone(), documents, places, parts: parts.into(), letters });
        }
        this
    }

    fn number(&self, folded: &str) -> Option<u32> {
        self.list.binary_search_by(|e| (*e.folded).cmp(folded)).ok().map(|i| i as u32)
    }

    fn entry(&self, number: u32) -> &Entry {
        &self.list[number as usize]
    }

    /// The lemmas of a word as it was typed: with its letters, and as folding may have hidden them.
    fn lemmas_of(&self, language: &str, typed: &str, folded: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for word in [typed, folded, &unfold(folded)] {
            let lemma = whole_lemma(language, word, &self.split(language, word));
            if !found.contains(&lemma) {
                found.push(lemma);
            }
        }
        found
    }

    /// The parts of a compound that need not stand in any text.
    fn split(&self, language: &str, word: &str) -> Vec<Part> {
        let is_term = |n: u32| self.entry(n).places & place::ALONE != 0;
        let known =
            |part: &str| part.chars().count() >= SHORTEST_KNOWN && self.number(&fold(part)).is_some_and(is_term);
        if language == "da" { danish::split(word, &known) } else { Vec::new() }
    }

    fn prefixed(&self, folded: &str) -> impl Iterator<Item = u32> + '_ {
        let from = self.list.partition_point(|e| &*e.folded < folded);
        let prefix = folded.to_owned();
        (from..self.list.len()).take_while(move |i| self.list[*i].folded.starts_with(&*prefix)).map(|i| i as u32)
    }

    /// The words that a misspelt one may be, nearest and then commonest first.
    fn near(&self, folded: &str, prefix: bool) -> Vec<u32> {
        let most = tolerance(folded);
        if most == 0 {
            return Vec::new();
        }
        let own = letters(folded);
        let mut found: Vec<(usize, bool, u32, u32)> = Vec::new();
        for (number, entry) in (0..).zip(&self.list) {
            let far = if prefix { own & !entry.letters } else { own ^ entry.letters };
            let lengths = entry.folded.len().abs_diff(folded.len());
            let shorter = entry.folded.len() < folded.len();
            if far.count_ones() as usize > 2 * most || (lengths > most && (shorter || !prefix)) {
                continue;
            }
            if let Some(d) = distance(folded, &entry.folded, most, prefix) {
                found.push((d, entry.places & place::TERM == 0, u32::MAX - entry.documents, number));
            }
        }
        found.sort_unstable();
        let nearest = found.first().map_or(0, |f| f.0);
        found.into_iter().filter(|f| f.0 == nearest).take(MOST_CORRECTIONS).map(|f| f.3).collect()
    }
}

/// What is asked of the lexicon besides the word.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Only words of this language.
    pub language: Option<&'a str>,
    /// The word may be half of one.
    pub prefix: bool,
    /// Words near it count even when the word itself is known.
    pub correct: bool,
    /// Only the word itself.
    pub exact: bool,
}

impl Lexicon {
    /// The lexicon of the words that stand in the index.
    #[must_use]
    pub fn new<'a>(counts: impl IntoIterator<Item = (&'a Box<str>, &'a Counts)>) -> Self {
        let words = counts.into_iter().map(|(language, counts)| (language.clone(), Words::new(language, counts)));
        Self { languages: words.collect() }
    }

    /// The languages that texts are written in.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.languages.keys().map(|l| &**l)
    }

    /// The parts of a compound of a text, for marking the one that was found.
    #[must_use]
    pub fn parts(&self, language: &str, folded: &str) -> &[Part] {
        let words = self.languages.get(language);
        words.and_then(|w| w.number(folded).map(|n| &*w.entry(n).parts)).unwrap_or_default()
    }

    /// The words of the texts that answer a word (lower case) that was asked for.
    #[must_use]
    pub fn expand(&self, typed: &str, ask: Ask<'_>) -> Forms {
        let folded = fold(typed);
        let mut found = Found::default();
        for (language, words) in &self.languages {
            if ask.language.is_some_and(|wanted| wanted != &**language) {
                continue;
            }
            found.add_known(language, words, typed, &folded, ask);
        }
        // Numbers and codes are in no lexicon.
        let languages = self.languages().filter(|l| ask.language.is_none_or(|wanted| wanted == *l));
        for language in languages {
            found.add(token(language, &folded), How::Exact, 0xff, 0);
        }
        let meant = found.forms.iter().any(|f| f.places != 0xff) || !found.parts.is_empty();
        if !ask.exact && (ask.correct || !meant) {
            for (language, words) in &self.languages {
                if ask.language.is_none_or(|wanted| wanted == &**language) {
                    found.add_near(language, words, &folded, ask);
                }
            }
        }
        let Found { mut forms, parts, documents, corrections, .. } = found;
        forms.sort_by_key(|f| f.how);
        // A part that no text has makes the rest no answer.
        let parts = if parts.iter().any(Vec::is_empty) { Vec::new() } else { parts };
        Forms { forms, parts, documents, corrections, known: meant }
    }
}

#[derive(Default)]
struct Found {
    forms: Vec<Form>,
    seen: Map<String, usize>,
    parts: Vec<Vec<Form>>,
    documents: u32,
    corrections: Vec<String>,
}

impl Found {
    /// A word is kept the closest way it answers.
    fn add(&mut self, token: String, how: How, places: u8, documents: u32) -> bool {
        if let Some(&i) = self.seen.get(&token) {
            let form = &mut self.forms[i];
            form.how = form.how.min(how);
            return false;
        }
        self.seen.insert(token.clone(), self.forms.len());
        self.forms.push(Form { token, how, places, documents });
        true
    }

    fn add_all(&mut self, language: &str, words: &Words, numbers: &[u32], how: How) {
        let mut numbers = numbers.to_vec();
        if numbers.len() > MOST_FORMS {
            numbers.sort_by_key(|n| {
                let entry = words.entry(*n);
                (entry.places & place::TERM == 0, u32::MAX - entry.documents)
            });
            numbers.truncate(MOST_FORMS);
        }
        for number in numbers {
            let entry = words.entry(number);
            self.add(token(language, &entry.folded), how, entry.places, entry.documents);
        }
    }

    fn add_known(&mut self, language: &str, words: &Words, typed: &str, folded: &str, ask: Ask<'_>) {
        if let Some(number) = words.number(folded) {
            self.add_all(language, words, &[number], How::Exact);
            self.documents += words.entry(number).documents;
        }
        if ask.exact {
            return;
        }
        for lemma in words.lemmas_of(language, typed, folded) {
            self.add_lemma(language, words, &lemma, [How::Inflected, How::Head, How::Part]);
        }
        if ask.prefix && folded.len() >= 2 {
            let numbers: Vec<u32> = words.prefixed(folded).collect();
            self.add_all(language, words, &numbers, How::Prefix);
        }
        let mut parts = words.split(language, typed);
        if parts.is_empty() {
            parts = words.split(language, &unfold(folded));
        }
        for (i, part) in parts.iter().enumerate() {
            let mut found = Self::default();
            found.add_lemma(language, words, &part.lemma, [How::Inflected, How::Head, How::Part]);
            // Part of another compound tells something in a term; in a long text it is chance.
            for form in &mut found.forms {
                form.places &= if form.how == How::Inflected { 0xff } else { place::TERM };
                form.how = How::Apart;
            }
            found.forms.retain(|form| form.places != 0);
            self.parts.resize(self.parts.len().max(i + 1), Vec::new());
            self.parts[i].extend(found.forms);
        }
    }

    /// The words of a lemma and the compounds that have it as a part.
    fn add_lemma(&mut self, language: &str, words: &Words, lemma: &str, how: [How; 3]) {
        if let Some(same) = words.lemmas.get(lemma) {
            self.documents += same.iter().map(|n| words.entry(*n).documents).sum::<u32>();
            self.add_all(language, words, same, how[0]);
        }
        if let Some(parts) = words.compounds.get(lemma) {
            let of = |last: bool| parts.iter().filter(|p| p.1 == last).map(|p| p.0).collect::<Vec<_>>();
            self.add_all(language, words, &of(true), how[1]);
            self.add_all(language, words, &of(false), how[2]);
        }
    }

    fn add_near(&mut self, language: &str, words: &Words, folded: &str, ask: Ask<'_>) {
        let mut near = words.near(folded, false);
        if near.is_empty() && ask.prefix {
            near = words.near(folded, true);
        }
        for number in near {
            let entry = words.entry(number);
            if *entry.folded == *folded {
                continue;
            }
            self.corrections.push(entry.folded.to_string());
            self.add_all(language, words, &[number], How::Corrected);
            self.documents += entry.documents;
            for lemma in words.lemmas_of(language, &unfold(&entry.folded), &entry.folded) {
                self.add_lemma(language, words, &lemma, [How::Corrected; 3]);
            }
        }
    }
}
