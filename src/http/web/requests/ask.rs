//! A change that is asked for: the form, and what it says.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;

use super::{About, Choice, Subject, vocabularies};
use crate::http::api::App;
use crate::http::params::{Nothing, Params};
use crate::http::private::page;
use crate::http::web::accept::{self, Words};
use crate::http::web::form::{Answer, Form, Reader, Sent, Sheet, called, see, shown};
use crate::http::web::language;
use crate::http::who::From;
use crate::model::{Code, ContentFields, Place, Result};
use crate::registry::{AskRequest, Submitted};

#[derive(Template)]
#[template(path = "request-new.html")]
struct NewPage {
    da: bool,
    sheet: Sheet,
    vocabularies: Vec<Choice>,
    vocabulary: String,
    title: String,
    concept: Option<Subject>,
    /// Whether a name and a mail address are needed.
    stranger: bool,
    /// Whether somebody unknown would wait for a letter that never comes.
    mailless: bool,
}

pub async fn new(State(app): State<App>, reader: Reader, Params(about, ..): Params<About>) -> Answer {
    let (vocabulary, concept) = (about.vocabulary.unwrap_or_default(), about.concept.unwrap_or_default());
    shown(new_page(&app, &reader, &vocabulary, &concept, Sheet::default()).await, reader.da)
}

async fn new_page(app: &App, reader: &Reader, vocabulary: &str, concept: &str, sheet: Sheet) -> Result<NewPage> {
    let title = match vocabulary {
        "" => String::new(),
        slug => app.plane(slug)?.vocabulary().title(language(reader.da)).to_owned(),
    };
    let concept = match (vocabulary, concept) {
        ("", _) | (_, "") => None,
        (slug, name) => Some(Subject::find(app, slug, name, reader.da)?),
    };
    let stranger = !reader.is_known();
    let mailless = match app.needs_mail().await {
        Err(r) if r.code == Code::NotSignedIn => stranger,
        needed => needed.map(|()| false)?,
    };
    Ok(NewPage {
        da: reader.da,
        sheet,
        vocabularies: vocabularies(app, reader.da),
        vocabulary: vocabulary.to_owned(),
        title,
        concept,
        stranger,
        mailless,
    })
}

pub async fn ask(State(app): State<App>, From(peer): From, sent: Sent) -> Answer {
    let refusal = match asked(&app, &sent, &peer).await {
        Ok(place) => return Ok(see(&place)),
        Err(refusal) => refusal,
    };
    let sheet = sent.refused(&refusal, |field| match field {
        "vocabulary" => called("vocabulary", "Ordforråd", "Vocabulary"),
        "concept" => called("concept", "Begreb", "Concept"),
        "title" => called("title", "Overskrift", "Title"),
        "text" => called("text", "Begrundelse", "Reason"),
        "organisation" => called("organisation", "Organisation", "Organisation"),
        "name" => called("name", "Navn", "Name"),
        "mail" => called("mail", "Mailadresse", "Mail address"),
        "definition" | "proposal.definitions" => called("definition", "Definition", "Definition"),
        field if field == "term" || field.starts_with("proposal") => called("term", "Term", "Term"),
        _ => None,
    })?;
    let (vocabulary, concept) = (sent.form.field("vocabulary"), sent.form.field("about"));
    sent.no(&refusal, new_page(&app, &sent.reader, vocabulary, concept, sheet).await)
}

/// Sends a request in; where to go on.
async fn asked(app: &App, sent: &Sent, peer: &str) -> Result<String> {
    sent.still()?;
    let form = &sent.form;
    let vocabulary = form.read("vocabulary")?;
    let concept = form.said("about").or(form.said("concept"));
    let request = AskRequest {
        proposal: proposal(app, form, concept, sent.reader.da)?,
        vocabulary,
        concept: concept.map(str::to_owned),
        title: form.line("title")?,
        text: form.prose("text")?,
        organisation: form.said("organisation").map(|_| form.line("organisation")).transpose()?,
        name: form.read_if("name")?,
        mail: form.read_if("mail")?,
    };
    Ok(match app.ask_for_change(&sent.reader.actor, request, peer).await? {
        Submitted::Queued(made) => format!("/change-requests/{}?done=received", made.uuid),
        Submitted::Pending(_) => "/change-requests/received".into(),
    })
}

/// The content that is proposed; nothing where the words are as they are. What is left empty stays as it is.
fn proposal(app: &App, form: &Form, concept: Option<&str>, da: bool) -> Result<Option<ContentFields<String>>> {
    let (slug, typed) = (form.field("vocabulary"), Words::typed(form));
    let language = app.plane(slug)?.vocabulary().default_language().clone();
    let Some(name) = concept else {
        return if typed.is_empty() { Ok(None) } else { typed.new_content(&language).map(Some) };
    };
    let subject = Subject::find(app, slug, name, da).map_err(|r| r.at(Place::field("concept")))?;
    let wanted = typed.or(&subject.words);
    if wanted == subject.words {
        return Ok(None);
    }
    accept::keyed(wanted.within(subject.answer.said.content().into_fields(), &language)).map(Some)
}

#[derive(Template)]
#[template(path = "request-received.html")]
struct ReceivedPage {
    da: bool,
}

pub async fn received(reader: Reader, _: Params<Nothing>) -> Answer {
    Ok(page(StatusCode::OK, &ReceivedPage { da: reader.da })?)
}
