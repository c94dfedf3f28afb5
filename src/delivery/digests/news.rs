//! What happened for one subscription, gathered: counted, grouped by vocabulary, version and day, and only so much of it
//! kept as a letter can hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{ConceptChangeKind, Event, EventType, Instant, Label, Slug};

/// How many concepts of a group are named, and of a letter.
const MOST_NAMED: usize = 50;
const MOST_IN_ALL: usize = 200;
/// How many groups, hearings and vocabularies a letter tells of.
const MOST_GROUPS: usize = 100;

/// Whether it was decided, or has come into force.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Stage {
    /// It is in force from a day that has come.
    Effective,
    /// It was said, for a day to come or one that has been.
    Decided,
}

/// What is told together.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Key {
    pub stage: Stage,
    pub from: Instant,
    pub vocabulary: Slug,
    pub version: Option<Label>,
}

/// What happened to the concepts of a group.
#[derive(Default)]
pub(super) struct Group {
    /// How many concepts by what matters most of what happened to each.
    pub kinds: BTreeMap<ConceptChangeKind, usize>,
    /// Those that ask most of whoever uses them, and of these the first by their codes.
    named: BTreeMap<Standing, Arc<Event>>,
}

/// Where a concept stands in a letter: by how much must be done about it, its code, and its place in the log.
type Standing = (u8, String, i64);

fn standing(event: &Event) -> Standing {
    let concept = event.concept.as_ref();
    let urgency = concept.and_then(|c| c.kinds.iter().map(|kind| urgency(*kind)).min()).unwrap_or(u8::MAX);
    let side = concept.and_then(|c| c.before.as_ref().or(c.after.as_ref()));
    (urgency, side.and_then(|s| s.notation.as_deref()).unwrap_or_default().to_owned(), event.position)
}

/// What must be told before the rest: what can no longer be used comes first.
fn urgency(kind: ConceptChangeKind) -> u8 {
    match kind {
        ConceptChangeKind::Retired
        | ConceptChangeKind::Split
        | ConceptChangeKind::Merged
        | ConceptChangeKind::Replaced => 0,
        ConceptChangeKind::Recoded => 1,
        ConceptChangeKind::Redefined => 2,
        ConceptChangeKind::Renamed => 3,
        ConceptChangeKind::Moved => 4,
        ConceptChangeKind::Added => 5,
        _ => 6,
    }
}

impl Group {
    /// The concepts that are named, those that ask most first.
    pub(super) fn named(&self) -> impl Iterator<Item = &Arc<Event>> {
        self.named.values()
    }

    /// How many concepts there are.
    pub(super) fn count(&self) -> usize {
        self.kinds.values().sum()
    }
}

/// What happened.
#[derive(Default)]
pub(super) struct News {
    groups: BTreeMap<Key, Group>,
    hearings: Vec<Arc<Event>>,
    frames: BTreeMap<Slug, Arc<Event>>,
    /// How many events were of groups or hearings beyond what a letter tells of.
    beyond: usize,
    named: usize,
    last: Option<i64>,
}

