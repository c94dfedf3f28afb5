//! What there is: the fields and the schema of each kind of object, and the addresses.

use axum::extract::{OriginalUri, Path};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::error::no_such;
use crate::exchange::oio::Kind;
use crate::exchange::oio::schema;
use crate::http::negotiate::Caller;
use crate::http::reply::Reply;

/// `/klassifikation/{kind}/fields`
pub async fn fields(uri: OriginalUri, Path(kind): Path<String>, Caller(headers): Caller) -> Response {
    match Kind::of(&kind) {
        Some(kind) => Reply::json(&schema::fields(kind), false).respond(&headers),
        None => no_such(&uri.0),
    }
}

/// `/klassifikation/{kind}/schema`
pub async fn schema(uri: OriginalUri, Path(kind): Path<String>, Caller(headers): Caller) -> Response {
    match Kind::of(&kind) {
        Some(kind) => Reply::json(&schema::schema(kind), false).respond(&headers),
        None => no_such(&uri.0),
    }
}

/// `/klassifikation/classes`
pub async fn classes(Caller(headers): Caller) -> Response {
    let all: Map<String, Value> = Kind::ALL.iter().map(|k| (k.name().to_owned(), schema::fields(*k))).collect();
    Reply::json(&all, false).respond(&headers)
}

/// `/site-map`
pub async fn site_map(Caller(headers): Caller) -> Response {
    let of = |kind: &Kind| {
        let name = kind.name();
        ["", "/<uuid:uuid>", "/fields", "/schema"].map(|rest| format!("/klassifikation/{name}{rest}"))
    };
    let mut all: Vec<String> = Kind::ALL.iter().flat_map(of).collect();
    all.extend(["/klassifikation/classes".to_owned(), "/site-map".to_owned()]);
    all.sort();
    Reply::json(&json!({ "site-map": all }), false).respond(&headers)
}
