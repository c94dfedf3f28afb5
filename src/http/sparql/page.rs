//! The query page. It runs nothing in the browser: a form, and a table.

use std::time::Duration;

use askama::Template;
use axum::http::header::{CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use oxrdf::Term;

use super::examples::{Example, examples};
use crate::exchange::PREFIXES;
use crate::http::negotiate::reads_danish;
use crate::http::problem;
use crate::http::reply::Reply;
use crate::model::{Code, Refusal, Result};
use crate::registry::{Answer, At, Registry};

/// As for every page, but this one may send its form to us.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'",
);

#[derive(Template)]
#[template(path = "sparql.html")]
struct Page {
    da: bool,
    query: String,
    examples: Vec<Example>,
    limits: String,
    refusal: Option<Told>,
    result: Option<Shown>,
}

/// A refusal as it is shown.
struct Told {
    text: String,
    place: String,
    allowed: String,
    items: Vec<String>,
    code: &'static str,
}

/// An answer as it is shown.
struct Shown {
    truth: Option<bool>,
    heads: Vec<String>,
    rows: Vec<Vec<Cell>>,
    count: usize,
    milliseconds: u128,
}

/// A term as it is shown: a link for an IRI, a text with its language or datatype beside it for a literal.
struct Cell {
    text: String,
    link: Option<String>,
    note: String,
}

impl Page {
    fn href(&self, example: &Example) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("query", &example.query).finish();
        format!("/sparql?{query}&format=html")
    }

    fn as_format(&self, format: &str) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("query", &self.query).finish();
        format!("/sparql?{query}&format={format}")
    }

    fn is_graph(&self) -> bool {
        self.result.as_ref().is_some_and(|r| r.heads == ["subject", "predicate", "object"])
    }
}

fn cell(app: &Registry, term: Option<&Term>) -> Cell {
    match term {
        None => Cell { text: String::new(), link: None, note: String::new() },
        Some(Term::NamedNode(iri)) => {
            let iri = iri.as_str();
            let own = app.settings().public_url.as_str();
            // What is ours is followed here, whatever name the page was reached by.
            let (link, text) = match iri.strip_prefix(own).filter(|rest| rest.starts_with("/id/")) {
                Some(rest) => (Some(rest.to_owned()), called(app, rest.trim_start_matches("/id/"))),
                None => {
                    let web = iri.starts_with("https://") || iri.starts_with("http://");
                    let short =
                        PREFIXES.iter().find_map(|(name, ns)| Some(format!("{name}:{}", iri.strip_prefix(ns)?)));
                    (web.then(|| iri.to_owned()), short.unwrap_or_else(|| iri.to_owned()))
                }
            };
            Cell { text, link, note: String::new() }
        }
        Some(Term::BlankNode(blank)) => Cell { text: format!("_:{}", blank.as_str()), link: None, note: String::new() },
        Some(Term::Literal(literal)) => {
            let datatype = literal.datatype().as_str();
            let note = match (literal.language(), datatype.rsplit(['#', '/']).next()) {
                (Some(language), _) => language.to_owned(),
                (None, Some("string" | "integer" | "decimal" | "boolean")) => String::new(),
                (None, local) => local.unwrap_or_default().to_owned(),
            };
            Cell { text: literal.value().to_owned(), link: None, note }
        }
    }
}

/// What people call a concept that an address of ours names: vocabulary and code, where it has one.
fn called(app: &Registry, path: &str) -> String {
    let code = path.split_once('/').and_then(|(slug, key)| {
        let view = app.view(slug, &At::default()).ok()?;
        let concept = app.concept(&view, key, "da").ok()?;
        Some(format!("{slug} {}", concept.said.notation.as_deref()?))
    });
    code.unwrap_or_else(|| path.to_owned())
}

fn page(app: &Registry, headers: &HeaderMap, query: &str) -> Page {
    let da = reads_danish(headers);
    let limits = &app.settings().sparql;
    let (seconds, rows, memory) = (limits.time.as_secs_f64(), limits.rows, limits.memory >> 20);
    let limits = if da {
        format!("Hver forespørgsel må tage {seconds} sekunder, bruge {memory} MiB og svare med {rows} rækker.")
    } else {
        format!("Each query may take {seconds} seconds, use {memory} MiB and answer with {rows} rows.")
    };
    Page { da, query: query.to_owned(), examples: examples(app), limits, refusal: None, result: None }
}

fn respond(page: &Page, headers: &HeaderMap, status: StatusCode) -> Result<Response> {
    let failed = |e: askama::Error| Refusal::new(Code::Internal, e.to_string(), e.to_string());
    let html = page.render().map_err(failed)?;
    let mut response = Reply::bytes(html, "text/html; charset=utf-8", false).respond(headers);
    if response.status().is_success() {
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
        let language = HeaderValue::from_static(if page.da { "da" } else { "en" });
        response.headers_mut().insert(CONTENT_LANGUAGE, language);
    }
    Ok(response)
}

/// The page before a query: with the first example in its field.
pub fn empty(app: &Registry, headers: &HeaderMap) -> Result<Response> {
    let mut page = page(app, headers, "");
    page.query = page.examples.first().map(|e| e.query.clone()).unwrap_or_default();
    respond(&page, headers, StatusCode::OK)
}

/// The page with an answer.
pub fn answered(
    app: &Registry,
    headers: &HeaderMap,
    query: &str,
    answer: Answer,
    count: usize,
    took: Duration,
) -> Result<Response> {
    let (truth, heads, rows) = match answer {
        Answer::Truth(truth) => (Some(truth), Vec::new(), Vec::new()),
        Answer::Table(heads, rows) => (None, heads, rows),
        Answer::File(..) => (None, Vec::new(), Vec::new()),
    };
    let rows = rows.iter().map(|row| row.iter().map(|term| cell(app, term.as_ref())).collect()).collect();
    let mut page = page(app, headers, query);
    page.result = Some(Shown { truth, heads, rows, count, milliseconds: took.as_millis() });
    respond(&page, headers, StatusCode::OK)
}

/// The page with a refusal, under the status that a program would get.
pub fn refused(app: &Registry, headers: &HeaderMap, query: &str, refusal: &Refusal) -> Result<Response> {
    let mut page = page(app, headers, query);
    page.refusal = Some(Told {
        text: if page.da { refusal.da.clone() } else { refusal.en.clone() },
        place: refusal.place.to_string(),
        allowed: refusal.allowed.join(", "),
        items: refusal.items.clone(),
        code: refusal.code.as_str(),
    });
    respond(&page, headers, problem::status(refusal))
}
