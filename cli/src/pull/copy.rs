//! The folder of a copy, replaced as a whole.
//!
//! ```text
//! DIR/fsiii/current            a link to copies/000007; the one thing that changes
//! DIR/fsiii/copies/000006/     the copy before, for whoever is still reading it
//! DIR/fsiii/copies/000007/manifest.json
//! DIR/fsiii/copies/000007/versions/2024-10-31/fsiii.json, fsiii.csv, …
//! ```
//!
//! A copy is made in `copies/.stage`, brought to disk, and gets its number; then `current` is moved to it. Whatever stops
//! that half-way leaves `current` as it was, and the next pull takes away what was left. A reader that follows `current`
//! once and stays in that folder sees one copy.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use begreb::model::{Code, Instant, Label, Refusal, Result, Slug};
use serde::Serialize;

use super::days::KeptDay;
use super::manifest::{FORMAT, KeptFile, KeptVersion, Manifest, corrupt, sum};
use super::{Listed, edition};
use crate::stop::{file, named};

const CURRENT: &str = "current";
const COPIES: &str = "copies";
const STAGE: &str = ".stage";
const MANIFEST: &str = "manifest.json";

/// Makes a folder and those above it.
///
/// # Errors
/// [`Code::File`].
pub fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|e| file(path, &e))
}

/// The copy that is current.
pub struct Held {
    /// Its folder.
    pub folder: PathBuf,
    /// What it holds.
    pub manifest: Manifest,
}

impl Held {
    /// The copy that is current in the folder of a vocabulary; nothing when there is none.
    ///
    /// # Errors
    /// [`Code::File`], [`Code::Corrupt`].
    pub fn find(root: &Path) -> Result<Option<Self>> {
        let Some(target) = pointer(root)? else { return Ok(None) };
        let folder = root.join(target);
        let place = folder.join(MANIFEST);
        let text = fs::read(&place).map_err(|e| file(&place, &e))?;
        let wrong = |e: &dyn std::fmt::Display| {
            corrupt(format!("manifestet kan ikke læses: {e}"), format!("the manifest cannot be read: {e}"))
                .at(named(place.display()))
        };
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|e| wrong(&e))?;
        if manifest.format > FORMAT {
            return Err(wrong(&format!("format {}", manifest.format)));
        }
        let inside = |p: &&KeptFile| p.path.components().all(|c| matches!(c, Component::Normal(_)));
        if let Some(out) = manifest.files().find(|f| !inside(f)) {
            return Err(wrong(&out.path.display()));
        }
        Ok(Some(Self { folder, manifest }))
    }

    /// Whether files are those that were put there.
    pub fn is_whole(&self, files: &[KeptFile]) -> bool {
        files.iter().all(|f| self.has(f))
    }

    fn has(&self, kept: &KeptFile) -> bool {
        sum(&self.folder, &kept.path, kept.format).is_ok_and(|is| is.bytes == kept.bytes && is.sha256 == kept.sha256)
    }

    /// Puts the JSON of a version, if it is here and whole, into a stage too; the bytes are there once.
    pub fn take_over(&self, listed: &Listed, stage: &Path, path: &Path) -> Option<KeptFile> {
        let version = self.manifest.versions.iter().find(|v| v.is(listed))?;
        self.put(version.json().ok()?, stage, path)
    }

    /// Puts a file, if it is here and whole, into a stage too.
    pub fn put(&self, kept: &KeptFile, stage: &Path, path: &Path) -> Option<KeptFile> {
        if !self.has(kept) {
            return None;
        }
        let (from, to) = (self.folder.join(&kept.path), stage.join(path));
        let linked = fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(drop));
        linked.ok()?;
        Some(KeptFile { path: path.to_owned(), ..kept.clone() })
    }
}

/// Where `current` leads: to one of the copies.
fn pointer(root: &Path) -> Result<Option<PathBuf>> {
    let place = root.join(CURRENT);
    let target = match read_pointer(&place) {
        Ok(target) => target,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(file(&place, &e)),
    };
    match number_of(&target) {
        Some(_) => Ok(Some(target)),
        None => Err(corrupt("den leder ikke til en kopi", "it does not lead to a copy").at(named(place.display()))),
    }
}

