//! The pages of code sets: those that one keeps, and what must be done about one. They work without scripts; their forms
//! are taken from pages of this site alone.

use askama::Template;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::app::App;
use super::negotiate::{Caller, reads_danish};
use super::params::{Nothing, Params};
use super::private::{nothing, page, sentence};
use super::problem::{Failure, status};
use super::web::kind_word;
use super::who::{Origin, Who, foreign, origin};
use crate::exchange::{LARGEST_LIST, codes};
use crate::model::{
    Category, Code, Instant, Place, Refusal, Result, Side, UsageForm, UsageKind, Visibility, today_in_denmark,
};
use crate::registry::{
    Actor, CodeRequest, CodesAnswer, CodesCommand, Pages, Reference, Task, TasksAnswer, UsageAnswer, UsageRequest,
};

type Answer = Result<Response, Failure>;

/// The pages' addresses.
pub fn router() -> Router<App> {
    // A form writes many characters as three.
    let most = DefaultBodyLimit::max(LARGEST_LIST * 3);
    Router::new()
        .route("/code-sets", get(list).post(create).layer(most))
        .route("/code-sets/{uuid}", get(one))
        .route("/code-sets/{uuid}/codes", post(replace).layer(most))
        .route("/code-sets/{uuid}/acknowledge", post(acknowledge))
}

/// Before when.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Before {
    /// Only what takes effect before this day.
    before: Option<String>,
}

#[derive(Template)]
#[template(path = "code-sets.html")]
struct ListPage {
    da: bool,
    sets: Vec<UsageAnswer>,
    refused: Option<String>,
    /// What was written in the form that was refused.
    name: String,
    vocabulary: String,
    codes: String,
}

#[derive(Template)]
#[template(path = "code-set.html")]
struct SetPage {
    da: bool,
    tasks: TasksAnswer,
    before: String,
    refused: Option<String>,
    done: Option<CodesAnswer>,
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

    fn lists(&self) -> [(&'static str, &'static str, &[Task]); 2] {
        let titles = if self.da {
            [("past", "Er trådt i kraft og ikke kvitteret for"), ("coming", "Træder i kraft")]
        } else {
            [("past", "In force and not acknowledged"), ("coming", "Takes effect")]
        };
        [(titles[0].0, titles[0].1, &self.tasks.past), (titles[1].0, titles[1].1, &self.tasks.coming)]
    }

    fn day(&self, at: &Instant) -> String {
        at.to_string().trim_end_matches("T00:00:00Z").to_owned()
    }

    /// The day of an instant: nobody needs the second at which something was decided.
    fn decided(&self, at: &Instant) -> String {
        today_in_denmark(*at).to_string()
    }

    fn kinds(&self, task: &Task) -> String {
        let words: Vec<&str> = task.change.kinds.iter().map(|k| kind_word(*k, self.da)).collect();
        words.join(", ")
    }

    fn side(&self, side: &Option<Side>) -> String {
        side.as_ref().map_or_else(String::new, |s| {
            let code = s.notation.as_deref().unwrap_or_default();
            format!("{code} {}", s.label).trim().to_owned()
        })
    }

    fn reference(&self, reference: &Reference) -> String {
        let code = reference.notation.as_deref().unwrap_or_default();
        format!("{code} {}", reference.label).trim().to_owned()
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

/// Who is signed in; nobody is sent to where one signs in.
fn signed_in(who: Result<Who, Failure>) -> Result<Result<Actor, Response>, Failure> {
    match who {
        Ok(Who(actor @ Actor::Account(_))) => Ok(Ok(actor)),
        Ok(_) => Ok(Err(on_to("/sign-in"))),
        Err(Failure(refusal)) if refusal.code.category() == Category::Unknown => Ok(Err(on_to("/sign-in"))),
        Err(failure) => Err(failure),
    }
}

fn on_to(place: &str) -> Response {
    let mut response = nothing();
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(place) = HeaderValue::try_from(place) {
        response.headers_mut().insert(LOCATION, place);
    }
    response
}

/// The fields of a form that was sent from a page of ours.
fn fields(app: &App, headers: &HeaderMap, bytes: &[u8]) -> Result<Vec<(String, String)>> {
    if origin(headers, &app.settings().public_url) == Origin::Foreign {
        return Err(foreign());
    }
    Ok(form_urlencoded::parse(bytes).into_owned().take(20).collect())
}

fn field<'f>(fields: &'f [(String, String)], name: &str) -> &'f str {
    fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str()).unwrap_or_default()
}

/// What a person is told of a refusal; faults of ours go the way of all faults.
fn told(refusal: Refusal, da: bool) -> Result<(StatusCode, String)> {
    if refusal.code.category() == Category::Broken {
        return Err(refusal);
    }
    let mut text = sentence(if da { &refusal.da } else { &refusal.en });
    if let Some(line) = refusal.place.line {
        let word = if da { "linje" } else { "line" };
        text.push_str(&format!(" ({word} {line})"));
    }
    Ok((status(&refusal), text))
}

async fn all(app: &App, actor: &Actor) -> Result<Vec<UsageAnswer>> {
    let pages = Pages { limit: Some(10_000), cursor: None };
    Ok(app.usages(actor, UsageForm::CodeSet, &pages).await?.items)
}

