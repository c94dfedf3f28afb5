//! Forms on pages: who sends them, what was typed, and what was wrong with it. What was typed is never lost: it is in the
//! form again, or, where the page of the form cannot be shown, on the page that says no.

use std::collections::BTreeMap;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use uuid::Uuid;

use crate::http::api::App;
use crate::http::negotiate::reads_danish;
use crate::http::private::{nothing, page, sentence};
use crate::http::problem::{Failure, status};
use crate::http::who::{Origin, Who, foreign, origin};
use crate::model::{Category, Code, Name, Place, Refusal, Result};
use crate::registry::{Actor, Pages};
use crate::workflow::{Author, Line, Prose};

/// What a handler of a page answers with.
pub type Answer = Result<Response, Failure>;

/// The most fields of a form.
const MOST: usize = 20_000;

/// Who reads a page, and in which language.
pub struct Reader {
    /// Who it is; nobody in particular where a session has ended.
    pub actor: Actor,
    /// Whether the page is in Danish.
    pub da: bool,
    /// Why somebody who was signed in is not any more.
    pub lapsed: Option<Refusal>,
}

impl FromRequestParts<App> for Reader {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let da = reads_danish(&parts.headers);
        match Who::from_request_parts(parts, app).await {
            Ok(Who(actor)) => Ok(Self { actor, da, lapsed: None }),
            Err(Failure(refusal)) if refusal.code.category() == Category::Unknown => {
                Ok(Self { actor: Actor::Public, da, lapsed: Some(refusal) })
            }
            Err(failure) => Err(failure),
        }
    }
}

impl Reader {
    /// The words in the reader's language.
    pub fn choose<T>(&self, da: T, en: T) -> T {
        if self.da { da } else { en }
    }

    /// Whether this is a person who is signed in.
    pub fn is_known(&self) -> bool {
        matches!(self.actor, Actor::Account(_))
    }
}

/// What was typed into a form.
#[derive(Clone, Default, Debug)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// What a field says, without white space around it; nothing where it is not there.
    pub fn field(&self, name: &str) -> &str {
        self.raw(name).unwrap_or_default().trim()
    }

    fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// What a field says, where something was typed into it.
    pub fn said(&self, name: &str) -> Option<&str> {
        Some(self.field(name)).filter(|text| !text.is_empty())
    }

    /// Every value of a field that may be there several times.
    pub fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> + 'f {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.trim())
    }

    /// The fields whose names begin so, by what follows in the name.
    pub fn under<'f>(&'f self, prefix: &'f str) -> impl Iterator<Item = (&'f str, &'f str)> + 'f {
        self.0.iter().filter_map(move |(n, value)| Some((n.strip_prefix(prefix)?, value.trim())))
    }

    /// A field that must say something, read as what it is.
    ///
    /// # Errors
    /// What the reader of its type refuses, at the field.
    pub fn read<T: std::str::FromStr<Err = Refusal>>(&self, name: &str) -> Result<T> {
        let text = self.said(name).ok_or_else(|| missing(name))?;
        text.parse().map_err(|r: Refusal| r.at(Place::field(name)))
    }

    /// A field that may say nothing, read as what it is.
    ///
    /// # Errors
    /// As [`Form::read`].
    pub fn read_if<T: std::str::FromStr<Err = Refusal>>(&self, name: &str) -> Result<Option<T>> {
        self.said(name).map(|_| self.read(name)).transpose()
    }

    /// A line that must be there.
    ///
    /// # Errors
    /// [`Code::InvalidText`].
    pub fn line(&self, name: &str) -> Result<Line> {
        if self.said(name).is_none() {
            return Err(missing(name));
        }
        self.read(name).map_err(|r| Refusal {
            da: "skriv én linje med højst 300 tegn".into(),
            en: "write one line of at most 300 characters".into(),
            allowed: Vec::new(),
            ..r
        })
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// [`Code::InvalidText`].
    pub fn prose(&self, name: &str) -> Result<Prose> {
        if self.said(name).is_none() {
            return Err(missing(name));
        }
        self.read(name).map_err(|r| Refusal {
            da: "teksten må højst have 50.000 tegn og ingen styretegn".into(),
            en: "the text may have at most 50,000 characters, and no control characters".into(),
            allowed: Vec::new(),
            ..r
        })
    }

    /// The uuid that a field says.
    ///
    /// # Errors
    /// [`Code::InvalidIdentifier`].
    pub fn uuid(&self, name: &str) -> Result<Uuid> {
        let text = self.said(name).ok_or_else(|| missing(name))?;
        Uuid::try_parse(text).map_err(|_| {
            let (da, en) = ("vælg en af dem, der er", "choose one of those that there are");
            Refusal::new(Code::InvalidIdentifier, da, en).at(Place::field(name))
        })
    }
}

fn missing(name: &str) -> Refusal {
    let (da, en) = ("feltet skal udfyldes", "this must be filled in");
    Refusal::new(Code::InvalidText, da, en).at(Place::field(name))
}

