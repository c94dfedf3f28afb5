//! What the registry said about a concept: rectangles in the plane of the two times.
//!
//! A state is `[registered.from, registered.to) × [valid.from, valid.to) → content`. The states of one
//! concept never overlap. A state is opened, later perhaps closed, and never otherwise changed; history,
//! versions and reads as of any point are reads of these rectangles.

use super::refusal::{Code, Refusal, Result};
use super::time::{Instant, Period, Point};

/// One rectangle with what it says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State<C> {
    registered: Period,
    valid: Period,
    content: C,
}

impl<C> State<C> {
    /// A state as it was stored.
    pub fn new(registered: Period, valid: Period, content: C) -> Self {
        Self { registered, valid, content }
    }

    /// When the registry said so; open while it still does.
    pub fn registered(&self) -> Period {
        self.registered
    }

    /// When it holds.
    pub fn valid(&self) -> Period {
        self.valid
    }

    /// What it says.
    pub fn content(&self) -> &C {
        &self.content
    }

    /// Whether the registry still says so.
    pub fn is_current(&self) -> bool {
        self.registered.is_open()
    }

    /// Whether the state says something at a point.
    pub fn covers(&self, at: Point) -> bool {
        self.valid.contains(at.valid)
            && (self.registered.contains(at.registered)
                || at.registered == Instant::FOREVER && self.registered.is_open())
    }

    /// The same state, no longer said from `at` on.
    ///
    /// # Errors
    /// [`Code::Immutable`] when it is closed already, or `at` is not after its opening.
    pub fn close(self, at: Instant) -> Result<Self> {
        match self.registered.before(at) {
            Some(registered) if self.is_current() && at > self.registered.from() => Ok(Self { registered, ..self }),
            _ => Err(Refusal::new(
                Code::Immutable,
                format!("tilstanden fra {} kan ikke lukkes {at}", self.registered.from()),
                format!("the state of {} cannot be closed at {at}", self.registered.from()),
            )),
        }
    }
}

/// What one act did to a timeline: the positions that it closed and what it opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revision<C> {
    /// Positions in the timeline, before the act, of the states that were closed.
    pub closed: Vec<usize>,
    /// The states that were opened, all registered from the act on.
    pub opened: Vec<State<C>>,
}

impl<C> Revision<C> {
    /// Whether nothing was changed.
    pub fn is_empty(&self) -> bool {
        self.closed.is_empty() && self.opened.is_empty()
    }
}

/// The states of one concept: rectangles that never overlap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timeline<C> {
    states: Vec<State<C>>,
}

impl<C> Default for Timeline<C> {
    fn default() -> Self {
        Self { states: Vec::new() }
    }
}

impl<C: Clone + PartialEq> Timeline<C> {
    /// A timeline as it was stored.
    ///
    /// # Errors
    /// [`Code::Corrupt`] when two states overlap.
    pub fn from_states(states: Vec<State<C>>) -> Result<Self> {
        for (i, a) in states.iter().enumerate() {
            if states[..i].iter().any(|b| a.registered.overlaps(b.registered) && a.valid.overlaps(b.valid)) {
                return Err(Refusal::new(
                    Code::Corrupt,
                    format!("to tilstande overlapper: {:?} × {:?}", a.registered, a.valid),
                    format!("two states overlap: {:?} × {:?}", a.registered, a.valid),
                ));
            }
        }
        Ok(Self { states })
    }

    /// The states, in the order in which they were opened.
    pub fn states(&self) -> &[State<C>] {
        &self.states
    }

    /// What the registry says at a point.
    pub fn at(&self, at: Point) -> Option<&State<C>> {
        self.states.iter().find(|s| s.covers(at))
    }

    /// From the registration instant `at` on, the registry says that over `valid` the content is `content`,
    /// or, with `None`, that the concept is not in force. What was said of other times stays; what was said
    /// before stays readable. Where the registry says so already, nothing is written.
    ///
    /// # Errors
    /// [`Code::Immutable`] when `at` is not after everything that was registered before.
    pub fn register(&mut self, at: Instant, valid: Period, content: Option<C>) -> Result<Revision<C>> {
        self.register_all(at, &[(valid, content)])
    }

