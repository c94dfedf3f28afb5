//! Characters and lengths: what XML 1.0 and KOMBIT's schemas have room for.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether XML 1.0 allows the character at all, even as a reference (production 2, `Char`).
pub(super) fn is_lawful(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// The text as character data. A carriage return is written as a reference, or it would be read as a line feed.
pub(super) fn markup(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '\r']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#13;"),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// The text for a KOMBIT element that takes `longest` characters: cut with an ellipsis when it is longer, and
/// with U+FFFD for what XML cannot hold. The whole text stands in the extension.
pub(super) fn fit(text: &str, longest: usize) -> String {
    let lawful = |c| if is_lawful(c) { c } else { char::REPLACEMENT_CHARACTER };
    if text.chars().nth(longest).is_none() {
        return text.chars().map(lawful).collect();
    }
    text.chars().take(longest - 1).map(lawful).chain(['…']).collect()
}

/// Whether [`fit`] leaves the text as it is.
pub(super) fn fits(text: &str, longest: usize) -> bool {
    text.chars().nth(longest).is_none() && text.chars().all(is_lawful)
}

/// The text with what XML cannot hold written `\uXXXX` and backslashes doubled; nothing when there is no need.
pub(super) fn escape(text: &str) -> Option<String> {
    if text.chars().all(is_lawful) {
        return None;
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            c if is_lawful(c) => out.push(c),
            c => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
        }
    }
    Some(out)
}

/// Undoes [`escape`]; nothing when the text is not of its making.
pub(super) fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('\\') {
            out.push('\\');
            rest = after;
        } else {
            let digits = rest.strip_prefix('u')?.get(..4)?;
            let hexadecimal = digits.bytes().all(|b| b.is_ascii_hexdigit());
            out.push(u32::from_str_radix(digits, 16).ok().filter(|_| hexadecimal).and_then(char::from_u32)?);
            rest = &rest[5..];
        }
    }
    out.push_str(rest);
    Some(out)
}

/// What an IRI that is not a URN gets in front, percent-encoded where a URN (RFC 8141) demands it.
const IRI: &str = "urn:begreb:iri:";

/// The IRI as a URN. OIO refers by uuid or URN and by nothing else.
pub(super) fn urn(iri: &str) -> String {
    if iri.get(..4).is_some_and(|s| s.eq_ignore_ascii_case("urn:")) {
        return iri.to_owned();
    }
    let mut out = IRI.to_owned();
    for byte in iri.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Undoes [`urn`]; any other URN stays as it is.
pub(super) fn iri(urn: &str) -> String {
    urn.strip_prefix(IRI).and_then(percent_decoded).unwrap_or_else(|| urn.to_owned())
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => hexadecimal(bytes.next()?)? << 4 | hexadecimal(bytes.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(out).ok()
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(fit("æøå", 3), "æøå");
        assert_eq!(fit("æøåæ", 3), "æø…");
        assert_eq!(fit("a\u{1}b", 3), "a\u{fffd}b");
        assert!(fits("æøå", 3) && !fits("æøåæ", 3) && !fits("\u{ffff}", 3));
    }

    #[test]
    fn only_our_own_escapes_are_undone() {
        for wrong in ["\\", "\\u12", "\\u+123", "\\x0041", "\\uD800", "a\\uæøåæ"] {
            assert_eq!(unescape(wrong), None, "{wrong}");
        }
        assert_eq!(escape("plain \\ text"), None);
        assert_eq!(escape("\\\u{1}").as_deref(), Some("\\\\\\u0001"));
    }

    #[test]
    fn an_iri_becomes_a_urn_and_an_iri_again() {
        assert_eq!(urn("urn:oid:1.2.208"), "urn:oid:1.2.208");
        assert_eq!(urn("http://snomed.info/id/1?x#y"), "urn:begreb:iri:http://snomed.info/id/1%3Fx%23y");
        assert_eq!(iri("urn:begreb:iri:a%ZZ"), "urn:begreb:iri:a%ZZ");
    }

    proptest! {
        #[test]
        fn nothing_is_lost(chars in prop::collection::vec(prop_oneof![any::<char>(), Just('\\'), Just('\u{1}')], 0..60)) {
            let text = String::from_iter(chars);
            if let Some(escaped) = escape(&text) {
                prop_assert!(escaped.chars().all(is_lawful));
                prop_assert_eq!(unescape(&escaped), Some(text.clone()));
            }
            if !text.to_ascii_lowercase().starts_with("urn:") {
                prop_assert_eq!(iri(&urn(&text)), text);
            }
        }
    }
}
