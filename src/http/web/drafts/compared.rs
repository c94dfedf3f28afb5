//! Two texts of a concept beside each other, field by field, with the words that differ marked.

use super::form::html;
use crate::exchange::paper::{Piece, PieceKind, compare};

/// A field of which the two sides say something else.
pub struct Differing {
    /// What it is called.
    pub label: String,
    /// What one side says.
    pub before: String,
    /// What the other says, with its words marked against the first, as HTML.
    pub after: String,
}

/// The fields that differ. Both sides are as [`super::fields::told`] tells them.
pub fn differing(before: &[(String, String)], after: &[(String, String)]) -> Vec<Differing> {
    let of = |side: &[(String, String)], label: &str| {
        side.iter().find(|(l, _)| l == label).map(|(_, t)| t.clone()).unwrap_or_default()
    };
    let new = after.iter().filter(|(l, _)| !before.iter().any(|(b, _)| b == l));
    let labels = before.iter().chain(new).map(|(l, _)| l.as_str());
    let pairs = labels.map(|l| (l, of(before, l), of(after, l))).filter(|(_, b, a)| a != b);
    pairs.map(|(label, b, a)| Differing { label: label.to_owned(), after: marked(&b, &a), before: b }).collect()
}

/// A text with what differs from another marked, as HTML.
pub fn marked(before: &str, after: &str) -> String {
    let piece = |p: &Piece| {
        let text = html(&p.text);
        match p.kind {
            PieceKind::Same => text,
            PieceKind::Added => format!("<ins>{text}</ins>"),
            PieceKind::Removed => format!("<del>{text}</del>"),
        }
    };
    compare(before, after).iter().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_marked_and_nothing_else() {
        let side =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(l, t)| ((*l).to_owned(), (*t).to_owned())).collect::<Vec<_>>();
        let found = differing(
            &side(&[("kode", "A"), ("term", "et <gammelt> ord"), ("note", "n")]),
            &side(&[("kode", "A"), ("term", "et nyt ord"), ("lov", "l & m")]),
        );
        let told: Vec<_> = found.iter().map(|d| (d.label.as_str(), d.before.as_str(), d.after.as_str())).collect();
        assert_eq!(told.len(), 3);
        assert_eq!((told[1].0, told[1].2), ("note", "<del>n</del>"));
        assert_eq!(told[2], ("lov", "", "<ins>l &amp; m</ins>"));
        assert!(told[0].2.contains("&lt;") && told[0].2.contains("<ins>nyt</ins>"), "{}", told[0].2);
    }
}
