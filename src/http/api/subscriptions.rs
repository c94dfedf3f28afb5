//! Subscriptions: who is told of what happens, and how it went.

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::App;
use super::about::About;
use crate::http::params::{Nothing, Params, uuid};
use crate::http::private::{body, json, list, made, nothing};
use crate::http::problem::{Failure, Refused};
use crate::http::who::Who;
use crate::model::Result;
use crate::registry::{
    DeadLetter, DeliveryRow, MadeSubscription, Pages, ReplayAnswer, ReplayRequest, SecretRequest, SubscriptionAnswer,
    SubscriptionChange, SubscriptionRequest, TestAnswer,
};

type Answer = Result<Response, Failure>;

/// Whose subscriptions.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Whose {
    /// `true` for everyone's; that takes the right to `manage-subscriptions`.
    all: Option<bool>,
}

/// One's own subscriptions and those of one's organisation, oldest first.
#[utoipa::path(get, path = "/subscriptions", operation_id = "subscriptions", tag = "subscriptions", params(Whose, Pages),
    responses((status = 200, body = [SubscriptionAnswer]), Refused<401>, Refused<403>))]
pub async fn subscriptions(
    State(app): State<App>,
    Who(actor): Who,
    OriginalUri(uri): OriginalUri,
    Params(whose, pages, _): Params<Whose, Pages>,
) -> Answer {
    let subscriptions = app.subscriptions(&actor, whose.all.unwrap_or(false)).await?;
    Ok(list(&pages.since(subscriptions, |s| (s.created, s.uuid))?, &uri)?)
}

/// Makes a webhook. What its messages are signed with is in this answer and in no other.
#[utoipa::path(post, path = "/subscriptions", operation_id = "subscribe", tag = "subscriptions",
    request_body = SubscriptionRequest,
    responses((status = 201, body = MadeSubscription), Refused<401>, Refused<409>, Refused<422>))]
pub async fn subscribe(State(app): State<App>, Who(actor): Who, _: Params<Nothing>, bytes: Bytes) -> Answer {
    let answer = app.create_subscription(&actor, None, body::<SubscriptionRequest>(&bytes)?).await?;
    Ok(made(&answer, &format!("/api/v1/subscriptions/{}", answer.subscription.uuid))?)
}

/// One subscription: what it asks for, and how far it was told.
#[utoipa::path(get, path = "/subscriptions/{uuid}", operation_id = "subscription", tag = "subscriptions",
    params(("uuid" = String, Path, description = "The subscription")),
    responses((status = 200, body = SubscriptionAnswer), Refused<404>))]
pub async fn subscription(About { app, actor, of }: About) -> Answer {
    Ok(json(StatusCode::OK, &app.subscription(&actor, of).await?)?)
}

/// Changes a subscription; what is absent stays.
#[utoipa::path(patch, path = "/subscriptions/{uuid}", operation_id = "changeSubscription", tag = "subscriptions",
    params(("uuid" = String, Path, description = "The subscription")), request_body = SubscriptionChange,
    responses((status = 200, body = SubscriptionAnswer), Refused<404>, Refused<422>))]
pub async fn change_subscription(About { app, actor, of }: About, bytes: Bytes) -> Answer {
    let change: SubscriptionChange = body(&bytes)?;
    Ok(json(StatusCode::OK, &app.change_subscription(&actor, of, change).await?)?)
}

/// Ends a subscription. Its address, its secrets and its dead letters are erased.
#[utoipa::path(delete, path = "/subscriptions/{uuid}", operation_id = "endSubscription", tag = "subscriptions",
    params(("uuid" = String, Path, description = "The subscription")),
    responses((status = 204), Refused<404>))]
pub async fn end_subscription(About { app, actor, of }: About) -> Answer {
    app.end_subscription(&actor, of).await?;
    Ok(nothing())
}

