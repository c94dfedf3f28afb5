//! What a file that came with an answer really is, by its bytes: what people write and draw, and nothing that runs.

use crate::model::{Code, Place, Refusal, Result};

/// The kinds of file that an answer may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// PDF.
    Pdf,
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// Plain text, UTF-8.
    Text,
    /// OpenDocument Text.
    Odt,
    /// Office Open XML text.
    Docx,
}

impl FileKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Pdf, Self::Png, Self::Jpeg, Self::Text, Self::Odt, Self::Docx];

    /// The largest file, in bytes.
    pub const LARGEST: usize = 5 << 20;

    /// Its media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Text => "text/plain",
            Self::Odt => "application/vnd.oasis.opendocument.text",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        }
    }

    /// What its name may end with.
    fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Pdf => &["pdf"],
            Self::Png => &["png"],
            Self::Jpeg => &["jpg", "jpeg"],
            Self::Text => &["txt", "md", "csv"],
            Self::Odt => &["odt"],
            Self::Docx => &["docx"],
        }
    }

    /// The kind of some bytes, which must be the one that their name says, and the one that was declared if any was.
    ///
    /// # Errors
    /// [`Code::TooLarge`]; [`Code::UnsupportedType`] for what no answer may have, or what is not what it says.
    pub fn of(bytes: &[u8], name: &str, declared: Option<&str>) -> Result<Self> {
        if bytes.len() > Self::LARGEST {
            return Err(Refusal::new(Code::TooLarge, "filen er for stor", "the file is too large").allowed(["5 MiB"]));
        }
        let kind = sniff(bytes).ok_or_else(|| {
            let (da, en) = ("den slags fil tages ikke imod", "a file of that kind is not taken");
            unsupported(da, en).at(Place::field("file"))
        })?;
        let extension = name.rsplit_once('.').map_or(String::new(), |(_, e)| e.to_ascii_lowercase());
        if !kind.extensions().contains(&extension.as_str()) {
            let (da, en) = ("filen er ikke det, dens navn siger", "the file is not what its name says");
            return Err(unsupported(da, en).at(Place::field("name")).allowed(kind.extensions().iter().copied()));
        }
        let declared = declared.map(|d| d.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        // A program that does not know says so, or calls a table of text by its own name.
        let same = |d: &str| {
            d == kind.media_type()
                || d == "application/octet-stream"
                || (kind == Self::Text && d.starts_with("text/") && d != "text/html")
        };
        match declared.as_deref() {
            Some(d) if !d.is_empty() && !same(d) => {
                let (da, en) = ("filen er ikke det, afsenderen siger", "the file is not what its sender says");
                Err(unsupported(da, en).at(Place::field("content-type")).allowed([kind.media_type()]))
            }
            _ => Ok(kind),
        }
    }
}

fn unsupported(da: &str, en: &str) -> Refusal {
    let all = FileKind::ALL.iter().flat_map(|k| k.extensions().iter().copied());
    Refusal::new(Code::UnsupportedType, da, en).allowed(all)
}

/// What the bytes are, if it is a kind that is taken.
fn sniff(bytes: &[u8]) -> Option<FileKind> {
    if bytes.starts_with(b"%PDF-") {
        return Some(FileKind::Pdf);
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some(FileKind::Png);
    }
    if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        return Some(FileKind::Jpeg);
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return zipped(bytes);
    }
    is_text(bytes).then_some(FileKind::Text)
}

/// Plain text: no control characters, and nothing that begins like markup or a script.
fn is_text(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let plain = !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}'));
    let begins = text.trim_start();
    plain && !begins.is_empty() && !["<", "#!", "%!", "{\\rtf"].iter().any(|b| begins.starts_with(b))
}

/// What a ZIP holds, by the names in its directory; what has macros is not taken.
fn zipped(bytes: &[u8]) -> Option<FileKind> {
    let names = names(bytes)?;
    let has = |name: &str| names.contains(&name.as_bytes());
    let below = |folder: &str| names.iter().any(|n| n.starts_with(folder.as_bytes()));
    let runs = |n: &&[u8]| n.to_ascii_lowercase().windows(10).any(|w| w == b"vbaproject");
    if names.iter().any(runs) || below("Basic/") || below("Scripts/") {
        return None;
    }
    let said = format!("mimetype{}", FileKind::Odt.media_type());
    // OpenDocument: the first entry is `mimetype`, stored as it is.
    if bytes.get(30..).is_some_and(|b| b.starts_with(said.as_bytes()))
        && bytes.get(30 + said.len()..).is_some_and(|rest| !rest.starts_with(b"-"))
        && has("content.xml")
    {
        return Some(FileKind::Odt);
    }
    (has("[Content_Types].xml") && has("word/document.xml")).then_some(FileKind::Docx)
}

