//! A layer that grows: it numbers what the layers below do not have.

use std::sync::Arc;

use oxrdf::TermRef;
use uuid::Uuid;

use super::Terms;
use super::layer::{Entry, FREE, KINDS, Kind, LONGEST, Layer, Parts, position};
use crate::model::{Code, Refusal, Result};
use crate::projection::Said;

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
