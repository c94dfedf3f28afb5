//! Commands that come over AMQP, through the same doors as those over HTTP: what is allowed, what is answered and what
//! is refused is the same. And what is counted of messages.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, Request, StatusCode};
use futures::future::BoxFuture;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry as Metrics;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::api::App;
use super::oio::Wrong;
use super::{HttpOptions, router};
use crate::delivery::mox::{Answer, Ask, Operation, Port};
use crate::model::{Code, Command};
use crate::registry::{Actor, MoxCount, permit};

/// The largest answer that is sent as a message.
const ANSWER: usize = 32 << 20;

/// The doors, for who comes without HTTP.
#[derive(Clone)]
pub struct Doors {
    router: Router,
    registry: Option<App>,
}

impl Doors {
    /// The doors of a registry, with the limits of those over HTTP.
    #[must_use]
    pub fn of(registry: &App, options: &HttpOptions) -> Self {
        Self { router: router(registry.clone(), options), registry: Some(registry.clone()) }
    }
}

impl Port for Doors {
    fn ask(&self, ask: Ask) -> BoxFuture<'_, Answer> {
        Box::pin(async move {
            let Ok(request) = request(&ask) else { return said(400, "the command cannot be asked over HTTP") };
            let Ok(response) = self.router.clone().oneshot(request).await;
            let status = response.status();
            match to_bytes(response.into_body(), ANSWER).await {
                Ok(bytes) => Answer { status: status.as_u16(), body: json(status, &bytes) },
                Err(_) => said(413, "the answer is too large for a message: ask for less at a time"),
            }
        })
    }

    fn turns_away<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Option<Answer>> {
        Box::pin(async move {
            let app = self.registry.as_ref().filter(|_| ask.operation.writes())?;
            let refusal = match &ask.token {
                Some(token) => app.by_token(token).await.err()?,
                None => permit(&Actor::Public, Command::Publish, None).err()?,
            };
            // When the registry cannot be asked, that says nothing of the token.
            if !matches!(refusal.code, Code::NotSignedIn | Code::Expired) {
                return None;
            }
            let (status, body) = Wrong(refusal).parts();
            Some(Answer { status: status.as_u16(), body })
        })
    }
}

fn said(status: u16, message: &str) -> Answer {
    Answer { status, body: json!({ "message": message }) }
}

/// The body of an answer. One that is no JSON comes from where there is no such address.
fn json(status: StatusCode, bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| {
        let reason = status.canonical_reason().unwrap_or_default();
        json!({ "error": status.as_u16(), "text": format!("{} {reason}", status.as_u16()) })
    })
}

/// A command as a request to OIO Klassifikation.
fn request(ask: &Ask) -> axum::http::Result<Request<Body>> {
    let method = match (ask.operation, ask.id) {
        (Operation::Create, None) => Method::POST,
        (Operation::Create, Some(_)) => Method::PUT,
        (Operation::Read | Operation::Search | Operation::List, _) => Method::GET,
        (Operation::Update | Operation::Passivate, _) => Method::PATCH,
        (Operation::Delete, _) => Method::DELETE,
    };
    let mut uri = format!("/klassifikation/{}", ask.objekttype.name());
    let mut query = form_urlencoded::Serializer::new(String::new());
    match ask.id {
        // A list names its objects by a parameter.
        Some(id) if ask.operation == Operation::List => {
            query.append_pair("uuid", &id.to_string());
        }
        Some(id) => uri.push_str(&format!("/{id}")),
        None => {}
    }
    query.extend_pairs(&ask.query);
    let query = query.finish();
    if !query.is_empty() {
        uri.push_str(&format!("?{query}"));
    }
    let mut request = Request::builder().method(method).uri(uri).header(ACCEPT, "application/json");
    if let Some(token) = &ask.token {
        request = request.header(AUTHORIZATION, format!("Bearer {}", token.expose()));
    }
    match &ask.body {
        Some(body) => request.header(CONTENT_TYPE, "application/json").body(body.to_string().into()),
        None => request.body(Body::empty()),
    }
}

