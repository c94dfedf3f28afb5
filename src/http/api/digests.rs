//! Mail digests: asked for by anybody, confirmed by mail.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::App;
use super::requests::ConfirmationRequest;
use crate::http::params::{Nothing, Params};
use crate::http::private::{body, json, whole};
use crate::http::problem::{Failure, Refused};
use crate::http::who::{From, Who};
use crate::model::{Result, Secret};
use crate::registry::{AskedAnswer, DigestAnswer, DigestRequest, DigestsOf};

type Answer = Result<Response, Failure>;

/// Asks for a mail digest. Nothing is sent to the address but a link, before that is followed within seven days.
#[utoipa::path(post, path = "/subscriptions/mail", operation_id = "askForDigest", tag = "subscriptions",
    request_body = DigestRequest,
    responses((status = 202, body = AskedAnswer), Refused<401>, Refused<404>, Refused<422>, Refused<429>))]
pub async fn ask(
    State(app): State<App>,
    Who(actor): Who,
    From(peer): From,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    Ok(json(StatusCode::ACCEPTED, &app.ask_for_digest(&actor, body::<DigestRequest>(&bytes)?, &peer).await?)?)
}

/// The digests that go to a mail address: for those who manage accounts, so that somebody can be erased who asks for it.
#[utoipa::path(get, path = "/subscriptions/mail", operation_id = "digestsTo", tag = "subscriptions", params(DigestsOf),
    responses((status = 200, body = [DigestAnswer]), Refused<401>, Refused<403>))]
pub async fn of(State(app): State<App>, Who(actor): Who, Params(of, ..): Params<DigestsOf>) -> Answer {
    Ok(whole(&app.digests_to(&actor, &of).await?)?)
}

/// Lets a digest begin, by the secret of the link that was sent. It works once.
#[utoipa::path(post, path = "/subscriptions/mail/confirmation", operation_id = "confirmDigest", tag = "subscriptions",
    request_body = ConfirmationRequest,
    responses((status = 201, body = DigestAnswer), Refused<401>, Refused<409>))]
pub async fn confirm(State(app): State<App>, _: Params<Nothing>, bytes: Bytes) -> Answer {
    let ConfirmationRequest { link } = body(&bytes)?;
    Ok(json(StatusCode::CREATED, &app.confirm_digest(&Secret::shown(&link)).await?)?)
}
