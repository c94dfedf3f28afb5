//! The follower: keeps the snapshot in step with the change log.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use uuid::Uuid;

use super::Map;
use super::edition::Edition;
use super::matters::Matters;
use super::plane::{Plane, View};
use super::told::Told;
use super::usages::{Usages, Using};
use crate::model::{Clock, Instant, Point, Result, today_in_denmark};
use crate::store::{Head, RegistrationRow, Store};

/// How many steps are read at a time.
const STEPS: i64 = 1_000;

/// All vocabularies, as of one position of the change log.
#[derive(Debug)]
pub struct Snapshot {
    /// The position.
    pub position: i64,
    /// The instant of the row at the position: everything to come is registered later.
    pub at: Instant,
    /// What is worked on.
    pub matters: Arc<Matters>,
    /// Who uses which concepts.
    pub usages: Arc<Usages>,
    /// The planes, by slug.
    planes: Vec<Arc<Plane>>,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            position: 0,
            at: Instant::BEGINNING,
            matters: Arc::default(),
            usages: Arc::default(),
            planes: Vec::new(),
        }
    }
}

impl Snapshot {
    /// The vocabularies, by slug.
    #[must_use]
    pub fn planes(&self) -> &[Arc<Plane>] {
        &self.planes
    }

    /// The vocabulary of a slug.
    #[must_use]
    pub fn by_slug(&self, slug: &str) -> Option<&Arc<Plane>> {
        let found = self.planes.binary_search_by(|p| p.vocabulary().slug().as_str().cmp(slug));
        found.ok().map(|i| &self.planes[i])
    }

    /// The vocabulary of a uuid.
    #[must_use]
    pub fn by_uuid(&self, uuid: Uuid) -> Option<&Arc<Plane>> {
        self.planes.iter().find(|p| p.vocabulary().uuid() == uuid)
    }
}

/// The snapshot that reads come from, and the editions that are built of it.
pub struct Projections {
    snapshot: RwLock<Arc<Snapshot>>,
    /// The editions in force today: resident.
    current: RwLock<Arc<Map<Uuid, Arc<Edition>>>>,
    /// Other editions: built on demand, kept within a budget of entries.
    editions: moka::sync::Cache<(Uuid, Point), Arc<Edition>>,
    position: watch::Sender<i64>,
    clock: Arc<dyn Clock>,
}

impl Projections {
    /// Empty projections; `budget` is how many concepts all editions but the current ones may hold together.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, budget: u64) -> Self {
        let weigh = |_: &(Uuid, Point), edition: &Arc<Edition>| u32::try_from(edition.len()).unwrap_or(u32::MAX).max(1);
        Self {
            snapshot: RwLock::default(),
            current: RwLock::default(),
            editions: moka::sync::Cache::builder().max_capacity(budget).weigher(weigh).build(),
            position: watch::Sender::new(0),
            clock,
        }
    }

    /// The snapshot as it is now; it stays as it is for whoever holds it.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The start of the Danish day: the valid time that "in force today" means.
    #[must_use]
    pub fn today(&self) -> Instant {
        Instant::from_date(today_in_denmark(self.clock.now()))
    }

    /// Reads a vocabulary at a point.
    #[must_use]
    pub fn edition(&self, plane: &Plane, at: Point) -> Arc<Edition> {
        let (uuid, point) = (plane.vocabulary().uuid(), plane.settle(at));
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).get(&uuid).cloned();
        match current {
            Some(current) if current.point() == point => current,
            _ => self.editions.get_with((uuid, point), || Arc::new(plane.read(point))),
        }
    }

    /// Reads a vocabulary at a point, with the version in force there.
    #[must_use]
    pub fn view(&self, plane: &Arc<Plane>, at: Point, named: bool, pinned: bool) -> View {
        View {
            edition: self.edition(plane, at),
            version: plane.version_at(at).cloned(),
            plane: plane.clone(),
            at,
            named,
            pinned,
        }
    }

    /// How many editions are kept beside the current ones, and how many concepts they hold together.
    #[must_use]
    pub fn kept(&self) -> (u64, u64) {
        self.editions.run_pending_tasks();
        (self.editions.entry_count(), self.editions.weighted_size())
    }

    /// Waits until the projections have passed a position of the log.
    ///
    /// Answers `false` when they had not within `limit`.
    pub async fn passed(&self, position: i64, limit: Duration) -> bool {
        let mut seen = self.position.subscribe();
        tokio::time::timeout(limit, seen.wait_for(|p| *p >= position)).await.is_ok_and(|r| r.is_ok())
    }

    /// Tells of each new position of the log that the projections have passed.
    pub fn positions(&self) -> watch::Receiver<i64> {
        self.position.subscribe()
    }

    fn put(&self, snapshot: Snapshot) {
        let position = snapshot.position;
        self.refresh(&snapshot);
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
        self.position.send_replace(position);
    }

    /// Makes the editions in force today resident: after a change, and when a new day has come.
    fn refresh(&self, snapshot: &Snapshot) {
        let now = Point { valid: self.today(), registered: Instant::FOREVER };
        let held = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        let current = snapshot.planes.iter().map(|plane| {
            let (uuid, point) = (plane.vocabulary().uuid(), plane.settle(now));
            let edition = match held.get(&uuid) {
                Some(held) if held.point() == point => held.clone(),
                _ => self.editions.get(&(uuid, point)).unwrap_or_else(|| Arc::new(plane.read(point))),
            };
            (uuid, edition)
        });
        let current = Arc::new(current.collect());
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = current;
    }
}

