//! Hearings: planned and steered by the secretariat, answered by parties and by everybody, weighed, told in papers.

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::about::About;
use super::drafts::number;
use crate::exchange::paper::{ODT, Tongue, XLSX};
use crate::http::negotiate::{Caller, reads_danish};
use crate::http::params::{Nothing, Params, not_one_of, uuid};
use crate::http::precondition::MadeOf;
use crate::http::private::{body, bytes as binary, json, list, made, nothing, text};
use crate::http::problem::{Failure, Refused};
use crate::http::who::{From, Visiting, Who};
use crate::model::{Code, Place, Refusal, Result};
use crate::registry::{
    AnswerAnswer, AnswerRequest, DispositionRequest, File, FileRequest, HearingAnswer, HearingRequest, HearingSummary,
    ItemEditAnswer, ItemEditRequest, LinkAnswer, Pages, PartyAnswer, PartyRequest, PendingAnswer, Received,
};
use crate::workflow::{Attachment, Prose};

type Answer = Result<Response, Failure>;

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelRequest {
    /// Why.
    reason: Prose,
}

/// Another deadline.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtendRequest {
    /// The deadline: the first instant that is too late.
    deadline: String,
    /// Why.
    reason: Prose,
}

/// What a file is called.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FileName {
    /// The name of the file, with its extension.
    #[param(required = true)]
    name: Option<String>,
}

/// In which format a paper is wanted.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// `md`, `html`, `odt` or `json`; of answers `json` or `xlsx`.
    format: Option<String>,
}

/// The formats of a note.
const NOTES: [&str; 4] = ["md", "html", "odt", "json"];

/// The hearings of a draft.
#[utoipa::path(get, path = "/drafts/{draft}/hearings", operation_id = "hearingsOfDraft", tag = "hearings",
    params(("draft" = String, Path, description = "The draft"), Pages),
    responses((status = 200, body = [HearingSummary], headers(("x-total-count" = u64), ("link" = String))),
        Refused<401>, Refused<403>, Refused<404>))]
pub async fn of_draft(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    OriginalUri(uri): OriginalUri,
    Params(paging, ..): Params<Pages>,
) -> Answer {
    Ok(list(&app.hearings(&actor.into(), Some(uuid(&draft)?), &paging)?, &uri)?)
}

/// Plans a hearing of a draft. It opens and closes by itself; from when it opens, the draft is frozen.
#[utoipa::path(post, path = "/drafts/{draft}/hearings", operation_id = "planHearing", tag = "hearings",
    params(("draft" = String, Path, description = "The draft")), request_body = HearingRequest,
    responses((status = 201, body = HearingAnswer), Refused<401>, Refused<403>,
        Refused<404>, Refused<409>, Refused<422>))]
pub async fn plan(About { app, actor, of: draft }: About, bytes: Bytes) -> Answer {
    let request: HearingRequest = body(&bytes)?;
    let hearing = app.plan_hearing(&actor, draft, request).await?;
    Ok(made(&hearing, &format!("/api/v1/hearings/{}", hearing.summary.uuid))?)
}

/// The hearings that one may see, those that are open first: public ones from when they open, others for those who
/// are asked and for those who make the draft.
#[utoipa::path(get, path = "/hearings", operation_id = "hearings", tag = "hearings", params(Pages),
    responses((status = 200, body = [HearingSummary], headers(("x-total-count" = u64), ("link" = String)))))]
pub async fn all(
    State(app): State<App>,
    Visiting(visitor): Visiting,
    OriginalUri(uri): OriginalUri,
    Params(paging, ..): Params<Pages>,
) -> Answer {
    Ok(list(&app.hearings(&visitor, None, &paging)?, &uri)?)
}

/// One hearing: its letter, its times, and what is heard, as it was when it opened.
#[utoipa::path(get, path = "/hearings/{hearing}", operation_id = "hearing", tag = "hearings",
    params(("hearing" = String, Path, description = "The hearing")),
    responses((status = 200, body = HearingAnswer), Refused<401>, Refused<404>))]
pub async fn one(
    State(app): State<App>,
    Visiting(visitor): Visiting,
    Path(of): Path<String>,
    _: Params<Nothing>,
) -> Answer {
    Ok(json(StatusCode::OK, &app.hearing(&visitor, uuid(&of)?)?)?)
}

/// Plans a hearing otherwise that has not opened.
#[utoipa::path(put, path = "/hearings/{hearing}", operation_id = "replanHearing", tag = "hearings",
    params(("hearing" = String, Path, description = "The hearing")), request_body = HearingRequest,
    responses((status = 200, body = HearingAnswer), Refused<403>, Refused<404>, Refused<409>))]
