//! What every request passes, in one step: its place among those under way, leave for pages of other origins,
//! compression for callers that ask for it, refusals as problem documents, and the count.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    self, ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ORIGIN, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http_body::Body as _;
use tower::{Layer, ServiceExt};
use tower_http::compression::predicate::{Predicate, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tower_http::cors::{Any, CorsLayer};

use super::PATIENCE;
use super::operation::Counted;
use super::problem::{Asked, render};
use super::sparql::Queried;

/// The headers of answers that pages of other origins may read.
const EXPOSED: HeaderValue =
    HeaderValue::from_static("etag, link, content-language, x-total-count, content-digest, begreb-log-position");

/// What the edge knows.
pub struct Edge {
    counted: Counted,
    under_way: AtomicUsize,
    most: usize,
    body_limit: usize,
}

impl Edge {
    /// An edge that lets at most `most` requests through at once, with bodies of at most `body_limit` bytes.
    pub fn new(counted: Counted, most: usize, body_limit: usize) -> Self {
        Self { counted, under_way: AtomicUsize::new(0), most, body_limit }
    }

    fn turn(&self) -> Option<Turn<'_>> {
        let before = self.under_way.fetch_add(1, Ordering::Relaxed);
        self.counted.under_way.inc();
        let turn = Turn(self);
        (before < self.most).then_some(turn)
    }
}

/// A request's place among those under way; given back also when the caller hangs up.
struct Turn<'e>(&'e Edge);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
        self.0.counted.under_way.dec();
    }
}

/// Lets a request through.
pub async fn pass(State(edge): State<Arc<Edge>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let (method, asked) = (request.method().clone(), Asked::of(&request));
    // A body is waited for before a place is taken: who sends slowly holds up nobody else.
    let request = match whole(request, edge.body_limit).await {
        Ok(request) => request,
        Err(status) => {
            let answer = render(status.into_response(), asked);
            edge.counted.count("none", &method, answer.status().as_u16(), began.elapsed());
            return answer;
        }
    };
    let answer = match edge.turn() {
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(_turn) => {
            // A panic is a fault of ours; it must not take the connection, or other requests, with it.
            let answer = AssertUnwindSafe(answer(request, next)).catch_unwind().await;
            answer.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
    };
    if let Some(queried) = answer.extensions().get::<Queried>() {
        edge.counted.query(queried);
    }
    let mut answer = render(answer, asked);
    // Reads are for every web page. Said always: a cache may hand the answer to a page later.
    let headers = answer.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    edge.counted.count(route, &method, answer.status().as_u16(), began.elapsed());
    answer
}

/// The request with all of its body.
async fn whole(request: Request, limit: usize) -> Result<Request, StatusCode> {
    if request.body().is_end_stream() {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    match tokio::time::timeout(PATIENCE, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(Request::from_parts(parts, Body::from(bytes))),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

async fn answer(request: Request, next: Next) -> Response {
    let is_preflight = request.method() == Method::OPTIONS && request.headers().contains_key(ORIGIN);
    let names_encodings = request.headers().contains_key(ACCEPT_ENCODING);
    if is_preflight {
        preflight(request, next).await
    } else if names_encodings {
        compressed(request, next).await
    } else {
        next.run(request).await
    }
}

/// What a browser asks before it lets a page ask: any origin, no credentials.
async fn preflight(request: Request, next: Next) -> Response {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers([header::ACCEPT, header::ACCEPT_LANGUAGE, header::CONTENT_TYPE, header::IF_NONE_MATCH]);
    match cors.layer(next).oneshot(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}

/// The answer in the caller's encoding. Callers that name none do not pay for the possibility.
async fn compressed(request: Request, next: Next) -> Response {
    // An export's Content-Digest is of the bytes as they are sent; a stream of events is not to be gathered up.
    let undigested = |_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| {
        let streams = headers.get(header::CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"text/event-stream"));
        !streams && !headers.contains_key("content-digest")
    };
    let compression =
        CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(SizeAbove::new(512).and(undigested));
    match compression.layer(next).oneshot(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}
