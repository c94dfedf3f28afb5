//! Reading XML: the children of the root one at a time, each as a tree. Depth and the size of one tree are
//! bounded, and document types are refused, so a hostile file costs no more memory than a small multiple of
//! its size.

use quick_xml::XmlVersion;
use quick_xml::errors::{Error, IllFormedError};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::reader::NsReader;

use super::tree::{Element, Losses, Ns};
use super::{BEGREB, chars};
use crate::model::{Code, Place, Refusal, Result};

/// The deepest nesting of elements; the format itself needs ten.
const DEEPEST: usize = 64;
/// The most elements in one child of the root.
const MOST: usize = 1_000_000;
/// The most attributes of one element; the format itself needs hardly any.
const ATTRIBUTES: usize = 64;

/// What comes next in a file.
enum Piece {
    Open(Element),
    Close,
    Text(String),
    End,
}

/// A file under way.
pub(super) struct Parser<'a> {
    text: &'a str,
    reader: NsReader<&'a [u8]>,
    /// Up to here lines have been counted.
    counted: usize,
    line: u64,
    column: u64,
}

impl<'a> Parser<'a> {
    /// A new file.
    pub fn new(text: &'a str) -> Result<Self> {
        let mut reader = NsReader::from_str(text);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_comments = true;
        let mut parser = Self { text, reader, counted: 0, line: 1, column: 1 };
        match text.find(|c| !chars::is_lawful(c)) {
            None => Ok(parser),
            Some(at) => {
                parser.count_to(at);
                Err(parser.broken("et tegn, som XML ikke tillader", "a character that XML does not allow"))
            }
        }
    }

    /// Opens the root, which must be the element of ours of that name.
    pub fn open(&mut self, name: &str, losses: &mut Losses) -> Result<()> {
        loop {
            match self.piece(losses)? {
                Piece::Open(root) if root.is(Ns::Begreb, name) => return Ok(()),
                Piece::Open(root) => {
                    let (da, en) = (format!("roden er ikke {name}"), format!("the root is not {name}"));
                    return Err(root.refuse(Code::Syntax, da, en).allowed([format!("{{{BEGREB}}}{name}")]));
                }
                Piece::Text(text) if text.trim().is_empty() => {}
                Piece::Text(_) | Piece::Close => return Err(self.outside()),
                Piece::End => return Err(self.broken("filen har intet element", "the file has no element")),
            }
        }
    }

    /// The next child of the root, or nothing when the root and the file end.
    pub fn child(&mut self, losses: &mut Losses) -> Result<Option<Element>> {
        loop {
            match self.piece(losses)? {
                Piece::Open(element) => return self.tree(element, losses).map(Some),
                Piece::Text(text) if text.trim().is_empty() => {}
                Piece::Text(_) => losses.add("text in the root", "there is no text between elements"),
                Piece::Close => return self.end(losses).map(|()| None),
                Piece::End => return Err(self.cut_off("KlassifikationUdtraek")),
            }
        }
    }

    /// Everything up to the end of an element that has begun.
    fn tree(&mut self, element: Element, losses: &mut Losses) -> Result<Element> {
        let mut open = vec![element];
        let mut count = 1_usize;
        while let Some(top) = open.last_mut() {
            match self.piece(losses)? {
                Piece::Text(text) => top.text.push_str(&text),
                Piece::Open(element) => {
                    count += 1;
                    open.push(element);
                    self.within_bounds(open.len(), count)?;
                }
                Piece::Close => {
                    let Some(done) = open.pop() else { break };
                    match open.last_mut() {
                        Some(parent) => parent.children.push(done),
                        None => return Ok(done),
                    }
                }
                Piece::End => return Err(self.cut_off(&top.shown())),
            }
        }
        Err(self.outside())
    }

    fn within_bounds(&self, depth: usize, count: usize) -> Result<()> {
        let place = Place::line(self.line, self.column);
        if depth > DEEPEST {
            let da = format!("elementer er indlejret dybere end {DEEPEST}");
            let en = format!("elements are nested deeper than {DEEPEST}");
            return Err(Refusal::new(Code::TooDeep, da, en).at(place));
        }
        if count > MOST {
            let da = format!("et objekt har flere end {MOST} elementer");
            let en = format!("an object has more than {MOST} elements");
            return Err(Refusal::new(Code::TooLarge, da, en).at(place));
        }
        Ok(())
    }

    /// Nothing comes after the root.
    fn end(&mut self, losses: &mut Losses) -> Result<()> {
        loop {
            match self.piece(losses)? {
                Piece::End => return Ok(()),
                Piece::Text(text) if text.trim().is_empty() => {}
                Piece::Text(_) | Piece::Open(_) | Piece::Close => return Err(self.outside()),
            }
        }
    }

