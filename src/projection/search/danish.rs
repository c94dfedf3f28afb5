//! Danish words: which forms are one word, and what a compound is made of.
//!
//! The lists are ours. `words.txt` has simple words, each with the forms that belong to it, also those it takes as the
//! first part of a compound (`hjemme-`); a hyphen after a form says that it ends no compound. `whole.txt` has words that
//! look like compounds and are not. `splits.tsv` has the cases that both were checked against.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use frostem::{Algorithm, Stemmer};

/// The shortest part of a compound, in letters, but for [`SHORT_FIRST`].
const SHORTEST_PART: usize = 3;
/// Words of two letters that compounds begin with: *botilbud*, *byråd*.
const SHORT_FIRST: [&str; 4] = ["bo", "by", "år", "ny"];
/// The longest word that is taken apart, in letters: what is longer is no word.
const LONGEST_WORD: usize = 60;
/// What may stand between two parts.
const LINKS: [&str; 3] = ["s", "e", "er"];
/// Endings after which an `s` links to the next part: *træning-s-tøj*, not *træning-støj*.
const LINKED_BY_S: [&str; 8] = ["ing", "hed", "skab", "dom", "ion", "else", "tet", "sel"];

/// Words that carry no meaning of their own in a search.
const EMPTY: [&str; 33] = [
    "ad", "af", "at", "de", "den", "der", "det", "efter", "eller", "en", "er", "et", "for", "fra", "hos", "i", "jf",
    "kan", "med", "mellem", "nr", "og", "om", "på", "pr", "samt", "som", "stk", "til", "under", "ved", "vedr", "ved",
];

struct Lists {
    /// Every form, with its word and whether it may end a compound.
    forms: HashMap<&'static str, (&'static str, bool)>,
    /// The stem of every form, with its word.
    stems: HashMap<String, &'static str>,
    whole: HashSet<&'static str>,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| {
    let lines = |text: &'static str| text.lines().map(|l| l.split('#').next().unwrap_or_default());
    let mut forms = HashMap::new();
    for line in lines(include_str!("danish/words.txt")) {
        let mut of_line = line.split_whitespace().peekable();
        let Some(word) = of_line.peek().map(|w| w.trim_end_matches('-')) else { continue };
        for form in of_line {
            let bare = form.trim_end_matches('-');
            forms.entry(bare).or_insert((word, bare.len() == form.len()));
        }
    }
    // A stem that several words share is its own word's first.
    let mut listed: Vec<_> = forms.iter().map(|(form, (word, _))| (*form, *word)).collect();
    listed.sort_unstable_by_key(|(form, word)| (form != word, form.len(), *form));
    let (stemmer, mut stems) = (Stemmer::new(Algorithm::Danish), HashMap::new());
    for (form, word) in listed {
        stems.entry(stemmer.stem(form).into_owned()).or_insert(word);
    }
    let whole = lines(include_str!("danish/whole.txt")).flat_map(str::split_whitespace).collect();
    Lists { forms, stems, whole }
});

/// Whether a word (lower case) carries no meaning of its own.
#[must_use]
pub fn is_empty_word(word: &str) -> bool {
    EMPTY.contains(&word)
}

/// What all forms of a word (lower case) share: the word of the list, else the Snowball stem.
#[must_use]
pub fn lemma(word: &str) -> String {
    if let Some((listed, _)) = LISTS.forms.get(word) {
        return (*listed).to_owned();
    }
    let stem = Stemmer::new(Algorithm::Danish).stem(word).into_owned();
    LISTS.stems.get(&stem).map_or(stem, |listed| (*listed).to_owned())
}

/// A part of a compound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Where it begins in the compound, in bytes.
    pub start: usize,
    /// Where it ends, in bytes, without what links it to the next.
    pub end: usize,
    /// Its lemma.
    pub lemma: String,
}

/// How well a way of taking a word apart reads; the least is best: few parts, no `s` amiss, few links, and long
/// parts first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Cost {
    parts: usize,
    amiss: usize,
    links: usize,
    lengths: Vec<std::cmp::Reverse<usize>>,
}

