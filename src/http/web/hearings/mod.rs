//! The pages of hearings: which there are, one of them, the form by which it is answered, and the confirmation of a
//! mail address. They work without scripts; their forms are taken from pages of this site alone.

mod confirm;
mod form;
mod sent;

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use self::confirm::{confirm, confirm_page};
use self::form::{AnswerPage, form};
use self::sent::send;
use crate::http::HttpOptions;
use crate::http::api::{App, served, tongue};
use crate::http::negotiate::{Caller, reads_danish};
use crate::http::params::{Nothing, Params};
use crate::http::peer::TrustForwarded;
use crate::http::private::{page, sentence};
use crate::http::problem::{Failure, status};
use crate::http::who::Visiting;
use crate::model::{Category, Code, Instant, Refusal, Result, Secret};
use crate::registry::{
    AnswerAnswer, DecisionAnswer, HearingAnswer, HearingSummary, Pages, PartyAnswer, Visitor, moment,
};
use crate::workflow::{FileKind, HearingStage, Ruling};

type Answer = Result<Response, Failure>;

/// The pages' addresses.
pub fn router(options: &HttpOptions) -> Router<App> {
    // All files of an answer may come in one form.
    let most = options.body_limit.max(FileKind::LARGEST * 2);
    Router::new()
        .route("/hearings", get(list))
        .route("/hearings/{hearing}", get(one))
        .route("/hearings/{hearing}/answer", get(form).post(send).layer(DefaultBodyLimit::max(most)))
        .route("/hearings/{hearing}/answers/{answer}/attachments/{file}", get(attachment))
        .route("/confirm/{secret}", get(confirm_page).post(confirm))
        .layer(Extension(TrustForwarded(options.trust_forwarded)))
}

/// The link that was followed, and what has just been done.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Followed {
    /// The secret of a personal link.
    link: Option<String>,
    /// `saved`, `submitted`, `withdrawn` or `pending`.
    done: Option<String>,
}

/// Words that the pages share.
macro_rules! words {
    ($($page:ident),*) => { $(
        impl $page {
            fn moment(&self, at: impl std::borrow::Borrow<Instant>) -> String {
                moment(*at.borrow(), self.da)
            }

            fn stage(&self, stage: impl std::borrow::Borrow<HearingStage>) -> &'static str {
                stage_name(*stage.borrow(), self.da)
            }
        }
    )* };
}

words!(ListPage, HearingPage, AnswerPage);

/// What stands behind an address for one who followed a personal link, so that they can go on by it.
fn by_link(link: &str) -> String {
    if link.is_empty() {
        return String::new();
    }
    format!("?{}", form_urlencoded::Serializer::new(String::new()).append_pair("link", link).finish())
}

fn stage_name(stage: HearingStage, da: bool) -> &'static str {
    let (danish, english) = match stage {
        HearingStage::Planned => ("planlagt", "planned"),
        HearingStage::Open => ("åben", "open"),
        HearingStage::Closed => ("fristen er gået", "the deadline has passed"),
        HearingStage::Completed => ("afsluttet", "completed"),
        HearingStage::Cancelled => ("aflyst", "called off"),
    };
    if da { danish } else { english }
}

fn agreement(yes: bool, term: bool, da: bool) -> &'static str {
    match (da, term, yes) {
        (true, true, true) => "Enig i termen.",
        (true, true, false) => "Ikke enig i termen.",
        (true, false, true) => "Enig i definitionen.",
        (true, false, false) => "Ikke enig i definitionen.",
        (false, true, true) => "Agrees to the term.",
        (false, true, false) => "Does not agree to the term.",
        (false, false, true) => "Agrees to the definition.",
        (false, false, false) => "Does not agree to the definition.",
    }
}

fn general(da: bool) -> String {
    if da { "Generelt" } else { "In general" }.to_owned()
}

#[derive(Template)]
#[template(path = "hearings.html")]
struct ListPage {
    da: bool,
    open: Vec<HearingSummary>,
    past: Vec<HearingSummary>,
}

impl ListPage {
    fn lists(&self) -> [(&'static str, &[HearingSummary]); 2] {
        let (open, others) = if self.da { ("Åbne", "Andre") } else { ("Open", "Others") };
        [(open, &self.open), (others, &self.past)]
    }
}

#[derive(Template)]
#[template(path = "hearing.html")]
struct HearingPage {
    da: bool,
    hearing: HearingAnswer,
    link: String,
    diff: String,
    parties: Vec<PartyAnswer>,
    answers: Vec<AnswerAnswer>,
    names: BTreeMap<Uuid, String>,
    readable: bool,
    can_answer: bool,
    note: bool,
    /// The decision on the draft that was heard, once its version is published.
    decided: Option<DecisionAnswer>,
}

impl HearingPage {
    fn by_link(&self) -> String {
        by_link(&self.link)
    }

    fn about(&self, concept: &Option<Uuid>) -> String {
        concept.map_or_else(|| general(self.da), |c| self.names.get(&c).cloned().unwrap_or_else(|| c.to_string()))
    }

