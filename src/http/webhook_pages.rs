//! The pages of webhooks: those that somebody has or their organisation, how delivery goes, what was given up. They work
//! without scripts; their forms are taken from pages of this site alone. A secret is shown in the answer that made it, and
//! on no other page.

use std::collections::BTreeSet;

use askama::Template;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use uuid::Uuid;

use super::app::App;
use super::keeper::{Keeper, field, fields, on_to, told};
use super::negotiate::{Caller, reads_danish};
use super::params::{Nothing, Params, uuid};
use super::private::page;
use super::problem::Failure;
use crate::exchange::codes;
use crate::exchange::paper::{Tongue, change_name};
use crate::model::{
    Code, EventFilter, EventType, Instant, Owner, PausedBecause, Place, Refusal, Result, Slug, SubscriptionKind,
    SubscriptionState, UsageForm, clock_in_denmark,
};
use crate::registry::{
    Actor, CheckRequest, DeadLetter, DeliveryRow, OwnerWish, Pages, ReplayRequest, SecretRequest, SubscriptionAnswer,
    SubscriptionChange, SubscriptionRequest, UsageAnswer,
};

type Answer = Result<Response, Failure>;

/// How many attempts a page shows.
const SHOWN: i64 = 50;

/// The pages' addresses.
pub fn router() -> Router<App> {
    Router::new()
        .route("/webhooks", get(list).post(create))
        .route("/webhooks/{uuid}", get(one).post(change))
        .route("/webhooks/{uuid}/do", axum::routing::post(done))
}

/// A form of a webhook, as it is shown and as it was sent.
#[derive(Default)]
struct Form {
    url: String,
    description: String,
    vocabularies: String,
    concepts: String,
    set: String,
    types: BTreeSet<EventType>,
    batch: String,
}

impl Form {
    fn sent(fields: &[(String, String)]) -> Self {
        let of = |name| field(fields, name).trim().to_owned();
        Self {
            url: of("url"),
            description: of("description"),
            vocabularies: of("vocabularies"),
            concepts: of("concepts"),
            set: of("codeSet"),
            types: fields.iter().filter(|(n, _)| n == "type").filter_map(|(_, v)| EventType::of(v)).collect(),
            batch: of("batch"),
        }
    }

    fn of(subscription: &SubscriptionAnswer) -> Self {
        let EventFilter { vocabularies, concepts, types, code_set, .. } = &subscription.filter;
        let listed = |all: Vec<String>, between| all.join(between);
        Self {
            url: subscription.url.clone(),
            description: subscription.description.clone(),
            vocabularies: listed(vocabularies.iter().map(ToString::to_string).collect(), ", "),
            concepts: listed(concepts.iter().map(ToString::to_string).collect(), "\n"),
            set: code_set.map(|set| set.to_string()).unwrap_or_default(),
            types: types.clone(),
            batch: subscription.batch.to_string(),
        }
    }

    /// The events that it asks for, with what the form has no field for.
    async fn filter(&self, app: &App, before: EventFilter) -> Result<EventFilter> {
        let slugs = self.vocabularies.split([',', ' ', '\n']).map(str::trim).filter(|s| !s.is_empty());
        let slug = |s: &str| s.parse::<Slug>().map_err(|r| r.at(Place::field("vocabularies")));
        let vocabularies: BTreeSet<Slug> = slugs.map(slug).collect::<Result<_>>()?;
        let code_set = match self.set.as_str() {
            "" => None,
            set => Some(uuid(set).map_err(|r| r.at(Place::field("codeSet")))?),
        };
        let concepts = named(app, &self.concepts, &vocabularies).await?;
        Ok(EventFilter { vocabularies, concepts, types: self.types.clone(), code_set, ..before })
    }

    fn batch(&self) -> Result<Option<u16>> {
        let number = |text: &str| {
            text.parse().map_err(|_| {
                let (da, en) = ("antallet af hændelser er ikke et tal", "the number of events is no number");
                Refusal::new(Code::InvalidParameter, da, en).at(Place::field("batch"))
            })
        };
        Some(self.batch.as_str()).filter(|b| !b.is_empty()).map(number).transpose()
    }
}

