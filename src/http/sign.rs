//! The pages where people sign in and out, see who they are, and set a password by a one-time link. They work
//! without scripts; their forms are taken from pages of this site alone.

use askama::Template;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde::Deserialize;
use utoipa::IntoParams;

use super::HttpOptions;
use super::app::App;
use super::negotiate::{Caller, reads_danish};
use super::params::{Nothing, Params};
use super::peer::TrustForwarded;
use super::private::{nothing, page};
use super::problem::{Failure, status};
use super::who::{From, Origin, Who, foreign, origin, session_secret, set_cookie};
use crate::model::{Category, Code, Password, Place, Refusal, Result, Secret};
use crate::registry::{Actor, LinkFor, Me, ProviderSettings, SessionAnswer, SignedIn};

type Answer = Result<Response, Failure>;

/// The pages' addresses.
pub fn router(options: &HttpOptions) -> Router<App> {
    Router::new()
        .route("/sign-in", get(sign_in_page).post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/me", get(me))
        .route("/setup", get(setup_page).post(setup))
        .layer(Extension(TrustForwarded(options.trust_forwarded)))
}

#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignInPage {
    da: bool,
    mail: String,
    refused: Option<String>,
    providers: Vec<ProviderSettings>,
    /// Whether people sign in by mail address and password.
    local: bool,
}

impl SignInPage {
    fn new(app: &App, da: bool, mail: String, refused: Option<String>) -> Self {
        Self { da, mail, refused, providers: app.providers().cloned().collect(), local: app.signs_in_locally() }
    }
}

#[derive(Template)]
#[template(path = "signed-out.html")]
struct SignedOutPage {
    da: bool,
    provider: String,
    address: String,
}

#[derive(Template)]
#[template(path = "setup.html")]
struct SetupPage {
    da: bool,
    key: String,
    /// Whether the link leads nowhere any more.
    gone: bool,
    first: bool,
    name: String,
    mail: String,
    refused: Option<String>,
}

#[derive(Template)]
#[template(path = "me.html")]
struct MePage {
    da: bool,
    me: Me,
    sessions: Vec<SessionAnswer>,
}

/// The link that was followed.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Followed {
    /// Its secret.
    key: Option<String>,
}

/// A form that was sent; a page of another site cannot send one.
struct Form(Vec<(String, String)>);

impl Form {
    fn read(app: &App, headers: &HeaderMap, bytes: &[u8]) -> Result<Self> {
        if origin(headers, &app.settings().public_url) == Origin::Foreign {
            return Err(foreign());
        }
        Ok(Self(form_urlencoded::parse(bytes).into_owned().take(20).collect()))
    }

