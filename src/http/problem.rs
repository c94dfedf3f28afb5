//! Refusals as problem documents (RFC 9457), in the reader's language.

use std::collections::BTreeMap;

use axum::extract::Request;
use axum::http::header::{ACCEPT_LANGUAGE, ALLOW, CONTENT_LANGUAGE, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::openapi::{self, Content, Ref, RefOr};
use utoipa::{IntoResponses, ToSchema};

use super::negotiate::reads_danish;
use crate::model::{Category, Code, Place, Refusal};

/// A problem document (RFC 9457).
#[derive(Serialize, ToSchema)]
pub struct Problem {
    /// `urn:begreb:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// The HTTP status.
    status: u16,
    /// The stable code that programs go by.
    code: &'static str,
    /// What is wrong, in one line.
    title: String,
    /// What is wrong, with all that is known.
    detail: String,
    /// Where in the input: name, line, column, row, field.
    #[serde(rename = "where", skip_serializing_if = "Place::is_empty")]
    #[schema(value_type = Object)]
    place: Place,
    /// What would have been allowed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowed: Vec<String>,
    /// One line for each thing that is wrong, when there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    items: Vec<String>,
    /// Both sides of what collides: `current` is what there is, `yours` what was sent; of a draft that is laid over
    /// another version, every conflict with `base`, `theirs` and `ours`.
    #[serde(skip_serializing_if = "Option::is_none")]
    conflict: Option<serde_json::Value>,
}

/// A refusal in the document of the API: a problem with this status.
pub struct Refused<const STATUS: u16>;

impl<const STATUS: u16> IntoResponses for Refused<STATUS> {
    fn responses() -> BTreeMap<String, RefOr<openapi::Response>> {
        let content = Content::new(Some(Ref::from_schema_name("Problem")));
        let response = openapi::ResponseBuilder::new().content("application/problem+json", content).build();
        [(STATUS.to_string(), response.into())].into()
    }
}

/// A refusal on its way out; [`render`] gives it its language.
pub struct Failure(pub Refusal);

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = status(&self.0).into_response();
        response.extensions_mut().insert(Carried(self.0));
        response
    }
}

#[derive(Clone)]
struct Carried(Refusal);

/// Takes the refusal out of an answer that carries one, for those who tell it otherwise than by a problem document.
pub fn carried(response: &mut Response) -> Option<Refusal> {
    response.extensions_mut().remove::<Carried>().map(|Carried(refusal)| refusal)
}

/// The status of a refusal.
pub fn status(refusal: &Refusal) -> StatusCode {
    match (refusal.code, refusal.code.category()) {
        (Code::Gone, _) => StatusCode::GONE,
        (Code::MethodNotAllowed, _) => StatusCode::METHOD_NOT_ALLOWED,
        (Code::Timeout | Code::QueryTime, _) => StatusCode::GATEWAY_TIMEOUT,
        (Code::UnsupportedType, _) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        (Code::TooManyQueries, _) => StatusCode::TOO_MANY_REQUESTS,
        (Code::PreconditionFailed, _) => StatusCode::PRECONDITION_FAILED,
        (Code::PreconditionRequired, _) => StatusCode::PRECONDITION_REQUIRED,
        (_, Category::Malformed) => StatusCode::BAD_REQUEST,
        (_, Category::Unlawful) => StatusCode::UNPROCESSABLE_ENTITY,
        (_, Category::Missing) => StatusCode::NOT_FOUND,
        (_, Category::Conflict) => StatusCode::CONFLICT,
        (_, Category::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
        (_, Category::NotAcceptable) => StatusCode::NOT_ACCEPTABLE,
        (_, Category::Unknown) => StatusCode::UNAUTHORIZED,
        (_, Category::Forbidden) => StatusCode::FORBIDDEN,
        (_, Category::TooOften) => StatusCode::TOO_MANY_REQUESTS,
        (_, Category::Broken) => StatusCode::INTERNAL_SERVER_ERROR,
        (_, Category::Busy) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// What a problem document needs to know of the request.
pub struct Asked {
    languages: Option<HeaderValue>,
    method: Method,
    uri: Uri,
}

impl Asked {
    /// Remembers a request; its parts are shared, not copied.
    pub fn of(request: &Request) -> Self {
        let languages = request.headers().get(ACCEPT_LANGUAGE).cloned();
        Self { languages, method: request.method().clone(), uri: request.uri().clone() }
    }
}

/// Renders a refusal, also a bare one of the layers below, as a problem document; other answers pass.
pub fn render(mut response: Response, asked: Asked) -> Response {
    let Asked { languages, method, uri } = asked;
    if response.status().is_success() || response.status().is_redirection() {
        return response;
    }
    let Carried(refusal) = match response.extensions_mut().remove::<Carried>() {
        Some(carried) => carried,
        None => match bare(response.status(), response.headers(), &format!("{method} {}", uri.path())) {
            Some(refusal) => Carried(refusal),
            None => return response,
        },
    };
    let headers = languages.map(|l| (ACCEPT_LANGUAGE, l)).into_iter().collect();
    document(&refusal, reads_danish(&headers), response.headers().get(ALLOW).cloned())
}

fn document(refusal: &Refusal, danish: bool, allow: Option<HeaderValue>) -> Response {
    let status = status(refusal);
    let title = if danish { &refusal.da } else { &refusal.en };
    let mut detail = title.clone();
    if !refusal.place.is_empty() {
        detail.push_str(&format!(" ({})", refusal.place));
    }
    let problem = Problem {
        kind: format!("urn:begreb:problem:{}", refusal.code.as_str()),
        status: status.as_u16(),
        code: refusal.code.as_str(),
        title: title.clone(),
        detail,
        place: refusal.place.clone(),
        allowed: refusal.allowed.clone(),
        items: refusal.items.clone(),
        conflict: refusal.conflict.as_deref().cloned(),
    };
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let language = HeaderValue::from_static(if danish { "da" } else { "en" });
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(CONTENT_LANGUAGE, language);
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    headers.insert("vary", HeaderValue::from_static("accept-language"));
    let wait = refusal.retry_after.or((refusal.code.category() == Category::Busy).then_some(1));
    if let Some(seconds) = wait {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"begreb\""));
    }
    if let Some(allow) = allow {
        headers.insert(ALLOW, allow);
    }
    response
}

/// The refusals that the framework makes without a body.
fn bare(status: StatusCode, headers: &HeaderMap, what: &str) -> Option<Refusal> {
    if headers.get(CONTENT_TYPE).is_some_and(|t| !t.as_bytes().starts_with(b"text/plain")) {
        return None;
    }
    let (code, da, en) = match status {
        StatusCode::NOT_FOUND => (Code::NotFound, "der er intet på denne adresse", "there is nothing at this address"),
        StatusCode::METHOD_NOT_ALLOWED => {
            (Code::MethodNotAllowed, "adressen tager ikke den metode", "the address does not take that method")
        }
        StatusCode::PAYLOAD_TOO_LARGE => (Code::TooLarge, "forespørgslens krop er for stor", "the body is too large"),
        StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => {
            (Code::Timeout, "det tog for lang tid", "it took too long")
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            (Code::Busy, "for mange forespørgsler på en gang", "too many requests at once")
        }
        StatusCode::INTERNAL_SERVER_ERROR => (Code::Internal, "en fejl hos os", "a fault of ours"),
        StatusCode::BAD_REQUEST => (Code::InvalidParameter, "adressen kan ikke læses", "the address cannot be read"),
        _ => return None,
    };
    Some(Refusal::new(code, da, en).at(Place::field(what)))
}
