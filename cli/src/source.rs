//! Where readings come from: the registry in the database, or a running server. Both answer the JSON of the API.

use std::io::Write;

use begreb::exchange::{Columns, Format, MigrationFormat, codes_in};
use begreb::model::{Code, Refusal};
use begreb::registry::{At, CheckRequest, Registry, SearchFilter, ValidateItem};
use serde::Serialize;
use serde_json::Value;

use crate::lang::Lang;
use crate::remote::{Server, encode, query};
use crate::stop::Result;

/// Where readings come from.
pub enum Source<'a> {
    /// The registry itself.
    Here(&'a Registry, Lang),
    /// A server.
    There(Server),
}

impl Source<'_> {
    /// Every vocabulary.
    pub fn vocabularies(&self) -> Result<Vec<Value>> {
        match self {
            Self::Here(registry, _) => registry.vocabularies().iter().map(value).collect(),
            Self::There(server) => server.list("/api/v1/vocabularies"),
        }
    }

    /// One vocabulary.
    pub fn vocabulary(&self, slug: &str) -> Result<Value> {
        match self {
            Self::Here(registry, _) => value(&registry.vocabulary(slug)?),
            Self::There(server) => parsed(&server.get(&path(slug, ""), &[])?, server),
        }
    }

    /// The versions of a vocabulary, newest first.
    pub fn versions(&self, slug: &str) -> Result<Vec<Value>> {
        match self {
            Self::Here(registry, _) => registry.versions(slug)?.iter().map(value).collect(),
            Self::There(server) => server.list(&path(slug, "/versions")),
        }
    }

    /// A concept: its JSON as the API writes it.
    pub fn concept(&self, slug: &str, key: &str, at: &At) -> Result<String> {
        match self {
            Self::Here(registry, lang) => {
                let view = registry.view(slug, at)?;
                text(registry.concept(&view, key, lang.tag())?.to_json())
            }
            Self::There(server) => server.get(&path(slug, &format!("/concepts/{}", encode(key))), &query(at)),
        }
    }

    /// The history of a concept; with `ever`, also what was said before and is no longer.
    pub fn history(&self, slug: &str, key: &str, ever: bool) -> Result<String> {
        match self {
            Self::Here(registry, _) => json(&registry.history(slug, key, &At::default(), ever)?),
            Self::There(server) => {
                let query: &[_] = if ever { &[("registrations", "all")] } else { &[] };
                server.get(&path(slug, &format!("/concepts/{}/history", encode(key))), query)
            }
        }
    }

    /// The typed changes between two readings.
    pub fn changes(&self, slug: &str, from: &str, to: Option<&str>) -> Result<String> {
        match self {
            Self::Here(registry, _) => json(&registry.changes(slug, from, to, None)?),
            Self::There(server) => {
                let query: Vec<_> = std::iter::once(("from", from)).chain(to.map(|to| ("to", to))).collect();
                server.get(&path(slug, "/changes"), &query)
            }
        }
    }

    /// What each code of one version is in another, in a format.
    pub fn migration(&self, slug: &str, from: &str, to: Option<&str>, format: MigrationFormat) -> Result<String> {
        match self {
            Self::Here(registry, lang) => text(registry.migration(slug, from, to, lang.tag())?.write(format)?),
            Self::There(server) => {
                let mut query: Vec<_> = std::iter::once(("from", from)).chain(to.map(|to| ("to", to))).collect();
                query.push(("format", format.name()));
                server.get(&path(slug, "/migration"), &query)
            }
        }
    }

    /// What becomes of the codes of a list: the JSON of the report.
    pub fn check(&self, list: &[u8], columns: &Columns, asked: &CheckRequest) -> Result<String> {
        match self {
            Self::Here(registry, lang) => json(&registry.check_codes(&codes_in(list, columns)?, asked, lang.tag())?),
            Self::There(server) => {
                let days = asked.horizon.map(|days| days.to_string());
                let heading = columns.heading.map(|heading| heading.to_string());
                let pairs = [
                    ("on", &asked.on),
                    ("horizon", &days),
                    ("vocabulary", &asked.vocabulary),
                    ("column", &columns.column),
                    ("heading", &heading),
                ];
                let query: Vec<_> = pairs.iter().filter_map(|(n, v)| Some((*n, v.as_deref()?))).collect();
                Ok(server.send("/api/v1/check", &query, None, list)?.to_string())
            }
        }
    }

    /// The answers for codes, in their order.
    pub fn validate(&self, items: &[ValidateItem]) -> Result<Vec<Value>> {
        match self {
            Self::Here(registry, lang) => items.iter().map(|i| value(&registry.validate(i, lang.tag()))).collect(),
            Self::There(server) => {
                // What is not asked for is not sent.
                let plain = |item| {
                    let mut item = value(item)?;
                    if let Value::Object(members) = &mut item {
                        members.retain(|_, v| !v.is_null());
                    }
                    Ok(item)
                };
                server.validate(&items.iter().map(plain).collect::<Result<Vec<_>>>()?)
            }
        }
    }

    /// What a search finds.
    pub async fn search(&self, filter: &SearchFilter, at: &At, limit: usize, cursor: Option<&str>) -> Result<String> {
        match self {
            Self::Here(registry, lang) => json(&registry.search(filter, at, limit, cursor, lang.tag()).await?),
            Self::There(server) => asked(server, "/api/v1/search", filter, at, limit, cursor),
        }
    }

    /// What begins with what is being typed.
    pub async fn suggest(&self, filter: &SearchFilter, at: &At, limit: usize) -> Result<String> {
        match self {
            Self::Here(registry, lang) => json(&registry.suggest(filter, at, limit, lang.tag()).await?),
            Self::There(server) => asked(server, "/api/v1/suggest", filter, at, limit, None),
        }
    }

    /// Writes all of a vocabulary.
    pub fn export(&self, slug: &str, at: &At, format: Format, out: &mut dyn Write) -> Result {
        match self {
            Self::Here(registry, _) => Ok(registry.export(&registry.view(slug, at)?, format, out)?),
            Self::There(server) => {
                let mut parameters = vec![("format", format.name())];
                parameters.extend(query(at));
                server.copy(&path(slug, "/export"), &parameters, out)
            }
        }
    }

    /// Reads an answer.
    pub fn read(&self, text: &str) -> Result<Value> {
        match self {
            Self::Here(..) => serde_json::from_str(text).map_err(|e| internal(&e).into()),
            Self::There(server) => parsed(text, server),
        }
    }
}

