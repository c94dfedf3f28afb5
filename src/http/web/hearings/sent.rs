//! A form of a hearing that was sent: read, done, and shown once more where something stood in the way.

use std::collections::BTreeMap;

use axum::extract::multipart::Multipart;
use axum::extract::{Path, State};
use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use uuid::Uuid;

use super::form::{AnswerPage, shown};
use super::{Answer, told, uuid, visitor};
use crate::http::api::App;
use crate::http::negotiate::reads_danish;
use crate::http::private::{nothing, page, sentence};
use crate::http::problem::status;
use crate::http::who::{From, Origin, foreign, origin};
use crate::model::{Category, Code, Place, Refusal, Result};
use crate::registry::{AnswerRequest, FileRequest, HearingAnswer, Received, Visitor};
use crate::workflow::{AnswerItem, Hearing};

/// What a form says, as it was sent.
#[derive(Default)]
struct Sent {
    fields: BTreeMap<String, String>,
    files: Vec<(String, Option<String>, Vec<u8>)>,
}

impl Sent {
    async fn read(mut form: Multipart) -> Result<Self> {
        let wrong = |e: axum::extract::multipart::MultipartError| {
            let code = if e.status() == StatusCode::PAYLOAD_TOO_LARGE { Code::TooLarge } else { Code::InvalidBody };
            Refusal::new(code, "formularen kan ikke læses", "the form cannot be read")
        };
        let mut sent = Self::default();
        while let Some(field) = form.next_field().await.map_err(wrong)? {
            let name = field.name().unwrap_or_default().to_owned();
            let file = field.file_name().map(ToOwned::to_owned);
            let media = field.content_type().map(ToOwned::to_owned);
            let bytes = field.bytes().await.map_err(wrong)?;
            match file {
                // An empty field of a form has no name.
                Some(file) if file.is_empty() && bytes.is_empty() => {}
                Some(file) => sent.files.push((file, media, bytes.to_vec())),
                None => drop(sent.fields.insert(name, String::from_utf8_lossy(&bytes).into_owned())),
            }
            if sent.fields.len() > 10_000 || sent.files.len() > Hearing::MOST_FILES {
                let (da, en) = ("formularen er for stor", "the form is too large");
                return Err(Refusal::new(Code::TooLarge, da, en).allowed([Hearing::MOST_FILES.to_string()]));
            }
        }
        Ok(sent)
    }

    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map(|v| v.trim()).unwrap_or_default()
    }

    /// The answer that the form is; `has_files` when it has some already.
    fn request(&self, hearing: &HearingAnswer, has_files: bool) -> Result<AnswerRequest> {
        let at = |field: String| move |r: Refusal| r.at(Place::field(field));
        let mut items = Vec::new();
        for concept in hearing.heard.iter().map(|h| h.uuid) {
            let verdict = |what: &str| match self.field(&format!("{what}-{concept}")) {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            };
            let (agree_term, agree_definition) = (verdict("term"), verdict("definition"));
            let name = format!("comment-{concept}");
            let text = self.field(&name);
            let comment = if text.is_empty() { None } else { Some(text.parse().map_err(at(name))?) };
            if agree_term.is_some() || agree_definition.is_some() || comment.is_some() {
                items.push(AnswerItem { concept: Some(concept), agree_term, agree_definition, comment });
            }
        }
        if !self.field("general").is_empty() {
            let comment = Some(self.field("general").parse().map_err(at("general".into()))?);
            items.push(AnswerItem { concept: None, agree_term: None, agree_definition: None, comment });
        }
        let none = self.field("none") == "yes";
        let (files, submits) = (has_files || !self.files.is_empty(), self.field("do") == "submit");
        if none && !items.is_empty() {
            let (da, en) = (
                "I har både bemærkninger og kryds ved ingen",
                "there are remarks, though you ticked that you have none",
            );
            return Err(Refusal::new(Code::Unlawful, da, en).at(Place::field("none")));
        }
        if none && files && submits {
            let (da, en) = (
                "I har både bilag og kryds ved ingen bemærkninger",
                "there are files, though you ticked that you have no remarks",
            );
            return Err(Refusal::new(Code::Unlawful, da, en).at(Place::field("none")));
        }
        if !none && items.is_empty() && submits && !files {
            let (da, en) = (
                "svaret er tomt; sæt kryds, hvis I ingen bemærkninger har",
                "the answer is empty; tick the box if you have no remarks",
            );
            return Err(Refusal::new(Code::Unlawful, da, en).at(Place::field("none")));
        }
        let said = |name: &str| Some(self.field(name)).filter(|v| !v.is_empty());
        Ok(AnswerRequest {
            items,
            organisation: said("organisation").map(str::parse).transpose().map_err(at("organisation".into()))?,
            name: said("name").map(str::parse).transpose().map_err(at("name".into()))?,
            mail: said("mail").map(str::parse).transpose().map_err(at("mail".into()))?,
            submit: false,
        })
    }
}

pub async fn send(
    State(app): State<App>,
    Path(of): Path<String>,
    From(peer): From,
    mut parts: Parts,
    form: Multipart,
) -> Answer {
    if origin(&parts.headers, &app.settings().public_url) == Origin::Foreign {
        return Err(foreign().into());
    }
    let da = reads_danish(&parts.headers);
    told(taken(&app, &of, &peer, &mut parts, form).await, da)
}

