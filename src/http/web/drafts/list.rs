//! The list of drafts, and the form that opens one.

use std::collections::BTreeMap;

use askama::Template;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::form::{Field, FormPage, Input, settle};
use super::sent::Sent;
use super::{Answer, phase_name, say};
use crate::http::api::App;
use crate::http::negotiate::{Caller, reads_danish};
use crate::http::params::{Nothing, Params};
use crate::http::private::page;
use crate::http::who::Who;
use crate::model::{GroupKind, Place, Refusal, Result, Text};
use crate::registry::{Actor, DraftAnswer, DraftFilter, DraftRequest, Pages, moment};
use crate::workflow::Phase;

/// How many drafts are on a page.
const LIMIT: i64 = 50;

/// Which drafts.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Of one vocabulary; of all when empty.
    vocabulary: Option<String>,
    /// In one phase; in any when empty.
    phase: Option<String>,
    /// Where to go on.
    cursor: Option<String>,
}

/// What is chosen already.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Chosen {
    /// The vocabulary.
    vocabulary: Option<String>,
}

#[derive(Template)]
#[template(path = "draft-list.html")]
struct ListPage {
    da: bool,
    drafts: Vec<DraftAnswer>,
    total: usize,
    next: Option<String>,
    vocabularies: Vec<(String, String)>,
    vocabulary: String,
    phase: String,
    groups: BTreeMap<Uuid, String>,
    may_open: bool,
}

impl ListPage {
    fn phases(&self) -> Vec<(&'static str, &'static str)> {
        Phase::ALL.iter().map(|p| (p.as_str(), phase_name(*p, self.da))).collect()
    }

    fn phase_of(&self, draft: &DraftAnswer) -> &'static str {
        phase_name(draft.phase, self.da)
    }

    fn changed(&self, draft: &DraftAnswer) -> String {
        moment(draft.changed.at, self.da)
    }

    fn title(&self, slug: impl AsRef<str>) -> String {
        let found = self.vocabularies.iter().find(|(s, _)| s == slug.as_ref());
        found.map_or_else(|| slug.as_ref().to_owned(), |(_, title)| title.clone())
    }

    fn group(&self, draft: &DraftAnswer) -> Option<&str> {
        self.groups.get(&draft.group?).map(String::as_str)
    }
}

