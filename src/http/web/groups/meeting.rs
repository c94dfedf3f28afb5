//! One meeting: its agenda, and what becomes of it: changed, called off, held, minuted.

use askama::Template;
use axum::extract::{Path, State};
use uuid::Uuid;

use super::call::{MeetingForm, agenda, agenda_rows, meeting_field, meeting_form, meeting_time};
use super::{DONE, item_name, meeting_stage};
use crate::http::api::App;
use crate::http::params::{Nothing, Params};
use crate::http::web::form::{Answer, Form, Names, Reader, Sent, Sheet, called, see, shown, uuid};
use crate::http::web::requests::Done;
use crate::model::{Code, Instant, Place, Refusal, Result};
use crate::registry::{Command, GroupSeen, ItemAnswer, MeetingAnswer, MeetingChange, MeetingCommand, moment, permit};
use crate::workflow::{Attendance, ItemKind, Outcome};

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
        crate::http::web::decisions::outcome_name(*outcome, self.da)
    }

    fn is_open(&self) -> bool {
        self.meeting.attendance.is_none() && self.meeting.cancelled.is_none()
    }

    fn minutes(&self) -> &str {
        self.sheet.or("minutes", self.meeting.minutes.as_ref().map_or("", |m| m.text.as_str()))
    }
}

pub async fn meeting(
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

pub async fn change_page(State(app): State<App>, Path(of): Path<String>, reader: Reader, _: Params<Nothing>) -> Answer {
    shown(change_form(&app, &reader, &of, Sheet::default()).await, reader.da)
}

async fn change_form(app: &App, reader: &Reader, of: &str, sheet: Sheet) -> Result<MeetingForm> {
    let meeting = app.meeting(&reader.actor, uuid(of)?).await?;
    let group = app.group_seen(&reader.actor, meeting.group).await?.group;
    meeting_form(app, reader, group, Some(meeting), sheet, format!("/meetings/{of}/change"))
}

pub async fn change(State(app): State<App>, Path(of): Path<String>, sent: Sent) -> Answer {
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

pub async fn cancel(State(app): State<App>, Path(of): Path<String>, sent: Sent) -> Answer {
    let command = |form: &Form| Ok(MeetingCommand::Cancel(form.prose("reason")?));
    let done = commanded(&app, &of, &sent, command).await;
    after(&app, &sent, &of, "cancelled", done).await
}

pub async fn hold(State(app): State<App>, Path(of): Path<String>, sent: Sent) -> Answer {
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

pub async fn minute(State(app): State<App>, Path(of): Path<String>, sent: Sent) -> Answer {
    let command = |form: &Form| Ok(MeetingCommand::Minute(form.prose("minutes")?));
    let done = commanded(&app, &of, &sent, command).await;
    after(&app, &sent, &of, "minuted", done).await
}
