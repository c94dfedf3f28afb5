//! The pages of code sets: those that one keeps, and what must be done about one. They work without scripts; their forms
//! are taken from pages of this site alone.

use std::borrow::Borrow;
use std::collections::HashMap;

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use self::sent::Sent;
use super::api::App;
use super::keeper::{Keeper, on_to};
use super::negotiate::{Caller, reads_danish};
use super::params::{Nothing, Params};
use super::private::{page, sentence};
use super::problem::{Failure, status};
use crate::exchange::LARGEST_LIST;
use crate::exchange::paper::{Tongue, told_kinds};
use crate::model::{
    Category, Code, ConceptChangeKind, FieldChange, Instant, Place, Refusal, Result, Side, UsageForm, UsageKind,
    UsedCode, Visibility, today_in_denmark,
};
use crate::registry::{
    Actor, CodeRequest, CodesAnswer, CodesCommand, Pages, Reference, Task, TasksAnswer, UsageAnswer, UsageRequest,
};

mod sent;

/// How many rows of a table a page has.
const ROWS: usize = 200;

/// How many definitions of one side are told in a row, and how much of each, in characters.
const LANGUAGES: usize = 3;
const MOST_OF_TEXT: usize = 400;

type Answer = Result<Response, Failure>;

/// The pages' addresses.
pub fn router() -> Router<App> {
    // A form writes many characters as three.
    let most = DefaultBodyLimit::max(LARGEST_LIST * 3);
    Router::new()
        .route("/code-sets", get(list).post(create).layer(most))
        .route("/code-sets/{uuid}", get(one))
        .route("/code-sets/{uuid}/codes", get(codes).post(replace).layer(most))
        .route("/code-sets/{uuid}/acknowledge", post(acknowledge))
}

/// Before when, and which page of each table.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Shown {
    /// Only what takes effect before this day.
    before: Option<String>,
    /// The page of what is past, from 1.
    past: Option<i64>,
    /// The page of what is coming, from 1.
    coming: Option<i64>,
    /// The page of the codes that were not found, from 1.
    unresolved: Option<i64>,
}

/// A page of a table, and where the others are.
struct Part<'t, T> {
    /// What the table is called in addresses and on the page.
    id: &'static str,
    title: &'static str,
    rows: &'t [T],
    /// The first row, from 1, and how many there are on all pages.
    first: usize,
    total: usize,
    previous: Option<String>,
    next: Option<String>,
}

impl<'t, T> Part<'t, T> {
    /// A page, or the last when there are not so many.
    fn new(
        id: &'static str,
        title: &'static str,
        all: &'t [T],
        page: Option<i64>,
        address: impl Fn(usize) -> String,
    ) -> Self {
        let page = asked(page).min(all.len().div_ceil(ROWS).max(1));
        let from = (page - 1) * ROWS;
        let to = all.len().min(from + ROWS);
        Self::of(id, title, &all[from..to], page, all.len(), address)
    }

    /// A page whose rows alone are at hand.
    fn of(
        id: &'static str,
        title: &'static str,
        rows: &'t [T],
        page: usize,
        total: usize,
        address: impl Fn(usize) -> String,
    ) -> Self {
        let first = (page - 1).saturating_mul(ROWS).saturating_add(1);
        Self {
            id,
            title,
            rows,
            first,
            total,
            previous: (page > 1).then(|| address(page - 1)),
            next: (first - 1 + rows.len() < total && !rows.is_empty()).then(|| address(page + 1)),
        }
    }

    /// Which rows these are, where they are not all.
    fn which(&self, da: impl Borrow<bool>) -> Option<String> {
        let (first, last, total) = (self.first, self.first + self.rows.len() - 1, self.total);
        let of = if *da.borrow() { "af" } else { "of" };
        (self.rows.len() < total).then(|| format!("{first}–{last} {of} {total}"))
    }
}

/// What happens to the definitions of a concept on a day.
type Definitions = HashMap<(Uuid, Instant), FieldChange>;

/// As much of a definition as a row of a table has room for.
fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(MOST_OF_TEXT).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// The page that is asked for, from 1.
fn asked(page: Option<i64>) -> usize {
    usize::try_from(page.unwrap_or(1)).unwrap_or(1).max(1)
}

/// What a person is told of a refusal.
struct Problem {
    text: String,
    /// The rows that are wrong, each with its line and column.
    rows: Vec<String>,
}

#[derive(Template)]
#[template(path = "code-sets.html")]
struct ListPage {
    da: bool,
    sets: Vec<UsageAnswer>,
    refused: Option<Problem>,
    /// What was written in the form that was refused.
    name: String,
    vocabulary: String,
    column: String,
    codes: String,
}

