//! The pages of groups: which there are, what one is to do and who is in it, its meetings with agenda, attendance and
//! minutes.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use uuid::Uuid;

use super::form::{Answer, Called, Form, Names, Reader, Sent, Sheet, all, called, see, shown, uuid};
use super::language;
use super::requests::Done;
use crate::http::api::App;
use crate::http::params::{Nothing, Params};
use crate::http::private::page;
use crate::model::{
    Code, Group, GroupKind, Instant, Place, Refusal, Result, clock_in_denmark, parse_date, parse_in_denmark,
};
use crate::registry::{
    Command, DraftAnswer, DraftFilter, GroupSeen, ItemAnswer, MeetingAnswer, MeetingChange, MeetingCommand,
    MeetingRequest, moment, permit,
};
use crate::workflow::{AgendaItem, Attendance, Due, ItemKind, Mandate, Outcome, Phase};

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

#[derive(Template)]
#[template(path = "group-mandate.html")]
struct MandatePage {
    da: bool,
    sheet: Sheet,
    group: Group,
    current: Option<Mandate>,
    groups: Vec<Group>,
    vocabularies: Vec<(Uuid, String, String)>,
    given: String,
    rows: usize,
}

impl MandatePage {
    fn text(&self, field: &str) -> &str {
        let current = self.current.as_ref().map_or("", |m| match field {
            "purpose" => m.purpose.as_str(),
            "scope" => m.scope.as_str(),
            _ => m.text.as_str(),
        });
        self.sheet.or(field, current)
    }

    fn due(&self, row: &usize) -> (String, String) {
        let due = self.current.as_ref().and_then(|m| m.deadlines.get(*row));
        let (what, by) = due.map(|d| (d.what.to_string(), day_field(Some(d.by)))).unwrap_or_default();
        let said = |name: &str, usual: &str| self.sheet.or(format!("due-{name}-{row}"), usual).to_owned();
        (said("what", &what), said("by", &by))
    }

    fn covers(&self, vocabulary: &Uuid) -> bool {
        match self.sheet.was_sent() {
            true => self.sheet.has("vocabulary", vocabulary.to_string()),
            false => self.current.as_ref().is_some_and(|m| m.vocabularies.contains(vocabulary)),
        }
    }

    fn is_giver(&self, group: &Uuid) -> bool {
        let usual = self.current.as_ref().and_then(|m| m.given_by).map(|g| g.to_string()).unwrap_or_default();
        self.sheet.has_or("given-by", group.to_string(), &usual)
    }
}

async fn mandate(State(app): State<App>, Path(of): Path<String>, reader: Reader, _: Params<Nothing>) -> Answer {
    shown(mandate_page(&app, &reader, &of, Sheet::default()).await, reader.da)
}

async fn mandate_page(app: &App, reader: &Reader, of: &str, sheet: Sheet) -> Result<MandatePage> {
    permit(&reader.actor, Command::Mandate, None)?;
    let seen = app.group_seen(&reader.actor, uuid(of)?).await?;
    let groups = app.groups_seen(&reader.actor).await?.into_iter().map(|g| g.group);
    let groups = groups.filter(|g| g.active && g.kind == GroupKind::Committee && g.uuid != seen.group.uuid).collect();
    let current = seen.mandate.map(|m| m.current.mandate);
    Ok(MandatePage {
        da: reader.da,
        rows: rows(&sheet, "due-what-", current.as_ref().map_or(0, |m| m.deadlines.len())),
        given: day_field(current.as_ref().and_then(|m| m.given)),
        sheet,
        group: seen.group,
        current,
        groups,
        vocabularies: named(app, reader.da),
    })
}

