//! Answers that are for one caller alone: no cache keeps them.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LINK, LOCATION, REFERRER_POLICY};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::reply::next_link;
use crate::model::{Code, Place, Refusal, Result};
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
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        let (da, en) = ("kroppen skal være et JSON-objekt", "the body must be a JSON object");
        return Err(Refusal::new(Code::InvalidBody, da, en).at(Place::line(1, 1)).allowed(["{…}"]));
    }
    items(bytes)
}

/// The JSON of a body that is a list.
pub fn items<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|e| {
        let place = Place::line(e.line() as u64, e.column() as u64);
        let (da, en) = ("kroppen kan ikke læses", "the body cannot be read");
        let told = |what: &str| {
            let shape = e.is_data().then(|| e.to_string()).filter(|e| !e.starts_with("invalid"));
            shape.map_or_else(|| what.to_owned(), |shape| format!("{what}: {shape}"))
        };
        Refusal::new(Code::InvalidBody, told(da), told(en)).at(place)
    })
}

/// A part of a body that was read as JSON already.
pub fn part<T: DeserializeOwned>(value: serde_json::Value) -> Result<T> {
    serde_json::from_value(value).map_err(|e| {
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
