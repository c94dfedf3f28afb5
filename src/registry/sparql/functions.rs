//! The functions of SPARQL 1.1 whose result can be far longer than what they are given. The evaluator's own know no
//! limit; these stop the query at one.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use oxrdf::vocab::xsd;
use oxrdf::{Literal, NamedNode, Term};
use regex::{Regex, RegexBuilder};
use spareval::QueryEvaluator;
use spargebra::algebra::Function;

use crate::projection::rdf::{Stopped, count_down, look, stop_for};

/// The longest text that they make.
const LONGEST: usize = 1 << 20;
/// The longest pattern.
const LONGEST_PATTERN: usize = 4096;
/// How large a compiled pattern may become, in bytes.
const LARGEST_PATTERN: usize = 1 << 20;
/// How large the table of a search with groups may become: the compiled pattern, once for each group.
const LARGEST_TABLE: usize = 16 << 20;
/// What one search may cost, in bytes of text times bytes of the compiled pattern. Nothing stops a search while it
/// runs; a byte times a byte takes up to 80 ps (a pattern for which no automaton can be kept), this at most 45 ms.
pub const DEAREST_SEARCH: usize = 1 << 29;
/// After a search that costs more, the clock is looked at.
const DEAR_SEARCH: usize = 1 << 22;
/// How large the compiled patterns that a query keeps may be together, each with a little for itself.
const KEPT_PATTERNS: usize = 8 << 20;

const CONCAT: &str = "urn:begreb:function:concat";
const ENCODE: &str = "urn:begreb:function:encode-for-uri";
const REPLACE: &str = "urn:begreb:function:replace";
const REGEX: &str = "urn:begreb:function:regex";

/// The name of ours that takes a function's place.
pub fn bounded(function: &Function) -> Option<NamedNode> {
    let name = match function {
        Function::Concat => CONCAT,
        Function::EncodeForUri => ENCODE,
        Function::Replace => REPLACE,
        Function::Regex => REGEX,
        _ => return None,
    };
    Some(NamedNode::new_unchecked(name))
}

/// An evaluator that knows these functions.
pub fn evaluator() -> QueryEvaluator {
    let patterns = Arc::new(Patterns::default());
    let others = patterns.clone();
    QueryEvaluator::new()
        .with_custom_function(NamedNode::new_unchecked(CONCAT), concat)
        .with_custom_function(NamedNode::new_unchecked(ENCODE), encode)
        .with_custom_function(NamedNode::new_unchecked(REPLACE), move |given| replace(given, &patterns))
        .with_custom_function(NamedNode::new_unchecked(REGEX), move |given| matches(given, &others))
}

/// A string literal: its text, and its language if it has one.
fn string(term: &Term) -> Option<(&str, Option<&str>)> {
    match term {
        Term::Literal(l) if l.language().is_some() => Some((l.value(), l.language())),
        Term::Literal(l) if l.datatype() == xsd::STRING => Some((l.value(), None)),
        _ => None,
    }
}

fn plain(term: &Term) -> Option<&str> {
    string(term).and_then(|(text, language)| language.is_none().then_some(text))
}

fn literal(text: String, language: Option<&str>) -> Term {
    match language {
        Some(tag) => Literal::new_language_tagged_literal_unchecked(text, tag).into(),
        None => Literal::new_simple_literal(text).into(),
    }
}

/// `CONCAT` (17.4.3.12): in a language when all are in it.
fn concat(given: &[Term]) -> Option<Term> {
    let parts: Vec<_> = given.iter().map(string).collect::<Option<_>>()?;
    if parts.iter().map(|(text, _)| text.len()).sum::<usize>() > LONGEST {
        stop_for(Stopped::Size);
        return None;
    }
    let language = parts.first().and_then(|(_, language)| *language);
    let language = language.filter(|l| parts.iter().all(|(_, other)| *other == Some(*l)));
    Some(literal(parts.iter().map(|(text, _)| *text).collect(), language))
}

/// `ENCODE_FOR_URI` (17.4.3.11).
fn encode(given: &[Term]) -> Option<Term> {
    let [term] = given else { return None };
    let (text, _) = string(term)?;
    if text.len() > LONGEST / 3 {
        stop_for(Stopped::Size);
        return None;
    }
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => write!(out, "%{byte:02X}").ok()?,
        }
    }
    Some(literal(out, None))
}

/// A compiled pattern.
#[derive(Debug)]
struct Pattern {
    regex: Regex,
    /// It is no larger than this, in bytes.
    size: usize,
}

impl Pattern {
    /// Settles what searches in a text cost, before the first one; `groups` are those that are looked up.
    fn cost(&self, text: &str, groups: usize) -> usize {
        let cost = text.len().saturating_mul(self.size).saturating_mul(1 + groups);
        if cost > DEAREST_SEARCH {
            stop_for(Stopped::Pattern);
        }
        cost
    }
}

/// A search that cost this much is over.
fn searched(cost: usize) {
    if cost > DEAR_SEARCH {
        look();
    }
}

/// The patterns of one query by their flags, compiled once; `None` is one that is not lawful.
#[derive(Default)]
struct Patterns(Mutex<Kept>);

