//! What becomes of the codes of a list.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::App;
use super::search::aside;
use crate::exchange::{Columns, ListedCode, codes_in};
use crate::http::negotiate::{Caller, language};
use crate::http::params::{Params, not_one_of};
use crate::http::problem::{Failure, Refused};
use crate::http::reply::Reply;
use crate::http::upload::List;
use crate::model::{Code, Refusal, Result};
use crate::registry::{CheckReport, CheckRequest};

/// How much is told.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Told {
    /// `all` (usual), or `attention`: only codes about which something must be known or done.
    show: Option<String>,
}

/// What becomes of each code of a list: in force, retired and since when, going to be and from when, renamed, redefined or
/// moved ahead, or never there. The body is a table (CSV) or JSON, up to 100 000 codes and 10 MB: see `docs/code-sets.md`.
#[utoipa::path(post, path = "/check", operation_id = "check", tag = "codes", params(CheckRequest, Told, Columns),
    request_body(content((Vec<ListedCode> = "application/json"), (String = "text/csv"))),
    responses((status = 200, body = CheckReport), Refused<400>, Refused<413>))]
pub async fn check(
    State(app): State<App>,
    Params(asked, told, columns): Params<CheckRequest, Told, Columns>,
    Caller(headers): Caller,
    List(body): List,
) -> Result<Response, Failure> {
    let attention = match told.show.as_deref() {
        None | Some("all") => false,
        Some("attention") => true,
        Some(other) => return Err(not_one_of("show", other, &["all", "attention"]).into()),
    };
    let language = language(&headers);
    let reply = aside(async move {
        let mut report = app.check_codes(&codes_in(&body, &columns)?, &asked, &language)?;
        if attention {
            report.codes.retain(|c| c.verdict.is_trouble() || !c.ahead.is_empty() || c.passivated.is_some());
        }
        Ok(Reply::json(&report, false))
    });
    Ok(reply.await?.respond(&headers))
}

/// Does what takes a while where it holds up nobody.
pub async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Refusal::new(Code::Internal, e.to_string(), e.to_string()))?
}