/// The concepts that lines name: by uuid, IRI or code; codes are of the one vocabulary that is named beside them.
async fn named(app: &App, lines: &str, vocabularies: &BTreeSet<Slug>) -> Result<BTreeSet<Uuid>> {
    if lines.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut of = vocabularies.iter();
    let vocabulary = of.next().filter(|_| of.next().is_none()).map(ToString::to_string);
    let (app, lines) = (app.clone(), lines.to_owned());
    super::api::apart(move || {
        let asked = CheckRequest { vocabulary, ..CheckRequest::default() };
        let checked = app.check_codes(&codes(lines.as_bytes())?, &asked, "da")?.codes;
        let unknown = checked.iter().find(|c| c.concept.is_none());
        if let Some(code) = unknown {
            let (line, code) = (code.given.line, code.given.code.chars().take(80).collect::<String>());
            let (da, en) = (format!("»{code}« er ikke ét begreb"), format!("'{code}' is not one concept"));
            return Err(Refusal::new(Code::UnknownConcept, da, en).at(Place::line(line, 1)));
        }
        Ok(checked.into_iter().filter_map(|c| c.concept).map(|c| c.uuid).collect())
    })
    .await
}

#[derive(Template)]
#[template(path = "webhooks.html")]
struct ListPage {
    da: bool,
    hooks: Vec<SubscriptionAnswer>,
    sets: Vec<UsageAnswer>,
    form: Form,
    /// Whether it is to be the organisation's, and to begin with everything that was ever told.
    shared: bool,
    whole: bool,
    refused: Option<String>,
}

#[derive(Template)]
#[template(path = "webhook.html")]
struct HookPage {
    da: bool,
    hook: SubscriptionAnswer,
    sets: Vec<UsageAnswer>,
    form: Form,
    attempts: Vec<DeliveryRow>,
    dead: Vec<DeadLetter>,
    /// A secret that was made just now.
    secret: Option<String>,
    said: Option<String>,
    refused: Option<String>,
}

impl ListPage {
    fn types(&self) -> Vec<(EventType, &'static str, bool)> {
        types(&self.form, self.da)
    }

    fn state(&self, hook: &SubscriptionAnswer) -> &'static str {
        state(hook, self.da)
    }
}

impl HookPage {
    fn types(&self) -> Vec<(EventType, &'static str, bool)> {
        types(&self.form, self.da)
    }

    fn state(&self) -> &'static str {
        state(&self.hook, self.da)
    }

    fn is_paused(&self) -> bool {
        self.hook.state == SubscriptionState::Paused
    }

    fn is_shared(&self) -> bool {
        matches!(self.hook.owner, Owner::Organisation(_))
    }

    fn behind(&self) -> i64 {
        (self.hook.head - self.hook.position).max(0)
    }

    fn moment(&self, at: &Instant) -> String {
        clock_in_denmark(*at).replace('T', " ")
    }

    fn outcome<'o>(&self, outcome: &'o str) -> &'o str {
        match (outcome, self.da) {
            ("delivered", true) => "leveret",
            ("failed", true) => "mislykket",
            ("dead", true) => "opgivet",
            ("gone", true) => "borte (410)",
            (other, _) => other,
        }
    }

    /// Kinds of change and other things that the form has no field for stay as they are, and are told.
    fn kinds(&self) -> String {
        let tongue = if self.da { Tongue::Danish } else { Tongue::English };
        let kinds = self.hook.filter.kinds.iter().map(|kind| change_name(*kind, tongue));
        kinds.collect::<Vec<_>>().join(", ")
    }
}

fn types(form: &Form, da: bool) -> Vec<(EventType, &'static str, bool)> {
    EventType::ALL.into_iter().map(|t| (t, type_name(t, da), form.types.contains(&t))).collect()
}

/// What an event is about, in words.
fn type_name(of: EventType, da: bool) -> &'static str {
    let words = match of {
        EventType::VocabularyCreated => ("et nyt ordforråd", "a new vocabulary"),
        EventType::VocabularyChanged => ("et ordforråds ramme er ændret", "the frame of a vocabulary was changed"),
        EventType::ConceptStated => ("et begreb er nyt eller ændret", "a concept is new or changed"),
        EventType::ConceptRetired => ("et begreb udgår", "a concept is retired"),
        EventType::ConceptPassivated => ("et begreb er passiveret", "a concept was passivated"),
        EventType::VersionPublished => ("en version er udgivet", "a version was published"),
        EventType::ConceptEffective => ("en ændring af et begreb træder i kraft", "a change of a concept takes effect"),
        EventType::EditionEffective => ("en version træder i kraft", "a version takes effect"),
        EventType::HearingOpened => ("en høring åbner", "a hearing opens"),
        EventType::HearingClosed => ("en høring lukker", "a hearing closes"),
    };
    if da { words.0 } else { words.1 }
}

