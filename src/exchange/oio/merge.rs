//! What a given object makes of the one that is there: the merge rules of Ret (docs/oio.md, "Writing"). Pure.

use std::collections::BTreeMap;

use super::incoming::{Given, GivenEgenskab};
use super::{Egenskab, Element, Indhold, Kind, Relation, Tilstand, Virkning};
use crate::model::{Code, Period, Place, Refusal, Result};

/// A whole object, as Opret and Importer take it: nothing of what was there before stays.
///
/// # Errors
/// [`Code::InvalidBody`] where something mandatory is missing or elements overlap.
pub fn whole(kind: Kind, given: Given) -> Result<Indhold> {
    let needed = [
        (given.attributter.as_ref().is_none_or(Vec::is_empty), "attributter", kind.egenskaber()),
        (given.tilstande.as_ref().is_none_or(Vec::is_empty), "tilstande", kind.publiceret()),
    ];
    for (missing, group, name) in needed {
        if missing {
            let (da, en) = (format!("»{name}« mangler i {group}"), format!("'{name}' is missing in {group}"));
            return Err(refused(da, en).at(Place::field(format!("{group}.{name}"))));
        }
    }
    update(kind, Indhold::default(), given)
}

/// What Ret makes of an object: what is given takes the place of what is there over its own periods, and nowhere else.
///
/// # Errors
/// [`Code::InvalidBody`] where given elements overlap, or where attributes would lack a mandatory field.
pub fn update(kind: Kind, old: Indhold, given: Given) -> Result<Indhold> {
    let Indhold { attributter, tilstande, mut relationer } = old;
    let attributter = match given.attributter {
        None => attributter,
        // An empty list clears the group, for all time.
        Some(given) if given.is_empty() => Vec::new(),
        Some(given) => attributes(kind, attributter, given)?,
    };
    let tilstande = match given.tilstande {
        None => tilstande,
        Some(given) if given.is_empty() => Vec::new(),
        Some(given) => {
            let name = format!("tilstande.{}", kind.publiceret());
            let given = given.into_iter().map(|(publiceret, virkning)| {
                (virkning.clone(), publiceret.map(|publiceret| Tilstand { publiceret, virkning }))
            });
            replaced(tilstande, given.collect(), &name)?
        }
    };
    for (name, list) in given.relationer {
        let list = list.into_iter().map(|(til, virkning)| {
            (virkning.clone(), til.map(|(til, objekttype)| Relation { til, objekttype, virkning }))
        });
        let list: Vec<(Virkning, Option<Relation>)> = list.collect();
        let old = relationer.remove(name).unwrap_or_default();
        let new = if kind.single().contains(&name) {
            replaced(old, list, &format!("relationer.{name}"))?
        } else {
            // A list takes the place of the whole list; a blank element is how an empty one is written.
            list.into_iter().filter_map(|(_, relation)| relation).collect()
        };
        relationer.insert(name, new);
    }
    let mut new = Indhold { attributter, tilstande, relationer };
    new.sort(kind);
    Ok(new)
}

/// Attributes overlaid: over the periods that are given, the fields that are given; elsewhere what was there.
fn attributes(kind: Kind, old: Vec<Egenskab>, given: Vec<GivenEgenskab>) -> Result<Vec<Egenskab>> {
    let name = format!("attributter.{}", kind.egenskaber());
    disjoint(given.iter().map(|g| g.virkning.period), &name)?;
    let mut new = Vec::new();
    for (i, g) in given.iter().enumerate() {
        let mut free = vec![g.virkning.period];
        for o in &old {
            let Some(period) = o.virkning.period.intersect(g.virkning.period) else { continue };
            free = free.into_iter().flat_map(|f| outside(f, o.virkning.period)).collect();
            new.push(overlaid(kind, Some(o), g, period).map_err(|r| r.at(Place::field(format!("{name}[{i}]"))))?);
        }
        for period in free {
            new.push(overlaid(kind, None, g, period).map_err(|r| r.at(Place::field(format!("{name}[{i}]"))))?);
        }
    }
    let given: Vec<Period> = given.iter().map(|g| g.virkning.period).collect();
    new.extend(uncovered(old, &given));
    Ok(new)
}

