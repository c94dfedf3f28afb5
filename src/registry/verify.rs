//! The verification: recomputes everything that can be recomputed from the log, and names the first row that
//! is wrong.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Registry;
use crate::model::{
    Change, ChangeKind, Code, Digest, GENESIS, Instant, Label, Period, Refusal, Result, Slug, Timeline, Version,
    Vocabulary, canonical_json,
};
use crate::store::{Head, StoredState};

/// How many rows of the log are read at a time.
const BATCH: i64 = 10_000;

/// What was found to be whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Verification {
    /// How many rows the change log has; its chain is unbroken.
    pub changes: i64,
    /// The seal of the last row.
    pub hash: String,
    /// How many contents; each has the digest it is stored under.
    pub contents: u64,
    /// How many states; they are those that the log tells.
    pub states: u64,
    /// The versions; each has the digest of its manifest, in the store and in the projections.
    pub versions: Vec<VerifiedVersion>,
}

/// A version that is whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct VerifiedVersion {
    /// The vocabulary.
    pub vocabulary: Slug,
    /// The label.
    pub label: Label,
    /// The digest.
    pub digest: Digest,
}

/// What the log tells.
#[derive(Default)]
struct Told {
    /// The states of each concept, in the order in which they were opened, content by its digest.
    states: BTreeMap<Uuid, Vec<StoredState>>,
    lines: HashMap<Uuid, Timeline<Digest>>,
    /// The vocabulary of each concept.
    owners: HashMap<Uuid, Uuid>,
    versions: HashMap<Uuid, Version>,
    /// The last body of each vocabulary.
    vocabularies: HashMap<Uuid, String>,
    /// What was done to people and not undone: the kind of thing, its uuid, and the body that told it last.
    people: BTreeMap<(&'static str, Uuid), String>,
}

impl Registry {
    /// Recomputes the chain of the log, the digest of every content, every state from the log, and the digest
    /// of every version from the projections.
    ///
    /// # Errors
    /// [`Code::Corrupt`] with the first row that is wrong; [`Code::Database`].
    pub async fn verify(&self) -> Result<Verification> {
        let (told, head) = self.replay().await?;
        let mut contents = 0;
        self.store
            .contents(|digest, body| {
                contents += 1;
                let same = Digest::of(body).to_string() == digest;
                if same { Ok(()) } else { Err(wrong(&format!("content {digest}: its digest is another"))) }
            })
            .await?;
        let states = self.compare_states(&told).await?;
        self.follower.catch_up().await?;
        let versions = self.compare_versions(&told).await?;
        self.compare_people(&told).await?;
        self.compare_mail(&head).await?;
        Ok(Verification { changes: head.seq, hash: head.hash, contents, states, versions })
    }

    /// Reads the whole log: its chain, and what it tells.
    async fn replay(&self) -> Result<(Told, Head)> {
        let head = self.store.head().await?;
        let mut told = Told::default();
        let (mut seq, mut hash) = (0, GENESIS.to_owned());
        while seq < head.seq {
            let changes = self.store.changes(seq, BATCH).await?;
            if changes.is_empty() {
                return Err(wrong(&format!("change {}: it is missing", seq + 1)));
            }
            for change in changes {
                if change.seq != seq + 1 {
                    return Err(wrong(&format!("change {}: it is missing", seq + 1)));
                }
                if change.previous != hash || change.hash != change.seal_of() {
                    return Err(wrong(&format!("change {}: its seal is broken", change.seq)));
                }
                told.take_in(&change)?;
                (seq, hash) = (change.seq, change.hash);
            }
        }
        if !self.store.changes(head.seq, 1).await?.is_empty() {
            return Err(wrong("log_head: it is behind the change log"));
        }
        if hash != head.hash {
            return Err(wrong(&format!("change {seq}: the head of the log names another seal")));
        }
        Ok((told, head))
    }