/// The patterns of one text, by their flags; `None` for what is no pattern.
type ByFlags = HashMap<Box<str>, Option<Arc<Pattern>>>;

#[derive(Default)]
struct Kept {
    compiled: HashMap<Box<str>, ByFlags>,
    size: usize,
}

impl Patterns {
    fn get(&self, pattern: &str, flags: &str) -> Option<Arc<Pattern>> {
        if pattern.len() > LONGEST_PATTERN || flags.len() > LONGEST_PATTERN {
            stop_for(Stopped::Pattern);
            return None;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.compiled.get(flags).and_then(|of| of.get(pattern)) {
            return known.clone();
        }
        let compiled = compile(pattern, flags);
        look();
        let size = LONGEST_PATTERN + compiled.as_ref().map_or(0, |c| c.size);
        if kept.size + size > KEPT_PATTERNS {
            *kept = Kept::default();
        }
        kept.size += size;
        kept.compiled.entry(flags.into()).or_default().insert(pattern.into(), compiled.clone());
        compiled
    }
}

/// Compiles a pattern with ever more room, to know how large it is: what takes it in does not say.
fn compile(pattern: &str, flags: &str) -> Option<Arc<Pattern>> {
    let quoted = flags.contains('q');
    let pattern = if quoted { regex::escape(pattern).into() } else { Cow::Borrowed(pattern) };
    let mut builder = RegexBuilder::new(&pattern);
    for flag in flags.chars() {
        match flag {
            's' => builder.dot_matches_new_line(true),
            'm' => builder.multi_line(true),
            'i' => builder.case_insensitive(true),
            'x' => builder.ignore_whitespace(true),
            'q' => &mut builder,
            _ => return None,
        };
    }
    let mut size = 256;
    loop {
        match builder.size_limit(size).build() {
            Ok(regex) if size.saturating_mul(regex.captures_len()) <= LARGEST_TABLE => {
                return Some(Arc::new(Pattern { regex, size }));
            }
            Err(regex::Error::CompiledTooBig(_)) if size < LARGEST_PATTERN => size *= 2,
            Ok(_) | Err(regex::Error::CompiledTooBig(_)) => {
                stop_for(Stopped::Pattern);
                return None;
            }
            Err(_) => return None,
        }
    }
}

/// `REGEX` (17.4.3.14).
fn matches(given: &[Term], patterns: &Patterns) -> Option<Term> {
    let (text, pattern, flags) = match given {
        [text, pattern] => (text, pattern, ""),
        [text, pattern, flags] => (text, pattern, plain(flags)?),
        _ => return None,
    };
    let (pattern, (text, _)) = (patterns.get(plain(pattern)?, flags)?, string(text)?);
    let cost = pattern.cost(text, 0);
    let found = pattern.regex.is_match(text);
    searched(cost);
    Some(Literal::from(found).into())
}

/// `REPLACE` (17.4.3.15), which is `fn:replace` of XPath: a pattern that matches nothing at all is an error.
fn replace(given: &[Term], patterns: &Patterns) -> Option<Term> {
    let (text, pattern, by, flags) = match given {
        [text, pattern, by] => (text, pattern, by, ""),
        [text, pattern, by, flags] => (text, pattern, by, plain(flags)?),
        _ => return None,
    };
    let ((text, language), by) = (string(text)?, plain(by)?);
    let pattern = patterns.get(plain(pattern)?, flags)?;
    let regex = &pattern.regex;
    if regex.is_match("") {
        return None;
    }
    let groups = regex.captures_len() - 1;
    let by = if flags.contains('q') { vec![Piece::Text(by.to_owned())] } else { pieces(by, groups)? };
    // Groups are only looked up where one is asked for: that is dear.
    let grouped = by.iter().any(|piece| matches!(piece, Piece::Group(1..)));
    let cost = pattern.cost(text, if grouped { groups } else { 0 });
    let (mut out, mut end, mut at, mut last) = (String::new(), 0, 0, None);
    let mut found = regex.capture_locations();
    while at <= text.len() {
        let whole = if grouped { regex.captures_read_at(&mut found, text, at) } else { regex.find_at(text, at) };
        count_down();
        searched(cost);
        let Some(whole) = whole else { break };
        // An empty match (a boundary of words) is passed by a sign; right after another it is none.
        let next = text[whole.end()..].chars().next().map_or(1, char::len_utf8);
        at = whole.end() + if whole.is_empty() { next } else { 0 };
        if whole.is_empty() && last == Some(whole.end()) {
            continue;
        }
        last = Some(whole.end());
        out.push_str(&text[end..whole.start()]);
        for piece in &by {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Group(0) => out.push_str(whole.as_str()),
                Piece::Group(n) => out.push_str(found.get(*n).map_or("", |(from, to)| &text[from..to])),
            }
        }
        end = whole.end();
        if out.len() > LONGEST {
            stop_for(Stopped::Size);
            return None;
        }
    }
    out.push_str(&text[end..]);
    Some(literal(out, language))
}

/// A part of what a match is replaced by.
#[derive(PartialEq, Debug)]
enum Piece {
    Text(String),
    Group(usize),
}