pub async fn replan(About { app, actor, of }: About, bytes: Bytes) -> Answer {
    let request: HearingRequest = body(&bytes)?;
    Ok(json(StatusCode::OK, &app.replan_hearing(&actor, of, request).await?)?)
}

/// Calls a hearing off before its deadline.
#[utoipa::path(post, path = "/hearings/{hearing}/cancellation", operation_id = "cancelHearing", tag = "hearings",
    params(("hearing" = String, Path, description = "The hearing")), request_body = CancelRequest,
    responses((status = 200, body = HearingAnswer), Refused<403>, Refused<404>, Refused<409>))]
pub async fn cancel(About { app, actor, of }: About, bytes: Bytes) -> Answer {
    let CancelRequest { reason } = body(&bytes)?;
    Ok(json(StatusCode::OK, &app.cancel_hearing(&actor, of, reason).await?)?)
}

/// Moves the deadline of a hearing out; why stays on record. One that was over is open again.
#[utoipa::path(post, path = "/hearings/{hearing}/extensions", operation_id = "extendHearing", tag = "hearings",
    params(("hearing" = String, Path, description = "The hearing")), request_body = ExtendRequest,
    responses((status = 201, body = HearingAnswer), Refused<403>, Refused<404>, Refused<409>, Refused<422>))]
pub async fn extend(About { app, actor, of }: About, bytes: Bytes) -> Answer {
    let ExtendRequest { deadline, reason } = body(&bytes)?;
    Ok(json(StatusCode::CREATED, &app.extend_hearing(&actor, of, &deadline, reason).await?)?)
}

/// Ends a hearing; every item of its answers must have a reply.
#[utoipa::path(post, path = "/hearings/{hearing}/completion", operation_id = "completeHearing", tag = "hearings",
    params(("hearing" = String, Path, description = "The hearing")),
    responses((status = 200, body = HearingAnswer), Refused<403>, Refused<404>, Refused<409>))]
pub async fn complete(About { app, actor, of }: About) -> Answer {
    Ok(json(StatusCode::OK, &app.complete_hearing(&actor, of).await?)?)
}

/// The parties, each with whether it has answered; who they are is shown to those who make the draft.
#[utoipa::path(get, path = "/hearings/{hearing}/parties", operation_id = "parties", tag = "hearings",
    params(("hearing" = String, Path, description = "The hearing"), Pages),
    responses((status = 200, body = [PartyAnswer], headers(("x-total-count" = u64), ("link" = String))), Refused<404>))]
pub async fn parties(
    State(app): State<App>,
    Visiting(visitor): Visiting,
    Path(of): Path<String>,
    OriginalUri(uri): OriginalUri,
    Params(paging, ..): Params<Pages>,
) -> Answer {
    Ok(list(&app.parties(&visitor, uuid(&of)?, &paging).await?, &uri)?)
}

/// Asks somebody to answer.
#[utoipa::path(post, path = "/hearings/{hearing}/parties", operation_id = "inviteParty", tag = "hearings",
    params(("hearing" = String, Path, description = "The hearing")), request_body = PartyRequest,
    responses((status = 201, body = PartyAnswer), Refused<403>, Refused<404>, Refused<409>))]
pub async fn invite(About { app, actor, of }: About, bytes: Bytes) -> Answer {
    let request: PartyRequest = body(&bytes)?;
    let party = app.invite_party(&actor, of, request).await?;
    Ok(made(&party, &format!("/api/v1/hearings/{of}/parties/{}", party.uuid))?)
}

/// One party.
#[utoipa::path(get, path = "/hearings/{hearing}/parties/{party}", operation_id = "party", tag = "hearings",
    params(("hearing" = String, Path, description = "The hearing"), ("party" = String, Path, description = "The party")),
    responses((status = 200, body = PartyAnswer), Refused<404>))]
pub async fn party(
    State(app): State<App>,
    Visiting(visitor): Visiting,
    Path((of, party)): Path<(String, String)>,
    _: Params<Nothing>,
) -> Answer {
    Ok(json(StatusCode::OK, &app.party(&visitor, uuid(&of)?, uuid(&party)?).await?)?)
}

