//! An edition: a vocabulary as it is read at one point of the two times.

use std::ops::Range;
use std::sync::Arc;

use uuid::Uuid;

use super::Map;
use super::said::{Said, Saying};
use super::tree::Tree;
use crate::model::{Point, Statement, VersionHasher};

/// A reading of a vocabulary at one point. Immutable; entries are in preorder: parents before children,
/// siblings by rank.
#[derive(Debug)]
pub struct Edition {
    point: Point,
    sayings: Box<[Arc<Saying>]>,
    tree: Tree,
    numbers: Map<Uuid, u32>,
}

/// A concept in an edition.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    edition: &'a Edition,
    number: u32,
}

impl Edition {
    /// Reads the states that cover a point, in any order.
    #[must_use]
    pub fn new(point: Point, mut sayings: Vec<Arc<Saying>>) -> Self {
        let key = |s: &Arc<Saying>| (s.state.content().rank, s.concept);
        sayings.sort_unstable_by_key(key);
        let place: Map<Uuid, u32> = sayings.iter().zip(0..).map(|(s, i)| (s.concept, i)).collect();
        let parents: Vec<Vec<u32>> = sayings
            .iter()
            .map(|s| s.state.content().parents.iter().filter_map(|p| place.get(p).copied()).collect())
            .collect();
        let (order, tree) = Tree::build(&parents);
        let sayings: Box<[Arc<Saying>]> = order.iter().map(|&old| sayings[old as usize].clone()).collect();
        let numbers = sayings.iter().zip(0..).map(|(s, i)| (s.concept, i)).collect();
        Self { point, sayings, tree, numbers }
    }

    /// The point at which the vocabulary is read.
    #[must_use]
    pub fn point(&self) -> Point {
        self.point
    }

    /// How many concepts it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sayings.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sayings.is_empty()
    }

    /// A concept, by uuid.
    #[must_use]
    pub fn get(&self, concept: Uuid) -> Option<Entry<'_>> {
        self.numbers.get(&concept).map(|&number| Entry { edition: self, number })
    }

    /// The concept at a place in the order; the caller keeps within [`Edition::len`].
    #[must_use]
    pub fn at(&self, number: u32) -> Entry<'_> {
        Entry { edition: self, number }
    }

    /// The concepts, parents before children.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'_>> + '_ {
        (0..self.sayings.len()).map(|n| Entry { edition: self, number: n as u32 })
    }

    /// The digest of the canonical form of this reading.
    #[must_use]
    pub fn digest(&self, statements: &[Statement]) -> (u64, crate::model::Digest) {
        let mut hasher = VersionHasher::default();
        for s in &self.sayings {
            hasher.concept(s.concept, &s.state.content().json);
        }
        (hasher.concepts, hasher.finish(statements))
    }
}

impl<'a> Entry<'a> {
    /// The uuid.
    #[must_use]
    pub fn uuid(self) -> Uuid {
        self.saying().concept
    }

    /// Its place in the order of the edition.
    #[must_use]
    pub fn number(self) -> u32 {
        self.number
    }

    /// The state that holds here.
    #[must_use]
    pub fn saying(self) -> &'a Arc<Saying> {
        &self.edition.sayings[self.number as usize]
    }

    /// What is said.
    #[must_use]
    pub fn said(self) -> &'a Arc<Said> {
        self.saying().state.content()
    }

    /// The level: 1 at the top.
    #[must_use]
    pub fn level(self) -> u16 {
        self.edition.tree.level(self.number)
    }

    fn each(self, numbers: &'a [u32]) -> impl ExactSizeIterator<Item = Entry<'a>> + 'a {
        numbers.iter().map(move |&number| Entry { edition: self.edition, number })
    }

    /// The concepts directly above.
    pub fn parents(self) -> impl ExactSizeIterator<Item = Entry<'a>> + 'a {
        self.each(self.edition.tree.parents(self.number))
    }

    /// The concepts directly below, in order.
    pub fn children(self) -> impl ExactSizeIterator<Item = Entry<'a>> + 'a {
        self.each(self.edition.tree.children(self.number))
    }

    /// Everything above, nearest first.
    #[must_use]
    pub fn ancestors(self) -> Vec<Entry<'a>> {
        let numbers = self.edition.tree.ancestors(self.number);
        numbers.into_iter().map(|number| Entry { edition: self.edition, number }).collect()
    }

    /// The places of everything below, itself included.
    pub fn below(self) -> impl Iterator<Item = Range<u32>> + 'a {
        self.edition.tree.below(self.number)
    }

    /// Whether it lies below another concept of the same edition, or is it.
    #[must_use]
    pub fn is_below(self, above: Entry<'_>) -> bool {
        self.edition.tree.is_below(self.number, above.number)
    }
}
