//! The pages of recommendations and decisions: what is proposed, with its digest; how it was decided, and why.

use std::collections::BTreeSet;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::form::{Answer, Form, Names, Reader, Sent, Sheet, all, called, see, shown, uuid};
use super::requests::Done;
use super::{ROWS, cause, language, tongue};
use crate::exchange::paper::{DiffPaper, Document};
use crate::http::api::{App, aside};
use crate::http::params::{Nothing, Params};
use crate::model::{Code, Digest, Instant, Place, Refusal, Result};
use crate::registry::{
    Actor, Command, DecideRequest, DecidedConcept, DecisionAnswer, DraftAnswer, MeetingAnswer, Moment, Reason,
    RecommendationAnswer, moment, permit_in,
};
use crate::workflow::{Dissent, ItemKind, Outcome, Phase, Vote, VoteCast, Voting};

/// The pages' addresses.
pub fn router() -> Router<App> {
    Router::new()
        .route("/recommendations/{draft}", get(recommendation))
        .route("/recommendations/{draft}/decision", post(decide))
        .route("/decisions", get(list))
        .route("/decisions/{decision}", get(one))
}

/// The most minority statements of a form.
const MINORITIES: usize = 50;

const DONE: [(&str, &str, &str); 2] = [
    ("decided", "Afgørelsen er ført til protokol.", "The decision is on record."),
    ("recommended", "Kladden er indstillet.", "The draft is recommended."),
];

/// The words of an outcome.
pub(super) fn outcome_name(outcome: Outcome, da: bool) -> &'static str {
    let (danish, english) = match outcome {
        Outcome::Adopted => ("Vedtaget", "Adopted"),
        Outcome::AdoptedWithRemarks => ("Vedtaget med bemærkninger", "Adopted with remarks"),
        Outcome::Returned => ("Sendt tilbage", "Returned"),
        Outcome::Rejected => ("Afvist", "Rejected"),
    };
    if da { danish } else { english }
}

fn vote_name(vote: Vote, da: bool) -> &'static str {
    let (danish, english) = match vote {
        Vote::For => ("for", "for"),
        Vote::Against => ("imod", "against"),
        Vote::Abstains => ("hverken for eller imod", "abstains"),
    };
    if da { danish } else { english }
}

/// Which meeting decides.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Where {
    /// The meeting; the last one that has the draft on its agenda when absent.
    meeting: Option<String>,
    /// What has just been done.
    done: Option<String>,
}

/// A meeting that has the draft on its agenda for decision, and the number of the item.
struct Venue {
    meeting: MeetingAnswer,
    item: usize,
}

#[derive(Template)]
#[template(path = "decision-recommendation.html")]
struct RecommendationPage {
    da: bool,
    sheet: Sheet,
    draft: DraftAnswer,
    vocabulary: String,
    recommendation: RecommendationAnswer,
    committee: String,
    since_hearing: Option<String>,
    since_force: String,
    names: Names,
    meetings: Vec<Venue>,
    chosen: Option<Venue>,
    may_decide: bool,
    minorities: usize,
}

impl RecommendationPage {
    fn moment(&self, at: &Instant) -> String {
        moment(*at, self.da)
    }

    fn outcomes(&self) -> [(&'static str, &'static str); 4] {
        [
            ("adopted", Outcome::Adopted),
            ("adoptedWithRemarks", Outcome::AdoptedWithRemarks),
            ("returned", Outcome::Returned),
            ("rejected", Outcome::Rejected),
        ]
        .map(|(word, outcome)| (word, outcome_name(outcome, self.da)))
    }

    fn outcome(&self, outcome: &Outcome) -> &'static str {
        outcome_name(*outcome, self.da)
    }

    fn votes(&self) -> [(&'static str, &'static str); 4] {
        let none = if self.da { "ikke stemt" } else { "has not voted" };
        let name = |v| vote_name(v, self.da);
        [("", none), ("for", name(Vote::For)), ("against", name(Vote::Against)), ("abstains", name(Vote::Abstains))]
    }

    /// Those who were at the chosen meeting.
    fn present(&self) -> Vec<Uuid> {
        let attendance = self.chosen.iter().flat_map(|c| c.meeting.attendance.iter().flatten());
        attendance.filter(|a| a.present).map(|a| a.member).collect()
    }

    fn was_held(&self) -> bool {
        self.chosen.as_ref().is_some_and(|c| c.meeting.attendance.is_some())
    }

    fn is_laid(&self) -> bool {
        self.draft.phase == Phase::Recommended
    }
}

