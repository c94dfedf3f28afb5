//! The change log as a feed: read on from a position, wait for more, or be told as it happens.

use std::convert::Infallible;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use serde::Deserialize;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant as Deadline;
use utoipa::IntoParams;

use super::App;
use crate::exchange::paper::{Tongue, told_kinds};
use crate::http::negotiate::{Caller, reads_danish};
use crate::http::params::{Params, not_one_of};
use crate::http::places::{Place as Stay, Places};
use crate::http::problem::{Failure, Refused};
use crate::http::reply::Reply;
use crate::http::who;
use crate::model::{Code, ConceptChange, Event, EventFilter, EventType, Place, Reference, Refusal, Result, Side};
use crate::registry::{FeedAnswer, FeedFilter};

/// The most events of an answer, and how many when nothing is said.
const MOST: usize = 1000;
const USUAL: usize = 100;
/// How many entries a page of the Atom feed has.
const ENTRIES: usize = 50;
/// The longest wait for more, in seconds.
const LONGEST_WAIT: u64 = 60;
/// How many may wait at once, and how many streams may be open, a part of them by one client: more are told to come
/// back.
const WAITING: usize = 500;
const STREAMS: usize = 2000;
/// How often a stream is heard of when nothing happens.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How many events a stream fetches at a time, and how many of them it puts in words before others have a turn.
const FETCHED: usize = 200;
const WORDED: usize = 25;
/// How many streams put events in words at once. Many that read from the beginning would otherwise stand, all of them,
/// before whoever asks for something else.
const WORDING: usize = 4;

/// Whether the server is about to stop: streams have no end of their own.
#[derive(Clone)]
pub struct Closing(pub watch::Receiver<bool>);

/// Where to go on.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct From {
    /// The position after which to read: `position` of the answer before; 0 reads from the beginning.
    after: Option<i64>,
    /// How many events: 1 to 1000, usually 100.
    limit: Option<i64>,
    /// For how many seconds to wait when there is nothing more: 0 to 60, usually 0.
    wait: Option<i64>,
}

impl From {
    fn limit(&self) -> Result<usize> {
        let given = self.limit.map_or(Ok(USUAL), usize::try_from).ok().filter(|n| (1..=MOST).contains(n));
        given.ok_or_else(|| not_one_of("limit", &self.limit.unwrap_or_default().to_string(), &["1..1000"]))
    }

    fn wait(&self) -> Result<Duration> {
        let given = self.wait.map_or(Ok(0), u64::try_from).ok().filter(|n| *n <= LONGEST_WAIT);
        let refused = || not_one_of("wait", &self.wait.unwrap_or_default().to_string(), &["0..60"]);
        given.map(Duration::from_secs).ok_or_else(refused)
    }
}

/// What is public in the change log, in its order: vocabularies, what was said of concepts (typed, with what was there
/// before and what replaces it), versions, days that come, public hearings. Read on with `after=` the `position` of the
/// answer, as long as `more` is true at once; with `wait=` the answer comes when there is something new. Whoever keeps
/// the position misses nothing.
#[utoipa::path(get, path = "/changes", operation_id = "feed", tag = "changes", params(FeedFilter, From),
    responses((status = 200, body = FeedAnswer, headers(("link" = String))), Refused<400>, Refused<404>))]
pub async fn feed(
    State(app): State<App>,
    Params(asked, from, ..): Params<FeedFilter, From>,
    closing: Option<Extension<Closing>>,
    client: who::From,
    Caller(headers): Caller,
    uri: axum::extract::OriginalUri,
) -> Result<Response, Failure> {
    static WAITERS: LazyLock<Arc<Places>> = LazyLock::new(|| Places::new(WAITING));
    let (filter, limit, wait) = (asked.filter(&app)?, from.limit()?, from.wait()?);
    let mut after = from.after.unwrap_or(0);
    app.within_log("after", after)?;
    // Subscribed before the log is read: what is written meanwhile wakes it.
    let mut positions = app.positions();
    let mut until = (!wait.is_zero()).then(|| Deadline::now() + wait);
    let mut stay = None;
    let mut closing = closing.map(|Extension(Closing(closing))| closing);
    loop {
        positions.borrow_and_update();
        let read = app.events(after, limit, &filter).await?;
        let more = read.position < read.head;
        let until = match until.as_mut() {
            Some(until) if read.events.is_empty() && !more => until,
            _ => {
                let answer = FeedAnswer { events: read.events, position: read.position, more };
                // With more to come after it, this part of the log is as it will be for ever.
                let mut reply = Reply::json(&answer, more);
                if more || !answer.events.is_empty() {
                    reply.link = Some(next(&uri.0, answer.position));
                }
                return Ok(reply.respond(&headers));
            }
        };
        after = read.position;
        if stay.is_none() {
            let place = WAITERS.take(client.0.clone());
            stay = Some(place.ok_or_else(|| crowded("der er for mange, der venter", "too many are waiting"))?);
        }
        let stopped = async {
            match &mut closing {
                Some(closing) => drop(closing.wait_for(|closing| *closing).await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = positions.changed() => drop(changed),
            () = tokio::time::sleep_until(*until) => *until = Deadline::now(),
            () = stopped => *until = Deadline::now(),
        }
        if *until <= Deadline::now() {
            return Ok(
                Reply::json(&FeedAnswer { events: Vec::new(), position: after, more: false }, false).respond(&headers)
            );
        }
    }
}

/// The same address from another position.
fn next(uri: &axum::http::Uri, position: i64) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if name != "after" {
            query.append_pair(&name, &value);
        }
    }
    query.append_pair("after", &position.to_string());
    format!("<{}?{}>; rel=\"next\"", uri.path(), query.finish())
}