/// The names in the directory of a ZIP; nothing when it cannot be read.
fn names(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let number = |at: usize, n: usize| {
        let part = bytes.get(at..at.checked_add(n)?)?;
        Some(part.iter().rev().fold(0_usize, |sum, b| sum << 8 | usize::from(*b)))
    };
    let from = bytes.len().saturating_sub(22 + 65_535);
    let end = bytes.get(from..)?.windows(4).rposition(|w| w == b"PK\x05\x06")? + from;
    let (count, mut at) = (number(end + 10, 2)?, number(end + 16, 4)?);
    let mut names = Vec::new();
    for _ in 0..count {
        if bytes.get(at..at.checked_add(4)?)? != b"PK\x01\x02" {
            return None;
        }
        let (name, extra, comment) = (number(at + 28, 2)?, number(at + 30, 2)?, number(at + 32, 2)?);
        names.push(bytes.get(at + 46..(at + 46).checked_add(name)?)?);
        at = at + 46 + name + extra + comment;
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A ZIP of stored entries.
    fn zip(entries: &[(&str, &str)]) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for (name, body) in entries {
            let (at, n, b) = (out.len() as u32, name.len() as u16, body.len() as u32);
            out.extend(b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0");
            out.extend([b.to_le_bytes(), b.to_le_bytes()].concat());
            out.extend([n.to_le_bytes(), [0, 0]].concat());
            out.extend(name.bytes().chain(body.bytes()));
            directory.extend(b"PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\0\0\0\0\0\0");
            directory.extend([b.to_le_bytes(), b.to_le_bytes()].concat());
            directory.extend([n.to_le_bytes(), [0; 2], [0; 2], [0; 2], [0; 2]].concat());
            directory.extend([[0; 4], at.to_le_bytes()].concat());
            directory.extend(name.bytes());
        }
        let (at, n) = (out.len() as u32, entries.len() as u16);
        let size = directory.len() as u32;
        out.extend(directory);
        out.extend(b"PK\x05\x06\0\0\0\0");
        out.extend([n.to_le_bytes(), n.to_le_bytes()].concat());
        out.extend([size.to_le_bytes(), at.to_le_bytes()].concat());
        out.extend([0, 0]);
        out
    }

    #[test]
    fn what_is_taken_and_what_is_not() {
        let odt = FileKind::Odt.media_type();
        let (mime, content) = (("mimetype", odt), ("content.xml", "<x/>"));
        let (types, word) = (("[Content_Types].xml", "<x/>"), ("word/document.xml", "<x/>"));
        for (bytes, kind) in [
            (b"%PDF-1.7\n".to_vec(), Some(FileKind::Pdf)),
            (b"\x89PNG\r\n\x1a\nx".to_vec(), Some(FileKind::Png)),
            (vec![0xff, 0xd8, 0xff, 0xe0], Some(FileKind::Jpeg)),
            ("Vi er enige.\r\nÆrlig".into(), Some(FileKind::Text)),
            (zip(&[mime, content]), Some(FileKind::Odt)),
            (zip(&[types, word]), Some(FileKind::Docx)),
            (zip(&[mime, content, ("Basic/Standard/a.xml", "")]), None),
            (zip(&[types, word, ("word/vbaProject.bin", "")]), None),
            (zip(&[("mimetype", &format!("{odt}-template")), content]), None),
            (zip(&[("a.exe", "MZ")]), None),
            (b"<html><script>alert(1)</script>".to_vec(), None),
            (b"\xef\xbb\xbf \n<svg xmlns='x'/>".to_vec(), None),
            (b"#!/bin/sh\n".to_vec(), None),
            (b"MZ\x90\0".to_vec(), None),
            (b"GIF89a\x01\0".to_vec(), None),
            (b"PK\x03\x04".to_vec(), None),
            (Vec::new(), None),
        ] {
            assert_eq!(sniff(&bytes), kind, "{:?}", String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn what_lies_about_itself() {
        let of = |name, declared| FileKind::of(b"%PDF-1.7", name, declared).map_err(|r| r.place.field.unwrap());
        assert_eq!(of("a.PDF", None), Ok(FileKind::Pdf));
        assert_eq!(of("a.pdf", Some("application/pdf; x=y")), Ok(FileKind::Pdf));
        assert_eq!(of("a.txt", None), Err("name".into()));
        assert_eq!(of("pdf", None), Err("name".into()));
        assert_eq!(of("a.pdf", Some("text/plain")), Err("content-type".into()));
        assert_eq!(FileKind::of(b"x", "a.txt", Some("text/html")).unwrap_err().code, Code::UnsupportedType);
        assert_eq!(FileKind::of(&vec![b'x'; FileKind::LARGEST + 1], "a.txt", None).unwrap_err().code, Code::TooLarge);
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0_usize..300) {
            let _ = sniff(&bytes);
            bytes.splice(0..0, *b"PK\x03\x04");
            bytes.extend(b"PK\x05\x06");
            let _ = sniff(&bytes);
            let mut whole = zip(&[("mimetype", "x"), ("content.xml", "y")]);
            let at = at % whole.len();
            whole[at] ^= 0xff;
            let _ = sniff(&whole);
        }
    }
}