async fn recommendation(
    State(app): State<App>,
    Path(draft): Path<String>,
    reader: Reader,
    Params(at, ..): Params<Where>,
) -> Answer {
    let sheet = Sheet::after(at.done.as_deref(), &DONE, reader.da);
    let meeting = at.meeting.unwrap_or_default();
    shown(recommendation_page(&app, &reader, &draft, &meeting, sheet).await, reader.da)
}

/// What was recommended last, and where it lies.
async fn recommendation_page(
    app: &App,
    reader: &Reader,
    draft: &str,
    meeting: &str,
    sheet: Sheet,
) -> Result<RecommendationPage> {
    let (actor, da, uuid) = (&reader.actor, reader.da, uuid(draft)?);
    let found = app.draft(actor, uuid)?;
    let draft = app.draft_answer(&found)?;
    let recommendation = draft.recommendations.last().cloned().ok_or_else(|| {
        let (da, en) = ("kladden er ikke indstillet", "the draft has not been recommended");
        Refusal::new(Code::NotFound, da, en)
    })?;
    let committee = recommendation.committee;
    let plane = app.plane(draft.vocabulary.as_str())?;
    let (since_hearing, since_force) = diffs(app, actor, uuid, da).await?;
    let places = || async {
        let held = app.meetings(actor, committee, &all()).await.map(|p| p.items).unwrap_or_default();
        let here = |m: MeetingAnswer| {
            let on_agenda = |i: &&crate::registry::ItemAnswer| {
                i.item.kind == ItemKind::Decision && i.item.draft == Some(uuid) && m.cancelled.is_none()
            };
            let item = m.agenda.iter().find(on_agenda).map(|i| i.number)?;
            Some(Venue { meeting: m, item })
        };
        held.into_iter().filter_map(here).collect::<Vec<_>>()
    };
    let mut meetings = places().await;
    let named = meetings.iter().position(|p| p.meeting.uuid.to_string() == meeting);
    // A committee decides where it was last.
    let held = || meetings.iter().rposition(|p| p.meeting.attendance.is_some());
    let chosen = named.or_else(held).or(meetings.len().checked_sub(1));
    let chosen = chosen.map(|at| meetings.remove(at));
    let group = app.group_seen(actor, committee).await.map(|g| g.group.name.to_string());
    Ok(RecommendationPage {
        da,
        vocabulary: plane.vocabulary().title(language(da)).to_owned(),
        committee: group.unwrap_or_else(|_| if da { "Udvalget" } else { "The committee" }.into()),
        names: Names::of(app, reader).await?,
        may_decide: permit_in(actor, Command::Decide, plane.vocabulary(), draft.phase).is_ok(),
        minorities: minorities(&sheet),
        since_hearing,
        since_force,
        recommendation,
        meetings,
        chosen,
        sheet,
        draft,
    })
}

fn minorities(sheet: &Sheet) -> usize {
    let more = usize::from(sheet.has("do", "more"));
    (sheet.rows("minority-text-").unwrap_or(1).max(1) + more).min(MINORITIES)
}

/// Of how many concepts the page of a recommendation tells what differs; the rest is a page of its own.
const TOLD: usize = 100;

/// What differs since the last hearing, where there was one, and since the version in force.
async fn diffs(app: &App, actor: &Actor, draft: Uuid, da: bool) -> Result<(Option<String>, String)> {
    let (app, actor) = (app.clone(), actor.clone());
    let url = app.settings().public_url.clone();
    let told = move |paper: &DiffPaper, from: &str, titles: (&str, &str), id| {
        let whole = format!("{url}/api/v1/drafts/{draft}/diff?from={from}&to=now&format=html");
        let document = paper.document_with(tongue(da), Some(&whole));
        Document { title: if da { titles.0 } else { titles.1 }.to_owned(), ..document }.html_part(2, id)
    };
    aside(async move {
        let heard = match app.draft_diff_first(&actor, draft, Moment::Hearing, Moment::Now, TOLD) {
            Ok(paper) => {
                Some(told(&paper, "hearing", ("Ændret siden høringen", "Changed since the hearing"), "since-hearing"))
            }
            Err(r) if r.code == Code::NotFound => None,
            Err(refusal) => return Err(refusal),
        };
        let in_force = app.draft_diff_first(&actor, draft, Moment::InForce, Moment::Now, TOLD)?;
        let titles = ("Ændret i forhold til den gældende version", "Changed since the version in force");
        Ok((heard, told(&in_force, "in-force", titles, "since-force")))
    })
    .await
}