/// How delivery stands, in words.
fn state(hook: &SubscriptionAnswer, da: bool) -> &'static str {
    let words = match (hook.state, hook.paused_because) {
        (SubscriptionState::Active, _) if hook.attempts > 0 => ("svarer ikke; prøves igen", "no answer; tried again"),
        (SubscriptionState::Active, _) => ("leveres", "delivered"),
        (_, Some(PausedBecause::Gone)) => ("på pause: modtageren sagde 410", "paused: the receiver said 410"),
        (_, Some(PausedBecause::Restored)) => {
            ("på pause: registret er genskabt; lav en ny hemmelighed", "paused: the registry was restored")
        }
        (_, Some(PausedBecause::CodeSetEnded)) => {
            ("på pause: kodesættet er afsluttet", "paused: the code set has ended")
        }
        (SubscriptionState::Paused, _) => ("på pause", "paused"),
        (SubscriptionState::Ended, _) => ("afsluttet", "ended"),
    };
    if da { words.0 } else { words.1 }
}

async fn sets(app: &App, actor: &Actor) -> Result<Vec<UsageAnswer>> {
    let pages = Pages { limit: Some(1_000), cursor: None };
    Ok(app.usages(actor, UsageForm::CodeSet, &pages).await?.items)
}

/// Everything that the page of a webhook shows beside what came of a form.
async fn shown(app: &App, actor: &Actor, of: Uuid, da: bool) -> Result<HookPage> {
    let hook = app.subscription(actor, of).await?;
    let pages = Pages { limit: Some(SHOWN), cursor: None };
    let attempts = app.deliveries(actor, of, &pages).await?.items;
    let dead = app.dead_letters(actor, of).await?;
    let (sets, form) = (sets(app, actor).await?, Form::of(&hook));
    Ok(HookPage { da, hook, sets, form, attempts, dead, secret: None, said: None, refused: None })
}

async fn list(State(app): State<App>, Keeper(actor): Keeper, Caller(headers): Caller, _: Params<Nothing>) -> Answer {
    let (hooks, sets) = (app.subscriptions(&actor, false).await?, sets(&app, &actor).await?);
    let form = Form { batch: "1".into(), ..Form::default() };
    let da = reads_danish(&headers);
    Ok(page(StatusCode::OK, &ListPage { da, hooks, sets, form, shared: false, whole: false, refused: None })?)
}

async fn create(
    State(app): State<App>,
    Keeper(actor): Keeper,
    headers: HeaderMap,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let (fields, da) = (fields(&app, &headers, &bytes)?, reads_danish(&headers));
    let form = Form::sent(&fields);
    let (shared, whole) = (field(&fields, "owner") == "organisation", field(&fields, "after") == "0");
    let made = async {
        let request = SubscriptionRequest {
            kind: SubscriptionKind::Webhook,
            url: form.url.clone(),
            description: form.description.clone(),
            filter: form.filter(&app, EventFilter::default()).await?,
            batch: form.batch()?,
            owner: if shared { OwnerWish::Organisation } else { OwnerWish::Account },
            after: whole.then_some(0),
        };
        app.create_subscription(&actor, None, request).await
    };
    match made.await {
        Ok(made) => {
            let template = shown(&app, &actor, made.subscription.uuid, da).await?;
            Ok(page(StatusCode::CREATED, &HookPage { secret: Some(made.secret), ..template })?)
        }
        Err(refusal) => {
            let (status, refused) = told(refusal, da)?;
            let (hooks, sets) = (app.subscriptions(&actor, false).await?, sets(&app, &actor).await?);
            Ok(page(status, &ListPage { da, hooks, sets, form, shared, whole, refused: Some(refused) })?)
        }
    }
}