async fn give_mandate(State(app): State<App>, Path(of): Path<String>, sent: Sent) -> Answer {
    if sent.form.field("do") == "more" {
        return shown(mandate_page(&app, &sent.reader, &of, sent.again()).await, sent.reader.da);
    }
    let refusal = match mandated(&app, &of, &sent).await {
        Ok(()) => return Ok(see(&format!("/groups/{of}?done=mandated"))),
        Err(refusal) => refusal,
    };
    let lines: Vec<usize> = typed_rows(&sent.form, "due-what-");
    let sheet = sent.refused(&refusal, |field| match field {
        "purpose" => called("purpose", "Formål", "Purpose"),
        "scope" => called("scope", "Afgrænsning", "Scope"),
        "text" => called("text", "Kommissorium", "Mandate"),
        "given" => called("given", "Givet den", "Given on"),
        "givenBy" | "given-by" => called("given-by", "Givet af", "Given by"),
        field if field.starts_with("vocabular") => called("vocabularies", "Ordforråd", "Vocabularies"),
        field => deadline(field, &lines),
    })?;
    sent.no(&refusal, mandate_page(&app, &sent.reader, &of, sheet).await)
}

/// The field of a deadline, as the form or the registry names it.
fn deadline(field: &str, lines: &[usize]) -> Option<Called> {
    if field.starts_with("due-") {
        return called(field.to_owned(), "Frist", "Deadline");
    }
    let row = field.strip_prefix("deadlines[")?.split(']').next()?.parse::<usize>().ok()?;
    called(format!("due-by-{}", lines.get(row)?), "Frist", "Deadline")
}

/// The rows in which something was typed.
fn typed_rows(form: &Form, prefix: &str) -> Vec<usize> {
    let typed = form.under(prefix).filter(|(_, value)| !value.is_empty());
    let mut rows: Vec<usize> = typed.filter_map(|(row, _)| row.parse().ok()).collect();
    rows.sort_unstable();
    rows.dedup();
    rows
}

async fn mandated(app: &App, of: &str, sent: &Sent) -> Result<()> {
    sent.still()?;
    let form = &sent.form;
    let mut lines: Vec<usize> = typed_rows(form, "due-what-");
    lines.extend(typed_rows(form, "due-by-"));
    lines.sort_unstable();
    lines.dedup();
    let due = |row: &usize| {
        let name = format!("due-by-{row}");
        let missing = || Refusal::new(Code::InvalidDate, "datoen mangler", "the date is missing");
        let by = day(form, &name)?.ok_or_else(|| missing().at(Place::field(&name)))?;
        Ok(Due { what: form.line(&format!("due-what-{row}"))?, by })
    };
    let mandate = Mandate {
        purpose: form.prose("purpose")?,
        scope: form.prose("scope")?,
        text: form.prose("text")?,
        given: day(form, "given")?,
        given_by: form.said("given-by").map(|_| form.uuid("given-by")).transpose()?,
        deadlines: lines.iter().map(due).collect::<Result<_>>()?,
        vocabularies: form.all("vocabulary").filter_map(|v| Uuid::try_parse(v).ok()).collect(),
    };
    app.give_mandate(&sent.reader.actor, uuid(of)?, mandate).await.map(drop)
}

#[derive(Template)]
#[template(path = "meeting-form.html")]
struct MeetingForm {
    da: bool,
    sheet: Sheet,
    group: Group,
    /// The meeting that is changed; a new one when absent.
    meeting: Option<MeetingAnswer>,
    drafts: Vec<DraftAnswer>,
    rows: usize,
    action: String,
}

impl MeetingForm {
    fn at(&self) -> String {
        let usual = self.meeting.as_ref().map(|m| clock_in_denmark(m.at)).unwrap_or_default();
        self.sheet.or("at", &usual).to_owned()
    }

    fn place(&self) -> &str {
        let usual = self.meeting.as_ref().and_then(|m| m.place.as_ref()).map_or("", |p| p.as_str());
        self.sheet.or("place", usual)
    }

    fn item(&self, row: &usize) -> Option<&AgendaItem> {
        self.meeting.as_ref().and_then(|m| m.agenda.get(*row)).map(|i| &i.item)
    }

    fn title(&self, row: &usize) -> &str {
        self.sheet.or(format!("item-title-{row}"), self.item(row).map_or("", |i| i.title.as_str()))
    }

    fn text(&self, row: &usize) -> &str {
        let usual = self.item(row).and_then(|i| i.text.as_ref()).map_or("", |t| t.as_str());
        self.sheet.or(format!("item-text-{row}"), usual)
    }