async fn decide(State(app): State<App>, Path(draft): Path<String>, sent: Sent) -> Answer {
    let meeting = sent.form.field("meeting").to_owned();
    if sent.form.field("do") == "more" {
        let template = recommendation_page(&app, &sent.reader, &draft, &meeting, sent.again()).await;
        return shown(template, sent.reader.da);
    }
    let refusal = match decided(&app, &draft, &sent).await {
        Ok(decision) => return Ok(see(&format!("/decisions/{decision}?done=decided"))),
        Err(refusal) => refusal,
    };
    let sheet = sent.refused(&refusal, |field| match field {
        "outcome" => called("outcome-adopted", "Afgørelse", "Decision"),
        "voting" => called("voting-consensus", "Hvordan", "How"),
        "votes" => called("votes", "Stemmer", "Votes"),
        "remarks" => called("remarks", "Bemærkninger", "Remarks"),
        "dissent" => called("minority-text-0", "Mindretal", "Minority"),
        "effective" => called("effective", "Gælder fra", "In force from"),
        "digest" => called("digest", "Indhold", "Content"),
        field if field.starts_with("minority-") => called(field.to_owned(), "Mindretal", "Minority"),
        _ => None,
    })?;
    sent.no(&refusal, recommendation_page(&app, &sent.reader, &draft, &meeting, sheet).await)
}

fn choose<T>(form: &Form, field: &'static str, words: &[(&str, T)]) -> Result<T>
where
    T: Copy,
{
    let found = words.iter().find(|(word, _)| *word == form.field(field)).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let (da, en) = ("der er ikke valgt noget", "nothing was chosen");
        Refusal::new(Code::Unlawful, da, en).at(Place::field(field))
    })
}

async fn decided(app: &App, draft: &str, sent: &Sent) -> Result<Uuid> {
    sent.still()?;
    let form = &sent.form;
    let digest: Digest = form.read("digest")?;
    let outcomes = [
        ("adopted", Outcome::Adopted),
        ("adoptedWithRemarks", Outcome::AdoptedWithRemarks),
        ("returned", Outcome::Returned),
        ("rejected", Outcome::Rejected),
    ];
    let votes = [("for", Vote::For), ("against", Vote::Against), ("abstains", Vote::Abstains)];
    let vote = |(member, said): (&str, &str)| {
        let (member, vote) = (Uuid::try_parse(member).ok()?, votes.iter().find(|(word, _)| *word == said)?.1);
        Some(VoteCast { member, vote })
    };
    let request = DecideRequest {
        draft: uuid(draft)?,
        meeting: form.uuid("meeting")?,
        item: form.field("item").parse().unwrap_or_default(),
        digest,
        outcome: choose(form, "outcome", &outcomes)?,
        voting: choose(form, "voting", &[("consensus", Voting::Consensus), ("vote", Voting::Vote)])?,
        votes: form.under("vote-").filter_map(vote).collect(),
        remarks: form.said("remarks").map(|_| form.prose("remarks")).transpose()?,
        dissent: dissent(form)?,
        effective: form.said("effective").map(str::to_owned),
    };
    Ok(app.decide(&sent.reader.actor, request).await?.decision.uuid)
}

