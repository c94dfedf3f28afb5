//! What changed between two readings.

use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::App;
use super::search::aside;
use crate::exchange::{Migration, MigrationFormat};
use crate::http::negotiate::{Caller, language};
use crate::http::params::Params;
use crate::http::problem::{Failure, Refused};
use crate::http::reply::Reply;
use crate::model::{Code, Place, Refusal};
use crate::registry::ChangesAnswer;

/// From where to where.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Between {
    /// The label of a version, or a calendar day.
    #[param(required = true, example = "2023-06-22")]
    from: Option<String>,
    /// The label of a version, or a calendar day; today when absent.
    #[param(example = "2024-10-31")]
    to: Option<String>,
    /// An instant (RFC 3339): compare days as the registry knew them then.
    registered: Option<String>,
}

/// The typed changes between two versions or days: added, retired, recoded, renamed, redefined, moved, split,
/// merged, replaced, edited, reordered.
#[utoipa::path(get, path = "/vocabularies/{vocabulary}/changes", operation_id = "changes", tag = "vocabularies",
    params(("vocabulary" = String, Path, description = "The slug"), Between),
    responses((status = 200, body = ChangesAnswer), Refused<400>, Refused<404>))]
pub async fn between(
    State(app): State<App>,
    Path(vocabulary): Path<String>,
    Params(between, ..): Params<Between>,
    Caller(headers): Caller,
) -> Result<Response, Failure> {
    app.plane(&vocabulary)?;
    let Some(from) = between.from else {
        let (da, en) = ("parameteren from mangler", "the parameter 'from' is missing");
        let refusal = Refusal::new(Code::InvalidParameter, da, en).at(Place::field("from"));
        return Err(refusal.allowed(["a version label", "YYYY-MM-DD"]).into());
    };
    let answer = app.changes(&vocabulary, &from, between.to.as_deref(), between.registered.as_deref())?;
    Ok(Reply::json(&answer, false).respond(&headers))
}

/// From where to where, and how it is written.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Mapped {
    /// The label of a version, or a calendar day.
    #[param(required = true, example = "2023-06-22")]
    from: Option<String>,
    /// The label of a version, or a calendar day; today when absent.
    #[param(example = "2024-10-31")]
    to: Option<String>,
    /// `json` (usual), `csv` or `sssom`.
    format: Option<String>,
}

/// What each code of one version is in another: the same, recoded, renamed, redefined, replaced, split, merged, or
/// retired without replacement.
#[utoipa::path(get, path = "/vocabularies/{vocabulary}/migration", operation_id = "migration", tag = "vocabularies",
    params(("vocabulary" = String, Path, description = "The slug"), Mapped),
    responses(
        (status = 200, content((Migration = "application/json"), (String = "text/csv"), (String = "text/tab-separated-values"))),
        Refused<400>, Refused<404>))]
pub async fn migration(
    State(app): State<App>,
    Path(vocabulary): Path<String>,
    Params(mapped, ..): Params<Mapped>,
    Caller(headers): Caller,
) -> Result<Response, Failure> {
    let Some(from) = mapped.from else {
        let (da, en) = ("angiv from: fra hvilken version", "give from: from which version");
        return Err(Refusal::new(Code::InvalidParameter, da, en).at(Place::field("from")).into());
    };
    let format: MigrationFormat =
        mapped.format.as_deref().unwrap_or("json").parse().map_err(|r: Refusal| r.at(Place::field("format")))?;
    let language = language(&headers);
    let bytes = aside(async move { app.migration(&vocabulary, &from, mapped.to.as_deref(), &language)?.write(format) });
    Ok(Reply::bytes(bytes.await?, format.media_type(), false).respond(&headers))
}
