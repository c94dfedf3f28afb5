//! The feeds: what is asked of them, and the pages of an event stream.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Registry;
use super::query::unknown_vocabulary;
use crate::exchange::{EventMember, EventPage, Format, OutgoingConcept, event_page};
use crate::model::{Code, ConceptChangeKind, Event, EventFilter, EventType, Place, Point, Refusal, Result, Slug};
use crate::projection::Plane;

/// How many members a page of an event stream has when it is full.
const MEMBERS: usize = 250;

/// Which events a feed is to have: lists with commas between.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FeedFilter {
    /// Of these vocabularies, by their slugs: `fsiii,ffb`.
    #[param(example = "fsiii")]
    pub vocabulary: Option<String>,
    /// About these concepts, by their uuids.
    pub concept: Option<String>,
    /// Of these types: `version.published,concept.retired`.
    pub r#type: Option<String>,
    /// With one of these kinds of change: `renamed,redefined`.
    pub kind: Option<String>,
}

impl FeedFilter {
    /// The filter.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] for a word that is none of those that are allowed, [`Code::UnknownVocabulary`].
    pub fn filter(&self, registry: &Registry) -> Result<EventFilter> {
        let types = EventType::ALL.map(EventType::as_str);
        let kinds = ConceptChangeKind::ALL.map(|kind| serde_json::to_value(kind).unwrap_or_default());
        let kinds: Vec<&str> = kinds.iter().filter_map(serde_json::Value::as_str).collect();
        Ok(EventFilter {
            vocabularies: words(self.vocabulary.as_deref(), |word| {
                let slug: Slug = word.parse().map_err(|r: Refusal| r.at(Place::field("vocabulary")))?;
                registry.plane(slug.as_str()).map(|_| slug)
            })?,
            concepts: words(self.concept.as_deref(), |word| {
                Uuid::try_parse(word).map_err(|_| not_allowed("concept", word, &["a uuid"]))
            })?,
            types: words(self.r#type.as_deref(), |word| {
                EventType::of(word).ok_or_else(|| not_allowed("type", word, &types))
            })?,
            kinds: words(self.kind.as_deref(), |word| {
                let kind = serde_json::from_value::<ConceptChangeKind>(word.into());
                kind.map_err(|_| not_allowed("kind", word, &kinds))
            })?,
            code_set: None,
        })
    }
}

fn words<T: Ord>(list: Option<&str>, read: impl Fn(&str) -> Result<T>) -> Result<std::collections::BTreeSet<T>> {
    list.into_iter().flat_map(|l| l.split(',')).map(str::trim).filter(|w| !w.is_empty()).map(read).collect()
}

fn not_allowed(field: &str, word: &str, allowed: &[&str]) -> Refusal {
    let word: String = word.chars().take(80).collect();
    let (da, en) = (format!("»{word}« kendes ikke her"), format!("'{word}' is not known here"));
    Refusal::new(Code::InvalidParameter, da, en).at(Place::field(field)).allowed(allowed.iter().copied())
}

/// A part of the change log.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeedAnswer {
    /// The events, in the order of the log.
    #[schema(value_type = Vec<Event>)]
    pub events: Vec<std::sync::Arc<Event>>,
    /// Go on from here: `after=` this position.
    pub position: i64,
    /// Whether there is more of the log to read now.
    pub more: bool,
}

/// The page of an event stream, and whether it is full.
#[derive(Debug)]
pub struct StreamPage {
    /// The page.
    pub bytes: Vec<u8>,
    /// Whether it is full: then it never changes.
    pub full: bool,
}

impl Registry {
    /// Refuses a position that the log does not reach: whoever has read further than there is has read another log.
    ///
    /// # Errors
    /// [`Code::InvalidCursor`].
    pub fn within_log(&self, field: &str, position: i64) -> Result<()> {
        let head = self.snapshot().position;
        if (0..=head).contains(&position) {
            return Ok(());
        }
        Err(Refusal::new(
            Code::InvalidCursor,
            format!("loggen går fra 0 til {head}, ikke til {position}"),
            format!("the log goes from 0 to {head}, not to {position}"),
        )
        .at(Place::field(field))
        .allowed([format!("0..{head}")]))
    }

    /// A page of the event stream of a vocabulary: what was said of its concepts after a position.
    ///
    /// # Errors
    /// [`Code::UnknownVocabulary`], [`Code::InvalidCursor`], [`Code::Database`].
    pub async fn stream_page(&self, slug: &str, after: i64, format: Format) -> Result<StreamPage> {
        let plane = self.plane(slug)?;
        self.within_log("after", after)?;
        let filter = EventFilter {
            vocabularies: [plane.vocabulary().slug().clone()].into(),
            types: [EventType::ConceptStated, EventType::ConceptRetired, EventType::VersionPublished].into(),
            ..EventFilter::default()
        };
        let read = self.events(after, MEMBERS, &filter).await?;
        let full = read.position < read.head;
        let stream = format!("{}/ldes/{slug}", self.settings().public_url);
        let [root, page, next] = [0, after, read.position].map(|position| format!("{stream}?after={position}"));
        // What was read a moment ago may need states of now.
        let plane = self.snapshot().by_slug(slug).cloned().ok_or_else(|| unknown_vocabulary(slug))?;
        let members = read.events.iter().map(|event| EventMember {
            event,
            vocabulary: plane.vocabulary_at(event.at),
            concept: said(&plane, event),
        });
        let next = full.then_some(next.as_str());
        let page = EventPage { stream: &stream, root: &root, page: &page, next, members: members.collect() };
        let mut bytes = Vec::new();
        event_page(format, &page, &mut bytes)
            .map_err(|e| Refusal::new(Code::Internal, e.to_string(), e.to_string()))?;
        Ok(StreamPage { bytes, full })
    }
}

/// What an event said of a concept.
fn said(plane: &Plane, event: &Event) -> Option<OutgoingConcept> {
    if event.r#type != EventType::ConceptStated {
        return None;
    }
    let valid = event.valid_from.unwrap_or(crate::model::Instant::BEGINNING);
    let at = Point { valid, registered: event.at };
    let saying = plane.sayings(event.subject).iter().find(|s| s.state.covers(at))?;
    Some(OutgoingConcept {
        uuid: event.subject,
        content: std::sync::Arc::new(saying.state.content().content()),
        valid: saying.state.valid(),
        registered: event.at,
        is_top: saying.state.content().parents.is_empty(),
        children: Vec::new(),
    })
}