/// What minorities want on record: each has members and a statement.
fn dissent(form: &Form) -> Result<Vec<Dissent>> {
    let mut found = Vec::new();
    for row in 0..MINORITIES {
        let (field, text) = (format!("minority-member-{row}"), format!("minority-text-{row}"));
        let members: BTreeSet<Uuid> = form.all(&field).filter_map(|m| Uuid::try_parse(m).ok()).collect();
        if members.is_empty() && form.said(&text).is_none() {
            continue;
        }
        let statement = form.prose(&text)?;
        if members.is_empty() {
            let (da, en) = ("sig, hvem mindretallet er", "say who the minority is");
            return Err(Refusal::new(Code::Unlawful, da, en).at(Place::field(text)));
        }
        found.push(Dissent { members, statement });
    }
    Ok(found)
}

#[derive(Template)]
#[template(path = "decision-list.html")]
struct ListPage {
    da: bool,
    decisions: Vec<DecisionAnswer>,
}

impl ListPage {
    fn moment(&self, at: &Instant) -> String {
        moment(*at, self.da)
    }

    fn outcome(&self, outcome: &Outcome) -> &'static str {
        outcome_name(*outcome, self.da)
    }
}

async fn list(State(app): State<App>, reader: Reader, _: Params<Nothing>) -> Answer {
    let decisions = app.decisions(&reader.actor, &all()).map(|p| p.items);
    shown(decisions.map(|decisions| ListPage { da: reader.da, decisions }), reader.da)
}

#[derive(Template)]
#[template(path = "decision-page.html")]
struct DecisionPage {
    da: bool,
    sheet: Sheet,
    decision: DecisionAnswer,
    vocabulary: String,
    committee: Option<String>,
    /// Whether the meeting may be read.
    attends: bool,
    /// Whether the draft may be read.
    reads: bool,
    names: Names,
    concepts: Vec<DecidedConcept>,
    /// How many concepts there are beside those that are shown.
    more: usize,
}

impl DecisionPage {
    fn moment(&self, at: &Instant) -> String {
        moment(*at, self.da)
    }

    fn outcome(&self) -> &'static str {
        outcome_name(self.decision.decision.outcome, self.da)
    }

    fn is_vote(&self) -> bool {
        self.decision.decision.voting == Voting::Vote
    }

    fn vote(&self, vote: &Vote) -> &'static str {
        vote_name(*vote, self.da)
    }

    /// How many voted how.
    fn counts(&self) -> [(&'static str, usize); 3] {
        [Vote::For, Vote::Against, Vote::Abstains].map(|vote| {
            let count = self.decision.decision.votes.iter().filter(|v| v.vote == vote).count();
            (vote_name(vote, self.da), count)
        })
    }

    /// Who a minority is, where that may be seen.
    fn minority(&self, dissent: &Dissent) -> String {
        let members: Vec<String> = dissent.members.iter().map(|m| self.names.account(m)).collect();
        members.join(", ")
    }

    fn called(&self, concept: &DecidedConcept) -> String {
        let notation = concept.name.notation.as_deref().unwrap_or_default();
        format!("{notation} {}", concept.name.label).trim().to_owned()
    }

    fn cause(&self, reason: &Reason) -> Option<(String, &'static str)> {
        cause(reason, self.da)
    }
}

async fn one(State(app): State<App>, Path(of): Path<String>, reader: Reader, Params(done, ..): Params<Done>) -> Answer {
    let sheet = Sheet::after(done.done.as_deref(), &DONE, reader.da);
    shown(decision_page(&app, &reader, &of, sheet).await, reader.da)
}

async fn decision_page(app: &App, reader: &Reader, of: &str, sheet: Sheet) -> Result<DecisionPage> {
    let (actor, da) = (&reader.actor, reader.da);
    let decision = app.decision(actor, uuid(of)?)?;
    let group = app.group_seen(actor, decision.decision.committee).await;
    let mut concepts = app.decided_concepts(actor, decision.decision.uuid)?;
    let more = concepts.len().saturating_sub(ROWS);
    concepts.truncate(ROWS);
    Ok(DecisionPage {
        da,
        sheet,
        vocabulary: app.plane(decision.vocabulary.as_str())?.vocabulary().title(language(da)).to_owned(),
        committee: group.ok().map(|g| g.group.name.to_string()),
        attends: app.meeting(actor, decision.decision.meeting).await.is_ok(),
        reads: app.draft(actor, decision.draft).is_ok(),
        names: Names::of(app, reader).await?,
        concepts,
        more,
        decision,
    })
}
