//! Lists of concepts: filters, fields, pages. A page's cursor names the reading it belongs to, so a list that
//! is fetched page by page is one reading, whatever is published meanwhile.

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use uuid::Uuid;

use super::answer::ConceptAnswer;
use super::read::{concept_here, unknown_concept};
use super::{Registry, View};
use crate::model::{Code, Digest, Instant, Place, Point, Refusal, Result};
use crate::projection::{Entry, Found};

/// The most concepts on one page.
const LARGEST_PAGE: usize = 10_000;

/// The fields that can be chosen, by their names in the JSON of a concept.
pub const FIELDS: [&str; 25] = [
    "uuid",
    "iri",
    "vocabulary",
    "version",
    "status",
    "validFrom",
    "validTo",
    "registeredFrom",
    "level",
    "broader",
    "narrowerCount",
    "replacedBy",
    "notation",
    "aliases",
    "facet",
    "rank",
    "terms",
    "definitions",
    "notes",
    "oio",
    "legalBasis",
    "subjectFields",
    "relations",
    "mappings",
    "statements",
];

/// Which concepts of a reading.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ConceptFilter {
    /// Codes, separated by commas: exact (`J1.4`), with wildcards (`J1*`), or ranges (`J1-J3`, `J1.1-J2*`). A
    /// comma that belongs to a code is written `\,`.
    #[param(example = "J1*,J3.1-J3.4")]
    pub codes: Option<String>,
    /// Only this level; 1 is the top.
    pub level: Option<u16>,
    /// Only the concepts directly below this one.
    pub parent: Option<String>,
    /// Only this facet.
    pub facet: Option<String>,
}

/// A page of concepts.
pub struct Page {
    /// The concepts.
    pub concepts: Vec<ConceptAnswer>,
    /// How many there are on all pages.
    pub total: usize,
    /// The cursor of the page after this one.
    pub next: Option<Cursor>,
}

/// Where a list goes on: the reading, the last concept, and what the list was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    point: Point,
    last: Uuid,
    check: u32,
}

impl Cursor {
    /// Goes on after a concept in a reading.
    pub(super) fn new(point: Point, last: Uuid, check: u32) -> Self {
        Self { point, last, check }
    }

    /// The point that is read.
    pub(super) fn point(self) -> Point {
        self.point
    }

    /// The last concept of the page before.
    pub(super) fn last(self) -> Uuid {
        self.last
    }

    /// What it must agree with.
    pub(super) fn check(self) -> u32 {
        self.check
    }

    /// The cursor as it is sent.
    #[must_use]
    pub fn encode(self) -> String {
        let (valid, registered) = (self.point.valid.micros(), self.point.registered.micros());
        format!("{valid:x}.{registered:x}.{}.{:x}", self.last.simple(), self.check)
    }

    pub(super) fn decode(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        // `{:x}` writes two's complement.
        let mut instant = || {
            let bits = u64::from_str_radix(parts.next()?, 16).ok()?;
            Some(Instant::from_micros(bits.cast_signed()))
        };
        let point = Point { valid: instant()?, registered: instant()? };
        let last = Uuid::try_parse(parts.next()?).ok()?;
        let check = u32::from_str_radix(parts.next()?, 16).ok()?;
        parts.next().is_none().then_some(Self { point, last, check })
    }
}

/// Codes as Statistics Norway's Klass writes them: a comma between, `*` for any run, `a-b` for a range.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Codes(Vec<CodePattern>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum CodePattern {
    /// Parts between wildcards; one part means exact.
    Like(Vec<String>),
    /// From a code to a code, both included; the end may be a prefix.
    Range { from: String, to: String, prefix: bool },
}

impl Codes {
    /// Reads a list of patterns. A code that itself has a hyphen is written exactly: a hyphen makes a range
    /// only when `is_code` says that the whole is no code.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] for an empty pattern or more than 1000 of them.
    pub fn parse(text: &str, is_code: impl Fn(&str) -> bool) -> Result<Self> {
        let refuse = |da: &str, en: &str| {
            Err(Refusal::new(Code::InvalidParameter, da, en)
                .at(Place::field("codes"))
                .allowed(["J1.4", "J1*", "J1.1-J2*", "J1,J2"]))
        };
        let mut patterns = Vec::new();
        // A text that is a code needs no escape.
        let parts = if is_code(text) { vec![text.to_owned()] } else { split(text) };
        for part in &parts {
            let part = part.trim();
            if part.is_empty() {
                return refuse("en tom kode", "an empty code");
            }
            if patterns.len() == 1000 {
                return refuse("flere end 1000 koder", "more than 1000 codes");
            }
            let range = part.split_once('-').filter(|(a, b)| !is_code(part) && !a.contains('*') && !b.is_empty());
            patterns.push(match range {
                Some((from, to)) => CodePattern::Range {
                    from: from.trim().to_owned(),
                    to: to.trim().trim_end_matches('*').to_owned(),
                    prefix: to.ends_with('*'),
                },
                None => CodePattern::Like(part.split('*').map(ToOwned::to_owned).collect()),
            });
        }
        Ok(Self(patterns))
    }