async fn one(
    State(app): State<App>,
    Keeper(actor): Keeper,
    Path(of): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Answer {
    Ok(page(StatusCode::OK, &shown(&app, &actor, uuid(&of)?, reads_danish(&headers)).await?)?)
}

async fn change(
    State(app): State<App>,
    Keeper(actor): Keeper,
    Path(of): Path<String>,
    headers: HeaderMap,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let (of, fields, da) = (uuid(&of)?, fields(&app, &headers, &bytes)?, reads_danish(&headers));
    let before = app.subscription(&actor, of).await?;
    let form = Form::sent(&fields);
    let changed = async {
        let change = SubscriptionChange {
            url: Some(form.url.clone()),
            description: Some(form.description.clone()),
            filter: Some(form.filter(&app, before.filter).await?),
            batch: form.batch()?,
        };
        app.change_subscription(&actor, of, change).await
    };
    match changed.await {
        Ok(_) => Ok(on_to(&format!("/webhooks/{of}"))),
        Err(refusal) => {
            let (status, refused) = told(refusal, da)?;
            let template = shown(&app, &actor, of, da).await?;
            Ok(page(status, &HookPage { form, refused: Some(refused), ..template })?)
        }
    }
}

/// What came of a button.
enum Came {
    /// The page as it is now.
    Shown,
    Secret(String),
    Said(&'static str, &'static str),
    /// There is no such page any more.
    Ended,
}

async fn done(
    State(app): State<App>,
    Keeper(actor): Keeper,
    Path(of): Path<String>,
    headers: HeaderMap,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let (of, fields, da) = (uuid(&of)?, fields(&app, &headers, &bytes)?, reads_danish(&headers));
    let (status, refused, came) = match pressed(&app, &actor, of, &fields).await {
        Ok(Came::Shown) => return Ok(on_to(&format!("/webhooks/{of}"))),
        Ok(Came::Ended) => return Ok(on_to("/webhooks")),
        Ok(came) => (StatusCode::OK, None, came),
        Err(refusal) => {
            let (status, text) = told(refusal, da)?;
            (status, Some(text), Came::Shown)
        }
    };
    let mut template = HookPage { refused, ..shown(&app, &actor, of, da).await? };
    match came {
        Came::Secret(secret) => template.secret = Some(secret),
        Came::Said(danish, english) => template.said = Some((if da { danish } else { english }).to_owned()),
        Came::Shown | Came::Ended => {}
    }
    Ok(page(status, &template)?)
}

/// Does what a button says.
async fn pressed(app: &App, actor: &Actor, of: Uuid, fields: &[(String, String)]) -> Result<Came> {
    match field(fields, "do") {
        "pause" => app.pause_subscription(actor, of).await.map(|_| Came::Shown),
        "resume" => app.resume_subscription(actor, of).await.map(|_| Came::Shown),
        "secret" => {
            let hours = number(fields, "overlap", "overlapHours")?;
            let overlap_hours = Some(u32::try_from(hours).unwrap_or(u32::MAX));
            Ok(Came::Secret(app.rotate_secret(actor, of, SecretRequest { overlap_hours }).await?.secret))
        }
        "test" => {
            app.test_subscription(actor, of).await?;
            let (da, en) = (
                "En prøve er på vej. Hvad der kommer ud af den, står under forsøgene om lidt.",
                "A test is on its way. What comes of it stands among the attempts in a moment.",
            );
            Ok(Came::Said(da, en))
        }
        "all" => replayed(app, actor, of, ReplayRequest { all: Some(true), ..ReplayRequest::default() }).await,
        "letter" => {
            let letter = uuid(field(fields, "letter")).map_err(|r| r.at(Place::field("letter")))?;
            replayed(app, actor, of, ReplayRequest { dead_letter: Some(letter), ..ReplayRequest::default() }).await
        }
        "after" => {
            let after = number(fields, "after", "after")?;
            replayed(app, actor, of, ReplayRequest { after: Some(after), ..ReplayRequest::default() }).await
        }
        "end" if field(fields, "sure") == "yes" => app.end_subscription(actor, of).await.map(|()| Came::Ended),
        "end" => {
            let (da, en) = ("sæt flueben, hvis den skal afsluttes", "tick the box if it is to be ended");
            Err(Refusal::new(Code::InvalidParameter, da, en).at(Place::field("sure")))
        }
        other => {
            let other: String = other.chars().take(80).collect();
            let (da, en) = (format!("»{other}« kan ikke gøres"), format!("'{other}' cannot be done"));
            let all = ["pause", "resume", "secret", "test", "all", "letter", "after", "end"];
            Err(Refusal::new(Code::InvalidParameter, da, en).at(Place::field("do")).allowed(all))
        }
    }
}

async fn replayed(app: &App, actor: &Actor, of: Uuid, request: ReplayRequest) -> Result<Came> {
    app.replay(actor, of, request).await?;
    Ok(Came::Said("Det sendes igen.", "It is sent again."))
}

fn number(fields: &[(String, String)], name: &str, place: &'static str) -> Result<i64> {
    field(fields, name).trim().parse().map_err(|_| {
        let (da, en) = ("det er ikke et helt tal", "that is not a whole number");
        Refusal::new(Code::InvalidParameter, da, en).at(Place::field(place))
    })
}
