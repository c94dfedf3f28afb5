//! What was said of the meaning of a concept that is redefined between two points.
//!
//! What is said is said of one registration. Between two points there may be several: those that corrected what was
//! said of the earlier day, and those that decided what is said of each later one.

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use super::{Plane, Said};
use crate::model::{Instant, Meaning, Point, redefines};

impl Plane {
    /// Whether a concept means something else at one point than at another, as those said who wrote what lies between.
    /// Nothing when something of it was left unsaid, or when nothing between them is another definition.
    #[must_use]
    pub fn meaning(&self, concept: Uuid, one: Point, other: Point) -> Option<Meaning> {
        // Most concepts have nothing said of them, and then nothing has to be read.
        if !self.told().speaks_of(concept) {
            return None;
        }
        let (from, to) = if one.valid <= other.valid { (one, other) } else { (other, one) };
        let (first, last) = (from.registered.min(to.registered), from.registered.max(to.registered));
        let mut steps = Vec::new();
        for at in self.instants(concept).into_iter().filter(|at| *at > first && *at <= last) {
            let corrected = |registered| self.says(concept, Point { valid: from.valid, registered });
            if differ(corrected(before(at)), corrected(at)) {
                steps.push(self.told().meaning(concept, at));
            }
        }
        let days: BTreeSet<Instant> = self.sayings(concept).iter().map(|s| s.state.valid().from()).collect();
        for day in days.into_iter().filter(|day| *day > from.valid && *day <= to.valid) {
            steps.extend(self.said_of_day(concept, day, to.registered));
        }
        Meaning::of_all(steps)
    }

    /// What was said of each registration that made a concept read another definition from a day on than on its eve, as
    /// known at an instant.
    fn said_of_day(&self, concept: Uuid, day: Instant, known: Instant) -> Vec<Option<Meaning>> {
        let both = |registered| {
            let says = |valid| self.says(concept, Point { valid, registered });
            (says(before(day)), says(day))
        };
        let (eve, then) = both(known);
        if !differ(eve, then) {
            return Vec::new();
        }
        let mut steps = Vec::new();
        for at in self.instants(concept).into_iter().filter(|at| *at <= known) {
            let ((eve, then), (old_eve, old_then)) = (both(at), both(before(at)));
            if !differ(eve, then) {
                // The day made no difference by then: what was said before is not said of it.
                steps.clear();
            } else if !same(eve, old_eve) || !same(then, old_then) {
                steps.push(self.told().meaning(concept, at));
            }
        }
        steps
    }

    /// When anything was registered of a concept, in order.
    fn instants(&self, concept: Uuid) -> BTreeSet<Instant> {
        self.sayings(concept).iter().map(|s| s.state.registered().from()).collect()
    }
}

fn before(at: Instant) -> Instant {
    Instant::from_micros(at.micros().saturating_sub(1))
}

/// Whether two readings are of different definitions; what is not there has none.
fn differ(one: Option<&Arc<Said>>, other: Option<&Arc<Said>>) -> bool {
    let Some((one, other)) = one.zip(other).filter(|(one, other)| one.digest != other.digest) else { return false };
    redefines(Some(&one.content()), Some(&other.content()))
}

/// Whether two readings are of the same definitions, or neither is there.
fn same(one: Option<&Arc<Said>>, other: Option<&Arc<Said>>) -> bool {
    one.is_some() == other.is_some() && !differ(one, other)
}