    fn kinds(&self) -> [(&'static str, &'static str); 3] {
        [ItemKind::Decision, ItemKind::Discussion, ItemKind::Information].map(|k| (kind_word(k), item_name(k, self.da)))
    }

    fn is_kind(&self, row: &usize, word: &str) -> bool {
        let usual = self.item(row).map_or("discussion", |i| kind_word(i.kind));
        self.sheet.has_or(format!("item-kind-{row}"), word, usual)
    }

    fn is_about(&self, row: &usize, draft: &Uuid) -> bool {
        let usual = self.item(row).and_then(|i| i.draft).map(|d| d.to_string()).unwrap_or_default();
        self.sheet.has_or(format!("item-draft-{row}"), draft.to_string(), &usual)
    }

    /// The heading of a row.
    fn row_name(&self, row: &usize) -> String {
        format!("{} {}", if self.da { "Punkt" } else { "Item" }, row + 1)
    }
}

fn kind_word(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Decision => "decision",
        ItemKind::Discussion => "discussion",
        ItemKind::Information => "information",
    }
}

async fn new_meeting(State(app): State<App>, Path(of): Path<String>, reader: Reader, _: Params<Nothing>) -> Answer {
    shown(new_page(&app, &reader, &of, Sheet::default()).await, reader.da)
}

async fn new_page(app: &App, reader: &Reader, of: &str, sheet: Sheet) -> Result<MeetingForm> {
    let group = app.group_seen(&reader.actor, uuid(of)?).await?.group;
    meeting_form(app, reader, group, None, sheet, format!("/groups/{of}/meetings"))
}

fn meeting_form(
    app: &App,
    reader: &Reader,
    group: Group,
    meeting: Option<MeetingAnswer>,
    sheet: Sheet,
    action: String,
) -> Result<MeetingForm> {
    permit(&reader.actor, Command::CallMeeting, None)?;
    let on_agenda: Vec<Uuid> = meeting.iter().flat_map(|m| &m.agenda).filter_map(|i| i.item.draft).collect();
    // Who calls meetings need not read drafts.
    let mut drafts = app.drafts(&reader.actor, &DraftFilter::default(), &all()).map(|p| p.items).unwrap_or_default();
    drafts.retain(|d| d.phase.is_open() || on_agenda.contains(&d.uuid));
    let rows = rows(&sheet, "item-title-", meeting.as_ref().map_or(1, |m| m.agenda.len()));
    Ok(MeetingForm { da: reader.da, sheet, group, meeting, drafts, rows, action })
}

/// Which field of the form of a meeting a refusal is about.
fn meeting_field(field: &str, lines: &[usize]) -> Option<Called> {
    match field {
        "at" => called("at", "Dag og klokkeslæt", "Day and time"),
        "place" => called("place", "Sted", "Place"),
        field if field.starts_with("item-") => called(field.to_owned(), "Dagsorden", "Agenda"),
        field => {
            let row = field.strip_prefix("agenda[")?.split(']').next()?.parse::<usize>().ok()?;
            called(format!("item-draft-{}", lines.get(row)?), "Kladde", "Draft")
        }
    }
}

/// The rows of the agenda in which something was typed.
fn agenda_rows(form: &Form) -> Vec<usize> {
    let mut rows = typed_rows(form, "item-title-");
    rows.extend(typed_rows(form, "item-text-"));
    rows.extend(typed_rows(form, "item-draft-"));
    rows.sort_unstable();
    rows.dedup();
    rows
}

fn agenda(form: &Form) -> Result<Vec<AgendaItem>> {
    let item = |row: usize| {
        let (text, draft) = (format!("item-text-{row}"), format!("item-draft-{row}"));
        Ok(AgendaItem {
            kind: match form.field(&format!("item-kind-{row}")) {
                "decision" => ItemKind::Decision,
                "information" => ItemKind::Information,
                _ => ItemKind::Discussion,
            },
            title: form.line(&format!("item-title-{row}"))?,
            text: form.said(&text).map(|_| form.prose(&text)).transpose()?,
            draft: form.said(&draft).map(|_| form.uuid(&draft)).transpose()?,
        })
    };
    agenda_rows(form).into_iter().map(item).collect()
}

