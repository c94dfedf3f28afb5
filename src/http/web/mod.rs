//! The pages: Danish first, English second.

mod accept;
pub mod decisions;
pub mod drafts;
mod form;
pub mod groups;
pub mod hearings;
pub mod requests;
pub mod search;

use askama::Template;
use axum::extract::State;
use axum::http::header::VARY;
use axum::response::{IntoResponse, Redirect, Response};
use uuid::Uuid;

use super::api::App;
use super::code_sets::usage_kind;
use super::negotiate::{Caller, media, reads_danish};
use super::params::{Nothing, Params};
use super::problem::Failure;
use super::reply::Reply;
use crate::exchange::paper::{Tongue, told_kinds};
use crate::model::{Code, ContentFields, NoteKind, Refusal, RelationKind, Result, Side, TermStatus, UsageKind};
use crate::registry::{
    Actor, At, CertificationAnswer, ComingChange, ConceptAnswer, ConceptUsages, HistoryAnswer, Reason, Registry,
    Relatives, Status, VersionAnswer, View, VocabularyAnswer, moment,
};
use crate::workflow::{Because, CertificationVerdict};

/// The most rows that a page shows of a list; the rest is one click away.
const ROWS: usize = 500;

#[derive(Template)]
#[template(path = "index.html")]
struct Index {
    da: bool,
    vocabularies: Vec<VocabularyAnswer>,
}

impl Index {
    fn title<'a>(&self, answer: &'a VocabularyAnswer) -> &'a str {
        crate::model::Text::choose(&answer.vocabulary.titles, language(self.da)).unwrap_or_default()
    }
}

#[derive(Template)]
#[template(path = "vocabulary.html")]
struct VocabularyPage {
    da: bool,
    slug: String,
    title: String,
    description: String,
    fields: crate::model::VocabularyFields,
    deleted: bool,
    version: Option<String>,
    pinned: bool,
    count: usize,
    shown: usize,
    versions: Vec<VersionAnswer>,
    /// Of the version that the page is about.
    certifications: Vec<CertificationAnswer>,
    tops: Vec<Row>,
}

/// One line of a hierarchy.
struct Row {
    key: String,
    notation: String,
    label: String,
    indent: u16,
}

#[derive(Template)]
#[template(path = "concept.html")]
struct ConceptPage {
    da: bool,
    slug: String,
    vocabulary: String,
    concept: ConceptAnswer,
    label: String,
    content: ContentFields,
    path: Vec<Row>,
    children: Vec<Row>,
    more_children: usize,
    related: Vec<(String, Row)>,
    history: HistoryAnswer,
    usages: ConceptUsages,
    /// What is decided and takes effect later.
    ahead: Vec<ComingChange>,
    pinned: Option<String>,
}

/// A day as a day, an instant as an instant.
fn day(at: &crate::model::Instant) -> String {
    at.to_string().trim_end_matches("T00:00:00Z").to_owned()
}

impl VocabularyPage {
    fn moment(&self, at: &crate::model::Instant) -> String {
        moment(*at, self.da)
    }

    fn verdict(&self, verdict: &CertificationVerdict) -> &'static str {
        let words = match verdict {
            CertificationVerdict::Certified => ("certificeret", "certified"),
            CertificationVerdict::Conditional => ("certificeret med forbehold", "certified with conditions"),
            CertificationVerdict::Rejected => ("ikke certificeret", "not certified"),
        };
        if self.da { words.0 } else { words.1 }
    }

    /// The page of the decision that a version carries out, where it was taken here.
    fn decision(&self, version: &VersionAnswer) -> Option<String> {
        let (_, uuid) = version.decision.as_deref()?.split_once("/api/v1/decisions/")?;
        Uuid::try_parse(uuid).ok().map(|uuid| format!("/decisions/{uuid}"))
    }

    fn any_certified(&self) -> bool {
        self.versions.iter().any(|v| v.certification.is_some())
    }

    fn any_decided(&self) -> bool {
        self.versions.iter().any(|v| self.decision(v).is_some())
    }

    /// A link that may be followed by a click.
    fn is_link(&self, iri: impl AsRef<str>) -> bool {
        iri.as_ref().starts_with("https://") || iri.as_ref().starts_with("http://")
    }

    fn day(&self, at: &crate::model::Instant) -> String {
        day(at)
    }
}

