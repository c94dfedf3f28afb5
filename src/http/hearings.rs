//! The pages of hearings: which there are, one of them, the form by which it is answered, and the confirmation of a
//! mail address. They work without scripts; their forms are taken from pages of this site alone.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::multipart::Multipart;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, State};
use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::HttpOptions;
use super::api::{App, served, tongue};
use super::negotiate::{Caller, reads_danish};
use super::params::{Nothing, Params};
use super::peer::TrustForwarded;
use super::private::{nothing, page, sentence};
use super::problem::{Failure, status};
use super::who::{From, Origin, Visiting, foreign, origin};
use crate::exchange::paper::{Piece, PieceKind, compare};
use crate::model::{Category, Code, ContentFields, Instant, Place, Refusal, Result, Secret};
use crate::registry::{
    AnswerAnswer, AnswerRequest, DecisionAnswer, FileRequest, HearingAnswer, HearingSummary, Pages, PartyAnswer,
    Received, Visitor, moment,
};
use crate::workflow::{AnswerItem, FileKind, Hearing, HearingStage, Ruling};

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

/// A concept that is asked about, with its words marked.
struct Question {
    uuid: Uuid,
    name: String,
    term: Vec<Piece>,
    definition: Vec<Piece>,
    is_new: bool,
    retires: bool,
}

#[derive(Template)]
#[template(path = "answer.html")]
struct AnswerPage {
    da: bool,
    hearing: HearingAnswer,
    questions: Vec<Question>,
    link: String,
    stranger: bool,
    /// Whether somebody unknown would wait for a letter that never comes.
    mailless: bool,
    standing: Option<AnswerAnswer>,
    written: Option<AnswerAnswer>,
    fields: BTreeMap<String, String>,
    refused: Option<String>,
    /// Whether what was written is kept all the same.
    saved: bool,
    /// The field that was wrong: its id, and what it is called.
    wrong: Option<(String, String)>,
    done: Option<&'static str>,
}

impl AnswerPage {
    fn is_open(&self) -> bool {
        self.hearing.summary.stage == HearingStage::Open
    }

    fn can_write(&self) -> bool {
        matches!(self.hearing.summary.stage, HearingStage::Open | HearingStage::Closed) && !self.mailless
    }

    fn by_link(&self) -> String {
        by_link(&self.link)
    }

    /// What becomes of the concept as a whole.
    fn fate(&self, question: &Question) -> Option<&'static str> {
        match (question.is_new, question.retires, self.da) {
            (true, _, da) => Some(if da { "nyt begreb" } else { "new concept" }),
            (_, true, da) => Some(if da { "foreslås udgået" } else { "proposed to retire" }),
            _ => None,
        }
    }

    /// What tells those who do not see it that a field is the one that was wrong.
    fn marked(&self, field: impl AsRef<str>) -> &'static str {
        let wrong = self.wrong.as_ref().is_some_and(|(id, _)| id == field.as_ref());
        if wrong { " aria-invalid=\"true\" aria-describedby=\"problem\"" } else { "" }
    }

    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map(String::as_str).unwrap_or_default()
    }

    fn has(&self, name: &str, value: &str) -> bool {
        self.field(name) == value
    }

    fn asked(&self, concept: &Uuid) -> [(String, &'static str); 2] {
        let (term, definition) = if self.da {
            ("Er I enige i termen?", "Er I enige i definitionen?")
        } else {
            ("Do you agree to the term?", "Do you agree to the definition?")
        };
        [(format!("term-{concept}"), term), (format!("definition-{concept}"), definition)]
    }

    fn choices(&self) -> [(&'static str, &'static str); 3] {
        if self.da {
            [("yes", "Ja"), ("no", "Nej"), ("", "Ikke besvaret")]
        } else {
            [("yes", "Yes"), ("no", "No"), ("", "Not answered")]
        }
    }

    /// A piece of text as HTML.
    fn piece(&self, piece: &Piece) -> String {
        let mut text = String::new();
        for c in piece.text.chars() {
            match c {
                '<' => text.push_str("&lt;"),
                '>' => text.push_str("&gt;"),
                '&' => text.push_str("&amp;"),
                c => text.push(c),
            }
        }
        match piece.kind {
            PieceKind::Same => text,
            PieceKind::Added => format!("<ins>{text}</ins>"),
            PieceKind::Removed => format!("<del>{text}</del>"),
        }
    }
}

#[derive(Template)]
#[template(path = "refused.html")]
struct RefusedPage {
    da: bool,
    text: String,
}

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

