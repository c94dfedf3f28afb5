//! Which contents answer a query, and in which order.
//!
//! A hit has a tier: what of the query it answers and where. Within a tier come concepts in force before others, then
//! how well each word is answered, weighed by how rare it is, then short names. The order does not depend on how the
//! index is laid out, so that every node and every rebuild ranks alike.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::asked::Asked;
use super::index::{Shelf, kind};
use super::lexicon::{Ask, Form, Forms, How, Lexicon, place, token};

/// Where and how a hit answers the query; the last is best.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Tier {
    /// Some of the words, anywhere.
    Some = 1,
    /// All words, some only in notes.
    Notes,
    /// All words in terms and definitions.
    Definition,
    /// All words in terms.
    Terms,
    /// A term or a notation begins with the query.
    Prefix,
    /// A term that is not preferred is the query.
    OtherTerm,
    /// A preferred term is the query.
    PreferredTerm,
    /// A notation or an alias is the query.
    Code,
}

/// How much a place counts.
fn weight_of_place(place: u8) -> f32 {
    match place {
        place::PREFERRED => 1.0,
        place::OTHER => 0.9,
        place::DEFINITION => 0.45,
        _ => 0.25,
    }
}

/// How much a way of answering counts.
fn weight_of(how: How) -> f32 {
    match how {
        How::Exact => 1.0,
        How::Inflected => 0.94,
        How::Head => 0.62,
        How::Part => 0.52,
        How::Prefix => 0.48,
        How::Corrected => 0.6,
        How::Apart => 0.55,
    }
}

/// The share of the query, by weight, that a content must answer when none answers all of it.
const LEAST_SHARE: f32 = 0.5;

/// The least weight of a word.
const LEAST_WEIGHT: f32 = 0.1;

/// How hard a search tries; the next is tried when one finds nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Effort {
    /// All words, as they are written.
    Plain,
    /// All words, also where they may be misspelt for others.
    Corrected,
    /// Some of the words.
    Some,
}

/// What was found of one content, while it is being added up.
#[derive(Clone, Copy, Default)]
struct Cell {
    /// The best answer to the word at hand.
    best: f32,
    /// The sum over the words before it.
    sum: f32,
    /// How much of the query is answered, by the weight of its words.
    covered: f32,
    /// How many words are answered.
    words: u8,
    /// How many of them in terms.
    in_terms: u8,
    /// How many of them in terms or definitions.
    in_definitions: u8,
    /// Where the word at hand stands.
    places: u8,
    /// The tier by the whole query.
    tier: u8,
}

/// The cells of all contents; cleared where they were used, so that a search costs what it finds.
#[derive(Default)]
pub struct Tally {
    cells: Vec<Cell>,
    /// The contents with a cell that is not empty.
    used: Vec<u32>,
    /// The contents that the word at hand has.
    touched: Vec<u32>,
}

impl Tally {
    fn begin(&mut self, contents: usize) {
        for number in self.used.drain(..) {
            self.cells[number as usize] = Cell::default();
        }
        self.cells.resize(contents, Cell::default());
    }

    fn answer(&mut self, number: u32, place: u8, weight: f32, after: Option<u8>) {
        let cell = &mut self.cells[number as usize];
        if after.is_some_and(|words| cell.words != words) {
            return;
        }
        if cell.places == 0 {
            self.touched.push(number);
        }
        cell.places |= place;
        cell.best = cell.best.max(weight);
    }

    /// Ends a word that counts `weight` of one.
    fn end_word(&mut self, weight: f32) {
        for number in self.touched.drain(..) {
            let cell = &mut self.cells[number as usize];
            if cell.words == 0 && cell.tier == 0 {
                self.used.push(number);
            }
            cell.sum += cell.best * weight;
            cell.covered += weight;
            cell.words += 1;
            cell.in_terms += u8::from(cell.places & place::TERM != 0);
            cell.in_definitions += u8::from(cell.places & !place::NOTE != 0);
            (cell.best, cell.places) = (0.0, 0);
        }
    }

    fn lift(&mut self, number: u32, tier: Tier) {
        let cell = &mut self.cells[number as usize];
        if cell.words == 0 && cell.tier == 0 {
            self.used.push(number);
        }
        cell.tier = cell.tier.max(tier as u8);
    }
}

/// The place of a hit in the order of all hits: the least is first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place(Reverse<u64>);

/// How many tiers a concept that is not in force stands below its own, unless it is the very one that was named.
const STEP_DOWN: u8 = 2;

