//! What every request passes, in one step: its place among those under way, leave for pages of other origins,
//! compression for callers that ask for it, refusals as problem documents, and the count.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    self, ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ORIGIN, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http_body::Body as _;
use http_body_util::BodyExt;
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

/// How many bytes of bodies are held at once, whoever sends them: beyond that callers are told to come back.
const BODIES: usize = 256 << 20;
/// How much of each body is not counted: what is small always gets through.
const SMALL: usize = 64 << 10;

/// What the edge knows.
pub struct Edge {
    counted: Counted,
    under_way: AtomicUsize,
    most: usize,
    body_limit: usize,
    /// How many bytes of bodies are held, and how many may be.
    held: AtomicUsize,
    holds: usize,
}

impl Edge {
    /// An edge that lets at most `most` requests through at once, with bodies of at most `body_limit` bytes.
    pub fn new(counted: Counted, most: usize, body_limit: usize) -> Self {
        let holds = BODIES.max(body_limit.saturating_mul(4));
        Self { counted, under_way: AtomicUsize::new(0), most, body_limit, held: AtomicUsize::new(0), holds }
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

/// The part of a body that counts among all that is held; given back when its request is answered, or its caller hangs
/// up.
struct Held<'e>(&'e Edge, usize);

impl Held<'_> {
    /// The whole body. Its parts are put together as they come: who sends each byte by itself takes no more room than who
    /// sends them at once.
    async fn take_in(&mut self, mut body: Body) -> Result<Bytes, StatusCode> {
        let (mut first, mut all, mut size) = (Bytes::new(), Vec::new(), 0_usize);
        while let Some(frame) = body.frame().await {
            let Ok(part) = frame.map_err(|_| StatusCode::BAD_REQUEST)?.into_data() else { continue };
            size = size.saturating_add(part.len());
            if size > self.0.body_limit {
                return Err(StatusCode::PAYLOAD_TOO_LARGE);
            }
            let more = size.saturating_sub(SMALL) - self.1;
            self.1 += more;
            if self.0.held.fetch_add(more, Ordering::Relaxed).saturating_add(more) > self.0.holds {
                return Err(StatusCode::SERVICE_UNAVAILABLE);
            }
            if first.is_empty() {
                first = part;
                continue;
            }
            if all.is_empty() {
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&part);
        }
        Ok(if all.is_empty() { first } else { all.into() })
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.held.fetch_sub(self.1, Ordering::Relaxed);
    }
}

/// Lets a request through.
pub async fn pass(State(edge): State<Arc<Edge>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let (method, asked) = (request.method().clone(), Asked::of(&request));
    // A body is waited for before a place is taken: who sends slowly holds up nobody else.
    let mut held = Held(&edge, 0);
    let request = match whole(request, &mut held).await {
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
async fn whole(request: Request, held: &mut Held<'_>) -> Result<Request, StatusCode> {
    if request.body().is_end_stream() {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    match tokio::time::timeout(PATIENCE, held.take_in(body)).await {
        Ok(taken) => Ok(Request::from_parts(parts, Body::from(taken?))),
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::Router;
    use axum::middleware::from_fn_with_state;
    use futures::StreamExt;

    use super::*;

    fn door(edge: &Arc<Edge>) -> Router {
        let router = Router::new().fallback(|body: Bytes| async move { body.len().to_string() });
        router.layer(from_fn_with_state(edge.clone(), pass))
    }

    async fn sent(edge: &Arc<Edge>, body: Body) -> (StatusCode, String) {
        let answer = door(edge).oneshot(Request::post("/").body(body).unwrap()).await.unwrap();
        let (status, body) = (answer.status(), answer.into_body());
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }

    #[tokio::test]
    async fn bodies_are_held_within_bounds_and_small_ones_get_through() {
        let edge = Arc::new(Edge { holds: 2 << 20, ..Edge::new(Counted::new(), 10, 3 << 20) });
        // Somebody sends much, and then nothing for as long as he is let.
        let much = futures::stream::iter([Ok::<_, Infallible>(Bytes::from(vec![b'x'; 3 << 19]))]);
        let never_ends = Body::from_stream(much.chain(futures::stream::pending()));
        let slow = tokio::spawn({
            let edge = edge.clone();
            async move { sent(&edge, never_ends).await }
        });
        while edge.held.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(sent(&edge, Body::from(vec![b'x'; 1 << 20])).await.0, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(sent(&edge, Body::from(vec![b'x'; SMALL])).await, (StatusCode::OK, SMALL.to_string()));
        assert_eq!(sent(&edge, Body::from(vec![b'x'; 4 << 20])).await.0, StatusCode::PAYLOAD_TOO_LARGE);
        // In however many parts it comes, also empty ones.
        let parts = ["", "a", "", "bc", "d"].map(|part| Ok::<_, Infallible>(Bytes::from(part)));
        assert_eq!(sent(&edge, Body::from_stream(futures::stream::iter(parts))).await, (StatusCode::OK, "4".into()));
        // When he hangs up there is room again.
        slow.abort();
        assert!(slow.await.is_err());
        assert_eq!(sent(&edge, Body::from(vec![b'x'; 1 << 20])).await, (StatusCode::OK, (1 << 20).to_string()));
        assert_eq!(edge.held.load(Ordering::Relaxed), 0);
    }
}