    /// The same of several periods in one act; what is said of each is another matter.
    ///
    /// # Errors
    /// As [`Timeline::plan_all`].
    pub fn register_all(&mut self, at: Instant, parts: &[(Period, Option<C>)]) -> Result<Revision<C>> {
        let revision = self.plan_all(at, parts)?;
        for &i in &revision.closed {
            self.states[i] = self.states[i].clone().close(at)?;
        }
        self.states.extend(revision.opened.iter().cloned());
        Ok(revision)
    }

    /// What [`Timeline::register`] would do.
    ///
    /// # Errors
    /// As there.
    pub fn plan(&self, at: Instant, valid: Period, content: Option<C>) -> Result<Revision<C>> {
        self.plan_all(at, &[(valid, content)])
    }

    /// What [`Timeline::register_all`] would do.
    ///
    /// # Errors
    /// [`Code::Immutable`] when `at` is not after everything that was registered before; [`Code::Unlawful`] when two
    /// of the periods overlap.
    pub fn plan_all(&self, at: Instant, parts: &[(Period, Option<C>)]) -> Result<Revision<C>> {
        let last = self.states.iter().map(|s| s.registered.from()).max();
        if last.is_some_and(|last| at <= last) || !at.is_finite() {
            return Err(Refusal::new(
                Code::Immutable,
                format!("registreringen {at} er ikke senere end den forrige"),
                format!("the registration {at} is not later than the one before"),
            ));
        }
        let mut periods: Vec<Period> = parts.iter().map(|(period, _)| *period).collect();
        periods.sort_unstable();
        if periods.windows(2).any(|w| w[0].overlaps(w[1])) {
            let (da, en) = ("to perioder af en handling overlapper", "two periods of one act overlap");
            return Err(Refusal::new(Code::Unlawful, da, en));
        }
        let registered = Period::since(at)?;
        let current = || self.states.iter().enumerate().filter(|(_, s)| s.is_current());
        let mut revision = Revision { closed: Vec::new(), opened: Vec::new() };
        for (i, s) in current() {
            // What this state says otherwise than the act does, it no longer says; the rest it goes on saying.
            let otherwise = |(valid, content): &&(Period, Option<C>)| {
                valid.overlaps(s.valid) && content.as_ref() != Some(&s.content)
            };
            let cut: Vec<Period> = parts.iter().filter(otherwise).map(|(valid, _)| *valid).collect();
            if cut.is_empty() {
                continue;
            }
            revision.closed.push(i);
            let rest = without(s.valid, cut).into_iter().map(|v| State::new(registered, v, s.content.clone()));
            revision.opened.extend(rest);
        }
        let mut missing: Vec<(Period, &C)> = Vec::new();
        for (valid, content) in parts {
            let Some(content) = content else { continue };
            let said = current().filter(|(_, s)| s.content == *content).map(|(_, s)| s.valid);
            missing.extend(without(*valid, said.collect()).into_iter().map(|period| (period, content)));
        }
        missing.sort_by_key(|(period, _)| *period);
        revision.opened.extend(missing.into_iter().map(|(v, content)| State::new(registered, v, content.clone())));
        Ok(revision)
    }
}

