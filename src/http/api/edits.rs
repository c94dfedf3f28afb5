//! What a draft says of concepts, and the edits that made it say so.

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::drafts::number;
use super::publish::{meaning, turn};
use crate::exchange::Format;
use crate::http::negotiate::Caller;
use crate::http::params::{Nothing, Params, not_one_of, uuid};
use crate::http::precondition::MadeOf;
use crate::http::private::{body, items, json, list, made, nothing, part, tagged};
use crate::http::problem::{Failure, Problem, Refused};
use crate::http::reply::is_known;
use crate::http::upload::Upload;
use crate::http::who::Who;
use crate::model::{Code, ContentFields, Meaning, Place, Refusal, Result};
use crate::registry::{
    EditAnswer, EditRequest, ImportEdit, Made, OperationRequest, Pages, Precondition, ProposedAnswer,
};
use crate::workflow::{Because, EditKind, Prose};

type Answer = Result<Response, Failure>;

/// The media type of JSON Patch (RFC 6902).
const PATCH: &str = "application/json-patch+json";

/// Why, and what led to it.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Why {
    /// Why the edit is made.
    #[param(required = true)]
    reason: Option<String>,
    /// The item of a hearing's answer that led to it: `HEARING/ANSWER/ITEM`, two uuids and a number from 1.
    answer: Option<String>,
    /// The change request that led to it.
    request: Option<String>,
    /// Whether the concepts that it redefines mean something else than in the version below: `changed` or `kept`. An
    /// edit that says it may change nothing else.
    #[param(value_type = Option<Meaning>)]
    meaning: Option<String>,
}

impl Why {
    fn edit(self) -> Result<EditRequest> {
        let reason = self.reason.ok_or_else(|| {
            let (da, en) = ("parameteren reason mangler", "the parameter 'reason' is missing");
            Refusal::new(Code::InvalidParameter, da, en).at(Place::field("reason"))
        })?;
        let reason = reason.parse::<Prose>().map_err(|r| r.at(Place::field("reason")))?;
        let because = match (self.answer, self.request) {
            (None, None) => None,
            (Some(answer), None) => Some(item(&answer)?),
            (None, Some(request)) => Some(Because::Request(uuid(&request).map_err(|r| r.at(Place::field("request")))?)),
            (Some(_), Some(_)) => {
                let (da, en) = ("enten answer eller request", "either answer or request");
                return Err(Refusal::new(Code::InvalidParameter, da, en).at(Place::field("request")));
            }
        };
        Ok(EditRequest { reason, because, meaning: meaning(self.meaning)? })
    }
}

/// The item of an answer, as a parameter names it.
fn item(text: &str) -> Result<Because> {
    let mut parts = text.split('/');
    let mut next = || parts.next().unwrap_or_default();
    let read = (|| {
        let (hearing, answer) = (uuid(next()).ok()?, uuid(next()).ok()?);
        let item = next().parse().ok()?;
        Some(Because::Answer { hearing, answer, item })
    })();
    read.filter(|_| parts.next().is_none()).ok_or_else(|| not_one_of("answer", text, &["HEARING/ANSWER/ITEM"]))
}

/// An edit of several concepts, with why it is made.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: the operation's members are read by themselves")]
pub struct OperationBody {
    /// What is to be done.
    #[serde(flatten)]
    operation: OperationRequest,
    /// Why.
    #[schema(value_type = String)]
    reason: Prose,
    /// What led to it.
    because: Option<Because>,
    /// Whether the concepts that it redefines mean something else than in the version below.
    meaning: Option<Meaning>,
}

/// Why an edit is taken back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UndoRequest {
    /// Why.
    reason: Prose,
}

/// How a file becomes an edit.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub struct FileParams {
    /// The format of the body: `fhir`, `ttl`, `nt`, `rdf`, `jsonld`, `csv`, `json` or `oioxml`.
    #[param(required = true, example = "csv")]
    format: Option<String>,
    /// Whether concepts that look like vanishing ones are new all the same.
    accept_new: Option<bool>,
}

