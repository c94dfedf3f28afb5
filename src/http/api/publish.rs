//! Publishing over HTTP, where no decision is needed: by accounts that publish, and their tokens.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};
use utoipa::IntoParams;

use super::App;
use crate::exchange::Format;
use crate::http::params::{Params, not_one_of};
use crate::http::private::json;
use crate::http::problem::{Failure, Refused};
use crate::http::upload::Upload;
use crate::http::who::Who;
use crate::model::{Code, Instant, Label, Meaning, Place, Refusal, Result, Slug, parse_date};
use crate::registry::{ImportReport, ImportRequest, PublishRequest, Verdict};

/// How a version is named.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub struct Naming {
    /// The label of the version; needed unless it is a dry run.
    version: Option<String>,
    /// From which day it is in force (`YYYY-MM-DD`).
    effective: Option<String>,
    /// Who decided, and where that is written.
    decision: Option<String>,
    /// `true` for the plan alone: nothing is changed.
    dry_run: Option<bool>,
}

/// What is imported.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub struct ImportParams {
    /// The format of the body: `fhir`, `ttl`, `nt`, `rdf`, `jsonld`, `csv`, `json` or `oioxml`.
    #[param(required = true, example = "csv")]
    format: Option<String>,
    /// Whether concepts that look like vanishing ones are new all the same.
    accept_new: Option<bool>,
    /// The language of texts that name none.
    language: Option<String>,
    /// Whether the concepts that it redefines mean something else: `changed` or `kept`, said of all of them. Nothing is
    /// said of any when absent.
    #[param(value_type = Option<Meaning>)]
    meaning: Option<String>,
}

/// What is published again.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AgainParams {
    /// The version whose content it has; what is in force on that day when absent.
    from: Option<String>,
}

/// Reads an edition from the body, plans it and, unless it is a dry run, publishes it. Takes the right to `publish`;
/// to `frame` too when there is no such vocabulary yet. A form (`multipart/form-data`) has the edition in `file` and
/// may have in `identity` a table of code and uuid: who is who, where codes were replaced.
#[utoipa::path(post, path = "/vocabularies/{vocabulary}/import", operation_id = "import", tag = "publishing",
    params(("vocabulary" = String, Path, description = "The slug"), ImportParams, Naming),
    request_body(content = String, description = "The file", content_type = "application/octet-stream"),
    responses((status = 200, description = "A plan, or nothing to change", body = ImportReport), (status = 201, description = "Published", body = ImportReport),
        Refused<401>, Refused<403>, Refused<409>, Refused<422>))]
pub async fn import(
    State(app): State<App>,
    Who(actor): Who,
    Path(vocabulary): Path<String>,
    Params(params, naming, _): Params<ImportParams, Naming>,
    Upload { file, identity }: Upload,
) -> Result<Response, Failure> {
    let vocabulary: Slug = vocabulary.parse()?;
    let name = params.format.as_deref().unwrap_or_default();
    let format = Format::READ.into_iter().find(|f| f.name() == name);
    let format = format.ok_or_else(|| not_one_of("format", name, &Format::READ.map(Format::name)))?;
    let (label, effective, dry_run) = (label(naming.version, "version")?, day(naming.effective)?, naming.dry_run);
    let language = params.language.map(|l| l.parse()).transpose()?;
    let meaning = meaning(params.meaning)?;
    carried_out(async move || {
        let request = ImportRequest {
            vocabulary,
            format,
            bytes: &file,
            label,
            effective,
            identity,
            accept_new: params.accept_new.unwrap_or(false),
            dry_run: dry_run.unwrap_or(false),
            language,
            decision: naming.decision,
            meaning,
            frame: None,
        };
        app.import(&actor, request).await
    })
    .await
}

/// Does the work where a large file holds up nobody else, for as long as somebody waits for the answer: once the request
/// was given up, by the caller or by the clock, nothing is committed any more. A commit that has begun is carried through.
pub async fn carried_out<W>(work: W) -> Result<Response, Failure>
where
    W: AsyncFnOnce() -> Result<ImportReport> + Send + 'static,
{
    let (turn, runtime) = (turn().await?, tokio::runtime::Handle::current());
    // Dropped with this future, which tells the work.
    let (_waiting, given_up) = oneshot::channel::<()>();
    let work = move || {
        // Held until the work has ended, not until nobody waits for it.
        let _turn = turn;
        runtime.block_on(async {
            tokio::select! {
                biased;
                _ = given_up => Err(Refusal::new(Code::Timeout, "det tog for lang tid", "it took too long")),
                done = work() => done,
            }
        })
    };
    let done = tokio::task::spawn_blocking(work).await;
    let report = done.map_err(|e| Refusal::new(Code::Internal, e.to_string(), e.to_string()))??;
    let status = if report.verdict == Verdict::Published { StatusCode::CREATED } else { StatusCode::OK };
    Ok(json(status, &report)?)
}

/// A turn among those who publish: they wait for each other's writes anyhow, and who waits must not hold the threads
/// that searches and exports run on.
///
/// # Errors
/// [`Code::Busy`] after a while.
pub async fn turn() -> Result<SemaphorePermit<'static>> {
    static TURNS: Semaphore = Semaphore::const_new(2);
    let (da, en) = ("andre er i gang med at udgive", "others are publishing");
    let busy = || Refusal::new(Code::Busy, da, en);
    let waited = tokio::time::timeout(Duration::from_secs(10), TURNS.acquire()).await;
    waited.map_err(|_| busy())?.map_err(|_| busy())
}

/// Publishes content that the registry has already under a new label, from a date. Takes the right to `publish`.
#[utoipa::path(post, path = "/vocabularies/{vocabulary}/publish", operation_id = "publish", tag = "publishing",
    params(("vocabulary" = String, Path, description = "The slug"), AgainParams, Naming),
    responses((status = 200, description = "A plan, or nothing to change", body = ImportReport), (status = 201, description = "Published", body = ImportReport),
        Refused<401>, Refused<403>, Refused<404>, Refused<409>))]
pub async fn publish(
    State(app): State<App>,
    Who(actor): Who,
    Path(vocabulary): Path<String>,
    Params(again, naming, _): Params<AgainParams, Naming>,
) -> Result<Response, Failure> {
    let request = PublishRequest {
        vocabulary: vocabulary.parse()?,
        label: label(naming.version, "version")?.ok_or_else(|| absent("version"))?,
        effective: day(naming.effective)?.ok_or_else(|| absent("effective"))?,
        from: label(again.from, "from")?,
        decision: naming.decision,
        dry_run: naming.dry_run.unwrap_or(false),
    };
    carried_out(async move || app.publish(&actor, request).await).await
}

fn label(text: Option<String>, field: &str) -> Result<Option<Label>> {
    text.map(|t| t.parse::<Label>().map_err(|r| r.at(Place::field(field)))).transpose()
}

/// What a parameter says of the meaning.
pub fn meaning(text: Option<String>) -> Result<Option<Meaning>> {
    text.map(|t| t.parse::<Meaning>().map_err(|r| r.at(Place::field("meaning")))).transpose()
}

fn day(text: Option<String>) -> Result<Option<Instant>> {
    let day = text.map(|t| parse_date(&t).map(Instant::from_date)).transpose();
    day.map_err(|r| r.at(Place::field("effective")))
}

fn absent(field: &str) -> Refusal {
    let (da, en) = (format!("parameteren {field} mangler"), format!("the parameter '{field}' is missing"));
    Refusal::new(Code::InvalidParameter, da, en).at(Place::field(field))
}