fn meeting_time(form: &Form) -> Result<Instant> {
    parse_in_denmark(form.field("at")).map_err(|r| r.at(Place::field("at")))
}

async fn call(State(app): State<App>, Path(of): Path<String>, sent: Sent) -> Answer {
    if sent.form.field("do") == "more" {
        return shown(new_page(&app, &sent.reader, &of, sent.again()).await, sent.reader.da);
    }
    let refusal = match summoned(&app, &of, &sent).await {
        Ok(meeting) => return Ok(see(&format!("/meetings/{meeting}?done=called"))),
        Err(refusal) => refusal,
    };
    let lines = agenda_rows(&sent.form);
    let sheet = sent.refused(&refusal, |field| meeting_field(field, &lines))?;
    sent.no(&refusal, new_page(&app, &sent.reader, &of, sheet).await)
}

async fn summoned(app: &App, of: &str, sent: &Sent) -> Result<Uuid> {
    sent.still()?;
    let form = &sent.form;
    let place = form.said("place").map(|_| form.line("place")).transpose()?;
    let request = MeetingRequest { at: meeting_time(form)?, place, agenda: agenda(form)? };
    Ok(app.call_meeting(&sent.reader.actor, uuid(of)?, request).await?.uuid)
}

/// An item of the agenda, with its draft and what was decided.
struct Item {
    item: ItemAnswer,
    /// The draft, where it may be read: its uuid and title.
    draft: Option<(Uuid, String)>,
    decided: Option<(Uuid, Outcome)>,
}

#[derive(Template)]
#[template(path = "meeting-page.html")]
struct MeetingPage {
    da: bool,
    sheet: Sheet,
    group: GroupSeen,
    meeting: MeetingAnswer,
    items: Vec<Item>,
    names: Names,
    may_call: bool,
    /// Whether its time has come.
    begun: bool,
}

impl MeetingPage {
    fn moment(&self, at: &Instant) -> String {
        moment(*at, self.da)
    }

    fn kind(&self, kind: &ItemKind) -> &'static str {
        item_name(*kind, self.da)
    }

    fn stage(&self) -> &'static str {
        meeting_stage(&self.meeting, self.da)
    }

    fn outcome(&self, outcome: &Outcome) -> &'static str {
        super::decisions::outcome_name(*outcome, self.da)
    }

    fn is_open(&self) -> bool {
        self.meeting.attendance.is_none() && self.meeting.cancelled.is_none()
    }

    fn minutes(&self) -> &str {
        self.sheet.or("minutes", self.meeting.minutes.as_ref().map_or("", |m| m.text.as_str()))
    }
}

async fn meeting(
    State(app): State<App>,
    Path(of): Path<String>,
    reader: Reader,
    Params(done, ..): Params<Done>,
) -> Answer {
    let sheet = Sheet::after(done.done.as_deref(), &DONE, reader.da);
    shown(meeting_page(&app, &reader, &of, sheet).await, reader.da)
}

async fn meeting_page(app: &App, reader: &Reader, of: &str, sheet: Sheet) -> Result<MeetingPage> {
    let actor = &reader.actor;
    let meeting = app.meeting(actor, uuid(of)?).await?;
    let items = meeting.agenda.iter().map(|item| {
        let draft = item.item.draft.and_then(|d| app.draft(actor, d).ok());
        let here = |d: &&crate::workflow::Decision| d.meeting == meeting.uuid && d.item == item.number;
        let decided = draft.as_ref().and_then(|d| d.decisions().iter().rev().find(here).map(|d| (d.uuid, d.outcome)));
        Item { item: item.clone(), draft: draft.map(|d| (d.uuid, d.title.to_string())), decided }
    });
    Ok(MeetingPage {
        da: reader.da,
        items: items.collect(),
        group: app.group_seen(actor, meeting.group).await?,
        names: Names::of(app, reader).await?,
        may_call: permit(actor, Command::CallMeeting, None).is_ok(),
        begun: meeting.at <= app.clock().now(),
        sheet,
        meeting,
    })
}