impl ConceptPage {
    fn cause(&self, reason: &Reason) -> Option<(String, &'static str)> {
        cause(reason, self.da)
    }

    fn day(&self, at: &crate::model::Instant) -> String {
        day(at)
    }

    /// Whether an IRI from outside may be followed by a click: a web address, and nothing that runs.
    fn is_link(&self, iri: &str) -> bool {
        iri.starts_with("https://") || iri.starts_with("http://")
    }

    fn term_status(&self, status: &TermStatus) -> &'static str {
        term_status(*status, self.da)
    }

    fn kinds(&self, change: &ComingChange) -> String {
        told_kinds(&change.kinds, change.meaning, tongue(self.da)).join(", ")
    }

    /// How the concept is called before and after a change, where that differs.
    fn called(&self, change: &ComingChange) -> Option<(String, String)> {
        let (before, after) = (change.before.as_ref()?, change.after.as_ref()?);
        let name = |side: &Side| {
            let code = side.notation.as_deref().unwrap_or_default();
            format!("{code} {}", side.label).trim().to_owned()
        };
        Some((name(before), name(after))).filter(|(before, after)| before != after)
    }

    fn usage_kind(&self, kind: &UsageKind) -> &'static str {
        usage_kind(*kind, self.da)
    }

    fn note_kind(&self, kind: &NoteKind) -> &'static str {
        note_kind(*kind, self.da)
    }

    fn status(&self) -> &'static str {
        status(self.concept.status, self.da)
    }
}

fn term_status(status: TermStatus, da: bool) -> &'static str {
    let words = match status {
        TermStatus::Preferred => ("foretrukken term", "preferred term"),
        TermStatus::Admitted => ("accepteret term", "admitted term"),
        TermStatus::Deprecated => ("frarådet term", "deprecated term"),
        TermStatus::Hidden => ("søgeord", "search word"),
    };
    if da { words.0 } else { words.1 }
}

fn note_kind(kind: NoteKind, da: bool) -> &'static str {
    let words = match kind {
        NoteKind::Scope => ("omfang", "scope"),
        NoteKind::Example => ("eksempel", "example"),
        NoteKind::Application => ("anvendelse", "application"),
        NoteKind::History => ("historik", "history"),
        NoteKind::Editorial => ("redaktionel note", "editorial note"),
        NoteKind::Change => ("ændringsnotat", "change note"),
        NoteKind::General => ("kommentar", "comment"),
    };
    if da { words.0 } else { words.1 }
}

fn status(status: Status, da: bool) -> &'static str {
    let words = match status {
        Status::InForce => ("gældende", "in force"),
        Status::Retired => ("udgået", "retired"),
        Status::Future => ("gælder senere", "not in force yet"),
    };
    if da { words.0 } else { words.1 }
}

fn language(da: bool) -> &'static str {
    if da { "da" } else { "en" }
}

/// What led to an edit: where it is, and what it is.
fn cause(reason: &Reason, da: bool) -> Option<(String, &'static str)> {
    let words = |danish, english| if da { danish } else { english };
    match reason.because? {
        Because::Answer { hearing, answer, .. } => {
            Some((format!("/hearings/{hearing}#answer-{answer}"), words("høringssvar", "answer to a hearing")))
        }
        Because::Request(request) => {
            Some((format!("/change-requests/{request}"), words("ændringsønske", "change request")))
        }
    }
}

fn tongue(da: bool) -> Tongue {
    if da { Tongue::Danish } else { Tongue::English }
}

fn page(template: &impl Template, pinned: bool) -> Result<Reply> {
    let failed = |e: askama::Error| Refusal::new(Code::Internal, e.to_string(), e.to_string());
    Ok(Reply::bytes(template.render().map_err(failed)?, "text/html; charset=utf-8", pinned))
}

/// `/`: the vocabularies; for who takes no pages but JSON, where clients of OIO Klassifikation begin. Whoever takes
/// anything, as curl does, gets the page.
pub async fn index(State(app): State<App>, Caller(headers): Caller, _: Params<Nothing>) -> Result<Response, Failure> {
    if media(&headers, &["text/html", "application/json"]) == Some("application/json") {
        return Ok(([(VARY, "accept")], Redirect::permanent("/site-map")).into_response());
    }
    let template = Index { da: reads_danish(&headers), vocabularies: app.vocabularies() };
    Ok(page(&template, false)?.respond(&headers))
}

