//! How far apart two words are: letters left out, put in, changed, or two that changed places.

/// How many errors a word may have: none when it is short, for then it is another word.
#[must_use]
pub fn tolerance(folded: &str) -> usize {
    match folded.chars().count() {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    }
}

/// The distance between two folded words (optimal string alignment), when it is at most `most`. With `prefix`, to
/// the beginning of `other` that is nearest.
#[must_use]
pub fn distance(word: &str, other: &str, most: usize, prefix: bool) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (word.chars().collect(), other.chars().collect());
    let b = if prefix { &b[..b.len().min(a.len() + most)] } else { &b[..] };
    if a.len() > b.len() + most || (!prefix && b.len() > a.len() + most) {
        return None;
    }
    // Row by row over `a`; the two rows before are kept, for letters that changed places.
    let (mut before, mut above): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=b.len()).collect());
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let changed = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = changed.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        if row.iter().min().is_some_and(|least| *least > most) {
            return None;
        }
        before = std::mem::replace(&mut above, row);
    }
    let found = if prefix { above.iter().copied().min() } else { above.last().copied() };
    found.filter(|d| *d <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_counted() {
        for (a, b, expected) in [
            ("hjælp", "hjælp", Some(0)),
            ("hjælp", "hjalp", Some(1)),
            ("støtte", "stotte", Some(1)),
            ("hjemehjælp", "hjemmehjælp", Some(1)),
            ("boetilbud", "botilbud", Some(1)),
            ("indsats", "indsat", Some(1)),
            ("familie", "fmailei", Some(2)),
            ("plejefamilie", "pleje", None),
        ] {
            assert_eq!(distance(a, b, 2, false), expected, "{a} {b}");
            assert_eq!(distance(b, a, 2, false), expected, "{b} {a}");
        }
        assert_eq!(distance("hjemehj", "hjemmehjælp", 2, true), Some(1));
        assert_eq!(distance("hjem", "hjemmehjælp", 1, true), Some(0));
        assert_eq!(distance("", "abc", 2, true), Some(0));
    }

    proptest::proptest! {
        #[test]
        fn it_is_a_distance(a in "[abc]{0,7}", b in "[abc]{0,7}") {
            let d = distance(&a, &b, 20, false);
            proptest::prop_assert_eq!(d, distance(&b, &a, 20, false));
            proptest::prop_assert_eq!(d == Some(0), a == b);
            proptest::prop_assert!(d.unwrap() <= a.len().max(b.len()));
            for most in 0..4 {
                proptest::prop_assert_eq!(distance(&a, &b, most, false), d.filter(|d| *d <= most));
            }
        }
    }
}
