//! The verification: recomputes everything that can be recomputed from the log, and names the first row that
//! is wrong.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Registry;
use crate::model::{
    Change, ChangeKind, Code, Digest, GENESIS, Instant, Label, Period, Refusal, Result, Slug, State, Timeline, Version,
};

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

/// What the log tells of one concept, content by its digest.
type Told = Timeline<Digest>;

impl Registry {
    /// Recomputes the chain of the log, the digest of every content, every state from the log, and the digest
    /// of every version from the projections.
    ///
    /// # Errors
    /// [`Code::Corrupt`] with the first row that is wrong; [`Code::Database`].
    pub async fn verify(&self) -> Result<Verification> {
        let (told, published, head) = self.replay().await?;
        let mut contents = 0;
        self.store
            .contents(|digest, body| {
                contents += 1;
                if Digest::of(body).to_string() == digest {
                    Ok(())
                } else {
                    Err(wrong(&format!("content {digest}: its digest is another")))
                }
            })
            .await?;
        let states = self.compare_states(told).await?;
        self.follower.catch_up().await?;
        let mut versions = Vec::new();
        for plane in self.snapshot().planes() {
            let slug = plane.vocabulary().slug();
            for version in self.store.versions(plane.vocabulary().uuid()).await? {
                let name = format!("version {slug} {}", version.label);
                if published.get(&version.uuid) != Some(&version) {
                    return Err(wrong(&format!("{name}: the log tells another")));
                }
                let edition = self.projections.edition(plane, version.point());
                let (concepts, digest) = edition.digest(&version.statements);
                if digest != version.manifest.digest || concepts != version.manifest.concepts {
                    return Err(wrong(&format!("{name}: its content has another digest than its manifest")));
                }
                versions.push(VerifiedVersion { vocabulary: slug.clone(), label: version.label, digest });
            }
        }
        if versions.len() != published.len() {
            return Err(wrong("the log tells of a version that is not there"));
        }
        Ok(Verification { changes: head.seq, hash: head.hash, contents, states, versions })
    }

    /// Reads the whole log: its chain, and what it tells.
    async fn replay(&self) -> Result<(HashMap<Uuid, Told>, HashMap<Uuid, Version>, crate::store::Head)> {
        let head = self.store.head().await?;
        let (mut told, mut published) = (HashMap::new(), HashMap::new());
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
                tell(&change, &mut told, &mut published)?;
                (seq, hash) = (change.seq, change.hash);
            }
        }
        if hash != head.hash {
            return Err(wrong(&format!("change {seq}: the head of the log names another seal")));
        }
        Ok((told, published, head))
    }

    /// Compares the states on disk with those that the log tells.
    async fn compare_states(&self, told: HashMap<Uuid, Told>) -> Result<u64> {
        let mut states = 0;
        let mut stored: BTreeMap<Uuid, Vec<State<Digest>>> = BTreeMap::new();
        self.store
            .all_states(|concept, registered, valid, content| {
                states += 1;
                stored.entry(concept).or_default().push(State::new(registered, valid, content));
                Ok(())
            })
            .await?;
        let edges = |s: &State<Digest>| (s.registered(), s.valid());
        for (concept, mut states) in stored {
            let mut expected = told.get(&concept).map(|t| t.states().to_vec()).unwrap_or_default();
            expected.sort_by_key(edges);
            states.sort_by_key(edges);
            if let Some((s, _)) = states.iter().zip(&expected).find(|(a, b)| a != b) {
                let (r, v) = (s.registered(), s.valid());
                return Err(wrong(&format!(
                    "state of {concept} registered {} valid {}: the log tells another",
                    r.from(),
                    v.from()
                )));
            }
            if states.len() != expected.len() {
                return Err(wrong(&format!(
                    "states of {concept}: there are {}, the log tells {}",
                    states.len(),
                    expected.len()
                )));
            }
        }
        let there = told.values().map(|t| t.states().len() as u64).sum::<u64>();
        if there == states { Ok(states) } else { Err(wrong(&format!("{states} states, and the log tells {there}"))) }
    }
}

fn tell(change: &Change, told: &mut HashMap<Uuid, Told>, published: &mut HashMap<Uuid, Version>) -> Result<()> {
    let unreadable = |e: &dyn std::fmt::Display| wrong(&format!("change {}: it cannot be read: {e}", change.seq));
    let is = |kind: ChangeKind| change.kind == kind.as_str();
    if is(ChangeKind::VersionPublished) {
        let version: Version = serde_json::from_str(&change.body).map_err(|e| unreadable(&e))?;
        published.insert(version.uuid, version);
    } else if is(ChangeKind::ConceptStated) || is(ChangeKind::ConceptRetired) {
        #[derive(serde::Deserialize)]
        struct Fact {
            from: Instant,
            to: Instant,
            content: Option<Digest>,
        }
        let fact: Fact = serde_json::from_str(&change.body).map_err(|e| unreadable(&e))?;
        let valid = Period::new(fact.from, fact.to).map_err(|e| unreadable(&e))?;
        let line = told.entry(change.subject).or_default();
        line.register(change.at, valid, fact.content).map_err(|e| unreadable(&e))?;
    }
    Ok(())
}

fn wrong(what: &str) -> Refusal {
    Refusal::new(Code::Corrupt, format!("registret er beskadiget: {what}"), format!("the registry is damaged: {what}"))
}
