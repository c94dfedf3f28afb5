//! What must hold of every edition, held over a period of one concept: its codes are its own, and it is not its own
//! ancestor.

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
pub(super) fn hierarchy(plane: &Plane, uuid: Uuid, period: Period, content: &Content) -> Result<()> {
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
        let below = if is_new { 1 } else { below(plane, uuid, at) };
        if above.unwrap_or(0) + below > DEEPEST {
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

/// How many levels there are from a concept down, itself among them.
fn below(plane: &Plane, uuid: Uuid, at: Instant) -> usize {
    let mut children: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for (child, _) in plane.concepts() {
        for parent in said(plane, child, at).map_or(&[][..], |s| &s.parents) {
            children.entry(*parent).or_default().push(child);
        }
    }
    let (mut level, mut levels) = (vec![uuid], 0);
    while !level.is_empty() && levels <= DEEPEST {
        levels += 1;
        let mut next: Vec<Uuid> = level.iter().filter_map(|u| children.get(u)).flatten().copied().collect();
        next.sort_unstable();
        next.dedup();
        level = next;
    }
    levels
}
