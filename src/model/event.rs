//! What the registry tells the world: one event for each row of the change log that is public, typed as in
//! [`diff`](super::diff()). Feeds, webhooks, messages and digests carry nothing else.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::diff::{ConceptChange, ConceptChangeKind};
use super::identifier::{Label, Slug};
use super::time::Instant;

/// What an event is about. The names are those of the change log.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
pub enum EventType {
    /// A vocabulary was created.
    #[serde(rename = "vocabulary.created")]
    VocabularyCreated,
    /// The frame of a vocabulary was changed.
    #[serde(rename = "vocabulary.changed")]
    VocabularyChanged,
    /// A concept was said to have some content over a period, which may lie ahead.
    #[serde(rename = "concept.stated")]
    ConceptStated,
    /// A concept was said not to be in force over a period, which may lie ahead.
    #[serde(rename = "concept.retired")]
    ConceptRetired,
    /// A concept is no longer kept up, as was said by OIO Klassifikation; what is said of it stays in force.
    #[serde(rename = "concept.passivated")]
    ConceptPassivated,
    /// A version was published; the events of its concepts stand before it, registered at the same instant.
    #[serde(rename = "version.published")]
    VersionPublished,
    /// What was said ahead of a concept is in force from today, or is no longer.
    #[serde(rename = "concept.effective")]
    ConceptEffective,
    /// A day has come from which a vocabulary says otherwise; the events of its concepts stand before it, registered
    /// at the same instant.
    #[serde(rename = "edition.effective")]
    EditionEffective,
    /// A public hearing has opened.
    #[serde(rename = "hearing.opened")]
    HearingOpened,
    /// A public hearing has closed.
    #[serde(rename = "hearing.closed")]
    HearingClosed,
}

impl EventType {
    /// All types.
    pub const ALL: [Self; 10] = [
        Self::VocabularyCreated,
        Self::VocabularyChanged,
        Self::ConceptStated,
        Self::ConceptRetired,
        Self::ConceptPassivated,
        Self::VersionPublished,
        Self::ConceptEffective,
        Self::EditionEffective,
        Self::HearingOpened,
        Self::HearingClosed,
    ];

    /// The type as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VocabularyCreated => "vocabulary.created",
            Self::VocabularyChanged => "vocabulary.changed",
            Self::ConceptStated => "concept.stated",
            Self::ConceptRetired => "concept.retired",
            Self::ConceptPassivated => "concept.passivated",
            Self::VersionPublished => "version.published",
            Self::ConceptEffective => "concept.effective",
            Self::EditionEffective => "edition.effective",
            Self::HearingOpened => "hearing.opened",
            Self::HearingClosed => "hearing.closed",
        }
    }

    /// The type of a row of the change log, if what it tells is public.
    #[must_use]
    pub fn of(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.as_str() == kind)
    }
}

/// A public hearing, as an event names it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct HearingEvent {
    /// The hearing.
    pub uuid: Uuid,
    /// What it is called.
    pub title: String,
    /// The first instant that is too late for an answer.
    #[schema(value_type = String)]
    pub deadline: Instant,
}

/// One public fact of the change log. What it says is read off the states as they were then, so it is the same for ever.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The position in the change log. Positions rise; those that are missing belong to what is not public.
    pub position: i64,
    /// When it was registered (UTC). Events of one transaction share it.
    #[schema(value_type = String)]
    pub at: Instant,
    /// What it is about.
    pub r#type: EventType,
    /// The vocabulary, by its slug.
    #[schema(value_type = String)]
    pub vocabulary: Slug,
    /// The concept, version, vocabulary or draft that it is about.
    pub subject: Uuid,
    /// The version that was published, or that takes effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub version: Option<Label>,
    /// From when what it tells is in force (UTC midnight of a Danish day): compare with `at` to see how long there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub valid_from: Option<Instant>,
    /// Until when, exclusive; absent when it has no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub valid_to: Option<Instant>,
    /// Whether the vocabulary is deleted from then on (by OIO Klassifikation): what it says stays readable.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub deleted: bool,
    /// Whether it is the last event of its transaction: everything that was registered together has been told with it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub ends_transaction: bool,
    /// What happened to the concept, in its types, with what was there before and what is there now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concept: Option<ConceptChange>,
    /// The hearing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hearing: Option<HearingEvent>,
}