async fn list(
    State(app): State<App>,
    who: Result<Who, Failure>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Answer {
    let actor = match signed_in(who)? {
        Ok(actor) => actor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let (name, vocabulary, codes) = Default::default();
    let sets = all(&app, &actor).await?;
    let template = ListPage { da: reads_danish(&headers), sets, refused: None, name, vocabulary, codes };
    Ok(page(StatusCode::OK, &template)?)
}

async fn create(
    State(app): State<App>,
    who: Result<Who, Failure>,
    headers: HeaderMap,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let actor = match signed_in(who)? {
        Ok(actor) => actor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let (fields, da) = (fields(&app, &headers, &bytes)?, reads_danish(&headers));
    match created(&app, &actor, &fields).await {
        Ok(uuid) => Ok(on_to(&format!("/code-sets/{uuid}"))),
        Err(refusal) => {
            let (status, refused) = told(refusal, da)?;
            let of = |name| field(&fields, name).to_owned();
            let (name, vocabulary, codes) = (of("name"), of("vocabulary"), of("codes"));
            let sets = all(&app, &actor).await?;
            Ok(page(status, &ListPage { da, sets, refused: Some(refused), name, vocabulary, codes })?)
        }
    }
}

/// Registers a set with its codes; what is wrong with the codes is seen before anything is registered.
async fn created(app: &App, actor: &Actor, fields: &[(String, String)]) -> Result<Uuid> {
    let list = field(fields, "codes").to_owned();
    let listed = super::api::apart(move || codes(list.as_bytes())).await?;
    let vocabulary = Some(field(fields, "vocabulary").trim().to_owned()).filter(|v| !v.is_empty());
    let at = |name: &'static str| move |r: Refusal| r.at(Place::field(name));
    let codes = listed.into_iter().map(|l| CodeRequest::Of { system: l.system, code: l.code }).collect();
    let request = UsageRequest {
        name: field(fields, "name").parse().map_err(at("name"))?,
        kind: None,
        link: None,
        contact: None,
        visibility: Some(field(fields, "visibility").parse().map_err(at("visibility"))?),
        vocabulary,
        codes,
    };
    Ok(app.declare(actor, UsageForm::CodeSet, request).await?.usage.uuid)
}

fn named(of: &str) -> Result<Uuid> {
    super::params::uuid(of)
}

async fn one(
    State(app): State<App>,
    who: Result<Who, Failure>,
    Path(of): Path<String>,
    Params(before, ..): Params<Before>,
    Caller(headers): Caller,
) -> Answer {
    let actor = match signed_in(who)? {
        Ok(actor) => actor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let before = before.before.filter(|b| !b.is_empty()).unwrap_or_default();
    shown(&app, &actor, named(&of)?, before, reads_danish(&headers), StatusCode::OK, None, None).await
}

#[expect(clippy::too_many_arguments, reason = "the page after a form is the page with what came of it")]
async fn shown(
    app: &App,
    actor: &Actor,
    set: Uuid,
    before: String,
    da: bool,
    status: StatusCode,
    refused: Option<String>,
    done: Option<CodesAnswer>,
) -> Answer {
    let language = if da { "da" } else { "en" };
    let asked = Some(before.as_str()).filter(|b| !b.is_empty());
    let (tasks, status, refused) = match app.tasks(actor, set, asked, language).await {
        Ok(tasks) => (tasks, status, refused),
        Err(refusal) if refusal.code == Code::InvalidDate => {
            let (status, text) = told(refusal, da)?;
            (app.tasks(actor, set, None, language).await?, status, Some(text))
        }
        Err(refusal) => return Err(refusal.into()),
    };
    Ok(page(status, &SetPage { da, tasks, before, refused, done })?)
}

async fn replace(
    State(app): State<App>,
    who: Result<Who, Failure>,
    Path(of): Path<String>,
    headers: HeaderMap,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let actor = match signed_in(who)? {
        Ok(actor) => actor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let (fields, da, set) = (fields(&app, &headers, &bytes)?, reads_danish(&headers), named(&of)?);
    let command = match field(&fields, "command") {
        "add" => CodesCommand::Add,
        "remove" => CodesCommand::Remove,
        _ => CodesCommand::Replace,
    };
    let vocabulary = Some(field(&fields, "vocabulary").trim().to_owned()).filter(|v| !v.is_empty());
    let list = field(&fields, "codes").to_owned();
    let done = match super::api::apart(move || codes(list.as_bytes())).await {
        Ok(listed) => app.change_codes(&actor, UsageForm::CodeSet, set, command, listed, vocabulary).await,
        Err(refusal) => Err(refusal),
    };
    match done {
        Ok(done) => shown(&app, &actor, set, String::new(), da, StatusCode::OK, None, Some(done)).await,
        Err(refusal) => {
            let (status, text) = told(refusal, da)?;
            shown(&app, &actor, set, String::new(), da, status, Some(text), None).await
        }
    }
}

async fn acknowledge(
    State(app): State<App>,
    who: Result<Who, Failure>,
    Path(of): Path<String>,
    headers: HeaderMap,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let actor = match signed_in(who)? {
        Ok(actor) => actor,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let (fields, set) = (fields(&app, &headers, &bytes)?, named(&of)?);
    let position = field(&fields, "position");
    let position = position.parse::<i64>().map_err(|_| {
        let (da, en) = ("det er ikke en plads i loggen", "it is not a position of the log");
        Refusal::new(Code::InvalidParameter, da, en).at(Place::field("position"))
    })?;
    app.acknowledge(&actor, set, position).await?;
    Ok(on_to(&format!("/code-sets/{set}")))
}
