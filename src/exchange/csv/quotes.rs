//! The quotes of RFC 4180, kept strictly. The reader of tables takes `"a"b` and a quote that is never closed
//! for what they may have been; here they are refused, so that a cut file does not pass for a whole one.

use crate::model::{Code, Place, Refusal, Result};

/// Where one is in a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    RowStart,
    CellStart,
    /// In a cell without quotes.
    Bare,
    /// In a cell with quotes.
    Quoted,
    /// After a quote in a cell with quotes: it was the last one, or the first of two.
    Quote,
}

/// Refuses quotes that are not lawful.
pub(in crate::exchange) fn check(text: &str, separator: u8) -> Result<()> {
    let (mut row, mut cell, mut at) = (1, 1, At::RowStart);
    for byte in text.bytes() {
        at = match (at, byte) {
            (At::Quoted, b'"') => At::Quote,
            (At::Quoted, _) => At::Quoted,
            (At::Quote, b'"') => At::Quoted,
            // Blank lines are no rows.
            (At::RowStart, b'\r' | b'\n') => At::RowStart,
            (_, b'\r' | b'\n') => {
                (row, cell) = (row + 1, 1);
                At::RowStart
            }
            (_, byte) if byte == separator => {
                cell += 1;
                At::CellStart
            }
            (At::RowStart | At::CellStart, b'"') => At::Quoted,
            (At::Quote, _) | (At::Bare, b'"') => return Err(misplaced(row, cell)),
            _ => At::Bare,
        };
    }
    if at == At::Quoted { Err(unclosed(row, cell)) } else { Ok(()) }
}

fn place(row: u64, cell: u64) -> Place {
    Place { column: Some(cell), ..Place::row(row) }
}

fn misplaced(row: u64, cell: u64) -> Refusal {
    Refusal::new(
        Code::Syntax,
        "anførselstegn står om en hel celle, og de inde i den skrives dobbelt",
        "quotes stand around a whole cell, and those within it are written twice",
    )
    .at(place(row, cell))
}

fn unclosed(row: u64, cell: u64) -> Refusal {
    Refusal::new(
        Code::Syntax,
        "cellens anførselstegn bliver aldrig lukket; filen er måske afkortet",
        "the quotes of the cell are never closed; the file may have been cut",
    )
    .at(place(row, cell))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_stand_around_whole_cells() {
        for good in ["", "a,b", "\"a\",b\r\n", "\"a\"\"b\",\"\"\n\n\"a\r\nb,c\"", "a,\"\""] {
            assert_eq!(check(good, b','), Ok(()), "{good}");
        }
        for (wrong, row, cell) in [
            ("\"a", 1, 1),
            ("a,b\n\n\n1,\"\n\n", 2, 2),
            ("a\"b", 1, 1),
            ("a\n\"b\"c", 2, 1),
            ("a\r\n\"b\" ,c", 2, 1),
            ("a;\"b,\"\"", 1, 1),
        ] {
            let refusal = check(wrong, b',').unwrap_err();
            assert_eq!((refusal.code, refusal.place), (Code::Syntax, place(row, cell)), "{wrong}");
        }
    }
}
