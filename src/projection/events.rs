//! What the rows of the change log tell the world, read off the planes.
//!
//! A row names a concept and a period; what happened to the concept is the difference between the two readings on
//! either side of the row. Everything that is read is registered, so an event is the same whenever it is made.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use uuid::Uuid;

use super::{Plane, Said, Snapshot};
use crate::model::{
    Change, ConceptChange, ConceptChangeKind, Content, Event, EventType, HearingEvent, Instant, Label, Point, diff,
    today_in_denmark,
};
use crate::workflow::{Audience, Draft, Hearing};

/// What the body of a row says, of what matters here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    from: Option<Instant>,
    to: Option<Instant>,
    label: Option<Label>,
    effective: Option<Instant>,
}

/// The events of the first `count` of some rows that follow on each other; those after them only tell where a
/// transaction ends. The snapshot must have passed the rows.
#[must_use]
pub fn events(snapshot: &Snapshot, rows: &[Change], count: usize) -> Vec<Event> {
    let is_public = |row: &Change| EventType::of(&row.kind).is_some();
    let told = |(i, row): (usize, &Change)| {
        let mut event = event(snapshot, row)?;
        event.ends_transaction = !rows[i + 1..].iter().take_while(|next| next.at == row.at).any(is_public);
        Some(event)
    };
    rows.iter().take(count).enumerate().filter_map(told).collect()
}

