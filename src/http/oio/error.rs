//! Refusals in OIO's form: `{"message": …}`, with a `context` where a value is wrong, and what is no address at all.

use axum::Json;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::http::problem::status;
use crate::model::{Category, Code, Refusal};

/// A refusal on its way out of OIO's doors. Texts are English, as clients of the interface know them.
pub struct Wrong(pub Refusal);

impl From<Refusal> for Wrong {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl IntoResponse for Wrong {
    fn into_response(self) -> Response {
        let (status, body) = self.parts();
        answer(status, &body)
    }
}

impl Wrong {
    /// Its status and body.
    pub fn parts(self) -> (StatusCode, Value) {
        let refusal = self.0;
        if refusal.code == Code::Syntax {
            // What is no object at all.
            return (StatusCode::BAD_REQUEST, json!({ "uuid": null }));
        }
        let mut body = json!({ "message": refusal.en });
        if let Code::InvalidTime | Code::InvalidParameter | Code::EmptyPeriod = refusal.code {
            body["context"] = json!(context(&refusal));
        }
        let status = match refusal.code.category() {
            // The interface knows one status for all that a client does wrong.
            Category::Unlawful => StatusCode::BAD_REQUEST,
            // 409 is what somebody else changed meanwhile, and nothing else.
            Category::Conflict if refusal.code == Code::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Category::Conflict if refusal.code == Code::Governance => StatusCode::FORBIDDEN,
            Category::Conflict if refusal.code != Code::Conflict => StatusCode::BAD_REQUEST,
            // A target that is not there is the fault of who names it; the object itself is not found elsewhere.
            Category::Missing if !matches!(refusal.code, Code::NotFound | Code::Gone) => StatusCode::BAD_REQUEST,
            Category::TooLarge if refusal.code != Code::TooLarge => StatusCode::BAD_REQUEST,
            _ => status(&refusal),
        };
        (status, body)
    }
}

/// Where it is wrong, and what would have been right.
fn context(refusal: &Refusal) -> String {
    match (refusal.place.is_empty(), refusal.allowed.is_empty()) {
        (_, true) => refusal.place.to_string(),
        (true, false) => refusal.allowed.join(" | "),
        (false, false) => format!("{}: {}", refusal.place, refusal.allowed.join(" | ")),
    }
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert("cache-control", axum::http::HeaderValue::from_static("no-store"));
    response
}

/// An address that there is not.
pub fn no_such(uri: &Uri) -> Response {
    let text = format!("404 Not Found: {} is no address of OIO Klassifikation here.", uri.path());
    answer(StatusCode::NOT_FOUND, &json!({ "error": 404, "text": text }))
}

/// The same for what no route takes.
pub async fn nothing_here(uri: axum::extract::OriginalUri) -> Response {
    no_such(&uri.0)
}

/// An address that does not take a method.
pub async fn other_method(method: Method) -> Response {
    let text = format!("405 Method Not Allowed: {method}");
    answer(StatusCode::METHOD_NOT_ALLOWED, &json!({ "error": 405, "text": text }))
}
