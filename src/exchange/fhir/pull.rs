//! Pulls JSON out of a text, one event at a time, and knows at all times where it is: line, column and path.
//!
//! Nothing here calls itself, so no nesting of the text can exhaust the stack of the machine.

use std::borrow::Cow;

use json_event_parser::{JsonEvent, JsonSyntaxError, LowLevelJsonParser};

use crate::exchange::DEEPEST;
use crate::exchange::json::Cursor;
use crate::model::{Code, Place, Refusal, Result};

/// How deep objects and arrays may lie in each other: two levels for each concept, and some for what a
/// concept holds.
const DEEPEST_JSON: usize = 2 * DEEPEST + 64;

/// How much of a key is shown in a path.
const SHOWN: usize = 80;

/// A text of JSON, read from its beginning to its end.
pub(super) struct Pull<'a> {
    text: &'a str,
    parser: LowLevelJsonParser,
    /// Where the parser is.
    offset: usize,
    /// Where the latest event begins.
    start: usize,
    cursor: Cursor<'a>,
    path: String,
    depth: usize,
}

impl<'a> Pull<'a> {
    /// At the beginning of a text.
    pub(super) fn new(text: &'a str) -> Self {
        let parser = LowLevelJsonParser::new();
        Self { text, parser, offset: 0, start: 0, cursor: Cursor::new(text), path: String::new(), depth: 0 }
    }