async fn taken(app: &App, of: &str, peer: &str, parts: &mut Parts, form: Multipart) -> Answer {
    let (of, da) = (uuid(of)?, reads_danish(&parts.headers));
    let sent = Sent::read(form).await?;
    let link = sent.field("link").to_owned();
    let visitor = visitor(app, &link, parts).await?;
    match acted(app, &visitor, of, &sent, (peer, da)).await {
        Ok(done) => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            if !link.is_empty() {
                query.append_pair("link", &link);
            }
            Ok(see(&format!("/hearings/{of}/answer?{}", query.append_pair("done", done).finish())))
        }
        Err(Stopped { refusal, .. }) if refusal.code.category() == Category::Broken => Err(refusal.into()),
        Err(Stopped { refusal, saved }) => {
            let mut form = shown(app, &visitor, of, &link, da).await?;
            form.fields = sent.fields;
            form.saved = saved;
            form.wrong = wrong_field(&form, &refusal);
            let mut text = sentence(if da { &refusal.da } else { &refusal.en });
            if !refusal.allowed.is_empty() {
                text.push_str(&format!(" ({})", refusal.allowed.join(", ")));
            }
            form.refused = Some(text);
            Ok(page(status(&refusal), &form)?)
        }
    }
}

/// Where the form is wrong: the field, and what it is called.
fn wrong_field(form: &AnswerPage, refusal: &Refusal) -> Option<(String, String)> {
    let field = refusal.place.field.as_deref()?;
    let called = |da: &str, en: &str| Some((field.to_owned(), if form.da { da } else { en }.to_owned()));
    match field {
        "name" => called("Navn", "Name"),
        "mail" => called("Mailadresse", "Mail address"),
        "organisation" => called("Organisation", "Organisation"),
        "general" => called("Generelle bemærkninger", "General comments"),
        "none" => called("Ingen bemærkninger", "No remarks"),
        "file" => called("Bilag", "Attachments"),
        _ => {
            let concept = field.strip_prefix("comment-")?;
            let question = form.questions.iter().find(|q| q.uuid.to_string() == concept)?;
            Some((field.to_owned(), question.name.clone()))
        }
    }
}

/// What stood in the way of a form, and whether what was written is kept all the same.
struct Stopped {
    refusal: Refusal,
    saved: bool,
}

impl std::convert::From<Refusal> for Stopped {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, saved: false }
    }
}

/// Does what a form asks for; what was done.
async fn acted(
    app: &App,
    visitor: &Visitor,
    of: Uuid,
    sent: &Sent,
    (peer, da): (&str, bool),
) -> Result<&'static str, Stopped> {
    let answer = Uuid::try_parse(sent.field("answer")).ok();
    if let (Some(answer), "withdraw") = (answer, sent.field("do")) {
        app.withdraw_answer(visitor, of, answer).await?;
        return Ok("withdrawn");
    }
    let written = app.own_answers(visitor, of).await?.1.filter(|w| Some(w.uuid) == answer);
    let files: Vec<Uuid> = written.iter().flat_map(|w| w.attachments.iter().map(|f| f.uuid)).collect();
    let (removed, kept): (Vec<Uuid>, Vec<Uuid>) =
        files.into_iter().partition(|f| sent.field(&format!("remove-{f}")) == "yes");
    let request = sent.request(&app.hearing(visitor, of)?, !kept.is_empty())?;
    let answer = match answer {
        Some(answer) => app.change_answer(visitor, of, answer, request.clone()).await?.uuid,
        None => match app.write_answer(visitor, of, request.clone(), peer).await? {
            Received::Kept(answer) => answer.uuid,
            Received::Pending(_) => return Ok("pending"),
        },
    };
    let rest = async {
        for file in removed {
            app.detach(visitor, of, answer, file).await?;
        }
        for (name, media, bytes) in &sent.files {
            attach(app, visitor, (of, answer), (name, media.as_deref(), bytes)).await?;
        }
        if sent.field("do") != "submit" {
            return Ok("saved");
        }
        if request.items.is_empty() && sent.field("none") != "yes" {
            app.change_answer(visitor, of, answer, AnswerRequest { items: vec![see_file(da)?], ..request }).await?;
        }
        app.submit_answer(visitor, of, answer).await?;
        Ok("submitted")
    };
    rest.await.map_err(|refusal| Stopped { refusal, saved: true })
}

/// Adds a file; of one that is refused, its name is told.
async fn attach(
    app: &App,
    visitor: &Visitor,
    (of, answer): (Uuid, Uuid),
    (name, media_type, bytes): (&str, Option<&str>, &[u8]),
) -> Result<()> {
    let named = |mut r: Refusal| {
        let short: String = name.chars().take(80).collect();
        (r.da, r.en) = (format!("»{short}«: {}", r.da), format!("'{short}': {}", r.en));
        Refusal { place: Place::field("file"), ..r }
    };
    let file = FileRequest { name: name.parse().map_err(named)?, media_type, bytes };
    app.attach(visitor, of, answer, file).await.map(drop).map_err(named)
}

/// What an answer says that is all in its files: only what is said gets a reply.
fn see_file(da: bool) -> Result<AnswerItem> {
    let text = if da { "Svaret står i den vedhæftede fil." } else { "The answer is in the attached file." };
    Ok(AnswerItem { concept: None, agree_term: None, agree_definition: None, comment: Some(text.parse()?) })
}

/// On to another page.
fn see(place: &str) -> Response {
    let mut response = nothing();
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(place) = HeaderValue::try_from(place) {
        response.headers_mut().insert(LOCATION, place);
    }
    response
}
