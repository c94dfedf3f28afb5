//! What a paper is made of, whatever the format: headings, paragraphs, lists, tables.

use super::Tongue;
use super::words::{Piece, PieceKind};

/// How a run of text stands out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// It does not.
    Plain,
    /// It says what the text after it is.
    Label,
    /// It is a result.
    Strong,
    /// It is no longer there.
    Removed,
    /// It is new.
    Added,
}

/// A run of text in one style. A line feed in it begins a new line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// How it stands out.
    pub style: Style,
    /// The text.
    pub text: String,
    /// The web address that it leads to; anything else than `http` and `https` is not followed.
    pub link: Option<String>,
}

impl Run {
    /// A run that does not stand out.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self::new(Style::Plain, text)
    }

    /// A run in a style.
    #[must_use]
    pub fn new(style: Style, text: impl Into<String>) -> Self {
        Self { style, text: text.into(), link: None }
    }

    /// A run that leads somewhere.
    #[must_use]
    pub fn link(text: impl Into<String>, address: impl Into<String>) -> Self {
        Self { link: Some(address.into()), ..Self::plain(text) }
    }

    /// The address, where it may be followed by a click: a web address, and nothing that runs.
    pub(super) fn address(&self) -> Option<&str> {
        self.link.as_deref().filter(|l| l.starts_with("https://") || l.starts_with("http://"))
    }
}

impl From<&Piece> for Run {
    fn from(piece: &Piece) -> Self {
        let style = match piece.kind {
            PieceKind::Same => Style::Plain,
            PieceKind::Removed => Style::Removed,
            PieceKind::Added => Style::Added,
        };
        Self::new(style, piece.text.clone())
    }
}

/// A part of a document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Block {
    /// A heading; level 1 stands below the title of the document.
    Heading {
        /// The level, from 1.
        level: u8,
        /// The text.
        text: String,
    },
    /// A paragraph.
    Paragraph(Vec<Run>),
    /// A text of somebody else, indented.
    Quote(Vec<Run>),
    /// A list without an order.
    List(Vec<Vec<Run>>),
    /// A table with a row of headings; every row has as many cells.
    Table {
        /// What the table tells.
        caption: String,
        /// The headings of the columns.
        header: Vec<String>,
        /// The rows. The first cell of a row is its heading.
        rows: Vec<Vec<Vec<Run>>>,
    },
}

/// A paper, in no format yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    /// The title.
    pub title: String,
    /// The language of its own words.
    pub tongue: Tongue,
    /// Whether sections have numbers: 1, 1.1, 1.1.1.
    pub numbered: bool,
    /// What it says.
    pub blocks: Vec<Block>,
}

impl Document {
    /// A document that says nothing yet.
    #[must_use]
    pub fn new(title: impl Into<String>, tongue: Tongue) -> Self {
        Self { title: title.into(), tongue, numbered: false, blocks: Vec::new() }
    }

    /// Adds a heading.
    pub fn heading(&mut self, level: u8, text: impl Into<String>) {
        self.blocks.push(Block::Heading { level, text: text.into() });
    }

    /// Adds a paragraph that does not stand out.
    pub fn text(&mut self, text: impl Into<String>) {
        self.paragraph(vec![Run::plain(text)]);
    }

    /// Adds a paragraph.
    pub fn paragraph(&mut self, runs: Vec<Run>) {
        self.blocks.push(Block::Paragraph(runs));
    }

    /// Adds somebody else's text.
    pub fn quote(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Quote(vec![Run::plain(text)]));
    }

    /// Adds a list; nothing when it is empty.
    pub fn list(&mut self, items: Vec<Vec<Run>>) {
        if !items.is_empty() {
            self.blocks.push(Block::List(items));
        }
    }

    /// Adds a table; nothing when it has no rows.
    pub fn table<const N: usize>(
        &mut self,
        caption: impl Into<String>,
        header: [&str; N],
        rows: impl IntoIterator<Item = [Vec<Run>; N]>,
    ) {
        let rows: Vec<Vec<Vec<Run>>> = rows.into_iter().map(Vec::from).collect();
        if !rows.is_empty() {
            let header = header.map(str::to_owned).to_vec();
            self.blocks.push(Block::Table { caption: caption.into(), header, rows });
        }
    }

    /// The number of the section that each block begins, `2.1`; empty for all other blocks and in a document without
    /// numbers.
    pub(super) fn numbers(&self) -> Vec<String> {
        let mut counts: Vec<usize> = Vec::new();
        let mut number = |block: &Block| {
            let Block::Heading { level, .. } = block else { return String::new() };
            counts.resize(usize::from(*level), 0);
            if let Some(last) = counts.last_mut() {
                *last += 1;
            }
            counts.iter().map(usize::to_string).collect::<Vec<_>>().join(".")
        };
        let numbers = self.blocks.iter().map(&mut number);
        if self.numbered { numbers.collect() } else { vec![String::new(); self.blocks.len()] }
    }
}

/// A cell that does not stand out.
pub(super) fn cell(text: impl Into<String>) -> Vec<Run> {
    vec![Run::plain(text)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_numbered() {
        let mut document = Document::new("x", Tongue::Danish);
        for level in [1, 2, 2, 3, 1, 2] {
            document.heading(level, "h");
        }
        assert!(document.numbers().iter().all(String::is_empty));
        document.numbered = true;
        assert_eq!(document.numbers(), ["1", "1.1", "1.2", "1.2.1", "2", "2.1"]);
    }
}
