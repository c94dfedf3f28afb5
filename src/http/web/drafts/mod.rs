//! The pages of drafts: which there are, one of them, its concepts, edits, comments, and the steps on its way to a
//! version. They work without scripts. A form that is refused comes back with all that was written in it.

mod comments;
mod compared;
mod concept;
mod edits;
mod fields;
mod form;
mod hearing;
mod list;
mod one;
mod operations;
mod rebase;
mod refused;
mod rows;
mod sent;
mod steps;

use std::borrow::Borrow;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use uuid::Uuid;

use crate::http::HttpOptions;
use crate::http::api::App;
use crate::http::code_sets::usage_kind;
use crate::http::private::nothing;
use crate::http::problem::Failure;
use crate::model::{Code, Instant, Refusal, Result};
use crate::registry::{Actor, Called, Command, ConceptUsages, DraftAnswer, Offer, moment};
use crate::workflow::{EditKind, Phase};

type Answer = Result<Response, Failure>;

/// The most rows that a page shows of a list.
const ROWS: usize = 200;

/// The pages' addresses.
pub fn router(app: &App, options: &HttpOptions) -> Router<App> {
    Router::new()
        .route("/drafts", get(list::list).post(list::open))
        .route("/drafts/new", get(list::new))
        .route("/drafts/{draft}", get(one::one))
        .route("/drafts/{draft}/describe", get(steps::describe_form).post(steps::describe))
        .route("/drafts/{draft}/phase/{step}", get(steps::phase_form).post(steps::phase))
        .route("/drafts/{draft}/recommend", get(steps::recommend_form).post(steps::recommend))
        .route("/drafts/{draft}/publish", get(steps::publish_form).post(steps::publish))
        .route("/drafts/{draft}/approve", post(steps::approve))
        .route("/drafts/{draft}/hearing", get(hearing::form).post(hearing::plan))
        .route("/drafts/{draft}/rebase", get(rebase::form).post(rebase::lay))
        .route("/drafts/{draft}/edits", get(edits::list))
        .route("/drafts/{draft}/edits/{edit}/undo", get(edits::undo_form).post(edits::undo))
        .route("/drafts/{draft}/comments", get(comments::list).post(comments::begin))
        .route("/drafts/{draft}/comments/{thread}", get(comments::reply_form).post(comments::reply))
        .route("/drafts/{draft}/comments/{thread}/settlement", post(comments::settle_thread))
        .route("/drafts/{draft}/concepts", get(concept::list))
        .route("/drafts/{draft}/new-concept", get(concept::new).post(concept::add))
        .route("/drafts/{draft}/concepts/{key}", get(concept::one).post(concept::save))
        .route("/drafts/{draft}/concepts/{key}/{operation}", get(operations::form).post(operations::carry_out))
        .layer(DefaultBodyLimit::max(options.body_limit))
        .layer(from_fn_with_state(app.clone(), refused::as_pages))
}

/// What every page of a draft shows of it.
struct Head {
    draft: DraftAnswer,
    offer: Offer,
    called: Called,
    da: bool,
}

impl Head {
    async fn of(app: &App, actor: &Actor, draft: Uuid, da: bool) -> Result<Self> {
        Ok(Self {
            draft: app.draft_answer(&*app.draft(actor, draft)?)?,
            offer: app.offered(actor, draft)?,
            called: app.draft_people(actor, draft).await?,
            da,
        })
    }

    fn may(&self, command: Command) -> bool {
        self.offer.commands.contains(&command)
    }

    fn may_edit(&self) -> bool {
        self.may(Command::EditDraft)
    }

    fn may_comment(&self) -> bool {
        self.may(Command::Comment)
    }