/// Reads the change log in order and keeps the projections in step.
pub struct Follower {
    store: Store,
    projections: Arc<Projections>,
    turn: Mutex<()>,
    failing: std::sync::Mutex<Option<String>>,
}

impl Follower {
    /// A follower that has read nothing yet.
    #[must_use]
    pub fn new(store: Store, projections: Arc<Projections>) -> Self {
        Self { store, projections, turn: Mutex::new(()), failing: std::sync::Mutex::default() }
    }

    /// Brings the projections up to the end of the log. One turn at a time; readers see the old snapshot
    /// until the new one is whole.
    ///
    /// # Errors
    /// [`crate::model::Code::Database`], [`crate::model::Code::Corrupt`]; the old snapshot stays.
    pub async fn catch_up(&self) -> Result<i64> {
        let _turn = self.turn.lock().await;
        let old = self.projections.snapshot();
        let Head { seq, at, .. } = self.store.head().await?;
        if seq == old.position {
            self.projections.refresh(&old);
            return Ok(seq);
        }
        let changed = self.store.changed_vocabularies(old.position, seq).await?;
        let mut told = self.told(&old, &changed, seq).await?;
        let mut planes = Vec::new();
        for vocabulary in self.store.vocabularies().await? {
            let uuid = vocabulary.uuid();
            let previous = old.by_uuid(uuid);
            if let Some(previous) = previous.filter(|_| !changed.contains(&uuid)) {
                planes.push(previous.clone());
                continue;
            }
            let versions = self.store.versions(uuid).await?;
            let mut rows = Vec::new();
            let after = previous.map(|_| old.position);
            self.store
                .states(uuid, after, |row| {
                    rows.push(row);
                    Ok(())
                })
                .await?;
            let (previous, told) = (previous.cloned(), told.remove(&uuid).unwrap_or_default());
            let build = move || Ok(Plane::new(vocabulary, versions, rows, previous.as_deref())?.with_told(told));
            let plane = tokio::task::spawn_blocking(build);
            planes.push(Arc::new(plane.await.map_err(|e| {
                crate::model::Refusal::new(
                    crate::model::Code::Internal,
                    format!("projektionen kunne ikke bygges: {e}"),
                    format!("the projection could not be built: {e}"),
                )
            })??));
        }
        let (matters, usages) = (self.matters(&old, seq).await?, self.usages(&old).await?);
        planes.sort_by(|a, b| a.vocabulary().slug().cmp(b.vocabulary().slug()));
        let projections = self.projections.clone();
        let snapshot = Snapshot { position: seq, at, matters, usages, planes };
        let put = tokio::task::spawn_blocking(move || projections.put(snapshot));
        put.await.map_err(|e| {
            crate::model::Refusal::new(
                crate::model::Code::Internal,
                format!("projektionen kunne ikke bygges: {e}"),
                format!("the projection could not be built: {e}"),
            )
        })?;
        Ok(seq)
    }

    /// What the log tells of the changed vocabularies beside their states, up to a position.
    async fn told(&self, old: &Snapshot, changed: &[Uuid], to: i64) -> Result<Map<Uuid, Told>> {
        let before = |uuid: &Uuid| old.by_uuid(*uuid).map(|plane| plane.told().clone()).unwrap_or_default();
        let mut told: Map<Uuid, Told> = changed.iter().map(|uuid| (*uuid, before(uuid))).collect();
        let each = |row: RegistrationRow| told.entry(row.vocabulary).or_default().take(row);
        self.store.registrations(old.position, to, each).await?;
        Ok(told)
    }

    /// The matters with the steps that were taken up to a position.
    async fn matters(&self, old: &Snapshot, to: i64) -> Result<Arc<Matters>> {
        let (mut matters, mut after) = (old.matters.clone(), old.position);
        loop {
            let rows = self.store.steps(after, to, STEPS).await?;
            let Some(last) = rows.last() else { return Ok(matters) };
            after = last.change;
            let taken = Arc::make_mut(&mut matters);
            rows.iter().try_for_each(|row| taken.take(row))?;
        }
    }

    /// The uses with what was done to them since.
    async fn usages(&self, old: &Snapshot) -> Result<Arc<Usages>> {
        let mut usages = old.usages.clone();
        for row in self.store.usages(old.position).await? {
            let using = match row.usage {
                Some(usage) => {
                    let concepts = self.store.usage_concepts(row.uuid).await?.into_boxed_slice();
                    Some(Using { usage, concepts, hidden: self.store.usage_hidden(row.uuid).await?.into_boxed_slice() })
                }
                None => None,
            };
            Arc::make_mut(&mut usages).put(row.uuid, using);
        }
        // The log does not tell what an organisation is called.
        let names = self.store.organisation_names().await?.into_iter().collect();
        if !usages.are_called(&names) {
            Arc::make_mut(&mut usages).call(names);
        }
        Ok(usages)
    }

    /// Why the last turn failed, if it did.
    #[must_use]
    pub fn failing(&self) -> Option<String> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Follows the log until the task is dropped. What fails is tried again at the next turn and logged.
    pub async fn run(self: Arc<Self>) {
        let mut wakes = self.store.wakes();
        loop {
            wakes.next().await;
            let failed = self.catch_up().await.err();
            if let Some(refusal) = &failed {
                tracing::error!(%refusal, "the projections could not be brought up to date");
            }
            *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = failed.map(|r| r.en);
        }
    }
}
