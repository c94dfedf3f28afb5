//! Search, and suggestions while one types.

use std::num::NonZero;
use std::sync::LazyLock;
use std::time::Duration;

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use serde::Deserialize;
use tokio::sync::Semaphore;
use utoipa::IntoParams;

use super::App;
use crate::http::negotiate::{Caller, language, media};
use crate::http::params::{Params, not_one_of};
use crate::http::problem::{Failure, Problem, Refused};
use crate::http::reply::{Reply, next_link};
use crate::model::{Code, Refusal, Result};
use crate::registry::{At, SearchAnswer, SearchFilter, SuggestAnswer};

/// How long a search waits for its turn.
const WAIT: Duration = Duration::from_secs(2);
/// How many hits a page has when nothing is said.
const USUAL_PAGE: usize = 20;
/// How many suggestions when nothing is said.
const USUAL_SUGGESTIONS: usize = 10;
/// The media type of OpenSearch Suggestions.
const SUGGESTIONS: &str = "application/x-suggestions+json";

/// How hits are paged.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// How many hits on a page: 1 to 1000, usually 20.
    limit: Option<i64>,
    /// Where to go on: from the `Link` header of the page before.
    pub cursor: Option<String>,
}

impl Paging {
    /// How many hits on a page.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] for a number below nought; the registry refuses the others.
    pub fn limit(&self) -> Result<usize> {
        number(self.limit, USUAL_PAGE, "1..1000")
    }
}

/// How suggestions are written.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Suggesting {
    /// How many suggestions: 1 to 100, usually 10.
    limit: Option<i64>,
    /// `json`, or `opensearch` for OpenSearch Suggestions; else by `Accept`.
    format: Option<String>,
}

fn number(limit: Option<i64>, usual: usize, allowed: &str) -> Result<usize> {
    limit.map_or(Ok(usual), |n| usize::try_from(n).map_err(|_| not_one_of("limit", &n.to_string(), &[allowed])))
}

/// Does on a thread for long work what may take milliseconds: the threads that answer everybody go on.
pub async fn aside<T: Send + 'static>(work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    // As many at once as there are cores: more would only take them from those who read.
    static TURNS: LazyLock<Semaphore> =
        LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(2, NonZero::get)));
    let Ok(Ok(_turn)) = tokio::time::timeout(WAIT, TURNS.acquire()).await else {
        let (da, en) = ("der søges for meget på en gang", "there are too many searches at once");
        return Err(Refusal::new(Code::Busy, da, en));
    };
    let runtime = tokio::runtime::Handle::current();
    let done = tokio::task::spawn_blocking(move || runtime.block_on(work)).await;
    done.unwrap_or_else(|failed| match failed.try_into_panic() {
        // The edge answers for it, as for every panic.
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(e) => Err(Refusal::new(Code::Internal, e.to_string(), e.to_string())),
    })
}

/// Searches all vocabularies at a point of the two times: terms, notations and other identifiers, definitions, notes.
/// One concept is one hit. The order: the notation or a preferred term is the query; another term is; a term begins with
/// it; all words in terms; in definitions; in notes. In each, what is in force comes first.
#[utoipa::path(get, path = "/search", operation_id = "search", tag = "search",
    params(SearchFilter, At, Paging),
    responses(
        (status = 200, headers(("x-total-count" = u64), ("link" = String)), body = SearchAnswer),
        Refused<400>, Refused<404>,
        (status = 503, description = "The index is being built", body = Problem, content_type = "application/problem+json")))]
pub async fn search(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    Params(filter, at, paging): Params<SearchFilter, At, Paging>,
    Caller(headers): Caller,
) -> Result<Response, Failure> {
    let (limit, language) = (paging.limit()?, language(&headers));
    let answer =
        aside(async move { app.search(&filter, &at, limit, paging.cursor.as_deref(), &language).await }).await?;
    let mut reply = Reply::json(&answer, false);
    reply.link = answer.next.as_deref().map(|cursor| next_link(&uri, cursor));
    reply.total = Some(answer.total);
    Ok(reply.respond(&headers))
}

/// Completes what is being typed: concepts of which a term or the notation begins so, or has a later word that does.
#[utoipa::path(get, path = "/suggest", operation_id = "suggest", tag = "search",
    params(SearchFilter, At, Suggesting),
    responses(
        (status = 200, description = "OpenSearch Suggestions: the query, the terms, what they stand for, their addresses",
            content((SuggestAnswer = "application/json"), (Vec<Object> = "application/x-suggestions+json"))),
        Refused<400>, Refused<404>,
        (status = 503, description = "The index is being built", body = Problem, content_type = "application/problem+json")))]
pub async fn suggest(
    State(app): State<App>,
    Params(filter, at, suggesting): Params<SearchFilter, At, Suggesting>,
    Caller(headers): Caller,
) -> Result<Response, Failure> {
    let opensearch = match suggesting.format.as_deref() {
        None => media(&headers, &["application/json", SUGGESTIONS]) == Some(SUGGESTIONS),
        Some("json") => false,
        Some("opensearch") => true,
        Some(other) => return Err(not_one_of("format", other, &["json", "opensearch"]).into()),
    };
    let limit = number(suggesting.limit, USUAL_SUGGESTIONS, "1..100")?;
    let (asked, language) = (filter.q.clone(), language(&headers));
    let answer = aside(async move { app.suggest(&filter, &at, limit, &language).await }).await?;
    let reply = if opensearch {
        let described = answer.suggestions.iter().map(|s| {
            let path = s.broader.iter().map(|b| &*b.label).chain([&*s.label]).collect::<Vec<_>>().join(" › ");
            format!("{path} ({})", s.vocabulary)
        });
        let parts = (
            asked.as_deref().unwrap_or_default(),
            answer.suggestions.iter().map(|s| &*s.matched).collect::<Vec<_>>(),
            described.collect::<Vec<_>>(),
            answer.suggestions.iter().map(|s| &*s.iri).collect::<Vec<_>>(),
        );
        let bytes =
            serde_json::to_vec(&parts).map_err(|e| Refusal::new(Code::Internal, e.to_string(), e.to_string()))?;
        Reply::bytes(bytes, SUGGESTIONS, false)
    } else {
        Reply::json(&answer, false)
    };
    Ok(reply.respond(&headers))
}