#[derive(Template)]
#[template(path = "code-set.html")]
struct SetPage {
    da: bool,
    tasks: TasksAnswer,
    /// What happens to the definitions of the concepts on this page that are redefined.
    definitions: Definitions,
    shown: Shown,
    refused: Option<Problem>,
    done: Option<CodesAnswer>,
}

#[derive(Template)]
#[template(path = "code-set-codes.html")]
struct CodesPage {
    da: bool,
    set: UsageAnswer,
    codes: Vec<UsedCode>,
    total: usize,
    next: Option<String>,
}

impl CodesPage {
    fn decided(&self, at: &Instant) -> String {
        today_in_denmark(*at).to_string()
    }
}

impl ListPage {
    fn kind(&self, kind: &UsageKind) -> &'static str {
        usage_kind(*kind, self.da)
    }

    fn visibility(&self, visibility: &Visibility) -> &'static str {
        visibility_word(*visibility, self.da)
    }
}

impl SetPage {
    fn visibility(&self, visibility: &Visibility) -> &'static str {
        visibility_word(*visibility, self.da)
    }

    fn lists(&self) -> [Part<'_, Task>; 2] {
        let titles = if self.da {
            ["Er trådt i kraft og ikke kvitteret for", "Træder i kraft"]
        } else {
            ["In force and not acknowledged", "Takes effect"]
        };
        [
            Part::new("past", titles[0], &self.tasks.past, self.shown.past, |page| self.address("past", page)),
            Part::new("coming", titles[1], &self.tasks.coming, self.shown.coming, |page| self.address("coming", page)),
        ]
    }

    fn unresolved(&self) -> Part<'_, UsedCode> {
        let title = if self.da { "Koder, der ikke er fundet" } else { "Codes that were not found" };
        let (id, page, total) = ("unresolved", asked(self.shown.unresolved), self.tasks.unresolved_count);
        let rows = self.tasks.unresolved.get(..ROWS).unwrap_or(&self.tasks.unresolved);
        Part::of(id, title, rows, page, total, |page| self.address(id, page))
    }

    /// The address of this page with another page of one table.
    fn address(&self, table: &str, page: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.shown.before.as_ref().map(|before| ("before", before)));
        let pages = [("past", self.shown.past), ("coming", self.shown.coming), ("unresolved", self.shown.unresolved)];
        for (name, here) in pages {
            let page = if name == table { i64::try_from(page).ok() } else { here };
            query.extend_pairs(page.map(|page| (name, page.to_string())));
        }
        format!("/code-sets/{}?{}#{table}", self.tasks.usage.uuid, query.finish())
    }

    /// What came of an upload: the first of what must be looked at.
    fn attention<'d>(&self, done: &'d CodesAnswer) -> &'d [crate::registry::CheckedCode] {
        done.attention.get(..ROWS).unwrap_or(&done.attention)
    }

    fn day(&self, at: &Instant) -> String {
        at.to_string().trim_end_matches("T00:00:00Z").to_owned()
    }

    /// The day of an instant: nobody needs the second at which something was decided.
    fn decided(&self, at: &Instant) -> String {
        today_in_denmark(*at).to_string()
    }

    fn kinds(&self, task: &Task) -> String {
        let tongue = if self.da { Tongue::Danish } else { Tongue::English };
        told_kinds(&task.change.kinds, task.change.meaning, tongue).join(", ")
    }

    /// How the concept is called: before and after, where that differs.
    fn called(&self, task: &Task) -> String {
        let name = |side: &Side| format!("{} {}", side.notation.as_deref().unwrap_or_default(), side.label);
        match (&task.change.before, &task.change.after) {
            (Some(before), Some(after)) if before != after => {
                format!("{} → {}", name(before).trim(), name(after).trim())
            }
            (Some(side), _) | (None, Some(side)) => name(side).trim().to_owned(),
            (None, None) => task.concept.text(),
        }
    }

    /// The definitions that a change takes away and those that it puts there, each with what it is.
    fn definitions(&self, task: &Task) -> Vec<(&'static str, String)> {
        let Some(change) = self.definitions.get(&(task.concept.uuid, task.change.on)) else { return Vec::new() };
        let words = if self.da { ["Før", "Efter"] } else { ["Before", "After"] };
        let texts = |values: &[serde_json::Value]| -> Vec<String> {
            values.iter().take(LANGUAGES).filter_map(|v| v["text"].as_str().map(shortened)).collect()
        };
        let (before, after) = (texts(&change.before), texts(&change.after));
        let before = before.into_iter().map(|text| (words[0], text));
        before.chain(after.into_iter().map(|text| (words[1], text))).collect()
    }

    fn reference(&self, reference: &Reference) -> String {
        reference.text()
    }
}

