//! How text is made alike before it is compared: case, accents, and the two ways of writing æ, ø and å.

/// Adds a letter (lower case) as it is compared. `æ`, `ø` and `å` are one letter each, also where they are written as
/// two; so `bo` does not begin *børn*, and *får* is not *far*.
fn fold_char(c: char, out: &mut String) {
    let plain = match c {
        'ä' => 'æ',
        'ö' => 'ø',
        'à' | 'á' | 'â' | 'ã' => 'a',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ò' | 'ó' | 'ô' | 'õ' => 'o',
        'ù' | 'ú' | 'û' => 'u',
        'ý' | 'ÿ' | 'ü' => 'y',
        'ç' => 'c',
        'ñ' => 'n',
        'ð' => 'd',
        'ß' => return out.push_str("ss"),
        'þ' => return out.push_str("th"),
        '\u{308}' | '\u{30a}' => c,
        // Other accents that stand apart from their letter.
        '\u{300}'..='\u{36f}' => return,
        c => c,
    };
    // Joined after accents are off, so that what is folded is not folded further (`aà` is `aa` is `å`).
    let joined = match (out.chars().next_back(), plain) {
        (Some('a'), 'e' | '\u{308}') => 'æ',
        (Some('o'), 'e' | '\u{308}') => 'ø',
        (Some('a'), 'a' | '\u{30a}') => 'å',
        (_, '\u{308}' | '\u{30a}') => return,
        _ => return out.push(plain),
    };
    out.pop();
    out.push(joined);
}

/// A text as it is compared: lower case, without accents, `ae`, `oe` and `aa` as `æ`, `ø` and `å`.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    for c in text.chars() {
        if c.is_ascii() {
            fold_char(c.to_ascii_lowercase(), &mut out);
        } else {
            c.to_lowercase().for_each(|c| fold_char(c, &mut out));
        }
    }
    out
}

/// A word of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Word<'a> {
    /// Where it begins, in bytes.
    pub start: usize,
    /// The word as it is written.
    pub text: &'a str,
}

impl Word<'_> {
    /// The word as it is compared.
    #[must_use]
    pub fn folded(&self) -> String {
        let mut folded = fold(self.text);
        // Only a paragraph and its letter have one.
        if folded.contains(' ') {
            folded.retain(|c| c != ' ');
        }
        folded
    }

    /// Where it ends, in bytes.
    #[must_use]
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// The words of a text: runs of letters, digits and accents. A paragraph with its letter (`§ 83 a`) is one word.
pub fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    let mut rest = 0;
    std::iter::from_fn(move || {
        let is_part = |c: char| c.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&c);
        let start = rest + text[rest..].find(is_part)?;
        let end = text[start..].find(|c| !is_part(c)).map_or(text.len(), |n| start + n);
        let end = end + paragraph_letter(text, start, end);
        rest = end;
        Some(Word { start, text: &text[start..end] })
    })
}

/// How many bytes the letter of a paragraph takes that begins at `start` and whose number ends at `end`: of `§ 83 a`
/// two. In `§ 85 i loven` the letter is a word.
fn paragraph_letter(text: &str, start: usize, end: usize) -> usize {
    let is_number = text[start..end].bytes().all(|b| b.is_ascii_digit());
    if !is_number || !text[..start].trim_end_matches(' ').ends_with('§') {
        return 0;
    }
    match text.as_bytes()[end..] {
        [b' ', letter, ref after @ ..] if letter.is_ascii_alphabetic() && !letter.eq_ignore_ascii_case(&b'i') => {
            let ends = !after.first().is_some_and(|b| b.is_ascii_alphanumeric() || !b.is_ascii());
            if ends { 2 } else { 0 }
        }
        _ => 0,
    }
}

/// A whole term as it is compared: its folded words with a low line between.
#[must_use]
pub fn name_key(term: &str) -> String {
    let mut key = String::with_capacity(term.len() + 4);
    for word in words(term) {
        if !key.is_empty() {
            key.push('_');
        }
        key.push_str(&word.folded());
    }
    key
}