    /// Compares concepts and states on disk with those that the log tells.
    async fn compare_states(&self, told: &Told) -> Result<u64> {
        let concepts = self.store.concepts().await?;
        for (concept, vocabulary) in &told.owners {
            if concepts.get(concept) != Some(vocabulary) {
                return Err(wrong(&format!("concept {concept}: it is missing or in another vocabulary")));
            }
        }
        let mut stored: BTreeMap<Uuid, Vec<StoredState>> = BTreeMap::new();
        self.store
            .all_states(|state| {
                stored.entry(state.concept).or_default().push(state);
                Ok(())
            })
            .await?;
        let mut concepts: Vec<&Uuid> = stored.keys().chain(told.states.keys()).collect();
        concepts.sort_unstable();
        concepts.dedup();
        let mut count = 0;
        for concept in concepts {
            let sorted = |states: Option<&Vec<StoredState>>| {
                let mut states = states.cloned().unwrap_or_default();
                states.sort_by_key(|s| (s.registered.from(), s.valid.from()));
                states
            };
            let (there, expected) = (sorted(stored.get(concept)), sorted(told.states.get(concept)));
            count += there.len() as u64;
            let name = |s: &StoredState| {
                format!("state of {concept} registered {} valid {}", s.registered.from(), s.valid.from())
            };
            if let Some((state, _)) = there.iter().zip(&expected).find(|(a, b)| a != b) {
                return Err(wrong(&format!("{}: the log tells another", name(state))));
            }
            match (there.get(expected.len()), expected.get(there.len())) {
                (Some(extra), _) => return Err(wrong(&format!("{}: the log does not tell it", name(extra)))),
                (_, Some(missing)) => return Err(wrong(&format!("{}: it is missing", name(missing)))),
                (None, None) => {}
            }
        }
        Ok(count)
    }

    /// Compares who there is, and what they were given, with the log: a right that nobody gave is found. Names, mail
    /// addresses and passwords are not under the seal; they may be changed and erased.
    async fn compare_people(&self, told: &Told) -> Result<()> {
        let people = self.store.people().await?;
        let mut there = BTreeMap::new();
        for o in &people.organisations {
            there.insert(("organisation", o.uuid), canonical_json(&json!({ "active": o.active })));
        }
        for a in &people.accounts {
            let body = json!({ "active": a.active, "organisation": a.organisation });
            there.insert(("account", a.uuid), canonical_json(&body));
        }
        for g in &people.groups {
            let body = json!({ "active": g.active, "kind": g.kind, "members": g.members });
            there.insert(("group", g.uuid), canonical_json(&body));
        }
        for g in &people.grants {
            there.insert(("grant", g.uuid()), canonical_json(g));
        }
        for t in &people.tokens {
            let body = json!({ "account": t.account, "scope": t.scope, "expires": t.expires });
            there.insert(("token", t.uuid), canonical_json(&body));
        }
        let mut all: Vec<_> = there.keys().chain(told.people.keys()).collect();
        all.sort_unstable();
        all.dedup();
        for key in all {
            let what = match (there.get(key), told.people.get(key)) {
                (Some(there), Some(told)) if there == told => continue,
                (Some(_), Some(_)) => "the log tells another",
                (Some(_), None) => "the log does not tell it",
                _ => "it is missing",
            };
            return Err(wrong(&format!("{} {}: {what}", key.0, key.1)));
        }
        Ok(())
    }

