//! Søg: which objects have, in one registrering, something for each of what is searched for.
//!
//! What a klasse says is read from its content, which takes time; so each criterion is first asked of what is at hand
//! ([`Line`] and [`Said`]), and only where that cannot tell is the content read.

use std::cell::OnceCell;
use std::sync::Arc;

use uuid::Uuid;

use super::objects::{Line, facets_of};
use super::{Found, Frames, Window};
use crate::exchange::oio::{Egenskab, Indhold, Kind, Livscykluskode, Publiceret, Reference, Relation, part::Framed};
use crate::model::{Code, Instant, Period, Refusal, Result};
use crate::projection::{Said, Saying, Snapshot};

/// The most criteria of one search.
const MOST: usize = 100;

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

/// A text that is searched for: the whole of it, whatever the case; `%` is any run of characters, a backslash takes the
/// character after it as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern(Vec<String>);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] for more than a hundred wildcards.
    pub fn parse(text: &str) -> Result<Self> {
        let (mut parts, mut part) = (Vec::new(), String::new());
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '%' => parts.push(std::mem::take(&mut part)),
                '\\' => part.push(chars.next().unwrap_or('\\')),
                c => part.push(c),
            }
        }
        parts.push(part);
        if parts.len() > MOST {
            let (da, en) = ("flere end 100 jokertegn", "more than 100 wildcards");
            return Err(Refusal::new(Code::InvalidParameter, da, en));
        }
        Ok(Self(parts.into_iter().map(|p| p.to_lowercase()).collect()))
    }

    /// Whether a text is what is searched for.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let [first, middle @ .., last] = self.0.as_slice() else { return self.0.first().is_some_and(|p| *p == text) };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
        for part in middle {
            match rest.find(part.as_str()) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last.as_str())
    }
}

/// Looks through everything that is said.
pub(super) fn run(snapshot: &Snapshot, kind: Kind, search: &Search) -> Found {
    let mut found: Vec<(String, Uuid)> = Vec::new();
    for plane in snapshot.planes() {
        let frames = Frames::of(plane);
        let mut look = |uuid: Uuid| {
            let line = Line::of(plane, &frames, kind, uuid);
            found.extend(matching(&line, kind, uuid, search).map(|key| (key, uuid)));
        };
        match (kind, search.uuid) {
            (Kind::Klassifikation, _) => of_one(plane.vocabulary().uuid(), search, &mut look),
            (Kind::Facet, _) => facets_of(plane).into_iter().for_each(|uuid| of_one(uuid, search, &mut look)),
            (Kind::Klasse, Some(uuid)) if plane.kept(uuid).is_empty() => {}
            (Kind::Klasse, Some(uuid)) => look(uuid),
            (Kind::Klasse, None) => plane.all_concepts().for_each(look),
        }
    }
    found.sort_unstable();
    found.dedup();
    let total = found.len();
    let page = found.into_iter().skip(search.first).take(search.most.unwrap_or(usize::MAX));
    Found { total, uuids: page.map(|(_, uuid)| uuid).collect() }
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
    States { line: &'l Line<'l>, at: Instant, states: Vec<(&'l Arc<Saying>, OnceCell<Indhold>)> },
}

impl<'l> Elements<'l> {
    fn of(line: &'l Line<'l>, kind: Kind, at: Instant, virkning: Period) -> Self {
        if kind != Kind::Klasse {
            return Self::Frame(line.indhold(at, virkning));
        }
        let states = line.sayings(at).into_iter().filter(|s| s.state.valid().overlaps(virkning));
        Self::States { line, at, states: states.map(|s| (s, OnceCell::new())).collect() }
    }

    fn have(&self, criterion: &Criterion) -> bool {
        match self {
            Self::Frame(indhold) => has(indhold, criterion),
            Self::States { line, at, states } => states.iter().any(|(saying, read)| {
                let framed = line.frame(*at);
                let known = framed.and_then(|f| at_hand(f, saying.concept, saying.state.content(), criterion));
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
                least(&mut states.iter().map(|(s, _)| *s)).or_else(|| least(&mut line.sayings(at).into_iter()))
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

/// What the parts of a state that are at hand tell of a criterion; nothing when the content has to be read.
fn at_hand(framed: &Framed, uuid: Uuid, said: &Said, criterion: &Criterion) -> Option<bool> {
    // What came by OIO Klassifikation may say otherwise of anything.
    if memchr::memmem::find(said.json.as_bytes(), b"\"oio\":{").is_some() {
        return None;
    }
    let names = |uuid: &Uuid| memchr::memmem::find(said.json.as_bytes(), uuid.to_string().as_bytes()).is_some();
    match criterion {
        Criterion::Text(Some("brugervendtnoegle"), pattern) => Some(match &said.notation {
            Some(notation) => pattern.fits(notation),
            None => pattern.fits(&uuid.to_string()),
        }),
        // The title is one of the preferred terms.
        Criterion::Text(Some("titel"), pattern) if !said.labels().any(|(_, label)| pattern.fits(label)) => Some(false),
        Criterion::Text(..) => None,
        Criterion::State(state) => Some(*state == Publiceret::Publiceret),
        Criterion::Related(name, target, objekttype) => {
            let of_facet = || framed.facet(said.facet.as_deref()).is_some_and(|f| *target == Reference::Uuid(f));
            let of_owner = || framed.owner() == Some(target);
            let in_content = || match target {
                Reference::Uuid(uuid) => names(uuid),
                Reference::Urn(_) => memchr::memmem::find(said.json.as_bytes(), b"\"mappings\":").is_some(),
            };
            let may_be = match name {
                Some("facet") => of_facet(),
                Some("ansvarlig" | "ejer") => of_owner(),
                Some(_) => in_content(),
                None => of_facet() || of_owner() || in_content(),
            };
            let sure = matches!(name, Some("facet" | "ansvarlig" | "ejer")) && objekttype.is_none();
            if may_be && !sure { None } else { Some(may_be) }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pattern_is_the_whole_text_whatever_the_case() {
        for (pattern, text, fits) in [
            ("Ledsagelse", "LEDSAGELSE", true),
            ("Ledsagelse", "Ledsagelse ", false),
            ("%sag%", "Ledsagelse", true),
            ("led%e", "Ledsagelse", true),
            ("led%x", "Ledsagelse", false),
            ("%", "", true),
            ("", "", true),
            ("", "x", false),
            ("100\\%", "100%", true),
            ("100\\%", "100 procent", false),
            ("a_c", "abc", false),
            ("a_c", "A_C", true),
            ("a\\\\b", "a\\b", true),
            ("ÆØ%", "æøå", true),
            ("aa%aa", "aaa", false),
            ("a\\", "a\\", true),
        ] {
            assert_eq!(Pattern::parse(pattern).expect("few wildcards").fits(text), fits, "{pattern} {text}");
        }
        assert!(Pattern::parse(&"%".repeat(100)).is_err());
    }

    proptest! {
        /// Against the plainest way: try every split.
        #[test]
        fn wildcards_are_any_run(pattern in "[ab%]{0,6}", text in "[ab]{0,8}") {
            fn plain(pattern: &[u8], text: &[u8]) -> bool {
                match pattern.split_first() {
                    None => text.is_empty(),
                    Some((b'%', rest)) => (0..=text.len()).any(|n| plain(rest, &text[n..])),
                    Some((c, rest)) => text.split_first().is_some_and(|(t, tail)| t == c && plain(rest, tail)),
                }
            }
            let expected = plain(pattern.as_bytes(), text.as_bytes());
            prop_assert_eq!(Pattern::parse(&pattern).unwrap().fits(&text), expected);
        }
    }
}
