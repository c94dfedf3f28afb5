//! Drafts: opening, describing and steering them, laying them over another version, and what is said of them.

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::App;
use crate::http::params::{Nothing, Params, uuid};
use crate::http::precondition::MadeOf;
use crate::http::private::{body, json, list, made, tagged};
use crate::http::problem::{Failure, Refused};
use crate::http::who::Who;
use crate::model::{Code, Place, Refusal, Result};
use crate::registry::{
    CommentRequest, DraftAnswer, DraftChange, DraftFilter, DraftRequest, Pages, RebaseRequest, RebasedAnswer, Steer,
    ThreadAnswer,
};
use crate::workflow::Prose;

type Answer = Result<Response, Failure>;

/// Which drafts.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Of one vocabulary: its slug.
    vocabulary: Option<String>,
    /// In one phase: `drafting`, `inReview`, `inHearing`, `heard`, `recommended`, `adopted`, `published`, `rejected`,
    /// `withdrawn`, `onHold`.
    phase: Option<String>,
    /// Of one group: its uuid.
    group: Option<String>,
}

impl Which {
    fn filter(self) -> Result<DraftFilter> {
        let at = |field: &'static str| move |r: Refusal| r.at(Place::field(field));
        Ok(DraftFilter {
            vocabulary: self.vocabulary.map(|v| v.parse().map_err(at("vocabulary"))).transpose()?,
            phase: self.phase.map(|p| p.parse().map_err(at("phase"))).transpose()?,
            group: self.group.map(|g| uuid(&g).map_err(at("group"))).transpose()?,
        })
    }
}

/// Where a draft is to go.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "step", rename_all = "camelCase", deny_unknown_fields)]
pub enum PhaseStep {
    /// The group looks through it.
    Review {},
    /// It rests.
    Hold {
        /// Why.
        reason: Prose,
    },
    /// Work goes on, where it was.
    Resume {
        /// Why.
        reason: Prose,
    },
    /// It is given up, for good.
    Withdraw {
        /// Why.
        reason: Prose,
    },
    /// The recommendation is taken back before it is decided; the draft can be edited again.
    Recall {
        /// Why.
        reason: Prose,
    },
}

/// Something to say in a thread.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplyRequest {
    /// What.
    text: Prose,
}

/// Whether a thread is settled.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Settlement {
    /// `false` opens it again.
    settled: bool,
}

/// The tag of a draft: how many steps it has taken.
fn answer(status: StatusCode, draft: &DraftAnswer) -> Answer {
    Ok(tagged(json(status, draft)?, Some(&format!("\"{}\"", draft.steps))))
}

/// The number in an address.
pub fn number(text: &str) -> Result<usize> {
    text.parse().map_err(|_| {
        let text: String = text.chars().take(80).collect();
        let (da, en) = (format!("»{text}« er ikke et nummer"), format!("'{text}' is not a number"));
        Refusal::new(Code::InvalidIdentifier, da, en)
    })
}

/// The drafts that one may read, the one that changed last first.
#[utoipa::path(get, path = "/drafts", operation_id = "drafts", tag = "drafts", params(Which, Pages),
    responses((status = 200, body = [DraftAnswer], headers(("x-total-count" = u64), ("link" = String))), Refused<400>,
        Refused<401>, Refused<404>))]
pub async fn all(
    State(app): State<App>,
    Who(actor): Who,
    OriginalUri(uri): OriginalUri,
    Params(which, paging, _): Params<Which, Pages>,
) -> Answer {
    Ok(list(&app.drafts(&actor, &which.filter()?, &paging)?, &uri)?)
}

/// Opens a draft over the version in force, or over the one that is named; over nothing where there is none.
#[utoipa::path(post, path = "/drafts", operation_id = "openDraft", tag = "drafts", request_body = DraftRequest,
    responses((status = 201, body = DraftAnswer), Refused<401>, Refused<403>, Refused<404>, Refused<409>))]
pub async fn open(State(app): State<App>, Who(actor): Who, _: Params<Nothing>, bytes: Bytes) -> Answer {
    let request: DraftRequest = body(&bytes)?;
    let draft = app.open_draft(&actor, request).await?;
    let response = made(&draft, &format!("/api/v1/drafts/{}", draft.uuid))?;
    Ok(tagged(response, Some(&format!("\"{}\"", draft.steps))))
}

/// One draft. Its tag is how many steps it has taken: what others do meanwhile changes it.
#[utoipa::path(get, path = "/drafts/{draft}", operation_id = "draft", tag = "drafts",
    params(("draft" = String, Path, description = "The draft")),
    responses((status = 200, body = DraftAnswer, headers(("etag" = String))), Refused<401>,
        Refused<403>, Refused<404>))]
pub async fn one(State(app): State<App>, Who(actor): Who, Path(draft): Path<String>, _: Params<Nothing>) -> Answer {
    answer(StatusCode::OK, &app.draft_answer(&*app.draft(&actor, uuid(&draft)?)?)?)
}

/// Describes a draft otherwise: title, purpose, group; what is absent stays, `null` is taken away.
#[utoipa::path(patch, path = "/drafts/{draft}", operation_id = "describeDraft", tag = "drafts",
    params(("draft" = String, Path, description = "The draft"), ("if-match" = Option<String>, Header, description = "The tag of the draft")),
    request_body = DraftChange,
    responses((status = 200, body = DraftAnswer), Refused<403>, Refused<404>, Refused<409>, Refused<412>))]