/// A form that was sent from one of our pages.
pub struct Sent {
    /// Who sent it.
    pub reader: Reader,
    /// What was typed.
    pub form: Form,
    /// Where it was sent to.
    address: String,
}

impl FromRequest<App> for Sent {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        if origin(&parts.headers, &app.settings().public_url) == Origin::Foreign {
            return Err(foreign().into());
        }
        let reader = Reader::from_request_parts(&mut parts, app).await?;
        let address = parts.uri.path().to_owned();
        let bytes = Bytes::from_request(Request::from_parts(parts, body), app).await.map_err(|_| {
            let (da, en) = ("formularen er for stor eller kom ikke hel frem", "the form is too large or not whole");
            Refusal::new(Code::TooLarge, da, en)
        })?;
        let form = Form(form_urlencoded::parse(&bytes).into_owned().take(MOST).collect());
        Ok(Self { reader, form, address })
    }
}

impl Sent {
    /// Refuses what is sent by somebody whose session has ended meanwhile: it would be done in nobody's name.
    ///
    /// # Errors
    /// [`Code::NotSignedIn`], [`Code::Expired`].
    pub fn still(&self) -> Result<()> {
        self.reader.lapsed.clone().map_or(Ok(()), Err)
    }

    /// The form as it is shown again, with what was wrong. `called` tells which field of the form a place of a refusal
    /// is, and what that is called.
    ///
    /// # Errors
    /// The refusal itself where we are at fault.
    pub fn refused(&self, refusal: &Refusal, called: impl Fn(&str) -> Option<Called>) -> Result<Sheet> {
        if refusal.code.category() == Category::Broken {
            return Err(refusal.clone());
        }
        let place = refusal.place.field.as_deref().and_then(&called);
        let place = place.map(|c| (c.id.into_owned(), self.reader.choose(c.da, c.en).to_owned()));
        let wrong = Wrong { text: told(refusal, self.reader.da), place, items: refusal.items.clone() };
        Ok(Sheet { form: Some(self.form.clone()), wrong: Some(wrong), done: None })
    }

    /// The form as it is shown again because more room is wanted in it; nothing was wrong.
    pub fn again(&self) -> Sheet {
        Sheet { form: Some(self.form.clone()), wrong: None, done: None }
    }

    /// The answer to what was refused: the page of the form with what was typed; where that cannot be shown, and where
    /// somebody may not do this at all, a page that keeps what was typed.
    ///
    /// # Errors
    /// The refusal itself where we are at fault.
    pub fn no<T: Template>(&self, refusal: &Refusal, shown: Result<T>) -> Answer {
        let outside = matches!(refusal.code.category(), Category::Unknown | Category::Forbidden);
        match shown {
            Ok(template) if !outside || refusal.place.field.as_deref() == Some("mail") => {
                Ok(page(status(refusal), &template)?)
            }
            _ => Ok(page(code_of(refusal), &RefusedPage::new(refusal, self.reader.da, Some(self)))?),
        }
    }
}

/// A field of a form: its id, and what it is called.
pub struct Called {
    /// The id.
    pub id: std::borrow::Cow<'static, str>,
    /// In Danish.
    pub da: &'static str,
    /// In English.
    pub en: &'static str,
}

/// A field by its name.
pub fn called(id: impl Into<std::borrow::Cow<'static, str>>, da: &'static str, en: &'static str) -> Option<Called> {
    Some(Called { id: id.into(), da, en })
}

/// What was wrong with a form.
pub struct Wrong {
    /// What.
    pub text: String,
    /// The field: its id, and what it is called.
    pub place: Option<(String, String)>,
    /// One line for each thing that is wrong, when there are several.
    pub items: Vec<String>,
}

/// A form on a page: what was typed, what was wrong, what has just been done.
#[derive(Default)]
pub struct Sheet {
    form: Option<Form>,
    /// What was wrong.
    pub wrong: Option<Wrong>,
    /// What has just been done.
    pub done: Option<&'static str>,
}

impl Sheet {
    /// A form after something was done, as the address says it.
    pub fn after(done: Option<&str>, words: &[(&str, &'static str, &'static str)], da: bool) -> Self {
        let found = words.iter().find(|(name, ..)| Some(*name) == done);
        Self { done: found.map(|(_, danish, english)| if da { *danish } else { *english }), ..Self::default() }
    }

    /// Whether a form was sent, so that what it says counts, also where it says nothing.
    pub fn was_sent(&self) -> bool {
        self.form.is_some()
    }

    /// What was typed into a field.
    pub fn value(&self, name: impl AsRef<str>) -> &str {
        self.or(name, "")
    }

    /// What was typed into a field; before anything was sent, what there is.
    pub fn or<'s>(&'s self, name: impl AsRef<str>, usual: &'s str) -> &'s str {
        match &self.form {
            // The form of another button of the page does not say what was not in it.
            Some(form) => form.raw(name.as_ref()).unwrap_or(usual),
            None => usual,
        }
    }

    /// Whether a field says this.
    pub fn has(&self, name: impl AsRef<str>, value: impl AsRef<str>) -> bool {
        self.form.as_ref().is_some_and(|f| f.all(name.as_ref()).any(|v| v == value.as_ref()))
    }

