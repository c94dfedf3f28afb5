//! A local copy of vocabularies, for those who must work without the network: fetched from a server, verified against
//! the digests that were published, and replaced as a whole.
//!
//! `fetch` speaks HTTP and trusts nothing; `edition` reads the registry's JSON and recomputes its digest; `copy` is the
//! folder; here it is decided what is wanted, what is there already and how the rest is come by. Only the JSON is
//! fetched: the other formats are written here from the content that was verified.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use begreb::exchange::Format;
use begreb::model::{Instant, Label, Manifest as Counts, Refusal, Slug};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::copy::{Checked, all, check};
pub use self::fetch::Client;

use self::copy::{Copy, Held, KeptFile, KeptVersion, Manifest};
use self::fetch::Log;
use crate::lang::say;
use crate::stop::{Result, Stop};

mod copy;
mod delta;
mod edition;
mod fetch;

/// How far the log may have moved on before that alone is worth a new manifest.
const STALE: i64 = 10_000;

/// What is wanted of each vocabulary.
pub struct Asked {
    /// The folder; each vocabulary has one of its own in it.
    pub into: PathBuf,
    /// The formats beside JSON.
    pub formats: Vec<Format>,
    /// These versions and no others; otherwise what is in force and what is published ahead.
    pub versions: Vec<String>,
    /// The version in force on this day, and no other.
    pub date: Option<Instant>,
    /// How many versions before the one in force are wanted too.
    pub keep: usize,
}

/// A version as the server lists it.
#[derive(Clone, Debug, Deserialize)]
pub struct Listed {
    /// The uuid.
    pub uuid: Uuid,
    /// The label.
    pub label: Label,
    /// From when it is in force.
    pub effective: Instant,
    /// When it was registered.
    pub registered: Instant,
    /// Who decided.
    #[serde(default)]
    pub decision: Option<String>,
    /// What it holds.
    pub manifest: Counts,
}

/// How a version came to be in the copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum How {
    /// It was there already.
    Held,
    /// Only the concepts that changed were fetched.
    Delta,
    /// All of it was fetched.
    Whole,
}

/// A version of the copy, and how it came there.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PulledVersion {
    /// The label.
    pub label: Label,
    /// From when it is in force.
    pub effective: Instant,
    /// How many concepts it has.
    pub concepts: u64,
    /// Its digest, recomputed here.
    pub digest: String,
    /// How it came to be here.
    pub how: How,
    /// How many concepts were fetched one by one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetched: Option<usize>,
}

/// What a pull did.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pulled {
    /// The vocabulary.
    pub vocabulary: Slug,
    /// Whether the copy was replaced.
    pub changed: bool,
    /// Where the copy is.
    pub folder: PathBuf,
    /// The position of the change log up to which it is.
    pub position: i64,
    /// The version in force today.
    pub in_force: Option<Label>,
    /// Its versions, by effective date.
    pub versions: Vec<PulledVersion>,
    /// Versions that are no longer in the copy.
    pub dropped: Vec<Label>,
    /// How many concepts are said otherwise today than in the version in force: no version has them, nor the copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beyond: Option<usize>,
}

/// Brings the copy of a vocabulary up to date.
///
/// # Errors
/// What the server refuses, or what it says that does not hold; the copy is then as it was.
pub fn pull(client: &Client, asked: &Asked, slug: &Slug, now: Instant, today: Instant) -> Result<Pulled> {
    let mut pulled = replace(client, asked, slug, now, today)?;
    if asked.versions.is_empty()
        && asked.date.is_none()
        && let Some(label) = &pulled.in_force
    {
        // The copy is what it is, also when this is not told.
        pulled.beyond = client.beyond(slug, label).ok().filter(|n| *n > 0);
    }
    Ok(pulled)
}

fn replace(client: &Client, asked: &Asked, slug: &Slug, now: Instant, today: Instant) -> Result<Pulled> {
    let copy = Copy::open(&asked.into, slug)?;
    let held = copy.current()?;
    let log = client.log(slug, held.as_ref().map(|h| h.manifest.position))?;
    let listed = client.versions(slug)?;
    let wanted = wanted(&listed, asked, slug, today)?;
    if let Some(held) = &held {
        agree(&held.manifest, &listed, client)?;
    }
    let work = Work { client, asked, slug, held: held.as_ref(), log: &log };
    if let Some(held) = &held
        && work.is_up_to_date(held, &wanted)
    {
        return Ok(told(&held.manifest, &held.folder, log.position, today, false, None, Vec::new()));
    }
    let stage = copy.stage()?;
    let (mut kept, mut how) = (Vec::new(), Vec::new());
    for version in &wanted {
        let (version, came) = work.version(stage.path(), version, &kept)?;
        kept.push(version);
        how.push(came);
    }
    let vocabulary = copy::read_head(&stage.path().join(&kept[0].json()?.path))?;
    if let Some(held) = &held
        && held.manifest.vocabulary.uuid != vocabulary.uuid
    {
        return Err(other_registry(client, slug));
    }
    let labels: HashSet<_> = kept.iter().map(|v| v.label.clone()).collect();
    let before = held.iter().flat_map(|h| &h.manifest.versions);
    let dropped = before.map(|v| v.label.clone()).filter(|l| !labels.contains(l)).collect();
    let manifest = Manifest {
        format: copy::FORMAT,
        server: client.base().to_owned(),
        vocabulary,
        pulled: now,
        position: log.position,
        versions: kept,
    };
    let folder = copy.commit(stage, &manifest)?;
    Ok(told(&manifest, &folder, manifest.position, today, true, Some(&how), dropped))
}

