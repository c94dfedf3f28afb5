//! Læs, List and Søg, as JSON or as the XML of KOMBIT's operations.

use axum::Extension;
use axum::extract::{OriginalUri, Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use uuid::Uuid;

use super::error::no_such;
use super::params::{Asked, asked, window_alone};
use super::{Turns, Wrong};
use crate::exchange::oio::{Kind, Objekt, xml};
use crate::http::app::App;
use crate::http::negotiate::{Caller, media, not_acceptable};
use crate::http::reply::{Reply, tag};
use crate::model::{Code, Instant, Refusal, Result};
use crate::registry::oio::{Found, Search, Window};

const JSON: &str = "application/json";
const XML: &str = "application/xml";

/// Læs: `/klassifikation/{kind}/{uuid}`
pub async fn object(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    Path((kind, uuid)): Path<(String, String)>,
    Caller(headers): Caller,
) -> Response {
    let known = Kind::of(&kind).zip(Uuid::try_parse(&uuid).ok().filter(|_| uuid.len() == 36));
    let Some((kind, uuid)) = known else { return no_such(&uri) };
    let read = || {
        let window = window_alone(&uri, app.clock().now())?;
        let found = app.oio_read(kind, uuid, &window)?;
        let mut reply = match wants_xml(&headers)? {
            true => Reply::bytes(bytes_of(|out| xml::read(&found, out))?, XML, false),
            false => Reply::bytes(read_json(&found)?, JSON, false),
        };
        reply.tag = found.registreringer.first().map(|r| strong_tag(r.at(), &reply.bytes));
        Ok::<_, Refusal>(reply.respond(&headers))
    };
    read().unwrap_or_else(|refusal| Wrong(refusal).into_response())
}

/// List and Søg: `/klassifikation/{kind}?…`
pub async fn objects(
    State(app): State<App>,
    Extension(turns): Extension<Turns>,
    OriginalUri(uri): OriginalUri,
    Path(kind): Path<String>,
    Caller(headers): Caller,
) -> Response {
    let Some(kind) = Kind::of(&kind) else { return no_such(&uri) };
    let answer = async {
        let as_xml = wants_xml(&headers)?;
        let reply = match asked(kind, &uri, app.clock().now())? {
            Asked::List(uuids, window) => {
                let work = move || whole(&app, kind, &uuids, &window, None, as_xml);
                in_turn(&turns, work).await?
            }
            Asked::Soeg(search, wants_whole) => {
                in_turn(&turns, move || found(&app, kind, &search, wants_whole, as_xml)).await?
            }
        };
        Ok::<_, Refusal>(reply.respond(&headers))
    };
    answer.await.unwrap_or_else(|refusal| Wrong(refusal).into_response())
}

/// Long work, on a thread for it, when it is its turn.
async fn in_turn<T: Send + 'static>(turns: &Turns, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let failed = |e: &dyn std::fmt::Display| Refusal::new(Code::Internal, e.to_string(), e.to_string());
    let turn = tokio::time::timeout(turns.1, turns.0.clone().acquire_owned()).await.map_err(|_| {
        Refusal::new(Code::Busy, "for mange søgninger på en gang", "too many searches at once; try again")
    })?;
    let turn = turn.map_err(|e| failed(&e))?;
    let work = move || {
        // Given back when the work is done, also when whoever asked is gone.
        let _turn = turn;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(|e| failed(&e))?
}

fn found(app: &App, kind: Kind, search: &Search, wants_whole: bool, as_xml: bool) -> Result<Reply> {
    let Found { total, uuids } = app.oio_search(kind, search);
    if wants_whole {
        return whole(app, kind, &uuids, &search.window, Some(total), as_xml);
    }
    let mut reply = match as_xml {
        true => Reply::bytes(bytes_of(|out| xml::found(kind, &uuids, out))?, XML, false),
        false => Reply::json(&json!({ "results": [uuids] }), false),
    };
    reply.total = Some(total);
    Ok(reply)
}

fn whole(app: &App, kind: Kind, uuids: &[Uuid], window: &Window, total: Option<usize>, as_xml: bool) -> Result<Reply> {
    let objects = app.oio_list(kind, uuids, window)?;
    let mut reply = match as_xml {
        true => Reply::bytes(bytes_of(|out| xml::list(kind, &objects, out))?, XML, false),
        false => {
            Reply::json(&Results { results: Some(&objects).filter(|o| !o.is_empty()).into_iter().collect() }, false)
        }
    };
    reply.total = Some(total.unwrap_or(objects.len()));
    Ok(reply)
}

/// The answer to List: one list of objects, or none.
#[derive(serde::Serialize)]
struct Results<'o> {
    results: Vec<&'o Vec<Objekt>>,
}

fn read_json(object: &Objekt) -> Result<Vec<u8>> {
    let body = std::collections::BTreeMap::from([(object.uuid.to_string(), [object])]);
    serde_json::to_vec(&body).map_err(|e| Refusal::new(Code::Internal, e.to_string(), e.to_string()))
}

fn bytes_of(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write(&mut bytes).map_err(|e| Refusal::new(Code::Internal, e.to_string(), e.to_string()))?;
    Ok(bytes)
}

fn wants_xml(headers: &HeaderMap) -> Result<bool> {
    match media(headers, &[JSON, XML]) {
        Some(media) => Ok(media == XML),
        None => Err(not_acceptable(&[JSON, XML])),
    }
}

/// The entity tag of an object: its current registrering, which a change may name in `If-Match`, and the bytes.
fn strong_tag(registered: Instant, bytes: &[u8]) -> String {
    let bytes = tag(bytes);
    let digest = bytes.trim_start_matches("W/").trim_matches('"');
    format!("\"{:x}-{digest}\"", registered.micros())
}
