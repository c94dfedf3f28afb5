//! Change requests.

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::App;
use crate::http::params::{Nothing, Params, uuid};
use crate::http::private::{body, json, list};
use crate::http::problem::{Failure, Refused};
use crate::http::who::{From, Who};
use crate::model::{Result, Secret};
use crate::registry::{
    AcceptRequest, AcceptedAnswer, AskRequest, AskedAnswer, AssignRequest, OutcomeRequest, Pages, Precondition,
    RequestAnswer, RequestFilter, Submitted,
};

type Answer = Result<Response, Failure>;

/// The link that was followed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmationRequest {
    /// The secret at its end.
    pub link: String,
}

/// Asks for a change: an account, or anybody with a name and a mail address. The request of the latter waits for seven
/// days until the link in a letter is followed; before that nobody sees it.
#[utoipa::path(post, path = "/change-requests", operation_id = "askForChange", tag = "change requests",
    request_body = AskRequest,
    responses((status = 201, body = RequestAnswer), (status = 202, body = AskedAnswer), Refused<401>, Refused<404>, Refused<422>, Refused<429>))]
pub async fn ask(
    State(app): State<App>,
    Who(actor): Who,
    From(peer): From,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    Ok(match app.ask_for_change(&actor, body(&bytes)?, &peer).await? {
        Submitted::Queued(answer) => json(StatusCode::CREATED, &answer)?,
        Submitted::Pending(answer) => json(StatusCode::ACCEPTED, &answer)?,
    })
}

/// Confirms a request by the secret of the link that was sent. It works once.
#[utoipa::path(post, path = "/change-requests/confirmation", operation_id = "confirmChangeRequest",
    tag = "change requests", request_body = ConfirmationRequest,
    responses((status = 201, body = RequestAnswer), Refused<401>))]
pub async fn confirm(State(app): State<App>, _: Params<Nothing>, bytes: Bytes) -> Answer {
    let ConfirmationRequest { link } = body(&bytes)?;
    Ok(json(StatusCode::CREATED, &app.confirm_request(&Secret::shown(&link)).await?)?)
}

/// The requests, the oldest first: everybody sees those that were taken on or answered, and what came of them; who
/// asked also their own; who handles requests all of them.
#[utoipa::path(get, path = "/change-requests", operation_id = "changeRequests", tag = "change requests",
    params(RequestFilter, Pages),
    responses((status = 200, body = [RequestAnswer]), Refused<404>))]
pub async fn requests(
    State(app): State<App>,
    Who(actor): Who,
    OriginalUri(uri): OriginalUri,
    Params(filter, pages, ..): Params<RequestFilter, Pages>,
) -> Answer {
    Ok(list(&app.change_requests(&actor, &filter, &pages)?, &uri)?)
}

/// The requests about one concept, as `/change-requests` has them.
#[utoipa::path(get, path = "/vocabularies/{vocabulary}/concepts/{key}/requests", operation_id = "conceptRequests",
    tag = "change requests",
    params(("vocabulary" = String, Path, description = "The slug"), ("key" = String, Path, description = "uuid, notation or alias"), Pages),
    responses((status = 200, body = [RequestAnswer]), Refused<404>))]
pub async fn of_concept(
    State(app): State<App>,
    Who(actor): Who,
    Path((vocabulary, concept)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    Params(pages, ..): Params<Pages>,
) -> Answer {
    let filter = RequestFilter { vocabulary: Some(vocabulary), state: None, concept: Some(concept) };
    Ok(list(&app.change_requests(&actor, &filter, &pages)?, &uri)?)
}

/// One request.
#[utoipa::path(get, path = "/change-requests/{request}", operation_id = "changeRequest", tag = "change requests",
    params(("request" = String, Path, description = "The request")),
    responses((status = 200, body = RequestAnswer), Refused<404>))]
pub async fn request(State(app): State<App>, Who(actor): Who, Path(of): Path<String>, _: Params<Nothing>) -> Answer {
    Ok(json(StatusCode::OK, &app.change_request(&actor, uuid(&of)?).await?)?)
}

/// Puts on record who takes a request on: the secretariat (a small change), or a group.
#[utoipa::path(post, path = "/change-requests/{request}/assignment", operation_id = "assignChangeRequest",
    tag = "change requests", params(("request" = String, Path, description = "The request")),
    request_body = AssignRequest,
    responses((status = 200, body = RequestAnswer), Refused<403>, Refused<404>, Refused<409>))]
pub async fn assign(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    Ok(json(StatusCode::OK, &app.assign_request(&actor, uuid(&of)?, body(&bytes)?).await?)?)
}

/// Answers a request with a reason, otherwise than by an edit.
#[utoipa::path(post, path = "/change-requests/{request}/outcome", operation_id = "closeChangeRequest",
    tag = "change requests", params(("request" = String, Path, description = "The request")),
    request_body = OutcomeRequest,
    responses((status = 200, body = RequestAnswer), Refused<403>, Refused<404>, Refused<409>))]
pub async fn outcome(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    Ok(json(StatusCode::OK, &app.close_request(&actor, uuid(&of)?, body(&bytes)?).await?)?)
}

/// Makes of a request an edit of a draft and closes it as accepted: both, or neither. Where the draft says something
/// else of the concept than was in force when the request was made, and for content of the body's own, `If-Match` must
/// name what the draft says now.
#[utoipa::path(post, path = "/change-requests/{request}/acceptance", operation_id = "acceptChangeRequest",
    tag = "change requests", params(("request" = String, Path, description = "The request")),
    request_body = AcceptRequest,
    responses((status = 200, body = AcceptedAnswer), Refused<403>, Refused<404>, Refused<409>, Refused<412>, Refused<428>))]
pub async fn accept(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    headers: HeaderMap,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let matches = if_match(&headers);
    Ok(json(StatusCode::OK, &app.accept_request(&actor, uuid(&of)?, body(&bytes)?, &matches).await?)?)
}

/// Takes back a request of one's own.
#[utoipa::path(post, path = "/change-requests/{request}/withdrawal", operation_id = "withdrawChangeRequest",
    tag = "change requests", params(("request" = String, Path, description = "The request")),
    responses((status = 200, body = RequestAnswer), Refused<403>, Refused<404>, Refused<409>))]
pub async fn withdraw(State(app): State<App>, Who(actor): Who, Path(of): Path<String>, _: Params<Nothing>) -> Answer {
    Ok(json(StatusCode::OK, &app.withdraw_request(&actor, uuid(&of)?).await?)?)
}

/// What `If-Match` says, if it is there.
fn if_match(headers: &HeaderMap) -> Precondition {
    let values: Vec<&str> = headers.get_all("if-match").iter().filter_map(|v| v.to_str().ok()).collect();
    let tags: Vec<String> = values.iter().flat_map(|v| v.split(',')).map(|t| t.trim().to_owned()).collect();
    match tags.as_slice() {
        [] => Precondition::Unsaid,
        [any] if any == "*" => Precondition::Any,
        _ => Precondition::Tags(tags),
    }
}
