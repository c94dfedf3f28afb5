//! Opret, Importer, Ret, Passiver and Slet.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, OriginalUri, Path, Request, State};
use axum::http::header::{CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use uuid::Uuid;

use super::Wrong;
use super::error::no_such;
use crate::exchange::oio::Kind;
use crate::exchange::oio::incoming::{Mode, read, read_note};
use crate::http::app::App;
use crate::http::precondition::MadeOf;
use crate::http::problem::Failure;
use crate::http::who::Who;
use crate::model::{Code, Place, Refusal, Result};
use crate::registry::oio::{Order, Written, etag};
use crate::registry::{Actor, not_signed_in};

/// Who asks, as the other doors know them.
type Asking = std::result::Result<Who, Failure>;

/// What the change was made of.
type Made = std::result::Result<MadeOf, Failure>;

/// Opret: `POST /klassifikation/{kind}`
pub async fn create(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    Path(kind): Path<String>,
    who: Asking,
    made_of: Made,
    request: Request,
) -> Response {
    let Some(kind) = Kind::of(&kind) else { return no_such(&uri) };
    let written = async {
        let actor = somebody(who)?;
        no_parameters(&uri)?;
        let order = Order::Opret(read(kind, Mode::Whole, &body(request).await?)?);
        carried_out(&app, &actor, made_of, kind, order).await
    };
    told(written.await, StatusCode::CREATED)
}

/// Importer: `PUT /klassifikation/{kind}/{uuid}`
pub async fn import(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    Path(path): Path<(String, String)>,
    who: Asking,
    made_of: Made,
    request: Request,
) -> Response {
    let Some((kind, uuid)) = named(&path) else { return no_such(&uri) };
    let written = async {
        let actor = somebody(who)?;
        no_parameters(&uri)?;
        let order = Order::Importer(uuid, read(kind, Mode::Whole, &body(request).await?)?);
        carried_out(&app, &actor, made_of, kind, order).await
    };
    told(written.await, StatusCode::OK)
}

/// Ret and Passiver: `PATCH /klassifikation/{kind}/{uuid}`
pub async fn correct(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    Path(path): Path<(String, String)>,
    who: Asking,
    made_of: Made,
    request: Request,
) -> Response {
    let Some((kind, uuid)) = named(&path) else { return no_such(&uri) };
    let written = async {
        let actor = somebody(who)?;
        let order = Order::Ret(uuid, read(kind, Mode::Partial, &body(request).await?)?);
        carried_out(&app, &actor, made_of, kind, order).await
    };
    told(written.await, StatusCode::OK)
}

/// Slet: `DELETE /klassifikation/{kind}/{uuid}`
pub async fn delete(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    Path(path): Path<(String, String)>,
    who: Asking,
    made_of: Made,
    request: Request,
) -> Response {
    let Some((kind, uuid)) = named(&path) else { return no_such(&uri) };
    let written = async {
        let actor = somebody(who)?;
        no_parameters(&uri)?;
        let order = Order::Slet(uuid, read_note(&body(request).await?)?);
        carried_out(&app, &actor, made_of, kind, order).await
    };
    told(written.await, StatusCode::ACCEPTED)
}

/// Who asks, if it is anybody: the body of a stranger is not read. What the actor may do is asked where it is done.
fn somebody(who: Asking) -> Result<Actor> {
    match who.map_err(|Failure(refusal)| refusal)? {
        Who(Actor::Public) => Err(not_signed_in()),
        Who(actor) => Ok(actor),
    }
}

async fn carried_out(app: &App, actor: &Actor, made_of: Made, kind: Kind, order: Order) -> Result<Written> {
    let MadeOf(made_of) = made_of.map_err(|Failure(refusal)| refusal)?;
    app.oio_write(actor, kind, order, &made_of).await
}

fn told(written: Result<Written>, status: StatusCode) -> Response {
    let (mut response, tag) = match written {
        Ok(written) => {
            let tag = written.registered.map(etag);
            ((status, Json(json!({ "uuid": written.uuid }))).into_response(), tag)
        }
        Err(refusal) => {
            // Of what somebody else changed, the present tag.
            let tag = refusal.conflict.as_ref().and_then(|c| c["etag"].as_str()).map(ToOwned::to_owned);
            (Wrong(refusal).into_response(), tag)
        }
    };
    if let Some(tag) = tag.and_then(|tag| HeaderValue::try_from(tag).ok()) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

fn named((kind, uuid): &(String, String)) -> Option<(Kind, Uuid)> {
    Kind::of(kind).zip(Uuid::try_parse(uuid).ok().filter(|_| uuid.len() == 36))
}

/// These operations take none.
fn no_parameters(uri: &Uri) -> Result<()> {
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let mut names: Vec<String> = pairs.take(20).map(|(name, _)| name.chars().take(80).collect()).collect();
    if names.is_empty() {
        return Ok(());
    }
    names.sort();
    names.dedup();
    let names = names.join(", ");
    Err(Refusal::new(
        Code::UnknownParameter,
        format!("adressen tager ikke {names}"),
        format!("Unsupported argument(s): {names}"),
    ))
}

/// The object as it was sent: the body itself, or the field `json` of a form.
async fn body(request: Request) -> Result<Vec<u8>> {
    let media = media_of(request.headers());
    if media == "multipart/form-data" {
        let mut form = Multipart::from_request(request, &()).await.map_err(|e| unreadable(&e))?;
        while let Some(field) = form.next_field().await.map_err(|e| unreadable(&e))? {
            if field.name() == Some("json") {
                return Ok(field.bytes().await.map_err(|e| unreadable(&e))?.to_vec());
            }
        }
        return Ok(Vec::new());
    }
    let bytes = Bytes::from_request(request, &()).await.map_err(|e| unreadable(&e))?;
    if media == "application/x-www-form-urlencoded" {
        let mut fields = form_urlencoded::parse(&bytes);
        return Ok(fields
            .find(|(name, _)| name == "json")
            .map(|(_, json)| json.into_owned().into_bytes())
            .unwrap_or_default());
    }
    let known = media.is_empty() || media == "application/json" || media.ends_with("+json") || bytes.is_empty();
    if known { Ok(bytes.to_vec()) } else { Err(of_other_type(&media)) }
}

fn media_of(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn unreadable(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::new(
        Code::InvalidBody,
        format!("kroppen kan ikke læses: {error}"),
        format!("the body cannot be read: {error}"),
    )
}

fn of_other_type(media: &str) -> Refusal {
    let media: String = media.chars().take(80).collect();
    let (da, en) = (format!("kroppen er {media} og ikke JSON"), format!("the body is {media} and not JSON"));
    Refusal::new(Code::InvalidBody, da, en).at(Place::field("Content-Type")).allowed([
        "application/json",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
    ])
}
