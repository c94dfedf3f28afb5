//! Answers that are for one caller alone: no cache keeps them.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LINK, LOCATION, REFERRER_POLICY};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::reply::next_link;
use crate::model::{Code, Place, Refusal, Result, reading};
use crate::registry::Paged;

/// As for other pages, but with forms that lead to ourselves.
const FORMS: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

/// JSON for one caller.
pub fn json<T: Serialize + ?Sized>(status: StatusCode, value: &T) -> Result<Response> {
    let bytes = serde_json::to_vec(value).map_err(|e| Refusal::new(Code::Internal, e.to_string(), e.to_string()))?;
    Ok(response(status, "application/json", bytes))
}

/// A page of a list for one caller.
pub fn list<T: Serialize>(page: &Paged<T>, uri: &Uri) -> Result<Response> {
    let mut response = json(StatusCode::OK, &page.items)?;
    response.headers_mut().insert("x-total-count", HeaderValue::from(page.total));
    let link = page.next.as_ref().and_then(|next| HeaderValue::try_from(next_link(uri, next)).ok());
    if let Some(link) = link {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

/// A list that is short enough for one page.
pub fn whole<T: Serialize>(items: &[T]) -> Result<Response> {
    let mut response = json(StatusCode::OK, items)?;
    response.headers_mut().insert("x-total-count", HeaderValue::from(items.len()));
    Ok(response)
}

/// Done, and nothing to say.
pub fn nothing() -> Response {
    let mut response = response(StatusCode::NO_CONTENT, "application/json", Vec::new());
    response.headers_mut().remove(CONTENT_TYPE);
    response
}

/// A page for one caller. Its address may hold a secret, which no other site is told.
pub fn page(status: StatusCode, template: &impl askama::Template) -> Result<Response> {
    let html = template.render().map_err(|e| Refusal::new(Code::Internal, e.to_string(), e.to_string()))?;
    let mut response = response(status, "text/html; charset=utf-8", html.into_bytes());
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, FORMS);
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    Ok(response)
}

/// A refusal as it begins on a page: with a capital.
pub fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

fn response(status: StatusCode, media: &'static str, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The JSON object of a body. What the reader found there is not repeated: it may be a password.
pub fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    // The reader would take a list for an object, its members by their order: nobody means that.
    let begins = bytes.trim_ascii_start().first();
    if begins.is_some_and(|first| matches!(first, b'[' | b'"' | b'n' | b't' | b'f' | b'-' | b'0'..=b'9')) {
        let before = &bytes[..bytes.len() - bytes.trim_ascii_start().len()];
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|b| **b != b'\n').count() + 1;
        let (da, en) = ("kroppen skal være et JSON-objekt", "the body must be a JSON object");
        let place = Place::line(line as u64, column as u64);
        return Err(Refusal::new(Code::InvalidBody, da, en).at(place).allowed(["{…}"]));
    }
    items(bytes)
}

/// The JSON of a body that is a list.
pub fn items<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    reading(|| serde_json::from_slice(bytes)).map_err(|(e, refusal)| {
        let (line, column) = (e.line().max(1), e.column().max(1));
        let place = Place::line(line as u64, column as u64);
        let mut path = if e.is_data() { path_at(bytes, line, column, refusal.is_some()) } else { Vec::new() };
        if let Some(refusal) = refusal {
            return refusal.at(within(path)).at(place);
        }
        let shape = e.is_data().then(|| e.to_string()).filter(|e| !e.starts_with("invalid"));
        let Some(shape) = shape else {
            let (da, en) = ("kroppen kan ikke læses", "the body cannot be read");
            return Refusal::new(Code::InvalidBody, da, en).at(within(path)).at(place);
        };
        let shape = shape.split(" at line ").next().unwrap_or_default();
        let name = shape.split('`').nth(1).unwrap_or_default();
        let da = match shape.split_once(" `").map(|(what, _)| what) {
            Some("missing field") => format!(": feltet »{name}« mangler"),
            Some("unknown field") => format!(": feltet »{name}« kendes ikke"),
            Some("duplicate field") => format!(": feltet »{name}« er der to gange"),
            Some("unknown variant") => format!(": »{name}« er ikke en af mulighederne"),
            _ => String::new(),
        };
        if shape.starts_with("missing field") {
            // The reader had come to the end of the object that lacks it, which `path_at` has left.
            path.push(name.to_owned());
        }
        let expected = shape.split_once("expected").map_or("", |(_, expected)| expected);
        let allowed = expected.split('`').skip(1).step_by(2).map(ToOwned::to_owned);
        let (da, en) = (format!("kroppen kan ikke læses{da}"), format!("the body cannot be read: {shape}"));
        Refusal::new(Code::InvalidBody, da, en).at(within(path)).at(place).allowed(allowed)
    })
}

/// A member by its path.
fn within(path: Vec<String>) -> Place {
    if path.is_empty() { Place::default() } else { Place::field(path.join(".")) }
}

