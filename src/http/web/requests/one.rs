//! One change request: where it stands, and what is done with it.

use askama::Template;
use axum::extract::{Path, State};
use uuid::Uuid;

use super::{DONE, Done, Subject, handles, outcome_name, state_name};
use crate::http::api::App;
use crate::http::params::Params;
use crate::http::web::accept::{self, Clash, Words};
use crate::http::web::form::{Answer, Names, Reader, Sent, Sheet, all, called, see, shown, uuid};
use crate::http::web::language;
use crate::http::web::tongue;
use crate::model::{Code, Group, Instant, Place, Refusal, Result};
use crate::registry::{
    AssignRequest, Command, DraftAnswer, DraftFilter, OutcomeRequest, RequestAnswer, RequestFilter, moment, permit,
};
use crate::workflow::{RequestOutcome, RequestState, Track};

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

pub async fn one(
    State(app): State<App>,
    Path(of): Path<String>,
    reader: Reader,
    Params(done, ..): Params<Done>,
) -> Answer {
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
    let paper = paper.map(|p| p.document(title, tongue(da)).html_fragment(2));
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
        "meaning" => called("meaning", "Betydning", "Meaning"),
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

pub async fn assign(State(app): State<App>, Path(of): Path<String>, sent: Sent) -> Answer {
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

pub async fn close(State(app): State<App>, Path(of): Path<String>, sent: Sent) -> Answer {
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

pub async fn take_over(State(app): State<App>, Path(of): Path<String>, sent: Sent) -> Answer {
    let taken = match sent.still() {
        Ok(()) => accept::taken_over(&app, &of, &sent).await,
        Err(refusal) => Err(refusal.into()),
    };
    match taken {
        Ok(()) => Ok(see(&format!("/change-requests/{of}?done=accepted"))),
        Err(no) => after_no(&app, &sent, &of, "accept", &no.refusal, no.clash).await,
    }
}

pub async fn withdraw(State(app): State<App>, Path(of): Path<String>, sent: Sent) -> Answer {
    let done = withdrawn(&app, &of, &sent).await;
    after(&app, &sent, &of, "withdraw", done).await
}

async fn withdrawn(app: &App, of: &str, sent: &Sent) -> Result<&'static str> {
    sent.still()?;
    app.withdraw_request(&sent.reader.actor, uuid(of)?).await?;
    Ok("withdrawn")
}
