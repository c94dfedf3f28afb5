//! The registry's own JSON, read line by line so that memory does not follow its size: its digest recomputed, and the
//! other formats written from it.
//!
//! Read strictly: every content must be canonical (docs/canonical-form.md), so that nobody can read other than what the
//! digest is of, and the lines must be those that the registry writes.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use begreb::exchange::{self, Format, Outgoing, OutgoingConcept};
use begreb::model::{
    Code, Content, Digest, Instant, Period, Point, Refusal, Result, Slug, Statement, Version, VersionHasher,
    Vocabulary, VocabularyFields,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::Listed;
use super::days::Day;
use super::manifest::{KeptFile, Summing};
use crate::stop::file;

/// The longest line: one concept.
const LONGEST: u64 = 16 << 20;

/// An edition in a file, which was read once from end to end.
pub struct Edition {
    path: PathBuf,
    /// The frame of the vocabulary.
    pub vocabulary: Vocabulary,
    /// The version; of a day, the one in force on it, if there is one.
    pub version: Option<Version>,
    point: Point,
    /// The digest of its content, recomputed.
    pub digest: Digest,
    /// How many concepts it has.
    pub count: usize,
    tops: HashSet<Uuid>,
    children: HashMap<Uuid, Vec<Uuid>>,
}

/// What stands before the concepts.
pub struct Head {
    /// The frame of the vocabulary.
    pub vocabulary: Vocabulary,
    /// The version, without its statements.
    pub version: Option<Version>,
    point: Point,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct At {
    valid: Instant,
    registered: Instant,
}

/// A line of the concepts.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line<'l> {
    #[serde(borrow)]
    content: &'l RawValue,
    registered_from: Instant,
    uuid: Uuid,
    valid_from: Instant,
    valid_to: Option<Instant>,
}

/// The lines of a file.
pub struct Lines<R> {
    from: R,
    text: Vec<u8>,
    /// How many were read.
    number: u64,
    /// How many bytes were read.
    pub offset: u64,
}

impl<R: BufRead> Lines<R> {
    /// The lines of something.
    pub fn new(from: R) -> Self {
        Self { from, text: Vec::new(), number: 0, offset: 0 }
    }

    /// The next line, without its end.
    ///
    /// # Errors
    /// [`Code::Corrupt`] when there is none, or it is too long, is not UTF-8, or cannot be read.
    pub fn line(&mut self) -> Result<&str> {
        self.number += 1;
        self.text.clear();
        let read = self.from.by_ref().take(LONGEST).read_until(b'\n', &mut self.text);
        let read =
            read.map_err(|e| self.wrong(&format!("den kan ikke læses: {e}"), &format!("it cannot be read: {e}")))?;
        self.offset += read as u64;
        if self.text.pop() != Some(b'\n') {
            return Err(self.wrong("den ender midt i en linje", "it ends in the middle of a line"));
        }
        match std::str::from_utf8(&self.text) {
            Ok(line) => Ok(line),
            Err(_) => Err(self.wrong("den er ikke UTF-8", "it is not UTF-8")),
        }
    }

    fn is_at_end(&mut self) -> bool {
        self.from.fill_buf().is_ok_and(<[u8]>::is_empty)
    }

    fn wrong(&self, da: &str, en: &str) -> Refusal {
        let n = self.number;
        Refusal::new(Code::Corrupt, format!("filen, linje {n}: {da}"), format!("the file, line {n}: {en}"))
    }

    fn unexpected(&self, error: &impl std::fmt::Display) -> Refusal {
        self.wrong(&format!("ikke registrets JSON: {error}"), &format!("not the registry's JSON: {error}"))
    }

    /// What stands between two texts on the next line, as JSON.
    fn between<T: serde::de::DeserializeOwned>(&mut self, before: &str, after: &str) -> Result<T> {
        let line = self.line()?;
        let inner = line.strip_prefix(before).and_then(|l| l.strip_suffix(after));
        let read =
            inner.ok_or_else(|| before.to_owned()).and_then(|l| serde_json::from_str(l).map_err(|e| e.to_string()));
        read.map_err(|e| self.unexpected(&e))
    }

    /// What stands before the concepts.
    ///
    /// # Errors
    /// [`Code::Corrupt`].
    pub fn head(&mut self) -> Result<Head> {
        let fields: VocabularyFields = self.between("{\"vocabulary\":", ",")?;
        let vocabulary = Vocabulary::new(fields).map_err(|r| self.unexpected(&r.en))?;
        let version: Option<Version> = self.between("\"version\":", ",")?;
        let at: At = self.between("\"point\":", ",")?;
        if self.line()? != "\"concepts\":[" {
            return Err(self.unexpected(&"concepts"));
        }
        Ok(Head { vocabulary, version, point: Point { valid: at.valid, registered: at.registered } })
    }

    /// The next concept; nothing after the last.
    fn concept(&mut self, last: &mut bool) -> Result<Option<OutgoingConcept>> {
        let line = self.line()?;
        if line == "]," {
            return Ok(None);
        }
        if *last {
            return Err(self.unexpected(&"]"));
        }
        let (line, more) = line.strip_suffix(',').map_or((line, false), |line| (line, true));
        let read = concept(line);
        *last = !more;
        read.map(Some).map_err(|e| self.unexpected(&e))
    }
}

/// The concept of a line.
fn concept(line: &str) -> std::result::Result<OutgoingConcept, String> {
    let line: Line<'_> = serde_json::from_str(line).map_err(|e| e.to_string())?;
    let content: Content = serde_json::from_str(line.content.get()).map_err(|e| e.to_string())?;
    if content.canonical() != line.content.get() {
        return Err(format!("{}: the content is not canonical", line.uuid));
    }
    let valid = Period::new(line.valid_from, line.valid_to.unwrap_or(Instant::FOREVER)).map_err(|r| r.en)?;
    Ok(OutgoingConcept {
        uuid: line.uuid,
        content: Arc::new(content),
        valid,
        registered: line.registered_from,
        is_top: false,
        children: Vec::new(),
    })
}

/// Opens a file to be read by lines.
///
/// # Errors
/// [`Code::File`].
pub fn lines(path: &Path) -> Result<Lines<BufReader<File>>> {
    let opened = File::open(path).map_err(|e| file(path, &e))?;
    Ok(Lines::new(BufReader::with_capacity(1 << 16, opened)))
}

/// Reads an edition from end to end.
///
/// # Errors
/// [`Code::Corrupt`], [`Code::File`].
pub fn read(path: &Path) -> Result<Edition> {
    let mut lines = lines(path)?;
    let head = lines.head()?;
    let (mut hasher, mut last) = (VersionHasher::default(), false);
    let mut uuids = HashSet::new();
    let mut all: Vec<(Uuid, Vec<Uuid>)> = Vec::new();
    while let Some(concept) = lines.concept(&mut last)? {
        if !uuids.insert(concept.uuid) {
            return Err(lines.unexpected(&format!("{}: twice", concept.uuid)));
        }
        hasher.concept(concept.uuid, &concept.content.canonical());
        let parents: BTreeSet<Uuid> = concept.content.parents().collect();
        all.push((concept.uuid, parents.into_iter().collect()));
    }
    if !last && !all.is_empty() {
        return Err(lines.unexpected(&"a concept is missing"));
    }
    let statements: Vec<Statement> = lines.between("\"statements\":", "}")?;
    if !lines.is_at_end() {
        return Err(lines.unexpected(&"something after the end"));
    }
    let mut children: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    let mut tops = HashSet::new();
    let count = all.len();
    for (uuid, parents) in all {
        let mut is_top = true;
        for parent in parents.into_iter().filter(|p| uuids.contains(p)) {
            is_top = false;
            children.entry(parent).or_default().push(uuid);
        }
        if is_top {
            tops.insert(uuid);
        }
    }
    let digest = hasher.finish(&statements);
    let Head { vocabulary, version, point } = head;
    let version = version.map(|version| Version { statements, ..version });
    Ok(Edition { path: path.to_owned(), vocabulary, version, point, digest, count, tops, children })
}

impl Edition {
    /// Refuses an edition that is not that of a version.
    ///
    /// # Errors
    /// [`Code::Corrupt`].
    pub fn is(&self, listed: &Listed, slug: &Slug) -> Result<()> {
        let label = &listed.label;
        let refuse = |da: String, en: String| Err(Refusal::new(Code::Corrupt, da, en));
        if self.vocabulary.slug() != slug {
            let (here, wanted) = (self.vocabulary.slug(), slug);
            return refuse(format!("det er {here}, ikke {wanted}"), format!("it is {here}, not {wanted}"));
        }
        let Some(v) = &self.version else {
            return refuse("det er ingen version".to_owned(), "it is no version".to_owned());
        };
        let m = &listed.manifest;
        let named = v.uuid == listed.uuid && v.label == *label && v.vocabulary == self.vocabulary.uuid();
        let timed = v.effective == listed.effective && v.registered == listed.registered && v.point() == self.point;
        if !named || !timed || v.manifest.digest != m.digest {
            let here = &v.label;
            return refuse(
                format!("det er en anden version end {label}: {here}"),
                format!("it is another version than {label}: {here}"),
            );
        }
        if self.digest != m.digest {
            let (here, told) = (&self.digest, &m.digest);
            return refuse(
                format!("version {label} har aftrykket {here}, men blev udgivet med {told}"),
                format!("version {label} has the digest {here}, but was published with {told}"),
            );
        }
        if self.count as u64 != m.concepts {
            let (here, told) = (self.count, m.concepts);
            return refuse(
                format!("version {label} har {here} begreber, men blev udgivet med {told}"),
                format!("version {label} has {here} concepts, but was published with {told}"),
            );
        }
        Ok(())
    }

    /// Refuses an edition that is not what a vocabulary said at a moment of a day that begins at an instant.
    ///
    /// # Errors
    /// [`Code::Corrupt`].
    pub fn is_of(&self, day: &Day, registered: Instant, slug: &Slug) -> Result<()> {
        let version = self.version.as_ref().map(|v| &v.label);
        let here = self.vocabulary.slug() == slug
            && version == day.version.as_ref().map(|v| &v.label)
            && self.point.valid <= day.begins()
            && self.point.registered <= registered
            && self.count == day.concepts;
        if here {
            return Ok(());
        }
        let from = &day.from;
        Err(Refusal::new(
            Code::Corrupt,
            format!("det er ikke det, der gælder fra {from}"),
            format!("it is not what is in force from {from}"),
        ))
    }

    /// Writes it in another format, into a folder.
    ///
    /// # Errors
    /// [`Code::File`], [`Code::Corrupt`] when the file that it is read from was changed meanwhile.
    pub fn write(&self, format: Format, root: &Path, path: &Path) -> Result<KeptFile> {
        let place = root.join(path);
        let mut lines = lines(&self.path)?;
        lines.head()?;
        let wrong: RefCell<Option<Refusal>> = RefCell::new(None);
        let mut last = false;
        let concepts = std::iter::from_fn(|| match lines.concept(&mut last) {
            Ok(concept) => concept.map(|c| self.placed(c)),
            Err(refusal) => {
                *wrong.borrow_mut() = Some(refusal);
                None
            }
        });
        let edition = Outgoing {
            vocabulary: &self.vocabulary,
            version: self.version.as_ref(),
            point: self.point,
            count: self.count,
            concepts: Box::new(concepts),
        };
        let out = File::create(&place).map_err(|e| file(&place, &e))?;
        let mut out = BufWriter::with_capacity(1 << 16, Summing::new(out));
        exchange::write(format, edition, &mut out)?;
        out.flush().map_err(|e| file(&place, &e))?;
        let out = out.into_inner().map_err(|e| file(&place, e.error()))?;
        if let Some(refusal) = wrong.into_inner() {
            return Err(refusal);
        }
        let (out, bytes, sha256) = out.finish();
        out.sync_all().map_err(|e| file(&place, &e))?;
        Ok(KeptFile { format, path: path.to_owned(), bytes, sha256 })
    }

    fn placed(&self, mut concept: OutgoingConcept) -> OutgoingConcept {
        concept.is_top = self.tops.contains(&concept.uuid);
        concept.children = self.children.get(&concept.uuid).cloned().unwrap_or_default();
        concept
    }
}
