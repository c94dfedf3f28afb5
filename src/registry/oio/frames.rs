//! The frames of a vocabulary as OIO sees them, each from when it was registered.

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use crate::exchange::oio::{Kind, part::Framed};
use crate::model::Instant;
use crate::projection::Plane;

/// See the module.
#[derive(Clone, Default)]
pub(super) struct Frames {
    all: Vec<(Instant, Arc<Framed>)>,
    /// The places of those that give klasser something else than the one before: another owner, or other facets.
    giving: Vec<usize>,
    /// Every facet that was ever told.
    facets: BTreeSet<Uuid>,
}

impl Frames {
    /// Those of a plane. The log only grows, so those of an earlier plane of the vocabulary are taken over.
    pub(super) fn of(plane: &Plane, earlier: Option<&Self>) -> Self {
        let told = plane.told().frames();
        let mut frames = earlier.filter(|e| e.all.len() <= told.len()).cloned().unwrap_or_default();
        for (at, frame) in told.skip(frames.all.len()) {
            frames.take(at, Arc::new(Framed::of(frame)));
        }
        frames
    }

    fn take(&mut self, at: Instant, framed: Arc<Framed>) {
        if self.all.last().is_some_and(|(_, before)| !before.gives_as(&framed)) {
            self.giving.push(self.all.len());
        }
        self.facets.extend(framed.objects().filter(|(kind, _)| *kind == Kind::Facet).map(|(_, uuid)| uuid));
        self.all.push((at, framed));
    }

    /// The frame as it was said at an instant; the first one before that.
    pub(super) fn at(&self, registered: Instant) -> Option<&Framed> {
        let known = self.all.partition_point(|(at, _)| *at <= registered);
        self.all.get(known.saturating_sub(1)).map(|(_, framed)| &**framed)
    }

    /// The frame as it is said now.
    pub(super) fn last(&self) -> Option<&Arc<Framed>> {
        self.all.last().map(|(_, framed)| framed)
    }

    /// When each was registered.
    pub(super) fn instants(&self) -> impl DoubleEndedIterator<Item = Instant> + '_ {
        self.all.iter().map(|(at, _)| *at)
    }

    /// When klasser were given something else, with the frames before and after.
    pub(super) fn giving(&self) -> impl Iterator<Item = (Instant, &Framed, &Framed)> + '_ {
        self.giving.iter().filter_map(move |i| {
            let (at, now) = self.all.get(*i)?;
            Some((*at, &*self.all.get(i.checked_sub(1)?)?.1, &**now))
        })
    }

    /// Frames of which each gives klasser something else than the one before: what any of all gives is given by one of
    /// them.
    pub(super) fn different(&self) -> impl Iterator<Item = &Framed> + '_ {
        let first = (!self.all.is_empty()).then_some(0);
        first.into_iter().chain(self.giving.iter().copied()).map(move |i| &*self.all[i].1)
    }

    /// Every facet that was ever told.
    pub(super) fn facets(&self) -> &BTreeSet<Uuid> {
        &self.facets
    }
}