/// What metrics tell of messages.
#[derive(Clone)]
pub struct MoxGauges {
    behind: Family<NameLabels, Gauge>,
    counts: [Family<WhatLabels, Counter>; 3],
    in_flight: Gauge,
    blocked: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NameLabels {
    name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WhatLabels {
    what: &'static str,
}

impl MoxGauges {
    /// Nothing told yet.
    pub fn new(metrics: &mut Metrics) -> Self {
        let counts = <[Family<WhatLabels, Counter>; 3]>::default();
        let new = Self { behind: Family::default(), counts, in_flight: Gauge::default(), blocked: Gauge::default() };
        metrics.register("mox_behind", "Changes that were not told by message yet", new.behind.clone());
        let [notifications, commands, connections] = new.counts.clone();
        metrics.register("mox_notifications", "Messages by what became of them, in this process", notifications);
        metrics.register("mox_commands", "Commands by what became of them, in this process", commands);
        metrics.register("mox_connections", "Connections to the broker that this process made", connections);
        metrics.register("mox_in_flight", "Messages that the broker has not confirmed yet", new.in_flight.clone());
        metrics.register("mox_blocked", "1 while the broker takes nothing", new.blocked.clone());
        new
    }

    /// Reads how messages stand; what cannot be read stays as it was.
    pub async fn set(&self, app: &App) {
        let counts = app.mox_counts();
        for what in MoxCount::ALL {
            let (family, name) = place(what);
            // Registered and read at one place: nobody else counts there.
            let counter = self.counts[family].get_or_create(&WhatLabels { what: name });
            counter.inner().store(counts.of(what), std::sync::atomic::Ordering::Relaxed);
        }
        self.in_flight.set(i64::try_from(counts.in_flight()).unwrap_or(i64::MAX));
        self.blocked.set(counts.is_blocked().into());
        if let (Ok(told), Ok((_, head))) = (app.mox_positions().await, app.progress().await) {
            for (name, position) in told {
                self.behind.get_or_create(&NameLabels { name }).set((head.seq - position).max(0));
            }
        }
    }
}

/// In which metric something is counted, and by what word.
fn place(what: MoxCount) -> (usize, &'static str) {
    match what {
        MoxCount::Published => (0, "published"),
        MoxCount::Confirmed => (0, "confirmed"),
        MoxCount::Returned => (0, "returned"),
        MoxCount::Rejected => (0, "rejected"),
        MoxCount::Received => (1, "received"),
        MoxCount::Executed => (1, "executed"),
        MoxCount::Refused => (1, "refused"),
        MoxCount::Answered => (1, "answered"),
        MoxCount::Unanswered => (1, "unanswered"),
        MoxCount::Redelivered => (1, "redelivered"),
        MoxCount::ConnectedToTell => (2, "notifications"),
        MoxCount::ConnectedToServe => (2, "commands"),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use axum::http::HeaderMap;
    use axum::http::Uri;
    use uuid::Uuid;

    use super::*;
    use crate::delivery::mox::Objekttype;
    use crate::model::Secret;

    const ID: Uuid = Uuid::from_u128(7);

    /// Doors that say what they were asked.
    fn doors() -> Doors {
        let echo = async |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let text = |name| headers.get(name).map(|v: &axum::http::HeaderValue| v.to_str().unwrap().to_owned());
            let body = String::from_utf8(body.to_vec()).unwrap();
            let asked = format!("{method} {uri} {body}");
            (
                StatusCode::ACCEPTED,
                json!({ "asked": asked, "as": text(AUTHORIZATION), "type": text(CONTENT_TYPE) }).to_string(),
            )
        };
        let router = Router::new().route("/klassifikation/{*rest}", axum::routing::any(echo));
        Doors { router, registry: None }
    }

    fn ask(operation: Operation, id: Option<Uuid>) -> Ask {
        Ask { operation, objekttype: Objekttype::Klasse, id, query: Vec::new(), body: None, token: None }
    }

    #[tokio::test]
    async fn each_operation_has_its_request() {
        let body = Some(json!({ "note": "n" }));
        let query = vec![("bvn".into(), "A%&b".into()), ("vilkaarligattr".into(), "æ".into())];
        let cases = [
            (
                Ask { body: body.clone(), ..ask(Operation::Create, None) },
                "POST /klassifikation/klasse {\"note\":\"n\"}",
            ),
            (
                Ask { body: body.clone(), ..ask(Operation::Create, Some(ID)) },
                "PUT /klassifikation/klasse/ID {\"note\":\"n\"}",
            ),
            (ask(Operation::Read, Some(ID)), "GET /klassifikation/klasse/ID "),
            (
                Ask { query, ..ask(Operation::Search, None) },
                "GET /klassifikation/klasse?bvn=A%25%26b&vilkaarligattr=%C3%A6 ",
            ),
            (ask(Operation::List, Some(ID)), "GET /klassifikation/klasse?uuid=ID "),
            (
                Ask { body: body.clone(), ..ask(Operation::Update, Some(ID)) },
                "PATCH /klassifikation/klasse/ID {\"note\":\"n\"}",
            ),
            (Ask { body, ..ask(Operation::Passivate, Some(ID)) }, "PATCH /klassifikation/klasse/ID {\"note\":\"n\"}"),
            (ask(Operation::Delete, Some(ID)), "DELETE /klassifikation/klasse/ID "),
        ];
        for (ask, wanted) in cases {
            let answer = doors().ask(ask).await;
            assert_eq!(answer.status, 202);
            assert_eq!(answer.body["asked"], wanted.replace("ID", &ID.to_string()));
            assert_eq!(answer.body["as"], Value::Null);
        }
        let with = Ask { token: Some(Secret::shown("begreb_t_x")), ..ask(Operation::Delete, Some(ID)) };
        assert_eq!(doors().ask(with).await.body["as"], "Bearer begreb_t_x");
    }

    #[tokio::test]
    async fn an_address_that_is_not_there_is_told_in_the_same_form() {
        let doors = Doors { router: Router::new(), registry: None };
        let answer = doors.ask(ask(Operation::Read, Some(ID))).await;
        assert_eq!(answer, Answer { status: 404, body: json!({ "error": 404, "text": "404 Not Found" }) });
    }
}
