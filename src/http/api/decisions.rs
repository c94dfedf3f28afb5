//! From a finished draft to a version: what is doubtful, what differs, recommendation, decision, approval,
//! publication.

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::edits::long;
use super::publish::{carried_out, turn};
use super::search::aside;
use crate::exchange::paper::{DiffPaper, Tongue};
use crate::http::negotiate::{Caller, media, not_acceptable, reads_danish};
use crate::http::params::{Nothing, Params, not_one_of, uuid};
use crate::http::private::{body, json, list, made, text, whole};
use crate::http::problem::{Failure, Refused};
use crate::http::who::Who;
use crate::model::{Digest, Place, Refusal, Result};
use crate::quality::Finding;
use crate::registry::{
    DecideRequest, DecisionAnswer, DraftAnswer, DraftPublishRequest, ImportReport, Moment, Pages, RecommendRequest,
};

type Answer = Result<Response, Failure>;

/// The media types of a diff, in the order of its formats.
const MEDIA: [&str; 3] = ["application/json", "text/markdown", "text/html"];
/// The formats of a diff.
const FORMATS: [&str; 3] = ["json", "md", "html"];

/// Which concepts are looked at.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Looked {
    /// `true` for every concept of the draft; else those that it changes.
    all: Option<bool>,
}

/// Which moments are compared, and how that is told.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Compared {
    /// `base` (usual), `in-force`, `hearing`, `now`, or after so many edits: a number.
    #[param(example = "base")]
    from: Option<String>,
    /// As `from`; usually `now`.
    #[param(example = "now")]
    to: Option<String>,
    /// `json`, `md` or `html`; else by `Accept`.
    format: Option<String>,
    /// `da` or `en`: the words of the paper; else by `Accept-Language`.
    language: Option<String>,
}

/// Which content is approved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRequest {
    /// The digest of the content that was looked at, as `preview` tells it.
    #[schema(value_type = String)]
    digest: Digest,
}

fn moment(wanted: Option<&str>, usual: Moment, field: &'static str) -> Result<Moment> {
    wanted.map_or(Ok(usual), |text| text.parse().map_err(|r: Refusal| r.at(Place::field(field))))
}

/// What is doubtful about a draft, and what will be refused (`error`).
#[utoipa::path(get, path = "/drafts/{draft}/findings", operation_id = "findings", tag = "drafts",
    params(("draft" = String, Path, description = "The draft"), Looked),
    responses((status = 200, body = [Finding]), Refused<403>, Refused<404>))]
pub async fn findings(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    Params(looked, ..): Params<Looked>,
) -> Answer {
    let (draft, all) = (uuid(&draft)?, looked.all.unwrap_or(false));
    let found = aside(async move { app.draft_findings(&actor, draft, all) }).await?;
    Ok(whole(&found)?)
}

/// What publishing the draft over its own version would lay down, with the digest that is recommended, approved and
/// decided on. Nothing is changed.
#[utoipa::path(get, path = "/drafts/{draft}/preview", operation_id = "preview", tag = "drafts",
    params(("draft" = String, Path, description = "The draft")),
    responses((status = 200, body = ImportReport), Refused<403>, Refused<404>, Refused<422>))]
pub async fn preview(State(app): State<App>, Who(actor): Who, Path(draft): Path<String>, _: Params<Nothing>) -> Answer {
    let draft = uuid(&draft)?;
    let report = aside(async move { app.draft_preview(&actor, draft) }).await?;
    Ok(json(StatusCode::OK, &report)?)
}

/// What differs between two moments of a draft: by concept and field, typed, with the words marked.
#[utoipa::path(get, path = "/drafts/{draft}/diff", operation_id = "draftDiff", tag = "drafts",
    params(("draft" = String, Path, description = "The draft"), Compared),
    responses((status = 200, content((DiffPaper = "application/json"), (String = "text/markdown"), (String = "text/html"))),
        Refused<400>, Refused<403>, Refused<404>, Refused<406>))]
