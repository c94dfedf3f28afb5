//! The concepts of a draft: the list, one of them with the form that changes it, and a new one.

use std::collections::BTreeMap;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::comments::{Thread, told as threads_told};
use super::compared::{Differing, differing};
use super::edits::all;
use super::fields::{FIELDS, field_name, note_kinds, relation_kinds, statuses, told};
use super::form::{Refused, mends};
use super::rows::ConceptForm;
use super::sent::Sent;
use super::{Answer, Head, ROWS, say, see, segment, used_by, uuid};
use crate::exchange::paper::{Tongue, meaning_name, told_kinds};
use crate::http::api::{App, aside};
use crate::http::negotiate::{Caller, reads_danish};
use crate::http::params::{Nothing, Params};
use crate::http::private::page;
use crate::http::problem::status;
use crate::http::who::Who;
use crate::model::{Code, ContentFields, Meaning, Place, Refusal, Result};
use crate::quality::{Finding, Weight};
use crate::registry::{
    Actor, At, EditRequest, FoundConcepts, Made, NamedConcept, OperationRequest, PartRequest, Precondition,
    ProposedAnswer,
};

/// How many concepts are offered beside a field that names one.
const OFFERED: usize = 300;
/// How many hits of a search are shown in the form.
const HITS: usize = 20;

/// Which concepts.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// The beginning of a code, or a part of a term.
    q: Option<String>,
}

/// What a new concept begins with.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Beginning {
    /// The concept above.
    under: Option<String>,
}

#[derive(Template)]
#[template(path = "draft-concepts.html")]
struct ConceptsPage {
    da: bool,
    head: Head,
    q: String,
    found: FoundConcepts,
}

impl ConceptsPage {
    fn at(&self, concept: &NamedConcept) -> String {
        format!("/drafts/{}/concepts/{}", self.head.draft.uuid, segment(&concept.key))
    }
}

pub async fn list(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    Params(which, ..): Params<Which>,
    Caller(headers): Caller,
) -> Answer {
    let (draft, da) = (uuid(&draft)?, reads_danish(&headers));
    let head = Head::of(&app, &actor, draft, da).await?;
    let q: String = which.q.unwrap_or_default().chars().take(500).collect();
    let found = search(&app, &actor, draft, &q, ROWS).await?;
    Ok(page(StatusCode::OK, &ConceptsPage { da, head, q, found })?)
}

async fn search(app: &App, actor: &Actor, draft: Uuid, text: &str, most: usize) -> Result<FoundConcepts> {
    let (app, actor, text) = (app.clone(), actor.clone(), text.to_owned());
    aside(async move { app.find_in_draft(&actor, draft, &text, most) }).await
}

/// A lost race: what others made of the concept meanwhile.
struct Lost {
    /// Who, when and why, where it is known.
    edit: Option<(String, String, String)>,
    /// Whether they took the concept out of force.
    retired: bool,
    differing: Vec<Differing>,
}

#[derive(Template)]
#[template(path = "draft-concept.html")]
struct ConceptPage {
    da: bool,
    head: Head,
    /// The concept; none for a new one.
    concept: Option<NamedConcept>,
    kinds: Vec<String>,
    /// Whether the version below has it, and what is said of its meaning against that one.
    is_below: bool,
    meaning: Option<Meaning>,
    retired: bool,
    edit: Option<usize>,
    said: Vec<(String, String)>,
    differing: Vec<Differing>,
    findings: Vec<Finding>,
    /// What uses the concept.
    used: Option<String>,
    form: Option<ConceptForm>,
    /// The concepts that a field may name, when they are few enough.
    offered: Vec<NamedConcept>,
    lookup: String,
    hits: Option<FoundConcepts>,
    threads: Vec<Thread>,
    refused: Option<Refused>,
    lost: Option<Lost>,
}

impl ConceptPage {
    fn action(&self) -> String {
        match &self.concept {
            Some(concept) => format!("/drafts/{}/concepts/{}", self.head.draft.uuid, concept.uuid),
            None => format!("/drafts/{}/new-concept", self.head.draft.uuid),
        }
    }

    fn here(&self) -> String {
        let concept = self.concept.as_ref();
        concept
            .map_or_else(|| self.action(), |c| format!("/drafts/{}/concepts/{}", self.head.draft.uuid, segment(&c.key)))
    }