impl News {
    /// Takes an event in, in the order of the log.
    pub(super) fn add(&mut self, event: &Arc<Event>) {
        let is_news = match event.r#type {
            EventType::ConceptStated | EventType::ConceptRetired | EventType::ConceptPassivated => {
                self.add_to_group(event, Stage::Decided)
            }
            EventType::ConceptEffective => self.add_to_group(event, Stage::Effective),
            EventType::VersionPublished => self.group(event, Stage::Decided).is_some(),
            // The day of a version of which no concept is asked for is told by the day alone.
            EventType::EditionEffective => self.group(event, Stage::Effective).is_some(),
            EventType::HearingOpened | EventType::HearingClosed => {
                if self.hearings.len() < MOST_GROUPS {
                    self.hearings.push(event.clone());
                } else {
                    self.beyond += 1;
                }
                true
            }
            EventType::VocabularyCreated | EventType::VocabularyChanged => {
                if self.frames.len() < MOST_GROUPS {
                    self.frames.entry(event.vocabulary.clone()).or_insert_with(|| event.clone());
                }
                true
            }
        };
        if is_news || self.beyond > 0 {
            self.last = Some(event.position);
        }
    }

    /// The position of the last event that is told; none when there is nothing to tell.
    pub(super) fn last(&self) -> Option<i64> {
        self.last
    }

    /// The groups: what has come into force first, then what is to come, the soonest first, then the rest.
    pub(super) fn groups(&self, today: Instant) -> Vec<(&Key, &Group)> {
        let told_twice = |key: &Key| {
            let come = Key { stage: Stage::Effective, ..key.clone() };
            key.stage == Stage::Decided && self.groups.contains_key(&come)
        };
        let mut groups: Vec<_> = self.groups.iter().filter(|(key, _)| !told_twice(key)).collect();
        let rank = |key: &Key| match key.stage {
            Stage::Effective => 0,
            Stage::Decided if key.from > today => 1,
            Stage::Decided => 2,
        };
        groups.sort_by_key(|(key, _)| (rank(key), key.from));
        groups
    }

    /// Hearings that opened or closed.
    pub(super) fn hearings(&self) -> &[Arc<Event>] {
        &self.hearings
    }

    /// Vocabularies that were made or are described otherwise.
    pub(super) fn frames(&self) -> impl Iterator<Item = &Arc<Event>> {
        self.frames.values()
    }

    /// How much is not told for want of space.
    pub(super) fn beyond(&self) -> usize {
        self.beyond
    }

    /// The vocabularies that it is about, each once.
    pub(super) fn vocabularies(&self) -> std::collections::BTreeSet<&Slug> {
        let hearings = self.hearings.iter().map(|e| &e.vocabulary);
        self.groups.keys().map(|key| &key.vocabulary).chain(hearings).chain(self.frames.keys()).collect()
    }

    /// Whether it is news: what was said again as it was is none.
    fn add_to_group(&mut self, event: &Arc<Event>, stage: Stage) -> bool {
        let Some(kind) = event.concept.as_ref().and_then(|c| c.kinds.first()).copied() else { return false };
        let room = self.named < MOST_IN_ALL;
        let Some(group) = self.group(event, stage) else { return true };
        *group.kinds.entry(kind).or_default() += 1;
        let room = room && group.named.len() < MOST_NAMED;
        group.named.insert(standing(event), event.clone());
        // Where there is no room for one more, what asks least is only counted.
        if room {
            self.named += 1;
        } else {
            group.named.pop_last();
        }
        true
    }

    fn group(&mut self, event: &Event, stage: Stage) -> Option<&mut Group> {
        let key = Key {
            stage,
            from: event.valid_from.unwrap_or(Instant::BEGINNING),
            vocabulary: event.vocabulary.clone(),
            version: event.version.clone(),
        };
        if !self.groups.contains_key(&key) && self.groups.len() >= MOST_GROUPS {
            self.beyond += 1;
            return None;
        }
        Some(self.groups.entry(key).or_default())
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::ConceptChange;

    fn event(position: i64, r#type: EventType, from: i64, kinds: &[ConceptChangeKind]) -> Arc<Event> {
        let concept = ConceptChange {
            uuid: Uuid::from_u128(7),
            kinds: kinds.to_vec(),
            meaning: None,
            before: None,
            after: None,
            replaced_by: Vec::new(),
            fields: Vec::new(),
        };
        Arc::new(Event {
            position,
            at: Instant::from_micros(0),
            r#type,
            vocabulary: "fsiii".parse().unwrap(),
            subject: Uuid::from_u128(7),
            version: None,
            valid_from: Some(Instant::from_micros(from)),
            valid_to: None,
            deleted: false,
            ends_transaction: false,
            concept: Some(concept),
            hearing: None,
        })
    }

    #[test]
    fn what_was_said_again_is_no_news() {
        let mut news = News::default();
        news.add(&event(1, EventType::ConceptStated, 0, &[]));
        assert_eq!((news.last(), news.groups(Instant::from_micros(0)).len()), (None, 0));
    }

    #[test]
    fn what_comes_into_force_is_told_before_what_is_to_come_and_once() {
        let mut news = News::default();
        for (position, r#type, from) in [
            (1, EventType::ConceptStated, 5),
            (2, EventType::ConceptStated, 30),
            (3, EventType::ConceptStated, 20),
            (4, EventType::ConceptStated, 10),
            (5, EventType::ConceptEffective, 10),
        ] {
            news.add(&event(position, r#type, from, &[ConceptChangeKind::Renamed]));
        }
        let groups = news.groups(Instant::from_micros(12));
        let told: Vec<_> = groups.iter().map(|(key, _)| (key.stage, key.from.micros())).collect();
        assert_eq!(told, [(Stage::Effective, 10), (Stage::Decided, 20), (Stage::Decided, 30), (Stage::Decided, 5)]);
        assert_eq!(news.last(), Some(5));
    }

    #[test]
    fn what_can_no_longer_be_used_is_named_before_the_rest() {
        let mut news = News::default();
        for n in 0..200 {
            news.add(&event(n, EventType::ConceptStated, 0, &[ConceptChangeKind::Edited]));
        }
        news.add(&event(200, EventType::ConceptStated, 0, &[ConceptChangeKind::Moved, ConceptChangeKind::Renamed]));
        news.add(&event(201, EventType::ConceptRetired, 0, &[ConceptChangeKind::Replaced]));
        let groups = news.groups(Instant::from_micros(0));
        let told: Vec<i64> = groups[0].1.named().map(|e| e.position).collect();
        assert_eq!((&told[..3], told.len(), groups[0].1.count()), (&[201, 200, 0][..], MOST_NAMED, 202));
    }

    #[test]
    fn of_very_much_only_so_much_is_kept_and_all_is_counted() {
        let mut news = News::default();
        for n in 0..10_000 {
            news.add(&event(n, EventType::ConceptStated, n % 7, &[ConceptChangeKind::Edited]));
        }
        let groups = news.groups(Instant::from_micros(0));
        assert_eq!(groups.iter().map(|(_, g)| g.count()).sum::<usize>(), 10_000);
        assert!(groups.iter().all(|(_, g)| g.named().count() <= MOST_NAMED));
        assert_eq!(groups.iter().map(|(_, g)| g.named().count()).sum::<usize>(), MOST_IN_ALL);
        for n in 10_000..20_000 {
            news.add(&event(n, EventType::ConceptStated, n, &[ConceptChangeKind::Edited]));
        }
        assert_eq!((news.groups(Instant::from_micros(0)).len(), news.last()), (MOST_GROUPS, Some(19_999)));
        assert!(news.beyond() > 9_000);
    }
}