    fn phase(&self) -> &'static str {
        phase_name(self.draft.phase, self.da)
    }

    fn who(&self, by: &str) -> String {
        who(&self.called, by, self.da)
    }

    fn moment(&self, at: impl Borrow<Instant>) -> String {
        moment(*at.borrow(), self.da)
    }

    fn group(&self, group: &Uuid) -> String {
        let found = self.called.groups.iter().find(|g| g.uuid == *group);
        found.map_or_else(|| group.to_string(), |g| g.name.to_string())
    }

    /// The tag of the draft, which a form sends along.
    fn tag(&self) -> String {
        format!("\"{}\"", self.draft.steps)
    }

    /// The pages of the draft, with how many there is of each.
    fn tabs(&self) -> [(String, &'static str, Option<usize>); 4] {
        let base = format!("/drafts/{}", self.draft.uuid);
        let (overview, concepts, edits, comments) = match self.da {
            true => ("Overblik", "Begreber", "Rettelser", "Åbne kommentarer"),
            false => ("Overview", "Concepts", "Edits", "Open comments"),
        };
        [
            (base.clone(), overview, None),
            (format!("{base}/concepts"), concepts, None),
            (format!("{base}/edits"), edits, Some(self.draft.edits)),
            (format!("{base}/comments"), comments, Some(self.draft.open_threads)),
        ]
    }
}

/// What somebody is called who stands in a step.
fn who(called: &Called, by: &str, da: bool) -> String {
    if let Some(name) = called.people.get(by) {
        return name.clone();
    }
    let unknown = match by.split_once(':').map_or(by, |(kind, _)| kind) {
        "account" => ("en konto, der er slettet", "an account that was erased"),
        "contact" => ("en uden konto", "somebody without an account"),
        "operator" => ("driften", "the operator"),
        _ => ("uret", "the clock"),
    };
    if da { unknown.0 } else { unknown.1 }.to_owned()
}

/// What uses a concept, in words; nothing when nothing does.
fn used_by(used: &ConceptUsages, da: bool) -> Option<String> {
    let mut all: Vec<String> = used.usages.iter().map(|u| format!("{} ({})", u.name, usage_kind(u.kind, da))).collect();
    match used.hidden.unwrap_or_default() {
        0 => {}
        n if all.is_empty() => all.push(format!("{n} {}", say(da, "uden navn", "without a name"))),
        n => all.push(format!("{n} {}", say(da, "mere uden navn", "more without a name"))),
    }
    (!all.is_empty()).then(|| all.join("; "))
}

fn phase_name(phase: Phase, da: bool) -> &'static str {
    let (danish, english) = match phase {
        Phase::Drafting => ("under udarbejdelse", "drafting"),
        Phase::InReview => ("til kvalitetssikring", "in review"),
        Phase::InHearing => ("i høring", "in hearing"),
        Phase::Heard => ("hørt", "heard"),
        Phase::Recommended => ("indstillet", "recommended"),
        Phase::Adopted => ("vedtaget", "adopted"),
        Phase::Published => ("publiceret", "published"),
        Phase::Rejected => ("afvist", "rejected"),
        Phase::Withdrawn => ("trukket", "withdrawn"),
        Phase::OnHold => ("sat i bero", "on hold"),
    };
    if da { danish } else { english }
}

fn edit_name(kind: EditKind, da: bool) -> &'static str {
    let (danish, english) = match kind {
        EditKind::Add => ("nyt begreb", "new concept"),
        EditKind::Change => ("ændring", "change"),
        EditKind::Retire => ("udgår", "retired"),
        EditKind::Replace => ("erstatning", "replacement"),
        EditKind::Split => ("deling", "split"),
        EditKind::Merge => ("sammenlægning", "merge"),
        EditKind::Move => ("flytning", "move"),
        EditKind::Import => ("fil", "file"),
        EditKind::Undo => ("fortrydelse", "undo"),
        EditKind::Rebase => ("lagt over en anden version", "laid over another version"),
    };
    if da { danish } else { english }
}

/// One of two texts.
fn say(da: bool, danish: &'static str, english: &'static str) -> &'static str {
    if da { danish } else { english }
}

/// The uuid in an address.
fn uuid(text: &str) -> Result<Uuid> {
    let missing = || Refusal::new(Code::NotFound, "der er ingen sådan kladde", "there is no such draft");
    Uuid::try_parse(text).map_err(|_| missing())
}

/// The number in an address.
fn number(text: &str) -> Result<usize> {
    let missing = || Refusal::new(Code::NotFound, "der er intet med det nummer", "there is nothing of that number");
    text.parse().map_err(|_| missing())
}

/// A key as a segment of an address.
fn segment(key: &str) -> String {
    let one = |b: u8| match b {
        b if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'~') => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    };
    key.bytes().map(one).collect()
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