async fn change_page(State(app): State<App>, Path(of): Path<String>, reader: Reader, _: Params<Nothing>) -> Answer {
    shown(change_form(&app, &reader, &of, Sheet::default()).await, reader.da)
}

async fn change_form(app: &App, reader: &Reader, of: &str, sheet: Sheet) -> Result<MeetingForm> {
    let meeting = app.meeting(&reader.actor, uuid(of)?).await?;
    let group = app.group_seen(&reader.actor, meeting.group).await?.group;
    meeting_form(app, reader, group, Some(meeting), sheet, format!("/meetings/{of}/change"))
}

async fn change(State(app): State<App>, Path(of): Path<String>, sent: Sent) -> Answer {
    if sent.form.field("do") == "more" {
        return shown(change_form(&app, &sent.reader, &of, sent.again()).await, sent.reader.da);
    }
    let command = |form: &Form| {
        let place = form.said("place").map(|_| form.line("place")).transpose()?;
        let change = MeetingChange { at: Some(meeting_time(form)?), place: Some(place), agenda: Some(agenda(form)?) };
        Ok(MeetingCommand::Change(change))
    };
    let refusal = match commanded(&app, &of, &sent, command).await {
        Ok(()) => return Ok(see(&format!("/meetings/{of}?done=changed"))),
        Err(refusal) => refusal,
    };
    let lines = agenda_rows(&sent.form);
    let sheet = sent.refused(&refusal, |field| meeting_field(field, &lines))?;
    sent.no(&refusal, change_form(&app, &sent.reader, &of, sheet).await)
}

async fn commanded(
    app: &App,
    of: &str,
    sent: &Sent,
    command: impl FnOnce(&Form) -> Result<MeetingCommand>,
) -> Result<()> {
    sent.still()?;
    app.change_meeting(&sent.reader.actor, uuid(of)?, command(&sent.form)?).await.map(drop)
}

/// What follows a form of a meeting's page.
async fn after(app: &App, sent: &Sent, of: &str, name: &'static str, done: Result<()>) -> Answer {
    let refusal = match done {
        Ok(()) => return Ok(see(&format!("/meetings/{of}?done={name}"))),
        Err(refusal) => refusal,
    };
    let sheet = sent.refused(&refusal, |field| match field {
        "reason" => called("reason", "Begrundelse", "Reason"),
        "minutes" => called("minutes", "Referat", "Minutes"),
        field if field.starts_with("attendance") => called("attendance", "Fremmøde", "Attendance"),
        _ => None,
    })?;
    sent.no(&refusal, meeting_page(app, &sent.reader, of, sheet).await)
}

async fn cancel(State(app): State<App>, Path(of): Path<String>, sent: Sent) -> Answer {
    let command = |form: &Form| Ok(MeetingCommand::Cancel(form.prose("reason")?));
    let done = commanded(&app, &of, &sent, command).await;
    after(&app, &sent, &of, "cancelled", done).await
}

async fn hold(State(app): State<App>, Path(of): Path<String>, sent: Sent) -> Answer {
    let command = |form: &Form| {
        let member = |text: &str| {
            let unknown = || Refusal::new(Code::InvalidIdentifier, "ukendt medlem", "unknown member");
            Uuid::try_parse(text).map_err(|_| unknown().at(Place::field("attendance")))
        };
        let present: Vec<Uuid> = form.all("present").map(member).collect::<Result<_>>()?;
        let mut members: Vec<Uuid> = form.all("member").map(member).collect::<Result<_>>()?;
        members.extend(present.iter().filter(|p| !members.contains(p)).copied().collect::<Vec<_>>());
        let one = |member: Uuid| Attendance { member, present: present.contains(&member) };
        Ok(MeetingCommand::Hold(members.into_iter().map(one).collect()))
    };
    let done = commanded(&app, &of, &sent, command).await;
    after(&app, &sent, &of, "held", done).await
}

async fn minute(State(app): State<App>, Path(of): Path<String>, sent: Sent) -> Answer {
    let command = |form: &Form| Ok(MeetingCommand::Minute(form.prose("minutes")?));
    let done = commanded(&app, &of, &sent, command).await;
    after(&app, &sent, &of, "minuted", done).await
}
