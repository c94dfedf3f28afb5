//! Full-text search over everything that was ever said in every vocabulary, at any point of the two times.
//!
//! The index (tantivy, in memory) holds each content of each concept once, with its words as they are written and
//! its names and codes as keys; what a word means for another (Danish forms, compounds, misspellings) is the
//! lexicon's matter, and when a content holds is the planes'. A [`Search`] is immutable; the next one is derived of
//! it when the snapshot has changed. Called by `registry`; calls the planes and the model.

mod asked;
mod danish;
mod fold;
mod index;
mod lexicon;
mod marks;
mod moment;
mod near;
mod rank;
mod suggest;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

pub use self::asked::take_apart;
pub use self::fold::{fold, sort_key};
use self::index::{Page, Shelf, Writing, kind};
use self::lexicon::{Counts, Lexicon};
pub use self::marks::{Fragment, Matched, Pen, Why};
use self::moment::Moment;
pub use self::moment::Standing;
pub use self::rank::Tier;
use self::rank::{Effort, Expanded, Place, Tally};
pub use self::suggest::{Beginning, Suggested};
use super::Set;
use super::derived::Derive;
use super::follower::{Projections, Snapshot};
use super::plane::Plane;
use super::said::Saying;
use crate::model::{Digest, Instant, Point, Result};

/// How many statuses of contents at other points than today's are kept: one byte each.
const MOMENT_BUDGET: u64 = 64 << 20;

/// A content of a concept, as the index numbers it.
struct Leaf {
    concept: Uuid,
    /// The beginning of the content's digest.
    content: u64,
    brief: Brief,
}

/// What every hit is asked for.
#[derive(Clone, Copy)]
struct Brief {
    /// The vocabulary, by its place in [`Search::planes`].
    vocabulary: u32,
    /// The length of its preferred term, in characters.
    length: u8,
}

/// What only the next derivation needs.
struct Desk {
    writing: Writing,
    /// What is indexed: concept and content in one.
    known: Mutex<Set<u128>>,
    counts: Mutex<BTreeMap<Box<str>, Counts>>,
}

/// The search index as of one snapshot.
pub struct Search {
    snapshot: Arc<Snapshot>,
    desk: Arc<Desk>,
    shelf: Shelf,
    lexicon: Arc<Lexicon>,
    leaves: Arc<[Leaf]>,
    /// The vocabularies, in the order in which the index met them.
    planes: Vec<Arc<Plane>>,
    moments: moka::sync::Cache<Point, Arc<Moment>>,
    spare: Mutex<Vec<Tally>>,
}

fn short(digest: Digest) -> u64 {
    u64::from_be_bytes(digest.bytes()[..8].try_into().unwrap_or_default())
}

fn known(saying: &Saying) -> u128 {
    let digest = saying.state.content().digest;
    saying.concept.as_u128() ^ u128::from_be_bytes(digest.bytes()[..16].try_into().unwrap_or_default())
}