/// A code as it is compared: folded, without spaces and paragraph signs, with hyphens for low lines. `SEL § 83 a` is
/// `sel83a`; `J1.4` keeps its point, which tells it from `J14`.
#[must_use]
pub fn code_key(code: &str) -> String {
    let folded = fold(code);
    let kept = folded.chars().filter(|c| !c.is_whitespace() && !c.is_control() && *c != '§');
    kept.map(|c| if c == '_' { '-' } else { c }).collect()
}

/// A text as Danish sorts it: æ, ø and å (and aa) after z, numbers by their size.
#[must_use]
pub fn sort_key(text: &str) -> String {
    let mut key = String::with_capacity(text.len() + 8);
    let lower: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let mut i = 0;
    while i < lower.len() {
        match lower[i] {
            'a' if lower.get(i + 1) == Some(&'a') => {
                key.push('\u{7d}');
                i += 1;
            }
            'æ' | 'ä' => key.push('\u{7b}'),
            'ø' | 'ö' => key.push('\u{7c}'),
            'å' => key.push('\u{7d}'),
            c if c.is_ascii_digit() => {
                let run: String = lower[i..].iter().take_while(|c| c.is_ascii_digit()).collect();
                let digits = run.trim_start_matches('0');
                // How many digits, then the digits: `9` before `10`.
                key.push(char::from_u32(0x30 + digits.len().min(0x4000) as u32).unwrap_or('0'));
                key.push_str(digits);
                i += run.len() - 1;
            }
            // A letter alone: what stands before it is not joined with it.
            c => {
                let mut letter = String::new();
                fold_char(c, &mut letter);
                key.push_str(&letter);
            }
        }
        i += 1;
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_writing_meet_and_other_words_do_not() {
        for (a, b) in [
            ("Børn", "boern"),
            ("Århus", "aarhus"),
            ("ældre", "AELDRE"),
            ("idé", "ide"),
            ("a\u{30a}r", "år"),
            ("é", "e\u{301}"),
            ("aÀ", "aa"),
            ("oé", "ø"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} {b}");
        }
        assert_ne!(fold("får"), fold("far"));
        assert_eq!(fold("boernehave"), "børnehave");
        assert!(!fold("børn").starts_with("bo") && fold("boer").starts_with("bø"));
    }

    #[test]
    fn words_and_keys() {
        let found: Vec<_> = words("Støtte i eget hjem (§ 85), jf. J1.4").map(|w| w.text).collect();
        assert_eq!(found, ["Støtte", "i", "eget", "hjem", "85", "jf", "J1", "4"]);
        let found: Vec<_> = words("SEL § 83 a, §83B og § 85 i loven, § 9 é").map(|w| w.folded()).collect();
        assert_eq!(found, ["sel", "83a", "83b", "og", "85", "i", "loven", "9", "e"]);
        assert_eq!(name_key(" Aktivitets- og samværstilbud "), "aktivitets_og_samværstilbud");
        assert_eq!(code_key("SEL § 83 a"), code_key("sel §83a"));
        assert_ne!(code_key("J1.4"), code_key("J14"));
        assert_eq!(words("\u{202e}…!?").count(), 0);
    }

    #[test]
    fn danish_order() {
        let mut list = ["Århus", "zebra", "ø", "ære", "Aalborg", "J1.10", "J1.9", "a", "J1"];
        list.sort_by_key(|t| sort_key(t));
        assert_eq!(list, ["a", "J1", "J1.9", "J1.10", "zebra", "ære", "ø", "Aalborg", "Århus"]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_folds(text in ".{0,200}") {
            let folded = fold(&text);
            proptest::prop_assert_eq!(fold(&folded), folded.clone());
            for word in words(&text) {
                proptest::prop_assert_eq!(&text[word.start..word.end()], word.text);
            }
            let _ = (name_key(&text), code_key(&text), sort_key(&text));
        }
    }
}
