//! What the caller accepts: media types (RFC 9110, 12.5.1) and languages (12.5.4).

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, ACCEPT_LANGUAGE, IF_NONE_MATCH};
use axum::http::request::Parts;

use crate::model::{Code, Refusal};

/// The headers that answers turn on; the others are not copied.
pub struct Caller(pub HeaderMap);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let mut headers = HeaderMap::new();
        for name in [ACCEPT, ACCEPT_LANGUAGE, IF_NONE_MATCH] {
            for value in parts.headers.get_all(&name) {
                headers.append(name.clone(), value.clone());
            }
        }
        Ok(Self(headers))
    }
}

/// The language of labels: the first that the reader asks for, Danish when none.
#[must_use]
pub fn language(headers: &HeaderMap) -> String {
    let wanted = weighted(headers, ACCEPT_LANGUAGE.as_str());
    let best = wanted.iter().find(|(tag, _)| *tag != "*").map(|(tag, _)| *tag);
    let primary = best.and_then(|tag| tag.split('-').next());
    let lawful = |tag: &&str| (2..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphabetic());
    primary.filter(lawful).unwrap_or("da").to_ascii_lowercase()
}

/// Whether pages and problems are in Danish: unless English is asked for before Danish.
#[must_use]
pub fn reads_danish(headers: &HeaderMap) -> bool {
    let wanted = weighted(headers, ACCEPT_LANGUAGE.as_str());
    let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let known = wanted.iter().map(|(tag, _)| primary(tag)).find(|t| matches!(t.as_str(), "da" | "en" | "*"));
    // A reader of some other language alone is better served by English.
    known.map_or(wanted.is_empty(), |tag| tag != "en")
}

/// The best of the offered media types for the caller, or nothing. Offers come in the server's order, which
/// decides among equals.
#[must_use]
pub fn media<'o>(headers: &HeaderMap, offers: &[&'o str]) -> Option<&'o str> {
    let ranges = weighted(headers, ACCEPT.as_str());
    if ranges.is_empty() {
        return offers.first().copied();
    }
    let weight = |offer: &str| {
        let matching = ranges.iter().filter_map(|(range, q)| {
            let specific = if range.eq_ignore_ascii_case(offer) {
                2
            } else if range.ends_with("/*")
                && offer.get(..range.len() - 1).is_some_and(|o| o.eq_ignore_ascii_case(&range[..range.len() - 1]))
            {
                1
            } else if *range == "*/*" {
                0
            } else {
                return None;
            };
            Some((specific, *q))
        });
        // The most specific range decides, whatever its weight.
        matching.max_by_key(|(specific, _)| *specific).map_or(0, |(_, q)| q)
    };
    let mut best: Option<(&str, u16)> = None;
    for offer in offers {
        let q = weight(offer);
        if q > 0 && best.is_none_or(|(_, b)| q > b) {
            best = Some((offer, q));
        }
    }
    best.map(|(offer, _)| offer)
}

/// The elements of a header with their weights in thousandths, heaviest first; at most 50 are read.
fn weighted<'h>(headers: &'h HeaderMap, name: &str) -> Vec<(&'h str, u16)> {
    let mut found: Vec<(&str, u16)> = Vec::new();
    for value in headers.get_all(name).iter().filter_map(|v| v.to_str().ok()) {
        for element in value.split(',').take(50) {
            let mut parts = element.split(';').map(str::trim);
            let Some(what) = parts.next().filter(|w| !w.is_empty()) else { continue };
            let q = parts.find_map(|p| p.strip_prefix("q=").or_else(|| p.strip_prefix("Q=")));
            let q = q.map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0)).clamp(0.0, 1.0);
            found.push((what, (q * 1000.0) as u16));
        }
    }
    found.sort_by_key(|(_, q)| std::cmp::Reverse(*q));
    found.retain(|(_, q)| name == ACCEPT.as_str() || *q > 0);
    found
}

/// The refusal when nothing that is offered is accepted.
pub fn not_acceptable(offers: &[&str]) -> Refusal {
    let (da, en) = ("ingen af formaterne er blandt dem, du tager imod", "none of the formats is one that you accept");
    Refusal::new(Code::NotAcceptable, da, en).allowed(offers.iter().copied())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with(name: axum::http::HeaderName, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
        headers
    }

    #[test]
    fn the_best_offer_is_chosen() {
        let offers = ["text/html", "application/json", "text/turtle"];
        for (accept, expected) in [
            ("*/*", Some("text/html")),
            ("application/json", Some("application/json")),
            ("text/turtle;q=0.5, application/json;q=0.9", Some("application/json")),
            ("text/*;q=0.3, text/turtle", Some("text/turtle")),
            ("text/html;q=0, */*;q=0.1", Some("application/json")),
            ("application/pdf", None),
            ("TEXT/TURTLE", Some("text/turtle")),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", Some("text/html")),
        ] {
            assert_eq!(media(&with(ACCEPT, accept), &offers), expected, "{accept}");
        }
        assert_eq!(media(&HeaderMap::new(), &offers), Some("text/html"));
    }

    #[test]
    fn danish_unless_english_comes_first() {
        for (accept, danish) in [
            ("da", true),
            ("en", false),
            ("en-GB,en;q=0.9,da;q=0.8", false),
            ("da-DK,da;q=0.9,en;q=0.8", true),
            ("*", true),
            ("fr", false),
            ("en;q=0, da;q=0.1", true),
            ("en;q=0.1, da;q=0.2", true),
        ] {
            assert_eq!(reads_danish(&with(ACCEPT_LANGUAGE, accept)), danish, "{accept}");
        }
        assert!(reads_danish(&HeaderMap::new()));
        assert_eq!(language(&with(ACCEPT_LANGUAGE, "sv-SE,da;q=0.5")), "sv");
        assert_eq!(language(&HeaderMap::new()), "da");
    }

    proptest! {
        #[test]
        fn no_header_is_too_strange(value in "[ -~]{0,80}") {
            let _ = media(&with(ACCEPT, &value), &["text/html"]);
            let _ = language(&with(ACCEPT_LANGUAGE, &value));
            let _ = reads_danish(&with(ACCEPT_LANGUAGE, &value));
        }
    }
}
