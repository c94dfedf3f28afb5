//! What a copy says of itself: its manifest, with bytes and digest of each of its files.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use begreb::exchange::Format;
use begreb::model::{Code, Digest, Instant, Label, Manifest as Counts, Refusal, Result, Slug};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::days::KeptDay;
use super::{Listed, edition};
use crate::stop::{file, named};

/// The form of the manifest.
pub const FORMAT: u32 = 1;

/// What a copy holds, in its `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of this file.
    pub format: u32,
    /// Where it was fetched.
    pub server: String,
    /// The vocabulary.
    pub vocabulary: Named,
    /// When it was fetched.
    pub pulled: Instant,
    /// The position of the change log up to which it is.
    pub position: i64,
    /// The versions, by effective date: in force on a day is the last that is effective by then.
    pub versions: Vec<KeptVersion>,
    /// The days from which it reads otherwise, from the one that was in force when it was fetched on; only when something
    /// is said between versions. In force on a day is then the last that begins by then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<KeptDay>,
    /// The instant of the change log as of which the days are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered: Option<Instant>,
}

/// A vocabulary by its names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The uuid.
    pub uuid: Uuid,
    /// The slug.
    pub slug: Slug,
}

/// A version of the copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptVersion {
    /// The label.
    pub label: Label,
    /// The uuid.
    pub uuid: Uuid,
    /// From when it is in force.
    pub effective: Instant,
    /// When it was registered.
    pub registered: Instant,
    /// Counts and digest, as it was published.
    pub manifest: Counts,
    /// Its files; the first is the JSON.
    pub files: Vec<KeptFile>,
}

/// A file of the copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFile {
    /// The format.
    pub format: Format,
    /// Where it is, beside the manifest.
    pub path: PathBuf,
    /// How many bytes it has.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: Digest,
}

impl Manifest {
    /// The version that is in force on a day, of those that are here.
    pub fn in_force(&self, day: Instant) -> Option<&KeptVersion> {
        self.versions.iter().filter(|v| v.effective <= day).max_by_key(|v| (v.effective, v.registered))
    }

    /// What is said on a day beyond the version in force on it, if anything is.
    pub fn beyond(&self, day: Instant) -> Option<&KeptDay> {
        self.days.iter().filter(|d| d.from <= day).max_by_key(|d| d.from).filter(|d| !d.files.is_empty())
    }

    /// Every file.
    pub fn files(&self) -> impl Iterator<Item = &KeptFile> {
        self.versions.iter().flat_map(|v| &v.files).chain(self.days.iter().flat_map(|d| &d.files))
    }
}

impl KeptVersion {
    /// A version with its files.
    pub fn new(listed: &Listed, files: Vec<KeptFile>) -> Self {
        Self {
            label: listed.label.clone(),
            uuid: listed.uuid,
            effective: listed.effective,
            registered: listed.registered,
            manifest: listed.manifest.clone(),
            files,
        }
    }

    /// Whether it is a version that the server lists.
    pub fn is(&self, listed: &Listed) -> bool {
        self.uuid == listed.uuid
            && self.label == listed.label
            && self.effective == listed.effective
            && self.registered == listed.registered
            && self.manifest.digest == listed.manifest.digest
    }

    /// The registry's own JSON.
    ///
    /// # Errors
    /// [`Code::Corrupt`] when there is none.
    pub fn json(&self) -> Result<&KeptFile> {
        let json = self.files.iter().find(|f| f.format == Format::Json);
        json.ok_or_else(|| corrupt("manifestet nævner ingen JSON", "the manifest names no JSON").at(named(&self.label)))
    }
}

/// A copy that is not as it says.
pub fn corrupt(da: impl Into<String>, en: impl Into<String>) -> Refusal {
    Refusal::new(Code::Corrupt, da, en)
}

/// The ending of a format's file; each format has its own, so that they can stand side by side.
pub fn ending(format: Format) -> &'static str {
    match format {
        Format::Oioxml => "oio.xml",
        Format::Fhir => "fhir.json",
        other => other.extension(),
    }
}

/// The vocabulary that a JSON file is of.
///
/// # Errors
/// [`Code::File`], [`Code::Corrupt`].
pub fn read_head(path: &Path) -> Result<Named> {
    let vocabulary = edition::lines(path)?.head()?.vocabulary;
    Ok(Named { uuid: vocabulary.uuid(), slug: vocabulary.slug().clone() })
}

/// Bytes and digest of a file.
///
/// # Errors
/// [`Code::File`].
pub fn sum(root: &Path, path: &Path, format: Format) -> Result<KeptFile> {
    let place = root.join(path);
    let failed = |e: &io::Error| file(&place, e);
    let mut from = File::open(&place).map_err(|e| failed(&e))?;
    let mut sum = Summing::new(io::sink());
    io::copy(&mut from, &mut sum).map_err(|e| failed(&e))?;
    let (_, bytes, sha256) = sum.finish();
    Ok(KeptFile { format, path: path.to_owned(), bytes, sha256 })
}

/// A writer that counts and digests what goes through it.
pub struct Summing<W> {
    out: W,
    bytes: u64,
    hasher: Sha256,
}

impl<W: Write> Summing<W> {
    /// Before another writer.
    pub fn new(out: W) -> Self {
        Self { out, bytes: 0, hasher: Sha256::new() }
    }

    /// The writer, how many bytes it got, and their digest.
    pub fn finish(self) -> (W, u64, Digest) {
        let digest: [u8; 32] = self.hasher.finalize().into();
        let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
        // 64 hexadecimal digits are a digest.
        (self.out, self.bytes, hex.parse().unwrap_or_else(|_| Digest::of([])))
    }
}

impl<W: Write> Write for Summing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.out.write(bytes)?;
        self.hasher.update(&bytes[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