fn told(
    manifest: &Manifest,
    folder: &Path,
    position: i64,
    today: Instant,
    changed: bool,
    how: Option<&[(How, Option<usize>)]>,
    dropped: Vec<Label>,
) -> Pulled {
    let versions = manifest.versions.iter().enumerate().map(|(i, v)| {
        let (how, fetched) = how.and_then(|h| h.get(i)).copied().unwrap_or((How::Held, None));
        PulledVersion {
            label: v.label.clone(),
            effective: v.effective,
            concepts: v.manifest.concepts,
            digest: v.manifest.digest.to_string(),
            how,
            fetched,
        }
    });
    Pulled {
        vocabulary: manifest.vocabulary.slug.clone(),
        changed,
        folder: folder.to_owned(),
        position,
        in_force: manifest.in_force(today).map(|v| v.label.clone()),
        versions: versions.collect(),
        dropped,
        beyond: None,
    }
}

/// The versions that are wanted, by effective date.
fn wanted<'l>(listed: &'l [Listed], asked: &Asked, slug: &Slug, today: Instant) -> Result<Vec<&'l Listed>> {
    let mut all: Vec<&Listed> = listed.iter().collect();
    all.sort_by_key(|v| (v.effective, v.registered));
    if !asked.versions.is_empty() {
        let unknown = asked.versions.iter().find(|l| !all.iter().any(|v| v.label.as_str() == **l));
        if let Some(label) = unknown {
            let refusal = Refusal::new(
                begreb::model::Code::UnknownVersion,
                format!("{slug} har ingen version »{label}«"),
                format!("{slug} has no version '{label}'"),
            );
            return Err(refusal.allowed(all.iter().map(|v| v.label.to_string())).into());
        }
        all.retain(|v| asked.versions.iter().any(|l| v.label.as_str() == l));
        return Ok(all);
    }
    // Of those that take effect on one day, the one that was registered last is in force.
    let mut effective: Vec<&Listed> = Vec::with_capacity(all.len());
    for version in all {
        effective.pop_if(|before| before.effective == version.effective);
        effective.push(version);
    }
    let day = asked.date.unwrap_or(today);
    let ahead = effective.partition_point(|v| v.effective <= day);
    let from = if asked.date.is_some() { ahead.saturating_sub(1) } else { ahead.saturating_sub(1 + asked.keep) };
    let to = if asked.date.is_some() { ahead } else { effective.len() };
    let chosen = effective.get(from..to).unwrap_or_default().to_vec();
    if chosen.is_empty() {
        let refusal = Refusal::new(
            begreb::model::Code::UnknownVersion,
            format!("{slug} har ingen udgivet version, der gælder da"),
            format!("{slug} has no published version that is in force then"),
        );
        return Err(refusal.allowed(listed.iter().map(|v| v.label.to_string())).into());
    }
    Ok(chosen)
}

/// A version that was published is the same for ever: a server that says otherwise is not believed.
fn agree(held: &Manifest, listed: &[Listed], client: &Client) -> Result {
    for version in &held.versions {
        let there = listed.iter().find(|l| l.uuid == version.uuid || l.label == version.label);
        let same = there.is_some_and(|l| version.is(l));
        if !same {
            let (label, lang) = (&version.label, client.lang());
            let text = match there {
                None => say!(lang, "har ikke længere version {label}", "no longer has version {label}"),
                Some(_) => say!(lang, "siger nu andet om version {label}", "now says otherwise of version {label}"),
            };
            let base = client.base();
            return Err(fetch::distrust(say!(
                lang,
                "{base} {text}, som den lokale kopi har; en udgivet version ændres aldrig. Er det et andet register, så hent \
                 til en anden mappe",
                "{base} {text}, which the local copy has; a published version never changes. If it is another registry, \
                 pull into another folder"
            )));
        }
    }
    Ok(())
}

fn other_registry(client: &Client, slug: &Slug) -> Stop {
    let (base, lang) = (client.base(), client.lang());
    fetch::distrust(say!(
        lang,
        "{slug} hos {base} er et andet ordforråd end det i kopien; hent til en anden mappe",
        "{slug} at {base} is another vocabulary than that of the copy; pull into another folder"
    ))
}

/// The pull of one vocabulary.
struct Work<'w> {
    client: &'w Client,
    asked: &'w Asked,
    slug: &'w Slug,
    held: Option<&'w Held>,
    log: &'w Log,
}

