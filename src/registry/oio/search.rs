//! Søg: which objects have, in one registrering, something for each of what is searched for.
//!
//! A whole value leads to a few klasser by an [`index`](super::index); else all are looked at. What a klasse says is read
//! from its content, which takes time; so each criterion is first asked of what is at [`Hand`], and only where that cannot
//! tell is the content read.

use std::cell::OnceCell;
use std::sync::Arc;

use uuid::Uuid;

use super::hand::Hand;
use super::index::{Depth, wanted};
use super::made::{Made, Makings};
use super::objects::Line;
use super::pattern::Pattern;
use super::{Found, Window};
use crate::exchange::oio::{Egenskab, Indhold, Kind, Livscykluskode, Publiceret, Reference, Relation};
use crate::model::{Code, Instant, Period, Refusal, Result};
use crate::projection::{Plane, Saying, Snapshot};

/// The most criteria of one search, and the most wildcards of one text.
pub(super) const MOST: usize = 100;

/// What is searched for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Search {
    /// When it must hold and be registered.
    pub window: Window,
    /// The one object to look at; all when absent.
    pub uuid: Option<Uuid>,
    /// What one registrering must have.
    pub criteria: Vec<Criterion>,
    /// What must have happened at that registrering; anything but a deletion when absent.
    pub livscykluskode: Option<Livscykluskode>,
    /// Who must have made that registrering.
    pub brugerref: Option<Uuid>,
    /// What its note must be.
    pub notetekst: Vec<Pattern>,
    /// How many to leave out from the beginning.
    pub first: usize,
    /// How many to tell at most.
    pub most: Option<usize>,
}

impl Search {
    /// A search for everything in a window.
    #[must_use]
    pub fn new(window: Window) -> Self {
        let (criteria, notetekst) = (Vec::new(), Vec::new());
        let (uuid, livscykluskode, brugerref, most) = (None, None, None, None);
        Self { window, uuid, criteria, livscykluskode, brugerref, notetekst, first: 0, most }
    }

    /// One more criterion.
    ///
    /// # Errors
    /// [`Code::TooLarge`] for more than a hundred.
    pub fn demand(&mut self, criterion: Criterion) -> Result<()> {
        if self.criteria.len() == MOST {
            let (da, en) = ("flere end 100 søgekriterier", "more than 100 search criteria");
            return Err(Refusal::new(Code::TooLarge, da, en));
        }
        self.criteria.push(criterion);
        Ok(())
    }
}

