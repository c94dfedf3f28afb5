//! The words that differ between two texts.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use similar::{Algorithm, DiffOp, capture_diff_slices};
use unicode_segmentation::UnicodeSegmentation;
use utoipa::ToSchema;

/// The most tokens (words, spaces, marks; or lines) of the two texts together that are compared with each other. The
/// work grows with the product of how long and how different the texts are, and a text may be a megabyte.
const MOST: usize = 4000;

/// Where a piece of text is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum PieceKind {
    /// In both texts.
    Same,
    /// Only in the text before.
    Removed,
    /// Only in the text after.
    Added,
}

/// A piece of a changed text. The pieces without those added are the text before, to the letter; without those
/// removed, the text after.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = DiffPiece)]
pub struct Piece {
    /// Where it is found.
    pub kind: PieceKind,
    /// The text.
    pub text: String,
}

impl Piece {
    /// A piece of a kind.
    #[must_use]
    pub fn new(kind: PieceKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.kind {
            PieceKind::Same => ' ',
            PieceKind::Removed => '-',
            PieceKind::Added => '+',
        };
        write!(f, "{sign}{:?}", self.text)
    }
}

/// The pieces of two texts: by words; by lines where there are too many words; as a whole where there are too many
/// lines. Words are those of Unicode (UAX #29).
#[must_use]
pub fn compare(before: &str, after: &str) -> Vec<Piece> {
    tokens(before.split_word_bounds(), after.split_word_bounds())
        .or_else(|| tokens(before.split_inclusive('\n'), after.split_inclusive('\n')))
        .map_or_else(|| whole(before, after), |ops| pieces(&ops))
}

/// All of one text against all of the other.
fn whole(before: &str, after: &str) -> Vec<Piece> {
    let mut out = Pieces::default();
    out.removed.push_str(before);
    out.added.push_str(after);
    out.finish()
}

/// The pieces of a text of which there is no other side.
#[must_use]
pub(super) fn one_sided(kind: PieceKind, text: &str) -> Vec<Piece> {
    if text.is_empty() { Vec::new() } else { vec![Piece::new(kind, text)] }
}

/// What stands in both, or the two sides of a place where the texts differ.
enum Op<'a> {
    Same(Vec<&'a str>),
    Other(Vec<&'a str>, Vec<&'a str>),
}