impl Place {
    /// The place of a hit: by its tier, its standing (0 is in force), how well the words are answered (0 to 1), and the
    /// length of its preferred term.
    pub fn new(tier: Tier, standing: u8, share: f32, length: u8) -> Self {
        let steps = if standing > 0 && tier <= Tier::Prefix { STEP_DOWN } else { 0 };
        let parts = [
            u64::from((tier as u8).saturating_sub(steps)) << 40,
            u64::from(3 - standing.min(3)) << 32,
            ((share.clamp(0.0, 1.0) * 1023.0) as u64) << 16,
            u64::from(u8::MAX - length) << 8,
            tier as u64,
        ];
        Self(Reverse(parts.iter().sum()))
    }

    /// The tier.
    pub fn tier(self) -> Tier {
        Tier::of(self.0.0 as u8)
    }
}

/// A query with the words that it stands for.
pub struct Expanded {
    /// The query.
    pub asked: Asked,
    /// What each word stands for.
    pub forms: Vec<Forms>,
    /// How hard was tried.
    pub effort: Effort,
    language: Option<String>,
}

impl Tier {
    /// The tier of a number.
    pub fn of(number: u8) -> Self {
        const ALL: [Tier; 8] = [
            Tier::Some,
            Tier::Notes,
            Tier::Definition,
            Tier::Terms,
            Tier::Prefix,
            Tier::OtherTerm,
            Tier::PreferredTerm,
            Tier::Code,
        ];
        ALL[usize::from(number.clamp(1, 8)) - 1]
    }
}

impl Expanded {
    /// The only language that is searched.
    pub fn language(&self) -> Option<&str> {
        self.language.as_deref()
    }

    /// Looks up what the words of a query stand for.
    pub fn new(asked: Asked, lexicon: &Lexicon, language: Option<&str>, effort: Effort) -> Self {
        let forms = asked.words.iter().map(|word| {
            let ask = Ask { language, prefix: word.half, correct: effort >= Effort::Corrected, exact: false };
            lexicon.expand(&word.text, ask)
        });
        Self { forms: forms.collect(), asked, effort, language: language.map(ToOwned::to_owned) }
    }

    fn languages<'l>(&'l self, lexicon: &'l Lexicon) -> impl Iterator<Item = &'l str> {
        lexicon.languages().filter(|l| self.language.as_deref().is_none_or(|wanted| wanted == *l))
    }

    /// Finds the contents that answer the query, in no order: tells `found` the number, the tier and how well the words
    /// are answered. `named` are the contents of the concept whose uuid the query is.
    pub fn run(
        &self,
        shelf: &Shelf,
        lexicon: &Lexicon,
        contents: usize,
        tally: &mut Tally,
        named: &[u32],
        mut found: impl FnMut(u32, Tier, f32),
    ) {
        tally.begin(contents);
        self.words(shelf, lexicon, contents, tally);
        self.names(shelf, lexicon, tally);
        named.iter().for_each(|number| tally.lift(*number, Tier::Code));
        let all = (self.forms.len() + self.asked.phrases.len()) as u8;
        for &number in &tally.used {
            let cell = &tally.cells[number as usize];
            let words = match cell {
                cell if cell.in_terms >= all => Tier::Terms as u8,
                cell if cell.in_definitions >= all => Tier::Definition as u8,
                cell if cell.words >= all => Tier::Notes as u8,
                cell if self.effort == Effort::Some && cell.covered >= LEAST_SHARE => Tier::Some as u8,
                _ => 0,
            };
            let tier = cell.tier.max(words);
            if tier > 0 {
                found(number, Tier::of(tier), cell.sum);
            }
        }
    }