/// Something that an element of an object must have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Criterion {
    /// An attribute; any of them, or an index word, when it has no name.
    Text(Option<&'static str>, Pattern),
    /// The state.
    State(Publiceret),
    /// A relation; any of them when it has no name. With what the target must be said to be.
    Related(Option<&'static str>, Reference, Option<String>),
}

/// Looks through everything that may have what is searched for.
pub(super) fn run(snapshot: &Snapshot, makings: &Makings, kind: Kind, search: &Search) -> Found {
    let mut found: Vec<(String, Uuid)> = Vec::new();
    for plane in snapshot.planes() {
        let made = makings.of(plane);
        let mut look = |uuid: Uuid| {
            let line = Line::of(plane, &made.frames, kind, uuid);
            found.extend(matching(&line, kind, uuid, search).map(|key| (key, uuid)));
        };
        match (kind, search.uuid) {
            (Kind::Klassifikation, _) => of_one(plane.vocabulary().uuid(), search, &mut look),
            (Kind::Facet, _) => made.frames.facets().iter().for_each(|uuid| of_one(*uuid, search, &mut look)),
            (Kind::Klasse, Some(uuid)) if plane.everything(uuid).next().is_none() => {}
            (Kind::Klasse, Some(uuid)) => look(uuid),
            (Kind::Klasse, None) => match narrowed(plane, &made, &search.criteria) {
                Some(some) => some.into_iter().for_each(look),
                None => plane.all_concepts().for_each(look),
            },
        }
    }
    found.sort_unstable();
    found.dedup();
    let total = found.len();
    let page = found.into_iter().skip(search.first).take(search.most.unwrap_or(usize::MAX));
    Found { total, uuids: page.map(|(_, uuid)| uuid).collect() }
}

/// The klasser that the criterion that leads to the fewest leads to; nothing when all have to be looked at. Contents are
/// read for an index only where no other narrows.
fn narrowed(plane: &Plane, made: &Made, criteria: &[Criterion]) -> Option<Vec<Uuid>> {
    let wanted: Vec<(Depth, Vec<u32>)> = criteria.iter().filter_map(|c| wanted(c, &made.frames)).collect();
    let of = |depth| {
        let hashes = wanted.iter().filter(move |(d, _)| *d == depth).map(|(_, hashes)| hashes);
        let mut hashes = hashes.peekable();
        hashes.peek()?;
        let index = made.index(plane, depth);
        hashes.min_by_key(|hashes| index.count(hashes)).map(|hashes| index.candidates(hashes))
    };
    of(Depth::Shallow).or_else(|| of(Depth::Deep))
}

fn of_one(uuid: Uuid, search: &Search, look: &mut impl FnMut(Uuid)) {
    if search.uuid.is_none_or(|only| only == uuid) {
        look(uuid);
    }
}

/// The brugervendtnoegle of an object by which it is sorted, when some registrering of it has all.
fn matching(line: &Line<'_>, kind: Kind, uuid: Uuid, search: &Search) -> Option<String> {
    let mut periods: Vec<(usize, Period)> = line.periods().filter(|(_, p)| search.window.shows(*p)).collect();
    periods.reverse();
    periods.into_iter().find_map(|(n, registered)| {
        let at = registered.from();
        let code = line.livscykluskode(n, at);
        let fits = search.livscykluskode.map_or(code != Livscykluskode::Slettet, |wanted| wanted == code)
            && search.brugerref.is_none_or(|wanted| wanted == line.brugerref(at))
            && (search.notetekst.is_empty() || {
                let note = line.note(at).unwrap_or_default();
                search.notetekst.iter().all(|pattern| pattern.fits(&note))
            });
        if !fits {
            return None;
        }
        let elements = Elements::of(line, kind, at, search.window.virkning);
        search.criteria.iter().all(|c| elements.have(c)).then(|| elements.key(line, at, uuid))
    })
}

/// What is said of an object in a window, read as far as it is asked for.
enum Elements<'l> {
    /// Of a frame.
    Frame(Indhold),
    /// Of the states of a concept.
    States { line: &'l Line<'l>, at: Instant, states: Vec<Looked<'l>> },
}

/// A state, what is at hand of it, and its content when it was read.
type Looked<'l> = (&'l Arc<Saying>, Hand<'l>, OnceCell<Indhold>);

impl<'l> Elements<'l> {
    fn of(line: &'l Line<'l>, kind: Kind, at: Instant, virkning: Period) -> Self {
        if kind != Kind::Klasse {
            return Self::Frame(line.indhold(at, virkning));
        }
        let states = line.sayings(at).into_iter().filter(|s| s.state.valid().overlaps(virkning));
        let looked = |s: &'l Arc<Saying>| (s, Hand::of(s.concept, s.state.content()), OnceCell::new());
        Self::States { line, at, states: states.map(looked).collect() }
    }

    fn have(&self, criterion: &Criterion) -> bool {
        match self {
            Self::Frame(indhold) => has(indhold, criterion),
            Self::States { line, at, states } => states.iter().any(|(saying, hand, read)| {
                let known = line.frame(*at).and_then(|framed| hand.tells(framed, criterion));
                known.unwrap_or_else(|| has(read.get_or_init(|| line.klasse(*at, saying)), criterion))
            }),
        }
    }

    /// What the object is sorted by: its brugervendtnoegle in the window, else at any time.
    fn key(&self, line: &Line<'_>, at: Instant, uuid: Uuid) -> String {
        let least = |states: &mut dyn Iterator<Item = &Arc<Saying>>| {
            states.filter_map(|s| s.state.content().notation.as_deref()).min().map(ToOwned::to_owned)
        };
        let key = match self {
            Self::Frame(indhold) => {
                indhold.attributter.iter().filter_map(|e| e.fields.get("brugervendtnoegle")).min().cloned()
            }
            Self::States { states, .. } => {
                least(&mut states.iter().map(|(s, ..)| *s)).or_else(|| least(&mut line.sayings(at).into_iter()))
            }
        };
        key.unwrap_or_else(|| uuid.to_string())
    }
}

fn has(indhold: &Indhold, criterion: &Criterion) -> bool {
    match criterion {
        Criterion::Text(Some("soegeord"), pattern) => indhold.attributter.iter().any(|e| has_word(e, pattern)),
        Criterion::Text(Some(name), pattern) => {
            indhold.attributter.iter().filter_map(|e| e.fields.get(name)).any(|text| pattern.fits(text))
        }
        Criterion::Text(None, pattern) => {
            indhold.attributter.iter().any(|e| e.fields.values().any(|text| pattern.fits(text)) || has_word(e, pattern))
        }
        Criterion::State(state) => indhold.tilstande.iter().any(|t| t.publiceret == *state),
        Criterion::Related(name, target, objekttype) => {
            let fits = |r: &Relation| {
                r.til == *target && objekttype.as_ref().is_none_or(|wanted| r.objekttype.as_ref() == Some(wanted))
            };
            let named = indhold.relationer.iter().filter(|(n, _)| name.is_none_or(|wanted| wanted == **n));
            named.flat_map(|(_, list)| list).any(fits)
        }
    }
}

fn has_word(egenskab: &Egenskab, pattern: &Pattern) -> bool {
    let words = egenskab.soegeord.iter();
    words.flat_map(|w| [&w.soegeordidentifikator, &w.beskrivelse, &w.soegeordskategori]).any(|text| pattern.fits(text))
}
