//! What is said of a draft, of its concepts and of their fields, in threads.

use std::collections::BTreeMap;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::edits::all;
use super::fields::{FIELDS, field_name};
use super::form::{Field, FormPage, Input, html, settle};
use super::sent::Sent;
use super::{Answer, Head, number, say, see, segment, uuid};
use crate::http::api::App;
use crate::http::negotiate::{Caller, reads_danish};
use crate::http::params::{Nothing, Params};
use crate::http::private::page;
use crate::http::who::Who;
use crate::model::{Code, Refusal, Result};
use crate::registry::{Actor, CommentRequest, NamedConcept, ThreadAnswer, TopicRequest};

/// The most threads on a page.
const LIMIT: usize = 200;

/// Which threads.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// `yes` for those that are settled, too.
    settled: Option<String>,
}

#[derive(Template)]
#[template(path = "draft-comments.html")]
struct CommentsPage {
    da: bool,
    head: Head,
    threads: Vec<Thread>,
    settled: bool,
    more: bool,
}

/// A thread as pages show it.
pub struct Thread {
    /// The thread.
    pub thread: ThreadAnswer,
    /// What it is about, and where that is.
    pub about: (String, Option<String>),
}

/// What threads are about, as pages tell it.
pub fn told(draft: Uuid, threads: Vec<ThreadAnswer>, names: &BTreeMap<Uuid, NamedConcept>, da: bool) -> Vec<Thread> {
    let about = |thread: &ThreadAnswer| {
        let Some(concept) = thread.topic.concept else {
            return (say(da, "Hele kladden", "The whole draft").to_owned(), None);
        };
        let name = names.get(&concept);
        let key = name.map_or_else(|| concept.to_string(), |n| n.key.clone());
        let mut text = name.map_or_else(|| key.clone(), |n| format!("{} {}", n.key, n.label));
        if let Some(field) = &thread.topic.field {
            text.push_str(&format!(": {}", field_name(field, da)));
        }
        (text, Some(format!("/drafts/{draft}/concepts/{}", segment(&key))))
    };
    threads.into_iter().map(|thread| Thread { about: about(&thread), thread }).collect()
}

pub async fn list(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    Params(which, ..): Params<Which>,
    Caller(headers): Caller,
) -> Answer {
    let (draft, da) = (uuid(&draft)?, reads_danish(&headers));
    let head = Head::of(&app, &actor, draft, da).await?;
    let settled = which.settled.as_deref() == Some("yes");
    let threads = app.threads(&actor, draft, &all())?.items;
    let mut threads: Vec<_> = threads.into_iter().filter(|t| settled || t.settled.is_none()).rev().collect();
    let more = threads.len() > LIMIT;
    threads.truncate(LIMIT);
    let names = app.called_in_draft(&actor, draft, threads.iter().filter_map(|t| t.topic.concept))?;
    let threads = told(draft, threads, &names, da);
    Ok(page(StatusCode::OK, &CommentsPage { da, head, threads, settled, more })?)
}

/// Where a form leads back to: the page that it was on.
fn back(draft: Uuid, sent: &Sent, anchor: &str) -> String {
    match sent.said("concept").filter(|_| sent.field("back") == "concept") {
        Some(key) => format!("/drafts/{draft}/concepts/{}#{anchor}", segment(key)),
        None => format!("/drafts/{draft}/comments#{anchor}"),
    }
}