    /// The codes, when all are written out.
    fn exact(&self) -> Option<Vec<&str>> {
        fn whole(pattern: &CodePattern) -> Option<&str> {
            match pattern {
                CodePattern::Like(parts) if parts.len() == 1 => parts.first().map(String::as_str),
                _ => None,
            }
        }
        self.0.iter().map(whole).collect()
    }

    /// Whether a code is one of them.
    #[must_use]
    pub fn have(&self, code: &str) -> bool {
        self.0.iter().any(|p| match p {
            CodePattern::Like(parts) => like(code, parts),
            CodePattern::Range { from, to, prefix } => {
                code >= from.as_str() && (code <= to.as_str() || (*prefix && code.starts_with(to.as_str())))
            }
        })
    }
}

/// The parts between commas; `\,` is a comma of a part.
fn split(text: &str) -> Vec<String> {
    let (mut parts, mut part) = (Vec::new(), String::new());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek() == Some(&',') => part.extend(chars.next()),
            ',' => parts.push(std::mem::take(&mut part)),
            c => part.push(c),
        }
    }
    parts.push(part);
    parts
}

/// Whether a text is the parts with anything between them.
pub(super) fn like(text: &str, parts: &[String]) -> bool {
    let [first, middle @ .., last] = parts else { return parts.first().is_some_and(|p| p == text) };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    for part in middle {
        match rest.find(part.as_str()) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last.as_str())
}

impl Registry {
    /// A page of the concepts of a view, parents before children. `limit` is at most 10 000.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`], [`Code::InvalidCursor`], [`Code::UnknownConcept`] for the parent.
    pub fn concepts(
        &self,
        view: &View,
        filter: &ConceptFilter,
        limit: usize,
        cursor: Option<&str>,
        language: &str,
    ) -> Result<Page> {
        check_limit(limit)?;
        let check = self.check(view, filter);
        let (view, last) = self.resume(view, cursor, check)?;
        let edition = &view.edition;
        let parent = match &filter.parent {
            None => None,
            Some(key) => match view.find(key) {
                Found::Here(entry) => Some(entry),
                _ => return Err(unknown_concept(&view, key).at(Place::field("parent"))),
            },
        };
        let codes = match &filter.codes {
            None => None,
            Some(text) => Some(Codes::parse(text, |code| !view.plane.called(code).is_empty())?),
        };
        let wanted = |entry: &Entry<'_>| {
            let said = entry.said();
            let code = |codes: &Codes| {
                said.notation.as_deref().is_some_and(|n| codes.have(n))
                    || said.aliases.iter().any(|a| codes.have(&a.value))
            };
            filter.level.is_none_or(|level| entry.level() == level)
                && filter.facet.as_deref().is_none_or(|facet| said.facet.as_deref() == Some(facet))
                && codes.as_ref().is_none_or(code)
        };
        let named = codes.as_ref().and_then(Codes::exact).map(|codes| {
            // Codes that are written out are looked up; the others are looked for.
            let uuids = codes.into_iter().flat_map(|code| view.plane.called(code));
            let mut numbers: Vec<u32> = uuids.filter_map(|uuid| edition.get(*uuid)).map(Entry::number).collect();
            numbers.sort_unstable();
            numbers.dedup();
            numbers
        });
        let all: Box<dyn Iterator<Item = Entry<'_>>> = match (parent, named) {
            (Some(parent), _) => Box::new(parent.children()),
            (None, Some(numbers)) => Box::new(numbers.into_iter().map(|number| edition.at(number))),
            (None, None) => Box::new(edition.entries()),
        };
        page(all.filter(wanted), &view, last, limit, check, language)
    }

    /// A page of what lies below or above a concept: `children`, `descendants` or `ancestors`.
    ///
    /// # Errors
    /// As [`Registry::concepts`].
    pub fn relatives(
        &self,
        view: &View,
        key: &str,
        which: Relatives,
        limit: usize,
        cursor: Option<&str>,
        language: &str,
    ) -> Result<Page> {
        check_limit(limit)?;
        let asked = ConceptFilter { parent: Some(format!("{which:?} {key}")), ..ConceptFilter::default() };
        let check = self.check(view, &asked);
        let (view, last) = self.resume(view, cursor, check)?;
        let entry = match view.find(key) {
            Found::Here(entry) => entry,
            // What is not in force stands nowhere in the hierarchy.
            _ => {
                self.concept(&view, key, language)?;
                return Ok(Page { concepts: Vec::new(), total: 0, next: None });
            }
        };
        let edition = &view.edition;
        let all: Box<dyn Iterator<Item = Entry<'_>>> = match which {
            Relatives::Children => Box::new(entry.children()),
            Relatives::Descendants => {
                let own = entry.number();
                Box::new(entry.below().flatten().filter(move |n| *n != own).map(|n| edition.at(n)))
            }
            Relatives::Ancestors => Box::new(entry.ancestors().into_iter()),
        };
        page(all, &view, last, limit, check, language)
    }

    /// What a cursor must agree with: the vocabulary and what was asked for.
    fn check(&self, view: &View, filter: &ConceptFilter) -> u32 {
        let asked = format!("{}{}{filter:?}", view.vocabulary().uuid(), view.named);
        let bytes = Digest::of(asked);
        u32::from_be_bytes(bytes.bytes()[..4].try_into().unwrap_or_default())
    }

    fn resume(&self, view: &View, cursor: Option<&str>, check: u32) -> Result<(View, Option<Uuid>)> {
        let Some(text) = cursor else { return Ok((view.clone(), None)) };
        let refuse = || {
            Refusal::new(
                Code::InvalidCursor,
                "cursoren hører ikke til denne liste",
                "the cursor does not belong to this list",
            )
            .at(Place::field("cursor"))
            .allowed(["the cursor of the Link header of the page before"])
        };
        let cursor = Cursor::decode(text).filter(|c| c.check == check).ok_or_else(refuse)?;
        // The point is a settled one of this plane, or the cursor was made up.
        if view.plane.settle(cursor.point) != cursor.point {
            return Err(refuse());
        }
        // A point that is named is the cursor's too; a reading of today goes on as it began.
        let (named, known) = (view.plane.settle(view.at), view.at.registered != Instant::FOREVER);
        let other = cursor.point.valid != named.valid || (known && cursor.point.registered != named.registered);
        if view.named && other {
            return Err(refuse());
        }
        let edition = self.projections.edition(&view.plane, cursor.point);
        // A page is of the reading that the list began with, and says so.
        let at = cursor.point;
        let version = if view.pinned { view.version.clone() } else { view.plane.version_at(at).cloned() };
        let view = View { edition, at, version, plane: view.plane.clone(), named: view.named, pinned: view.pinned };
        if view.edition.get(cursor.last).is_none() {
            return Err(refuse());
        }
        Ok((view, Some(cursor.last)))
    }
}

