//! What a request says of what it was made of (RFC 9110, 13.1): `If-Match`, `If-None-Match: *`.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;

use super::problem::Failure;
use crate::model::{Code, Place, Refusal, Result};
use crate::registry::Precondition;

/// The most entity tags of one request.
const MOST: usize = 100;

/// What the request was made of.
pub struct MadeOf(pub Precondition);

impl<S: Sync> FromRequestParts<S> for MadeOf {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(Self(precondition(&parts.headers)?))
    }
}

fn precondition(headers: &HeaderMap) -> Result<Precondition> {
    let (matches, none) = (text(headers, IF_MATCH)?, text(headers, IF_NONE_MATCH)?);
    match (matches.as_deref().map(str::trim), none.as_deref().map(str::trim)) {
        (None, None) => Ok(Precondition::Unsaid),
        (None, Some("*")) => Ok(Precondition::Absent),
        (Some("*"), None) => Ok(Precondition::Any),
        (Some(tags), None) => {
            let tags = entity_tags(tags).filter(|tags| !tags.is_empty() && tags.len() <= MOST);
            tags.map(Precondition::Tags).ok_or_else(|| wrong("If-Match", &["*", "\"TAG\""]))
        }
        (None, Some(_)) => Err(wrong("If-None-Match", &["*"])),
        (Some(_), Some(_)) => Err(wrong("If-None-Match", &["If-Match", "If-None-Match"])),
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Result<Option<String>> {
    let values = headers.get_all(&name).iter().map(|v| v.to_str().map_err(|_| wrong(name.as_str(), &["ASCII"])));
    let values = values.collect::<Result<Vec<_>>>()?;
    Ok((!values.is_empty()).then(|| values.join(",")))
}

/// The tags of a list; nothing when it is none. Weak ones stay in it: they are the same as no strong one.
fn entity_tags(mut list: &str) -> Option<Vec<String>> {
    let mut tags = Vec::new();
    loop {
        list = list.trim_start_matches([' ', '\t', ',']);
        if list.is_empty() {
            return Some(tags);
        }
        let opaque = list.strip_prefix("W/").unwrap_or(list).strip_prefix('"')?;
        let end = opaque.find('"')?;
        if opaque[..end].contains(|c: char| c.is_ascii_whitespace() || c.is_control()) {
            return None;
        }
        let length = list.len() - opaque.len() + end + 1;
        tags.push(list[..length].to_owned());
        list = &list[length..];
        if !list.is_empty() && !list.trim_start().starts_with(',') {
            return None;
        }
    }
}

fn wrong(header: &str, allowed: &[&str]) -> Refusal {
    let (da, en) = (format!("{header} kan ikke læses"), format!("{header} cannot be read"));
    Refusal::new(Code::InvalidParameter, da, en).at(Place::field(header)).allowed(allowed.iter().copied())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(pairs: &[(HeaderName, &str)]) -> Result<Precondition> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value.parse().unwrap());
        }
        precondition(&headers)
    }

    #[test]
    fn what_can_be_said() {
        let tags = |tags: &[&str]| Precondition::Tags(tags.iter().map(|t| (*t).to_owned()).collect());
        assert_eq!(of(&[]).unwrap(), Precondition::Unsaid);
        assert_eq!(of(&[(IF_MATCH, " * ")]).unwrap(), Precondition::Any);
        assert_eq!(of(&[(IF_NONE_MATCH, "*")]).unwrap(), Precondition::Absent);
        assert_eq!(of(&[(IF_MATCH, "\"a\", W/\"b,c\" ,\"\"")]).unwrap(), tags(&["\"a\"", "W/\"b,c\"", "\"\""]));
        assert_eq!(of(&[(IF_MATCH, "\"a\""), (IF_MATCH, "\"b\"")]).unwrap(), tags(&["\"a\"", "\"b\""]));
    }

    #[test]
    fn nonsense_is_refused() {
        for wrong in ["", ",", "a", "\"a", "a\"", "\"a\"\"b\"", "\"a\" \"b\"", "w/\"a\"", "*, \"a\"", "\"a b\""] {
            assert_eq!(of(&[(IF_MATCH, wrong)]).unwrap_err().code, Code::InvalidParameter, "{wrong}");
        }
        assert!(of(&[(IF_NONE_MATCH, "\"a\"")]).is_err() && of(&[(IF_MATCH, "*"), (IF_NONE_MATCH, "*")]).is_err());
        assert!(of(&[(IF_MATCH, &"\"a\",".repeat(101))]).is_err());
    }

    proptest! {
        #[test]
        fn no_header_is_too_strange(value in "[ -~]{0,80}") {
            let _ = of(&[(IF_MATCH, &value)]);
        }
    }
}
