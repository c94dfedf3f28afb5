//! The identifiers themselves: the IRI of a vocabulary, a version or a concept answers with a page or data,
//! by `Accept` or `?format=`.

use axum::extract::{Path, State};
use axum::http::header::LINK;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::app::App;
use super::negotiate::{Caller, language, media, not_acceptable, reads_danish};
use super::params::{Params, not_one_of};
use super::problem::Failure;
use super::reply::Reply;
use super::web;
use crate::exchange::Format;
use crate::model::Result;
use crate::registry::{At, View};

/// How an identifier is represented.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Representation {
    /// `html`, `json`, `jsonld`, `ttl`, `nt`, `rdf` or `oioxml`; else by `Accept`.
    format: Option<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum As {
    Page,
    Json,
    File(Format),
}

/// What is offered, in the server's order: name, media type, representation.
const OFFERS: [(&str, &str, As); 7] = [
    ("html", "text/html", As::Page),
    ("json", "application/json", As::Json),
    ("jsonld", "application/ld+json", As::File(Format::Jsonld)),
    ("ttl", "text/turtle", As::File(Format::Ttl)),
    ("nt", "application/n-triples", As::File(Format::Nt)),
    ("rdf", "application/rdf+xml", As::File(Format::Rdf)),
    ("oioxml", "application/xml", As::File(Format::Oioxml)),
];

fn representation(headers: &HeaderMap, wanted: Option<&str>) -> Result<As> {
    let names = OFFERS.map(|(name, ..)| name);
    let media_types = OFFERS.map(|(_, media, _)| media);
    match wanted {
        Some(name) => {
            OFFERS.iter().find(|o| o.0 == name).map(|o| o.2).ok_or_else(|| not_one_of("format", name, &names))
        }
        None => {
            let best = media(headers, &media_types).ok_or_else(|| not_acceptable(&media_types))?;
            Ok(OFFERS.iter().find(|o| o.1 == best).map_or(As::Page, |o| o.2))
        }
    }
}

/// `/id/{vocabulary}`
pub async fn vocabulary(
    State(app): State<App>,
    Path(vocabulary): Path<String>,
    Params(at, wanted, _): Params<At, Representation>,
    Caller(headers): Caller,
) -> Result<Response, Failure> {
    let view = app.view(&vocabulary, &at)?;
    Ok(frame(&app, &view, &wanted, &headers)?)
}

/// `/id/{vocabulary}/versions/{version}`
pub async fn version(
    State(app): State<App>,
    Path((vocabulary, version)): Path<(String, String)>,
    Params(wanted, ..): Params<Representation>,
    Caller(headers): Caller,
) -> Result<Response, Failure> {
    let view = app.view(&vocabulary, &At { version: Some(version), ..At::default() })?;
    Ok(frame(&app, &view, &wanted, &headers)?)
}

/// `/id/{vocabulary}/{key}`
pub async fn concept(
    State(app): State<App>,
    Path((vocabulary, key)): Path<(String, String)>,
    Params(at, wanted, _): Params<At, Representation>,
    Caller(headers): Caller,
) -> Result<Response, Failure> {
    let view = app.view(&vocabulary, &at)?;
    Ok(one(&app, &view, &key, &wanted, &headers)?)
}

/// `/id/{vocabulary}/versions/{version}/{key}`
pub async fn versioned_concept(
    State(app): State<App>,
    Path((vocabulary, version, key)): Path<(String, String, String)>,
    Params(wanted, ..): Params<Representation>,
    Caller(headers): Caller,
) -> Result<Response, Failure> {
    let view = app.view(&vocabulary, &At { version: Some(version), ..At::default() })?;
    Ok(one(&app, &view, &key, &wanted, &headers)?)
}

fn frame(app: &App, view: &View, wanted: &Representation, headers: &HeaderMap) -> Result<Response> {
    let slug = view.vocabulary().slug().as_str();
    let reply = match representation(headers, wanted.format.as_deref())? {
        As::Page => web::vocabulary(app, view, reads_danish(headers))?,
        As::Json => match view.version.as_ref().filter(|_| view.pinned) {
            Some(version) => Reply::json(&app.version(slug, version.label.as_str())?, false),
            None => Reply::json(&app.vocabulary(slug)?, false),
        },
        As::File(format) => {
            let mut bytes = Vec::new();
            app.export_frame(view, format, &mut bytes)?;
            Reply::bytes(bytes, format.media_type(), view.pinned)
        }
    };
    Ok(with_alternates(reply.respond(headers)))
}

fn one(app: &App, view: &View, key: &str, wanted: &Representation, headers: &HeaderMap) -> Result<Response> {
    let reply = match representation(headers, wanted.format.as_deref())? {
        As::Page => web::concept(app, view, key, reads_danish(headers))?,
        As::Json => {
            Reply::bytes(app.concept(view, key, &language(headers))?.to_json(), "application/json", view.pinned)
        }
        As::File(format) => {
            let mut bytes = Vec::new();
            app.export_concept(view, key, format, &mut bytes)?;
            Reply::bytes(bytes, format.media_type(), view.pinned)
        }
    };
    Ok(with_alternates(reply.respond(headers)))
}

/// Says which other representations the same address has.
fn with_alternates(mut response: Response) -> Response {
    let links = OFFERS.map(|(name, media, _)| format!("<?format={name}>; rel=\"alternate\"; type=\"{media}\""));
    if let Ok(value) = HeaderValue::try_from(links.join(", ")) {
        response.headers_mut().insert(LINK, value);
    }
    response
}