    fn words(&self, shelf: &Shelf, lexicon: &Lexicon, contents: usize, tally: &mut Tally) {
        let rarity = |documents: u32| (1.0 + contents as f32 / (1.0 + documents as f32)).ln().max(LEAST_WEIGHT);
        let strict = self.effort < Effort::Some;
        // A word that no text has may be missing; what the others find is still worth telling.
        let weight = |forms: &Forms| if strict || forms.known { rarity(forms.documents) } else { LEAST_WEIGHT };
        let weights: Vec<f32> = self.forms.iter().map(weight).collect();
        let phrase_weight = rarity(contents as u32 / 50);
        let sum = weights.iter().sum::<f32>() + phrase_weight * self.asked.phrases.len() as f32;
        // All words are wanted: the rarest first, and then only what has those before.
        let mut order: Vec<usize> = (0..self.forms.len()).collect();
        order.sort_by(|a, b| weights[*b].total_cmp(&weights[*a]));
        let mut before = 0u8;
        for phrase in &self.asked.phrases {
            let after = (strict && before > 0).then_some(before);
            for language in self.languages(lexicon) {
                let tokens: Vec<String> = phrase.iter().map(|word| token(language, word)).collect();
                for place in place::ALL {
                    let weight = weight_of_place(place);
                    shelf.with_phrase(place, &tokens, &mut |number| tally.answer(number, place, weight, after));
                }
            }
            tally.end_word(phrase_weight / sum);
            before += 1;
        }
        for i in order {
            let after = (strict && before > 0).then_some(before);
            if let Some(code) = &self.asked.words[i].code {
                for kind in [kind::CODE, kind::UUID] {
                    shelf.with_key(kind, "", code, &mut |number| tally.answer(number, place::OTHER, 1.0, after));
                }
            }
            for Form { token, how, places, .. } in &self.forms[i].forms {
                for place in place::ALL.into_iter().filter(|place| places & place != 0) {
                    let weight = weight_of_place(place) * weight_of(*how);
                    shelf.with_word(place, token, &mut |number| tally.answer(number, place, weight, after));
                }
            }
            for (number, (place, weight)) in together(shelf, &self.forms[i].parts, contents) {
                tally.answer(number, place, weight, after);
            }
            tally.end_word(weights[i] / sum);
            before += 1;
        }
    }

    /// What the whole query is, or is the beginning of.
    fn names(&self, shelf: &Shelf, lexicon: &Lexicon, tally: &mut Tally) {
        let (name, code) = (&*self.asked.name, &*self.asked.code);
        for kind in [kind::CODE, kind::UUID] {
            shelf.with_key(kind, "", code, &mut |n| tally.lift(n, Tier::Code));
        }
        if !code.is_empty() {
            shelf.with_start(kind::CODE, "", code, &mut |n| tally.lift(n, Tier::Prefix));
        }
        if self.asked.is_paragraph {
            shelf.with_key(kind::PARAGRAPH, "", code, &mut |n| tally.lift(n, Tier::Prefix));
        }
        if name.is_empty() {
            return;
        }
        for language in self.languages(lexicon) {
            shelf.with_key(kind::PREFERRED, language, name, &mut |n| tally.lift(n, Tier::PreferredTerm));
            for kind in [kind::OTHER, kind::HIDDEN] {
                shelf.with_key(kind, language, name, &mut |n| tally.lift(n, Tier::OtherTerm));
            }
            for kind in [kind::PREFERRED, kind::OTHER] {
                shelf.with_start(kind, language, name, &mut |n| tally.lift(n, Tier::Prefix));
            }
        }
    }
}

/// The contents that have all parts of a compound, with the least telling place of a part and the mean weight.
fn together(shelf: &Shelf, parts: &[Vec<Form>], contents: usize) -> HashMap<u32, (u8, f32)> {
    let mut all: HashMap<u32, (u8, f32)> = HashMap::new();
    // The rarest part first: only what has it is asked for the others.
    let mut order: Vec<&Vec<Form>> = parts.iter().collect();
    order.sort_by_key(|forms| forms.iter().map(|f| u64::from(f.documents)).sum::<u64>());
    let mut have: Vec<bool> = Vec::new();
    for (i, forms) in order.into_iter().enumerate() {
        let mut these: HashMap<u32, (u8, f32)> = HashMap::new();
        for Form { token, how, places, .. } in forms {
            for place in place::ALL.into_iter().filter(|place| places & place != 0) {
                let weight = weight_of_place(place) * weight_of(*how) / parts.len() as f32;
                shelf.with_word(place, token, &mut |number| {
                    if i == 0 || have[number as usize] {
                        let best = these.entry(number).or_insert((place, weight));
                        *best = (best.0.min(place), best.1.max(weight));
                    }
                });
            }
        }
        let sum = |(number, (place, weight)): (u32, (u8, f32))| {
            let (before, sum) = all.get(&number).copied().unwrap_or_default();
            (number, (place.max(before), sum + weight))
        };
        all = these.into_iter().map(sum).collect();
        have.clear();
        have.resize(contents, false);
        all.keys().for_each(|number| have[*number as usize] = true);
    }
    all
}