/// Makes a personal link for a party; those that it had lead nowhere from now on. It is shown now and never again.
#[utoipa::path(post, path = "/hearings/{hearing}/parties/{party}/link", operation_id = "partyLink", tag = "hearings",
    params(("hearing" = String, Path, description = "The hearing"), ("party" = String, Path, description = "The party")),
    responses((status = 201, body = LinkAnswer), Refused<403>, Refused<404>, Refused<409>))]
pub async fn link(
    State(app): State<App>,
    Who(actor): Who,
    Path((of, party)): Path<(String, String)>,
    _: Params<Nothing>,
) -> Answer {
    Ok(json(StatusCode::CREATED, &app.party_link(&actor, uuid(&of)?, uuid(&party)?).await?)?)
}

/// The answers that one may read, the first first, and the one that one is writing; or all of them as a spreadsheet.
#[utoipa::path(get, path = "/hearings/{hearing}/answers", operation_id = "answers", tag = "hearings",
    params(("hearing" = String, Path, description = "The hearing"), Wanted, Pages),
    responses((status = 200, body = [AnswerAnswer], headers(("x-total-count" = u64), ("link" = String))), Refused<404>))]
pub async fn answers(
    State(app): State<App>,
    Visiting(visitor): Visiting,
    Path(of): Path<String>,
    OriginalUri(uri): OriginalUri,
    Caller(headers): Caller,
    Params(Wanted { format }, paging, _): Params<Wanted, Pages>,
) -> Answer {
    match format.as_deref().unwrap_or("json") {
        "json" => Ok(list(&app.answers(&visitor, uuid(&of)?, &paging).await?, &uri)?),
        "xlsx" => {
            let sheet = app.hearing_answers(&visitor, uuid(&of)?)?.xlsx(tongue(&headers))?;
            Ok(named(binary(XLSX, sheet), &format!("hearing-{of}.xlsx")))
        }
        other => Err(not_one_of("format", other, &["json", "xlsx"]).into()),
    }
}

/// Begins an answer, or submits it at once. Without account or link, name and mail address are needed, and the
/// answer counts when the address is confirmed.
#[utoipa::path(post, path = "/hearings/{hearing}/answers", operation_id = "answer", tag = "hearings",
    params(("hearing" = String, Path, description = "The hearing")), request_body = AnswerRequest,
    responses((status = 201, body = AnswerAnswer), (status = 202, body = PendingAnswer), Refused<401>, Refused<403>,
        Refused<404>, Refused<409>, Refused<422>, Refused<429>))]
pub async fn answer(
    State(app): State<App>,
    Visiting(visitor): Visiting,
    From(peer): From,
    Path(of): Path<String>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let request: AnswerRequest = body(&bytes)?;
    match app.write_answer(&visitor, uuid(&of)?, request, &peer).await? {
        Received::Kept(answer) => Ok(made(&answer, &format!("/api/v1/hearings/{of}/answers/{}", answer.uuid))?),
        Received::Pending(pending) => Ok(json(StatusCode::ACCEPTED, &pending)?),
    }
}

/// One answer, for those who may read it.
#[utoipa::path(get, path = "/hearings/{hearing}/answers/{answer}", operation_id = "oneAnswer", tag = "hearings",
    params(("hearing" = String, Path, description = "The hearing"), ("answer" = String, Path, description = "The answer")),
    responses((status = 200, body = AnswerAnswer), Refused<404>))]
pub async fn one_answer(
    State(app): State<App>,
    Visiting(visitor): Visiting,
    Path((of, answer)): Path<(String, String)>,
    _: Params<Nothing>,
) -> Answer {
    Ok(json(StatusCode::OK, &app.answer(&visitor, uuid(&of)?, uuid(&answer)?).await?)?)
}

/// Changes an answer that one is writing: its items become these.
#[utoipa::path(put, path = "/hearings/{hearing}/answers/{answer}", operation_id = "changeAnswer", tag = "hearings",
    params(("hearing" = String, Path, description = "The hearing"), ("answer" = String, Path, description = "The answer")), request_body = AnswerRequest,
    responses((status = 200, body = AnswerAnswer), Refused<404>, Refused<409>, Refused<422>))]
pub async fn change_answer(
    State(app): State<App>,
    Visiting(visitor): Visiting,
    Path((of, answer)): Path<(String, String)>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let request: AnswerRequest = body(&bytes)?;
    Ok(json(StatusCode::OK, &app.change_answer(&visitor, uuid(&of)?, uuid(&answer)?, request).await?)?)
}

