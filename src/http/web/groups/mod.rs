//! The pages of groups: which there are, what one is to do and who is in it, its meetings with agenda, attendance and
//! minutes.

mod call;
mod mandate;
mod meeting;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use uuid::Uuid;

use self::call::{call, new_meeting};
use self::mandate::{give_mandate, mandate};
use self::meeting::{cancel, change, change_page, hold, meeting, minute};
use crate::http::api::App;
use crate::http::params::{Nothing, Params};
use crate::http::private::page;
use crate::http::web::form::{Answer, Form, Reader, Sheet, all, shown, uuid};
use crate::http::web::language;
use crate::http::web::requests::Done;
use crate::model::{Code, GroupKind, Instant, Place, Result, parse_date};
use crate::registry::{Command, DraftAnswer, DraftFilter, GroupSeen, MeetingAnswer, moment, permit};
use crate::workflow::{ItemKind, Phase};

/// The pages' addresses.
pub fn router() -> Router<App> {
    Router::new()
        .route("/groups", get(list))
        .route("/groups/{group}", get(one))
        .route("/groups/{group}/mandate", get(mandate).post(give_mandate))
        .route("/groups/{group}/meetings", post(call))
        .route("/groups/{group}/meetings/new", get(new_meeting))
        .route("/meetings/{meeting}", get(meeting))
        .route("/meetings/{meeting}/change", get(change_page).post(change))
        .route("/meetings/{meeting}/cancellation", post(cancel))
        .route("/meetings/{meeting}/attendance", post(hold))
        .route("/meetings/{meeting}/minutes", post(minute))
}

/// The most rows of a list in a form.
const ROWS: usize = 200;

const DONE: [(&str, &str, &str); 6] = [
    ("mandated", "Kommissoriet er gemt.", "The mandate is saved."),
    ("called", "Mødet er indkaldt.", "The meeting is called."),
    ("changed", "Mødet er ændret.", "The meeting is changed."),
    ("cancelled", "Mødet er aflyst.", "The meeting is called off."),
    ("held", "Fremmødet er ført til protokol.", "The attendance is on record."),
    ("minuted", "Referatet er gemt.", "The minutes are saved."),
];

fn kind_name(kind: GroupKind, da: bool) -> &'static str {
    let (danish, english) = match kind {
        GroupKind::WorkingGroup => ("arbejdsgruppe", "working group"),
        GroupKind::Committee => ("udvalg, der beslutter", "committee"),
        GroupKind::Secretariat => ("sekretariat", "secretariat"),
        GroupKind::HearingParties => ("høringsparter", "hearing parties"),
    };
    if da { danish } else { english }
}

fn item_name(kind: ItemKind, da: bool) -> &'static str {
    let (danish, english) = match kind {
        ItemKind::Decision => ("til beslutning", "for decision"),
        ItemKind::Discussion => ("til drøftelse", "for discussion"),
        ItemKind::Information => ("til efterretning", "for information"),
    };
    if da { danish } else { english }
}

/// The day of an instant, as a field for a day has it.
fn day_field(at: Option<Instant>) -> String {
    at.and_then(Instant::date).map(|d| d.to_string()).unwrap_or_default()
}

/// The day that a field says, if it says one.
fn day(form: &Form, name: &str) -> Result<Option<Instant>> {
    let read = |text| parse_date(text).map(Instant::from_date).map_err(|r| r.at(Place::field(name)));
    form.said(name).map(read).transpose()
}

/// How many rows a list in a form has: those that were typed or are there, and some to write in.
fn rows(sheet: &Sheet, prefix: &str, there: usize) -> usize {
    let typed = sheet.rows(prefix);
    let more = if sheet.has("do", "more") { 3 } else { 0 };
    (typed.map_or(there + 2, |typed| typed + more)).min(ROWS)
}

#[derive(Template)]
#[template(path = "group-list.html")]
struct ListPage {
    da: bool,
    groups: Vec<GroupSeen>,
}

impl ListPage {
    fn kind(&self, kind: &GroupKind) -> &'static str {
        kind_name(*kind, self.da)
    }
}

async fn list(State(app): State<App>, reader: Reader, _: Params<Nothing>) -> Answer {
    let groups = app.groups_seen(&reader.actor).await?;
    let groups = groups.into_iter().filter(|g| g.group.active).collect();
    Ok(page(StatusCode::OK, &ListPage { da: reader.da, groups })?)
}

