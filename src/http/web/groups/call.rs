//! A meeting that is called: its form, and what it says of time, place and agenda.

use askama::Template;
use axum::extract::{Path, State};
use uuid::Uuid;

use super::{item_name, rows, typed_rows};
use crate::http::api::App;
use crate::http::params::{Nothing, Params};
use crate::http::web::form::{Answer, Called, Form, Reader, Sent, Sheet, all, called, see, shown, uuid};
use crate::model::{Group, Instant, Place, Result, clock_in_denmark, parse_in_denmark};
use crate::registry::{Command, DraftAnswer, DraftFilter, MeetingAnswer, MeetingRequest, permit};
use crate::workflow::{AgendaItem, ItemKind};

#[derive(Template)]
#[template(path = "meeting-form.html")]
pub struct MeetingForm {
    pub da: bool,
    pub sheet: Sheet,
    pub group: Group,
    /// The meeting that is changed; a new one when absent.
    pub meeting: Option<MeetingAnswer>,
    pub drafts: Vec<DraftAnswer>,
    pub rows: usize,
    pub action: String,
}

impl MeetingForm {
    pub fn at(&self) -> String {
        let usual = self.meeting.as_ref().map(|m| clock_in_denmark(m.at)).unwrap_or_default();
        self.sheet.or("at", &usual).to_owned()
    }

    pub fn place(&self) -> &str {
        let usual = self.meeting.as_ref().and_then(|m| m.place.as_ref()).map_or("", |p| p.as_str());
        self.sheet.or("place", usual)
    }

    pub fn item(&self, row: &usize) -> Option<&AgendaItem> {
        self.meeting.as_ref().and_then(|m| m.agenda.get(*row)).map(|i| &i.item)
    }

    pub fn title(&self, row: &usize) -> &str {
        self.sheet.or(format!("item-title-{row}"), self.item(row).map_or("", |i| i.title.as_str()))
    }

    pub fn text(&self, row: &usize) -> &str {
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

pub async fn new_meeting(State(app): State<App>, Path(of): Path<String>, reader: Reader, _: Params<Nothing>) -> Answer {
    shown(new_page(&app, &reader, &of, Sheet::default()).await, reader.da)
}

async fn new_page(app: &App, reader: &Reader, of: &str, sheet: Sheet) -> Result<MeetingForm> {
    let group = app.group_seen(&reader.actor, uuid(of)?).await?.group;
    meeting_form(app, reader, group, None, sheet, format!("/groups/{of}/meetings"))
}

pub fn meeting_form(
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
pub fn meeting_field(field: &str, lines: &[usize]) -> Option<Called> {
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
pub fn agenda_rows(form: &Form) -> Vec<usize> {
    let mut rows = typed_rows(form, "item-title-");
    rows.extend(typed_rows(form, "item-text-"));
    rows.extend(typed_rows(form, "item-draft-"));
    rows.sort_unstable();
    rows.dedup();
    rows
}

pub fn agenda(form: &Form) -> Result<Vec<AgendaItem>> {
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

pub fn meeting_time(form: &Form) -> Result<Instant> {
    parse_in_denmark(form.field("at")).map_err(|r| r.at(Place::field("at")))
}

pub async fn call(State(app): State<App>, Path(of): Path<String>, sent: Sent) -> Answer {
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