    /// What may be said of the meaning; nothing leaves it as it was said before.
    fn meanings(&self) -> [(&'static str, String); 3] {
        let tongue = if self.da { Tongue::Danish } else { Tongue::English };
        let before = match self.meaning {
            Some(said) => format!("{}: {}", say(self.da, "som sagt", "as it was said"), meaning_name(said, tongue)),
            None => say(self.da, "ikke sagt", "not said").to_owned(),
        };
        [
            ("", before),
            ("changed", say(self.da, "ja, betydningen er en anden", "yes, the meaning is another").to_owned()),
            ("kept", say(self.da, "nej, kun ordene er andre", "no, only the words are others").to_owned()),
        ]
    }

    fn statuses(&self) -> [(&'static str, &'static str); 4] {
        statuses(self.da)
    }

    fn note_kinds(&self) -> [(&'static str, &'static str); 7] {
        note_kinds(self.da)
    }

    fn relation_kinds(&self) -> [(&'static str, &'static str); 6] {
        relation_kinds(self.da)
    }

    fn topics(&self) -> Vec<(&'static str, &'static str)> {
        FIELDS.iter().map(|f| (*f, field_name(f, self.da))).collect()
    }

    fn operations(&self) -> [(&'static str, &'static str); 5] {
        [
            ("move", say(self.da, "Flyt", "Move")),
            ("replace", say(self.da, "Erstat", "Replace")),
            ("split", say(self.da, "Del", "Split")),
            ("merge", say(self.da, "Læg sammen", "Merge")),
            ("retire", say(self.da, "Lad udgå", "Retire")),
        ]
    }

    fn is_error(&self, finding: &Finding) -> bool {
        finding.weight == Weight::Error
    }

    fn marked(&self, row: &super::rows::Row, member: &str) -> &'static str {
        self.marked_at(&format!("{}-{member}", row.name))
    }

    fn marked_at(&self, name: &str) -> &'static str {
        let wrong = self.refused.as_ref().and_then(|r| r.wrong.as_ref());
        if wrong.is_some_and(|(at, _)| at == name) { " aria-invalid=\"true\" aria-describedby=\"problem\"" } else { "" }
    }
}

/// What a concept is shown with.
struct Sight {
    head: Head,
    proposed: Option<ProposedAnswer>,
    names: BTreeMap<Uuid, NamedConcept>,
    language: String,
}

impl Sight {
    async fn of(app: &App, actor: &Actor, draft: Uuid, key: Option<&str>, da: bool) -> Result<Self> {
        let head = Head::of(app, actor, draft, da).await?;
        let proposed = key.map(|key| app.draft_concept(actor, draft, key)).transpose()?;
        let both = proposed.iter().flat_map(|p| p.content.iter().chain(&p.base));
        let targets = both.flat_map(|f| f.relations.iter().map(|r| r.target));
        let all: Vec<Uuid> = targets.chain(proposed.iter().map(|p| p.uuid)).collect();
        let names = app.called_in_draft(actor, draft, all)?;
        let vocabulary = app.vocabulary(head.draft.vocabulary.as_str())?.vocabulary;
        let language = vocabulary.languages.first().map_or_else(|| "da".to_owned(), ToString::to_string);
        Ok(Self { head, proposed, names, language })
    }

    fn key(&self, concept: Uuid) -> String {
        self.names.get(&concept).map_or_else(|| concept.to_string(), |n| n.key.clone())
    }

    fn told(&self, fields: Option<&ContentFields>) -> Vec<(String, String)> {
        let name = |u: &Uuid| self.names.get(u).map_or_else(|| u.to_string(), |n| format!("{} {}", n.key, n.label));
        fields.map(|f| told(f, name, self.head.da)).unwrap_or_default()
    }

    /// The form of what is said now.
    fn form(&self) -> Option<ConceptForm> {
        let proposed = self.proposed.as_ref()?;
        let made = proposed.etag.as_deref().unwrap_or_default();
        Some(ConceptForm::of(proposed.content.as_ref()?, made, |u| self.key(u)))
    }

