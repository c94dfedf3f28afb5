//! The mandate of a group, as a form.

use askama::Template;
use axum::extract::{Path, State};
use uuid::Uuid;

use super::{day, day_field, named, rows, typed_rows};
use crate::http::api::App;
use crate::http::params::{Nothing, Params};
use crate::http::web::form::{Answer, Called, Reader, Sent, Sheet, called, see, shown, uuid};
use crate::model::{Code, Group, GroupKind, Place, Refusal, Result};
use crate::registry::{Command, permit};
use crate::workflow::{Due, Mandate};

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

pub async fn mandate(State(app): State<App>, Path(of): Path<String>, reader: Reader, _: Params<Nothing>) -> Answer {
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

pub async fn give_mandate(State(app): State<App>, Path(of): Path<String>, sent: Sent) -> Answer {
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
