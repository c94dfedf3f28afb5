//! Files: read, their format guessed, codes taken out of them, and written so that a half file is never seen.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use begreb::exchange::{self, Format};
use begreb::model::{Code, Place, Refusal, Result};

use crate::stop::{file, named};

/// Whether a path means standard input or output.
pub fn is_pipe(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads a file, or standard input for `-`.
///
/// # Errors
/// [`Code::File`], [`Code::TooLarge`].
pub fn read(path: &Path) -> Result<Vec<u8>> {
    if is_pipe(path) {
        return exchange::read_bytes(&mut std::io::stdin().lock(), "stdin");
    }
    let mut source = File::open(path).map_err(|e| file(path, &e))?;
    exchange::read_bytes(&mut source, &path.display().to_string())
}

/// The format of a file: by the ending of its name; JSON is looked into.
///
/// # Errors
/// [`Code::InvalidParameter`] when neither tells.
pub fn guess(path: &Path, bytes: &[u8]) -> Result<Format> {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    match ending.as_str() {
        "json" if is_code_system(bytes) => Ok(Format::Fhir),
        "json" => Ok(Format::Json),
        "" => {
            let name = if is_pipe(path) { "stdin".into() } else { path.display().to_string() };
            Err(Refusal::new(
                Code::InvalidParameter,
                "filens navn siger ikke, hvilket format den har; angiv --format",
                "the name of the file does not tell its format; give --format",
            )
            .at(named(name))
            .allowed(Format::READ.map(Format::name)))
        }
        ending => Format::of_file(&PathBuf::from(format!("x.{ending}"))).map_err(|mut r| {
            r.place = named(path.display());
            r.allowed(Format::READ.map(Format::name))
        }),
    }
}

/// Whether JSON has `"resourceType": "CodeSystem"`; the member may come last.
fn is_code_system(bytes: &[u8]) -> bool {
    let key = b"\"resourceType\"";
    let mut rest = bytes;
    while let Some(at) = rest.windows(key.len()).position(|w| w == key) {
        rest = &rest[at + key.len()..];
        let value = rest.trim_ascii_start().strip_prefix(b":").map(<[u8]>::trim_ascii_start);
        if value.is_some_and(|v| v.starts_with(b"\"CodeSystem\"")) {
            return true;
        }
    }
    false
}

/// A code that stands in a file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Listed {
    /// The code.
    pub code: String,
    /// The text beside it, from a column `display`.
    pub display: Option<String>,
    /// The day beside it, from a column `date`.
    pub date: Option<String>,
}

/// The codes of a file: one on each line, or a table whose heading says which column has them (else the first).
///
/// # Errors
/// [`Code::Encoding`] when it is not UTF-8; [`Code::Syntax`] when a quote is not closed.
pub fn codes(bytes: &[u8]) -> Result<Vec<Listed>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let line = bytes[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count() as u64 + 1;
        Refusal::new(
            Code::Encoding,
            "filen er ikke UTF-8; gem den som »CSV UTF-8«",
            "the file is not UTF-8; save it as 'CSV UTF-8'",
        )
        .at(Place { line: Some(line), ..Place::default() })
    })?;
    let first = text.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
    let separator = [';', '\t', ','].into_iter().max_by_key(|s| first.matches(*s).count()).unwrap_or(',');
    let rows = if first.contains(separator) || first.starts_with('"') {
        rows(text, separator)?
    } else {
        text.lines().map(|line| vec![line.trim().to_owned()]).collect()
    };
    let mut rows = rows.into_iter().filter(|row| row.iter().any(|cell| !cell.is_empty())).peekable();
    let heading: Vec<String> = rows.peek().map(|r| r.iter().map(|c| c.to_lowercase()).collect()).unwrap_or_default();
    let column = |names: &[&str]| heading.iter().position(|h| names.contains(&h.as_str()));
    let code = column(&["code", "kode", "notation", "brugervendtnøgle", "brugervendtnoegle"]);
    if code.is_some() {
        rows.next();
    }
    let beside = |row: &[String], names: &[&str]| {
        let cell = code.and(column(names)).and_then(|c| row.get(c));
        cell.filter(|c| !c.is_empty()).cloned()
    };
    let listed = rows.map(|row| Listed {
        code: row.get(code.unwrap_or(0)).cloned().unwrap_or_default(),
        display: beside(&row, &["display"]),
        date: beside(&row, &["date", "dato"]),
    });
    Ok(listed.filter(|l| !l.code.is_empty()).collect())
}

