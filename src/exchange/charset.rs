//! Texts as spreadsheets and old systems write them: UTF-8, UTF-16 with its mark, or Windows-1252 (and so Latin-1).
//!
//! For lists of codes, which people take out of what they have. Editions are UTF-8 and nothing else.

use std::borrow::Cow;

use crate::model::{Code, Place, Refusal, Result};

/// What 0x80 to 0x9F are in Windows-1252; all others are what they are in Unicode. A zero stands for nothing.
const HIGH: [u16; 32] = [
    0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0, 0,
    0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178,
];

/// The text of a file.
///
/// # Errors
/// [`Code::Encoding`] when it is none of the three, or a workbook.
pub(super) fn text(bytes: &[u8]) -> Result<Cow<'_, str>> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        let (da, en) = (
            "det er en projektmappe (Excel); gem arket som CSV og send det",
            "it is a workbook (Excel); save the sheet as CSV and send that",
        );
        return Err(Refusal::new(Code::Encoding, da, en).allowed(["CSV", "JSON"]));
    }
    match bytes {
        [0xff, 0xfe, rest @ ..] => return utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => return utf16(rest, u16::from_be_bytes),
        _ => {}
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return Ok(text.into()),
        Err(error) => error,
    };
    // Letters that are UTF-8 before the first that is not: the file is broken, and to guess would garble it.
    if bytes[..error.valid_up_to()].is_ascii() {
        let windows = bytes.iter().map(|b| windows_1252(*b)).collect::<Option<String>>();
        if let Some(text) = windows {
            return Ok(text.into());
        }
    }
    let line = bytes[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count() as u64 + 1;
    Err(wrong().at(Place { line: Some(line), ..Place::default() }))
}

fn wrong() -> Refusal {
    let (da, en) = ("filen er hverken UTF-8 eller Windows-1252", "the file is neither UTF-8 nor Windows-1252");
    Refusal::new(Code::Encoding, da, en).allowed(["UTF-8", "UTF-16", "Windows-1252"])
}

fn windows_1252(byte: u8) -> Option<char> {
    match byte {
        // No text has this; what has it is no text.
        0 => None,
        0x80..=0x9f => char::from_u32(HIGH[usize::from(byte - 0x80)].into()).filter(|c| *c != '\0'),
        other => Some(other.into()),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'static, str>> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let text: Option<String> = char::decode_utf16(units).map(std::result::Result::ok).collect();
    text.filter(|_| rest.is_empty()).map(Cow::Owned).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_they_were_written() {
        let whole = "æøå ÆØÅ – “€”";
        assert_eq!(text(whole.as_bytes()).unwrap(), whole);
        assert_eq!(text(format!("\u{feff}{whole}").as_bytes()).unwrap(), whole);
        let windows = b"\xe6\xf8\xe5 \xc6\xd8\xc5 \x96 \x93\x80\x94";
        assert_eq!(text(windows).unwrap(), whole);
        for (mark, bytes) in [([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]), ([0xfe, 0xff], u16::to_be_bytes)]
        {
            let units: Vec<u8> = mark.into_iter().chain(whole.encode_utf16().flat_map(bytes)).collect();
            assert_eq!(text(&units).unwrap(), whole);
            assert_eq!(text(&units[..units.len() - 1]).unwrap_err().code, Code::Encoding);
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for bytes in [
            &b"PK\x03\x04\x14\x00"[..],
            b"\xd0\xcf\x11\xe0",
            b"J\x00\xf8",
            b"J\x81",
            // Half UTF-8, half not.
            b"\xc3\xa6 \xe6",
            b"\xff\xfe\x00\xd8",
        ] {
            assert_eq!(text(bytes).unwrap_err().code, Code::Encoding, "{bytes:?}");
        }
    }
}
