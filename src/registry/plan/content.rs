//! The lawful content of each entry of a file, with targets resolved and ranks given.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use uuid::Uuid;

use super::Matched;
use super::base::Base;
use super::order::{acyclic, preorder, ranks};
use crate::exchange::{Incoming, IncomingConcept, Key};
use crate::model::{Code, Content, Refusal, RelationKind, Result};

/// The contents, in the order of the edition.
///
/// # Errors
/// [`Code::UnknownTarget`], [`Code::Cycle`], [`Code::TooDeep`] or what [`Content::new`] refuses, with the place
/// in the file.
pub(super) fn contents(
    incoming: &mut Incoming,
    matches: &[(Uuid, Matched)],
    base: &Base<'_>,
) -> Result<Vec<(Uuid, Arc<Content>)>> {
    let concepts = std::mem::take(&mut incoming.concepts);
    let mut by_key: HashMap<Key, Uuid> = HashMap::new();
    for (concept, (uuid, _)) in concepts.iter().zip(matches) {
        let own = [Key(uuid.to_string())];
        by_key.extend(concept.keys.iter().cloned().chain(own).map(|key| (key, *uuid)));
    }
    let places: Vec<_> = concepts.iter().map(|c| c.place.clone()).collect();
    let mut contents = Vec::with_capacity(matches.len());
    for (concept, (uuid, _)) in concepts.into_iter().zip(matches) {
        contents.push((*uuid, content(concept, &by_key, base)?));
    }
    acyclic(&contents, &places)?;
    let order = preorder(&contents);
    let ranks = ranks(order.iter().map(|&i| contents[i as usize].0), base);
    let mut contents: Vec<Option<(Uuid, Content)>> = contents.into_iter().map(Some).collect();
    let ordered = order.into_iter().zip(ranks).filter_map(|(i, rank)| {
        let (uuid, content) = contents[i as usize].take()?;
        Some((uuid, Arc::new(content.ranked(rank))))
    });
    Ok(ordered.collect())
}

/// Whether canonical JSON holds control characters other than tab and line breaks: those alone are written as
/// `\\u00xx`, `\\b` or `\\f`. XML cannot hold them, and terminals obey them.
fn has_controls(canonical: &str) -> bool {
    let mut bytes = canonical.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'\\' && matches!(bytes.next(), Some(b'u' | b'b' | b'f')) {
            return true;
        }
    }
    false
}

fn content(concept: IncomingConcept, by_key: &HashMap<Key, Uuid>, base: &Base<'_>) -> Result<Content> {
    let (place, fields) = (concept.place, concept.content);
    // What is replaced is no longer in the file; the registry remembers it.
    let replaces = fields.relations.iter().filter(|r| r.kind == RelationKind::Replaces);
    let replaced: HashSet<Key> = replaces.map(|r| r.target.clone()).collect();
    let resolve = |key: Key| {
        let known = by_key.get(&key).copied().or_else(|| {
            let once = base.of_former(&key.0).first().copied().filter(|_| replaced.contains(&key));
            let uuid = Uuid::try_parse(&key.0).ok();
            // A uuid names a concept for ever, also one that this registry has not seen: an edition that
            // replaces it may be imported without the edition that had it.
            once.or_else(|| uuid.filter(|u| replaced.contains(&key) || base.is_known(*u)))
        });
        known.ok_or_else(|| {
            Refusal::new(
                Code::UnknownTarget,
                format!("begrebet »{}« findes ikke", key.0),
                format!("there is no concept '{}'", key.0),
            )
        })
    };
    let lawful = || {
        let mut fields = fields.try_map_targets(resolve)?;
        // Two names of one target may have been given, each with the same relation.
        fields.relations.sort_by(|a, b| (a.kind, a.target).cmp(&(b.kind, b.target)).then_with(|| b.cmp(a)));
        fields.relations.dedup_by(|next, kept| {
            (next.kind, next.target) == (kept.kind, kept.target) && next.criterion.is_empty() && next.role.is_empty()
        });
        // What is in an edition is published.
        if let Some(oio) = &mut fields.oio {
            oio.publiceret = None;
        }
        let content = Content::new(fields)?;
        if has_controls(&content.canonical()) {
            return Err(Refusal::new(
                Code::InvalidText,
                "en tekst indeholder styretegn",
                "a text holds control characters",
            )
            .allowed(["tab and line breaks"]));
        }
        Ok(content)
    };
    lawful().map_err(|r| r.at(place))
}
