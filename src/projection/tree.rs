//! The hierarchy of an edition. Concepts are numbered in preorder of a spanning tree, parents before
//! children and siblings by rank. Every concept carries the intervals of numbers that lie below it, so a
//! subtree test is a search in a short sorted list and a subtree is a few slices, also where a concept has
//! several parents (Agrawal, Borgida and Jagadish 1989).

use std::ops::Range;

/// A hierarchy over `0..n`.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    parents: Lists,
    children: Lists,
    /// For each number, the disjoint, sorted intervals that cover itself and everything below.
    below: Lists,
    levels: Box<[u16]>,
}

/// Lists of numbers, one after another.
#[derive(Debug, Default)]
struct Lists {
    starts: Box<[u32]>,
    items: Box<[u32]>,
}

impl Lists {
    fn new(lists: impl Iterator<Item = Vec<u32>>) -> Self {
        let (mut starts, mut items) = (vec![0], Vec::new());
        for list in lists {
            items.extend(list);
            starts.push(count(items.len()));
        }
        Self { starts: starts.into(), items: items.into() }
    }

    fn of(&self, i: u32) -> &[u32] {
        &self.items[self.starts[i as usize] as usize..self.starts[i as usize + 1] as usize]
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).expect("a vocabulary has fewer than 2^32 concepts")
}

impl Tree {
    /// Builds the hierarchy of `n` concepts from their parents. The concepts must already be ordered as
    /// siblings are to be; parents that are missing are left out. The answer gives, for each new number, the
    /// old one. Concepts on a cycle (which no lawful edition has) hang on the first of them.
    pub fn build(parents: &[Vec<u32>]) -> (Vec<u32>, Self) {
        let n = parents.len();
        let mut children: Vec<Vec<u32>> = vec![Vec::new(); n];
        for (child, parents) in parents.iter().enumerate() {
            for &parent in parents {
                children[parent as usize].push(count(child));
            }
        }
        let (order, levels) = preorder(parents, &children);
        let mut number = vec![0u32; n];
        for (new, &old) in order.iter().enumerate() {
            number[old as usize] = count(new);
        }
        let renumber = |lists: &[Vec<u32>]| {
            let renumbered = order.iter().map(|&old| {
                let list: Vec<u32> = lists[old as usize].iter().map(|&x| number[x as usize]).collect();
                list
            });
            renumbered.collect::<Vec<_>>()
        };
        let (parents, mut children) = (renumber(parents), renumber(&children));
        children.iter_mut().for_each(|c| c.sort_unstable());
        let below = intervals(&children);
        let tree = Self {
            parents: Lists::new(parents.into_iter()),
            children: Lists::new(children.into_iter()),
            below: Lists::new(below.into_iter()),
            levels: levels.into(),
        };
        (order, tree)
    }

    /// How many concepts.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.levels.len()
    }

    /// The concepts directly above; the first is the one it is shown under.
    pub fn parents(&self, i: u32) -> &[u32] {
        self.parents.of(i)
    }

    /// The concepts directly below, in order.
    pub fn children(&self, i: u32) -> &[u32] {
        self.children.of(i)
    }

    /// The level: 1 at the top.
    pub fn level(&self, i: u32) -> u16 {
        self.levels[i as usize]
    }

    /// Whether `i` lies below `above`, or is it.
    pub fn is_below(&self, i: u32, above: u32) -> bool {
        let edges = self.below.of(above);
        // Intervals are [from, to) pairs in one sorted list: inside one, an odd number of edges is passed.
        edges.partition_point(|&edge| edge <= i) % 2 == 1
    }

    /// Everything below `i`, itself included, as intervals of numbers.
    pub fn below(&self, i: u32) -> impl Iterator<Item = Range<u32>> + '_ {
        self.below.of(i).chunks_exact(2).map(|edge| edge[0]..edge[1])
    }

    /// Everything above `i`, nearest first, each once.
    pub fn ancestors(&self, i: u32) -> Vec<u32> {
        let mut found: Vec<u32> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let mut row = self.parents(i).to_vec();
        while !row.is_empty() {
            row.retain(|&p| seen.insert(p));
            found.extend(&row);
            row = row.iter().flat_map(|&p| self.parents(p)).copied().collect();
        }
        found
    }
}

