//! The doors over HTTP: thin. Each handler translates a request into a call of the registry and its answer
//! into bytes; no rule lives here.
//!
//! Called by `cli`; calls `registry` and nothing below it.

mod api;
mod edge;
mod id;
mod negotiate;
mod operation;
mod params;
mod problem;
mod reply;
mod web;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tokio::net::TcpListener;
use utoipa_swagger_ui::SwaggerUi;

use self::edge::Edge;
use crate::registry::Registry;

/// How the doors are set up.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// The largest body that is taken in, in bytes.
    pub body_limit: usize,
    /// How long a request may take until the head of its answer.
    pub timeout: Duration,
    /// How many requests are worked on at once; more are told to come back.
    pub concurrency: usize,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self { body_limit: 16 << 20, timeout: Duration::from_secs(60), concurrency: 1024 }
    }
}

/// Serves until `stop` completes, then lets requests under way finish.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    registry: Arc<Registry>,
    options: HttpOptions,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router(registry, &options)).with_graceful_shutdown(stop).await
}

/// The router of every door.
pub fn router(registry: Arc<Registry>, options: &HttpOptions) -> Router {
    let counted = operation::Counted::new();
    let (api, document) = api::router(options).split_for_parts();
    let doors = api
        .route("/", get(web::index))
        .route("/id/{vocabulary}", get(id::vocabulary))
        .route("/id/{vocabulary}/{key}", get(id::concept))
        .route("/id/{vocabulary}/versions/{version}", get(id::version))
        .route("/id/{vocabulary}/versions/{version}/{key}", get(id::versioned_concept))
        .with_state(registry.clone())
        .merge(SwaggerUi::new("/api/docs").url("/api/openapi.json", document));
    // Health and metrics answer also when everything else is told to wait.
    let operation = Router::new()
        .route("/health/live", get(operation::live))
        .route("/health/ready", get(operation::ready))
        .with_state(registry.clone())
        .merge(Router::new().route("/metrics", get(operation::metrics)).with_state((registry, counted.clone())));
    let limited = Arc::new(Edge::new(counted.clone(), options.concurrency));
    let unlimited = Arc::new(Edge::new(counted, usize::MAX));
    let doors = doors.fallback(|| async { StatusCode::NOT_FOUND }).layer(from_fn_with_state(limited, edge::pass));
    let operation = operation.layer(from_fn_with_state(unlimited, edge::pass));
    doors.merge(operation)
}