fn row(concept: &ConceptAnswer, language: &str, indent: u16) -> Row {
    let notation = concept.said.notation.as_deref().unwrap_or_default().to_owned();
    let key = key(&notation, concept.uuid);
    Row { key, notation, label: concept.said.label(language).to_owned(), indent }
}

/// What names a concept in an address. A code with a slash is not a path segment; the uuid always is.
fn key(notation: &str, uuid: Uuid) -> String {
    let plain = !notation.is_empty() && !matches!(notation, "." | "..") && !notation.contains(['/', '%', '?', '#']);
    if plain { notation.to_owned() } else { uuid.to_string() }
}

/// The page of a vocabulary or one of its versions.
pub fn vocabulary(app: &Registry, view: &View, da: bool) -> Result<Reply> {
    let (vocabulary, language) = (view.vocabulary(), language(da));
    let page_of = app.concepts(view, &Default::default(), ROWS, None, language)?;
    let tops: Vec<Row> =
        page_of.concepts.iter().map(|c| row(c, language, c.level.unwrap_or(1).saturating_sub(1).min(12))).collect();
    let template = VocabularyPage {
        da,
        slug: vocabulary.slug().to_string(),
        title: vocabulary.title(language).to_owned(),
        description: crate::model::Text::choose(&vocabulary.fields().descriptions, language)
            .unwrap_or_default()
            .to_owned(),
        fields: vocabulary.fields().clone(),
        deleted: vocabulary.is_deleted(),
        version: view.version.as_ref().map(|v| v.label.to_string()),
        pinned: view.pinned,
        count: page_of.total,
        shown: tops.len(),
        versions: app.versions(vocabulary.slug().as_str())?,
        certifications: match view.version.as_ref().filter(|_| view.pinned) {
            Some(version) => app.certifications(vocabulary.slug().as_str(), version.label.as_str())?,
            None => Vec::new(),
        },
        tops,
    };
    // The list of versions on the page grows, so the page itself is never pinned.
    page(&template, false)
}

/// The page of a concept.
pub fn concept(app: &Registry, view: &View, key: &str, da: bool) -> Result<Reply> {
    let language = language(da);
    let concept = app.concept(view, key, language)?;
    let content = concept.said.content();
    let rows = |which, limit| -> Result<(Vec<Row>, usize)> {
        if concept.status != Status::InForce {
            return Ok((Vec::new(), 0));
        }
        let found = app.relatives(view, &concept.uuid.to_string(), which, limit, None, language)?;
        Ok((found.concepts.iter().map(|c| row(c, language, 0)).collect(), found.total))
    };
    let (mut path, _) = rows(Relatives::Ancestors, ROWS)?;
    path.reverse();
    let (children, total) = rows(Relatives::Children, ROWS)?;
    let mut related = Vec::new();
    for relation in &content.fields().relations {
        let words = match relation.kind {
            RelationKind::Generic | RelationKind::Partitive => continue,
            RelationKind::Associative => ("knyttet til", "associated with"),
            RelationKind::SeeAlso => ("se også", "see also"),
            RelationKind::LegalCombination => ("kan kombineres med", "may be combined with"),
            RelationKind::Replaces => ("erstatter", "replaces"),
        };
        let anywhen = app.view(view.vocabulary().slug().as_str(), &At::default())?;
        if let Ok(other) = app.concept(&anywhen, &relation.target.to_string(), language) {
            related.push(((if da { words.0 } else { words.1 }).to_owned(), row(&other, language, 0)));
        }
    }
    let template = ConceptPage {
        da,
        slug: view.vocabulary().slug().to_string(),
        vocabulary: view.vocabulary().title(language).to_owned(),
        label: concept.said.label(language).to_owned(),
        content: content.into_fields(),
        path,
        more_children: total.saturating_sub(children.len()),
        children,
        related,
        ahead: if view.pinned { Vec::new() } else { app.ahead(view, concept.uuid, language) },
        usages: app.concept_usages(&Actor::Public, view, &concept.uuid.to_string())?,
        history: app.history(view.vocabulary().slug().as_str(), &concept.uuid.to_string(), &At::default(), false)?,
        pinned: view.version.as_ref().filter(|_| view.pinned).map(|v| v.label.to_string()),
        concept,
    };
    // The history on the page grows, so the page itself is never pinned.
    page(&template, false)
}