/// The differences between two lists of tokens, or nothing where there are too many.
fn tokens<'a>(before: impl Iterator<Item = &'a str>, after: impl Iterator<Item = &'a str>) -> Option<Vec<Op<'a>>> {
    // One more than what is taken tells that there are too many, without collecting the rest.
    let before: Vec<&str> = before.take(MOST + 1).collect();
    let after: Vec<&str> = after.take(MOST + 1).collect();
    if before.len() + after.len() > MOST {
        return None;
    }
    let take = |list: &[&'a str], from: usize, len: usize| list[from..from + len].to_vec();
    let ops = capture_diff_slices(Algorithm::Myers, &before, &after).into_iter().map(|op| match op {
        DiffOp::Equal { old_index, len, .. } => Op::Same(take(&before, old_index, len)),
        DiffOp::Delete { old_index, old_len, .. } => Op::Other(take(&before, old_index, old_len), Vec::new()),
        DiffOp::Insert { new_index, new_len, .. } => Op::Other(Vec::new(), take(&after, new_index, new_len)),
        DiffOp::Replace { old_index, old_len, new_index, new_len } => {
            Op::Other(take(&before, old_index, old_len), take(&after, new_index, new_len))
        }
    });
    Some(ops.collect())
}

/// The pieces under way: what has differed since the last that was the same.
#[derive(Default)]
struct Pieces {
    out: Vec<Piece>,
    removed: String,
    added: String,
}

impl Pieces {
    fn settle(&mut self) {
        for (kind, text) in [(PieceKind::Removed, &mut self.removed), (PieceKind::Added, &mut self.added)] {
            if !text.is_empty() {
                self.out.push(Piece { kind, text: std::mem::take(text) });
            }
        }
    }

    fn same(&mut self, text: &str) {
        self.settle();
        match self.out.last_mut() {
            Some(last) if last.kind == PieceKind::Same => last.text.push_str(text),
            _ => self.out.push(Piece::new(PieceKind::Same, text)),
        }
    }

    fn finish(mut self) -> Vec<Piece> {
        self.settle();
        self.out
    }
}

/// The operations as pieces. A space or a mark between two changes is part of the change: three words that were
/// replaced by three read as one replacement, not as three.
fn pieces(ops: &[Op<'_>]) -> Vec<Piece> {
    let mut out = Pieces::default();
    for (i, op) in ops.iter().enumerate() {
        match op {
            Op::Same(tokens) => {
                let is_joint = i > 0 && i + 1 < ops.len() && !tokens.iter().any(|t| is_word(t));
                let text = tokens.concat();
                if is_joint && replaces(&ops[i - 1]) && replaces(&ops[i + 1]) {
                    out.removed.push_str(&text);
                    out.added.push_str(&text);
                } else {
                    out.same(&text);
                }
            }
            Op::Other(removed, added) => {
                out.removed.push_str(&removed.concat());
                out.added.push_str(&added.concat());
            }
        }
    }
    out.finish()
}

fn is_word(token: &str) -> bool {
    token.chars().any(char::is_alphanumeric)
}

/// Whether something stands on both sides.
fn replaces(op: &Op<'_>) -> bool {
    matches!(op, Op::Other(removed, added) if !removed.is_empty() && !added.is_empty())
}

/// The words of a text, to be held against another's.
pub(super) struct Bag(HashSet<String>);

impl Bag {
    /// The words of a text; of a long one, its first.
    pub fn of(text: &str) -> Self {
        Self(text.unicode_words().take(MOST).map(str::to_lowercase).collect())
    }

    /// How much two texts have in common, in thousandths: their shared words against all of their words (Dice).
    pub fn likeness(&self, other: &Self) -> usize {
        let shared = self.0.intersection(&other.0).count();
        2000 * shared / (self.0.len() + other.0.len()).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(before: &str, after: &str) -> String {
        let tell = |p: &Piece| match p.kind {
            PieceKind::Same => p.text.clone(),
            PieceKind::Removed => format!("[-{}]", p.text),
            PieceKind::Added => format!("[+{}]", p.text),
        };
        compare(before, after).iter().map(tell).collect()
    }

    #[test]
    fn words_are_marked() {
        for (before, after, expected) in [
            ("", "", ""),
            ("", "ny", "[+ny]"),
            ("ud", "", "[-ud]"),
            ("samme", "samme", "samme"),
            ("at klare sig selv", "at klare alt selv", "at klare [-sig][+alt] selv"),
            ("støtte til borger", "støtte til borger.", "støtte til borger[+.]"),
            ("rød grød med fløde", "blå suppe med fløde", "[-rød grød][+blå suppe] med fløde"),
            ("en voksen person", "en person", "en [-voksen ]person"),
            ("§ 83, stk. 1", "§ 83 a, stk. 1", "§ 83[+ a], stk. 1"),
        ] {
            assert_eq!(told(before, after), expected);
        }
    }

    #[test]
    fn long_texts_are_compared_by_lines_and_longer_ones_whole() {
        let lines = |n: usize| (0..n).map(|i| format!("linje {i} af teksten\n")).collect::<String>();
        let text = lines(500);
        let pieces = compare(&text, &text.replace("linje 250 ", "linje x "));
        let removed: Vec<_> = pieces.iter().filter(|p| p.kind == PieceKind::Removed).collect();
        assert_eq!(removed, [&Piece::new(PieceKind::Removed, "linje 250 af teksten\n")]);
        assert_eq!(compare(&lines(3000), &lines(3001)).len(), 2);
    }

    #[test]
    fn likeness_is_of_words() {
        let likeness = |a, b| Bag::of(a).likeness(&Bag::of(b));
        assert_eq!(likeness("støtte til borgeren", "Støtte til en borger"), 571);
        assert_eq!(likeness("støtte", "grød"), 0);
        assert_eq!(likeness("støtte", "støtte"), 1000);
        assert_eq!(likeness("", ""), 0);
    }

    proptest! {
        #[test]
        fn the_pieces_are_both_texts(
            before in "(?s)([a-c ,.\n]|.){0,60}",
            after in "(?s)([a-c ,.\n]|.){0,60}",
        ) {
            let pieces = compare(&before, &after);
            let without = |kind| -> String {
                pieces.iter().filter(|p| p.kind != kind).map(|p| p.text.as_str()).collect()
            };
            prop_assert_eq!(without(PieceKind::Added), before);
            prop_assert_eq!(without(PieceKind::Removed), after);
            prop_assert!(pieces.iter().all(|p| !p.text.is_empty()));
            prop_assert!(pieces.windows(2).all(|w| w[0].kind != w[1].kind));
        }
    }
}