/// What uses concepts, in a word.
pub fn usage_kind(kind: UsageKind, da: bool) -> &'static str {
    let words = match kind {
        UsageKind::System => ("system", "system"),
        UsageKind::Form => ("skema", "form"),
        UsageKind::Statistics => ("statistik", "statistics"),
        UsageKind::Law => ("lovgivning", "law"),
        UsageKind::Other => ("andet", "other"),
    };
    if da { words.0 } else { words.1 }
}

fn visibility_word(visibility: Visibility, da: bool) -> &'static str {
    let words = match visibility {
        Visibility::Public => ("vises for alle", "shown to everybody"),
        Visibility::Makers => ("vises for dem, der laver versioner", "shown to those who make versions"),
        Visibility::Hidden => ("vises ikke, men tælles med", "not shown, but counted"),
    };
    if da { words.0 } else { words.1 }
}

/// What a person is told of a refusal; faults of ours go the way of all faults.
fn told(refusal: Refusal, da: bool) -> Result<(StatusCode, Problem)> {
    if refusal.code.category() == Category::Broken {
        return Err(refusal);
    }
    let mut text = sentence(if da { &refusal.da } else { &refusal.en });
    let words = if da { ("linje", "kolonne") } else { ("line", "column") };
    match (refusal.place.line.or(refusal.place.row), refusal.place.column) {
        (Some(line), Some(column)) => text.push_str(&format!(" ({} {line}, {} {column})", words.0, words.1)),
        (Some(line), None) => text.push_str(&format!(" ({} {line})", words.0)),
        _ => {}
    }
    if !refusal.allowed.is_empty() && refusal.items.is_empty() {
        text.push_str(&format!(": {}", refusal.allowed.join(", ")));
    }
    let status = status(&refusal);
    let rows = refusal.items.iter().map(|item| match item.split_once(": ") {
        Some((place, shown)) => match place.split_once(':') {
            Some((line, column)) => format!("{} {line}, {} {column}: {shown}", words.0, words.1),
            None => format!("{} {place}: {shown}", words.0),
        },
        None => item.clone(),
    });
    Ok((status, Problem { text, rows: rows.collect() }))
}

async fn all(app: &App, actor: &Actor) -> Result<Vec<UsageAnswer>> {
    let pages = Pages { limit: Some(10_000), cursor: None };
    Ok(app.usages(actor, UsageForm::CodeSet, &pages).await?.items)
}

async fn list(State(app): State<App>, Keeper(actor): Keeper, Caller(headers): Caller, _: Params<Nothing>) -> Answer {
    let (name, vocabulary, column, codes) = Default::default();
    let sets = all(&app, &actor).await?;
    let template = ListPage { da: reads_danish(&headers), sets, refused: None, name, vocabulary, column, codes };
    Ok(page(StatusCode::OK, &template)?)
}

async fn create(State(app): State<App>, Keeper(actor): Keeper, _: Params<Nothing>, request: Request) -> Answer {
    let da = reads_danish(request.headers());
    let sent = Sent::read(&app, request).await?;
    match created(&app, &actor, &sent).await {
        Ok(uuid) => Ok(on_to(&format!("/code-sets/{uuid}"))),
        Err(refusal) => {
            let (status, refused) = told(refusal, da)?;
            let of = |name| sent.field(name).to_owned();
            let (name, vocabulary, column, codes) = (of("name"), of("vocabulary"), of("column"), of("codes"));
            let sets = all(&app, &actor).await?;
            Ok(page(status, &ListPage { da, sets, refused: Some(refused), name, vocabulary, column, codes })?)
        }
    }
}

/// Registers a set with its codes; what is wrong with the codes is seen before anything is registered.
async fn created(app: &App, actor: &Actor, sent: &Sent) -> Result<Uuid> {
    let listed = sent.codes().await?;
    let at = |name: &'static str| move |r: Refusal| r.at(Place::field(name));
    let codes = listed.into_iter().map(|l| CodeRequest::Of { system: l.system, code: l.code }).collect();
    let request = UsageRequest {
        name: sent.field("name").parse().map_err(at("name"))?,
        kind: None,
        link: None,
        contact: None,
        visibility: Some(sent.field("visibility").parse().map_err(at("visibility"))?),
        vocabulary: sent.some("vocabulary"),
        codes,
    };
    Ok(app.declare(actor, UsageForm::CodeSet, request).await?.usage.uuid)
}

fn named(of: &str) -> Result<Uuid> {
    super::params::uuid(of)
}

async fn one(
    State(app): State<App>,
    Keeper(actor): Keeper,
    Path(of): Path<String>,
    Params(asked, ..): Params<Shown>,
    Caller(headers): Caller,
) -> Answer {
    let asked = Shown { before: asked.before.filter(|b| !b.is_empty()), ..asked };
    shown(&app, &actor, named(&of)?, asked, reads_danish(&headers), Came::Asked).await
}

