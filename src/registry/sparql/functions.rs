//! The functions of SPARQL 1.1 whose result can be far longer than what they are given. The evaluator's own know no
//! limit; these stop the query at one.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use oxrdf::vocab::xsd;
use oxrdf::{Literal, NamedNode, Term};
use regex::{Regex, RegexBuilder};
use spareval::QueryEvaluator;
use spargebra::algebra::Function;

use crate::projection::rdf::{Stopped, count_down, stop_for};

/// The longest text that they make.
const LONGEST: usize = 1 << 20;
/// The longest pattern that is computed.
const LONGEST_PATTERN: usize = 4096;
/// How large a compiled pattern may become.
const LARGEST_PATTERN: usize = 1 << 20;

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
    let patterns = Patterns::default();
    let others = Patterns::default();
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

/// The pattern that was compiled last, of one query.
#[derive(Default)]
struct Patterns(Mutex<Option<(String, String, Option<Regex>)>>);

impl Patterns {
    fn get(&self, pattern: &str, flags: &str) -> Option<Regex> {
        if pattern.len() > LONGEST_PATTERN {
            stop_for(Stopped::Size);
            return None;
        }
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((p, f, regex)) = &*last
            && p == pattern
            && f == flags
        {
            return regex.clone();
        }
        let regex = compile(pattern, flags);
        *last = Some((pattern.to_owned(), flags.to_owned(), regex.clone()));
        regex
    }
}

fn compile(pattern: &str, flags: &str) -> Option<Regex> {
    let quoted = flags.contains('q');
    let pattern = if quoted { regex::escape(pattern).into() } else { Cow::Borrowed(pattern) };
    let mut builder = RegexBuilder::new(&pattern);
    builder.size_limit(LARGEST_PATTERN);
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
    builder.build().ok()
}

/// `REGEX` (17.4.3.14).
fn matches(given: &[Term], patterns: &Patterns) -> Option<Term> {
    let (text, pattern, flags) = match given {
        [text, pattern] => (text, pattern, ""),
        [text, pattern, flags] => (text, pattern, plain(flags)?),
        _ => return None,
    };
    let found = patterns.get(plain(pattern)?, flags)?.is_match(string(text)?.0);
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
    let regex = patterns.get(plain(pattern)?, flags)?;
    if regex.is_match("") {
        return None;
    }
    let by = if flags.contains('q') { vec![Piece::Text(by.to_owned())] } else { pieces(by, regex.captures_len() - 1)? };
    let (mut out, mut end) = (String::new(), 0);
    for found in regex.captures_iter(text) {
        count_down();
        let whole = found.get(0)?;
        out.push_str(&text[end..whole.start()]);
        for piece in &by {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Group(n) => out.push_str(found.get(*n).map_or("", |m| m.as_str())),
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
