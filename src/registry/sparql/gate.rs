//! What a query's text must pass before the parser sees it.
//!
//! The parser descends into brackets, and some constructs (a function with an optional last argument, a negation)
//! it tries twice: nested in each other they double its work. So depth is bounded, and so is the work: each byte
//! counts as often as the constructs around it make the parser read it.

use crate::model::{Code, Place, Refusal, Result};

/// The largest text, in bytes.
pub const LARGEST: usize = 64 << 10;
/// The deepest nesting of brackets.
pub const DEEPEST: usize = 100;
/// How many bytes the parser may read, with all that it reads over again.
const WORK: u64 = 2 * LARGEST as u64;

/// The functions whose arguments the parser reads twice when the last one is left out.
const TWICE: [&str; 4] = ["regex", "substr", "replace", "group_concat"];
/// The words that only an update begins with.
const UPDATES: [&str; 9] = ["insert", "delete", "load", "clear", "create", "drop", "copy", "move", "add"];

/// What the gate saw of a text that it let through.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// Whether a word outside all brackets is the beginning of an update.
    pub update: bool,
}

/// Lets a text through, or says why not.
///
/// # Errors
/// [`Code::TooLarge`], [`Code::TooDeep`], [`Code::Syntax`].
pub fn pass(text: &str) -> Result<Seen> {
    if text.len() > LARGEST {
        let (da, en) = ("forespørgslen er større end 64 KiB", "the query is larger than 64 KiB");
        return Err(Refusal::new(Code::TooLarge, da, en).allowed(["65536"]));
    }
    Lexer {
        bytes: text.as_bytes(),
        at: 0,
        weights: vec![1],
        negated: false,
        word: (0, 0),
        work: 0,
        seen: Seen::default(),
    }
    .run()
    .map_err(|(at, refusal)| refusal.at(place(text, at)))
}

/// The line and column of a byte.
pub fn place(text: &str, at: usize) -> Place {
    let before = &text.as_bytes()[..at.min(text.len())];
    let line = before.iter().filter(|b| **b == b'\n').count() as u64 + 1;
    let begin = before.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
    // Bytes that begin a character.
    let column = before[begin..].iter().filter(|b| (**b & 0xC0) != 0x80).count() as u64 + 1;
    Place::line(line, column)
}

struct Lexer<'t> {
    bytes: &'t [u8],
    at: usize,
    /// How often the parser reads what stands in each open bracket.
    weights: Vec<u64>,
    /// Whether the bracket to come is negated.
    negated: bool,
    /// The last word, while nothing but space has followed it.
    word: (usize, usize),
    work: u64,
    seen: Seen,
}

type Stop = (usize, Refusal);

