//! The SPARQL endpoint: SPARQL 1.1 Protocol, queries only. A query page for people, a description for programs.

mod examples;
mod form;
mod page;

use std::net::IpAddr;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};

use self::form::Form;
use super::negotiate::media;
use super::params::{Nothing, Params};
use super::peer::{TrustForwarded, client};
use super::problem::{Failure, Refused};
use super::reply::Reply;
use crate::exchange::Format;
use crate::http::app::App;
use crate::http::negotiate::{Caller, not_acceptable};
use crate::http::params::not_one_of;
use crate::model::{Code, Refusal, Result};
use crate::registry::{Answer, Question, SolutionFormat, Wanted};

/// How a query ended, for those who count.
#[derive(Clone, Debug)]
pub struct Queried {
    /// `ok`, or the code of the refusal.
    pub outcome: &'static str,
    /// How long it took, the wait for its turn included.
    pub took: std::time::Duration,
}

/// The header that says at which position of the change log the graphs were read.
const POSITION: &str = "begreb-log-position";
/// The rows that a page shows.
const ROWS: usize = 500;

const SOLUTIONS: [(&str, &str, SolutionFormat); 6] = [
    ("json", "application/sparql-results+json", SolutionFormat::Json),
    ("xml", "application/sparql-results+xml", SolutionFormat::Xml),
    ("csv", "text/csv", SolutionFormat::Csv),
    ("tsv", "text/tab-separated-values", SolutionFormat::Tsv),
    ("json", "application/json", SolutionFormat::Json),
    ("xml", "application/xml", SolutionFormat::Xml),
];
const GRAPHS: [(&str, &str, Format); 4] = [
    ("ttl", "text/turtle", Format::Ttl),
    ("nt", "application/n-triples", Format::Nt),
    ("rdf", "application/rdf+xml", Format::Rdf),
    ("jsonld", "application/ld+json", Format::Jsonld),
];
const PAGE: &str = "text/html";
/// The values of `format`.
const FORMATS: [&str; 9] = ["json", "xml", "csv", "tsv", "ttl", "nt", "rdf", "jsonld", "html"];

/// How the caller takes the answer to a query.
fn wanted(headers: &HeaderMap, format: Option<&str>) -> Result<Wanted> {
    if let Some(name) = format {
        if name == "html" {
            return Ok(Wanted::Table(ROWS));
        }
        // One name does for every form of query: the nearest of the other kind stands in.
        let (solutions, graph) = match name {
            "ttl" | "nt" | "rdf" | "jsonld" => (None, Some(name)),
            "json" => (Some(name), Some("jsonld")),
            "xml" => (Some(name), Some("rdf")),
            "csv" | "tsv" => (Some(name), None),
            _ => return Err(not_one_of("format", name, &FORMATS)),
        };
        let solutions = solutions.and_then(|name| SOLUTIONS.iter().find(|s| s.0 == name)).map(|s| s.2);
        let graph = graph.and_then(|name| GRAPHS.iter().find(|g| g.0 == name)).map(|g| g.2);
        return Ok(Wanted::File(solutions, graph));
    }
    let of_solutions = SOLUTIONS.map(|s| s.1);
    let of_graphs = GRAPHS.map(|g| g.1);
    let all: Vec<&str> = of_solutions.iter().chain(&of_graphs).copied().chain([PAGE]).collect();
    let best = media(headers, &all).ok_or_else(|| not_acceptable(&all))?;
    if best == PAGE {
        return Ok(Wanted::Table(ROWS));
    }
    let solutions = media(headers, &of_solutions).and_then(|m| SOLUTIONS.iter().find(|s| s.1 == m)).map(|s| s.2);
    let graph = media(headers, &of_graphs).and_then(|m| GRAPHS.iter().find(|g| g.1 == m)).map(|g| g.2);
    Ok(Wanted::File(solutions, graph))
}

