//! Projections that are made of snapshots: the search index and the graphs. They are built on a thread of their
//! own, a step behind what is read, and swapped as a whole; a writer never waits for them to be built.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::watch;

use super::follower::Projections;
use crate::model::{Code, Refusal, Result};

/// How often what is derived looks whether a new day has come.
const DAY_CHECK: Duration = Duration::from_secs(60);

/// What can be made of a snapshot.
pub trait Derive: Send + Sync + Sized + 'static {
    /// The value after `previous`, made of what the projections hold now; `None` when nothing in it would change.
    ///
    /// # Errors
    /// [`Code::Corrupt`], [`Code::Internal`]; the value before stays.
    fn derive(previous: Option<&Arc<Self>>, from: &Projections) -> Result<Option<Self>>;
}

/// A value made of snapshots, and how far it has come.
pub struct Derived<T> {
    value: RwLock<Option<Arc<T>>>,
    /// The position of the change log that the value has passed; -1 while there is none.
    position: watch::Sender<i64>,
    turn: Mutex<()>,
    followed: AtomicBool,
    failing: Mutex<Option<String>>,
}

impl<T> Default for Derived<T> {
    fn default() -> Self {
        Self {
            value: RwLock::default(),
            position: watch::Sender::new(-1),
            turn: Mutex::default(),
            followed: AtomicBool::default(),
            failing: Mutex::default(),
        }
    }
}

impl<T: Derive> Derived<T> {
    /// The value as it is now; it stays as it is for whoever holds it. While nobody follows (a command on a local
    /// database) it is brought up to date first, else it is what the follower has come to.
    ///
    /// # Errors
    /// [`Code::NotReady`] while it is being built for the first time, or as [`Derive::derive`].
    pub async fn get(self: &Arc<Self>, projections: &Arc<Projections>) -> Result<Arc<T>> {
        if !self.followed.load(Ordering::Acquire) {
            self.catch_up(projections).await?;
        }
        self.now().ok_or_else(|| {
            Refusal::new(
                Code::NotReady,
                "indekset er ved at blive bygget; prøv igen om et øjeblik",
                "the index is being built; try again in a moment",
            )
        })
    }

    /// The value, if it has been built.
    #[must_use]
    pub fn now(&self) -> Option<Arc<T>> {
        self.value.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The position of the change log that the value has passed; -1 while there is none.
    #[must_use]
    pub fn position(&self) -> i64 {
        *self.position.borrow()
    }

    /// Whether somebody follows and there is no value yet.
    #[must_use]
    pub fn is_building(&self) -> bool {
        self.followed.load(Ordering::Acquire) && self.position() < 0
    }

    /// Why it could not be brought up to date at the last turn, if it could not.
    #[must_use]
    pub fn failing(&self) -> Option<String> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the value has passed a position of the log, if somebody follows it; at most `limit`.
    /// Answers whether it has.
    pub async fn passed(&self, position: i64, limit: Duration) -> bool {
        if !self.followed.load(Ordering::Acquire) {
            return false;
        }
        let mut seen = self.position.subscribe();
        tokio::time::timeout(limit, seen.wait_for(|p| *p >= position)).await.is_ok_and(|r| r.is_ok())
    }

    /// Brings the value up to what the projections hold now, on a thread for long work. One turn at a time.
    ///
    /// # Errors
    /// As [`Derive::derive`].
    pub async fn catch_up(self: &Arc<Self>, projections: &Arc<Projections>) -> Result<()> {
        let (this, projections) = (self.clone(), projections.clone());
        let turn = tokio::task::spawn_blocking(move || this.turn(&projections));
        turn.await.unwrap_or_else(|e| {
            Err(Refusal::new(
                Code::Internal,
                format!("indekset kunne ikke bygges: {e}"),
                format!("the index could not be built: {e}"),
            ))
        })
    }

    fn turn(&self, projections: &Projections) -> Result<()> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        // Read before the value is made: what it is made of can only be later.
        let position = projections.snapshot().position;
        let previous = self.now();
        if let Some(new) = T::derive(previous.as_ref(), projections)? {
            let new = Some(Arc::new(new));
            *self.value.write().unwrap_or_else(PoisonError::into_inner) = new;
        }
        // What was before is freed here, by the thread that builds, unless a reader still holds it.
        drop(previous);
        self.position.send_if_modified(|p| std::mem::replace(p, position.max(*p)) < position);
        Ok(())
    }

    /// Keeps the value in step until the task is dropped. What fails is tried again at the next turn and logged.
    pub async fn follow(self: Arc<Self>, projections: Arc<Projections>) {
        self.followed.store(true, Ordering::Release);
        let mut seen = projections.positions();
        loop {
            seen.mark_unchanged();
            let failed = self.catch_up(&projections).await.err();
            if let Some(refusal) = &failed {
                tracing::error!(%refusal, "an index could not be brought up to date");
            }
            *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = failed.map(|r| r.en);
            let _ = tokio::time::timeout(DAY_CHECK, seen.changed()).await;
        }
    }
}