    /// The next event.
    fn next(&mut self) -> Result<JsonEvent<'a>> {
        let rest = &self.text.as_bytes()[self.offset..];
        let answer = self.parser.parse_next(rest, true);
        // Between two events there is nothing else than these.
        let gap = rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n' | b',' | b':')).count();
        self.start = self.offset + gap;
        self.offset += answer.consumed_bytes;
        match answer.event {
            Some(Ok(event)) => self.watch_depth(event),
            Some(Err(e)) => Err(self.broken(&e)),
            None => Err(self.truncated()),
        }
    }

    fn watch_depth(&mut self, event: JsonEvent<'a>) -> Result<JsonEvent<'a>> {
        match event {
            JsonEvent::StartArray | JsonEvent::StartObject => self.depth += 1,
            JsonEvent::EndArray | JsonEvent::EndObject => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if self.depth > DEEPEST_JSON { Err(self.too_deep()) } else { Ok(event) }
    }

    /// Goes into an object.
    pub(super) fn object(&mut self) -> Result<()> {
        match self.next()? {
            JsonEvent::StartObject => Ok(()),
            _ => Err(self.expected("et objekt", "an object")),
        }
    }

    /// Goes into an array.
    pub(super) fn array(&mut self) -> Result<()> {
        match self.next()? {
            JsonEvent::StartArray => Ok(()),
            _ => Err(self.expected("en liste", "an array")),
        }
    }

    /// In an array of objects: goes into the next one, or out of the array.
    pub(super) fn object_or_end(&mut self) -> Result<bool> {
        match self.next()? {
            JsonEvent::StartObject => Ok(true),
            JsonEvent::EndArray => Ok(false),
            _ => Err(self.expected("et objekt", "an object")),
        }
    }

    /// In an object: the next key, or nothing and out of the object.
    pub(super) fn key(&mut self) -> Result<Option<Cow<'a, str>>> {
        match self.next()? {
            JsonEvent::ObjectKey(key) => Ok(Some(key)),
            JsonEvent::EndObject => Ok(None),
            _ => Err(self.expected("et elementnavn", "the name of an element")),
        }
    }

    /// A value that must be text.
    pub(super) fn text(&mut self) -> Result<String> {
        match self.next()? {
            JsonEvent::String(text) => Ok(text.into_owned()),
            _ => Err(self.expected("en tekst", "a text")),
        }
    }

    /// A value that must be a number, as it is written.
    pub(super) fn number(&mut self) -> Result<String> {
        match self.next()? {
            JsonEvent::Number(number) => Ok(number.into_owned()),
            _ => Err(self.expected("et tal", "a number")),
        }
    }

    /// Passes over a value of any kind.
    pub(super) fn skip(&mut self) -> Result<()> {
        let outside = self.depth;
        self.next()?;
        while self.depth > outside {
            self.next()?;
        }
        Ok(())
    }

    /// Nothing may follow.
    pub(super) fn end(&mut self) -> Result<()> {
        match self.next()? {
            JsonEvent::Eof => Ok(()),
            _ => Err(self.expected("slutningen af filen", "the end of the file")),
        }
    }

    /// Reads each element of the object that one is in, and goes out of it.
    pub(super) fn each_key(&mut self, mut read: impl FnMut(&mut Self, &str) -> Result<()>) -> Result<()> {
        let mark = self.mark();
        while let Some(key) = self.key()? {
            self.enter(&key);
            read(self, &key)?;
            self.leave(mark);
        }
        Ok(())
    }

    /// Reads each object of an array.
    pub(super) fn each_object(&mut self, mut read: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        self.array()?;
        let mark = self.mark();
        for index in 0.. {
            self.enter_index(index);
            if !self.object_or_end()? {
                break;
            }
            read(self)?;
            self.leave(mark);
        }
        self.leave(mark);
        Ok(())
    }

    /// Where the path is, to come back to with [`leave`](Self::leave).
    pub(super) fn mark(&self) -> usize {
        self.path.len()
    }

    /// Puts an element at the end of the path.
    pub(super) fn enter(&mut self, key: &str) {
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.extend(key.chars().take(SHOWN));
    }

    /// Puts a position in an array, from 0, at the end of the path.
    pub(super) fn enter_index(&mut self, index: usize) {
        self.path.push_str(&format!("[{index}]"));
    }

    /// Takes the path back to a mark.
    pub(super) fn leave(&mut self, mark: usize) {
        self.path.truncate(mark);
    }

    /// The JSON path.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The line and column at which the latest event begins.
    pub(super) fn position(&mut self) -> Place {
        self.cursor.place(self.start)
    }

    /// A refusal of what is here.
    pub(super) fn refuse(&mut self, code: Code, da: impl Into<String>, en: impl Into<String>) -> Refusal {
        let refusal = Refusal::new(code, da, en);
        self.here(refusal)
    }

    /// A refusal with where it is.
    pub(super) fn here(&mut self, refusal: Refusal) -> Refusal {
        let position = self.position();
        self.with_path(refusal.at(position))
    }

    /// The refusal of a hierarchy that is too deep.
    pub(super) fn too_deep(&mut self) -> Refusal {
        self.refuse(
            Code::TooDeep,
            format!("hierarkiet er dybere end {DEEPEST} niveauer"),
            format!("the hierarchy is deeper than {DEEPEST} levels"),
        )
    }

    fn expected(&mut self, da: &str, en: &str) -> Refusal {
        self.refuse(Code::Syntax, format!("her skal stå {da}"), format!("here must be {en}"))
    }

    fn broken(&mut self, error: &JsonSyntaxError) -> Refusal {
        let message = error.message();
        if message.starts_with("Unexpected end of file") {
            return self.truncated();
        }
        let refusal = Refusal::new(
            Code::Syntax,
            format!("filen er ikke gyldig JSON: {message}"),
            format!("the file is not valid JSON: {message}"),
        );
        let at = usize::try_from(error.location().start.offset).unwrap_or(usize::MAX);
        let position = self.cursor.place(at);
        self.with_path(refusal.at(position))
    }

    fn truncated(&mut self) -> Refusal {
        let end = self.cursor.place(self.text.len());
        self.with_path(Refusal::new(Code::Syntax, "filen slutter for tidligt", "the file ends too early").at(end))
    }

    fn with_path(&self, refusal: Refusal) -> Refusal {
        if self.path.is_empty() { refusal } else { refusal.at(Place::field(&*self.path)) }
    }
}
