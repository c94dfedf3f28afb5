//! Terms as numbers.
//!
//! A layer is an immutable block of terms; [`Terms`] is a pile of layers, in which a new layer numbers only what
//! those below do not have. So numbers stay, readers need no lock, and adding a few terms copies little. A term takes
//! 12 bytes and some 7 in the index besides its text; a text that a concept's stored JSON holds is not held again, and the
//! IRI of a concept is held as its 16 bytes.

use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use oxrdf::{BlankNode, Literal, NamedNode, Term, TermRef};
use uuid::Uuid;

use crate::model::{Code, Refusal, Result};
use crate::projection::Said;

/// What marks a free place in the index.
const FREE: u32 = u32::MAX;
/// How many kinds a layer can tell apart; the last is [`Kind::Whole`].
const KINDS: usize = 256;
/// The longest text that an entry can point to.
const LONGEST: usize = (1 << 24) - 1;
/// What the names of the blank nodes of graphs begin with.
const BLANK: &str = "begreb";

/// What kind of term an entry is: what its text has to be completed with.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Kind {
    /// An IRI.
    Iri,
    /// An IRI: this, and then a uuid, which is held as bytes.
    Uuid(Box<str>),
    /// A blank node; it has no text.
    Blank,
    /// A plain literal.
    Plain,
    /// A literal in a language.
    Tagged(Box<str>),
    /// A literal of a datatype.
    Typed(Box<str>),
    /// Any literal, as N-Triples writes it; the text is in the arena, and the entry's first number is its length.
    Whole,
}

/// A term: where its text is, how long it is, and in the last 8 bits of what kind.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// 0 for the arena of the layer, else one more than the number of the concept's content.
    from: u32,
    at: u32,
    length_and_kind: u32,
}

impl Entry {
    fn kind(self) -> usize {
        (self.length_and_kind & 0xFF) as usize
    }

    fn length(self) -> usize {
        (self.length_and_kind >> 8) as usize
    }
}