#[derive(Template)]
#[template(path = "group-page.html")]
struct GroupPage {
    da: bool,
    sheet: Sheet,
    seen: GroupSeen,
    given_by: Option<(Uuid, String)>,
    vocabularies: Vec<(String, String)>,
    meetings: Option<Vec<MeetingAnswer>>,
    /// Drafts that lie before the group.
    laid: Vec<DraftAnswer>,
    /// Drafts that the group works on.
    drafts: Vec<DraftAnswer>,
    may_mandate: bool,
    may_call: bool,
}

impl GroupPage {
    fn moment(&self, at: &Instant) -> String {
        moment(*at, self.da)
    }

    fn kind(&self) -> &'static str {
        kind_name(self.seen.group.kind, self.da)
    }

    fn stage(&self, meeting: &MeetingAnswer) -> &'static str {
        meeting_stage(meeting, self.da)
    }
}

fn meeting_stage(meeting: &MeetingAnswer, da: bool) -> &'static str {
    let (danish, english) = match meeting {
        m if m.cancelled.is_some() => ("aflyst", "called off"),
        m if m.minutes.is_some() => ("holdt, med referat", "held, with minutes"),
        m if m.attendance.is_some() => ("holdt", "held"),
        _ => ("indkaldt", "called"),
    };
    if da { danish } else { english }
}

async fn one(State(app): State<App>, Path(of): Path<String>, reader: Reader, Params(done, ..): Params<Done>) -> Answer {
    let sheet = Sheet::after(done.done.as_deref(), &DONE, reader.da);
    let template = match uuid(&of) {
        Ok(of) => group_page(&app, &reader, of, sheet).await,
        Err(refusal) => Err(refusal),
    };
    shown(template, reader.da)
}

async fn group_page(app: &App, reader: &Reader, of: Uuid, sheet: Sheet) -> Result<GroupPage> {
    let (actor, da) = (&reader.actor, reader.da);
    let seen = app.group_seen(actor, of).await?;
    let groups = app.groups_seen(actor).await?;
    let mandate = seen.mandate.as_ref().map(|m| &m.current.mandate);
    let given_by = mandate.and_then(|m| m.given_by);
    let given_by = groups.iter().find(|g| Some(g.group.uuid) == given_by);
    let wanted = mandate.map(|m| m.vocabularies.clone()).unwrap_or_default();
    let meetings = match app.meetings(actor, of, &all()).await {
        Ok(page) => Some(page.items.into_iter().rev().collect()),
        Err(r) if matches!(r.code, Code::NotSignedIn | Code::NotAllowed) => None,
        Err(refusal) => return Err(refusal),
    };
    // Who may not read drafts sees none; a token may be for less than its person.
    let readable = app.drafts(actor, &DraftFilter::default(), &all()).map(|p| p.items).unwrap_or_default();
    let lies_here =
        |d: &&DraftAnswer| d.phase == Phase::Recommended && d.recommendations.last().is_some_and(|r| r.committee == of);
    let works_here = |d: &&DraftAnswer| d.group == Some(of) && d.phase.is_open();
    Ok(GroupPage {
        da,
        sheet,
        given_by: given_by.map(|g| (g.group.uuid, g.group.name.to_string())),
        vocabularies: named(app, da)
            .into_iter()
            .filter(|(u, ..)| wanted.contains(u))
            .map(|(_, slug, title)| (slug, title))
            .collect(),
        meetings,
        laid: readable.iter().filter(lies_here).cloned().collect(),
        drafts: readable.iter().filter(works_here).cloned().collect(),
        may_mandate: seen.group.active && permit(actor, Command::Mandate, None).is_ok(),
        may_call: seen.group.active && permit(actor, Command::CallMeeting, None).is_ok(),
        seen,
    })
}

/// Every vocabulary: its uuid, slug and title.
fn named(app: &App, da: bool) -> Vec<(Uuid, String, String)> {
    let title = |v: &crate::model::VocabularyFields| {
        crate::model::Text::choose(&v.titles, language(da)).unwrap_or_default().to_owned()
    };
    let one = |v: &crate::model::VocabularyFields| (v.uuid, v.slug.to_string(), title(v));
    app.vocabularies().iter().map(|v| one(&v.vocabulary)).collect()
}

/// The rows in which something was typed.
fn typed_rows(form: &Form, prefix: &str) -> Vec<usize> {
    let typed = form.under(prefix).filter(|(_, value)| !value.is_empty());
    let mut rows: Vec<usize> = typed.filter_map(|(row, _)| row.parse().ok()).collect();
    rows.sort_unstable();
    rows.dedup();
    rows
}
