//! Vocabularies and their versions.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::{App, aside};
use crate::http::negotiate::Caller;
use crate::http::params::{Nothing, Params};
use crate::http::private::{body, json, made};
use crate::http::problem::{Failure, Refused};
use crate::http::reply::Reply;
use crate::http::who::Who;
use crate::model::Slug;
use crate::registry::{DaysAnswer, FrameRequest, VersionAnswer, VocabularyAnswer};

/// Every vocabulary, by slug.
#[utoipa::path(get, path = "/vocabularies", operation_id = "vocabularies", tag = "vocabularies",
    responses((status = 200, body = [VocabularyAnswer])))]
pub async fn list(State(app): State<App>, Caller(headers): Caller, _: Params<Nothing>) -> Response {
    Reply::json(&app.vocabularies(), false).respond(&headers)
}

/// One vocabulary, with what is in force today.
#[utoipa::path(get, path = "/vocabularies/{vocabulary}", operation_id = "vocabulary", tag = "vocabularies",
    params(("vocabulary" = String, Path, description = "The slug", example = "fsiii")),
    responses((status = 200, body = VocabularyAnswer), Refused<404>))]
pub async fn one(
    State(app): State<App>,
    Path(vocabulary): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Result<Response, Failure> {
    Ok(Reply::json(&app.vocabulary(&vocabulary)?, false).respond(&headers))
}

/// Creates a vocabulary, or changes its frame. A new one takes the right to `frame` in all vocabularies; it has no
/// version until one is imported, or published from a draft. To change `governance` or `fourEyes` of one that is there
/// takes the right to `govern`. `uuid`, `kind` and `namespace` stay as they were made.
#[utoipa::path(put, path = "/vocabularies/{vocabulary}", operation_id = "putVocabulary", tag = "vocabularies",
    params(("vocabulary" = String, Path, description = "The slug")), request_body = FrameRequest,
    responses((status = 200, body = VocabularyAnswer), (status = 201, description = "Created", body = VocabularyAnswer),
        Refused<401>, Refused<403>, Refused<409>, Refused<422>))]
pub async fn put(
    State(app): State<App>,
    Who(actor): Who,
    Path(vocabulary): Path<String>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Result<Response, Failure> {
    let slug: Slug = vocabulary.parse()?;
    let request: FrameRequest = body(&bytes)?;
    let (answer, created) = app.put_frame(&actor, slug, request).await?;
    let address = format!("/api/v1/vocabularies/{vocabulary}");
    Ok(if created { made(&answer, &address)? } else { json(StatusCode::OK, &answer)? })
}

/// The versions of a vocabulary, newest first, also those that are not in force yet.
#[utoipa::path(get, path = "/vocabularies/{vocabulary}/versions", operation_id = "versions", tag = "vocabularies",
    params(("vocabulary" = String, Path, description = "The slug")),
    responses((status = 200, body = [VersionAnswer]), Refused<404>))]
pub async fn versions(
    State(app): State<App>,
    Path(vocabulary): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Result<Response, Failure> {
    Ok(Reply::json(&app.versions(&vocabulary)?, false).respond(&headers))
}

/// One version with its manifest, and what reviewers said of it last.
#[utoipa::path(get, path = "/vocabularies/{vocabulary}/versions/{version}", operation_id = "version",
    tag = "vocabularies",
    params(
        ("vocabulary" = String, Path, description = "The slug"),
        ("version" = String, Path, description = "The label", example = "2024-10-31")
    ),
    responses((status = 200, body = VersionAnswer), Refused<404>))]
pub async fn version(
    State(app): State<App>,
    Path((vocabulary, version)): Path<(String, String)>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Result<Response, Failure> {
    Ok(Reply::json(&app.version(&vocabulary, &version)?, false).respond(&headers))
}

/// The days from which a vocabulary reads otherwise, as known now: the day whose reading is in force today, and those that
/// come; with the version in force and how many concepts are said otherwise than in it. `position` is where to follow
/// the feed from.
#[utoipa::path(get, path = "/vocabularies/{vocabulary}/days", operation_id = "days", tag = "vocabularies",
    params(("vocabulary" = String, Path, description = "The slug")),
    responses((status = 200, body = DaysAnswer), Refused<404>))]
pub async fn days(
    State(app): State<App>,
    Path(vocabulary): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Result<Response, Failure> {
    // Up to sixty editions are compared: whoever asks waits for a turn.
    let days = aside(async move { app.days(&vocabulary) }).await?;
    Ok(Reply::json(&days, false).respond(&headers))
}
