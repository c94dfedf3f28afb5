//! Refusals as pages: a person sent the form, and reads no problem documents. What was written is shown again, also
//! where the form itself cannot be, and can be sent once more by one who has signed in meanwhile.

use askama::Template;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::see;
use super::sent::Sent;
use crate::http::api::App;
use crate::http::negotiate::reads_danish;
use crate::http::private::{page, sentence};
use crate::http::problem::{Failure, carried, status};
use crate::http::who::{Origin, origin};
use crate::model::{Category, Refusal};

#[derive(Template)]
#[template(path = "draft-refused.html")]
struct RefusedPage {
    da: bool,
    text: String,
    /// What would have been allowed, and what is wrong one by one.
    details: Vec<String>,
    /// Whether to sign in would help.
    sign_in: bool,
    /// Where the same can be sent again; nowhere when it would be refused again, or came from elsewhere.
    again: Option<String>,
    sent: Vec<(String, String)>,
}

/// Tells what is refused on a page.
pub async fn as_pages(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    // The edge has taken in all of it, within its limit.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else { return StatusCode::BAD_REQUEST.into_response() };
    let (headers, place) = (parts.headers.clone(), parts.uri.to_string());
    let reads = parts.method == Method::GET || parts.method == Method::HEAD;
    let mut response = next.run(Request::from_parts(parts, Body::from(bytes.clone()))).await;
    let Some(refusal) = carried(&mut response) else { return response };
    let unknown = refusal.code.category() == Category::Unknown;
    if reads && unknown {
        return see("/sign-in");
    }
    // What another site's page would have somebody send is not handed on to them.
    let ours = origin(&headers, &app.settings().public_url) == Origin::Ours;
    let sent = if reads || !ours { Sent::default() } else { Sent::read(&bytes).unwrap_or_default() };
    let later = unknown || matches!(refusal.code.category(), Category::Broken | Category::Busy);
    let again = (!reads && ours && later).then_some(place);
    told(refusal, reads_danish(&headers), sent, again)
}

fn told(refusal: Refusal, da: bool, sent: Sent, again: Option<String>) -> Response {
    let status = status(&refusal);
    let template = RefusedPage {
        da,
        text: sentence(if da { &refusal.da } else { &refusal.en }),
        details: refusal.allowed.iter().chain(&refusal.items).cloned().collect(),
        sign_in: refusal.code.category() == Category::Unknown,
        again,
        sent: sent.fields().iter().filter(|(_, v)| !v.trim().is_empty()).cloned().collect(),
    };
    page(status, &template).unwrap_or_else(|refusal| Failure(refusal).into_response())
}
