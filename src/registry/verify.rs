//! The verification: recomputes everything that can be recomputed from the log, and names the first row that
//! is wrong.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Registry;
use crate::model::{
    Change, ChangeKind, Code, Digest, GENESIS, Hiding, Instant, Label, Period, Refusal, Result, Slug, Timeline,
    Version, Vocabulary, canonical_json, codes_digest,
};
use crate::projection::Matters;
use crate::store::{Facts, Head, People, StoredState, SubscriptionRow};

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
    /// How many steps of drafts and other matters; they are those that the log tells, and lead where readings are.
    pub steps: u64,
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

/// An act on a concept, as far as its rows have been read.
struct ToldAct {
    subject: Uuid,
    at: Instant,
    /// The first of its rows.
    seq: i64,
    parts: Vec<(Period, Option<Digest>)>,
}

/// What the log tells.
#[derive(Default)]
struct Told {
    /// The act whose rows are being read.
    act: Option<ToldAct>,
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
    /// The rows that tell of steps, by their position.
    steps: BTreeMap<i64, Change>,
}

impl Registry {
    /// Recomputes the chain of the log, the digest of every content, every state from the log, and the digest
    /// of every version from the projections.
    ///
    /// # Errors
    /// [`Code::Corrupt`] with the first row that is wrong; [`Code::Database`].
    pub async fn verify(&self) -> Result<Verification> {
        // All of it at one moment: others may write meanwhile.
        let mut facts = self.store.facts().await?;
        let (told, head) = Told::replay(&mut facts).await?;
        let mut contents = 0;
        facts
            .contents(|digest, body| {
                contents += 1;
                let same = Digest::of(body).to_string() == digest;
                if same { Ok(()) } else { Err(wrong(&format!("content {digest}: its digest is another"))) }
            })
            .await?;
        let states = told.compare_states(&mut facts).await?;
        let stored = told.compare_versions(&mut facts).await?;
        let subscriptions = facts.subscriptions().await?;
        told.compare_people(
            &facts.people().await?,
            &subscriptions,
            usages(&mut facts).await?,
            &facts.usages_hidden().await?,
        )?;
        if let Some(beyond) = subscriptions.iter().find(|s| s.passed > head.seq) {
            return Err(wrong(&format!("subscription {}: it is beyond the end of the log", beyond.uuid)));
        }
        let (steps, matters) = told.compare_steps(&mut facts, &head).await?;
        drop(facts);
        // What is written after that moment changes no reading of what was published before it.
        self.follower.catch_up().await?;
        let versions = self.compare_readings(stored)?;
        if let Some(matter) = matters.unlike(&self.snapshot().matters) {
            return Err(wrong(&format!("matter {matter}: the projections have another")));
        }
        self.compare_mail(&head).await?;
        self.compare_mox(&head).await?;
        Ok(Verification { changes: head.seq, hash: head.hash, contents, states, steps, versions })
    }

    /// Compares the readings of the projections with the manifests of the versions.
    fn compare_readings(&self, stored: Vec<(Vocabulary, Vec<Version>)>) -> Result<Vec<VerifiedVersion>> {
        let (snapshot, mut verified) = (self.snapshot(), Vec::new());
        for (vocabulary, versions) in stored {
            let slug = vocabulary.slug();
            let plane = snapshot.by_uuid(vocabulary.uuid());
            let plane = plane.ok_or_else(|| wrong(&format!("vocabulary {slug}: the projections do not have it")))?;
            for version in versions {
                let edition = self.projections.edition(plane, version.point());
                let (concepts, digest) = edition.digest(&version.statements);
                if digest != version.manifest.digest || concepts != version.manifest.concepts {
                    let name = format!("version {slug} {}", version.label);
                    return Err(wrong(&format!("{name}: its content has another digest than its manifest")));
                }
                verified.push(VerifiedVersion { vocabulary: slug.clone(), label: version.label, digest });
            }
        }
        Ok(verified)
    }
}

impl Told {
    /// Reads the whole log: its chain, and what it tells.
    async fn replay(facts: &mut Facts) -> Result<(Self, Head)> {
        let head = facts.head().await?;
        let mut told = Self::default();
        let (mut seq, mut hash) = (0, GENESIS.to_owned());
        while seq < head.seq {
            let changes = facts.changes(seq, BATCH).await?;
            if changes.is_empty() {
                return Err(wrong(&format!("change {}: it is missing", seq + 1)));
            }
            for change in changes {
                if change.seq != seq + 1 {
                    return Err(wrong(&format!("change {}: it is missing", seq + 1)));
                }
                if told.act.as_ref().is_some_and(|act| (act.subject, act.at) != (change.subject, change.at)) {
                    told.take_act()?;
                }
                if change.previous != hash || change.hash != change.seal_of() {
                    return Err(wrong(&format!("change {}: its seal is broken", change.seq)));
                }
                told.take_in(&change)?;
                (seq, hash) = (change.seq, change.hash);
            }
        }
        told.take_act()?;
        if !facts.changes(head.seq, 1).await?.is_empty() {
            return Err(wrong("log_head: it is behind the change log"));
        }
        if hash != head.hash {
            return Err(wrong(&format!("change {seq}: the head of the log names another seal")));
        }
        Ok((told, head))
    }