/// Why the page of a set is shown.
enum Came {
    /// It was asked for.
    Asked,
    /// Its codes were changed.
    Done(CodesAnswer),
    /// Something was refused.
    No(StatusCode, Problem),
}

async fn shown(app: &App, actor: &Actor, set: Uuid, mut shown: Shown, da: bool, came: Came) -> Answer {
    let language = if da { "da" } else { "en" };
    let (mut status, mut refused, done) = match came {
        Came::Asked => (StatusCode::OK, None, None),
        Came::Done(done) => (StatusCode::OK, None, Some(done)),
        Came::No(status, problem) => (status, Some(problem), None),
    };
    let passed_over = (asked(shown.unresolved) - 1).saturating_mul(ROWS);
    let mut tasks = match app.tasks(actor, set, shown.before.as_deref(), language, passed_over).await {
        Ok(tasks) => tasks,
        Err(refusal) if refusal.code == Code::InvalidDate => {
            let (wrong, problem) = told(refusal, da)?;
            (status, refused) = (wrong, Some(problem));
            app.tasks(actor, set, None, language, passed_over).await?
        }
        Err(refusal) => return Err(refusal.into()),
    };
    // There are not so many pages: the first is shown.
    if tasks.unresolved.is_empty() && tasks.unresolved_count > 0 {
        shown.unresolved = None;
        let before = shown.before.as_deref().filter(|_| refused.is_none());
        tasks = app.tasks(actor, set, before, language, 0).await?;
    }
    let mut template = SetPage { da, tasks, definitions: Definitions::new(), shown, refused, done };
    let rows = template.lists().into_iter().flat_map(|list| list.rows);
    let redefined = rows.filter(|task| task.change.kinds.contains(&ConceptChangeKind::Redefined)).filter_map(|task| {
        let (concept, on) = (task.concept.uuid, task.change.on);
        Some(((concept, on), app.redefined_on(task.vocabulary.as_str(), concept, on)?))
    });
    template.definitions = redefined.collect();
    Ok(page(status, &template)?)
}

/// The codes of a set, page by page.
async fn codes(
    State(app): State<App>,
    Keeper(actor): Keeper,
    Path(of): Path<String>,
    Params(pages, ..): Params<Pages>,
    Caller(headers): Caller,
) -> Answer {
    let (uuid, da) = (named(&of)?, reads_danish(&headers));
    let set = app.usage(&actor, UsageForm::CodeSet, uuid).await?;
    let pages = Pages { limit: Some(pages.limit.unwrap_or(ROWS as i64)), ..pages };
    let found = app.usage_codes(&actor, UsageForm::CodeSet, uuid, false, &pages).await?;
    let next = found.next.map(|cursor| {
        let cursor = form_urlencoded::Serializer::new(String::new()).append_pair("cursor", &cursor).finish();
        format!("/code-sets/{uuid}/codes?{cursor}")
    });
    Ok(page(StatusCode::OK, &CodesPage { da, set, codes: found.items, total: found.total, next })?)
}

async fn replace(
    State(app): State<App>,
    Keeper(actor): Keeper,
    Path(of): Path<String>,
    _: Params<Nothing>,
    request: Request,
) -> Answer {
    let (da, set) = (reads_danish(request.headers()), named(&of)?);
    let sent = Sent::read(&app, request).await?;
    // What somebody else sends is not even looked into.
    app.keeps_code_set(&actor, set).await?;
    let command = match sent.field("command") {
        "add" => CodesCommand::Add,
        "remove" => CodesCommand::Remove,
        _ => CodesCommand::Replace,
    };
    let done = match sent.codes().await {
        Ok(listed) => {
            let vocabulary = sent.some("vocabulary");
            app.change_codes(&actor, UsageForm::CodeSet, set, command, listed, vocabulary).await
        }
        Err(refusal) => Err(refusal),
    };
    let came = match done {
        Ok(done) => Came::Done(done),
        Err(refusal) => {
            let (status, problem) = told(refusal, da)?;
            Came::No(status, problem)
        }
    };
    shown(&app, &actor, set, Shown::default(), da, came).await
}

async fn acknowledge(
    State(app): State<App>,
    Keeper(actor): Keeper,
    Path(of): Path<String>,
    _: Params<Nothing>,
    request: Request,
) -> Answer {
    let set = named(&of)?;
    let sent = Sent::read(&app, request).await?;
    let position = sent.field("position").parse::<i64>().map_err(|_| {
        let (da, en) = ("det er ikke en plads i loggen", "it is not a position of the log");
        Refusal::new(Code::InvalidParameter, da, en).at(Place::field("position"))
    })?;
    app.acknowledge(&actor, set, position).await?;
    Ok(on_to(&format!("/code-sets/{set}")))
}
