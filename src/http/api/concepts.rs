//! Concepts: lists, one, its history and its relatives.

use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::App;
use crate::http::negotiate::{Caller, language, media, not_acceptable};
use crate::http::params::{Params, not_one_of};
use crate::http::problem::{Failure, Refused};
use crate::http::reply::{Reply, next_link};
use crate::model::{Code, Mapping, Refusal, Result};
use crate::registry::{
    At, ConceptAnswer, ConceptDocument, ConceptFilter, FIELDS, HistoryAnswer, Page, Relatives, Status, View,
};

/// The columns of a table of concepts, by their names in `fields`.
const COLUMNS: [&str; 12] = [
    "uuid",
    "iri",
    "notation",
    "label",
    "level",
    "parent",
    "definition",
    "facet",
    "aliases",
    "validFrom",
    "validTo",
    "registeredFrom",
];

/// The columns when none are chosen.
const USUAL_COLUMNS: &str = "uuid,notation,label,level,parent,definition,validFrom,validTo";

/// How a list is paged and written.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// How many concepts on a page: 1 to 10 000. Usually 100 as JSON and 10 000 as CSV.
    limit: Option<i64>,
    /// Where to go on: from the `Link` header of the page before.
    cursor: Option<String>,
    /// `json` or `csv`; else by `Accept`.
    format: Option<String>,
    /// The members (JSON) or columns (CSV), separated by commas.
    #[param(example = "uuid,notation,terms")]
    fields: Option<String>,
    /// What stands between the columns of CSV: `,` `;` or a tab.
    separator: Option<String>,
}

/// A page of concepts.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: the bytes are written by write_list")]
pub struct ConceptList {
    /// How many there are on all pages.
    total: usize,
    /// The cursor of the next page.
    next: Option<String>,
    /// The concepts, parents before children.
    concepts: Vec<ConceptDocument>,
}

/// Concepts of a vocabulary at a point of the two times, as JSON or CSV.
#[utoipa::path(get, path = "/vocabularies/{vocabulary}/concepts", operation_id = "concepts", tag = "concepts",
    params(("vocabulary" = String, Path, description = "The slug"), At, ConceptFilter, Paging),
    responses(
        (status = 200, headers(("x-total-count" = u64), ("link" = String)), content(
            (ConceptList = "application/json"), (String = "text/csv"))), Refused<400>, Refused<404>))]
pub async fn list(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    Path(vocabulary): Path<String>,
    Params(at, filter, paging): Params<At, ConceptFilter, Paging>,
    Caller(headers): Caller,
) -> Result<Response, Failure> {
    let view = app.view(&vocabulary, &at)?;
    let table = as_table(&headers, paging.format.as_deref())?;
    let (limit, language) = (limit(&paging, table)?, language(&headers));
    let page = app.concepts(&view, &filter, limit, paging.cursor.as_deref(), &language)?;
    Ok(send(page, &view, table, &paging, &language, &uri)?.respond(&headers))
}

/// One concept, by notation, uuid or alias. A concept that is not in force answers too, with its `status` and
/// what replaces it, unless a version is named.
#[utoipa::path(get, path = "/vocabularies/{vocabulary}/concepts/{key}", operation_id = "concept", tag = "concepts",
    params(("vocabulary" = String, Path, description = "The slug"),
        ("key" = String, Path, description = "Notation, uuid or alias", example = "J1.4"), At),
    responses((status = 200, body = ConceptDocument), Refused<404>))]
pub async fn one(
    State(app): State<App>,
    Path((vocabulary, key)): Path<(String, String)>,
    Params(at, ..): Params<At>,
    Caller(headers): Caller,
) -> Result<Response, Failure> {
    let view = app.view(&vocabulary, &at)?;
    let language = language(&headers);
    let concept = app.concept(&view, &key, &language)?;
    let mut reply = Reply::bytes(concept.to_json(), "application/json", view.pinned);
    if concept.status == Status::InForce {
        // The reading, the content and the language decide every byte.
        let (point, digest) = (view.edition.point(), &concept.said.digest.bytes()[..8]);
        let (valid, registered) = (point.valid.micros(), point.registered.micros());
        let digest = digest.iter().fold(0u64, |all, byte| all << 8 | u64::from(*byte));
        reply.tag = Some(format!("W/\"{valid:x}-{registered:x}-{digest:x}-{}-{language}\"", concept.uuid.simple()));
    }
    Ok(reply.respond(&headers))
}

/// How much of a history.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HistoryParams {
    /// `now` (usual): what is known now of all times. `all`: also what was said before and is no longer.
    registrations: Option<String>,
}

