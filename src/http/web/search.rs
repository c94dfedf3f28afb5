//! The search page, and the description by which browsers take it as a search engine (OpenSearch 1.1).

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{OriginalUri, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::Response;

use super::{key, language, note_kind, status, term_status};
use crate::http::api::search::Paging;
use crate::http::api::{App, aside};
use crate::http::negotiate::{Caller, reads_danish};
use crate::http::params::{Nothing, Params};
use crate::http::problem::{self, Failure};
use crate::http::reply::Reply;
use crate::model::{Code, Refusal, Result, TermStatus, Text};
use crate::registry::{At, Correction, MatchField, Piece, Reference, SearchAnswer, SearchFilter, SearchHit, Status};

/// The media type of an OpenSearch description.
const DESCRIPTION: &str = "application/opensearchdescription+xml";
/// The most texts of a hit that are shown beside its name.
const MOST_TEXTS: usize = 2;

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    da: bool,
    q: String,
    /// What the form sends along: the filters that are on.
    kept: Vec<(String, String)>,
    /// The same search without filters, when there are any.
    without: Option<String>,
    outcome: Outcome,
}

enum Outcome {
    /// Nothing was asked for yet.
    Nothing,
    /// What is wrong, and what would be allowed.
    Refused(String, Vec<String>),
    Found(Found),
}

struct Found {
    count: String,
    corrections: Vec<Correction>,
    partial: bool,
    groups: Vec<Group>,
    hits: Vec<Line>,
    first: Option<String>,
    next: Option<String>,
}

/// Filters of one sort, or the orders: one is on.
struct Group {
    title: &'static str,
    choices: Vec<Choice>,
}

struct Choice {
    text: String,
    /// Where it leads; nowhere when it is on and cannot be taken off.
    href: Option<String>,
    current: bool,
}

/// A hit as it is shown.
struct Line {
    href: String,
    notation: Option<String>,
    label: Vec<Piece>,
    /// The status, unless it is in force.
    status: Option<&'static str>,
    path: String,
    use_instead: Option<String>,
    replaced_by: Vec<(String, String)>,
    matches: Vec<(String, Vec<Piece>)>,
}

#[derive(Template)]
#[template(path = "opensearch.xml")]
struct Description<'a> {
    da: bool,
    url: &'a str,
}