/// The rows of a table (RFC 4180); cells without the white space around them.
fn rows(text: &str, separator: char) -> Result<Vec<Vec<String>>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut line, mut opened) = (false, 1, 1);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        line += u64::from(c == '\n');
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => {
                cell.push('"');
                rest.next();
            }
            '"' if quoted => quoted = false,
            '"' if cell.trim().is_empty() => (quoted, opened) = (true, line),
            c if quoted => cell.push(c),
            c if c == separator => row.push(std::mem::take(&mut cell).trim().to_owned()),
            '\n' => {
                row.push(std::mem::take(&mut cell).trim().to_owned());
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    if quoted {
        let refusal = Refusal::new(Code::Syntax, "et anførselstegn bliver aldrig lukket", "a quote is never closed");
        return Err(refusal.at(Place { line: Some(opened), ..Place::default() }));
    }
    row.push(cell.trim().to_owned());
    rows.push(row);
    Ok(rows)
}

/// A number of bytes: `16777216`, `16M`, `16 MiB`.
///
/// # Errors
/// A sentence for the user.
pub fn size(text: &str) -> std::result::Result<usize, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let shift = match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kib" => 10,
        "m" | "mib" => 20,
        "g" | "gib" => 30,
        _ => return Err("a size is written 16777216, 16M or 16MiB".into()),
    };
    let number: Option<usize> = digits.parse().ok();
    let size = number.filter(|n| *n > 0).and_then(|n| n.checked_mul(1 << shift));
    size.ok_or_else(|| "a size is written 16777216, 16M or 16MiB".into())
}

/// A file that appears whole or not at all: it is written beside its place and moved there.
pub struct Whole {
    out: Option<BufWriter<File>>,
    beside: PathBuf,
    place: PathBuf,
}

impl Whole {
    /// Begins a file.
    ///
    /// # Errors
    /// [`Code::File`].
    pub fn begin(place: &Path) -> Result<Self> {
        Self::begin_with(place, OpenOptions::new().write(true).create(true).truncate(true))
    }

    /// Begins a file that its owner alone may read, where the machine knows owners.
    ///
    /// # Errors
    /// [`Code::File`].
    pub fn begin_private(place: &Path) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Self::begin_with(place, &options)
    }

    fn begin_with(place: &Path, options: &OpenOptions) -> Result<Self> {
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        if name.is_empty() || place.is_dir() {
            let error = std::io::Error::from(std::io::ErrorKind::IsADirectory);
            return Err(file(place, &error));
        }
        // A device or a pipe is written to; putting a file in its place would take it away.
        if place.exists() && !place.is_file() {
            let out = OpenOptions::new().write(true).open(place).map_err(|e| file(place, &e))?;
            return Ok(Self { out: Some(BufWriter::new(out)), beside: place.to_owned(), place: place.to_owned() });
        }
        let beside = place.with_file_name(format!(".{name}.{}.part", std::process::id()));
        let out = options.open(&beside).map_err(|e| file(place, &e))?;
        Ok(Self { out: Some(BufWriter::new(out)), beside, place: place.to_owned() })
    }

    /// Puts the file in its place; it is on disk then.
    ///
    /// # Errors
    /// [`Code::File`].
    pub fn finish(mut self) -> Result<()> {
        let Some(out) = self.out.take() else { return Ok(()) };
        let done = out.into_inner().map_err(std::io::IntoInnerError::into_error);
        if self.beside == self.place {
            return done.map(drop).map_err(|e| file(&self.place, &e));
        }
        let done = done.and_then(|f| f.sync_all());
        done.and_then(|()| std::fs::rename(&self.beside, &self.place)).map_err(|e| file(&self.place, &e))
    }
}