/// Where a stream begins.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Since {
    /// The position after which to begin; the header `Last-Event-ID` goes before it. Without either: from now on.
    after: Option<i64>,
}

/// The feed as it happens: server-sent events, each with its position as `id`, its type as `event`, and the event as
/// `data`. A browser or client that reconnects sends `Last-Event-ID` and misses nothing.
#[utoipa::path(get, path = "/changes/stream", operation_id = "stream", tag = "changes",
    params(FeedFilter, Since, ("last-event-id" = Option<i64>, Header, description = "The last position that was received")),
    responses((status = 200, content_type = "text/event-stream", body = String), Refused<400>, Refused<503>))]
pub async fn stream(
    State(app): State<App>,
    Params(asked, since, ..): Params<FeedFilter, Since>,
    closing: Option<Extension<Closing>>,
    client: who::From,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    static OPEN: LazyLock<Arc<Places>> = LazyLock::new(|| Places::new(STREAMS));
    let filter = asked.filter(&app)?;
    let last = last_event(&headers)?;
    let after = last.or(since.after).unwrap_or_else(|| app.snapshot().position);
    app.within_log(last.map_or("after", |_| "Last-Event-ID"), after)?;
    let stay = OPEN.take(client.0);
    let stay = stay.ok_or_else(|| crowded("der er for mange åbne strømme", "there are too many open streams"))?;
    let told = Told {
        positions: app.positions(),
        app,
        filter,
        after,
        fetched: Vec::new().into_iter(),
        worded: Vec::new().into_iter(),
        reached: after,
        closing: closing.map(|Extension(Closing(closing))| closing),
        _stay: stay,
    };
    let sse = Sse::new(told.stream()).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    let mut response = sse.into_response();
    // Buffers on the way would hold events back.
    response.headers_mut().insert("x-accel-buffering", axum::http::HeaderValue::from_static("no"));
    Ok(response)
}

/// There is no place to stay now.
fn crowded(da: &'static str, en: &'static str) -> Refusal {
    Refusal::new(Code::Busy, da, en).retry_after(5)
}

fn last_event(headers: &HeaderMap) -> Result<Option<i64>> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let position = value.to_str().ok().and_then(|v| v.trim().parse().ok());
    position.map(Some).ok_or_else(|| {
        let (da, en) = ("Last-Event-ID er ikke en position", "Last-Event-ID is not a position");
        Refusal::new(Code::InvalidCursor, da, en).at(Place::field("Last-Event-ID"))
    })
}

/// A stream under way: it fetches when its reader has read, and holds no more than it has fetched.
struct Told {
    app: App,
    filter: EventFilter,
    after: i64,
    fetched: std::vec::IntoIter<Arc<Event>>,
    /// The next of them in words, each with its position.
    worded: std::vec::IntoIter<(i64, Sent)>,
    /// The last position that the reader was told.
    reached: i64,
    positions: watch::Receiver<i64>,
    closing: Option<watch::Receiver<bool>>,
    _stay: Stay,
}

impl Told {
    fn stream(self) -> impl Stream<Item = Result<Sent, Infallible>> {
        futures::stream::unfold(self, |mut told| async move { told.next().await.map(|sent| (Ok(sent), told)) })
    }

