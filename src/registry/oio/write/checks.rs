//! What must hold of every edition, held over a period of one concept: its codes are its own, and it is not its own
//! ancestor.

use std::cell::OnceCell;
use std::collections::HashMap;

use uuid::Uuid;

use crate::exchange::DEEPEST;
use crate::model::{Code, Content, Instant, Period, Place, Refusal, Result};
use crate::projection::{Plane, Said, Saying};

/// Nobody else goes by a code of the content at any time of a period.
///
/// # Errors
/// [`Code::DuplicateCode`].
pub(super) fn unique(plane: &Plane, uuid: Uuid, period: Period, content: &Content) -> Result<()> {
    let fields = content.fields();
    let codes = fields.notation.iter().chain(fields.aliases.iter().map(|a| &a.value));
    let mut codes = codes.map(String::as_str);
    let taken = codes.find_map(|code| {
        let here = |s: &std::sync::Arc<Saying>| {
            s.state.is_current() && s.state.valid().overlaps(period) && s.state.content().is_called(code)
        };
        let published = plane.called(code).iter().copied().filter(|other| *other != uuid);
        let shown = published.into_iter().find(|other| plane.sayings(*other).iter().any(here));
        let kept = || plane.unpublished().filter(|(other, _)| *other != uuid).find(|(_, all)| all.iter().any(here));
        shown.or_else(|| kept().map(|(other, _)| other)).map(|other| (code, other))
    });
    match taken {
        None => Ok(()),
        Some((code, other)) => Err(Refusal::new(
            Code::DuplicateCode,
            format!("koden »{code}« har {other} i samme periode"),
            format!("the code '{code}' is that of {other} in the same period"),
        )
        .at(Place::field("brugervendtnoegle"))),
    }
}

/// The concept is not its own ancestor, and the hierarchy with it is not too deep, at any time of a period.
///
/// # Errors
/// [`Code::Cycle`], [`Code::TooDeep`].
pub(super) fn hierarchy(plane: &Plane, below: &Below<'_>, period: Period, content: &Content) -> Result<()> {
    let uuid = below.uuid;
    let parents: Vec<Uuid> = content.parents().collect();
    if parents.is_empty() || !content.is_published() {
        return Ok(());
    }
    let now: Vec<&[Uuid]> = (plane.sayings(uuid).iter())
        .filter(|s| s.state.is_current() && s.state.valid().overlaps(period))
        .map(|s| &*s.state.content().parents)
        .collect();
    let whole = |p: &[Uuid]| p.len() == parents.len() && parents.iter().all(|x| p.contains(x));
    let covers = plane.sayings(uuid).iter().any(|s| {
        let valid = s.state.valid();
        s.state.is_current() && valid.from() <= period.from() && period.to() <= valid.to()
    });
    if covers && now.iter().all(|p| whole(p)) {
        // It stays where it was.
        return Ok(());
    }
    let is_new = plane.sayings(uuid).is_empty();
    let edges = plane.valid_edges().iter().copied().filter(|at| period.contains(*at));
    for at in std::iter::once(period.from()).chain(edges) {
        let mut seen = HashMap::new();
        let above = parents.iter().map(|p| above(plane, *p, uuid, at, &mut seen)).max().unwrap_or(Some(0));
        // `None` is the greatest misfortune, and sorts first: look for it by itself.
        let cycle = seen.values().any(Option::is_none) || parents.contains(&uuid);
        let name = content.fields().notation.clone().unwrap_or_else(|| uuid.to_string());
        if cycle {
            return Err(Refusal::new(
                Code::Cycle,
                format!("»{name}« bliver sit eget overbegreb"),
                format!("'{name}' becomes its own ancestor"),
            )
            .at(Place::field("relationer.overordnetklasse")));
        }
        let levels = if is_new { 1 } else { below.levels(at, DEEPEST.saturating_sub(above.unwrap_or(0))) };
        if above.unwrap_or(0) + levels > DEEPEST {
            return Err(Refusal::new(
                Code::TooDeep,
                format!("»{name}« ligger dybere end {DEEPEST} niveauer"),
                format!("'{name}' lies deeper than {DEEPEST} levels"),
            )
            .at(Place::field("relationer.overordnetklasse"))
            .allowed([format!("at most {DEEPEST} levels")]));
        }
    }
    Ok(())
}

