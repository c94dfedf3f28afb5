//! From a byte of a text to its line and column.

use crate::model::Place;

/// Tells where a byte of a text stands. It counts on from the last question, so that asking in the order of
/// the text costs one pass over it, however often one asks.
pub(in crate::exchange) struct Cursor<'a> {
    text: &'a str,
    offset: usize,
    line: u64,
    column: u64,
}

impl<'a> Cursor<'a> {
    /// At the beginning of a text.
    pub(in crate::exchange) fn new(text: &'a str) -> Self {
        Self { text, offset: 0, line: 1, column: 1 }
    }

    /// The line and column of the byte at `offset`; columns count characters.
    pub(in crate::exchange) fn place(&mut self, offset: usize) -> Place {
        let offset = offset.min(self.text.len());
        if offset < self.offset {
            *self = Self::new(self.text);
        }
        for byte in &self.text.as_bytes()[self.offset..offset] {
            match byte {
                b'\n' => (self.line, self.column) = (self.line + 1, 1),
                // The later bytes of a character in UTF-8 are no columns of their own.
                0x80..=0xBF => {}
                _ => self.column += 1,
            }
        }
        self.offset = offset;
        Place::line(self.line, self.column)
    }
}

/// The byte at which a line begins; lines count from 1.
pub(super) fn line_start(text: &str, line: usize) -> usize {
    match line.checked_sub(2) {
        None => 0,
        Some(breaks) => text.match_indices('\n').nth(breaks).map_or(text.len(), |(at, _)| at + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let mut cursor = Cursor::new("æø\nå\n");
        for (offset, line, column) in [(0, 1, 1), (2, 1, 2), (4, 1, 3), (5, 2, 1), (8, 3, 1), (99, 3, 1), (2, 1, 2)] {
            assert_eq!(cursor.place(offset), Place::line(line, column), "{offset}");
        }
        assert_eq!([1, 2, 3, 4].map(|line| line_start("æø\nå\n", line)), [0, 5, 8, 8]);
    }
}