/// A query over the graphs. Without `query`: the description of the service in RDF, or the query page by
/// `Accept: text/html`. The default graph is what is in force now; graphs are named by the IRI of a vocabulary or of
/// a version.
#[utoipa::path(get, path = "/sparql", operation_id = "sparql", tag = "rdf",
    params(
        ("query" = Option<String>, Query, description = "SPARQL 1.1: SELECT, ASK, CONSTRUCT or DESCRIBE", example = "SELECT * { ?s ?p ?o } LIMIT 10"),
        ("default-graph-uri" = Option<Vec<String>>, Query, description = "The graphs that the default graph is merged of"),
        ("named-graph-uri" = Option<Vec<String>>, Query, description = "The named graphs"),
        ("format" = Option<String>, Query, description = "`json`, `xml`, `csv`, `tsv`, `ttl`, `nt`, `rdf`, `jsonld` or `html`; else by `Accept`")),
    responses(
        (status = 200, content(
            (String = "application/sparql-results+json"), (String = "application/sparql-results+xml"),
            (String = "text/csv"), (String = "text/tab-separated-values"), (String = "text/turtle"),
            (String = "application/n-triples"), (String = "application/rdf+xml"), (String = "application/ld+json"),
            (String = "text/html"))), Refused<400>, Refused<404>, Refused<413>, Refused<429>, Refused<503>,
        Refused<504>))]
pub async fn get(
    State(app): State<App>,
    Extension(trust): Extension<TrustForwarded>,
    request: Request,
) -> Result<Response, Failure> {
    let (head, _) = request.into_parts();
    let form = Form::of_address(head.uri.query().unwrap_or_default())?;
    let client = client(&head.extensions, &head.headers, trust);
    if form.query.is_none() {
        return described(&app, &head.headers, &form).await;
    }
    answered(&app, &head.headers, form, client).await
}

/// A query over the graphs: as a form with the parameters of GET, or as `application/sparql-query`.
#[utoipa::path(post, path = "/sparql", operation_id = "sparqlPost", tag = "rdf",
    request_body(content((String = "application/sparql-query"), (String = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, content(
            (String = "application/sparql-results+json"), (String = "application/sparql-results+xml"),
            (String = "text/csv"), (String = "text/tab-separated-values"), (String = "text/turtle"),
            (String = "application/n-triples"), (String = "application/rdf+xml"), (String = "application/ld+json"),
            (String = "text/html"))), Refused<400>, Refused<404>, Refused<413>, Refused<415>, Refused<429>,
        Refused<503>, Refused<504>))]
pub async fn post(
    State(app): State<App>,
    Extension(trust): Extension<TrustForwarded>,
    request: Request,
) -> Result<Response, Failure> {
    let (head, body) = request.into_parts();
    let address = head.uri.query().unwrap_or_default();
    // The edge has taken in the whole body, within its limit.
    let body: Bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let media = head.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let form = Form::of_body(address, media, &body)?;
    let client = client(&head.extensions, &head.headers, trust);
    answered(&app, &head.headers, form, client).await
}

/// The answer to no query: the page, or the description of the service.
async fn described(app: &App, headers: &HeaderMap, form: &Form) -> Result<Response, Failure> {
    let offers: Vec<&str> = GRAPHS.iter().map(|g| g.1).chain([PAGE]).collect();
    let best = match form.format.as_deref() {
        Some("html") => PAGE,
        Some(name) => {
            let known = GRAPHS.iter().find(|g| g.0 == name);
            known.ok_or_else(|| not_one_of("format", name, &["ttl", "nt", "rdf", "jsonld", "html"]))?.1
        }
        None => media(headers, &offers).ok_or_else(|| not_acceptable(&offers))?,
    };
    if !form.default_graphs.is_empty() || !form.named_graphs.is_empty() {
        let (da, en) = ("der mangler en forespørgsel", "there is no query");
        return Err(Refusal::new(Code::InvalidParameter, da, en).at(crate::model::Place::field("query")).into());
    }
    if best == PAGE {
        return Ok(page::empty(app, headers)?);
    }
    let format = GRAPHS.iter().find(|g| g.1 == best).map_or(Format::Ttl, |g| g.2);
    let bytes = app.service_description(format).await?;
    Ok(Reply::bytes(bytes, format.media_type(), false).respond(headers))
}