/// Pauses a subscription: nothing is sent, and nothing is lost.
#[utoipa::path(post, path = "/subscriptions/{uuid}/pause", operation_id = "pauseSubscription", tag = "subscriptions",
    params(("uuid" = String, Path, description = "The subscription")),
    responses((status = 200, body = SubscriptionAnswer), Refused<404>))]
pub async fn pause(About { app, actor, of }: About) -> Answer {
    Ok(json(StatusCode::OK, &app.pause_subscription(&actor, of).await?)?)
}

/// Lets a subscription that was paused go on where it was.
#[utoipa::path(post, path = "/subscriptions/{uuid}/resume", operation_id = "resumeSubscription", tag = "subscriptions",
    params(("uuid" = String, Path, description = "The subscription")),
    responses((status = 200, body = SubscriptionAnswer), Refused<404>, Refused<409>))]
pub async fn resume(About { app, actor, of }: About) -> Answer {
    Ok(json(StatusCode::OK, &app.resume_subscription(&actor, of).await?)?)
}

/// Makes another secret; it is in this answer and in no other. For a while messages carry a signature by each.
#[utoipa::path(post, path = "/subscriptions/{uuid}/secret", operation_id = "rotateSecret", tag = "subscriptions",
    params(("uuid" = String, Path, description = "The subscription")), request_body = SecretRequest,
    responses((status = 200, body = MadeSubscription), Refused<404>, Refused<422>))]
pub async fn secret(About { app, actor, of }: About, bytes: Bytes) -> Answer {
    let request = if bytes.is_empty() { SecretRequest::default() } else { body(&bytes)? };
    Ok(json(StatusCode::OK, &app.rotate_secret(&actor, of, request).await?)?)
}

/// Sends a test message; what came of it stands in the delivery log, under the id in the answer.
#[utoipa::path(post, path = "/subscriptions/{uuid}/test", operation_id = "testSubscription", tag = "subscriptions",
    params(("uuid" = String, Path, description = "The subscription")),
    responses((status = 202, body = TestAnswer), Refused<404>, Refused<503>))]
pub async fn test(About { app, actor, of }: About) -> Answer {
    Ok(json(StatusCode::ACCEPTED, &app.test_subscription(&actor, of).await?)?)
}

/// Sends again: one dead letter, all of them, or everything after a position of the log.
#[utoipa::path(post, path = "/subscriptions/{uuid}/replay", operation_id = "replay", tag = "subscriptions",
    params(("uuid" = String, Path, description = "The subscription")), request_body = ReplayRequest,
    responses((status = 202, body = ReplayAnswer), Refused<400>, Refused<404>))]
pub async fn replay(About { app, actor, of }: About, bytes: Bytes) -> Answer {
    let request: ReplayRequest = body(&bytes)?;
    Ok(json(StatusCode::ACCEPTED, &app.replay(&actor, of, request).await?)?)
}

/// What was tried, the newest first; kept for 30 days.
#[utoipa::path(get, path = "/subscriptions/{uuid}/deliveries", operation_id = "deliveries", tag = "subscriptions",
    params(("uuid" = String, Path, description = "The subscription"), Pages),
    responses((status = 200, body = [DeliveryRow]), Refused<404>))]
pub async fn deliveries(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    OriginalUri(uri): OriginalUri,
    Params(pages, ..): Params<Pages>,
) -> Answer {
    Ok(list(&app.deliveries(&actor, uuid(&of)?, &pages).await?, &uri)?)
}

/// What was tried for as long as it may be, oldest first.
#[utoipa::path(get, path = "/subscriptions/{uuid}/dead-letters", operation_id = "deadLetters", tag = "subscriptions",
    params(("uuid" = String, Path, description = "The subscription"), Pages),
    responses((status = 200, body = [DeadLetter]), Refused<404>))]
pub async fn dead_letters(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    OriginalUri(uri): OriginalUri,
    Params(pages, ..): Params<Pages>,
) -> Answer {
    let letters = app.dead_letters(&actor, uuid(&of)?).await?;
    Ok(list(&pages.since(letters, |l| (l.since, l.uuid))?, &uri)?)
}
