//! Writing XML: elements and texts, indented, never a byte that XML forbids.

use std::io::{self, BufWriter, Write};

use super::chars;
use super::codes::Coded;
use crate::model::{Instant, Text};

/// A document under way.
pub(super) struct Xml<'a> {
    out: BufWriter<&'a mut dyn Write>,
    depth: usize,
}

impl<'a> Xml<'a> {
    /// A new document.
    pub fn new(out: &'a mut dyn Write) -> io::Result<Self> {
        let mut out = BufWriter::new(out);
        out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?;
        Ok(Self { out, depth: 0 })
    }

    /// An element of elements.
    pub fn element(&mut self, name: &str, body: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        self.element_with(name, "", body)
    }

    /// An element of elements with attributes, which are written as they are.
    pub fn element_with(
        &mut self,
        name: &str,
        attributes: &str,
        body: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        self.indent()?;
        writeln!(self.out, "<{name}{attributes}>")?;
        self.depth += 1;
        body(self)?;
        self.depth -= 1;
        self.indent()?;
        writeln!(self.out, "</{name}>")
    }

    /// A `Liste` of elements; nothing when it is empty.
    pub fn list<T>(
        &mut self,
        list: &str,
        item: &str,
        items: &[T],
        mut body: impl FnMut(&mut Self, &T) -> io::Result<()>,
    ) -> io::Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        self.element(list, |x| items.iter().try_for_each(|i| x.element(item, |x| body(x, i))))
    }

    /// A `Liste` of texts in languages.
    pub fn texts(&mut self, list: &str, texts: &[Text]) -> io::Result<()> {
        self.list(list, "SprogligTekst", texts, |x, text| {
            x.leaf("SprogKode", text.language.as_str())?;
            x.text("IndholdTekst", &text.text)
        })
    }

    /// An element of a text that is known to be lawful.
    pub fn leaf(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.indent()?;
        writeln!(self.out, "<{name}>{}</{name}>", chars::markup(text))
    }

    /// An element of ours with any text at all: what XML cannot hold is escaped, and an attribute says so.
    pub fn text(&mut self, name: &str, text: &str) -> io::Result<()> {
        match chars::escape(text) {
            None => self.leaf(name, text),
            Some(escaped) => {
                self.indent()?;
                writeln!(self.out, "<{name} escapet=\"true\">{}</{name}>", chars::markup(&escaped))
            }
        }
    }

    /// The same for a text that may be absent.
    pub fn optional(&mut self, name: &str, text: Option<&String>) -> io::Result<()> {
        text.map_or(Ok(()), |t| self.text(name, t))
    }

    /// An element of an instant, with the infinities as they are written everywhere else.
    pub fn instant(&mut self, name: &str, at: Option<Instant>) -> io::Result<()> {
        at.map_or(Ok(()), |at| self.leaf(name, &at.to_string()))
    }

    /// An element of a code.
    pub fn code<T: Coded>(&mut self, name: &str, value: Option<T>) -> io::Result<()> {
        value.map_or(Ok(()), |v| self.leaf(name, v.code()))
    }

    /// The end: everything is handed on.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn indent(&mut self) -> io::Result<()> {
        write!(self.out, "{:1$}", "", self.depth)
    }
}
