//! The pages of change requests: the queue, one request with what came of it, the form by which anybody asks, and the
//! forms by which those who handle requests answer.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::accept::{self, Clash, Words};
use super::form::{Answer, Form, Names, Reader, Sent, Sheet, all, called, see, shown, uuid};
use super::{key, language};
use crate::http::HttpOptions;
use crate::http::api::App;
use crate::http::params::{Nothing, Params};
use crate::http::peer::TrustForwarded;
use crate::http::private::page;
use crate::http::who::From;
use crate::model::{Code, ContentFields, Group, Instant, Place, Refusal, Result};
use crate::registry::{
    AskRequest, AssignRequest, At, Command, ConceptAnswer, DraftAnswer, DraftFilter, OutcomeRequest, Pages,
    RequestAnswer, RequestFilter, Submitted, moment, permit,
};
use crate::workflow::{RequestOutcome, RequestState, Track};

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

async fn list(State(app): State<App>, reader: Reader, Params(which, ..): Params<Which>) -> Answer {
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

async fn new(State(app): State<App>, reader: Reader, Params(about, ..): Params<About>) -> Answer {
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

async fn ask(State(app): State<App>, From(peer): From, sent: Sent) -> Answer {
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

async fn received(reader: Reader, _: Params<Nothing>) -> Answer {
    Ok(page(StatusCode::OK, &ReceivedPage { da: reader.da })?)
}

#[derive(Template)]
#[template(path = "request-page.html")]
struct RequestPage {
    da: bool,
    sheet: Sheet,
    request: RequestAnswer,
    vocabulary: String,
    concept: Option<Subject>,
    names: Names,
    paper: Option<String>,
    /// Whether the one who reads may answer.
    handles: bool,
    mine: bool,
    groups: Vec<Group>,
    drafts: Vec<DraftAnswer>,
    /// Whether a small draft can be opened for it.
    opens: bool,
    /// Other requests of the vocabulary.
    others: Vec<RequestAnswer>,
    words: Words,
    tag: String,
    clash: Option<Clash>,
}

impl RequestPage {
    fn moment(&self, at: &Instant) -> String {
        moment(*at, self.da)
    }

    fn state(&self) -> &'static str {
        state_name(self.request.state, self.da)
    }

    fn is_open(&self) -> bool {
        matches!(self.request.state, RequestState::Queued | RequestState::Assigned)
    }

    fn outcome(&self, outcome: &RequestOutcome) -> &'static str {
        outcome_name(*outcome, self.da)
    }

    /// Who takes a request on.
    fn track(&self, track: &Track) -> String {
        match track {
            Track::Secretariat => if self.da { "Sekretariatet" } else { "The secretariat" }.into(),
            Track::Group(group) => {
                let found = self.groups.iter().find(|g| g.uuid == *group).map(|g| g.name.to_string());
                found.unwrap_or_else(|| if self.da { "En gruppe" } else { "A group" }.into())
            }
        }
    }

    fn outcomes(&self) -> [(&'static str, &'static str); 3] {
        use RequestOutcome::{Declined, Duplicate, OutOfScope};
        [("declined", Declined), ("duplicate", Duplicate), ("outOfScope", OutOfScope)]
            .map(|(word, outcome)| (word, outcome_name(outcome, self.da)))
    }
}

async fn one(State(app): State<App>, Path(of): Path<String>, reader: Reader, Params(done, ..): Params<Done>) -> Answer {
    let sheet = Sheet::after(done.done.as_deref(), &DONE, reader.da);
    let template = match uuid(&of) {
        Ok(of) => one_page(&app, &reader, of, sheet, None).await,
        Err(refusal) => Err(refusal),
    };
    shown(template, reader.da)
}

async fn one_page(app: &App, reader: &Reader, of: Uuid, sheet: Sheet, clash: Option<Clash>) -> Result<RequestPage> {
    let (actor, da) = (&reader.actor, reader.da);
    let request = app.change_request(actor, of).await?;
    let plane = app.plane(request.vocabulary.as_str())?;
    let vocabulary = plane.vocabulary();
    let handles = handles(reader, vocabulary);
    let title = if da { "Det, der foreslås" } else { "What is proposed" };
    let paper = app.request_paper(actor, of).await?;
    let paper = paper.map(|p| p.document(title, super::tongue(da)).html_fragment(2));
    let concept = match request.concept {
        Some(concept) => Some(Subject::find(app, request.vocabulary.as_str(), &concept.to_string(), da)?),
        None => None,
    };
    let is_open = matches!(request.state, RequestState::Queued | RequestState::Assigned);
    let (mut drafts, mut others) = (Vec::new(), Vec::new());
    if handles && is_open {
        let filter = DraftFilter { vocabulary: Some(request.vocabulary.clone()), ..DraftFilter::default() };
        // Who handles requests may read drafts; a token may be for less.
        drafts = app.drafts(actor, &filter, &all()).map(|p| p.items).unwrap_or_default();
        drafts.retain(|d| d.phase.is_editable());
        let filter = RequestFilter { vocabulary: Some(request.vocabulary.to_string()), ..RequestFilter::default() };
        others = app.change_requests(actor, &filter, &all())?.items;
        others.retain(|r| r.uuid != of);
    }
    let in_hands_of_group = matches!(request.assignments.last().map(|a| a.track), Some(Track::Group(_)));
    let opens = permit(actor, Command::OpenDraft, Some(vocabulary)).is_ok() && !in_hands_of_group;
    let proposed = request.proposal.as_ref().map(|p| Words::of(p, vocabulary.default_language()));
    let words = proposed.or_else(|| concept.as_ref().map(|c| c.words.clone())).unwrap_or_default();
    let tag = concept.as_ref().map(|c| format!("\"{}\"", c.answer.said.content().digest())).unwrap_or_default();
    let mine = actor.author().is_ok_and(|by| request.by.as_deref() == Some(&by.to_string())) && reader.is_known();
    Ok(RequestPage {
        da,
        vocabulary: vocabulary.title(language(da)).to_owned(),
        names: Names::of(app, reader).await?,
        groups: if handles || mine { groups(app, reader).await? } else { Vec::new() },
        sheet,
        concept,
        paper,
        handles,
        mine,
        drafts,
        opens,
        others,
        words,
        tag,
        clash,
        request,
    })
}

/// The groups that a request may be referred to.
async fn groups(app: &App, reader: &Reader) -> Result<Vec<Group>> {
    let seen = app.groups_seen(&reader.actor).await?;
    Ok(seen.into_iter().map(|g| g.group).filter(|g| g.active).collect())
}

/// What follows a form of a request's page: on to the page, or the page with what was wrong.
async fn after(app: &App, sent: &Sent, of: &str, prefix: &'static str, done: Result<&'static str>) -> Answer {
    let refusal = match done {
        Ok(done) => return Ok(see(&format!("/change-requests/{of}?done={done}"))),
        Err(refusal) => refusal,
    };
    after_no(app, sent, of, prefix, &refusal, None).await
}

async fn after_no(
    app: &App,
    sent: &Sent,
    of: &str,
    prefix: &'static str,
    refusal: &Refusal,
    clash: Option<Clash>,
) -> Answer {
    let sheet = sent.refused(refusal, |field| match field {
        "track.group" | "track" => called("track", "Hvem", "Who"),
        "duplicateOf" | "duplicate" => called("duplicate", "Det andet ønske", "The other request"),
        "outcome" => called("outcome-declined", "Svar", "Answer"),
        "draft" => called("draft", "Kladde", "Draft"),
        "notation" => called("notation", "Kode", "Notation"),
        "term" | "terms" | "content" => called("term", "Term", "Term"),
        "definition" | "definitions" => called("definition", "Definition", "Definition"),
        field if field.ends_with("reason") => called(format!("{prefix}-reason"), "Begrundelse", "Reason"),
        _ => None,
    })?;
    let template = match uuid(of) {
        Ok(of) => one_page(app, &sent.reader, of, sheet, clash).await,
        Err(refusal) => Err(refusal),
    };
    sent.no(refusal, template)
}

async fn assign(State(app): State<App>, Path(of): Path<String>, sent: Sent) -> Answer {
    let done = assigned(&app, &of, &sent).await;
    after(&app, &sent, &of, "assign", done).await
}

async fn assigned(app: &App, of: &str, sent: &Sent) -> Result<&'static str> {
    sent.still()?;
    let track = match sent.form.field("track") {
        "secretariat" => Track::Secretariat,
        _ => Track::Group(sent.form.uuid("track")?),
    };
    let request = AssignRequest { track, reason: sent.form.prose("assign-reason")? };
    app.assign_request(&sent.reader.actor, uuid(of)?, request).await?;
    Ok("assigned")
}

