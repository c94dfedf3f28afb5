//! What the pages share by which somebody keeps things of their own: who it is, what their form says, and what they are
//! told when it is refused.

use axum::extract::FromRequestParts;
use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::api::App;
use super::private::{nothing, sentence};
use super::problem::{Failure, status};
use super::who::{Origin, Who, foreign, origin};
use crate::model::{Category, Refusal, Result};
use crate::registry::Actor;

/// The most fields of a form.
const MOST: usize = 40;

/// Who is signed in; nobody is sent to where one signs in.
pub struct Keeper(pub Actor);

impl FromRequestParts<App> for Keeper {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        match Who::from_request_parts(parts, app).await {
            Ok(Who(actor @ Actor::Account(_))) => Ok(Self(actor)),
            Ok(_) => Err(on_to("/sign-in")),
            Err(Failure(refusal)) if refusal.code.category() == Category::Unknown => Err(on_to("/sign-in")),
            Err(failure) => Err(failure.into_response()),
        }
    }
}

/// Leads on to another page.
pub fn on_to(place: &str) -> Response {
    let mut response = nothing();
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(place) = HeaderValue::try_from(place) {
        response.headers_mut().insert(LOCATION, place);
    }
    response
}

/// The fields of a form that was sent from a page of ours.
///
/// # Errors
/// What is refused to other sites.
pub fn fields(app: &App, headers: &HeaderMap, bytes: &[u8]) -> Result<Vec<(String, String)>> {
    if origin(headers, &app.settings().public_url) == Origin::Foreign {
        return Err(foreign());
    }
    Ok(form_urlencoded::parse(bytes).into_owned().take(MOST).collect())
}

/// A field; empty when it is not there.
pub fn field<'f>(fields: &'f [(String, String)], name: &str) -> &'f str {
    fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str()).unwrap_or_default()
}

/// What a person is told of a refusal; faults of ours go the way of all faults.
///
/// # Errors
/// The refusal, when it is a fault of ours.
pub fn told(refusal: Refusal, da: bool) -> Result<(StatusCode, String)> {
    if refusal.code.category() == Category::Broken {
        return Err(refusal);
    }
    let mut text = sentence(if da { &refusal.da } else { &refusal.en });
    if let Some(line) = refusal.place.line {
        let word = if da { "linje" } else { "line" };
        text.push_str(&format!(" ({word} {line})"));
    }
    Ok((status(&refusal), text))
}
