//! One graph: its triples as numbers, sorted by subject and by predicate.

use std::ops::Range;

/// A triple of terms' numbers: subject, predicate, object.
pub type Triple = [u32; 3];

/// A graph that never changes: 16 bytes for each triple, 8 for each subject.
///
/// There is no order by object: the predicates are few, so the triples of an object are looked up in each of them.
#[derive(Debug, Default)]
pub struct Segment {
    subjects: Box<[u32]>,
    /// Where the pairs of each subject begin; one more than there are subjects.
    subject_starts: Box<[u32]>,
    /// Predicate and object.
    by_subject: Box<[(u32, u32)]>,
    predicates: Box<[u32]>,
    predicate_starts: Box<[u32]>,
    /// Object and subject.
    by_predicate: Box<[(u32, u32)]>,
}

/// A walk through the triples of a pattern. It holds places, not the segment, and so can be kept beside it.
#[derive(Clone, Debug)]
pub enum Walk {
    /// The triples of a subject, at these places; of this object, if it is given.
    Subject(u32, Range<usize>, Option<u32>),
    /// The triples of a predicate, at these places.
    Predicate(u32, Range<usize>),
    /// The triples of an object: of the predicates that are left, and at the places of the one before them.
    Object(u32, Range<usize>, Range<usize>),
    /// All triples: of the subjects that are left, and at the places of the one before them.
    All(Range<usize>, Range<usize>),
}

impl Segment {
    /// Takes in triples, in any order and also several times.
    #[must_use]
    pub fn new(mut triples: Vec<Triple>) -> Self {
        triples.sort_unstable();
        triples.dedup();
        let (subjects, subject_starts) = groups(triples.iter().map(|t| t[0]));
        let by_subject = triples.iter().map(|t| (t[1], t[2])).collect();
        triples.sort_unstable_by_key(|t| (t[1], t[2], t[0]));
        let (predicates, predicate_starts) = groups(triples.iter().map(|t| t[1]));
        let by_predicate = triples.iter().map(|t| (t[2], t[0])).collect();
        Self { subjects, subject_starts, by_subject, predicates, predicate_starts, by_predicate }
    }