impl Lexer<'_> {
    fn run(mut self) -> Result<Seen, Stop> {
        while let Some(byte) = self.peek(0) {
            let begin = self.at;
            match byte {
                b'#' => self.skip_while(|b| b != b'\n' && b != b'\r'),
                b'"' | b'\'' => self.string(byte),
                b'<' => self.iri()?,
                b'(' | b'{' | b'[' => self.open()?,
                b')' | b'}' | b']' => {
                    if self.weights.len() > 1 {
                        self.weights.pop();
                    }
                    self.other();
                }
                // An escaped sign of a name.
                b'\\' => self.at += 2,
                b'!' => {
                    self.other();
                    self.negated = self.peek(0) != Some(b'=');
                }
                b if b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80 => self.name(),
                b if b.is_ascii_whitespace() => self.at += 1,
                // A name goes on after these; a negation holds over it.
                b':' | b'-' => {
                    self.word = (0, 0);
                    self.at += 1;
                }
                _ => self.other(),
            }
            let weight = self.weights.last().copied().unwrap_or(1);
            self.work += weight.saturating_mul((self.at - begin) as u64);
            if self.work > WORK {
                let (da, en) = (
                    "REPLACE, REGEX, SUBSTR, GROUP_CONCAT eller ! står for dybt i hinanden",
                    "REPLACE, REGEX, SUBSTR, GROUP_CONCAT or ! are nested too deeply",
                );
                return Err((begin, Refusal::new(Code::TooDeep, da, en)));
            }
        }
        Ok(self.seen)
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn skip_while(&mut self, is: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&is) {
            self.at += 1;
        }
    }

    fn other(&mut self) {
        self.negated = false;
        self.word = (0, 0);
        self.at += 1;
    }

    fn string(&mut self, quote: u8) {
        let long = self.peek(1) == Some(quote) && self.peek(2) == Some(quote);
        self.at += if long { 3 } else { 1 };
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\\' => self.at += 2,
                b if b == quote && !long => break,
                b if b == quote && self.peek(1) == Some(quote) && self.peek(2) == Some(quote) => break,
                // The parser stops here; what follows is read by nobody.
                b'\n' | b'\r' if !long => break,
                _ => self.at += 1,
            }
        }
        self.at += if long { 3 } else { 1 };
        self.word = (0, 0);
        self.negated = false;
    }

    /// An IRI, or the sign for "less than". What could be either must not hide a bracket, a quote or a comment.
    fn iri(&mut self) -> Result<(), Stop> {
        let ends = |b: u8| b <= b' ' || matches!(b, b'<' | b'>' | b'"' | b'{' | b'}' | b'|' | b'^' | b'`' | b'\\');
        let rest = &self.bytes[self.at + 1..];
        let length = rest.iter().position(|b| ends(*b)).filter(|n| rest[*n] == b'>');
        let Some(length) = length else {
            self.other();
            return Ok(());
        };
        let inside = &rest[..length];
        let scheme = inside.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')).count();
        // After "less than", no expression goes on with "name://".
        let absolute = scheme > 0 && inside[scheme..].starts_with(b"://");
        if !absolute && inside.iter().any(|b| matches!(b, b'(' | b')' | b'[' | b']' | b'\'' | b'#')) {
            let (da, en) =
                ("skriv IRI'en helt ud, eller sæt mellemrum efter <", "write the IRI in full, or put a space after <");
            return Err((self.at, Refusal::new(Code::Syntax, da, en)));
        }
        self.at += length + 2;
        self.word = (0, 0);
        Ok(())
    }

    fn name(&mut self) {
        let begin = self.at;
        self.skip_while(|b| b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80);
        self.word = (begin, self.at);
        let before = begin.checked_sub(1).map(|at| self.bytes[at]);
        let is_word = !matches!(before, Some(b'?' | b'$' | b':' | b'@' | b'-')) && self.peek(0) != Some(b':');
        if self.weights.len() == 1 && is_word {
            let word = &self.bytes[begin..self.at];
            self.seen.update |= UPDATES.iter().any(|u| word.eq_ignore_ascii_case(u.as_bytes()));
        }
    }

    fn open(&mut self) -> Result<(), Stop> {
        let word = self.bytes[self.word.0..self.word.1].to_ascii_lowercase();
        let twice = TWICE.iter().any(|name| word.ends_with(name.as_bytes()));
        let weight = self.weights.last().copied().unwrap_or(1);
        let factor = if twice { 2 } else { 1 } * if self.negated { 2 } else { 1 };
        if self.weights.len() > DEEPEST {
            let (da, en) = ("parenteserne går dybere end 100", "the brackets go deeper than 100");
            return Err((self.at, Refusal::new(Code::TooDeep, da, en).allowed(["100"])));
        }
        self.weights.push(weight.saturating_mul(factor));
        self.other();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;
    use spargebra::SparqlParser;

    use super::*;

    fn code(text: &str) -> Option<Code> {
        pass(text).err().map(|r| r.code)
    }

    fn nested(open: &str, core: &str, close: &str, n: usize) -> String {
        format!("SELECT * {{ ?s ?p ?o FILTER({}{core}{}) }}", open.repeat(n), close.repeat(n))
    }

    #[test]
    fn brackets_in_texts_do_not_count() {
        let text = "(".repeat(300);
        for harmless in [
            format!("SELECT * {{ ?s ?p \"{text}\" }}"),
            format!("SELECT * {{ ?s ?p '''{text}''' }}"),
            format!("SELECT * {{ ?s ?p ?o }} # {text}"),
            format!("SELECT * {{ ?s <http://x.example/{text}#a'> ?o }}"),
        ] {
            assert_eq!(code(&harmless), None, "{harmless}");
        }
        for deep in [
            nested("(", "1", ")", 101),
            format!("SELECT * {{ ?s ?p \"\\\"\" {text} }}"),
            format!("SELECT * {{ ?s ?p 'a' # '\n {text} }}"),
            format!("SELECT * {{ ?s <http://x.example/#> {text} }}"),
        ] {
            assert_eq!(code(&deep), Some(Code::TooDeep), "{deep}");
        }
        for ambiguous in ["SELECT * { ?s ?p ?o FILTER(?o<(1)&&?o>2) }", "SELECT * { <#a> ?p ?o }"] {
            assert_eq!(code(ambiguous), Some(Code::Syntax), "{ambiguous}");
        }
        assert_eq!(code(&"a".repeat(LARGEST + 1)), Some(Code::TooLarge));
        assert_eq!(place("aå\nøøb", 8), Place::line(2, 3));
    }

    #[test]
    fn updates_are_seen() {
        for (text, update) in [
            ("INSERT DATA { <a:b> <a:b> <a:b> }", true),
            ("PREFIX add: <http://x.example/> SELECT * { ?add add:x ?o }", false),
            ("prefix x: <http://x.example/> delete where { ?s ?p ?o }", true),
            ("SELECT ?insert { ?insert ?p 'drop' }", false),
        ] {
            assert_eq!(pass(text).unwrap().update, update, "{text}");
        }
    }

    /// Whatever passes is parsed at once.
    #[test]
    fn what_passes_is_parsed_in_time() {
        let worker = std::thread::Builder::new().stack_size(256 << 20).spawn(|| {
            let mut slowest = Duration::ZERO;
            let shapes: [(&str, &str, &str); 24] = [
                ("(", "1", ")"),
                ("!(", "true", ")"),
                ("! (", "1", ")"),
                ("REPLACE(", "'a'", ",'a','b')"),
                ("SUBSTR(", "'a'", ",1)"),
                ("REGEX(", "'a'", ",'a')"),
                ("!REGEX(", "'a'", ",'a')"),
                ("CONCAT(", "'a'", ",'b')"),
                ("IF(", "1", ",2,3)"),
                ("IF(1,", "1", ",3)"),
                ("COALESCE(", "1", ")"),
                ("STR(", "1", ")"),
                ("STRLANG(", "'a'", ",'da')"),
                ("-(", "1", ")"),
                ("1+(", "1", ")"),
                ("1=(", "1", ")"),
                ("1 IN (", "1", ")"),
                ("1 NOT IN (", "1", ")"),
                ("<http://x.example/f>(", "1", ")"),
                ("EXISTS{FILTER(", "1", ")}"),
                ("NOT EXISTS{FILTER(", "1", ")}"),
                ("!EXISTS{FILTER(", "1", ")}"),
                ("(((((", "1", ")"),
                ("GROUP_CONCAT(", "1", ")"),
            ];
            let mut texts: Vec<String> = Vec::new();
            for (open, core, close) in shapes {
                for n in [1, 2, 4, 8, 12, 16, 20, 24, 32, 48, 64, 98] {
                    texts.push(nested(open, core, close, n));
                    texts.push(nested(open, core, "", n));
                    let select = format!("SELECT ({}{core}{} AS ?x) {{}}", open.repeat(n), close.repeat(n));
                    texts.push(select);
                }
            }
            for (open, close) in [
                ("{", "}"),
                ("{ SELECT * {", "}}"),
                ("OPTIONAL {", "}"),
                ("{} UNION {", "}"),
                ("GRAPH ?g {", "}"),
                ("MINUS {", "}"),
                ("[ ?p ", "]"),
                ("( ", ")"),
                ("?s (", ")* ?o"),
            ] {
                for n in [8, 24, 49, 99] {
                    for close in [close, ""] {
                        texts.push(format!("SELECT * {{ {} ?s ?p ?o {} }}", open.repeat(n), close.repeat(n)));
                        texts.push(format!("SELECT * {{ ?s {} ?p {} ?o }}", open.repeat(n), close.repeat(n)));
                    }
                }
            }
            for (begin, part, end) in [
                ("SELECT * { ?s ?p ?o FILTER(1", "||1", ") }"),
                ("SELECT * { ?s ?p ?o FILTER(1", "+1", ") }"),
                ("SELECT * { ?s ?p ?o FILTER(", "!", "1) }"),
                ("SELECT * { ?s ?p ?o FILTER(1 IN (1", ",1", ")) }"),
                ("SELECT * {", "?s ?p ?o.", "}"),
                ("SELECT * {", "OPTIONAL{?s ?p ?o}", "}"),
                ("SELECT * {{}", "UNION{}", "}"),
                ("SELECT * {", "{}", "}"),
                ("SELECT * { ?s <a:b>", "/<a:b>", " ?o }"),
                ("SELECT * { ?s <a:b>", "|<a:b>", " ?o }"),
                ("SELECT * { VALUES ?x {", "1 ", "} }"),
                ("SELECT * {", "FILTER(1)", "}"),
                ("SELECT * {", "BIND(1 AS ?x)", "}"),
                ("SELECT *", "#\n", "{}"),
                ("SELECT * { ?s ?p \"", "\\\"", "\" }"),
                ("", "PREFIX a: <http://x.example/>", "SELECT * {}"),
            ] {
                texts.push(format!("{begin}{}{end}", part.repeat((LARGEST - 100) / part.len())));
            }
            for text in texts {
                if pass(&text).is_ok() {
                    let began = Instant::now();
                    drop(SparqlParser::new().parse_query(&text));
                    let took = began.elapsed();
                    assert!(took < Duration::from_secs(30), "{took:?}: {}", &text[..text.len().min(300)]);
                    if took > slowest {
                        slowest = took;
                        eprintln!("{took:?}: {}", &text[..text.len().min(80)]);
                    }
                }
            }
        });
        worker.unwrap().join().unwrap();
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "([(){}\\[\\]<>!#'\"\\\\ a:?\n]|regex|http://|\\PC){0,60}") {
            let _ = pass(&text);
        }
    }
}
