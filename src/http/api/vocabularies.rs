//! Vocabularies and their versions.

use axum::extract::{Path, State};
use axum::response::Response;

use super::App;
use crate::http::negotiate::Caller;
use crate::http::params::{Nothing, Params};
use crate::http::problem::{Failure, Problem};
use crate::http::reply::Reply;
use crate::registry::{VersionAnswer, VocabularyAnswer};

/// Every vocabulary, by slug.
#[utoipa::path(get, path = "/vocabularies", operation_id = "vocabularies", tag = "vocabularies",
    responses((status = 200, body = [VocabularyAnswer])))]
pub async fn list(State(app): State<App>, Caller(headers): Caller, _: Params<Nothing>) -> Response {
    Reply::json(&app.vocabularies(), false).respond(&headers)
}

/// One vocabulary, with what is in force today.
#[utoipa::path(get, path = "/vocabularies/{vocabulary}", operation_id = "vocabulary", tag = "vocabularies",
    params(("vocabulary" = String, Path, description = "The slug", example = "fsiii")),
    responses((status = 200, body = VocabularyAnswer), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn one(
    State(app): State<App>,
    Path(vocabulary): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Result<Response, Failure> {
    Ok(Reply::json(&app.vocabulary(&vocabulary)?, false).respond(&headers))
}

/// The versions of a vocabulary, newest first, also those that are not in force yet.
#[utoipa::path(get, path = "/vocabularies/{vocabulary}/versions", operation_id = "versions", tag = "vocabularies",
    params(("vocabulary" = String, Path, description = "The slug")),
    responses((status = 200, body = [VersionAnswer]), (status = 404, body = Problem, content_type = "application/problem+json")))]
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
    responses((status = 200, body = VersionAnswer), (status = 404, body = Problem, content_type = "application/problem+json")))]
pub async fn version(
    State(app): State<App>,
    Path((vocabulary, version)): Path<(String, String)>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Result<Response, Failure> {
    Ok(Reply::json(&app.version(&vocabulary, &version)?, false).respond(&headers))
}
