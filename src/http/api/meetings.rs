//! Mandates and meetings of groups.

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::App;
use crate::http::negotiate::Caller;
use crate::http::params::{Nothing, Params, uuid};
use crate::http::private::{body, json, list};
use crate::http::problem::{Failure, Refused};
use crate::http::reply::Reply;
use crate::http::who::Who;
use crate::model::Result;
use crate::registry::{Actor, MandateAnswer, MeetingAnswer, MeetingChange, MeetingCommand, MeetingRequest, Pages};
use crate::workflow::{Attendance, Mandate, Prose};

type Answer = Result<Response, Failure>;

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancellationRequest {
    /// Why it is called off.
    reason: Prose,
}

/// Who was there.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttendanceRequest {
    /// Members of the group: those who were there, and those who could not come.
    attendance: Vec<Attendance>,
}

/// What was said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MinutesRequest {
    /// The minutes.
    minutes: Prose,
}

/// The mandate of a group, and every earlier one. Everybody may read it.
#[utoipa::path(get, path = "/groups/{group}/mandate", operation_id = "mandate", tag = "groups",
    params(("group" = String, Path, description = "The group")),
    responses((status = 200, body = MandateAnswer), Refused<404>))]
pub async fn mandate(
    State(app): State<App>,
    Path(group): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Answer {
    Ok(Reply::json(&app.mandate(uuid(&group)?)?, false).respond(&headers))
}

/// Gives a group a mandate, or another one; those before are kept.
#[utoipa::path(put, path = "/groups/{group}/mandate", operation_id = "giveMandate", tag = "groups",
    params(("group" = String, Path, description = "The group")), request_body = Mandate,
    responses((status = 200, body = MandateAnswer), Refused<403>, Refused<404>))]
pub async fn give_mandate(
    State(app): State<App>,
    Who(actor): Who,
    Path(group): Path<String>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    Ok(json(StatusCode::OK, &app.give_mandate(&actor, uuid(&group)?, body(&bytes)?).await?)?)
}

/// The meetings of a group, the earliest first. For its members, who may read drafts, and who administers.
#[utoipa::path(get, path = "/groups/{group}/meetings", operation_id = "meetings", tag = "groups",
    params(("group" = String, Path, description = "The group"), Pages),
    responses((status = 200, body = [MeetingAnswer]), Refused<401>, Refused<403>))]
pub async fn meetings(
    State(app): State<App>,
    Who(actor): Who,
    Path(group): Path<String>,
    OriginalUri(uri): OriginalUri,
    Params(pages, ..): Params<Pages>,
) -> Answer {
    Ok(list(&app.meetings(&actor, uuid(&group)?, &pages).await?, &uri)?)
}

/// Calls a meeting. An item for decision about a draft needs a draft that was recommended to the group.
#[utoipa::path(post, path = "/groups/{group}/meetings", operation_id = "callMeeting", tag = "groups",
    params(("group" = String, Path, description = "The group")), request_body = MeetingRequest,
    responses((status = 201, body = MeetingAnswer), Refused<403>, Refused<404>, Refused<409>))]
pub async fn call(
    State(app): State<App>,
    Who(actor): Who,
    Path(group): Path<String>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    Ok(json(StatusCode::CREATED, &app.call_meeting(&actor, uuid(&group)?, body(&bytes)?).await?)?)
}

/// One meeting.
#[utoipa::path(get, path = "/meetings/{meeting}", operation_id = "meeting", tag = "groups",
    params(("meeting" = String, Path, description = "The meeting")),
    responses((status = 200, body = MeetingAnswer), Refused<404>))]
pub async fn meeting(State(app): State<App>, Who(actor): Who, Path(of): Path<String>, _: Params<Nothing>) -> Answer {
    Ok(json(StatusCode::OK, &app.meeting(&actor, uuid(&of)?).await?)?)
}

async fn changed(app: &App, actor: &Actor, of: &str, command: MeetingCommand) -> Answer {
    Ok(json(StatusCode::OK, &app.change_meeting(actor, uuid(of)?, command).await?)?)
}

/// Changes time, place or agenda of a meeting that was not held; what is absent stays.
#[utoipa::path(patch, path = "/meetings/{meeting}", operation_id = "changeMeeting", tag = "groups",
    params(("meeting" = String, Path, description = "The meeting")), request_body = MeetingChange,
    responses((status = 200, body = MeetingAnswer), Refused<404>, Refused<409>))]
pub async fn change(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    changed(&app, &actor, &of, MeetingCommand::Change(body(&bytes)?)).await
}

/// Calls a meeting off.
#[utoipa::path(post, path = "/meetings/{meeting}/cancellation", operation_id = "cancelMeeting", tag = "groups",
    params(("meeting" = String, Path, description = "The meeting")), request_body = CancellationRequest,
    responses((status = 200, body = MeetingAnswer), Refused<404>, Refused<409>))]
pub async fn cancel(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let CancellationRequest { reason } = body(&bytes)?;
    changed(&app, &actor, &of, MeetingCommand::Cancel(reason)).await
}

/// Puts on record who was there. Once, and not before the meeting.
#[utoipa::path(put, path = "/meetings/{meeting}/attendance", operation_id = "holdMeeting", tag = "groups",
    params(("meeting" = String, Path, description = "The meeting")), request_body = AttendanceRequest,
    responses((status = 200, body = MeetingAnswer), Refused<404>, Refused<409>))]
pub async fn attendance(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let AttendanceRequest { attendance } = body(&bytes)?;
    changed(&app, &actor, &of, MeetingCommand::Hold(attendance)).await
}

/// Writes the minutes of a meeting that was held, or writes them again; all are kept, the last ones count.
#[utoipa::path(put, path = "/meetings/{meeting}/minutes", operation_id = "writeMinutes", tag = "groups",
    params(("meeting" = String, Path, description = "The meeting")), request_body = MinutesRequest,
    responses((status = 200, body = MeetingAnswer), Refused<404>, Refused<409>))]
pub async fn minutes(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let MinutesRequest { minutes } = body(&bytes)?;
    changed(&app, &actor, &of, MeetingCommand::Minute(minutes)).await
}
