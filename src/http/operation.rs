//! What those who run the registry look at: health and metrics.

use std::collections::HashMap;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry as Metrics;
use serde_json::json;

use super::app::App;
use super::mail::{self, MailGauges};
use super::mox::MoxGauges;
use super::sparql::Queried;
use super::webhooks::WebhookGauges;

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
    projection_position: Family<ProjectionLabels, Gauge>,
    projection_behind: Family<ProjectionLabels, Gauge>,
    queries: Family<QueryLabels, Counter>,
    query_seconds: Histogram,
    queries_running: Gauge,
    graph_triples: Gauge,
    graph_bytes: Gauge,
    mail: MailGauges,
    mox: MoxGauges,
    webhooks: WebhookGauges,
    /// How many requests are being worked on.
    pub under_way: Gauge<i64, AtomicI64>,
    known: Arc<RwLock<HashMap<String, Vec<Instruments>>>>,
}

/// What one kind of answer is counted by.
#[derive(Clone)]
struct Instruments {
    method: Method,
    status: u16,
    requests: Counter,
    seconds: Histogram,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProjectionLabels {
    projection: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueryLabels {
    outcome: &'static str,
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
        let under_way = Gauge::<i64, AtomicI64>::default();
        let (projection_position, projection_behind) = <(Family<_, Gauge>, Family<_, Gauge>)>::default();
        let (queries, query_seconds) = (Family::default(), histogram());
        let [queries_running, graph_triples, graph_bytes] = <[Gauge; 3]>::default();
        metrics.register("http_requests", "Requests answered", requests.clone());
        metrics.register("http_request_seconds", "Time to the head of the answer", seconds.clone());
        metrics.register("http_requests_under_way", "Requests being worked on", under_way.clone());
        metrics.register("log_position", "The position of the change log that reads have passed", position.clone());
        metrics.register("vocabularies", "Vocabularies", vocabularies.clone());
        metrics.register("concepts_in_force", "Concepts in force today", concepts.clone());
        metrics.register("editions_kept", "Editions kept beside those in force", editions.clone());
        metrics.register("edition_concepts_kept", "Concepts in those editions", edition_concepts.clone());
        let position_of = "The position of the change log that a projection has passed";
        metrics.register("projection_position", position_of, projection_position.clone());
        let behind = "How many changes a projection is behind the reads";
        metrics.register("projection_behind", behind, projection_behind.clone());
        metrics.register("sparql_queries", "SPARQL queries by how they ended", queries.clone());
        metrics.register("sparql_query_seconds", "Time to the whole answer of a query", query_seconds.clone());
        metrics.register("sparql_queries_running", "SPARQL queries that run", queries_running.clone());
        metrics.register("graph_triples", "Triples in force today", graph_triples.clone());
        metrics.register("graph_bytes", "Memory of the graphs in force today", graph_bytes.clone());
        let (mail, webhooks) = (MailGauges::new(&mut metrics), WebhookGauges::new(&mut metrics));
        let mox = MoxGauges::new(&mut metrics);
        let metrics = Arc::new(metrics);
        Self {
            metrics,
            requests,
            seconds,
            position,
            concepts,
            vocabularies,
            editions,
            edition_concepts,
            projection_position,
            projection_behind,
            queries,
            query_seconds,
            queries_running,
            graph_triples,
            graph_bytes,
            mail,
            mox,
            webhooks,
            under_way,
            known: Arc::default(),
        }
    }
}

fn histogram() -> Histogram {
    Histogram::new([0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0, 30.0])
}

impl Counted {
    /// Counts an answer. `route` is the pattern, never the path: a label must not grow with what callers ask for.
    pub fn count(&self, route: &str, method: &Method, status: u16, took: Duration) {
        // Callers may invent methods; what is counted must not grow with them.
        const KNOWN: [Method; 7] =
            [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
        let other = Method::from_bytes(b"OTHER").unwrap_or_default();
        let method = if KNOWN.contains(method) { method } else { &other };
        let instruments = self.instruments(route, method, status);
        instruments.seconds.observe(took.as_secs_f64());
        instruments.requests.inc();
    }

    /// Counts a query.
    pub fn query(&self, queried: &Queried) {
        self.queries.get_or_create(&QueryLabels { outcome: queried.outcome }).inc();
        self.query_seconds.observe(queried.took.as_secs_f64());
    }

    /// The instruments of a route, method and status, looked up once and then by reference.
    fn instruments(&self, route: &str, method: &Method, status: u16) -> Instruments {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) =
            known.get(route).and_then(|list| list.iter().find(|i| i.status == status && i.method == *method))
        {
            return found.clone();
        }
        drop(known);
        let labels = RequestLabels { method: method.to_string(), route: route.to_owned(), status };
        let new = Instruments {
            method: method.clone(),
            status,
            requests: self.requests.get_or_create(&labels).clone(),
            seconds: self.seconds.get_or_create(&RouteLabels { route: route.to_owned() }).clone(),
        };
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(route.to_owned()).or_default().push(new.clone());
        new
    }
}

/// `/health/live`: the process answers.
pub async fn live() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

/// `/health/ready`: reads can be answered; how far they are behind the log; whether the database answers.
pub async fn ready(State(app): State<App>) -> Response {
    if let Some(detail) = app.failing() {
        let body = json!({ "status": "not-following", "position": app.snapshot().position, "detail": detail });
        return (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
    }
    match app.progress().await {
        Ok((position, head)) => {
            let behind = head.seq - position;
            let projections = projections(&app, head.seq);
            // A node that would refuse searches and queries is not sent any.
            let (code, status) = match app.is_building() {
                true => (StatusCode::SERVICE_UNAVAILABLE, "building"),
                false => (StatusCode::OK, "ok"),
            };
            let mut body = json!({
                "status": status, "position": position, "head": head.seq, "behind": behind, "projections": projections
            });
            if let Some(mail) = mail::health(&app, head.seq).await {
                body["mail"] = mail;
            }
            // Nothing while the log was never told by message.
            let told = app.mox_positions().await.unwrap_or_default();
            if !told.is_empty() {
                let one = |(name, told): (String, i64)| {
                    (name, json!({ "position": told, "behind": (head.seq - told).max(0) }))
                };
                body["mox"] = told.into_iter().map(one).collect::<serde_json::Map<_, _>>().into();
            }
            (code, Json(body)).into_response()
        }
        Err(refusal) => {
            let position = app.snapshot().position;
            let body = json!({ "status": "database-unreachable", "position": position, "detail": refusal.en });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

/// What is built beside reads, and how far it is behind the log. None of it stops reads when it is behind.
fn projections(app: &App, head: i64) -> serde_json::Value {
    let one = |(name, position, failing): (&str, i64, Option<String>)| {
        let mut about = json!({ "position": position, "behind": head - position.max(0) });
        if let Some(detail) = failing {
            about["detail"] = detail.into();
        }
        (name.to_owned(), about)
    };
    app.derived().into_iter().map(one).collect::<serde_json::Map<_, _>>().into()
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
    for (name, position, _) in app.derived() {
        let labels = ProjectionLabels { projection: name };
        counted.projection_position.get_or_create(&labels).set(position);
        counted.projection_behind.get_or_create(&labels).set(app.snapshot().position - position.max(0));
    }
    counted.queries_running.set(number(app.queries_running()));
    if let Some(graphs) = app.graphs() {
        counted.graph_triples.set(graphs.graphs().iter().map(|g| number(g.segment.len())).sum());
        counted.graph_bytes.set(number(graphs.bytes()));
    }
    counted.mail.set(&app).await;
    counted.mox.set(&app).await;
    counted.webhooks.set(&app).await;
    let mut text = String::new();
    match encode(&mut text, &counted.metrics) {
        Ok(()) => {
            let media = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, media)], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