pub async fn diff(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    Params(compared, ..): Params<Compared>,
    Caller(headers): Caller,
) -> Answer {
    let format = match compared.format.as_deref() {
        None => MEDIA.iter().position(|m| media(&headers, &MEDIA) == Some(m)).ok_or_else(|| not_acceptable(&MEDIA))?,
        Some(format) => {
            FORMATS.iter().position(|f| *f == format).ok_or_else(|| not_one_of("format", format, &FORMATS))?
        }
    };
    let tongue = match compared.language.as_deref() {
        None if reads_danish(&headers) => Tongue::Danish,
        None | Some("en") => Tongue::English,
        Some("da") => Tongue::Danish,
        Some(other) => return Err(not_one_of("language", other, &["da", "en"]).into()),
    };
    let from = moment(compared.from.as_deref(), Moment::Base, "from")?;
    let to = moment(compared.to.as_deref(), Moment::Now, "to")?;
    let draft = uuid(&draft)?;
    let write = async move {
        let paper = app.draft_diff(&actor, draft, from, to)?;
        Ok(match MEDIA[format] {
            "text/markdown" => text("text/markdown; charset=utf-8", paper.document(tongue).markdown()),
            "text/html" => text("text/html; charset=utf-8", paper.document(tongue).html_page()),
            _ => json(StatusCode::OK, &paper)?,
        })
    };
    Ok(aside(write).await?)
}

/// Lays a draft before a committee (indstilling): it is frozen, with the digest of what is to be decided.
#[utoipa::path(post, path = "/drafts/{draft}/recommendations", operation_id = "recommend", tag = "drafts",
    params(("draft" = String, Path, description = "The draft")), request_body = RecommendRequest,
    responses((status = 201, body = DraftAnswer), Refused<403>, Refused<404>, Refused<409>, Refused<422>))]
pub async fn recommend(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let (draft, request): (_, RecommendRequest) = (uuid(&draft)?, body(&bytes)?);
    let _turn = turn().await?;
    let draft = long(async move { app.recommend(&actor, draft, request).await }).await?;
    Ok(json(StatusCode::CREATED, &draft)?)
}

/// Lets a draft that others wrote be published: the second pair of eyes, on exactly this content.
#[utoipa::path(post, path = "/drafts/{draft}/approvals", operation_id = "approve", tag = "drafts",
    params(("draft" = String, Path, description = "The draft")), request_body = ApprovalRequest,
    responses((status = 201, body = DraftAnswer), Refused<403>, Refused<404>, Refused<409>))]
pub async fn approve(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let (draft, ApprovalRequest { digest }) = (uuid(&draft)?, body(&bytes)?);
    let _turn = turn().await?;
    let draft = long(async move { app.approve(&actor, draft, digest).await }).await?;
    Ok(json(StatusCode::CREATED, &draft)?)
}

/// Publishes a draft as a version: byte for byte what was adopted, or, where no decision is needed, what it says now.
#[utoipa::path(post, path = "/drafts/{draft}/publication", operation_id = "publishDraft", tag = "drafts",
    params(("draft" = String, Path, description = "The draft")), request_body = DraftPublishRequest,
    responses((status = 201, description = "Published", body = ImportReport), Refused<403>,
        Refused<404>, Refused<409>, Refused<422>))]
pub async fn publish(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let (draft, request): (_, DraftPublishRequest) = (uuid(&draft)?, body(&bytes)?);
    carried_out(async move || app.publish_draft(&actor, draft, request).await).await
}

/// Every decision that one may read, the last first: those whose version is published are for everybody.
#[utoipa::path(get, path = "/decisions", operation_id = "decisions", tag = "decisions", params(Pages),
    responses((status = 200, body = [DecisionAnswer], headers(("x-total-count" = u64), ("link" = String))), Refused<400>))]
pub async fn decisions(
    State(app): State<App>,
    Who(actor): Who,
    OriginalUri(uri): OriginalUri,
    Params(paging, ..): Params<Pages>,
) -> Answer {
    Ok(list(&app.decisions(&actor, &paging)?, &uri)?)
}

/// Puts the decision of a committee on record, at an item of its meeting's agenda.
#[utoipa::path(post, path = "/decisions", operation_id = "decide", tag = "decisions", request_body = DecideRequest,
    responses((status = 201, body = DecisionAnswer), Refused<403>, Refused<404>, Refused<409>, Refused<422>))]
pub async fn decide(State(app): State<App>, Who(actor): Who, _: Params<Nothing>, bytes: Bytes) -> Answer {
    let request: DecideRequest = body(&bytes)?;
    let decided = app.decide(&actor, request).await?;
    Ok(made(&decided, &format!("/api/v1/decisions/{}", decided.decision.uuid))?)
}

/// One decision, with the draft that was decided and the version that carries it out.
#[utoipa::path(get, path = "/decisions/{decision}", operation_id = "decision", tag = "decisions",
    params(("decision" = String, Path, description = "The decision")),
    responses((status = 200, body = DecisionAnswer), Refused<404>))]
pub async fn decision(
    State(app): State<App>,
    Who(actor): Who,
    Path(decision): Path<String>,
    _: Params<Nothing>,
) -> Answer {
    Ok(json(StatusCode::OK, &app.decision(&actor, uuid(&decision)?)?)?)
}