/// What a server answers to a filter: its members are the parameters.
fn asked(
    server: &Server,
    path: &str,
    filter: &SearchFilter,
    at: &At,
    limit: usize,
    cursor: Option<&str>,
) -> Result<String> {
    let (members, limit) = (value(filter)?, limit.to_string());
    let members: Vec<(&str, String)> = members
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.as_str(), value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)))
        .collect();
    let mut parameters: Vec<(&str, &str)> = members.iter().map(|(name, value)| (*name, value.as_str())).collect();
    parameters.extend(query(at));
    parameters.push(("limit", &limit));
    parameters.extend(cursor.map(|cursor| ("cursor", cursor)));
    server.get(path, &parameters)
}

fn path(slug: &str, rest: &str) -> String {
    format!("/api/v1/vocabularies/{}{rest}", encode(slug))
}

fn parsed(text: &str, server: &Server) -> Result<Value> {
    serde_json::from_str(text).map_err(|e| server.strange(&e.to_string()).into())
}

fn value(answer: &impl Serialize) -> Result<Value> {
    serde_json::to_value(answer).map_err(|e| internal(&e).into())
}

/// An answer as the API writes it.
pub fn json(answer: &impl Serialize) -> Result<String> {
    serde_json::to_string(answer).map_err(|e| internal(&e).into())
}

fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|e| internal(&e).into())
}

fn internal(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::new(
        Code::Internal,
        format!("svaret kan ikke læses: {error}"),
        format!("the answer cannot be read: {error}"),
    )
}
