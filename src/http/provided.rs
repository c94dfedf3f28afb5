//! Signing in at an OpenID provider: the way there, and the way back.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use serde::Deserialize;
use utoipa::IntoParams;

use super::HttpOptions;
use super::app::App;
use super::negotiate::{media, reads_danish};
use super::params::{Nothing, Params};
use super::peer::TrustForwarded;
use super::private::{nothing, page};
use super::problem::Failure;
use super::sign::{refused_page, with_wait};
use super::who::{From, set_cookie, value_of};
use crate::model::{Category, Refusal, Result};
use crate::registry::{Arrived, CameBack};

type Answer = Result<Response, Failure>;

/// The addresses.
pub fn router(options: &HttpOptions) -> Router<App> {
    Router::new()
        .route("/sign-in/{provider}", get(leave))
        .route("/sign-in/{provider}/callback", get(come_back))
        .layer(Extension(TrustForwarded(options.trust_forwarded)))
}

/// Where to go afterwards.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Afterwards {
    /// A path of this site.
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "signed-in.html")]
struct SignedInPage {
    da: bool,
    next: String,
}

async fn leave(
    State(app): State<App>,
    From(peer): From,
    Path(provider): Path<String>,
    headers: HeaderMap,
    Params(afterwards, ..): Params<Afterwards, Nothing>,
) -> Answer {
    let next = afterwards.next.as_deref().unwrap_or("/me");
    let leaving = match app.leave_for(&provider, next, &peer).await {
        Ok(leaving) => leaving,
        Err(refusal) => return readable(&app, &headers, refusal, None),
    };
    let mut response = nothing();
    *response.status_mut() = StatusCode::SEE_OTHER;
    let address = HeaderValue::try_from(leaving.address).map_err(|_| unreadable())?;
    response.headers_mut().insert(LOCATION, address);
    if let Some(cookie) = keep(&app, &leaving.keeps, leaving.seconds) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Takes any parameter: providers send more than they need, and what is not known is passed over (RFC 6749, 4.1.2).
async fn come_back(
    State(app): State<App>,
    From(peer): From,
    Path(provider): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let kept = value_of(&headers, keeper(&app));
    // Whatever comes of it, what the browser kept has served.
    let taken = keep(&app, "", 0);
    let with = came_back(query.as_deref().unwrap_or_default());
    let arrived = match app.come_back(&provider, kept, with, &peer).await {
        Ok(arrived) => arrived,
        Err(refusal) => return readable(&app, &headers, refusal, taken),
    };
    let Arrived { signed_in, next } = arrived;
    // No redirect: to the browser it would still be the other site's, and SameSite=Strict would hold the new cookie
    // back. A page of ours goes on by itself.
    let mut response = page(StatusCode::OK, &SignedInPage { da: reads_danish(&headers), next })?;
    let cookies = [set_cookie(&app.settings().public_url, Some(&signed_in)), taken];
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// What the address says; what is said twice says nothing.
fn came_back(query: &str) -> CameBack {
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).take(50).collect();
    let one = |name: &str| {
        let mut values = pairs.iter().filter(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.to_string());
        values.next().filter(|_| values.next().is_none())
    };
    let error = one("error").map(|error| match one("error_description") {
        Some(why) => format!("{error}: {why}"),
        None => error,
    });
    CameBack { state: one("state"), code: one("code"), error, issuer: one("iss") }
}

/// A refusal as a page with the ways to begin again, for whoever reads pages; else as a problem document.
fn readable(app: &App, headers: &HeaderMap, refusal: Refusal, cookie: Option<HeaderValue>) -> Answer {
    let wants_page = media(headers, &["application/problem+json", "text/html"]) == Some("text/html");
    if !wants_page || refusal.code.category() == Category::Broken {
        return Err(refusal.into());
    }
    let wait = refusal.retry_after;
    let mut response = with_wait(refused_page(app, reads_danish(headers), refusal)?, wait);
    if let Some(cookie) = cookie {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}

fn unreadable() -> Refusal {
    let (da, en) = ("udbyderens adresse kan ikke bruges", "the provider's address cannot be used");
    Refusal::new(crate::model::Code::ProviderUnreachable, da, en)
}

/// The name of the cookie that is kept on the way. `__Host-` as for the session.
fn keeper(app: &App) -> &'static str {
    if app.settings().public_url.starts_with("https://") { "__Host-begreb-sign-in" } else { "begreb-sign-in" }
}

/// `Set-Cookie` for the way: Lax, since the way back begins at the provider's site.
fn keep(app: &App, value: &str, seconds: i64) -> Option<HeaderValue> {
    let secure = if app.settings().public_url.starts_with("https://") { "; Secure" } else { "" };
    let name = keeper(app);
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    HeaderValue::try_from(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_twice_says_nothing() {
        let came = came_back("state=s&code=a&code=b&iss=https%3A%2F%2Fi&session_state=x");
        assert_eq!((came.state.as_deref(), came.code, came.issuer.as_deref()), (Some("s"), None, Some("https://i")));
        let came = came_back("error=access_denied&error_description=Nej+tak&code=");
        assert_eq!((came.error.as_deref(), came.code), (Some("access_denied: Nej tak"), None));
    }
}
