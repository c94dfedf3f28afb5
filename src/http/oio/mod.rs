//! OIO Klassifikation, under `/klassifikation`: another's interface, so it speaks that one's language. Addresses,
//! parameters, bodies and errors are those of the 2019 implementation (docs/oio.md); it stands outside our OpenAPI.
//!
//! `read` answers Læs, List and Søg, `write` carries out Opret, Importer, Ret, Passiver and Slet, `about` tells what there is.

mod about;
mod error;
mod params;
mod read;
mod write;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use tokio::sync::Semaphore;

use super::HttpOptions;
use crate::http::app::App;

pub use error::Wrong;

/// How many searches are worked on at once; others wait for their turn.
const SEARCHES: usize = 2;

/// The turns of searches, and how long one may wait for its own.
#[derive(Clone)]
struct Turns(Arc<Semaphore>, Duration);

/// The addresses under `/klassifikation`, each with and without a slash at the end.
pub fn router(options: &HttpOptions) -> Router<App> {
    let objects = || get(read::objects).post(write::create);
    let object = || get(read::object).put(write::import).patch(write::correct).delete(write::delete);
    Router::new()
        .route("/{kind}", objects())
        .route("/{kind}/", objects())
        .route("/{kind}/{uuid}", object())
        .route("/{kind}/{uuid}/", object())
        .route("/{kind}/fields", get(about::fields))
        .route("/{kind}/schema", get(about::schema))
        .route("/classes", get(about::classes))
        .fallback(error::nothing_here)
        .method_not_allowed_fallback(error::other_method)
        .layer(DefaultBodyLimit::max(options.body_limit))
        .layer(axum::Extension(Turns(Arc::new(Semaphore::new(SEARCHES)), options.timeout)))
}

/// The list of addresses, beside the others; and the one that nesting leaves out.
pub fn beside() -> Router<App> {
    let site_map = || get(about::site_map);
    Router::new()
        .route("/site-map", site_map())
        .route("/site-map/", site_map())
        .route("/klassifikation/", get(error::nothing_here))
}
