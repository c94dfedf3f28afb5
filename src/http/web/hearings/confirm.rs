//! The confirmation of a mail address, by which an answer counts.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use uuid::Uuid;

use super::{Answer, agreement, general, names, told};
use crate::http::api::App;
use crate::http::negotiate::{Caller, reads_danish};
use crate::http::params::{Nothing, Params};
use crate::http::private::page;
use crate::http::problem::Failure;
use crate::http::who::{Origin, foreign, origin};
use crate::model::Secret;
use crate::registry::AnswerAnswer;

#[derive(Template)]
#[template(path = "confirm-answer.html")]
struct ConfirmPage {
    da: bool,
    title: String,
    answer: AnswerAnswer,
    names: BTreeMap<Uuid, String>,
    submitted: bool,
}

impl ConfirmPage {
    fn about(&self, concept: &Option<Uuid>) -> String {
        concept.map_or_else(|| general(self.da), |c| self.names.get(&c).cloned().unwrap_or_else(|| c.to_string()))
    }

    fn agrees(&self, yes: &bool, term: bool) -> &'static str {
        agreement(*yes, term, self.da)
    }
}

pub async fn confirm_page(
    State(app): State<App>,
    Path(secret): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Answer {
    let pending = app.pending_answer(&Secret::shown(&secret)).await;
    let shown = pending.map_err(Failure).and_then(|answer| confirmed(&app, answer, false, &headers));
    told(shown, reads_danish(&headers))
}

pub async fn confirm(
    State(app): State<App>,
    Path(secret): Path<String>,
    headers: HeaderMap,
    _: Params<Nothing>,
) -> Answer {
    if origin(&headers, &app.settings().public_url) == Origin::Foreign {
        return Err(foreign().into());
    }
    let answer = app.confirm_answer(&Secret::shown(&secret)).await;
    let shown = answer.map_err(Failure).and_then(|answer| confirmed(&app, answer, true, &headers));
    told(shown, reads_danish(&headers))
}

fn confirmed(app: &App, answer: AnswerAnswer, submitted: bool, headers: &HeaderMap) -> Answer {
    let hearing = app.hearing(&crate::registry::Actor::Public.into(), answer.hearing)?;
    let (names, title) = (names(&hearing), hearing.summary.title);
    Ok(page(StatusCode::OK, &ConfirmPage { da: reads_danish(headers), title, answer, names, submitted })?)
}