async fn answered(app: &App, headers: &HeaderMap, form: Form, client: Option<IpAddr>) -> Result<Response, Failure> {
    let began = std::time::Instant::now();
    let wanted = wanted(headers, form.format.as_deref())?;
    let text = form.query.unwrap_or_default();
    let question = Question {
        text: text.clone(),
        default_graphs: form.default_graphs,
        named_graphs: form.named_graphs,
        wanted,
        client,
    };
    let solved = app.sparql(question).await;
    let took = began.elapsed();
    let outcome = solved.as_ref().map_or_else(|refusal| refusal.code.as_str(), |_| "ok");
    let counted = Queried { outcome, took };
    let mut response = match (solved, wanted) {
        (Ok(solved), _) => {
            let position = solved.position;
            let mut response = match solved.answer {
                Answer::File(bytes, media) => {
                    // What is sent as plain JSON or XML is what was asked for, under the name it was asked by.
                    Reply::bytes(bytes, as_asked(headers, media), false).respond(headers)
                }
                answer => page::answered(app, headers, &text, answer, solved.rows, took)?,
            };
            response.headers_mut().insert(POSITION, HeaderValue::from(position));
            response
        }
        (Err(refusal), Wanted::Table(_)) => page::refused(app, headers, &text, &refusal)?,
        (Err(refusal), Wanted::File(..)) => Failure(refusal).into_response(),
    };
    if response.status().is_success() {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
    response.extensions_mut().insert(counted);
    Ok(response)
}

/// The media type of an answer: the general name, when the caller asked for JSON or XML and not for results.
fn as_asked(headers: &HeaderMap, media_type: &'static str) -> &'static str {
    let general = match media_type {
        "application/sparql-results+json" => "application/json",
        "application/sparql-results+xml" => "application/xml",
        _ => return media_type,
    };
    let named = headers.contains_key(ACCEPT) && media(headers, &[media_type]).is_none();
    if named && media(headers, &[general]).is_some() { general } else { media_type }
}

/// How a description is written.
#[derive(Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DescriptionParams {
    /// `jsonld`, `ttl`, `nt` or `rdf`; else by `Accept`.
    format: Option<String>,
}

fn description(headers: &HeaderMap, wanted: &DescriptionParams, first: Format) -> Result<Format> {
    if let Some(name) = wanted.format.as_deref() {
        let known = GRAPHS.iter().find(|g| g.0 == name);
        return known.map(|g| g.2).ok_or_else(|| not_one_of("format", name, &GRAPHS.map(|g| g.0)));
    }
    let mut offers = GRAPHS;
    offers.sort_by_key(|g| g.2 != first);
    let names = offers.map(|g| g.1);
    // A program that takes JSON takes JSON-LD.
    let best = media(headers, &names).or_else(|| media(headers, &["application/json"]).map(|_| "application/ld+json"));
    let best = best.ok_or_else(|| not_acceptable(&names))?;
    Ok(offers.iter().find(|g| g.1 == best).map_or(first, |g| g.2))
}

/// The graphs, described with VoID: how many triples, which classes and properties.
#[utoipa::path(get, path = "/.well-known/void", operation_id = "void", tag = "rdf", params(DescriptionParams),
    responses((status = 200, content(
        (String = "text/turtle"), (String = "application/n-triples"), (String = "application/rdf+xml"),
        (String = "application/ld+json")))))]
pub async fn void(
    State(app): State<App>,
    Params(wanted, ..): Params<DescriptionParams>,
    Caller(headers): Caller,
) -> Result<Response, Failure> {
    let format = description(&headers, &wanted, Format::Ttl)?;
    Ok(Reply::bytes(app.void(format).await?, format.media_type(), false).respond(&headers))
}

/// The vocabularies with their versions and files, as a DCAT catalog.
#[utoipa::path(get, path = "/catalog", operation_id = "catalog", tag = "rdf", params(DescriptionParams),
    responses((status = 200, content(
        (String = "application/ld+json"), (String = "text/turtle"), (String = "application/n-triples"),
        (String = "application/rdf+xml")))))]
pub async fn catalog(
    State(app): State<App>,
    Params(wanted, _, _): Params<DescriptionParams, Nothing>,
    Caller(headers): Caller,
) -> Result<Response, Failure> {
    let format = description(&headers, &wanted, Format::Jsonld)?;
    Ok(Reply::bytes(app.catalog(format)?, format.media_type(), false).respond(&headers))
}