/// The history of a concept: what is known now of all times; read at a point, what was known then of the time
/// until then.
#[utoipa::path(get, path = "/vocabularies/{vocabulary}/concepts/{key}/history", operation_id = "history",
    tag = "concepts",
    params(("vocabulary" = String, Path), ("key" = String, Path, description = "Notation, uuid or alias, of any time"),
        At, HistoryParams),
    responses((status = 200, body = HistoryAnswer), Refused<404>))]
pub async fn history(
    State(app): State<App>,
    Path((vocabulary, key)): Path<(String, String)>,
    Params(at, params, _): Params<At, HistoryParams>,
    Caller(headers): Caller,
) -> Result<Response, Failure> {
    let ever = match params.registrations.as_deref() {
        None | Some("now") => false,
        Some("all") => true,
        Some(other) => return Err(not_one_of("registrations", other, &["now", "all"]).into()),
    };
    Ok(Reply::json(&app.history(&vocabulary, &key, &at, ever)?, false).respond(&headers))
}

/// Everything above a concept, nearest first.
#[utoipa::path(get, path = "/vocabularies/{vocabulary}/concepts/{key}/ancestors", operation_id = "ancestors",
    tag = "concepts", params(("vocabulary" = String, Path), ("key" = String, Path), At, Paging),
    responses((status = 200, body = ConceptList), Refused<404>))]
pub async fn ancestors(
    app: State<App>,
    uri: OriginalUri,
    path: Path<(String, String)>,
    params: Params<At, Paging>,
    caller: Caller,
) -> Result<Response, Failure> {
    relatives(app, uri, path, params, caller, Relatives::Ancestors)
}

/// Everything below a concept, parents before children.
#[utoipa::path(get, path = "/vocabularies/{vocabulary}/concepts/{key}/descendants", operation_id = "descendants",
    tag = "concepts", params(("vocabulary" = String, Path), ("key" = String, Path), At, Paging),
    responses((status = 200, body = ConceptList), Refused<404>))]
pub async fn descendants(
    app: State<App>,
    uri: OriginalUri,
    path: Path<(String, String)>,
    params: Params<At, Paging>,
    caller: Caller,
) -> Result<Response, Failure> {
    relatives(app, uri, path, params, caller, Relatives::Descendants)
}

/// The concepts directly below a concept, in order.
#[utoipa::path(get, path = "/vocabularies/{vocabulary}/concepts/{key}/children", operation_id = "children",
    tag = "concepts", params(("vocabulary" = String, Path), ("key" = String, Path), At, Paging),
    responses((status = 200, body = ConceptList), Refused<404>))]
pub async fn children(
    app: State<App>,
    uri: OriginalUri,
    path: Path<(String, String)>,
    params: Params<At, Paging>,
    caller: Caller,
) -> Result<Response, Failure> {
    relatives(app, uri, path, params, caller, Relatives::Children)
}

fn relatives(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    Path((vocabulary, key)): Path<(String, String)>,
    Params(at, paging, _): Params<At, Paging>,
    Caller(headers): Caller,
    which: Relatives,
) -> Result<Response, Failure> {
    let view = app.view(&vocabulary, &at)?;
    let table = as_table(&headers, paging.format.as_deref())?;
    let (limit, language) = (limit(&paging, table)?, language(&headers));
    let page = app.relatives(&view, &key, which, limit, paging.cursor.as_deref(), &language)?;
    Ok(send(page, &view, table, &paging, &language, &uri)?.respond(&headers))
}

/// The mappings of a concept to other vocabularies.
#[utoipa::path(get, path = "/vocabularies/{vocabulary}/concepts/{key}/mappings", operation_id = "mappings",
    tag = "concepts", params(("vocabulary" = String, Path), ("key" = String, Path), At),
    responses((status = 200, body = [Mapping]), Refused<404>))]
pub async fn mappings(
    State(app): State<App>,
    Path((vocabulary, key)): Path<(String, String)>,
    Params(at, ..): Params<At>,
    Caller(headers): Caller,
) -> Result<Response, Failure> {
    let view = app.view(&vocabulary, &at)?;
    let content = app.concept(&view, &key, &language(&headers))?.said.content();
    Ok(Reply::json(&content.fields().mappings, view.pinned).respond(&headers))
}

/// Whether the caller wants a table.
fn as_table(headers: &HeaderMap, format: Option<&str>) -> Result<bool> {
    match format {
        Some("json") => Ok(false),
        Some("csv") => Ok(true),
        Some(other) => Err(not_one_of("format", other, &["json", "csv"])),
        None => match media(headers, &["application/json", "text/csv"]) {
            Some(media) => Ok(media == "text/csv"),
            None => Err(not_acceptable(&["application/json", "text/csv"])),
        },
    }
}

fn limit(paging: &Paging, table: bool) -> Result<usize> {
    let usual = if table { 10_000 } else { 100 };
    let wanted = paging.limit.unwrap_or(usual);
    usize::try_from(wanted).map_err(|_| not_one_of("limit", &wanted.to_string(), &["1..10000"]))
}