/// What an answer says, as the fields of the form.
fn fields(answer: &AnswerAnswer) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    let word = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    for item in &answer.items {
        let Some(concept) = item.concept else {
            fields.insert("general".into(), item.comment.clone().unwrap_or_default());
            continue;
        };
        fields.extend(item.agree_term.map(|y| (format!("term-{concept}"), word(y))));
        fields.extend(item.agree_definition.map(|y| (format!("definition-{concept}"), word(y))));
        fields.extend(item.comment.clone().map(|c| (format!("comment-{concept}"), c)));
    }
    fields
}

fn question(heard: &crate::registry::HeardAnswer) -> Question {
    let term = |f: &Option<ContentFields>| {
        let f = f.as_ref()?;
        let danish =
            f.terms.iter().find(|t| t.status == crate::model::TermStatus::Preferred && t.language.as_str() == "da");
        danish.or(f.terms.first()).map(|t| t.value.clone())
    };
    let definition = |f: &Option<ContentFields>| {
        let f = f.as_ref()?;
        f.definitions.iter().find(|d| d.language.as_str() == "da").or(f.definitions.first()).map(|d| d.text.clone())
    };
    let marked = |of: &dyn Fn(&Option<ContentFields>) -> Option<String>| {
        compare(&of(&heard.before).unwrap_or_default(), &of(&heard.after).unwrap_or_default())
    };
    Question {
        uuid: heard.uuid,
        name: heard.name.clone(),
        term: marked(&term),
        definition: marked(&definition),
        is_new: heard.before.is_none(),
        retires: heard.after.is_none(),
    }
}

/// Puts the form together.
async fn shown(app: &App, visitor: &Visitor, of: Uuid, link: &str, da: bool) -> Result<AnswerPage> {
    let hearing = app.hearing(visitor, of)?;
    let stranger = match app.may_answer(visitor, of) {
        Ok(()) => false,
        // Where everybody is asked, somebody unknown confirms a mail address.
        Err(r)
            if matches!(r.code, Code::NotSignedIn | Code::NotAllowed)
                && hearing.summary.audience == crate::workflow::Audience::Public =>
        {
            true
        }
        Err(r) if r.code == Code::Phase => false,
        Err(refusal) => return Err(refusal),
    };
    let (standing, written) = app.own_answers(visitor, of).await?;
    let mailless = match app.needs_mail().await {
        Err(r) if r.code == Code::NotSignedIn => stranger,
        needed => needed.map(|()| false)?,
    };
    Ok(AnswerPage {
        da,
        questions: hearing.heard.iter().map(question).collect(),
        hearing,
        link: link.to_owned(),
        stranger,
        mailless,
        standing,
        fields: written.as_ref().map(fields).unwrap_or_default(),
        written,
        refused: None,
        saved: false,
        wrong: None,
        done: None,
    })
}

async fn form(
    State(app): State<App>,
    Path(of): Path<String>,
    Params(followed, ..): Params<Followed>,
    mut parts: Parts,
) -> Answer {
    let da = reads_danish(&parts.headers);
    told(form_page(&app, &of, followed, &mut parts).await, da)
}

async fn form_page(app: &App, of: &str, followed: Followed, parts: &mut Parts) -> Answer {
    let link = followed.link.unwrap_or_default();
    let visitor = visitor(app, &link, parts).await?;
    let mut form = shown(app, &visitor, uuid(of)?, &link, reads_danish(&parts.headers)).await?;
    form.done = match followed.done.as_deref() {
        Some("saved") => Some(("Svaret er gemt, men ikke sendt.", "The answer is saved, but not submitted.")),
        Some("submitted") => Some(("Tak. Svaret er modtaget.", "Thank you. The answer is received.")),
        Some("withdrawn") => Some(("Svaret er trukket tilbage.", "The answer was taken back.")),
        Some("pending") => Some((
            "Tak. Vi har sendt et link til din mailadresse; svaret tæller, når du har fulgt det.",
            "Thank you. We have sent a link to your mail address; the answer counts when you have followed it.",
        )),
        _ => None,
    }
    .map(|(danish, english)| if form.da { danish } else { english });
    Ok(page(StatusCode::OK, &form)?)
}

async fn send(
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

async fn confirm_page(
    State(app): State<App>,
    Path(secret): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Answer {
    let pending = app.pending_answer(&Secret::shown(&secret)).await;
    let shown = pending.map_err(Failure).and_then(|answer| confirmed(&app, answer, false, &headers));
    told(shown, reads_danish(&headers))
}

async fn confirm(State(app): State<App>, Path(secret): Path<String>, headers: HeaderMap, _: Params<Nothing>) -> Answer {
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