/// Takes a compound (lower case) apart: the best chain of words of the list or that `known` names. Nothing for a word
/// that is listed itself, or that has only one part.
#[must_use]
pub fn split(word: &str, known: &dyn Fn(&str) -> bool) -> Vec<Part> {
    let is_listed = |w: &str| LISTS.whole.contains(w) || LISTS.forms.contains_key(w);
    let letters = word.chars().count();
    if letters > LONGEST_WORD
        || !word.chars().all(char::is_alphabetic)
        || is_listed(word)
        || word.strip_suffix('s').is_some_and(is_listed)
    {
        return Vec::new();
    }
    let ends: Vec<usize> = word.char_indices().map(|(i, _)| i).chain([word.len()]).collect();
    let text = |from: usize, to: usize| &word[ends[from]..ends[to]];
    // Whether a part may stand there: a form of the list, not at the end if it may not; or a word of the register.
    let may_stand = |from: usize, to: usize| {
        let part = text(from, to);
        let is_last = to == letters || (to + 1 == letters && text(to, letters) == "s");
        match LISTS.forms.get(part) {
            Some((_, ends)) => *ends || !is_last,
            None => (from, to) != (0, letters) && known(part),
        }
    };
    // For the rest of the word from each letter: its cost, where its first part ends, and where the next begins.
    let mut best: Vec<Option<(Cost, usize, usize)>> = vec![None; letters + 1];
    best[letters] = Some((Cost::default(), letters, letters));
    for from in (0..letters).rev() {
        for to in from + 2..=letters {
            let part = text(from, to);
            let short = to - from < SHORTEST_PART;
            if short && !(from == 0 && SHORT_FIRST.contains(&part) && letters - to >= SHORTEST_PART) {
                continue;
            }
            if !may_stand(from, to) {
                continue;
            }
            let mut next = vec![(to, 0)];
            if !short {
                // A genitive ends the word and costs nothing.
                if to + 1 == letters && text(to, letters) == "s" {
                    next.push((letters, 0));
                }
                let links = LINKS.into_iter().filter(|link| text(to, letters).starts_with(link));
                next.extend(links.map(|link| (to + link.len(), 1)).filter(|(next, _)| *next < letters));
            }
            for (next, link) in next {
                let Some((rest, ..)) = &best[next] else { continue };
                let amiss = next < letters && LINKED_BY_S.iter().any(|e| part.ends_with(e)) && text(to, next) != "s";
                let mut lengths = vec![std::cmp::Reverse(to - from)];
                lengths.extend(&rest.lengths);
                let cost = Cost {
                    parts: rest.parts + 1,
                    amiss: rest.amiss + usize::from(amiss),
                    links: rest.links + link,
                    lengths,
                };
                if best[from].as_ref().is_none_or(|(held, ..)| cost < *held) {
                    best[from] = Some((cost, to, next));
                }
            }
        }
    }
    let (mut parts, mut at) = (Vec::new(), 0);
    while let Some((_, to, next)) = best[at].as_ref().filter(|_| at < letters) {
        parts.push(Part { start: ends[at], end: ends[*to], lemma: lemma(text(at, *to)) });
        at = *next;
    }
    if parts.len() > 1 { parts } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compounds_come_apart_and_other_words_do_not() {
        let cases = include_str!("danish/splits.tsv").lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
        let mut count = 0;
        let wrong: Vec<String> = cases
            .filter_map(|line| {
                count += 1;
                let (word, expected) = line.split_once('\t')?;
                let lemmas: Vec<String> = split(word, &|_| false).into_iter().map(|p| p.lemma).collect();
                let found = if lemmas.is_empty() { word.to_owned() } else { lemmas.join("+") };
                (found != expected).then(|| format!("{word}: {found}, not {expected}"))
            })
            .collect();
        assert!(wrong.is_empty() && count > 300, "{count} cases: {wrong:#?}");
    }

    #[test]
    fn forms_are_one_word() {
        for forms in [
            &["barn", "børn", "børnene", "børnenes", "barnets"][..],
            &["indsats", "indsatsen", "indsatser", "indsatsernes"],
            &["hjælp", "hjælpen", "hjælpe"],
            &["botilbud", "botilbuddet", "botilbuddene"],
            &["plejefamilie", "plejefamilien", "plejefamilierne", "plejefamiliers"],
        ] {
            let lemmas: HashSet<String> = forms.iter().map(|f| lemma(f)).collect();
            assert_eq!(lemmas.len(), 1, "{lemmas:?}");
        }
        assert_ne!(lemma("får"), lemma("far"));
    }

    #[test]
    fn parts_lie_where_they_are() {
        let word = "plejefamiliernes";
        let texts: Vec<_> = split(word, &|_| false).iter().map(|p| &word[p.start..p.end]).collect();
        assert_eq!(texts, ["pleje", "familierne"]);
        assert_eq!(split("xyzzylære", &|w| w == "xyzzy").len(), 2, "a word of the register may be a part");
    }

    proptest::proptest! {
        #[test]
        fn any_word_is_taken_apart_in_order(word in "[a-zæøå]{0,40}") {
            let mut at = 0;
            for part in split(&word, &|w| w.len() > 5) {
                proptest::prop_assert!(part.start >= at && part.end > part.start && word.get(part.start..part.end).is_some());
                at = part.end;
            }
        }
    }
}