/// Reads `$1`, `\$` and `\\`. A number has as many digits as there are groups for it.
fn pieces(by: &str, groups: usize) -> Option<Vec<Piece>> {
    let (mut out, mut text) = (Vec::new(), String::new());
    let mut signs = by.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '\\' => text.push(signs.next().filter(|s| matches!(s, '\\' | '$'))?),
            '$' => {
                let mut n = signs.next()?.to_digit(10)? as usize;
                while let Some(digit) = signs.peek().and_then(|s| s.to_digit(10)) {
                    let longer = n * 10 + digit as usize;
                    if longer > groups {
                        break;
                    }
                    n = longer;
                    signs.next();
                }
                out.push(Piece::Text(std::mem::take(&mut text)));
                // A group that is not there is empty.
                out.push(Piece::Group(n));
            }
            other => text.push(other),
        }
    }
    out.push(Piece::Text(text));
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(text: &str) -> Term {
        text.parse().unwrap()
    }

    fn all(texts: &[&str]) -> Vec<Term> {
        texts.iter().map(|t| term(t)).collect()
    }

    /// The examples of the standard, in its order, and what XPath says of replacements.
    #[test]
    fn the_examples_of_the_standard() {
        for (given, expected) in [
            (&[r#""foo""#, r#""bar""#][..], Some(r#""foobar""#)),
            (&[r#""foo"@en"#, r#""bar"@en"#], Some(r#""foobar"@en"#)),
            (&[r#""foo""#, r#""bar"@en"#], Some(r#""foobar""#)),
            (&[r#""foo"@en"#, r#""bar""#], Some(r#""foobar""#)),
            (&[r#""foo"@en"#, r#""bar"@es"#], Some(r#""foobar""#)),
            (&[], Some(r#""""#)),
            (&[r#""foo""#, r#""1"^^<http://www.w3.org/2001/XMLSchema#integer>"#], None),
            (&["<http://x.example/>"], None),
        ] {
            assert_eq!(concat(&all(given)), expected.map(term), "{given:?}");
        }
        assert_eq!(encode(&all(&[r#""Los Angeles""#])), Some(term(r#""Los%20Angeles""#)));
        assert_eq!(encode(&all(&[r#""Los Angeles"@en"#])), Some(term(r#""Los%20Angeles""#)));
        assert_eq!(
            encode(&all(&[r#""§ 85, stk. 2/æ~-_.""#])),
            Some(term(r#""%C2%A7%2085%2C%20stk.%202%2F%C3%A6~-_.""#))
        );
        assert_eq!(encode(&all(&["<http://x.example/>"])), None);
        let patterns = Patterns::default();
        for (given, expected) in [
            (&[r#""abcd""#, r#""b""#, r#""Z""#][..], Some(r#""aZcd""#)),
            (&[r#""abab""#, r#""B""#, r#""Z""#, r#""i""#], Some(r#""aZaZ""#)),
            (&[r#""abab"@da"#, r#""B.""#, r#""Z""#, r#""i""#], Some(r#""aZb"@da"#)),
            (&[r#""abracadabra""#, r#""bra""#, r#""*""#], Some(r#""a*cada*""#)),
            (&[r#""abracadabra""#, r#""a.*a""#, r#""*""#], Some(r#""*""#)),
            (&[r#""abracadabra""#, r#""a.*?a""#, r#""*""#], Some(r#""*c*bra""#)),
            (&[r#""abracadabra""#, r#""a""#, r#""""#], Some(r#""brcdbr""#)),
            (&[r#""abracadabra""#, r#""a(.)""#, r#""a$1$1""#], Some(r#""abbraccaddabbra""#)),
            (&[r#""abracadabra""#, r#"".*?""#, r#""$1""#], None),
            (&[r#""AAAA""#, r#""A+""#, r#""b""#], Some(r#""b""#)),
            (&[r#""AAAA""#, r#""A+?""#, r#""b""#], Some(r#""bbbb""#)),
            (&[r#""darted""#, r#""^(.*?)d(.*)$""#, r#""$1c$2""#], Some(r#""carted""#)),
            (&[r#""abc""#, r#""(b)""#, r#""$10$0\\$""#], Some(r#""ab0b$c""#)),
            (&[r#""a.b""#, r#"".""#, r#""$""#, r#""q""#], Some(r#""a$b""#)),
            (&[r#""abc""#, r#""b""#, r#""$""#], None),
            (&[r#""abc""#, r#""b""#, r#""\\x""#], None),
            (&[r#""abc""#, r#""(""#, r#""x""#], None),
            (&[r#""abc""#, r#""b""#, r#""x""#, r#""y""#], None),
            (&[r#""abc""#, r#""b"@da"#, r#""x""#], None),
        ] {
            assert_eq!(replace(&all(given), &patterns), expected.map(term), "{given:?}");
        }
        let yes = |given: &[&str]| matches(&all(given), &patterns) == Some(Literal::from(true).into());
        assert!(yes(&[r#""Alice"@en"#, r#""^ali""#, r#""i""#]));
        assert!(!yes(&[r#""Alice""#, r#""^ali""#]));
    }
}
