//! The days from which a vocabulary reads otherwise: for whoever keeps a copy and must have what holds tomorrow today.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Registry;
use super::answer::VersionName;
use crate::model::{Digest, Instant, Point, Result, Slug};
use crate::projection::{Edition, Plane};

/// The most days that are told.
const MOST: usize = 32;

/// The days from which a vocabulary reads otherwise, as known at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct DaysAnswer {
    /// The vocabulary.
    #[schema(value_type = String)]
    pub vocabulary: Slug,
    /// The position of the change log that this is of: follow the feed from here.
    pub position: i64,
    /// The instant of that position: read with `date=` and `registered=` this, and it is the same for ever.
    #[schema(value_type = String)]
    pub registered: Instant,
    /// The days, in order; the first is the one whose reading is in force today.
    pub days: Vec<DayAnswer>,
    /// Whether there are more days than these.
    pub more: bool,
}

/// A day from which a vocabulary reads otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct DayAnswer {
    /// The day; read it with `date=`.
    #[schema(value_type = String, example = "2027-01-01")]
    pub from: String,
    /// The version in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionName>,
    /// How many concepts there are.
    pub concepts: usize,
    /// How many concepts are said otherwise than in that version: what was said of them belongs to no version.
    pub beyond: usize,
}

impl Registry {
    /// The days from which a vocabulary reads otherwise, from the one whose reading is in force today on, as known now.
    ///
    /// # Errors
    /// [`crate::model::Code::UnknownVocabulary`].
    pub fn days(&self, slug: &str) -> Result<DaysAnswer> {
        let plane = self.plane(slug)?;
        let snapshot = self.snapshot();
        let plane = snapshot.by_uuid(plane.vocabulary().uuid()).cloned().unwrap_or(plane);
        let today = self.projections.today();
        let mut dates: BTreeSet<Date> = plane.valid_edges().iter().filter_map(|edge| first_day(*edge)).collect();
        dates.extend(today.date());
        let now = dates.iter().copied().rfind(|d| Instant::from_date(*d) <= today && starts(&plane, *d));
        let now = now.or(today.date());
        let mut days = Vec::new();
        let mut before: Option<(Option<Uuid>, Contents)> = None;
        for date in dates.into_iter().filter(|d| Some(*d) >= now) {
            let at = Point { valid: Instant::from_date(date), registered: snapshot.at };
            let edition = self.projections.edition(&plane, at);
            let version = plane.version_at(at);
            let here = (version.map(|v| v.uuid), contents(&edition));
            if before.as_ref() == Some(&here) || (before.is_none() && here.0.is_none() && here.1.is_empty()) {
                continue;
            }
            if days.len() == MOST {
                let position = snapshot.position;
                let vocabulary = plane.vocabulary().slug().clone();
                return Ok(DaysAnswer { vocabulary, position, registered: snapshot.at, days, more: true });
            }
            let said = version.map(|v| contents(&self.projections.edition(&plane, v.point()))).unwrap_or_default();
            days.push(DayAnswer {
                from: date.to_string(),
                version: version.map(|v| VersionName::new(v)),
                concepts: edition.len(),
                beyond: differing(&said, &here.1),
            });
            before = Some(here);
        }
        let (position, vocabulary) = (snapshot.position, plane.vocabulary().slug().clone());
        Ok(DaysAnswer { vocabulary, position, registered: snapshot.at, days, more: false })
    }
}

/// What each concept of an edition says, by concept.
type Contents = Vec<(Uuid, Digest)>;

fn contents(edition: &Arc<Edition>) -> Contents {
    let mut all: Contents = edition.entries().map(|e| (e.uuid(), e.said().digest)).collect();
    all.sort_unstable_by_key(|(uuid, _)| *uuid);
    all
}

/// How many concepts are not the same on both sides.
fn differing(before: &Contents, after: &Contents) -> usize {
    let (mut i, mut j, mut count) = (0, 0, 0);
    while i < before.len() && j < after.len() {
        let (b, a) = (&before[i], &after[j]);
        count += usize::from(b != a);
        i += usize::from(b.0 <= a.0);
        j += usize::from(a.0 <= b.0);
    }
    count + (before.len() - i) + (after.len() - j)
}

/// The first day whose beginning is not before an edge.
fn first_day(edge: Instant) -> Option<Date> {
    let date = edge.date()?;
    if Instant::from_date(date) < edge { date.tomorrow().ok() } else { Some(date) }
}

/// Whether an edge, and not only today, makes a day one.
fn starts(plane: &Plane, date: Date) -> bool {
    let beginning = Instant::from_date(date);
    let at = plane.valid_edges().partition_point(|edge| *edge <= beginning);
    at > 0 && first_day(plane.valid_edges()[at - 1]) == Some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_counted_once() {
        let one = |n: u128, says: &str| (Uuid::from_u128(n), Digest::of(says));
        let before = vec![one(1, "a"), one(2, "b"), one(4, "d")];
        let after = vec![one(1, "a"), one(2, "x"), one(3, "c"), one(5, "e")];
        assert_eq!(differing(&before, &after), 4);
        assert_eq!(differing(&after, &before), 4);
        assert_eq!(differing(&before, &before), 0);
        assert_eq!(differing(&Vec::new(), &after), 4);
    }

    #[test]
    fn a_day_begins_at_midnight() {
        let day = |text: &str| first_day(text.parse().unwrap()).map(|d| d.to_string());
        assert_eq!(day("2027-01-01T00:00:00Z").as_deref(), Some("2027-01-01"));
        assert_eq!(day("2027-01-01T12:00:00Z").as_deref(), Some("2027-01-02"));
        assert_eq!(first_day(Instant::FOREVER), None);
    }
}