/// The member of a JSON text that a reader had come to at a place in it: its name and those of the members around it.
/// When a value is refused after it was read, the reader has gone on to the end of what it was the last of.
fn path_at(bytes: &[u8], line: usize, column: usize, after: bool) -> Vec<String> {
    let before = bytes.split_inclusive(|b| *b == b'\n').take(line - 1).map(<[u8]>::len).sum::<usize>();
    let mut end = before.saturating_add(column).min(bytes.len());
    let closes = bytes[..end].last().is_some_and(|b| matches!(b, b'}' | b']'));
    if after && closes && bytes[..end - 1].trim_ascii_end().last() == Some(&b'"') {
        end -= 1;
    }
    // Of an object the member that was named last, of a list the number of the item.
    let mut around: Vec<Result<String, usize>> = Vec::new();
    let (mut i, mut names) = (0, false);
    while i < end {
        match bytes[i] {
            b'{' => {
                around.push(Ok(String::new()));
                names = true;
            }
            b'[' => {
                around.push(Err(0));
                names = false;
            }
            b'}' | b']' => drop(around.pop()),
            b',' => match around.last_mut() {
                Some(Err(n)) => *n += 1,
                _ => names = true,
            },
            b'"' => {
                let from = i + 1;
                i = from;
                while i < bytes.len() && bytes[i] != b'"' {
                    i += if bytes[i] == b'\\' { 2 } else { 1 };
                }
                if let (true, Some(Ok(name))) = (names, around.last_mut()) {
                    *name = String::from_utf8_lossy(&bytes[from..i.min(bytes.len())]).chars().take(80).collect();
                    names = false;
                }
            }
            _ => {}
        }
        i += 1;
    }
    around.into_iter().map(|part| part.unwrap_or_else(|n| n.to_string())).filter(|part| !part.is_empty()).collect()
}

/// A part of a body that was read as JSON already.
pub fn part<T: DeserializeOwned>(value: serde_json::Value) -> Result<T> {
    reading(|| serde_json::from_value(value)).map_err(|(e, refusal)| {
        if let Some(refusal) = refusal {
            return refusal;
        }
        Refusal::new(Code::InvalidBody, format!("kroppen kan ikke læses: {e}"), format!("the body cannot be read: {e}"))
    })
}

/// A text for one caller. Pages have their look in them and load nothing.
pub fn text(media: &'static str, text: String) -> Response {
    let mut response = response(StatusCode::OK, media, text.into_bytes());
    if media.starts_with("text/html") {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, FORMS);
    }
    response
}

/// A file for one caller.
pub fn bytes(media: &'static str, bytes: Vec<u8>) -> Response {
    response(StatusCode::OK, media, bytes)
}

/// The answer with the entity tag of what it tells.
pub fn tagged(mut response: Response, tag: Option<&str>) -> Response {
    if let Some(tag) = tag.and_then(|t| HeaderValue::try_from(t).ok()) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// What was made, and where it is.
pub fn made<T: Serialize + ?Sized>(value: &T, address: &str) -> Result<Response> {
    let mut response = json(StatusCode::CREATED, value)?;
    if let Ok(address) = HeaderValue::try_from(address) {
        response.headers_mut().insert(LOCATION, address);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::model::Mail;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "it is only read")]
    struct Person {
        mail: Mail,
        #[serde(default)]
        others: Vec<Person>,
    }

    fn refused(text: &str) -> Refusal {
        body::<Person>(text.as_bytes()).expect_err("it is refused")
    }

    #[test]
    fn what_the_model_refuses_is_told_by_the_model() {
        let model = "x".parse::<Mail>().expect_err("it is no address");
        for (text, field) in [
            ("{\"mail\": \"x\"}", "mail"),
            ("{\n \"others\": [{\"mail\": \"a@b.dk\"}, {\"mail\":\"x\"}]}", "others.1.mail"),
        ] {
            let refusal = refused(text);
            assert_eq!((refusal.code, &refusal.da, &refusal.en), (Code::InvalidMail, &model.da, &model.en));
            assert_eq!(refusal.place.field.as_deref(), Some(field), "{text}");
        }
        // What was refused and then passed over is not what was wrong.
        assert_eq!(refused("{\"mail\": \"a@b.dk\", \"x\": 1}").code, Code::InvalidBody);
    }

    #[test]
    fn a_body_of_another_shape_is_told_in_one_language_with_its_place() {
        let missing = refused("{\"others\": []}");
        assert_eq!(missing.da, "kroppen kan ikke læses: feltet »mail« mangler");
        assert_eq!(missing.place.field.as_deref(), Some("mail"));
        let unknown = refused("{\"mail\": \"a@b.dk\", \"farve\": 1}");
        assert_eq!(unknown.da, "kroppen kan ikke læses: feltet »farve« kendes ikke");
        assert_eq!(unknown.allowed, ["mail", "others"]);
        for (text, place) in [("null", (1, 1)), (" \n [1]", (2, 2)), ("\"x\"", (1, 1)), ("", (1, 1))] {
            let refusal = refused(text);
            assert_eq!(refusal.code, Code::InvalidBody, "{text}");
            assert_eq!((refusal.place.line, refusal.place.column), (Some(place.0), Some(place.1)), "{text}");
        }
    }
}
