//! The edits of a draft, and the form that takes one back.

use std::collections::BTreeMap;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::form::{Field, FormPage, Input, settle};
use super::sent::Sent;
use super::{Answer, Head, edit_name, number, say, segment, uuid};
use crate::exchange::paper::{Tongue, meaning_name};
use crate::http::api::App;
use crate::http::negotiate::{Caller, reads_danish};
use crate::http::params::{Nothing, Params};
use crate::http::private::page;
use crate::http::who::Who;
use crate::model::Result;
use crate::registry::{Actor, EditAnswer, NamedConcept, Pages};
use crate::workflow::Because;

/// How many edits are on a page, and how many concepts of each are named.
const LIMIT: usize = 50;
const NAMED: usize = 10;

/// Where to go on.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct From {
    /// The number of the last edit to show; the last of the draft when absent.
    upto: Option<usize>,
}

#[derive(Template)]
#[template(path = "draft-edits.html")]
struct EditsPage {
    da: bool,
    head: Head,
    edits: Vec<EditAnswer>,
    names: BTreeMap<Uuid, NamedConcept>,
    older: Option<usize>,
}

impl EditsPage {
    fn kind(&self, edit: &EditAnswer) -> &'static str {
        edit_name(edit.kind, self.da)
    }

    /// What was said of the meaning of what an edit redefines.
    fn meaning(&self, edit: &EditAnswer) -> Option<&'static str> {
        let tongue = if self.da { Tongue::Danish } else { Tongue::English };
        edit.meaning.map(|meaning| meaning_name(meaning, tongue))
    }

    /// The concepts that an edit touched: those that are named, and how many more.
    fn touched(&self, edit: &EditAnswer) -> (Vec<&NamedConcept>, usize) {
        let named = edit.effects.iter().take(NAMED).filter_map(|e| self.names.get(&e.concept)).collect();
        (named, edit.effects.len().saturating_sub(NAMED))
    }

    fn at(&self, concept: &NamedConcept) -> String {
        format!("/drafts/{}/concepts/{}", self.head.draft.uuid, segment(&concept.key))
    }

    /// What led to an edit, and where that is.
    fn led(&self, edit: &EditAnswer) -> Option<(String, &'static str)> {
        Some(match edit.because? {
            Because::Answer { hearing, .. } => {
                (format!("/hearings/{hearing}"), say(self.da, "et høringssvar", "an answer to a hearing"))
            }
            Because::Request(request) => {
                (format!("/change-requests/{request}"), say(self.da, "et ændringsønske", "a change request"))
            }
        })
    }

    fn may_undo(&self, edit: &EditAnswer) -> bool {
        self.head.may_edit() && edit.undone.is_none() && edit.kind != crate::workflow::EditKind::Rebase
    }
}

pub async fn list(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    Params(from, ..): Params<From>,
    Caller(headers): Caller,
) -> Answer {
    let (draft, da) = (uuid(&draft)?, reads_danish(&headers));
    let head = Head::of(&app, &actor, draft, da).await?;
    let last = from.upto.unwrap_or(head.draft.edits).min(head.draft.edits);
    let first = last.saturating_sub(LIMIT);
    let mut edits = Vec::new();
    for number in (first..last).rev() {
        edits.push(app.edit(&actor, draft, number + 1)?);
    }
    let named = edits.iter().flat_map(|e| e.effects.iter().take(NAMED)).map(|e| e.concept);
    let names = app.called_in_draft(&actor, draft, named.collect::<Vec<_>>())?;
    let older = Some(first).filter(|f| *f > 0);
    Ok(page(StatusCode::OK, &EditsPage { da, head, edits, names, older })?)
}

pub async fn undo_form(
    State(app): State<App>,
    Who(actor): Who,
    Path((draft, edit)): Path<(String, String)>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Answer {
    form(&app, &actor, uuid(&draft)?, number(&edit)?, reads_danish(&headers)).await?.shown()
}

pub async fn undo(
    State(app): State<App>,
    Who(actor): Who,
    Path((draft, edit)): Path<(String, String)>,
    Caller(headers): Caller,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let (draft, edit, da) = (uuid(&draft)?, number(&edit)?, reads_danish(&headers));
    let sent = Sent::read(&bytes)?;
    let done = async {
        app.undo_edit(&actor, draft, edit, sent.reason()?).await?;
        Ok(format!("/drafts/{draft}/edits"))
    };
    settle(done.await, async || Ok(form(&app, &actor, draft, edit, da).await?.filled(&sent))).await
}

async fn form(app: &App, actor: &Actor, draft: Uuid, edit: usize, da: bool) -> Result<FormPage> {
    let told = app.edit(actor, draft, edit)?;
    let head = Head::of(app, actor, draft, da).await?;
    let intro = format!(
        "<p>{}: {} – {}</p>",
        head.moment(told.stamp.at),
        edit_name(told.kind, da),
        super::form::html(&told.reason)
    );
    let title = format!("{} {edit}", say(da, "Fortryd rettelse", "Take back edit"));
    Ok(FormPage::new(da, Some(head), title, format!("/drafts/{draft}/edits/{edit}/undo"))
        .intro(intro)
        .fields([Field::new("reason", say(da, "Begrundelse", "Reason"), Input::Text).needed()])
        .button("undo", say(da, "Fortryd", "Take back")))
}

/// All of a list that is short.
pub fn all() -> Pages {
    Pages { limit: Some(10_000), cursor: None }
}
