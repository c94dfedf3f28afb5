//! What every request passes, in one step: its place among those under way, compression for callers that ask
//! for it, refusals as problem documents, and the count.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::ACCEPT_ENCODING;
use axum::http::{Extensions, HeaderMap, StatusCode, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower::{Layer, ServiceExt};
use tower_http::compression::predicate::{Predicate, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};

use super::operation::Counted;
use super::problem::{Asked, render};

/// What the edge knows.
#[derive(Clone)]
pub struct Edge {
    counted: Counted,
    under_way: Arc<AtomicUsize>,
    most: usize,
}

impl Edge {
    /// An edge that lets at most `most` requests through at once.
    pub fn new(counted: Counted, most: usize) -> Self {
        Self { counted, under_way: Arc::default(), most }
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
pub async fn pass(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let (method, asked) = (request.method().clone(), Asked::of(&request));
    let answer = match edge.turn() {
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(_turn) if request.headers().contains_key(ACCEPT_ENCODING) => compressed(request, next).await,
        Some(_turn) => next.run(request).await,
    };
    let answer = render(answer, asked);
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    edge.counted.count(route, &method, answer.status().as_u16(), began.elapsed());
    answer
}

/// The answer in the caller's encoding. Callers that name none do not pay for the possibility.
async fn compressed(request: Request, next: Next) -> Response {
    // An export's Content-Digest is of the bytes as they are sent.
    let undigested =
        |_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| !headers.contains_key("content-digest");
    let compression =
        CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(SizeAbove::new(512).and(undigested));
    match compression.layer(next).oneshot(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}