impl Work<'_> {
    /// Whether the copy has exactly what is wanted, and has it whole.
    fn is_up_to_date(&self, held: &Held, wanted: &[&Listed]) -> bool {
        let versions = &held.manifest.versions;
        let same = versions.len() == wanted.len() && versions.iter().zip(wanted).all(|(v, w)| v.is(w));
        let near = self.log.position - held.manifest.position < STALE && self.log.continues;
        let formats = |v: &KeptVersion| {
            v.files.len() == self.asked.formats.len() + 1
                && self.asked.formats.iter().all(|f| v.files.iter().any(|file| file.format == *f))
        };
        same && near && !self.log.reframed && versions.iter().all(|v| formats(v) && held.is_whole(v))
    }

    /// Puts a version into the stage: from the copy, from the copy and what changed, or from the server.
    fn version(
        &self,
        stage: &Path,
        listed: &Listed,
        staged: &[KeptVersion],
    ) -> Result<(KeptVersion, (How, Option<usize>))> {
        let folder = PathBuf::from("versions").join(listed.label.as_str());
        copy::make_folder(&stage.join(&folder))?;
        let json = folder.join(format!("{}.json", self.slug));
        let mut how = (How::Held, None);
        let kept = self.held.filter(|_| !self.log.reframed).and_then(|held| held.take_over(listed, stage, &json));
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
                copy::sum(stage, &json, Format::Json)?
            }
        };
        let edition = edition::read(&stage.join(&json)).map_err(|r| self.distrusted(r))?;
        edition.is(listed, self.slug).map_err(|r| self.distrusted(r))?;
        let mut files = vec![file];
        for format in self.asked.formats.iter().filter(|f| **f != Format::Json) {
            let path = folder.join(format!("{}.{}", self.slug, copy::ending(*format)));
            files.push(edition.write(*format, stage, &path)?);
        }
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
        let held = self.held.filter(|_| self.log.touched.is_some() && !self.log.reframed)?;
        // What the log says since the copy was made tells nothing of a version that is older.
        if held.manifest.versions.iter().any(|v| v.registered >= listed.registered) {
            return None;
        }
        let here = held.manifest.versions.iter().filter(|v| held.is_whole(v)).map(|v| (v, held.folder.as_path()));
        let all: Vec<_> = here.chain(staged.iter().map(|v| (v, stage))).collect();
        let before = all.iter().filter(|(v, _)| v.effective <= listed.effective).max_by_key(|(v, _)| v.effective);
        let (version, folder) = before.or_else(|| all.first())?;
        let json: &KeptFile = version.json().ok()?;
        Some(folder.join(&json.path))
    }
}

#[cfg(test)]
mod tests {
    use begreb::model::Digest;

    use super::*;

    fn listed(label: &str, effective: &str, registered: &str) -> Listed {
        let manifest =
            Counts { concepts: 0, added: 0, changed: 0, retired: 0, digest: Digest::of(label), source: None };
        let at = |t: &str| t.parse::<Instant>().unwrap();
        let (effective, registered) = (at(effective), at(registered));
        Listed { uuid: Uuid::nil(), label: label.parse().unwrap(), effective, registered, decision: None, manifest }
    }

    fn asked(keep: usize) -> Asked {
        Asked { into: PathBuf::new(), formats: vec![], versions: vec![], date: None, keep }
    }

    #[test]
    fn what_is_in_force_what_is_ahead_and_what_was_before() {
        let all = [
            listed("d", "2030-01-01", "2024-01-01"),
            listed("a", "2020-01-01", "2020-01-01"),
            listed("c2", "2022-01-01", "2022-02-01"),
            listed("c1", "2022-01-01", "2022-01-01"),
            listed("b", "2021-01-01", "2023-01-01"),
        ];
        let slug = "v".parse().unwrap();
        let day = |t: &str| t.parse::<Instant>().unwrap();
        let on = |asked: &Asked, today: &str| -> Vec<String> {
            let wanted = wanted(&all, asked, &slug, day(today));
            wanted.map(|w| w.iter().map(|v| v.label.to_string()).collect()).unwrap_or_default()
        };
        assert_eq!(on(&asked(0), "2025-01-01"), ["c2", "d"]);
        assert_eq!(on(&asked(1), "2025-01-01"), ["b", "c2", "d"]);
        assert_eq!(on(&asked(9), "2025-01-01"), ["a", "b", "c2", "d"]);
        assert_eq!(on(&asked(0), "2030-01-01"), ["d"]);
        assert_eq!(on(&asked(1), "2019-01-01"), ["a", "b", "c2", "d"], "nothing is in force yet");
        let dated = |date: &str| Asked { date: Some(day(date)), ..asked(3) };
        assert_eq!(on(&dated("2021-06-01"), "2025-01-01"), ["b"]);
        assert_eq!(on(&dated("2019-06-01"), "2025-01-01"), Vec::<String>::new());
        let named = |labels: &[&str]| Asked { versions: labels.iter().map(|l| (*l).to_owned()).collect(), ..asked(0) };
        assert_eq!(on(&named(&["c1", "a"]), "2025-01-01"), ["a", "c1"]);
        assert_eq!(on(&named(&["x"]), "2025-01-01"), Vec::<String>::new());
    }
}