/// A page as JSON or CSV, with the address of the next one.
fn send(page: Page, view: &View, table: bool, paging: &Paging, language: &str, uri: &Uri) -> Result<Reply> {
    let next = page.next.map(|c| c.encode());
    let (bytes, media) = if table {
        (write_table(&page.concepts, paging, language)?, "text/csv; charset=utf-8")
    } else {
        (write_list(&page, next.as_deref(), paging)?, "application/json")
    };
    let mut reply = Reply::bytes(bytes, media, view.pinned);
    reply.total = Some(page.total);
    reply.link = next.map(|next| next_link(uri, &next));
    Ok(reply)
}

fn chosen<'f>(fields: Option<&'f str>, usual: &'f str, known: &[&str]) -> Result<Vec<&'f str>> {
    let chosen: Vec<&str> = fields.unwrap_or(usual).split(',').map(str::trim).filter(|f| !f.is_empty()).collect();
    match chosen.iter().find(|f| !known.contains(f)) {
        Some(wrong) => Err(not_one_of("fields", wrong, known)),
        None => Ok(chosen),
    }
}

fn write_list(page: &Page, next: Option<&str>, paging: &Paging) -> Result<Vec<u8>> {
    let fields = chosen(paging.fields.as_deref(), "", &FIELDS)?;
    let mut out = format!("{{\"total\":{},", page.total).into_bytes();
    if let Some(next) = next {
        out.extend_from_slice(format!("\"next\":\"{next}\",").as_bytes());
    }
    out.extend_from_slice(b"\"concepts\":[");
    for (i, concept) in page.concepts.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        let json = concept.to_json();
        if fields.is_empty() {
            out.extend_from_slice(&json);
            continue;
        }
        // Members in the order chosen; what the concept does not have is left out.
        let all: std::collections::HashMap<&str, &serde_json::value::RawValue> =
            serde_json::from_slice(&json).unwrap_or_default();
        out.push(b'{');
        let mut first = true;
        for (field, value) in fields.iter().filter_map(|f| all.get(f).map(|v| (f, v))) {
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            out.extend_from_slice(format!("\"{field}\":{value}").as_bytes());
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    Ok(out)
}

fn write_table(concepts: &[ConceptAnswer], paging: &Paging, language: &str) -> Result<Vec<u8>> {
    let fields = chosen(paging.fields.as_deref(), USUAL_COLUMNS, &COLUMNS)?;
    let separator = match paging.separator.as_deref() {
        None | Some(",") => b',',
        Some(";") => b';',
        Some("\t") => b'\t',
        Some(other) => return Err(not_one_of("separator", other, &[",", ";", "%09"])),
    };
    let mut writer = csv::WriterBuilder::new().delimiter(separator).from_writer(Vec::new());
    let failed = |e: csv::Error| Refusal::new(Code::Internal, e.to_string(), e.to_string());
    writer.write_record(&fields).map_err(failed)?;
    for concept in concepts {
        let row: Vec<String> = fields.iter().map(|f| cell(concept, f, language)).collect();
        writer.write_record(&row).map_err(failed)?;
    }
    writer.into_inner().map_err(|e| Refusal::new(Code::Internal, e.to_string(), e.to_string()))
}

fn cell(concept: &ConceptAnswer, field: &str, language: &str) -> String {
    let said = &concept.said;
    // Days are written as days: a spreadsheet knows them.
    let day = |t: crate::model::Instant| t.to_string().trim_end_matches("T00:00:00Z").to_owned();
    match field {
        "uuid" => concept.uuid.to_string(),
        "iri" => concept.iri.clone(),
        "notation" => said.notation.as_deref().unwrap_or_default().to_owned(),
        "label" => said.label(language).to_owned(),
        "level" => concept.level.map(|l| l.to_string()).unwrap_or_default(),
        "parent" => {
            let name = |r: &crate::registry::Reference| r.notation.clone().unwrap_or_else(|| r.uuid.to_string());
            concept.broader.iter().map(name).collect::<Vec<_>>().join("|")
        }
        "definition" => {
            let definitions = said.content().into_fields().definitions;
            let of = |wanted: &str| definitions.iter().find(|d| d.language.primary() == wanted);
            of(language)
                .or_else(|| of("da"))
                .or_else(|| definitions.first())
                .map(|d| d.text.clone())
                .unwrap_or_default()
        }
        "facet" => said.facet.as_deref().unwrap_or_default().to_owned(),
        "aliases" => said.aliases.iter().map(|a| a.value.as_str()).collect::<Vec<_>>().join("|"),
        "validFrom" => day(concept.valid_from),
        "validTo" => concept.valid_to.map(day).unwrap_or_default(),
        "registeredFrom" => concept.registered_from.to_string(),
        _ => String::new(),
    }
}