/// What the draft says of the concepts that it changes.
#[utoipa::path(get, path = "/drafts/{draft}/concepts", operation_id = "draftConcepts", tag = "drafts",
    params(("draft" = String, Path, description = "The draft"), Pages),
    responses((status = 200, body = [ProposedAnswer], headers(("x-total-count" = u64), ("link" = String))), Refused<403>, Refused<404>))]
pub async fn concepts(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    OriginalUri(uri): OriginalUri,
    Params(paging, ..): Params<Pages>,
) -> Answer {
    Ok(list(&app.draft_concepts(&actor, uuid(&draft)?, &paging)?, &uri)?)
}

/// What the draft says of a concept, changed or not. The tag is that of the content: `If-Match` of a change names it.
#[utoipa::path(get, path = "/drafts/{draft}/concepts/{key}", operation_id = "draftConcept", tag = "drafts",
    params(("draft" = String, Path, description = "The draft"), ("key" = String, Path, description = "Notation, uuid or alias")),
    responses((status = 200, body = ProposedAnswer, headers(("etag" = String))), (status = 304), Refused<403>, Refused<404>))]
pub async fn concept(
    State(app): State<App>,
    Who(actor): Who,
    Path((draft, key)): Path<(String, String)>,
    _: Params<Nothing>,
    Caller(headers): Caller,
) -> Answer {
    let concept = app.draft_concept(&actor, uuid(&draft)?, &key)?;
    let tag = concept.etag.as_deref();
    if tag.is_some_and(|tag| is_known(&headers, tag)) {
        let mut response = tagged(nothing(), tag);
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    Ok(tagged(json(StatusCode::OK, &concept)?, tag))
}

/// Makes a concept, or gives it other content, all of it. `If-None-Match: *` for one that is not there, else `If-Match`
/// with the tag of the content that the change was made of: nobody's words are lost.
#[utoipa::path(put, path = "/drafts/{draft}/concepts/{key}", operation_id = "putDraftConcept", tag = "drafts",
    params(("draft" = String, Path, description = "The draft"), ("key" = String, Path, description = "Notation, uuid or alias"), Why,
        ("if-match" = Option<String>, Header, description = "The tag of the content"), ("if-none-match" = Option<String>, Header, description = "`*`")),
    request_body(content = ContentFields<String>, description = "The content, with concepts named by uuid, notation or alias"),
    responses((status = 200, body = ProposedAnswer), (status = 201, description = "The concept is new", body = ProposedAnswer),
        Refused<403>, Refused<409>,
        (status = 412, description = "Another content than it was made of; `conflict` has both", body = Problem, content_type = "application/problem+json"),
        Refused<422>, Refused<428>))]
pub async fn put(
    State(app): State<App>,
    Who(actor): Who,
    Path((draft, key)): Path<(String, String)>,
    Params(why, ..): Params<Why>,
    MadeOf(matches): MadeOf,
    bytes: Bytes,
) -> Answer {
    let content: ContentFields<String> = body(&bytes)?;
    let (draft, request) = (uuid(&draft)?, why.edit()?);
    changed(app.edit_concept(&actor, draft, &key, Made::Whole(Box::new(content)), &matches, request).await?)
}

/// Changes the content of a concept by a JSON Patch (RFC 6902); `If-Match` as for PUT.
#[utoipa::path(patch, path = "/drafts/{draft}/concepts/{key}", operation_id = "patchDraftConcept", tag = "drafts",
    params(("draft" = String, Path, description = "The draft"), ("key" = String, Path, description = "Notation, uuid or alias"), Why,
        ("if-match" = Option<String>, Header, description = "The tag of the content")),
    request_body(content = Vec<Object>, description = "The operations", content_type = "application/json-patch+json"),
    responses((status = 200, body = ProposedAnswer), Refused<403>, Refused<404>,
        (status = 412, description = "Another content than it was made of; `conflict` has both", body = Problem, content_type = "application/problem+json"),
        Refused<415>, Refused<422>, Refused<428>))]