    fn field(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

/// What a person is told of a refusal; faults of ours go the way of all faults.
fn told(refusal: Refusal, da: bool) -> Result<(StatusCode, String, Option<u64>)> {
    if refusal.code.category() == Category::Broken {
        return Err(refusal);
    }
    let mut text = if da { refusal.da.clone() } else { refusal.en.clone() };
    if !refusal.allowed.is_empty() {
        text.push_str(&format!(" ({})", refusal.allowed.join(", ")));
    }
    Ok((status(&refusal), text, refusal.retry_after))
}

/// On to another page, with what becomes of the cookie.
fn on_to(app: &App, place: &'static str, cookie: Option<Option<&SignedIn>>) -> Response {
    let mut response = nothing();
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, HeaderValue::from_static(place));
    if let Some(cookie) = cookie.and_then(|c| set_cookie(&app.settings().public_url, c)) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

/// An answer with when to come back.
pub fn with_wait(mut response: Response, wait: Option<u64>) -> Response {
    if let Some(seconds) = wait {
        response.headers_mut().insert("retry-after", HeaderValue::from(seconds));
    }
    response
}

/// The page where one begins again, with what was refused.
pub fn refused_page(app: &App, da: bool, refusal: Refusal) -> Result<Response> {
    let (status, text, _) = told(refusal, da)?;
    page(status, &SignInPage::new(app, da, String::new(), Some(text)))
}

async fn sign_in_page(State(app): State<App>, Caller(headers): Caller, _: Params<Nothing>) -> Answer {
    let template = SignInPage::new(&app, reads_danish(&headers), String::new(), None);
    Ok(page(StatusCode::OK, &template)?)
}

async fn sign_in(
    State(app): State<App>,
    From(peer): From,
    headers: HeaderMap,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let form = Form::read(&app, &headers, &bytes)?;
    match app.sign_in(form.field("mail"), form.field("password"), &peer).await {
        Ok(signed_in) => Ok(on_to(&app, "/me", Some(Some(&signed_in)))),
        Err(refusal) => {
            let da = reads_danish(&headers);
            let (status, text, wait) = told(refusal, da)?;
            let mail = form.field("mail").chars().take(254).collect();
            Ok(with_wait(page(status, &SignInPage::new(&app, da, mail, Some(text)))?, wait))
        }
    }
}

async fn sign_out(State(app): State<App>, Who(actor): Who, headers: HeaderMap, _: Params<Nothing>) -> Answer {
    let url = &app.settings().public_url;
    let secret = session_secret(&headers, url);
    app.sign_out(&actor).await?;
    let at = match &secret {
        Some(secret) => app.sign_out_at(secret).await,
        None => None,
    };
    let Some((provider, address)) = at else { return Ok(on_to(&app, "/sign-in", Some(None))) };
    // No redirect: whoever shares a machine is told that the other session goes on, and chooses.
    let da = reads_danish(&headers);
    let provider = if da { &provider.da } else { &provider.en }.to_string();
    let mut response = page(StatusCode::OK, &SignedOutPage { da, provider, address })?;
    if let Some(cookie) = set_cookie(url, None) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}

async fn me(State(app): State<App>, who: Result<Who, Failure>, Caller(headers): Caller, _: Params<Nothing>) -> Answer {
    let actor = match who {
        Ok(Who(actor @ Actor::Account(_))) => actor,
        // Nobody, or a session that has ended.
        Ok(_) => return Ok(on_to(&app, "/sign-in", None)),
        Err(Failure(refusal)) if refusal.code.category() == Category::Unknown => {
            return Ok(on_to(&app, "/sign-in", None));
        }
        Err(failure) => return Err(failure),
    };
    let (me, sessions) = (app.me(&actor).await?, app.sessions(&actor).await?);
    Ok(page(StatusCode::OK, &MePage { da: reads_danish(&headers), me, sessions })?)
}

async fn setup_page(State(app): State<App>, Caller(headers): Caller, Params(followed, ..): Params<Followed>) -> Answer {
    let key = followed.key.unwrap_or_default();
    let first = match app.link_for(&Secret::shown(&key)).await {
        Ok(leads) => leads == LinkFor::FirstAdministrator,
        Err(refusal) => return gone(refusal, &headers),
    };
    let (da, name, mail) = (reads_danish(&headers), String::new(), String::new());
    Ok(page(StatusCode::OK, &SetupPage { da, key, gone: false, first, name, mail, refused: None })?)
}

/// The page of a link that leads nowhere any more: a person followed it, and is told what to do.
fn gone(refusal: Refusal, headers: &HeaderMap) -> Answer {
    if refusal.code != Code::Expired {
        return Err(refusal.into());
    }
    let da = reads_danish(headers);
    let (_, text, _) = told(refusal, da)?;
    let (key, name, mail) = Default::default();
    Ok(page(StatusCode::GONE, &SetupPage { da, key, gone: true, first: false, name, mail, refused: Some(text) })?)
}

async fn setup(State(app): State<App>, headers: HeaderMap, _: Params<Nothing>, bytes: Bytes) -> Answer {
    let form = Form::read(&app, &headers, &bytes)?;
    let secret = Secret::shown(form.field("key"));
    let first = match app.link_for(&secret).await {
        Ok(leads) => leads == LinkFor::FirstAdministrator,
        Err(refusal) => return gone(refusal, &headers),
    };
    match set_up(&app, &form, &secret, first).await {
        Ok(None) => Ok(on_to(&app, "/sign-in", None)),
        Ok(Some(signed_in)) => Ok(on_to(&app, "/me", Some(Some(&signed_in)))),
        Err(refusal) if refusal.code == Code::Expired => gone(refusal, &headers),
        Err(refusal) => {
            let da = reads_danish(&headers);
            let (status, text, _) = told(refusal, da)?;
            let field = |name| form.field(name).chars().take(254).collect();
            let (key, name, mail) = (field("key"), field("name"), field("mail"));
            Ok(page(status, &SetupPage { da, key, gone: false, first, name, mail, refused: Some(text) })?)
        }
    }
}

async fn set_up(app: &App, form: &Form, secret: &Secret, first: bool) -> Result<Option<SignedIn>> {
    let password = Password::new(form.field("password"))?;
    if form.field("again") != form.field("password") {
        let (da, en) = ("de to adgangskoder er ikke ens", "the two passwords are not the same");
        return Err(Refusal::new(Code::WeakPassword, da, en).at(Place::field("again")));
    }
    if !first {
        return app.use_link(secret, &password).await;
    }
    let (name, mail) = (form.field("name").parse()?, form.field("mail").parse()?);
    app.use_first_link(secret, name, mail, &password).await
}