impl Derive for Search {
    fn derive(previous: Option<&Arc<Self>>, from: &Projections) -> Result<Option<Self>> {
        let snapshot = from.snapshot();
        if previous.is_some_and(|p| Arc::ptr_eq(&p.snapshot, &snapshot)) {
            return Ok(None);
        }
        let desk = match previous {
            Some(previous) => previous.desk.clone(),
            None => {
                let (known, counts) = (Mutex::default(), Mutex::default());
                Arc::new(Desk { writing: Writing::new()?, known, counts })
            }
        };
        let mut planes = previous.map(|p| p.planes.clone()).unwrap_or_default();
        let mut new: Vec<(u32, Arc<Saying>)> = Vec::new();
        let mut added = Set::default();
        {
            let known_contents = desk.known.lock().unwrap_or_else(PoisonError::into_inner);
            for plane in snapshot.planes() {
                let same = |p: &Arc<Plane>| p.vocabulary().uuid() == plane.vocabulary().uuid();
                let at = planes.iter().position(same).unwrap_or(planes.len());
                match planes.get_mut(at) {
                    Some(held) if Arc::ptr_eq(held, plane) => continue,
                    Some(held) => *held = plane.clone(),
                    None => planes.push(plane.clone()),
                }
                for saying in plane.concepts().flat_map(|(_, sayings)| sayings) {
                    let key = known(saying);
                    if !known_contents.contains(&key) && added.insert(key) {
                        new.push((at as u32, saying.clone()));
                    }
                }
            }
        }
        // Concepts come in no order; the index numbers them alike on every node that reads the same snapshot.
        new.sort_unstable_by_key(|(at, s)| (*at, s.state.registered().from(), s.concept, known(s)));
        let mut lexicon = previous.map(|p| p.lexicon.clone()).unwrap_or_default();
        let mut leaves = previous.map(|p| p.leaves.clone()).unwrap_or_default();
        let mut shelf = previous.filter(|_| new.is_empty()).map(|p| p.shelf.clone());
        if !new.is_empty() {
            let base = leaves.len() as u32;
            let page = |i: usize| Page { number: base + i as u32, content: new[i].1.state.content().content() };
            let seen = desk.writing.add(&page, new.len())?;
            let mut counts = desk.counts.lock().unwrap_or_else(PoisonError::into_inner);
            index::merge(&mut counts, seen);
            lexicon = Arc::new(Lexicon::new(counts.iter()));
            desk.known.lock().unwrap_or_else(PoisonError::into_inner).extend(added);
            let leaf = |(vocabulary, saying): &(u32, Arc<Saying>)| {
                let said = saying.state.content();
                let length = said.label("da").chars().take(255).count() as u8;
                let brief = Brief { vocabulary: *vocabulary, length };
                Leaf { concept: saying.concept, content: short(said.digest), brief }
            };
            let old = leaves.iter().map(|l| Leaf { ..*l });
            leaves = old.chain(new.iter().map(leaf)).collect();
        }
        let shelf = match shelf.take() {
            Some(shelf) => shelf,
            None => desk.writing.shelf(previous.map(|p| &p.shelf))?,
        };
        let weigh = |_: &Point, moment: &Arc<Moment>| u32::try_from(moment.len()).unwrap_or(u32::MAX).max(1);
        let moments = moka::sync::Cache::builder().max_capacity(MOMENT_BUDGET).weigher(weigh).build();
        Ok(Some(Self { snapshot, desk, shelf, lexicon, leaves, planes, moments, spare: Mutex::default() }))
    }
}

/// Whether a concept of a vocabulary may be a hit.
pub type Only = dyn Fn(&Plane, Uuid) -> bool;

/// What is searched for.
pub struct Question<'a> {
    /// The query as it was typed.
    pub text: &'a str,
    /// The point that is read.
    pub at: Point,
    /// The only vocabularies to search; empty for all.
    pub vocabularies: &'a [Uuid],
    /// The only standings of concepts at the point; empty for all.
    pub standings: &'a [Standing],
    /// Only texts of this language, of concepts that have a term in it.
    pub language: Option<&'a str>,
    /// Only concepts of this facet.
    pub facet: Option<&'a str>,
    /// Only concepts that are mapped to this IRI, or to something in this namespace.
    pub mapping: Option<&'a str>,
    /// Only concepts for which this holds.
    pub only: Option<&'a Only>,
}

/// A hit: a concept, by what it says at the point.
pub struct Hit {
    /// The vocabulary.
    pub plane: Arc<Plane>,
    /// What is said.
    pub saying: Arc<Saying>,
    /// Its standing at the point.
    pub standing: Standing,
    /// Where it answers the query.
    pub tier: Tier,
}

/// All that answers a question.
pub struct Hits {
    expanded: Expanded,
    at: Point,
    found: Vec<(Place, u32)>,
    /// How many concepts of each vocabulary.
    pub by_vocabulary: BTreeMap<String, usize>,
    /// How many concepts of each standing.
    pub by_standing: BTreeMap<Standing, usize>,
}