pub async fn begin(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let (draft, sent, da) = (uuid(&draft)?, Sent::read(&bytes)?, reads_danish(&headers));
    let done = async {
        let said = |name| sent.said(name).map(ToOwned::to_owned);
        let topic = TopicRequest { concept: said("concept"), field: said("field") };
        let request = CommentRequest { topic, text: text(&sent)? };
        let thread = app.comment(&actor, draft, None, request).await?;
        Ok(back(draft, &sent, &format!("thread-{}", thread.number)))
    };
    settle(done.await, async || {
        let head = Head::of(&app, &actor, draft, da).await?;
        let none = (String::new(), say(da, "begrebet som helhed", "the concept as a whole").to_owned());
        let fields = FIELDS.iter().map(|f| ((*f).to_owned(), field_name(f, da).to_owned()));
        Ok(FormPage::new(da, Some(head), say(da, "Ny kommentar", "New comment"), format!("/drafts/{draft}/comments"))
            .hidden("back", "")
            .fields([
                Field::new("concept", say(da, "Begreb: kode (kan udelades)", "Concept: code (optional)"), Input::Line),
                Field::new(
                    "field",
                    say(da, "Felt", "Field"),
                    Input::Choice([none].into_iter().chain(fields).collect()),
                ),
                Field::new("text", say(da, "Kommentar", "Comment"), Input::Text).needed(),
            ])
            .button("comment", say(da, "Skriv", "Comment"))
            .filled(&sent))
    })
    .await
}

fn text(sent: &Sent) -> Result<crate::workflow::Prose> {
    if sent.field("text").is_empty() {
        let (da, en) = ("skriv en kommentar", "write a comment");
        return Err(Refusal::new(Code::InvalidText, da, en).at(crate::model::Place::field("text")));
    }
    sent.read_as("text")
}

fn thread_of(app: &App, actor: &Actor, draft: Uuid, thread: usize) -> Result<ThreadAnswer> {
    let found = app.threads(actor, draft, &all())?.items.into_iter().find(|t| t.number == thread);
    found.ok_or_else(|| Refusal::new(Code::NotFound, "der er ingen sådan tråd", "there is no such thread"))
}

pub async fn reply_form(
    State(app): State<App>,
    Who(actor): Who,
    Path((draft, thread)): Path<(String, String)>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Answer {
    replied(&app, &actor, uuid(&draft)?, number(&thread)?, reads_danish(&headers)).await?.shown()
}

async fn replied(app: &App, actor: &Actor, draft: Uuid, thread: usize, da: bool) -> Result<FormPage> {
    let head = Head::of(app, actor, draft, da).await?;
    let told = thread_of(app, actor, draft, thread)?;
    let said = |c: &crate::registry::CommentAnswer| {
        let (by, at) = (html(&head.who(&c.stamp.by)), head.moment(c.stamp.at));
        format!("<p class=\"soft\">{by}, {at}</p><blockquote class=\"letter\">{}</blockquote>", html(&c.text))
    };
    let intro = told.comments.iter().map(said).collect::<String>();
    let title = format!("{} {thread}", say(da, "Svar i tråd", "Reply in thread"));
    Ok(FormPage::new(da, Some(head), title, format!("/drafts/{draft}/comments/{thread}"))
        .intro(intro)
        .hidden("back", "")
        .hidden("concept", "")
        .fields([Field::new("text", say(da, "Svar", "Reply"), Input::Text).needed()])
        .button("reply", say(da, "Svar", "Reply")))
}

pub async fn reply(
    State(app): State<App>,
    Who(actor): Who,
    Path((draft, thread)): Path<(String, String)>,
    Caller(headers): Caller,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let (draft, thread, da) = (uuid(&draft)?, number(&thread)?, reads_danish(&headers));
    let sent = Sent::read(&bytes)?;
    let done = async {
        let request = CommentRequest { topic: TopicRequest::default(), text: text(&sent)? };
        app.comment(&actor, draft, Some(thread), request).await?;
        Ok(back(draft, &sent, &format!("thread-{thread}")))
    };
    settle(done.await, async || Ok(replied(&app, &actor, draft, thread, da).await?.filled(&sent))).await
}

/// Settles a thread, or opens it again.
pub async fn settle_thread(
    State(app): State<App>,
    Who(actor): Who,
    Path((draft, thread)): Path<(String, String)>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let (draft, thread, sent) = (uuid(&draft)?, number(&thread)?, Sent::read(&bytes)?);
    let settled = sent.field("settled") == "yes";
    app.settle_thread(&actor, draft, thread, settled).await?;
    let place = back(draft, &sent, &format!("thread-{thread}"));
    // What is settled is not on the usual list.
    let shown = place.replace("/comments#", "/comments?settled=yes#");
    Ok(see(if settled { &shown } else { &place }))
}