    /// Compares vocabularies and versions on disk, and the readings of the projections, with the log.
    async fn compare_versions(&self, told: &Told) -> Result<Vec<VerifiedVersion>> {
        let mut versions = Vec::new();
        let vocabularies = self.store.vocabularies().await?;
        for vocabulary in &vocabularies {
            if told.vocabularies.get(&vocabulary.uuid()) != Some(&canonical_json(vocabulary)) {
                return Err(wrong(&format!("vocabulary {}: the log tells another", vocabulary.slug())));
            }
        }
        let there: HashSet<Uuid> = vocabularies.iter().map(Vocabulary::uuid).collect();
        if let Some(missing) = told.vocabularies.keys().find(|v| !there.contains(v)) {
            return Err(wrong(&format!("vocabulary {missing}: it is missing")));
        }
        for plane in self.snapshot().planes() {
            let slug = plane.vocabulary().slug();
            for version in self.store.versions(plane.vocabulary().uuid()).await? {
                let name = format!("version {slug} {}", version.label);
                if told.versions.get(&version.uuid) != Some(&version) {
                    return Err(wrong(&format!("{name}: the log tells another")));
                }
                let edition = self.projections.edition(plane, version.point());
                let (concepts, digest) = edition.digest(&version.statements);
                if digest != version.manifest.digest || concepts != version.manifest.concepts {
                    return Err(wrong(&format!("{name}: its content has another digest than its manifest")));
                }
                let (vocabulary, label) = (slug.clone(), version.label);
                versions.push((version.uuid, VerifiedVersion { vocabulary, label, digest }));
            }
        }
        if let Some(missing) = told.versions.values().find(|v| versions.iter().all(|(uuid, _)| *uuid != v.uuid)) {
            let snapshot = self.snapshot();
            let slug = snapshot.by_uuid(missing.vocabulary).map_or("?", |p| p.vocabulary().slug().as_str());
            return Err(wrong(&format!("version {slug} {}: it is missing", missing.label)));
        }
        Ok(versions.into_iter().map(|(_, version)| version).collect())
    }
}

impl Told {
    /// Takes in one row of the log.
    fn take_in(&mut self, change: &Change) -> Result<()> {
        let unreadable = |e: &dyn std::fmt::Display| wrong(&format!("change {}: it cannot be read: {e}", change.seq));
        let is = |kind: ChangeKind| change.kind == kind.as_str();
        if is(ChangeKind::VersionPublished) {
            let version: Version = serde_json::from_str(&change.body).map_err(|e| unreadable(&e))?;
            self.versions.insert(version.uuid, version);
        } else if is(ChangeKind::VocabularyCreated) || is(ChangeKind::VocabularyChanged) {
            self.vocabularies.insert(change.subject, change.body.clone());
        } else if is(ChangeKind::ConceptStated) || is(ChangeKind::ConceptRetired) {
            #[derive(serde::Deserialize)]
            struct Fact {
                from: Instant,
                to: Instant,
                content: Option<Digest>,
            }
            let fact: Fact = serde_json::from_str(&change.body).map_err(|e| unreadable(&e))?;
            let valid = Period::new(fact.from, fact.to).map_err(|e| unreadable(&e))?;
            let line = self.lines.entry(change.subject).or_default();
            let revision = line.register(change.at, valid, fact.content).map_err(|e| unreadable(&e))?;
            let states = self.states.entry(change.subject).or_default();
            for &i in &revision.closed {
                states[i].registered = line.states()[i].registered();
                states[i].closed = Some(change.seq);
            }
            states.extend(revision.opened.iter().map(|s| StoredState {
                concept: change.subject,
                registered: s.registered(),
                valid: s.valid(),
                content: *s.content(),
                opened: change.seq,
                closed: None,
            }));
            self.owners.insert(change.subject, change.vocabulary);
        } else if let Some((what, gone)) = of_people(&change.kind) {
            let key = (what, change.subject);
            if gone {
                self.people.remove(&key)
            } else {
                self.people.insert(key, change.body.clone())
            };
        }
        Ok(())
    }
}

/// The kind of thing about people that a row of the log tells, and whether it is gone by it.
fn of_people(kind: &str) -> Option<(&'static str, bool)> {
    let (what, verb) = kind.split_once('.')?;
    let what = ["organisation", "account", "group", "grant", "token"].into_iter().find(|w| *w == what)?;
    Some((what, matches!(verb, "erased" | "taken" | "revoked")))
}

pub(super) fn wrong(what: &str) -> Refusal {
    Refusal::new(Code::Corrupt, format!("registret er beskadiget: {what}"), format!("the registry is damaged: {what}"))
}