/// A period without others: what is left of it, in order.
fn without(whole: Period, others: Vec<Period>) -> Vec<Period> {
    others.into_iter().fold(vec![whole], |left, other| {
        left.into_iter().flat_map(|p| [p.before(other.from()), p.after(other.to())]).flatten().collect()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn t(n: i64) -> Instant {
        Instant::from_micros(n)
    }

    fn p(from: i64, to: i64) -> Period {
        Period::new(t(from), if to == 20 { Instant::FOREVER } else { t(to) }).unwrap()
    }

    #[test]
    fn a_state_closes_once_and_only_after_its_opening() {
        let state = State::new(Period::since(t(5)).unwrap(), p(0, 20), 'a');
        assert_eq!(state.clone().close(t(5)).unwrap_err().code, Code::Immutable);
        let closed = state.close(t(6)).unwrap();
        assert!(!closed.is_current());
        assert_eq!(closed.close(t(7)).unwrap_err().code, Code::Immutable);
    }

    #[test]
    fn a_class_is_renamed_from_a_date() {
        let mut line = Timeline::default();
        line.register(t(1), p(0, 20), Some('A')).unwrap();
        let revision = line.register(t(2), p(10, 20), Some('B')).unwrap();
        assert_eq!(revision.closed, [0]);
        let opened: Vec<_> = revision.opened.iter().map(|s| (s.valid, s.content)).collect();
        assert_eq!(opened, [(p(0, 10), 'A'), (p(10, 20), 'B')]);
        assert!(line.register(t(3), p(12, 20), Some('B')).unwrap().is_empty(), "it says so already");
        assert_eq!(line.register(t(2), p(0, 20), None).unwrap_err().code, Code::Immutable);
    }

    proptest! {
        /// Several periods in one act are what they would be one after the other.
        #[test]
        fn one_act_over_several_periods(
            acts in prop::collection::vec(prop::collection::vec((0i64..19, 1i64..6, 0u8..3), 1..5), 1..8)
        ) {
            let mut line = Timeline::default();
            let mut cells: BTreeMap<i64, u8> = BTreeMap::new();
            for (n, act) in acts.iter().enumerate() {
                let mut parts: Vec<(Period, Option<u8>)> = Vec::new();
                for &(from, length, what) in act {
                    let (to, content) = ((from + length).min(20), (what > 0).then_some(what));
                    if parts.iter().any(|(period, _)| period.overlaps(p(from, to))) {
                        continue;
                    }
                    parts.push((p(from, to), content));
                    for day in from..to {
                        match content {
                            Some(c) => { cells.insert(day, c); }
                            None => { cells.remove(&day); }
                        }
                    }
                }
                line.register_all(t(n as i64 + 1), &parts).unwrap();
                for day in 0..20 {
                    let at = Point { valid: t(day), registered: Instant::FOREVER };
                    prop_assert_eq!(line.at(at).map(|s| s.content), cells.get(&day).copied());
                }
                prop_assert!(Timeline::from_states(line.states().to_vec()).is_ok(), "no two overlap");
            }
            let twice = [(p(0, 5), Some(1)), (p(4, 6), None)];
            prop_assert_eq!(line.register_all(t(99), &twice).unwrap_err().code, Code::Unlawful);
        }
    }

    proptest! {
        /// Against a model that keeps every cell: one map from day to content for every registration.
        #[test]
        fn rectangles_agree_with_cells(acts in prop::collection::vec((0i64..19, 1i64..20, 0u8..4), 1..24)) {
            let mut line = Timeline::default();
            let mut known: Vec<BTreeMap<i64, u8>> = vec![BTreeMap::new()];
            for (n, &(from, length, what)) in acts.iter().enumerate() {
                let to = (from + length).min(20);
                let content = (what > 0).then_some(what);
                line.register(t(n as i64 + 1), p(from, to), content).unwrap();
                let mut cells = known.last().unwrap().clone();
                for day in from..to {
                    match content {
                        Some(c) => { cells.insert(day, c); }
                        None => { cells.remove(&day); }
                    }
                }
                known.push(cells);
            }
            for (n, cells) in known.iter().enumerate() {
                for day in 0..20 {
                    let at = Point { valid: t(day), registered: t(n as i64) };
                    prop_assert_eq!(line.at(at).map(|s| s.content), cells.get(&day).copied());
                }
            }
            for day in 0..20 {
                let now = Point { valid: t(day), registered: Instant::FOREVER };
                prop_assert_eq!(line.at(now).map(|s| s.content), known.last().unwrap().get(&day).copied());
            }
            prop_assert!(Timeline::from_states(line.states().to_vec()).is_ok(), "no two overlap");
        }
    }
}