pub async fn list(
    State(app): State<App>,
    Who(actor): Who,
    Caller(headers): Caller,
    Params(which, ..): Params<Which>,
) -> Answer {
    let da = reads_danish(&headers);
    let said = |text: &Option<String>| text.clone().filter(|t| !t.is_empty());
    let at = |field: &'static str| move |r: Refusal| r.at(Place::field(field));
    let filter = DraftFilter {
        vocabulary: said(&which.vocabulary).map(|v| v.parse().map_err(at("vocabulary"))).transpose()?,
        phase: said(&which.phase).map(|p| p.parse().map_err(at("phase"))).transpose()?,
        group: None,
    };
    let found = app.drafts(&actor, &filter, &Pages { limit: Some(LIMIT), cursor: which.cursor })?;
    let (vocabulary, phase) = (which.vocabulary.unwrap_or_default(), which.phase.unwrap_or_default());
    let next = found.next.map(|cursor| {
        let pairs = [("vocabulary", vocabulary.as_str()), ("phase", phase.as_str()), ("cursor", cursor.as_str())];
        format!("/drafts?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
    });
    let language = say(da, "da", "en");
    let titled = |v: crate::registry::VocabularyAnswer| {
        let title = Text::choose(&v.vocabulary.titles, language).unwrap_or_default().to_owned();
        (v.vocabulary.slug.to_string(), title)
    };
    let groups = match found.items.iter().any(|d| d.group.is_some()) {
        true => app.working_groups(&actor).await?,
        false => Vec::new(),
    };
    let template = ListPage {
        da,
        drafts: found.items,
        total: found.total,
        next,
        vocabularies: app.vocabularies().into_iter().map(titled).collect(),
        vocabulary,
        phase,
        groups: groups.into_iter().map(|g| (g.uuid, g.name.to_string())).collect(),
        may_open: !app.openable(&actor).is_empty(),
    };
    Ok(page(StatusCode::OK, &template)?)
}

pub async fn new(
    State(app): State<App>,
    Who(actor): Who,
    Caller(headers): Caller,
    Params(chosen, ..): Params<Chosen>,
) -> Answer {
    let sent = Sent::of([("vocabulary", chosen.vocabulary.unwrap_or_default())]);
    form(&app, &actor, reads_danish(&headers), &sent).await?.shown()
}

pub async fn open(
    State(app): State<App>,
    Who(actor): Who,
    Caller(headers): Caller,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    let (sent, da) = (Sent::read(&bytes)?, reads_danish(&headers));
    let done = opened(&app, &actor, &sent).await;
    settle(done, async || form(&app, &actor, da, &sent).await).await
}

async fn opened(app: &App, actor: &Actor, sent: &Sent) -> Result<String> {
    let request = DraftRequest {
        vocabulary: sent.read_as("vocabulary")?,
        title: sent.read_as("title")?,
        purpose: sent.said("purpose").map(|_| sent.read_as("purpose")).transpose()?,
        group: sent.said("group").map(group).transpose()?,
        base: sent.said("base").map(|_| sent.read_as("base")).transpose()?,
        minor: sent.field("minor") == "yes",
    };
    Ok(format!("/drafts/{}", app.open_draft(actor, request).await?.uuid))
}

/// The group that is chosen.
pub fn group(text: &str) -> Result<Uuid> {
    Uuid::try_parse(text).map_err(|_| {
        let (da, en) = ("der er ingen sådan gruppe", "there is no such group");
        Refusal::new(crate::model::Code::NotFound, da, en).at(Place::field("group"))
    })
}

async fn form(app: &App, actor: &Actor, da: bool, sent: &Sent) -> Result<FormPage> {
    let open = app.openable(actor);
    if open.is_empty() {
        return Err(Refusal::new(
            crate::model::Code::NotAllowed,
            "din konto har ikke ret til at oprette kladder",
            "your account does not have the right to open drafts",
        ));
    }
    let title = |titles: &[Text]| Text::choose(titles, say(da, "da", "en")).unwrap_or_default().to_owned();
    let vocabularies = open.iter().map(|(slug, titles)| (slug.to_string(), title(titles))).collect();
    let groups = groups(app.working_groups(actor).await?, GroupKind::WorkingGroup, da);
    let named = |danish, english| say(da, danish, english);
    Ok(FormPage::new(da, None, named("Opret kladde", "Open a draft"), "/drafts")
        .fields([
            Field::new("vocabulary", named("Ordforråd", "Vocabulary"), Input::Choice(vocabularies)).needed(),
            Field::new("title", named("Titel", "Title"), Input::Line).needed(),
            Field::new("purpose", named("Formål (kan udelades)", "Purpose (optional)"), Input::Text),
            Field::new("group", named("Arbejdsgruppe", "Working group"), Input::Choice(groups)),
            Field::new(
                "base",
                named(
                    "Version, som kladden skal ligge over; den gældende, når feltet er tomt",
                    "Version to lie over; the one in force when empty",
                ),
                Input::Line,
            ),
            Field::new(
                "minor",
                named("Lille ændring, der ikke kræver høring", "Small change, which needs no hearing"),
                Input::Tick,
            ),
        ])
        .button("open", named("Opret kladde", "Open the draft"))
        .filled(sent))
}

/// Groups to choose from: those of the kind first.
pub fn groups(mut groups: Vec<crate::model::Group>, first: GroupKind, da: bool) -> Vec<(String, String)> {
    groups.sort_by(|a, b| (a.kind != first, &a.name).cmp(&(b.kind != first, &b.name)));
    let none = (String::new(), say(da, "ingen", "none").to_owned());
    [none].into_iter().chain(groups.into_iter().map(|g| (g.uuid.to_string(), g.name.to_string()))).collect()
}

/// A list of one page.
pub fn whole(limit: usize) -> Pages {
    Pages { limit: Some(limit as i64), cursor: None }
}
