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

use self::copy::{Copy, Held};
use self::days::{Days, KeptDay};
use self::fetch::Log;
use self::manifest::Manifest;
use self::work::Work;
use crate::lang::say;
use crate::stop::{Result, Stop};

mod copy;
mod days;
mod delta;
mod edition;
mod fetch;
mod manifest;
mod work;

/// How often the server is asked anew when something was published while it was asked.
const TRIES: usize = 5;

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
    /// Whether what is said between versions is left out.
    pub versions_only: bool,
}

impl Asked {
    /// Whether what is said between versions is wanted.
    pub fn wants_days(&self) -> bool {
        !self.versions_only && self.versions.is_empty() && self.date.is_none()
    }
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

/// A day of the copy on which more is said than its version does.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PulledDay {
    /// From when it is in force.
    pub from: Instant,
    /// The version in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Label>,
    /// How many concepts there are.
    pub concepts: usize,
    /// How many are said otherwise than in the version.
    pub beyond: usize,
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
    /// The days of the copy on which more is said than the version in force does.
    pub days: Vec<PulledDay>,
    /// Whether more days were told than are copied.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub more_days: bool,
    /// How many concepts are said otherwise today than in the version in force; the copy has them in `days`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beyond: Option<usize>,
}

/// Brings the copy of a vocabulary up to date.
///
/// # Errors
/// What the server refuses, or what it says that does not hold; the copy is then as it was.
pub fn pull(client: &Client, asked: &Asked, slug: &Slug, now: Instant, today: Instant) -> Result<Pulled> {
    let mut pulled = replace(client, asked, slug, now, today)?;
    let today = pulled.days.iter().rev().find(|d| d.from <= today);
    pulled.beyond = today.map(|d| d.beyond);
    if asked.versions_only
        && asked.versions.is_empty()
        && asked.date.is_none()
        && let Some(label) = &pulled.in_force
    {
        // The copy is what it is, also when this is not told.
        pulled.beyond = client.beyond(slug, label).ok().filter(|n| *n > 0);
    }
    Ok(pulled)
}

/// What the server says of a vocabulary, so that no part of it is newer than the days are.
struct Told {
    log: Log,
    listed: Vec<Listed>,
    days: Option<Days>,
}

fn ask(client: &Client, asked: &Asked, slug: &Slug, held: Option<&Held>) -> Result<Told> {
    // The log first: what happens meanwhile stands after its end, and is seen the next time.
    let log = held.map(|h| client.log(slug, Some(h.manifest.position))).transpose()?;
    for _ in 0..TRIES {
        let days = if asked.wants_days() || log.is_none() { client.days(slug)? } else { None };
        let listed = client.versions(slug)?;
        if days.as_ref().is_some_and(|d| listed.iter().any(|v| v.registered > d.registered)) {
            continue;
        }
        let log = match (log, &days) {
            (Some(log), _) => log,
            // Whoever begins needs no more than where the log ends.
            (None, Some(days)) => Log::from(days.position),
            (None, None) => client.log(slug, None)?,
        };
        return Ok(Told { log, listed, days: days.filter(|_| asked.wants_days()) });
    }
    Err(fetch::restless(client))
}

fn replace(client: &Client, asked: &Asked, slug: &Slug, now: Instant, today: Instant) -> Result<Pulled> {
    let copy = Copy::open(&asked.into, slug)?;
    let held = copy.current()?;
    let Told { log, listed, days } = ask(client, asked, slug, held.as_ref())?;
    let (registered, more) = days.as_ref().map_or((None, false), |d| (Some(d.registered), d.more));
    // Where every day is as its version says, the versions say it all.
    let days = days.map(|d| d.days).filter(|days| days.iter().any(|d| d.beyond > 0)).unwrap_or_default();
    let wanted = wanted(&listed, asked, slug, today, !days.is_empty())?;
    if let Some(held) = &held {
        agree(&held.manifest, &listed, client)?;
    }
    let work = Work { client, asked, slug, held: held.as_ref(), log: &log };
    if let Some(held) = &held
        && work.is_up_to_date(held, &wanted, &days)
    {
        let told = told(&held.manifest, &held.folder, log.position, today, false, None, Vec::new());
        return Ok(Pulled { more_days: more, ..told });
    }
    let stage = copy.stage()?;
    let (mut kept, mut how) = (Vec::new(), Vec::new());
    for version in &wanted {
        let (version, came) = work.version(stage.path(), version, &kept)?;
        kept.push(version);
        how.push(came);
    }
    let registered = registered.filter(|_| !days.is_empty());
    let days = match registered {
        Some(registered) => days.iter().map(|d| work.day(&stage, d, registered)).collect::<Result<Vec<_>>>()?,
        None => Vec::new(),
    };
    let first = kept.iter().flat_map(|v| &v.files).chain(days.iter().flat_map(|d| &d.files)).next();
    let first = first.ok_or_else(|| nothing_in_force(slug, &listed))?;
    let vocabulary = manifest::read_head(&stage.path().join(&first.path))?;
    if let Some(held) = &held
        && held.manifest.vocabulary.uuid != vocabulary.uuid
    {
        return Err(other_registry(client, slug));
    }
    let labels: HashSet<_> = kept.iter().map(|v| v.label.clone()).collect();
    let before = held.iter().flat_map(|h| &h.manifest.versions);
    let dropped = before.map(|v| v.label.clone()).filter(|l| !labels.contains(l)).collect();
    let manifest = Manifest {
        format: manifest::FORMAT,
        server: client.base().to_owned(),
        vocabulary,
        pulled: now,
        position: log.position,
        versions: kept,
        days,
        registered,
    };
    let folder = copy.commit(stage, &manifest)?;
    let told = told(&manifest, &folder, manifest.position, today, true, Some(&how), dropped);
    Ok(Pulled { more_days: more, ..told })
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
        days: manifest.days.iter().filter(|d| d.beyond > 0).map(pulled_day).collect(),
        more_days: false,
        beyond: None,
    }
}

fn pulled_day(day: &KeptDay) -> PulledDay {
    PulledDay { from: day.from, version: day.version.clone(), concepts: day.concepts, beyond: day.beyond }
}

fn nothing_in_force(slug: &Slug, listed: &[Listed]) -> Refusal {
    let refusal = Refusal::new(
        begreb::model::Code::UnknownVersion,
        format!("{slug} har ingen udgivet version, der gælder da"),
        format!("{slug} has no published version that is in force then"),
    );
    refusal.allowed(listed.iter().map(|v| v.label.to_string()))
}

/// The versions that are wanted, by effective date; there may be none where days say it all.
fn wanted<'l>(
    listed: &'l [Listed],
    asked: &Asked,
    slug: &Slug,
    today: Instant,
    has_days: bool,
) -> Result<Vec<&'l Listed>> {
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
    if chosen.is_empty() && !has_days {
        return Err(nothing_in_force(slug, listed).into());
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
        Asked { into: PathBuf::new(), formats: vec![], versions: vec![], date: None, keep, versions_only: false }
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
            let wanted = wanted(&all, asked, &slug, day(today), false);
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
