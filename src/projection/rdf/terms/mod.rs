//! Terms as numbers.
//!
//! A layer is an immutable block of terms; [`Terms`] is a pile of layers, in which a new layer numbers only what
//! those below do not have. So numbers stay, readers need no lock, and adding a few terms copies little. A term takes
//! 12 bytes and some 7 in the index besides its text; a text that a concept's stored JSON holds is not held again, and the
//! IRI of a concept is held as its 16 bytes.

mod growing;
mod layer;

pub use self::growing::Growing;

use std::sync::Arc;

use oxrdf::{Term, TermRef};

use self::layer::{BLANK, Kind, Layer, Parts};

/// Terms and their numbers; never changed, only built upon.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Each layer with the number of its first term.
    layers: Arc<[(u32, Arc<Layer>)]>,
}

impl Terms {
    /// How many terms there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.layers.last().map_or(0, |(first, layer)| *first as usize + layer.entries.len())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// Whether these are the very same terms.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.layers, &other.layers)
    }

    /// How many bytes they take, without the contents of concepts that they point into.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let of =
            |l: &Layer| 12 * l.entries.capacity() + 4 * l.index.capacity() + l.arena.capacity() + 8 * l.said.capacity();
        self.layers.iter().map(|(_, layer)| of(layer)).sum()
    }

    /// The number of a term, if it has one.
    #[must_use]
    pub fn number(&self, term: TermRef<'_>) -> Option<u32> {
        if let TermRef::BlankNode(blank) = term {
            let number = blank.as_str().strip_prefix(BLANK)?.parse().ok()?;
            let (_, layer, at) = self.layer(number)?;
            return (*layer.kind(layer.entries[at]) == Kind::Blank).then_some(number);
        }
        let parts = Parts::of(term);
        self.find(parts.hash(), parts)
    }

    /// The number of an IRI, if it has one.
    #[must_use]
    pub fn iri(&self, iri: &str) -> Option<u32> {
        self.find(Parts::Iri(iri).hash(), Parts::Iri(iri))
    }

    fn find(&self, hash: u32, parts: Parts<'_>) -> Option<u32> {
        self.layers.iter().find_map(|(first, layer)| Some(first + layer.find(hash, parts)?))
    }

    fn layer(&self, number: u32) -> Option<(u32, &Layer, usize)> {
        let upper = self.layers.partition_point(|(first, _)| *first <= number);
        let (first, layer) = &self.layers[upper.checked_sub(1)?];
        let at = (number - first) as usize;
        (at < layer.entries.len()).then_some((*first, layer, at))
    }

    /// The term of a number that these terms gave out.
    ///
    /// # Panics
    /// For another number.
    #[must_use]
    pub fn term(&self, number: u32) -> Term {
        let (_, layer, at) = self.layer(number).expect("the number was given out by these terms");
        layer.term(layer.entries[at], number)
    }

    /// These terms with a layer on top; layers of like size become one.
    fn with(&self, layer: Layer) -> Self {
        if layer.entries.is_empty() {
            return self.clone();
        }
        let mut layers: Vec<(u32, Arc<Layer>)> = self.layers.to_vec();
        layers.push((self.len() as u32, Arc::new(layer)));
        while let [.., (first, lower), (_, upper)] = &layers[..] {
            if upper.entries.len() * 2 < lower.entries.len() {
                break;
            }
            let Some(joined) = Layer::joined(lower, upper) else { break };
            let joined = (*first, Arc::new(joined));
            layers.truncate(layers.len() - 2);
            layers.push(joined);
        }
        Self { layers: layers.into() }
    }
}

#[cfg(test)]
mod tests {
    use oxrdf::vocab::xsd;
    use oxrdf::{Literal, NamedNode};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::projection::Said;

    fn any_term() -> impl Strategy<Value = Term> {
        let text = "[a-cæ\"\\\\\n]{0,3}";
        prop_oneof![
            "[a-c]{0,3}".prop_map(|t| NamedNode::new_unchecked(format!("https://v.example/{t}")).into()),
            (0_u128..4)
                .prop_map(|n| { NamedNode::new_unchecked(format!("https://v.example/{}", Uuid::from_u128(n))).into() }),
            text.prop_map(|t| Literal::new_simple_literal(t).into()),
            (text, "[a-z]{2}").prop_map(|(t, l)| Literal::new_language_tagged_literal_unchecked(t, l).into()),
            (text, 0..400).prop_map(|(t, n)| {
                Literal::new_typed_literal(t, NamedNode::new_unchecked(format!("https://t.example/{n}"))).into()
            }),
            text.prop_map(|t| Literal::new_typed_literal(t, xsd::DATE).into()),
        ]
    }

    proptest! {
        /// What is put in comes out, one number for each term, whatever the layers.
        #[test]
        fn numbers_are_for_ever(layers in proptest::collection::vec(proptest::collection::vec(any_term(), 0..40), 1..6)) {
            let said = Said::new(
                crate::model::Digest::of(b"x"),
                r#"{"terms":[{"language":"da","status":"preferred","value":"abcabc æ"}]}"#.into(),
            ).ok().map(Arc::new);
            let (mut terms, mut known) = (Terms::default(), std::collections::HashMap::new());
            for layer in layers {
                let mut growing = Growing::new(&terms);
                growing.in_namespace("https://v.example/");
                for term in layer {
                    let number = growing.number(term.as_ref(), said.as_ref()).unwrap();
                    prop_assert_eq!(*known.entry(term).or_insert(number), number);
                }
                let blank = growing.blank().unwrap();
                terms = growing.finish();
                let node = terms.term(blank);
                prop_assert_eq!(terms.number(node.as_ref()), Some(blank));
                for (term, number) in &known {
                    prop_assert_eq!(&terms.term(*number), term);
                    prop_assert_eq!(terms.number(term.as_ref()), Some(*number));
                }
            }
            let unknown = NamedNode::new_unchecked("https://elsewhere.example/");
            prop_assert_eq!(terms.number(unknown.as_ref().into()), None);
        }
    }
}
