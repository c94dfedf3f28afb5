//! How the versions and days of a copy are come by: from the copy that is there, from it and what changed, or from the
//! server; and what is made of them.

use std::path::{Path, PathBuf};

use begreb::exchange::Format;
use begreb::model::{Instant, Refusal, Slug};

use super::copy::{self, Held, Stage};
use super::days::{Day, KeptDay};
use super::fetch::{self, Client, Log};
use super::manifest::{self, KeptFile, KeptVersion};
use super::{Asked, How, Listed, delta, edition};
use crate::lang::say;
use crate::stop::{Result, Stop};

/// How far the log may have moved on before that alone is worth a new manifest.
const STALE: i64 = 10_000;

/// The pull of one vocabulary.
pub struct Work<'w> {
    /// Where from.
    pub client: &'w Client,
    /// What is wanted.
    pub asked: &'w Asked,
    /// The vocabulary.
    pub slug: &'w Slug,
    /// The copy that is there.
    pub held: Option<&'w Held>,
    /// What the log says since that was made.
    pub log: &'w Log,
}

impl Work<'_> {
    /// Whether the copy has exactly what is wanted, and has it whole.
    pub fn is_up_to_date(&self, held: &Held, wanted: &[&Listed], days: &[Day]) -> bool {
        let versions = &held.manifest.versions;
        let same = versions.len() == wanted.len() && versions.iter().zip(wanted).all(|(v, w)| v.is(w));
        let near = self.log.position - held.manifest.position < STALE && self.log.continues;
        let kept = &held.manifest.days;
        let told = kept.len() == days.len() && kept.iter().zip(days).all(|(kept, day)| self.is_held(kept, day));
        let whole = |files: &[KeptFile]| self.has_formats(files) && held.is_whole(files);
        let here = || kept.iter().filter(|d| !d.files.is_empty()).map(|d| &d.files);
        same && near && told && versions.iter().map(|v| &v.files).chain(here()).all(|files| whole(files))
    }

    fn has_formats(&self, files: &[KeptFile]) -> bool {
        files.len() == self.asked.formats.len() + 1
            && self.asked.formats.iter().all(|f| files.iter().any(|file| file.format == *f))
    }

    /// Whether a day of the copy is still as the server says it.
    fn is_held(&self, kept: &KeptDay, day: &Day) -> bool {
        let untouched = self.log.touched.as_ref().is_some_and(std::collections::BTreeSet::is_empty);
        kept.is(day) && (day.beyond == 0 || (untouched && self.log.continues && !self.log.reframed))
    }

    /// Puts what is said on a day into the stage, if it is not what a version says.
    pub fn day(&self, stage: &Stage, day: &Day, registered: Instant) -> Result<KeptDay> {
        let version = day.version.as_ref().map(|v| v.label.clone());
        let mut kept = KeptDay {
            from: day.begins(),
            version,
            beyond: day.beyond,
            concepts: day.concepts,
            digest: None,
            files: Vec::new(),
        };
        if day.beyond == 0 {
            return Ok(kept);
        }
        let folder = PathBuf::from("days").join(&day.from);
        copy::make_folder(&stage.path().join(&folder))?;
        let json = folder.join(format!("{}.json", self.slug));
        let before = self.held.and_then(|held| {
            let kept = held.manifest.days.iter().find(|kept| self.is_held(kept, day))?;
            held.put(kept.files.first()?, stage.path(), &json)
        });
        let is_new = before.is_none();
        let file = match before {
            Some(file) => file,
            None => {
                self.client.export_day(self.slug, day, registered, &stage.path().join(&json))?;
                manifest::sum(stage.path(), &json, Format::Json)?
            }
        };
        let edition = edition::read(&stage.path().join(&json)).map_err(|r| self.distrusted(r))?;
        if is_new {
            edition.is_of(day, registered, self.slug).map_err(|r| self.distrusted(r))?;
        }
        kept.digest = Some(edition.digest);
        kept.files = self.files(&edition, file, stage.path(), &folder)?;
        Ok(kept)
    }

    /// The files of an edition: its JSON, and the other formats made of it.
    fn files(
        &self,
        edition: &edition::Edition,
        json: KeptFile,
        stage: &Path,
        folder: &Path,
    ) -> begreb::model::Result<Vec<KeptFile>> {
        let mut files = vec![json];
        for format in self.asked.formats.iter().filter(|f| **f != Format::Json) {
            let path = folder.join(format!("{}.{}", self.slug, manifest::ending(*format)));
            files.push(edition.write(*format, stage, &path)?);
        }
        Ok(files)
    }

    /// Puts a version into the stage: from the copy, from the copy and what changed, or from the server.
    pub fn version(
        &self,
        stage: &Path,
        listed: &Listed,
        staged: &[KeptVersion],
    ) -> Result<(KeptVersion, (How, Option<usize>))> {
        let folder = PathBuf::from("versions").join(listed.label.as_str());
        copy::make_folder(&stage.join(&folder))?;
        let json = folder.join(format!("{}.json", self.slug));
        let mut how = (How::Held, None);
        let kept = self.held.and_then(|held| held.take_over(listed, stage, &json));
        let file = match kept {
            Some(file) => file,
            None => {
                let base = self.base(stage, listed, staged);
                let delta = match base {
                    Some(base) => delta::rebuild(self.client, self.slug, listed, &base, self.log, &stage.join(&json))?,
                    None => None,
                };
                match delta {
                    Some(fetched) => how = (How::Delta, Some(fetched)),
                    None => {
                        self.client.export(self.slug, &listed.label, &stage.join(&json))?;
                        how = (How::Whole, None);
                    }
                }
                manifest::sum(stage, &json, Format::Json)?
            }
        };
        let edition = edition::read(&stage.join(&json)).map_err(|r| self.distrusted(r))?;
        edition.is(listed, self.slug).map_err(|r| self.distrusted(r))?;
        let files = self.files(&edition, file, stage, &folder)?;
        Ok((KeptVersion::new(listed, files), how))
    }

    fn distrusted(&self, refusal: Refusal) -> Stop {
        let (base, lang) = (self.client.base(), self.client.lang());
        let what = lang.text(&refusal);
        fetch::distrust(say!(
            lang,
            "det, som {base} sendte, holder ikke: {what}. Kopien er, som den var",
            "what {base} sent does not hold: {what}. The copy is as it was"
        ))
    }

    /// The JSON of the version that is nearest to one: of those that are here already, the last before it, else the
    /// first.
    fn base(&self, stage: &Path, listed: &Listed, staged: &[KeptVersion]) -> Option<PathBuf> {
        let held = self.held.filter(|_| self.log.touched.is_some())?;
        // What the log says since the copy was made tells nothing of a version that is older.
        if held.manifest.versions.iter().any(|v| v.registered >= listed.registered) {
            return None;
        }
        let here =
            held.manifest.versions.iter().filter(|v| held.is_whole(&v.files)).map(|v| (v, held.folder.as_path()));
        let all: Vec<_> = here.chain(staged.iter().map(|v| (v, stage))).collect();
        let before = all.iter().filter(|(v, _)| v.effective <= listed.effective).max_by_key(|(v, _)| v.effective);
        let (version, folder) = before.or_else(|| all.first())?;
        let json: &KeptFile = version.json().ok()?;
        Some(folder.join(&json.path))
    }
}
