//! The pages of mail digests: the form by which anybody asks for one, the link that confirms it, and the link in each
//! letter that shows it and ends it. To look at a link does nothing: scanners of mail follow links.

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::HttpOptions;
use super::app::App;
use super::negotiate::{Caller, reads_danish};
use super::params::{Nothing, Params};
use super::peer::TrustForwarded;
use super::private::{page, sentence};
use super::problem::{Failure, status};
use super::who::{From, Origin, Who, foreign, origin};
use crate::model::{Category, Code, DigestLanguage, EventFilter, Frequency, Instant, Point, Refusal, Result, Secret};
use crate::registry::{DigestAnswer, DigestRequest};

type Answer = Result<Response, Failure>;

/// The pages' addresses.
pub fn router(options: &HttpOptions) -> Router<App> {
    Router::new()
        .route("/digests/new", get(new).post(ask))
        .route("/digests/confirm/{secret}", get(pending).post(confirm))
        .route("/digests/{digest}/{key}", get(one).post(end))
        .layer(Extension(TrustForwarded(options.trust_forwarded)))
}

/// What a digest is to be about.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct About {
    /// The slug of a vocabulary.
    vocabulary: Option<String>,
    /// The uuid of a concept.
    concept: Option<String>,
}

/// Something that a digest is about: how it is called, and where it is shown.
struct Link {
    name: String,
    href: String,
}

#[derive(Template)]
#[template(path = "digest-new.html")]
struct NewPage {
    da: bool,
    about: Vec<Link>,
    vocabulary: String,
    concept: String,
    mail: String,
    every: Frequency,
    language: DigestLanguage,
    refused: Option<String>,
    sent: bool,
}

#[derive(Template)]
#[template(path = "digest.html")]
struct DigestPage {
    da: bool,
    /// Where the button leads; none where there is nothing to be done.
    action: Option<String>,
    digest: Option<DigestAnswer>,
    about: Vec<Link>,
    stage: Stage,
    refused: Option<String>,
}

/// What a page is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Confirm,
    Confirmed,
    Shown,
    Ended,
}

impl DigestPage {
    fn new(da: bool, stage: Stage) -> Self {
        Self { da, action: None, digest: None, about: Vec::new(), stage, refused: None }
    }

    fn confirms(&self) -> bool {
        self.stage == Stage::Confirm
    }

    fn is_confirmed(&self) -> bool {
        self.stage == Stage::Confirmed
    }

    fn has_ended(&self) -> bool {
        self.stage == Stage::Ended
    }

    fn often(&self) -> &'static str {
        let Some(digest) = &self.digest else { return "" };
        match (digest.every, self.da) {
            (Frequency::AtOnce, true) => "Du får brev, når der sker noget.",
            (Frequency::Daily, true) => "Du får brev om morgenen, når der er sket noget.",
            (Frequency::Weekly, true) => "Du får brev mandag morgen, når der er sket noget.",
            (Frequency::AtOnce, false) => "You get a letter when something happens.",
            (Frequency::Daily, false) => "You get a letter in the morning when something has happened.",
            (Frequency::Weekly, false) => "You get a letter on Monday morning when something has happened.",
        }
    }
}

async fn new(State(app): State<App>, Caller(headers): Caller, Params(about, ..): Params<About>) -> Answer {
    let da = reads_danish(&headers);
    let language = if da { DigestLanguage::Da } else { DigestLanguage::En };
    let (vocabulary, concept) = (about.vocabulary.unwrap_or_default(), about.concept.unwrap_or_default());
    let request = wanted(&vocabulary, &concept, "a@example.dk", Frequency::Weekly, language)?;
    let about = links(&app, &request.vocabularies.into_iter().collect::<Vec<_>>(), request.concepts, da)?;
    let (mail, every) = (String::new(), Frequency::Weekly);
    let form = NewPage { da, about, vocabulary, concept, mail, every, language, refused: None, sent: false };
    Ok(page(StatusCode::OK, &form)?)
}

async fn ask(
    State(app): State<App>,
    Who(actor): Who,
    From(peer): From,
    headers: HeaderMap,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    if origin(&headers, &app.settings().public_url) == Origin::Foreign {
        return Err(foreign().into());
    }
    let fields: Vec<(String, String)> = form_urlencoded::parse(&bytes).into_owned().take(20).collect();
    let field = |name: &str| {
        let found = fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str()).unwrap_or_default();
        found.chars().take(300).collect::<String>()
    };
    let da = reads_danish(&headers);
    let (vocabulary, concept, mail) = (field("vocabulary"), field("concept"), field("mail"));
    let (every, language): (Frequency, DigestLanguage) = (field("every").parse()?, field("language").parse()?);
    let asked = async {
        let request = wanted(&vocabulary, &concept, &mail, every, language)?;
        app.ask_for_digest(&actor, request, &peer).await
    };
    let refusal = asked.await.err();
    let sent = refusal.is_none();
    let (code, refused) = match refusal {
        None => (StatusCode::ACCEPTED, None),
        Some(refusal) if refusal.code.category() == Category::Broken => return Err(refusal.into()),
        Some(refusal) => (status(&refusal), Some(sentence(if da { &refusal.da } else { &refusal.en }))),
    };
    let about = Vec::new();
    Ok(page(code, &NewPage { da, about, vocabulary, concept, mail, every, language, refused, sent })?)
}