async fn close(State(app): State<App>, Path(of): Path<String>, sent: Sent) -> Answer {
    let done = closed(&app, &of, &sent).await;
    after(&app, &sent, &of, "close", done).await
}

async fn closed(app: &App, of: &str, sent: &Sent) -> Result<&'static str> {
    sent.still()?;
    let form = &sent.form;
    let outcome = match form.field("outcome") {
        "declined" => RequestOutcome::Declined,
        "duplicate" => RequestOutcome::Duplicate,
        "outOfScope" => RequestOutcome::OutOfScope,
        _ => {
            let (da, en) = ("vælg, hvad svaret er", "choose what the answer is");
            return Err(Refusal::new(Code::Unlawful, da, en).at(Place::field("outcome")));
        }
    };
    // The choice of another request stands in the form also where it is not meant.
    let is_duplicate = outcome == RequestOutcome::Duplicate;
    let duplicate_of = is_duplicate.then(|| form.uuid("duplicate")).transpose()?;
    let request = OutcomeRequest { outcome, reason: form.prose("close-reason")?, duplicate_of };
    app.close_request(&sent.reader.actor, uuid(of)?, request).await?;
    Ok("closed")
}

async fn take_over(State(app): State<App>, Path(of): Path<String>, sent: Sent) -> Answer {
    let taken = match sent.still() {
        Ok(()) => accept::taken_over(&app, &of, &sent).await,
        Err(refusal) => Err(refusal.into()),
    };
    match taken {
        Ok(()) => Ok(see(&format!("/change-requests/{of}?done=accepted"))),
        Err(no) => after_no(&app, &sent, &of, "accept", &no.refusal, no.clash).await,
    }
}

async fn withdraw(State(app): State<App>, Path(of): Path<String>, sent: Sent) -> Answer {
    let done = withdrawn(&app, &of, &sent).await;
    after(&app, &sent, &of, "withdraw", done).await
}

async fn withdrawn(app: &App, of: &str, sent: &Sent) -> Result<&'static str> {
    sent.still()?;
    app.withdraw_request(&sent.reader.actor, uuid(of)?).await?;
    Ok("withdrawn")
}