pub async fn patch(
    State(app): State<App>,
    Who(actor): Who,
    Path((draft, key)): Path<(String, String)>,
    Params(why, ..): Params<Why>,
    MadeOf(matches): MadeOf,
    headers: HeaderMap,
    bytes: Bytes,
) -> Answer {
    let media = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).and_then(|v| v.split(';').next());
    if !media.is_some_and(|m| m.trim().eq_ignore_ascii_case(PATCH)) {
        let (da, en) = ("adressen tager JSON Patch", "the address takes JSON Patch");
        return Err(Refusal::new(Code::UnsupportedType, da, en).allowed([PATCH]).into());
    }
    let patch: json_patch::Patch = items(&bytes)?;
    let (draft, request) = (uuid(&draft)?, why.edit()?);
    changed(app.edit_concept(&actor, draft, &key, Made::Patch(patch), &matches, request).await?)
}

fn changed((edit, concept): (EditAnswer, ProposedAnswer)) -> Answer {
    let status = if edit.kind == EditKind::Add { StatusCode::CREATED } else { StatusCode::OK };
    Ok(tagged(json(status, &concept)?, concept.etag.as_deref()))
}

/// Takes a concept out of force; `If-Match` as for PUT.
#[utoipa::path(delete, path = "/drafts/{draft}/concepts/{key}", operation_id = "retireDraftConcept", tag = "drafts",
    params(("draft" = String, Path, description = "The draft"), ("key" = String, Path, description = "Notation, uuid or alias"), Why,
        ("if-match" = Option<String>, Header, description = "The tag of the content")),
    responses((status = 200, body = EditAnswer), Refused<403>, Refused<404>, Refused<412>, Refused<428>))]
pub async fn retire(
    State(app): State<App>,
    Who(actor): Who,
    Path((draft, key)): Path<(String, String)>,
    Params(why, ..): Params<Why>,
    MadeOf(matches): MadeOf,
) -> Answer {
    let edit = app.retire_concept(&actor, uuid(&draft)?, &key, &matches, why.edit()?).await?;
    Ok(json(StatusCode::OK, &edit)?)
}

/// The edits of a draft, the first first.
#[utoipa::path(get, path = "/drafts/{draft}/edits", operation_id = "edits", tag = "drafts",
    params(("draft" = String, Path, description = "The draft"), Pages),
    responses((status = 200, body = [EditAnswer], headers(("x-total-count" = u64), ("link" = String))), Refused<403>, Refused<404>))]
pub async fn edits(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    OriginalUri(uri): OriginalUri,
    Params(paging, ..): Params<Pages>,
) -> Answer {
    Ok(list(&app.edits(&actor, uuid(&draft)?, &paging)?, &uri)?)
}

/// Edits several concepts at once: `add`, `retire`, `replace`, `split`, `merge`, `move`. What is merged into a concept
/// that is there takes `If-Match` with the tag of the draft; the others honour it.
#[utoipa::path(post, path = "/drafts/{draft}/edits", operation_id = "editDraft", tag = "drafts",
    params(("draft" = String, Path, description = "The draft"), ("if-match" = Option<String>, Header, description = "The tag of the draft")),
    request_body = OperationBody,
    responses((status = 201, body = EditAnswer), Refused<403>, Refused<404>, Refused<409>, Refused<412>,
        Refused<422>, Refused<428>))]
pub async fn operate(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    MadeOf(matches): MadeOf,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let mut members: Map<String, Value> = body(&bytes)?;
    let reason = members.remove("reason").ok_or_else(|| {
        let (da, en) = ("kroppen kan ikke læses: reason mangler", "the body cannot be read: reason is missing");
        Refusal::new(Code::InvalidBody, da, en).at(Place::field("reason"))
    })?;
    let because = members.remove("because").map(part::<Option<Because>>).transpose()?.flatten();
    let meaning = members.remove("meaning").map(part::<Option<Meaning>>).transpose()?.flatten();
    let request = EditRequest { reason: part(reason)?, because, meaning };
    let wanted: OperationRequest = part(Value::Object(members))?;
    let draft = uuid(&draft)?;
    told(&draft.to_string(), &app.edit_draft(&actor, draft, wanted, &matches, request).await?)
}

