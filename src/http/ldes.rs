//! Linked Data Event Streams: one for each vocabulary, in pages that never change once they are full.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::app::App;
use super::negotiate::{Caller, media, not_acceptable};
use super::params::{Params, not_one_of};
use super::problem::{Failure, Refused};
use super::reply::Reply;
use crate::exchange::Format;
use crate::model::Result;

/// The formats of a page, by name and media type; the first is meant when nothing is said.
const OFFERS: [(&str, &str, Format); 3] = [
    ("ttl", "text/turtle", Format::Ttl),
    ("nt", "application/n-triples", Format::Nt),
    ("jsonld", "application/ld+json", Format::Jsonld),
];

/// Which page, and how it is written.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// The position after which the page begins; follow the links of the pages rather than making it up.
    after: Option<i64>,
    /// `ttl`, `nt` or `jsonld`; else by `Accept`.
    format: Option<String>,
}

/// What was said of a vocabulary's concepts, each time as an object of its own: a page of a Linked Data Event Stream
/// (LDES on TREE). Without `after` it is the first page. A publication is one transaction: its last member says so.
#[utoipa::path(get, path = "/ldes/{vocabulary}", operation_id = "ldes", tag = "changes",
    params(("vocabulary" = String, Path, description = "The slug"), Asked),
    responses((status = 200, content_type = "text/turtle", body = String), Refused<400>, Refused<404>, Refused<406>))]
pub async fn page(
    State(app): State<App>,
    Path(vocabulary): Path<String>,
    Params(asked, ..): Params<Asked>,
    Caller(headers): Caller,
) -> Result<Response, Failure> {
    let format = representation(&headers, asked.format.as_deref())?;
    let page = app.stream_page(&vocabulary, asked.after.unwrap_or(0), format).await?;
    Ok(Reply::bytes(page.bytes, format.media_type(), page.full).respond(&headers))
}

fn representation(headers: &HeaderMap, wanted: Option<&str>) -> Result<Format> {
    let media_types = OFFERS.map(|(_, media, _)| media);
    let found = match wanted {
        Some(name) => {
            OFFERS.iter().find(|o| o.0 == name).ok_or_else(|| not_one_of("format", name, &OFFERS.map(|o| o.0)))?
        }
        None => {
            let best = media(headers, &media_types).ok_or_else(|| not_acceptable(&media_types))?;
            OFFERS.iter().find(|o| o.1 == best).unwrap_or(&OFFERS[0])
        }
    };
    Ok(found.2)
}