/// A term as its parts are compared.
#[derive(Clone, Copy)]
enum Parts<'t> {
    Iri(&'t str),
    Plain(&'t str),
    Tagged(&'t str, &'t str),
    Typed(&'t str, &'t str),
    Blank(&'t str),
}

impl<'t> Parts<'t> {
    fn of(term: TermRef<'t>) -> Self {
        match term {
            TermRef::NamedNode(n) => Self::Iri(n.as_str()),
            TermRef::BlankNode(b) => Self::Blank(b.as_str()),
            TermRef::Literal(l) => match (l.language(), l.datatype()) {
                (Some(language), _) => Self::Tagged(l.value(), language),
                (None, datatype) if datatype == oxrdf::vocab::xsd::STRING => Self::Plain(l.value()),
                (None, datatype) => Self::Typed(l.value(), datatype.as_str()),
            },
        }
    }

    fn hash(self) -> u32 {
        let (kind, text, more) = match self {
            Self::Iri(text) => (0, text, ""),
            Self::Plain(text) => (1, text, ""),
            Self::Tagged(text, more) => (2, text, more),
            Self::Typed(text, more) => (3, text, more),
            Self::Blank(text) => (4, text, ""),
        };
        let mut hasher = DefaultHasher::new();
        hasher.write(text.as_bytes());
        hasher.write_u8(kind);
        hasher.write(more.as_bytes());
        (hasher.finish() >> 32) as u32
    }
}

/// A block of terms.
#[derive(Debug, Default)]
struct Layer {
    entries: Vec<Entry>,
    arena: Vec<u8>,
    said: Vec<Arc<Said>>,
    kinds: Vec<Kind>,
    /// Open addressing with linear probing; the place of a hash is its share of the length.
    index: Vec<u32>,
}

impl Layer {
    fn text(&self, entry: Entry) -> &str {
        if entry.kind() == KINDS - 1 {
            let at = entry.at as usize;
            return utf8(&self.arena[at..at + entry.from as usize]);
        }
        let at = entry.at as usize..entry.at as usize + entry.length();
        match entry.from {
            0 => utf8(&self.arena[at]),
            n => &self.said[n as usize - 1].json[at],
        }
    }

    fn kind(&self, entry: Entry) -> &Kind {
        self.kinds.get(entry.kind()).unwrap_or(&Kind::Whole)
    }

    fn uuid(&self, entry: Entry) -> Uuid {
        let at = entry.at as usize;
        Uuid::from_slice(&self.arena[at..at + 16]).unwrap_or_default()
    }

    fn is(&self, entry: Entry, parts: Parts<'_>) -> bool {
        match (self.kind(entry), parts) {
            (Kind::Iri, Parts::Iri(iri)) => self.text(entry) == iri,
            (Kind::Uuid(prefix), Parts::Iri(iri)) => iri.strip_prefix(&**prefix).is_some_and(|rest| {
                let mut buffer = Uuid::encode_buffer();
                self.uuid(entry).hyphenated().encode_lower(&mut buffer) == rest
            }),
            (Kind::Plain, Parts::Plain(text)) => self.text(entry) == text,
            (Kind::Tagged(tag), Parts::Tagged(text, language)) => **tag == *language && self.text(entry) == text,
            (Kind::Typed(iri), Parts::Typed(text, datatype)) => **iri == *datatype && self.text(entry) == text,
            (Kind::Whole, parts) => {
                let term: Option<Term> = self.text(entry).parse().ok();
                term.is_some_and(|term| same(Parts::of(term.as_ref()), parts))
            }
            _ => false,
        }
    }

    fn term(&self, entry: Entry, number: u32) -> Term {
        match self.kind(entry) {
            Kind::Iri => NamedNode::new_unchecked(self.text(entry)).into(),
            Kind::Uuid(prefix) => {
                let mut buffer = Uuid::encode_buffer();
                let uuid = self.uuid(entry).hyphenated().encode_lower(&mut buffer);
                NamedNode::new_unchecked([prefix, &*uuid].concat()).into()
            }
            Kind::Blank => BlankNode::new_unchecked(format!("{BLANK}{number}")).into(),
            Kind::Plain => Literal::new_simple_literal(self.text(entry)).into(),
            Kind::Tagged(tag) => {
                Literal::new_language_tagged_literal_unchecked(self.text(entry), tag.to_string()).into()
            }
            Kind::Typed(iri) => {
                Literal::new_typed_literal(self.text(entry), NamedNode::new_unchecked(iri.to_string())).into()
            }
            Kind::Whole => self.text(entry).parse().expect("it was written as N-Triples"),
        }
    }

    /// The hash of an entry that is in the index.
    fn hash(&self, entry: Entry) -> u32 {
        match self.kind(entry) {
            Kind::Iri => Parts::Iri(self.text(entry)).hash(),
            Kind::Plain => Parts::Plain(self.text(entry)).hash(),
            Kind::Tagged(tag) => Parts::Tagged(self.text(entry), tag).hash(),
            Kind::Typed(iri) => Parts::Typed(self.text(entry), iri).hash(),
            Kind::Uuid(_) | Kind::Blank | Kind::Whole => Parts::of(self.term(entry, 0).as_ref()).hash(),
        }
    }

    fn find(&self, hash: u32, parts: Parts<'_>) -> Option<u32> {
        if self.index.is_empty() {
            return None;
        }
        let mut place = place(hash, self.index.len());
        loop {
            match self.index[place] {
                FREE => return None,
                number if self.is(self.entries[number as usize], parts) => return Some(number),
                _ => place = if place + 1 == self.index.len() { 0 } else { place + 1 },
            }
        }
    }

    fn put(index: &mut [u32], hash: u32, number: u32) {
        let mut place = place(hash, index.len());
        while index[place] != FREE {
            place = if place + 1 == index.len() { 0 } else { place + 1 };
        }
        index[place] = number;
    }

    /// Makes an index of a length, with room for all entries.
    fn reindex(&mut self, length: usize) {
        let mut index = vec![FREE; length];
        for (number, entry) in self.entries.iter().enumerate() {
            if *self.kind(*entry) != Kind::Blank {
                Self::put(&mut index, self.hash(*entry), number as u32);
            }
        }
        self.index = index;
    }

    fn shrink(&mut self) {
        self.reindex(self.entries.len() * 8 / 5 + 1);
        self.entries.shrink_to_fit();
        self.arena.shrink_to_fit();
        self.said.shrink_to_fit();
    }

    /// One layer of two; the numbers of the upper follow those of the lower. `None` when they do not fit.
    fn joined(lower: &Self, upper: &Self) -> Option<Self> {
        let mut kinds = lower.kinds.clone();
        let mut moved = Vec::with_capacity(upper.kinds.len());
        for kind in &upper.kinds {
            moved.push(position(&mut kinds, kind)? as u32);
        }
        u32::try_from(lower.arena.len() + upper.arena.len()).ok()?;
        let (arena, said) = (lower.arena.len() as u32, lower.said.len() as u32);
        let mut entries = Vec::with_capacity(lower.entries.len() + upper.entries.len());
        entries.extend_from_slice(&lower.entries);
        entries.extend(upper.entries.iter().map(|e| match (*upper.kind(*e) == Kind::Whole, e.from) {
            (true, _) => Entry { at: e.at + arena, ..*e },
            (false, from) => Entry {
                from: if from == 0 { 0 } else { from + said },
                at: if from == 0 { e.at + arena } else { e.at },
                length_and_kind: (e.length_and_kind & !0xFF) | moved[e.kind()],
            },
        }));
        let mut joined = Self {
            entries,
            arena: [&lower.arena[..], &upper.arena[..]].concat(),
            said: lower.said.iter().chain(&upper.said).cloned().collect(),
            kinds,
            index: Vec::new(),
        };
        joined.shrink();
        Some(joined)
    }
}

/// Text of an arena.
fn utf8(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("only whole texts are put into the arena")
}

fn same(a: Parts<'_>, b: Parts<'_>) -> bool {
    match (a, b) {
        (Parts::Iri(a), Parts::Iri(b)) | (Parts::Plain(a), Parts::Plain(b)) | (Parts::Blank(a), Parts::Blank(b)) => {
            a == b
        }
        (Parts::Tagged(a, x), Parts::Tagged(b, y)) | (Parts::Typed(a, x), Parts::Typed(b, y)) => a == b && x == y,
        _ => false,
    }
}

fn place(hash: u32, length: usize) -> usize {
    ((u64::from(hash) * length as u64) >> 32) as usize
}

/// The place of a kind among those of a layer; it is added when there is room.
fn position(kinds: &mut Vec<Kind>, kind: &Kind) -> Option<usize> {
    if let Some(at) = kinds.iter().position(|k| k == kind) {
        return Some(at);
    }
    (kinds.len() < KINDS - 1).then(|| {
        kinds.push(kind.clone());
        kinds.len() - 1
    })
}

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

/// A layer that is being built.
pub struct Growing {
    below: Terms,
    first: u32,
    layer: Layer,
    /// What the IRIs of concepts begin with.
    namespace: Box<str>,
    /// The content whose text was last pointed into.
    said: Option<Arc<Said>>,
    used: usize,
}

impl Growing {
    /// Begins a layer on top of others.
    #[must_use]
    pub fn new(below: &Terms) -> Self {
        let layer = Layer { index: vec![FREE; 1024], ..Layer::default() };
        Self { first: below.len() as u32, below: below.clone(), layer, namespace: "".into(), said: None, used: 0 }
    }

    /// What the IRIs of the concepts to come begin with, followed by a uuid.
    pub fn in_namespace(&mut self, namespace: &str) {
        self.namespace = namespace.into();
    }

    /// The terms with those that were added.
    #[must_use]
    pub fn finish(mut self) -> Terms {
        self.layer.shrink();
        self.below.with(self.layer)
    }

    /// A new blank node.
    ///
    /// # Errors
    /// [`Code::Internal`] when there are more terms than numbers.
    pub fn blank(&mut self) -> Result<u32> {
        let kind = self.kind(&Kind::Blank);
        self.add(0, 0, 0, kind)
    }

    /// The number of a term that is not a blank node. Its text may be a part of `said`.
    ///
    /// # Errors
    /// [`Code::Internal`] when there are more terms than numbers.
    pub fn number(&mut self, term: TermRef<'_>, said: Option<&Arc<Said>>) -> Result<u32> {
        let parts = Parts::of(term);
        let hash = parts.hash();
        if let Some(known) = self.below.find(hash, parts) {
            return Ok(known);
        }
        if let Some(known) = self.layer.find(hash, parts) {
            return Ok(self.first + known);
        }
        let number = match parts {
            Parts::Iri(iri) => match self.uuid(iri) {
                Some(uuid) => {
                    let kind = self.kind(&Kind::Uuid(self.namespace.clone()));
                    if kind == KINDS - 1 { self.whole(term)? } else { self.bytes(uuid.as_bytes(), kind)? }
                }
                None => self.text(iri, &Kind::Iri, term, said)?,
            },
            Parts::Plain(text) => self.text(text, &Kind::Plain, term, said)?,
            Parts::Tagged(text, language) => self.text(text, &Kind::Tagged(language.into()), term, said)?,
            Parts::Typed(text, datatype) => self.text(text, &Kind::Typed(datatype.into()), term, said)?,
            Parts::Blank(_) => return self.blank(),
        };
        self.used += 1;
        if self.used * 3 > self.layer.index.len() * 2 {
            self.layer.reindex(self.layer.index.len() * 2);
        } else {
            Layer::put(&mut self.layer.index, hash, number - self.first);
        }
        Ok(number)
    }

    fn uuid(&self, iri: &str) -> Option<Uuid> {
        let rest = iri.strip_prefix(&*self.namespace).filter(|rest| rest.len() == 36)?;
        let uuid = Uuid::try_parse(rest).ok()?;
        (uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == rest).then_some(uuid)
    }

    fn kind(&mut self, kind: &Kind) -> usize {
        position(&mut self.layer.kinds, kind).unwrap_or(KINDS - 1)
    }

    fn text(&mut self, text: &str, kind: &Kind, term: TermRef<'_>, said: Option<&Arc<Said>>) -> Result<u32> {
        let kind = self.kind(kind);
        if kind == KINDS - 1 || text.len() > LONGEST {
            return self.whole(term);
        }
        let within = said.and_then(|said| Some((said, memchr::memmem::find(said.json.as_bytes(), text.as_bytes())?)));
        match within.and_then(|(said, at)| Some((said, u32::try_from(at).ok()?))) {
            Some((said, at)) if !text.is_empty() => {
                if !self.said.as_ref().is_some_and(|last| Arc::ptr_eq(last, said)) {
                    self.said = Some(said.clone());
                    self.layer.said.push(said.clone());
                }
                let from = u32::try_from(self.layer.said.len()).map_err(|_| full())?;
                self.add(from, at, text.len(), kind)
            }
            _ => self.bytes(text.as_bytes(), kind),
        }
    }

    fn bytes(&mut self, bytes: &[u8], kind: usize) -> Result<u32> {
        let at = u32::try_from(self.layer.arena.len()).map_err(|_| full())?;
        self.layer.arena.extend_from_slice(bytes);
        self.add(0, at, bytes.len(), kind)
    }

    fn whole(&mut self, term: TermRef<'_>) -> Result<u32> {
        let text = term.to_string();
        let at = u32::try_from(self.layer.arena.len()).map_err(|_| full())?;
        self.layer.arena.extend_from_slice(text.as_bytes());
        self.add(u32::try_from(text.len()).map_err(|_| full())?, at, 0, KINDS - 1)
    }

    fn add(&mut self, from: u32, at: u32, length: usize, kind: usize) -> Result<u32> {
        let number = u32::try_from(self.layer.entries.len()).ok().and_then(|n| n.checked_add(self.first));
        let number = number.filter(|n| *n != FREE).ok_or_else(full)?;
        self.layer.entries.push(Entry { from, at, length_and_kind: (length as u32) << 8 | kind as u32 });
        Ok(number)
    }
}

fn full() -> Refusal {
    Refusal::new(Code::Internal, "graferne har flere led, end der er numre", "the graphs have more terms than numbers")
}

#[cfg(test)]
mod tests {
    use oxrdf::vocab::xsd;
    use proptest::prelude::*;

    use super::*;

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