/// Preorder by an explicit stack: a hierarchy may be deeper than the thread's own.
fn preorder(parents: &[Vec<u32>], children: &[Vec<u32>]) -> (Vec<u32>, Vec<u16>) {
    let n = parents.len();
    let (mut order, mut levels, mut seen) = (Vec::with_capacity(n), Vec::with_capacity(n), vec![false; n]);
    // A concept is placed under its first parent only, and concepts on a cycle are reached last.
    let tops = (0..n).filter(|&i| parents[i].is_empty()).chain(0..n);
    for top in tops {
        let mut stack = vec![(count(top), 1u16)];
        while let Some((i, level)) = stack.pop() {
            if std::mem::replace(&mut seen[i as usize], true) {
                continue;
            }
            order.push(i);
            levels.push(level);
            let placed = children[i as usize].iter().rev().filter(|&&c| parents[c as usize][0] == i);
            stack.extend(placed.map(|&c| (c, level.saturating_add(1))));
        }
    }
    (order, levels)
}

/// The intervals below each number: its own, and those of its children, merged; children come after their
/// parents in the spanning tree, but a second parent may come later, so the order is by finishing.
fn intervals(children: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let mut below: Vec<Option<Vec<u32>>> = vec![None; children.len()];
    let mut open = vec![false; children.len()];
    for root in 0..children.len() {
        let mut stack = vec![(count(root), false)];
        while let Some((i, done)) = stack.pop() {
            let at = i as usize;
            if below[at].is_some() || (!done && open[at]) {
                continue;
            }
            if !done {
                open[at] = true;
                stack.push((i, true));
                stack.extend(children[at].iter().filter(|c| below[**c as usize].is_none()).map(|&c| (c, false)));
                continue;
            }
            let mut ranges = vec![(i, i + 1)];
            for &c in &children[at] {
                let edges = below[c as usize].as_deref().unwrap_or_default();
                ranges.extend(edges.chunks_exact(2).map(|e| (e[0], e[1])));
            }
            below[at] = Some(merge(ranges));
        }
    }
    below.into_iter().map(Option::unwrap_or_default).collect()
}

fn merge(mut ranges: Vec<(u32, u32)>) -> Vec<u32> {
    ranges.sort_unstable();
    let mut edges: Vec<u32> = Vec::with_capacity(2);
    for (from, to) in ranges {
        match edges.last_mut() {
            Some(end) if from <= *end => *end = to.max(*end),
            _ => edges.extend([from, to]),
        }
    }
    edges
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against walking: any acyclic hierarchy (a parent has a smaller number), any concept.
        #[test]
        fn intervals_agree_with_walking(seeds in prop::collection::vec(prop::collection::vec(any::<u16>(), 0..3), 1..40)) {
            let parents: Vec<Vec<u32>> = seeds.iter().enumerate().map(|(i, list)| {
                let mut list: Vec<u32> =
                    if i == 0 { vec![] } else { list.iter().map(|s| u32::from(*s) % i as u32).collect() };
                list.sort_unstable();
                list.dedup();
                list
            }).collect();
            let (order, tree) = Tree::build(&parents);
            let walk = |i: u32| {
                let mut above = vec![i];
                let mut at = 0;
                while at < above.len() {
                    for p in &parents[above[at] as usize] {
                        if !above.contains(p) { above.push(*p); }
                    }
                    at += 1;
                }
                above
            };
            prop_assert_eq!(tree.len(), parents.len());
            for i in 0..tree.len() as u32 {
                let walked = walk(order[i as usize]);
                let ancestors: Vec<u32> = tree.ancestors(i).iter().map(|a| order[*a as usize]).collect();
                prop_assert_eq!(ancestors.len() + 1, walked.len());
                for j in 0..tree.len() as u32 {
                    let above = walked.contains(&order[j as usize]);
                    prop_assert_eq!(tree.is_below(i, j), above);
                    prop_assert_eq!(tree.below(j).any(|r| r.contains(&i)), above);
                    prop_assert_eq!(i == j || ancestors.contains(&order[j as usize]), above);
                }
                if let Some(&p) = tree.parents(i).first() {
                    prop_assert!(p < i && tree.level(i) == tree.level(p) + 1);
                }
            }
        }
    }

    #[test]
    fn a_cycle_does_not_hang() {
        let (order, tree) = Tree::build(&[vec![1], vec![0], vec![]]);
        assert_eq!(order.len(), 3);
        assert_eq!(tree.len(), 3);
        let _ = tree.ancestors(1);
    }

    #[test]
    fn depth_and_breadth_are_no_matter() {
        let chain: Vec<Vec<u32>> = (0..100_000u32).map(|i| if i == 0 { vec![] } else { vec![i - 1] }).collect();
        let (_, tree) = Tree::build(&chain);
        assert!(tree.is_below(99_999, 0));
        let star: Vec<Vec<u32>> = (0..20_001u32).map(|i| if i == 0 { vec![] } else { vec![0] }).collect();
        assert_eq!(Tree::build(&star).1.children(0).len(), 20_000);
    }
}