impl Hits {
    /// How many there are.
    #[must_use]
    pub fn total(&self) -> usize {
        self.found.len()
    }

    /// Whether no concept answers all of the query, so that these answer some of it.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.found.iter().all(|(place, _)| place.tier() == Tier::Some)
    }

    /// The words of the texts that misspelt words of the query were taken for: words that no text has; where there
    /// are none, words that texts have, if only others near them gave hits.
    #[must_use]
    pub fn corrections(&self) -> Vec<(String, Vec<String>)> {
        let corrected = |known: bool| {
            let words = self.expanded.asked.words.iter().zip(&self.expanded.forms);
            let words = words.filter(move |(_, forms)| forms.known == known && !forms.corrections.is_empty());
            words.map(|(word, forms)| (word.text.clone(), forms.corrections.clone())).collect::<Vec<_>>()
        };
        let unknown = corrected(false);
        let gave_hits = self.expanded.effort == Effort::Corrected && !self.found.is_empty();
        if unknown.is_empty() && gave_hits { corrected(true) } else { unknown }
    }
}

impl Search {
    /// The position of the change log that it has read.
    #[must_use]
    pub fn position(&self) -> i64 {
        self.snapshot.position
    }

    /// The instant of the last row of the change log that it has read.
    #[must_use]
    pub fn registered(&self) -> Instant {
        self.snapshot.at
    }