async fn pending(
    State(app): State<App>,
    Path(secret): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Answer {
    let da = reads_danish(&headers);
    match app.pending_digest(&Secret::shown(&secret)).await {
        // What there is to say yes to.
        Ok(waiting) => shown(&app, waiting, da, Some(format!("/digests/confirm/{secret}")), Stage::Confirm),
        Err(refusal) => gone(refusal, da, Stage::Confirm),
    }
}

async fn confirm(State(app): State<App>, Path(secret): Path<String>, headers: HeaderMap, _: Params<Nothing>) -> Answer {
    if origin(&headers, &app.settings().public_url) == Origin::Foreign {
        return Err(foreign().into());
    }
    let da = reads_danish(&headers);
    match app.confirm_digest(&Secret::shown(&secret)).await {
        // Who did not mean it can end it at once, before there is a letter.
        Ok(digest) => {
            let own = digest.link.as_deref().and_then(|link| link.strip_prefix(app.settings().public_url.as_str()));
            let action = own.map(ToOwned::to_owned);
            shown(&app, digest, da, action, Stage::Confirmed)
        }
        Err(refusal) => gone(refusal, da, Stage::Confirm),
    }
}

async fn one(
    State(app): State<App>,
    Path((digest, key)): Path<(String, String)>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Answer {
    let da = reads_danish(&headers);
    match app.digest(named(&digest), &Secret::shown(&key)).await {
        Ok(answer) => shown(&app, answer, da, Some(format!("/digests/{digest}/{key}")), Stage::Shown),
        Err(refusal) => gone(refusal, da, Stage::Shown),
    }
}

/// Ends a digest. Programs of mail post here by themselves (RFC 8058), from anywhere: the key in the address is all that
/// it takes.
async fn end(
    State(app): State<App>,
    Path((digest, key)): Path<(String, String)>,
    headers: HeaderMap,
    _: Params<Nothing>,
) -> Answer {
    let da = reads_danish(&headers);
    match app.end_digest(named(&digest), &Secret::shown(&key)).await {
        Ok(()) => Ok(page(StatusCode::OK, &DigestPage::new(da, Stage::Ended))?),
        Err(refusal) => gone(refusal, da, Stage::Shown),
    }
}

/// A digest by its uuid; what is none leads to nothing.
fn named(digest: &str) -> Uuid {
    Uuid::try_parse(digest).unwrap_or_default()
}

fn wanted(
    vocabulary: &str,
    concept: &str,
    mail: &str,
    every: Frequency,
    language: DigestLanguage,
) -> Result<DigestRequest> {
    let mut filter = EventFilter::default();
    if !concept.is_empty() {
        let uuid = Uuid::try_parse(concept).map_err(|_| {
            let (da, en) = ("et begreb er en uuid her", "a concept is a uuid here");
            Refusal::new(Code::InvalidParameter, da, en).at(crate::model::Place::field("concept")).allowed(["a uuid"])
        })?;
        filter.concepts.insert(uuid);
    } else if !vocabulary.is_empty() {
        filter.vocabularies.insert(vocabulary.parse()?);
    }
    let (vocabularies, concepts) = (filter.vocabularies, filter.concepts);
    Ok(DigestRequest { mail: mail.parse()?, vocabularies, concepts, code_set: None, every, language })
}

fn shown(app: &App, digest: DigestAnswer, da: bool, action: Option<String>, stage: Stage) -> Answer {
    let about = links(app, &digest.vocabularies.iter().cloned().collect::<Vec<_>>(), digest.concepts.clone(), da)?;
    Ok(page(StatusCode::OK, &DigestPage { action, digest: Some(digest), about, ..DigestPage::new(da, stage) })?)
}

/// What a digest is about, with its name today.
fn links(
    app: &App,
    vocabularies: &[crate::model::Slug],
    concepts: impl IntoIterator<Item = Uuid>,
    da: bool,
) -> Result<Vec<Link>> {
    let (snapshot, language) = (app.snapshot(), if da { "da" } else { "en" });
    let mut links = Vec::new();
    for slug in vocabularies {
        let plane = app.plane(slug.as_str())?;
        let title = plane.vocabulary().title(language);
        let name = if title.is_empty() { slug.to_string() } else { title.to_owned() };
        links.push(Link { name, href: format!("/id/{slug}") });
    }
    let at = Point { valid: app.clock().now(), registered: Instant::FOREVER };
    for concept in concepts {
        let found = snapshot.planes().iter().find_map(|p| Some((p, p.nearest(concept, at)?)));
        let Some((plane, saying)) = found else {
            let (da, en) = (format!("der er intet begreb {concept}"), format!("there is no concept {concept}"));
            return Err(Refusal::new(Code::UnknownConcept, da, en));
        };
        let name = saying.state.content().label(language).to_owned();
        links.push(Link { name, href: format!("/id/{}/{concept}", plane.vocabulary().slug()) });
    }
    Ok(links)
}

/// The page of a link that leads nowhere any more: a person followed it.
fn gone(refusal: Refusal, da: bool, stage: Stage) -> Answer {
    if !matches!(refusal.code, Code::Expired | Code::TooManySubscriptions) {
        return Err(refusal.into());
    }
    let code = if refusal.code == Code::Expired { StatusCode::GONE } else { status(&refusal) };
    let refused = Some(sentence(if da { &refusal.da } else { &refusal.en }));
    Ok(page(code, &DigestPage { refused, ..DigestPage::new(da, stage) })?)
}