    /// The page, with a form where one is given.
    async fn page(self, app: &App, actor: &Actor, form: Option<ConceptForm>, room: usize) -> Result<ConceptPage> {
        let (draft, da) = (self.head.draft.uuid, self.head.da);
        let tongue = if da { Tongue::Danish } else { Tongue::English };
        let (mut threads, mut findings) = (Vec::new(), Vec::new());
        let (mut said, mut differs, mut kinds) = Default::default();
        let mut concept = None;
        if let Some(proposed) = &self.proposed {
            let about = |t: &crate::registry::ThreadAnswer| t.topic.concept == Some(proposed.uuid);
            let of = app.threads(actor, draft, &all())?.items.into_iter().filter(about).collect();
            threads = threads_told(draft, of, &self.names, da);
            concept = self.names.get(&proposed.uuid).cloned();
            kinds = told_kinds(&proposed.kinds, proposed.meaning, tongue);
            said = self.told(proposed.content.as_ref().or(proposed.base.as_ref()));
            let base = self.told(proposed.base.as_ref());
            if proposed.base.is_some() && proposed.content.is_some() {
                differs = differing(&base, &said);
            }
            let (app, actor, about) = (app.clone(), actor.clone(), proposed.uuid);
            findings = aside(async move { app.draft_findings(&actor, draft, false) }).await?;
            findings.retain(|f| f.concept == Some(about));
        }
        let offered = match form {
            Some(_) => search(app, actor, draft, "", OFFERED).await?,
            None => FoundConcepts::default(),
        };
        let few = offered.total <= OFFERED;
        Ok(ConceptPage {
            da,
            concept,
            kinds,
            is_below: self.proposed.as_ref().is_some_and(|p| p.base.is_some()),
            meaning: self.proposed.as_ref().and_then(|p| p.meaning),
            retired: self.proposed.as_ref().is_some_and(|p| p.content.is_none()),
            edit: self.proposed.as_ref().and_then(|p| p.edit),
            said,
            differing: differs,
            findings,
            used: self.proposed.as_ref().and_then(|p| used_now(app, actor, &self.head, p.uuid)),
            form: form.map(|f| f.with_room(room, &self.language)),
            offered: if few { offered.concepts } else { Vec::new() },
            lookup: String::new(),
            hits: None,
            threads,
            refused: None,
            lost: None,
            head: self.head,
        })
    }
}

/// What uses a concept; nothing uses one that is new.
fn used_now(app: &App, actor: &Actor, head: &Head, concept: Uuid) -> Option<String> {
    let view = app.view(head.draft.vocabulary.as_str(), &At::default()).ok()?;
    used_by(&app.concept_usages(actor, &view, &concept.to_string()).ok()?, head.da)
}

pub async fn one(
    State(app): State<App>,
    Who(actor): Who,
    Path((draft, key)): Path<(String, String)>,
    Caller(headers): Caller,
    _: Params<Nothing>,
) -> Answer {
    let sight = Sight::of(&app, &actor, uuid(&draft)?, Some(&key), reads_danish(&headers)).await?;
    let form = sight.form().filter(|_| sight.head.may_edit());
    Ok(page(StatusCode::OK, &sight.page(&app, &actor, form, 1).await?)?)
}

pub async fn new(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    Params(beginning, ..): Params<Beginning>,
    Caller(headers): Caller,
) -> Answer {
    let sight = Sight::of(&app, &actor, uuid(&draft)?, None, reads_danish(&headers)).await?;
    if !sight.head.may_edit() {
        return Err(may_not_edit().into());
    }
    let form = ConceptForm::default().with_room(1, &sight.language);
    let form = match beginning.under {
        Some(under) => form.related("generic", &under),
        None => form,
    };
    Ok(page(StatusCode::OK, &sight.page(&app, &actor, Some(form), 1).await?)?)
}

/// The refusal for those who may not edit the draft as it stands.
pub fn may_not_edit() -> Refusal {
    Refusal::new(
        Code::NotAllowed,
        "du kan ikke rette i kladden, som den står nu",
        "you cannot edit the draft as it stands now",
    )
}

pub async fn add(
    State(app): State<App>,
    Who(actor): Who,
    Path(draft): Path<String>,
    Caller(headers): Caller,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    written(&app, &actor, (uuid(&draft)?, None), &Sent::read(&bytes)?, reads_danish(&headers)).await
}

pub async fn save(
    State(app): State<App>,
    Who(actor): Who,
    Path((draft, key)): Path<(String, String)>,
    Caller(headers): Caller,
    _: Params<Nothing>,
    bytes: Bytes,
) -> Answer {
    written(&app, &actor, (uuid(&draft)?, Some(&key)), &Sent::read(&bytes)?, reads_danish(&headers)).await
}

/// Does what the form asks for: saves, or shows it again with more room, or with concepts that were looked up.
async fn written(app: &App, actor: &Actor, at: (Uuid, Option<&str>), sent: &Sent, da: bool) -> Answer {
    let form = ConceptForm::sent(sent);
    let does = sent.field("do");
    if does == "save" || does.is_empty() {
        return match saved(app, actor, at, &form, sent).await {
            Ok(concept) => Ok(see(&format!("/drafts/{}/concepts/{}", at.0, segment(&concept)))),
            Err(refusal) if !mends(&refusal) => Err(refusal.into()),
            Err(refusal) => again(app, actor, at, form, sent, refusal, da).await,
        };
    }
    let form = match does.split_once(' ') {
        Some((kind, target)) => form.related(kind, target),
        None => form,
    };
    let room = if does == "more" { 4 } else { 1 };
    let mut template = Sight::of(app, actor, at.0, at.1, da).await?.page(app, actor, Some(form), room).await?;
    template.lookup = sent.field("lookup").to_owned();
    if does == "find" || does.contains(' ') {
        template.hits = Some(search(app, actor, at.0, &template.lookup, HITS).await?);
    }
    Ok(page(StatusCode::OK, &template)?)
}