/// Which relatives of a concept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relatives {
    /// The concepts directly below.
    Children,
    /// Everything below.
    Descendants,
    /// Everything above, nearest first.
    Ancestors,
}

fn check_limit(limit: usize) -> Result<()> {
    if (1..=LARGEST_PAGE).contains(&limit) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::InvalidParameter,
        format!("{limit} er ikke et lovligt antal"),
        format!("{limit} is not a lawful number"),
    )
    .at(Place::field("limit"))
    .allowed([format!("1..{LARGEST_PAGE}")]))
}

fn page<'a>(
    all: impl Iterator<Item = Entry<'a>>,
    view: &View,
    last: Option<Uuid>,
    limit: usize,
    check: u32,
    language: &str,
) -> Result<Page> {
    let (mut total, mut passed, mut more) = (0, last.is_none(), false);
    let mut concepts: Vec<ConceptAnswer> = Vec::new();
    for entry in all {
        total += 1;
        if !passed {
            passed = last == Some(entry.uuid());
        } else if concepts.len() < limit {
            concepts.push(concept_here(view, entry, language));
        } else {
            more = true;
        }
    }
    let point = view.edition.point();
    let next = concepts.last().filter(|_| more).map(|c| Cursor { point, last: c.uuid, check });
    Ok(Page { concepts, total, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_as_klass_has_them() {
        let is_code = |c: &str| c == "A-1" || c == "§ 5, stk. 2";
        let have = |pattern: &str, code: &str| Codes::parse(pattern, is_code).unwrap().have(code);
        for (pattern, code, expected) in [
            ("J1.4", "J1.4", true),
            ("J1.4", "J1.40", false),
            ("J1*", "J1.4", true),
            ("J1*", "J2", false),
            ("*4", "J1.4", true),
            ("J*4", "J1.4", true),
            ("J*.*4", "J1.4", true),
            ("J*.*5", "J1.4", false),
            ("J1,J2", "J2", true),
            ("J1.1-J1.3", "J1.2", true),
            ("J1.1-J1.3", "J1.4", false),
            ("J1.1-J1*", "J1.4", true),
            ("J1.1-J1*", "J2", false),
            ("A-1", "A-1", true),
            ("A-1", "B", false),
            ("§ 5, stk. 2", "§ 5, stk. 2", true),
            ("§ 5, stk. 2", "§ 5", false),
            (r"§ 5\, stk. 2,B", "§ 5, stk. 2", true),
            (r"§ 5\, stk. 2,B", "B", true),
        ] {
            assert_eq!(have(pattern, code), expected, "{pattern} {code}");
        }
        assert!(Codes::parse("a,,b", |_| false).is_err());
    }

    #[test]
    fn a_cursor_reads_what_it_writes_and_nothing_else() {
        let point = Point { valid: Instant::BEGINNING, registered: Instant::from_micros(7) };
        let cursor = Cursor { point, last: Uuid::from_u128(5), check: 9 };
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        for wrong in ["", "x", "1.2.3", "....", "1.1.00000000000000000000000000000005.9.9"] {
            assert_eq!(Cursor::decode(wrong), None, "{wrong}");
        }
    }
}