/// Submits an answer; one that the party had submitted is taken back. The answer to this is the receipt.
#[utoipa::path(post, path = "/hearings/{hearing}/answers/{answer}/submission", operation_id = "submitAnswer", tag = "hearings",
    params(("hearing" = String, Path, description = "The hearing"), ("answer" = String, Path, description = "The answer")),
    responses((status = 200, body = AnswerAnswer), Refused<404>, Refused<409>))]
pub async fn submit(
    State(app): State<App>,
    Visiting(visitor): Visiting,
    Path((of, answer)): Path<(String, String)>,
    _: Params<Nothing>,
) -> Answer {
    Ok(json(StatusCode::OK, &app.submit_answer(&visitor, uuid(&of)?, uuid(&answer)?).await?)?)
}

/// Takes an answer back before the deadline.
#[utoipa::path(post, path = "/hearings/{hearing}/answers/{answer}/withdrawal", operation_id = "withdrawAnswer", tag = "hearings",
    params(("hearing" = String, Path, description = "The hearing"), ("answer" = String, Path, description = "The answer")),
    responses((status = 200, body = AnswerAnswer), Refused<404>, Refused<409>))]
pub async fn withdraw(
    State(app): State<App>,
    Visiting(visitor): Visiting,
    Path((of, answer)): Path<(String, String)>,
    _: Params<Nothing>,
) -> Answer {
    Ok(json(StatusCode::OK, &app.withdraw_answer(&visitor, uuid(&of)?, uuid(&answer)?).await?)?)
}

/// Adds a file to an answer that one is writing: PDF, PNG, JPEG, plain text, ODT or DOCX, at most 5 MiB, at most ten.
/// What it is is seen from its bytes, and must be what its name says.
#[utoipa::path(post, path = "/hearings/{hearing}/answers/{answer}/attachments", operation_id = "attach", tag = "hearings",
    params(("hearing" = String, Path, description = "The hearing"), ("answer" = String, Path, description = "The answer"), FileName),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = Attachment), Refused<404>, Refused<409>, Refused<413>, Refused<415>))]
pub async fn attach(
    State(app): State<App>,
    Visiting(visitor): Visiting,
    Path((of, answer)): Path<(String, String)>,
    headers: HeaderMap,
    Params(FileName { name }, ..): Params<FileName>,
    bytes: Bytes,
) -> Answer {
    let at = |r: Refusal| r.at(Place::field("name"));
    let name = name.unwrap_or_default().parse().map_err(at)?;
    let media_type = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let request = FileRequest { name, media_type, bytes: &bytes };
    let attachment = app.attach(&visitor, uuid(&of)?, uuid(&answer)?, request).await?;
    Ok(made(&attachment, &format!("/api/v1/hearings/{of}/answers/{answer}/attachments/{}", attachment.uuid))?)
}

/// A file of an answer, for those who may read the answer.
#[utoipa::path(get, path = "/hearings/{hearing}/answers/{answer}/attachments/{file}", operation_id = "attachment", tag = "hearings",
    params(("hearing" = String, Path, description = "The hearing"), ("answer" = String, Path, description = "The answer"), ("file" = String, Path, description = "The file")),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), Refused<404>))]
pub async fn file(
    State(app): State<App>,
    Visiting(visitor): Visiting,
    Path((of, answer, file)): Path<(String, String, String)>,
    _: Params<Nothing>,
) -> Answer {
    Ok(served(app.file(&visitor, uuid(&of)?, uuid(&answer)?, uuid(&file)?).await?)?)
}

/// Takes a file out of an answer that one is writing.
#[utoipa::path(delete, path = "/hearings/{hearing}/answers/{answer}/attachments/{file}", operation_id = "detach", tag = "hearings",
    params(("hearing" = String, Path, description = "The hearing"), ("answer" = String, Path, description = "The answer"), ("file" = String, Path, description = "The file")),
    responses((status = 204), Refused<404>, Refused<409>))]
pub async fn detach(
    State(app): State<App>,
    Visiting(visitor): Visiting,
    Path((of, answer, file)): Path<(String, String, String)>,
    _: Params<Nothing>,
) -> Answer {
    app.detach(&visitor, uuid(&of)?, uuid(&answer)?, uuid(&file)?).await?;
    Ok(nothing())
}

/// Replies to an item of an answer: what became of it, why, and the edits that it led to.
#[utoipa::path(put, path = "/hearings/{hearing}/answers/{answer}/items/{item}/disposition", operation_id = "dispose", tag = "hearings",
    params(("hearing" = String, Path, description = "The hearing"), ("answer" = String, Path, description = "The answer"), ("item" = usize, Path, description = "The number of the item, from 1")),
    request_body = DispositionRequest,
    responses((status = 200, body = AnswerAnswer), Refused<403>, Refused<404>, Refused<409>))]