    /// Some of what was fetched in words; others have their turn meanwhile.
    async fn word(&mut self) -> Vec<(i64, Sent)> {
        static TURNS: Semaphore = Semaphore::const_new(WORDING);
        let _turn = TURNS.acquire().await;
        let worded = self.fetched.by_ref().take(WORDED).map(|event| worded(&event)).collect();
        // The turn is kept until everything else that is ready has run.
        tokio::task::yield_now().await;
        worded
    }

    async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some((position, sent)) = self.worded.next() {
                self.reached = position;
                return Some(sent);
            }
            if self.fetched.len() > 0 {
                self.worded = self.word().await.into_iter();
                continue;
            }
            self.positions.borrow_and_update();
            // What cannot be read ends the stream: the reader comes back with its position.
            let read = self.app.events(self.after, FETCHED, &self.filter).await.ok()?;
            let is_end = read.position >= read.head;
            (self.after, self.fetched) = (read.position, read.events.into_iter());
            if !is_end || self.fetched.len() > 0 {
                continue;
            }
            let stopped = async {
                match &mut self.closing {
                    Some(closing) => drop(closing.wait_for(|closing| *closing).await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = self.positions.changed() => changed.ok()?,
                // A reader that wants little is told how far the log was read, so that it need not be read again.
                () = tokio::time::sleep(HEARTBEAT), if self.reached < self.after => {
                    self.reached = self.after;
                    return Some(Sent::default().id(self.after.to_string()));
                }
                () = stopped => return None,
            }
        }
    }
}

fn worded(event: &Event) -> (i64, Sent) {
    let data = serde_json::to_string(event).unwrap_or_default();
    let sent = Sent::default().id(event.position.to_string()).event(event.r#type.as_str()).data(data);
    (event.position, sent)
}

/// Which page of the Atom feed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Before {
    /// The position up to which to read, newest first; from the link `next` of the page before.
    before: Option<i64>,
}

/// The newest changes as an Atom feed (RFC 4287), paged towards the past (RFC 5005). Unless types, concepts or kinds are
/// asked for, one entry for each version, day and hearing and none for each concept. Danish or English by
/// `Accept-Language`.
#[utoipa::path(get, path = "/changes.atom", operation_id = "atom", tag = "changes", params(FeedFilter, Before),
    responses((status = 200, content_type = "application/atom+xml", body = String), Refused<400>))]
pub async fn atom(
    State(app): State<App>,
    Params(asked, from, ..): Params<FeedFilter, Before>,
    Caller(headers): Caller,
    uri: axum::extract::OriginalUri,
) -> Result<Response, Failure> {
    let mut filter = asked.filter(&app)?;
    if filter.types.is_empty() && filter.concepts.is_empty() && filter.kinds.is_empty() {
        let of_concept = |t: &EventType| t.as_str().starts_with("concept.");
        filter.types = EventType::ALL.into_iter().filter(|t| !of_concept(t)).collect();
    }
    if let Some(before) = from.before {
        app.within_log("before", before)?;
    }
    let read = app.events_before(from.before, ENTRIES, &filter).await?;
    let (da, url) = (reads_danish(&headers), app.settings().public_url.as_str());
    let rest = |without: &str| {
        let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let mut query = form_urlencoded::Serializer::new(String::new());
        pairs.filter(|(name, _)| name != without).for_each(|(name, value)| {
            query.append_pair(&name, &value);
        });
        query.finish()
    };
    let address = |query: String| match query.as_str() {
        "" => format!("{url}/api/v1/changes.atom"),
        query => format!("{url}/api/v1/changes.atom?{query}"),
    };
    let older = (read.position > 0).then(|| {
        let (rest, position) = (rest("before"), read.position);
        address(if rest.is_empty() { format!("before={position}") } else { format!("{rest}&before={position}") })
    });
    let page = AtomPage {
        da,
        url,
        this: address(uri.query().unwrap_or_default().to_owned()),
        feed: address(rest("before")),
        older,
        updated: read.events.first().map_or_else(|| "1970-01-01T00:00:00Z".to_owned(), |e| e.at.to_string()),
        entries: read.events.iter().map(|event| Entry::new(event, url, da)).collect(),
    };
    let rendered = page.render().map_err(|e| Refusal::new(Code::Internal, e.to_string(), e.to_string()))?;
    // XML 1.0 has no room for some characters that a term may hold.
    let lawful: String = rendered
        .chars()
        .filter(|c| !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}'))
        .collect();
    Ok(Reply::bytes(lawful, "application/atom+xml; charset=utf-8", false).respond(&headers))
}

