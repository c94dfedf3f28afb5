//! The doors over HTTP: thin. Each handler translates a request into a call of the registry and its answer
//! into bytes; no rule lives here.
//!
//! Called by `cli`; calls `registry` and nothing below it.

mod api;
mod app;
mod code_sets;
mod confirm;
mod digests;
mod edge;
mod id;
mod keeper;
mod ldes;
mod mail;
mod mox;
mod negotiate;
mod oio;
mod operation;
mod params;
mod peer;
mod places;
mod precondition;
mod private;
mod problem;
mod provided;
mod reply;
mod sign;
mod sparql;
mod upload;
mod web;
mod webhook_pages;
mod webhooks;
mod who;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{Request, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::ServiceExt;
use utoipa_swagger_ui::SwaggerUi;

pub use self::mox::Doors;

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
    /// Whether `X-Forwarded-For` is believed: only behind a proxy that sets it.
    pub trust_forwarded: bool,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self { body_limit: 16 << 20, timeout: Duration::from_secs(60), concurrency: 1024, trust_forwarded: false }
    }
}

/// How long a caller may take to say what it asks: the head of a request, and its body.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a caller may take nothing of what it is sent.
#[cfg(target_os = "linux")]
const STALLED: Duration = Duration::from_secs(120);

/// Serves until `stop` completes, then lets requests under way finish, for as long as a request may take.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    registry: Arc<Registry>,
    options: HttpOptions,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let closing = tokio::sync::watch::Sender::new(false);
    let router = router(registry, &options).layer(axum::Extension(api::Closing(closing.subscribe())));
    let mut connections = Builder::new(TokioExecutor::new()).http1_only();
    connections.http1().timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    let (graceful, mut stop) = (GracefulShutdown::new(), std::pin::pin!(stop));
    loop {
        let (stream, address) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file handles, say: those in use will be given back.
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        let _ = stream.set_nodelay(true);
        // The system waits for ever for a reader that is there and takes nothing.
        #[cfg(target_os = "linux")]
        let _ = socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(STALLED));
        // Whoever counts by caller has to know it.
        let named = move |mut request: Request<_>| {
            request.extensions_mut().insert(peer::Peer(address.ip()));
            request
        };
        let service = TowerToHyperService::new(router.clone().map_request(named));
        let connection = connections.serve_connection(TokioIo::new(stream), service).into_owned();
        tokio::spawn(graceful.watch(connection));
    }
    drop(listener);
    // Streams and those who wait for news end by themselves, others when they are done.
    closing.send_replace(true);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(options.timeout.max(PATIENCE)) => tracing::warn!("requests under way were cut off"),
    }
    Ok(())
}

/// The router of every door.
pub fn router(registry: Arc<Registry>, options: &HttpOptions) -> Router {
    let counted = operation::Counted::new();
    let (api, document) = api::router(options).split_for_parts();
    let doors = api
        .route("/", get(web::index))
        .route("/search", get(web::search::page))
        .route("/opensearch.xml", get(web::search::description))
        .merge(sign::router(options))
        .merge(provided::router(options))
        .merge(confirm::router())
        .merge(web::hearings::router(options))
        .nest("/klassifikation", oio::router(options))
        .merge(oio::beside())
        .merge(web::requests::router(options))
        .merge(web::groups::router())
        .merge(web::decisions::router())
        .merge(web::drafts::router(&registry, options))
        .merge(code_sets::router())
        .merge(webhook_pages::router())
        .merge(digests::router(options))
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
    let limited = Arc::new(Edge::new(counted.clone(), options.concurrency, options.body_limit));
    let unlimited = Arc::new(Edge::new(counted, usize::MAX, 0));
    let doors = doors.fallback(|| async { StatusCode::NOT_FOUND }).layer(from_fn_with_state(limited, edge::pass));
    let operation = operation.layer(from_fn_with_state(unlimited, edge::pass));
    doors.merge(operation)
}
