//! The pages of change requests: the queue, one request with what came of it, the form by which anybody asks, and the
//! forms by which those who handle requests answer.

mod ask;
mod list;
mod one;

use axum::routing::{get, post};
use axum::{Extension, Router};
use serde::Deserialize;
use utoipa::IntoParams;

use self::ask::{ask, new, received};
use self::list::list;
use self::one::{assign, close, one, take_over, withdraw};
use crate::http::HttpOptions;
use crate::http::api::App;
use crate::http::peer::TrustForwarded;
use crate::http::web::accept::Words;
use crate::http::web::form::Reader;
use crate::http::web::{key, language};
use crate::model::Result;
use crate::registry::{At, Command, ConceptAnswer, permit};
use crate::workflow::{RequestOutcome, RequestState};

/// The pages' addresses.
pub fn router(options: &HttpOptions) -> Router<App> {
    Router::new()
        .route("/change-requests", get(list).post(ask))
        .route("/change-requests/new", get(new))
        .route("/change-requests/received", get(received))
        .route("/change-requests/{request}", get(one))
        .route("/change-requests/{request}/assignment", post(assign))
        .route("/change-requests/{request}/outcome", post(close))
        .route("/change-requests/{request}/acceptance", post(take_over))
        .route("/change-requests/{request}/withdrawal", post(withdraw))
        .layer(Extension(TrustForwarded(options.trust_forwarded)))
}

/// Which requests, and where the list goes on.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// The slug of a vocabulary; of all when empty.
    vocabulary: Option<String>,
    /// A state; any when empty.
    state: Option<String>,
    /// A concept: its uuid, or with a vocabulary its notation.
    concept: Option<String>,
    /// Where to go on.
    cursor: Option<String>,
}

/// What a request is to be about.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct About {
    /// The slug of the vocabulary.
    vocabulary: Option<String>,
    /// The concept: uuid, notation or alias.
    concept: Option<String>,
}

/// What has just been done.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Done {
    /// Its name.
    pub(super) done: Option<String>,
}

const DONE: [(&str, &str, &str); 5] = [
    ("received", "Tak. Ønsket er modtaget.", "Thank you. The request was received."),
    ("assigned", "Det er skrevet ned, hvem der tager sig af ønsket.", "It is on record who takes the request on."),
    ("closed", "Ønsket er besvaret.", "The request is answered."),
    (
        "accepted",
        "Ønsket er imødekommet og er nu en rettelse i en kladde.",
        "The request is accepted, and an edit of a draft.",
    ),
    ("withdrawn", "Ønsket er trukket tilbage.", "The request was taken back."),
];

const STATES: [RequestState; 5] = [
    RequestState::Queued,
    RequestState::Assigned,
    RequestState::Accepted,
    RequestState::Closed,
    RequestState::Withdrawn,
];

fn state_name(state: RequestState, da: bool) -> &'static str {
    let (danish, english) = match state {
        RequestState::Queued => ("i kø", "in the queue"),
        RequestState::Assigned => ("under behandling", "taken on"),
        RequestState::Accepted => ("imødekommet", "accepted"),
        RequestState::Closed => ("besvaret", "answered"),
        RequestState::Withdrawn => ("trukket tilbage", "taken back"),
    };
    if da { danish } else { english }
}

/// How a state stands in an address.
fn state_word(state: RequestState) -> &'static str {
    match state {
        RequestState::Queued => "queued",
        RequestState::Assigned => "assigned",
        RequestState::Accepted => "accepted",
        RequestState::Closed => "closed",
        RequestState::Withdrawn => "withdrawn",
    }
}

fn outcome_name(outcome: RequestOutcome, da: bool) -> &'static str {
    let (danish, english) = match outcome {
        RequestOutcome::Accepted => ("Imødekommet", "Accepted"),
        RequestOutcome::Declined => ("Ikke imødekommet", "Declined"),
        RequestOutcome::Duplicate => ("Der er bedt om det samme før", "Somebody asked for the same before"),
        RequestOutcome::OutOfScope => ("Hører ikke til her", "For others"),
    };
    if da { danish } else { english }
}

/// A vocabulary in a list of choices: its slug and title.
type Choice = (String, String);

fn vocabularies(app: &App, da: bool) -> Vec<Choice> {
    let title = |v: &crate::model::VocabularyFields| {
        crate::model::Text::choose(&v.titles, language(da)).unwrap_or_default().to_owned()
    };
    app.vocabularies().iter().map(|v| (v.vocabulary.slug.to_string(), title(&v.vocabulary))).collect()
}

fn handles(reader: &Reader, vocabulary: &crate::model::Vocabulary) -> bool {
    permit(&reader.actor, Command::HandleRequests, Some(vocabulary)).is_ok()
}

/// A concept that a request is about.
pub(super) struct Subject {
    pub(super) answer: ConceptAnswer,
    pub(super) href: String,
    pub(super) label: String,
    pub(super) words: Words,
}

impl Subject {
    pub(super) fn find(app: &App, slug: &str, name: &str, da: bool) -> Result<Self> {
        let view = app.view(slug, &At::default())?;
        let answer = app.concept(&view, name, language(da))?;
        let notation = answer.said.notation.as_deref().unwrap_or_default();
        let label = format!("{notation} {}", answer.said.label(language(da)));
        let words = Words::of(&answer.said.content().into_fields(), view.vocabulary().default_language());
        let href = format!("/id/{slug}/{}", encoded(&key(notation, answer.uuid)));
        Ok(Self { href, label: label.trim().to_owned(), words, answer })
    }
}

/// A segment of an address.
fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