pub async fn dispose(
    State(app): State<App>,
    Who(actor): Who,
    Path((of, answer, item)): Path<(String, String, String)>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let request: DispositionRequest = body(&bytes)?;
    let (of, answer, item) = (uuid(&of)?, uuid(&answer)?, number(&item)?);
    Ok(json(StatusCode::OK, &app.dispose(&actor, of, answer, item, request).await?)?)
}

/// Makes what an item asks for an edit of the draft, and replies to the item with that edit. With `content`, the tag
/// of the concept is needed in `If-Match`.
#[utoipa::path(post, path = "/hearings/{hearing}/answers/{answer}/items/{item}/edit", operation_id = "editByItem", tag = "hearings",
    params(("hearing" = String, Path, description = "The hearing"), ("answer" = String, Path, description = "The answer"), ("item" = usize, Path, description = "The number of the item, from 1"),
        ("if-match" = Option<String>, Header, description = "The tag of the concept, or of the draft for an operation")),
    request_body = ItemEditRequest,
    responses((status = 201, body = ItemEditAnswer), Refused<403>, Refused<404>, Refused<409>,
        Refused<412>, Refused<422>, Refused<428>))]
pub async fn edit(
    State(app): State<App>,
    Who(actor): Who,
    Path((of, answer, item)): Path<(String, String, String)>,
    MadeOf(matches): MadeOf,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let request: ItemEditRequest = body(&bytes)?;
    let (of, answer, item) = (uuid(&of)?, uuid(&answer)?, number(&item)?);
    Ok(json(StatusCode::CREATED, &app.edit_by_item(&actor, of, (answer, item), request, &matches).await?)?)
}

/// The note of a hearing (høringsnotat): for those who make the draft at any time, for others when it is completed.
#[utoipa::path(get, path = "/hearings/{hearing}/note", operation_id = "hearingNote", tag = "hearings",
    params(("hearing" = String, Path, description = "The hearing"), Wanted),
    responses((status = 200, body = String, content_type = "text/markdown"), Refused<404>))]
pub async fn note(
    State(app): State<App>,
    Visiting(visitor): Visiting,
    Path(of): Path<String>,
    Caller(headers): Caller,
    Params(Wanted { format }, ..): Params<Wanted>,
) -> Answer {
    let format = format.as_deref().unwrap_or("md");
    if !NOTES.contains(&format) {
        return Err(not_one_of("format", format, &NOTES).into());
    }
    let note = app.hearing_note(&visitor, uuid(&of)?)?;
    let document = || note.document(tongue(&headers));
    Ok(match format {
        "json" => json(StatusCode::OK, &note)?,
        "html" => text("text/html; charset=utf-8", document().html_page()),
        "odt" => named(binary(ODT, document().odt(note.note.generated)?), &format!("hearing-{of}.odt")),
        _ => text("text/markdown; charset=utf-8", document().markdown()),
    })
}

/// The language of a paper for a caller.
pub fn tongue(headers: &HeaderMap) -> Tongue {
    if reads_danish(headers) { Tongue::Danish } else { Tongue::English }
}

/// The answer as a file of a name of ours.
fn named(mut response: Response, name: &str) -> Response {
    if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    response
}

/// A file that somebody sent: to be kept, never to be shown or run here.
pub fn served(file: File) -> Result<Response> {
    let internal = |_| Refusal::new(Code::Internal, "filen kan ikke sendes", "the file cannot be sent");
    let media = if file.attachment.media_type == "text/plain" {
        "text/plain; charset=utf-8"
    } else {
        &file.attachment.media_type
    };
    let media = HeaderValue::try_from(media).map_err(internal)?;
    let mut response = binary("application/octet-stream", file.bytes);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, media);
    let name = HeaderValue::try_from(disposition(file.attachment.name.as_str())).map_err(internal)?;
    headers.insert(CONTENT_DISPOSITION, name);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    Ok(response)
}

/// `Content-Disposition` with the name as it is (RFC 6266), and without what is not ASCII for old programs.
fn disposition(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ') { c } else { '_' };
    let ascii: String = name.chars().map(plain).collect();
    let mut utf8 = String::new();
    for b in name.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_') {
            utf8.push(char::from(b));
        } else {
            utf8.push_str(&format!("%{b:02X}"));
        }
    }
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{utf8}")
}