/// The number of a copy, by its path beside `current`.
fn number_of(target: &Path) -> Option<u64> {
    let name = target.strip_prefix(COPIES).ok()?.to_str()?;
    name.parse().ok().filter(|_| name.bytes().all(|b| b.is_ascii_digit()))
}

fn path_of(number: u64) -> PathBuf {
    Path::new(COPIES).join(format!("{number:06}"))
}

#[cfg(unix)]
fn read_pointer(place: &Path) -> io::Result<PathBuf> {
    fs::read_link(place)
}

#[cfg(unix)]
fn write_pointer(target: &Path, place: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, place)
}

/// Where making links takes a privilege, `current` is a file with the path in it.
#[cfg(not(unix))]
fn read_pointer(place: &Path) -> io::Result<PathBuf> {
    fs::read_to_string(place).map(|text| text.trim().split('/').collect())
}

#[cfg(not(unix))]
fn write_pointer(target: &Path, place: &Path) -> io::Result<()> {
    let text = target.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
    let mut out = File::create(place)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()
}

/// Brings what a folder lists to disk.
fn sync_folder(path: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened; its file system sees to it.
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

/// The folder of a vocabulary, held by this process alone.
pub struct Copy {
    root: PathBuf,
    /// Let go by the system however the process ends.
    _lock: File,
}

/// A copy that is being made; taken away when it does not become one, so that a disk that is full has the room again.
pub struct Stage(PathBuf);

impl Drop for Stage {
    fn drop(&mut self) {
        // One that was committed is elsewhere by now.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Stage {
    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Copy {
    /// Takes hold of the folder of a vocabulary, and takes away what a pull that was stopped left there.
    ///
    /// # Errors
    /// [`Code::File`]; [`Code::Busy`] when another process pulls into it.
    pub fn open(into: &Path, slug: &Slug) -> Result<Self> {
        let root = into.join(slug.as_str());
        make_folder(&root.join(COPIES))?;
        let place = root.join(".lock");
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(&place);
        let lock = lock.map_err(|e| file(&place, &e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let refusal = Refusal::new(
                    Code::Busy,
                    "en anden begreb pull er i gang med den mappe",
                    "another begreb pull is at work in that folder",
                );
                return Err(refusal.at(named(root.display())));
            }
            Err(TryLockError::Error(e)) => return Err(file(&place, &e)),
        }
        let copy = Self { root, _lock: lock };
        copy.sweep()?;
        Ok(copy)
    }

    /// The copy that is current. One whose manifest cannot be read is none: it is made anew.
    ///
    /// # Errors
    /// [`Code::File`].
    pub fn current(&self) -> Result<Option<Held>> {
        match Held::find(&self.root) {
            Err(refusal) if refusal.code == Code::Corrupt || refusal.code == Code::File => Ok(None),
            other => other,
        }
    }

    fn numbers(&self) -> Result<Vec<u64>> {
        let copies = self.root.join(COPIES);
        let names = fs::read_dir(&copies).map_err(|e| file(&copies, &e))?;
        let names = names.filter_map(io::Result::ok).map(|e| Path::new(COPIES).join(e.file_name()));
        let mut numbers: Vec<u64> = names.filter_map(|n| number_of(&n)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Takes away what is neither current nor the one before it.
    fn sweep(&self) -> Result<()> {
        let remove = |path: PathBuf| match fs::remove_dir_all(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(file(&path, &e)),
            _ => Ok(()),
        };
        remove(self.root.join(COPIES).join(STAGE))?;
        let _ = fs::remove_file(self.root.join(format!(".{CURRENT}")));
        let current = pointer(&self.root).ok().flatten().and_then(|t| number_of(&t));
        let numbers = self.numbers()?;
        let before = numbers.iter().copied().rfind(|n| current.is_some_and(|c| *n < c));
        let gone = numbers.into_iter().filter(|n| Some(*n) != current && Some(*n) != before);
        gone.map(path_of).try_for_each(|n| remove(self.root.join(n)))
    }

    /// Begins a copy.
    ///
    /// # Errors
    /// [`Code::File`].
    pub fn stage(&self) -> Result<Stage> {
        let path = self.root.join(COPIES).join(STAGE);
        make_folder(&path)?;
        Ok(Stage(path))
    }

    /// Makes a stage the current copy.
    ///
    /// # Errors
    /// [`Code::File`]; the current copy is then as it was.
    pub fn commit(&self, stage: Stage, manifest: &Manifest) -> Result<PathBuf> {
        self.commit_by(stage, manifest, &mut |_| Ok(()))
    }

    /// As [`Copy::commit`]; `reached` is called before each step, and may stop it there.
    fn commit_by(
        &self,
        stage: Stage,
        manifest: &Manifest,
        reached: &mut dyn FnMut(&str) -> io::Result<()>,
    ) -> Result<PathBuf> {
        let current = pointer(&self.root).ok().flatten().and_then(|t| number_of(&t));
        let number = self.numbers()?.into_iter().chain(current).max().unwrap_or(0) + 1;
        let target = path_of(number);
        let folder = self.root.join(&target);
        self.steps(&stage.0, &folder, &target, manifest, reached).map_err(|e| file(&folder, &e))?;
        // It is done: that something old could not be taken away is for the next time.
        let _ = self.sweep();
        Ok(folder)
    }

    fn steps(
        &self,
        stage: &Path,
        folder: &Path,
        target: &Path,
        manifest: &Manifest,
        reached: &mut dyn FnMut(&str) -> io::Result<()>,
    ) -> io::Result<()> {
        reached("manifest")?;
        let place = stage.join(MANIFEST);
        let mut out = File::create(&place)?;
        serde_json::to_writer_pretty(&mut out, manifest)?;
        out.write_all(b"\n")?;
        out.sync_all()?;
        reached("files")?;
        for kept in manifest.files() {
            let path = stage.join(&kept.path);
            let mut rights = fs::metadata(&path)?.permissions();
            rights.set_readonly(true);
            fs::set_permissions(&path, rights)?;
            // The folder of the version or day, and the one that lists them.
            for folder in path.ancestors().skip(1).take_while(|folder| *folder != stage) {
                sync_folder(folder)?;
            }
        }
        sync_folder(stage)?;
        reached("number")?;
        fs::rename(stage, folder)?;
        sync_folder(&self.root.join(COPIES))?;
        reached("pointer")?;
        let beside = self.root.join(format!(".{CURRENT}"));
        let _ = fs::remove_file(&beside);
        write_pointer(target, &beside)?;
        reached("move")?;
        fs::rename(&beside, self.root.join(CURRENT))?;
        reached("done")?;
        sync_folder(&self.root)
    }
}

/// What was found when a copy was checked.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// The vocabulary.
    pub vocabulary: Slug,
    /// Where it is.
    pub folder: PathBuf,
    /// When it was fetched.
    pub pulled: Instant,
    /// Where from.
    pub server: String,
    /// The versions, by effective date.
    pub versions: Vec<Label>,
    /// The version in force today, of those that are here.
    pub in_force: Option<Label>,
    /// The folder of what is in force: of that version, or of the day when something was said beyond it.
    pub in_force_folder: Option<PathBuf>,
    /// How many concepts are said otherwise today than in that version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beyond: Option<usize>,
    /// What does not hold.
    pub problems: Vec<Refusal>,
}

/// Checks the copy of a vocabulary without the network: every file, and the digest of every version from its content.
///
/// # Errors
/// [`Code::File`], [`Code::Corrupt`] when there is no copy.
pub fn check(into: &Path, slug: &Slug, today: Instant) -> Result<Checked> {
    let root = into.join(slug.as_str());
    let held = Held::find(&root)?.ok_or_else(|| {
        let refusal =
            Refusal::new(Code::File, format!("der er ingen kopi af {slug}"), format!("there is no copy of {slug}"));
        refusal.at(named(root.display()))
    })?;
    let mut problems = Vec::new();
    let at = |path: &Path, r: Refusal| r.at(named(held.folder.join(path).display()));
    for kept in held.manifest.files().filter(|f| !held.has(f)) {
        let there = fs::File::open(held.folder.join(&kept.path)).and_then(|mut f| f.read(&mut [0]));
        problems.push(match there {
            Err(e) => file(&held.folder.join(&kept.path), &e),
            Ok(_) => at(
                &kept.path,
                corrupt("filen er ikke den, der blev hentet", "the file is not the one that was fetched"),
            ),
        });
    }
    let (versions, days) = (&held.manifest.versions, &held.manifest.days);
    problems.extend(versions.iter().filter_map(|version| recompute(&held, version, slug).err()));
    problems.extend(days.iter().filter_map(|day| recompute_day(&held, day).err()));
    let in_force = held.manifest.in_force(today);
    let beyond = held.manifest.beyond(today);
    let json = beyond.and_then(|d| d.files.first()).or_else(|| in_force.and_then(|v| v.json().ok()));
    let folder = json.and_then(|json| json.path.parent().map(|p| held.folder.join(p)));
    Ok(Checked {
        vocabulary: slug.clone(),
        in_force: in_force.map(|v| v.label.clone()),
        in_force_folder: folder,
        beyond: beyond.map(|d| d.beyond),
        versions: held.manifest.versions.iter().map(|v| v.label.clone()).collect(),
        pulled: held.manifest.pulled,
        server: held.manifest.server.clone(),
        problems,
        folder: held.folder,
    })
}

fn recompute(held: &Held, version: &KeptVersion, slug: &Slug) -> Result<()> {
    let json = version.json()?;
    let edition = edition::read(&held.folder.join(&json.path)).and_then(|edition| {
        let listed = Listed {
            uuid: version.uuid,
            label: version.label.clone(),
            effective: version.effective,
            registered: version.registered,
            decision: None,
            manifest: version.manifest.clone(),
        };
        edition.is(&listed, slug)
    });
    edition.map_err(|r| if r.place.is_empty() { r.at(named(held.folder.join(&json.path).display())) } else { r })
}

/// What is said between versions has no digest of a publication: it must be what was fetched.
fn recompute_day(held: &Held, day: &KeptDay) -> Result<()> {
    let Some(json) = day.files.first() else { return Ok(()) };
    let path = held.folder.join(&json.path);
    let edition = edition::read(&path).map_err(|r| if r.place.is_empty() { r.at(named(path.display())) } else { r })?;
    if Some(edition.digest) == day.digest && edition.count == day.concepts {
        return Ok(());
    }
    let (da, en) = ("indholdet er ikke det, der blev hentet", "the content is not what was fetched");
    Err(corrupt(da, en).at(named(path.display())))
}

/// The vocabularies that a folder has copies of.
///
/// # Errors
/// [`Code::File`].
pub fn all(into: &Path) -> Result<Vec<Slug>> {
    let names = fs::read_dir(into).map_err(|e| file(into, &e))?;
    let slugs = names.filter_map(io::Result::ok).filter(|e| e.path().join(CURRENT).symlink_metadata().is_ok());
    let mut slugs: Vec<Slug> = slugs.filter_map(|e| e.file_name().to_str()?.parse().ok()).collect();
    slugs.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    Ok(slugs)
}

#[cfg(test)]
mod tests {
    use begreb::exchange::Format;
    use begreb::model::{Digest, Manifest as Counts};
    use uuid::Uuid;

    use super::*;
    use crate::pull::manifest::Named;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("begreb-cli-copy-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    /// Stages a copy whose one file says a number.
    fn staged(copy: &Copy, number: i64) -> (Stage, Manifest) {
        let stage = copy.stage().unwrap();
        let path = PathBuf::from("versions/x/v.json");
        make_folder(&stage.path().join("versions/x")).unwrap();
        fs::write(stage.path().join(&path), number.to_string()).unwrap();
        let json = sum(stage.path(), &path, Format::Json).unwrap();
        let counts = Counts { concepts: 0, added: 0, changed: 0, retired: 0, digest: Digest::of("x"), source: None };
        let version = KeptVersion {
            label: "x".parse().unwrap(),
            uuid: Uuid::nil(),
            effective: Instant::from_micros(0),
            registered: Instant::from_micros(0),
            manifest: counts,
            files: vec![json],
        };
        let manifest = Manifest {
            format: FORMAT,
            server: "http://x".into(),
            vocabulary: Named { uuid: Uuid::nil(), slug: "v".parse().unwrap() },
            pulled: Instant::from_micros(0),
            position: number,
            versions: vec![version],
            days: Vec::new(),
            registered: None,
        };
        (stage, manifest)
    }

    /// What a reader finds: the number in the manifest, which the file must say too.
    fn found(root: &Path) -> Option<i64> {
        let held = Held::find(root).unwrap()?;
        assert!(held.manifest.versions.iter().all(|v| held.is_whole(&v.files)), "half a copy is seen");
        let said = fs::read_to_string(root.join(CURRENT).join("versions/x/v.json")).unwrap();
        assert_eq!(said, held.manifest.position.to_string());
        Some(held.manifest.position)
    }

    #[test]
    fn a_pull_that_stops_anywhere_leaves_the_old_copy_or_the_new() {
        let folder = Folder::new("stops");
        let (slug, root) = ("v".parse().unwrap(), folder.0.join("v"));
        let mut now = None;
        for round in 0..24_i64 {
            let copy = Copy::open(&folder.0, &slug).unwrap();
            let (stage, manifest) = staged(&copy, round);
            // Each round stops one step later than the one before; every seventh goes through.
            let mut left = round % 7;
            let mut last = String::new();
            let done = copy.commit_by(stage, &manifest, &mut |step| {
                last = step.to_owned();
                left -= 1;
                if left < 0 { Err(io::Error::other("stopped")) } else { Ok(()) }
            });
            assert_eq!(done.is_ok(), round % 7 == 6, "{last}");
            // The one step after the move is only to be sure that it is on disk.
            if done.is_ok() || last == "done" {
                now = Some(round);
            }
            assert_eq!(found(&root), now, "stopped before {last}");
            drop(copy);
            let copies = || Copy::open(&folder.0, &slug).unwrap().numbers().unwrap().len();
            assert!(copies() <= 2, "what was left is taken away");
            assert!(!root.join(COPIES).join(STAGE).exists());
            assert_eq!(found(&root), now, "and nothing else");
        }
        assert_eq!(now, Some(20));
    }

    #[test]
    fn readers_never_see_half_a_copy() {
        let folder = Folder::new("readers");
        let (slug, root) = ("v".parse::<Slug>().unwrap(), folder.0.join("v"));
        let copy = Copy::open(&folder.0, &slug).unwrap();
        let (stage, manifest) = staged(&copy, 0);
        copy.commit(stage, &manifest).unwrap();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let (mut seen, mut last) = (0, 0);
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    // A reader follows the link once, and stays in that folder.
                    let Ok(home) = fs::canonicalize(root.join(CURRENT)) else { continue };
                    let Ok(text) = fs::read_to_string(home.join(MANIFEST)) else { continue };
                    let Ok(said) = fs::read_to_string(home.join("versions/x/v.json")) else { continue };
                    let manifest: Manifest = serde_json::from_str(&text).expect("a whole manifest");
                    assert_eq!(said, manifest.position.to_string());
                    assert!(manifest.position >= last, "never back");
                    (seen, last) = (seen + 1, manifest.position);
                }
                seen
            });
            for number in 1..60 {
                let (stage, manifest) = staged(&copy, number);
                copy.commit(stage, &manifest).unwrap();
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(reader.join().unwrap() > 0);
        });
        assert_eq!(found(&root), Some(59));
    }

    #[test]
    fn one_pull_at_a_time_and_no_way_out_of_the_folder() {
        let folder = Folder::new("lock");
        let slug = "v".parse().unwrap();
        let copy = Copy::open(&folder.0, &slug).unwrap();
        assert_eq!(Copy::open(&folder.0, &slug).err().map(|r| r.code), Some(Code::Busy));
        let (stage, mut manifest) = staged(&copy, 1);
        manifest.versions[0].files[0].path = "../../v.json".into();
        fs::write(stage.path().join("../../v.json"), "1").unwrap();
        copy.commit(stage, &manifest).unwrap();
        assert_eq!(Held::find(&folder.0.join("v")).err().map(|r| r.code), Some(Code::Corrupt));
        drop(copy);
        assert!(Copy::open(&folder.0, &slug).is_ok());
        for wrong in ["../x", "copies/..", "copies/x", "/etc", "copies/1/2"] {
            assert_eq!(number_of(Path::new(wrong)), None, "{wrong}");
        }
    }
}