fn overlaid(kind: Kind, old: Option<&Egenskab>, given: &GivenEgenskab, period: Period) -> Result<Egenskab> {
    let mut fields = old.map(|o| o.fields.clone()).unwrap_or_default();
    for (name, text) in &given.fields {
        // An empty text clears the field.
        if text.is_empty() {
            fields.remove(name)
        } else {
            fields.insert(name, text.clone())
        };
    }
    let words = given.soegeord.clone().or_else(|| old.map(|o| o.soegeord.clone()));
    if let Some(missing) = kind.mandatory().iter().find(|m| !fields.contains_key(*m)) {
        let from = period.from();
        return Err(refused(
            format!("»{missing}« mangler fra {from}, hvor der ikke er nogen at arve den fra"),
            format!("'{missing}' is missing from {from} on, where there is none to inherit"),
        )
        .allowed([(*missing).to_owned()]));
    }
    let virkning = Virkning { period, ..given.virkning.clone() };
    Ok(Egenskab { fields, soegeord: words.unwrap_or_default(), virkning })
}

/// Elements of which only one holds at a time: those that are given over their periods, elsewhere those that were there.
fn replaced<E: Element + Clone>(old: Vec<E>, given: Vec<(Virkning, Option<E>)>, name: &str) -> Result<Vec<E>> {
    disjoint(given.iter().map(|(virkning, _)| virkning.period), name)?;
    let periods: Vec<Period> = given.iter().map(|(virkning, _)| virkning.period).collect();
    let kept = uncovered(old, &periods);
    Ok(given.into_iter().filter_map(|(_, element)| element).chain(kept).collect())
}

/// What of some elements lies outside some periods; each piece says what it said.
fn uncovered<E: Element + Clone>(old: Vec<E>, periods: &[Period]) -> Vec<E> {
    let piece = |element: E| {
        let whole = element.virkning().clone();
        let rest =
            periods.iter().fold(vec![whole.period], |left, p| left.into_iter().flat_map(|l| outside(l, *p)).collect());
        rest.into_iter()
            .map(move |period| element.clone().over(Virkning { period, ..whole.clone() }))
            .collect::<Vec<_>>()
    };
    old.into_iter().flat_map(piece).collect()
}

fn outside(whole: Period, other: Period) -> impl Iterator<Item = Period> {
    if whole.overlaps(other) {
        [whole.before(other.from()), whole.after(other.to())].into_iter().flatten()
    } else {
        [Some(whole), None].into_iter().flatten()
    }
}

fn disjoint(periods: impl Iterator<Item = Period>, name: &str) -> Result<()> {
    let mut periods: Vec<Period> = periods.collect();
    periods.sort_unstable();
    if periods.windows(2).all(|w| !w[0].overlaps(w[1])) {
        return Ok(());
    }
    let (da, en) = ("virkningerne i listen overlapper", "the given array has overlapping virknings");
    Err(refused(da, en).at(Place::field(name)))
}

fn refused(da: impl Into<String>, en: impl Into<String>) -> Refusal {
    Refusal::new(Code::InvalidBody, da, en)
}

/// What holds of an object over one period, in which nothing changes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Section {
    /// The attributes; their virkning is the section's, with its own hand.
    pub egenskab: Option<Egenskab>,
    /// The state.
    pub tilstand: Option<Tilstand>,
    /// The relations.
    pub relationer: BTreeMap<&'static str, Vec<Relation>>,
}

impl Section {
    /// Whether nothing holds.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An object cut at every instant at which something of it changes, and at some more.
#[must_use]
pub fn sections(object: &Indhold, more: impl Iterator<Item = Period>) -> Vec<(Period, Section)> {
    let relations = || object.relationer.values().flatten();
    let periods = (object.attributter.iter().map(|e| e.virkning.period))
        .chain(object.tilstande.iter().map(|t| t.virkning.period))
        .chain(relations().map(|r| r.virkning.period))
        .chain(more);
    let edges: std::collections::BTreeSet<_> = periods.flat_map(|p| [p.from(), p.to()]).collect();
    let edges: Vec<_> = edges.into_iter().collect();
    let cut = |w: &[_]| {
        let period = Period::between(w[0], w[1])?;
        let here = |v: &Virkning| v.period.contains(period.from());
        let over = |v: &Virkning| Virkning { period, ..v.clone() };
        let relationer = object.relationer.iter().filter_map(|(name, list)| {
            let list: Vec<Relation> =
                list.iter().filter(|r| here(&r.virkning)).map(|r| r.clone().over(over(&r.virkning))).collect();
            (!list.is_empty()).then_some((*name, list))
        });
        let egenskab = object.attributter.iter().find(|e| here(&e.virkning));
        let tilstand = object.tilstande.iter().find(|t| here(&t.virkning));
        let section = Section {
            egenskab: egenskab.map(|e| e.clone().over(over(&e.virkning))),
            tilstand: tilstand.map(|t| t.clone().over(over(&t.virkning))),
            relationer: relationer.collect(),
        };
        Some((period, section))
    };
    edges.windows(2).filter_map(cut).collect()
}

#[cfg(test)]
mod tests;
