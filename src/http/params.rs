//! Parameters: a struct's fields are what an address takes, and its documentation; anything else is refused.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use uuid::Uuid;

use super::problem::Failure;
use crate::model::{Code, Place, Refusal, Result};

/// The parameters of a request as up to three structs, so that addresses can share them. An unknown
/// parameter, one that comes twice, or one of the wrong type is refused with what is allowed.
pub struct Params<A, B = Nothing, C = Nothing>(pub A, pub B, pub C);

/// No more parameters.
#[derive(Default, serde::Deserialize, IntoParams)]
pub struct Nothing {}

impl<S, A, B, C> FromRequestParts<S> for Params<A, B, C>
where
    S: Sync,
    A: DeserializeOwned + Default + IntoParams + 'static,
    B: DeserializeOwned + Default + IntoParams + 'static,
    C: DeserializeOwned + Default + IntoParams + 'static,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        match parts.uri.query() {
            None | Some("") => Ok(Self(A::default(), B::default(), C::default())),
            Some(query) => Ok(parse(query)?),
        }
    }
}

fn parse<A, B, C>(query: &str) -> Result<Params<A, B, C>>
where
    A: DeserializeOwned + IntoParams + 'static,
    B: DeserializeOwned + IntoParams + 'static,
    C: DeserializeOwned + IntoParams + 'static,
{
    let known = [names::<A>(), names::<B>(), names::<C>()];
    let mut parts = [(); 3].map(|()| form_urlencoded::Serializer::new(String::new()));
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match known.iter().position(|names| names.iter().any(|n| *n == name)) {
            Some(part) => drop(parts[part].append_pair(&name, &value)),
            None => {
                let mut allowed: Vec<String> = known.iter().flat_map(|names| names.iter().cloned()).collect();
                allowed.sort();
                let name: String = name.chars().take(80).collect();
                return Err(Refusal::new(
                    Code::UnknownParameter,
                    format!("adressen tager ikke parameteren »{name}«"),
                    format!("the address does not take the parameter '{name}'"),
                )
                .at(Place::field(name))
                .allowed(allowed));
            }
        }
    }
    let [mut a, mut b, mut c] = parts;
    Ok(Params(read(&a.finish())?, read(&b.finish())?, read(&c.finish())?))
}

/// Reads one struct from its parameters. When that fails, the parameters are tried one at a time, so that the
/// refusal names the one that is wrong.
fn read<T: DeserializeOwned>(query: &str) -> Result<T> {
    let error = match serde_urlencoded::from_str(query) {
        Ok(read) => return Ok(read),
        Err(error) => error,
    };
    let mut seen = std::collections::HashSet::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if !seen.insert(name.clone()) {
            return Err(Refusal::new(
                Code::InvalidParameter,
                format!("parameteren {name} er der to gange"),
                format!("the parameter {name} is there twice"),
            )
            .at(Place::field(name)));
        }
        let alone = form_urlencoded::Serializer::new(String::new()).append_pair(&name, &value).finish();
        if let Err(error) = serde_urlencoded::from_str::<T>(&alone) {
            return Err(wrong(&name, &value, &error.to_string()));
        }
    }
    Err(wrong("?", &error.to_string(), ""))
}

/// The refusal of a value: one of the names that the reader expected, else a number; all else is read as text.
fn wrong(name: &str, value: &str, error: &str) -> Refusal {
    let value: String = value.chars().take(80).collect();
    let (da, en) = (format!("{name} kan ikke være »{value}«"), format!("{name} cannot be '{value}'"));
    // Of what is true or false it says so alone.
    let truth = if error.contains("`true`") { error } else { "" };
    let names = error.rsplit_once("expected").map_or(truth, |(_, names)| names);
    let mut allowed: Vec<&str> = names.split('`').skip(1).step_by(2).collect();
    if allowed.is_empty() {
        allowed.push("a whole number");
    }
    Refusal::new(Code::InvalidParameter, da, en).at(Place::field(name)).allowed(allowed)
}

/// The names of a struct's parameters, asked for once.
fn names<T: IntoParams + 'static>() -> std::sync::Arc<[String]> {
    static KNOWN: RwLock<Option<HashMap<TypeId, std::sync::Arc<[String]>>>> = RwLock::new(None);
    let id = TypeId::of::<T>();
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(|k| k.get(&id).cloned());
    known.unwrap_or_else(|| {
        let names: std::sync::Arc<[String]> = T::into_params(|| None).into_iter().map(|p| p.name).collect();
        let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
        known.get_or_insert_default().insert(id, names.clone());
        names
    })
}

/// The refusal of a value that is not one of a few.
pub fn not_one_of(name: &str, value: &str, allowed: &[&str]) -> Refusal {
    let value: String = value.chars().take(80).collect();
    Refusal::new(
        Code::InvalidParameter,
        format!("{name} kan ikke være »{value}«"),
        format!("{name} cannot be '{value}'"),
    )
    .at(Place::field(name))
    .allowed(allowed.iter().copied())
}

/// The uuid in an address.
pub fn uuid(text: &str) -> Result<Uuid> {
    Uuid::parse_str(text).map_err(|_| {
        let text: String = text.chars().take(80).collect();
        let (da, en) = (format!("»{text}« er ikke en uuid"), format!("'{text}' is not a uuid"));
        Refusal::new(Code::InvalidIdentifier, da, en)
    })
}
