//! A layer: an immutable block of terms, each with where its text is and of what kind it is.

use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use oxrdf::{BlankNode, Literal, NamedNode, Term, TermRef};
use uuid::Uuid;

use crate::projection::Said;

/// What marks a free place in the index.
pub(super) const FREE: u32 = u32::MAX;

/// How many kinds a layer can tell apart; the last is [`Kind::Whole`].
pub(super) const KINDS: usize = 256;

/// The longest text that an entry can point to.
pub(super) const LONGEST: usize = (1 << 24) - 1;

/// What the names of the blank nodes of graphs begin with.
pub(super) const BLANK: &str = "begreb";

/// What kind of term an entry is: what its text has to be completed with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Kind {
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
pub(super) struct Entry {
    /// 0 for the arena of the layer, else one more than the number of the concept's content.
    pub(super) from: u32,
    pub(super) at: u32,
    pub(super) length_and_kind: u32,
}

impl Entry {
    pub(super) fn kind(self) -> usize {
        (self.length_and_kind & 0xFF) as usize
    }

    pub(super) fn length(self) -> usize {
        (self.length_and_kind >> 8) as usize
    }
}

/// A term as its parts are compared.
#[derive(Clone, Copy)]
pub(super) enum Parts<'t> {
    Iri(&'t str),
    Plain(&'t str),
    Tagged(&'t str, &'t str),
    Typed(&'t str, &'t str),
    Blank(&'t str),
}

impl<'t> Parts<'t> {
    pub(super) fn of(term: TermRef<'t>) -> Self {
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

    pub(super) fn hash(self) -> u32 {
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
pub(super) struct Layer {
    pub(super) entries: Vec<Entry>,
    pub(super) arena: Vec<u8>,
    pub(super) said: Vec<Arc<Said>>,
    pub(super) kinds: Vec<Kind>,
    /// Open addressing with linear probing; the place of a hash is its share of the length.
    pub(super) index: Vec<u32>,
}

impl Layer {
    pub(super) fn text(&self, entry: Entry) -> &str {
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

    pub(super) fn kind(&self, entry: Entry) -> &Kind {
        self.kinds.get(entry.kind()).unwrap_or(&Kind::Whole)
    }

    pub(super) fn uuid(&self, entry: Entry) -> Uuid {
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

    pub(super) fn term(&self, entry: Entry, number: u32) -> Term {
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
    pub(super) fn hash(&self, entry: Entry) -> u32 {
        match self.kind(entry) {
            Kind::Iri => Parts::Iri(self.text(entry)).hash(),
            Kind::Plain => Parts::Plain(self.text(entry)).hash(),
            Kind::Tagged(tag) => Parts::Tagged(self.text(entry), tag).hash(),
            Kind::Typed(iri) => Parts::Typed(self.text(entry), iri).hash(),
            Kind::Uuid(_) | Kind::Blank | Kind::Whole => Parts::of(self.term(entry, 0).as_ref()).hash(),
        }
    }

    pub(super) fn find(&self, hash: u32, parts: Parts<'_>) -> Option<u32> {
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

    pub(super) fn put(index: &mut [u32], hash: u32, number: u32) {
        let mut place = place(hash, index.len());
        while index[place] != FREE {
            place = if place + 1 == index.len() { 0 } else { place + 1 };
        }
        index[place] = number;
    }

    /// Makes an index of a length, with room for all entries.
    pub(super) fn reindex(&mut self, length: usize) {
        let mut index = vec![FREE; length];
        for (number, entry) in self.entries.iter().enumerate() {
            if *self.kind(*entry) != Kind::Blank {
                Self::put(&mut index, self.hash(*entry), number as u32);
            }
        }
        self.index = index;
    }

    pub(super) fn shrink(&mut self) {
        self.reindex(self.entries.len() * 8 / 5 + 1);
        self.entries.shrink_to_fit();
        self.arena.shrink_to_fit();
        self.said.shrink_to_fit();
    }

    /// One layer of two; the numbers of the upper follow those of the lower. `None` when they do not fit.
    pub(super) fn joined(lower: &Self, upper: &Self) -> Option<Self> {
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
pub(super) fn position(kinds: &mut Vec<Kind>, kind: &Kind) -> Option<usize> {
    if let Some(at) = kinds.iter().position(|k| k == kind) {
        return Some(at);
    }
    (kinds.len() < KINDS - 1).then(|| {
        kinds.push(kind.clone());
        kinds.len() - 1
    })
}
