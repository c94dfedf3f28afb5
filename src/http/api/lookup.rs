//! What is this code, and may it be used.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::App;
use crate::http::negotiate::Caller;
use crate::http::negotiate::language;
use crate::http::params::{Nothing, Params};
use crate::http::problem::{Failure, Refused};
use crate::http::reply::Reply;
use crate::model::{Code, Place, Refusal, Result};
use crate::registry::{At, Resolution, ValidateItem, Validation};

/// The most codes in one validation.
const LARGEST_BATCH: usize = 10_000;

/// What to resolve: `uri` alone, or `system` and `code`.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ResolveParams {
    /// The IRI of a concept, or another identifier that it is known by.
    uri: Option<String>,
    /// The vocabulary: slug, uuid, IRI, OID or FHIR url.
    #[param(example = "urn:oid:1.2.208.176.2.21")]
    system: Option<String>,
    /// A notation, alias or uuid, of any time.
    #[param(example = "J1.4")]
    code: Option<String>,
}

/// What an identifier leads to. An old code, a retired concept or an alias always resolves, with what replaced
/// it.
#[utoipa::path(get, path = "/resolve", operation_id = "resolve", tag = "codes", params(ResolveParams, At),
    responses((status = 200, body = Resolution), Refused<400>, Refused<404>))]
pub async fn resolve(
    State(app): State<App>,
    Params(params, at, _): Params<ResolveParams, At>,
    Caller(headers): Caller,
) -> Result<Response, Failure> {
    let language = language(&headers);
    let found = match (&params.uri, &params.system, &params.code) {
        (Some(uri), None, None) => app.resolve_iri(uri, &at, &language)?,
        (None, Some(system), Some(code)) => app.resolve_code(system, code, &at, &language)?,
        _ => {
            let (da, en) = ("angiv uri, eller system og code", "give uri, or system and code");
            return Err(Refusal::new(Code::InvalidParameter, da, en).allowed(["uri", "system, code"]).into());
        }
    };
    Ok(Reply::json(&found, false).respond(&headers))
}

/// One code, or many.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ValidateBody {
    /// Up to 10 000 codes.
    Many {
        /// The codes.
        items: Vec<ValidateItem>,
    },
    /// One code.
    One(ValidateItem),
}

/// The answers, in the order of the codes.
#[derive(Serialize, ToSchema)]
pub struct Validations {
    /// How many codes may be used as they were given.
    valid: usize,
    /// How many may not.
    invalid: usize,
    /// One answer for each code.
    items: Vec<Validation>,
}

/// Whether codes may be used on a day or in a version, and what replaces those that may not. The body is one
/// code, or `{"items": […]}`.
#[utoipa::path(post, path = "/validate", operation_id = "validate", tag = "codes", request_body = ValidateBody,
    responses(
        (status = 200, description = "A `Validation` for one code, `Validations` for many", body = Validations),
        Refused<400>, Refused<413>))]
pub async fn validate(
    State(app): State<App>,
    _: Params<Nothing>,
    Caller(headers): Caller,
    body: Bytes,
) -> Result<Response, Failure> {
    let language = language(&headers);
    let reply = match read(&body)? {
        ValidateBody::One(item) => Reply::json(&app.validate(&item, &language), false),
        ValidateBody::Many { items } => {
            if items.len() > LARGEST_BATCH {
                let (da, en) = ("flere end 10 000 koder på en gang", "more than 10 000 codes at once");
                return Err(Refusal::new(Code::TooLarge, da, en).at(Place::field("items")).into());
            }
            let items: Vec<Validation> = items.iter().map(|item| app.validate(item, &language)).collect();
            let valid = items.iter().filter(|v| v.valid).count();
            Reply::json(&Validations { valid, invalid: items.len() - valid, items }, false)
        }
    };
    Ok(reply.respond(&headers))
}

/// Reads the body by its shape, so that the refusal names the field and not just "no variant matches".
fn read(body: &[u8]) -> Result<ValidateBody> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Items {
        items: Vec<ValidateItem>,
    }
    let many = serde_json::from_slice::<serde_json::Value>(body).is_ok_and(|v| v.get("items").is_some());
    let read = if many {
        serde_json::from_slice::<Items>(body).map(|b| ValidateBody::Many { items: b.items })
    } else {
        serde_json::from_slice(body).map(ValidateBody::One)
    };
    read.map_err(|e| {
        let place = Place::line(e.line() as u64, e.column() as u64);
        let (da, en) = (format!("kroppen kan ikke læses: {e}"), format!("the body cannot be read: {e}"));
        let shapes = [r#"{"system": "fsiii", "code": "J1.4", "date": "2024-10-31"}"#, r#"{"items": [{…}, …]}"#];
        Refusal::new(Code::InvalidBody, da, en).at(place).allowed(shapes)
    })
}
