//! The queue of change requests, and those of a concept.

use askama::Template;
use axum::extract::State;

use super::{Choice, STATES, Which, handles, outcome_name, state_name, state_word, vocabularies};
use crate::http::api::App;
use crate::http::params::Params;
use crate::http::web::form::{Answer, Reader, shown};
use crate::model::{Code, Instant, Place, Refusal, Result};
use crate::registry::{Pages, RequestAnswer, RequestFilter, moment};
use crate::workflow::{RequestOutcome, RequestState};

#[derive(Template)]
#[template(path = "request-list.html")]
struct ListPage {
    da: bool,
    vocabularies: Vec<Choice>,
    vocabulary: String,
    state: String,
    concept: String,
    requests: Vec<RequestAnswer>,
    total: usize,
    next: Option<String>,
    handles: bool,
}

impl ListPage {
    fn moment(&self, at: &Instant) -> String {
        moment(*at, self.da)
    }

    fn state_of(&self, state: &RequestState) -> &'static str {
        state_name(*state, self.da)
    }

    fn outcome(&self, outcome: &RequestOutcome) -> &'static str {
        outcome_name(*outcome, self.da)
    }

    fn is_vocabulary(&self, slug: &str) -> bool {
        self.vocabulary == slug
    }

    fn is_state(&self, word: &str) -> bool {
        self.state == word
    }

    fn states(&self) -> Vec<(&'static str, &'static str)> {
        // Those that were taken back are seen by few, and looked for by fewer.
        STATES.iter().map(|s| (state_word(*s), state_name(*s, self.da))).collect()
    }
}

pub async fn list(State(app): State<App>, reader: Reader, Params(which, ..): Params<Which>) -> Answer {
    shown(list_page(&app, &reader, which), reader.da)
}

fn list_page(app: &App, reader: &Reader, which: Which) -> Result<ListPage> {
    let said = |text: Option<String>| text.filter(|t| !t.is_empty());
    let (vocabulary, state) = (said(which.vocabulary), said(which.state));
    let wanted = match &state {
        Some(text) => Some(STATES.into_iter().find(|s| state_word(*s) == text).ok_or_else(|| {
            let (da, en) = ("den tilstand er der ikke", "there is no such state");
            Refusal::new(Code::InvalidParameter, da, en).at(Place::field("state"))
        })?),
        None => None,
    };
    let concept = said(which.concept);
    let filter = RequestFilter { vocabulary: vocabulary.clone(), state: wanted, concept: concept.clone() };
    let pages = Pages { limit: Some(50), cursor: which.cursor };
    let found = app.change_requests(&reader.actor, &filter, &pages)?;
    let next = found.next.map(|cursor| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let parts = [("vocabulary", &vocabulary), ("state", &state), ("concept", &concept), ("cursor", &Some(cursor))];
        for (name, value) in parts {
            query.extend_pairs(value.iter().map(|v| (name, v)));
        }
        format!("/change-requests?{}", query.finish())
    });
    let handles = app
        .vocabularies()
        .iter()
        .any(|v| app.plane(v.vocabulary.slug.as_str()).is_ok_and(|p| handles(reader, p.vocabulary())));
    Ok(ListPage {
        da: reader.da,
        vocabularies: vocabularies(app, reader.da),
        vocabulary: vocabulary.unwrap_or_default(),
        state: state.unwrap_or_default(),
        concept: concept.unwrap_or_default(),
        requests: found.items,
        total: found.total,
        next,
        handles,
    })
}