    fn agrees(&self, yes: &bool, term: bool) -> &'static str {
        agreement(*yes, term, self.da)
    }

    fn ruling(&self, ruling: &Ruling) -> &'static str {
        let (da, en) = match ruling {
            Ruling::Accommodated => ("Imødekommet", "Accommodated"),
            Ruling::Partly => ("Delvist imødekommet", "Partly accommodated"),
            Ruling::No => ("Ikke imødekommet", "Not accommodated"),
            Ruling::OutOfScope => ("Uden for høringens emne", "Outside the subject of the hearing"),
        };
        if self.da { da } else { en }
    }
}

#[derive(Template)]
#[template(path = "refused.html")]
struct RefusedPage {
    da: bool,
    text: String,
}

fn names(hearing: &HearingAnswer) -> BTreeMap<Uuid, String> {
    hearing.heard.iter().map(|h| (h.uuid, h.name.clone())).collect()
}

fn all() -> Pages {
    Pages { limit: Some(1_000), cursor: None }
}

fn uuid(text: &str) -> Result<Uuid> {
    let missing = || Refusal::new(Code::NotFound, "der er ingen sådan høring", "there is no such hearing");
    Uuid::try_parse(text).map_err(|_| missing())
}

async fn list(
    State(app): State<App>,
    Visiting(visitor): Visiting,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Answer {
    let hearings = app.hearings(&visitor, None, &all())?.items;
    let (open, past) = hearings.into_iter().partition(|h| h.stage == HearingStage::Open);
    Ok(page(StatusCode::OK, &ListPage { da: reads_danish(&headers), open, past })?)
}

async fn one(
    State(app): State<App>,
    Path(of): Path<String>,
    Params(followed, ..): Params<Followed>,
    mut parts: Parts,
) -> Answer {
    let (link, da) = (followed.link.unwrap_or_default(), reads_danish(&parts.headers));
    told(one_page(&app, &of, link, &mut parts).await, da)
}

async fn one_page(app: &App, of: &str, link: String, parts: &mut Parts) -> Answer {
    let (of, da) = (uuid(of)?, reads_danish(&parts.headers));
    let visitor = visitor(app, &link, parts).await?;
    let hearing = app.hearing(&visitor, of)?;
    let diff = app.hearing_diff(&visitor, of)?.document(tongue(&parts.headers)).html_fragment(2);
    let answers = app.answers(&visitor, of, &all()).await?.items;
    let now = app.clock().now();
    let readable = hearing.summary.stage != HearingStage::Open || hearing.summary.answers > 0;
    let page_of = HearingPage {
        da,
        diff,
        parties: app.parties(&visitor, of, &all()).await?.items,
        answers: answers.into_iter().filter(|a| a.submitted.is_some()).collect(),
        names: names(&hearing),
        readable: readable || now >= hearing.summary.deadline,
        can_answer: matches!(hearing.summary.stage, HearingStage::Open | HearingStage::Closed),
        note: app.hearing_note(&visitor, of).is_ok(),
        decided: decided(app, hearing.summary.draft)?,
        hearing,
        link,
    };
    Ok(page(StatusCode::OK, &page_of)?)
}

/// What was decided on a draft and carried out; everybody may read that.
fn decided(app: &App, draft: Uuid) -> Result<Option<DecisionAnswer>> {
    let decisions = app.decisions(&crate::registry::Actor::Public, &Pages { limit: Some(10_000), cursor: None })?;
    Ok(decisions.items.into_iter().find(|d| d.draft == draft && d.publication.is_some()))
}

/// Who follows a link, or comes without one.
async fn visitor(app: &App, link: &str, parts: &mut Parts) -> Result<Visitor, Failure> {
    if !link.is_empty() {
        return Ok(Visitor::Guest(app.by_party_link(&Secret::shown(link)).await?));
    }
    Visiting::from_request_parts(parts, app).await.map(|v| v.0)
}

/// What a person is told, on a page: they followed a link, and read no problem documents.
fn told(answer: Answer, da: bool) -> Answer {
    match answer {
        Err(Failure(refusal)) if refusal.code.category() != Category::Broken => {
            let status = if refusal.code == Code::Expired { StatusCode::GONE } else { status(&refusal) };
            let text = sentence(if da { &refusal.da } else { &refusal.en });
            Ok(page(status, &RefusedPage { da, text })?)
        }
        answer => answer,
    }
}

/// A file of an answer, by the link that the answer was written by, too.
async fn attachment(
    State(app): State<App>,
    Path((of, answer, file)): Path<(String, String, String)>,
    Params(followed, ..): Params<Followed>,
    mut parts: Parts,
) -> Answer {
    let link = followed.link.unwrap_or_default();
    let found = async {
        let visitor = visitor(&app, &link, &mut parts).await?;
        Ok(served(app.file(&visitor, uuid(&of)?, uuid(&answer)?, uuid(&file)?).await?)?)
    };
    let found = found.await;
    told(found, reads_danish(&parts.headers))
}