impl Write for Whole {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.out.as_mut().map_or(Ok(0), |out| out.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        // After `finish` there is nothing beside; otherwise what was begun is taken away. A device is its own place.
        if self.beside != self.place {
            let _ = std::fs::remove_file(&self.beside);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_in_the_name_or_in_the_json() {
        let guess = |name: &str, bytes: &str| guess(Path::new(name), bytes.as_bytes()).map_err(|r| r.code);
        assert_eq!(guess("f.csv", ""), Ok(Format::Csv));
        assert_eq!(guess("F.TTL", ""), Ok(Format::Ttl));
        assert_eq!(guess("f.xml", ""), Ok(Format::Oioxml));
        assert_eq!(guess("f.jsonld", ""), Ok(Format::Jsonld));
        assert_eq!(guess("f.json", r#"{ "resourceType" : "CodeSystem" }"#), Ok(Format::Fhir));
        assert_eq!(guess("f.json", r#"{"concept":[],"resourceType":"CodeSystem"}"#), Ok(Format::Fhir));
        assert_eq!(guess("f.json", r#"{"resourceType":"ValueSet"}"#), Ok(Format::Json));
        assert_eq!(guess("f.json", r#"{"note":"\"resourceType\":\"CodeSystem\""}"#), Ok(Format::Json));
        assert_eq!(guess("f.json", ""), Ok(Format::Json));
        assert_eq!(guess("-", "{}"), Err(Code::InvalidParameter));
        assert_eq!(guess("f.docx", ""), Err(Code::InvalidParameter));
        assert_eq!(guess("f", ""), Err(Code::InvalidParameter));
    }

    fn listed(text: &str) -> Vec<String> {
        codes(text.as_bytes()).unwrap().into_iter().map(|l| l.code).collect()
    }

    #[test]
    fn codes_one_on_a_line_or_in_a_table() {
        assert_eq!(listed("J1.4\r\n\n  Ø2 \n"), ["J1.4", "Ø2"]);
        assert_eq!(listed("\u{feff}kode\nJ1.4\n"), ["J1.4"]);
        assert_eq!(listed("navn;kode\n\"Egen; \"\"omsorg\"\"\";J1.4\nx;J2\n"), ["J1.4", "J2"]);
        assert_eq!(listed("J1.4,Egenomsorg\nJ2,x\n"), ["J1.4", "J2"]);
        assert_eq!(listed("a\tnotation\nx\tJ1,4\n"), ["J1,4"]);
        assert_eq!(listed("\"J1\"\n\"J2\"\n"), ["J1", "J2"]);
        assert_eq!(listed(""), Vec::<String>::new());
        let full = codes("code,display,date\nJ1,\"Egen\nomsorg\",2023-06-22\nJ2,,\n".as_bytes()).unwrap();
        assert_eq!(full[0].display.as_deref(), Some("Egen\nomsorg"));
        assert_eq!(full[0].date.as_deref(), Some("2023-06-22"));
        assert_eq!(full[1], Listed { code: "J2".into(), ..Listed::default() });
    }

    #[test]
    fn what_cannot_be_read_as_codes_is_refused_with_the_line() {
        let refusal = codes(b"J1\nJ2\xe6\n").unwrap_err();
        assert_eq!((refusal.code, refusal.place.line), (Code::Encoding, Some(2)));
        let refusal = codes(b"a,b\n\"c,d\n").unwrap_err();
        assert_eq!((refusal.code, refusal.place.line), (Code::Syntax, Some(2)));
    }

    #[test]
    fn sizes() {
        assert_eq!((size("1"), size("16M"), size("2 GiB")), (Ok(1), Ok(16 << 20), Ok(2 << 30)));
        for wrong in ["", "0", "M", "1.5M", "16X", "-1", "99999999999999999999"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_is_whole_or_not_there() {
        let folder = std::env::temp_dir().join(format!("begreb-cli-whole-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let place = folder.join("ø.csv");
        let mut begun = Whole::begin(&place).unwrap();
        begun.write_all(b"half").unwrap();
        drop(begun);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        let mut begun = Whole::begin(&place).unwrap();
        begun.write_all(b"whole").unwrap();
        begun.finish().unwrap();
        assert_eq!(std::fs::read(&place).unwrap(), b"whole");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