    /// How many triples there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_subject.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_subject.is_empty()
    }

    /// How many bytes it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let pairs = self.by_subject.len() + self.by_predicate.len();
        8 * pairs + 8 * (self.subjects.len() + self.predicates.len() + 1)
    }

    /// The subjects, by number.
    #[must_use]
    pub fn subjects(&self) -> &[u32] {
        &self.subjects
    }

    /// The predicates, each with how many triples it has.
    pub fn predicates(&self) -> impl Iterator<Item = (u32, usize)> + '_ {
        self.predicates.iter().zip(self.predicate_starts.windows(2)).map(|(p, w)| (*p, (w[1] - w[0]) as usize))
    }

    /// The objects of a predicate, each with how many triples it has, in the order of their numbers.
    #[must_use]
    pub fn objects(&self, predicate: u32) -> Vec<(u32, usize)> {
        let mut objects: Vec<(u32, usize)> = Vec::new();
        for (object, _) in &self.by_predicate[self.of_predicate(predicate)] {
            match objects.last_mut() {
                Some((last, n)) if last == object => *n += 1,
                _ => objects.push((*object, 1)),
            }
        }
        objects
    }

    /// Whether it has a triple.
    #[must_use]
    pub fn contains(&self, [s, p, o]: Triple) -> bool {
        self.by_subject[self.of_subject(s)].binary_search(&(p, o)).is_ok()
    }

    /// Whether another graph says something of a subject of this one.
    #[must_use]
    pub fn shares_subjects(&self, other: &Self) -> bool {
        let (few, many) = if self.subjects.len() < other.subjects.len() { (self, other) } else { (other, self) };
        // Graphs are numbered one after the other: their subjects seldom lie among each other.
        let (Some(first), Some(last)) = (many.subjects.first(), many.subjects.last()) else { return false };
        let from = few.subjects.partition_point(|s| s < first);
        let among = few.subjects[from..].iter().take_while(|s| *s <= last);
        among.into_iter().any(|s| many.subjects.binary_search(s).is_ok())
    }

    /// Begins a walk through the triples of a pattern.
    #[must_use]
    pub fn walk(&self, s: Option<u32>, p: Option<u32>, o: Option<u32>) -> Walk {
        match (s, p, o) {
            (Some(s), p, o) => {
                let mut at = self.of_subject(s);
                if let Some(p) = p {
                    at = within(&self.by_subject, at, |pair| pair.0.cmp(&p));
                    if let Some(o) = o {
                        at = within(&self.by_subject, at, |pair| pair.1.cmp(&o));
                    }
                }
                Walk::Subject(s, at, o.filter(|_| p.is_none()))
            }
            (None, Some(p), o) => {
                let mut at = self.of_predicate(p);
                if let Some(o) = o {
                    at = within(&self.by_predicate, at, |pair| pair.0.cmp(&o));
                }
                Walk::Predicate(p, at)
            }
            (None, None, Some(o)) => Walk::Object(o, 0..self.predicates.len(), 0..0),
            (None, None, None) => Walk::All(0..self.subjects.len(), 0..0),
        }
    }

    /// The next triple of a walk that began in this segment.
    pub fn step(&self, walk: &mut Walk) -> Option<Triple> {
        match walk {
            Walk::Subject(s, at, wanted) => {
                for i in at {
                    let (p, o) = self.by_subject[i];
                    if wanted.is_none_or(|wanted| wanted == o) {
                        return Some([*s, p, o]);
                    }
                }
                None
            }
            Walk::Predicate(p, at) => {
                let (o, s) = self.by_predicate[at.next()?];
                Some([s, *p, o])
            }
            Walk::Object(o, left, at) => loop {
                if let Some(i) = at.next() {
                    return Some([self.by_predicate[i].1, self.predicates[left.start - 1], *o]);
                }
                let next = left.next()?;
                *at = within(&self.by_predicate, span(&self.predicate_starts, next), |pair| pair.0.cmp(o));
            },
            Walk::All(left, at) => loop {
                if let Some(i) = at.next() {
                    let (p, o) = self.by_subject[i];
                    return Some([self.subjects[left.start - 1], p, o]);
                }
                let next = left.next()?;
                *at = span(&self.subject_starts, next);
            },
        }
    }

    /// All triples, by subject.
    pub fn triples(&self) -> impl Iterator<Item = Triple> + '_ {
        let mut walk = self.walk(None, None, None);
        std::iter::from_fn(move || self.step(&mut walk))
    }

    fn of_subject(&self, s: u32) -> Range<usize> {
        self.subjects.binary_search(&s).map_or(0..0, |i| span(&self.subject_starts, i))
    }

    fn of_predicate(&self, p: u32) -> Range<usize> {
        self.predicates.binary_search(&p).map_or(0..0, |i| span(&self.predicate_starts, i))
    }
}

fn span(starts: &[u32], i: usize) -> Range<usize> {
    starts[i] as usize..starts[i + 1] as usize
}

/// The part of a sorted range for which `order` says that it is equal.
fn within(pairs: &[(u32, u32)], at: Range<usize>, order: impl Fn(&(u32, u32)) -> std::cmp::Ordering) -> Range<usize> {
    let part = &pairs[at.clone()];
    let from = part.partition_point(|pair| order(pair).is_lt());
    let count = part[from..].partition_point(|pair| order(pair).is_eq());
    at.start + from..at.start + from + count
}

/// The different values of a sorted list, and where each begins.
fn groups(values: impl Iterator<Item = u32>) -> (Box<[u32]>, Box<[u32]>) {
    let (mut distinct, mut starts, mut n) = (Vec::new(), Vec::new(), 0);
    for value in values {
        if distinct.last() != Some(&value) {
            distinct.push(value);
            starts.push(n);
        }
        n += 1;
    }
    starts.push(n);
    (distinct.into(), starts.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Every pattern gives what a look at each triple gives.
        #[test]
        fn patterns(
            triples in proptest::collection::vec(proptest::array::uniform3(0_u32..6), 0..60),
            pattern in proptest::array::uniform3(proptest::option::of(0_u32..7)),
        ) {
            let segment = Segment::new(triples.clone());
            let fits = |t: &Triple| t.iter().zip(&pattern).all(|(n, wanted)| wanted.is_none_or(|w| w == *n));
            let mut expected: Vec<Triple> = triples.into_iter().filter(fits).collect();
            expected.sort_unstable();
            expected.dedup();
            let [s, p, o] = pattern;
            let mut walk = segment.walk(s, p, o);
            let mut found: Vec<Triple> = std::iter::from_fn(|| segment.step(&mut walk)).collect();
            found.sort_unstable();
            prop_assert_eq!(&found, &expected);
            for triple in &found {
                prop_assert!(segment.contains(*triple));
            }
            let counted: usize = segment.predicates().map(|(_, n)| n).sum();
            prop_assert_eq!(counted, segment.len());
        }
    }
}