    /// Whether a field says this; before anything was sent, whether it usually does.
    pub fn has_or(&self, name: impl AsRef<str>, value: impl AsRef<str>, usual: impl AsRef<str>) -> bool {
        self.or(name, usual.as_ref()) == value.as_ref()
    }

    /// How many rows a list in the form had when it was sent, by the names of the fields of one column.
    pub fn rows(&self, prefix: &str) -> Option<usize> {
        let rows = |form: &Form| form.under(prefix).filter_map(|(row, _)| row.parse::<usize>().ok()).max();
        self.form.as_ref().map(|form| rows(form).map_or(0, |last| last.saturating_add(1)))
    }

    /// What tells those who do not see it that a field is the one that was wrong.
    pub fn marked(&self, field: impl AsRef<str>) -> &'static str {
        let place = self.wrong.as_ref().and_then(|w| w.place.as_ref());
        let wrong = place.is_some_and(|(id, _)| id == field.as_ref());
        if wrong { " aria-invalid=\"true\" aria-describedby=\"problem\"" } else { "" }
    }
}

/// What a person is told of a refusal.
pub fn told(refusal: &Refusal, da: bool) -> String {
    let mut text = sentence(if da { &refusal.da } else { &refusal.en });
    if let Some(seconds) = refusal.retry_after {
        let (danish, english) = (format!(" (om {seconds} s)"), format!(" (in {seconds} s)"));
        text.push_str(if da { &danish } else { &english });
    }
    text
}

fn code_of(refusal: &Refusal) -> StatusCode {
    if refusal.code == Code::Expired { StatusCode::UNAUTHORIZED } else { status(refusal) }
}

#[derive(Template)]
#[template(path = "form-refused.html")]
struct RefusedPage {
    da: bool,
    text: String,
    items: Vec<String>,
    sign_in: bool,
    /// Where what was typed can be sent again.
    again: Option<String>,
    typed: Vec<(String, String)>,
}

impl RefusedPage {
    fn new(refusal: &Refusal, da: bool, sent: Option<&Sent>) -> Self {
        let forbidden = refusal.code.category() == Category::Forbidden;
        Self {
            da,
            text: told(refusal, da),
            items: refusal.items.clone(),
            sign_in: refusal.code.category() == Category::Unknown,
            again: sent.filter(|_| !forbidden).map(|s| s.address.clone()),
            typed: sent.map(|s| s.form.0.clone()).unwrap_or_default(),
        }
    }

    /// Texts that a person has written, not choices and numbers of ours.
    fn is_prose(&self, value: &str) -> bool {
        value.contains(char::is_whitespace)
    }
}

/// What a person is told on a page who asked for another one: they read no problem documents.
pub fn shown<T: Template>(template: Result<T>, da: bool) -> Answer {
    match template {
        Ok(template) => Ok(page(StatusCode::OK, &template)?),
        Err(refusal) if refusal.code.category() == Category::Broken => Err(refusal.into()),
        Err(refusal) => Ok(page(code_of(&refusal), &RefusedPage::new(&refusal, da, None))?),
    }
}

/// On to another page.
pub fn see(place: &str) -> Response {
    let mut response = nothing();
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(place) = HeaderValue::try_from(place) {
        response.headers_mut().insert(LOCATION, place);
    }
    response
}

/// The uuid in an address.
///
/// # Errors
/// [`Code::NotFound`].
pub fn uuid(text: &str) -> Result<Uuid> {
    let missing = || Refusal::new(Code::NotFound, "der er intet på denne adresse", "there is nothing at this address");
    Uuid::try_parse(text).map_err(|_| missing())
}

/// As much of a list as one page of a browser holds.
pub fn all() -> Pages {
    Pages { limit: Some(1_000), cursor: None }
}

/// What people are called on a page.
pub struct Names {
    known: BTreeMap<Uuid, Name>,
    da: bool,
}

impl Names {
    /// The names that somebody may see.
    ///
    /// # Errors
    /// [`Code::Database`].
    pub async fn of(app: &App, reader: &Reader) -> Result<Self> {
        Ok(Self { known: app.names(&reader.actor).await?, da: reader.da })
    }

    /// An account by its name, where that is known.
    pub fn account(&self, uuid: impl std::borrow::Borrow<Uuid>) -> String {
        match self.known.get(uuid.borrow()) {
            Some(name) => name.to_string(),
            None if self.da => "et medlem".into(),
            None => "a member".into(),
        }
    }

    /// Who did something, as a step names it; nothing where that is not known.
    pub fn by(&self, by: impl AsRef<str>) -> String {
        match by.as_ref().parse::<Author>() {
            Ok(Author::Account(uuid)) => self.known.get(&uuid).map(ToString::to_string).unwrap_or_default(),
            Ok(Author::Contact(_)) => if self.da { "en uden konto" } else { "somebody without an account" }.into(),
            Ok(Author::Operator(name)) => name.into(),
            Ok(Author::Clock) | Err(_) => String::new(),
        }
    }
}