/// `/search`: the box, and what was found.
pub async fn page(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    params: Result<Params<SearchFilter, At, Paging>, Failure>,
    Caller(headers): Caller,
) -> Result<Response, Failure> {
    let asked = Asked::of(&uri);
    let da = reads_danish(&headers);
    let (outcome, refused) = match found(&app, &asked, params.map_err(|f| f.0), da).await {
        Ok(outcome) => (outcome, None),
        Err(refusal) => {
            let said = if da { refusal.da.clone() } else { refusal.en.clone() };
            (Outcome::Refused(said, refusal.allowed.clone()), Some(problem::status(&refusal)))
        }
    };
    let q = asked.get("q").unwrap_or_default().to_owned();
    // A filter that was refused is not sent along again.
    let kept = if refused.is_some() { Vec::new() } else { asked.kept() };
    let without = (!asked.kept().is_empty()).then(|| asked.bare());
    let reply = super::page(&SearchPage { da, q, kept, without, outcome }, false)?;
    let Some(status) = refused else { return Ok(reply.respond(&headers)) };
    let mut response = reply.respond(&HeaderMap::new());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// `/opensearch.xml`
pub async fn description(
    State(app): State<App>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Result<Response, Failure> {
    let template = Description { da: reads_danish(&headers), url: &app.settings().public_url };
    let failed = |e: askama::Error| Refusal::new(Code::Internal, e.to_string(), e.to_string());
    Ok(Reply::bytes(template.render().map_err(failed)?, DESCRIPTION, false).respond(&headers))
}

/// What the address asks for, in its order; what is empty is not asked for.
struct Asked(Vec<(String, String)>);

impl Asked {
    fn of(uri: &Uri) -> Self {
        let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let pairs = pairs.filter(|(_, value)| !value.trim().is_empty());
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// What a new search from here keeps.
    fn kept(&self) -> Vec<(String, String)> {
        self.0.iter().filter(|(name, _)| !matches!(name.as_str(), "q" | "cursor")).cloned().collect()
    }

    /// The address of the same search without all else.
    fn bare(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.0.iter().filter(|(name, _)| name == "q"));
        format!("/search?{}", query.finish())
    }

    /// The address with one parameter changed or taken off. Another search begins at its first page.
    fn with(&self, name: &str, value: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let others = self.0.iter().filter(|(n, _)| n != name && n != "cursor");
        query.extend_pairs(others);
        if let Some(value) = value {
            query.append_pair(name, value);
        }
        format!("/search?{}", query.finish())
    }
}

async fn found(
    app: &App,
    asked: &Asked,
    params: Result<Params<SearchFilter, At, Paging>>,
    da: bool,
) -> Result<Outcome> {
    let Params(mut filter, at, paging) = params?;
    if asked.get("q").is_none() {
        return Ok(Outcome::Nothing);
    }
    // A form sends what is not filled in as nothing.
    for field in [
        &mut filter.vocabulary,
        &mut filter.kind,
        &mut filter.status,
        &mut filter.language,
        &mut filter.facet,
        &mut filter.under,
        &mut filter.mapping,
    ] {
        field.take_if(|value| value.trim().is_empty());
    }
    let (searching, limit) = (app.clone(), paging.limit()?);
    let (wanted, point, cursor) = (filter.clone(), at.clone(), paging.cursor.clone());
    let answer = aside(async move { searching.search(&wanted, &point, limit, cursor.as_deref(), language(da)).await });
    let answer = answer.await?;
    let titles = app.vocabularies().into_iter().map(|v| {
        let title = Text::choose(&v.vocabulary.titles, language(da)).unwrap_or_default().to_owned();
        (v.vocabulary.slug.to_string(), title)
    });
    let titles: BTreeMap<String, String> = titles.collect();
    let count = match (answer.total, da) {
        (0, true) => "Intet fundet.".to_owned(),
        (0, false) => "Nothing found.".to_owned(),
        (1, true) => "1 begreb".to_owned(),
        (1, false) => "1 concept".to_owned(),
        (n, true) => format!("{n} begreber"),
        (n, false) => format!("{n} concepts"),
    };
    let hits = answer.hits.iter().map(|hit| line(hit, &titles, &at, da));
    Ok(Outcome::Found(Found {
        count,
        groups: groups(&answer, asked, &titles, da),
        hits: hits.collect(),
        first: paging.cursor.map(|_| asked.with("cursor", None)),
        next: answer.next.as_deref().map(|next| asked.with("cursor", Some(next))),
        partial: answer.partial,
        corrections: if answer.total > 0 { answer.corrections } else { Vec::new() },
    }))
}

/// The filters by what was found, the orders, and the filters that came with the address.
fn groups(answer: &SearchAnswer, asked: &Asked, titles: &BTreeMap<String, String>, da: bool) -> Vec<Group> {
    let say = |words: (&'static str, &'static str)| if da { words.0 } else { words.1 };
    let all = |name: &str| Choice {
        text: say(("alle", "all")).to_owned(),
        href: asked.get(name).map(|_| asked.with(name, None)),
        current: asked.get(name).is_none(),
    };
    let chosen = |name: &str, value: &str, text: String| {
        let current = asked.get(name) == Some(value);
        Choice { text, href: (!current).then(|| asked.with(name, Some(value))), current }
    };
    let title = |slug: &str| titles.get(slug).filter(|t| !t.is_empty()).map_or(slug, String::as_str).to_owned();
    let mut groups = Vec::new();
    if answer.vocabularies.len() > 1 || asked.get("vocabulary").is_some() {
        let mut counts = answer.vocabularies.clone();
        if let Some(one) = asked.get("vocabulary").filter(|one| !one.contains(',')) {
            counts.entry(one.to_owned()).or_default();
        }
        let found = counts.iter().map(|(slug, n)| chosen("vocabulary", slug, format!("{} ({n})", title(slug))));
        let choices = std::iter::once(all("vocabulary")).chain(found).collect();
        groups.push(Group { title: say(("Ordforråd", "Vocabulary")), choices });
    }
    if answer.statuses.len() > 1 || asked.get("status").is_some() {
        let named = [("inForce", Status::InForce), ("future", Status::Future), ("retired", Status::Retired)];
        let count =
            |name: &str| answer.statuses.get(name).copied().or((asked.get("status") == Some(name)).then_some(0));
        let found = named.into_iter().filter_map(|(name, of)| Some((name, of, count(name)?)));
        let found = found.map(|(name, of, n)| chosen("status", name, format!("{} ({n})", status(of, da))));
        let choices = std::iter::once(all("status")).chain(found).collect();
        groups.push(Group { title: "Status", choices });
    }
    if answer.total > 1 {
        let relevance = Choice { text: say(("bedste først", "best first")).to_owned(), ..all("sort") };
        let term = chosen("sort", "term", say(("efter term", "by term")).to_owned());
        let notation = chosen("sort", "notation", say(("efter kode", "by code")).to_owned());
        groups.push(Group { title: say(("Rækkefølge", "Order")), choices: vec![relevance, term, notation] });
    }
    const OTHERS: [(&str, &str, &str); 9] = [
        ("kind", "slags", "kind"),
        ("language", "sprog", "language"),
        ("facet", "facet", "facet"),
        ("under", "under", "under"),
        ("level", "niveau", "level"),
        ("mapping", "svarer til", "maps to"),
        ("version", "version", "version"),
        ("date", "dato", "date"),
        ("registered", "registreret", "registered"),
    ];
    let others = OTHERS.into_iter().filter_map(|(name, da, en)| {
        let text = format!("{}: {} ✕", say((da, en)), asked.get(name)?);
        Some(Choice { text, href: Some(asked.with(name, None)), current: true })
    });
    let others: Vec<Choice> = others.collect();
    if !others.is_empty() {
        groups.push(Group { title: say(("Kun (klik fjerner)", "Only (click removes)")), choices: others });
    }
    groups
}

fn line(hit: &SearchHit, titles: &BTreeMap<String, String>, at: &At, da: bool) -> Line {
    let slug = hit.vocabulary.as_str();
    let whole = |pieces: &[Piece]| pieces.iter().map(|p| p.text.as_str()).collect::<String>();
    let in_label = hit.matches.iter().position(|m| m.field == MatchField::Term && whole(&m.pieces) == hit.label);
    let plain = || vec![Piece { text: hit.label.clone(), marked: false }];
    let others =
        hit.matches.iter().enumerate().filter(|(i, m)| Some(*i) != in_label && m.field != MatchField::Notation);
    let matches = others.take(MOST_TEXTS).map(|(_, m)| {
        let name = match m.field {
            MatchField::Term => term_status(m.status.unwrap_or(TermStatus::Preferred), da).to_owned(),
            MatchField::Note => m.kind.map_or("note", |kind| note_kind(kind, da)).to_owned(),
            MatchField::Definition => "definition".to_owned(),
            MatchField::LegalBasis => if da { "juridisk grundlag" } else { "legal basis" }.to_owned(),
            MatchField::Alias | MatchField::Notation => "alias".to_owned(),
        };
        let other = m.language.as_deref().filter(|l| l.split('-').next() != Some(language(da)));
        (other.map_or_else(|| name.clone(), |tag| format!("{name} ({tag})")), m.pieces.clone())
    });
    let title = titles.get(slug).filter(|t| !t.is_empty()).map_or(slug, String::as_str);
    let above = hit.broader.iter().map(|b| b.label.as_str()).collect::<Vec<_>>().join(", ");
    Line {
        href: address(slug, hit, at),
        // A uuid for a code says nothing to people.
        notation: hit.notation.clone().filter(|n| uuid::Uuid::try_parse(n).is_err()),
        label: in_label.map_or_else(plain, |i| hit.matches[i].pieces.clone()),
        status: (hit.status != Status::InForce).then(|| status(hit.status, da)),
        path: if above.is_empty() { title.to_owned() } else { format!("{title} › {above}") },
        use_instead: hit.use_instead.clone(),
        replaced_by: hit.replaced_by.iter().map(|by| (format!("/id/{slug}/{}", by.uuid), named(by))).collect(),
        matches: matches.collect(),
    }
}

fn named(reference: &Reference) -> String {
    match &reference.notation {
        Some(notation) => format!("{notation} {}", reference.label),
        None => reference.label.clone(),
    }
}

/// The page of a hit, read at the point of the search.
fn address(slug: &str, hit: &SearchHit, at: &At) -> String {
    // The code of a concept that is not in force may be another's.
    let key = match hit.status {
        Status::InForce => key(hit.notation.as_deref().unwrap_or_default(), hit.uuid),
        _ => hit.uuid.to_string(),
    };
    let key = segment(&key);
    if let Some(version) = &at.version {
        return format!("/id/{slug}/versions/{}/{key}", segment(version));
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    let point = [("date", &at.date), ("registered", &at.registered)];
    query.extend_pairs(point.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))));
    match query.finish() {
        query if query.is_empty() => format!("/id/{slug}/{key}"),
        query => format!("/id/{slug}/{key}?{query}"),
    }
}

/// A text as a segment of a path: all but plain letters and digits is percent-encoded.
fn segment(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}