    fn piece(&mut self, losses: &mut Losses) -> Result<Piece> {
        loop {
            let start = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
            let (ns, event) = match self.reader.read_resolved_event() {
                Ok((ns, event)) => (Ns::of(&ns), event),
                Err(e) => return Err(self.unreadable(&e)),
            };
            if !matches!(event, Event::Text(_)) {
                self.count_to(start);
            }
            return Ok(match event {
                Event::Start(tag) | Event::Empty(tag) => Piece::Open(self.element(ns, &tag, losses)?),
                Event::End(_) => Piece::Close,
                Event::Text(text) => Piece::Text(text.xml10_content().into_owned()),
                Event::CData(text) => Piece::Text(text.xml10_content().into_owned()),
                Event::GeneralRef(reference) => Piece::Text(self.character(&reference)?.to_string()),
                Event::Eof => Piece::End,
                Event::DocType(_) => return Err(self.document_type()),
                Event::Decl(declaration) => {
                    self.declaration(start, &declaration)?;
                    continue;
                }
                Event::PI(_) => {
                    losses.add("processing instruction", "the format has no place for it");
                    continue;
                }
                Event::Comment(_) => continue,
            });
        }
    }

    fn element(&self, ns: Option<Ns>, tag: &BytesStart<'_>, losses: &mut Losses) -> Result<Element> {
        let ns = ns.ok_or_else(|| self.broken("et præfiks uden navnerum", "a prefix without a namespace"))?;
        let mut element = Element::new(ns, tag.local_name().into_inner(), self.line, self.column);
        for (i, attribute) in tag.attributes().enumerate() {
            let attribute = attribute.map_err(|e| self.not_xml(&e))?;
            if i == ATTRIBUTES {
                return Err(element.refuse(Code::TooLarge, "for mange attributter", "too many attributes"));
            }
            let key = attribute.key.into_inner();
            if ns == Ns::Begreb && key == "escapet" {
                element.escaped = matches!(attribute.value.trim(), "true" | "1");
            } else if key != "xmlns" && !["xmlns:", "xml:", "xsi:"].iter().any(|p| key.starts_with(p)) {
                let key: String = key.chars().take(80).collect();
                losses.add(format!("attribute '{}/@{key}'", element.shown()), "the format has no place for it");
            }
        }
        Ok(element)
    }

    fn character(&self, reference: &BytesRef<'_>) -> Result<char> {
        let named = || resolve_predefined_entity(reference).and_then(|text| text.chars().next());
        let found = match reference.resolve_char_ref() {
            Ok(Some(c)) => Some(c).filter(|c| chars::is_lawful(*c)),
            Ok(None) => named(),
            Err(_) => None,
        };
        found.ok_or_else(|| {
            let name: String = reference.chars().take(80).collect();
            self.broken(format!("&{name}; er intet tegn"), format!("&{name}; is no character"))
        })
    }

    fn declaration(&self, start: usize, declaration: &BytesDecl<'_>) -> Result<()> {
        if start != 0 || !matches!(declaration.xml_version(), Ok(XmlVersion::Explicit1_0)) {
            return Err(self.broken("XML-erklæringen kan ikke bruges", "the XML declaration cannot be used"));
        }
        let lawful = |name: &str| name.eq_ignore_ascii_case("UTF-8") || name.eq_ignore_ascii_case("US-ASCII");
        match declaration.encoding() {
            None => Ok(()),
            Some(Ok(name)) if lawful(&name) => Ok(()),
            Some(_) => Err(Refusal::new(
                Code::Encoding,
                "filen siger, at den ikke er UTF-8",
                "the file says that it is not UTF-8",
            )
            .at(Place::line(self.line, self.column))
            .allowed(["UTF-8"])),
        }
    }

    /// Document types are where XML files name other files and grow without end; no OIO file needs one.
    fn document_type(&self) -> Refusal {
        Refusal::new(Code::Forbidden, "<!DOCTYPE er ikke tilladt", "<!DOCTYPE is not allowed")
            .at(Place::line(self.line, self.column))
    }

    fn unreadable(&mut self, error: &Error) -> Refusal {
        let at = usize::try_from(self.reader.error_position()).unwrap_or(usize::MAX);
        self.count_to(at);
        let from_here = self.text.as_bytes().get(at..).unwrap_or_default();
        let nameless = matches!(error, Error::IllFormed(IllFormedError::MissingDoctypeName));
        if nameless || from_here.get(..9).is_some_and(|b| b.eq_ignore_ascii_case(b"<!DOCTYPE")) {
            return self.document_type();
        }
        self.not_xml(error)
    }

    fn not_xml(&self, error: &dyn std::error::Error) -> Refusal {
        self.broken(format!("filen er ikke velformet XML: {error}"), format!("the file is not XML: {error}"))
    }

    fn broken(&self, da: impl Into<String>, en: impl Into<String>) -> Refusal {
        Refusal::new(Code::Syntax, da, en).at(Place::line(self.line, self.column))
    }

    fn outside(&self) -> Refusal {
        self.broken("noget uden for roden", "something outside the root")
    }

    fn cut_off(&self, name: &str) -> Refusal {
        self.broken(format!("filen slutter inde i {name}"), format!("the file ends inside {name}"))
    }

    /// Counts lines and columns up to a byte. Only ever forwards, so that the whole file is counted once.
    fn count_to(&mut self, to: usize) {
        let Some(passed) = self.text.get(self.counted..to.min(self.text.len())) else { return };
        self.counted += passed.len();
        if let Some((before, after)) = passed.rsplit_once('\n') {
            self.line += before.bytes().filter(|b| *b == b'\n').count() as u64 + 1;
            self.column = 1 + after.chars().count() as u64;
        } else {
            self.column += passed.chars().count() as u64;
        }
    }
}
