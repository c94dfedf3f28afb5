//! What those who run the registry look at: health and metrics.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry as Metrics;
use serde_json::json;

use super::api::App;

/// What is counted.
#[derive(Clone)]
pub struct Counted {
    metrics: Arc<Metrics>,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    position: Gauge,
    concepts: Gauge,
    vocabularies: Gauge,
    editions: Gauge,
    edition_concepts: Gauge,
    under_way: Gauge<i64, std::sync::atomic::AtomicI64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

impl Counted {
    /// Nothing counted yet.
    pub fn new() -> Self {
        let mut metrics = Metrics::with_prefix("begreb");
        let requests = Family::default();
        let seconds = Family::new_with_constructor(histogram as fn() -> Histogram);
        let [position, concepts, vocabularies, editions, edition_concepts] = <[Gauge; 5]>::default();
        let under_way = Gauge::<i64, std::sync::atomic::AtomicI64>::default();
        metrics.register("http_requests", "Requests answered", requests.clone());
        metrics.register("http_request_seconds", "Time to the head of the answer", seconds.clone());
        metrics.register("http_requests_under_way", "Requests being worked on", under_way.clone());
        metrics.register("log_position", "The position of the change log that reads have passed", position.clone());
        metrics.register("vocabularies", "Vocabularies", vocabularies.clone());
        metrics.register("concepts_in_force", "Concepts in force today", concepts.clone());
        metrics.register("editions_kept", "Editions kept beside those in force", editions.clone());
        metrics.register("edition_concepts_kept", "Concepts in those editions", edition_concepts.clone());
        let metrics = Arc::new(metrics);
        Self { metrics, requests, seconds, position, concepts, vocabularies, editions, edition_concepts, under_way }
    }
}

fn histogram() -> Histogram {
    Histogram::new([0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0, 30.0])
}

/// Counts a request and the time it takes.
pub async fn count(State(counted): State<Counted>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    // The route, never the path: a label must not grow with what callers ask for.
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = request.method().to_string();
    counted.under_way.inc();
    let response = next.run(request).await;
    counted.under_way.dec();
    let status = response.status().as_u16();
    counted.seconds.get_or_create(&RouteLabels { route: route.clone() }).observe(began.elapsed().as_secs_f64());
    counted.requests.get_or_create(&RequestLabels { method, route, status }).inc();
    response
}

/// `/health/live`: the process answers.
pub async fn live() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

/// `/health/ready`: reads can be answered; how far they are behind the log; whether the database answers.
pub async fn ready(State(app): State<App>) -> Response {
    match app.progress().await {
        Ok((position, head)) => {
            let behind = head.seq - position;
            Json(json!({ "status": "ok", "position": position, "head": head.seq, "behind": behind })).into_response()
        }
        Err(refusal) => {
            let position = app.snapshot().position;
            let body = json!({ "status": "database-unreachable", "position": position, "detail": refusal.en });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

/// `/metrics`, in the OpenMetrics text format.
pub async fn metrics(State((app, counted)): State<(App, Counted)>) -> Response {
    let vocabularies = app.vocabularies();
    let (editions, edition_concepts) = app.editions_kept();
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    counted.position.set(app.snapshot().position);
    counted.vocabularies.set(number(vocabularies.len()));
    counted.concepts.set(vocabularies.iter().map(|v| number(v.concepts)).sum());
    counted.editions.set(editions.cast_signed());
    counted.edition_concepts.set(edition_concepts.cast_signed());
    let mut text = String::new();
    match encode(&mut text, &counted.metrics) {
        Ok(()) => {
            let media = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, media)], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