impl Event {
    /// Whether it tells of a concept.
    #[must_use]
    pub fn touches(&self, concept: Uuid) -> bool {
        self.concept.as_ref().is_some_and(|c| c.uuid == concept)
    }
}

/// Which events somebody wants. What is empty asks for all.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct EventFilter {
    /// Of these vocabularies, by slug.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub vocabularies: BTreeSet<Slug>,
    /// About these concepts: then events that are about no concept are left out.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub concepts: BTreeSet<Uuid>,
    /// Of these types.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub types: BTreeSet<EventType>,
    /// With one of these kinds of change: then events that are about no concept are left out.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub kinds: BTreeSet<ConceptChangeKind>,
    /// About the concepts of this code set, as it is when the event is told: then events that are about no concept are
    /// left out. Only those who keep the set may ask for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_set: Option<Uuid>,
}

impl EventFilter {
    /// Whether somebody who asks for this wants an event. What is in a code set only the registry knows: nobody wants
    /// anything by a set that was not looked at.
    #[must_use]
    pub fn wants(&self, event: &Event) -> bool {
        self.code_set.is_none() && self.wants_beside_codes(event)
    }

    /// Whether somebody who asks for this wants an event, whatever stands in the code set.
    #[must_use]
    pub fn wants_beside_codes(&self, event: &Event) -> bool {
        let of_concept = |wanted: &dyn Fn(&ConceptChange) -> bool| event.concept.as_ref().is_some_and(wanted);
        (self.vocabularies.is_empty() || self.vocabularies.contains(&event.vocabulary))
            && (self.types.is_empty() || self.types.contains(&event.r#type))
            && (self.concepts.is_empty() || of_concept(&|c| self.concepts.contains(&c.uuid)))
            && (self.kinds.is_empty() || of_concept(&|c| c.kinds.iter().any(|k| self.kinds.contains(k))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_written_as_they_are_read() {
        for kind in EventType::ALL {
            assert_eq!(EventType::of(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!(EventType::of("draft.edited"), None);
    }

    #[test]
    fn a_filter_asks_for_all_that_it_names() {
        let uuid = Uuid::from_u128(7);
        let renamed = ConceptChange {
            uuid,
            kinds: vec![ConceptChangeKind::Renamed],
            meaning: None,
            before: None,
            after: None,
            replaced_by: Vec::new(),
            fields: Vec::new(),
        };
        let event = |concept: Option<ConceptChange>, r#type| Event {
            position: 1,
            at: Instant::from_micros(0),
            r#type,
            vocabulary: "fsiii".parse().unwrap(),
            subject: uuid,
            version: None,
            valid_from: None,
            valid_to: None,
            deleted: false,
            ends_transaction: false,
            concept,
            hearing: None,
        };
        let stated = event(Some(renamed), EventType::ConceptStated);
        let published = event(None, EventType::VersionPublished);
        let cases: [(&str, bool, bool); 10] = [
            (r#"{"codeSet":"00000000-0000-0000-0000-000000000007"}"#, false, false),
            ("{}", true, true),
            (r#"{"vocabularies":["fsiii"]}"#, true, true),
            (r#"{"vocabularies":["ffb"]}"#, false, false),
            (r#"{"types":["version.published"]}"#, false, true),
            (r#"{"concepts":["00000000-0000-0000-0000-000000000007"]}"#, true, false),
            (r#"{"concepts":["00000000-0000-0000-0000-000000000008"]}"#, false, false),
            (r#"{"kinds":["renamed","moved"]}"#, true, false),
            (r#"{"kinds":["moved"]}"#, false, false),
            (r#"{"kinds":["renamed"],"vocabularies":["ffb"]}"#, false, false),
        ];
        for (filter, of_concept, of_version) in cases {
            let parsed: EventFilter = serde_json::from_str(filter).unwrap();
            assert_eq!((parsed.wants(&stated), parsed.wants(&published)), (of_concept, of_version), "{filter}");
        }
    }
}
