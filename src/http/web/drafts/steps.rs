//! The steps of a draft on its way to a version: described otherwise, sent on, recommended, approved, published.

use axum::body::Bytes;
use axum::extract::{Path, State};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::form::{Field, FormPage, Input, html, settle};
use super::list::{group, groups};
use super::sent::Sent;
use super::{Answer, Head, say, see, uuid};
use crate::http::api::{App, long, turn};
use crate::http::negotiate::{Caller, reads_danish};
use crate::http::params::{Nothing, Params};
use crate::http::who::Who;
use crate::model::{Code, GroupKind, Refusal, Result};
use crate::registry::{Actor, DraftChange, DraftPublishRequest, Precondition, RecommendRequest, Steer};

/// What a form was made of: the tag of the draft that it was shown with.
pub fn made_of(sent: &Sent) -> Precondition {
    sent.said("made").map_or(Precondition::Unsaid, |tag| Precondition::Tags(vec![tag.to_owned()]))
}

pub async fn describe_form(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Answer {
    described(&app, &actor, uuid(&draft)?, reads_danish(&headers), None).await?.shown()
}

pub async fn describe(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let (draft, sent, da) = (uuid(&draft)?, Sent::read(&bytes)?, reads_danish(&headers));
    let done = async {
        let change = DraftChange {
            title: Some(sent.read_as("title")?),
            purpose: Some(sent.said("purpose").map(|_| sent.read_as("purpose")).transpose()?),
            group: Some(sent.said("group").map(group).transpose()?),
        };
        app.steer_draft(&actor, draft, Steer::Describe(change), &made_of(&sent)).await?;
        Ok(format!("/drafts/{draft}"))
    };
    settle(done.await, async || described(&app, &actor, draft, da, Some(&sent)).await).await
}

/// The form with title, purpose and group. After a lost race it is made of what there is now.
async fn described(app: &App, actor: &Actor, draft: Uuid, da: bool, sent: Option<&Sent>) -> Result<FormPage> {
    let head = Head::of(app, actor, draft, da).await?;
    let named = |danish, english| say(da, danish, english);
    let groups = groups(head.called.groups.clone(), GroupKind::WorkingGroup, da);
    let (title, purpose) = (head.draft.title.clone(), head.draft.purpose.clone().unwrap_or_default());
    let (tag, now) = (head.tag(), head.draft.group.map(|g| g.to_string()).unwrap_or_default());
    let group = Field::new("group", named("Arbejdsgruppe", "Working group"), Input::Choice(groups));
    let form = FormPage::new(
        da,
        Some(head),
        named("Ret titel, formål og gruppe", "Change title, purpose and group"),
        format!("/drafts/{draft}/describe"),
    )
    .fields([
        Field::new("title", named("Titel", "Title"), Input::Line).with(title).needed(),
        Field::new("purpose", named("Formål (kan udelades)", "Purpose (optional)"), Input::Text).with(purpose),
        group.with(now),
    ])
    .button("describe", named("Gem", "Save"));
    let form = match sent {
        Some(sent) => form.filled(sent),
        None => form,
    };
    Ok(form.hidden("made", tag))
}

/// What a step is called, and what its reason is for.
fn step_name(step: &str, da: bool) -> Option<(&'static str, bool)> {
    let (danish, english, reason) = match step {
        "review" => ("Send til kvalitetssikring", "Send to review", false),
        "hold" => ("Sæt kladden i bero", "Put the draft on hold", true),
        "resume" => ("Genoptag kladden", "Resume the draft", true),
        "withdraw" => ("Træk kladden for altid", "Withdraw the draft for good", true),
        "recall" => ("Kald indstillingen tilbage", "Recall the recommendation", true),
        _ => return None,
    };
    Some((say(da, danish, english), reason))
}

fn no_step() -> Refusal {
    Refusal::new(Code::NotFound, "der er intet på denne adresse", "there is nothing at this address")
}

pub async fn phase_form(
    State(app): State<App>,
    Who(actor): Who,
    Path((draft, step)): Path<(String, String)>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Answer {
    phased(&app, &actor, uuid(&draft)?, &step, reads_danish(&headers)).await?.shown()
}

pub async fn phase(
    State(app): State<App>,
    Who(actor): Who,
    Path((draft, step)): Path<(String, String)>,
    Caller(headers): Caller,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let (draft, sent, da) = (uuid(&draft)?, Sent::read(&bytes)?, reads_danish(&headers));
    let done = async {
        let steer = match step.as_str() {
            "review" => Steer::Review,
            "hold" => Steer::Hold(sent.reason()?),
            "resume" => Steer::Resume(sent.reason()?),
            "withdraw" => Steer::Withdraw(sent.reason()?),
            "recall" => Steer::Recall(sent.reason()?),
            _ => return Err(no_step()),
        };
        app.steer_draft(&actor, draft, steer, &Precondition::Unsaid).await?;
        Ok(format!("/drafts/{draft}"))
    };
    settle(done.await, async || Ok(phased(&app, &actor, draft, &step, da).await?.filled(&sent))).await
}

async fn phased(app: &App, actor: &Actor, draft: Uuid, step: &str, da: bool) -> Result<FormPage> {
    let (title, reason) = step_name(step, da).ok_or_else(no_step)?;
    let head = Head::of(app, actor, draft, da).await?;
    let form = FormPage::new(da, Some(head), title, format!("/drafts/{draft}/phase/{step}"));
    let why = reason.then(|| Field::new("reason", say(da, "Begrundelse", "Reason"), Input::Text).needed());
    Ok(form.fields(why).button("step", title))
}

pub async fn recommend_form(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Answer {
    recommended(&app, &actor, uuid(&draft)?, reads_danish(&headers)).await?.shown()
}

pub async fn recommend(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let (draft, sent, da) = (uuid(&draft)?, Sent::read(&bytes)?, reads_danish(&headers));
    let done = async {
        let committee = sent.said("committee").ok_or_else(|| {
            let (da, en) = ("vælg det udvalg, der skal beslutte", "choose the committee that is to decide");
            Refusal::new(Code::Unlawful, da, en).at(crate::model::Place::field("committee"))
        })?;
        let after_hearing = sent.said("afterHearing").map(|_| sent.read_as("afterHearing")).transpose()?;
        let request = RecommendRequest { committee: group(committee)?, text: sent.read_as("text")?, after_hearing };
        let _turn = turn().await?;
        let (app, actor) = (app.clone(), actor.clone());
        long(async move { app.recommend(&actor, draft, request).await }).await?;
        Ok(format!("/drafts/{draft}"))
    };
    settle(done.await, async || Ok(recommended(&app, &actor, draft, da).await?.filled(&sent))).await
}

async fn recommended(app: &App, actor: &Actor, draft: Uuid, da: bool) -> Result<FormPage> {
    let head = Head::of(app, actor, draft, da).await?;
    let committees = head.called.groups.iter().filter(|g| g.kind == GroupKind::Committee).cloned().collect();
    let mut committees = groups(committees, GroupKind::Committee, da);
    committees[0].1 = say(da, "vælg", "choose").to_owned();
    let named = |danish, english| say(da, danish, english);
    Ok(FormPage::new(
        da,
        Some(head),
        named("Indstil til beslutning", "Recommend"),
        format!("/drafts/{draft}/recommend"),
    )
    .intro(format!(
        "<p>{}</p>",
        named(
            "Fra nu af og til beslutningen kan kladden ikke rettes: udvalget beslutter om netop dette indhold.",
            "From now until the decision the draft cannot be edited: the committee decides on exactly this content."
        )
    ))
    .fields([
        Field::new("committee", named("Udvalg", "Committee"), Input::Choice(committees)).needed(),
        Field::new("text", named("Indstilling: hvad og hvorfor", "Recommendation: what and why"), Input::Text).needed(),
        Field::new(
            "afterHearing",
            named(
                "Hvis begreber er ændret efter høringen, uden at et høringssvar førte til det: hvorfor",
                "If concepts were changed after the hearing that no answer led to: why",
            ),
            Input::Text,
        ),
    ])
    .button("recommend", named("Indstil", "Recommend")))
}

pub async fn publish_form(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Answer {
    published(&app, &actor, uuid(&draft)?, reads_danish(&headers)).await?.shown()
}

pub async fn publish(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let (draft, sent, da) = (uuid(&draft)?, Sent::read(&bytes)?, reads_danish(&headers));
    let done = async {
        let effective = sent.said("effective").map(ToOwned::to_owned);
        let request = DraftPublishRequest { version: sent.read_as("version")?, effective };
        carried_out(&app, &actor, draft, request).await?;
        Ok(format!("/drafts/{draft}"))
    };
    settle(done.await, async || Ok(published(&app, &actor, draft, da).await?.filled(&sent))).await
}

/// Publishes for as long as somebody waits for it: a request that was given up leaves nothing.
async fn carried_out(app: &App, actor: &Actor, draft: Uuid, request: DraftPublishRequest) -> Result<()> {
    let _turn = turn().await?;
    let (_waiting, given_up) = oneshot::channel::<()>();
    let (app, actor) = (app.clone(), actor.clone());
    let work = async move {
        tokio::select! {
            biased;
            _ = given_up => Err(Refusal::new(Code::Timeout, "det tog for lang tid", "it took too long")),
            done = app.publish_draft(&actor, draft, request) => done.map(drop),
        }
    };
    long(work).await
}

async fn published(app: &App, actor: &Actor, draft: Uuid, da: bool) -> Result<FormPage> {
    let head = Head::of(app, actor, draft, da).await?;
    let named = |danish, english| say(da, danish, english);
    let decided = head.draft.decisions.last().and_then(|d| d.effective);
    let told = decided.map(|at| {
        let at = html(&head.moment(at));
        match da {
            true => format!("<p>Det er besluttet, at versionen gælder fra {at}.</p>"),
            false => format!("<p>It was decided that the version is in force from {at}.</p>"),
        }
    });
    let effective = named("Gælder fra; i dag, når feltet er tomt", "In force from; today when empty");
    let effective = decided.is_none().then(|| Field::new("effective", effective, Input::Day));
    let label = Field::new("version", named("Versionens navn", "Label of the version"), Input::Line).needed();
    Ok(FormPage::new(
        da,
        Some(head),
        named("Udgiv som version", "Publish as a version"),
        format!("/drafts/{draft}/publish"),
    )
    .intro(told.unwrap_or_default())
    .fields([label])
    .fields(effective)
    .button("publish", named("Udgiv", "Publish")))
}

pub async fn approve(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let (draft, sent) = (uuid(&draft)?, Sent::read(&bytes)?);
    let digest = sent.read_as("digest")?;
    let _turn = turn().await?;
    long(async move { app.approve(&actor, draft, digest).await }).await?;
    Ok(see(&format!("/drafts/{draft}")))
}