fn told(draft: &str, edit: &EditAnswer) -> Answer {
    Ok(made(edit, &format!("/api/v1/drafts/{draft}/edits/{}", edit.number))?)
}

/// One edit.
#[utoipa::path(get, path = "/drafts/{draft}/edits/{edit}", operation_id = "edit", tag = "drafts",
    params(("draft" = String, Path, description = "The draft"), ("edit" = usize, Path, description = "The number of the edit")),
    responses((status = 200, body = EditAnswer), Refused<403>, Refused<404>))]
pub async fn edit(
    State(app): State<App>,
    Who(actor): Who,
    Path((draft, edit)): Path<(String, String)>,
    _: Params<Nothing>,
) -> Answer {
    Ok(json(StatusCode::OK, &app.edit(&actor, uuid(&draft)?, number(&edit)?)?)?)
}

/// Takes an edit back, as an edit of its own, which can itself be taken back. Later edits of the same concepts must be
/// taken back first.
#[utoipa::path(post, path = "/drafts/{draft}/edits/{edit}/undo", operation_id = "undoEdit", tag = "drafts",
    params(("draft" = String, Path, description = "The draft"), ("edit" = usize, Path, description = "The number of the edit")),
    request_body = UndoRequest,
    responses((status = 201, body = EditAnswer), Refused<403>, Refused<404>, Refused<409>))]
pub async fn undo(
    State(app): State<App>,
    Who(actor): Who,
    Path((draft, edit)): Path<(String, String)>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let UndoRequest { reason } = body(&bytes)?;
    let draft = uuid(&draft)?;
    told(&draft.to_string(), &app.undo_edit(&actor, draft, number(&edit)?, reason).await?)
}

/// Makes the draft say what a file says, as one edit: what the file does not have is retired. Takes `If-Match` with the
/// tag of the draft that the file was made of. A form has the file in `file`, and may have in `identity` who is who.
#[utoipa::path(post, path = "/drafts/{draft}/import", operation_id = "importEdit", tag = "drafts",
    params(("draft" = String, Path, description = "The draft"), FileParams, Why, ("if-match" = String, Header, description = "The tag of the draft")),
    request_body(content = String, description = "The file", content_type = "application/octet-stream"),
    responses((status = 201, body = EditAnswer), Refused<403>, Refused<404>, Refused<409>, Refused<412>,
        Refused<422>, Refused<428>))]
pub async fn import(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    Params(params, why, _): Params<FileParams, Why>,
    MadeOf(matches): MadeOf,
    Upload { file, identity }: Upload,
) -> Answer {
    let draft = uuid(&draft)?;
    let name = params.format.as_deref().unwrap_or_default();
    let format = Format::READ.into_iter().find(|f| f.name() == name);
    let format = format.ok_or_else(|| not_one_of("format", name, &Format::READ.map(Format::name)))?;
    let request = why.edit()?;
    let work = move |matches: Precondition| async move {
        let accept_new = params.accept_new.unwrap_or(false);
        let import = ImportEdit { format, bytes: &file, identity, accept_new };
        app.import_edit(&actor, draft, import, &matches, request).await
    };
    let _turn = turn().await?;
    told(&draft.to_string(), &long(work(matches)).await?)
}

/// Does what plans a whole edition on a thread of its own: the threads that answer everybody go on.
pub async fn long<T: Send + 'static>(work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    let runtime = tokio::runtime::Handle::current();
    let done = tokio::task::spawn_blocking(move || runtime.block_on(work)).await;
    done.map_err(|e| Refusal::new(Code::Internal, e.to_string(), e.to_string()))?
}