    /// Compares concepts and states on disk with those that the log tells.
    async fn compare_states(&self, facts: &mut Facts) -> Result<u64> {
        let concepts = facts.concepts().await?;
        for (concept, vocabulary) in &self.owners {
            if concepts.get(concept) != Some(vocabulary) {
                return Err(wrong(&format!("concept {concept}: it is missing or in another vocabulary")));
            }
        }
        let mut stored: BTreeMap<Uuid, Vec<StoredState>> = BTreeMap::new();
        facts
            .all_states(|state| {
                stored.entry(state.concept).or_default().push(state);
                Ok(())
            })
            .await?;
        let mut concepts: Vec<&Uuid> = stored.keys().chain(self.states.keys()).collect();
        concepts.sort_unstable();
        concepts.dedup();
        let mut count = 0;
        for concept in concepts {
            let sorted = |states: Option<&Vec<StoredState>>| {
                let mut states = states.cloned().unwrap_or_default();
                states.sort_by_key(|s| (s.registered.from(), s.valid.from()));
                states
            };
            let (there, expected) = (sorted(stored.get(concept)), sorted(self.states.get(concept)));
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
    fn compare_people(
        &self,
        people: &People,
        subscriptions: &[SubscriptionRow],
        usages: Vec<(Uuid, String)>,
        hidden: &[Hiding],
    ) -> Result<()> {
        let mut there = BTreeMap::new();
        there.extend(usages.into_iter().map(|(uuid, body)| (("usage", uuid), body)));
        there.extend(hidden.iter().map(|h| (("hiding", h.uuid()), canonical_json(&h.told()))));
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
        for i in &people.identities {
            there.insert(("identity", i.uuid), canonical_json(&json!({ "account": i.account })));
        }
        for s in subscriptions {
            there.insert(("subscription", s.uuid), s.told());
        }
        let mut all: Vec<_> = there.keys().chain(self.people.keys()).collect();
        all.sort_unstable();
        all.dedup();
        for key in all {
            let what = match (there.get(key), self.people.get(key)) {
                (Some(there), Some(told)) if there == told => continue,
                (Some(_), Some(_)) => "the log tells another",
                (Some(_), None) => "the log does not tell it",
                _ => "it is missing",
            };
            return Err(wrong(&format!("{} {}: {what}", key.0, key.1)));
        }
        Ok(())
    }

    /// Compares vocabularies and versions on disk with those that the log tells.
    async fn compare_versions(&self, facts: &mut Facts) -> Result<Vec<(Vocabulary, Vec<Version>)>> {
        let vocabularies = facts.vocabularies().await?;
        for vocabulary in &vocabularies {
            if self.vocabularies.get(&vocabulary.uuid()) != Some(&canonical_json(vocabulary)) {
                return Err(wrong(&format!("vocabulary {}: the log tells another", vocabulary.slug())));
            }
        }
        let there: HashSet<Uuid> = vocabularies.iter().map(Vocabulary::uuid).collect();
        if let Some(missing) = self.vocabularies.keys().find(|v| !there.contains(v)) {
            return Err(wrong(&format!("vocabulary {missing}: it is missing")));
        }
        let (mut stored, mut seen) = (Vec::new(), HashSet::new());
        for vocabulary in vocabularies {
            let versions = facts.versions(vocabulary.uuid()).await?;
            for version in &versions {
                if self.versions.get(&version.uuid) != Some(version) {
                    let (slug, label) = (vocabulary.slug(), &version.label);
                    return Err(wrong(&format!("version {slug} {label}: the log tells another")));
                }
                seen.insert(version.uuid);
            }
            stored.push((vocabulary, versions));
        }
        if let Some(missing) = self.versions.values().find(|v| !seen.contains(&v.uuid)) {
            let slug =
                stored.iter().find(|(v, _)| v.uuid() == missing.vocabulary).map_or("?", |(v, _)| v.slug().as_str());
            return Err(wrong(&format!("version {slug} {}: it is missing", missing.label)));
        }
        Ok(stored)
    }

    /// Compares the steps on disk with those that the log tells, and takes them in order: the rules must let them.
    async fn compare_steps(&self, facts: &mut Facts, head: &Head) -> Result<(u64, Matters)> {
        let (mut matters, mut told, mut after, mut count) = (Matters::default(), self.steps.iter(), 0, 0);
        let named = |matter: Uuid, number: &dyn std::fmt::Display| format!("step {number} of {matter}");
        loop {
            let rows = facts.all_steps(after, i64::MAX, BATCH).await?;
            let Some(last) = rows.last() else { break };
            after = last.change;
            for row in &rows {
                let name = named(row.matter, &row.number);
                if row.change > head.seq {
                    return Err(wrong(&format!("{name}: the log does not tell it")));
                }
                match told.next() {
                    Some((seq, change)) if *seq == row.change => {
                        let is = change.subject == row.matter && change.vocabulary == row.vocabulary;
                        if !is || change.body != row.told(change.at, &change.actor) {
                            return Err(wrong(&format!("{name}: the log tells another")));
                        }
                    }
                    Some((seq, change)) if *seq < row.change => {
                        return Err(wrong(&format!("{}: it is missing", named(change.subject, &number_of(change)))));
                    }
                    _ => return Err(wrong(&format!("{name}: the log does not tell it"))),
                }
                matters.take(row).map_err(|r| wrong(&r.en))?;
                count += 1;
            }
        }
        match told.next() {
            Some((_, change)) => Err(wrong(&format!("{}: it is missing", named(change.subject, &number_of(change))))),
            None => Ok((count, matters)),
        }
    }

    /// Takes in the act whose rows have been read.
    fn take_act(&mut self) -> Result<()> {
        let Some(act) = self.act.take() else { return Ok(()) };
        let line = self.lines.entry(act.subject).or_default();
        let revision = line
            .register_all(act.at, &act.parts)
            .map_err(|e| wrong(&format!("change {}: it cannot be read: {e}", act.seq)))?;
        let states = self.states.entry(act.subject).or_default();
        for &i in &revision.closed {
            states[i].registered = line.states()[i].registered();
            states[i].closed = Some(act.seq);
        }
        states.extend(revision.opened.iter().map(|s| StoredState {
            concept: act.subject,
            registered: s.registered(),
            valid: s.valid(),
            content: *s.content(),
            opened: act.seq,
            closed: None,
        }));
        Ok(())
    }

    /// Takes in one row of the log.
    fn take_in(&mut self, change: &Change) -> Result<()> {
        let unreadable = |e: &dyn std::fmt::Display| wrong(&format!("change {}: it cannot be read: {e}", change.seq));
        let is = |kind: ChangeKind| change.kind == kind.as_str();
        if is_step(change) {
            self.steps.insert(change.seq, change.clone());
        } else if is(ChangeKind::VersionPublished) {
            let version: Version = serde_json::from_str(&change.body).map_err(|e| unreadable(&e))?;
            self.versions.insert(version.uuid, version);
        } else if is(ChangeKind::VocabularyCreated) || is(ChangeKind::VocabularyChanged) {
            self.vocabularies.insert(change.subject, change.body.clone());
        } else if is(ChangeKind::ConceptStated) || is(ChangeKind::ConceptRetired) {
            let part = part_of(&change.body).map_err(|e| unreadable(&e))?;
            match &mut self.act {
                // Another period of the same act.
                Some(act) if act.subject == change.subject && act.at == change.at => act.parts.push(part),
                _ => {
                    self.take_act()?;
                    let (subject, at, seq) = (change.subject, change.at, change.seq);
                    self.act = Some(ToldAct { subject, at, seq, parts: vec![part] });
                }
            }
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

/// What a row of the log says of a period of a concept.
fn part_of(body: &str) -> std::result::Result<(Period, Option<Digest>), String> {
    #[derive(serde::Deserialize)]
    struct Fact {
        from: Instant,
        to: Instant,
        content: Option<Digest>,
    }
    let fact: Fact = serde_json::from_str(body).map_err(|e| e.to_string())?;
    Ok((Period::new(fact.from, fact.to).map_err(|r| r.en)?, fact.content))
}

/// The uses on disk, each with what the log must tell of it.
async fn usages(facts: &mut Facts) -> Result<Vec<(Uuid, String)>> {
    let mut there = Vec::new();
    for row in facts.usages().await? {
        let codes = codes_digest(&facts.usage_codes(row.uuid).await?);
        there.extend(row.usage.map(|usage| (row.uuid, canonical_json(&usage.told(codes)))));
    }
    Ok(there)
}

/// Whether a row of the log tells of a step: all of those do alike, and no others.
fn is_step(change: &Change) -> bool {
    number_of(change) > 0
}

/// The number of the step that a row of the log tells of; 0 of those that tell of none.
fn number_of(change: &Change) -> i64 {
    #[derive(serde::Deserialize)]
    struct Step {
        number: i64,
        #[serde(rename = "matter")]
        _matter: String,
        #[serde(rename = "step")]
        _step: Digest,
    }
    serde_json::from_str(&change.body).map_or(0, |step: Step| step.number)
}

/// The kind of thing about people that a row of the log tells, and whether it is gone by it.
fn of_people(kind: &str) -> Option<(&'static str, bool)> {
    let (what, verb) = kind.split_once('.')?;
    let kinds = ["organisation", "account", "group", "grant", "token", "identity", "subscription", "usage", "hiding"];
    let what = kinds.into_iter().find(|w| *w == what)?;
    Some((what, matches!(verb, "erased" | "taken" | "revoked" | "unlinked" | "ended")))
}

pub(super) fn wrong(what: &str) -> Refusal {
    Refusal::new(Code::Corrupt, format!("registret er beskadiget: {what}"), format!("the registry is damaged: {what}"))
}
