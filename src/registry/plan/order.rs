//! The hierarchy of an edition: it has no cycle, and every concept gets its place in the order.

use std::collections::HashMap;

use uuid::Uuid;

use super::base::Base;
use crate::exchange::DEEPEST;
use crate::model::{Code, Content, Place, Refusal, Result};
use crate::projection::Tree;

/// The distance between the ranks of neighbours when ranks are first given, so that others fit between.
const SPACE: i64 = 1 << 16;

/// No concept is its own ancestor, and none is deeper than [`DEEPEST`]: Kahn's order from the top.
pub(super) fn acyclic(contents: &[(Uuid, Content)], places: &[Place]) -> Result<()> {
    let place: HashMap<Uuid, usize> = contents.iter().enumerate().map(|(i, (u, _))| (*u, i)).collect();
    let parents: Vec<Vec<usize>> =
        contents.iter().map(|(_, c)| c.parents().filter_map(|p| place.get(&p).copied()).collect()).collect();
    let mut waiting: Vec<usize> = parents.iter().map(Vec::len).collect();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); contents.len()];
    for (child, parents) in parents.iter().enumerate() {
        parents.iter().for_each(|&p| children[p].push(child));
    }
    let mut level = vec![1; contents.len()];
    let mut ready: Vec<usize> = (0..contents.len()).filter(|&i| waiting[i] == 0).collect();
    let mut done = 0;
    while let Some(i) = ready.pop() {
        done += 1;
        for &child in &children[i] {
            level[child] = level[child].max(level[i] + 1);
            waiting[child] -= 1;
            if waiting[child] == 0 {
                ready.push(child);
            }
        }
    }
    let name = |i: usize| {
        let (uuid, content) = &contents[i];
        content.fields().notation.clone().unwrap_or_else(|| uuid.to_string())
    };
    if let Some(i) = (done < contents.len()).then(|| waiting.iter().position(|&w| w > 0)).flatten() {
        // Every concept that still waits has a parent that waits: following those leads into a cycle.
        let (mut path, mut at) = (vec![i], i);
        let start = loop {
            at = parents[at].iter().copied().find(|&p| waiting[p] > 0).unwrap_or(at);
            if let Some(start) = path.iter().position(|&p| p == at) {
                break start;
            }
            path.push(at);
        };
        return Err(Refusal::new(
            Code::Cycle,
            format!("begrebet »{}« er sit eget overbegreb", name(at)),
            format!("the concept '{}' is its own ancestor", name(at)),
        )
        .items(path[start..].iter().take(100).map(|&i| name(i)))
        .at(places[i].clone()));
    }
    match level.iter().position(|&l| l > DEEPEST) {
        None => Ok(()),
        Some(i) => Err(Refusal::new(
            Code::TooDeep,
            format!("begrebet »{}« ligger dybere end {DEEPEST} niveauer", name(i)),
            format!("the concept '{}' lies deeper than {DEEPEST} levels", name(i)),
        )
        .allowed([format!("at most {DEEPEST} levels")])
        .at(places[i].clone())),
    }
}

/// The positions of an edition's concepts in its order: parents before children, siblings as in the file.
pub(super) fn preorder(contents: &[(Uuid, Content)]) -> Vec<u32> {
    let place: HashMap<Uuid, u32> = contents.iter().map(|(u, _)| *u).zip(0..).collect();
    let parents: Vec<Vec<u32>> =
        contents.iter().map(|(_, c)| c.parents().filter_map(|p| place.get(&p).copied()).collect()).collect();
    Tree::build(&parents).0
}

/// Ranks for concepts in their order. Concepts that keep their order keep their rank, so an insertion is not a
/// change of everything after it: a longest run of ranks that already ascend stays, the others are placed
/// in the gaps.
pub(super) fn ranks(concepts: impl Iterator<Item = Uuid>, base: &Base<'_>) -> Vec<i64> {
    let held: Vec<Option<i64>> = concepts.map(|u| base.contents.get(&u).and_then(|c| c.fields().rank)).collect();
    let kept = longest_ascent(&held);
    let mut ranks: Vec<Option<i64>> = held.iter().zip(&kept).map(|(r, keep)| r.filter(|_| *keep)).collect();
    let mut i = 0;
    while i < ranks.len() {
        if ranks[i].is_some() {
            i += 1;
            continue;
        }
        let end = (i..ranks.len()).find(|&j| ranks[j].is_some()).unwrap_or(ranks.len());
        let new = (end - i) as i64;
        let low = if i == 0 { None } else { ranks[i - 1] };
        let high = ranks.get(end).copied().flatten();
        let (start, step) = match (low, high) {
            (None, None) => (0, SPACE),
            (Some(low), None) => (low, SPACE),
            (None, Some(high)) => (high - SPACE * (new + 1), SPACE),
            (Some(low), Some(high)) => (low, (high - low) / (new + 1)),
        };
        if step == 0 {
            // No room: everyone is placed anew.
            return (1..=ranks.len() as i64).map(|n| n * SPACE).collect();
        }
        for (k, rank) in ranks[i..end].iter_mut().enumerate() {
            *rank = Some(start + step * (k as i64 + 1));
        }
        i = end;
    }
    ranks.into_iter().map(Option::unwrap_or_default).collect()
}

/// Which positions belong to a longest strictly ascending run.
fn longest_ascent(values: &[Option<i64>]) -> Vec<bool> {
    let mut tails: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; values.len()];
    for (i, value) in values.iter().enumerate().filter_map(|(i, v)| v.map(|v| (i, v))) {
        let at = tails.partition_point(|&t| values[t].is_some_and(|v| v < value));
        before[i] = (at > 0).then(|| tails[at - 1]);
        if at == tails.len() { tails.push(i) } else { tails[at] = i }
    }
    let mut kept = vec![false; values.len()];
    let mut at = tails.last().copied();
    while let Some(i) = at {
        kept[i] = true;
        at = before[i];
    }
    kept
}
