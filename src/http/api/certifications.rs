//! Certifications of versions.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::App;
use crate::http::negotiate::Caller;
use crate::http::params::{Nothing, Params, uuid};
use crate::http::private::{body, json};
use crate::http::problem::{Failure, Refused};
use crate::http::reply::Reply;
use crate::http::who::Who;
use crate::model::Result;
use crate::registry::{CertificationAnswer, CertificationRequest, VerdictRequest};
use crate::workflow::SchemaLink;

type Answer = Result<Response, Failure>;

/// Schema elements.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinksRequest {
    /// The schema elements, all of them.
    links: Vec<SchemaLink>,
}

/// The certifications of a version, the last first.
#[utoipa::path(get, path = "/vocabularies/{vocabulary}/versions/{version}/certifications",
    operation_id = "certifications", tag = "certifications",
    params(("vocabulary" = String, Path, description = "The slug"), ("version" = String, Path, description = "The label")),
    responses((status = 200, body = [CertificationAnswer]), Refused<404>))]
pub async fn certifications(
    State(app): State<App>,
    Path((vocabulary, version)): Path<(String, String)>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Answer {
    Ok(Reply::json(&app.certifications(&vocabulary, &version)?, false).respond(&headers))
}

/// Puts on record that a version was submitted for certification.
#[utoipa::path(post, path = "/vocabularies/{vocabulary}/versions/{version}/certifications",
    operation_id = "submitCertification", tag = "certifications",
    params(("vocabulary" = String, Path, description = "The slug"), ("version" = String, Path, description = "The label")),
    request_body = CertificationRequest,
    responses((status = 201, body = CertificationAnswer), Refused<403>, Refused<404>, Refused<422>))]
pub async fn submit(
    State(app): State<App>,
    Who(actor): Who,
    Path((vocabulary, version)): Path<(String, String)>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let request = body(&bytes)?;
    Ok(json(StatusCode::CREATED, &app.submit_certification(&actor, &vocabulary, &version, request).await?)?)
}

/// One certification.
#[utoipa::path(get, path = "/certifications/{certification}", operation_id = "certification", tag = "certifications",
    params(("certification" = String, Path, description = "The certification")),
    responses((status = 200, body = CertificationAnswer), Refused<404>))]
pub async fn certification(
    State(app): State<App>,
    Path(of): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Answer {
    Ok(Reply::json(&app.certification(uuid(&of)?)?, false).respond(&headers))
}

/// Puts on record what the reviewers said. After a conditional verdict there may be another.
#[utoipa::path(post, path = "/certifications/{certification}/verdict", operation_id = "judgeCertification",
    tag = "certifications", params(("certification" = String, Path, description = "The certification")),
    request_body = VerdictRequest,
    responses((status = 200, body = CertificationAnswer), Refused<403>, Refused<404>, Refused<409>))]
pub async fn verdict(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    Ok(json(StatusCode::OK, &app.judge(&actor, uuid(&of)?, body(&bytes)?).await?)?)
}

/// Names the schema elements that stand for concepts of the version, all of them.
#[utoipa::path(put, path = "/certifications/{certification}/links", operation_id = "linkCertification",
    tag = "certifications", params(("certification" = String, Path, description = "The certification")),
    request_body = LinksRequest,
    responses((status = 200, body = CertificationAnswer), Refused<403>, Refused<404>, Refused<422>))]
pub async fn links(
    State(app): State<App>,
    Who(actor): Who,
    Path(of): Path<String>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let LinksRequest { links } = body(&bytes)?;
    Ok(json(StatusCode::OK, &app.link_certification(&actor, uuid(&of)?, links).await?)?)
}