    /// The languages that indexed texts are written in.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.lexicon.languages()
    }

    /// How many contents are indexed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Whether none are.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// Answers a question.
    ///
    /// # Errors
    /// As [`take_apart`].
    pub fn find(&self, question: &Question<'_>) -> Result<Hits> {
        let asked = take_apart(question.text)?;
        let moment = self.moment(question.at);
        let mut tally = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        let kept = self.filter(question);
        let named: Vec<u32> = match Uuid::try_parse(&asked.code) {
            Ok(uuid) => (0..).zip(&*self.leaves).filter(|(_, leaf)| leaf.concept == uuid).map(|(n, _)| n).collect(),
            Err(_) => Vec::new(),
        };
        let mut hits = None;
        for effort in [Effort::Plain, Effort::Corrected, Effort::Some] {
            let expanded = Expanded::new(asked.clone(), &self.lexicon, question.language, effort);
            let mut counts = vec![[0usize; 3]; self.planes.len()];
            let mut found = Vec::new();
            let take = |number: u32, tier, share| {
                let Some(standing) = moment.standing(number) else { return };
                if kept.as_ref().is_some_and(|kept| !kept(number, standing)) {
                    return;
                }
                let Brief { vocabulary, length } = self.leaves[number as usize].brief;
                counts[vocabulary as usize][standing as usize] += 1;
                found.push((Place::new(tier, standing as u8, share, length), number));
            };
            expanded.run(&self.shelf, &self.lexicon, self.leaves.len(), &mut tally, &named, take);
            let is_empty = found.is_empty();
            hits = Some((expanded, found, counts));
            if !is_empty {
                break;
            }
        }
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(tally);
        let (expanded, found, counts) = hits.expect("at least one effort was made");
        let (mut by_vocabulary, mut by_standing) = (BTreeMap::new(), BTreeMap::new());
        for (plane, counts) in self.planes.iter().zip(counts) {
            let sum = counts.iter().sum::<usize>();
            if sum > 0 {
                by_vocabulary.insert(plane.vocabulary().slug().to_string(), sum);
            }
            for (standing, n) in Standing::ALL.into_iter().zip(counts).filter(|(_, n)| *n > 0) {
                *by_standing.entry(standing).or_default() += n;
            }
        }
        Ok(Hits { expanded, at: question.at, found, by_vocabulary, by_standing })
    }

    /// What a question lets pass, when it does not let everything pass.
    fn filter<'q>(&'q self, question: &'q Question<'_>) -> Option<Box<dyn Fn(u32, Standing) -> bool + 'q>> {
        let allowed = self.allowed(question);
        let is_open = question.vocabularies.is_empty() && question.standings.is_empty();
        if is_open && allowed.is_none() && question.only.is_none() {
            return None;
        }
        let wanted: Vec<bool> = self
            .planes
            .iter()
            .map(|p| question.vocabularies.is_empty() || question.vocabularies.contains(&p.vocabulary().uuid()))
            .collect();
        Some(Box::new(move |number, standing| {
            let leaf = &self.leaves[number as usize];
            let vocabulary = leaf.brief.vocabulary as usize;
            wanted[vocabulary]
                && (question.standings.is_empty() || question.standings.contains(&standing))
                && allowed.as_ref().is_none_or(|allowed| allowed.contains(&number))
                && question.only.is_none_or(|only| only(&self.planes[vocabulary], leaf.concept))
        }))
    }

    /// The contents that the filters of keys allow; `None` for all.
    fn allowed(&self, question: &Question<'_>) -> Option<Set<u32>> {
        let mut allowed: Option<Set<u32>> = None;
        let language = question.language.map(|l| (kind::LANGUAGE, l.to_owned()));
        let facet = question.facet.map(|f| (kind::FACET, fold::name_key(f)));
        let mapping = question.mapping.map(|m| (kind::MAPPING, m.trim_end_matches(['/', '#']).to_owned()));
        for (kind, key) in [language, facet, mapping].into_iter().flatten() {
            let mut these = Set::default();
            self.shelf.with_key(kind, "", &key, &mut |number| _ = these.insert(number));
            if kind == kind::MAPPING {
                // As it was given, if that is a whole IRI that ends so.
                let given = question.mapping.unwrap_or_default();
                self.shelf.with_key(kind, "", given, &mut |number| _ = these.insert(number));
            }
            allowed = Some(match allowed {
                Some(before) => before.intersection(&these).copied().collect(),
                None => these,
            });
        }
        allowed
    }

    /// The standing of every content at a point, kept for the points between the same edges.
    fn moment(&self, at: Point) -> Arc<Moment> {
        let settled = self.planes.iter().map(|p| p.settle(at));
        let point =
            settled.reduce(|a, b| Point { valid: a.valid.max(b.valid), registered: a.registered.max(b.registered) });
        let point = point.unwrap_or(at);
        self.moments.get_with(point, || Arc::new(Moment::new(&self.leaves, &self.planes, at)))
    }

    fn hit(&self, (place, number): (Place, u32), at: Point) -> Option<Hit> {
        let leaf = self.leaves.get(number as usize)?;
        let plane = self.planes[leaf.brief.vocabulary as usize].clone();
        let (saying, standing) = moment::stands_for(&plane, leaf.concept, at)?;
        Some(Hit { saying: saying.clone(), plane, standing, tier: place.tier() })
    }

    /// The hits after one, best first; at most `limit`. `None` when that one is no hit.
    #[must_use]
    pub fn ranked(&self, hits: &Hits, after: Option<Uuid>, limit: usize) -> Option<Vec<Hit>> {
        let concept = |number: u32| self.leaves[number as usize].concept;
        // Which of equals comes first is the same on every node.
        let order = |a: &(Place, u32), b: &(Place, u32)| a.0.cmp(&b.0).then_with(|| concept(a.1).cmp(&concept(b.1)));
        let mut rest = match after {
            None => hits.found.clone(),
            Some(uuid) => {
                let last = hits.found.iter().find(|(_, number)| concept(*number) == uuid)?;
                hits.found.iter().filter(|found| order(found, last).is_gt()).copied().collect()
            }
        };
        if rest.len() > limit {
            rest.select_nth_unstable_by(limit, order);
            rest.truncate(limit);
        }
        rest.sort_unstable_by(order);
        Some(rest.into_iter().filter_map(|found| self.hit(found, hits.at)).collect())
    }

    /// All hits, in no order: for those who sort by something else.
    pub fn all<'h>(&'h self, hits: &'h Hits) -> impl Iterator<Item = Hit> + 'h {
        hits.found.iter().filter_map(|found| self.hit(*found, hits.at))
    }
}