#[derive(Template)]
#[template(path = "changes.atom.xml", escape = "xml")]
struct AtomPage<'a> {
    da: bool,
    url: &'a str,
    this: String,
    feed: String,
    older: Option<String>,
    updated: String,
    entries: Vec<Entry>,
}

/// An entry of the Atom feed.
struct Entry {
    position: i64,
    at: String,
    title: String,
    summary: String,
    link: String,
    r#type: &'static str,
}

impl Entry {
    fn new(event: &Event, url: &str, da: bool) -> Self {
        let say = |danish: String, english: String| if da { danish } else { english };
        let (slug, version) = (&event.vocabulary, event.version.as_ref().map(ToString::to_string).unwrap_or_default());
        let concept = event.concept.as_ref();
        let name = concept.and_then(|c| c.after.as_ref().or(c.before.as_ref())).map(|side| {
            let notation = side.notation.as_deref().map(|n| format!("{n} ")).unwrap_or_default();
            format!("{notation}{}", side.label)
        });
        let name = name.unwrap_or_default();
        let tongue = if da { Tongue::Danish } else { Tongue::English };
        let kinds = concept.map(|c| told_kinds(&c.kinds, c.meaning, tongue).join(", "));
        let from = event.valid_from.and_then(crate::model::Instant::date).map(|d| d.to_string()).unwrap_or_default();
        let since = say(format!("gælder fra {from}"), format!("in force from {from}"));
        let since = if from.is_empty() { String::new() } else { since };
        let title = match event.r#type {
            EventType::VocabularyCreated => say(format!("{slug}: nyt ordforråd"), format!("{slug}: a new vocabulary")),
            EventType::VocabularyChanged => {
                say(format!("{slug}: ordforrådets ramme er ændret"), format!("{slug}: the frame was changed"))
            }
            EventType::VersionPublished => {
                say(format!("{slug}: version {version} er udgivet"), format!("{slug}: version {version} was published"))
            }
            EventType::EditionEffective if version.is_empty() => {
                say(format!("{slug}: ændringer er trådt i kraft"), format!("{slug}: changes have taken effect"))
            }
            EventType::EditionEffective => say(
                format!("{slug}: version {version} er trådt i kraft"),
                format!("{slug}: version {version} has taken effect"),
            ),
            EventType::ConceptStated | EventType::ConceptRetired | EventType::ConceptPassivated => {
                format!("{slug}: {name} – {}", kinds.unwrap_or_default())
            }
            EventType::ConceptEffective => {
                let kinds = kinds.unwrap_or_default();
                say(format!("{slug}: {name} – {kinds}, i kraft nu"), format!("{slug}: {name} – {kinds}, in force now"))
            }
            EventType::HearingOpened | EventType::HearingClosed => {
                let title = event.hearing.as_ref().map(|h| h.title.as_str()).unwrap_or_default();
                if event.r#type == EventType::HearingOpened {
                    say(format!("{slug}: høring åbnet: {title}"), format!("{slug}: hearing opened: {title}"))
                } else {
                    say(format!("{slug}: høring lukket: {title}"), format!("{slug}: hearing closed: {title}"))
                }
            }
        };
        let link = match (&event.hearing, concept) {
            (Some(hearing), _) => format!("{url}/hearings/{}", hearing.uuid),
            (None, Some(concept)) => format!("{url}/id/{slug}/{}", concept.uuid),
            (None, None) if event.r#type == EventType::VersionPublished => {
                format!("{url}/id/{slug}/versions/{version}")
            }
            (None, None) => format!("{url}/id/{slug}"),
        };
        let (position, at) = (event.position, event.at.to_string());
        let summary = [since].into_iter().chain(concept.and_then(renamed));
        let summary = summary.chain(concept.and_then(|c| instead(c, da)));
        let summary = summary.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(". ");
        Self { position, at, title, summary, link, r#type: event.r#type.as_str() }
    }
}

/// What a concept was and is called, where that differs.
fn renamed(change: &ConceptChange) -> Option<String> {
    let name = |side: &Side| format!("{} {}", side.notation.as_deref().unwrap_or_default(), side.label);
    let (before, after) = (name(change.before.as_ref()?), name(change.after.as_ref()?));
    (before != after).then(|| format!("{} → {}", before.trim(), after.trim()))
}

/// What to use instead of a concept that has gone.
fn instead(change: &ConceptChange, da: bool) -> Option<String> {
    let words = if da { "Brug i stedet" } else { "Use instead" };
    let names: Vec<String> = change.replaced_by.iter().map(Reference::text).collect();
    (!names.is_empty()).then(|| format!("{words}: {}", names.join("; ")))
}