/// The event of a row; nothing when what it tells is not public.
fn event(snapshot: &Snapshot, change: &Change) -> Option<Event> {
    let r#type = EventType::of(&change.kind)?;
    let plane = snapshot.by_uuid(change.vocabulary)?;
    let body: Body = serde_json::from_str(&change.body).unwrap_or_default();
    let mut event = Event {
        position: change.seq,
        at: change.at,
        r#type,
        vocabulary: plane.vocabulary().slug().clone(),
        subject: change.subject,
        version: None,
        valid_from: body.from.or(body.effective).filter(|i| i.is_finite()),
        valid_to: body.to.filter(|i| i.is_finite()),
        deleted: false,
        ends_transaction: false,
        concept: None,
        hearing: None,
    };
    match r#type {
        EventType::VocabularyCreated => {}
        EventType::VocabularyChanged => {
            event.deleted = plane.told().frame_at(change.at).is_some_and(|frame| frame.is_deleted());
        }
        EventType::ConceptStated | EventType::ConceptRetired => {
            let valid = body.from.unwrap_or(Instant::BEGINNING);
            let before = Point { valid, registered: just_before(change.at) };
            event.concept = Some(told(plane, before, Point { valid, registered: change.at }, change.subject)?);
            event.version = plane.versions().iter().find(|v| v.registered == change.at).map(|v| v.label.clone());
        }
        EventType::ConceptPassivated => {
            let day = Instant::from_date(today_in_denmark(change.at));
            event.concept = Some(passivated(plane, Point { valid: day, registered: change.at }, change.subject)?);
            event.valid_from = Some(day);
        }
        EventType::ConceptEffective => {
            let edge = body.from?;
            let before = Point { valid: just_before(edge), registered: change.at };
            event.concept = Some(told(plane, before, Point { valid: edge, registered: change.at }, change.subject)?);
            event.version = effective(plane, edge, change.at);
        }
        EventType::EditionEffective => event.version = effective(plane, body.from?, change.at),
        EventType::VersionPublished => event.version = body.label,
        EventType::HearingOpened | EventType::HearingClosed => {
            event.hearing = Some(hearing(snapshot, change, r#type == EventType::HearingOpened)?);
        }
    }
    Some(event)
}

/// What happened to a concept between two readings. One that reads the same on both sides was said again: it has no
/// kinds.
fn told(plane: &Plane, before: Point, after: Point, concept: Uuid) -> Option<ConceptChange> {
    // What took over is told beside what went: those who replace it, with their own before and after.
    let content = |uuid, at| plane.says(uuid, at).map(|s| s.content());
    let contents: Vec<(Uuid, Option<Content>, Option<Content>)> = std::iter::once(concept)
        .chain(plane.ever_replaced_by(concept))
        .map(|uuid| (uuid, content(uuid, before), content(uuid, after)))
        .collect();
    let pairs: Vec<_> = contents.iter().map(|(uuid, b, a)| (*uuid, b.as_ref(), a.as_ref())).collect();
    let found = diff(&pairs).into_iter().find(|change| change.uuid == concept);
    found.map(|change| change.meaning(|| plane.meaning(concept, before, after))).or_else(|| {
        let content = contents.first()?.2.as_ref()?;
        let mut same = diff(&[(concept, None, Some(content))]).pop()?;
        same.before = same.after.clone();
        same.kinds.clear();
        Some(same)
    })
}

/// A concept that is no longer kept up, as it is called then: nothing when it is not published.
fn passivated(plane: &Plane, at: Point, concept: Uuid) -> Option<ConceptChange> {
    let content = plane.nearest(concept, at)?.state.content().content();
    let mut change = diff(&[(concept, None, Some(&content))]).pop()?;
    change.before = change.after.clone();
    change.kinds = vec![ConceptChangeKind::Passivated];
    Some(change)
}

/// The version that takes effect on a day, as it was known then.
fn effective(plane: &Plane, edge: Instant, registered: Instant) -> Option<Label> {
    let known = plane.versions().iter().filter(|v| v.effective == edge && v.registered <= registered);
    known.max_by_key(|v| v.registered).map(|v| v.label.clone())
}

/// The public hearing that a row tells of.
fn hearing(snapshot: &Snapshot, change: &Change, opened: bool) -> Option<HearingEvent> {
    let draft = snapshot.matters.get::<Draft>(change.subject)?;
    let told = |h: &&Hearing| {
        let stamp = if opened { &h.told_opened } else { &h.told_closed };
        h.plan.audience == Audience::Public && stamp.as_ref().is_some_and(|s| s.at == change.at)
    };
    let hearing = draft.hearings().iter().find(told)?;
    Some(HearingEvent { uuid: hearing.uuid, title: hearing.plan.title.to_string(), deadline: hearing.plan.deadline })
}

fn just_before(at: Instant) -> Instant {
    Instant::from_micros(at.micros().saturating_sub(1))
}

impl Plane {
    /// What happened to a concept on a day, as known now: the difference between the reading before it and the one from
    /// then on. Nothing when both are alike.
    #[must_use]
    pub fn changed_on(&self, concept: Uuid, day: Instant) -> Option<ConceptChange> {
        let known = |valid| Point { valid, registered: Instant::FOREVER };
        let digest = |valid| self.says(concept, known(valid)).map(|s| s.digest);
        let before = just_before(day);
        (digest(before) != digest(day)).then(|| told(self, known(before), known(day), concept)).flatten()
    }

    /// Whether concepts all went out of force with what an event tells.
    #[must_use]
    pub fn went_with(&self, event: &Event, concepts: &[Uuid]) -> bool {
        let valid = event.valid_from.unwrap_or(Instant::BEGINNING);
        let after = Point { valid, registered: event.at };
        let before = match event.r#type {
            EventType::ConceptEffective => Point { valid: just_before(valid), ..after },
            _ => Point { registered: just_before(event.at), ..after },
        };
        concepts.iter().all(|concept| self.says(*concept, before).is_some() && self.says(*concept, after).is_none())
    }

    /// What is said of a concept at a point.
    #[must_use]
    pub fn says(&self, concept: Uuid, at: Point) -> Option<&Arc<Said>> {
        self.sayings(concept).iter().find(|s| s.state.covers(at)).map(|s| s.state.content())
    }

    /// The days after `after` and up to `until` from which concepts are said to be otherwise, each with those concepts,
    /// as far as it was said ahead: what was said on the day itself or later was told when it was said.
    #[must_use]
    pub fn said_ahead(&self, after: Instant, until: Instant) -> BTreeMap<Instant, Vec<Uuid>> {
        let mut days: BTreeMap<Instant, Vec<Uuid>> = BTreeMap::new();
        for (concept, sayings) in self.concepts() {
            for saying in sayings.iter().filter(|s| s.state.is_current()) {
                let said_on = Instant::from_date(today_in_denmark(saying.state.registered().from()));
                for edge in [saying.state.valid().from(), saying.state.valid().to()] {
                    if edge > after && edge <= until && edge > said_on {
                        let there = days.entry(edge).or_default();
                        if there.last() != Some(&concept) {
                            there.push(concept);
                        }
                    }
                }
            }
        }
        let now = |valid| Point { valid, registered: Instant::FOREVER };
        for (edge, concepts) in &mut days {
            concepts.sort_unstable();
            concepts.dedup();
            let digest = |concept, valid| self.says(concept, now(valid)).map(|s| s.digest);
            concepts.retain(|c| digest(*c, just_before(*edge)) != digest(*c, *edge));
        }
        days.retain(|_, concepts| !concepts.is_empty());
        days
    }
}
