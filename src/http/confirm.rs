//! The page of the link that confirms a change request. To look at it does nothing: scanners of mail follow links.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;

use super::app::App;
use super::negotiate::{Caller, reads_danish};
use super::params::{Nothing, Params};
use super::private::{page, sentence};
use super::problem::Failure;
use super::who::{Origin, foreign, origin};
use crate::model::{Code, Refusal, Result, Secret};

type Answer = Result<Response, Failure>;

/// The page's address.
pub fn router() -> Router<App> {
    Router::new().route("/change-requests/confirm/{secret}", get(show).post(confirm))
}

#[derive(Template)]
#[template(path = "confirm-request.html")]
struct ConfirmPage {
    da: bool,
    secret: String,
    done: Option<String>,
    refused: Option<String>,
}

async fn show(
    State(app): State<App>,
    Path(secret): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Answer {
    match app.pending_request(&Secret::shown(&secret)).await {
        Ok(()) => {
            let (done, refused) = (None, None);
            Ok(page(StatusCode::OK, &ConfirmPage { da: reads_danish(&headers), secret, done, refused })?)
        }
        Err(refusal) => gone(refusal, &headers),
    }
}

async fn confirm(State(app): State<App>, Path(secret): Path<String>, headers: HeaderMap, _: Params<Nothing>) -> Answer {
    if origin(&headers, &app.settings().public_url) == Origin::Foreign {
        return Err(foreign().into());
    }
    match app.confirm_request(&Secret::shown(&secret)).await {
        Ok(request) => {
            let (done, refused) = (Some(request.title.to_string()), None);
            Ok(page(StatusCode::OK, &ConfirmPage { da: reads_danish(&headers), secret: String::new(), done, refused })?)
        }
        Err(refusal) => gone(refusal, &headers),
    }
}

/// The page of a link that leads nowhere any more: a person followed it.
fn gone(refusal: Refusal, headers: &HeaderMap) -> Answer {
    if refusal.code != Code::Expired {
        return Err(refusal.into());
    }
    let da = reads_danish(headers);
    let refused = Some(sentence(if da { &refusal.da } else { &refusal.en }));
    Ok(page(StatusCode::GONE, &ConfirmPage { da, secret: String::new(), done: None, refused })?)
}
