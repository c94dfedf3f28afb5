//! Which concept each entry of a file is. Nothing is guessed: what is in doubt is refused with a list.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::super::identity::paths;
use super::base::Base;
use super::{Matched, Wish};
use crate::exchange::IncomingConcept;
use crate::model::{Code, Refusal, Result};

/// How a refusal calls an entry.
fn name(concept: &IncomingConcept) -> &str {
    concept.keys.first().map_or("?", |k| k.0.as_str())
}

/// The codes that an entry goes by.
fn codes(concept: &IncomingConcept) -> impl Iterator<Item = &str> {
    concept.keys.iter().map(|k| k.0.as_str()).chain(concept.content.notation.as_deref())
}

/// No two entries have one code.
///
/// # Errors
/// [`Code::DuplicateCode`] with the place of the second.
pub(super) fn unique(concepts: &[IncomingConcept]) -> Result<()> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (i, concept) in concepts.iter().enumerate() {
        let aliases = concept.content.aliases.iter().map(|a| a.value.as_str());
        for code in codes(concept).chain(aliases) {
            if seen.insert(code, i).is_some_and(|other| other != i) {
                return Err(Refusal::new(
                    Code::DuplicateCode,
                    format!("to begreber har koden »{code}«"),
                    format!("two concepts have the code '{code}'"),
                )
                .at(concept.place.clone()));
            }
        }
    }
    Ok(())
}

/// Decides which concept each entry is.
///
/// # Errors
/// [`Code::Doubt`] with one line for each entry in doubt.
pub(super) fn matches(concepts: &[IncomingConcept], base: &Base<'_>, wish: &Wish<'_>) -> Result<Vec<(Uuid, Matched)>> {
    let mut doubts = Vec::new();
    let told: Vec<Option<(Uuid, Matched)>> = concepts.iter().map(|c| told(c, wish)).collect();
    let told_of: HashSet<Uuid> = told.iter().flatten().map(|(uuid, _)| *uuid).collect();
    let mut found = Vec::with_capacity(concepts.len());
    for (concept, told) in concepts.iter().zip(told) {
        let by_code: HashSet<Uuid> = codes(concept).flat_map(|k| base.of_code(k)).copied().collect();
        match told {
            Some((uuid, how)) => {
                // A code may move from one concept to another when the file says who both are.
                let other = by_code.iter().find(|o| **o != uuid && !told_of.contains(o));
                if let Some(other) = other.filter(|_| !wish.accept_new) {
                    doubts.push(format!("{}: the file says {uuid}, but the code names {other} already", name(concept)));
                }
                found.push((uuid, how));
            }
            None => match by_codes(concept, &by_code, base, wish) {
                Ok(one) => found.push(one),
                Err(doubt) => doubts.push(doubt),
            },
        }
    }
    if doubts.is_empty() {
        doubts = collisions(concepts, &found);
    }
    if doubts.is_empty() && !wish.accept_new {
        doubts = look_alikes(concepts, &found, base);
    }
    if doubts.is_empty() {
        return Ok(found);
    }
    Err(Refusal::new(
        Code::Doubt,
        format!("det kan ikke afgøres, hvilket begreb {} af filens indgange er", doubts.len()),
        format!("it cannot be decided which concept {} entries of the file are", doubts.len()),
    )
    .items(doubts)
    .allowed(["--identity FILE (made by: begreb identity FILE)", "--accept-new when they are new concepts"]))
}

/// What the identity file or the file itself says outright.
fn told(concept: &IncomingConcept, wish: &Wish<'_>) -> Option<(Uuid, Matched)> {
    let by_file = codes(concept).find_map(|k| wish.identity.get(k)).map(|u| (u, Matched::Identity));
    by_file.or(concept.uuid.map(|u| (u, Matched::Uuid)))
}

/// The concept that an entry's codes name: in force, else once, else a new one.
fn by_codes(
    concept: &IncomingConcept,
    by_code: &HashSet<Uuid>,
    base: &Base<'_>,
    wish: &Wish<'_>,
) -> Result<(Uuid, Matched), String> {
    let by_former: HashSet<Uuid> = codes(concept).flat_map(|k| base.of_former(k)).copied().collect();
    let only = |set: &HashSet<Uuid>| set.iter().next().copied();
    match (by_code.len(), by_former.len()) {
        (0, 0) => Ok((Uuid::new_v5(&wish.vocabulary, name(concept).as_bytes()), Matched::Created)),
        (0, 1) => Ok((only(&by_former).unwrap_or_default(), Matched::FormerCode)),
        (0, n) => Err(format!("{}: its codes once named {n} concepts", name(concept))),
        (1, _) => Ok((only(by_code).unwrap_or_default(), Matched::Code)),
        (n, _) => Err(format!("{}: its codes name {n} concepts", name(concept))),
    }
}

/// Entries that would be the same concept.
fn collisions(concepts: &[IncomingConcept], found: &[(Uuid, Matched)]) -> Vec<String> {
    let mut seen: HashMap<Uuid, &str> = HashMap::new();
    let mut collisions = Vec::new();
    for (concept, (uuid, _)) in concepts.iter().zip(found) {
        if let Some(other) = seen.insert(*uuid, name(concept)) {
            collisions.push(format!("{other} and {}: both are {uuid}", name(concept)));
        }
    }
    collisions
}

/// New entries that look just like concepts that would vanish: the same path of titles, or the same title
/// and definition.
fn look_alikes(concepts: &[IncomingConcept], found: &[(Uuid, Matched)], base: &Base<'_>) -> Vec<String> {
    let taken: HashSet<Uuid> = found.iter().map(|(u, _)| *u).collect();
    let mut by_path: HashMap<Vec<&str>, Uuid> = HashMap::new();
    let mut by_text: HashMap<(&str, &str), Uuid> = HashMap::new();
    for (uuid, content) in base.contents.iter().filter(|(u, _)| !taken.contains(u)) {
        by_path.insert(base.path(*uuid), *uuid);
        if let Some(d) = content.fields().definitions.first() {
            by_text.insert((content.label("da"), &d.text), *uuid);
        }
    }
    if by_path.is_empty() {
        return Vec::new();
    }
    let paths = paths(concepts);
    let mut alike = Vec::new();
    for ((concept, (uuid, _)), path) in concepts.iter().zip(found).zip(&paths) {
        if base.contents.contains_key(uuid) {
            continue;
        }
        let text = concept.content.definitions.first().map(|d| (path[path.len() - 1], d.text.trim()));
        let other = by_path.get(path).or_else(|| text.and_then(|t| by_text.get(&t)));
        if let Some(other) = other {
            let notation = base.contents[other].fields().notation.clone().unwrap_or_else(|| other.to_string());
            alike.push(format!(
                "{}: looks like {notation}, which the file does not have ({})",
                name(concept),
                path.join(" › ")
            ));
        }
    }
    alike
}