pub async fn describe(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    MadeOf(matches): MadeOf,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let change: DraftChange = body(&bytes)?;
    answer(StatusCode::OK, &app.steer_draft(&actor, uuid(&draft)?, Steer::Describe(change), &matches).await?)
}

/// Sends a draft where it is to go: `review`, `hold`, `resume`, `withdraw`, `recall`.
#[utoipa::path(post, path = "/drafts/{draft}/phase", operation_id = "moveDraft", tag = "drafts",
    params(("draft" = String, Path, description = "The draft"), ("if-match" = Option<String>, Header, description = "The tag of the draft")),
    request_body = PhaseStep,
    responses((status = 200, body = DraftAnswer), Refused<403>, Refused<404>, Refused<409>, Refused<412>))]
pub async fn phase(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    MadeOf(matches): MadeOf,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let steer = match body(&bytes)? {
        PhaseStep::Review {} => Steer::Review,
        PhaseStep::Hold { reason } => Steer::Hold(reason),
        PhaseStep::Resume { reason } => Steer::Resume(reason),
        PhaseStep::Withdraw { reason } => Steer::Withdraw(reason),
        PhaseStep::Recall { reason } => Steer::Recall(reason),
    };
    answer(StatusCode::OK, &app.steer_draft(&actor, uuid(&draft)?, steer, &matches).await?)
}

/// Lays a draft over another version. What both sides changed, each in its own way, is refused with both texts
/// (`conflict`); the same request with `settled` says what is to stand.
#[utoipa::path(post, path = "/drafts/{draft}/rebase", operation_id = "rebaseDraft", tag = "drafts",
    params(("draft" = String, Path, description = "The draft"), ("if-match" = Option<String>, Header, description = "The tag of the draft")),
    request_body = RebaseRequest,
    responses((status = 200, body = RebasedAnswer), Refused<403>, Refused<404>, Refused<409>, Refused<412>))]
pub async fn rebase(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    MadeOf(matches): MadeOf,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let request: RebaseRequest = body(&bytes)?;
    let rebased = app.rebase_draft(&actor, uuid(&draft)?, request, &matches).await?;
    let tag = format!("\"{}\"", rebased.draft.steps);
    Ok(tagged(json(StatusCode::OK, &rebased)?, Some(&tag)))
}

/// The threads of comments, the first first.
#[utoipa::path(get, path = "/drafts/{draft}/comments", operation_id = "comments", tag = "drafts",
    params(("draft" = String, Path, description = "The draft"), Pages),
    responses((status = 200, body = [ThreadAnswer], headers(("x-total-count" = u64), ("link" = String))), Refused<403>, Refused<404>))]
pub async fn comments(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    OriginalUri(uri): OriginalUri,
    Params(paging, ..): Params<Pages>,
) -> Answer {
    Ok(list(&app.threads(&actor, uuid(&draft)?, &paging)?, &uri)?)
}

/// Begins a thread on the draft, on a concept of it, or on a field of a concept.
#[utoipa::path(post, path = "/drafts/{draft}/comments", operation_id = "comment", tag = "drafts",
    params(("draft" = String, Path, description = "The draft")), request_body = CommentRequest,
    responses((status = 201, body = ThreadAnswer), Refused<403>, Refused<404>, Refused<409>))]
pub async fn comment(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let request: CommentRequest = body(&bytes)?;
    Ok(json(StatusCode::CREATED, &app.comment(&actor, uuid(&draft)?, None, request).await?)?)
}

/// Says something in a thread; a settled one is open again.
#[utoipa::path(post, path = "/drafts/{draft}/comments/{thread}", operation_id = "reply", tag = "drafts",
    params(("draft" = String, Path, description = "The draft"), ("thread" = usize, Path, description = "The number of the thread")),
    request_body = ReplyRequest,
    responses((status = 201, body = ThreadAnswer), Refused<403>, Refused<404>, Refused<409>))]
pub async fn reply(
    State(app): State<App>,
    Who(actor): Who,
    Path((draft, thread)): Path<(String, String)>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let ReplyRequest { text } = body(&bytes)?;
    let request = CommentRequest { topic: Default::default(), text };
    let thread = app.comment(&actor, uuid(&draft)?, Some(number(&thread)?), request).await?;
    Ok(json(StatusCode::CREATED, &thread)?)
}

/// Settles a thread, or opens it again.
#[utoipa::path(post, path = "/drafts/{draft}/comments/{thread}/settlement", operation_id = "settleThread", tag = "drafts",
    params(("draft" = String, Path, description = "The draft"), ("thread" = usize, Path, description = "The number of the thread")),
    request_body = Settlement,
    responses((status = 200, body = ThreadAnswer), Refused<403>, Refused<404>, Refused<409>))]
pub async fn settle(
    State(app): State<App>,
    Who(actor): Who,
    Path((draft, thread)): Path<(String, String)>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let Settlement { settled } = body(&bytes)?;
    let thread = app.settle_thread(&actor, uuid(&draft)?, number(&thread)?, settled).await?;
    Ok(json(StatusCode::OK, &thread)?)
}