/// What is said of a concept at an instant, as known now.
fn said(plane: &Plane, uuid: Uuid, at: Instant) -> Option<&Said> {
    let state = plane.sayings(uuid).iter().find(|s| s.state.is_current() && s.state.valid().contains(at))?;
    Some(state.state.content())
}

/// How many levels there are from a concept to the top, itself among them; nothing when the way leads to `end`. What is
/// laid down has no cycle and at most [`DEEPEST`] levels, so this ends.
fn above(plane: &Plane, uuid: Uuid, end: Uuid, at: Instant, seen: &mut HashMap<Uuid, Option<usize>>) -> Option<usize> {
    if uuid == end {
        return None;
    }
    if let Some(known) = seen.get(&uuid) {
        return *known;
    }
    let Some(here) = said(plane, uuid, at) else { return Some(0) };
    let mut levels = Some(0);
    for parent in &here.parents {
        levels = match (levels, above(plane, *parent, end, at, seen)) {
            (Some(a), Some(b)) => Some(a.max(b)),
            _ => None,
        };
    }
    let levels = levels.map(|n| n + 1);
    seen.insert(uuid, levels);
    levels
}

/// Those that were ever directly below a concept, by that concept.
type Children = HashMap<Uuid, Vec<Uuid>>;

/// What stands below a concept, as known now: read once for all dates that are asked for.
pub(super) struct Below<'p> {
    plane: &'p Plane,
    uuid: Uuid,
    /// The children, and the most levels that there can be at any time.
    ever: OnceCell<(Children, Option<usize>)>,
}

impl<'p> Below<'p> {
    /// What stands below a concept.
    pub(super) fn of(plane: &'p Plane, uuid: Uuid) -> Self {
        Self { plane, uuid, ever: OnceCell::new() }
    }

    fn ever(&self) -> &(Children, Option<usize>) {
        self.ever.get_or_init(|| {
            let mut children = Children::new();
            for (child, sayings) in self.plane.concepts() {
                for parent in sayings.iter().filter(|s| s.state.is_current()).flat_map(|s| &s.state.content().parents) {
                    let list = children.entry(*parent).or_default();
                    if list.last() != Some(&child) {
                        list.push(child);
                    }
                }
            }
            let most = longest(&children, self.uuid, DEEPEST, &mut HashMap::new());
            (children, most)
        })
    }

    /// How many levels there are from the concept down at an instant, itself among them; more than there are where the
    /// limit is kept all the same.
    fn levels(&self, at: Instant, limit: usize) -> usize {
        let (children, most) = self.ever();
        if let Some(most) = most.filter(|most| *most <= limit) {
            return most;
        }
        let is_below = |child: &Uuid, parent: &Uuid| {
            said(self.plane, *child, at).is_some_and(|said| said.parents.contains(parent))
        };
        let (mut level, mut levels) = (vec![self.uuid], 0);
        while !level.is_empty() && levels <= DEEPEST {
            levels += 1;
            let below = level.iter().flat_map(|parent| {
                let ever = children.get(parent).into_iter().flatten();
                ever.filter(move |child| is_below(child, parent)).copied()
            });
            let mut next: Vec<Uuid> = below.collect();
            next.sort_unstable();
            next.dedup();
            level = next;
        }
        levels
    }
}

/// How many levels there are from a concept down when all that was ever below another is; nothing when those are more
/// than `left`, as they are when two were below each other at different times.
fn longest(
    children: &HashMap<Uuid, Vec<Uuid>>,
    uuid: Uuid,
    left: usize,
    known: &mut HashMap<Uuid, usize>,
) -> Option<usize> {
    let left = left.checked_sub(1)?;
    if let Some(known) = known.get(&uuid) {
        return Some(*known).filter(|levels| *levels <= left + 1);
    }
    let mut levels = 0;
    for child in children.get(&uuid).into_iter().flatten() {
        levels = levels.max(longest(children, *child, left, known)?);
    }
    known.insert(uuid, levels + 1);
    Some(levels + 1)
}