/// Saves the form; the concept that it made or changed.
async fn saved(
    app: &App,
    actor: &Actor,
    (draft, key): (Uuid, Option<&str>),
    form: &ConceptForm,
    sent: &Sent,
) -> Result<String> {
    let now = key.map(|key| app.draft_concept(actor, draft, key)).transpose()?;
    let fields = now.as_ref().and_then(|p| p.content.as_ref().or(p.base.as_ref()));
    let content = form.content(fields)?;
    let meaning = sent.said("meaning").map(|_| sent.read_as("meaning")).transpose()?;
    let request = EditRequest { reason: sent.reason()?, because: None, meaning };
    let Some(key) = key else {
        let part = PartRequest { concept: content.notation.clone(), content };
        let edit = app.edit_draft(actor, draft, OperationRequest::Add(part), &Precondition::Unsaid, request).await;
        // What is there already is there under the code that was chosen.
        let place = |r: Refusal| match r.code {
            Code::Exists => Refusal { place: Place::field("notation"), ..r },
            _ => r,
        };
        let edit = edit.map_err(place)?;
        return Ok(edit.effects.first().map(|e| e.concept.to_string()).unwrap_or_default());
    };
    let made = match form.made.as_str() {
        "" => Precondition::Unsaid,
        tag => Precondition::Tags(vec![tag.to_owned()]),
    };
    let (_, concept) = app.edit_concept(actor, draft, key, Made::Whole(Box::new(content)), &made, request).await?;
    Ok(concept.uuid.to_string())
}

/// Shows the form again, with what was wrong. After a lost race it is made of what there is now, and both texts are
/// shown: to save it again is to choose one's own.
async fn again(
    app: &App,
    actor: &Actor,
    (draft, key): (Uuid, Option<&str>),
    mut form: ConceptForm,
    sent: &Sent,
    refusal: Refusal,
    da: bool,
) -> Answer {
    let sight = Sight::of(app, actor, draft, key, da).await?;
    let mut lost = None;
    if matches!(refusal.code, Code::PreconditionFailed | Code::PreconditionRequired) {
        lost = Some(race(app, actor, &sight, &form)?);
        form.made = sight.proposed.as_ref().and_then(|p| p.etag.clone()).unwrap_or_default();
    }
    let mut template = sight.page(app, actor, Some(form), 1).await?;
    template.lookup = sent.field("lookup").to_owned();
    template.refused = Some(Refused::new(&refusal, da, |field| wrong(field, da)));
    template.lost = lost;
    Ok(page(status(&refusal), &template)?)
}

/// What is wrong in the form, and where: a field of a row, or a part of the form.
fn wrong(field: &str, da: bool) -> Option<(String, String)> {
    let part = match field.split('-').next()? {
        "term" => "terms",
        "definition" => "definitions",
        "note" => "notes",
        "law" => "legalBasis",
        "relation" => "relations",
        "subject" => "subjectFields",
        "reason" => return Some(("reason".into(), say(da, "Begrundelse", "Reason").into())),
        "meaning" => return Some(("meaning".into(), say(da, "Betydning", "Meaning").into())),
        "notation" => return Some(("notation".into(), say(da, "Kode", "Code").into())),
        part if FIELDS.contains(&part) => part,
        _ => return None,
    };
    Some((field.to_owned(), field_name(part, da).to_owned()))
}

fn race(app: &App, actor: &Actor, sight: &Sight, form: &ConceptForm) -> Result<Lost> {
    let draft = sight.head.draft.uuid;
    let proposed = sight.proposed.as_ref();
    let now = proposed.and_then(|p| p.content.as_ref());
    let theirs = sight.told(now);
    // What cannot be read is shown as it was written when it is saved again.
    let mine = form.content(now).map(|mine| {
        let name = |key: &String| {
            let found = app.draft_concept(actor, draft, key).ok().map(|p| p.uuid);
            let named = found.and_then(|u| app.called_in_draft(actor, draft, [u]).ok()?.remove(&u));
            named.map_or_else(|| key.clone(), |n| format!("{} {}", n.key, n.label))
        };
        told(&mine, name, sight.head.da)
    });
    let number = proposed.and_then(|p| p.edit);
    let edit = number.and_then(|n| app.edit(actor, draft, n).ok());
    let edit = edit.map(|e| (sight.head.who(&e.stamp.by), sight.head.moment(e.stamp.at), e.reason));
    let differing = mine.map(|mine| differing(&theirs, &mine)).unwrap_or_default();
    Ok(Lost { edit, retired: now.is_none(), differing })
}
